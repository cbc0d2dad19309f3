"""Entries that come again in one walk: the same once more, or another version.

A list whose rows move while it is read gives an entry twice, and portals list one identifier with
two contents. The same once more is dropped. Another version is passed on: which of the two counts
is decided by their datestamps, where all that came is seen (:mod:`chm_hub.versions`).
"""

from __future__ import annotations

import json
from hashlib import blake2b

from chm_hub.document import Json


class Given:
    """What a walk has given so far, by name."""

    def __init__(self) -> None:
        self._said: dict[str, bytes] = {}

    def __contains__(self, name: str) -> bool:
        return name in self._said

    def __len__(self) -> int:
        return len(self._said)

    def again(self, name: str, content: Json) -> bool:
        """Note an entry; whether it was given before and said just this."""
        said = json.dumps(content, sort_keys=True, default=str).encode("utf-8", "surrogatepass")
        digest = blake2b(said, digest_size=8).digest()
        before = self._said.get(name)
        self._said[name] = digest
        return before == digest
