"""Records as the OAI-PMH elements that answers are made of, rendered once when they are written.

Those of a batch are packed into one run, ten to a chunk, so that one can be had without the
others; NUL parts them (XML has none). Our identifiers begin
with :data:`OWN` here: the store does not know under which domain they are published.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Sequence
from xml.sax.saxutils import escape

OWN = "\x01"
"""What the endpoint makes ``oai:<domain>:`` of; XML has no such character either."""
CHUNK = 10
"""Elements packed together: a walk of everything unpacks ten chunks for a part, one of a set
that is thinly spread no more than it needs."""
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


def pack(elements: Sequence[str]) -> list[bytes]:
    """A run, packed in chunks of :data:`CHUNK`."""
    return [
        zlib.compress("\0".join(elements[start : start + CHUNK]).encode(), 1)
        for start in range(0, len(elements), CHUNK)
    ]


def pick(chunks: Sequence[bytes], places: Iterable[int]) -> list[bytes]:
    """The elements at some places of a run."""
    unpacked: dict[int, list[bytes]] = {}
    picked = []
    for place in places:
        chunk, index = divmod(place, CHUNK)
        if chunk not in unpacked:
            unpacked[chunk] = _unpack(chunks[chunk])
        picked.append(unpacked[chunk][index])
    return picked


def take(
    chunks: Sequence[bytes], start: int, without: Collection[int], most: int
) -> tuple[bytes, int | None]:
    """At most so many elements of a run from a place on, some left out: their XML, and the
    place of the last one if there are more."""
    if not start and not without and len(chunks) * CHUNK <= most:
        return b"".join([zlib.decompress(c).replace(_PARTED, b"") for c in chunks]), None
    size = (len(chunks) - 1) * CHUNK + len(_unpack(chunks[-1]))
    places = [i for i in range(start, size) if i not in without]
    cut = places[most - 1] if len(places) > most else None
    return b"".join(pick(chunks, places[:most])), cut


def _unpack(chunk: bytes) -> list[bytes]:
    return zlib.decompress(chunk).split(_PARTED)
