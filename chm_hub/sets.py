"""Which OAI sets a record belongs to: a pure function of the record.

Sets are named once and for ever: harvesters write them down. ``source:<id>``,
``type:<record type>``, ``country:<ISO 3166-1 alpha-2>``.
"""

from __future__ import annotations

import re
from functools import cache

import babel

from chm_hub.record import Record

_SPEC = re.compile(r"[A-Za-z0-9\-_.!~*'()]+(:[A-Za-z0-9\-_.!~*'()]+)*")
_WORDS = re.compile(r"(?<=[a-z])(?=[A-Z])")


def sets_of(record: Record) -> list[str]:
    """The setSpecs of a record, the same ones whatever is asked for."""
    return [
        f"source:{record.source}",
        f"type:{record.type}",
        *(f"country:{code}" for code in dict.fromkeys(record.spatial)),
    ]


def is_spec(text: str) -> bool:
    """Whether a text has the form of a setSpec (OAI-PMH 2.0 §2.6)."""
    return _SPEC.fullmatch(text) is not None


@cache
def set_name(spec: str) -> str:
    """A set's name for people, in English."""
    kind, _, value = spec.partition(":")
    match kind:
        case "country":
            return country_name(value)
        case "type":
            return type_name(value)
        case "source":
            return f"Source {value}"
    return spec


def country_name(code: str) -> str:
    """The English name of a country, or its code if it has none."""
    return str(babel.Locale("en").territories.get(code, code))


def type_name(record_type: str) -> str:
    """A record type as words: ``nationalReport`` → ``National report``."""
    if record_type in ("nbsap", "ebsa"):
        return record_type.upper()
    return _WORDS.sub(" ", record_type).capitalize()
