"""The drift guard: may what a run brought be published? (rule R18)

It is asked once, when all that came was looked at and before any of it is written. It compares the
source with what it was like when it was last accepted (:mod:`chm_hub.drift`), each record with what
it was (:mod:`chm_hub.comparison`), and new names with old ones (:mod:`chm_hub.renames`).
:func:`judge` is a pure function of the three.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from chm_hub import drift, renames
from chm_hub.comparison import Comparison
from chm_hub.document import Document
from chm_hub.instalments import Instalments
from chm_hub.record import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the guard found."""

    jumps: list[str] = field(default_factory=list)
    """What a person should see before it is published; each kind once."""
    renamed: dict[str, str] = field(default_factory=dict)
    """Old name → new name."""
    profile: dict[str, Any] = field(default_factory=dict)
    """What the documents of the run are like."""


def judge(
    *,
    before: Mapping[str, Any] | None,
    now: Mapping[str, Any],
    sample: Mapping[str, Any],
    total: int | None,
    comparison: Comparison,
    renamed: Mapping[str, str],
    still: int | None = None,
) -> Verdict:
    """Judge a run.

    ``before`` is the profile of the last accepted whole walk, ``now`` that of this run, ``sample``
    that of the documents that changed alone; ``total`` is the number the source announced. Where it
    was asked for all, ``still`` is how many of the live records it lists.
    """
    plain = dict(before) if before else None
    found = [renames.jump(renamed, comparison.live)] if renamed else []
    if still is not None:
        found += renames.replaced(still, comparison.new, comparison.live)
    found += comparison.jumps()
    found += drift.compare(plain, dict(now))
    found += drift.glance(plain, dict(sample), total)
    kinds: dict[str, str] = {}
    for jump in found:
        kinds.setdefault(jump.partition(":")[0], jump)
    return Verdict(jumps=list(kinds.values()), renamed=dict(renamed), profile=dict(now))


class Guard:
    """What the documents of a run would become, gathered before any of it is written."""

    def __init__(self, live: int, earlier: Instalments | None = None) -> None:
        self.profile = drift.Profile()
        """Of all documents of the run."""
        self.sample = drift.Profile()
        """Of those that changed."""
        self.comparison = Comparison(live, earlier)
        self.newcomers = renames.Newcomers()
        self.alive = 0
        """Documents that have a record, or would have one."""
        self.seen = 0
        """Documents that were looked at, deleted ones left out."""

    def same(self, document: Document) -> None:
        """Count a document that is as it was, and needs no mapping."""
        self.profile.document(document)
        self.comparison.unchanged += 1
        self.alive += 1
        self.seen += 1

    def looked_at(
        self,
        name: str,
        document: Document,
        record: Record | None,
        plain: Mapping[str, Any] | None,
        before: Mapping[str, Any] | None,
        *,
        rejected: bool = False,
        stays: bool = False,
    ) -> None:
        """Count a document that was mapped: its ``record`` (as ``plain`` values too) or ``None``,
        and what the live record of its name says, if there is one; that ``stays`` if the other has
        no name."""
        for profile in (self.profile, self.sample):
            profile.document(document)
            profile.record(record)
        self.alive += record is not None
        self.seen += 1
        comparison = self.comparison
        if plain is None:
            if before is not None:
                (comparison.became_unread if rejected else comparison.became_skipped)(name)
        elif before is None:
            comparison.became_new()
            self.newcomers.add(name, plain)
        else:
            comparison.became(name, before, plain, stays=stays)

    def renamed(
        self, live: Iterable[tuple[str, Mapping[str, Any]]], *, whole: bool
    ) -> dict[str, str]:
        """The records that have come under new names; ``live`` is only read if it may matter."""
        number = self.comparison.live
        if not self.newcomers.worth_comparing(number):
            return {}
        return self.newcomers.known(live, number, whole=whole)
