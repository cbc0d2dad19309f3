"""Data portals made with CKAN 2.10: the action API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_JSON = "application/json;charset=utf-8"
_SINCE = re.compile(r"metadata_modified:\[(\S+) TO \*\]")


class Portal:
    """One portal of open data."""

    url = ""

    def __init__(self, seed: int, scale: int, code: str, lang: str, size: int) -> None:
        self.name = f"ckan-{code.lower()}"
        self.source = f"demo-{self.name}"
        self.country = country(code)
        self.lang = lang
        self.shelf = Shelf(seed, self.name, self.country, ("dataset",), size * scale, (lang,))

    def sources(self) -> Mapping[str, Told]:
        """One source: all datasets."""
        keys = {
            "country": self.country.code,
            "adapter": "ckan",
            "url": self.url,
            "languages": [self.lang],
        }
        title = f"Demonstration: open data of {self.country.names['en']} (CKAN)"
        return {self.source: Told(title, keys, {"rows": 50})}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by the datasets' UUIDs."""
        truth = Truth()
        for thing in self.shelf:
            if thing.deleted:
                truth.deleted.add(thing.uuid)
            else:
                title = Text(value=thing.wording.title(self.lang), lang=self.lang)
                truth.live[thing.uuid] = Expectation("dataset", (title,), (self.country.code,))
        return {self.source: truth}

    def answer(self, request: Request) -> Answer:
        """The API, robots.txt and a front page."""
        asked = dict(request.arguments())
        match request.path:
            case "/robots.txt":
                # As CKAN ships it: its API is for programs, and closed to those that read pages.
                rules = b"User-agent: *\nDisallow: /revision/\nDisallow: /api/\nCrawl-Delay: 10\n"
                return Answer(rules, "text/plain")
            case "/":
                page = (
                    f'<!DOCTYPE html><html lang="{self.lang}"><head><meta name="generator" '
                    f'content="ckan 2.10.4" /><title>{self._title()}</title></head></html>'
                )
                return Answer(page.encode(), "text/html; charset=utf-8")
            case "/api/3/action/status_show":
                return self._said({"ckan_version": "2.10.4", "site_title": self._title()})
            case "/api/3/action/package_show":
                return self._one(asked.get("id", ""))
            case "/api/3/action/package_search":
                return self._search(asked)
        return Answer(b"<!DOCTYPE html><title>404 Not Found</title>", "text/html", 404)

    def _title(self) -> str:
        return f"Open data: {self.country.names['en']}"

    def _said(self, result: Any) -> Answer:
        help_at = f"{self.url}/api/3/action/help_show"
        said = {"help": help_at, "success": True, "result": result}
        return Answer(json.dumps(said, ensure_ascii=False).encode(), _JSON)

    def _refused(self, status: int, kind: str, message: str) -> Answer:
        error = {"__type": kind, "message": message}
        said = {"help": f"{self.url}/api/3/action/help_show", "success": False, "error": error}
        return Answer(json.dumps(said).encode(), _JSON, status)

    def _one(self, name: str) -> Answer:
        thing = next((t for t in self.shelf if t.uuid == name), None)
        if thing is None or (thing.deleted and thing.number % 2):
            return self._refused(404, "Not Found Error", "Not found")
        if thing.deleted:  # deleted or made private: who is not signed in is not told which
            said = f"Access denied: User  not authorized to read package {name}"
            return self._refused(403, "Authorization Error", said)
        return self._said(self._row(thing))

    def _search(self, asked: Mapping[str, str]) -> Answer:
        things = self.shelf.live()
        if since := _SINCE.search(asked.get("fq", "")):
            things = [t for t in things if _stamp(t.stamp) + "Z" >= since[1]]
        match asked.get("sort", ""):
            case "metadata_created asc, id asc":
                things.sort(key=lambda t: (t.born, t.uuid))
            case "" | "metadata_modified desc":
                things.sort(key=lambda t: t.stamp, reverse=True)
            case other:
                return self._refused(409, "Validation Error", f"Cannot sort by field `{other}`")
        rows, start = min(1000, int(asked.get("rows", 10))), int(asked.get("start", 0))
        found = [self._row(t) for t in things[start : start + rows]]
        return self._said(
            {"count": len(things), "facets": {}, "results": found, "sort": asked.get("sort", "")}
        )

    def _row(self, thing: Thing) -> dict[str, Any]:
        file = f"https://data.example.org/{thing.uuid}"
        return {
            "id": thing.uuid,
            "name": f"dataset-{thing.number}",
            "title": thing.wording.title(self.lang),
            "notes": thing.wording.description(self.lang),
            "type": "dataset",
            "state": "active",
            "private": False,
            "author": "A. Person",
            "author_email": "person@example.org",
            "license_title": "Creative Commons Attribution",
            "license_url": "https://creativecommons.org/licenses/by/4.0/",
            "metadata_created": _stamp(thing.born),
            "metadata_modified": _stamp(thing.stamp),
            "organization": {"name": "agency", "title": thing.wording.agency(self.lang)},
            "tags": [{"name": t, "display_name": t} for t in thing.wording.topic.subjects],
            "groups": [],
            "extras": [
                {"key": "language", "value": self.lang},
                {"key": "spatial", "value": json.dumps(self._shape(thing))},
            ],
            "resources": [
                {
                    "url": f"{file}.csv",
                    "name": "CSV",
                    "format": "CSV",
                    "mimetype": None,
                    "size": 12,
                },
                {"url": f"{file}.zip", "name": "", "format": "SHP", "mimetype": "application/zip"},
            ],
        }

    def _shape(self, thing: Thing) -> dict[str, Any]:
        x, y = self.country.longitude, self.country.latitude
        step = 0.5 + thing.number % 4 / 8
        ring = [[x, y], [x + step, y], [x + step, y + step], [x, y + step], [x, y]]
        return {"type": "Polygon", "coordinates": [ring]}


def _stamp(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")


def replicas(seed: int, scale: int) -> list[Replica]:
    """Two portals."""
    return [Portal(seed, scale, "MX", "es", 120), Portal(seed, scale, "CA", "fr", 110)]
