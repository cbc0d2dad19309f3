"""Identifiers that a source declared and that have no record of their newest version: skipped by
the crosswalk, quarantined because they could not be read, or held back since their source seems to
have become another one. Together with the records they are all a source ever declared.

Collection ``aside``: ``_id`` the record's identifier; ``source``, ``state``, ``reason``, ``run``,
``page``, ``at``. One entry is written when its state changes, not each time it is met.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pymongo import DeleteOne, ReplaceOne
from pymongo.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class SetAside:
    """One identifier whose newest version became no record."""

    identifier: str
    source: str
    state: str
    """``skipped``, ``quarantined``, ``held_back`` (new in a run that was held for what has jumped),
    or ``gone`` (it was one of these, and is listed no more)."""
    reason: str
    run: str
    page: str
    """The kept page that it is on."""
    at: datetime


class Aside:
    """What was set aside."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._aside = database["aside"]

    def prepare(self) -> None:
        """Create the index."""
        self._aside.create_index([("source", 1)], name="source")

    def write(self, entries: Iterable[SetAside], freed: Iterable[str]) -> None:
        """Note what was set aside, and forget identifiers that have a record (again)."""
        writes: list[Any] = [
            ReplaceOne(
                {"_id": entry.identifier},
                {
                    "_id": entry.identifier,
                    "source": entry.source,
                    "state": entry.state,
                    "reason": entry.reason,
                    "run": entry.run,
                    "page": entry.page,
                    "at": entry.at,
                },
                upsert=True,
            )
            for entry in entries
        ]
        writes += [DeleteOne({"_id": name}) for name in freed]
        if writes:
            self._aside.bulk_write(writes, ordered=False)

    def of_source(self, source: str) -> Iterator[SetAside]:
        """All that a source has set aside."""
        for row in self._aside.find({"source": source}):
            yield _entry(row)

    def look_up(self, identifiers: Iterable[str]) -> dict[str, SetAside]:
        """What was set aside of these, by identifier."""
        found = self._aside.find({"_id": {"$in": list(identifiers)}})
        return {row["_id"]: _entry(row) for row in found}


def _entry(row: dict[str, Any]) -> SetAside:
    return SetAside(
        identifier=row["_id"],
        source=row["source"],
        state=row["state"],
        reason=row["reason"],
        run=row["run"],
        page=row["page"],
        at=row["at"],
    )
