"""What a page of a site is called: its address without the host, so that a site may move.

Many addresses lead to one page (sessions, print versions, the order of arguments), and pages
differ by arguments that look like a session (``article.php?sid=2``). Only the content tells:
two addresses with one reduced form are one page if they give the same page (rule R9).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from chm_hub.document import Document, Json, Walk
from harvesters import html
from harvesters.page_addresses import exact, reduced, reductions

PROOFS = 3
"""Addresses whose reduced form was proved to be the same page, before others of the kind need no
proof."""
MOST_CANDIDATES = 50
"""Records that one page is compared with. Where more share a reduced name, arguments part pages."""

Ask = Callable[[str], Awaitable[bytes | None]]
"""Fetch an address and give the proof of its page (:func:`harvesters.html.proof`)."""


@dataclass
class PageNames:
    """What the pages of one walk are called, and what stores called them before."""

    walk: Walk
    _taken: dict[str, str] = field(default_factory=dict)
    """The own name of the address that has a name in this walk."""
    _met: dict[str, list[tuple[bytes, str]]] = field(default_factory=dict)
    """Proof and name of the pages with one reduced name."""
    _same: Counter[str] = field(default_factory=Counter)
    _proved: dict[str, set[str]] = field(default_factory=dict)
    _parts: set[str] = field(default_factory=set)
    """Reductions that were seen to part pages."""
    _live: dict[str, list[str]] | None = None

    async def known(self, url: str) -> tuple[str | None, Document | None]:
        """The name that the hub has a page of this very address under, and its document."""
        own, short = exact(url), reduced(url)
        kept = await self._kept([own, f"{own}#", short])
        for name, document in kept.items():
            if self._taken.get(name, own) == own and exact(first_asked(document)) == own:
                return name, document
        return None, None

    def usual(self, url: str, avoid: str | None = None) -> str:
        """The name of a page of which nothing else is known."""
        own, short = exact(url), reduced(url)
        parts = reductions(url)
        best = short if parts <= {"form"} or self._noise(parts) else own
        names = [name for name in (best, own) if name != avoid]
        free = (name for name in names if self._taken.get(name, own) == own)
        return next(free, f"{own}#")

    async def unproved(self, url: str) -> str | None:
        """The name of a page of which no content came; ``None`` if it may be another's."""
        name = self.usual(url)
        return name if name not in await self._kept([name]) else None

    def needless(self, url: str) -> bool:
        """Whether an address leads to a page that was met, as others of its kind have shown."""
        short, parts = reduced(url), reductions(url)
        if short not in self._met:
            return False
        return self._same[short] >= PROOFS or (bool(parts) and self._noise(parts))

    def take(self, url: str, name: str, proof: bytes | None) -> None:
        """Note what a page is called."""
        self._taken.setdefault(name, exact(url))
        self.note(url, name, proof)

    def note(self, url: str, name: str, proof: bytes | None) -> None:
        """Note that an address leads to a page that has a name."""
        if proof is not None:
            self._met.setdefault(reduced(url), []).append((proof, name))

    def repeats(self, url: str, proof: bytes | None) -> bool:
        """Whether the page of an address was met under another that has one reduced name with it;
        what that shows of such addresses is remembered."""
        short, parts = reduced(url), reductions(url)
        met = self._met.get(short)
        if not met or proof is None:
            return False
        if all(proof != other for other, _ in met):
            self._parts |= parts
            return False
        self._same[short] += 1
        for part in parts:
            self._proved.setdefault(part, set()).add(short)
        return True

    async def decide(self, url: str, proof: bytes | None, ask: Ask) -> str | None:
        """The name of a page that the hub has not under this address; ``None`` if the walk has
        met the page under another."""
        short, parts = reduced(url), reductions(url)
        if self.repeats(url, proof):
            return None
        if not parts:  # the address is the name
            return self.usual(url)
        name, another = await self._as_before(url, proof, ask) if proof else (None, False)
        return name or self.usual(url, avoid=short if another else None)

    async def _as_before(self, url: str, proof: bytes, ask: Ask) -> tuple[str | None, bool]:
        """The name that the hub has this page under, by another address; and whether what the hub
        has under the reduced name is another page."""
        names = [name for name in await self._candidates(url) if name not in self._taken]
        kept = await self._kept(names[: MOST_CANDIDATES + 1])
        if len(kept) > MOST_CANDIDATES:
            return None, True
        for name, document in kept.items():
            if html.proof(_first(document)) == proof:
                return name, False
        if len(kept) != 1:
            return None, bool(kept)
        # Another page, or the same one, changed since. Its address of then tells.
        name, document = next(iter(kept.items()))
        now = await ask(first_asked(document))
        return (name, False) if now == proof else (None, now is not None)

    async def _candidates(self, url: str) -> list[str]:
        short = reduced(url)
        if self._live is None:
            self._live = {}
            for name in await self.walk.live() if self.walk.live is not None else ():
                self._live.setdefault(reduced(f"http://x{name}"), []).append(name)
        found = self._live.get(short, [])
        return sorted(found, key=lambda name: (name != short, name))

    def _noise(self, parts: frozenset[str]) -> bool:
        """Whether the walk has proved that differences of a kind part no pages."""
        return all(
            part != "bytes"
            and part not in self._parts
            and len(self._proved.get(part, ())) >= PROOFS
            for part in parts
        )

    async def _kept(self, names: list[str]) -> Mapping[str, Document]:
        if self.walk.kept is None or not names:
            return {}
        found = await self.walk.kept(list(dict.fromkeys(names)))
        return {name: found[name] for name in dict.fromkeys(names) if name in found}


def first_asked(document: Document) -> str:
    """The address that a document's page was asked at."""
    page = _first(document)
    return str(page.get("asked") or page.get("url") or "")


def _first(document: Document) -> dict[str, Json]:
    pages = document.body.get("pages") if isinstance(document.body, dict) else None
    return pages[0] if isinstance(pages, list) and pages and isinstance(pages[0], dict) else {}
