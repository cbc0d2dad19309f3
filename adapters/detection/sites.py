"""Sites without an API: by their feed, their sitemap, or page by page."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from adapters.detection import answers
from adapters.detection.look import Found, Look
from adapters.detection.page import Page
from chm_hub.addresses import urljoin
from chm_hub.fetch.sniff import kind_of
from harvesters.robots import Robots

_DATA = Path(__file__).with_name("wikis.toml")
CHANGES = (
    "a feed of changes tells which pages were edited last, each time anew, and never those that "
    "nobody edits: the pages are taken instead"
)
"""Why the feed of a wiki is no source."""


async def linked_feed(look: Look, page: Page) -> Found | None:
    """The first feed that a page links to, if it tells news."""
    for link in page.feeds[:1]:
        answer = await look.probe(link)
        found = answers.read(look, answer, kind_of(answer.body), link) if answer else None
        if found is None:
            continue
        if found.adapter == answers.CHANGES:
            look.tried.append(f"{link}: {CHANGES}")
        elif found.adapter == "feed":
            empty = found.said == answers.EMPTY
            said = f"a site whose feed is all there is, {answers.EMPTY}" if empty else ""
            return replace(found, said=said or "a site with a feed", languages=page.languages)
    return None


async def sitemap(look: Look, page: Page, rules: Robots) -> Found | None:
    """The sitemap of a site: the first may be dead, and the second alive."""
    for url in dict.fromkeys([*rules.sitemaps, urljoin(page.base, "/sitemap.xml")]):
        answer = await look.probe(url)
        if answer is None or kind_of(answer.body) != "xml":
            continue
        made = answers.of_xml(look, answer, url)
        if made is not None and made.adapter == "sitemap":
            title = page.title or look.host
            return replace(
                made, title=title, said="a site with a sitemap", languages=page.languages
            )
    return None


# --- wikis ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wiki:
    """A software of wikis."""

    name: str
    mark: str
    scripts: tuple[str, ...]
    start: tuple[str, ...]
    avoid: tuple[str, ...]


@cache
def wikis() -> tuple[Wiki, ...]:
    """All that are known."""
    return tuple(
        Wiki(
            row["name"], row["mark"], tuple(row["scripts"]), tuple(row["start"]),
            tuple(row["avoid"]),
        )
        for row in tomllib.loads(_DATA.read_text("utf-8"))["wiki"]
    )  # fmt: skip


def wiki_of(page: Page) -> Wiki | None:
    """The wiki that made a page, by what the page says of its maker."""
    return next((one for one in wikis() if one.mark in page.made_by), None)


async def wiki(look: Look, page: Page, rules: Robots) -> Found | None:
    """The pages of a wiki: as its sitemap lists them, or by links from its index."""
    made = wiki_of(page)
    if made is None or not rules.allows(look.url):
        return None
    said = f"a wiki ({made.name})"
    if page.feeds:
        said += f"; {CHANGES}"
    found = await sitemap(look, page, rules)
    if found is not None:
        return replace(found, said=said)
    folder = _folder(made, page)
    return Found(
        adapter="html",
        url=page.url,
        title=page.title or look.host,
        said=said,
        languages=page.languages,
        options={
            **({"start": [urljoin(folder, path) for path in made.start]} if made.start else {}),
            "avoid": list(made.avoid),
        },
    )


def _folder(made: Wiki, page: Page) -> str:
    """Where a wiki's scripts are, by the addresses in the page."""
    for script in made.scripts:
        if found := re.search(rf"(?:href|src)=[\"']([^\"'?#]*){re.escape(script)}", page.text):
            return urljoin(page.url, found[1] or "./")
    return page.url
