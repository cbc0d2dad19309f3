"""A week of a hub with 150 sources, a day being some minutes: the demonstration network, and
sources with faults. The schedule is kept, nothing is stuck, nothing grows, everybody is polite."""

from __future__ import annotations

import os
import re
import signal
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psutil
import pytest

from chm_hub.settings import load
from demo.hosts import KEY
from demo.network import Network
from store import open_store
from tests.faults import matrix
from tests.running import Hub

ROUNDS = int(os.environ.get("CHM_HUB_TEST_ROUNDS", "7"))
PERIOD = timedelta(seconds=int(os.environ.get("CHM_HUB_TEST_PERIOD", "240")))
"""150 runs take some five core-minutes."""
DELAY = 0.02
MORE = (
    "demo-bioland-",
    "demo-dcat-",
    "demo-drupal-",
    "demo-informea-cbd",
    "demo-ptk-",
    "demo-sitemap-",
    "demo-stac-static",
    "jsonapi-",
)
"""Asked once for each bundle and language, channel, page of a list or file: their protocols have no
question for all that changed, or the fault server knows no answer to it."""
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
        names = sorted(name for name, text in texts.items() if "enabled   = false" not in text)
        names = names[:150]
        for name in names:
            own.source(name, f'schedule = "PT{PERIOD.seconds}S"\n{texts[name]}')
        process = own.start("schedule")
        sizes = []
        for day in range(ROUNDS):
            threading.Event().wait(PERIOD.total_seconds())
            sizes.append(psutil.Process(process.pid).memory_info().rss)
            if day < ROUNDS // 2:
                network.advance()
        ended = datetime.now(UTC)
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=120)
        assert "Traceback" not in said, said
        listed = {row["source"]: row for row in own("schedule", "--list", "--json").lines}
        assert set(listed) == set(names)
        with open_store(load({}, data=own.data)) as store:
            histories = {name: store.runs.history(name, 100)[::-1] for name in names}
            for name in names:
                assert not listed[name]["running"], f"{name}: its claim is stuck"
                assert store.leases.holder(name, ended) is None, f"{name}: its lease is stuck"
        for name, history in histories.items():
            assert history, name
            # Who was stopped on the way is due as before.
            done = [run for run in history if run.error != "interrupted"]
            dates = [run.due for run in done if run.due]
            assert len(dates) == len(set(dates)) == len(done), f"{name}: each date once"
            if any(not run.state.startswith("complete") for run in done):
                continue  # it is tried again by another rule
            for run, later in zip(done, done[1:], strict=False):
                assert run.due is not None
                assert later.due is not None
                assert run.due + PERIOD <= later.due <= run.started + PERIOD
            assert max(run.started - run.due for run in done if run.due) < PERIOD, name
            assert ended - dates[-1] < 2 * PERIOD, name
        assert sizes[-1] < sizes[1] * 1.05, sizes
        # What does not change costs no more than three questions, where the protocol can tell.
        last = [history[-1] for history in histories.values()]
        quiet = [run for run in last if not run.full and run.state.startswith("complete")]
        # (What cannot be read is looked for anew each time.)
        loud = {"new", "changed", "deleted", "quarantined"}
        quiet = [run for run in quiet if not run.counts.keys() & loud]
        quiet = [run for run in quiet if not run.source.startswith(MORE)]
        assert len(quiet) > 20
        assert {run.source: run.requests for run in quiet if run.requests > 3} == {}
        # All of them stand on one host: it was asked by one at a time, with the pause between.
        came = sorted([entry["t"] for entry in server.log] + [seen.at for seen in network.requests])
        gaps = [other - one for one, other in zip(came, came[1:], strict=False)]
        assert len(gaps) > len(names) * ROUNDS
        assert min(gaps) >= DELAY
        books = own("ledger", "--all", "--json")
        assert books.code == 0, books.err
        assert server.canary == []
