"""Portals made with WordPress: the REST API as version 6 has it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from unicodedata import normalize
from urllib.parse import quote

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_CATEGORIES = {
    "news": {"en": "News", "fr": "Actualités", "es": "Noticias", "ar": "الأخبار"},
    "event": {"en": "Events", "fr": "Événements", "es": "Eventos", "ar": "فعاليات"},
    "project": {"en": "Projects", "fr": "Projets", "es": "Proyectos", "ar": "مشاريع"},
    "caseStudy": {
        "en": "Case studies",
        "fr": "Études de cas",
        "es": "Estudios de caso",
        "ar": "دراسات حالة",
    },
    "researchReport": {"en": "Reports", "fr": "Rapports", "es": "Informes", "ar": "تقارير"},
    "policyDocument": {"en": "Policies", "fr": "Politiques", "es": "Políticas", "ar": "سياسات"},
}
"""What the editors of a portal call their categories, by record type."""
_POSTS = ("news", "news", "event", "project", "caseStudy", "researchReport", "policyDocument")
_JSON = "application/json; charset=UTF-8"


@dataclass(frozen=True, slots=True)
class _Entry:
    """A post or a page: one thing in one language."""

    number: int
    base: str
    thing: Thing
    lang: str


class Portal:
    """One portal. ``lag`` is how many hours its clock is ahead of UTC; with ``bilingual`` each
    language of a thing is an entry of its own that says its language; with ``plain`` addresses
    are numbers, and the API is not under ``/wp-json``."""

    url = ""

    def __init__(
        self,
        seed: int,
        scale: int,
        code: str,
        languages: tuple[str, ...],
        *,
        size: int = 80,
        lag: int = 0,
        bilingual: bool = False,
        plain: bool = False,
    ) -> None:
        self.name = f"wordpress-{code.lower()}"
        self.source = f"demo-{self.name}"
        self.country: Country = country(code)
        self.languages = languages
        self.lag = lag
        self.bilingual = bilingual
        self.plain = plain
        self.shelves = {
            "posts": Shelf(
                seed, f"{self.name}-posts", self.country, _POSTS, size * scale, languages
            ),
            "pages": Shelf(
                seed, f"{self.name}-pages", self.country, ("guide",), size * scale // 5, languages
            ),
        }

    def sources(self) -> Mapping[str, Told]:
        """One source: posts and pages."""
        keys = {
            "country": self.country.code,
            "adapter": "wordpress",
            "url": self.url,
            "languages": list(self.languages),
        }
        title = f"Demonstration: clearing-house of {self.country.names['en']} (WordPress)"
        return {self.source: Told(title, keys, {"per_page": 40})}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        for shelf in self.shelves.values():
            shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by type and number."""
        truth = Truth()
        for base in self.shelves:
            for entry in self._entries(base):
                name = f"{base}-{entry.number}"
                if entry.thing.deleted:
                    truth.deleted.add(name)
                    continue
                kind = "resource" if base == "pages" else entry.thing.kind
                title = Text(value=entry.thing.wording.title(entry.lang), lang=entry.lang)
                truth.live[name] = Expectation(kind, (title,), (self.country.code,))
        return {self.source: truth}

    def _entries(self, base: str) -> Iterator[_Entry]:
        for thing in self.shelves[base]:
            said = thing.wording.languages if self.bilingual else thing.wording.languages[:1]
            for index, lang in enumerate(said):
                yield _Entry(10 + thing.number * 4 + index, base, thing, lang)

    def answer(self, request: Request) -> Answer:
        """The API, robots.txt, and a front page with its marks."""
        path = request.path
        if path == "/robots.txt":
            text = "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n"
            return Answer(text.encode(), "text/plain; charset=utf-8")
        if path == "/" and not request.query:
            return Answer(self._front().encode(), "text/html; charset=UTF-8")
        if self.plain and path.startswith("/wp-json"):
            # WordPress 6.1 on a server without rewriting shows its front page for what it lacks.
            return Answer(self._front().encode(), "text/html; charset=UTF-8")
        return self._api(request) or Answer(
            b"<!DOCTYPE html><title>Page not found</title>", "text/html; charset=UTF-8", 404
        )

    def _api(self, request: Request) -> Answer | None:
        """An answer of the API; ``None`` for an address that is not in it."""
        route = dict(request.arguments()).get("rest_route")
        if route is None and request.path.startswith("/wp-json") and not self.plain:
            route = request.path.removeprefix("/wp-json")
        if route is None:
            return None
        parts = route.strip("/").split("/")
        if parts == [""]:
            index = {"name": self._title(), "url": self.url, "namespaces": ["wp/v2"], "routes": {}}
            return _json(index)
        if parts == ["wp", "v2", "types"]:
            return _json({one: _type(one, base) for one, base in _TYPES.items()})
        if parts[:2] != ["wp", "v2"] or len(parts) not in (3, 4) or parts[2] not in self.shelves:
            return _error(404, "rest_no_route", "No route was found for the URL.")
        return self._one(parts[2], parts[3]) if len(parts) == 4 else self._list(parts[2], request)

    def _title(self) -> str:
        return f"CHM {self.country.names[self.languages[0]]}"

    def _front(self) -> str:
        api = "/index.php?rest_route=/" if self.plain else "/wp-json/"
        return (
            f'<!DOCTYPE html><html lang="{self.languages[0]}"><head><title>{escape(self._title())}'
            '</title><meta name="generator" content="WordPress 6.5" />'
            f'<link rel="https://api.w.org/" href="{self.url}{api}" /></head><body>'
            "<p>…</p></body></html>"
        )

    def _one(self, base: str, number: str) -> Answer:
        for entry in self._entries(base):
            if str(entry.number) == number:
                if not entry.thing.deleted:
                    return _json(self._row(entry, embed=False))
                if entry.number % 2:  # not deleted, but taken back into the editors' drawer
                    return _error(401, "rest_forbidden", "You are not allowed to do that.")
        return _error(404, "rest_post_invalid_id", "Invalid post ID.")

    def _list(self, base: str, request: Request) -> Answer:
        asked = dict(request.arguments())
        size, page = int(asked.get("per_page", 10)), int(asked.get("page", 1))
        if not 1 <= size <= 100:
            return _error(400, "rest_invalid_param", "Invalid parameter(s): per_page")
        entries = [e for e in self._entries(base) if not e.thing.deleted]
        if after := asked.get("modified_after"):
            entries = [e for e in entries if self._local(e.thing.stamp) > after[:19]]
        if after := asked.get("after"):
            entries = [e for e in entries if self._local(e.thing.born) > after[:19]]
        if asked.get("orderby") == "id":
            entries.sort(key=lambda e: e.number, reverse=asked.get("order") != "asc")
        else:
            entries.sort(key=lambda e: e.thing.born, reverse=True)
        total = -(-len(entries) // size)
        if page > max(1, total):
            return _error(400, "rest_post_invalid_page_number", "The page number is too large.")
        shown = entries[(page - 1) * size : page * size]
        headers = {"X-WP-Total": str(len(entries)), "X-WP-TotalPages": str(total)}
        rows = [self._row(e, embed="_embed" in asked) for e in shown]
        if "_fields" in asked:
            keys = asked["_fields"].split(",")
            rows = [{key: row[key] for key in keys if key in row} for row in rows]
        # A byte order mark before the JSON: some theme's file was saved with one.
        body = json.dumps(rows).encode("utf-8-sig" if self.lag == 7 else "utf-8")
        return Answer(body, _JSON, headers=headers)

    def _local(self, moment: int) -> str:
        there = datetime.fromtimestamp(moment, UTC) + timedelta(hours=self.lag)
        return there.strftime("%Y-%m-%dT%H:%M:%S")

    def _row(self, entry: _Entry, *, embed: bool) -> dict[str, Any]:
        thing = entry.thing
        gmt = [datetime.fromtimestamp(m, UTC).strftime("%Y-%m-%dT%H:%M:%S") for m in
               (thing.born, thing.stamp)]  # fmt: skip
        slug = f"{thing.kind.lower()}-{thing.number}"
        title = escape(thing.wording.title(entry.lang), quote=False).replace("–", "&#8211;")
        text = escape(thing.wording.description(entry.lang), quote=False)
        url = f"https://chm-{self.country.code.lower()}.example.org"
        file = f"/wp-content/uploads/{slug}.pdf"
        # A theme ends its beginnings with a link to the rest.
        rest = f'&hellip; <a href="{url}" class="more-link">Continue reading {title}</a>'
        names = _CATEGORIES.get(thing.kind)
        number = list(_CATEGORIES).index(thing.kind) + 3 if names else 1
        name = names[entry.lang] if names else "Uncategorized"
        row: dict[str, Any] = {
            "id": entry.number,
            "date": self._local(thing.born),
            "date_gmt": gmt[0],
            # Where the editors wrote it, before it was public.
            "guid": {"rendered": f"http://localhost:8084/?p={entry.number}"},
            "modified": self._local(thing.stamp),
            "modified_gmt": gmt[1],
            "slug": slug,
            "status": "publish",
            "type": entry.base.removesuffix("s"),
            "link": f"{url}/?p={entry.number}" if self.plain else f"{url}/{entry.lang}/{slug}/",
            "title": {"rendered": title},
            "content": {
                "rendered": f'<p>{text}</p>\n<p><a href="{file}">PDF &amp; maps</a></p>\n',
                "protected": False,
            },
            "excerpt": {"rendered": f"<p>{text} {rest}</p>\n", "protected": False},
            "author": 1,
            "featured_media": entry.number + 1 if thing.number % 4 == 0 else 0,
            "categories": [number] if entry.base == "posts" else [],
            "_links": {"self": [{"href": f"{self.url}/wp-json/wp/v2/{entry.base}/{entry.number}"}]},
        }
        if self.bilingual:
            row["lang"] = entry.lang
        if not embed:
            return row
        shown: dict[str, Any] = {}
        if entry.base == "posts":
            slug = quote(_slug(name)).lower()
            category = {"id": number, "name": name, "slug": slug, "taxonomy": "category"}
            shown["wp:term"] = [[category], []]
        if row["featured_media"]:
            picture = f"{url}/wp-content/uploads/{slug}.jpg"
            shown["wp:featuredmedia"] = [{"source_url": picture, "mime_type": "image/jpeg"}]
        return {**row, "_embedded": shown} if shown else row


_TYPES = {"post": "posts", "page": "pages", "attachment": "media", "wp_block": "blocks"}


def _type(name: str, base: str) -> dict[str, Any]:
    return {"slug": name, "rest_base": base, "rest_namespace": "wp/v2", "taxonomies": []}


def _slug(name: str) -> str:
    """A name as WordPress puts it into an address: without accents, other scripts kept."""
    plain = normalize("NFKD", name).encode("ascii", "ignore").decode()
    return (plain if plain.strip() else name).lower().replace(" ", "-")


def _json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode(), _JSON)


def _error(status: int, code: str, message: str) -> Answer:
    body = {"code": code, "message": message, "data": {"status": status}}
    return Answer(json.dumps(body).encode(), _JSON, status)


def replicas(seed: int, scale: int) -> list[Replica]:
    """Five portals."""
    return [
        Portal(seed, scale, "CM", ("fr", "en"), bilingual=True, lag=1),
        Portal(seed, scale, "JM", ("en",), size=60, lag=-5, plain=True),
        Portal(seed, scale, "PE", ("es",), lag=-5),
        Portal(seed, scale, "ID", ("en",), lag=7),
        Portal(seed, scale, "JO", ("ar",), size=60, lag=3),
    ]
