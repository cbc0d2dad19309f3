"""The one HTTP server of the network: loopback only, keep-alive, a thread a connection."""

from __future__ import annotations

import selectors
import socket
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

HOST = "127.0.0.1"
BODY_LIMIT = 1 << 20
"""Bytes of a request body; more is refused."""


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asked. Header names are in lower case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes = b""
    port: int = 0
    """Which of the network's hosts was asked."""

    def arguments(self) -> list[tuple[str, str]]:
        """The query's names and values, in order, blank ones too."""
        return parse_qsl(self.query, keep_blank_values=True)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a replica says to it."""

    body: bytes
    media_type: str
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


Respond = Callable[[Request], Answer]


class Server(ThreadingHTTPServer):
    """Serves :data:`Respond` on one port or several until it is closed; then every connection
    and thread ends."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int, respond: Respond) -> None:
        self.respond = respond
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._more: list[socket.socket] = []
        self._wake, self._woken = socket.socketpair()
        super().__init__((HOST, port), _Handler)
        self._thread = threading.Thread(target=self._accept, name="demo-network", daemon=True)

    def listen(self, port: int = 0) -> int:
        """Another port to serve on, before it starts; 0 is any free one."""
        more = socket.create_server((HOST, port), backlog=self.request_queue_size)
        self._more.append(more)
        return int(more.getsockname()[1])

    def start(self) -> None:
        """Begin to serve, in a thread."""
        self._thread.start()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            for listening in (self.socket, *self._more, self._woken):
                selector.register(listening, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is self._woken:
                        return
                    assert isinstance(key.fileobj, socket.socket)
                    try:
                        self.process_request(*key.fileobj.accept())
                    except OSError:
                        continue

    def close(self) -> None:
        """End every connection, wait for the threads, give the port back."""
        if self._thread.is_alive():
            self._wake.send(b".")
            self._thread.join()
        with self._lock:
            open_now = dict(self._connections)
        for connection in open_now.values():
            # A client that keeps its connection alive leaves a thread waiting in a read.
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in open_now:
            thread.join(timeout=10)
        for each in (*self._more, self._wake, self._woken):
            each.close()
        self.server_close()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Give a connection its thread, and keep track of both."""
        thread = threading.Thread(target=self._serve, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[thread] = request
        thread.start()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of clients that went away."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)

    def _serve(self, request: Any, client_address: Any) -> None:
        try:
            self.process_request_thread(request, client_address)
        finally:
            with self._lock:
                del self._connections[threading.current_thread()]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "DemonstrationNetwork"
    sys_version = ""
    timeout = 60
    # Headers and body leave in one packet: two would wait for each other on a connection
    # that is kept alive (Nagle's algorithm and delayed acknowledgements).
    wbufsize = 1 << 16
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: Any) -> None:
        """No access log."""

    def do_GET(self) -> None:
        """Answer a GET, a HEAD or a POST."""
        server = self.server
        assert isinstance(server, Server)
        length = self.headers.get("Content-Length") or "0"
        if not length.isdigit() or int(length) > BODY_LIMIT or "Transfer-Encoding" in self.headers:
            self.close_connection = True
            self._send(Answer(b"The body is too large or of unknown length.", "text/plain", 413))
            return
        parts = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=parts.path,
            query=parts.query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(int(length)),
            port=int(self.connection.getsockname()[1]),
        )
        self._send(server.respond(request))

    do_HEAD = do_GET
    do_POST = do_GET

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if answer.status != 304:
            self.send_header("Content-Type", answer.media_type)
            self.send_header("Content-Length", str(len(answer.body)))
        self.end_headers()
        if self.command != "HEAD" and answer.status != 304:
            self.wfile.write(answer.body)
