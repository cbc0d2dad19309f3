"""The demonstration network harvested through the command line, phase by phase.

What the network says of itself is the truth; what the hub holds, and what partners get from
its endpoint, must be the same.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.network import Network, Truth
from store import open_store
from tests.running import Hub

PHASES = 3
SCBD = ("demo-chm", "demo-bch", "demo-absch", "demo-ort")
INDEX_ONLY = {"meeting", "notification", "pressRelease", "statement", "news", "decision"}


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(seed=7) as made:
        yield made


FEEDS = ("demo-rss", "demo-atom", "demo-rdf")
SOURCES = ("demo-oai", "demo-oai-days", "demo-oai-campus", *SCBD, *FEEDS)
"""The sources these tests look at closely; tests/test_whole_network.py looks at all."""


def truth_of(network: Network) -> dict[str, Truth]:
    truth = network.truth()
    return {name: truth[name] for name in SOURCES}


def declare(hub: Hub, network: Network) -> None:
    texts = network.sources()
    for name in SOURCES:
        hub.source(name, texts[name])


def harvest(hub: Hub, *more: str, names: tuple[str, ...] = SOURCES) -> dict[str, dict[str, Any]]:
    said = hub("harvest", *names, "--json", *more)
    runs = {line["source"]: line for line in said.lines}
    assert {r["state"] for r in runs.values()} <= {"complete", "complete_with_warnings"}, said.err
    counts = ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
    for run in runs.values():
        assert run["seen"] == sum(run[name] for name in counts)
    return runs


def compare(records: dict[str, dict[str, Any]], truth: dict[str, Truth]) -> None:
    """Every record of every source is there, with its titles, type and countries; what is
    gone is gone, and nothing else is there."""
    for source, expected in truth.items():
        live = {
            r["source_identifier"]: r
            for r in records.values()
            if r["source"] == source and not r["deleted"]
        }
        assert set(live) == set(expected.live), source
        for identifier, record in live.items():
            wanted = expected.live[identifier]
            where = f"{source}: {identifier}"
            assert record["type"] == wanted.type, where
            assert sorted(record.get("spatial", [])) == sorted(wanted.countries), where
            if wanted.title:
                assert said_titles(record) == {(t.value, t.lang) for t in wanted.title}, where
            if wanted.issued is not None:
                assert record.get("issued") == wanted.issued, where
            if wanted.bbox is not None:
                assert record.get("bbox") == pytest.approx(wanted.bbox), where


def said_titles(record: dict[str, Any]) -> set[tuple[str, str | None]]:
    """The titles of a record, each with the language that its source says, not an inferred one."""
    inferred = record["provenance"].get("inferred", ())
    return {
        (title["value"], None if f"title.{place}.lang" in inferred else title.get("lang"))
        for place, title in enumerate(record.get("title", []))
    }


def unmoved(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    return {
        name
        for name, record in after.items()
        if name in before
        and (before[name]["datestamp"], before[name]["seq"]) == (record["datestamp"], record["seq"])
    }


@pytest.mark.slow
def test_the_hub_holds_what_the_network_has_through_all_its_life(
    hub: Hub, network: Network, settings: Settings
) -> None:
    declare(hub, network)
    first = harvest(hub)
    truth = truth_of(network)
    records = hub.records("--with-deleted")
    compare(records, truth)
    for source, run in first.items():
        assert run["new"] == len(truth[source].live), source

    for arguments in ((), ("--full",)):
        again = harvest(hub, *arguments)
        assert all(run["new"] == run["changed"] == 0 for run in again.values()), again
        now = hub.records("--with-deleted")
        assert unmoved(records, now) == set(now) == set(records), "no datestamp, no seq moves"

    for _ in range(PHASES):
        earlier, held = truth, records
        network.advance()
        truth = truth_of(network)
        harvest(hub)
        # A row of the index with no document behind it has nobody to confirm that it is gone:
        # it must be missing twice, a week apart.
        with open_store(settings) as store:
            waiting = {name for s in SCBD for name in store.runs.missing(s)}
            for source in SCBD:
                since = {n: t - timedelta(days=8) for n, t in store.runs.missing(source).items()}
                store.runs.set_missing(source, since)
        unsure = hub.records()
        assert all(unsure[name]["type"] in INDEX_ONLY for name in waiting), waiting
        hub("harvest", *SCBD, "--json")
        records = hub.records("--with-deleted")
        assert all(records[name]["deleted"] for name in waiting)
        compare(records, truth)
        revived = {
            (source, identifier)
            for source, now in truth.items()
            for identifier in now.live
            if identifier in earlier[source].deleted
        }
        withdrawn = {
            (source, identifier)
            for source, now in truth.items()
            for identifier in now.deleted
            if identifier in earlier[source].live
        }
        assert revived
        assert withdrawn
        gone = {
            (r.get("source"), r.get("source_identifier")) for r in records.values() if r["deleted"]
        }
        assert withdrawn <= gone
        assert not revived & gone
        assert len(unmoved(held, records)) > len(held) * 0.8, "only what changed has moved"


def test_mapping_again_changes_nothing_and_a_changed_crosswalk_changes_what_it_says(
    hub: Hub, network: Network
) -> None:
    declare(hub, network)
    hub("harvest", "demo-rss", "demo-oai-days", "--json")
    before = hub.records("--with-deleted")
    requests = len(network.requests)
    said = hub("map", "demo-rss", "demo-oai-days", "--json")
    assert said.code == 0, said.err
    assert [line["changed"] for line in said.lines] == [0, 0]
    assert unmoved(before, hub.records("--with-deleted")) == set(before)
    hub.source("demo-rss", network.sources()["demo-rss"].replace('type = "news"', 'type = "event"'))
    # All records of another type: a person says whether that is meant.
    assert hub("map", "demo-rss", "--json").lines[0]["state"] == "held"
    assert {r["type"] for r in hub.records("--source", "demo-rss").values()} == {"news"}
    assert hub("held", "approve", "demo-rss").code == 0
    said = hub("map", "demo-rss", "--json")
    (line,) = said.lines
    assert line["changed"] == line["seen"] > 0
    after = hub.records("--source", "demo-rss")
    assert {r["type"] for r in after.values()} == {"event"}
    assert len(network.requests) == requests, "mapping needs no network"


def test_explain_says_where_each_field_came_from(hub: Hub, network: Network) -> None:
    declare(hub, network)
    hub("harvest", "demo-oai-days", "--json")
    name, record = next(iter(hub.records().items()))
    (told,) = hub("explain", name, "--json").lines
    fields = {line["field"]: line for line in told["fields"]}
    assert fields["title"]["value"] == record["title"]
    assert "metadata.title[]" in fields["title"]["reads"]
    assert told["payloads"][0]["url"].startswith(network.url)
    assert told["document"]["header"]["identifier"] == record["source_identifier"]
    assert told["unread"] == []
    assert name in hub("explain", name).out


def test_a_dry_run_shows_records_and_stores_nothing(hub: Hub, network: Network) -> None:
    declare(hub, network)
    said = hub("harvest", "demo-oai", "--dry-run", "--max", "5", "--json")
    assert said.code == 0, said.err
    assert len(said.lines) == 5
    assert all(line["deleted"] or line["record"]["title"] for line in said.lines)
    assert hub("records", "--count").out.strip() == "0"
    assert hub("runs", "--json").out == ""


def test_a_part_of_a_source_can_be_harvested_and_does_not_count_as_all(
    hub: Hub, network: Network
) -> None:
    declare(hub, network)
    said = hub("harvest", "demo-oai", "--max", "60", "--json")
    assert said.code == 1
    (line,) = said.lines
    assert line["state"] == "partial"
    assert 60 <= line["seen"] < 412
    harvest(hub)
    compare(hub.records("--with-deleted"), truth_of(network))


def test_many_deletions_wait_for_a_person(hub: Hub, network: Network, settings: Settings) -> None:
    declare(hub, network)
    harvest(hub, names=("demo-oai",))
    text = network.sources()["demo-oai"]
    held = hub.records("--source", "demo-oai")
    hub.source("demo-oai", text.replace("[expect]", 'set = "type:nothing"\n[expect]'))
    said = hub("harvest", "demo-oai", "--full", "--json")
    assert said.code == 1, "a set that is empty is not a source that is"
    assert hub.records("--source", "demo-oai") == held


def test_a_walk_from_a_chosen_day_leaves_the_next_run_alone(
    hub: Hub, network: Network, settings: Settings
) -> None:
    declare(hub, network)
    harvest(hub, names=("demo-oai",))
    with open_store(settings) as store:
        before = store.runs.cursor("demo-oai")
    said = hub("harvest", "demo-oai", "--since", "2017-01-01", "--json")
    assert said.lines[0]["state"] == "complete"
    assert said.lines[0]["requests"] > 3, "it takes several pages"
    with open_store(settings) as store:
        assert store.runs.cursor("demo-oai") == before
    network.advance()
    harvest(hub, names=("demo-oai",))
    records = hub.records("--with-deleted", "--source", "demo-oai")
    compare(records, {"demo-oai": network.truth()["demo-oai"]})


def test_deletions_that_are_held_are_done_when_a_person_approves(
    hub: Hub, network: Network, settings: Settings
) -> None:
    text = re.sub(r"\[expect\]\s+records = \d+\n", "", network.sources()["demo-absch"])
    hub.source("demo-absch", text)
    assert hub("harvest", "demo-absch", "--json").code == 0
    # Most of it is no longer listed, and nobody says that it is deleted.
    hub.source("demo-absch", text.replace("[options]\n", '[options]\nschemas = ["absPermit"]\n'))
    assert hub("harvest", "demo-absch", "--json").code == 0
    held = hub.records("--source", "demo-absch")
    with open_store(settings) as store:
        missing = store.runs.missing("demo-absch")
        old = {name: since - timedelta(days=8) for name, since in missing.items()}
        store.runs.set_missing("demo-absch", old)
    for _ in range(2):
        said = hub("harvest", "demo-absch", "--json")
        assert (said.code, said.lines[0]["state"]) == (1, "held")
        assert said.lines[0]["deleted"] == 0
        assert said.lines[0]["seen"] == said.lines[0]["unchanged"] == len(held) - len(missing)
        assert "held approve demo-absch" in said.err
        assert hub.records("--source", "demo-absch") == held
    said = hub("harvest", "demo-absch", "--approve-deletions", "--json")
    assert (said.code, said.lines[0]["deleted"]) == (0, len(missing))
    assert said.lines[0]["absent"] == len(missing)
    assert set(hub.records("--source", "demo-absch")) == set(held) - set(missing)
    assert set(missing) < set(held)


def test_a_feed_that_did_not_change_is_not_sent_again(hub: Hub, network: Network) -> None:
    declare(hub, network)
    for expected in (200, 304):
        assert hub("harvest", *FEEDS, "--json").code == 0
        asked = [seen for seen in network.requests if seen.replica in FEEDS][-3:]
        assert [seen.status for seen in asked] == [expected] * 3
    network.advance()
    assert hub("harvest", *FEEDS, "--json").code == 0
    truth = network.truth()
    compare(hub.records("--with-deleted"), {name: truth[name] for name in FEEDS})
