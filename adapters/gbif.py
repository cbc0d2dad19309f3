"""Lists of GBIF's registry: datasets, organizations... See ``docs/adapters/gbif.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import absent, json_api, jsons

CROSSWALK = "gbif"
DELETIONS = "absence"
INCREMENTAL = True
OVERLAP = timedelta(days=1)
"""The registry asks for days, and does not say of which time zone."""
_REGISTRY = frozenset({"dataset", "organization", "installation", "network"})
"""Lists that can be asked for what changed, and for what was deleted."""
_SHIFT = 20
"""The newest come first: what is made while we read pushes the others on."""


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
    """The entries of a list; between whole walks those that changed, and those deleted since."""
    url = source.declared.url.rstrip("/")
    in_registry = options.kind in _REGISTRY and urlsplit(url).path.endswith(f"/{options.kind}")
    window: tuple[tuple[str, str], ...] = ()
    if walk.since is not None and in_registry:
        # Days, the last of them not included.
        first, after = walk.since - OVERLAP, walk.started + timedelta(days=2)
        window = (("modified", f"{first.date()},{after.date()}"),)
    ask = json_api.Options(
        url=url,
        parameters=(*options.parameters.items(), *window),
        limit=options.limit,
        kind=options.kind,
        overlap=min(_SHIFT, options.limit - 1) if in_registry and not window else 0,
    )
    listed: set[str] = set()
    async for page in json_api.harvest(fetch, walk, ask):
        listed.update(document.identifier for document in page.documents)
        yield page
    if not walk.complete:
        return
    if window:
        walk.complete = False
        # Deleted ones are in a list of their own, never in the others. What was never ours is
        # none of our business.
        mine = set(await walk.live()) if walk.live is not None else set()
        gone = replace(ask, url=f"{url}/deleted", parameters=window)
        async for page in json_api.harvest(fetch, walk, gone):
            kept = [d for d in page.documents if d.deleted and d.identifier in mine]
            if kept:
                yield replace(page, documents=kept, checkpoint=None, total=None)
        walk.covers_all = False
    elif walk.since is None and source.deletions == "absence" and in_registry:
        async for page in absent.ask_for(walk, listed, partial(_gone, fetch, url)):
            yield page
    elif walk.since is not None:
        # A list that cannot be asked for changes was read whole.
        walk.covers_all = walk.checkpoint is None


async def _gone(fetch: Fetch, url: str, name: str) -> Page | None:
    """Ask for one entry: a deleted one is still there, with the day it went."""
    request = Request(
        url=f"{url}/{name}", headers={"Accept": "application/json"}, accept=(200, 404)
    )
    payload = await fetch(request)
    if payload.status == 404:
        # The registry says in plain text that there is no such thing.
        return absent.tombstone(name, payload) if kind_of(payload.body) == "text" else None
    answer = jsons.parse(payload.body, payload.url)
    deleted = answer.get("deleted") if isinstance(answer, dict) else None
    return absent.tombstone(name, payload, str(deleted)) if deleted else None
