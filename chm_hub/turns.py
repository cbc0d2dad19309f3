"""Whose turn it is to ask a host, of all the hub's processes that share it (rule R17)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta

from chm_hub.errors import StoreError
from chm_hub.fetch.bounds import Alone, Turns
from store import Store


def turns(store: Store, delay: float) -> Turns:
    """Turns with ``delay`` seconds between the beginnings of two requests to one host. Where
    there is no pause there are no manners to keep across processes either."""
    return _Shared(store, delay) if delay else Alone()


class _Shared:
    def __init__(self, store: Store, delay: float) -> None:
        self._store = store
        self._delay = delay

    @asynccontextmanager
    async def of(self, host: str, longest: float) -> AsyncIterator[None]:
        token, began = await self._begin(host, longest)
        try:
            yield
        finally:
            free = began + timedelta(seconds=self._delay)
            # A turn that cannot be given back runs out by itself.
            with suppress(StoreError):
                await asyncio.to_thread(self._end, host, token, free)

    async def _begin(self, host: str, longest: float) -> tuple[str, datetime]:
        while True:
            now = datetime.now(UTC)
            token, wait = await asyncio.to_thread(self._ask, host, now, longest)
            if token is not None:
                return token, now
            await asyncio.sleep(wait)

    def _ask(self, host: str, now: datetime, longest: float) -> tuple[str | None, float]:
        with self._store.explained():
            return self._store.leases.begin(host, now, longest)

    def _end(self, host: str, token: str, free: datetime) -> None:
        with self._store.explained():
            self._store.leases.end(host, token, free)
