"""Views: what partners and regional hubs put together, one small TOML file each.

``CHM_HUB_VIEWS`` names folders of them, and ``<data>/views`` is one. A file's name is the
view's, its records are the OAI set ``view:<name>``. :func:`apply` gives every record its sets
anew when views were added or changed; no harvest is needed.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Annotated

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

from adapters.source import Source, explain
from chm_hub.errors import SourceError, StoreError
from chm_hub.record import RecordType, validate
from chm_hub.sets import TARGETS, Groups, View, sets_of
from chm_hub.settings import Settings
from mappings.formats import FORMATS
from mappings.languages import language
from mappings.tables import concepts, rows
from store import Store, StoredRecord

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
LARGEST_PAGE = 500
_DATE = r"^\d{4}(-\d{2}(-\d{2})?)?$"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The keys of a view's file. Records fit every key that is given, any of its values."""

    title: Annotated[str, Field(min_length=1)]
    description: str = ""
    """What it is for; told to harvesters."""
    countries: list[str] = field(default_factory=list)
    """ISO 3166-1 alpha-2 codes."""
    regions: list[str] = field(default_factory=list)
    """Groups of countries; theirs are added to ``countries``."""
    types: list[RecordType] = field(default_factory=list)
    targets: list[str] = field(default_factory=list)
    """Codes of global targets and goals, such as ``GBF-TARGET-03``."""
    subjects: list[str] = field(default_factory=list)
    """Codes of any vocabulary, such as ``CBD-SUBJECT-MAR``."""
    languages: list[str] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    systems: list[str] = field(default_factory=list)
    treaties: list[str] = field(default_factory=list)
    since: Annotated[str, Field(pattern=_DATE)] | None = None
    """The record's own date (changed, else issued) is this or later."""
    formats: list[str] = field(default_factory=list)
    """Metadata prefixes it is given in; all if empty."""
    page_size: Annotated[int, Field(ge=1, le=LARGEST_PAGE)] | None = None
    """Records in one part of a list."""


_DECLARED: TypeAdapter[Declared] = TypeAdapter(Declared)


def folders(settings: Settings) -> list[Path]:
    """Where views are declared."""
    own = settings.data / "views"
    return [*settings.views, *([own] if own.is_dir() else [])]


def load(places: Sequence[Path]) -> tuple[View, ...]:
    """All views of some folders, by name.

    Raises one :class:`SourceError` that names every mistake of every file, a line each.
    """
    views: dict[str, View] = {}
    faults: list[str] = []
    for place in places:
        if not place.is_dir():
            faults.append(f"{place}: no such folder of views. Make it, or correct CHM_HUB_VIEWS.")
            continue
        for path in sorted(place.glob("*.toml")):
            view, wrong = read(path)
            faults += wrong
            if view is not None and view.name in views:
                faults.append(f"{path}: there is a view {view.name} in another folder already")
            elif view is not None:
                views[view.name] = view
    if faults:
        raise SourceError("\n".join(faults))
    return tuple(views[name] for name in sorted(views))


def read(path: Path) -> tuple[View | None, list[str]]:
    """One view's file, and everything that is wrong with it."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        return None, [f"{path}: cannot be read: {error.strerror}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [f"{path}: not valid TOML: {error}"]
    faults = []
    if not NAME.fullmatch(path.stem):
        faults.append(f"{path}: the file's name is the view's: small letters, digits and -")
    try:
        declared = _DECLARED.validate_python(table)
    except ValidationError as error:
        return None, faults + [f"{path}: {text}" for text in explain(error, Declared)]
    faults += [f"{path}: {text}" for text in _meaning(declared)]
    if faults:
        return None, faults
    members = members_of_groups()
    countries = {c for group in declared.regions for c in members[group]}
    return (
        View(
            name=path.stem,
            title=declared.title,
            description=declared.description,
            countries=frozenset(declared.countries) | countries,
            types=frozenset(declared.types),
            targets=frozenset(declared.targets),
            subjects=frozenset(declared.subjects),
            # Records have the shortest code: a view of "fra" is one of "fr".
            languages=frozenset(language(code) or code for code in declared.languages),
            sources=frozenset(declared.sources),
            systems=frozenset(declared.systems),
            treaties=frozenset(declared.treaties),
            since=declared.since or "",
            formats=tuple(declared.formats),
            page_size=declared.page_size,
        ),
        [],
    )


def _meaning(declared: Declared) -> list[str]:
    """What is wrong with values that are of the right kind."""
    targets = {row["code"] for scheme in TARGETS for row in concepts(scheme).values()}
    known = {
        "countries": {row["code"] for row in rows("countries")} | {"EU"},
        "regions": set(members_of_groups()),
        "targets": targets,
        "formats": set(FORMATS),
        "treaties": {"cbd", "cartagena", "nagoya", "nagoya-kuala-lumpur"},
    }
    faults = [
        f"{key}: there is no {value!r}" + _near(value, values)
        for key, values in known.items()
        for value in getattr(declared, key)
        if value not in values
    ]
    faults += [
        f"languages: not a language code such as fr (it is {code!r})"
        for code in declared.languages
        if not re.fullmatch(r"[a-z]{2,3}", code)
    ]
    chooses = ("countries", "regions", "types", "targets", "subjects", "languages", "sources")
    if not any(getattr(declared, key) for key in (*chooses, "systems", "treaties", "since")):
        faults.append("file: nothing is chosen: this would be every record. Name at least one key")
    return faults


def _near(value: str, values: set[str]) -> str:
    near = [v for v in sorted(values) if v.casefold() == value.casefold()]
    if near:
        return f"; is {near[0]} meant?"
    return f"; there are {', '.join(sorted(values))}" if len(values) < 60 else ""


@cache
def members_of_groups() -> dict[str, tuple[str, ...]]:
    """The countries of each group of countries."""
    made: dict[str, list[str]] = defaultdict(list)
    for row in rows("regions_members"):
        made[row["group"]].append(row["country"])
    return {group: tuple(sorted(countries)) for group, countries in made.items()}


@cache
def groups_of_countries() -> Mapping[str, tuple[str, ...]]:
    """The groups each country is in."""
    made: dict[str, list[str]] = defaultdict(list)
    for group, countries in members_of_groups().items():
        for country in countries:
            made[country].append(group)
    return {country: tuple(sorted(groups)) for country, groups in made.items()}


def groups(settings: Settings) -> Groups:
    """What the sets of a record depend on, in this deployment."""
    return Groups(regions=groups_of_countries(), views=load(folders(settings)))


def digest(chosen: Groups) -> str:
    """A digest of all that bears on the sets of a record beside the record itself."""
    views = [(v.name, *(tuple(sorted(part)) for part in _parts(v)), v.since) for v in chosen.views]
    told = repr((sorted(chosen.regions.items()), views))
    return blake2b(told.encode(), digest_size=8).hexdigest()


def _parts(view: View) -> tuple[frozenset[str], ...]:
    return (
        view.countries,
        view.types,
        view.targets,
        view.subjects,
        view.languages,
        view.sources,
        view.systems,
        view.treaties,
    )


@dataclass(slots=True)
class Applied:
    """What :func:`apply` did."""

    seen: int = 0
    changed: int = 0
    busy: list[str] = field(default_factory=list)
    """Sources that another process is harvesting; they were left for another time."""


def apply(
    store: Store,
    chosen: Groups,
    sources: Mapping[str, Source],
    clock: Callable[[], datetime],
    progress: Callable[[str, int], None] = lambda source, seen: None,
) -> Applied:
    """Give every published record its sets anew; those whose sets change get a new datestamp,
    so that readers of a set hear who came and who left.

    A source that is being harvested is left alone and named; everything else is done.
    """
    done = Applied()
    for source in sorted(store.records.sources()):
        try:
            lease = store.leases.take(source, clock())
        except StoreError:
            done.busy.append(source)
            continue
        try:
            store.records.recover(source, clock())
            _apply_to(store, chosen, sources.get(source), source, clock, done)
        finally:
            store.leases.release(lease)
        progress(source, done.seen)
    if not done.busy:
        store.records.note_groups(digest(chosen))
    return done


def _apply_to(
    store: Store,
    chosen: Groups,
    source: Source | None,
    name: str,
    clock: Callable[[], datetime],
    done: Applied,
) -> None:
    records = store.records
    moved: list[tuple[StoredRecord, tuple[str, ...]]] = []
    for stored in records.read(f"source:{name}"):
        done.seen += 1
        if stored.deleted:
            continue
        record = validate(stored.record)
        if source is not None:
            sets = tuple(sets_of(record, source.system, chosen, source.declared.region))
        else:
            region = _value_of(stored, "region")
            sets = tuple(sets_of(record, _value_of(stored, "system"), chosen, region))
        if sets != stored.sets:
            moved.append((stored, sets))
            done.changed += 1
        if len(moved) >= LARGEST_PAGE:
            records.put(name, records.in_other_sets(moved), clock())
            moved = []
    records.put(name, records.in_other_sets(moved), clock())


def _value_of(stored: StoredRecord, kind: str) -> str:
    """The system, or the region, of a record whose source is not declared any more."""
    found = [spec for spec in stored.sets if spec.startswith(f"{kind}:")]
    return found[0].partition(":")[2] if found else ""
