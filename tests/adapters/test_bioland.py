"""Bioland: sites of the demonstration network through their lives, and sites that misbehave."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from adapters import bioland
from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Request as Question
from chm_hub.fetch import now
from demo.hosts import Truth
from demo.jsonapi import refusal
from demo.network import Network
from demo.server import Answer, Request
from harvesters import drupal_nodes
from tests.adapters.drupal_host import (
    CLOSED,
    HTML_404,
    PLAIN_404,
    Host,
    declare,
    node,
    run_of,
    serving,
    titles,
)
from tests.running import Hub

SITES = [
    f"demo-bioland-{code}"
    for code in ("ke", "rw", "tz", "ma", "mw", "co", "kg", "sea", "zw", "ml", "be")
]
GOOD = {"complete", "complete_with_warnings"}


@pytest.fixture
def network() -> Iterator[Network]:
    with Network(seed=7) as made:
        yield made


def harvest(hub: Hub, *more: str) -> dict[str, dict[str, Any]]:
    said = hub("harvest", *SITES, "--json", *more)
    runs = {line["source"]: line for line in said.lines}
    assert set(runs) == set(SITES), said.err
    for run in runs.values():
        assert run["state"] in GOOD, run
        assert not run["quarantined"], run
        assert not run["issues"], run
    return runs


def compare(
    records: dict[str, Any], truth: dict[str, Truth], *, gone_too: dict[str, set[str]] | None = None
) -> None:
    """What is held is what there is; ``gone_too`` is still held though it is gone."""
    for name in SITES:
        live = {
            r["source_identifier"]: r
            for r in records.values()
            if r["source"] == name and not r["deleted"]
        }
        late = (gone_too or {}).get(name, set())
        assert set(live) == set(truth[name].live) | late, name
        for identifier in set(live) - late:
            record, wanted = live[identifier], truth[name].live[identifier]
            where = f"{name}: {identifier}"
            assert record["type"] == wanted.type, where
            assert sorted(record["spatial"]) == sorted(wanted.countries), where
            got = {(t["value"], t.get("lang")) for t in record["title"]}
            assert got == {(t.value, t.lang) for t in wanted.title}, where


@pytest.mark.slow
def test_sites_are_held_as_they_are_through_their_lives(hub: Hub, network: Network) -> None:
    texts = network.sources()
    for name in SITES:
        hub.source(name, texts[name])
    first = harvest(hub)
    truth = network.truth()
    records = hub.records("--with-deleted")
    compare(records, truth)
    assert all(first[name]["new"] == len(truth[name].live) for name in SITES)
    again = harvest(hub)
    assert all(run["new"] == run["changed"] == 0 for run in again.values())
    for name in ("demo-bioland-mw", "demo-bioland-zw"):
        assert again[name]["requests"] <= 3, "robots.txt and the newest nodes"
    for _ in range(2):
        before, held = truth, records
        network.advance()
        truth = network.truth()
        recent = harvest(hub)
        late = {name: set(before[name].live) & truth[name].deleted for name in SITES}
        compare(hub.records("--with-deleted"), truth, gone_too=late)
        # Deployments may move every date; only what somebody changed is changed here.
        assert sum(run["changed"] for run in recent.values()) < len(held) * 0.15
        whole = harvest(hub, "--full")
        records = hub.records("--with-deleted")
        compare(records, truth)
        assert all(run["new"] == run["changed"] == 0 for run in whole.values()), whole
        assert all(late.values()), "withdrawn or deleted, as the site itself says"
        moved = {
            name
            for name, record in records.items()
            if name in held and held[name]["datestamp"] != record["datestamp"]
        }
        assert len(moved) < len(held) * 0.15
    contents = {seen.target for seen in network.requests if "/node/content?" in seen.target}
    assert all("drupal_internal__tid" in target for target in contents)
    assert not any(record["type"] == "contact" for record in records.values())


def test_a_site_that_is_not_published_is_left_alone(hub: Hub, network: Network) -> None:
    text = network.sources()["demo-bioland-ge"]
    assert re.search(r"^enabled +=  *false$", text, re.MULTILINE)
    hub.source("demo-bioland-ge", re.sub(r"^(enabled|reason) .*\n", "", text, flags=re.MULTILINE))
    said = hub("harvest", "demo-bioland-ge", "--json")
    (run,) = said.lines
    assert (run["state"], run["error"], run["requests"]) == ("failed", "unpublished", 1)
    with serving(Host([node(1)])) as host:
        declare(hub, host)
        assert run_of(hub)["state"] == "complete"
        host.robots = CLOSED
        assert run_of(hub, "--full")["error"] == "unpublished"
    assert titles(hub) == {"uuid-1": [("Title 1", "en")]}


def test_a_plain_404_is_a_fault_and_not_an_end(hub: Hub) -> None:
    with serving(Host([node(n) for n in range(5)], languages=("en", "fr"))) as host:
        declare(hub, host)
        assert run_of(hub)["new"] == 5
        host.instead = lambda request: PLAIN_404
        run = run_of(hub, "--full")
        assert (run["state"], run["error"]) == ("failed", "http_404")
        # The same for one language that was there before.
        host.instead = lambda request: PLAIN_404 if request.path.startswith("/fr/") else None
        assert run_of(hub, "--full")["error"] == "http_404"
    assert len(titles(hub)) == 5


def test_only_the_interface_itself_says_that_a_node_is_gone(hub: Hub) -> None:
    with serving(Host([node(n) for n in range(6)])) as host:
        declare(hub, host)
        assert run_of(hub)["new"] == 6
        del host.nodes[0]
        host.hidden = {"uuid-1"}
        unsure = {"uuid-0": HTML_404, "uuid-1": Answer(b"{}", "application/json", 404)}
        host.instead = lambda request: unsure.get(request.path.rpartition("/")[2])
        run = run_of(hub, "--full")
        assert (run["state"], run["deleted"]) == ("complete_with_warnings", 0)
        assert run["warnings"]["missing_at_source"] == 2
        host.instead = lambda request: None
        run = run_of(hub, "--full")
        assert (run["state"], run["deleted"]) == ("complete", 2)
        assert set(titles(hub)) == {f"uuid-{n}" for n in range(2, 6)}
        host.hidden = set()
        assert run_of(hub, "--full")["changed"] == 1, "what was withdrawn came back"


def test_a_list_from_which_everything_is_withheld_is_not_empty(hub: Hub) -> None:
    with serving(Host([node(n) for n in range(4)])) as host:
        declare(hub, host)
        assert run_of(hub)["new"] == 4
        host.hidden = {f"uuid-{n}" for n in range(4)}
        run = run_of(hub, "--full")
        assert run["state"] == "failed"
        assert "withheld" in run["reason"]
    assert len(titles(hub)) == 4


def test_short_and_empty_pages_are_not_the_end(hub: Hub) -> None:
    host = Host([node(n) for n in range(40)])
    host.hidden = {f"uuid-{n}" for n in range(5, 25)}
    with serving(host):
        declare(hub, host, options="limit = 5")
        run = run_of(hub)
    assert (run["state"], run["new"]) == ("complete", 20)


def doctored(request: Request, change: Any, host: Host) -> Answer | None:
    """The host's own answer to a question for the list, changed."""
    if not request.path.endswith("/node/content"):
        return None
    host.instead, kept = (lambda request: None), host.instead
    answer = host.answer(request)
    host.instead = kept
    body = json.loads(answer.body)
    change(body, request)
    return Answer(json.dumps(body).encode(), answer.media_type, answer.status)


def round_in_circles(body: dict[str, Any], request: Request) -> None:
    body["links"]["next"] = body["links"]["self"]


def the_first_page_again(body: dict[str, Any], request: Request) -> None:
    offset = dict(request.arguments()).get("page[offset]", "0")
    href = body["links"]["self"]["href"].partition("&page%5Boffset")[0]
    body["links"]["next"] = {"href": f"{href}&page%5Boffset%5D=0&again={int(offset) + 1}"}


def too_few(body: dict[str, Any], request: Request) -> None:
    body["meta"] = {"count": "99"}
    body["links"].pop("next", None)


@pytest.mark.parametrize("change", [round_in_circles, the_first_page_again, too_few])
def test_lists_that_go_round_or_end_early_are_partial(hub: Hub, change: Any) -> None:
    host = Host([node(n) for n in range(12)])
    with serving(host):
        declare(hub, host, options="limit = 5")
        host.instead = lambda request: doctored(request, change, host)
        run = run_of(hub)
    assert run["state"] == "partial", run
    assert run["reason"]
    assert len(titles(hub)) >= 5


def odd_rows(body: dict[str, Any], request: Request) -> None:
    body["data"][1:1] = [None, {"type": "node--content"}, "text"]
    body["data"][0]["path"] = "odd"
    body["data"][0]["field_type_placement"] = body["data"][0]["field_type_placement"][0]


def test_a_bad_row_is_set_aside_and_its_neighbours_go_on(hub: Hub) -> None:
    host = Host([node(n) for n in range(20)])
    with serving(host):
        declare(hub, host)
        host.instead = lambda request: doctored(request, odd_rows, host)
        run = run_of(hub)
    assert (run["new"], run["quarantined"]) == (20, 3)


def elsewhere(body: dict[str, Any], request: Request) -> None:
    if "next" in body["links"]:
        query = body["links"]["next"]["href"].partition("?")[2]
        body["links"]["next"] = f"http://drupal.internal{request.path}?{query}"


def test_links_to_another_host_stay_at_home(hub: Hub) -> None:
    host = Host([node(n) for n in range(12)])
    with serving(host):
        declare(hub, host, options="limit = 5")
        host.instead = lambda request: doctored(request, elsewhere, host)
        run = run_of(hub)
    assert (run["new"], run["warnings"]) == (12, {"next_page_on_another_host": 2})


def test_contacts_are_not_taken_even_if_the_filter_is_ignored(hub: Hub) -> None:
    with serving(Host([node(1), node(2, 50), node(3, 12)], filters=False)) as host:
        declare(hub, host)
        run = run_of(hub)
        assert (run["new"], run["warnings"]) == (2, {"type_filter_ignored": 1})
        declare(hub, host, options="types = [12]")
        run_of(hub, "--full")
        assert set(titles(hub)) == {"uuid-1", "uuid-3"}, "what is still there is not gone"


def test_copies_of_central_records_are_marked_or_skipped(hub: Hub) -> None:
    link = {"uri": "http://chm.cbd.int/database/record?documentID=123", "title": ""}
    nodes = [node(1, 12, field_url=link), node(2, 2, field_url=link), node(3, 12)]
    with serving(Host(nodes)) as host:
        declare(hub, host)
        run_of(hub)
        records = {r["source_identifier"]: r for r in hub.records().values()}
        central = "https://chm.cbd.int/database/record?documentID=123"
        assert records["uuid-1"]["same_as"] == [central]
        assert "same_as" not in records["uuid-2"], "news that links to a record is no copy of it"
        assert records["uuid-2"]["relation"] == [link["uri"]]
        declare(hub, host, options='copies = "skip"')
        assert run_of(hub, "--full")["skipped"] == 1
    assert set(titles(hub)) == {"uuid-2", "uuid-3"}


def test_what_was_read_in_one_language_is_put_to_the_others(hub: Hub) -> None:
    french: dict[str, Any] = {"default_langcode": False, "langcode": "fr", "title": "Titre 1"}
    stub: dict[str, Any] = {**french, "title": "Title 2", "content_translation_outdated": True}
    host = Host([node(1), node(2)], languages=("en", "fr"))
    host.translations = {"fr": [node(2, **stub), node(1, **french)]}
    with serving(host):
        declare(hub, host)
        assert run_of(hub)["new"] == 2
        both = {"uuid-1": [("Title 1", "en"), ("Titre 1", "fr")], "uuid-2": [("Title 2", "en")]}
        assert titles(hub) == both
        moment = now().isoformat()
        host.nodes = [node(1), node(2, title="Title two", changed=moment)]
        later = {**french, "title": "Titre un", "changed": moment}
        made = node(3, langcode="fr", title="Titre 3", changed=moment)
        host.nodes.append(made)
        host.translations = {"fr": [node(2, **stub), node(1, **later), made]}
        asked = len(host.asked)
        run = run_of(hub)
        assert (run["new"], run["changed"]) == (1, 2)
        assert len(host.asked) - asked <= 3, "robots.txt and one list a language"
        assert titles(hub) == {
            "uuid-1": [("Title 1", "en"), ("Titre un", "fr")],
            "uuid-2": [("Title two", "en")],
            "uuid-3": [("Titre 3", "fr")],
        }
        before = hub.records()
        run = run_of(hub, "--full")
        assert (run["new"], run["changed"]) == (0, 0)
        assert hub.records() == before


def test_a_site_without_jsonapi_says_what_to_use(hub: Hub) -> None:
    with serving(Host([], instead=lambda request: HTML_404)) as host:
        declare(hub, host)
        run = run_of(hub)
        assert (run["state"], run["error"]) == ("failed", "no_jsonapi")
        assert "sitemap" in run["reason"]
        assert len(host.asked) <= 4, "it is not tried for long"


def test_a_site_where_anonymous_reading_is_off_says_so(hub: Hub) -> None:
    with serving(Host([node(1)])) as host:
        declare(hub, host, options="generation = 2")
        said = "The permission is required."
        host.instead = lambda request: refusal(403, "Forbidden", said, host.url)
        run = run_of(hub)
    assert (run["state"], run["error"]) == ("failed", "refused_by_site")
    assert said in run["reason"]


def test_versions_that_nobody_translated_do_not_count() -> None:
    def version(code: str, **fields: Any) -> dict[str, Any]:
        body = {"value": "<p>Text</p>"}
        return {
            "langcode": code,
            "title": "Title",
            "body": body,
            "default_langcode": False,
            **fields,
        }

    own = version("fr", default_langcode=True)
    told = version("ar", title="عنوان")
    others = [
        version("en"),
        version("es", title="Título", content_translation_outdated=True),
        told,
    ]
    assert drupal_nodes.true_versions([*others, own], ["en", "fr", "es", "ar"]) == [own, told]
    assert drupal_nodes.true_versions(others[:1], ["en"]) == others[:1]


def test_a_copy_in_a_language_without_its_source_is_in_the_language_of_the_source(hub: Hub) -> None:
    copy = node(
        1,
        default_langcode=False,
        content_translation_source="nl",
        content_translation_outdated=True,
        title="Titel",
    )
    with serving(Host([copy])) as host:
        declare(hub, host)
        run_of(hub)
    assert titles(hub) == {"uuid-1": [("Titel", "nl")]}


def test_the_published_sites_of_the_network_are_read() -> None:
    with Network(seed=7) as network:
        url = next(h.url for h in network._hosts.values() if h.name == "bioland-ke")
        body = network._respond(
            Request("GET", "/api/chm-network", "", {}, port=int(url.rpartition(":")[2]))
        ).body

    def asked(body: bytes) -> list[bioland.NetworkSite]:
        async def fetch(request: Question) -> Payload:
            assert request.url == f"{url}/api/chm-network"
            return Payload(url=request.url, status=200, headers={}, body=body, fetched=now())

        return asyncio.run(bioland.network(fetch, url))

    sites = {site.code: site for site in asked(body)}
    assert len(sites) == 27
    assert {"ge", "training"}.isdisjoint(sites)
    assert sites["ma"].languages == ("ar", "fr", "en")
    assert sites["sea"].countries == ("ID", "PH", "TH", "SG")
    assert sites["ke"].url == "https://ke.bl2.demo.example.org"
    with pytest.raises(ProtocolError):
        asked(b"{}")


@pytest.mark.parametrize("form", ["its own", "a page"])
def test_a_node_type_that_we_may_not_see_leaves_everything_as_it_is(hub: Hub, form: str) -> None:
    def closed(request: Request) -> Answer | None:
        if request.path != "/jsonapi/node/news":
            return None
        page = Answer(b"<html><title>No</title></html>", "text/html", 403)
        return page if form == "a page" else refusal(403, "Forbidden", "No.", host.url)

    nodes = [node(n, kind="document") for n in range(5)]
    with serving(Host(nodes, "document", instead=closed)) as host:
        declare(hub, host, options="generation = 1")
        assert run_of(hub)["new"] == 5
        del host.nodes[0]
        run = run_of(hub, "--full")
    assert run["warnings"] == {"bundle_refused: news": 1}, "nor is anything missing"
