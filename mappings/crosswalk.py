"""Crosswalks: load them, check them, apply them (architecture §6).

A crosswalk is a TOML file of ``field = "JMESPath expression"``. Everything that can be wrong
with one is found when it is loaded, and named all at once. What a document holds and a
crosswalk does not understand becomes an :class:`Issue`; the rest of the record is made.
"""

from __future__ import annotations

import fnmatch
import functools
import hashlib
import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jmespath
import jmespath.exceptions
import jmespath.functions
import jmespath.parser
from pydantic import ValidationError

from chm_hub import record as model
from chm_hub.document import Document, Json
from chm_hub.errors import CrosswalkError
from chm_hub.record import Record
from mappings import functions, tables

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
    }
)
_TEXT_FIELDS = frozenset({"title", "description", "coverage", "rights"})
_AGENT_FIELDS = frozenset({"creator", "publisher", "contributor"})
_LIST_FIELDS = frozenset(
    name for name, spec in Record.__dataclass_fields__.items() if spec.default_factory is list
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


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
    defaults: Mapping[str, Json]
    skip: Any
    deleted: Any
    choose: Any
    choices: Mapping[str, Crosswalk]


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

    path: Path
    record: dict[str, str]
    tables: dict[str, dict[str, Json]]
    rest: dict[str, Any]
    content: bytes


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
    where = file.path.name if "/" not in name else f"{name}.toml"
    before = len(faults)
    choices: dict[str, Crosswalk] = {}
    for key, other in file.rest.get("choices", {}).items():
        chosen = _load(other, folders, (*chain, name), faults) if isinstance(other, str) else None
        if chosen is None:
            faults.append(f"{where}: choices.{key}: no crosswalk {other!r}")
        else:
            choices[key] = chosen
    key = (name, folders, file.content + b"".join(c.digest.encode() for c in choices.values()))
    if key in _CACHE and len(faults) == before:
        return _CACHE[key]
    compiled: dict[str, Any] = {}
    reads: set[str] = set()
    for target, expression in file.record.items():
        if target not in FIELDS:
            known = ", ".join(sorted(FIELDS))
            hint = (
                "the hub fills it in itself"
                if target in ENGINE_FIELDS
                else f"no such record field; known are {known}"
            )
            faults.append(f"{where}: record.{target}: {hint}")
            continue
        made = _compile(f"{where}: record.{target}", expression, file.tables, faults)
        if made is not None:
            compiled[target] = made
            reads |= _reads(made)
    rules: dict[str, Any] = {"skip": None, "deleted": None, "choose": None}
    for rule in rules:
        if rule in file.rest:
            made = _compile(f"{where}: {rule}", file.rest[rule], file.tables, faults)
            if made is not None:
                rules[rule] = made
                reads |= _reads(made)
    if ("choose" in file.rest) != ("choices" in file.rest):
        faults.append(f"{where}: `choose` and [choices] belong together")
    if not compiled and rules["choose"] is None and len(faults) == before:
        faults.append(f"{where}: has no [record] and no [choices]; there is nothing to map")
    defaults = file.rest.get("defaults", {})
    for target, value in defaults.items():
        faults += _check_default(where, target, value)
    if len(faults) > before:
        return None
    digest = hashlib.sha256(file.content + _surroundings())
    for key_of_choice, choice in sorted(choices.items()):
        digest.update(f"{key_of_choice}={choice.digest}".encode())
        reads |= choice.reads
    loaded = Crosswalk(
        name=name,
        digest=digest.hexdigest()[:16],
        description=str(file.rest.get("description", "")).strip(),
        expressions=dict(file.record),
        reads=frozenset(reads),
        ignored=tuple(file.rest.get("ignore", {}).get("paths", ())),
        compiled=compiled,
        tables=file.tables,
        defaults=defaults,
        skip=rules["skip"],
        deleted=rules["deleted"],
        choose=rules["choose"],
        choices=choices,
    )
    _CACHE[key] = loaded
    return loaded


def _read(
    name: str, folders: tuple[Path, ...], chain: tuple[str, ...], faults: list[str]
) -> _File | None:
    path = next(
        (p for folder in (*folders, FOLDER) if (p := folder / f"{name}.toml").is_file()), None
    )
    if path is None:
        faults.append(f"{name}: no such crosswalk; there are {', '.join(names(folders))}")
        return None
    content = path.read_bytes()
    where = f"{name}.toml"
    try:
        own = tomllib.loads(content.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        faults.append(f"{where}: not valid TOML: {error}")
        return None
    for key in own:
        if key not in _KEYS:
            faults.append(f"{where}: {key}: no such key; known are {', '.join(sorted(_KEYS))}")
    record = own.get("record", {})
    inline = own.get("tables", {})
    for part, value in (
        ("record", record),
        ("tables", inline),
        ("choices", own.get("choices", {})),
    ):
        if not isinstance(value, dict):
            faults.append(f"{where}: {part}: must be a table ([{part}])")
            return None
    for table, rows in list(inline.items()):
        if not isinstance(rows, dict):
            faults.append(f"{where}: tables.{table}: must be a table ([tables.{table}])")
            inline.pop(table)
    ignore = own.get("ignore", {})
    if not isinstance(ignore, dict) or set(ignore) - {"paths"}:
        faults.append(f"{where}: ignore: holds `paths`, a list, and nothing else")
        own["ignore"] = {}
    if "extends" not in own:
        return _File(path, dict(record), dict(inline), own, content)
    parent_name = own["extends"]
    if parent_name in (*chain, name):
        faults.append(f"{where}: extends: {' → '.join((*chain, name, parent_name))} is a circle")
        return None
    parent = _read(parent_name, folders, (*chain, name), faults)
    if parent is None:
        faults.append(f"{where}: extends: {parent_name!r} cannot be used")
        return None
    rest = {**parent.rest, **own}
    rest["defaults"] = {**parent.rest.get("defaults", {}), **own.get("defaults", {})}
    rest["ignore"] = {
        "paths": [
            *parent.rest.get("ignore", {}).get("paths", ()),
            *own.get("ignore", {}).get("paths", ()),
        ]
    }
    merged = {**parent.tables}
    for table, rows in inline.items():
        merged[table] = {**merged.get(table, {}), **rows}
    return _File(path, {**parent.record, **record}, merged, rest, content + parent.content)


class _Functions(jmespath.functions.Functions):  # type: ignore[misc]
    """JMESPath's functions and ours."""


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
            most = len(inspect.signature(function).parameters) if function else None
            if (
                len(given) < len(wanted)
                or (not variadic and len(given) > len(wanted))
                or (most is not None and len(given) > most)
            ):
                yield f"{name}() takes {len(wanted)} arguments{' or more' if variadic else ''}"
        if name == "lookup" and given and given[0]["type"] == "literal":
            table = given[0]["value"]
            if table not in own and not tables.has_values(str(table)):
                yield f"lookup: no table {table!r} in [tables] or among the CSV files"
        if name == "concepts" and given and given[0]["type"] == "literal":
            scheme = given[0]["value"]
            if scheme not in tables.SCHEMES:
                yield f"concepts: no vocabulary {scheme!r}; there are {', '.join(tables.SCHEMES)}"
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _faulty_calls(child, own)


def _check_default(where: str, target: str, value: Json) -> list[str]:
    if target not in FIELDS:
        return [f"{where}: defaults.{target}: no such record field"]
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
        target: _shape(target, value, []),
    }
    try:
        model.validate(trial)
    except ValidationError as error:
        return [f"{where}: defaults.{target}: {fault['msg']}" for fault in error.errors()]
    return []


@functools.cache
def _surroundings() -> bytes:
    """What bears on every crosswalk: the functions, this module, the tables."""
    digest = hashlib.sha256()
    paths = [Path(functions.__file__), Path(__file__), *sorted(tables.FOLDER.glob("*.csv"))]
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
    body = _body(document, source)
    context = functions.Context(source=dict(source), tables=dict(crosswalk.tables))
    issues: list[Issue] = []
    if crosswalk.choose is not None:
        key = _evaluate(crosswalk.choose, body, context, "choose", issues)
        chosen = crosswalk.choices.get(str(key)) or crosswalk.choices.get("*")
        if chosen is None:
            return Outcome(
                record=None,
                rejected=f"no crosswalk for {functions.shown(key)}",
                issues=issues,
                crosswalk=crosswalk.name,
            )
        return apply(chosen, document, source, provenance)
    if crosswalk.skip is not None:
        reason = _evaluate(crosswalk.skip, body, context, "skip", issues)
        if reason:
            said = reason if isinstance(reason, str) else "skip"
            return Outcome(record=None, skipped=said, issues=issues, crosswalk=crosswalk.name)
    if crosswalk.deleted is not None and _evaluate(
        crosswalk.deleted, body, context, "deleted", issues
    ):
        return Outcome(record=None, deleted=True, issues=issues, crosswalk=crosswalk.name)
    fields: dict[str, Any] = {}
    for target, compiled in crosswalk.compiled.items():
        value = _evaluate(compiled, body, context, target, issues)
        faults: list[str] = []
        shaped = _shape(target, value, faults)
        issues += [Issue(target, message) for message in faults]
        if shaped is not None:
            fields[target] = shaped
    for target, value in crosswalk.defaults.items():
        if target not in fields:
            fields[target] = _shape(target, value, [])
    fields["source"] = source["id"]
    fields["source_identifier"] = document.identifier
    fields["identifier"] = model.record_identifier(str(source["id"]), document.identifier)
    fields["provenance"] = {
        **provenance,
        "crosswalk": crosswalk.name,
        "crosswalk_digest": crosswalk.digest,
    }
    if "title" not in fields:
        issues.append(Issue("title", "none"))
    made = _validated(fields, issues)
    if made is None:
        fault = issues[-1] if issues else Issue("record", "empty")
        return Outcome(
            record=None,
            rejected=f"no record can be made: {fault.field}",
            issues=issues,
            crosswalk=crosswalk.name,
        )
    return Outcome(record=made, issues=issues, crosswalk=crosswalk.name)


def _body(document: Document, source: Mapping[str, Json]) -> dict[str, Json]:
    if isinstance(document.body, dict):
        return {**document.body, "source": source}
    return {"body": document.body, "source": source}


def _evaluate(
    compiled: Any, body: Json, context: functions.Context, target: str, issues: list[Issue]
) -> Json:
    token = functions.using(context)
    try:
        value = compiled.search(body, _OPTIONS)
    except Exception as error:  # whatever a document does to an expression is its issue
        value = None
        said = " ".join(str(error).split())[:120] or type(error).__name__
        issues.append(Issue(target, f"cannot be read: {said}"))
    finally:
        functions.done(token)
    if context.issues:
        issues += [Issue(target, message) for message in context.issues]
        context.issues.clear()
    return value


def _shape(target: str, value: Json, said: list[str]) -> Json:
    """A value as the record's field wants it; ``None`` if there is nothing in it."""
    if target in _LIST_FIELDS:
        items = value if isinstance(value, list) else [value]
        made: list[Json] = []
        for item in _flat(items):
            shaped = _shape_one(target, item, said)
            if shaped is not None and shaped not in made:
                made.append(shaped)
        return made or None
    if isinstance(value, list) and target != "bbox":
        value = functions.first(value)
    return _shape_one(target, value, said)


def _flat(items: list[Json]) -> Iterator[Json]:
    for item in items:
        if isinstance(item, list):
            yield from _flat(item)
        else:
            yield item


def _shape_one(target: str, value: Json, said: list[str]) -> Json:
    if target in _TEXT_FIELDS:
        return _text(value, said)
    if target in _AGENT_FIELDS:
        return _named(value, "name", said)
    if target == "subject":
        return _named(value, "label", said)
    if isinstance(value, str):
        return _legal(value, said) if value.strip() else None
    if isinstance(value, dict):
        if isinstance(value.get("value"), str):  # a text where a plain string is wanted
            return _shape_one(target, value["value"], said)
        made = {
            key: _legal(part, said) if isinstance(part, str) else part
            for key, part in value.items()
            if part not in (None, "", [], {})
        }
        return made or None
    return value


def _text(value: Json, said: list[str]) -> Json:
    if isinstance(value, dict):
        content, lang = value.get("value"), value.get("lang")
    else:
        content, lang = value, None
    if isinstance(content, int | float) and not isinstance(content, bool):
        content = str(content)
    if not isinstance(content, str) or not content.strip():
        return None
    made: dict[str, Json] = {"value": _legal(content, said)}
    if isinstance(lang, str) and lang:
        lang = lang.replace("_", "-")  # en_US is how programmers write en-US
        if _LANGUAGE.fullmatch(lang):
            made["lang"] = lang
        else:
            said.append(f"not a language tag: {functions.shown(lang)}")
    return made


def _named(value: Json, key: str, said: list[str]) -> Json:
    """An agent or a concept of a string, of a text, or of an object that has the key."""
    if isinstance(value, dict) and key in value:
        made = {
            k: _legal(part, said) if isinstance(part, str) else part
            for k, part in value.items()
            if part not in (None, "", [], {})
        }
        named = made.get(key)
        if isinstance(named, dict):  # the label is itself a text
            text = _text(named, said)
            if text is None:
                return None
            made[key] = text["value"]
            if "lang" in text:
                made.setdefault("lang", text["lang"])
        return made if isinstance(made.get(key), str) and made[key].strip() else None
    text = _text(value, said)
    if text is None:
        return None
    named_text = {key: text["value"]}
    if "lang" in text:
        named_text["lang"] = text["lang"]
    return named_text


def _legal(value: str, said: list[str]) -> str:
    """A text without the characters XML 1.0 does not allow (§2.2)."""
    if not _ILLEGAL.search(value):
        return value
    said.append("illegal characters removed")
    return _ILLEGAL.sub("", value)


def _validated(fields: dict[str, Any], issues: list[Issue]) -> Record | None:
    """The record; what is not valid is taken out, an issue each, until the rest is."""
    for _ in range(5):
        try:
            return model.validate(fields)
        except ValidationError as error:
            out: dict[str, set[int]] = {}
            for fault in error.errors():
                place = fault["loc"]
                target = str(place[0]) if place else "record"
                issues.append(
                    Issue(target, f"{fault['msg']}: {functions.shown(fault.get('input'))}")
                )
                if target in ENGINE_FIELDS or target not in fields:
                    return None
                if len(place) > 1 and isinstance(place[1], int) and target in _LIST_FIELDS:
                    out.setdefault(target, set()).add(place[1])
                else:
                    out[target] = set()
            for target, indexes in out.items():
                kept = (
                    [v for i, v in enumerate(fields[target]) if i not in indexes] if indexes else []
                )
                if kept:
                    fields[target] = kept
                else:
                    del fields[target]
    return None


# --- looking into ------------------------------------------------------------------------


def explain(crosswalk: Crosswalk, document: Document, source: Mapping[str, Json]) -> list[Line]:
    """For each field of the record: the expression, its value here, and what it reads."""
    crosswalk = chosen_for(crosswalk, document, source)
    body = _body(document, source)
    context = functions.Context(source=dict(source), tables=dict(crosswalk.tables))
    lines = []
    for target, compiled in crosswalk.compiled.items():
        value = _shape(target, _evaluate(compiled, body, context, target, []), [])
        if value is None and target in crosswalk.defaults:
            value = crosswalk.defaults[target]
        if value is not None:
            lines.append(
                Line(
                    field=target,
                    expression=crosswalk.expressions[target],
                    value=value,
                    reads=frozenset(_reads(compiled)),
                )
            )
    return lines


def chosen_for(crosswalk: Crosswalk, document: Document, source: Mapping[str, Json]) -> Crosswalk:
    """The crosswalk that a document really goes through."""
    while crosswalk.choose is not None:
        context = functions.Context(source=dict(source), tables=dict(crosswalk.tables))
        key = _evaluate(crosswalk.choose, _body(document, source), context, "choose", [])
        chosen = crosswalk.choices.get(str(key)) or crosswalk.choices.get("*")
        if chosen is None:
            break
        crosswalk = chosen
    return crosswalk


def unread(crosswalk: Crosswalk, document: Document) -> list[str]:
    """Paths of a document that the crosswalk neither reads nor knowingly ignores."""
    crosswalk = chosen_for(crosswalk, document, {})
    paths = sorted(set(_paths(document.body, "")))
    return [
        path
        for path in paths
        if not any(_covers(read, path) for read in crosswalk.reads)
        and not any(fnmatch.fnmatchcase(path, _glob(pattern)) for pattern in crosswalk.ignored)
    ]


def _glob(pattern: str) -> str:
    """A path pattern as fnmatch takes it: only ``*`` is special, ``[]`` is not."""
    return pattern.replace("[", "[[]")


def _covers(read: str, path: str) -> bool:
    bare_read, bare_path = read.replace("[]", ""), path.replace("[]", "")
    if bare_read.endswith("*"):
        return bare_path.startswith(bare_read[:-1])
    return bare_path == bare_read or bare_path.startswith(bare_read + ".")


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
        case "literal":
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
