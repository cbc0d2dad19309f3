"""Whose turn it is to ask a host, of all the hub's processes that share it (rule R17)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

from chm_hub.errors import StoreError
from chm_hub.fetch.bounds import Turns
from store import Store


def turns(store: Store, delay: float) -> Turns | None:
    """Turns with ``delay`` seconds between an answer and the next request; ``None``
    without a pause: there are no manners to keep across processes then."""
    return _Shared(store, delay) if delay else None


class _Shared:
    def __init__(self, store: Store, delay: float) -> None:
        self._store = store
        self._delay = delay
        self._live: set[str] = set()
        """The turns that this process has, or may be getting. Others that the store has under its
        name are void: the store went away before they were given back, or before it said so."""

    @asynccontextmanager
    async def of(self, place: str, longest: float, pause: float) -> AsyncIterator[None]:
        """See :class:`Turns`."""
        token = secrets.token_hex(8)
        self._live.add(token)
        try:
            while (wait := await asyncio.to_thread(self._ask, place, token, longest)) is not None:
                await asyncio.sleep(wait)
            yield
        finally:
            self._live.discard(token)
            # From the end of the answer on: so the server too sees the pause, however long
            # requests are under way.
            with suppress(StoreError):
                await asyncio.to_thread(self._end, place, token, max(self._delay, pause))

    def _ask(self, place: str, token: str, longest: float) -> float | None:
        now = self._store.now()
        with self._store.explained():
            return self._store.leases.begin(place, token, now, longest, self._live)

    def _end(self, place: str, token: str, pause: float) -> None:
        free = self._store.now() + timedelta(seconds=pause)
        with self._store.explained():
            self._store.leases.end(place, token, free)
