"""Sets are a hierarchy without holes: what is in ``country:KE`` is in ``country``.

That is OAI-PMH 2.0 §2.6. Live records get their parents where their sets are computed. Tombstones
keep the sets of another day, so what is written passes through here too, and :func:`mend` brings
older stores up to date.
"""

from __future__ import annotations

import json
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from bson import Binary
from pymongo import UpdateOne
from pymongo.collection import Collection

from store import rendered

STRIDE = 1000
"""Positions reserved for a batch: ``seq = number * STRIDE + index``."""
Rows = Collection[dict[str, Any]]


def with_parents(specs: Iterable[str]) -> tuple[str, ...]:
    """Sets with each one's parents before it, once, otherwise in their order. What is not
    published (``~source:x``) has none."""
    found = dict.fromkeys(specs)
    # Compared first: nearly all that is written has its parents already.
    if all(parent in found for spec in found for parent in _parents(spec)):
        return tuple(found)
    return tuple(dict.fromkeys(one for spec in found for one in (*_parents(spec), spec)))


def left_with_parents(left: Iterable[str], sets: Iterable[str]) -> tuple[str, ...]:
    """The sets that were left, with those parents that the record is not in any more."""
    now = set(sets)
    return tuple(spec for spec in with_parents(left) if spec not in now)


def _parents(spec: str) -> Iterator[str]:
    if not spec.startswith("~"):
        parts = spec.split(":")
        for end in range(1, len(parts)):
            yield ":".join(parts[:end])


def _whole(state: dict[str, Any]) -> dict[str, Any]:
    """An entry of a batch, or what it says of its record's former place, with all parents."""
    sets = with_parents(state["sets"])
    made = {**state, "sets": list(sets)}
    if left := left_with_parents(state.get("left", ()), sets):
        made["left"] = list(left)
    if "was" in state:
        made["was"] = _whole(state["was"])
    return made


def mend(
    batches: Rows,
    records: Rows,
    number: int,
    members: Callable[[int, list[dict[str, Any]]], dict[str, Any]],
    shown: Callable[[dict[str, Any]], tuple[Sequence[str], Sequence[str], bool] | None],
) -> None:
    """Give the records of one batch the parents of their sets, where any lacks them.

    No datestamp moves: what is new in a set is a header there, of a record whose other sets had
    it. ``members`` and ``shown`` are those of :mod:`store.records`. May be repeated.
    """
    row = batches.find_one({"_id": number})
    if row is None:
        return
    entries = json.loads(zlib.decompress(row["entries"]))
    whole = [_whole(entry) for entry in entries]
    if whole == entries:
        return
    heads = []
    for old, new in zip(entries, whole, strict=True):
        before, after = shown(old), shown(new)
        heads.append(
            None
            if before is None or after is None or before[0] == after[0]
            else tuple(
                rendered.header(old["id"], row["datestamp"], state[0], deleted=state[2])
                for state in (before, after)
            )
        )
    runs = {name: _with_heads(run, heads) for name, run in row["runs"].items()}
    records.bulk_write(
        [
            UpdateOne(
                {"_id": new["id"], "seq": number * STRIDE + place},
                {"$set": {"sets": new["sets"], "left": new.get("left", [])}},
            )
            for place, (old, new) in enumerate(zip(entries, whole, strict=True))
            if old != new
        ],
        ordered=False,
    )
    batches.update_one(
        {"_id": number},
        {
            "$set": {
                "entries": Binary(zlib.compress(json.dumps(whole).encode(), 1)),
                "runs": runs,
                **members(number, whole),
            }
        },
    )


def _with_heads(run: Sequence[bytes], heads: Sequence[tuple[str, ...] | None]) -> list[bytes]:
    elements = [text.decode() for text in rendered.pick(run, range(len(heads)))]
    return rendered.pack(
        [
            text if head is None else text.replace(head[0], head[1], 1)
            for text, head in zip(elements, heads, strict=True)
        ]
    )


def counted(
    batches: Rows,
    records: Rows,
    open_batches: set[int],
    of_state: Callable[[dict[str, Any]], Iterable[tuple[str, str]]],
    last: int,
) -> dict[str, dict[str, int]]:
    """How many records each set has, live and deleted, counted from the batches: what is in an
    open one is counted when it is closed."""
    counts: Counter[tuple[str, str]] = Counter()
    for number in range(1, last + 1):
        row = batches.find_one({"_id": number}, {"entries": 1, "dead": 1})
        if row is None:
            continue
        entries = json.loads(zlib.decompress(row["entries"]))
        names = [entry["id"] for entry in entries]
        found = records.find({"_id": {"$in": names}}, {"seq": 1})
        at = {record["_id"]: record["seq"] for record in found}
        for place, entry in enumerate(entries):
            if at.get(entry["id"]) != number * STRIDE + place:
                continue
            state = entry.get("was") if number in open_batches else entry
            if state is not None:
                counts.update(of_state(state))
    told: dict[str, dict[str, int]] = {}
    for (name, kind), many in counts.items():
        told.setdefault(name, {})[kind] = many
    return told
