"""The pages: what they say, the headers they carry, what they never let through."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from chm_hub import web
from chm_hub.settings import Settings
from mappings.formats import FORMATS
from store import Store
from tests.oai.filling import fill, put, record


def test_an_empty_hub_says_what_to_do(store: Store, settings: Settings) -> None:
    page = web.create_app(settings, store).test_client().get("/").text
    assert "There are no records yet" in page
    assert "chm-hub harvest --all" in page


def test_the_start_page_says_what_the_hub_holds(store: Store, settings: Settings) -> None:
    fill(store)
    hostile = replace(settings, repository_name='<script>alert("x")</script>')
    client = web.create_app(hostile, store).test_client()
    page = client.get("/").text
    assert "<strong>245</strong> records" in page
    assert "5 more were withdrawn" in page
    for words in ("Kenya", "NBSAP", "country:KE", "http://hub.test/oai"):
        assert words in page
    assert "<script" not in page


def test_the_page_of_sources_says_how_they_are(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    soon = date.today() + timedelta(days=9)
    for name, more in {
        "kenya": f"tls_exception_until = {soon}\n",
        "fresh": "",
        "hidden": "republish = false\n",
        "off": 'enabled = false\nreason = "gone"\n',
    }.items():
        text = f'title = "<b>{name}</b>"\nadapter = "oai_pmh"\nurl = "https://x.example"\n{more}'
        (tmp_path / f"{name}.toml").write_text(text)
    now = datetime.now(UTC)
    run = {
        "run": "kenya/2", "state": "failed", "ended": now, "kind": "harvest", "counts": {},
        "error": "http_403", "reason": "https://x.example/secret-place: HTTP 403",
    }  # fmt: skip
    store.watch.keep("kenya", {"runs": [run], "scores": [], "states": {"failed": 1}})
    settings = replace(settings, sources=(tmp_path,))
    page = web.create_app(settings, store).test_client().get("/sources").text
    assert "&lt;b&gt;kenya&lt;/b&gt;" in page
    assert page.index("kenya") < page.index("fresh"), "the worst first"
    assert "hidden" not in page
    assert "&lt;b&gt;off" not in page
    for word in ("failed", "no success", "unsafe", "never"):
        assert word in page
    assert "secret-place" not in page


BROWSER = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Chrome/130.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
}


def test_every_answer_carries_the_headers(store: Store, settings: Settings) -> None:
    client = web.create_app(settings, store).test_client()
    paths = (
        "/",
        "/oai?verb=Identify",
        "/oai",
        "/health",
        "/sources",
        "/metrics",
        "/schemas/chm.xsd",
        "/static/hub.css",
        "/nowhere",
    )
    for path in paths:
        answer = client.get(path, headers=BROWSER)
        assert answer.headers["X-Content-Type-Options"] == "nosniff", path
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"], path
        assert answer.headers["Referrer-Policy"] == "no-referrer", path
        answer.close()
    assert "Harvest us" in client.get("/oai", headers=BROWSER).text
    assert b"badVerb" in client.get("/oai").data
    scrapy = {"User-Agent": "Harvester/1.0", "Accept": BROWSER["Accept"]}
    assert b"badVerb" in client.get("/oai", headers=scrapy).data, "a program gets XML"


def test_a_text_about_markup_is_a_text_on_every_page(store: Store, settings: Settings) -> None:
    # A plain text may name elements; nothing that shows it may take it for markup.
    said = 'Use of <script>alert(1)</script> and <img src=x onerror="y"> in portals'
    made = record(
        1, title=[{"value": said, "lang": "en"}], description=[{"value": said}],
        creator=[{"name": said}], subject=[{"label": said}],
    )  # fmt: skip
    put(store, [made])
    client = web.create_app(settings, store).test_client()
    name = f"oai:{settings.repository_id}:{made.identifier}"
    for prefix in FORMATS:
        for verb in (f"GetRecord&identifier={name}", "ListRecords"):
            page = client.get(f"/oai?verb={verb}&metadataPrefix={prefix}", headers=BROWSER)
            assert page.mimetype == "text/html"
            assert "<script>" not in page.text, prefix
            assert "<img" not in page.text, prefix
            assert "Use of &lt;script&gt;alert(1)" in page.text, prefix
