"""The field cases' right values, and the rules by which they are compared with what came."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.field_cases import table
from tests.field_cases.expected import alternatives, meets, named, told, values
from tests.running import Hub

RECORD = {
    "source_identifier": " a:1\n",
    "url": "http://x.example/1",
    "title": [{"value": "Law", "lang": "en"}, {"value": "Loi", "lang": "fr"}, {"value": "X"}],
    "temporal": {"start": "2001"},
    "distribution": [{"url": "http://x.example/a", "media_type": "text/csv"}],
    "bbox": [177.0, -20.0, -178.0, -15.0],
    "spatial": ["KE"],
}


@pytest.mark.parametrize(
    ("path", "got"),
    [
        ("title", ["Law", "Loi", "X"]),
        ("title@fr", ["Loi"]),
        ("title@", ["X"]),
        ("title.lang", ["en", "fr"]),
        ("temporal.start", ["2001"]),
        ("distribution", ["http://x.example/a"]),
        ("distribution.media_type", ["text/csv"]),
        ("issued", []),
        ("spatial|coverage|title@fr", ["KE", "Loi"]),
    ],
)
def test_a_path_names_values_of_a_record(path: str, got: list[Any]) -> None:
    assert values(RECORD, path) == got


@pytest.mark.parametrize(
    ("wanted", "got", "good"),
    [
        ("x", ["x"], True),
        ("x", ["x", "y"], False),
        ("x", [], False),
        ([], [], True),
        ([], ["x"], False),
        (["x", "y"], ["y", "x"], True),
        ([177, -20], [177.0, -20.0], True),
        ([177, -20], [-20.0, 177.0], False),
        ({"has": "x"}, ["y", "x"], True),
        ({"has": ["x", "z"]}, ["y", "x"], False),
        ({"lacks": "x"}, ["y"], True),
        ({"lacks": ["x"]}, ["y", "x"], False),
        ({"any": [[], "x"]}, [], True),
        ({"any": [[], {"match": "^x"}]}, ["xy"], True),
        ({"any": [[], "x"]}, ["y"], False),
        ({"match": "^2024"}, ["2024-03"], True),
        ({"match": "^2024"}, [], False),
        ({"min": 2, "max": 3}, [3], True),
        ({"min": 2, "max": 3}, [4], False),
    ],
)
def test_what_is_expected_meets_what_came_or_not(wanted: Any, got: list[Any], good: bool) -> None:
    assert meets(wanted, got) is good


def test_an_unknown_comparison_is_an_error() -> None:
    with pytest.raises(ValueError, match="no such comparison"):
        meets({"matches": "x"}, ["x"])


def test_a_record_is_named_by_the_sources_identifier_or_by_a_value() -> None:
    for name in ("a:1", "title=Loi", "url$=/1"):
        assert named([RECORD], name) == [RECORD], name
    for name in ("a", "title=Lo", "url=/1"):
        assert named([RECORD], name) == [], name


def test_what_a_run_says_holds_its_reason_warnings_and_issues() -> None:
    run = {
        "state": "failed",
        "reason": "no answer",
        "warnings": {"moved": 1},
        "issue_list": [{"issue": "issued: not a date: 'x'", "count": 1}],
    }
    assert told(run).splitlines() == [
        "failed",
        "no answer",
        "moved: 1",
        "issued: not a date: 'x'",
    ]


def test_several_right_ends_share_what_stands_beside_them() -> None:
    wanted = {"live": 1, "either": [{"deleted": 0}, {"live": 0}]}
    assert alternatives(wanted) == [{"live": 1, "deleted": 0}, {"live": 0}]


def case(**wanted: Any) -> table.Case:
    made = table.Case("09-made-up", "case", wanted, SimpleNamespace(), "")
    made.runs = [{"state": "complete", "seen": 2, "warnings": {}}]
    return made


def test_a_wrong_value_a_missing_record_and_a_wrong_run_are_rows_that_are_wrong() -> None:
    records = [{**RECORD, "oai": "oai:x:a", "deleted": False}]
    wanted = {
        "live": 1,
        "run": {"state": ["complete", "partial"], "seen": 3},
        "records": {"a:1": {"title@fr": "Loi", "issued": "2001"}, "b": {}},
        "of": {"spatial": {"a:1": "UG"}},
    }
    rows = {row.what: row.good for row in table.compare(case(**wanted), records)}
    assert rows == {
        "live records": True,
        "run 1 state": True,
        "run 1 seen": False,
        "a:1 title@fr": True,
        "a:1 issued": False,
        "b": False,
        "a:1 spatial": False,
    }


def test_of_several_right_ends_the_one_that_came_counts() -> None:
    wanted = {"either": [{"live": 2}, {"live": 0, "run": {"state": "complete"}}]}
    assert all(row.good for row in table.compare(case(**wanted), []))


samples = pytest.mark.skipif(not table.SAMPLES.is_dir(), reason=table.ABSENT)


@samples
def test_every_sample_has_its_right_values_and_each_of_these_its_sample() -> None:
    made = table.cases([])
    assert len({one.id for one in made}) == len(made) > 70
    assert all(set(one.wanted) - {"source", "serves", "phases"} for one in made)


@samples
@pytest.mark.slow
def test_every_field_case_has_the_values_that_are_right(hub: Hub) -> None:
    hub.environ["CHM_HUB_SHIPPED_SOURCES"] = "no"
    rows = table.rows(hub, [])
    wrong = [row for row in rows if not row.good]
    assert not wrong, table.shown(wrong, everything=False)
