"""JSON as it comes from the wild, parsed with an error that explains itself."""

from __future__ import annotations

import json
import re
from collections import Counter

from chm_hub.document import Json, Payload
from chm_hub.errors import ProtocolError
from chm_hub.fetch import surrounded
from harvesters import encodings

SURROUNDINGS = "surroundings_removed"
"""What is said of an answer that had something before or behind its JSON."""

# A backslash that stands for itself; a character that takes two escapes; half of such a one.
_ESCAPES = re.compile(
    r"\\\\|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(\\u[dD][89a-fA-F][0-9a-fA-F]{2})"
)


def parse(body: bytes, where: str) -> Json:
    """The value of a JSON text (RFC 8259), a byte order mark before it allowed: for what must
    prove something, and where nobody would hear of a repair.

    Raises :class:`ProtocolError` (reason ``not_json``).
    """
    try:
        return loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise _not_json(where, error) from error


def read(payload: Payload, said: Counter[str]) -> Json:
    """The value of an answer that holds what is harvested, repaired where it must be (rule R6):
    in another encoding than UTF-8, with control characters in its texts, or with something around
    it (:mod:`chm_hub.fetch.surrounded`). What was repaired is counted in ``said``, which is the
    walk's warnings or becomes the page's.

    Raises :class:`ProtocolError` (reason ``not_json``).
    """
    try:
        text, repairs = _text(payload)
        value = _repaired(text, repairs)
    except (ValueError, RecursionError) as error:
        raise _not_json(payload.url, error) from error
    said.update(repairs)
    return value


def loads(text: str, *, strict: bool = True) -> Json:
    """What :func:`json.loads` returns, without halves of characters, such as are left of an emoji
    where a title was cut (RFC 8259 §8.2): nothing can encode or store them. U+FFFF is in their
    place, which no text has either; crosswalks take it out and say so."""
    if "\\ud" in text or "\\uD" in text:
        text = _ESCAPES.sub(lambda found: r"\uffff" if found[1] else found[0], text)
    return json.loads(text, strict=strict)


def _repaired(text: str, repairs: list[str]) -> Json:
    """The value of a JSON text, its repairs added to ``repairs``; raises :class:`ValueError`."""
    try:
        return loads(text)
    except ValueError:
        pass
    try:
        value = loads(text, strict=False)
    except ValueError:
        within = surrounded.inner(text)
        if within is None:
            raise
        value = _repaired(within, repairs)
        repairs.append(SURROUNDINGS)
    else:
        repairs.append("control_characters")
    return value


def _text(payload: Payload) -> tuple[str, list[str]]:
    # By where its zeros are: JSON begins with two characters of ASCII.
    wide = json.detect_encoding(payload.body)
    if not wide.startswith("utf-8"):
        return payload.body.decode(wide), ["encoding_not_utf-8"]
    charset = payload.charset()
    text, _, repairs = encodings.read(payload.body, ["utf-8"], [charset] if charset else [])
    return text, repairs


def _not_json(where: str, error: Exception) -> ProtocolError:
    return ProtocolError(
        f"{where}: not JSON: {error}. Look at what the address answers.", reason="not_json"
    )
