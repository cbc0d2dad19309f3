"""Sitemaps (sitemaps.org 0.9): lists of a site's pages, with indexes, gzip and languages; also
the sitemaps that a robots.txt names."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from protego import Protego

from chm_hub.addresses import site_of, urljoin
from chm_hub.document import Payload, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import xml
from harvesters.one_by_one import OneByOne
from harvesters.site import Site

MAX_MAPS = 500
DEEPEST = 3
MOST_PAGES = 200_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One page of a site."""

    url: str
    modified: str | None = None
    alternates: tuple[tuple[str, str], ...] = ()
    """The same page in other languages: language and address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Map:
    """One sitemap file."""

    payload: Payload
    entries: list[Entry]
    warnings: list[str]
    """What had to be repaired to read it."""


FEW = 10
"""Entries that may have one date by chance."""


def is_made_anew(entries: list[Entry]) -> bool:
    """Whether a sitemap gives one date for all its pages: then that is when it was made, and says
    nothing of the pages."""
    said = {entry.modified for entry in entries}
    return len(entries) >= FEW and len(said) == 1 and said != {None}


async def maps(fetch: Fetch, walk: Walk, url: str, site: Site | None = None) -> AsyncIterator[Map]:
    """A sitemap, and those that an index names; depth first, in the order they stand.

    A sitemap that cannot be had or read costs none of its neighbours, nor does one that ends in
    the middle, which is read as far as it goes: both set ``walk.short`` at the end. A host that a
    sitemap of the site is redirected to is a name of ``site``. Addresses on other hosts are left
    out and counted as the warning ``foreign_addresses``.

    Raises :class:`ProtocolError` (``not_sitemap``) for an answer that is none,
    (``foreign_addresses``) where all that is listed is on other hosts; the first error where no
    sitemap of an index can be had.
    """
    reading = _Reading(fetch, walk, site or Site(url))
    waiting: list[tuple[str, int]] = [(url, 0)]
    while waiting:
        address, depth = waiting.pop(0)
        if address in reading.seen:
            reading.circles = True
            continue
        if len(reading.seen) >= MAX_MAPS or reading.pages > MOST_PAGES:
            walk.short = f"the sitemaps go on beyond {MAX_MAPS} files or {MOST_PAGES} pages"
            return
        made = await reading.one(address, depth)
        if made is not None:
            found, further = made
            yield found
            waiting = [(a, depth + 1) for a in further] + waiting
    reading.conclude()


@dataclass
class _Reading:
    """One walk over the sitemaps of a site."""

    fetch: Fetch
    walk: Walk
    site: Site
    seen: set[str] = field(default_factory=set)
    pages: int = 0
    circles: bool = False
    foreign: Counter[str] = field(default_factory=Counter)
    """Addresses on other hosts, by their sites."""
    broken: list[str] = field(default_factory=list)
    """The sitemaps that could not be read as a whole."""
    error: FetchError | ProtocolError | None = None
    """Why the first of those that could not be had could not."""
    looked: bool = False
    questions: OneByOne = field(default_factory=OneByOne)

    async def one(self, address: str, depth: int) -> tuple[Map, list[str]] | None:
        """A sitemap and those it names; ``None`` if it is set aside."""
        self.seen.add(address)
        if depth > DEEPEST:
            self._set_aside(address, f"deeper than {DEEPEST} indexes")
            return None
        try:
            payload = await self.fetch(Request(url=address, kinds=("xml", "text")))
            entries, further, warnings = read(payload)
        except (FetchError, ProtocolError) as error:
            if depth == 0 or self.questions.end_with(error):
                raise
            self.error = self.error or error
            self._set_aside(address, error.reason)
            return None
        self.questions.answered()
        self.seen.add(payload.url)
        self.site.follow(address, payload.url)
        if xml.CUT_OFF in warnings:
            # Half an address may be another's.
            entries, further = entries[:-1], further[:-1]
            self._set_aside(address, "the sitemap was cut off in the middle")
        listed = [*(entry.url for entry in entries), *further]
        if not self.looked and sum(map(self.site.holds, listed)) * 2 < len(listed):
            self.looked = True
            await self.site.look(self.fetch)
        near = [entry for entry in entries if self.site.holds(entry.url)]
        inside = [a for a in further if self.site.holds(a)]
        far = Counter(site_of(a) for a in listed if not self.site.holds(a))
        if far:
            self.walk.warnings["foreign_addresses"] += far.total()
            self.foreign += far
        self.pages += len(near)
        return Map(payload=payload, entries=near, warnings=warnings), inside

    def _set_aside(self, address: str, why: str) -> None:
        self.broken.append(f"{address}: {why}")
        self.walk.warnings["sitemap_unread"] += 1

    def conclude(self) -> None:
        """Say how the walk went."""
        if not self.pages and self.error is not None:
            raise self.error
        if not self.pages and self.foreign:
            where = ", ".join(site for site, _ in self.foreign.most_common(3))
            raise ProtocolError(
                f"all {self.foreign.total()} addresses of the sitemap are on other hosts "
                f"({where}). If that is the site's own name, put it into the source's url.",
                reason="foreign_addresses",
            )
        if self.broken:
            more = f" and {len(self.broken) - 1} more" if len(self.broken) > 1 else ""
            self.walk.short = f"{self.broken[0]}{more}"
        elif self.circles and not self.pages:
            self.walk.short = "the sitemaps name one another, and no page"


def read(payload: Payload) -> tuple[list[Entry], list[str], list[str]]:
    """The pages a sitemap lists, the sitemaps it names, and what had to be repaired to read it."""
    if kind_of(payload.body) == "text":
        text = payload.body.decode("utf-8-sig", "replace")
        if named := list(Protego.parse(text).sitemaps):
            return [], [urljoin(payload.url, address) for address in named], []
        lines = text.split()
        found = [line for line in lines if line.startswith(("http://", "https://"))]
        if not found:
            raise _not_sitemap(payload)
        return [Entry(url=line) for line in found], [], []
    root, warnings = xml.parse(payload.body, payload.url)
    name = xml.local(root.tag)
    if name == "sitemapindex":
        places = [_child(e, "loc") for e in root if xml.local(e.tag) == "sitemap"]
        return [], [urljoin(payload.url, address) for address in places if address], warnings
    if name != "urlset":
        raise _not_sitemap(payload)
    entries = []
    for element in root:
        address = _child(element, "loc") if xml.local(element.tag) == "url" else None
        if not address:
            continue
        alternates = [
            (child.get("hreflang"), urljoin(payload.url, child.get("href")))
            for child in element
            if xml.local(child.tag) == "link" and child.get("hreflang") and child.get("href")
        ]
        entries.append(
            Entry(
                url=urljoin(payload.url, address),
                modified=_child(element, "lastmod"),
                alternates=tuple(a for a in alternates if a[0] != "x-default"),
            )
        )
    return entries, [], warnings


def _child(element: xml.Element, name: str) -> str | None:
    for child in element:
        if isinstance(child.tag, str) and xml.local(child.tag) == name:
            return " ".join((child.text or "").split()) or None
    return None


def _not_sitemap(payload: Payload) -> ProtocolError:
    return ProtocolError(
        f"{payload.url}: no sitemap. Look into the site's robots.txt for its address, or use the "
        "html adapter.",
        reason="not_sitemap",
    )
