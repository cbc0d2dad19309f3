"""A small OAI-PMH repository on loopback whose contents and moods a test sets."""

from __future__ import annotations

import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape

from tests.running import Hub

START = datetime(2025, 1, 1, tzinfo=UTC)


@dataclass
class Thing:
    """A record of the repository."""

    title: str
    stamp: datetime
    deleted: bool = False


@dataclass
class Asked:
    """A request that came."""

    began: float
    ended: float
    path: str


@dataclass
class Repository:
    """The repository; use it in a ``with`` block."""

    things: dict[str, Thing] = field(default_factory=dict)
    page: int = 10
    name: str = "Repository"
    deleted_record: str = "persistent"
    """What Identify says of its deletions."""
    down: bool = False
    """Everything answers 503."""
    slow: float = 0.0
    """Seconds that each list takes."""
    broken: set[str] = field(default_factory=set)
    """Records whose XML is not well-formed."""
    nameless: set[str] = field(default_factory=set)
    """Records whose headers have an empty identifier."""
    dead_tokens: set[str] = field(default_factory=set)
    """Verbs whose resumption tokens are never taken."""
    asked: list[Asked] = field(default_factory=list)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        outer = self
        self._moment = START
        self._lock = threading.Lock()
        self.ending = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                began = time.monotonic()
                query = {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
                if outer.slow and query.get("verb", "").startswith("List"):
                    outer.ending.wait(outer.slow)
                with outer._lock:
                    status = 503 if outer.down else 200
                    body = b"down" if outer.down else outer._answer(query).encode()
                    outer.asked.append(Asked(began, time.monotonic(), self.path))
                with suppress(OSError):  # who asked may be dead
                    self.send_response(status)
                    self.send_header("Content-Type", "text/xml; charset=utf-8")
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

        self._server = ThreadingHTTPServer((self.host, 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://{self.host}:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Repository:
        return self

    def __exit__(self, *_: object) -> None:
        self.ending.set()
        self._server.shutdown()
        self._server.server_close()

    def source(self, **keys: Any) -> str:
        """A source file for it."""
        own = "".join(
            f'{key} = "{value}"\n' if isinstance(value, str) else f"{key} = {str(value).lower()}\n"
            for key, value in keys.items()
        )
        return f'title = "T"\nadapter = "oai_pmh"\nurl = "{self.url}/oai"\n{own}'

    # --- what a test does to it ------------------------------------------------------------

    def tick(self) -> datetime:
        """The repository's clock goes on by a minute, always in the past of everybody else."""
        self._moment += timedelta(minutes=1)
        return self._moment

    def add(self, *names: str, title: str = "Title of {}") -> None:
        """Add or change records."""
        with self._lock:
            for name in names:
                self.things[name] = Thing(title.format(name), self.tick())

    def delete(self, *names: str) -> None:
        """Mark records as deleted."""
        with self._lock:
            for name in names:
                thing = self.things[name]
                thing.deleted, thing.stamp = True, self.tick()

    def restamp(self) -> None:
        """Every record has a new date, and is what it was."""
        with self._lock:
            for thing in self.things.values():
                thing.stamp = self.tick()

    # --- what it answers -------------------------------------------------------------------

    def _answer(self, query: dict[str, str]) -> str:
        match query.get("verb"):
            case "Identify":
                inner = (
                    f"<Identify><repositoryName>{escape(self.name)}</repositoryName>"
                    "<adminEmail>admin@x.example</adminEmail>"
                    "<protocolVersion>2.0</protocolVersion><earliestDatestamp>"
                    f"{_stamp(START)}</earliestDatestamp>"
                    f"<deletedRecord>{self.deleted_record}</deletedRecord>"
                    "<granularity>YYYY-MM-DDThh:mm:ssZ</granularity></Identify>"
                )
            case "GetRecord":
                name = query["identifier"].removeprefix("oai:x:")
                inner = f"<GetRecord>{self._record(name)}</GetRecord>"
            case "ListRecords" | "ListIdentifiers" as verb:
                inner = self._list(verb, query)
            case _:
                inner = '<error code="badVerb"/>'
        return (
            '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
            # Its clock is behind: what changes later than this has a later date.
            f"<responseDate>{_stamp(self._moment + timedelta(hours=1))}</responseDate>"
            f"<request/>{inner}</OAI-PMH>"
        )

    def _list(self, verb: str, query: dict[str, str]) -> str:
        token = query.get("resumptionToken")
        if token and verb in self.dead_tokens:
            return '<error code="badResumptionToken"/>'
        since, until, offset = query.get("from", ""), query.get("until", "9"), 0
        if token:
            since, until, place = token.split("|")
            offset = int(place)
        names = sorted(n for n, t in self.things.items() if since <= _stamp(t.stamp) <= until)
        if not names:
            return '<error code="noRecordsMatch"/>'
        make = self._record if verb == "ListRecords" else self._header
        inner = "".join(map(make, names[offset : offset + self.page]))
        after = offset + self.page
        if after < len(names) or offset:
            following = f"{since}|{until}|{after}" if after < len(names) else ""
            inner += (
                f'<resumptionToken completeListSize="{len(names)}">{following}</resumptionToken>'
            )
        return f"<{verb}>{inner}</{verb}>"

    def _header(self, name: str) -> str:
        thing = self.things[name]
        status = ' status="deleted"' if thing.deleted else ""
        return (
            f"<header{status}><identifier>{'' if name in self.nameless else f'oai:x:{name}'}"
            f"</identifier>"
            f"<datestamp>{_stamp(thing.stamp)}</datestamp></header>"
        )

    def _record(self, name: str) -> str:
        thing = self.things[name]
        if thing.deleted:
            return f"<record>{self._header(name)}</record>"
        title = f"<dc:title>{escape(thing.title)}</dc:title>" if thing.title else ""
        spoilt = "<br>" if name in self.broken else ""
        return (
            f"<record>{self._header(name)}<metadata>"
            '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
            f'xmlns:dc="http://purl.org/dc/elements/1.1/">{title}{spoilt}'
            f"<dc:identifier>https://x.example/{name}</dc:identifier></oai_dc:dc></metadata></record>"
        )


def _stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def harvest(hub: Hub, *more: str) -> dict[str, Any]:
    """The line of a run of the source ``src``, whose counts add up."""
    (line,) = hub("harvest", "src", "--json", *more).lines
    counts = ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
    assert line["seen"] == sum(line[name] for name in counts)
    return line


def live(hub: Hub) -> set[str]:
    """The names of the records that the hub has of it."""
    found = hub.records("--source", "src").values()
    return {record["source_identifier"].removeprefix("oai:x:") for record in found}
