"""Formats whose elements all have one name, and say in an attribute which field they are.

MARC 21 writes ``datafield tag="245"``, DSpace ``field element="title"`` or
``element name="title"``.
A crosswalk hands such a list whole to a function. Which fields it reads is therefore known from
the arguments of the function, or from :data:`READ` where the function has its fields built in.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any

from chm_hub.document import Json
from mappings import dspace

WITHIN = "within:"
"""What a name begins with that is looked for at any depth (:mod:`mappings.within`)."""
_TAKES_CODES = {"marc_texts": 2, "marc_joined": 2}
"""Functions that take tags and the codes of subfields; the place of the codes."""
READ: dict[str, str] = {
    "marc_titles": "245$abnph 880$6abnph 242$abnpy 246$abnp 130$anp 240$anp 111$anp",
    "marc_names": "100$abcqe401t 110$abe401t 111$andcej401t "
    "700$abcqe401t 710$abe401t 711$andcej401t 720$ae401t",
    "marc_subjects": "600$abcqtx012 610$abtx012 611$andcetx012 630$anpx012 647$abx012 650$abx012 "
    "651$x012 653$abx012 654$abx012 690$abx012",
    "marc_places": "600$z 610$z 611$z 630$z 647$z 648$z 650$z 651$az 655$z 690$z "
    "662$abcdg 752$abcdg 111$c",
    "marc_areas": "043$ac",
    "marc_box": "034$defg",
    "marc_identifiers": "856$u 024$a2 020$a2 022$a2 027$a2 088$a2",
    "marc_languages": "041$a 008",
    "marc_issued": "008",
    "marc_inclusive": "008",
    "dspace_identifiers": "identifier identifier.*",
    "xoai_files": "bundles/*",
}
"""The fields that a function reads, by its name: ``008``, ``245$ab`` for some subfields."""


def label(element: dict[str, Json]) -> str:
    """What an element of such a list says it is: ``245``, ``a``, ``contributor.author``; nothing
    where it says nothing."""
    for key in ("@tag", "@code"):
        if isinstance(said := element.get(key), str):
            return said
    if isinstance(said := element.get("@element"), str):
        qualifier, schema = element.get("@qualifier"), element.get("@mdschema", "dc")
        name = f"{said}.{qualifier}" if qualifier else said
        return name if schema in dspace.SCHEMAS else f"{schema}:{name}"
    said = element.get("@name")
    return said if isinstance(said, str) else ""


def fields_read(parsed: Iterable[dict[str, Any]]) -> frozenset[str]:
    """The fields that some parsed expressions read of such lists; empty where they read none."""
    return frozenset(found for node in parsed for found in _fields(node))


def reads(fields: frozenset[str], path: str) -> bool:
    """Whether the field at a path with labels (``metadata.datafield[245].subfield[a].value``) is
    among those that are read."""
    said = re.findall(r"\[([^\]]+)\]", path)
    names = {one.removeprefix(WITHIN) for one in fields if one.startswith(WITHIN)}
    if names and path.startswith("metadata.Components"):
        return not names.isdisjoint(re.split(r"[.\[\]]+", path))
    if not said:
        return True
    if path.startswith("metadata.element["):
        return any(_asks_for(one, _name_in_xoai(said)) for one in fields)
    if path.startswith("metadata.field["):
        return any(_asks_for(one, said[0]) for one in fields)
    tag, code = said[0], said[1] if len(said) > 1 else ""
    asked = (one.partition("$") for one in fields)
    return any(one == tag and (not mark or code in codes) for one, mark, codes in asked)


def _name_in_xoai(said: list[str]) -> str:
    """``dc``, ``title``, ``en``, ``value`` are the field ``title``."""
    if said[0] not in dspace.SCHEMAS:
        return "/".join(said)
    return dspace.field_name(tuple(said[1:-1]))


def _asks_for(asked: str, name: str) -> bool:
    """Whether ``title``, ``contributor.*`` or ``contributor.*!contributor.author`` (all but that
    one) asks for a field."""
    wanted, _, unwanted = asked.partition("!")
    if name in unwanted.split("!"):
        return False
    return name == wanted or (wanted.endswith("*") and name.startswith(wanted[:-1]))


def _fields(node: Any) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    name, children = node.get("value"), node.get("children", [])
    if node.get("type") == "function_expression":
        yield from READ.get(str(name), "").split()
        given = [child.get("value") for child in children if isinstance(child, dict)]
        if name in _TAKES_CODES and isinstance(given[1], str):
            yield from (f"{tag}${given[2]}" for tag in given[1].split())
        elif name in ("within", "outermost") and len(given) > 1:
            yield from (f"{WITHIN}{one}" for one in str(given[1]).split())
        elif name == "marc_publication":
            yield from (f"{tag}${given[1]}" for tag in ("260", "264"))
        elif name == "dspace_values" and isinstance(given[1], str):
            asked = given[1].split()
            unwanted = "".join(f"!{one[1:]}" for one in asked if one.startswith("-"))
            yield from (f"{one}{unwanted}" for one in asked if not one.startswith("-"))
    elif node.get("type") == "pipe":
        # datafield[?"@tag"=='530'].subfield[] | [?"@code"=='u']. A tag alone reads no value.
        codes = "".join(_compared(children[1], "@code"))
        yield from (f"{tag}${codes}" for tag in _compared(children[0], "@tag") if codes)
    for child in children:
        yield from _fields(child)


def _compared(node: Any, key: str) -> Iterator[str]:
    """The texts that an expression compares an attribute with."""
    if not isinstance(node, dict):
        return
    children = node.get("children", [])
    if node.get("type") == "comparator" and node.get("value") == "eq":
        left, right = children
        if left.get("value") == key and isinstance(right.get("value"), str):
            yield right["value"]
    for child in children:
        yield from _compared(child, key)
