"""One page of a site as a plain document: what it says of itself first, its text last.

Looked at in this order: schema.org's JSON-LD, meta elements (Dublin Core, OpenGraph, those of
citation managers), what selectors pick out, the page's own heading and text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from hashlib import blake2b
from urllib.parse import parse_qsl, quote_from_bytes, urlunsplit

from lxml.etree import _Element
from parsel import Selector
from w3lib.encoding import html_body_declared_encoding, http_content_type_encoding

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Json, Payload
from harvesters import encodings, entry, furniture, jsons, no_entry, page_addresses

LONGEST_TEXT = 4_000
"""Characters of running text kept as a page's description."""
LONGEST_ENTRY = 6_000
"""Characters of the text of an entry that are kept."""
FILES = (".pdf", ".doc", ".docx", ".xls", ".xlsx", ".ppt", ".pptx", ".odt", ".ods", ".csv", ".zip",
         ".rtf", ".epub", ".kml", ".geojson")  # fmt: skip
"""Endings of addresses that are files and not pages."""
_FILE_PLACE = re.compile(
    r"/bitstreams?/.+/download$|/at_download/[^/]+$|/@@download/|/download/?$", re.I
)
_FILE_META = ("citation_pdf_url", "eprints.document_url", "bepress_citation_pdf_url")
"""Meta elements that name a file of the entry."""
_FILE_CLASS = re.compile(r"(?:^|\s)(?:obj_galley_link|ep_document_link|file-link)(?:\s|$)")
_FURNITURE = frozenset(
    {"WebSite", "Organization", "GovernmentOrganization", "BreadcrumbList", "ImageObject", "Person",
     "SearchAction", "SiteNavigationElement", "WPHeader", "WPFooter", "ListItem", "Place"}
)  # fmt: skip
"""What JSON-LD describes on every page of a site."""
_OUTSIDE = "self::script or self::style or self::nav or self::header or self::footer or " \
    "self::form or self::aside or self::noscript or self::iframe or self::svg"  # fmt: skip


READER = 2
"""The version of what :func:`read` reads. A page that an earlier one read is asked for anew, also
where it did not change."""


def read(
    payload: Payload, select: Mapping[str, str] | None = None, listed: str | None = None
) -> dict[str, Json]:
    """A page as a document. ``select`` names CSS selectors (``title``, ``description``, ``date``,
    ``author``, ``type``...); ``::attr(x)`` and ``::text`` may end them. ``listed`` is what its
    sitemap says it is, if no entry. ``entry`` is what a reader takes for the entry
    (:mod:`harvesters.entry`), ``no_entry`` why the page is none. What had to be repaired to read
    it stands under ``repairs``."""
    headers = {name.lower(): value for name, value in payload.headers.items()}
    page, repairs = tree(payload)
    things, broken = _things(page)
    data = _ordered(things)
    base = urljoin(payload.url, page.css("base::attr(href)").get() or "")
    link = page.xpath("//link[contains(concat(' ',@rel,' '),' canonical ')]/@href").get()
    made: dict[str, Json] = {
        "reader": READER,
        "url": payload.url,
        "canonical": urljoin(base, link) if link else None,
        "lang": _lang(page),
        "title": _squeeze(page.css("title::text").get()),
        "heading": _squeeze(page.xpath("string((//main//h1|//article//h1|//h1|//h2)[1])").get()),
        "data": data,
        "meta": _meta(page),
        "selected": _selected(page, select or {}),
        "text": _text(page),
        "files": _files(page, base),
        "modified": headers.get("last-modified"),
        "changed": _changed(headers),
        "etag": headers.get("etag"),
        "no_entry": no_entry.why(
            page.root, payload.url, payload.body, [_kinds(one) for one in data], listed
        ),
        "repairs": [*repairs, *broken],
    }
    made["entry"] = _entry(page, base, made["meta"])  # the last: it takes the page apart
    return {key: value for key, value in made.items() if value not in (None, "", [], {})}


def _lang(page: Selector) -> str | None:
    """The language that a page as a whole says it is in."""
    # A parser of HTML knows no name spaces.
    said = page.root.get("lang") or page.root.get("xml:lang")
    if said:
        return str(said)
    for meta in page.css("meta[http-equiv][content]"):
        if meta.attrib["http-equiv"].lower() == "content-language":
            return meta.attrib["content"].partition(",")[0].strip() or None
    return None


def _entry(page: Selector, base: str, meta: Mapping[str, Json]) -> dict[str, Json]:
    """The entry of a page, which is taken apart for it, with the files that its head names."""
    to_files = frozenset(link for link in page.root.iter("a") if leads_to_file(link))
    found = entry.find(page.root, to_files)
    made: dict[str, Json] = {
        "title": found.heading if found.sure else None,
        "lang": found.lang,
        "text": found.text[:LONGEST_ENTRY],
        "published": [*found.dates.published],
        "modified": [*found.dates.modified],
        "said": [*found.dates.said],
        "said_changed": [*found.dates.said_changed],
        "authors": [*found.authors],
    }
    made = {key: value for key, value in made.items() if value}
    files = _files_in(found.root, base)
    known = {file["url"] for file in files}
    named = [url for name in _FILE_META for url in meta.get(name, ())]
    return made | {"files": files + [{"url": url} for url in named if url not in known]}


def _files_in(root: _Element, base: str) -> list[Json]:
    found: dict[str, Json] = {}
    for link in root.iter("a"):
        address = urljoin(base, (link.get("href") or "").strip())
        if leads_to_file(link) and address.startswith(("http://", "https://")):
            title = _squeeze(furniture.text_of(link))
            found.setdefault(address, {"url": address, **({"title": title} if title else {})})
    return [*found.values()]


AS_ASKED = timedelta(hours=1)
"""A page that changed so shortly before it was asked for was made for the question."""


def _changed(headers: Mapping[str, str]) -> str | None:
    """When a page was last changed (RFC 9110 §8.8.2), where that says more than when it was asked
    for: programs that make a page anew for each visitor give the time of the visit."""
    said = headers.get("last-modified")
    try:
        asked = parsedate_to_datetime(headers.get("date") or "")
        recent = said is not None and asked - parsedate_to_datetime(said) < AS_ASKED
    except (ValueError, TypeError):
        recent = False
    return None if recent else said


def tree(payload: Payload) -> tuple[Selector, list[str]]:
    """The elements of a page, and what had to be repaired to read it. Encodings mean what they mean
    to browsers: ISO 8859-1 is windows-1252 (Encoding Standard §4.2)."""
    page, _, repairs = _tree(payload)
    return page, repairs


def _tree(payload: Payload) -> tuple[Selector, str, list[str]]:
    headers = {name.lower(): value for name, value in payload.headers.items()}
    said = (
        http_content_type_encoding(headers.get("content-type")),
        html_body_declared_encoding(payload.body),
    )
    text, encoding, repairs = encodings.read(payload.body, [name for name in said if name])
    return Selector(text=text or " ", type="html"), encoding, repairs


def links(payload: Payload) -> list[str]:
    """The addresses a page links to, absolute, as they are to be asked for
    (:func:`harvesters.page_addresses.asked`), pages and files alike."""
    return _addresses(payload, "a::attr(href), area::attr(href), frame::attr(src)")


def onward(payload: Payload) -> list[str]:
    """Those of them that its author calls the next page of the same list (``rel="next"``)."""
    return _addresses(payload, 'a[rel~="next"]::attr(href), link[rel~="next"]::attr(href)')


def _addresses(payload: Payload, css: str) -> list[str]:
    page, encoding, _ = _tree(payload)
    base = urljoin(payload.url, page.css("base::attr(href)").get() or "")
    found = []
    for href in page.css(css).getall():
        address = urljoin(base, href.strip())
        if address.lower().startswith(("http://", "https://")):
            found.append(page_addresses.asked(_with_query_in(encoding, address)))
    return list(dict.fromkeys(found))


def _with_query_in(encoding: str, address: str) -> str:
    """An address with the letters of its query in the encoding of the page it stands on, as
    browsers send them (URL Standard §5.4, "query state"). Paths are in UTF-8 always."""
    parts = urlsplit(address)
    if parts.query.isascii() or encoding.startswith("utf"):
        return address
    made = parts.query.encode(encoding, "xmlcharrefreplace")
    query = quote_from_bytes(made, safe="!$&'()*+,-./:;=?@_~%[]|{}")
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, parts.fragment))


def digest(page: Mapping[str, Json]) -> bytes:
    """A digest of what a page (of :func:`read`) says to a reader."""
    return _digest(page.get("heading"), page.get("title"), page.get("text"))


def proof(page: Mapping[str, Json]) -> bytes | None:
    """What two pages (of :func:`read`) must have alike to be one page under two addresses;
    ``None`` for a page without text, of which nothing can be told."""
    if not page.get("text"):
        return None
    files = [file["url"] for file in page.get("files", ())]
    return _digest(page.get("heading"), page.get("title"), page["text"], *files)


def _digest(*parts: str | None) -> bytes:
    text = "\n".join(str(part) for part in parts)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def is_file(url: str) -> bool:
    """Whether an address is a file's by its ending."""
    return urlsplit(url).path.lower().endswith(FILES)


def leads_to_file(link: _Element) -> bool:
    """Whether a link leads to a file: by the ending of its address or of an argument in it, or
    because its page says so."""
    href = (link.get("href") or "").strip()
    if not href or href.startswith(("#", "javascript:", "mailto:")):
        return False
    said = (link.get("type") or "").lower()
    if link.get("download") is not None or (said and "html" not in said and "/" in said):
        return True
    parts = urlsplit(href)
    if parts.path.lower().endswith(FILES) or _FILE_PLACE.search(parts.path):
        return True
    if any(value.lower().endswith(FILES) for _, value in parse_qsl(parts.query)):
        return True
    return bool(_FILE_CLASS.search(link.get("class") or ""))


_SPACES = re.compile(r"[ \t\r\n\f]+")
"""White space of HTML (HTML Standard §2.3): a no-break space, as within a number, is none."""


def _squeeze(text: str | None) -> str:
    return _SPACES.sub(" ", text or "").strip()


def _ordered(things: list[dict[str, Json]]) -> list[Json]:
    """Things of schema.org without those that are on every page of a site: what a page is about
    comes first, what says only that it is a page last."""
    return sorted(
        (thing for thing in things if not _kinds(thing) & _FURNITURE),
        key=lambda thing: bool(_kinds(thing) & {"WebPage", "CollectionPage", ""}),
    )


def _things(page: Selector) -> tuple[list[dict[str, Json]], list[str]]:
    """The things of schema.org that a page describes, and a word for each that is no JSON."""
    found: list[dict[str, Json]] = []
    broken: list[str] = []
    for text in page.xpath("//script[@type='application/ld+json']/text()").getall():
        try:
            value = jsons.loads(text)
        except (ValueError, RecursionError):
            broken.append("json_ld_unread")
            continue
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, dict):
                graph = item.get("@graph")
                inside = graph if isinstance(graph, list) else [item]
                found += [thing for thing in inside if isinstance(thing, dict)]
    return found, broken


def _kinds(thing: dict[str, Json]) -> set[str]:
    said = thing.get("@type")
    kinds = said if isinstance(said, list) else [said or ""]
    return {re.split(r"[/:#]", str(kind))[-1] for kind in kinds}


def _meta(page: Selector) -> dict[str, Json]:
    """The meta elements with a name, by their name in lower case; repeated ones all."""
    found: dict[str, list[Json]] = {}
    for element in page.css("meta[content]"):
        name = element.attrib.get("name") or element.attrib.get("property")
        value = _squeeze(element.attrib["content"])
        if name and value:
            found.setdefault(name.strip().lower().replace("dcterms.", "dc."), []).append(value)
    return dict(found)


def _selected(page: Selector, select: Mapping[str, str]) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for name, css in select.items():
        found = page.css(css)
        if "::" not in css:
            values = [_squeeze(element.xpath("string(.)").get()) for element in found]
        else:
            values = [_squeeze(value) for value in found.getall()]
        if kept := [value for value in values if value]:
            made[name] = kept
    return made


def _text(page: Selector) -> str:
    """The running text of a page without its furniture."""
    for place in ("//main", "//article", "//*[@id='content' or @role='main']", "//body"):
        root = page.xpath(f"({place})[1]")
        if not root:
            continue
        parts = root.xpath(f".//text()[not(ancestor::*[{_OUTSIDE}])]").getall()
        text = "\n".join(line for part in parts if (line := _squeeze(part)))
        if text:
            return text[:LONGEST_TEXT]
    return ""


def _files(page: Selector, base: str) -> list[Json]:
    found: dict[str, Json] = {}
    for element in page.css("a[href]"):
        address = urljoin(base, element.attrib["href"].strip())
        if is_file(address) and address.startswith(("http://", "https://")):
            title = _squeeze(element.xpath("string(.)").get())
            found.setdefault(address, {"url": address, **({"title": title} if title else {})})
    return list(found.values())


def files(markup: str, base: str) -> list[Json]:
    """The files a piece of HTML links to, absolute, with the words of each link."""
    return _files(Selector(text=markup or " ", type="html"), base)
