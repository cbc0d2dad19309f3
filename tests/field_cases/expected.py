"""What a case expects, compared with what came: pure functions over plain values.

A path names values of a record or a run: ``title`` gives the texts of all titles, ``title@fr``
those in French, ``title@`` those without a language, ``title.lang`` the languages,
``temporal.start`` a key of a key, ``spatial|coverage`` the values of both. What is expected of
the values is one of

=========================  =======================================================
``"x"``, ``5``, ``true``   exactly this one value
``["x", "y"]``             exactly these, in any order; numbers in this one; ``[]``: none
``{has = "x"}``            this among others; a list: all of them
``{lacks = "x"}``          this is not among them; a list: none of them
``{any = [...]}``          one value, one of these, or each of a list of them
``{match = "regex"}``      one value, which the expression finds something in
``{min = 1, max = 3}``     one number within bounds
=========================  =======================================================
"""

from __future__ import annotations

import re
from typing import Any

MAIN = ("value", "label", "name", "url")
"""The keys that hold what a text, a concept, an agent or a file is called."""


def values(thing: Any, path: str) -> list[Any]:
    """The plain values that ``path`` names in a record or a run, in their order."""
    if "|" in path:
        return [value for one in path.split("|") for value in values(thing, one)]
    found = [thing]
    for step in path.split("."):
        name, marked, language = step.partition("@")
        met = [_flat(part.get(name)) for part in found if isinstance(part, dict)]
        found = [one for several in met for one in several]
        if marked:
            found = [part for part in found if (part.get("lang") or "") == language]
    return [_main(part) for part in found]


def _flat(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def alternatives(wanted: dict[str, Any]) -> list[dict[str, Any]]:
    """What a case expects: one list of demands, or several where more than one end is right."""
    common = {key: value for key, value in wanted.items() if key != "either"}
    return [{**common, **other} for other in wanted.get("either", [{}])]


def _main(value: Any) -> Any:
    if isinstance(value, dict):
        return next((value[key] for key in MAIN if key in value), value)
    return value


def meets(wanted: Any, got: list[Any]) -> bool:
    """Whether the values are those that are wanted."""
    if not isinstance(wanted, dict):
        listed = _flat(wanted)
        if all(isinstance(value, int | float) for value in [*listed, *got]):
            return listed == got
        return sorted(map(str, listed)) == sorted(map(str, got))
    one = got[0] if len(got) == 1 else None
    for how, what in wanted.items():
        if how == "has":
            good = all(value in got for value in _flat(what))
        elif how == "lacks":
            good = not any(value in got for value in _flat(what))
        elif how == "any":
            good = any(meets(value, got) for value in what)
        elif how == "match":
            good = one is not None and re.search(what, str(one)) is not None
        elif how == "min":
            good = one is not None and one >= what
        elif how == "max":
            good = one is not None and one <= what
        else:
            raise ValueError(f"a case expects {how!r}: no such comparison")
        if not good:
            return False
    return True


def named(records: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The records that a case calls ``name``: by the source's identifier, surrounding white space
    apart, or by a value where it says ``title=…`` or ``url=…`` (``url$=…``: by its end)."""
    if by := re.match(r"(\w+)(\$?)=(.*)", name, re.DOTALL):
        path, end, value = by.groups()
        return [
            record
            for record in records
            if any(str(v).endswith(value) if end else str(v) == value for v in values(record, path))
        ]
    return [r for r in records if str(r.get("source_identifier", "")).strip() == name]


def told(run: dict[str, Any]) -> str:
    """All that a run says of what it met, one thing a line."""
    lines = [run.get("state", ""), run.get("reason") or ""]
    lines += [f"{name}: {count}" for name, count in run.get("warnings", {}).items()]
    lines += [f"{name}: {count}" for name, count in run.get("reasons", {}).items()]
    lines += [str(issue["issue"]) for issue in run.get("issue_list", [])]
    return "\n".join(lines)
