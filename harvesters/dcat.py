"""Catalogues of data sets in one document: DCAT as JSON (``data.json``) or as RDF.

Whatever the form, a data set becomes a plain object with the keys of the JSON form (DCAT-US
1.1), so that one crosswalk reads all. RDF is parsed by rdflib from bytes that were looked at
before: no DTD, and nothing is fetched because a document says so.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, Namespace

from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import jsons, xml

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
MAX_PAGES = 2_000
ACCEPT = "application/json, text/turtle;q=0.9, application/rdf+xml;q=0.8, application/ld+json;q=0.7"
_NEXT = (HYDRA.next, HYDRA.nextPage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask for a catalogue."""

    url: str


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Read a catalogue, following ``hydra:next`` where it has pages.

    Documents have the body ``{"dataset": {...}, "form": "json" | "rdf"}``. A server that says
    that nothing changed (304) is believed. Raises :class:`ProtocolError` (``no_catalogue``) for an
    answer that holds none.
    """
    url: str | None = options.url
    used: set[str] = set()
    given: set[str] = set()
    walk.next_since = walk.started
    while url is not None:
        if url in used or len(used) >= MAX_PAGES:
            walk.short = "the catalogue's pages lead round in circles"
            return
        first = not used
        used.add(url)
        payload = await fetch(
            Request(
                url=url,
                headers={"Accept": ACCEPT, **(_conditions(walk) if first else {})},
                kinds=("json", "xml", "text"),
                accept=(200, 304),
            )
        )
        if payload.status == 304:
            walk.complete = True
            return
        datasets, following = read(payload)
        if first and following is None:
            headers = {name.lower(): value for name, value in payload.headers.items()}
            walk.learned["etag"] = headers.get("etag")
            walk.learned["modified"] = headers.get("last-modified")
        documents, rejects = _documents(datasets, given)
        url = following
        yield Page(payloads=[payload], documents=documents, rejects=rejects)
    walk.covers_all = True
    walk.complete = True


def _conditions(walk: Walk) -> dict[str, str]:
    """What spares the server to send a catalogue that did not change; not in a whole walk."""
    if walk.since is None:
        return {}
    named = {"If-None-Match": "etag", "If-Modified-Since": "modified"}
    return {header: walk.memory[key] for header, key in named.items() if walk.memory.get(key)}


def _documents(
    datasets: list[dict[str, Json]], given: set[str]
) -> tuple[list[Document], list[Reject]]:
    documents: list[Document] = []
    rejects: list[Reject] = []
    for dataset in datasets:
        name = dataset.get("identifier") or dataset.get("@id") or dataset.get("landingPage")
        if not isinstance(name, str) or not name.strip():
            rejects.append(Reject(reason="no_identifier", fragment=repr(dataset).encode()[:4096]))
        elif name in given:
            rejects.append(Reject(reason="identifier_twice", identifier=name))
        else:
            given.add(name)
            stamp = dataset.get("modified")
            form = str(dataset.pop("", "json"))
            documents.append(
                Document(
                    identifier=name,
                    datestamp=str(stamp) if stamp else None,
                    body={"dataset": dataset, "form": form},
                )
            )
    return documents, rejects


def read(payload: Payload) -> tuple[list[dict[str, Json]], str | None]:
    """The data sets of one answer, and the address of the next page."""
    kind = kind_of(payload.body)
    if kind == "json":
        answer = jsons.parse(payload.body, payload.url)
        found = answer.get("dataset") if isinstance(answer, dict) else None
        if isinstance(found, list):
            return [row for row in found if isinstance(row, dict)], None
        if not (isinstance(answer, list) or "@graph" in answer or "@context" in answer):
            raise _no_catalogue(payload)
        if isinstance(answer, dict) and isinstance(answer.get("@context"), str | list):
            # A context elsewhere would be fetched by the parser, from wherever it points.
            raise ProtocolError(
                f"{payload.url}: JSON-LD with a context elsewhere, which is not fetched. Ask for "
                "the catalogue as Turtle or RDF/XML.",
                reason="context",
            )
        form = "json-ld"
    elif kind == "xml":
        xml.parse(payload.body, payload.url)  # refuses what must not be parsed
        form = "xml"
    else:
        form = "turtle"
    graph = Graph()
    try:
        graph.parse(data=payload.body, format=form, publicID=payload.url)
    except Exception as error:  # each of rdflib's parsers has errors of its own
        raise ProtocolError(
            f"{payload.url}: not readable as {form}: {str(error)[:200]}. Look at what the address "
            "answers.",
            reason="not_rdf",
        ) from error
    if not any(graph.subjects(RDF.type, DCAT.Catalog)) and not any(
        graph.subjects(RDF.type, DCAT.Dataset)
    ):
        raise _no_catalogue(payload)
    following = next((o for p in _NEXT for o in graph.objects(None, p)), None)
    address = urljoin(payload.url, str(following)) if isinstance(following, URIRef) else None
    return [_dataset(graph, node) for node in _sorted(graph)], address


def _no_catalogue(payload: Payload) -> ProtocolError:
    return ProtocolError(
        f"{payload.url}: there is no catalogue of data sets in the answer. DKAN and ArcGIS Hub "
        "have it at /data.json; others say where on their pages.",
        reason="no_catalogue",
    )


def _sorted(graph: Graph) -> Iterator[Any]:
    yield from sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)


def _dataset(graph: Graph, node: Any) -> dict[str, Json]:
    """A data set of a graph, with the keys of the JSON form."""
    made: dict[str, Json] = {
        "": "rdf",
        "@id": None if isinstance(node, BNode) else str(node),
        "identifier": _one(graph, node, DCTERMS.identifier),
        "title": _texts(graph, node, DCTERMS.title),
        "description": _texts(graph, node, DCTERMS.description),
        "modified": _one(graph, node, DCTERMS.modified),
        "issued": _one(graph, node, DCTERMS.issued),
        "keyword": _texts(graph, node, DCAT.keyword),
        "theme": [_label(graph, theme) for theme in graph.objects(node, DCAT.theme)],
        "landingPage": _one(graph, node, DCAT.landingPage),
        "license": _one(graph, node, DCTERMS.license),
        "language": sorted(str(o) for o in graph.objects(node, DCTERMS.language)),
        "publisher": {"name": _agent(graph, graph.value(node, DCTERMS.publisher))},
        "spatial": [
            said for o in graph.objects(node, DCTERMS.spatial) for said in _place(graph, o)
        ],
        "temporal": _period(graph, graph.value(node, DCTERMS.temporal)),
        "distribution": [
            {
                "title": _one(graph, part, DCTERMS.title),
                "downloadURL": _one(graph, part, DCAT.downloadURL),
                "accessURL": _one(graph, part, DCAT.accessURL),
                "mediaType": _one(graph, part, DCAT.mediaType),
                "byteSize": _one(graph, part, DCAT.byteSize),
            }
            for part in sorted(graph.objects(node, DCAT.distribution), key=str)
        ],
    }
    return {key: value for key, value in made.items() if value not in (None, [], "", {})}


def _one(graph: Graph, node: Any, name: URIRef) -> str | None:
    found = sorted(str(o) for o in graph.objects(node, name) if not isinstance(o, BNode))
    return found[0] if found else None


def _texts(graph: Graph, node: Any, name: URIRef) -> list[Json]:
    found = [o for o in graph.objects(node, name) if isinstance(o, Literal)]
    return [
        {"value": str(o), **({"lang": o.language} if o.language else {})}
        for o in sorted(found, key=lambda o: (o.language or "", str(o)))
    ]


def _label(graph: Graph, node: Any) -> Json:
    for name in (SKOS.prefLabel, RDFS.label):
        if texts := _texts(graph, node, name):
            return texts[0]
    return {"value": str(node)} if isinstance(node, Literal) else {"uri": str(node)}


def _agent(graph: Graph, node: Any) -> str | None:
    if node is None or isinstance(node, Literal):
        return str(node) if node is not None else None
    found = graph.value(node, FOAF.name) or graph.value(node, SKOS.prefLabel)
    return str(found) if found is not None else None


def _place(graph: Graph, node: Any) -> list[str]:
    if isinstance(node, Literal):
        return [str(node)]
    labels = [str(o) for p in (SKOS.prefLabel, RDFS.label) for o in graph.objects(node, p)]
    return labels or ([str(node)] if isinstance(node, URIRef) else [])


def _period(graph: Graph, node: Any) -> str | None:
    if node is None or isinstance(node, Literal):
        return str(node) if node is not None else None
    start, end = (_one(graph, node, name) or "" for name in (DCAT.startDate, DCAT.endDate))
    return f"{start}/{end}" if start or end else None
