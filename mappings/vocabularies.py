"""The vocabularies: their concepts with labels in six languages, found by what people call
them, and as SKOS.

Pure: reads tables, knows no network. ``tables/vocabularies.csv`` says which there are; where a
deployment has tables of its own (:func:`mappings.tables.use`) those are read.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from string import Formatter
from typing import TYPE_CHECKING
from urllib.parse import quote

import pycountry
from babel import Locale

from mappings import tables

if TYPE_CHECKING:
    from rdflib import Graph
    from rdflib.term import Node

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
    """Empty for one that a library has."""
    titles: Mapping[str, str]
    domain: str = ""
    """Its path in the Secretariat's thesaurus, if it is one domain there."""
    uri: str = ""
    """The public address of a concept, with ``{code}``, ``{n}`` (its number) and columns."""
    match: str = ""
    """The same concept elsewhere, likewise."""
    number: str = ""
    """How a code is made of a number or a letter, for what is known by its number."""

    @property
    def title(self) -> str:
        """Its title in English."""
        return self.titles["en"]

    @property
    def labels(self) -> str:
        """How the columns with labels begin."""
        return "name" if self.table == "countries" else "label"

    @property
    def code(self) -> str:
        """The column with the codes."""
        return "id" if self.table == "record_types" else "code"


def _declared() -> dict[str, Vocabulary]:
    keys = ("name", "scheme", "table", "domain", "uri", "match", "number")
    return {
        row["name"]: Vocabulary(
            titles={lang: row[f"label_{lang}"] for lang in tables.LANGUAGES},
            **{key: row[key] for key in keys},
        )
        for row in tables.rows("vocabularies")
    }


VOCABULARIES: Mapping[str, Vocabulary] = _declared()
BASE = "urn:chm-hub:vocabulary:"
"""Begins the address of a concept that has none in public."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """A concept of a vocabulary."""

    code: str
    labels: Mapping[str, str]
    uri: str
    names: tuple[tuple[str, str], ...] = ()
    """What else it is called: language (may be empty) and name."""
    broader: tuple[str, ...] = ()
    """Codes of concepts of the same vocabulary."""
    match: str | None = None
    """The address of the same concept elsewhere."""
    kind: str = ""
    """The part of the vocabulary it is in."""
    deprecated: bool = False


def terms(name: str) -> Iterator[Term]:
    """The concepts of a vocabulary. Raises :class:`KeyError` for one that is not there."""
    chosen = VOCABULARIES[name]
    names = _names().get(chosen.scheme, {})
    for row in rows(chosen):
        labels = {lang: row.get(f"{chosen.labels}_{lang}", "") for lang in tables.LANGUAGES}
        code = row[chosen.code]
        yield Term(
            code=code,
            labels={lang: text for lang, text in labels.items() if text},
            uri=address(chosen, row),
            names=tuple(
                (lang, other)
                for lang, other in dict.fromkeys(names.get(code, ()))
                if row.get(f"{chosen.labels}_{lang}") != other
            ),
            broader=tuple(row.get("broader", "").split()),
            match=_filled(chosen.match, chosen, row),
            kind=row.get("kind", ""),
            deprecated=bool(row.get("deprecated")),
        )


def rows(vocabulary: Vocabulary) -> tuple[Mapping[str, str], ...]:
    """The rows of a vocabulary's table, or what a library has in its place."""
    return tables.rows(vocabulary.table) if vocabulary.table else _languages()


@cache
def _languages() -> tuple[Mapping[str, str], ...]:
    """The languages with two letters (ISO 639-1), as CLDR names them."""
    named = {lang: Locale.parse(lang).languages for lang in tables.LANGUAGES}
    codes = sorted(found.alpha_2 for found in pycountry.languages if hasattr(found, "alpha_2"))
    return tuple(
        {"code": code, **{f"label_{lang}": named[lang].get(code, "") for lang in named}}
        for code in codes
        if code in named["en"]
    )


@cache
def _names() -> dict[str, dict[str, list[tuple[str, str]]]]:
    """What else concepts are called, by scheme and code."""
    made: dict[str, dict[str, list[tuple[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in tables.rows("term_names"):
        made[row["scheme"]][row["code"]].append((row["lang"], row["name"]))
    for row in tables.rows("country_names"):
        made["COUNTRIES"][row["code"]].append((row["lang"], row["name"]))
    for vocabulary in VOCABULARIES.values():
        for row in tables.shipped(vocabulary.table) if vocabulary.table else ():
            # Where the thesaurus has renamed a concept, pages keep the name it had.
            for lang in tables.LANGUAGES:
                if name := row.get(f"{vocabulary.labels}_{lang}"):
                    made[vocabulary.scheme][row[vocabulary.code]].append((lang, name))
    return made


def address(vocabulary: Vocabulary, row: Mapping[str, str], base: str = BASE) -> str:
    """The address of a concept: public where it has one, else one under ``base``."""
    code = row[vocabulary.code]
    return public_address(vocabulary, row) or _under(base, vocabulary.name, code)


def _under(base: str, name: str, code: str) -> str:
    return f"{base}{name}{':' if base.startswith('urn:') else '#'}{quote(code)}"


def public_address(vocabulary: Vocabulary, row: Mapping[str, str]) -> str | None:
    """The address at which the world has the concept of a row; ``None`` if there is none."""
    return _filled(vocabulary.uri, vocabulary, row)


def _filled(pattern: str, vocabulary: Vocabulary, row: Mapping[str, str]) -> str | None:
    """A pattern with a row's values; nothing if the row lacks one of them."""
    if not pattern:
        return None
    number = re.search(r"(\d+)$", row[vocabulary.code])
    values = {**row, "code": row[vocabulary.code], "n": str(int(number[1])) if number else ""}
    wanted = [field for _, field, _, _ in Formatter().parse(pattern) if field]
    if not all(values.get(field) for field in wanted):
        return None
    return pattern.format(**{field: quote(values[field], safe="") for field in wanted})


@cache
def of_scheme(scheme: str) -> Vocabulary:
    """The vocabulary that concepts of records call by this name. Raises :class:`KeyError`."""
    return {v.scheme: v for v in VOCABULARIES.values()}[scheme]


# --- from what a source says to a concept ------------------------------------------------

_ADDRESS = re.compile(r"(?i)(?:https?://)?(?:www\.)?([a-z0-9.-]+\.[a-z]+/\S*)")
_TOKEN = re.compile(r"\d+(?:\.\w+)*|[^\W\d_]+")
_HEAD = re.compile(r"(.{1,60}?)(?:[.:)]\s+|[。：]\s*|\s+[-–—]\s+)(.+)", re.DOTALL)
_NO_MATTER = "the of no nr number n de du des d la le les l el los las del 第 项"
_SMALL_WORDS = frozenset(_NO_MATTER.split())
_LONGEST = 500


@lru_cache(maxsize=8192)
def find(text: str, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    """The scheme and code of the concept a text stands for.

    That is its code in any case, an address of it, its label or another name of it in any of
    six languages with or without its number, or what it is called by its number (``GBF Target
    3``, ``ODD 15``). A number without the name of its vocabulary (``Target 3``) is of the first
    of the vocabularies that counts so. A label that two concepts have, and a number beside the
    words of another concept, stand for none.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        return None
    for scheme in schemes:
        if code := _codes()[scheme].get(text.casefold()):
            return scheme, code
    if found := _at_address(text, schemes) or _labelled(fold(text), schemes):
        return found
    if found := _numbered(text, schemes, "words") or _numbered(text, schemes, "alone"):
        return found
    if parted := _HEAD.fullmatch(text):
        head, rest = parted[1], _labelled(fold(parted[2]), schemes)
        named = _numbered(head, schemes, "words")
        if rest is None:
            # "Target 3: ..." with words of its own is anybody's third target.
            return named
        said = re.fullmatch(r"\W*(\d{1,3})\W*", head)
        if said is None:
            counted = named or _numbered(head, (rest[0],), "alone")
        else:
            counted = _of_number(rest[0], said[1])
        return rest if counted == rest else None
    return None


def _labelled(key: str, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    for scheme in schemes:
        if code := _index()[scheme].get(key):
            return scheme, code
    return None


def _numbered(text: str, schemes: tuple[str, ...], kind: str) -> tuple[str, str] | None:
    tokens = [token for token in _TOKEN.findall(_plain(text)) if token]
    if len(tokens) < 2 or len(tokens) > 12:
        return None
    numbers = [token for token in tokens if token[0].isdigit()]
    last = tokens[-1]
    if len(numbers) == 1:
        (said,) = numbers
    elif not numbers and len(last) == 1:
        said = last
        tokens = tokens[:-1] + [""]
    else:
        return None
    words = frozenset(t for t in tokens if t and t != said and t not in _SMALL_WORDS)
    for scheme in schemes:
        if words in _forms()[kind].get(scheme, ()) and (found := _of_number(scheme, said)):
            return found
    return None


def _of_number(scheme: str, said: str) -> tuple[str, str] | None:
    """The concept with a number or a letter."""
    form = of_scheme(scheme).number
    if not form or (":02" in form) != said.isdecimal() or len(said) > 3:
        return None
    code = form.format(int(said) if said.isdecimal() else said.upper())
    known = _codes()[scheme].get(code.casefold())
    return (scheme, known) if known else None


def _at_address(text: str, schemes: tuple[str, ...]) -> tuple[str, str] | None:
    matched = _ADDRESS.fullmatch(text)
    if matched is None:
        return None
    path = re.sub(r"[?#].*", "", matched[1]).rstrip("/").casefold()
    for scheme in schemes:
        if (code := _addresses().get(scheme, {}).get(path)) is not None:
            return scheme, code
        for begin, end in _forms_of_addresses().get(scheme, ()):
            said = path.removeprefix(begin).removesuffix(end)
            if path == f"{begin}{said}{end}" and (found := _of_number(scheme, said)):
                return found
    return None


@cache
def _forms() -> dict[str, dict[str, frozenset[frozenset[str]]]]:
    """By kind and scheme the words that stand beside a number, in any order."""
    made: dict[str, dict[str, set[frozenset[str]]]] = defaultdict(lambda: defaultdict(set))
    for row in tables.rows("term_forms"):
        words = frozenset(_TOKEN.findall(_plain(row["form"]))) - _SMALL_WORDS
        made[row["kind"]][row["scheme"]].add(words)
    return {k: {s: frozenset(words) for s, words in of.items()} for k, of in made.items()}


@cache
def _forms_of_addresses() -> dict[str, list[tuple[str, str]]]:
    made: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for row in tables.rows("term_forms"):
        if row["kind"] == "address":
            begin, _, end = row["form"].partition("#")
            made[row["scheme"]].append((begin, end))
    return made


@cache
def _addresses() -> dict[str, dict[str, str]]:
    """The addresses of concepts, without what may differ, by scheme."""
    made: dict[str, dict[str, str]] = {}
    for vocabulary in VOCABULARIES.values():
        of = made.setdefault(vocabulary.scheme, {})
        for term in terms(vocabulary.name):
            for uri in (term.uri, term.match):
                if uri and (matched := _ADDRESS.fullmatch(uri)):
                    of.setdefault(matched[1].rstrip("/").casefold(), term.code)
    return made


def _plain(text: str) -> str:
    """A text without case and accents."""
    parted = unicodedata.normalize("NFKD", text.replace("&", " and ")).casefold()
    return "".join(c for c in parted if not unicodedata.combining(c) and c != "ـ")


def fold(text: str) -> str:
    """A label without case, accents, punctuation and spaces, so that spellings meet."""
    return "".join(c for c in _plain(text) if c.isalnum())


_NUMBERING = re.compile(r"^[^.。]{1,12}[.。]\s*")


@cache
def _codes() -> dict[str, dict[str, str]]:
    """By scheme the codes as they are written, but for case."""
    return {
        vocabulary.scheme: {term.code.casefold(): term.code for term in terms(vocabulary.name)}
        for vocabulary in VOCABULARIES.values()
    }


@cache
def _index() -> dict[str, dict[str, str | None]]:
    """By scheme the code of each folded code, label and name; ``None`` if two share it."""
    made: dict[str, dict[str, str | None]] = {}
    for vocabulary in VOCABULARIES.values():
        # What comes first is what a concept is; a name never takes a label from another.
        tiers: tuple[dict[str, str | None], ...] = ({}, {}, {}, {})
        for term in terms(vocabulary.name):
            _put(tiers[0], fold(term.code), term.code)
            for label in term.labels.values():
                # A term that is gone takes no words from one that is there.
                _put(tiers[3 if term.deprecated else 1], fold(label), term.code)
                _put(tiers[3 if term.deprecated else 2], fold(_bare(label, vocabulary)), term.code)
            for _, name in term.names:
                _put(tiers[3], fold(name), term.code)
                _put(tiers[3], fold(_bare(name, vocabulary)), term.code)
        merged = made.setdefault(vocabulary.scheme, {})
        for tier in tiers:
            for key, code in tier.items():
                merged.setdefault(key, code)
    return made


def _bare(label: str, vocabulary: Vocabulary) -> str:
    """A label without its number, in a vocabulary that counts."""
    return _NUMBERING.sub("", label) if vocabulary.number else label


def _put(known: dict[str, str | None], key: str, code: str) -> None:
    if key:
        known[key] = code if known.get(key, code) == code else None


def forget() -> None:
    """Read the tables anew."""
    for cached in (find, _codes, _index, _names, _addresses, _forms, _forms_of_addresses):
        cached.cache_clear()


# --- SKOS --------------------------------------------------------------------------------


def to_skos(name: str, base: str = BASE) -> Graph:
    """A vocabulary as SKOS (SKOS Reference, W3C 2009): a scheme, its concepts with labels in
    their languages, what is above them, the parts they are in as collections, and what they
    match elsewhere. ``base`` begins the addresses of what has none in public.

    Raises :class:`KeyError` for a vocabulary that is not there.
    """
    import rdflib
    from rdflib import Literal, URIRef
    from rdflib.namespace import DCTERMS, OWL, RDF, SKOS

    chosen = VOCABULARIES[name]
    graph = rdflib.Graph()
    for prefix, namespace in (("skos", SKOS), ("dcterms", DCTERMS), ("owl", OWL)):
        graph.bind(prefix, namespace)
    scheme = URIRef(f"{base}{name}")
    graph.add((scheme, RDF.type, SKOS.ConceptScheme))
    graph.add((scheme, DCTERMS.identifier, Literal(chosen.scheme)))
    for lang, title in chosen.titles.items():
        graph.add((scheme, DCTERMS.title, Literal(title, lang=lang)))
    known = {term.code: term for term in terms(name)}
    uris = {code: _node(chosen, term, base) for code, term in known.items()}
    for code, term in known.items():
        concept = uris[code]
        graph.add((concept, RDF.type, SKOS.Concept))
        graph.add((concept, SKOS.inScheme, scheme))
        graph.add((concept, SKOS.notation, Literal(code)))
        for lang, label in term.labels.items():
            graph.add((concept, SKOS.prefLabel, Literal(label, lang=lang)))
        for lang, other in term.names:
            graph.add((concept, SKOS.altLabel, Literal(other, lang=lang or None)))
        above = [uris[b] for b in term.broader if b in uris and b != code]
        for broader in above:
            graph.add((concept, SKOS.broader, broader))
            graph.add((broader, SKOS.narrower, concept))
        if not above:
            graph.add((concept, SKOS.topConceptOf, scheme))
            graph.add((scheme, SKOS.hasTopConcept, concept))
        if term.match and term.match != str(concept):
            graph.add((concept, SKOS.exactMatch, URIRef(term.match)))
        if term.deprecated:
            graph.add((concept, OWL.deprecated, Literal(True)))
            graph.add((concept, SKOS.changeNote, Literal("no longer in the thesaurus", lang="en")))
    _parts(graph, chosen, known, uris, base)
    _related(graph, chosen, uris, base)
    _members(graph, chosen, known, uris, base)
    return graph


def _node(vocabulary: Vocabulary, term: Term, base: str) -> Node:
    from rdflib import URIRef

    public = not term.uri.startswith(BASE)
    return URIRef(term.uri if public else _under(base, vocabulary.name, term.code))


def _collection(graph: Graph, base: str, name: str, code: str, labels: Mapping[str, str]) -> Node:
    from rdflib import Literal, URIRef
    from rdflib.namespace import RDF, SKOS

    made = URIRef(_under(base, name, code))
    graph.add((made, RDF.type, SKOS.Collection))
    graph.add((made, SKOS.notation, Literal(code.partition("/")[2])))
    for lang, label in labels.items():
        graph.add((made, SKOS.prefLabel, Literal(label, lang=lang)))
    return made


def _parts(
    graph: Graph,
    chosen: Vocabulary,
    known: Mapping[str, Term],
    uris: Mapping[str, Node],
    base: str,
) -> None:
    """The parts of a vocabulary that has some, such as headline and component indicators."""
    from rdflib.namespace import SKOS

    for kind in sorted({term.kind for term in known.values()} - {""}):
        labels = {"en": kind.replace("-", " ")}
        part = _collection(graph, base, chosen.name, f"part/{kind.replace(' ', '-')}", labels)
        for code, term in known.items():
            if term.kind == kind:
                graph.add((part, SKOS.member, uris[code]))


def _related(graph: Graph, chosen: Vocabulary, uris: Mapping[str, Node], base: str) -> None:
    """What concepts have to do with those of other vocabularies: the Secretariat's concordance
    of targets, and the targets that indicators measure."""
    from rdflib import URIRef
    from rdflib.namespace import SKOS

    elsewhere = _targets(base)
    pairs = [(row["code"], row["related"]) for row in tables.rows("concordance")]
    pairs += [(related, code) for code, related in pairs]
    if chosen.table == "gbf_indicators":
        pairs = [(r["code"], about) for r in rows(chosen) for about in r["about"].split()]
    for code, related in pairs:
        if code in uris and related in elsewhere:
            graph.add((uris[code], SKOS.relatedMatch, URIRef(elsewhere[related])))


def _targets(base: str) -> dict[str, str]:
    """The addresses of goals and targets, and of the SDGs' targets, which no table has."""
    made = {
        row[chosen.code]: address(chosen, row, base)
        for chosen in VOCABULARIES.values()
        if chosen.number
        for row in rows(chosen)
    }
    for row in tables.rows("concordance"):
        if row["related"].startswith("SDG-TARGET-"):
            number = row["related"].removeprefix("SDG-TARGET-")
            made[row["related"]] = f"http://metadata.un.org/sdg/{number}"
    return made


def _members(
    graph: Graph,
    chosen: Vocabulary,
    known: Mapping[str, Term],
    uris: Mapping[str, Node],
    base: str,
) -> None:
    """Countries and the groups they are in: a group is above its countries, and also a
    collection of them, since that is what most programs can show."""
    from rdflib import URIRef
    from rdflib.namespace import SKOS

    if chosen.table not in ("regional_groups", "regions", "countries"):
        return
    countries = VOCABULARIES["countries"]
    groups = VOCABULARIES["regional-groups"]
    of_country = {
        row["code"]: URIRef(address(countries, row, base)) for row in tables.rows(countries.table)
    }
    of_group = {row["code"]: row for row in tables.rows(groups.table)}
    for row in tables.rows("regions_members"):
        group, country = of_group[row["group"]], of_country[row["country"]]
        if chosen is countries:
            above = URIRef(address(groups, group, base))
            graph.add((uris[row["country"]], SKOS.broadMatch, above))
            continue
        code = group["region"] if chosen.table == "regions" else group["code"]
        if code not in uris:
            continue
        graph.add((uris[code], SKOS.narrowMatch, country))
        labels = known[code].labels
        members = _collection(graph, base, chosen.name, f"members/{code}", labels)
        graph.add((members, SKOS.member, country))


def export(name: str, form: str, base: str = BASE) -> bytes:
    """A vocabulary as SKOS in one of :data:`FORMATS`."""
    return to_skos(name, base).serialize(format=FORMATS[form][0], encoding="utf-8")
