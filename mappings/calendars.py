"""Years of other calendars: the Thai Buddhist year becomes Gregorian, the others are refused.

The Thai year has the Gregorian months since 1941 (2484), so that 543 less is exact. A year of
the Hijri, Persian, Hebrew, Ethiopian or Nepali calendar lies in two Gregorian years: it has no
Gregorian date, unless the text gives one beside it (``1402 [1982]``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Literal

from mappings.exact_dates import LAST_YEAR, NotADate

Calendar = Literal["gregorian", "thai", "persian", "hijri"]
"""The calendar in which a source's years without a mark may be."""

OLDEST_PRINT = 1450
"""Gutenberg's year. An earlier year of something published is one of another calendar."""
FIRST_THAI_YEAR = 2484
"""Until 2483 the Thai year began in April."""
_THAI_OFFSET = 543
_LAST_THAI_YEAR = 2700

_THAI_MARK = re.compile(r"พ\s?\.?\s?ศ\s?\.?|(?<![^\W\d])b\.?\s?e\.?(?![^\W\d])", re.IGNORECASE)
_THAI_LETTERS = re.compile(r"[ก-๙]")
_GREGORIAN_MARK = re.compile(
    r"ค\s?\.?\s?ศ\s?\.?|(?<=\d)\s*(?:ميلادية?|م(?!\w))|(?<!\w)م\s*(?=\d)"
    r"|(?<![^\W\d])(?:a\.?d\.?|c\.?e\.?)(?![^\W\d])",
    re.IGNORECASE,
)
_OTHER_MARK = re.compile(
    r"(?<![^\W\d])(?:a\.?\s?h\.?(?:\s?[sq]\.?)?|hijri|hégire|hegira|hejira)(?![^\W\d])"
    r"|(?<![^\W\d])(?:e\.c\.|b\.s\.|vikram|bikram)(?![^\W\d])"
    r"|(?<=\d)\s*(?:هجرية?|هـ|ه(?!\w)|ش(?!\w)|ق(?!\w))|هجري|شمسی"
    r"|فروردین|اردیبهشت|خرداد|تیر|مرداد|شهریور|مهر|آبان|آذر|دی(?!\w)|بهمن|اسفند"
    r"|محرم|صفر|ربيع|جمادى|رجب|شعبان|رمضان|شوال|ذو القعدة|ذو الحجة"
    r"|令和|平成|昭和|大正|明治|民國|民国"
    r"|muharram|(?<!\w)safar(?!\w)|rabi|jumada|rajab|sha.?ban|ramadan|shawwal|dhu",
    re.IGNORECASE,
)
_YEAR = re.compile(r"(?<!\d)\d{4}(?!\d)", re.ASCII)
_IN_BRACKETS = re.compile(r"(?P<outside>.*\S)\s*[\[(=/]\s*(?P<inside>[^\[\](]+?)\s*[\])]?")


def of(source: Mapping[str, Any]) -> Calendar:
    """The calendar in which a source may write years without a mark, by its countries and
    languages."""
    countries = source.get("countries") or []
    languages = source.get("languages") or []
    if "TH" in countries or "th" in languages:
        return "thai"
    if not {"IR", "AF"}.isdisjoint(countries) or not {"fa", "ps", "prs"}.isdisjoint(languages):
        return "persian"
    return "hijri" if countries == ["SA"] else "gregorian"


def settle(text: str, calendar: Calendar = "gregorian") -> str:
    """``text`` with Gregorian years alone.

    Takes a text with ASCII digits, and the calendar of :func:`of`. Raises :class:`NotADate` for a
    year that has no Gregorian date.
    """
    beside = _gregorian_beside(text)
    if beside is not None:
        return beside
    thai = bool(_THAI_MARK.search(text)) or bool(_THAI_LETTERS.search(text))
    if thai or calendar == "thai":
        text = _from_thai(text, marked=bool(_THAI_MARK.search(text)))
    if _OTHER_MARK.search(text):
        raise NotADate("a date of another calendar", text)
    if calendar in ("persian", "hijri") and any(1200 <= year < 1500 for year in _years(text)):
        raise NotADate("a date of another calendar", text)
    return " ".join(_GREGORIAN_MARK.sub(" ", text).split())


def _years(text: str) -> list[int]:
    return [int(year) for year in _YEAR.findall(text)]


def _gregorian_beside(text: str) -> str | None:
    """The Gregorian part of a text that gives a date in two calendars; ``None`` for another.

    Libraries put it in brackets or behind a stroke: ``5745 [1985]``, ``1445 هـ / 2023 م``.
    """
    match = _IN_BRACKETS.fullmatch(text)
    if match is None:
        return None
    first, second = match["outside"], match["inside"]
    if _is_of_another(first) and _is_gregorian(second):
        return " ".join(_GREGORIAN_MARK.sub(" ", second).split())
    if _is_of_another(second) and _is_gregorian(first):
        return " ".join(_GREGORIAN_MARK.sub(" ", first).split())
    return None


def _is_of_another(part: str) -> bool:
    if _OTHER_MARK.search(part) or _THAI_MARK.search(part):
        return True
    years = _years(part)
    return bool(years) and all(y > LAST_YEAR or 1200 <= y < OLDEST_PRINT for y in years)


def _is_gregorian(part: str) -> bool:
    years = _years(part)
    return (
        len(years) == 1
        and OLDEST_PRINT <= years[0] <= LAST_YEAR
        and not _OTHER_MARK.search(part)
        and not _THAI_MARK.search(part)
    )


def _from_thai(text: str, *, marked: bool) -> str:
    """A text with 543 less for each Thai year. Without a mark only a year after
    :data:`LAST_YEAR` is Thai."""

    def less(match: re.Match[str]) -> str:
        year = int(match[0])
        if not marked and year <= LAST_YEAR:
            return match[0]
        if not FIRST_THAI_YEAR <= year <= _LAST_THAI_YEAR:
            raise NotADate("a date of another calendar", text)
        return str(year - _THAI_OFFSET)

    return _YEAR.sub(less, _THAI_MARK.sub(" ", text)).strip()
