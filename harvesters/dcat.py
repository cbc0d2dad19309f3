"""Catalogues of data sets in one document: DCAT as JSON (``data.json``) or as RDF.

Whatever the form, a data set becomes a plain object with the keys of the JSON form (DCAT-US
1.1), so that one crosswalk reads all. RDF is parsed by rdflib from what was looked at before: no
DTD, no entities, and nothing is fetched because a document says so.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from typing import Any

from rdflib import BNode, Graph, Literal, URIRef
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF, RDFS, SKOS, Namespace

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from chm_hub.language_maps import texts_of
from harvesters import dcat_shapes, encodings, graphs, jsons, xml
from harvesters.again import Given
from harvesters.site import Site

HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
MAX_PAGES = 2_000
MAX_EMPTY = 10
"""So many pages in a row without a data set are no catalogue that goes on."""
ACCEPT = "application/json, text/turtle;q=0.9, application/rdf+xml;q=0.8, application/ld+json;q=0.7"
CONTEXT_NOT_READ = "context_not_read"
"""What is said of JSON-LD whose context stands elsewhere: it was read by the names of its keys."""
ADMS = Namespace("http://www.w3.org/ns/adms#")
LOCN = Namespace("http://www.w3.org/ns/locn#")
SCHEMA = Namespace("http://schema.org/")
_NEXT = (HYDRA.next, HYDRA.nextPage)
_SHAPES = (DCAT.bbox, LOCN.geometry, DCAT.centroid)
# A name of an element; an address in Turtle has no blank or bracket after its first words.
_ELEMENT = re.compile(rb"(?:<[?!]|<[A-Za-z_][\w.-]*(?::[A-Za-z_][\w.-]*)?[\s/>])")
_SHAPE = re.compile(
    r"\s*(?:SRID=\d+;|<(?:https?|urn):[^<>]*>)?\s*"
    r"(?:[-+]?\d|[{\[]|(?:MULTI)?(?:POINT|POLYGON|LINESTRING)\b|<(?:[\w.-]+:)?[A-Z]\w*[\s>])",
    re.IGNORECASE,
)
_ENVELOPE = re.compile(r"\s*ENVELOPE\s*\(([^,)]+),([^,)]+),([^,)]+),([^,)]+)\)\s*", re.IGNORECASE)
_XML = re.compile(r"<(?!https?:|urn:)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask for a catalogue."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What one answer holds of a catalogue."""

    form: str
    """``json`` or ``rdf``."""
    datasets: list[Json]
    following: str | None = None
    """The address of the next page."""
    total: int | None = None
    """How many data sets there are on all pages, if it says so."""
    title: str | None = None
    """What the catalogue is called, if it says so."""
    warnings: list[str] = field(default_factory=list)


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Read a catalogue, following ``hydra:next`` where it has pages.

    Documents have the body ``{"dataset": {...}, "form": "json" | "rdf", "place": {"names": [...],
    "shape": ...}}``. A server that says that nothing changed (304) is believed. Sets
    ``walk.short`` for pages that lead round in circles or to another host, and for fewer data
    sets than were announced. Raises :class:`ProtocolError` (``no_catalogue``, ``context``,
    ``not_rdf``) for an answer that cannot be read as a catalogue.
    """
    url: str | None = options.url
    used: set[str] = set()
    given = Given()
    seen = empty = 0
    total: int | None = None
    walk.next_since = walk.started
    site = Site(options.url)
    while url is not None:
        walk.short = _astray(url, used, site, options.url)
        if walk.short is not None:
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
        site.follow(url, payload.url)
        # A large graph takes rdflib a while, in which others go on.
        found = await asyncio.to_thread(read, payload)
        if first and found.following is None:
            headers = {name.lower(): value for name, value in payload.headers.items()}
            walk.learned["etag"] = headers.get("etag")
            walk.learned["modified"] = headers.get("last-modified")
        known = len(given)
        documents, rejects = _documents(found, given)
        if not first and found.datasets and len(given) == known:
            walk.short = "a page came twice: the catalogue sends us round in circles"
            return
        empty = 0 if found.datasets else empty + 1
        if empty > MAX_EMPTY:
            walk.short = f"{empty} pages in a row were empty and lead on"
            return
        repeated = len(found.datasets) - len(documents) - len(rejects)
        seen += len(found.datasets)
        total = found.total if found.total is not None else total
        url = found.following
        yield Page(
            payloads=[payload],
            documents=documents,
            rejects=rejects,
            warnings=found.warnings + ["duplicate"] * repeated,
            total=total,
        )
    if total is not None and seen < total:
        walk.lacking = total - seen
        if not walk.announces_more:
            walk.short = f"the source announced {total} data sets and gave {seen}"
            return
    walk.covers_all = True
    walk.complete = True


def _astray(url: str, used: set[str], site: Site, start: str) -> str | None:
    """Why the next page is not followed, if it is not."""
    if url in used:
        return "the catalogue's pages lead round in circles"
    if len(used) >= MAX_PAGES:
        return f"the limit of {MAX_PAGES} pages was reached"
    # Behind a proxy a server may not know its port.
    if not site.holds(url) and urlsplit(url).hostname != urlsplit(start).hostname:
        return f"the next page would be on another host ({urlsplit(url).hostname})"
    return None


def _conditions(walk: Walk) -> dict[str, str]:
    """What spares the server to send a catalogue that did not change; not in a whole walk."""
    if walk.since is None:
        return {}
    named = {"If-None-Match": "etag", "If-Modified-Since": "modified"}
    return {header: walk.memory[key] for header, key in named.items() if walk.memory.get(key)}


def _documents(found: Catalogue, given: Given) -> tuple[list[Document], list[Reject]]:
    documents: list[Document] = []
    rejects: list[Reject] = []
    for row in found.datasets:
        dataset = row if isinstance(row, dict) else {}
        named = (dataset.get(key) for key in ("identifier", "@id", "landingPage", "id"))
        name = next((made for made in map(_name, named) if made), None)
        if name is None:
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
        elif not given.again(name, dataset):
            stamp = dataset.get("modified")
            documents.append(
                Document(
                    identifier=name,
                    datestamp=str(stamp) if stamp else None,
                    body={"dataset": dataset, "form": found.form, "place": place(dataset)},
                )
            )
    return documents, rejects


def _name(value: Json) -> str | None:
    """An identifier; some catalogues count theirs in numbers."""
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value if isinstance(value, str) and value.strip() else None


def place(dataset: dict[str, Json]) -> dict[str, Json]:
    """The ``spatial`` of a data set parted: names of places (texts, or ``{"value", "lang"}``), and
    a shape (WKT, GeoJSON or four numbers: west, south, east, north) or a list of several, as all of
    them stand under the one key."""
    names: list[Json] = []
    own = dataset.get("bbox")
    shapes: list[Json] = list(own) if isinstance(own, list) and not _is_box(own) else [own]
    shapes = [shape for shape in shapes if shape]
    spatial = dataset.get("spatial")
    if _is_box(spatial):
        return {"names": [], "shape": spatial}
    for part in spatial if isinstance(spatial, list) else [spatial]:
        if isinstance(part, dict):
            _describe(part, names, shapes)
        elif isinstance(part, str) and (box := _ENVELOPE.fullmatch(part)):
            west, east, north, south = box.groups()
            shapes.append(f"{west},{south},{east},{north}")
        elif isinstance(part, str) and part.strip():
            (shapes if _SHAPE.match(part) else names).append(part)
        elif _is_box(part):
            shapes.append(part)
    return {"names": names, "shape": shapes[0] if len(shapes) == 1 else shapes or None}


_LABELS = ("prefLabel", "label", "name", "title", "geographicName", "geographicIdentifier")
_DRAWN = ("bbox", "geometry", "box", "polygon", "centroid")
_SIDES = (
    ("west", "south", "east", "north"),
    ("minx", "miny", "maxx", "maxy"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude"),
)


def _describe(part: dict[str, Json], names: list[Json], shapes: list[Json]) -> None:
    """Add what an object says of a place: its names in all languages, its shape."""
    plain = {dcat_shapes.key_of(key): value for key, value in part.items()}
    if "coordinates" in plain or "features" in plain:
        shapes.append(part)
        return
    drawn = [plain[key] for key in _DRAWN if plain.get(key)]
    sides = next((keys for keys in _SIDES if all(plain.get(k) is not None for k in keys)), None)
    if sides:
        drawn.append(",".join(str(plain[key]) for key in sides))
    for shape in drawn:
        # A typed literal of JSON-LD, whose value is WKT or GeoJSON.
        shapes.append(shape.get("@value", shape) if isinstance(shape, dict) else shape)
    labels = next((said for key in _LABELS if (said := texts_of(plain.get(key)))), [])
    if not labels and not drawn:
        labels = texts_of(plain)
    if not labels and isinstance(plain.get("@id"), str):
        labels = [{"value": plain["@id"]}]
    for label in labels:
        if _SHAPE.match(label["value"]):
            shapes.append(label["value"])
        else:
            names.append(label if "lang" in label else label["value"])


def _is_box(value: Json) -> bool:
    """Whether a list is four numbers and no list of places."""
    return (
        isinstance(value, list)
        and len(value) == 4
        and all(isinstance(n, int | float) and not isinstance(n, bool) for n in value)
    )


def read(payload: Payload) -> Catalogue:
    """What one answer holds."""
    form = _form(payload)
    charsets = [charset for charset in (payload.charset(),) if charset]
    plain: Catalogue | None = None
    if form == "json-ld":
        said: Counter[str] = Counter()
        answer = jsons.read(payload, said)
        repairs = list(said)
        plain = _plain_catalogue(answer, repairs)
        if plain is not None and isinstance(answer, dict) and "@graph" not in answer:
            return plain
        if not (isinstance(answer, list) or "@graph" in answer or "@context" in answer):
            raise _no_catalogue(payload)
        if _fetches(answer) and plain is not None:
            # Its names are those that DCAT-US has, with and without prefixes.
            plain.warnings.append(CONTEXT_NOT_READ)
            return plain
        if _fetches(answer):
            # The parser would get it from wherever it points, past the hub's own client.
            raise ProtocolError(
                f"{payload.url}: JSON-LD with a context elsewhere, which is not fetched. Ask for "
                "the catalogue as Turtle or RDF/XML.",
                reason="context",
            )
        data: bytes | str = json.dumps(answer)
    elif form == "xml":
        # What is parsed is what was looked at: the DOCTYPE is gone from it.
        root, repairs = xml.parse(payload.body, payload.url, charsets=charsets)
        if "recovered" in repairs:
            # Whatever broke off is half a data set, and which one a graph does not tell.
            raise ProtocolError(
                f"{payload.url}: not readable as RDF: it is not well-formed, and may have been cut "
                "off. The next run will try again; tell the portal's contact if it lasts.",
                reason="not_rdf",
            )
        data = xml.to_bytes(root)
    else:
        data, _, repairs = encodings.read(payload.body, ["utf-8"], charsets)
    graph, odd = graphs.parse(data, form, payload.url)
    if not any(graph.subjects(RDF.type, DCAT.Catalog)) and not any(
        graph.subjects(RDF.type, DCAT.Dataset)
    ):
        if plain is not None:
            return plain
        raise _no_catalogue(payload)
    # Links by the standard, texts as CKAN writes them.
    following = sorted({str(o).strip() for p in _NEXT for o in graph.objects(None, p)} - {""})
    totals = [str(o) for o in graph.objects(None, HYDRA.totalItems)]
    return Catalogue(
        form="rdf",
        datasets=[_dataset(graph, node) for node in _sorted(graph)],
        following=urljoin(payload.url, following[0]) if following else None,
        total=next((int(t) for t in totals if t.isascii() and t.isdigit()), None),
        title=_called(graph),
        warnings=[*repairs, *odd],
    )


def _plain_catalogue(answer: Json, repairs: list[str]) -> Catalogue | None:
    """What a catalogue in JSON says to those who know DCAT-US and nothing of JSON-LD."""
    rows = dcat_shapes.datasets_in(answer)
    if rows is None:
        return None
    datasets = [dcat_shapes.in_shape(row) if isinstance(row, dict) else row for row in rows]
    return Catalogue(form="json", datasets=datasets, total=len(datasets), warnings=repairs)


def _form(payload: Payload) -> str:
    """What an answer is written in: ``json-ld`` (any JSON), ``xml`` or ``turtle``.

    Turtle may begin like any of the others, so what the server says of it counts; others are
    told by how they begin.
    """
    headers = {name.lower(): value.lower() for name, value in payload.headers.items()}
    said = headers.get("content-type", "")
    head = payload.body[:2048].removeprefix(b"\xef\xbb\xbf").lstrip()
    if ("turtle" in said or "n-triples" in said) and not head.startswith((b"<?xml", b"<rdf:RDF")):
        return "turtle"
    if kind_of(payload.body) == "json":
        return "json-ld"
    return "xml" if _ELEMENT.match(head) or head.startswith(b"\xff\xfe") else "turtle"


def _fetches(answer: Json) -> bool:
    """Whether anything in a JSON-LD document would be fetched to understand it: a context that
    is an address, wherever it stands (JSON-LD 1.1 §3.1, §4.1.9, §4.1.10)."""
    waiting = [answer]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            context = item.get("@context")
            parts = context if isinstance(context, list) else [context]
            if "@import" in item or any(isinstance(part, str | list) for part in parts):
                return True
            waiting += item.values()
    return False


def _no_catalogue(payload: Payload) -> ProtocolError:
    return ProtocolError(
        f"{payload.url}: there is no catalogue of data sets in the answer. DKAN and ArcGIS Hub "
        "have it at /data.json; others say where on their pages.",
        reason="no_catalogue",
    )


def _called(graph: Graph) -> str | None:
    """The title of the catalogue in a graph; of several languages English, or the first."""
    said = [
        title
        for node in graph.subjects(RDF.type, DCAT.Catalog)
        for title in graph.objects(node, DCTERMS.title)
        if isinstance(title, Literal)
    ]
    said.sort(key=lambda title: (str(title.language or "").lower()[:2] != "en", str(title)))
    return " ".join(str(said[0]).split()) or None if said else None


def _sorted(graph: Graph) -> Iterator[Any]:
    yield from sorted(set(graph.subjects(RDF.type, DCAT.Dataset)), key=str)


def _dataset(graph: Graph, node: Any) -> dict[str, Json]:
    """A data set of a graph, with the keys of the JSON form."""
    themes = sorted(graph.objects(node, DCAT.theme), key=str)
    places = sorted(graph.objects(node, DCTERMS.spatial), key=str)
    made: dict[str, Json] = {
        "@id": None if isinstance(node, BNode) else str(node),
        "identifier": _one(graph, node, DCTERMS.identifier),
        "title": _texts(graph, node, DCTERMS.title),
        "description": _texts(graph, node, DCTERMS.description),
        "modified": _one(graph, node, DCTERMS.modified),
        "issued": _one(graph, node, DCTERMS.issued),
        "keyword": _texts(graph, node, DCAT.keyword),
        "theme": [said for o in themes for said in _label(graph, o)],
        "landingPage": _one(graph, node, DCAT.landingPage),
        "license": _one(graph, node, DCTERMS.license),
        "language": sorted(str(o) for o in graph.objects(node, DCTERMS.language)),
        "accessRights": _one(graph, node, DCTERMS.accessRights),
        "publisher": _agents(graph, node, DCTERMS.publisher),
        "creator": _agents(graph, node, DCTERMS.creator),
        "rights": _statements(graph, node, DCTERMS.rights),
        "otherIdentifier": _other_identifiers(graph, node),
        "spatial": [said for o in places for said in _place(graph, o)],
        "bbox": [said for o in places if (said := _shape(graph, o))],
        "temporal": _period(graph, graph.value(node, DCTERMS.temporal)),
        "distribution": [
            {
                "title": _texts(graph, part, DCTERMS.title),
                "downloadURL": _one(graph, part, DCAT.downloadURL),
                "accessURL": _one(graph, part, DCAT.accessURL),
                "mediaType": _one(graph, part, DCAT.mediaType),
                "format": _one(graph, part, DCTERMS["format"]),
                "byteSize": _one(graph, part, DCAT.byteSize),
                "license": _one(graph, part, DCTERMS.license),
            }
            for part in sorted(graph.objects(node, DCAT.distribution), key=str)
        ],
    }
    # A licence that stands with every file, and is the same, is that of the whole.
    licences = {part["license"] for part in made["distribution"]}
    if not made["license"] and len(licences) == 1:
        made["license"] = licences.pop()
    return {key: value for key, value in made.items() if value not in (None, [], "", {})}


def _one(graph: Graph, node: Any, name: URIRef) -> str | None:
    found = sorted(str(o) for o in graph.objects(node, name) if not isinstance(o, BNode))
    return found[0] if found else None


def _texts(graph: Graph, node: Any, name: URIRef) -> list[Json]:
    found = [o for o in graph.objects(node, name) if isinstance(o, Literal)]
    return [_literal(o) for o in sorted(found, key=lambda o: (o.language or "", str(o)))]


def _literal(said: Literal) -> dict[str, Json]:
    return {"value": str(said), **({"lang": said.language} if said.language else {})}


def _statements(graph: Graph, node: Any, name: URIRef) -> list[Json]:
    """Texts, and the labels of statements that are nodes; of one without a label its address."""
    made = _texts(graph, node, name)
    for part in sorted(graph.objects(node, name), key=str):
        if not isinstance(part, Literal):
            address = [] if isinstance(part, BNode) else [{"value": str(part)}]
            made += (
                _texts(graph, part, RDFS.label) or _texts(graph, part, SKOS.prefLabel) or address
            )
    return made


def _other_identifiers(graph: Graph, node: Any) -> list[str]:
    """All identifiers of a data set but the first (DCAT-AP 3, `adms:identifier`)."""
    found = sorted(str(o) for o in graph.objects(node, DCTERMS.identifier))[1:]
    for part in sorted(graph.objects(node, ADMS.identifier), key=str):
        noted = [str(o) for o in graph.objects(part, SKOS.notation)]
        found += noted or ([] if isinstance(part, BNode) else [str(part)])
    return found


def _label(graph: Graph, node: Any) -> list[Json]:
    """What a theme is called, in each language, or its address."""
    uri = {} if isinstance(node, Literal | BNode) else {"uri": str(node)}
    for name in (SKOS.prefLabel, RDFS.label):
        if texts := _texts(graph, node, name):
            return [{**said, **uri} for said in texts]
    return [{"value": str(node)}] if isinstance(node, Literal) else [uri] if uri else []


def _agents(graph: Graph, node: Any, name: URIRef) -> list[Json]:
    """Agents that have a name, in each of its languages; a literal is the name of one."""
    made: list[Json] = []
    for agent in sorted(graph.objects(node, name), key=str):
        if isinstance(agent, Literal):
            names: list[Json] = [_literal(agent)]
        else:
            said = (_texts(graph, agent, kind) for kind in (FOAF.name, SKOS.prefLabel, RDFS.label))
            names = next((texts for texts in said if texts), [])
        if names:
            plain = len(names) == 1 and "lang" not in names[0]
            uri = {"uri": str(agent)} if isinstance(agent, URIRef) else {}
            made.append({"name": names[0]["value"] if plain else names, **uri})
    return made


def _place(graph: Graph, node: Any) -> list[str]:
    if isinstance(node, Literal):
        return [str(node)]
    labels = [str(o) for p in (SKOS.prefLabel, RDFS.label) for o in graph.objects(node, p)]
    return sorted(labels) or ([str(node)] if isinstance(node, URIRef) else [])


def _shape(graph: Graph, node: Any) -> str | None:
    """The shape of a place: WKT, GeoJSON, or GML where there is neither of them."""
    found = [str(o).strip() for name in _SHAPES for o in sorted(graph.objects(node, name), key=str)]
    written = [shape for shape in found if shape]
    return min(written, key=lambda shape: bool(_XML.match(shape)), default=None)


def _period(graph: Graph, node: Any) -> str | None:
    if node is None or isinstance(node, Literal):
        return str(node) if node is not None else None
    starts, ends = (DCAT.startDate, SCHEMA.startDate), (DCAT.endDate, SCHEMA.endDate)
    start, end = (
        next((said for name in names if (said := _one(graph, node, name))), "")
        for names in (starts, ends)
    )
    return f"{start}/{end}" if start or end else None
