"""An RDF document as plain JSON, read by rdflib.

The bytes are looked at before: a DTD is taken out, nothing is fetched because a document says
so.
"""

from __future__ import annotations

from rdflib import BNode, Literal, URIRef
from rdflib.namespace import DC, DCTERMS, FOAF, OWL, RDF, RDFS, SKOS

from chm_hub.document import Json, Payload
from chm_hub.errors import ProtocolError
from harvesters import graphs, xml

_PREFIXES = {
    str(DCTERMS): "dcterms",
    str(DC): "dc",
    str(FOAF): "foaf",
    str(OWL): "owl",
    str(RDF): "rdf",
    str(RDFS): "rdfs",
    str(SKOS): "skos",
    "http://purl.org/rss/1.0/": "rss",
    "http://purl.org/rss/1.0/modules/event/": "ev",
}


def things(payload: Payload) -> tuple[list[dict[str, Json]], list[str]]:
    """What an RDF/XML document describes, a thing each: ``about``, and under the names of its
    properties (``dcterms:title``) lists of ``{value, lang?}`` or ``{uri}``. Also what had to be
    repaired to read it.

    Raises :class:`ProtocolError` (``not_xml``, ``not_rdf``, ``cut_off``).
    """
    root, warnings = xml.parse(payload.body, payload.url)
    if xml.CUT_OFF in warnings:
        raise ProtocolError(
            f"{payload.url}: ends in the middle; what a thing is without its other half nobody "
            "knows. The next run will try again.",
            reason=xml.CUT_OFF,
        )
    if xml.local(root.tag) != "RDF":
        raise ProtocolError(
            f"{payload.url}: XML, but not RDF. Look at what the address answers.", reason="not_rdf"
        )
    graph, odd = graphs.parse(xml.to_bytes(root), "xml", payload.url)
    made = []
    for subject in sorted(set(graph.subjects()), key=str):
        if isinstance(subject, BNode):
            continue
        thing: dict[str, Json] = {"about": str(subject)}
        for name, value in sorted(graph.predicate_objects(subject), key=lambda p: str(p)):
            thing.setdefault(_short(str(name)), []).append(_value(value))
        made.append(thing)
    return made, [*warnings, *odd]


def _value(value: object) -> Json:
    if isinstance(value, Literal):
        return {"value": str(value), **({"lang": value.language} if value.language else {})}
    return {"uri": str(value)} if isinstance(value, URIRef) else {"value": ""}


def _short(name: str) -> str:
    for namespace, prefix in _PREFIXES.items():
        if name.startswith(namespace):
            return f"{prefix}:{name.removeprefix(namespace)}"
    return name
