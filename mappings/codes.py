"""Countries as sources name them, and the codes the record keeps.

Codes come from ISO 3166-1 and UN M49; names from
``tables/countries.csv``, ``tables/country_names.csv`` (what else people write), pycountry with
its translations and the CLDR that Babel carries. A name that could be two places is none:
nothing is guessed.
"""

from __future__ import annotations

import gettext
import unicodedata
from functools import lru_cache

import pycountry
from babel import Locale

from mappings import tables


@lru_cache(maxsize=8192)
def country(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code, or ``EU``, of a country's code or name.

    Codes are alpha-2, alpha-3 (any case) or the three digits of M49; names are those of the
    six UN languages and of :data:`_MORE_LANGUAGES`. ``None`` where it is nothing known.
    """
    text = text.strip()
    if len(text) > 200:
        return None
    if text.isascii() and 2 <= len(text) <= 3 and (code := _country_codes().get(text.upper())):
        return code
    return _country_names().get(_place(text))


def forget() -> None:
    """Read the tables anew."""
    for cached in (country, _country_codes, _country_names):
        cached.cache_clear()


def fold(text: str) -> str:
    """A name for comparing: no case, no accents, no punctuation, one kind of space."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    kept = (
        char if char.isalnum() or char.isspace() else " "
        for char in plain
        if not unicodedata.combining(char)
    )
    return " ".join("".join(kept).split())


_WORDS_LANGUAGES = "pt de it nl id ms sw fa th tr uk ja ko hi bn"
_MORE_LANGUAGES = tuple(_WORDS_LANGUAGES.split())
"""Languages in which national portals name countries too; the names of the UN's languages come
first. Those whose names are as short as other languages' words are left out (``Ý``, ``Áo``)."""
_ARTICLES = frozenset(("the",))
"""Words that make no difference to a country's name: ``Gambia (the)``, ``the Gambia``."""


def _place(text: str) -> str:
    """A country's name for comparing: as :func:`fold`, without articles and spaces."""
    return "".join(word for word in fold(text).split() if word not in _ARTICLES)


def add_name(names: dict[str, str | None], key: str, code: str) -> None:
    """Remember a name; one that is taken by another code becomes no one's."""
    if key:
        names[key] = code if names.get(key, code) == code else None


@lru_cache(maxsize=1)
def _country_codes() -> dict[str, str]:
    codes: dict[str, str] = {}
    for row in tables.rows("countries"):
        for column in ("code", "alpha3", "m49", "cbd"):
            if row[column]:
                codes[row[column].upper()] = row["code"]
    return codes


@lru_cache(maxsize=1)
def _country_names() -> dict[str, str | None]:
    known = {row["code"] for row in tables.rows("countries")}
    first: dict[str, str | None] = {}
    for row in tables.rows("countries"):
        for column, name in row.items():
            if column.startswith("name_"):
                add_name(first, _place(name), row["code"])
    more: dict[str, str | None] = {}
    translations = [
        gettext.translation("iso3166-1", pycountry.LOCALES_DIR, [tag], fallback=True).gettext
        for tag in ("en", "fr", "es", "ar", "ru", "zh_CN")
    ]
    for found in pycountry.countries:
        if found.alpha_2 in known:
            for attribute in ("name", "official_name", "common_name"):
                registered = str(getattr(found, attribute, ""))
                for translate in translations if registered else ():
                    add_name(more, _place(translate(registered)), found.alpha_2)
    for language_code in tables.LANGUAGES:
        for code, name in Locale.parse(language_code).territories.items():
            if code in known:
                add_name(more, _place(name), code)
    further: dict[str, str | None] = {}
    for language_code in _MORE_LANGUAGES:
        for code, name in Locale.parse(language_code).territories.items():
            if code in known and (len(_place(name)) > 3 or not name.isascii()):
                add_name(further, _place(name), code)
    # What is known of people's usage wins; a name without a code could be two places.
    own = {_place(row["name"]): row["code"] or None for row in tables.rows("country_names")}
    return {**further, **more, **first, **own}
