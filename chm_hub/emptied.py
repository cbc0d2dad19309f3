"""A record that comes back without its content: the source has lost it, or gave half an answer.

A deletion is said in other ways. So the hub keeps the version it has, and sets the new one aside.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

REASON = "content_lost"
"""Why such a document is set aside."""
_CONTENT = ("title", "description")
"""Fields without which a record tells nobody anything; names of persons and dates alone do not."""


def says_nothing(record: Mapping[str, Any]) -> bool:
    """Whether a record, as plain values, has neither a title nor a description."""
    return not any(record.get(name) for name in _CONTENT)


def has_lost(former: Mapping[str, Any], record: Mapping[str, Any]) -> bool:
    """Whether a record says nothing, of which the former version said something."""
    return says_nothing(record) and not says_nothing(former)
