"""A run writes one page while it maps the next."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from adapters.source import read_source
from chm_hub import pipeline
from chm_hub.document import Payload
from chm_hub.errors import StoreError
from chm_hub.fetch import Client, Limits, Request
from store import Run, Store
from store.leases import LEASE_SECONDS
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
SOURCE = 'title = "Pages"\nadapter = "oai_pmh"\nurl = "{url}"\n'
MOVING = [["a", "b"], ["b", "c"], ["c", "a"], ["d"]]
"""What is on each page: a source that moves while it is walked gives records more than once."""
LONG = [[f"{page}-{n}" for n in range(50)] for page in range(100)]


class Handler(BaseHTTPRequestHandler):
    pages: Sequence[Sequence[str]]
    asked: list[int]

    def log_message(self, *_: object) -> None: ...

    def do_GET(self) -> None:
        asked = parse_qs(urlsplit(self.path).query)
        verb = asked["verb"][0]
        if verb == "ListRecords":
            number = int(asked.get("resumptionToken", ["0"])[0])
            self.asked.append(number)
            names = self.pages[number]
            content = "".join(RECORD.format(name=n, title=f"{n} {number}") for n in names)
            token = number + 1 if number + 1 < len(self.pages) else ""
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


@contextmanager
def serving(pages: Sequence[Sequence[str]]) -> Iterator[tuple[str, list[int]]]:
    """A source with these pages; its address, and which pages it was asked for."""
    handler = type("Serving", (Handler,), {"pages": pages, "asked": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/oai", handler.asked
    server.shutdown()
    server.server_close()


def test_a_record_on_pages_that_follow_each_other_changes_and_is_there_once(hub: Hub) -> None:
    with serving(MOVING) as (url, _):
        hub.source("moving", SOURCE.format(url=url))
        said = hub("harvest", "moving", "--json")
    (run,) = said.lines
    assert (run["new"], run["changed"], run["seen"]) == (4, 3, 7), said.err
    titles = {r["source_identifier"]: r["title"][0]["value"] for r in hub.records().values()}
    assert titles == {"a": "a 2", "b": "b 1", "c": "c 2", "d": "d 3"}


def test_a_page_of_any_length_is_written_in_parts(hub: Hub) -> None:
    names = [str(number) for number in range(3 * pipeline.SLICE - 7)]
    # Some come again in the part that follows, some in the same.
    page = [*names[: pipeline.SLICE + 3], *names[pipeline.SLICE - 3 :], names[-1]]
    with serving([page, ["last"]]) as (url, _):
        hub.source("pages", SOURCE.format(url=url))
        for wanted in ((len(names) + 1, len(page) + 1), (0, len(page) + 1)):
            (run,) = hub("harvest", "pages", "--full", "--json").lines
            assert run["state"] == "complete"
            assert (run["new"], run["seen"]) == wanted
    assert len(hub.records()) == len(names) + 1
    assert hub("ledger", "pages").code == 0


def test_an_interrupted_run_says_so_and_the_next_goes_on(hub: Hub) -> None:
    with serving(LONG) as (url, asked):
        hub.source("long", SOURCE.format(url=url))
        process = hub.start("harvest", "long", "--json")
        deadline = time.monotonic() + 60
        while len(asked) < 10 and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)
        assert process.returncode != 0, said
        (cut,) = hub("runs", "long", "--json").lines
        assert (cut["state"], cut["error"]) == ("partial", "interrupted"), said
        stored = hub.records()
        assert len(stored) == cut["seen"] < 5_000, "what is counted is stored"
        before = len(asked)
        (rest,) = hub("harvest", "long", "--json").lines
        assert rest["state"] == "complete"
        assert min(asked[before:]) >= cut["seen"] // 50 - 1, "it goes on where the other stopped"
    assert len(hub.records()) == 5_000


FEED = (
    '<rss version="2.0"><channel><title>News</title><link>https://news.test/</link>'
    "<item><guid>a</guid><title>One</title><link>https://news.test/a</link></item></channel></rss>"
)


class _Feed(Client):
    """A client whose answer is always the same feed."""

    def __init__(self) -> None:
        super().__init__(self, None, Limits())

    async def __call__(self, request: Request) -> Payload:
        now = datetime.now(UTC)
        return Payload(url=request.url, status=200, headers={}, body=FEED.encode(), fetched=now)


def test_a_run_that_lost_its_lease_after_its_last_page_moves_no_cursor(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "news.toml"
    path.write_text('title = "News"\nadapter = "feed"\nurl = "https://news.test/feed"\n')
    source, faults = read_source(path)
    assert source is not None, faults

    def lose(run: Run) -> None:
        store.leases.take("news", datetime.now(UTC) + timedelta(seconds=LEASE_SECONDS + 1))

    with pytest.raises(StoreError, match="taken over"):
        asyncio.run(pipeline.harvest(source, pipeline.Hub(store=store, progress=lose), _Feed()))
    assert len(list(store.records.read())) == 1
    assert "since" not in store.runs.cursor("news")
