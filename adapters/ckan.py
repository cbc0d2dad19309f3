"""Data portals made with CKAN, through its action API. See ``docs/adapters/ckan.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, timedelta
from functools import partial
from typing import Annotated
from urllib.parse import quote

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch, Request
from harvesters import absent, json_api, jsons

CROSSWALK = "ckan"
DELETIONS = "absence"
INCREMENTAL = True
OVERLAP = timedelta(hours=1)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    fq: str | None = None
    """A filter in Solr's language, such as ``organization:ministry`` or ``tags:biodiversity``."""
    rows: Annotated[int, Field(ge=1, le=1000)] = 100
    """Datasets in one answer."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The datasets of a portal."""
    base = source.declared.url.rstrip("/")
    filters = [options.fq] if options.fq else []
    if walk.since is not None:
        after = (walk.since - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        filters.append(f"metadata_modified:[{after} TO *]")
    # By the day it was made: what changes meanwhile stays where it is in the list, what is new
    # comes last. Sorted by its change a dataset that is edited during the walk would jump, and
    # pull another one past us. The identifier parts those that were made in one moment.
    asked = [("sort", "metadata_created asc, id asc")]
    if filters:
        asked.append(("fq", " AND ".join(f"({part})" for part in filters)))
    ask = json_api.Options(
        url=f"{base}/api/3/action/package_search",
        parameters=tuple(asked),
        limit=options.rows,
        limit_key="rows",
        offset_key="start",
        within="result",
        identifiers=("id", "name"),
        datestamps=("metadata_modified", "metadata_created"),
        deleted_key="",
        kind="ckan",
        # Each dataset of CKAN has a date, and most have the rest.
        telling=("metadata_created", "title", "title_translated", "notes", "resources"),
        refusals=(400, 403, 404, 409),
    )
    listed: set[str] = set()
    async for page in json_api.harvest(fetch, walk, ask):
        listed.update(document.identifier for document in page.documents)
        # What cannot be read is there.
        listed.update(r.identifier for r in page.rejects if r.identifier is not None)
        yield page
    if walk.complete and walk.covers_all and source.deletions == "absence":
        async for page in absent.ask_for(walk, listed, partial(_gone, fetch, base)):
            yield page


async def _gone(fetch: Fetch, base: str, name: str) -> Page | None:
    """Ask for one dataset: CKAN says that it was not found, or that it was deleted."""
    payload = await fetch(
        Request(
            url=f"{base}/api/3/action/package_show?id={quote(name, safe='')}",
            headers={"Accept": "application/json"},
            accept=(200, 403, 404),
        )
    )
    answer = jsons.parse(payload.body, payload.url)
    if not isinstance(answer, dict):
        return None
    error, result = answer.get("error"), answer.get("result")
    refused = (
        answer.get("success") is False
        and isinstance(error, dict)
        and error.get("__type") in ("Not Found Error", "Authorization Error")
    )
    withdrawn = isinstance(result, dict) and (
        result.get("state") == "deleted" or result.get("private") is True
    )
    return absent.tombstone(name, payload) if refused or withdrawn else None
