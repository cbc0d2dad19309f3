"""A server on loopback whose answers a test writes, and the pieces of OAI-PMH answers."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
_DC = (
    'xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"'
)


@dataclass(frozen=True)
class Question:
    """A request that came: its method, its path, and its arguments from query and form."""

    method: str
    path: str
    arguments: dict[str, str]

    def __getitem__(self, name: str) -> str:
        return self.arguments.get(name, "")


@dataclass(frozen=True)
class Answer:
    """What is said to a request."""

    body: str | bytes = ""
    status: int = 200
    location: str = ""
    kind: str = "text/xml; charset=utf-8"


class Scripted:
    """The server; use it in a ``with`` block. ``answer`` may be replaced between two harvests."""

    def __init__(self, answer: Callable[[Question], str | Answer]) -> None:
        self.answer = answer
        self.asked: list[Question] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                length = int(self.headers.get("Content-Length") or 0)
                form = self.rfile.read(length).decode()
                pairs = parse_qsl(parts.query, keep_blank_values=True) + parse_qsl(form)
                question = Question(self.command, parts.path, dict(pairs))
                outer.asked.append(question)
                said = outer.answer(question)
                answer = said if isinstance(said, Answer) else Answer(said)
                body = answer.body
                sent = body.encode() if isinstance(body, str) else body
                with suppress(OSError):  # the client may have been killed
                    self.send_response(answer.status)
                    self.send_header("Content-Type", answer.kind)
                    if answer.location:
                        self.send_header("Location", answer.location)
                    self.send_header("Content-Length", str(len(sent)))
                    self.end_headers()
                    self.wfile.write(sent)

            do_POST = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def __enter__(self) -> Scripted:
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def source(self, options: str = "", **keys: object) -> str:
        """A source file for it as an OAI-PMH repository; ``options`` are lines of TOML."""
        own = "".join(f'{key} = "{value}"\n' for key, value in keys.items())
        head = f'title = "T"\nadapter = "oai_pmh"\nurl = "{self.url}/oai"\n'
        return f"{head}{own}\n[options]\n{options}\n"


def envelope(inner: str, *, request: str = "<request/>", date: str = "2025-06-01T00:00:00Z") -> str:
    """An OAI-PMH answer."""
    return (
        f'<OAI-PMH xmlns="{NAMESPACE}"><responseDate>{date}</responseDate>'
        f"{request}{inner}</OAI-PMH>"
    )


def identify(deleted: str = "persistent", granularity: str = "YYYY-MM-DDThh:mm:ssZ") -> str:
    """The answer to Identify; ``deleted`` is its ``deletedRecord``, empty for none."""
    says = f"<deletedRecord>{deleted}</deletedRecord>" if deleted else ""
    return envelope(
        "<Identify><repositoryName>R</repositoryName><protocolVersion>2.0</protocolVersion>"
        f"<earliestDatestamp>2001-01-01T00:00:00Z</earliestDatestamp>{says}"
        f"<granularity>{granularity}</granularity></Identify>"
    )


def record(
    name: str,
    title: str | None = None,
    stamp: str = "2024-05-01T00:00:00Z",
    *,
    sets: Sequence[str] = (),
    metadata: str | None = None,
) -> str:
    """A record ``oai:x:<name>`` with a title; deleted if it has neither title nor metadata."""
    if title is not None:
        metadata = f"<metadata><oai_dc:dc {_DC}><dc:title>{title}</dc:title></oai_dc:dc></metadata>"
    status = "" if metadata is not None else ' status="deleted"'
    specs = "".join(f"<setSpec>{spec}</setSpec>" for spec in sets)
    return (
        f"<record><header{status}><identifier>oai:x:{name}</identifier>"
        f"<datestamp>{stamp}</datestamp>{specs}</header>{metadata or ''}</record>"
    )


def listing(*records: str, token: str | None = None, total: int | None = None) -> str:
    """An answer to ListRecords; no records, no match."""
    if not records:
        return envelope('<error code="noRecordsMatch"/>')
    size = f' completeListSize="{total}"' if total is not None else ""
    more = "" if token is None else f"<resumptionToken{size}>{token}</resumptionToken>"
    return envelope(f"<ListRecords>{''.join(records)}{more}</ListRecords>")
