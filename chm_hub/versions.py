"""Which of several versions of a document counts, where one walk gives more than one.

A source may name a document twice: on two pages, in two of its sets, published and deleted. In one
list the version with the newer datestamp counts, in whatever order they come. Of two with one
datestamp the published one counts; of two published ones the one the hub had before the walk, else
the last, or the first where neither has a datestamp. Of several lists (OAI-PMH sets) each says only
whether the document is in it: it is gone when each list that names it says so. See
docs/decisions/0017.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from typing import Literal, Protocol

from chm_hub.document import Document

_HAD = 1
_LIVE = 2


class Stored(Protocol):
    """What the store has of a record."""

    @property
    def deleted(self) -> bool:
        """Whether it is a tombstone."""

    @property
    def document(self) -> str:
        """The digest of the document it was made from."""

    @property
    def stamp(self) -> str | None:
        """The datestamp of that document, as its source wrote it."""


@dataclass(frozen=True, slots=True)
class Late:
    """A document that waits for the end of its walk: the hub has a newer version of it."""

    digest: str
    page: str
    index: int
    older: bool
    """Whether it is older; else it has the same datestamp."""


@dataclass(frozen=True, slots=True)
class Judged:
    """What is to become of a version."""

    verdict: Literal["take", "older", "late"]
    differs: bool = False
    """The walk has given another version before, in the same list."""
    dropped: bool = False
    """One that waited is superseded by it."""


def version_of(datestamp: str | None, *, deleted: bool, had: bool = False) -> int:
    """A number that orders versions in one list: by datestamp, unreadable ones first; with one
    datestamp deleted, live, and the live one that the hub has."""
    return _seconds(datestamp) << 2 | (0 if deleted else _LIVE) | (_HAD if had else 0)


def standing(versions: Iterable[int]) -> int:
    """What counts of the newest versions in each of several lists: the newest live one, if any."""
    return max(versions, key=lambda version: (version & _LIVE, version))


def has(document: Document, digest: str, stored: Stored | None) -> bool:
    """Whether a live record was made from just this document."""
    if stored is None or stored.deleted or document.deleted:
        return False
    return digest == stored.document


def waits(version: int, stored: Stored | None) -> bool:
    """Whether the hub has another version that is newer, or as new: a live document must not take
    its place before the walk has shown whether the source still has that one."""
    if stored is None or not version & _LIVE or version & _HAD:
        return False
    other = version_of(stored.stamp, deleted=stored.deleted)
    return other > (_LIVE | _HAD) and version <= other


class Versions:
    """The versions that a walk has given so far, by name."""

    def __init__(self) -> None:
        self._met: dict[bytes, int | dict[str | None, int]] = {}
        self.late: dict[str, Late] = {}

    def judge(
        self,
        name: str,
        document: Document,
        digest: str,
        stored: Stored | None,
        place: tuple[str, int],
    ) -> Judged:
        """What is to become of a document whose kept page and index are ``place``; ``stored`` is
        what the hub has now, writes of this walk included."""
        had = has(document, digest, stored)
        version = version_of(document.datestamp, deleted=document.deleted, had=had)
        lists = self._lists(name)
        before = lists.get(document.listed)
        late = self.late.get(name)
        last = late.digest if late else stored.document if stored else ""
        differs = before is not None and (
            bool(before & _LIVE) == document.deleted or (not document.deleted and digest != last)
        )
        if differs and version == before and document.datestamp is None:
            return Judged("older", differs)  # nothing says that it is the newer one
        if before is None or version >= before:
            lists[document.listed] = version
            self._keep(name, document.listed, lists)
        if standing(lists.values()) != version:
            return Judged("older", differs)
        if waits(version, stored):
            assert stored is not None
            older = version < version_of(stored.stamp, deleted=stored.deleted)
            self.late[name] = Late(digest, *place, older)
            return Judged("late", differs, late is not None)
        self.late.pop(name, None)
        return Judged("take", differs, late is not None)

    def take_late(self, *, whole: bool) -> tuple[dict[str, list[int]], int]:
        """The places (page, indices) of the documents that waited and that nothing newer replaced,
        and how many are left out: after a walk that was cut off the newer ones may be behind it."""
        pages: dict[str, list[int]] = {}
        left_out = 0
        for late in self.late.values():
            if late.older and not whole:
                left_out += 1
            else:
                pages.setdefault(late.page, []).append(late.index)
        self.late = {}
        return pages, left_out

    def _lists(self, name: str) -> dict[str | None, int]:
        met = self._met.get(_key(name))
        if met is None:
            return {}
        return {None: met} if isinstance(met, int) else met

    def _keep(self, name: str, listed: str | None, lists: dict[str | None, int]) -> None:
        # Most sources have one list: a number for each of a million names is all there is room for.
        alone = listed is None and len(lists) == 1
        self._met[_key(name)] = lists[None] if alone else lists


def superseded(
    pages: Iterable[tuple[str, Sequence[tuple[str, Document, str, Stored | None]]]],
) -> set[tuple[str, int]]:
    """The places of versions that do not count in the pages of a walk, which come in their order:
    for each document its name, itself, its digest, and what the hub has."""
    versions = Versions()
    taken: dict[str, tuple[str, int]] = {}
    lost = set()
    for page, documents in pages:
        for index, (name, document, digest, stored) in enumerate(documents):
            place = page, index
            if versions.judge(name, document, digest, stored, place).verdict == "older":
                lost.add(place)
                continue
            if name in taken:
                lost.add(taken[name])
            taken[name] = place
    return lost


def _key(name: str) -> bytes:
    return blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _seconds(datestamp: str | None) -> int:
    """Seconds since the year 1, from 1 on; 0 for a datestamp that cannot be read."""
    text = (datestamp or "").strip()
    if not text:
        return 0
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        try:
            moment = parsedate_to_datetime(text)
        except (ValueError, TypeError):
            return 0
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(1, int((moment - datetime.min.replace(tzinfo=UTC)).total_seconds()) + 1)
