"""Functions of crosswalks that choose among dates and read periods out of one text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from chm_hub.document import Json
from mappings import calendars, dates, functions, plausible

_EMBARGO = ("embargoend", "embargostart")
"""Parts of an info:eu-repo date that is not the date of publication."""
_EU_REPO = "info:eu-repo/date/"


@functions.registered
def published(value: Json) -> Json:
    """The date of publication among several dates that a format does not tell apart.

    Repositories list the deposit, a moment, beside the publication, a day or a year. So: dates
    without a time of day before those with one; of these the earliest, as precisely as any of
    them says it. Dates before printing or after the harvest, and ends of embargoes, do not count.

    >>> published(`["2015-06-30T12:55:54Z", "2004", "2004-03"]`)
    "2004-03"
    """
    found = [made for made in _read(value) if _counts(made)]
    days = [made for made in found if not dates.has_time(made)] or found
    if not days:
        return None
    # As moments, since two may have different zones; the end of a year is not before its March.
    first = min(days, key=lambda made: (_moment(made), len(made)))
    while finer := [made for made in days if made.startswith(first) and made != first]:
        first = min(finer, key=lambda made: (_moment(made), len(made)))
    return first


def _read(value: Json) -> Iterator[str]:
    for item in value if isinstance(value, list) else [value]:
        said = item.get("value") if isinstance(item, dict) else item
        if isinstance(said, str) and said.strip().lower().startswith(_EU_REPO):
            kind, _, said = said.strip()[len(_EU_REPO) :].partition("/")
            if kind.lower() in _EMBARGO:
                continue
            item = said
        made = functions.date(item)
        if isinstance(made, str):
            yield made


def _counts(made: str) -> bool:
    now = functions.now()
    reason = plausible.unlikely(made, now) if now is not None else None
    if reason is not None:
        functions.issue(f"{reason}: {functions.shown(made)}")
    return reason is None


def _moment(made: str) -> datetime:
    if dates.has_time(made):
        return datetime.fromisoformat(made).astimezone(UTC)
    year, month, day = (*made.split("-"), "1", "1")[:3]
    return datetime(int(year), int(month), int(day), tzinfo=UTC)


@functions.registered
def periods_in(value: Json) -> Json:
    """The first period, or date, among some texts; a text that is none is no issue.

    Reads ranges, EDTF, `start/end` and DCMI's `start=…; end=…`. What is no period
    `not_periods` gives.

    >>> periods_in(`["Holocene", "1999-2003"]`)
    {"start": "1999", "end": "2003"}
    """
    return next((made for item in _items(value) if (made := _period(item))), None)


@functions.registered
def not_periods(value: Json) -> Json:
    """A list of texts without the first that is a period, which `periods_in` gives.

    >>> not_periods(`["Holocene", "1999-2003", "2010"]`)
    ["Holocene", "2010"]
    """
    items = [item for item in _items(value) if item is not None]
    at = next((i for i, item in enumerate(items) if _period(item)), None)
    return [item for i, item in enumerate(items) if i != at]


def _items(value: Json) -> list[Json]:
    return value if isinstance(value, list) else [value]


def _period(item: Json) -> dict[str, Json] | None:
    said = item.get("value") if isinstance(item, dict) else item
    if isinstance(said, int) and not isinstance(said, bool):
        said = str(said)
    if not isinstance(said, str):
        return None
    try:
        start, end = dates.period(said, calendars.of(functions.source()))
    except dates.NotADate:
        return None
    made: dict[str, Json] = {k: v for k, v in (("start", start), ("end", end)) if v}
    return made or None
