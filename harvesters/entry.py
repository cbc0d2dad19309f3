"""The entry of a page as its reader sees it: heading, text, files, and who wrote it when.

The furniture of the theme goes first (:mod:`harvesters.furniture`), then what stands before the
heading, then by-lines, then what only leads elsewhere at the end.
"""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import dataclass

from lxml.etree import _Element, iterwalk

from harvesters import furniture
from harvesters.bylines import Dates, changes_of, dates_of, of_events, says_when
from harvesters.furniture import text_of
from harvesters.lines import Line, lines_of

_HEADINGS = ("h1", "h2", "h3", "h4")
_PLAIN = frozenset(str.split("b strong font span div td th p center big"))
"""What pages without headings put their title into."""
_MARK = "data-chm-heading"
_HEAD = 6
"""Lines below the heading among which a date may stand alone."""
_SENTENCE = 60
"""Letters of a line that is a sentence of the entry rather than a label."""
_DENSE = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
"""Signs that say as much as three letters."""
_CLOSING = re.compile(
    r"©|\(c\) ?\d{4}|copyright|all rights reserved|tous droits réservés|(?:todos los |todos "
    r"os )?(?:derechos|direitos) "
    r"reservados|все права защищены|版权所有|版權所有|جميع الحقوق محفوظة|สงวนลิขสิทธิ์|powered by|备案",
    re.I,
)
"""What the last lines of a page say of the site."""
DEEPEST = 250
"""Elements within one another. A page with more is no page that a theme made;
its text is taken as it stands."""
MORE = 0.15
"""The share of text that a wider part must add to be taken for the whole entry."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What a reader takes for the entry of a page."""

    heading: str
    sure: bool
    """Whether the title of the page says the heading, or the heading stands in its main part."""
    lang: str | None
    """The language that an element around the heading says, the nearest first."""
    lines: tuple[str, ...]
    dates: Dates
    authors: tuple[str, ...]
    """Names that its by-line calls its authors."""
    root: _Element
    """The elements of the entry."""

    @property
    def text(self) -> str:
        """The lines of the entry."""
        return "\n".join(self.lines)


def find(page: _Element, files: frozenset[_Element] = frozenset()) -> Entry:
    """The entry of a page, whose tree is changed by it. ``files`` are its links to files."""
    body = page.find("body") if page.tag == "html" else page
    body = page if body is None else body
    if _is_deep(page):
        furniture.remove_invisible(body)
        text = tuple(line.text for line in lines_of(body, files))
        return Entry("", False, None, text, Dates(), (), body)
    heading, sure = _heading(page)
    changes = changes_of(page)
    furniture.remove(body, heading)
    around = _container(body, heading)
    said = text_of(heading) if heading is not None else ""
    lang = _language(heading if heading is not None else around)
    whole = deepcopy(around)
    dates = dates_of(around, heading)
    if heading is not None:
        _remove_before(around, heading)
    names = [name for line in furniture.remove_bylines(around, heading) for name in _authors(line)]
    lines = lines_of(around, files)
    if heading is not None and lines and lines[0].text == said:
        lines = lines[1:]
    lines = [line for line in lines if any(map(str.isalnum, line.text))]
    beside, lines = _parted(lines, of_events(around), dates.shown)
    ends, lines = _without_end(lines)
    found = dates.with_lines(
        [line.text for line in beside], [*(line.text for line in ends), *changes]
    )
    names = list(dict.fromkeys(names))
    return Entry(said, sure, lang, tuple(line.text for line in lines), found, tuple(names), whole)


def _is_deep(page: _Element) -> bool:
    depth = 0
    for event, _ in iterwalk(page, events=("start", "end")):
        depth += 1 if event == "start" else -1
        if depth > DEEPEST:
            return True
    return False


def _heading(page: _Element) -> tuple[_Element | None, bool]:
    """The heading of the entry, and whether that is sure: the title of the page says it too, or it
    stands in the main part."""
    titles = [
        " ".join(said.split()).casefold()
        for said in page.xpath("//meta[@property='og:title']/@content | //head/title/text()")
    ]
    found: list[tuple[tuple[bool | str, ...], int, _Element]] = []
    for node in page.iter(*_HEADINGS):
        if not (said := text_of(node).strip(" ¶#").casefold()):
            continue
        ups = [node, *node.iterancestors()]
        rank = (
            any(furniture.is_of_the_site(up) for up in ups),
            not any(said in title for title in titles),
            node.tag not in ("h1", "h2") and not any(said in title for title in titles),
            not any(up.tag in ("main", "article") or up.get("role") == "main" for up in ups),
            node.tag,
        )
        found.append((rank, len(found), node))
    best = min(found, key=lambda one: one[:2]) if found else None
    if best is not None and not best[0][0] and not best[0][1]:
        return best[2], True
    # No heading says it: then what is written large, or the title alone in an element.
    for node in page.iter(*_PLAIN):
        said = text_of(node).casefold()
        if (
            said
            and any(said in _sides(title) for title in titles)
            and not any(furniture.is_of_the_site(up) for up in [node, *node.iterancestors()])
        ):
            return node, True
    if best is None or best[2].tag not in ("h1", "h2"):
        return None, False
    return best[2], not best[0][0] and not best[0][3] and best[2].tag == "h1"


def _sides(title: str) -> list[str]:
    """What a title may be without the name of its site."""
    parts = [part.strip() for part in re.split(r"\s[|–—»·:-]+\s|::|--", title)]
    return [title, *(part for part in (parts[0], parts[-1]) if len(part) > 3)]


def _container(body: _Element, heading: _Element | None) -> _Element:
    """The smallest part around the heading that has the text of the page."""
    if heading is None:
        for place in (".//main", ".//*[@role='main']", ".//article", ".//*[@id='content']"):
            found = body.xpath(place)
            if found and text_of(found[0]):
                return found[0]
        return body
    chosen: _Element | None = None
    have = noise = 0
    for node in heading.iterancestors():
        sentences, others = _weight(node)
        gain = sentences - have
        if gain > have * MORE and gain > (others - noise if have else 0):
            chosen, have, noise = node, sentences, others
        if node is body or node.tag == "main" or node.get("role") == "main":
            return chosen if chosen is not None else node
    return body


def _weight(node: _Element) -> tuple[int, int]:
    """How much text of sentences a part has, and how much other text."""
    lines = lines_of(node)
    sentences = sum(_length(line.text) for line in lines if _is_sentence(line))
    return sentences, sum(_length(line.text) for line in lines) - sentences


def _length(text: str) -> int:
    return len(text) + 2 * len(_DENSE.findall(text))


def _is_sentence(line: Line) -> bool:
    if (
        line.linked > 0.5
        or line.title
        or _length(line.text) < _SENTENCE
        or _CLOSING.search(line.text)
    ):
        return False
    return sum(map(str.isdigit, line.text)) < len(line.text) / 6


def _remove_before(root: _Element, heading: _Element) -> None:
    if heading is root:
        return
    for node in [heading, *heading.iterancestors()]:
        if node is root:
            break
        parent = node.getparent()
        for before in [*node.itersiblings(preceding=True)]:
            before.tail = None
            parent.remove(before)
        parent.text = None


def _language(node: _Element) -> str | None:
    for up in [node, *node.iterancestors()]:
        said = up.get("lang") or up.get("xml:lang")
        if said and up.tag != "html":
            return str(said)
    return None


_PERSON = (
    ".//*[@itemprop='name'] | .//*[@rel='author'] | .//*[contains(concat(' ',@class,' '),' fn ')]"
)


def _authors(byline: _Element) -> list[str]:
    """The names that a by-line marks as authors."""
    named = byline.xpath(_PERSON)
    if byline.get("rel") == "author" or (byline.get("itemprop") == "author" and not named):
        named = [byline]
    inner = [one for one in named if not any(other in one.iterdescendants() for other in named)]
    return [name for one in inner if (name := text_of(one)) and len(name) < 80]


def _parted(
    lines: list[Line], events: list[str], shown: frozenset[str]
) -> tuple[list[Line], list[Line]]:
    """The lines of the head that say when and hardly more, and the lines of the text."""
    dates: list[Line] = []
    kept: list[Line] = []
    head = True
    for place, line in enumerate(lines):
        head = head and place < _HEAD and not _is_sentence(line) and not line.files
        when = says_when(line.text) or line.text in shown
        if not head or not when or any(line.text in said for said in events):
            kept.append(line)
            continue
        dates.append(line)
        if place and lines[place - 1].title:  # its label stands above it
            kept.append(line)
    return dates, kept


def _without_end(lines: list[Line]) -> tuple[list[Line], list[Line]]:
    """The last lines that only lead elsewhere or speak of the site, and the lines before them."""
    end = len(lines)
    while end and (_is_closing(lines[end - 1]) or (lines[end - 1].title and end < len(lines))):
        end -= 1
    if not end:
        return [], lines
    return lines[end:], lines[:end]


def _is_closing(line: Line) -> bool:
    if line.files:
        return False
    return line.linked > 0.8 or bool(_CLOSING.search(line.text)) or says_when(line.text)
