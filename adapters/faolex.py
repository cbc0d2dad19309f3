"""Laws of FAOLEX, from the feed that ECOLEX takes. See ``docs/adapters/faolex.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from pydantic import ConfigDict, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Json, Page, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import xml

CROSSWALK = "faolex"
DELETIONS = "tombstones"
INCREMENTAL = True
AT_ONCE = 500
"""Documents of one page of the walk: a feed is one file, however large."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``: nothing of its own."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The records of the feed."""
    headers = {}
    if walk.since is not None:
        named = {"If-None-Match": "etag", "If-Modified-Since": "modified"}
        headers = {h: walk.memory[key] for h, key in named.items() if walk.memory.get(key)}
    request = Request(url=source.declared.url, headers=headers, kinds=("xml",), accept=(200, 304))
    payload = await fetch(request)
    walk.next_since = walk.started
    if payload.status == 304:
        walk.complete = True
        return
    root, warnings = xml.parse(payload.body, payload.url)
    if xml.local(root.tag) != "gsafeed":
        raise ProtocolError(
            f"{payload.url}: XML, but not a feed of FAOLEX (its root is {xml.local(root.tag)}). "
            "Check the source's url.",
            reason="wrong_root",
        )
    answered = {name.lower(): value for name, value in payload.headers.items()}
    walk.learned["etag"] = answered.get("etag")
    walk.learned["modified"] = answered.get("last-modified")
    # A DTD is declared in every one of these feeds; that it is not read needs no warning.
    repairs = [said for said in warnings if said != "doctype_removed"]
    documents: list[Document] = []
    rejects: list[Reject] = []
    payloads = [payload]
    records = list(root.iter("record"))
    cut = xml.CUT_OFF in warnings
    if cut:
        walk.short = "the feed was cut off in the middle"
    for number, record in enumerate(records, 1):
        body = _body(record)
        name = _first(body["meta"], "faolexId") or body.get("url")
        # What came of the last one may be half of it.
        half = cut and number == len(records)
        if half or not name:
            reason = xml.CUT_OFF if half else "no_identifier"
            fragment = xml.to_bytes(record)[:4096]
            rejects.append(Reject(reason=reason, identifier=name, fragment=fragment))
            continue
        gone = record.get("action") == "delete"
        documents.append(Document(identifier=name, deleted=gone, body=None if gone else body))
        if len(documents) >= AT_ONCE:
            yield Page(payloads=payloads, documents=documents, rejects=rejects, warnings=repairs)
            documents, rejects, repairs = [], [], []
    yield Page(payloads=payloads, documents=documents, rejects=rejects, warnings=repairs)
    # What could be read of a broken feed is not known to be all of it.
    walk.covers_all = not cut and xml.RECOVERED not in warnings
    walk.complete = not cut


def _body(record: xml.Element) -> dict[str, Json]:
    """A record's address, and its metadata: each name with the list of its values."""
    meta: dict[str, list[str]] = {}
    for element in record.iter("meta"):
        name, value = element.get("name"), " ".join((element.get("content") or "").split())
        if name and value:
            meta.setdefault(name, []).append(value)
    return {"url": record.get("url"), "meta": meta}


def _first(meta: Json, name: str) -> str | None:
    values = meta.get(name) or []
    return str(values[0]) if values else None
