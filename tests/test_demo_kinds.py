"""The demonstration network's awkward sources, harvested through some phases of their lives.

Each shows a kind of mistake that real sources brought to light, so that it stays mended.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from demo.network import Network
from tests.running import Hub
from tests.test_life import compare

PHASES = 3


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(seed=5) as made:
        yield made


def test_records_that_change_collections_stay_live(hub: Hub, network: Network) -> None:
    name = "demo-oai-campus"
    hub.source(name, network.sources()[name])
    for phase in range(PHASES):
        said = hub("harvest", name, "--json")
        assert said.lines[0]["state"].startswith("complete"), said.err
        compare(hub.records("--with-deleted"), {name: network.truth()[name]})
        if phase:
            assert said.lines[0]["changed"], "nothing moved"
        network.advance()
