"""The hub's own format: every field of a record, each text with its language.

``chm.xsd`` beside this file describes it and is published by the hub. Elements have the
names of the record's fields and stand in their order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lxml import etree

from chm_hub.record import Record

NAMESPACE = "urn:chm-hub:record:1.0"
SCHEMA_PATH = "/schemas/chm.xsd"
SCHEMA_FILE = Path(__file__).with_name("chm.xsd")
XSI = "http://www.w3.org/2001/XMLSchema-instance"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"

_NS = "{" + NAMESPACE + "}"
_NSMAP = {None: NAMESPACE, "xsi": XSI}
_LISTS = frozenset({"language", "spatial", "relation", "same_as", "treaty"})
_TEXTS = frozenset({"title", "description", "coverage", "rights"})
_AGENTS = frozenset({"creator", "publisher", "contributor"})
_CONCEPT = ("code", "scheme", "uri")
_DISTRIBUTION = ("title", "media_type", "language", "byte_size")


def render(record: Record) -> Any:
    """The ``record`` element of a record."""
    root = etree.Element(_NS + "record", nsmap=_NSMAP)
    root.set(f"{{{XSI}}}schemaLocation", f"{NAMESPACE} {{hub}}{SCHEMA_PATH}")
    for name in (
        "identifier",
        "source",
        "source_identifier",
        "type",
        "title",
        "description",
        "url",
        "language",
        "spatial",
        "coverage",
        "subject",
        "creator",
        "publisher",
        "contributor",
        "issued",
        "modified",
        "temporal",
        "distribution",
        "relation",
        "same_as",
        "license",
        "rights",
        "status",
        "treaty",
        "bbox",
    ):
        value = getattr(record, name)
        if value is None or value == []:
            continue
        if name in _TEXTS:
            for text in value:
                _add(root, name, text.value, text.lang)
        elif name in _LISTS:
            for item in value:
                _add(root, name, item)
        elif name in _AGENTS:
            for agent in value:
                _add(root, name, agent.name, agent.lang, {"uri": agent.uri})
        elif name == "subject":
            for concept in value:
                known = {key: getattr(concept, key) for key in _CONCEPT}
                _add(root, name, concept.label, concept.lang, known)
        elif name == "distribution":
            for file in value:
                known = {key: getattr(file, key) for key in _DISTRIBUTION}
                _add(root, name, file.url, None, known)
        elif name == "temporal":
            _add(root, name, None, None, {"start": value.start, "end": value.end})
        elif name == "bbox":
            _add(root, name, " ".join(str(number) for number in value))
        else:
            _add(root, name, value)
    return root


def _add(
    root: Any,
    name: str,
    value: str | None,
    lang: str | None = None,
    attributes: dict[str, Any] | None = None,
) -> None:
    element = etree.SubElement(root, _NS + name)
    element.text = value
    if lang is not None:
        element.set(LANG, lang)
    for key, attribute in (attributes or {}).items():
        if attribute is not None:
            element.set(key, str(attribute))


def parse(root: Any) -> dict[str, Any]:
    """The plain values of a ``record`` element: what :func:`chm_hub.record.to_dict` gives,
    without provenance."""
    made: dict[str, Any] = {}
    for element in root:
        name = element.tag.removeprefix(_NS)
        value: Any = element.text or ""
        lang = element.get(LANG)
        attributes = {k: v for k, v in element.attrib.items() if not k.startswith("{")}
        if name in _TEXTS:
            made.setdefault(name, []).append({"value": value} | ({"lang": lang} if lang else {}))
        elif name in _LISTS:
            made.setdefault(name, []).append(value)
        elif name in _AGENTS:
            agent = {"name": value} | ({"lang": lang} if lang else {}) | attributes
            made.setdefault(name, []).append(agent)
        elif name == "subject":
            concept = {"label": value} | ({"lang": lang} if lang else {}) | attributes
            made.setdefault(name, []).append(concept)
        elif name == "distribution":
            if "byte_size" in attributes:
                attributes["byte_size"] = int(attributes["byte_size"])
            made.setdefault(name, []).append({"url": value} | attributes)
        elif name == "temporal":
            made[name] = attributes
        elif name == "bbox":
            made[name] = tuple(float(number) for number in value.split())
        else:
            made[name] = value
    return made
