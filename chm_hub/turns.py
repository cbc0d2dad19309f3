"""Whose turn it is to ask a host, of all the hub's processes that share it (rule R17)."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from chm_hub.errors import StoreError
from chm_hub.fetch.bounds import Turns
from store import Store

T = TypeVar("T")


def turns(store: Store, delay: float) -> Turns | None:
    """Turns with ``delay`` seconds between an answer and the next request; ``None``
    without a pause: there are no manners to keep across processes then."""
    return _Shared(store, delay) if delay else None


class _Shared:
    def __init__(self, store: Store, delay: float) -> None:
        self._store = store
        self._leases = store.leases
        self._delay = delay
        self._left: dict[str, set[str]] = {}
        """Turns that may be ours, by place: the store went away when they were taken or given
        back, and did not say."""

    @asynccontextmanager
    async def of(self, place: str, longest: float) -> AsyncIterator[None]:
        token = await self._begin(place, longest)
        try:
            yield
        finally:
            # From the end of the answer on: so the server too sees the pause, however long
            # requests are under way.
            with suppress(StoreError):
                await asyncio.to_thread(self._end, place, token)

    async def _begin(self, place: str, longest: float) -> str:
        token = secrets.token_hex(8)
        while (wait := await asyncio.to_thread(self._ask, place, token, longest)) is not None:
            await asyncio.sleep(wait)
        return token

    def _ask(self, place: str, token: str, longest: float) -> float | None:
        for left in list(self._left.get(place, ())):
            self._end(place, left)  # else we would wait for ourselves
        now = datetime.now(UTC)
        return self._say(place, token, lambda: self._leases.begin(place, token, now, longest))

    def _end(self, place: str, token: str) -> None:
        free = datetime.now(UTC) + timedelta(seconds=self._delay)
        self._say(place, token, lambda: self._leases.end(place, token, free))

    def _say(self, place: str, token: str, what: Callable[[], T]) -> T:
        try:
            with self._store.explained():
                told = what()
        except StoreError:
            self._left.setdefault(place, set()).add(token)
            raise
        self._left.get(place, set()).discard(token)
        return told
