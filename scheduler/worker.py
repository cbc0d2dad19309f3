"""Workers on more machines: Celery takes due runs and replays from a broker (Redis or RabbitMQ).

A message says no more than which source and which due date; who may do it is decided in the
store, as everywhere. So it does no harm that a broker hands out a message twice, or late.
"""

from __future__ import annotations

import threading
from datetime import datetime
from typing import Any

from adapters.source import Source, folders, load_sources
from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from scheduler.process import BUSY_SECONDS, end_runs, harvest_due, map_again
from store import open_store

HARVEST = "chm_hub.harvest"
MAP = "chm_hub.map"
RETRIES = 5
"""A due run that finds no store is tried again so often, with growing pauses; then the schedule
hands it out again."""
MAP_RETRIES = 1_440
"""Nobody else hands out a replay: it waits for its source, or for the store, for a day."""


def application(settings: Settings) -> Any:
    """The Celery application, with its two tasks."""
    from celery import Celery

    app = Celery("chm_hub", broker=settings.broker_url)
    limit = settings.run_minutes * 60
    app.conf.update(
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_time_limit=limit + 300,
        task_soft_time_limit=limit + 120,
        worker_prefetch_multiplier=1,
        worker_hijack_root_logger=False,
        broker_connection_retry_on_startup=True,
        worker_cancel_long_running_tasks_on_connection_loss=True,
        # What a dead worker had is handed out again by the schedule long before this, unless it
        # is a replay.
        broker_transport_options={"visibility_timeout": limit + 600},
    )

    @app.task(name=HARVEST, autoretry_for=(StoreError,), retry_backoff=True, max_retries=RETRIES)  # type: ignore[untyped-decorator, unused-ignore]
    def harvest(source: str, due: str) -> str:
        with open_store(settings) as store:
            return harvest_due(
                settings,
                store,
                _source(settings, source),
                datetime.fromisoformat(due),
                threading.Event(),
            )

    @app.task(  # type: ignore[untyped-decorator, unused-ignore]
        bind=True,
        name=MAP,
        autoretry_for=(StoreError,),
        retry_backoff=True,
        max_retries=MAP_RETRIES,
    )
    def remap(task: Any, source: str) -> str:
        with open_store(settings) as store:
            became = map_again(settings, store, source)
        if became == "later":
            raise task.retry(countdown=BUSY_SECONDS)
        return became

    return app


def work(settings: Settings, concurrency: int) -> None:
    """Be a worker until told to stop; runs under way are ended in order, and due as before."""
    from celery import signals

    @signals.worker_shutting_down.connect(weak=False)  # type: ignore[untyped-decorator, unused-ignore]
    def stop(**_: object) -> None:
        end_runs()

    application(settings).worker_main(
        ["worker", "--loglevel=WARNING", f"--concurrency={concurrency}", "--without-mingle"]
    )


def send(settings: Settings) -> Any:
    """How to hand a due run to workers: ``send(source, due)``."""
    app = application(settings)

    def hand_over(source: str, due: datetime) -> None:
        app.send_task(HARVEST, args=[source, due.isoformat()])

    return hand_over


def send_map(settings: Settings, sources: list[str]) -> None:
    """Hand replays to workers."""
    app = application(settings)
    for source in sources:
        app.send_task(MAP, args=[source])


def _source(settings: Settings, name: str) -> Source:
    return load_sources(folders(settings), {name})[name]
