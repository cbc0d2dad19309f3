"""What a run would make of the records that the hub has: what they lose, gain and change.

A :class:`Comparison` is gathered record by record, from plain values alone. Its
:meth:`~Comparison.jumps` say what of it a person should see before it is published (rule R18, drift
guard). It looks at the outcome. So it does not matter whether the source, a crosswalk, a table or
an adapter changed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from chm_hub.instalments import Instalments

Plain = Mapping[str, Any]
"""A record as :func:`chm_hub.record.to_dict` gives it; empty fields are left out."""

FEW = 5
"""Records that must be concerned before a share says anything; of a smaller source, all of them."""
MOST_OF_THEM = 0.9
"""A loss in this share of the compared records counts even where they are few of the source."""
MOVED = 0.25
"""This share of the source's live records is of another type, or of other countries."""
SKIPPED = 0.5
"""This share of the live records would be skipped by the crosswalk, and so be deleted."""
UNREAD = 0.2
"""This share of the live records could not be mapped any more (as rule R7, record isolation)."""
COLLAPSED = 0.5
"""Fewer than this share of the different titles (or links) are left..."""
DIFFERENT = 20
"""...where at least this many were different."""
EXAMPLES = 3
"""Examples kept of a kind of change."""
_NO_TYPE = frozenset(("resource", "other"))
_ABOUT = frozenset(("identifier", "source", "source_identifier", "provenance"))
"""Fields that say where a record comes from, not what it says."""


@dataclass(frozen=True, slots=True)
class _Trait:
    """Something that a record has or lacks, and the share of live records that may lose it."""

    word: str
    share: float
    of: Callable[[Plain], frozenset[str]]


def _type(record: Plain) -> frozenset[str]:
    return frozenset((record["type"],)) - _NO_TYPE if "type" in record else frozenset()


def _languages(record: Plain) -> frozenset[str]:
    tags = record.get("language") or [t.get("lang") for t in record.get("title", ())]
    return frozenset(tag.partition("-")[0].lower() for tag in tags if tag)


def _dates(record: Plain) -> frozenset[str]:
    return frozenset(name for name in ("issued", "modified", "temporal") if record.get(name))


def _texts(name: str) -> Callable[[Plain], frozenset[str]]:
    return lambda record: frozenset(text["value"] for text in record.get(name, ()))


TRAITS = (
    _Trait("title", 0.10, _texts("title")),
    _Trait("description", 0.25, _texts("description")),
    _Trait("link", 0.25, lambda r: frozenset((r["url"],)) if r.get("url") else frozenset()),
    _Trait("date", 0.25, _dates),
    _Trait("type", 0.25, _type),
    _Trait("countries", 0.25, lambda r: frozenset(r.get("spatial", ()))),
    _Trait("language", 0.25, _languages),
)
"""What a record may lose. Nearly all records have a title, always: a tenth is much."""
_MOVING = frozenset(("type", "countries"))
_TELLING_APART = frozenset(("title", "link"))


class Comparison:
    """What would become of a source's records, counted while they are mapped."""

    def __init__(self, live: int, earlier: Instalments | None = None) -> None:
        self.live = live
        """Live records of the source before the run."""
        self._earlier = earlier or Instalments()
        self.unchanged = 0
        self.changed = 0
        """Records that would say something else."""
        self.new = 0
        self.skipped = 0
        """Live records that the crosswalk would skip."""
        self.unread = 0
        """Live records whose document could not be mapped."""
        self._compared = 0
        self._had: Counter[str] = Counter()
        self._counts: Counter[tuple[str, str]] = Counter()
        """(``lost``, ``gained``, ``changed`` or ``moved``, field) → records."""
        self._examples: dict[tuple[str, str], list[str]] = {}
        self._less: Counter[str] = Counter()
        """By trait, how many records have lost it, less those that have got it (back)."""
        self._moved: dict[str, set[bytes]] = {word: set() for word in _MOVING}
        """Digests of the names of the records that have moved."""
        self._different: dict[str, tuple[set[bytes], set[bytes]]] = {
            word: (set(), set()) for word in _TELLING_APART
        }

    @property
    def differing(self) -> int:
        """Documents that would make another record than there is, or end one."""
        return self.new + self.changed + self.skipped + self.unread

    # --- gathering -------------------------------------------------------------------------

    def became_new(self) -> None:
        """Count a record under a name that the hub does not have."""
        self.new += 1

    def became_skipped(self, name: str) -> None:
        """Count a live record that the crosswalk skips."""
        self.skipped += 1
        self._note("skipped", "", name)

    def became_unread(self, name: str) -> None:
        """Count a live record whose document cannot be mapped."""
        self.unread += 1
        self._note("unread", "", name)

    def became(self, name: str, before: Plain, now: Plain, *, stays: bool = False) -> None:
        """Compare a live record with what it would become; ``stays`` if that will not be written,
        since it has no name."""
        self._compared += 1
        fields = [f for f in dict.fromkeys((*before, *now)) if f not in _ABOUT]
        different = [f for f in fields if before.get(f) != now.get(f)]
        self.changed += bool(different)
        self.unchanged += not different
        for name_of in different:
            kind = "lost" if not now.get(name_of) else "changed"
            self._note("gained" if not before.get(name_of) else kind, name_of, name)
        for trait in TRAITS:
            was, has = trait.of(before), trait.of(now)
            self._had[trait.word] += bool(was)
            self._less[trait.word] += 0 if stays else bool(was) - bool(has)
            if was and not has:
                self._note("no more", trait.word, name)
            elif trait.word in _MOVING and was - has:
                self._note("moved", trait.word, name)
                if not stays:
                    self._moved[trait.word].add(_digest(name))
            if trait.word in _TELLING_APART and was and has:
                for seen, values in zip(self._different[trait.word], (was, has), strict=True):
                    seen.add(_digest(min(values)))

    def _note(self, kind: str, field: str, name: str) -> None:
        self._counts[kind, field] += 1
        examples = self._examples.setdefault((kind, field), [])
        if len(examples) < EXAMPLES:
            examples.append(name)

    # --- judging ---------------------------------------------------------------------------

    def jumps(self) -> list[str]:
        """What a person should see before it is published, each in words; empty if nothing is."""
        found = []
        for trait in TRAITS:
            lost = self._counts["no more", trait.word]
            most = min(trait.share * self.live, MOST_OF_THEM * max(1, self._had[trait.word]))
            such = self._such(trait.word)
            if lost >= max(few(self.live), most):
                found.append(f"{trait.word}: {self._of(lost)} lose theirs{such}")
            elif self._less[trait.word] > 0 and self._too_many(
                all_lost := self._all_lost(trait.word), trait.share
            ):
                found.append(
                    f"{trait.word}: {self._of(all_lost)} have lost theirs bit by bit, {lost} of "
                    f"them now{such}"
                )
            moved = self._counts["moved", trait.word]
            such = self._such(trait.word, "moved")
            if self._too_many(moved, MOVED):
                found.append(f"{trait.word}: {self._of(moved)} change theirs{such}")
            elif moved and self._too_many(all_moved := self._all_moved(trait.word), MOVED):
                found.append(
                    f"{trait.word}: {self._of(all_moved)} have changed theirs bit by bit, {moved} "
                    f"of them now{such}"
                )
        for word, (before, now) in self._different.items():
            if len(before) >= DIFFERENT and len(now) < COLLAPSED * len(before):
                found.append(f"{word}: {len(before)} different ones become {len(now)}")
        for word, count, share, text in (
            ("skipped", self.skipped, SKIPPED, "are skipped now, and would be deleted"),
            ("unread", self.unread, UNREAD, "cannot be mapped any more"),
        ):
            if self._too_many(count, share):
                found.append(f"{word}: {self._of(count)} {text}{self._such('', word)}")
        return found

    def after(self) -> Instalments:
        """What the source has lost bit by bit, if what was compared is written."""
        return self._earlier.after(self._less, self._moved)

    def _all_lost(self, word: str) -> int:
        return self.after().lost.get(word, 0)

    def _all_moved(self, word: str) -> int:
        return len(self.after().moved.get(word, ()))

    def _too_many(self, count: int, share: float) -> bool:
        return count >= max(few(self.live), share * self.live)

    def _of(self, count: int) -> str:
        return f"{count} of {self.live} records"

    def _such(self, word: str, kind: str = "no more") -> str:
        examples = self._examples.get((kind, word))
        return f" (such as {examples[0]})" if examples else ""

    def told(self) -> dict[str, Any]:
        """The comparison as plain values: counts of records, and of each field how many records
        lose, gain or change it, with examples."""
        fields: dict[str, dict[str, Any]] = {}
        for kind, field in sorted(self._counts, key=lambda pair: (pair[1], pair[0])):
            if kind in ("lost", "gained", "changed"):
                fields.setdefault(field, {})[kind] = {
                    "records": self._counts[kind, field],
                    "examples": self._examples[kind, field],
                }
        return {
            "live": self.live,
            "new": self.new,
            "changed": self.changed,
            "unchanged": self.unchanged,
            "skipped": self.skipped,
            "unread": self.unread,
            "fields": fields,
        }


def few(live: int) -> int:
    """How many records must be concerned at least, of a source with so many live ones."""
    return FEW if live >= FEW else max(2, live)


def _digest(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
