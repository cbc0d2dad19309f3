"""Putting answers together: an envelope made for the request around records rendered long ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from oai_endpoint.arguments import Fault

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<OAI-PMH xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{NAMESPACE} {NAMESPACE}OAI-PMH.xsd">'
)


def answer(
    *, base_url: str, as_of: datetime, arguments: Mapping[str, str], content: bytes
) -> bytes:
    """A whole answer. ``arguments`` are those to show on ``request``, verb included."""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in arguments.items())
    head = (
        f"{_HEAD}<responseDate>{as_of:%Y-%m-%dT%H:%M:%SZ}</responseDate>"
        f"<request{attributes}>{escape(base_url)}</request>"
    )
    return b"".join((head.encode(), content, b"</OAI-PMH>"))


def faults(found: Iterable[Fault]) -> bytes:
    """The ``error`` elements of faults."""
    return "".join(
        f"<error code={quoteattr(fault.code)}>{escape(fault.message)}</error>" for fault in found
    ).encode()


def element(name: str, value: str) -> str:
    """A simple element."""
    return f"<{name}>{escape(value)}</{name}>"
