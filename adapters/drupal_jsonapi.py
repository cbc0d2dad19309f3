"""Drupal's JSON:API by its own address. See ``docs/adapters/drupal_jsonapi.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from adapters import drupal
from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch
from chm_hub.record import RecordType
from harvesters import drupal_jsonapi as jsonapi
from harvesters import drupal_nodes

CROSSWALK = "drupal"
DELETIONS = "absence"
INCREMENTAL = True


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    bundles: list[str] = field(default_factory=list)
    """Node types to read; empty for all but those about persons."""
    types: dict[str, RecordType] = field(default_factory=dict)
    """The record type of each node type, such as ``{ factsheet = "resource" }``."""
    include: dict[str, list[str]] = field(default_factory=dict)
    """What is sent along, by node type; found out by itself for the others."""
    limit: Annotated[int, Field(ge=1, le=50)] = jsonapi.LIMIT
    """Nodes in one answer; Drupal gives 50 at most."""
    max_pages: Annotated[int, Field(ge=1)] = 2000
    """How many pages one list may have."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The nodes that an interface lists, in the language of its address."""
    entry = source.declared.url.partition("?")[0].rstrip("/")
    # Where neither the node nor the source's file names a language, nothing is assumed.
    tag = (source.declared.languages or ["und"])[0]
    locale = drupal_nodes.Locale(tag=tag, code=tag.lower())
    asked = drupal.Options(
        bundles=options.bundles, types=options.types, include=options.include, limit=options.limit
    )
    kinds, refused = drupal.remembered(walk, asked), False
    if not kinds:
        kinds, refused = await drupal.collections(fetch, walk, asked, entry, locale, entry)
    # An interface is made for programs: it is not asked what robots may read.
    site = drupal_nodes.Site(
        fetch=fetch,
        walk=walk,
        base=entry,
        locales=[locale],
        limit=options.limit,
        most=options.max_pages,
        refused=refused,
    )
    async for page in site.harvest(kinds):
        yield page
