"""Lists of GBIF's registry: datasets, organizations... See ``docs/adapters/gbif.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from harvesters import json_api

CROSSWALK = "gbif"
DELETIONS = "absence"
INCREMENTAL = False


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    kind: Literal["dataset", "organization", "installation", "network", "node", "literature"] = (
        "dataset"
    )
    """What the list holds."""
    parameters: dict[str, str] = field(default_factory=dict)
    """Filters of the list, such as ``country = "KE"``."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 300
    """Entries in one answer; GBIF gives 1,000 at most."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a list."""
    ask = json_api.Options(
        url=source.declared.url,
        parameters=tuple(options.parameters.items()),
        limit=options.limit,
        kind=options.kind,
    )
    async for page in json_api.harvest(fetch, walk, ask):
        yield page
