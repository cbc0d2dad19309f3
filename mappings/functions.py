"""The functions a crosswalk may call beside JMESPath's own.

Each is a plain function with an example that is run as a test and shown in
``docs/crosswalk-functions.md`` (``python -m mappings.functions`` writes it). What a function
does not understand it reports through :func:`issue` and answers with nothing; it never
guesses and never raises for data.
"""

from __future__ import annotations

import html
import inspect
import json
import mimetypes
import re
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

import dateutil.parser
import langcodes
import nh3
import pycountry

from chm_hub.document import Json
from mappings import tables

SCHEMES = ("http", "https", "ftp", "mailto")


@dataclass(slots=True)
class Context:
    """What the functions know of the document that is being mapped."""

    source: dict[str, Any]
    tables: dict[str, dict[str, Json]]
    issues: list[str] = field(default_factory=list)


_CONTEXT: ContextVar[Context] = ContextVar("context")
REGISTERED: dict[str, Callable[..., Json]] = {}


def using(context: Context) -> Any:
    """Make a context the one that functions see; returns a token for :func:`done`."""
    return _CONTEXT.set(context)


def done(token: Any) -> None:
    """Undo :func:`using`."""
    _CONTEXT.reset(token)


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
        return _string(value.get("value"))
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


# --- texts -------------------------------------------------------------------------------


@registered
def text(value: Json, lang: Json = None) -> Json:
    """A text, or a list of texts, with a language.

    A value that is a text already keeps its own language.

    >>> text('Bonjour', 'fr')
    {"value": "Bonjour", "lang": "fr"}
    """

    def one(part: Json) -> Json:
        if isinstance(part, dict):
            made = _string(part)
            language = part.get("lang") or lang
        else:
            made, language = _string(part), lang
        if made is None or not made.strip():
            return None
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
    language is told only by the languages of the document: English if that is among them,
    else the only one.

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
    lang = "en" if "en" in known else known[0] if len(known) == 1 else None
    if lang is not None and any(text["lang"] == lang for text in named):
        lang = None
    return [{"value": default, **({"lang": lang} if lang else {})}, *named]


_BLOCK = re.compile(r"<\s*(?:br|/p|/div|/li|/h[1-6]|/tr|/table|/ul|/ol|/blockquote)\b[^>]*>", re.I)
_MARKUP = re.compile(r"<[A-Za-z/!?]|&(?:[A-Za-z]+|#\d+|#x[0-9A-Fa-f]+);")


@lru_cache(maxsize=4096)
def _without_markup(value: str) -> str:
    if not _MARKUP.search(value):
        return value
    broken = _BLOCK.sub("\n", value)
    bare = html.unescape(nh3.clean(broken, tags=set(), clean_content_tags={"script", "style"}))
    lines = (" ".join(line.split()) for line in bare.replace("\xa0", " ").splitlines())
    return "\n".join(line for line in lines if line)


@registered
def plain_text(value: Json) -> Json:
    """Texts without HTML; the end of a paragraph becomes a line break. Keeps the shape.

    >>> plain_text('<p>Forests &amp; <b>lakes</b></p><p>Rivers</p>')
    "Forests & lakes\\nRivers"
    """
    if isinstance(value, dict):
        if isinstance(value.get("value"), str):
            return {**value, "value": _without_markup(value["value"])}
        return {key: plain_text(part) for key, part in value.items()}
    if isinstance(value, str):
        return _without_markup(value)
    return _each(value, plain_text) if isinstance(value, list) else value


@registered
def decode_html(value: Json) -> Json:
    """Texts with HTML's character references decoded, tags left alone.

    >>> decode_html('R&eacute;serve')
    "Réserve"
    """
    return _each(value, lambda part: html.unescape(part) if isinstance(part, str) else part)


@registered
def trim(value: Json) -> Json:
    """Texts without white space around them.

    >>> trim('  Kenya ')
    "Kenya"
    """

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            return {**part, "value": part["value"].strip()}
        return part.strip() if isinstance(part, str) else part

    return _each(value, one)


@registered
def split(value: Json, separator: Json) -> Json:
    """The parts of a text (or of each of a list), trimmed, empty ones left out.

    >>> split('forests; lakes ;', ';')
    ["forests", "lakes"]
    """
    parts: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        whole = _string(item)
        if whole is not None:
            parts += [part.strip() for part in whole.split(str(separator)) if part.strip()]
    return parts


@registered
def join_field(value: Json, separator: Json) -> Json:
    """The strings of a list as one, empty ones left out.

    >>> join_field(`["Ministry", "", "Kenya"]`, ', ')
    "Ministry, Kenya"
    """
    items = value if isinstance(value, list) else [value]
    parts = [s for s in (_string(item) for item in items) if s and s.strip()]
    return str(separator).join(parts) if parts else None


@registered
def replace_all(value: Json, pattern: Json, replacement: Json) -> Json:
    """Texts with every match of a regular expression replaced.

    >>> replace_all('x-decision', '^x-', '')
    "decision"
    """
    compiled = _compiled(str(pattern))

    def one(part: Json) -> Json:
        if isinstance(part, dict) and isinstance(part.get("value"), str):
            return {**part, "value": compiled.sub(str(replacement), part["value"])}
        return compiled.sub(str(replacement), part) if isinstance(part, str) else part

    return _each(value, one)


@cache
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
    own = _CONTEXT.get().tables.get(name)
    exact = own if own is not None else tables.values(name)
    folded = _folded(name) if own is None else {k.casefold(): v for k, v in own.items()}

    def one(part: Json) -> Json:
        key = _string(part)
        if key is None or not key.strip():
            return None
        found = exact.get(key)
        if found is None:
            found = folded.get(key.strip().casefold())
        if found is None:
            issue(f"no {shown(key)} in table '{name}'")
        return found

    return _each(value, one)


@cache
def _folded(name: str) -> dict[str, str]:
    return {key.casefold(): value for key, value in tables.values(name).items()}


_ISO = re.compile(
    r"(\d{4})(?:-(\d{1,2})(?:-(\d{1,2})(?:[T ](\d{2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)\s*"
    r"(Z|[+-]\d{2}:?\d{2})?)?)?)?"
)
_AMBIGUOUS = re.compile(r"\d{1,2}[./-]\d{1,2}[./-]\d{2,4}")
_NOTHING_BEFORE = 1000
_EMPTY_BEFORE = 1900


@registered
def date(value: Json) -> Json:
    """A date as precise as it was given (W3CDTF), or each of a list.

    Understands W3CDTF, the dates of mail and feeds, and dates in words. ``0001-01-01`` and
    times of day before 1900 are how databases write nothing. A date such as 03/04/2024, which
    is two different days, is an issue.

    >>> date('Tue, 05 Mar 2024 08:15:00 +0000')
    "2024-03-05T08:15:00Z"
    """
    return _each(value, _one_date)


def _one_date(part: Json) -> Json:
    given = _string(part)
    if given is None or not given.strip():
        return None
    made = parse_date(given.strip())
    if made is None:
        issue(f"not a date: {shown(given)}")
    return made or None


@lru_cache(maxsize=8192)
def parse_date(given: str) -> str | None:
    """The date in a text (W3CDTF); empty for a placeholder, ``None`` if there is none."""
    matched = _ISO.fullmatch(given)
    if matched:
        return _iso_date(*matched.groups())
    if _AMBIGUOUS.fullmatch(given):
        one, two = (int(n) for n in re.split(r"[./-]", given)[:2])
        year = re.split(r"[./-]", given)[2]
        if len(year) == 4 and max(one, two) <= 31 and (max(one, two) > 12 or one == two):
            day, month = (one, two) if one > 12 else (two, one)
            return _iso_date(year, str(month), str(day), None, None)
        return None
    try:
        moment = parsedate_to_datetime(given)
        return _utc(moment, has_time=True)
    except (ValueError, TypeError, IndexError):
        pass
    if not re.search(r"\d{4}", given) or len(given) > 60:
        return None
    try:
        # Parsed twice over different days: what differs was not in the text.
        a = dateutil.parser.parse(given, default=datetime(2001, 1, 1))
        b = dateutil.parser.parse(given, default=datetime(2003, 2, 2))
    except (ValueError, OverflowError, TypeError):
        return None
    if a.year != b.year:
        return None
    if a.month != b.month:
        return f"{a.year:04d}"
    if a.day != b.day:
        return f"{a.year:04d}-{a.month:02d}"
    return _utc(a, has_time=bool(re.search(r"\d:\d", given)))


def _iso_date(
    year: str, month: str | None, day: str | None, time: str | None, zone: str | None
) -> str | None:
    if int(year) < _NOTHING_BEFORE or (time and int(year) < _EMPTY_BEFORE):
        return ""
    if month is None:
        return year
    if not 1 <= int(month) <= 12:
        return None
    if day is None:
        return f"{year}-{int(month):02d}"
    plain = f"{year}-{int(month):02d}-{int(day):02d}"
    try:
        datetime.fromisoformat(plain)
    except ValueError:
        return None
    if time is None:
        return plain
    time = time.replace(",", ".")
    offset = zone or "Z"
    if offset != "Z" and ":" not in offset:
        offset = f"{offset[:3]}:{offset[3:]}"
    try:
        datetime.fromisoformat(f"{plain}T{time.partition('.')[0]}{offset}")
    except ValueError:
        return None
    return f"{plain}T{time}{offset}"


def _utc(moment: datetime, *, has_time: bool) -> str:
    if moment.year < _EMPTY_BEFORE:
        return ""
    if not has_time:
        return f"{moment:%Y-%m-%d}"
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


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
    against = str(base or _CONTEXT.get().source.get("url") or "")

    def one(part: Json) -> Json:
        given = _string(part)
        if given is None or not given.strip():
            return None
        try:
            made = urljoin(against, given.strip())
            scheme = urlsplit(made).scheme
        except ValueError:
            scheme = made = ""
        if scheme not in SCHEMES:
            issue(f"not a web address: {shown(given)}")
            return None
        return "".join(f"%{ord(c):02X}" if c in ' <>"\t\r\n' else c for c in made)

    return _each(value, one)


@registered
def language_code(value: Json) -> Json:
    """The language tag (BCP 47) of a code or of a name in English.

    >>> language_code(`["eng", "French", "pt_BR"]`)
    ["en", "fr", "pt-BR"]
    """

    def one(part: Json) -> Json:
        given = _string(part)
        if given is None or not given.strip():
            return None
        made = _language(given.strip())
        if made is None:
            issue(f"not a language: {shown(given)}")
        return made

    return _each(value, one)


@lru_cache(maxsize=2048)
def _language(given: str) -> str | None:
    if re.fullmatch(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]{2,8})*", given):
        try:
            tag = langcodes.Language.get(given.replace("_", "-"))
        except ValueError:
            return None
        known = pycountry.languages.get(
            **{"alpha_2" if len(tag.language or "") == 2 else "alpha_3": tag.language or ""}
        )
        return tag.to_tag() if known is not None else None
    try:
        found = pycountry.languages.lookup(given)
    except LookupError:
        return None
    code = getattr(found, "alpha_2", None) or found.alpha_3
    return str(code)


@registered
def country_code(value: Json) -> Json:
    """ISO 3166-1 alpha-2 of a country's code or of its name in one of six UN languages.

    >>> country_code(`["ke", "BRA", "Côte d'Ivoire", "中国"]`)
    ["KE", "BR", "CI", "CN"]
    """

    def one(part: Json) -> Json:
        given = _string(part)
        if given is None or not given.strip():
            return None
        made = _country(given.strip())
        if made is None:
            issue(f"not a country: {shown(given)}")
        return made

    return _each(value, one)


@registered
def countries_in(value: Json) -> Json:
    """Those of a list of texts that are countries, as codes; the others are no issue.

    >>> countries_in(`["Kenya", "Lake Victoria"]`)
    ["KE"]
    """
    items = value if isinstance(value, list) else [value]
    found = [_country((_string(item) or "").strip()) for item in items]
    return [code for code in found if code]


@registered
def not_countries(value: Json) -> Json:
    """Those of a list of texts that are no countries.

    >>> not_countries(`["Kenya", "Lake Victoria"]`)
    ["Lake Victoria"]
    """
    items = value if isinstance(value, list) else [value]
    return [i for i in items if (_string(i) or "").strip() and not _country(_string(i) or "")]


@lru_cache(maxsize=8192)
def _country(given: str) -> str | None:
    given = given.strip()
    if not given or len(given) > 80:
        return None
    known = tables.countries().get(given.casefold())
    if known is not None:
        return known
    try:
        return str(pycountry.countries.lookup(given).alpha_2)
    except LookupError:
        return None


@registered
def concepts(scheme: Json, codes: Json) -> Json:
    """Terms of a vocabulary by their codes. One that is not in it is an issue, and is kept
    under its code.

    >>> concepts('GBF-GOALS', 'GBF-GOAL-A')[0].code
    "GBF-GOAL-A"
    """
    known = tables.concepts(str(scheme))
    made: list[Json] = []
    for item in codes if isinstance(codes, list) else [codes]:
        if isinstance(item, dict) and "identifier" in item:
            item = item["identifier"]
        code = (_string(item) or "").strip()
        if not code:
            continue
        row = known.get(code.casefold())
        if row is None:
            issue(f"no {shown(code)} in {scheme}")
            made.append({"label": code, "code": code, "scheme": str(scheme)})
        else:
            made.append(
                {"label": row["label_en"], "lang": "en", "code": row["code"], "scheme": str(scheme)}
            )
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
            continue
        url = absolute_url(link.get("url") or link.get("href"), base)
        if not isinstance(url, str):
            continue
        entry: dict[str, Json] = {"url": url}
        if title := _string(link.get("title") or link.get("name")):
            entry["title"] = title
        kind = mimetypes.guess_type(urlsplit(url).path)[0] or link.get("type")
        if isinstance(kind, str) and "/" in kind:
            entry["media_type"] = kind
        tag = link.get("language") or link.get("tag")
        if isinstance(tag, str) and (code := _language(tag)):
            entry["language"] = code
        size = link.get("size") or link.get("length")
        if isinstance(size, int | str) and str(size).isdigit():
            entry["byte_size"] = int(size)
        made.append(entry)
    return made


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
        given = _string(part)
        return _AT_REVISION.sub("", given) if given and given.strip() else None

    return _each(value, one)


@registered
def bbox(lat: Json, lng: Json) -> Json:
    """A bounding box around one point.

    >>> bbox(`-1.29`, `36.82`)
    [36.82, -1.29, 36.82, -1.29]
    """
    try:
        y, x = float(lat), float(lng)
    except (TypeError, ValueError):
        return None
    if not (-90 <= y <= 90 and -180 <= x <= 180):
        issue(f"not a place on Earth: {shown([lat, lng])}")
        return None
    return [x, y, x, y]


@registered
def number(value: Json) -> Json:
    """A number from its digits.

    >>> number('42.5')
    42.5
    """
    given = _string(first(value))
    if given is None or not given.strip():
        return None
    try:
        return float(given)
    except ValueError:
        issue(f"not a number: {shown(given)}")
        return None


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
    from pathlib import Path

    target = Path(__file__).parent.parent / "docs" / "crosswalk-functions.md"
    target.write_text(document(), "utf-8")
