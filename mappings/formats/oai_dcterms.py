"""Qualified Dublin Core (oai_dcterms): DCMI's terms, with languages, and dates and addresses
that say what they are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from chm_hub.record import Agent, Record, Text

NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dcterms/"
SCHEMA_PATH = "/schemas/oai_dcterms.xsd"
SCHEMA_FILE = Path(__file__).with_name("oai_dcterms.xsd")
DCTERMS = "http://purl.org/dc/terms/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_NSMAP = {"oai_dcterms": NAMESPACE, "dcterms": DCTERMS, "xsi": XSI}
_TERMS = "{" + DCTERMS + "}"
_TYPE = "{" + XSI + "}type"
_DATE = "dcterms:W3CDTF"
_URI = "dcterms:URI"


def render(record: Record) -> Any:
    """The ``oai_dcterms:dcterms`` element of a record (DCMI Metadata Terms)."""
    root = etree.Element(f"{{{NAMESPACE}}}dcterms", nsmap=_NSMAP)
    root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACE} {{hub}}{SCHEMA_PATH}")
    _texts(root, "title", record.title)
    _agents(root, "creator", record.creator)
    for concept in record.subject:
        _add(root, "subject", concept.label, concept.lang)
        if concept.uri is not None:
            _add(root, "subject", concept.uri, None, _URI)
        elif concept.code is not None and concept.code != concept.label:
            _add(root, "subject", concept.code)
    _texts(root, "abstract", record.description)
    _agents(root, "publisher", record.publisher)
    _agents(root, "contributor", record.contributor)
    for name, date in (("issued", record.issued), ("modified", record.modified)):
        if date:
            _add(root, name, date, None, _DATE)
    _add(root, "type", record.type)
    for media_type in dict.fromkeys(d.media_type for d in record.distribution if d.media_type):
        _add(root, "format", media_type)
    if record.url:
        _add(root, "identifier", record.url, None, _URI)
    _add(root, "identifier", record.source_identifier)
    for file in record.distribution:
        _add(root, "hasFormat", file.url, None, _URI)
    _add(root, "source", record.provenance.base_url, None, _URI)
    for language in record.language:
        _add(root, "language", language, None, "dcterms:RFC4646")
    for relation in record.relation:
        _add(root, "relation", relation)
    for other in record.same_as:
        _add(root, "isVersionOf", other)
    for country in record.spatial:
        _add(root, "spatial", country, None, "dcterms:ISO3166" if country != "EU" else None)
    if record.bbox is not None:
        west, south, east, north = record.bbox
        limits = f"westlimit={west}; southlimit={south}; eastlimit={east}; northlimit={north}"
        _add(root, "spatial", limits, None, "dcterms:Box")
    _texts(root, "coverage", record.coverage)
    if record.temporal is not None:
        parts = (("start", record.temporal.start), ("end", record.temporal.end))
        said = "; ".join(f"{name}={date}" for name, date in parts if date)
        _add(root, "temporal", f"{said}; scheme=W3C-DTF", None, "dcterms:Period")
    if record.license:
        _add(root, "license", record.license)
    _texts(root, "rights", record.rights)
    return root


def _add(
    root: Any, name: str, value: str, lang: str | None = None, kind: str | None = None
) -> None:
    element = etree.SubElement(root, _TERMS + name)
    element.text = value
    if lang is not None:
        element.set(LANG, lang)
    if kind is not None:
        element.set(_TYPE, kind)


def _texts(root: Any, name: str, texts: list[Text]) -> None:
    for text in texts:
        _add(root, name, text.value, text.lang)


def _agents(root: Any, name: str, agents: list[Agent]) -> None:
    for agent in agents:
        _add(root, name, agent.name, agent.lang)
