"""Things of schema.org, as JSON-LD in pages has them: places, files, identifiers, names."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chm_hub.document import Json
from mappings import degrees, identifiers
from mappings.functions import issue, registered, shown
from mappings.place_functions import extent

_NUMBERS = re.compile(r"[\s,;]+")
_SIZE = re.compile(r"[0-9]+")


def _items(value: Json) -> Iterator[Json]:
    """What a list holds, lists in it opened; what is no list by itself."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        elif item not in (None, "", {}):
            yield item


@registered
def schema_names(value: Json) -> Json:
    """The names of things: texts, and what objects call themselves (`Place`, `DefinedTerm`).

    >>> schema_names(`["reef", {"@type": "DefinedTerm", "name": "coral"}]`)
    ["reef", "coral"]
    """
    made: list[Json] = []
    for item in _items(value):
        keys = ("name", "@value", "termCode") if isinstance(item, dict) else ()
        said = next((item[key] for key in keys if item.get(key)), item)
        made += [name for name in _items(said) if isinstance(name, str)]
    return made


@registered
def schema_countries(value: Json) -> Json:
    """What the addresses of places say of their country: a name or a code.

    >>> schema_countries(`{"@type": "Place", "address": {"addressCountry": {"name": "Kenya"}}}`)
    ["Kenya"]
    """
    addresses = [item.get("address") for item in _items(value) if isinstance(item, dict)]
    return schema_names(
        [item.get("addressCountry") for item in _items(addresses) if isinstance(item, dict)]
    )


@registered
def schema_box(value: Json) -> Json:
    """The bounding box around places: `GeoCoordinates`, and the `box`, `polygon` or `line` of a
    `GeoShape`, whose numbers are latitude before longitude.

    >>> schema_box(`{"geo": {"@type": "GeoShape", "box": "-20 177 -15 -179"}}`)
    [177.0, -20.0, -179.0, -15.0]
    """
    found: list[Json] = []
    for place in _items(value):
        shapes = place.get("geo", place) if isinstance(place, dict) else None
        for shape in _items(shapes):
            if isinstance(shape, dict) and (box := _shape(shape)) is not None:
                found.append(box)
    return extent(found)


def _shape(shape: dict[str, Json]) -> Json:
    if shape.get("latitude") not in (None, "") and shape.get("longitude") not in (None, ""):
        said = [degrees.degrees(shape["longitude"]), degrees.degrees(shape["latitude"])]
        return extent([*said, *said]) if None not in said else None
    key = next((key for key in ("box", "polygon", "line") if shape.get(key)), None)
    if key is None:
        return None
    words = [word for word in _NUMBERS.split(str(shape[key])) if word]
    numbers = [degrees.read(word) for word in words]
    if None in numbers or len(numbers) < 2 or len(numbers) % 2:
        issue(f"not a place on Earth: {shown(shape[key])}")
        return None
    positions: list[Json] = [[x, y] for y, x in zip(numbers[::2], numbers[1::2], strict=True)]
    if key == "box" and len(positions) == 2:
        return extent([*positions[0], *positions[1]])
    return extent({"type": "LineString", "coordinates": positions})


@registered
def schema_files(value: Json) -> Json:
    """The files of a thing (`DataDownload`, `MediaObject`), as `links` takes them.

    >>> schema_files(`{"@type": "DataDownload", "contentUrl": "https://x.example/a", "name": "A"}`)
    [{"url": "https://x.example/a", "title": "A"}]
    """
    made: list[Json] = []
    for item in _items(value):
        said = {"contentUrl": item} if isinstance(item, str) else item
        if not isinstance(said, dict) or not (url := said.get("contentUrl") or said.get("url")):
            continue
        size = str(said.get("contentSize") or "")
        parts = {
            "url": url,
            "title": said.get("name"),
            "type": said.get("encodingFormat") or said.get("fileFormat"),
            "size": size if _SIZE.fullmatch(size) else None,
        }
        made.append({key: part for key, part in parts.items() if isinstance(part, str)})
    return made


@registered
def schema_identifiers(value: Json, pages: Json = None) -> Json:
    """Identifiers of a thing, as texts or as `PropertyValue`, without the addresses of its pages;
    DOIs and handles as addresses.

    >>> schema_identifiers(`[{"propertyID": "doi", "value": "10.5555/abc"}, "https://x.example/1"]`, 'https://x.example/1')
    ["https://doi.org/10.5555/abc"]
    """  # noqa: E501
    said: list[Json] = []
    for item in _items(value):
        if isinstance(item, dict):
            named = item.get("value") or item.get("url") or item.get("@id")
            kind = item.get("propertyID")
            item = {"value": named, "@type": kind} if isinstance(kind, str) else named
        if isinstance(item, str | dict):
            said.append(item)
    own = set(schema_names(pages))
    found = identifiers.resolved(said)
    return [one for one in found if one not in own] if isinstance(found, list) else []
