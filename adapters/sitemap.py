"""A site read page by page, as its sitemap lists them. See ``docs/adapters/sitemap.md``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.addresses import urljoin
from chm_hub.document import Json, Page, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.record import RecordType
from harvesters import absent, html, no_entry, robots, sitemap, xml
from harvesters.page_addresses import exact, reductions
from harvesters.pages import Visitor, require_words
from harvesters.site import Site
from mappings import functions

CROSSWALK = "html"
DELETIONS = "absence"
INCREMENTAL = True
OVERLAP = timedelta(days=2)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    include: list[str] = field(default_factory=list)
    """Regular expressions: only pages whose address has one of them; all if empty."""
    exclude: list[str] = field(default_factory=list)
    """Regular expressions: no pages whose address has one of them."""
    select: dict[str, str] = field(default_factory=dict)
    """CSS selectors for what pages do not say of themselves: ``title``, ``description``,
    ``date``, ``type``."""
    types: dict[str, RecordType] = field(default_factory=dict)
    """Record types by regular expressions over addresses; the first that fits."""
    type: RecordType | None = None
    """The record type of pages that nothing else tells; ``resource`` if nothing is said."""
    expect_text: str | None = None
    """Words the home page must hold; without them the domain is taken for somebody else's."""
    max_pages: Annotated[int, Field(ge=1)] = 20_000
    """A walk that needs more pages is cut off and counts as partial."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a site.

    A walk that was cut off goes on behind the pages it had asked for: of those the hub has a
    document of, that is handed on, so that the walk as a whole has met all that is listed.
    """
    url = source.declared.url
    home = urljoin(url, "/")
    rules = await robots.read(fetch, url)
    fetch = rules.slowed(fetch)
    site = Site(url)
    await _require_words(fetch, home, options)
    wanted = partial(_wanted, options=options)
    visitor = Visitor(fetch, walk, rules, options.select, site, wanted)
    before = walk.checkpoint or {}
    done = int(before.get("place", 0))
    began = str(before.get("began", walk.started.isoformat()))
    walk.next_since = datetime.fromisoformat(began)
    seen: set[str] = set()
    listed: set[str] = set()
    met = 0
    cut: str | None = None
    place: dict[str, Json] | None = walk.checkpoint
    try:
        async for found in sitemap.maps(fetch, walk, url, site):
            walk.warnings.update(found.warnings)
            for address in site.new():
                await rules.also(fetch, address)
                await _require_words(fetch, urljoin(address, "/"), options)
            made_anew = sitemap.is_made_anew(found.entries)
            listed_as = no_entry.of_map(found.payload.url)
            # Who has a name as it is written comes before others that are reduced to it.
            for entry in sorted(found.entries, key=_reduced):
                versions = _versions(entry, source.declared.languages)
                first = versions[0][1]
                if exact(first) in seen:
                    continue
                seen.update(exact(address) for _, address in versions)
                if not wanted(first):
                    continue
                if met >= options.max_pages:
                    cut = f"the limit of {options.max_pages} pages was reached"
                    break
                met += 1
                if _is_old(entry.modified, walk):
                    continue
                name = await visitor.hand_on(first, found.payload) if met <= done else None
                if name is None:
                    kind = kind_of_address(first, options.types)
                    changed = None if made_anew else entry.modified
                    name = await visitor.visit(
                        versions,
                        stamp=entry.modified,
                        kind=kind,
                        changed=changed,
                        listed=listed_as,
                    )
                if name is not None:
                    listed.add(name)
                place = {"place": met, "began": began}
                if visitor.full and (page := visitor.gathered(place)) is not None:
                    yield page
            if cut is not None:
                break
    except (FetchError, ProtocolError):
        if (page := visitor.gathered(place)) is not None:
            yield page
        raise
    if (page := visitor.gathered()) is not None:
        yield page
    walk.short = cut or walk.short
    # What could be read of a broken list is not known to be all of it.
    whole = walk.since is None and walk.short is None and not walk.warnings[xml.RECOVERED]
    if whole and source.deletions == "absence":
        ask = partial(visitor.ask_whether_gone, home)
        async for gone in absent.ask_for(walk, listed, ask, max(absent.MOST, met)):
            yield gone
        # A page that was not asked for may be there.
        whole = not walk.warnings["too_many_missing_to_ask_for"]
    walk.covers_all = whole
    walk.complete = walk.short is None


async def _require_words(fetch: Fetch, home: str, options: Options) -> None:
    if options.expect_text is not None:
        require_words(await fetch(Request(url=home, kinds=("html", "xml"))), options.expect_text)


def _reduced(entry: sitemap.Entry) -> int:
    """How much the short name of a page leaves out of its address."""
    parts = reductions(entry.url)
    return 0 if not parts else 1 if parts == {"form"} else 2


def _versions(entry: sitemap.Entry, languages: list[str]) -> list[tuple[str | None, str]]:
    """The languages of a page, the source's own first."""
    if not entry.alternates:
        return [(None, entry.url)]

    def order(version: tuple[str, str]) -> tuple[int, str]:
        place = languages.index(version[0]) if version[0] in languages else len(languages)
        return place, version[0]

    return [*sorted(entry.alternates, key=order)]


def _wanted(url: str, options: Options) -> bool:
    if html.is_file(url) or any(re.search(part, url) for part in options.exclude):
        return False
    return not options.include or any(re.search(part, url) for part in options.include)


def _is_old(modified: str | None, walk: Walk) -> bool:
    """Whether a sitemap says that a page did not change since."""
    if walk.since is None or modified is None:
        return False
    said = functions.parse_date(modified)
    return bool(said) and str(said)[:10] < (walk.since - OVERLAP).date().isoformat()


def kind_of_address(url: str, types: dict[str, Any]) -> str | None:
    """The record type an address tells."""
    return next((kind for part, kind in types.items() if re.search(part, url)), None)
