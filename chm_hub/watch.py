"""What happens beside a run: a line in the log when it begins and when it ends, the source's
summary, and an alert if somebody is to know.

Nothing here may make a run fail: what goes wrong is logged, and the run is what it was.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime

from adapters.source import Source
from chm_hub import alerts, health, logs
from chm_hub.errors import HubError, StoreError
from chm_hub.health import Past
from store import Run, Store

log = logging.getLogger("chm_hub.runs")


def began(run: Run) -> None:
    """A run has begun."""
    log.info(
        f"{run.kind} began",
        extra=logs.quietly(source=run.source, run=run.identifier, kind=run.kind, full=run.full),
    )


def ended(
    store: Store,
    source: Source,
    run: Run,
    channels: alerts.Channels,
    now: datetime,
    *,
    held: int = 0,
    trial: bool = False,
) -> None:
    """A run has ended and is saved; ``held`` deletions wait for a person. Of a ``trial``, a run
    that a person wanted cut short, nothing is kept but its line."""
    _line(run, held)
    if trial or run.error == "interrupted":
        return
    try:
        with store.explained():
            before = store.watch.summary(source.id)
            history = store.runs.history(source.id, health.LAST) if before is None else []
            past, declared = health.past(run, held), health.declared(source, now)
            waiting = store.decisions.counts(source.id).get(source.id)
            after = health.summary(before, history, past, declared, waiting)
            if (run.profile or {}).get("whole") and past.good:
                after["profile"] = run.profile
                # All there is was taken as a person said: from now on it is compared again.
                after.pop("taken", None)
            store.watch.keep(source.id, after)
            overdue = health.of_stored(declared, after, now).overdue
        _alert(store, source.id, source.declared.title, past, channels, now, overdue=overdue)
    except Exception as error:
        _complain(source.id, error)


def not_begun(
    store: Store,
    source: str,
    title: str,
    error: HubError,
    channels: alerts.Channels,
    now: datetime,
) -> None:
    """A run could not begin, since something of the source's own is wrong: its file, its
    crosswalk. (A lease that somebody else has is nothing wrong.)"""
    log.warning(
        "run could not begin",
        extra=logs.quietly(source=source, error=type(error).__name__, reason=str(error)),
    )
    if isinstance(error, StoreError):
        return
    word = type(error).__name__
    past = Past(run="", state="failed", ended=now, error=word, reason=str(error)[:500])
    try:
        _alert(store, source, title, past, channels, now)
    except Exception as fault:
        _complain(source, fault)


def unattended(
    store: Store,
    sources: Iterable[Source],
    began: datetime,
    channels: alerts.Channels,
    now: datetime,
) -> None:
    """Tell of sources whose runs do not even begin, or never end: whatever else is told is told
    by a run. ``began`` is since when their runs could have begun."""
    try:
        with store.explained():
            stored, entries = store.watch.summaries(), store.schedule.entries(now)
            known = alerts.incidents(store)
        for source in sources:
            entry = entries.get(source.id)
            told = source.id in known and known[source.id][0].told
            if entry is None or entry.claimed or told:
                continue
            declared = health.declared(source, now)
            one = health.of_stored(declared, stored.get(source.id), now)
            why = health.unattended(declared, one, entry.due, began, now)
            if why is not None:
                past = Past(run="", state="overdue", ended=now, error=alerts.OVERDUE, reason=why)
                _alert(store, source.id, source.declared.title, past, channels, now)
    except Exception as error:
        _complain("the schedule", error)


def decided(store: Store, source: str, channels: alerts.Channels, now: datetime) -> None:
    """A person has said what is to become of what waited."""
    try:
        with store.explained():
            if source not in store.decisions.counts(source):
                text = "a person has decided what waited"
                alerts.settle(store, source, ("held", "drift"), text, now, wanted=bool(channels))
            alerts.tell(store, channels, now)
    except Exception as error:
        _complain(source, error)


def mended(store: Store, source: str, channels: alerts.Channels, now: datetime) -> None:
    """A source's file that was wrong is in order, or gone."""
    try:
        with store.explained():
            text = "its file is in order again, or gone"
            alerts.settle(store, source, ("configuration",), text, now, wanted=bool(channels))
    except Exception as error:
        _complain(source, error)


def _alert(
    store: Store,
    source: str,
    title: str,
    past: Past,
    channels: alerts.Channels,
    now: datetime,
    *,
    overdue: bool = False,
) -> None:
    outcome = alerts.Outcome(source=source, title=title, run=past, overdue=overdue)
    with store.explained():
        alerts.record(store, outcome, now, wanted=bool(channels))
        alerts.tell(store, channels, now)


def _line(run: Run, held: int) -> None:
    ended = run.ended or run.started
    level = logging.INFO if run.state.startswith("complete") else logging.WARNING
    if run.error == "internal":
        level = logging.ERROR
    log.log(
        level,
        f"{run.kind} ended",
        extra=logs.quietly(
            source=run.source,
            run=run.identifier,
            kind=run.kind,
            state=run.state,
            error=run.error,
            reason=run.reason,
            seconds=round((ended - run.started).total_seconds(), 3),
            seen=run.seen,
            **run.counts,
            total=run.total,
            issues=sum(run.issues.values()),
            requests=run.requests,
            held=held,
        ),
    )
    # Each kind once, however often it happened: a bad byte a record must not be a line a record.
    kinds: dict[str, int] = {}
    for warning, count in run.warnings.items():
        kind = warning if warning.startswith("drift: ") else warning.partition(":")[0]
        kinds[kind] = kinds.get(kind, 0) + count
    for kind, count in kinds.items():
        log.info(
            "warning of a run",
            extra=logs.quietly(source=run.source, run=run.identifier, warning=kind, count=count),
        )


def _complain(source: str, error: Exception) -> None:
    log.warning(
        "%s: its summary or its alert could not be written: %s: %s",
        source,
        type(error).__name__,
        error,
        extra=logs.fields(source=source),
    )
