"""Dates as sources write them, read into W3CDTF without adding or losing precision.

What cannot be read for certain is refused with a reason: ``03/04/2024`` is the third of
April to one reader and the fourth of March to another.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_tz
from functools import lru_cache

from babel import Locale

_LANGUAGES = ("en", "fr", "es", "ar", "ru", "pt", "de")
"""Languages whose month names are understood; Chinese dates are written with digits."""

_ISO = re.compile(
    r"""(?P<year>\d{4})
        (?:(?P<sep>[-/.]?)(?P<month>\d{1,2})(?:(?P=sep)(?P<day>\d{1,2}))?)?
        (?:(?:[Tt]|\s+)(?P<hour>\d{1,2}):?(?P<minute>\d{2})(?::?(?P<second>\d{2})
           (?:[.,](?P<fraction>\d{1,9})\d*)?)?
           \s*(?P<zone>[Zz]|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?)?""",
    re.VERBOSE | re.ASCII,
)
_DAY_FIRST = re.compile(
    r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})(?:,?\s+(?:-\s*)?\d{1,2}:\d{2}(?::\d{2})?)?",
    re.ASCII,
)
_CHINESE = re.compile(r"(\d{4})\s*年(?:\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*[日号])?)?", re.ASCII)
_RFC_822 = re.compile(
    r"(?:[A-Za-z]{3,9},?\s+)?(?:\d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4}|[A-Za-z]{3}\s+\d{1,2})\s+"
    r"\d{1,2}:\d{2}.*",
    re.DOTALL | re.ASCII,
)
_ZONE_AT_END = re.compile(r"[+-]\d{4}|GMT|UTC?|Z|[ECMP][SD]T", re.ASCII)
"""Zones RFC 822 knows; any other word there would be read as UTC."""
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{4})?\)/", re.ASCII)
_EPOCH = re.compile(r"\d{9,10}|\d{12,13}", re.ASCII)
_WORD_NOISE = re.compile(
    r"(?<=\d)(?:st|nd|rd|th|er|re|º|ª|°)\b|\b(?:of|de|del|do)\b|[,،]|\b(?:г|года?)\b\.?"
)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)


class NotADate(ValueError):
    """The value is no date, or not one that can be read for certain; ``reason`` says why."""

    def __init__(self, reason: str, text: str) -> None:
        super().__init__(f"{reason}: {text!r}")
        self.reason = reason


@lru_cache(maxsize=65536)
def w3cdtf(text: str) -> str | None:
    """A date in W3CDTF (W3C NOTE-datetime), as precise as ``text`` gives it.

    ``None`` for blank texts and for placeholders: year 1 and before, and times of day before
    1900, which stand for "no date" in Solr, .NET and spreadsheets. A time of day without
    a zone is left out, since it names no moment. Raises :class:`NotADate`.
    """
    text = _ascii_digits(" ".join(text.split()))
    if not text:
        return None
    if match := _ISO.fullmatch(text):
        if _EPOCH.fullmatch(text):
            return _moment(int(text))
        return _from_iso(match)
    if _EPOCH.fullmatch(text):
        return _moment(int(text))
    if match := _JSON_DATE.fullmatch(text):
        return _moment(int(match[1]), milliseconds=True)
    if match := _CHINESE.fullmatch(text):
        return _from_numbers(text, match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(text):
        return _from_day_first(text, match)
    if _RFC_822.fullmatch(text) and (made := _from_mail(text)):
        return made
    return _from_words(text)


def from_number(number: int | float) -> str | None:
    """A date of a JSON number: a year, ``YYYYMMDD``, or seconds or milliseconds since 1970."""
    if number == 0:
        return None
    if number != number or abs(number) >= 1e14:
        raise NotADate("not a date", str(number))
    whole = int(number)
    if abs(whole) >= 100_000_000:
        return _moment(whole)
    return w3cdtf(str(whole))


def _moment(number: int, *, milliseconds: bool | None = None) -> str | None:
    """The moment of a count since 1970; zero and below are placeholders."""
    if number <= 0:
        return None
    if milliseconds or (milliseconds is None and number >= 100_000_000_000):
        number //= 1000
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=number)
    if moment >= _LATEST:
        raise NotADate("out of range", str(number))
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _from_iso(match: re.Match[str]) -> str | None:
    text = match[0]
    month = match["month"]
    if month and match["sep"] == "" and (match["day"] is None or len(month + match["day"]) != 4):
        # 202403 may be March 2024 or the third of February 2020, 2024315 anything.
        raise NotADate("not a date", text)
    whole = _from_numbers(text, match["year"], month, match["day"])
    hour = match["hour"]
    if hour is None or whole is None:
        return whole
    if int(match["year"]) < 1900:
        return None
    if match["day"] is None:
        raise NotADate("not a date", text)
    minute, second = match["minute"], match["second"]
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 59:
        raise NotADate("out of range", text)
    zone = match["zone"]
    if zone is None or len(whole) != 10:
        return whole
    time = f"{int(hour):02d}:{minute}" + (f":{second}" if second else "")
    if match["fraction"]:
        time += "." + match["fraction"]
    return f"{whole}T{time}{_zone(text, zone)}"


def _zone(text: str, zone: str) -> str:
    if zone.upper() in ("Z", "UTC", "GMT"):
        return "Z"
    digits = zone[1:].replace(":", "").ljust(4, "0")
    if int(digits[:2]) > 14 or int(digits[2:]) > 59:
        raise NotADate("out of range", text)
    return f"{zone[0]}{digits[:2]}:{digits[2:]}"


def _from_numbers(text: str, year: str, month: str | None, day: str | None) -> str | None:
    """A whole date of its numbers; a zero month or day means the source knows no better."""
    if int(year) <= 1:
        return None
    if month is None or int(month) == 0:
        return year
    if day is None or int(day) == 0:
        if int(month) > 12:
            raise NotADate("out of range", text)
        return f"{year}-{int(month):02d}"
    try:
        return date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        raise NotADate("out of range", text) from None


def _from_day_first(text: str, match: re.Match[str]) -> str | None:
    first, mark, second, year = int(match[1]), match[2], int(match[3]), match[4]
    if mark == "." or first > 12 or first == second:
        day, month = first, second
    elif second > 12:
        month, day = first, second
    else:  # two different days
        raise NotADate("not a date", text)
    return _from_numbers(text, year, str(month), str(day))


def _from_mail(text: str) -> str | None:
    """RFC 822, RFC 850 and asctime dates, as feeds and HTTP headers have them."""
    parts = parsedate_tz(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = parts[:6]
    if year < 1900:
        return None
    try:
        moment = datetime(year, month, day, hour, minute, second)
    except (ValueError, OverflowError):
        raise NotADate("out of range", text) from None
    offset = parts[9]
    if offset is None or not _ZONE_AT_END.fullmatch(text.split()[-1]) or abs(offset) > 14 * 3600:
        return moment.strftime("%Y-%m-%d")
    sign = "-" if offset < 0 else "+"
    hours, minutes = divmod(abs(offset) // 60, 60)
    zone = "Z" if offset == 0 else f"{sign}{hours:02d}:{minutes:02d}"
    return moment.strftime("%Y-%m-%dT%H:%M:%S") + zone


def _from_words(text: str) -> str | None:
    """``5 March 2024``, ``March 5, 2024``, ``mars 2024`` and the like."""
    words = _WORD_NOISE.sub(" ", text.casefold()).split()
    if len(words) == 4 and words[0].rstrip(".") in _weekdays():
        words = words[1:]
    months = [number for word in words if (number := _months().get(word.rstrip(".")))]
    numbers = [word for word in words if word.isascii() and word.isdigit()]
    if len(months) != 1 or len(numbers) != len(words) - 1 or not 1 <= len(numbers) <= 2:
        raise NotADate("not a date", text)
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) <= 2]
    if len(years) != 1 or len(days) != len(numbers) - 1:
        raise NotADate("not a date", text)
    return _from_numbers(text, years[0], str(months[0]), days[0] if days else None)


def _ascii_digits(text: str) -> str:
    """``text`` with the decimal digits of other scripts (٢٠٢٤) as ours."""
    if text.isascii():
        return text
    return "".join(
        str(unicodedata.decimal(char)) if not char.isascii() and char.isdecimal() else char
        for char in text
    )


@lru_cache(maxsize=1)
def _months() -> dict[str, int]:
    """Month names and abbreviations; one that is two months in two languages is none."""
    found: dict[str, set[int]] = {}
    for language in _LANGUAGES:
        months = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in months[context][width].items():
                    found.setdefault(name.casefold().rstrip("."), set()).add(int(number))
    found["sept"] = {9}
    return {name: numbers.pop() for name, numbers in found.items() if len(numbers) == 1}


@lru_cache(maxsize=1)
def _weekdays() -> frozenset[str]:
    return frozenset(
        name.casefold().rstrip(".")
        for language in _LANGUAGES
        for width in ("wide", "abbreviated")
        for name in Locale.parse(language).days["format"][width].values()
    )
