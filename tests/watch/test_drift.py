"""Has a source become another one?"""

from __future__ import annotations

from typing import Any

import pytest

from chm_hub import drift
from chm_hub.document import Document
from chm_hub.record import Record, validate

BEFORE: dict[str, Any] = {
    "whole": True,
    "records": 400,
    "documents": 400,
    "repository": "Clearing-House of Kenya",
    "mapped": 400,
    "title": 0.99,
    "date": 0.8,
    "type": 0.6,
    "fields": [["title", 1.0], ["body", 0.9], ["field_old", 0.6], ["rare", 0.02]],
    "languages": [["en", 0.9], ["sw", 0.1]],
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, []),
        ({"records": 390, "title": 0.95, "date": 0.7, "type": 0.5}, []),
        ({"records": 900, "title": 1.0, "date": 1.0, "type": 1.0}, []),
        ({"repository": "  clearing-house of KENYA"}, []),
        ({"repository": None}, []),
        ({"fields": [["title", 1.0], ["body", 0.4], ["field_old", 0.2], ["new", 1.0]]}, []),
        ({"fields": []}, []),
        ({"languages": [["en", 0.7], ["sw", 0.3]]}, []),
        ({"languages": []}, []),
        ({"whole": False, "records": 3}, []),
        ({"records": None}, []),
        ({"repository": "Apache2 Default Page"}, ["repository"]),
        ({"records": 190}, ["records"]),
        ({"records": 0, "documents": 0, "title": 0.0, "date": 0.0}, ["records"]),
        ({"records": 1300}, ["records"]),
        ({"title": 0.85}, ["title"]),
        ({"date": 0.5}, ["date"]),
        ({"type": 0.3}, ["type"]),
        ({"fields": [["title", 1.0], ["body", 0.9]]}, ["fields"]),
        ({"languages": [["sw", 0.9], ["en", 0.1]]}, ["languages"]),
        (
            {"records": 30, "title": 0.1, "languages": [["fr", 1]]},
            ["records", "title", "languages"],
        ),
    ],
)
def test_jumps_are_named(change: dict[str, Any], words: list[str]) -> None:
    jumps = drift.compare(BEFORE, {**BEFORE, **change})
    assert [jump.partition(":")[0] for jump in jumps] == words, jumps


def test_a_shorter_tag_for_a_language_is_no_change_of_the_source() -> None:
    before = {**BEFORE, "title": 1.0, "languages": [["fr", 0.3], ["fra", 0.68], ["swa", 0.02]]}
    now = {**before, "languages": [["fr", 0.98], ["sw", 0.02]]}
    assert drift.compare(before, now) == []
    assert drift.glance(before, {**now, "mapped": 40}, None) == []
    assert drift.compare(before, {**now, "languages": [["en", 1.0]]}) == [
        "languages: fr 98%, sw 2%, now en 100% (100% moved)"
    ]


ALWAYS: dict[str, Any] = {**BEFORE, "title": 1.0, "date": 1.0, "languages": [["en", 1.0]]}
SAMPLE: dict[str, Any] = {**ALWAYS, "documents": 40, "mapped": 40, "records": None}


@pytest.mark.parametrize(
    ("sample", "words"),
    [
        ({}, []),
        # They may all be of one kind: what only some had says nothing.
        ({"type": 0.0, "fields": [["title", 1.0], ["body", 0.0]]}, []),
        ({"date": 0.8, "languages": [["en", 0.5], ["fr", 0.5]]}, []),
        ({"languages": []}, []),
        ({"repository": "Apache2 Default Page"}, ["repository"]),
        ({"title": 0.85}, ["title"]),
        ({"date": 0.5}, ["date"]),
        ({"fields": [["name", 1.0], ["body", 1.0]]}, ["fields"]),
        ({"languages": [["fr", 1.0]]}, ["languages"]),
        ({"mapped": 19, "title": 0.0, "languages": [["fr", 1.0]]}, []),
    ],
)
def test_what_jumps_is_seen_before_it_is_written(sample: dict[str, Any], words: list[str]) -> None:
    jumps = drift.glance(ALWAYS, {**SAMPLE, **sample}, None)
    assert [jump.partition(":")[0] for jump in jumps] == words, jumps


def test_few_records_have_no_shares() -> None:
    small = {**BEFORE, "records": 6, "documents": 6}
    assert drift.compare(small, {**small, "title": 0.5, "languages": [["fr", 1.0]]}) == []
    assert drift.compare({**small}, {**small, "records": 90}) == []
    assert drift.compare(None, small) == drift.compare(small, None) == []


def record(**more: Any) -> Record:
    return validate(
        {
            "identifier": "src/1",
            "source": "src",
            "source_identifier": "1",
            "type": "nbsap",
            "provenance": {
                "source": "src",
                "base_url": "https://x.example",
                "url": "https://x.example",
                "source_datestamp": None,
                "namespace": None,
                "harvested": "2026-01-01T00:00:00Z",
                "run": "src/1",
                "crosswalk": "x",
                "crosswalk_digest": "x",
            },
            **more,
        }
    )


def test_a_profile_counts_what_goes_by() -> None:
    gathering = drift.Profile()
    for number in range(10):
        gathering.document(Document(identifier=str(number), body={"a": 1, "b": {"c": 2}}))
        title = [{"value": "Stratégie", "lang": "fr-CA"}] if number else []
        gathering.record(record(title=title, issued="2024", type="other"))
    gathering.document(Document(identifier="x", body="not a table"))
    gathering.record(None)
    told = gathering.told(whole=True, records=10, repository="R", before=None)
    assert (told["title"], told["date"], told["type"]) == (0.9, 1.0, 0.0)
    assert told["languages"] == [["fr", 0.9]]
    assert [name for name, _ in told["fields"]] == ["a", "b", "b.c"]
    assert told["mapped"] == 11


def test_documents_that_did_not_change_count_as_before() -> None:
    gathering = drift.Profile()
    for number in range(100):
        gathering.document(Document(identifier=str(number), body={"title": 1}))
        if number < 10:
            gathering.record(record(language=["fr"]))
    told = gathering.told(whole=True, records=100, repository=None, before=BEFORE)
    assert told["title"] == pytest.approx(0.9 * 0.99, abs=1e-3)
    assert dict(told["languages"]) == pytest.approx({"en": 0.81, "fr": 0.1, "sw": 0.09})


def test_a_list_that_was_not_sent_is_no_drift_and_an_empty_one_is() -> None:
    same = drift.Profile().told(whole=True, records=None, repository=None, before=BEFORE)
    assert drift.compare(BEFORE, same) == []
    assert not same["whole"], "and nothing is compared with it"
    empty = drift.Profile().told(whole=True, records=0, repository=None, before=BEFORE)
    assert drift.compare(BEFORE, empty) == ["records: 400, now 0"]


def test_names_have_an_end() -> None:
    gathering = drift.Profile()
    gathering.document(Document(identifier="x", body={f"\ud800{n}" * 99: n for n in range(999)}))
    told = gathering.told(whole=True, records=1, repository="\ud800", before=None)
    assert len(told["fields"]) == drift.NAMES
    for name, _ in told["fields"]:
        assert len(name.encode()) <= 400
