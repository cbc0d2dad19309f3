"""What the command line says when something is wrong: what, where, and what to do next."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from store import engine
from tests.running import Hub

SOURCE = 'title = "A"\nadapter = "feed"\nurl = "http://127.0.0.1:9/feed"\n'


@pytest.fixture(autouse=True)
def _cold(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command is a program of its own, as users start it."""
    monkeypatch.setattr(Hub, "cold", True)


def test_every_mistake_of_the_source_files_is_named_at_once(hub: Hub) -> None:
    hub.source("ok", SOURCE)
    hub.source("bad-keys", SOURCE + 'shedule = "daily"\n[options]\ntyp = "news"\n')
    hub.source(
        "bad-values", SOURCE.replace("http", "gopher") + 'country = "Kenya"\nschedule = "often"\n'
    )
    hub.source("bad-adapter", SOURCE.replace("feed", "fead", 1))
    hub.source("Bad Name", SOURCE)
    hub.source("not-toml", "title = Kenya\n")
    said = hub("sources", "check")
    assert said.code == 2
    for words in (
        "bad-keys.toml: shedule: no such key; known are",
        "bad-keys.toml: options.typ: no such key",
        "bad-values.toml: url: not an http or https address",
        "bad-values.toml: country: not an ISO 3166-1 alpha-2 code",
        "bad-values.toml: schedule: neither hourly",
        "bad-adapter.toml: adapter: no adapter 'fead'; there are",
        "Bad Name.toml: the file's name is the source's identifier",
        "not-toml.toml: not valid TOML",
    ):
        assert words in said.err, words
    whole = hub("harvest", "--all", CHM_HUB_SHIPPED_SOURCES="no")
    assert whole.code == 2
    assert "left out: " in whole.err
    assert "ok: failed" in whole.err, "others' mistakes are not its own"
    for command in (("health",), ("sources", "list")):
        listed = hub(*command, CHM_HUB_SHIPPED_SOURCES="no")
        assert listed.code == 2
        assert "left out: " in listed.err
        assert [row.split()[0] for row in listed.out.splitlines()] == ["source", "ok"]
    assert hub("harvest", "bad-keys").code == 2
    assert "refuses connections" in hub("harvest", "ok").err


def test_a_crosswalk_that_is_broken_is_not_the_others_trouble(hub: Hub) -> None:
    hub.source("a-bad", 'crosswalk = "nowhere"\n' + SOURCE)
    hub.source("b-good", SOURCE)
    said = hub("map", "--all", "--json", CHM_HUB_SHIPPED_SOURCES="no")
    assert said.code == 1
    assert "a-bad: " in said.err
    assert [(run["source"], run["state"]) for run in said.lines] == [
        ("a-bad", "failed"),
        ("b-good", "complete"),
    ]


def test_one_identifier_names_one_source(hub: Hub, tmp_path: Path) -> None:
    hub.source("twice", SOURCE)
    other = tmp_path / "more"
    other.mkdir()
    (other / "twice.toml").write_text(SOURCE)
    said = hub("sources", "check", CHM_HUB_SOURCES=f"{hub.sources}:{other}")
    assert said.code == 2
    assert "the identifier twice is taken by" in said.err


def test_a_source_that_is_not_there(hub: Hub) -> None:
    said = hub("harvest", "nowhere")
    assert said.code == 2
    assert "no such source: nowhere" in said.err
    assert "sources list" in said.err


def test_a_crosswalk_that_is_not_there(hub: Hub) -> None:
    hub.source("a", SOURCE + 'crosswalk = "fead"\n')
    said = hub("sources", "check")
    assert said.code == 2
    assert "fead: no such crosswalk; there are" in said.err


def test_usage_is_told_from_failure(hub: Hub) -> None:
    hub.source("a", SOURCE)
    assert hub("harvest").code == 2
    assert hub("harvest", "a", "--since", "yesterday").code == 2
    assert hub("harvest", "--no-such-option").code == 2
    assert hub("records", "--set", "x", "--source", "y").code == 2
    assert hub("explain", "a/none").code == 1


def test_a_source_that_does_not_answer_fails_by_name(hub: Hub) -> None:
    hub.source("dead", SOURCE + "[options]\ntries = 1\n")
    said = hub("harvest", "dead", "--json")
    assert said.code == 1
    (line,) = said.lines
    assert line["state"] == "failed"
    assert line["error"] == "refused"
    assert "dead: failed: 127.0.0.1: refuses connections" in said.err
    (run,) = hub("runs", "dead", "--json").lines
    assert run["state"] == "failed"
    assert run["reason"] == line["reason"]


def test_settings_that_cannot_be_meant(hub: Hub, tmp_path: Path) -> None:
    said = hub(
        "sources",
        "list",
        CHM_HUB_HOST_DELAY="soon",
        CHM_HUB_EGRESS_ALLOW="127.0.0.1/99",
        CHM_HUB_BASE_URL="hub.example.org",
    )
    assert said.code == 2
    for name in ("CHM_HUB_HOST_DELAY", "CHM_HUB_EGRESS_ALLOW", "CHM_HUB_BASE_URL"):
        assert f"chm-hub: {name}: " in said.err
    config = tmp_path / "hub.toml"
    config.write_text('base_ulr = "http://x.org"\n')
    said = hub("sources", "list", CHM_HUB_CONFIG=str(config))
    assert said.code == 2
    assert "base_ulr: no such setting" in said.err


def test_a_mongodb_that_is_not_there(hub: Hub) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    uri = f"mongodb://user:geheim@127.0.0.1:{port}/hub?serverSelectionTimeoutMS=300"
    said = hub("records", "--count", CHM_HUB_MONGODB_URI=uri)
    assert said.code == 1
    assert "no database answers there" in said.err
    assert "CHM_HUB_MONGODB_URI" in said.err
    assert "geheim" not in said.err
    assert hub("records", "--count", CHM_HUB_MONGODB_URI="localhost").code == 2


def test_a_port_that_is_taken(hub: Hub) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        for command in ("serve", "demo", "up"):
            said = hub(command, "--port", str(port))
            assert said.code == 2, command
            assert f"127.0.0.1:{port}: cannot listen there" in said.err
            assert "--port" in said.err


def test_a_data_folder_that_cannot_be_made(hub: Hub, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    environ = {k: v for k, v in hub.environ.items() if k != "CHM_HUB_MONGODB_URI"}
    done = subprocess.run(
        [shutil.which("chm-hub", path=str(Path(os.sys.executable).parent)), "--data",  # type: ignore[attr-defined]
         str(tmp_path / "file" / "data"), "records", "--count"],
        capture_output=True, text=True, env=environ,
    )  # fmt: skip
    assert done.returncode == 1
    assert "cannot make the data folder" in done.stderr


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """A data folder with an engine of its own, stopped afterwards."""
    data = tmp_path / "alone"
    yield data  # type: ignore[misc]
    engine.stop(data)


def test_the_engine_is_shared_survives_its_death_and_stops_in_order(hub: Hub, alone: Path) -> None:
    own = Hub.__new__(Hub)
    own.data, own.sources = hub.data, hub.sources
    own.environ = {k: v for k, v in hub.environ.items() if k != "CHM_HUB_MONGODB_URI"}
    data = ("--data", str(alone))
    assert own(*data, "engine", "status").out.strip() == "not running"
    assert own(*data, "engine", "start").code == 0
    (first,) = own(*data, "engine", "status", "--json").lines
    assert first["running"] is True
    assert own(*data, "records", "--count").out.strip() == "0"
    (still,) = own(*data, "engine", "status", "--json").lines
    assert still["process"] == first["process"], "one engine serves every command"
    assert (alone / "engine.json").stat().st_mode & 0o077 == 0
    assert (alone / "engine.key").stat().st_mode & 0o077 == 0
    os.kill(first["process"], signal.SIGKILL)
    assert own(*data, "records", "--count").out.strip() == "0", "it is started again"
    assert own(*data, "engine", "stop").code == 0
    assert own(*data, "engine", "status").out.strip() == "not running"
    version = alone / "engine.version"
    version.write_text("0.0.1\n")
    said = own(*data, "records", "--count")
    assert said.code == 1
    assert "written by secantusdb 0.0.1" in said.err
    version.unlink()


def test_nothing_is_written_to_a_disk_that_is_nearly_full(
    store: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    from chm_hub.errors import StoreError
    from store import Store, connection

    assert isinstance(store, Store)
    monkeypatch.setattr(store, "_folder", tmp_path)
    monkeypatch.setattr(connection, "LOW_DISK", 1 << 60)
    with pytest.raises(StoreError, match="MiB free on this disk.*Nothing was lost"):
        store.check_room()
