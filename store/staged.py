"""What a run has kept and not written yet, since it is judged as a whole first.

Collection ``staged``: ``_id`` a kept page; ``source``, ``walk`` (when the walk began, milliseconds)
and ``places`` (the numbers of the documents on the page). A run that is killed leaves them; the run
that goes on with its walk takes them over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pymongo.database import Database

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class StagedPage:
    """The documents of a kept page that wait."""

    page: str
    places: tuple[int, ...]


class StagedPages:
    """What waits to be judged."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._staged = database["staged"]

    def prepare(self) -> None:
        """Create the index."""
        self._staged.create_index([("source", 1)], name="source")

    def add(self, source: str, walk: datetime, page: str, places: Sequence[int]) -> None:
        """Note that documents of a page wait. Safe to repeat."""
        row = {
            "_id": page,
            "source": source,
            "walk": _milliseconds(walk),
            "places": list(places),
        }
        self._staged.replace_one({"_id": page}, row, upsert=True)

    def of_walk(self, source: str, walk: datetime) -> list[StagedPage]:
        """What waits of a walk, in the order in which it came."""
        rows = self._staged.find({"source": source, "walk": _milliseconds(walk)})
        found = [StagedPage(row["_id"], tuple(row["places"])) for row in rows]
        return sorted(found, key=lambda staged: _order(staged.page))

    def places(self, page: str) -> tuple[int, ...]:
        """The numbers of the documents of a page that wait."""
        row = self._staged.find_one({"_id": page}) or {"places": ()}
        return tuple(row["places"])

    def clear(self, source: str, walk: datetime) -> None:
        """Nothing of a walk waits any more."""
        self._staged.delete_many({"source": source, "walk": _milliseconds(walk)})

    def keep_only(self, source: str, walk: datetime | None) -> None:
        """Forget what waits of other walks of a source, which nobody goes on with."""
        other: dict[str, Any] = {"source": source}
        if walk is not None:
            other["walk"] = {"$ne": _milliseconds(walk)}
        self._staged.delete_many(other)


def _order(page: str) -> tuple[int, int]:
    """Runs and pages of a source are counted: ``<source>/<run>/<page>``."""
    _, run, number = page.split("/")
    return int(run), int(number)


def _milliseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)
