"""The engine dies, and comes back, in the middle of harvests and walks: nothing is lost, nothing is
given twice, and runs say truly how they ended."""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest

from chm_hub.names import readable
from chm_hub.settings import load
from store import engine, open_store
from tests.repository import Repository
from tests.running import Hub
from tests.test_kill import sound
from tests.test_serving import await_answer, free_port

NAMES = [f"r{i:04}" for i in range(1500)]
OURS = {readable("src", f"oai:x:{name}"): name for name in NAMES}
STATES = {"complete", "complete_with_warnings", "partial", "failed"}
HURTS = ("the engine is killed", "it is stopped and started", "its supervisor is killed")


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Hub]:
    """A hub with an engine of its own."""
    made = Hub(tmp_path / "data", "", tmp_path / "sources")
    made.data.mkdir()
    made.environ["CHM_HUB_HOST_DELAY"] = "0.01"  # whose turn it is stands in the store too
    assert made("engine", "start").code == 0
    yield made
    made("engine", "stop")


@contextmanager
def served(own: Hub) -> Iterator[str]:
    """The endpoint of a hub, by one process that lives through it all."""
    port = free_port()
    process = own.start("serve", "--port", str(port), "--workers", "1")
    try:
        await_answer(f"http://127.0.0.1:{port}/health")
        yield f"http://127.0.0.1:{port}/oai"
    finally:
        process.terminate()
        process.communicate(timeout=60)


class Walk(threading.Thread):
    """A partner's walk over all there is, who comes again when told to."""

    def __init__(self, url: str, pause: float) -> None:
        super().__init__()
        self.url, self.pause = url, pause
        self.met: Counter[str] = Counter()
        self.wrong = ""

    def run(self) -> None:
        query = "metadataPrefix=oai_dc"
        while query:
            try:
                text = self.ask(f"{self.url}?verb=ListIdentifiers&{query}")
            except Exception as error:
                self.wrong = repr(error)
                return
            found = re.findall("<identifier>oai:[^:/]+:([^<]+)</identifier>", text)
            self.met.update(OURS[name] for name in found)
            if "<error" in text:
                self.wrong = text
            token = re.search("<resumptionToken[^>]*>([^<]+)<", text)
            query = f"resumptionToken={quote(token[1])}" if token else ""
            threading.Event().wait(self.pause)

    def ask(self, url: str) -> str:
        deadline = time.monotonic() + 120
        while True:
            try:
                with urllib.request.urlopen(url, timeout=60) as answer:
                    return str(answer.read().decode())
            except urllib.error.HTTPError as error:
                if error.code != 503 or not error.headers["Retry-After"]:
                    raise
                if time.monotonic() > deadline:
                    raise TimeoutError("for two minutes") from error
                threading.Event().wait(0.3)


def hurt(own: Hub, how: str) -> None:
    address = engine.read_address(own.data)
    assert address is not None
    if how == HURTS[0]:
        os.kill(address.engine, signal.SIGKILL)
    elif how == HURTS[1]:
        assert own("engine", "stop").code == 0
        assert own("engine", "start").code == 0
    else:
        os.kill(address.supervisor, signal.SIGKILL)


def rounds(own: Hub, hurts: Sequence[str]) -> None:
    dice = random.Random(7)
    with Repository(page=50) as repository, served(own) as url:
        repository.add(*NAMES)
        own.source("src", repository.source())
        assert own("harvest", "src", "--json").code == 0
        for turn, how in enumerate(hurts):
            edited = dice.sample(NAMES, 200)
            repository.add(*edited, title=f"Title {turn} of {{}}")
            walk = Walk(url, pause=0.2)
            walk.start()
            process = own.start("harvest", "src", "--full", "--json")
            repository.slow = 0.02
            try:
                process.wait(timeout=dice.uniform(0.8, 2.5))
            except subprocess.TimeoutExpired:  # it is in the middle of it
                hurt(own, how)
            repository.slow = 0.0
            process.communicate(timeout=120)
            assert own("harvest", "src", "--full", "--json").code == 0
            walk.join(timeout=180)
            assert not walk.is_alive()
            assert not walk.wrong, walk.wrong
            kept = set(NAMES) - set(edited)
            assert {name: walk.met[name] for name in kept if walk.met[name] != 1} == {}
            again = Walk(url, pause=0.0)
            again.run()
            assert again.met == Counter(NAMES)
            titles = {
                r["source_identifier"].removeprefix("oai:x:"): r["title"][0]["value"]
                for r in own.records().values()
            }
            assert titles == {n: t.title for n, t in repository.things.items()}
            history = own("runs", "src", "--json", "--limit", "1000").lines
            assert {run["state"] for run in history} <= STATES
            assert {run["error"] for run in history} <= {None, "store"}
            assert history[0]["state"].startswith("complete")
        with open_store(load({}, data=own.data)) as store:
            sound(store)
        assert own("ledger", "src").code == 0


def test_the_engine_stops_in_the_middle_of_harvests_and_walks(own: Hub) -> None:
    rounds(own, HURTS[2:])


@pytest.mark.slow
def test_the_engine_stops_twenty_times(own: Hub) -> None:
    rounds(own, [HURTS[turn % len(HURTS)] for turn in range(20)])
