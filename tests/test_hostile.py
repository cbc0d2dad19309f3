"""Answers written to break whoever reads them: what is broken is set aside, its neighbours arrive,
and nothing is a fault of the hub (rules R4, R7, R15, promise P10)."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.running import Hub

OAI = (
    '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    "<responseDate>2026-01-01T00:00:00Z</responseDate><request>x</request>%s</OAI-PMH>"
)
IDENTIFY = OAI % (
    "<Identify><repositoryName>R</repositoryName><protocolVersion>2.0</protocolVersion>"
    "<deletedRecord>persistent</deletedRecord>"
    "<granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>"
)
JSON = "application/vnd.api+json"


def record(number: int, more: str = "", name: str = "", stamp: str = "2025-01-01") -> str:
    return (
        f"<record><header><identifier>{name or f'oai:x:{number}'}</identifier>"
        f"<datestamp>{stamp}</datestamp></header><metadata>"
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>T {number}</dc:title>{more}</oai_dc:dc></metadata></record>"
    )


def node(number: int, **more: Any) -> dict[str, Any]:
    attributes = {"title": f"T {number}", "langcode": "en", "status": True, **more}
    name = f"00000000-0000-0000-0000-{number:012}"
    return {"type": "node--chm", "id": name, "attributes": attributes}


def entry(number: int, more: str = "") -> str:
    link = f"<link>http://x.example/{number}</link>"
    return f"<item><title>T {number}</title>{link}<guid>g{number}</guid>{more}</item>"


def text(value: str) -> str:
    return f"<dc:description>{value}</dc:description>"


def around(odd: Any, make: Callable[[int], Any]) -> list[Any]:
    """The odd one among many good ones."""
    return [make(1), odd, *map(make, range(3, 12))]


def deep(count: int) -> str:
    return "<a>" * count + "x" + "</a>" * count


def marc(number: int, more: str = "") -> str:
    """A record that has one within it."""
    inner = f"<record xmlns='x'><leader>{number}</leader>{more}</record>"
    return record(number, f"<dc:subject>{inner}</dc:subject>")


ALL = {"new": 11, "quarantined": 0}
BUT_ONE = {"new": 10, "quarantined": 1}
RECORDS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "deep": (around(record(2, deep(3_000)), record), BUT_ONE),
    "very-deep": (around(record(2, deep(150_000)), record), BUT_ONE),
    "huge": (around(record(2, text("x" * 9_000_000)), record), BUT_ONE),
    "large": (
        [record(n, text(f"{n}" + "x" * 400_000)) for n in range(11)],
        ALL,
    ),
    "many-values": (
        around(record(2, "".join(f"<dc:subject>{n}</dc:subject>" for n in range(20_000))), record),
        ALL,
    ),
    "many-attributes": (
        around(
            record(2, "<dc:subject " + " ".join(f"a{n}='b'" for n in range(9_000)) + "/>"), record
        ),
        ALL,
    ),
    "within": (
        [marc(1, "<open>"), *map(marc, range(2, 12))],
        {**ALL, "warnings": {"recovered": 1}},
    ),
    "within-nameless": (
        [marc(1, "<open>").replace("identifier", "name"), *map(marc, range(2, 12))],
        {**BUT_ONE, "warnings": {"recovered": 1}},
    ),
    "long-name": (around(record(2, name="x" * 1_000_000), record), ALL),
    "odd-name": (around(record(2, name="ü/é?#%20&amp;&lt;$where.\n x"), record), ALL),
    "odd-dates": (
        around(
            record(2, f"<dc:date>-9</dc:date><dc:date>{'9' * 5_000}</dc:date>", stamp="99"), record
        ),
        ALL,
    ),
}
RESOURCES: dict[str, tuple[bytes, dict[str, Any]]] = {
    name: (json.dumps({"data": around(odd, node), **more}).encode(), wanted)
    for name, odd, more, wanted in (
        ("surrogate", node(2, title="a\ud800b"), {}, ALL),
        ("nul", node(2, title="a\0b"), {}, ALL),
        ("odd-keys", node(2, **{"a\0b": 1, "$where": 1, "a.b": 2, "": 3}), {}, ALL),
        ("large-number", node(2, weight=10**400), {}, ALL),
        ("huge", node(2, title="x" * 9_000_000), {}, BUT_ONE),
        ("no-object", None, {}, BUT_ONE),
        ("next-broken", node(2), {"links": {"next": {"href": "http://[::1"}}}, ALL),
        ("next-elsewhere", node(2), {"links": {"next": {"href": "http://127.0.0.2/x"}}}, ALL),
        ("next-file", node(2), {"links": {"next": {"href": "file:///etc/passwd"}}}, ALL),
        ("next-half", node(2), {"links": {"next": {"href": "http://127.0.0.2/\ud83d"}}}, ALL),
        ("next-number", node(2), {"links": {"next": 5}}, ALL),
    )
} | {
    "deep": (b'{"data":' + b"[" * 200_000 + b"]" * 200_000 + b"}", {"error": "not_json"}),
    "digits": (b'{"data":[],"x":' + b"9" * 100_000 + b"}", {"error": "not_json"}),
    "not-finite": (
        json.dumps({"data": [node(1, weight=float("inf"), height=float("nan"))]}).encode(),
        {"new": 1},
    ),
    "no-list": (b'{"data":"x"}', {"error": "no_list"}),
}
ENTRIES: dict[str, tuple[list[str], dict[str, Any]]] = {
    "deep": (around(entry(2, f"<description>{deep(3_000)}</description>"), entry), ALL),
    "deep-html": (
        around(entry(2, f"<description><![CDATA[{'<b>' * 30_000}]]></description>"), entry),
        ALL,
    ),
    "huge": (around(entry(2, f"<description>{'x' * 9_000_000}</description>"), entry), BUT_ONE),
    "many-categories": (
        around(entry(2, "".join(f"<category>{n}</category>" for n in range(50_000))), entry),
        {**ALL, "warnings": {"categories_cut": 1}},
    ),
    "odd-links": (around("<item><title>y</title><link>http://[::1</link></item>", entry), ALL),
    "odd-elements": (around(entry(2, "<links>x</links>"), entry), BUT_ONE),
    "windows-1252": (
        around(entry(2, "<description>L\x92eau</description>"), entry),
        {**ALL, "warnings": {"encoding_not_utf-8": 1}},
    ),
}
ITEMS: dict[str, tuple[Any, dict[str, Any]]] = {
    "no-object": ("x", BUT_ONE),
    "no-authors": ({"id": "2", "title": "T", "authors": ["Jane", {}]}, ALL),
    "odd-fields": (
        {"id": "2", "title": "T", "authors": [[]], "url": {}},
        {**ALL, "warnings": {"odd_field": 2}, "issues": 2},
    ),
    "surrogate": (
        {
            "id": "a\ud800b",
            "title": "a\ud800b",
            "url": "http://x.example/?q=\ud83d",
            "content_html": "<p>\ud83d</p>",
            "date_modified": "\ud83d",
        },
        ALL,
    ),
}


ROWS: dict[str, tuple[Any, dict[str, Any]]] = {
    "no-object": ([1, 2], BUT_ONE),
    "many-values": ({"id": "2", "title_s": ["x"] * 100_000}, ALL),
    "deep": ({"id": "2", "title_s": json.loads("[" * 300 + "]" * 300)}, BUT_ONE),
}
MAPS = "<{0} xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{1}</{0}>"


@contextmanager
def serving(answers: dict[str, tuple[bytes, str]]) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            body, kind = answers.get(path, (b"", "text/plain"))
            if "verb=Identify" in query:
                body = IDENTIFY.encode()
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}"
    for path in [p for p in answers if p.endswith("/node/chm")]:
        root = path.removesuffix("/node/chm")
        links = {"self": base + root, "node--chm": base + path}
        answers[root] = json.dumps({"jsonapi": {}, "data": [], "links": links}).encode(), JSON
    try:
        yield base
    finally:
        server.shutdown()
        server.server_close()


def test_what_is_odd_spoils_none_of_its_neighbours(hub: Hub) -> None:
    answers: dict[str, tuple[bytes, str]] = {}
    sources: dict[str, tuple[str, str, dict[str, Any]]] = {}
    for name, (records, wanted) in RECORDS.items():
        said = OAI % f"<ListRecords>{''.join(records)}</ListRecords>"
        answers[f"/oai/{name}"] = said.encode(), "text/xml"
        sources[f"oai-{name}"] = "oai_pmh", f"/oai/{name}", wanted
    for name, (body, wanted) in RESOURCES.items():
        answers[f"/jsonapi/{name}/node/chm"] = body, JSON
        sources[f"jsonapi-{name}"] = "drupal_jsonapi", f"/jsonapi/{name}", wanted
    for name, (entries, wanted) in ENTRIES.items():
        said = f"<rss version='2.0'><channel><title>F</title>{''.join(entries)}</channel></rss>"
        answers[f"/feed/{name}"] = said.encode("latin-1"), "application/rss+xml"
        sources[f"feed-{name}"] = "feed", f"/feed/{name}", wanted
    for name, (odd, wanted) in ITEMS.items():
        items = around(odd, lambda number: {"id": str(number), "title": f"T {number}"})
        feed = {"version": "https://jsonfeed.org/version/1.1", "items": items}
        answers[f"/items/{name}"] = json.dumps(feed).encode(), "application/feed+json"
        sources[f"items-{name}"] = "feed", f"/items/{name}", wanted
    for name, (odd, wanted) in ROWS.items():
        rows = around(odd, lambda number: {"id": str(number), "title_s": f"T {number}"})
        response = {"numFound": len(rows), "start": 0, "docs": rows}
        answers[f"/solr/{name}/select"] = json.dumps({"response": response}).encode(), JSON
        sources[f"solr-{name}"] = "solr", f"/solr/{name}", wanted
    for name, element, places, wanted in (
        ("circles", "sitemapindex", ["/circles.xml"], {"state": "failed", "new": 0}),
        ("odd", "urlset", ["/page", "http://[::1", "", "file:///etc/passwd"], {"new": 1}),
    ):
        locations = "".join(f"<url><loc>{place}</loc></url>" for place in places)
        if element == "sitemapindex":
            locations = locations.replace("url>", "sitemap>")
        answers[f"/{name}.xml"] = MAPS.format(element, locations).encode(), "text/xml"
        sources[f"sitemap-{name}"] = "sitemap", f"/{name}.xml", wanted
    answers["/page"] = (
        b"<html><head><title>T</title></head><body><h1>T</h1></body></html>",
        "text/html",
    )
    with serving(answers) as url:
        for name, (adapter, path, _) in sources.items():
            head = f'title = "T"\nadapter = "{adapter}"\nurl = "{url}{path}"\n'
            hub.source(name, f"{head}[options]\ntries = 1\n")
        runs = {run["source"]: run for run in hub("harvest", *sources, "--json").lines}
    for name, (_, _, wanted) in sources.items():
        assert runs[name]["error"] != "internal", (name, runs[name]["reason"])
        for key, value in wanted.items():
            assert runs[name][key] == value, (name, key, runs[name]["reason"], runs[name])
    assert hub("ledger", "--all").code == 0
    # What arrived is whole: by every format, and none of it is a command to the store.
    assert len(hub.records()) == sum(run["new"] for run in runs.values())
