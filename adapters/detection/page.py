"""What a page tells of the platform that made it: marks, alternates, links. Nothing is asked."""

from __future__ import annotations

import re
from typing import Any

from lxml import html as lxml_html

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Payload
from chm_hub.fetch.sniff import page_title
from harvesters import ogc_api

_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/json")
_RDF = ("text/turtle", "application/rdf+xml", "application/ld+json", "application/n-triples")
_JSON = ("application/json", "application/geo+json")
_LOOKED_AT = 1 << 20
"""Bytes of a page in which marks are looked for."""
MOST_LINKS = 2_000
_CATALOGUES = (
    ("hub.arcgis.com", "/api/feed/dcat-us/1.1.json"),
    ("opendata.arcgis.com", "/api/feed/dcat-us/1.1.json"),
    ("integrated publishing toolkit", "dcat"),
    ("dkan", "/data.json"),
)
"""Words in the pages of data portals, and where each has its catalogue; a path without a slash
before it is in the page's own folder."""


class Page:
    """The marks of one page."""

    def __init__(self, payload: Payload) -> None:
        parts = urlsplit(payload.url)
        self.url = payload.url.partition("?")[0].partition("#")[0]
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.title = page_title(payload.body)
        self.text = payload.body[:_LOOKED_AT].decode("utf-8", "replace").lower()
        headers = {name.lower(): value for name, value in payload.headers.items()}
        self.made_by = headers.get("x-generator", "").lower()
        """What it says of its maker, in small letters."""
        self.languages: tuple[str, ...] = ()
        self.feeds: list[str] = []
        self.catalogues: list[str] = []
        """Alternates in RDF, Turtle first."""
        self._rdf: list[tuple[int, str]] = []
        self.links: list[str] = []
        self.api: str | None = None
        """WordPress' API, if it names one."""
        self.json: str | None = None
        """The same page in JSON."""
        self.is_ogc = False
        try:
            root = lxml_html.document_fromstring(payload.body)
        except (ValueError, lxml_html.etree.ParserError):
            return
        tag = re.match(r"[A-Za-z]{2,3}", root.get("lang") or "")
        if tag:
            self.languages = (tag[0].lower(),)
        for meta in root.iter("meta"):
            if (meta.get("name") or "").lower() == "generator":
                self.made_by = f"{self.made_by} {(meta.get('content') or '').lower()}".strip()
        for link in root.iter("link"):
            if link.get("href"):
                self._note(link, payload.url)
        hrefs = (a.get("href") for a in root.iter("a"))
        addresses = (urljoin(payload.url, href.strip()) for href in hrefs if href)
        self.links = [a for a, _ in zip(dict.fromkeys(addresses), range(MOST_LINKS), strict=False)]
        self.catalogues = [address for _, address in sorted(self._rdf)]

    def _note(self, link: Any, url: str) -> None:
        """What one ``link`` of the head says."""
        rel, kind = (link.get("rel") or "").lower(), (link.get("type") or "").lower()
        address = urljoin(url, link.get("href"))
        if rel in ogc_api.RELATIONS:
            self.is_ogc = True
        if rel in ("alternate", "self") and kind in _JSON:
            self.json = self.json or address
        if "https://api.w.org/" in rel:
            self.api = address
        elif "alternate" in rel.split() and kind in _FEEDS:
            self.feeds.append(address)
        if kind in _RDF and {"alternate", "describedby", "meta"} & set(rel.split()):
            self._rdf.append((_RDF.index(kind), address))

    @property
    def says_bioland(self) -> bool:
        """Whether the page or its host bears Bioland's name."""
        return "bioland" in self.text or "chm-cbd.net" in self.base

    @property
    def stac(self) -> str | None:
        """The catalogue of a static STAC that the page links to on its own host."""
        ends = ("/catalog.json", "/collection.json")
        return next((a for a in self.links if a.startswith(self.base) and a.endswith(ends)), None)

    @property
    def catalogue_path(self) -> str | None:
        """Where the software of a data portal has its catalogue."""
        said = f"{self.made_by} {self.text}"
        return next((path for word, path in _CATALOGUES if word in said), None)

    def marks(self) -> list[str]:
        """The platforms its marks speak for, the surest first."""
        path = urlsplit(self.url).path.lower()
        signs = {
            "ogc_api": self.is_ogc or "pygeoapi" in self.text or "ldproxy" in self.text,
            "stac": self.stac is not None,
            "wordpress": self.api is not None or "wordpress" in self.made_by,
            "ptk": "/portal_syndication/" in self.text or "naaya" in self.text,
            "ckan": "ckan" in self.made_by,
            "bioland": self.says_bioland,
            "dcat": bool(self.catalogues) or self.catalogue_path is not None,
            "drupal": "drupal" in self.made_by and "drupal 7" not in self.made_by,
            "oai_pmh": bool(re.search(r"oai|/request/?$", path)),
            "feed": "drupal 7" in self.made_by and bool(self.feeds),
        }
        return [name for name, there in signs.items() if there]
