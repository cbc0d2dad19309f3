"""What came of a source waits here, as kept pages, until the drift guard has judged all of it.

Documents that are as they were pass at once. What changed, and what is new, is mapped for a look,
and its place on the kept page is noted (:mod:`store.staged`). At the end of the walk it is read
again from there and written, or not. So memory does not depend on how much changed, and a run
that is killed loses nothing: the next one goes on from the same notes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from chm_hub import instalments
from chm_hub.document import Document, Walk
from chm_hub.guard import Guard, Verdict, judge
from chm_hub.instalments import Instalments
from chm_hub.mapping import Mapper, named, namer
from chm_hub.record import canonical, to_dict
from chm_hub.versions import superseded
from mappings import crosswalk as crosswalks
from store import Known, Store
from store.documents import document_hash
from store.staged import StagedPage

OUTCOMES = 8 * 2**20
"""Bytes of what mapped documents say that are kept in memory, so that none is mapped again;
as objects they take some six times as much."""


NameOf = Callable[[str], str]
"""Our name of what a source calls a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """A page that is kept, and whose records are to be stored."""

    page: str
    urls: list[str]
    places: list[tuple[int, Document]]
    reached: dict[str, Any] | None = None
    """Where the walk goes on after it."""
    judged: bool = False
    """Whether it is known that its documents count: none of them is met here first."""


class Staging:
    """Looks at the pages of a run, and keeps back what would be published."""

    def __init__(self, store: Store, mapper: Mapper, previous: Mapping[str, Any] | None) -> None:
        self._store = store
        self._source = mapper.source.id
        self._mapper = mapper
        self._name = namer(store, mapper.source.id)
        self._previous = previous
        """What the source was like when it was last accepted."""
        cursor = store.runs.cursor(self._source)
        self.guard = Guard(
            _live(store, self._source), Instalments.of_stored(cursor.get(instalments.KEPT))
        )
        self._walk = datetime.min
        self._staged: list[StagedPage] = []
        self._names: set[bytes] = set()
        """Digests of the identifiers of what waits: what comes of them later waits too."""
        self._met: set[bytes] = set()
        """Digests of the identifiers of all live documents that came."""
        self._still = 0
        """How many live records are among them."""
        self._outcomes: dict[tuple[str, int], crosswalks.Outcome] = {}
        self._room = OUTCOMES

    @property
    def count(self) -> int:
        """How many documents wait."""
        return sum(len(staged.places) for staged in self._staged)

    # --- while the source is walked --------------------------------------------------------

    def begin(self, walk: Walk, *, resumed: bool, guarded: bool) -> None:
        """Begin with a walk; what waits of one that was cut off waits on, and is looked at
        where there is a guard."""
        self._walk = walk.started
        for staged in self._store.staged.of_walk(self._source, walk.started) if resumed else ():
            if guarded:
                self._look(self._read(staged))
            self._staged.append(staged)

    def take(self, kept: Kept) -> Kept:
        """Look at a page and keep back what changed; returns the page without that."""
        waiting = self._look(kept, passes=True)
        if not waiting:
            return kept
        staged = StagedPage(kept.page, tuple(waiting))
        # Before the place reached is noted: whoever goes on from there finds it (promise P3).
        self._store.staged.add(self._source, self._walk, staged.page, staged.places)
        self._staged.append(staged)
        held = set(waiting)
        return replace(kept, places=[place for place in kept.places if place[0] not in held])

    def look(self, kept: Kept) -> None:
        """Look at a page that is not to be kept back."""
        self._look(kept)

    def outcome(self, page: str, index: int) -> crosswalks.Outcome | None:
        """What a document was mapped to while it was looked at, if that is still known."""
        return self._outcomes.pop((page, index), None)

    def _look(self, kept: Kept, *, passes: bool = False) -> list[int]:
        """Map what changed on a page; returns the numbers of the documents that must wait. Where
        the others are written next (``passes``), what they were mapped to is remembered."""
        names = {i: self._name(d.identifier) for i, d in kept.places}
        known = self._store.records.look_up(set(names.values()))
        changed = [
            (index, document)
            for index, document in kept.places
            if not self._passes(names[index], document, known.get(names[index]))
        ]
        live = {names[i] for i, _ in changed if (k := known.get(names[i])) and not k.deleted}
        before = self._store.records.contents(live) if live else {}
        waiting = []
        for index, document in changed:
            name = names[index]
            first = _digest(name) not in self._names
            one = known.get(name)
            outcome, waits = None, True
            if first and not document.deleted:
                raw = self._mapper.raw(document, kept.urls[document.payload])
                outcome = named(raw)
                waits = self._consider(document, name, raw, one, before.get(name))
            if outcome is not None and ((passes and not waits) or self._has_room(outcome)):
                self._outcomes[kept.page, index] = outcome
            if waits:
                self._names.add(_digest(name))
                waiting.append(index)
        return waiting

    def _has_room(self, outcome: crosswalks.Outcome) -> bool:
        """Whether what a document was mapped to is kept in memory till it is written."""
        if self._room <= 0:
            return False
        self._room -= len(canonical(to_dict(outcome.record))) if outcome.record is not None else 100
        return self._room > 0

    def _passes(self, name: str, document: Document, known: Known | None) -> bool:
        """Whether nothing can be published of a document that need not be mapped."""
        digest = _digest(name)
        if not document.deleted and digest not in self._met:
            self._met.add(digest)
            self._still += known is not None and not known.deleted
        if digest in self._names:
            return False
        if document.deleted:
            # A live record's deletion has a guard of its own; what was never held is told as gone.
            return known is not None
        if known is None or not self._mapper.as_new(known, document_hash(document)):
            return False
        self.guard.same(document)
        return True

    def _consider(
        self,
        document: Document,
        name: str,
        outcome: crosswalks.Outcome,
        known: Known | None,
        before: Mapping[str, Any] | None,
    ) -> bool:
        """Show what a document was mapped to to the guard, with what its live record says, if
        there is one; whether something may be published of it."""
        if outcome.deleted:
            return True
        record = outcome.record
        unnamed = named(outcome).record is None
        # A record that has lost its title is told as that; a new one without a name is none.
        if record is not None and unnamed and before is None:
            record = None
        if record is not None:
            record = replace(record, identifier=name)
        plain = to_dict(record) if record is not None else None
        rejected = outcome.rejected is not None
        self.guard.looked_at(
            name, document, record, plain, before, rejected=rejected, stays=unnamed
        )
        if record is None or plain is None:
            return before is not None
        if known is None or before is None:
            return True
        return self._mapper.shown(record, plain) != (known.hash, known.sets)

    # --- at its end ------------------------------------------------------------------------

    def judge(self, walk: Walk, total: int | None, *, whole: bool, listed: bool = False) -> Verdict:
        """Ask the guard. ``whole`` says that the walk asked for everything and came to its end,
        ``listed`` that it met all there is; ``total`` is the number of records that the source
        announced."""
        guard = self.guard
        repository = ({**walk.memory, **walk.learned}.get("repository") or {}).get("name")
        before = dict(self._previous) if self._previous else None
        return judge(
            before=before,
            now=guard.profile.told(
                whole=whole or listed,
                records=guard.alive if listed else None,
                repository=repository,
                before=before,
            ),
            sample=guard.sample.told(whole=True, records=None, repository=repository, before=None),
            total=total,
            comparison=guard.comparison,
            renamed=guard.renamed(self._not_met(), whole=listed),
            still=self._still if listed else None,
        )

    def _not_met(self) -> Iterator[tuple[str, Mapping[str, Any]]]:
        for record in self._store.records.of_source(self._source):
            if not record.deleted and _digest(record.identifier) not in self._met:
                yield record.identifier, record.record

    def pages(self) -> Iterator[Kept]:
        """What waits, page by page, in the order in which it came."""
        for staged in self._staged:
            yield self._read(staged)

    def remember(self) -> None:
        """What was judged is written: the next run is judged by its losses too."""
        lost = self.guard.comparison.after().stored()
        self._store.runs.set_cursor(self._source, {instalments.KEPT: lost})

    def clear(self) -> None:
        """Nothing waits any more: it is written, or it never will be."""
        self._staged = []
        self._store.staged.clear(self._source, self._walk)

    def _read(self, staged: StagedPage) -> Kept:
        page = self._store.documents.page(staged.page)
        return Kept(
            page=staged.page,
            urls=[payload["url"] for payload in page.payloads],
            places=[(index, page.documents[index]) for index in staged.places],
        )


def newest_kept(store: Store, source: str, name_of: NameOf) -> Iterator[Kept]:
    """The newest kept version of every document of a source that was not held back, those of
    deleted records left out."""
    met: set[bytes] = set()
    lost: set[tuple[str, int]] = set()
    looked_at = ""
    for name in store.runs.kept_pages(source, held=False):
        page = store.documents.find(name)
        if page is None:  # let go by retention; a newer run has what was on it
            continue
        if (run := name.rpartition("/")[0]) != looked_at:
            lost, looked_at = _lost_versions(store, name_of, run), run
        waiting = store.staged.places(name)
        places = []
        for index, document in enumerate(page.documents):
            digest = _digest(document.identifier)
            if digest not in met and index not in waiting and (name, index) not in lost:
                met.add(digest)
                if not document.deleted:
                    places.append((index, document))
        names = {index: name_of(d.identifier) for index, d in places}
        known = store.records.look_up(names.values())
        gone = {name for name, one in known.items() if one.deleted}
        yield Kept(
            page=page.identifier,
            urls=[payload["url"] for payload in page.payloads],
            places=[place for place in places if names[place[0]] not in gone],
        )


def _lost_versions(store: Store, name_of: NameOf, run: str) -> set[tuple[str, int]]:
    """Where the pages of a run have versions of documents that did not count in it."""
    kept = store.runs.get(run)
    if kept is None or kept.repeated == 0:
        return set()
    pages = (f"{run}/{number + 1}" for number in range(kept.pages))
    return superseded((page, with_stored(store, name_of, page)) for page in pages)


def with_stored(
    store: Store, name_of: NameOf, page: str
) -> list[tuple[str, Document, str, Known | None]]:
    """The documents of a kept page: names, themselves, digests, what the hub has of them."""
    kept = store.documents.find(page)
    documents = kept.documents if kept is not None else []
    names = [name_of(d.identifier) for d in documents]
    known = store.records.look_up(set(names))
    return [
        (name, document, document_hash(document), known.get(name))
        for name, document in zip(names, documents, strict=True)
    ]


def _live(store: Store, source: str) -> int:
    counts = store.records.counts()
    names = (f"source:{source}", f"~source:{source}")
    return sum(counts[name].live for name in names if name in counts)


def _digest(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
