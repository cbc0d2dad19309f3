"""A look at an address: what was found there, and the few questions that may be asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chm_hub.addresses import urlsplit
from chm_hub.document import Json, Payload
from chm_hub.errors import FetchError, ProtocolError, SourceError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import jsons

PROBES = 5
"""Questions at most, beside robots.txt, and two to a repository about itself."""
JSON = "application/json, application/geo+json;q=0.9, */*;q=0.1"
_HOPELESS = ("egress", "dns", "refused", "timeout", "certificate")
"""Reasons for which no other question to the host would be answered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at an address: the facts of a source file."""

    adapter: str
    url: str
    title: str
    said: str
    """What it is, in words."""
    languages: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    keys: Mapping[str, Any] = field(default_factory=dict)
    """Further keys of the file, such as terms of use that are known."""
    hosts: tuple[str, ...] = ()
    """Hosts and mail addresses that it names as its own."""


class Look:
    """One look at an address, with what was tried for the message if nothing is found."""

    def __init__(self, fetch: Fetch, url: str) -> None:
        self.fetch = fetch
        self.url = url
        self.host = urlsplit(url).hostname or url
        self.tried: list[str] = []
        self.left = PROBES

    async def probe(
        self, url: str, accept: str | None = None, statuses: tuple[int, ...] = (200,)
    ) -> Payload | None:
        """The answer to one of the few questions, if there is one of use; ``accept`` is the kind
        that is asked for where a server has several, ``statuses`` are those that say something."""
        if not self.left:
            return None
        self.left -= 1
        return await self.get(url, accept, statuses)

    async def probe_json(self, url: str) -> Payload | None:
        """The same, in JSON."""
        return await self.probe(url, JSON)

    async def get(
        self, url: str, accept: str | None = None, statuses: tuple[int, ...] = (200,)
    ) -> Payload | None:
        """An answer that is not counted. Raises :class:`FetchError` where the host as a whole
        cannot be asked."""
        try:
            headers = {"Accept": accept} if accept else {}
            return await self.fetch(Request(url=url, accept=statuses, headers=headers))
        except (FetchError, ProtocolError) as error:
            self.tried.append(f"{urlsplit(url).path or '/'}: {error.reason}")
            if error.reason in _HOPELESS:
                raise
            return None

    async def json(self, url: str) -> Json:
        """The value of an answer in JSON; ``None`` if it is none."""
        payload = await self.probe_json(url)
        if payload is None or kind_of(payload.body) != "json":
            return None
        try:
            return jsons.read(payload, Counter())  # repairs are for harvests to count
        except ProtocolError:
            return None

    def nothing(self) -> SourceError:
        """The error for an address at which nothing is known."""
        tried = "; ".join(self.tried) or "no sign of a known platform on the page"
        return SourceError(
            f"{self.url}: no platform the hub knows answers there ({tried}). If you know what it "
            "is, name it with --adapter; docs/add-a-source.md lists them."
        )
