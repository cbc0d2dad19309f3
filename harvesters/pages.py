"""Visiting the pages of a site one by one, as politely as a careful reader."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from chm_hub.addresses import urljoin
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.challenge import require_no_challenge
from chm_hub.fetch.sniff import kind_of, page_title
from harvesters import absent, html
from harvesters.one_by_one import OneByOne
from harvesters.robots import Robots

FULL = 20
"""Answers handed on together."""
MOST_DOCUMENTS = 500
"""Documents handed on together, where the hub has them already."""
_SOFT_404 = re.compile(
    r"\b404\b|(page|fichier|document) (was )?not found|page introuvable|página no encontrada|"
    r"não encontrada|страница не найдена|الصفحة غير موجودة|页面不存在|ページが見つかりません",
    re.I,
)
_LOGIN = re.compile(r"/(user/)?(login|signin|log-in|sign-in|wp-login\.php)(/|$|\?)", re.I)


class Visitor:
    """Fetches pages of one site and gathers what becomes of them."""

    def __init__(self, fetch: Fetch, walk: Walk, rules: Robots, select: Mapping[str, str]) -> None:
        self._fetch = fetch
        self._walk = walk
        self._rules = rules
        self._select = select
        self._payloads: list[Payload] = []
        self._documents: list[Document] = []
        self._rejects: list[Reject] = []
        self._questions = OneByOne()
        self.unread = 0
        """Pages that could not be had. What they would have linked to is not known."""

    @property
    def full(self) -> bool:
        """Whether it is time to hand on what was gathered."""
        answers = len(self._payloads) + len(self._rejects)
        return answers >= FULL or len(self._documents) >= MOST_DOCUMENTS

    def gathered(self, checkpoint: dict[str, Json] | None = None) -> Page | None:
        """What was gathered since the last time; ``None`` for nothing."""
        if not self._payloads and not self._rejects:
            return None
        page = Page(
            payloads=self._payloads,
            documents=self._documents,
            rejects=self._rejects,
            checkpoint=checkpoint,
        )
        self._payloads, self._documents, self._rejects = [], [], []
        return page

    async def visit(
        self,
        versions: Sequence[tuple[str | None, str]],
        *,
        stamp: str | None = None,
        kind: str | None = None,
    ) -> None:
        """Fetch a page in each of its languages (language and address; its own first), asking
        only for what changed, and gather the document of it."""
        name = html.name_of(versions[0][1])
        kept = await self._kept(name)
        before = {p.get("asked"): p for p in kept.body.get("pages", [])} if kept else {}
        pages: list[Json] = []
        at = len(self._payloads)
        for lang, url in versions:
            old = before.get(url)
            payload = await self.look(url, name, old)
            if payload is None:
                continue
            if payload.status == 410:
                if not pages:
                    self._payloads.append(payload)
                    self._documents.append(Document(identifier=name, deleted=True, payload=at))
                return
            pages.append(old if payload.status == 304 else self._read(payload, url, lang))
            self._payloads.append(payload)
        if pages:
            self._gather(name, pages, stamp, kind, at)

    async def hand_on(self, name: str, listing: Payload) -> bool:
        """Gather the document that the hub has of a page which an earlier part of the walk asked
        for, and say whether it has one; ``listing`` is what names the page."""
        kept = await self._kept(name)
        if kept is None:
            return False
        if not self._payloads:
            self._payloads.append(listing)
        self._documents.append(replace(kept, payload=0))
        return True

    def take(self, payload: Payload, url: str, kind: str | None) -> None:
        """Gather the document of a page that was looked at."""
        self._payloads.append(payload)
        at = len(self._payloads) - 1
        self._gather(html.name_of(url), [self._read(payload, url, None)], None, kind, at)

    def _gather(
        self, name: str, pages: list[Json], stamp: str | None, kind: str | None, at: int
    ) -> None:
        body: dict[str, Json] = {"pages": pages} | ({"type": kind} if kind else {})
        stamp = stamp or pages[0].get("modified")
        repairs = dict.fromkeys(said for page in pages for said in page.get("repairs", ()))
        self._documents.append(
            Document(
                identifier=name, datestamp=stamp, body=body, payload=at, repairs=tuple(repairs)
            )
        )

    async def look(self, url: str, name: str, old: Json = None) -> Payload | None:
        """Fetch one page; ``None`` if there is none for us, which is counted. Status 304 says
        that ``old`` is still what it says, 410 that it is gone.

        Raises :class:`FetchError` or :class:`ProtocolError` where no other page would be answered
        better (``busy``, ``challenge``...).
        """
        if not self._rules.allows(url):
            self._walk.warnings["not_allowed_by_robots"] += 1
            return None
        try:
            payload = await self._ask(url, old)
        except (FetchError, ProtocolError) as error:
            if self._questions.end_with(error):
                raise
            self.unread += 1
            self._rejects.append(Reject(reason=error.reason, identifier=name))
            return None
        self._questions.answered()
        return payload

    async def ask_whether_gone(self, home: str, name: str) -> Page | None:
        """Ask for a page that is not listed any more: only 410 says that it is gone for good."""
        url = urljoin(home, name)
        if not self._rules.allows(url):
            return None
        payload = await self._fetch(Request(url=url, accept=(200, 404, 410)))
        require_no_challenge(payload)
        return absent.tombstone(name, payload) if payload.status == 410 else None

    async def _kept(self, name: str) -> Document | None:
        if self._walk.kept is None:
            return None
        return (await self._walk.kept([name])).get(name)

    async def _ask(self, url: str, old: Json) -> Payload | None:
        headers = {}
        if old:
            named = {"If-None-Match": "etag", "If-Modified-Since": "modified"}
            headers = {header: old[key] for header, key in named.items() if old.get(key)}
        payload = await self._fetch(Request(url=url, headers=headers, accept=(200, 304, 404, 410)))
        require_no_challenge(payload)
        if payload.status == 404:
            self._walk.warnings["pages_missing"] += 1
            return None
        if payload.status != 200:
            return payload
        if not html.same_site(payload.url, url) or _LOGIN.search(payload.url):
            self._walk.warnings["redirected_elsewhere"] += 1
            return None
        if kind_of(payload.body) not in ("html", "xml"):
            self._walk.warnings["not_a_page"] += 1
            return None
        if _SOFT_404.search(page_title(payload.body)):
            self._walk.warnings["pages_missing"] += 1
            return None
        return payload

    def _read(self, payload: Payload, url: str, lang: str | None) -> Json:
        made = html.read(payload, self._select)
        self._walk.warnings.update(made.get("repairs", ()))
        made["asked"] = url
        if lang is not None:
            made["lang"] = lang
        return made


def require_words(payload: Payload, words: str | None) -> None:
    """Raise :class:`ProtocolError` (reason ``foreign_page``) if a home page does not hold the
    words it must: domains change hands, and what is there then is not ours to harvest."""
    if words is None:
        return
    text = html.read(payload).get("text", "")
    said = f"{payload.url} {page_title(payload.body)} {text}".casefold()
    if words.casefold() not in said:
        raise ProtocolError(
            f"{payload.url}: the page titled {page_title(payload.body)!r} does not say {words!r}. "
            "The address may belong to somebody else now: look at it, then correct `url` or "
            "`expect_text`.",
            reason="foreign_page",
        )
