"""What platform is at an address: at most five polite questions, the look at the address itself
among them, and robots.txt; then a source file's facts. A site whose feed is empty is asked one
more, a WordPress whose API is closed up to six more. See :mod:`adapters.detection`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace

from adapters import oai_formats
from adapters.detection import answers, known, platforms, repositories, sites, wordpress
from adapters.detection.look import PROBES, Found, Look
from adapters.detection.page import Page
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Payload
from chm_hub.fetch import Fetch
from chm_hub.fetch.sniff import kind_of, page_title
from harvesters import robots

__all__ = ["PROBES", "Found", "detect"]

_USUAL = ("bioland", "wordpress", "ptk")
"""Platforms that are asked for without a mark: those of the network's own portals."""
_ASK: dict[str, Callable[[Look, Page], Awaitable[Found | None]]] = {
    "oai_pmh": lambda look, page: repositories.ask(look, look.url),
    "bioland": platforms.bioland,
    "wordpress": wordpress.ask,
    "ptk": platforms.ptk,
    "drupal": platforms.drupal,
    "ckan": platforms.ckan,
    "ogc_api": platforms.ogc,
    "stac": platforms.stac,
    "dcat": platforms.catalogue,
    "feed": sites.linked_feed,
}


async def detect(fetch: Fetch, url: str, wanted: str | None = None) -> Found:
    """Find the platform at an address, or only its title if the adapter is ``wanted``.

    Raises :class:`SourceError` where none of the known platforms answers, :class:`FetchError`
    where nothing answers at all.
    """
    if wanted == "scbd":
        return known.clearing_house(url)
    if wanted is None and (found := known.known(url)) is not None:
        return found
    look = Look(fetch, url)
    payload = await look.probe(url)
    found = await _of_answer(look, payload, wanted)
    if wanted is not None and (found is None or found.adapter != wanted):
        found = _as_said(look, payload, wanted)
    if found is None or found.adapter == answers.CHANGES:
        raise look.nothing()
    return await _told(look, found)


async def _of_answer(look: Look, payload: Payload | None, wanted: str | None) -> Found | None:
    """What the answer of the address leads to."""
    if payload is None:
        return await repositories.ask(look, look.url)
    kind = kind_of(payload.body)
    if kind == "html":
        return await _of_page(look, payload, wanted)
    found = answers.read(look, payload, kind, look.url)
    if found is not None and found.adapter == answers.CSW:
        # pycsw has OAI-PMH beside it, under the same address.
        return await repositories.ask(look, f"{look.url.partition('?')[0]}?mode=oaipmh")
    if kind == "xml" and (found is None or (found.adapter == "oai_pmh" and not found.hosts)):
        # An answer to another question than Identify says neither its name nor its hosts.
        found = _with_set(found, await repositories.ask(look, look.url)) or found
    if found is None:
        return await wordpress.of_api(look)
    if found.adapter == "ogc_api":
        return await platforms.of_what(look, found)
    if wanted is None and (found.adapter == answers.CHANGES or found.said == answers.EMPTY):
        return await _better(look, found)
    return found


def _with_set(first: Found | None, found: Found | None) -> Found | None:
    """A repository with the set that the pasted question asked for."""
    if first is None or found is None:
        return found
    return replace(found, options={**first.options, **found.options})


async def _better(look: Look, found: Found) -> Found | None:
    """What the site of a feed of no use has instead: an empty feed is taken if there is nothing
    better, a feed of changes never."""
    if found.adapter == answers.CHANGES:
        look.tried.append(f"{look.url}: {sites.CHANGES}")
    home = await look.probe(_home(look.url))
    if home is None or kind_of(home.body) != "html":
        return found
    # Without the questions that no mark speaks for: more of them are not left.
    made = await _of_page(look, home, None, usual=())
    return made if made is not None and made.said != answers.EMPTY else found


def _home(url: str) -> str:
    """Where the pages of a feed's site begin: the folder of its script, or the site's root."""
    path = urlsplit(url).path
    return urljoin(url, "./" if path.endswith(".php") else "/")


async def _of_page(
    look: Look, payload: Payload, wanted: str | None, usual: tuple[str, ...] = _USUAL
) -> Found | None:
    """The platform behind a page: asked first what its marks suggest."""
    page = Page(payload)
    rules = await robots.read(look.fetch, look.url)
    if wanted is not None:
        found = await _ASK[wanted](look, page) if wanted in _ASK else None
        if wanted == "oai_pmh" and found is None:
            found = await repositories.behind(look, page)
        if wanted == "sitemap" and rules.allows(look.url):
            found = await sites.sitemap(look, page, rules)
        return found
    if (found := await sites.wiki(look, page, rules)) is not None:
        return found
    if (found := await repositories.behind(look, page)) is not None:
        return found
    empty = None
    for name in dict.fromkeys([*page.marks(), *usual, "feed"]):
        found = await _ASK[name](look, page)
        if found is None and name == "wordpress":
            found = await wordpress.closed(look, page, rules)
        if found is not None and found.adapter == "feed" and answers.EMPTY in found.said:
            # It was no answer: one question more may find what is better.
            empty, look.left = found, look.left + 1
        elif found is not None:
            return found
    if rules.allows(look.url) and (found := await sites.sitemap(look, page, rules)) is not None:
        return found
    return empty


def _as_said(look: Look, payload: Payload | None, wanted: str) -> Found:
    """A source of the adapter that the user names, though nothing shows that it is one."""
    html = payload is not None and kind_of(payload.body) == "html"
    title = page_title(payload.body) if payload is not None and html else ""
    said = f"taken as {wanted} as you say"
    return Found(adapter=wanted, url=look.url, title=title or look.host, said=said)


async def _told(look: Look, found: Found) -> Found:
    """What was found; of a repository with its own name and the format to ask for."""
    if found.adapter != "oai_pmh":
        return found
    # Two questions more: what a repository offers decides what its records say.
    offer = await oai_formats.look(found.url, look.get)
    options = {**found.options, **({"metadata_prefix": offer.prefix} if offer.prefix else {})}
    title = offer.title or found.title
    return replace(found, title=title, options=options, said=f"{found.said}; {offer.said}")
