"""Partners that want a key: Species+ and Protected Planet; and FAOLEX's feed, which does not."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from xml.sax.saxutils import quoteattr

import pycountry

from chm_hub.record import Text
from demo.hosts import KEY, Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_JSON = "application/json; charset=utf-8"
_GENERA = ("Acacia", "Felis", "Panthera", "Quercus", "Salmo", "Falco", "Orchis", "Cedrela")
_EPITHETS = ("montana", "palustris", "borealis", "australis", "silvestris", "marina", "alba")
_LAW_LANGUAGES = ("en", "fr", "es")


def _places() -> tuple[Country, ...]:
    return tuple(place for place in countries() if place.code != "EU")


def _alpha3(place: Country) -> str:
    found = pycountry.countries.get(alpha_2=place.code)
    assert found is not None
    return str(found.alpha_3)


class _Host:
    """What the three have in common: one source over one shelf."""

    name = ""
    title = ""
    secret = True
    size = 100
    kinds: tuple[str, ...] = ()
    path = ""
    deletions = "absence"
    options: Mapping[str, Any] = {}

    def __init__(self, seed: int, scale: int) -> None:
        self.url = ""
        self.seed = seed
        self.shelf = Shelf(seed, self.name, None, self.kinds, self.size * scale, _LAW_LANGUAGES)

    def sources(self) -> Mapping[str, Told]:
        """One source."""
        keys: dict[str, Any] = {"adapter": self.name, "url": f"{self.url}{self.path}"}
        if self.secret:
            keys["secret"] = "env:CHM_HUB_DEMO_KEY"
        return {f"demo-{self.name}": Told(self.title, keys, self.options)}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)

    def _place(self, thing: Thing) -> Country:
        return Dice(self.seed, self.name, "place", thing.number).pick(_places())

    def truth(self) -> Mapping[str, Truth]:
        """What there is."""
        truth = Truth()
        for thing in self.shelf:
            if thing.deleted:
                truth.deleted.add(self._identifier(thing))
            else:
                truth.live[self._identifier(thing)] = self._expected(thing)
        return {f"demo-{self.name}": truth}

    def _identifier(self, thing: Thing) -> str:
        raise NotImplementedError

    def _expected(self, thing: Thing) -> Expectation:
        raise NotImplementedError

    def _part(
        self, request: Request, row: Callable[[Thing], Any], *, since: str = ""
    ) -> tuple[list[Any], int]:
        """A page of rows by number, and how many there are."""
        asked = dict(request.arguments())
        size, page = int(asked.get("per_page", 25)), int(asked.get("page", 1))
        live = [t for t in self.shelf.live() if t.when(t.stamp)[:10] >= since]
        return [row(thing) for thing in live[(page - 1) * size : page * size]], len(live)


class SpeciesPlus(_Host):
    """The API of Species+."""

    name = "speciesplus"
    title = "Demonstration: taxa (Species+)"
    size = 120
    kinds = ("dataset",)
    options = {"per_page": 50}

    def _identifier(self, thing: Thing) -> str:
        return str(1000 + thing.number)

    def _name(self, thing: Thing) -> str:
        dice = Dice(self.seed, self.name, thing.number)
        return f"{dice.pick(_GENERA)} {dice.pick(_EPITHETS)}"

    def _expected(self, thing: Thing) -> Expectation:
        titles = (
            Text(value=f"{self._name(thing)} {self._author(thing)}", lang="la"),
            Text(value=f"Common name {thing.number}", lang="en"),
        )
        return Expectation("organism", titles, ())

    def _author(self, thing: Thing) -> str:
        return f"Author, {1800 + thing.edits}"

    def answer(self, request: Request) -> Answer:
        """The service as it answers."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\n", "text/plain")
        if request.headers.get("x-authentication-token") != KEY:
            error = {"error": {"message": "HTTP Token: Access denied.", "code": 401}}
            return Answer(json.dumps(error).encode(), _JSON, 401)
        if request.path != "/api/v1/taxon_concepts":
            return Answer(b'{"error": {"message": "not found"}}', _JSON, 404)
        asked = dict(request.arguments())
        rows, total = self._part(request, self._row, since=asked.get("updated_since", ""))
        pagination = {
            "current_page": int(asked.get("page", 1)),
            "per_page": int(asked.get("per_page", 500)),
            "total_entries": total,
        }
        body = {"pagination": pagination, "taxon_concepts": rows}
        return Answer(json.dumps(body).encode(), _JSON)

    def _row(self, thing: Thing) -> dict[str, Any]:
        return {
            "id": int(self._identifier(thing)),
            "full_name": self._name(thing),
            "author_year": self._author(thing),
            "rank": "SPECIES",
            "name_status": "A",
            "updated_at": thing.when(thing.stamp).replace("+00:00", ".000Z"),
            "active": True,
            "cites_listing": "II" if thing.number % 3 else None,
            "higher_taxa": {"kingdom": "Animalia", "phylum": "Chordata", "class": None},
            "synonyms": [],
            "common_names": [
                {"name": f"Common name {thing.number}", "language": "EN"},
                {"name": f"Nazwa {thing.number}", "language": "PL"},
            ],
            "cites_listings": [],
        }


class ProtectedPlanet(_Host):
    """The API of Protected Planet, version 4."""

    name = "protectedplanet"
    title = "Demonstration: protected areas (Protected Planet)"
    size = 120
    kinds = ("protectedArea",)
    options = {"what": "protected_areas", "per_page": 50}

    def _name(self, thing: Thing) -> str:
        return thing.wording.title("en").replace("()", self._place(thing).code)

    def _identifier(self, thing: Thing) -> str:
        return str(900_000 + thing.number)

    def _expected(self, thing: Thing) -> Expectation:
        title = Text(value=self._name(thing), lang="en")
        kind = "marineArea" if self._at_sea(thing) else "protectedArea"
        return Expectation(kind, (title,), (self._place(thing).code,))

    def _at_sea(self, thing: Thing) -> bool:
        return thing.number % 6 == 5

    def answer(self, request: Request) -> Answer:
        """The service as it answers."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\n", "text/plain")
        if dict(request.arguments()).get("token") != KEY:
            return Answer(b'{"error": "401 Unauthorized"}', _JSON, 401)
        if request.path != "/v4/protected_areas":
            return Answer(b'{"error": "Not Found"}', _JSON, 404)
        rows, _ = self._part(request, self._row)
        return Answer(json.dumps({"protected_areas": rows}).encode(), _JSON)

    def _row(self, thing: Thing) -> dict[str, Any]:
        alpha3 = _alpha3(self._place(thing))
        row: dict[str, Any] = {
            "site_id": int(self._identifier(thing)),
            "site_pid": self._identifier(thing),
            "name_english": self._name(thing),
            "name": self._name(thing),
            "parent_iso3": alpha3,
            "countries": [{"name": self._place(thing).names["en"], "iso_3": alpha3}],
            "realm": {"id": 1, "name": "Marine" if self._at_sea(thing) else "Terrestrial"},
            "legal_status_updated_at": datetime.fromtimestamp(thing.born, UTC).strftime("%d/%m/%Y"),
            "links": {
                "protected_planet": f"https://www.protectedplanet.net/{900_000 + thing.number}"
            },
        }
        if thing.number % 4:  # an attribute that this token's owner may not see
            row["designation"] = {"name": "National Park"}
        return row


class Faolex(_Host):
    """The feed of FAOLEX: laws in English, French and Spanish."""

    name = "faolex"
    title = "Demonstration: laws (FAOLEX)"
    secret = False
    size = 100
    kinds = ("law", "measure")
    path = "/fao_feed.xml"
    deletions = "tombstones"

    def _identifier(self, thing: Thing) -> str:
        return f"LEX-FAOC{100_000 + thing.number}"

    def _title(self, thing: Thing) -> str:
        said = thing.wording.title(thing.wording.languages[0])
        return said.replace("()", f"({self._place(thing).code})")

    def _expected(self, thing: Thing) -> Expectation:
        lang = thing.wording.languages[0]
        title = Text(value=self._title(thing), lang=lang)
        return Expectation("law", (title,), (self._place(thing).code,))

    def answer(self, request: Request) -> Answer:
        """The service as it answers."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\n", "text/plain")
        if request.path != self.path:
            return Answer(b"not found", "text/plain", 404)
        changed = max(thing.stamp for thing in self.shelf)
        at = format_datetime(datetime.fromtimestamp(changed, UTC), usegmt=True)
        if request.headers.get("if-modified-since") == at:
            return Answer(b"", "text/xml", 304, {"Last-Modified": at})
        records = "".join(self._record(thing) for thing in self.shelf)
        text = (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<!DOCTYPE gsafeed PUBLIC "-//Google//DTD GSA Feeds//EN" "">\n<gsafeed><header>'
            "<datasource>faolex</datasource><feedtype>metadata-and-url</feedtype></header>"
            f"<group>{records}</group></gsafeed>"
        )
        return Answer(text.encode(), "text/xml", headers={"Last-Modified": at})

    def _record(self, thing: Thing) -> str:
        place, lang = self._place(thing), thing.wording.languages[0]
        names = {"en": "English", "fr": "French", "es": "Spanish"}
        meta = [
            ("faolexId", self._identifier(thing)),
            ("country_ISO3", _alpha3(place)),
            *((f"country_{code}", place.names[code]) for code in _LAW_LANGUAGES),
            ("titleOfText", self._title(thing)),
            ("abstract", thing.wording.description(lang)),
            ("documentLanguage_en", names[lang]),
            ("typeOfText_en", "Regulation"),
            ("typeOfText_fr", "Règlement"),
            ("keyword_en", thing.wording.topic.names["en"]),
            ("year", str(thing.wording.year)),
        ]
        said = "".join(f"<meta name={quoteattr(n)} content={quoteattr(v)}/>" for n, v in meta)
        action = "delete" if thing.deleted else "add"
        return (
            f'<record url="http://faolex.example.org/docs/{thing.number}.pdf" action="{action}">'
            f"<metadata>{said}</metadata></record>"
        )


def replicas(seed: int, scale: int) -> list[Replica]:
    """The three."""
    return [SpeciesPlus(seed, scale), ProtectedPlanet(seed, scale), Faolex(seed, scale)]
