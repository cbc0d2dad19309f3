"""OGC API: its replica through its life, hosts that misbehave, and what is found at an address."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.hosts.ogc_api import COLLECTIONS, RECORDS
from demo.network import Network
from demo.server import Answer, Request
from harvesters import ogc_api
from tests.adapters.partners import compare, harvest, live_through, serving
from tests.running import Hub

GEOJSON = "application/geo+json"


@pytest.mark.slow
def test_the_replica_through_its_life(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        live_through(hub, network, settings, [RECORDS])
        hub.source(COLLECTIONS, network.sources()[COLLECTIONS])
        harvest(hub, [COLLECTIONS])
        compare(hub.records(), network.truth(), [COLLECTIONS])
        asked = [seen.target for seen in network.requests if seen.replica == "ogc-api"]
    assert "/collections/metadata:main/items?offset=50&limit=50" in asked
    assert not [target for target in asked if "parks/items" in target]
    text = json.dumps(list(hub.records().values()))
    assert "Person" not in text
    assert "@example.org" not in text


# --- hosts of our own ----------------------------------------------------------------------


def source(url: str, options: str = "") -> str:
    return f'title = "O"\nadapter = "ogc_api"\nurl = "{url}"\n[options]\ntries = 1\n{options}\n'


def said(value: Any, kind: str = "application/json") -> Answer:
    return Answer(json.dumps(value).encode(), kind)


def item(name: Any, **more: Any) -> dict[str, Any]:
    return {"id": name, "type": "Feature", "geometry": None, "properties": {"title": "T", **more}}


def page(rows: list[Any], following: str | None = None, **more: Any) -> Answer:
    links = [{"rel": "next", "type": GEOJSON, "href": following}] if following else []
    return said({"type": "FeatureCollection", "features": rows, "links": links, **more}, GEOJSON)


def listed(*collections: tuple[str, str]) -> Answer:
    rows = [
        {"id": name, "title": name, "itemType": kind, "links": []} for name, kind in collections
    ]
    return said({"collections": rows, "links": []})


Host = Callable[[Request], Answer]


def host(collections: Answer, items: dict[str, Host]) -> Host:
    """A server: what it lists, and what it answers for the items of each collection."""

    def respond(request: Request) -> Answer:
        match [part for part in request.path.split("/") if part][1:]:
            case []:
                data = {"rel": "data", "type": "application/json", "href": "collections"}
                return said({"title": "O", "links": [data]})
            case ["collections"]:
                return collections
            case ["collections", name, "items"] if name in items:
                return items[name](request)
        return Answer(b'{"code": "NotFound"}', "application/json", 404)

    return respond


def in_pages(*pages: list[Any], total: int | None = None, to: str = "?page={}") -> Host:
    """Items in pages, with what is announced, and where next links lead."""

    def respond(request: Request) -> Answer:
        number = int(dict(request.arguments()).get("page", 0))
        following = to.format(number + 1) if number + 1 < len(pages) else None
        more = {} if total is None else {"numberMatched": total}
        return page(pages[min(number, len(pages) - 1)], following, **more)

    return respond


def runs_of(hub: Hub, hosts: dict[str, Host], options: dict[str, str]) -> dict[str, Any]:
    with serving(lambda request: hosts[request.path.split("/")[1]](request)) as url:
        for name in hosts:
            hub.source(name, source(f"{url}/{name}/", options.get(name, "")))
        said = hub("harvest", *hosts, "--json")
        return {run["source"]: run for run in said.lines}


def test_pages_are_followed_and_guarded(hub: Hub) -> None:
    one, two, three = [item("a"), item("b")], [item("c"), item("d")], [item("e")]
    catalogue = listed(("c", "record"))
    walks: dict[str, Host] = {
        "whole": in_pages(one, two, three, total=5),
        "silent": in_pages(one, two, three),
        "fewer": in_pages(one, two, total=9),
        "circle": in_pages(one, two, three, to="?page=0"),
        "again": in_pages(one, one, one),
        "elsewhere": in_pages(one, two, to="http://other.example.org/items?page={}"),
        "hollow": in_pages(one, [], three, total=3),
        "nameless": in_pages([item("a"), item(None), "no object", *(item(n) for n in range(9))]),
        "numbers": in_pages([item(0), item(7)], total=2),
        "none": in_pages([], total=0),
        "page": lambda request: Answer(b"<!DOCTYPE html><title>Sorry</title>", "text/html"),
        "object": lambda request: said({"type": "Feature"}),
    }
    hosts = {name: host(catalogue, {"c": walk}) for name, walk in walks.items()}
    runs = runs_of(hub, hosts, {})
    assert {name: (run["state"], run["new"], run["error"]) for name, run in runs.items()} == {
        "whole": ("complete", 5, None),
        "silent": ("complete", 5, None),
        "fewer": ("partial", 4, None),
        "circle": ("partial", 2, None),
        "again": ("partial", 2, None),
        "elsewhere": ("partial", 2, None),
        "hollow": ("complete", 3, None),
        "nameless": ("complete_with_warnings", 10, None),
        "numbers": ("complete", 2, None),
        "none": ("complete", 0, None),
        "page": ("failed", 0, "html"),
        "object": ("failed", 0, "no_items"),
    }
    assert "announced 9 entries and gave 4" in runs["fewer"]["reason"]
    assert "another host (other.example.org)" in runs["elsewhere"]["reason"]


def test_collections_are_chosen_and_one_that_is_dead_costs_the_others_nothing(hub: Hub) -> None:
    both = listed(("one", "record"), ("two", "record"), ("parks", "feature"))
    rows = in_pages([item("a"), item("b")], total=2)
    items = {"one": rows, "two": in_pages([item("b"), item("c")]), "parks": rows}
    hosts = {
        "records": host(both, items),
        "features": host(both, items),
        "named": host(both, items),
        "described": host(both, {}),
        "missing": host(both, items),
        "dead": host(both, {"two": items["two"]}),
        "plain": host(listed(("parks", "feature")), items),
        "nothing": host(said({"a": 1}), items),
    }
    options = {
        "features": 'what = "features"',
        "named": 'collections = ["two"]',
        "described": 'what = "collections"',
        "missing": 'collections = ["three"]',
    }
    runs = runs_of(hub, hosts, options)
    assert {name: (run["state"], run["new"], run["error"]) for name, run in runs.items()} == {
        "records": ("complete", 3, None),
        "features": ("complete", 2, None),
        "named": ("complete", 2, None),
        "described": ("complete", 3, None),
        "missing": ("failed", 0, "no_collections"),
        "dead": ("partial", 2, None),
        "plain": ("failed", 0, "no_collections"),
        "nothing": ("failed", 0, "no_collections"),
    }
    assert "Those there are: one, parks, two" in runs["missing"]["reason"]
    assert 'what = "collections"' in runs["plain"]["reason"]
    assert "collection one" in runs["dead"]["reason"]
    names = {r["source_identifier"] for r in hub.records().values() if r["source"] == "features"}
    assert names == {"parks/a", "parks/b"}


@pytest.mark.parametrize(
    ("kinds", "what", "path"),
    [
        ((("c", "record"), ("parks", "feature")), "records", ""),
        ((("parks", "feature"),), "collections", ""),
        ((("c", "record"),), "records", "collections"),
        ((("c", "record"),), "records", "collections/c/items"),
    ],
)
def test_a_new_source_is_known_by_its_address(hub: Hub, kinds: Any, what: str, path: str) -> None:
    respond = host(listed(*kinds), {"c": in_pages([item("a")], [item("b")], total=2)})
    with serving(lambda request: respond(request)) as url:
        made = hub("sources", "new", "s", "--url", f"{url}/api/{path}", "--country", "KE")
        assert made.code == 0, made.err
        declared = tomllib.loads((hub.sources / "s.toml").read_text("utf-8"))
        assert (declared["adapter"], declared["options"]["what"]) == ("ogc_api", what)
        run = hub("harvest", "s", "--json").lines[0]
    assert run["state"] == "complete", run
    assert run["new"] == (len(kinds) if what == "collections" else 2)


@pytest.mark.parametrize(
    ("answer", "is_one"),
    [
        ({"links": [{"rel": "data", "href": "/collections"}]}, True),
        ({"links": [{"rel": "http://www.opengis.net/def/rel/ogc/1.0/data", "href": "c"}]}, True),
        ({"links": [{"rel": "conformance", "href": "/conformance"}]}, True),
        ({"collections": [{"id": "a"}]}, True),
        ({"id": "a", "links": [{"rel": "items", "href": "a/items"}]}, True),
        ({"type": "FeatureCollection", "links": [{"rel": "next", "href": "?2"}]}, True),
        ({"type": "FeatureCollection", "features": []}, False),
        ({"stac_version": "1.0.0", "links": [{"rel": "data", "href": "/collections"}]}, False),
        ({"collections": [{"id": "a", "stac_version": "1.0.0"}]}, False),
        ({"links": [{"rel": "self", "href": "/"}]}, False),
        ({"links": "x", "collections": "y"}, False),
        ([], False),
    ],
)
def test_what_an_ogc_api_is_known_by(answer: Any, is_one: bool) -> None:
    assert ogc_api.is_one(answer) is is_one
