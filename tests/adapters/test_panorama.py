"""PANORAMA: its replica through its life, and sites that misbehave."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import unquote

import pytest

from adapters import panorama
from chm_hub.settings import Settings
from demo.hosts.panorama import API, MAP
from demo.network import Network
from demo.server import Answer, Request
from store import open_store
from tests.adapters.partners import harvest, live_through, run_of, serving
from tests.running import Hub

KEY = "demo"
CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body></body></html>"


@pytest.mark.slow
def test_the_replica_through_its_life(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        live_through(hub, network, settings, [API, MAP], key=KEY)
        asked = [seen.target for seen in network.requests if seen.replica == "panorama"]
        network.requests.clear()
        harvest(hub, [MAP])
        again = [seen.target for seen in network.requests if seen.replica == "panorama"]
    assert any("api_key=demo" in target for target in asked)
    # The map, robots.txt and as many pages as show that nothing is new.
    assert len(again) == 2 + panorama.SETTLED
    with open_store(settings) as store:
        for name in store.database.list_collection_names():
            for row in store.database[name].find():
                assert "api_key" not in repr(row), name
    kept = json.dumps(hub.records("--with-deleted"))
    assert "api_key" not in kept
    for path in hub.data.rglob("*"):
        if path.is_file():
            assert b"api_key=demo" not in path.read_bytes(), path


def test_languages_of_a_solution_come_together(hub: Hub) -> None:
    with Network(seed=5) as network:
        hub.source(API, network.sources()[API])
        harvest(hub, [API], key=KEY)
    records = hub.records().values()
    assert {len(r["title"]) for r in records} == {1, 3}
    assert {t["lang"] for r in records for t in r["title"]} == {"en", "fr", "es"}
    assert any("bbox" not in r for r in records)
    assert any("bbox" in r for r in records)
    assert "A. Person" not in json.dumps(list(records))


def test_a_challenge_is_no_empty_list(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        status = int(request.path.split("/")[1])
        mark = {"cf-mitigated": "challenge"} if status == 403 else {}
        return Answer(CHALLENGE, "text/html", status, mark)

    names = [f"{way}-{status}" for way in ("api", "map") for status in (200, 403, 503)]
    with serving(respond) as url:
        for name in names:
            way, status = name.split("-")
            hub.source(name, source(f"{url}/{status}", way=way, more="tries = 1"))
        runs = {
            run["source"]: run
            for run in hub("harvest", *names, "--json", CHM_HUB_DEMO_KEY=KEY).lines
        }
    for name in names:
        assert (runs[name]["state"], runs[name]["error"]) == ("failed", "challenge"), name
        assert runs[name]["requests"] == 1, name
        assert "firewall" in runs[name]["reason"]
        assert "demo" not in runs[name]["reason"]


def test_what_a_challenge_hides_is_not_gone(hub: Hub, settings: Settings) -> None:
    site = Site([{"id": "1", "title": "A"}, {"id": "2", "title": "B"}])
    with serving(site.respond) as url:
        hub.source("p", source(url))
        assert run_of(hub, "p", key=KEY)["new"] == 2
        site.closed = True
        assert run_of(hub, "p", key=KEY)["error"] == "challenge"
        site.closed = False
        run = run_of(hub, "p", key=KEY)
    assert run["state"] == "complete"
    assert run["unchanged"] == 2


def test_without_a_key_it_says_what_to_set(hub: Hub) -> None:
    told = {"unset": ('secret = "env:NO_SUCH_KEY"\n', "NO_SUCH_KEY"), "none": ("", "wants a key")}
    for name, (secret, _) in told.items():
        text = f'title = "P"\nadapter = "panorama"\nurl = "http://127.0.0.1:1"\n{secret}'
        hub.source(name, text)
    runs = {run["source"]: run for run in hub("harvest", *told, "--json").lines}
    for name, (_, said) in told.items():
        run = runs[name]
        assert (run["state"], run["error"], run["requests"]) == ("failed", "secret", 0)
        assert said in run["reason"]


def test_a_wrong_key_is_refused_and_not_shown(hub: Hub) -> None:
    with Network(seed=5) as network:
        hub.source(API, network.sources()[API])
        said = hub("harvest", API, "--json", CHM_HUB_DEMO_KEY="canary-5b2c")
    (run,) = said.lines
    assert (run["state"], run["error"]) == ("failed", "http_403")
    assert "canary" not in said.out + said.err


class Site:
    """Lists of solutions for any language, in pages of two."""

    def __init__(self, rows: list[Any], **bends: Any) -> None:
        self.rows = rows
        self.bends = bends
        self.closed = False
        self.asked: list[str] = []

    def respond(self, request: Request) -> Answer:
        self.asked.append(f"{request.path}?{request.query}")
        if self.closed:
            return Answer(CHALLENGE, "text/html", 403)
        page = int(dict(request.arguments())["page"])
        if self.bends.get("stuck"):
            page = 1
        cut = self.rows[(page - 1) * 2 : page * 2]
        count = self.bends.get("count", len(self.rows))
        answer: dict[str, Any] = {
            "solutions": [{"solution": row} if isinstance(row, dict) else row for row in cut]
        }
        if count is not None:
            answer["pager"] = {"count": count}
        return Answer(json.dumps(answer).encode(), "application/json")


def source(url: str, way: str = "api", more: str = "", languages: str = '["en"]') -> str:
    return (
        f'title = "P"\nadapter = "panorama"\nurl = "{url}"\nlanguages = {languages}\n'
        f'secret = "env:CHM_HUB_DEMO_KEY"\n[options]\nway = "{way}"\n{more}\n'
    )


ROWS = [{"id": n, "title": f"Solution {n}", "url": f"/en/solution/{n}"} for n in range(1, 6)]


def test_a_list_that_ignores_the_page_ends(hub: Hub) -> None:
    site = Site(ROWS, stuck=True)
    with serving(site.respond) as url:
        hub.source("p", source(url))
        run = run_of(hub, "p", key=KEY)
    assert run["state"] == "partial"
    assert "circles" in run["reason"]
    assert len(site.asked) == 2


def test_fewer_than_announced_is_partial(hub: Hub) -> None:
    with serving(Site(ROWS, count=9).respond) as url:
        hub.source("p", source(url))
        run = run_of(hub, "p", key=KEY)
    assert run["state"] == "partial"
    assert "announced 9 and gave 5" in run["reason"]


def test_counts_may_be_missing_or_strings(hub: Hub) -> None:
    sites = {"none": Site(ROWS, count=None), "digits": Site(ROWS, count="5")}
    with serving(lambda request: sites[request.path.split("/")[1]].respond(request)) as url:
        for name in sites:
            hub.source(name, source(f"{url}/{name}"))
        runs = harvest(hub, list(sites), key=KEY)
    assert {(run["state"], run["new"]) for run in runs.values()} == {("complete", 5)}
    url_of = {r["url"] for r in hub.records().values()}
    assert url_of == {f"{url}/en/solution/{n}" for n in range(1, 6)}


def test_a_row_without_a_name_is_set_aside_alone(hub: Hub) -> None:
    with serving(Site([*ROWS, {"title": "Nameless"}]).respond) as url:
        hub.source("p", source(url))
        run = run_of(hub, "p", key=KEY)
    assert run["state"] == "complete_with_warnings"
    assert (run["new"], run["quarantined"]) == (5, 1)


def test_another_shape_is_no_empty_list(hub: Hub) -> None:
    with serving(lambda request: Answer(b'{"message": "nothing"}', "application/json")) as url:
        hub.source("p", source(url))
        assert run_of(hub, "p", key=KEY)["error"] == "no_list"
        hub.source("p", source(url, way="map"))
        assert run_of(hub, "p", key=KEY)["error"] == "no_list"


def test_an_empty_list_of_the_right_shape_is_empty(hub: Hub) -> None:
    with serving(Site([]).respond) as url:
        hub.source("p", source(url))
        run = run_of(hub, "p", key=KEY)
    assert (run["state"], run["seen"]) == ("complete", 0)


def test_filters_are_asked_for(hub: Hub) -> None:
    site = Site(ROWS)
    with serving(site.respond) as url:
        more = 'countries = ["KE"]\nparameters = { portal_title = "blue" }'
        hub.source("p", source(url, more=more))
        run_of(hub, "p", key=KEY)
    assert all("country_iso_2[]=KE&portal_title=blue&page=" in unquote(t) for t in site.asked)
    assert {r["spatial"][0] for r in hub.records().values()} == {"KE"}


def test_a_translation_that_is_none_is_left_out(hub: Hub) -> None:
    row = {"id": 1, "title": "Same words", "summary": "All the same", "url": "/en/solution/1"}
    with serving(Site([row]).respond) as url:
        hub.source("p", source(url, languages='["en", "fr", "es"]'))
        run_of(hub, "p", key=KEY)
    (record,) = hub.records().values()
    assert record["title"] == [{"value": "Same words", "lang": "en"}]


# --- the map -----------------------------------------------------------------------------


def _feature(number: int | None, *places: list[float]) -> dict[str, Any]:
    told: dict[str, Any] = {"title": f" Solution {number} "}
    if number is not None:
        told["nid"] = str(number)
    return {
        "type": "Feature",
        "geometry": {"type": "MultiPoint", "coordinates": list(places)} if places else None,
        "properties": told,
    }


class Map:
    """A map with pages; some of them are lost or shut."""

    def __init__(
        self, features: list[Any], robots: str = "", lost: str = "", shut: str = ""
    ) -> None:
        self.features = features
        self.robots, self.lost, self.shut = robots, lost, shut

    def respond(self, request: Request) -> Answer:
        path = request.path
        if path == "/robots.txt":
            return Answer(self.robots.encode(), "text/plain")
        if path.endswith("/map"):
            value = {"type": "FeatureCollection", "features": self.features}
            return Answer(json.dumps(value).encode(), "application/json")
        if self.lost and path.endswith(self.lost):
            return Answer(b"<html><title>Not found</title></html>", "text/html", 404)
        if self.shut and path.endswith(self.shut):
            return Answer(CHALLENGE, "text/html", 403)
        number = path.rpartition("/")[2]
        page = f'<html lang="en"><link rel="canonical" href="/en/s/{number}"><h1>Page {number}</h1>'
        return Answer(page.encode(), "text/html")


def test_the_map_with_its_odd_features_and_lost_pages(hub: Hub) -> None:
    site = Map(
        [_feature(1, [10, 20], [11, 19]), _feature(1, [12, 21]), _feature(2), _feature(3),
         _feature(4), _feature(5), _feature(6), _feature(None)],
        lost="/2",
    )  # fmt: skip
    with serving(site.respond) as url:
        hub.source("p", source(url, way="map"))
        run = run_of(hub, "p")
        records = {r["source_identifier"]: r for r in hub.records().values()}
        assert run["state"] == "complete_with_warnings"
        assert (run["new"], run["quarantined"]) == (6, 1)
        assert records["1"]["bbox"] == [10.0, 19.0, 12.0, 21.0]
        assert records["1"]["url"] == f"{url}/en/s/1"
        assert records["2"]["title"] == [{"value": "Solution 2", "lang": "en"}]
        assert records["2"]["url"] == f"{url}/en/node/2"
        # A page that was read once stays though it cannot be read now.
        site.lost = "/3"
        hub.source("p", source(url, way="map", more="tries = 2"))
        run_of(hub, "p")
        records = {r["source_identifier"]: r for r in hub.records().values()}
    assert records["3"]["title"] == [{"value": "Page 3", "lang": "en"}]


def test_a_challenge_before_a_page_ends_the_run(hub: Hub) -> None:
    with serving(Map([_feature(1), _feature(2), _feature(3)], shut="/2").respond) as url:
        hub.source("p", source(url, way="map"))
        run = run_of(hub, "p")
    assert (run["state"], run["error"], run["new"]) == ("partial", "challenge", 1)


def test_robots_txt_is_obeyed(hub: Hub) -> None:
    site = Map([_feature(1), _feature(2)], robots="User-agent: *\nDisallow: /en/node/\n")
    with serving(site.respond) as url:
        hub.source("p", source(url, way="map"))
        run = run_of(hub, "p")
    assert run["state"] == "complete_with_warnings"
    assert run["new"] == 2
    assert {r["title"][0]["value"] for r in hub.records().values()} == {"Solution 1", "Solution 2"}


def test_what_moved_forward() -> None:
    before = list("abcdef")
    assert panorama.moved_forward(before, list("abcdef")) == set()
    assert panorama.moved_forward(before, list("dabcef")) == {"d"}
    assert panorama.moved_forward(before, list("xabcf")) == {"x"}
    assert panorama.moved_forward(before, list("fedcba")) == set("fedcb")
    assert panorama.moved_forward([], list("ab")) == {"a", "b"}


def test_the_language_of_a_row_stands_in_its_address() -> None:
    assert panorama.language_of({"url": "https://x.example/fr/a"}, "en") == "fr"
    assert panorama.language_of({"url": None}, "es") == "es"
    assert panorama.language_of({"url": "/solution/1"}, "es") == "es"
