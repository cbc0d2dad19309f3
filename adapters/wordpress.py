"""Portals made with WordPress, through its REST API. See ``docs/adapters/wordpress.md``.

What a portal calls its entries is no name to rely on: guids are made when an entry is, and may
hold the host it was written on. The number of an entry stays; type and number name it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from functools import partial
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Json, Page, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import absent, jsons, page_numbers

CROSSWALK = "wordpress"
DELETIONS = "absence"
INCREMENTAL = True
OVERLAP = timedelta(hours=26)
"""The API compares with the portal's own clock, of whatever time zone."""

_GONE = frozenset({"rest_post_invalid_id", "rest_forbidden", "rest_cannot_read"})
_UNWANTED = ("_links", "author", "guid", "ping_status", "comment_status", "meta", "template")
_DATES = ("modified_gmt", "date_gmt")


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    types: list[str] = field(default_factory=lambda: ["posts", "pages"])
    """The kinds of entries, by their names in the API; a portal may have its own."""
    languages_by: Literal["entry", "query", "prefix"] = "entry"
    """How a portal in several languages keeps them apart: entries say theirs (``lang``), or are
    asked for by ``?lang=``, or under ``/fr/wp-json``."""
    per_page: Annotated[int, Field(ge=1, le=100)] = 100
    """Entries in one answer; WordPress gives 100 at most."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The entries of a portal, type by type and language by language."""
    base = source.declared.url.rstrip("/")
    languages: list[str | None] = [None]
    if options.languages_by != "entry" and source.declared.languages:
        languages = list(source.declared.languages)
    lists = [(kind, lang) for kind in options.types for lang in languages]
    at = walk.checkpoint or {}
    first = min(int(at.get("list", 0)), len(lists))
    listed: set[str] = set()
    walk.next_since = walk.started
    for number in range(first, len(lists)):
        kind, lang = lists[number]
        start = int(at.get("page", 1)) if number == first else 1
        ask = page_numbers.Options(
            url=_list(base, kind, lang, options),
            parameters=_parameters(walk, lang, options),
            size=options.per_page,
        )
        try:
            async for rows in page_numbers.pages(fetch, walk, ask, start):
                page = _page(rows, kind, lang)
                fresh = [d for d in page.documents if d.identifier not in listed]
                listed.update(d.identifier for d in fresh)
                following = _following(number, rows.following, len(lists))
                yield Page(
                    payloads=page.payloads,
                    documents=fresh,
                    rejects=page.rejects,
                    checkpoint=following,
                    total=rows.total if len(lists) == 1 else None,
                )
        except FetchError as error:
            raise _without_api(error, base) from error
        if walk.short is not None:
            return
    whole = walk.since is None and walk.checkpoint is None
    if whole and source.deletions == "absence":
        async for page in absent.ask_for(walk, listed, partial(_gone, fetch, base)):
            yield page
    walk.covers_all = whole
    walk.complete = True


def _list(base: str, kind: str, lang: str | None, options: Options) -> str:
    prefix = f"/{lang}" if lang is not None and options.languages_by == "prefix" else ""
    return f"{base}{prefix}/wp-json/wp/v2/{kind}"


def _parameters(walk: Walk, lang: str | None, options: Options) -> tuple[tuple[str, str], ...]:
    # By number: what is new comes at the end, and pulls nothing out of its place.
    asked = [("orderby", "id"), ("order", "asc"), ("_embed", "wp:term,wp:featuredmedia")]
    if walk.since is not None:
        after = (walk.since - OVERLAP).astimezone(UTC)
        asked.append(("modified_after", after.strftime("%Y-%m-%dT%H:%M:%S")))
    if lang is not None and options.languages_by == "query":
        asked.append(("lang", lang))
    return tuple(asked)


def _following(number: int, page: int | None, lists: int) -> dict[str, Json] | None:
    if page is not None:
        return {"list": number, "page": page}
    return {"list": number + 1, "page": 1} if number + 1 < lists else None


def _page(rows: page_numbers.Rows, kind: str, lang: str | None) -> Page:
    documents: list[Document] = []
    rejects: list[Reject] = []
    for row in rows.rows:
        number = row.get("id")
        if isinstance(number, bool) or not isinstance(number, int | str) or number == "":
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
            continue
        documents.append(
            Document(
                identifier=f"{kind}-{number}",
                datestamp=next((str(row[k]) for k in _DATES if row.get(k)), None),
                body=_body(row, kind, lang),
            )
        )
    return Page(payloads=[rows.payload], documents=documents, rejects=rejects)


def _body(row: dict[str, Any], kind: str, lang: str | None) -> dict[str, Json]:
    """An entry with the names of its terms in place of their numbers, and its files."""
    embedded = row.get("_embedded") if isinstance(row.get("_embedded"), dict) else {}
    terms: dict[str, list[dict[str, Json]]] = {}
    for group in (embedded or {}).get("wp:term") or []:
        for term in group if isinstance(group, list) else []:
            if isinstance(term, dict) and term.get("name"):
                kept = {k: term[k] for k in ("name", "slug") if term.get(k)}
                terms.setdefault(str(term.get("taxonomy") or "term"), []).append(kept)
    media = [
        {k: item[k] for k in ("source_url", "mime_type") if item.get(k)}
        for item in (embedded or {}).get("wp:featuredmedia") or []
        if isinstance(item, dict) and item.get("source_url")
    ]
    entry = {k: v for k, v in row.items() if k not in _UNWANTED and k != "_embedded"}
    return (
        {"kind": kind, "lang": row.get("lang") or lang, "entry": entry}
        | ({"terms": terms} if terms else {})
        | ({"media": media} if media else {})
    )


async def _gone(fetch: Fetch, base: str, name: str) -> Page | None:
    """Ask for one entry: WordPress says in so many words that there is none, or that it is not
    for the public any more."""
    kind, _, number = name.rpartition("-")
    payload = await fetch(
        Request(
            url=f"{base}/wp-json/wp/v2/{kind}/{number}",
            headers={"Accept": "application/json"},
            accept=(200, 401, 403, 404),
        )
    )
    if payload.status == 200:
        return None
    answer = jsons.parse(payload.body, payload.url)
    code = answer.get("code") if isinstance(answer, dict) else None
    return absent.tombstone(name, payload) if code in _GONE else None


def _without_api(error: FetchError, base: str) -> Exception:
    """The error for a portal whose API does not answer, with another way in."""
    if error.status not in (401, 403, 404, 410):
        return error
    return ProtocolError(
        f'{error} If the REST API is switched off, `adapter = "feed"` with {base}/feed/ gives '
        'the newest entries, `adapter = "sitemap"` the pages.',
        reason="no_api",
    )
