"""Partners' hosts of the demonstration network through their lives; hosts of a test's own."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from chm_hub.settings import Settings
from demo.hosts import Truth
from demo.network import Network
from demo.server import HOST, Answer, Request, Server
from store import open_store
from tests.running import Hub

GOOD = {"complete", "complete_with_warnings"}
Record = dict[str, Any]


def harvest(hub: Hub, names: Sequence[str], *more: str, key: str = "") -> dict[str, Record]:
    """Harvest some sources; their runs, of which none went wrong."""
    said = hub("harvest", *names, "--json", *more, CHM_HUB_DEMO_KEY=key)
    runs = {line["source"]: line for line in said.lines}
    assert set(runs) == set(names), said.err
    for name, run in runs.items():
        assert run["state"] in GOOD, (name, run, said.err)
        assert not run["quarantined"], (name, run)
    return runs


def compare(records: dict[str, Record], truth: dict[str, Truth], names: Sequence[str]) -> None:
    """What a hub holds of some sources is what there is: neither more nor less."""
    for name in names:
        live = {
            r["source_identifier"]: r
            for r in records.values()
            if r["source"] == name and not r["deleted"]
        }
        assert set(live) == set(truth[name].live), name
        for identifier, record in live.items():
            wanted = truth[name].live[identifier]
            where = f"{name}: {identifier}"
            assert record["type"] == wanted.type, where
            assert sorted(record.get("spatial", [])) == sorted(wanted.countries), where
            titles = {(t["value"], t.get("lang")) for t in record["title"]}
            assert titles == {(t.value, t.lang) for t in wanted.title}, where


def age(settings: Settings, names: Sequence[str]) -> set[str]:
    """Let eight days go by for what is missing at some sources; returns what that is."""
    waiting: set[str] = set()
    with open_store(settings) as store:
        for name in names:
            missing = store.runs.missing(name)
            waiting |= set(missing)
            since = {record: at - timedelta(days=8) for record, at in missing.items()}
            store.runs.set_missing(name, since)
    return waiting


def live_through(
    hub: Hub,
    network: Network,
    settings: Settings,
    names: Sequence[str],
    *,
    waits: Callable[[str], bool] = lambda name: True,
    incremental: Sequence[str] = (),
    key: str = "",
) -> None:
    """Harvest some sources in the first phase and in two more, and compare with the truth.

    ``key`` is what the hub finds in ``CHM_HUB_DEMO_KEY``. ``waits`` says of a source whether
    what is gone there must be missing twice, a week apart; those that are ``incremental`` show
    what is gone in whole walks only.
    """
    texts = network.sources()
    for name in names:
        hub.source(name, texts[name])
    first = harvest(hub, names, key=key)
    truth = network.truth()
    records = hub.records("--with-deleted")
    compare(records, truth, names)
    for name in names:
        assert first[name]["new"] == len(truth[name].live), name
        assert not first[name]["issues"], (name, first[name])
        assert len({c for e in truth[name].live.values() for c in e.countries}) > 20, name
    again = harvest(hub, names, key=key)
    assert all(run["new"] == run["changed"] == 0 for run in again.values()), again
    assert hub.records("--with-deleted").keys() == records.keys()
    for _ in range(2):
        before = truth
        network.advance()
        truth = network.truth()
        runs = harvest(hub, names, key=key)
        for name in names:
            changed = [
                identifier
                for identifier, now in truth[name].live.items()
                if before[name].live.get(identifier) not in (None, now)
            ]
            assert runs[name]["changed"] >= len(changed) > 0, (name, runs[name])
        if incremental:
            assert all(not runs[name]["full"] for name in incremental)
            harvest(hub, incremental, "--full", key=key)
        waiting = age(settings, names)
        assert {record.partition("/")[0] for record in waiting} == {n for n in names if waits(n)}
        harvest(hub, names, "--full", key=key)
        records = hub.records("--with-deleted")
        compare(records, truth, names)
        for name in names:
            gone = {r["source_identifier"] for r in records.values() if r["deleted"]}
            assert truth[name].deleted - set(truth[name].live) <= gone, name


@contextmanager
def serving(respond: Callable[[Request], Answer]) -> Iterator[str]:
    """A host of a test's own; its address."""
    server = Server(0, respond)
    server.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.close()


def run_of(hub: Hub, name: str, *more: str, key: str = "") -> Record:
    """Harvest one source, whatever comes of it; its run."""
    (run,) = hub("harvest", name, "--json", *more, CHM_HUB_DEMO_KEY=key).lines
    return run
