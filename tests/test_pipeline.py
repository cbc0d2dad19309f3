"""A run writes one page while it maps the next."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.running import Hub

ENVELOPE = (
    '<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
    "<responseDate>2025-01-01T00:00:00Z</responseDate><request>http://x.test/oai</request>"
    "<{verb}>{content}</{verb}></OAI-PMH>"
)
RECORD = (
    "<record><header><identifier>{name}</identifier><datestamp>2024-01-01</datestamp></header>"
    '<metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>{title}</dc:title></oai_dc:dc>'
    "</metadata></record>"
)
PAGES = [["a", "b"], ["b", "c"], ["c", "a"], ["d"]]
"""What is on each page: a source that moves while it is walked gives records more than once."""


class Moving(BaseHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        verb = asked["verb"][0]
        if verb == "ListRecords":
            number = int(asked.get("resumptionToken", ["0"])[0])
            content = "".join(RECORD.format(name=n, title=f"{n} {number}") for n in PAGES[number])
            token = number + 1 if number + 1 < len(PAGES) else ""
            content += f"<resumptionToken>{token}</resumptionToken>"
        else:
            content = (
                "<repositoryName>Moving</repositoryName><baseURL>http://x.test/oai</baseURL>"
                "<protocolVersion>2.0</protocolVersion><adminEmail>a@x.test</adminEmail>"
                "<earliestDatestamp>2024-01-01</earliestDatestamp>"
                "<deletedRecord>no</deletedRecord><granularity>YYYY-MM-DD</granularity>"
            )
        body = ENVELOPE.format(verb=verb, content=content).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@pytest.fixture
def moving() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Moving)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/oai"
    server.shutdown()
    server.server_close()


def test_a_record_on_pages_that_follow_each_other_changes_and_is_there_once(
    hub: Hub, moving: str
) -> None:
    hub.source("moving", f'title = "Moving"\nadapter = "oai_pmh"\nurl = "{moving}"\n')
    said = hub("harvest", "moving", "--json")
    (run,) = said.lines
    assert (run["new"], run["changed"], run["seen"]) == (4, 3, 7), said.err
    titles = {r["source_identifier"]: r["title"][0]["value"] for r in hub.records().values()}
    assert titles == {"a": "a 2", "b": "b 1", "c": "c 2", "d": "d 3"}
    (shown,) = hub("runs", "moving", "--json").lines[:1]
    assert shown["seen"] == 7, json.dumps(shown)
