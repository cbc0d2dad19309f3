"""Functions of crosswalks that read boxes and shapes, and tell which names are countries."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from chm_hub.document import Json
from mappings import boxes, codes, functions, gml, place_names, tables
from mappings.boxes import Box, Position

_NUMBER = r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?"
_PAIR = re.compile(rf"(?<![\d.])({_NUMBER})(?:\s*,\s*|\s+)({_NUMBER})(?:\s+{_NUMBER})*(?![\d.])")
_NUMBERS = re.compile(rf"\s*{_NUMBER}(?:(?:\s*[,;]\s*|\s+){_NUMBER})*\s*")
_INNERMOST = re.compile(r"\(([^()]*)\)")
_ENVELOPE = re.compile(
    rf"\s*ENVELOPE\s*\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)\s*",
    re.IGNORECASE,
)
"""Solr's box: west, east, north, south."""
_SYSTEM = re.compile(
    r"\s*(?:(?:<(?=https?:|urn:)([^<>]+)>|SRID=([0-9]+);)\s*)?(.*)", re.DOTALL | re.IGNORECASE
)
"""WKT with the address of its system of coordinates, or PostGIS's number of it, before it."""
_DRAWN = re.compile(
    r"(?:MULTI)?(?:POINT|LINESTRING|POLYGON)\s*(?:ZM?|M)?\s*\(|ENVELOPE\s*\(|GEOMETRYCOLLECTION\s*\(",
    re.IGNORECASE,
)
_HOLDERS = ("features", "geometries", "geometry", "coordinates")


@functions.registered
def countries_in(value: Json) -> Json:
    """Those of a list of texts that are countries, as codes; the others are no issue.

    A text may name several, or a place and the country that it is in. A name that is also another
    place (Georgia, Congo) is a country only in a source of that country.

    >>> countries_in(`["Kenya; Uganda", "Arusha, Tanzania", "Lake Victoria", "Georgia"]`)
    ["KE", "UG", "TZ"]
    """
    near = functions.source().get("countries") or []
    return [
        code
        for item in _items(value)
        for code in place_names.countries(_said(item), near)
        or place_names.located(_said(item), near)
    ]


@functions.registered
def not_countries(value: Json) -> Json:
    """Those of a list of texts that are no countries; a place in a country stays.

    >>> not_countries(`["Kenya; Uganda", "Arusha, Tanzania", "Georgia"]`)
    ["Arusha, Tanzania", "Georgia"]
    """
    near = functions.source().get("countries") or []
    return [
        item
        for item in _items(value)
        if item is not None and not place_names.countries(_said(item), near)
    ]


@functions.registered
def country_codes_of(value: Json) -> Json:
    """The countries of MODS's geographicCode: ISO 3166, or MARC's lists of areas and countries,
    as its `authority` says. An area that is part of a country gives the country; a continent or
    a river gives none.

    >>> country_codes_of(`[{"value": "f-ke---", "@authority": "marcgac"}, {"value": "ke"}]`)
    ["KE", "KE"]
    """
    found = []
    for item in _items(value):
        authority = item.get("@authority") if isinstance(item, dict) else None
        said = _said(item).strip()
        if authority in ("marcgac", "marccountry"):
            found.append(_marc(said.rstrip("-").lower(), country=authority == "marccountry"))
        elif said:
            found.append(codes.country(said))
            if found[-1] is None:
                functions.issue(f"not a country: {functions.shown(said)}")
    return [code for code in found if code]


def _marc(code: str, *, country: bool) -> str | None:
    """The country of a code of the MARC lists (areas, or countries, whose codes end theirs)."""
    areas = tables.values("marc_areas")
    if country:
        return next((iso for area, iso in areas.items() if area[2:] == code), None)
    return areas.get(code) or (areas.get(code[:4]) if code[1:2] == "-" else None)


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _said(item: Json) -> str:
    said = item.get("value") if isinstance(item, dict) else item
    return said if isinstance(said, str) else ""


@functions.registered
def bbox(lat: Json, lng: Json) -> Json:
    """A bounding box around one point.

    >>> bbox(`-1.29`, `36.82`)
    [36.82, -1.29, 36.82, -1.29]
    """
    if lat in (None, "") and lng in (None, ""):
        return None
    try:
        position = float(lng), float(lat)
    except (TypeError, ValueError, OverflowError):
        return _nowhere([lat, lng])
    return _made(boxes.of_parts([[position]]), [lat, lng])


@functions.registered
def extent(value: Json) -> Json:
    """The bounding box of a place: of a GeoJSON object, of the same as a text, of WKT, of four or
    six numbers (west, south, bottom, east, north, top), or around a list of several of these.

    A box over the 180th meridian has its west greater than its east (RFC 7946 §5.2); shapes cut
    there, or with longitudes beyond 180, are joined.

    >>> extent('POLYGON((177 -20, 182 -20, 182 -15, 177 -20))')
    [177.0, -20.0, -178.0, -15.0]
    """
    if value in (None, "", [], {}):
        return None
    said = value
    if isinstance(value, list):
        said = value = [part for part in value if not _lacks_an_end(part)]
        if not value:
            return None
    if isinstance(value, str):
        try:
            said = json.loads(value)
        except (ValueError, RecursionError):  # WKT, or GeoJSON that is not quite JSON
            return _made(_of_text(value), value)
    if isinstance(said, dict) and isinstance(said.get("bbox"), list):
        around = _of_numbers(said["bbox"])
        shape = boxes.of_parts(_parts({k: v for k, v in said.items() if k != "bbox"}))
        # The box that a source states, unless it is one around the world for want of a better.
        stated = around is not None and boxes.width(around) <= 180
        return _made(around if stated else _narrower([around, shape]), value)
    if (made := _of_numbers(said)) is not None:
        return _made(made, value)
    if isinstance(said, list) and all(isinstance(part, str | dict) for part in said):
        found = [_of_numbers(box) for part in said if (box := extent(part)) is not None]
        return _list(boxes.of_boxes([box for box in found if box is not None]))
    if isinstance(said, list) and said and all(_are_ends(part) for part in said):
        return _made(boxes.of_boxes([b for part in said if (b := _of_numbers(part))]), value)
    if isinstance(said, list) and _are_ends(said):
        return _nowhere(value)
    return _made(boxes.of_parts(_parts(said)), value)


@functions.registered
def narrowest(value: Json) -> Json:
    """Of several boxes of one place the first; if that is wider than half the Earth, the one with
    the fewest degrees of longitude.

    Programs that take the smallest and the greatest longitude draw a place over the 180th
    meridian as a box around the world, beside the shape that tells better.

    >>> narrowest(`[[-180, -20, 180, -15], [177, -20, -178, -15]]`)
    [177, -20, -178, -15]
    """
    given = value if isinstance(value, list) else []
    found = [box for box in given if isinstance(box, list) and _are_ends(box) and len(box) == 4]
    if found and boxes.width(tuple(found[0])) <= 180:
        return found[0]
    return min(found, key=lambda box: boxes.width(tuple(box)), default=None)


def _narrower(found: list[Box | None]) -> Box | None:
    return min((box for box in found if box is not None), key=boxes.width, default=None)


def drawn(text: str) -> Box | None:
    """The box of a text that is WKT; ``None`` for any other text."""
    found = _SYSTEM.fullmatch(text)
    return _of_text(text) if found is not None and _DRAWN.match(found[3]) else None


def _of_text(text: str) -> Box | None:
    """The box of WKT (OGC 06-103r4 §7), perhaps with its system of coordinates before it (GeoSPARQL
    §8.5.1), of GML, of Solr's ENVELOPE, or of numbers in a text."""
    found = _SYSTEM.fullmatch(text)
    assert found is not None, "every text has this form"
    system, text = found[1] or (f"EPSG:{found[2]}" if found[2] else None), found[3]
    if not gml.is_known(system):
        return None
    if text.startswith("<"):
        return gml.of_text(text)
    if match := _ENVELOPE.fullmatch(text):
        west, east, north, south = map(float, match.groups())
        return boxes.of_numbers(west, south, east, north)
    if _NUMBERS.fullmatch(text):
        numbers: list[Json] = [float(part) for part in re.findall(_NUMBER, text)]
        if (box := _of_numbers(numbers)) is not None or len(numbers) in (4, 6):
            return box
    parts = [
        [(float(x), float(y)) for x, y in _PAIR.findall(part)]
        for part in _INNERMOST.findall(text) or [text]
    ]
    if gml.latitude_first(system):
        parts = [[(x, y) for y, x in part] for part in parts]
    if "MULTIPOINT" in text.upper():
        parts = [[position] for part in parts for position in part]
    return boxes.of_parts(parts)


def _of_numbers(value: Json) -> Box | None:
    if not _are_ends(value):
        return None
    half = len(value) // 2
    west, south, east, north = (float(value[i]) for i in (0, 1, half, half + 1))
    return boxes.of_numbers(west, south, east, north)


def _are_ends(value: Json) -> bool:
    return isinstance(value, list) and len(value) in (4, 6) and all(map(_is_number, value))


def _lacks_an_end(value: Json) -> bool:
    return isinstance(value, list) and None in value


def _is_number(value: Json) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _parts(value: Json) -> Iterator[list[Position]]:
    """The points, lines and rings in a GeoJSON object (RFC 7946 §3.1), however they are nested."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict) and item.get("type") == "MultiPoint":
            points = item.get("coordinates")
            waiting += points if isinstance(points, list) else []
        elif isinstance(item, dict):
            waiting += [item[key] for key in _HOLDERS if key in item]
        elif isinstance(item, list):
            if _is_position(item):
                yield [(float(item[0]), float(item[1]))]
            elif item and all(map(_is_position, item)):
                yield [(float(part[0]), float(part[1])) for part in item]
            else:
                waiting += item


def _is_position(value: Json) -> bool:
    return (
        isinstance(value, list)
        and len(value) >= 2
        and _is_number(value[0])
        and _is_number(value[1])
    )


def _made(box: Box | None, value: Json) -> Json:
    return _nowhere(value) if box is None else _list(box)


def _list(box: Box | None) -> Json:
    return None if box is None else [float(number) for number in box]


def _nowhere(value: Json) -> None:
    functions.issue(f"not a place on Earth: {functions.shown(value)}")
