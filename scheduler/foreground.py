"""The schedule of one process: each due source is harvested by a process of its own.

Used by ``chm-hub up``. A harvest in its own process cannot take the web or another source's
memory with it (rule R12); the lease in the store keeps two of one source apart.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
import threading
from typing import Any

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger

from adapters.source import Source
from chm_hub.settings import Settings

_CRON = {
    "hourly": "7 * * * *",
    "daily": "17 2 * * *",
    "weekly": "17 3 * * 1",
    "monthly": "17 4 1 * *",
}
SPREAD_SECONDS = 1800
"""Sources of one schedule begin at random within this time, not all at once."""
AT_ONCE = 4
LATE_SECONDS = 6 * 3600
"""A harvest missed by less (the machine slept) is made up for, once."""

log = logging.getLogger("chm_hub.scheduler")


class Schedule:
    """Runs while the ``with`` block does; harvests under way are ended with it."""

    def __init__(self, settings: Settings, sources: list[Source]) -> None:
        self._settings = settings
        self._room = threading.BoundedSemaphore(AT_ONCE)
        self._running: set[subprocess.Popen[bytes]] = set()
        self._scheduler = BackgroundScheduler(timezone="UTC")
        for source in sources:
            self._scheduler.add_job(
                self._harvest,
                trigger(source.declared.schedule),
                args=[source.id],
                id=source.id,
                coalesce=True,
                max_instances=1,
                misfire_grace_time=LATE_SECONDS,
            )

    def _harvest(self, source: str) -> None:
        with self._room:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "chm_hub.cli", "--data", str(self._settings.data),
                 "harvest", source, "--json"],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                env=os.environ,
            )  # fmt: skip
            self._running.add(process)
            try:
                output, _ = process.communicate()
            finally:
                self._running.discard(process)
        log.info("%s: %s", source, output.decode("utf-8", "replace").strip())

    def __enter__(self) -> Schedule:
        self._scheduler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._scheduler.shutdown(wait=False)
        for process in list(self._running):
            process.terminate()
        for process in list(self._running):
            process.wait(30)

    def jobs(self) -> list[Any]:
        """The scheduled harvests."""
        return list(self._scheduler.get_jobs())


def trigger(schedule: str) -> CronTrigger:
    """A source file's ``schedule`` as a trigger: cron text, or one of four words."""
    cron = CronTrigger.from_crontab(_CRON.get(schedule, schedule), timezone="UTC")
    if schedule in _CRON and schedule != "hourly":
        cron.jitter = SPREAD_SECONDS
    return cron
