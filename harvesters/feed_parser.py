"""feedparser, where it takes something for the entry's own that is not.

Feeds have elements within an entry that are about something else: a picture's caption
(``media:description``), a podcast's blurb (``itunes:summary``), a logo's title. feedparser puts
them under the entry's own keys, in the order in which they come. Here they have keys of their own.
Its language of one entry would also go on to the next, and an entry within an entry would end both.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from feedparser.mixin import _FeedParserMixin as _Parser
from feedparser.util import FeedParserDict

MOST_TAGS = 1_000
"""Categories read of one entry. feedparser compares each with all before it: of a hundred
thousand it would make minutes."""
_ELSEWHERE = {
    "media_title": "media_title",
    "media_description": "media_description",
    "itunes_summary": "itunes_summary",
    "itunes_subtitle": "itunes_subtitle",
}
"""Elements of modules, and the keys under which their texts are found."""
_OWN = ("title", "description", "summary", "subtitle", "abstract", "content", "content_encoded")
"""Elements that describe an entry where they are its children, and a part of it elsewhere."""
_PART = "text_of_a_part"

_add_tag = _Parser._add_tag
_start_item = _Parser._start_item
_end_item = _Parser._end_item
_start_channel = _Parser._start_channel
_sync_author_detail = _Parser._sync_author_detail
_push_content = _Parser.push_content


def _add_some(parser: Any, term: Any, scheme: Any, label: Any) -> None:
    if len(parser._get_context().get("tags", ())) < MOST_TAGS:
        _add_tag(parser, term, scheme, label)


# --- texts of something else ---------------------------------------------------------------


def _put_elsewhere(name: str, key: str) -> None:
    """Have the text of an element stand under a key of its own."""

    def start(parser: Any, _attributes: Any) -> None:
        parser.push(key, 1)

    def end(parser: Any) -> None:
        parser.pop(key)

    setattr(_Parser, f"_start_{name}", start)
    setattr(_Parser, f"_end_{name}", end)


def _is_of_a_part(parser: Any) -> bool:
    """Whether the element that begins stands within a part of an entry (an image, a group). Where
    a document is not well-formed depths say nothing."""
    if not parser.inentry or parser.insource or not hasattr(parser, "startElementNS"):
        return False
    opened = parser.__dict__.get("_opened")
    return bool(opened) and parser.depth > opened[-1][1] + 1


def _keep_apart(name: str) -> None:
    """Have an element within a part of an entry not describe the entry."""
    begin, finish = getattr(_Parser, f"_start_{name}"), getattr(_Parser, f"_end_{name}", None)

    def start(parser: Any, attributes: Any) -> None:
        if _is_of_a_part(parser):
            parser.push(_PART, 1)
        else:
            begin(parser, attributes)

    def end(parser: Any) -> None:
        if parser.elementstack and parser.elementstack[-1][0] == _PART:
            parser.pop(_PART)
        elif finish is not None:
            finish(parser)

    setattr(_Parser, f"_start_{name}", start)
    setattr(_Parser, f"_end_{name}", end)


# --- entries within entries ----------------------------------------------------------------


def _open_item(parser: Any, attributes: Any) -> None:
    opened = parser.__dict__.setdefault("_opened", [])
    outer = parser.entries[-1] if parser.inentry and parser.entries else None
    _start_item(parser, attributes)
    opened.append((outer, parser.depth, _said(attributes)))


def _close_item(parser: Any) -> None:
    opened = parser.__dict__.setdefault("_opened", [])
    outer = opened.pop()[0] if opened else None
    _end_item(parser)
    if outer is None or not any(entry is outer for entry in parser.entries):
        return
    inner = parser.entries[-1]
    # What follows belongs to the entry around it, which feedparser takes to be the last one.
    parser.entries[:] = [
        entry for entry in parser.entries if entry is not outer and entry is not inner
    ]
    parser.entries += [inner, outer] if inner else [outer]
    parser.inentry = 1


# --- languages -----------------------------------------------------------------------------


def _said(attributes: Any) -> bool:
    """Whether an element says its language, be it that it has none."""
    return any(name in attributes for name in ("xml:lang", "lang"))


def _open_channel(parser: Any, attributes: Any) -> None:
    _start_channel(parser, attributes)
    if said := attributes.get("xml:lang"):
        parser.feeddata["language"] = said


def _end_language(parser: Any) -> None:
    # A language of one entry, or of the feed; not of whatever is read next.
    parser.pop("language")


def _push(parser: Any, tag: str, attributes: Any, kind: str, expecting: Any) -> None:
    """As feedparser does, and ``language`` only where the element or its entry says it; empty
    where it says that there is none (XML 1.0 §2.12)."""
    _push_content(parser, tag, attributes, kind, expecting)
    if parser.inentry:
        opened = parser.__dict__.get("_opened")
        by_entry = bool(opened) and opened[-1][2]
        said = _said(attributes) or by_entry
        parser.contentparams["language"] = (parser.lang or "") if said else None


# --- authors -------------------------------------------------------------------------------

_MAILBOX = re.compile(
    r"""\s*(?:(?P<mail>[^\s<>()"]+@[^\s<>()"]+)\s*(?:\((?P<said>.*)\))?
        |"?(?P<name>[^<>"]*?)"?\s*<(?P<other>[^\s<>]+@[^\s<>]+)>)\s*""",
    re.VERBOSE | re.DOTALL,
)
"""An address with a name behind it in brackets (RSS 2.0), or before it (RFC 5322 §3.4)."""


def _part_author(parser: Any, key: str = "author") -> None:
    """As feedparser does, whose addresses end after four letters of the last part of a host."""
    context = parser._get_context()
    detail = context.get(f"{key}s", [{}])[-1] or {}
    found = _MAILBOX.fullmatch(context.get(key) or "") if not detail else None
    if found is None:
        _sync_author_detail(parser, key)
        return
    context.setdefault(f"{key}s", [FeedParserDict()])
    made = context[f"{key}s"][-1]
    made["email"] = found["mail"] or found["other"]
    if name := (found["said"] or found["name"] or "").strip():
        made["name"] = name
    context[f"{key}_detail"] = made


def install() -> None:
    """Put all this into feedparser, once."""
    if _Parser._add_tag is _add_some:
        return
    for name, key in _ELSEWHERE.items():
        _put_elsewhere(name, key)
    for name in _OWN:
        _keep_apart(name)
    patches: dict[str, Callable[..., Any]] = {
        "_add_tag": _add_some,
        "_start_item": _open_item,
        "_start_entry": _open_item,
        "_end_item": _close_item,
        "_end_entry": _close_item,
        "_start_channel": _open_channel,
        "_end_language": _end_language,
        "push_content": _push,
        "_sync_author_detail": _part_author,
    }
    for name, function in patches.items():
        setattr(_Parser, name, function)


install()
