"""A week of a hub with 150 sources, a day being some minutes: the demonstration network, and
sources with faults. The schedule is kept, nothing is stuck, nothing grows, everybody is polite."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.hosts import KEY
from demo.network import Network
from tests.faults import matrix
from tests.running import Hub

ROUNDS = int(os.environ.get("CHM_HUB_TEST_ROUNDS", "7"))
PERIOD = int(os.environ.get("CHM_HUB_TEST_PERIOD", "180"))
"""Seconds; 150 runs take some two core-minutes."""
DELAY = 0.02
SERVER = matrix.SHARED / "tools" / "fault_server.py"


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Hub]:
    made = Hub(tmp_path / "data", "", tmp_path / "sources")
    made.data.mkdir()
    made.environ |= {
        "CHM_HUB_SHIPPED_SOURCES": "no",
        "CHM_HUB_HOST_DELAY": str(DELAY),
        "CHM_HUB_RUNS_AT_ONCE": "3",
        "CHM_HUB_DEMO_KEY": KEY,
    }
    assert made("engine", "start").code == 0
    yield made
    made("engine", "stop")


@pytest.mark.slow
@pytest.mark.skipif(not SERVER.is_file(), reason=f"NO FAULT SERVER: {SERVER} is absent")
def test_a_week(own: Hub) -> None:
    server = matrix.fault_server().FaultServer(records=24, page=8, seed=5, scale=0.2)
    with Network(seed=2) as network, server:
        texts = {
            name: re.sub(r"(?m)^(schedule|window)\b.*\n", "", text)
            for name, text in network.sources().items()
        }
        faults = [
            life
            for life in matrix.lives(server.listing())
            # One that is waited for each time would be the only thing that is measured.
            if life.begins == "fresh" and life.name != "slow_loris" and life.proto != "html"
        ]
        for life in faults:
            base = life.listing["base_url"]
            base += f"~{life.run}" if base.startswith("http:") else ""
            texts[life.id] = life.source(base)
        names = sorted(texts)[:150]
        for name in names:
            own.source(name, f'schedule = "PT{PERIOD}S"\n{texts[name]}')
        process = own.start("schedule")
        sizes = []
        began = time.monotonic()
        for _ in range(ROUNDS):
            threading.Event().wait(PERIOD)
            sizes.append(psutil.Process(process.pid).memory_info().rss)
        took = time.monotonic() - began
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
        assert "Traceback" not in said, said
        listed = own("schedule", "--list", "--json").lines
        assert len(listed) == len(names)
        assert not [row["source"] for row in listed if row["running"]], "a claim is stuck"
        runs = own("runs", "--json", "--limit", "1000").lines
        done = Counter(run["source"] for run in runs)
        healthy = {
            row["source"] for row in listed if row["failures"] == 0 and row["source"] in done
        }
        wanted = int(took / PERIOD) - 1  # the first is spread over the time it takes
        assert {name for name in healthy if done[name] < wanted - 1} == set()
        assert min(done.values()) >= 1
        assert sizes[-1] < sizes[min(1, len(sizes) - 1)] * 1.05
        # What does not change costs no more than three questions, where the protocol can tell.
        last = {run["source"]: run for run in reversed(runs)}
        quiet = [
            run
            for name, run in last.items()
            if name.startswith(("demo-oai", "oai-none", "rss-none"))
            and not run["full"]
            and run["new"] + run["changed"] + run["deleted"] == 0
        ]
        assert quiet
        assert max(run["requests"] for run in quiet) <= 3
        for life in faults:
            told = server.stats((life.proto, life.name, life.run))
            assert told["max_active"] <= 1, life.id
        books = own("ledger", "--all", "--json")
        assert books.code == 0, books.err
        assert server.canary == []
