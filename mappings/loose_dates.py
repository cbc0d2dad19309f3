"""Dates and periods as librarians, editors and event pages write them.

Catalogue rules (AACR2 1.4F, RDA 2.8.6) have years with signs of doubt, copyright and reprints;
EDTF (ISO 8601-2) has open ends, seasons and unknown digits; people write ranges and quarters.
A reading is a beginning and an end in W3CDTF. What W3CDTF cannot say as it was meant is refused:
a decade, one of two years, some time between two years.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from mappings import exact_dates
from mappings.exact_dates import NotADate

Reading = tuple[str | None, str | None]
"""Beginning and end, either may be unknown or open; both the same for a single date."""

_NOISE = frozenset(
    str.split("""ca circa approximately approx about vers env environ um hacia cerca около published
    publication publ pub printed print issued copyright copr cop released in year ed edition
    the année annee año ano jahr anno date dated datum publié publie paru
    parue en publicado publicada impreso impr
    veröffentlicht erschienen gedruckt veroffentlicht im le el on from опубликовано
    год года г""")
)
"""Words beside a date that do not change it."""
_SEASONS = frozenset(
    str.split("""spring summer autumn fall winter printemps été ete automne hiver primavera verano
    otoño otono invierno verão verao outono inverno estate autunno frühling fruhling sommer herbst
    весна лето осень зима ربيع صيف خريف شتاء 春季 夏季 秋季 冬季 春 夏 秋 冬
    quarter trimestre trimester quartal квартал semester semestre half first second third fourth
    1st 2nd 3rd 4th 1er 2e 2ème 3e 3ème 4e 4ème premier deuxième troisième quatrième primer segundo
    tercer cuarto of de du del early mid late""")
)
"""Words and ordinals for a part of a year, of which the year alone is certain."""
_PART = re.compile(r"(?:[qtsh][1-4]|[1-4][qtsh]|第[一二三四1-4]季度?)")
_UNKNOWN_DIGITS = re.compile(
    r"(?<![\w-])\d{1,3}(?:[xu?_]+|-{1,2})(?![\w-])|\d{1,3}0s|(?<!\d)\d{3}-\?"
)
_EDTF_PARTS = re.compile(r"(\d{4})(?:-(?:uu|xx|\d{2}-(?:uu|xx)|(?:uu|xx)-(?:uu|xx)))", re.ASCII)
_CORRECTED = re.compile(
    r".*\d{4}.*?(?<!\w)(?:i\.?\s?e\.?|recte|that is|d\.?\s?h\.?|c\.-à-d\.|rather)"
    r"[\s,]*(?P<right>.+)"
)
_REPRINT = re.compile(
    r"(?:[\s,;:.]|(?<!\w)c(?=\d)|(?<![^\W\d])(?:reprinted|reprint|repr|reissued|reimpr|réimpr|"
    r"reimpreso|nachdruck|reproduced|revised|rev|updated|printing|impression|copyright|c|cop|copr|p|"
    r"by|and|with|\d(?:st|nd|rd|th)))(?![^\W\d])"
)
_DOUBTFUL = re.compile(
    r"(?<!\w)(?:or|ou|oder|between|entre|zwischen|before|avant|antes|vor|after|après|despues|"
    r"not|nach|bc|b\.c|av\. j\.-c)(?!\w)"
)
_YEARS = re.compile(r"(\d{4})\s*(?:-|/|\.\.|to|until|through|bis|à|au|al|a)\s*(\d{4})", re.ASCII)
_SHORT_YEARS = re.compile(r"(\d{2})(\d{2})\s*[-/]\s*(\d{2})", re.ASCII)
_OPEN = re.compile(
    r"(\d{4}(?:-\d{2}){0,2})\s*(?:-|/|/\s*\.\.|\.\.|-\s*present|to present)", re.ASCII
)
_BETWEEN = re.compile(
    r"\s*/\s*|\s*\.\.\s*|\s+-\s+|\s+(?:to|until|through|bis|à|au|al|hasta|до)\s+|\s*-\s*"
)
_DAY = re.compile(r"\d{1,2}", re.ASCII)
_DASHES = re.compile(r"[‐-―−~〜～]|\s至\s")


def read(text: str) -> Reading:
    """The beginning and the end of what ``text`` says, which has ASCII digits.

    Raises :class:`NotADate` for what is no date, or none that W3CDTF can say.
    """
    said = _DASHES.sub("-", text.casefold()) if "~" not in text[-1:] else text.casefold()
    if _UNKNOWN_DIGITS.search(said.strip("[]() ")):
        raise NotADate("not a certain year", text)
    if match := _CORRECTED.fullmatch(said):
        said = match["right"]
    said = _bare(said)
    if match := _EDTF_PARTS.fullmatch(said):
        return _single(said.partition("-u")[0].partition("-x")[0])
    for way in (_alone, _of_years, _of_part, _of_reprint, _of_two):
        reading = way(said)
        if reading is not None:
            return reading
    raise NotADate("not a date", text)


def _bare(said: str) -> str:
    """Without brackets, signs of doubt, and words that change nothing."""
    said = re.sub(r"[\[\](){}<>«»„“”\"'©℗]|(?<=[\w\]])[?%~](?!\w)", " ", said)
    said = re.sub(r"(?<!\w)(?:ca|c|cop|p|dl)\.?\s*(?=\d{4})", " ", said)
    words = [word for word in said.split() if word.strip(".,:;") not in _NOISE]
    return " ".join(words).strip(" .,;:")


def _single(said: str) -> Reading:
    made = exact_dates.read(said) if said else None
    return made, made


def _try(said: str) -> str | None:
    try:
        return exact_dates.read(said)
    except NotADate:
        return None


def _alone(said: str) -> Reading | None:
    """One date, once the words around it are gone."""
    made = _try(said)
    return (made, made) if made else None


def _of_years(said: str) -> Reading | None:
    """``1999-2003``, ``1998-99``, ``2004-``, and EDTF's ``2004-21`` (a season)."""
    if match := _YEARS.fullmatch(said):
        return _ordered(_try(match[1]), _try(match[2]))
    if match := _SHORT_YEARS.fullmatch(said):
        return _of_short_years(said, match)
    if match := _OPEN.fullmatch(said):
        start = _try(match[1])
        return (start, None) if start else None
    return None


def _of_short_years(said: str, match: re.Match[str]) -> Reading | None:
    """``1998-99`` and ``1999/00``. With a dash, EDTF's seasons have the numbers from 21 to 41, and
    the months those to 12."""
    first = int(match[1] + match[2])
    last = int(match[1] + match[3])
    if last == first - 99:  # over the end of a century
        last += 100
    start = _try(str(first))
    if "-" in said and 21 <= int(match[3]) <= 41 and last - first > 10:
        return start, start
    if last <= first or ("-" in said and int(match[3]) <= 12):
        return None
    return _ordered(start, _try(str(last)))


def _of_part(said: str) -> Reading | None:
    """A season, a quarter or a half of a year, or of two: the year is certain."""
    words = re.split(r"[\s,./-]+", said)
    years = [word for word in words if re.fullmatch(r"\d{4}", word, re.ASCII)]
    others = [word for word in words if word and word not in years]
    parts = [word for word in others if word in _SEASONS or _PART.fullmatch(word)]
    rest = [word for word in others if word not in parts]
    if not parts or not years or len(years) > 2:
        return None
    if rest and not (len(rest) == 1 and re.fullmatch(r"\d{2}", rest[0]) and len(years) == 1):
        return None
    last = years[0][:2] + rest[0] if rest else years[-1]
    return _ordered(_try(years[0]), _try(last))


def _of_reprint(said: str) -> Reading | None:
    """``1979, reprinted 1985``, ``1967 c1965``: the year of the edition stands first."""
    if _DOUBTFUL.search(said):
        return None
    years = re.findall(r"(?<!\d)\d{4}(?!\d)", said, re.ASCII)
    rest = re.sub(r"(?<!\d)\d{4}(?!\d)", " ", said)
    if not years or _REPRINT.sub("", rest).strip():
        return None
    return _single(years[0])


def _of_two(said: str) -> Reading | None:
    """A beginning and an end with a stroke or a word between; either may lack what the other
    says, as in ``12-14 May 2010`` and ``May-June 2010``."""
    if _DOUBTFUL.search(said):
        return None
    for first, second in _parted(said):
        end = _side(second)
        if end is None:
            continue
        start = _side(first)
        if start is None:
            start = _completed(first, end)
        if start is not None:
            return _ordered(start or None, end or None)
    return None


def _parted(said: str) -> Iterator[tuple[str, str]]:
    for match in _BETWEEN.finditer(said):
        yield said[: match.start()].strip(" ,"), said[match.end() :].strip(" ,")


def _side(part: str) -> str | None:
    """One end: a date, an empty text for an open or unknown one, ``None`` for anything else."""
    if part in ("", "..", "open", "unknown", "present", "now", "ongoing"):
        return ""
    return _try(part)


def _completed(first: str, end: str) -> str | None:
    """A beginning that lacks its year, or its month and year, with those of the end."""
    if not end or len(end) < 7:
        return None
    if len(end) == 10 and _DAY.fullmatch(first.strip(".")):
        return _try(f"{end[:7]}-{first.strip('.').zfill(2)}")
    month = exact_dates.months().get(first.strip("."))
    if month is not None and len(end) == 7:
        return _try(f"{end[:4]}-{month:02d}")
    return _try(f"{first} {end[:4]}") if len(end) == 10 else None


def _ordered(start: str | None, end: str | None) -> Reading | None:
    """Two ends in order; ``None`` if the second is before the first."""
    if not start and not end:
        return None
    if start and end and end[: len(start)] < start[: len(end)]:
        return None
    return start, end
