"""One run in a process of its own, watched: it beats for its claim, and is ended when it takes
too long, grows too large, or hangs (rules R12, P10)."""

from __future__ import annotations

import ctypes
import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import psutil

from adapters.source import Source
from chm_hub import alerts
from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from chm_hub.watch import ended as tell_ended
from scheduler.due import next_due, within
from store import Store
from store.schedule import CLAIM_SECONDS

log = logging.getLogger("chm_hub.scheduler")

COMMAND = (sys.executable, "-P", "-m", "chm_hub.cli")
"""What a run is a process of."""
LOOK_SECONDS = 1.0
BEAT_SECONDS = CLAIM_SECONDS / 4
STALLED_SECONDS = 45 * 60
"""A run that keeps no page and sends no request for so long hangs: no source may be silent for
so long, nor ask for such pauses."""
GRACE_SECONDS = 30
"""Between the polite word and the other one."""
BUSY_SECONDS = 60
"""A source that another process is harvesting is looked at again after so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a process ended."""

    line: dict[str, Any] | None
    """The run as ``chm-hub`` printed it."""
    code: int
    """With which status; less than 0: by which signal."""
    killed: str | None = None
    """Why it was ended, if it was."""
    said: str = ""
    """What it wrote on its way, for the log."""

    @property
    def stopped(self) -> bool:
        """Whether somebody told it to stop: a service manager, a keyboard."""
        if self.line is None:
            return self.killed is None and self.code in (-signal.SIGTERM, -signal.SIGINT)
        return bool(self.line["error"] == "interrupted")

    @property
    def error(self) -> str:
        """The same as a short stable word."""
        if self.killed or self.code < 0:
            return "killed"
        # What the command line says of a source's file, a setting or a crosswalk that is wrong.
        return "SourceError" if self.code == 2 else "internal"

    @property
    def why(self) -> str:
        """Why there is no run to show, in words."""
        if self.killed or self.code >= 0:
            return self.killed or self.said[-500:] or f"its process ended with status {self.code}"
        name = signal.Signals(-self.code).name
        return f"its process was ended from outside ({name}; SIGKILL: memory may have run out)"


def harvest_due(
    settings: Settings,
    store: Store,
    source: Source,
    due: datetime,
    stopping: threading.Event,
) -> str:
    """Do a due run of a source, if nobody else does: one word for what came of it.

    ``taken`` (another is at it, or has done it), ``closed`` (a broker had it for so long that
    its window is over; it is due as before), ``stopped`` (we are to end; it is due as before),
    ``busy`` (a command is harvesting the source), or the state of its run.
    """
    now = store.now()
    if within(source, now) > now:
        return "closed"
    with store.explained():
        token = store.schedule.claim(source.id, due, now)
    if token is None:
        return "taken"
    began = store.now()
    with store.explained():
        done = _done_already(store, source.id, due)
    if done is not None:
        # Whoever had claimed it did it, and died before it could say so.
        return _finish(store, source, token, began, done.line())
    ended = watch(
        settings,
        store,
        ["harvest", source.id, "--json", "--due", due.isoformat()],
        source.id,
        stopping,
        beat=lambda: store.schedule.beat(source.id, token, store.now()),
    )
    line = ended.line
    if stopping.is_set() or ended.stopped:
        with suppress(StoreError), store.explained():
            store.schedule.release(source.id, token)
        return "stopped"
    if line is not None and line["error"] == "leased":
        with store.explained():
            until = store.now() + timedelta(seconds=BUSY_SECONDS)
            store.schedule.release(source.id, token, until=until)
        return "busy"
    buried = None
    if line is None:
        line = {"state": "failed", "reason": ended.why, "not_before": None}
        with suppress(StoreError), store.explained():
            buried = store.runs.bury(source.id, due, ended.why, ended.error, store.now())
        log.error("%s: %s", source.id, ended.why)
    state = _finish(store, source, token, began, line)
    if buried is not None:
        # It could not tell people itself.
        tell_ended(store, source, buried, alerts.channels(settings), store.now())
    return state


def map_again(settings: Settings, store: Store, source: str) -> str:
    """Do a replay that was handed out, of which no schedule knows: one word for what came of it.

    ``later`` (somebody has the source, the store is away, or we were told to stop: it is to be
    handed out again), or the state of its run.
    """
    ended = watch(settings, store, ["map", source, "--json"], None, threading.Event())
    line = ended.line
    if line is None:
        line = {"state": "failed", "reason": ended.why, "error": ended.error}
        with suppress(StoreError), store.explained():
            store.runs.bury(source, None, ended.why, ended.error, store.now(), kind="map")
    if ended.stopped or line["error"] in ("leased", "store"):
        return "later"
    if line["state"] == "failed":
        log.error("%s: %s", source, line["reason"])
    return str(line["state"])


def _done_already(store: Store, source: str, due: datetime) -> Any:
    last = store.runs.history(source, 1)
    if last and last[0].due == due and last[0].ended is not None and last[0].error != "interrupted":
        return last[0]
    return None


def _finish(store: Store, source: Source, token: str, began: datetime, line: dict[str, Any]) -> str:
    """Say when the source is due next."""
    state: str = line["state"]
    well = state.startswith("complete") or state == "held"
    asked_for = line.get("not_before")
    not_before = datetime.fromisoformat(asked_for) if asked_for else None
    with store.explained():
        known = store.schedule.entries(store.now()).get(source.id)
        failures = 0 if well else (known.failures if known else 0) + 1
        due = next_due(
            source,
            max(began, store.now()) if failures else began,
            failures=failures,
            not_before=not_before,
        )
        store.schedule.finish(
            source.id,
            token,
            due=due,
            failures=failures,
            not_before=not_before,
            seconds=(store.now() - began).total_seconds(),
        )
    return state


def watch(
    settings: Settings,
    store: Store,
    arguments: list[str],
    source: str | None,
    stopping: threading.Event,
    beat: Any = lambda: True,
) -> Ended:
    """Run a command of the hub in a process of its own, and look after it until it ends.

    It is ended when ``stopping`` is set or ``beat`` says that it is another's by now, and, where
    it harvests a ``source``, when it hangs: what asks nobody has nobody to wait for, and may
    take as long as a run may.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        process = subprocess.Popen(
            [*COMMAND, "--data", str(settings.data), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            env=os.environ,
            preexec_fn=_die_with_parent,
        )
        killed = _look_after(process, settings, store, source, stopping, beat)
        out.seek(0)
        err.seek(0)
        said = err.read().decode("utf-8", "replace").strip()
        lines = out.read().decode("utf-8", "replace").strip().splitlines()
    line = None
    if lines and killed is None:
        with suppress(ValueError):
            line = json.loads(lines[-1])
    return Ended(line=line, code=process.returncode, killed=killed, said=said)


def _look_after(
    process: subprocess.Popen[bytes],
    settings: Settings,
    store: Store,
    source: str | None,
    stopping: threading.Event,
    beat: Any,
) -> str | None:
    """Wait for a process; why it was ended, if it was."""
    began = beaten = moved = time.monotonic()
    place: Any = None
    while process.poll() is None:
        if stopping.wait(LOOK_SECONDS):
            _end(process)
            return "stopped"
        now = time.monotonic()
        why = None
        if now - began > settings.run_minutes * 60:
            why = f"took longer than {settings.run_minutes} minutes (CHM_HUB_RUN_MINUTES)"
        with suppress(psutil.Error):
            size = psutil.Process(process.pid).memory_info().rss // 2**20
            if size > settings.run_memory:
                why = f"took {size} MiB, more than {settings.run_memory} (CHM_HUB_RUN_MEMORY)"
        if now - beaten > BEAT_SECONDS:
            beaten = now
            with suppress(StoreError), store.explained():
                if not beat():
                    why = "another process has taken the run over"
                reached = store.runs.progress(source) if source is not None else None
                if reached != place:
                    place, moved = reached, now
        if source is not None and now - moved > STALLED_SECONDS:
            why = f"kept no page for {STALLED_SECONDS // 60} minutes: it hangs"
        if why is not None:
            _end(process)
            return f"ended from outside: it {why}"
    return None


def end_runs() -> None:
    """Tell all runs that processes of this one look after to end in order: whoever looks after
    them gives them back, and they are due as before."""
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if tuple(process.cmdline()[: len(COMMAND)]) == COMMAND:
                process.terminate()


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _die_with_parent() -> None:
    """Linux: a run ends in order when whoever watches it dies, however it dies."""
    with suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)
