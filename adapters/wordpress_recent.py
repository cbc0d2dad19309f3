"""What an ordinary walk asks a WordPress for, since no one question finds all that is new.

WordPress keeps the date of change of a scheduled entry when it becomes public, and gives an entry
that is published or imported under an old date that date of change too (``wp_insert_post``). So a
walk asks for what was changed, for what was published, and for what has the highest numbers. An
import may even fill numbers that were free: then there are more entries than the walk can explain.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum

from chm_hub.document import Walk

OVERLAP = timedelta(hours=26)
"""The API compares with the portal's own clock, of whatever time zone."""
NEWEST = 20
"""Entries in one answer to the question for the highest numbers."""


class Ask(Enum):
    """A question for entries of one type."""

    ALL = "all"
    CHANGED = "changed"
    PUBLISHED = "published"
    NEWEST = "newest"


_RECENT = (Ask.CHANGED, Ask.PUBLISHED, Ask.NEWEST)
_AFTER = {Ask.CHANGED: "modified_after", Ask.PUBLISHED: "after"}


def parameters(ask: Ask, since: datetime | None) -> list[tuple[str, str]]:
    """The arguments of a question. By number: what is new comes at the end of a list, and pulls
    nothing out of its place."""
    asked = [("orderby", "id"), ("order", "desc" if ask is Ask.NEWEST else "asc")]
    if ask in _AFTER and since is not None:
        after = (since - OVERLAP).astimezone(UTC)
        asked.append((_AFTER[ask], after.strftime("%Y-%m-%dT%H:%M:%S")))
    return asked


class Recent:
    """What earlier walks met, by type: the highest number, and how many entries there were."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self._highest = _numbers(walk.memory.get("highest"))
        self._before = _numbers(walk.memory.get("totals"))
        self._totals: dict[str, int] = {}

    def lists(self, kinds: Sequence[str]) -> list[tuple[str, Ask]]:
        """What a walk asks for, in turn. Highest numbers are asked for where one is known."""
        if self._walk.since is None:
            return [(kind, Ask.ALL) for kind in kinds]
        return [
            (kind, ask)
            for kind in kinds
            for ask in _RECENT
            if ask is not Ask.NEWEST or kind in self._highest
        ]

    def is_new(self, kind: str, number: int) -> bool:
        """Whether a number is higher than all that earlier walks met."""
        return number > self._highest.get(kind, 0)

    def count(self, kind: str, totals: Iterable[int]) -> None:
        """Note how many entries of a type the portal announces, over all its lists."""
        found = list(totals)
        if found:
            self._totals[kind] = sum(found)

    def lacks(self, kind: str, listed: Collection[str]) -> bool:
        """Whether there are more entries of a type than before and than this walk was given."""
        now, before = self._totals.get(kind), self._before.get(kind)
        if now is None or before is None:
            return False
        given = sum(1 for name in listed if name.rpartition("-")[0] == kind)
        return now - before > given

    def remember(self, kinds: Iterable[str], listed: Iterable[str]) -> None:
        """Keep what this walk met for the next one."""
        anew = self._walk.since is None and self._walk.checkpoint is None
        highest = dict.fromkeys(kinds, 0) if anew else dict(self._highest)
        for name in listed:
            kind, _, number = name.rpartition("-")
            highest[kind] = max(highest.get(kind, 0), int(number))
        self._walk.learned["highest"] = highest
        self._walk.learned["totals"] = {**self._before, **self._totals}


def _numbers(value: object) -> dict[str, int]:
    """A map of whole numbers, from what a store kept."""
    rows = value.items() if isinstance(value, dict) else ()
    return {str(key): number for key, number in rows if isinstance(number, int)}
