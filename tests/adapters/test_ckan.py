"""CKAN portals: replicas through their lives, and portals that misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.network import Network
from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.adapters.portals import live_through
from tests.running import Hub

NAMES = ("demo-ckan-mx", "demo-ckan-ca")
JSON = "application/json;charset=utf-8"


@pytest.mark.slow
def test_portals_through_their_lives(hub: Hub, settings: Settings) -> None:
    with Network(seed=7) as network:
        records = live_through(hub, network, settings, NAMES, asked=True, most=1)
        asked = [dict(s.arguments()) for s in map(_request, network.requests) if s]
    assert {a["sort"] for a in asked} == {"metadata_created asc, id asc"}
    assert any("metadata_modified:[" in a.get("fq", "") for a in asked)
    text = json.dumps(list(records.values()))
    assert "A. Person" not in text
    assert "@example.org" not in text
    live = [r for r in records.values() if not r["deleted"]]
    assert all(r["bbox"][0] < r["bbox"][2] and r["license"] and r["publisher"] for r in live)
    assert {d["media_type"] for r in live for d in r["distribution"]} == {
        "text/csv",
        "application/zip",
    }
    langs = {r["source"]: r["title"][0]["lang"] for r in live}
    assert langs == {"demo-ckan-mx": "es", "demo-ckan-ca": "fr"}


def _request(seen: Any) -> Request | None:
    path, _, query = seen.target.partition("?")
    mine = seen.replica in ("ckan-mx", "ckan-ca") and path.endswith("/package_search")
    return Request("GET", path, query, {}) if mine else None


# --- hosts of our own --------------------------------------------------------------------


def source(url: str, options: str = "") -> str:
    return (
        f'title = "C"\nadapter = "ckan"\nurl = "{url}"\ncountry = "CO"\nlanguages = ["es"]\n'
        f"[options]\ntries = 1\n{options}\n"
    )


def row(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": f"id-{number}",
        "name": f"set-{number}",
        "title": f"Set {number}",
        "state": "active",
        "private": False,
        "metadata_created": f"2024-01-{number:02}T00:00:00.000001",
        "metadata_modified": "2024-03-01T00:00:00.000001",
        **more,
    }


def said(result: Any) -> Answer:
    return Answer(json.dumps({"success": True, "result": result}).encode(), JSON)


def refused(status: int, kind: str, message: str = "No.") -> Answer:
    error = {"__type": kind, "message": message}
    return Answer(json.dumps({"success": False, "error": error}).encode(), JSON, status)


def cut(rows: list[Any], request: Request, most: int = 1000, total: Any = None) -> Answer:
    asked = dict(request.arguments())
    start, size = int(asked["start"]), min(int(asked["rows"]), most)
    count = len(rows) if total is None else total
    return said({"count": count, "results": rows[start : start + size]})


Hosts = dict[str, Callable[[Request], Answer]]


def test_lists_that_misbehave(hub: Hub) -> None:
    rows = [row(n) for n in range(1, 8)]
    odd = [*rows, {"title": "no name"}, "no object", None]

    def slips(request: Request) -> Answer:
        # Something new stands before the rest when the second page is asked for: what came
        # last comes again, and one more is said to be there.
        start = int(dict(request.arguments())["start"])
        return cut(rows if start == 0 else [row(9), *rows], request)

    search = refused(409, "Search Error", "Solr returned an error: undefined field foo")
    html = Answer(b"<!DOCTYPE html><title>Sorry</title>", "text/html")
    challenge = Answer(b"<!DOCTYPE html><title>Just a moment...</title>", "text/html", 403)
    hosts: Hosts = {
        "whole": lambda request: cut(rows, request),
        "capped": lambda request: cut(rows, request, most=2),
        "fewer": lambda request: cut(rows, request, total=12),
        "stuck": lambda request: said({"count": 7, "results": rows[:3]}),
        "slips": slips,
        "empty": lambda request: said({"count": 0, "results": []}),
        "odd": lambda request: cut(odd, request),
        "filter": lambda request: search,
        "failure": lambda request: Answer(search.body, JSON),
        "closed": lambda request: refused(403, "Authorization Error"),
        "wall": lambda request: challenge,
        "html": lambda request: html,
        "shape": lambda request: said([1, 2]),
        "down": lambda request: Answer(b"", "text/plain", 502),
    }
    with serving(lambda request: hosts[request.path.split("/")[1]](request)) as url:
        for name in hosts:
            hub.source(name, source(f"{url}/{name}/", "rows = 3"))
        runs = {run["source"]: run for run in hub("harvest", *hosts, "--json").lines}
    assert {name: (run["state"], run["error"], run["new"]) for name, run in runs.items()} == {
        "whole": ("complete", None, 7),
        "capped": ("complete", None, 7),
        "fewer": ("partial", None, 7),
        "stuck": ("partial", None, 3),
        "slips": ("partial", None, 7),
        "empty": ("complete", None, 0),
        "odd": ("failed", None, 7),
        "filter": ("failed", "refused_question", 0),
        "failure": ("failed", "refused_question", 0),
        "closed": ("failed", "refused_question", 0),
        "wall": ("failed", "challenge", 0),
        "html": ("failed", "html", 0),
        "shape": ("failed", "no_list", 0),
        "down": ("failed", "http_502", 0),
    }
    assert "undefined field foo" in runs["filter"]["reason"]
    assert "announced 8 entries and gave 7" in runs["slips"]["reason"]
    assert runs["odd"]["quarantined"] == 3


def test_only_ckan_itself_says_what_is_gone(hub: Hub) -> None:
    alone = {
        "missing": refused(404, "Not Found Error", "Not found"),
        "closed": refused(403, "Authorization Error"),
        "deleted": said(row(7, state="deleted")),
        "private": said(row(7, private=True)),
        "there": said(row(7)),
        "other": refused(404, "Some Error"),
        "page": Answer(b"<!DOCTYPE html><title>404</title>", "text/html", 404),
        "down": Answer(b"", "text/plain", 500),
        "plain": Answer(b'"Not found"', JSON, 404),
    }
    now = [row(n) for n in range(1, 8)]

    def respond(request: Request) -> Answer:
        name = request.path.split("/")[1]
        return alone[name] if request.path.endswith("package_show") else cut(now, request)

    with serving(respond) as url:
        for name in alone:
            hub.source(name, source(f"{url}/{name}"))
        hub("harvest", *alone, "--json")
        del now[-1]
        runs = {run["source"]: run for run in hub("harvest", *alone, "--full", "--json").lines}
    gone = {name for name in alone if f"{name}/id-7" not in hub.records()}
    assert gone == {"missing", "closed", "deleted", "private"}
    assert {name for name, run in runs.items() if run["deleted"]} == gone


def test_filters_go_together(hub: Hub) -> None:
    asked: list[str] = []

    def respond(request: Request) -> Answer:
        asked.append(dict(request.arguments()).get("fq", ""))
        return cut([row(1), row(2, private=True), row(3, state="deleted")], request)

    with serving(respond) as url:
        hub.source("c", source(url, 'fq = "tags:a OR tags:b"'))
        first = run_of(hub, "c")
        second = run_of(hub, "c")
    assert (first["new"], first["skipped"]) == (1, 1)
    assert asked[0] == "(tags:a OR tags:b)"
    assert asked[1].startswith("(tags:a OR tags:b) AND (metadata_modified:[20")
    assert asked[1].endswith("Z TO *])")
    since = asked[1].partition("[")[2][:19]
    assert since < first["started"][:19], "with an overlap"
    assert second["requests"] == 1
    assert [r["source_identifier"] for r in hub.records().values()] == ["id-1"]
