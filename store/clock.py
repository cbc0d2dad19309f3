"""One clock for all who share a store: its server's.

Leases, turns and due runs are kept by processes on many machines, whose own clocks may differ, or
be set while they run. Were each to go by its own, one that is a minute ahead would take what others
still hold, and ask a host in the middle of another's pause.
"""

from __future__ import annotations

import math
import time
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.errors import PyMongoError

ASK_EVERY = 60.0
"""Seconds between two questions; in between the time is counted on."""
ASK_SECONDS = 2.0
"""A server that takes longer is asked again the next time."""
TRIES = 3
"""Of so many answers the quickest is the most exact."""


class Clock:
    """Calling it tells the time, UTC. It never fails: while the server is away it goes on from what
    that said last, at the very first from this machine's own clock."""

    def __init__(self, client: MongoClient[dict[str, Any]]) -> None:
        self._client = client
        self._asked = -math.inf
        self._known = time.monotonic(), datetime.now(UTC)
        """A moment of this process, and what time it was then."""

    def __call__(self) -> datetime:
        """What time it is."""
        if time.monotonic() - self._asked > ASK_EVERY:
            self._asked = time.monotonic()
            with suppress(PyMongoError), pymongo.timeout(ASK_SECONDS):
                _, then, moment = min(self._ask() for _ in range(TRIES))
                self._known = then, moment
        then, moment = self._known
        return moment + timedelta(seconds=time.monotonic() - then)

    def _ask(self) -> tuple[float, float, datetime]:
        """How long the answer took, the moment in its middle, and what time the server said."""
        before = time.monotonic()
        told: datetime = self._client.admin.command("hello")["localTime"]
        after = time.monotonic()
        return after - before, (before + after) / 2, told.replace(tzinfo=UTC)
