"""A Solr index: walks that are cut off and gone on with."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.running import Hub


class Index:
    """An index of seven rows; what is refused is answered with a status."""

    def __init__(self) -> None:
        self.asked: list[dict[str, str]] = []
        self.refused: dict[str, int] = {}

    def respond(self, request: Request) -> Answer:
        asked = dict(request.arguments())
        self.asked.append(asked)
        mark = asked.get("cursorMark", "")
        place = mark or asked["start"]
        if status := self.refused.get(place, self.refused.get("*" if mark else "", 0)):
            return Answer(b'{"error": {"msg": "no"}}', "application/json", status)
        start = int(place.replace("*", "0"))
        docs = [{"id": f"r{n}", "title": f"Row {n}"} for n in range(7)[start : start + 3]]
        told = {"response": {"numFound": 7, "docs": docs}}
        following = {"nextCursorMark": str(start + len(docs))} if mark else {}
        return Answer(json.dumps(told | following).encode(), "application/json")


def source(url: str, options: str = "") -> str:
    return (
        f'title = "I"\nadapter = "solr"\nurl = "{url}/solr"\n'
        f'[options]\ntries = 1\nrows = 3\nchanged = "changed"\n{options}\n'
    )


@pytest.mark.parametrize("options", ["", "cursor = false"])
def test_a_walk_that_was_cut_off_goes_on_where_it_was(hub: Hub, options: str) -> None:
    index = Index()
    with serving(index.respond) as url:
        hub.source("i", source(url, options))
        whole = run_of(hub, "i")
        assert (whole["state"], whole["new"]) == ("complete", 7)
        index.refused = {"3": 500, "1": 500}
        cut = run_of(hub, "i")
        assert (cut["state"], cut["full"]) == ("partial", False)
        index.refused = {}
        before = len(index.asked)
        rest = run_of(hub, "i")
        assert rest["state"] == "complete"
        assert {"0", "*"}.isdisjoint(
            asked.get("cursorMark", asked.get("start")) for asked in index.asked[before:]
        )
        run_of(hub, "i")
    # What changed while nobody read is behind the place reached: the next walk asks for it.
    began = datetime.fromisoformat(cut["started"]) - timedelta(hours=1)
    assert index.asked[-1]["fq"] == f"changed:[{began:%Y-%m-%dT%H:%M:%SZ} TO *]"


def test_a_mark_that_is_not_taken_any_more_sends_the_walk_back(hub: Hub) -> None:
    index = Index()
    with serving(index.respond) as url:
        hub.source("i", source(url))
        index.refused = {"3": 500}
        assert run_of(hub, "i")["state"] == "partial"
        index.refused = {"*": 400}
        run = run_of(hub, "i")
    assert (run["state"], run["seen"]) == ("complete", 7)
    assert len(hub.records()) == 7
