"""Catalogues of data sets: DKAN's ``data.json``, and DCAT as Turtle in pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b
from typing import Any

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, XSD

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing
from harvesters.dcat import HYDRA

_PAGE = 20
_LICENSE = "https://creativecommons.org/licenses/by/4.0/"


class Portal:
    """One portal with a catalogue; ``turtle`` or JSON."""

    url = ""

    def __init__(
        self, seed: int, scale: int, code: str, languages: tuple[str, ...], size: int, turtle: bool
    ) -> None:
        self.turtle = turtle
        self.name = f"{'dcat' if turtle else 'dkan'}-{code.lower()}"
        self.source = f"demo-{self.name}"
        self.country = country(code)
        self.languages = languages
        self.shelf = Shelf(seed, self.name, self.country, ("dataset",), size * scale, languages)

    def sources(self) -> Mapping[str, Told]:
        """One source: the catalogue."""
        keys = {
            "country": self.country.code,
            "adapter": "dcat",
            "url": f"{self.url}/{'catalog.ttl' if self.turtle else 'data.json'}",
            "languages": list(self.languages),
        }
        kind = "DCAT in Turtle" if self.turtle else "DKAN"
        title = f"Demonstration: data portal of {self.country.names['en']} ({kind})"
        return {self.source: Told(title, keys)}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by the data sets' UUIDs."""
        truth = Truth()
        for thing in self.shelf:
            if thing.deleted:
                truth.deleted.add(thing.uuid)
                continue
            said = thing.wording.languages if self.turtle else thing.wording.languages[:1]
            titles = tuple(Text(value=thing.wording.title(lang), lang=lang) for lang in said)
            truth.live[thing.uuid] = Expectation("dataset", titles, (self.country.code,))
        return {self.source: truth}

    def answer(self, request: Request) -> Answer:
        """The catalogue, robots.txt and a front page."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nCrawl-delay: 10\n", "text/plain")
        if request.path == "/":
            page = (
                f'<!DOCTYPE html><html lang="{self.languages[0]}"><head><title>Data</title>'
                '<script src="/profiles/dkan/js/dkan.js"></script></head></html>'
            )
            return Answer(page.encode(), "text/html; charset=utf-8")
        if request.path == "/data.json" and not self.turtle:
            return self._kept(request, self._json(), "application/json")
        if request.path == "/catalog.ttl" and self.turtle:
            page_number = int(dict(request.arguments()).get("page", 1))
            return Answer(self._turtle(page_number), "text/turtle; charset=utf-8")
        return Answer(b"<!DOCTYPE html><title>Page not found</title>", "text/html", 404)

    def _kept(self, request: Request, body: bytes, media_type: str) -> Answer:
        """The body, or 304 for who has it."""
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        changed = max(thing.stamp for thing in self.shelf)
        at = format_datetime(datetime.fromtimestamp(changed, UTC), usegmt=True)
        headers = {"ETag": tag, "Last-Modified": at}
        if request.headers.get("if-none-match") == tag:
            return Answer(b"", media_type, 304, headers)
        return Answer(body, media_type, headers=headers)

    def _json(self) -> bytes:
        # What the portal keeps to itself is listed all the same.
        closed = {"@type": "dcat:Dataset", "accessLevel": "non-public", "identifier": "closed"}
        rows: list[dict[str, Any]] = [{**closed, "title": "Nests of eagles"}]
        for thing in self.shelf.live():
            lang = thing.wording.languages[0]
            rows.append(
                {
                    "@type": "dcat:Dataset",
                    "accessLevel": "public",
                    "identifier": thing.uuid,
                    "title": thing.wording.title(lang),
                    "description": f"<p>{thing.wording.description(lang)}</p>",
                    "modified": _day(thing.stamp),
                    "issued": _day(thing.born),
                    "keyword": [thing.wording.topic.names[lang]],
                    "license": _LICENSE,
                    "spatial": self._place(thing),
                    "publisher": {"@type": "org:Organization", "name": thing.wording.agency(lang)},
                    "contactPoint": {"fn": "A. Person", "hasEmail": "mailto:person@example.org"},
                    "distribution": [
                        {
                            "@type": "dcat:Distribution",
                            "title": "Map",
                            "downloadURL": f"https://data.example.org/{thing.uuid}.geojson",
                            "mediaType": "application/vnd.geo+json",
                        }
                    ],
                }
            )
        catalogue = {
            "@context": "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld",
            "@type": "dcat:Catalog",
            "conformsTo": "https://project-open-data.cio.gov/v1.1/schema",
            "dataset": rows,
        }
        return json.dumps(catalogue, ensure_ascii=False).encode()

    def _place(self, thing: Thing) -> str:
        """The country, or a shape in the way the form's editors draw one."""
        if thing.number % 3:
            return self.country.names["en"]
        x, y = self.country.longitude, self.country.latitude
        return f"POLYGON (({x} {y}, {x + 0.5} {y}, {x + 0.5} {y + 0.25}, {x} {y}))"

    def _turtle(self, page: int) -> bytes:
        things = self.shelf.live()
        graph = Graph()
        catalogue = URIRef("https://data.example.org/catalog")
        graph.add((catalogue, RDF.type, DCAT.Catalog))
        # As CKAN's extension writes it: addresses as texts, under the older names of Hydra.
        view = URIRef(f"{self.url}/catalog.ttl?page={page}")
        graph.add((view, RDF.type, HYDRA.PagedCollection))
        graph.add((view, HYDRA.totalItems, Literal(len(things))))
        graph.add((view, HYDRA.itemsPerPage, Literal(_PAGE)))
        if page * _PAGE < len(things):
            graph.add((view, HYDRA.nextPage, Literal(f"{self.url}/catalog.ttl?page={page + 1}")))
        for thing in things[(page - 1) * _PAGE : page * _PAGE]:
            self._describe(graph, catalogue, thing)
        return graph.serialize(format="turtle", encoding="utf-8")

    def _describe(self, graph: Graph, catalogue: URIRef, thing: Thing) -> None:
        node = URIRef(f"https://data.example.org/set/{thing.number}")
        agency, file = BNode(f"a{thing.number}"), BNode(f"d{thing.number}")
        graph.add((catalogue, DCAT.dataset, node))
        graph.add((node, RDF.type, DCAT.Dataset))
        graph.add((node, DCTERMS.identifier, Literal(thing.uuid)))
        for lang in thing.wording.languages:
            graph.add((node, DCTERMS.title, Literal(thing.wording.title(lang), lang=lang)))
            said = Literal(thing.wording.description(lang), lang=lang)
            graph.add((node, DCTERMS.description, said))
            graph.add((node, DCAT.keyword, Literal(thing.wording.topic.names[lang], lang=lang)))
        for name, moment in ((DCTERMS.issued, thing.born), (DCTERMS.modified, thing.stamp)):
            graph.add((node, name, Literal(thing.when(moment), datatype=XSD.dateTime)))
        graph.add((node, DCTERMS.publisher, agency))
        graph.add((agency, FOAF.name, Literal(thing.wording.agency(thing.wording.languages[0]))))
        graph.add((node, DCTERMS.license, URIRef(_LICENSE)))
        place = BNode(f"p{thing.number}")
        x, y = self.country.longitude, self.country.latitude
        graph.add((node, DCTERMS.spatial, place))
        graph.add((place, RDF.type, DCTERMS.Location))
        graph.add((place, DCAT.bbox, Literal(f"POLYGON(({x} {y}, {x + 1} {y + 1}, {x} {y}))")))
        graph.add((node, DCAT.distribution, file))
        graph.add((file, DCAT.accessURL, URIRef(f"https://data.example.org/{thing.uuid}.csv")))


def _day(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%d")


def replicas(seed: int, scale: int) -> list[Replica]:
    """Two portals made with DKAN, and one catalogue in Turtle."""
    return [
        Portal(seed, scale, "WS", ("en",), 60, False),
        Portal(seed, scale, "FJ", ("en",), 60, False),
        Portal(seed, scale, "BE", ("fr", "en"), 60, True),
    ]
