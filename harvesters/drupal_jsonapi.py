"""Collections of Drupal's JSON:API: pages that follow ``links.next``, rows in one flat shape.

Standard documents (https://jsonapi.org/format/1.0/) have ``attributes``, ``relationships`` and
``included``; the module *jsonapi_include* folds the three into one flat object a row. Both are
read into that flat shape, so that nobody above needs to know which it was. What Drupal adds to
the standard: a page may be short or empty because rows are withheld after paging (access), and
``meta.count`` may be a string.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlunsplit

from chm_hub.addresses import urljoin, urlsplit
from chm_hub.document import Json, Payload, Reject
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import jsons

LIMIT = 50
"""Rows in one page; Drupal gives no more."""
MAX_PAGES = 2_000
EMPTY_PAGES = 10
"""So many pages in a row that hold nothing end a walk."""
DEPTH = 6
"""How deep resources are put into one another."""
HEADERS = {"Accept": "application/vnd.api+json"}
ANSWERS = (200, 400, 401, 403, 404, 405, 410)
"""Statuses that may carry an answer in JSON:API's form."""
MEDIA_FILES: Mapping[str, str] = {
    "media--image": "field_media_image",
    "media--document": "field_media_document",
    "media--file": "field_media_file",
    "media--audio": "field_media_audio_file",
    "media--video": "field_media_video_file",
}
"""The field that holds a medium's file, by kind of medium, as Drupal sets it up."""


class RefusedError(ProtocolError):
    """The interface itself said no, in JSON:API's form (``errors``)."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message, reason="refused_by_site")
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """One page of a collection."""

    payload: Payload
    rows: list[dict[str, Json]]
    """Resources in the flat shape: fields beside ``type`` and ``id``."""
    rejects: list[Reject] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    count: int | None = None
    """``meta.count``: what the query matches, withheld rows included."""
    withheld: bool = False
    """Rows were left out for want of access (``meta.omitted``)."""
    following: str | None = None
    """The address of the next page."""


@dataclass(slots=True, kw_only=True)
class Collection:
    """One walk over one collection. What it found out is there after :meth:`pages`."""

    fetch: Fetch
    url: str
    limit: int = LIMIT
    most: int = MAX_PAGES
    short: str | None = None
    """Why the list was not read to its end, or holds less than it announces."""
    count: int | None = None
    withheld: bool = False

    async def pages(self) -> AsyncIterator[Listing]:
        """The pages. Only a missing ``next`` is the end: short pages are normal.

        Raises as :func:`ask` does.
        """
        url, asked, seen, empty = self.url, set[str](), set[str](), 0
        step = self.limit
        for _ in range(self.most):
            asked.add(url)
            listing = await read_list(self.fetch, url)
            self.count = listing.count if listing.count is not None else self.count
            self.withheld = self.withheld or listing.withheld
            names = {str(row["id"]) for row in listing.rows}
            again = bool(names) and names <= seen
            seen |= names
            following = listing.following
            if again:
                self.short = "a page came twice: the list sends us round in circles"
            elif following in asked:
                self.short = "the link to the next page leads back: round in circles"
            empty = 0 if listing.rows or listing.rejects else empty + 1
            if following is not None and empty >= EMPTY_PAGES:
                self.short = f"{empty} pages in a row hold nothing"
            if following is not None:
                step = (_offset(following) - _offset(url)) or step
            elif self.count is not None and _offset(url) + max(step, 1) < self.count:
                self.short = (
                    f"the list ends at {_offset(url) + step} and announces {self.count} entries"
                )
            if not again:
                yield listing
            if following is None or self.short is not None:
                return
            url = following
        self.short = f"the limit of {self.most} pages was reached"


async def read_list(fetch: Fetch, url: str) -> Listing:
    """One page of a collection. Raises as :func:`ask`, and ``no_list`` for another document."""
    repairs: Counter[str] = Counter()
    payload, answer = await ask(fetch, url, repairs)
    rows = answer.get("data")
    if not isinstance(rows, list):
        raise ProtocolError(
            f"{payload.url}: the answer holds no list of resources. Check that the address is a "
            "collection of JSON:API.",
            reason="no_list",
        )
    told = answer.get("meta")
    meta = told if isinstance(told, dict) else {}
    flat, rejects = flatten(rows, answer.get("included"))
    following, warnings = _next(answer.get("links"), payload.url)
    return Listing(
        payload=payload,
        rows=flat,
        rejects=rejects,
        warnings=[*repairs, *warnings],
        count=_number(meta.get("count")),
        withheld=bool(meta.get("omitted")),
        following=following,
    )


async def read_one(fetch: Fetch, url: str) -> tuple[Payload, dict[str, Json] | None]:
    """One resource in the flat shape; ``None`` where the answer holds none. Raises as
    :func:`ask`."""
    payload, answer = await ask(fetch, url)
    rows, _ = flatten([answer.get("data")], answer.get("included"))
    return payload, rows[0] if rows else None


async def ask(
    fetch: Fetch, url: str, repairs: Counter[str] | None = None
) -> tuple[Payload, dict[str, Json]]:
    """The JSON:API document at an address; what had to be repaired to read it is counted in
    ``repairs``, and nothing is repaired without.

    Raises :class:`RefusedError` where the interface says no in its own form, and
    :class:`FetchError` for a status without it: a site that is being deployed answers 404 in
    plain text, which says nothing of what it holds.
    """
    payload = await fetch(Request(url=url, headers=HEADERS, kinds=("json",), accept=ANSWERS))
    if payload.status != 200 and kind_of(payload.body) != "json":
        raise FetchError(
            f"{payload.url}: HTTP {payload.status}, not in JSON:API's form. The site may be under "
            "maintenance, or JSON:API switched off; the next run will try again.",
            reason=f"http_{payload.status}",
            status=payload.status,
        )
    answer = (
        jsons.parse(payload.body, payload.url) if repairs is None else jsons.read(payload, repairs)
    )
    if not isinstance(answer, dict):
        raise ProtocolError(
            f"{payload.url}: not a JSON:API document. Check the source's url.", reason="no_list"
        )
    errors = answer.get("errors")
    if payload.status == 200 and not errors:
        return payload, answer
    if isinstance(errors, list) and errors:
        first = errors[0] if isinstance(errors[0], dict) else {}
        status = payload.status if payload.status != 200 else _number(first.get("status")) or 500
        said = str(first.get("detail") or first.get("title") or "no reason given")[:200]
        raise RefusedError(
            f"{payload.url}: JSON:API answers {status}: {said}. Ask the site's contact if "
            "anonymous reading is meant to be off.",
            status,
        )
    raise FetchError(
        f"{payload.url}: HTTP {payload.status} and no JSON:API error with it. The next run will "
        "try again.",
        reason=f"http_{payload.status}",
        status=payload.status,
    )


def address(base: str, parameters: Iterable[tuple[str, str]]) -> str:
    """An address with a query."""
    query = urlencode(list(parameters))
    return f"{base}{'&' if '?' in base else '?'}{query}" if query else base


async def resources(fetch: Fetch, entry: str) -> dict[str, str]:
    """The collections an interface names at its entry point: address by ``node--article``.

    Raises as :func:`ask`.
    """
    payload, answer = await ask(fetch, entry)
    links = answer.get("links")
    found: dict[str, str] = {}
    for name, link in links.items() if isinstance(links, dict) else ():
        href = _href(link)
        if "--" in name and href is not None:
            found[name] = _at_home(urljoin(payload.url, href), payload.url)[0]
    return found


# --- one flat shape ----------------------------------------------------------------------


def flatten(rows: Iterable[Json], included: Json) -> tuple[list[dict[str, Json]], list[Reject]]:
    """Resources in the flat shape of *jsonapi_include*, whichever shape they came in, and those
    that are none."""
    around: dict[tuple[str, str], dict[str, Json]] = {}
    for resource in included if isinstance(included, list) else ():
        if isinstance(resource, dict):
            around[str(resource.get("type")), str(resource.get("id"))] = resource
    made: list[dict[str, Json]] = []
    rejects: list[Reject] = []
    for row in rows:
        if not isinstance(row, dict) or row.get("id") in (None, ""):
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
            continue
        made.append(_folded(row, around, ()))
    return made, rejects


def _folded(
    resource: dict[str, Json],
    around: Mapping[tuple[str, str], dict[str, Json]],
    above: tuple[tuple[str, str], ...],
) -> dict[str, Json]:
    if "attributes" not in resource and "relationships" not in resource:
        return resource  # flat already, or a reference to what was not sent along
    key = (str(resource.get("type")), str(resource.get("id")))
    made: dict[str, Json] = {"type": resource.get("type"), "id": resource.get("id")}
    attributes, related = resource.get("attributes"), resource.get("relationships")
    made |= attributes if isinstance(attributes, dict) else {}
    for name, relation in related.items() if isinstance(related, dict) else ():
        data = relation.get("data") if isinstance(relation, dict) else None
        if isinstance(data, list):
            made[name] = [_related(part, around, (*above, key)) for part in data]
        else:
            made[name] = _related(data, around, (*above, key))
    return made


def _related(
    reference: Json,
    around: Mapping[tuple[str, str], dict[str, Json]],
    above: tuple[tuple[str, str], ...],
) -> Json:
    if not isinstance(reference, dict):
        return reference
    key = (str(reference.get("type")), str(reference.get("id")))
    resource = around.get(key)
    if resource is None or key in above or len(above) >= DEPTH:
        return reference
    made = _folded(resource, around, above)
    return {**made, "meta": reference["meta"]} if reference.get("meta") else made


def include_for(rows: Iterable[dict[str, Json]]) -> tuple[str, ...]:
    """What to ask a collection to send along: the terms, files and media its rows refer to.

    An unknown name makes the interface refuse the whole question, so only names that were
    seen are asked for.
    """
    found: set[str] = set()
    for row in rows:
        for name, value in row.items():
            for part in value if isinstance(value, list) else [value]:
                kind = part.get("type") if isinstance(part, dict) and "id" in part else None
                if not isinstance(kind, str):
                    continue
                if kind.startswith("taxonomy_term--") or kind == "file--file":
                    found.add(name)
                elif kind in MEDIA_FILES:
                    found.add(f"{name}.{MEDIA_FILES[kind]}")
    return tuple(sorted(found))


# --- parts of an answer ------------------------------------------------------------------


def _next(links: Json, at: str) -> tuple[str | None, list[str]]:
    href = _href(links.get("next")) if isinstance(links, dict) else None
    if href is None:
        return None, []
    url, moved = _at_home(urljoin(at, href), at)
    return url, ["next_page_on_another_host"] if moved else []


def _href(link: Json) -> str | None:
    """A link's address: it is a string or an object (JSON:API §8.8)."""
    href = link.get("href") if isinstance(link, dict) else link
    return href.strip() or None if isinstance(href, str) else None


def _at_home(url: str, at: str) -> tuple[str, bool]:
    """An address on the host that was asked: behind a proxy Drupal may name itself otherwise."""
    there, here = urlsplit(url), urlsplit(at)
    if (there.scheme, there.netloc) == (here.scheme, here.netloc):
        return url, False
    moved = there.hostname != here.hostname
    return urlunsplit((here.scheme, here.netloc, there.path, there.query, "")), moved


def _offset(url: str) -> int:
    values = parse_qs(urlsplit(url).query).get("page[offset]", ["0"])
    return int(values[0]) if values[0].isdecimal() else 0


def _number(value: Any) -> int | None:
    """A count, which may be a string."""
    if isinstance(value, str):
        value = value.strip()
        return int(value) if value.isascii() and value.isdigit() else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
