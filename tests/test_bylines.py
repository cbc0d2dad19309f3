"""Dates and authors beside the heading of a page, and dates that are none of the entry."""

from __future__ import annotations

from typing import Any

import pytest

from harvesters import html
from tests.mapped import payload, record_of

TEXT = "<p>Rangers counted the cranes of the swamp at dawn and found three pairs more than last year.</p>"  # noqa: E501


def read(byline: str = "", after: str = "", head: str = "", **source: Any) -> dict[str, Any]:
    text = (
        f"<html lang='en'><head><title>Cranes</title>{head}</head><body><main><h1>Cranes</h1>"
        f"{byline}<div>{TEXT}{TEXT}</div></main>{after}</body></html>"
    )
    page = html.read(payload(text, "text/html", "https://portal.example.org/a"))
    return record_of("html", {"pages": [page]}, **source)


@pytest.mark.parametrize(
    ("byline", "issued", "modified"),
    [
        ("<time datetime='2024-03-05T08:15:00Z'>today</time>", "2024-03-05T08:15:00Z", None),
        ("<p>Posted on <time datetime='2024-03-05'>5 March</time>, updated <time datetime='2024-04-01'>1 April</time></p>", "2024-03-05", "2024-04-01"),  # noqa: E501
        ("<p class='meta'>Published 5 March 2024 | Last updated 1 April 2024</p>", "2024-03-05", "2024-04-01"),  # noqa: E501
        ("<p class='meta'>Last updated: 1 April 2024. Published: 5 March 2024</p>", "2024-03-05", "2024-04-01"),  # noqa: E501
        ("<div class='post-date'>March 5th, 2024</div>", "2024-03-05", None),
        ("<p>Publié le 5 mars 2024, mis à jour le 1er avril 2024</p>", "2024-03-05", "2024-04-01"),
        ("<p>Publicado el 5 de marzo de 2024</p>", "2024-03-05", None),
        ("<p>Опубликовано: 5 марта 2024 г. Обновлено: 1 апреля 2024 г.</p>", "2024-03-05", "2024-04-01"),  # noqa: E501
        ("<p>发布时间：2024年3月5日</p>", "2024-03-05", None),
        ("<p>تاريخ النشر: 5 مارس 2024</p>", "2024-03-05", None),
        ("<p>5 มีนาคม พ.ศ. 2567</p>", "2024-03-05", None),
        ("<p>05/03/2024</p>", None, None),
        ("<p>25.03.2024</p>", "2024-03-25", None),
        ("<span itemprop='datePublished' content='2024-03-05'></span>", "2024-03-05", None),
        ("<span property='dc:created' content='2024-03-05T08:15:00Z'>then</span>", "2024-03-05T08:15:00Z", None),  # noqa: E501
        ("<abbr class='published' title='2024-03-05'>Tuesday</abbr>", "2024-03-05", None),
        ("<p>Last modified 1 April 2024</p>", None, "2024-04-01"),
    ],
)  # fmt: skip
def test_a_date_beside_the_heading(byline: str, issued: str | None, modified: str | None) -> None:
    made = read(byline)
    assert (made.get("issued"), made.get("modified")) == (issued, modified)
    assert made["description"][-1]["value"].startswith("Rangers")


@pytest.mark.parametrize(
    "after",
    [
        "<footer>Copyright 2019. <time datetime='2019-01-01'>1 January 2019</time></footer>",
        "<div class='comments'><p>Peter, <time datetime='2025-01-11'>11 January 2025</time></p></div>",  # noqa: E501
        "<section class='related-posts'><h3>A</h3><time datetime='2025-01-11'>11 January 2025</time></section>",  # noqa: E501
        "<h2>Related news</h2><ul><li>Herons <time datetime='2025-01-11'>11 January 2025</time></li></ul>",  # noqa: E501
        "<aside><p>Next meeting: 11 January 2025</p></aside>",
        "<div id='sidebar'><p>11 January 2025</p></div>",
        "<p>Site last visited 11 January 2025 by the webmaster</p>",
    ],
)  # fmt: skip
def test_dates_of_furniture_are_none_of_the_entry(after: str) -> None:
    made = read(after=after)
    assert "issued" not in made
    assert "modified" not in made


def test_a_date_that_a_sentence_tells_of_is_not_the_entrys() -> None:
    told = f"<p>On <time datetime='1998-05-01'>1 May 1998</time> the park was opened. {TEXT[3:]}"
    assert "issued" not in read(told * 2)


def test_beside_the_heading_of_an_event_stands_when_it_takes_place() -> None:
    data = '{"@type": "Event", "name": "Cranes", "startDate": "2025-07-26"}'
    made = read("<p>26 July 2025</p>", head=f'<script type="application/ld+json">{data}</script>')
    assert made["temporal"] == {"start": "2025-07-26"}
    assert "issued" not in made


@pytest.mark.parametrize(
    ("head", "byline", "names"),
    [
        ("<meta name='citation_author' content='Otieno, Jane'>", "", ["Otieno, Jane"]),
        ("", "<p class='byline'>By <a rel='author' href='/a'>Awa Diop</a></p>", ["Awa Diop"]),
        ("", "<p itemprop='author'><span itemprop='name'>Ana Rivera</span></p>", ["Ana Rivera"]),
        ("", "<p class='byline'>By <a rel='author' href='/a'>admin</a></p>", []),
        ('<script type="application/ld+json">{"@type":"Article","author":[{"name":"A. Li"}]}</script>', "", ["A. Li"]),  # noqa: E501
    ],
)  # fmt: skip
def test_authors_are_creators_and_not_in_the_text(head: str, byline: str, names: list[str]) -> None:
    made = read(byline, head=head)
    assert [agent["name"] for agent in made.get("creator", [])] == names
    assert made["description"][-1]["value"].startswith("Rangers")


def test_a_summary_of_the_site_is_none_of_the_page() -> None:
    site = "<meta name='description' content='National clearing-house mechanism of Exampleland'>"
    assert len(read(head=site)["description"]) == 1
    own = "<meta name='description' content='More cranes were counted in the swamp by rangers'>"
    assert [text["value"][:4] for text in read(head=own)["description"]] == ["More", "Rang"]
    begun = "<meta name='description' content='Rangers counted the cranes of the swamp […]'>"
    assert len(read(head=begun)["description"]) == 1


def test_files_are_those_of_the_entry() -> None:
    made = read(
        "<p><a href='plan.pdf'>Plan</a> <a href='/lib/fetch.php?media=map.csv'>Map</a></p>",
        "<footer><a href='/privacy.pdf'>Privacy</a></footer>",
    )
    assert [file["url"].rpartition("/")[2] for file in made["distribution"]] == [
        "plan.pdf",
        "fetch.php?media=map.csv",
    ]
