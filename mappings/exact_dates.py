"""One date that stands alone in a text, read into W3CDTF as precise as it was written.

The text is in one of the forms that programs write (ISO 8601, RFC 822, counts since 1970) or
in plain words (``5 March 2024``). What cannot be read for certain is refused with a reason:
``03/04/2024`` is the third of April to one reader and the fourth of March to another.
:mod:`mappings.dates` reads what else people write.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from email.utils import parsedate_tz
from functools import lru_cache

from babel import Locale

_LANGUAGES = ("en", "fr", "es", "ar", "ru", "pt", "de")
"""Languages whose month names win over those of :data:`_MORE_LANGUAGES`."""
_MORE_LANGUAGES = tuple(
    str.split(
        "af az be bg bn bs ca cs cy da el et eu fi fil ga gl hi hr hu hy id is it ka kk ky lt lv "
        "mk mn ms mt my nb nl pl ro sk sl sq sr sv sw th tr uk uz zu"
    )
)
"""Further languages. Persian, Dari and Pashto are absent: their months are of another
calendar. Chinese, Japanese and Korean dates are written with digits."""
_LETTER_BY_DIGIT = re.compile(r"(?<=\d)-(?=[^\W\d])|(?<=[^\W\d])-(?=\d)")
LAST_YEAR = 2399
"""The last year that can be meant. Buddhist years begin at 2400, Hebrew years are after 5000,
and databases write 9999 for no end."""

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
_MONTH_FIRST = re.compile(r"(\d{1,2})\s*[-/.]\s*(\d{4})", re.ASCII)
_CHINESE = re.compile(
    r"(\d{4})\s*[年년](?:\s*(\d{1,2})\s*[月월](?:\s*(\d{1,2})\s*[日号號일])?)?", re.ASCII
)
_RFC_822 = re.compile(
    r"(?:[A-Za-z]{3,9}(?:,\s*|\s+))?(?:\d{1,2}[ -][A-Za-z]{3}[ -]\d{2,4}|[A-Za-z]{3}\s+\d{1,2})\s+"
    r"\d{1,2}:\d{2}.*",
    re.DOTALL | re.ASCII,
)
_LOOSE_822 = re.compile(
    r"(?:([A-Za-z]{3})[a-z]{0,6}\.?,?\s*)?(\d{1,2})\s*([A-Za-z]{3,9})\.?,?\s*(\d{4}),?\s+"
    r"(\d{1,2}:\d{2}(?::\d{2})?)\s*(.*)",
    re.DOTALL | re.ASCII,
)
"""The same with blanks left out or names of days and months in full."""
_COMMENT = re.compile(r"\s*\([^()]*\)$")
"""After the zone, what people call it (RFC 822 §3.4.3)."""
_ZONE_AT_END = re.compile(r"[+-]\d{4}|GMT|UTC?|Z|[ECMP][SD]T", re.ASCII)
"""Zones RFC 822 knows; any other word there would be read as UTC."""
_YEAR_ONE = re.compile(r"(?<=[ -])(?<! -)0{2,3}[01](?= \d|$)", re.ASCII)
"""Year 0 or 1 in full. RFC 822's readers take it for 2000 or 2001."""
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
def read(text: str) -> str | None:
    """The date in ``text`` in W3CDTF (W3C NOTE-datetime), as precise as ``text`` gives it.

    ``text`` has ASCII digits and single blanks. ``None`` for placeholders: year 1 and before,
    and times of day before 1900, which stand for "no date" in Solr, .NET and spreadsheets. A
    time of day without a zone is left out, since it names no moment. Raises :class:`NotADate`.
    """
    if match := _ISO.fullmatch(text):
        if _EPOCH.fullmatch(text):
            return moment(int(text))
        return _from_iso(match)
    if _EPOCH.fullmatch(text):
        return moment(int(text))
    if match := _JSON_DATE.fullmatch(text):
        return moment(int(match[1]), milliseconds=True)
    if match := _CHINESE.fullmatch(text):
        return _from_numbers(text, match[1], match[2], match[3])
    if match := _DAY_FIRST.fullmatch(text):
        return _from_day_first(text, match)
    if match := _MONTH_FIRST.fullmatch(text):
        return _from_numbers(text, match[2], match[1], None)
    mail = _spaced(text)
    if _RFC_822.fullmatch(mail):
        if _YEAR_ONE.search(text):
            return None
        if made := _from_mail(mail):
            return made
    return _from_words(text)


def moment(number: int, *, milliseconds: bool | None = None) -> str | None:
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
    if match["sep"] == "/" and match["day"] is None and _is_next_year(match["year"], month):
        return match["year"]
    whole = _from_numbers(text, match["year"], month, match["day"])
    hour = match["hour"]
    if hour is None or whole is None:
        return whole
    if int(match["year"]) < 1900:
        return None
    if match["day"] is None:
        raise NotADate("not a date", text)
    minute, second = match["minute"], match["second"]
    if int(hour) > 23 or int(minute) > 59 or int(second or 0) > 60:
        raise NotADate("out of range", text)
    zone = match["zone"]
    if zone is None or len(whole) != 10 or second == "60":  # a leap second is a moment for few
        return whole
    time = f"{int(hour):02d}:{minute}" + (f":{second}" if second else "")
    if match["fraction"]:
        time += "." + match["fraction"]
    return f"{whole}T{time}{_zone(text, zone)}"


def _is_next_year(year: str, number: str | None) -> bool:
    """Whether ``2011/12`` may be the year 2011 to 2012 as well as a month of 2011."""
    following = int(year) % 100 + 1
    return number is not None and len(number) == 2 and int(number) == following <= 12


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
    if int(year) > LAST_YEAR:
        raise NotADate("out of range", text)
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


def _spaced(text: str) -> str:
    """A text that is an RFC 822 date but for its blanks and the length of its names, as one."""
    match = _LOOSE_822.fullmatch(text)
    if match is None:
        return text
    day, number, word, year, time, zone = match.groups()
    month = word[:3]
    # marraskuu is no March.
    if len({*map(months().get, (month.casefold(), word.casefold())), None}) != 2:
        return text
    zone = _COMMENT.sub("", zone)
    if re.fullmatch(r"[+-]\d\d:\d\d", zone, re.ASCII):
        zone = zone.replace(":", "")
    return f"{f'{day}, ' if day else ''}{number} {month} {year} {time} {zone}".strip()


def _from_mail(text: str) -> str | None:
    """RFC 822, RFC 850 and asctime dates, as feeds and HTTP headers have them."""
    parts = parsedate_tz(text)
    if parts is None:
        return None
    year, month, day, hour, minute, second = parts[:6]
    if year < 1900:
        return None
    if year > LAST_YEAR:
        raise NotADate("out of range", text)
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
    parted = _LETTER_BY_DIGIT.sub(" ", _WORD_NOISE.sub(" ", text.casefold()))
    words = [word.strip(".") for word in parted.split()]
    if words and words[0] in weekdays() and _months_in(words[1:]):
        words = words[1:]
    found = _months_in(words)
    numbers = [word for word in words if word.isascii() and word.isdigit()]
    if len(found) != 1 or len(numbers) != len(words) - 1 or not 1 <= len(numbers) <= 2:
        raise NotADate("not a date", text)
    years = [number for number in numbers if len(number) == 4]
    days = [number for number in numbers if len(number) <= 2]
    if len(years) != 1 or len(days) != len(numbers) - 1:
        raise NotADate("not a date", text)
    return _from_numbers(text, years[0], str(found[0]), days[0] if days else None)


def _months_in(words: list[str]) -> list[int]:
    return [number for word in words if (number := months().get(word))]


@lru_cache(maxsize=1)
def months() -> dict[str, int]:
    """Month names and abbreviations, case-folded; one that is two months in two languages is
    none."""
    made = _month_names(_MORE_LANGUAGES) | _month_names(_LANGUAGES)
    return {name: number for name, number in made.items() if number}


def _month_names(languages: tuple[str, ...]) -> dict[str, int]:
    """Names of months in some languages; zero for a name of several months."""
    found: dict[str, set[int]] = {"sept": {9}}
    for language in languages:
        of_language = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for number, name in of_language[context][width].items():
                    if not name.isdigit():
                        found.setdefault(name.casefold().strip("."), set()).add(int(number))
    return {name: numbers.pop() if len(numbers) == 1 else 0 for name, numbers in found.items()}


@lru_cache(maxsize=1)
def weekdays() -> frozenset[str]:
    """Names and abbreviations of the days of the week, case-folded."""
    return frozenset(
        name.casefold().strip(".")
        for language in (*_LANGUAGES, *_MORE_LANGUAGES)
        for width in ("wide", "abbreviated")
        for name in Locale.parse(language).days["format"][width].values()
    )
