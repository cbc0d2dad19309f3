"""The Secretariat's index and documents: CHM, BCH, ABSCH, ORT. See ``docs/adapters/scbd.md``.

The index says what there is; the full document of a record is fetched only when its revision
is new, since the index lacks links and long texts. Records of the Secretariat itself
(meetings, notifications...) have no document behind them. There is no feed of deletions:
what left the index is asked for by name, and a date of deletion is a tombstone.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.addresses import urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import absent, jsons, solr
from harvesters.one_by_one import OneByOne

CROSSWALK = "scbd"
DELETIONS = "absence"
INCREMENTAL = False
OVERLAP = timedelta(hours=1)

INDEX_ONLY = frozenset(
    {
        "meeting",
        "meetingDocument",
        "notification",
        "pressRelease",
        "statement",
        "announcement",
        "news",
        "new",
        "decision",
        "recommendation",
        "decision-text",
        "sideEvent",
        "reservation",
        "endorsement",
        "treaty",
        "article",
    }
)
"""Schemas of the Secretariat's own records: an index row and nothing behind it."""
UNWANTED = frozenset({"stakeholderCredential"})
"""Schemas that hold personal data and nothing for the public."""

_REVISION = re.compile(r"-\d+$")


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    realm: Literal["chm", "bch", "abs", "ort"]
    """The clearing-house: central CHM, Biosafety, Access and Benefit-Sharing, or the Online
    Reporting Tool."""
    schemas: list[str] = field(default_factory=list)
    """Only these schemas; all if empty."""
    rows: Annotated[int, Field(ge=10, le=1000)] = 200
    """Rows of the index in one page."""
    documents: bool = True
    """Fetch full documents; without, only what the index row says is known."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The records of one realm, and those that left it."""
    api = _Api(fetch, _base(source.declared.url), options)
    filters = ["_state_s:public OR (*:* NOT _state_s:*)", "NOT version_s:*", _realms(options.realm)]
    if options.schemas:
        filters.append(f"schema_s:({' '.join(solr.quote(s) for s in options.schemas)})")
    if walk.since is not None:
        stamp = (walk.since - OVERLAP).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        # Meetings and old records lack a reliable date of change: they are asked for whole.
        filters.append(f"updatedDate_dt:[{stamp} TO *] OR (*:* NOT updatedDate_dt:*)")
    query = solr.Query(
        url=f"{api.base}/api/v2013/index/select",
        filters=tuple(filters),
        rows=options.rows,
    )
    listed: set[str] = set()
    async for rows in solr.pages(fetch, walk, query):
        page, names, ended = await _page(api, walk, rows)
        listed.update(names)
        yield page
        if ended is not None:
            raise ended
    walk.next_since = walk.started
    whole = walk.since is None and walk.checkpoint is None and walk.short is None
    if whole and source.deletions == "absence":
        async for page in absent.ask_for(walk, listed, partial(_gone, api)):
            yield page
    walk.covers_all = whole
    walk.complete = walk.short is None


class _Api:
    """The document store behind the index."""

    def __init__(self, fetch: Fetch, base: str, options: Options) -> None:
        self.fetch = fetch
        self.base = base
        self.options = options
        self.questions = OneByOne()

    async def document(self, identifier: str, realms: list[str]) -> Payload | None:
        """The full document, looked for in each realm that shows it; ``None`` if nowhere."""
        for realm in dict.fromkeys([self.options.realm.upper(), *realms]):
            payload = await self._get(f"/documents/{quote(identifier, safe='')}", realm)
            if payload is not None:
                return payload
        return None

    async def info(self, identifier: str) -> tuple[Payload, Json] | None:
        """The envelope of a record, also of a withdrawn one; ``None`` if it is not known."""
        path = f"/documents/{quote(identifier, safe='')}/info?include-deleted=true"
        payload = await self._get(path, self.options.realm.upper())
        if payload is None:  # shown here, but owned by another realm
            payload = await self._get(path, None)
        return None if payload is None else (payload, jsons.parse(payload.body, payload.url))

    async def _get(self, path: str, realm: str | None) -> Payload | None:
        headers = {"Accept": "application/json", **({"Realm": realm} if realm else {})}
        payload = await self.fetch(
            Request(
                url=f"{self.base}/api/v2013{path}",
                headers=headers,
                kinds=("json",),
                accept=(200, 404),
            )
        )
        return None if payload.status == 404 else payload


async def _page(
    api: _Api, walk: Walk, rows: solr.Rows
) -> tuple[Page, list[str], FetchError | ProtocolError | None]:
    """The documents of some rows, the names of their records, and what ended it before the last of
    them: nothing of those before it need be asked for again."""
    ended: FetchError | ProtocolError | None = None
    payloads = [rows.payload]
    documents: list[Document] = []
    rejects: list[Reject] = []
    names: list[str] = []
    named: list[tuple[str, dict[str, Json]]] = []
    for row in rows.rows:
        name = native_identifier(row)
        if name is None:
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
        elif _schema(row) not in UNWANTED:
            named.append((name, row))
            names.append(name)
    wanted = [name for name, row in named if _has_document(api, row)]
    kept = await walk.kept(wanted) if walk.kept is not None and wanted else {}
    for name, row in named:
        full: Json = None
        if _has_document(api, row):
            old = kept.get(name)
            if old is not None and old.body and _same_revision(old.body, row):
                full = old.body["document"]
            else:
                try:
                    payload = await api.document(name, _as_list(row.get("realm_ss")))
                except (FetchError, ProtocolError) as error:
                    if api.questions.end_with(error):
                        ended = error
                        break
                    # One document that cannot be had is set aside, the others go on (R7).
                    rejects.append(Reject(reason=error.reason, identifier=name))
                    continue
                api.questions.answered()
                if payload is None:
                    walk.warnings["document_not_found"] += 1
                else:
                    payloads.append(payload)
                    try:
                        full = jsons.read(payload, walk.warnings)
                    except ProtocolError as error:
                        rejects.append(Reject(reason=error.reason, identifier=name))
                        continue
        documents.append(
            Document(
                identifier=name,
                datestamp=_first(row.get("updatedDate_dt")),
                body={
                    "index": row,
                    "document": full,
                    "realm": api.options.realm,
                    "identifier": name,
                },
            )
        )
    page = Page(
        payloads=payloads,
        documents=documents,
        rejects=rejects,
        checkpoint=None if ended is not None else rows.following,
        total=rows.found,
    )
    return page, names, ended


async def _gone(api: _Api, name: str) -> Page | None:
    """The envelope of a record that left the index; with a date of deletion it is a tombstone."""
    found = await api.info(name)
    if found is None:
        return None
    payload, info = found
    deleted = info.get("deletedOn") if isinstance(info, dict) else None
    return absent.tombstone(name, payload, str(deleted)) if deleted else None


def native_identifier(row: dict[str, Any]) -> str | None:
    """What a row's record is called over all its revisions: its GUID, else its unique
    identifier without the revision, else the row's own id."""
    guid = _first(row.get("identifier_s"))
    if guid:
        return guid
    uid = _first(row.get("uniqueIdentifier_s"))
    if uid:
        return _REVISION.sub("", uid)
    return _first(row.get("id"))


def _has_document(api: _Api, row: dict[str, Any]) -> bool:
    return (
        api.options.documents
        and bool(_first(row.get("identifier_s")))
        and _schema(row).removeprefix("x-") not in INDEX_ONLY
    )


def _same_revision(body: Any, row: dict[str, Any]) -> bool:
    old = body.get("index") or {}
    same = ("_revision_i", "updatedDate_dt")
    return bool(body.get("document")) and all(old.get(k) == row.get(k) for k in same)


def _schema(row: dict[str, Any]) -> str:
    return _first(row.get("schema_s")) or ""


def _first(value: Any) -> str | None:
    """A value that is a string or a list of them, as the index has it from year to year."""
    if isinstance(value, list):
        value = value[0] if value else None
    return None if value is None or value == "" else str(value)


def _as_list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [] if value is None else [value]
    return [str(v).upper() for v in values]


def _realms(realm: str) -> str:
    # The data hold both forms.
    return f"realm_ss:({realm} {realm.upper()})"


def _base(url: str) -> str:
    parts = urlsplit(url)
    path = parts.path.partition("/api/")[0].rstrip("/")
    return f"{parts.scheme}://{parts.netloc}{path}"
