"""The manifest: for each set its size and a hash of what is in it, signed, so that whoever
harvested it sees in one request whether something is missing. One is made and kept each day;
:class:`Current` gives one as of now.

The hash of a set is the sum, modulo 2**256, of the SHA-256 of each of its records' lines
``identifier LF datestamp LF status`` (``live`` or ``deleted``), identifiers as the endpoint has
them; it does not depend on the order. The signature is Ed25519 (RFC 8032) over the manifest's
canonical JSON (keys sorted, no spaces, UTF-8) without ``signature``.
"""

from __future__ import annotations

import base64
import hashlib
import json
import math
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chm_hub.settings import Settings
from store import Store
from store.records import Snapshot

VERSION = 1
FRESH = 60.0
"""A manifest as of now is at most so many seconds old..."""
SHARE = 0.05
"""...unless making them would take more than this share of a process's time."""
_MODULUS = 2**256


def make(store: Store, settings: Settings, now: datetime) -> dict[str, Any]:
    """The manifest of the published records as they stand now, signed and kept for its day."""
    with store.explained():
        snapshot = store.records.snapshot()
        sums = _sums(store, settings, snapshot.bound)
        made = _manifest(store, settings, now, snapshot.as_of, sums)
        store.manifests.keep(made["date"], made)
    return made


class Current:
    """Manifests as of now. All records are read for one, so that it is made again only when
    something changed, and then at most once in :data:`FRESH` seconds and in a small share of
    the time: who asks in between is given the one before, which says of when it is."""

    def __init__(self, store: Store, settings: Settings) -> None:
        self._store, self._settings = store, settings
        self._making = threading.Lock()
        self._made: tuple[Snapshot, dict[str, _Sum]] | None = None
        """The last ones, and of when they are."""
        self._again = -math.inf
        """When the next may be made."""

    def get(self, now: datetime, spec: str | None = None) -> dict[str, Any] | None:
        """The manifest of all sets, or of one alone; ``None`` where there is no such set."""
        with self._store.explained():
            snapshot, sums = self._newest()
            if spec is not None:
                if spec not in sums:
                    return None
                sums = {spec: sums[spec]}
            return _manifest(self._store, self._settings, now, snapshot.as_of, sums)

    def _newest(self) -> tuple[Snapshot, dict[str, _Sum]]:
        # While another makes one, the one before is given; only for the first one waits.
        if not self._making.acquire(blocking=self._made is None):
            assert self._made is not None
            return self._made
        try:
            snapshot = self._store.records.snapshot()
            if self._made is not None and self._made[0].bound == snapshot.bound:
                self._made = snapshot, self._made[1]
            elif self._made is None or time.monotonic() >= self._again:
                began = time.monotonic()
                self._made = snapshot, _sums(self._store, self._settings, snapshot.bound)
                ended = time.monotonic()
                self._again = ended + max(FRESH, (ended - began) / SHARE)
            return self._made
        finally:
            self._making.release()


@dataclass(slots=True)
class _Sum:
    """What a set adds up to."""

    live: int = 0
    deleted: int = 0
    total: int = 0
    newest: str = ""

    def add(self, identifier: str, datestamp: str, *, deleted: bool) -> None:
        self.live += not deleted
        self.deleted += deleted
        self.total = (self.total + line_hash(identifier, datestamp, deleted=deleted)) % _MODULUS
        self.newest = max(self.newest, datestamp)

    def plain(self) -> dict[str, Any]:
        return {
            "live": self.live,
            "deleted": self.deleted,
            "newest": self.newest,
            "hash": f"{self.total:064x}",
        }


def _sums(store: Store, settings: Settings, bound: int) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = {}
    for spec, identifier, datestamp, deleted in store.records.memberships(bound):
        name = f"oai:{settings.repository_id}:{identifier}"
        sums.setdefault(spec, _Sum()).add(name, datestamp, deleted=deleted)
    return sums


def _manifest(
    store: Store, settings: Settings, now: datetime, as_of: datetime, sums: dict[str, _Sum]
) -> dict[str, Any]:
    """A signed manifest."""
    key = _key(store, settings)
    made: dict[str, Any] = {
        "version": VERSION,
        "repository": settings.repository_id,
        "base_url": f"{settings.base_url}/oai",
        "date": f"{now:%Y-%m-%d}",
        "made": f"{now:%Y-%m-%dT%H:%M:%SZ}",
        "until": f"{as_of:%Y-%m-%dT%H:%M:%SZ}",
        "sets": {spec: one.plain() for spec, one in sorted(sums.items())},
        "key": public_key(key),
    }
    made["signature"] = _base64(key.sign(canonical(made)))
    return made


def line_hash(identifier: str, datestamp: str, *, deleted: bool) -> int:
    """What one record adds to the hash of its sets."""
    status = "deleted" if deleted else "live"
    digest = hashlib.sha256(f"{identifier}\n{datestamp}\n{status}".encode()).digest()
    return int.from_bytes(digest, "big")


def set_hash(headers: Iterable[tuple[str, str, bool]]) -> str:
    """The hash of a set from its headers: identifier, datestamp, whether it is deleted."""
    total = sum(line_hash(name, stamp, deleted=gone) for name, stamp, gone in headers)
    return f"{total % _MODULUS:064x}"


def canonical(manifest: dict[str, Any]) -> bytes:
    """The bytes that are signed."""
    unsigned = {key: value for key, value in manifest.items() if key != "signature"}
    return json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def public_key(key: Ed25519PrivateKey) -> str:
    """A key's public half, base64."""
    return _base64(key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))


def _key(store: Store, settings: Settings) -> Ed25519PrivateKey:
    """The hub's key, made from the secret that signs tokens: one secret to keep. With another
    secret it is another key, and every manifest says by which it was signed."""
    secret = settings.secret_key.encode() or store.secret()
    seed = hashlib.blake2b(secret, digest_size=32, person=b"manifest").digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
