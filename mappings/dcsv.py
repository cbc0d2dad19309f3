"""DCMI's structured values: places and periods written into one text.

DCMI Box, DCMI Point and DCMI Period (https://www.dublincore.org/specifications/dublin-core/),
such as ``name=Kenya; northlimit=5; southlimit=-5; westlimit=33; eastlimit=42``.
"""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import degrees, spelled_places
from mappings.functions import issue, parse_date, period, registered, shown, strings
from mappings.place_functions import drawn, extent

_PARTS = frozenset(
    {"name", "start", "end", "scheme", "east", "north", "elevation", "projection"}
    | {"northlimit", "southlimit", "eastlimit", "westlimit", "uplimit", "downlimit"}
    | {"units", "zunits"}
)
_INTERVAL = re.compile(r"\s*([0-9][0-9T:Z+-]*)\s*/\s*([0-9][0-9T:Z+-]*)\s*")


def parts(text: str) -> dict[str, str] | None:
    """The named parts of a structured value; ``None`` for an ordinary text."""
    if (spelled := spelled_places.parts(text)) is not None:
        return spelled
    pairs = [part.partition("=") for part in text.split(";") if part.strip()]
    if not pairs or not all(equals for _, equals, _ in pairs):
        return None
    made = {name.strip().lower(): value.strip() for name, _, value in pairs}
    return made if made.keys() <= _PARTS else None


@registered
def dcmi_names(value: Json) -> Json:
    """Places and periods in words; of a DCMI Box, Point or Period its name, if it has one.

    >>> dcmi_names(`["name=Lake Turkana; northlimit=5; southlimit=2", "Kenya"]`)[].value
    ["Lake Turkana", "Kenya"]
    """
    made: list[Json] = []
    for item in _items(value):
        for text in strings(item):
            structured = parts(text)
            said = text if structured is None else structured.get("name")
            if structured is None and drawn(text) is not None:
                continue
            if said:
                lang = item.get("lang") if isinstance(item, dict) else None
                made.append({"value": said, "lang": lang} if lang else {"value": said})
    return made


@registered
def dcmi_box(value: Json) -> Json:
    """The bounding box around the places that some texts draw: DCMI Boxes and Points, WKT, and the
    forms of GBIF, GeoNetwork, PANGAEA and MARC 21.

    >>> dcmi_box('name=Kenya; northlimit=5; southlimit=-5; westlimit=33; eastlimit=42')
    [33.0, -5.0, 42.0, 5.0]
    >>> dcmi_box('-19.5,177 / -16.5,-178 (min, max Latitude / min, max Longitude)')
    [177.0, -19.5, -178.0, -16.5]
    >>> dcmi_box(`["North 5, South -5, East 42, West 33. (Kenya)", "POINT(44 -7)"]`)
    [33.0, -7.0, 44.0, 5.0]
    """
    found = [_box(text) for item in _items(value) for text in strings(item)]
    return extent([box for box in found if box])


_SIDES = ("westlimit", "southlimit", "eastlimit", "northlimit")


def _box(text: str) -> Json:
    said = parts(text)
    if said is None:
        return list(made) if (made := drawn(text)) is not None else None
    names = _SIDES
    if "east" in said and "north" in said and not all(name in said for name in _SIDES):
        names = ("east", "north", "east", "north")
    if not all(name in said for name in names):
        return None
    numbers = [degrees.read(said[name]) for name in names]
    if None in numbers:
        issue(f"not a place on Earth: {shown(text)}")
        return None
    return extent(numbers)


@registered
def dcmi_period(value: Json) -> Json:
    """The first period among some texts: a DCMI Period, or two dates with a slash (ISO 8601).

    >>> dcmi_period('name=Survey; start=2001; end=2004;')
    {"start": "2001", "end": "2004"}
    """
    for item in _items(value):
        for text in strings(item):
            said = parts(text) or {}
            if "start" in said or "end" in said:
                return period(said.get("start"), said.get("end"))
            found = _INTERVAL.fullmatch(text)
            if found is not None and parse_date(found[1]) and parse_date(found[2]):
                return period(found[1], found[2])
    return None


def _items(value: Json) -> list[Json]:
    parted = value if isinstance(value, list) else [value]
    return [item for part in parted for item in (part if isinstance(part, list) else [part])]
