"""When each source is due, and who is at it: one small document a source, changed in single
atomic steps, so that any number of schedulers and workers agree (collection ``schedule``).

A run that is due is *queued* (somebody hands it to a process or a worker), *claimed* (that one
has begun, and beats), and *finished* (the next one has a date). Whoever falls silent in between
is replaced; the same due date is never begun twice while somebody is at it, nor again once it
is finished.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from store.leases import holds

CLAIM_SECONDS = 60
"""A claim without a beat for so long is void."""
QUEUED_SECONDS = 900
"""What was handed to a worker and not begun for so long is handed out again."""
GONE_DAYS = 8
"""So long the date of a source is kept that is gone or not enabled: longer than any wait after a
failure. A folder that is away for a while, a file in the middle of being edited, or a scheduler
with other files than another's, cost no source its date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is known of a source's schedule."""

    source: str
    due: datetime
    failures: int = 0
    """Runs in a row that did not end well."""
    claimed: bool = False
    """Somebody is at it."""
    queued: bool = False
    gone: bool = False
    """Its source is gone or not enabled, as the last scheduler that looked has it."""
    told: str | None = None
    """What the date was planned from: a digest of what the source's file says."""
    not_before: datetime | None = None
    """When its server wants to be asked again at the earliest, if it said so last."""
    started: datetime | None = None
    """When the last run began."""
    seconds: float = 0.0
    """How long it took."""

    @property
    def urgency(self) -> datetime:
        """When it is to begin to be done when one that takes no time is: of what is due together
        the longest begins first, and nothing waits behind it for ever."""
        return self.due - timedelta(seconds=self.seconds)


class Schedule:
    """Collection ``schedule`` (``_id`` the source), and the schedulers' sign of life."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._schedule = database["schedule"]
        self._state = database["state"]

    def entries(self, now: datetime) -> dict[str, Entry]:
        """All sources that have a date, by their identifiers."""
        return {row["_id"]: _entry(row, now) for row in self._schedule.find({})}

    def plan(self, source: str, due: datetime, told: str | None = None) -> None:
        """Give a source its first date; one that has one keeps it."""
        try:
            self._schedule.insert_one({"_id": source, "due": due, "failures": 0, "told": told})
        except DuplicateKeyError:
            return

    def move(self, source: str, due: datetime) -> None:
        """Give a source that nobody is at another date."""
        self._schedule.update_one({"_id": source, "claim": None}, {"$set": {"due": due}})

    def replan(self, source: str, was: datetime, due: datetime, told: str) -> None:
        """Give a source that nobody is at the date that its file as it is now wants, in place of
        the one that it had."""
        self._schedule.update_one(
            {"_id": source, "due": was, "claim": None}, {"$set": {"due": due, "told": told}}
        )

    def forget(self, keep: Collection[str], now: datetime) -> None:
        """Drop the dates of sources that are gone or not enabled, once they have been so for
        some days: whatever comes back until then is due as before."""
        for row in self._schedule.find({}, {"_id": 1, "gone": 1}):
            gone = row.get("gone")
            known = {"_id": row["_id"], "gone": gone}
            if row["_id"] in keep:
                if gone is not None:
                    self._schedule.update_one(known, {"$set": {"gone": None}})
            elif gone is None:
                self._schedule.update_one(known, {"$set": {"gone": now}})
            elif now - gone > timedelta(days=GONE_DAYS):
                self._schedule.delete_one({**known, "claim": None})

    def queue(self, source: str, due: datetime, now: datetime) -> bool:
        """Be the one who hands out a due run; ``False`` if another was."""
        row = self._schedule.find_one({"_id": source})
        if row is None or row["due"] != due or _entry(row, now).claimed or _entry(row, now).queued:
            return False
        by = secrets.token_hex(8)
        until = now + timedelta(seconds=QUEUED_SECONDS)
        done = self._schedule.update_one(
            {"_id": source, "due": due, "queued": row.get("queued"), "claim": row.get("claim")},
            {"$set": {"queued": until, "by": by}},
        )
        return bool(done.modified_count) or holds(self._schedule, source, "by", by)

    def put_off(self, source: str, due: datetime, until: datetime) -> None:
        """A due run that could not be handed out is handed out after ``until``."""
        self._schedule.update_one(
            {"_id": source, "due": due, "claim": None}, {"$set": {"queued": until}}
        )

    def claim(self, source: str, due: datetime, now: datetime) -> str | None:
        """Begin a due run: a token; ``None`` if another has begun, or finished it."""
        row = self._schedule.find_one({"_id": source})
        if row is None or row["due"] != due or _entry(row, now).claimed:
            return None
        token = secrets.token_hex(8)
        done = self._schedule.update_one(
            {"_id": source, "due": due, "claim": row.get("claim")},
            {
                "$set": {
                    "claim": {"token": token, "until": _until(now)},
                    # Should the claim lapse, the run is to be had again at once.
                    "queued": None,
                    "started": now,
                }
            },
        )
        if done.modified_count or holds(self._schedule, source, "claim.token", token):
            return token
        return None

    def beat(self, source: str, token: str, now: datetime) -> bool:
        """Keep a claim; ``False`` if it is another's by now."""
        done = self._schedule.update_one(
            {"_id": source, "claim.token": token}, {"$set": {"claim.until": _until(now)}}
        )
        return bool(done.matched_count)

    def finish(
        self,
        source: str,
        token: str,
        *,
        due: datetime,
        failures: int,
        not_before: datetime | None = None,
        seconds: float = 0.0,
    ) -> bool:
        """End a claimed run that took so long with the date of the next, which is not earlier
        than its server wants; ``False`` if it is another's by now."""
        done = self._schedule.update_one(
            {"_id": source, "claim.token": token},
            {
                "$set": {
                    "due": due,
                    "failures": failures,
                    "not_before": not_before,
                    "seconds": seconds,
                    "claim": None,
                    "queued": None,
                }
            },
        )
        return bool(done.matched_count)

    def release(self, source: str, token: str, *, until: datetime | None = None) -> None:
        """Give back a run that was begun and not done: it is due as before, or handed out again
        after ``until``."""
        self._schedule.update_one(
            {"_id": source, "claim.token": token}, {"$set": {"claim": None, "queued": until}}
        )

    # --- signs of life ---------------------------------------------------------------------

    def alive(self, now: datetime, who: dict[str, Any]) -> None:
        """A scheduler says that it is there."""
        self._state.update_one({"_id": "scheduler"}, {"$set": {"at": now, **who}}, upsert=True)

    def last_alive(self) -> datetime | None:
        """When a scheduler last said so."""
        found = self._state.find_one({"_id": "scheduler"})
        return found["at"] if found else None


def _until(now: datetime) -> datetime:
    return now + timedelta(seconds=CLAIM_SECONDS)


def _entry(row: dict[str, Any], now: datetime) -> Entry:
    claim, queued = row.get("claim"), row.get("queued")
    return Entry(
        source=row["_id"],
        due=row["due"],
        failures=row.get("failures", 0),
        claimed=claim is not None and claim["until"] > now,
        queued=queued is not None and queued > now,
        gone=row.get("gone") is not None,
        told=row.get("told"),
        not_before=row.get("not_before"),
        started=row.get("started"),
        seconds=row.get("seconds", 0.0),
    )
