"""What entries of feeds are called: their ids as they are written, else where their links lead.

An id is kept byte for byte (rule R9). feedparser would trim it, make an address of it and decode it
once more. What the hub has under a name of earlier versions keeps it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode, urlunsplit

from feedparser.mixin import _FeedParserMixin as _Parser

from chm_hub.addresses import urlsplit
from chm_hub.document import Document, Json, Page, Walk
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


def _former(document: Document) -> list[str]:
    """The names that earlier versions gave an entry."""
    entry, name = document.body["entry"], document.identifier
    written, read = entry.get("guid"), entry.get("id")
    if written and read:
        return [f"{read}{name.removeprefix(written)}"] if name.startswith(written) else []
    link = entry.get("link") or ""
    if read or not name.startswith(place(link)) or place(link) == link == "":
        return []
    before = f"{canonical(link, careful=True)}{name.removeprefix(place(link))}"
    return [before] if before != name else []


async def with_former_names(walk: Walk, page: Page) -> Page:
    """A page whose entries have the names of earlier versions where the hub has them so."""
    former = {n: names for n, d in enumerate(page.documents) if (names := _former(d))}
    if walk.kept is None or not former:
        return page
    asked_for = {page.documents[n].identifier for n in former}
    kept = await walk.kept([*asked_for, *(name for names in former.values() for name in names)])
    taken = Counter(document.identifier for document in page.documents)
    documents = list(page.documents)
    for n, names in former.items():
        document = documents[n]
        name = _held(document, names, kept)
        if name is not None and document.identifier not in kept and not taken[name]:
            taken[name] += 1
            documents[n] = replace(document, identifier=name)
    return replace(page, documents=documents)


def _held(document: Document, names: Iterable[str], kept: Mapping[str, Document]) -> str | None:
    entry = document.body["entry"]
    for name in names:
        before = kept.get(name)
        body = before.body if before is not None else None
        known = body.get("entry") if isinstance(body, dict) else None
        if isinstance(known, dict) and _same(known, entry):
            return name
    return None


def _same(one: Mapping[str, Json], other: Mapping[str, Json]) -> bool:
    """Whether two entries of one former name are one: by their links, else by their titles."""
    if one.get("link") or other.get("link"):
        return bool(one.get("link") == other.get("link"))
    titles = [(entry.get("title") or {}).get("value") for entry in (one, other)]
    return bool(titles[0] == titles[1])
