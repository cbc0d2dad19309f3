"""Functions of crosswalks for the dates of web pages: values beside one another, and lines of text
in which a date stands."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import calendars, dates, functions

_MONTH = r"[^\W\d_][^\d\s,./]{2,}\.?"
_IN_A_LINE = re.compile(
    rf"(?<![\d/.-])\d{{1,2}}(?:st|nd|rd|th|er|º|\.)?\s*(?:de\s+|of\s+|d['’])?{_MONTH},?\s*"
    r"(?:de\s+|del\s+|of\s+|พ\.?\s?ศ\.?\s*)?\d{4}(?!\d)|"
    r"(?<!\d)\d{1,2}([./-])\d{1,2}\1\d{4}(?!\d)|(?<!\d)\d{4}([./-])\d{1,2}\2\d{1,2}(?!\d)|"
    r"\d{4}\s?[年년]\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日号號일])?|"
    rf"{_MONTH} \d{{1,2}}(?:st|nd|rd|th)?, ?\d{{4}}(?!\d)"
)
"""A day within a line of text."""


@functions.registered
def date_in(value: Json) -> Json:
    """The first day in some lines of text, such as a by-line; a line without one is no issue.

    A day that can be read in two ways is an issue if no other can be read.

    >>> date_in(`["By Jane Otieno", "Published on Tuesday, 5 March 2024, 10:15 in Coast"]`)
    "2024-03-05"
    """
    doubtful: list[str] = []
    for line in value if isinstance(value, list) else [value]:
        for found in _IN_A_LINE.finditer(line) if isinstance(line, str) else ():
            try:
                made = dates.w3cdtf(found[0], calendars.of(functions.source()))
            except dates.NotADate as error:
                doubtful.append(f"{error.reason}: {functions.shown(found[0])}")
                continue
            if made:
                return made
    if doubtful:
        functions.issue(doubtful[0])
    return None


@functions.registered
def first_date(value: Json) -> Json:
    """The first of some values that is a date; one before it that is none is an issue.

    >>> first_date(`[null, "2024-03-05", "2023"]`)
    "2024-03-05"
    """
    for item in value if isinstance(value, list) else [value]:
        made = functions.date(item) if item not in (None, "", []) else None
        if isinstance(made, list):
            made = made[0] if made else None
        if made:
            return made
    return None
