"""When a walk that asks for one thing after another ends because of one that cannot be had."""

from __future__ import annotations

from chm_hub.errors import FetchError, ProtocolError

CLOSED = frozenset(("http_401", "http_403"))
MOST_CLOSED = 3
"""So many things in a row that we may not see are a no to us; fewer are closed to everybody."""


class OneByOne:
    """Questions to one server, each for one thing."""

    def __init__(self) -> None:
        self._closed = 0

    def answered(self) -> None:
        """A question was answered."""
        self._closed = 0

    def end_with(self, error: FetchError | ProtocolError) -> bool:
        """Whether a question that was answered so is the last; else the thing is set aside, and
        its neighbours go on (rules R7, R17)."""
        self._closed = self._closed + 1 if error.reason in CLOSED else 0
        return error.ends_walk and not 0 < self._closed < MOST_CLOSED
