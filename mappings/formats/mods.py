"""MODS 3.8, as far as a record can fill it honestly."""

from __future__ import annotations

from typing import Any

from lxml import etree

from chm_hub.record import Agent, Record

NAMESPACE = "http://www.loc.gov/mods/v3"
SCHEMA = "http://www.loc.gov/standards/mods/v3/mods-3-8.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XLINK = "http://www.w3.org/1999/xlink"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_NSMAP = {None: NAMESPACE, "xsi": XSI, "xlink": XLINK}
_MODS = "{" + NAMESPACE + "}"
_KINDS = {
    "dataset": "dataset",
    "indicator": "dataset",
    "elearning": "text",
}
"""Our record types whose ``typeOfResource`` is not text; records of things and people have none."""
_NOT_TEXTS = frozenset(
    {
        "authority",
        "checkpoint",
        "contact",
        "dnaSequence",
        "ebsa",
        "event",
        "expert",
        "focalPoint",
        "marineArea",
        "meeting",
        "modifiedOrganism",
        "organism",
        "organization",
        "project",
        "protectedArea",
    }
)
_ROLES = {"creator": "cre", "contributor": "ctb"}


def render(record: Record) -> Any:
    """The ``mods`` element of a record (Library of Congress, MODS 3.8)."""
    root = etree.Element(_MODS + "mods", nsmap=_NSMAP, version="3.8")
    root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACE} {SCHEMA}")
    for text in record.title:
        info = etree.SubElement(root, _MODS + "titleInfo")
        if text.lang:
            info.set(LANG, text.lang)
        _add(info, "title", text.value)
    _agents(root, "creator", record.creator)
    _agents(root, "contributor", record.contributor)
    if record.type not in _NOT_TEXTS:
        _add(root, "typeOfResource", _KINDS.get(record.type, "text"))
    _add(root, "genre", record.type, authority="chm-hub")
    if record.issued or record.modified or record.publisher:
        origin = etree.SubElement(root, _MODS + "originInfo")
        for agent in record.publisher:
            _add(origin, "publisher", agent.name)
        for name, date in (("dateIssued", record.issued), ("dateModified", record.modified)):
            if date:
                _add(origin, name, date, encoding="w3cdtf")
    for code in record.language:
        language = etree.SubElement(root, _MODS + "language")
        _add(language, "languageTerm", code, type="code", authority="rfc5646")
    formats = dict.fromkeys(d.media_type for d in record.distribution if d.media_type)
    if formats:
        physical = etree.SubElement(root, _MODS + "physicalDescription")
        for media_type in formats:
            _add(physical, "internetMediaType", media_type or "")
    for text in record.description:
        _add(root, "abstract", text.value, text.lang)
    _subjects(root, record)
    for relation in record.relation:
        related = etree.SubElement(root, _MODS + "relatedItem")
        _add(related, "identifier", relation)
    for other in record.same_as:
        _add(root, "identifier", other.removeprefix("doi:"), type=_kind(other))
    _add(root, "identifier", record.source_identifier, type="local")
    if record.url or record.distribution:
        location = etree.SubElement(root, _MODS + "location")
        if record.url:
            _add(location, "url", record.url, usage="primary display")
        for file in record.distribution:
            _add(location, "url", file.url, access="raw object")
    if record.license:
        access = etree.SubElement(root, _MODS + "accessCondition", type="use and reproduction")
        access.text = record.license
        if record.license.startswith(("http://", "https://")):
            access.set(f"{{{XLINK}}}href", record.license)
    for text in record.rights:
        _add(root, "accessCondition", text.value, text.lang, type="use and reproduction")
    about = etree.SubElement(root, _MODS + "recordInfo")
    _add(about, "recordContentSource", record.provenance.base_url)
    _add(about, "recordIdentifier", record.identifier)
    return root


def _subjects(root: Any, record: Record) -> None:
    for concept in record.subject:
        subject = etree.SubElement(root, _MODS + "subject")
        topic = _add(subject, "topic", concept.label, concept.lang)
        if concept.scheme:
            topic.set("authority", concept.scheme)
        if concept.uri:
            topic.set("valueURI", concept.uri)
    for code in record.spatial:
        subject = etree.SubElement(root, _MODS + "subject")
        _add(subject, "geographicCode", code.lower(), authority="iso3166")
    for text in record.coverage:
        subject = etree.SubElement(root, _MODS + "subject")
        _add(subject, "geographic", text.value, text.lang)
    if record.temporal is not None:
        subject = etree.SubElement(root, _MODS + "subject")
        for point, date in (("start", record.temporal.start), ("end", record.temporal.end)):
            if date:
                _add(subject, "temporal", date, encoding="w3cdtf", point=point)
    if record.bbox is not None:
        subject = etree.SubElement(root, _MODS + "subject")
        cartographics = etree.SubElement(subject, _MODS + "cartographics")
        west, south, east, north = record.bbox
        _add(cartographics, "coordinates", f"{west} {south} {east} {north}")


def _agents(root: Any, kind: str, agents: list[Agent]) -> None:
    for agent in agents:
        name = etree.SubElement(root, _MODS + "name")
        if agent.uri:
            name.set("valueURI", agent.uri)
        _add(name, "namePart", agent.name, agent.lang)
        role = etree.SubElement(name, _MODS + "role")
        _add(role, "roleTerm", _ROLES[kind], type="code", authority="marcrelator")


def _kind(identifier: str) -> str:
    if identifier.startswith("doi:") or "doi.org/" in identifier:
        return "doi"
    return "uri" if identifier.startswith(("http://", "https://", "urn:")) else "other"


def _add(root: Any, name: str, value: str, lang: str | None = None, **attributes: str) -> Any:
    element = etree.SubElement(root, _MODS + name, attributes)
    element.text = value
    if lang:
        element.set(LANG, lang)
    return element
