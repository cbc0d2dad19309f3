"""What a feed's entries say of themselves, and what stands in them that is about something else."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from harvesters import feed
from tests.mapped import payload, record_of

NAMESPACES = (
    'xmlns:atom="http://www.w3.org/2005/Atom" xmlns:media="http://search.yahoo.com/mrss/" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
    'xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd" '
    'xmlns:feedburner="http://rssnamespace.org/feedburner/ext/1.0" '
    'xmlns:cc="http://cyber.law.harvard.edu/rss/creativeCommonsRssModule.html"'
)
OWN = "<description>Own</description>"
MEDIA = (
    "<media:content url='i.jpg'><media:title>Photo</media:title>"
    "<media:description>Photo: J. Doe</media:description></media:content>"
)
OTHERS = [
    MEDIA,
    f"<media:group>{MEDIA}</media:group>",
    "<media:description>Photo: J. Doe</media:description><media:title>Photo</media:title>",
    "<itunes:title>Podcast</itunes:title><itunes:summary>Blurb</itunes:summary>",
    "<itunes:subtitle>Blurb</itunes:subtitle>",
    "<image><title>Logo</title><description>A logo</description><url>l.png</url></image>",
    "<source url='http://o.example.org/'>Other feed</source>",
]


def rss(*items: str, channel: str = "", attributes: str = "") -> str:
    listed = "".join(f"<item>{item}</item>" for item in items)
    return (
        f"<?xml version='1.0'?><rss version='2.0' {NAMESPACES} {attributes}><channel>"
        f"<title>News</title>{channel}{listed}</channel></rss>"
    )


def atom(*entries: str, attributes: str = "") -> str:
    listed = "".join(f"<entry>{entry}</entry>" for entry in entries)
    return (
        f"<feed xmlns='http://www.w3.org/2005/Atom' {NAMESPACES} {attributes}>"
        f"<title>News</title>{listed}</feed>"
    )


def records(body: str, media_type: str = "application/xml", **source: Any) -> list[dict[str, Any]]:
    page, _ = feed.read_feed(payload(body, media_type))
    return [record_of("feed", document, **source) for document in page.documents]


def values(texts: list[dict[str, str]] | None) -> list[str]:
    return [text["value"] for text in texts or []]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("order", list(itertools.permutations(range(3))))
def test_what_is_about_something_else_never_stands_for_the_entry(
    other: str, order: tuple[int, ...]
) -> None:
    parts = ("<title>Title</title>", OWN, other)
    (made,) = records(rss("".join(parts[n] for n in order)))
    assert values(made["title"]) == ["Title"]
    assert values(made["description"]) == ["Own"]


@pytest.mark.parametrize("other", OTHERS[:5])
def test_nor_in_atom_or_rdf(other: str) -> None:
    for summary in ("<summary>Own</summary>", "<content type='text'>Own</content>"):
        (made,) = records(atom(f"{other}<title>Title</title>{summary}"))
        assert (values(made["title"]), values(made["description"])) == (["Title"], ["Own"])
    rdf = (
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        f"xmlns='http://purl.org/rss/1.0/' {NAMESPACES}><channel><title>News</title></channel>"
        f"<item rdf:about='http://x.example.org/1'>{other}<title>Title</title>{OWN}</item></rdf:RDF>"
    )
    (made,) = records(rdf)
    assert (values(made["title"]), values(made["description"])) == (["Title"], ["Own"])


def test_a_caption_is_no_description_where_there_is_none() -> None:
    for other in OTHERS[:3]:
        (made,) = records(rss(f"<title>Title</title>{other}"))
        assert "description" not in made
    (made,) = records(rss(f"<guid>1</guid>{MEDIA}"))
    assert "title" not in made


def test_a_podcast_or_a_film_tells_of_itself_where_nothing_else_does() -> None:
    film = (
        "<media:group><media:title>Film</media:title><media:content url='http://v.example.org/1' "
        "type='video/mp4'/><media:description>The film</media:description></media:group>"
    )
    made = records(
        rss("<title>A</title><itunes:summary>Blurb</itunes:summary>", f"<guid>2</guid>{film}")
    )
    assert values(made[0]["description"]) == ["Blurb"]
    assert (values(made[1]["title"]), values(made[1]["description"])) == (["Film"], ["The film"])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_the_full_text_is_kept_beside_the_summary(order: tuple[int, int]) -> None:
    both = (
        "<description>Short</description>",
        "<content:encoded>&lt;p>Long&lt;/p></content:encoded>",
    )
    (made,) = records(rss("<title>A</title>" + "".join(both[n] for n in order)))
    assert values(made["description"]) == ["Short", "Long"]
    both = ("<summary>Short</summary>", "<content type='html'>&lt;p>Long&lt;/p></content>")
    (made,) = records(atom("<title>A</title>" + "".join(both[n] for n in order)))
    assert values(made["description"]) == ["Short", "Long"]


def test_the_same_text_twice_is_one() -> None:
    (made,) = records(
        rss(
            "<title>A</title><description>Long</description><content:encoded>Long</content:encoded>"
        )
    )
    assert values(made["description"]) == ["Long"]
    (made,) = records(rss("<title>A</title><content:encoded>Long</content:encoded>"))
    assert values(made["description"]) == ["Long"]
    item = {
        "id": "1",
        "title": "A",
        "summary": "Short",
        "content_html": "<p>Long</p>",
        "content_text": "Long",
    }
    body = json.dumps({"version": "https://jsonfeed.org/version/1.1", "items": [item]})
    (made,) = records(body, "application/json")
    assert values(made["description"]) == ["Short", "Long"]


# --- entries within entries ----------------------------------------------------------------


@pytest.mark.parametrize("nested", ["<item/>", "<item></item>", "<item> </item>"])
def test_an_empty_entry_within_another_is_none(nested: str) -> None:
    after = (
        "<feedburner:origLink>http://x.example.org/1</feedburner:origLink><category>c</category>"
    )
    (made, other) = records(
        rss(
            f"<title>A</title><link>http://f.example.org/1</link>{nested}{after}",
            "<title>B</title>",
        )
    )
    assert values(made["title"]) == ["A"]
    assert made["url"] == "http://x.example.org/1", "the address behind the counting one"
    assert made["subject"] == [{"label": "c"}]
    assert values(other["title"]) == ["B"]


def test_one_with_words_is_an_entry_and_spoils_neither() -> None:
    made = records(
        rss(
            "<title>A</title><item><title>B</title><description>b</description></item><description>a</description>"
        )
    )
    told = {values(one["title"])[0]: values(one["description"]) for one in made}
    assert told == {"A": ["a"], "B": ["b"]}


def test_a_feed_that_does_not_close_its_entries_keeps_them_all() -> None:
    items = "<item><title>A</title><link>http://x.example.org/a</link><item><title>B</title></item>"
    page, _ = feed.read_feed(payload(f"<rss version='2.0'><channel>{items}</channel></rss>"))
    titles = [document.body["entry"]["title"]["value"] for document in page.documents]
    assert sorted(titles) == ["A", "B"]


# --- languages -----------------------------------------------------------------------------


def langs(made: dict[str, Any]) -> list[str | None]:
    return [text.get("lang") for text in made["title"] + made.get("description", [])]


def test_the_language_of_one_entry_is_not_that_of_the_next() -> None:
    first = f"<title>Un</title>{OWN}<dc:language>fr</dc:language>"
    second = f"<title>Two</title>{OWN}"
    for channel, other in (("<language>en</language>", "en"), ("", None)):
        french, plain = records(rss(first, second, channel=channel))
        assert langs(french) == ["fr", "fr"]
        assert french["language"] == ["fr"]
        assert langs(plain) == [other, other]
        assert plain.get("language") == ([other] if other else None)


def test_an_entry_s_own_language_counts_before_the_feed_s() -> None:
    for attributes in ("xml:lang='en'", ""):
        entries = (
            "<title>Un</title><summary>Own</summary><dc:language>fr</dc:language>",
            "<title xml:lang='es'>Dos</title><summary>Own</summary><dc:language>fr</dc:language>",
        )
        first, second = records(atom(*entries, attributes=attributes))
        assert langs(first) == ["fr", "fr"]
        assert langs(second) == ["es", "fr"]


def test_languages_are_inherited() -> None:
    body = atom("<title>Un</title><summary xml:lang='en'>Own</summary>", attributes="xml:lang='fr'")
    assert langs(records(body)[0]) == ["fr", "en"]
    body = rss(f"<title>Un</title>{OWN}").replace("<channel>", "<channel xml:lang='fr'>")
    assert langs(records(body)[0]) == ["fr", "fr"]
    body = rss(f"<title>Un</title>{OWN}").replace("<item>", "<item xml:lang='fr'>")
    assert langs(records(body)[0]) == ["fr", "fr"]


def test_an_empty_language_is_none_whatever_the_feed_says() -> None:
    (made,) = records(
        atom("<title xml:lang=''>TKW-7</title><summary>Own</summary>", attributes="xml:lang='en'")
    )
    assert langs(made) == [None, "en"]


def test_the_language_of_an_item_of_a_json_feed() -> None:
    items = [{"id": "1", "title": "Un", "language": "fr"}, {"id": "2", "title": "Two"}]
    body = json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "language": "en", "items": items}
    )
    assert [langs(made) for made in records(body, "application/json")] == [["fr"], ["en"]]


# --- rights, authors -----------------------------------------------------------------------


def test_rights_are_the_entry_s_own_or_else_the_feed_s() -> None:
    licence = "https://creativecommons.org/licenses/by/4.0/"
    items = (
        "<title>A</title><dc:rights>Mine &amp;amp; yours</dc:rights>",
        f"<title>B</title><cc:license>{licence}</cc:license>",
    )
    first, second = records(rss(*items, channel="<copyright>All</copyright>"))
    assert values(first["rights"]) == ["Mine & yours"]
    assert values(second["rights"]) == ["All"]
    assert (first.get("license"), second["license"]) == (None, licence)
    (made,) = records(
        atom(f"<title>A</title><link rel='license' href='{licence}'/><rights>R</rights>")
    )
    assert (values(made["rights"]), made["license"]) == (["R"], licence)


@pytest.mark.parametrize(
    ("author", "creator"),
    [
        ("c@x.example (Jane Doe)", [{"name": "Jane Doe"}]),
        ("Jane Doe &lt;jane@portal.museum&gt;", [{"name": "Jane Doe"}]),
        ("Jane Doe", [{"name": "Jane Doe"}]),
        ("Ministry of Env. (MoE)", [{"name": "Ministry of Env. (MoE)"}]),
        ("info@x.example", None),
    ],
)
def test_an_author_s_name_without_the_address(author: str, creator: Any) -> None:
    (made,) = records(rss(f"<title>A</title><author>{author}</author>"))
    assert made.get("creator") == creator


@pytest.mark.parametrize(
    ("guid", "url", "same_as"),
    [
        ("<guid>7</guid>", None, "7"),
        ("<guid>tag:x.example.org,2024:7</guid>", None, "tag:x.example.org,2024:7"),
        ("<guid>http://x.example.org/7</guid>", "http://x.example.org/7", "http://x.example.org/7"),
        ("<guid>/news/7</guid>", "https://s.example.org/news/7", "/news/7"),
        ("<guid>7</guid><link>http://x.example.org/a</link>", "http://x.example.org/a", "7"),
        ("<link>http://x.example.org/a</link><guid>7</guid>", "http://x.example.org/a", "7"),
    ],
)
def test_no_address_is_made_of_a_guid_that_is_none(
    guid: str, url: str | None, same_as: str
) -> None:
    (made,) = records(rss(f"<title>A</title>{guid}"))
    assert made.get("url") == url
    assert made["same_as"] == [same_as]
