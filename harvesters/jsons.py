"""JSON as it comes from the wild, parsed with an error that explains itself."""

from __future__ import annotations

import json
import re

from chm_hub.document import Json
from chm_hub.errors import ProtocolError

# A backslash that stands for itself; a character that takes two escapes; half of such a one.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def parse(body: bytes, where: str) -> Json:
    """The value of a JSON text (RFC 8259), a byte order mark before it allowed.

    Raises :class:`ProtocolError` (reason ``not_json``).
    """
    try:
        return loads(body.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ProtocolError(
            f"{where}: not JSON: {error}. Look at what the address answers.", reason="not_json"
        ) from error


def loads(text: str, *, strict: bool = True) -> Json:
    """What :func:`json.loads` returns, without halves of characters, such as are left of an emoji
    where a title was cut (RFC 8259 §8.2): nothing can encode or store them. U+FFFF is in their
    place, which no text has either; crosswalks take it out and say so."""
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPES.sub(lambda found: r"\uffff" if found[1] else found[0], text)
    return json.loads(text, strict=strict)
