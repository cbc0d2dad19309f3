"""The functions a crosswalk may call beside JMESPath's own.

Each is a plain function with an example that is run as a test and shown in
``docs/crosswalk-functions.md`` (``python -m mappings.functions`` writes it). What a function
does not understand it reports through :func:`issue` and answers with nothing; it never
guesses and never raises for data.
"""

from __future__ import annotations

import inspect
import json
import math
import mimetypes
import re
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, urljoin, urlsplit

from chm_hub import language_maps
from chm_hub.document import Json
from mappings import calendars, codes, dates, languages, markup, spaces, tables, vocabularies
from mappings.markup import Plain

SCHEMES = ("http", "https", "ftp", "mailto")


@dataclass(slots=True)
class Context:
    """What the functions know of the document that is being mapped."""

    source: dict[str, Any]
    tables: Mapping[str, Mapping[str, Json]]
    folded: Mapping[str, Mapping[str, Json]] = field(default_factory=dict)
    """The same by case-folded key, made once for a crosswalk."""
    issues: list[str] = field(default_factory=list)
    now: datetime | None = None
    """When the document was harvested (aware, UTC); ``None`` where nothing is judged by it."""


_CONTEXT: ContextVar[Context] = ContextVar("context")
REGISTERED: dict[str, Callable[..., Json]] = {}


def using(context: Context) -> Any:
    """Make a context the one that functions see; returns a token for :func:`done`."""
    return _CONTEXT.set(context)


def current() -> Context:
    """What is known of the document that is being mapped."""
    return _CONTEXT.get()


def done(token: Any) -> None:
    """Undo :func:`using`."""
    _CONTEXT.reset(token)


def source() -> dict[str, Any]:
    """The source's file, as expressions see it."""
    return _CONTEXT.get().source


def now() -> datetime | None:
    """When the document was harvested, where that is known."""
    return _CONTEXT.get().now


def issue(message: str) -> None:
    """Report something that was not understood, for the field being made."""
    _CONTEXT.get().issues.append(message)


def shown(value: Json) -> str:
    """A value for a message: short, in quotes."""
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return repr(text if len(text) <= 80 else text[:79] + "…")


def registered(function: Callable[..., Json]) -> Callable[..., Json]:
    """Make a function known to crosswalks under its own name."""
    REGISTERED[function.__name__] = function
    return function


def _each(value: Json, one: Callable[[Json], Json]) -> Json:
    """Apply to a value, or to each of a list; what gives nothing is left out of a list."""
    if isinstance(value, list):
        return [made for made in (one(item) for item in value) if made is not None]
    return None if value is None else one(value)


def _string(value: Json) -> str | None:
    """The string in a value: itself, a number's digits, or the ``value`` of a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        inner = value.get("value")
        return None if isinstance(inner, dict) else _string(inner)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def strings(value: Json) -> list[str]:
    """The strings in a value, or in each of a list; what is not blank."""
    found = (_string(item) for item in (value if isinstance(value, list) else [value]))
    return [text for text in found if text and text.strip()]


def _given(value: Json, kind: str) -> str | None:
    """The string in a value, if it is not blank; a value that cannot hold one is an issue."""
    said = _string(value)
    if said is not None:
        return said if said.strip() else None
    if value not in (None, [], {}) and not (isinstance(value, dict) and "value" in value):
        issue(f"not {kind}: {shown(value)}")
    return None


_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


def legal(value: str, said: Callable[[str], None]) -> str:
    """A text without the characters XML 1.0 does not allow (§2.2); tells ``said`` of it."""
    if value.isprintable() or not _ILLEGAL.search(value):
        return value
    said("illegal characters removed")
    return _ILLEGAL.sub("", value)


# --- texts -------------------------------------------------------------------------------


@registered
def text(value: Json, lang: Json = None) -> Json:
    """A text, or a list of texts, with a language.

    A value that is a text already keeps its own language.

    >>> text('Bonjour', 'fr')
    {"value": "Bonjour", "lang": "fr"}
    """

    def one(part: Json) -> Json:
        made = _given(part, "a text")
        if made is None:
            return None
        own = part.get("lang") if isinstance(part, dict) else None
        # An empty one says that the text is in no language (XML 1.0 §2.12).
        language = own or (lang if isinstance(lang, str) else own)
        return {"value": made, "lang": language} if isinstance(language, str) else {"value": made}

    return _each(value, one)


@registered
def texts(value: Json, languages: Json = None) -> Json:
    """The texts of an object of languages; with a list, only those languages.

    >>> texts(`{"en": "Forest", "fr": "Forêt"}`)
    [{"value": "Forest", "lang": "en"}, {"value": "Forêt", "lang": "fr"}]
    """
    if not isinstance(value, dict):
        made = text(value)
        return made if isinstance(made, list) or made is None else [made]
    allowed = {str(code).lower() for code in languages} if isinstance(languages, list) else None
    found: list[Json] = []
    if "value" in value:  # a text already
        return [text(value)] if _given(value, "a text") else []
    for code, content in value.items():
        if allowed and code.lower() not in allowed:
            continue
        made = text(content, code)
        found += made if isinstance(made, list) else [] if made is None else [made]
    return found


UN_LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")


@registered
def index_texts(row: Json, names: Json, languages: Json = None) -> Json:
    """The texts of a row of the CBD index: ``title_t`` and its variants ``title_EN_t``…

    The index has a variant for each of six languages, translated or not. A text under one
    language alone is in that language; a text under several is the default one, whose
    language is told only by the languages of the document that no other text is in: English if
    that is among them, else the only one.

    >>> index_texts(`{"title_t": "Forest", "title_EN_t": "Forest", "title_FR_t": "Forêt"}`, 'title')
    [{"value": "Forest", "lang": "en"}, {"value": "Forêt", "lang": "fr"}]
    """
    if not isinstance(row, dict):
        return None
    stems = [str(name) for name in (names if isinstance(names, list) else [names])]

    def value(part: str) -> str | None:
        for stem in stems:
            for kind in ("t", "s"):
                found = _string(first(row.get(f"{stem}{part}_{kind}")))
                if found and found.strip():
                    return found
        return None

    variants = {code: value(f"_{code.upper()}") for code in UN_LANGUAGES}
    given = [text for text in variants.values() if text]
    named = [
        {"value": text, "lang": code}
        for code, text in variants.items()
        if text and given.count(text) == 1
    ]
    default = value("") or next(iter(given), None)
    if default is None or any(text["value"] == default for text in named):
        return named
    known = [str(code) for code in languages] if isinstance(languages, list) else []
    left = [code for code in known if not any(text["lang"] == code for text in named)]
    lang = "en" if "en" in left else left[0] if len(left) == 1 else None
    return [{"value": default, **({"lang": lang} if lang else {})}, *named]


def _like(value: str, made: str) -> str:
    """A text made of another: if that was read already, so is this."""
    return Plain(made) if isinstance(value, Plain) else made


@registered
def plain_text(value: Json) -> Json:
    """The words of texts that are HTML by their format; a paragraph ends with a line break.

    A tag is one that HTML has. A text object that says it is plain (`type` is `text/plain`, as in
    feeds) is read as plain text, in which only what cannot be anything else is markup. The hub
    reads every text so that this function has not read: formats with plain texts need it not.
    Keeps the shape.

    >>> plain_text('<p>Forests &amp; <b>lakes</b> <1 ha</p><p>Rivers</p>')
    "Forests & lakes <1 ha\\nRivers"
    """
    if isinstance(value, dict):
        said = value.get("value")
        if isinstance(said, str):
            read = markup.from_text if value.get("type") in _PLAIN_TYPES else markup.from_html
            return {**value, "value": read(legal(said, issue), issue)}
        return {key: plain_text(part) for key, part in value.items()}
    if isinstance(value, str):
        return markup.from_html(legal(value, issue), issue)
    return _each(value, plain_text) if isinstance(value, list) else value


_PLAIN_TYPES = frozenset(("text", "text/plain"))


@registered
def verbatim(value: Json) -> Json:
    """Texts that were read already, such as the words a page shows: nothing in them is markup.

    >>> verbatim('The <p> element and &lt;')
    "The <p> element and &lt;"
    """

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            return {**part, "value": Plain(part["value"])}
        return Plain(part) if isinstance(part, str) else part

    return _each(value, one)


@registered
def shortened(value: Json, most: Json) -> Json:
    """Texts of at most so many characters, cut between words and marked with `…`.

    >>> shortened('Forests and lakes of the north', `20`)
    "Forests and lakes…"
    """
    limit = most if isinstance(most, int) and not isinstance(most, bool) and most > 1 else None
    if limit is None:
        issue(f"not a length: {shown(most)}")
        return value

    def cut(said: str) -> str:
        if len(said) <= limit:
            return said
        head = said[: limit - 1]
        if not said[limit - 1].isspace():
            # Chinese and Japanese have no spaces between words: there it is cut anywhere.
            parted = re.split(r"\s+(?=\S*$)", head, maxsplit=1)[0]
            head = parted if len(parted) > limit // 2 else head
        return head.rstrip(" \t\n.,;:،。、") + "…"

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            return {**part, "value": _like(part["value"], cut(part["value"]))}
        return _like(part, cut(part)) if isinstance(part, str) else part

    return _each(value, one)


@registered
def decode_html(value: Json) -> Json:
    """Texts with HTML's character references decoded, tags left alone.

    >>> decode_html('R&eacute;serve')
    "Réserve"
    """

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            return {**part, "value": Plain(markup.decoded(part["value"]))}
        return Plain(markup.decoded(part)) if isinstance(part, str) else part

    return _each(value, one)


@registered
def trim(value: Json) -> Json:
    """Texts without white space around them.

    >>> trim('  Kenya ')
    "Kenya"
    """

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            return {**part, "value": _like(part["value"], spaces.trimmed(part["value"]))}
        return _like(part, spaces.trimmed(part)) if isinstance(part, str) else part

    return _each(value, one)


@registered
def split(value: Json, separator: Json) -> Json:
    """The parts of a text (or of each of a list), trimmed, empty ones left out.

    >>> split('forests; lakes ;', ';')
    ["forests", "lakes"]
    """
    if not isinstance(separator, str) or not separator:
        issue(f"not a separator: {shown(separator)}")
        return None
    parts: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        whole = _string(item)
        if whole is not None:
            cut = (spaces.trimmed(part) for part in whole.split(separator))
            parts += [_like(whole, part) for part in cut if part]
    return parts


@registered
def join_field(value: Json, separator: Json) -> Json:
    """The strings of a list as one, empty ones left out.

    >>> join_field(`["Ministry", "", "Kenya"]`, ', ')
    "Ministry, Kenya"
    """
    items = value if isinstance(value, list) else [value]
    parts = [s for s in (_string(item) for item in items) if s and s.strip()]
    if not parts:
        return None
    # Read together they are read once: a part that was read already is so no second time.
    read = any(isinstance(part, Plain) for part in parts)
    parts = [markup.from_text(part, issue) for part in parts] if read else parts
    joined = str(separator).join(parts)
    return Plain(joined) if read else joined


@registered
def replace_all(value: Json, pattern: Json, replacement: Json) -> Json:
    """Texts with every match of a regular expression replaced.

    >>> replace_all('x-decision', '^x-', '')
    "decision"
    """
    try:
        compiled = _compiled(str(pattern))
        compiled.sub(str(replacement), "")
    except (re.error, IndexError) as error:
        issue(f"not a regular expression: {shown(pattern)}, {shown(replacement)}: {error}")
        return None

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            said = part["value"]
            return {**part, "value": _like(said, compiled.sub(str(replacement), said))}
        return _like(part, compiled.sub(str(replacement), part)) if isinstance(part, str) else part

    return _each(value, one)


@lru_cache(maxsize=512)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


# --- values ------------------------------------------------------------------------------


@registered
def first(value: Json) -> Json:
    """The first of a list that is something.

    >>> first(`[null, "", "a", "b"]`)
    "a"
    """
    if not isinstance(value, list):
        return value
    return next((item for item in value if item not in (None, "", [], {})), None)


@registered
def lookup(table: Json, value: Json) -> Json:
    """What a table says of a value, or of each of a list.

    The table is one of the crosswalk's ``[tables]`` or a CSV file with columns ``code`` and
    ``value``. Case does not matter. A value that is not in it is an issue.

    >>> lookup('report_types', 'B0EBAE91-9581-4BB2-9C02-52FCF9D82721')
    "nbsap"
    """
    name = str(table)
    context = _CONTEXT.get()
    exact: Mapping[str, Json]
    if name in context.tables:
        exact, folded = context.tables[name], context.folded.get(name, {})
    elif tables.has_values(name):
        exact, folded = tables.values(name), fold(name)
    else:
        issue(f"no table '{name}'")
        return None

    def one(part: Json) -> Json:
        key = _given(part, f"in table '{name}'")
        if key is None:
            return None
        found = exact.get(key)
        if found is None:
            found = folded.get(key.strip().casefold())
        if found is None:
            issue(f"no {shown(key)} in table '{name}'")
        return found

    return _each(value, one)


@registered
def lookup_known(table: Json, value: Json) -> Json:
    """What a table says of those of a list that are in it; the others are no issue.

    >>> lookup_known('report_types', `["B0EBAE91-9581-4BB2-9C02-52FCF9D82721", "poster"]`)
    ["nbsap"]
    """
    name = str(table)
    context = _CONTEXT.get()
    folded: Mapping[str, Json]
    if name in context.tables:
        folded = context.folded.get(name, {})
    elif tables.has_values(name):
        folded = fold(name)
    else:
        issue(f"no table '{name}'")
        return None
    said = [_string(item) for item in (value if isinstance(value, list) else [value])]
    found = [folded.get(key.strip().casefold()) for key in said if key]
    return [made for made in found if made is not None]


@registered
def lookup_words(table: Json, value: Json) -> Json:
    """What a table says of the first of its words that stands in a text, or in one of a list.

    For kinds of things that are told by their labels. The rows are tried in their order; a word
    stands at the beginning of a word of the text. Case does not matter; no word is no issue.

    >>> lookup_words('resource_words', `["Guidelines, manuals and toolkits"]`)
    "toolGuidance"
    """
    name = str(table)
    context = _CONTEXT.get()
    words: Mapping[str, Json]
    if name in context.tables:
        words = context.tables[name]
    elif tables.has_values(name):
        words = tables.values(name)
    else:
        issue(f"no table '{name}'")
        return None
    said = " | ".join(
        filter(None, (_string(item) for item in (value if isinstance(value, list) else [value])))
    )
    return next(
        (
            found
            for word, found in words.items()
            if re.search(rf"(?<!\w){re.escape(word)}", said, re.IGNORECASE)
        ),
        None,
    )


@registered
def grouped(table: Json, value: Json) -> Json:
    """The codes of a list by what a table says of them; what it does not have, under `unknown`.

    A row of the table whose code ends in `*` stands for all that begin so. Case does not matter;
    codes come back as the table writes them.

    >>> grouped('bioland_tags', `["gbf-target-02", "KE", "poster"]`)
    {"gbfTargets": ["GBF-TARGET-02"], "countries": ["ke"], "unknown": ["poster"]}
    """
    name = str(table)
    if not tables.has_values(name):
        issue(f"no table '{name}'")
        return None
    exact, beginnings = _codes(name)
    made: dict[str, list[Json]] = {}
    for item in value if isinstance(value, list) else [value]:
        code = (_given(item, f"in table '{name}'") or "").strip()
        if not code:
            continue
        kind, known = exact.get(code.casefold(), (None, code))
        if kind is None:
            begins = (k for k in beginnings if code.casefold().startswith(k))
            kind = beginnings.get(max(begins, key=len, default=""), "unknown")
        if known not in made.setdefault(kind, []):
            made[kind].append(known)
    return made


@cache
def _codes(name: str) -> tuple[dict[str, tuple[str | None, str]], dict[str, str]]:
    """A table's codes with what it says of them, by case-folded code; and those that end in *."""
    exact: dict[str, tuple[str | None, str]] = {}
    beginnings: dict[str, str] = {}
    for code, kind in tables.values(name).items():
        if code.endswith("*"):
            beginnings[code[:-1].casefold()] = kind
        else:
            exact[code.casefold()] = (kind, code)
    return exact, beginnings


@cache
def fold(name: str) -> dict[str, Json]:
    """A table of the CSV files by case-folded key."""
    return {key.strip().casefold(): value for key, value in tables.values(name).items()}


@registered
def date(value: Json) -> Json:
    """A date as precise as it was given (W3CDTF), or each of a list.

    Understands W3CDTF, the dates of mail and feeds, dates in words and dates in numbers, also
    seconds since 1970, and what librarians write (`c1999`, `[2004?]`). A period gives its
    beginning, a season its year. Year 1 and times of day before 1900 are how databases write
    nothing. A time of day without a time zone names no moment and is left out. A date such as
    03/04/2024, which is two different days, is an issue; so are a decade (`198?`) and a year of
    a calendar that has no Gregorian date.

    >>> date('Tue, 05 Mar 2024 08:15:00 +0000')
    "2024-03-05T08:15:00Z"
    """
    return _each(value, _one_date)


def _one_date(part: Json) -> Json:
    try:
        calendar = calendars.of(_CONTEXT.get().source)
        if isinstance(part, int | float) and not isinstance(part, bool):
            return dates.from_number(part, calendar)
        given = _given(part, "a date")
        return dates.w3cdtf(given, calendar) if given else None
    except dates.NotADate as error:
        issue(f"{error.reason}: {shown(part)}")
        return None


def parse_date(given: str) -> str | None:
    """The date in a text (W3CDTF); empty for a placeholder, ``None`` if there is none."""
    try:
        return dates.w3cdtf(given) or ""
    except dates.NotADate:
        return None


@registered
def period(start: Json, end: Json) -> Json:
    """A time span; nothing if it has neither beginning nor end.

    >>> period('2021', '2030-12-31')
    {"start": "2021", "end": "2030-12-31"}
    """
    made = {"start": date(first(start)), "end": date(first(end))}
    return {k: v for k, v in made.items() if v} or None


@registered
def absolute_url(value: Json, base: Json = None) -> Json:
    """Web addresses made absolute against a base, which is the source's address if not given.

    >>> absolute_url('/doc/a b.pdf', 'https://www.cbd.int/x')
    "https://www.cbd.int/doc/a%20b.pdf"
    """
    against = _string(base) or str(_CONTEXT.get().source.get("url") or "")

    def one(part: Json) -> Json:
        given = _given(part, "a web address")
        if given is None:
            return None
        made = web_address(given.strip(), against)
        if made is None:
            issue(f"not a web address: {shown(given)}")
        return made

    return _each(value, one)


_AMPERSAND = re.compile(r"&(?:amp|#0*38|#[xX]0*26);")
_UNSAFE = re.compile(r"[\s<>\"\x00-\x20\x7f]")


def without_references(address: str) -> str:
    """An address as it is asked for: ``&amp;`` in it was written for a page, or twice for XML."""
    return _AMPERSAND.sub("&", address) if "&" in address else address


_NO_HOST = re.compile(r"(?:https?|ftp):(?!//)", re.IGNORECASE)
_ORIGIN = re.compile(r"(?:https?|ftp)://(?![^/?#]*@)[^/?#]*", re.IGNORECASE)


@lru_cache(maxsize=8192)
def web_address(given: str, against: str) -> str | None:
    """An absolute address, or ``None``. Letters of all scripts stay, as IRIs have them.

    Scheme and host are in small letters (RFC 3986 §6.2.2.1). ``http:/page`` names no host; a
    source's own host is not put in its place (§5.4.2).
    """
    given = without_references(spaces.address(given))
    if given[:4].lower() == "www.":  # what people write where they mean a host
        given = f"http://{given}"
    if _NO_HOST.match(given):
        return None
    given = _ORIGIN.sub(lambda found: found[0].lower(), given, count=1)
    try:
        made = urljoin(against, given)
        parts = urlsplit(made)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in SCHEMES or (not host and parts.scheme != "mailto"):
        return None
    if parts.scheme == "mailto" and "@" not in parts.path:
        return None
    return _UNSAFE.sub(lambda match: quote(match[0], safe=""), made)


@registered
def language_code(value: Json) -> Json:
    """The language tag (BCP 47, with the shortest code) of a tag, an ISO 639 code, or a name; a
    list of them where the text names several (`en, fr`, `English/French`, MARC's `engfre`).

    Names are understood in the six UN languages and in the language itself. What names no one
    language (`und`, `zxx`, `mul`, `mis`) gives nothing.

    >>> language_code(`["eng", "French", "español", "pt_BR", "ara; rus"]`)
    ["en", "fr", "es", "pt-BR", "ar", "ru"]
    """

    def one(part: Json) -> Json:
        given = _given(part, "a language")
        if given is None:
            return None
        found, odd = languages.languages(given)
        for said in odd:
            issue(f"{languages.ODD}: {shown(said)}")
        return list(found) if len(found) > 1 else found[0] if found else None

    made = _each(value, one)
    if isinstance(value, list) and any(isinstance(part, list) for part in made):
        return [tag for part in made for tag in (part if isinstance(part, list) else [part])]
    return made


@registered
def country_code(value: Json) -> Json:
    """ISO 3166-1 alpha-2 of a country's code or of its name in one of six UN languages.

    >>> country_code(`["ke", "BRA", "Côte d'Ivoire", "中国"]`)
    ["KE", "BR", "CI", "CN"]
    """

    def one(part: Json) -> Json:
        given = _given(part, "a country")
        made = codes.country(given) if given else None
        if given and made is None:
            issue(f"not a country: {shown(given)}")
        return made

    return _each(value, one)


@registered
def concepts(scheme: Json, value: Json) -> Json:
    """Terms of a vocabulary by their codes, in any case, or by whatever ``concepts_named`` knows
    them by. One that is not in it is an issue, and is kept under its code.

    >>> concepts('GBF-GOALS', 'GBF-GOAL-A')[0].code
    "GBF-GOAL-A"
    """
    if not isinstance(scheme, str) or scheme not in tables.SCHEMES:
        issue(f"no vocabulary {shown(scheme)}")
        return None
    known = tables.concepts(scheme)
    made: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, dict) and "identifier" in item:
            item = item["identifier"]
        code = (_given(item, f"in {scheme}") or "").strip()
        if not code:
            continue
        row = known.get(code.casefold())
        if row is None and (found := vocabularies.find(code, (scheme,))):
            row = known[found[1].casefold()]
        if row is None:
            issue(f"no {shown(code)} in {scheme}")
            made.append({"label": code, "code": code, "scheme": scheme})
        else:
            made.append(_concept(scheme, row))
    return made


def _concept(scheme: str, row: Mapping[str, str]) -> dict[str, Json]:
    lang = next((lang for lang in tables.LANGUAGES if row[f"label_{lang}"]), None)
    label = {"label": row[f"label_{lang}"], "lang": lang} if lang else {"label": row["code"]}
    made: dict[str, Json] = {**label, "code": row["code"]}
    uri = vocabularies.public_address(vocabularies.of_scheme(scheme), row)
    return {**made, "scheme": scheme, **({"uri": uri} if uri else {})}


@registered
def concepts_named(schemes: Json, value: Json) -> Json:
    """Terms of some vocabularies by what a source calls them: their code in any case, an
    address of theirs, or their label in one of six languages, with or without its number.

    What none of the vocabularies has is an issue, and is kept as a word.

    >>> concepts_named(`["GBF-TARGETS", "SDG"]`, `["Target 3", "Faim « zéro »"]`)[].code
    ["GBF-TARGET-03", "SDG-GOAL-02"]
    """
    asked = tuple(str(name) for name in (schemes if isinstance(schemes, list) else [schemes]))
    if unknown := [name for name in asked if name not in tables.SCHEMES]:
        issue(f"no vocabulary {shown(unknown[0])}")
        return None
    made: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        said = (_given(item, "a term") or "").strip()
        if not said:
            continue
        found = vocabularies.find(said, asked)
        if found is None:
            issue(f"no {shown(said)} in {', '.join(asked)}")
            made.append({"label": said})
        else:
            scheme, code = found
            made.append(_concept(scheme, tables.concepts(scheme)[code.casefold()]))
    return made


@registered
def links(value: Json, base: Json = None) -> Json:
    """Files and pages (strings, or objects with ``url``, ``name``, ``language``) as
    distributions; the media type is told by the ending.

    >>> links(`[{"url": "https://example.org/a.pdf", "name": "Report", "language": "en"}]`)
    [{"url": "https://example.org/a.pdf", "title": "Report", "media_type": "application/pdf", "language": "en"}]
    """  # noqa: E501
    made: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        link = parse_json(item) if isinstance(item, str) and item.startswith("{") else item
        if isinstance(link, str):
            link = {"url": link}
        if not isinstance(link, dict):
            if link is not None:
                issue(f"not a link: {shown(link)}")
            continue
        url = absolute_url(link.get("url") or link.get("href"), base)
        if not isinstance(url, str):
            continue
        entry: dict[str, Json] = {"url": url}
        if title := _string(link.get("title") or link.get("name")):
            entry["title"] = title
        kind = _media_type(url) or link.get("media_type") or link.get("type")
        if isinstance(kind, str) and _MEDIA_TYPE.fullmatch(kind):
            entry["media_type"] = kind
        tag = link.get("language") or link.get("tag")
        if isinstance(tag, str) and isinstance(code := language_code(tag), str):
            entry["language"] = code
        size = link.get("byte_size") or link.get("size") or link.get("length")
        if isinstance(size, int | float | str) and (digits := _SIZE.fullmatch(str(size).strip())):
            entry["byte_size"] = int(digits[1])
        elif size and not _NO_SIZE.fullmatch(str(size).strip()):
            issue(f"not a size in bytes: {shown(size)}")
        made.append(entry)
    return made


_MEDIA_TYPE = re.compile(r"[a-z]+/[A-Za-z0-9.+_-]+(\s*;.*)?")
_SIZE = re.compile(r"([1-9][0-9]{0,17})(?:\.0*)?", re.ASCII)
_NO_SIZE = re.compile(r"|-?[01](?:\.0*)?", re.ASCII)
"""How sources write that they do not know a size."""
# The system's own list of types differs between machines; this one does not.
_TYPES = mimetypes.MimeTypes(filenames=())
for _ending, _kind in {
    ".csv": "text/csv",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".geojson": "application/geo+json",
    ".gpkg": "application/geopackage+sqlite3",
    ".jsonld": "application/ld+json",
    ".kml": "application/vnd.google-earth.kml+xml",
    ".kmz": "application/vnd.google-earth.kmz",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rdf": "application/rdf+xml",
    ".rtf": "application/rtf",
    ".ttl": "text/turtle",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".zip": "application/zip",
}.items():
    _TYPES.add_type(_kind, _ending)


def _media_type(url: str) -> str | None:
    try:
        path = urlsplit(url).path
    except ValueError:
        return None
    return _TYPES.guess_type(path)[0]


@registered
def parse_json(value: Json) -> Json:
    """The value of a JSON text; what is no string passes as it is.

    >>> parse_json('{"identifier": "ca"}').identifier
    "ca"
    """

    def one(part: Json) -> Json:
        if not isinstance(part, str):
            return part
        try:
            return json.loads(part)
        except (ValueError, RecursionError):
            issue(f"not JSON: {shown(part)}")
            return None

    return _each(value, one)


_AT_REVISION = re.compile(r"@\d+$")


@registered
def reference(value: Json) -> Json:
    """The identifier in a reference, without the revision.

    >>> reference(`{"identifier": "C84C7E6C@3"}`)
    "C84C7E6C"
    """

    def one(part: Json) -> Json:
        if isinstance(part, dict):
            part = part.get("identifier")
        given = _given(part, "a reference")
        return _AT_REVISION.sub("", given) if given else None

    return _each(value, one)


_CBD_DECISION = re.compile(
    r"(?:UNEP/)?(?:CBD/)?(?:(COP|CP|BS|NP)(?:/?(?:COP-)?MOP)?[-/])?(?:DEC/)?"
    r"([0-9]{1,2}|[IVX]{1,6})/([0-9]{1,3})"
)
"""Decisions under the Convention and its Protocols, as its pages and others' cite them."""
_BODIES = {"COP": "cbd", "CP": "cartagena", "BS": "cartagena", "NP": "nagoya"}
_BODY_OF = {"cbd": "COP", "cartagena": "CP", "nagoya": "NP"}
_ROMAN = {"I": 1, "V": 5, "X": 10}


@registered
def decision_key(treaty: Json, number: Json) -> Json:
    """A key that a decision has wherever it comes from: its treaty and its number.

    InforMEA and the Secretariat give the same decision identifiers of their own. Decisions under
    the Convention and its Protocols are cited in several ways (`XV/4`, `COP/15/4`,
    `CBD/COP/DEC/15/4`, `NP-1/13` under `cbd`); each gives one key.

    >>> decision_key('cbd', 'XV/4')
    "informea:decision:cbd/COP/15/4"
    """
    body, said = _string(first(treaty)), _string(first(number))
    if not body or not said or not body.strip() or not said.strip():
        return None
    body = body.strip().lower()
    cited = re.sub(r"\s+", "", re.sub(r"(?i)^\s*decision\s", "", said)).upper()
    found = _CBD_DECISION.fullmatch(cited) if body in _BODY_OF else None
    if found is None:
        return f"informea:decision:{body}/{cited}"
    organ = found[1] or _BODY_OF[body]
    body = _BODIES[organ]
    session = int(found[2]) if found[2].isdecimal() else _roman(found[2])
    return f"informea:decision:{body}/{_BODY_OF[body]}/{session}/{int(found[3])}"


def _roman(numeral: str) -> int:
    values = [_ROMAN[letter] for letter in numeral]
    return sum(
        -value if value < max(values[place:]) else value for place, value in enumerate(values)
    )


@registered
def dois(value: Json) -> Json:
    """The DOIs in a text, an address or a list of them, without what stands before ``10.``.

    >>> dois('Survey of reefs (2021) https://dx.doi.org/10.14284/519.')
    ["10.14284/519"]
    """
    items = value if isinstance(value, list) else [value]
    found = [doi for item in items for doi in _DOI.findall(_string(item) or "")]
    return list(dict.fromkeys(doi.rstrip(".,;:)]}'\"") for doi in found))


_DOI = re.compile(r"(?<![\w.])10\.\d{4,9}/[^\s\"<>?#]+")


_GROUPED = re.compile(r"(?<=[0-9])[ \xa0\u2007\u2009\u202f](?=[0-9]{3}(?![0-9]))")
"""Spaces between groups of three digits."""


@registered
def number(value: Json) -> Json:
    """A number from its digits.

    >>> number('42.5')
    42.5
    """
    given = _given(first(value), "a number")
    if given is None:
        return None
    try:
        made = float(_GROUPED.sub("", given))
    except (ValueError, OverflowError):
        made = math.nan
    if not math.isfinite(made):
        issue(f"not a number: {shown(given)}")
        return None
    return made


@registered
def in_languages(value: Json, lang: Json = None) -> Json:
    """The texts in a value of JSON that may be one text, a map of languages, a list of JSON-LD's
    `{"@value", "@language"}`, or a JSON text of these; a text without a language is in `lang`.

    >>> in_languages(`{"en": "Forest", "fr": ["Forêt"], "ar": ""}`)
    [{"value": "Forest", "lang": "en"}, {"value": "Forêt", "lang": "fr"}]
    """
    found = language_maps.texts_of(value)
    if not found and value not in (None, "", [], {}) and not isinstance(value, str):
        if not language_maps.is_map(value):
            issue(f"not a text: {shown(value)}")
        return []
    return text(found, lang)


@registered
def in_one_language(value: Json) -> Json:
    """The one text of a value as `in_languages` reads it, where there is room for one: the text in
    the source's first language, else in English, else in no language, else the first.

    >>> in_one_language(`{"it": "Ministero", "en": "Ministry"}`)
    {"value": "Ministry", "lang": "en"}
    """
    found = in_languages(value)
    texts_found = found if isinstance(found, list) else []
    wanted = [*(_CONTEXT.get().source.get("languages") or [])[:1], "en", ""]
    for lang in wanted:
        for one in texts_found:
            if str(one.get("lang", "")).lower().partition("-")[0] == str(lang).lower():
                return one
    return first(texts_found)


def example(function: Callable[..., Json]) -> tuple[str, str]:
    """A function's example: the expression, and its value as JSON."""
    lines = inspect.getdoc(function) or ""
    matched = re.search(r">>> (.+)\n(.+)", lines)
    assert matched is not None, f"{function.__name__} has no example"
    return matched[1], matched[2]


def document() -> str:
    """The text of ``docs/crosswalk-functions.md``."""
    parts = [
        "# Functions of crosswalks\n\n"
        "Beside [JMESPath's own](https://jmespath.org/specification.html#built-in-functions). "
        "`python -m mappings.functions` writes this page.\n"
    ]
    for name, function in sorted(REGISTERED.items()):
        arguments = ", ".join(
            f"{p.name}?" if p.default is not p.empty else p.name
            for p in inspect.signature(function).parameters.values()
        )
        said = (inspect.getdoc(function) or "").partition(">>>")[0].strip()
        expression, value = example(function)
        parts.append(f"## {name}({arguments})\n\n{said}\n\n```\n{expression}\n→ {value}\n```\n")
    return "\n".join(parts)


if __name__ == "__main__":
    import importlib
    from pathlib import Path

    # The engine loads the modules that hold the other functions.
    importlib.import_module("mappings.crosswalk")
    page: str = importlib.import_module("mappings.functions").document()
    target = Path(__file__).parent.parent / "docs" / "crosswalk-functions.md"
    target.write_text(page, "utf-8")
