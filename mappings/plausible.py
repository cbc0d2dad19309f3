"""What a date of publication or of change, or a period, cannot be.

A date of something published lies between the first printed books and the harvest; a plan or a
permit may end in the future, so its period is not judged by the clock. A period ends when it
begins or later. The crosswalk engine asks for every record, whatever its crosswalk.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from chm_hub.document import Json
from mappings.calendars import OLDEST_PRINT

JUDGED = frozenset({"issued", "modified"})
"""The fields whose dates lie in the past."""
AHEAD = timedelta(days=1)
"""Clocks and time zones differ by this much at most."""


def unlikely(made: str, now: datetime) -> str | None:
    """Why a W3CDTF date is none of publication or change at ``now`` (aware, UTC); or ``None``."""
    if not made[:4].isdigit():
        return None
    if int(made[:4]) < OLDEST_PRINT:
        return "before printing"
    latest = (now + AHEAD).date().isoformat()
    return "a date to come" if made[:10] > latest[: len(made[:10])] else None


def ordered(value: Json, said: Callable[[str], None]) -> Json:
    """A period, or ``None`` and a message if it ends before it begins (decision 20)."""
    if not isinstance(value, dict):
        return value
    start, end = value.get("start"), value.get("end")
    if not isinstance(start, str) or not isinstance(end, str) or not ends_before(start, end):
        return value
    said(f"ends before it begins: {start} to {end}")
    return None


def ends_before(start: str, end: str) -> bool:
    """Whether the W3CDTF date ``end`` is wholly before ``start``, as far as both are precise."""
    shared = min(len(start), len(end), 10)
    if start[:shared] != end[:shared] or len(start) <= 10 or len(end) <= 10:
        return end[:shared] < start[:shared]
    try:
        return datetime.fromisoformat(end) < datetime.fromisoformat(start)
    except (ValueError, TypeError):
        return False
