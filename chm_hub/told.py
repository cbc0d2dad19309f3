"""What a person is told of a run on the screen, beside its state and its counts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MOST = 8
"""Warnings shown of one run; the others are counted."""
_LIVE = ("new", "changed", "unchanged")


def sentences(run: Mapping[str, Any]) -> list[str]:
    """Lines about a run, given as its line (:meth:`store.runs.Run.line`): what is gone from the
    source, why a complete run gave less than announced, and its warnings."""
    warnings = dict(run.get("warnings") or {})
    made = []
    if missing := warnings.pop("missing_at_source", 0):
        made.append(_missing(run, missing))
    if run.get("reason") and str(run["state"]).startswith("complete"):
        made.append(str(run["reason"]))
    if warnings:
        shown = sorted(warnings.items(), key=lambda item: -item[1])
        named = [f"{word} ({count:,})" for word, count in shown[:MOST]]
        if len(shown) > MOST:
            named.append(f"{len(shown) - MOST} more (chm-hub runs {run['source']} --json)")
        made.append(f"warnings: {', '.join(named)}")
    return made


def _missing(run: Mapping[str, Any], missing: int) -> str:
    """How many live records a whole walk did not meet, of how many there are."""
    live = missing + sum(run.get(name, 0) for name in _LIVE)
    return (
        f"{missing:,} of {live:,} live records are not in the source's list any more: "
        f"`chm-hub ledger {run['source']} --state missing` lists them and says what becomes of them"
    )
