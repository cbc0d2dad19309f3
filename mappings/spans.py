"""Periods of several parts, and periods in words."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import date_functions, functions

_MIDNIGHT = re.compile(r"T00:00(?::00(?:\.0+)?)?(?:Z|[+-]00:?00)?$")


@functions.registered
def overall_period(value: Json) -> Json:
    """The period from the first beginning to the last end of some: objects with `start` and `end`,
    or `date`, or texts that are periods. Texts in other words are left to `periods_in_words`.

    >>> overall_period(`[{"start": "2004", "end": "2005-03"}, "2001/2002", "spring"]`)
    {"start": "2001", "end": "2005-03"}
    """
    starts: list[str] = []
    ends: list[str] = []
    for part in _listed(value):
        if isinstance(part, dict):
            start = part.get("start") or part.get("date")
            end = part.get("end") or part.get("date")
        else:
            found = date_functions.periods_in(part) or {}
            start, end = found.get("start"), found.get("end")
        starts += _days(start)
        ends += _days(end)
    # A year ends after all its months do.
    end = max(ends, default=None, key=lambda day: f"{day}~")
    return functions.period(min(starts, default=None), end)


@functions.registered
def periods_in_words(value: Json) -> Json:
    """Those of some periods that are texts, and of other words than dates.

    >>> periods_in_words(`["2001/2002", "Holocene", {"start": "2001"}]`)
    ["Holocene"]
    """
    return [
        part
        for part in _listed(value)
        if isinstance(part, str) and part.strip() and not date_functions.periods_in(part)
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


def _days(said: Json) -> list[str]:
    made = functions.date(said)
    return [_MIDNIGHT.sub("", made)] if isinstance(made, str) else []
