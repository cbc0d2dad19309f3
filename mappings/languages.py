"""Languages as sources write them, and the tags the record keeps: BCP 47 with the shortest code.

Codes come from BCP 47 and ISO 639 (pycountry, langcodes); names from the CLDR that Babel carries,
in the six UN languages and in the language itself, and from ISO 639-3. Nothing is guessed from
a text here: that is :mod:`mappings.detection`.
"""

from __future__ import annotations

import re
from functools import lru_cache

import langcodes
import pycountry
from babel import Locale
from babel.core import get_global

from mappings import tables
from mappings.codes import add_name, fold

_OWN_NAMES = (
    "af am az be bg bn bs ca cs cy da de dv dz el et eu fa fi fil ga gl gu ha he hi hr hu hy "
    "id ig is it ja ka kk km kn ko ku ky lb lo lt lv mg mk ml mn mr ms mt my nb ne nl nn no "
    "or pa pl ps pt qu rm rn ro rw si sk sl sn so sq sr st sv sw ta te tg th ti tk tn to tr "
    "ts uk ur uz vi wo xh yo zu "
)
"""Languages that may be named in themselves, beside the UN's six."""
_OTHER_NAMES = {
    "Castilian": "es",
    "castellano": "es",
    "castillan": "es",
    "Farsi": "fa",
    "Mandarin": "zh",
    "汉语": "zh",
    "漢語": "zh",
    "普通话": "zh",
    "华语": "zh",
    "國語": "zh",
    "Moldovan": "ro",
    "Bahasa Indonesia": "id",
    "Bahasa Melayu": "ms",
    "Sinhalese": "si",
    "Modern Greek": "el",
    "Englisch": "en",
    "Französisch": "fr",
    "Spanisch": "es",
    "Engels": "en",
    "Frans": "fr",
    "inglese": "en",
    "francese": "fr",
    "spagnolo": "es",
}
"""Names that are in use and stand in no list of those below."""
NO_LANGUAGE = frozenset(("und", "zxx", "mul", "mis"))
"""Codes that say there is no one language to name: undetermined, none, several, not coded."""
IN_NONE = "zxx"
"""The code of a text that its source says is in no language; no record keeps it."""
ODD = "not a language"
"""How the issues begin that are about a word which names no language."""
_NOT_NAMES = frozenset(("none", "null", "nil", "unknown", "other", "others", "various", "undefined",
    "unspecified", "default", "language", "mixed", "many", "all", "any", "text"))  # fmt: skip
"""What forms say where nobody chose a language; some of them are names of small languages too."""
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*")
_OLD_TAG = re.compile(r"(?:i|sgn|art|zh|no|en|cel)-[A-Za-z-]{2,12}", re.IGNORECASE)
"""Tags registered before 2005 (BCP 47 §2.2.8): ``i-klingon``."""
_LOCALE = re.compile(r"([A-Za-z]{2,3}(?:[_-][A-Za-z]{2,4})?)(?:\.[\w-]+)?(?:@(\w+))?")
"""A locale of POSIX: ``sr_RS.UTF-8@latin``."""
_SCRIPTS = {"latin": "Latn", "cyrillic": "Cyrl", "devanagari": "Deva", "arabic": "Arab"}
_AROUND = " \t\r\n\xa0.,;:!?*'\"`´«»‹›“”„‚‘’()[]{}<>/|_-"
_BETWEEN = re.compile(r"\s*[;,/|&+·•]\s*|\s+(?:-|–|and|et|und|y|e)\s+|[\r\n]+")
_ADDRESS = re.compile(r"https?://\S+?[/#]([^/#?\s]+)/?")
_IN_BRACKETS = re.compile(r"\s*[(\[][^)\]]*[)\]]\s*")
_LONGEST = 100


@lru_cache(maxsize=8192)
def language(text: str) -> str | None:
    """The BCP 47 tag of a language tag, an ISO 639 code, a locale, a code's address (at the Library
    of Congress, at the EU), or a language's name.

    Signs around it do not count: ``[en]`` and ``en.`` are ``en``. What has the form of a code is
    never looked up as a name. ``None`` where it is nothing known; codes that name no one language
    (:data:`NO_LANGUAGE`) are handed back as they are.
    """
    if len(text) > _LONGEST * 3:
        return None
    if (address := _ADDRESS.fullmatch(text.strip())) is not None:
        text = address[1]
    text = text.strip(_AROUND)
    if not text or len(text) > _LONGEST:
        return None
    if (locale := _LOCALE.fullmatch(text)) is not None:
        script = _SCRIPTS.get((locale[2] or "").lower())
        head, dash, rest = locale[1].replace("_", "-").partition("-")
        tag = "-".join(filter(None, (head, script, rest)))
    else:
        tag = text.replace("_", "-")
    if _TAG.fullmatch(tag) and (made := _of_tag(tag)) is not None:
        return made
    if _OLD_TAG.fullmatch(tag) and (made := _standard(tag)) is not None:
        return made
    if text.isascii() and len(text) <= 3:
        return None
    folded = fold(text)
    return None if folded in _NOT_NAMES else _names().get(folded)


@lru_cache(maxsize=8192)
def languages(text: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The tags of all the languages a value names, and the parts of it that name none.

    A value may name several: ``en, fr``, ``English/French``, ``eng; fre``, and ``engfre`` as MARC
    21 wrote them (field 041). Codes that name no one language give neither.
    """
    whole = language(text)
    if whole is not None:
        return (() if whole in NO_LANGUAGE else (whole,)), ()
    if not text.strip():
        return (), ()
    if len(text) > _LONGEST * 10:
        return (), (text,)
    found: list[str] = []
    odd: list[str] = []
    for part in filter(None, _BETWEEN.split(text.strip())):
        named = _within(part)
        found += [tag for tag in named if tag not in NO_LANGUAGE]
        odd += [] if named else [part]
    if not found:
        return (), ((text,) if odd or not text.strip(_AROUND) else ())
    return tuple(dict.fromkeys(found)), tuple(odd)


def _within(part: str) -> list[str]:
    """The languages of what stands between two separators."""
    if (tag := language(part)) is not None:
        return [tag]
    bare = _IN_BRACKETS.sub(" ", part).strip()
    if bare != part and (tag := language(bare)) is not None:
        return [tag]
    words = part.split()
    if len(words) > 1:
        tags = [language(word) if len(word) <= 3 else None for word in words]
        return [tag for tag in tags if tag] if all(tags) else []
    words = part.split("-")
    if len(words) > 1 and all(len(word) > 3 for word in words):
        tags = [language(word) for word in words]
        return [tag for tag in tags if tag] if all(tags) else []
    if len(part) % 3 == 0 and part.isascii() and part.isalpha() and part.islower():
        chunks = [part[at : at + 3] for at in range(0, len(part), 3)]
        tags = [_iso_639(chunk) for chunk in chunks]
        # Of all three letters there are, half are some language's code: only common ones count.
        if all(tag and (len(tag) == 2 or tag in NO_LANGUAGE) for tag in tags):
            return [tag for tag in tags if tag]
    return []


def _of_tag(tag: str) -> str | None:
    """A tag with the two letters BCP 47 has for a code of three: "fre" and "fra" are "fr"."""
    head, dash, rest = tag.partition("-")
    known = _iso_639(head.lower())
    return None if known is None else _standard(known + dash + rest)


def _standard(tag: str) -> str | None:
    try:
        made = langcodes.standardize_tag(tag)
    except ValueError:
        return None
    return made if langcodes.tag_is_valid(made) else None


def _iso_639(code: str) -> str | None:
    if code in NO_LANGUAGE:
        return code
    found = pycountry.languages.get(**{f"alpha_{len(code)}": code})
    if found is None and len(code) == 3:
        found = pycountry.languages.get(bibliographic=code)
    if found is None:
        # Withdrawn codes (iw, mo, sh) are not in the register but have successors.
        made = langcodes.standardize_tag(code)
        return made if made != code else None
    three = str(found.alpha_3)
    # CLDR's code for the main language of a family: "cmn" and "arb" are "zh" and "ar".
    family = str(get_global("language_aliases").get(three, three))
    return str(getattr(found, "alpha_2", family if len(family) == 2 else three))


@lru_cache(maxsize=1)
def _names() -> dict[str, str | None]:
    names: dict[str, str | None] = {}
    for language_code in tables.LANGUAGES:
        for code, name in Locale.parse(language_code).languages.items():
            add_name(names, fold(name), code)
    for code in _OWN_NAMES.split():
        add_name(names, fold(Locale.parse(code).languages.get(code) or ""), code)
    more: dict[str, str | None] = {}
    for found in pycountry.languages:
        add_name(more, fold(found.name), getattr(found, "alpha_2", found.alpha_3))
    # CLDR's names win: the register has a second "Norwegian" and the like.
    # CLDR names some parts of languages (pt_BR) and keeps some codes that are no more (sh).
    other = {code for code in names.values() if code and ("_" in code or code == "sh")}
    tags = {code: _standard(code.replace("_", "-")) for code in other}
    tagged = {name: tags.get(code or "", code) for name, code in names.items()}
    return {**more, **{fold(name): code for name, code in _OTHER_NAMES.items()}, **tagged}
