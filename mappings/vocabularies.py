"""The vocabularies: their concepts with labels in six languages, and as SKOS.

Pure: reads tables, knows no network. Where a deployment has tables of its own
(:func:`mappings.tables.use`) it reads those.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from mappings import tables

if TYPE_CHECKING:
    from rdflib import Graph

FORMATS: Mapping[str, tuple[str, str]] = {
    "turtle": ("turtle", "text/turtle"),
    "rdfxml": ("pretty-xml", "application/rdf+xml"),
    "jsonld": ("json-ld", "application/ld+json"),
}
"""Forms of SKOS: rdflib's name and the media type."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """One vocabulary."""

    name: str
    scheme: str
    """What concepts of records call it."""
    table: str
    title: str
    domain: str = ""
    """Its path in the Secretariat's thesaurus, if it is there."""
    labels: str = "label"
    """How the columns with labels begin."""
    code: str = "code"
    pattern: str = ""
    """The public address of a concept, with ``{code}`` and ``{n}`` (its number)."""


VOCABULARIES: Mapping[str, Vocabulary] = {
    made.name: made
    for made in (
        Vocabulary(
            name="gbf-targets",
            scheme="GBF-TARGETS",
            table="gbf_targets",
            title="Targets of the Kunming-Montreal Global Biodiversity Framework",
            domain="GBF-TARGETS",
            pattern="https://www.cbd.int/gbf/targets/{n}",
        ),
        Vocabulary(
            name="gbf-goals",
            scheme="GBF-GOALS",
            table="gbf_goals",
            title="Goals of the Kunming-Montreal Global Biodiversity Framework",
            domain="GBF-GOALS",
        ),
        Vocabulary(
            name="aichi-targets",
            scheme="AICHI-TARGETS",
            table="aichi_targets",
            title="Aichi Biodiversity Targets",
            domain="AICHI-TARGETS",
        ),
        Vocabulary(
            name="cbd-subjects",
            scheme="CBD-SUBJECTS",
            table="cbd_subjects",
            title="CBD subjects",
            domain="CBD-SUBJECTS",
        ),
        Vocabulary(
            name="sdg",
            scheme="SDG",
            table="sdg",
            title="Sustainable Development Goals",
            pattern="http://metadata.un.org/sdg/{n}",
        ),
        Vocabulary(
            name="regions",
            scheme="REGIONS",
            table="regions",
            title="Regions and groups of countries of the CBD",
            domain="regions",
        ),
        Vocabulary(
            name="regional-groups",
            scheme="REGIONAL-GROUPS",
            table="regional_groups",
            title="Groups of countries that have a set of their own",
        ),
        Vocabulary(
            name="countries",
            scheme="COUNTRIES",
            table="countries",
            title="Countries (ISO 3166-1 alpha-2)",
            domain="countries",
            labels="name",
        ),
        Vocabulary(
            name="record-types",
            scheme="RECORD-TYPES",
            table="record_types",
            title="Types of records",
            code="id",
        ),
        Vocabulary(
            name="resource-types",
            scheme="RESOURCE-TYPES",
            table="resource_types",
            title="Types of library resources",
            domain="A762DF7E-B8D1-40D6-9DAC-D25E48C65528",
        ),
    )
}
BASE = "urn:chm-hub:vocabulary:"
"""Begins the address of a concept that has none in public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A concept of a vocabulary."""

    code: str
    labels: Mapping[str, str]
    uri: str
    deprecated: bool = False


def terms(name: str) -> Iterator[Term]:
    """The concepts of a vocabulary. Raises :class:`KeyError` for one that is not there."""
    chosen = VOCABULARIES[name]
    for row in tables.rows(chosen.table):
        labels = {lang: row.get(f"{chosen.labels}_{lang}", "") for lang in tables.LANGUAGES}
        code = row[chosen.code]
        yield Term(
            code=code,
            labels={lang: text for lang, text in labels.items() if text},
            uri=address(chosen, code),
            deprecated=bool(row.get("deprecated")),
        )


def address(vocabulary: Vocabulary, code: str) -> str:
    """The address of a concept: public where it has one."""
    return public_address(vocabulary, code) or f"{BASE}{vocabulary.name}:{code}"


def public_address(vocabulary: Vocabulary, code: str) -> str | None:
    """The address at which the world has a concept; ``None`` if there is none."""
    number = re.search(r"(\d+)$", code)
    if not vocabulary.pattern or not number:
        return None
    return vocabulary.pattern.format(code=code, n=int(number[1]))


@cache
def of_scheme(scheme: str) -> Vocabulary:
    """The vocabulary that concepts of records call by this name. Raises :class:`KeyError`."""
    return {v.scheme: v for v in VOCABULARIES.values()}[scheme]


# --- from what a source says to a concept ------------------------------------------------

_SITE = r"https?://(?:www\.)?cbd\.int/"
_FORMS = (
    # What people and addresses say, and the code it stands for.
    (rf"(?:{_SITE}gbf/targets/|(?:gbf|kmgbf)?\s*target\s+)(\d{{1,2}})/?", "GBF-TARGET-{:02}"),
    (r"(?:gbf|kmgbf)?\s*goal\s+([a-d])", "GBF-GOAL-{}"),
    (
        rf"(?:{_SITE}(?:aichi-)?targets?/target/|(?:aichi\s+(?:biodiversity\s+)?target|abt)\s*)"
        r"(\d{1,2})/?",
        "AICHI-TARGET-{:02}",
    ),
    (
        r"(?:https?://metadata\.un\.org/sdg/|https?://sdgs\.un\.org/goals/goal|"
        r"sdg[\s-]*(?:goal[\s-]*)?)(\d{1,2})/?",
        "SDG-GOAL-{:02}",
    ),
)
_ORDERED = tuple((re.compile(pattern, re.I), code) for pattern, code in _FORMS)
_NUMBERING = re.compile(r"^\s*(?:[^\W\d_]+-)*(?:[^\W\d_]*\d+|[A-D])\s*[.。:：]\s*")


def find(text: str, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    """The scheme and code of the concept a text stands for: its code in any case, an address
    of it, or its label in any of six languages, with or without its number."""
    folded = fold(text)
    index = _index()
    for scheme in schemes:
        if (code := index[scheme].get(folded)) is not None:
            return scheme, code
    for pattern, form in _ORDERED:
        if found := pattern.fullmatch(text.strip()):
            said = found[1]
            code = form.format(int(said) if said.isdecimal() else said.upper())
            for scheme in schemes:
                if code.casefold() in index[scheme]:
                    return scheme, code
    return None


def fold(text: str) -> str:
    """A label without case, accents and punctuation, so that spellings meet."""
    parted = unicodedata.normalize("NFKD", text)
    kept = "".join(
        " " if unicodedata.category(c)[0] in "PZS" else c
        for c in parted
        if not unicodedata.combining(c)
    )
    folded = " ".join(kept.casefold().split())
    return folded if folded else text.casefold()


@cache
def _index() -> dict[str, dict[str, str]]:
    made: dict[str, dict[str, str]] = {}
    for vocabulary in VOCABULARIES.values():
        by_word: dict[str, str] = {}
        codes: dict[str, str] = {}
        for term in terms(vocabulary.name):
            codes[term.code.casefold()] = codes[fold(term.code)] = term.code
            codes[fold(term.uri)] = term.code
            for label in term.labels.values():
                by_word.setdefault(fold(label), term.code)
                bare = _NUMBERING.sub("", label)
                if len(bare) > 1:
                    by_word.setdefault(fold(bare), term.code)
        made[vocabulary.scheme] = by_word | codes
    return made


def forget() -> None:
    """Read the tables anew."""
    _index.cache_clear()


# --- SKOS --------------------------------------------------------------------------------


def to_skos(name: str) -> Graph:
    """A vocabulary as SKOS: a scheme, its concepts with labels in their languages, and what
    they are related to (SKOS Reference, W3C 2009)."""
    import rdflib
    from rdflib import Literal, URIRef
    from rdflib.namespace import DCTERMS, RDF, SKOS

    chosen = VOCABULARIES[name]
    graph = rdflib.Graph()
    graph.bind("skos", SKOS)
    graph.bind("dcterms", DCTERMS)
    scheme = URIRef(f"{BASE}{name}")
    graph.add((scheme, RDF.type, SKOS.ConceptScheme))
    graph.add((scheme, DCTERMS.title, Literal(chosen.title, lang="en")))
    for term in terms(name):
        concept = URIRef(term.uri)
        graph.add((concept, RDF.type, SKOS.Concept))
        graph.add((concept, SKOS.inScheme, scheme))
        graph.add((concept, SKOS.topConceptOf, scheme))
        graph.add((scheme, SKOS.hasTopConcept, concept))
        graph.add((concept, SKOS.notation, Literal(term.code)))
        for lang, label in term.labels.items():
            graph.add((concept, SKOS.prefLabel, Literal(label, lang=lang)))
        if term.deprecated:
            graph.add((concept, SKOS.changeNote, Literal("no longer in the thesaurus", lang="en")))
    if name == "gbf-targets":
        _concordance(graph)
    if name == "regional-groups":
        _members(graph)
    return graph


def _concordance(graph: Graph) -> None:
    """The Secretariat's concordance of targets: what a GBF target has to do with others."""
    from rdflib import URIRef
    from rdflib.namespace import SKOS

    known = {
        code: address(vocabulary, code)
        for vocabulary in (VOCABULARIES[n] for n in ("gbf-targets", "aichi-targets", "sdg"))
        for code in (row["code"] for row in tables.rows(vocabulary.table))
    }
    for row in tables.rows("concordance"):
        if row["code"] in known and row["related"] in known:
            related = URIRef(known[row["related"]])
            graph.add((URIRef(known[row["code"]]), SKOS.relatedMatch, related))


def _members(graph: Graph) -> None:
    """Groups as collections of their countries."""
    from rdflib import Literal, URIRef
    from rdflib.namespace import RDF, SKOS

    groups: dict[str, list[str]] = defaultdict(list)
    for row in tables.rows("regions_members"):
        groups[row["group"]].append(row["country"])
    for group, countries in groups.items():
        collection = URIRef(f"{BASE}members:{group}")
        graph.add((collection, RDF.type, SKOS.Collection))
        graph.add((collection, SKOS.notation, Literal(group)))
        for code in countries:
            country = address(VOCABULARIES["countries"], code)
            graph.add((collection, SKOS.member, URIRef(country)))


def export(name: str, form: str) -> bytes:
    """A vocabulary as SKOS in one of :data:`FORMATS`."""
    return to_skos(name).serialize(format=FORMATS[form][0], encoding="utf-8")
