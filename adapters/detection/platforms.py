"""Platforms behind a page: each is asked one thing that only it answers."""

from __future__ import annotations

from dataclasses import replace

from adapters.detection import answers
from adapters.detection.look import Found, Look
from adapters.detection.page import Page
from chm_hub.addresses import urljoin
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch.sniff import kind_of
from harvesters import dcat, ogc_api

_PREFIXES = {"zh": "zh-hans", "tl": "fil"}
"""Languages that a Bioland site's front and its API call differently."""
_BIOLAND_TYPES = {2, 3}
"""Content types that every Bioland site of the second generation has: news and events."""


async def bioland(look: Look, page: Page) -> Found | None:
    """A Bioland site of either generation."""
    lang = page.languages[0] if page.languages else ""
    prefix = f"/{_PREFIXES.get(lang, lang)}" if lang else ""
    tags = await look.json(f"{page.base}{prefix}/jsonapi/taxonomy_term/tags?jsonapi_include=1")
    rows = tags.get("data") if isinstance(tags, dict) else None
    kinds = {row.get("drupal_internal__tid") for row in rows or [] if isinstance(row, dict)}
    said = "a Bioland site"
    if not kinds >= _BIOLAND_TYPES:
        if not page.says_bioland:
            return None
        # The first generation has a node type for each kind of content.
        nodes = await look.json(f"{page.base}/jsonapi/node/document?page[limit]=1")
        if not isinstance(nodes, dict) or "data" not in nodes:
            return None
        said = "a Bioland site of the first generation"
    return _site(look, page, "bioland", page.base, said)


async def ptk(look: Look, page: Page) -> Found | None:
    """A portal made with the CHM Portal Toolkit."""
    base = page.url.rstrip("/")
    url = f"{base}/portal_syndication/latestnews_rdf"
    answer = await look.probe(url)
    if answer is None or kind_of(answer.body) != "xml":
        return None
    if answers.of_feed(look, answer, url) is None:
        return None
    return _site(look, page, "ptk", base, "a portal made with the CHM Portal Toolkit (Naaya)")


async def drupal(look: Look, page: Page) -> Found | None:
    """Drupal with its JSON:API open."""
    answer = await look.json(f"{page.base}/jsonapi")
    if not isinstance(answer, dict) or "jsonapi" not in answer:
        return None
    return _site(look, page, "drupal", page.base, "Drupal with JSON:API")


async def ckan(look: Look, page: Page) -> Found | None:
    """A CKAN data portal."""
    answer = await look.json(f"{page.base}/api/3/action/status_show")
    if not isinstance(answer, dict) or "ckan_version" not in (answer.get("result") or {}):
        return None
    title = str(answer["result"].get("site_title") or page.title or look.host)
    return Found(adapter="ckan", url=page.base, title=title, said="a CKAN data portal")


async def catalogue(look: Look, page: Page) -> Found | None:
    """A data portal with a DCAT catalogue: the one it links to, or where its software has it."""
    usual = urljoin(page.url, page.catalogue_path or "/data.json")
    for url in [*page.catalogues[:2], usual]:
        answer = await look.probe(url, dcat.ACCEPT)
        if answer is None:
            continue
        found = answers.read(look, answer, kind_of(answer.body), url)
        if found is not None and found.adapter == "dcat":
            title = page.title if found.title == look.host else found.title
            said = "a data portal with a DCAT catalogue"
            return replace(found, title=title or look.host, said=said)
    return None


async def stac(look: Look, page: Page) -> Found | None:
    """A static STAC catalogue behind a page that links to it, such as a list of files."""
    url = page.stac
    answer = await look.probe_json(url) if url is not None else None
    if url is None or answer is None or kind_of(answer.body) != "json":
        return None
    found = answers.of_json(look, answer, url)
    return found if found is not None and found.adapter == "stac" else None


async def ogc(look: Look, page: Page) -> Found | None:
    """An OGC API, by its page in JSON."""
    payload = await look.probe_json(page.json or _with_form(look.url))
    if payload is None or kind_of(payload.body) != "json":
        return None
    # The page in JSON is what the source reads; the other is for people.
    found = answers.of_json(look, payload, payload.url)
    if found is None or found.adapter != "ogc_api":
        return None
    title = page.title if found.title == look.host and page.title else found.title
    return await of_what(look, replace(found, title=title, languages=page.languages))


def _with_form(url: str) -> str:
    """An address that asks for JSON as such servers want it, in place of another form."""
    before, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and not part.startswith("f=")]
    return f"{before}?{'&'.join([*kept, 'f=json'])}"


async def of_what(look: Look, found: Found) -> Found | None:
    """An OGC API with what it holds: the records of its catalogues, or else its collections."""
    try:
        what, title = await ogc_api.look(look.probe_json, found.url)
    except (FetchError, ProtocolError) as error:
        look.tried.append(error.reason)
        return None
    said = {
        "records": "an OGC API with a catalogue of records",
        "features": "a collection of an OGC API, each feature a record",
        "collections": "an OGC API whose collections are data sets",
    }[what]
    return replace(found, options={"what": what}, said=said, title=title or found.title)


def _site(look: Look, page: Page, adapter: str, url: str, said: str) -> Found:
    title = page.title or look.host
    return Found(adapter=adapter, url=url, title=title, said=said, languages=page.languages)
