"""The engine dies, and comes back, in the middle of harvests and walks: nothing is lost, and runs
say truly how they ended."""

from __future__ import annotations

import os
import random
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from chm_hub.settings import load
from store import engine, open_store
from tests.repository import Repository
from tests.running import Hub
from tests.test_kill import sound

NAMES = [f"r{i:04}" for i in range(1500)]
STATES = {"complete", "complete_with_warnings", "partial", "failed"}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Hub]:
    """A hub with an engine of its own."""
    made = Hub(tmp_path / "data", "", tmp_path / "sources")
    made.data.mkdir()
    assert made("engine", "start").code == 0
    yield made
    made("engine", "stop")


def rounds(own: Hub, number: int) -> None:
    dice = random.Random(7)
    with Repository(page=50) as repository:
        repository.add(*NAMES)
        own.source("src", repository.source())
        for turn in range(number):
            repository.add(*dice.sample(NAMES, 200), title=f"Title {turn} of {{}}")
            process = own.start("harvest", "src", "--full", "--json")
            repository.slow = 0.02
            try:
                process.wait(timeout=dice.uniform(0.8, 2.5))
            except Exception:  # it is in the middle of it
                address = engine.read_address(own.data)
                if turn % 2 and address is not None:
                    os.kill(address.engine, signal.SIGKILL)  # its supervisor starts another
                else:
                    own("engine", "stop")
                    own("engine", "start")
            repository.slow = 0.0
            process.communicate(timeout=120)
            assert own("harvest", "src", "--full", "--json").code == 0
            titles = {
                r["source_identifier"].removeprefix("oai:x:"): r["title"][0]["value"]
                for r in own.records().values()
            }
            assert titles == {n: t.title for n, t in repository.things.items()}
            history = own("runs", "src", "--json", "--limit", "1000").lines
            assert {run["state"] for run in history} <= STATES
            assert history[0]["state"].startswith("complete")
        with open_store(load({}, data=own.data)) as store:
            sound(store)
        assert own("ledger", "src").code == 0


def test_the_engine_stops_in_the_middle_of_a_harvest(own: Hub) -> None:
    rounds(own, 1)


@pytest.mark.slow
def test_the_engine_stops_twenty_times(own: Hub) -> None:
    rounds(own, 20)
