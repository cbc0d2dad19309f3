"""DCAT 3 in RDF/XML, as DCAT-AP 3 profiles it.

A data set is a ``dcat:Dataset``; anything else is a ``dcat:Resource`` with a class of
schema.org beside it, since calling a piece of news a data set would not be true.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import langcodes
import pycountry
from lxml import etree

from chm_hub.record import Agent, Record
from mappings import boxes
from mappings.boxes import Box
from mappings.tables import rows

RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
NAMESPACE = RDF
SCHEMA_PATH = "/schemas/rdf.xsd"
SCHEMA_FILE = Path(__file__).with_name("rdf.xsd")
DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"
FOAF = "http://xmlns.com/foaf/0.1/"
SKOS = "http://www.w3.org/2004/02/skos/core#"
RDFS = "http://www.w3.org/2000/01/rdf-schema#"
ADMS = "http://www.w3.org/ns/adms#"
XSD = "http://www.w3.org/2001/XMLSchema#"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
GEO = "http://www.opengis.net/ont/geosparql#"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
SCHEMA_ORG = "https://schema.org/"
_AUTHORITY = "http://publications.europa.eu/resource/authority/"
_IANA = "https://www.iana.org/assignments/media-types/"

_NSMAP = {
    "rdf": RDF,
    "rdfs": RDFS,
    "dcat": DCAT,
    "dct": DCT,
    "foaf": FOAF,
    "skos": SKOS,
    "adms": ADMS,
    "xsi": XSI,
}
_ABOUT, _RESOURCE, _DATATYPE = (f"{{{RDF}}}{name}" for name in ("about", "resource", "datatype"))
_MEDIA_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+-]+")
_DATES = {4: "gYear", 7: "gYearMonth", 10: "date"}
_IRI = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*:[^\s<>\"{}|\\^`]+")


def render(record: Record) -> Any:
    """The ``rdf:RDF`` element of a record, with one dataset or resource (DCAT 3, DCAT-AP 3.0)."""
    root = etree.Element(f"{{{RDF}}}RDF", nsmap=_NSMAP)
    # As OAI-PMH wants it of all metadata (§3.4 of the guidelines for repositories).
    root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACE} {{hub}}{SCHEMA_PATH}")
    is_data = record.type == "dataset"
    thing = _node(root, DCAT, "Dataset" if is_data else "Resource")
    # `{hub}` is put in when it is served.
    thing.set(_ABOUT, "{hub}/records/" + quote(record.identifier, safe="/~"))
    if not is_data:
        _link(thing, RDF, "type", SCHEMA_ORG + _classes().get(record.type, "CreativeWork"))
    for text in record.title:
        _text(thing, DCT, "title", text.value, text.lang)
    for text in record.description or record.title:
        _text(thing, DCT, "description", text.value, text.lang)
    if not record.title:
        _text(thing, DCT, "title", record.source_identifier)
    if not record.description and not record.title:
        _text(thing, DCT, "description", record.source_identifier)
    _text(thing, DCT, "identifier", record.source_identifier)
    if record.url and _IRI.fullmatch(record.url):
        page = _node(_node(thing, DCAT, "landingPage"), FOAF, "Document")
        page.set(_ABOUT, record.url)
    for name, date in (("issued", record.issued), ("modified", record.modified)):
        if date:
            _date(thing, DCT, name, date)
    for code in record.language:
        if uri := _language(code):
            _typed(thing, DCT, "language", DCT, "LinguisticSystem", uri)
    _spatial(thing, record)
    if record.temporal is not None:
        period = _node(_node(thing, DCT, "temporal"), DCT, "PeriodOfTime")
        for name, date in (("startDate", record.temporal.start), ("endDate", record.temporal.end)):
            if date:
                _date(period, DCAT, name, date)
    for agent in record.creator:
        _agent(thing, "creator", agent)
    for agent in record.publisher[:1]:  # DCAT-AP allows one
        _agent(thing, "publisher", agent)
    for concept in record.subject:
        if concept.uri and _IRI.fullmatch(concept.uri):
            theme = _node(_node(thing, DCAT, "theme"), SKOS, "Concept")
            theme.set(_ABOUT, concept.uri)
            _text(theme, SKOS, "prefLabel", concept.label, concept.lang)
        else:
            _text(thing, DCAT, "keyword", concept.label, concept.lang)
    for relation in record.relation:
        if _IRI.fullmatch(relation):
            _link(thing, DCT, "relation", relation)
    for other in record.same_as:
        known = _node(_node(thing, ADMS, "identifier"), ADMS, "Identifier")
        _text(known, SKOS, "notation", other, kind=XSD + "string")
    for text in record.rights:
        rights = _node(_node(thing, DCT, "rights"), DCT, "RightsStatement")
        _text(rights, RDFS, "label", text.value, text.lang)
    if record.license and not is_data:
        _license(thing, record.license)
    if is_data:
        _distributions(thing, record)
    else:
        for file in record.distribution:
            if _IRI.fullmatch(file.url):
                _link(thing, DCT, "hasFormat", file.url)
    return root


def _distributions(thing: Any, record: Record) -> None:
    for file in record.distribution:
        if not _IRI.fullmatch(file.url):
            continue
        made = _node(_node(thing, DCAT, "distribution"), DCAT, "Distribution")
        for name in ("accessURL", "downloadURL") if file.media_type else ("accessURL",):
            _typed(made, DCAT, name, RDFS, "Resource", file.url)
        if file.title:
            _text(made, DCT, "title", file.title, file.language)
        if file.media_type and _MEDIA_TYPE.fullmatch(file.media_type):
            _typed(made, DCAT, "mediaType", DCT, "MediaType", _IANA + file.media_type)
        if file.byte_size is not None:
            _text(made, DCAT, "byteSize", str(file.byte_size), kind=XSD + "nonNegativeInteger")
        if record.license:
            _license(made, record.license)


def _spatial(thing: Any, record: Record) -> None:
    for code in record.spatial:
        if uri := _country(code):
            _typed(thing, DCT, "spatial", DCT, "Location", uri)
    for text in record.coverage:
        place = _node(_node(thing, DCT, "spatial"), DCT, "Location")
        _text(place, SKOS, "prefLabel", text.value, text.lang)
    if record.bbox is not None:
        place = _node(_node(thing, DCT, "spatial"), DCT, "Location")
        _text(place, DCAT, "bbox", _wkt(record.bbox), kind=GEO + "wktLiteral")


def _wkt(box: Box) -> str:
    """A box in WKT; one over the 180th meridian in two parts, as WKT knows no such box."""
    rings = [
        ", ".join(f"{x} {y}" for x, y in ((w, s), (e, s), (e, n), (w, n), (w, s)))
        for w, s, e, n in boxes.halves(box)
    ]
    if len(rings) == 1:
        return f"POLYGON(({rings[0]}))"
    return f"MULTIPOLYGON({', '.join(f'(({ring}))' for ring in rings)})"


def _agent(thing: Any, name: str, agent: Agent) -> None:
    made = _node(_node(thing, DCT, name), FOAF, "Agent")
    if agent.uri and _IRI.fullmatch(agent.uri):
        made.set(_ABOUT, agent.uri)
    _text(made, FOAF, "name", agent.name, agent.lang)


def _license(thing: Any, said: str) -> None:
    if _IRI.fullmatch(said):
        _typed(thing, DCT, "license", DCT, "LicenseDocument", said)
    else:
        made = _node(_node(thing, DCT, "license"), DCT, "LicenseDocument")
        _text(made, RDFS, "label", said)


def _node(parent: Any, namespace: str, name: str) -> Any:
    return etree.SubElement(parent, f"{{{namespace}}}{name}")


def _link(parent: Any, namespace: str, name: str, uri: str) -> None:
    _node(parent, namespace, name).set(_RESOURCE, uri)


def _typed(parent: Any, namespace: str, name: str, of: str, kind: str, uri: str) -> None:
    """A link to something whose class is said here, for those who check ranges."""
    _node(_node(parent, namespace, name), of, kind).set(_ABOUT, uri)


def _text(
    parent: Any,
    namespace: str,
    name: str,
    value: str,
    lang: str | None = None,
    kind: str | None = None,
) -> None:
    element = _node(parent, namespace, name)
    element.text = value
    if lang:
        element.set(LANG, lang)
    if kind:
        element.set(_DATATYPE, kind)


def _date(parent: Any, namespace: str, name: str, date: str) -> None:
    kind = _DATES.get(len(date))
    if kind is None:
        # xsd:dateTime has seconds, W3CDTF may leave them out.
        kind = "dateTime"
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(Z|[+-].*)", date):
            date = f"{date[:16]}:00{date[16:]}"
    _text(parent, namespace, name, date, kind=XSD + kind)


@cache
def _language(tag: str) -> str | None:
    try:
        code = langcodes.Language.get(tag).to_alpha3()
    except LookupError:
        return None
    return f"{_AUTHORITY}language/{code.upper()}"


@cache
def _country(code: str) -> str | None:
    if code == "EU":
        return f"{_AUTHORITY}atu/EUR"
    found = pycountry.countries.get(alpha_2=code)
    return f"{_AUTHORITY}country/{found.alpha_3}" if found else None


@cache
def _classes() -> dict[str, str]:
    """The class of schema.org each record type is of."""
    return {row["id"]: row["schema_org"] for row in rows("record_types")}
