"""Two STAC catalogues: one of linked files, in versions old and new, and one with an API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, Wording, compose, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

STATIC, API, COLLECTIONS = "demo-stac-static", "demo-stac", "demo-stac-collections"
_FILES, _ITEMS = 60, 120
_LARGEST = 50
"""Items in one answer, whatever is asked for."""
_JSON = "application/json"
_GEOJSON = "application/geo+json"
_REGIONS = {
    "africa": "Africa",
    "asia": "Asia and the Pacific",
    "cee": "Central and Eastern Europe",
    "lac": "Latin America and the Caribbean",
    "weog": "Western Europe and others",
}
_OLD = "cee"
"""The region whose files are of a version before 1.0."""
_COLLECTIONS = {
    "forest-change": "Forest change",
    "habitat-maps": "Habitat maps",
    "species-ranges": "Species ranges",
    "water-surface": "Surface water",
}
_STAMP = re.compile(r"updated >= TIMESTAMP\('([^']+)'\)")


def replicas(seed: int, scale: int) -> list[Replica]:
    """The catalogue of files and the one with an API."""
    return [Files(seed, _FILES * scale), Api(seed, _ITEMS * scale)]


class _Catalogue:
    """What both have in common: maps of the seasons of countries."""

    name: str
    url: str

    def __init__(self, seed: int, size: int) -> None:
        self.url = ""
        self._seed = seed
        self._shelf = Shelf(seed, self.name, None, ("map",), size, ("en",))

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self._shelf.advance(phase, now)

    def _truth(self) -> Truth:
        truth = Truth()
        for thing in self._shelf:
            if thing.deleted:
                truth.deleted.add(_name(thing))
                continue
            where, wording = self._wording(thing)
            title = (Text(value=wording.title("en"), lang="en"),)
            truth.live[_name(thing)] = Expectation("dataset", title, (where.code,))
        return truth

    def _wording(self, thing: Thing) -> tuple[Country, Wording]:
        dice = Dice(self._seed, self.name, "map", thing.number)
        # The keyword alone names the country: Georgia may be another place.
        where = dice.pick([each for each in countries() if each.code not in ("EU", "GE")])
        year = datetime.fromtimestamp(thing.born, UTC).year
        made = compose("map", dice, country=where, languages=("en",), edits=thing.edits, year=year)
        return where, made

    def _item(self, thing: Thing, collection: str, links: list[dict[str, Any]]) -> dict[str, Any]:
        where, wording = self._wording(thing)
        west, south = where.longitude - 1, where.latitude - 1
        east, north = where.longitude + 1, where.latitude + 1
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        when: dict[str, Any] = {"datetime": f"{wording.year}-07-01T00:00:00Z"}
        if thing.number % 4 == 1:
            when = {
                "datetime": None,
                "start_datetime": f"{wording.year}-01-01T00:00:00Z",
                "end_datetime": f"{wording.year}-12-31T23:59:59Z",
            }
        return {
            "type": "Feature",
            "stac_version": "1.0.0",
            "stac_extensions": [],
            "id": _name(thing),
            "collection": collection,
            # An item without a place has no bbox either.
            **(
                {"geometry": None}
                if thing.number % 8 == 4
                else {
                    "bbox": [west, south, east, north],
                    "geometry": {"type": "Polygon", "coordinates": [ring]},
                }
            ),
            "properties": {
                **when,
                "title": wording.title("en"),
                "description": wording.description("en"),
                "keywords": [where.names["en"], "map"],
                "created": _moment(thing.born),
                "updated": _moment(thing.stamp),
            },
            "assets": {
                "data": {
                    "href": f"./{_name(thing)}.tif",
                    "type": "image/tiff; application=geotiff; profile=cloud-optimized",
                    "title": "Data",
                    "roles": ["data"],
                },
                "preview": {
                    "href": f"./{_name(thing)}.png",
                    "type": "image/png",
                    "roles": ["thumbnail"],
                },
            },
            "links": links,
        }


class Files(_Catalogue):
    """Files that link to each other by relative addresses; see :class:`demo.hosts.Replica`."""

    name = "stac-static"

    def sources(self) -> Mapping[str, Told]:
        """All items."""
        keys = {
            "adapter": "stac",
            "url": f"{self.url}/catalog/catalog.json",
            "languages": ["en"],
            "deletions": "absence",
        }
        return {STATIC: Told("Demonstration: maps (STAC files)", keys)}

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold."""
        return {STATIC: self._truth()}

    def answer(self, request: Request) -> Answer:
        """One of the files."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        match request.path.strip("/").split("/"):
            case ["catalog"]:
                page = '<html><body><a href="catalog.json">catalog.json</a></body></html>'
                return Answer(page.encode(), "text/html; charset=utf-8")
            case ["catalog", "catalog.json"]:
                return _json(self._root())
            case ["catalog", "r%C3%A9gions", "catalog.json"]:
                return _json(self._regions())
            case ["catalog", region, "collection.json"] if region in _REGIONS:
                return _json(self._region(region))
            case ["catalog", region, "items", file]:
                for thing in self._shelf.live():
                    where, _ = self._wording(thing)
                    if where.region == region and file == f"{_name(thing)}.json":
                        links = [
                            {"rel": "root", "href": "../../catalog.json", "type": _JSON},
                            {"rel": "parent", "href": "../collection.json", "type": _JSON},
                            {"rel": "collection", "href": "../collection.json", "type": _JSON},
                        ]
                        return _json(self._item(thing, region, links), 200, _GEOJSON)
        # A store of files has no JSON for what it does not hold.
        return Answer(b"<Error><Code>NoSuchKey</Code></Error>", "application/xml", 404)

    def _root(self) -> dict[str, Any]:
        return {
            "type": "Catalog",
            "stac_version": "1.1.0",
            "id": "maps",
            "title": "Maps",
            "description": "Maps of the countries of five regions.",
            "links": [
                {"rel": "root", "href": "./catalog.json", "type": _JSON},
                {"rel": "child", "href": "./régions/catalog.json", "title": "Regions"},
            ],
        }

    def _regions(self) -> dict[str, Any]:
        """A catalogue within the catalogue, as pystac writes them; its address is no ASCII."""
        return {
            "type": "Catalog",
            "stac_version": "1.1.0",
            "id": "régions",
            "description": "The regions.",
            "links": [
                {"rel": "root", "href": "../catalog.json", "type": _JSON},
                {"rel": "parent", "href": "../catalog.json", "type": _JSON},
                *(
                    {"rel": "child", "href": f"../{region}/collection.json", "title": title}
                    for region, title in _REGIONS.items()
                ),
            ],
        }

    def _region(self, region: str) -> dict[str, Any]:
        items = [
            {"rel": "item", "href": f"./items/{_name(thing)}.json", "type": _GEOJSON}
            for thing in self._shelf.live()
            if self._wording(thing)[0].region == region
        ]
        version = {"stac_version": "1.0.0-beta.2"}
        if region != _OLD:
            version = {"stac_version": "1.0.0", "type": "Collection"}
        links = [
            {"rel": "root", "href": "../catalog.json", "type": _JSON},
            {"rel": "parent", "href": "../catalog.json", "type": _JSON},
            *items,
        ]
        return {**version, **_collection(region, _REGIONS[region], links)}


class Api(_Catalogue):
    """A STAC API; see :class:`demo.hosts.Replica`."""

    name = "stac-api"

    def sources(self) -> Mapping[str, Told]:
        """All items; the collections they are in."""
        keys = {
            "adapter": "stac",
            "url": f"{self.url}/",
            "languages": ["en"],
            "deletions": "absence",
        }
        return {
            API: Told("Demonstration: maps (STAC API)", keys),
            COLLECTIONS: Told(
                "Demonstration: collections of maps (STAC API)", keys, {"what": "collections"}
            ),
        }

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold."""
        collections = {
            name: Expectation("dataset", (Text(value=title, lang="en"),), ())
            for name, title in _COLLECTIONS.items()
        }
        return {API: self._truth(), COLLECTIONS: Truth(live=collections)}

    def answer(self, request: Request) -> Answer:
        """The API's own paths."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        match request.path.strip("/").split("/"):
            case [""]:
                return _json(self._root())
            case ["collections"]:
                found = [self._described(name) for name in _COLLECTIONS]
                links = [self._link("self", "/collections"), self._link("root", "/")]
                return _json({"collections": found, "links": links})
            case ["collections", name] if name in _COLLECTIONS:
                return _json(self._described(name))
            case ["collections", name, "items"] if name in _COLLECTIONS:
                return self._page(request, name)
            case ["collections", name, "items", item]:
                for thing in self._shelf.live():
                    if _name(thing) == item and _group(thing) == name:
                        return _json(self._one(thing), 200, _GEOJSON)
                said = f"Item {item} in Collection {name} does not exist."
                return _json({"code": "NotFoundError", "description": said}, 404)
            case ["search"]:
                return self._page(request, None)
        return _json({"code": "NotFoundError", "description": "Not Found"}, 404)

    def _root(self) -> dict[str, Any]:
        search = {"type": _GEOJSON, "title": "Search"}
        return {
            "type": "Catalog",
            "stac_version": "1.0.0",
            "id": "maps-api",
            "title": "Maps",
            "description": "Maps of countries.",
            "conformsTo": [
                "https://api.stacspec.org/v1.0.0/core",
                "https://api.stacspec.org/v1.0.0/collections",
                "https://api.stacspec.org/v1.0.0/ogcapi-features",
                "https://api.stacspec.org/v1.0.0/item-search",
                "https://api.stacspec.org/v1.0.0/item-search#filter",
                "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
            ],
            "links": [
                self._link("self", "/"),
                self._link("root", "/"),
                self._link("data", "/collections"),
                {**self._link("search", "/search"), **search, "method": "GET"},
                {**self._link("search", "/search"), **search, "method": "POST"},
                *(self._link("child", f"/collections/{name}") for name in _COLLECTIONS),
            ],
        }

    def _described(self, name: str) -> dict[str, Any]:
        links = [
            self._link("self", f"/collections/{name}"),
            self._link("root", "/"),
            self._link("parent", "/"),
            {**self._link("items", f"/collections/{name}/items"), "type": _GEOJSON},
        ]
        return {
            "type": "Collection",
            "stac_version": "1.0.0",
            **_collection(name, _COLLECTIONS[name], links),
        }

    def _one(self, thing: Thing) -> dict[str, Any]:
        path = f"/collections/{_group(thing)}"
        links = [
            {**self._link("self", f"{path}/items/{_name(thing)}"), "type": _GEOJSON},
            self._link("collection", path),
            self._link("root", "/"),
        ]
        return self._item(thing, _group(thing), links)

    def _page(self, request: Request, collection: str | None) -> Answer:
        asked = dict(request.arguments())
        if request.method == "POST":
            told = json.loads(request.body or b"{}")
            asked = {k: ",".join(v) if isinstance(v, list) else str(v) for k, v in told.items()}
        wanted = {collection} if collection else set(asked.get("collections", "").split(",")) - {""}
        since = _STAMP.search(asked.get("filter", ""))
        rows = [
            thing
            for thing in sorted(self._shelf.live(), key=lambda t: (-t.born, t.number))
            if (not wanted or _group(thing) in wanted)
            and (since is None or _moment(thing.stamp) >= since[1])
        ]
        start = int(asked.get("token", "next:0").rpartition(":")[2])
        limit = min(int(asked.get("limit", "10")), _LARGEST)
        cut = rows[start : start + limit]
        links = [self._link("self", request.path), self._link("root", "/")]
        if start + limit < len(rows):
            following = {**asked, "token": f"next:{start + limit}"}
            link = self._link("next", f"{request.path}?{urlencode(following)}")
            links.append({**link, "type": _GEOJSON, "method": "GET"})
        found = {
            "type": "FeatureCollection",
            "features": [self._one(thing) for thing in cut],
            "links": links,
            "numberMatched": len(rows),
            "numberReturned": len(cut),
        }
        return _json(found, 200, _GEOJSON)

    def _link(self, rel: str, path: str) -> dict[str, Any]:
        return {"rel": rel, "href": f"{self.url}{path}", "type": _JSON}


def _collection(name: str, title: str, links: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": name,
        "title": title,
        "description": f"A collection of maps: {title[0].lower()}{title[1:]}.",
        "license": "CC-BY-4.0",
        "keywords": ["maps"],
        "providers": [
            {"name": "Observation network", "roles": ["producer"]},
            {"name": "Data centre", "roles": ["host"], "url": "https://data.example.org/"},
        ],
        "extent": {
            "spatial": {"bbox": [[-180, -90, 180, 90]]},
            "temporal": {"interval": [["2016-01-01T00:00:00Z", None]]},
        },
        "links": links,
    }


def _name(thing: Thing) -> str:
    return f"map-{thing.number:04}"


def _group(thing: Thing) -> str:
    return list(_COLLECTIONS)[thing.number % len(_COLLECTIONS)]


def _moment(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _json(value: Any, status: int = 200, media_type: str = _JSON) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), media_type, status)
