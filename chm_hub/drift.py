"""Drift: has a source become another one since it was last walked whole? (rule R18)

A :class:`Profile` is gathered while documents are mapped, at the cost of a few counts each;
:func:`compare` says what is so different from the profile before that a person should look.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import langcodes

from chm_hub.document import Document
from chm_hub.record import Record

LEAST = 20
"""Shares of fewer records say nothing: one more or less is five per cent."""
SHRUNK = 0.5
"""Less than this share of the records left. Losses of more than a tenth that are deletions wait
for a person anyway (rule R11); this is for lists that came short without saying so."""
GROWN = 3.0
"""More than so many times the records... Portals do import whole libraries, and an alarm at
each of them would soon be ignored."""
GROWN_BY = 100
"""...and at least so many more: a small portal may triple in a week."""
LOST_TITLES = 0.10
"""So much of the records lost their titles. Nearly all records have one, always."""
LOST_DATES = 0.25
"""Dates come and go with the kind of content that is added; a quarter at once is a changed
template."""
LOST_TYPES = 0.25
"""Likewise for a type that says something."""
FIELD_USED = 0.5
"""A field that more than this share of the documents had..."""
FIELD_GONE = 0.05
"""...and now less than this share has, is gone or goes by another name."""
MOVED_LANGUAGES = 0.4
"""So much of the records is in other languages than before: a new default language, or a
portal that answers in the language it thinks we read."""
NAMES = 200
"""Different field names kept; documents with keys made of numbers have no end of them."""
LANGUAGES = 40
_NO_TYPE = frozenset(("resource", "other"))


class Profile:
    """What the documents and records of one run are like, while it goes on."""

    def __init__(self) -> None:
        self._documents = 0
        self._mapped = 0
        self._records = 0
        self._has: Counter[str] = Counter()
        self._fields: Counter[str] = Counter()
        self._languages: Counter[str] = Counter()

    @property
    def mapped(self) -> int:
        """How many documents were mapped."""
        return self._mapped

    def document(self, document: Document) -> None:
        """Count a document that is not deleted; the names of its fields two levels deep."""
        self._documents += 1
        body = document.body
        if not isinstance(body, dict):
            return
        names = self._fields
        for key, value in body.items():
            below = [f"{key}.{name}" for name in value] if isinstance(value, dict) else []
            for name in (key, *below):
                if name in names or len(names) < NAMES:
                    names[name] += 1

    def record(self, record: Record | None) -> None:
        """Count a document that was mapped, and the record that came of it, if one did."""
        self._mapped += 1
        if record is None:
            return
        self._records += 1
        self._has["title"] += bool(record.title)
        self._has["date"] += bool(record.issued or record.modified or record.temporal)
        self._has["type"] += record.type not in _NO_TYPE
        tags = record.language or [text.lang for text in record.title if text.lang]
        for tag in {tag.partition("-")[0].lower() for tag in tags}:
            if tag in self._languages or len(self._languages) < LANGUAGES:
                self._languages[tag] += 1

    def told(
        self,
        *,
        whole: bool,
        records: int | None,
        repository: str | None,
        before: dict[str, Any] | None,
    ) -> dict[str, Any]:
        """The profile as plain values, to be kept with the run.

        ``whole`` says that the run saw all there is, ``records`` how many that were (``None``
        where the source only shows its newest). Documents that came as they were before are
        not mapped again: they count as the average of the profile ``before``. Shares are of 1.
        """
        kept = self._documents - self._mapped
        old = before if before is not None and before.get("whole") else None
        if old is None:
            kept = 0  # nothing to go by

        def share(now: int, then: float) -> float:
            total = self._records + kept
            return round((now + then * kept) / total, 4) if total else 0.0

        languages = _languages(old) if old else {}
        return {
            # A list that was not sent, since it had not changed, says nothing of what is on it.
            "whole": whole and (self._documents > 0 or records is not None),
            "records": records,
            "documents": self._documents,
            "repository": _storable(repository) if repository else None,
            "mapped": self._mapped,
            **{name: share(self._has[name], old[name] if old else 0) for name in _SHARES},
            # Pairs, since a name may hold what a key of the database may not.
            "fields": [
                [_storable(name), round(count / self._documents, 4)]
                for name, count in self._fields.items()
            ],
            "languages": [
                [tag, share(self._languages[tag], languages.get(tag, 0.0))]
                for tag in sorted({*self._languages, *languages})
            ],
        }


_SHARES = {"title": LOST_TITLES, "date": LOST_DATES, "type": LOST_TYPES}


def compare(before: dict[str, Any] | None, now: dict[str, Any] | None) -> list[str]:
    """The jumps from one whole profile to the next, each in words (``records: 400, now 90``);
    none where either is missing or not whole."""
    if not before or not now or not (before["whole"] and now["whole"]):
        return []
    jumps = []
    was, has = before["repository"], now["repository"]
    if was and has and _plain(was) != _plain(has):
        jumps.append(f"repository: it was called {was[:80]!r}, now {has[:80]!r}")
    was, has = before["records"], now["records"]
    if was is not None and has is not None and was >= LEAST:
        grown = has > GROWN * was and has - was >= GROWN_BY
        if has < SHRUNK * was or grown:
            jumps.append(f"records: {was}, now {has}")
    if min(before["documents"], now["documents"]) < LEAST:
        return jumps
    for name, most in _SHARES.items():
        if before[name] - now[name] >= most:
            jumps.append(f"{name}: {before[name]:.0%} of the records had one, now {now[name]:.0%}")
    fields = dict(now["fields"])
    if fields:
        gone = sorted(
            name
            for name, share in before["fields"]
            if share > FIELD_USED and fields.get(name, 0.0) < FIELD_GONE
        )
        if gone:
            more = f" and {len(gone) - 5} more" if len(gone) > 5 else ""
            jumps.append(f"fields: {', '.join(gone[:5])}{more} gone")
    if (moved := _moved(_languages(before), _languages(now))) >= MOVED_LANGUAGES:
        mixes = f"{_mix(_languages(before))}, now {_mix(_languages(now))}"
        jumps.append(f"languages: {mixes} ({moved:.0%} moved)")
    return jumps


SAMPLE = 100
"""So many changed documents are looked at before the first of them is written."""
ALWAYS = 0.95
"""What more than this share had, documents of every kind have."""


def glance(before: dict[str, Any] | None, sample: dict[str, Any], total: int | None) -> list[str]:
    """What the first changed documents of a walk, and the number its source announces, have
    lost of what was always there; for a look before anything is written.

    They may be of one kind and one language: only what documents of every kind had tells.
    """
    if not before or not before["whole"]:
        return []
    jumps = []
    was, has = before["repository"], sample["repository"]
    if was and has and _plain(was) != _plain(has):
        jumps.append(f"repository: it was called {was[:80]!r}, now {has[:80]!r}")
    was = before["records"]
    told = was is not None and total is not None and was >= LEAST
    if told and total > GROWN * was and total - was >= GROWN_BY:
        jumps.append(f"records: {was}, now {total} announced")
    if sample["mapped"] < LEAST:
        return jumps
    fields = dict(sample["fields"])
    always = [name for name, share in before["fields"] if share > ALWAYS]
    if gone := sorted(name for name in always if fields.get(name, 0.0) < FIELD_GONE):
        jumps.append(f"fields: {', '.join(gone[:5])} gone")
    for name, most in _SHARES.items():
        if before[name] > ALWAYS and before[name] - sample[name] >= most:
            jumps.append(
                f"{name}: {before[name]:.0%} of the records had one, now {sample[name]:.0%}"
            )
    then, languages = _languages(before), _languages(sample)
    always = [tag for tag, share in then.items() if share > ALWAYS]
    if languages and any(languages.get(tag, 0.0) < FIELD_GONE for tag in always):
        jumps.append(f"languages: {_mix(then)}, now {_mix(languages)}")
    return jumps


def _languages(profile: dict[str, Any]) -> dict[str, float]:
    """The languages of a profile by their shortest tag, as records have them. Earlier versions
    kept ``fra`` and ``fr`` apart; that they are one now is no change of the source."""
    made: dict[str, float] = {}
    for said, share in profile["languages"]:
        try:
            tag = langcodes.standardize_tag(said).partition("-")[0]
        except ValueError:
            tag = said
        made[tag] = made.get(tag, 0.0) + share
    return made


def _moved(before: dict[str, float], now: dict[str, float]) -> float:
    """Half the sum of differences of two mixes: 0 for the same, 1 for nothing in common."""
    if not before or not now:
        return 0.0  # nothing said in which language it is: not a change of languages
    one, other = sum(before.values()), sum(now.values())
    if not one or not other:
        return 0.0
    return (
        sum(abs(before.get(tag, 0) / one - now.get(tag, 0) / other) for tag in {*before, *now}) / 2
    )


def _mix(languages: dict[str, float]) -> str:
    most = sorted(languages.items(), key=lambda pair: (-pair[1], pair[0]))[:3]
    return ", ".join(f"{tag} {share:.0%}" for tag, share in most)


def _storable(name: str) -> str:
    return name[:200].encode("utf-8", "replace").decode()


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
