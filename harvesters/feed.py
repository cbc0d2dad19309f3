"""RSS 0.9x to 2.0, RSS 1.0 (RDF), Atom and their relatives, read by feedparser; JSON Feed.

A feed is a window on what is new: what is no longer in it is not gone (rule R11).
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import feedparser
from feedparser.mixin import _FeedParserMixin

from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import is_whole, kind_of
from harvesters import jsons

CUT_OFF = "cut_off"
LEAST_AGAIN = 3
CHANGED_SHARE = 0.8
"""Of at least so many entries met again, so many have another id: ids mean nothing here."""
REMEMBERED = 1_000
"""Entries whose names are remembered."""
MOST_TAGS = 1_000
"""Categories read of one entry. feedparser compares each with all before it: of a hundred
thousand it would make minutes."""
TAGS_CUT = "categories_cut"
_TEXTS = ("title", "subtitle", "summary", "rights")
_EVENT = {
    "start": "startdate",
    "end": "enddate",
    "location": "location",
    "organizer": "organizer",
    "type": "type",
}
_PLAIN = ("id", "link", "published", "updated", "created", "author", "language", "comments")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask for one feed."""

    url: str
    follow_next: bool = False
    """Follow ``rel="next"`` links (RFC 5005) into the past."""
    max_pages: int = 50


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Read a feed, asking only for what changed if its server can tell (RFC 9110 §13).

    Documents have the body ``{"feed": {...}, "entry": {...}}``. Raises
    :class:`ProtocolError` (reason ``not_feed``) for an answer that is no feed.
    """
    url: str | None = options.url
    used: set[str] = set()
    names = _Names(walk)
    walk.next_since = walk.started
    while url is not None:
        if url in used:
            walk.short = "a next link came twice: the feed sends us round in circles"
            return
        if len(used) >= options.max_pages:
            walk.short = f"the limit of {options.max_pages} pages was reached"
            return
        first = not used
        used.add(url)
        payload = await fetch(
            Request(
                url=url,
                headers=_conditions(walk) if first else {},
                kinds=("xml", "json", "text"),
                accept=(200, 304),
            )
        )
        if payload.status == 304:
            break
        # A large feed takes feedparser a while, in which others go on.
        page, url = await asyncio.to_thread(read_feed, payload)
        page = names.settle(page)
        if first:
            walk.learned["etag"] = _header(payload, "etag")
            walk.learned["modified"] = _header(payload, "last-modified")
        yield page
        if CUT_OFF in page.warnings:
            walk.short = "the feed was cut off in the middle"
            return
        if not options.follow_next:
            break
    names.remember()
    walk.complete = True


class _Names:
    """What entries are called from one reading of a feed to the next.

    A feed that makes up new ids each time it is asked would give all its entries anew each
    time. So it is remembered under which name an entry's link was known. Where most links of
    the last reading have other ids now, the ids are of no use: from then on entries go by their
    links, and those that have a name already keep it (rule R9).
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        known = walk.memory.get("names")
        self._known: dict[str, str] = dict(known) if isinstance(known, dict) else {}
        self._by_link = bool(walk.memory.get("by_link"))
        self._met: dict[str, str] = {}

    def settle(self, page: Page) -> Page:
        """The page, its entries under the names they are known by."""
        links = [_link(document) for document in page.documents]
        single = Counter(link for link in links if link)
        places = [link if link and single[link] == 1 else None for link in links]
        if not self._by_link:
            again = [
                self._known[link] != document.identifier
                for link, document in zip(places, page.documents, strict=True)
                if link in self._known
            ]
            if len(again) >= LEAST_AGAIN and sum(again) > CHANGED_SHARE * len(again):
                self._by_link = True
        if self._by_link:
            self._walk.warnings["ids_change"] += 1
        documents = []
        for link, document in zip(places, page.documents, strict=True):
            if self._by_link and link is not None:
                document = replace(document, identifier=self._known.get(link, link))
            if link is not None:
                self._met[link] = document.identifier
            documents.append(document)
        return replace(page, documents=documents)

    def remember(self) -> None:
        """Hand what was met to the next reading; what was met before is kept while there is
        room, since entries come back."""
        if not self._met:
            return
        names = {**self._met, **{k: v for k, v in self._known.items() if k not in self._met}}
        self._walk.learned["names"] = dict(list(names.items())[:REMEMBERED])
        self._walk.learned["by_link"] = self._by_link or None


def _link(document: Document) -> str | None:
    entry = document.body.get("entry") if isinstance(document.body, dict) else None
    link = entry.get("link") if isinstance(entry, dict) else None
    return link if isinstance(link, str) and link.startswith(("http://", "https://")) else None


_add_tag = _FeedParserMixin._add_tag


def _add_some(parser: Any, term: Any, scheme: Any, label: Any) -> None:
    if len(parser._get_context().get("tags", ())) < MOST_TAGS:
        _add_tag(parser, term, scheme, label)


_FeedParserMixin._add_tag = _add_some


def read_feed(payload: Payload) -> tuple[Page, str | None]:
    """The page of documents in a feed, and the address of the next one, if it names one."""
    if kind_of(payload.body) == "json":
        return _read_json_feed(payload)
    headers = {name.lower(): value for name, value in payload.headers.items()}
    parsed = feedparser.parse(
        payload.body,
        response_headers={
            "content-location": payload.url,
            **({"content-type": headers["content-type"]} if "content-type" in headers else {}),
        },
    )
    entries = parsed.get("entries", [])
    if not parsed.get("version") and not entries:
        raise ProtocolError(
            f"{payload.url}: not a feed (no RSS, Atom or RDF in it). Look for the feed's address "
            "on the portal's pages and correct the source's url.",
            reason="not_feed",
        )
    warnings = []
    if parsed.get("bozo"):
        warnings.append(f"not_well_formed: {type(parsed.get('bozo_exception')).__name__}")
    if any(len(entry.get("tags", ())) >= MOST_TAGS for entry in entries):
        warnings.append(TAGS_CUT)
    head = _plain(parsed.get("feed", {}))
    rejects = []
    if parsed.get("bozo") and not is_whole(payload.body):
        # What came of the last entry may be half of it.
        warnings.append(CUT_OFF)
        rejects = [
            Reject(reason=CUT_OFF, identifier=entry.get("id") or entry.get("link"))
            for entry in entries[-1:]
        ]
        entries = entries[:-1]
    keys = _identifiers(entries)
    documents = [
        Document(
            identifier=key,
            body={"feed": head, "entry": _plain(entry)},
            datestamp=entry.get("updated") or entry.get("published"),
        )
        for key, entry in zip(keys, entries, strict=True)
    ]
    following = next(
        (
            link.get("href")
            for link in parsed.get("feed", {}).get("links", [])
            if link.get("rel") == "next" and link.get("href")
        ),
        None,
    )
    page = Page(payloads=[payload], documents=documents, rejects=rejects, warnings=warnings)
    return page, following


def _read_json_feed(payload: Payload) -> tuple[Page, str | None]:
    """A JSON Feed (jsonfeed.org, version 1), as feedparser would have it of another feed."""
    answer = jsons.parse(payload.body, payload.url)
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or "jsonfeed" not in str(answer.get("version")):
        raise ProtocolError(
            f"{payload.url}: JSON, but not a JSON Feed. Look for the feed's address on the "
            "portal's pages and correct the source's url.",
            reason="not_feed",
        )
    head = {
        "title": {"value": str(answer["title"])} if answer.get("title") else None,
        "link": answer.get("home_page_url"),
        "language": answer.get("language"),
    }
    entries = [_json_entry(item) for item in items if isinstance(item, dict)]
    documents = [
        Document(
            identifier=key,
            body={"feed": {k: v for k, v in head.items() if v}, "entry": entry},
            datestamp=entry.get("updated") or entry.get("published"),
        )
        for key, entry in zip(_identifiers(entries), entries, strict=True)
    ]
    following = answer.get("next_url")
    return Page(payloads=[payload], documents=documents), str(following) if following else None


def _json_entry(item: dict[str, Any]) -> dict[str, Json]:
    html, text = item.get("content_html"), item.get("content_text")
    made: dict[str, Json] = {
        "id": str(item["id"]) if item.get("id") is not None else None,
        "link": item.get("url") or item.get("external_url"),
        "title": {"value": item["title"]} if item.get("title") else None,
        "summary": {"value": item["summary"]} if item.get("summary") else None,
        "content": [
            {"value": value, "type": kind}
            for value, kind in ((html, "text/html"), (text, "text/plain"))
            if value
        ],
        "published": item.get("date_published"),
        "updated": item.get("date_modified"),
        "language": item.get("language"),
        "authors": [
            {"name": author["name"]}
            for author in (item.get("authors") or [item.get("author") or {}])
            if author.get("name")
        ],
        "tags": [{"term": str(tag)} for tag in item.get("tags") or []],
        "enclosures": [
            {"href": file["url"], "type": file.get("mime_type", "")}
            for file in item.get("attachments") or []
            if file.get("url")
        ],
    }
    return {key: value for key, value in made.items() if value}


def _identifiers(entries: list[Any]) -> list[str]:
    """What each entry is called: its id, else its link, else a digest of link and title (R9).

    An id or link that several entries of one feed share names none of them: those take the
    digest, so that none is lost.
    """
    first = [entry.get("id") or entry.get("link") or _digest(entry) for entry in entries]
    shared = Counter(first)
    keys = [
        key if shared[key] == 1 else f"{key}#{_digest(entry)}"
        for key, entry in zip(first, entries, strict=True)
    ]
    again: Counter[str] = Counter()
    for index, key in enumerate(keys):
        again[key] += 1
        if again[key] > 1:  # the same to the letter, several times over
            keys[index] = f"{key}.{again[key]}"
    return keys


def _digest(entry: Any) -> str:
    parts = [str(entry.get(name, "")) for name in ("link", "title", "published", "summary")]
    return hashlib.sha256("\n".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _conditions(walk: Walk) -> dict[str, str]:
    if walk.since is None:
        return {}
    named = {"If-None-Match": "etag", "If-Modified-Since": "modified"}
    return {header: walk.memory[key] for header, key in named.items() if walk.memory.get(key)}


def _header(payload: Payload, name: str) -> str | None:
    return next((v for k, v in payload.headers.items() if k.lower() == name), None)


def _plain(source: Any) -> dict[str, Json]:
    """A feed or an entry as JSON, empty keys left out."""
    made: dict[str, Json] = {}
    for name in _TEXTS:
        if source.get(name):
            made[name] = _text(source.get(f"{name}_detail") or {}, source[name])
    for name in _PLAIN:
        if source.get(name):
            made[name] = str(source[name])
    if "guidislink" in source:
        made["guid_is_permalink"] = bool(source["guidislink"])
    content = source.get("content")
    if isinstance(content, dict):  # as feedparser has it of a JSON feed
        content = [content]
    if content:
        made["content"] = [
            _text(part, part.get("value", "")) if isinstance(part, dict) else {"value": str(part)}
            for part in content
        ]
    for name in ("links", "tags", "enclosures", "authors", "contributors"):
        if values := source.get(name):
            made[name] = [
                {k: str(v) for k, v in value.items() if v not in (None, "")}
                for value in values
                if isinstance(value, dict)
            ]
    # The event module of RSS 1.0.
    event = {name: source.get(f"ev_{key}") for name, key in _EVENT.items()}
    if event := {name: str(value) for name, value in event.items() if value}:
        made["event"] = event
    if where := source.get("where"):
        coordinates = where.get("coordinates")
        if where.get("type") == "Point" and coordinates:
            made["geo"] = {"lng": float(coordinates[0]), "lat": float(coordinates[1])}
    return made


def _text(detail: Any, value: str) -> dict[str, Json]:
    made: dict[str, Json] = {"value": str(value)}
    if detail.get("language"):
        made["lang"] = str(detail["language"])
    if detail.get("type"):
        made["type"] = str(detail["type"])
    return made
