"""Our own OAI-PMH endpoint, served by the real command line and asked over HTTP."""

from __future__ import annotations

import socket
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import URLError
from urllib.parse import urlencode

from lxml import etree

from tests.running import Hub

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_PATIENCE = 60.0
"""Seconds the server has to begin."""


@contextmanager
def serve(hub: Hub) -> Iterator[str]:
    """Serve the hub's records; gives the address of the endpoint."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = hub.start("serve", "--port", str(port), "--workers", "1")
    address = f"http://127.0.0.1:{port}/oai"
    try:
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                _ask(address, verb="Identify")
                break
            except (URLError, ConnectionError):
                assert process.poll() is None, process.communicate()
                assert time.monotonic() < deadline, "the endpoint does not begin"
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.communicate()


def identifiers(address: str, spec: str) -> Iterator[tuple[str, bool]]:
    """The identifiers that a set lists, and whether each is deleted; every part of the list."""
    wanted = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "set": spec}
    while True:
        root = _ask(address, **wanted)
        for header in root.iter(f"{_OAI}header"):
            yield header.findtext(f"{_OAI}identifier") or "", header.get("status") == "deleted"
        token = root.findtext(f".//{_OAI}resumptionToken")
        if not token:
            return
        wanted = {"verb": "ListIdentifiers", "resumptionToken": token}


def _ask(address: str, **arguments: str) -> etree._Element:
    with urllib.request.urlopen(f"{address}?{urlencode(arguments)}", timeout=60) as answer:
        return etree.fromstring(answer.read())
