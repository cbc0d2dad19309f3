"""A portal made with WordPress: by its API wherever that is, or by all that its sitemap lists."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from adapters import wordpress_addresses
from adapters.detection import answers
from adapters.detection.look import JSON, Found, Look
from adapters.detection.page import Page
from chm_hub.document import Json
from chm_hub.errors import ProtocolError
from chm_hub.fetch.sniff import kind_of
from harvesters import feed, jsons
from harvesters.robots import Robots
from mappings import detection, markup

_SITEMAPS = ("/wp-sitemap.xml", "/?sitemap=index", "/sitemap_index.xml")
"""Where WordPress has its sitemap, with readable addresses and with plain ones (since 5.5), and
where plugins for search engines have it."""
_REFUSALS = (401, 403, 404, 410)
_SAMPLE = 30
"""Entries of which the languages are looked at."""
_NOT_THERE = ("HTTP 404", "a page ")
"""How refusals begin that say only that the API is not under this address."""
_CLOSED = "WordPress' REST API is closed"


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer of the API: its value, or why there is none."""

    value: Json = None
    no: str | None = None
    languages: tuple[str, ...] = ()
    """Those of the entries in it."""


async def ask(look: Look, page: Page) -> Found | None:
    """WordPress with its REST API open to us."""
    no = None
    for base, route in _places(page):
        said = await _open(look, base, route)
        if said.no is None and said.value is not None:
            # What a page says of its language is the theme's word; entries show theirs.
            languages = said.languages or page.languages
            return replace(answers.wordpress(look, base, said.value), languages=languages)
        if said.no is not None and (no is None or "," not in no):
            no = said.no  # WordPress' own words say most
        if said.no is not None and not said.no.startswith(_NOT_THERE):
            break  # it says no to us, and would so elsewhere
    if no is not None and is_one(page):
        look.tried.append(f"{_CLOSED} ({no})")
    return None


async def of_api(look: Look) -> Found | None:
    """WordPress, by the address of anything in its API."""
    base, route = wordpress_addresses.base_of(look.url), wordpress_addresses.route_of(look.url)
    said = await _open(look, base, route) if route is not None else _Answer()
    if said.value is None:
        return None
    return replace(answers.wordpress(look, base, said.value), languages=said.languages)


def is_one(page: Page) -> bool:
    """Whether a page shows that WordPress made it."""
    if page.api is not None or "wordpress" in page.made_by:
        return True
    return wordpress_addresses.base_in(page.text, page.url) is not None


async def closed(look: Look, page: Page, rules: Robots) -> Found | None:
    """WordPress without its API: the sitemap with all its pages."""
    if not is_one(page):
        return None
    base = _base(page)
    usual = [f"{base}{path}" for path in _SITEMAPS]
    if page.api is not None and wordpress_addresses.route_of(page.api) == "query":
        usual = [usual[1], usual[0], usual[2]]
    look.left = max(look.left, len(_SITEMAPS))
    why = next((said for said in look.tried if said.startswith(_CLOSED)), None)
    for url in dict.fromkeys([*rules.sitemaps, *usual]):
        if not rules.allows(url):
            continue
        answer = await look.probe(url)
        if answer is None or kind_of(answer.body) != "xml":
            continue
        made = answers.of_xml(look, answer, url)
        if made is not None and made.adapter == "sitemap":
            said = f"{why or 'WordPress without a REST API'}; its sitemap lists all its pages"
            title = page.title or look.host
            languages = await _of_feed(look, page) or page.languages
            return replace(made, title=title, said=said, languages=languages)
    look.left = max(look.left, 2)  # for its feed
    return None


def _places(page: Page) -> Iterator[tuple[str, str]]:
    """The addresses and routes under which the API may be, the likeliest first."""
    if page.api is not None:
        yield (
            wordpress_addresses.base_of(page.api),
            wordpress_addresses.route_of(page.api) or "path",
        )
        return
    yield _base(page), "path"
    if is_one(page):
        yield _base(page), "query"


def _base(page: Page) -> str:
    """The address of the portal: what its API is below, or its files, or the page itself."""
    if page.api is not None:
        return wordpress_addresses.base_of(page.api)
    found = wordpress_addresses.base_in(page.text, page.url)
    return found or wordpress_addresses.base_of(page.url)


async def _open(look: Look, base: str, route: str) -> _Answer:
    """What the root of an API says, if its posts are open to us too."""
    root = await _ask(look, wordpress_addresses.api(base, route))
    if root.no is not None or not (isinstance(root.value, dict) and "namespaces" in root.value):
        return _Answer(no=root.no)
    url = wordpress_addresses.api(
        base, route, "wp/v2/posts", per_page=str(_SAMPLE), _fields="id,title,excerpt"
    )
    posts = await _ask(look, url)
    if posts.no is not None:
        return posts
    return replace(root, languages=_languages(posts.value))


def _languages(rows: Json) -> tuple[str, ...]:
    """The languages that some entries of the API are in, the most frequent first."""
    texts = []
    for row in rows if isinstance(rows, list) else []:
        parts = [row.get(key) for key in ("title", "excerpt")] if isinstance(row, dict) else []
        texts.append([part.get("rendered") for part in parts if isinstance(part, dict)])
    return _shown(texts)


async def _of_feed(look: Look, page: Page) -> tuple[str, ...]:
    """The languages that the newest entries are in, by the portal's feed."""
    look.left = max(look.left, 1)
    answer = await look.probe(page.feeds[0]) if page.feeds else None
    if answer is None or kind_of(answer.body) != "xml":
        return ()
    try:
        made, _ = feed.read_feed(answer)
    except ProtocolError:
        return ()
    entries = [document.body["entry"] for document in made.documents]
    keys = ("title", "summary")
    return _shown([(e.get(key) or {}).get("value") for key in keys] for e in entries)


def _shown(texts: Iterable[Iterable[Json]]) -> tuple[str, ...]:
    """The languages that the words of some entries show, the most frequent first."""
    told: Counter[str] = Counter()
    for parts in texts:
        read = (markup.from_html(t, lambda _: None) for t in parts if isinstance(t, str))
        seen = detection.guess(" ".join(str(text) for text in read), ())
        told.update([seen.language] if seen.language else [])
    return tuple(language for language, _ in told.most_common())


async def _ask(look: Look, url: str) -> _Answer:
    """One of the few questions, to the API: an answer that is a refusal says why."""
    payload = await look.probe(url, JSON, (200, *_REFUSALS))
    if payload is None:
        return _Answer()
    value: Json = None
    if kind_of(payload.body) == "json":
        try:
            value = jsons.read(payload, Counter())  # repairs are for harvests to count
        except ProtocolError as error:
            return _Answer(no=error.reason)
    if payload.status == 200:
        return _Answer(value=value, no=None if value is not None else "a page in place of JSON")
    code = value.get("code") if isinstance(value, dict) else None
    return _Answer(no=f"HTTP {payload.status}, {code}" if code else f"HTTP {payload.status}")
