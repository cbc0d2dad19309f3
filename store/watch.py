"""What is kept to watch over the sources: a summary of each, and who was told what.

Two collections with an entry a source: ``health``, written at the end of each run and read as
a whole by whoever wants to know how the sources are; ``alerts``, changed by compare-and-set,
so that two processes never tell the same thing.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database

from store.records import insert_if_absent

ATTEMPTS = 50
"""How often a change is tried again when another process was quicker."""
CLAIM = timedelta(minutes=5)
"""A process that tells people and does not end is thought dead after this time."""
_CHANNELS = "~channels"
"""The entry that is no source's: no source's identifier begins so."""

Row = dict[str, Any]


class Watch:
    """Collections ``health`` and ``alerts`` (``_id`` the source)."""

    def __init__(self, database: Database[Row]) -> None:
        self._health = database["health"]
        self._alerts = database["alerts"]
        self._state = database["state"]

    # --- health ----------------------------------------------------------------------------

    def summary(self, source: str) -> Row | None:
        """What is known of a source, its profile included."""
        return self._health.find_one({"_id": source})

    def keep(self, source: str, summary: Row) -> None:
        """Write what is known of a source, in place of what was."""
        self._health.replace_one({"_id": source}, {**summary, "_id": source}, upsert=True)

    def summaries(self) -> dict[str, Row]:
        """What is known of all sources, without their profiles."""
        return {row["_id"]: row for row in self._health.find({}, {"profile": 0})}

    def heartbeat(self) -> Row | None:
        """The scheduler's last sign of life: ``at``, and how many source files were ``faulty``
        when it last read them; ``None`` if it never gave one."""
        row = self._state.find_one({"_id": "scheduler"}) or {}
        return row if isinstance(row.get("at"), datetime) else None

    # --- alerts ----------------------------------------------------------------------------

    def alerts(self) -> dict[str, Row]:
        """What is known of all sources' incidents, and what is still to be told."""
        return {row["_id"]: row for row in self._alerts.find({}) if row["_id"] != _CHANNELS}

    def change(self, source: str, made: Callable[[Row], Row]) -> Row:
        """Change a source's entry by a function of what it is now; returns what it became.

        The function has no effect of its own: it is called again when another process was
        quicker. Keys of the entry are the function's; ``version`` is ours.
        """
        for _ in range(ATTEMPTS):
            before = self._alerts.find_one({"_id": source})
            if before is None:
                insert_if_absent(self._alerts, {"_id": source, "version": 0})
                continue
            plain = {k: v for k, v in before.items() if k not in ("_id", "version")}
            after = made(dict(plain))
            if after == plain:
                return after
            number = before["version"]
            done = self._alerts.replace_one(
                {"_id": source, "version": number},
                {**after, "_id": source, "version": number + 1},
            )
            if done.matched_count:
                return after
        raise RuntimeError(f"alerts/{source}: changed {ATTEMPTS} times by others")

    def channels(self) -> Row:
        """When which channel was last used, and until when one that failed is left alone."""
        row = self._alerts.find_one({"_id": _CHANNELS}) or {}
        return {k: v for k, v in row.items() if k not in ("_id", "version", "claim")}

    def claim(self, now: datetime) -> str | None:
        """Take the right to tell people; ``None`` if another process has it."""
        token = secrets.token_hex(8)

        def take(row: Row) -> Row:
            held = row.get("claim")
            if held is not None and held["until"] > now:
                return row
            return {**row, "claim": {"token": token, "until": now + CLAIM}}

        row = self.change(_CHANNELS, take)
        return token if row["claim"]["token"] == token else None

    def release(self, token: str, channels: Row) -> None:
        """Give the right back, and remember how the channels are."""

        def give(row: Row) -> Row:
            if (row.get("claim") or {}).get("token") != token:
                return row
            return channels

        self.change(_CHANNELS, give)
