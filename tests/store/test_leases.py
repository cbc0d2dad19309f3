"""Leases, turns at hosts, and the schedule, on a real engine."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pymongo.collection import Collection
from pymongo.errors import AutoReconnect

from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from chm_hub.turns import turns
from store import Change, Store, clock, open_store
from store.leases import LEASE_SECONDS
from store.schedule import CLAIM_SECONDS, GONE_DAYS, QUEUED_SECONDS

NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


def change(name: str, content: str = "") -> Change:
    return Change(
        identifier=f"src/{name}",
        record={"title": [{"value": content or name}]},
        hash=content or name,
        sets=("source:src",),
        document="",
        crosswalk="",
        page="src/1/1",
        index=0,
    )


def gone(store: Store, collection: str, name: str) -> None:
    """Make a holder's process one that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    store.database[collection].update_one({"_id": name}, {"$set": {"pid": ended.pid}})


def test_a_lease_is_held_by_one_and_taken_from_the_silent_and_the_dead(store: Store) -> None:
    lease = store.leases.take("src", NOW)
    with pytest.raises(StoreError, match="is being harvested since"):
        store.leases.take("src", NOW)
    assert store.leases.holder("src", NOW) is not None
    store.leases.renew(lease, NOW)
    later = NOW + timedelta(seconds=LEASE_SECONDS + 1)
    taken = store.leases.take("src", later)
    with pytest.raises(StoreError, match="taken over"):
        store.leases.renew(lease, later)
    store.leases.release(lease)  # not ours any more: nothing happens
    store.leases.renew(taken, later)
    gone(store, "leases", "src")
    again = store.leases.take("src", later)
    store.leases.release(again)
    assert store.leases.holder("src", later) is None
    last = store.leases.take("src", later)
    assert [lease.fence, taken.fence, again.fence, last.fence] == [1, 2, 3, 4]


def test_a_writer_whose_lease_was_taken_over_writes_nothing_more(store: Store) -> None:
    old = store.leases.take("src", NOW)
    store.records.put("src", [change("a")], NOW, fence=old.fence)
    new = store.leases.take("src", NOW + timedelta(seconds=LEASE_SECONDS + 1))
    with pytest.raises(StoreError, match="taken over"):
        store.records.put("src", [change("b")], NOW, fence=old.fence)
    store.records.put("src", [change("c")], NOW, fence=new.fence)
    assert {r.identifier for r in store.records.read()} == {"src/a", "src/c"}
    # Leases are in no backup, fences are: a new lease begins above them.
    store.database["leases"].drop()
    assert store.leases.take("src", NOW).fence == new.fence + 1


def test_what_was_announced_is_not_written_once_another_has_recovered_it(store: Store) -> None:
    """A process that sleeps between announcing a batch and writing it (a laptop, a machine that
    is moved, ``SIGSTOP``) wakes when its source is another's."""
    old = store.leases.take("src", NOW)
    staged = store.records.stage("src", [change("a", "old")], NOW, fence=old.fence)
    later = NOW + timedelta(seconds=LEASE_SECONDS + 1)
    new = store.leases.take("src", later)
    assert store.records.recover("src", later) == 1
    store.records.put("src", [change("a", "new")], later, fence=new.fence)
    with pytest.raises(StoreError, match="silent for so long"):
        store.records.commit(staged)
    assert [r.hash for r in store.records.read()] == ["new"]
    assert store.records.counts()["source:src"].live == 1


def test_who_sleeps_while_he_takes_a_lease_does_not_make_older_ones_valid(store: Store) -> None:
    leases = store.leases
    slow = leases.take("src", NOW)
    newer = leases.take("src", NOW + timedelta(seconds=LEASE_SECONDS + 1))
    with pytest.raises(StoreError, match="taken over"):
        leases._raised(slow)
    with pytest.raises(StoreError, match="taken over"):
        store.records.put("src", [change("a")], NOW, fence=slow.fence)
    store.records.put("src", [change("b")], NOW, fence=newer.fence)
    assert {r.identifier for r in store.records.read()} == {"src/b"}


def test_one_of_many_who_come_at_once_gets_the_lease(settings: Settings, store: Store) -> None:
    got: list[int] = []
    ready = threading.Barrier(6)

    def come() -> None:
        with open_store(settings) as own:
            ready.wait()
            with contextlib.suppress(StoreError):
                got.append(own.leases.take("src", NOW).fence)

    _together(come, 6)
    assert got == [1]


def test_a_host_is_asked_by_one_at_a_time_and_not_before_its_pause_is_over(store: Store) -> None:
    ours = {"first", "second", "other"}
    end = store.leases.end

    def begin(host: str, token: str, now: datetime, longest: float) -> float | None:
        return store.leases.begin(host, token, now, longest, ours)

    assert begin("example.org", "first", NOW, 60) is None
    assert begin("example.org", "other", NOW, 60) == 0.25
    end("example.org", "first", NOW + timedelta(seconds=2))
    assert begin("example.org", "other", NOW + timedelta(seconds=0.5), 60) == 1.5
    assert begin("example.org", "second", NOW + timedelta(seconds=2), 60) is None
    end("example.org", "first", NOW)  # not its turn any more: nothing happens
    assert begin("example.org", "other", NOW + timedelta(seconds=3), 60) == 0.25
    gone(store, "hosts", "example.org")
    assert begin("example.org", "other", NOW + timedelta(seconds=3), 60) is None


def test_who_is_dead_is_known_of_this_machine_alone(store: Store) -> None:
    """Names of machines may be the same, as numbers of processes are; a container has its own."""

    def held(**changed: Any) -> bool:
        store.database["leases"].update_one({"_id": "src"}, {"$set": changed})
        return store.leases.holder("src", NOW) is not None

    store.leases.take("src", NOW)
    me = store.database["leases"].find_one({"_id": "src"})
    assert me is not None
    assert held()
    assert held(machine=me["machine"] + "1", pid=2**22 + 1), "of another nobody can tell"
    assert not held(machine=me["machine"])
    assert not held(pid=me["pid"], process=me["process"] - 1), "a number is given again"
    assert held(process=me["process"], host="renamed")
    # An earlier version said neither.
    store.database["leases"].update_one({"_id": "src"}, {"$unset": {"machine": 1}})
    assert held(pid=2**22 + 1)


def test_a_turn_of_a_namesake_elsewhere_is_not_void(store: Store) -> None:
    assert store.leases.begin("example.org", "first", NOW, 60) is None
    hosts = store.database["hosts"]
    hosts.update_one({"_id": "example.org"}, {"$set": {"machine": "another"}})
    assert store.leases.begin("example.org", "other", NOW, 60, {"other"}) == 0.25


def test_all_go_by_the_clock_of_the_store(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fast(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:
            return datetime.now(tz) + timedelta(hours=1)

    monkeypatch.setattr(clock, "datetime", Fast)
    with open_store(settings) as fast:
        away = clock.Clock(fast.database.client)
        assert fast.now() - store.now() < timedelta(minutes=10)
        assert fast.now() <= fast.now()
    # One that cannot be asked goes by what it has.
    assert away() - store.now() > timedelta(minutes=50)


def test_nobody_waits_for_himself_when_the_store_was_away(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A turn that could not be given back, or of which it was not heard that it was got."""
    shared = turns(store, 0.01)
    assert shared is not None

    def lost(answer: bool) -> Any:
        def ask(*given: Any) -> None:
            if answer:  # it arrives, and its answer does not
                begin(*given)
            raise AutoReconnect("away")

        return ask

    begin = store.leases.begin

    async def ask(times: int) -> None:
        for _ in range(times):
            async with shared.of("example.org", 3_600, 0):
                pass

    with monkeypatch.context() as away:
        away.setattr(store.leases, "end", lost(False))
        asyncio.run(ask(1))
    asyncio.run(asyncio.wait_for(ask(2), 30))
    for arrives in (True, False):
        with monkeypatch.context() as away:
            away.setattr(store.leases, "begin", lost(arrives))
            with pytest.raises(StoreError):
                asyncio.run(ask(1))
        asyncio.run(asyncio.wait_for(ask(2), 30))


def test_what_the_driver_asks_again_is_ours(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where an answer was lost with the server, the driver sends a write again by itself."""

    def twice(self: Any, *given: Any, **more: Any) -> Any:
        update(self, *given, **more)
        return update(self, *given, **more)

    update = Collection.update_one
    store.schedule.plan("src", NOW)
    store.leases.release(store.leases.take("src", NOW))
    monkeypatch.setattr(Collection, "update_one", twice)
    assert store.leases.take("src", NOW).fence == 2
    for moment in range(3):
        now = NOW + timedelta(seconds=moment)
        while (wait := store.leases.begin("example.org", f"t{moment}", now, 60)) is not None:
            assert wait < 0.1
        store.leases.end("example.org", f"t{moment}", now)
    assert store.schedule.queue("src", NOW, NOW)
    assert store.schedule.claim("src", NOW, NOW) is not None
    assert store.schedule.claim("src", NOW, NOW) is None


def test_a_due_run_is_begun_once_and_finished_once(store: Store) -> None:
    schedule = store.schedule
    schedule.plan("src", NOW)
    schedule.plan("src", NOW + timedelta(days=9))  # it has its date
    assert schedule.entries(NOW)["src"].due == NOW
    assert schedule.queue("src", NOW, NOW)
    assert not schedule.queue("src", NOW, NOW)
    token = schedule.claim("src", NOW, NOW)
    assert token is not None
    assert schedule.claim("src", NOW, NOW) is None
    assert schedule.beat("src", token, NOW + timedelta(seconds=30))
    tomorrow = NOW + timedelta(days=1)
    assert schedule.finish("src", token, due=tomorrow, failures=0)
    assert not schedule.finish("src", token, due=tomorrow, failures=0)
    assert schedule.claim("src", NOW, NOW) is None  # it was done
    assert schedule.entries(NOW)["src"].due == tomorrow


def test_a_source_that_comes_back_within_days_has_the_date_it_had(store: Store) -> None:
    schedule = store.schedule
    schedule.plan("src", NOW)
    first, last = NOW + timedelta(days=1), NOW + timedelta(days=1 + GONE_DAYS)
    schedule.forget({"other"}, first)
    assert schedule.entries(NOW)["src"].gone
    schedule.forget({"src"}, last)
    assert not schedule.entries(NOW)["src"].gone
    # Somebody else has other files: now it is gone, now it is there.
    for _ in range(2):
        schedule.forget({"other"}, first)
        schedule.forget({"src"}, last)
    assert schedule.entries(NOW)["src"].due == NOW
    for moment in (first, last, last + timedelta(hours=1)):
        schedule.forget(set(), moment)
    assert schedule.entries(NOW) == {}


def test_whoever_falls_silent_is_replaced(store: Store) -> None:
    schedule = store.schedule
    schedule.plan("src", NOW)
    assert schedule.queue("src", NOW, NOW)
    late = NOW + timedelta(seconds=QUEUED_SECONDS + 1)
    assert schedule.queue("src", NOW, late)
    first = schedule.claim("src", NOW, late)
    assert first is not None
    later = late + timedelta(seconds=CLAIM_SECONDS + 1)
    second = schedule.claim("src", NOW, later)
    assert second is not None
    assert not schedule.beat("src", first, later)
    assert not schedule.finish("src", first, due=later, failures=0)
    schedule.release("src", second)
    assert schedule.entries(later)["src"].due == NOW  # due as before


def test_of_many_who_come_at_once_one_begins(settings: Settings, store: Store) -> None:
    store.schedule.plan("src", NOW)
    got: list[Any] = []
    ready = threading.Barrier(6)

    def come() -> None:
        with open_store(settings) as own:
            ready.wait()
            if own.schedule.queue("src", NOW, NOW):
                got.append("queued")
            if own.schedule.claim("src", NOW, NOW):
                got.append("claimed")

    _together(come, 6)
    assert sorted(got) == ["claimed", "queued"] or got == ["claimed"]


def _together(work: Any, number: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(number)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
