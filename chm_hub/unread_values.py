"""What of a source's values no crosswalk reads: when that is too much, and how a run says it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from store import Run

MOST_UNREAD = 0.5
"""A source of whose values more than this share is unread is not ``complete``. Values that a
crosswalk ignores knowingly do not count."""
WARNING = "values_unread"
EARLIER = 20
"""Runs among which the last one that mapped something is looked for."""


def note(run: Run, counted: dict[str, Any] | None, earlier: Iterable[Run]) -> None:
    """Keep with a run what was counted; a run that mapped nothing takes over what an earlier run
    of its source counted. Too much of it is a warning and, where there is none yet, the reason."""
    run.unread = counted if counted is not None else _taken_over(run, earlier)
    if run.unread is not None and too_much(run.unread):
        run.warnings[WARNING] = run.unread["unread"]
        run.reason = run.reason or reason(run.source, run.unread)


def too_much(told: dict[str, Any]) -> bool:
    """Whether most values of a source are unread."""
    return bool(told["unread"] > MOST_UNREAD * told["values"])


def reason(source: str, told: dict[str, Any]) -> str:
    """Why a run is not ``complete``, and what to do next."""
    most = ", ".join(f"{one['path']} ({one['values']})" for one in told["paths"][:3])
    of = f" (counted in {told['run']})" if "run" in told else ""
    return (
        f"the crosswalk {told['crosswalk']} reads only {told['values'] - told['unread']:,} of "
        f"{told['values']:,} values{of}; unread are {most}. See all: `chm-hub runs {source}`. "
        "Let a crosswalk read them, or name under [ignore] what is not wanted "
        "(docs/write-a-crosswalk.md)"
    )


def sentences(told: dict[str, Any], most: int = 10) -> list[str]:
    """What was counted, for people: a line for all, a line a path."""
    if not told["unread"]:
        return []
    lines = [
        f"no crosswalk reads {told['unread']:,} of {told['values']:,} values in "
        f"{told['documents']:,} documents"
    ]
    lines += [
        f"{one['values']:6}  {one['path']}  (such as {one['example']})"
        for one in told["paths"][:most]
    ]
    left = len(told["paths"]) - most + told["further_paths"]
    if left > 0:
        lines.append(f"        and {left} other paths")
    return lines


def _taken_over(run: Run, earlier: Iterable[Run]) -> dict[str, Any] | None:
    for number, before in enumerate(earlier):
        if number > EARLIER:
            return None
        if before.identifier != run.identifier and before.unread is not None:
            return {"run": before.identifier, **before.unread}
    return None
