"""Solr's ``select`` as a list of rows, paged with ``start`` and ``rows``.

There is often no cursor to page with where only a proxy is public, and rows move while we page:
one that is taken away pulls all later ones a place to the front. So pages overlap by a few
rows; when none of the overlap is known any more the walk is not complete. Where an index refuses
to go on by ``start`` (deep paging is dear to it) the rest is asked for with ``cursorMark`` (Solr
Reference Guide, Pagination of Results). Either place is a checkpoint: a cursor's mark says what the
last row was and stays good. The number of rows got is compared with the number announced (rule R4).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chm_hub.document import Json, Payload, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import jsons, tally
from harvesters.again import Given

MAX_PAGES = 20_000
OVERLAP = 5
EMPTY_PAGES = 10
_POST_ABOVE = 2_000
"""Longer queries are sent in the body of a POST."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """One question to an index."""

    url: str
    q: str = "*:*"
    filters: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    sort: str = "id asc"
    rows: int = 500
    headers: tuple[tuple[str, str], ...] = ()
    cursor: bool = False
    """Page with ``cursorMark`` where it is known; else only where ``start`` is refused."""
    key: str = "id"
    """The field that is unique."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One answer: its rows, how many there are in all, and where the next page starts."""

    payload: Payload
    rows: list[dict[str, Json]]
    found: int
    following: dict[str, Json] | None
    """The checkpoint from which the rows go on."""


async def pages(fetch: Fetch, walk: Walk, query: Query) -> AsyncIterator[Rows]:
    """The pages of a query, from the walk's checkpoint on if it has one. Sets ``walk.short``
    where fewer rows came than were announced; raises :class:`ProtocolError` for an answer that
    is no Solr answer."""
    place = tally.place(walk.checkpoint)
    course = _Course(fetch, walk, query, place)
    if "cursor" in place or (query.cursor and "start" not in place):
        async for rows in course.by_cursor():
            yield rows
        if not course.refused:
            return
        course = _Course(fetch, walk, query)
    async for rows in course.by_start():
        yield rows
    if course.refused:
        walk.warnings["cursor_instead_of_start"] += 1
        course.place = {}
        async for rows in course.by_cursor():
            yield rows


class _Course:
    """One walk over the rows of a query, each row once; from ``place`` on if there is one."""

    def __init__(
        self, fetch: Fetch, walk: Walk, query: Query, place: Mapping[str, Json] | None = None
    ) -> None:
        self.fetch = fetch
        self.walk = walk
        self.query = query
        self.place = place or {}
        self.given = Given()
        self.refused = False
        """The index does not go on in this way."""

    async def by_start(self) -> AsyncIterator[Rows]:
        walk, query, start = self.walk, self.query, int(self.place.get("start", 0))
        counted = tally.Tally.after(self.place)
        for _ in range(MAX_PAGES):
            try:
                payload, docs, found, _ = await self._ask({"start": start})
            except FetchError as error:
                if error.status != 400 or not start:
                    raise
                self.refused = True
                return
            keys = [_key(row, query.key) for row in docs]
            if self.given and docs and keys[0] not in self.given:
                walk.short = "the index changed too much between two pages"
            fresh = self._fresh(docs, counted, found)
            end = start + len(docs)
            following = max(end - OVERLAP, start + 1) if docs and end < found else None
            if following is not None and not fresh:
                walk.short = "a page came twice: the index sends us round in circles"
                following = None
            yield Rows(
                payload=payload,
                rows=fresh,
                found=found,
                following=None
                if following is None
                else {"start": following, **counted.told(end - following)},
            )
            if following is None:
                walk.short = walk.short or counted.shortage(walk)
                return
            start = following
        walk.short = f"the limit of {MAX_PAGES} pages was reached"

    async def by_cursor(self) -> AsyncIterator[Rows]:
        walk, mark, empty = self.walk, str(self.place.get("cursor", "*")), 0
        # By itself: it may go over rows again that were met by ``start``.
        counted, used = tally.Tally.after(self.place), {mark}
        sort = self.query.sort
        if not re.search(rf"\b{re.escape(self.query.key)} (asc|desc)\b", sort):
            sort = f"{sort},{self.query.key} asc" if sort else f"{self.query.key} asc"
        for _ in range(MAX_PAGES):
            try:
                payload, docs, found, following = await self._ask(
                    {"cursorMark": mark, "sort": sort}
                )
            except FetchError as error:
                if error.status != 400 or self.given or self.refused:
                    raise
                self.refused = True  # a proxy that knows no cursors, or not this one any more
                return
            met = counted.met
            fresh = self._fresh(docs, counted, found)
            # The same mark again is the end (and the only one that Solr knows).
            ended = following is None or following == mark
            empty = 0 if docs else empty + 1
            if not ended and counted.met >= found and not docs:
                walk.warnings["cursor_without_end"] += 1
                ended = True
            elif not ended and (
                following in used or empty >= EMPTY_PAGES or (docs and counted.met == met)
            ):
                walk.short = "the index's cursor does not come to an end"
                ended = True
            yield Rows(
                payload=payload,
                rows=fresh,
                found=found,
                following=None if ended else {"cursor": following, **counted.told()},
            )
            if ended or following is None:
                walk.short = walk.short or counted.shortage(walk)
                return
            used.add(following)
            mark = following
        walk.short = f"the limit of {MAX_PAGES} pages was reached"

    async def _ask(
        self, place: dict[str, Any]
    ) -> tuple[Payload, list[dict[str, Json]], int, str | None]:
        payload = await self.fetch(_request(self.query, place))
        answer = jsons.read(payload, self.walk.warnings)
        response = answer.get("response") if isinstance(answer, dict) else None
        docs = response.get("docs") if isinstance(response, dict) else None
        if not isinstance(response, dict) or not isinstance(docs, list):
            said = answer.get("error") if isinstance(answer, dict) else None
            raise ProtocolError(
                f"{payload.url}: not a Solr answer (no response.docs)"
                f"{f': {str(said)[:200]}' if said else ''}. Check the source's url and options.",
                reason="not_solr",
            )
        head = answer.get("responseHeader")
        if isinstance(head, dict) and head.get("partialResults") is True:
            # Some of its shards did not answer, or not in time.
            self.walk.short = "the index gives partial results only (partialResults)"
        # What is no row has no key either, and is set aside for that.
        docs = [row if isinstance(row, dict) else {"": row} for row in docs]
        found = response.get("numFound")
        found = found if isinstance(found, int) else len(docs)
        following = answer.get("nextCursorMark")
        return payload, docs, found, following if isinstance(following, str) else None

    def _fresh(
        self, docs: list[dict[str, Json]], counted: tally.Tally, found: int
    ) -> list[dict[str, Json]]:
        """The rows that were not given yet as they are; all are counted."""
        # What came or went while we read need not be among them.
        counted.announced = min(found, found if counted.announced is None else counted.announced)
        fresh = []
        for row in docs:
            key = _key(row, self.query.key)
            counted.add(key)
            if not self.given.again(key, row):
                fresh.append(row)
        return fresh


def _request(query: Query, place: dict[str, Any]) -> Request:
    parameters: dict[str, Any] = {
        "q": query.q,
        "sort": query.sort,
        **place,
        "rows": query.rows,
        "wt": "json",
    }
    if query.fields:
        parameters["fl"] = ",".join(query.fields)
    flat = [*parameters.items(), *(("fq", f) for f in query.filters)]
    address = f"{query.url}?{urlencode(flat)}"
    headers = {"Accept": "application/json", **dict(query.headers)}
    if len(address) <= _POST_ABOVE:
        return Request(url=address, headers=headers, kinds=("json",))
    body = {**parameters, "fq": list(query.filters)}
    return Request(url=query.url, json=body, headers=headers, kinds=("json",))


def _key(row: dict[str, Json], field: str) -> str:
    return str(row.get(field) or row)


def quote(value: str) -> str:
    """A value as a Solr query takes it, with its special characters escaped."""
    return "".join("\\" + c if c in '+-&|!(){}[]^"~*?:\\/ ' else c for c in value)
