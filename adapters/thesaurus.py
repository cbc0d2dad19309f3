"""Vocabularies as the Secretariat's thesaurus has them now, compared with the tables.

Not an adapter of sources: what comes from here are the tables that crosswalks look into.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from chm_hub.document import Json
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import jsons
from mappings import tables
from mappings.vocabularies import VOCABULARIES, Vocabulary

API = "https://api.cbd.int"
LEAST_SHARE = 0.5
"""A thesaurus that has lost more than this share of a vocabulary is not believed."""


@dataclass(slots=True, kw_only=True)
class Difference:
    """What the thesaurus says otherwise than the table does."""

    vocabulary: str
    rows: list[dict[str, str]]
    """The table as it would be."""
    added: list[str] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    """Terms the thesaurus has no more; they stay in the table, marked as deprecated."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.added or self.changed or self.gone)


def refreshable() -> list[str]:
    """The vocabularies that the thesaurus has."""
    return [name for name, vocabulary in VOCABULARIES.items() if vocabulary.domain]


async def compare(fetch: Fetch, name: str, base: str = API) -> Difference:
    """Fetch a vocabulary and compare it with its table.

    Raises :class:`ProtocolError` (``no_terms``) for an answer that is no list of terms, or one
    that has lost most of them.
    """
    vocabulary = VOCABULARIES[name]
    path = f"/api/v2013/thesaurus/domains/{quote(vocabulary.domain, safe='')}/terms"
    payload = await fetch(
        Request(
            url=base.rstrip("/") + path, headers={"Accept": "application/json"}, kinds=("json",)
        )
    )
    answer = jsons.parse(payload.body, payload.url)
    terms = {key: labels for key, labels in _terms(answer)} if isinstance(answer, list) else {}
    known = tables.rows(vocabulary.table)
    if len(terms) < LEAST_SHARE * len(known):
        raise ProtocolError(
            f"{payload.url}: {len(terms)} terms, and the table has {len(known)}. That is not the "
            "vocabulary; nothing was changed.",
            reason="no_terms",
        )
    return _difference(vocabulary, known, terms)


def _terms(answer: Iterable[Json]) -> Iterable[tuple[str, dict[str, str]]]:
    for term in answer:
        if not isinstance(term, dict) or not isinstance(term.get("identifier"), str):
            continue
        title = term.get("title")
        labels = title if isinstance(title, dict) else {"en": term.get("name")}
        yield (
            term["identifier"],
            {lang: " ".join(str(t).split()) for lang, t in labels.items() if t},
        )


def _difference(
    vocabulary: Vocabulary, known: Iterable[Mapping[str, str]], terms: dict[str, dict[str, str]]
) -> Difference:
    found = {identifier.casefold(): (identifier, labels) for identifier, labels in terms.items()}
    made = Difference(vocabulary=vocabulary.name, rows=[])
    columns: list[str] = []
    for row in known:
        columns = columns or [name for name in row if name != "deprecated"]
        code = row[vocabulary.code]
        new = {name: row[name] for name in columns} | {"deprecated": row.get("deprecated", "")}
        term = found.pop(code.casefold(), None)
        if term is None:
            if not new["deprecated"]:
                made.gone.append(code)
            new["deprecated"] = "1"
        else:
            new["deprecated"] = ""
            for lang in tables.LANGUAGES:
                column = f"{vocabulary.labels}_{lang}"
                # A language the thesaurus does not give keeps the label it had.
                if column in new and term[1].get(lang, new[column]) != new[column]:
                    new[column] = term[1][lang]
                    if code not in made.changed:
                        made.changed.append(code)
        made.rows.append(new)
    for identifier, labels in found.values():
        # The European Union and regions stand among the countries of the thesaurus.
        code = identifier.upper() if vocabulary.name == "countries" else identifier
        new = dict.fromkeys(columns, "") | {vocabulary.code: code, "deprecated": ""}
        for lang in tables.LANGUAGES:
            if f"{vocabulary.labels}_{lang}" in new:
                new[f"{vocabulary.labels}_{lang}"] = labels.get(lang) or labels.get("en", "")
        if vocabulary.name == "countries":
            new["cbd"] = identifier
        made.added.append(code)
        made.rows.append(new)
    return made


def write(folder: Path, difference: Difference) -> Path:
    """Write a table of this deployment's own; the one that ships with the hub stays as it is."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{VOCABULARIES[difference.vocabulary].table}.csv"
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(difference.rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(difference.rows)
    beside.replace(path)
    return path
