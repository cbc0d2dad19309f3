"""A source that loses what its records had, a few at each run, is held before much of it is lost.
Through the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chm_hub.comparison import Comparison
from chm_hub.instalments import Instalments
from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.running import Hub

NAMES = [f"r{i:02}" for i in range(40)]
Change = Callable[[dict[str, Any]], None]
Shape = Callable[[list[dict[str, Any]], Request], Answer]


def things() -> dict[str, dict[str, Any]]:
    return {
        name: {
            "title": f"Title of {name}",
            "date": "2024-03-05T00:00:00Z",
            "about": f"About {name}",
            "country": "Kenya",
        }
        for name in NAMES
    }


def as_feed(held: list[dict[str, Any]], _: Request) -> Answer:
    items = [
        {
            "id": one["name"],
            "url": f"https://n.example/{one['name']}",
            "title": one["title"],
            "summary": one.get("about"),
            "date_published": one.get("date"),
            "language": one.get("lang", "fr"),
        }
        for one in held
    ]
    body = {"version": "https://jsonfeed.org/version/1.1", "title": "N", "items": items}
    return Answer(json.dumps(body).encode(), "application/feed+json")


def as_solr(held: list[dict[str, Any]], request: Request) -> Answer:
    start = int(dict(request.arguments()).get("cursorMark", "*").replace("*", "0"))
    docs = [
        {k: v for k, v in one.items() if v is not None}
        | {"id": one["name"], "url": f"https://n.example/{one['name']}"}
        for one in held[start : start + 7]
    ]
    body = {
        "response": {"numFound": len(held), "docs": docs},
        "nextCursorMark": str(start + len(docs)),
    }
    return Answer(json.dumps(body).encode(), "application/json")


def without(key: str) -> Change:
    return lambda one: one.pop(key) and None


def other(key: str, value: str) -> Change:
    return lambda one: one.update({key: value})


SOLR = 'title = "Index"\nadapter = "solr"\nurl = "{url}/select"\n[options]\nrows = 7\n'
FEED = 'title = "F"\nadapter = "feed"\ncountry = "KE"\nurl = "{url}/feed"\n'

KINDS = [
    pytest.param(FEED, as_feed, without("about"), "description", id="feed, description"),
    pytest.param(FEED, as_feed, without("date"), "date", id="feed, date"),
    pytest.param(SOLR, as_solr, without("date"), "date", id="solr, date"),
    pytest.param(SOLR, as_solr, without("country"), "countries", id="solr, country"),
    pytest.param(SOLR, as_solr, other("country", "Peru"), "countries", id="solr, moved"),
]


@pytest.mark.parametrize(("source", "shape", "change", "word"), KINDS)
def test_a_slip_that_comes_in_by_instalments_is_held(
    hub: Hub, source: str, shape: Shape, change: Change, word: str
) -> None:
    held = things()
    with serving(
        lambda request: shape([{"name": n, **one} for n, one in held.items()], request)
    ) as url:
        hub.source("src", source.replace("{url}", url))
        assert run_of(hub, "src")["new"] == 40
        states = []
        for number in range(0, 16, 4):
            before = hub.records()
            for name in NAMES[number : number + 4]:
                change(held[name])
            run = run_of(hub, "src")
            states.append(run["state"])
            if run["state"] == "held":
                assert hub.records() == before
                break
        # Two times four pass; three times four are more than a quarter of forty.
        assert states[-1] == "held"
        assert len(states) == 3, states
        shown = hub("held", "show", "src").out
        assert f"{word}: 12 of 40 records have" in shown, shown
        assert "bit by bit, 4 of them now (such as src/" in shown
        # Accepted, it counts from the beginning.
        assert hub("held", "approve", "src").code == 0
        assert run_of(hub, "src")["changed"] == 4
        for name in NAMES[12:16]:
            change(held[name])
        assert run_of(hub, "src")["state"].startswith("complete")


def test_what_comes_back_is_lost_no_more(hub: Hub) -> None:
    held = things()
    with serving(
        lambda request: as_feed([{"name": n, **one} for n, one in held.items()], request)
    ) as url:
        hub.source("src", FEED.replace("{url}", url))
        run_of(hub, "src")
        for number in range(4):
            for name in NAMES[number * 4 : number * 4 + 4]:
                held[name].pop("about")
            if number:
                for name in NAMES[number * 4 - 4 : number * 4]:
                    held[name]["about"] = f"About {name}"
            assert run_of(hub, "src")["state"].startswith("complete")


def compared(earlier: Instalments, lose: range, *, stays: bool = False) -> Comparison:
    made = Comparison(100, earlier)
    for number in lose:
        was = {"title": [{"value": f"T{number}"}], "url": f"https://x.example/{number}"}
        made.became(f"src/{number}", was, {"title": was["title"]}, stays=stays)
    return made


def test_losses_that_are_not_written_are_counted_in_their_own_run_alone() -> None:
    earlier = Instalments()
    for _ in range(20):
        one = compared(earlier, range(4), stays=True)
        assert one.jumps() == []
        earlier = Instalments.of_stored(one.after().stored())
    assert earlier == Instalments()


def test_losses_are_stored_and_read_again() -> None:
    one = compared(Instalments(), range(4)).after()
    assert one.lost["link"] == 4
    moved = Instalments(moved={"type": frozenset((b"12345678", b"abcdefgh"))})
    for made in (one, moved, Instalments()):
        again = Instalments.of_stored(made.stored())
        assert again.stored() == made.stored()
    assert Instalments.of_stored(moved.stored()) == moved


def test_a_record_that_moves_each_time_is_one_record() -> None:
    earlier = Instalments()
    for number in range(30):
        one = Comparison(20, earlier)
        one.became("src/1", {"spatial": [f"A{number}"]}, {"spatial": [f"B{number}"]})
        assert one.jumps() == []
        earlier = one.after()
    assert len(earlier.moved["countries"]) == 1
