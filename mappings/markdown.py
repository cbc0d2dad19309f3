"""Texts in Markdown (CommonMark), as CKAN, DCAT and STAC catalogues have their descriptions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

from markdown_it import MarkdownIt

from chm_hub.document import Json
from mappings import functions

_MARKS = re.compile(
    r"""\]\(|\]\[|\]:            # a link
      |(?<!\w)[*_]{1,3}\S        # stress
      |`                         # code
      |^\s{0,3}(?:\#{1,6}\s|>|[*+-]\s|\d{1,9}[.)]\s)   # a heading, a quotation, a list
      |^\s{0,3}(?:[-=*_]\s*){3,}$                      # a line, an underlined heading
      |\|\s*:?-{2,}|~~|\\[!-/:-@\[-`{-~]|<https?:""",
    re.VERBOSE | re.MULTILINE,
)
"""Signs without which Markdown says nothing that the plain text does not."""


@functions.registered
def from_markdown(value: Json) -> Json:
    """Texts in Markdown, or in HTML, as plain text. Keeps the shape.

    Links are left as their words, lists as lines, numbered ones with their numbers.

    >>> from_markdown('The **forests** of [Kenya](https://example.org/k) & more')
    "The forests of Kenya & more"
    """
    if isinstance(value, dict):
        if isinstance(value.get("value"), str):
            return {**value, "value": _read(value["value"])}
        return value
    if isinstance(value, str):
        return _read(value)
    return [from_markdown(part) for part in value] if isinstance(value, list) else value


def _read(text: str) -> Json:
    # What `plain_text` gives is known to have been read, and is handed on as it is.
    return functions.plain_text(_parser().render(text) if _MARKS.search(text) else text)


@cache
def _parser() -> MarkdownIt:
    # CommonMark, HTML within it, and the tables that most catalogues show. A line break that was
    # written stays one, as where there is no mark at all.
    parser = MarkdownIt("commonmark", {"breaks": True, "html": True})
    parser.enable(["table", "strikethrough"]).disable("code")  # four blanks are no code in prose
    parser.add_render_rule("list_item_open", _item)
    parser.add_render_rule("image", _image)
    return parser


def _item(_self: Any, tokens: Sequence[Any], at: int, *_: Any) -> str:
    """A line of a list; a number that was written is part of the text."""
    token = tokens[at]
    return f"<li>{token.info}{token.markup} " if token.info else "<li>"


def _image(_self: Any, _tokens: Sequence[Any], _at: int, *_: Any) -> str:
    """Nothing: what stands for a picture is no part of the text."""
    return ""
