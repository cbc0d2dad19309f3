"""GEO BON's portal: its replica through its life, and answers that are not what they seem."""

from __future__ import annotations

import json
from typing import Any

import pytest

from adapters import geobon
from chm_hub.settings import Settings
from demo.hosts.geobon import ALL, OF_COUNTRY
from demo.network import Network
from demo.server import Answer, Request
from tests.adapters.partners import compare, harvest, live_through, run_of, serving
from tests.running import Hub

JSON = "application/json"


@pytest.mark.slow
def test_the_replica_through_its_life(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        live_through(hub, network, settings, [ALL], waits=lambda name: False)
        text = json.dumps(hub.records("--with-deleted"))
        assert "N/A" not in text
        assert "A. Person" not in text
        assert "@example.org" not in text
        hub.source(OF_COUNTRY, network.sources()[OF_COUNTRY])
        runs = harvest(hub, [OF_COUNTRY])
        truth = network.truth()
        compare(hub.records(), truth, [OF_COUNTRY])
        assert runs[OF_COUNTRY]["warnings"] == {}
        assert len(truth[OF_COUNTRY].live) > 10
        network.advance()
        harvest(hub, [OF_COUNTRY])
        compare(hub.records(), network.truth(), [OF_COUNTRY])
        records = hub.records("--source", OF_COUNTRY).values()
    assert all("\n" not in t["value"] for r in records for t in r["description"])
    downloads = [d["url"] for r in hub.records("--source", ALL).values() for d in r["distribution"]]
    assert all(url.startswith("https://portal.example.org/data/") for url in downloads)


def source(url: str, options: str = "") -> str:
    return f'title = "G"\nadapter = "geobon"\nurl = "{url}"\n[options]\n{options}\n'


def envelope(data: Any, code: Any = 200) -> Answer:
    return Answer(json.dumps({"code": code, "message": "said", "data": data}).encode(), JSON)


HTML = Answer(b"<!DOCTYPE html><title>Gone fishing</title>", "text/html")


def test_what_is_no_list_deletes_nothing(hub: Hub) -> None:
    answers = {
        "g1": (envelope([], 404), "error_answer"),
        "g2": (envelope([], "500"), "error_answer"),
        "g3": (envelope(None), "no_list"),
        "g4": (Answer(b"[]", JSON), "no_list"),
        "g5": (Answer(b'{"data": []}', JSON), "no_list"),
        "g6": (Answer(b'{"code": 200, "data": [', JSON), "not_json"),
        "g7": (HTML, "html"),
    }
    well = True

    def respond(request: Request) -> Answer:
        name = request.path.split("/")[1]
        return envelope([{"id": "1", "title": "A"}]) if well else answers[name][0]

    with serving(respond) as url:
        for name in answers:
            hub.source(name, source(f"{url}/{name}", "tries = 1"))
        assert all(run["new"] == 1 for run in harvest(hub, list(answers)).values())
        well = False
        runs = {run["source"]: run for run in hub("harvest", *answers, "--json").lines}
    for name, (_, error) in answers.items():
        assert (runs[name]["state"], runs[name]["error"]) == ("failed", error), name
    assert len(hub.records()) == len(answers)


def test_only_the_portal_s_own_word_is_a_deletion(hub: Hub) -> None:
    alone = {
        "gone": envelope([], 404),
        "gone-too": Answer(envelope([], 404).body, JSON, 404),
        "there": envelope([{"id": 2, "title": "B"}]),
        "out-of-order": envelope([], 500),
        "half-an-answer": Answer(b'{"code": 404}', JSON),
        "page-404": Answer(HTML.body, "text/html", 404),
        "page-200": HTML,
        "http-410": Answer(b"", JSON, 410),
    }
    short = False

    def respond(request: Request) -> Answer:
        if request.path.endswith("/2"):
            return alone[request.path.split("/")[1]]
        return envelope([{"id": 1, "title": "A"}, *([] if short else [{"id": 2, "title": "B"}])])

    with serving(respond) as url:
        for name in alone:
            hub.source(name, source(f"{url}/{name}", "tries = 1"))
        assert all(run["new"] == 2 for run in harvest(hub, list(alone)).values())
        short = True
        runs = harvest(hub, list(alone))
    records = hub.records()
    for name, run in runs.items():
        gone = name in ("gone", "gone-too")
        assert run["deleted"] == (1 if gone else 0), name
        assert (f"{name}/2" in records) is not gone, name
        assert ("missing_at_source" in run["warnings"]) is not gone, name


def test_odd_rows_cost_themselves_alone(hub: Hub) -> None:
    rows = [{"id": n, "title": f"T{n}"} for n in range(1, 8)]
    odd = [
        {"title": "nameless"},
        {"id": 3, "title": "again"},
        {"id": "8", "title": "T8", "license": ["x"]},
    ]
    with serving(lambda request: envelope([*rows, *odd])) as url:
        hub.source("g", source(url))
        run = run_of(hub, "g")
    assert run["state"] == "complete_with_warnings"
    assert (run["new"], run["quarantined"]) == (8, 1)
    assert run["warnings"] == {"same_identifier": 1, "absence_not_judged": 1}
    assert hub.records()["g/3"]["title"][0]["value"] == "T3"


def test_a_country_s_count_is_compared(hub: Hub) -> None:
    answer = Answer(b'{"count": "3", "data": [{"id": "1", "name": "A\nB"}]}', JSON)
    with serving(lambda request: answer) as url:
        hub.source("g", source(url, 'country = "Kenya"'))
        run = run_of(hub, "g")
    assert run["state"] == "partial"
    assert "announced 3 entries and gave 1" in run["reason"]
    assert hub.records()["g/1"]["spatial"] == ["KE"]


def test_placeholders_are_nothing() -> None:
    told = {"a": "N/A", "b": ["n/a ", "x"], "c": {"d": "N/A", "e": "N/A or so"}}
    made = geobon.without_placeholders(told)
    assert made == {"a": None, "b": [None, "x"], "c": {"d": None, "e": "N/A or so"}}
