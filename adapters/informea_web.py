"""Lists in JSON of www.informea.org: decisions, court decisions, legislation. See
``docs/adapters/informea_web.md``.

Some rows are whole, some only name a node and say when it was last changed; the node is then
fetched, unless the hub has it as it was changed last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from hashlib import blake2b
from typing import Annotated, Any, Literal
from urllib.parse import quote, urlencode

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import absent, challenge, jsons, tally

CROSSWALK = "informea"
DELETIONS = "absence"
INCREMENTAL = False
MAX_PAGES = 5_000
COUNTS = "counts"
"""Under this key a walk remembers that a list has no count."""
_JSON = {"Accept": "application/json"}
_PLAIN = (
    "uuid",
    "nid",
    "id",
    "changed",
    "created",
    "last_update",
    "treaty",
    "treaty_uuid",
    "status",
)
"""Keys of a row that hold one value; all others are fields, with languages."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    kind: Literal["decisions", "court-decisions", "legislation"]
    """The list; a source each."""
    items_per_page: Annotated[int, Field(ge=1, le=1000)] = 50
    """Rows in one answer."""
    treaty: str = ""
    """Decisions: only those of the treaty with this UUID."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The nodes of one list."""
    site = _Site(source.declared.url.rstrip("/"), options, fetch, walk)
    async for page in site.pages():
        yield page
    whole = walk.checkpoint is None and walk.short is None
    if whole and source.deletions == "absence":
        async for page in absent.ask_for(walk, site.listed, site.gone):
            yield page
    walk.covers_all = whole
    walk.complete = walk.short is None


class _Site:
    """Asks for one list and the nodes it names."""

    def __init__(self, base: str, options: Options, fetch: Fetch, walk: Walk) -> None:
        self.base = base
        self.list = f"{base}/ws/{options.kind}"
        self.options = options
        self.fetch = fetch
        self.walk = walk
        self.listed: set[str] = set()
        self.counted = tally.Tally()

    async def pages(self) -> AsyncIterator[Page]:
        """The list, page by page, until one that is empty or the number that was announced."""
        walk = self.walk
        place = tally.place(walk.checkpoint)
        first, bodies = int(place.get("page", 0)), set[bytes]()
        self.counted = tally.Tally.after(place)
        total = self.counted.announced = await self._count()
        for number in range(first, MAX_PAGES):
            payload = await self._get(self._address(number))
            rows = read_list(payload, walk.warnings)
            digest = blake2b(payload.body, digest_size=16).digest()
            page, fresh = await self._page(payload, rows)
            ended = not rows or (total is not None and self.counted.met >= total)
            if rows and not fresh and (not page.rejects or digest in bodies):
                walk.short = "a page came twice: the list sends us round in circles"
                ended = True
            bodies.add(digest)
            yield Page(
                payloads=page.payloads,
                documents=page.documents,
                rejects=page.rejects,
                checkpoint=None if ended else {"page": number + 1, **self.counted.told()},
                total=total,
            )
            if ended:
                walk.short = walk.short or self.counted.shortage(self.walk)
                return
        walk.short = f"the limit of {MAX_PAGES} pages was reached"

    def _address(self, page: int) -> str:
        asked = {"items_per_page": self.options.items_per_page, "page": page}
        more = {"treaty_uuid": self.options.treaty} if self.options.treaty else {}
        return f"{self.list}?{urlencode(asked | more)}"

    async def _get(self, url: str, *accept: int) -> Payload:
        return challenge.refuse(
            await self.fetch(
                Request(
                    url=url,
                    headers=_JSON,
                    kinds=("json", "html"),
                    accept=(*challenge.STATUSES, *accept),
                )
            )
        )

    async def _count(self) -> int | None:
        """How many there are, where the site still says so."""
        if self.options.treaty or self.walk.memory.get(COUNTS) is False:
            return None
        try:
            payload = await self.fetch(
                Request(url=f"{self.list}/count", headers=_JSON, accept=(200, 403, 404))
            )
            said = jsons.parse(payload.body, payload.url) if payload.status == 200 else None
        except (FetchError, ProtocolError):
            return None
        counted = said.get("count") if isinstance(said, dict) else said
        if isinstance(counted, list) and len(counted) == 1:
            counted = counted[0]
        if isinstance(counted, bool) or not str(counted).isdecimal():
            self.walk.learned[COUNTS] = False
            return None
        return int(str(counted))

    async def _page(self, payload: Payload, rows: list[Json]) -> tuple[Page, int]:
        """The documents of some rows, and how many of them were not met before."""
        rejects: list[Reject] = []
        named: dict[str, dict[str, Json]] = {}
        for row in rows:
            name = row.get("uuid") if isinstance(row, dict) else None
            if not isinstance(row, dict) or not isinstance(name, str) or not name.strip():
                shown = repr(row).encode("utf-8", "replace")[:4096]
                rejects.append(Reject(reason="no_identifier", fragment=shown))
                self.counted.add(None)
            elif not self.counted.add(name):
                self.walk.warnings["duplicate"] += 1
            else:
                self.listed.add(name)
                named[name] = row
        stubs = [name for name, row in named.items() if is_stub(row)]
        kept = await self.walk.kept(stubs) if self.walk.kept is not None and stubs else {}
        payloads, documents = [payload], []
        for name, row in named.items():
            whole = row
            if name in stubs:
                before = kept.get(name)
                if before is not None and _same_change(before.body, row):
                    documents.append(before)
                    continue
                try:
                    answer = await self._get(self._node(name))
                    node = jsons.read(answer, self.walk.warnings)
                    if not isinstance(node, dict):
                        raise _no_list(answer.url)
                    payloads.append(answer)
                    whole = row | node
                except (FetchError, ProtocolError) as error:
                    if error.ends_walk:
                        raise
                    # What is had of it stays; it comes again when it can be read.
                    rejects.append(Reject(reason=error.reason, identifier=name))
                    documents += [before] if before is not None else []
                    continue
            documents.append(self._document(name, whole))
        return Page(payloads=payloads, documents=documents, rejects=rejects), len(named)

    def _document(self, name: str, row: dict[str, Json]) -> Document:
        changed = row.get("last_update") or row.get("changed")
        return Document(
            identifier=name,
            datestamp=None if changed in (None, "") else str(changed),
            body={"entity": f"web/{self.options.kind}", "entry": shaped(row)},
        )

    def _node(self, name: str) -> str:
        return f"{self.base}/node/{quote(name, safe='')}/json"

    async def gone(self, name: str) -> Page | None:
        """The page that says a node is gone. The site's own pages for what is not found are
        HTML, which proves nothing."""
        payload = await self.fetch(
            Request(url=self._node(name), headers=_JSON, accept=(200, 404, 410))
        )
        if payload.status == 200:
            return None
        jsons.parse(payload.body, payload.url)
        return absent.tombstone(name, payload)


def read_list(payload: Payload, said: Counter[str]) -> list[Json]:
    """The rows of an answer: an array. Repairs are counted in ``said``.

    Raises :class:`ProtocolError` (reason ``no_list``) for anything else.
    """
    rows = jsons.read(payload, said)
    if not isinstance(rows, list):
        raise _no_list(payload.url)
    return rows


def _no_list(url: str) -> ProtocolError:
    return ProtocolError(
        f"{url}: the answer is not what InforMEA's lists are made of. Check that the source's url "
        "is that of the site, such as https://www.informea.org.",
        reason="no_list",
    )


def is_stub(row: dict[str, Json]) -> bool:
    """Whether a row only names a node."""
    return not row.get("title_field") and not row.get("title")


def _same_change(body: Json, row: dict[str, Json]) -> bool:
    entry = body.get("entry") if isinstance(body, dict) else None
    stamp = row.get("last_update")
    return isinstance(entry, dict) and bool(stamp) and entry.get("last_update") == str(stamp)


def shaped(row: dict[str, Json]) -> dict[str, Json]:
    """A row in the one shape that crosswalks read: each field a list of objects with
    ``value`` (or ``label``, ``url``, ``uuid``...) and, where it has one, ``language``."""
    made: dict[str, Json] = {}
    for key, value in row.items():
        if key in _PLAIN:
            made[key] = value if value is None or isinstance(value, bool) else str(value)
        elif key == "url":
            made["url"] = _page_address(value)
        else:
            made[key] = items(value)
    return made


def items(value: Json, language: str | None = None) -> list[Json]:
    """The items of a field of Drupal, whose languages are keys (``und`` is none)."""
    if isinstance(value, list):
        return [item for part in value for item in items(part, language)]
    if isinstance(value, dict):
        if value and all(isinstance(part, list | dict) for part in value.values()):
            return [
                item
                for lang, part in value.items()
                for item in items(part, None if lang == "und" else lang)
            ]
        told = {key: part for key, part in value.items() if part not in (None, "", [], {})}
    else:
        told = {"value": value} if value not in (None, "") else {}
    if told and language and "language" not in told:
        told["language"] = language
    return [told] if told else []


def _page_address(value: Any) -> str | None:
    """The page of a node: in English, else the one that is the default."""
    if isinstance(value, dict):
        said = value.get("en") or value.get("default") or next(iter(value.values()), None)
    else:
        said = value
    return said if isinstance(said, str) and said else None
