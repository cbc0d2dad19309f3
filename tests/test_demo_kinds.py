"""The demonstration network's awkward sources, harvested through some phases of their lives.

Each shows a kind of mistake that real sources brought to light, so that it stays mended.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

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


def test_a_slip_in_a_crosswalk_is_held(hub: Hub, network: Network, tmp_path: Path) -> None:
    """A letter too many in a crosswalk, and every record would lose its title."""
    name = "demo-oai-campus"
    text = network.sources()[name]
    hub.source(name, text)
    hub("harvest", name)
    before = hub.records("--with-deleted")
    slip = '[record]\ntitle = "metadata.titlle"\n'
    (tmp_path / "slip.toml").write_text(f'extends = "oai_dc"\n{slip}', "utf-8")
    own = {"CHM_HUB_CROSSWALKS": str(tmp_path)}
    hub.source(name, text.replace("[options]", 'crosswalk = "slip"\n[options]'))
    for command in (("map", name), ("harvest", name, "--full")):
        said = hub(*command, "--json", **own)
        assert (said.code, said.lines[0]["state"]) == (1, "held"), (command, said.lines, said.err)
        assert "title: 80 of 80 records lose theirs" in said.err
        assert hub.records("--with-deleted") == before
    hub.source(name, text)
    assert hub("map", name, "--json").lines[0]["state"] == "complete"
    assert hub.records("--with-deleted") == before
