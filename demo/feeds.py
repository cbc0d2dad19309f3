"""Three feeds: RSS 2.0 as Drupal writes it, Atom in many languages, RSS 1.0 with events.

A feed shows the newest :data:`WINDOW` entries; older ones drop out of it and are not gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import blake2b
from xml.sax.saxutils import escape, quoteattr

from chm_hub.record import Text
from demo import life
from demo.phrases import UN_LANGUAGES, Country, Dice, Wording, compose
from demo.server import Answer, Request

WINDOW = 25
ADDED = 4
"""Entries that appear in each phase."""
_DAY = 86_400


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a feed."""

    number: int
    identifier: str
    """What a reader of the feed calls it: guid, id or ``rdf:about``."""
    link: str
    lang: str
    wording: Wording
    published: int
    updated: int

    def title(self) -> Text:
        """Its title, in its one language."""
        return Text(value=self.wording.title(self.lang), lang=self.lang)


@dataclass(frozen=True, slots=True)
class _Life:
    published: int
    updated: int
    edits: int = 0


@dataclass(frozen=True, slots=True)
class Style:
    """What sets one feed apart from another."""

    name: str
    host: str
    type: str
    """The hub's record type for its entries; also the form they are worded in."""
    languages: tuple[str, ...]
    media_type: str
    render: Callable[[Style, str, list[Entry]], str]
    identify: Callable[[Style, int, str], str]
    """The identifier of an entry, from its number and its link."""


@dataclass
class Feed:
    """One feed, living through the phases of the network."""

    seed: int
    style: Style
    country: Country
    title: str
    _lives: tuple[_Life, ...] = field(init=False)

    def __post_init__(self) -> None:
        # The entries there are at the beginning came three days apart.
        moments = [life.LAST - 3 * _DAY * (WINDOW - n) for n in range(WINDOW)]
        self._lives = tuple(_Life(moment, moment) for moment in moments)

    def advance(self, phase: int, now: int) -> None:
        """Go on to the next phase, which begins ``now``: two edits, then new entries."""
        lives = list(self._lives)
        first = len(lives) - WINDOW + ADDED  # what stays in the window
        dice = Dice(self.seed, self.style.name, "edit", phase)
        for number in {first + dice.below(WINDOW - ADDED) for _ in range(2)}:
            old = lives[number]
            lives[number] = replace(old, updated=now, edits=old.edits + 1)
        lives += [_Life(now, now)] * ADDED
        self._lives = tuple(lives)

    def entries(self) -> list[Entry]:
        """Every entry the feed ever showed, oldest first."""
        return [self._entry(number, known) for number, known in enumerate(self._lives)]

    def answer(self, request: Request) -> Answer:
        """Answer a request, with 304 if the client has the feed already (RFC 9110, 13)."""
        lives = self._lives
        shown = [
            self._entry(number, lives[number])
            for number in range(len(lives) - 1, len(lives) - 1 - WINDOW, -1)
        ]
        body = self.style.render(self.style, self.title, shown).encode()
        tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
        changed = max(entry.updated for entry in shown)
        headers = {
            "ETag": tag,
            "Last-Modified": format_datetime(datetime.fromtimestamp(changed, UTC), usegmt=True),
        }
        media_type = f"{self.style.media_type}; charset=utf-8"
        if _is_known(request, tag, changed):
            return Answer(b"", media_type, 304, headers)
        return Answer(body, media_type, headers=headers)

    def _entry(self, number: int, known: _Life) -> Entry:
        style = self.style
        dice = Dice(self.seed, style.name, number)
        lang = style.languages[number % len(style.languages)]
        wording = compose(
            style.type,
            dice,
            country=self.country,
            languages=(lang,),
            edits=known.edits,
            year=datetime.fromtimestamp(known.published, UTC).year,
        )
        link = f"https://{style.host}/{lang}/{style.type}/{100 + number}"
        return Entry(
            number=number,
            identifier=style.identify(style, number, link),
            link=link,
            lang=lang,
            wording=wording,
            published=known.published,
            updated=known.updated,
        )


def _is_known(request: Request, tag: str, changed: int) -> bool:
    tags = request.headers.get("if-none-match")
    if tags is not None:  # it outranks the date
        given = {each.strip().removeprefix("W/") for each in tags.split(",")}
        return "*" in given or tag in given
    since = request.headers.get("if-modified-since")
    if since is None:
        return False
    try:
        return changed <= parsedate_to_datetime(since).timestamp()
    except ValueError:
        return False


def _html(entry: Entry) -> str:
    """The body as a content management system wraps it, with a link relative to the site."""
    text = escape(entry.wording.description(entry.lang))
    return (
        f'<div class="field field--name-body"><p>{text} '
        f'<a href="/{entry.lang}/node/{100 + entry.number}">…</a></p></div>'
    )


def _rss(style: Style, title: str, entries: list[Entry]) -> str:
    base = f"https://{style.host}"
    lang = style.languages[0]
    items = []
    for entry in entries:
        date = format_datetime(datetime.fromtimestamp(entry.published, UTC))
        # Drupal leaves the date out where an editor did not set one.
        dated = "" if entry.number % 12 == 7 else f"\n  <pubDate>{date}</pubDate>"
        topic = escape(entry.wording.topic.names[lang])
        items.append(
            f"    <item>\n  <title>{escape(entry.title().value)}</title>\n"
            f"  <link>{entry.link}</link>\n"
            f"  <description>{escape(_html(entry))}</description>{dated}\n"
            f"  <category>{topic}</category>\n"
            f"    <dc:creator>{escape(title)}</dc:creator>\n"
            f'    <guid isPermaLink="false">{escape(entry.identifier)}</guid>\n    </item>\n'
        )
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rss xmlns:dc="http://purl.org/dc/elements/1.1/" version="2.0" '
        f'xml:base="{base}/{lang}">\n  <channel>\n    <title>{escape(title)}</title>\n'
        f"    <link>{base}/{lang}</link>\n    <description/>\n    <language>{lang}</language>\n"
        f"{''.join(items)}  </channel>\n</rss>\n"
    )


def _w3c(moment: int) -> str:
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _atom(style: Style, title: str, entries: list[Entry]) -> str:
    base = f"https://{style.host}"
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en">'
        f"<title>{escape(title)}</title><id>tag:{style.host},2024:feed</id>"
        f"<updated>{_w3c(max(entry.updated for entry in entries))}</updated>"
        f'<link rel="alternate" type="text/html" href="{base}/"/>'
        f"<author><name>{escape(title)}</name></author>"
    ]
    for entry in entries:
        parts.append(
            f'\n<entry xml:lang="{entry.lang}"><id>{escape(entry.identifier)}</id>'
            f'<title type="text">{escape(entry.title().value)}</title>'
            f"<published>{_w3c(entry.published)}</published>"
            f"<updated>{_w3c(entry.updated)}</updated>"
            f'<link rel="alternate" type="text/html" hreflang="{entry.lang}" '
            f"href={quoteattr(entry.link)}/>"
            + "".join(f'<category term="{code}"/>' for code in entry.wording.topic.targets)
            + f'<summary type="html">{escape(_html(entry))}</summary></entry>'
        )
    parts.append("\n</feed>\n")
    return "".join(parts)


def _rdf(style: Style, title: str, entries: list[Entry]) -> str:
    base = f"https://{style.host}"
    about = f"{base}/portal_syndication/upcomingevents_rdf"
    sequence = "".join(f"<rdf:li rdf:resource={quoteattr(e.link)}/>" for e in entries)
    parts = [
        '<?xml version="1.0" encoding="utf-8"?>\n'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        'xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:ev="http://purl.org/rss/1.0/modules/event/">\n'
        f'<channel rdf:about="{about}"><title>{escape(title)}</title><link>{base}/</link>'
        f"<description>{escape(title)}</description>"
        f"<items><rdf:Seq>{sequence}</rdf:Seq></items></channel>\n"
    ]
    for entry in entries:
        shown = escape(entry.title().value)
        day = datetime.fromtimestamp(entry.published + 30 * _DAY, UTC).strftime("%Y-%m-%d")
        topic = escape(entry.wording.topic.names[entry.lang])
        parts.append(
            f"<item rdf:about={quoteattr(entry.identifier)}><title>{shown}</title>"
            f"<link>{escape(entry.link)}</link>"
            f"<description>{escape(_html(entry))}</description><dc:title>{shown}</dc:title>"
            f"<dc:identifier>{escape(entry.link)}</dc:identifier>"
            f"<dc:date>{_w3c(entry.updated)}</dc:date><dc:language>{entry.lang}</dc:language>"
            f"<dc:subject>{topic}</dc:subject><dc:subject/><dc:rights/><dc:type>Event</dc:type>"
            f"<ev:startdate>{day}</ev:startdate><ev:enddate>{day}</ev:enddate></item>\n"
        )
    parts.append("</rdf:RDF>\n")
    return "".join(parts)


RSS = Style(
    name="demo-rss",
    host="sn.chm.example.org",
    type="news",
    languages=("fr",),
    media_type="application/rss+xml",
    render=_rss,
    identify=lambda style, number, link: f"{100 + number} at https://{style.host}",
)
ATOM = Style(
    name="demo-atom",
    host="ch.chm.example.org",
    type="news",
    languages=(*UN_LANGUAGES, "pt", "sw", "ja"),
    media_type="application/atom+xml",
    render=_atom,
    identify=lambda style, number, link: f"tag:{style.host},2024:node/{100 + number}",
)
RDF = Style(
    name="demo-rdf",
    host="lb.chm.example.org",
    type="event",
    languages=("ar", "fr", "en"),
    media_type="application/rdf+xml",
    render=_rdf,
    identify=lambda style, number, link: link,
)
