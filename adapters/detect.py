"""What platform is at an address: at most five polite questions, the look at the address itself
among them, and robots.txt; then a source file's facts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import urlencode

from lxml import html as lxml_html

from adapters import oai_formats
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Json, Payload
from chm_hub.errors import FetchError, ProtocolError, SourceError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of, page_title
from harvesters import feed, jsons, oai_pmh, ogc_api, robots, xml

PROBES = 5
"""Questions at most, beside robots.txt, and two to a repository about itself."""
_REALMS = {"chm": "chm", "bch": "bch", "absch": "abs", "ort": "ort"}
_FEEDS = ("application/rss+xml", "application/atom+xml", "application/rdf+xml", "application/json")
_HOSTS = {
    "panorama.solutions": ("panorama", "https://panorama.solutions", {"way": "map"}),
    "portal.geobon.org": ("geobon", "https://portal.geobon.org", {}),
    "api.obis.org": ("obis", "https://api.obis.org/v3", {}),
}
"""Systems of which there is one: address and options."""
_PREFIXES = {"zh": "zh-hans", "tl": "fil"}
"""Languages that a Bioland site's front and its API call differently."""
_BIOLAND_TYPES = {2, 3}
"""Content types that every Bioland site of the second generation has: news and events."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at an address: the facts of a source file."""

    adapter: str
    url: str
    title: str
    said: str
    """What it is, in words."""
    languages: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    hosts: tuple[str, ...] = ()
    """Hosts and mail addresses that it names as its own."""


async def detect(fetch: Fetch, url: str, wanted: str | None = None) -> Found:
    """Find the platform at an address, or only its title if the adapter is ``wanted``.

    Raises :class:`SourceError` where none of the known platforms answers, :class:`FetchError`
    where nothing answers at all.
    """
    host = urlsplit(url).hostname or ""
    own = host.endswith(".cbd.int") and host.split(".")[0] in _REALMS
    if wanted == "scbd" or (wanted is None and own):
        return _clearing_house(url, host)
    if wanted is None and host.removeprefix("www.") in _HOSTS:
        name, address, options = _HOSTS[host.removeprefix("www.")]
        return Found(
            adapter=name, url=address, title=host, said="known by its name", options=options
        )
    look = _Look(fetch, url)
    payload = await look.first()
    if payload is None:
        found = await look.repository(url)
        if found is None:
            raise look.nothing()
        return await look.told(found)
    kind = kind_of(payload.body)
    if kind == "xml":
        found = look.of_xml(payload)
        if found is None or (found.adapter == "oai_pmh" and not found.hosts):
            # An answer to another question than Identify says neither its name nor its hosts.
            found = await look.repository(url) or found
    elif kind == "json":
        found = await look.of_what(look.of_json(payload))
    elif kind == "html":
        found = await look.of_page(payload, wanted)
    else:
        found = None
    if wanted is not None and (found is None or found.adapter != wanted):
        title = page_title(payload.body) if kind == "html" else ""
        found = Found(
            adapter=wanted, url=url, title=title or host, said=f"taken as {wanted} as you say"
        )
    if found is None:
        raise look.nothing()
    return await look.told(found)


def _clearing_house(url: str, host: str) -> Found:
    realm = _REALMS.get(host.split(".")[0], "chm")
    return Found(
        adapter="scbd",
        url=url,
        title=f"CBD clearing-house ({realm})",
        said="one of the Secretariat's clearing-houses",
        options={"realm": realm},
    )


class _Look:
    """One look at an address, with what was tried for the message if nothing is found."""

    def __init__(self, fetch: Fetch, url: str) -> None:
        self.fetch = fetch
        self.url = url
        self.host = urlsplit(url).hostname or url
        self.tried: list[str] = []
        self.left = PROBES

    async def first(self) -> Payload | None:
        """The address itself."""
        return await self.probe(self.url)

    async def probe(self, url: str) -> Payload | None:
        """One of the few questions."""
        if not self.left:
            return None
        self.left -= 1
        return await self._get(url)

    async def _get(self, url: str) -> Payload | None:
        try:
            return await self.fetch(Request(url=url, accept=(200,)))
        except (FetchError, ProtocolError) as error:
            self.tried.append(f"{urlsplit(url).path or '/'}: {error.reason}")
            if error.reason in ("egress", "dns", "refused", "timeout", "certificate"):
                raise
            return None

    async def told(self, found: Found) -> Found:
        """What was found; of a repository with its own name and the format to ask for."""
        if found.adapter != "oai_pmh":
            return found
        # Two questions more: what a repository offers decides what its records say.
        offer = await oai_formats.look(found.url, self._get)
        options = {**found.options, **({"metadata_prefix": offer.prefix} if offer.prefix else {})}
        title = offer.title or found.title
        return replace(found, title=title, options=options, said=f"{found.said}; {offer.said}")

    def nothing(self) -> SourceError:
        """The error for an address at which nothing is known."""
        tried = "; ".join(self.tried) or "no sign of a known platform on the page"
        return SourceError(
            f"{self.url}: no platform the hub knows answers there ({tried}). If you know what it "
            "is, name it with --adapter; docs/add-a-source.md lists them."
        )

    # --- answers that say what they are ----------------------------------------------------

    def of_xml(self, payload: Payload) -> Found | None:
        """An OAI-PMH answer, a feed or a sitemap."""
        try:
            root, warnings = xml.parse(payload.body, payload.url)
        except ProtocolError as error:
            self.tried.append(error.reason)
            return None
        name = xml.local(root.tag)
        if name in ("urlset", "sitemapindex"):
            return Found(adapter="sitemap", url=self.url, title=self.host, said="a sitemap")
        try:
            oai_pmh.check_root(root, payload.url, warnings)
        except ProtocolError:
            title = self._feed_title(payload)
            if title is None:
                return None
            return Found(adapter="feed", url=self.url, title=title, said="a feed")
        names = [e.text for e in root.iter() if xml.local(e.tag) == "repositoryName" and e.text]
        return Found(
            adapter="oai_pmh",
            url=self.url.partition("?")[0],
            title=" ".join((names or [self.host])[0].split()),
            said="an OAI-PMH repository",
            hosts=tuple(
                e.text.strip()
                for e in root.iter()
                if xml.local(e.tag) in ("adminEmail", "repositoryIdentifier") and e.text
            ),
        )

    def of_json(self, payload: Payload) -> Found | None:
        """A STAC catalogue, a DCAT catalogue, an API that names itself, a JSON feed."""
        try:
            answer = jsons.read(payload, Counter())  # repairs are for harvests to count
        except ProtocolError as error:
            self.tried.append(error.reason)
            return None
        if not isinstance(answer, dict):
            return None
        title = str(answer.get("title") or self.host)
        if "stac_version" in answer:
            return Found(
                adapter="stac",
                url=self.url,
                title=title,
                said="a STAC catalogue",
                options={"what": "collections"},
            )
        if ogc_api.is_one(answer):
            return Found(
                adapter="ogc_api",
                url=self.url,
                title=title,
                said="an OGC API",
                options={"what": "records"},
            )
        if isinstance(answer.get("dataset"), list):
            return Found(adapter="dcat", url=self.url, title=title, said="a DCAT catalogue")
        if "namespaces" in answer and "routes" in answer:
            return self._wordpress(self.url.partition("/wp-json")[0], answer)
        if "jsonapi" in answer:
            base = self.url.partition("/jsonapi")[0]
            return Found(adapter="drupal", url=base, title=title, said="Drupal with JSON:API")
        if "jsonfeed" in str(answer.get("version")):
            return Found(adapter="feed", url=self.url, title=title, said="a JSON feed")
        return None

    async def of_what(self, found: Found | None) -> Found | None:
        """An OGC API with what it holds: the records of its catalogues, or else its collections."""
        if found is None or found.adapter != "ogc_api":
            return found
        try:
            what, title = await ogc_api.look(self.probe, found.url)
        except (FetchError, ProtocolError) as error:
            self.tried.append(error.reason)
            return None
        said = {"records": "an OGC API with a catalogue of records"}.get(
            what, "an OGC API whose collections are data sets"
        )
        return replace(found, options={"what": what}, said=said, title=title or found.title)

    async def repository(self, url: str) -> Found | None:
        """An OAI-PMH repository, asked to identify itself."""
        payload = await self.probe(f"{url.partition('?')[0]}?{urlencode({'verb': 'Identify'})}")
        if payload is None or kind_of(payload.body) != "xml":
            return None
        found = self.of_xml(payload)
        return found if found is not None and found.adapter == "oai_pmh" else None

    def _feed_title(self, payload: Payload) -> str | None:
        try:
            page, _ = feed.read_feed(payload)
        except ProtocolError as error:
            self.tried.append(error.reason)
            return None
        heads = [d.body["feed"].get("title", {}).get("value") for d in page.documents[:1]]
        return str(next((h for h in heads if h), self.host))

    def _wordpress(self, base: str, answer: Json) -> Found:
        return Found(
            adapter="wordpress",
            url=base.rstrip("/"),
            title=str(answer.get("name") or self.host),
            said="WordPress with its REST API",
        )

    # --- pages -----------------------------------------------------------------------------

    async def of_page(self, payload: Payload, wanted: str | None) -> Found | None:
        """The platform behind a page: asked first what its marks suggest."""
        page = _Page(payload)
        rules = await robots.read(self.fetch, self.url)
        looks: dict[str, Callable[[_Page], Awaitable[Found | None]]] = {
            "oai_pmh": self._oai,
            "bioland": self._bioland,
            "wordpress": self._wp,
            "ptk": self._ptk,
            "drupal": self._drupal,
            "ckan": self._ckan,
            "ogc_api": self._ogc,
            "dcat": self._dcat,
            "feed": self._linked_feed,
        }
        usual = ("bioland", "wordpress", "ptk")
        order = [*page.marks(), *usual, "feed"] if wanted is None else [wanted]
        for name in dict.fromkeys(order):
            if name in looks and (found := await looks[name](page)) is not None:
                return found
        if wanted in (None, "sitemap") and rules.allows(self.url):
            # The first may be dead, and the second alive.
            for candidate in dict.fromkeys([*rules.sitemaps, urljoin(page.base, "/sitemap.xml")]):
                answer = await self.probe(candidate)
                if answer is not None and kind_of(answer.body) == "xml":
                    made = self.of_xml(answer)
                    if made is not None and made.adapter == "sitemap":
                        return Found(
                            adapter="sitemap",
                            url=candidate,
                            title=page.title or self.host,
                            said="a site with a sitemap",
                            languages=page.languages,
                        )
        return None

    async def _oai(self, page: _Page) -> Found | None:
        return await self.repository(self.url)

    async def _bioland(self, page: _Page) -> Found | None:
        lang = page.languages[0] if page.languages else ""
        prefix = f"/{_PREFIXES.get(lang, lang)}" if lang else ""
        tags = await self._json(f"{page.base}{prefix}/jsonapi/taxonomy_term/tags?jsonapi_include=1")
        rows = tags.get("data") if isinstance(tags, dict) else None
        kinds = {row.get("drupal_internal__tid") for row in rows or [] if isinstance(row, dict)}
        said = "a Bioland site"
        if not kinds >= _BIOLAND_TYPES:
            if not page.says_bioland:
                return None
            # The first generation has a node type for each kind of content.
            nodes = await self._json(f"{page.base}/jsonapi/node/document?page[limit]=1")
            if not isinstance(nodes, dict) or "data" not in nodes:
                return None
            said = "a Bioland site of the first generation"
        return Found(
            adapter="bioland",
            url=page.base,
            title=page.title or self.host,
            said=said,
            languages=page.languages,
        )

    async def _wp(self, page: _Page) -> Found | None:
        base = (page.api or urljoin(page.url, "wp-json/")).partition("/wp-json")[0]
        answer = await self._json(f"{base}/wp-json/")
        if isinstance(answer, dict) and "namespaces" in answer:
            found = self._wordpress(base, answer)
            return Found(
                adapter=found.adapter,
                url=found.url,
                title=found.title,
                said=found.said,
                languages=page.languages,
            )
        return None

    async def _ptk(self, page: _Page) -> Found | None:
        base = page.url.rstrip("/")
        answer = await self.probe(f"{base}/portal_syndication/latestnews_rdf")
        if answer is None or kind_of(answer.body) != "xml" or self._feed_title(answer) is None:
            return None
        return Found(
            adapter="ptk",
            url=base,
            title=page.title or self.host,
            said="a portal made with the CHM Portal Toolkit (Naaya)",
            languages=page.languages,
        )

    async def _drupal(self, page: _Page) -> Found | None:
        answer = await self._json(f"{page.base}/jsonapi")
        if not isinstance(answer, dict) or "jsonapi" not in answer:
            return None
        return Found(
            adapter="drupal",
            url=page.base,
            title=page.title or self.host,
            said="Drupal with JSON:API",
            languages=page.languages,
        )

    async def _ckan(self, page: _Page) -> Found | None:
        answer = await self._json(f"{page.base}/api/3/action/status_show")
        if not isinstance(answer, dict) or "ckan_version" not in (answer.get("result") or {}):
            return None
        title = str(answer["result"].get("site_title") or page.title or self.host)
        return Found(adapter="ckan", url=page.base, title=title, said="a CKAN data portal")

    async def _dcat(self, page: _Page) -> Found | None:
        answer = await self._json(f"{page.base}/data.json")
        if not isinstance(answer, dict) or not isinstance(answer.get("dataset"), list):
            return None
        return Found(
            adapter="dcat",
            url=f"{page.base}/data.json",
            title=page.title or self.host,
            said="a data portal with a DCAT catalogue",
        )

    async def _ogc(self, page: _Page) -> Found | None:
        joint = "&" if "?" in self.url else "?"
        payload = await self.probe(page.json or f"{self.url}{joint}f=json")
        if payload is None or kind_of(payload.body) != "json":
            return None
        found = self.of_json(payload)
        if found is None or found.adapter != "ogc_api":
            return None
        # The page in JSON is what the source reads; the other is for people.
        return await self.of_what(replace(found, url=payload.url, languages=page.languages))

    async def _linked_feed(self, page: _Page) -> Found | None:
        for link in page.feeds[:1]:
            answer = await self.probe(link)
            title = self._feed_title(answer) if answer is not None else None
            if title is not None:
                return Found(
                    adapter="feed",
                    url=link,
                    title=title,
                    said="a site with a feed",
                    languages=page.languages,
                )
        return None

    async def _json(self, url: str) -> Json:
        payload = await self.probe(url)
        if payload is None or kind_of(payload.body) != "json":
            return None
        try:
            return jsons.read(payload, Counter())
        except ProtocolError:
            return None


class _Page:
    """What a page tells of the platform that made it."""

    def __init__(self, payload: Payload) -> None:
        parts = urlsplit(payload.url)
        self.url = payload.url.partition("?")[0].partition("#")[0]
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.title = page_title(payload.body)
        self._text = payload.body[: 1 << 20].decode("utf-8", "replace").lower()
        headers = {name.lower(): value for name, value in payload.headers.items()}
        self._made_by = headers.get("x-generator", "").lower()
        self.languages: tuple[str, ...] = ()
        self.feeds: list[str] = []
        self.api: str | None = None
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
                self._made_by += " " + (meta.get("content") or "").lower()
        for link in root.iter("link"):
            rel, href = (link.get("rel") or "").lower(), link.get("href")
            if not href:
                continue
            if rel in ogc_api.RELATIONS:
                self.is_ogc = True
            if rel in ("alternate", "self") and (link.get("type") or "") == "application/json":
                self.json = self.json or urljoin(payload.url, href)
            if "https://api.w.org/" in rel:
                self.api = urljoin(payload.url, href)
            elif "alternate" in rel.split() and (link.get("type") or "").lower() in _FEEDS:
                self.feeds.append(urljoin(payload.url, href))

    @property
    def says_bioland(self) -> bool:
        """Whether the page or its host bears Bioland's name."""
        return "bioland" in self._text or "chm-cbd.net" in self.base

    def marks(self) -> list[str]:
        """The adapters its marks speak for, the surest first."""
        path = urlsplit(self.url).path.lower()
        signs = {
            "ogc_api": self.is_ogc or "pygeoapi" in self._text or "ldproxy" in self._text,
            "wordpress": self.api is not None or "wordpress" in self._made_by,
            "ptk": "/portal_syndication/" in self._text or "naaya" in self._text,
            "ckan": "ckan" in self._made_by,
            "bioland": self.says_bioland,
            "dcat": "dkan" in self._text or "dkan" in self._made_by,
            "drupal": "drupal" in self._made_by and "drupal 7" not in self._made_by,
            "oai_pmh": bool(re.search(r"oai|/request/?$", path)),
            "feed": "drupal 7" in self._made_by and bool(self.feeds),
        }
        return [name for name, there in signs.items() if there]
