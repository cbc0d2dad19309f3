"""Metadata fields of DSpace, as its formats `dim` and `xoai` write them.

Both name a field by schema, element and qualifier (``dc.contributor.author``), in two shapes:
``<field mdschema element qualifier lang>`` and elements within elements.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chm_hub.document import Json
from mappings import languages
from mappings.functions import registered

SCHEMAS = frozenset({"dc", "dcterms"})
"""The schemas whose fields are read."""
_NO_LANGUAGE = frozenset({"none", "*", ""})
_QUALIFIERS = frozenset(
    {"abstract", "accessioned", "alternative", "author", "available", "citation", "copyright"}
    | {"created", "date", "doi", "editor", "isbn", "iso", "issn", "issued", "ispartof", "other"}
    | {"ispartofseries", "spatial", "temporal", "tableofcontents", "uri"}
)
"""Qualifiers of Dublin Core, some of which look like codes of languages."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a field: its name without the schema (``date.issued``), and its language."""

    name: str
    value: str
    lang: str | None


def values(fields: Json) -> Iterator[Value]:
    """The values of the Dublin Core fields among `field` (dim) and `element` (xoai), in order."""
    for field in _list(fields):
        if "@name" in field:
            if field["@name"] in SCHEMAS:
                yield from _within(field, ())
        elif field.get("@mdschema", "dc") in SCHEMAS and isinstance(field.get("value"), str):
            names = (field.get("@element"), field.get("@qualifier"))
            lang = field.get("@lang") or field.get("@language") or field.get("lang")
            yield Value(
                ".".join(str(name) for name in names if name), str(field["value"]), _tag(lang)
            )


def _within(element: dict[str, Json], names: tuple[str, ...]) -> Iterator[Value]:
    fields = [(field.get("@name"), field.get("value")) for field in _list(element.get("field"))]
    said = next((value for name, value in fields if name == "xml:lang"), None)
    for name, value in fields:
        if name == "value" and isinstance(value, str) and names:
            path, lang = _parted(names)
            yield Value(".".join(path), value, _tag(said) or lang)
    for child in _list(element.get("element")):
        yield from _within(child, (*names, str(child.get("@name") or "")))


def field_name(names: tuple[str, ...]) -> str:
    """The name of a field without its schema and language: ``("title", "en")`` is ``title``."""
    return ".".join(_parted(names)[0]) if names else ""


def _parted(names: tuple[str, ...]) -> tuple[tuple[str, ...], str | None]:
    """Element and qualifier, and the language that stands below them as an element of its own."""
    last = names[-1]
    if len(names) == 1 or last.lower() in _QUALIFIERS:
        return names, None
    if last.lower() in _NO_LANGUAGE:
        return names[:-1], None
    lang = _tag(last) if re.fullmatch(r"[A-Za-z]{2,3}([_-][A-Za-z]+)?", last) else None
    return (names[:-1], lang) if lang else (names, None)


def _tag(lang: Json) -> str | None:
    return languages.language(lang) if isinstance(lang, str) and lang not in _NO_LANGUAGE else None


def _list(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


@registered
def dspace_values(fields: Json, names: Json) -> Json:
    """The values of some fields of DSpace as texts, in the order of the names.

    ``names`` are fields without their schema; `subject.*` are all qualifiers of `subject` that no
    other name asks for, `-date.*` leaves fields out.

    >>> dspace_values(`[{"@element": "title", "@lang": "en_US", "value": "Reefs"}]`, 'title')
    [{"value": "Reefs", "lang": "en-US"}]
    """  # noqa: E501
    given = list(values(fields))
    asked = str(names).split()
    unwanted = {name[1:] for name in asked if name.startswith("-")}
    made: list[Json] = []
    for name in asked:
        for one in given:
            fits = one.name == name or (
                name.endswith(".*") and one.name.startswith(name[:-1]) and one.name not in asked
            )
            if fits and one.name not in unwanted:
                made.append({"value": one.value, **({"lang": one.lang} if one.lang else {})})
    return made


@registered
def dspace_identifiers(fields: Json) -> Json:
    """The identifiers of a record of DSpace with their kinds; the address comes first.

    >>> dspace_identifiers(`[{"@element": "identifier", "@qualifier": "issn", "value": "0006-3207"}]`)
    [{"value": "0006-3207", "@type": "issn"}]
    """  # noqa: E501
    found = [one for one in values(fields) if one.name.partition(".")[0] == "identifier"]
    found.sort(key=lambda one: one.name != "identifier.uri")
    return [{"value": one.value, "@type": one.name.partition(".")[2]} for one in found]


@registered
def xoai_files(elements: Json) -> Json:
    """The files of a record in `xoai`: the bitstreams of its bundle ORIGINAL, as links.

    >>> xoai_files(`[{"@name": "bundles", "element": [{"@name": "bundle", "field": [{"@name": "name", "value": "ORIGINAL"}], "element": [{"@name": "bitstreams", "element": [{"@name": "bitstream", "field": [{"@name": "url", "value": "https://x.example/a.pdf"}]}]}]}]}]`)
    [{"url": "https://x.example/a.pdf", "title": null, "media_type": null, "size": null}]
    """  # noqa: E501
    made: list[Json] = []
    for bundle in _below({"element": elements}, "bundles", "bundle"):
        if _field(bundle, "name") != "ORIGINAL":
            continue
        for file in _below(bundle, "bitstreams", "bitstream"):
            if url := _field(file, "url"):
                kind, size = _field(file, "format"), _field(file, "size")
                made.append(
                    {"url": url, "title": _field(file, "name"), "media_type": kind, "size": size}
                )
    return made


def _below(value: Json, *names: str) -> list[dict[str, Json]]:
    found = [value] if isinstance(value, dict) else []
    for name in names:
        found = [c for one in found for c in _list(one.get("element")) if c.get("@name") == name]
    return found


def _field(element: dict[str, Json], name: str) -> Json:
    return next(
        (f.get("value") for f in _list(element.get("field")) if f.get("@name") == name), None
    )
