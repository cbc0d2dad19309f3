"""Nodes of a Drupal site in all their languages, from its JSON:API: one document a node.

A site's languages are lists of their own: the same nodes, each in that language or, where
nobody translated it, in its own. So the other languages are read first, and what is truly
translated is held until the site's own list comes past. That holds a portal's translations in
memory, never its nodes; :data:`MOST_HELD` bounds it.

A document's body is ``{"site": address, "versions": [...]}`` and what the adapter adds. A
version is a node in one language in JSON:API's flat shape, with ``locale`` (its language) and
``address`` (its page); the node's own language comes first.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from urllib.parse import quote, urlsplit

from chm_hub.document import Document, Json, Page, Payload, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import absent, jsons
from harvesters import drupal_jsonapi as jsonapi
from harvesters.parts import Parts

OVERLAP = timedelta(hours=48)
"""``changed`` is set by editors, deployments and imports; this far back is read again."""
BULK = 1_000
"""More nodes than this changed at once: a whole walk is cheaper than putting each together."""
MOST_HELD = 64 * 1024 * 1024
"""Characters of translations held at once."""
AT_ONCE = 200
"""Documents in one page of a walk that reads only what changed."""
WHOLE, RECENT = "drupal_internal__nid", "-changed"
"""How lists are ordered for a whole walk and for one that reads what changed.

By number, what is made while we walk comes last and what is edited stays where it is. Only a
node that goes can pull a later one past us; that one is asked for by name before it could
count as gone, and the next walk finds it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Locale:
    """One language of a site."""

    tag: str
    """As the site's pages have it (``zh``)."""
    code: str
    """As Drupal has it (``zh-hans``)."""
    api: str = ""
    """What stands before ``/jsonapi``; empty for a language without a prefix."""
    page: str = ""
    """What stands before the path of a page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One collection of nodes."""

    name: str
    """The node type."""
    path: str
    """Of the collection, from the site's address on: ``/jsonapi/node/article``."""
    shape: tuple[tuple[str, str], ...] = ()
    """Parameters that say how a node is sent, for lists and for single nodes."""
    choice: tuple[tuple[str, str], ...] = ()
    """Parameters that say which nodes a list holds."""
    extra: Mapping[str, Json] = field(default_factory=dict)
    """What a document's body has beside ``site`` and ``versions``."""


@dataclass(slots=True, kw_only=True)
class Site:
    """One walk over one site."""

    fetch: Fetch
    walk: Walk
    base: str
    locales: list[Locale]
    """The site's own language first."""
    limit: int = jsonapi.LIMIT
    most: int = jsonapi.MAX_PAGES
    wanted: Callable[[dict[str, Json]], bool] = lambda row: True
    """Which rows are taken, for sites that do not heed ``choice``."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Languages whose tag is another than Drupal's code."""
    refused: bool = False
    """We may not see some of its node types: what is not listed may be there all the same."""
    withheld: bool = False
    listed: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    """Languages that its source names and the site does not have."""

    async def harvest(self, kinds: list[Kind]) -> AsyncIterator[Page]:
        """Walk the collections: whole, or what changed since ``walk.since``.

        What a whole walk did not meet is asked for by name: the interface's own 403 (withdrawn)
        or 404 is a tombstone, anything else confirms nothing.
        """
        walk, parts = self.walk, Parts(self.walk)
        for kind in kinds:
            steps = self._whole(kind) if walk.since is None else self._recent(kind)
            try:
                async for page in steps:
                    parts.answered()
                    yield page
            except (FetchError, ProtocolError) as error:
                parts.set_aside(kind.name, error)
            if walk.short is not None:
                break
        parts.conclude()
        if walk.short is None and self.withheld and not self.listed and walk.since is None:
            walk.short = "every row of the lists was withheld from us"
        walk.complete = walk.short is None
        walk.covers_all = walk.since is None and not self.refused
        if walk.complete and walk.covers_all:
            paths = {kind.name: kind for kind in kinds}

            async def gone(name: str) -> Page | None:
                return await self._gone(name, paths)

            async for page in absent.ask_for(walk, self.listed, gone):
                yield page

    # --- lists -----------------------------------------------------------------------------

    def _list(self, locale: Locale, kind: Kind, sort: str) -> jsonapi.Collection:
        asked = [*kind.shape, *kind.choice, ("sort", sort), ("page[limit]", str(self.limit))]
        return jsonapi.Collection(
            fetch=self.fetch,
            url=jsonapi.address(f"{self.base}{locale.api}{kind.path}", asked),
            limit=self.limit,
            most=self.most,
        )

    async def _pages_of(
        self, locale: Locale, kind: Kind, sort: str
    ) -> AsyncGenerator[jsonapi.Listing, None]:
        """The pages of one list. A language that the site does not have ends at once."""
        course, began = self._list(locale, kind, sort), False
        working = self.walk.memory.get("locales")
        known = self.walk.learned.setdefault("locales", [])
        try:
            async for listing in course.pages():
                began = True
                if locale.code not in known:
                    known.append(locale.code)
                self.withheld = self.withheld or listing.withheld
                yield listing
        except (FetchError, ProtocolError) as error:
            refused = isinstance(error, jsonapi.RefusedError) and error.status in (403, 404, 410)
            missing = error.reason in ("http_404", "http_410", "html")
            answered = isinstance(working, list) and locale.code in working
            own = locale is self.locales[0]
            # What was there yesterday and is now no more than a plain 404 is a fault.
            if own or began or not (refused or (missing and not answered)):
                raise
            self.walk.warnings[f"locale_missing: {locale.tag}"] += 1
            self.missing.add(locale.code)
            return
        if course.short is not None:
            self.walk.short = f"{kind.name} in {locale.tag}: {course.short}"

    def _taken(self, rows: list[dict[str, Json]]) -> list[dict[str, Json]]:
        """The rows that are wanted; an older site may ignore what was chosen."""
        public = [row for row in rows if row.get("status") is not False]
        wanted = [row for row in public if self.wanted(row)]
        if len(wanted) < len(public):
            self.walk.warnings["type_filter_ignored"] += 1
        return wanted

    async def _whole(self, kind: Kind) -> AsyncIterator[Page]:
        """Everything of one collection."""
        held = _Held()
        for locale in self.locales[1:]:
            async for listing in self._pages_of(locale, kind, WHOLE):
                for row in self._taken(listing.rows):
                    version = self._version(row, locale, listing.payload)
                    if _worth_holding(version, locale) and not held.put(version):
                        self.walk.short = "more translations than can be put together at once"
                yield _page(listing)
            if self.walk.short is not None:
                return
        own = self.locales[0]
        last: Payload | None = None
        async for listing in self._pages_of(own, kind, WHOLE):
            last = listing.payload
            documents = []
            for row in self._taken(listing.rows):
                name = str(row["id"])
                if name in self.listed:
                    self.walk.warnings["listed_twice"] += 1
                    continue
                self.listed.add(name)
                versions = [self._version(row, own, listing.payload), *held.take(name)]
                documents.append(self._document(name, kind, versions, listing.payload))
            yield _page(listing, documents, listing.count)
        left = dict(held.rest())
        if last is not None and left and self.walk.short is None:
            # Nodes that only other languages' lists show.
            self.listed.update(left)
            yield Page(
                payloads=[last],
                documents=[self._document(name, kind, left[name], last) for name in left],
            )

    async def _recent(self, kind: Kind) -> AsyncIterator[Page]:
        """What changed in one collection since the last walk.

        The lists come newest first, each in the order of its own language; one is left at the
        first page that is wholly older than the last walk and the overlap. Versions of a node
        that did not change are taken from what the hub keeps, or fetched one by one.
        """
        assert self.walk.since is not None
        edge = self.walk.since - OVERLAP
        found: dict[str, dict[str, dict[str, Json]]] = {}
        last: Payload | None = None
        for locale in self.locales:
            async with aclosing(self._pages_of(locale, kind, RECENT)) as listings:
                async for listing in listings:
                    last = listing.payload
                    if not _newest_first(listing.rows):
                        # It does not sort as it is asked to: only the whole tells what changed.
                        self.walk.warnings["sort_ignored"] += 1
                        async for page in self._whole(kind):
                            yield page
                        return
                    fresh = [row for row in listing.rows if _is_after(row.get("changed"), edge)]
                    for row in self._taken(fresh):
                        version = self._version(row, locale, listing.payload)
                        found.setdefault(str(row["id"]), {})[locale.code] = version
                    yield _page(listing)
                    if listing.rows and not fresh:
                        break
            if self.walk.short is not None:
                return
            if len(found) > BULK:
                async for page in self._whole(kind):
                    yield page
                return
        names = list(found)
        for begin in range(0, len(names), AT_ONCE):
            some = names[begin : begin + AT_ONCE]
            kept = await self.walk.kept(some) if self.walk.kept is not None else {}
            payloads: list[Payload] = []
            documents = []
            for name in some:
                versions = await self._completed(name, kind, found[name], kept, payloads)
                assert last is not None
                documents.append(self._document(name, kind, versions, last))
            if last is not None:
                yield Page(payloads=[last, *payloads], documents=documents)

    async def _completed(
        self,
        name: str,
        kind: Kind,
        fresh: dict[str, dict[str, Json]],
        kept: Mapping[str, Document],
        payloads: list[Payload],
    ) -> list[dict[str, Json]]:
        """All versions of a node of which some changed."""
        document = kept.get(name)
        versions = list(fresh.values())
        if document is not None and isinstance(document.body, dict):
            # What a list showed is how it is there now, whatever is kept in that language.
            old = document.body.get("versions") or []
            return versions + [version for version in old if version.get("langcode") not in fresh]
        for locale in self.locales:
            if locale.code in fresh or locale.code in self.missing:
                continue
            url = jsonapi.address(self._one(locale, kind, name), kind.shape)
            try:
                payload, row = await jsonapi.read_one(self.fetch, url)
            except (jsonapi.RefusedError, FetchError):
                # Not to be had in this language; the next whole walk looks again.
                self.walk.warnings["translation_not_read"] += 1
                continue
            payloads.append(payload)
            if row is not None:
                versions.append(self._version(row, locale, payload))
        return versions

    # --- nodes -----------------------------------------------------------------------------

    def _one(self, locale: Locale, kind: Kind, name: str) -> str:
        return f"{self.base}{locale.api}{kind.path}/{quote(name, safe='')}"

    def _version(self, row: dict[str, Json], locale: Locale, payload: Payload) -> dict[str, Json]:
        """A node in one language, with the address of its page."""
        code = str(row.get("langcode") or locale.code)
        path = row.get("path")
        alias = path.get("alias") if isinstance(path, dict) else None
        # An alias counts only in its own language; numbers work in every one.
        if isinstance(path, dict) and path.get("langcode") not in (locale.code, "und", None):
            alias = None
        if not isinstance(alias, str) or not alias.startswith("/"):
            alias = f"/node/{row.get('drupal_internal__nid')}"
        return {
            **row,
            "langcode": code,
            "locale": self.names.get(code, code),
            "address": f"{_origin(payload)}{locale.page}{alias}",
        }

    def _document(
        self, name: str, kind: Kind, versions: list[dict[str, Json]], payload: Payload
    ) -> Document:
        true = true_versions(versions, [locale.code for locale in self.locales])
        source = true[0].get("content_translation_source")
        if true[0].get("content_translation_outdated") is True and source not in (None, "und"):
            # Its own language is none of those read; this copy still has the words of that one.
            true[0] = {**true[0], "locale": self.names.get(str(source), str(source))}
        changes = [str(version["changed"]) for version in true if version.get("changed")]
        return Document(
            identifier=name,
            datestamp=max(changes, default=None),
            body={**kind.extra, "site": _origin(payload), "versions": true},
        )

    async def _gone(self, name: str, kinds: Mapping[str, Kind]) -> Page | None:
        """The page on which the site says that a node is gone."""
        kind = next(iter(kinds.values()))
        if len(kinds) > 1:
            kept = await self.walk.kept([name]) if self.walk.kept is not None else {}
            body = kept[name].body if name in kept else None
            versions = body.get("versions") if isinstance(body, dict) else None
            bundle = str(versions[0].get("type")).rpartition("--")[2] if versions else ""
            if bundle not in kinds:
                return None
            kind = kinds[bundle]
        payload = await self.fetch(
            Request(
                url=self._one(self.locales[0], kind, name),
                headers=jsonapi.HEADERS,
                kinds=("json",),
                accept=jsonapi.ANSWERS,
            )
        )
        if payload.status not in (403, 404, 410):
            return None
        answer = jsons.parse(payload.body, payload.url)  # a page in HTML confirms nothing
        errors = answer.get("errors") if isinstance(answer, dict) else None
        return absent.tombstone(name, payload) if isinstance(errors, list) and errors else None


class _Held:
    """Versions of nodes in other languages, until the node itself comes past."""

    def __init__(self) -> None:
        self._versions: dict[str, list[dict[str, Json]]] = {}
        self._size = 0

    def put(self, version: dict[str, Json]) -> bool:
        """Hold a version; ``False`` if there is no room."""
        self._size += len(repr(version))
        if self._size > MOST_HELD:
            return False
        self._versions.setdefault(str(version["id"]), []).append(version)
        return True

    def take(self, name: str) -> list[dict[str, Json]]:
        """The versions of a node, which are then let go."""
        return self._versions.pop(name, [])

    def rest(self) -> Iterator[tuple[str, list[dict[str, Json]]]]:
        """What nobody came for."""
        yield from self._versions.items()


def true_versions(versions: list[dict[str, Json]], order: list[str]) -> list[dict[str, Json]]:
    """A node's versions, its own language first, without what nobody translated.

    Saving a node may make a copy of it in every language of the site, marked outdated. A version
    counts if it is the node's own, or not outdated and of other words than the node's own.
    """
    by_language: dict[str, dict[str, Json]] = {}
    for version in versions:
        by_language.setdefault(str(version["langcode"]), version)
    rank = {code: number for number, code in enumerate(order)}
    ordered = sorted(by_language.values(), key=lambda v: rank.get(str(v["langcode"]), len(rank)))
    own = next((v for v in ordered if v.get("default_langcode") is True), ordered[0])
    others = [
        version
        for version in ordered
        if version is not own
        and version.get("content_translation_outdated") is not True
        and _words(version) != _words(own)
    ]
    return [own, *others]


def _worth_holding(version: dict[str, Json], locale: Locale) -> bool:
    """Whether another language's list says something that the site's own will not say too."""
    return version["langcode"] == locale.code and (
        version.get("default_langcode") is True
        or version.get("content_translation_outdated") is not True
    )


def _words(version: Mapping[str, Json]) -> tuple[str, str]:
    body = version.get("body")
    text = body.get("value") if isinstance(body, dict) else body
    return str(version.get("title") or "").strip(), str(text or "").strip()


def _origin(payload: Payload) -> str:
    parts = urlsplit(payload.url)
    return f"{parts.scheme}://{parts.netloc}"


def _page(
    listing: jsonapi.Listing, documents: list[Document] | None = None, total: int | None = None
) -> Page:
    return Page(
        payloads=[listing.payload],
        documents=documents or [],
        rejects=listing.rejects,
        warnings=listing.warnings,
        total=total,
    )


def _newest_first(rows: list[dict[str, Json]]) -> bool:
    moments = [moment for row in rows if (moment := _moment(row.get("changed"))) is not None]
    return all(a >= b for a, b in pairwise(moments))


def _is_after(stamp: Json, edge: datetime) -> bool:
    """Whether a moment is after the edge; one that cannot be read is not known to be before."""
    moment = _moment(stamp)
    return moment is None or moment >= edge


def _moment(stamp: Json) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(stamp))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
