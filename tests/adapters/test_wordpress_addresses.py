"""Where a WordPress has its API and its pages, and what is taken where the API is closed."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters.detect import PROBES, Found, detect
from adapters.wordpress_addresses import api, base_in, base_of, route_of
from chm_hub.document import Payload
from chm_hub.errors import FetchError
from chm_hub.fetch import Request

JSON = "application/json; charset=UTF-8"
FRENCH = ("Les pêcheurs gardent la baie depuis dix ans", "Un marché pour le miel de la forêt")
HOST = "https://w.example"


@dataclass(frozen=True)
class Answer:
    body: bytes
    kind: str
    status: int = 200


NOTHING = Answer(b"<!DOCTYPE html><title>Page not found</title>", "text/html", 404)


@pytest.mark.parametrize(
    ("url", "base", "route"),
    [
        ("https://w.example/", "https://w.example", None),
        ("https://w.example/index.php", "https://w.example", None),
        ("https://w.example/portal/", "https://w.example/portal", None),
        ("https://w.example/wp-json/", "https://w.example", "path"),
        ("https://w.example/wp-json", "https://w.example", "path"),
        ("https://w.example/portal/wp-json/wp/v2/posts?page=2", "https://w.example/portal", "path"),
        ("https://w.example/index.php/wp-json/wp/v2", "https://w.example", "path"),
        ("https://w.example/?rest_route=/", "https://w.example", "query"),
        ("https://w.example/p/index.php?rest_route=/wp/v2/posts", "https://w.example/p", "query"),
        ("https://w.example/p/?lang=fr&rest_route=%2Fwp%2Fv2", "https://w.example/p", "query"),
    ],
)
def test_the_portal_is_known_by_any_address_of_it(url: str, base: str, route: str | None) -> None:
    assert (base_of(url), route_of(url)) == (base, route)


def test_addresses_of_the_api() -> None:
    assert api("https://w.example/p", "path", "wp/v2/posts", page="2") == (
        "https://w.example/p/wp-json/wp/v2/posts?page=2"
    )
    assert api("https://w.example/p", "query", "wp/v2/posts", page="2") == (
        "https://w.example/p/?rest_route=/wp/v2/posts&page=2"
    )


def test_the_portal_is_known_by_its_own_files_and_by_no_others() -> None:
    page = r'<link href="https://cdn.example/wp-content/x.css"><script>"https:\/\/w.example\/p\/wp-includes\/j.js"'
    assert base_in(page, "https://w.example/p/about/") == "https://w.example/p"
    assert base_in(page, "https://other.example/") is None


# --- looks at portals --------------------------------------------------------------------


class Portal:
    """A WordPress as version 6.1 answers: in a folder, with plain or readable addresses, its API
    open, closed by a plugin (also what its pages say of it), or open but for its posts."""

    def __init__(
        self, folder: str = "", *, plain: bool = False, closed: str = "", lang: str = "en-US"
    ) -> None:
        self.folder, self.plain, self.closed, self.lang = folder, plain, closed, lang
        self.asked: list[str] = []

    async def fetch(self, request: Request) -> Payload:
        self.asked.append(request.url)
        made = self._answer(request.url)
        if made.status not in request.accept:
            raise FetchError("no", reason=f"http_{made.status}", status=made.status)
        return Payload(
            url=request.url, status=made.status, headers={"Content-Type": made.kind},
            body=made.body, fetched=datetime.now(UTC),
        )  # fmt: skip

    def _answer(self, url: str) -> Answer:
        base, parts = f"{HOST}{self.folder}", urlsplit(url)
        asked = dict(parse_qsl(parts.query))
        if not parts.path.startswith(f"{self.folder}/"):
            return NOTHING
        path = parts.path.removeprefix(self.folder)
        route = asked.get("rest_route") if self.plain else None
        if not self.plain and path.startswith("/wp-json"):
            route = path.removeprefix("/wp-json")
        if route is not None:
            return self._api(route.strip("/"))
        sitemap = asked.get("sitemap") == "index" if self.plain else path == "/wp-sitemap.xml"
        if sitemap:
            return Answer(
                f'<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"><sitemap><loc>'
                f"{base}/wp-sitemap-posts-post-1.xml</loc></sitemap></sitemapindex>".encode(),
                "application/xml",
            )
        if asked.get("feed") or path == "/feed/":
            return Answer(
                b"<rss version='2.0'><channel><title>F</title><item><title>T</title>"
                b"<link>http://x.example/1</link></item></channel></rss>",
                "application/rss+xml",
            )
        if path in ("/", "/about/"):
            return self._page(base)
        # With plain addresses the front page comes for whatever is below it.
        return self._page(base) if self.plain and "/wp-json" in path else NOTHING

    def _page(self, base: str) -> Answer:
        where = f"{base}/index.php?rest_route=/" if self.plain else f"{base}/wp-json/"
        link = "" if self.closed else f'<link rel="https://api.w.org/" href="{where}" />'
        feed = f"{base}/?feed=rss2" if self.plain else f"{base}/feed/"
        return Answer(
            f'<!DOCTYPE html><html lang="{self.lang}"><head><title>CHM</title>{link}'
            f'<link rel="alternate" type="application/rss+xml" href="{feed}" />'
            f'<link rel="stylesheet" href="{base}/wp-content/themes/t/style.css"></head>'
            "<body><p>x</p></body></html>".encode(),
            "text/html",
        )

    def _api(self, route: str) -> Answer:
        if self.closed == "all" or (self.closed == "posts" and route):
            body = {"code": "rest_forbidden", "message": "No.", "data": {"status": 401}}
            return Answer(json.dumps(body).encode(), JSON, 401)
        if self.closed == "gone":
            return Answer(b'{"code": "rest_no_route", "message": "No route."}', JSON, 404)
        if not route:
            root = {"name": "CHM of Exampleland", "namespaces": ["wp/v2"], "routes": {}}
            return Answer(json.dumps(root).encode(), JSON)
        rows = [
            {"id": n, "title": {"rendered": text}, "excerpt": {"rendered": f"<p>{text}</p>"}}
            for n, text in enumerate(FRENCH, 1)
        ]
        return Answer(json.dumps(rows).encode(), JSON)

    def look(self, path: str = "/", wanted: str | None = None) -> Found:
        return asyncio.run(detect(self.fetch, f"{HOST}{path}", wanted))


@pytest.mark.parametrize("folder", ["", "/portal", "/a/b"])
@pytest.mark.parametrize("plain", [True, False])
def test_a_portal_is_recognised_wherever_its_api_is(folder: str, plain: bool) -> None:
    for path in (f"{folder}/", f"{folder}/about/"):
        portal = Portal(folder, plain=plain)
        made = portal.look(path)
        assert (made.adapter, made.url) == ("wordpress", f"{HOST}{folder}")
        assert made.title == "CHM of Exampleland"
        assert len(portal.asked) <= PROBES + 1
    route = "/?rest_route=/wp/v2/posts" if plain else "/wp-json/wp/v2/posts"
    assert Portal(folder, plain=plain).look(f"{folder}{route}").url == f"{HOST}{folder}"


def test_the_languages_are_those_of_its_entries_not_of_its_theme() -> None:
    assert Portal(lang="en-US").look().languages == ("fr",)


@pytest.mark.parametrize("folder", ["", "/portal"])
@pytest.mark.parametrize("plain", [True, False])
@pytest.mark.parametrize(
    ("closed", "why"),
    [("all", "HTTP 401, rest_forbidden"), ("posts", "HTTP 401, rest_forbidden"),
     ("gone", "HTTP 404, rest_no_route")],
)  # fmt: skip
def test_the_sitemap_is_taken_before_the_feed_where_the_api_is_closed(
    folder: str, plain: bool, closed: str, why: str
) -> None:
    portal = Portal(folder, plain=plain, closed=closed)
    made = portal.look(f"{folder}/")
    place = "/?sitemap=index" if plain else "/wp-sitemap.xml"
    assert (made.adapter, made.url) == ("sitemap", f"{HOST}{folder}{place}")
    assert f"WordPress' REST API is closed ({why})" in made.said
    assert "sitemap lists all its pages" in made.said


def test_a_portal_with_neither_gives_its_feed() -> None:
    class Bare(Portal):
        def _answer(self, url: str) -> Answer:
            return NOTHING if "sitemap" in url else super()._answer(url)

    assert Bare(closed="all").look().adapter == "feed"


def test_a_page_with_a_picture_of_a_wordpress_elsewhere_is_none() -> None:
    class Plain(Portal):
        def _page(self, base: str) -> Answer:
            return Answer(
                b'<html><title>T</title><img src="https://o.example/wp-content/a.png">'
                b'<link rel="alternate" type="application/rss+xml" href="/feed/"></html>',
                "text/html",
            )

    portal = Plain(closed="gone")
    assert portal.look().adapter == "feed"
    assert not any("wp-sitemap" in url for url in portal.asked)
