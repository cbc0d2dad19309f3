"""White space of values: off their ends when a document comes in, folded when a record is made.

White space is what Unicode calls so (property ``White_Space``), and the signs that show nothing
and join nothing: zero width space, word joiner, byte order mark. Zero width joiners and non-joiners
stay: Persian and the scripts of India write with them.
"""

from __future__ import annotations

import re
import unicodedata

from chm_hub.document import Json

_ENDS = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007"
    "\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000\u180e\u200b\u2060\ufeff"
)
_JOINERS = "\u200c\u200d"
_MARKS = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
"""Direction marks. A text may need them; around an address, a date or a code they are debris."""
_RUN = re.compile(r"[\t\n\x0b\x0c\r\x1c-\x1f \x85\u2028\u2029]+")
_ODD = "\xa0\u1680\u2000-\u200a\u202f\u205f"
"""Spaces of other widths, some of which forbid a line break."""
_BETWEEN_WORDS = re.compile(rf"(?<![0-9])[{_ODD}]|[{_ODD}](?![0-9])")
_BREAK = re.compile(r"\r\n|[\n\x0b\x0c\r\x1c-\x1e\x85\u2028\u2029]")
_ITEM = re.compile(r"[-*+•·–—▪◦]\s|\(?[0-9A-Za-z]{1,3}[.)]\s")
_INDENT = re.compile(r"\t| [ \t]")
_ZERO_WIDTH = re.compile(r"(?<=[\x00-\x7f])\u200b|\u200b(?=[\x00-\x7f]|$)")
"""Zero width spaces where words have spaces; in Khmer or Thai they part the words."""
_HIDDEN = dict.fromkeys((0xAD, 0xFEFF))
"""Soft hyphens, which say where a line may be broken, and byte order marks."""
_WIDE = frozenset("WF")


DEEPEST = 200
"""Levels of a document in which values are looked at."""


def trimmed(value: Json, depth: int = 0) -> Json:
    """A document's value, each text in it without white space around it; what needs no change is
    handed back as it is, and nothing is changed in place. A text of white space alone is empty."""
    if depth > DEEPEST:
        return value
    if isinstance(value, str):
        return _trimmed(value)
    if isinstance(value, dict):
        made: dict[str, Json] | None = None
        for key, part in value.items():
            if type(part) is str:
                # Most texts begin and end with a letter: they cost two comparisons each.
                if not part or " " < part[0] < "\x7f" and " " < part[-1] < "\x7f":
                    continue
                clean: Json = _trimmed(part)
            elif type(part) is dict or type(part) is list:
                clean = trimmed(part, depth + 1)
            else:
                continue
            if clean is not part:
                made = made or dict(value)
                made[key] = clean
        return value if made is None else made
    if isinstance(value, list):
        parts = [trimmed(part, depth + 1) for part in value]
        return (
            parts if any(new is not old for new, old in zip(parts, value, strict=True)) else value
        )
    return value


def _trimmed(value: str) -> str:
    bare = value.strip(_ENDS)
    if bare and (bare[0] in _MARKS or bare[-1] in _MARKS):
        unmarked = bare.strip(_ENDS + _MARKS)
        if unmarked.isascii():
            return unmarked
    return bare if bare.strip(_JOINERS) else ""


def line(value: str) -> str:
    """A text on one line: line breaks and runs of spaces become one space.

    A no-break or thin space stays within a number; between words it is a space as others are.
    Between two Chinese or Japanese signs a line break is nothing (CSS Text 3 §4.1.3).
    """
    # Printable texts have no white space but the space, and no hidden signs: most are so.
    if value.isprintable() and "  " not in value:
        return value.strip(" ")
    plain = _BETWEEN_WORDS.sub(" ", value).translate(_HIDDEN)
    if "\u200b" in plain:
        plain = _ZERO_WIDTH.sub("", plain)
    return _RUN.sub(_between, plain).strip(_ENDS)


def paragraphs(value: str) -> str:
    """A text of several lines: an empty line, or a break before text that is not indented, stays.

    A line break that a program made and not an author becomes a space: one before indented text,
    unless a list goes on there, and one where prose was wrapped. Lines are folded as :func:`line`
    folds them.
    """
    if value.isprintable():
        return line(value)
    made: list[str] = []
    for raw in _BREAK.split(value):
        bare = line(raw)
        if bare and made and made[-1] and _INDENT.match(raw) and not _ITEM.match(bare):
            made[-1] = line(f"{made[-1]}\n{bare}")
        elif bare or (made and made[-1]):
            made.append(bare)
    return "\n".join(_unwrapped(made)).strip(_ENDS)


_COLUMNS = range(50, 121)
"""Widths in characters at which programs wrap prose."""
_MANY = 3
"""Lines that are full to the last word are chance in two, and a program's work in this many."""
_SENTENCE = 40
"""Characters of a line that an author would not have broken within a sentence."""
_ENDED = ".!?:;。！？：；؟۔…"


def _unwrapped(lines: list[str]) -> list[str]:
    """Lines with those of wrapped prose joined."""
    made: list[str] = []
    paragraph: list[str] = []
    for text in [*lines, ""]:
        if text:
            paragraph.append(text)
            continue
        made += [*_joined(paragraph), ""]
        paragraph = []
    return made


def _joined(paragraph: list[str]) -> list[str]:
    """The lines of one paragraph; all are joined if each was broken where no further word fits."""
    pairs = list(zip(paragraph, paragraph[1:], strict=False))
    width = max(map(len, paragraph[:-1]), default=0)
    full = all(len(before) + 1 + len(after.split()[0]) > width for before, after in pairs)
    wrapped = len(pairs) >= _MANY - 1 and width in _COLUMNS and full and len(paragraph[-1]) <= width
    made = paragraph[:1]
    for before, after in pairs:
        goes_on = len(before) >= _SENTENCE and before[-1] not in _ENDED and after[0].islower()
        if (wrapped or goes_on) and not _ITEM.match(after):
            made[-1] = f"{made[-1]} {after}"
        else:
            made.append(after)
    return made


def address(value: str) -> str:
    """An address without what never belongs to one: signs that show nothing, and the line breaks
    (with their indentation) of a writer who folded it (URL Standard §4.4)."""
    if value.isprintable():
        return value
    bare = re.sub(r"[ \t]*[\n\r\t][ \t\n\r]*", "", value.strip(_ENDS + _MARKS))
    return re.sub(f"[{_MARKS}\xad\u200b\u2060\ufeff]", "", bare)


def _between(found: re.Match[str]) -> str:
    if not _BREAK.search(found[0]):
        return " "
    before, after = found.string[: found.start()][-1:], found.string[found.end() :][:1]
    return "" if _is_wide(before) and _is_wide(after) else " "


def _is_wide(char: str) -> bool:
    """Whether a sign is of a script that is written without spaces; Korean has them."""
    if not char or unicodedata.east_asian_width(char) not in _WIDE:
        return False
    return not "\uac00" <= char <= "\ud7a3"
