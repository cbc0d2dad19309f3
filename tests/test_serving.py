"""The serving commands as a person uses them: start, ask, Ctrl-C."""

from __future__ import annotations

import signal
import socket
import subprocess
import threading
import time
import urllib.request
from pathlib import Path

import pytest

from store import engine
from tests.running import Hub

VERBS = (
    "verb=Identify",
    "verb=ListMetadataFormats",
    "verb=ListSets",
    "verb=ListIdentifiers&metadataPrefix=oai_dc",
    "verb=ListRecords&metadataPrefix=chm",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def await_line(process: subprocess.Popen[str], words: str) -> None:
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if words in line:
            return
    raise AssertionError("".join(seen))


def get(url: str) -> str:
    with urllib.request.urlopen(url, timeout=20) as answer:
        return str(answer.read().decode())


def await_answer(url: str) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        try:
            get(url)
        except OSError:
            threading.Event().wait(0.05)
        else:
            return
    raise AssertionError(f"{url} does not answer")


@pytest.fixture
def own(hub: Hub) -> Hub:
    """A hub with an engine of its own in its data folder."""
    made = Hub(hub.data, "", hub.sources)
    yield made  # type: ignore[misc]
    engine.stop(hub.data)


def test_demo_harvests_serves_and_stops_with_its_engine(own: Hub, tmp_path: Path) -> None:
    port = free_port()
    process = own.start("demo", "--port", str(port))
    try:
        await_line(process, "Ctrl-C stops")
        base = f"http://127.0.0.1:{port}"
        for query in VERBS:
            answer = get(f"{base}/oai?{query}")
            assert "<error" not in answer, query
            assert f"{base}/oai</request>" in answer
        count = own("records", "--count").out.strip()
        assert f"<strong>{int(count):,}</strong> records" in get(f"{base}/")
        name = next(iter(own.records("--source", "demo-atom")))
        record = f"verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:chm-hub.example:{name}"
        assert "<GetRecord>" in get(f"{base}/oai?{record}")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.communicate()
    assert not engine.is_supervised(own.data), "the engine stopped with its last user"
    left = own("sources", "check")
    assert left.code == 0, f"the network's source files stay, disabled and in order: {left.err}"


@pytest.mark.parametrize("command", ["up", "serve"])
def test_serving_starts_and_stops_in_order(own: Hub, command: str) -> None:
    port = free_port()
    process = own.start(command, "--port", str(port))
    try:
        await_answer(f"http://127.0.0.1:{port}/health")
        assert "There are no records yet" in get(f"http://127.0.0.1:{port}/")
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        assert process.returncode == 0, said
    finally:
        process.kill()
        process.communicate()
