"""An ocean biodiversity information system: a list of datasets in pages, and each by itself."""

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

SOURCE = "demo-obis"
_SIZE = 150
_LARGEST = 100
"""Datasets in one answer, whatever is asked for."""
_IPT = "https://ipt.example.org"
_NODES = (
    ("0c4f4c1a-8b7e-4e2d-9a52-0f7c1f0b9a01", "Regional node west"),
    ("0c4f4c1a-8b7e-4e2d-9a52-0f7c1f0b9a02", "Regional node east"),
)
_RIGHTS = (
    "This work is licensed under a  Creative Commons Attribution (CC-BY) 4.0 License",
    "This work is licensed under a  Creative Commons Attribution Non Commercial (CC-BY-NC) 4.0 "
    "License",
)
_TYPES = "GBIF Dataset Type Vocabulary: http://rs.gbif.org/vocabulary/gbif/dataset_type.xml"


def replicas(seed: int, scale: int) -> list[Replica]:
    """The one system."""
    return [System(seed, _SIZE * scale)]


class System:
    """The system; see :class:`demo.hosts.Replica`."""

    def __init__(self, seed: int, size: int) -> None:
        self.name = "obis"
        self.url = ""
        self._seed = seed
        self._shelf = Shelf(seed, self.name, None, ("dataset",), size, ("en",))

    def sources(self) -> Mapping[str, Told]:
        """All datasets."""
        keys = {"adapter": "obis", "url": f"{self.url}/v3", "deletions": "absence"}
        return {SOURCE: Told("Demonstration: ocean datasets", keys)}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self._shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold. The system does not say what language it writes in."""
        truth = Truth()
        for thing in self._shelf:
            if thing.deleted:
                truth.deleted.add(thing.uuid)
                continue
            where, wording = self._wording(thing)
            title = (Text(value=wording.title("en")),)
            truth.live[thing.uuid] = Expectation("dataset", title, (where.code,))
        return {SOURCE: truth}

    def answer(self, request: Request) -> Answer:
        """The list, or one dataset as a list of one."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        live = sorted(self._shelf.live(), key=lambda thing: (-thing.born, thing.number))
        match request.path.strip("/").split("/"):
            case ["v3", "dataset"]:
                asked = dict(request.arguments())
                size = min(_whole(asked.get("size"), 10), _LARGEST)
                offset = _whole(asked.get("offset"), 0)
                cut = live[offset : offset + size]
                return _json({"total": len(live), "results": [self._dataset(t) for t in cut]})
            case ["v3", "dataset", name]:
                found = [self._dataset(t) for t in live if t.uuid == name]
                return _json({"total": len(found), "results": found})
        return Answer(b"<!DOCTYPE html><pre>Cannot GET</pre>", "text/html; charset=utf-8", 404)

    def _dataset(self, thing: Thing) -> dict[str, Any]:
        where, wording = self._wording(thing)
        name = f"demo-{thing.number}"
        doi = f"https://doi.org/10.5555/ocean.{thing.number}" if thing.number % 3 == 0 else None
        person = {"givenname": "A.", "surname": "Person", "email": "person@example.org"}
        agency = wording.agency("en")
        south, west = where.latitude - 2, where.longitude - 2
        north, east = where.latitude + 2, where.longitude + 2
        corners = ((west, south), (west, north), (east, north), (east, south), (west, south))
        return {
            "id": thing.uuid,
            "url": f"{_IPT}/resource?r={name}",
            "archive": f"{_IPT}/archive.do?r={name}",
            "published": _moment(thing.born),
            "created": None if thing.number % 2 else _moment(thing.born),
            "updated": _moment(thing.stamp),
            "core": "occurrence",
            "extensions": ["measurementorfact"],
            "statistics": {"Event": 0, "absence": 0, "dropped": 1, "Occurrence": 1200},
            "extent": "POLYGON((" + ",".join(f"{x:.4f} {y:.4f}" for x, y in corners) + "))",
            "title": wording.title("en"),
            "citation": f"{agency} ({wording.year}): {wording.title('en')}. {doi or ''}".strip(),
            "citation_id": doi,
            "abstract": wording.description("en"),
            "intellectualrights": _RIGHTS[thing.number % len(_RIGHTS)],
            "feed": {"id": _NODES[0][0], "url": f"{_IPT}/rss.do"},
            "institutes": None
            if thing.number % 4 == 0
            else [{"name": agency, "oceanexpert_id": thing.number, "oceanexpert_parent_id": None}],
            "contacts": [
                {"role": None, "type": "creator", **person, "organization": agency},
                {"role": None, "type": "contact", **person, "organization": None},
            ],
            "nodes": [
                {"id": node, "name": title} for node, title in [_NODES[thing.number % len(_NODES)]]
            ],
            "keywords": [
                {"keyword": where.names["en"], "thesaurus": "n/a"},
                {"keyword": "Oceans", "thesaurus": "INSPIRE Topics"},
                {"keyword": "Occurrence", "thesaurus": _TYPES},
            ],
            "downloads": [{"year": wording.year, "downloads": 12, "records": 3400}],
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


def _moment(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def _whole(given: str | None, default: int) -> int:
    return int(given) if given is not None and given.isdecimal() else default


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), "application/json; charset=utf-8")
