"""The drift guard's decisions, without a store: pure functions of what would become of records."""

from __future__ import annotations

from typing import Any

import pytest

from chm_hub import renames
from chm_hub.comparison import Comparison
from chm_hub.guard import judge

RECORD: dict[str, Any] = {
    "identifier": "src/1",
    "type": "nbsap",
    "title": [{"value": "A title", "lang": "en"}],
    "description": [{"value": "Words"}],
    "url": "https://x.example/1",
    "language": ["en"],
    "spatial": ["KE"],
    "issued": "2020",
    "provenance": {"run": "src/1"},
}


def compared(live: int, changes: dict[str, Any], count: int) -> Comparison:
    """``count`` of ``live`` records after a change; the others stay as they are."""
    made = Comparison(live)
    for number in range(live):
        own = {"title": [{"value": f"Title {number}", "lang": "en"}], "url": f"https://x/{number}"}
        before = {**RECORD, **own}
        now = {**before, **(changes if number < count else {})}
        now = {key: value for key, value in now.items() if value not in (None, [])}
        made.became(f"src/{number}", before, now)
    return made


def words(comparison: Comparison) -> list[str]:
    return [jump.partition(":")[0] for jump in comparison.jumps()]


@pytest.mark.parametrize(
    ("changes", "kinds"),
    [
        ({"title": []}, ["title"]),
        ({"description": []}, ["description"]),
        ({"url": None}, ["link"]),
        ({"issued": None}, ["date"]),
        ({"type": "resource"}, ["type"]),
        ({"type": "law"}, ["type"]),
        ({"spatial": []}, ["countries"]),
        ({"spatial": ["TZ"]}, ["countries"]),
        ({"language": [], "title": [{"value": "T"}]}, ["language", "title"]),
        ({"title": [{"value": "Untitled", "lang": "en"}]}, ["title"]),
        ({"url": "https://x.example/"}, ["link"]),
        # What only gains, or says the same better, is no jump.
        ({"spatial": ["KE", "TZ"]}, []),
        ({"modified": "2024", "issued": None}, []),
        ({"subject": [{"label": "Fish"}], "rights": [{"value": "Free"}]}, []),
        ({"description": [{"value": "Other words"}], "language": ["fr"]}, []),
        ({"provenance": {"run": "src/2"}}, []),
    ],
)
def test_what_most_records_lose_is_a_jump(changes: dict[str, Any], kinds: list[str]) -> None:
    for live in (24, 96, 1000):
        assert words(compared(live, changes, live)) == kinds
        assert words(compared(live, changes, 0)) == []
        assert words(compared(live, changes, 1)) == []


@pytest.mark.parametrize(
    ("live", "count", "held"),
    [
        (100, 9, False),
        (100, 10, True),
        # So few that no share of them says anything: all of them must be concerned.
        (4, 3, False),
        (4, 4, True),
        (1, 1, False),
        (20, 4, False),
        (20, 5, True),
    ],
)
def test_how_many_lost_titles_are_too_many(live: int, count: int, held: bool) -> None:
    assert (words(compared(live, {"title": []}, count)) == ["title"]) is held


def test_a_loss_in_all_that_a_run_changed_counts_though_it_is_little_of_the_source() -> None:
    made = Comparison(10_000)
    for number in range(12):
        now = {key: value for key, value in RECORD.items() if key != "title"}
        made.became(f"src/{number}", RECORD, now)
    assert words(made) == ["title"]


def test_records_that_would_go_are_counted_apart() -> None:
    made = Comparison(30)
    for number in range(15):
        made.became_skipped(f"src/{number}")
    assert made.jumps() == [
        "skipped: 15 of 30 records are skipped now, and would be deleted (such as src/0)"
    ]
    made = Comparison(30)
    for number in range(6):
        made.became_unread(f"src/{number}")
    assert made.jumps() == ["unread: 6 of 30 records cannot be mapped any more (such as src/0)"]
    assert (made.differing, made.unread) == (6, 6)


def test_the_summary_counts_fields_with_examples() -> None:
    made = compared(10, {"title": [], "rights": [{"value": "Free"}], "type": "law"}, 4)
    told = made.told()
    assert (told["changed"], told["unchanged"]) == (4, 6)
    assert told["fields"]["title"] == {
        "lost": {"records": 4, "examples": ["src/0", "src/1", "src/2"]}
    }
    assert told["fields"]["rights"]["gained"]["records"] == 4
    assert told["fields"]["type"]["changed"]["records"] == 4
    assert set(told["fields"]) == {"title", "rights", "type"}


# --- new names ---------------------------------------------------------------------------------


def records(prefix: str, count: int, *, link: str = "https://x.example/{}") -> dict[str, Any]:
    return {
        f"src/{prefix}{n}": {"title": [{"value": f"Title {n}"}], "url": link.format(n)}
        for n in range(count)
    }


def renamed(
    old: dict[str, Any], new: dict[str, Any], live: int, *, whole: bool = True
) -> dict[str, str]:
    newcomers = renames.Newcomers()
    for name, record in new.items():
        newcomers.add(name, record)
    assert newcomers.worth_comparing(live)
    return newcomers.known(old.items(), live, whole=whole)


def test_records_under_new_names_are_known_again_by_title_and_link() -> None:
    old, new = records("a", 60), records("b", 60)
    assert renamed(old, new, 60) == {f"src/a{n}": f"src/b{n}" for n in range(60)}
    assert renamed(old, new, 60, whole=False)
    assert "60 of 60 records" in renames.jump(renamed(old, new, 60), 60)


@pytest.mark.parametrize(
    "link", ["http://www.X.example/{}", "https://x.example/{}/", "http://x.example/{}"]
)
def test_a_move_to_https_is_not_another_link(link: str) -> None:
    assert len(renamed(records("a", 9), records("b", 9, link=link), 9, whole=False)) == 9


def test_other_links_are_known_by_title_only_where_all_was_seen() -> None:
    old, new = records("a", 60), records("b", 60, link="https://new.example/node/{}")
    assert len(renamed(old, new, 60)) == 60
    assert renamed(old, new, 60, whole=False) == {}


def test_some_records_that_are_like_others_are_not_renamed() -> None:
    old, new = records("a", 1000), {**records("b", 4), **records("c", 40, link="https://y/{}")}
    assert renamed(old, new, 1000) == {}
    same = {f"src/n{n}": {"title": [{"value": "Report"}], "url": "https://x/"} for n in range(50)}
    also = {f"src/m{n}": one for n, one in enumerate(same.values())}
    assert renamed(same, also, 50) == {}, "many of one title and link tell nothing"
    nothing = {f"src/o{n}": {"type": "news"} for n in range(50)}
    assert renamed(nothing, nothing, 50) == {}


def test_renames_in_parts_of_a_large_source_are_seen() -> None:
    assert len(renamed(records("a", 1000), records("b", 20), 1000, whole=False)) == 20


# --- all of it ---------------------------------------------------------------------------------

PROFILE: dict[str, Any] = {
    "whole": True, "records": 60, "documents": 60, "repository": "R", "mapped": 60,
    "title": 1.0, "date": 1.0, "type": 1.0, "fields": [["title", 1.0]], "languages": [["en", 1.0]],
}  # fmt: skip


def test_a_verdict_names_each_kind_once_and_needs_no_profile() -> None:
    lost = compared(60, {"title": []}, 60)
    for before in (PROFILE, None):
        verdict = judge(
            before=before,
            now={**PROFILE, "title": 0.0},
            sample={**PROFILE, "title": 0.0},
            total=None,
            comparison=lost,
            renamed={},
        )
        assert verdict.jumps == ["title: 60 of 60 records lose theirs (such as src/0)"]


def test_a_source_that_changes_bit_by_bit_is_compared_with_what_was_accepted() -> None:
    """No record loses anything: they are all others."""
    verdict = judge(
        before=PROFILE,
        now={**PROFILE, "fields": [["name", 1.0]], "languages": [["ja", 1.0]], "repository": "S"},
        sample=PROFILE,
        total=None,
        comparison=Comparison(60),
        renamed={},
    )
    assert [jump.partition(":")[0] for jump in verdict.jumps] == [
        "repository",
        "fields",
        "languages",
    ]
