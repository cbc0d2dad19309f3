"""InforMEA and those it gathers: the hub in OData 2, the services of three agreements in OData 1,
3 and 4 with the habits of each, and the site's own lists in JSON."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, Wording, compose, countries, ordinals
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing
from mappings import tables

LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
_ALPHA3 = {row["code"]: row["alpha3"] for row in tables.rows("countries")}
BREAKS_IN = 2
"""In this phase the hub gets a document that it cannot write out."""
_JSON = "application/json;charset=utf-8"
_XML = "application/xml;charset=utf-8"
_HTML = "text/html; charset=utf-8"
_META = "http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"
_SITE = "https://treaties.example.org"
"""What links in content name as the hub's site."""
_KEY = re.compile(r"\((?:guid)?'?(.*?)'?\)$")
_FILTER = re.compile(r"updated gt (?:datetime')?([0-9T:-]+)Z?'?")

Row = dict[str, Any]


def replicas(seed: int, scale: int) -> list[Replica]:
    """The hub, three services, the site."""

    def shelf(name: str, kinds: tuple[str, ...], size: int, only: str = "") -> Shelf:
        languages = (only,) if only else LANGUAGES
        return Shelf(seed, f"informea-{name}", None, kinds, size * scale, languages)

    def decisions() -> Shelf:
        # The hub, the agreement's own service and the site tell of the same decisions.
        return shelf("decisions", ("decision",), 250)

    hub = Service(
        "informea-hub",
        "/informea.svc",
        {
            "Decisions": Set(decisions(), seed, _decision, "decision"),
            "Meetings": Set(shelf("meetings", ("meeting",), 80), seed, _meeting, "meeting", "iso2"),
            "CountryReports": Set(
                shelf("reports", ("nationalReport",), 120), seed, _report, "nationalReport", "iso3"
            ),
            "NationalPlans": Set(
                shelf("plans", ("nbsap", "policyDocument"), 60), seed, _plan, "", "iso2"
            ),
            "Sites": Set(
                shelf("sites", ("protectedArea",), 60), seed, _site, "protectedArea", "lower"
            ),
            "Documents": Set(
                shelf("documents", tuple(_TYPES), 80), seed, _document, "", breaks=True
            ),
            "Treaties": Set(shelf("treaties", ("policyDocument",), 20), seed, _treaty, "law"),
        },
        version=2,
    )
    cbd = Service(
        "informea-cbd",
        "/informea.svc",
        {
            "Decisions": Set(decisions(), seed, _decision, "decision", native=True),
            "CountryReports": Set(
                shelf("cbd-reports", ("nationalReport",), 40, "en"),
                seed,
                _report,
                "nationalReport",
                "lower",
                native=True,
            ),
            "CountryProfiles": Set(
                shelf("cbd-profiles", ("policyDocument",), 30, "en"),
                seed,
                _profile,
                "other",
                "iso2",
            ),
        },
        version=3,
    )
    chemicals = Service(
        "informea-chemicals",
        "/Documents/odata.svc",
        {"Documents": Set(shelf("chemicals", tuple(_TYPES), 60), seed, _document, "")},
        version=4,
    )
    contacts = Service(
        "informea-contacts",
        "/Contacts/odata.svc",
        {"Contacts": Set(shelf("contacts", ("focalPoint",), 50, "en"), seed, _contact, "", "iso2")},
        version=1,
    )
    site = Site(
        {
            "decisions": Set(decisions(), seed, _decision, "decision"),
            "court-decisions": Set(
                shelf("courts", ("biosafetyDecision",), 60), seed, _court, "law", "iso3"
            ),
            "legislation": Set(shelf("laws", ("measure",), 60), seed, _law, "law", "iso3"),
        }
    )
    return [hub, cbd, chemicals, contacts, site]


@dataclass
class Set:
    """What one entity set or list holds."""

    shelf: Shelf
    seed: int
    write: Callable[[Set, Thing], Row]
    """An entry, with collections as lists."""
    type: str
    """Of its records; empty where it is told by the thing."""
    country: str = ""
    """How it writes countries: ``iso2``, ``iso3``, ``lower``; empty where it has none."""
    native: bool = False
    """Whether identifiers are those of the agreement, and only its own things are in it."""
    breaks: bool = False
    """Whether one of its records breaks in a later phase."""
    broken: int | None = None
    broke: int = 0
    """When it did, in seconds since 1970."""

    def things(self) -> list[Thing]:
        """What is there now, in the order the set gives it if it is not asked for another."""
        return [thing for thing in self.shelf.live() if self.has(thing)]

    def has(self, thing: Thing) -> bool:
        """Whether a thing belongs here."""
        if self.write is _decision and self.native:
            return _treaty_of(thing) in ("cbd", "nagoya", "cartagena")
        return True

    def name(self, thing: Thing) -> str:
        """Its identifier."""
        if self.write is _treaty:
            return _treaties()[thing.number % len(_treaties())]
        if self.write is _profile:
            return f"cbd/{self.place(thing).code}"
        if self.native:
            kind = "007" if self.write is _decision else "080"
            return f"52000000cbd{kind}{thing.number:010x}"
        return thing.uuid

    def place(self, thing: Thing) -> Country:
        """Its country."""
        known = [each for each in countries() if each.code != "EU"]
        if self.write is _profile:  # one for each country
            return known[thing.number % len(known)]
        return Dice(self.seed, self.shelf.name, "place", thing.number).pick(known)

    def code(self, thing: Thing) -> str:
        """Its country as the set writes it."""
        code = self.place(thing).code
        if self.country == "iso3":
            return _ALPHA3[code]
        return code.lower() if self.country == "lower" else code

    def wording(self, thing: Thing) -> Wording:
        """Its words, with its country and what else its kind needs."""
        dice = Dice(self.seed, self.shelf.name, "words", thing.number)
        more: dict[str, Any] = {}
        if thing.kind == "nationalReport":
            more["ordinal"] = ordinals(1 + thing.number % 6)
        if thing.kind == "decision":
            more["session"] = _session(thing)
        return compose(
            thing.kind,
            dice,
            country=self.place(thing),
            languages=thing.wording.languages,
            edits=thing.edits,
            year=thing.wording.year,
            **more,
        )

    def stamp(self, thing: Thing) -> int:
        """When it was last changed."""
        return self.broke if thing.number == self.broken else thing.stamp

    def expected(self, thing: Thing) -> Expectation:
        """What a hub should hold of it."""
        titles = self.wording(thing).titles()
        if self.write is _treaty:
            titles = (Text(value=_treaty_title(thing), lang="en"),)
        elif self.write is _contact:
            titles = (Text(value=_office(thing)),)
        elif self.write is _profile:
            titles = (Text(value=f"CBD: {_standing(thing)}", lang="en"),)
        kind = self.type or thing.kind
        if thing.kind in _TYPES:
            kind = _TYPES[thing.kind][0]
        elif self.write is _contact:
            kind = "focalPoint" if thing.number % 3 else "authority"
        return Expectation(kind, titles, (self.place(thing).code,) if self.country else ())

    def truth(self) -> Truth:
        """What a hub should hold of all of it."""
        found = Truth()
        for thing in self.shelf:
            if not self.has(thing):
                continue
            if thing.deleted:
                found.deleted.add(self.name(thing))
            else:
                found.live[self.name(thing)] = self.expected(thing)
        return found

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)
        if self.breaks and phase >= BREAKS_IN and self.broken is None:
            # Its text is as it was; it is how it is kept that has gone wrong.
            self.broken = next(thing.number for thing in self.things() if not thing.edits)
            self.broke = now


# --- entries -----------------------------------------------------------------------------


def _texts(said: Mapping[str, str]) -> list[Row]:
    return [{"language": lang, "value": value} for lang, value in said.items()]


def _titles(held: Set, thing: Thing) -> list[Row]:
    words = held.wording(thing)
    titles = {lang: words.title(lang) for lang in words.languages}
    if thing.number % 4 == 0:
        titles = {lang: html.escape(title) for lang, title in titles.items()}
    return _texts(titles)


def _about(held: Set, thing: Thing) -> list[Row]:
    words = held.wording(thing)
    return _texts(
        {lang: f"<p>{html.escape(words.description(lang))}</p>" for lang in words.languages}
    )


def _files(held: Set, thing: Thing) -> list[Row]:
    words = held.wording(thing)
    return [
        {
            "id": f"{thing.number}-{lang}",
            "url": f"{_SITE}/files/{held.shelf.name}-{thing.number}-{lang}.pdf",
            "mimeType": "application/pdf",
            "language": lang,
            "filename": f"{thing.number}-{lang}.pdf",
        }
        for lang in words.languages[:2]
    ]


def _treaty_of(thing: Thing) -> str:
    return ("cbd", "ramsar", "nagoya", "cites", "cbd", "cartagena", "stockholm")[thing.number % 7]


def _session(thing: Thing) -> int:
    return 1 + thing.number // 50


def _number(thing: Thing, native: bool) -> str:
    """A decision's number, as the hub cites it or as the agreement itself does."""
    treaty, session, place = _treaty_of(thing), _session(thing), thing.number % 50
    prefix = {"nagoya": "NP-", "cartagena": "CP-"}.get(treaty, "") if native else ""
    roman = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")
    if native and treaty == "cbd" and session <= len(roman):
        return f"{roman[session - 1]}/{place}"
    return f"{prefix}{session}/{place}"


def _decision(held: Set, thing: Thing) -> Row:
    treaty = _treaty_of(thing)
    return {
        "id": held.name(thing),
        "link": f"{_SITE}/decision/{thing.number}",
        "type": "decision",
        "status": "active" if thing.number % 9 else "retired",
        "number": _number(thing, held.native),
        "treaty": "cbd" if held.native else treaty,
        "published": thing.born,
        "updated": held.stamp(thing),
        "meetingId": f"meeting-{_session(thing)}",
        "meetingTitle": None,
        "meetingUrl": None,
        "displayOrder": thing.number * 10,
        "title": _titles(held, thing),
        "longTitle": [],
        "summary": [] if held.native else _about(held, thing),
        "content": [],
        "keywords": [
            {"namespace": "http://www.informea.org/terms", "term": "Biological Diversity"}
        ],
        "files": [] if held.native else _files(held, thing),
    }


def _meeting(held: Set, thing: Thing) -> Row:
    where = held.place(thing)
    nowhere = thing.number % 5 == 0
    return {
        "id": held.name(thing),
        "treaty": _treaty_of(thing),
        "url": f"{_SITE}/event/{thing.number}",
        "title": _titles(held, thing),
        "description": _about(held, thing),
        "start": thing.born // 86400 * 86400,
        "end": thing.born // 86400 * 86400 + 2 * 86400,
        "repetition": None,
        "kind": "official",
        "type": "workshop",
        "access": "public",
        "status": ("confirmed", "tentative", "over", "nodate")[thing.number % 4],
        "imageUrl": None,
        "imageCopyright": None,
        "location": None,
        "city": where.names["en"],
        "country": held.code(thing),
        "latitude": 0 if nowhere else where.latitude,
        "longitude": 0 if nowhere else where.longitude,
        "updated": held.stamp(thing),
    }


def _report(held: Set, thing: Thing) -> Row:
    row = {
        "id": held.name(thing),
        "treaty": "cbd",
        "country": held.code(thing),
        "title": _titles(held, thing),
        "submission": thing.born // 86400 * 86400,
        "url": f"{_SITE}/report/{thing.number}",
        "files": _files(held, thing),
        "updated": held.stamp(thing),
    }
    if held.native:  # asked for under one name and written under another
        del row["updated"]
    return row


def _plan(held: Set, thing: Thing) -> Row:
    kind = "nbsap" if thing.kind == "nbsap" else ("nap", "ndc")[thing.number // 2 % 2]
    return {**_report(held, thing), "type": kind, "treaty": "cbd" if kind == "nbsap" else "unfccc"}


def _site(held: Set, thing: Thing) -> Row:
    where = held.place(thing)
    treaty = ("whc", "ramsar")[thing.number % 2]
    return {
        "id": held.name(thing),
        "type": treaty,
        "country": held.code(thing),
        "treaty": treaty,
        "name": _titles(held, thing),
        "url": f"{_SITE}/site/{thing.number}",
        "latitude": str(where.latitude),
        "longitude": str(where.longitude),
        "updated": held.stamp(thing),
    }


_TYPES: dict[str, tuple[str, str]] = {
    "guide": ("toolGuidance", "Guidelines"),
    "researchReport": ("researchReport", "Technical report"),
    "caseStudy": ("caseStudy", "Case study"),
    "elearning": ("elearning", "Training material"),
}
"""What a kind of document is to a hub, and what it is called here."""


def _document(held: Set, thing: Thing) -> Row:
    return {
        "id": held.name(thing),
        "schemaVersion": 1,
        "thumbnailUrl": None,
        "published": thing.born,
        "updated": held.stamp(thing),
        "treaty": _treaty_of(thing),
        "country": None,
        "displayOrder": 0,
        "title": _titles(held, thing),
        "description": _about(held, thing),
        "authors": [
            {"id": "a1", "name": "Secretariat of the Convention", "type": "corporate"},
            {"id": "a2", "name": "A. Person", "type": "person"},
        ],
        "types": [{"id": "t1", "value": _TYPES[thing.kind][1]}],
        "treaties": [{"treaty": _treaty_of(thing)}],
        "identifiers": [{"id": "i1", "name": "symbol", "value": f"DEMO/{thing.number}"}],
        "keywords": [
            {
                "id": "k1",
                "literalForm": "ecosystem",
                "scope": "",
                "sourceURL": "http://www.informea.org/terms",
                "termURI": "http://www.informea.org/terms/ecosystem",
            }
        ],
        "tags": [],
        "referenceToEntities": [{"id": "r1", "type": "meeting", "refId": "meeting-1"}],
        "files": _files(held, thing),
    }


def _treaties() -> list[str]:
    return [row["code"] for row in tables.rows("informea_treaty_names")]


def _treaty_title(thing: Thing) -> str:
    names = tables.values("informea_treaty_names")
    title = names[_treaties()[thing.number % len(names)]]
    return f"{title}, text no. {thing.edits + 1}" if thing.edits else title


def _treaty(held: Set, thing: Thing) -> Row:
    return {
        "id": held.name(thing),
        "uuid": thing.uuid,
        "url": f"{_SITE}/treaties/{held.name(thing)}",
        "titleEnglish": _treaty_title(thing),
        "officialNameEnglish": _treaty_title(thing),
        "treatyWebsiteURL": "https://agreement.example.org",
        "updated": held.stamp(thing),
        "title": _texts({"en": _treaty_title(thing)}),
        "description": [],
    }


def _standing(thing: Thing) -> str:
    return ("ratification", "accession", "acceptance")[(thing.number + thing.edits) % 3]


def _profile(held: Set, thing: Thing) -> Row:
    return {
        "country": held.code(thing),
        "treaty": "cbd",
        "entryIntoForce": thing.born // 86400 * 86400,
        "entryIntoForceStatus": _standing(thing),
        "statusDate": thing.born // 86400 * 86400,
        "note": None,
    }


def _office(thing: Thing) -> str:
    kind = "National Focal Point" if thing.number % 3 else "Designated National Authority"
    return f"{kind} ({thing.edits})" if thing.edits else kind


def _contact(held: Set, thing: Thing) -> Row:
    return {
        "id": held.name(thing),
        "treaties": [{"value": "rotterdam"}],
        "country": held.code(thing),
        "prefix": "Dr.",
        "firstName": "Firstname",
        "lastName": f"Lastname{thing.number}",
        "position": "Director",
        "institution": held.wording(thing).agency("en"),
        "department": None,
        "address": f"{thing.number} Example Street",
        "email": f"person{thing.number}@example.org",
        "phoneNumber": f"+999 555 {thing.number:04}",
        "fax": None,
        "primary": thing.number % 2,
        "updated": held.stamp(thing),
        "type": _office(thing),
        "brsRegionUn": "africa",
    }


# --- OData -------------------------------------------------------------------------------


class Service:
    """An OData service; see :class:`demo.hosts.Replica`.

    Version 2 is the hub, which does what it is asked; 3 is a service written by hand that
    takes no notice of filters, orders and expansions and writes stubs for what is empty; 4
    gives twenty entries at a time and links to the next; 1 knows no ``$format`` and no
    ``$count`` and writes bare arrays.
    """

    def __init__(self, name: str, path: str, sets: Mapping[str, Set], *, version: int) -> None:
        self.name = name
        self.url = ""
        self._path = path
        self._sets = sets
        self._version = version

    def sources(self) -> Mapping[str, Told]:
        """One for each entity set."""
        keys = {
            "adapter": "informea",
            "url": f"{self.url}{self._path}",
            "languages": list(LANGUAGES),
            "deletions": "absence",
        }
        return {
            self._source(entity): Told(
                f"Demonstration: {self.name.replace('-', ' ')}, {entity}",
                keys,
                {"entity": entity, **({"contacts": True} if entity == "Contacts" else {})},
            )
            for entity in self._sets
        }

    def _source(self, entity: str) -> str:
        return f"demo-{self.name}-{entity.lower()}"

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        for held in self._sets.values():
            held.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold of each entity set."""
        return {self._source(entity): held.truth() for entity, held in self._sets.items()}

    def answer(self, request: Request) -> Answer:
        """Entity sets, their counts, their entries."""
        if not request.path.startswith(f"{self._path}/"):
            return Answer(b"<html><title>404 Not Found</title></html>", _HTML, 404)
        rest = unquote(request.path.removeprefix(f"{self._path}/"))
        entity, _, more = rest.partition("/")
        key = _KEY.search(entity)
        held = self._sets.get(entity[: key.start()] if key else entity)
        asked = dict(request.arguments())
        if held is None:
            return self._error(f"Could not find an entity set for '{entity}'.", 404)
        if key is not None:
            things = {held.name(thing): thing for thing in held.things()}
            thing = things.get(key[1])
            if thing is None:
                return self._error("Requested entity could not be found.", 404)
            row = self._row(held, entity[: key.start()], thing, asked)
            return _json(row if self._version == 4 else {"d": row})
        if more == "$count":
            if self._version == 1:
                return self._error("Resource not found for the segment '$count'.", 404)
            return Answer(str(len(held.things())).encode(), "text/plain;charset=utf-8")
        if more:
            return self._error(f"Could not find a property '{more}'.", 404)
        return self._list(held, entity, asked)

    def _list(self, held: Set, entity: str, asked: dict[str, str]) -> Answer:
        if self._version == 1 and "$format" in asked:
            return self._error("The query parameter '$format' is not supported.", 400)
        things = held.things()
        if self._version != 3:
            if (found := _FILTER.fullmatch(asked.get("$filter", ""))) is not None:
                if ("datetime'" in asked["$filter"]) is (self._version == 4):
                    return self._error("Malformed filter.", 400)
                bound = datetime.fromisoformat(found[1]).replace(tzinfo=UTC).timestamp()
                things = [thing for thing in things if held.stamp(thing) > bound]
            if "updated desc" in asked.get("$orderby", ""):
                things.sort(key=lambda thing: (-held.stamp(thing), held.name(thing)))
        skip, top = int(asked.get("$skip", "0")), int(asked.get("$top", "9999"))
        if self._version == 4:
            top = min(top, 20)
        cut = things[skip : skip + top]
        if "$select" not in asked and any(thing.number == held.broken for thing in cut):
            return Answer(
                f'<?xml version="1.0" encoding="UTF-8"?><error xmlns="{_META}"><code/><message '
                'xml:lang="en">An exception occurred</message></error>'.encode(),
                _XML,
                500,
            )
        rows = [self._row(held, entity, thing, asked) for thing in cut]
        match self._version:
            case 1:
                return _json({"d": rows})
            case 4:
                answer: Row = {"@odata.context": f"$metadata#{entity}", "value": rows}
                if skip + top < len(things) and len(cut) == top:
                    left = {**asked, "$skip": str(skip + top)}
                    answer["@odata.nextLink"] = f"{entity}?" + "&".join(
                        f"{name}={value.replace(' ', '%20')}" for name, value in left.items()
                    )
                return _json(answer)
            case _:
                return _json({"d": {"results": rows}})

    def _row(self, held: Set, entity: str, thing: Thing, asked: dict[str, str]) -> Row:
        name = held.name(thing)
        # Behind a proxy a service knows itself by another name.
        key = f"guid'{name}'" if self._version == 1 else f"'{name}'"
        address = f"http://odata.example.org:80{self._path}/{entity}({key})"
        metadata = {"id": address, "uri": address, "type": f"informea.{entity}"}
        plain = held.write(held, thing)
        if "$select" in asked and self._version != 3:
            plain = {key: plain[key] for key in asked["$select"].split(",") if key in plain}
        expanded = asked.get("$expand", "").split(",")
        row: Row = {} if self._version == 4 else {"__metadata": metadata}
        for name_of, value in plain.items():
            if isinstance(value, list):
                row[name_of] = self._collection(value, name_of, metadata, expanded)
            elif name_of in _DATES and value is not None:
                row[name_of] = self._date(int(value))
            else:
                row[name_of] = value
        return {name_of: value for name_of, value in row.items() if value is not _LEFT_OUT}

    def _collection(self, value: list[Row], name: str, metadata: Row, expanded: list[str]) -> Any:
        match self._version:
            case 3:
                if not value:  # a stub where there is nothing
                    return [{"__metadata": metadata}]
                return [{"__metadata": {"type": "LocalizableString"}, **item} for item in value]
            case 4:
                return value if name in expanded else _LEFT_OUT
            case _:
                inner = {"__metadata": {"type": f"informea.{name}"}}
                if name not in expanded:
                    return {"__deferred": {"uri": f"{metadata['uri']}/{name}"}}
                items = [{**inner, **item} for item in value]
                return items if self._version == 1 else {"results": items}

    def _date(self, seconds: int) -> str:
        if self._version == 4:
            return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        return f"/Date({seconds * 1000})/"

    def _error(self, said: str, status: int) -> Answer:
        if self._version == 4:
            return _json({"error": {"code": "", "message": said}}, status)
        message = {"lang": "en", "value": said}
        return _json({"error": {"code": None, "message": message}}, status)


_LEFT_OUT: Any = object()
_DATES = frozenset(
    {"published", "updated", "submission", "start", "end", "entryIntoForce", "statusDate"}
)


# --- the site ----------------------------------------------------------------------------


def _court(held: Set, thing: Thing) -> Row:
    return {
        "field_abstract": _about(held, thing),
        "field_court_name": "Environmental Court",
        "field_country": [held.code(thing)],
        "field_justices": "A. Person",
        "field_original_id": f"COU-{thing.number:05}",
        "field_reference_number": f"{thing.number}/{held.wording(thing).year}",
        "field_source_language": held.wording(thing).languages[0],
        "field_url": _files(held, thing),
    }


def _law(held: Set, thing: Thing) -> Row:
    return {
        "field_abstract": _about(held, thing),
        "field_country": [held.code(thing)],
        "field_faolex_url": f"{_SITE}/faolex/{thing.number}",
        "field_original_id": f"LEX-{thing.number:05}",
        "field_files": _files(held, thing),
    }


class Site:
    """The lists of the site; see :class:`demo.hosts.Replica`. Those of court decisions name
    nodes that have to be fetched; the others have whole rows."""

    def __init__(self, lists: Mapping[str, Set]) -> None:
        self.name = "informea-web"
        self.url = ""
        self._lists = lists

    def sources(self) -> Mapping[str, Told]:
        """One for each list."""
        keys = {
            "adapter": "informea_web",
            "url": self.url,
            "languages": list(LANGUAGES),
            "deletions": "absence",
        }
        return {
            f"demo-informea-web-{kind}": Told(
                f"Demonstration: InforMEA's site, {kind}", keys, {"kind": kind}
            )
            for kind in self._lists
        }

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        for held in self._lists.values():
            held.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold of each list."""
        return {f"demo-informea-web-{kind}": held.truth() for kind, held in self._lists.items()}

    def answer(self, request: Request) -> Answer:
        """Lists, the count of one of them, nodes."""
        asked = dict(request.arguments())
        match request.path.strip("/").split("/"):
            case ["robots.txt"]:
                return Answer(b"User-agent: *\nDisallow: /admin/\n", "text/plain; charset=utf-8")
            case ["ws", "decisions", "count"]:
                return _json({"count": str(len(self._lists["decisions"].things()))})
            case ["ws", kind] if kind in self._lists:
                return self._list(kind, asked)
            case ["node", uuid, "json"]:
                for held in self._lists.values():
                    for thing in held.things():
                        if thing.uuid == uuid:
                            return _json(_node(held, thing))
        return Answer(b"<!DOCTYPE html><html><title>Page not found</title></html>", _HTML, 404)

    def _list(self, kind: str, asked: dict[str, str]) -> Answer:
        held = self._lists[kind]
        things = sorted(held.things(), key=lambda thing: (-thing.stamp, thing.number))
        most, page = int(asked.get("items_per_page", "10")), int(asked.get("page", "0"))
        cut = things[page * most : (page + 1) * most]
        if kind == "court-decisions":
            stubs = [
                {
                    "uuid": thing.uuid,
                    "last_update": str(thing.stamp),
                    "data_url": f"{_SITE}/node/{thing.uuid}/json",
                }
                for thing in cut
            ]
            return _json(stubs)
        return _json([_node(held, thing) for thing in cut])


def _node(held: Set, thing: Thing) -> Row:
    """A node with its fields by language, as Drupal 7 has them."""
    words = held.wording(thing)
    row: Row = {
        "uuid": thing.uuid,
        "nid": str(900_000 + thing.number),
        "changed": str(thing.stamp),
        "title_field": _by_language(_titles(held, thing)),
        "field_sorting_date": {
            "und": [
                {"value": datetime.fromtimestamp(thing.born, UTC).strftime("%Y-%m-%d 00:00:00")}
            ]
        },
        "url": {
            "default": f"{_SITE}/node/{thing.number}",
            "en": f"{_SITE}/en/{held.shelf.name}/{thing.number}",
        },
    }
    if held.write is _decision:
        treaty = _treaty_of(thing)
        uuids = {
            r["value"]: r["code"] for r in tables.rows("informea_treaties") if "-" in r["code"]
        }
        return {
            **row,
            "body": _by_language(_about(held, thing)),
            "field_decision_number": {"und": [{"value": _number(thing, native=False)}]},
            "field_decision_status": [{"label": "active"}],
            "field_decision_type": [{"label": "decision"}],
            "field_treaty": [{"uuid": uuids[treaty], "odata_identifier": treaty}],
            "field_meeting": [{"uuid": f"meeting-{_session(thing)}"}],
            "field_informea_tags": [],
            "field_files": _by_language(_files(held, thing), keep=True),
        }
    for key, value in held.write(held, thing).items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            row[key] = _by_language(value, keep="url" in value[0])
        elif isinstance(value, list):
            row[key] = value
        elif value.startswith("http"):
            row[key] = {"en": [{"url": value}]}
        else:
            row[key] = {"und": [{"value": value}]}
    row["field_ecolex_tags"] = [{"label": words.topic.names["en"]}]
    return row


def _by_language(items: list[Row], *, keep: bool = False) -> dict[str, list[Row]]:
    """Items by their language; with ``keep`` whole, else their values alone."""
    return {
        item["language"]: [
            {k: v for k, v in item.items() if k != "language"} if keep else {"value": item["value"]}
        ]
        for item in items
    }


def _json(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), _JSON, status)
