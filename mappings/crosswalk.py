"""Crosswalks: load them, check them, apply them (architecture §6).

A crosswalk is a TOML file of ``field = "JMESPath expression"``. Everything that can be wrong
with one is found when it is loaded, and named all at once. What a document holds and a
crosswalk does not understand becomes an :class:`Issue`; the rest of the record is made.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jmespath
import jmespath.exceptions
import jmespath.functions
import jmespath.parser
import jmespath.visitor
from pydantic import ValidationError

from chm_hub import language_maps
from chm_hub import record as model
from chm_hub.document import Document, Json
from chm_hub.errors import CrosswalkError
from chm_hub.names import readable
from chm_hub.record import Record
from mappings import (  # noqa: F401  they register the functions of crosswalks
    boxes,
    citations,
    codes,
    country_of_source,
    datacite,
    date_functions,
    dates,
    dcsv,
    dspace,
    functions,
    identifiers,
    iso19139,
    keywords,
    languages,
    marc,
    markdown,
    markup,
    mods,
    moments,
    page_dates,
    page_texts,
    place_functions,
    plausible,
    reading,
    record_types,
    rights,
    roles,
    schema_org,
    shapes,
    spaces,
    spans,
    tables,
    text_languages,
    within,
)
from mappings.shapes import LIST_FIELDS, shape

FOLDER = Path(__file__).parent / "crosswalks"
ENGINE_FIELDS = frozenset({"identifier", "source", "source_identifier", "provenance"})
FIELDS = model.FIELDS - ENGINE_FIELDS
"""Record fields a crosswalk may fill."""

_KEYS = frozenset(
    {
        "description",
        "record",
        "tables",
        "skip",
        "deleted",
        "extends",
        "choose",
        "choices",
        "defaults",
        "ignore",
        country_of_source.KEY,
        text_languages.KEY,
        text_languages.SITE,
    }
)
_NAME = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")


@dataclass(frozen=True, slots=True)
class Issue:
    """Something a document holds and a crosswalk does not understand."""

    field: str
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one document."""

    record: Record | None
    deleted: bool = False
    skipped: str | None = None
    """Why no record is wanted of it."""
    rejected: str | None = None
    """Why no record can be made of it, as a short stable phrase."""
    issues: list[Issue] = field(default_factory=list)
    crosswalk: str
    rules: Crosswalk | None = None
    """The crosswalk that made the record, or could not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """Where one field of a record came from."""

    field: str
    expression: str
    value: Json
    reads: frozenset[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crosswalk:
    """A checked crosswalk."""

    name: str
    digest: str
    """Of all that bears on what it makes: its files, the tables, the functions."""
    description: str
    expressions: Mapping[str, str]
    reads: frozenset[str]
    """Source paths its expressions read (``metadata.title[].value``)."""
    ignored: tuple[str, ...]
    compiled: Mapping[str, Any]
    tables: Mapping[str, dict[str, Json]]
    folded: Mapping[str, dict[str, Json]]
    """The tables by case-folded key."""
    defaults: Mapping[str, Json]
    country_of_source: bool
    """Whether a record without a country takes that of its source."""
    language_of_source: bool
    """Whether texts without a language may get one by what they and the source's file show."""
    site_language: Any
    """The compiled expression for what a site says of all its pages alike, or ``None``."""
    skip: Any
    deleted: Any
    choose: Any
    choices: Mapping[str, Crosswalk]
    others: tuple[Crosswalk, ...]
    """For what no choice names: of these the one that reads most of a document."""


# --- loading -----------------------------------------------------------------------------


def load(name: str, folders: Sequence[Path] = ()) -> Crosswalk:
    """A crosswalk by its name; further folders are searched before the hub's own.

    Raises one :class:`CrosswalkError` that names every fault, a line each.
    """
    faults: list[str] = []
    loaded = _load(name, tuple(folders), (), faults)
    if loaded is None or faults:
        raise CrosswalkError("\n".join(dict.fromkeys(faults)))
    return loaded


def names(folders: Sequence[Path] = ()) -> list[str]:
    """The crosswalks there are."""
    return sorted(
        {
            str(path.relative_to(folder).with_suffix(""))
            for folder in (*folders, FOLDER)
            for path in folder.rglob("*.toml")
        }
    )


def check_all(folders: Sequence[Path] = ()) -> None:
    """Load every crosswalk; raises one :class:`CrosswalkError` for all faults of all."""
    faults: list[str] = []
    for name in names(folders):
        _load(name, tuple(folders), (), faults)
    if faults:
        raise CrosswalkError("\n".join(dict.fromkeys(faults)))


@dataclass(slots=True)
class _File:
    """The tables of a crosswalk file and of those it extends, laid over each other."""

    record: dict[str, Json]
    tables: dict[str, dict[str, Json]]
    rest: dict[str, Any]
    content: bytes
    origin: dict[str, str]
    """The file each key stands in (``record.title``): ``base.toml: record.title``."""


_CACHE: dict[tuple[str, tuple[Path, ...], bytes], Crosswalk] = {}


def _load(
    name: str, folders: tuple[Path, ...], chain: tuple[str, ...], faults: list[str]
) -> Crosswalk | None:
    if name in chain:
        faults.append(f"{name}: {' → '.join((*chain, name))} goes round in a circle")
        return None
    file = _read(name, folders, (), faults)
    if file is None:
        return None
    where = f"{name}.toml"
    before = len(faults)
    choices: dict[str, Crosswalk] = {}
    others: list[Crosswalk] = []
    for key, other in file.rest["choices"].items():
        if key == "*" and isinstance(other, list):
            found = [_load(str(one), folders, (*chain, name), faults) for one in other]
            others = [one for one in found if one is not None]
            continue
        chosen = _load(other, folders, (*chain, name), faults) if isinstance(other, str) else None
        if chosen is None:
            faults.append(f"{file.origin['choices']}.{key}: no crosswalk {other!r}")
        else:
            choices[key] = chosen
    key = (
        name,
        folders,
        file.content
        + _surroundings()
        + b"".join(c.digest.encode() for _, c in sorted(choices.items()))
        + b"".join(c.digest.encode() for c in others),
    )
    if key in _CACHE and len(faults) == before:
        return _CACHE[key]
    compiled: dict[str, Any] = {}
    reads: set[str] = set()
    for target, expression in file.record.items():
        at = file.origin[f"record.{target}"]
        if target not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            hint = (
                "the hub fills it in itself"
                if target in ENGINE_FIELDS
                else f"no such record field; known are {known}"
            )
            faults.append(f"{at}: {hint}")
            continue
        made = _compile(at, expression, file.tables, faults)
        if made is not None:
            compiled[target] = made
            reads |= _reads(made)
    rules: dict[str, Any] = dict.fromkeys(("skip", "deleted", "choose", text_languages.SITE))
    for rule in rules:
        if rule in file.rest:
            made = _compile(file.origin[rule], file.rest[rule], file.tables, faults)
            if made is not None:
                rules[rule] = made
                reads |= _reads(made)
    if ("choose" in file.rest) != bool(file.rest["choices"]):
        faults.append(f"{where}: `choose` and [choices] belong together")
    if choices and file.record:
        faults.append(f"{where}: [record] beside [choices]: it belongs in the crosswalks chosen")
    if not compiled and rules["choose"] is None and len(faults) == before:
        faults.append(f"{where}: has no [record] and no [choices]; there is nothing to map")
    defaults = file.rest["defaults"]
    for target, value in defaults.items():
        faults += _check_default(file.origin[f"defaults.{target}"], target, value)
    if len(faults) > before:
        return None
    digest = hashlib.sha256(file.content + _surroundings())
    for key_of_choice, choice in [*sorted(choices.items()), *(("*", one) for one in others)]:
        digest.update(f"{key_of_choice}={choice.digest}".encode())
        reads |= choice.reads
    loaded = Crosswalk(
        name=name,
        digest=digest.hexdigest()[:16],
        description=str(file.rest.get("description", "")).strip(),
        expressions=dict(file.record),
        reads=frozenset(reads),
        ignored=tuple(file.rest["ignore"].get("paths", ())),
        compiled=compiled,
        tables=file.tables,
        folded={
            table: {key.strip().casefold(): value for key, value in rows.items()}
            for table, rows in file.tables.items()
        },
        country_of_source=file.rest.get(country_of_source.KEY, True),
        language_of_source=file.rest.get(text_languages.KEY, True),
        site_language=rules[text_languages.SITE],
        defaults={target: shape(target, value, []) for target, value in defaults.items()},
        skip=rules["skip"],
        deleted=rules["deleted"],
        choose=rules["choose"],
        choices=choices,
        others=tuple(others),
    )
    _CACHE[key] = loaded
    return loaded


@functools.lru_cache(maxsize=256)
def _parsed(content: bytes) -> dict[str, Any]:
    # What many crosswalks extend is read once; nobody may change what is handed out.
    return tomllib.loads(content.decode("utf-8"))


def _read(
    name: str, folders: tuple[Path, ...], chain: tuple[str, ...], faults: list[str]
) -> _File | None:
    places = [folder / f"{name}.toml" for folder in (*folders, FOLDER) if _NAME.fullmatch(name)]
    path = next((place for place in places if place.is_file()), None)
    if path is None:
        faults.append(f"{name}: no such crosswalk; there are {', '.join(names(folders))}")
        return None
    content = path.read_bytes()
    where = f"{name}.toml"
    try:
        parsed = _parsed(content)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{where}: not valid TOML: {error}")
        return None
    own = {key: dict(value) if isinstance(value, dict) else value for key, value in parsed.items()}
    for key in own:
        if key not in _KEYS:
            faults.append(f"{where}: {key}: no such key; known are {', '.join(sorted(_KEYS))}")
    for part in ("record", "tables", "choices", "defaults", "ignore"):
        if not isinstance(own.setdefault(part, {}), dict):
            faults.append(f"{where}: {part}: must be a table ([{part}])")
            own[part] = {}
    for table, rows in list(own["tables"].items()):
        if not isinstance(rows, dict):
            faults.append(f"{where}: tables.{table}: must be a table ([tables.{table}])")
            del own["tables"][table]
            continue
        for key, value in rows.items():
            if not isinstance(value, str | int | float):
                faults.append(f"{where}: tables.{table}.{key}: must be a text, a number or true")
    ignore = own["ignore"]
    paths = ignore.get("paths", [])
    if set(ignore) - {"paths"} or not (
        isinstance(paths, list) and all(isinstance(path, str) for path in paths)
    ):
        faults.append(f"{where}: ignore: holds `paths`, a list of texts, and nothing else")
        own["ignore"] = {}
    if not isinstance(own.get("description", ""), str):
        faults.append(f"{where}: description: must be a text")
    for switch in (country_of_source.KEY, text_languages.KEY):
        if not isinstance(own.get(switch, True), bool):
            faults.append(f"{where}: {switch}: must be true or false")
    origin = {key: f"{where}: {key}" for key in own}
    for part in ("record", "defaults"):
        origin |= {f"{part}.{key}": f"{where}: {part}.{key}" for key in own[part]}
    if "extends" not in own:
        return _File(own["record"], own["tables"], own, content, origin)
    parent_name = own["extends"]
    if parent_name in (*chain, name):
        faults.append(f"{where}: extends: {' → '.join((*chain, name, parent_name))} is a circle")
        return None
    parent = _read(str(parent_name), folders, (*chain, name), faults)
    if parent is None:
        faults.append(f"{where}: extends: {parent_name!r} cannot be used")
        return None
    rest = {**parent.rest, **own}
    for part in ("choices", "defaults"):
        rest[part] = {**parent.rest[part], **own[part]}
    rest["ignore"] = {
        "paths": [*parent.rest["ignore"].get("paths", ()), *own["ignore"].get("paths", ())]
    }
    rest["description"] = own.get("description", "")
    merged = {**parent.tables}
    for table, rows in own["tables"].items():
        merged[table] = {**merged.get(table, {}), **rows}
    return _File(
        {**parent.record, **own["record"]},
        merged,
        rest,
        content + parent.content,
        {**parent.origin, **origin},
    )


class _Functions(jmespath.functions.Functions):  # type: ignore[misc]
    """JMESPath's functions and ours.

    JMESPath's own raise for what is not of the type they want, and the whole expression is
    lost. Here what is absent gives nothing, as elsewhere in JMESPath, and a wrong type is
    an issue: one odd value among many costs that value alone.
    """

    def _convert_to_jmespath_type(self, pyobject: str) -> str:
        # A text that was read is a string to JMESPath, which goes by the names of classes.
        return "string" if pyobject == "Plain" else str(super()._convert_to_jmespath_type(pyobject))

    def call_function(self, name: str, arguments: list[Json]) -> Json:
        try:
            return super().call_function(name, arguments)
        except jmespath.exceptions.JMESPathTypeError as error:
            if name in ("join", "map"):
                absent = len(arguments) > 1 and arguments[1] is None
            else:
                absent = None in arguments
            if not absent:
                wanted = " or ".join(error.expected_types)
                functions.issue(f"{name}() wants {wanted}: {functions.shown(error.current_value)}")
            return None


def _register(name: str, function: Any) -> None:
    parameters = list(inspect.signature(function).parameters.values())
    needed = sum(1 for p in parameters if p.default is p.empty)
    signature: list[dict[str, Any]] = [{"types": []} for _ in range(max(needed, 1))]
    if len(parameters) > needed:
        signature[-1] = {"types": [], "variadic": True}

    def call(_self: Any, *arguments: Json) -> Json:
        return function(*arguments)

    call.signature = tuple(signature)  # type: ignore[attr-defined]
    _Functions.FUNCTION_TABLE = {
        **_Functions.FUNCTION_TABLE,
        name: {"function": call, "signature": call.signature},  # type: ignore[attr-defined]
    }


for _name, _function in functions.REGISTERED.items():
    _register(_name, _function)
_OPTIONS = jmespath.Options(custom_functions=_Functions())
# One for all: it remembers which of its methods is for which kind of node.
_INTERPRETER = jmespath.visitor.TreeInterpreter(_OPTIONS)


def _compile(where: str, expression: Any, own: dict[str, Any], faults: list[str]) -> Any:
    if not isinstance(expression, str):
        faults.append(f"{where}: must be an expression in quotes (it is {expression!r})")
        return None
    try:
        compiled = jmespath.compile(expression)
    except jmespath.exceptions.JMESPathError as error:
        said = " ".join(str(error).split())
        faults.append(f"{where}: not a JMESPath expression: {said}")
        return None
    found = [*_faulty_calls(compiled.parsed, own)]
    faults += [f"{where}: {fault}" for fault in found]
    return None if found else compiled


def _faulty_calls(node: dict[str, Any], own: dict[str, Any]) -> Iterator[str]:
    if node["type"] == "function_expression":
        name = node["value"]
        entry = _Functions.FUNCTION_TABLE.get(name)
        given = node["children"]
        if entry is None:
            known = ", ".join(sorted(functions.REGISTERED))
            yield f"no function {name}(); beside JMESPath's own there are {known}"
        else:
            wanted = entry["signature"]
            variadic = bool(wanted) and wanted[-1].get("variadic", False)
            function = functions.REGISTERED.get(name)
            parameters = inspect.signature(function).parameters.values() if function else ()
            most = len(parameters) if function else None
            needed = sum(1 for p in parameters if p.default is p.empty)
            if (
                len(given) < (needed if function else len(wanted))
                or (not variadic and len(given) > len(wanted))
                or (most is not None and len(given) > most)
            ):
                some = f"{len(wanted)} to {most}" if most and variadic else str(len(wanted))
                more = " or more" if variadic and most is None else ""
                yield f"{name}() takes {some} arguments{more}, not {len(given)}"
        if name == "lookup" and given and given[0]["type"] == "literal":
            table = given[0]["value"]
            if table not in own and not tables.has_values(str(table)):
                yield f"lookup: no table {table!r} in [tables] or among the CSV files"
        if name == "replace_all" and len(given) > 1 and given[1]["type"] == "literal":
            try:
                found = re.compile(str(given[1]["value"]))
                if len(given) > 2 and given[2]["type"] == "literal":
                    found.sub(str(given[2]["value"]), "")
            except (re.error, IndexError) as error:
                yield f"replace_all: not a regular expression: {given[1]['value']!r}: {error}"
        if name == "concepts" and given and given[0]["type"] == "literal":
            scheme = given[0]["value"]
            if scheme not in tables.SCHEMES:
                yield f"concepts: no vocabulary {scheme!r}; there are {', '.join(tables.SCHEMES)}"
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _faulty_calls(child, own)


def _check_default(where: str, target: str, value: Json) -> list[str]:
    if target not in FIELDS:
        return [f"{where}: no such record field"]
    said: list[str] = []
    shaped = shape(target, value, said)
    if shaped is None or said:
        return [f"{where}: {fault}" for fault in said or [f"says nothing: {value!r}"]]
    trial = {
        "identifier": "a/b",
        "source": "a",
        "source_identifier": "b",
        "type": "other",
        "provenance": {
            "source": "a",
            "base_url": "u",
            "url": "u",
            "harvested": "2020-01-01T00:00:00Z",
            "crosswalk": "c",
            "crosswalk_digest": "d",
            "run": "a/1",
        },
        target: shaped,
    }
    try:
        model.validate(trial)
    except ValidationError as error:
        return [f"{where}: {_complaint(target, fault)}" for fault in error.errors()]
    return []


@functools.cache
def _surroundings() -> bytes:
    """What bears on every crosswalk: the functions, this module, the tables."""
    digest = hashlib.sha256()
    # The folder's other modules hold what functions of crosswalks do.
    paths = [*sorted(Path(__file__).parent.glob("*.py")), Path(str(language_maps.__file__))]
    paths += sorted(tables.FOLDER.glob("*.csv"))
    for path in paths:
        digest.update(path.read_bytes())
    return digest.digest()


# --- applying ----------------------------------------------------------------------------


def apply(
    crosswalk: Crosswalk,
    document: Document,
    source: Mapping[str, Json],
    provenance: Mapping[str, Any],
) -> Outcome:
    """Make the record of a document.

    ``provenance`` has the fields of :class:`chm_hub.record.Provenance` but the crosswalk's.
    Never raises for what a document holds.
    """
    return _apply(crosswalk, _trimmed(document), source, provenance, [])


def _apply(
    crosswalk: Crosswalk,
    document: Document,
    source: Mapping[str, Json],
    provenance: Mapping[str, Any],
    issues: list[Issue],
) -> Outcome:
    if not isinstance(document.body, dict):
        return Outcome(
            record=None, rejected="not an object", issues=issues, crosswalk=crosswalk.name
        )
    body = {**document.body, "source": source}
    context = _context(crosswalk, source, provenance.get("harvested"))
    if crosswalk.skip is not None:
        reason = _evaluate(crosswalk.skip, body, context, "skip", issues)
        if reason:
            said = _brief(reason) if isinstance(reason, str) else "skip"
            return Outcome(record=None, skipped=said, issues=issues, crosswalk=crosswalk.name)
    if crosswalk.deleted is not None and _evaluate(
        crosswalk.deleted, body, context, "deleted", issues
    ):
        return Outcome(record=None, deleted=True, issues=issues, crosswalk=crosswalk.name)
    if crosswalk.choose is not None:
        key = _evaluate(crosswalk.choose, body, context, "choose", issues)
        chosen = _choice(crosswalk, key, document.body)
        if chosen is None:
            return Outcome(
                record=None,
                rejected=f"no crosswalk for {functions.shown(key)}",
                issues=issues,
                crosswalk=crosswalk.name,
            )
        return _apply(chosen, document, source, provenance, issues)
    fields: dict[str, Any] = {}
    for target, compiled in crosswalk.compiled.items():
        value = _evaluate(compiled, body, context, target, issues)
        faults: list[str] = []
        shaped = shape(target, value, faults)
        issues += [Issue(target, message) for message in faults]
        if shaped is not None and not _is_unlikely(target, shaped, context, issues):
            fields[target] = shaped
    settled = _settled(crosswalk, fields, body, context, issues)
    defaults = _defaults(crosswalk, source)
    fields = {**defaults, **fields, **settled.fields}
    faults = []
    fields["source"] = source["id"]
    fields["source_identifier"] = functions.legal(document.identifier, faults.append)
    issues += [Issue("source_identifier", message) for message in faults]
    fields["identifier"] = readable(str(source["id"]), document.identifier)
    fields["provenance"] = {
        **provenance,
        "crosswalk": crosswalk.name,
        "crosswalk_digest": crosswalk.digest,
        "inferred": settled.inferred,
    }
    made = _validated(fields, defaults, issues)
    if isinstance(made, str):
        return Outcome(
            record=None,
            rejected=f"no record can be made: {made}",
            issues=issues,
            crosswalk=crosswalk.name,
            rules=crosswalk,
        )
    if not made.title:
        issues.append(Issue("title", "none"))
    return Outcome(record=made, issues=issues, crosswalk=crosswalk.name, rules=crosswalk)


def _trimmed(document: Document) -> Document:
    """A document as expressions see it: no value has white space around it any more, so that no
    crosswalk needs to trim. The identifier is not a value, and stays as the source writes it."""
    body = spaces.trimmed(document.body)
    return document if body is document.body else replace(document, body=body)


def _defaults(crosswalk: Crosswalk, source: Mapping[str, Json]) -> dict[str, Json]:
    """The values of fields for which the document has none."""
    own = country_of_source.countries(source, wanted=crosswalk.country_of_source)
    return {**crosswalk.defaults, **({"spatial": own} if own else {})}


def _settled(
    crosswalk: Crosswalk,
    fields: Mapping[str, Json],
    body: Mapping[str, Json],
    context: functions.Context,
    issues: list[Issue],
) -> text_languages.Settled:
    """The languages of texts whose document does not say them."""
    site = None
    odd = {issue.field for issue in issues if issue.message.startswith(languages.ODD)}
    if crosswalk.site_language is not None:
        site = _evaluate(crosswalk.site_language, body, context, "language", issues)
    settled = text_languages.settle(
        fields, site, body["source"], wanted=crosswalk.language_of_source, odd=odd
    )
    issues += [Issue(name, message) for name, message in settled.issues]
    return settled


def _context(
    crosswalk: Crosswalk, source: Mapping[str, Json], now: datetime | None = None
) -> functions.Context:
    return functions.Context(
        source=dict(source), tables=crosswalk.tables, folded=crosswalk.folded, now=now
    )


def _is_unlikely(target: str, value: Json, context: functions.Context, issues: list[Issue]) -> bool:
    """Whether a date cannot be one of publication or change; then that is an issue."""
    if target not in plausible.JUDGED or context.now is None or not isinstance(value, str):
        return False
    reason = plausible.unlikely(value, context.now)
    if reason is not None:
        issues.append(Issue(target, f"{reason}: {functions.shown(value)}"))
    return reason is not None


def _choice(crosswalk: Crosswalk, key: Json, body: Json) -> Crosswalk | None:
    """The crosswalk for a key, or of those for all others the one that reads most of a document."""
    named = choice_of(crosswalk, key)
    if named is None and crosswalk.others:
        paths = frozenset(_paths(body, ""))
        return max(crosswalk.others, key=lambda one: reading.share(one.reads, paths))
    return named or crosswalk.choices.get("*")


def choice_of(crosswalk: Crosswalk, key: Json) -> Crosswalk | None:
    """The crosswalk that a key names among the choices: its own, or that of the longest beginning
    (``kernel-*``); ``None`` where only ``*`` stands for it."""
    if not isinstance(key, str | int | float):
        return None
    choices, said = crosswalk.choices, str(key)
    if said in choices:
        return choices[said]
    begins = [c for c in choices if c.endswith("*") and c != "*" and said.startswith(c[:-1])]
    return choices.get(max(begins, key=len, default=""))


def _brief(text: str) -> str:
    """A text of a document for a message: legal, on one line, short."""
    line = " ".join(functions.legal(text, lambda _: None).split())
    return line if len(line) <= 80 else line[:79] + "…"


def evaluate(expression: str, body: Json) -> Json:
    """The value of an expression, with our functions, in the context that is in use."""
    return jmespath.search(expression, body, _OPTIONS)


def _evaluate(
    compiled: Any, body: Json, context: functions.Context, target: str, issues: list[Issue]
) -> Json:
    token = functions.using(context)
    try:
        value = _INTERPRETER.visit(compiled.parsed, body)
    except Exception as error:  # whatever a document does to an expression is its issue
        value = None
        said = _brief(str(error)) or type(error).__name__
        issues.append(Issue(target, f"cannot be read: {said}"))
    finally:
        functions.done(token)
    if context.issues:
        issues += [Issue(target, message) for message in context.issues]
        context.issues.clear()
    return value


_OPTIONAL = {
    "title": {"lang"},
    "description": {"lang"},
    "coverage": {"lang"},
    "rights": {"lang"},
    "subject": {"lang", "code", "scheme", "uri"},
    "creator": {"lang", "uri"},
    "publisher": {"lang", "uri"},
    "contributor": {"lang", "uri"},
    "distribution": {"title", "media_type", "language", "byte_size"},
    "temporal": {"start", "end"},
}
"""What a part of a record can do without."""
_COMPLAINTS = {
    "type": "no such record type",
    "url": "not a web address",
    "language": "not a language tag",
    "spatial": "not a country code",
    "issued": "not a date",
    "modified": "not a date",
    "temporal": "not a period",
    "treaty": "no such treaty",
    "distribution": "not a file or page",
}


def _complaint(target: str, fault: Any) -> str:
    """A fault pydantic found, in the words of an issue."""
    place = [str(part) for part in fault["loc"][1:] if isinstance(part, str)]
    if fault["type"] == "unexpected_keyword_argument":
        return f"has no {place[-1] if place else target!r}"
    said = f"{_COMPLAINTS.get(target, 'not valid')}: {functions.shown(fault.get('input'))}"
    return f"{'.'.join(place)}: {said}" if place else said


def _validated(
    fields: dict[str, Any], defaults: Mapping[str, Json], issues: list[Issue]
) -> Record | str:
    """The record; what is not valid is taken out, an issue each, until the rest is.

    The name of the field that cannot be done without, where no record can be made.
    """
    fallen: set[str] = set()
    while True:
        try:
            return model.validate(fields)
        except ValidationError as error:
            faults = error.errors(include_url=False, include_context=False)
        for fault in faults:
            place = fault["loc"]
            target = str(place[0]) if place else "record"
            if target in ENGINE_FIELDS or target not in fields:
                return target
            issues.append(Issue(target, _complaint(target, fault)))
        for fault in faults:
            _take_out(fields, fault["loc"], odd=fault["type"] == "unexpected_keyword_argument")
        for target in {str(fault["loc"][0]) for fault in faults}:
            if isinstance(fields[target], list) and target in LIST_FIELDS:
                fields[target] = [part for part in fields[target] if part is not _GONE]
            if fields[target] in (_GONE, [], {}):
                del fields[target]
                if target in defaults and target not in fallen:
                    fallen.add(target)
                    fields[target] = defaults[target]


_GONE = object()


def _take_out(fields: dict[str, Any], place: tuple[int | str, ...], *, odd: bool) -> None:
    """Mark as gone what a fault is about: a key an object can do without, the object, or all."""
    target = str(place[0])
    value, holder, where = fields[target], fields, target
    keys = list(place[1:])
    if target in LIST_FIELDS and isinstance(value, list) and keys and isinstance(keys[0], int):
        holder, where = value, keys.pop(0)  # type: ignore[assignment]
        value = value[where]  # type: ignore[call-overload]
    key = next((part for part in keys if isinstance(part, str)), None)
    if isinstance(value, dict) and key in value and (odd or key in _OPTIONAL.get(target, ())):
        holder[where] = {name: part for name, part in value.items() if name != key}
    else:
        holder[where] = _GONE


def functions_page() -> str:
    """The text of ``docs/crosswalk-functions.md``, with the functions of all modules."""
    return functions.document()


# --- looking into ------------------------------------------------------------------------


def explain(crosswalk: Crosswalk, document: Document, source: Mapping[str, Json]) -> list[Line]:
    """For each field of the record: the expression, its value here, and what it reads."""
    document = _trimmed(document)
    crosswalk = chosen_for(crosswalk, document, source)
    if not isinstance(document.body, dict):
        return []
    body = {**document.body, "source": source}
    context = _context(crosswalk, source)
    values = {
        target: shape(target, _evaluate(compiled, body, context, target, []), [])
        for target, compiled in crosswalk.compiled.items()
    }
    fields = {target: value for target, value in values.items() if value is not None}
    # Beside the expressions stand the country and the language of the source.
    own = {"spatial": "source.countries", "language": "source.languages"}
    settled = _settled(crosswalk, fields, body, context, [])
    made = {**_defaults(crosswalk, source), **fields, **settled.fields}
    lines = []
    for target in (*crosswalk.compiled, *(name for name in own if name not in crosswalk.compiled)):
        if made.get(target) in (None, []):
            continue
        lines.append(
            Line(
                field=target,
                expression=crosswalk.expressions.get(target) or own[target],
                value=made[target],
                reads=frozenset(_reads(crosswalk.compiled[target]))
                if target in crosswalk.compiled
                else frozenset(),
            )
        )
    return lines


def chosen_for(crosswalk: Crosswalk, document: Document, source: Mapping[str, Json]) -> Crosswalk:
    """The crosswalk that a document really goes through."""
    document = _trimmed(document)
    while crosswalk.choose is not None and isinstance(document.body, dict):
        body = {**document.body, "source": source}
        key = _evaluate(crosswalk.choose, body, _context(crosswalk, source), "choose", [])
        chosen = _choice(crosswalk, key, document.body)
        if chosen is None:
            break
        crosswalk = chosen
    return crosswalk


def _paths(value: Json, at: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, part in value.items():
            yield from _paths(part, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        for part in value:
            yield from _paths(part, f"{at}[]")
    elif value not in (None, ""):
        yield at


def _reads(compiled: Any) -> set[str]:
    """The paths an expression takes values from."""
    found: set[str] = set()
    found.update(_follow(compiled.parsed, [""], found))
    return {path for path in found if path and path != "source" and not path.startswith("source.")}


def _follow(node: Any, at: list[str], found: set[str]) -> list[str]:
    """Where a node leads from some paths; values used up on the way are put in ``found``."""
    if not isinstance(node, dict):
        return []
    kind, children = node["type"], node["children"]

    def step(paths: Iterable[str], name: str) -> list[str]:
        return [f"{p}.{name}" if p else name for p in paths]

    match kind:
        case "field":
            return step(at, node["value"])
        case "current" | "identity":
            return at
        case "literal" | "expref":  # an expref reads from what its function is given whole
            return []
        case "index" | "slice":
            return [f"{p}[]" for p in at]
        case "subexpression" | "pipe" | "index_expression":
            for child in children:
                at = _follow(child, at, found)
            return at
        case "projection" | "value_projection":
            inner = [f"{p}[]" for p in _follow(children[0], at, found)]
            return _follow(children[1], inner, found)
        case "filter_projection":
            inner = [f"{p}[]" for p in _follow(children[0], at, found)]
            found.update(_follow(children[2], inner, found))
            return _follow(children[1], inner, found)
        case "flatten":
            return _follow(children[0], at, found)
        case "or_expression" | "and_expression":
            return [p for child in children for p in _follow(child, at, found)]
        case "multi_select_dict" | "multi_select_list" | "key_val_pair":
            return [p for child in children for p in _follow(child, at, found)]
    if kind == "function_expression" and node["value"] == "index_texts":
        # It reads the variants of some fields of a row, not all of the row.
        stems = children[1].get("value") or [c.get("value") for c in children[1]["children"]]
        for row in _follow(children[0], at, found):
            found.update(f"{row}.{s}_*" for s in ([stems] if isinstance(stems, str) else stems))
        children = children[2:]
    for child in children:
        found.update(_follow(child, at, found))
    return []
