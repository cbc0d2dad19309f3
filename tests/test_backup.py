"""Backup, restore and retention: what comes back is what was, whoever writes meanwhile."""

from __future__ import annotations

import gzip
import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from store import Change, Store, backup, open_store
from store.retention import tidy
from tests.repository import Repository
from tests.running import Hub
from tests.store.test_records import recount, settled, walk

NAMES = [f"r{i:03}" for i in range(40)]
NOW = datetime(2026, 5, 4, 12, tzinfo=UTC)


@pytest.fixture
def repository(hub: Hub) -> Iterator[Repository]:
    with Repository() as made:
        made.add(*NAMES)
        hub.source("src", made.source())
        yield made


@pytest.fixture
def other(hub: Hub, tmp_path: Path) -> Iterator[Hub]:
    """A hub with an embedded engine of its own."""
    made = Hub(tmp_path / "other", "", hub.sources)
    made.data.mkdir()
    yield made
    made("engine", "stop")


def quiet(name: str, count: int) -> None:
    pass


def test_what_is_restored_is_what_was(
    hub: Hub, other: Hub, repository: Repository, tmp_path: Path
) -> None:
    assert hub("harvest", "src", "--json").code == 0
    repository.delete("r001", "r002")
    repository.add("r003", title="Another {}")
    assert hub("harvest", "src", "--json").code == 0
    file = tmp_path / "hub.backup"
    said = hub("backup", str(file), "--json")
    assert said.code == 0, said.err
    assert file.stat().st_mode & 0o777 == 0o600
    assert said.lines[0]["counts"]["records"] == 40
    back = other("restore", str(file), "--json")
    assert back.code == 0, back.err
    assert other.records("--with-deleted") == hub.records("--with-deleted")
    assert other("ledger", "src", "--json").lines == hub("ledger", "src", "--json").lines
    # It goes on where the other was: an increment, of which nothing new comes.
    (run,) = other("harvest", "src", "--json").lines
    assert (run["full"], run["seen"], run["state"]) == (False, run["unchanged"], "complete")
    again = other("restore", str(file))
    assert again.code == 1
    assert "is not empty" in again.err
    assert other("restore", str(file), "--replace").code == 0


def test_a_file_that_is_not_whole_changes_nothing(
    hub: Hub, repository: Repository, tmp_path: Path
) -> None:
    assert hub("harvest", "src", "--json").code == 0
    before = hub.records()
    file = tmp_path / "hub.backup"
    assert hub("backup", str(file)).code == 0
    whole = gzip.decompress(file.read_bytes())
    spoilt = whole.replace(b"Title of r007", b"Title of r008")
    for text, words in (
        (gzip.compress(whole[: len(whole) // 2]), "damaged"),
        (gzip.compress(whole[:-400]), "damaged"),
        (file.read_bytes()[:-200], "damaged"),
        (b"", "is cut off"),
        (b"not a backup", "not a backup"),
        (gzip.compress(spoilt), "damaged"),
        (file.read_bytes() * 2, "something follows its end"),
    ):
        file.write_bytes(text)
        said = hub("restore", str(file), "--replace")
        assert said.code == 1
        assert words in said.err
    assert "no such file" in hub("restore", str(tmp_path / "nowhere")).err
    assert hub.records() == before
    for place in ("/proc/nothing/hub.backup", str(file / "hub.backup")):
        full = hub("backup", place)
        assert full.code == 1
        assert "cannot be written" in full.err


def test_a_bit_that_flipped_is_found(store: Store, tmp_path: Path) -> None:
    store.records.put("src", [change(name, 0, None) for name in NAMES], NOW)
    file = tmp_path / "hub.backup"
    backup.backup(store.database, file, NOW, quiet)
    whole, told, found = file.read_bytes(), backup.check(file), 0
    for place in range(0, len(whole), max(1, len(whole) // 400)):
        spoilt = bytearray(whole)
        spoilt[place] ^= 1 << place % 8
        file.write_bytes(spoilt)
        try:
            assert backup.check(file) == told, "a name or a date of gzip's own"
        except StoreError:
            found += 1
    assert found > 300


def test_nothing_is_restored_under_a_harvest(
    hub: Hub, repository: Repository, settings: Settings, tmp_path: Path
) -> None:
    assert hub("harvest", "src").code == 0
    file = tmp_path / "hub.backup"
    assert hub("backup", str(file)).code == 0
    repository.add("r040", "r041")
    assert hub("harvest", "src").code == 0
    before = hub.records()
    assert len(before) == 42
    repository.add(*(f"r{i:03}" for i in range(42, 72)))
    repository.slow, asked = 2.0, len(repository.asked)
    running = hub.start("harvest", "src", "--json")
    with open_store(settings) as store:
        while len(repository.asked) == asked:
            assert running.poll() is None
        repository.slow = 600.0
        said = hub("restore", str(file), "--replace")
        assert said.code == 1
        assert "src: being harvested. Nothing was changed" in said.err
        # Somebody on another machine, whose lease nobody knew of.
        store.database["leases"].drop()
        backup.restore(store.database, file, NOW, quiet)
        store.prepare()
    repository.ending.set()
    out, _ = running.communicate()
    assert json.loads(out)["error"] == "store"
    repository.slow = 0.0
    assert len(hub.records()) == 40, "nothing more of it was written"
    assert hub("harvest", "src").code == 0
    assert len(hub.records()) == 72, "and nothing is stepped over"


def change(name: str, version: int, known: Any) -> Change:
    return Change(
        identifier=f"src/{name}",
        record=None if version % 5 == 4 else {"title": [{"value": f"{name} {version}"}]},
        hash=f"{name}{version}",
        sets=("source:src", "country:KE") if version % 2 else ("source:src", "type:news"),
        fragments={} if version % 5 == 4 else {"oai_dc": f"<dc>{name} {version}</dc>"},
        document="",
        crosswalk="",
        page="src/1/1",
        index=0,
        was=known,
    )


def test_a_store_that_is_written_to_is_restored_consistent(
    settings: Settings, store: Store, tmp_path: Path
) -> None:
    records = store.records
    names = [f"n{i:03}" for i in range(300)]
    stopping = threading.Event()

    def write() -> None:
        version = 0
        with open_store(settings) as own:
            while not stopping.is_set():
                for start in range(0, len(names), 60):
                    part = names[start : start + 60]
                    known = own.records.look_up(f"src/{n}" for n in part)
                    own.records.put(
                        "src", [change(n, version, known.get(f"src/{n}")) for n in part], NOW
                    )
                version += 1

    records.put("src", [change(name, 0, None) for name in names], NOW)
    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            file = tmp_path / f"{number}.backup"
            backup.backup(store.database, file, NOW, quiet)
    finally:
        stopping.set()
        writer.join()
    for number in range(3):
        file = tmp_path / f"{number}.backup"
        backup.check(file)
        with open_store(settings) as again:
            database = again.database.client[f"{again.database.name}_{number}"]
            backup.restore(database, file, NOW, quiet)
            restored = Store(again.database.client, database.name, "here", None)
            restored.prepare()
            assert settled(restored.records.counts()) == recount(restored)
            met = [identifier for identifier, *_ in walk(restored, 50)]
            assert sorted(met) == [f"src/{name}" for name in names]
            assert {r.identifier for r in restored.records.read()} == set(met)
            for spec in ("source:src", "country:KE", "type:news"):
                assert restored.records.recount(spec) == restored.records.count(spec)
            database.client.drop_database(database.name)


def test_old_answers_are_let_go_and_every_record_can_be_made_again(
    hub: Hub, repository: Repository, settings: Settings
) -> None:
    hub.source("src", repository.source(full_every=1))
    for version in range(6):
        repository.add(*NAMES[:20], title=f"{version} {{}}")
        assert hub("harvest", "src", "--full", "--json").code == 0
    before = hub.records()
    with open_store(settings) as store:
        now = datetime.now(UTC) + timedelta(days=100)
        nothing = tidy(store, "src", now - timedelta(days=365), lambda: now)
        assert (nothing.pages, nothing.kept) == (0, 24)
        would = tidy(store, "src", now, lambda: now, dry_run=True)
        done = tidy(store, "src", now, lambda: now)
        assert (would.pages, would.size) == (done.pages, done.size)
        # Of six walks of four pages each three stay whole, and of the first the two pages with
        # what never changed since.
        assert done.pages == 24 - 3 * 4 - 2
        assert tidy(store, "src", now, lambda: now).pages == 0
        lease = store.leases.take("src", now)
        with pytest.raises(StoreError, match="is being harvested"):
            tidy(store, "src", now, lambda: now)
        store.leases.release(lease)
        # It takes long: nobody may come between its beginning and its end.
        moments = iter(now + timedelta(seconds=90 * n) for n in range(1_000))

        def slow() -> datetime:
            moment = next(moments)
            if moment > now:
                with pytest.raises(StoreError, match="is being harvested"):
                    store.leases.take("src", moment)
            return moment

        assert tidy(store, "src", now, slow, dry_run=True).kept == done.kept
    assert hub("map", "src", "--json").code == 0
    assert hub.records() == before
    said = hub("tidy", "--all", "--json")
    assert said.lines == [{"source": "src", "pages": 0, "bytes": 0, "kept": 14}]
