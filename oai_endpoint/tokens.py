"""Resumption tokens: a place in a list, signed, with nothing kept on our side.

The same token always gives the same part. It lives on over restarts, deployments and any
number of workers; the store's key signs it (OAI-PMH 2.0 §3.5; rules P8).
"""

from __future__ import annotations

import json
from dataclasses import astuple, dataclass
from datetime import timedelta
from typing import Any

from itsdangerous import BadData, URLSafeSerializer

VERSION = 1
LIFE = timedelta(days=2)
"""What we promise in ``expirationDate``; in truth a token has no end."""
LONGEST = 2048


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a list, and the question the list answers."""

    verb: str
    prefix: str
    set_spec: str
    since: str
    until: str
    position: int
    bound: int
    cursor: int
    """Records given before this part."""
    size: int
    """Records in the whole list; -1 if that is not known."""


class Tokens:
    """Writes and reads tokens with one key."""

    def __init__(self, key: bytes) -> None:
        self._serializer = URLSafeSerializer(key, salt="resumption", serializer=_Compact)

    def write(self, place: Place) -> str:
        """A token for a place."""
        written = self._serializer.dumps([VERSION, *astuple(place)])
        return written if isinstance(written, str) else written.decode()

    def read(self, token: str, verb: str) -> Place | None:
        """The place of a token; ``None`` if it is not one of ours, or not for this verb."""
        if len(token) > LONGEST:
            return None
        try:
            version, *values = self._serializer.loads(token)
            place = Place(*values)
        except (BadData, ValueError, TypeError):
            return None
        # Every URL-safe text has several spellings in base64; only ours is a token.
        if version != VERSION or place.verb != verb or self.write(place) != token:
            return None
        return place


class _Compact:
    @staticmethod
    def dumps(value: Any) -> str:
        return json.dumps(value, separators=(",", ":"))

    @staticmethod
    def loads(text: str | bytes) -> Any:
        return json.loads(text)
