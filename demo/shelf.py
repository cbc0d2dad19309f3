"""What a portal of the network holds: things that are worded, dated and living.

A host's replica turns these into its own wire format; what they say, when they changed and
whether they are still there is decided here, the same for every family.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from uuid import UUID

from demo import life
from demo.phrases import Country, Dice, Wording, compose


@dataclass(frozen=True, slots=True)
class Thing:
    """One thing a portal holds, as it stands in this phase. Times are seconds since 1970."""

    number: int
    kind: str
    """Its form in ``data/phrases.toml``."""
    wording: Wording
    edits: int
    born: int
    stamp: int
    """When it last changed, went or came back."""
    deleted: bool
    uuid: str
    moved: bool
    """Whether its page has another address than at first."""

    def when(self, moment: int) -> str:
        """A moment as ISO 8601 in UTC, with seconds and ``+00:00``."""
        return datetime.fromtimestamp(moment, UTC).isoformat()


@dataclass
class Shelf:
    """The things of one host. ``kinds`` are taken in turn, so that each is met; ``languages``
    are those of the portal, its own first: a thing is in its own and, now and then, in others.
    An edit may translate it into one more, or move its page."""

    seed: int
    name: str
    country: Country | None
    kinds: Sequence[str]
    size: int
    languages: tuple[str, ...]
    _states: list[life.State] = field(init=False)

    def __post_init__(self) -> None:
        self._states = life.begin(self.seed, self.name, self.size)

    def advance(self, phase: int, now: int) -> None:
        """One phase further: some change, appear, go and come back."""
        self._states = life.advance(self._states, self.seed, self.name, phase, now)

    def __len__(self) -> int:
        """How many there ever were."""
        return len(self._states)

    def __iter__(self) -> Iterator[Thing]:
        """Everything that ever was there, oldest number first."""
        for state in self._states:
            yield self._thing(state)

    def live(self) -> list[Thing]:
        """What is there now."""
        return [self._thing(state) for state in self._states if not state.deleted]

    def get(self, number: int) -> Thing | None:
        """One thing by its number, gone ones too; ``None`` if there never was one."""
        return self._thing(self._states[number]) if 0 <= number < len(self._states) else None

    def _thing(self, state: life.State) -> Thing:
        dice = Dice(self.seed, self.name, "thing", state.number)
        kind = self.kinds[state.number % len(self.kinds)]
        mine = self.languages
        if len(mine) > 1 and dice.below(3):  # two thirds are not translated
            mine = (dice.pick(mine),) if dice.below(4) == 0 else mine[:1]
        fate = Dice(self.seed, self.name, "fate", state.number)
        if state.edits and mine == self.languages[:1] and fate.below(3) == 0:
            mine = self.languages[:2]
        uuid = UUID(int=Dice(self.seed, self.name, "uuid", state.number).below(1 << 128), version=4)
        return Thing(
            number=state.number,
            kind=kind,
            wording=compose(
                kind,
                dice,
                country=self.country,
                languages=mine,
                edits=state.edits,
                year=datetime.fromtimestamp(state.born, UTC).year,
            ),
            edits=state.edits,
            born=state.born,
            stamp=state.stamp,
            deleted=state.deleted,
            uuid=str(uuid),
            moved=bool(state.edits) and fate.below(3) == 0,
        )
