"""Records as the OAI-PMH elements that answers are made of, rendered once when they are written.

A hundred of them are packed into one run; NUL parts them (XML has none). Our identifiers begin
with :data:`OWN` here: the store does not know under which domain they are published.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable
from xml.sax.saxutils import escape

OWN = "\x01"
"""What the endpoint makes ``oai:<domain>:`` of; XML has no such character either."""
_PARTED = b"\0"


def header(identifier: str, datestamp: str, sets: Iterable[str], *, deleted: bool) -> str:
    """The ``header`` of a record, with all its sets whatever is asked for (OAI-PMH 2.0 §2.5)."""
    listed = "".join([f"<setSpec>{escape(spec)}</setSpec>" for spec in sets])
    status = ' status="deleted"' if deleted else ""
    return (
        f"<header{status}><identifier>{OWN}{escape(identifier)}</identifier>"
        f"<datestamp>{datestamp}</datestamp>{listed}</header>"
    )


def record(header: str, fragment: str) -> str:
    """A ``record``; a deleted one has nothing but its header."""
    return f"<record>{header}{fragment}</record>"


def pack(elements: Iterable[str]) -> bytes:
    """A run, packed."""
    return zlib.compress("\0".join(elements).encode(), 1)


def unpack(packed: bytes) -> str:
    """The only element of a run of one."""
    return zlib.decompress(packed).decode()


def take(
    packed: bytes, start: int, without: Collection[int], most: int
) -> tuple[bytes, int | None]:
    """At most so many elements of a run from a place on, some left out: their XML, and the
    place of the last one if there are more."""
    run = zlib.decompress(packed)
    if not start and not without and run.count(_PARTED) < most:
        return run.replace(_PARTED, b""), None
    elements = run.split(_PARTED)
    places = [i for i in range(start, len(elements)) if i not in without]
    taken = places[:most]
    cut = taken[-1] if len(places) > most else None
    return b"".join([elements[i] for i in taken]), cut
