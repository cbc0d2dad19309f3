"""Concepts of a SKOS vocabulary, from a graph that is at hand; nothing is fetched.

Labels are read from SKOS (``skos:prefLabel``) and from SKOS-XL (``skosxl:prefLabel``, a node with
a ``skosxl:literalForm``), notes as literals and as nodes with an ``rdf:value``. See SKOS
Reference §5, §7, §8, §10 and appendix B.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from rdflib import Graph, Literal, URIRef
from rdflib.namespace import DCTERMS, RDF, SKOS
from rdflib.term import Node

from chm_hub.document import Json
from chm_hub.errors import ProtocolError
from harvesters import graphs, jsons, xml

_XL = "http://www.w3.org/2008/05/skos-xl#"
_RDF_XML = frozenset({"application/rdf+xml", "application/xml", "text/xml"})
FORMATS = {
    "application/n-triples": "nt",
    "application/ld+json": "json-ld",
    "text/turtle": "turtle",
    **dict.fromkeys(_RDF_XML, "xml"),
}
"""Media types that are understood, and what rdflib calls them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """A text and its language; ``None`` where the vocabulary does not say."""

    value: str
    lang: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """One term of a vocabulary. Lists are in a fixed order, whatever that of the graph."""

    uri: str
    identifier: str
    """Its notation or ``dcterms:identifier``, else what stands last in its address."""
    labels: list[Label] = field(default_factory=list)
    """Preferred labels, one a language."""
    others: list[Label] = field(default_factory=list)
    """Alternative and hidden labels."""
    definitions: list[Label] = field(default_factory=list)
    broader: list[str] = field(default_factory=list)
    narrower: list[str] = field(default_factory=list)
    related: list[str] = field(default_factory=list)
    exact: list[str] = field(default_factory=list)
    """``skos:exactMatch``: the same concept in other vocabularies."""
    close: list[str] = field(default_factory=list)
    """``skos:closeMatch``."""
    schemes: list[str] = field(default_factory=list)
    top: bool = False
    """Whether nothing is broader. What the graph marks as a top concept is not believed:
    InforMEA's thesaurus so marks every concept."""

    def label(self, lang: str = "en") -> str:
        """The preferred label in a language, else any, else the identifier."""
        for text in self.labels:
            if text.lang == lang:
                return text.value
        return self.labels[0].value if self.labels else self.identifier


def concepts(graph: bytes, media_type: str) -> Iterator[Concept]:
    """The concepts of a graph, by their addresses.

    A broader term counts from either side (``skos:broader``, ``skos:narrower``). Raises
    :class:`ProtocolError`: ``not_rdf`` for what cannot be read or is of another media type.
    """
    read = _parse(graph, media_type)
    narrower: dict[str, set[str]] = {}
    broader: dict[str, set[str]] = {}
    for below, above in read.subject_objects(SKOS.broader):
        broader.setdefault(str(below), set()).add(str(above))
        narrower.setdefault(str(above), set()).add(str(below))
    for above, below in read.subject_objects(SKOS.narrower):
        broader.setdefault(str(below), set()).add(str(above))
        narrower.setdefault(str(above), set()).add(str(below))
    subjects = {s for s in read.subjects(RDF.type, SKOS.Concept) if isinstance(s, URIRef)}
    for subject in sorted(subjects):
        uri = str(subject)
        yield Concept(
            uri=uri,
            identifier=_identifier(read, subject),
            labels=_labels(read, subject, "prefLabel"),
            others=[
                *_labels(read, subject, "altLabel"),
                *_labels(read, subject, "hiddenLabel"),
            ],
            definitions=_notes(read, subject),
            broader=sorted(broader.get(uri, ())),
            narrower=sorted(narrower.get(uri, ())),
            related=_addresses(read, subject, SKOS.related),
            exact=_addresses(read, subject, SKOS.exactMatch),
            close=_addresses(read, subject, SKOS.closeMatch),
            schemes=_addresses(read, subject, SKOS.inScheme),
            top=uri not in broader,
        )


def _parse(graph: bytes, media_type: str) -> Graph:
    name = FORMATS.get(media_type.partition(";")[0].strip().lower())
    if name is None:
        raise ProtocolError(
            f"{media_type!r} is no form of RDF that is understood; those are "
            f"{', '.join(sorted(FORMATS))}.",
            reason="not_rdf",
        )
    if name == "xml":
        # rdflib's own parser knows of DOCTYPEs and entities; ours takes them out first.
        root, repairs = xml.parse(graph, "the vocabulary")
        if "recovered" in repairs:
            raise _unreadable("it breaks off")
        graph = xml.to_bytes(root)
    if name == "json-ld" and _refers_elsewhere(jsons.parse(graph, "the vocabulary")):
        raise _unreadable("its context stands elsewhere, and nothing is fetched")
    try:
        read, _ = graphs.parse(graph, name, "")
    except ProtocolError as error:
        raise _unreadable(str(error.__cause__ or error)) from error
    return read


def _unreadable(why: str) -> ProtocolError:
    return ProtocolError(
        f"The vocabulary is not RDF that can be read: {why[:200]}. Look at the file.",
        reason="not_rdf",
    )


def _refers_elsewhere(value: Json) -> bool:
    """Whether JSON-LD names a context that would have to be fetched."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += item
        elif isinstance(item, dict):
            context = item.get("@context")
            if (
                any(
                    isinstance(c, str)
                    for c in [context, *(context if isinstance(context, list) else [])]
                )
                or "@import" in item
            ):
                return True
            waiting += item.values()
    return False


def _identifier(graph: Graph, subject: URIRef) -> str:
    for predicate in (SKOS.notation, DCTERMS.identifier):
        said = sorted(str(value) for value in graph.objects(subject, predicate))
        if said:
            return said[0]
    uri = str(subject).rstrip("/#")
    return uri.replace("#", "/").rpartition("/")[2] or uri


def _labels(graph: Graph, subject: URIRef, name: str) -> list[Label]:
    """Labels of one kind, in SKOS and in SKOS-XL."""
    direct = graph.objects(subject, SKOS[name])
    nodes = graph.objects(subject, URIRef(_XL + name))
    forms = (form for node in nodes for form in graph.objects(node, URIRef(_XL + "literalForm")))
    return _texts([*direct, *forms])


def _notes(graph: Graph, subject: URIRef) -> list[Label]:
    """Definitions, as literals and as nodes that hold one."""
    found: list[Node] = []
    for note in graph.objects(subject, SKOS.definition):
        found += [note] if isinstance(note, Literal) else graph.objects(note, RDF.value)
    return _texts(found)


def _texts(nodes: Iterable[Any]) -> list[Label]:
    found = {
        (node.language or "", str(node).strip()) for node in nodes if isinstance(node, Literal)
    }
    return [Label(value=value, lang=lang or None) for lang, value in sorted(found) if value]


def _addresses(graph: Graph, subject: URIRef, predicate: URIRef) -> list[str]:
    return sorted(
        str(node) for node in graph.objects(subject, predicate) if isinstance(node, URIRef)
    )
