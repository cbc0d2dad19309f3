"""STAC catalogues, static or with an API. See ``docs/adapters/stac.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from harvesters import stac

CROSSWALK = "stac"
DELETIONS = "absence"
INCREMENTAL = True


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    what: Literal["collections", "items"] = "items"
    """What becomes a record."""
    collections: list[str] = field(default_factory=list)
    """Only these collections, by their identifiers."""
    datetime: str | None = None
    """API: only items of data of this time."""
    bbox: Annotated[list[float], Field(max_length=6)] = field(default_factory=list)
    """API: only items that touch this box: west, south, east, north."""
    limit: Annotated[int, Field(ge=1, le=10_000)] = 100
    """API: items in one answer."""
    depth: Annotated[int, Field(ge=1, le=50)] = 12
    """How far links to children are followed."""
    hosts: list[str] = field(default_factory=list)
    """Further hosts that links may lead to."""
    qualified: bool = False
    """Name items with their collection before them."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The collections or items of a catalogue."""
    ask = stac.Options(
        url=source.declared.url,
        what=options.what,
        collections=tuple(options.collections),
        datetime=options.datetime or "",
        bbox=tuple(options.bbox),
        limit=options.limit,
        depth=options.depth,
        hosts=tuple(options.hosts),
        qualified=options.qualified,
    )
    async for page in stac.harvest(fetch, walk, ask):
        yield page
