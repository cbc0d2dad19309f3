"""Patience: which failures are tried again, how soon, and when to leave a server alone.

Tried again are a lost connection, a truncated body (also one that its server calls whole),
HTTP 408, 425, 429, 500, 502, 503, 504 and 52x, and an HTML page in place of what was asked for;
at most four tries, with a growing pause in between. A server that lets us wait is given one more
try: each costs as long as it may be silent. Where a server hung up on a connection that it had
kept, the request is sent once more, in its turn, and that counts as no try. ``Retry-After`` is
obeyed, in seconds or as a date (rule R2). A firewall's page is none of these, whatever its status
(rule R17).
"""

from __future__ import annotations

import asyncio
import random
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, cast

from scrapy.exceptions import (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)

from chm_hub.errors import FetchError
from chm_hub.fetch.bounds import HungUpError
from chm_hub.fetch.challenge import is_challenge
from chm_hub.fetch.sniff import is_whole, kind_of

if TYPE_CHECKING:
    from scrapy.crawler import Crawler
    from scrapy.http import Request, Response

RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504, *range(520, 530)})
LONGEST_WAIT = 60.0
SLOW_TRIES = 2
LONGEST_ABSENCE = 86_400.0
_LOST = (
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


class Patience:
    """Tries again what deserves it, after a pause that keeps other sources going."""

    def __init__(self, base: float) -> None:
        self._base = base

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Patience:
        """Made by Scrapy."""
        return cls(crawler.settings.getfloat("CHM_HUB_RETRY_BASE"))

    async def process_response(self, request: Request, response: Response) -> Request | Response:
        """Hand an answer on, or the request again after a pause."""
        mark = response.headers.get(b"cf-mitigated") or b""
        if is_challenge(response.status, mark.decode("latin-1"), response.body):
            return response
        if response.status in RETRIED:
            asked = retry_after(response.headers.get(b"Retry-After"), datetime.now(UTC))
            if asked is not None and asked > LONGEST_WAIT:
                raise FetchError(
                    f"{request.meta['shown']}: HTTP {response.status}, the server asks us to come "
                    f"back in {asked:.0f} s. Nothing to do: the next run will ask again.",
                    reason="busy",
                    status=response.status,
                    not_before=min(asked, LONGEST_ABSENCE),
                )
            return await self._again(request, asked) or response
        kinds = request.meta["kinds"]
        if response.status == 200 and kinds:
            in_the_way = kind_of(response.body) == "html" and "html" not in kinds
            if in_the_way or not is_whole(response.body):
                return await self._again(request, None) or response
        return response

    async def process_exception(self, request: Request, exception: Exception) -> Request | None:
        """The request again after a pause, or ``None`` to let the error through."""
        if isinstance(exception, HungUpError) and not request.meta.get("hung_up"):
            # A connection that was kept is no promise (RFC 9112 §9.3.1): no try has failed yet.
            return _anew(request, hung_up=True)
        if isinstance(exception, _LOST):
            if isinstance(exception, DownloadTimeoutError):
                request.meta["tries"] = min(request.meta["tries"], SLOW_TRIES)
            return await self._again(request, None)
        return None

    async def _again(self, request: Request, asked: float | None) -> Request | None:
        tried = request.meta.get("tried", 1)
        if tried >= request.meta["tries"]:
            return None
        pause = self._base * 2 ** (tried - 1) * random.uniform(1.0, 1.5)
        await asyncio.sleep(max(pause, asked or 0.0))
        return _anew(request, tried=tried + 1)


def _anew(request: Request, **meta: Any) -> Request:
    again: Any = request.copy()
    again.meta.update(meta)
    again.dont_filter = True
    return cast("Request", again)


def retry_after(value: bytes | None, now: datetime) -> float | None:
    """Seconds a ``Retry-After`` asks for (RFC 9110 §10.2.3); ``None`` for none or rubbish."""
    if value is None:
        return None
    text = value.decode("latin-1").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    seconds = (moment - now).total_seconds()
    return seconds if seconds > 0 else None
