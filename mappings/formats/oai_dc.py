"""Simple Dublin Core (oai_dc), with the language of every text that has one."""

from __future__ import annotations

from typing import Any

from lxml import etree

from chm_hub.record import Agent, Record, Text

NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
DC = "http://purl.org/dc/elements/1.1/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_NSMAP = {"oai_dc": NAMESPACE, "dc": DC, "xsi": XSI}
_DC = "{" + DC + "}"


def render(record: Record) -> Any:
    """The ``oai_dc:dc`` element of a record; every element may be repeated (DCMES 1.1)."""
    root = etree.Element(f"{{{NAMESPACE}}}dc", nsmap=_NSMAP)
    root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACE} {SCHEMA}")
    for text in record.title:
        _add(root, "title", text.value, text.lang)
    _agents(root, "creator", record.creator)
    for concept in record.subject:
        _add(root, "subject", concept.label, concept.lang)
        if concept.code is not None and concept.code != concept.label:
            _add(root, "subject", concept.code)
    _texts(root, "description", record.description)
    _agents(root, "publisher", record.publisher)
    _agents(root, "contributor", record.contributor)
    for date in dict.fromkeys(d for d in (record.issued, record.modified) if d):
        _add(root, "date", date)
    _add(root, "type", record.type)
    for media_type in dict.fromkeys(d.media_type for d in record.distribution if d.media_type):
        _add(root, "format", media_type)
    identifiers = [record.url, *(d.url for d in record.distribution), record.source_identifier]
    for identifier in dict.fromkeys(i for i in (*identifiers, *record.same_as) if i):
        _add(root, "identifier", identifier)
    _add(root, "source", record.provenance.base_url)
    for language in record.language:
        _add(root, "language", language)
    for relation in record.relation:
        _add(root, "relation", relation)
    for country in record.spatial:
        _add(root, "coverage", country)
    _texts(root, "coverage", record.coverage)
    if record.temporal is not None:
        start, end = record.temporal.start or "", record.temporal.end or ""
        _add(root, "coverage", f"{start}/{end}" if start != end else start)
    if record.license:
        _add(root, "rights", record.license)
    _texts(root, "rights", record.rights)
    return root


def _add(root: Any, name: str, value: str, lang: str | None = None) -> None:
    element = etree.SubElement(root, _DC + name)
    element.text = value
    if lang is not None:
        element.set(LANG, lang)


def _texts(root: Any, name: str, texts: list[Text]) -> None:
    for text in texts:
        _add(root, name, text.value, text.lang)


def _agents(root: Any, name: str, agents: list[Agent]) -> None:
    for agent in agents:
        _add(root, name, agent.name, agent.lang)
