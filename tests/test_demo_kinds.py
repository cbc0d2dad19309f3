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


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("demo-oai-campus", "records change collections"),
        ("demo-sitemap-tn", "the site gets another name"),
    ],
)
def test_no_record_is_lost_or_doubled(hub: Hub, network: Network, name: str, kind: str) -> None:
    hub.source(name, network.sources()[name])
    for phase in range(PHASES):
        said = hub("harvest", name, "--full", "--json")
        assert said.lines[0]["state"].startswith("complete"), (kind, said.err)
        held = hub.records("--with-deleted")
        truth = network.truth()[name]
        live = {r["source_identifier"] for r in held.values() if not r["deleted"]}
        # What the site no longer lists is deleted only after a week.
        assert live - truth.deleted == set(truth.live), kind
        if phase == 0 or name == "demo-oai-campus":
            compare(held, {name: truth})
        network.advance()
