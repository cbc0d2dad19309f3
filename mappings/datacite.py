"""Places of DataCite: boxes and points, in the shapes of its versions 3 and 4."""

from __future__ import annotations

from chm_hub.document import Json
from mappings import degrees
from mappings.functions import issue, registered, shown, strings
from mappings.place_functions import extent

_SIDES = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")


@registered
def datacite_box(value: Json) -> Json:
    """The bounding box around the boxes, points and polygons of all `geoLocation` elements.

    Version 3 writes `south west north east` and `latitude longitude` into one text (§ Table 6),
    version 4 has an element for each number.

    >>> datacite_box(`[{"geoLocationPoint": [{"pointLatitude": [{"value": "-1.3"}], "pointLongitude": [{"value": "36.8"}]}]}]`)
    [36.8, -1.3, 36.8, -1.3]
    """  # noqa: E501
    found: list[Json] = []
    for place in value if isinstance(value, list) else [value]:
        if not isinstance(place, dict):
            continue
        found += [_ring(shape) for shape in place.get("geoLocationPolygon") or []]
        for name in ("geoLocationBox", "geoLocationPoint"):
            for shape in place.get(name) or []:
                said = _numbers(shape)
                if not said:
                    continue
                numbers = [degrees.read(text) for text in said]
                if None in numbers:
                    issue(f"not a place on Earth: {shown(said)}")
                    continue
                found.append(extent(numbers if len(numbers) == 4 else [*numbers, *numbers]))
    return extent([box for box in found if box])


def _ring(shape: Json) -> Json:
    """The box of a polygon, whose points have an element for each number (version 4)."""
    points = shape.get("polygonPoint") if isinstance(shape, dict) else None
    said = [_numbers(point) for point in points or []]
    corners = [[degrees.read(text) for text in point] for point in said]
    if any(len(corner) != 2 or None in corner for corner in corners):
        issue(f"not a place on Earth: {shown(said)}")
        return None
    return extent({"coordinates": [corners]}) if corners else None


def _numbers(shape: Json) -> list[str]:
    """West, south, east, north of a box; longitude and latitude of a point; nothing of less."""
    if not isinstance(shape, dict):
        return []
    sides = [strings(shape.get(side)) for side in _SIDES]
    point = [strings(shape.get(name)) for name in ("pointLongitude", "pointLatitude")]
    for numbers in (sides, point):
        if all(numbers):
            return [text[0] for text in numbers]
    said = " ".join(strings(shape)).split()
    if len(said) == 4:
        return [said[1], said[0], said[3], said[2]]
    return [said[1], said[0]] if len(said) == 2 else []
