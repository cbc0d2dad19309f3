"""A catalogue of records behind an OGC API, beside collections of features of its own."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, Wording, compose, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

RECORDS, COLLECTIONS = "demo-ogc-records", "demo-ogc-collections"
_SIZE = 120
_LARGEST = 50
"""Records in one answer, whatever is asked for."""
_CATALOGUE = "metadata:main"
_FEATURES = (("parks", "Protected areas", "KE"), ("wetlands", "Wetlands of note", "SN"))
_CONFORMS = (
    "http://www.opengis.net/spec/ogcapi-common-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-features-1/1.0/conf/core",
    "http://www.opengis.net/spec/ogcapi-records-1/1.0/conf/core",
)


def replicas(seed: int, scale: int) -> list[Replica]:
    """The one server."""
    return [Server(seed, _SIZE * scale)]


class Server:
    """The server; see :class:`demo.hosts.Replica`."""

    def __init__(self, seed: int, size: int) -> None:
        self.name = "ogc-api"
        self.url = ""
        self._seed = seed
        self._shelf = Shelf(seed, self.name, None, ("dataset",), size, ("en",))

    def sources(self) -> Mapping[str, Told]:
        """The catalogue's records, and the collections of features as data sets."""
        said = {"adapter": "ogc_api", "url": f"{self.url}/", "deletions": "absence"}
        return {
            RECORDS: Told("Demonstration: a catalogue behind an OGC API", said),
            COLLECTIONS: Told(
                "Demonstration: collections of an OGC API",
                {**said, "options": {"what": "collections"}},
            ),
        }

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self._shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold."""
        records, described = Truth(), Truth()
        for thing in self._shelf:
            if thing.deleted:
                records.deleted.add(thing.uuid)
                continue
            where, wording = self._wording(thing)
            title = (Text(value=wording.title("en"), lang="en"),)
            records.live[thing.uuid] = Expectation("dataset", title, (where.code,))
        described.live[_CATALOGUE] = Expectation("dataset", (Text(value="The catalogue"),), ())
        for name, called, code in _FEATURES:
            described.live[name] = Expectation("dataset", (Text(value=called),), (code,))
        return {RECORDS: records, COLLECTIONS: described}

    def answer(self, request: Request) -> Answer:
        """The landing page in JSON or HTML, the collections, the records in pages."""
        asked = dict(request.arguments())
        parts = [part for part in request.path.split("/") if part]
        if parts == ["robots.txt"]:
            return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        accepted = request.headers.get("accept", "")
        if asked.get("f", "json" if "json" in accepted or "html" not in accepted else "") != "json":
            return self._page(f"{self.url}{request.path}")
        match parts:
            case []:
                return _json(self._landing())
            case ["conformance"]:
                return _json({"conformsTo": list(_CONFORMS)})
            case ["collections"]:
                return _json({"collections": self._collections(), "links": []})
            case ["collections", name] if name in self._names():
                return _json(next(c for c in self._collections() if c["id"] == name))
            case ["collections", name, "items"] if name == _CATALOGUE:
                return self._items(asked)
            case ["collections", name, "items", uuid] if name == _CATALOGUE:
                found = [self._record(t) for t in self._shelf.live() if t.uuid == uuid]
                if found:
                    return _json(found[0])
        return Answer(b'{"code": "NotFound"}', "application/json", 404)

    def _names(self) -> set[str]:
        return {_CATALOGUE, *(name for name, _, _ in _FEATURES)}

    def _landing(self) -> dict[str, Any]:
        return {
            "title": "Environment data service",
            "description": "Records of what the environment agencies hold.",
            "conformsTo": list(_CONFORMS),
            "links": [
                {"rel": "self", "type": "application/json", "href": f"{self.url}/?f=json"},
                {"rel": "alternate", "type": "text/html", "href": f"{self.url}/?f=html"},
                {
                    "rel": "conformance",
                    "type": "application/json",
                    "href": f"{self.url}/conformance",
                },
                {"rel": "data", "type": "application/json", "href": f"{self.url}/collections"},
            ],
        }

    def _page(self, address: str) -> Answer:
        """A page for people: what a browser gets at each address, as pygeoapi does."""
        links = "".join(
            f'<link rel="{link["rel"]}" type="{link["type"]}" href="{link["href"]}">'
            for link in self._landing()["links"]
            if link["rel"] in ("data", "conformance")
        )
        kind = "application/geo+json" if address.endswith("/items") else "application/json"
        links += f'<link rel="alternate" type="{kind}" href="{address}?f=json">'
        links += f'<link rel="alternate" type="application/ld+json" href="{address}?f=jsonld">'
        page = f'<!DOCTYPE html><html lang="en"><head><title>Data service</title>{links}</head>'
        return Answer(f"{page}<body><h1>Data service</h1></body></html>".encode(), "text/html")

    def _collections(self) -> list[dict[str, Any]]:
        made = [self._collection(_CATALOGUE, "The catalogue", "record", None)]
        for name, title, code in _FEATURES:
            where = next(each for each in countries() if each.code == code)
            made.append(self._collection(name, title, "feature", where))
        return made

    def _collection(
        self, name: str, title: str, kind: str, where: Country | None
    ) -> dict[str, Any]:
        items = f"{self.url}/collections/{name}/items"
        extent = {
            "spatial": {"bbox": [_box(where) if where else [-180, -90, 180, 90]]},
            "temporal": {"interval": [["2001-01-01T00:00:00Z", None]]},
        }
        return {
            "id": name,
            "title": title,
            "description": f"**{title}** of the agencies.",
            "itemType": kind,
            "keywords": [where.names["en"]] if where else [],
            "extent": extent,
            "links": [
                {"rel": "items", "type": "text/html", "href": f"{items}?f=html"},
                {"rel": "items", "type": "application/geo+json", "href": f"{items}?f=json"},
                {"rel": "license", "href": "https://creativecommons.org/licenses/by/4.0/"},
            ],
        }

    def _items(self, asked: dict[str, str]) -> Answer:
        live = sorted(self._shelf.live(), key=lambda thing: (thing.born, thing.number))
        limit = min(_whole(asked.get("limit"), 10), _LARGEST)
        offset = _whole(asked.get("offset"), 0)
        cut = live[offset : offset + limit]
        links = [{"rel": "self", "type": "application/geo+json", "href": f"{self.url}/self"}]
        if offset + limit < len(live):
            following = f"?offset={offset + limit}&limit={limit}"
            links.append({"rel": "next", "type": "application/geo+json", "href": following})
        told = {
            "type": "FeatureCollection",
            "numberMatched": len(live),
            "numberReturned": len(cut),
            "features": [self._record(thing) for thing in cut],
            "links": links,
        }
        return _json(told, "application/geo+json")

    def _record(self, thing: Thing) -> dict[str, Any]:
        where, wording = self._wording(thing)
        west, south, east, north = _box(where)
        ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
        agency = wording.agency("en")
        return {
            "id": thing.uuid,
            "type": "Feature",
            "geometry": {"type": "Polygon", "coordinates": [ring]},
            "time": {"interval": [f"{wording.year}-01-01", ".."]},
            "properties": {
                "type": "dataset",
                "title": wording.title("en"),
                "description": wording.description("en"),
                "language": {"code": "en"},
                "keywords": ["biodiversity", where.names["en"]],
                "themes": [
                    {"scheme": "https://t.example.org", "concepts": [{"id": "environment"}]}
                ],
                "created": _moment(thing.born),
                "updated": _moment(thing.stamp),
                "license": "https://creativecommons.org/licenses/by/4.0/",
                "externalIds": [{"value": f"https://doi.org/10.5555/ogc.{thing.number}"}],
                "contacts": [
                    {"organization": agency, "roles": ["publisher"]},
                    {"name": "A. Person", "emails": [{"value": "person@example.org"}]},
                ],
            },
            "links": [
                {"rel": "enclosure", "type": "text/csv", "href": f"{self.url}/d/{thing.number}.csv"}
            ],
        }

    def _wording(self, thing: Thing) -> tuple[Country, Wording]:
        dice = Dice(self._seed, self.name, "dataset", thing.number)
        # The keyword alone names the country: Georgia may be another place.
        where = dice.pick([each for each in countries() if each.code not in ("EU", "GE")])
        year = datetime.fromtimestamp(thing.born, UTC).year
        made = compose(
            "dataset", dice, country=where, languages=("en",), edits=thing.edits, year=year
        )
        return where, made


def _box(where: Country) -> list[float]:
    south, north = max(where.latitude - 2, -90), min(where.latitude + 2, 90)
    west, east = max(where.longitude - 2, -180), min(where.longitude + 2, 180)
    return [west, south, east, north]


def _moment(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(given: str | None, default: int) -> int:
    return int(given) if given is not None and given.isdecimal() else default


def _json(value: Any, kind: str = "application/json") -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), f"{kind}; charset=utf-8")
