"""National CHM sites made with Bioland: the second generation, Biosafety Land, the first.

Sites differ as the real ones do: ``meta.count`` is a number or a text, tags are one text or two,
links are strings or objects, pages are short where drafts were left out, saving makes copies
that nobody translated, and an update of the software may touch every node at once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from chm_hub.record import Text
from demo.hosts import Expectation, Told, Truth
from demo.jsonapi import Manner, Resource, Row, collection, entry, refusal, single
from demo.phrases import Dice, country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_SIZES = (68, 110)
"""Nodes of one site in the first phase, from and to; ``scale`` multiplies them."""
_TOUCHED = 2
"""The phase in which an update of the software touches all nodes of every third site."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class _Place:
    """What sets one site apart from another."""

    code: str
    languages: tuple[str, ...]
    """Its own first."""
    countries: tuple[str, ...]
    title: str
    generation: int = 2
    biosafety: bool = False
    published: bool = True
    missing: tuple[str, ...] = ()
    """Languages that its source names and the site does not have."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """One kind of node: the form it is worded in, its term, and what it should become."""

    form: str
    tid: int
    type: str
    document: str = ""
    """The document type among its tags."""
    copy: bool = False
    """A copy of a record of the central clearing-house."""


_TERMS = {
    2: "News",
    3: "Event",
    4: "Learning Resource",
    5: "Project",
    6: "Basic Page",
    8: "Government Ministry or Institute",
    9: "Ecosystem",
    10: "Protected Area",
    11: "Biodiversity Data",
    12: "Document",
    13: "Related Website",
    15: "Other",
    16: "Image or Video",
    43: "FAQ",
    50: "Contact",
    54: "Article",
}
_BIOSAFETY_TERMS = {
    44: "National Information",
    45: "Status of LMO",
    46: "Field Trial",
    47: "National Mainstreaming Strategy",
    48: "Capacity Building",
    49: "Announcement",
    55: "Other Resource",
}
_GUIDE = "E2321738-FE33-4C20-AFA8-F6A738065138"
_KINDS = (
    _Kind("news", 2, "news"),
    _Kind("event", 3, "event"),
    _Kind("guide", 12, "toolGuidance", _GUIDE),
    _Kind("project", 5, "project"),
    _Kind("elearning", 4, "elearning"),
    _Kind("nbsap", 12, "nbsap", copy=True),
    _Kind("organization", 8, "organization"),
    _Kind("news", 2, "news"),
    _Kind("researchReport", 12, "researchReport", "doc-20"),
    _Kind("thematicReport", 12, "nationalReport", "doc-15"),
    _Kind("protectedArea", 10, "protectedArea"),
    _Kind("dataset", 11, "dataset"),
    _Kind("caseStudy", 54, "resource"),
    _Kind("policyDocument", 12, "policyDocument", "doc-6"),
    _Kind("nbsap", 12, "nbsap", "doc-14"),
)
_BIOSAFETY_KINDS = (
    _Kind("news", 49, "news"),
    _Kind("law", 44, "resource"),
    _Kind("biosafetyDecision", 45, "modifiedOrganism"),
    _Kind("capacityBuilding", 48, "capacityBuilding"),
    _Kind("policyDocument", 47, "policyDocument"),
    _Kind("event", 3, "event"),
    _Kind("riskAssessment", 55, "resource"),
)
_FIRST = {
    "news": "news",
    "event": "event",
    "nationalTarget": "national_target",
    "project": "project",
    "organization": "organization",
    "nbsap": "document",
    "thematicReport": "document",
    "guide": "document",
    "researchReport": "article",
}
"""Node types of the first generation, by form."""
_FIRST_TYPES = {
    "news": "news",
    "event": "event",
    "nationalTarget": "nationalTarget",
    "project": "project",
    "organization": "organization",
    "nbsap": "nbsap",
    "thematicReport": "nationalReport",
    "guide": "resource",
    "researchReport": "resource",
}
_FIRST_DOCUMENTS = {
    "nbsap": ("cd4ad0ea-8933-4bca-aec3-1837f89949ad", "NBSAP"),
    "thematicReport": ("5bfe7928-223d-467f-a7f1-9f48e9091ff0", "National report"),
    "guide": ("0d8f7d4e-6a3f-4a55-9d6e-2f5a8a7c9b10", "Brochure"),
}
_DRUPAL = {"zh": "zh-hans"}
_NOT_HERE = "Cannot find any path matching {}."


def _places() -> tuple[_Place, ...]:
    made = []
    for code, *languages in (
        ("KE", "en", "sw"),
        ("RW", "en", "fr"),
        ("TZ", "sw", "en"),
        ("MG", "fr", "en"),
        ("MA", "ar", "fr", "en"),
        ("CM", "fr", "en"),
        ("BJ", "fr", "en"),
        ("TG", "fr", "en"),
        ("BF", "fr", "en"),
        ("BI", "fr", "en"),
        ("CD", "fr", "en"),
        ("CI", "fr", "en"),
        ("GA", "fr", "en"),
        ("GN", "fr"),
        ("MR", "ar", "fr", "en"),
        ("MU", "en", "fr"),
        ("MW", "en"),
        ("NE", "fr", "en"),
        ("SD", "ar", "en"),
        ("YE", "ar", "en"),
        ("IQ", "ar", "en"),
        ("ZM", "en"),
        ("CO", "es", "en", "fr", "ru"),
        ("LK", "en"),
        ("KG", "ru", "en"),
    ):
        name = country(code).names["en"]
        missing = ("xx-lolspeak",) if code == "RW" else ()
        title = f"Demonstration: clearing-house of {name}"
        made.append(_Place(code.lower(), tuple(languages), (code,), title, missing=missing))
    south_east = ("ID", "PH", "TH", "SG")
    made += [
        _Place("sea", ("en", "zh"), south_east, "Demonstration: clearing-house of four countries"),
        _Place("zw", ("en",), ("ZW",), "Demonstration: Biosafety Land, Zimbabwe", biosafety=True),
        _Place("ml", ("fr",), ("ML",), "Demonstration: Bioland 1, Mali", 1),
        _Place("et", ("en",), ("ET",), "Demonstration: Bioland 1, Ethiopia", 1),
        _Place("mz", ("pt", "en"), ("MZ",), "Demonstration: Bioland 1, Mozambique", 1),
        _Place("be", ("fr", "en"), ("BE",), "Demonstration: Bioland 1, Belgium", 1),
        _Place(
            "ge", ("en",), ("GE",), "Demonstration: a site that is not published", published=False
        ),
    ]
    return tuple(made)


def replicas(seed: int, scale: int) -> list[Bioland]:
    """All sites."""
    places = _places()
    return [
        (First if place.generation == 1 else Second)(seed, scale, number, place, places)
        for number, place in enumerate(places)
    ]


@dataclass
class Bioland:
    """What the sites of both generations have in common."""

    seed: int
    scale: int
    number: int
    place: _Place
    places: tuple[_Place, ...]
    url: str = ""
    name: str = field(init=False)
    shelf: Shelf = field(init=False)
    touched: int = 0
    """When an update last touched every node."""
    _rows: dict[str, dict[str, Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = f"bioland-{self.place.code}"
        low, high = _SIZES
        size = low + Dice(self.seed, self.name, "size").below(high - low + 1)
        alone = len(self.place.countries) == 1
        self.shelf = Shelf(
            self.seed,
            self.name,
            country(self.place.countries[0]) if alone else country("SG"),
            self.forms(),
            size * self.scale if self.place.published else 12,
            self.place.languages,
        )

    def forms(self) -> tuple[str, ...]:
        """The forms of its nodes, in turn."""
        raise NotImplementedError

    def sources(self) -> Mapping[str, Told]:
        """Its one source."""
        place = self.place
        keys: dict[str, object] = {
            "adapter": "bioland",
            "url": self.url,
            "languages": [*place.languages, *place.missing],
        }
        if len(place.countries) == 1:
            keys["country"] = place.countries[0]
        else:
            keys["countries"] = list(place.countries)
        if not place.published:
            keys |= {"enabled": False, "reason": "the site is not published yet"}
        return {f"demo-{self.name}": Told(place.title, keys)}

    def advance(self, phase: int, now: int) -> None:
        """One phase further; in one of them an update touches every node of some sites."""
        self.shelf.advance(phase, now)
        if phase == _TOUCHED and self.number % 3 == 0:
            self.touched = now
        self._rows.clear()

    def truth(self) -> Mapping[str, Truth]:
        """Its nodes with the languages somebody translated them into."""
        truth = Truth()
        if self.place.published:
            for thing in self.shelf:
                if thing.deleted:
                    truth.deleted.add(thing.uuid)
                else:
                    truth.live[thing.uuid] = Expectation(
                        self.type_of(thing), _titles(thing), self.countries_of(thing)
                    )
        return {f"demo-{self.name}": truth}

    def type_of(self, thing: Thing) -> str:
        """The record type it should become."""
        raise NotImplementedError

    def tagged(self, thing: Thing) -> tuple[str, ...]:
        """The countries a node is tagged with."""
        dice = Dice(self.seed, self.name, "countries", thing.number)
        own = self.place.countries
        if len(own) > 1:
            chosen = dice.pick(own), dice.pick(own)
            return tuple(dict.fromkeys(chosen)) if dice.below(3) else ()
        return own + (("UG" if own != ("UG",) else "KE",) if dice.below(9) == 0 else ())

    def countries_of(self, thing: Thing) -> tuple[str, ...]:
        """The countries a hub should say it is about."""
        own, tagged = self.place.countries, self.tagged(thing)
        return tagged or own if len(own) > 1 else tuple(dict.fromkeys((*own, *tagged)))

    def changed(self, thing: Thing, lag: int = 0) -> int:
        """When a version last changed: translations of what was never edited came later."""
        later = lag * _DAY if thing.edits == 0 and not thing.deleted else 0
        return max(thing.stamp + later, self.touched)

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        raise NotImplementedError

    def at(self, request: Request) -> str:
        """A request's address without its query."""
        return f"{self.url}{request.path}"


class Second(Bioland):
    """A site of the second generation, or of Biosafety Land: one node type, one application
    in front of Drupal for all sites."""

    def forms(self) -> tuple[str, ...]:
        """The forms of its nodes."""
        return tuple(kind.form for kind in self._kinds())

    def type_of(self, thing: Thing) -> str:
        """By its term and document type."""
        return self._kind(thing).type

    def answer(self, request: Request) -> Answer:
        """Paths of JSON:API are Drupal's, the others the application's."""
        path = request.path
        if path == "/robots.txt":
            own = f"{self.url}/{self.place.languages[0]}/sitemap.xml"
            text = f"Allow: /\n\nSitemap: {own}\n" if self.place.published else "Disallow: /\n"
            return Answer(f"User-agent: *\n{text}".encode(), "text/plain")
        if path == "/api/chm-network":
            return _json(self._network())
        locale, _, rest = path.removeprefix("/").partition("/")
        if locale in self._codes() and rest.startswith("jsonapi"):
            return self._interface(request, locale, rest)
        if locale in self.place.languages and rest == "sitemap.xml":
            return Answer(self._sitemap().encode(), "application/xml")
        if path == "/" or (locale in self.place.languages and not rest):
            return Answer(self._page().encode(), "text/html;charset=utf-8")
        # Also while it is being deployed, and for languages it does not have.
        return Answer(b"Page not found", "text/plain", 404, {"Cache-Control": "no-store"})

    def _interface(self, request: Request, locale: str, rest: str) -> Answer:
        counts = ("number", "text")[self.number % 2]
        manner = Manner(flat=True, counts=counts, plain_links=self.number % 5 == 0)
        url = self.at(request)
        if rest == "jsonapi/taxonomy_term/tags":
            return collection(request, url, [Row(term) for term in self._terms()], manner)
        if rest == "jsonapi/node/content":
            return collection(request, url, self._nodes(locale).values(), manner)
        if rest.startswith("jsonapi/node/content/"):
            row = self._nodes(locale).get(rest.rpartition("/")[2])
            return single(request, url, row, manner)
        return refusal(404, "Not Found", _NOT_HERE.format(f"/{rest}"), url)

    # --- nodes -----------------------------------------------------------------------------

    def _kinds(self) -> tuple[_Kind, ...]:
        return _BIOSAFETY_KINDS if self.place.biosafety else _KINDS

    def _kind(self, thing: Thing) -> _Kind:
        kinds = self._kinds()
        return kinds[thing.number % len(kinds)]

    def _codes(self) -> tuple[str, ...]:
        return tuple(_DRUPAL.get(tag, tag) for tag in self.place.languages)

    def _nodes(self, code: str) -> dict[str, Row]:
        """Every node in one language, by identifier; those not to be seen too."""
        if code not in self._rows:
            # What was deleted is not there; what was withdrawn is, for those who may see it.
            things = (thing for thing in self.shelf if not thing.deleted or thing.number % 2)
            rows = [self._row(thing, code) for thing in things]
            self._rows[code] = {row.resource.id: row for row in [*rows, *self._others(code)]}
        return self._rows[code]

    def _row(self, thing: Thing, code: str) -> Row:
        kind = self._kind(thing)
        return Row(
            self._resource(thing, kind, code),
            shown=not thing.deleted,
            values={"field_type_placement.drupal_internal__tid": kind.tid},
        )

    def _resource(self, thing: Thing, kind: _Kind, code: str) -> Resource:
        own = _DRUPAL.get(thing.wording.languages[0], thing.wording.languages[0])
        translated = {_DRUPAL.get(tag, tag): tag for tag in thing.wording.languages}
        dice = Dice(self.seed, self.name, "copy", thing.number, code)
        outdated = code not in translated and dice.below(4) > 0
        copied = code not in translated and dice.below(2) == 0
        shown = code if code in translated or copied else own
        words = translated.get(shown, thing.wording.languages[0])
        nid = 100 + thing.number
        page = f"/{'archive/' if thing.moved else ''}{kind.form}/{nid}-{thing.wording.year}"
        alias = page if shown == own else None
        lag = 0 if shown == own else 1 + thing.number % 3
        fields = {
            "drupal_internal__nid": nid,
            "drupal_internal__vid": 9000 + nid + thing.edits,
            "langcode": shown,
            "revision_timestamp": thing.when(thing.stamp),
            "status": not thing.deleted,
            "title": thing.wording.title(words),
            "created": thing.when(thing.born),
            "changed": thing.when(self.changed(thing, lag)),
            "promote": False,
            "sticky": thing.number % 11 == 0,
            "default_langcode": shown == own,
            "revision_translation_affected": True,
            "content_translation_source": "und" if shown == own else own,
            "content_translation_outdated": shown != own and shown not in translated and outdated,
            "path": {"alias": alias, "pid": nid, "langcode": shown},
            "body": _body(thing.wording.description(words), thing.number),
            "field_start_date": _day(thing, 30) if kind.form == "event" else None,
            "field_end_date": _day(thing, 32) if kind.form == "event" else None,
            "field_published": _day(thing, 0) if thing.number % 4 else None,
            "field_order": None,
            "field_migrated": "1" if kind.copy else None,
            "field_tags": self._tags(thing, kind),
            "field_url": self._link(thing, kind),
        }
        term = self._term(kind.tid)
        related = {
            "field_type_placement": term if self.number % 4 == 0 else [term],
            "field_attachments": self._attachments(thing, kind),
        }
        return Resource("node--content", thing.uuid, fields, related)

    def _tags(self, thing: Thing, kind: _Kind) -> object:
        topic = thing.wording.topic
        codes = [
            *self.tagged(thing),
            *topic.targets,
            *topic.aichi[:1],
            *(() if kind.copy else topic.subjects[:1]),
            *(("CBD-SUBJECT-NBSAP",) if kind.copy else ()),
            *(("SDG-GOAL-15",) if thing.number % 6 == 0 else ()),
        ]
        if thing.number % 7 == 0:
            codes = [codes[0].lower(), "", " keywords:634", *codes[1:]]
        value = (", " if thing.number % 5 == 0 else ",").join(codes)
        if self.number % 6 == 1 and not kind.document:
            return value  # as the first releases had it
        return {"value": value, "value2": kind.document or None}

    def _link(self, thing: Thing, kind: _Kind) -> object:
        if not kind.copy:
            return None
        number = 200_000 + self.number * 1_000 + thing.number
        uri = f"https://chm.cbd.int/database/record?documentID={number}"
        return {"uri": uri, "title": "", "options": []}

    def _attachments(self, thing: Thing, kind: _Kind) -> list[Resource]:
        name = f"{kind.form}-{thing.number}"
        if kind.tid == 12:
            address = f"/sites/{self.place.code}/files/{thing.wording.year}/{name}.pdf"
            file = _file(f"{self.name}/{name}", f"{name}.pdf", address, 40_000 + thing.number)
            code = _DRUPAL.get(thing.wording.languages[0], thing.wording.languages[0])
            fields = {"drupal_internal__mid": 500 + thing.number, "name": f"{name}.pdf"}
            return [
                Resource(
                    "media--document",
                    _uuid(f"{self.name}/media/{name}"),
                    {**fields, "status": True, "langcode": code},
                    {"field_media_document": file, "field_media_image": None},
                )
            ]
        if kind.tid == 2:
            address = f"/sites/{self.place.code}/files/{name}.jpg"
            image = _file(f"{self.name}/{name}", f"{name}.jpg", address, 90_000)
            fields = {"drupal_internal__mid": 500 + thing.number, "name": f"{name}.jpg"}
            medium = _uuid(f"{self.name}/media/{name}")
            return [
                Resource(
                    "media--image",
                    medium,
                    {**fields, "status": True},
                    {"field_media_image": image, "field_media_document": None},
                )
            ]
        return []

    def _others(self, code: str) -> list[Row]:
        """What a hub should not take: contacts, plain pages, and drafts nobody may see."""
        own = self._codes()[0]
        rows = []
        for number, (tid, shown) in enumerate(
            [(50, True)] * 5 + [(6, True)] * 3 + [(13, True)] * 2 + [(2, False)] * 2
        ):
            nid = 10 + number
            fields = {
                "drupal_internal__nid": nid,
                "langcode": own,
                "status": shown,
                "title": f"{_TERMS[tid]} {nid}",
                "created": "2016-01-01T00:00:00+00:00",
                "changed": f"2016-01-{number + 1:02}T00:00:00+00:00",
                "default_langcode": True,
                "content_translation_outdated": False,
                "path": {"alias": None, "pid": nid, "langcode": own},
                "body": None,
                "field_tags": None,
            }
            related = {"field_type_placement": [self._term(tid)], "field_attachments": []}
            resource = Resource("node--content", _uuid(f"{self.name}/{nid}"), fields, related)
            values = {"field_type_placement.drupal_internal__tid": tid}
            rows.append(Row(resource, shown=shown, values=values))
        return rows

    def _terms(self) -> list[Resource]:
        kinds = {**_TERMS, **(_BIOSAFETY_TERMS if self.place.biosafety else {})}
        return [self._term(tid) for tid in kinds]

    def _term(self, tid: int) -> Resource:
        fields = {
            "drupal_internal__tid": tid,
            "langcode": "en",
            "status": True,
            "name": {**_TERMS, **_BIOSAFETY_TERMS}[tid],
            "weight": 0,
            "changed": "2024-01-10T09:00:00+00:00",
            "default_langcode": True,
        }
        identifier = _uuid(f"{self.name}/term/{tid}")
        meta = {"drupal_internal__target_id": tid}
        return Resource("taxonomy_term--tags", identifier, fields, meta=meta)

    # --- the application in front ----------------------------------------------------------

    def _network(self) -> object:
        """All sites of the network, as the page that shows it asks for them."""
        config = {"baseHost": "bl2.demo.example.org"}

        def section(name: str, sites: list[dict[str, object]]) -> dict[str, object]:
            return {"name": name, "sites": sites, "config": config}

        sites = [
            {
                "siteCode": place.code,
                "name": place.title,
                "published": place.published,
                "scbd": False,
                "defaultLocale": place.languages[0],
                "locales": list(place.languages),
                "country": place.countries[0].lower(),
                "countries": [code.lower() for code in place.countries],
            }
            for place in self.places
            if place.generation == 2
        ]
        own = [{"siteCode": "training", "name": "Training", "published": True, "scbd": True}]
        empty = {"published": section("Published sites", []), "scbd": section("SCBD sites", [])}
        hidden = [site for site in sites if not site["published"]]
        prod = {
            "published": section("Published sites", [s for s in sites if s["published"]]),
            "scbd": section("SCBD sites", [dict(site) for site in own]),
            "prePublished": section("Pre-Published sites", hidden),
        }
        return {"dev": empty, "stg": empty, "prod": prod}

    def _sitemap(self) -> str:
        own = f"{self.url}/{self.place.languages[0]}"
        return (
            '<?xml version="1.0" encoding="UTF-8"?>\n<urlset xmlns="http://www.sitemaps.org/'
            f'schemas/sitemap/0.9"><url><loc>{own}</loc></url></urlset>\n'
        )

    def _page(self) -> str:
        own = self.place.languages[0]
        turn = "rtl" if own == "ar" else "ltr"
        return (
            f'<!DOCTYPE html>\n<html lang="{own}" dir="{turn}"><head><meta charset="utf-8">'
            f"<title>{self.place.title}</title></head>"
            f'<body><div id="__nuxt"><h1>{self.place.title}</h1></div></body></html>\n'
        )


class First(Bioland):
    """A site of the first generation: Drupal 8 with a node type for each kind."""

    def forms(self) -> tuple[str, ...]:
        """The forms of its nodes."""
        return tuple(_FIRST)

    def type_of(self, thing: Thing) -> str:
        """By its node type."""
        return _FIRST_TYPES[thing.kind]

    def countries_of(self, thing: Thing) -> tuple[str, ...]:
        """Its own country; the terms say nothing else."""
        return self.place.countries

    def answer(self, request: Request) -> Answer:
        """Only languages that are not the site's own have a prefix."""
        path, code = request.path, self.place.languages[0]
        if path == "/robots.txt":
            text = "User-agent: *\nDisallow: /admin/\nDisallow: /user/login\n"
            return Answer(text.encode(), "text/plain")
        for tag in self.place.languages[1:]:
            if path.startswith(f"/{tag}/"):
                path, code = path.removeprefix(f"/{tag}"), tag
        manner, url = Manner(), self.at(request)
        parts = path.strip("/").split("/")
        if parts == ["jsonapi"]:
            types = [f"node--{bundle}" for bundle in dict.fromkeys(_FIRST.values())]
            return entry(url, [*types, "taxonomy_term--countries"], manner)
        if parts[:2] == ["jsonapi", "node"] and len(parts) in (3, 4) and parts[2] in _bundles():
            rows = self._nodes(parts[2], code)
            if len(parts) == 3:
                return collection(request, url, rows.values(), manner)
            return single(request, url, rows.get(parts[3]), manner)
        page = "<!DOCTYPE html><html><head><title>{0}</title></head><body>{0}</body></html>\n"
        if path == "/":
            return Answer(page.format(self.place.title).encode(), "text/html; charset=UTF-8")
        return Answer(page.format("Page not found").encode(), "text/html; charset=UTF-8", 404)

    def _nodes(self, bundle: str, code: str) -> dict[str, Row]:
        key = f"{bundle}/{code}"
        if key not in self._rows:
            self._rows[key] = {
                thing.uuid: Row(self._resource(thing, bundle, code), shown=not thing.deleted)
                for thing in self.shelf
                if _FIRST[thing.kind] == bundle and (not thing.deleted or thing.number % 2)
            }
        return self._rows[key]

    def _resource(self, thing: Thing, bundle: str, code: str) -> Resource:
        tags = thing.wording.languages
        tag = code if code in tags else tags[0]
        nid = 20 + thing.number
        alias = f"/{bundle}/{nid}" if tag == tags[0] else None
        link: dict[str, object] | None = None
        if thing.kind in ("nbsap", "nationalTarget"):
            number = 100_000 + self.number * 1_000 + thing.number
            link = {
                "uri": f"http://chm.cbd.int/database/record?documentID={number}",
                "title": None,
                "options": [],
            }
        fields = {
            "drupal_internal__nid": nid,
            "langcode": tag,
            "revision_timestamp": thing.when(thing.stamp),
            "status": not thing.deleted,
            "title": thing.wording.title(tag),
            "created": thing.when(thing.born),
            "changed": thing.when(self.changed(thing, 0 if tag == tags[0] else 2)),
            "promote": False,
            "sticky": False,
            "default_langcode": tag == tags[0],
            "content_translation_source": "und" if tag == tags[0] else tags[0],
            "content_translation_outdated": False,
            "path": {"alias": alias, "pid": nid, "langcode": tag},
            "body": _body(thing.wording.description(tag), thing.number),
            "field_url": link,
            "moderation_state": "published",
            "field_publication_date": _day(thing, 0),
        }
        related: dict[str, object] = {"field_countries": [self._country()]}
        if bundle == "document":
            identifier, name = _FIRST_DOCUMENTS[thing.kind]
            kind = Resource(
                "taxonomy_term--document_types", identifier, {"name": name, "langcode": "en"}
            )
            label = f"document-{thing.number}.pdf"
            file = _file(f"{self.name}/{label}", label, f"/sites/default/files/{label}", 52_000)
            related |= {"field_document_type": kind, "field_files": [file]}
        return Resource(f"node--{bundle}", thing.uuid, fields, related)

    def _country(self) -> Resource:
        code = self.place.countries[0]
        fields = {"name": country(code).names["en"], "field_iso_code": code.lower()}
        return Resource("taxonomy_term--countries", _uuid(f"{self.name}/{code}"), fields)


def _bundles() -> frozenset[str]:
    return frozenset(_FIRST.values())


def _titles(thing: Thing) -> tuple[Text, ...]:
    return thing.wording.titles()


def _body(text: str, number: int) -> dict[str, str]:
    """A text as an editor's tool leaves it."""
    html = f'<p style="margin:0">{text}</p>'
    if number % 4 == 1:
        html += '<iframe src="https://video.example.org/1"></iframe><p>&nbsp;</p>'
    return {"value": html, "format": "full_html", "processed": html, "summary": ""}


def _day(thing: Thing, later: int) -> str:
    return thing.when(thing.born + later * _DAY)[:10]


def _file(key: str, name: str, address: str, size: int) -> Resource:
    kind = "application/pdf" if name.endswith(".pdf") else "image/jpeg"
    fields = {
        "filename": name,
        "uri": {"value": f"public://{name}", "url": address},
        "filemime": kind,
        "filesize": size,
    }
    return Resource("file--file", _uuid(f"{key}/file"), fields)


def _uuid(key: str) -> str:
    return str(UUID(int=Dice("bioland", key).below(1 << 128), version=4))


def _json(value: object) -> Answer:
    return Answer(json.dumps(value, ensure_ascii=False).encode(), "application/json")
