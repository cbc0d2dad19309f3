"""`sources new`: the platform behind an address, told from the demonstration network's hosts."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator

import pytest

from demo.network import Network
from tests.running import Hub
from tests.scripted import Answer, Question, Scripted, identify, listing, record

HOSTS = {
    "wordpress-cm": ("wordpress", ""),
    "wordpress-jo": ("wordpress", "/"),
    "ptk-ro": ("ptk", ""),
    "ckan-mx": ("ckan", ""),
    "dkan-ws": ("dcat", ""),
    "dkan-fj": ("dcat", "/data.json"),
    "bioland-ke": ("bioland", ""),
    "bioland-rw": ("bioland", ""),
    "drupal-de": ("drupal", ""),
    "ogc-api": ("ogc_api", "/"),
    "sitemap-ch": ("sitemap", ""),
    "sitemap-ma": ("sitemap", "/sitemap.xml"),
}


@pytest.fixture(scope="module")
def network() -> Iterator[Network]:
    with Network(seed=7) as made:
        yield made


@pytest.mark.parametrize("name", sorted(HOSTS))
def test_a_portal_of_a_known_platform_is_one_command(hub: Hub, network: Network, name: str) -> None:
    adapter, path = HOSTS[name]
    host = next(h for h in network._hosts.values() if h.name == name)
    before = Counter(seen.replica for seen in network.requests)[name]
    said = hub("sources", "new", "portal", "--url", host.url + path, "--country", "KE")
    assert said.code == 0, said.err
    declared = tomllib.loads((hub.sources / "portal.toml").read_text("utf-8"))
    assert declared["adapter"] == adapter, said.err
    assert declared["title"]
    assert "Next: chm-hub harvest portal --dry-run" in said.err
    assert "[options]" not in said.out or declared["options"]
    # A preview of what would come, as records.
    assert said.err.count("\n    ") >= 1, said.err
    asked = Counter(seen.replica for seen in network.requests)[name] - before
    assert asked < 60
    again = hub("sources", "new", "portal", "--url", host.url)
    assert (again.code, "is there already" in again.err) == (2, True)
    run = hub("harvest", "portal", "--max", "20", "--json").lines[0]
    assert run["new"] > 0, run


@pytest.mark.parametrize(
    ("path", "adapter"),
    [("/oai", "oai_pmh"), ("/oai-days?verb=Identify", "oai_pmh"), ("/feeds/rss.xml", "feed"),
     ("/feeds/events.rdf", "feed")],
)  # fmt: skip
def test_an_address_that_says_what_it_is(
    hub: Hub, network: Network, path: str, adapter: str
) -> None:
    said = hub("sources", "new", "s", "--url", network.url + path)
    assert said.code == 0, said.err
    declared = tomllib.loads((hub.sources / "s.toml").read_text("utf-8"))
    assert declared["adapter"] == adapter
    assert "?" not in declared["url"]


def test_what_nobody_knows_is_said_with_what_to_do(hub: Hub, network: Network) -> None:
    said = hub("sources", "new", "s", "--url", f"{network.url}/nowhere")
    assert said.code == 2
    assert "--adapter" in said.err
    assert not (hub.sources / "s.toml").exists()
    said = hub("sources", "new", "s", "--url", network.url, "--adapter", "cbd_website")
    assert said.code == 2
    assert "options.what: is missing" in said.err
    assert not (hub.sources / "s.toml").exists()


def test_a_host_is_asked_five_questions_at_most(hub: Hub, network: Network) -> None:
    host = next(h for h in network._hosts.values() if h.name == "static-jp")
    before = len(network.requests)
    said = hub("sources", "new", "s", "--url", host.url)
    assert (said.code, "--adapter" in said.err) == (2, True), said.err
    asked = [seen.target for seen in network.requests[before:] if seen.replica == host.name]
    assert "/robots.txt" in asked
    assert 1 < len(asked) - 1 <= 5, asked


@pytest.mark.parametrize(
    ("pasted", "kept"),
    [("/index.php?page=oai&verb=Identify", "page=oai"), ("/?q=oai2", "q=oai2"),
     ("/csw?mode=oaipmh&verb=ListRecords&metadataPrefix=oai_dc", "mode=oaipmh")],
)  # fmt: skip
def test_an_oai_address_with_a_query_of_its_own_is_kept_and_used(
    hub: Hub, pasted: str, kept: str
) -> None:
    name, value = kept.split("=")

    def answer(q: Question) -> str | Answer:
        if q[name] != value:
            return Answer("<html><title>Welcome</title></html>", kind="text/html")
        if q["verb"] == "Identify":
            return identify()
        if q["verb"] == "ListRecords" and not q["resumptionToken"]:
            return listing(record("a", "A"), token="2")
        return listing(record("b", "B")) if q["verb"] == "ListRecords" else listing()

    with Scripted(answer) as server:
        said = hub("sources", "new", "s", "--url", server.url + pasted)
        assert said.code == 0, said.err
        declared = tomllib.loads((hub.sources / "s.toml").read_text("utf-8"))
        assert (declared["adapter"], declared["url"].partition("?")[2]) == ("oai_pmh", kept)
        assert hub("harvest", "s", "--json").lines[0]["new"] == 2
