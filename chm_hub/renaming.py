"""Give the records of a source readable names, in a store where they have digests.

The records of a source that an earlier version harvested keep their names, since partners know
them. A person may say otherwise: of records that nobody has harvested, the old names vanish; of
others, each old name becomes a tombstone and partners meet the record as a new one.

Each step can be done again: a process that is killed leaves records under their old or their new
names, the source's harvests wait, and the same command finishes the work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from itertools import islice

from chm_hub.errors import StoreError
from chm_hub.names import READABLE, digested, is_digest, readable
from chm_hub.record import canonical, content_hash, to_dict, validate
from mappings import formats
from store import Change, Known, Lease, Store, StoredRecord
from store.records import PRIVATE

PUBLISHED, UNPUBLISHED = "published", "unpublished"
WHY = "renamed"
"""Why the tombstone of an old name is there."""
PAIRS = 50
"""Records renamed in one write: a new name and a tombstone each, together one batch."""
EXAMPLES = 5

Tell = Callable[[str, int, int], None]
"""Called with the source, how many records were renamed, and how many are to be."""


@dataclass(slots=True)
class Renaming:
    """What a renaming did, or would do."""

    source: str
    renamed: int = 0
    """Live records that get a readable name."""
    kept: int = 0
    """Records that keep a digest: the source's identifier is not legal in ours, or too long."""
    tombstones: int = 0
    """Deleted records named by a digest. Partners know them: they stay under their old names.
    Of records that nobody knows they are renamed, too."""
    examples: list[tuple[str, str]] = field(default_factory=list)
    """Some old names and the new ones."""


def sources(store: Store) -> list[str]:
    """The sources whose records are named by digests, or whose renaming is not finished."""
    return [
        source
        for source in store.runs.sources()
        if store.names.rule(source) != READABLE or store.names.renaming(source)
    ]


def plan(store: Store, source: str) -> Renaming:
    """What renaming a source would do; nothing is changed."""
    done = Renaming(source)
    if store.names.rule(source) == READABLE:
        return done
    for stored in store.records.of_source(source):
        _count(done, stored)
    return done


def rename(store: Store, chosen: list[str], declared: str, tell: Tell) -> list[Renaming]:
    """Name the records of sources readably; ``declared`` is :data:`PUBLISHED` or
    :data:`UNPUBLISHED`.

    Raises :class:`StoreError` where one of them is being harvested, where another declaration was
    begun with, and, of unpublished records, where any source is being harvested: the log of
    changes is then written anew, once for all of them.
    """
    if declared == UNPUBLISHED:
        with store.explained():
            busy = set(store.leases.live(store.now())) - set(chosen)
        for name in sorted(busy):  # rather now than after the work
            with _leased(store, name):
                pass
    done = [_rename(store, source, declared, tell) for source in chosen]
    if declared == UNPUBLISHED:
        _forget(store, chosen)
    return done


def _rename(store: Store, source: str, declared: str, tell: Tell) -> Renaming:
    with _leased(store, source) as lease:
        begun = store.names.renaming(source)
        if begun not in (None, declared):
            raise StoreError(
                f"{source}: its renaming was begun with --{begun}. Finish it: chm-hub identifiers "
                f"rename {source} --{begun}"
            )
        done = Renaming(source)
        if store.names.rule(source) == READABLE:
            return done
        expected = plan(store, source).renamed
        store.names.begin(source, declared)
        found = (s for s in store.records.of_source(source) if _count(done, s, declared))
        while some := list(islice(found, PAIRS)):
            store.leases.renew(lease, store.now())
            _move(store, source, some, lease)
            tell(source, done.renamed, expected)
        _follow(store, source, _moved(store, source))
        if declared == PUBLISHED:
            store.names.end(source)
        return done


def _forget(store: Store, chosen: list[str]) -> None:
    """Take the old names of sources out of the store; nobody may write meanwhile."""
    with store.explained():
        unfinished = [source for source in chosen if store.names.renaming(source)]
        everyone = store.runs.sources() if unfinished else []
    with ExitStack() as stack:
        for source in everyone:
            stack.enter_context(_leased(store, source))
        with store.explained():
            for source in unfinished:
                store.names.forget(source, _moved(store, source))
            if unfinished:
                store.records.mend(store.now())
            for source in unfinished:
                store.names.end(source)


@contextmanager
def _leased(store: Store, source: str) -> Iterator[Lease]:
    with store.explained():
        lease = store.leases.take(source, store.now())
        try:
            store.records.recover(source, store.now())
            yield lease
        finally:
            store.leases.release(lease)


def new_name(stored: StoredRecord) -> str | None:
    """The readable name of a record that is named by a digest; ``None`` if it has none."""
    if not is_digest(stored.identifier):
        return None
    source = stored.identifier.partition("/")[0]
    native = stored.record.get("source_identifier", "")
    # What the record says of its identifier was made legal: it may be another than the source's.
    if digested(source, native) != stored.identifier:
        return None
    name = readable(source, native)
    return None if name == stored.identifier else name


def _count(done: Renaming, stored: StoredRecord, declared: str = PUBLISHED) -> bool:
    """Count a record; whether it is to be renamed."""
    if not is_digest(stored.identifier) or stored.why == WHY:
        return False
    name = new_name(stored)
    if stored.deleted:
        done.tombstones += 1
        return declared == UNPUBLISHED and name is not None
    if name is None:
        done.kept += 1
        return False
    done.renamed += 1
    if len(done.examples) < EXAMPLES:
        done.examples.append((stored.identifier, name))
    return True


def _move(store: Store, source: str, some: list[StoredRecord], lease: Lease) -> None:
    """Write records under their new names, and tombstones under the old ones."""
    pairs = [(stored, new_name(stored) or stored.identifier) for stored in some]
    dead = [(stored, name) for stored, name in pairs if stored.deleted]
    known = store.records.look_up(name for pair in pairs for name in (pair[0].identifier, pair[1]))
    changes = [
        _as(stored, name, known.get(name)) for stored, name in pairs if "type" in stored.record
    ]
    given_up = [
        replace(Change.deletion(stored.identifier, stored, WHY), was=known[stored.identifier])
        for stored, _ in pairs
    ]
    if not dead:
        store.records.put(source, [*changes, *given_up], store.now(), fence=lease.fence)
        return
    # A tombstone keeps the last content of its record, which it therefore has to be first; one
    # that was never seen alive has nothing but its names.
    store.records.put(source, changes, store.now(), fence=lease.fence)
    known = store.records.look_up(name for _, name in dead)
    buried = [
        replace(
            Change.deletion(name, stored, stored.why),
            was=known.get(name),
            stamp=stored.stamp,
            native=stored.record["source_identifier"],
        )
        for stored, name in dead
    ]
    store.records.put(source, [*buried, *given_up], store.now(), fence=lease.fence)


def _as(stored: StoredRecord, name: str, was: Known | None) -> Change:
    """A record as it is, or as it was before it was deleted, under another name."""
    record = replace(validate(stored.record), identifier=name)
    plain = to_dict(record)
    published = not stored.sets[0].startswith(PRIVATE)
    return Change(
        identifier=name,
        record=plain,
        hash=f"{formats.VERSION}:{content_hash(canonical(plain))}",
        sets=stored.sets,
        fragments=formats.fragments(record) if published else {},
        document=stored.document,
        crosswalk=stored.crosswalk,
        page=stored.page,
        index=stored.index,
        stamp=stored.stamp,
        was=was,
    )


def _moved(store: Store, source: str) -> dict[str, str]:
    """Every old name that was given up, in this process or one before, and the new one."""
    return {
        stored.identifier: name
        for stored in store.records.of_source(source)
        if stored.deleted and stored.why == WHY and (name := new_name(stored)) is not None
    }


def _follow(store: Store, source: str, names: dict[str, str]) -> None:
    """What else the store knows under the old names it knows under the new ones."""
    missing = store.runs.missing(source)
    if names.keys() & missing.keys():
        store.runs.set_missing(source, {names.get(n, n): since for n, since in missing.items()})
    store.decisions.rename(source, names)
    aside = [e for e in store.aside.of_source(source) if is_digest(e.identifier)]
    new = {**_of_pages(store, source, {entry.page for entry in aside}), **names}
    # An entry whose identifier is on no kept page any more cannot be named anew: the next whole
    # walk notes it again.
    moving = [entry for entry in aside if new.get(entry.identifier) != entry.identifier]
    store.aside.write(
        [
            replace(entry, identifier=new[entry.identifier])
            for entry in moving
            if entry.identifier in new
        ],
        [entry.identifier for entry in moving],
    )


def _of_pages(store: Store, source: str, pages: set[str]) -> dict[str, str]:
    """Old names of the documents that kept pages hold, and the new ones."""
    found: dict[str, str] = {}
    for page in pages:
        kept = store.documents.find(page)
        for document in kept.documents if kept is not None else ():
            native = document.identifier
            found[digested(source, native)] = readable(source, native)
    return found
