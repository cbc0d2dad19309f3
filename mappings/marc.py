"""Fields of MARC 21 bibliographic records (https://www.loc.gov/marc/bibliographic/).

A field is an object with `@tag`, `@ind1`, `@ind2` and its `subfield` elements, as MARCXML has
them. Values end in ISBD punctuation, which says what follows and is no part of the value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from chm_hub.document import Json
from mappings import codes, degrees, languages, markup
from mappings.dcsv import dcmi_box
from mappings.functions import issue, lookup_known, registered, shown, strings
from mappings.place_functions import extent
from mappings.roles import part_played

_STOPPED = (
    "abt assoc ave bd bldg bros ca cie co col corp dept dir div dr ed eds est et al etc fig "
    "ft gen gov hrsg inc inst intl jr ltd ltda max min mr mrs ms mt nat no nr nos op phd pl "
    "pp prof pt pts rev sa sen ser sr srl st str suppl univ vol vols "
)
_ABBREVIATIONS = frozenset(_STOPPED.split())
"""Words whose full stop belongs to them."""
_MARKS = " \t\r\n/:;,="
_UNNAMED = re.compile(
    r"\W*(?:s\.?\s*n\.?|publisher not identified|editor no identificado|"
    r"éditeur inconnu|verlag nicht ermittelbar)\W*",
    re.IGNORECASE,
)
"""What catalogues write where no publisher is known (sine nomine)."""


@dataclass(frozen=True, slots=True)
class Field:
    """A data field: its tag, its indicators, its subfields in order."""

    tag: str
    first: str
    second: str
    parts: tuple[tuple[str, str], ...]

    def all(self, wanted: str) -> list[str]:
        """The values of the subfields with one of these codes, in the order they stand in."""
        return [text for code, text in self.parts if code in wanted]


def fields(value: Json, tags: str) -> Iterator[Field]:
    """The fields with one of these tags (``"650 651"``), in the order of the record."""
    wanted = tags.split()
    for item in value if isinstance(value, list) else [value]:
        if not isinstance(item, dict) or item.get("@tag") not in wanted:
            continue
        subfields = item.get("subfield")
        parts = [
            (str(part.get("@code") or ""), text.strip())
            for part in (subfields if isinstance(subfields, list) else [])
            if isinstance(part, dict)
            for text in strings(part)
        ]
        yield Field(
            tag=str(item["@tag"]),
            first=str(item.get("@ind1") or " "),
            second=str(item.get("@ind2") or " "),
            parts=tuple(parts),
        )


def bare(text: str) -> str:
    """A text without the ISBD punctuation at its end (ISBD 0.3); abbreviations keep their stop."""
    text = markup.without_end(text.strip(), _MARKS)
    if text.endswith(".") and not text.endswith(".."):
        last = re.split(r"[\s(\[]", text[:-1])[-1]
        if len(last) > 1 and "." not in last and last.casefold() not in _ABBREVIATIONS:
            text = text[:-1].rstrip(_MARKS)
    return text


@registered
def without_isbd(value: Json) -> Json:
    """Texts without the punctuation that ISBD puts at the end of an element.

    >>> without_isbd(`["Forests of Kenya /", "KWS,", "Thackray, Richard I.", "Research."]`)
    ["Forests of Kenya", "KWS", "Thackray, Richard I.", "Research"]
    """
    if isinstance(value, list):
        return [made for made in (without_isbd(item) for item in value) if made]
    if isinstance(value, dict) and isinstance(value.get("value"), str):
        return {**value, "value": bare(value["value"])}
    return bare(value) if isinstance(value, str) else value


@registered
def characters(value: Json, start: Json, count: Json) -> Json:
    """Characters of a text from a position on, the first being 0; nothing where it is shorter.

    >>> characters('760625s1975    dcua     b   f000 0 eng d', `35`, `3`)
    "eng"
    """
    text = next(iter(strings(value)), "") if not isinstance(value, str) else value
    if not isinstance(start, int) or not isinstance(count, int):
        return None
    return text[start : start + count] if start >= 0 and start + count <= len(text) else None


@registered
def marc_texts(datafield: Json, tags: Json, codes: Json) -> Json:
    """The subfields with some codes in the fields with some tags, each by itself.

    >>> marc_texts(`[{"@tag": "653", "subfield": [{"@code": "a", "value": "fish"}]}]`, '650 653', 'a')
    ["fish"]
    """  # noqa: E501
    return [text for one in fields(datafield, str(tags)) for text in one.all(str(codes))]


@registered
def marc_joined(datafield: Json, tags: Json, codes: Json) -> Json:
    """For each field with some tags one text: its subfields with some codes, as they stand.

    >>> marc_joined(`[{"@tag": "490", "subfield": [{"@code": "a", "value": "Series ;"}, {"@code": "v", "value": "3"}]}]`, '490', 'av')
    ["Series ; 3"]
    """  # noqa: E501
    joined = (" ".join(one.all(str(codes))) for one in fields(datafield, str(tags)))
    return [text for text in joined if text]


# --- titles --------------------------------------------------------------------------------


@registered
def marc_titles(datafield: Json) -> Json:
    """The titles of a record: 245, the same in its own script (880), 242 and 246.

    A title is its subfields a, b, n and p. Without a 245 it is the uniform title (130, 240), or
    the name of the meeting that the record is about (111).

    >>> marc_titles(`[{"@tag": "245", "subfield": [{"@code": "a", "value": "Forests :"}, {"@code": "b", "value": "a survey /"}]}]`)
    [{"value": "Forests : a survey"}]
    """  # noqa: E501
    given = list(fields(datafield, "245"))
    linked = [one for one in fields(datafield, "880") if one.all("6")[:1]]
    given += [one for one in linked if one.all("6")[0].startswith("245")]
    made: list[Json] = [{"value": _title(one)} for one in given]
    if not any(_title(one) for one in given):
        instead = [*fields(datafield, "130"), *fields(datafield, "240"), *fields(datafield, "111")]
        return [{"value": title} for title in (_title(one, "anp") for one in instead) if title][:1]
    for one in fields(datafield, "242"):
        lang = languages.language(one.all("y")[0]) if one.all("y") else None
        made.append({"value": _title(one), **({"lang": lang} if lang else {})})
    # Titles of covers and spines (second indicator 4 to 8) repeat the title.
    made += [{"value": _title(one)} for one in fields(datafield, "246") if one.second in " 0123"]
    return [title for title in made if isinstance(title, dict) and title["value"]]


def _title(one: Field, wanted: str = "abnp") -> str:
    title = ""
    for code, text in one.parts:
        if code == "h":
            # What the medium is stands before the punctuation: "Forests [map] :".
            title += " " + text[-1] if title and text[-1:] in "/:;=," else ""
        elif code in wanted:
            if title and code in "np" and title.rstrip()[-1:] not in ".,;:/=":
                title += "."
            elif title and code == "b" and title.rstrip()[-1:] not in ".,;:/=?!":
                title += " :"
            title += (" " if title else "") + text
    return bare(title)


# --- names ---------------------------------------------------------------------------------

_NAMES = "100 110 111 700 710 711 720"


@registered
def marc_names(datafield: Json, part: Json) -> Json:
    """The names of fields 100 to 111 and 700 to 720 that play a part (see `part_played`).

    A name without a relator is a creator's. Dates are left out; the units of a body belong to
    its name. Works that the record mentions (subfield t) are no names.

    >>> marc_names(`[{"@tag": "710", "subfield": [{"@code": "a", "value": "Kenya."}, {"@code": "b", "value": "Ministry of Water."}]}]`, 'creator')
    [{"name": "Kenya. Ministry of Water"}]
    """  # noqa: E501
    made: list[Json] = []
    titled = next(fields(datafield, "245"), None) is not None
    for one in fields(datafield, _NAMES):
        if one.all("t") or (one.tag == "111" and not titled):
            continue
        relators = one.all("4") + [
            bare(text) for text in one.all("j" if one.tag[1:] == "11" else "e")
        ]
        if part_played(list(relators), "creator") != part:
            continue
        name = _name(one)
        if name:
            uri = _uri(one)
            made.append({"name": name, "uri": uri} if uri else {"name": name})
    return made


def _name(one: Field) -> str:
    if one.tag[1:] == "00":
        return bare(" ".join(one.all("abcq")))
    if one.tag[1:] == "10":
        units = [text if text.endswith(".") else bare(text) + "." for text in one.all("ab")]
        return bare(" ".join(units))
    if one.tag[1:] == "11":
        numbered = any(text.startswith("(") for text in one.all("ndc"))
        return bare(" ".join(one.all("andce" if numbered else "ae")))
    return bare(" ".join(one.all("a")))


def _uri(one: Field) -> str | None:
    return next((text for text in one.all("1") + one.all("0") if text.startswith("http")), None)


@registered
def marc_publication(datafield: Json, codes: Json) -> Json:
    """Subfields of who published a resource, where and when: 264 of publication, else 260, else
    other 264. Dates are without what says that they are of copyright, or guessed.

    >>> marc_publication(`[{"@tag": "260", "subfield": [{"@code": "b", "value": "KWS,"}, {"@code": "c", "value": "c1999."}]}]`, 'c')
    ["1999"]
    """  # noqa: E501
    given = list(fields(datafield, "260 264"))
    given.sort(key=lambda one: (one.tag == "264" and one.second != "1", one.second == "4"))
    texts = [bare(text) for one in given for text in one.all(str(codes))]
    dated = [_DATED.sub(r"\1", text) for text in texts]
    return [text for text in dated if text and not _UNNAMED.fullmatch(text)]


_DATED = re.compile(r"^[\[(\s]*(?:c|©|p|℗|cop\.)?\s*(\d{4})[\s?\])]*$")


# --- subjects and places -----------------------------------------------------------------------


@registered
def marc_subjects(datafield: Json) -> Json:
    """The concepts of fields 600 to 653 and 690: topics and each of their subdivisions, names,
    works; with the address and the language that the field states.

    >>> marc_subjects(`[{"@tag": "650", "subfield": [{"@code": "a", "value": "Fishes"}, {"@code": "z", "value": "Kenya."}]}]`)
    [{"label": "Fishes"}]
    """  # noqa: E501
    made: list[Json] = []
    for one in fields(datafield, "600 610 611 630 647 650 651 653 654 690"):
        if one.tag in ("600", "610", "611"):
            labels = [bare(" ".join([_name(one), *one.all("t")]))]
        elif one.tag == "630":
            labels = [_title(one, "anp")]
        else:
            labels = [] if one.tag == "651" else [bare(text) for text in one.all("ab")]
        uri = _uri(one)
        named = re.search(r"/([a-z]{3})$", (one.all("2") or [""])[0])
        lang = languages.language(named[1]) if named else None
        said = {"lang": lang} if lang else {}
        for place, label in enumerate([*labels, *(bare(text) for text in one.all("x"))]):
            if label:
                made.append({"label": label, **said, **({"uri": uri} if uri and not place else {})})
    return made


@registered
def marc_places(datafield: Json) -> Json:
    """The places a record is about, in words: 651, the subdivisions of subjects, 662, 752.

    >>> marc_places(`[{"@tag": "650", "subfield": [{"@code": "a", "value": "Fishes"}, {"@code": "z", "value": "Kenya."}]}]`)
    ["Kenya"]
    """  # noqa: E501
    found = [
        bare(text)
        for one in fields(datafield, "600 610 611 630 647 648 650 651 655 662 690 752")
        for text in one.all({"651": "az", "662": "abcdg", "752": "abcdg"}.get(one.tag, "z"))
    ]
    if next(fields(datafield, "245"), None) is None:  # a meeting's own record
        found += [bare(text) for one in fields(datafield, "111") for text in one.all("c")]
    return list(dict.fromkeys(text for text in found if text))


@registered
def marc_areas(datafield: Json) -> Json:
    """The countries of field 043: MARC's codes for geographic areas, and codes of ISO 3166.

    >>> marc_areas(`[{"@tag": "043", "subfield": [{"@code": "a", "value": "f-ke---"}, {"@code": "c", "value": "UG"}]}]`)
    ["KE", "UG"]
    """  # noqa: E501
    made: list[Json] = []
    for one in fields(datafield, "043"):
        for code, text in one.parts:
            if code == "a":
                area = "-".join(text.rstrip("-").split("-")[:2])
                found = lookup_known("marc_areas", area)
                made += found if isinstance(found, list) else []
            elif code == "c" and (country := codes.country(text)):
                made.append(country)
    return made


@registered
def marc_box(datafield: Json) -> Json:
    """The bounding box around the places of all fields 034: west, south, east, north; where there
    is none, of field 255.

    Coordinates are degrees, minutes and seconds (`W0801530`) or decimal (`-80.258`).

    >>> marc_box(`[{"@tag": "034", "subfield": [{"@code": "d", "value": "E0340000"}, {"@code": "e", "value": "E0420000"}, {"@code": "f", "value": "N0050000"}, {"@code": "g", "value": "S0043000"}]}]`)
    [34.0, -4.5, 42.0, 5.0]
    """  # noqa: E501
    found: list[Json] = []
    for one in fields(datafield, "034"):
        said = [one.all(code)[:1] for code in "dgef"]
        if not all(said):
            continue
        sides = [_degrees(text[0]) for text in said]
        if None in sides:
            issue(f"not a place on Earth: {shown([text[0] for text in said])}")
        elif box := extent(sides):
            found.append(box)
    if found:
        return extent(found)
    return dcmi_box([bare(text) for one in fields(datafield, "255") for text in one.all("c")])


_PACKED = re.compile(r"([NSEW+-]?)(\d{3})(\d{2}(?:\.\d+)?)(\d{2}(?:\.\d+)?)?", re.IGNORECASE)


def _degrees(text: str) -> float | None:
    found = _PACKED.fullmatch(text.strip())
    if found is None:
        return degrees.read(text)
    made = int(found[2]) + float(found[3]) / 60 + float(found[4] or 0) / 3600
    return -made if found[1].upper() in ("S", "W", "-") else made


# --- identifiers, languages, dates ------------------------------------------------------------

_STATED = {"020": "isbn", "022": "issn"}
_BY_INDICATOR = {"0": "isrc", "1": "upc", "2": "ismn", "3": "ean", "4": "sici"}


@registered
def marc_identifiers(datafield: Json) -> Json:
    """The identifiers and addresses of a record with their types: 856 (but those of related
    resources), 024, 020, 022, 027 and 088.

    >>> marc_identifiers(`[{"@tag": "022", "subfield": [{"@code": "a", "value": "0006-3207"}]}]`)
    [{"value": "0006-3207", "@type": "issn"}]
    """
    made: list[Json] = [
        {"value": text, "@type": "uri"}
        for one in fields(datafield, "856")
        if one.second != "2"
        for text in one.all("u")
    ]
    for one in fields(datafield, "024 020 022 027 088"):
        stated = _STATED.get(one.tag) or _BY_INDICATOR.get(one.first) or (one.all("2") or [""])[0]
        made += [{"value": bare(text), "@type": stated} for text in one.all("a")]
    return made


@registered
def marc_languages(datafield: Json, controlfield: Json) -> Json:
    """The codes of the languages of a text: field 041, else 008.

    >>> marc_languages(`[{"@tag": "041", "subfield": [{"@code": "a", "value": "engfre"}]}]`, `[]`)
    ["eng", "fre"]
    """
    said = [text for one in fields(datafield, "041") for text in one.all("a")]
    made: list[Json] = []
    for text in said:
        # Until 2001 several codes stood in one subfield.
        several = re.fullmatch(r"(?:[a-z]{3}){2,}", text)
        made += re.findall("...", text) if several else [text]
    if not made:
        field = _control(controlfield, "008")
        # Where a field has lost or won a character, its end is still as the standard has it.
        places = (characters(field, 35, 3), field[-5:-2])
        known = (
            code for code in places if isinstance(code, str) and re.fullmatch("[a-z]{3}", code)
        )
        made = [code for code in known if languages.language(code) not in (None, "zxx")][:1]
    return made


@registered
def marc_kind(leader: Json) -> Json:
    """What a record describes, by its leader: kind of material and level, then the kind alone.

    >>> marc_kind(`[{"value": "02071cam a22004334i 4500"}]`)
    ["am", "a"]
    """
    said = next(iter(strings(leader)), "")
    # Blanks at its beginning may be lost; it ends in "4500".
    whole = said.rjust(24) if said.rstrip().endswith("4500") else said
    return [code for code in (whole[6:8], whole[6:7]) if code.strip()]


@registered
def marc_issued(controlfield: Json) -> Json:
    """The date of publication in field 008, of a series of them the first.

    >>> marc_issued(`[{"@tag": "008", "value": "110831e20110312ke            000 0|swa  "}]`)
    "2011-03-12"
    """
    field = _control(controlfield, "008")
    kind, first, second = (characters(field, at, n) for at, n in ((6, 1), (7, 4), (11, 4)))
    if not isinstance(first, str) or not _YEAR.fullmatch(first) or kind not in tuple("secdmprtu"):
        return None
    if kind == "e" and isinstance(second, str) and (found := _DAY.fullmatch(second)):
        return "-".join([first, *(part for part in found.groups() if part)])
    return first


@registered
def marc_inclusive(controlfield: Json) -> Json:
    """The years from which the parts of a collection are (field 008, types i and k).

    >>> marc_inclusive(`[{"@tag": "008", "value": "110831i18101944fi            000 0|fin  "}]`)
    {"start": "1810", "end": "1944"}
    """
    field = _control(controlfield, "008")
    if characters(field, 6, 1) not in ("i", "k"):
        return None
    years = {"start": characters(field, 7, 4), "end": characters(field, 11, 4)}
    found = {k: y for k, y in years.items() if isinstance(y, str) and _YEAR.fullmatch(y)}
    return dict(found) or None


_YEAR = re.compile(r"(?!9999)[12]\d{3}")
_DAY = re.compile(r"(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])?\s*")


def _control(controlfield: Json, tag: str) -> str:
    for one in controlfield if isinstance(controlfield, list) else []:
        if isinstance(one, dict) and one.get("@tag") == tag and isinstance(one.get("value"), str):
            said = str(one["value"])
            # Field 008 begins with the day of its entry, six blanks where nobody knows it.
            return said if tag != "008" or said[:1].isdigit() else f"{'':6}{said.lstrip()}"
    return ""
