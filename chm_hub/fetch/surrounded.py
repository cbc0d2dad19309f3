"""A whole JSON value with something around it (rule R6): a notice of PHP before it, a comment of
a cache or a debugging bar after it, byte order marks of files that were saved one into the other.

Only a value that is whole counts, and only one. Where two values follow one another, or the value
stands in a script of a page, the answer is something else, and a harvest must not guess.
"""

from __future__ import annotations

import json
import re

MOST_AROUND = 64 * 1024
"""Characters that may stand before the value, and as many behind it."""
MOST_BEGINNINGS = 200
"""Brackets before the value at which reading is tried: a notice may have brackets of its own."""
MARK = "\ufeff"
_BEGINNING = re.compile(r"[{\[]")
_SCRIPT = re.compile(r"<script|<html|<!doctype", re.IGNORECASE)
_AFTER = re.compile(
    r"""[\s;)\ufeff\x00]*           # the end of a call (JSONP), white space
        (?:-?[01]\s*$               # what a function of PHP returned, printed
          |<[a-zA-Z!/?]             # markup: a comment, a debugging bar, a notice
          |/[*/]|\#                 # a comment of another language
          |(?:PHP\s+)?(?:Notice|Warning|Deprecated|Strict|Fatal|Parse|Catchable)\b
          |$)""",
    re.VERBOSE | re.IGNORECASE,
)
_DECODER = json.JSONDecoder(strict=False)


def inner(text: str) -> str | None:
    """The JSON text of one object or list within ``text``; ``None`` if there is none that is
    whole, or more than one. A list within a notice (``[8]``) is no answer: a list must hold
    objects, or nothing."""
    places = _BEGINNING.finditer(text, 0, MOST_AROUND)
    for _, place in zip(range(MOST_BEGINNINGS), places, strict=False):
        begin = place.start()
        if _SCRIPT.search(text, 0, begin):
            return None
        try:
            value, end = _DECODER.raw_decode(text, begin)
        except (ValueError, RecursionError):
            continue
        if not _is_answer(value):
            continue
        if len(text) - end > MOST_AROUND or not _AFTER.match(text, end):
            return None
        return text[begin:end]
    return None


def _is_answer(value: object) -> bool:
    if isinstance(value, list):
        return all(isinstance(one, dict) for one in value)
    return isinstance(value, dict)


def holds_json(body: bytes) -> bool:
    """Whether a body holds one whole JSON value and something around it."""
    if not body.rstrip(b"\0 \t\r\n") or (b"}" not in body and b"]" not in body):
        return False
    # Only JSON's own signs matter here, which are ASCII: other encodings are for the reader.
    return inner(body.decode(json.detect_encoding(body), "replace")) is not None
