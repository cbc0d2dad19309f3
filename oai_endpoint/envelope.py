"""Putting answers together: an envelope made for the request around records rendered long ago."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from oai_endpoint.arguments import Fault
from store import Entry

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
_HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    f'<OAI-PMH xmlns="{NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
    f'xsi:schemaLocation="{NAMESPACE} {NAMESPACE}OAI-PMH.xsd">'
)


def answer(*, base_url: str, as_of: datetime, arguments: Mapping[str, str], content: str) -> str:
    """A whole answer. ``arguments`` are those to show on ``request``, verb included."""
    attributes = "".join(f" {name}={quoteattr(value)}" for name, value in arguments.items())
    return (
        f"{_HEAD}<responseDate>{as_of:%Y-%m-%dT%H:%M:%SZ}</responseDate>"
        f"<request{attributes}>{escape(base_url)}</request>{content}</OAI-PMH>"
    )


def faults(found: Iterable[Fault]) -> str:
    """The ``error`` elements of faults."""
    return "".join(
        f"<error code={quoteattr(fault.code)}>{escape(fault.message)}</error>" for fault in found
    )


def header(entry: Entry, domain: str) -> str:
    """The ``header`` of a record, with all its sets whatever was asked for."""
    sets = "".join([f"<setSpec>{escape(spec)}</setSpec>" for spec in entry.sets])
    status = ' status="deleted"' if entry.deleted else ""
    return (
        f"<header{status}><identifier>oai:{domain}:{escape(entry.identifier)}</identifier>"
        f"<datestamp>{entry.datestamp}</datestamp>{sets}</header>"
    )


def record(entry: Entry, domain: str) -> str:
    """A ``record``; a deleted one has nothing but its header."""
    return f"<record>{header(entry, domain)}{entry.fragment or ''}</record>"


def element(name: str, value: str) -> str:
    """A simple element."""
    return f"<{name}>{escape(value)}</{name}>"
