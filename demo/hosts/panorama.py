"""A site of solutions in three languages: its API, which wants a key, its map and its pages."""

from __future__ import annotations

import html
import json
from collections.abc import Mapping
from typing import Any

from chm_hub.record import Text
from demo.hosts import KEY, Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, compose, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

API, MAP = "demo-panorama", "demo-panorama-map"
LANGUAGES = ("en", "fr", "es")
PUBLIC = "https://solutions.example.org"
"""What links in content name as the site."""
_SIZE, _PAGE = 250, 25
_JSON = "application/json"
_HTML = "text/html; charset=UTF-8"
_THEMES = {
    "en": ("Restoration", "Protected area governance", "Ecosystem-based adaptation"),
    "fr": ("Restauration", "Gouvernance des aires protégées", "Adaptation"),
    "es": ("Restauración", "Gobernanza de áreas protegidas", "Adaptación"),
}
_SHORT = {"en": "Snapshot", "fr": "Étude de cas", "es": "Estudio de caso"}
_BEFORE = {"en": "Location: ", "fr": "Lieu : ", "es": "Ubicación: "}
_BY = {"en": "by", "fr": "par", "es": "por"}


def replicas(seed: int, scale: int) -> list[Replica]:
    """The one site."""
    return [Site(seed, _SIZE * scale)]


class Site:
    """The site; see :class:`demo.hosts.Replica`."""

    def __init__(self, seed: int, size: int) -> None:
        self.name = "panorama"
        self.url = ""
        self._seed = seed
        self._shelf = Shelf(seed, self.name, None, ("bestPractice", "caseStudy"), size, LANGUAGES)

    def sources(self) -> Mapping[str, Told]:
        """The API's source, which needs ``CHM_HUB_DEMO_KEY``, and the map's."""
        keys: dict[str, Any] = {
            "adapter": "panorama",
            "url": self.url,
            "languages": list(LANGUAGES),
            "deletions": "absence",
        }
        return {
            API: Told("Demonstration: solutions (API)", {**keys, "secret": "env:CHM_HUB_DEMO_KEY"}),
            MAP: Told("Demonstration: solutions (map and pages)", keys, {"way": "map"}),
        }

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self._shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold: of the map's source, each in the language of its page."""
        api, shown = Truth(), Truth()
        for thing in self._shelf:
            name = _name(thing)
            if thing.deleted:
                api.deleted.add(name)
                shown.deleted.add(name)
                continue
            wording, where = self._wording(thing)
            kind = "caseStudy" if _short(thing) else "bestPractice"
            api.live[name] = Expectation(kind, wording.titles(), (where.code,))
            lang = _page_language(wording.languages)
            title = (Text(value=wording.title(lang), lang=lang),)
            shown.live[name] = Expectation(kind, title, (where.code,))
        return {API: api, MAP: shown}

    def answer(self, request: Request) -> Answer:
        """The API's lists, the map, the pages."""
        parts = request.path.strip("/").split("/")
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nDisallow: /admin/\n", "text/plain; charset=utf-8")
        if parts[0] in LANGUAGES:
            match parts[1:]:
                case ["api", "v1", "solutions"]:
                    return self._list(parts[0], request)
                case ["rest", "explore-solution", "json", "map"]:
                    return self._map()
                case ["node", number]:
                    return self._page(number)
        return Answer(_document("en", "Page not found", ""), _HTML, 404)

    # --- the API -------------------------------------------------------------------------

    def _list(self, lang: str, request: Request) -> Answer:
        asked = request.arguments()
        if dict(asked).get("api_key") != KEY:
            return _json({"message": "The API key is missing or not valid."}, 403)
        number = dict(asked).get("page", "1")
        place = max(int(number) - 1, 0) if number.isdigit() else 0
        wanted = {value for name, value in asked if name == "country_iso_2[]"}
        rows = []
        for thing in self._newest():
            wording, where = self._wording(thing)
            if wanted and where.code not in wanted:
                continue
            if lang in wording.languages:
                rows.append((thing, lang))
            elif thing.number % 7 == 0:
                # One that is not translated is at times shown in its own language.
                rows.append((thing, wording.languages[0]))
        cut = rows[place * _PAGE : (place + 1) * _PAGE]
        solutions = [{"solution": self._solution(thing, own)} for thing, own in cut]
        return _json({"solutions": solutions, "pager": {"count": len(rows)}})

    def _solution(self, thing: Thing, lang: str) -> dict[str, Any]:
        wording, where = self._wording(thing)
        title = wording.title(lang)
        row: dict[str, Any] = {
            "id": _name(thing),
            "title": html.escape(title) if thing.number % 3 == 0 else title,
            "url": f"{PUBLIC}/{lang}/solution/{_slug(thing)}",
            "summary": f"<p>{html.escape(wording.description(lang))}</p>",
            "preview_image": {"src": f"/sites/default/files/{_slug(thing)}.jpg", "alt": ""},
            "classifications": {
                "theme": list(_themes(thing, lang)),
                "solution_type": [_SHORT[lang]] if _short(thing) else [],
            },
            "contributors": [],
            "field_location": where.names[lang],
            "field_location_geofield": json.dumps(_point(thing, where)),
        }
        if thing.number % 4 == 0:
            row["contributors"] = [
                {"contributor": {"name": "A. Person", "organisation": wording.agency(lang)}}
            ]
        if thing.number % 5 == 1:
            row["field_location_geofield"] = None
        if not _short(thing):
            if thing.number % 9 == 4:
                row["classifications"] = None
            elif thing.number % 9 == 5:
                del row["classifications"]
        return row

    # --- the map and the pages -----------------------------------------------------------

    def _map(self) -> Answer:
        features = []
        for thing in self._newest():
            wording, where = self._wording(thing)
            title = wording.title(_page_language(wording.languages))
            features.append(
                {
                    "type": "Feature",
                    "geometry": _point(thing, where),
                    "properties": {"nid": _name(thing), "title": f" {html.escape(title)} "},
                }
            )
        return _json({"type": "FeatureCollection", "features": features})

    def _page(self, number: str) -> Answer:
        thing = self._shelf.get(int(number) - 1000) if number.isdecimal() else None
        if thing is None or thing.deleted:
            return Answer(_document("en", "Page not found", ""), _HTML, 404)
        wording, where = self._wording(thing)
        lang = _page_language(wording.languages)
        themes = [*_themes(thing, lang), *([_SHORT[lang]] if _short(thing) else [])]
        items = "".join(f'<div class="field__item">{html.escape(t)}</div>' for t in themes)
        place, agency = html.escape(where.names[lang]), html.escape(wording.agency(lang))
        body = (
            f'<link rel="canonical" href="{PUBLIC}/{lang}/solution/{_slug(thing)}"/></head><body>'
            f'<article><h1 class="page-title">{html.escape(wording.title(lang))}</h1>'
            f'<div class="field field--name-field-location">{_BEFORE[lang]}{place}</div>'
            f'<div class="field field--name-field-provider-organisation">{_BY[lang]} {agency}</div>'
            '<div class="field field--name-field-solution-what-is-your-sol">'
            f"<p>{html.escape(wording.description(lang))}</p></div>"
            f'<div class="field field--name-field-theme">{items}</div></article>'
        )
        return Answer(_document(lang, wording.title(lang), body), _HTML)

    # --- what it holds -------------------------------------------------------------------

    def _newest(self) -> list[Thing]:
        """What is there, by the last change, newest first."""
        return sorted(self._shelf.live(), key=lambda thing: (-thing.stamp, thing.number))

    def _wording(self, thing: Thing) -> tuple[Any, Country]:
        """Its words and its country: the shelf's own are of no country."""
        dice = Dice(self._seed, self.name, "solution", thing.number)
        where = dice.pick([each for each in countries() if each.code != "EU"])
        form = thing.wording
        return (
            compose(
                thing.kind,
                dice,
                country=where,
                languages=form.languages,
                edits=thing.edits,
                year=form.year,
            ),
            where,
        )


def _name(thing: Thing) -> str:
    return str(1000 + thing.number)


def _slug(thing: Thing) -> str:
    return f"solution-{_name(thing)}"


def _short(thing: Thing) -> bool:
    return thing.kind == "caseStudy"


def _themes(thing: Thing, lang: str) -> tuple[str, ...]:
    return _THEMES[lang][: 1 + thing.number % 3]


def _page_language(languages: tuple[str, ...]) -> str:
    """The site's own language where there are words in it."""
    return "en" if "en" in languages else languages[0]


def _point(thing: Thing, where: Country) -> dict[str, Any]:
    step = thing.number % 10 / 10
    return {"type": "Point", "coordinates": [where.longitude + step, where.latitude - step]}


def _document(lang: str, title: str, rest: str) -> bytes:
    head = f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8">'
    return f"{head}<title>{html.escape(title)}</title>{rest}</body></html>".encode()


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), _JSON, status)
