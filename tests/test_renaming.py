"""A store that an earlier version wrote keeps its names; a person may give it readable ones."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from chm_hub.names import digested, readable
from chm_hub.settings import Settings
from store import open_store
from store.aside import SetAside
from tests.field_cases.endpoint import identifiers, serve
from tests.repository import Repository, harvest
from tests.running import Hub
from tests.test_kill import contents, sound

NAMES = [f"a/{i:02}?v=1" for i in range(30)]
DEAD = "z/dead"
OLD = {digested("src", f"oai:x:{name}") for name in [*NAMES, DEAD]}
NEW = {readable("src", f"oai:x:{name}") for name in [*NAMES, DEAD]}


def as_of_before(settings: Settings) -> None:
    """The store names as an earlier version did, which kept no rules."""
    with open_store(settings) as store:
        store.names._names.insert_one({"_id": "src", "rule": "digested"})


def forget_rule(settings: Settings) -> None:
    with open_store(settings) as store:
        store.database.drop_collection("names")


@pytest.fixture
def repository(hub: Hub, settings: Settings) -> Iterator[Repository]:
    """A source that an earlier version harvested: 29 records, a tombstone of one, and one of what
    was never seen alive."""
    with Repository() as made:
        made.add(*NAMES, DEAD)
        made.delete(DEAD)
        hub.source("src", made.source(deletions="absence"))
        as_of_before(settings)
        assert harvest(hub)["new"] == 30
        made.delete(NAMES[0])
        assert harvest(hub)["deleted"] == 1
        forget_rule(settings)
        yield made


def names(hub: Hub, *more: str) -> set[str]:
    return set(hub.records("--source", "src", *more))


def quiet(run: dict[str, Any]) -> bool:
    return run["new"] == run["changed"] == run["absent"] == 0


def balanced(hub: Hub) -> bool:
    (line,) = hub("ledger", "src", "--json").lines
    return bool(line["adds_up"])


def test_a_store_of_before_keeps_its_names(
    hub: Hub, settings: Settings, repository: Repository, tmp_path: Path
) -> None:
    before = contents(hub)
    assert set(before) == OLD
    for more in ((), ("--full",)):
        assert quiet(harvest(hub, *more))
    (run,) = hub("map", "src", "--json").lines
    assert quiet(run), run
    assert contents(hub) == before
    assert balanced(hub)
    # What is new or changes in such a source is named as its other records are.
    repository.add("b/new", NAMES[1], title="Another title of {}")
    run = harvest(hub)
    assert (run["new"], run["changed"]) == (1, 1)
    added = digested("src", "oai:x:b/new")
    assert names(hub, "--with-deleted") == OLD | {added}
    assert hub("views", "apply", "--json").code == 0
    # A backup that an earlier version made has no rules either.
    forget_rule(settings)
    file = tmp_path / "hub.backup"
    assert hub("backup", str(file)).code == 0
    assert hub("restore", str(file), "--replace").code == 0
    assert quiet(harvest(hub, "--full"))
    assert names(hub, "--with-deleted") == OLD | {added}
    # Both names of the source's own identifier are found on the command line.
    (place,) = hub("where", "oai:x:b/new", "--json").lines
    assert place["identifier"] == added
    with serve(hub) as address:
        given = {name.partition(":src/")[2] for name, _ in identifiers(address, "source:src")}
    assert {f"src/{local}" for local in given} == OLD | {added}


def test_a_new_source_in_an_old_store_is_named_readably(hub: Hub, repository: Repository) -> None:
    hub.source("other", repository.source(deletions="absence"))
    assert hub("harvest", "other", "--json").lines[0]["new"] == 29
    natives = [f"oai:x:{name}" for name in NAMES[1:]]
    assert set(hub.records("--source", "other")) == {readable("other", n) for n in natives}
    assert names(hub, "--with-deleted") == OLD
    rules = {line["source"]: line["rule"] for line in hub("identifiers", "list", "--json").lines}
    assert rules == {"src": "digested", "other": "readable"}


def test_a_renaming_says_what_it_would_do_and_wants_to_be_told_who_knows_the_names(
    hub: Hub, repository: Repository
) -> None:
    before = hub.records("--with-deleted")
    (line,) = hub("identifiers", "rename", "--dry-run", "--json").lines
    assert (line["renamed"], line["kept"], line["tombstones"]) == (29, 0, 2)
    old, new = line["examples"][0]
    assert (old in OLD, new in NEW) == (True, True)
    said = hub("identifiers", "rename", "src")
    assert said.code == 2
    assert "--unpublished" in said.err
    assert "--published" in said.err
    assert "never harvested" in hub("identifiers", "rename", "nosuch", "--published").err
    assert hub.records("--with-deleted") == before


def test_of_a_store_that_nobody_knows_the_old_names_vanish(
    hub: Hub, settings: Settings, repository: Repository, tmp_path: Path
) -> None:
    hub.source("other", repository.source(deletions="absence"))
    assert hub("harvest", "other", "--json").code == 0
    others = set(hub.records("--source", "other"))
    said = hub("identifiers", "rename", "src", "--unpublished")
    assert said.code == 0, said.err
    assert "29 records renamed" in said.out
    gone = readable("src", f"oai:x:{NAMES[0]}")
    dead = readable("src", f"oai:x:{DEAD}")
    assert names(hub) == NEW - {gone, dead}
    assert names(hub, "--with-deleted") == NEW
    found = hub.records("--source", "src", "--with-deleted")
    assert found[gone]["title"], "its last content"
    assert found[dead]["source_identifier"] == f"oai:x:{DEAD}"
    assert all(name == r["identifier"] for name, r in hub.records("--source", "src").items())
    assert set(hub.records("--source", "other")) == others
    with open_store(settings) as store:
        sound(store)
    assert quiet(harvest(hub, "--full"))
    assert names(hub, "--with-deleted") == NEW
    assert balanced(hub)
    assert hub("identifiers", "rename", "src", "--unpublished").code == 0
    repository.add("b/new")
    assert harvest(hub)["new"] == 1
    assert readable("src", "oai:x:b/new") in names(hub)
    file = tmp_path / "hub.backup"
    assert hub("backup", str(file)).code == 0
    assert hub("restore", str(file), "--replace").code == 0
    assert quiet(harvest(hub, "--full"))


def test_of_names_that_partners_know_each_becomes_a_tombstone(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    assert hub("identifiers", "rename", "--published").code == 0
    kept = {readable("src", f"oai:x:{name}") for name in NAMES[1:]}
    assert names(hub) == kept
    assert names(hub, "--with-deleted") == kept | OLD
    with open_store(settings) as store:
        sound(store)
    with serve(hub) as address:
        given = {
            f"src/{name.partition(':src/')[2]}": deleted
            for name, deleted in identifiers(address, "source:src")
        }
    assert given == {**dict.fromkeys(kept, False), **dict.fromkeys(OLD, True)}
    assert quiet(harvest(hub, "--full"))
    assert balanced(hub)
    (place,) = hub("where", sorted(OLD - {digested("src", f"oai:x:{NAMES[0]}")})[0], "--json").lines
    assert "another name" in place["reason"]


@pytest.mark.parametrize(
    "declared", ["unpublished", pytest.param("published", marks=pytest.mark.slow)]
)
def test_a_renaming_that_was_killed_is_finished_by_the_next(
    hub: Hub, settings: Settings, declared: str
) -> None:
    count = 300
    with Repository(page=100) as repository:
        repository.add(*(f"a/{i}" for i in range(count)))
        hub.source("src", repository.source())
        as_of_before(settings)
        assert harvest(hub)["new"] == count
        dice, killed = random.Random(11), 0
        for _ in range(12):
            process = hub.start("identifiers", "rename", "src", f"--{declared}")
            # Each time it says how far it is; some time after one of these lines it dies.
            assert process.stderr is not None
            lines = iter(process.stderr)
            for _ in range(dice.randint(1, 3)):
                next(lines, "")
            time.sleep(dice.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            process.communicate()
            killed += process.returncode == -signal.SIGKILL
            with open_store(settings) as store:
                unfinished = store.names.renaming("src")
            if unfinished is None:
                break
            refused = hub("harvest", "src")
            assert refused.code == 1
            assert f"chm-hub identifiers rename src --{declared}" in refused.err
            other = {"published": "unpublished", "unpublished": "published"}[declared]
            assert f"--{declared}" in hub("identifiers", "rename", "src", f"--{other}").err
        assert killed > 0
        assert hub("identifiers", "rename", "src", f"--{declared}").code == 0
        kept = {readable("src", f"oai:x:a/{i}") for i in range(count)}
        assert names(hub) == kept
        old = {digested("src", f"oai:x:a/{i}") for i in range(count)}
        everything = kept if declared == "unpublished" else kept | old
        assert names(hub, "--with-deleted") == everything
        with open_store(settings) as store:
            sound(store)
        assert quiet(harvest(hub, "--full"))
        assert balanced(hub)


def test_records_that_nobody_knows_wait_for_harvests_under_way(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    hub.source("other", repository.source(deletions="absence"))
    assert hub("harvest", "other", "--json").code == 0
    before = hub.records("--with-deleted")
    with open_store(replace(settings)) as store:
        lease = store.leases.take("other", store.now())
        said = hub("identifiers", "rename", "src", "--unpublished")
        store.leases.release(lease)
    assert said.code == 1
    assert "other: is being harvested" in said.err
    assert hub.records("--with-deleted") == before


def test_what_is_missing_rejected_or_set_aside_is_known_under_the_new_name(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    for name in NAMES[1:4]:
        del repository.things[name]
    assert harvest(hub, "--full")["warnings"]["missing_at_source"] == 3
    old = {digested("src", f"oai:x:{name}") for name in NAMES[1:4]}
    outdated = digested("src", f"oai:x:{NAMES[5]}")
    with open_store(settings) as store:
        assert set(store.runs.missing("src")) == old
        held = dict.fromkeys(sorted(old), "missing")
        store.decisions.hold("src", "src/9", store.now(), held, decision="rejected")
        record = store.records.get(outdated)
        assert record is not None
        entry = SetAside(
            identifier=outdated,
            source="src",
            state="quarantined",
            reason="too_large",
            run="src/1",
            page=record.page,
            at=store.now(),
        )
        # What is on no kept page cannot be named; the next whole walk notes it again.
        lost = replace(entry, identifier="src/~" + "0" * 32, page="src/1/99")
        store.aside.write([entry, lost], ())
    assert hub("identifiers", "rename", "src", "--unpublished").code == 0
    new = {readable("src", f"oai:x:{name}") for name in NAMES[1:4]}
    with open_store(settings) as store:
        assert set(store.runs.missing("src")) == new
        assert set(store.decisions.rejected("src")) == new
        (entry,) = store.aside.of_source("src")
        assert entry.identifier == readable("src", f"oai:x:{NAMES[5]}")
