"""The recorded and constructed answers of Bioland sites, replayed over loopback."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from demo.server import HOST, Answer, Request, Server
from mappings import tables
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "national"
FOLDER = SAMPLES / "bioland"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"NO RECORDED ANSWERS: {FOLDER} is absent, nothing was replayed"
)

NEWS = "ece0e6a8-057a-594e-bad5-1f3136309a62"
EVENT = "38e969ce-6395-58ea-9061-b5bd17f676e4"
STRATEGY = "0fa9d85a-f109-52aa-9136-6261f42e2b6c"
COURSE = "0f8c986f-a453-568f-9ab6-cf1da28dc7b4"
REPORT = "36623054-650c-54dd-b6de-e1bc2d5318b9"
SECOND = {
    "/robots.txt": "bl2_robots_published.constructed.txt",
    "/en/jsonapi/taxonomy_term/tags": "bl2_jsonapi_taxonomy_term_tags.constructed.json",
    "/en/jsonapi/node/content": "bl2_jsonapi_node_content_page1.constructed.json",
    "/en/jsonapi/node/content?offset": "bl2_jsonapi_node_content_page2.constructed.json",
    "/fr/jsonapi/node/content": "bl2_jsonapi_fr_translations.constructed.json",
}


def sample(name: str) -> bytes:
    return (FOLDER / name).read_bytes()


@contextmanager
def serving(files: Mapping[str, str], status: Mapping[str, int] | None = None) -> Iterator[str]:
    """Serve files at paths; another path is a page that is not there."""

    def respond(request: Request) -> Answer:
        offset = "?offset" if "offset" in request.query else ""
        name = files.get(request.path + offset) or (files.get(request.path) if not offset else None)
        if name is None:
            return Answer(b"Page not found", "text/plain", 404, {"Cache-Control": "no-store"})
        kind = "text/plain" if name.endswith("txt") else "application/vnd.api+json"
        return Answer(sample(name), kind, (status or {}).get(request.path, 200))

    server = Server(0, respond)
    server.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.close()


def harvest(
    hub: Hub, url: str, languages: str = '["en", "fr"]', *more: str, name: str = "zz"
) -> dict[str, Any]:
    hub.source(
        name,
        f'title = "ZZ"\nadapter = "bioland"\nurl = "{url}"\ncountry = "KE"\n'
        f"languages = {languages}\n[options]\ntries = 1\n",
    )
    (run,) = hub("harvest", name, "--json", *more).lines
    return run


def held(hub: Hub) -> dict[str, dict[str, Any]]:
    return {r["source_identifier"]: r for r in hub.records("--source", "zz").values()}


def test_two_pages_and_a_second_language_become_records(hub: Hub) -> None:
    with serving(SECOND) as url:
        run = harvest(hub, url)
        assert (run["new"], run["requests"]) == (4, 5)
        assert run["warnings"] == {"next_page_on_another_host": 1}, "it is recorded elsewhere"
        assert run["issues"] == 4, "the invented country ZZ is in no table"
        records = held(hub)
        again = harvest(hub, url)
        assert (again["new"], again["changed"]) == (0, 0)
    assert set(records) == {NEWS, EVENT, STRATEGY, COURSE}
    news, event = records[NEWS], records[EVENT]
    strategy, course = records[STRATEGY], records[COURSE]
    assert [r["type"] for r in (news, event, strategy, course)] == [
        "news",
        "event",
        "nbsap",
        "elearning",
    ]
    assert news["url"] == f"{url}/en/news/national-workshop-ecosystem-restoration"
    assert [t["lang"] for t in news["title"]] == ["en"], "the French one is a copy"
    assert (news["issued"], news["modified"]) == ("2024-05-24", "2024-05-27T10:15:42+00:00")
    assert [s["code"] for s in news["subject"]] == ["GBF-TARGET-02", "CBD-SUBJECT-POST2020"]
    assert "distribution" not in news, "a picture only adorns"
    assert [t["lang"] for t in event["title"]] == event["language"] == ["en", "fr"]
    assert event["temporal"] == {"start": "2024-06-11", "end": "2024-06-12"}
    assert event["modified"] == "2024-04-05T09:00:00+00:00"
    assert strategy["same_as"] == ["https://chm.cbd.int/database/record?documentID=999999"]
    assert strategy["distribution"] == [
        {
            "url": f"{url}/sites/zz/files/2024-05/nbsap-2030.pdf",
            "title": "nbsap-2030.pdf",
            "media_type": "application/pdf",
            "byte_size": 482133,
        }
    ]
    assert [s["code"] for s in course["subject"]] == ["AICHI-TARGET-11"]
    assert all(record["spatial"] == ["KE"] for record in records.values())


def test_the_standard_shape_gives_the_same_records(hub: Hub) -> None:
    with serving(SECOND) as url:
        harvest(hub, url, '["en"]')
        flat = held(hub)
    standard = json.loads(sample("bl2_jsonapi_node_content_standard.constructed.json"))
    names = {row["id"] for row in standard["data"]}
    assert names <= set(flat)
    one = {
        **{path: name for path, name in SECOND.items() if "content" not in path},
        "/en/jsonapi/node/content": "bl2_jsonapi_node_content_standard.constructed.json",
    }
    with serving(one) as url:
        run = harvest(hub, url, '["en"]', name="yy")
        assert (run["state"], run["new"]) == ("complete", len(names))
    told = {r["source_identifier"]: r for r in hub.records("--source", "yy").values()}
    for name in names:
        for key in ("type", "title", "subject", "issued", "modified", "same_as", "temporal"):
            assert told[name].get(key) == flat[name].get(key), (name, key)


def test_a_site_of_the_first_generation(hub: Hub) -> None:
    files = {"/jsonapi/node/document": "bl1_jsonapi_node_document.constructed.json"}
    with serving(files) as url:
        run = harvest(hub, url)
        assert (run["state"], run["new"]) == ("complete_with_warnings", 1)
        assert run["warnings"] == {"locale_missing: fr": 1}
    (record,) = held(hub).values()
    assert record["source_identifier"] == REPORT
    assert record["type"] == "nationalReport"
    assert record["issued"] == "2014-03-31"
    assert record["url"] == f"{url}/documents/fifth-national-report"
    assert record["same_as"] == ["https://chm.cbd.int/database/record?documentID=200000"]
    assert "description" not in record, "a line break says nothing"


def test_a_site_that_is_not_published(hub: Hub) -> None:
    with serving({**SECOND, "/robots.txt": "bl2_robots_unpublished.constructed.txt"}) as url:
        run = harvest(hub, url)
    assert (run["state"], run["error"], run["requests"]) == ("failed", "unpublished", 1)


def test_a_node_that_answers_403_in_json_is_gone(hub: Hub) -> None:
    refused = "bl2_jsonapi_error_403.constructed.json"
    with serving(SECOND) as url:
        harvest(hub, url, '["en"]')
    fewer = {path: name for path, name in SECOND.items() if "offset" not in path}
    path = f"/en/jsonapi/node/content/{COURSE}"
    files = {
        **fewer,
        "/en/jsonapi/node/content": "bl2_jsonapi_node_content_standard.constructed.json",
        path: refused,
    }
    with serving(files, {path: 403}) as url:
        run = harvest(hub, url, '["en"]', "--full")
    assert run["deleted"] == 1
    assert COURSE not in held(hub)


def test_every_tag_that_bioland_knows_is_in_our_table() -> None:
    text = (FOLDER / "bioland_tag_domains.csv").read_text("utf-8")
    known = tables.values("bioland_tags")
    rows = [line.split(",") for line in text.splitlines()[1:]]
    assert len(rows) == 478
    assert {code: domain for code, domain in rows} == {code: known[code] for code, _ in rows}
