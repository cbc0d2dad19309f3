"""Dates as sources write them, read into W3CDTF without adding or losing precision.

The front door of three modules: :mod:`mappings.exact_dates` reads what programs write,
:mod:`mappings.loose_dates` what people write, :mod:`mappings.calendars` settles years of other
calendars. What cannot be read for certain is refused with a reason.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, timedelta
from functools import lru_cache

from mappings import calendars, exact_dates, loose_dates
from mappings.calendars import Calendar
from mappings.exact_dates import NotADate

__all__ = ["NotADate", "from_number", "has_time", "period", "w3cdtf"]

_TIME = re.compile(
    r"""(?:\s*(?:T|,|\bat\b|\bà\b|\bum\b|\balle\b|-)?\s*|^)
        (?<!\d)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,]\d+)?)?(?![\d:])
        \s*(?P<half>[ap]\.?\s?m\b\.?)?
        \s*(?P<zone>Z\b|UTC\b|GMT\b|UT\b)?\s*(?P<offset>[+-]\d{2}:?\d{2}|[+-]\d{1,2}\b)?
        (?:\s*\([^()]*\)|\s*\b[A-Z]{1,5}\b)?(?:\s*\[[\w/+-]+\])?(?:\s*m=[+-][\d.]+)?""",
    re.VERBOSE | re.ASCII | re.IGNORECASE,
)
"""A time of day with its zone, as Go, JavaScript, Java and people write it."""
_OF_PROGRAMS = re.compile(r"(?:1[5-9]|2[0-3])\d\d[-/.]?[\d/.:TZ+ -]*", re.ASCII)
"""Dates in numbers with a year that needs no settling: most there are."""
_LONGEST = 200
"""Characters of the longest text that is read as a date."""
_DCMI_PERIOD = re.compile(r"(?<!\w)(start|end)\s*=\s*([^;]*)", re.IGNORECASE)
"""DCMI Period Encoding Scheme, §3."""


@lru_cache(maxsize=65536)
def w3cdtf(text: str, calendar: Calendar = "gregorian") -> str | None:
    """A date in W3CDTF (W3C NOTE-datetime), as precise as ``text`` gives it.

    A period gives its beginning, a season or quarter its year. ``None`` for blank texts and for
    placeholders (:func:`mappings.exact_dates.read`). A time of day without a zone is left out,
    since it names no moment. ``calendar`` is that of years without a mark
    (:func:`mappings.calendars.of`). Raises :class:`NotADate`.
    """
    start, end = _read(text, calendar)
    if start is None and end is not None:
        raise NotADate("no beginning", text)
    return start


@lru_cache(maxsize=8192)
def period(text: str, calendar: Calendar = "gregorian") -> tuple[str | None, str | None]:
    """The beginning and the end, in W3CDTF, of a period in one text; the same twice for a date.

    Understands what :func:`w3cdtf` does, and DCMI's ``start=…; end=…``. Either end is ``None``
    where it is open or unknown, both for a blank text. Raises :class:`NotADate`.
    """
    parts = {name.lower(): said.strip() for name, said in _DCMI_PERIOD.findall(text)}
    if parts:
        start, end = (w3cdtf(parts.get(name, ""), calendar) for name in ("start", "end"))
        return start, end
    return _read(text, calendar)


def has_time(made: str) -> bool:
    """Whether a W3CDTF date has a time of day."""
    return len(made) > 10


def from_number(number: int | float, calendar: Calendar = "gregorian") -> str | None:
    """A date of a JSON number: a year, ``YYYYMMDD``, or seconds or milliseconds since 1970."""
    if number == 0:
        return None
    if number != number or abs(number) >= 1e14:
        raise NotADate("not a date", str(number))
    whole = int(number)
    if abs(whole) >= 100_000_000:
        return exact_dates.moment(whole)
    return w3cdtf(str(whole), calendar)


def _read(text: str, calendar: Calendar) -> loose_dates.Reading:
    plain = _ascii_digits(" ".join(text.split()))
    if not plain:
        return None, None
    if len(plain) > _LONGEST:
        raise NotADate("not a date", text)
    settled = plain if _OF_PROGRAMS.fullmatch(plain) else calendars.settle(plain, calendar)
    try:
        made = exact_dates.read(settled)
        return made, made
    except NotADate as error:
        refused = NotADate(error.reason, text)
    if (dated := _with_time(settled)) is not None:
        return dated, dated
    try:
        return loose_dates.read(settled)
    except NotADate as error:
        # The first reason is of the form the text has; the second knows the words in it.
        raise (error if refused.reason == "not a date" else refused) from None


def _with_time(text: str) -> str | None:
    """A day with a time of day that programs do not write so; ``None`` for anything else.

    24:00 is the beginning of the next day (ISO 8601-1 §5.3.2).
    """
    found = [match for match in _TIME.finditer(text) if match[0].strip()]
    if len(found) != 1:
        return None
    match = found[0]
    rest = f"{text[: match.start()]} {text[match.end() :]}".strip(" ,-")
    try:
        day = exact_dates.read(rest)
    except NotADate:
        return None
    hour = _hour(int(match["hour"]), match["half"])
    minute, second = int(match["minute"]), int(match["second"] or 0)
    if day is None or len(day) != 10 or hour is None or minute > 59 or second > 60:
        return None
    if hour == 24:
        if minute or second:
            return None
        hour, day = 0, (date.fromisoformat(day) + timedelta(days=1)).isoformat()
    zone = match["offset"] or match["zone"]
    if zone is None:
        return day
    if re.fullmatch(r"[+-]\d{1,2}", zone):
        zone = f"{zone[0]}{zone[1:].zfill(2)}:00"
    if zone.upper() == "UT" or not zone.strip("+-:0"):
        zone = "Z"
    seconds = f":{second:02d}" if match["second"] else ""
    try:
        return exact_dates.read(f"{day}T{hour:02d}:{minute:02d}{seconds}{zone}")
    except NotADate:
        return None


def _hour(hour: int, half: str | None) -> int | None:
    """The hour of a day of 24; ``None`` for one that there is not."""
    if half is None:
        return hour if hour <= 24 else None
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half[0] in "pP" else 0)


def _ascii_digits(text: str) -> str:
    """``text`` with the decimal digits of other scripts (٢٠٢٤) as ours."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if not char.isascii() and char.isdecimal() else char
        for char in text
    )
