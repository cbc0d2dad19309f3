"""Bounding boxes of places on a round Earth: west, south, east, north in degrees (WGS 84).

A box over the 180th meridian has its west greater than its east (RFC 7946 §5.2). The smallest and
the greatest longitude of Fiji make a box around the whole world, so longitudes are joined as arcs
of a circle. Longitudes beyond 180 (Fiji as 177 to 182, or from 0 to 360) are brought back.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

Box = tuple[float, float, float, float]
Position = tuple[float, float]
"""Longitude and latitude."""
Arc = tuple[float, float]
"""Where an arc of longitudes begins, and its width; both in degrees."""

MOST = 540.0001
"""No longitude that people write is further than this from Greenwich."""
ALMOST = 1e-4
"""Degrees by which a number may be wrong by rounding."""
_WIDE = 45
"""A rectangle with more degrees of latitude than this need not be a small one over the 180th
meridian, written with its corners in the wrong order."""
_FEW = 5
"""Positions of a rectangle."""


def is_position(x: float, y: float) -> bool:
    """Whether two numbers are a longitude, perhaps beyond 180, and a latitude."""
    return math.isfinite(x) and abs(x) <= MOST and abs(y) <= 90 + ALMOST


def of_numbers(west: float, south: float, east: float, north: float) -> Box | None:
    """A box of its four ends; ``None`` where they are none.

    West may be greater than east: then the box lies over the 180th meridian.
    """
    if not (is_position(west, south) and is_position(east, north) and south <= north):
        return None
    if all(abs(x) <= 180 + ALMOST for x in (west, east)):
        return west, south, east, north
    width = east - west
    return _box((west, width if width >= 0 else width % 360), south, north)


def of_parts(parts: Iterable[Sequence[Position]]) -> Box | None:
    """The smallest box around some lines, rings or points, each a sequence of positions.

    ``None`` if there is no position, or one that is none on Earth.
    """
    kept = [list(part) for part in parts if part]
    positions = [position for part in kept for position in part]
    if not positions or not all(is_position(x, y) for x, y in positions):
        return None
    south, north = min(y for _, y in positions), max(y for _, y in positions)
    return _around([_arc(part) for part in kept], south, north)


def of_boxes(boxes: Sequence[Box]) -> Box | None:
    """The smallest box around some boxes; ``None`` for none."""
    if len(boxes) < 2:
        return boxes[0] if boxes else None
    south, north = min(box[1] for box in boxes), max(box[3] for box in boxes)
    return _around([(box[0], width(box)) for box in boxes], south, north)


def width(box: Box) -> float:
    """How many degrees of longitude a box has."""
    return box[2] - box[0] if box[2] >= box[0] else box[2] - box[0] + 360


def halves(box: Box) -> list[Box]:
    """A box, or its two parts on both sides of the 180th meridian, for formats that know no box
    over it (RFC 7946 §3.1.9)."""
    west, south, east, north = box
    if west <= east:
        return [box]
    return [(west, south, 180.0, north), (-180.0, south, east, north)]


def _arc(part: list[Position]) -> Arc:
    """The arc of longitudes of one line or ring.

    A step of more than 180 degrees goes the short way round: the ring was not cut at the 180th
    meridian. A rectangle from -180 to 180 is the world, and a tall one that runs against the clock
    may nearly be it: those are taken as they stand.
    """
    longitudes = [x for x, _ in part]
    plain = (min(longitudes), max(longitudes) - min(longitudes))
    if plain[1] <= 180 or plain[1] >= 360 - 1 or (len(part) <= _FEW and _is_as_it_stands(part)):
        return plain
    reached, lowest, highest = longitudes[0], longitudes[0], longitudes[0]
    for before, after in zip(longitudes, longitudes[1:], strict=False):
        step = (after - before + 180) % 360 - 180
        reached += step
        lowest, highest = min(lowest, reached), max(highest, reached)
    return lowest, highest - lowest


def _is_as_it_stands(part: list[Position]) -> bool:
    """Whether a wide rectangle is really wide: it is tall, and its exterior runs against the clock
    (RFC 7946 §3.1.6)."""
    latitudes = [y for _, y in part]
    tall = max(latitudes) - min(latitudes)
    area = sum(
        x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(part, [*part[1:], part[0]], strict=True)
    )
    return tall > 2 * _WIDE or (tall > _WIDE and area > 0)


def _around(arcs: list[Arc], south: float, north: float) -> Box:
    """The box around some arcs: the plain one, unless one over the 180th meridian is smaller."""
    beyond = any(start < -180 - ALMOST or start + width > 180 + ALMOST for start, width in arcs)
    lowest = min(start for start, _ in arcs)
    plain = (lowest, max(start + width for start, width in arcs) - lowest)
    if not beyond and plain[1] <= 180:
        return _box(plain, south, north)
    joined = _joined(arcs)
    # Of places all around the world the plain box is what a reader expects.
    if beyond or joined[1] <= 180 or _touches(arcs):
        return _box(joined, south, north)
    return _box(plain, south, north)


def _touches(arcs: list[Arc]) -> bool:
    """Whether arcs meet at the 180th meridian from both sides, as a shape cut there does."""
    ends = [start + width for start, width in arcs]
    return any(abs(start + 180) <= ALMOST for start, _ in arcs) and any(
        abs(end - 180) <= ALMOST for end in ends
    )


def _joined(arcs: list[Arc]) -> Arc:
    """The smallest arc around some arcs of a circle: all but the greatest gap between them."""
    turned = sorted((start % 360, width) for start, width in arcs)
    reached = turned[0][0] + turned[0][1]
    gaps: list[tuple[float, float]] = []
    for start, span in turned[1:]:
        if start > reached:
            gaps.append((start - reached, start))
        reached = max(reached, start + span)
    around = turned[0][0] + 360 - reached
    # The last arcs may reach round to the first ones and past them.
    over = max(start + span for start, span in turned) - 360
    gaps = [(min(gap, start - over), start) for gap, start in gaps if start - over > ALMOST]
    if around > 0:
        gaps.append((around, turned[0][0]))
    if not gaps:
        return -180.0, 360.0
    gap, start = max(gaps)
    return start, 360 - gap


def _box(arc: Arc, south: float, north: float) -> Box:
    """A box of an arc, its ends between -180 and 180."""
    start, span = arc
    if span >= 360 - ALMOST:
        return -180.0, south, 180.0, north
    if start >= -180 - ALMOST and start + span <= 180 + ALMOST:
        return max(start, -180.0), south, min(round(start + span, 9), 180.0), north
    west = _within(start)
    east = _within(start + span)
    # A box that ends on the meridian does not lie over it.
    if abs(east + 180) <= ALMOST and span > 0:
        east = 180.0
    if abs(west - 180) <= ALMOST and span > 0:
        west = -180.0
    return west, south, east, north


def _within(longitude: float) -> float:
    turned = (longitude + 180) % 360 - 180
    return round(turned, 9)
