"""Answers that say what they are: in XML, JSON or Turtle, whatever their address."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from adapters import informea, wordpress_addresses
from adapters.detection import known
from adapters.detection.look import Found, Look
from adapters.detection.repositories import base_of, set_of
from chm_hub.addresses import urlsplit
from chm_hub.document import Json, Payload
from chm_hub.errors import ProtocolError
from harvesters import dcat, feed, jsons, oai_pmh, ogc_api, xml

_DCAT = re.compile(rb"http://www\.w3\.org/ns/dcat#")
_CHANGES_ADDRESS = re.compile(
    r"recent_?changes|rss_rc|[?&]do=recent|/doku\.php|/feed\.php|/commits?/|/timeline\b"
    r"|special:newpages|/_history|[?&]action=history",
    re.IGNORECASE,
)
"""Addresses of feeds that tell changes: of MediaWiki, DokuWiki, MoinMoin, Trac, of code."""
_WIKIS = re.compile(r"mediawiki|dokuwiki|moinmoin|pmwiki|tiki ?wiki|xwiki|trac\b", re.IGNORECASE)
_CHANGES_LINK = re.compile(r"[?&;](?:diff|oldid|rev)=|do=diff|/commit/", re.IGNORECASE)
_CSW = re.compile(r"http://www\.opengis\.net/cat/csw/")
NO_CSW = "a catalogue that speaks CSW, which the hub does not; its OAI-PMH does not answer"
EMPTY = "a feed with nothing in it"
CHANGES = "changes"
"""What :func:`read` says is the ``adapter`` of a feed that tells changes, of which none is made."""
CSW = "csw"
"""What :func:`read` says is the ``adapter`` of a CSW catalogue, of which none is made."""
_ENTITIES = tuple(informea.EXPAND)


def read(look: Look, payload: Payload, kind: str, url: str) -> Found | None:
    """What an answer says it is; ``url`` is the address that the source would have."""
    if kind == "xml":
        return of_xml(look, payload, url)
    if kind == "json":
        return of_json(look, payload, url)
    return of_rdf(look, payload, url) if kind == "text" else None


def of_xml(look: Look, payload: Payload, url: str) -> Found | None:
    """An OAI-PMH answer, a sitemap, a catalogue in RDF/XML, a service of OData, a feed."""
    try:
        root, warnings = xml.parse(payload.body, payload.url)
    except ProtocolError as error:
        # Turtle may begin like XML.
        found = of_rdf(look, payload, url)
        if found is None:
            look.tried.append(error.reason)
        return found
    name = xml.local(root.tag)
    if name in ("urlset", "sitemapindex"):
        return Found(adapter="sitemap", url=url, title=look.host, said="a sitemap")
    if _CSW.match(root.tag[1:] if root.tag.startswith("{") else ""):
        look.tried.append(NO_CSW)
        return Found(adapter=CSW, url=url, title=look.host, said=NO_CSW)
    if name == "service" and (found := _entities(look, _collections(root), url)) is not None:
        return found
    try:
        oai_pmh.check_root(root, payload.url, warnings)
    except ProtocolError:
        # RSS 1.0 is RDF too, and its entries may speak of data sets.
        found = of_feed(look, payload, url)
        catalogue = of_rdf(look, payload, url) if found is None or name == "RDF" else None
        return catalogue or found
    return _repository(look, root, url)


def _repository(look: Look, root: Any, url: str) -> Found:
    """An OAI-PMH repository, by any of its answers."""
    names = [e.text for e in root.iter() if xml.local(e.tag) == "repositoryName" and e.text]
    wanted = set_of(url)
    return Found(
        adapter="oai_pmh",
        url=base_of(url),
        title=" ".join((names or [look.host])[0].split()),
        said="an OAI-PMH repository",
        options={"set": wanted} if wanted else {},
        hosts=tuple(
            e.text.strip()
            for e in root.iter()
            if xml.local(e.tag) in ("adminEmail", "repositoryIdentifier") and e.text
        ),
    )


def of_feed(look: Look, payload: Payload, url: str) -> Found | None:
    """A feed; one with nothing in it says so, and one that tells changes is named
    :data:`CHANGES`."""
    try:
        page, _ = feed.read_feed(payload)
    except ProtocolError as error:
        look.tried.append(error.reason)
        return None
    heads = [d.body["feed"].get("title", {}).get("value") for d in page.documents[:1]]
    title = str(next((h for h in heads if h), look.host))
    if tells_changes(url, payload, (str(d.body["entry"].get("link")) for d in page.documents)):
        return Found(adapter=CHANGES, url=url, title=title, said="a feed of changes")
    empty = not page.documents and not page.rejects
    json = payload.body.lstrip(b"\xef\xbb\xbf \r\n\t").startswith(b"{")
    said = EMPTY if empty else "a JSON feed" if json else "a feed"
    return Found(adapter="feed", url=url, title=title, said=said)


def tells_changes(url: str, payload: Payload, links: Iterable[str]) -> bool:
    """Whether a feed tells changes of pages rather than news: a page that changes often is there
    often, and one that does not never."""
    parts = urlsplit(url)
    if _CHANGES_ADDRESS.search(f"{parts.path}?{parts.query}"):
        return True
    made_by = re.search(rb"<(?:\w+:)?generator[^>]*>([^<]*)<", payload.body[: 1 << 16])
    if made_by and _WIKIS.search(made_by[1].decode("utf-8", "replace")):
        return True
    seen = list(links)
    return bool(seen) and all(_CHANGES_LINK.search(link) for link in seen)


def of_rdf(look: Look, payload: Payload, url: str) -> Found | None:
    """A catalogue in RDF, in any syntax, that holds data sets or leads on to some."""
    if not _DCAT.search(payload.body):
        return None
    try:
        catalogue = dcat.read(payload)
    except ProtocolError as error:
        look.tried.append(error.reason)
        return None
    if not catalogue.datasets and catalogue.following is None:
        return None
    title = catalogue.title or look.host
    return Found(adapter="dcat", url=url, title=title, said="a DCAT catalogue in RDF")


def of_json(look: Look, payload: Payload, url: str) -> Found | None:
    """An API that names itself, a catalogue, a JSON feed."""
    try:
        answer = jsons.read(payload, Counter())  # repairs are for harvests to count
    except ProtocolError as error:
        look.tried.append(error.reason)
        return None
    if not isinstance(answer, dict):
        return of_rdf(look, payload, url)
    title = _title(answer) or look.host
    if "stac_version" in answer:
        return _stac(answer, url, title)
    if ogc_api.is_one(answer):
        return Found(adapter="ogc_api", url=url, title=title, said="an OGC API")
    if isinstance(answer.get("dataset"), list):
        return Found(adapter="dcat", url=url, title=title, said="a DCAT catalogue")
    if (found := of_rdf(look, payload, url)) is not None:
        return found
    if "namespaces" in answer and "routes" in answer:
        return wordpress(look, wordpress_addresses.base_of(url), answer)
    if "jsonapi" in answer:
        base = url.partition("/jsonapi")[0]
        return Found(adapter="drupal", url=base, title=title, said="Drupal with JSON:API")
    if "jsonfeed" in str(answer.get("version")):
        return of_feed(look, payload, url)
    if "endOfRecords" in answer and isinstance(answer.get("results"), list):
        return _gbif(url)
    names = [row for row in _sets(answer) if row]
    return _entities(look, names, url) if names or ".svc" in url else None


def wordpress(look: Look, base: str, answer: Mapping[str, Json]) -> Found:
    """WordPress, by the answer of its API's root."""
    return Found(
        adapter="wordpress",
        url=base.rstrip("/"),
        title=str(answer.get("name") or look.host),
        said="WordPress with its REST API",
    )


def _title(answer: Mapping[str, Json]) -> str | None:
    """The title of a document in JSON: a text, or one of several languages."""
    said = answer.get("title") or answer.get("name")
    if isinstance(said, dict):
        said = next(iter(said.values()), None)
    return " ".join(said.split()) if isinstance(said, str) and said.strip() else None


def _stac(answer: Mapping[str, Json], url: str, title: str) -> Found:
    """A STAC catalogue. Its collections are data sets; where items stand at the address itself,
    there is no other to take."""
    links = answer.get("links")
    own = any(
        isinstance(link, dict) and link.get("rel") == "item"
        for link in (links if isinstance(links, list) else [])
    )
    what = "items" if own or answer.get("type") == "Feature" else "collections"
    said = f"a STAC catalogue; taken: its {what}"
    if what == "collections":
        said += ', each a data set. `what = "items"` takes each image instead'
    return Found(adapter="stac", url=url, title=title, said=said, options={"what": what})


def _gbif(url: str) -> Found | None:
    """A list of a registry that speaks GBIF's API, under whatever name."""
    parts = urlsplit(url)
    steps = parts.path.rstrip("/").split("/")
    kind = next((step for step in reversed(steps) if step in known.GBIF_KINDS), None)
    if kind is None:
        return None
    filters = known.filters_of(parts.query)
    place = f", {', '.join(filters.values())}" if filters else ""
    return known.gbif_list(url.partition("?")[0], kind, filters, place)


# --- OData ---------------------------------------------------------------------------------


def _collections(root: Any) -> list[str]:
    """The entity sets in a service document (AtomPub)."""
    hrefs = (e.get("href") or "" for e in root.iter() if xml.local(e.tag) == "collection")
    return [href.strip("/") for href in hrefs]


def _sets(answer: Mapping[str, Json]) -> list[str]:
    """The entity sets in a service document in JSON, of any version of OData."""
    inner = answer.get("d", answer)
    if isinstance(inner, dict):
        named = inner.get("EntitySets")
        if isinstance(named, list):
            return [str(name) for name in named]
        rows = inner.get("value")
        if isinstance(rows, list):
            return [
                str(row.get("url") or row.get("name")) for row in rows
                if isinstance(row, dict) and row.get("kind", "EntitySet") == "EntitySet"
                and isinstance(row.get("url") or row.get("name"), str)
            ]  # fmt: skip
    return []


def _entities(look: Look, names: list[str], url: str) -> Found | None:
    """A service with InforMEA's entity sets: the one that the address names, or the first."""
    base = url.partition("?")[0].rstrip("/")
    before, _, last = base.rpartition("/")
    entity = last.partition("(")[0]
    if entity in _ENTITIES:
        names, base = [entity], before
    have = [name for name in _ENTITIES if name in names and name != "Contacts"]
    if not have:
        return None
    more = f"; it also has {', '.join(have[1:])}, a source each" if have[1:] else ""
    return Found(
        adapter="informea",
        url=base,
        title=f"{look.host}: {have[0]}",
        said=f"a service with InforMEA's entity sets{more}",
        options={"entity": have[0]},
    )
