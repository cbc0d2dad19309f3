"""Titles and names of MODS 3, which come in parts (https://www.loc.gov/standards/mods/)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from chm_hub.document import Json
from mappings import markup
from mappings.functions import registered, strings
from mappings.roles import part_played

_UNWANTED = frozenset({"uniform", "abbreviated"})
"""Titles that librarians file under and that stand on no title page (guide, titleInfo@type)."""
_NO_SPACE_AFTER = ("'", "’", "ʼ", "-", "‐")  # noqa: RUF001


@registered
def mods_titles(value: Json) -> Json:
    """The titles of `titleInfo` elements, each whole: article, title, subtitle, part.

    The title of the resource comes first, then its translated and alternative titles, each in
    its own language. Uniform and abbreviated titles count only if there is no other.

    >>> mods_titles(`[{"nonSort": [{"value": "The "}], "title": [{"value": "fish"}], "subTitle": [{"value": "a survey"}]}]`)
    [{"value": "The fish: a survey"}]
    """  # noqa: E501
    given = [info for info in _items(value) if isinstance(info, dict)]
    wanted = [info for info in given if info.get("@type") not in _UNWANTED] or given[:1]
    wanted.sort(key=lambda info: (bool(info.get("@type")), info.get("@usage") != "primary"))
    made: list[Json] = []
    for info in wanted:
        title = markup.without_end(_whole_title(info), " \t\r\n/:;,=")
        if not title:
            continue
        # The language that the title says, be it that it is in none, comes before that around it.
        said = next((part for part in _items(info.get("title")) if isinstance(part, dict)), info)
        lang = info.get("@lang") or said.get("lang")
        made.append({"value": title, "lang": lang} if lang else {"value": title})
    return made


def _whole_title(info: dict[str, Json]) -> str:
    title = " ".join(strings(info.get("title"))).strip()
    article = "".join(strings(info.get("nonSort")))
    if article.strip():
        article = article.strip()
        title = article + title if article.endswith(_NO_SPACE_AFTER) else f"{article} {title}"
    subtitle = " ".join(text.strip() for text in strings(info.get("subTitle")))
    if subtitle:
        # The last title's own punctuation stays: "What is a lake?"
        title = f"{_bare(title)}: {subtitle}" if title[-1:] not in "?!" else f"{title} {subtitle}"
    numbered = [text.strip() for text in strings(info.get("partNumber"))]
    named = [text.strip() for text in strings(info.get("partName"))]
    if part := ", ".join([*numbered, *named]):
        title = f"{_bare(title)}. {part}" if title else part
    return title.strip()


def _bare(text: str) -> str:
    """A text without the ISBD punctuation at its end, which says that something follows."""
    return markup.without_end(text, " \t\r\n:;,./=")


@registered
def mods_names(value: Json, part: Json) -> Json:
    """The names of `name` elements that play a part (see `part_played`), as agents.

    A name is its untyped parts, or `family, given`; dates are left out. A name without a role
    is a creator's.

    >>> mods_names(`[{"namePart": [{"@type": "given", "value": "Ann"}, {"@type": "family", "value": "Otieno"}]}]`, 'creator')
    [{"name": "Otieno, Ann"}]
    """  # noqa: E501
    made: list[Json] = []
    for name in _items(value):
        if not isinstance(name, dict) or part_played(list(_roles(name)), "creator") != part:
            continue
        # Records made from MARC 21 keep its commas.
        said = markup.without_end(_whole_name(name) or "", " \t\r\n,;:")
        if said:
            uri = _address_of(name)
            made.append({"name": said, "uri": uri} if uri else {"name": said})
    return made


def _roles(name: dict[str, Json]) -> Iterator[str]:
    for role in _items(name.get("role")):
        terms = role.get("roleTerm") if isinstance(role, dict) else role
        for term in _items(terms):
            said = strings(term)
            if said:
                yield from said
            elif isinstance(term, dict) and isinstance(term.get("@valueURI"), str):
                yield str(term["@valueURI"])
        if isinstance(role, dict) and not terms:
            yield from strings(role)  # MODS 2: a role without terms


def _whole_name(name: dict[str, Json]) -> str | None:
    parts: dict[str, list[str]] = {}
    for part in _items(name.get("namePart")):
        kind = str(part.get("@type") or "") if isinstance(part, dict) else ""
        parts.setdefault(kind, []).extend(text.strip() for text in strings(part))
    if whole := parts.get(""):
        # The units of a body follow one another: "United Nations", "Environment Programme".
        joint = " " if name.get("@type") == "personal" else ". "
        said = joint.join(text.rstrip(".") if joint == ". " else text for text in whole[:-1])
        return f"{said}{joint}{whole[-1]}" if said else whole[-1]
    family, given = " ".join(parts.get("family", ())), " ".join(parts.get("given", ()))
    inverted = ", ".join(text for text in (family, given) if text)
    if inverted:
        return ", ".join([inverted, *parts.get("termsOfAddress", ())])
    return next(iter(strings(name.get("displayForm"))), None)


def _address_of(name: dict[str, Json]) -> str | None:
    stated = [name.get("@valueURI"), *strings(name.get("nameIdentifier"))]
    addresses = (text.strip() for text in stated if isinstance(text, str))
    return next((text for text in addresses if re.match(r"https?://", text)), None)


def _items(value: Json) -> list[Json]:
    if isinstance(value, list):
        return [item for part in value for item in (part if isinstance(part, list) else [part])]
    return [] if value is None else [value]
