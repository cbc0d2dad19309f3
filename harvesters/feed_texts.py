"""Texts of feeds as they came, each with the type that its format gives it.

feedparser would rewrite what it takes for HTML: its sanitizer drops ``<one year`` from a title. The
hub makes plain text of all texts and escapes them where it shows them, so nothing is to be gained.
It would also guess which texts are HTML; that a title of RSS is plain and a description HTML (RSS
2.0), and what Atom's ``type`` says (RFC 4287 §3.1), is known without guessing.
"""

from __future__ import annotations

from typing import Any

import feedparser
from feedparser.mixin import _FeedParserMixin
from feedparser.sanitizer import _sanitize_html
from feedparser.urls import resolve_relative_uris

_guessed_html = _FeedParserMixin.looks_like_html
_HTML = ("text/html", "application/xhtml+xml", "html", "xhtml")


def _never(_text: str) -> bool:
    return False


_FeedParserMixin.looks_like_html = staticmethod(_never)


def parse(body: bytes, headers: dict[str, str]) -> Any:
    """A feed as feedparser reads it, its texts untouched."""
    return feedparser.parse(
        body, response_headers=headers, sanitize_html=False, resolve_relative_uris=False
    )


def as_before(value: str, kind: str, base: str) -> str:
    """A text as earlier versions of the hub had it, and made names of: cleaned by feedparser, its
    links resolved by the feed's address, where its format or a guess made it HTML."""
    if kind not in _HTML and not _guessed_html(value):
        return value
    return str(_sanitize_html(resolve_relative_uris(value, base, "utf-8", kind), "utf-8", kind))
