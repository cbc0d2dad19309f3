"""Moments that a source writes without a time zone, and means as UTC."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import functions

_CLOCK = re.compile(
    r"\s*\d{4}-\d{1,2}-\d{1,2}(?:[Tt]|\s+)\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?\s*", re.ASCII
)
"""A day and a time of day, and no zone behind them."""


@functions.registered
def utc_date(value: Json) -> Json:
    """A date as `date` gives it; a time of day without a zone is UTC.

    For systems that keep UTC and write it without a zone (CKAN, the `_gmt` of WordPress). A zone
    that is there counts; a day alone stays a day.

    >>> utc_date(`["2020-01-02T03:04:05.5", "2020-01-02 03:04:05+03:00", "2020-01-02"]`)
    ["2020-01-02T03:04:05.5Z", "2020-01-02T03:04:05+03:00", "2020-01-02"]
    """

    def one(part: Json) -> Json:
        return f"{part.strip()}Z" if isinstance(part, str) and _CLOCK.fullmatch(part) else part

    return functions.date([one(part) for part in value] if isinstance(value, list) else one(value))
