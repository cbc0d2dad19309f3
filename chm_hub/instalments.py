"""What a source has lost bit by bit since a person, or its first harvest, last accepted it.

A run in which few records lose something passes the drift guard (rule R18). A slip that reaches a
few records at each run would pass it for ever. So the losses of the runs that passed are
remembered, and the next run is judged by all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

KEPT = "instalments"
"""Where the cursor of a source has them."""
_WIDTH = 8
"""Bytes of the digest of a name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instalments:
    """The losses of earlier runs."""

    lost: Mapping[str, int] = field(default_factory=dict)
    """By trait, how many live records have lost it and not got it back."""
    moved: Mapping[str, frozenset[bytes]] = field(default_factory=dict)
    """By trait, digests of the names of the records in which it is another one."""

    @classmethod
    def of_stored(cls, stored: Mapping[str, Any] | None) -> Instalments:
        """What :meth:`stored` made; nothing of nothing."""
        said = stored or {}
        return cls(
            lost=dict(said.get("lost") or {}),
            moved={word: _parted(names) for word, names in (said.get("moved") or {}).items()},
        )

    def stored(self) -> dict[str, Any] | None:
        """As values of the store; ``None`` if there is nothing to remember."""
        made: dict[str, Any] = {
            "lost": {word: count for word, count in self.lost.items() if count > 0},
            "moved": {word: _joined(names) for word, names in self.moved.items() if names},
        }
        return {key: value for key, value in made.items() if value} or None

    def after(self, lost: Mapping[str, int], moved: Mapping[str, Iterable[bytes]]) -> Instalments:
        """With the losses of one more run, less what came back in it."""
        words = {*self.lost, *lost}
        return Instalments(
            lost={word: max(0, self.lost.get(word, 0) + lost.get(word, 0)) for word in words},
            moved={
                word: self.moved.get(word, frozenset()) | frozenset(moved.get(word, ()))
                for word in {*self.moved, *moved}
            },
        )


def _joined(names: Iterable[bytes]) -> bytes:
    return b"".join(sorted(names))


def _parted(names: bytes) -> frozenset[bytes]:
    return frozenset(names[at : at + _WIDTH] for at in range(0, len(names), _WIDTH))
