"""Words out of markup: of texts that are HTML by their format, and of texts that are not.

In HTML a tag is a tag, if HTML has one of its name (HTML Standard §3, §13.1.2); ``<one year`` is
text. In a format whose texts are plain (Dublin Core, MODS, a title in RSS) ``<`` is a sign as any
other, yet authors' markup gets there too. Such a text is read as HTML only where it gives itself
away: by a pair of tags, a closing tag, an attribute with a value, a line break. Either way the text
that comes out holds no markup, and character references are decoded once, never twice.
"""

from __future__ import annotations

import html
import html.entities
import re
from collections.abc import Callable, Iterator
from typing import Any

from lxml import etree

from mappings import spaces

_WORDS_ELEMENTS = (
    "a abbr acronym address applet area article aside audio b base basefont bdi bdo big blink "
    "blockquote body br button canvas caption center cite code col colgroup data datalist dd del "
    "details dfn dialog dir div dl dt em embed fieldset figcaption figure font footer form frame "
    "frameset h1 h2 h3 h4 h5 h6 head header hgroup hr html i iframe img input ins kbd label "
    "legend li link main map mark marquee math menu menuitem meta meter nav nobr noframes "
    "noscript object ol optgroup option output p param picture plaintext pre progress q rb rp rt "
    "rtc ruby s samp script search section select slot small source span strike strong style sub "
    "summary sup svg table tbody td template textarea tfoot th thead time title tr track tt u ul "
    "var video wbr xmp mi mn mo mrow msub msup mtext mfrac semantics annotation path g circle "
    "rect line text"
)
_ELEMENTS = frozenset(_WORDS_ELEMENTS.split())
"""Names of elements: HTML's, those it had once, and what stands in its ``math`` and ``svg``."""
_WORDS_EMBEDDED = (
    "mi mn mo mrow msub msup mtext mfrac semantics annotation path g circle rect line text"
)
_EMBEDDED = frozenset(_WORDS_EMBEDDED.split())
_PREFIXES = frozenset(("o", "w", "v", "m", "st1", "jats", "mml", "h", "html", "xhtml"))
"""Prefixes of what Word, JATS and XHTML leave in texts: ``<o:p>``, ``<jats:italic>``."""
_ALONE = frozenset(("br", "hr", "img", "wbr", "p", "li"))
"""Elements whose start tag alone gives HTML away: none of them needs an end."""
_SWALLOWING = frozenset(("script", "style", "template", "noscript", "iframe", "title", "textarea",
    "select", "xmp", "plaintext", "noframes", "svg", "math", "object"))  # fmt: skip
"""Elements whose content is no text, or hides what follows where their end is missing."""
_WORDS_BARE_ATTRIBUTES = (
    "allowfullscreen async autofocus autoplay border checked compact controls declare default "
    "defer disabled download hidden inert ismap itemscope loop multiple muted nohref noshade "
    "novalidate nowrap open playsinline readonly required reversed selected"
)
_BARE_ATTRIBUTES = frozenset(_WORDS_BARE_ATTRIBUTES.split())
"""Attributes that stand without a value."""
_VALUE = r"""\s*=\s*(?:"[^"]*"|'[^']*'|[^\s"'<>=`]+(?=[\s>]|$))"""
_TAG = re.compile(
    rf"""<(?P<end>/?)(?P<name>[A-Za-z](?:[A-Za-z0-9]|[:-](?=[A-Za-z]))*)
    (?P<attributes>(?:[\s/]+[^\s"'<>/=]+(?:{_VALUE})?)*)[\s/]*>""",
    re.VERBOSE,
)
"""A tag. No two neighbouring parts can begin alike, so that a text which is none is left in time
that grows with its length alone."""
_ATTRIBUTE = re.compile(rf"""([^\s"'<>/=]+)({_VALUE})?""")
_ASIDES = (("<!--", "-->"), ("<!DOCTYPE", ">"), ("<!doctype", ">"), ("<?xml", "?>"),
    ("<?php", "?>"), ("<?xml", ">"))  # fmt: skip
"""Markup that is no tag, by its beginning and its end. What has no end is text."""
_REFERENCE = re.compile(r"&(?:#[0-9]{1,7};?|#[xX][0-9A-Fa-f]{1,6};?|[A-Za-z][A-Za-z0-9]{1,30};)")
_REFERENCE_IN_HTML = re.compile(_REFERENCE.pattern + r"|&[A-Za-z]{2,6}(?![A-Za-z0-9;=])")
"""There some names are references without their semicolon too (§13.2.5.73)."""
_OLD = frozenset(name for name in html.entities.html5 if not name.endswith(";"))
_WORDS_LINES = (
    "address article aside blockquote br caption center dd div dl dt fieldset figcaption figure "
    "footer form h1 h2 h3 h4 h5 h6 header hr li main nav ol p pre section table tr ul jats:p "
    "jats:title"
)
_LINES = frozenset(_WORDS_LINES.split())
_UNSEEN = frozenset(("script", "style", "template", "noscript", "iframe", "title"))
_SPACE = re.compile(r"[ \t\r\n\f]+")
Said = Callable[[str], None]


class Plain(str):
    """A text that has been read: no markup is left in it, and its references are decoded."""

    __slots__ = ()


def from_html(value: str, said: Said) -> Plain:
    """The words of a text that is HTML; paragraphs end with a line break."""
    return _read(value, said, certain=True)


def from_text(value: str, said: Said) -> Plain:
    """A text that is plain by its format: without the markup and the character references that an
    author, or a program that escaped once too often, left in it."""
    return _read(value, said, certain=False)


def decoded(value: str) -> str:
    """A text of HTML with its character references decoded, its tags left alone."""
    return _decoded(value, certain=True)


def without_end(value: str, marks: str) -> str:
    """A text without some marks at its end; the semicolon of a character reference is none."""
    bare = value.rstrip(marks)
    if value[len(bare) : len(bare) + 1] == ";" and "&" in bare:
        reference = f"{bare[bare.rfind('&') :]};"
        return f"{bare};" if _REFERENCE.fullmatch(reference) else bare
    return bare


def _read(value: str, said: Said, *, certain: bool) -> Plain:
    if isinstance(value, Plain):
        return value
    if "<" not in value:
        return Plain(_decoded(value, certain=certain))
    pieces = list(_pieces(_unwrapped(value)))
    tags = [piece for piece in pieces if isinstance(piece, re.Match)]
    if not tags or not (certain or _gives_itself_away(tags)):
        return Plain(_decoded("".join(map(_written, pieces)), certain=certain))
    # Tags that HTML has stand as they are, all else is escaped: the parser sees no other markup.
    ended = {tag["name"].lower() for tag in tags if tag["end"]}
    markup = "".join(
        piece[0]
        if isinstance(piece, re.Match) and (certain or not _would_swallow(piece, ended))
        else html.escape(_decoded(_written(piece), certain=certain), quote=False)
        for piece in pieces
    )
    return Plain(_words_of(markup, said))


def _unwrapped(value: str) -> str:
    """A text without the brackets of marked sections; what is in them is read as all else."""
    before, *sections = value.split("<![CDATA[")
    return before + "".join(
        section.replace("]]>", "", 1) if "]]>" in section else f"<![CDATA[{section}"
        for section in sections
    )


def _pieces(value: str) -> Iterator[str | re.Match[str]]:
    """A text in its order: strings, and matches of the tags between them. What is markup but no tag
    is left out."""
    at = 0
    asides = [pair for pair in _ASIDES if pair[0] in value]
    while (found := value.find("<", at)) >= 0:
        aside = next((pair for pair in asides if value.startswith(pair[0], found)), None)
        if aside is not None:
            end = value.find(aside[1], found + len(aside[0]))
            if end < 0:  # nor has a later one an end
                asides.remove(aside)
                continue
            yield value[at:found]
            at = end + len(aside[1])
            continue
        tag = _TAG.match(value, found)
        if tag is not None and _known(tag):
            yield value[at:found]
            yield tag
            at = tag.end()
        else:
            yield value[at : found + 1]
            at = found + 1
    yield value[at:]


def _written(piece: str | re.Match[str]) -> str:
    return piece if isinstance(piece, str) else piece[0]


def _known(tag: re.Match[str]) -> bool:
    """Whether HTML has a tag of this name, and it is written as tags are: ``<b and c>`` is none."""
    name, attributes = tag["name"].lower(), tag["attributes"]
    prefix, colon, _ = name.partition(":")
    # A name with a hyphen is one that a site made (HTML Standard §4.13.2).
    own = "-" in name and bool(tag["end"] or "=" in attributes)
    if not (prefix in _PREFIXES if colon else name in _ELEMENTS or own):
        return False
    if not attributes.strip(" \t\r\n/"):
        return True
    if tag["end"]:
        return False
    return all(
        found[2] or found[1].lower() in _BARE_ATTRIBUTES
        for found in _ATTRIBUTE.finditer(attributes)
    )


def _gives_itself_away(tags: list[re.Match[str]]) -> bool:
    """Whether a text that should be plain is HTML all the same."""
    begun: set[str] = set()
    for tag in tags:
        name = tag["name"].lower()
        if tag["end"]:
            if name in begun or name not in _EMBEDDED:
                return True
        elif name in _ALONE or "=" in tag["attributes"]:
            return True
        else:
            begun.add(name)
    return False


def _would_swallow(tag: re.Match[str], ended: set[str]) -> bool:
    """Whether a tag has no end and would take the text after it along."""
    name = tag["name"].lower()
    return name in _SWALLOWING and not tag["end"] and name not in ended


def _decoded(value: str, *, certain: bool) -> str:
    """A text with its character references decoded, once. A name without its semicolon is one in
    HTML alone; a number without it is one everywhere, since no author means ``&#8211``."""
    if "&" not in value:
        return value
    return (_REFERENCE_IN_HTML if certain else _REFERENCE).sub(_character, value)


def _character(reference: re.Match[str]) -> str:
    said = reference[0]
    if said.startswith("&#"):
        made = html.unescape(f"{said.rstrip(';')};")
        return "" if made == "\ufffd" else made  # the number of no character
    return html.unescape(said) if said.endswith(";") or said[1:] in _OLD else said


def _words_of(markup: str, said: Said) -> str:
    """The words of some HTML. A parser's work in linear time, however deep the nesting."""
    parser = etree.HTMLParser(
        remove_comments=True, remove_pis=True, no_network=True, huge_tree=True, encoding="utf-8"
    )
    try:
        root = etree.fromstring(f"<html><body>{markup}</body></html>".encode(), parser)
    except etree.XMLSyntaxError:
        root = None
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        short = markup if len(markup) <= 80 else markup[:79] + "…"
        said(f"HTML nested too deeply: {short!r}")
    if root is None:
        return ""
    lines = map(spaces.line, "".join(_words(root)).split("\n"))
    return "\n".join(line for line in lines if line)


def _words(root: Any) -> Iterator[str]:
    """Texts of an HTML tree in order, white space folded, blocks on lines of their own."""
    unseen = 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        tag = element.tag
        starts = event == "start"
        if tag in _UNSEEN:
            unseen += 1 if starts else -1
        elif tag in _LINES:
            yield "\n"
        said = element.text if starts else element.tail
        if said and not unseen:
            yield said if element.tag == "pre" and starts else _SPACE.sub(" ", said)
        elif not starts and tag in ("td", "th"):
            yield " "
