"""Languages and countries as sources name them, and the codes the record keeps.

Codes come from BCP 47 and ISO 639, ISO 3166-1 and UN M49; names from
``tables/countries.csv``, ``tables/country_names.csv`` (what else people write), pycountry with
its translations and the CLDR that Babel carries. A name that could be two places is none:
nothing is guessed.
"""

from __future__ import annotations

import gettext
import re
import unicodedata
from functools import lru_cache

import langcodes
import pycountry
from babel import Locale

from mappings import tables

_OWN_NAMES = (
    "af am az be bg bn bs ca cs cy da de dv dz el et eu fa fi fil ga gl gu ha he hi hr hu hy "
    "id ig is it ja ka kk km kn ko ku ky lb lo lt lv mg mk ml mn mr ms mt my nb ne nl nn no "
    "or pa pl ps pt qu rm rn ro rw si sk sl sn so sq sr st sv sw ta te tg th ti tk tn to tr "
    "ts uk ur uz vi wo xh yo zu "
)
"""Languages that may be named in themselves, beside the UN's six."""

_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")


@lru_cache(maxsize=8192)
def language(text: str) -> str | None:
    """The BCP 47 tag of a language tag, an ISO 639 code, or a language's name.

    Names are understood in the six UN languages and in the language itself. ``None`` where it
    is nothing known.
    """
    text = text.strip()
    if len(text) > 100:
        return None
    tag = text.replace("_", "-")
    if _TAG.fullmatch(tag):
        # The two letters BCP 47 has for a code of three: "fre" and "fra" are "fr".
        head, dash, rest = tag.partition("-")
        known = _iso_639(head.lower())
        if known is not None:
            try:
                made = langcodes.standardize_tag(known + dash + rest)
            except ValueError:
                return None
            return made if langcodes.tag_is_valid(made) else None
    return _language_names().get(_fold(text))


@lru_cache(maxsize=8192)
def country(text: str) -> str | None:
    """The ISO 3166-1 alpha-2 code, or ``EU``, of a country's code or name.

    Codes are alpha-2, alpha-3 (any case) or the three digits of M49; names are those of the
    six UN languages. ``None`` where it is nothing known.
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


def _iso_639(code: str) -> str | None:
    if code in ("und", "mul", "zxx", "mis"):
        return code
    found = pycountry.languages.get(**{f"alpha_{len(code)}": code})
    if found is None and len(code) == 3:
        found = pycountry.languages.get(bibliographic=code)
    if found is None:
        # Withdrawn codes (iw, mo, sh) are not in the register but have successors.
        made = langcodes.standardize_tag(code)
        return made if made != code else None
    return str(getattr(found, "alpha_2", found.alpha_3))


def _fold(text: str) -> str:
    """A name for comparing: no case, no accents, no punctuation, one kind of space."""
    plain = unicodedata.normalize("NFKD", text.casefold().replace("&", " and "))
    kept = (
        char if char.isalnum() or char.isspace() else " "
        for char in plain
        if not unicodedata.combining(char)
    )
    return " ".join("".join(kept).split())


_ARTICLES = frozenset(("the",))
"""Words that make no difference to a country's name: ``Gambia (the)``, ``the Gambia``."""


def _place(text: str) -> str:
    """A country's name for comparing: as :func:`_fold`, without articles and spaces."""
    return "".join(word for word in _fold(text).split() if word not in _ARTICLES)


def _add(names: dict[str, str | None], key: str, code: str) -> None:
    """Remember a name; one that is taken by another code becomes no one's."""
    if key:
        names[key] = code if names.get(key, code) == code else None


@lru_cache(maxsize=1)
def _language_names() -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for language_code in tables.LANGUAGES:
        for code, name in Locale.parse(language_code).languages.items():
            if "_" not in code:
                _add(names, _fold(name), code)
    for code in _OWN_NAMES.split():
        _add(names, _fold(Locale.parse(code).languages.get(code) or ""), code)
    more: dict[str, str | None] = {}
    for found in pycountry.languages:
        _add(more, _fold(found.name), getattr(found, "alpha_2", found.alpha_3))
    # CLDR's names win: the register has a second "Norwegian" and the like.
    return {**more, **names}


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
                _add(first, _place(name), row["code"])
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
                    _add(more, _place(translate(registered)), found.alpha_2)
    for language_code in tables.LANGUAGES:
        for code, name in Locale.parse(language_code).territories.items():
            if code in known:
                _add(more, _place(name), code)
    # What is known of people's usage wins; a name without a code could be two places.
    own = {_place(row["name"]): row["code"] or None for row in tables.rows("country_names")}
    return {**more, **first, **own}
