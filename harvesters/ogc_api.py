"""Records and features of an OGC API: pages of GeoJSON, from one ``next`` link to another.

OGC API - Records - Part 1 (20-004r1) and OGC API - Features - Part 1 (17-069r4): a landing page
leads to ``/collections``, each of which has its items. A collection of records is a catalogue; one
of features holds data, and is itself a data set.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import parse_qsl, quote, urlencode

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import jsons, tally
from harvesters.again import Given
from harvesters.one_by_one import OneByOne

MAX_PAGES = 20_000
MAX_EMPTY = 10
"""Pages in a row without an item that lead on, after which a walk ends."""
What = Literal["records", "features", "collections"]
_ACCEPT = "application/geo+json, application/json;q=0.9"
_DATA = ("data", "http://www.opengis.net/def/rel/ogc/1.0/data")
_ITEMS = ("items", "http://www.opengis.net/def/rel/ogc/1.0/items")
RELATIONS = (*_DATA, "conformance", "http://www.opengis.net/def/rel/ogc/1.0/conformance")
"""Relations of links that a landing page has."""
_JSON_TYPES = ("application/geo+json", "application/json", "application/ogcrecord+json", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask one OGC API."""

    url: str
    """The landing page, ``/collections``, one collection, or its items."""
    what: What = "records"
    collections: tuple[str, ...] = ()
    """Names of the collections whose items are read; empty for all that hold ``what``."""
    limit: int = 100
    """Items in one answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collection:
    """One collection, and where its items are."""

    name: str
    items: str
    said: dict[str, Json]
    """What the API says of it; empty where the source's address is that of the items."""


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Walk the items of some collections, or the collections themselves.

    Documents have the body ``{"kind": "record" | "feature" | "collection", "entry": {...},
    "address": ..., "collection": {...}}``. Sets ``walk.short`` where fewer items came than were
    announced (``numberMatched``), where pages lead round in circles or to another host, and where
    one of several collections cannot be read: the others are. Raises :class:`ProtocolError`
    (``no_collections``, ``no_items``, ``not_json``) where nothing can be read.
    """
    walk.next_since = walk.started
    payloads, found = await _collections(fetch, walk, options)
    if options.what == "collections":
        documents, rejects = _described(found)
        yield Page(payloads=payloads, documents=documents, rejects=rejects, total=len(found))
        walk.complete = walk.covers_all = True
        return
    chosen = _chosen(found, options)
    begun = walk.checkpoint or {}
    names = [one.name for one in chosen]
    first = names.index(begun["collection"]) if begun.get("collection") in names else 0
    given: set[str] = set()
    questions = OneByOne()
    faults: list[str] = []
    for number, collection in enumerate(chosen[first:], first):
        place = begun if number == first else {}
        following = chosen[number + 1].name if number + 1 < len(chosen) else None
        try:
            async for page in _items(fetch, walk, options, collection, place, given, following):
                questions.answered()
                yield page
        except (FetchError, ProtocolError) as error:
            if error.reason == "busy" or len(chosen) == 1 or questions.end_with(error):
                raise
            faults.append(f"collection {collection.name}: {error}")
        if walk.short is not None:
            faults.append(
                f"collection {collection.name}: {walk.short}" if collection.name else walk.short
            )
            walk.short = None
    walk.short = faults[0] if faults else None
    walk.covers_all = walk.checkpoint is None and not faults
    walk.complete = not faults


# --- what is at an address -----------------------------------------------------------------


def is_one(answer: Json) -> bool:
    """Whether an answer is the landing page, a collection, or the items of an OGC API: by its
    links (19-072 §7.1), which STAC has too and says so."""
    if not isinstance(answer, dict) or "stac_version" in answer:
        return False
    relations = {link.get("rel") for link in links(answer)}
    if relations & set(RELATIONS):
        return True
    if isinstance(answer.get("collections"), list):
        return any("stac_version" not in c for c in answer["collections"] if isinstance(c, dict))
    if relations & set(_ITEMS):
        return "id" in answer
    return _is_items(answer) and bool(relations & {"next", "self", "collection"})


async def look(
    ask: Callable[[str], Awaitable[Payload | None]], url: str
) -> tuple[What, str | None]:
    """What an API holds that is worth a source: records if any collection, or the address itself,
    has them, else its collections; and its title. Asks at most two questions."""
    payload = await ask(url)
    answer = jsons.read(payload, Counter()) if payload is not None else None
    title = answer.get("title") if isinstance(answer, dict) else None
    said = title if isinstance(title, str) else None
    if _is_items(answer):
        return "records", said
    if payload is not None and isinstance(answer, dict) and "collections" not in answer:
        if _link(answer, _ITEMS, payload.url) and answer.get("id"):
            return holds(answer), said
        data = _link(answer, _DATA, payload.url)
        payload = await ask(data) if data is not None else None
        answer = jsons.read(payload, Counter()) if payload is not None else None
    rows = answer.get("collections") if isinstance(answer, dict) else None
    kinds = {holds(row) for row in rows or [] if isinstance(row, dict)}
    return ("records" if "records" in kinds else "collections"), said


# --- collections ---------------------------------------------------------------------------


async def _collections(
    fetch: Fetch, walk: Walk, options: Options
) -> tuple[list[Payload], list[Collection]]:
    """The collections that the source's address leads to, and the answers that told of them."""
    payload, answer = await _ask(fetch, walk, options.url)
    payloads = [payload]
    if _is_items(answer):
        return payloads, [Collection(name="", items=options.url, said={})]
    if isinstance(answer, dict) and not isinstance(answer.get("collections"), list):
        if (items := _link(answer, _ITEMS, payload.url)) and answer.get("id"):
            return payloads, [Collection(name=str(answer["id"]), items=items, said=answer)]
        data = _link(answer, _DATA, payload.url)
        if data is None:
            raise _no_collections(payload)
        payload, answer = await _ask(fetch, walk, data)
        payloads.append(payload)
    rows = answer.get("collections") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise _no_collections(payload)
    found = []
    for row in rows:
        name = row.get("id") if isinstance(row, dict) else None
        if isinstance(name, str) and name:
            usual = f"{payload.url.partition('?')[0].rstrip('/')}/{quote(name, safe='')}/items"
            items = _link(row, _ITEMS, payload.url) or usual
            found.append(Collection(name=name, items=items, said=row))
    return payloads, found


def holds(collection: Mapping[str, Json]) -> What:
    """What a collection holds: records if it says so, else features (17-069r4 §7.13)."""
    return "records" if collection.get("itemType") in ("record", "records") else "features"


def _chosen(found: list[Collection], options: Options) -> list[Collection]:
    """The collections whose items are read. Raises :class:`ProtocolError` (``no_collections``)
    where the source names one that is not there, or none holds what it wants."""
    if options.collections:
        by_name = {one.name: one for one in found}
        missing = [name for name in options.collections if name not in by_name]
        if missing:
            raise ProtocolError(
                f"{options.url}: there is no collection {missing[0]!r}. Those there are: "
                f"{', '.join(sorted(by_name))[:300]}. Correct `collections` in the source's file.",
                reason="no_collections",
            )
        return [by_name[name] for name in options.collections]
    chosen = [one for one in found if not one.said or holds(one.said) == options.what]
    if not chosen:
        raise ProtocolError(
            f"{options.url}: none of its {len(found)} collections says that it holds "
            f'{options.what}. Name some in `collections`, or set what = "collections" to take '
            "each as a data set.",
            reason="no_collections",
        )
    return chosen


def _described(found: list[Collection]) -> tuple[list[Document], list[Reject]]:
    documents = [
        Document(
            identifier=one.name,
            body={
                "kind": "collection",
                "entry": one.said,
                "address": one.items.partition("?")[0].removesuffix("/items"),
                "collection": {},
            },
        )
        for one in found
        if one.said
    ]
    return documents, []


def _no_collections(payload: Payload) -> ProtocolError:
    return ProtocolError(
        f"{payload.url}: no OGC API: no collections, no items, and no link that leads to them. "
        "The source's url is its landing page, a collection, or a collection's items.",
        reason="no_collections",
    )


# --- items ---------------------------------------------------------------------------------


async def _items(
    fetch: Fetch,
    walk: Walk,
    options: Options,
    collection: Collection,
    begun: Mapping[str, Json],
    given: set[str],
    following: str | None,
) -> AsyncIterator[Page]:
    """The items of one collection; ``following`` is the collection behind it."""
    place = tally.place(begun)
    url: str | None = place.get("next") or _with_limit(collection.items, options.limit)
    counted, mine = tally.Tally.after(place), Given()
    elsewhere = frozenset(given)
    used: set[str] = set()
    empty = 0
    while url is not None:
        walk.short = _astray(url, used, collection.items)
        if walk.short is not None:
            return
        used.add(url)
        payload, answer = await _ask(fetch, walk, url)
        rows = answer.get("features") if isinstance(answer, dict) else None
        if not isinstance(rows, list):
            raise ProtocolError(
                f"{payload.url}: no items (a FeatureCollection) in the answer. Check the source's "
                "url and `collections`.",
                reason="no_items",
            )
        total = answer.get("numberMatched")
        if isinstance(total, int) and not isinstance(total, bool):
            counted.announced = total
        documents, rejects = _read(rows, payload, collection, options)
        new = [counted.add(d.identifier) for d in documents]
        fresh = [d for d in documents if not mine.again(d.identifier, d.body)]
        for _ in rejects:
            counted.add(None)
        url = _link(answer, ("next",), payload.url)
        if rows and documents and not any(new):
            walk.short = "a page came twice: the list sends us round in circles"
            url = None
        empty = 0 if rows else empty + 1
        if empty > MAX_EMPTY:
            walk.short = f"{empty} pages in a row were empty and lead on"
            url = None
        if url is None and walk.short is None:
            walk.short = counted.shortage(walk)
        yield Page(
            payloads=[payload],
            # A record that several catalogues have is one.
            documents=[d for d in fresh if d.identifier not in elsewhere],
            rejects=rejects,
            checkpoint=_checkpoint(walk, collection, url, counted, following),
            total=counted.announced if len(options.collections) == 1 else None,
        )
        given.update(d.identifier for d in fresh)


def _checkpoint(
    walk: Walk, collection: Collection, url: str | None, counted: tally.Tally, following: str | None
) -> dict[str, Json] | None:
    if url is not None:
        return {"collection": collection.name, "next": url, **counted.told()}
    return {"collection": following} if following is not None and walk.short is None else None


def _read(
    rows: list[Json], payload: Payload, collection: Collection, options: Options
) -> tuple[list[Document], list[Reject]]:
    documents: list[Document] = []
    rejects: list[Reject] = []
    base = collection.items.partition("?")[0].rstrip("/")
    kind = "record" if options.what == "records" else "feature"
    for row in rows:
        entry = row if isinstance(row, dict) else {}
        name = entry.get("id")
        properties = entry.get("properties")
        if name in (None, "") and isinstance(properties, dict):
            name = properties.get("id") or properties.get("identifier")
        if name in (None, "") or isinstance(name, bool | list | dict):
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
            continue
        # Identifiers of records are the whole world's; those of features one collection's.
        called = str(name) if kind == "record" else f"{collection.name}/{name}"
        stamp = properties.get("updated") if isinstance(properties, dict) else None
        documents.append(
            Document(
                identifier=called,
                datestamp=str(stamp) if stamp else None,
                body={
                    "kind": kind,
                    "entry": entry,
                    "address": f"{base}/{quote(str(name), safe='')}",
                    "collection": {
                        key: collection.said[key]
                        for key in ("id", "title", "license", "keywords")
                        if key in collection.said
                    },
                },
            )
        )
    return documents, rejects


def _astray(url: str, used: set[str], start: str) -> str | None:
    """Why the next page is not followed, if it is not."""
    if url in used:
        return "a next link came twice: the list sends us round in circles"
    if len(used) >= MAX_PAGES:
        return f"the limit of {MAX_PAGES} pages was reached"
    if urlsplit(url).hostname != urlsplit(start).hostname:
        return f"the next page would be on another host ({urlsplit(url).hostname})"
    return None


async def _ask(fetch: Fetch, walk: Walk, url: str) -> tuple[Payload, Json]:
    payload = await fetch(Request(url=url, headers={"Accept": _ACCEPT}, kinds=("json",)))
    return payload, jsons.read(payload, walk.warnings)


def _is_items(answer: Json) -> bool:
    return isinstance(answer, dict) and answer.get("type") == "FeatureCollection"


def _with_limit(url: str, limit: int) -> str:
    """The address of the first page: with our ``limit``, and in JSON where it said something
    else (``f=html``)."""
    before, _, query = url.partition("?")
    kept = [(k, v) for k, v in parse_qsl(query, keep_blank_values=True) if k not in ("limit", "f")]
    form = [("f", "json")] if "f" in dict(parse_qsl(query)) else []
    return f"{before}?{urlencode([*kept, *form, ('limit', str(limit))])}"


def links(value: Json) -> Iterable[dict[str, Json]]:
    """The links of a document that have an address (RFC 8288)."""
    held = value.get("links") if isinstance(value, dict) else None
    for link in held if isinstance(held, list) else []:
        if isinstance(link, dict) and isinstance(link.get("href"), str) and link["href"].strip():
            yield link


def _link(value: Json, relations: tuple[str, ...], base: str) -> str | None:
    """The address of a link of some relations: the one in JSON, if there are several forms."""
    fitting = [link for link in links(value) if link.get("rel") in relations]

    def rank(link: dict[str, Json]) -> int:
        kind = str(link.get("type") or "").partition(";")[0].strip()
        return _JSON_TYPES.index(kind) if kind in _JSON_TYPES else len(_JSON_TYPES)

    best = min(fitting, key=rank, default=None)
    if best is None or rank(best) == len(_JSON_TYPES):
        return None
    return urljoin(base, best["href"].strip())
