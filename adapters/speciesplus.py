"""Taxa of Species+ and the CITES checklist. See ``docs/adapters/speciesplus.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Page, Reject, Walk
from chm_hub.fetch import Fetch
from harvesters import page_numbers

CROSSWALK = "speciesplus"
DELETIONS = "absence"
INCREMENTAL = True
SECRET = True
OVERLAP = timedelta(days=1)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    taxonomy: Literal["CITES", "CMS"] = "CITES"
    """Whose list of species."""
    name: str | None = None
    """Only the taxon of this scientific name and what belongs to it."""
    per_page: Annotated[int, Field(ge=1, le=500)] = 500
    """Taxa in one answer; the service gives 500 at most."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The taxa, page by page."""
    token = source.needed_secret("Species+")
    asked: list[tuple[str, str]] = [("taxonomy", options.taxonomy)]
    if options.name:
        asked += [("name", options.name), ("with_descendants", "true")]
    if walk.since is not None:
        asked.append(("updated_since", (walk.since - OVERLAP).date().isoformat()))
    ask = page_numbers.Options(
        url=f"{source.declared.url.rstrip('/')}/api/v1/taxon_concepts",
        parameters=tuple(asked),
        size=options.per_page,
        list_key="taxon_concepts",
        total_key="pagination.total_entries",
        secret_headers={"X-Authentication-Token": token},
    )
    given: set[str] = set()
    walk.next_since = walk.started
    async for rows in page_numbers.pages(fetch, walk, ask, walk.checkpoint):
        documents: list[Document] = []
        rejects: list[Reject] = []
        for row in rows.rows:
            name = page_numbers.identifier(row, ask)
            if name is None:
                fragment = repr(row).encode()[:4096]
                rejects.append(Reject(reason="no_identifier", fragment=fragment))
            elif name not in given:
                given.add(name)
                stamp = row.get("updated_at")
                documents.append(
                    Document(
                        identifier=name,
                        datestamp=str(stamp) if stamp else None,
                        body={"taxon": row},
                    )
                )
        yield Page(
            payloads=[rows.payload],
            documents=documents,
            rejects=rejects,
            checkpoint=rows.following,
            total=rows.total,
        )
    walk.covers_all = walk.since is None and walk.checkpoint is None and walk.short is None
    walk.complete = walk.short is None
