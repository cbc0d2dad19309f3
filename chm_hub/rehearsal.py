"""Looks before anything is stored (``--dry-run``): each document, and what a whole run would do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from adapters.source import Source
from chm_hub.document import Document, Page, Walk
from chm_hub.fetch import Client
from chm_hub.mapping import Mapper, named, namer, provenance
from chm_hub.pipeline import Hub, Wanted
from chm_hub.staging import Kept, Staging, newest_kept
from mappings import crosswalk as crosswalks
from mappings.unread import unread


@dataclass(frozen=True, slots=True, kw_only=True)
class Dry:
    """What would become of one document, for a look before anything is stored."""

    document: Document
    outcome: crosswalks.Outcome
    unread: list[str]


class Preview:
    """What a run would do to the records of a source; nothing is written."""

    def __init__(self, source: Source, hub: Hub) -> None:
        rules = crosswalks.load(source.crosswalk, hub.crosswalk_folders)
        mapper = Mapper(source, rules, hub.groups, hub.clock, "dry run")
        self._source = source.id
        self._hub = hub
        summary = hub.store.watch.summary(source.id) or {}
        self._name = namer(hub.store, source.id)
        self._staging = Staging(hub.store, mapper, summary.get("profile"))
        self._walk = Walk(started=hub.clock())
        self._total: int | None = None
        self._whole = self._listed = False
        self._pages = 0

    @property
    def live(self) -> int:
        """Live records of the source as it is."""
        return self._staging.guard.comparison.live

    def page(self, page: Page, documents: list[Document]) -> None:
        """Look at documents of a page that came."""
        self._pages += 1
        self._total = page.total if page.total is not None else self._total
        urls = [payload.url for payload in page.payloads]
        places = list(enumerate(documents))
        with self._hub.store.explained():
            self._staging.look(Kept(page=f"preview/{self._pages}", urls=urls, places=places))

    def ended(self, walk: Walk) -> None:
        """Say that a walk came to its end."""
        self._walk = walk
        self._whole = walk.complete and walk.since is None
        self._listed = walk.complete and walk.covers_all

    def kept(self) -> None:
        """Look at the newest kept version of every document of the source."""
        with self._hub.store.explained():
            for kept in newest_kept(self._hub.store, self._source, self._name):
                self._staging.look(kept)

    def told(self) -> dict[str, Any]:
        """The counts of the comparison by field, with examples, and why a run would be ``held``."""
        with self._hub.store.explained():
            verdict = self._staging.judge(
                self._walk, self._total, whole=self._whole, listed=self._listed
            )
        comparison = self._staging.guard.comparison
        held = verdict.jumps if self.live and comparison.differing else []
        return {**comparison.told(), "held": held}


async def rehearse(
    source: Source,
    hub_folders: tuple[Path, ...],
    fetch: Client,
    wanted: Wanted,
    now: datetime,
    preview: Preview | None = None,
) -> AsyncIterator[Dry]:
    """Harvest and map without storing anything (``--dry-run``)."""
    crosswalk = crosswalks.load(source.crosswalk, hub_folders)
    walk = Walk(started=now, since=wanted.since)
    given = 0
    async for page in source.adapter.pages(source, source.options, fetch, walk):
        left = None if wanted.most is None else wanted.most - given
        documents = page.documents[:left]
        given += len(documents)
        if preview is not None:
            preview.page(page, documents)
        for document in documents:
            url = page.payloads[document.payload].url
            yield rehearse_one(source, crosswalk, document, url, now)
        if len(documents) < len(page.documents):
            return
    if preview is not None:
        preview.ended(walk)


def rehearse_one(
    source: Source, crosswalk: crosswalks.Crosswalk, document: Document, url: str, now: datetime
) -> Dry:
    """Map one document as a run would, for a look."""
    if document.deleted:
        outcome = crosswalks.Outcome(
            record=None,
            deleted=True,
            skipped=None,
            rejected=None,
            issues=[],
            crosswalk=crosswalk.name,
        )
    else:
        told = provenance(source, document, url, now, "dry run")
        outcome = named(crosswalks.apply(crosswalk, document, source.as_context(), told))
    return Dry(document=document, outcome=outcome, unread=unread(crosswalk, document))


def sentences(told: dict[str, Any]) -> list[str]:
    """What :meth:`Preview.told` says, for people."""
    words = [
        f"{told[name]} {text}"
        for name, text in (
            ("new", "new"),
            ("changed", "changed"),
            ("unchanged", "as they are"),
            ("skipped", "skipped and deleted"),
            ("unread", "that cannot be mapped any more"),
        )
        if told[name]
    ]
    lines = [f"of {told['live']} live records: {', '.join(words) or 'nothing to map'}"]
    for field, kinds in told["fields"].items():
        parts = [
            f"{kind} by {one['records']} (such as {one['examples'][0]})"
            for kind, one in kinds.items()
        ]
        lines.append(f"  {field}: {', '.join(parts)}")
    lines += [f"a run would be held: {jump}" for jump in told["held"]]
    return lines
