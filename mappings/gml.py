"""Boxes of GML (ISO 19136), in XML text or in elements as documents have them.

GML says the order of its axes by the name of the system of coordinates. EPSG 4326 has latitude
first where it is named as a URN or as an address of OGC's register; `EPSG:4326`, CRS84 and no name
at all have longitude first, as the programs that write them do.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chm_hub.document import Json
from mappings import boxes
from mappings.boxes import Box, Position

_ELEMENT = re.compile(
    r"<(?:[\w.-]+:)?(posList|pos|coordinates|lowerCorner|upperCorner|Point|MultiPoint)\b([^<>]*)>"
    r"([^<>]*)"
)
_SYSTEM = re.compile(r"srsName\s*=\s*[\"']([^\"']*)")
_DIMENSION = re.compile(r"srsDimension\s*=\s*[\"'](\d)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_LONGITUDE_FIRST = re.compile(
    r"(?:EPSG:|.*/epsg\.xml#)4326|.*(?:CRS84|CRS:?84).*|WGS ?84", re.IGNORECASE
)
_LATITUDE_FIRST = re.compile(
    r"(?:urn:.*:EPSG:[\d.]*:|https?:.*/EPSG/[\d.]+/)(?:4326|4258|4979)", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class _Part:
    """The numbers of one element of GML, and what its name says."""

    name: str
    text: str
    dimension: int


def is_known(system: str | None) -> bool:
    """Whether a system of coordinates is one of longitudes and latitudes on WGS 84."""
    return not system or bool(
        _LONGITUDE_FIRST.fullmatch(system) or _LATITUDE_FIRST.fullmatch(system)
    )


def latitude_first(system: str | None) -> bool:
    """Whether a named system of coordinates has its latitude before its longitude."""
    return bool(system and _LATITUDE_FIRST.fullmatch(system))


def of_text(text: str) -> Box | None:
    """The box of GML in XML; ``None`` where there is none, or in another system of coordinates."""
    named = _SYSTEM.search(text)
    found = (
        _Part(name, body, int(said[1]) if (said := _DIMENSION.search(attributes)) else 2)
        for name, attributes, body in _ELEMENT.findall(text)
    )
    return _box(list(found), named[1] if named else None)


def of_element(value: Json) -> Box | None:
    """The box of an element of GML as a document has it (`{"posList": [{"value": …}]}`)."""
    parts: list[_Part] = []
    systems: list[str] = []
    _collect(value, parts, systems)
    return _box(parts, systems[0] if systems else None)


def _collect(value: Json, parts: list[_Part], systems: list[str]) -> None:
    if isinstance(value, list):
        for item in value:
            _collect(item, parts, systems)
    elif isinstance(value, dict):
        if isinstance(named := value.get("@srsName"), str) and named:
            systems.append(named)
        for name, inside in value.items():
            if name in ("posList", "pos", "coordinates", "lowerCorner", "upperCorner"):
                for one in inside if isinstance(inside, list) else [inside]:
                    if isinstance(one, dict) and isinstance(one.get("value"), str):
                        size = str(one.get("@srsDimension") or "2")
                        parts.append(_Part(name, one["value"], 3 if size == "3" else 2))
                    _collect(one, [], systems)
            elif not name.startswith("@"):
                _collect(inside, parts, systems)


def _box(parts: list[_Part], system: str | None) -> Box | None:
    if not is_known(system):
        return None
    swapped = latitude_first(system)
    corners = {part.name: next(_positions(part, swapped), None) for part in parts}
    lower, upper = corners.get("lowerCorner"), corners.get("upperCorner")
    if lower and upper:
        return boxes.of_numbers(*lower, *upper)
    lines: list[list[Position]] = []
    ring: list[Position] = []  # corners of a ring may stand in elements of their own
    for part in parts:
        positions = list(_positions(part, swapped))
        if part.name == "pos":
            ring += positions
        elif positions:
            lines.append(positions)
    return boxes.of_parts([*lines, *([ring] if ring else [])])


def _positions(part: _Part, swapped: bool) -> Iterator[Position]:
    if part.name == "coordinates":  # tuples parted by spaces, numbers by commas
        rows = [_NUMBER.findall(row) for row in part.text.split()] if "," in part.text else []
    else:
        numbers = _NUMBER.findall(part.text)
        size = 3 if part.dimension == 3 or (part.name != "posList" and len(numbers) == 3) else 2
        rows = [numbers[at : at + size] for at in range(0, len(numbers) - size + 1, size)]
    for row in rows:
        if len(row) >= 2:
            x, y = float(row[0]), float(row[1])
            yield (y, x) if swapped else (x, y)
