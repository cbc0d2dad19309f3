"""``chm-hub certify``: our endpoint passes it, and it finds what is wrong with another."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from werkzeug.serving import make_server
from werkzeug.test import EnvironBuilder, run_wsgi_app
from werkzeug.wrappers import Request, Response

from chm_hub import web
from chm_hub.settings import Settings
from oai_endpoint.certify import CHECKS
from store import Store
from tests.oai.filling import delete, fill, put, record
from tests.running import Hub

NUMBER = 1200


@contextmanager
def served(app: Callable[..., Any], port: int = 0) -> Iterator[str]:
    server: Any = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def free_port() -> int:
    with served(Response("")) as url:
        return int(url.rpartition(":")[2])


@pytest.fixture
def at(settings: Settings) -> Settings:
    """The settings of an endpoint that knows its address."""
    return replace(settings, base_url=f"http://127.0.0.1:{free_port()}")


def port_of(settings: Settings) -> int:
    return int(settings.base_url.rpartition(":")[2])


def test_our_endpoint_passes_with_records_changing_underneath(
    hub: Hub, store: Store, at: Settings
) -> None:
    fill(store, NUMBER)
    done = threading.Event()

    def write() -> None:
        version = 2
        while not done.is_set():
            numbers = [(version * 37 + n * 61) % NUMBER for n in range(15)]
            put(store, [record(n, version) for n in numbers], store.records.snapshot().as_of)
            gone = [record(n).identifier for n in numbers[:3]]
            delete(store, gone, store.records.snapshot().as_of)
            version += 1
            done.wait(0.2)

    writer = threading.Thread(target=write)
    with web.Background(at, "127.0.0.1", port_of(at), store):
        writer.start()
        try:
            said = hub("certify", "--json", CHM_HUB_BASE_URL=at.base_url)
        finally:
            done.set()
            writer.join()
    *lines, summary = said.lines
    wrong = [line for line in lines if line["outcome"] != "passed"]
    assert not wrong, wrong
    assert said.code == 0
    assert summary == {
        "url": f"{at.base_url}/oai",
        "checks": len(CHECKS),
        "passed": len(CHECKS),
        "failed": 0,
        "warned": 0,
        "skipped": 0,
    }


def test_an_endpoint_without_records_passes_what_can_be_tried(
    hub: Hub, store: Store, at: Settings
) -> None:
    with web.Background(at, "127.0.0.1", port_of(at), store):
        said = hub("certify", f"{at.base_url}/oai")
    assert said.code == 0, said.out
    assert "warning" not in said.out
    assert "skipped" in said.out


class Spoilt:
    """Our endpoint with mistakes that other providers make; every answer has at most one."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self.app = app
        self.records = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        request = Request(environ)
        pairs = [*request.args.items(multi=True), *request.form.items(multi=True)]
        asked = dict(pairs)
        verb = asked.get("verb")
        if any("\x01" in value for value in asked.values()):
            return Response("oops", 500)(environ, start_response)
        if verb == "ListSets" and request.method == "POST":
            return Response("no", 405)(environ, start_response)
        if asked.get("resumptionToken") == "-1":
            pairs = [("verb", "ListIdentifiers"), ("metadataPrefix", "oai_dc")]
        if "T" not in asked.get("from", "T") and asked["from"] == "2001-1-1":
            pairs = [(k, "2001-01-01" if k == "from" else v) for k, v in pairs]
        if len(pairs) != len(asked) and verb == "GetRecord":
            pairs = list(asked.items())
        body = self.body(pairs)
        kind = "text/xml; charset=utf-8"
        if verb == "ListMetadataFormats" and request.method == "GET" and len(asked) == 1:
            kind = "application/xml"
        if verb == "ListIdentifiers":
            if "resumptionToken" not in asked and not {"from", "until", "set"} & asked.keys():
                body = re.sub(rb'cursor="0"', b'cursor="1"', body)
                body = re.sub(rb'completeListSize="1200"', b'completeListSize="1201"', body)
            body = re.sub(rb"<resumptionToken[^>]*/>", b"", body)
            if "from" in asked and asked["from"] == asked.get("until"):
                body = re.sub(rb"<header><identifier>(?s:.)*</header>", b"", body)
            if asked.get("set") == "type:news":
                body = body.replace(b"<setSpec>type:news</setSpec>", b"")
        if verb == "GetRecord":
            body = body.replace(b"Wetlands", b"Wastelands")
            body = body.replace(
                b"</header></record>", b"</header><metadata><x xmlns='urn:x'/></metadata></record>"
            )
        return Response(body, content_type=kind)(environ, start_response)

    def body(self, pairs: list[tuple[str, str]]) -> bytes:
        from urllib.parse import urlencode

        environ = EnvironBuilder("/oai", query_string=urlencode(pairs)).get_environ()
        made, _, headers = run_wsgi_app(self.app, environ)
        data = b"".join(made)
        return gzip.decompress(data) if headers.get("Content-Encoding") == "gzip" else data


def test_what_is_wrong_is_found_and_told(hub: Hub, store: Store, at: Settings) -> None:
    fill(store, NUMBER)
    with served(Spoilt(web.create_app(at, store)), port_of(at)):
        said = hub("certify", f"{at.base_url}/oai", "--json")
        shown = hub("certify", f"{at.base_url}/oai")
    *lines, summary = said.lines
    found = {line["id"]: " ".join(f["message"] for f in line["findings"]) for line in lines}
    for check, words in {
        "metadata-formats": "the media type is 'application/xml'",
        "post": "HTTP 405",
        "repeated-arguments": "idDoesNotExist where badArgument was due",
        "illegal-characters": "HTTP 500",
        "odd-dates": "answered, where badArgument was due",
        "walk": "cursor is 1, not 0",
        "bad-tokens": "answered, where badResumptionToken was due",
        "get-record": "is another in GetRecord than in ListRecords",
        "deleted-records": "is deleted, with metadata",
        "date-bounds": "is not in {'from'",
        "set-members": "its header does not name it",
        "compression": "gzip is not spoken",
    }.items():
        assert words in found[check], (check, found[check])
    assert "the last of several parts has no empty resumptionToken" in found["walk"]
    assert said.code == 1
    assert summary["failed"] == sum(1 for line in lines if line["outcome"] == "failed") > 8
    assert shown.code == 1
    assert "asked: verb=ListSets (POST)" in shown.out
    assert f"{len(CHECKS)} checks: " in shown.out


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("ftp://x.example/oai", "not an http or https address"),
        ("https://x.example/oai?verb=Identify", "without a query"),
        ("http://127.0.0.1:9/oai", "refuses connections"),
    ],
)
def test_an_address_that_cannot_be_tried_is_said(hub: Hub, url: str, words: str) -> None:
    said = hub("certify", url)
    assert said.code in (1, 2)
    assert words in said.err
