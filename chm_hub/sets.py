"""Which OAI sets a record belongs to: a pure function of the record and a few tables.

Sets are named once and for ever: harvesters write them down.

``source:<id>``, ``system:<family>``, ``type:<record type>``, ``country:<ISO 3166-1 alpha-2>``,
``country:<code>:<record type>``, ``region:<group of countries>``, ``target:<code>``,
``treaty:<name>``, ``lang:<language>``, and ``view:<name>`` for what somebody put together. They
are a hierarchy (OAI-PMH 2.0 §2.6): ``country`` is a set too, of the records that have any.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import babel

from chm_hub.record import Record

_SPEC = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")
TARGETS = ("GBF-TARGETS", "GBF-GOALS", "AICHI-TARGETS")
"""The vocabularies whose codes are targets."""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """What a partner or a regional hub wants: records that fit every line that says something,
    any of its values."""

    name: str
    title: str
    description: str = ""
    countries: frozenset[str] = frozenset()
    """ISO 3166-1 alpha-2; those of the regions included."""
    types: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    subjects: frozenset[str] = frozenset()
    languages: frozenset[str] = frozenset()
    sources: frozenset[str] = frozenset()
    systems: frozenset[str] = frozenset()
    treaties: frozenset[str] = frozenset()
    since: str = ""
    """The record's own date (changed, else issued) is this or later; without one it is out."""
    formats: tuple[str, ...] = ()
    """The metadata prefixes it is given in; all if empty."""
    page_size: int | None = None
    """Records in one part of a list; the endpoint's own if not given."""

    @property
    def spec(self) -> str:
        """Its setSpec."""
        return f"view:{self.name}"

    def holds(self, record: Record, system: str) -> bool:
        """Whether a record belongs to it."""
        has: tuple[tuple[frozenset[str], set[str]], ...] = (
            (self.countries, set(record.spatial)),
            (self.types, {record.type}),
            (self.targets, codes_of_targets(record)),
            (self.subjects, {c.code for c in record.subject if c.code}),
            (self.languages, languages_of(record)),
            (self.sources, {record.source}),
            (self.systems, {system}),
            (self.treaties, set(record.treaty)),
        )
        if any(wanted.isdisjoint(found) for wanted, found in has if wanted):
            return False
        return not self.since or (record.modified or record.issued or "") >= self.since


@dataclass(frozen=True, slots=True, kw_only=True)
class Groups:
    """What sets depend on beside the record."""

    regions: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The groups of countries each country is in, by code."""
    views: tuple[View, ...] = ()


def sets_of(
    record: Record, system: str = "", groups: Groups | None = None, region: str | None = None
) -> list[str]:
    """The setSpecs of a record, parents included; the same ones whatever is asked for.

    ``region`` is that of its source's file. A record without a country is in its set, if it is the
    code of a group of countries (``ASEAN``).
    """
    groups = groups or Groups()
    countries = list(dict.fromkeys(record.spatial))
    regions = sorted({group for code in countries for group in groups.regions.get(code, ())})
    if not countries and region and (group := _group_of(region, groups)):
        regions = [group]
    specs = [
        f"source:{record.source}",
        *([f"system:{system}"] if system else []),
        f"type:{record.type}",
        *(f"country:{code}" for code in countries),
        *(f"country:{code}:{record.type}" for code in countries),
        *(f"region:{group}" for group in regions),
        *(f"target:{code}" for code in sorted(codes_of_targets(record))),
        *(f"treaty:{name}" for name in record.treaty),
        *(f"lang:{code}" for code in sorted(languages_of(record))),
        *(view.spec for view in groups.views if view.holds(record, system)),
    ]
    return list(dict.fromkeys(kind for spec in specs for kind in (spec.partition(":")[0], spec)))


def _group_of(region: str, groups: Groups) -> str | None:
    code = "-".join(region.casefold().split())
    code = "european-union" if code == "eu" else code
    return code if any(code in known for known in groups.regions.values()) else None


def codes_of_targets(record: Record) -> set[str]:
    """The global targets and goals a record is about, in the form of a setSpec's part."""
    return {c.code for c in record.subject if c.scheme in TARGETS and c.code and is_spec(c.code)}


def languages_of(record: Record) -> set[str]:
    """The languages a record is in or is described in, without script and region."""
    tags = [*record.language, *(t.lang for t in (*record.title, *record.description) if t.lang)]
    return {tag.partition("-")[0].lower() for tag in tags}


def is_spec(text: str) -> bool:
    """Whether a text has the form of a setSpec (OAI-PMH 2.0 §2.6)."""
    return _SPEC.fullmatch(text) is not None


def set_name(spec: str, names: Mapping[str, str] | None = None) -> str:
    """A set's name for people, in English; ``names`` are those that tables and files give."""
    if names is not None and spec in names:
        return names[spec]
    kind, _, value = spec.partition(":")
    match kind:
        case "country":
            code, _, record_type = value.partition(":")
            name = country_name(code)
            return f"{name}: {type_name(record_type)}" if record_type else name
        case "type":
            return type_name(value)
        case "lang":
            return language_name(value)
        case "source" | "system" | "target" | "treaty" | "region" | "view":
            return f"{kind.capitalize()} {value}"
    return spec


@cache
def country_name(code: str) -> str:
    """The English name of a country, or its code if it has none."""
    return str(babel.Locale("en").territories.get(code, code))


@cache
def language_name(code: str) -> str:
    """The English name of a language, or its code if it has none."""
    return str(babel.Locale("en").languages.get(code, code))


@cache
def type_name(record_type: str) -> str:
    """A record type as words: ``nationalReport`` → ``National report``."""
    if record_type in ("nbsap", "ebsa"):
        return record_type.upper()
    return _WORDS.sub(" ", record_type).capitalize()
