"""Periods of several parts, and periods in words."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import functions

_DAY = r"\d{4}(?:-\d{2}(?:-\d{2})?)?"
_WORDS = re.compile(
    rf"\s*({_DAY})\s*(?:(?:/|–|—|\s-\s|\bto\b|\bà\b|\ba\b|(?<=\d{{4}})-(?=\d{{4}}\b))\s*({_DAY})?)?\s*"
)
_MIDNIGHT = re.compile(r"T00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?$")


@functions.registered
def overall_period(value: Json) -> Json:
    """The period from the first beginning to the last end of some: objects with `start` and `end`,
    or `date`, or texts of days and years. Texts in other words are left to `not_periods`.

    >>> overall_period(`[{"start": "2004", "end": "2005-03"}, "2001/2002", "spring"]`)
    {"start": "2001", "end": "2005-03"}
    """
    starts: list[str] = []
    ends: list[str] = []
    for part in _listed(value):
        if isinstance(part, dict):
            start = part.get("start") or part.get("date")
            end = part.get("end") or part.get("date")
        elif (found := _parted(part)) is not None:
            start, end = found
        else:
            continue
        starts += _days(start)
        ends += _days(end)
    # A year ends after all its months do.
    end = max(ends, default=None, key=lambda day: f"{day}~")
    return functions.period(min(starts, default=None), end)


@functions.registered
def not_periods(value: Json) -> Json:
    """Those of some periods that are texts, and of other words than days and years.

    >>> not_periods(`["2001/2002", "Holocene", {"start": "2001"}]`)
    ["Holocene"]
    """
    return [
        part
        for part in _listed(value)
        if isinstance(part, str) and part.strip() and _parted(part) is None
    ]


@functions.registered
def interval_period(value: Json) -> Json:
    """The period of an interval, or of a list whose first interval spans the others (as in STAC).

    An open side is `null`, empty, or `..`. A text holds both sides with `/` between them, or is
    one moment.

    >>> interval_period(`[["2001-02-03T00:00:00Z", null], ["2001-02-03T00:00:00Z", ".."]]`)
    {"start": "2001-02-03T00:00:00Z"}
    """
    if isinstance(value, list) and value and isinstance(value[0], list | dict):
        value = value[0]
    if isinstance(value, dict):
        value = [value.get("start"), value.get("end")]
    if isinstance(value, str):
        sides = value.split("/")
        value = sides if len(sides) > 1 else [value, value]
    if not isinstance(value, list):
        return None
    known = [None if side in (None, "", "..") else side for side in value[:2]]
    return functions.period(*[*known, None, None][:2])


def _listed(value: Json) -> list[Json]:
    return [part for part in (value if isinstance(value, list) else [value]) if part is not None]


def _parted(text: Json) -> tuple[str, str] | None:
    found = _WORDS.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    is_open = found[2] is None and not found[0].strip().endswith(found[1])
    return found[1], "" if is_open else found[2] or found[1]


def _days(said: Json) -> list[str]:
    made = functions.date(said)
    return [_MIDNIGHT.sub("", made)] if isinstance(made, str) else []
