"""What a person decides of a run that was held: approve, reject, undo (rule R11, promise P4)."""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import islice

from adapters.source import Source
from chm_hub import instalments
from chm_hub.errors import StoreError
from chm_hub.record import canonical, content_hash, validate
from chm_hub.sets import Groups, sets_of
from mappings import formats
from store import Change, Known, Lease, Run, Store, StoredRecord
from store.decisions import RENAMED, REVERSIBLE, Held

PART = 500
"""Records written together."""


def approve(store: Store, source: str, now: datetime) -> tuple[list[Held], Run]:
    """Carry out the deletions of a source that wait, and take a source that has become another
    one as it is now; returns what was approved, one or both of them, and the run of it.

    A record that the source has listed again since is left alone. Raises :class:`StoreError`
    where nothing waits, or somebody is harvesting the source.
    """
    _waiting(store, source, now)
    with store.explained():
        lease = store.leases.take(source, now)
        try:
            # Once more: a run may have ended meanwhile.
            waiting = _waiting(store, source, now)
            run = store.runs.begin(source, "approve", now)
            for held in waiting:
                if held.jumps:
                    _take_as_it_is(store, source, held)
                missing = store.runs.missing(source)
                for part in _parts(store.decisions.names(held)):
                    _delete(store, run, held, dict(part), missing, lease)
                store.decisions.decide(held.run, "approved", now)
            # What is not deleted yet, or not taken yet, the next harvest brings: soon.
            store.schedule.move(source, now)
            return waiting, _ended(store, run, now)
        finally:
            store.leases.release(lease)


def reject(store: Store, source: str, now: datetime) -> list[Held]:
    """Keep the records whose deletion waits until the source lists them again, and what a
    source that has become another one was like: the next run is held as this one was. Returns
    what was rejected, one or both of them."""
    waiting = _waiting(store, source, now)
    with store.explained():
        for held in waiting:
            store.decisions.decide(held.run, "rejected", now)
    return waiting


def undo(store: Store, source: Source, groups: Groups, now: datetime) -> tuple[list[Held], Run]:
    """Take the last decision of a source back; returns what was decided by it, and the run of it.

    What an approval deleted is brought back, for 30 days; records that have come back by
    themselves are left alone. A source that was taken as it was is judged by what it was like
    before, at the next run, which walks it whole; what was written since stays. What was rejected,
    however long ago, may be deleted again. Raises :class:`StoreError` where nothing was decided
    that can be undone.
    """
    with store.explained():
        decided = _last_decided(store, source.id, now)
        if not decided:
            raise StoreError(
                f"{source.id}: no decision is there to be undone; approvals can be for "
                f"{REVERSIBLE.days} days. `chm-hub held list --all` shows what was decided"
            )
        lease = store.leases.take(source.id, now)
        try:
            run = store.runs.begin(source.id, "undo", now)
            for held in decided:
                if held.decision == "approved":
                    for part in _parts(store.decisions.names(held)):
                        names = [name for name, _ in part]
                        _revive(store, source, groups, run, names, lease)
                        _withdraw(store, run, part, lease)
                    if held.jumps:
                        _judge_as_before(store, source.id, held)
                store.decisions.decide(held.run, "undone", now)
            return decided, _ended(store, run, now)
        finally:
            store.leases.release(lease)


def _take_as_it_is(store: Store, source: str, held: Held) -> None:
    """The next runs are not judged, until one has taken all there is; what was lost till now is
    accepted."""
    store.runs.set_cursor(source, {instalments.KEPT: None})
    summary = store.watch.summary(source) or {}
    if profile := summary.get("profile"):
        # First: whoever is interrupted between the two still has it.
        store.decisions.keep_profile(held.run, profile)
    if summary:
        store.watch.keep(source, {**summary, "profile": None, "taken": held.run})


def _judge_as_before(store: Store, source: str, held: Held) -> None:
    """The next run walks the source whole, and is judged by what the source was like before."""
    summary = store.watch.summary(source) or {}
    summary.pop("taken", None)
    if profile := store.decisions.profile(held.run):
        summary["profile"] = profile
    if summary:
        store.watch.keep(source, summary)
    # Only a whole walk is compared with it.
    store.runs.set_cursor(source, {"full": None, "checkpoint": None})


def _last_decided(store: Store, source: str, now: datetime) -> list[Held]:
    """What a person decided last: a jump, deletions, or both at once."""
    found = [held for held in store.decisions.all(source) if held.reversible(now)]
    last = max((held.decided for held in found if held.decided is not None), default=None)
    return [held for held in found if held.decided == last]


def _waiting(store: Store, source: str, now: datetime) -> list[Held]:
    with store.explained():
        waiting = store.decisions.waiting(source)
        decided = _last_decided(store, source, now)
    if waiting:
        return waiting
    if not decided or decided[-1].decided is None:
        raise StoreError(f"{source}: nothing waits for a decision, and nothing was decided")
    last, day = decided[-1], decided[-1].decided
    raise StoreError(
        f"{source}: nothing waits for a decision. What {last.run} was held for was "
        f"{last.decision} on {day:%Y-%m-%d}; `chm-hub held undo {source}` takes that "
        "back, `chm-hub held list --all` shows all decisions"
    )


def _parts(names: Iterable[tuple[str, str]]) -> Iterator[list[tuple[str, str]]]:
    rest = iter(names)
    while part := list(islice(rest, PART)):
        yield part


def _delete(
    store: Store,
    run: Run,
    held: Held,
    why: dict[str, str],
    missing: Container[str],
    lease: Lease,
) -> None:
    store.leases.renew(lease, store.now())
    known = store.records.look_up(why)
    # Runs take such records off what waits. This is the second wall, for one that was killed.
    listed = {
        name
        for name, one in known.items()
        if _run_number(one.page) > _run_number(f"{held.run}/")
        or (why[name] == "missing" and name not in missing)
    }
    # An undo must not bring back what something else deletes later.
    if listed:
        store.decisions.let_go(held.run, listed)
    changes = [
        replace(Change.deletion(name, one, _word(why[name])), was=one)
        for name, one in known.items()
        if not one.deleted and name not in listed
    ]
    store.records.put(run.source, changes, store.now(), fence=lease.fence)
    run.counts["deleted"] += len(changes)


def _word(why: str) -> str:
    return "renamed" if why.startswith(RENAMED) else why


def _withdraw(store: Store, run: Run, part: list[tuple[str, str]], lease: Lease) -> None:
    """Delete what was taken under new names, now that the old names are back: else each record
    would be there twice."""
    new = [why.removeprefix(RENAMED) for _, why in part if why.startswith(RENAMED)]
    known = store.records.look_up(new)
    changes = [
        replace(Change.deletion(name, one, "renamed"), was=one)
        for name, one in known.items()
        if not one.deleted
    ]
    store.records.put(run.source, changes, store.now(), fence=lease.fence)
    run.counts["deleted"] += len(changes)


def _run_number(page: str) -> int:
    """The number of the run that a page is of: runs of a source are counted."""
    return int(page.split("/")[1])


def _revive(
    store: Store,
    source: Source,
    groups: Groups,
    run: Run,
    names: list[str],
    lease: Lease,
) -> None:
    store.leases.renew(lease, store.now())
    known = store.records.look_up(names)
    changes = []
    for name in names:
        stored = store.records.get(name)
        # One that was never seen alive has nothing but its name.
        if stored is not None and stored.deleted and "type" in stored.record:
            changes.append(_as_it_was(stored, source, groups, known[name]))
    store.records.put(run.source, changes, store.now(), fence=lease.fence)
    run.counts["new"] += len(changes)


def _as_it_was(stored: StoredRecord, source: Source, groups: Groups, known: Known) -> Change:
    """A deleted record's last content, rendered again."""
    record = validate(stored.record)
    published = source.declared.republish
    return Change(
        identifier=stored.identifier,
        record=stored.record,
        hash=f"{formats.VERSION}:{content_hash(canonical(stored.record))}",
        sets=(
            tuple(sets_of(record, source.system, groups, source.declared.region))
            if published
            else known.sets
        ),
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
