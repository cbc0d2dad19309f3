"""A site without sitemap, feed or API, read by its links. See ``docs/adapters/html.md``."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from hashlib import blake2b
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from adapters.sitemap import kind_of_address
from adapters.source import CommonOptions, Source
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Page, Payload, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch
from chm_hub.record import RecordType
from harvesters import absent, html, robots
from harvesters.pages import Visitor, require_words

CROSSWALK = "html"
DELETIONS = "absence"
INCREMENTAL = False
MOST_VARIANTS = 200
"""Addresses that differ in their arguments only; more is a calendar or a shop window."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    start: list[str] = field(default_factory=list)
    """Where to begin, beside the source's url: paths or addresses."""
    follow: list[str] = field(default_factory=list)
    """Regular expressions: only links whose address has one of them are followed; all links
    within the site if empty."""
    avoid: list[str] = field(default_factory=list)
    """Regular expressions: links that are never followed."""
    take: list[str] = field(default_factory=list)
    """Regular expressions: only pages whose address has one of them become records; all but
    those one begins with if empty."""
    depth: Annotated[int, Field(ge=0, le=20)] = 4
    """How many links away from where one begins."""
    max_pages: Annotated[int, Field(ge=1)] = 1_000
    """A walk that needs more pages is cut off and counts as partial."""
    select: dict[str, str] = field(default_factory=dict)
    """CSS selectors for what pages do not say of themselves: ``title``, ``description``,
    ``date``, ``type``."""
    types: dict[str, RecordType] = field(default_factory=dict)
    """Record types by regular expressions over addresses; the first that fits."""
    type: RecordType | None = None
    """The record type of pages that nothing else tells; ``resource`` if nothing is said."""
    expect_text: str | None = None
    """Words the home page must hold; without them the domain is taken for somebody else's."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a site, nearest first."""
    url = source.declared.url
    rules = await robots.read(fetch, url)
    rules.require(url)
    fetch = rules.slowed(fetch)
    visitor = Visitor(fetch, walk, rules, options.select)
    begin = [html.canonical(urljoin(url, place)) for place in ["", *options.start]]
    waiting = deque((address, 0, False) for address in dict.fromkeys(begin))
    met = {html.name_of(address) for address in begin}
    texts: set[bytes] = set()
    variants: Counter[str] = Counter()
    listed: set[str] = set()
    visited = 0
    while waiting:
        address, depth, listing = waiting.popleft()
        if visited >= options.max_pages:
            walk.short = f"the limit of {options.max_pages} pages was reached"
            break
        visited += 1
        keep = _taken(address, depth, options) and not listing
        kind = kind_of_address(address, options.types)
        try:
            payload = await visitor.look(address, html.name_of(address))
        except (FetchError, ProtocolError):
            if (page := visitor.gathered()) is not None:
                yield page
            raise
        if payload is None or payload.status != 200:
            if visited == 1:
                raise ProtocolError(
                    f"{address}: no page came from where the walk begins. Open the address in a "
                    "browser: the portal may have moved.",
                    reason="no_page",
                )
            continue
        if visited == 1:
            require_words(payload, options.expect_text)
        digest = _digest(payload)
        if keep and digest not in texts:
            texts.add(digest)
            listed.add(html.name_of(address))
            visitor.take(payload, address, kind)
        elif keep:
            walk.warnings["same_page_twice"] += 1
        # The next page of a list is the same list further on, however long it is.
        onward = html.onward(payload)
        for link in dict.fromkeys([*onward, *html.links(payload)]):
            name = html.name_of(link)
            if name in met or not _followed(link, url, options) or not rules.allows(link):
                continue
            if depth >= options.depth and link not in onward:
                walk.warnings["links_too_deep"] += 1
                continue
            place = urlsplit(link).path
            variants[place] += 1
            if variants[place] > MOST_VARIANTS:
                walk.warnings["too_many_variants"] += 1
                continue
            met.add(name)
            waiting.append((link, depth if link in onward else depth + 1, link in onward))
        if visitor.full and (page := visitor.gathered()) is not None:
            yield page
    if (page := visitor.gathered()) is not None:
        yield page
    # A page that could not be had may be the list of many others.
    whole = walk.short is None and not visitor.unread
    if whole and source.deletions == "absence":
        ask = partial(visitor.ask_whether_gone, url)
        async for gone in absent.ask_for(walk, listed, ask):
            yield gone
    walk.covers_all = whole
    walk.complete = walk.short is None


def _taken(address: str, depth: int, options: Options) -> bool:
    if options.take:
        return any(re.search(part, address) for part in options.take)
    return depth > 0


def _followed(link: str, url: str, options: Options) -> bool:
    if not html.same_site(link, url) or html.is_file(link):
        return False
    if any(re.search(part, link) for part in options.avoid):
        return False
    return not options.follow or any(re.search(part, link) for part in options.follow)


def _digest(payload: Payload) -> bytes:
    said = html.read(payload)
    text = f"{said.get('heading')}\n{said.get('title')}\n{said.get('text')}"
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
