"""Plain Drupal: sites of the demonstration network through their lives, and odd ones."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.jsonapi import Manner, Resource, Row, collection, entry, refusal
from demo.network import Network
from demo.server import Answer, Request
from tests.adapters.drupal_host import (
    HTML_404,
    Host,
    declare,
    node,
    run_of,
    serving,
    titles,
)
from tests.adapters.partners import age
from tests.running import Hub

SITES = ["demo-drupal-de", "demo-drupal-jp", "demo-drupal-pt"]


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(seed=7) as made:
        yield made


def harvest(hub: Hub, *more: str) -> dict[str, dict[str, Any]]:
    said = hub("harvest", *SITES, "--json", *more)
    runs = {line["source"]: line for line in said.lines}
    assert {run["state"] for run in runs.values()} == {"complete"}, said.err
    assert not any(run["quarantined"] or run["issues"] for run in runs.values()), runs
    return runs


@pytest.mark.slow
def test_sites_are_held_as_they_are_through_their_lives(hub: Hub, network: Network) -> None:
    texts = network.sources()
    for name in SITES:
        hub.source(name, texts[name])
    first = harvest(hub)
    assert all(run["new"] == run["seen"] for run in first.values())
    assert all(run["new"] == 0 for run in harvest(hub).values())
    for phase in range(3):
        if phase:
            before = network.truth()
            network.advance()
            recent = harvest(hub)
            assert all(run["changed"] and run["new"] for run in recent.values())
            whole = harvest(hub, "--full")
            assert all(run["new"] == run["changed"] == 0 for run in whole.values())
            gone = {n: set(before[n].live) & network.truth()[n].deleted for n in SITES}
            assert all(gone.values())
        truth, records = network.truth(), hub.records()
        for name in SITES:
            live = {r["source_identifier"]: r for r in records.values() if r["source"] == name}
            assert set(live) == set(truth[name].live)
            for identifier, record in live.items():
                wanted = truth[name].live[identifier]
                assert record["type"] == wanted.type
                assert tuple(record["spatial"]) == wanted.countries
                got = {(t["value"], t.get("lang")) for t in record["title"]}
                assert got == {(t.value, t.lang) for t in wanted.title}
                assert record["subject"]
    reports = [r for r in hub.records().values() if r["type"] == "researchReport"]
    assert all(r["distribution"][0]["media_type"] == "application/pdf" for r in reports)
    assert not any("/person" in seen.target for seen in network.requests)


def site(**more: Any) -> Host:
    return Host([node(n, kind="article") for n in range(8)], "article", manner=Manner(), **more)


def test_a_file_says_what_a_node_type_is_and_which_are_read(hub: Hub) -> None:
    with serving(site()) as host:
        declare(hub, host, "drupal", 'bundles = ["article", "essay"]\ntypes = {article = "event"}')
        run = run_of(hub)
        assert (run["new"], run["warnings"]) == (8, {"bundle_missing: essay": 1})
        assert {record["type"] for record in hub.records().values()} == {"event"}


def test_what_a_node_refers_to_is_found_out_and_sent_along(hub: Hub) -> None:
    tag = Resource("taxonomy_term--tags", "tag-1", {"name": "Forests", "langcode": "en"})
    own = node(1, kind="article")
    host = site()
    host.nodes = [Resource(own.type, own.id, own.fields, {"field_tags": [tag], "uid": None})]
    with serving(host):
        declare(hub, host, "drupal")
        assert run_of(hub)["new"] == 1
    (record,) = hub.records().values()
    assert record["subject"] == [{"label": "Forests", "lang": "en"}]
    assert any("include=field_tags&" in asked for asked in host.asked)


@pytest.mark.parametrize(
    "answer",
    [HTML_404, refusal(404, "Not Found", "No route found.", ""), Answer(b"<html>", "text/html")],
    ids=["html-404", "json-404", "html"],
)
def test_a_site_without_jsonapi_says_what_to_use(hub: Hub, answer: Answer) -> None:
    with serving(site(instead=lambda request: answer)) as host:
        declare(hub, host, "drupal")
        run = run_of(hub)
    assert (run["state"], run["error"]) == ("failed", "no_jsonapi")
    assert "feed" in run["reason"]
    assert "sitemap" in run["reason"]


def test_a_closed_interface_is_not_asked(hub: Hub) -> None:
    with serving(site(robots="User-agent: *\nDisallow: /jsonapi\n")) as host:
        declare(hub, host, "drupal")
        assert run_of(hub)["error"] == "robots"
        assert len(host.asked) == 1


def test_a_node_that_is_gone_is_asked_for(hub: Hub) -> None:
    with serving(site()) as host:
        declare(hub, host, "drupal")
        assert run_of(hub)["new"] == 8
        del host.nodes[0]

        def maintenance(request: Request) -> Answer | None:
            return HTML_404 if request.path.endswith("uuid-0") else None

        host.instead = maintenance
        assert run_of(hub, "--full")["deleted"] == 0
        host.instead = lambda request: None
        assert run_of(hub, "--full")["deleted"] == 1
    assert set(titles(hub)) == {f"uuid-{n}" for n in range(1, 8)}


def test_a_node_type_that_we_may_not_see_any_more_has_not_lost_its_nodes(
    hub: Hub, settings: Settings
) -> None:
    closed = False

    def other_type(request: Request) -> Answer | None:
        url = f"{host.url}{request.path}"
        if request.path == "/jsonapi":
            return entry(url, ["node--article", "node--event"], host.manner)
        if request.path == "/jsonapi/node/event":
            if closed:
                return refusal(403, "Forbidden", "No.", url)
            return collection(request, url, [Row(node(100, kind="event"))], host.manner)
        return None

    with serving(site(instead=other_type)) as host:
        declare(hub, host, "drupal")
        assert run_of(hub)["new"] == 9
        closed = True
        run = run_of(hub, "--full")
        assert run["state"] == "complete_with_warnings"
        assert run["warnings"] == {"bundle_refused: event": 1}
        assert not age(settings, ["portal"])
