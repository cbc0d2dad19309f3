"""STAC: both replicas through their lives, and catalogues that lead astray."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pystac
import pytest

from chm_hub.settings import Settings
from demo.hosts.stac import API, COLLECTIONS, STATIC
from demo.network import Network
from demo.server import Answer, Request
from harvesters import stac
from tests.adapters.partners import compare, harvest, live_through, serving
from tests.running import Hub


@pytest.mark.slow
def test_the_replicas_through_their_lives(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        live_through(
            hub,
            network,
            settings,
            [API, STATIC],
            waits=lambda name: name == STATIC,
            incremental=[API],
        )
        network.requests.clear()
        run = harvest(hub, [API])[API]
        asked = [seen for seen in network.requests if seen.replica == "stac-api"]
        assert (run["seen"] > 0, run["new"], run["changed"], run["full"]) == (True, 0, 0, False)
        assert len(asked) == 3
        hub.source(COLLECTIONS, network.sources()[COLLECTIONS])
        assert harvest(hub, [COLLECTIONS])[COLLECTIONS]["new"] == 4
        records = hub.records()
        compare(records, network.truth(), [COLLECTIONS])
    items = [r for r in records.values() if r["source"] == API]
    assert {r["license"] for r in items} == {"CC-BY-4.0"}
    assert all(r["publisher"][0]["name"] == "Data centre" for r in items)
    assert all(len(r["distribution"]) == 1 for r in items)
    assert all(r["distribution"][0]["url"].endswith(".tif") for r in items)
    assert all(r["temporal"]["start"][:4] == r["temporal"]["end"][:4] for r in items)
    files = [r for r in records.values() if r["source"] == STATIC]
    assert all("/catalog/" in r["distribution"][0]["url"] for r in files)
    assert all(r["url"].endswith(f"/items/{r['source_identifier']}.json") for r in files)


def item(name: str, collection: str | None = "c", **more: Any) -> dict[str, Any]:
    made = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "id": name,
        "geometry": None,
        "properties": {"datetime": "2020-01-01T00:00:00Z", "title": f"Item {name}"},
        "links": [{"rel": "self", "href": f"/collections/{collection}/items/{name}"}],
        "assets": {},
        **more,
    }
    if collection:
        made["collection"] = collection
    return made


def collection(name: str, links: list[Any] | None = None, **more: Any) -> dict[str, Any]:
    return {
        "type": "Collection",
        "stac_version": "1.0.0",
        "id": name,
        "description": f"All of {name}",
        "license": "CC0-1.0",
        "extent": {
            "spatial": {"bbox": [[-10, -20, 10, 20]]},
            "temporal": {"interval": [[None, None]]},
        },
        "links": links or [],
        **more,
    }


def catalog(*links: tuple[str, str], **more: Any) -> dict[str, Any]:
    found = [{"rel": rel, "href": href} for rel, href in links]
    base = {"type": "Catalog", "stac_version": "1.0.0", "id": "root", "description": "All"}
    return {**base, "links": found, **more}


def landing(*more: tuple[str, str], **keys: Any) -> dict[str, Any]:
    return catalog(("data", "collections"), ("search", "search"), *more, **keys)


def page(rows: list[Any], following: Any = None, **more: Any) -> dict[str, Any]:
    links = [] if following is None else [{"rel": "next", **following}]
    return {"type": "FeatureCollection", "features": rows, "links": links, **more}


def source(url: str, options: str = "") -> str:
    return f'title = "S"\nadapter = "stac"\nurl = "{url}"\n[options]\ntries = 1\n{options}\n'


Tree = dict[str, Any]
"""Answers by path (and query) under a source's address; a function is asked."""


class Trees:
    """Several catalogues on one host, each under its name."""

    def __init__(self, trees: dict[str, Tree]) -> None:
        self.trees = trees
        self.asked: list[tuple[str, Request]] = []

    def respond(self, request: Request) -> Answer:
        name, _, path = request.path.lstrip("/").partition("/")
        self.asked.append((name, request))
        tree = self.trees.get(name, {})
        found = tree.get(f"{path}?{request.query}", tree.get(path))
        if callable(found):
            found = found(request)
        if found is None:
            return Answer(b'{"code": "NotFound"}', "application/json", 404)
        if isinstance(found, Answer):
            return found
        return Answer(json.dumps(found).encode(), "application/json")

    def count(self, name: str) -> int:
        return sum(asked == name for asked, _ in self.asked)


def harvested(
    hub: Hub, trees: dict[str, Tree], options: dict[str, str] | None = None, *more: str
) -> tuple[dict[str, Any], dict[str, set[str]], Trees]:
    """The runs of several catalogues, the identifiers that came of each, and the host."""
    host = Trees(trees)
    with serving(host.respond) as url:
        for name in trees:
            hub.source(name, source(f"{url}/{name}/", (options or {}).get(name, "")))
        runs = {run["source"]: run for run in hub("harvest", *trees, "--json", *more).lines}
    found: dict[str, set[str]] = {name: set() for name in trees}
    for record in hub.records().values():
        found[record["source"]].add(record["source_identifier"])
    return runs, found, host


def test_links_that_lead_astray(hub: Hub) -> None:
    files = [item(f"i{n}") for n in range(3)]
    trees: dict[str, Tree] = {
        # A child whose child is the root.
        "cycle": {
            "": catalog(("child", "sub"), ("item", "a")),
            "sub": catalog(("child", "./"), ("item", "b"), id="sub"),
            "a": item("a"),
            "b": item("b"),
        },
        # Two catalogues that hold the same child.
        "shared": {
            "": catalog(("child", "x"), ("child", "y")),
            "x": catalog(("child", "z"), id="x"),
            "y": catalog(("child", "z"), id="y"),
            "z": catalog(("item", "a"), id="z"),
            "a": item("a"),
        },
        "dead": {"": catalog(("child", "lost"), ("item", "a")), "a": item("a")},
        "html": {
            "": catalog(("child", "page"), ("item", "a")),
            "page": Answer(b"<!DOCTYPE html><title>Portal</title>", "text/html"),
            "a": item("a"),
        },
        "foreign": {
            "": catalog(("item", "http://elsewhere.example.org/b"), ("item", "a")),
            "a": item("a"),
        },
        "scheme": {"": catalog(("item", "file:///etc/passwd"), ("item", "a")), "a": item("a")},
        "deep": {
            "": catalog(("child", "0")),
            **{str(n): catalog(("child", str(n + 1)), id=str(n)) for n in range(30)},
        },
        "odd-links": {
            "": catalog(("item", "a"), id="odd")
            | {"links": [None, {"rel": "item"}, {"rel": "item", "href": "a"}, "x"]},
            "a": item("a"),
        },
        "twins": {
            "": catalog(("item", "a"), ("item", "b"), ("item", "b#part"), ("item", "c")),
            "a": item("a", links=[]),
            "b": item("a", links=[]),
            "c": files[0],
        },
    }
    runs, found, host = harvested(hub, trees)
    states = {name: run["state"] for name, run in runs.items()}
    assert states == {
        "cycle": "complete_with_warnings",
        "shared": "complete",
        "dead": "partial",
        "html": "partial",
        "foreign": "complete_with_warnings",
        "scheme": "complete_with_warnings",
        "deep": "failed",
        "odd-links": "complete",
        "twins": "failed",
    }
    assert runs["cycle"]["warnings"] == {"loop": 1}
    assert found["cycle"] == {"a", "b"}
    assert found["shared"] == found["dead"] == found["html"] == {"a"}
    assert found["foreign"] == found["scheme"] == found["odd-links"] == {"a"}
    assert runs["foreign"]["warnings"] == {"foreign_host": 1}
    assert "leads nowhere" in runs["dead"]["reason"]
    assert "deeper than 12" in runs["deep"]["reason"]
    assert host.count("deep") < 20
    assert host.count("shared") == 5
    assert found["twins"] == {"a", "i0"}
    assert runs["twins"]["quarantined"] == 1


def test_pages_that_lead_astray(hub: Hub) -> None:
    rows = [[item(f"i{p}{n}") for n in range(2)] for p in range(3)]
    api = {"": landing(), "collections": {"collections": [collection("c")], "links": []}}

    def chain(last: Any, **more: Any) -> Tree:
        return {
            **api,
            "search?limit=100": page(rows[0], {"href": "search?token=1"}, **more),
            "search?token=1": page(rows[1], {"href": "search?token=2"}, **more),
            "search?token=2": page(rows[2], last, **more),
        }

    empties = {
        f"search?token=e{n}": page([], {"href": f"search?token=e{n + 1}"}) for n in range(40)
    }
    trees: dict[str, Tree] = {
        "good": chain(None, numberMatched=6),
        "good-context": chain(None, context={"matched": 6}),
        "self": chain({"href": "search?token=2"}),
        "back": chain({"href": "search?limit=100"}),
        "same": {**api, "search": page(rows[0], {"href": "search?token=9"})},
        "few": chain(None, numberMatched=60),
        "empties": {**chain({"href": "search?token=e0"}), **empties},
        "gap": {**chain({"href": "search?token=g"}), "search?token=g": page([item("last")])},
        "foreign": chain({"href": "http://elsewhere.example.org/x?token=3"}),
        "misnamed": {
            **chain({"href": "http://inside.example.org/misnamed/search?token=3"}),
            "search?token=3": page([item("last")]),
        },
        "html": {**api, "search": Answer(b"<!DOCTYPE html><title>Portal</title>", "text/html")},
        "object": {**api, "search": {"type": "FeatureCollection"}},
        "nothing": {**api, "search": page([])},
    }
    runs, found, host = harvested(hub, trees)
    everything = {f"i{p}{n}" for p in range(3) for n in range(2)}
    states = {name: (run["state"], run["error"]) for name, run in runs.items()}
    assert states == {
        "good": ("complete", None),
        "good-context": ("complete", None),
        "self": ("partial", None),
        "back": ("partial", None),
        "same": ("partial", None),
        "few": ("partial", None),
        "empties": ("partial", None),
        "gap": ("complete", None),
        "foreign": ("partial", None),
        "misnamed": ("complete_with_warnings", None),
        "html": ("failed", "html"),
        "object": ("failed", "no_list"),
        "nothing": ("complete", None),
    }
    for name in ("good", "good-context", "self", "back", "few", "empties", "foreign"):
        assert found[name] == everything, name
    assert found["gap"] == found["misnamed"] == {*everything, "last"}
    assert "announced 60 entries and gave 6" in runs["few"]["reason"]
    assert "came twice" in runs["same"]["reason"]
    assert "another host" in runs["foreign"]["reason"]
    assert host.count("empties") < 20


def test_next_links_may_be_posts(hub: Hub) -> None:
    bodies: list[Any] = []

    def search(request: Request) -> Any:
        assert request.method == "POST"
        body = json.loads(request.body)
        bodies.append(body)
        number = body.get("token", 0)
        if number == 2:
            return page([item("i2")])
        following = {"href": "search", "method": "POST", "body": {"token": number + 1}}
        return page([item(f"i{number}")], {**following, "merge": number == 0})

    links = [{"rel": "data", "href": "collections"}]
    links.append({"rel": "search", "href": "search", "method": "POST"})
    tree: Tree = {
        "": catalog() | {"links": links},
        "collections": {"collections": [collection("c")]},
        "search": search,
    }
    options = 'collections = ["c"]\nbbox = [1, 2, 3, 4]\ndatetime = "2020/.."\nlimit = 7'
    runs, found, _ = harvested(hub, {"s": tree}, {"s": options})
    assert runs["s"]["state"] == "complete"
    assert found["s"] == {"i0", "i1", "i2"}
    first = {"collections": ["c"], "bbox": [1.0, 2.0, 3.0, 4.0], "datetime": "2020/..", "limit": 7}
    assert bodies == [first, {**first, "token": 1}, {"token": 2}]


def test_bad_objects_cost_themselves_alone(hub: Hub) -> None:
    good = [item(f"i{n}") for n in range(20)]
    lost = item("no-geometry")
    del lost["geometry"]
    bad = [
        item("null-date", properties={"datetime": None}),
        item("no-date", properties={"datetime": "2021-13-45T00:00:00Z"}),
        {"type": "Feature", "id": "no-version", "geometry": None, "properties": {}},
        "no object",
    ]
    old = item("old", stac_version="0.9.0", links=[])
    api = {"": landing(), "collections": {"collections": [collection("c")]}}
    kinds = [collection(f"k{n}") for n in range(9)]
    invalid = {
        "id": "no-type",
        "stac_version": "1.0.0",
        "extent": {},
        "description": "",
        "links": [],
    }
    trees: dict[str, Tree] = {
        "items": {**api, "search": page([*good, *bad, lost, old])},
        "collections": {**api, "collections": {"collections": [*kinds, invalid]}},
        "beside": {
            **api,
            "collections": {"collections": [collection("c"), invalid]},
            "search": page(good),
        },
    }
    runs, found, _ = harvested(hub, trees, {"collections": 'what = "collections"'})
    assert found["items"] == {*(i["id"] for i in good), "no-geometry", "old"}
    assert runs["items"]["state"] == "complete_with_warnings"
    assert runs["items"]["quarantined"] == 4
    assert len(found["collections"]) == 9
    assert runs["collections"]["quarantined"] == 1
    assert runs["collections"]["reasons"] == {
        "invalid_collection: no STAC object of a known type": 1
    }
    assert runs["beside"]["warnings"] == {"invalid_collection": 1}


def test_items_of_two_collections_may_have_one_name(hub: Hub) -> None:
    tree: Tree = {
        "": landing(),
        "collections": {"collections": [collection("c"), collection("d")]},
        "search": page([item("x"), item("x", "d"), item("y", "d"), item("x")]),
    }
    turned = {**tree, "search": page([item("y", "d"), item("x", "d"), item("x")])}
    host = Trees({"s": tree, "q": tree})
    with serving(host.respond) as url:
        hub.source("s", source(f"{url}/s/"))
        hub.source("q", source(f"{url}/q/", "qualified = true"))
        harvest(hub, ["s", "q"])
        host.trees["s"] = turned
        run = harvest(hub, ["s"], "--full")["s"]
    assert (run["new"], run["changed"], run["unchanged"]) == (0, 0, 3)
    names = {(r["source"], r["source_identifier"]) for r in hub.records().values()}
    assert names == {
        ("s", "x"), ("s", "d/x"), ("s", "y"), ("q", "c/x"), ("q", "d/x"), ("q", "d/y"),
    }  # fmt: skip


def test_an_api_without_a_search_is_read_by_its_collections(hub: Hub) -> None:
    rooted = catalog(("data", "collections"))
    trees: dict[str, Tree] = {
        "features": {
            "": rooted,
            "collections": {"collections": [collection("c"), collection("d")]},
            "collections/c/items": page([item("x")]),
            "collections/d/items": page([item("y", "d")]),
        },
        "searched": {"": catalog(("search", "search")), "search": page([item("x")])},
        "no-type": {
            "": {"id": "a", "stac_version": "1.0.0", "links": rooted["links"]},
            "collections": {"collections": [collection("c")]},
            "collections/c/items": page([item("x")]),
        },
        "child-beside": {
            "": landing(("child", "collections/c"), ("child", "more")),
            "collections": {"collections": [collection("c")]},
            "search": page([item("x")]),
            "more": collection("e", [{"rel": "item", "href": "z"}]),
            "z": item("z", "e"),
        },
    }
    trees["searched"][""]["links"][0]["type"] = "application/geo+json"
    runs, found, _ = harvested(hub, trees)
    assert found == {
        "features": {"x", "y"},
        "searched": {"x"},
        "no-type": {"x"},
        "child-beside": {"x", "z"},
    }
    assert {name for name, run in runs.items() if run["state"] != "complete"} == {"no-type"}


def _lists(rows: Callable[[], list[Any]], alone: dict[str, Answer]) -> Tree:
    return {
        "": landing(),
        "collections": {"collections": [collection("c")]},
        "search": lambda request: page(rows()),
        **{f"collections/c/items/{name}": answer for name, answer in alone.items()},
    }


def test_only_the_api_s_own_word_is_a_deletion(hub: Hub) -> None:
    gone = Answer(b'{"code": "NotFoundError", "description": "no"}', "application/json", 404)
    alone = {
        "gone": gone,
        "there": Answer(json.dumps(item("there")).encode(), "application/json"),
        "page": Answer(b"<!DOCTYPE html><title>Not found</title>", "text/html", 404),
        "odd": Answer(b"[]", "application/json", 404),
        "down": Answer(b"", "text/plain", 503),
    }
    all_there = [item(name) for name in (*alone, *(f"i{n}" for n in range(5)))]
    now = all_there
    host = Trees({"s": _lists(lambda: now, alone)})
    with serving(host.respond) as url:
        hub.source("s", source(f"{url}/s/"))
        assert harvest(hub, ["s"])["s"]["new"] == 10
        now = all_there[len(alone) :]
        run = harvest(hub, ["s"], "--full")["s"]
    assert run["deleted"] == 1
    assert {r["source_identifier"] for r in hub.records().values()} == {
        "there", "page", "odd", "down", *(f"i{n}" for n in range(5)),
    }  # fmt: skip


def test_what_changed_is_asked_for_only_where_every_item_says_it(hub: Hub) -> None:
    stamped = {"datetime": "2020-01-01T00:00:00Z", "updated": "2021-01-01T00:00:00Z"}
    conforms = ["https://api.stacspec.org/v1.0.0/item-search#filter"]

    def tree(rows: list[Any], search: Any = None, uris: list[str] = conforms) -> Tree:
        return {
            "": landing(conformsTo=uris),
            "collections": {"collections": [collection("c")]},
            "search": search or page(rows),
        }

    every = [item("a", properties=stamped), item("b", properties=stamped)]

    def refuses(request: Request) -> Any:
        if "filter" in request.query:
            return Answer(b'{"code": "BadRequest"}', "application/json", 400)
        return page(every)

    host = Trees(
        {
            "every": tree(every),
            "some": tree([every[0], item("b")]),
            "unable": tree(every, uris=["https://api.stacspec.org/v1.0.0/item-search"]),
            "refuses": tree(every, refuses),
        }
    )
    names = list(host.trees)
    with serving(host.respond) as url:
        for name in names:
            hub.source(name, source(f"{url}/{name}/"))
        harvest(hub, names)
        for _ in range(2):
            host.asked.clear()
            harvest(hub, names)
    queries: dict[str, list[str]] = {name: [] for name in names}
    for name, request in host.asked:
        if request.path.endswith("/search"):
            queries[name].append(request.query)
    assert "updated+%3E%3D+TIMESTAMP" in queries["every"][0]
    assert "filter-lang=cql2-text" in queries["every"][0]
    for name in ("some", "unable", "refuses"):
        assert len(queries[name]) == 1, "in the second run it is known"
        assert "filter" not in queries[name][0]


def test_what_is_no_stac_says_so(hub: Hub) -> None:
    trees: dict[str, Tree] = {
        "list": {"": [1]},
        "object": {"": {"id": "x"}},
        "no-version": {"": {"type": "Catalog", "id": "x", "description": "", "links": []}},
        "lost": {},
    }
    runs, _, _ = harvested(hub, trees)
    assert {name: run["error"] for name, run in runs.items()} == {
        "list": "not_stac",
        "object": "not_stac",
        "no-version": "not_stac",
        "lost": "http_404",
    }


def test_pystac_reads_nothing_itself() -> None:
    with pytest.raises(RuntimeError, match="wants to read"):
        pystac.Catalog.from_file("http://127.0.0.1:1/catalog.json")
    kind, entry, _ = stac.read(collection("c", [{"rel": "root", "href": "http://127.0.0.1:1/"}]))
    assert (kind, entry["id"]) == ("collection", "c")


def test_older_versions_are_brought_up_to_date() -> None:
    old = {
        "stac_version": "0.9.0",
        "id": "c",
        "description": "d",
        "license": "proprietary",
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}},
        "links": [],
    }
    kind, entry, said = stac.read(old)
    assert (kind, entry["license"], said) == ("collection", "other", [])
    assert entry["stac_version"] != "0.9.0"
    flat = {**old, "extent": {**old["extent"], "temporal": {"interval": [None, None]}}}  # type: ignore[dict-item]
    with pytest.raises(ValueError, match=r"."):
        stac.read(flat)


def test_addresses_within_a_catalogue(hub: Hub) -> None:
    lists = {"collections": {"collections": [collection("c"), collection("d")]}}
    items = {f"collections/{c}/items": page([item(f"{c}1", c)]) for c in "cd"}
    trees: dict[str, Tree] = {
        "lists": {"": lists["collections"], "c/items": page([item("c1")])},
        "items": {"": page([item("x")])},
        "one": {"": item("x")},
        "api-collection": {
            "": collection("c", [{"rel": "items", "href": "list"}]),
            "list": page([item("x"), item("y", "other")]),
        },
        "nothing-here": {"": collection("c", [{"rel": "items", "href": "http://x.example.org/"}])},
        "not-of-collections": {"": page([item("x")])},
        "only": {"": catalog(("data", "collections")), **lists, **items},
    }
    trees["lists"][""] = {"collections": [collection("c")]}
    options = {"not-of-collections": 'what = "collections"', "only": 'collections = ["d"]'}
    runs, found, _ = harvested(hub, trees, options)
    assert found == {
        "lists": {"c1"},
        "items": {"x"},
        "one": {"x"},
        "api-collection": {"x", "y"},
        "nothing-here": set(),
        "not-of-collections": set(),
        "only": {"d1"},
    }
    assert runs["nothing-here"]["state"] == "failed"
    assert "another host" in runs["nothing-here"]["reason"]
    assert runs["not-of-collections"]["error"] == "no_list"
