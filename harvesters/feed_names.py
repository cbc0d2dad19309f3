"""What entries of feeds are called: their ids as they are written, else where their links lead.

An id is kept byte for byte (rule R9). feedparser would trim it, make an address of it and decode it
once more. What the hub has under a name of earlier versions keeps it.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode, urlunsplit

from feedparser.mixin import _FeedParserMixin as _Parser

from chm_hub.addresses import urlsplit
from chm_hub.document import Document, Json, Page, Walk
from harvesters import feed_texts
from harvesters.page_addresses import asked, canonical

WRITTEN = "id_as_written"
"""Where feedparser's entry has its id as it is written, once XML has decoded it."""
_end_guid = _Parser._end_guid


def _close_guid(parser: Any) -> None:
    written = None
    if parser.elementstack and parser.elementstack[-1][0] == "id":
        written = "".join(map(str, parser.elementstack[-1][2]))
    _end_guid(parser)
    # Of a document that is not well-formed the pieces are not what XML makes of them.
    if written and written.strip() and hasattr(parser, "startElementNS"):
        parser._get_context()[WRITTEN] = written


if _Parser._end_guid is not _close_guid:
    _Parser._end_guid = _Parser._end_id = _close_guid


def place(link: str) -> str:
    """What a link leads to, however it is written: without the marks of campaigns and sessions, its
    arguments in the order of their names, those of one name as they stand. Bytes that are not
    UTF-8 stay as they are. One that leads nowhere on the web is itself."""
    parts = urlsplit(link)
    if not link.startswith(("http://", "https://")) or parts.hostname is None:
        return link
    made = urlsplit(asked(link))
    try:
        unquote_to_bytes(made.query.replace("+", " ")).decode()
    except UnicodeDecodeError:
        query = made.query
    else:
        pairs = parse_qsl(made.query, keep_blank_values=True)
        query = urlencode(sorted(pairs, key=lambda pair: pair[0]))
    return urlunsplit((made.scheme, made.netloc, made.path, query, parts.fragment))


def identifiers(entries: Sequence[Mapping[str, Json]]) -> list[str]:
    """What each entry is called: its id, else where its link leads, else a digest of its title
    (rule R9).

    An id or link that several entries of one feed share names none of them: those take a digest of
    link and title beside it, and of their date and summary where these are the same too, so that
    none is lost.
    """
    own = [
        entry.get("guid") or entry.get("id") or place(entry.get("link") or "") for entry in entries
    ]
    return _told_apart(own, entries)


def _told_apart(own: Iterable[str], entries: Sequence[Mapping[str, Json]]) -> list[str]:
    names = [
        name or _digest(entry, "link", "title") for name, entry in zip(own, entries, strict=True)
    ]
    for parts in (("link", "title"), ("link", "title", "published", "summary")):
        shared = Counter(names)
        names = [
            name if shared[name] == 1 else f"{name}#{_digest(entry, *parts)}"
            for name, entry in zip(names, entries, strict=True)
        ]
    again: Counter[str] = Counter()
    for index, name in enumerate(names):
        again[name] += 1
        if again[name] > 1:  # the same to the letter, several times over
            names[index] = f"{name}.{again[name]}"
    return names


def _digest(entry: Mapping[str, Json], *parts: str) -> str:
    said = [entry.get(part) or "" for part in parts]
    texts = [part["value"] if isinstance(part, dict) else part for part in said]
    return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _as_before(entry: Mapping[str, Json], base: str) -> dict[str, Json]:
    """An entry with the texts that earlier versions had of it."""
    texts = {
        name: entry[name] for name in ("title", "summary") if isinstance(entry.get(name), dict)
    }
    cleaned = {
        name: {**text, "value": feed_texts.as_before(text["value"], text.get("type") or "", base)}
        for name, text in texts.items()
    }
    return {**entry, **cleaned}


def _in_marked_texts(entries: Sequence[Mapping[str, Json]], base: str) -> list[str]:
    """What earlier versions called the entries of a feed, with the texts that they had."""
    own = [
        entry.get("id") or (_canonical(entry["link"]) if entry.get("link") else "")
        for entry in entries
    ]
    # Only a name that is not an entry's own is made of its texts.
    shared = Counter(own)
    before = [
        entry if name and shared[name] == 1 else _as_before(entry, base)
        for name, entry in zip(own, entries, strict=True)
    ]
    return _told_apart(own, before)


def _canonical(link: str) -> str:
    parts = urlsplit(link)
    if not link.startswith(("http://", "https://")) or parts.hostname is None:
        return link
    return canonical(link, careful=True)


def _former(document: Document, marked: str) -> list[str]:
    """The names that earlier versions gave an entry; ``marked`` is that which its texts made."""
    entry, name = document.body["entry"], document.identifier
    # Whose id another entry shared, when both were listed, keeps the name that it got then.
    names = [marked, f"{name}#{_digest(entry, 'link', 'title')}"]
    written, read = entry.get("guid"), entry.get("id")
    link = entry.get("link") or ""
    if written and read:
        if name.startswith(written):
            names.append(f"{read}{name.removeprefix(written)}")
    elif not read and name.startswith(place(link)) and not place(link) == link == "":
        names.append(f"{_canonical(link)}{name.removeprefix(place(link))}")
    return [former for former in dict.fromkeys(names) if former != name]


async def with_former_names(walk: Walk, page: Page) -> Page:
    """A page whose entries have the names of earlier versions where the hub has them so."""
    base = page.payloads[0].url if page.payloads else ""
    marked = _in_marked_texts([document.body["entry"] for document in page.documents], base)
    former = {
        n: names
        for n, (document, name) in enumerate(zip(page.documents, marked, strict=True))
        if (names := _former(document, name))
    }
    if walk.kept is None or not former:
        return page
    asked_for = {page.documents[n].identifier for n in former}
    kept = await walk.kept([*asked_for, *(name for names in former.values() for name in names)])
    taken = Counter(document.identifier for document in page.documents)
    documents = list(page.documents)
    for n, names in former.items():
        document = documents[n]
        name = _held(document, names, kept, base)
        if name is not None and document.identifier not in kept and not taken[name]:
            taken[name] += 1
            documents[n] = replace(document, identifier=name)
    return replace(page, documents=documents)


def _held(
    document: Document, names: Iterable[str], kept: Mapping[str, Document], base: str
) -> str | None:
    entry = document.body["entry"]
    for name in names:
        before = kept.get(name)
        body = before.body if before is not None else None
        known = body.get("entry") if isinstance(body, dict) else None
        if isinstance(known, dict) and _same(known, entry, base):
            return name
    return None


def _same(one: Mapping[str, Json], other: Mapping[str, Json], base: str) -> bool:
    """Whether two entries of one former name are one: by their links, else by their titles."""
    if one.get("link") or other.get("link"):
        return bool(one.get("link") == other.get("link"))
    said = [
        (entry.get("title") or {}).get("value") for entry in (one, other, _as_before(other, base))
    ]
    return said[0] in said[1:]
