"""Solutions of PANORAMA, by its API or by its public map. See ``docs/adapters/panorama.md``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import blake2b
from typing import Annotated, Literal
from urllib.parse import urlencode

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError, SourceError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.challenge import require_no_challenge
from harvesters import challenge, html, jsons, robots

CROSSWALK = "panorama"
DELETIONS = "absence"
INCREMENTAL = False
SECRET = True
LANGUAGES = ("en", "fr", "es")
"""Those the API has a list for; it answers any other with its English list."""
MAX_PAGES = 1000
MAP = "/rest/explore-solution/json/map"
READ_ALL = timedelta(days=7)
"""After this time every solution's page is read again, changed or not."""
SETTLED = 5
"""So many pages in a row that say nothing new: what the map lists behind them is older."""
KEPT_AT_ONCE = 50
_FIELDS = (
    "field-solution-what-is-your-sol",
    "field-location",
    "field-provider-organisation",
    "field-theme",
)


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    way: Literal["api", "map"] = "api"
    """By the API, which wants a key, or by the map that the site itself shows."""
    countries: list[Annotated[str, Field(pattern="^[A-Z]{2}$")]] = field(default_factory=list)
    """API: only solutions of these countries."""
    parameters: dict[str, str] = field(default_factory=dict)
    """API: further filters, such as ``{ portal_title = "…" }``."""
    first_page: Annotated[int, Field(ge=0, le=1)] = 1
    """API: the number of the first page."""
    pages: bool = True
    """Map: read the page of each solution too."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The solutions, with all their languages in one document."""
    asked = [tag for tag in source.declared.languages if tag in LANGUAGES] or list(LANGUAGES)
    base = source.declared.url.rstrip("/")
    if options.way == "map":
        steps = _Map(base, asked[0], options, fetch, walk).pages()
    else:
        steps = _Api(base, asked, options, fetch, walk, _key(source)).pages()
    async for page in steps:
        yield page
    walk.covers_all = True
    walk.complete = walk.short is None


def _key(source: Source) -> str:
    """The API's key. Raises :class:`FetchError` (reason ``secret``) that names what to set."""
    try:
        key = source.secret()
    except SourceError as error:
        raise FetchError(str(error), reason="secret") from error
    if key is None:
        raise FetchError(
            f'{source.path}: PANORAMA\'s API wants a key. Say where it is (secret = "env:NAME") '
            'and set it, or harvest the map ([options] way = "map").',
            reason="secret",
        )
    return key


# --- the API -----------------------------------------------------------------------------


class _Api:
    """Walks the list of each language and puts together what is of one solution."""

    def __init__(
        self,
        base: str,
        languages: list[str],
        options: Options,
        fetch: Fetch,
        walk: Walk,
        key: str,
    ) -> None:
        self.base = base
        self.languages = languages
        self.options = options
        self.fetch = fetch
        self.walk = walk
        self.key = key
        self.solutions: dict[str, dict[str, Json]] = {}
        """By identifier, what each language's list says of it."""
        self.given: set[str] = set()

    async def pages(self) -> AsyncIterator[Page]:
        # A solution is whole when every list was read. The longest list, that of the main
        # language, comes last and is given page by page; of the others it is only what the
        # main one lacks that waits for its end.
        main, *others = self.languages
        waiting = [step for lang in others async for step in self._list(lang)]
        async for payload, names, rejects, total in self._list(main):
            yield Page(
                payloads=[payload], documents=self._documents(names), rejects=rejects, total=total
            )
        for payload, names, rejects, _ in waiting:
            yield Page(payloads=[payload], documents=self._documents(names), rejects=rejects)

    async def _list(
        self, lang: str
    ) -> AsyncIterator[tuple[Payload, list[str], list[Reject], int | None]]:
        """The answers of one list, with the identifiers of the solutions in each."""
        held: set[str] = set()
        seen: set[bytes] = set()
        met = 0
        for number in range(self.options.first_page, MAX_PAGES):
            payload = challenge.refuse(await self.fetch(self._request(lang, number)))
            digest = blake2b(payload.body, digest_size=16).digest()
            again = digest in seen
            seen.add(digest)
            rows, total = read_list(jsons.read(payload, self.walk.warnings), payload.url)
            names: list[str] = []
            rejects: list[Reject] = []
            for row in rows:
                solution = row.get("solution", row) if isinstance(row, dict) else None
                name = solution.get("id") if isinstance(solution, dict) else None
                if not isinstance(solution, dict) or name in (None, ""):
                    rejects.append(Reject(reason="no_identifier", fragment=_shown(row)))
                    continue
                names.append(str(name))
                told = self.solutions.setdefault(str(name), {})
                told.setdefault(language_of(solution, lang), solution)
            fresh = [name for name in dict.fromkeys(names) if name not in held]
            held.update(fresh)
            met += len(fresh) + len(rejects)
            yield payload, fresh, rejects, total
            if total is not None and met >= total:
                return
            if not rows:
                if total is not None:
                    self.walk.short = f"the list in {lang!r} announced {total} and gave {met}"
                return
            if again or not (fresh or rejects):
                self.walk.short = f"a page of the list in {lang!r} came twice: it goes in circles"
                return
        self.walk.short = f"the limit of {MAX_PAGES} pages was reached"

    def _request(self, lang: str, number: int) -> Request:
        asked = [
            *(("country_iso_2[]", code) for code in self.options.countries),
            *self.options.parameters.items(),
            ("page", str(number)),
        ]
        return Request(
            url=f"{self.base}/{lang}/api/v1/solutions?{urlencode(asked, safe='[]')}",
            headers={"Accept": "application/json"},
            secret_query={"api_key": self.key},
            kinds=("json", "html"),
            accept=challenge.STATUSES,
        )

    def _documents(self, names: list[str]) -> list[Document]:
        fresh = [name for name in names if name not in self.given]
        self.given.update(fresh)
        return [self._document(name) for name in fresh]

    def _document(self, name: str) -> Document:
        told = self.solutions[name]
        translations: list[Json] = []
        for lang in LANGUAGES:
            row = told.get(lang)
            # A language without words of its own is shown in those of another.
            if row is None or any(_says_the_same(row, other["solution"]) for other in translations):
                continue
            translations.append({"lang": lang, "solution": row})
        only = self.options.countries[0] if len(self.options.countries) == 1 else None
        return Document(
            identifier=name,
            body={
                "way": "api",
                "id": name,
                "translations": translations,
                "country": only,
            },
        )


def read_list(answer: Json, url: str) -> tuple[list[Json], int | None]:
    """The rows of an answer and the number it announces.

    Raises :class:`ProtocolError` (reason ``no_list``) for what is no list of solutions.
    """
    rows = answer.get("solutions") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise ProtocolError(
            f"{url}: there is no list under 'solutions' in the answer. Check that the source's url "
            "is that of the site, such as https://panorama.solutions.",
            reason="no_list",
        )
    pager = answer.get("pager")
    count = pager.get("count") if isinstance(pager, dict) else None
    if isinstance(count, str) and count.strip().isdecimal():
        count = int(count)
    if isinstance(count, bool) or not isinstance(count, int):
        count = None
    return rows, count


def language_of(solution: Json, asked: str) -> str:
    """The language of a row: that in its address, where a list stands in with another's
    words; else that of the list."""
    first = urlsplit(str(solution.get("url") or "")).path.strip("/").partition("/")[0]
    return first if first in LANGUAGES else asked


def _says_the_same(one: Json, other: Json) -> bool:
    return all(one.get(key) == other.get(key) for key in ("title", "summary"))


def _shown(row: Json) -> bytes:
    return repr(row).encode("utf-8", "replace")[:4096]


# --- the map -----------------------------------------------------------------------------


class _Map:
    """Reads the map of solutions, then the pages of those that may have changed.

    The map is ordered by the time of the last change, newest first, and does not say when
    that was. So pages are read from its front until some in a row say what they said last
    time; behind those only what is new, or stands elsewhere in the order than it did, is read.
    """

    def __init__(self, base: str, lang: str, options: Options, fetch: Fetch, walk: Walk) -> None:
        self.base = base
        self.lang = lang
        self.options = options
        self.fetch = fetch
        self.walk = walk

    async def pages(self) -> AsyncIterator[Page]:
        asked = urlencode(
            (
                ("keyword", ""),
                ("field_ecosystem", "All"),
                ("sort_by", "changed"),
                ("sort_order", "DESC"),
            )
        )
        payload = challenge.refuse(
            await self.fetch(
                Request(
                    url=f"{self.base}/{self.lang}{MAP}?{asked}",
                    headers={"Accept": "application/json"},
                    kinds=("json", "html"),
                    accept=challenge.STATUSES,
                )
            )
        )
        solutions, rejects = read_map(jsons.read(payload, self.walk.warnings), payload.url)
        bodies = {
            name: {
                "way": "map",
                "id": name,
                "address": f"{self.base}/{self.lang}/node/{name}",
                **solution,
                "page": None,
            }
            for name, solution in solutions.items()
        }
        if self.options.pages and bodies:
            async for page in self._read(bodies):
                yield page
        # Those whose page was not read now; it is as it was.
        rest = [Document(identifier=name, body=body) for name, body in bodies.items()]
        yield Page(payloads=[payload], documents=rest, rejects=rejects, total=len(solutions))

    async def _read(self, bodies: dict[str, dict[str, Json]]) -> AsyncIterator[Page]:
        """Pages of solutions; what is yielded is taken out of ``bodies``."""
        rules = await robots.read(self.fetch, self.base)
        fetch = rules.slowed(self.fetch)
        order = list(bodies)
        memory = self.walk.memory
        last = _moment(memory.get("pages_read"))
        everything = last is None or self.walk.started - last >= READ_ALL
        moved = moved_forward(list(memory.get("order") or []), order)
        kept = await self._kept(order)
        same = 0
        for name in order:
            before = kept.get(name)
            settled = not everything and same >= SETTLED
            if settled and before is not None and name not in moved:
                bodies[name]["page"] = before
                continue
            address = bodies[name]["address"]
            if not rules.allows(address):
                self.walk.warnings["robots"] += 1
                bodies[name]["page"] = before
                continue
            try:
                payload = await fetch(Request(url=address, kinds=("html", "xml")))
                require_no_challenge(payload)
            except (FetchError, ProtocolError) as error:
                if error.ends_walk:
                    raise
                # What was read of it before stays; without that the map's own words do.
                self.walk.warnings["page_not_read"] += 1
                bodies[name]["page"] = before
                continue
            page = read_page(payload)
            repairs = tuple(page.get("repairs", ()))
            self.walk.warnings.update(repairs)
            same = same + 1 if page == before else 0
            body = bodies.pop(name)
            yield Page(
                payloads=[payload],
                documents=[Document(identifier=name, body=body | {"page": page}, repairs=repairs)],
            )
        self.walk.learned["order"] = order
        self.walk.learned["pages_read"] = (
            self.walk.started.isoformat() if everything else memory["pages_read"]
        )

    async def _kept(self, names: list[str]) -> dict[str, Json]:
        """What was read of solutions' pages before."""
        if self.walk.kept is None:
            return {}
        found: dict[str, Json] = {}
        for at in range(0, len(names), KEPT_AT_ONCE):
            documents = await self.walk.kept(names[at : at + KEPT_AT_ONCE])
            for name, document in documents.items():
                body = document.body if isinstance(document.body, dict) else {}
                if isinstance(body.get("page"), dict):
                    found[name] = body["page"]
        return found


def _moment(said: Json) -> datetime | None:
    try:
        return datetime.fromisoformat(said) if isinstance(said, str) else None
    except ValueError:
        return None


def moved_forward(before: list[str], now: list[str]) -> set[str]:
    """What stands further ahead of the others than it did, and what is new."""
    places = {name: place for place, name in enumerate(before)}
    moved: set[str] = set()
    lowest = len(before)
    for name in reversed(now):
        place = places.get(name)
        if place is not None and place < lowest:
            lowest = place
        else:
            moved.add(name)
    return moved


def read_map(answer: Json, url: str) -> tuple[dict[str, dict[str, Json]], list[Reject]]:
    """The solutions of a map by node number, in its order, and what has no number.

    A solution with several places may come several times. Raises :class:`ProtocolError`
    (reason ``no_list``) for what is no collection of features (RFC 7946).
    """
    features = answer.get("features") if isinstance(answer, dict) else None
    if not isinstance(features, list):
        raise ProtocolError(
            f"{url}: there is no list of features in the answer. Check that the source's url is "
            "that of the site, such as https://panorama.solutions.",
            reason="no_list",
        )
    found: dict[str, dict[str, Json]] = {}
    rejects: list[Reject] = []
    for feature in features:
        told = feature.get("properties") if isinstance(feature, dict) else None
        name = told.get("nid") if isinstance(told, dict) else None
        if not isinstance(told, dict) or name in (None, ""):
            rejects.append(Reject(reason="no_identifier", fragment=_shown(feature)))
            continue
        solution = found.setdefault(str(name), {"properties": told, "geometries": []})
        if feature.get("geometry") is not None:
            solution["geometries"].append(feature["geometry"])
    return found, rejects


_LANGUAGE_ROOT = re.compile(r"^/[a-z]{2,3}(?:-[A-Za-z]+)?/?$")


def read_page(payload: Payload) -> dict[str, Json]:
    """What a solution's page says: ``url``, ``lang``, ``title``, and ``fields``, lists of HTML
    by name; ``repairs`` if it had to be repaired to be read."""
    page, repairs = html.tree(payload)
    said = page.css('link[rel="canonical"]::attr(href)').get()
    own = urljoin(payload.url, said.strip()) if said else payload.url
    # A template that names the home page on every page says nothing of this one.
    if not _LANGUAGE_ROOT.sub("", urlsplit(own).path).strip("/"):
        own = payload.url
    lang = re.match(r"[A-Za-z]{2,3}\b", page.css("html::attr(lang)").get() or "")
    fields: dict[str, Json] = {}
    for name in _FIELDS:
        box = page.css(f".field--name-{name}")
        parts = box.css(".field__item") or box
        fields[name] = [part for part in (_inner(p.get()) for p in parts) if part]
    return {
        "url": own,
        "lang": lang[0].lower() if lang else None,
        "title": _inner(page.css("h1").get()),
        "fields": fields,
    } | ({"repairs": repairs} if repairs else {})


def _inner(element: str | None) -> str:
    """The HTML within an element."""
    return re.sub(r"^<[^>]*>|</[^<]*>$", "", (element or "").strip()).strip()
