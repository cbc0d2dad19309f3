"""By which rule the records of each source are named (:mod:`chm_hub.names`).

A source keeps the rule it began with, so that no published name changes by itself. A source of
which the store has nothing is named readably; one that an earlier version harvested keeps its
digests until a person renames it.

Collection ``names``: ``_id`` the source, ``rule``, and ``renaming`` while its records are being
renamed (what was declared of them: ``published`` or ``unpublished``).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from chm_hub.errors import StoreError
from chm_hub.names import DIGESTED, READABLE

AT_ONCE = 1_000
"""Records taken out with one question."""


class Names:
    """The rules of names."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._names = database["names"]
        self._records = database["records"]
        self._aside = database["aside"]

    def rule(self, source: str) -> str:
        """The rule of a source, :data:`READABLE` or :data:`DIGESTED`; nothing is written."""
        row = self._names.find_one({"_id": source})
        return str(row["rule"]) if row else self._began(source)

    def keep(self, source: str) -> str:
        """The rule of a source that is about to be harvested or mapped, kept from now on; the
        caller holds its lease. Raises :class:`StoreError` where its renaming is not finished."""
        row = self._names.find_one({"_id": source})
        if row is None:
            row = {"_id": source, "rule": self._began(source)}
            try:
                self._names.insert_one(row)
            except DuplicateKeyError:  # the driver asked twice
                return self.keep(source)
        if "renaming" in row:
            raise StoreError(
                f"{source}: its records are being renamed, and that is not finished. Nothing was "
                f"changed; finish it: chm-hub identifiers rename {source} --{row['renaming']}"
            )
        return str(row["rule"])

    def renaming(self, source: str) -> str | None:
        """What was declared of a source whose renaming has begun and not ended."""
        row = self._names.find_one({"_id": source}) or {}
        return row.get("renaming")

    def begin(self, source: str, declared: str) -> None:
        """Note that the records of a source are being renamed."""
        self._names.update_one(
            {"_id": source},
            {"$set": {"renaming": declared}, "$setOnInsert": {"rule": DIGESTED}},
            upsert=True,
        )

    def end(self, source: str) -> None:
        """Note that they are renamed: from now on they are named readably."""
        self._names.update_one(
            {"_id": source}, {"$set": {"rule": READABLE}, "$unset": {"renaming": ""}}
        )

    def forget(self, source: str, names: Iterable[str]) -> None:
        """Take records that were renamed, and that nobody knows by these names, out of the store.
        The log of changes must be mended then (:meth:`store.records.Records.mend`)."""
        listed = list(names)
        for start in range(0, len(listed), AT_ONCE):
            self._records.delete_many(
                {
                    "_id": {"$in": listed[start : start + AT_ONCE]},
                    "source": source,
                    "deleted": True,
                    "why": "renamed",
                }
            )

    def _began(self, source: str) -> str:
        # "0" follows "/": all names of the source, and no other's.
        of_source = {"_id": {"$gte": f"{source}/", "$lt": f"{source}0"}}
        for collection in (self._records, self._aside):
            if collection.find_one(of_source, {"_id": 1}) is not None:
                return DIGESTED
        return READABLE
