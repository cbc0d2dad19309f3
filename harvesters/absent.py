"""What a whole list no longer holds: the source is asked for each by name.

What it says is gone is a tombstone, what it still has is not missing. What it does not answer for
clearly waits for the rule that holds everywhere: missing twice, a week apart (rule R11).
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from enum import Enum

from chm_hub.document import Document, Page, Payload, Walk
from chm_hub.errors import FetchError, ProtocolError
from harvesters.one_by_one import OneByOne

MOST = 500
"""So many are asked for in one run; if more are missing the list is to be doubted."""


class Still(Enum):
    """An answer that is no tombstone."""

    THERE = "there"
    """The source has the record, though it lists it no more."""


Ask = Callable[[str], Awaitable[Page | Still | None]]
"""Ask for one record by its native identifier: the page that says it is gone
(:func:`tombstone`), :data:`Still.THERE`, or ``None`` where the answer proves neither."""


async def ask_for(
    walk: Walk, listed: Collection[str], ask: Ask, most: int = MOST
) -> AsyncIterator[Page]:
    """Tombstones of those live records that are not among ``listed`` and are gone; the names of
    those that are still there go into ``walk.there``. Nothing is asked if more than ``most`` are
    missing.

    Raises :class:`FetchError` (``busy``) where the source asks us to come back later.
    """
    if walk.live is None:
        return
    missing = [name for name in await walk.live() if name not in listed]
    if len(missing) > most:
        walk.warnings["too_many_missing_to_ask_for"] += 1
        return
    questions = OneByOne()
    for place, name in enumerate(missing):
        try:
            page = await ask(name)
        except (FetchError, ProtocolError) as error:
            if error.reason == "busy":
                raise  # it says when to come back
            if questions.end_with(error):
                # The list was read as a whole; what is not on it waits.
                walk.warnings["deletion_not_confirmed"] += len(missing) - place
                return
            walk.warnings["deletion_not_confirmed"] += 1
            continue
        questions.answered()
        if page is Still.THERE:
            walk.there.add(name)
        elif isinstance(page, Page):
            yield page


def tombstone(name: str, payload: Payload, datestamp: str | None = None) -> Page:
    """The page that holds what a source said of a record that is gone."""
    return Page(
        payloads=[payload],
        documents=[Document(identifier=name, datestamp=datestamp, deleted=True)],
    )
