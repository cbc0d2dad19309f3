"""APScheduler's job store over the hub's own schedule (decision 0012).

A source's file says when it is harvested and the store when it is due; a job is nothing but the
two together, made when it is asked for. So nothing is pickled, several schedulers share one
schedule, and a file that changes needs no migration.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from apscheduler.job import Job
from apscheduler.jobstores.base import BaseJobStore, JobLookupError
from apscheduler.triggers.date import DateTrigger

from adapters.source import Source
from chm_hub.errors import StoreError
from scheduler.due import within
from store import Store
from store.schedule import Entry

LATEST_LOOK = 1.0
"""Seconds until it is looked again at what is due and found no room."""


class SourceJobs(BaseJobStore):  # type: ignore[misc]
    """One job a source that is due and that nobody is at."""

    def __init__(
        self,
        store: Store,
        sources: Mapping[str, Source],
        run: Callable[[str, datetime], None],
        room: Callable[[], int],
    ) -> None:
        super().__init__()
        self._store = store
        self._sources = sources
        self._run = run
        self._room = room

    def lookup_job(self, job_id: str) -> Job | None:
        """A source's job; ``None`` if it has no date."""
        entry = self._entries().get(job_id)
        return None if entry is None else self._job(entry)

    def get_due_jobs(self, now: datetime) -> list[Job]:
        """What is due and at nobody's hands, the most urgent first, as far as there is room
        here: the rest is for others. What is overdue too waits for its window."""
        due = sorted(
            (entry for begins, entry in self._waiting(now) if begins <= now),
            key=lambda e: (e.urgency, e.source),
        )
        return [self._job(entry) for entry in due[: max(0, self._room())]]

    def get_next_run_time(self) -> datetime | None:
        """When to look again."""
        now = self._store.now()
        waiting = [begins for begins, _ in self._waiting(now)]
        if not waiting:
            return None
        return max(min(waiting), now + timedelta(seconds=LATEST_LOOK))

    def get_all_jobs(self) -> list[Job]:
        """All sources' jobs, soonest first."""
        return [self._job(e) for e in sorted(self._entries().values(), key=lambda e: e.due)]

    def add_job(self, job: Job) -> None:
        """Jobs come from source files."""
        raise NotImplementedError("declare a source instead")

    def update_job(self, job: Job) -> None:
        """Dates are moved by whoever finishes a run."""

    def remove_job(self, job_id: str) -> None:
        """A job that was handed out stays: its next date is that of its source."""
        if job_id not in self._sources:
            raise JobLookupError(job_id)

    def remove_all_jobs(self) -> None:
        """Jobs come from source files."""

    def _waiting(self, now: datetime) -> list[tuple[datetime, Entry]]:
        """What nobody is at, each with when it may begin: no earlier than ``now``."""
        sources = dict(self._sources)  # another thread changes it
        return [
            (within(sources[name], max(entry.due, now)), entry)
            for name, entry in self._entries().items()
            if name in sources and not entry.claimed and not entry.queued
        ]

    def _entries(self) -> dict[str, Entry]:
        try:
            with self._store.explained():
                found = self._store.schedule.entries(self._store.now())
        except StoreError:
            return {}  # the store is away; the next look may find it back
        return {name: entry for name, entry in found.items() if name in self._sources}

    def _job(self, entry: Entry) -> Job:
        job = Job(
            self._scheduler,
            id=entry.source,
            name=entry.source,
            func=self._run,
            args=(entry.source, entry.due),
            kwargs={},
            trigger=DateTrigger(entry.due),
            executor="default",
            misfire_grace_time=None,
            coalesce=True,
            max_instances=1,
            next_run_time=entry.due,
        )
        job._jobstore_alias = self._alias
        return job
