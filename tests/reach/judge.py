"""Whether a value of a document stands in the record: its words or its code, in the right field.

Which field is right is not taken from the crosswalks but from ``places.toml``, path by path, so
that one can be checked against the other.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from mappings import functions, languages, record_types
from mappings.identifiers import resolved
from mappings.labelled import label
from mappings.place_functions import countries_in

Json = Any
ONE = frozenset({"type", "url", "issued", "modified", "temporal", "bbox", "license", "status"})
"""Fields that hold one value: a second one of the same place has no room."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a document at its path; in labelled lists the path names the field."""

    path: str
    value: str


def values(body: Json) -> Iterator[Value]:
    """The values of a document: texts, numbers and truth values that are not blank. Of XML's
    attributes those of elements without a text, and addresses; languages are judged with none."""
    yield from _walk(body, "")


def _walk(value: Json, at: str) -> Iterator[Value]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "lang" and isinstance(part, str) and at:
                continue
            qualifies = key.startswith("@") and ("value" in value or key in _LABELS)
            if qualifies and not str(part).startswith("http"):
                continue
            said = "".join(f"{{{value[a]}}}" for a in _KINDS if a in value)
            if key == "value":
                yield from _walk(part, at + said)
            else:
                yield from _walk(part, f"{at}.{key}" if at else str(key))
    elif isinstance(value, list):
        for part in value:
            named = label(part) if isinstance(part, dict) else ""
            yield from _walk(part, f"{at}[{named}]" if named else at)
    elif value is not None and str(value).strip():
        yield Value(at, str(value).strip())


_KINDS = ("@access", "@type")
"""Attributes that say of what kind a value is; a path ends in them: ``location.url{preview}``."""
_LABELS = frozenset({"@tag", "@code", "@ind1", "@ind2", "@element", "@qualifier", "@mdschema"})


def says_nothing(value: str) -> bool:
    """Whether a value only says that there is none: of no language, not known, not applicable."""
    return value.strip(" .-").casefold() in _NOTHING


_NOTHING = frozenset(
    {"", "und", "zxx", "mul", "other", "unknown", "none", "n/a", "na", "undefined", "zz"}
    | {"not applicable", "not specified"}
)


def reached(value: str, fields: list[str], record: dict[str, Json]) -> str | None:
    """The field among these that says what a value says; ``None`` if none does."""
    value = re.sub(r"^https?://", "", value)
    return next((name for name in fields if name in record and _says(value, name, record)), None)


def _says(value: str, name: str, record: dict[str, Json]) -> bool:
    held = record[name]
    said = json.dumps(held, ensure_ascii=False)
    if _is_in(value, said):
        return True
    context = functions.Context(source={}, tables={})
    token = functions.using(context)
    try:
        return _as_code(value, name, held, said)
    finally:
        functions.done(token)


def _as_code(value: str, name: str, held: Json, said: str) -> bool:
    match name:
        case "language":
            return languages.language(value) in held
        case "issued" | "modified" | "temporal":
            digits = re.sub(r"\D", "", str(functions.date(value) or value))
            dates = [held] if isinstance(held, str) else list(held.values())
            return any(_same_date(digits, re.sub(r"\D", "", one)) for one in dates)
        case "spatial":
            return bool(set(countries_in([value]) or ()) & set(held)) or value.upper() in held
        case "type":
            return bool(record_types.record_type([value]) == held)
        case "bbox":
            numbers = [float(one) for one in re.findall(r"-?\d+(?:\.\d+)?", value)]
            return bool(numbers) and all(
                any(abs(one - side) < 0.01 for side in held) for one in numbers
            )
        case "same_as" | "relation" | "url" | "distribution" | "license":
            made = [str(one) for one in resolved([value]) or ()]
            bare = re.sub(r"^(?:https?://)?(?:dx\.)?(?:doi\.org/|hdl\.handle\.net/)?", "", value)
            return any(one in said for one in made) or (len(bare) > 5 and _is_in(bare, said))
    return False


def _same_date(one: str, other: str) -> bool:
    return len(one) >= 4 and len(other) >= 4 and (one.startswith(other) or other.startswith(one))


def _is_in(value: str, said: str) -> bool:
    plain = functions.plain_text(value) if "<" in value or "&" in value else value
    words, held = _words(str(plain)), _words(said)
    if not words:
        return True  # nothing but punctuation
    if " ".join(words) in " ".join(held):
        return True
    # A value that the record parts or turns round (keywords, names) still has its words there.
    among = set(held)
    return sum(word in among for word in words) >= 0.95 * len(words)


def _words(text: str) -> list[str]:
    folded = unicodedata.normalize("NFKC", text).casefold()
    return re.findall(r"\w+", folded)
