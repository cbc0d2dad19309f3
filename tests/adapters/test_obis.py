"""OBIS: its replica through its life, and lists that misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.hosts.obis import SOURCE
from demo.network import Network
from demo.server import Answer, Request
from tests.adapters.partners import harvest, live_through, serving
from tests.running import Hub

JSON = "application/json"


@pytest.mark.slow
def test_the_replica_through_its_life(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        live_through(hub, network, settings, [SOURCE], waits=lambda name: False)
        asked = [seen.target for seen in network.requests if seen.replica == "obis"]
    # Fewer come than are asked for, and the list is walked to its end all the same.
    assert asked[:2] == ["/v3/dataset?size=100&offset=0", "/v3/dataset?size=100&offset=100"]
    records = list(hub.records().values())
    text = json.dumps(records)
    assert "Person" not in text
    assert "@example.org" not in text
    assert all(r["publisher"][0]["name"].startswith("Regional node") for r in records)
    assert all(r["license"].startswith("https://creativecommons.org/") for r in records)
    assert all(r["bbox"][0] < r["bbox"][2] for r in records)
    assert {s["label"] for r in records for s in r["subject"]} == {"Oceans"}
    assert {
        len([i for i in r["same_as"] if i.startswith("https://doi.org/10.")]) for r in records
    } == {0, 1}


def source(url: str, options: str = "") -> str:
    return f'title = "O"\nadapter = "obis"\nurl = "{url}"\n[options]\ntries = 1\n{options}\n'


def answer(rows: list[Any], total: Any = None) -> Answer:
    told = {"total": len(rows) if total is None else total, "results": rows}
    return Answer(json.dumps(told).encode(), JSON)


def row(name: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "title": f"Dataset {name}", **more}


def test_lists_that_misbehave(hub: Hub) -> None:
    rows = [row(f"d{n}") for n in range(7)]

    def cut(request: Request, most: int, all_rows: list[Any] = rows) -> list[Any]:
        asked = dict(request.arguments())
        start = int(asked["offset"])
        return all_rows[start : start + min(int(asked["size"]), most)]

    growing = [rows]

    def grows(request: Request) -> Answer:
        # Something new stands before the rest when the second page is asked for.
        answered = answer(cut(request, 3, growing[-1]), len(growing[-1]))
        growing.append([row(f"n{len(growing)}"), *growing[-1]] if len(growing) < 2 else growing[-1])
        return answered

    hosts: dict[str, Callable[[Request], Answer]] = {
        "capped": lambda request: answer(cut(request, 3), 7),
        "stuck": lambda request: answer(rows[:3], 7),
        "short": lambda request: answer(cut(request, 3), 9),
        "growing": grows,
        "html": lambda request: Answer(b"<!DOCTYPE html><title>Sorry</title>", "text/html"),
        "error": lambda request: Answer(b'{"error": "sorry"}', JSON),
        "empty": lambda request: answer([]),
        "nameless": lambda request: answer([*rows, {"title": "no name"}, "no object"][:8]),
    }
    with serving(lambda request: hosts[request.path.split("/")[1]](request)) as url:
        for name in hosts:
            hub.source(name, source(f"{url}/{name}/v3/"))
        runs = {run["source"]: run for run in hub("harvest", *hosts, "--json").lines}
    assert {name: (run["state"], run["error"], run["new"]) for name, run in runs.items()} == {
        "capped": ("complete", None, 7),
        "stuck": ("partial", None, 3),
        "short": ("partial", None, 7),
        "growing": ("partial", None, 7),
        "html": ("failed", "html", 0),
        "error": ("failed", "no_list", 0),
        "empty": ("complete", None, 0),
        "nameless": ("complete_with_warnings", None, 7),
    }
    assert "announced 9 entries and gave 7" in runs["short"]["reason"]


def test_only_a_list_of_none_is_a_deletion(hub: Hub) -> None:
    alone = {
        "gone": answer([]),
        "there": answer([row("x")]),
        "error": Answer(b'{"error": "sorry"}', JSON),
        "counted": Answer(b'{"total": 0}', JSON),
        "page": Answer(b"<!DOCTYPE html><title>Not found</title>", "text/html", 404),
        "down": Answer(b"", "text/plain", 500),
    }
    rows = [row(f"d{n}") for n in range(3)]
    now = [row("x"), *rows]

    def respond(request: Request) -> Answer:
        _, name, _, _, *rest = request.path.split("/")
        return alone[name] if rest else answer(now)

    with serving(respond) as url:
        for name in alone:
            hub.source(name, source(f"{url}/{name}/v3"))
        harvest(hub, list(alone))
        now = rows
        runs = harvest(hub, list(alone))
    records = hub.records()
    for name, run in runs.items():
        assert run["deleted"] == (1 if name == "gone" else 0), name
        assert (f"{name}/x" in records) is (name != "gone"), name


def test_filters_are_asked_for(hub: Hub) -> None:
    asked: list[str] = []

    def respond(request: Request) -> Answer:
        asked.append(request.query)
        return answer([row("x")])

    with serving(respond) as url:
        hub.source("o", source(f"{url}/v3", 'parameters = { nodeid = "n1" }\nsize = 5'))
        harvest(hub, ["o"])
    assert asked == ["nodeid=n1&size=5&offset=0"]
