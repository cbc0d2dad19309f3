"""When a source is due next: the cases of due.toml."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from adapters.source import Source, read_source
from scheduler.due import due_anew, first_due, next_due
from store.schedule import Entry

_TABLE = tomllib.loads((Path(__file__).parent / "due.toml").read_text("utf-8"))
CASES, CHANGED = _TABLE["case"], _TABLE["changed"]


def source(folder: Path, name: str = "src", **keys: str) -> Source:
    path = folder / f"{name}.toml"
    own = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    path.write_text(f'title = "T"\nadapter = "feed"\nurl = "https://x.example/"\n{own}', "utf-8")
    found, faults = read_source(path)
    assert found is not None, faults
    return found


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_next_due(case: dict[str, Any], tmp_path: Path) -> None:
    keys = {key: case[key] for key in ("schedule", "window") if key in case}
    due = next_due(
        source(tmp_path, **keys),
        case["after"],
        failures=case.get("failures", 0),
        not_before=case.get("not_before"),
    )
    assert due.tzinfo == UTC
    first, last = case.get("between", (case.get("due"), case.get("due")))
    assert first <= due <= last


@pytest.mark.parametrize("case", CHANGED, ids=[case["name"] for case in CHANGED])
def test_a_source_whose_file_changed_is_due_by_the_new_one(
    case: dict[str, Any], tmp_path: Path
) -> None:
    keys = {key: case[key] for key in ("schedule", "window") if key in case}
    entry = Entry(
        source="src",
        due=case["was"],
        started=case.get("began"),
        failures=case.get("failures", 0),
        not_before=case.get("not_before"),
        told=case.get("told", "another file"),
    )
    due = due_anew(source(tmp_path, **keys), entry, case["now"])
    first, last = case.get("between", (case.get("due"), case.get("due")))
    assert first <= due <= last


def test_sources_of_one_schedule_do_not_begin_at_once(tmp_path: Path) -> None:
    now = datetime(2026, 3, 2, 12, tzinfo=UTC)
    dates = [next_due(source(tmp_path, f"s{i}", schedule="daily"), now) for i in range(100)]
    assert len(set(dates)) == 100
    assert max(dates) - min(dates) > timedelta(hours=3)
    again = [next_due(source(tmp_path, f"s{i}", schedule="daily"), now) for i in range(100)]
    assert dates == again
    first = [first_due(source(tmp_path, f"s{i}"), now, 100) for i in range(100)]
    assert max(first) - min(first) > timedelta(minutes=6)
    assert max(first) < now + timedelta(seconds=500)


def test_a_week_of_daily_runs_has_seven_of_them(tmp_path: Path) -> None:
    here = source(tmp_path, schedule="daily")
    moment = start = datetime(2026, 3, 2, 12, tzinfo=UTC)
    met = []
    while (moment := next_due(here, moment)) < start + timedelta(days=7):
        met.append(moment)
    assert len(met) == 7
    assert {b - a for a, b in zip(met, met[1:], strict=False)} == {timedelta(days=1)}


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ({"schedule": "now and then"}, "neither hourly"),
        ({"schedule": "PT1S"}, "shorter than"),
        ({"schedule": "PX"}, "nor a duration"),
        ({"window": "night"}, "not hours such as"),
        ({"window": "25:00-01:00"}, "not hours such as"),
        ({"window": "02:00-02:00"}, "not hours such as"),
        ({"window": "22:00-05:00 Kenya/Nairobi"}, "no time zone"),
    ],
)
def test_what_is_wrong_with_a_schedule_is_said(
    keys: dict[str, str], said: str, tmp_path: Path
) -> None:
    path = tmp_path / "src.toml"
    own = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
    path.write_text(f'title = "T"\nadapter = "feed"\nurl = "https://x.example/"\n{own}', "utf-8")
    found, faults = read_source(path)
    assert found is None
    assert said in faults[0]
