"""Portals made with WordPress, through its REST API. See ``docs/adapters/wordpress.md``.

What a portal calls its entries is no name to rely on: guids are made when an entry is, and may
hold the host it was written on. The number of an entry stays; type and number name it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import ConfigDict, Field, with_config

from adapters import wordpress_addresses
from adapters.source import CommonOptions, Source
from adapters.wordpress_addresses import ROUTES
from adapters.wordpress_recent import NEWEST, Ask, Recent, parameters
from chm_hub.addresses import urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import absent, html, jsons, page_numbers
from harvesters.parts import Parts

CROSSWALK = "wordpress"
DELETIONS = "absence"
INCREMENTAL = True
_REFUSALS = (401, 403, 404, 410)
_GONE = frozenset({"rest_post_invalid_id", "rest_forbidden", "rest_cannot_read"})
_NO_ROUTE = "rest_no_route"
_UNWANTED = ("_links", "_embedded", "guid", "ping_status", "comment_status", "meta", "template",
             "yoast_head", "rank_math", "aioseo", "jetpack", "class_list", "footnotes")  # fmt: skip
"""How keys begin that say nothing of the thing, or say it for other machines. What has
``author`` in its name is about persons."""
_OWN_TERMS = frozenset({"language", "post_format", "post_translations", "translation_priority"})
"""Taxonomies with which WordPress and its plugins mark entries for themselves."""
_OWN_TYPES = ("attachment", "nav_menu", "wp_", "elementor", "e-", "oembed", "customize", "user_")
"""How types begin that no reader ever sees."""
_DATES = ("modified_gmt", "date_gmt")
_ALIKE = 10
"""So many entries that are the same in two languages are no coincidence."""
_TEXTS = ("title", "excerpt", "content", "description", "caption")
"""What an entry says to readers."""
_SHOWN = ("title", "excerpt", "content", "link")
"""What a translation has of its own."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    types: Annotated[list[str], Field(min_length=1)] = field(
        default_factory=lambda: ["posts", "pages"]
    )
    """The kinds of entries, by their names in the API; a portal may have its own. ``*`` stands
    for all it has."""
    languages_by: Literal["none", "query", "prefix"] = "none"
    """How a portal in several languages is asked for them: by ``?lang=``, under
    ``/fr/wp-json``, or not at all, since entries of every language come in one list."""
    per_page: Annotated[int, Field(ge=1, le=100)] = 100
    """Entries in one answer; WordPress gives 100 at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Door:
    """One portal's API."""

    base: str
    route: str
    options: Options
    languages: tuple[str, ...]

    def address(self, path: str, lang: str | None = None) -> str:
        """Where something is to be asked for."""
        prefix = f"/{lang}" if lang is not None and self.options.languages_by == "prefix" else ""
        return f"{self.base}{prefix}{ROUTES[self.route]}wp/v2/{path}"

    def asked(self) -> list[str | None]:
        """The languages to ask for one by one."""
        one = self.options.languages_by == "none" or not self.languages
        return [None] if one else list(self.languages)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Row:
    """An entry as it came, in the language it was asked for."""

    number: int
    lang: str | None
    entry: dict[str, Json]
    payload: Payload


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The entries of a portal, type by type.

    Raises :class:`ProtocolError` (reason ``no_api``) for a portal that has the API switched off.
    """
    known = str(walk.memory.get("route"))
    routes = sorted(ROUTES, key=lambda route: route != known)
    walk.next_since = walk.started
    failures: list[FetchError | ProtocolError] = []
    for route in routes:
        door = _Door(
            base=wordpress_addresses.base_of(source.declared.url),
            route=route,
            options=options,
            languages=tuple(source.declared.languages),
        )
        begun, before = False, walk.warnings.copy()
        try:
            async for page in _walk(source, door, fetch, walk):
                begun = True
                yield page
        except (FetchError, ProtocolError) as error:
            if begun or not _closed(error):
                raise
            failures.append(error)
            if _is_a_no(error):
                break  # somebody means us
            # What was odd under a route that is none says nothing of the portal.
            walk.warnings.clear()
            walk.warnings.update(before)
            continue
        walk.learned["route"] = route if route != "path" else None
        return
    raise _without_api(failures[0], source) from failures[0]


def _closed(error: FetchError | ProtocolError) -> bool:
    """Whether an error says that no API is there for us, rather than that something broke."""
    if isinstance(error, FetchError):
        return error.status in _REFUSALS
    return error.reason == "html" or _is_a_no(error)


def _is_a_no(error: FetchError | ProtocolError) -> bool:
    """Whether an error is WordPress's own, or a door shut in our face."""
    if isinstance(error, FetchError):
        return error.status in (401, 403)
    return isinstance(error, page_numbers.RefusedError) and error.status in _REFUSALS


async def _walk(source: Source, door: _Door, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """All lists, then those entries that are no longer in them."""
    kinds = await _kinds(door, fetch, walk)
    at = walk.checkpoint or {}
    listed: set[str] = set()
    missing: dict[str, page_numbers.RefusedError] = {}
    parts = Parts(walk)
    recent = Recent(walk)
    lists = recent.lists(kinds)
    first = min(int(at.get("list", 0)), len(lists))
    number = first - 1
    while (number := number + 1) < len(lists):
        kind, ask = lists[number]
        if kind in missing:
            continue
        start = at if number == first else {}
        try:
            async for page in _list(door, fetch, walk, kind, start, listed, ask, recent):
                following = {"list": number + 1} if number + 1 < len(lists) else None
                more = page.checkpoint
                parts.answered()
                yield Page(
                    payloads=page.payloads,
                    documents=page.documents,
                    rejects=page.rejects,
                    checkpoint=following if more is None else {"list": number, **more},
                    total=page.total if len(lists) == 1 else None,
                )
        except page_numbers.RefusedError as error:
            if error.code == _NO_ROUTE:
                walk.warnings[f"type_missing: {kind}"] += 1
                missing[kind] = error
            else:
                parts.set_aside(kind, error)
        except (FetchError, ProtocolError) as error:
            if _is_a_no(error) and not parts.alive:
                raise  # somebody means us
            parts.set_aside(kind, error)
        if walk.short is not None:
            return
        if ask is Ask.NEWEST and recent.lacks(kind, listed):
            # Imports may fill numbers that were free, with dates long gone.
            lists.append((kind, Ask.ALL))
    if missing and len(missing) == len(set(kinds)):
        raise next(iter(missing.values()))
    parts.conclude()
    if walk.short is not None:
        return
    # Of a type that is not there for now, nothing is known.
    whole = walk.since is None and walk.checkpoint is None and not missing
    if whole and source.deletions == "absence":
        async for page in absent.ask_for(walk, listed, partial(_gone, fetch, door)):
            yield page
    recent.remember(kinds, listed)
    walk.covers_all = whole
    walk.complete = True


async def _kinds(door: _Door, fetch: Fetch, walk: Walk) -> list[str]:
    """The types to read; where all are wanted the portal is asked for them, in whole walks."""
    wanted = door.options.types
    if "*" not in wanted:
        return wanted
    remembered = walk.memory.get("types")
    if walk.since is not None and isinstance(remembered, list):
        return [str(kind) for kind in remembered]
    payload = await fetch(
        Request(
            url=door.address("types"),
            headers={"Accept": "application/json"},
            kinds=("json",),
        )
    )
    answer = jsons.read(payload, walk.warnings)
    told = answer.values() if isinstance(answer, dict) else []
    found = [
        str(one["rest_base"])
        for one in told
        if isinstance(one, dict)
        and one.get("rest_base")
        and one.get("rest_namespace", "wp/v2") == "wp/v2"
        and not str(one.get("slug")).startswith(_OWN_TYPES)
    ]
    kinds = list(dict.fromkeys([*found, *(kind for kind in wanted if kind != "*")]))
    if not found:
        raise ProtocolError(
            f"{payload.url}: no types of entries in the answer. Name them under `types`.",
            reason="no_list",
        )
    walk.learned["types"] = kinds
    return kinds


async def _list(
    door: _Door,
    fetch: Fetch,
    walk: Walk,
    kind: str,
    start: dict[str, Json],
    listed: set[str],
    ask: Ask,
    recent: Recent,
) -> AsyncIterator[Page]:
    """The entries of one type that one question asks for, all of its languages."""
    if ask is Ask.NEWEST:
        async for page in _newest(door, fetch, walk, kind, listed, recent):
            yield page
        return
    totals: dict[str | None, int] = {}
    async for page in _in_order(door, fetch, walk, kind, start, listed, ask, totals):
        yield page
    if ask is Ask.ALL:
        recent.count(kind, totals.values())


async def _newest(
    door: _Door, fetch: Fetch, walk: Walk, kind: str, listed: set[str], recent: Recent
) -> AsyncIterator[Page]:
    """The entries with higher numbers than any before, whatever dates they have."""
    payloads: list[Payload] = []
    rejects: list[Reject] = []
    rows: list[_Row] = []
    totals: list[int] = []
    for lang in door.asked():
        question = _question(door, walk, kind, lang, Ask.NEWEST)
        first = True
        async for answer in page_numbers.pages(fetch, walk, question):
            found, unnamed = _read(answer, lang)
            if first and answer.total is not None:
                totals.append(answer.total)
            first = False
            fresh = [row for row in found if recent.is_new(kind, row.number)]
            payloads.append(answer.payload)
            rejects += unnamed if fresh else []
            rows += fresh
            if len(fresh) < len(found):
                break
    recent.count(kind, totals)
    rows.sort(key=lambda row: row.number)
    taken = [row for row in rows if f"{kind}-{row.number}" not in listed]
    if taken:
        yield replace(_page(door, walk, kind, taken, payloads, listed), rejects=rejects)


async def _in_order(
    door: _Door,
    fetch: Fetch,
    walk: Walk,
    kind: str,
    start: dict[str, Json],
    listed: set[str],
    ask: Ask,
    totals: dict[str | None, int],
) -> AsyncIterator[Page]:
    """The entries of one type, the lists of all languages beside each other.

    Plugins either have an entry of its own for each language, or one that answers in the
    language it is asked for: then its answers are one document. All lists are in the order of
    numbers, so that the answers of an entry come together however the pages are cut.
    """
    streams = {
        lang: page_numbers.pages(fetch, walk, _question(door, walk, kind, lang, ask), start)
        for lang in door.asked()
    }
    waiting: dict[str | None, list[_Row]] = {lang: [] for lang in streams}
    while streams or any(waiting.values()):
        payloads: list[Payload] = []
        rejects: list[Reject] = []
        following: dict[str, Json] | None = None
        total: int | None = None
        for lang in list(streams):
            while lang in streams and not waiting[lang]:
                rows = await anext(streams[lang], None)
                if rows is None:
                    del streams[lang]
                    continue
                waiting[lang], unnamed = _read(rows, lang)
                payloads.append(rows.payload)
                rejects += unnamed
                following, total = rows.following, rows.total
                if total is not None:
                    totals[lang] = total
        # As far as this the lists that go on are known.
        known = min((max(r.number for r in waiting[lang]) for lang in streams), default=None)
        taken = [
            row for rows in waiting.values() for row in rows if known is None or row.number <= known
        ]
        waiting = {
            lang: [row for row in rows if known is not None and row.number > known]
            for lang, rows in waiting.items()
        }
        if not payloads and not taken:
            return
        met = len(taken)
        if ask is not Ask.ALL or walk.since is not None:
            # What another question gave already comes again here.
            taken = [row for row in taken if f"{kind}-{row.number}" not in listed]
        payloads += [row.payload for row in taken]
        page = _page(door, walk, kind, taken, list({id(p): p for p in payloads}.values()), listed)
        if taken and not page.documents and met == len(taken):
            walk.short = "a page came twice: the list sends us round in circles"
            return
        alone = len(door.asked()) == 1
        # The places in several lists are not one place: such a list begins anew.
        place = following if alone else {} if streams else None
        yield replace(
            page,
            rejects=rejects,
            checkpoint=place,
            total=total if alone else None,
        )


def _in_shape(row: dict[str, Json]) -> dict[str, Json]:
    """An entry with its texts as WordPress has them: filters of plugins may make plain strings of
    them, or leave what was typed alone (``raw``)."""
    made = dict(row)
    for key in _TEXTS:
        told = row.get(key)
        if isinstance(told, str):
            made[key] = {"rendered": told}
        elif (
            isinstance(told, dict) and not told.get("rendered") and isinstance(told.get("raw"), str)
        ):
            made[key] = {**told, "rendered": told["raw"]}
    return made


def _read(rows: page_numbers.Rows, lang: str | None) -> tuple[list[_Row], list[Reject]]:
    """The entries of an answer, and what has no number."""
    found: list[_Row] = []
    rejects: list[Reject] = []
    for row in rows.rows:
        number = row.get("id")
        if isinstance(number, bool) or not str(number).isascii() or not str(number).isdigit():
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
        else:
            found.append(
                _Row(number=int(str(number)), lang=lang, entry=_in_shape(row), payload=rows.payload)
            )
    return found, rejects


def _question(
    door: _Door, walk: Walk, kind: str, lang: str | None, ask: Ask
) -> page_numbers.Options:
    asked = [*parameters(ask, walk.since), ("_embed", "wp:term,wp:featuredmedia")]
    if lang is not None and door.options.languages_by == "query":
        asked.append(("lang", lang))
    return page_numbers.Options(
        url=door.address(kind, lang),
        parameters=tuple(asked),
        size=min(door.options.per_page, NEWEST) if ask is Ask.NEWEST else door.options.per_page,
        refusals=_REFUSALS,
    )


def _stamped(entry: dict[str, Json]) -> str | None:
    return next((str(entry[k]) for k in _DATES if entry.get(k)), None)


def _stamp(row: _Row) -> str:
    return _stamped(row.entry) or ""


def _page(
    door: _Door,
    walk: Walk,
    kind: str,
    taken: Sequence[_Row],
    payloads: list[Payload],
    listed: set[str],
) -> Page:
    """The documents of some entries; those that were met before are counted and left out."""
    found: dict[str, list[_Row]] = {}
    for row in taken:
        versions = found.setdefault(f"{kind}-{row.number}", [])
        twin = next((n for n, other in enumerate(versions) if other.lang == row.lang), None)
        if twin is None:
            versions.append(row)
            continue
        walk.warnings["identifier_twice"] += 1
        if _stamp(row) > _stamp(versions[twin]):
            versions[twin] = row
    if again := found.keys() & listed:
        walk.warnings["identifier_twice"] += len(again)
    listed.update(found)
    _compare_languages(door, walk, found.values())
    places = {id(payload): index for index, payload in enumerate(payloads)}
    return Page(
        payloads=payloads,
        documents=[
            _document(door, kind, name, versions, places[id(versions[0].payload)])
            for name, versions in found.items()
            if name not in again
        ],
    )


def _compare_languages(door: _Door, walk: Walk, found: Iterable[list[_Row]]) -> None:
    """Tell of a portal that answers alike in whatever language it is asked for."""
    alike: dict[str | None, list[bool]] = {}
    for versions in found:
        for row in versions[1:]:
            alike.setdefault(row.lang, []).append(_shown(row.entry) == _shown(versions[0].entry))
    for lang, told in alike.items():
        if len(told) >= _ALIKE and all(told):
            walk.warnings[f"languages_alike: {lang}"] += 1


def _shown(row: dict[str, Json]) -> list[Json]:
    return [_rendered(row, key) for key in _SHOWN[:3]]


def _rendered(row: dict[str, Json], key: str) -> str:
    told = row.get(key)
    return str(told.get("rendered") or "") if isinstance(told, dict) else str(told or "")


def _document(door: _Door, kind: str, name: str, versions: Sequence[_Row], place: int) -> Document:
    own, entry = versions[0], versions[0].entry
    translations = [
        {
            "lang": _language(door, row.entry, row.lang),
            **{key: row.entry[key] for key in _SHOWN if key in row.entry},
        }
        for row in versions[1:]
        # What was not translated comes in the portal's own language.
        if _shown(row.entry) != _shown(entry)
    ]
    body = _body(door, kind, entry, _language(door, entry, own.lang))
    return Document(
        identifier=name,
        datestamp=_stamped(entry),
        body=body | ({"translations": translations} if translations else {}),
        payload=place,
    )


def _language(door: _Door, row: dict[str, Json], asked: str | None) -> str | None:
    """The language of an entry: what plugins write into it, the one it was asked for in, or the
    first part of its address if that is one of the portal's languages."""
    for said in (row.get("lang"), row.get("wpml_current_locale"), asked):
        if isinstance(said, str) and said.strip():
            tag = said.strip().replace("_", "-")
            main = tag.partition("-")[0]
            return main if tag not in door.languages and main in door.languages else tag
    if len(door.languages) < 2:
        return None
    path = urlsplit(str(row.get("link") or "")).path.removeprefix(urlsplit(door.base).path)
    start = path.strip("/").partition("/")[0].lower()
    return next((tag for tag in door.languages if tag.lower() == start), None)


def _body(door: _Door, kind: str, row: dict[str, Any], lang: str | None) -> dict[str, Json]:
    """An entry with the names of its terms in place of their numbers, and its files."""
    embedded = row.get("_embedded")
    embedded = embedded if isinstance(embedded, dict) else {}
    terms: dict[str, list[dict[str, Json]]] = {}
    for term in _flat(embedded.get("wp:term")):
        taxonomy = str(term.get("taxonomy") or "term")
        if term.get("name") and taxonomy not in _OWN_TERMS:
            # Slugs in other scripts than ours come encoded as for addresses.
            slug = unquote(str(term.get("slug") or ""))
            terms.setdefault(taxonomy, []).append({"name": term["name"], "slug": slug})
    media = [
        {k: item[k] for k in ("source_url", "mime_type") if item.get(k)}
        for item in _flat(embedded.get("wp:featuredmedia"))
        if item.get("source_url")
    ]
    files = html.files(_rendered(row, "content"), str(row.get("link") or f"{door.base}/"))
    entry = {k: v for k, v in row.items() if not k.startswith(_UNWANTED) and "author" not in k}
    return (
        {"kind": kind, "lang": lang, "entry": entry}
        | ({"terms": terms} if terms else {})
        | ({"media": media} if media else {})
        | ({"files": files} if files else {})
    )


def _flat(value: Json) -> Iterable[dict[str, Json]]:
    """The objects in a list, and in the lists in it."""
    for item in value if isinstance(value, list) else []:
        if isinstance(item, dict):
            yield item
        elif isinstance(item, list):
            yield from _flat(item)


async def _gone(fetch: Fetch, door: _Door, name: str) -> Page | absent.Still | None:
    """Ask for one entry: WordPress says in so many words that there is none, or that it is not
    for the public any more, or shows it."""
    kind, _, number = name.rpartition("-")
    payload = await fetch(
        Request(
            url=door.address(f"{kind}/{number}"),
            headers={"Accept": "application/json"},
            accept=(200, *_REFUSALS),
        )
    )
    if kind_of(payload.body) != "json":
        return None
    answer = jsons.parse(payload.body, payload.url)
    if payload.status == 200:
        there = isinstance(answer, dict) and str(answer.get("id")) == number
        return absent.Still.THERE if there and answer.get("status") == "publish" else None
    code = answer.get("code") if isinstance(answer, dict) else None
    return absent.tombstone(name, payload) if code in _GONE else None


def _without_api(error: FetchError | ProtocolError, source: Source) -> ProtocolError:
    """The error for a portal whose API does not answer, with other ways in."""
    base = wordpress_addresses.base_of(source.declared.url)
    return ProtocolError(
        f"{error} There is no REST API of WordPress for us. It may be switched off, or be "
        f'missing (before version 4.7): `adapter = "sitemap"` with {base}/wp-sitemap.xml (with '
        f'plain addresses {base}/?sitemap=index) reads all pages, `adapter = "feed"` with '
        f"{base}/feed/ the newest ten entries.",
        reason="no_api",
    )
