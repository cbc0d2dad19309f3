"""The hub's errors: five, each named after what was wrong.

A message says what, where, and what to do next; whoever raises one from a lower error
writes ``raise ... from``.
"""

from __future__ import annotations

ENDS_WALK = frozenset(
    (
        # It asks us to come back later.
        "busy",
        "http_429",
        # It does not let us in (rule R17).
        "http_401",
        "http_403",
        "challenge",
        # There is no way to it.
        "certificate",
        "dns",
        "egress",
        "refused",
    )
)
"""Reasons that are about a server as a whole and not about the one thing it was asked for."""


class HubError(Exception):
    """Something the hub can explain. Its text is shown to people as it stands."""


class SourceError(HubError):
    """A source file, a setting or another file of the configuration is wrong."""


class CrosswalkError(HubError):
    """A crosswalk or a value table is wrong."""


class _AnswerError(HubError):
    """What both errors of an answer have."""

    reason: str

    @property
    def ends_walk(self) -> bool:
        """Whether the next question to this server would be answered no better: who asks for one
        thing after another stops, and does not set each of them aside."""
        return self.reason in ENDS_WALK


class FetchError(_AnswerError):
    """The wire: no connection, a time-out, an HTTP status that means no, a limit reached.

    ``reason`` is a short stable word for counting (``timeout``, ``http_404``, ``egress``,
    ``too_large``...); ``status`` the HTTP status if there was an answer; ``not_before``
    the seconds the server asked us to stay away, if it asked for longer than we wait.
    """

    def __init__(
        self,
        message: str,
        *,
        reason: str,
        status: int | None = None,
        not_before: float | None = None,
    ) -> None:
        super().__init__(message)
        self.reason = reason
        self.status = status
        self.not_before = not_before


class ProtocolError(_AnswerError):
    """The answer came but is not what the protocol promises.

    ``reason`` is a short stable word for counting: an OAI-PMH error code, or one of
    ``html``, ``not_xml``, ``wrong_root``, ``loop``...
    """

    def __init__(self, message: str, *, reason: str) -> None:
        super().__init__(message)
        self.reason = reason


class StoreError(HubError):
    """MongoDB or the embedded engine cannot do what was asked.

    ``reason`` is ``store``, or ``leased`` where another process has the source.
    """

    def __init__(self, message: str, *, reason: str = "store") -> None:
        super().__init__(message)
        self.reason = reason
