"""Datasets of the Ocean Biodiversity Information System. See ``docs/adapters/obis.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated
from urllib.parse import quote

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import absent, json_api, jsons

CROSSWALK = "obis"
DELETIONS = "absence"
INCREMENTAL = False
LIST = "/dataset"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    parameters: dict[str, str] = field(default_factory=dict)
    """Filters of the list, such as ``nodeid = "…"``."""
    size: Annotated[int, Field(ge=1, le=1000)] = 100
    """Datasets in one answer."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The datasets, then those that are gone."""
    base = source.declared.url.rstrip("/")
    ask = json_api.Options(
        url=base + LIST,
        parameters=tuple(options.parameters.items()),
        limit=options.size,
        limit_key="size",
        total_key="total",
        identifiers=("id",),
        datestamps=("updated",),
        kind="dataset",
    )
    listed: set[str] = set()
    async for page in json_api.harvest(fetch, walk, ask):
        listed.update(document.identifier for document in page.documents)
        yield page
    if walk.complete and walk.covers_all:
        async for page in absent.ask_for(walk, listed, lambda name: _gone(fetch, base, name)):
            yield page


async def _gone(fetch: Fetch, base: str, name: str) -> Page | None:
    """A dataset by itself comes as a list of one; none of that name is a list of none."""
    payload = await fetch(
        Request(
            url=f"{base}{LIST}/{quote(name, safe='')}",
            headers={"Accept": "application/json"},
            kinds=("json",),
            accept=(200, 404),
        )
    )
    if kind_of(payload.body) != "json":
        return None
    answer = jsons.parse(payload.body, payload.url)
    if isinstance(answer, dict) and answer.get("total") == 0 and answer.get("results") == []:
        return absent.tombstone(name, payload)
    return None
