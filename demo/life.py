"""How a source's records live: phase by phase some change, appear, go and come back.

A phase depends on the seed, on the phases before it and on the time it begins, which is the
datestamp of all that happens in it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import blake2b

from demo.phrases import Dice

FIRST = int(datetime(2016, 3, 1, tzinfo=UTC).timestamp())
LAST = int(datetime(2024, 11, 30, tzinfo=UTC).timestamp())
"""Between these the records lie that are there from the beginning, whatever the clock says,
so that the network's first phase is the same at any time."""


@dataclass(frozen=True, slots=True)
class State:
    """Where one record is in its life. Times are seconds since 1970."""

    number: int
    edits: int
    """How often its content was changed since the network began; a record that comes back
    comes back changed."""
    born: int
    stamp: int
    """When it last changed, went or came, or was stamped anew."""
    deleted: bool = False


def begin(seed: int, name: str, size: int, *, gone: int = 0) -> list[State]:
    """The records of a source in phase 0; the last ``gone`` are tombstones already."""
    states = []
    span = LAST - FIRST
    for number in range(size + gone):
        dice = Dice(seed, name, "life", number)
        born = FIRST + dice.below(span)
        stamp = born + dice.below(LAST - born + 1)
        states.append(State(number, 0, born, stamp, deleted=number >= size))
    return states


def advance(
    states: list[State], seed: int, name: str, phase: int, now: int, *, restamp: bool = False
) -> list[State]:
    """The same records one phase later.

    Of the live ones one in twenty is edited and one in sixty goes; one in forty is added; a
    third of those gone comes back. Each happens at least once. With ``restamp`` all live
    records get the datestamp ``now``, changed or not.
    """

    def order(state: State) -> bytes:
        key = f"{seed}/{name}/{phase}/{state.number}"
        return blake2b(key.encode(), digest_size=8).digest()

    after = list(states)
    live = sorted((state for state in states if not state.deleted), key=order)
    gone = sorted((state for state in states if state.deleted), key=order)
    edited = max(1, len(live) // 20)
    going = max(1, len(live) // 60)
    for state in live[:edited]:
        after[state.number] = replace(state, edits=state.edits + 1, stamp=now)
    for state in live[edited : edited + going]:
        after[state.number] = replace(state, stamp=now, deleted=True)
    for state in gone[: (len(gone) + 2) // 3]:
        after[state.number] = replace(state, edits=state.edits + 1, stamp=now, deleted=False)
    for number in range(len(states), len(states) + max(1, len(live) // 40)):
        after.append(State(number, 0, now, now))
    if restamp:
        after = [state if state.deleted else replace(state, stamp=now) for state in after]
    return after
