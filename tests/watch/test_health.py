"""The score of a source, by a table of cases."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from chm_hub import health
from chm_hub.health import Declared, Past
from store import Run
from tests.conftest import ROOT

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CASES = tomllib.loads(Path(__file__).with_name("health.toml").read_text("utf-8"))["case"]


def past(
    ago: float, *, seen: int = 100, quarantined: int = 0, full: bool = True, **more: Any
) -> Past:
    return Past(
        **{
            "run": f"src/{ago}",
            "state": "complete",
            "ended": NOON - timedelta(hours=ago),
            "counts": {"unchanged": seen - quarantined, "quarantined": quarantined},
            "full": full,
            **more,
        }
    )


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_a_source_is_as_well_as_its_runs_say(case: dict[str, Any]) -> None:
    period = health.period(case.get("schedule", "daily"), NOON)
    declared = Declared(
        source="src",
        period=period,
        enabled=case.get("enabled", True),
        excused_until=case.get("excused_until"),
    )
    runs = [past(**run) for run in case["runs"]]
    found = health.assess(declared, runs, NOON, case.get("before"), case.get("waiting"))
    assert found.score == case.get("score")
    assert found.grade == case["grade"]
    assert {reason.word: reason.points for reason in found.reasons} == case["lost"]
    assert found.errors == case.get("errors", {}) or case["grade"] == "off"
    assert found.overdue == case.get("overdue", False)
    if "trend" in case:
        assert found.trend == case["trend"]
    if "completeness" in case:
        assert found.completeness == case["completeness"]
    for reason in found.reasons:
        assert reason.text
        assert reason.do, "each point that is lost comes with what to do"
    if found.score is not None:
        assert found.score + sum(reason.points for reason in found.reasons) == 100
    json.dumps(found.plain())
    again = list(reversed(runs))
    assert health.assess(declared, again, NOON, case.get("before"), case.get("waiting")) == found
    waits = [reason for reason in found.reasons if "held approve" in reason.do]
    assert len(waits) == ("waiting" in case)


def test_every_reason_is_explained() -> None:
    page = (ROOT / "docs" / "watch.md").read_text("utf-8")
    words = {word for case in CASES for word in case["lost"]}
    assert len(words) == 15, "each is in a case"
    for word in (*words, *health.CLASSES):
        assert f"`{word}`" in page


@pytest.mark.parametrize(
    ("error", "kind", "passes"),
    [
        ("dns", "network", True),
        ("certificate", "network", False),
        ("http_503", "http", True),
        ("http_404", "http", False),
        ("busy", "http", True),
        ("html", "protocol", False),
        ("badResumptionToken", "protocol", False),
        ("secret", "configuration", False),
        ("CrosswalkError", "configuration", False),
        ("store", "store", False),
        ("killed", "killed", False),
        ("internal", "internal", False),
        (None, "content", False),
    ],
)
def test_errors_are_of_few_classes(error: str | None, kind: str, passes: bool) -> None:
    run = past(1, state="failed", error=error)
    assert kind in health.CLASSES
    assert health.error_class(run) == kind
    assert health.transient(run) is passes


def test_what_is_stored_of_a_source_stays_small_and_makes_its_trend() -> None:
    declared = Declared(source="src")
    stored = None
    for day in range(40):
        ended = NOON + timedelta(days=day)
        run = Run(identifier=f"src/{day}", source="src", kind="harvest", started=ended)
        run.ended, run.full = ended, True
        run.state = "complete" if day < 38 else "failed"
        run.counts = Counter(new=3)
        stored = health.summary(stored, [], health.past(run), declared)
    assert stored is not None
    assert len(stored["runs"]) == health.LAST
    assert len(stored["scores"]) == health.DAYS_KEPT
    assert stored["states"] == {"complete": 38, "failed": 2}
    found = health.of_stored(declared, stored, NOON + timedelta(days=39))
    assert (found.trend, found.grade) == ("worse", "poor")


def test_the_rest_of_a_walk_that_was_cut_off_is_not_incomplete() -> None:
    run = Run(identifier="src/2", source="src", kind="harvest", started=NOON, full=True)
    run.state, run.ended, run.total, run.counts = "complete", NOON, 100, Counter(new=10)
    run.profile = {"whole": False, "mapped": 10}
    found = health.assess(Declared(source="src"), [health.past(run)], NOON)
    assert (found.score, found.completeness) == (100, None)


def test_a_source_of_an_earlier_version_begins_with_its_history() -> None:
    runs = []
    for number in (1, 2, 3):
        moment = NOON - timedelta(days=number)
        run = Run(identifier=f"src/{number}", source="src", kind="harvest", started=moment)
        run.state, run.ended = "complete", moment
        runs.append(run)
    stored = health.summary(None, runs, health.past(runs[0]), Declared(source="src"))
    assert [run["run"] for run in stored["runs"]] == ["src/1", "src/2", "src/3"]
    assert stored["states"] == {"complete": 3}
