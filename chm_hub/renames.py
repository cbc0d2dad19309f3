"""Have the records of a source got new identifiers? (rule R9, identity)

A source that is moved to another system often gives all it has under new names. Taken as they
are, the records would be there twice: once under each name. :class:`Newcomers` remembers what new
names bring, by title and link, and compares it with the live records that the run did not meet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any
from urllib.parse import urlsplit

from chm_hub.comparison import few

OF_LIVE = 0.10
"""This share of the live records under new names is too much to be taken unseen..."""
OF_NEW = 0.5
"""...and so is this share of the new names."""
BY_TITLE = 0.5
"""Where links are new too, this share of the live records must be known again by title."""
LEAST = 20
"""Of fewer live records a list may well have none any more..."""
STILL = 0.1
"""...of others this share at least."""
LOOKED = 0.001
"""With fewer new names than this share of the live records, those are not looked through."""


class Newcomers:
    """Records under names that the hub does not have."""

    def __init__(self) -> None:
        self.count = 0
        self._exact: dict[bytes, str] = {}
        self._titles: dict[bytes, str] = {}

    def add(self, name: str, record: Mapping[str, Any]) -> None:
        """Remember a record under a new name, by digests of its title and link."""
        self.count += 1
        exact, title = _keys(record)
        if exact is not None:
            self._exact.setdefault(exact, name)
        if title is not None:
            self._titles.setdefault(title, name)

    def worth_comparing(self, live: int) -> bool:
        """Whether there are enough of them to look through the live records."""
        return self.count >= max(few(live), LOOKED * live)

    def known(
        self, live: Iterable[tuple[str, Mapping[str, Any]]], number: int, *, whole: bool
    ) -> dict[str, str]:
        """Old name → new name of the records that seem to be renamed; empty if too few are.

        ``live`` are the ``number`` live records, those left out that the run met under their old
        names. Where the walk saw all there is (``whole``) titles alone may tell, since links often
        change with the names. Records that share title and link with others count once.
        """
        exact, titles = dict(self._exact), dict(self._titles)
        by_both: dict[str, str] = {}
        by_title: dict[str, str] = {}
        for name, record in live:
            both, title = _keys(record)
            if both is not None and (new := exact.pop(both, None)) is not None:
                by_both[name] = new
            if title is not None and (new := titles.pop(title, None)) is not None:
                by_title[name] = new
        if _too_many(len(by_both), number, self.count, OF_LIVE):
            return by_both
        least = BY_TITLE * number
        if whole and len(by_title) >= max(few(number), least, OF_NEW * self.count):
            return by_title
        return {}


def _too_many(found: int, live: int, new: int, share: float) -> bool:
    return found >= few(live) and (found >= share * live or found >= OF_NEW * new)


def jump(renamed: Mapping[str, str], live: int) -> str:
    """What a person is told, with an example."""
    old, new = next(iter(renamed.items()))
    return (
        f"identifiers: {len(renamed)} of {live} records have come under new names, with the titles "
        f"they have under the old ones (such as {old}, now {new})"
    )


def replaced(still: int, new: int, live: int) -> list[str]:
    """What a person is told of a whole list that has nearly nothing of the live records, and others
    in their place: ``still`` of them are listed."""
    if live < LEAST or still > STILL * live or new < few(live):
        return []
    return [f"identifiers: {still} of {live} records are still listed, and {new} others"]


def _keys(record: Mapping[str, Any]) -> tuple[bytes | None, bytes | None]:
    """Digests of title and link, and of the title alone; ``None`` where they are not there."""
    titles = record.get("title")
    if not titles:
        return None, None
    title = " ".join(titles[0]["value"].split()).casefold()
    url = record.get("url")
    return (_digest(f"{title}\0{_place(url)}") if url else None), _digest(title)


def _place(url: str) -> str:
    """A link without what a move to https, or to another name of the same host, changes."""
    parts = urlsplit(url)
    host = parts.netloc.casefold().removeprefix("www.")
    return f"{host}{parts.path.rstrip('/')}?{parts.query}"


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
