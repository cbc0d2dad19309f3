"""What feedparser reads of a feed's extensions but does not hand over as it was meant.

Places: GeoRSS (simple and GML, OGC 17-002r1) and the W3C's basic geo vocabulary. Dates:
``dc:date``, which feedparser takes for a date of change, and the date of change that it makes of
the date of publication.
"""

from __future__ import annotations

from typing import Any

from feedparser.namespaces import dc, georss

from chm_hub.document import Json

_DC_DATE = "dc_date"


def _start_date(parser: Any, _attributes: Any) -> None:
    parser.push(_DC_DATE, 1)


def _end_date(parser: Any) -> None:
    parser.pop(_DC_DATE)


# Dublin Core's date says nothing of a change; dcterms:modified does, and stays.
dc.Namespace._start_dc_date = _start_date
dc.Namespace._end_dc_date = _end_date


_COVERAGES = "dc_coverages"


def _start_coverage(parser: Any, _attributes: Any) -> None:
    parser.push("dc_coverage", 1)


def _end_coverage(parser: Any) -> None:
    said = parser.pop("dc_coverage")
    if said:
        parser._get_context().setdefault(_COVERAGES, []).append(said)


# feedparser keeps the last of several.
dc.Namespace._start_dc_coverage = _start_coverage
dc.Namespace._end_dc_coverage = _end_coverage


def _end_point(parser: Any) -> None:
    found = point(parser.pop("geometry") or "")
    if found:
        lat, lng = found
        parser._save_where({"type": "Point", "coordinates": (lng, lat)})


# feedparser takes the comma of a decimal for that between two numbers.
georss.Namespace._end_georss_point = _end_point


def point(said: str) -> tuple[float, float] | None:
    """The two numbers of a point; a comma between two numbers parts them, one in a number that
    stands beside another (`64,5 177,5`) is that of its decimals."""
    words = [word.strip(",;") for word in said.split()]
    if len(words) == 1:
        words = words[0].split(",")
    try:
        first, second = (float(word.replace(",", ".")) for word in words if word)
    except ValueError:
        return None
    return first, second


def places_in_words(entry: Any) -> list[Json]:
    """Places that an entry names: ``dc:coverage``, ``dcterms:spatial``, GeoRSS's feature name."""
    named = [entry.get("dcterms_spatial"), entry.get("georss_featurename")]
    return [str(said) for said in [*entry.get(_COVERAGES, []), *named] if said]


def dates(entry: Any) -> dict[str, Json]:
    """``published`` and ``updated`` of an entry or feed as it states them, each only if it does."""
    made = {"published": entry.get("published") or entry.get(_DC_DATE)}
    # feedparser answers with the date of publication where no other is there.
    made["updated"] = entry.get("updated") if "updated" in entry else None
    return {name: str(value) for name, value in made.items() if value}


def place(entry: Any) -> dict[str, Json]:
    """Where an entry is: ``geo`` (``lat``, ``lng``) of a point, else ``shape``, which is a GeoJSON
    geometry or the numbers of a box (west, south, east, north)."""
    where = entry.get("where") or {}
    kind, coordinates = where.get("type"), where.get("coordinates")
    if kind == "Point" and coordinates:
        return {"geo": {"lng": float(coordinates[0]), "lat": float(coordinates[1])}}
    if kind == "Box" and coordinates and len(coordinates) == 2:
        return {"shape": [*coordinates[0][:2], *coordinates[1][:2]]}
    if kind and coordinates:
        return {"shape": {"type": kind, "coordinates": _lists(coordinates)}}
    if box := _envelope(entry):
        return {"shape": box}
    lat, lng = entry.get("geo_lat"), entry.get("geo_long")
    return {"geo": {"lat": str(lat), "lng": str(lng)}} if lat and lng else {}


def _envelope(entry: Any) -> list[Json] | None:
    """The box of a GML envelope, whose corners have latitude before longitude (GeoRSS GML)."""
    corners = [str(entry.get(f"gml_{name}corner") or "").split() for name in ("lower", "upper")]
    try:
        (south, west), (north, east) = ([float(n) for n in corner[:2]] for corner in corners)
    except ValueError:
        return None
    return [west, south, east, north]


def _lists(coordinates: Any) -> Json:
    if isinstance(coordinates, list | tuple):
        return [_lists(part) for part in coordinates]
    return float(coordinates)
