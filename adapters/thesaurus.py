"""Vocabularies as the Secretariat's thesaurus has them now, compared with the tables.

Not an adapter of sources: what comes from here are the tables that crosswalks look into.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from chm_hub.document import Json
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import jsons
from mappings import tables
from mappings.vocabularies import VOCABULARIES, Vocabulary, rows

API = "https://api.cbd.int"
LEAST_SHARE = 0.5
"""A thesaurus that has lost more than this share of a vocabulary is not believed."""
CONVENTION = "XXVII8"
"""What the list of countries calls the Convention: its number at the UN Treaty Section."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What the thesaurus says of one term."""

    identifier: str
    domain: str
    labels: Mapping[str, str]
    broader: str
    """Identifiers, with spaces between them."""


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
    odd: list[str] = field(default_factory=list)
    """What could not be read as a term; its neighbours were."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to write."""
        return not (self.added or self.changed or self.gone)


def domains(vocabulary: Vocabulary) -> tuple[str, ...]:
    """The domains of the thesaurus a vocabulary is made of; none if it is not from there."""
    if vocabulary.domain or not vocabulary.table:
        return (vocabulary.domain,) if vocabulary.domain else ()
    return tuple(sorted({row.get("domain", "") for row in rows(vocabulary)} - {""}))


def refreshable() -> list[str]:
    """The vocabularies that the thesaurus has."""
    return [name for name, vocabulary in VOCABULARIES.items() if domains(vocabulary)]


async def compare(fetch: Fetch, name: str, base: str = API) -> Difference:
    """Fetch a vocabulary and compare it with its table.

    Raises :class:`FetchError`, and :class:`ProtocolError` (``no_terms``) for an answer that is
    no list of terms, or one that has lost most of them.
    """
    vocabulary = VOCABULARIES[name]
    known = rows(vocabulary)
    told: dict[str, Told] = {}
    odd: list[str] = []
    asked = domains(vocabulary)
    for domain in asked:
        path = f"/api/v2013/thesaurus/domains/{quote(domain, safe='')}/terms"
        answer = await _ask(fetch, base.rstrip("/") + path)
        found = {term.identifier.casefold(): term for term in _terms(answer, domain, odd)}
        had = sum(1 for row in known if _is_of(row, domain, asked))
        _believe(base.rstrip("/") + path, len(found), had)
        told |= found
    made = _difference(vocabulary, known, told, asked)
    made.odd = odd
    if name == "countries":
        where = f"{base.rstrip('/')}/api/v2013/countries"
        parties = set(_parties(await _ask(fetch, where), odd))
        _believe(where, len(parties), sum(1 for row in known if row.get("party")))
        _mark_parties(made, parties)
    return made


async def _ask(fetch: Fetch, url: str) -> Json:
    payload = await fetch(Request(url=url, headers={"Accept": "application/json"}, kinds=("json",)))
    return jsons.parse(payload.body, payload.url)


def _believe(url: str, found: int, known: int) -> None:
    if not found or found < LEAST_SHARE * known:
        raise ProtocolError(
            f"{url}: {found} terms, and the table has {known}. That is not the "
            "vocabulary; nothing was changed.",
            reason="no_terms",
        )


def _is_of(row: Mapping[str, str], domain: str, asked: tuple[str, ...]) -> bool:
    """Whether a row is of a domain; a table of one domain has no column for it."""
    return row.get("domain", asked[0] if len(asked) == 1 else "") == domain


def _terms(answer: Json, domain: str, odd: list[str]) -> Iterator[Told]:
    met: set[str] = set()
    for term in answer if isinstance(answer, list) else ():
        if not isinstance(term, dict) or not isinstance(term.get("identifier"), str):
            odd.append(f"{domain}: a term without an identifier")
            continue
        identifier = term["identifier"].strip()
        title = term.get("title")
        labels = title if isinstance(title, dict) and title else {"en": term.get("name")}
        broader = term.get("broaderTerms")
        if not identifier or identifier.casefold() in met or not any(labels.values()):
            odd.append(f"{domain}: {identifier or 'a term'}: no label, or there twice")
            continue
        met.add(identifier.casefold())
        yield Told(
            identifier=identifier,
            domain=domain,
            labels={lang: " ".join(str(t).split()) for lang, t in labels.items() if t},
            broader=" ".join(str(b) for b in broader) if isinstance(broader, list) else "",
        )


def _difference(
    vocabulary: Vocabulary,
    known: Iterable[Mapping[str, str]],
    told: Mapping[str, Told],
    asked: tuple[str, ...],
) -> Difference:
    left = dict(told)
    made = Difference(vocabulary=vocabulary.name, rows=[])
    columns: list[str] = []
    kinds: dict[str, str] = {}
    for row in known:
        columns = columns or [c for c in row if c not in ("broader", "deprecated")]
        code = row[vocabulary.code]
        kinds.setdefault(row.get("domain", ""), row.get("kind", ""))
        new = {name: row[name] for name in columns}
        new |= {name: row.get(name, "") for name in ("broader", "deprecated")}
        term = left.pop(code.casefold(), None)
        if term is not None:
            # A language the thesaurus does not give keeps the label it had.
            new |= _labels(vocabulary, new, term) | {"broader": term.broader, "deprecated": ""}
            if any(new[name] != row.get(name, "") for name in new):
                made.changed.append(code)
        elif any(_is_of(row, domain, asked) for domain in asked) and not _elsewhere(row):
            if not new["deprecated"]:
                made.gone.append(code)
            new["deprecated"] = "1"
        made.rows.append(new)
    for term in left.values():
        # Countries have small letters there.
        code = term.identifier.upper() if vocabulary.name == "countries" else term.identifier
        new = dict.fromkeys([*columns, "broader", "deprecated"], "")
        new |= {vocabulary.code: code, "broader": term.broader}
        new |= _labels(vocabulary, new, term)
        own = {"cbd": term.identifier, "domain": term.domain, "kind": kinds.get(term.domain, "")}
        new |= {name: value for name, value in own.items() if name in new}
        made.added.append(code)
        made.rows.append(new)
    return made


def _labels(vocabulary: Vocabulary, row: Mapping[str, str], term: Told) -> dict[str, str]:
    made = {f"{vocabulary.labels}_{lang}": term.labels.get(lang) for lang in tables.LANGUAGES}
    return {column: label for column, label in made.items() if label and column in row}


def _elsewhere(row: Mapping[str, str]) -> bool:
    """Whether a row was never in the thesaurus: countries that are no Parties."""
    return row.get("cbd") == ""


def _parties(answer: Json, odd: list[str]) -> Iterator[str]:
    """The Parties to the Convention in the list of countries."""
    for country in answer if isinstance(answer, list) else ():
        treaties = country.get("treaties") if isinstance(country, dict) else None
        if not isinstance(treaties, dict) or not isinstance(country.get("code"), str):
            odd.append("countries: one without a code or treaties")
            continue
        of_convention = treaties.get(CONVENTION)
        if isinstance(of_convention, dict) and of_convention.get("party"):
            yield country["code"].strip().upper()


def _mark_parties(made: Difference, parties: set[str]) -> None:
    for row in made.rows:
        party = "1" if row["code"] in parties else ""
        if row.get("party", "") != party:
            row["party"] = party
            if row["code"] not in (*made.added, *made.changed):
                made.changed.append(row["code"])


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
