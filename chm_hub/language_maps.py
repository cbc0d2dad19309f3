"""Texts in several languages, in the shapes that JSON has for them.

There is no standard: ``{"en": "Forest", "fr": "Forêt"}`` (ckanext-fluent, data.europa.eu),
``[{"@value": "Forest", "@language": "en"}]`` (JSON-LD 1.1 §4.2.4), ``{"value": …, "lang": …}``
(Drupal, ArcGIS), a JSON text of any of these (CKAN's extras).
"""

from __future__ import annotations

import json
import re
from typing import Any

_TAG = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8})*")
_NO_LANGUAGE = frozenset({"default", "x-default", "und", "none", "@none", "_", "zxx", "mul"})
"""Keys of a map under which a text stands in no particular language (JSON-LD 1.1 §9.8)."""
_VALUES = ("@value", "value", "#text", "$", "_", "text", "label", "prefLabel", "name", "title")
_LANGUAGES = ("@language", "lang", "language", "@lang", "@xml:lang", "xml:lang", "locale")
_DEEPEST = 5


def texts_of(value: Any, depth: int = 0) -> list[dict[str, str]]:
    """The texts in a value, each ``{"value": …, "lang": …}``; ``lang`` only where it is said.

    Blank texts are left out. What holds no text in any of these shapes gives an empty list.
    """
    if depth > _DEEPEST:
        return []
    if isinstance(value, str):
        if (held := _held_in(value)) is not None:
            return texts_of(held, depth + 1)
        return [{"value": value}] if value.strip() else []
    if isinstance(value, list):
        return [text for part in value for text in texts_of(part, depth + 1)]
    if isinstance(value, int | float) and not isinstance(value, bool):
        return [{"value": str(value)}]
    if not isinstance(value, dict):
        return []
    if is_map(value):
        return [
            text if "lang" in text or key in _NO_LANGUAGE else {**text, "lang": _tag(key)}
            for key, part in value.items()
            for text in texts_of(part, depth + 1)
        ]
    lang = next((value[k] for k in _LANGUAGES if isinstance(value.get(k), str)), None)
    inner = next((value[k] for k in _VALUES if value.get(k) not in (None, "", [], {})), None)
    found = texts_of(inner, depth + 1)
    if lang is None or not lang.strip() or lang in _NO_LANGUAGE:
        return found
    return [text if "lang" in text else {**text, "lang": _tag(lang)} for text in found]


def is_map(value: Any) -> bool:
    """Whether an object is a map from languages to texts: all its keys are tags of languages,
    or words for none."""
    return (
        isinstance(value, dict)
        and bool(value)
        and all(key in _NO_LANGUAGE or _TAG.fullmatch(key) for key in value)
        and not value.keys() <= {"_"}
    )


def _held_in(text: str) -> Any:
    """The map or list of texts that a text is the JSON of; ``None`` for any other text."""
    if not text.lstrip().startswith(("{", "[{")):
        return None
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return None
    parts = held if isinstance(held, list) else [held]
    shaped = all(is_map(part) or (isinstance(part, dict) and "@value" in part) for part in parts)
    return held if parts and shaped else None


def _tag(said: str) -> str:
    return said.strip().replace("_", "-")
