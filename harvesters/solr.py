"""Solr's ``select`` as a list of rows, paged with ``start`` and ``rows``.

There is no cursor to page with where only a proxy is public, and rows move while we page:
one that is taken away pulls all later ones a place to the front. So pages overlap by a few
rows; when none of the overlap is known any more the walk is not complete. The number of
rows got is compared with the number announced (rule R4).
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from chm_hub.document import Json, Payload, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import jsons

MAX_PAGES = 20_000
OVERLAP = 5
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
    start: int = 0
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One answer: its rows, how many there are in all, and where the next page starts."""

    payload: Payload
    rows: list[dict[str, Json]]
    found: int
    following: int | None


async def pages(fetch: Fetch, walk: Walk, query: Query) -> AsyncIterator[Rows]:
    """The pages of a query. Sets ``walk.short`` where fewer rows came than were announced;
    raises :class:`ProtocolError` for an answer that is no Solr answer."""
    start = query.start
    announced: int | None = None
    given: set[str] = set()
    for _ in range(MAX_PAGES):
        payload = await fetch(_request(query, start))
        answer = jsons.parse(payload.body, payload.url)
        response = answer.get("response") if isinstance(answer, dict) else None
        docs = response.get("docs") if isinstance(response, dict) else None
        if not isinstance(response, dict) or not isinstance(docs, list):
            said = answer.get("error") if isinstance(answer, dict) else None
            raise ProtocolError(
                f"{payload.url}: not a Solr answer (no response.docs)"
                f"{f': {str(said)[:200]}' if said else ''}. Check the source's url and options.",
                reason="not_solr",
            )
        found = response.get("numFound")
        found = found if isinstance(found, int) else len(docs)
        announced = found if announced is None else announced
        keys = [_key(row) for row in docs]
        fresh = [row for row, key in zip(docs, keys, strict=True) if key not in given]
        if given and docs and keys[0] not in given:
            walk.short = "the index changed too much between two pages"
        end = start + len(docs)
        following = max(end - OVERLAP, start + 1) if docs and end < found else None
        if following is not None and not fresh:
            walk.short = "a page came twice: the index sends us round in circles"
            following = None
        given.update(keys)
        yield Rows(payload=payload, rows=fresh, found=found, following=following)
        if following is None:
            if walk.short is None and query.start == 0 and len(given) < min(found, announced):
                walk.short = f"the index announced {found} rows and gave {len(given)}"
            return
        start = following
    walk.short = f"the limit of {MAX_PAGES} pages was reached"


def _request(query: Query, start: int) -> Request:
    parameters: dict[str, Any] = {
        "q": query.q,
        "sort": query.sort,
        "start": start,
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


def _key(row: Any) -> str:
    return str(row.get("id") or row) if isinstance(row, dict) else str(row)


def quote(value: str) -> str:
    """A value as a Solr query takes it, with its special characters escaped."""
    return "".join("\\" + c if c in '+-&|!(){}[]^"~*?:\\/ ' else c for c in value)
