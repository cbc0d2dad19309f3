"""The thread through the hub: schedule → harvest → keep → map → store → publish.

:func:`harvest` tells the story of one source; :func:`remap` tells it again from what was
kept, without the network. Both write through :class:`_Writer`, so that what comes of a
document is decided in one place.
"""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import aclosing, suppress
from copy import deepcopy
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from threading import RLock
from typing import Any

from adapters.source import Source
from chm_hub import alerts, announced, deletions, drift, endings, unread_values, watch
from chm_hub.document import Document, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError, StoreError
from chm_hub.fetch import Client
from chm_hub.guard import Verdict
from chm_hub.mapping import Mapper, namer
from chm_hub.record import Record, canonical, to_dict
from chm_hub.sets import Groups
from chm_hub.staging import Kept, Staging, newest_kept, with_stored
from chm_hub.versions import Versions, has, version_of, waits
from mappings import crosswalk as crosswalks
from mappings import formats
from mappings.unread import Tally
from store import Change, Known, Lease, Run, Staged, Store
from store.aside import SetAside
from store.decisions import JUMP, RENAMED
from store.documents import document_hash
from store.leases import BEAT_SECONDS
from store.records import private_sets
from store.runs import GRACE

CHECKPOINT_LIFE = timedelta(days=1)
"""A walk that was cut off is resumed within this time; tokens rarely live longer."""
LEEWAY = timedelta(hours=12)
"""A source is walked whole again so much early: no run starts to the second."""
SLICE = 500
"""Documents that are mapped before their records are written, however long a page is."""
LARGEST_RECORD = 2 * 1024 * 1024
"""Bytes of what a record says. More is no metadata, and with all formats more than one document of
the store can hold."""

Progress = Callable[[Run], None]
Touch = tuple[str, str, str, str, int, str | None]
"""What :meth:`store.records.Records.touch` notes of a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hub:
    """What a run needs of its surroundings."""

    store: Store
    crosswalk_folders: tuple[Path, ...] = ()
    groups: Groups = field(default_factory=Groups)
    """The groups of countries and the views that decide in which sets a record is."""
    clock: Callable[[], datetime] = field(default=lambda: datetime.now(UTC))
    progress: Progress = field(default=lambda run: None)
    channels: alerts.Channels = field(default_factory=alerts.Channels)
    """How people are told when a source needs them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """How a source is to be harvested."""

    full: bool = False
    since: datetime | None = None
    most: int | None = None
    """Stop after about so many documents."""
    due: datetime | None = None
    """When the schedule wanted it."""
    approve_deletions: bool = False
    """A person has seen that many records are to be deleted, and agrees."""


async def harvest(source: Source, hub: Hub, fetch: Client, wanted: Wanted | None = None) -> Run:
    """Harvest one source; returns its finished run, which tells how it went.

    Raises :class:`StoreError` where the store cannot be reached or another process has the
    source's lease, :class:`CrosswalkError` where its crosswalk is broken.
    """
    wanted = wanted or Wanted()
    store = hub.store
    crosswalk = crosswalks.load(source.crosswalk, hub.crosswalk_folders)
    with store.explained():
        lease = store.leases.take(source.id, hub.clock())
    try:
        with store.explained():
            store.records.recover(source.id, hub.clock())
            store.names.keep(source.id)
            walk = _walk(source, hub, wanted)
            run = store.runs.begin(
                source.id, "harvest", hub.clock(), full=walk.since is None, due=wanted.due
            )
            writer = _Writer(source, hub, run, crosswalk, lease, walk.since)
            # A walk from a day somebody chose is not the source's own: nothing goes on from it.
            writer.resumable = wanted.since is None
            writer.begin_walk(walk)
        watch.began(run)
        walk.kept, walk.live = writer.kept_documents, writer.live_identifiers
        if walk.checkpoint is not None:
            await asyncio.to_thread(writer.recall)
        beating = asyncio.ensure_future(_beat(hub, lease))
        try:
            # One page is fetched while the one before it is mapped and the one before that
            # is written.
            pages = source.adapter.pages(source, source.options, fetch, walk)
            try:
                async with aclosing(_ahead(pages)) as ahead:
                    async for page in ahead:
                        run.requests = fetch.requests
                        await asyncio.to_thread(writer.page, page)
                        seen = run.seen + writer.held_back
                        if wanted.most is not None and seen >= wanted.most:
                            walk.short = f"stopped after {seen} documents as asked"
                            break
            finally:
                # However the walk ended: what came is judged, and written unless that is held.
                await asyncio.to_thread(writer.end_walk)
            writer.require_same_store()
        except _DriftError as error:
            # Nothing of this run was published; a person says whether it is to be.
            walk.complete, run.error = False, "drift"
            walk.short = run.reason = str(error)
        except (FetchError, ProtocolError) as error:
            walk.complete, run.reason, run.error = False, str(error), error.reason
            if isinstance(error, FetchError) and error.not_before is not None:
                run.not_before = hub.clock() + timedelta(seconds=error.not_before)
            elif isinstance(error, ProtocolError) and fetch.last is not None:
                await asyncio.to_thread(writer.keep_unread, fetch.last, error.reason)
        except StoreError as error:
            # Nothing more can be relied on; what was acknowledged is safe.
            run.requests = fetch.requests
            _fail(source, hub, run, error)
            return run
        except Exception as error:  # the run's edge: a fault of ours must not end other runs
            walk.complete, run.error, run.reason = False, "internal", _fault(error)
        except asyncio.CancelledError:
            walk.complete, run.reason, run.error = False, "interrupted", "interrupted"
        finally:
            beating.cancel()
        run.requests = fetch.requests
        try:
            await asyncio.to_thread(_finish, source, hub, writer, walk, wanted, fetch.notes)
        except StoreError as error:
            _fail(source, hub, run, error)
            raise
        except Exception as error:
            _fail(source, hub, run, error)
        return run
    finally:
        with suppress(StoreError), store.explained():  # else it runs out by itself
            store.leases.release(lease)


def _fail(source: Source, hub: Hub, run: Run, error: Exception) -> None:
    """End a run that cannot go on: whatever happened, it is not left ``running``."""
    internal = not isinstance(error, StoreError)
    run.state, run.ended = "failed", hub.clock()
    run.reason, run.error = _fault(error) if internal else str(error), "store"
    if internal:
        run.error = "internal"
    with suppress(StoreError), hub.store.explained():
        hub.store.runs.save(run)
    watch.ended(hub.store, source, run, hub.channels, run.ended)


def _fault(error: Exception) -> str:
    at = traceback.extract_tb(error.__traceback__)[-1]
    return (
        f"a fault of the hub itself: {type(error).__name__}: {error} "
        f"({Path(at.filename).name}, line {at.lineno}). What came is kept; please report it"
    )


async def _beat(hub: Hub, lease: Lease) -> None:
    """Keep a lease while a run waits for its source. That it was lost the next page will find
    out; a store that is away for a while may be back by then."""
    while True:
        await asyncio.sleep(BEAT_SECONDS)
        with suppress(StoreError):
            await asyncio.to_thread(_renew, hub, lease)


def _renew(hub: Hub, lease: Lease) -> None:
    with hub.store.explained():
        hub.store.leases.renew(lease, hub.clock())


def _walk(source: Source, hub: Hub, wanted: Wanted) -> Walk:
    """What this run asks the source for: everything, what is new, or the rest of a walk."""
    now = hub.clock()
    cursor = hub.store.runs.cursor(source.id)
    started, checkpoint = now, None
    since: datetime | None = None
    if wanted.since is not None:
        since = wanted.since
    elif not wanted.full:
        whole = cursor.get("full")
        full_every = timedelta(days=source.declared.full_every)
        # A source that cannot be asked for what changed is always walked whole; others once in
        # a while.
        incremental = source.adapter.INCREMENTAL and not deletions.always_whole(source)
        if whole is not None and now - whole < full_every - LEEWAY and incremental:
            since = cursor.get("since")
        saved = cursor.get("checkpoint")
        if saved is not None and now - saved["at"] < CHECKPOINT_LIFE:
            checkpoint, since = saved["place"], saved["since"]
            # What changed since then may stand where this walk has been already (rule R8).
            started = saved.get("started", saved["at"])
    return Walk(
        started=started,
        since=since,
        checkpoint=checkpoint,
        memory=dict(cursor.get("memory", {})),
        announces_more=source.declared.announces_more,
    )


def _finish(
    source: Source,
    hub: Hub,
    writer: _Writer,
    walk: Walk,
    wanted: Wanted,
    notes: Mapping[str, int],
) -> None:
    """Delete what is gone, move the cursor, and say how the run went."""
    run, store = writer.run, hub.store
    run.warnings.update(walk.warnings)
    run.warnings.update(notes)
    run.reason = run.reason or walk.short
    if walk.lacking:
        _tell_lacking(source, hub, run, walk)
    # Before anything is deleted, and on what the source gave alone: who failed deletes nothing.
    failure = endings.unread(run)
    if failure is None and walk.complete and walk.covers_all:
        failure = endings.too_few(source, run)
    held = 0
    with store.explained():
        if run.error == "drift":
            writer.hold()
        elif failure is not None:
            writer.keep_all()
        else:
            writer.keep_doubtful(walk)
            writer.find_missing(walk)
            writer.whole = walk.complete and walk.since is None and walk.checkpoint is None
            held = writer.delete(approved=wanted.approve_deletions)
            writer.describe(walk)
        writer.note_aside(walk)
        writer.note_unread()
    if run.error == "drift":
        state = "held"
    elif failure is not None:
        state, run.reason = "failed", failure
    elif not walk.complete:
        state = "partial" if run.given or wanted.most is not None else "failed"
    elif held:
        state, run.reason = "held", endings.held_for_deletions(source.id, held, writer.live())
    elif run.counts["quarantined"] or run.warnings:
        state = "complete_with_warnings"
    else:
        state = "complete"
    cursor: dict[str, Any] = {}
    if state.startswith("complete") and wanted.since is None:
        cursor = {
            "checkpoint": None,
            "since": walk.next_since or walk.started,
            "memory": {k: v for k, v in {**walk.memory, **walk.learned}.items() if v is not None},
        }
        # A feed never shows all there is; what it shows is all there is to ask for. And who was
        # cut off and has now got to the end has asked for everything.
        asked = source.deletions == "never" or walk.checkpoint is not None
        if walk.covers_all or (walk.since is None and asked):
            cursor["full"] = walk.started
    elif walk.short is not None or state in ("held", "failed"):
        # The place reached is of no use: the next run begins anew.
        cursor = {"checkpoint": None}
    # Between the runs of others a server that asked to be left alone is.
    cursor["not_before"] = run.not_before
    writer.require_same_store()
    run.ended = hub.clock()
    run.state = state
    with store.explained():
        store.leases.renew(writer.lease, hub.clock())
        store.runs.set_cursor(source.id, cursor)
        store.runs.save(run)
    trial = wanted.most is not None or wanted.since is not None
    watch.ended(store, source, run, hub.channels, run.ended, held=held, trial=trial)
    hub.progress(run)


def _tell_lacking(source: Source, hub: Hub, run: Run, walk: Walk) -> None:
    """Say of a run how many of the announced entries did not come, and what can be done."""
    run.lacking = walk.lacking
    if walk.complete and walk.announces_more:
        # The number is known to be wrong: nothing is measured by it.
        run.reason, run.total = announced.known(walk.lacking), None
    elif walk.short is not None and walk.short == run.reason and run.full:
        with hub.store.explained():
            earlier = (
                before.lacking
                for before in hub.store.runs.newest_first(source.id)
                if before.kind == "harvest"
                and before.full
                and before.identifier != run.identifier
                # What did not come to the end of a list says nothing of its length.
                and (before.lacking or before.state.startswith("complete"))
            )
            if announced.agree(walk.lacking, earlier):
                run.reason += announced.suggestion(str(source.path))


def remap(source: Source, hub: Hub, *, approve_deletions: bool = False) -> Run:
    """Map a source's kept documents again with its crosswalk as it is now; no network.

    Raises as :func:`harvest` does. What the crosswalk now skips is deleted, behind the same
    guard.
    """
    store = hub.store
    crosswalk = crosswalks.load(source.crosswalk, hub.crosswalk_folders)
    with store.explained():
        lease = store.leases.take(source.id, hub.clock())
    try:
        with store.explained():
            store.records.recover(source.id, hub.clock())
            store.names.keep(source.id)
            run = store.runs.begin(source.id, "map", hub.clock())
            watch.began(run)
            writer = _Writer(source, hub, run, crosswalk, lease)
        try:
            with store.explained():
                _map_all(source, writer, approve_deletions=approve_deletions)
        except Exception as error:
            _fail(source, hub, run, error)
            if isinstance(error, StoreError):
                raise
        return run
    finally:
        with store.explained():
            store.leases.release(lease)


def _map_all(source: Source, writer: _Writer, *, approve_deletions: bool) -> None:
    """Map all that is kept, judge it, write it, and say how that went."""
    hub, run = writer.hub, writer.run
    held = 0
    try:
        writer.remap()
    except _DriftError as error:
        writer.hold()
        run.state, run.reason, run.error = "held", str(error), "drift"
    else:
        if unread := endings.unread(run):
            writer.keep_all()
        else:
            writer.whole = True
            held = writer.delete(approved=approve_deletions)
        writer.describe_mapping()
        if unread:
            run.state, run.reason = "failed", unread
        elif held:
            run.state, run.reason = (
                "held",
                endings.held_for_deletions(source.id, held, writer.live()),
            )
        else:
            writer.note_unread()
            warned = run.counts["quarantined"] or unread_values.WARNING in run.warnings
            run.state = "complete_with_warnings" if warned else "complete"
    writer.note_aside()
    run.ended = hub.clock()
    hub.store.runs.save(run)
    watch.ended(hub.store, source, run, hub.channels, run.ended, held=held)
    hub.progress(run)


class _DriftError(Exception):
    """What came would make the records others than a person accepted (rule R18)."""


class _Writer:
    """Decides what becomes of each document of a run, and writes it."""

    def __init__(
        self,
        source: Source,
        hub: Hub,
        run: Run,
        crosswalk: crosswalks.Crosswalk,
        lease: Lease,
        since: datetime | None = None,
    ) -> None:
        self.source = source
        self.hub = hub
        self.name = namer(hub.store, source.id)
        """Our name of what the source calls something."""
        self.run = run
        self.mapper = Mapper(source, crosswalk, hub.groups, hub.clock, run.identifier)
        self.lease = lease
        self.since = since
        self.walk = Walk(started=run.started)
        """What is found out of the source on the way; that of a harvest, if it is one."""
        self.resumable = True
        """Whether the next run may go on where this one stops."""
        self.going: dict[str, Change] = {}
        """Live records that the source says are gone; deleted together at the end."""
        self.skipped: set[str] = set()
        """Those of them that are skipped rather than gone at the source."""
        self._left_a_list: set[str] = set()
        """Those of them that one list of several said are gone."""
        self._recalled: set[str] = set()
        """Those of them that an earlier run of this walk found gone."""
        self.versions = Versions()
        self.values = Tally()
        """Counts the values of what is mapped, by whether the crosswalk reads them."""
        self._idle = 0
        """How many documents were counted as unchanged that stand for no live record: older
        versions, and tombstones that were tombstones before."""
        self._first = run.identifier
        """The run in which this walk began."""
        self.profile = drift.Profile()
        self.seen: set[bytes] = set()
        """Digests of the identifiers of this walk."""
        self._listed = False
        """Whether the source listed anything that is not deleted."""
        self._named = 0
        """How many documents had one."""
        decisions = hub.store.decisions
        self.waiting: dict[str, str] = {
            name: why
            for held in decisions.waiting(source.id)
            for name, why in decisions.names(held)
            # Only an approval deletes what has come under another name.
            if not why.startswith(RENAMED)
        }
        """Deletions that an earlier run was held for."""
        self._waited = len(self.waiting)
        self.missing: dict[str, datetime] = hub.store.runs.missing(source.id)
        """Live records that the last whole walk did not meet, nor any walk since, and when they
        were missed first."""
        self._missed = len(self.missing)
        self.rejected = decisions.rejected(source.id)
        """Records that stay by a person's decision, and the run that wanted to delete them."""
        self.aside: dict[str, SetAside] = {
            entry.identifier: entry for entry in hub.store.aside.of_source(source.id)
        }
        """What of the source has no record of its newest version."""
        self._unnamed: dict[str, str] = {}
        """Tombstones of which the store does not know what their source calls them."""
        self._aside: list[SetAside] = []
        self._freed: set[str] = set()
        """What of it is to be written, and to be forgotten."""
        summary = hub.store.watch.summary(source.id) or {}
        self.previous: dict[str, Any] | None = summary.get("profile")
        self.staging = Staging(hub.store, self.mapper, self.previous)
        self.guarded = bool(self.staging.guard.comparison.live) and not summary.get("taken")
        """Whether what comes is judged before it is written: not at a first harvest, nor once a
        person has taken the source as it is now."""
        self.skips_approved = any(
            jump.startswith("skipped:")
            for held in (decisions.all(source.id) if summary.get("taken") else ())
            if held.run == summary["taken"]
            for jump in held.jumps
        )
        """A person was told how many records would be skipped and so deleted, and agreed."""
        if self.guarded:
            self.profile = self.staging.guard.profile
        self.whole = False
        """Whether the run asked for everything and came to its end."""
        self._renamed: dict[str, str] = {}
        self._pool = ThreadPoolExecutor(1, thread_name_prefix=f"write-{source.id}")
        self._writing: Future[None] | None = None
        self._pending: set[str] = set()
        """The records that are being written."""
        self._last: Payload | None = None
        """The last answer that was kept."""
        self._incarnation = hub.store.incarnation()
        self._turn = RLock()
        """Who is interrupted leaves the page in hand to its thread; the end waits for it."""

    def require_same_store(self) -> None:
        """Raise :class:`StoreError` where the store was restarted, or a backup restored into it,
        since the run began: what it lost with the last moments must not be stepped over. The next
        run goes on from what it has."""
        if self.hub.store.incarnation() != self._incarnation:
            raise StoreError(
                f"{self.source.id}: the store was restarted, or a backup restored into it, in the "
                "middle of the run. What it has is in order; the next run goes on from there."
            )

    def page(self, page: Page) -> None:
        """Keep a page and map its documents. Its records are stored, and then how far we are
        is noted, while the caller goes on to the next page; :meth:`settle` waits for that."""
        store, run = self.hub.store, self.run
        self.require_same_store()
        store.check_room()
        with self._turn, store.explained():
            store.leases.renew(self.lease, self.hub.clock())
            run.pages += 1
            name = store.documents.keep(run.identifier, run.pages, page)
            self._last = page.payloads[-1] if page.payloads else None
            for warning in page.warnings:
                run.warnings[warning.partition(":")[0]] += 1
            for reject in page.rejects:
                run.counts["quarantined"] += 1
                run.rejects[reject.reason] += 1
                if reject.identifier is None:
                    run.unnamed += 1
                else:
                    # It cannot be read, but it is there: its record is not missing.
                    self._met(self.name(reject.identifier))
            run.total = page.total if page.total is not None else run.total
            reached = None
            if page.checkpoint is not None and self.resumable:
                reached = {
                    "at": self.hub.clock(),
                    "first": self._first,
                    "started": self.walk.started,
                    "place": page.checkpoint,
                    "since": self.since,
                }
            for reject in page.rejects:
                if reject.identifier is not None:
                    rejected = self.name(reject.identifier)
                    self._set_aside(rejected, "quarantined", reject.reason, name)
            kept = Kept(
                page=name,
                urls=[payload.url for payload in page.payloads],
                places=list(enumerate(page.documents)),
                reached=reached,
            )
            # The place reached may be noted at once: what waits is noted before it.
            self._store(self.staging.take(kept) if self.guarded else kept)

    @property
    def held_back(self) -> int:
        """How many documents wait until all that comes was judged."""
        return self.staging.count

    def begin_walk(self, walk: Walk) -> None:
        """Begin with a walk, or go on with one: then with what the run before left waiting."""
        self.walk = walk
        saved = self.hub.store.runs.cursor(self.source.id).get("checkpoint") or {}
        self.hub.store.staged.keep_only(self.source.id, saved.get("started"))
        self.staging.begin(walk, resumed=walk.checkpoint is not None, guarded=self.guarded)

    def end_walk(self) -> None:
        """Judge what waits and write it, and wait until all is written, whatever happens.

        Raises :class:`_DriftError`, before anything is published, where it is not like what this
        source gave before.
        """
        with self._turn, self.hub.store.explained():
            try:
                if self.staging.count:
                    self.require_same_store()
                if self.guarded:
                    self._judge()
                for kept in self.staging.pages():
                    self._store(kept)
                self.take_late()
            except _DriftError:
                self.staging.clear()
                raise
            finally:
                self.settle()
            if self.guarded:
                self.staging.remember()
            self.staging.clear()

    def _judge(self) -> None:
        walk, staging = self.walk, self.staging
        whole = walk.complete and walk.since is None and walk.checkpoint is None
        listed = walk.complete and walk.covers_all and not self.run.unnamed
        verdict = staging.judge(walk, self.run.total, whole=whole, listed=listed)
        named = any(jump.startswith("repository:") for jump in verdict.jumps)
        # What has jumped and brought nothing to publish is told at the end, as a warning.
        if verdict.jumps and (staging.count or named):
            self._hold_back(staging, verdict)
            raise _DriftError(endings.held_for_drift(self.source.id, verdict.jumps, staging.count))

    def _hold_back(self, staging: Staging, verdict: Verdict) -> None:
        """Count what is not taken, and note that of it of which there is no record."""
        self.run.counts["unchanged"] += staging.count
        self.run.held_back = staging.count
        self.run.profile = verdict.profile
        self._hold(verdict)
        for kept in staging.pages():
            names = {self.name(d.identifier): d for _, d in kept.places}
            known = self.hub.store.records.look_up(names)
            for name, document in names.items():
                if name not in known and not document.deleted:
                    self._set_aside(name, "held_back", "; ".join(verdict.jumps), kept.page)

    def _hold(self, verdict: Verdict) -> None:
        self.run.warnings.update({f"drift: {jump}": 1 for jump in verdict.jumps})
        self._renamed = verdict.renamed

    def keep_unread(self, payload: Payload, reason: str) -> None:
        """Keep the answer at which a walk ended, for whoever wants to see what it was."""
        if payload is self._last:
            return  # it was read, and kept with its page
        with self.hub.store.explained():
            self.run.pages += 1
            page = Page(payloads=[payload], rejects=[Reject(reason=reason)])
            self.hub.store.documents.keep(self.run.identifier, self.run.pages, page)

    def remap(self) -> None:
        """Map the newest kept version of every document of the source, those that were
        skipped or set aside before included; :class:`_DriftError` where that must not be
        published unseen."""
        try:
            if self.guarded:
                for kept in self._newest_kept():
                    self.staging.look(kept)
                verdict = self.staging.judge(self.walk, None, whole=False)
                if verdict.jumps:
                    guard = self.staging.guard
                    self.run.counts["unchanged"] += guard.seen
                    self.run.held_back = guard.comparison.differing
                    self.run.profile = verdict.profile
                    self._hold(verdict)
                    raise _DriftError(
                        endings.held_for_rules(
                            self.source.id, verdict.jumps, guard.comparison.differing
                        )
                    )
            for kept in self._newest_kept():
                self._store(kept)
        finally:
            self.settle()
        if self.guarded:
            self.staging.remember()

    def _newest_kept(self) -> Iterator[Kept]:
        for kept in newest_kept(self.hub.store, self.source.id, self.name):
            self.hub.store.leases.renew(self.lease, self.hub.clock())
            yield kept

    def recall(self) -> None:
        """Read again what earlier runs gave of the walk that this run goes on with: which versions
        it has met, and what it found gone that a killed run could not delete any more."""
        store = self.hub.store
        with store.explained():
            saved = store.runs.cursor(self.source.id).get("checkpoint") or {}
            self._first = saved.get("first", self._first)
            begin, end = (
                int(name.rpartition("/")[2]) for name in (self._first, self.run.identifier)
            )
            for number in range(begin, end):
                run = store.runs.get(f"{self.source.id}/{number}")
                for page in range(1, run.pages + 1 if run and run.kind == "harvest" else 1):
                    self._recall(f"{self.source.id}/{number}/{page}")

    def _recall(self, page: str) -> None:
        for index, (name, document, digest, before) in enumerate(
            with_stored(self.hub.store, self.name, page)
        ):
            had = has(document, digest, before)
            version = version_of(document.datestamp, deleted=document.deleted, had=had)
            written = before is not None and (document.deleted or had)
            if not written and not waits(version, before):
                continue  # it was not written, and its page comes again; or it became no record
            judged = self.versions.judge(name, document, digest, before, (page, index))
            if judged.verdict != "take" or before is None:
                continue
            if name in self.going and not document.deleted:
                self._stays(name)
            elif document.deleted and not before.deleted and name not in self.going:
                self._note_list(name, document)
                self.going[name] = Change.deletion(name, before, "tombstone")
                self._recalled.add(name)
                self.run.counts["deleted"] += 1
                self.run.absent += 1

    def take_late(self) -> None:
        """Store the documents that waited for a newer version, where none came."""
        with self._turn, self.hub.store.explained():
            pages, left_out = self.versions.take_late(whole=self.walk.complete)
            if left_out:
                self.run.warnings["older_version_kept_out"] += left_out
                self.run.counts["unchanged"] += left_out
            for page, indices in pages.items():
                kept = self.hub.store.documents.page(page)
                urls = [payload["url"] for payload in kept.payloads]
                places = [(index, kept.documents[index]) for index in indices]
                self._store(Kept(page=page, urls=urls, places=places, judged=True))

    def _counts(
        self,
        name: str,
        document: Document,
        digest: str,
        before: Known | None,
        place: tuple[str, int],
    ) -> bool:
        """Whether a document counts among the versions that this walk gave of it, as far as it
        has come. One that does not is counted as unchanged: it changes nothing."""
        judged = self.versions.judge(name, document, digest, before, place)
        if judged.differs:
            self.run.warnings["two_versions"] += 1
        idle = judged.dropped + (judged.verdict == "older")
        self.run.counts["unchanged"] += idle
        self._idle += idle
        return judged.verdict == "take"

    def _note_list(self, name: str, document: Document) -> None:
        self._left_a_list.discard(name)
        if document.listed is not None:
            self._left_a_list.add(name)

    def note_unread(self) -> None:
        """Say of the run what of the source's values no crosswalk reads."""
        earlier = self.hub.store.runs.newest_first(self.source.id)
        unread_values.note(self.run, self.values.told(), earlier)

    def keep_doubtful(self, walk: Walk) -> None:
        """Delete nothing of which the source may have more to say: what one list says is gone may
        be in a list that was not walked to its end."""
        doubtful = {self.name(native) for native in walk.doubtful}
        if not walk.complete and (waiting := self._left_a_list & self.going.keys() - doubtful):
            self.run.warnings["deletion_not_confirmed"] += len(waiting)
            doubtful |= waiting
        for name in doubtful & self.going.keys():
            self._stays(name)

    def _store(self, kept: Kept) -> None:
        # Some repositories give all they have on one page: its records, with all their formats,
        # are never in memory together.
        for start in range(0, max(1, len(kept.places)), SLICE):
            end = start + SLICE
            reached = kept.reached if end >= len(kept.places) else None
            self._store_some(replace(kept, places=kept.places[start:end], reached=reached))

    def _store_some(self, kept: Kept) -> None:
        page, urls, places = kept.page, kept.urls, kept.places
        run, records = self.run, self.hub.store.records
        names = {index: self.name(d.identifier) for index, d in places}
        if not self._pending.isdisjoint(names.values()):
            self.settle()  # what is known of them is being written
        known: dict[str, Known] = records.look_up(set(names.values()))
        changes: dict[str, Change] = {}
        touched: dict[str, Touch] = {}
        for index, document in places:
            name = names[index]
            before = _as_known(changes[name]) if name in changes else known.get(name)
            digest = document_hash(document)
            if not kept.judged:
                self._met(name, deleted=document.deleted)
                if not self._counts(name, document, digest, before, (page, index)):
                    continue
            if document.deleted:
                self._note_list(name, document)
            url = urls[document.payload]
            became, change, touch = self._consider(name, before, document, digest, page, url, index)
            run.counts[became] += 1
            if change is not None:
                changes[name] = replace(change, was=known.get(name))
                touched.pop(name, None)
                self._is_here(name)
            elif touch is not None and name not in changes:
                touched[name] = touch
        self.settle()
        self._pending = set(names.values())
        # Made ready here: beside the mapping of the next page, another thread of this process
        # gets little done but waiting for the database.
        staged = records.stage(
            self.source.id, list(changes.values()), self.hub.clock(), fence=self.lease.fence
        )
        self._writing = self._pool.submit(
            # The run as it stands now: what it counts later is not written yet.
            self._write,
            staged,
            list(touched.values()),
            kept.reached,
            self._take_aside(),
            deepcopy(run),
        )

    def _write(
        self,
        staged: list[Staged],
        touched: list[Touch],
        reached: dict[str, Any] | None,
        aside: tuple[list[SetAside], set[str]],
        run: Run,
    ) -> None:
        store = self.hub.store
        with store.explained():
            store.records.commit(staged)  # which sees for itself whether it may
            self.run.written += sum(len(batch.entries) for batch in staged)
            run.written = self.run.written
            store.leases.renew(self.lease, self.hub.clock())
            store.records.touch(touched)
            store.aside.write(*aside)
            if reached is not None:
                store.runs.set_cursor(self.source.id, {"checkpoint": reached})
            store.runs.save(run)
        self.hub.progress(run)

    def settle(self) -> None:
        """Wait until what was mapped is written; raises what its writing raised."""
        with self._turn:
            writing, self._writing = self._writing, None
            if writing is not None:
                writing.result()
            self._pending = set()

    def _consider(
        self,
        name: str,
        before: Known | None,
        document: Document,
        digest: str,
        page: str,
        url: str,
        index: int,
    ) -> tuple[str, Change | None, Touch | None]:
        """What becomes of one document: the word it is counted under, and what to write."""
        if document.deleted:
            return self._gone(name, before, document, page, index)
        if not self.guarded:
            self.profile.document(document)
        if before is not None and self.mapper.as_new(before, digest):
            self._is_here(name)
            self._alive(name)
            return "unchanged", None, None
        outcome = self.staging.outcome(page, index) or self.mapper.outcome(document, url)
        if outcome.rules is not None:
            self.values.sample(outcome.rules, document, name)
        for repair in document.repairs:
            self.run.note(f"document: {repair}", name)
        if not self.guarded:
            self.profile.record(outcome.record)
        for issue in outcome.issues:
            self.run.note(f"{issue.field}: {issue.message}", name)
        if outcome.rejected is not None:
            return self._quarantine(name, outcome.rejected, page)
        if outcome.deleted:
            return self._gone(name, before, document, page, index)
        if outcome.record is None:
            _, change, touch = self._gone(name, before, document, page, index, "skipped")
            self.skipped.add(name)
            self._set_aside(name, "skipped", outcome.skipped or "", page)
            return "skipped", change, touch
        # A crosswalk knows nothing of the store, where the source may have kept an older rule.
        record = outcome.record
        if record.identifier != name:
            record = replace(record, identifier=name)
        plain = to_dict(record)
        said = canonical(plain)
        if len(said) > LARGEST_RECORD:
            return self._quarantine(name, "too_large", page)
        if not record.title:
            self.run.note("title: there is none", name)
        self._alive(name)
        content, sets = self.mapper.shown(record, plain)
        touch = (name, digest, self.mapper.rules, page, index, document.datestamp)
        if (
            before is not None
            and not before.deleted
            and before.hash == content
            and before.sets == sets
        ):
            self._is_here(name)
            return "unchanged", None, touch
        change = Change(
            identifier=name,
            record=plain,
            hash=content,
            sets=sets,
            fragments=_render(record) if self.mapper.published else {},
            document=digest,
            crosswalk=self.mapper.rules,
            page=page,
            index=index,
            stamp=document.datestamp,
        )
        return ("new" if before is None else "changed"), change, None

    def _quarantine(self, name: str, reason: str, page: str) -> tuple[str, None, None]:
        """A document that becomes no record; what is known of it stays."""
        self.run.rejects[reason] += 1
        self._set_aside(name, "quarantined", reason, page)
        return "quarantined", None, None

    def _gone(
        self,
        name: str,
        before: Known | None,
        document: Document,
        page: str,
        index: int,
        why: str = "tombstone",
    ) -> tuple[str, Change | None, Touch | None]:
        """A deletion. Of a live record it waits for the end of the run, where it is seen how
        many there are; of one never held it is kept as a tombstone, unless it was skipped here. A
        tombstone that was one before is unchanged."""
        if before is not None and before.deleted:
            self._idle += why != "skipped"
            if not before.named:
                self._unnamed[name] = document.identifier
            return "unchanged", None, None
        if before is None and why == "skipped":
            return "deleted", None, None
        change = Change(
            identifier=name,
            record=None,
            hash="",
            sets=self._sets_of_source() if before is None else before.sets,
            document=document_hash(document),
            crosswalk=self.mapper.rules,
            page=page,
            index=index,
            stamp=document.datestamp,
            native=document.identifier,
            why=why,
            was=before,
        )
        if before is None:
            self._freed.add(name)
            return "deleted", change, None
        if name in self.going and why != "skipped":
            self.going[name] = change
            self._idle += 1
            return "unchanged", None, None
        self.going[name] = change
        return "deleted", None, None

    def _is_here(self, name: str) -> None:
        """A document that this walk gave as deleted came alive as well, and that counts."""
        if name in self.going:
            self._idle += name not in self.skipped and name not in self._recalled
            self._stays(name)

    def _sets_of_source(self) -> tuple[str, ...]:
        """The sets that every record of the source is in, whatever it says."""
        if not self.source.declared.republish:
            return private_sets(self.source.id)
        return (f"source:{self.source.id}", f"system:{self.source.system}")

    def delete(self, *, approved: bool) -> int:
        """Delete what is gone, unless it is suspiciously much; returns how many are held of what
        this run found gone."""
        decisions, now = self.hub.store.decisions, self.hub.clock()
        for name in self.going.keys() & self.rejected.keys():
            self._stays(name)
        names = {**self.waiting, **{name: change.why for name, change in self.going.items()}}
        if not names:
            self._drop_waiting()
            return 0
        records = self.hub.store.records
        approved = approved or (self.skips_approved and {*names.values()} == {"skipped"})
        most = max(endings.MASS_COUNT, endings.MASS_SHARE * self.live())
        if len(names) > most and not approved:
            if not self.going:
                self._wait_for_less()
                return 0
            self.keep_all()
            self._drop_jumps()
            decisions.hold(self.source.id, self.run.identifier, now, names)
            return len(names)
        if len(names) > most:
            decisions.hold(self.source.id, self.run.identifier, now, names, decision="approved")
            self._drop_jumps()
        else:
            self._drop_waiting()
        # The record may have been written again in this run, after its tombstone.
        known = {name: was for name, was in records.look_up(names).items() if not was.deleted}
        self.run.counts["deleted"] += len(known.keys() - self.going.keys())
        self.run.absent += len(known.keys() - self.going.keys())
        changes = [
            replace(self.going[name], was=was, sets=was.sets)
            if name in self.going
            else replace(Change.deletion(name, was, names[name]), was=was)
            for name, was in known.items()
        ]
        records.put(self.source.id, changes, now, fence=self.lease.fence)
        self.run.written += len(changes)
        return 0

    def _wait_for_less(self) -> None:
        """What waits of an earlier run, without what the source has listed again."""
        decisions = self.hub.store.decisions
        self._drop_jumps()
        for held in decisions.waiting(self.source.id) if len(self.waiting) < self._waited else ():
            if not held.jumps:
                decisions.hold(self.source.id, held.run, held.at, self.waiting)

    def hold(self) -> None:
        """Let the run wait for a person, since what it brought has jumped."""
        self.keep_all()
        jumps = {word: n for word, n in self.run.warnings.items() if word.startswith(JUMP)}
        names = {old: f"{RENAMED}{new}" for old, new in self._renamed.items()}
        decisions, now = self.hub.store.decisions, self.hub.clock()
        decisions.hold(self.source.id, self.run.identifier, now, names, why=jumps)

    def _drop_waiting(self) -> None:
        """Nothing waits any more of what this run would have found again."""
        self.hub.store.decisions.drop(self.source.id, jumps=False)
        self._drop_jumps()

    def _drop_jumps(self) -> None:
        """No jump waits any more that this run would have found again: it saw everything and, of
        one of a source, it asked the source."""
        decisions, runs = self.hub.store.decisions, self.hub.store.runs
        for held in decisions.waiting(self.source.id):
            run = runs.get(held.run)
            asked = self.run.kind == "harvest" or (run is not None and run.kind == "map")
            if held.jumps and self.whole and asked:
                decisions.drop(self.source.id, jumps=True)

    def keep_all(self) -> None:
        """Delete nothing of what was found gone."""
        for name in list(self.going):
            self._stays(name)

    def _stays(self, name: str) -> None:
        """A record that was to be deleted is not: it is counted as what it is, unchanged, if the
        source named it at all."""
        change = self.going.pop(name)
        if name in self.skipped:
            return
        self.run.counts["deleted"] -= 1
        if change.why == "missing" or name in self._recalled:
            self.run.absent -= 1
        else:
            self.run.counts["unchanged"] += 1

    # --- what has no record ----------------------------------------------------------------

    def _met(self, name: str, *, deleted: bool = False) -> None:
        """The source lists an identifier, perhaps again; unless as deleted, it is not missing."""
        self._named += 1
        self.seen.add(_digest(name))
        self.run.repeated = self._named - len(self.seen)
        if not deleted:
            self._listed = True
            self.missing.pop(name, None)

    def _alive(self, name: str) -> None:
        """The source has a record: nothing of earlier doubts about it holds."""
        self.waiting.pop(name, None)
        if (run := self.rejected.pop(name, None)) is not None:
            self.hub.store.decisions.let_go(run, [name])
        if self.aside.pop(name, None) is not None:
            self._freed.add(name)

    def _set_aside(self, name: str, state: str, reason: str, page: str) -> None:
        known = self.aside.get(name)
        if known is not None and (known.state, known.reason) == (state, reason):
            return
        entry = SetAside(
            identifier=name,
            source=self.source.id,
            state=state,
            reason=reason,
            run=self.run.identifier,
            page=page,
            at=self.hub.clock(),
        )
        self.aside[name] = entry
        self._aside.append(entry)

    def _take_aside(self) -> tuple[list[SetAside], set[str]]:
        taken = self._aside, self._freed
        self._aside, self._freed = [], set()
        return taken

    def note_aside(self, walk: Walk | None = None) -> None:
        """Write what was set aside since the last page; after a whole walk, what is no longer
        listed too. (What was only held back is forgotten so by any source: it never was ours.)"""
        if walk is not None and self._saw_all(walk):
            absence = self.deletions == "absence"
            for name, entry in self.aside.items():
                left = entry.state != "gone" if absence else entry.state == "held_back"
                if left and _digest(name) not in self.seen:
                    gone = replace(entry, state="gone", run=self.run.identifier)
                    self._aside.append(replace(gone, at=self.hub.clock()))
        self.hub.store.aside.write(*self._take_aside())
        self.hub.store.records.name_tombstones(self.source.id, self._unnamed)

    def describe(self, walk: Walk) -> None:
        """Note what the run's records are like, and what of it has jumped (rule R18)."""
        run = self.run
        previous = self.previous
        # The rest of a walk that was cut off, and what is new, are not like the whole.
        whole = walk.complete and walk.since is None and walk.checkpoint is None
        alive = sum(run.counts[name] for name in ("new", "changed", "unchanged")) - self._idle
        repository = {**walk.memory, **walk.learned}.get("repository") or {}
        run.profile = self.profile.told(
            whole=whole and not endings.unread(run),
            records=alive if walk.covers_all else None,
            repository=repository.get("name"),
            before=previous,
        )
        for jump in drift.compare(previous, run.profile):
            run.warnings[f"drift: {jump}"] += 1

    def describe_mapping(self) -> None:
        """Note what all that is kept is like by the rules as they are now."""
        before = self.previous or {}
        self.run.profile = self.profile.told(
            whole=not endings.unread(self.run),
            records=before.get("records"),
            repository=before.get("repository"),
            before=self.previous,
        )

    def _set_of_source(self) -> str:
        name = f"source:{self.source.id}"
        return name if self.source.declared.republish else f"~{name}"

    def _saw_all(self, walk: Walk) -> bool:
        """Whether a walk met all there is: any record may be among documents without a name, and
        a list of nothing at all is a fault of the source more often than its end."""
        return walk.complete and walk.covers_all and not self.run.unnamed and self._listed

    @property
    def deletions(self) -> str:
        """How the source says what is gone, by all that is known of it."""
        learned = {**self.walk.memory, **self.walk.learned}
        return deletions.way(self.source, learned.get("repository"))

    def find_missing(self, walk: Walk) -> None:
        """Compare a whole walk with what is held. What is missing is counted and told; of a source
        that goes by absence what is missing for the second time, long enough after the first, is
        gone (rule R11, deletion guard). What any walk met is not missing."""
        runs = self.hub.store.runs
        absence = self.deletions == "absence"
        if self._saw_all(walk):
            runs.set_cursor(self.source.id, {"deletions": self.deletions})
            there = {self.name(name) for name in walk.there}
            self.missing = self._still_missing(walk.started, there, gone=absence)
            runs.set_missing(self.source.id, self.missing)
            if waiting := len(self.missing.keys() - self.going.keys()):
                self.run.warnings["missing_at_source"] = waiting
            if there:
                self.run.warnings["unlisted_but_there"] = len(there)
            return
        if absence and walk.complete and walk.covers_all and (self.run.unnamed or self.live()):
            self.run.warnings["absence_not_judged"] = max(1, self.run.unnamed)
        if len(self.missing) < self._missed:
            runs.set_missing(self.source.id, self.missing)

    def live(self) -> int:
        """How many live records the source has."""
        with self.hub.store.explained():
            count = self.hub.store.records.counts().get(self._set_of_source())
        return count.live if count else 0

    def _still_missing(self, now: datetime, there: set[str], *, gone: bool) -> dict[str, datetime]:
        still: dict[str, datetime] = {}
        for record in self.hub.store.records.of_source(self.source.id):
            if record.deleted or _digest(record.identifier) in self.seen:
                continue
            if record.identifier in there:
                continue
            # Remembered until it is deleted: a deletion that is held loses none of its age.
            first = still[record.identifier] = self.missing.get(record.identifier, now)
            if gone and now - first >= GRACE:
                self.run.counts["deleted"] += 1
                self.run.absent += 1
                self.going[record.identifier] = Change.deletion(
                    record.identifier, record, "missing"
                )
        return still

    # --- what harvesters may ask -----------------------------------------------------------

    async def kept_documents(self, natives: list[str]) -> dict[str, Document]:
        """The kept documents of these native identifiers, where there are any."""
        return await asyncio.to_thread(self._kept_documents, natives)

    def _kept_documents(self, natives: list[str]) -> dict[str, Document]:
        store = self.hub.store
        names = {self.name(native): native for native in natives}
        found: dict[str, Document] = {}
        with store.explained():
            pages: dict[str, list[tuple[str, int]]] = {}
            for name, known in store.records.look_up(names).items():
                if not known.deleted:
                    pages.setdefault(known.page, []).append((name, known.index))
            for page, places in pages.items():
                documents = store.documents.page(page).documents
                for name, index in places:
                    found[names[name]] = documents[index]
        return found

    async def live_identifiers(self) -> list[str]:
        """The native identifiers of all live records of the source."""
        return await asyncio.to_thread(self._live_identifiers)

    def _live_identifiers(self) -> list[str]:
        with self.hub.store.explained():
            return [
                record.record["source_identifier"]
                for record in self.hub.store.records.of_source(self.source.id)
                if not record.deleted
            ]


def _render(record: Record) -> dict[str, str]:
    return formats.fragments(record)


def _as_known(change: Change) -> Known:
    return Known(
        seq=0,
        hash=change.hash,
        sets=change.sets,
        deleted=change.record is None,
        document=change.document,
        crosswalk=change.crosswalk,
        page=change.page,
        index=change.index,
        stamp=change.stamp,
    )


def _digest(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


async def _ahead(pages: AsyncIterator[Page]) -> AsyncGenerator[Page, None]:
    """The same pages, each fetched while the one before is being worked on."""
    upcoming = asyncio.ensure_future(anext(pages))
    try:
        while True:
            try:
                page = await upcoming
            except StopAsyncIteration:
                return
            upcoming = asyncio.ensure_future(anext(pages))
            # Let the request go out before the caller gets busy.
            await asyncio.sleep(0)
            yield page
    finally:
        upcoming.cancel()


__all__ = ["Hub", "Wanted", "harvest", "remap"]
