"""Lists in JSON that are paged by the number of the page, with totals in headers or beside
the list."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

from chm_hub.document import Json, Payload, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import challenge, jsons, tally

MAX_PAGES = 5_000


class RefusedError(ProtocolError):
    """A server's own no, in JSON: the HTTP status, and its ``code`` for why."""

    def __init__(self, message: str, *, status: int, code: str) -> None:
        super().__init__(message, reason="refused_question")
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask for one list."""

    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    size: int = 100
    page_key: str = "page"
    size_key: str = "per_page"
    total_header: str = "x-wp-total"
    pages_header: str = "x-wp-totalpages"
    list_key: str = ""
    """Where the answer has its list; empty if it is the list."""
    total_key: str = ""
    """Where the answer has the number of all entries: keys parted by dots."""
    identifiers: tuple[str, ...] = ("id",)
    """Keys of an entry that name it, in order of preference."""
    secret_query: Mapping[str, str] = field(default_factory=dict)
    secret_headers: Mapping[str, str] = field(default_factory=dict)
    past_the_end: tuple[int, str] = (400, "rest_post_invalid_page_number")
    """The status and the ``code`` of an answer to a page behind the last one."""
    refusals: tuple[int, ...] = ()
    """Further statuses with which the server may say no in so many words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One page of a list."""

    payload: Payload
    rows: list[dict[str, Json]]
    following: dict[str, Json] | None
    """The checkpoint from which the list goes on."""
    total: int | None


async def pages(
    fetch: Fetch, walk: Walk, options: Options, checkpoint: Mapping[str, Json] | None = None
) -> AsyncIterator[Rows]:
    """The pages of a list, from a checkpoint on if there is one.

    Sets ``walk.short`` when fewer rows came than the server announced, a page came twice, or
    there is no end. Raises :class:`ProtocolError` (``no_list``, ``not_json``) for an answer that
    is no list, :class:`RefusedError` for a no, :class:`FetchError` for one without a reason.
    """
    place = tally.place(checkpoint)
    page, before = int(place.get("page", 1)), None
    counted = tally.Tally.after(place)
    for _ in range(MAX_PAGES):
        asked = [
            *options.parameters,
            (options.size_key, str(options.size)),
            (options.page_key, str(page)),
        ]
        joint = "&" if "?" in options.url else "?"
        payload = await fetch(
            Request(
                url=f"{options.url}{joint}{urlencode(asked)}",
                headers={"Accept": "application/json"},
                secret_query=options.secret_query,
                secret_headers=options.secret_headers,
                kinds=("json",),
                accept=(200, options.past_the_end[0], *options.refusals),
            )
        )
        if payload.status in options.refusals and kind_of(payload.body) != "json":
            challenge.refuse(payload)
        answer = jsons.read(payload, walk.warnings)
        if payload.status != 200:
            code = answer.get("code") if isinstance(answer, dict) else None
            if code == options.past_the_end[1] and page > 1:
                walk.short = walk.short or counted.shortage(walk)
                return
            raise RefusedError(
                f"{payload.url}: HTTP {payload.status}: {_said(answer)}. Compare the source's "
                "options with the adapter's page.",
                status=payload.status,
                code=str(code or ""),
            )
        entries = answer
        if options.list_key:
            entries = answer.get(options.list_key) if isinstance(answer, dict) else None
        if _is_numbered(entries):
            # A list from which PHP took an entry out becomes an object of numbers.
            walk.warnings["list_as_object"] += 1
            entries = list(entries.values())
        if not isinstance(entries, list):
            raise ProtocolError(
                f"{payload.url}: no list of entries: {_said(answer)}. Check the source's url.",
                reason="no_list",
            )
        headers = {name.lower(): value for name, value in payload.headers.items()}
        total, last = _number(headers, options.total_header), _number(headers, options.pages_header)
        if options.total_key:
            total = _inside(answer, options.total_key)
        rows = [row if isinstance(row, dict) else {"": row} for row in entries]
        if total is not None:
            counted.announced = total
        fresh = [counted.add(identifier(row, options)) for row in rows]
        if rows and (rows == before or not any(fresh)):
            walk.short = "a page came twice: the list sends us round in circles"
            return
        before = rows
        if last is not None:
            more = bool(rows) and page < last
        elif total is not None:
            more = bool(rows) and (page - 1) * options.size + len(rows) < total
        else:
            more = len(rows) >= options.size
        yield Rows(
            payload=payload,
            rows=rows,
            following={"page": page + 1, **counted.told()} if more else None,
            total=total,
        )
        if not more:
            walk.short = walk.short or counted.shortage(walk)
            return
        page += 1
    walk.short = f"the limit of {MAX_PAGES} pages was reached"


def identifier(row: dict[str, Json], options: Options) -> str | None:
    """What a row is called; ``None`` for one without a name."""
    found = (row.get(key) for key in options.identifiers)
    named = (n for n in found if n not in (None, "") and not isinstance(n, bool))
    return next((str(name) for name in named), None)


def _is_numbered(entries: Json) -> bool:
    """Whether an object is a list whose entries have their numbers for keys."""
    return (
        isinstance(entries, dict)
        and bool(entries)
        and all(key.isascii() and key.isdigit() for key in entries)
        and all(isinstance(value, dict) for value in entries.values())
    )


def _number(headers: dict[str, str], name: str) -> int | None:
    text = headers.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() else None


def _inside(answer: Json, path: str) -> int | None:
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer if isinstance(answer, int) and not isinstance(answer, bool) else None


def _said(answer: Json) -> str:
    if isinstance(answer, dict):
        return str(answer.get("message") or answer.get("code") or sorted(answer)[:5])[:200]
    return repr(answer)[:80]
