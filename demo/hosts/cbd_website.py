"""The Convention's website: its lists of meetings, decisions and articles."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import UN_LANGUAGES, Country, Dice, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_JSON = "application/json; charset=utf-8"
_LISTS = {
    "/api/v2016/meetings": "meetings",
    "/api/v2021/decisions": "decisions",
    "/api/v2017/articles": "articles",
}
_FORMS = {"meetings": "meeting", "decisions": "policyDocument", "articles": "sharedNews"}
_TYPES = {"meetings": "meeting", "decisions": "decision", "articles": "news"}


class Website:
    """The site; a source for each of its lists."""

    name = "cbd-website"
    url = ""

    def __init__(self, seed: int, scale: int) -> None:
        self.seed = seed
        self.shelves = {
            what: Shelf(seed, f"cbd-{what}", None, (form,), size * scale, UN_LANGUAGES)
            for (what, form), size in zip(_FORMS.items(), (70, 60, 50), strict=True)
        }

    def sources(self) -> Mapping[str, Told]:
        """Three sources."""
        keys = {
            "adapter": "cbd_website",
            "url": self.url,
            "languages": list(UN_LANGUAGES),
            "system": "cbd",
        }
        return {
            f"demo-cbd-{what}": Told(
                f"Demonstration: {what} of the Convention's website",
                keys,
                {"what": what, "limit": 40},
            )
            for what in _FORMS
        }

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        for shelf in self.shelves.values():
            shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by symbol, code or number."""
        told = {}
        for what, shelf in self.shelves.items():
            truth = told[f"demo-cbd-{what}"] = Truth()
            for thing in shelf:
                name = self._identifier(what, thing)
                if thing.deleted:
                    truth.deleted.add(name)
                    continue
                places = (self._place(thing).code,) if what == "meetings" else ()
                truth.live[name] = Expectation(_TYPES[what], thing.wording.titles(), places)
        return told

    def _identifier(self, what: str, thing: Thing) -> str:
        if what == "meetings":
            return f"DEMO-WEB-{thing.number:03}"
        if what == "decisions":
            return f"CBD/COP/{10 + thing.number // 30:02}/{1 + thing.number % 30:02}"
        return f"5f{thing.number:022x}"

    def _place(self, thing: Thing) -> Country:
        lands = [place for place in countries() if place.code != "EU"]
        return Dice(self.seed, self.name, thing.number).pick(lands)

    def answer(self, request: Request) -> Answer:
        """The lists, the trees of decisions, robots.txt."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nDisallow: /search/\n", "text/plain")
        if request.path in _LISTS:
            return self._list(_LISTS[request.path], dict(request.arguments()))
        prefix, _, rest = request.path.partition("/api/v2021/decisions/")
        if not prefix and rest.endswith("/tree"):
            code = rest.removesuffix("/tree").replace("%2F", "/")
            for thing in self.shelves["decisions"].live():
                if self._identifier("decisions", thing) == code:
                    return Answer(json.dumps(self._tree(code, thing)).encode(), _JSON)
        error = {"statusCode": 404, "code": "notFound", "message": "Not found"}
        return Answer(json.dumps(error).encode(), _JSON, 404)

    def _list(self, what: str, asked: Mapping[str, str]) -> Answer:
        limit, skip = int(asked.get("l", 0)), int(asked.get("sk", 0))
        live = self.shelves[what].live()
        part = live[skip : skip + limit] if limit else live[skip:]
        rows = [self._row(what, thing) for thing in part]
        return Answer(json.dumps(rows).encode(), _JSON)

    def _row(self, what: str, thing: Thing) -> dict[str, Any]:
        name = self._identifier(what, thing)
        title = {text.lang: text.value for text in thing.wording.titles()}
        if what == "meetings":
            return {
                "_id": f"6a{thing.number:022x}",
                "EVT_CD": name,
                "title": title,
                "EVT_THM_CTR_CD": self._place(thing).code.lower(),
                "EVT_FROM_DT": thing.when(thing.born),
                "EVT_TO_DT": thing.when(thing.born + 4 * 86_400),
                "venueText": {"en": "Conference centre"},
                "EVT_STATUS": "CONFIRM",
            }
        if what == "decisions":
            return {
                "_id": f"6b{thing.number:022x}",
                "code": name,
                "title": title,
                "updatedOn": thing.when(thing.stamp),
            }
        return {
            "_id": name,
            "title": title,
            "content": {
                lang: f"<p>{thing.wording.description(lang)}</p>"
                for lang in thing.wording.languages
            },
            "adminTags": ["news"],
            "meta": {
                "createdOn": thing.when(thing.born),
                "modifiedOn": thing.when(thing.stamp),
                "createdBy": 1001,
            },
        }

    def _tree(self, code: str, thing: Thing) -> list[Any]:
        topic = thing.wording.topic
        paragraphs = [
            {
                "code": f"{code}/{n:02}",
                "nodeType": "paragraph",
                "type": "operational",
                "html": {"en": f"<p>{thing.wording.description('en')}</p>"} if n == 1 else {},
                "gbfTargets": list(topic.targets),
                "subjects": list(topic.subjects),
                "documents": ["CBD/COP/DOC/1", "SCBD/LOG/1"],
            }
            for n in (1, 2)
        ]
        return [{"code": f"{code}/A", "nodeType": "section", "nodes": paragraphs}]


def replicas(seed: int, scale: int) -> list[Replica]:
    """The website."""
    return [Website(seed, scale)]
