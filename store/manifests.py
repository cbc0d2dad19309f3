"""Manifests, one a day (collection ``manifests``, ``_id`` the day)."""

from __future__ import annotations

import json
import zlib
from typing import Any

from bson import Binary
from pymongo.database import Database


class Manifests:
    """What was said of the sets, day by day."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._manifests = database["manifests"]

    def keep(self, day: str, manifest: dict[str, Any]) -> None:
        """Keep the manifest of a day, in place of an earlier one of that day."""
        packed = Binary(zlib.compress(json.dumps(manifest).encode()))
        self._manifests.replace_one({"_id": day}, {"_id": day, "manifest": packed}, upsert=True)

    def get(self, day: str | None = None) -> dict[str, Any] | None:
        """The manifest of a day, or the newest; ``None`` if there is none."""
        if day is None:
            day = max(self.days(), default="")
        row = self._manifests.find_one({"_id": day})
        if row is None:
            return None
        manifest: dict[str, Any] = json.loads(zlib.decompress(row["manifest"]))
        return manifest

    def days(self) -> list[str]:
        """The days that have one, oldest first."""
        return sorted(row["_id"] for row in self._manifests.find({}, {"_id": 1}))

    def tidy(self, oldest: str) -> None:
        """Let go of those of days before ``oldest``."""
        for day in self.days():
            if day < oldest:
                self._manifests.delete_one({"_id": day})
