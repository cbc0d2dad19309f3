"""A walk over several lists, of which one that cannot be had costs none of its neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field

from chm_hub.document import Walk
from chm_hub.errors import FetchError, ProtocolError
from harvesters.one_by_one import OneByOne


@dataclass
class Parts:
    """The lists of one walk."""

    walk: Walk
    alive: bool = False
    """Whether a list answered."""
    _questions: OneByOne = field(default_factory=OneByOne)
    _first: FetchError | ProtocolError | None = None
    _dead: list[str] = field(default_factory=list)

    def answered(self) -> None:
        """A list was had."""
        self.alive = True
        self._questions.answered()

    def set_aside(self, name: str, error: FetchError | ProtocolError) -> None:
        """Note a list that could not be had; raises the error where the server as a whole has
        none for us (rule R17)."""
        if self._questions.end_with(error):
            raise error
        self._first = self._first or error
        self._dead.append(f"{name}: {error}")
        self.walk.warnings["list_unread"] += 1

    def conclude(self) -> None:
        """Say what is missing of the walk; raises the first error where no list was had."""
        if self._first is None:
            return
        if not self.alive:
            raise self._first
        more = f" (and {len(self._dead) - 1} more lists)" if len(self._dead) > 1 else ""
        self.walk.short = self.walk.short or f"a list could not be read: {self._dead[0]}{more}"
