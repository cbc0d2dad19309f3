"""Catalogues in DCAT, whole in one document or in pages. See ``docs/adapters/dcat.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from pydantic import ConfigDict, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from harvesters import dcat

CROSSWALK = "dcat"
DELETIONS = "absence"
INCREMENTAL = True


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``: nothing of its own."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The data sets of a catalogue."""
    async for page in dcat.harvest(fetch, walk, dcat.Options(url=source.declared.url)):
        yield page
