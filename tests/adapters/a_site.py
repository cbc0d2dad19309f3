"""A site in memory, walked by an adapter; what came of one walk is what the next one finds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urljoin

from adapters.source import Source, read_source
from chm_hub.document import Document, Page, Payload, Walk
from chm_hub.errors import FetchError
from chm_hub.fetch import Request

NOW = datetime(2026, 5, 4, tzinfo=UTC)
Body = str | bytes
Reply = tuple[int, str] | Body
"""A status with where it leads, or the body of a 200."""


def html(title: str, body: str = "", head: str = "") -> str:
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>{head}'
        f"</head><body><h1>{title}</h1><p>Text of {title}</p>{body}</body></html>"
    )


def sitemap(*addresses: str) -> str:
    rows = "".join(f"<url><loc>{a.replace('&', '&amp;')}</loc></url>" for a in addresses)
    return f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'


def index(*addresses: str) -> str:
    rows = "".join(f"<sitemap><loc>{a}</loc></sitemap>" for a in addresses)
    return (
        f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</sitemapindex>'
    )


@dataclass
class Web:
    """Answers by their addresses; ``answer`` gives one to an address, or ``None`` for a 404."""

    answer: Callable[[str], Reply | None]
    asked: list[str] = field(default_factory=list)

    async def __call__(self, request: Request) -> Payload:
        url = request.url
        for _ in range(6):
            self.asked.append(url)
            reply = self.answer(url)
            status, body = (404, b"") if reply is None else (200, reply)
            if isinstance(body, tuple):
                status, body = body
            if 300 <= status < 400:
                url = urljoin(url, str(body))
                continue
            if status not in request.accept:
                raise FetchError(f"{url}: {status}", reason=f"http_{status}", status=status)
            made = body.encode() if isinstance(body, str) else body
            return Payload(url=url, status=status, headers={}, body=made, fetched=NOW)
        raise FetchError(f"{url}: redirects without end", reason="redirects")


@dataclass
class Held:
    """What a hub holds of one source, and its walks."""

    folder: Path
    adapter: str
    url: str
    options: str = ""
    documents: dict[str, Document] = field(default_factory=dict)
    walk: Walk = field(default_factory=lambda: Walk(started=NOW))
    pages: list[Page] = field(default_factory=list)

    def source(self) -> Source:
        path = self.folder / "s.toml"
        path.write_text(
            f'title = "S"\nadapter = "{self.adapter}"\nurl = "{self.url}"\nlanguages = ["en"]\n'
            f"[options]\n{self.options}\n"
        )
        source, problems = read_source(path)
        assert source is not None, problems
        return source

    def harvest(self, answer: Callable[[str], Reply | None]) -> Web:
        """Walk the whole site; what it gave is held from then on."""
        web, source = Web(answer), self.source()

        async def kept(names: list[str]) -> dict[str, Document]:
            return {name: held[name] for name in names if name in held}

        async def live() -> list[str]:
            return list(held)

        async def run() -> None:
            async for page in source.adapter.pages(source, source.options, web, self.walk):
                self.pages.append(page)
                for document in page.documents:
                    if document.deleted:
                        self.documents.pop(document.identifier, None)
                    else:
                        self.documents[document.identifier] = document

        held = dict(self.documents)
        self.walk, self.pages = Walk(started=NOW, kept=kept, live=live), []
        asyncio.run(run())
        return web

    @property
    def given(self) -> list[str]:
        """What the last walk gave, by name."""
        return [d.identifier for page in self.pages for d in page.documents if not d.deleted]

    def titles(self) -> dict[str, str]:
        """The titles of what is held, by name."""
        return {name: d.body["pages"][0]["title"] for name, d in self.documents.items()}
