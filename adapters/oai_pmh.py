"""Any OAI-PMH 2.0 repository. See ``docs/adapters/oai_pmh.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from harvesters import oai_pmh

CROSSWALK = "oai"
DELETIONS = "tombstones"
INCREMENTAL = True


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    metadata_prefix: str | list[str] = "oai_dc"
    """The format to ask for; a list is in order of preference."""
    set: str | None = None
    """Only this set."""
    sets: list[str] = field(default_factory=list)
    """Only these sets, one after the other; ``["*"]`` is every set the repository lists."""
    until: datetime | None = None
    """Only what has an earlier or this datestamp."""
    method: Literal["GET", "POST"] = "GET"
    """How to ask."""
    by_identifier: bool = False
    """List identifiers and get each record by itself; for repositories whose lists break."""
    granularity: Literal["day", "second"] | None = None
    """Overrules what the repository says of its dates."""
    encoding: str | None = None
    """For answers that are not in the encoding they declare, nor UTF-8, such as
    ``windows-1251``."""
    max_pages: Annotated[int, Field(ge=1)] = 100_000
    """A walk that needs more pages is cut off and counts as partial."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a repository."""
    wanted = options.metadata_prefix
    until = options.until
    if until is not None and until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    ask = oai_pmh.Options(
        url=source.declared.url,
        prefixes=(wanted,) if isinstance(wanted, str) else tuple(wanted),
        sets=(*([options.set] if options.set else []), *options.sets),
        until=until,
        post=options.method == "POST",
        by_identifier=options.by_identifier,
        granularity=options.granularity,
        encoding=options.encoding,
        max_pages=options.max_pages,
    )
    async for page in oai_pmh.harvest(fetch, walk, ask):
        yield page
