"""Leases: who may write a source's records, and whose turn it is to ask a host.

A lease is kept by renewing it. Whoever is silent for too long has lost it, and so has a process
of this machine that is dead. Each time a source's lease is taken its ``fence`` grows by one: the
record store refuses a writer whose fence is not the newest it has met. What time it is (``now``)
the store's own clock says (:mod:`store.clock`).
"""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import psutil
from pymongo.collection import Collection as Documents
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from chm_hub.errors import StoreError

LEASE_SECONDS = 120
"""A lease that was not renewed for so long belongs to nobody."""
BEAT_SECONDS = 20
"""How often it is renewed."""
PROC = Path("/proc")
BOOT = PROC / "sys/kernel/random/boot_id"
NAMESPACE = PROC / "self/ns/pid"


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write a source's records, until it is given back or runs out."""

    source: str
    token: str
    fence: int


class Leases:
    """Collections ``leases`` (``_id`` the source) and ``hosts`` (``_id`` the host or group)."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._leases = database["leases"]
        self._hosts = database["hosts"]
        self._state = database["state"]

    def take(self, source: str, now: datetime) -> Lease:
        """Take the right to write a source's records.

        Raises :class:`StoreError` if somebody has it.
        """
        mine = {
            **_me(),
            "since": now,
            "until": now + timedelta(seconds=LEASE_SECONDS),
        }
        held = self._leases.find_one({"_id": source})
        if held is None:
            # The record store may have met higher ones: leases are not in backups.
            log = self._state.find_one({"_id": "log"}, {"fences": 1}) or {}
            fence = log.get("fences", {}).get(source, 0) + 1
            try:
                self._leases.insert_one({"_id": source, **mine, "fence": fence})
            except DuplicateKeyError:
                if not holds(self._leases, source, "token", mine["token"]):
                    return self.take(source, now)
            return self._raised(Lease(source, mine["token"], fence))
        if held["token"] is not None and held["until"] > now and not _dead(held):
            raise StoreError(
                f"{source}: is being harvested since {held['since']:%Y-%m-%dT%H:%M:%SZ} by process "
                f"{held['pid']} on {held['host']}. Wait for it to end; a process that died "
                "is noticed at once on its own machine (or in its container), elsewhere after "
                f"{LEASE_SECONDS // 60} minutes.",
                reason="leased",
            )
        taken = self._leases.update_one(
            {"_id": source, "token": held["token"], "fence": held.get("fence")},
            {"$set": mine, "$inc": {"fence": 1}},
        )
        if not (taken.matched_count or holds(self._leases, source, "token", mine["token"])):
            raise StoreError(
                f"{source}: another process began to harvest it just now.", reason="leased"
            )
        return self._raised(Lease(source, mine["token"], held.get("fence", 0) + 1))

    def _raised(self, lease: Lease) -> Lease:
        """The lease, once the record store knows that older ones are void. Raises
        :class:`StoreError` if it knows a newer one: this process was silent in the middle."""
        log = self._state.find_one_and_update(
            {"_id": "log"},
            {"$max": {f"fences.{lease.source}": lease.fence}},
            projection={"fences": 1},
            return_document=True,
        )
        if log is not None and log["fences"][lease.source] != lease.fence:
            raise taken_over(lease.source)
        return lease

    def renew(self, lease: Lease, now: datetime) -> None:
        """Keep a lease; raises :class:`StoreError` if it was taken over meanwhile, whereupon
        the run must write nothing more."""
        kept = self._leases.update_one(
            {"_id": lease.source, "token": lease.token},
            {"$set": {"until": now + timedelta(seconds=LEASE_SECONDS)}},
        )
        if not kept.matched_count:
            raise taken_over(lease.source)

    def release(self, lease: Lease) -> None:
        """Give a lease back; nothing happens if it is no longer ours."""
        self._leases.update_one(
            {"_id": lease.source, "token": lease.token}, {"$set": {"token": None}}
        )

    def holder(self, source: str, now: datetime) -> dict[str, Any] | None:
        """Who has a source's lease: ``host``, ``pid``, ``since``; ``None`` for nobody."""
        held = self._leases.find_one({"_id": source})
        if held is None or held["token"] is None or held["until"] <= now or _dead(held):
            return None
        return {key: held[key] for key in ("host", "pid", "since")}

    def live(self, now: datetime) -> list[str]:
        """The sources whose lease somebody has."""
        rows = self._leases.find({}, {"_id": 1})
        return sorted(row["_id"] for row in rows if self.holder(row["_id"], now))

    # --- hosts -----------------------------------------------------------------------------

    def begin(
        self, host: str, token: str, now: datetime, longest: float, ours: Collection[str] = ()
    ) -> float | None:
        """Take the turn to ask a host under a token that is new: ``None``, or in how many seconds
        to try again. Nobody else is let in until :meth:`end`, but after ``longest`` seconds;
        a turn of this process that is not among ``ours`` is void."""
        held = self._hosts.find_one({"_id": host})
        mine = {**_me(), "token": token, "until": now + timedelta(seconds=longest)}
        if held is None:
            try:
                self._hosts.insert_one({"_id": host, **mine, "next": now})
            except DuplicateKeyError:
                return 0.01
            return None
        if held["token"] == token:
            return None  # it was got, and the driver asked again: the store had been away
        void = _is_me(held) and held["token"] not in ours
        if held["token"] is not None and held["until"] > now and not (void or _dead(held)):
            return min(0.25, float((held["until"] - now).total_seconds()))
        if held["next"] > now:
            return float((held["next"] - now).total_seconds())
        taken = self._hosts.update_one({"_id": host, "token": held["token"]}, {"$set": mine})
        return None if taken.matched_count else 0.01

    def end(self, host: str, token: str, free: datetime) -> None:
        """Give the turn back; the host may be asked again from ``free`` on."""
        self._hosts.update_one(
            {"_id": host, "token": token}, {"$set": {"token": None, "next": free}}
        )


def holds(collection: Documents[dict[str, Any]], name: str, key: str, value: Any) -> bool:
    """Whether a document has a value at a dotted key. Asked when a change that is made under a
    condition found nothing to change: where an answer was lost the driver asks again, and then
    finds what it did itself."""
    return collection.find_one({"_id": name, key: value}) is not None


def taken_over(source: str) -> StoreError:
    """What a writer is told that has lost its lease."""
    return StoreError(
        f"{source}: its lease was taken over by another process while this one was "
        "silent; this run stops here, the other goes on."
    )


def _me() -> dict[str, Any]:
    return {
        "token": secrets.token_hex(8),
        "host": socket.gethostname(),  # for people
        "machine": _machine(),
        "pid": os.getpid(),
        "process": _birth(os.getpid()),
    }


def _is_me(held: dict[str, Any]) -> bool:
    pid = os.getpid()
    return held.get("machine") == _machine() and (held["pid"], held["process"]) == (
        pid,
        _birth(pid),
    )


@cache
def _machine() -> str:
    """What numbers processes as this one is numbered: a kernel since its start, and a container's
    own numbers on it. Two machines may have one name; elsewhere than on Linux the name must do."""
    try:
        return BOOT.read_text("ascii").strip() + " " + NAMESPACE.readlink().name
    except OSError:
        return socket.gethostname()


def _birth(pid: int) -> float | None:
    """What tells a process from a later one of the same number; ``None`` if that is not shown.
    On Linux clock ticks since the machine's start: the time of day is set now and then."""
    try:
        if BOOT.exists():
            return int((PROC / str(pid) / "stat").read_bytes().rpartition(b")")[2].split()[19])
        return psutil.Process(pid).create_time()
    except (OSError, psutil.Error):
        return None


def _dead(held: dict[str, Any]) -> bool:
    """Whether a holder is certainly no more: of those elsewhere nobody can tell."""
    if held.get("machine") != _machine():
        return False
    if not psutil.pid_exists(held["pid"]):
        return True
    return _birth(held["pid"]) not in (None, held["process"])
