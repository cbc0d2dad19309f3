"""What a site allows robots to fetch (RFC 9309), for pages that are read like a visitor's.

OAI-PMH, feeds and APIs are made for programs and are not asked (rule R17).
"""

from __future__ import annotations

import asyncio
from dataclasses import replace
from urllib.parse import urlsplit

from protego import Protego

from chm_hub.addresses import site_of
from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request

AGENT = "CHM-Hub"
LONGEST_DELAY = 300.0
"""Seconds between two requests; a site that asks for more is not harvested."""


class Robots:
    """The rules of one site, under each of the names it goes by."""

    def __init__(self, rules: Protego, sites: tuple[str, ...] = ()) -> None:
        self._rules = rules
        self._by_site = dict.fromkeys(sites, rules)
        self.delay = float(rules.crawl_delay(AGENT) or 0.0)
        """Its Crawl-delay: seconds between two requests."""
        self.sitemaps: list[str] = list(rules.sitemaps)
        """The sitemaps it names."""

    def allows(self, url: str) -> bool:
        """Whether an address may be fetched."""
        rules = self._by_site.get(site_of(url), self._rules)
        return bool(rules.can_fetch(url, AGENT))

    async def also(self, fetch: Fetch, url: str) -> None:
        """Read the rules of another name of the site, unless they are known; raises as
        :func:`read` does."""
        if site_of(url) in self._by_site:
            return
        more = await read(fetch, url)
        self._by_site = {**more._by_site, **self._by_site}
        self.delay = max(self.delay, more.delay)

    def require(self, url: str) -> None:
        """Raise :class:`ProtocolError` (reason ``robots``) for an address that may not be."""
        if not self.allows(url):
            raise ProtocolError(
                f"{url}: robots.txt does not allow it, so it is not harvested. Ask the site's "
                "contact to let CHM-Hub in, or take the source out.",
                reason="robots",
            )

    def slowed(self, fetch: Fetch) -> Fetch:
        """The same fetch, waiting before each request as long as the site's Crawl-delay asks, on
        top of the hub's own manners."""

        async def wait_and_fetch(request: Request) -> Payload:
            if not self.delay > 0:
                return await fetch(request)
            await asyncio.sleep(self.delay)
            # Nor does any other source ask the host in the meantime.
            return await fetch(replace(request, pause=self.delay))

        return wait_and_fetch


async def read(fetch: Fetch, url: str) -> Robots:
    """The rules of the site an address is on.

    A site without robots.txt allows everything, one that cannot say so for now (5xx) is left
    alone: :class:`FetchError` is raised (RFC 9309 §2.3.1). Raises :class:`ProtocolError` (reason
    ``robots``) for one that wants longer pauses than any walk can make.
    """
    parts = urlsplit(url)
    payload = await fetch(
        Request(url=f"{parts.scheme}://{parts.netloc}/robots.txt", accept=(200, 401, 403, 404, 410))
    )
    text = payload.body.decode("utf-8-sig", "replace") if payload.status == 200 else ""
    # A redirected robots.txt holds for the name it was asked under too (RFC 9309 §2.3.1.2).
    rules = Robots(Protego.parse(text), (site_of(url), site_of(payload.url)))
    if rules.delay > LONGEST_DELAY:
        raise ProtocolError(
            f"{payload.url}: asks for {rules.delay:.0f} s between two requests, and the hub waits "
            f"{LONGEST_DELAY:.0f} s at most, so the site is not harvested. Ask its contact for a "
            "shorter Crawl-delay for CHM-Hub, or take the source out.",
            reason="robots",
        )
    return rules
