"""Runs that wait for a person, and what was decided of them.

A run that would delete suspiciously much deletes nothing: the names stand here until somebody
approves or rejects them. What was approved can be undone for :data:`REVERSIBLE`; what was
rejected stays, whatever the source says, until the source lists it again or the rejection is
undone. A run whose source has become another one (rule R18) waits too, for what has jumped, with
or without names; approved, the profile from before is kept here, so that it can be restored.

Collections ``held`` (``_id`` the run that was held) and ``held_names`` (``_id`` the run and a
number; a thousand names each).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

REVERSIBLE = timedelta(days=30)
CHUNK = 1_000
JUMP = "drift: "
"""Begins what has jumped, among the reasons for which a run was held."""
RENAMED = "renamed to "
"""Begins why a record would be deleted that has come under a new name; the new name follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one run was held for."""

    run: str
    source: str
    at: datetime
    count: int
    why: dict[str, int]
    """How many for which reason: ``tombstone``, ``missing`` (twice, a week apart), ``skipped``;
    or what has jumped, of a run that was held for that (rule R18)."""
    decision: str | None = None
    """``approved``, ``rejected`` or ``undone``; ``None`` while it waits."""
    decided: datetime | None = None

    @property
    def jumps(self) -> list[str]:
        """What has jumped, in words; empty where the run was held for its deletions alone."""
        return [why.removeprefix(JUMP) for why in self.why if why.startswith(JUMP)]

    def reversible(self, now: datetime) -> bool:
        """Whether what was decided can still be undone: a rejection always can."""
        if self.decision == "approved" and self.decided is not None:
            return now - self.decided <= REVERSIBLE
        return self.decision == "rejected"


class Decisions:
    """What waits, and what was decided."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._held = database["held"]
        self._names = database["held_names"]

    def hold(
        self,
        source: str,
        run: str,
        now: datetime,
        names: Mapping[str, str],
        *,
        why: Mapping[str, int] | None = None,
        decision: str | None = None,
    ) -> None:
        """Let deletions (name → why) wait; they take the place of deletions of the source that
        wait already. With ``why`` the run itself waits, for these jumps, and takes the place of
        another that does, so that each source waits once for each. With a ``decision`` they are
        noted as decided already."""
        self.drop(source, jumps=bool(why))
        listed = list(names.items())
        for number, start in enumerate(range(0, len(listed), CHUNK)):
            part = [[name, why] for name, why in listed[start : start + CHUNK]]
            self._names.replace_one(
                {"_id": f"{run}/{number}"}, {"_id": f"{run}/{number}", "names": part}, upsert=True
            )
        # Last: a reader sees them all or none.
        self._held.replace_one(
            {"_id": run},
            {
                "_id": run,
                "source": source,
                "at": now,
                "count": len(listed),
                # Pairs, since a reason may hold what a key may not.
                "why": list((why or Counter(names.values())).items()),
                "decision": decision,
                "decided": now if decision else None,
            },
            upsert=True,
        )

    def waiting(self, source: str | None = None) -> list[Held]:
        """What waits for a person, oldest first."""
        return [held for held in self.all(source) if held.decision is None]

    def counts(self, source: str | None = None) -> dict[str, int]:
        """How many deletions of each source wait for a person; 0 where a run itself does."""
        counts: Counter[str] = Counter()
        for held in self.waiting(source):
            counts[held.source] += held.count
        return dict(counts)

    def all(self, source: str | None = None) -> list[Held]:
        """What waits and what was decided, oldest first."""
        found = self._held.find({} if source is None else {"source": source}, {"profile": 0})
        return sorted((_held(row) for row in found), key=lambda held: held.at)

    def names(self, held: Held) -> Iterator[tuple[str, str]]:
        """The records and why each would be deleted."""
        for number in range(0, -(-held.count // CHUNK)):
            row = self._names.find_one({"_id": f"{held.run}/{number}"})
            yield from row["names"] if row else ()

    def keep_profile(self, run: str, profile: dict[str, Any]) -> None:
        """Keep what a source was like before it was taken as it is now."""
        self._held.update_one({"_id": run}, {"$set": {"profile": profile}})

    def profile(self, run: str) -> dict[str, Any] | None:
        """What was kept so."""
        row = self._held.find_one({"_id": run}, {"profile": 1}) or {}
        profile: dict[str, Any] | None = row.get("profile")
        return profile

    def rejected(self, source: str) -> dict[str, str]:
        """Records that stay by a person's decision, and the run that wanted to delete them."""
        return {
            name: held.run
            for held in self.all(source)
            if held.decision == "rejected"
            for name, _ in self.names(held)
        }

    def decide(self, run: str, decision: str, now: datetime) -> None:
        """Note what was decided."""
        self._held.update_one({"_id": run}, {"$set": {"decision": decision, "decided": now}})

    def let_go(self, run: str, names: Iterable[str]) -> None:
        """Records of a decision that the source lists again: it is of no effect on them."""
        gone = set(names)
        number = 0
        while (row := self._names.find_one({"_id": f"{run}/{number}"})) is not None:
            kept = [[name, why] for name, why in row["names"] if name not in gone]
            if len(kept) < len(row["names"]):
                self._names.update_one({"_id": row["_id"]}, {"$set": {"names": kept}})
            number += 1

    def rename(self, source: str, names: Mapping[str, str]) -> None:
        """Name records anew (old name → new name) in all that waits or was decided."""
        for held in self.all(source):
            for number in range(0, -(-held.count // CHUNK)):
                row = self._names.find_one({"_id": f"{held.run}/{number}"})
                if row is not None and any(name in names for name, _ in row["names"]):
                    renamed = [[names.get(name, name), why] for name, why in row["names"]]
                    self._names.update_one({"_id": row["_id"]}, {"$set": {"names": renamed}})

    def drop(self, source: str, *, jumps: bool) -> None:
        """No jump of the source waits any more, or none of its deletions."""
        for held in self.waiting(source):
            if bool(held.jumps) is jumps:
                self._forget(held)

    def tidy(self, now: datetime) -> int:
        """Forget approvals that can no longer be undone; how many."""
        old = [
            held
            for held in self.all()
            if held.decision in ("approved", "undone")
            and held.decided is not None
            and now - held.decided > REVERSIBLE
        ]
        for held in old:
            self._forget(held)
        return len(old)

    def _forget(self, held: Held) -> None:
        self._held.delete_one({"_id": held.run})
        for number in range(0, -(-held.count // CHUNK)):
            self._names.delete_one({"_id": f"{held.run}/{number}"})


def _held(row: dict[str, Any]) -> Held:
    return Held(
        run=row["_id"],
        source=row["source"],
        at=row["at"],
        count=row["count"],
        why=dict(row["why"]),
        decision=row["decision"],
        decided=row["decided"],
    )
