"""Portals made with the CHM Portal Toolkit (Naaya, Zope): channels, folders, objects in RDF."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from html import escape

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_WINDOW = 5
_FORMS = {
    "news": ("news", "news/news"),
    "event": ("event", "events/event"),
    "guide": ("resource", "implementation/documents/document"),
    "researchReport": ("resource", "implementation/documents/report"),
}
_RSS = (
    '<rdf:RDF xmlns="http://purl.org/rss/1.0/" '
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:ev="http://purl.org/rss/1.0/modules/event/">'
)
_CHANNELS = {
    "latestnews_rdf": ("news",),
    "upcomingevents_rdf": ("event",),
    "latestuploads_rdf": ("guide", "researchReport"),
}


class Portal:
    """One portal. Its objects are linked under a made-up public host; asked under that of the
    network, since nobody answers at the other."""

    url = ""

    def __init__(
        self, seed: int, scale: int, code: str, languages: tuple[str, ...], size: int
    ) -> None:
        self.name = f"ptk-{code.lower()}"
        self.source = f"demo-{self.name}"
        self.country = country(code)
        self.languages = languages
        self.shelf = Shelf(seed, self.name, self.country, tuple(_FORMS), size * scale, languages)

    def sources(self) -> Mapping[str, Told]:
        """One source: all objects, in each language."""
        keys = {
            "country": self.country.code,
            "adapter": "ptk",
            "url": self.url,
            "languages": list(self.languages),
        }
        title = f"Demonstration: clearing-house of {self.country.names['en']} (Naaya)"
        return {self.source: Told(title, keys, {"ask_languages": len(self.languages) > 1})}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What there is, by the objects' places in the portal."""
        truth = Truth()
        for thing in self.shelf:
            path = self._path(thing)
            if thing.deleted:
                truth.deleted.add(path)
                continue
            titles = tuple(
                Text(value=thing.wording.title(lang), lang=lang)
                for lang in self.languages
                if lang in thing.wording.languages
            )
            truth.live[path] = Expectation(_FORMS[thing.kind][0], titles, (self.country.code,))
        return {self.source: truth}

    def _path(self, thing: Thing) -> str:
        return f"/{_FORMS[thing.kind][1]}{thing.number:06}"

    def answer(self, request: Request) -> Answer:
        """Channels, the sitemap, objects, robots.txt and a front page."""
        path, asked = request.path, dict(request.arguments())
        if path == "/robots.txt":
            return Answer(b"User-agent: *\nDisallow: /manage\n", "text/plain")
        if path == "/":
            return Answer(self._front().encode(), "text/html; charset=utf-8")
        if path.startswith("/portal_syndication/"):
            kinds = _CHANNELS.get(path.rpartition("/")[2])
            return _missing() if kinds is None else self._channel(path, kinds)
        if path == "/sitemap_xml":
            return self._sitemap()
        thing = next((t for t in self.shelf if self._path(t) == path.rstrip("/")), None)
        if thing is None or thing.deleted:
            return _missing()
        rdf = "application/rdf+xml" in request.headers.get("accept", "")
        if rdf or asked.get("format") == "rdf":
            return self._object(thing, asked.get("lang"))
        lang = thing.wording.languages[0]
        page = f"<!DOCTYPE html><title>{escape(thing.wording.title(lang))}</title>"
        return Answer(page.encode(), "text/html; charset=utf-8")

    def _front(self) -> str:
        return (
            f'<!DOCTYPE html><html lang="{self.languages[0]}"><head><title>CHM '
            f'{self.country.names["en"]}</title><link rel="alternate" type="application/rdf+xml" '
            'href="/portal_syndication/latestnews_rdf"/></head><body>'
            '<img src="/misc_/Naaya/Folder.gif" alt=""></body></html>'
        )

    def _channel(self, path: str, kinds: tuple[str, ...]) -> Answer:
        live = [thing for thing in self.shelf.live() if thing.kind in kinds]
        shown = sorted(live, key=lambda t: (t.born, t.number), reverse=True)[:_WINDOW]
        about = f"{self.url}{path}"
        items = "".join(self._item(thing) for thing in shown)
        text = (
            f'<?xml version="1.0" encoding="utf-8"?>\n{_RSS}<channel rdf:about="{about}">'
            f"<title>{path.rpartition('/')[2]}</title><link>{about}</link>"
            f"<dc:language>{self.languages[0]}</dc:language></channel>{items}</rdf:RDF>"
        )
        return Answer(text.encode(), "text/xml; charset=utf-8")

    def _item(self, thing: Thing) -> str:
        lang = thing.wording.languages[0]
        link = f"{self.url}{self._path(thing)}"
        title, text = escape(thing.wording.title(lang)), thing.wording.description(lang)
        event = ""
        if thing.kind == "event":
            days = "".join(
                f"<ev:{n}>{_local(thing.born)}</ev:{n}>" for n in ("startdate", "enddate")
            )
            event = f"<ev:location>Hall</ev:location>{days}"
        return (
            f'<item rdf:about="{link}"><link>{link}</link><title>{title}</title>'
            f"<description><![CDATA[<p>{escape(text)}</p>]]></description>"
            f"<dc:title>{title}</dc:title><dc:identifier>{link}</dc:identifier>"
            f"<dc:date>{_local(thing.born)}</dc:date><dc:contributor>editor</dc:contributor>"
            f"<dc:language>{lang}</dc:language><dc:subject></dc:subject><dc:rights></dc:rights>"
            f"<dc:type>Text</dc:type>{event}</item>"
        )

    def _sitemap(self) -> Answer:
        rows = "".join(
            f"<url><loc>{self.url}{self._path(thing)}/</loc><lastmod>{_local(thing.born)[:10]}"
            "</lastmod><changefreq>weekly</changefreq></url>"
            for thing in self.shelf.live()
        )
        text = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{rows}</urlset>'
        return Answer(f'<?xml version="1.0" encoding="utf-8"?>\n{text}'.encode(), "text/xml")

    def _object(self, thing: Thing, wanted: str | None) -> Answer:
        own = thing.wording.languages
        # Asked for a language it is not in, the toolkit gives the one it is in.
        lang = wanted if wanted in own else own[0]
        dates = "".join(
            f'<dcterms:{name} rdf:datatype="http://www.w3.org/2001/XMLSchema#dateTime">'
            f"{_local(moment)}</dcterms:{name}>"
            for name, moment in (("modified", thing.stamp), ("available", thing.born))
        )
        text = (
            '<?xml version="1.0" encoding="utf-8"?>\n'
            '<rdf:RDF xmlns:dcterms="http://purl.org/dc/terms/" '
            'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
            f'<rdf:Description rdf:about="{self.url}{self._path(thing)}">'
            f"<dcterms:title>{escape(thing.wording.title(lang))}</dcterms:title>"
            "<dcterms:creator>editor</dcterms:creator>"
            f"<dcterms:description>{escape(thing.wording.description(lang))}</dcterms:description>"
            f"<dcterms:language>{lang}</dcterms:language>{dates}</rdf:Description></rdf:RDF>"
        )
        return Answer(text.encode(), "application/rdf+xml; charset=utf-8")


def _local(moment: int) -> str:
    """Local time, written as if it were UTC."""
    return datetime.fromtimestamp(moment + 2 * 3600, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _missing() -> Answer:
    page = b"<html><head><title>Site error</title></head><body>NotFound</body></html>"
    return Answer(page, "text/html; charset=utf-8", 404)


def replicas(seed: int, scale: int) -> list[Replica]:
    """Four portals."""
    return [
        Portal(seed, scale, "RO", ("en", "fr"), 70),
        Portal(seed, scale, "RS", ("en",), 70),
        Portal(seed, scale, "EU", ("en",), 60),
        Portal(seed, scale, "BJ", ("fr",), 60),
    ]
