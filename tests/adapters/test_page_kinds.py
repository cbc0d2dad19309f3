"""Sites read by their sitemap or links: dates of change, pages that are no entries, and pages that
an earlier version of the hub read."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub import fetch as fetching
from chm_hub.document import Payload, Walk
from demo.server import Answer, Request
from harvesters import html
from harvesters.pages import Visitor
from harvesters.site import Site
from tests.adapters.partners import serving
from tests.adapters.test_sites import MISSING, declare, held, page, run, run_of
from tests.mapped import payload
from tests.running import Hub

SPACE = "http://www.sitemaps.org/schemas/sitemap/0.9"
TEXT = "<h1>{0}</h1><p>Rangers counted the {0} of the swamp at dawn and found three more.</p>"


def urlset(entries: dict[str, str | None], base: str) -> Answer:
    lines = "".join(
        f"<url><loc>{base}{path}</loc>{f'<lastmod>{said}</lastmod>' if said else ''}</url>"
        for path, said in entries.items()
    )
    return Answer(f'<urlset xmlns="{SPACE}">{lines}</urlset>'.encode(), "text/xml")


def site(entries: dict[str, str | None], pages: dict[str, Answer]) -> Any:
    def respond(request: Request) -> Answer:
        if request.path == "/sitemap.xml":
            return urlset(entries, f"http://127.0.0.1:{request.port}")
        return pages.get(request.path, MISSING)

    return respond


def test_lastmod_says_when_a_page_changed_unless_all_say_the_same(hub: Hub) -> None:
    own = page(TEXT.format("cranes"), head='<meta name="DC.date.modified" content="2020-02-02">')
    pages = {"/a": page(TEXT.format("herons")), "/b": own, "/c": page(TEXT.format("storks"))}
    entries = {"/a": "2023-03-04T10:00:00Z", "/b": "2023-03-05", "/c": None}
    run(hub, "sitemap", site(entries, pages), path="/sitemap.xml")
    records = held(hub)
    assert records["/a"]["modified"] == "2023-03-04T10:00:00Z"
    assert records["/b"]["modified"] == "2020-02-02", "the page itself counts more"
    assert "modified" not in records["/c"]


def test_the_date_a_sitemap_was_made_is_none_of_its_pages(hub: Hub) -> None:
    names = [f"/{n}" for n in range(12)]
    pages = {name: page(TEXT.format(f"cranes of {name[1:]}")) for name in names}
    entries: dict[str, str | None] = dict.fromkeys(names, "2023-03-04T10:00:00Z")
    run(hub, "sitemap", site(entries, pages), path="/sitemap.xml")
    records = held(hub)
    assert len(records) == 12
    assert not any("modified" in record for record in records.values())


@pytest.mark.parametrize("adapter", ["sitemap", "html"])
def test_lists_are_skipped_with_a_reason_and_their_records_go(hub: Hub, adapter: str) -> None:
    paths = ("/one", "/tag/birds", "/author/jane", "/search")
    links = "".join(f'<a href="{path}">{path}</a>' for path in paths)
    entry = {"/one": page(TEXT.format("cranes")), "/": page(links)}
    alike = {path: page(TEXT.format(path.strip("/"))) for path in paths[1:]}
    # At first the pages say that they are entries; later they say nothing of it.
    head = '<meta property="og:type" content="article">'
    first = {path: page(TEXT.format(path.strip("/")), head=head) for path in paths[1:]}
    entries: dict[str, str | None] = dict.fromkeys(paths)
    answers = {**entry, **first}
    path = "/sitemap.xml" if adapter == "sitemap" else "/"
    with serving(lambda request: site(entries, answers)(request)) as url:
        declare(hub, adapter, url + path)
        assert run_of(hub, "s")["new"] == 4
        answers.update(alike)
        made = run_of(hub, "s", "--full")
        assert (made["seen"], made["skipped"], made["unchanged"]) == (4, 3, 1)
    assert set(held(hub)) == {"/one"}


def test_a_sitemap_of_terms_lists_no_entries(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}"
        names = ("wp-sitemap-posts-post-1", "wp-sitemap-taxonomies-topic-1", "wp-sitemap-users-1")
        if request.path == "/wp-sitemap.xml":
            maps = "".join(f"<sitemap><loc>{base}/{name}.xml</loc></sitemap>" for name in names)
            return Answer(
                f'<sitemapindex xmlns="{SPACE}">{maps}</sitemapindex>'.encode(), "text/xml"
            )
        for name in names:
            if request.path == f"/{name}.xml":
                return urlset({f"/{name[11:16]}/1": None}, base)
        return page(TEXT.format(request.path.strip("/")))

    made = run(hub, "sitemap", respond, path="/wp-sitemap.xml")
    assert (made["seen"], made["new"], made["skipped"]) == (3, 1, 2)
    assert set(held(hub)) == {"/posts/1"}


@pytest.mark.parametrize(("reader", "tag"), [(html.READER, '"1"'), (1, None), (None, None)])
def test_a_page_that_an_earlier_version_read_is_asked_for_in_full(
    reader: int | None, tag: str | None
) -> None:
    asked: list[Mapping[str, str]] = []

    async def fetch(request: fetching.Request) -> Payload:
        asked.append(request.headers)
        return payload(page(TEXT.format("cranes")).body, "text/html", request.url)

    async def look() -> None:
        walk = Walk(started=datetime.now(UTC))
        url = "https://portal.example.org/a"
        visitor = Visitor(fetch, walk, Anything(), {}, Site(url))  # type: ignore[arg-type]
        await visitor.look(url, old={"etag": '"1"', "reader": reader})

    asyncio.run(look())
    assert [headers.get("If-None-Match") for headers in asked] == [tag]


class Anything:
    """A robots.txt that allows everything."""

    def allows(self, url: str) -> bool:
        return True
