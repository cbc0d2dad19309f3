"""Whose turn it is to ask a host, of all the hub's processes that share it (rule R17)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

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

    @asynccontextmanager
    async def of(self, place: str, longest: float) -> AsyncIterator[None]:
        token = await self._begin(place, longest)
        try:
            yield
        finally:
            # From the end of the answer on: so the server too sees the pause, however long
            # requests are under way.
            free = datetime.now(UTC) + timedelta(seconds=self._delay)
            # A turn that cannot be given back runs out by itself.
            with suppress(StoreError):
                await asyncio.to_thread(self._end, place, token, free)

    async def _begin(self, place: str, longest: float) -> str:
        while True:
            token, wait = await asyncio.to_thread(self._ask, place, longest)
            if token is not None:
                return token
            await asyncio.sleep(wait)

    def _ask(self, place: str, longest: float) -> tuple[str | None, float]:
        with self._store.explained():
            return self._store.leases.begin(place, datetime.now(UTC), longest)

    def _end(self, place: str, token: str, free: datetime) -> None:
        with self._store.explained():
            self._store.leases.end(place, token, free)
