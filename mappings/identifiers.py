"""Identifiers of a resource, told apart: its page, its files, and its other names.

Formats list identifiers of all kinds in one place, in any order (Dublin Core 1.1 `identifier`,
MODS `identifier`, MARC 21 fields 020, 024 and 856, DataCite `alternateIdentifier`). The page of
the resource is chosen among them; every other identifier is kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote, urlsplit

from chm_hub.document import Json
from mappings.functions import issue, registered, shown, strings, web_address

PAGE, HANDLE, DOI, FILE, PICTURE, WORD = range(6)
"""Kinds of identifiers; the page of a resource is the first address of the lowest kind."""

_SPACES = " \t\r\n\f\v\xa0\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
_AROUND = re.compile(rf"^[{_SPACES}<]+|[{_SPACES}>]+$")
_BETWEEN = re.compile(
    rf"(?:[{_SPACES}]*[;,|][{_SPACES}]*|[{_SPACES}]+)(?=https?://)", re.IGNORECASE
)
_LINK = re.compile(r"\s*<a\s[^>]*?href\s*=\s*[\"']?([^\"'\s>]+)", re.IGNORECASE)
"""A link of HTML, as some forms let people paste it."""
_LABEL = re.compile(r"(?:ur[il]|doi|hdl|handle|link)\s*[:=]?\s*(?=https?://)", re.IGNORECASE)
_WEB = re.compile(r"(https?|ftp)://(?P<rest>[^/\s].*)", re.IGNORECASE | re.DOTALL)
_MEANT_AS_WEB = re.compile(r"(?:https?|ftp):", re.IGNORECASE)
_BARE_DOI = re.compile(
    r"(?:(?:info:)?doi[:/]?\s*|urn:doi:|(?:dx\.)?doi\.org/)?(10\.\d{4,9}(?:\.\d+)*/\S+)",
    re.IGNORECASE,
)
_BARE_HANDLE = re.compile(
    r"(?:info:hdl/|hdl[:/]\s*|handle[:/]\s*|hdl\.handle\.net/)(\d[\d.]*/\S+)", re.IGNORECASE
)
_TYPED_HANDLE = re.compile(r"\d[\d.]*/\S+")
_ISBN = re.compile(r"(?:ISBN[-:\s]*)?([\d][\d-]{8,16}[\dXx])\b.*", re.DOTALL)
_ISSN = re.compile(r"(?:ISSN[-:\s]*)?(\d{4}-?\d{3}[\dXx])\b.*", re.DOTALL)
_NAMED_NUMBER = re.compile(
    r"(?:urn:)?(?:[ep]-?)?(ISSN|ISBN)(?:-L)?(?:[- ]?1[03](?=[:\s]))?[-:\s]*(\d[\d-]{6,15}[\dXx])",
    re.IGNORECASE,
)
"""A number of a book or a serial that says itself what it is, and nothing else."""
_DOI_HOSTS = frozenset({"doi.org", "dx.doi.org", "www.doi.org"})
_RESOLVERS = frozenset(
    {"hdl.handle.net", "n2t.net", "ark.cdlib.org", "purl.org", "nbn-resolving.org", "urn.fi"}
    | {"nbn-resolving.de", "nbn-resolving.com", "resolver.kb.nl", "w3id.org", "urn.kb.se"}
)
"""Hosts that know where a page is now. A page's own address comes before them."""
_FILES = re.compile(
    r"\.(?:pdf|docx?|xlsx?|pptx?|od[tsp]|rtf|epub|zip|gz|tgz|7z|rar|tar|csv|tsv|txt|xml|json|geojson|"
    r"kmz?|gpkg|shp|nc|tiff?|jp2|mp3|mp4|wav|avi|mov|mpe?g|ogg|webm|ps|djvu|mobi)$"
    r"|/bitstreams?/|/getfile(?:/|$)|/download/?$",
    re.IGNORECASE,
)
_PICTURES = re.compile(
    r"\.(?:jpe?g|png|gif|bmp|webp|svg)$|thumb|/preview(?:/|$)|[?&=/]preview\b", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """One identifier: what it is, and how the record writes it."""

    kind: int
    value: str

    @property
    def key(self) -> str:
        """Equal for two ways to write one identifier: DOIs have no case (ISO 26324 §4)."""
        doi = re.search(r"10\.\d{4,9}/\S+", self.value) if self.kind == DOI else None
        return doi[0].casefold() if doi else self.value


@lru_cache(maxsize=4096)
def identifier(said: str, stated: str = "") -> Identifier | None:
    """What one identifier is; ``stated`` is its type where the format states one.

    A DOI and a handle become addresses. Nothing is made up: what is no address by its own
    words stays a word. ``None`` for a blank one.
    """
    linked = _LINK.match(said)
    text = _AROUND.sub("", linked[1] if linked else said)
    if not text:
        return None
    text = _LABEL.sub("", text, count=1) if _LABEL.match(text) else text
    stated = stated.casefold().rpartition("/")[2].rpartition(":")[2]
    if (found := _BARE_DOI.fullmatch(text)) is not None:
        return Identifier(DOI, f"https://doi.org/{quote(found[1], safe=_IN_PATH)}")
    handle = _BARE_HANDLE.fullmatch(text)
    if handle is None and stated in ("handle", "hdl"):
        handle = _TYPED_HANDLE.fullmatch(text)
    if handle is not None:
        name = handle[handle.lastindex or 0]
        return Identifier(HANDLE, f"https://hdl.handle.net/{quote(name, safe=_IN_PATH)}")
    if (address := _address(text)) is not None:
        return Identifier(_kind(address), address)
    if (named := _NAMED_NUMBER.fullmatch(text)) is not None:
        stated, text = named[1].casefold(), named[2]
    if stated == "isbn" and (found := _ISBN.fullmatch(text)) is not None:
        return Identifier(WORD, f"urn:isbn:{found[1]}")
    if stated in ("issn", "eissn", "lissn", "issn-l") and (found := _ISSN.fullmatch(text)):
        return Identifier(WORD, f"urn:issn:{found[1]}")
    if stated == "arxiv":
        return Identifier(PAGE, f"https://arxiv.org/abs/{text.removeprefix('arXiv:')}")
    return Identifier(WORD, text)


_IN_PATH = "/:;()@!$&'*+,=~.-_"


def _address(text: str) -> str | None:
    if text[:4].lower() == "www." and not re.search(r"\s", text):
        text = f"http://{text}"
    found = _WEB.fullmatch(text)
    if found is None or re.search(r"[\s<>\"]", re.split(r"[/?#]", found["rest"])[0]):
        return None
    return web_address(text, "")


def _kind(address: str) -> int:
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    if host in _DOI_HOSTS:
        return DOI
    if host in _RESOLVERS:
        return HANDLE
    if _PICTURES.search(parts.path) or _PICTURES.search(parts.query):
        return PICTURE
    if parts.scheme == "ftp" or _FILES.search(parts.path):
        return FILE
    return PAGE


def _identifiers(value: Json) -> Iterator[Identifier]:
    """The identifiers in some values, each once; a type stands in an attribute of the element."""
    seen: set[str] = set()
    for item in value if isinstance(value, list) else [value]:
        for given in [item] if not isinstance(item, list) else item:
            stated = ""
            if isinstance(given, dict):
                kinds = (given.get(name) for name in _TYPES)
                stated = next((kind for kind in kinds if isinstance(kind, str) and kind), "")
            for text in strings(given):
                for part in _BETWEEN.split(text) if _WEB.match(_AROUND.sub("", text)) else [text]:
                    made = identifier(part, stated)
                    if made is not None and made.key not in seen:
                        seen.add(made.key)
                        yield made


_TYPES = ("@type", "@identifierType", "@alternateIdentifierType", "@qualifier", "@agency")


def _page(found: list[Identifier], hosts: list[Identifier]) -> Identifier | None:
    best = min((one for one in found if one.kind < WORD), key=lambda one: one.kind, default=None)
    if best is not None and best.kind >= FILE:
        # EPrints names the file as identifier and its page as relation.
        above = [one for one in hosts if one.kind == PAGE and _is_above(one.value, best.value)]
        if above:
            return max(above, key=lambda one: len(one.value))
    return best


def _is_above(page: str, file: str) -> bool:
    """Whether a file's address lies under a page's: ``/12/`` and ``/12/1/a.pdf``."""
    begins = page.rstrip("/") + "/"
    return file.startswith(begins) and urlsplit(begins).path != "/"


@registered
def page_address(identifiers: Json, relations: Json = None) -> Json:
    """The address of a resource's page among its identifiers.

    A page comes before a handle, a handle before a DOI, a DOI before a file, a file before a
    picture. DOIs and handles become addresses. Where only a file is named, a related address
    that the file lies under is its page.

    >>> page_address(`["10.5555/abc", "https://example.org/12/a.pdf", "https://example.org/12"]`)
    "https://example.org/12"
    """
    found = list(_identifiers(identifiers))
    for one in found:
        if one.kind == WORD and _MEANT_AS_WEB.match(one.value):
            issue(f"not a web address: {shown(one.value)}")
    page = _page(found, list(_identifiers(relations)))
    return page.value if page is not None else None


@registered
def other_identifiers(identifiers: Json, relations: Json = None) -> Json:
    """A resource's identifiers without its page and its files; DOIs and handles as addresses.

    Takes what `page_address` takes.

    >>> other_identifiers(`["https://example.org/12", "doi:10.5555/abc", "urn:nbn:de:1-2"]`)
    ["https://doi.org/10.5555/abc", "urn:nbn:de:1-2"]
    """
    found = list(_identifiers(identifiers))
    chosen = _page(found, list(_identifiers(relations)))
    return [
        one.value for one in found if one.kind != FILE and (chosen is None or one.key != chosen.key)
    ]


@registered
def file_addresses(identifiers: Json) -> Json:
    """The addresses of files among a resource's identifiers.

    >>> file_addresses(`["https://example.org/12", "https://example.org/12/a.pdf"]`)
    ["https://example.org/12/a.pdf"]
    """
    return [one.value for one in _identifiers(identifiers) if one.kind == FILE]


@registered
def resolved(identifiers: Json) -> Json:
    """Identifiers with DOIs and handles as addresses and ISBN and ISSN as URNs, each once.

    >>> resolved(`["doi:10.5555/abc", "https://example.org/1", "Journal of Forests"]`)
    ["https://doi.org/10.5555/abc", "https://example.org/1", "Journal of Forests"]
    """
    return [one.value for one in _identifiers(identifiers)]
