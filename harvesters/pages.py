"""Visiting the pages of a site one by one, as politely as a careful reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from chm_hub.addresses import same_site, urljoin, urlsplit
from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.challenge import require_no_challenge
from chm_hub.fetch.sniff import kind_of, page_title
from harvesters import absent, html
from harvesters.one_by_one import OneByOne
from harvesters.page_addresses import exact, reduced
from harvesters.page_names import PageNames, first_asked
from harvesters.robots import Robots
from harvesters.site import Site

FULL = 20
"""Answers handed on together."""
MOST_DOCUMENTS = 500
"""Documents handed on together, where the hub has them already."""
MOST_PROOFS = 300
"""Addresses that one walk asks for only to compare their page with another's."""
_SOFT_404 = re.compile(
    r"\b404\b|(page|fichier|document) (was )?not found|page introuvable|página no encontrada|"
    r"não encontrada|страница не найдена|الصفحة غير موجودة|页面不存在|ページが見つかりません",
    re.I,
)
_LOGIN = re.compile(r"/(user/)?(login|signin|log-in|sign-in|wp-login\.php)(/|$|\?)", re.I)


class Visitor:
    """Fetches pages of one site and gathers what becomes of them."""

    def __init__(
        self,
        fetch: Fetch,
        walk: Walk,
        rules: Robots,
        select: Mapping[str, str],
        site: Site,
        wanted: Callable[[str], bool] = lambda url: True,
    ) -> None:
        self._fetch = fetch
        self._walk = walk
        self._rules = rules
        self._select = select
        self._site = site
        self._wanted = wanted
        self.names = PageNames(walk)
        self._payloads: list[Payload] = []
        self._documents: list[Document] = []
        self._rejects: list[Reject] = []
        self._questions = OneByOne()
        self._proofs: dict[str, bytes | None] = {}
        """What the pages of this walk prove, by their own names."""
        self._asked = 0
        self._unlisted: dict[bytes, str] = {}
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
        changed: str | None = None,
        listed: str | None = None,
    ) -> str | None:
        """Fetch a page in each of its languages (language and address; its own first), asking
        only for what changed, and gather the document of it; returns its name, ``None`` for a
        page that was met under another address. ``changed`` is when a sitemap says that the page
        changed, ``listed`` what it says that the page is, if no entry."""
        first = versions[0][1]
        name, kept = await self.names.known(first)
        before = {p.get("asked"): p for p in kept.body.get("pages", [])} if kept else {}
        pages: list[dict[str, Json]] = []
        payloads: list[Payload] = []
        for lang, url in versions:
            old = before.get(url)
            payload = await self.look(url, name, old)
            if payload is None:
                continue
            if payload.status == 410:
                if not pages:
                    return await self._gone(first, name, payload)
                break
            page = self._read(payload, url, lang, listed) if payload.status == 200 else old
            if page is not None and not pages:
                page = {key: value for key, value in page.items() if key != "lastmod"}
                page |= {"lastmod": changed} if changed else {}
            if page is None:  # not changed since a version that the hub does not have
                continue
            pages.append(await self._with_own_address(page, payload))
            payloads.append(payload)
        if not pages:
            return name or await self.names.unproved(first)
        proof = self._note(first, pages[0])
        if name is None:
            name = await self.names.decide(first, proof, self._proof_of)
        if name is None:
            self._walk.warnings["same_page_twice"] += 1
            return None
        self.names.take(first, name, proof)
        for (_, url), page in zip(versions[1:], pages[1:], strict=False):
            self.names.note(url, name, html.proof(page))
        self._gather(name, pages, stamp, kind, len(self._payloads))
        self._payloads += payloads
        return name

    async def _gone(self, url: str, name: str | None, payload: Payload) -> str | None:
        """Gather that a page is gone for good."""
        name = name or await self.names.unproved(url)
        if name is not None:
            self._payloads.append(payload)
            at = len(self._payloads) - 1
            self._documents.append(Document(identifier=name, deleted=True, payload=at))
        return name

    async def hand_on(self, url: str, listing: Payload) -> str | None:
        """Gather the document that the hub has of a page which an earlier part of the walk asked
        for; returns its name, ``None`` if there is none. ``listing`` is what names the page."""
        name, kept = await self.names.known(url)
        if name is None or kept is None:
            return None
        if not self._payloads:
            self._payloads.append(listing)
        self._documents.append(replace(kept, payload=0))
        self.names.take(url, name, html.proof(kept.body["pages"][0]))
        return name

    async def take(self, payload: Payload, url: str, kind: str | None) -> str | None:
        """Gather the document of a page that was looked at; returns its name, ``None`` for a
        page that was met under another address."""
        page = await self._with_own_address(self._read(payload, url, None), payload)
        proof = self._note(url, page)
        name, _ = await self.names.known(url)
        name = name or await self.names.decide(url, proof, self._proof_of)
        if name is None:
            return None
        self.names.take(url, name, proof)
        self._payloads.append(payload)
        self._gather(name, [page], None, kind, len(self._payloads) - 1)
        return name

    def pass_over(self, payload: Payload, url: str) -> None:
        """Note a page that becomes no document: others may be the same."""
        proof = self._note(url, html.read(payload))
        if not self.names.repeats(url, proof):
            self.names.note(url, exact(url), proof)

    def _gather(
        self,
        name: str,
        pages: Sequence[dict[str, Json]],
        stamp: str | None,
        kind: str | None,
        at: int,
    ) -> None:
        body: dict[str, Json] = {"pages": list(pages)} | ({"type": kind} if kind else {})
        stamp = stamp or pages[0].get("modified")
        repairs = dict.fromkeys(said for page in pages for said in page.get("repairs", ()))
        self._documents.append(
            Document(
                identifier=name, datestamp=stamp, body=body, payload=at, repairs=tuple(repairs)
            )
        )

    async def look(
        self, url: str, name: str | None = None, old: Json = None, *, start: bool = False
    ) -> Payload | None:
        """Fetch one page; ``None`` if there is none for us, which is counted. Status 304 says
        that ``old`` is still what it says, 410 that it is gone. Where a walk starts, the host that
        answers in the end is a name of the site.

        Raises :class:`FetchError` or :class:`ProtocolError` where no other page would be answered
        better (``busy``, ``challenge``...).
        """
        if not self._rules.allows(url):
            self._walk.warnings["not_allowed_by_robots"] += 1
            return None
        try:
            payload = await self._ask(url, old, start=start)
        except (FetchError, ProtocolError) as error:
            if self._questions.end_with(error):
                raise
            self.unread += 1
            name = name or await self.names.unproved(url) or exact(url)
            self._rejects.append(Reject(reason=error.reason, identifier=name))
            return None
        self._questions.answered()
        return payload

    async def ask_whether_gone(self, home: str, name: str) -> Page | absent.Still | None:
        """Ask for a page that is not listed any more: only 410 says that it is gone for good. A
        page of its own is still there."""
        kept = (await self._walk.kept([name])).get(name) if self._walk.kept is not None else None
        url = (first_asked(kept) if kept else "") or urljoin(home, name)
        if not self._wanted(url):
            return None
        url = self._site.here(url)
        if not self._rules.allows(url):
            return None
        payload = await self._fetch(Request(url=url, accept=(200, 404, 410)))
        require_no_challenge(payload)
        if payload.status == 410:
            return absent.tombstone(name, payload)
        return absent.Still.THERE if self._is_there(payload, url, name) else None

    def _is_there(self, payload: Payload, url: str, name: str) -> bool:
        """Whether an answer is the page that was asked for. One that comes for other addresses
        too is what the site answers to everything."""
        if payload.status != 200 or self._is_none(payload, url) is not None:
            return False
        if reduced(payload.url) != reduced(url):
            return False
        proof = html.proof(html.read(payload))
        if proof is None:
            return True
        if (other := self._unlisted.setdefault(proof, name)) != name:
            self._walk.there.discard(other)
            return False
        own = exact(url)
        return all(other != proof for key, other in self._proofs.items() if key != own)

    async def _ask(self, url: str, old: Json, *, start: bool = False) -> Payload | None:
        headers = {}
        if old and old.get("reader") == html.READER:
            named = {"If-None-Match": "etag", "If-Modified-Since": "modified"}
            headers = {header: old[key] for header, key in named.items() if old.get(key)}
        payload = await self._fetch(Request(url=url, headers=headers, accept=(200, 304, 404, 410)))
        require_no_challenge(payload)
        if payload.status in (304, 410):
            return payload
        if start and payload.status == 200:
            self._site.follow(url, payload.url)
        if (why := self._is_none(payload, url)) is not None:
            self._walk.warnings[why] += 1
            return None
        return payload

    def _is_none(self, payload: Payload, url: str) -> str | None:
        """Why an answer is no page of the site; ``None`` if it is one."""
        if payload.status == 404:
            return "pages_missing"
        if not self._is_ours(payload.url, url) or _LOGIN.search(payload.url):
            return "redirected_elsewhere"
        if kind_of(payload.body) not in ("html", "xml"):
            return "not_a_page"
        return "pages_missing" if _SOFT_404.search(page_title(payload.body)) else None

    def _is_ours(self, answered: str, asked: str) -> bool:
        """Whether the address that answers is one of the site's: under a name of the site, or at
        the same path of another host, to which the site has moved."""
        if self._site.holds(answered) or same_site(answered, asked):
            return True
        return urlsplit(asked).path.strip("/") != "" and exact(answered) == exact(asked)

    def _note(self, url: str, page: dict[str, Json]) -> bytes | None:
        proof = self._proofs[exact(url)] = html.proof(page)
        return proof

    async def _proof_of(self, url: str) -> bytes | None:
        """What the page at an address proves, which is asked for if this walk has not met it;
        ``None`` where nothing can be told."""
        key = exact(url)
        if key in self._proofs:
            return self._proofs[key]
        url = self._site.here(url)
        if self._asked >= MOST_PROOFS or not self._site.holds(url) or not self._rules.allows(url):
            return None
        self._asked += 1
        self._proofs[key] = None
        try:
            payload = await self._fetch(Request(url=url, accept=(200, 404, 410)))
            require_no_challenge(payload)
        except (FetchError, ProtocolError) as error:
            if self._questions.end_with(error):
                raise
            return None
        if payload.status == 200 and self._is_none(payload, url) is None:
            self._proofs[key] = html.proof(html.read(payload))
        return self._proofs[key]

    async def _with_own_address(self, page: dict[str, Json], payload: Payload) -> dict[str, Json]:
        """A page with the canonical address that it names only if its own page is there: templates
        name one address, often the home page, on every page of a site (RFC 6596 §3)."""
        said = page.get("canonical")
        if said is None:
            return page
        own = {exact(page["asked"]), exact(page["url"]), exact(payload.url)}
        if exact(said) in own or exact(said).rstrip("/") in {name.rstrip("/") for name in own}:
            return page
        proof = html.proof(page)
        if proof is not None and await self._proof_of(said) == proof:
            return page
        self._walk.warnings["canonical_elsewhere"] += 1
        return {key: value for key, value in page.items() if key != "canonical"}

    def _read(
        self, payload: Payload, url: str, lang: str | None, listed: str | None = None
    ) -> dict[str, Json]:
        made = html.read(payload, self._select, listed)
        self._walk.warnings.update(made.get("repairs", ()))
        made["asked"] = url
        if lang is not None:
            # The list of the site says it of this page: that is no habit of its theme.
            made |= {"lang": lang, "listed_lang": lang}
            made["entry"].pop("lang", None)
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
