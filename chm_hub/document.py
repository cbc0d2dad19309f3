"""What a source said: payloads as they came, and the documents read from them.

Harvesters make these, the pipeline hands them on, the store keeps them, crosswalks read
them. Nothing here knows a protocol.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from email.message import EmailMessage
from typing import Any

Json = Any
"""What ``json.loads`` can return."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Payload:
    """One answer of a server, kept as received (content encoding removed)."""

    url: str
    status: int
    headers: dict[str, str]
    body: bytes
    fetched: datetime
    request: str = ""
    """The body of a POST request; empty for GET."""

    def charset(self) -> str | None:
        """The encoding its server says it has."""
        for name, value in self.headers.items():
            if name.lower() == "content-type":
                message = EmailMessage()
                message["content-type"] = value
                return message.get_content_charset()
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One thing a source described, as plain JSON whatever the wire format was."""

    identifier: str
    """The source's own identifier, byte for byte."""
    body: Json = None
    """What crosswalks read; ``None`` for a deletion that came without content."""
    datestamp: str | None = None
    """The source's change date, as the source wrote it."""
    deleted: bool = False
    payload: int = 0
    """In which of its page's payloads it came."""
    repairs: tuple[str, ...] = ()
    """What had to be repaired to read it, as short stable words."""
    listed: str | None = None
    """In which of several lists of its source (OAI-PMH sets) it came; ``None`` where its source
    has one. A list can say that a document is gone from it, and no more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    """A piece of an answer that could not be read: quarantined, its neighbours go on."""

    reason: str
    identifier: str | None = None
    fragment: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One step of a walk: what came over the wire and the documents in it."""

    payloads: list[Payload]
    documents: list[Document] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Repairs and oddities of this page, as short stable words with an optional detail
    after a colon (``illegal_characters: 3``)."""
    checkpoint: dict[str, Json] | None = None
    """Where to go on after this page; ``None`` on the last page of a window."""
    total: int | None = None
    """How many documents the source says the walk will give, if it says so."""


@dataclass(slots=True, kw_only=True)
class Walk:
    """One walk over a source: what the harvester is asked for, and what it found out.

    A harvester is an async generator of pages that is given one of these. It fills in the
    lower half as it goes; raising ends the walk early, with what was yielded kept.
    """

    started: datetime
    """When it began by our clock; where it goes on at a checkpoint, when the one before began."""
    since: datetime | None = None
    """Only what changed since then; ``None`` for everything."""
    checkpoint: dict[str, Json] | None = None
    """Where an earlier walk was cut off; go on there if it can be done."""
    memory: dict[str, Json] = field(default_factory=dict)
    """What earlier walks learned about the server."""
    kept: Callable[[list[str]], Awaitable[dict[str, Document]]] | None = None
    """What the hub has of these native identifiers, so that it need not be fetched again."""
    live: Callable[[], Awaitable[list[str]]] | None = None
    """The native identifiers of all the source's live records, for a look at what is gone."""

    announces_more: bool = False
    """The source's file says that its lists announce more entries than they give."""

    lacking: int = 0
    """How many of the announced entries did not come, though each list was read to its end."""
    doubtful: set[str] = field(default_factory=set)
    """Native identifiers that one list said are gone, and of which the source does not say whether
    another has them: their records stay."""
    complete: bool = False
    """The walk came to its proper end."""
    covers_all: bool = False
    """What it gave is all the source has: what is not among it is gone."""
    there: set[str] = field(default_factory=set)
    """Native identifiers that no list held and that the source still answers for."""
    short: str | None = None
    """Why less came than the source announced, if so; such a walk is not complete."""
    next_since: datetime | None = None
    """Where the next incremental walk should begin."""
    learned: dict[str, Json] = field(default_factory=dict)
    """To be remembered for the next walk; a value of ``None`` forgets."""
    warnings: Counter[str] = field(default_factory=Counter)
