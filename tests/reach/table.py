"""The table: format by format, how much of what sources say reaches the record."""

from __future__ import annotations

import re
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from tests.reach import judge
from tests.reach.sources import Seen

PLACES: dict[str, Any] = tomllib.loads(Path(__file__).with_name("places.toml").read_text("utf-8"))
REASONS: dict[str, str] = PLACES.pop("reasons")
UNDECIDED = "undecided"
SHOWN = 12
"""Unread paths that the page shows of each format."""


@dataclass(slots=True)
class Row:
    """What was counted of a format."""

    documents: int = 0
    no_record: int = 0
    reached: Counter[str] = field(default_factory=Counter)
    """By path, as the next two."""
    second: Counter[str] = field(default_factory=Counter)
    """Values of a field that holds one, and holds another one."""
    unread: Counter[str] = field(default_factory=Counter)
    placeless: Counter[str] = field(default_factory=Counter)
    """By reason."""
    undecided: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)

    @property
    def with_place(self) -> int:
        """Values for which the record has a place, those of paths nobody decided on included."""
        return self.reached.total() + self.unread.total() + self.undecided.total()

    @property
    def share(self) -> float:
        """The share of them that is in the record, in the right field."""
        return self.reached.total() / self.with_place if self.with_place else 1.0


def place(name: str, path: str) -> list[str] | str:
    """Where a path of a format belongs: fields of the record, or the name of a reason."""
    # What stands in braces says of what kind the value is; few patterns ask for that.
    for one in dict.fromkeys((path, re.sub(r"\{.*\}$", "", path))):
        for section in ("all", *_lines(name)):
            for pattern, where in PLACES.get(section, {}).items():
                if pattern != "extends" and _pattern(pattern).fullmatch(one):
                    return list(where) if isinstance(where, list) else str(where)
    return UNDECIDED


def _lines(name: str) -> list[str]:
    """The sections for a crosswalk: its own or its family's (``scbd``), and what that extends."""
    found = [name] if name in PLACES else [name.partition("/")[0]]
    while parent := PLACES.get(found[-1], {}).get("extends"):
        found.append(parent)
    return found


@lru_cache(maxsize=4096)
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(".*".join(re.escape(part) for part in pattern.split("*")), re.DOTALL)


def rows(seen: Iterable[Seen]) -> dict[str, Row]:
    """The rows by format, which is the crosswalk that made the record."""
    made: dict[str, Row] = defaultdict(Row)
    for one in seen:
        if one.record is None:
            made["(no record)"].documents += 1
            made["(no record)"].no_record += 1
            continue
        name = one.record["provenance"]["crosswalk"]
        row = made[name.partition("/")[0]]
        row.documents += 1
        for value in judge.values(one.document):
            _count(row, name, value, one.record)
    return dict(made)


def _count(row: Row, name: str, value: judge.Value, record: dict[str, Any]) -> None:
    where = place(name, value.path)
    if isinstance(where, list) and judge.says_nothing(value.value):
        where = "nothing"
    if isinstance(where, str):
        if where == UNDECIDED:
            row.undecided[value.path] += 1
        else:
            row.placeless[where] += 1
        return
    if judge.reached(value.value, where, record) is not None:
        row.reached[value.path] += 1
    elif any(one in judge.ONE and one in record for one in where) and set(where) <= judge.ONE:
        row.second[value.path] += 1
    else:
        row.unread[value.path] += 1
        row.examples.setdefault(value.path, value.value)


HEAD = """\
# What is read of what sources say

Every recorded answer of a real source, and some made after real ones, is harvested; each value of
each document is then looked for in its record. `python -m tests.reach` writes this page, and a slow
test sees that it is current where the recorded answers are (`CHM_HUB_SHARED`).

A value counts as read if its words or its code stand in the right field. Which field is right is
written down path by path in `tests/reach/places.toml`, not taken from the crosswalks. A path that
has no place in the record has a reason there. `python -m tests.reach --values FORMAT` lists each
value with what was found, for a second look. Why so:
[decision 30](decisions/0030-what-counts-as-read.md).

- *no place*: values for which the record has no field, by the reasons below;
- *second*: values of a field that holds one value, and holds another (a second date);
- *read*: the share of all others that is in the record. Paths without a decision count as not read.

The documents of the clearing-houses (`scbd`) are decided on in outline only. Many of their codes
stand in the record as labels of the vocabularies, which this measure does not look up.

| format (crosswalk) | documents | values | no place | second | with a place | read |
|---|---:|---:|---:|---:|---:|---:|"""


def page(found: dict[str, Row]) -> str:
    """The page of the documentation."""
    lines = [HEAD]
    order = sorted(name for name in found if name != "(no record)")
    for name in order:
        row = found[name]
        without, second = row.placeless.total(), row.second.total()
        whole = row.with_place + without + second
        lines.append(
            f"| `{name}` | {row.documents:,} | {whole:,} | {without:,} | {second:,} | "
            f"{row.with_place:,} | {row.share:.1%} |"
        )
    if "(no record)" in found:
        lines += [
            "",
            f"{found['(no record)'].documents:,} documents became no record: most are entries of "
            "feeds without a title. They are set aside and told, and not counted here.",
        ]
    lines += ["", "## What is not read", ""]
    for name in order:
        row = found[name]
        left = Counter(row.unread)
        left.update(row.undecided)
        if not left:
            continue
        shown = [f"`{path}` ({count:,})" for path, count in left.most_common(SHOWN)]
        more = f", and {len(left) - SHOWN} other paths" if len(left) > SHOWN else ""
        lines += [f"- `{name}`: {', '.join(shown)}{more}"]
    lines += ["", "## What has no place in the record", "", "| reason | values |", "|---|---:|"]
    reasons: Counter[str] = Counter()
    for row in found.values():
        reasons.update(row.placeless)
    lines += [f"| {REASONS[name]} | {count:,} |" for name, count in reasons.most_common()]
    return "\n".join(lines) + "\n"
