"""Protected areas and countries of Protected Planet. See ``docs/adapters/protectedplanet.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Page, Reject, Walk
from chm_hub.fetch import Fetch
from harvesters import page_numbers

CROSSWALK = "protectedplanet"
DELETIONS = "absence"
INCREMENTAL = False
SECRET = True
_NAMES = {"protected_areas": ("site_id", "wdpa_id", "id"), "countries": ("id", "iso_3")}


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    what: Literal["protected_areas", "countries"] = "countries"
    """Every protected area, or the figures of each country."""
    country: str | None = None
    """Only the protected areas of this country: ISO 3166-1 alpha-3."""
    per_page: Annotated[int, Field(ge=1, le=50)] = 50
    """Entries in one answer; the service gives 50 at most."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The areas or the countries, page by page."""
    token = source.needed_secret("Protected Planet")
    base = f"{source.declared.url.rstrip('/')}/v4/{options.what}"
    asked: list[tuple[str, str]] = []
    if options.what == "protected_areas" and options.country:
        base, asked = f"{base}/search", [("country", options.country)]
    ask = page_numbers.Options(
        url=base,
        parameters=tuple(asked),
        size=options.per_page,
        list_key=options.what,
        identifiers=_NAMES[options.what],
        secret_query={"token": token},
    )
    given: set[str] = set()
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
                body = {"kind": options.what, "entry": row}
                documents.append(Document(identifier=name, body=body))
        yield Page(
            payloads=[rows.payload],
            documents=documents,
            rejects=rejects,
            checkpoint=rows.following,
        )
    walk.covers_all = walk.checkpoint is None and walk.short is None
    walk.complete = walk.short is None
