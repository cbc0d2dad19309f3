"""Constructed and recorded answers of portals and keyed partners, replayed through the adapters."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples"
NATIONAL, OTHER = SAMPLES / "national", SAMPLES / "partners" / "other"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO RECORDED ANSWERS: {SAMPLES} is absent, nothing was replayed"
)
MISSING = Answer(b"not found", "text/plain", 404)


def declare(hub: Hub, adapter: str, url: str, keys: str = "", options: str = "") -> None:
    text = f'title = "S"\nadapter = "{adapter}"\nurl = "{url}"\n{keys}\n[options]\n{options}\n'
    hub.source("s", text)


def held(hub: Hub) -> dict[str, Any]:
    return {r["source_identifier"]: r for r in hub.records("--source", "s").values()}


def test_naayas_channels_atom_objects_and_sitemap(hub: Hub) -> None:
    """Links in the samples lead to a host of their own: they are rewritten to ours."""
    folder = NATIONAL / "ptk"

    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}".encode()

        def file(name: str) -> Answer:
            body = (folder / name).read_bytes().replace(b"http://chm-zz.example", base)
            return Answer(body, "text/xml; charset=utf-8")

        match request.path:
            case "/portal_syndication/latestnews_rdf":
                return file("ptk_latestnews_rdf.constructed.xml")
            case "/portal_syndication/upcomingevents_rdf":
                return file("ptk_upcomingevents_rdf.constructed.xml")
            case "/portal_syndication/lateststories_rdf":
                return file("ptk_channel_atom.constructed.xml")
            case "/sitemap_xml":
                return file("ptk_sitemap.constructed.xml")
            case "/implementation/documents/nbsap":
                return file("ptk_item_rdf.constructed.xml")
        return MISSING

    with serving(respond) as url:
        declare(hub, "ptk", url, 'country = "BJ"')
        made = run_of(hub, "s")
    assert made["state"] == "complete", made
    records = held(hub)
    assert {name: r["type"] for name, r in records.items()} == {
        "/news/news000001": "news",
        "/news/news000002": "news",
        "/events/event000001": "event",
        "/implementation/documents/nbsap": "resource",
    }
    event = records["/events/event000001"]
    assert event["temporal"] == {"start": "2014-05-22", "end": "2014-05-22"}
    plan = records["/implementation/documents/nbsap"]
    assert (plan["modified"], plan["issued"]) == ("2014-02-03", "2014-01-31")
    assert [t["lang"] for t in plan["title"]] == ["fr"]
    assert "editor" not in str(records)


def test_a_static_page_in_a_legacy_encoding(hub: Hub) -> None:
    body = (NATIONAL / "other" / "static_page.constructed.html").read_bytes()

    def respond(request: Request) -> Answer:
        if request.path == "/":
            return Answer(b'<html><a href="Bos/index_bos.htm">B</a></html>', "text/html")
        return Answer(body, "text/html") if request.path == "/Bos/index_bos.htm" else MISSING

    with serving(respond) as url:
        options = 'select = { title = "p b", description = "p" }\ntypes = { "/Bos/" = "news" }'
        declare(hub, "html", url, 'country = "BA"\nlanguages = ["bs"]', options)
        made = run_of(hub, "s")
    assert made["new"] == 1, made
    (record,) = held(hub).values()
    assert record["type"] == "news"
    assert record["title"] == [{"value": "Nagrada za CHM", "lang": "bs"}]
    (file,) = record["distribution"]
    assert file["media_type"] == "application/pdf"
    assert "Objavljeno: 13.12.2016" in record["description"][0]["value"]


def test_a_sitemap_with_languages(hub: Hub) -> None:
    body = (NATIONAL / "drupal" / "drupal_sitemap_hreflang.constructed.xml").read_bytes()

    def respond(request: Request) -> Answer:
        if request.path == "/sitemap.xml":
            base = f"http://127.0.0.1:{request.port}".encode()
            return Answer(body.replace(b"https://biodiv-zz.example", base), "text/xml")
        pages = {"/en/protected-areas": ("en", "Areas"), "/fr/aires-protegees": ("fr", "Aires")}
        if request.path not in pages:
            return MISSING
        lang, title = pages[request.path]
        return Answer(f'<html lang="{lang}"><h1>{title}</h1></html>'.encode(), "text/html")

    with serving(respond) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml", 'languages = ["en", "fr"]')
        made = run_of(hub, "s")
    assert made["state"] == "complete", made
    (record,) = held(hub).values()
    assert {(t["value"], t["lang"]) for t in record["title"]} == {("Areas", "en"), ("Aires", "fr")}


def test_a_page_of_bioland_read_as_a_page(hub: Hub) -> None:
    """Where a site's JSON:API is closed, its sitemap and pages still tell."""
    folder = NATIONAL / "bioland"
    path = "/en/news/national-workshop-ecosystem-restoration"

    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}".encode()

        def here(name: str) -> bytes:
            return (folder / name).read_bytes().replace(b"https://zz.chm.example", base)

        match request.path:
            case "/sitemap.xml":
                body = here("bl2_head_sitemap_en.constructed.xml")
                return Answer(body.replace(b"/en</loc>", f"{path}</loc>".encode()), "text/xml")
            case p if p == path:
                return Answer(here("bl2_page.constructed.html"), "text/html")
        return MISSING

    with serving(respond) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml", 'languages = ["en"]')
        made = run_of(hub, "s")
    assert made["state"] == "complete", made
    (record,) = held(hub).values()
    assert record["title"] == [
        {"value": "National workshop on ecosystem restoration", "lang": "en"}
    ]
    assert record["issued"] == "2024-05-24"
    assert record["modified"].startswith("2024-05-27")
    assert record["type"] == "news"


def test_a_wordpress_sitemap_of_sitemaps(hub: Hub) -> None:
    index = (NATIONAL / "wordpress" / "wp_sitemap_index.constructed.xml").read_bytes()

    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}"
        if request.path == "/wp-sitemap.xml":
            return Answer(index.replace(b"https://chm-zz-wp.example", base.encode()), "text/xml")
        if request.path.startswith("/wp-sitemap-posts-"):
            kind = request.path.split("-")[3]
            body = (
                '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
                f"<url><loc>{base}/{kind}/1</loc></url></urlset>"
            )
            return Answer(body.encode(), "text/xml")
        if request.path in ("/post/1", "/page/1"):
            return Answer(f"<html><h1>{request.path}</h1></html>".encode(), "text/html")
        return MISSING

    with serving(respond) as url:
        declare(hub, "sitemap", f"{url}/wp-sitemap.xml", 'languages = ["en"]')
        made = run_of(hub, "s")
    assert made["state"] == "complete", made
    assert {r["title"][0]["value"] for r in held(hub).values()} == {"/post/1", "/page/1"}


@pytest.mark.parametrize(
    "name", ["wordpress/wp_feed.constructed.xml", "other/joomla_feed.constructed.xml"]
)
def test_a_portals_feed(hub: Hub, name: str) -> None:
    body = (NATIONAL / name).read_bytes()
    with serving(lambda request: Answer(body, "application/rss+xml")) as url:
        declare(hub, "feed", f"{url}/feed", 'country = "HN"\nlanguages = ["es"]')
        made = run_of(hub, "s")
    assert made["state"].startswith("complete"), made
    for record in held(hub).values():
        assert record["type"] == "news"
        assert record["url"].startswith("http")
        assert record["title"][0]["value"]


def test_taxa_as_species_plus_gave_them(hub: Hub) -> None:
    hub.environ["TOKEN"] = "canary"
    folder = OTHER / "cites-speciesplus"
    taxa = {
        taxon["id"]: taxon
        for name in sorted(folder.glob("spp_taxonconcept_*.json"))
        for taxon in json.loads(name.read_bytes())["taxon_concepts"]
    }
    whole = {"pagination": {"total_entries": len(taxa)}, "taxon_concepts": list(taxa.values())}
    body = json.dumps(whole).encode()
    with serving(lambda request: Answer(body, "application/json")) as url:
        declare(hub, "speciesplus", url, 'secret = "env:TOKEN"\nrepublish = false')
        made = run_of(hub, "s", "--full")
    assert made["state"].startswith("complete"), made
    accepted = [taxon for taxon in taxa.values() if taxon["name_status"] == "A"]
    assert made["seen"] - made["skipped"] >= len(accepted)
    for record in held(hub).values():
        assert record["type"] == "organism"
        assert record["title"][0]["lang"] == "la"
    assert "canary" not in str(hub("runs", "s", "--json").out)


def test_a_service_that_wants_a_key_says_which(hub: Hub) -> None:
    declare(hub, "speciesplus", "http://127.0.0.1:9/", 'secret = "env:NO_SUCH_TOKEN"')
    made = run_of(hub, "s")
    assert (made["state"], made["error"]) == ("failed", "secret")
    assert "NO_SUCH_TOKEN" in made["reason"]


def test_protected_areas(hub: Hub) -> None:
    hub.environ["TOKEN"] = "canary"
    body = (OTHER / "protectedplanet-v4-list.constructed.json").read_bytes()
    seen = []

    def respond(request: Request) -> Answer:
        seen.append(request.query)
        return Answer(body, "application/json")

    with serving(respond) as url:
        options = 'what = "protected_areas"'
        declare(hub, "protectedplanet", url, 'secret = "env:TOKEN"', options)
        made = run_of(hub, "s")
    assert made["state"] == "complete", made
    assert "token=canary" in seen[0]
    (record,) = held(hub).values()
    assert (record["type"], record["spatial"]) == ("protectedArea", ["CR"])
    assert {t["value"] for t in record["title"]} == {
        "Example National Park",
        "Parque Nacional Ejemplo",
    }
    assert "canary" not in hub("runs", "s", "--json").out
    assert "canary" not in hub("explain", record["identifier"], "--json").out


def test_laws_as_faolex_feeds_them(hub: Hub) -> None:
    body = (OTHER / "faolex" / "fao_feed.first20.excerpt.xml").read_bytes()
    whole = body if b"</gsafeed>" in body else body + b"</group></gsafeed>"
    with serving(lambda request: Answer(whole, "text/xml")) as url:
        declare(hub, "faolex", f"{url}/feed.xml")
        made = run_of(hub, "s")
    assert made["state"] == "complete", made
    assert made["new"] == 20
    records = held(hub)
    for record in records.values():
        assert record["type"] == "law"
        assert record["source_identifier"].startswith("LEX-FAOC")
        assert record["spatial"], record
        assert record["title"][0]["lang"], record
    colombia = records["LEX-FAOC086193"]
    assert (colombia["spatial"], colombia["language"]) == (["CO"], ["es"])
