"""A loopback server that misbehaves by path, and a client process that asks it."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

XML = b'<?xml version="1.0"?>\n<answer>ok</answer>'
HTML = b"<!DOCTYPE html><html><head><title>Under repair</title></head><body/></html>"
CHALLENGE = b"<!DOCTYPE html><html><head><title>Just a moment...</title></head><body/></html>"

ASK = """
import asyncio, dataclasses, json, sys
from chm_hub import fetch
from chm_hub.settings import load

requests = json.loads(sys.argv[1])

async def work(downloads):
    told = []
    for asked in requests:
        limits = fetch.Limits(**asked.pop("limits", {}))
        asked = {k: tuple(map(tuple, v)) if k == "form" else tuple(v) if isinstance(v, list) else v
                 for k, v in asked.items()}
        client = downloads.client(None, limits)
        try:
            payload = await client(fetch.Request(**asked))
            told.append({"status": payload.status, "body": payload.body.decode("latin-1"),
                         "url": payload.url, "headers": payload.headers,
                         "requests": client.requests})
        except Exception as error:
            told.append({"error": type(error).__name__, "reason": getattr(error, "reason", None),
                         "said": str(error), "requests": client.requests,
                         "not_before": getattr(error, "not_before", None)})
    return told

print(json.dumps(fetch.run(load(), work)))
"""


def ask(*requests: dict[str, Any], **environ: str) -> list[dict[str, Any]]:
    """What a client in a process of its own gets for each request."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, json.dumps(requests)],
        capture_output=True,
        text=True,
        timeout=120,
        cwd=Path(__file__).parent,
        env={
            **{k: v for k, v in os.environ.items() if not k.startswith("CHM_HUB_")},
            "CHM_HUB_EGRESS_ALLOW": "127.0.0.1/32",
            "CHM_HUB_HOST_DELAY": "0",
            **environ,
        },
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, Any]] = json.loads(done.stdout)
    return answers


class Loopback:
    """The server; ``asked`` counts the requests by path, ``agents`` are the User-Agents."""

    def __init__(self) -> None:
        self.asked: Counter[str] = Counter()
        self.agents: set[str] = set()
        self.bodies: list[bytes] = []
        self.keys: list[tuple[str, str]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                outer.answer(self)

            do_POST = do_GET

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, h: Any) -> None:
        path = h.path.partition("?")[0]
        self.asked[path] += 1
        self.agents.add(h.headers.get("User-Agent", ""))
        if length := int(h.headers.get("Content-Length") or 0):
            self.bodies.append(h.rfile.read(length))
        nth = self.asked[path]
        match path:
            case "/ok":
                _send(h, XML)
            case "/busy-once":
                if nth == 1:
                    _send(h, b"", 503, {"Retry-After": "0"})
                else:
                    _send(h, XML)
            case "/busy-until-date":
                soon = {"Retry-After": formatdate(time.time() + 1, usegmt=True)}
                _send(h, b"", 503, soon) if nth == 1 else _send(h, XML)
            case "/busy-for-long":
                _send(h, b"", 429, {"Retry-After": "3600"})
            case "/busy-rubbish":
                _send(h, b"", 503, {"Retry-After": "-5"}) if nth == 1 else _send(h, XML)
            case "/down":
                _send(h, b"", 500)
            case "/forbidden":
                _send(h, b"", 403)
            case "/missing":
                _send(h, b"", 404)
            case "/page-once":
                _send(h, HTML) if nth == 1 else _send(h, XML)
            case "/page":
                _send(h, HTML)
            case "/challenge":
                _send(h, CHALLENGE)
            case "/challenge-503":
                _send(h, b"", 503, {"cf-mitigated": "challenge", "Retry-After": "1"})
            case "/challenge-403":
                _send(h, CHALLENGE, 403)
            case "/once-a-connection":
                if getattr(h, "answered", False):
                    h.close_connection = True
                else:
                    h.answered = True
                    _send(h, XML)
            case "/truncated-once":
                if nth == 1:
                    h.send_response(200)
                    h.send_header("Content-Length", str(len(XML) + 50))
                    h.end_headers()
                    h.wfile.write(XML)
                    h.close_connection = True
                else:
                    _send(h, XML)
            case "/gzip":
                _send(h, gzip.compress(XML), 200, {"Content-Encoding": "gzip"})
            case "/gzip-undeclared":
                _send(h, gzip.compress(XML))
            case "/bomb":
                _send(
                    h, gzip.compress(b"<a>" + b" " * 20_000_000), 200, {"Content-Encoding": "gzip"}
                )
            case "/not-gzip":
                _send(h, XML, 200, {"Content-Encoding": "gzip"})
            case "/large":
                _send(h, b"<a>" + b"x" * 3_000_000 + b"</a>")
            case "/endless":
                h.send_response(200)
                h.end_headers()
                h.close_connection = True
                for _ in range(100_000):
                    try:
                        h.wfile.write(b"x" * 65536)
                    except OSError:
                        return
            case "/drip":
                h.send_response(200)
                h.send_header("Content-Length", "1000")
                h.end_headers()
                h.close_connection = True
                for _ in range(300):
                    try:
                        h.wfile.write(b" ")
                        h.wfile.flush()
                    except OSError:
                        return
                    threading.Event().wait(0.1)
            case "/moved":
                _send(h, b"", 302, {"Location": "/ok"})
            case "/round":
                _send(h, b"", 302, {"Location": "/round"})
            case "/to-private":
                port = h.server.server_port
                _send(h, b"", 302, {"Location": f"http://127.0.0.2:{port}/ok"})
            case "/to-metadata":
                _send(h, b"", 302, {"Location": "http://169.254.169.254/latest/"})
            case "/key":
                given = h.path.partition("?")[2], h.headers.get("X-Key", "")
                self.keys.append(given)
                _send(h, json.dumps(given).encode())
            case "/key-needed":
                _send(h, b"", 401)
            case "/key-moved":
                _send(h, b"", 302, {"Location": "/key"})
            case "/key-broken":
                _send(h, b"not packed", 200, {"Content-Encoding": "gzip"})
            case "/to-file":
                _send(h, b"", 302, {"Location": "file:///etc/passwd"})


def _send(h: Any, body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> None:
    h.send_response(status)
    for name, value in (headers or {}).items():
        h.send_header(name, value)
    h.send_header("Content-Length", str(len(body)))
    h.end_headers()
    h.wfile.write(body)
