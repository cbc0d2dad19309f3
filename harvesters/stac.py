"""STAC: static catalogues of linked JSON files, and STAC APIs (Core, Collections, Item Search).

pystac tells what an object is, brings older versions up to date and checks it. It is given
what was fetched here, without links, and never fetches anything itself.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from datetime import UTC, timedelta
from typing import Any, Literal
from urllib.parse import quote, urldefrag, urlencode, urljoin, urlsplit

import pystac
from pystac.serialization.identify import identify_stac_object
from pystac.serialization.migrate import migrate_to_latest

from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import absent, jsons, tally
from harvesters.one_by_one import OneByOne
from harvesters.parts import Parts

MAX_REQUESTS = 20_000
EMPTY_PAGES = 10
OVERLAP = timedelta(hours=1)
SHARED_IDS = 10_000
"""So many identifiers that several collections use are remembered."""
_ACCEPT = "application/geo+json, application/json;q=0.9, */*;q=0.1"
_KINDS = {"Catalog": "catalog", "Collection": "collection", "Feature": "item"}
_CLASSES: dict[str, Any] = {
    "catalog": pystac.Catalog,
    "collection": pystac.Collection,
    "item": pystac.Item,
}
_TELLING = (
    "self",
    "canonical",
    "alternate",
    "about",
    "describedby",
    "via",
    "license",
    "cite-as",
    "derived_from",
)
"""Links that say something of the thing itself; the others lead through the catalogue."""
_ERROR_KEYS = frozenset({"code", "detail", "description", "message", "title", "status"})
"""One of them is in every error of an API in JSON (OGC API Common, RFC 9457)."""


class _Closed(pystac.StacIO):
    """Reads nothing, so that pystac cannot reach round our own client."""

    def read_text(self, source: Any, *args: Any, **kwargs: Any) -> str:
        raise RuntimeError(f"pystac wants to read {source}")

    def write_text(self, dest: Any, txt: str, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"pystac wants to write {dest}")


pystac.StacIO.set_default(_Closed)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What is wanted of one catalogue."""

    url: str
    """The catalogue's own address, or that of a collection or of a list in it."""
    what: Literal["collections", "items"] = "items"
    collections: tuple[str, ...] = ()
    """Only these; all if there are none."""
    datetime: str = ""
    """The time the data are of, as the API takes it (RFC 3339, intervals with ``/``)."""
    bbox: tuple[float, ...] = ()
    limit: int = 100
    depth: int = 12
    """How far links to children are followed."""
    hosts: tuple[str, ...] = ()
    """Further hosts that links may lead to."""
    qualified: bool = False
    """Items are named ``collection/id``, not ``id``."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """Something to be fetched: a node of the tree."""

    url: str
    above: tuple[str, ...] = ()
    parent: Json = None
    """What the collection it is in says (see :func:`brief`)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Query:
    """A request for a page of a list."""

    url: str
    body: Json = None
    """Sent as JSON with POST; GET without."""

    def key(self) -> str:
        """What tells it from others."""
        return f"{self.url} {json.dumps(self.body, sort_keys=True)}"


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Walk a catalogue.

    Documents have the body ``{"kind": "collection" | "item", "entry": the object without
    links, "links": [those that say something of it], "address": ..., "collection": what its
    collection says}``. Raises :class:`ProtocolError` (reason ``not_stac``) if there is no STAC
    object and no list of them at the address.
    """
    walker = _Walker(fetch, walk, options)
    walk.next_since = walk.started - OVERLAP
    async for page in walker.pages():
        yield page
    walker.conclude()
    if walk.complete and walk.covers_all and walker.api is not None:
        async for page in absent.ask_for(walk, walker.given, walker.ask):
            yield page


@dataclass
class _Walker:
    fetch: Fetch
    walk: Walk
    options: Options
    given: dict[str, str] = field(default_factory=dict)
    """Where each of this walk's documents is, by its identifier."""
    api: str | None = None
    """Where the API has its collections, if it is one."""

    def __post_init__(self) -> None:
        self.hosts = {_host(self.options.url), *(_host(f"//{h}") for h in self.options.hosts)}
        self.asked = 0
        self.visited: set[str] = set()
        self.queries: set[str] = set()
        self.briefs: dict[str, Json] = {}
        self.refused = False
        self.incremental = False
        self.resumed = False
        self.filters = not self.walk.memory.get("no_filter")
        self.all_updated = True
        shared = self.walk.memory.get("shared_ids")
        self.shared: dict[str, str] = dict(shared) if isinstance(shared, dict) else {}
        self.owners: dict[str, str] = {}

    def conclude(self) -> None:
        """Say how the walk went."""
        walk = self.walk
        if self.refused and not self.given and walk.short is None:
            walk.short = "every link leads to another host: name it in `hosts` if it is meant"
        whole = not self.incremental and not self.resumed
        # What stands behind a link that was not followed is not known to be gone.
        walk.covers_all = whole and not self.refused
        walk.complete = walk.short is None
        if whole:
            items = self.options.what == "items" and bool(self.given)
            walk.learned["updated"] = (items and self.all_updated) or None
            walk.learned["shared_ids"] = dict(list(self.shared.items())[:SHARED_IDS]) or None

    # --- the tree ------------------------------------------------------------------------

    async def pages(self) -> AsyncIterator[Page]:
        steps = [_Step(url=self.options.url)]
        dead: list[str] = []
        questions = OneByOne()
        while steps:
            step = steps.pop()
            place = _place(step.url)
            if place in self.visited:
                if place in step.above:
                    self.walk.warnings["loop"] += 1
                continue
            self.visited.add(place)
            if self.asked >= MAX_REQUESTS:
                self.walk.short = f"the limit of {MAX_REQUESTS} requests was reached"
                return
            try:
                payload = await self._get(_Query(url=step.url))
                answer = jsons.read(payload, self.walk.warnings)
            except (FetchError, ProtocolError) as error:
                if not step.above or questions.end_with(error):
                    raise
                dead.append(f"{step.url} ({error.reason})")
                self.walk.warnings["dead_link"] += 1
                continue
            questions.answered()
            self.visited.add(_place(payload.url))
            if not step.above:
                # A catalogue that is redirected goes by that name too.
                self.hosts.add(_host(payload.url))
            following: list[_Step] = []
            async for page in self._node(step, payload, answer, following):
                yield page
            steps += reversed(following)
        if dead and self.walk.short is None:
            more = f" and {len(dead) - 1} more" if len(dead) > 1 else ""
            self.walk.short = f"a link leads nowhere: {dead[0]}{more}"

    async def _node(
        self, step: _Step, payload: Payload, answer: Json, following: list[_Step]
    ) -> AsyncIterator[Page]:
        """The pages of one node; what it leads to is added to ``following``."""
        first = (payload, answer)
        if isinstance(answer, dict) and isinstance(answer.get("features"), list):
            if self.options.what == "items":
                async for page in self._items(_Query(url=step.url), first):
                    yield page
                return
            if not step.above:
                raise ProtocolError(
                    f"{step.url}: a list of items, and collections are wanted. Set what = "
                    '"items", or correct the url.',
                    reason="no_list",
                )
        if isinstance(answer, dict) and isinstance(answer.get("collections"), list):
            names: list[str] = []
            async for page in self._collections(_Query(url=step.url), first, names):
                yield page
            self.api = payload.url.partition("?")[0].rstrip("/")
            async for page in self._of_collections(names):
                yield page
            return
        try:
            kind, entry, said = read(answer)
        except ValueError as error:
            links = absolute(answer.get("links"), payload.url) if isinstance(answer, dict) else []
            if isinstance(answer, dict) and is_api(answer, links):
                kind, entry, said = "catalog", answer, [f"odd_stac: {error}"]
            elif not step.above:
                raise ProtocolError(
                    f"{step.url}: {error}. The source's url must be that of a STAC catalogue, "
                    "collection, or list of items.",
                    reason="not_stac",
                ) from error
            else:
                reject = Reject(reason=f"not_stac: {error}", fragment=payload.body[:4096])
                yield Page(payloads=[payload], rejects=[reject])
                return
        links = absolute(entry.get("links"), payload.url)
        documents: list[Document] = []
        rejects: list[Reject] = []
        descend = True
        if kind == "item" and self.options.what == "items":
            documents, rejects = self._made([(entry, links, step.parent)], kind, payload.url)
        elif kind == "collection":
            descend = self._wanted(entry["id"])
            if entry["id"] in self.briefs:
                descend = descend and self.api is None
            self.briefs.setdefault(entry["id"], brief(entry, links))
            if self.options.what == "collections":
                documents, rejects = self._made([(entry, links, None)], kind, payload.url)
        yield Page(payloads=[payload], documents=documents, rejects=rejects, warnings=said)
        if not descend or kind == "item":
            return
        if is_api(entry, links):
            async for page in self._from_api(payload.url, entry, links):
                yield page
        elif self.options.what == "items" and kind == "collection":
            for link in links:
                if link["rel"] == "items" and self._may(link["href"]):
                    async for page in self._items(self._of_collection(link["href"])):
                        yield page
        self._follow(step, entry if kind == "collection" else None, links, following)

    def _follow(
        self, step: _Step, collection: Json, links: list[dict[str, Json]], following: list[_Step]
    ) -> None:
        """Note where the links to children and items lead."""
        known = {_place(f"{self.api}/{quote(name, safe='')}") for name in self.briefs if self.api}
        known |= {_place(told["self"]) for told in self.briefs.values() if told["self"]}
        rels = ("child", "item") if self.options.what == "items" else ("child",)
        parent = brief(collection, links) if collection is not None else step.parent
        above = (*step.above, _place(step.url))
        for link in links:
            if link["rel"] not in rels or "html" in str(link.get("type") or ""):
                continue
            if self.api is not None and link["rel"] == "child" and _place(link["href"]) in known:
                continue
            if not self._may(link["href"]):
                continue
            if len(above) > self.options.depth:
                self.walk.short = f"links go deeper than {self.options.depth}: {link['href']}"
                return
            following.append(_Step(url=link["href"], above=above, parent=parent))

    # --- an API --------------------------------------------------------------------------

    async def _from_api(
        self, base: str, entry: Json, links: list[dict[str, Json]]
    ) -> AsyncIterator[Page]:
        """What an API lists: its collections, then their items."""
        base = base.partition("?")[0].rstrip("/")
        told = next((link["href"] for link in links if link["rel"] == "data"), None)
        # An API that does not know its own name in the world is asked where it was found.
        data = told if told is not None and self._own(told) else f"{base}/collections"
        ways = {
            str(link.get("method") or "GET").upper(): link["href"]
            if self._own(link["href"])
            else f"{base}/search"
            for link in links
            if link["rel"] == "search" and "json" in str(link.get("type") or "json")
        }
        self.api = data.partition("?")[0].rstrip("/")
        collections: list[str] = []
        try:
            async for page in self._collections(_Query(url=data), collections=collections):
                yield page
        except FetchError as error:
            # Not every API that can be searched has them.
            searched = self.options.what == "items" and ways
            if told is not None or error.status != 404 or not searched:
                raise
        if self.options.what != "items":
            return
        place = tally.place(self.walk.checkpoint)
        saved, within = place.get("query"), place.get("within")
        known = within is None or within in collections
        if isinstance(saved, dict) and known and self._own(str(saved.get("url"))):
            self.resumed = True
            self.incremental = bool(place.get("incremental"))
            query = _Query(url=str(saved["url"]), body=saved.get("body"))
            try:
                counted = tally.Tally.after(place)
                async for page in self._items(query, counted=counted, within=within):
                    yield page
            except FetchError as error:
                # It forgot where we were: from the beginning then.
                if error.status is None or not 400 <= error.status < 500:
                    raise
                self.resumed = self.incremental = False
                self.given.clear()
                self.queries.clear()
            else:
                rest = [] if within is None else collections[collections.index(within) + 1 :]
                async for page in self._of_collections(rest):
                    yield page
                return
        if ways:
            try:
                async for page in self._items(self._search(ways, entry)):
                    yield page
                return
            except FetchError as error:
                # The filter on the time of change is not understood after all.
                if not self.incremental or error.status not in (400, 422, 501):
                    raise
                self.incremental = self.filters = False
                self.walk.learned["no_filter"] = True
            async for page in self._items(self._search(ways, entry)):
                yield page
            return
        async for page in self._of_collections(collections):
            yield page

    async def _of_collections(self, names: list[str]) -> AsyncIterator[Page]:
        """The items of some collections, one after the other."""
        parts = Parts(self.walk)
        for name in names if self.options.what == "items" else ():
            url = f"{self.api}/{quote(name, safe='')}/items"
            try:
                async for page in self._items(self._of_collection(url), within=name):
                    parts.answered()
                    yield page
            except (FetchError, ProtocolError) as error:
                parts.set_aside(name, error)
        parts.conclude()

    def _search(self, ways: dict[str, str], entry: Json) -> _Query:
        """The first request of a search, with POST where there is no GET."""
        asked: dict[str, Json] = {"limit": self.options.limit}
        if self.options.collections:
            asked["collections"] = list(self.options.collections)
        if self.options.bbox:
            asked["bbox"] = list(self.options.bbox)
        if self.options.datetime:
            asked["datetime"] = self.options.datetime
        conforms = " ".join(map(str, entry.get("conformsTo") or []))
        since = self.walk.since
        posts = "GET" not in ways
        # Only where every item was seen to say when it was changed.
        if since is not None and self.walk.memory.get("updated") and self.filters:
            stamp = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            if "item-search#filter" in conforms and not posts:
                asked["filter"] = f"updated >= TIMESTAMP('{stamp}')"
                asked["filter-lang"] = "cql2-text"
                self.incremental = True
            elif "item-search#query" in conforms and "POST" in ways:
                asked["query"] = {"updated": {"gte": stamp}}
                self.incremental = posts = True
        if posts:
            return _Query(url=ways["POST"], body=asked)
        flat = {
            key: ",".join(map(str, value)) if isinstance(value, list) else str(value)
            for key, value in asked.items()
        }
        joint = "&" if "?" in ways["GET"] else "?"
        return _Query(url=f"{ways['GET']}{joint}{urlencode(flat)}")

    def _of_collection(self, url: str) -> _Query:
        """The first request for the items of one collection."""
        asked = {"limit": str(self.options.limit)}
        if self.options.bbox:
            asked["bbox"] = ",".join(map(str, self.options.bbox))
        if self.options.datetime:
            asked["datetime"] = self.options.datetime
        return _Query(url=f"{url}{'&' if '?' in url else '?'}{urlencode(asked)}")

    async def _collections(
        self,
        query: _Query,
        first: tuple[Payload, Json] | None = None,
        collections: list[str] | None = None,
    ) -> AsyncIterator[Page]:
        """A list of collections; the names of those wanted are added to ``collections``."""
        counted = tally.Tally()
        async for payload, answer, _ in self._list(query, "collections", first, counted):
            rows = []
            rejects: list[Reject] = []
            said: list[str] = []
            for row in answer["collections"]:
                try:
                    kind, entry, repairs = read(row, "collection")
                except ValueError as error:
                    rejects.append(_reject("collection", error, row))
                    continue
                said += repairs
                links = absolute(entry.get("links"), payload.url)
                self.briefs.setdefault(entry["id"], brief(entry, links))
                if self._wanted(entry["id"]):
                    rows.append((entry, links, None))
            if collections is not None:
                collections += [entry["id"] for entry, _, _ in rows]
            documents: list[Document] = []
            if self.options.what == "collections":
                documents, more = self._made(rows, "collection", payload.url, listed=True)
                rejects += more
            elif rejects:
                # It is their items that are wanted.
                said += [f"invalid_collection: {len(rejects)}"]
                rejects = []
            yield Page(payloads=[payload], documents=documents, rejects=rejects, warnings=said)

    async def _items(
        self,
        query: _Query,
        first: tuple[Payload, Json] | None = None,
        *,
        counted: tally.Tally | None = None,
        within: str | None = None,
    ) -> AsyncIterator[Page]:
        """A list of items; ``within`` is the collection whose it is, if it is one's."""
        counted = counted or tally.Tally()
        async for payload, answer, following in self._list(query, "features", first, counted):
            rows = []
            rejects: list[Reject] = []
            said: list[str] = []
            for row in answer["features"]:
                try:
                    _, entry, repairs = read(row, "item")
                except ValueError as error:
                    rejects.append(_reject("item", error, row))
                    continue
                said += repairs
                links = absolute(entry.get("links"), payload.url)
                if self._wanted(str(entry.get("collection"))):
                    rows.append((entry, links, self.briefs.get(str(entry.get("collection")))))
            documents, more = self._made(rows, "item", payload.url, listed=True)
            yield Page(
                payloads=[payload],
                documents=documents,
                rejects=[*rejects, *more],
                warnings=said,
                checkpoint=None
                if following is None or self.api is None
                else {
                    "query": {"url": following.url, "body": following.body},
                    "incremental": self.incremental,
                    "within": within,
                    **counted.told(),
                },
                total=counted.announced,
            )

    async def _list(
        self,
        query: _Query,
        key: str,
        first: tuple[Payload, Json] | None,
        counted: tally.Tally,
    ) -> AsyncIterator[tuple[Payload, dict[str, Json], _Query | None]]:
        """The answers of a list, each with the request for the next one; what is in it is
        counted."""
        empty = 0
        following: _Query | None = query
        while following is not None:
            query = following
            if query.key() in self.queries:
                self.walk.short = f"a link leads back to a page that was read: {query.url}"
                return
            self.queries.add(query.key())
            if self.asked >= MAX_REQUESTS:
                self.walk.short = f"the limit of {MAX_REQUESTS} requests was reached"
                return
            if first is not None:
                payload, answer = first
                first = None
            else:
                payload = await self._get(query)
                answer = jsons.read(payload, self.walk.warnings)
            if not isinstance(answer, dict) or not isinstance(answer.get(key), list):
                raise ProtocolError(
                    f"{query.url}: there is no list under {key!r} in the answer. Check that the "
                    "source's url is that of a STAC API.",
                    reason="no_list",
                )
            total = matched(answer)
            counted.announced = counted.announced if total is None else total
            fresh = [counted.add(_called(row)) for row in answer[key]]
            empty = 0 if fresh else empty + 1
            following = self._next(query, answer, payload.url)
            if following is not None and empty >= EMPTY_PAGES:
                self.walk.short = f"{EMPTY_PAGES} pages in a row held nothing"
                following = None
            if fresh and not any(fresh):
                self.walk.short = "a page came twice: the list sends us round in circles"
                following = None
            yield payload, answer, following
        self.walk.short = self.walk.short or counted.shortage(self.walk)

    def _next(self, query: _Query, answer: dict[str, Json], base: str) -> _Query | None:
        """The request that a ``next`` link asks for (STAC API, Item Search, paging)."""
        link = next((k for k in absolute(answer.get("links"), base) if k["rel"] == "next"), None)
        if link is None:
            return None
        url = self._ours(link["href"], query.url)
        if url is None:
            self.walk.short = f"the next page is on another host: {link['href']}"
            return None
        if str(link.get("method") or "GET").upper() != "POST":
            return _Query(url=url)
        told = link.get("body")
        body: dict[str, Json] = told if isinstance(told, dict) else {}
        if link.get("merge") and isinstance(query.body, dict):
            body = {**query.body, **body}
        return _Query(url=url, body=body)

    # --- what becomes of an object -------------------------------------------------------

    def _made(
        self,
        rows: Iterable[tuple[Json, list[dict[str, Json]], Json]],
        kind: str,
        base: str,
        *,
        listed: bool = False,
    ) -> tuple[list[Document], list[Reject]]:
        """Documents of objects, each once."""
        documents: list[Document] = []
        rejects: list[Reject] = []
        for entry, links, parent in rows:
            inner = entry.get("properties") if kind == "item" else entry
            told = inner if isinstance(inner, dict) else {}
            name = entry["id"]
            if kind == "item":
                self.all_updated = self.all_updated and isinstance(told.get("updated"), str)
                name = self._name(entry)
            own = next((link["href"] for link in links if link["rel"] == "self"), None)
            address = own or base
            if name in self.given:
                if _place(self.given[name]) == _place(address):
                    self.walk.warnings["repeated"] += 1
                else:
                    rejects.append(_reject(kind, ValueError("the identifier of another"), entry))
                continue
            self.given[name] = address
            body = {key: value for key, value in entry.items() if key != "links"}
            # In a list it is the object's own address that relative ones are relative to.
            body["assets"] = _with_addresses(entry.get("assets"), address if listed else base)
            documents.append(
                Document(
                    identifier=name,
                    datestamp=told["updated"] if isinstance(told.get("updated"), str) else None,
                    body={
                        "kind": kind,
                        "entry": body,
                        "links": [link for link in links if link["rel"] in _TELLING],
                        "address": address,
                        "collection": parent,
                    },
                )
            )
        return documents, rejects

    def _name(self, entry: Json) -> str:
        """An item's identifier: its own, or with its collection's before it where another
        collection has the same."""
        name, collection = str(entry["id"]), str(entry.get("collection") or "")
        if self.options.qualified:
            return f"{collection}/{name}" if collection else name
        owner = self.owners.setdefault(name, self.shared.get(name, collection))
        if owner == collection:
            return name
        if name not in self.shared:
            self.shared[name] = owner
        self.walk.warnings["same_id_in_collections"] += 1
        return f"{collection}/{name}"

    def _wanted(self, collection: str) -> bool:
        return not self.options.collections or collection in self.options.collections

    async def ask(self, name: str) -> Page | None:
        """Ask the API for one thing that its lists no longer hold."""
        url = f"{self.api}/{quote(name, safe='')}"
        if self.options.what == "items":
            kept = await self.walk.kept([name]) if self.walk.kept is not None else {}
            body = kept[name].body if name in kept else None
            entry = body.get("entry") if isinstance(body, dict) else None
            if not isinstance(entry, dict) or not entry.get("collection"):
                return None
            where, own = (quote(str(entry[key]), safe="") for key in ("collection", "id"))
            url = f"{self.api}/{where}/items/{own}"
        payload = await self._get(_Query(url=url), accept=(200, 404, 410))
        if payload.status == 200 or kind_of(payload.body) != "json":
            return None
        answer = jsons.parse(payload.body, payload.url)
        if isinstance(answer, dict) and _ERROR_KEYS & answer.keys():
            return absent.tombstone(name, payload)
        return None

    # --- fetching ------------------------------------------------------------------------

    async def _get(self, query: _Query, accept: tuple[int, ...] = (200,)) -> Payload:
        self.asked += 1
        return await self.fetch(
            Request(
                url=query.url,
                json=query.body,
                headers={"Accept": _ACCEPT},
                kinds=("json",),
                accept=accept,
            )
        )

    def _may(self, url: str) -> bool:
        """Whether a link may be followed: it stays on the catalogue's host."""
        if self._own(url):
            return True
        self.refused = True
        return False

    def _own(self, url: str) -> bool:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https") and _host(url) in self.hosts:
            return True
        self.walk.warnings["foreign_host"] += 1
        return False

    def _ours(self, url: str, asked: str) -> str | None:
        """The address of a further page. An API that does not know its own name in the world
        names another host, but the same path: it is asked where it was asked before."""
        if self._own(url):
            return url
        parts, own = urlsplit(url), urlsplit(asked)
        if parts.path.rstrip("/") == own.path.rstrip("/"):
            return parts._replace(scheme=own.scheme, netloc=own.netloc).geturl()
        return None


def _host(url: str) -> str:
    """The host of an address, with or without ``www.``; of whatever port."""
    return (urlsplit(url).hostname or "").lower().removeprefix("www.")


# --- objects -------------------------------------------------------------------------------


def read(answer: Json, wanted: str | None = None) -> tuple[str, dict[str, Json], list[str]]:
    """A STAC object in the form of the newest version: its kind, the object, what was odd.

    Raises :class:`ValueError` that says why it is none, or none of the kind that is wanted.
    """
    if not isinstance(answer, dict):
        raise ValueError("not an object")
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            info = identify_stac_object(answer)
            kind = _KINDS[str(info.object_type.value)]
            entry: dict[str, Json] = migrate_to_latest(answer, info)
            _CLASSES[kind].from_dict({**entry, "links": []}, migrate=False)
        except Exception as error:  # pystac raises whatever an odd value makes it raise
            raise ValueError(_why(error)) from error
    if wanted is not None and kind != wanted:
        raise ValueError(f"a {kind}")
    if not isinstance(entry.get("id"), str) or not entry["id"].strip():
        raise ValueError("no id")
    return kind, entry, ["odd_stac: " + " ".join(str(each.message).split())[:80] for each in said]


def _why(error: Exception) -> str:
    if isinstance(error, pystac.STACTypeError):
        return "no STAC object of a known type"
    if isinstance(error, KeyError):
        return f"no {error.args[0]}" if error.args else "a key is missing"
    return " ".join(str(error).split())[:80] or type(error).__name__


def _called(row: Json) -> str | None:
    """What tells an object of a list from the others in it."""
    name = row.get("id") if isinstance(row, dict) else None
    return f"{row.get('collection')}/{name}" if isinstance(name, str) else None


def _reject(kind: str, error: ValueError, row: Json) -> Reject:
    name = row.get("id") if isinstance(row, dict) else None
    return Reject(
        reason=f"invalid_{kind}: {error}",
        identifier=name if isinstance(name, str) else None,
        fragment=json.dumps(row, default=str).encode("utf-8", "surrogatepass")[:4096],
    )


def brief(entry: Json, links: list[dict[str, Json]]) -> dict[str, Json]:
    """What a collection says that holds for its items too."""
    own = next((link["href"] for link in links if link["rel"] == "self"), None)
    return {
        **{key: entry.get(key) for key in ("id", "title", "license", "keywords", "providers")},
        "terms": next((link["href"] for link in links if link["rel"] == "license"), None),
        "self": own,
    }


def is_api(entry: Json, links: list[dict[str, Json]]) -> bool:
    """Whether a catalogue is the landing page of an API."""
    if any(link["rel"] == "data" for link in links) or "stac_api_version" in entry:
        return True
    if any("api.stacspec.org" in str(uri) for uri in entry.get("conformsTo") or []):
        return True
    return any(link["rel"] == "search" and "json" in str(link.get("type")) for link in links)


def absolute(links: Json, base: str) -> list[dict[str, Json]]:
    """An object's links with ``rel`` and an absolute ``href``; what is none is left out."""
    found: list[dict[str, Json]] = []
    for link in links if isinstance(links, list) else []:
        if not isinstance(link, dict) or not isinstance(link.get("href"), str):
            continue
        try:
            href = urljoin(base, link["href"].strip())
        except ValueError:
            continue
        found.append({**link, "rel": str(link.get("rel") or ""), "href": href})
    return found


def _with_addresses(assets: Json, base: str) -> Json:
    """Assets with absolute addresses."""
    made: dict[str, Json] = {}
    for name, asset in (assets if isinstance(assets, dict) else {}).items():
        if isinstance(asset, dict) and isinstance(asset.get("href"), str):
            try:
                made[name] = {**asset, "href": urljoin(base, asset["href"].strip())}
            except ValueError:
                continue
    return made


def matched(answer: dict[str, Json]) -> int | None:
    """How many items a list says there are, in any of the three places it has been said."""
    for holder, key in (
        (answer, "numberMatched"),
        (answer.get("context"), "matched"),
        (answer.get("search:metadata"), "matched"),
    ):
        value = holder.get(key) if isinstance(holder, dict) else None
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _place(url: str) -> str:
    """An address without what does not tell two documents apart."""
    parts = urlsplit(urldefrag(url)[0])
    return f"{parts.netloc.lower()}{parts.path.rstrip('/')}?{parts.query}"
