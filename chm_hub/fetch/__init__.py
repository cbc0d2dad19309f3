"""The one polite HTTP client of the hub: Scrapy's downloader, with our manners.

Harvesters are coroutines that ``await fetch(request)``. Retries, throttling per host,
redirects, cookies, decompression, time-outs and TLS are Scrapy's; the few middlewares here
add what it lacks: the egress guard (``egress``), patience with servers that ask for it
(``patience``), and a look at what came before anything parses it (``sniff``).
"""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from chm_hub import __version__
from chm_hub.addresses import urlsplit
from chm_hub.document import Payload
from chm_hub.errors import FetchError
from chm_hub.settings import Settings

if TYPE_CHECKING:
    from chm_hub.fetch.bounds import Turns

WIRE_LIMIT = 32 * 1024 * 1024
"""Bytes of a body as they come over the wire."""
DECODED_LIMIT = 64 * 1024 * 1024
"""Bytes of a body with its content encoding removed."""
CONNECT = 10.0
"""Seconds to make a connection."""
DEADLINE = 120.0
"""Seconds for one whole attempt, body included."""
SILENCE = 30.0
"""Seconds in which nothing, or next to nothing, comes of an answer."""
REDIRECTS = 5
MOST_REDIRECTS = 20
"""As many redirects in a row may a source's file allow."""
TRIES = 4

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one request may cost; a source's options can change each of them."""

    connect: float = CONNECT
    deadline: float = DEADLINE
    silence: float = SILENCE
    wire: int = WIRE_LIMIT
    decoded: int = DECODED_LIMIT
    redirects: int = REDIRECTS
    tries: int = TRIES


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One question to a server."""

    url: str
    form: tuple[tuple[str, str], ...] | None = None
    """Sent as a POST form if given."""
    json: Any = None
    """Sent as a POST of JSON if given."""
    headers: Mapping[str, str] = field(default_factory=dict)
    secret_query: Mapping[str, str] = field(default_factory=dict)
    """Added to the query when it is sent; never in payloads, messages or logs."""
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    """Likewise for headers. A request with secrets is not redirected: another host could get
    them."""
    kinds: tuple[str, ...] = ()
    """What the answer may be (``xml``, ``html``, ``json``, ``text``), by its content; empty
    for anything. An answer of another kind is retried, then refused."""
    accept: tuple[int, ...] = (200,)
    """HTTP statuses that are an answer; any other is a :class:`FetchError`."""
    pause: float = 0.0
    """Seconds the host is left alone after the answer, by all who share it: a Crawl-delay. Counts
    where it is more than the hub's own pause."""

    @property
    def has_secrets(self) -> bool:
        """Whether it carries what nobody else may see."""
        return bool(self.secret_query or self.secret_headers)


class Fetch(Protocol):
    """What a harvester is given: ask, and get the answer or an error that explains itself."""

    async def __call__(self, request: Request) -> Payload:
        """Fetch one answer.

        Raises :class:`FetchError` when there is none (its ``reason`` says why), and
        :class:`ProtocolError` when the answer is of a kind that cannot be meant.
        """
        ...


class Client:
    """Fetches for one source: its limits, its share of the host, its count of requests."""

    def __init__(
        self,
        download: Callable[[Any], Awaitable[Any]],
        group: str | None,
        limits: Limits,
        *,
        excused: bool = False,
        turns: Turns | None = None,
    ) -> None:
        self._download = download
        self.turns = turns
        """Those of the processes that share our hosts, if there are any."""
        self._group = group
        self._limits = limits
        self.excused = excused
        """Whether certificates are not looked at, which a source's file may ask for a time."""
        self.requests = 0
        """Requests sent, retries and redirects included."""
        self.notes: Counter[str] = Counter()
        """What a person should know of the wire, as short stable words with an optional detail
        after a colon."""
        self.last: Payload | None = None
        """The last answer, for a look at one that could not be read."""
        self._moved: dict[str, str] = {}
        self._told: dict[tuple[str, str], str] = {}
        """What is said of a move: of the pages of a site that moves as a whole it is said once."""

    async def __call__(self, request: Request) -> Payload:
        """See :class:`Fetch`."""
        from chm_hub.fetch.answer import check, explain, moved, read, translate

        asked = request if request.has_secrets else self._at_new_address(request)
        try:
            response = await self._download(translate(asked, self, self._group, self._limits))
        except asyncio.CancelledError:
            raise
        except Exception as error:
            raise explain(error, asked, self._limits) from error
        if (places := moved(response)) is not None:
            old, new = places
            self._moved[old] = new
            self.notes[self._told.setdefault(_move(old, new), f"moved: {old} to {new}")] += 1
        self.last = payload = read(response, asked)
        check(payload, asked)
        return payload

    def _at_new_address(self, request: Request) -> Request:
        """The request, at the address the server itself named for good in this run: asking at
        the old one each time would double the requests. The source's file stays as it is."""
        head, mark, query = request.url.partition("?")
        new = self._moved.get(head)
        return request if new is None else replace(request, url=f"{new}{mark}{query}")


class Downloads:
    """The running downloader; gives every source its own client."""

    def __init__(
        self, download: Callable[[Any], Awaitable[Any]], turns: Turns | None = None
    ) -> None:
        self._download = download
        self._turns = turns

    def client(
        self, group: str | None = None, limits: Limits | None = None, *, excused: bool = False
    ) -> Client:
        """A client for one source; sources of one ``group`` are throttled together, and
        certificates are not looked at for one that is ``excused``."""
        return Client(self._download, group, limits or Limits(), excused=excused, turns=self._turns)


def run(
    settings: Settings,
    work: Callable[[Downloads], Awaitable[T]],
    turns: Turns | None = None,
) -> T:
    """Start the downloader, let ``work`` do its work with it, stop it, return what it made.

    ``turns`` are those of processes that share their hosts. Once a process: Twisted's reactor
    cannot be started again. Ctrl-C and SIGTERM cancel ``work``, which may tidy up; an exception
    of ``work`` is raised here.
    """
    from scrapy import Spider
    from scrapy.crawler import AsyncCrawlerProcess

    import chm_hub.fetch.answer  # noqa: F401  (loaded now, not within the first request)

    outcome: dict[str, Any] = {}

    class Work(Spider):
        name = "chm-hub"

        async def start(self) -> AsyncIterator[Any]:
            loop = asyncio.get_running_loop()
            assert self.crawler.engine is not None
            downloads = Downloads(self.crawler.engine.download_async, turns)
            # A page is thousands of small objects, and nothing of what is loaded by now will
            # ever be garbage: looking through it all again and again costs a third of the time.
            gc.collect()
            gc.freeze()
            gc.set_threshold(50_000, 50, 50)
            task = asyncio.ensure_future(work(downloads))
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, task.cancel)
            try:
                outcome["result"] = await task
            except asyncio.CancelledError:
                outcome["error"] = KeyboardInterrupt()
            except BaseException as error:
                outcome["error"] = error
            return
            yield  # makes it the generator Scrapy expects

    process = AsyncCrawlerProcess(scrapy_settings(settings))
    # Which has set up its logs as it likes them.
    logging.getLogger("scrapy").setLevel(logging.CRITICAL)
    process.crawl(Work)
    process.start(install_signal_handlers=False)
    if "error" in outcome:
        raise outcome["error"]
    if "result" not in outcome:
        raise FetchError("the downloader stopped before its work was done", reason="stopped")
    result: T = outcome["result"]
    return result


def user_agent(settings: Settings) -> str:
    """How the hub introduces itself: what it is, where it is, whom to write to."""
    return f"CHM-Hub/{__version__} (+{settings.base_url}; mailto:{settings.admin_email})"


def scrapy_settings(settings: Settings) -> dict[str, Any]:
    """Scrapy's settings for our manners (rules R1, R2, R13, R16, R17)."""
    middlewares = "scrapy.downloadermiddlewares."
    return {
        "USER_AGENT": user_agent(settings),
        "DOWNLOAD_DELAY": settings.host_delay,
        "DOWNLOAD_DELAY_JITTER": 0,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 1,
        "CONCURRENT_REQUESTS": 32,
        "DOWNLOAD_TIMEOUT": DEADLINE,
        "DOWNLOAD_MAXSIZE": WIRE_LIMIT,
        "DOWNLOAD_WARNSIZE": 0,
        "DOWNLOAD_VERIFY_CERTIFICATES": True,
        "REDIRECT_MAX_TIMES": MOST_REDIRECTS,
        "DOWNLOAD_HANDLERS": {
            "http": "chm_hub.fetch.bounds.BoundedHandler",
            "https": "chm_hub.fetch.bounds.BoundedHandler",
        },
        "TWISTED_DNS_RESOLVER": "chm_hub.fetch.egress.GuardedResolver",
        "LOG_ENABLED": False,
        "LOG_INSTALL_ROOT_HANDLER": False,
        "DOWNLOADER_MIDDLEWARES": {
            middlewares + "offsite.OffsiteMiddleware": None,
            middlewares + "robotstxt.RobotsTxtMiddleware": None,
            middlewares + "httpauth.HttpAuthMiddleware": None,
            middlewares + "retry.RetryMiddleware": None,
            middlewares + "redirect.MetaRefreshMiddleware": None,
            middlewares + "redirect.RedirectMiddleware": None,
            middlewares + "httpcompression.HttpCompressionMiddleware": None,
            middlewares + "httpproxy.HttpProxyMiddleware": None,
            middlewares + "httpcache.HttpCacheMiddleware": None,
            middlewares + "cookies.CookiesMiddleware": None,
            "chm_hub.fetch.cookies.Cookies": 700,
            "chm_hub.fetch.patience.Patience": 550,
            "chm_hub.fetch.sniff.Unpacking": 590,
            "chm_hub.fetch.redirects.KeepsTheForm": 600,
            "chm_hub.fetch.egress.EgressGuard": 860,
        },
        # None of them, nor what a later version adds: one of 2.19 listens for code to run.
        "EXTENSIONS_BASE": {},
        # Ours; the middlewares read them from here.
        "CHM_HUB_EGRESS_ALLOW": settings.egress_allow,
        "CHM_HUB_RETRY_BASE": min(max(settings.host_delay, 0.05), 2.0),
    }


def _move(old: str, new: str) -> tuple[str, str]:
    """From where to where: from host to host where the path stays."""
    before, after = urlsplit(old), urlsplit(new)
    if before.path != after.path:
        return old, new
    return f"{before.scheme}://{before.netloc}", f"{after.scheme}://{after.netloc}"


def host_of(url: str) -> str:
    """The host of an address, for messages."""
    return urlsplit(url).hostname or url


def now() -> datetime:
    """The clock of fetching."""
    return datetime.now(UTC)
