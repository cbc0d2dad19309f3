"""Value tables: CSV files whose first column is a code."""

from __future__ import annotations

import csv
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


@cache
def rows(name: str, folder: Path = FOLDER) -> tuple[dict[str, str], ...]:
    """The rows of a table. Raises :class:`KeyError` if there is no such table."""
    path = folder / f"{name}.csv"
    if not path.is_file():
        raise KeyError(name)
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(csv.DictReader(file))


@cache
def values(name: str) -> dict[str, str]:
    """A table with columns ``code`` and ``value``, by code."""
    return {row["code"]: row["value"] for row in rows(name)}


def has_values(name: str) -> bool:
    """Whether there is a table that ``lookup`` can use."""
    try:
        return "value" in rows(name)[0]
    except (KeyError, IndexError):
        return False


@cache
def concepts(scheme: str) -> dict[str, dict[str, str]]:
    """The terms of a vocabulary by their code, folded: identifiers come in mixed case."""
    return {row["code"].casefold(): row for row in rows(SCHEMES[scheme])}


@cache
def countries() -> dict[str, str]:
    """ISO 3166-1 alpha-2 by every code and name of a country we know, folded."""
    found: dict[str, str] = {}
    for row in rows("countries"):
        keys = [row["code"], row["alpha3"], row["m49"], row["cbd"]]
        keys += [row[f"name_{language}"] for language in LANGUAGES]
        for key in keys:
            if key:
                found.setdefault(key.casefold(), row["code"])
    return found
