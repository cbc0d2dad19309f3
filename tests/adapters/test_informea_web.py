"""Lists of InforMEA's site that misbehave; its replica is tested with the hub's."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.server import Answer, Request
from tests.adapters.partners import Record, age, run_of, serving
from tests.running import Hub


def source(url: str, kind: str = "decisions", more: str = "") -> str:
    return (
        f'title = "W"\nadapter = "informea_web"\nurl = "{url}"\n'
        f'[options]\nkind = "{kind}"\nitems_per_page = 4\ntries = 1\n{more}\n'
    )


def node(number: int, title: str = "") -> dict[str, Any]:
    return {
        "uuid": f"00000000-0000-4000-8000-{number:012}",
        "changed": str(1_600_000_000 + number),
        "title_field": {"en": [{"value": title or f"Decision {number}"}]},
    }


class Site:
    """Lists of nodes, whole or as stubs."""

    def __init__(self, nodes: list[Any], **bends: Any) -> None:
        self.nodes = nodes
        self.bends = bends
        self.asked: list[str] = []

    def respond(self, request: Request) -> Answer:
        self.asked.append(request.path)
        parts = request.path.strip("/").split("/")
        bends = self.bends
        if parts[-1] == "count":
            if "count" in bends:
                return self.json(bends["count"])
            return Answer(b"<html><title>Page not found</title></html>", "text/html", 404)
        if parts[0] == "node":
            if parts[1] in bends.get("shut", ()):
                return Answer(b"<html><title>Error</title></html>", "text/html", 500)
            for each in self.nodes:
                if each.get("uuid") == parts[1]:
                    return self.json(each)
            if bends.get("json_404"):
                return self.json({"message": "Not found"}, 404)
            return Answer(b"<html><title>Page not found</title></html>", "text/html", 404)
        page = 0 if bends.get("stuck") else int(dict(request.arguments())["page"])
        cut = self.nodes[page * 4 : page * 4 + 4]
        if bends.get("stubs"):
            cut = [{"uuid": n["uuid"], "last_update": n["changed"], "data_url": "x"} for n in cut]
        return self.json(cut)

    def json(self, value: Any, status: int = 200) -> Answer:
        return Answer(json.dumps(value).encode(), "application/json", status)


def run_over(hub: Hub, site: Site, more: str = "") -> Record:
    with serving(site.respond) as url:
        hub.source("w", source(url, more=more))
        return run_of(hub, "w")


@pytest.mark.parametrize("count", [{"count": "9"}, 9, "9", [9], None, {"message": "x"}])
def test_with_and_without_a_count(hub: Hub, count: Any) -> None:
    site = Site([node(n) for n in range(9)], **({} if count is None else {"count": count}))
    run = run_over(hub, site)
    assert (run["state"], run["new"]) == ("complete", 9)


def test_fewer_than_counted_is_partial(hub: Hub) -> None:
    run = run_over(hub, Site([node(n) for n in range(3)], count=7))
    assert run["state"] == "partial"
    assert "announced 7" in run["reason"]


def test_a_list_that_ignores_the_page_ends(hub: Hub) -> None:
    run = run_over(hub, Site([node(n) for n in range(9)], stuck=True))
    assert run["state"] == "partial"
    assert "circles" in run["reason"]


def test_only_nodes_that_changed_are_fetched(hub: Hub) -> None:
    site = Site([node(n) for n in range(6)], stubs=True)
    with serving(site.respond) as url:
        hub.source("w", source(url, kind="court-decisions"))
        assert run_of(hub, "w")["new"] == 6
        site.asked.clear()
        site.nodes[2] = {**node(2, "Amended"), "changed": "1700000000"}
        run = run_of(hub, "w")
    assert (run["changed"], run["unchanged"]) == (1, 5)
    assert sum(asked.startswith("/node/") for asked in site.asked) == 1


def test_a_node_that_cannot_be_had_keeps_what_was_had_of_it(hub: Hub, settings: Settings) -> None:
    site = Site([node(n) for n in range(20)], stubs=True)
    with serving(site.respond) as url:
        hub.source("w", source(url))
        assert run_of(hub, "w")["new"] == 20
        site.nodes[2] = {**node(2, "Amended"), "changed": "1700000000"}
        site.nodes.append(node(30))
        site.bends["shut"] = (node(2)["uuid"], node(30)["uuid"])
        for _ in range(2):
            run = run_of(hub, "w")
            assert (run["state"], run["quarantined"]) == ("complete_with_warnings", 2)
            age(settings, ["w"])
    titles = {r["title"][0]["value"] for r in hub.records().values()}
    assert "Decision 2" in titles
    assert len(titles) == 20


@pytest.mark.parametrize("clear", [True, False])
def test_only_a_clear_answer_is_a_deletion(hub: Hub, clear: bool) -> None:
    site = Site([node(n) for n in range(8)], json_404=clear)
    with serving(site.respond) as url:
        hub.source("w", source(url))
        run_of(hub, "w")
        del site.nodes[3]
        run = run_of(hub, "w")
    assert run["deleted"] == (1 if clear else 0)
    assert len(hub.records()) == (7 if clear else 8)


def test_a_row_without_a_name_is_set_aside_alone(hub: Hub) -> None:
    run = run_over(hub, Site([*(node(n) for n in range(9)), {"title_field": {}}]))
    assert (run["state"], run["new"], run["quarantined"]) == ("complete_with_warnings", 9, 1)


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b'{"message": "nothing"}', "no_list"),
        (b"<html><title>Just a moment...</title></html>", "challenge"),
        (b"<html><title>Log in</title></html>", "html"),
    ],
)
def test_what_is_no_list_is_not_an_empty_one(hub: Hub, body: bytes, error: str) -> None:
    with serving(lambda request: Answer(body, "application/json")) as url:
        hub.source("w", source(url))
        run = run_of(hub, "w")
    assert (run["state"], run["error"]) == ("failed", error)


def test_decisions_of_one_treaty(hub: Hub) -> None:
    site = Site([node(1)])
    seen: list[str] = []

    def respond(request: Request) -> Answer:
        seen.append(request.query)
        return site.respond(request)

    with serving(respond) as url:
        hub.source("w", source(url, more='treaty = "08609c37-86bc-458c-8f60-8c7365e2886e"'))
        assert run_of(hub, "w")["state"] == "complete"
    assert all("treaty_uuid=08609c37" in query for query in seen)
