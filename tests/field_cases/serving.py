"""Serves the made-up inputs of the field cases, and the cuts of real answers, on loopback."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit


def load(path: Path) -> ModuleType:
    """A case's module. Its helpers (``oai.py``) lie beside its folder and stay out of our way."""
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location(f"field_case_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        # One of them reads its neighbour and leaves the file open.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            spec.loader.exec_module(module)
    finally:
        sys.path[:] = before
    return module


class Served:
    """One made-up source: ``answer`` of its module says what it answers in each phase."""

    def __init__(self, module: ModuleType) -> None:
        self.phase = 0
        self.numbers = 0
        self.requests: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(module, self))
        self._server.daemon_threads = True
        self.base = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(module: ModuleType, served: Served) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = getattr(module, "HTTP", "HTTP/1.1")

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            body = self.rfile.read(length) if length else b""
            parts = urlsplit(self.path)
            said = body.decode("latin-1") if body and not parts.query else parts.query
            served.numbers += 1
            served.requests.append(f"{self.command} {self.path}")
            question = SimpleNamespace(
                method=self.command,
                path=parts.path,
                query=parts.query,
                raw=self.path,
                args=dict(reversed(parse_qsl(said, keep_blank_values=True))),
                headers=self.headers,
                body=body,
                phase=served.phase,
                base=served.base,
                n=served.numbers,
                handler=self,
            )
            if parts.path == "/robots.txt" and not getattr(module, "ROBOTS", False):
                answer: Any = 404, {}, b""
            else:
                answer = module.answer(question)
            if answer is not None:
                self._answer(*answer)

        do_POST = do_HEAD = do_GET

        def _answer(self, status: int, headers: dict[str, str], out: str | bytes) -> None:
            sent = out.encode("utf-8") if isinstance(out, str) else out
            given = {name.lower() for name in headers}
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "content-type" not in given:
                self.send_header("Content-Type", "text/xml; charset=utf-8")
            if not given & {"content-length", "transfer-encoding"}:
                self.send_header("Content-Length", str(len(sent)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(sent)

    return Handler


@contextmanager
def cut(server: Path, file: Path) -> Iterator[str]:
    """Serve a cut of a real answer by the samples' own server; gives its address."""
    process = subprocess.Popen(
        [sys.executable, str(server), str(file)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
