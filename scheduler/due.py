"""When a source is due: its schedule, spread so that not all begin at once, its window, and what
its last run said. Pure functions of what they are given."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from adapters.source import WINDOW, Source, cron, duration
from store.schedule import Entry

SPREAD = {"hourly": 3_600, "daily": 4 * 3_600, "weekly": 4 * 3_600, "monthly": 4 * 3_600}
"""Seconds over which sources of one schedule begin, each always at its own place."""
RETRY = timedelta(minutes=15)
"""After the first run that did not end well; twice as long after each further one."""
LONGEST_RETRY = timedelta(days=7)
FIRST_SPREAD = 5
"""Seconds for each source that was never harvested, over which they begin."""


def next_due(
    source: Source,
    after: datetime,
    *,
    failures: int = 0,
    not_before: datetime | None = None,
) -> datetime:
    """When a source is due next, after a run that began at ``after`` (UTC).

    ``failures`` are the runs in a row that did not end well, the last one included;
    ``not_before`` is what its server asked for.
    """
    if failures:
        wait = RETRY * 2 ** min(failures - 1, 20) * (1 + _place(source.id) / 10)
        due = after + min(wait, LONGEST_RETRY, _patience(source))
    else:
        due = _by_schedule(source, after)
    if not_before is not None:
        due = max(due, not_before)
    return within(source, due)


def due_anew(source: Source, entry: Entry, now: datetime) -> datetime:
    """When a source is due whose file has changed since it was planned.

    By the file as it is now, counted from when its last run began. Its failures may be mended,
    so their waits begin anew; what its server asked for holds. What is due already, was never
    run, or was planned by a version of the hub that did not say from what, keeps its date.
    """
    if entry.started is None or entry.told is None or entry.due <= now:
        return entry.due
    failures = min(entry.failures, 1)
    return next_due(source, entry.started, failures=failures, not_before=entry.not_before)


def first_due(source: Source, now: datetime, among: int) -> datetime:
    """When one of so many sources that have no date yet is due: soon, but not all at once."""
    return within(source, now + timedelta(seconds=_place(source.id) * FIRST_SPREAD * among))


def _by_schedule(source: Source, after: datetime) -> datetime:
    schedule = source.declared.schedule
    if (period := duration(schedule)) is not None:
        return after + period
    spread = timedelta(seconds=_place(source.id) * SPREAD.get(schedule, 0))
    # A moment later, so that it is the next date and not the one just met.
    found: datetime | None = cron(schedule).get_next_fire_time(
        None, after - spread + timedelta(seconds=1)
    )
    return (found.astimezone(UTC) if found is not None else after + timedelta(days=366)) + spread


def _patience(source: Source) -> timedelta:
    """The longest wait after failures: not shorter than the schedule's own, which for those in
    seconds keeps failing sources from being left alone for hours."""
    period = duration(source.declared.schedule)
    return LONGEST_RETRY if period is None else period * 8


def _place(name: str) -> float:
    """A number from 0 to 1 that is always the same for a name."""
    return int.from_bytes(blake2b(name.encode(), digest_size=4).digest(), "big") / 2**32


def within(source: Source, due: datetime) -> datetime:
    """The same moment, or the next in the source's window."""
    window = source.declared.window
    if window is None:
        return due
    match = re.fullmatch(WINDOW, window)
    assert match is not None, "checked with the source's file"
    zone = ZoneInfo(match["zone"] or "UTC")
    begin, end = time.fromisoformat(match["begin"]), time.fromisoformat(match["end"])
    here = due.astimezone(zone)
    inside = (
        begin <= here.time() < end if begin <= end else here.time() >= begin or here.time() < end
    )
    if inside:
        return due
    opens = here.replace(hour=begin.hour, minute=begin.minute, second=0, microsecond=0)
    if opens <= here:
        opens += timedelta(days=1)
    length = (datetime.combine(here, end) - datetime.combine(here, begin)) % timedelta(days=1)
    return (opens + length * (_place(source.id) / 2)).astimezone(UTC)
