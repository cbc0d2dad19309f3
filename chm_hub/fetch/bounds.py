"""Bounds on one attempt, and whose turn it is: what Scrapy's downloader lacks (rules R1, R16,
R17).

Scrapy limits the whole attempt and the size of a body. Added here: the time to connect, the
least that must come while we wait (a server that sends a byte a second ends no per-read
time-out), the size of headers, certificates that a source's file excuses until a day, and
hosts that other processes of the hub ask too.
"""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any, Protocol

from scrapy import signals
from scrapy.core.downloader.handlers import http11
from scrapy.exceptions import DownloadFailedError, DownloadTimeoutError
from scrapy.utils._download_handlers import wrap_twisted_exceptions
from scrapy.utils.defer import maybe_deferred_to_future
from twisted.internet.defer import CancelledError
from twisted.python.failure import Failure
from twisted.web._newclient import (
    HEADER,
    STATUS,
    RequestNotSent,
    RequestTransmissionFailed,
    ResponseNeverReceived,
)
from twisted.web.client import HTTPConnectionPool

from chm_hub.fetch import host_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

LEAST_SPEED = 64
"""Bytes a second, on average over the time a server may be silent. Less is no answer."""
HEADERS_LIMIT = 128 * 1024
"""Bytes of the headers of one answer."""


class TooSlowError(DownloadTimeoutError):
    """A server was silent, or let its answer drip."""


class HungUpError(DownloadFailedError):
    """A server closed a connection that it had kept, perhaps before it heard the request."""


class HeadersTooLongError(Exception):
    """An answer's headers do not end."""


class Turns(Protocol):
    """Who may ask a host now, of all processes that share it."""

    def of(self, place: str, longest: float, pause: float) -> Any:
        """An asynchronous context manager: entered when it is our turn to ask a host, or a
        group of sources; left when the answer is there. Nobody else is let in before, but after
        ``longest`` seconds, nor in the ``pause`` seconds that follow."""
        ...


class Alone:
    """The turns of a process that shares its hosts with nobody."""

    @asynccontextmanager
    async def of(self, place: str, longest: float, pause: float) -> AsyncIterator[None]:
        """At once: within the process Scrapy's slots see to it."""
        yield


class BoundedHandler(http11.HTTP11DownloadHandler):
    """Scrapy's downloader for http and https with the bounds of this module."""

    def __init__(self, crawler: Crawler) -> None:
        from twisted.internet import reactor

        super().__init__(crawler)
        self._pool._factory = _ClientFactory
        # Connections that were not verified are never handed to those who want it so.
        self._excused_pool: Any = HTTPConnectionPool(reactor, persistent=True)  # type: ignore[no-untyped-call]
        self._excused_pool.maxPersistentPerHost = self._pool.maxPersistentPerHost
        self._excused_pool._factory = _ClientFactory
        for pool in (self._pool, self._excused_pool):
            # Twisted would ask again by itself where a kept connection was closed meanwhile: at
            # once, without a turn, and uncounted. Patience does it in turn (rules R2, R17).
            pool.retryAutomatically = False
        self._excusing: Any = copy.copy(self._contextFactory)
        self._excusing._verify_certificates = False
        crawler.signals.connect(_heard_headers, signals.headers_received)
        crawler.signals.connect(_heard_bytes, signals.bytes_received)

    async def download_request(self, request: Request) -> Response:
        """One attempt. Raises :class:`TooSlowError` beside what Scrapy raises."""
        longest = request.meta["connect"] + request.meta["download_timeout"]
        client = request.meta["client"]
        turns = client.turns or Alone()
        host = host_of(request.url)
        async with AsyncExitStack() as ours:
            # The group, if it has one, then the host: always in this order, so nobody waits for
            # somebody who waits for him.
            for place in dict.fromkeys((request.meta["download_slot"], host)):
                # What a host asks for is nothing to the others of its group.
                pause = request.meta["pause"] if place == host else 0.0
                await ours.enter_async_context(turns.of(place, longest, pause))
            client.requests += 1
            attempt = asyncio.ensure_future(self._attempt(request))
            with _Watch(attempt, request) as watch:
                try:
                    return await attempt
                except asyncio.CancelledError:
                    if watch.too_slow:
                        raise TooSlowError(
                            f"fewer than {LEAST_SPEED} bytes a second for "
                            f"{request.meta['silence']:.0f} s"
                        ) from None
                    attempt.cancel()
                    raise

    async def _attempt(self, request: Request) -> Response:
        excused = request.meta["excused"]
        agent = _Agent(
            contextFactory=self._excusing if excused else self._contextFactory,
            bindAddress=self._bind_address,
            pool=self._excused_pool if excused else self._pool,
            maxsize=self._default_maxsize,
            warnsize=self._default_warnsize,
            fail_on_dataloss=self._fail_on_dataloss,
            crawler=self._crawler,
            tls_verbose_logging=self._tls_verbose_logging,
        )
        with wrap_twisted_exceptions():
            return await maybe_deferred_to_future(agent.download_request(request))

    async def close(self) -> None:
        """Let go of the connections."""
        self._excused_pool.closeCachedConnections()
        await super().close()


class _Agent(http11._ScrapyAgent):
    def _get_agent(self, request: Request, timeout: float) -> Any:
        # What is called a time-out there is that of the connection alone.
        return super()._get_agent(request, min(timeout, request.meta["connect"]))


class _ClientProtocol(http11._LenientHTTP11ClientProtocol):
    """Gives up on headers that do not end; says so when a kept connection is closed."""

    _head = 0
    _kept = False

    def request(self, request: Any) -> Any:
        """Send a request, of which there may be several, one after the other."""
        kept, self._kept = self._kept, True
        answer: Any = super().request(request)
        return answer.addErrback(_hung_up) if kept else answer

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  (Twisted's interface)
        parser = self._parser
        if parser is not None and parser.state in (STATUS, HEADER):
            self._head += len(data)
            if self._head > HEADERS_LIMIT:
                too_long = HeadersTooLongError(f"more than {HEADERS_LIMIT} bytes")
                self._giveUp(Failure(too_long))  # type: ignore[no-untyped-call]
                return
        else:
            self._head = 0
        super().dataReceived(data)  # type: ignore[no-untyped-call]


def _hung_up(failure: Any) -> Any:
    """The error for a kept connection on which no byte of an answer came before it was closed."""
    error = failure.value
    unheard = RequestNotSent, RequestTransmissionFailed, ResponseNeverReceived
    cancelled = any(reason.check(CancelledError) for reason in getattr(error, "reasons", ()))
    if not isinstance(error, unheard) or cancelled:
        return failure
    raise HungUpError(str(error)) from error


class _ClientFactory(http11._LenientHTTP11ClientFactory):
    def buildProtocol(self, addr: Any) -> Any:  # noqa: N802  (Twisted's interface)
        return _ClientProtocol(self._quiescentCallback)  # type: ignore[no-untyped-call]


class _Watch:
    """Ends an attempt in which too little comes."""

    def __init__(self, attempt: asyncio.Future[Any], request: Request) -> None:
        self.too_slow = False
        self._attempt = attempt
        self._request = request
        self._seconds: float = request.meta["silence"]
        self._loop = asyncio.get_running_loop()

    def __enter__(self) -> _Watch:
        self._request.meta["watch"] = self
        self._heard = 0
        self._timer = self._loop.call_later(self._seconds, self._look)
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def heard(self, count: int) -> None:
        """So many bytes of the body came."""
        self._heard += count

    def again(self) -> None:
        """The time of silence begins anew: the server has begun to answer."""
        self._timer.cancel()
        self.__enter__()

    def _look(self) -> None:
        if self._heard < LEAST_SPEED * self._seconds:
            self.too_slow = True
            self._attempt.cancel()
        else:
            self.__enter__()


def _heard_headers(headers: Any, body_length: int, request: Request) -> None:
    request.meta["watch"].again()


def _heard_bytes(data: bytes, request: Request) -> None:
    request.meta["watch"].heard(len(data))
