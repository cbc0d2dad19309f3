"""Repositories that lose records without saying so: what Identify says decides, and whatever whole
walks do not meet is counted."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import pytest

from chm_hub.settings import Settings
from store import open_store
from tests.repository import harvest, live
from tests.running import Hub
from tests.scripted import Question, Scripted, envelope, identify, listing, record

NAMES = [f"r{n:02}" for n in range(60)]
LOST = NAMES[:4]


def holding(names: list[str], deleted: str) -> Callable[[Question], str]:
    def answer(q: Question) -> str:
        if q["verb"] == "Identify":
            return identify(deleted)
        if q["from"]:
            return envelope('<error code="noRecordsMatch"/>')
        return listing(*(record(name, name) for name in names))

    return answer


def older(settings: Settings, days: int) -> int:
    """Make what is missing so many days older; how much that is."""
    with open_store(settings) as store:
        marks = store.runs.missing("src")
        store.runs.set_missing("src", {n: t - timedelta(days=days) for n, t in marks.items()})
        return len(marks)


@pytest.mark.parametrize(
    ("deleted", "declared", "goes"),
    [
        ("no", None, True),
        ("transient", None, True),
        (" NO ", None, True),
        ("persistent", None, False),
        ("", None, False),
        ("no", "tombstones", False),
        ("transient", "never", False),
        ("persistent", "absence", True),
    ],
)
def test_what_whole_walks_do_not_meet_is_told_and_deleted_where_absence_counts(
    hub: Hub, settings: Settings, deleted: str, declared: str | None, goes: bool
) -> None:
    with Scripted(holding(NAMES, deleted)) as server:
        own = {"deletions": declared} if declared else {}
        hub.source("src", server.source(**own))
        assert harvest(hub)["state"] == "complete"
        server.answer = holding(NAMES[4:], deleted)
        run = harvest(hub, "--full")
        assert (run["deleted"], run["warnings"]) == (0, {"missing_at_source": 4})
        (line,) = hub("ledger", "src", "--json").lines
        assert (line["missing"], line["published"], line["adds_up"]) == (4, 60, True)
        said = hub("ledger", "src").out
        assert ("deleted if a whole walk" in said) is goes
        assert ("it stays until the source marks it" in said) is not goes
        (health,) = hub("health", "src", "--json").lines
        assert "missing" in [reason["word"] for reason in health["reasons"]]
        assert older(settings, 8) == 4
        run = harvest(hub, "--full")
        assert run["deleted"] == (4 if goes else 0)
        assert live(hub) == set(NAMES[4:] if goes else NAMES)
        if not goes:
            server.answer = holding(NAMES, deleted)
            assert harvest(hub, "--full")["warnings"] == {}
            assert older(settings, 0) == 0


def test_a_great_loss_waits_for_a_person(hub: Hub, settings: Settings) -> None:
    with Scripted(holding(NAMES, "no")) as server:
        hub.source("src", server.source())
        harvest(hub)
        server.answer = holding(NAMES[30:], "no")
        assert harvest(hub, "--full")["warnings"]["missing_at_source"] == 30
        older(settings, 8)
        run = harvest(hub, "--full")
    assert (run["state"], run["deleted"]) == ("held", 0)
    assert live(hub) == set(NAMES)


@pytest.mark.parametrize(("declared", "whole"), [("absence", True), (None, False)])
def test_declared_absence_makes_every_run_a_whole_one(
    hub: Hub, declared: str | None, whole: bool
) -> None:
    with Scripted(holding(NAMES, "no")) as server:
        hub.source("src", server.source(**({"deletions": declared} if declared else {})))
        for run in range(3):
            assert harvest(hub)["full"] is (whole or run == 0)
        assert any(q["from"] for q in server.asked) is not whole
