"""Any RSS, Atom or RDF feed. See ``docs/adapters/feed.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from chm_hub.record import RecordType
from harvesters import feed

CROSSWALK = "feed"
DELETIONS = "never"
INCREMENTAL = True


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    type: RecordType | None = None
    """The record type of its entries; ``news`` if nothing else is said."""
    follow_next: bool = False
    """Follow links to older pages of the feed."""
    max_pages: Annotated[int, Field(ge=1)] = 50
    """How many pages to follow at most."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a feed."""
    ask = feed.Options(
        url=source.declared.url, follow_next=options.follow_next, max_pages=options.max_pages
    )
    async for page in feed.harvest(fetch, walk, ask):
        yield page
