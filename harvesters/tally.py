"""How many things a walk has met, beside how many its source announced (rule R4).

What comes twice counts once: where rows move while a list is read, one that comes again stands in
the place of another that never came. The number goes along in the checkpoint, so that the rest of
a walk that was cut off is compared as a whole walk is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from chm_hub.document import Json, Walk

_MET = "met"
_ANNOUNCED = "announced"


def place(checkpoint: Mapping[str, Json] | None) -> Mapping[str, Json]:
    """Where an earlier walk over a list was cut off; nothing, which is its beginning, if it is
    not known how many it had met till then."""
    return checkpoint if checkpoint and isinstance(checkpoint.get(_MET), int) else {}


@dataclass(slots=True)
class Tally:
    """The count of one walk over one list."""

    before: int = 0
    """Met by the walk that this one goes on from."""
    announced: int | None = None
    """What the source said last; harvesters set it."""
    names: set[str] = field(default_factory=set)
    unnamed: int = 0

    @classmethod
    def after(cls, checkpoint: Mapping[str, Json]) -> Tally:
        """The count from a :func:`place` on."""
        return cls(before=checkpoint.get(_MET, 0), announced=checkpoint.get(_ANNOUNCED))

    def add(self, name: str | None) -> bool:
        """Count one; whether it had not been met. What has no name is another one each time."""
        if name is None:
            self.unnamed += 1
            return True
        known = len(self.names)
        self.names.add(name)
        return len(self.names) > known

    def leads_back(self, names: Iterable[str]) -> bool:
        """Whether a page holds nothing new after all that was announced has come: the list goes on
        at its beginning, where it should have ended."""
        page = list(names)
        if not page or self.announced is None or self.met < self.announced:
            return False
        return all(name in self.names for name in page)

    @property
    def met(self) -> int:
        """How many there were."""
        return self.before + len(self.names) + self.unnamed

    def told(self, again: int = 0) -> dict[str, Json]:
        """What a checkpoint needs of it, if so many of those met will come again behind it."""
        return {_MET: max(0, self.met - again), _ANNOUNCED: self.announced}

    def shortage(self, walk: Walk) -> str | None:
        """Why a walk that came to the end of its list is not complete, if so. How many are lacking
        is added to ``walk.lacking``; a source that is known to announce more than it gives
        (``walk.announces_more``) is complete without them."""
        if self.announced is None or self.met >= self.announced:
            return None
        walk.lacking += self.announced - self.met
        if walk.announces_more:
            return None
        return f"the source announced {self.announced} entries and gave {self.met}"
