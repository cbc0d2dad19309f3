"""Pages of a site that are no entries of it are told from those that are, by markup and address."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harvesters import html
from tests.mapped import payload, record_of

SITE = "https://portal.example.org"
TEXT = (
    "<p>Rangers counted the cranes of the swamp at dawn, and found three more pairs than "
    "last year.</p>"
)
TAG = "a list by tag or category"
TOOL = "a page about other pages of a wiki"
CARDS = "".join(
    f'<article><h2><a href="/n/{n}">Entry {n}</a></h2><p>The beginning of it.</p></article>'
    for n in range(4)
)
FORM = "<form><input name='name'><input type='password' name='pass'></form>"


def outcome(path: str, body: str = TEXT, head: str = "", attributes: str = "") -> dict[str, Any]:
    text = (
        f"<html lang='en'><head><title>Cranes</title>{head}</head>"
        f"<body {attributes}><h1>Cranes</h1>{body}</body></html>"
    )
    page = html.read(payload(text, "text/html", SITE + path))
    return record_of("html", {"pages": [page]})


@pytest.mark.parametrize(
    ("attributes", "reason"),
    [
        ("class='archive category category-news category-4 wp-embed'", TAG),
        ("class='archive tag tag-birds tag-12'", TAG),
        ("class='archive author author-jane author-2'", "a list by author"),
        ("class='archive date hfeed'", "a list of entries"),
        ("class='archive tax-topic term-7'", TAG),
        ("class='archive post-type-archive post-type-archive-project'", "a list of entries"),
        ("class='home blog wp-custom-logo'", "a list of entries"),
        ("class='search search-results'", "a search"),
        ("class='single single-post post-password-required'", "behind a password"),
        ("class='html page-taxonomy page-taxonomy-term page-taxonomy-term-5'", TAG),
        ("class='path-taxonomy'", TAG),
        ("class='path-user'", "a list by author"),
        ("class='path-search page-view-search'", "a search"),
        ("class='site com_content view-category layout-blog'", "a list of entries"),
        ("class='site com_tags view-tag'", TAG),
        ("class='site com_finder view-search'", "a search"),
        ("class='site com_users view-login'", "a login"),
        ("class='portaltype-collection template-listing_view'", "a list of entries"),
        ("class='portaltype-plone-site template-search'", "a search"),
        ("class='portaltype-plone-site template-login'", "a login"),
        ("class='tag-template tag-fish'", TAG),
        ("class='author-template author-tom'", "a list by author"),
        ("class='home-template'", "a list of entries"),
        ("class='version-1-3 label-view'", TAG),
        ("class='mediawiki ltr ns--1 ns-special page-Special_RecentChanges'", TOOL),
        ("class='mediawiki ltr ns-14 ns-subject page-Category_Birds action-view'", "a list by "
         "tag or category"),
        ("class='mediawiki ltr ns-0 ns-subject page-Crane action-history'", TOOL),
        ("class='mediawiki ltr ns-1 ns-talk page-Talk_Crane'", TOOL),
        ("class='pkp_page_search pkp_op_index'", "a search"),
        ("class='pkp_page_issue pkp_op_archive'", "a list of entries"),
    ],
)  # fmt: skip
def test_markup_says_that_a_page_is_no_entry(attributes: str, reason: str) -> None:
    assert outcome("/whatever", attributes=attributes)["skipped"] == reason


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/tag/birds/", TAG),
        ("/tags/birds.html", TAG),
        ("/fr/etiquette/oiseaux/", TAG),
        ("/etiqueta/aves", TAG),
        ("/category/news/page/3/", TAG),
        ("/categories.html", TAG),
        ("/taxonomy/term/14", TAG),
        ("/search/label/birds", TAG),
        ("/?cat=3", TAG),
        ("/author/jane-otieno/", "a list by author"),
        ("/auteur/awa", "a list by author"),
        ("/authors.html", "a list by author"),
        ("/?author=2", "a list by author"),
        ("/user/3", "a list by author"),
        ("/2024/05/", "a list of entries"),
        ("/archives.html", "a list of entries"),
        ("/blog/2023/11", "a list of entries"),
        ("/?m=202405", "a list of entries"),
        ("/index.php?option=com_content&view=category&id=7", "a list of entries"),
        ("/genindex.html", "a list of entries"),
        ("/browse?type=author", "a list of entries"),
        ("/view/subjects/QH.html", "a list of entries"),
        ("/search", "a search"),
        ("/en/search.aspx?q=crane", "a search"),
        ("/cgi/search/advanced", "a search"),
        ("/?s=crane", "a search"),
        ("/doku.php?id=start&do=search&q=crane", "a search"),
        ("/index.php?option=com_finder&view=search", "a search"),
        ("/recherche", "a search"),
        ("/login_html", "a login"),
        ("/Account/Login?ReturnUrl=%2f", "a login"),
        ("/index.php?q=user/login", "a login"),
        ("/password-login", "a login"),
        ("/wiki/Special:AllPages", TOOL),
        ("/wiki/%D0%A1%D0%BB%D1%83%D0%B6%D0%B5%D0%B1%D0%BD%D0%B0%D1%8F:Search", TOOL),
        ("/wiki/Категория:Птицы", TAG),
        ("/index.php?title=Crane&action=history", TOOL),
        ("/doku.php?id=start&do=revisions", TOOL),
    ],
)  # fmt: skip
def test_an_address_says_that_a_page_is_no_entry(path: str, reason: str) -> None:
    assert outcome(path)["skipped"] == reason


@pytest.mark.parametrize(
    "path",
    [
        "/archives/2315",
        "/tags-of-the-sea",
        "/news/category-five-cyclone",
        "/2024/05/17/cranes-return",
        "/2024",
        "/reports/2024",
        "/page/1",
        "/research/author-guidelines",
        "/login-of-landraces-into-the-gene-bank",
        "/feed",
        "/wiki/Crane",
        "/doku.php?id=species:crane",
        "/index.php?option=com_content&view=article&id=7",
        "/?p=118",
        "/?page_id=4",
        "/index.php?q=node/12",
        "/en/search-and-rescue-of-turtles",
        "/species/profile-of-the-dugong",
        "/view/12",
    ],
)
def test_addresses_of_entries_are_entries(path: str) -> None:
    assert "skipped" not in outcome(path)


@pytest.mark.parametrize(
    ("head", "attributes"),
    [
        ("<meta property='og:type' content='article'>", ""),
        ("<meta property='article:published_time' content='2024-05-01'>", ""),
        ('<script type="application/ld+json">{"@type": "NewsArticle"}</script>', ""),
        ("", "class='single single-post postid-7'"),
        ("", "class='page-node-12 node-type-article'"),
        ("", "class='post-template tag-fish'"),
        ("<meta name='citation_title' content='Cranes'>", ""),
    ],
)  # fmt: skip
@pytest.mark.parametrize("path", ["/tag/cranes", "/category/news", "/2024/05", "/search"])
def test_an_entry_is_one_under_any_address(head: str, attributes: str, path: str) -> None:
    assert "skipped" not in outcome(path, head=head, attributes=attributes)


def test_a_page_of_a_list_is_known_by_its_entries() -> None:
    assert outcome("/news/page/2", CARDS)["skipped"] == "a list of entries"
    assert outcome("/2024", CARDS)["skipped"] == "a list of entries"
    assert "skipped" not in outcome("/news/page/2")


@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("CollectionPage", "a list of entries"),
        ("SearchResultsPage", "a search"),
        ("ProfilePage", "a list by author"),
    ],
)
def test_what_a_page_says_it_is_counts(kind: str, reason: str) -> None:
    data = {"@graph": [{"@type": kind}, {"@type": "WebSite"}]}
    said = f'<script type="application/ld+json">{json.dumps(data)}</script>'
    assert outcome("/anything", head=said)["skipped"] == reason


def test_what_is_behind_a_password_is_no_entry() -> None:
    protected = "<form class='post-password-form' method='post'>" + FORM[6:]
    assert outcome("/secret", protected)["skipped"] == "behind a password"
    assert outcome("/members", f"<p>Please log in.</p>{FORM}")["skipped"] == "a login"
    # Many sites ask for a password in a corner of every page.
    assert "skipped" not in outcome("/cranes", f"{TEXT}<aside>{FORM}</aside>")


@pytest.mark.parametrize(
    "body",
    [
        "<?xml version='1.0'?><rss version='2.0'><channel><title>N</title></channel></rss>",
        "<?xml version='1.0'?>\n<!-- made --><feed "
        "xmlns='http://www.w3.org/2005/Atom'><title>N</title></feed>",
        "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' "
        "xmlns='http://purl.org/rss/1.0/'/>",
    ],
)  # fmt: skip
def test_a_feed_is_no_entry(body: str) -> None:
    page = html.read(payload(body, "text/xml", f"{SITE}/news"))
    assert record_of("html", {"pages": [page]})["skipped"] == "a feed"


@pytest.mark.parametrize(
    "body",
    [
        '<div class="dokuwiki mode_show tpl_dokuwiki notFound">' + TEXT + "</div>",
        TEXT,
    ],
)
def test_a_page_that_says_it_is_not_there_is_none(body: str) -> None:
    attributes = "" if "notFound" in body else 'class="error404 wp-embed-responsive"'
    assert outcome("/doku.php?id=a:b", body, attributes=attributes).get("skipped") == (
        "a page that is not there"
    )


@pytest.mark.parametrize(
    "mark", ['<span class="mw-redirectedfrom">(Redirected from Old)</span>',
             '<div class="redirectMsg"><p>Redirect to:</p></div>'],
)  # fmt: skip
def test_another_name_of_a_page_of_a_wiki_is_none(mark: str) -> None:
    attributes = 'class="mediawiki ns-0 ns-subject page-Old action-view"'
    made = outcome("/index.php/Old", mark + TEXT, attributes=attributes)
    assert made.get("skipped") == "another name of a page"
    assert "skipped" not in outcome("/index.php/Old", TEXT, attributes=attributes)
