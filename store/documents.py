"""What sources said, kept as it came: pages of payloads with the documents read from them.

One entry a page, not a document: a page is what came over the wire, it compresses ten times
better, and the engine is asked once instead of a hundred times.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bson import Binary
from gridfs import GridFS
from gridfs.errors import NoFile
from pymongo.database import Database

from chm_hub.document import Document, Page, Payload
from chm_hub.errors import StoreError

INLINE_LIMIT = 4 * 1024 * 1024
"""Of the packed bodies of a page so much stays with it, the rest goes to GridFS, and so do its
documents if they are larger: MongoDB's documents end at 16 MiB."""
REJECTS_LIMIT = 1024 * 1024
"""So much of what was rejected stands beside it; all of it is in the bodies."""
_LEVEL = 1


@dataclass(frozen=True, slots=True)
class PageRef:
    """Where a document is kept: the page and its number on the page."""

    page: str
    index: int


@dataclass(frozen=True, slots=True)
class KeptPage:
    """A page read back: payload descriptions without bodies, and the documents."""

    identifier: str
    source: str
    payloads: list[dict[str, Any]]
    documents: list[Document]


class Documents:
    """The raw store. Page identifiers are ``<source>/<run>/<number>``."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._pages = database["documents"]
        self._files = GridFS(database, "bodies")

    def keep(self, run: str, number: int, page: Page) -> str:
        """Keep a page as received and return its identifier. Safe to repeat."""
        identifier = f"{run}/{number}"
        payloads = []
        inline = 0
        for position, payload in enumerate(page.payloads):
            body = zlib.compress(payload.body, _LEVEL)
            name = f"{identifier}/{position}"
            if inline + len(body) > INLINE_LIMIT:
                self._files.delete(name)
                self._files.put(body, _id=name)
                stored: dict[str, Any] = {"file": name}
            else:
                inline += len(body)
                stored = {"body": Binary(body)}
            payloads.append(
                {
                    "url": payload.url,
                    "request": payload.request,
                    "status": payload.status,
                    "headers": [[name, value] for name, value in payload.headers.items()],
                    "fetched": payload.fetched,
                    "sha256": hashlib.sha256(payload.body).hexdigest(),
                    "size": len(payload.body),
                    **stored,
                }
            )
        lines = _pack(page.documents)
        documents: dict[str, Any] = {"documents": Binary(lines)}
        if len(lines) > INLINE_LIMIT:
            name = f"{identifier}/documents"
            self._files.delete(name)
            self._files.put(lines, _id=name)
            documents = {"documents_file": name}
        self._pages.replace_one(
            {"_id": identifier},
            {
                "_id": identifier,
                "source": run.partition("/")[0],
                "payloads": payloads,
                "rejects": _rejects(page),
                **documents,
            },
            upsert=True,
        )
        return identifier

    def page(self, identifier: str) -> KeptPage:
        """Read a page back. Raises :class:`StoreError` if it is not kept (any more)."""
        found = self.find(identifier)
        if found is None:
            raise StoreError(
                f"page {identifier} is not kept (any more). Harvest its source again: "
                f"chm-hub harvest {identifier.partition('/')[0]} --full"
            )
        return found

    def find(self, identifier: str) -> KeptPage | None:
        """Read a page back; ``None`` if it is not kept (any more)."""
        found = self._pages.find_one({"_id": identifier})
        if found is None:
            return None
        lines = found.get("documents")
        if lines is None:
            lines = self._files.get(found["documents_file"]).read()
        return KeptPage(
            identifier=identifier,
            source=found["source"],
            payloads=[
                {k: v for k, v in payload.items() if k not in ("body", "file")}
                for payload in found["payloads"]
            ],
            documents=_unpack(lines),
        )

    def let_go(self, identifier: str) -> None:
        """Delete a page: its files first, so that none is left that no page names."""
        found = self._pages.find_one({"_id": identifier})
        if found is None:
            return
        files = [payload.get("file") for payload in found["payloads"]]
        for name in (*files, found.get("documents_file")):
            if name is not None:
                self._files.delete(name)
        self._pages.delete_one({"_id": identifier})

    def payloads(self, identifier: str) -> Iterable[Payload]:
        """The answers of a page, bodies included, as received."""
        found = self._pages.find_one({"_id": identifier})
        for kept in (found or {}).get("payloads", ()):
            try:
                body = kept.get("body") or self._files.get(kept["file"]).read()
            except NoFile as error:
                raise StoreError(f"{identifier}: a kept body is gone from GridFS") from error
            yield Payload(
                url=kept["url"],
                status=kept["status"],
                headers=dict(kept["headers"]),
                body=zlib.decompress(body),
                fetched=kept["fetched"],
                request=kept["request"],
            )


def document_hash(document: Document) -> str:
    """A digest of what a document says. The date its source put on it is left out: some
    servers stamp everything anew every night."""
    text = json.dumps(document.body, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _rejects(page: Page) -> list[dict[str, Any]]:
    room = REJECTS_LIMIT
    kept = []
    for reject in page.rejects:
        fragment = reject.fragment[: min(65536, room)]
        room -= len(fragment)
        kept.append(
            {"reason": reject.reason, "identifier": reject.identifier, "fragment": fragment}
        )
    return kept


def _pack(documents: list[Document]) -> bytes:
    rows = [
        [
            d.identifier,
            d.datestamp,
            d.deleted,
            d.body,
            d.payload,
            *([d.repairs] if d.repairs or d.listed is not None else []),
            *([d.listed] if d.listed is not None else []),
        ]
        for d in documents
    ]
    return zlib.compress(json.dumps(rows, separators=(",", ":")).encode(), _LEVEL)


def _unpack(lines: bytes) -> list[Document]:
    return [
        Document(
            identifier=identifier,
            datestamp=datestamp,
            deleted=deleted,
            body=body,
            payload=more[0] if more else 0,
            repairs=tuple(more[1]) if len(more) > 1 else (),
            listed=more[2] if len(more) > 2 else None,
        )
        for identifier, datestamp, deleted, body, *more in json.loads(zlib.decompress(lines))
    ]
