"""The Convention's website: meetings, decisions, articles. See ``docs/adapters/cbd_website.md``.

Its interfaces take their questions as MongoDB has them, in JSON: ``q`` what, ``s`` in which
order, ``l`` how many, ``sk`` after how many.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import json_api, jsons
from harvesters.one_by_one import OneByOne

CROSSWALK = "cbd_website"
DELETIONS = "absence"
INCREMENTAL = False


@dataclass(frozen=True, slots=True)
class _List:
    path: str
    sort: str
    identifiers: tuple[str, ...]
    datestamps: tuple[str, ...] = ()


_LISTS = {
    # In an order that does not change when something new comes.
    "meetings": _List("/api/v2016/meetings", "_id", ("EVT_CD", "_id")),
    "decisions": _List("/api/v2021/decisions", "code", ("code", "_id")),
    "articles": _List("/api/v2017/articles", "_id", ("_id",)),
}
_NOT_PUBLIC = "SCBD/LOG"
"""Begins the symbols of documents that are not public."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    what: Literal["meetings", "decisions", "articles"]
    """Which of the site's lists."""
    query: dict[str, Any] = field(default_factory=dict)
    """What to ask for, as MongoDB has it; everything if empty."""
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    """Entries in one answer."""
    paragraphs: bool = True
    """Decisions: read the paragraphs of each, with their targets and subjects, when it changed."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The entries of one list."""
    base = source.declared.url.rstrip("/")
    chosen = _LISTS[options.what]
    ask = json_api.Options(
        url=base + chosen.path,
        parameters=(
            ("q", json.dumps(options.query, separators=(",", ":"))),
            ("s", json.dumps({chosen.sort: 1}, separators=(",", ":"))),
        ),
        limit=options.limit,
        limit_key="l",
        offset_key="sk",
        list_key="",
        identifiers=chosen.identifiers,
        datestamps=("updatedOn", "modifiedOn"),
        deleted_key="",
        kind=options.what,
    )
    questions = OneByOne()
    async for page in json_api.harvest(fetch, walk, ask):
        if options.what != "decisions" or not options.paragraphs:
            yield page
            continue
        page, ended = await _with_paragraphs(fetch, walk, base, page, questions)
        yield page
        if ended is not None:
            raise ended


async def _with_paragraphs(
    fetch: Fetch, walk: Walk, base: str, page: Page, questions: OneByOne
) -> tuple[Page, FetchError | ProtocolError | None]:
    """The decisions of a page with their paragraphs, kept ones where nothing changed, and what
    ended it before the last of them."""
    names = [document.identifier for document in page.documents]
    kept = await walk.kept(names) if walk.kept is not None else {}
    documents: list[Document] = []
    payloads: list[Payload] = list(page.payloads)
    rejects: list[Reject] = list(page.rejects)
    for document in page.documents:
        before = kept.get(document.identifier)
        if before is not None and before.body and before.body["entry"] == document.body["entry"]:
            documents.append(replace(document, body=before.body))
            continue
        code = quote(document.identifier, safe="")
        try:
            payload = await fetch(
                Request(
                    url=f"{base}/api/v2021/decisions/{code}/tree",
                    headers={"Accept": "application/json"},
                    kinds=("json",),
                    accept=(200, 404),
                )
            )
            nodes = [] if payload.status == 404 else _nodes(jsons.read(payload, walk.warnings))
        except (FetchError, ProtocolError) as error:
            if questions.end_with(error):
                some = replace(page, payloads=payloads, documents=documents, rejects=rejects)
                return replace(some, checkpoint=None), error
            rejects.append(Reject(reason=error.reason, identifier=document.identifier))
            continue
        questions.answered()
        payloads.append(payload)
        documents.append(replace(document, body={**document.body, "paragraphs": nodes}))
    return replace(page, payloads=payloads, documents=documents, rejects=rejects), None


def _nodes(tree: Json) -> list[Json]:
    """The paragraphs of a decision's tree, in their order, without what is not public."""
    found: list[Json] = []
    waiting = tree if isinstance(tree, list) else [tree]
    while waiting:
        node, *waiting = waiting
        if not isinstance(node, dict):
            continue
        inside = node.get("nodes")
        waiting = [*(inside if isinstance(inside, list) else []), *waiting]
        kept = {key: value for key, value in node.items() if key != "nodes" and value}
        named = kept.get("documents")
        if isinstance(named, list):
            kept["documents"] = [d for d in named if not str(d).startswith(_NOT_PUBLIC)]
        if kept.get("code"):
            found.append(kept)
    return found
