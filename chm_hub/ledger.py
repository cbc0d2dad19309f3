"""The completeness ledger: every identifier a source ever declared has one present state, with a
reason, and the states add up (promises P7, P12).

declared = published + kept back + deleted + skipped + quarantined + gone
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chm_hub.record import record_identifier
from store import Count, Store, StoredRecord
from store.aside import SetAside

STATES = ("published", "not_republished", "deleted", "skipped", "quarantined", "gone")
"""What can have become of an identifier; every one is in exactly one of these states."""
DELETED = {
    "tombstone": "the source says that it is gone",
    "missing": "missing from whole lists twice, a week apart",
    "skipped": "its crosswalk skips it since",
    "": "deleted before reasons were noted",
}


@dataclass(slots=True, kw_only=True)
class Ledger:
    """One source's ledger."""

    source: str
    states: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    """By state: why, and how many."""
    outdated: int = 0
    """Published or kept, and their newest version was set aside: what is there is older."""
    missing: int = 0
    """Published, and not met by the last whole walk."""
    held: int = 0
    """Published, and to be deleted if somebody agrees."""
    run: dict[str, Any] | None = None
    """The last run, as it was printed."""
    announced: int | None = None
    """How many documents the source said there are, in its last whole run."""
    seen: int | None = None
    """How many that run saw."""
    unnamed: int = 0
    """Documents of that run that have no identifier to be found under."""
    differences: list[str] = field(default_factory=list)
    """Where the books do not agree. Empty, or something is wrong with the hub."""

    @property
    def declared(self) -> int:
        """Identifiers the source ever declared."""
        return sum(self.states.values())

    def line(self) -> dict[str, Any]:
        """The ledger as plain values."""
        return {
            "source": self.source,
            "declared": self.declared,
            **{state: self.states[state] for state in STATES},
            "reasons": {state: dict(why) for state, why in sorted(self.reasons.items())},
            "outdated": self.outdated,
            "missing": self.missing,
            "held": self.held,
            "announced": self.announced,
            "seen": self.seen,
            "unnamed": self.unnamed,
            "adds_up": not self.differences,
            "differences": self.differences,
            "last_run": self.run,
        }


def of_source(store: Store, source: str) -> Ledger:
    """The ledger of a source, counted from its records one by one and compared with every other
    book the hub keeps: the counts of its sets, what its endpoint gives, its runs."""
    ledger = Ledger(source=source)
    with store.explained():
        aside = {entry.identifier: entry for entry in store.aside.of_source(source)}
        live: set[str] = set()
        for record in store.records.of_source(source):
            state, reason = of_record(record)
            _enter(ledger, state, reason)
            if not record.deleted:
                live.add(record.identifier)
                ledger.outdated += _is_doubted(aside.pop(record.identifier, None))
            else:
                aside.pop(record.identifier, None)
        for entry in aside.values():
            _enter(ledger, entry.state, entry.reason)
        ledger.missing = len(live & store.runs.missing(source).keys())
        for held in store.decisions.waiting(source):
            ledger.held += sum(1 for name, _ in store.decisions.names(held) if name in live)
        _compare(ledger, store)
        _runs(ledger, store)
    return ledger


def _enter(ledger: Ledger, state: str, reason: str) -> None:
    ledger.states[state] += 1
    ledger.reasons.setdefault(state, Counter())[reason] += 1


def of_record(record: StoredRecord) -> tuple[str, str]:
    """A record's present state and the reason."""
    if record.deleted:
        return "deleted", record.why
    if record.sets[0].startswith("~"):
        return "not_republished", "republish = false"
    return "published", "live"


def _is_doubted(entry: SetAside | None) -> bool:
    return entry is not None and entry.state != "gone"


def _compare(ledger: Ledger, store: Store) -> None:
    """The sum of the states against the counts that were kept as batches were closed, and
    against what the endpoint has to give."""
    counts = store.records.counts()
    mine, other = (counts.get(f"{p}source:{ledger.source}", Count()) for p in ("", "~"))
    for words, found, wanted in (
        ("published records", ledger.states["published"], mine.live),
        ("records kept back", ledger.states["not_republished"], other.live),
        (
            "records its set gives",
            ledger.states["published"],
            store.records.recount(f"source:{ledger.source}").live,
        ),
    ):
        if found != wanted:
            ledger.differences.append(f"{words}: {found} counted, {wanted} in the books")


def _runs(ledger: Ledger, store: Store) -> None:
    history = store.runs.history(ledger.source, 50)
    if not history:
        return
    ledger.run = history[0].line()
    for run in history:
        if run.seen != sum(run.counts.values()):
            ledger.differences.append(f"run {run.identifier}: its counts do not add up")
    whole = next((r for r in history if r.kind == "harvest" and r.full and r.ended), None)
    if whole is not None:
        ledger.announced, ledger.seen = whole.total, whole.seen
        ledger.unnamed = whole.rejects["no_identifier"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an identifier is, and why."""

    identifier: str
    state: str
    reason: str
    since: datetime | str | None
    run: str
    page: str

    def sentence(self) -> str:
        """It in one line."""
        since = f"{self.since:%Y-%m-%d %H:%M}" if isinstance(self.since, datetime) else self.since
        return (
            f"{self.identifier}: {self.state.replace('_', ' ')}"
            + (f" ({self.reason})" if self.reason else "")
            + (f" since {since}" if since else "")
            + f"; page {self.page}, run {self.run}"
        )


def where(store: Store, identifier: str, domain: str, sources: list[str]) -> list[Place]:
    """Where a record is: by our identifier, with or without ``oai:<domain>:``, or by the
    source's own (then every source is asked that may have it)."""
    name = identifier.removeprefix(f"oai:{domain}:")
    names = list(dict.fromkeys([name, *(record_identifier(s, identifier) for s in sources)]))
    with store.explained():
        aside = store.aside.look_up(names)
        found = [store.records.get(known) for known in store.records.look_up(names)]
        places = [_place(store, record, aside) for record in found if record is not None]
        met = {place.identifier for place in places}
        places += [
            Place(
                identifier=entry.identifier,
                state=entry.state,
                reason=entry.reason,
                since=entry.at,
                run=entry.run,
                page=entry.page,
            )
            for entry in aside.values()
            if entry.identifier not in met
        ]
    return places


def _place(store: Store, record: StoredRecord, aside: dict[str, SetAside]) -> Place:
    state, reason = of_record(record)
    source = record.identifier.partition("/")[0]
    words = [DELETED.get(reason, reason) if state == "deleted" else reason]
    if state != "deleted":
        if record.identifier in aside:
            doubt = aside[record.identifier]
            words.append(f"its newest version is {doubt.state}: {doubt.reason}, run {doubt.run}")
        since = store.runs.missing(source).get(record.identifier)
        if since is not None:
            words.append(f"missing at the source since {since:%Y-%m-%d}")
        for held in store.decisions.waiting(source):
            if any(name == record.identifier for name, _ in store.decisions.names(held)):
                words.append(f"its deletion waits for a person, run {held.run}")
    return Place(
        identifier=record.identifier,
        state=state,
        reason=", ".join(word for word in words if word),
        since=record.datestamp,
        run=record.page.rpartition("/")[0],
        page=record.page,
    )
