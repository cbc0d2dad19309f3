"""The lines of a page as a browser lays them out (CSS 2.2 §9.2): blocks begin lines, inline
elements do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element

_BLOCKS = frozenset(
    str.split("address article aside blockquote body caption center dd details dialog div dl "
              "dt fieldset "
              "figcaption figure footer form h1 h2 h3 h4 h5 h6 header hr html legend li main "
              "nav ol "
              "p pre section summary table tbody tfoot thead tr ul")
)  # fmt: skip
_TITLES = frozenset({"h1", "h2", "h3", "h4", "h5", "h6"})
_CELLS = frozenset({"td", "th"})


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text."""

    text: str
    linked: float = 0.0
    """The share of its letters that are links to other pages."""
    files: bool = False
    """Whether it links to a file."""
    title: bool = False
    """Whether it is a heading."""


Part = tuple[str, _Element | None, bool]
"""A text, the link it stands in, and whether it is of a heading. ``\\0`` ends a line."""


def lines_of(root: _Element, files: frozenset[_Element] = frozenset()) -> list[Line]:
    """The lines of an element that have text. ``files`` are the links that lead to files."""
    made: list[Line] = []
    parts: list[Part] = []
    for part in [*_parts(root, None, False), ("\0", None, False)]:
        pieces = part[0].split("\0")
        for place, piece in enumerate(pieces):
            if place:
                if line := _line(parts, files):
                    made.append(line)
                parts = []
            parts.append((piece, part[1], part[2]))
    return made


def _line(parts: list[Part], files: frozenset[_Element]) -> Line | None:
    text = " ".join("".join(said for said, _, _ in parts).split())
    if not text:
        return None
    # Blanks do not count: they are folded in the text, and not in its parts.
    whole = sum(len("".join(said.split())) for said, _, _ in parts)
    linked = sum(
        len("".join(said.split()))
        for said, link, _ in parts
        if link is not None and link not in files
    )
    return Line(
        text,
        linked / whole,
        any(link in files for said, link, _ in parts if link is not None and said.strip()),
        any(title for said, _, title in parts if said.strip()),
    )


def _parts(node: _Element, link: _Element | None, title: bool) -> Iterator[Part]:
    if not isinstance(node.tag, str):
        return
    if node.tag in ("br", "hr"):
        yield "\0", link, title
        return
    block, cell = node.tag in _BLOCKS, node.tag in _CELLS
    link = node if node.tag == "a" else link
    title = title or node.tag in _TITLES
    keep = node.tag == "pre"
    if block or (cell and _holds_blocks(node)):
        yield "\0", link, title
    elif cell:
        yield " ", link, title
    if node.text:
        yield _said(node.text, keep), link, title
    for place, child in enumerate(node):
        if child.tag == "a" and place and node[place - 1].tag == "a" and not node[place - 1].tail:
            yield " ", link, title  # two links side by side are two words to a reader
        yield from _parts(child, link, title)
        if child.tail:
            yield _said(child.tail, keep), link, title
    if block or (cell and _holds_blocks(node)):
        yield "\0", link, title


def _holds_blocks(cell: _Element) -> bool:
    return any(child.tag in _BLOCKS for child in cell)


def _said(text: str, keep: bool) -> str:
    return text.replace("\n", "\0") if keep else text.replace("\0", " ")
