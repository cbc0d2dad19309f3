"""Everything in the store in one file, whatever engine it came from and whatever it goes to.

The file is gzip of length-prefixed parts: 4 bytes (big-endian) of length, then a BSON document.
The first part is the header (``format``, ``schema``, ``made``, ``hub``); then a part
``{collection: name}`` before the documents of each collection; last a part ``{end: true,
counts: {...}, sha256: of all parts before it}``. A file without that end is not whole.

A backup may be taken while harvests write: collections are copied in an order that can be mended
when they are restored (:meth:`store.records.Records.mend`).
"""

from __future__ import annotations

import gzip
import hashlib
import secrets
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import bson
from pymongo import ReplaceOne
from pymongo.database import Database

from chm_hub.errors import StoreError
from store.leases import Leases
from store.records import SCHEMA, Records

FORMAT = 1
RESTORED = "restored"
"""The collection that says which restore this store is from; see :func:`restoration`."""
TRANSIENT = frozenset({"leases", "hosts", RESTORED})
"""Collections that mean nothing on another day: who was at what."""
FIRST = ("cursors", "schedule", "state", "batches", "records")
"""Cursors before what they lead to: a store that is restored asks for too much, never for too
little. A record after the batch it is in: what moved meanwhile is at its old place in no record,
and at its new place in no batch; both can be told and mended."""
PART = 200
LARGEST = 64 * 1024 * 1024
_SIZE = 4
UNCHANGED = "Nothing was changed; take another copy"
_AWARE: bson.CodecOptions[dict[str, Any]] = bson.CodecOptions(tz_aware=True)

Tell = Callable[[str, int], None]
"""Called with a collection's name and how many of its documents were done."""


def backup(
    database: Database[dict[str, Any]], path: Path, now: datetime, tell: Tell
) -> Counter[str]:
    """Write a backup; how many documents of each collection it holds.

    The file is there when it is whole, readable by its owner alone: it has the secret that signs
    resumption tokens. Raises :class:`StoreError` where it cannot be written.
    """
    counts: Counter[str] = Counter()
    temporary = path.with_name(path.name + ".part")
    digest = hashlib.sha256()
    try:
        temporary.unlink(missing_ok=True)
        temporary.touch(mode=0o600)
        with gzip.open(temporary, "wb", compresslevel=3) as file:

            def put(document: dict[str, Any]) -> None:
                encoded = bson.encode(document)
                part = len(encoded).to_bytes(_SIZE, "big") + encoded
                digest.update(part)
                file.write(part)

            put({"format": FORMAT, "schema": SCHEMA, "made": now, "hub": "chm-hub"})
            for name in _ordered(database):
                put({"collection": name})
                for document in database[name].find({}, batch_size=PART):
                    put({"document": document})
                    counts[name] += 1
                    if counts[name] % 1000 == 0:
                        tell(name, counts[name])
                tell(name, counts[name])
            total = digest.hexdigest()
            put({"end": True, "counts": dict(counts), "sha256": total})
        temporary.replace(path)
    except OSError as error:
        with suppress(OSError):  # where nothing can be written there is nothing
            temporary.unlink(missing_ok=True)
        raise StoreError(
            f"{path}: cannot be written: {error.strerror or error}. Nothing was left behind; "
            "choose another place, or make room"
        ) from error
    return counts


def _ordered(database: Database[dict[str, Any]]) -> list[str]:
    names = [n for n in database.list_collection_names() if not n.startswith("system.")]
    later = sorted(n for n in names if n not in FIRST and n not in TRANSIENT)
    return [*(n for n in FIRST if n in names), *later]


def check(path: Path) -> dict[str, Any]:
    """Read a backup through: its header, with ``counts``.

    Raises :class:`StoreError` for a file that is none, is damaged or cut off, or was made by a
    later version.
    """
    header: dict[str, Any] = {}
    for part in _parts(path):
        if not header:
            header = part
            if part.get("format") != FORMAT or part.get("hub") != "chm-hub":
                raise StoreError(
                    f"{path}: not a backup of this hub, or one of a later version (format "
                    f"{part.get('format')}). Restore it with the version that made it"
                )
            if int(part["schema"]) > SCHEMA:
                raise StoreError(
                    f"{path}: made by a later version of the hub. Install that one, then restore"
                )
        elif "counts" in header:
            raise StoreError(
                f"{path}: something follows its end: two files in one? {UNCHANGED}, each by itself"
            )
        elif part.get("end"):
            header["counts"] = part["counts"]
    if "counts" not in header:
        raise StoreError(f"{path}: is cut off: its end is missing. {UNCHANGED}")
    return header


def _parts(path: Path, advice: str = UNCHANGED) -> Iterator[dict[str, Any]]:
    """The parts of a file. Raises :class:`StoreError` where it is damaged, with ``advice``."""
    digest = hashlib.sha256()
    try:
        with gzip.open(path, "rb") as file:
            while size := file.read(_SIZE):
                length = int.from_bytes(size, "big")
                if not 4 < length <= LARGEST:
                    raise ValueError("a part of an impossible size")
                encoded = file.read(length)
                if len(encoded) < length:
                    raise EOFError("in the middle of a part")
                part: dict[str, Any] = bson.decode(encoded, _AWARE)
                if part.get("end") and part.get("sha256") != digest.hexdigest():
                    raise ValueError("its digest is another")
                digest.update(size + encoded)
                yield part
    except FileNotFoundError as error:
        raise StoreError(f"{path}: no such file") from error
    except (OSError, EOFError, ValueError, zlib.error, bson.errors.BSONError) as error:
        raise StoreError(f"{path}: not a backup, or damaged ({error}). {advice}") from error


def is_empty(database: Database[dict[str, Any]]) -> bool:
    """Whether a store holds nothing that a restore would overwrite."""
    return not any(
        database[name].find_one({}, {"_id": 1}) is not None
        for name in ("records", "batches", "runs", "documents")
    )


def restoration(database: Database[dict[str, Any]]) -> str | None:
    """From which restore a store is: another one each time something was restored into it."""
    found = database[RESTORED].find_one({"_id": "last"})
    return None if found is None else str(found["token"])


def restore(
    database: Database[dict[str, Any]], path: Path, now: datetime, tell: Tell
) -> Counter[str]:
    """Put a backup that was checked in place of all there is; how many documents came.

    The caller prepares the store before it is used (indexes). Raises :class:`StoreError` where
    somebody is harvesting. Who begins to at the same moment finds another :func:`restoration`.
    """
    if writing := Leases(database).live(now):
        raise StoreError(
            f"{', '.join(writing)}: being harvested. Nothing was changed; stop the schedulers and "
            "workers, wait for what is under way (or stop it, too), then restore"
        )
    database[RESTORED].replace_one(
        {"_id": "last"}, {"_id": "last", "token": secrets.token_hex(8), "at": now}, upsert=True
    )
    for name in _ordered(database):
        database.drop_collection(name)
    counts: Counter[str] = Counter()
    name = ""
    waiting: list[ReplaceOne[dict[str, Any]]] = []

    def write() -> None:
        if waiting:
            database[name].bulk_write(waiting, ordered=False)
            tell(name, counts[name])
            waiting.clear()

    advice = "The store has a part of it; restore another copy with --replace"
    for part in _parts(path, advice):
        if "collection" in part:
            write()
            name = part["collection"]
        elif "document" in part:
            document = part["document"]
            waiting.append(ReplaceOne({"_id": document["_id"]}, document, upsert=True))
            counts[name] += 1
            if len(waiting) >= PART:
                write()
    write()
    Records(database).mend(now)
    return counts
