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


def _country(said: str, near: Collection[str]) -> str | None:
    """The country that a name alone is; ``in`` and ``no`` are words, ``IN`` a code."""
    if len(said) <= 3 and not said.isupper() and said.isascii():
        return None
    code = codes.country(said)
    if code in _NOT_ALONE and _SHORT.fullmatch(said):
        return next((own for own in near if own in _NOT_ALONE[code]), None)
    return None if code is not None and _ELSEWHERE.get(code) in near else code
