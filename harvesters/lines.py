"""The lines of a page as a browser lays them out (CSS 2.2 §9.2): blocks begin lines, inline
elements do not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lxml.etree import _Element, iterwalk

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
    for part in [*_parts(root), ("\0", None, False)]:
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


def _parts(root: _Element) -> Iterator[Part]:
    """The texts below an element in their order. Pages may be nested as deep as they like, so this
    does not call itself."""
    links: list[_Element] = []
    titles = keep = 0
    for event, node in iterwalk(root, events=("start", "end")):
        if not isinstance(node.tag, str):
            continue
        ends_lines = node.tag in _BLOCKS or (node.tag in _CELLS and _holds_blocks(node))
        link = links[-1] if links else None
        if event == "start":
            before = node.getprevious() if node is not root else None
            if node.tag == "a" and before is not None and before.tag == "a" and not before.tail:
                yield " ", link, titles > 0  # two links side by side are two words to a reader
            links += [node] if node.tag == "a" else []
            titles += node.tag in _TITLES
            keep += node.tag == "pre"
            if ends_lines or node.tag in ("br", "hr"):
                yield "\0", None, False
            elif node.tag in _CELLS:
                yield " ", None, False
            yield _said(node.text, keep > 0), links[-1] if links else None, titles > 0
            continue
        if ends_lines:
            yield "\0", None, False
        links = links[:-1] if node.tag == "a" else links
        titles -= node.tag in _TITLES
        keep -= node.tag == "pre"
        if node is not root:
            yield _said(node.tail, keep > 0), links[-1] if links else None, titles > 0


def _holds_blocks(cell: _Element) -> bool:
    return any(child.tag in _BLOCKS for child in cell)


def _said(text: str | None, keep: bool) -> str:
    return (text or "").replace("\n", "\0") if keep else (text or "").replace("\0", " ")
