"""Portals of the demonstration network through their lives."""

from __future__ import annotations

from collections.abc import Sequence

from chm_hub.settings import Settings
from demo.network import Network
from tests.adapters.partners import Record, age, compare, harvest
from tests.running import Hub


def live_through(
    hub: Hub,
    network: Network,
    settings: Settings,
    names: Sequence[str],
    *,
    asked: bool,
    most: int = 3,
) -> dict[str, Record]:
    """Harvest some sources in the first phase and in two more, and compare with the truth each
    time; all records at the end.

    ``asked`` says whether what is missing is asked for and gone at once, or must be missing
    twice, a week apart. A run when nothing changed may cost ``most`` requests.
    """
    texts = network.sources()
    for name in names:
        hub.source(name, texts[name])
    first = harvest(hub, names)
    truth = network.truth()
    records = hub.records("--with-deleted")
    compare(records, truth, names)
    for name in names:
        assert first[name]["new"] == len(truth[name].live) > 30, name
        assert not first[name]["issues"], (name, first[name])
    again = harvest(hub, names)
    for name, run in again.items():
        assert run["new"] == run["changed"] == run["deleted"] == 0, (name, run)
        assert run["requests"] <= most, (name, run)
    for _ in range(2):
        before, held = truth, records
        network.advance()
        truth = network.truth()
        gone = {n: set(before[n].live) - set(truth[n].live) for n in names}
        back = {n: set(truth[n].live) & before[n].deleted for n in names}
        recent = harvest(hub, names)
        for name in names:
            changed = [i for i, now in truth[name].live.items() if before[name].live.get(i) != now]
            assert recent[name]["changed"] + recent[name]["new"] >= len(changed) > 0, name
        whole = harvest(hub, names, "--full")
        assert all(run["new"] == run["changed"] == 0 for run in whole.values()), whole
        waiting = age(settings, names)
        assert bool(waiting) is not asked, waiting
        if not asked:
            harvest(hub, names, "--full")
        records = hub.records("--with-deleted")
        compare(records, truth, names)
        assert all(gone.values())
        now_gone = {(r["source"], r["source_identifier"]) for r in records.values() if r["deleted"]}
        assert {(name, i) for name, lost in gone.items() for i in lost} <= now_gone
        assert not {(name, i) for name, found in back.items() for i in found} & now_gone
        moved = [n for n, r in records.items() if n in held and held[n]["seq"] != r["seq"]]
        assert len(moved) < len(held) * 0.25, "only what changed has moved"
    return records
