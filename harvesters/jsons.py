"""JSON as it comes from the wild, parsed with an error that explains itself."""

from __future__ import annotations

import json

from chm_hub.document import Json
from chm_hub.errors import ProtocolError


def parse(body: bytes, where: str) -> Json:
    """The value of a JSON text (RFC 8259), a byte order mark before it allowed.

    Raises :class:`ProtocolError` (reason ``not_json``).
    """
    try:
        return json.loads(body.decode("utf-8-sig"))
    except (UnicodeDecodeError, ValueError, RecursionError) as error:
        raise ProtocolError(
            f"{where}: not JSON: {error}. Look at what the address answers.", reason="not_json"
        ) from error
