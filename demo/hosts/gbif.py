"""GBIF's registry and its literature: the REST API."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_JSON = "application/json"
_THREE = {"en": "eng", "fr": "fra", "es": "spa"}
_LANGUAGES = tuple(_THREE)
_KINDS = {"dataset": ("dataset", 300), "organization": ("organization", 60),
          "literature": ("researchReport", 120)}  # fmt: skip
_TYPES = {"dataset": "dataset", "organization": "organization", "literature": "researchReport"}
_PATHS = {"dataset": "/v1/dataset", "organization": "/v1/organization",
          "literature": "/v1/literature/search"}  # fmt: skip


class Registry:
    """The registry; a source for each of three lists."""

    name = "gbif"
    url = ""

    def __init__(self, seed: int, scale: int) -> None:
        self.seed = seed
        self.shelves = {
            kind: Shelf(seed, f"gbif-{kind}", None, (form,), size * scale, _LANGUAGES)
            for kind, (form, size) in _KINDS.items()
        }

    def sources(self) -> Mapping[str, Told]:
        """Three sources."""
        return {
            f"demo-gbif-{kind}": Told(
                f"Demonstration: {kind} of the GBIF registry"
                if kind != "literature"
                else "Demonstration: literature that uses GBIF",
                {"adapter": "gbif", "url": self.url + _PATHS[kind], "system": "gbif"},
                {"kind": kind, "limit": 100},
            )
            for kind in _KINDS
        }

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        for shelf in self.shelves.values():
            shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by UUID."""
        told = {}
        for kind, shelf in self.shelves.items():
            truth = told[f"demo-gbif-{kind}"] = Truth()
            for thing in shelf:
                if thing.deleted:
                    truth.deleted.add(thing.uuid)
                    continue
                lang = thing.wording.languages[0] if kind == "dataset" else None
                title = Text(value=self._title(thing), lang=lang)
                truth.live[thing.uuid] = Expectation(
                    _TYPES[kind], (title,), (self._place(kind, thing).code,)
                )
        return told

    def _place(self, kind: str, thing: Thing) -> Country:
        lands = [place for place in countries() if place.code != "EU"]
        return Dice(self.seed, kind, thing.number).pick(lands)

    def _title(self, thing: Thing) -> str:
        said = thing.wording.title(thing.wording.languages[0])
        return said.replace("()", f"(no. {thing.number})")

    def answer(self, request: Request) -> Answer:
        """Lists, single entries, deleted ones; errors in plain text."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nDisallow: /v1/occurrence/\n", "text/plain")
        asked = dict(request.arguments())
        for kind, path in _PATHS.items():
            if request.path == path:
                return self._list(kind, asked, deleted=False)
            if request.path == f"{path}/deleted" and kind != "literature":
                return self._list(kind, asked, deleted=True)
            if request.path.startswith(f"{path}/"):
                key = request.path.rpartition("/")[2]
                for thing in self.shelves[kind]:
                    if thing.uuid == key:
                        return Answer(json.dumps(self._row(kind, thing)).encode(), _JSON)
        said = f"Entity not found for uri: {request.path}"
        return Answer(said.encode(), "text/plain", 404)

    def _list(self, kind: str, asked: Mapping[str, str], *, deleted: bool) -> Answer:
        # The newest first: a new one pushes all others on.
        rows = sorted(
            (t for t in self.shelves[kind] if t.deleted is deleted),
            key=lambda t: (t.born, t.number),
            reverse=True,
        )
        if window := asked.get("modified"):
            first, last = window.split(",")
            rows = [t for t in rows if first <= t.when(t.stamp)[:10] < last]
        offset, limit = int(asked.get("offset", 0)), min(1000, int(asked.get("limit", 20)))
        body = {
            "offset": offset,
            "limit": limit,
            "endOfRecords": offset + limit >= len(rows),
            "count": len(rows),
            "results": [self._row(kind, t) for t in rows[offset : offset + limit]],
        }
        return Answer(json.dumps(body).encode(), _JSON)

    def _row(self, kind: str, thing: Thing) -> dict[str, Any]:
        place, lang = self._place(kind, thing), thing.wording.languages[0]
        stamps = {
            "created": thing.when(thing.born),
            "modified": thing.when(thing.stamp),
            **({"deleted": thing.when(thing.stamp)} if thing.deleted else {}),
        }
        if kind == "literature":
            return {
                "id": thing.uuid,
                "title": self._title(thing),
                "authors": [{"firstName": "A.", "lastName": "Person"}],
                "abstract": thing.wording.description(lang),
                "identifiers": {"doi": f"10.5555/{thing.number}"},
                "countriesOfCoverage": [place.code],
                "language": _THREE[lang],
                "added": stamps["created"],
                "modified": stamps["modified"],
                "published": stamps["created"][:10],
                "websites": [f"https://journal.example.org/{thing.number}"],
            }
        row: dict[str, Any] = {
            "key": thing.uuid,
            "title": self._title(thing),
            "description": f"<p>{thing.wording.description(lang)}</p>",
            "contacts": [{"firstName": "A.", "lastName": "Person", "email": ["a@example.org"]}],
            **stamps,
        }
        if kind == "organization":
            return {**row, "country": place.code, "homepage": ["https://www.example.org/"]}
        return {
            **row,
            "doi": f"10.15468/demo{thing.number}",
            "type": "OCCURRENCE",
            "language": _THREE[lang],
            "publishingCountry": place.code,
            "license": "http://creativecommons.org/licenses/by/4.0/legalcode",
            "keywordCollections": [{"keywords": [thing.wording.topic.names[lang]]}],
        }


def replicas(seed: int, scale: int) -> list[Replica]:
    """The registry."""
    return [Registry(seed, scale)]
