"""How a source says what is gone: its file decides, then its own words, then its adapter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from adapters.source import Source

UNRELIABLE = ("no", "transient")
"""What ``deletedRecord`` of Identify says where tombstones cannot be relied on (OAI-PMH 2.0
§2.5.1)."""


def way(source: Source, repository: Mapping[str, Any] | None) -> str:
    """``tombstones``, ``absence`` or ``never``; ``repository`` is what its harvester learned of
    it."""
    if source.declared.deletions is not None:
        return source.declared.deletions
    said = str((repository or {}).get("deleted") or "").strip().lower()
    usual = source.adapter.DELETIONS
    return "absence" if usual == "tombstones" and said in UNRELIABLE else usual


def always_whole(source: Source) -> bool:
    """Whether every run asks for everything: what is absent from a list of changes says nothing.

    Where the file says so. Adapters that go by absence anyway know how to ask for changes between
    whole walks. A default must not multiply the requests to all repositories without tombstones.
    """
    return source.declared.deletions == "absence" and source.adapter.DELETIONS != "absence"
