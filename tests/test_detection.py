"""What an address is: told from answers that a test writes, with no server and no store."""

from __future__ import annotations

import asyncio
import json
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.detect import PROBES, Found, detect
from adapters.detection import sites
from adapters.detection.repositories import base_of, set_of, software
from chm_hub.document import Payload
from chm_hub.errors import FetchError, SourceError
from chm_hub.fetch import Request
from tests.scripted import NAMESPACE, envelope, identify, listing, record

HOST = "https://repo.example.org"
BAD_VERB = envelope('<error code="badVerb">Illegal verb</error>')


@dataclass
class World:
    """Answers by address; anything else is not found. Those of OAI-PMH are given at ``oai``, and
    only to questions that hold all of its arguments."""

    pages: dict[str, str | bytes] = field(default_factory=dict)
    oai: str = ""
    kinds: dict[str, str] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    async def fetch(self, request: Request) -> Payload:
        self.asked.append(request.url)
        body = self.pages.get(request.url)
        if body is None and self.oai and self._is_oai(request.url):
            verb = dict(parse_qsl(urlsplit(request.url).query)).get("verb")
            body = {"Identify": identify(), "ListRecords": listing(record("a", "A"))}.get(
                verb or "", BAD_VERB
            )
        if body is None and urlsplit(request.url).path == "/robots.txt":
            body = ""
        if body is None:
            raise FetchError("no", reason="http_404", status=404)
        raw = body.encode() if isinstance(body, str) else body
        headers = {"Content-Type": self.kinds.get(request.url, "text/plain")}
        return Payload(
            url=request.url, status=200, headers=headers, body=raw, fetched=datetime.now(UTC)
        )

    def _is_oai(self, url: str) -> bool:
        before, _, query = self.oai.partition("?")
        wanted, asked = set(parse_qsl(query)), set(parse_qsl(urlsplit(url).query))
        return url.partition("?")[0] == before and wanted <= asked

    def look(self, url: str, wanted: str | None = None) -> Found:
        return asyncio.run(detect(self.fetch, url, wanted))


def html(body: str = "", head: str = "", lang: str = "en") -> str:
    return (
        f"<!DOCTYPE html><html lang={lang}><head><title>T</title>{head}</head>"
        f"<body>{body}</body></html>"
    )


def generator(name: str) -> str:
    return f'<meta name="Generator" content="{name}">'


# --- OAI-PMH addresses ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pasted", "base"),
    [
        ("/oai?verb=Identify", "/oai"),
        ("/csw?mode=oaipmh", "/csw?mode=oaipmh"),
        ("/csw?mode=oaipmh&verb=Identify", "/csw?mode=oaipmh"),
        ("/?verb=ListRecords&metadataPrefix=oai_dc&mode=oaipmh&from=2020-01-01", "/?mode=oaipmh"),
        ("/?q=oai2", "/?q=oai2"),
        ("/index.php?page=oai&verb=Identify#x", "/index.php?page=oai"),
        ("/oai.php?key=a%2Bb&resumptionToken=z", "/oai.php?key=a%2Bb"),
        ("/;oai?verb=Identify", "/;oai"),
        ("/oai?Verb=identify", "/oai"),
    ],
)
def test_what_is_no_argument_of_oai_pmh_stays_in_the_address(pasted: str, base: str) -> None:
    assert base_of(HOST + pasted) == HOST + base
    found = World(oai=HOST + base).look(HOST + pasted)
    assert (found.adapter, found.url, found.title) == ("oai_pmh", HOST + base, "R")


def test_the_set_of_a_pasted_question_is_kept() -> None:
    url = f"{HOST}/oai?verb=ListRecords&metadataPrefix=oai_dc&set=com_1"
    found = World(oai=f"{HOST}/oai").look(url)
    assert (found.url, found.options["set"]) == (f"{HOST}/oai", "com_1")
    assert set_of(f"{HOST}/csw?set=of-the-server") is None


# --- home pages of repositories ------------------------------------------------------------

HOMES = {
    "dspace-6": ("/xmlui", generator("DSpace 6.3"), "", "/oai/request"),
    "dspace-7": ("/home", generator("DSpace 7.6.1"), "<ds-app></ds-app>", "/server/oai/request"),
    "dspace-7-no-name": ("/", "", "<ds-app></ds-app>", "/server/oai/request"),
    "dspace-in-a-folder": ("/jspui/", generator("DSpace 5.8"), "", "/jspui/oai/request"),
    "eprints": ("/", generator("EPrints 3.4.3"), "", "/cgi/oai2"),
    "ojs-journal": (
        "/index.php/kjb/index", generator("Open Journal Systems 3.3.0.13"), "",
        "/index.php/kjb/oai",
    ),
    "ojs-one-journal": (
        "/ojs/", generator("Open Journal Systems 3.2"),
        '<a href="/ojs/index.php/kjb/about">About</a><a href="/ojs/index.php/index/login">x</a>',
        "/ojs/index.php/kjb/oai",
    ),
    "ojs-several": (
        "/", generator("Open Journal Systems 3.4"),
        '<a href="/index.php/a">A</a><a href="/index.php/b">B</a>', "/index.php/index/oai",
    ),
    "ojs-pretty": ("/kjb/", generator("Open Journal Systems 3.4"), "", "/kjb/oai"),
    "ojs-unnamed": ("/", "", '<body class="pkp_structure_page">', "/oai"),
    "omp": ("/index.php/press", generator("Open Monograph Press 3.3"), "", "/index.php/press/oai"),
    "invenio": ("/", generator("InvenioRDM"), "", "/oai2d"),
    "invenio-unnamed": ("/", "", "<footer>Powered by InvenioRDM</footer>", "/oai2d"),
    "dataverse": ("/dataverse/root", "", '<form action="/dataverse.xhtml">', "/oai"),
    "omeka": ("/", generator("Omeka 3.1"), "", "/oai-pmh-repository/request"),
    "islandora": ("/", generator("Drupal 10"), '<div class="islandora">', "/oai/request"),
    "atom": ("/", "", '<a href="https://www.accesstomemory.org">', "/;oai"),
    "koha": ("/", generator("Koha 22.11"), "", "/cgi-bin/koha/oai.pl"),
    "pycsw": ("/csw", generator("pycsw 3"), "", "/csw?mode=oaipmh"),
    "linked": ("/about.html", "", '<a href="data/provider?verb=Identify">OAI</a>',
               "/data/provider"),
    "linked-with-query": ("/", "", '<a href="/?q=oai2&amp;verb=ListSets">sets</a>', "/?q=oai2"),
    "a-hub": (
        "/", "", '<a href="/oai?verb=Identify">Identify</a><a href="/oai?verb=ListSets">x</a>',
        "/oai",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HOMES))
def test_the_home_page_of_a_repository_leads_to_its_oai_pmh(name: str) -> None:
    path, head, body, oai = HOMES[name]
    world = World({HOST + path: html(body, head)}, oai=HOST + oai)
    found = world.look(HOST + path)
    assert (found.adapter, found.url) == ("oai_pmh", HOST + oai)
    # The two more are those to the repository about itself.
    asked = [url for url in world.asked if not url.endswith("/robots.txt")]
    assert len(asked) <= PROBES + 2


def test_all_software_of_repositories_has_marks_and_paths() -> None:
    assert len({one.name for one in software()}) > 12
    for one in software():
        assert one.paths
        assert one.marks or one.signs


def test_a_link_to_another_repository_is_not_this_site() -> None:
    body = '<a href="https://other.example.com/oai?verb=Identify">we are harvested by</a>'
    world = World({f"{HOST}/": html(body)}, oai="https://other.example.com/oai")
    with pytest.raises(SourceError):
        world.look(f"{HOST}/")
    assert not any("other.example.com" in url for url in world.asked)


def test_a_page_that_only_speaks_of_a_software_is_what_made_it() -> None:
    world = World(
        {
            f"{HOST}/": html("We moved from DSpace software to this.", generator("WordPress 6.4")),
            f"{HOST}/wp-json/": json.dumps({"name": "W", "namespaces": [], "routes": {}}),
        }
    )
    assert world.look(f"{HOST}/").adapter == "wordpress"


# --- catalogues ----------------------------------------------------------------------------

TURTLE = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
<http://x.example/c> a dcat:Catalog ; dct:title "Données"@fr , "Open data"@en ;
  dcat:dataset <http://x.example/1> .
<http://x.example/1> a dcat:Dataset ; dct:title "One" ."""
RDF_XML = """<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">
 <dcat:Catalog rdf:about="http://x.example/c"><dct:title>Open data</dct:title></dcat:Catalog>
 <dcat:Dataset rdf:about="http://x.example/1"><dct:title>One</dct:title></dcat:Dataset></rdf:RDF>"""
JSON_LD = json.dumps(
    {
        "@context": {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"},
        "@graph": [
            {"@id": "http://x.example/c", "@type": "dcat:Catalog", "dct:title": "Open data"},
            {"@id": "http://x.example/1", "@type": "dcat:Dataset", "dct:title": "One"},
        ],
    }
)
N_TRIPLES = (
    "<http://x.example/1> <http://www.w3.org/1999/02/22-rdf-syntax-ns#type> "
    "<http://www.w3.org/ns/dcat#Dataset> .\n"
)


@pytest.mark.parametrize(
    ("body", "kind", "title"),
    [
        (TURTLE, "text/turtle", "Open data"),
        (TURTLE, "text/plain", "Open data"),
        (RDF_XML, "application/rdf+xml", "Open data"),
        (RDF_XML, "text/xml", "Open data"),
        (JSON_LD, "application/ld+json", "Open data"),
        (JSON_LD, "application/json", "Open data"),
        (N_TRIPLES, "application/n-triples", "repo.example.org"),
    ],
)
def test_a_dcat_catalogue_is_known_in_each_of_its_syntaxes(
    body: str, kind: str, title: str
) -> None:
    url = f"{HOST}/catalog"
    found = World({url: body}, kinds={url: kind}).look(url)
    assert (found.adapter, found.url, found.title) == ("dcat", url, title)


@pytest.mark.parametrize(
    "head",
    [
        '<link rel="alternate" type="text/turtle" href="cat.ttl">',
        '<link rel="describedby" type="application/ld+json" href="/data/cat.ttl">',
        generator("GBIF Integrated Publishing Toolkit"),
    ],
)
def test_a_page_leads_to_its_catalogue(head: str) -> None:
    pages = {f"{HOST}/data/": html("", head)}
    for path in ("/data/cat.ttl", "/data/dcat"):
        pages[HOST + path] = TURTLE
    found = World(pages, kinds={f"{HOST}/data/cat.ttl": "text/turtle"}).look(f"{HOST}/data/")
    if "ToolKit".lower() in head.lower():
        assert found.url == f"{HOST}/data/dcat"
    assert (found.adapter, found.title) == ("dcat", "Open data")


def test_a_feed_in_rdf_stays_a_feed() -> None:
    body = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/"><channel rdf:about="x"><title>News</title></channel>'
        '<item rdf:about="http://x.example/1"><title>The vocabulary http://www.w3.org/ns/dcat#'
        "</title><link>http://x.example/1</link></item></rdf:RDF>"
    )
    assert World({f"{HOST}/rss": body}).look(f"{HOST}/rss").adapter == "feed"


# --- GBIF, InforMEA, OBIS ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("url", "path", "options"),
    [
        ("https://www.gbif.org", "/v1/dataset", {"kind": "dataset"}),
        (
            "https://www.gbif.org/dataset/search?publishing_country=KE&type=CHECKLIST",
            "/v1/dataset/search",
            {"kind": "dataset", "parameters": {"publishingCountry": "KE", "type": "CHECKLIST"}},
        ),
        (
            "https://www.gbif.org/country/ke/publishing",
            "/v1/dataset/search",
            {"kind": "dataset", "parameters": {"publishingCountry": "KE"}},
        ),
        (
            "https://www.gbif.org/publisher/4bf79a01-65a9-4db6-b37b-18434f26ddfc",
            "/v1/dataset/search",
            {
                "kind": "dataset",
                "parameters": {"publishingOrg": "4bf79a01-65a9-4db6-b37b-18434f26ddfc"},
            },
        ),
        ("https://api.gbif.org/v1/node", "/v1/node", {"kind": "node"}),
        (
            "https://www.gbif.org/resource/search?contentType=literature",
            "/v1/literature/search",
            {"kind": "literature"},
        ),
    ],
)
def test_addresses_of_gbif(url: str, path: str, options: dict[str, Any]) -> None:
    world = World()
    found = world.look(url)
    assert (found.adapter, found.url) == ("gbif", f"https://api.gbif.org{path}")
    assert (found.options, world.asked) == (options, [])


def test_gbifs_repository_is_a_repository() -> None:
    url = "https://api.gbif.org/v1/oai-pmh/registry"
    assert World(oai=url).look(f"{url}?verb=Identify").adapter == "oai_pmh"


@pytest.mark.parametrize("kind", ["dataset", "organization", "node"])
def test_a_registry_of_gbifs_kind_under_another_name(kind: str) -> None:
    url = f"{HOST}/v1/{kind}?country=KE"
    answer = {"offset": 0, "limit": 20, "endOfRecords": True, "count": 0, "results": []}
    found = World({url: json.dumps(answer)}).look(url)
    assert (found.adapter, found.url) == ("gbif", f"{HOST}/v1/{kind}")
    assert found.options == {"kind": kind, "parameters": {"country": "KE"}}


@pytest.mark.parametrize(
    ("url", "adapter", "options"),
    [
        ("https://www.informea.org", "informea", {"entity": "Decisions"}),
        ("https://www.informea.org/en/treaties", "informea", {"entity": "Treaties"}),
        ("https://informea.org/en/legislation", "informea_web", {"kind": "legislation"}),
        ("https://www.informea.org/en/court-decisions", "informea_web",
         {"kind": "court-decisions"}),
    ],
)  # fmt: skip
def test_addresses_of_informea(url: str, adapter: str, options: dict[str, Any]) -> None:
    found = World().look(url)
    assert (found.adapter, found.options) == (adapter, options)
    # Its terms do not allow that its records are published.
    assert found.keys["republish"] is False


ATOM_SERVICE = (
    '<service xmlns="http://www.w3.org/2007/app"><workspace><collection href="Meetings"/>'
    '<collection href="Treaties"/><collection href="Contacts"/></workspace></service>'
)


@pytest.mark.parametrize(
    ("path", "body", "entity"),
    [
        ("/informea.svc/", ATOM_SERVICE, "Meetings"),
        ("/informea.svc", json.dumps({"d": {"EntitySets": ["Treaties", "Meetings"]}}), "Meetings"),
        (
            "/informea.svc/",
            json.dumps({"value": [{"name": "Sites", "kind": "EntitySet", "url": "Sites"}]}),
            "Sites",
        ),
        ("/informea.svc/Documents?$top=5", json.dumps({"d": {"results": []}}), "Documents"),
    ],
)
def test_a_service_with_informeas_entity_sets(path: str, body: str, entity: str) -> None:
    found = World({HOST + path: body}).look(HOST + path)
    assert (found.adapter, found.url) == ("informea", f"{HOST}/informea.svc")
    assert found.options == {"entity": entity}


# --- feeds ---------------------------------------------------------------------------------


def rss(*links: str, made_by: str = "") -> str:
    items = "".join(f"<item><title>T</title><link>{link}</link></item>" for link in links)
    told = f"<generator>{made_by}</generator>" if made_by else ""
    return f'<rss version="2.0"><channel><title>F</title>{told}{items}</channel></rss>'


FEED = '<link rel="alternate" type="application/rss+xml" href="/feed">'
SITEMAP = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><url>'
    f"<loc>{HOST}/one</loc></url></urlset>"
)


def test_an_empty_feed_is_not_taken_where_there_is_a_sitemap() -> None:
    pages: dict[str, str | bytes] = {
        f"{HOST}/": html("", FEED),
        f"{HOST}/feed": rss(),
        f"{HOST}/sitemap.xml": SITEMAP,
    }
    for address in (f"{HOST}/", f"{HOST}/feed"):
        found = World(dict(pages)).look(address)
        assert (found.adapter, found.url) == ("sitemap", f"{HOST}/sitemap.xml")
    pages[f"{HOST}/feed"] = rss(f"{HOST}/one")
    assert World(dict(pages)).look(f"{HOST}/").adapter == "feed"


def test_an_empty_feed_is_taken_where_there_is_nothing_else() -> None:
    atom = '<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title></feed>'
    for body in (rss(), atom):
        found = World({f"{HOST}/": html("", FEED), f"{HOST}/feed": body}).look(f"{HOST}/feed")
        assert (found.adapter, found.url) == ("feed", f"{HOST}/feed")
        assert "nothing in it" in found.said


def test_an_empty_feed_beside_an_api_gives_way_to_it() -> None:
    head = FEED + generator("Drupal 7")
    world = World(
        {
            f"{HOST}/": html("", head),
            f"{HOST}/feed": rss(),
            f"{HOST}/wp-json/": json.dumps({"name": "W", "namespaces": [], "routes": {}}),
        }
    )
    assert world.look(f"{HOST}/").adapter == "wordpress"


# --- wikis ---------------------------------------------------------------------------------

WIKIS = {
    "mediawiki": (
        "/wiki/Main_Page",
        generator("MediaWiki 1.39.4") + '<link rel="alternate" type="application/atom+xml" '
        'href="/w/index.php?title=Special:RecentChanges&amp;feed=atom">'
        '<link rel="stylesheet" href="/w/load.php?lang=en">',
        f"{HOST}/w/index.php?title=Special:AllPages&hideredirects=1",
    ),
    "dokuwiki": (
        "/doku.php",
        generator("DokuWiki") + '<link rel="alternate" type="application/rss+xml" '
        'href="/feed.php"><link rel="start" href="/">',
        f"{HOST}/doku.php?do=index",
    ),
    "moinmoin": ("/FrontPage", generator("MoinMoin 1.9"), f"{HOST}/TitleIndex"),
}


@pytest.mark.parametrize("name", sorted(WIKIS))
def test_a_wikis_pages_are_taken_and_not_its_changes(name: str) -> None:
    path, head, start = WIKIS[name]
    pages: dict[str, str | bytes] = {HOST + path: html("", head)}
    found = World(dict(pages)).look(HOST + path)
    assert (found.adapter, found.url, found.options["start"]) == ("html", HOST + path, [start])
    if "alternate" in head:
        assert "a feed of changes tells" in found.said
    pages[f"{HOST}/sitemap.xml"] = SITEMAP
    assert World(pages).look(HOST + path).adapter == "sitemap"


@pytest.mark.parametrize(
    ("address", "body"),
    [
        ("/w/index.php?title=Special:RecentChanges&feed=rss", rss(f"{HOST}/a")),
        ("/feed.php", rss(f"{HOST}/doku.php?id=a&rev=17")),
        ("/feed", rss(f"{HOST}/a", made_by="MediaWiki 1.43.0")),
        ("/changes.xml", rss(f"{HOST}/w?title=A&diff=5&oldid=4", f"{HOST}/w?title=B&diff=7")),
        ("/FrontPage?action=rss_rc", rss(f"{HOST}/a")),
    ],
)
def test_a_feed_of_changes_is_refused_with_the_reason_and_its_site_is_looked_at(
    address: str, body: str
) -> None:
    pages: dict[str, str | bytes] = {HOST + address: body}
    with pytest.raises(SourceError, match="a feed of changes tells which pages were edited last"):
        World(dict(pages)).look(HOST + address)
    home = html("", generator("MediaWiki 1.43") + '<script src="/w/load.php"></script>')
    for folder in ("/", "/w/"):
        pages[HOST + folder] = home
    found = World(dict(pages)).look(HOST + address)
    assert (found.adapter, found.options["start"]) == (
        "html",
        [f"{HOST}/w/index.php?title=Special:AllPages&hideredirects=1"],
    )
    # A person who says that it is a feed has it.
    assert World(pages).look(HOST + address, "feed").url == HOST + address


def test_a_feed_of_news_that_links_to_versions_now_and_then_is_a_feed() -> None:
    url = f"{HOST}/feed"
    body = rss(f"{HOST}/a", f"{HOST}/b?rev=2")
    assert World({url: body}).look(url).adapter == "feed"


# --- catalogues of places and images -------------------------------------------------------

CSW = '<csw30:Capabilities xmlns:csw30="http://www.opengis.net/cat/csw/3.0"/>'


@pytest.mark.parametrize("query", ["", "?service=CSW&version=2.0.2&request=GetCapabilities"])
def test_a_catalogue_that_speaks_csw_is_taken_by_its_oai_pmh(query: str) -> None:
    url = f"{HOST}/csw{query}"
    found = World({url: CSW}, oai=f"{HOST}/csw?mode=oaipmh").look(url)
    assert (found.adapter, found.url) == ("oai_pmh", f"{HOST}/csw?mode=oaipmh")
    with pytest.raises(SourceError, match="speaks CSW, which the hub does not"):
        World({url: CSW}).look(url)


def test_an_ogc_api_is_asked_for_json_whatever_form_the_address_names() -> None:
    row = {"id": "notices", "itemType": "record", "title": "Notices"}
    pages = {
        f"{HOST}/items?f=html": html("pygeoapi", '<link rel="collection" href="/c">'),
        f"{HOST}/items?f=json": json.dumps(
            {"type": "FeatureCollection", "features": [], "links": [{"rel": "self", "href": "x"}]}
        ),
        f"{HOST}/?a=1&f=json": json.dumps({"collections": [row], "links": []}),
        f"{HOST}/?a=1": html("pygeoapi"),
    }
    for pasted, asked in (("/items?f=html", "/items?f=json"), ("/?a=1", "/?a=1&f=json")):
        found = World(dict(pages)).look(HOST + pasted)
        assert (found.adapter, found.url) == ("ogc_api", HOST + asked)
        assert found.options == {"what": "records"}


@pytest.mark.parametrize(
    ("rel", "kind", "what"),
    [
        ("child", "Catalog", "collections"),
        ("item", "Catalog", "items"),
        ("item", "Collection", "items"),
        ("data", "Collection", "collections"),
    ],
)
def test_a_static_stac_behind_a_list_of_files(rel: str, kind: str, what: str) -> None:
    root = {
        "stac_version": "1.1.0", "type": kind, "id": "lab", "title": "Lab",
        "links": [{"rel": rel, "href": "x.json"}],
    }  # fmt: skip
    pages = {
        f"{HOST}/stac/": html('<a href="catalog.json">catalog.json</a>'),
        f"{HOST}/stac/catalog.json": json.dumps(root),
    }
    found = World(dict(pages)).look(f"{HOST}/stac/")
    assert (found.adapter, found.url) == ("stac", f"{HOST}/stac/catalog.json")
    assert (found.title, found.options) == ("Lab", {"what": what})


def test_the_namespace_of_oai_pmh_is_what_makes_an_answer_one() -> None:
    assert NAMESPACE in identify()
    with pytest.raises(SourceError):
        World({f"{HOST}/x": "<OAI><Identify/></OAI>"}).look(f"{HOST}/x")


def test_the_pages_of_a_wiki_on_a_port_and_with_a_colon_are_not_avoided() -> None:
    [made] = [wiki for wiki in sites.wikis() if wiki.name == "MediaWiki"]

    def avoided(path: str) -> bool:
        return any(re.search(part, f"http://w.example:8080{path}") for part in made.avoid)

    for path in ("/index.php/Mangroves", "/index.php/Birds:_a_count", "/wiki/Caf%C3%A9_du_lac",
                 "/index.php?title=Special:AllPages&from=B",
                 "/wiki/Protected_areas/North"):  # fmt: skip
        assert not avoided(path), path
    for path in ("/index.php/Talk:Mangroves", "/wiki/User:Ann", "/wiki/Special:Log",
                 "/index.php?title=Category:Shore", "/index.php?title=Old&redirect=no",
                 "/wiki/Wiki_talk:Rules", "/index.php?title=A&action=edit"):  # fmt: skip
        assert avoided(path), path
