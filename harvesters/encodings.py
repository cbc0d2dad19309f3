"""Bytes as text, in whatever encoding they turn out to be (rule R6)."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Sequence

from w3lib.encoding import resolve_encoding

_MARKS = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
"""How a body begins that is in one of these: a mark, or the first character of any markup."""
_ONE_BYTE = ("ascii", "iso8859", "cp125", "cp8", "koi8", "mac")
"""How codecs begin that have one byte a character, in which nearly any bytes are a text."""
_SEVERAL = ("utf-8", "gb", "big5", "cp9", "euc", "shift", "iso2022", "johab")
"""Those with several. Python has other codecs, some of which take hours over a page."""
_CONTROLS = re.compile("[\x80-\x9f]")
"""What ISO 8859 has where windows-1252 has quotes and dashes; no text has them."""


def read(body: bytes, said: Sequence[str], hints: Sequence[str] = ()) -> tuple[str, str, list[str]]:
    """The text of a body, the codec it was read with, and what had to be repaired.

    Tried are: what the first bytes tell; the encodings it is ``said`` to be in, the best authority
    first; UTF-8; ``hints``. What is UTF-8 is not taken for an encoding with one byte a character:
    nothing else is so by chance. If it is none of these to the last byte, the bytes that are wrong
    in the one it is said to be in are read as windows-1252; so are the controls of ISO 8859.
    """
    mark = next((codec for start, codec in _MARKS if body.startswith(start)), None)
    label = mark or next(iter(said), "utf-8")
    claimed = mark or _codec(label)
    repaired = [f"encoding_not_{label.lower()}"]
    for codec in [mark] if mark else _tried(said, hints):
        try:
            text = body.decode(codec)
        except UnicodeDecodeError:
            continue
        if codec.startswith("iso8859") and _CONTROLS.search(text):
            return text.translate(_WINDOWS_1252), codec, repaired
        return text, codec, [] if codec == claimed or body.isascii() else repaired
    if claimed is None or claimed.startswith(("ascii", "cp1252", "utf-16", "utf-32")):
        # Bytes that windows-1252 does not have are of UTF-8: texts come from many hands.
        claimed = mark or "utf-8"
    errors = "replace" if claimed.startswith(("utf-16", "utf-32")) else "windows-1252"
    return body.decode(claimed, errors), claimed, repaired


def _tried(said: Sequence[str], hints: Sequence[str]) -> Iterator[str]:
    for labels in (said, ["utf-8"], hints):
        for codec in map(_codec, labels):
            if codec is None:
                continue
            if codec.startswith(_ONE_BYTE):
                yield "utf-8"
            yield codec


def _codec(label: str) -> str | None:
    """Python's name for an encoding; ``None`` for one it does not know, and for those that only a
    body's first bytes tell."""
    try:
        name = codecs.lookup(label).name
    except (LookupError, ValueError):
        name = ""
    if not name.startswith(("ascii", "iso8859")):
        name = resolve_encoding(label) or ""  # the wider ones that are meant: GB 18030 for GB 2312
    return name if name.startswith(_ONE_BYTE + _SEVERAL) else None


def _byte(byte: int) -> str:
    """A character of windows-1252. Five bytes mean nothing there; they are control characters to
    everybody else."""
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


_WINDOWS_1252 = {byte: _byte(byte) for byte in range(0x80, 0xA0)}


def _as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return "".join(map(_byte, error.object[error.start : error.end])), error.end


codecs.register_error("windows-1252", _as_windows_1252)
