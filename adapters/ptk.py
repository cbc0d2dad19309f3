"""Portals made with the CHM Portal Toolkit (Naaya). See ``docs/adapters/ptk.md``.

Channels show what is new and are windows; the sitemap lists everything, and every object says
itself what it is in RDF. A walk of the whole reads both, others the channels alone.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Annotated, Any

from pydantic import ConfigDict, Field, with_config

from adapters.sitemap import kind_of_address
from adapters.source import CommonOptions, Source
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.record import RecordType
from harvesters import absent, feed, rdf, sitemap, xml
from harvesters.one_by_one import OneByOne
from harvesters.page_addresses import exact, reduced, reductions
from harvesters.parts import Parts

CROSSWALK = "ptk"
DELETIONS = "absence"
INCREMENTAL = True
CHANNELS = (
    "latestnews_rdf",
    "upcomingevents_rdf",
    "pastevents_rdf",
    "latestevents_rdf",
    "lateststories_rdf",
    "latestuploads_rdf",
    "meetingsevents_rdf",
    "whatsnew_rdf",
)
FULL = 20
"""Answers handed on together."""
MOST_DOCUMENTS = 500
"""Documents handed on together, where the hub has them already."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    channels: list[str] = field(default_factory=lambda: list(CHANNELS))
    """The channels under ``/portal_syndication/``; those a portal does not have are skipped."""
    folders: list[str] = field(default_factory=list)
    """Folders whose ``index_rdf`` is read too: paths."""
    sitemap: bool = True
    """Read ``/sitemap_xml`` and every object it lists, when everything is walked."""
    ask_languages: bool = False
    """Ask for each object in each of the source's languages (``?lang=``)."""
    types: dict[str, RecordType] = field(
        default_factory=lambda: {"/events?\\d*/": "event", "/news\\d*/": "news"}
    )
    """Record types by regular expressions over addresses; the first that fits."""
    max_objects: Annotated[int, Field(ge=1)] = 20_000
    """A walk that needs more objects is cut off and counts as partial."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The objects of a portal.

    A walk that was cut off goes on behind the objects it had asked for, and hands on what the hub
    has of those.
    """
    base = source.declared.url.rstrip("/")
    reader = _Reader(source, options, fetch, walk)
    before = walk.checkpoint or {}
    done = int(before.get("place", 0))
    began = str(before.get("began", walk.started.isoformat()))
    walk.next_since = datetime.fromisoformat(began)
    entries: dict[str, dict[str, Json]] = {}
    doors = [f"{base}/portal_syndication/{name}" for name in options.channels]
    doors += [f"{base}/{folder.strip('/')}/index_rdf" for folder in options.folders]
    shown = 0
    parts = Parts(walk)
    for door in doors:
        try:
            found = await reader.channel(door)
        except (FetchError, ProtocolError) as error:
            parts.set_aside(door, error)
            continue
        parts.answered()
        shown += found is not None
        for link, entry in (found or {}).items():
            entries.setdefault(link, entry)
    whole = walk.since is None and options.sitemap
    links = list(entries)
    if whole:
        async for part in sitemap.maps(fetch, walk, f"{base}/sitemap_xml"):
            links += [entry.url.rstrip("/") for entry in part.entries]
            reader.listing = part.payload
            reader.payloads.append(part.payload)
            reader.warnings += part.warnings
            # What could be read of a broken list is not known to be all of it.
            whole = whole and xml.RECOVERED not in part.warnings
    elif not shown:
        raise ProtocolError(
            f"{base}: none of the portal's channels answers. Look for its feeds on its pages, and "
            "name them under `channels`, or use the sitemap or html adapter.",
            reason="no_channel",
        )
    parts.alive = parts.alive or bool(links)
    parts.conclude()
    links = list(dict.fromkeys(links))
    if len(links) > options.max_objects:
        walk.short = f"the limit of {options.max_objects} objects was reached"
        links = links[: options.max_objects]
    place: dict[str, Json] | None = walk.checkpoint
    for number, link in enumerate(links, 1):
        try:
            await reader.read(link, entries.get(link), asked=number <= done)
        except (FetchError, ProtocolError):
            yield reader.gathered(place)
            raise
        place = {"place": number, "began": began}
        if reader.full:
            yield reader.gathered(place)
    if reader.payloads or reader.rejects:
        yield reader.gathered()
    if whole and walk.short is None and source.deletions == "absence":
        async for page in absent.ask_for(walk, reader.names, partial(_gone, fetch, base)):
            yield page
    walk.covers_all = whole and walk.short is None
    walk.complete = walk.short is None


class _Reader:
    """Gathers the objects of one portal."""

    def __init__(self, source: Source, options: Options, fetch: Fetch, walk: Walk) -> None:
        self.source = source
        self.options = options
        self.fetch = fetch
        self.walk = walk
        self.payloads: list[Payload] = []
        self.documents: list[Document] = []
        self.rejects: list[Reject] = []
        self.warnings: list[str] = []
        self.listing: Payload | None = None
        """The last list that was read, for documents that no answer of their own came with."""
        self.names: set[str] = set()
        """What the objects of this walk are called."""
        self._questions = OneByOne()

    @property
    def full(self) -> bool:
        """Whether it is time to hand on what was gathered."""
        answers = len(self.payloads) + len(self.rejects)
        return answers >= FULL or len(self.documents) >= MOST_DOCUMENTS

    def gathered(self, checkpoint: dict[str, Json] | None = None) -> Page:
        """What was gathered since the last time."""
        page = Page(
            payloads=self.payloads,
            documents=self.documents,
            rejects=self.rejects,
            warnings=self.warnings,
            checkpoint=checkpoint,
        )
        self.payloads, self.documents, self.rejects, self.warnings = [], [], [], []
        return page

    async def channel(self, url: str) -> dict[str, dict[str, Json]] | None:
        """The entries of a channel by their links; ``None`` if the portal has no such channel."""
        payload = await self.fetch(Request(url=url, accept=(200, 404)))
        if payload.status == 404:
            return None
        try:
            page, _ = feed.read_feed(payload)
        except ProtocolError:  # a page that says, with status 200, that there is nothing
            self.walk.warnings["not_a_channel"] += 1
            return None
        self.listing = payload
        self.payloads.append(payload)
        self.warnings += page.warnings
        # What they are called here is not known without their links.
        self.rejects += [replace(reject, identifier=None) for reject in page.rejects]
        if feed.CUT_OFF in page.warnings:
            self.walk.short = f"{url}: the channel was cut off in the middle"
        # Identifiers of the Atom form hold the date of change: only links are names.
        return {
            document.body["entry"]["link"].rstrip("/"): document.body["entry"]
            for document in page.documents
            if document.body["entry"].get("link")
        }

    async def read(self, link: str, entry: dict[str, Json] | None, *, asked: bool) -> None:
        """Gather one object: what it says of itself, and what a channel said of it. ``asked`` says
        that an earlier part of the walk did so."""
        name, kept = await self._known(link)
        self.names.add(name)
        before = kept.body if kept is not None and isinstance(kept.body, dict) else {}
        same = bool(before) and entry in (None, before.get("entry"))
        if same and (asked or (entry is not None and self.walk.since is not None)):
            self._add(name, before, 0)
            return
        versions: list[Json] = []
        repairs: list[str] = []
        at = len(self.payloads)
        for lang in self._languages():
            try:
                payload = await self.fetch(
                    Request(
                        url=f"{link}{'&' if '?' in link else '?'}format=rdf"
                        + (f"&lang={lang}" if lang else ""),
                        headers={"Accept": "application/rdf+xml"},
                        kinds=("xml",),
                        accept=(200, 404, 410),
                    )
                )
                if payload.status != 200:
                    break
                things, repaired = rdf.things(payload)
            except (FetchError, ProtocolError) as error:
                if self._questions.end_with(error):
                    raise
                if entry is None:
                    self.rejects.append(Reject(reason=error.reason, identifier=name))
                    return
                self.walk.warnings["object_without_rdf"] += 1
                break
            self._questions.answered()
            self.payloads.append(payload)
            self.warnings += repaired
            repairs += repaired
            own = next((t for t in things if str(t["about"]).rstrip("/") == link), None)
            own = own or (things[0] if len(things) == 1 else None)
            if own is not None and own not in versions:
                versions.append(own)
        # What a channel no longer shows was true when it did.
        entry = entry or before.get("entry")
        if not versions and entry is None:
            self.walk.warnings["objects_missing"] += 1
            return
        body: dict[str, Json] = {"link": link, "versions": versions}
        if entry is not None:
            body["entry"] = entry
        if kind := kind_of_address(f"{urlsplit(link).path}/", self.options.types):
            body["type"] = kind
        self._add(name, body, min(at, len(self.payloads) - 1), repairs)

    async def _known(self, link: str) -> tuple[str, Document | None]:
        """What an object is called, and what the hub has of it: by its path, and by arguments that
        look like a session too, unless the hub has it without them."""
        short, own = reduced(link), exact(link)
        kept = await self.walk.kept([short, own]) if self.walk.kept is not None else {}
        before = kept.get(short)
        if reductions(link) <= {"form"}:
            return short, before
        if before is not None and own not in kept and before.body.get("link") == link:
            return short, before
        return own, kept.get(own)

    def _add(self, name: str, body: dict[str, Any], at: int, repairs: Sequence[str] = ()) -> None:
        if not self.payloads and self.listing is not None:
            self.payloads.append(self.listing)
        modified = next((v.get("dcterms:modified") for v in body["versions"]), None)
        entry = body.get("entry") or {}
        stamp = modified[0]["value"] if modified else entry.get("updated")
        self.documents.append(
            Document(
                identifier=name,
                datestamp=stamp,
                body=body,
                payload=max(0, at),
                repairs=tuple(dict.fromkeys(repairs)),
            )
        )

    def _languages(self) -> list[str | None]:
        if self.options.ask_languages and self.source.declared.languages:
            return list(self.source.declared.languages)
        return [None]


async def _gone(fetch: Fetch, base: str, name: str) -> Page | absent.Still | None:
    """Ask for an object that is not listed any more: only 410 says that it is gone for good, and
    only its own RDF that it is there."""
    address = urljoin(base, name)
    payload = await fetch(Request(url=address, accept=(200, 404, 410)))
    if payload.status == 410:
        return absent.tombstone(name, payload)
    if payload.status != 200:
        return None
    joint = "&" if "?" in address else "?"
    payload = await fetch(Request(url=f"{address}{joint}format=rdf", accept=(200, 404, 410)))
    try:
        things = rdf.things(payload)[0] if payload.status == 200 else []
    except ProtocolError:
        return None
    about = {reduced(str(thing["about"])) for thing in things}
    return absent.Still.THERE if reduced(address) in about else None
