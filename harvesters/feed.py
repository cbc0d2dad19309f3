"""RSS 0.9x to 2.0, RSS 1.0 (RDF), Atom and their relatives, read by feedparser; JSON Feed.

A feed is a window on what is new: what is no longer in it is not gone (rule R11).
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import is_whole, kind_of
from harvesters import doctype, feed_extensions, feed_names, feed_parser, feed_texts, jsons, xml

CUT_OFF = "cut_off"
LEAST_AGAIN = 3
CHANGED_SHARE = 0.8
"""Of at least so many entries met again, so many have another id: ids mean nothing here."""
REMEMBERED = 1_000
"""Entries whose names are remembered."""
TAGS_CUT = "categories_cut"
ODD_FIELD = "odd_field"
MOST_AGAIN = 512 * 2**20
"""Bytes read over again of a feed whose entries must be read one by one."""
_T = TypeVar("_T")
_TEXTS = ("title", "subtitle", "summary", "rights")
_EVENT = {
    "start": "startdate",
    "end": "enddate",
    "location": "location",
    "organizer": "organizer",
    "type": "type",
}
_PLAIN = ("id", "link", "created", "author", "language", "comments")


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
        page = names.settle(await feed_names.with_former_names(walk, page))
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
    links. Those that do not go by their ids keep the name their link has already (rule R9).
    """

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        known = walk.memory.get("names")
        self._known: dict[str, str] = {}
        for link, name in known.items() if isinstance(known, dict) else ():
            self._known.setdefault(
                feed_names.place(link), name
            )  # earlier versions kept links as they came
        self._by_link = bool(walk.memory.get("by_link"))
        self._met: dict[str, str] = {}

    def settle(self, page: Page) -> Page:
        """The page, its entries under the names they are known by."""
        links = [_link(document) for document in page.documents]
        single = Counter(link for link in links if link)
        places = [link if link and single[link] == 1 else None for link in links]
        ids = [
            document.identifier in (entry.get("id"), entry.get("guid"))
            for document in page.documents
            for entry in [document.body["entry"]]
        ]
        if not self._by_link:
            again = [
                self._known[link] != document.identifier
                for link, by_id, document in zip(places, ids, page.documents, strict=True)
                if link in self._known and by_id
            ]
            if len(again) >= LEAST_AGAIN and sum(again) > CHANGED_SHARE * len(again):
                self._by_link = True
        if self._by_link:
            self._walk.warnings["ids_change"] += 1
        documents = []
        taken = {document.identifier for document in page.documents}
        for link, by_id, document in zip(places, ids, page.documents, strict=True):
            if link is not None and (self._by_link or not by_id):
                name = self._known.get(link, link if by_id else document.identifier)
                if name not in taken:
                    taken.add(name)
                    document = replace(document, identifier=name)
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
    link = document.body["entry"].get("link")
    return feed_names.place(link) if link and link.startswith(("http://", "https://")) else None


def read_feed(payload: Payload) -> tuple[Page, str | None]:
    """The page of documents in a feed, and the address of the next one, if it names one."""
    if kind_of(payload.body) == "json":
        return _read_json_feed(payload)
    charset = payload.charset()
    body, warnings = xml.prepared(payload.body, payload.url, [charset] if charset else ())
    doctype.require_none_before_root(body, payload.url)
    parsed, items, rejects = _parsed(body, payload.url)
    if not parsed.get("version") and not items and not rejects:
        raise ProtocolError(
            f"{payload.url}: not a feed (no RSS, Atom or RDF in it). Look for the feed's address "
            "on the portal's pages and correct the source's url.",
            reason="not_feed",
        )
    if parsed.get("bozo"):
        warnings.append(f"not_well_formed: {type(parsed.get('bozo_exception')).__name__}")
    if parsed.get("bozo") and not is_whole(payload.body):
        # What came of the last entry may be half of it.
        warnings.append(CUT_OFF)
        rejects += [
            Reject(reason=CUT_OFF, identifier=_name(item) or item.get("link"))
            for item in items[-1:]
        ]
        items = items[:-1]
    entries, unreadable = _each(items, _plain)
    if any(len(entry.get("tags", ())) >= feed_parser.MOST_TAGS for entry in entries):
        warnings.append(TAGS_CUT)
    heads, odd = _each([parsed.get("feed", {})], _head)
    head, following = heads[0] if heads else ({}, None)
    warnings += [f"{ODD_FIELD}: {reject.reason}" for reject in odd]
    page = Page(
        payloads=[payload],
        documents=_documents(head, entries),
        rejects=rejects + unreadable,
        warnings=warnings,
    )
    return page, following


def _head(channel: Any) -> tuple[dict[str, Json], str | None]:
    """What a feed says of itself, and the address of its next page."""
    links = channel.get("links", [])
    following = (link.get("href") for link in links if link.get("rel") == "next")
    return _plain(channel), next(filter(None, following), None)


def _parsed(body: bytes, where: str) -> tuple[Any, list[Any], list[Reject]]:
    """A feed as feedparser reads it, its entries, and those it does not get over.

    Elements called as its own keys are (``links``) make it stumble in the middle of an entry: then
    each is read by itself. Raises :class:`ProtocolError` where what is around them is so too.
    """
    headers = {"content-type": "application/xml; charset=utf-8", "content-location": where}

    def read(part: bytes) -> Any:
        return feed_texts.parse(part, headers)

    try:
        whole = read(body)
    except Exception as error:
        parts = xml.split(body, "item") or xml.split(body, "entry")
        before, pieces, after = parts or (body, [], b"")
        if not pieces or len(before + after) * len(pieces) > MOST_AGAIN:
            raise _unreadable(where) from error
    else:
        return whole, whole.get("entries", []), []
    try:
        around = read(before + after)
    except Exception as error:
        raise _unreadable(where) from error
    read_alone, rejects = _each(pieces, lambda piece: read(before + piece + after))
    for one in read_alone:
        if one.get("bozo"):
            around["bozo"], around["bozo_exception"] = True, one.get("bozo_exception")
    return around, [entry for one in read_alone for entry in one["entries"]], rejects


def _unreadable(where: str) -> ProtocolError:
    return ProtocolError(
        f"{where}: a feed written so that nothing of it can be read. Look at what the address "
        "answers; the kept answer is in the run.",
        reason="not_feed",
    )


def _each(items: list[Any], read: Callable[[Any], _T]) -> tuple[list[_T], list[Reject]]:
    """What is read of each item, and those of which nothing can be: whatever strangers wrote into
    one, its neighbours go on (rule R7)."""
    made: list[_T] = []
    rejects: list[Reject] = []
    for item in items:
        try:
            made.append(read(item))
        except Exception as error:
            fragment = item if isinstance(item, bytes) else repr(item).encode("utf-8", "replace")
            name = _name(item) if isinstance(item, dict) else None
            rejects.append(
                Reject(
                    reason=f"unreadable_entry: {error}"[:80],
                    identifier=name if isinstance(name, str) else None,
                    fragment=fragment[:4096],
                )
            )
    return made, rejects


def _name(item: Any) -> Any:
    """The id of an entry as feedparser has it."""
    return item.get(feed_names.WRITTEN) or item.get("id")


def _documents(head: dict[str, Json], entries: list[dict[str, Json]]) -> list[Document]:
    """Documents of entries, their texts with their languages; what was odd about one stands under
    ``odd``, for its repairs."""
    for entry in entries:
        _tell_languages(entry, entry.get("language") or head.get("language"))
    odd = [tuple(entry.pop("odd", ())) for entry in entries]
    return [
        Document(
            identifier=name,
            body={"feed": head, "entry": entry},
            datestamp=entry.get("updated") or entry.get("published"),
            repairs=repairs,
        )
        for name, entry, repairs in zip(feed_names.identifiers(entries), entries, odd, strict=True)
    ]


def _tell_languages(entry: dict[str, Json], lang: str | None) -> None:
    """Give the texts of an entry that say nothing of their language that of the entry, or of the
    feed; one that says that it is in none keeps an empty ``lang`` (XML 1.0 §2.12)."""
    content = entry.get("content") or []
    for text in [entry[name] for name in _TEXTS if name in entry] + content:
        if lang:
            text.setdefault("lang", lang)


def _read_json_feed(payload: Payload) -> tuple[Page, str | None]:
    """A JSON Feed (jsonfeed.org, version 1), as feedparser would have it of another feed."""
    repairs: Counter[str] = Counter()
    answer = jsons.read(payload, repairs)
    items = answer.get("items") if isinstance(answer, dict) else None
    if not isinstance(items, list) or "jsonfeed" not in str(answer.get("version")):
        raise ProtocolError(
            f"{payload.url}: JSON, but not a JSON Feed. Look for the feed's address on the "
            "portal's pages and correct the source's url.",
            reason="not_feed",
        )
    feed = _Fields(answer)
    head = {
        "title": feed.texts("title"),
        "link": feed.text("home_page_url"),
        "language": feed.text("language"),
    }
    following = feed.text("next_url")
    entries, rejects = _each(items, _json_entry)
    warnings = [*repairs, *feed.odd]
    warnings += [said for entry in entries for said in entry.get("odd", ())]
    page = Page(
        payloads=[payload],
        documents=_documents({k: v for k, v in head.items() if v}, entries),
        rejects=rejects,
        warnings=warnings,
    )
    return page, following


class _Fields:
    """An object of a JSON Feed, read as its writer may have meant it: a number as a text, one thing
    as a list of it, a text as the object that has nothing else. What is none of these is left out
    and told."""

    def __init__(self, said: Json) -> None:
        if not isinstance(said, dict):
            raise TypeError(f"not an object but {type(said).__name__}")
        self._said = said
        self.odd: list[str] = []

    def text(self, name: str) -> str | None:
        """A text; ``None`` for none."""
        value = self._said.get(name)
        if value is None or isinstance(value, str):
            return value or None
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        self.odd.append(f"{ODD_FIELD}: {name}")
        return None

    def texts(self, name: str) -> dict[str, Json] | None:
        """A text as crosswalks have them; titles and summaries are plain (JSON Feed 1.1)."""
        value = self.text(name)
        return {"value": value, "type": "text/plain"} if value else None

    def objects(self, name: str, key: str) -> list[tuple[str, _Fields]]:
        """The objects in a list that have a text under ``key``, with it."""
        value = self._said.get(name)
        found = []
        for one in value if isinstance(value, list) else [] if value is None else [value]:
            part = _Fields(one if isinstance(one, dict) else {key: one})
            if text := part.text(key):
                found.append((text, part))
            if part.odd:
                self.odd.append(f"{ODD_FIELD}: {name}")
        return found


def _json_entry(item: Json) -> dict[str, Json]:
    said = _Fields(item)
    made: dict[str, Json] = {
        "id": said.text("id"),
        "link": said.text("url") or said.text("external_url"),
        "title": said.texts("title"),
        "summary": said.texts("summary"),
        "content": [
            {"value": value, "type": kind}
            for value, kind in (
                (said.text("content_html"), "text/html"),
                (said.text("content_text"), "text/plain"),
            )
            if value
        ],
        "published": said.text("date_published"),
        "updated": said.text("date_modified"),
        "language": said.text("language"),
        "authors": [
            {"name": name}
            for name, _ in said.objects("authors", "name") or said.objects("author", "name")
        ],
        "tags": [{"term": term} for term, _ in said.objects("tags", "term")],
        "enclosures": [
            {
                "href": url,
                "type": file.text("mime_type") or "",
                **{
                    key: text
                    for key, name in (("title", "title"), ("length", "size_in_bytes"))
                    if (text := file.text(name))
                },
            }
            for url, file in said.objects("attachments", "url")
        ],
        "odd": list(dict.fromkeys(said.odd)),
    }
    return {key: value for key, value in made.items() if value}


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
    written = source.get(feed_names.WRITTEN)
    if written and written != made.get("id"):
        made["guid"] = str(written)
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
        if "summary_detail" not in source and made["content"][0]["value"] == source.get("summary"):
            made.pop("summary", None)  # feedparser's own copy
    for name in ("links", "tags", "enclosures", "authors", "contributors"):
        if values := source.get(name):
            made[name] = [
                {k: str(v) for k, v in value.items() if v not in (None, "")}
                for value in values
                if isinstance(value, dict)
            ]
    made |= _parts(source)
    # The event module of RSS 1.0.
    event = {name: source.get(f"ev_{key}") for name, key in _EVENT.items()}
    if event := {name: str(value) for name, value in event.items() if value}:
        made["event"] = event
    if named := feed_extensions.places_in_words(source):
        made["coverage"] = named
    if isinstance(identifier := source.get("dc_identifier"), str) and identifier:
        made["identifiers"] = [identifier]
    return made | feed_extensions.dates(source) | feed_extensions.place(source)


def _parts(source: Any) -> dict[str, Json]:
    """What stands in an entry beside its own fields: what modules say, under their names."""
    made: dict[str, Json] = {}
    podcast = {name: source.get(f"itunes_{name}") for name in ("title", "summary", "subtitle")}
    if podcast := {name: text for name, text in podcast.items() if isinstance(text, str) and text}:
        made["itunes"] = podcast
    media = {name: source.get(f"media_{name}") for name in ("title", "description")}
    media = {name: text for name, text in media.items() if isinstance(text, str) and text}
    if media and (medium := _medium(source.get("media_content"))):
        media["medium"] = medium
    if media:
        made["media"] = media
    original = source.get("feedburner_origlink") or source.get("pheedo_origlink")
    if isinstance(original, str) and original:
        made["original_link"] = original
    return made


def _medium(files: Any) -> str | None:
    """``image`` if any of an entry's media is one, as the caption may then be its; else the medium
    of the first that says (Media RSS 1.5.1, ``media:content``)."""
    told = []
    for file in files if isinstance(files, list) else []:
        kind = str(file.get("medium") or str(file.get("type") or "").partition("/")[0]).lower()
        ending = str(file.get("url") or "").partition("?")[0].lower()
        is_picture = ending.endswith((".jpg", ".jpeg", ".png", ".gif", ".webp", ".svg"))
        told.append("image" if is_picture else kind)
    return "image" if "image" in told else next(filter(None, told), None)


def _text(detail: Any, value: str) -> dict[str, Json]:
    made: dict[str, Json] = {"value": str(value)}
    if detail.get("language") is not None:
        made["lang"] = str(detail["language"])
    if detail.get("type"):
        made["type"] = str(detail["type"])
    return made
