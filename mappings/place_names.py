"""Which countries a place in words is: all of it must be countries, and no other place.

``Georgia`` is also a state, ``Congo`` two countries and a river, ``Micronesia`` a region. Such a
name counts as a country only in a source of that country, or in a field for countries
(:func:`mappings.codes.country`).
"""

from __future__ import annotations

import re
from collections.abc import Collection

from mappings import codes

_NOT_ALONE = {
    "GE": frozenset({"GE"}),
    "CG": frozenset({"CG", "CD"}),
    "FM": frozenset({"FM"}),
}
"""Countries with a short name that is also another place, and the sources for which it is not."""
_SHORT = re.compile(
    r"(?:g[eé]orgia|géorgie|грузия|congo|kongo|конго|micron[eé]sia|micronésie|микронезия)",
    re.IGNORECASE,
)
_ELSEWHERE = {"NE": "NG"}
"""A name that in another country's source is a place of that country: Niger is a state of
Nigeria."""
_BETWEEN = re.compile(r"\s*(?:[;|/,、،]|\s&\s|(?<!\w)(?:and|et|y|e|und|и|و)(?!\w))\s*")
_LARGER_FIRST = re.compile(r"([^:,;()]+?)\s*(?:--+|:\s)")
"""A heading of a library, or a list of places: the country before the place in it."""
_IN_BRACKETS = re.compile(r"[^()]+\(([^()]+)\)")
_BRACKETS = re.compile(r"\s*\([^()]*\)\s*$")
_COMMA = re.compile(r"\s*[,،、，]\s*")
_AND = re.compile(r"^(?:and|et|y|und|и|و)\s+")
_CODE = 3
"""Letters of the longest code of a country."""
_LONGEST = 120
"""Characters of a text that names a place; a longer one is a description."""
_MOST = 30
"""Names in one text that are looked at."""


def countries(said: str, near: Collection[str] = ()) -> list[str]:
    """The countries that a text names, as ISO 3166-1 alpha-2; empty if any part is no country.

    ``near`` holds the countries of the source.
    """
    said = said.strip().rstrip(".")
    if found := _country(said, near):
        return [found]
    parts = [part for part in _BETWEEN.split(said) if part]
    if not 2 <= len(parts) <= _MOST:
        return []
    named = [_country(part, near) for part in parts]
    return list(dict.fromkeys(code for code in named if code)) if all(named) else []


def located(said: str, near: Collection[str] = ()) -> list[str]:
    """The countries in which a text says that a place is: `Nairobi, Kenya`, `Nairobi (Kenya)`,
    `Kenya--Nairobi`, `Kenya: Nairobi`; empty for other texts.

    Names alone count here: the `CA` behind Los Angeles is no country.
    """
    said = said.strip().rstrip(".")
    if len(said) > _LONGEST:
        return []
    if (before := _LARGER_FIRST.match(said)) is not None:
        return [code for code in [_named(before[1], near)] if code]
    if (inside := _IN_BRACKETS.fullmatch(said)) is not None:
        parts = _COMMA.split(inside[1])
        named = [_named(part, near) for part in parts]
        return [code for code in named if code] if all(named) else []
    made: list[str] = []
    parts = _COMMA.split(said)
    for part in reversed(parts if len(parts) > 1 else []):
        bare = _AND.sub("", part)
        # Of a list, `Congo (Kinshasa)` and the like are countries with a word beside them.
        code = _named(bare, near) or _named(_BRACKETS.sub("", bare), near)
        if code is None:
            break
        made.insert(0, code)
    return list(dict.fromkeys(made))


def _named(said: str, near: Collection[str]) -> str | None:
    said = said.strip()
    return None if said.isascii() and len(said) <= _CODE else _country(said, near)


def _country(said: str, near: Collection[str]) -> str | None:
    """The country that a name alone is; ``in`` and ``no`` are words, ``IN`` a code."""
    if len(said) <= 3 and not said.isupper() and said.isascii():
        return None
    code = codes.country(said)
    if code in _NOT_ALONE and _SHORT.fullmatch(said):
        return next((own for own in near if own in _NOT_ALONE[code]), None)
    return None if code is not None and _ELSEWHERE.get(code) in near else code
