"""Repositories: their OAI-PMH behind any address that is pasted, or behind their home page."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, urlencode

from adapters.detection.look import Found, Look
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.fetch.sniff import kind_of

if TYPE_CHECKING:
    from adapters.detection.page import Page

_DATA = Path(__file__).with_name("repositories.toml")
_ARGUMENTS = frozenset(
    ("verb", "metadataprefix", "set", "from", "until", "resumptiontoken", "identifier")
)
"""Arguments of OAI-PMH 2.0 (§4), in small letters; all others belong to the base URL."""
_VERBS = frozenset(
    ("identify", "listmetadataformats", "listsets", "listidentifiers", "listrecords", "getrecord")
)
CANDIDATES = 3
"""Addresses at most at which the repository of a page is looked for..."""
DOUBTFUL = 2
"""...and if only the looks of the page speak for one."""
_JOURNAL = re.compile(r"(https?://[^/]+(?:/[^?#]*?)?/index\.php/(?!index\b)[\w.-]+)")
"""The address of a journal of OJS, and what follows."""


def base_of(url: str) -> str:
    """The base URL of a repository (OAI-PMH 2.0 §3.1.1) in an address with a question in it: what
    is no argument of OAI-PMH stays (``?mode=oaipmh``), as it is written."""
    before, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and not _is_argument(part)]
    return before + (f"?{'&'.join(kept)}" if kept else "")


def _is_argument(part: str) -> bool:
    return part.partition("=")[0].strip().lower() in _ARGUMENTS


def set_of(url: str) -> str | None:
    """The set that a pasted question asks for."""
    asked = dict(parse_qsl(urlsplit(url).query))
    return asked.get("set") if "verb" in asked else None


def is_question(url: str) -> bool:
    """Whether an address is a question in OAI-PMH."""
    asked = {name.lower(): value.lower() for name, value in parse_qsl(urlsplit(url).query)}
    return asked.get("verb") in _VERBS


async def ask(look: Look, url: str) -> Found | None:
    """The repository at an address, asked to identify itself."""
    from adapters.detection import answers

    base = base_of(url)
    joint = "&" if "?" in base else "?"
    payload = await look.probe(f"{base}{joint}{urlencode({'verb': 'Identify'})}")
    if payload is None or kind_of(payload.body) != "xml":
        return None
    found = answers.of_xml(look, payload, url)
    return found if found is not None and found.adapter == "oai_pmh" else None


# --- behind a page -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Software:
    """A software of repositories: how its pages show it, and where its OAI-PMH is."""

    name: str
    marks: tuple[re.Pattern[str], ...]
    signs: tuple[re.Pattern[str], ...]
    paths: tuple[str, ...]

    def made(self, page: Page) -> bool:
        """Whether a page is of it. What a page says of its maker comes before what it looks like:
        a page may speak of software that did not make it."""
        if self.named(page):
            return True
        if page.made_by and self.marks:
            return False
        return any(sign.search(page.text) for sign in self.signs)

    def named(self, page: Page) -> bool:
        """Whether a page names it as its maker."""
        return any(mark.search(page.made_by) for mark in self.marks)


@cache
def software() -> tuple[Software, ...]:
    """All software that is known."""
    rows = tomllib.loads(_DATA.read_text("utf-8"))["software"]
    return tuple(
        Software(
            row["name"],
            tuple(re.compile(mark) for mark in row["marks"]),
            tuple(re.compile(sign) for sign in row["signs"]),
            tuple(row["paths"]),
        )
        for row in rows
    )


def maker(page: Page) -> Software | None:
    """The software of repositories that made a page, if one did."""
    return next((one for one in software() if one.made(page)), None)


def candidates(page: Page) -> Iterator[str]:
    """Addresses at which the repository of a page may answer, the likeliest first: those that it
    links to, then those that its software has."""
    for link in page.links:
        if is_question(link) and _is_near(link, page.url):
            yield base_of(link)
    if (made := maker(page)) is not None:
        for path in made.paths:
            if "{journal}" in path:
                yield from (path.format(journal=journal) for journal in _journals(page))
            elif path.startswith("."):
                yield urljoin(page.url, path[1:])
            else:
                yield urljoin(page.base, path)
                yield _in_folder(page, path)


def _is_near(link: str, url: str) -> bool:
    """Whether a link leads to the site of a page or to a part of it, and not to another's."""
    there, here = (f".{urlsplit(address).hostname or ''}" for address in (link, url))
    return there.endswith(here.removeprefix(".www")) or here.endswith(there)


def _in_folder(page: Page, path: str) -> str:
    """A path below the first folder of a page: an application need not be at the site's root."""
    first = urlsplit(page.url).path.strip("/").split("/")[0]
    return f"{page.base}/{first}{path}" if first and "." not in first else urljoin(page.base, path)


def _journals(page: Page) -> Iterator[str]:
    """The journal that a page of OJS belongs to; of a page of several the site as a whole, whose
    repository has all journals."""
    whole = f"{page.base}/index.php/index"
    own = _JOURNAL.match(page.url)
    listed = {made[1] for link in page.links if (made := _JOURNAL.match(link))}
    if own:
        yield own[1]
    elif len(listed) == 1:
        yield from listed
    elif listed:
        yield whole
    # With pretty addresses a journal is a folder, or the site itself.
    yield page.url.rstrip("/")
    yield whole


async def behind(look: Look, page: Page) -> Found | None:
    """The repository whose page this is."""
    made = maker(page)
    sure = made is None or made.named(page)
    most = CANDIDATES if sure else DOUBTFUL
    for url in list(dict.fromkeys(candidates(page)))[:most]:
        found = await ask(look, url)
        if found is not None:
            return found
    if made is not None:
        look.tried.append(f"a page of {made.name} whose OAI-PMH does not answer")
    return None
