"""Sites that are read like a visitor: with a sitemap or by their links, well described or bare."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from hashlib import blake2b
from html import escape

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_FORMS = {
    "news": ("news", "news"),
    "event": ("event", "events"),
    "researchReport": ("researchReport", "reports"),
    "caseStudy": ("caseStudy", "cases"),
    "guide": ("resource", "pages"),
}
"""By the form of a thing: its record type, and the folder its pages are in."""
_ON_A_PAGE = 12
_MOVED = 10_000
"""What is added to the number in the address of a page that has moved."""


class Site:
    """One site. ``style`` is how its pages describe themselves: ``json-ld``, ``meta`` (Dublin
    Core) or ``bare`` (selectors are needed); with ``mapped`` it has a sitemap and its pages in
    other languages have addresses of their own."""

    url = ""

    def __init__(
        self,
        seed: int,
        scale: int,
        code: str,
        languages: tuple[str, ...],
        *,
        style: str,
        size: int,
        mapped: bool = False,
        charset: str = "utf-8",
    ) -> None:
        self.name = f"{'sitemap' if mapped else 'static'}-{code.lower()}"
        self.source = f"demo-{self.name}"
        self.country = country(code)
        self.languages = languages
        self.style = style
        self.mapped = mapped
        self.charset = charset
        self.shelf = Shelf(seed, self.name, self.country, tuple(_FORMS), size * scale, languages)

    def home(self) -> str:
        """The address the site goes by."""
        return self.url

    def sources(self) -> Mapping[str, Told]:
        """One source: all pages."""
        keys = {
            "country": self.country.code,
            "adapter": "sitemap" if self.mapped else "html",
            "url": f"{self.home()}/{'sitemap.xml' if self.mapped else ''}",
            "languages": list(self.languages),
        }
        options: dict[str, object] = {"expect_text": "Demonstration portal"}
        if self.style == "bare":
            options["select"] = {
                "title": "td.content b",
                "date": "td.content i",
                "description": "td.content p",
            }
        if self.style != "json-ld":
            options["types"] = {f"/{folder}/": kind for kind, folder in _FORMS.values()}
        if not self.mapped:
            options["take"] = [f"/{folder}/\\d+" for _, folder in _FORMS.values()]
        how = "with a sitemap" if self.mapped else "without"
        title = f"Demonstration: site of {self.country.names['en']}, {how}"
        return {self.source: Told(title, keys, options)}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by the paths of the pages."""
        truth = Truth()
        for thing in self.shelf:
            lang = self._languages(thing)[0]
            path = self._path(thing, lang)
            if thing.moved:
                truth.deleted.add(self._path(thing, lang, moved=False))
            if thing.deleted:
                truth.deleted.add(path)
                continue
            titles = tuple(
                Text(value=thing.wording.title(lang), lang=lang) for lang in self._languages(thing)
            )
            kind = _FORMS[thing.kind][0]
            truth.live[path] = Expectation(kind, titles, (self.country.code,))
        return {self.source: truth}

    def _languages(self, thing: Thing) -> tuple[str, ...]:
        """The languages a thing's page is in, in the order of the site's."""
        said = thing.wording.languages
        if not self.mapped:
            return said[:1]
        return tuple(sorted(said, key=self.languages.index))

    def _path(self, thing: Thing, lang: str, *, moved: bool | None = None) -> str:
        """The path of a thing's page: where it is, or where it would be."""
        number = thing.number + (_MOVED if (thing.moved if moved is None else moved) else 0)
        path = f"/{_FORMS[thing.kind][1]}/{number}"
        return f"/{lang}{path}" if self.mapped else path

    def answer(self, request: Request) -> Answer:
        """Pages, lists, the sitemap, robots.txt."""
        path = request.path
        if path == "/robots.txt":
            text = "User-agent: *\nDisallow: /admin/\n"
            text += f"Sitemap: {self.home()}/sitemap.xml\n" if self.mapped else ""
            return Answer(text.encode(), "text/plain")
        if path == "/":
            return self._page(request, self._home())
        if path.startswith("/sitemap") and self.mapped:
            return self._sitemap(path)
        if path.startswith("/list/") and not self.mapped:
            return self._page(request, self._list(int(path.rpartition("/")[2] or 1)))
        for thing in self.shelf:
            for lang in self._languages(thing):
                if self._path(thing, lang) == path:
                    if thing.deleted:
                        # Some sites say that a page is gone for good, most only that it is not
                        # there.
                        status = 410 if thing.number % 2 else 404
                        return Answer(b"<html><title>Not here</title></html>", "text/html", status)
                    return self._page(request, self._thing(thing, lang), thing)
                if thing.moved and self._path(thing, lang, moved=False) == path:
                    headers = {"Location": self._path(thing, lang)}
                    return Answer(b"", "text/html", 410 if thing.deleted else 301, headers)
        return Answer(b"<html><head><title>404 Not Found</title></head></html>", "text/html", 404)

    def _page(self, request: Request, text: str, thing: Thing | None = None) -> Answer:
        body = text.encode(self.charset, "xmlcharrefreplace")
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        headers = {"ETag": tag}
        if thing is not None:
            moment = datetime.fromtimestamp(thing.stamp, UTC)
            headers["Last-Modified"] = format_datetime(moment, usegmt=True)
        # A bare site's server does not say its encoding; the page does.
        declared = "" if self.style == "bare" else f"; charset={self.charset}"
        if request.headers.get("if-none-match") == tag:
            return Answer(b"", "text/html", 304, headers)
        return Answer(body, f"text/html{declared}", headers=headers)

    def _home(self) -> str:
        lists = "".join(
            f'<li><a href="list/{n}">{n}</a></li>'
            for n in range(1, -(-len(self.shelf.live()) // _ON_A_PAGE) + 1)
        )
        lang = self.languages[0]
        return (
            f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="{self.charset}">'
            "<title>Demonstration portal</title></head><body><h1>Demonstration portal</h1>"
            f'<ul>{lists}</ul><a href="admin/">Admin</a> <a href="files/a.pdf">A</a>'
            '<a href="https://elsewhere.example.org/">Elsewhere</a></body></html>'
        )

    def _list(self, number: int) -> str:
        live = self.shelf.live()
        part = live[(number - 1) * _ON_A_PAGE : number * _ON_A_PAGE]
        links = "".join(
            f'<li><a href="..{self._path(thing, self.languages[0])}?utm_source=list#top">'
            f"{escape(thing.wording.title(thing.wording.languages[0]))}</a></li>"
            for thing in part
        )
        return (
            f"<html><head><title>List {number}</title></head><body><ul>{links}</ul></body></html>"
        )

    def _thing(self, thing: Thing, lang: str) -> str:
        title, text = thing.wording.title(lang), thing.wording.description(lang)
        day = datetime.fromtimestamp(thing.born, UTC).strftime("%Y-%m-%d")
        file = f'<a href="/files/{thing.number}.pdf">PDF</a>'
        if self.style == "bare":
            shown = datetime.fromtimestamp(thing.born, UTC).strftime("%d.%m.%Y")
            return (
                '<!DOCTYPE HTML PUBLIC "-//W3C//DTD HTML 4.01 Transitional//EN">'
                f'<html lang="{lang}"><head><meta http-equiv="Content-Type" content="text/html; '
                f'charset={self.charset}"><title>Portal</title></head><body><table><tr><td>'
                f'<a href="/">Home</a></td><td class="content"><b>{escape(title)}</b><br>'
                f"<i>{shown}</i><p>{escape(text)}</p>{file}</td></tr></table></body></html>"
            )
        if self.style == "json-ld":
            kinds = {"news": "NewsArticle", "event": "Event", "researchReport": "Report"}
            types = {"caseStudy": "CaseStudy", "guide": "WebPage"}
            data = {
                "@context": "https://schema.org",
                "@graph": [
                    {"@type": "WebSite", "name": "Demonstration portal"},
                    {
                        "@type": kinds.get(thing.kind, types.get(thing.kind)),
                        "headline": title,
                        "description": text,
                        "inLanguage": lang,
                        "datePublished": day,
                        "dateModified": thing.when(thing.stamp),
                    },
                ],
            }
            head = (
                f'<script type="application/ld+json">{json.dumps(data)}</script>'
                f"<title>{escape(title)} | Demonstration portal</title>"
            )
        else:
            head = (
                f'<meta name="DC.title" content="{escape(title)}">'
                f'<meta name="DC.description" content="{escape(text)}">'
                f'<meta name="DCTERMS.issued" content="{day}">'
                f"<title>Demonstration portal: {escape(title)}</title>"
            )
        return (
            f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="{self.charset}">{head}'
            f"</head><body><nav>Menu</nav><main><h1>{escape(title)}</h1><p>{escape(text)}</p>"
            f"{file}<script>track()</script></main></body></html>"
        )

    def _sitemap(self, path: str) -> Answer:
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        if path == "/sitemap.xml":
            body = "".join(
                f"<sitemap><loc>{self.home()}/sitemap-{n}.xml</loc></sitemap>" for n in (1, 2)
            )
            text = f'<sitemapindex xmlns="{space}">{body}</sitemapindex>'
        else:
            rest = 1 if path.endswith("-1.xml") else 0
            body = "".join(
                line
                for thing in self.shelf.live()
                if thing.number % 2 == rest
                for line in self._entries(thing)
            )
            text = f'<urlset xmlns="{space}" xmlns:xhtml="http://www.w3.org/1999/xhtml">{body}</urlset>'
        return Answer(f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode(), "text/xml")

    def _entries(self, thing: Thing) -> Iterator[str]:
        languages = self._languages(thing)
        links = "".join(
            f'<xhtml:link rel="alternate" hreflang="{lang}" '
            f'href="{self.home()}{self._path(thing, lang)}"/>'
            for lang in languages
        )
        for lang in languages:
            yield (
                f"<url><loc>{self.home()}{self._path(thing, lang)}</loc>"
                f"{links if len(languages) > 1 else ''}<lastmod>{thing.when(thing.stamp)}</lastmod>"
                "</url>"
            )


def replicas(seed: int, scale: int) -> list[Replica]:
    """Six sites: three with a sitemap, three without."""
    return [
        Site(seed, scale, "CH", ("fr", "en"), style="json-ld", size=60, mapped=True),
        Site(seed, scale, "MA", ("ar", "fr"), style="meta", size=60, mapped=True),
        Site(seed, scale, "KZ", ("ru", "en"), style="meta", size=50, mapped=True),
        Site(seed, scale, "JP", ("ja",), style="bare", size=40, charset="shift_jis"),
        Site(seed, scale, "BG", ("ru",), style="bare", size=40, charset="windows-1251"),
        Site(seed, scale, "AU", ("en",), style="meta", size=40),
    ]
