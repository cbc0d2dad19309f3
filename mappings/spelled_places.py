"""Places whose sides are spelled out in one text, as programs write them into Dublin Core.

GBIF's registry, GeoNetwork, PANGAEA and MARC 21's field 255 have a form each; none is a standard's.
Each gives the parts of a DCMI Box: `westlimit`, `southlimit`, `eastlimit`, `northlimit`, and
`name`, `start` and `end` where they are told.
"""

from __future__ import annotations

import re

from mappings import degrees

_NUMBER = r"\s*([-+]?[0-9]+(?:\.[0-9]+)?)\s*"
_GBIF = re.compile(
    rf"{_NUMBER},{_NUMBER}/{_NUMBER},{_NUMBER}\(min, max Latitude / min, max Longitude\)\s*"
)
"""South, west / north, east, whatever its words say."""
_SIDE = re.compile(
    rf"\b(north|south|east|west)(?:ern|[- ]?bound)?\s*(?:limit\s*)?[:=]?{_NUMBER}", re.IGNORECASE
)
_BESIDE = re.compile(r"[\s,;.]*(?:\((?P<name>.*)\)[\s.]*)?", re.DOTALL)
_STARRED = re.compile(r"\s*\*\s+")
_PANGAEA = {
    "SOUTH-BOUND LATITUDE": "southlimit",
    "NORTH-BOUND LATITUDE": "northlimit",
    "WEST-BOUND LONGITUDE": "westlimit",
    "EAST-BOUND LONGITUDE": "eastlimit",
    "LATITUDE": "north",
    "LONGITUDE": "east",
    "DATE/TIME START": "start",
    "DATE/TIME END": "end",
}
_SIDES = ("west", "south", "east", "north")
_LIMITS = ("westlimit", "southlimit", "eastlimit", "northlimit")
_CARTOGRAPHIC = re.compile(r"\(?\s*(?P<longitudes>[^/]+?)\s*/\s*(?P<latitudes>[^/]+?)\s*\)?\.?")
"""ISBD: `W 17°30' -- W 11°20' / N 16°40' -- N 12°18'`."""
_LONGEST = 1000
"""Characters of the longest text that is read; a longer one is a description."""
_DASHES = re.compile(r"\s*(?:--+|—|–)\s*")


def parts(text: str) -> dict[str, str] | None:
    """The named parts of a place that a text spells out; ``None`` for any other text."""
    if len(text) > _LONGEST:
        return None
    if (corners := _GBIF.fullmatch(text)) is not None:
        order = ("southlimit", "westlimit", "northlimit", "eastlimit")
        return dict(zip(order, corners.groups(), strict=True))
    return _geonetwork(text) or _pangaea(text) or _cartographic(text)


def _geonetwork(text: str) -> dict[str, str] | None:
    """`North 5, South -5, East 42, West 33. (Kenya)`."""
    said = {found[1].lower(): found[2] for found in _SIDE.finditer(text)}
    beside = _BESIDE.fullmatch(_SIDE.sub("", text)) if len(said) == len(_SIDES) else None
    if beside is None:
        return None
    made = {limit: said[side] for side, limit in zip(_SIDES, _LIMITS, strict=True)}
    return {**made, **({"name": beside["name"]} if beside["name"] else {})}


def _pangaea(text: str) -> dict[str, str] | None:
    """`SOUTH-BOUND LATITUDE: -20 * WEST-BOUND LONGITUDE: 177 * …`, with its median and depths."""
    pairs = [part.partition(":") for part in _STARRED.split(text)]
    if not all(colon and name.isupper() for name, colon, _ in pairs):
        return None
    made = {_PANGAEA[name]: said.strip() for name, _, said in pairs if name in _PANGAEA}
    return made or None


def _cartographic(text: str) -> dict[str, str] | None:
    found = _CARTOGRAPHIC.fullmatch(text)
    if found is None:
        return None
    east_west, north_south = (
        [degrees.read(part) for part in _DASHES.split(found[name])]
        for name in ("longitudes", "latitudes")
    )
    lettered = re.search(r"[EWO]", found["longitudes"]) and re.search(r"[NS]", found["latitudes"])
    numbers = [*east_west, *north_south]
    if (
        not lettered
        or None in numbers
        or not all(len(p) in (1, 2) for p in (east_west, north_south))
    ):
        return None
    west, east, north, south = (
        str(part) for part in (east_west[0], east_west[-1], north_south[0], north_south[-1])
    )
    return dict(zip(_LIMITS, (west, south, east, north), strict=True))
