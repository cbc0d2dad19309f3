"""Entity sets of OData services, page by page, whatever version of OData they speak.

A set is asked for page by page with ``$top`` and ``$skip``, or by the server's own next links.
What comes is read by its shape, not by what the service says it is
(:mod:`harvesters.odata_answers`).

One record that a server cannot write out spoils the page it is on. Such a page is asked for
again by halves until the record stands alone; it is set aside and the walk goes on behind it.

References: OData 2.0 (URI Conventions), OData 4.01 (Protocol §11.2.6).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from urllib.parse import quote, urlunsplit

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import absent, tally
from harvesters.again import Given
from harvesters.odata_answers import (
    Answer,
    identifier,
    is_not_found,
    moment,
    number,
    read,
)

MAX_PAGES = 20_000
EMPTY_PAGES = 10
"""So many next links in a row may lead to nothing."""
BROKEN_IN_A_ROW = 3
"""More records in a row than these that cannot be had: it is the service that is broken."""
OVERLAP = timedelta(days=1)
"""Edm.DateTime has no time zone, and nobody says in which one a service keeps its clock."""
MEMORY = "odata"
"""Under this key a walk remembers what it learned of a service."""

_BROKEN = frozenset({"http_500", "not_json", "not_xml", "service_error"})
"""What a record that cannot be written out looks like from here."""
_DEAD = frozenset({"http_400", "http_404", "http_410"})
"""How a service says that it does not know a next link of its own any more."""
_REFUSES = frozenset({400, 406, 415, 501})
"""How a service says that it does not know a part of the question."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One entity set, and how it is to be asked for."""

    url: str
    """Of the set: ``https://host/service.svc/Decisions``."""
    expand: tuple[str, ...] = ()
    order: str = ""
    top: int = 100
    paged: bool = True
    """Without, everything is asked for at once: there are services that know no paging."""
    dialect: str = "auto"
    """``v1``, ``v2``, ``v3``, ``v4``, ``atom`` or ``list``: how to ask. What comes is read as
    what it is, whatever was asked for. ``auto`` asks as ``v2`` until an answer said better."""
    identifiers: tuple[tuple[str, ...], ...] = (("id",), ("Id",), ("uuid",))
    """Properties that name an entry, in order of preference; several together are joined."""
    changed: str = "updated"
    """The property that says when an entry was last changed."""
    incremental: bool = True
    """Whether to ask for what changed, where that can be done."""


Make = Callable[[dict[str, Json]], Json]
"""The body of the document of a plain entry."""


@dataclass(slots=True)
class _Known:
    """What walks learn of a service and remember."""

    dialect: str = ""
    refused: list[str] = field(default_factory=list)
    """Parts of a question that the service does not take."""
    key: str = "('{}')"
    """How it writes the key of an entry."""
    changes: str = ""
    """How it can be asked for what changed: ``filter``, ``order``, or not at all."""
    counts: bool = True
    """Whether it has a ``/$count``."""

    @classmethod
    def of(cls, memory: Json) -> _Known:
        known = cls()
        if isinstance(memory, dict):
            for name in cls.__slots__:
                value = memory.get(name)
                if isinstance(value, type(getattr(known, name))):
                    setattr(known, name, value)
        return known

    def told(self) -> dict[str, Json]:
        return {name: getattr(self, name) for name in self.__slots__}


async def harvest(
    fetch: Fetch, walk: Walk, query: Query, make: Make, *, ask_for_missing: bool = True
) -> AsyncIterator[Page]:
    """Walk an entity set.

    A whole walk finds out whether the set can be asked for what changed. If so, a walk with
    ``walk.since`` sends a filter and an order, drops what is older all the same, and compares
    the number of entries with what the hub has: only if some are gone are all identifiers
    asked for. Else it is a whole walk again. With ``ask_for_missing`` what is no longer listed
    is asked for by its key, and the service's own "not found" is a tombstone.

    Raises :class:`ProtocolError` (reason ``no_list``) for an answer that holds no entries,
    (``service_error``) for a service that gives nothing but errors.
    """
    service = _Service(fetch, query, _Known.of(walk.memory.get(MEMORY)))
    walk.next_since = walk.started
    since = walk.since if query.incremental and service.known.changes else None
    bound = None if since is None else since - OVERLAP
    resumed = walk.checkpoint is not None
    steps = _Steps(service, walk, make, bound)
    async for page in steps.pages():
        yield page
    walk.learned[MEMORY] = service.known.told()
    walk.complete = walk.short is None
    if resumed or walk.short is not None:
        return
    if bound is None:
        service.known.changes = await _changes(service, steps)
        walk.learned[MEMORY] = service.known.told()
        # What could not be read and has no name is not gone.
        walk.covers_all = not steps.unnamed
    elif ask_for_missing:
        fewer = await _fewer(service, walk, steps)
        walk.learned[MEMORY] = service.known.told()
        if not fewer:
            return
    if ask_for_missing:
        async for page in absent.ask_for(walk, steps.listed, service.gone(steps.listed)):
            yield page


class _Service:
    """Asks one entity set."""

    def __init__(self, fetch: Fetch, query: Query, known: _Known) -> None:
        self.fetch = fetch
        self.query = query
        self.known = known

    @property
    def dialect(self) -> str:
        if self.query.dialect != "auto":
            return self.query.dialect
        return self.known.dialect or "v2"

    async def page(
        self,
        skip: int = 0,
        top: int | None = None,
        bound: datetime | None = None,
        link: str | None = None,
        only: str | None = None,
    ) -> Answer:
        """One page: from a place on, or behind a next link.

        Raises :class:`ProtocolError` (reason ``service_error``, ``not_json``, ``not_xml``) or
        :class:`FetchError` (``http_500``) for what cannot be read: :data:`_BROKEN`.
        """
        dropped: list[str] = []
        while True:
            url = link or self._address(skip, top, bound, only)
            try:
                payload = await self.fetch(
                    Request(
                        url=url,
                        headers={"Accept": self._accept()},
                        kinds=("json", "xml", "text"),
                    )
                )
                break
            except FetchError as error:
                # What a service does not know it is not asked again: the form of the answer
                # is in the header too, and the order is for our convenience.
                part = self._dispensable(error, only)
                if part is None or link is not None:
                    self.known.refused = [p for p in self.refused if p not in dropped]
                    raise
                dropped.append(part)
                self.known.refused = [*self.refused, part]
        answer = read(payload)
        self.known.dialect = answer.dialect
        return answer

    def _dispensable(self, error: FetchError, only: str | None) -> str | None:
        if error.status not in _REFUSES:
            return None
        sent = {"$format": self.dialect in ("v2", "v3", "v4"), "$orderby": bool(self.query.order)}
        if only is not None:
            sent = {"$select": True} | sent
        return next((p for p, is_sent in sent.items() if is_sent and p not in self.refused), None)

    @property
    def refused(self) -> list[str]:
        return self.known.refused

    def _address(self, skip: int, top: int | None, bound: datetime | None, only: str | None) -> str:
        asked: list[tuple[str, str]] = []
        if self.query.paged:
            asked += [("$top", str(top or self.query.top)), ("$skip", str(skip))]
        if only is not None and "$select" not in self.refused:
            asked.append(("$select", only))
        elif self.query.expand:
            asked.append(("$expand", ",".join(self.query.expand)))
        if bound is not None:
            asked.append(("$filter", self.filter(bound)))
        if self.query.order and "$orderby" not in self.refused:
            asked.append(("$orderby", self.query.order))
        if self.dialect in ("v2", "v3", "v4") and "$format" not in self.refused:
            asked.append(("$format", "json"))
        return self.query.url + _query(asked)

    def filter(self, bound: datetime) -> str:
        """What changed after a moment, as this version of OData writes it."""
        moment = bound.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        literal = f"{moment}Z" if self.dialect == "v4" else f"datetime'{moment}'"
        return f"{self.query.changed} gt {literal}"

    def _accept(self) -> str:
        if self.dialect == "atom":
            return "application/atom+xml"
        return "application/json, application/atom+xml;q=0.5, */*;q=0.1"

    async def count(self) -> int | None:
        """How many entries there are, from a service that counts them."""
        if not self.known.counts or self.dialect == "v1":
            return None
        url = self.query.url
        url += _query([("$count", "true")]) if self.dialect == "list" else "/$count"
        try:
            payload = await self.fetch(
                Request(
                    url=url,
                    headers={"Accept": "text/plain, application/json;q=0.5, */*;q=0.1"},
                    accept=(200, 400, 404, 405, 406, 415, 501),
                )
            )
        except (FetchError, ProtocolError):
            return None
        counted = number(payload.body) if payload.status == 200 else None
        self.known.counts = counted is not None
        return counted

    def gone(self, listed: set[str]) -> absent.Ask:
        """Asks for one entry by its key; its page if the service says that there is none."""
        tried: list[bool] = []

        async def ask(name: str) -> Page | None:
            if not tried:
                # A service that does not find what it lists is asked in the wrong words.
                there = min(listed, default=None)
                known = there is not None and (await self._entry(there)).status == 200
                tried.append(known)
            if not tried[0]:
                raise ProtocolError(
                    f"{self.query.url}: does not give its entries one by one. What is no longer "
                    "listed is gone after a week.",
                    reason="no_entry",
                )
            payload = await self._entry(name)
            return absent.tombstone(name, payload) if is_not_found(payload) else None

        return ask

    async def _entry(self, name: str) -> Payload:
        key = self.known.key.replace("{}", quote(name.replace("'", "''"), safe="'"))
        return await self.fetch(
            Request(
                url=f"{self.query.url}{key}",
                headers={"Accept": self._accept()},
                accept=(200, 404, 410),
            )
        )


class _Steps:
    """The pages of one walk, and what came of them."""

    def __init__(self, service: _Service, walk: Walk, make: Make, bound: datetime | None) -> None:
        self.service = service
        self.walk = walk
        self.make = make
        self.bound = bound
        self.listed: set[str] = set()
        self._given = Given()
        self.unnamed = 0
        """Records that could not be read and whose names are not known."""
        self.stamped = True
        """Whether every entry says when it was changed."""
        self.newest: datetime | None = None
        self.ordered = True
        """Whether they came newest first."""
        self.counted = tally.Tally()
        self._asked = bound if service.known.changes == "filter" else None
        self._oldest: datetime | None = None
        self._counted = False
        self._skip = 0

    async def pages(self) -> AsyncIterator[Page]:
        """Ask, halve what is broken, read, go on, until the end or a reason to stop."""
        walk, service, query = self.walk, self.service, self.service.query
        saved = tally.place(walk.checkpoint)
        self.counted = tally.Tally.after(saved)
        self._skip = int(saved.get("skip", 0))
        link = str(saved["link"]) if saved.get("link") else None
        links: set[str] = set()
        bodies: set[bytes] = set()
        top, suspect = query.top, 0
        """``suspect`` is the end of a stretch that is known to hold a broken record."""
        broken = empty = 0
        dead = False
        unpaged = not query.paged
        for _ in range(MAX_PAGES):
            skip = self._skip
            try:
                answer = await service.page(skip, top, self._asked, link)
            except (FetchError, ProtocolError) as error:
                if link is not None and query.paged and error.reason in _BROKEN | _DEAD:
                    # A link cannot be halved, and one that is not known any more not be asked
                    # for again; a place in the list can.
                    dead = dead or error.reason in _DEAD
                    walk.warnings["next_link_broken"] += 1
                    link = None
                    continue
                if error.reason not in _BROKEN or unpaged:
                    raise
                if top > 1:
                    suspect = skip + top
                    top //= 2
                    continue
                broken += 1
                if broken > BROKEN_IN_A_ROW:
                    raise
                await self._count()
                if self.counted.announced is not None and skip >= self.counted.announced:
                    self._compare()
                    return
                self._skip, top, suspect = skip + 1, query.top, 0
                yield await self._set_aside(skip, error)
                continue
            met = len(answer.entries) + len(answer.odd)
            broken = 0 if met else broken
            empty = 0 if met else empty + 1
            self._skip += met
            page, fresh = self._page(answer)
            digest = blake2b(answer.payload.body, digest_size=16).digest()
            following = None if dead else self._following(answer.following)
            if met > top and not skip:
                unpaged = True  # it gives more than it was asked for: all it has
            if following is None:
                await self._count()
            ended = (
                (not met and (following is None or empty >= EMPTY_PAGES))
                or (unpaged and following is None)
                or self._reached_the_end(following)
                or self._is_older(answer)
            )
            if following is not None and following in links:
                walk.short = "a next link came twice: the service sends us round in circles"
            elif met and not fresh and (not page.rejects or digest in bodies):
                walk.short = (
                    "a page came twice: the service takes no notice of $skip. If it gives its "
                    "whole list at once, say `paged = false` in the source's [options]"
                )
            elif not met and following is not None and ended:
                walk.short = f"{EMPTY_PAGES} pages in a row were empty"
            ended = ended or walk.short is not None
            if following is not None:
                links.add(following)
            bodies.add(digest)
            link = following
            if suspect and met and self._skip < suspect:
                top = max(1, (suspect - self._skip) // 2)
            else:
                top, suspect = query.top, 0
            place = {**self._place(), **({"link": link} if link else {})}
            yield replace(page, checkpoint=None if ended else place, total=self.counted.announced)
            if ended:
                self._compare()
                return
        walk.short = f"the limit of {MAX_PAGES} pages was reached"

    def _page(self, answer: Answer) -> tuple[Page, int]:
        """The documents of an answer, and how many entries were not met before."""
        query, fresh, documents = self.service.query, 0, []
        rejects = [_nameless(item) for item in answer.odd]
        for entry in answer.entries:
            name = identifier(entry, query.identifiers)
            if name is None:
                rejects.append(_nameless(entry))
                continue
            self.counted.add(name)
            known = name in self.listed
            if self._given.again(name, entry):
                self.walk.warnings["duplicate"] += 1
                continue
            fresh += not known
            self.listed.add(name)
            stamp = entry.get(query.changed)
            if self._is_wanted(moment(stamp)):
                documents.append(
                    Document(
                        identifier=name,
                        datestamp=None if stamp in (None, "") else str(stamp),
                        body=self.make(entry),
                    )
                )
        if answer.deferred.intersection(query.expand):
            self.walk.warnings["not_expanded"] += 1
        self._learn_key(answer)
        for _ in rejects:
            self.counted.add(None)
        if self.counted.announced is None and self.bound is None:
            self.counted.announced = answer.total
        page = Page(
            payloads=[answer.payload],
            documents=documents,
            rejects=rejects,
            warnings=answer.warnings,
        )
        return page, fresh

    def _is_wanted(self, stamp: datetime | None) -> bool:
        """Note when an entry was changed; whether that is not longer ago than was asked for."""
        if stamp is None:
            self.stamped = False
            return True
        if self._oldest is not None and stamp > self._oldest:
            self.ordered = False
        self._oldest = stamp
        self.newest = stamp if self.newest is None else max(stamp, self.newest)
        return self.bound is None or stamp > self.bound

    def _is_older(self, answer: Answer) -> bool:
        """Whether all that follows is older than was asked for: the filter was not heeded, but
        the order was."""
        return (
            self.bound is not None
            and self.ordered
            and self.stamped
            and bool(answer.entries)
            and self._oldest is not None
            and self._oldest <= self.bound
        )

    def _learn_key(self, answer: Answer) -> None:
        query = self.service.query
        for entry, address in zip(answer.entries[:1], answer.addresses[:1], strict=False):
            name = identifier(entry, query.identifiers)
            key = _key_of(address, name) if name else None
            if key is not None:
                self.service.known.key = key

    def _following(self, link: str | None) -> str | None:
        """A next link on the host that was asked: services behind a proxy name the one behind
        it."""
        if link is None:
            return None
        own = urlsplit(self.service.query.url)
        there = urlsplit(urljoin(self.service.query.url, link))
        if there.netloc == own.netloc:
            return urlunsplit(there)
        return urlunsplit((own.scheme, own.netloc, own.path, there.query, ""))

    async def _count(self) -> None:
        # A filter may be heeded by the list and not by the count, or the other way round.
        if self.counted.announced is None and self.bound is None and not self._counted:
            self._counted = True
            self.counted.announced = await self.service.count()

    def _reached_the_end(self, following: str | None) -> bool:
        total = self.counted.announced
        return following is None and total is not None and self._skip >= total

    def _compare(self) -> None:
        self.walk.short = self.walk.short or self.counted.shortage(self.walk)

    def _place(self) -> dict[str, Json]:
        return {"skip": self._skip, **self.counted.told()}

    async def _set_aside(self, place: int, error: FetchError | ProtocolError) -> Page:
        """The page of a record that cannot be had. If the service can still say what it is
        called, what the hub has of it stays."""
        name: str | None = None
        payload: Payload | None = None
        service, query = self.service, self.service.query
        only = ",".join(query.identifiers[0])
        try:
            answer = await service.page(place, 1, self._asked, only=only)
            payload = answer.payload
            if len(answer.entries) == 1:
                name = identifier(answer.entries[0], query.identifiers)
        except (FetchError, ProtocolError) as refused:
            if refused.ends_walk:
                raise
            self.walk.warnings["name_not_known"] += 1
        documents: list[Document] = []
        self.counted.add(name)
        if name is not None and name not in self.listed:
            self.listed.add(name)
            kept = await self.walk.kept([name]) if self.walk.kept is not None else {}
            documents = list(kept.values())
        elif name is None:
            self.unnamed += 1
        if payload is None:
            payload = _told(query.url, str(error))
        return Page(
            payloads=[payload],
            documents=documents,
            rejects=[
                Reject(
                    reason="broken_record",
                    identifier=name or f"{query.url} $skip={place}",
                    fragment=f"at $skip={place}: {error}".encode()[:4096],
                )
            ],
            checkpoint=self._place(),
            total=self.counted.announced,
        )


async def _changes(service: _Service, steps: _Steps) -> str:
    """Whether a set can be asked for what changed; found out once it was walked whole.

    It must say of each entry when that was, and give the newest one when it is asked for what
    is newer than a moment before. It must count its entries too: that is how it shows between
    whole walks that some are gone.
    """
    query = service.query
    if not (query.incremental and query.paged and steps.stamped and service.known.counts):
        return ""
    if steps.newest is None or service.dialect == "v1":
        return ""
    before = steps.newest - timedelta(seconds=1)
    if service.dialect != "list" and before.year > 1970:
        try:
            answer = await service.page(0, 1, before)
        except (FetchError, ProtocolError):
            answer = None
        stamp = answer.entries[0].get(query.changed) if answer and answer.entries else None
        if (found := moment(stamp)) is not None and found > before:
            return "filter"
    return "order" if steps.ordered and query.order else ""


async def _fewer(service: _Service, walk: Walk, steps: _Steps) -> bool:
    """Whether a set has fewer entries than the hub has records of it. If so all its
    identifiers are put into ``steps.listed``; ``False`` too if they cannot be had."""
    if walk.live is None:
        return False
    expected = len(set(await walk.live()) | steps.listed)
    count = await service.count()
    if count is None and not service.known.counts:
        service.known.changes = ""
    if count is None or count >= expected:
        return False
    names: set[str] = set()
    skip = 0
    only = ",".join(service.query.identifiers[0])
    while skip < count:
        try:
            answer = await service.page(skip, only=only)
        except (FetchError, ProtocolError) as error:
            if error.reason in _BROKEN:  # the next whole walk steps over it
                break
            raise
        found = {identifier(entry, service.query.identifiers) for entry in answer.entries}
        fresh = {name for name in found if name is not None} - names
        if not fresh:
            break
        names |= fresh
        skip += len(answer.entries) + len(answer.odd)
    if skip < count:
        walk.warnings["names_not_read"] += 1
        return False
    steps.listed |= names
    return True


def _key_of(address: str, name: str) -> str | None:
    """How a service writes the key of an entry whose address it gave: ``('{}')``,
    ``(guid'{}')``, ``({})``."""
    found = re.search(r"\((?:[a-z]*')?([^()]*?)'?\)$", address)
    if found is None or found[1].casefold() != name.casefold():
        return None
    key = address[found.start() :]
    return key.replace(found[1], "{}", 1)


def _query(asked: list[tuple[str, str]]) -> str:
    """Of a question; ``$``, commas and quotes stay readable, as OData's own examples have it."""
    if not asked:
        return ""
    return "?" + "&".join(f"{name}={quote(value, safe=',$:/')}" for name, value in asked)


def _nameless(item: Json) -> Reject:
    return Reject(reason="no_identifier", fragment=repr(item).encode("utf-8", "replace")[:4096])


def _told(url: str, said: str) -> Payload:
    """What stands for an answer there was none of."""
    return Payload(
        url=url, status=0, headers={}, body=said.encode()[:4096], fetched=datetime.now(UTC)
    )
