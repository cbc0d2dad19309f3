"""Document type declarations (XML 1.0 §2.8): taken out where harmless, else refused (rule R15).

Entities can be declared nowhere else. The parser itself says where a declaration begins and ends,
and what it declares; no pattern is trusted with that. A document that gets past :func:`without`
has no declaration that expat would act on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from html.entities import html5
from typing import Any
from xml.parsers import expat

from chm_hub.errors import ProtocolError

_KEYWORD = b"<!DOCTYPE"
_USED = re.compile(rb"&([^\s;&<#]+);")
_FIRST_ELEMENT = re.compile(rb"<\w")


class _Found(Exception):
    """The first element has begun: no declaration can follow."""


@dataclass(slots=True)
class _Prolog:
    """What stands before the first element of a document, as expat reads it."""

    begin: int | None = None
    """The offset of ``<!DOCTYPE``."""
    end: int | None = None
    """The offset behind its ``>``."""
    entities: set[str] = field(default_factory=set)
    """General entities that it declares."""
    broken: bool = False
    """Expat could not read as far as the first element."""


def without(body: bytes, where: str) -> tuple[bytes, bool]:
    """A document in UTF-8 without its declaration, and whether it had one.

    Raises :class:`ProtocolError` (reason ``doctype``) where the document uses entities that it
    declares itself, and where the declaration cannot be read. Entities that HTML has too keep
    HTML's meaning.
    """
    if _KEYWORD not in body:
        return body, False
    rest = _cut(body, where)
    if rest != body and _read(rest).begin is not None:
        raise refusal(where)  # there were two
    return rest, rest != body


def _cut(body: bytes, where: str) -> bytes:
    prolog = _read(body)
    if prolog.begin is None and not prolog.broken:
        return body  # the keyword stands in a text or in a comment
    if prolog.begin is None or prolog.end is None:
        mended = _without_unfinished(body)
        if mended is None:
            raise refusal(where)
        return mended
    rest = body[prolog.end :]
    declared = {name.encode() for name in prolog.entities if f"{name};" not in html5}
    if declared and declared.intersection(_USED.findall(rest)):
        raise refusal(where)
    return body[: prolog.begin] + rest


def require_none_before_root(body: bytes, where: str) -> None:
    """Refuse a document with entity declarations anywhere before its first element.

    For parsers that look for declarations with patterns of their own (feedparser does, also
    where there is no ``<!DOCTYPE``, and in comments). Raises :class:`ProtocolError`.
    """
    if b"<!entity" not in body.lower():
        return
    first = _FIRST_ELEMENT.search(body)
    if b"<!entity" in body[: first.start() if first else len(body)].lower():
        raise refusal(where)


def refusal(where: str) -> ProtocolError:
    """The error for a document that declares entities."""
    return ProtocolError(
        f"{where}: the document is written with entities of its own (a DOCTYPE with an "
        "internal subset), which no metadata needs and bombs are made of. It is not read; "
        "tell the source's contact.",
        reason="doctype",
    )


def _read(body: bytes) -> _Prolog:
    """Read a document up to its first element. What stands before its first ``<`` is skipped."""
    found = _Prolog()
    offset = max(body.find(b"<"), 0)
    searched = offset  # a declaration begins behind the last comment or instruction
    parser = expat.ParserCreate("utf-8")

    def misc(_: Any, __: Any = None) -> None:
        nonlocal searched
        at = offset + parser.CurrentByteIndex
        closing = b"-->" if body.startswith(b"<!--", at) else b"?>"
        searched = body.find(closing, at) + len(closing)

    def begin(*_: Any) -> None:
        found.begin = body.find(_KEYWORD, searched)
        parser.CommentHandler = parser.ProcessingInstructionHandler = None

    def end() -> None:
        found.end = offset + parser.CurrentByteIndex + 1

    def entity(name: str, is_parameter_entity: bool, *_: Any) -> None:
        if not is_parameter_entity:
            found.entities.add(name)

    def element(*_: Any) -> None:
        raise _Found

    parser.CommentHandler = parser.ProcessingInstructionHandler = misc
    parser.StartDoctypeDeclHandler = begin
    parser.EndDoctypeDeclHandler = end
    parser.EntityDeclHandler = entity
    parser.StartElementHandler = element
    try:
        parser.Parse(body[offset:], True)
    except _Found:
        pass
    except expat.ExpatError:
        found.broken = True
    return found


def _without_unfinished(body: bytes) -> bytes | None:
    """A document that expat cannot read, without a declaration that declares nothing (pages have
    such ones); ``None`` if what stands there may declare something."""
    first = _FIRST_ELEMENT.search(body)
    head = first.start() if first else len(body)
    at = body.find(_KEYWORD, 0, head)
    if at < 0:
        return body
    end = body.find(b">", at)
    if end < 0 or b"[" in body[at:end]:
        return None
    return body[:at] + body[end + 1 :]
