"""Any Solr index. See ``docs/adapters/solr.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Annotated

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Page, Reject, Walk
from chm_hub.fetch import Fetch
from harvesters import solr

CROSSWALK = "solr"
DELETIONS = "absence"
INCREMENTAL = True
OVERLAP = timedelta(hours=1)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    q: str = "*:*"
    """The query."""
    filters: list[str] = field(default_factory=list)
    """Filter queries (``fq``)."""
    fields: list[str] = field(default_factory=list)
    """Fields to ask for (``fl``); all if empty."""
    key: str = "id"
    """The field that is unique; it names a document."""
    sort: str | None = None
    """How rows are ordered; by the key if nothing is said."""
    changed: str | None = None
    """The field with the date of the last change; without, every run reads the whole index."""
    rows: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Rows in one answer."""
    cursor: bool = True
    """Page with ``cursorMark`` where the index knows it; else by ``start``."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The rows of an index, a document each."""
    url = source.declared.url.rstrip("/")
    filters = list(options.filters)
    incremental = walk.since is not None and options.changed is not None
    if walk.since is not None and options.changed is not None:
        since = (walk.since - OVERLAP).astimezone(UTC)
        filters.append(f"{options.changed}:[{since:%Y-%m-%dT%H:%M:%SZ} TO *]")
    query = solr.Query(
        url=url if url.endswith("/select") else f"{url}/select",
        q=options.q,
        filters=tuple(filters),
        fields=tuple(options.fields),
        sort=options.sort or f"{options.key} asc",
        rows=options.rows,
        cursor=options.cursor,
        key=options.key,
    )
    walk.next_since = walk.started
    async for rows in solr.pages(fetch, walk, query):
        documents, rejects = [], []
        for row in rows.rows:
            name = row.get(options.key)
            if name in (None, ""):
                rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
                continue
            stamp = row.get(options.changed) if options.changed else None
            documents.append(
                Document(
                    identifier=str(name),
                    datestamp=None if stamp is None else str(stamp),
                    body={"entry": row},
                )
            )
        yield Page(
            payloads=[rows.payload],
            documents=documents,
            rejects=rejects,
            checkpoint=rows.following,
            total=rows.found,
        )
    walk.covers_all = not incremental and walk.checkpoint is None
    walk.complete = walk.short is None
