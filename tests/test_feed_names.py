"""What entries of feeds are called: ids byte for byte, links so that different pages stay apart,
and the names that stores hold already."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from chm_hub.document import Document, Walk
from chm_hub.fetch import Request
from harvesters import feed
from harvesters.feed_names import place
from harvesters.page_addresses import canonical
from tests.test_feed import HOME, json_feed, names, payload, rss

IDS = [
    # As it stands in XML, and what it is.
    (" Ab c ", " Ab c "),
    ("\n   line\n  two ", "\n   line\n  two "),
    ("rel/one", "rel/one"),
    ("HTTP://X.Example/A/../b", "HTTP://X.Example/A/../b"),
    ("a?b=1&amp;c=2", "a?b=1&c=2"),
    ("a&amp;amp;b&amp;lt;i&amp;gt;", "a&amp;b&lt;i&gt;"),
    ("<![CDATA[a&amp;b <i>x</i>]]>", "a&amp;b <i>x</i>"),
    ("&#233;t&#xE9;&#x2003;", "été\u2003"),
    ("tag:x.example,2024:Ünï", "tag:x.example,2024:Ünï"),
    ("https://x.example/?p=1#frag ", "https://x.example/?p=1#frag "),
    ("YWJj", "YWJj"),
    ("\u00c3\u00a9", "\u00c3\u00a9"),
]


@pytest.mark.parametrize("attribute", ["", ' isPermaLink="false"', ' isPermaLink="true"'])
@pytest.mark.parametrize(("written", "name"), IDS)
def test_an_id_is_kept_byte_for_byte(written: str, name: str, attribute: str) -> None:
    item = f"<link>{HOME}/a</link><title>T</title><guid{attribute}>{written}</guid>"
    page, _ = feed.read_feed(payload(rss(item)))
    assert names(page) == [name]
    page, _ = feed.read_feed(payload(rss(f"<guid{attribute}>{written}</guid><title>T</title>")))
    assert names(page) == [name]


@pytest.mark.parametrize(("written", "name"), IDS)
def test_so_is_that_of_atom(written: str, name: str) -> None:
    atom = (
        "<feed xmlns='http://www.w3.org/2005/Atom'><id>f</id><title>F</title>"
        f"<entry><id>{written}</id><title>T</title><link href='{HOME}/a'/></entry></feed>"
    )
    page, _ = feed.read_feed(payload(atom, "application/atom+xml"))
    assert names(page) == [name]


@pytest.mark.parametrize("name", [" Ab c ", "rel/one", "HTTP://X.Example/A/../b", "a&amp;b"])
def test_so_are_those_of_rdf_and_json(name: str) -> None:
    page, _ = feed.read_feed(payload(json_feed({"id": name, "title": "T"})))
    assert names(page) == [name]
    about = name.replace("&", "&amp;")
    rdf = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/'><channel rdf:about='c'><title>C</title></channel>"
        f"<item rdf:about='{about}'><title>T</title><link>{HOME}/a</link></item></rdf:RDF>"
    )
    page, _ = feed.read_feed(payload(rdf))
    assert names(page) == [name]


def test_ids_that_differ_in_case_or_space_name_different_entries() -> None:
    items = [f"<guid>{n}</guid><title>{n}</title>" for n in ("a", "A", " a", "a ", "a\n")]
    page, _ = feed.read_feed(payload(rss(*items)))
    assert names(page) == ["a", "A", " a", "a ", "a\n"]


def test_an_id_of_white_space_names_nothing() -> None:
    item = f"<guid>  \n </guid><link>{HOME}/a</link>"
    page, _ = feed.read_feed(payload(rss(item)))
    assert names(page) == [f"{HOME}/a"]


LINKS = [
    "/q?name=%C1%E5%EB", "/q?name=%C7%E8%EC", "/t?n=%D6%D0", "/t?n=%B9%FA", "/article.php?sid=1",
    "/article.php?sid=2", "/mop?session=2022", "/mop?session=2024", "/doc?id=1&print=1",
    "/doc?id=1", "/p?a=1;b=2", "/p?a=1;b=3", "/d?x=%2B", "/d?x=+", "/f?a[]=1&a[]=2",
    "/f?a[]=2&a[]=1", "/Case", "/case", "/s", "/s/", "/item;id=4", "/item;id=5",
]  # fmt: skip


def test_entries_called_by_links_that_differ_stay_apart() -> None:
    assert len({place(HOME + link) for link in LINKS}) == len(LINKS)
    for link in LINKS:
        address = (HOME + link).replace("&", "&amp;")
        page, _ = feed.read_feed(payload(rss(f"<link>{address}</link>")))
        assert names(page) == [place(HOME + link)]


class Store:
    """What a hub holds of a feed, from one reading to the next."""

    def __init__(self) -> None:
        self.held: dict[str, Document] = {}

    def hold(self, name: str, **entry: object) -> None:
        self.held[name] = Document(identifier=name, body={"feed": {}, "entry": entry})

    def read(self, body: str) -> list[str]:
        async def fetch(request: Request) -> object:
            return payload(body)

        async def kept(asked: list[str]) -> dict[str, Document]:
            return {name: self.held[name] for name in asked if name in self.held}

        async def run() -> list[str]:
            walk = Walk(started=datetime.now(UTC), kept=kept)
            options = feed.Options(url=f"{HOME}/feed")
            found = [p async for p in feed.harvest(fetch, walk, options)]  # type: ignore[arg-type]
            return [document.identifier for page in found for document in page.documents]

        return asyncio.run(run())


@pytest.mark.parametrize(
    ("permalink", "written", "before"),
    [
        ("false", " Ab c ", "Ab c"),
        ("false", "\n  a\n", "a"),
        ("true", "rel/one", f"{HOME}/rel/one"),
        ("true", "HTTPS://X.Example/b", "https://X.Example/b"),
    ],
)
def test_an_entry_that_the_hub_has_under_its_trimmed_id_keeps_that(
    permalink: str, written: str, before: str
) -> None:
    store = Store()
    store.hold(before, id=before, link=f"{HOME}/a", title={"value": "T"})
    guid = f'<guid isPermaLink="{permalink}">{written}'
    item = f"<link>{HOME}/a</link><title>Edited</title>{guid}</guid>"
    other = f"<link>{HOME}/b</link><title>T</title>{guid} </guid>"
    assert store.read(rss(item)) == [before]
    made = store.read(rss(item, other))
    assert made[0] == before
    assert made[1] != before


def test_what_the_hub_has_under_both_names_keeps_both() -> None:
    store = Store()
    store.hold("a", id="a", link=f"{HOME}/a")
    store.hold(" a", id="a", guid=" a", link=f"{HOME}/a")
    items = [f"<link>{HOME}/a</link><guid>{n}</guid>" for n in (" a", "a")]
    assert store.read(rss(*items)) == [" a", "a"]


@pytest.mark.parametrize("link", ["/q?name=%C1%E5%EB", "/f?a[]=2&a[]=1"])
def test_an_entry_that_the_hub_has_under_its_link_as_it_was_read_keeps_that(link: str) -> None:
    before = canonical(HOME + link, careful=True)
    assert before != place(HOME + link)
    store = Store()
    store.hold(before, link=HOME + link, title={"value": "T"})
    said = f"<link>{(HOME + link).replace('&', '&amp;')}</link><title>T</title>"
    assert store.read(rss(said)) == [before]
    other = {"/q?name=%C1%E5%EB": "/q?name=%C7%E8%EC", "/f?a[]=2&a[]=1": "/f?a[]=1&a[]=2"}[link]
    said = f"<link>{(HOME + other).replace('&', '&amp;')}</link><title>T</title>"
    (name,) = store.read(rss(said))
    assert name == place(HOME + other)


MARKED = [
    # A title as RSS has it, the name that it made in earlier versions, and what they had of it.
    ("A &lt;b&gt;bold&lt;/b&gt; title", "e5effd0887af7d7f4237cc33", "A <b>bold</b> title"),
    ("&lt;i onclick='x'&gt;Apis&lt;/i&gt; m.", "753b49da06e2cd6e40407ccf", "<i>Apis</i> m."),
    ("&lt;a href='/x'&gt;L&lt;/a&gt;", "b4bb45019e92a76e6fd2c2b3", f'<a href="{HOME}/x">L</a>'),
    ("R&amp;amp;D &amp;copy; 2024", "4c8b94a4665663f5042a42bf", "R&amp;D &copy; 2024"),
    ("Plain", "d57471e20b7f1ebee39aca02", "Plain"),
]  # fmt: skip


@pytest.mark.parametrize(("title", "before", "value"), MARKED)
def test_an_entry_with_a_title_alone_keeps_the_name_that_its_cleaned_title_made(
    title: str, before: str, value: str
) -> None:
    store = Store()
    store.hold(before, title={"value": value, "type": "text/html"})
    assert store.read(rss(f"<title>{title}</title>")) == [before]
    # One that the hub does not have is named by what it says.
    (fresh,) = Store().read(rss(f"<title>{title} II</title>"))
    assert fresh != before


def test_entries_that_share_an_id_keep_the_names_that_their_cleaned_titles_made() -> None:
    names_before = ["g#d7e768ed38e1b8a63bf6b479", "g#617341d948de0ea0b06da0fc"]
    titles = [MARKED[0], MARKED[1]]
    store = Store()
    for name, (_, _, value) in zip(names_before, titles, strict=True):
        store.hold(name, id="g", link=f"{HOME}/a", title={"value": value})
    items = [
        f"<guid isPermaLink='false'>g</guid><link>{HOME}/a</link><title>{title}</title>"
        for title, _, _ in titles
    ]
    assert store.read(rss(*items)) == names_before


def test_an_entry_that_shared_its_id_keeps_its_name_when_the_other_has_left() -> None:
    items = [
        f"<guid isPermaLink='false'>g</guid><link>{HOME}/a</link><title>{title}</title>"
        for title in ("One", "Two")
    ]
    both = Store().read(rss(*items))
    assert all(name.startswith("g#") for name in both)
    store = Store()
    for name, title in zip(both, ("One", "Two"), strict=True):
        store.hold(name, id="g", guid="g", link=f"{HOME}/a", title={"value": title})
    assert store.read(rss(items[1])) == [both[1]]
    assert store.read(rss(items[0])) == [both[0]]
    assert Store().read(rss(items[0])) == ["g"]
