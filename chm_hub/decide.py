"""What a person decides of a run that was held: approve, reject, undo (rule R11, promise P4)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice

from adapters.source import Source
from chm_hub.errors import StoreError
from chm_hub.record import canonical, content_hash, validate
from chm_hub.sets import Groups, sets_of
from mappings import formats
from store import Change, Known, Lease, Run, Store, StoredRecord
from store.decisions import REVERSIBLE, Held

PART = 500
"""Records written together."""


def approve(store: Store, source: str, now: datetime) -> Run:
    """Carry out the deletions of a source that wait, or take a source that has become another
    one as it is now; returns the run of it.

    A record that the source has listed again since is left alone. Raises :class:`StoreError`
    where nothing waits, or somebody is harvesting the source.
    """
    held = _waiting(store, source)
    with store.explained():
        lease = store.leases.take(source, now)
        try:
            run = store.runs.begin(source, "approve", now)
            if not held.count:
                summary = store.watch.summary(source) or {}
                store.watch.keep(source, {**summary, "profile": None})
            for part in _parts(store.decisions.names(held)):
                _delete(store, run, dict(part), now, lease)
            store.decisions.decide(held.run, "approved", now)
            # What is not deleted yet, or not taken yet, the next harvest brings: soon.
            store.schedule.move(source, now)
            return _ended(store, run, now)
        finally:
            store.leases.release(lease)


def reject(store: Store, source: str, now: datetime) -> Held:
    """Keep the records whose deletion waits, until the source lists them again."""
    held = _waiting(store, source)
    with store.explained():
        store.decisions.decide(held.run, "rejected", now)
    return held


def undo(store: Store, source: Source, groups: Groups, now: datetime) -> Run:
    """Bring back what the last approval of a source deleted; what it rejected may be deleted
    again. Possible for 30 days; records that have come back by themselves are left alone.

    Raises :class:`StoreError` where nothing was decided that can be undone.
    """
    with store.explained():
        decided = [
            held
            for held in store.decisions.all(source.id)
            if held.decision in ("approved", "rejected")
            and held.decided is not None
            and now - held.decided <= REVERSIBLE
        ]
        if not decided:
            raise StoreError(
                f"{source.id}: no decision of the last {REVERSIBLE.days} days is there to be undone"
            )
        held = max(decided, key=lambda h: h.decided or h.at)
        lease = store.leases.take(source.id, now)
        try:
            run = store.runs.begin(source.id, "undo", now)
            if held.decision == "approved":
                for part in _parts(store.decisions.names(held)):
                    names = [name for name, _ in part]
                    _revive(store, source, groups, run, names, now, lease)
            store.decisions.decide(held.run, "undone", now)
            return _ended(store, run, now)
        finally:
            store.leases.release(lease)


def _waiting(store: Store, source: str) -> Held:
    with store.explained():
        waiting = store.decisions.waiting(source)
    if not waiting:
        raise StoreError(f"{source}: nothing waits for a decision. `chm-hub held list` shows all")
    return waiting[0]


def _parts(names: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    rest = iter(names)
    while part := list(islice(rest, PART)):
        yield part


def _delete(store: Store, run: Run, why: dict[str, str], now: datetime, lease: Lease) -> None:
    store.leases.renew(lease, store.now())
    changes = [
        Change(
            identifier=name,
            record=None,
            hash="",
            sets=known.sets,
            document=known.document,
            crosswalk=known.crosswalk,
            page=known.page,
            index=known.index,
            why=why[name],
            was=known,
        )
        for name, known in store.records.look_up(why).items()
        if not known.deleted
    ]
    store.records.put(run.source, changes, now, fence=lease.fence)
    run.counts["deleted"] += len(changes)


def _revive(
    store: Store,
    source: Source,
    groups: Groups,
    run: Run,
    names: list[str],
    now: datetime,
    lease: Lease,
) -> None:
    store.leases.renew(lease, store.now())
    known = store.records.look_up(names)
    changes = []
    for name in names:
        stored = store.records.get(name)
        if stored is not None and stored.deleted and stored.record:
            changes.append(_as_it_was(stored, source, groups, known[name]))
    store.records.put(run.source, changes, now, fence=lease.fence)
    run.counts["new"] += len(changes)


def _as_it_was(stored: StoredRecord, source: Source, groups: Groups, known: Known) -> Change:
    """A deleted record's last content, rendered again."""
    record = validate(stored.record)
    published = source.declared.republish
    return Change(
        identifier=stored.identifier,
        record=stored.record,
        hash=f"{formats.VERSION}:{content_hash(canonical(stored.record))}",
        sets=tuple(sets_of(record, source.system, groups)) if published else known.sets,
        fragments=formats.fragments(record) if published else {},
        document=stored.document,
        # Whatever the source says next is looked at afresh.
        crosswalk="",
        page=stored.page,
        index=stored.index,
        was=known,
    )


def _ended(store: Store, run: Run, now: datetime) -> Run:
    run.state, run.ended = "complete", now
    store.runs.save(run)
    return run
