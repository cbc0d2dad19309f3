"""Schedulers and workers as processes, over the real store and a small loopback repository."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.source import load_sources
from chm_hub import alerts, watch, web
from chm_hub.settings import Settings
from scheduler.process import end_runs, harvest_due, map_again
from scheduler.schedule import Scheduler, dates
from store import Store, open_store
from tests.repository import Repository
from tests.running import Hub
from tests.test_serving import free_port
from tests.watch.test_alerts import hook

PERIOD = 10
NAMES = tuple(f"src-{i}" for i in range(4))


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository() as made:
        made.add("one", "two", "three")
        yield made


@pytest.fixture
def started(hub: Hub, repository: Repository) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    """Starts commands, and ends what is left of them."""
    for number, name in enumerate(NAMES):
        # They share a host, whether they are of a group or not.
        group = {"group": "others"} if number % 2 else {}
        hub.source(name, repository.source(schedule=f"PT{PERIOD}S", **group))
    hub.environ |= {"CHM_HUB_SHIPPED_SOURCES": "no", "CHM_HUB_HOST_DELAY": "0.2"}
    running: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **environ: str) -> subprocess.Popen[str]:
        running.append(hub.start(*arguments, **environ))
        return running[-1]

    yield start
    for process in running:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
    for process in running:
        _, said = process.communicate(timeout=60)
        assert "Traceback" not in said, said


def runs(hub: Hub) -> list[dict[str, Any]]:
    return [line for line in hub("runs", "--json", "--limit", "1000").lines if line["ended"]]


def until(hub: Hub, enough: Callable[[list[dict[str, Any]]], bool]) -> list[dict[str, Any]]:
    """The runs, once there are enough of them."""
    deadline = time.monotonic() + 150
    while not enough(found := runs(hub)):
        assert time.monotonic() < deadline, found
        threading.Event().wait(0.5)
    return found


def each_date_once(found: list[dict[str, Any]]) -> None:
    """No due run was done twice, and none lies closer to the one before than its schedule."""
    done = [run for run in found if run["error"] not in ("interrupted", "killed")]
    met = Counter((run["source"], run["due"]) for run in done)
    assert set(met.values()) == {1}
    for name in NAMES:
        dates = sorted(datetime.fromisoformat(run["due"]) for run in done if run["source"] == name)
        gaps = [(b - a).total_seconds() for a, b in zip(dates, dates[1:], strict=False)]
        assert min(gaps, default=PERIOD) >= PERIOD - 1


def polite(repository: Repository) -> None:
    """One request at a time, and the pause between."""
    asked = sorted(repository.asked, key=lambda one: one.began)
    for one, other in zip(asked, asked[1:], strict=False):
        assert other.began - one.ended > 0.19, other.path


def test_two_schedulers_do_each_due_run_once(
    hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    started("schedule")
    started("schedule")
    found = until(hub, lambda r: len(r) >= 3 * len(NAMES))
    each_date_once(found)
    assert {run["state"] for run in found} <= {"complete"}
    polite(repository)
    listed = hub("schedule", "--list", "--json").lines
    assert [row["source"] for row in listed if row["failures"] == 0] != []
    assert {row["source"] for row in listed} == set(NAMES)
    # A round without changes: what changed, and perhaps whether there is anything at all.
    later = [run for run in found if not run["full"]]
    assert {run["requests"] for run in later} <= {1, 2}


def test_the_work_of_a_day_is_done_once(
    hub: Hub,
    repository: Repository,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    for name, value in hub.environ.items():
        monkeypatch.setenv(name, value)
    caplog.set_level("INFO")
    hub.source("src", repository.source())
    assert hub("harvest", "src").code == 0
    with open_store(settings) as store:
        scheduler = Scheduler(settings, store)
        for _ in range(2):
            scheduler._daily()
        assert store.manifests.days() == [f"{datetime.now(UTC):%Y-%m-%d}"]
    (line,) = [record for record in caplog.records if record.message == "tidied"]
    assert line.__dict__["fields"]["status"] == 0


class Looks:
    """A scheduler that does not run: what it plans at each look, and what it would hand out."""

    def __init__(self, settings: Settings, store: Store, sources: Path) -> None:
        self.store = store
        self._scheduler = Scheduler(
            replace(settings, sources=(sources,), shipped_sources=False), store
        )
        self._jobs = self._scheduler._scheduler._jobstores["sources"]
        self._jobs.start(self._scheduler._scheduler, "sources")

    def look(self) -> None:
        self._scheduler._reread()

    def dates(self) -> dict[str, datetime]:
        return {row["source"]: row["due"] for row in dates(self.store, datetime.now(UTC))}

    def due(self, now: datetime) -> list[str]:
        return [job.id for job in self._jobs.get_due_jobs(now)]

    def next_look(self) -> datetime | None:
        found: datetime | None = self._jobs.get_next_run_time()
        return found


def declare(folder: Path, name: str, **keys: str) -> None:
    folder.mkdir(exist_ok=True)
    own = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    text = f'title = "T"\nadapter = "feed"\nurl = "https://x.example/"\n{own}'
    (folder / f"{name}.toml").write_text(text, "utf-8")


def ended(store: Store, name: str, due: datetime, failures: int = 0) -> None:
    """A run of a source just ended, and it is due then."""
    now = datetime.now(UTC)
    token = store.schedule.claim(name, store.schedule.entries(now)[name].due, now)
    assert token is not None
    assert store.schedule.finish(name, token, due=due, failures=failures)


def test_what_is_away_for_a_while_keeps_its_date(
    settings: Settings, store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "sources"
    for name in ("one", "two"):
        declare(folder, name, schedule="monthly")
    here = Looks(settings, store, folder)
    here.look()
    later = datetime.now(UTC).replace(microsecond=0) + timedelta(days=5)
    for name in ("one", "two"):
        ended(store, name, later, failures=9)
    whole = here.dates()
    assert set(whole.values()) == {later}
    # The folder is not mounted.
    folder.rename(tmp_path / "away")
    for _ in range(3):
        here.look()
    assert here.dates() == whole
    assert [r.getMessage() for r in caplog.records if "no such folder" in r.getMessage()] == [
        f"left out: {folder}: no such folder of sources. Make it, or correct CHM_HUB_SOURCES."
    ]
    (tmp_path / "away").rename(folder)
    here.look()
    assert here.dates() == whole
    # A file is in the middle of being edited.
    text = (folder / "one.toml").read_text("utf-8")
    (folder / "one.toml").write_text(text[:-3], "utf-8")
    here.look()
    assert here.dates() == whole
    (folder / "one.toml").write_text(text, "utf-8")
    here.look()
    assert here.dates() == whole
    # Another scheduler has other files.
    other = tmp_path / "other"
    declare(other, "one", schedule="monthly")
    there = Looks(settings, store, other)
    for _ in range(2):
        there.look()
        here.look()
    assert here.dates() == whole


def test_a_file_that_changed_while_no_scheduler_ran_is_taken_up(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "sources"
    for name in ("sooner", "mended", "same"):
        declare(folder, name, schedule="monthly")
    Looks(settings, store, folder).look()
    now = datetime.now(UTC).replace(microsecond=0)
    ended(store, "sooner", now + timedelta(days=25))
    ended(store, "mended", now + timedelta(days=7), failures=12)
    ended(store, "same", now + timedelta(days=7), failures=12)
    declare(folder, "sooner", schedule="PT1H")
    declare(folder, "mended", schedule="monthly", region="Africa")
    found = Looks(settings, store, folder)
    found.look()
    planned = found.dates()
    assert planned["sooner"] < now + timedelta(hours=2)
    assert planned["mended"] < now + timedelta(hours=1)
    assert planned["same"] == now + timedelta(days=7)
    found.look()
    assert found.dates() == planned


def test_what_is_overdue_waits_for_its_window(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    folder = tmp_path / "sources"
    now = datetime.now(UTC)
    opens, closes = now + timedelta(hours=3), now + timedelta(hours=6)
    declare(folder, "night", schedule="PT1H", window=f"{opens:%H:%M}-{closes:%H:%M}")
    here = Looks(settings, store, folder)
    here.look()
    overdue = now - timedelta(hours=10)
    store.schedule.move("night", overdue)
    assert here.due(now) == []
    looks = here.next_look()
    assert looks is not None
    assert opens - timedelta(minutes=1) <= looks <= closes
    assert here.due(opens + timedelta(minutes=1)) == ["night"]
    assert here.dates()["night"] - overdue < timedelta(seconds=1)
    # Nor does a worker begin what a broker gave it too late.
    (source,) = load_sources([folder]).values()
    due = here.dates()["night"]
    assert harvest_due(settings, store, source, due, threading.Event()) == "closed"
    assert not store.schedule.entries(now)["night"].claimed
    # Without a window it is due now.
    declare(folder, "night", schedule="PT1H")
    here.look()
    assert here.due(now) == ["night"]


@pytest.mark.slow
def test_a_scheduler_that_is_killed_in_the_middle_of_a_run_is_replaced(
    hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    repository.slow = 6.0
    first = started("schedule")
    deadline = time.monotonic() + 60
    while not hub("runs", "--json").lines:
        assert time.monotonic() < deadline
    first.kill()
    first.communicate()
    repository.slow = 0.0
    started("schedule")
    # The claim of the dead lapses after a minute; then what was due is done.
    found = until(hub, lambda r: {x["source"] for x in r if x["state"] == "complete"} == set(NAMES))
    each_date_once(found)


def test_a_run_that_takes_too_long_is_ended_and_reported(
    hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    repository.slow = 120.0
    with hook() as (address, bodies, _):
        started("schedule", CHM_HUB_RUN_MEMORY="20", CHM_HUB_ALERT_WEBHOOK=address)
        found = until(hub, lambda r: len(r) >= len(NAMES) and len(bodies) >= len(NAMES))
    assert {run["error"] for run in found} <= {"killed", "interrupted"}
    assert any("CHM_HUB_RUN_MEMORY" in (run["reason"] or "") for run in found)
    listed = hub("schedule", "--list", "--json").lines
    assert all(row["failures"] >= 1 for row in listed if not row["running"])
    told = [message for body in bodies for message in body["messages"]]
    assert {(m["source"], m["what"]) for m in told} == {(name, "killed") for name in NAMES}
    (line,) = hub("health", NAMES[0], "--json").lines
    assert set(line["errors"]) == {"killed"}
    assert "CHM_HUB_RUN_MEMORY" in line["reasons"][0]["do"]


def test_a_source_whose_runs_do_not_come_is_told_once_and_when_they_do(
    hub: Hub, settings: Settings
) -> None:
    with hook() as (address, bodies, _), open_store(settings) as store:
        settings = replace(
            settings, sources=(hub.sources,), shipped_sources=False, alert_webhook=address
        )
        for name in ("late", "never", "fresh", "later", "running"):
            hub.source(name, 'title = "S"\nadapter = "feed"\nurl = "https://x.example/rss"\n')
        scheduler, now = Scheduler(settings, store), datetime.now(UTC)
        for name, days in {"late": 1, "never": 5, "fresh": 1, "later": -5, "running": 9}.items():
            store.schedule.plan(name, now - timedelta(days=days))
        scheduler._reread()
        ended = {"late": 3, "fresh": 1, "later": 9, "running": 9}
        for name, days in ended.items():
            run = store.runs.begin(name, "harvest", now - timedelta(days=days))
            run.state, run.ended = "complete", run.started
            watch.ended(store, scheduler._sources[name], run, alerts.Channels(), run.ended)
        (row,) = [e for e in store.schedule.entries(now).values() if e.source == "running"]
        assert store.schedule.claim("running", row.due, now) is not None
        scheduler._look()
        assert bodies == [], "it has just begun: after a standstill all are late"
        scheduler._began = now - timedelta(days=2)
        for _ in range(2):
            scheduler._look()
        told = [message for body in bodies for message in body["messages"]]
        assert {(m["source"], m["what"]) for m in told} == {
            ("late", "overdue"),
            ("never", "overdue"),
        }
        assert len(told) == 2
        assert "no run has ended since" in told[0]["text"]
        run = store.runs.begin("late", "harvest", now)
        run.state, run.ended = "complete", now
        channels = alerts.channels(settings)
        watch.ended(store, scheduler._sources["late"], run, channels, now)
        assert bodies[-1]["subject"] == "late is well again"
        assert "complete again, 0 documents\n" in bodies[-1]["text"]


def test_a_source_file_that_breaks_is_told_once_and_keeps_its_date(
    hub: Hub, settings: Settings
) -> None:
    with hook() as (address, bodies, _), open_store(settings) as store:
        settings = replace(
            settings, sources=(hub.sources,), shipped_sources=False, alert_webhook=address
        )
        good = 'title = "S"\nadapter = "feed"\nurl = "https://x.example/rss"\n'
        hub.source("src", good)
        hub.source("other", good)
        scheduler = Scheduler(settings, store)
        scheduler._reread()
        dates = store.schedule.entries(datetime.now(UTC))
        assert set(dates) == {"src", "other"}

        hub.source("src", good + "shedule = 1\n")
        for _ in range(2):
            scheduler._reread()
        assert [body["subject"] for body in bodies] == ["src needs a look"]
        assert "shedule: no such key" in bodies[0]["text"]
        assert store.schedule.entries(datetime.now(UTC)) == dates
        assert set(scheduler._sources) == {"other"}, "it is not harvested as it was"
        client = web.create_app(settings, store).test_client()
        told = client.get("/health").json or {}
        assert (told["status"], told["sources"]["faulty"]) == ("degraded", 1)
        assert "chm_hub_sources_faulty 1.0" in client.get("/metrics").text

        hub.source("src", good)
        scheduler._reread()
        assert [body["subject"] for body in bodies[1:]] == ["src is well again"]
        assert set(scheduler._sources) == {"src", "other"}
        assert (client.get("/health").json or {})["status"] == "ok"

        hub.sources.rename(hub.sources.with_name("elsewhere"))
        scheduler._reread()
        assert store.schedule.entries(datetime.now(UTC)) == dates, "a folder that is away"
        hub.sources.mkdir()
        scheduler._reread()
        assert all(entry.gone for entry in store.schedule.entries(datetime.now(UTC)).values())


@pytest.fixture
def here(hub: Hub, repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    """A source that was harvested, in the surroundings that its runs are to have."""
    for name, value in hub.environ.items():
        monkeypatch.setenv(name, value)
    hub.source("src", repository.source())
    assert hub("harvest", "src").code == 0


@pytest.mark.usefixtures("here")
def test_a_replay_that_cannot_be_done_now_is_done_later(hub: Hub, settings: Settings) -> None:
    with open_store(settings) as store:
        lease = store.leases.take("src", datetime.now(UTC))
        assert map_again(settings, store, "src") == "later"
        store.leases.release(lease)
        done = threading.Event()

        def stop() -> None:
            while not done.wait(0.05):
                end_runs()

        stopping = threading.Thread(target=stop)
        stopping.start()
        assert map_again(settings, store, "src") == "later"
        done.set()
        stopping.join()
        assert "running" not in {run.state for run in store.runs.history("src")}
        assert map_again(settings, store, "src") == "complete"


@pytest.mark.usefixtures("here")
def test_a_replay_that_was_ended_is_told_of(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    with open_store(settings) as store:
        # It asks nobody, and keeps no page: that is no sign of hanging.
        monkeypatch.setattr("scheduler.process.BEAT_SECONDS", 0.0)
        monkeypatch.setattr("scheduler.process.STALLED_SECONDS", 0.0)
        # A replay may take less than a second: it is looked at before it is done.
        monkeypatch.setattr("scheduler.process.LOOK_SECONDS", 0.02)
        assert map_again(settings, store, "src") == "complete"
        assert map_again(replace(settings, run_memory=20), store, "src") == "failed"
        assert map_again(settings, store, "no-such-source") == "failed"
        assert "running" not in {run.state for run in store.runs.history("src")}
        assert store.runs.history("no-such-source") == []
    said = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert [("CHM_HUB_RUN_MEMORY" in line, "no such source" in line) for line in said] == [
        (True, False),
        (False, True),
    ]


@pytest.mark.usefixtures("here")
def test_a_source_that_is_being_harvested_stops_no_others_replay(
    hub: Hub, repository: Repository, settings: Settings
) -> None:
    hub.source("tgt", repository.source())
    assert hub("harvest", "tgt").code == 0
    with open_store(settings) as store:
        store.leases.take("src", datetime.now(UTC))
        said = hub("map", "src", "tgt", "--json")
    assert said.code == 1
    assert [(line["source"], line["state"], line["error"]) for line in said.lines] == [
        ("src", "failed", "leased"),
        ("tgt", "complete", None),
    ]


@pytest.mark.parametrize("option", ["--dry-run", "--max=3", "--approve-deletions"])
def test_what_workers_cannot_do_is_not_queued(hub: Hub, option: str) -> None:
    said = hub("map", "--all", "--queue", option)
    assert said.code == 2
    assert "--queue goes without" in said.err


class Broker:
    """A Redis of our own."""

    def __init__(self, program: str, folder: Path) -> None:
        port = str(free_port())
        self.url = f"redis://127.0.0.1:{port}/0"
        self._command = [program, "--port", port, "--bind", "127.0.0.1", "--dir", str(folder)]
        self._command += ["--save", ""]
        self.start()

    def start(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL)

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait()


@pytest.fixture
def broker(tmp_path: Path, hub: Hub) -> Iterator[Broker]:
    """The broker of the hub."""
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("NO REDIS: Debian's redis-server is absent, workers were not tried")
    made = Broker(program, tmp_path)
    hub.environ["CHM_HUB_BROKER_URL"] = made.url
    yield made
    made.stop()


@pytest.mark.slow
def test_two_schedulers_and_two_workers_one_of_them_killed(
    broker: Broker, hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    repository.slow = 3.0
    started("schedule")
    started("schedule")
    victim = started("worker", "--concurrency", "2")
    started("worker", "--concurrency", "2")
    until(hub, lambda r: len(r) >= 2)
    victim.kill()
    victim.communicate()
    repository.slow = 0.0
    # What the dead worker had claimed is done by the other one, once its claim has lapsed.
    found = until(hub, lambda r: {x["source"] for x in r if x["state"] == "complete"} == set(NAMES))
    each_date_once(found)
    assert {run["state"] for run in found} <= {"complete", "partial", "failed"}
    said = hub("map", NAMES[0], "--queue")
    assert re.search("1 sources handed", said.err)
    until(hub, lambda r: any(run["kind"] == "map" for run in r))


def test_a_worker_that_is_told_to_stop_gives_back_what_it_has(
    broker: Broker, hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    repository.slow = 600.0
    started("schedule")
    worker = started("worker", "--concurrency", "2")
    deadline = time.monotonic() + 60
    while not hub("runs", "--json").lines:
        assert time.monotonic() < deadline
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=60)
    repository.slow = 0.0
    started("worker", "--concurrency", "2")
    found = until(hub, lambda r: {x["source"] for x in r if x["state"] == "complete"} == set(NAMES))
    each_date_once(found)
    listed = hub("schedule", "--list", "--json").lines
    assert {row["failures"] for row in listed} == {0}, "to be stopped is no failure"


@pytest.mark.slow
def test_a_replay_waits_for_its_source_and_survives_its_worker(
    broker: Broker, hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    assert hub("harvest", NAMES[0]).code == 0
    repository.slow = 600.0
    harvest = started("harvest", NAMES[0], "--full")
    deadline = time.monotonic() + 60
    while len(hub("runs", "--json").lines) < 2:
        assert time.monotonic() < deadline
    worker = started("worker", "--concurrency", "1")
    assert hub("map", NAMES[0], "--queue").code == 0
    # It was taken, found its source busy, and waits.
    threading.Event().wait(20)
    worker.send_signal(signal.SIGTERM)
    worker.communicate(timeout=60)
    harvest.send_signal(signal.SIGTERM)
    harvest.communicate(timeout=60)
    assert not any(run["kind"] == "map" for run in runs(hub))
    started("worker", "--concurrency", "1")
    until(hub, lambda r: any((x["kind"], x["state"]) == ("map", "complete") for x in r))


@pytest.mark.slow
def test_a_broker_that_is_away_for_a_while(
    broker: Broker, hub: Hub, repository: Repository, started: Callable[..., Any]
) -> None:
    broker.stop()
    started("schedule")
    started("worker", "--concurrency", "2")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert runs(hub) == []
    broker.start()
    found = until(hub, lambda r: {x["source"] for x in r if x["state"] == "complete"} == set(NAMES))
    each_date_once(found)


def test_a_worker_without_a_broker_says_what_to_do(hub: Hub) -> None:
    said = hub("worker")
    assert said.code == 2
    assert "CHM_HUB_BROKER_URL is not set" in said.err
