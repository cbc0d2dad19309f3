"""The record store: canonical records in the order of their last change.

Every write is a *batch*: up to :data:`BATCH` changes that take consecutive positions
(``seq``) and one datestamp. A record lives at the position of its last change; when it
changes again it leaves that place and takes a new one at the end. So the records in the
order of their positions are in the order of their datestamps too, a walk is a walk over
positions, and what changes during a walk moves out of its way, behind its end.

Collections:

``records``   ``_id`` ``<source>/<local>``; the record, its sets, those it ``left``, its
              position, its rendered formats. It is only ever asked for by its name.
``batches``   ``_id`` the batch's number; who is in it, the places that were left since
              (``dead``), and its records as they are served, packed (``runs``, by prefix),
              so that a walk reads one entry for a hundred records. ``sets`` are those that
              its records are in or left, with an index ``(sets, number)`` for walks of a
              set, and ``members`` the places of each: whoever reads a set must hear that a
              record left it.
``state``     ``_id`` ``log``: the last number given, the last datestamp, which batches are
              being written (``open``) or tidied (``settling``), and the counts of every
              set. One document, so that closing a batch and counting it is one atomic step
              that can neither be lost nor done twice. Sets of a country and a type are
              thousands and each is small: those are only listed, in ``sets``, and counted
              when somebody asks.

The order of a write makes a crash at any point harmless: announce the batch (``open``),
write what it will hold, write the records, then make it visible and count it in one step,
then mark the places left behind. :meth:`Records.recover` finishes or cancels what a dead
writer left. Readers stop before the first open batch.
"""

from __future__ import annotations

import contextlib
import json
import math
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Collection as Places
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pymongo
from bson import Binary
from pymongo import ReplaceOne, UpdateOne
from pymongo.collection import Collection
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from chm_hub.errors import StoreError
from store import parents, rendered
from store.leases import holds, taken_over
from store.parents import STRIDE

SCHEMA = 5
"""Version of what is kept; :meth:`Records.prepare` brings older ones up to date."""
BATCH = 100
"""Changes in one batch. Also the step a walk reads in."""
BATCH_SIZE = 4 * 1024 * 1024
"""Characters of all formats together that a batch of several changes has, before it is packed."""
ORPHANED_SECONDS = 120
"""A batch open for longer has no writer any more: one bulk write is given 60 seconds."""
WRITE_SECONDS = 60
HEADERS = "~headers"
"""The run of a batch that has its records' headers alone; no metadata prefix is so."""
TOMBSTONES = "~tombstones"
"""The run of a batch of deletions alone: the same in whatever format is asked for."""
PRIVATE = "~"
"""Begins the sets of records that are kept but never published; no OAI set can begin so."""


@dataclass(frozen=True, slots=True)
class Count:
    """How many records a set has."""

    live: int = 0
    deleted: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What the store has of a record, enough to see whether it changed."""

    seq: int
    hash: str
    sets: tuple[str, ...]
    left: tuple[str, ...] = ()
    """Sets it was in once and is no more."""
    deleted: bool
    document: str
    """Digest of the document it was made from."""
    crosswalk: str
    """Digest of the crosswalk it was made with."""
    page: str
    index: int
    stamp: str | None = None
    """The date its source put on that document."""
    named: bool = True
    """Whether it says what its source calls it; tombstones of earlier versions do not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A record to write, or (``record`` is ``None``) to mark as deleted."""

    identifier: str
    record: dict[str, Any] | None
    hash: str
    sets: tuple[str, ...]
    fragments: Mapping[str, str] = field(default_factory=dict)
    """Rendered XML by metadata prefix; empty for a deletion."""
    document: str
    crosswalk: str
    page: str
    index: int
    why: str = ""
    """Why it is deleted: ``tombstone``, ``missing`` or ``skipped``."""
    was: Known | None = None
    stamp: str | None = None
    """The date its source put on the document."""
    native: str = ""
    """What its source calls it; kept of a record that was never seen alive."""

    @classmethod
    def deletion(cls, name: str, known: Known | StoredRecord, why: str) -> Change:
        """The deletion of a record of which its source says nothing any more."""
        return cls(
            identifier=name,
            record=None,
            hash="",
            sets=known.sets,
            document=known.document,
            crosswalk=known.crosswalk,
            page=known.page,
            index=known.index,
            why=why,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Staged:
    """A batch that is announced, and all that is to be written of it."""

    row: dict[str, Any]
    entries: list[dict[str, Any]]
    writes: list[UpdateOne | ReplaceOne[dict[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """How far a reader may read now."""

    bound: int
    """The highest position at or below which nothing will appear any more."""
    as_of: datetime
    """A moment, UTC in whole seconds, such that every change not yet readable has this or a
    later datestamp. It is what ``responseDate`` must say, so that a harvester which asks
    ``from`` it next time misses nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A published record's header, and its rendered metadata if it was asked for."""

    identifier: str
    position: int
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool
    fragment: str | None = None

    @property
    def header(self) -> str:
        """Its ``header`` element, as :mod:`store.rendered` has it."""
        return rendered.header(self.identifier, self.datestamp, self.sets, deleted=self.deleted)

    @property
    def xml(self) -> str:
        """Its ``record`` element."""
        return rendered.record(self.header, self.fragment or "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A part of a walk."""

    xml: bytes
    """Elements as :mod:`store.rendered` has them: records if a format was asked for, else
    headers."""
    count: int
    last: int
    """Go on after this position."""
    more: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredRecord:
    """A record with all the store knows of it."""

    identifier: str
    seq: int
    datestamp: str
    sets: tuple[str, ...]
    left: tuple[str, ...]
    """Sets it was in once and is no more."""
    deleted: bool
    record: dict[str, Any]
    """The last known content, of a deleted record too."""
    hash: str
    document: str
    crosswalk: str
    page: str
    index: int
    why: str = ""
    """Why it is deleted."""
    stamp: str | None = None
    """The date its source put on that document."""


def insert_if_absent(collection: Collection[dict[str, Any]], document: dict[str, Any]) -> None:
    """Insert a document unless one with its ``_id`` is there, whoever else does the same at
    this moment. (An upsert is no way to do it: of two at once, one fails or finds nothing.)"""
    with contextlib.suppress(DuplicateKeyError):
        collection.insert_one(document)


class Records:
    """Reading and writing records. All writing goes through :meth:`put`."""

    def __init__(
        self,
        database: Database[dict[str, Any]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._clock = clock
        self._records: Collection[dict[str, Any]] = database["records"]
        self._batches: Collection[dict[str, Any]] = database["batches"]
        self._state: Collection[dict[str, Any]] = database["state"]
        self._recent = -math.inf, Snapshot(bound=0, as_of=datetime.min.replace(tzinfo=UTC))
        """When the last snapshot was taken, and it."""

    def prepare(self) -> None:
        """Create the index and the log; does nothing where they are. What earlier versions
        wrote is brought up to date: records of the first did not know the sets they left,
        batches of the second were not rendered whole, those of the third did not know their
        sets, tombstones of the fourth were not in the parents of theirs."""
        log = self._state.find_one({"_id": "log"}, {"schema": 1, "number": 1, "open": 1})
        if log is not None and log.get("schema", 1) < SCHEMA:
            self._records.update_many({"left": {"$exists": False}}, {"$set": {"left": []}})
            self._batches.create_index([("sets", 1), ("number", 1)], name="sets_number")
            for number in range(1, log["number"] + 1):
                self._bring_up_to_date(number)
                parents.mend(self._batches, self._records, number, _memberships, _shown)
            if "member_seq" in self._records.index_information():
                self._records.drop_index("member_seq")
            writing = {entry["number"] for entry in log["open"]}
            counts = parents.counted(self._batches, self._records, writing, _counted, log["number"])
            self._state.update_one({"_id": "log"}, {"$set": {"schema": SCHEMA, "counts": counts}})
        if log is None:
            self._batches.create_index([("sets", 1), ("number", 1)], name="sets_number")
            insert_if_absent(self._state, {"_id": "sets", "fine": []})
            insert_if_absent(
                self._state,
                {
                    "_id": "log",
                    "schema": SCHEMA,
                    "number": 0,
                    "datestamp": "",
                    "earliest": None,
                    "open": [],
                    "settling": [],
                    "counts": {},
                },
            )

    def _bring_up_to_date(self, number: int) -> None:
        row = self._batches.find_one({"_id": number, "members": {"$exists": False}})
        if row is None:
            return
        entries = _unpack(row).entries
        update: dict[str, Any] = {"$set": _memberships(number, entries)}
        if "xml" in row:
            made: list[dict[str, str]] = [{} for _ in entries]
            for prefix, packed in row["xml"].items():
                parts = zlib.decompress(packed).decode().split("\0")
                for fragments, fragment in zip(made, parts, strict=True):
                    fragments[prefix] = fragment
            update["$set"] |= _runs(entries, row["datestamp"], made)
            update["$unset"] = {"xml": 1}
        for prefix, packed in row.get("runs", {}).items():
            if isinstance(packed, bytes):  # of version 3, all in one
                elements = zlib.decompress(packed).decode().split("\0")
                update["$set"][f"runs.{prefix}"] = rendered.pack(elements)
        self._batches.update_one({"_id": number}, update)

    # --- writing ---------------------------------------------------------------------------

    def look_up(self, identifiers: Iterable[str]) -> dict[str, Known]:
        """What is known of these records, by identifier; unknown ones are left out."""
        found = self._records.find({"_id": {"$in": list(identifiers)}}, _KNOWN)
        return {row["_id"]: _known(row) for row in found}

    def put(self, source: str, changes: Sequence[Change], now: datetime, *, fence: int = 0) -> None:
        """Write changes of one source; the caller holds the source's lease.

        Each identifier stands at most once in ``changes``. When this returns, all of them
        are stored, visible and counted; when it does not, :meth:`recover` and a repetition
        end in the same state. Raises :class:`StoreError` for a ``fence`` that is not the newest
        of the source: its lease was taken over.
        """
        began = time.monotonic()
        for batch in _batches(changes):
            # Each is announced when its turn has come: of thousands the last would count as given
            # up before it is written.
            moment = now + timedelta(seconds=time.monotonic() - began)
            self.commit([self._stage_batch(source, batch, moment, fence)])

    def stage(
        self, source: str, changes: Sequence[Change], now: datetime, *, fence: int = 0
    ) -> list[Staged]:
        """The first half of :meth:`put`, for all batches of a few hundred changes: announce them
        and make all that is to be written. It is work for this process; :meth:`commit` is work
        for the database, and may be left to another thread meanwhile."""
        return [self._stage_batch(source, batch, now, fence) for batch in _batches(changes)]

    def commit(self, staged: Iterable[Staged]) -> None:
        """The second half of :meth:`put`. Raises :class:`StoreError` for a batch that somebody
        else has recovered: the writer was silent for so long that it counted as dead."""
        for batch in staged:
            # Looked at and written within less time than it takes to count as dead: who falls
            # silent in between finds that the time is over, and writes nothing.
            with pymongo.timeout(WRITE_SECONDS):
                if not holds(self._state, "log", "open.number", batch.row["_id"]):
                    raise StoreError(
                        f"{batch.row['source']}: this run was silent for so long that what it was "
                        "about to write counted as given up. It stops here; the next run goes on "
                        "from what is stored."
                    )
                self._batches.insert_one(batch.row)
                self._records.bulk_write(batch.writes, ordered=False)
            self._close(batch.row["_id"], batch.entries)

    def touch(self, changes: Iterable[tuple[str, str, str, str, int, str | None]]) -> None:
        """Note for records whose content did not change where it was last seen: ``(identifier,
        document digest, crosswalk digest, page, index, source's datestamp)``. Nothing moves."""
        updates = [
            UpdateOne(
                {"_id": identifier},
                {
                    "$set": {
                        "document.hash": document,
                        "document.crosswalk": crosswalk,
                        "document.page": page,
                        "document.index": index,
                        "document.stamp": stamp,
                    }
                },
            )
            for identifier, document, crosswalk, page, index, stamp in changes
        ]
        if updates:
            self._records.bulk_write(updates, ordered=False)

    def name_tombstones(self, source: str, natives: Mapping[str, str]) -> None:
        """Note what their source calls records of which the store knows nothing else."""
        updates = [
            UpdateOne(
                {"_id": name, "deleted": True, "record": {}},
                {"$set": {"record": _named(name, source, native)}},
            )
            for name, native in natives.items()
        ]
        if updates:
            self._records.bulk_write(updates, ordered=False)

    def _stage_batch(
        self, source: str, changes: Sequence[Change], now: datetime, fence: int
    ) -> Staged:
        stamp = _stamp(now)
        allowed = {f"fences.{source}": {"$not": {"$gt": fence}}} if fence else {}
        log = self._state.find_one_and_update(
            {"_id": "log", **allowed},
            [
                {
                    "$set": {
                        "number": {"$add": ["$number", 1]},
                        "datestamp": {"$max": ["$datestamp", stamp]},
                        "earliest": {"$ifNull": ["$earliest", stamp]},
                    }
                },
                {
                    "$set": {
                        "open": {
                            "$concatArrays": [
                                "$open",
                                [
                                    {
                                        "number": "$number",
                                        "datestamp": "$datestamp",
                                        "source": source,
                                        "at": now,
                                    }
                                ],
                            ]
                        }
                    }
                },
            ],
            projection={"number": 1, "datestamp": 1},
            return_document=True,
        )
        if log is None:
            raise taken_over(source)
        number, datestamp = log["number"], log["datestamp"]
        changes = [replace(c, sets=parents.with_parents(c.sets)) for c in changes]
        entries = _new_entries(changes)
        fine = sorted({s for change in changes for s in change.sets if _is_fine(s)})
        if fine:
            self._state.update_one(
                {"_id": "sets"}, {"$addToSet": {"fine": {"$each": fine}}}, upsert=True
            )
        return Staged(
            row=_batch_row(number, source, datestamp, entries, changes),
            entries=entries,
            writes=[
                _write(change, _row(change, source, number * STRIDE + index, datestamp))
                for index, change in enumerate(changes)
            ],
        )

    def _close(self, number: int, entries: list[dict[str, Any]]) -> None:
        """Make a written batch visible and count it, then mark the places left for it."""
        left = _places_left(entries)
        # Both steps in one update of one document, and only if the batch is still open:
        # it is counted exactly once, whoever closes it.
        update: dict[str, Any] = {"$pull": {"open": {"number": number}}}
        if increments := _count_changes(entries):
            update["$inc"] = increments
        if left:
            update["$push"] = {"settling": number}
        self._state.update_one({"_id": "log", "open.number": number}, update)
        if left:
            self._settle(number, left)

    def _settle(self, number: int, left: dict[int, list[int]]) -> None:
        self._batches.bulk_write(
            [
                UpdateOne({"_id": other}, {"$addToSet": {"dead": {"$each": indexes}}})
                for other, indexes in left.items()
            ],
            ordered=False,
        )
        self._state.update_one({"_id": "log"}, {"$pull": {"settling": number}})

    def recover(self, source: str | None, now: datetime) -> int:
        """Finish or cancel what dead writers left; returns how many batches that were.

        With a source (whose lease the caller holds) all of its open batches are orphans;
        others count as such after :data:`ORPHANED_SECONDS`.
        """
        log = self._log()
        orphans = [
            entry["number"]
            for entry in log["open"]
            if entry["source"] == source or now - entry["at"] > timedelta(seconds=ORPHANED_SECONDS)
        ]
        for number in orphans:
            self._recover_batch(number)
        settling = [n for n in log["settling"] if source is not None or orphans]
        for number in settling:
            row = self._batches.find_one({"_id": number}, {"entries": 1, "dead": 1})
            if row is not None:
                batch = _unpack(row)
                written = [e for i, e in enumerate(batch.entries) if i not in batch.dead]
                self._settle(number, _places_left(written))
        return len(orphans)

    def mend(self, now: datetime) -> None:
        """Make records, batches and counts agree after they were copied while others wrote.

        Places that no record is at are dead; records in no batch (they moved after the batches
        were copied) take new places at the end; the sets are counted anew.
        """
        counts: Counter[tuple[str, str]] = Counter()
        fine: set[str] = set()
        last = self._log()["number"]
        known: set[str] = set()
        for row in self._batches.find({}, {"entries": 1, "sets": 1}):
            last = max(last, row["_id"])
            fine.update(spec for spec in row["sets"] if _is_fine(spec))
            entries = _unpack(row).entries
            names = [entry["id"] for entry in entries]
            found = self._records.find({"_id": {"$in": names}}, {"seq": 1})
            at = {record["_id"]: record["seq"] for record in found}
            here = {
                place
                for place, entry in enumerate(entries)
                if at.get(entry["id"]) == row["_id"] * STRIDE + place
            }
            known.update(entries[place]["id"] for place in here)
            for place in here:
                counts.update(_counted(entries[place]))
            dead = [place for place in range(len(entries)) if place not in here]
            self._batches.update_one({"_id": row["_id"]}, {"$set": {"dead": dead}})
        stray = [
            row["_id"] for row in self._records.find({}, {"_id": 1}) if row["_id"] not in known
        ]
        changes = [self._again(name) for name in stray]
        for change in changes:
            if change.was is not None:
                counts.update(_counted(_state(change.was)))
        told: dict[str, dict[str, int]] = {}
        for (name, kind), number in counts.items():
            told.setdefault(name, {})[kind] = number
        empty: dict[str, Any] = {"open": [], "settling": []}
        self._state.update_one({"_id": "log"}, {"$set": {"counts": told, "number": last, **empty}})
        self._state.update_one({"_id": "sets"}, {"$addToSet": {"fine": {"$each": sorted(fine)}}})
        for change in changes:
            self.put(change.identifier.partition("/")[0], [change], now)

    def _again(self, name: str) -> Change:
        """A record as it is, to be written at a new place."""
        row = self._records.find_one({"_id": name})
        assert row is not None
        left = tuple(row["left"])
        stored = _stored(row)
        was = None
        if left:
            # As if it were in them still: so it leaves them now, and whoever reads them hears it.
            was = replace(_known(row), seq=0, sets=left, left=(), deleted=False)
        return Change(
            identifier=name,
            record=None if stored.deleted else stored.record,
            hash=stored.hash,
            sets=stored.sets,
            fragments={prefix: _fragment(row, prefix) or "" for prefix in row["xml"]},
            document=stored.document,
            crosswalk=stored.crosswalk,
            page=stored.page,
            index=stored.index,
            stamp=stored.stamp,
            why=stored.why,
            was=was,
        )

    def _recover_batch(self, number: int) -> None:
        row = self._batches.find_one({"_id": number}, {"entries": 1, "dead": 1})
        if row is None:  # announced, but nothing of it was written
            self._state.update_one({"_id": "log"}, {"$pull": {"open": {"number": number}}})
            return
        entries = _unpack(row).entries
        names = [entry["id"] for entry in entries]
        at = {
            found["_id"]: found["seq"]
            for found in self._records.find({"_id": {"$in": names}}, {"seq": 1})
        }
        written, never = [], []
        for index, entry in enumerate(entries):
            if at.get(entry["id"]) == number * STRIDE + index:
                written.append(entry)
            else:
                never.append(index)
        if never:
            self._batches.update_one({"_id": number}, {"$addToSet": {"dead": {"$each": never}}})
        self._close(number, written)

    # --- reading ---------------------------------------------------------------------------

    def snapshot(self, *, age: float = 0.0) -> Snapshot:
        """How far a reader may read now, or could at most ``age`` seconds ago: what an older
        snapshot promises still holds. Orphaned batches are recovered on the way."""
        taken = time.monotonic()
        if taken - self._recent[0] < age:
            return self._recent[1]
        now = self._clock()
        log = self._log()
        if any(now - entry["at"] > timedelta(seconds=ORPHANED_SECONDS) for entry in log["open"]):
            self.recover(None, now)
            log = self._log()
        as_of = now.replace(microsecond=0)
        number = log["number"]
        for entry in log["open"]:
            number = min(number, entry["number"] - 1)
            as_of = min(as_of, _moment(entry["datestamp"]))
        self._recent = taken, Snapshot(bound=(number + 1) * STRIDE - 1, as_of=as_of)
        return self._recent[1]

    def walk(
        self,
        *,
        after: int,
        bound: int,
        limit: int,
        prefix: str | None,
        set_spec: str | None = None,
    ) -> Part:
        """Published records with ``after < position <= bound`` in the order of positions,
        deleted ones included, at most ``limit``."""
        if set_spec is None:
            return self._walk_batches(after, bound, limit, prefix)
        return self._walk_set(set_spec, after, bound, limit, prefix)

    def _walk_batches(self, after: int, bound: int, limit: int, prefix: str | None) -> Part:
        """Whole batches while they fit, so that runs are handed over as they are; a batch that
        does not fit even alone is cut."""
        xml: list[bytes] = []
        count, last = 0, after
        for batch in self._batches_from(after, bound, prefix):
            if count and count + batch.live > limit:
                return Part(xml=b"".join(xml), count=count, last=last, more=True)
            made, cut = rendered.take(batch.run, batch.start, batch.gone, limit)
            xml.append(made)
            count += min(batch.live, limit)
            last = batch.number * STRIDE + (STRIDE - 1 if cut is None else cut)
            if cut is not None:
                return Part(xml=made, count=count, last=last, more=True)
        return Part(xml=b"".join(xml), count=count, last=bound, more=False)

    def _batches_from(self, after: int, bound: int, prefix: str | None) -> Iterator[_Shown]:
        """Batches that have something for a reader after a position."""
        name = prefix or HEADERS
        fields = {"size": 1, "hidden": 1, "dead": 1, f"runs.{name}": 1, f"runs.{TOMBSTONES}": 1}
        first, last = _first_after(after), bound // STRIDE
        step = 2
        while first <= last:
            numbers = list(range(first, min(first + step, last + 1)))
            first += step
            step = min(step * 2, 64)
            rows = {r["_id"]: r for r in self._batches.find({"_id": {"$in": numbers}}, fields)}
            for number in sorted(rows):
                row = rows[number]
                start = max(0, after + 1 - number * STRIDE)
                gone = frozenset((*row["hidden"], *row.get("dead", ())))
                places = range(start, row["size"])
                live = len(places) - sum(1 for place in gone if place in places)
                run = _run_of(row, name)
                if live and run is not None:
                    yield _Shown(number, start, gone, live, run)

    def _walk_set(self, spec: str, after: int, bound: int, limit: int, prefix: str | None) -> Part:
        xml: list[bytes] = []
        last = after
        name = prefix or HEADERS
        fields = (f"runs.{name}", f"runs.{TOMBSTONES}")
        for row in self._batches_of_set(spec, after, bound, fields):
            number = row["_id"]
            run = _run_of(row, name)
            start = after + 1 - number * STRIDE
            here, left = _members(row, spec)
            places = [place for place in (*here, *left) if place >= start]
            if not places or run is None:
                continue
            if len(xml) == limit:
                return Part(xml=b"".join(xml), count=limit, last=last, more=True)
            cut = sorted(places)[: limit - len(xml)]
            if departed := left.intersection(cut):
                gone = self._departures(number, spec, departed, bare=prefix is None)
                picked = iter(rendered.pick(run, [p for p in cut if p not in gone]))
                xml += [gone[p] if p in gone else next(picked) for p in cut]
            else:
                xml += rendered.pick(run, cut)
            last = number * STRIDE + cut[-1]
            if len(cut) < len(places):
                return Part(xml=b"".join(xml), count=limit, last=last, more=True)
        return Part(xml=b"".join(xml), count=len(xml), last=bound, more=False)

    def _departures(
        self, number: int, spec: str, places: Iterable[int], *, bare: bool
    ) -> dict[int, bytes]:
        """Those of a batch that left a set but are elsewhere still: to those who read the set
        they are gone."""
        row = self._batches.find_one({"_id": number}, {"entries": 1, "datestamp": 1})
        assert row is not None, "batches are never deleted"
        entries, made = _unpack(row).entries, {}
        for place in places:
            sets = (*entries[place]["sets"], spec)
            head = rendered.header(entries[place]["id"], row["datestamp"], sets, deleted=True)
            made[place] = (head if bare else rendered.record(head, "")).encode()
        return made

    def _batches_of_set(
        self, spec: str, after: int, bound: int, fields: Iterable[str]
    ) -> Iterator[dict[str, Any]]:
        """The batches that may have something of a set, by two-sided windows over their
        numbers, wider while they are thin."""
        done, last = _first_after(after) - 1, bound // STRIDE
        wanted = dict.fromkeys(("members", "dead", *fields), 1)
        width = 2
        while done < last:
            upper = min(done + width, last)
            rows = self._batches.find(
                {"sets": spec, "number": {"$gt": done, "$lte": upper}}, wanted
            )
            yield from sorted(rows, key=lambda row: int(row["_id"]))
            done, width = upper, min(width * 2, 256)

    def memberships(self, bound: int) -> Iterator[tuple[str, str, str, bool]]:
        """Every membership of a published record up to a position, as the endpoint gives it:
        set (``""`` for all records), identifier, datestamp, whether it is deleted there."""
        fields = {"entries": 1, "datestamp": 1, "dead": 1}
        for number in range(1, bound // STRIDE + 1):
            row = self._batches.find_one({"_id": number}, fields)
            if row is None:
                continue
            batch = _unpack(row)
            for place, entry in enumerate(batch.entries):
                shown = None if place in batch.dead else _shown(entry)
                if shown is None:
                    continue
                sets, left, deleted = shown
                for spec in ("", *sets):
                    yield spec, entry["id"], row["datestamp"], deleted
                for spec in left:
                    yield spec, entry["id"], row["datestamp"], True

    def position_before(self, datestamp: str, bound: int) -> int:
        """The last position of a batch whose datestamp is earlier; 0 if there is none.

        Datestamps never go down from batch to batch, so this is a binary search by number.
        """
        low, high = 0, bound // STRIDE
        while low < high:
            middle = (low + high + 1) // 2
            found = self._datestamp_at_or_after(middle, high)
            if found is not None and found[1] < datestamp:
                low = found[0]
            else:
                high = middle - 1
        return (low + 1) * STRIDE - 1 if low else 0

    def _datestamp_at_or_after(self, number: int, last: int) -> tuple[int, str] | None:
        for candidate in range(number, last + 1):
            row = self._batches.find_one({"_id": candidate}, {"datestamp": 1})
            if row is not None:  # a number may be missing where a writer died very early
                return candidate, row["datestamp"]
        return None

    def contents(self, identifiers: Iterable[str]) -> dict[str, dict[str, Any]]:
        """What these records say, by identifier; deleted and unknown ones are left out."""
        fields = {"record": 1, "deleted": 1}
        found = self._records.find({"_id": {"$in": list(identifiers)}}, fields)
        return {row["_id"]: row["record"] for row in found if not row["deleted"]}

    def get(self, identifier: str) -> StoredRecord | None:
        """A record with all the store knows of it, published or not."""
        row = self._records.find_one({"_id": identifier}, {"xml": 0})
        return _stored(row) if row else None

    def get_published(self, identifier: str, prefix: str | None) -> Entry | None:
        """A published record's header and metadata; ``None`` if it is not published."""
        fields: dict[str, Any] = dict.fromkeys(_HEADER, 1)
        if prefix is not None:
            fields[f"xml.{prefix}"] = 1
        row = self._records.find_one({"_id": identifier}, fields)
        return None if row is None else _entry(row, prefix)

    def read(self, set_spec: str | None = None) -> Iterator[StoredRecord]:
        """All records in the order of positions, or those of a set; deleted and unpublished
        ones included."""
        last = self.snapshot().bound // STRIDE
        if set_spec is None:
            for number in range(1, last + 1):
                found = self._batches.find_one({"_id": number}, {"entries": 1, "dead": 1})
                if found is not None:
                    yield from self._read_batch(found, range(BATCH))
            return
        for found in self._batches_of_set(set_spec, 0, last * STRIDE, ("entries",)):
            for stored in self._read_batch(found, set().union(*_members(found, set_spec))):
                if set_spec in stored.sets:
                    yield stored

    def _read_batch(self, row: dict[str, Any], places: Places[int]) -> Iterator[StoredRecord]:
        batch = _unpack(row)
        names = [
            entry["id"]
            for place, entry in enumerate(batch.entries)
            if place in places and place not in batch.dead
        ]
        rows = {r["_id"]: r for r in self._records.find({"_id": {"$in": names}}, {"xml": 0})}
        for name in names:
            # A record that moved on since is met again at its new place.
            if name in rows and rows[name]["seq"] // STRIDE == row["_id"]:
                yield _stored(rows[name])

    def sources(self) -> list[str]:
        """The sources that have published records, by their sets."""
        return [name.partition(":")[2] for name in self.counts() if name.startswith("source:")]

    def in_other_sets(self, moved: Sequence[tuple[StoredRecord, tuple[str, ...]]]) -> list[Change]:
        """Live records as they are, each in the sets beside it."""
        names = [stored.identifier for stored, _ in moved]
        xml = {
            row["_id"]: {prefix: _fragment(row, prefix) or "" for prefix in row["xml"]}
            for row in self._records.find({"_id": {"$in": names}}, {"xml": 1})
        }
        known = self.look_up(names)
        return [
            Change(
                identifier=stored.identifier,
                record=stored.record,
                hash=stored.hash,
                sets=sets,
                fragments=xml[stored.identifier],
                document=stored.document,
                crosswalk=stored.crosswalk,
                page=stored.page,
                index=stored.index,
                stamp=stored.stamp,
                was=known[stored.identifier],
            )
            for stored, sets in moved
        ]

    def note_groups(self, digest: str) -> None:
        """Remember by which views and groups the records have their sets."""
        self._state.update_one({"_id": "sets"}, {"$set": {"groups": digest}}, upsert=True)

    def groups(self) -> str | None:
        """The digest that :meth:`note_groups` was last told."""
        found = self._state.find_one({"_id": "sets"}, {"groups": 1})
        return found.get("groups") if found else None

    def of_source(self, source: str) -> Iterator[StoredRecord]:
        """All records of a source, published or not."""
        yield from self.read(f"source:{source}")
        yield from self.read(f"{PRIVATE}source:{source}")

    def count(self, spec: str) -> Count:
        """Live and deleted records of a set; ``""`` is all that are published."""
        return self.recount(spec) if _is_fine(spec) else self.counts().get(spec, Count())

    def recount(self, spec: str) -> Count:
        """The same, counted from what the endpoint reads."""
        live = everything = 0
        for row in self._batches_of_set(spec, 0, self.snapshot().bound, ("tombstones",)):
            here, left = _members(row, spec)
            live += len(here.difference(row["tombstones"]))
            everything += len(here | left)
        return Count(live, everything - live)

    def fine_sets(self) -> list[str]:
        """The sets of a country and a type that ever had a record."""
        found = self._state.find_one({"_id": "sets"})
        return sorted(found.get("fine", [])) if found else []

    def counts(self) -> dict[str, Count]:
        """Live and deleted records of each set but the fine ones; ``""`` is all that are
        published."""
        counts = self._log(counts=True)["counts"]
        return {
            ("" if name == "all" else name): Count(
                max(0, row.get("live", 0)), max(0, row.get("deleted", 0))
            )
            for name, row in counts.items()
        }

    def earliest(self) -> str | None:
        """The earliest datestamp that was ever given."""
        earliest: str | None = self._log()["earliest"]
        return earliest

    def last_change(self) -> str | None:
        """The datestamp of the last change."""
        return self._log()["datestamp"] or None

    def _log(self, *, counts: bool = False) -> dict[str, Any]:
        log = self._state.find_one({"_id": "log"}, None if counts else {"counts": 0})
        assert log is not None, "prepare() makes it"
        return log


def private_sets(source: str) -> tuple[str, ...]:
    """The sets of a record that must not be published."""
    return (f"{PRIVATE}all", f"{PRIVATE}source:{source}")


_KNOWN = dict.fromkeys(
    (
        "seq",
        "hash",
        "sets",
        "left",
        "deleted",
        "document",
        "record.source_identifier",
        "record.provenance.source_datestamp",
    ),
    1,
)
"""What a :class:`Known` is made of."""
_HEADER = ("_id", "seq", "datestamp", "sets", "left", "deleted")
"""What the header of a record is made of."""


def _entry(row: dict[str, Any], prefix: str | None) -> Entry | None:
    """A row as its readers see it; ``None`` if it was never published."""
    shown = _shown(row)
    if shown is None:
        return None
    sets, _, deleted = shown
    return Entry(
        identifier=row["_id"],
        position=row["seq"],
        datestamp=row["datestamp"],
        sets=sets,
        deleted=deleted,
        fragment=None if deleted or prefix is None else _fragment(row, prefix),
    )


def _shown(state: dict[str, Any]) -> tuple[tuple[str, ...], tuple[str, ...], bool] | None:
    """What readers are told of a record: the sets it is in, those it left, and whether it is
    gone. One that is no longer published is gone to all who had it; ``None`` if nobody had."""
    sets, left = tuple(state["sets"]), tuple(state.get("left", ()))
    if not sets[0].startswith(PRIVATE):
        return sets, left, state["deleted"]
    return (left, (), True) if left else None


def _left(change: Change) -> list[str]:
    """The public sets a record was in before this change and will not be in after it."""
    if change.was is None:
        return []
    once = dict.fromkeys((*change.was.left, *change.was.sets))
    public = [spec for spec in once if not spec.startswith(PRIVATE)]
    return list(parents.left_with_parents(public, change.sets))


def _batches(changes: Sequence[Change]) -> Iterator[Sequence[Change]]:
    """Changes that one document can hold together: so many, and so large."""
    start = size = 0
    for index, change in enumerate(changes):
        more = sum(map(len, change.fragments.values()))
        if index > start and (index - start >= BATCH or size + more > BATCH_SIZE):
            yield changes[start:index]
            start, size = index, 0
        size += more
    if changes:
        yield changes[start:]


def _row(change: Change, source: str, seq: int, datestamp: str) -> dict[str, Any]:
    left = _left(change)
    return {
        "_id": change.identifier,
        "source": source,
        "seq": seq,
        "datestamp": datestamp,
        "sets": list(change.sets),
        "left": left,
        "hash": change.hash,
        "deleted": change.record is None,
        "document": {
            "hash": change.document,
            "crosswalk": change.crosswalk,
            "page": change.page,
            "index": change.index,
            "stamp": change.stamp,
        },
        "record": change.record,
        "why": change.why,
        # Packed: five formats are several times as large as all the rest of a record.
        "xml": {
            prefix: Binary(zlib.compress(made.encode(), 1))
            for prefix, made in change.fragments.items()
        },
    }


def _fragment(row: dict[str, Any], prefix: str) -> str | None:
    """A record in a format; ``None`` if it came later and the record was not mapped since.
    Records of the store's version 3 and before have it unpacked."""
    kept: bytes | str | None = row["xml"].get(prefix)
    return zlib.decompress(kept).decode() if isinstance(kept, bytes) else kept


def _write(change: Change, row: dict[str, Any]) -> UpdateOne | ReplaceOne[dict[str, Any]]:
    if change.record is not None:
        return ReplaceOne({"_id": change.identifier}, row, upsert=True)
    # A deleted record keeps its last content, for whoever asks what it was; it is not served.
    del row["record"]
    known = _named(change.identifier, row["source"], change.native) if change.native else {}
    return UpdateOne(
        {"_id": change.identifier}, {"$set": row, "$setOnInsert": {"record": known}}, upsert=True
    )


def _named(name: str, source: str, native: str) -> dict[str, Any]:
    """All that is known of a record that was never seen alive."""
    return {"identifier": name, "source": source, "source_identifier": native}


def _new_entries(changes: Sequence[Change]) -> list[dict[str, Any]]:
    entries = []
    for change in changes:
        entry: dict[str, Any] = {
            "id": change.identifier,
            "sets": list(change.sets),
            "deleted": change.record is None,
        }
        if left := _left(change):
            entry["left"] = left
        if change.was is not None:
            entry["was"] = {
                "seq": change.was.seq,
                "sets": list(change.was.sets),
                "left": list(change.was.left),
                "deleted": change.was.deleted,
            }
        entries.append(entry)
    return entries


def _batch_row(
    number: int,
    source: str,
    datestamp: str,
    entries: list[dict[str, Any]],
    changes: Sequence[Change],
) -> dict[str, Any]:
    fragments = [change.fragments for change in changes]
    return {
        "_id": number,
        "source": source,
        "datestamp": datestamp,
        # Packed: the engine need not look into a hundred entries to hand them over.
        "entries": Binary(zlib.compress(json.dumps(entries).encode(), 1)),
        **_memberships(number, entries),
        **_runs(entries, datestamp, fragments),
    }


def _memberships(number: int, entries: list[dict[str, Any]]) -> dict[str, Any]:
    """Which of a batch's places are in which set, and which left it: ``members``, packed, is
    ``{set: [places in it, places that left it]}`` as hexadecimal masks. Sets that are not
    published are those of the record itself, for whoever reads the store, not the endpoint."""
    members: dict[str, list[int]] = {}
    tombstones = []
    for place, entry in enumerate(entries):
        sets, left, deleted = _shown(entry) or ((), (), entry["deleted"])
        if entry["sets"][0].startswith(PRIVATE):
            sets = (*sets, *entry["sets"])
        for which, specs in enumerate((sets, left)):
            for spec in specs:
                members.setdefault(spec, [0, 0])[which] |= 1 << place
        if deleted:
            tombstones.append(place)
    masks = {spec: [f"{mask:x}" for mask in both] for spec, both in members.items()}
    return {
        "number": number,
        "sets": sorted(members),
        "members": Binary(zlib.compress(json.dumps(masks).encode(), 1)),
        "tombstones": tombstones,
    }


def _first_after(position: int) -> int:
    """The number of the first batch with places after a position: the place after the last one
    of a full batch is in the next."""
    return max(1, (position + 1 + STRIDE - BATCH) // STRIDE)


def _run_of(row: dict[str, Any], name: str) -> list[bytes] | None:
    """A batch's records in a format, or its tombstones; ``None`` for a format that came later
    than it, until its records are mapped again."""
    run: list[bytes] | None = row["runs"].get(name) or row["runs"].get(TOMBSTONES)
    return run


def _members(row: dict[str, Any], spec: str) -> tuple[set[int], set[int]]:
    """The places of a batch that are in a set, and those that left it; not those that are
    dead."""
    here, left = json.loads(zlib.decompress(row["members"]))[spec]
    dead = row.get("dead", ())
    return set(_bits(here)).difference(dead), set(_bits(left)).difference(dead)


def _bits(text: str) -> list[int]:
    mask = int(text, 16)
    return [place for place in range(mask.bit_length()) if mask >> place & 1]


def _runs(
    entries: list[dict[str, Any]], datestamp: str, fragments: Sequence[Mapping[str, str]]
) -> dict[str, Any]:
    """What of a batch its readers are given: the headers, and the records in each format."""
    heads = []
    for entry in entries:
        sets, _, deleted = _shown(entry) or ((), (), True)
        heads.append(rendered.header(entry["id"], datestamp, sets, deleted=deleted))
    runs = {HEADERS: rendered.pack(heads)}
    prefixes = {prefix for made in fragments for prefix in made}
    for prefix in prefixes or {TOMBSTONES}:
        whole = [
            rendered.record(head, made.get(prefix, ""))
            for head, made in zip(heads, fragments, strict=True)
        ]
        runs[prefix] = rendered.pack(whole)
    return {
        "size": len(entries),
        "hidden": [i for i, entry in enumerate(entries) if _shown(entry) is None],
        "runs": runs,
    }


@dataclass(frozen=True, slots=True)
class _Shown:
    """What of a batch is there for a reader."""

    number: int
    start: int
    gone: frozenset[int]
    """Places nobody is to see."""
    live: int
    """How many records are at the others, from ``start`` on."""
    run: list[bytes]


@dataclass(frozen=True, slots=True)
class _Batch:
    """A batch read back."""

    entries: list[dict[str, Any]]
    dead: frozenset[int]


def _unpack(row: dict[str, Any]) -> _Batch:
    return _Batch(
        entries=json.loads(zlib.decompress(row["entries"])),
        dead=frozenset(row.get("dead", ())),
    )


def _places_left(entries: Iterable[dict[str, Any]]) -> dict[int, list[int]]:
    left: dict[int, list[int]] = {}
    for entry in entries:
        if was := entry.get("was"):
            left.setdefault(was["seq"] // STRIDE, []).append(was["seq"] % STRIDE)
    return left


def _count_changes(entries: Iterable[dict[str, Any]]) -> dict[str, int]:
    delta: Counter[str] = Counter()
    for entry in entries:
        for state, sign in ((entry, 1), (entry.get("was"), -1)):
            if state is None:
                continue
            for name, kind in _counted(state):
                delta[f"counts.{name}.{kind}"] += sign
    return {name: change for name, change in delta.items() if change}


def _state(known: Known) -> dict[str, Any]:
    return {"sets": list(known.sets), "left": list(known.left), "deleted": known.deleted}


def _is_fine(spec: str) -> bool:
    return spec.count(":") > 1


def _counted(state: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """The sets a record counts in, and as what: those it left have it as deleted."""
    if state["sets"][0].startswith(PRIVATE):
        kind = "deleted" if state["deleted"] else "live"
        yield from ((name, kind) for name in state["sets"])
    if (shown := _shown(state)) is not None:
        sets, left, deleted = shown
        kind = "deleted" if deleted else "live"
        yield from ((name, kind) for name in ("all", *sets) if not _is_fine(name))
        yield from ((name, "deleted") for name in left if not _is_fine(name))


def _known(row: dict[str, Any]) -> Known:
    return Known(
        seq=row["seq"],
        hash=row["hash"],
        sets=tuple(row["sets"]),
        left=tuple(row["left"]),
        deleted=row["deleted"],
        document=row["document"]["hash"],
        crosswalk=row["document"]["crosswalk"],
        page=row["document"]["page"],
        index=row["document"]["index"],
        stamp=_source_stamp(row),
        named="source_identifier" in (row.get("record") or {}),
    )


def _source_stamp(row: dict[str, Any]) -> str | None:
    """The date a source put on a document. Rows of version 4 and before have it in the record, and
    not that of a deletion."""
    document: dict[str, str | None] = row["document"]
    if "stamp" in document or row["deleted"]:
        return document.get("stamp")
    found: str | None = ((row.get("record") or {}).get("provenance") or {}).get("source_datestamp")
    return found


def _stored(row: dict[str, Any]) -> StoredRecord:
    return StoredRecord(
        identifier=row["_id"],
        seq=row["seq"],
        datestamp=row["datestamp"],
        sets=tuple(row["sets"]),
        left=tuple(row["left"]),
        deleted=row["deleted"],
        record=row["record"],
        hash=row["hash"],
        document=row["document"]["hash"],
        crosswalk=row["document"]["crosswalk"],
        page=row["document"]["page"],
        index=row["document"]["index"],
        why=row.get("why", ""),
        stamp=_source_stamp(row),
    )


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment(stamp: str) -> datetime:
    return datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
