"""Sources that announce more entries than they give: what a run says of the difference.

A walk that comes to the end of its list with fewer entries than the list announced (rule R4) is
partial: some may be missing. Some repositories always count what they do not give, such as
withheld records. A person can say so in the source's file (``announces_more``); whole walks that
agree with one another are a reason to.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

WALKS = 3
"""Whole walks that must agree before a run suggests ``announces_more``, this one included."""
_TOLERANCE = 0.1
"""Share by which the numbers of agreeing walks may differ: a source goes on growing."""


def known(lacking: int) -> str:
    """What a run says of a source whose file says that it announces more than it gives."""
    return (
        f"the source announced {lacking} entries more than it gave, as its file says it does "
        "(announces_more)"
    )


def suggestion(path: str) -> str:
    """What a run says after the reason for being partial, when its walks agree."""
    return (
        f". The last {WALKS} whole walks came to the end of the list and lacked as many. If the "
        "source always counts entries that it does not give, say `announces_more = true` in "
        f"{path}"
    )


def agree(lacking: int, earlier: Iterable[int]) -> bool:
    """Whether a whole walk and the ones before it (newest first) lacked about as many entries."""
    if lacking <= 0:
        return False
    before = list(islice(earlier, WALKS - 1))
    return len(before) == WALKS - 1 and all(_like(lacking, other) for other in before)


def _like(one: int, other: int) -> bool:
    return other > 0 and abs(one - other) <= _TOLERANCE * max(one, other)
