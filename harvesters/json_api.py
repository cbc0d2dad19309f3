"""Lists in JSON that are paged by ``offset`` and ``limit``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import urlencode

from chm_hub.document import Document, Json, Page, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of
from harvesters import challenge, jsons, tally
from harvesters.again import Given

MAX_PAGES = 20_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask for one list."""

    url: str
    parameters: tuple[tuple[str, str], ...] = ()
    limit: int = 100
    limit_key: str = "limit"
    offset_key: str = "offset"
    within: str = ""
    """Under which key the answer has the object that holds the list, if it is not the answer."""
    list_key: str = "results"
    """Where the answer has its list; empty if it is the list."""
    total_key: str = "count"
    end_key: str = "endOfRecords"
    identifiers: tuple[str, ...] = ("key", "id")
    """Keys of an entry that name it, in order of preference."""
    datestamps: tuple[str, ...] = ("modified", "created")
    deleted_key: str = "deleted"
    """An entry with something under this key is gone."""
    kind: str = ""
    """Handed to the crosswalk beside the entry."""
    overlap: int = 0
    """Entries that each page repeats of the one before, where new ones come first and push the
    others on while we read."""
    telling: tuple[str, ...] = ()
    """An entry with nothing under any of these keys came back without its content, and is set
    aside; none is asked for where there are no keys."""
    refusals: tuple[int, ...] = ()
    """Statuses with which the server says in JSON why it gives no list."""


NO_METADATA = "no_metadata"


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Walk a list.

    Documents have the body ``{"kind": ..., "entry": {...}}``. Raises :class:`ProtocolError`
    (reason ``no_list``) for an answer that holds no list of entries, (``refused_question``) for
    one that says why there is none.
    """
    place = tally.place(walk.checkpoint)
    offset = int(place.get("offset", 0))
    counted, given = tally.Tally.after(place), Given()
    before = b""
    walk.next_since = walk.started
    for _ in range(MAX_PAGES):
        asked = [
            *options.parameters,
            (options.limit_key, str(options.limit)),
            (options.offset_key, str(offset)),
        ]
        joint = "&" if "?" in options.url else "?"
        payload = await fetch(
            Request(
                url=f"{options.url}{joint}{urlencode(asked)}",
                headers={"Accept": "application/json"},
                kinds=("json",),
                accept=(200, *options.refusals),
            )
        )
        if payload.status != 200 and kind_of(payload.body) != "json":
            challenge.refuse(payload)
        answer = jsons.read(payload, walk.warnings)
        if payload.status != 200 or (isinstance(answer, dict) and answer.get("success") is False):
            raise ProtocolError(
                f"{payload.url}: the source refuses the question (HTTP {payload.status}): "
                f"{_said(answer)}. Compare the source's options with the adapter's page.",
                reason="refused_question",
            )
        if options.within and isinstance(answer, dict):
            answer = answer.get(options.within)
        rows = answer if not options.list_key else None
        if options.list_key and isinstance(answer, dict):
            rows = answer.get(options.list_key)
        if not isinstance(rows, list):
            raise ProtocolError(
                f"{payload.url}: there is no list under {options.list_key!r} in the answer. Check "
                "that the source's url is a list and not a single object or a count.",
                reason="no_list",
            )
        if isinstance(answer, list):
            answer = {}
        total = answer.get(options.total_key)
        if isinstance(total, int):
            # What comes first and was made while we read is not missed.
            least = counted.announced if options.overlap else None
            counted.announced = total if least is None else min(total, least)
        documents, rejects = read_rows(rows, options)
        new = [counted.add(d.identifier) for d in documents]
        fresh = [d for d in documents if not given.again(d.identifier, d.body)]
        for _ in rejects:
            counted.add(None)
        offset += len(rows)
        ended = (
            not rows
            or answer.get(options.end_key) is True
            or (isinstance(total, int) and offset >= total)
            # A short page is the last one, unless the list says that there is more: a server
            # may give fewer than it is asked for.
            or options.end_key not in answer
            and not isinstance(total, int)
            and len(rows) < options.limit
        )
        # Entries without a name are not known again, the bytes of their page are.
        if rows and ((documents and not any(new)) or payload.body == before):
            walk.short = "a page came twice: the list sends us round in circles"
            ended = True
        before = payload.body
        yield Page(
            payloads=[payload],
            documents=fresh,
            rejects=rejects,
            checkpoint=None
            if ended
            else {"offset": offset - options.overlap, **counted.told(options.overlap)},
            total=total if isinstance(total, int) else None,
        )
        if ended:
            walk.short = walk.short or counted.shortage(walk)
            break
        offset -= options.overlap
    else:
        walk.short = f"the limit of {MAX_PAGES} pages was reached"
    walk.covers_all = walk.since is None and walk.checkpoint is None
    walk.complete = walk.short is None


def read_rows(rows: list[Json], options: Options) -> tuple[list[Document], list[Reject]]:
    """Documents of a list's entries, and those that have no name."""
    documents: list[Document] = []
    rejects: list[Reject] = []
    for row in rows:
        entry = row if isinstance(row, dict) else {}
        name = next((entry[k] for k in options.identifiers if entry.get(k) not in (None, "")), None)
        if name is None:
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
            continue
        stamp = next((entry[k] for k in options.datestamps if entry.get(k)), None)
        if options.telling and not any(entry.get(key) for key in options.telling):
            rejects.append(Reject(reason=NO_METADATA, identifier=str(name)))
            continue
        documents.append(
            Document(
                identifier=str(name),
                datestamp=None if stamp is None else str(stamp),
                deleted=bool(entry.get(options.deleted_key)),
                body={"kind": options.kind, "entry": entry},
            )
        )
    return documents, rejects


def _said(answer: Json) -> str:
    """What a server says of its refusal, in one line."""
    told = answer.get("error", answer) if isinstance(answer, dict) else answer
    if isinstance(told, dict):
        parts = [f"{key}: {value}" for key, value in told.items() if key != "help"]
        return "; ".join(parts)[:300]
    return str(told)[:300]
