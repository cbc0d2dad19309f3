"""Value tables: CSV files whose first column is a code."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from chm_hub.errors import CrosswalkError

FOLDER = Path(__file__).parent / "tables"
LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")

SCHEMES: Mapping[str, str] = {
    "GBF-TARGETS": "gbf_targets",
    "GBF-GOALS": "gbf_goals",
    "AICHI-TARGETS": "aichi_targets",
    "CBD-SUBJECTS": "cbd_subjects",
    "SDG": "sdg",
    "REGIONS": "regions",
    "GBF-INDICATORS": "gbf_indicators",
    "THESAURUS": "thesaurus_terms",
    "ACTION-CATEGORIES": "action_categories",
}
"""Vocabularies that concepts may be of, and the table each is in."""


_own: list[Path] = []


def use(folder: Path | None) -> None:
    """Let a deployment's tables come before those that ship with the hub; ``None`` for none.
    Tables that were read already are read anew."""
    _own[:] = [folder] if folder is not None and folder.is_dir() else []
    for cached in (names, rows, values, concepts, digest):
        cached.cache_clear()


@cache
def digest() -> str:
    """A digest of the deployment's own tables; empty if it has none."""
    told = [p.name.encode() + p.read_bytes() for f in _own for p in sorted(f.glob("*.csv"))]
    return hashlib.blake2b(b"".join(told), digest_size=8).hexdigest() if told else ""


@cache
def names() -> frozenset[str]:
    """The tables there are. A name that came with a document is looked for here, not on disk."""
    return frozenset(path.stem for path in FOLDER.glob("*.csv"))


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table: the deployment's own, or that which ships with the hub.

    Columns that the deployment's lacks are those of the shipped row with the same code. Raises
    :class:`KeyError` if there is no such table, and :class:`CrosswalkError` if the deployment's
    cannot be read.
    """
    for folder in _own:
        if (path := folder / f"{name}.csv").is_file():
            return _completed(path, name)
    return shipped(name)


@cache
def shipped(name: str) -> tuple[dict[str, str], ...]:
    """The rows of a table as it ships with the hub. Raises :class:`KeyError`."""
    path = FOLDER / f"{name}.csv"
    if not path.is_file():
        raise KeyError(name)
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


def _completed(path: Path, name: str) -> tuple[dict[str, str], ...]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            own = list(csv.DictReader(file, restval=""))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise CrosswalkError(f"{path}: cannot be read: {error}. Mend or remove it.") from error
    others = shipped(name) if (FOLDER / f"{name}.csv").is_file() else ()
    if not others:
        return tuple(own)
    code = next(iter(others[0]))
    if any(not row.get(code) or None in row for row in own):
        raise CrosswalkError(f"{path}: a row without {code}, or with too many values. Mend it.")
    known = {row[code]: row for row in others}
    empty = dict.fromkeys(others[0], "")
    return tuple({**known.get(row[code], empty), **row} for row in own)


@cache
def values(name: str) -> dict[str, str]:
    """A table with columns ``code`` and ``value``, by code."""
    return {row["code"]: row["value"] for row in rows(name)}


def has_values(name: str) -> bool:
    """Whether there is a table that ``lookup`` can use."""
    return name in names() and any("value" in row for row in rows(name)[:1])


@cache
def concepts(scheme: str) -> dict[str, dict[str, str]]:
    """The terms of a vocabulary by their code, folded: identifiers come in mixed case."""
    return {row["code"].casefold(): row for row in rows(SCHEMES[scheme])}
