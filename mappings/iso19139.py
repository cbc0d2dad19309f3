"""Values of ISO 19139, which wraps every text, code and name into elements of its own."""

from __future__ import annotations

from collections.abc import Iterator

from chm_hub.document import Json
from mappings import boxes, gml, languages
from mappings.degrees import degrees
from mappings.functions import registered, strings
from mappings.place_functions import extent
from mappings.roles import part_played


@registered
def iso_texts(value: Json, language: Json = None) -> Json:
    """The texts of properties of ISO 19139: character strings, anchors, and their translations.

    ``language`` is that of the metadata; a translation is in the language of its locale.

    >>> iso_texts(`[{"CharacterString": [{"value": "Parks"}]}]`, 'en')
    [{"value": "Parks", "lang": "en"}]
    """
    made: list[Json] = []
    for item in _items(value):
        if not isinstance(item, dict):
            continue
        for name in ("CharacterString", "Anchor", "URL"):
            made += [_text(text, language) for text in strings(item.get(name))]
        for free in _items(item.get("PT_FreeText")):
            groups = free.get("textGroup") if isinstance(free, dict) else None
            for group in _items(groups):
                parts = group.get("LocalisedCharacterString") if isinstance(group, dict) else None
                for part in _items(parts):
                    locale = part.get("@locale") if isinstance(part, dict) else None
                    lang = languages.language(str(locale or "").lstrip("#").partition("-")[2] or "")
                    lang = lang or languages.language(str(locale or "").lstrip("#"))
                    made += [_text(text, lang) for text in strings(part)]
    return made


def _text(text: str, lang: Json) -> Json:
    return {"value": text, "lang": lang} if isinstance(lang, str) else {"value": text}


@registered
def iso_parties(value: Json, part: Json) -> Json:
    """The names of responsible parties that play a part (see `part_played`).

    A party is named by its organisation; a person's name counts for creators alone, since other
    persons are contacts.

    >>> iso_parties(`[{"CI_ResponsibleParty": [{"organisationName": [{"CharacterString": [{"value": "NES"}]}], "role": [{"CI_RoleCode": [{"@codeListValue": "author"}]}]}]}]`, 'creator')
    ["NES"]
    """  # noqa: E501
    made: list[Json] = []
    for party in _parties(value):
        roles = [code for role in _items(party.get("role")) for code in _codes(role, "CI_RoleCode")]
        if part_played(list(roles), "none") != part:
            continue
        names = [*_names(party, "individualName")] if part == "creator" else []
        names = names or [*_names(party, "organisationName")]
        made += names
    return list(dict.fromkeys(name for name in made if isinstance(name, str)))


def _parties(value: Json) -> Iterator[dict[str, Json]]:
    for item in _items(value):
        if isinstance(item, dict):
            for party in _items(item.get("CI_ResponsibleParty")):
                if isinstance(party, dict):
                    yield party
            for party in _items(item.get("CI_Responsibility")):
                if isinstance(party, dict):
                    yield _as_in_19139(party)


def _as_in_19139(responsibility: dict[str, Json]) -> dict[str, Json]:
    """A party of ISO 19115-3, where organisation and person are elements with names of their own,
    in the shape of ISO 19139."""
    found: dict[str, list[Json]] = {"organisationName": [], "individualName": []}
    for party in _items(responsibility.get("party")):
        inside = party if isinstance(party, dict) else {}
        for body in _items(inside.get("CI_Organisation")):
            if isinstance(body, dict):
                found["organisationName"] += _items(body.get("name"))
                for person in _items(body.get("individual")):
                    inside = {**inside, **(person if isinstance(person, dict) else {})}
        for person in _items(inside.get("CI_Individual")):
            if isinstance(person, dict):
                found["individualName"] += _items(person.get("name"))
    return {"role": responsibility.get("role"), **found}


def _names(party: dict[str, Json], name: str) -> list[Json]:
    found = iso_texts(party.get(name))
    return [text["value"] for text in found] if isinstance(found, list) else []


@registered
def iso_codes(value: Json) -> Json:
    """The codes in properties of ISO 19139: the value in its list, else the text.

    >>> iso_codes(`[{"MD_ScopeCode": [{"@codeListValue": "dataset", "value": "Datensatz"}]}]`)
    ["dataset"]
    """
    return [
        code
        for item in _items(value)
        if isinstance(item, dict)
        for name in item
        if not name.startswith("@") and name not in ("value", "lang")
        for code in _codes(item, name)
    ]


def _codes(holder: Json, name: str) -> list[str]:
    if not isinstance(holder, dict):
        return []
    made: list[str] = []
    for code in _items(holder.get(name)):
        stated = code.get("@codeListValue") if isinstance(code, dict) else None
        made += [stated] if isinstance(stated, str) and stated.strip() else strings(code)
    return made


def _items(value: Json) -> list[Json]:
    if isinstance(value, list):
        return [item for part in value for item in (part if isinstance(part, list) else [part])]
    return [] if value is None else [value]


_SIDES = (
    "westBoundLongitude",
    "southBoundLatitude",
    "eastBoundLongitude",
    "northBoundLatitude",
)


@registered
def iso_box(value: Json) -> Json:
    """The bounding box around geographic elements: bounding boxes, else polygons.

    A program draws the box around a polygon, and over the 180th meridian often wrongly: where an
    element has both and the box is wider than half the Earth, the polygon counts.

    >>> iso_box(`[{"EX_BoundingPolygon": [{"polygon": [{"Polygon": [{"exterior": [{"LinearRing": [{"posList": [{"value": "177 -20 -179 -20 -179 -15 177 -15 177 -20"}]}]}]}]}]}]}]`)
    [177.0, -20.0, -179.0, -15.0]
    """  # noqa: E501
    drawn: list[Json] = []
    shaped: list[Json] = []
    for item in _items(value):
        if not isinstance(item, dict):
            continue
        for box in _items(item.get("EX_GeographicBoundingBox")):
            if isinstance(box, dict):
                drawn.append([degrees(_decimal(box.get(side))) for side in _SIDES])
        shape = gml.of_element(item.get("EX_BoundingPolygon"))
        shaped += [list(shape)] if shape is not None else []
    around, outlines = extent(drawn), extent(shaped)
    if not isinstance(around, list) or (outlines and boxes.width(tuple(around)) > 180):
        return outlines
    return around


def _decimal(value: Json) -> Json:
    """The text of a `Decimal`, which some programs write as a character string."""
    for item in _items(value):
        for name in ("Decimal", "CharacterString", "Real"):
            said = strings(item.get(name)) if isinstance(item, dict) else []
            if said:
                return said[0]
    return None
