"""A site without sitemap, feed or API, read by its links. See ``docs/adapters/html.md``."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from adapters.sitemap import kind_of_address
from adapters.source import CommonOptions, Source
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Page, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch
from chm_hub.record import RecordType
from harvesters import absent, html, robots
from harvesters.page_addresses import asked, exact, reductions
from harvesters.pages import Visitor, require_words
from harvesters.site import Site

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
    site = Site(url)
    followed = partial(_followed, site=site, options=options)
    visitor = Visitor(fetch, walk, rules, options.select, site, followed)
    begin = [asked(urljoin(url, place)) for place in ["", *options.start]]
    waiting = deque((address, 0, False) for address in dict.fromkeys(begin))
    met = {exact(address) for address in begin}
    texts: set[bytes] = set()
    variants: Counter[str] = Counter()
    listed: set[str] = set()
    visited = 0
    while waiting:
        address, depth, listing = waiting.popleft()
        if visited >= options.max_pages:
            walk.short = f"the limit of {options.max_pages} pages was reached"
            break
        if visitor.names.needless(address):
            walk.warnings["same_page_twice"] += 1
            continue
        visited += 1
        keep = _taken(address, depth, options) and not listing
        kind = kind_of_address(address, options.types)
        try:
            payload = await visitor.look(address, start=depth == 0)
            for moved in site.new():
                await rules.also(fetch, moved)
                rules.require(moved)
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
        digest = html.digest(html.read(payload))
        name = None
        if keep and digest not in texts:
            name = await visitor.take(payload, address, kind)
        else:
            visitor.pass_over(payload, address)
        if name is not None:
            texts.add(digest)
            listed.add(name)
        elif keep:
            walk.warnings["same_page_twice"] += 1
        # The next page of a list is the same list further on, however long it is.
        onward = html.onward(payload)
        links = dict.fromkeys([*onward, *html.links(payload)])
        # Who has a name as it is written comes before others that are reduced to it.
        for link in sorted(links, key=lambda link: bool(reductions(link))):
            own = exact(link)
            if own in met or not followed(link) or not rules.allows(link):
                continue
            if depth >= options.depth and link not in onward:
                walk.warnings["links_too_deep"] += 1
                continue
            place = urlsplit(link).path
            variants[place] += 1
            if variants[place] > MOST_VARIANTS:
                walk.warnings["too_many_variants"] += 1
                continue
            met.add(own)
            waiting.append((link, depth if link in onward else depth + 1, link in onward))
        if visitor.full and (page := visitor.gathered()) is not None:
            yield page
    if (page := visitor.gathered()) is not None:
        yield page
    # A page that could not be had may be the list of many others.
    whole = walk.short is None and not visitor.unread
    if whole and source.deletions == "absence":
        ask = partial(visitor.ask_whether_gone, url)
        async for gone in absent.ask_for(walk, listed, ask, max(absent.MOST, visited)):
            yield gone
        # A page that was not asked for may be there.
        whole = not walk.warnings["too_many_missing_to_ask_for"]
    walk.covers_all = whole
    walk.complete = walk.short is None


def _taken(address: str, depth: int, options: Options) -> bool:
    if options.take:
        return any(re.search(part, address) for part in options.take)
    return depth > 0


def _followed(link: str, *, site: Site, options: Options) -> bool:
    if not site.holds(link) or html.is_file(link):
        return False
    if any(re.search(part, link) for part in options.avoid):
        return False
    return not options.follow or any(re.search(part, link) for part in options.follow)
