"""Sitemaps (sitemaps.org 0.9): lists of a site's pages, with indexes, gzip and languages."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Payload, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import xml

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


async def maps(fetch: Fetch, walk: Walk, url: str) -> AsyncIterator[Map]:
    """A sitemap, and those that an index names; depth first, in the order they stand.

    Addresses on other hosts are left out and counted as the warning ``foreign_addresses``. A
    sitemap that ends in the middle is read as far as it goes, and sets ``walk.short``. Raises
    :class:`ProtocolError` (``not_sitemap``) for an answer that is none.
    """
    host = urlsplit(url).netloc
    waiting = [(url, 0)]
    seen: set[str] = set()
    pages = 0
    circles = False
    while waiting:
        address, depth = waiting.pop(0)
        if address in seen:
            circles = True
            continue
        if len(seen) >= MAX_MAPS or depth > DEEPEST or pages > MOST_PAGES:
            walk.short = f"the sitemaps go on beyond {MAX_MAPS} files or {MOST_PAGES} pages"
            return
        seen.add(address)
        payload = await fetch(Request(url=address, kinds=("xml", "text")))
        entries, further, warnings = read(payload)
        cut = xml.CUT_OFF in warnings
        if cut:
            entries = entries[:-1]  # half an address may be another's
        near = [e for e in entries if urlsplit(e.url).netloc == host]
        if foreign := len(entries) - len(near):
            walk.warnings["foreign_addresses"] += foreign
        pages += len(near)
        yield Map(payload=payload, entries=near, warnings=warnings)
        if cut:
            walk.short = f"{address}: the sitemap was cut off in the middle"
            return
        inside = [a for a in further if urlsplit(a).netloc == host]
        if foreign := len(further) - len(inside):
            walk.warnings["foreign_addresses"] += foreign
        waiting = [(a, depth + 1) for a in inside] + waiting
    if circles and not pages:
        walk.short = "the sitemaps name one another, and no page"


def read(payload: Payload) -> tuple[list[Entry], list[str], list[str]]:
    """The pages a sitemap lists, the sitemaps it names, and what had to be repaired to read it."""
    if kind_of(payload.body) == "text":
        lines = payload.body.decode("utf-8-sig", "replace").split()
        found = [line for line in lines if line.startswith(("http://", "https://"))]
        if not found:
            raise _not_sitemap(payload)
        return [Entry(url=line) for line in found], [], []
    root, warnings = xml.parse(payload.body, payload.url)
    name = xml.local(root.tag)
    if name == "sitemapindex":
        named = [_child(e, "loc") for e in root if xml.local(e.tag) == "sitemap"]
        return [], [urljoin(payload.url, address) for address in named if address], warnings
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
