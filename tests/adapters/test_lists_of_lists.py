"""Sources that are several lists, of which one is dead: the others are read, and the run tells."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from chm_hub.errors import FetchError, ProtocolError
from tests.adapters.a_site import Held, Reply, sitemap

HOST = "http://portal.example"
DEAD: dict[str, Reply | None] = {
    "404": None,
    "500": (500, ""),
    "403": (403, ""),
    "html": "<!DOCTYPE html><title>Maintenance</title>",
}


def wordpress(url: str, dead: str | None, how: Reply | None) -> Reply | None:
    parts = urlsplit(url)
    kind = parts.path.rpartition("/")[2]
    if not parts.path.startswith("/wp-json/wp/v2/"):
        return None
    if kind == dead:
        return how
    rows = [
        {"id": n, "status": "publish", "link": f"{HOST}/{kind}/{n}", "title": {"rendered": "T"}}
        for n in range(1, 4)
    ]
    return json.dumps(rows)


def stac(url: str, dead: str | None, how: Reply | None) -> Reply | None:
    path = urlsplit(url).path
    name = path.strip("/").rpartition("/")[2]
    if name == dead:
        return how
    if path == "/":
        links = [{"rel": "child", "href": f"{HOST}/{n}"} for n in "abc"]
        kind = {"type": "Catalog", "id": "root"}
    else:
        links = []
        kind = {
            "type": "Collection", "id": name, "license": "other",
            "extent": {
                "spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]},
            },
        }  # fmt: skip
    return json.dumps({"stac_version": "1.0.0", "description": "D", "links": links, **kind})


def stac_api(url: str, dead: str | None, how: Reply | None) -> Reply | None:
    """An API without a search: the items of one collection after the other."""
    path = urlsplit(url).path.strip("/")
    if path == "collections":
        return json.dumps(
            {
                "collections": [json.loads(str(stac(f"{HOST}/{n}", None, None))) for n in "abc"],
                "links": [],
            }
        )
    name = path.split("/")[1]
    if name == dead:
        return how
    item = {
        "type": "Feature", "stac_version": "1.0.0", "id": f"item-{name}", "collection": name,
        "geometry": None, "properties": {"datetime": "2024-01-01T00:00:00Z"}, "links": [],
        "assets": {},
    }  # fmt: skip
    return json.dumps({"type": "FeatureCollection", "features": [item], "links": []})


def ptk(url: str, dead: str | None, how: Reply | None) -> Reply | None:
    path = urlsplit(url).path
    name = path.rpartition("/")[2]
    if name == dead:
        return how
    if path == "/sitemap_xml":
        return sitemap(f"{HOST}/o1", f"{HOST}/o2")
    if path.startswith("/portal_syndication/"):
        return (
            f"<rss version='2.0'><channel><item><link>{HOST}/{name}</link></item></channel></rss>"
        )
    return (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        f'xmlns:dcterms="http://purl.org/dc/terms/"><rdf:Description rdf:about="{HOST}{path}">'
        "<dcterms:title>T</dcterms:title></rdf:Description></rdf:RDF>"
    )


SYSTEMS: dict[str, tuple[Callable[..., Reply | None], str, str, tuple[str, ...], int]] = {
    "wordpress": (
        wordpress, HOST, 'types = ["posts", "pages", "events"]', ("posts", "pages", "events"), 6,
    ),
    "stac": (stac, f"{HOST}/", 'what = "collections"', ("a", "b", "c"), 2),
    "stac API": (stac_api, f"{HOST}/collections", 'what = "items"', ("a", "b", "c"), 2),
    "ptk": (ptk, HOST, 'channels = ["one", "two", "three"]', ("one", "two", "three"), 4),
}  # fmt: skip


DEAD_LISTS = [
    (system, how, place)
    for system in SYSTEMS
    for how in DEAD
    for place in range(3)
    # A portal of the Toolkit need not have every channel.
    if not (system == "ptk" and how in ("404", "html"))
    # A door that is shut at the first question is shut to us.
    if (system, how, place) != ("wordpress", "403", 0)
]


@pytest.mark.parametrize(("system", "how", "place"), DEAD_LISTS)
def test_a_dead_list_costs_none_of_its_neighbours(
    tmp_path: Path, system: str, how: str, place: int
) -> None:
    respond, url, options, lists, left = SYSTEMS[system]
    held = Held(folder=tmp_path, adapter=system.split()[0], url=url, options=options)
    held.harvest(lambda asked: respond(asked, lists[place], DEAD[how]))
    assert len(set(held.given)) == left
    assert not held.walk.complete
    assert held.walk.short is not None
    assert lists[place] in held.walk.short


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_source_without_a_living_list_is_an_error(tmp_path: Path, system: str) -> None:
    respond, url, options, lists, _ = SYSTEMS[system]
    held = Held(folder=tmp_path, adapter=system.split()[0], url=url, options=options)

    def answer(asked: str) -> Reply | None:
        parts = urlsplit(asked)
        places = {*parts.path.split("/"), *(v for vs in parse_qs(parts.query).values() for v in vs)}
        name = next((n for n in lists if n in places), None)
        return (500, "") if name or asked.endswith("sitemap_xml") else respond(asked, None, None)

    if system == "stac":  # the catalogue itself is there
        held.harvest(answer)
    else:
        with pytest.raises((FetchError, ProtocolError), match="500"):
            held.harvest(answer)
    assert not held.walk.complete
    assert held.given == []


def test_a_catalogue_that_is_redirected_goes_by_that_name(tmp_path: Path) -> None:
    new = "https://stac.example"

    def answer(url: str) -> Reply | None:
        if url.startswith(HOST):
            return 301, new + url.removeprefix(HOST)
        made = stac(url, None, None)
        return made.replace(HOST, new) if isinstance(made, str) else made

    held = Held(folder=tmp_path, adapter="stac", url=f"{HOST}/", options='what = "collections"')
    held.harvest(answer)
    assert held.given == ["a", "b", "c"]
    assert held.walk.covers_all


@pytest.mark.parametrize("new", ["https://www.portal.example", "https://data.example"])
def test_a_catalogue_of_pages_that_is_redirected_goes_on_there(tmp_path: Path, new: str) -> None:
    def answer(url: str) -> Reply | None:
        if not url.startswith(new):
            return 301, new + url.removeprefix(HOST)
        number = int(parse_qs(urlsplit(url).query).get("page", ["1"])[0])
        more = f"<> hydra:next <{new}/catalog?page={number + 1}> ." if number < 3 else ""
        return (
            "@prefix dcat: <http://www.w3.org/ns/dcat#> ."
            "@prefix dct: <http://purl.org/dc/terms/> ."
            "@prefix hydra: <http://www.w3.org/ns/hydra/core#> ."
            f'<{new}/d{number}> a dcat:Dataset ; dct:identifier "d{number}" ; dct:title "T" .'
            f"<> a hydra:PagedCollection . {more}"
        )

    held = Held(folder=tmp_path, adapter="dcat", url=f"{HOST}/catalog")
    held.harvest(answer)
    assert held.given == ["d1", "d2", "d3"]
    assert held.walk.complete


# --- odd entries of WordPress ---------------------------------------------------------------


def portal(rows: object) -> Callable[[str], Reply | None]:
    def answer(url: str) -> Reply | None:
        asked = parse_qs(urlsplit(url).query)
        if "/wp-json/wp/v2/posts" not in url:
            return None
        return json.dumps(rows) if asked.get("page") in (["1"], None) else "[]"

    return answer


@pytest.mark.parametrize(
    ("title", "read"),
    [
        ("Plain", {"rendered": "Plain"}),
        ({"rendered": None, "raw": "Raw"}, {"rendered": "Raw", "raw": "Raw"}),
        ({"rendered": "", "raw": "Raw"}, {"rendered": "Raw", "raw": "Raw"}),
        ({"rendered": "Shown", "raw": "Raw"}, {"rendered": "Shown", "raw": "Raw"}),
        (False, False),
        ({"rendered": None}, {"rendered": None}),
    ],
)
def test_texts_of_entries_in_other_shapes(tmp_path: Path, title: object, read: object) -> None:
    held = Held(folder=tmp_path, adapter="wordpress", url=HOST, options='types = ["posts"]')
    held.harvest(portal([{"id": 1, "title": title, "content": title, "excerpt": title}]))
    entry = held.documents["posts-1"].body["entry"]
    assert entry["title"] == entry["content"] == entry["excerpt"] == read


@pytest.mark.parametrize("first", [0, 1, 7])
def test_a_list_that_became_an_object_of_numbers(tmp_path: Path, first: int) -> None:
    rows = {str(n): {"id": n + 10} for n in range(first, first + 3)}
    held = Held(folder=tmp_path, adapter="wordpress", url=HOST, options='types = ["posts"]')
    held.harvest(portal(rows))
    assert held.given == [f"posts-{n + 10}" for n in range(first, first + 3)]
    assert held.walk.warnings["list_as_object"] == 1


@pytest.mark.parametrize("rows", [{}, {"posts": []}, {"0": "text"}, {"code": "x", "message": "No"}])
def test_another_object_is_no_list(tmp_path: Path, rows: object) -> None:
    held = Held(folder=tmp_path, adapter="wordpress", url=HOST, options='types = ["posts"]')
    with pytest.raises(ProtocolError) as caught:
        held.harvest(portal(rows))
    assert caught.value.reason == "no_list"


def test_an_entry_that_is_shown_is_not_missing(tmp_path: Path) -> None:
    rows = [{"id": n, "status": "publish"} for n in range(1, 6)]
    alone: dict[str, Reply] = {
        "3": json.dumps({"id": 3, "status": "publish"}),
        "4": json.dumps({"id": 4, "status": "private"}),
        "5": json.dumps({"id": 1, "status": "publish"}),
    }

    def answer(url: str) -> Reply | None:
        return alone.get(urlsplit(url).path.rpartition("/")[2]) or portal(rows)(url)

    held = Held(folder=tmp_path, adapter="wordpress", url=HOST, options='types = ["posts"]')
    held.harvest(answer)
    del rows[2:]
    held.harvest(answer)
    assert held.walk.there == {"posts-3"}
