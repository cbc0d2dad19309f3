"""The daily manifest: for each set its size and a hash of what is in it, signed, so that whoever
harvested it sees in one request whether something is missing.

The hash of a set is the sum, modulo 2**256, of the SHA-256 of each of its records' lines
``identifier LF datestamp LF status`` (``live`` or ``deleted``), identifiers as the endpoint has
them; it does not depend on the order. The signature is Ed25519 (RFC 8032) over the manifest's
canonical JSON (keys sorted, no spaces, UTF-8) without ``signature``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from chm_hub.settings import Settings
from store import Store

VERSION = 1
_MODULUS = 2**256


def make(store: Store, settings: Settings, now: datetime) -> dict[str, Any]:
    """The manifest of the published records as they stand now, signed and kept for its day."""
    with store.explained():
        snapshot = store.records.snapshot()
        sums: dict[str, list[int]] = {}
        for spec, identifier, datestamp, deleted in store.records.memberships(snapshot.bound):
            entry = sums.setdefault(spec, [0, 0, 0])
            name = f"oai:{settings.repository_id}:{identifier}"
            entry[deleted] += 1
            entry[2] = (entry[2] + line_hash(name, datestamp, deleted=deleted)) % _MODULUS
        key = _key(store)
        manifest: dict[str, Any] = {
            "version": VERSION,
            "repository": settings.repository_id,
            "base_url": f"{settings.base_url}/oai",
            "date": f"{now:%Y-%m-%d}",
            "made": f"{now:%Y-%m-%dT%H:%M:%SZ}",
            "until": f"{snapshot.as_of:%Y-%m-%dT%H:%M:%SZ}",
            "sets": {
                spec: {"live": live, "deleted": gone, "hash": f"{total:064x}"}
                for spec, (live, gone, total) in sorted(sums.items())
            },
            "key": public_key(key),
        }
        manifest["signature"] = _base64(key.sign(canonical(manifest)))
        store.manifests.keep(manifest["date"], manifest)
    return manifest


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


def _key(store: Store) -> Ed25519PrivateKey:
    """The hub's key, made from the secret that signs tokens: one secret to keep."""
    seed = hashlib.blake2b(store.secret(), digest_size=32, person=b"manifest").digest()
    return Ed25519PrivateKey.from_private_bytes(seed)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode()
