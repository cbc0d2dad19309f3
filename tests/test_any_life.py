"""Any life a source can have: random additions, edits, deletions, new dates, outages and names,
against a small model (rules R5 to R11, promises P2, P4, P9)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from chm_hub.settings import Settings
from store import open_store
from tests.repository import Repository
from tests.running import Hub
from tests.store.test_records import recount, settled

NAMES = st.sampled_from([f"r{i:02}" for i in range(60)])


class Life(RuleBasedStateMachine):
    """A source and the hub that harvests it."""

    hub: Hub
    settings: Settings

    def __init__(self) -> None:
        super().__init__()
        with open_store(self.settings) as store:
            store.database.client.drop_database(store.database.name)
        self.repository = Repository(page=7)
        self.hub.source("src", self.repository.source())
        self.stamps: dict[str, tuple[str, Any]] = {}
        self.version = 0
        self.faithful = True
        """The hub is known to hold what the source has."""

    def teardown(self) -> None:
        self.repository.__exit__()

    @initialize(names=st.lists(NAMES, min_size=5, unique=True))
    def begin(self, names: list[str]) -> None:
        self.repository.add(*names)
        self.harvest(full=False)

    # --- what happens at the source --------------------------------------------------------

    @rule(names=st.lists(NAMES, min_size=1, max_size=8, unique=True))
    def write(self, names: list[str]) -> None:
        """Records are added, edited, or come back after a deletion."""
        self.version += 1
        self.repository.add(*names, title=f"Title {self.version} of {{}}")
        self.faithful = False

    @rule(share=st.sampled_from((1, 2, 5, 60)))
    def delete(self, share: int) -> None:
        alive = sorted(n for n, t in self.repository.things.items() if not t.deleted)
        self.repository.delete(*alive[:share])
        self.faithful = False

    @rule()
    def restamp(self) -> None:
        self.repository.restamp()

    @rule()
    def outage(self) -> None:
        before = self.hub.records("--with-deleted")
        self.repository.down = True
        said = self.hub("harvest", "src", "--json")
        self.repository.down = False
        assert said.lines[0]["state"] == "failed"
        assert self.hub.records("--with-deleted") == before

    @rule(names=st.sets(NAMES, max_size=3))
    def spoil(self, names: set[str]) -> None:
        """Some records are not well-formed."""
        self.repository.broken = names

    @rule(page=st.sampled_from((3, 7, 100)))
    def turn(self, page: int) -> None:
        """Pages have another size."""
        self.repository.page = page

    # --- what the hub does -----------------------------------------------------------------

    @rule(full=st.booleans())
    def harvest(self, full: bool) -> None:
        said = self.hub("harvest", "src", "--json", *(["--full"] if full else []))
        (run,) = said.lines
        counts = ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
        assert run["seen"] == sum(run[name] for name in counts)
        if run["state"] == "held":
            assert run["deleted"] == 0
            return
        assert run["state"].startswith("complete"), run
        self.faithful = True
        self.compare()

    @precondition(lambda self: not self.faithful)
    @rule(decision=st.sampled_from(("approve", "undo")))
    def decide(self, decision: str) -> None:
        before = len(self.hub.records())
        said = self.hub("held", decision, "src")
        assert said.code in (0, 1), said.err
        after = len(self.hub.records())
        assert after <= before if decision == "approve" else after >= before

    def compare(self) -> None:
        found = {
            r["source_identifier"].removeprefix("oai:x:"): r
            for r in self.hub.records("--with-deleted").values()
        }
        for name, thing in self.repository.things.items():
            record = found.pop(name, None)
            assert record is not None, name
            assert record["deleted"] is thing.deleted, name
            if not thing.deleted:
                assert record["title"][0]["value"] == thing.title
        assert not found, "what the source never had"

    @invariant()
    def dates_never_go_back_and_move_with_what_they_date_alone(self) -> None:
        for name, record in self.hub.records("--with-deleted").items():
            says = (record["deleted"], record.get("title"))
            stamp = record["datestamp"]
            old = self.stamps.get(name)
            if old is not None:
                assert stamp >= old[0], name
            self.stamps[name] = stamp, says

    @invariant()
    def the_books_agree(self) -> None:
        with open_store(self.settings) as store:
            assert settled(store.records.counts()) == recount(store)
        assert self.hub("ledger", "--all").code == 0


def live(hub: Hub, own: Settings, steps: int, examples: int) -> None:
    made = type("Made", (Life,), {"hub": hub, "settings": own})
    run_state_machine_as_test(  # type: ignore[no-untyped-call]
        made,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            derandomize=True,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.slow
def test_a_short_life(hub: Hub, settings: Settings) -> None:
    live(hub, settings, steps=8, examples=1)


@pytest.mark.slow
def test_five_hundred_steps(hub: Hub, settings: Settings) -> None:
    live(hub, settings, steps=50, examples=10)
