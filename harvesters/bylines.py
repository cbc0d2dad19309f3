"""When an entry was published and changed, as its page shows it: by elements made for it, else in
words beside the heading. What is a date in them is for the crosswalk to read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from lxml.etree import _Element

from harvesters import furniture
from harvesters.furniture import text_of
from harvesters.lines import lines_of

_CHANGED = re.compile(
    r"modif|updat|last.?(?:mod|edit|change)|revis(?:ed|ion)|edited|mise? à jour|actualizad|"
    r"atualizad|"
    r"обновл|измен|отредакт|تحديث|تعديل|更新|修改|修订|ปรับปรุง|แก้ไข",
    re.I,
)
"""Words beside a date of change, in the languages of the portals."""
_OTHER = re.compile(
    r"event|start|end(?:date)?$|begin|expir|deadline|valid|birth|comment|copyright|deposit|"
    r"submi(?:ssion|tted)$|"
    r"accessed|retrieved|©",
    re.I,
)
"""Words beside a date that is neither."""
_DAY = re.compile(
    r"(?<![\d/.-])\d{1,2}(?:st|nd|rd|th|er|º|\.)?\s*(?:de\s+|of\s+|"
    r"d['’])?[^\W\d_][^\d\s,]{2,}\.?,?\s*"
    r"(?:de\s+|del\s+|of\s+|พ\.?\s?ศ\.?\s*)?\d{4}(?!\d)|"
    r"(?<!\d)\d{1,2}([./-])\d{1,2}\1\d{4}(?!\d)|(?<!\d)\d{4}([./-])\d{1,2}\2\d{1,2}(?!\d)|"
    r"\d{4}\s?[年년]\s?\d{1,2}\s?[月월](?:\s?\d{1,2}\s?[日号號일])?|"
    r"[^\W\d_]{3,12}\.? \d{1,2}(?:st|nd|rd|th)?, ?\d{4}(?!\d)"
)
"""A day, as people write it."""
_EVENT = re.compile(
    r"(?:event|start|end)[-_]?(?:date|time|start|schedule)|schedule|startDate|dtstart|agenda", re.I
)
LONGEST = 90
"""Letters of a line that says when, and hardly more."""
MOST = 50
"""Elements made for dates that are looked at: those of an entry are among the first."""
_MARKED = (
    ".//time | .//abbr[@title] | .//*[@itemprop='datePublished'] | "
    ".//*[@itemprop='dateModified'] | "
    ".//*[@itemprop='dateCreated'] | .//*[@property][@content] | "
    ".//*[contains(@class,'dt-published')]"
)
_PROPERTIES = re.compile(
    r"(?:^|\s|:)(?:dc:date|dc:created|date|created|issued|datePublished|modified|"
    r"dateModified)(?:$|\s)"
)


@dataclass(frozen=True, slots=True)
class Dates:
    """What a page says beside its heading of when."""

    published: tuple[str, ...] = ()
    """Values of elements made for dates, as they are written."""
    modified: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    """Lines with a date of publication in words."""
    said_changed: tuple[str, ...] = ()
    """Lines with a date of change in words."""
    shown: frozenset[str] = frozenset()
    """The lines in which the elements made for dates stand."""

    def with_lines(self, head: list[str], end: list[str]) -> Dates:
        """The same with lines of the text: of its head, and of what follows it, where only
        changes count."""
        pieces = [piece for line in head for piece in _pieces(line)]
        pieces += [piece for line in end for piece in _pieces(line) if piece[1]]
        said = [piece for piece, changed in pieces if not changed]
        changes = [piece for piece, changed in pieces if changed]
        return replace(self, said=(*self.said, *said), said_changed=(*self.said_changed, *changes))


def says_when(text: str) -> bool:
    """Whether a line says when, and hardly more."""
    found = _DAY.search(text) if len(text) <= LONGEST else None
    if found is None:
        return False
    rest = [part for part in re.split(r"[\W\d_]+", text.replace(found[0], " ")) if part]
    return sum(map(len, rest)) <= 40 and len(rest) <= 8


def of_events(root: _Element) -> list[str]:
    """The texts of elements that say by their class when an event takes place."""
    return [
        text_of(node)
        for node in root.iter()
        if isinstance(node.tag, str)
        and _EVENT.search(f"{node.get('class', '')[:1000]} {node.get('itemprop', '')[:100]}")
    ]


_OF_THE_PAGE = re.compile(
    r"footer-info-lastmod|docInfo|page-?(?:last-?)?(?:modified|updated)", re.I
)
"""What wikis call the line that says when a page was changed, outside of the entry."""


def changes_of(page: _Element) -> list[str]:
    """The lines of a page in which a wiki says when it was changed."""
    return [
        text_of(node)
        for node in page.iter()
        if isinstance(node.tag, str)
        and _OF_THE_PAGE.search(f"{node.get('class', '')} {node.get('id', '')}")
        and _DAY.search(text_of(node))
        and len(text_of(node)) <= 2 * LONGEST
    ]


def dates_of(root: _Element, heading: _Element | None) -> Dates:
    """The dates of the entry in ``root``, which has no furniture any more but by-lines."""
    published: list[str] = []
    modified: list[str] = []
    shown: set[str] = set()
    for node in root.xpath(_MARKED)[:MOST]:
        kind = _kind(node, root)
        if kind is not None and (value := _value(node)):
            (modified if kind else published).append(value)
            line = _line_of(node, root)
            shown |= {line} if len(line) <= LONGEST else set()
    made = Dates(
        tuple(dict.fromkeys(published)), tuple(dict.fromkeys(modified)), shown=frozenset(shown)
    )
    return made.with_lines([*_byline_lines(root, heading)], [])


def _pieces(line: str) -> Iterator[tuple[str, bool]]:
    """The dates of a line, each with the label before it, and whether it is one of a change. Dates
    of something else (an event, a comment) are left out."""
    end = 0
    for found in _DAY.finditer(line):
        label, piece = line[end : found.start()], line[end : found.end()]
        end = found.end()
        if not _OTHER.search(label):
            yield piece.strip(" ,;.·|-–—/"), bool(_CHANGED.search(label))


def _kind(node: _Element, root: _Element) -> bool | None:
    """Whether an element says when the entry was changed; ``None`` if it says nothing of it."""
    if node.get("property") and not _PROPERTIES.search(node.get("property", "")):
        return None
    names = " ".join(
        f"{up.get('class', '')} {up.get('itemprop', '')} {up.get('property', '')}"
        for up in _near(node, root)
    )
    if node.tag == "abbr" and not re.search(r"publi|modif|updat|date|time", names, re.I):
        return None
    if not node.get("itemprop") and _OTHER.search(names):
        return None
    line = _line_of(node, root)
    if len(line) > LONGEST + 30 and not any(
        map(furniture.is_byline, [node, *node.iterancestors()])
    ):
        return None  # a date that a sentence tells of
    shown = text_of(node)
    label = line.partition(shown)[0] if shown else ""
    return bool(_CHANGED.search(names) or _CHANGED.search(label[-40:]))


def _near(node: _Element, root: _Element) -> Iterator[_Element]:
    yield node
    for place, up in enumerate(node.iterancestors()):
        # Two levels up may be the whole by-line, which holds the other date too.
        if up is root or place >= 2 or len(up.xpath(_MARKED)) > 1:
            return
        yield up


def _line_of(node: _Element, root: _Element) -> str:
    for up in node.iterancestors():
        if up is root or up.tag in ("p", "div", "li", "dd", "td", "header", "section", "h2", "h3"):
            said = text_of(up)
            return said if up is not root else text_of(node)
    return text_of(node)


def _value(node: _Element) -> str:
    for attribute in ("datetime", "content", "title"):
        if said := (node.get(attribute) or "").strip():
            return said
    return text_of(node)


def _byline_lines(root: _Element, heading: _Element | None) -> Iterator[str]:
    """The lines of by-lines, each with the label that stands on the line before it."""
    above = {heading, *heading.iterancestors()} if heading is not None else set()
    for node in root.iter():
        if not isinstance(node.tag, str) or node in above or not furniture.is_byline(node):
            continue
        if any(furniture.is_byline(up) for up in node.iterancestors() if up is not root):
            continue
        before = ""
        for line in lines_of(node):
            if len(line.text) > 2 * LONGEST:
                before = ""
                continue
            yield f"{before} {line.text}".strip()
            before = "" if _DAY.search(line.text) else line.text[-40:]
