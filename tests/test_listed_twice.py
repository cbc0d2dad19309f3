"""One identifier twice in a list, with two contents: the newer version counts, in any order, and
the record does not change from run to run. Through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.running import Hub

Entry = tuple[str, str, str]
"""A name, a title, a day."""
Shape = Callable[[Sequence[Entry], Request], Answer]

ONE = [("a", "A", "2024-01-01"), ("b", "B", "2024-01-02"), ("c", "C", "2024-01-03")]
OLD, NEW = ("b", "Old", "2023-05-01"), ("b", "New", "2024-05-01")


def said(body: Any) -> Answer:
    return Answer(json.dumps(body).encode(), "application/json")


def ckan(entries: Sequence[Entry], request: Request) -> Answer:
    told = dict(request.arguments())
    start = int(told.get("start", 0))
    rows = [
        {
            "id": n,
            "name": n,
            "title": t,
            "metadata_created": d,
            "metadata_modified": f"{d}T00:00:00",
        }
        for n, t, d in entries
    ]
    size = int(told["rows"])
    return said(
        {
            "success": True,
            "result": {"count": len({*rows_of(entries)}), "results": rows[start : start + size]},
        }
    )


def rows_of(entries: Sequence[Entry]) -> list[str]:
    return [name for name, _, _ in entries]


def solr(entries: Sequence[Entry], request: Request) -> Answer:
    start = int(dict(request.arguments()).get("cursorMark", "*").replace("*", "0"))
    docs = [{"id": n, "title": t, "updatedDate_dt": f"{d}T00:00:00Z"} for n, t, d in entries]
    some = docs[start : start + 2]
    found = len({*rows_of(entries)})
    mark = str(start + len(some))
    return said({"response": {"numFound": found, "docs": some}, "nextCursorMark": mark})


def dcat(entries: Sequence[Entry], _: Request) -> Answer:
    datasets = [{"identifier": n, "title": t, "modified": d} for n, t, d in entries]
    return said(
        {"conformsTo": "https://project-open-data.cio.gov/v1.1/schema", "dataset": datasets}
    )


def wordpress(entries: Sequence[Entry], request: Request) -> Answer:
    rows = [
        {
            "id": ord(n), "date_gmt": "2020-01-01T00:00:00", "modified_gmt": f"{d}T00:00:00",
            "link": f"https://x.example/{n}", "title": {"rendered": t}, "content": {"rendered": t},
        }
        for n, t, d in entries
    ]  # fmt: skip
    if not request.path.endswith("/posts"):
        return Answer(b'{"code": "rest_no_route"}', "application/json", 404)
    return said(rows if "page=1" in request.query or "page=" not in request.query else [])


SOURCES: dict[str, tuple[str, Shape]] = {
    "ckan": ('adapter = "ckan"\nurl = "{url}"\n[options]\nrows = 2\n', ckan),
    "solr": (
        'adapter = "solr"\nurl = "{url}/x"\n[options]\nrows = 2\nchanged = "updatedDate_dt"\n',
        solr,
    ),
    "dcat": ('adapter = "dcat"\nurl = "{url}/data.json"\n', dcat),
    "wordpress": (
        'adapter = "wordpress"\nurl = "{url}"\n[options]\ntypes = ["posts"]\n',
        wordpress,
    ),
}


@pytest.mark.parametrize("kind", SOURCES)
def test_the_newer_of_two_versions_counts_in_any_order(hub: Hub, kind: str) -> None:
    text, shape = SOURCES[kind]
    entries: list[Entry] = [ONE[0], NEW, OLD, ONE[2]]
    with serving(lambda request: shape(entries, request)) as url:
        hub.source("src", f'title = "S"\n{text}'.replace("{url}", url))
        run = run_of(hub, "src")
        assert (run["state"], run["new"]) == ("complete_with_warnings", 3), run
        assert run["warnings"].keys() & {"two_versions", "identifier_twice"}
        before = hub.records()
        titles = sorted(r["title"][0]["value"] for r in before.values())
        assert titles == ["A", "C", "New"]
        for again in ([ONE[0], OLD, NEW, ONE[2]], [NEW, ONE[0], OLD, ONE[2]]):
            entries[:] = again
            run = run_of(hub, "src", "--full")
            assert run["state"].startswith("complete"), run
            assert (run["new"], run["changed"], run["deleted"], run["written"]) == (0, 0, 0, 0), run
            assert hub.records() == before
    assert hub("ledger", "src").code == 0


def test_a_dataset_that_comes_back_with_its_name_alone_is_set_aside(hub: Hub) -> None:
    bare: set[str] = set()

    def respond(request: Request) -> Answer:
        answer = json.loads(ckan(ONE, request).body)
        for row in answer["result"]["results"]:
            if row["id"] in bare:
                row.update(dict.fromkeys(row.keys() - {"id", "name"}))
        return said(answer)

    with serving(respond) as url:
        hub.source("src", f'title = "S"\n{SOURCES["ckan"][0]}'.replace("{url}", url))
        run_of(hub, "src")
        before = hub.records()
        bare.add("b")
        run = run_of(hub, "src", "--full")
        assert (run["reasons"], run["deleted"]) == ({"no_metadata": 1}, 0)
        assert hub.records() == before
    assert "in an older version" in hub("ledger", "src").out


def test_a_data_set_that_is_listed_twice_alike_is_counted(hub: Hub) -> None:
    with serving(lambda request: dcat([*ONE, ONE[1]], request)) as url:
        hub.source("src", f'title = "S"\n{SOURCES["dcat"][0]}'.replace("{url}", url))
        run = run_of(hub, "src")
    assert (run["state"], run["new"], run["seen"]) == ("complete_with_warnings", 3, 3)
    assert run["warnings"] == {"duplicate": 1}
