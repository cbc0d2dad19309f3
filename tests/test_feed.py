"""Feeds as strangers write them: what their entries are called, and what is odd about them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub.document import Document, Page, Payload, Walk
from chm_hub.fetch import Request
from harvesters import feed

HOME = "https://x.example.org"


def payload(body: str | bytes, media_type: str = "application/rss+xml") -> Payload:
    return Payload(
        url=f"{HOME}/feed",
        status=200,
        headers={"Content-Type": media_type},
        body=body.encode() if isinstance(body, str) else body,
        fetched=datetime.now(UTC),
    )


def rss(*items: str, before: str = "") -> str:
    listed = "".join(f"<item>{item}</item>" for item in items)
    return f"{before}<rss version='2.0'><channel><title>News</title>{listed}</channel></rss>"


def guid(name: object) -> str:
    return f'<guid isPermaLink="false">{name}</guid>'


def json_feed(*items: Any, **more: Any) -> str:
    return json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": items, **more})


def names(page: Page) -> list[str]:
    return [document.identifier for document in page.documents]


class Reading:
    """A feed read from time to time."""

    def __init__(self, **memory: Any) -> None:
        self.memory: dict[str, Any] = memory
        self.walk = Walk(started=datetime.now(UTC))

    def __call__(self, body: str) -> list[str]:
        async def fetch(request: Request) -> Payload:
            return payload(body)

        async def read() -> list[Document]:
            options = feed.Options(url=f"{HOME}/feed")
            pages = [page async for page in feed.harvest(fetch, self.walk, options)]
            return [document for page in pages for document in page.documents]

        self.walk = Walk(started=datetime.now(UTC), memory=self.memory)
        made = asyncio.run(read())
        self.memory = self.memory | self.walk.learned
        return [document.identifier for document in made]


# --- what entries are called (rule R9) -----------------------------------------------------


@pytest.mark.parametrize(
    ("link", "name"),
    [
        ("/a", "/a"),
        ("/a?b=2&amp;a=1#part", "/a?a=1&b=2#part"),
        ("/a?utm_campaign=one&amp;utm_source=two&amp;fbclid=x", "/a"),
        ("/a;jsessionid=ABC?gclid=1", "/a"),
        # On some sites these name an article.
        ("/article.php?sid=42", "/article.php?sid=42"),
        ("/news#one", "/news#one"),
    ],
)
def test_an_entry_without_id_is_called_by_where_its_link_leads(link: str, name: str) -> None:
    page, _ = feed.read_feed(payload(rss(f"<link>{HOME}{link}</link><title>T</title>")))
    assert names(page) == [HOME + name]
    assert page.documents[0].body["entry"]["link"] == HOME + link.replace("&amp;", "&")
    page, _ = feed.read_feed(payload(json_feed({"url": HOME + link.replace("&amp;", "&")})))
    assert names(page) == [HOME + name]


def test_an_entry_with_only_a_title_is_called_by_it() -> None:
    first, _ = feed.read_feed(payload(rss("<title>T</title><description>One</description>")))
    again, _ = feed.read_feed(payload(rss("<title>T</title><description>Two</description>")))
    other, _ = feed.read_feed(payload(rss("<title>U</title><description>One</description>")))
    assert names(first) == names(again) != names(other)


def test_entries_that_share_what_they_are_called_by_are_told_apart() -> None:
    shared = guid("g")
    items = [
        f"{shared}<title>One</title><description>A</description>",
        f"{shared}<title>Two</title><description>A</description>",
        f"{shared}<title>Two</title><description>B</description>",
        f"{shared}<title>Two</title><description>B</description>",
    ]
    page, _ = feed.read_feed(payload(rss(*items)))
    assert len(set(names(page))) == 4
    assert all(name.startswith("g#") for name in names(page))
    # What is said of the first may change; its title tells it.
    items[0] = items[0].replace(">A<", ">C<")
    again, _ = feed.read_feed(payload(rss(*items)))
    assert names(again) == names(page)


def test_a_name_that_is_known_stays() -> None:
    link = f"{HOME}/a?utm_campaign=one"
    reading = Reading(names={link: link})  # as versions before this one remembered it
    assert reading(rss(f"<link>{HOME}/a?utm_campaign=two</link>")) == [link]
    assert reading(rss(f"<link>{HOME}/a</link><title>T</title>")) == [link]
    assert reading(rss(f"<link>{HOME}/b?utm_campaign=two</link>")) == [f"{HOME}/b"]


def test_two_entries_never_take_one_name() -> None:
    reading = Reading()
    one, two = (f"{guid('g')}<link>{HOME}/{n}</link><title>{n}</title>" for n in (1, 2))
    assert reading(rss(one)) == ["g"]
    assert reading(rss(two)) == ["g"]
    both = reading(rss(one, two))
    assert len(set(both)) == 2
    assert both == reading(rss(one, two))


def test_ids_that_change_with_the_campaign_are_of_no_use() -> None:
    def said(campaign: str) -> str:
        links = [f"{HOME}/{n}?utm_campaign={campaign}" for n in range(5)]
        return rss(*(f"<guid>{link}</guid><link>{link}</link>" for link in links))

    reading = Reading()
    first = reading(said("one"))
    assert reading(said("two")) == first
    assert reading.walk.warnings["ids_change"] == 1


# --- what is odd about them (rules R6, R7, R15) ---------------------------------------------


@pytest.mark.parametrize(
    ("said", "entry", "odd"),
    [
        ({"authors": ["Jane"]}, {"authors": [{"name": "Jane"}]}, []),
        ({"authors": {"name": "Jane"}}, {"authors": [{"name": "Jane"}]}, []),
        ({"author": "Jane"}, {"authors": [{"name": "Jane"}]}, []),
        ({"authors": [None, 5, ["x"]]}, {"authors": [{"name": "5"}]}, ["authors"]),
        ({"title": 2024}, {"title": {"value": "2024", "type": "text/plain"}}, []),
        ({"title": {"en": "T"}}, {}, ["title"]),
        ({"tags": "forests"}, {"tags": [{"term": "forests"}]}, []),
        ({"tags": [["x"], "forests"]}, {"tags": [{"term": "forests"}]}, ["tags"]),
        ({"url": ["x"]}, {}, ["url"]),
        ({"attachments": ["/a.pdf"]}, {"enclosures": [{"href": "/a.pdf", "type": ""}]}, []),
        ({"attachments": [{"url": 1.5, "mime_type": []}]}, None, []),
        ({"date_published": True}, {}, ["date_published"]),
        ({"content_html": ["x"]}, {}, ["content_html"]),
    ],
)
def test_fields_of_other_kinds_than_they_should_be(
    said: dict[str, Any], entry: dict[str, Any] | None, odd: list[str]
) -> None:
    page, _ = feed.read_feed(payload(json_feed({"id": 1, **said}, {"id": 2}), "application/json"))
    assert names(page) == ["1", "2"]
    if entry is not None:
        assert page.documents[0].body["entry"] == {"id": "1", **entry}
    told = [f"odd_field: {name}" for name in odd]
    assert list(dict.fromkeys(page.warnings)) == told
    assert page.documents[0].repairs == tuple(told)


def test_what_is_no_entry_is_set_aside() -> None:
    items = [{"id": "a"}, "b", None, ["c"], {"id": "d"}]
    page, _ = feed.read_feed(payload(json_feed(*items), "application/feed+json"))
    assert names(page) == ["a", "d"]
    assert [reject.fragment for reject in page.rejects] == [b"'b'", b"None", b"['c']"]
    assert all(reject.reason.startswith("unreadable_entry: ") for reject in page.rejects)


@pytest.mark.parametrize(
    "odd", ["<links>x</links>", "<links>x</links><link>http://x/</link>", "<authors/><author/>"]
)
def test_elements_that_feedparser_stumbles_over(odd: str) -> None:
    good = [f"{guid(n)}<title>T {n}</title>" for n in range(4)]
    page, _ = feed.read_feed(payload(rss(good[0], odd + "<title>odd</title>", *good[1:])))
    assert [n for n in names(page) if len(n) == 1] == ["0", "1", "2", "3"]
    assert len(page.documents) + len(page.rejects) == 5
    for reject in page.rejects:
        assert b"odd" in reject.fragment


def test_an_odd_channel_costs_none_of_its_entries() -> None:
    body = rss(guid("a")).replace("<channel>", "<channel><links>x</links>")
    page, _ = feed.read_feed(payload(body))
    assert names(page) == ["a"]
    assert [said.partition(":")[0] for said in page.warnings] == ["odd_field"]


@pytest.mark.parametrize(
    ("declared", "encoding", "media_type", "told"),
    [
        ("utf-8", "utf-8", "text/xml", []),
        ("ISO-8859-1", "latin-1", "text/html", []),
        ("ISO-8859-1", "cp1252", "application/rss+xml", ["encoding_not_iso-8859-1"]),
        ("utf-8", "cp1252", "application/rss+xml", ["encoding_not_utf-8"]),
        ("utf-8", "cp1251", "text/xml; charset=windows-1251", ["encoding_not_utf-8"]),
    ],
)
def test_a_feed_in_another_encoding(
    declared: str, encoding: str, media_type: str, told: list[str]
) -> None:
    title = {"cp1252": "L’eau, “é”", "cp1251": "Природа"}.get(encoding, "Biodiversité")
    body = rss(
        f"<guid>a</guid><title>{title}</title>",
        before=f'<?xml version="1.0" encoding="{declared}"?>',
    )
    page, _ = feed.read_feed(payload(body.encode(encoding), media_type))
    assert page.documents[0].body["entry"]["title"]["value"] == title
    assert page.warnings == told


def test_a_doctype_is_taken_out_and_told() -> None:
    doctype = '<!DOCTYPE rss PUBLIC "-//Netscape//DTD RSS 0.91//EN" "http://127.0.0.2/rss.dtd">'
    page, _ = feed.read_feed(
        payload(rss("<guid>a</guid><title>caf&eacute;</title>", before=doctype))
    )
    assert page.documents[0].body["entry"]["title"]["value"] == "café"
    assert page.warnings[0] == "doctype_removed"
