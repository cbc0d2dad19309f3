"""How a run ended: its state, and its reason in words with what to do next. Pure functions."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.source import Source
from store import Run

MASS_SHARE = 0.10
MASS_COUNT = 20
"""More deletions in one run than both of these wait for a person (rule R11, deletion guard)."""
QUARANTINE_SHARE = 0.20
"""A run that could not read more than this share of what it saw has failed (rule R7)."""


def too_few(source: Source, run: Run) -> str | None:
    """Why a whole walk that gave less than its source's file expects has failed."""
    least = source.declared.expect.records
    if run.given >= least:
        return None
    return f"{run.given} documents, and its file expects at least {least}"


def unread(run: Run) -> str | None:
    """Why a run that could not read much of what it saw has failed (rule R7)."""
    if run.counts["quarantined"] <= QUARANTINE_SHARE * run.given:
        return None
    return f"{run.counts['quarantined']} of {run.given} documents could not be read: " + ", ".join(
        f"{reason} ({n})" for reason, n in run.rejects.most_common(3)
    )


def held_for_deletions(source: str, held: int, live: int) -> str:
    """Why a run is held for its deletions, and what a person can do."""
    return (
        f"{held:,} of {live:,} records would be deleted, more than {MASS_SHARE:.0%} of the source. "
        f"Look whether that is meant: `chm-hub held show {source}`; then "
        f"`chm-hub held approve {source}` or `reject`"
    )


def held_for_drift(source: str, jumps: Sequence[str], waiting: int) -> str:
    """Why a harvest is held for what has jumped, and what a person can do."""
    return (
        f"the source seems to have become another one: {'; '.join(jumps)}. Nothing of this run was "
        f"published; {waiting} documents wait. Look at it: `chm-hub held show {source}`. "
        f"`chm-hub held approve {source}` takes it as it is now, `chm-hub held reject {source}` "
        "keeps what is there"
    )


def held_for_rules(source: str, jumps: Sequence[str], waiting: int) -> str:
    """Why a mapping is held for what it would make of the records, and what a person can do."""
    return (
        f"the crosswalk as it is now would do this: {'; '.join(jumps)}. Nothing of this run was "
        f"published; {waiting} documents wait. Look at it: `chm-hub map {source} --dry-run`. "
        f"Correct the crosswalk and map again; or `chm-hub held approve {source}`, then "
        f"`chm-hub map {source}`"
    )


__all__ = [
    "MASS_COUNT",
    "MASS_SHARE",
    "held_for_deletions",
    "held_for_drift",
    "held_for_rules",
    "too_few",
    "unread",
]
