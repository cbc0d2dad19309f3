"""Value tables: CSV files whose first column is a code."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent / "tables"
LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")

SCHEMES: Mapping[str, str] = {
    "GBF-TARGETS": "gbf_targets",
    "GBF-GOALS": "gbf_goals",
    "AICHI-TARGETS": "aichi_targets",
    "CBD-SUBJECTS": "cbd_subjects",
    "SDG": "sdg",
    "REGIONS": "regions",
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
    """The rows of a table. Raises :class:`KeyError` if there is no such table."""
    for folder in (*_own, FOLDER):
        path = folder / f"{name}.csv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                return tuple(csv.DictReader(file))
    raise KeyError(name)


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
