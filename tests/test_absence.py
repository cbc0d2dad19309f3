"""What is no longer listed: only a whole walk that came to its end and could tell what it read says
so, twice and a week apart (rule R11)."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest

from chm_hub.names import readable
from chm_hub.settings import Settings
from store import open_store
from tests.repository import Repository, harvest, live
from tests.running import Hub

NAMES = [f"r{i:03}" for i in range(60)]
FEW = NAMES[:4]


@pytest.fixture
def repository(hub: Hub) -> Iterator[Repository]:
    # It goes by absence of itself, and is asked for what changed between whole walks.
    with Repository(deleted_record="no") as made:
        made.add(*NAMES)
        hub.source("src", made.source())
        assert harvest(hub)["state"] == "complete"
        yield made


def missing(settings: Settings, *, age: int = 0) -> set[str]:
    """What is missing, its marks made older by so many days."""
    with open_store(settings) as store:
        marks = store.runs.missing("src")
        if age:
            older = {name: since - timedelta(days=age) for name, since in marks.items()}
            store.runs.set_missing("src", older)
    names = {readable("src", f"oai:x:{name}"): name for name in NAMES}
    return {names[name] for name in marks}


def drop(repository: Repository, *names: str) -> None:
    for name in names:
        del repository.things[name]


def test_what_is_missing_twice_is_deleted_and_was_not_given(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    drop(repository, *FEW)
    assert harvest(hub, "--full")["warnings"] == {"missing_at_source": 4}
    assert missing(settings, age=8) == set(FEW)
    run = harvest(hub, "--full")
    assert (run["state"], run["deleted"], run["absent"]) == ("complete", 4, 4)
    assert live(hub) == set(NAMES) - set(FEW)


def test_a_run_that_gave_too_little_deletes_nothing(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    expecting = repository.source(deletions="absence") + "[expect]\nrecords = 58\n"
    hub.source("src", expecting)
    drop(repository, *FEW)
    assert harvest(hub, "--full")["state"] == "failed"
    assert missing(settings) == set(), "a failed run says nothing of what is missing"
    hub.source("src", repository.source(deletions="absence"))
    harvest(hub, "--full")
    assert missing(settings, age=8) == set(FEW)
    hub.source("src", expecting)
    run = harvest(hub, "--full")
    assert (run["state"], run["seen"], run["deleted"]) == ("failed", 56, 0)
    assert live(hub) == set(NAMES)


@pytest.mark.parametrize("names", [NAMES[40:43], NAMES[40:56]], ids=["few", "more than a fifth"])
def test_documents_without_names_may_be_any(
    hub: Hub, settings: Settings, repository: Repository, names: list[str]
) -> None:
    drop(repository, *FEW)
    harvest(hub, "--full")
    missing(settings, age=8)
    repository.nameless = set(names)
    run = harvest(hub, "--full")
    failed = len(names) > 0.2 * 56
    assert run["state"] == ("failed" if failed else "complete_with_warnings")
    assert run["warnings"].get("absence_not_judged") == (None if failed else len(names))
    assert (run["deleted"], run["quarantined"]) == (0, len(names))
    assert live(hub) == set(NAMES)
    assert missing(settings) == set(FEW), "those of the last walk that could tell"


def test_a_failed_run_carries_out_no_deletion(hub: Hub, repository: Repository) -> None:
    repository.delete(*FEW)
    repository.nameless = set(NAMES[40:56])
    run = harvest(hub, "--full")
    assert (run["state"], run["deleted"]) == ("failed", 0)
    assert live(hub) == set(NAMES)
    repository.nameless = set()
    assert harvest(hub)["deleted"] == 4, "the cursor did not move: they are told again"


def test_what_is_met_in_between_is_not_missing_for_the_second_time(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    drop(repository, *FEW)
    harvest(hub, "--full")
    missing(settings, age=8)
    repository.add(FEW[0])
    harvest(hub)
    assert missing(settings) == set(FEW[1:])
    drop(repository, FEW[0])
    assert harvest(hub, "--full")["deleted"] == 3
    assert live(hub) == set(NAMES) - set(FEW[1:])


def test_of_what_waits_only_what_is_still_gone_is_deleted(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    lost = NAMES[:30]
    drop(repository, *lost)
    harvest(hub, "--full")
    missing(settings, age=8)
    run = harvest(hub, "--full")
    assert (run["state"], run["seen"], run["unchanged"]) == ("held", 30, 30)
    repository.add(*lost[:8])
    assert harvest(hub)["state"] == "complete"
    (waiting,) = hub("held", "list", "--json").lines
    assert (waiting["run"], waiting["records"]) == (run["run"], 22)
    assert hub("held", "approve", "src").code == 0
    assert live(hub) == set(NAMES) - set(lost[8:])


def test_so_little_is_left_of_what_waited_that_nobody_need_be_asked(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    lost = NAMES[:30]
    drop(repository, *lost)
    harvest(hub, "--full")
    missing(settings, age=8)
    assert harvest(hub, "--full")["state"] == "held"
    repository.add(*lost[:28])
    run = harvest(hub)
    assert (run["state"], run["deleted"], run["absent"]) == ("complete", 2, 2)
    assert hub("held", "list", "--json").lines == []
    assert live(hub) == set(NAMES) - set(lost[28:])


def test_a_full_sweep_that_was_cut_and_went_on_is_one(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    with open_store(settings) as store:
        cursor = store.runs.cursor("src")
        before = cursor["full"] - timedelta(days=8)
        store.runs.set_cursor("src", {"full": before})
        repository.slow = 0.2
        going = hub.start("harvest", "src", "--json")
        while store.runs.cursor("src").get("checkpoint") is None:
            threading.Event().wait(0.05)
        going.kill()
        going.communicate()
        repository.slow = 0.0
        place = store.runs.cursor("src")["checkpoint"]
        assert harvest(hub)["state"].startswith("complete")
        full = store.runs.cursor("src")["full"]
    assert full == place["started"] > before
    repository.add("r900")
    run = harvest(hub)
    assert (run["full"], run["new"]) == (False, 1), "the next one asks for what is new"


def test_a_sweep_that_finds_little_says_how_far_it_is(
    hub: Hub, settings: Settings, repository: Repository
) -> None:
    repository.add("r070")
    repository.slow = 0.5
    met = set()
    with open_store(settings) as store:
        going = hub.start("harvest", "src", "--full", "--json")
        while going.poll() is None:
            met |= {run.seen for run in store.runs.history("src", 1) if run.state == "running"}
            threading.Event().wait(0.02)
        going.communicate()
    assert met & set(range(1, 61)), met


@pytest.mark.parametrize("left", [[], ["deleted"]], ids=["nothing", "only deleted ones"])
def test_a_list_of_nothing_says_nothing_of_what_is_missing(
    hub: Hub, settings: Settings, repository: Repository, left: list[str]
) -> None:
    drop(repository, *NAMES[len(left) :])
    if left:
        repository.delete(NAMES[0])
    for _ in range(2):
        run = harvest(hub, "--full")
        assert run["warnings"]["absence_not_judged"] == 1
        assert missing(settings, age=8) == set()
    assert live(hub) == set(NAMES[len(left) :])
