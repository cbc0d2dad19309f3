"""The completeness ledger: every identifier a source ever declared has one present state, with a
reason, and the states add up (promises P7, P12).

declared = published + kept back + deleted + skipped + quarantined + held back + gone

declared = what the last whole walk met + what other runs declared and it did not meet

met = seen - listed twice - without an identifier
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from chm_hub.names import RULES
from store import Count, Run, Store, StoredRecord
from store.aside import SetAside
from store.decisions import Held
from store.runs import GRACE

STATES = (
    "published",
    "not_republished",
    "deleted",
    "skipped",
    "quarantined",
    "held_back",
    "gone",
)
"""What can have become of an identifier; every one is in exactly one of these states."""
DOUBTS = ("missing", "held", "rejected")
"""What may be said against a live record; at most one of these."""
STAYS = (
    ': it stays until the source marks it as deleted; with `deletions = "absence"` in the file of '
    "the source whole walks decide"
)
"""What becomes of a missing record of a source that does not go by absence."""
OUTDATED = "outdated"
"""A live record whose newest version was set aside."""
DELETED = {
    "tombstone": "the source says that it is gone",
    "missing": "missing from whole lists twice, a week apart",
    "skipped": "its crosswalk skips it since",
    "renamed": "it has another name since",
    "": "deleted before reasons were noted",
}


@dataclass(slots=True, kw_only=True)
class Ledger:
    """One source's ledger."""

    source: str
    states: Counter[str] = field(default_factory=Counter)
    reasons: dict[str, Counter[str]] = field(default_factory=dict)
    """By state, and for what is held or rejected: why, and how many."""
    doubts: Counter[str] = field(default_factory=Counter)
    """How many live records each of :data:`DOUBTS` and :data:`OUTDATED` is said of."""
    missing_since: Counter[str] = field(default_factory=Counter)
    """The missing, by the day on which a whole walk first did not meet them."""
    absence: bool = True
    """Whether what is missing for long enough is deleted."""
    last: Run | None = None
    """The newest harvest that ended."""
    whole: Run | None = None
    """The newest that saw all the source has, or all it shows, in one walk."""
    differences: list[str] = field(default_factory=list)
    """Where the hub's own books do not agree. Empty, or something is wrong with the hub."""
    unsettled: list[str] = field(default_factory=list)
    """What is not known to be complete for the source's part, and what to do about it."""

    @property
    def declared(self) -> int:
        """Identifiers the source ever declared."""
        return sum(self.states.values())

    @property
    def met(self) -> int | None:
        """Identifiers that the last whole walk met, if it counted them."""
        if self.whole is None or self.whole.repeated is None:
            return None
        return self.whole.given - self.whole.repeated - self.whole.unnamed

    @property
    def beyond_announced(self) -> int:
        """How many more different documents it gave than the source had announced."""
        run = self.whole
        if run is None or run.total is None:
            return 0
        return max(0, run.given - (run.repeated or 0) - run.total)

    @property
    def window(self) -> bool:
        """Whether the source shows its newest only, such as a feed."""
        profile = self.whole.profile if self.whole else None
        return profile is not None and profile["records"] is None

    def line(self) -> dict[str, Any]:
        """The ledger as plain values."""
        whole, met = self.whole, self.met
        return {
            "source": self.source,
            "declared": self.declared,
            **{state: self.states[state] for state in STATES},
            "reasons": {state: dict(why) for state, why in sorted(self.reasons.items())},
            **{doubt: self.doubts[doubt] for doubt in (OUTDATED, *DOUBTS)},
            "missing_since": dict(sorted(self.missing_since.items())),
            "whole_run": whole.identifier if whole else None,
            "window": self.window,
            "announced": whole.total if whole else None,
            "seen": whole.given if whole else None,
            "listed_twice": whole.repeated if whole else None,
            "unnamed": whole.unnamed if whole else None,
            "met": met,
            "not_met": None if met is None else self.declared - met,
            "not_given": not_given(whole) if whole else None,
            "beyond_announced": self.beyond_announced,
            "adds_up": self.adds_up,
            "settled": self.settled,
            "differences": self.differences,
            "unsettled": self.unsettled,
            "last_run": self.last.line() if self.last else None,
        }

    @property
    def adds_up(self) -> bool:
        """Whether every identifier and every document is accounted for."""
        return not self.differences

    @property
    def settled(self) -> bool:
        """Whether the source gave all it has, as far as it said."""
        return not self.unsettled


def not_given(run: Run) -> int:
    """How many of the documents that a run was announced it was not given."""
    return max(0, run.total - run.given) if run.total is not None else 0


def of_source(store: Store, source: str) -> Ledger:
    """The ledger of a source, counted from its records one by one and compared with every other
    book the hub keeps: the counts of its sets, what its endpoint gives, its runs."""
    ledger = Ledger(source=source)
    with store.explained():
        aside = {entry.identifier: entry for entry in store.aside.of_source(source)}
        doubts = _Doubts(store, source)
        ledger.absence = doubts.absence
        for record in store.records.of_source(source):
            entry = aside.pop(record.identifier, None)
            state, reason = of_record(record)
            _enter(ledger, state, reason)
            for doubt in _said_of(record, entry, doubts):
                ledger.doubts[doubt] += 1
                if doubt == "missing":
                    ledger.missing_since[f"{doubts.missing[record.identifier]:%Y-%m-%d}"] += 1
                elif doubt in DOUBTS:
                    why, _ = doubts.decided(record.identifier)
                    ledger.reasons.setdefault(doubt, Counter())[why] += 1
        for entry in aside.values():
            _enter(ledger, entry.state, entry.reason)
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


class _Doubts:
    """What is said against the live records of a source: that they are missing, that their
    deletion waits, or that it was rejected."""

    def __init__(self, store: Store, source: str) -> None:
        self.missing = store.runs.missing(source)
        # The last whole walk noted it.
        self.absence = store.runs.cursor(source).get("deletions", "absence") == "absence"
        self.held: dict[str, tuple[str, Held]] = {}
        self.rejected: dict[str, tuple[str, Held]] = {}
        for held in store.decisions.all(source):
            if held.decision in (None, "rejected"):
                names = self.rejected if held.decision else self.held
                names.update((name, (why, held)) for name, why in store.decisions.names(held))

    def of(self, name: str) -> str | None:
        """Which of :data:`DOUBTS` there is of a live record."""
        if name in self.held:
            return "held"
        if name in self.rejected:
            return "rejected"
        return "missing" if name in self.missing else None

    def decided(self, name: str) -> tuple[str, Held]:
        """Why one that is held or rejected was to be deleted, and by which run."""
        return self.held.get(name) or self.rejected[name]

    def words(self, name: str) -> Iterator[str]:
        """The same for people."""
        doubt = self.of(name)
        if (since := self.missing.get(name)) is not None:
            then = ""
            if doubt == "missing":
                then = STAYS
                if self.absence:
                    then = (
                        f": deleted if a whole walk from {since + GRACE:%Y-%m-%d} on misses it too"
                    )
            yield f"missing at the source since {since:%Y-%m-%d}{then}"
        if doubt == "held":
            yield f"its deletion waits for a person, run {self.held[name][1].run}"
        elif doubt == "rejected":
            held = self.rejected[name][1]
            yield (
                f"its deletion was rejected on {held.decided:%Y-%m-%d}, run {held.run}: it stays "
                "until the source lists it again"
            )


def _said_of(record: StoredRecord, entry: SetAside | None, doubts: _Doubts) -> list[str]:
    """What is said against a record: one of :data:`DOUBTS`, :data:`OUTDATED`, both, nothing."""
    if record.deleted:
        return []
    doubt = doubts.of(record.identifier)
    outdated = entry is not None and entry.state != "gone"
    return [*([doubt] if doubt else []), *([OUTDATED] if outdated else [])]


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
    """Find the runs that the ledger is compared with, and say what of them is not settled.

    A run that failed says nothing of what its source has, if there was a whole one before. A walk
    that was cut off and came to its end in the next run leaves nothing open, but no run of it saw
    the whole. What was not given by one that came to its end is told and leaves nothing open:
    some count what they withhold, and each adapter knows whether its source does.
    """
    walked = False
    for run in store.runs.newest_first(ledger.source):
        if run.kind != "harvest" or run.state == "running":
            continue
        ledger.last = ledger.last or run
        if run.full and run.state.startswith("complete"):
            walked = True
            if run.profile is None or run.profile["whole"]:
                ledger.whole = run
                break
    name, last, whole = ledger.source, ledger.last, ledger.whole
    if whole is not None and ledger.met is not None and ledger.met > ledger.declared:
        ledger.differences.append(
            f"identifiers: {ledger.declared} counted, {ledger.met} met by {named(whole)}"
        )
    if last is None:
        ledger.unsettled.append(f"it was never harvested: chm-hub harvest {name}")
    elif last.state == "partial":
        ledger.unsettled.append(_short(last))
    elif not walked:
        ledger.unsettled.append(
            f"no whole walk of it came to its end yet. {named(last)}: {last.reason or last.state}. "
            f"`chm-hub harvest {name} --full` tries again"
        )


def _short(run: Run) -> str:
    """That a run did not get all there is, and what to do."""
    less = "it did not come to its end"
    if lacking := not_given(run):
        less = f"not given: {lacking} of {run.total} announced"
    reason = f" ({run.reason})" if run.reason else ""
    return (
        f"{named(run)}: {less}{reason}. `chm-hub harvest {run.source} --full` asks again; tell the "
        "contact if it lasts"
    )


def named(run: Run) -> str:
    """A run's identifier, how it ended, and when it began."""
    return f"{run.identifier} ({run.state.replace('_', ' ')}, {run.started:%Y-%m-%d %H:%M})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where an identifier is, and why."""

    identifier: str
    state: str
    reason: str
    since: datetime | str | None
    run: str
    page: str
    source_identifier: str = ""
    """What the source calls it, where that is known."""

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
    made = (rule(source, identifier) for source in sources for rule in RULES.values())
    names = list(dict.fromkeys([name, *made]))
    with store.explained():
        aside = store.aside.look_up(names)
        found = [store.records.get(known) for known in store.records.look_up(names)]
        places = [
            _place(record, aside.pop(record.identifier, None), _Doubts(store, _source_of(record)))
            for record in found
            if record is not None
        ]
        return [*places, *(_aside(store, entry) for entry in aside.values())]


def standing(store: Store, source: str, wanted: str) -> Iterator[Place]:
    """What of a source is in a state, or what a doubt is said of: one of :data:`STATES`,
    :data:`DOUBTS` and :data:`OUTDATED`."""
    with store.explained():
        aside = {entry.identifier: entry for entry in store.aside.of_source(source)}
        doubts = _Doubts(store, source)
        for record in store.records.of_source(source):
            entry = aside.pop(record.identifier, None)
            if wanted in (of_record(record)[0], *_said_of(record, entry, doubts)):
                yield _place(record, entry, doubts)
        for entry in aside.values():
            if entry.state == wanted:
                yield _aside(store, entry)


def _source_of(record: StoredRecord) -> str:
    return record.identifier.partition("/")[0]


def _place(record: StoredRecord, entry: SetAside | None, doubts: _Doubts) -> Place:
    state, reason = of_record(record)
    words = [DELETED.get(reason, reason) if state == "deleted" else reason]
    if state != "deleted":
        if entry is not None:
            words.append(f"its newest version is {entry.state}: {entry.reason}, run {entry.run}")
        words += doubts.words(record.identifier)
    return Place(
        identifier=record.identifier,
        state=state,
        reason=", ".join(word for word in words if word),
        since=record.datestamp,
        run=record.page.rpartition("/")[0],
        page=record.page,
        source_identifier=record.record.get("source_identifier", ""),
    )


def _aside(store: Store, entry: SetAside) -> Place:
    words = [entry.reason]
    if entry.state == "held_back":
        words.append(_decision(store, entry.source))
    return Place(
        identifier=entry.identifier,
        state=entry.state,
        reason=", ".join(word for word in words if word),
        since=entry.at,
        run=entry.run,
        page=entry.page,
    )


def _decision(store: Store, source: str) -> str:
    """What became of the last run of a source that was held for what has jumped."""
    held = max(
        (one for one in store.decisions.all(source) if one.jumps),
        key=lambda one: one.at,
        default=None,
    )
    if held is None or held.decision == "undone":
        return ""
    if held.decided is None:
        return f"waits for a person: chm-hub held show {source}"
    word = "the next whole run takes it: approved" if held.decision == "approved" else "rejected"
    return f"{word} on {held.decided:%Y-%m-%d}"
