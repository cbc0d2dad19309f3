"""kill -9 at random moments of a harvest, then a run to its end: the same records as ever."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.network import Network
from store import Store, open_store
from tests.running import Hub
from tests.store.test_records import recount, settled, walk

SOURCES = ("demo-oai", "demo-absch", "demo-atom", "demo-bioland-ke", "demo-stac")
"""Five families: each has its own way to list, to page and to resume."""


def contents(hub: Hub) -> dict[str, Any]:
    """What the records say, without when and by which run the hub came to them."""
    ours = ("datestamp", "seq", "provenance")
    return {
        name: {k: v for k, v in record.items() if k not in ours}
        for name, record in hub.records("--with-deleted").items()
    }


def sound(store: Store) -> None:
    """What must hold of every store, whatever happened to it."""
    assert settled(store.records.counts()) == recount(store)
    found = list(walk(store, 100))
    stamps = [stamp for _, stamp, *_ in found]
    assert stamps == sorted(stamps), "datestamps never go back"
    met = [identifier for identifier, *_ in found]
    assert len(met) == len(set(met)), "a walk gives no record twice"
    count = store.records.counts()[""]
    assert len(met) == count.live + count.deleted, "and loses none"
    assert store.records._log()["open"] == store.records._log()["settling"] == []


def rounds(hub: Hub, settings: Settings, number: int, seed: int) -> None:
    dice = random.Random(seed)
    with Network(seed=3, delay=0.004) as network:
        for name in SOURCES:
            hub.source(name, network.sources()[name])
        began = time.monotonic()
        assert hub("harvest", *SOURCES, "--json").code == 0
        whole = time.monotonic() - began
        reference = contents(hub)
        killed = 0
        for _ in range(number):
            with open_store(settings) as store:
                store.database.client.drop_database(store.database.name)
            # From the moment the process starts to a little before it would be done.
            process = hub.start("harvest", *SOURCES, "--json")
            try:
                process.wait(timeout=dice.uniform(0.25, 0.95) * whole)
            except Exception:
                process.kill()
                killed += 1
            process.communicate()
            assert hub("harvest", *SOURCES, "--json").code == 0
            assert contents(hub) == reference
            with open_store(settings) as store:
                sound(store)
            (whole_book, *others) = hub("ledger", "--all", "--json").lines
            assert all(book["adds_up"] for book in (whole_book, *others))
        assert killed >= number // 2


def test_a_harvest_that_is_killed_and_run_again_ends_as_if_it_had_not_been(
    hub: Hub, settings: Settings
) -> None:
    rounds(hub, settings, 2, seed=11)


@pytest.mark.slow
def test_two_hundred_harvests_killed(hub: Hub, settings: Settings) -> None:
    rounds(hub, settings, 200, seed=5)
