"""The scheduler: hands out what is due, here or to workers, for as long as it runs.

Any number of them may run over one store; the schedule sees to it that each due run happens
once (:mod:`store.schedule`).
"""

from __future__ import annotations

import logging
import os
import socket
import threading
from collections.abc import Callable, Collection
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Any

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.jobstores.memory import MemoryJobStore
from apscheduler.schedulers.background import BackgroundScheduler

from adapters.source import Source, folders, load_usable
from chm_hub import alerts, logs, manifest
from chm_hub.errors import HubError, SourceError, StoreError
from chm_hub.settings import Settings
from chm_hub.watch import mended, not_begun, unattended
from scheduler.due import due_anew, first_due
from scheduler.jobs import SourceJobs
from scheduler.process import harvest_due, watch
from store import Store

log = logging.getLogger("chm_hub.scheduler")

MANIFESTS = timedelta(days=400)
"""Manifests are kept for more than a year."""
REREAD_SECONDS = 30
"""How often source files are read anew, and that the scheduler is alive is said."""
LOOK_SECONDS = 600
"""How often it is looked whether there are sources whose runs do not come."""
DAILY_SECONDS = 600
"""How often it is looked whether the day's work was done."""
BROKER_SECONDS = 15
"""After so long a broker that did not take a run is tried again."""


class Scheduler:
    """Runs while the ``with`` block does; runs under way are ended with it, and due again."""

    def __init__(
        self,
        settings: Settings,
        store: Store,
        send: Callable[[str, datetime], None] | None = None,
    ) -> None:
        """``send`` hands a due run to workers; without, runs are done here."""
        self._settings = settings
        self._store = store
        self._send = send
        self._stopping = threading.Event()
        self._sources: dict[str, Source] = {}
        self._faults: dict[Path, str] = {}
        """What was wrong with source files when they were last read."""
        self._began = store.now()
        self._running = 0
        self._counting = threading.Lock()
        most = settings.runs_at_once
        self._scheduler = BackgroundScheduler(
            timezone="UTC",
            executors={"default": ThreadPoolExecutor(most + 3)},
            jobstores={"default": MemoryJobStore()},
        )
        self._scheduler.add_jobstore(
            SourceJobs(store, self._sources, self._run, self._room), alias="sources"
        )
        self._scheduler.add_job(
            self._reread, "interval", seconds=REREAD_SECONDS, id="reread", max_instances=1
        )
        self._scheduler.add_job(
            self._look, "interval", seconds=LOOK_SECONDS, id="look", max_instances=1
        )
        self._scheduler.add_job(
            self._daily,
            "interval",
            seconds=DAILY_SECONDS,
            id="daily",
            max_instances=1,
            next_run_time=datetime.now(UTC) + timedelta(seconds=REREAD_SECONDS),
        )

    def __enter__(self) -> Scheduler:
        self._reread()
        self._scheduler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._scheduler.shutdown(wait=True)

    def _room(self) -> int:
        if self._stopping.is_set():
            return 0
        if self._send is not None:
            return 1_000
        with self._counting:
            return self._settings.runs_at_once - self._running

    def _run(self, source: str, due: datetime) -> None:
        try:
            with self._store.explained():
                if not self._store.schedule.queue(source, due, self._store.now()):
                    return
            if self._send is not None:
                self._hand_over(source, due)
                return
            with self._counting:
                self._running += 1
            try:
                became = harvest_due(
                    self._settings, self._store, self._sources[source], due, self._stopping
                )
            finally:
                with self._counting:
                    self._running -= 1
            log.info("%s: %s", source, became)
        except HubError as error:
            # The claim runs out, and the run is due as before.
            log.error("%s: %s", source, error)

    def _hand_over(self, source: str, due: datetime) -> None:
        assert self._send is not None
        try:
            self._send(source, due)
        except Exception as error:  # brokers have libraries, and those have errors, of many kinds
            log.error("%s: the broker does not take it: %s", source, error)
            again = self._store.now() + timedelta(seconds=BROKER_SECONDS)
            with self._store.explained():
                self._store.schedule.put_off(source, due, again)

    def _reread(self) -> None:
        """Take up what changed in the source files, and say that we are here."""
        now = self._store.now()
        try:
            found, faults = load_usable(folders(self._settings))
            enabled = {s.id: s for s in found.values() if s.declared.enabled}
            self._tell(faults, enabled.keys(), now)
            with self._store.explained():
                self._plan(enabled, faults, now)
                self._store.schedule.alive(
                    now,
                    {
                        "host": socket.gethostname(),
                        "pid": os.getpid(),
                        "sources": len(enabled),
                        "faulty": len(faults),
                    },
                )
                self._faults = faults
                # What could not be sent, or was gathered, is sent when its time has come.
                alerts.tell(self._store, alerts.channels(self._settings), now)
        except StoreError as error:
            log.error("%s", error)

    def _tell(self, faults: dict[Path, str], enabled: Collection[str], now: datetime) -> None:
        """Tell of what is wrong with source files, when it was not so before: their runs, which
        tell of all else, cannot begin."""
        channels = alerts.channels(self._settings)
        for path, fault in faults.items():
            if self._faults.get(path) != fault:
                for line in fault.splitlines():
                    log.warning("left out: %s", line)
                if _is_source(path) and path.stem not in enabled:
                    not_begun(self._store, path.stem, "", SourceError(fault), channels, now)
        for path in self._faults.keys() - faults.keys():
            mended(self._store, path.stem, channels, now)

    def _look(self) -> None:
        """Tell of sources whose runs do not come, with us or without."""
        channels = alerts.channels(self._settings)
        unattended(
            self._store, list(self._sources.values()), self._began, channels, self._store.now()
        )

    def _daily(self) -> None:
        """What is done once a day, by whoever comes first: the manifest, and letting go of what
        is too old to be of use."""
        now = datetime.now(UTC)
        try:
            with self._store.explained():
                if f"{now:%Y-%m-%d}" in self._store.manifests.days():
                    return
                manifest.make(self._store, self._settings, now)
                self._store.manifests.tidy(f"{now - MANIFESTS:%Y-%m-%d}")
                self._store.decisions.tidy(now)
            # It looks at every record: in a process of its own, as all that takes long.
            done = watch(self._settings, self._store, ["tidy", "--all"], None, self._stopping)
            log.info("tidied", extra=logs.fields(status=done.code, said=done.said[-500:]))
        except StoreError as error:
            log.error("%s", error)

    def _plan(self, enabled: dict[str, Source], faults: dict[Path, str], now: datetime) -> None:
        schedule = self._store.schedule
        known = schedule.entries(now)
        among = len(enabled.keys() - known.keys())
        for source in enabled.values():
            told = blake2b(repr(source.declared).encode(), digest_size=8).hexdigest()
            entry = known.get(source.id)
            if entry is None:
                schedule.plan(source.id, first_due(source, now, among), told)
            elif entry.told != told:
                schedule.replan(source.id, entry.due, due_anew(source, entry, now), told)
        # In place: the job store reads it.
        for name in self._sources.keys() - enabled.keys():
            del self._sources[name]
        self._sources.update(enabled)
        # What cannot be read now keeps its date; of a folder that is away nobody knows what it is.
        if all(map(_is_source, faults)):
            schedule.forget(enabled.keys() | {path.stem for path in faults}, now)


def _is_source(path: Path) -> bool:
    return path.suffix == ".toml"


def dates(store: Store, now: datetime) -> list[dict[str, Any]]:
    """The schedule as people read it: what is due when, soonest first."""
    with store.explained():
        entries = store.schedule.entries(now)
    return [
        {
            "source": e.source,
            "due": e.due,
            "running": e.claimed,
            "failures": e.failures,
            "started": e.started,
        }
        for e in sorted(entries.values(), key=lambda e: (e.due, e.source))
        if not e.gone
    ]
