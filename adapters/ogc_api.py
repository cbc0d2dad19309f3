"""Records, features or collections of an OGC API. See ``docs/adapters/ogc_api.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from harvesters import ogc_api

CROSSWALK = "ogc_api"
DELETIONS = "absence"
INCREMENTAL = False


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    what: Literal["records", "features", "collections"] = "records"
    """What becomes a record of ours: a record of a catalogue, a feature, or each collection."""
    collections: list[str] = field(default_factory=list)
    """Names of the collections whose items are read; none for all that hold ``what``."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """Items in one answer."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of all collections that were asked for."""
    ask = ogc_api.Options(
        url=source.declared.url,
        what=options.what,
        collections=tuple(options.collections),
        limit=options.limit,
    )
    async for page in ogc_api.harvest(fetch, walk, ask):
        yield page
