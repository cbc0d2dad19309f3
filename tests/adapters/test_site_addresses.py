"""Which pages belong to a site, how they are asked for, and what they are called."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from chm_hub.addresses import same_site, site_of
from chm_hub.document import Document
from chm_hub.errors import FetchError, ProtocolError
from harvesters.page_addresses import asked, exact, reduced, reductions
from tests.adapters.a_site import Held, Reply, html, index, sitemap

OLD, NEW = "http://portal.example", "https://www.other.example"


@pytest.fixture
def held(tmp_path: Path) -> Callable[..., Held]:
    def make(adapter: str = "sitemap", url: str = f"{OLD}/sitemap.xml", options: str = "") -> Held:
        return Held(folder=tmp_path, adapter=adapter, url=url, options=options)

    return make


def path_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


# --- one site under several names -----------------------------------------------------------


@pytest.mark.parametrize(
    "other",
    [
        "https://portal.example/x",
        "http://WWW.Portal.Example/y",
        "http://portal.example:80/",
        "https://portal.example.:443",
    ],
)
def test_ways_to_write_one_site(other: str) -> None:
    assert same_site(other, "http://portal.example/a")


def test_an_international_name_is_one_in_both_its_forms() -> None:
    assert site_of("http://Bücher.example/") == site_of("https://www.xn--bcher-kva.example/x")


@pytest.mark.parametrize(
    "other",
    ["http://portal.example:8080/", "http://portal.example.org/", "http://a.portal.example/"],
)
def test_other_sites(other: str) -> None:
    assert not same_site(other, "http://portal.example/a")


@pytest.mark.parametrize("address", ["", "/a", "http://[::1", "mailto:a@b.example", "http://a:b/"])
def test_an_address_without_a_host_is_on_no_site(address: str) -> None:
    assert site_of(address) == ""
    assert not same_site(address, address)


def moved(count: int, how: str, base: str = NEW) -> Callable[[str], Reply | None]:
    """A site that goes by another name; ``how`` says what of it redirects there."""

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/robots.txt":
            return None
        if url.startswith(OLD) and (how == "all" or how == path or how == "chain"):
            # One step more on the way, as from http to https and then to www.
            between = "https://other.example"
            return 301, f"{between if how == 'chain' else base}{path}"
        if url.startswith("https://other.example"):
            return 301, f"{base}{path}"
        if path == "/sitemap.xml":
            return sitemap(*(f"{base}/p{n}" for n in range(count)))
        return html(f"Page {path}")

    return answer


def before(url: str) -> Reply | None:
    """The same site before it moved."""
    if path_of(url) == "/robots.txt":
        return None
    if path_of(url) == "/sitemap.xml":
        return sitemap(*(f"{OLD}/p{n}" for n in range(30)))
    return html(f"Page {path_of(url)}")


@pytest.mark.parametrize("count", [5, 30])
@pytest.mark.parametrize("how", ["all", "/sitemap.xml", "/", "chain"])
@pytest.mark.parametrize("new", [True, False])
def test_a_site_that_redirects_to_another_name_keeps_its_pages(
    held: Callable[..., Held], count: int, how: str, new: bool
) -> None:
    site = held()
    if not new:
        site.harvest(lambda url: before(url))
        assert len(site.documents) == 30
    site.harvest(moved(count, how))
    assert site.given == [f"/p{n}" for n in range(count)]
    assert site.walk.complete
    assert site.walk.covers_all
    missing = set(site.documents) - set(site.given)
    assert site.walk.there == missing, "each of them answers"


def test_pages_that_redirect_one_by_one_are_the_sites_own(held: Callable[..., Held]) -> None:
    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/sitemap.xml":
            return sitemap(*(f"{OLD}/p{n}" for n in range(30)))
        return (301, f"{NEW}{path}") if url.startswith(f"{OLD}/p") else html(f"Page {path}")

    site = held()
    site.harvest(answer)
    assert len(site.given) == 30
    assert site.documents["/p1"].body["pages"][0]["url"] == f"{NEW}/p1"


def test_a_page_that_leads_to_another_page_elsewhere_is_not_the_sites(
    held: Callable[..., Held],
) -> None:
    def answer(url: str) -> Reply | None:
        if url.endswith("/sitemap.xml"):
            return sitemap(f"{OLD}/a", f"{OLD}/b")
        return (302, "https://login.example/sso") if url == f"{OLD}/b" else html(path_of(url))

    site = held()
    site.harvest(answer)
    assert site.given == ["/a"]
    assert site.walk.warnings["redirected_elsewhere"] == 1


def test_a_site_that_lists_little_of_itself_under_its_old_name(held: Callable[..., Held]) -> None:
    def answer(url: str) -> Reply | None:
        if path_of(url) == "/sitemap.xml":
            return sitemap(f"{OLD}/", f"{OLD}/about", *(f"{NEW}/p{n}" for n in range(30)))
        return (301, f"{NEW}/") if url == f"{OLD}/" else moved(30, "none")(url)

    site = held()
    site.harvest(answer)
    assert len(site.given) == 32
    assert site.walk.warnings["foreign_addresses"] == 0


@pytest.mark.parametrize("count", [2, 30])
def test_a_sitemap_of_another_site_is_an_error(held: Callable[..., Held], count: int) -> None:
    def answer(url: str) -> Reply | None:
        if url.endswith("/sitemap.xml"):
            return sitemap(*(f"https://elsewhere.example/p{n}" for n in range(count)))
        return html("Home")

    site = held()
    with pytest.raises(ProtocolError, match=r"elsewhere\.example") as caught:
        site.harvest(answer)
    assert caught.value.reason == "foreign_addresses"
    assert not site.walk.complete


def test_a_site_in_another_domain_must_say_its_words_there_too(held: Callable[..., Held]) -> None:
    site = held(options='expect_text = "Page /"')
    site.harvest(moved(5, "/sitemap.xml"))
    assert len(site.given) == 5
    site = held(options='expect_text = "biodiversity"')
    with pytest.raises(ProtocolError) as caught:
        site.harvest(
            lambda url: html("Biodiversity") if url == f"{OLD}/" else moved(5, "/sitemap.xml")(url)
        )
    assert caught.value.reason == "foreign_page"


def test_the_robots_of_the_new_name_are_obeyed(held: Callable[..., Held]) -> None:
    def answer(url: str) -> Reply | None:
        if url == f"{NEW}/robots.txt":
            return "User-agent: *\nDisallow: /p1\n"
        return moved(3, "/sitemap.xml")(url)

    site = held()
    web = site.harvest(answer)
    assert site.given == ["/p0", "/p2"]
    assert f"{NEW}/p1" not in web.asked


@pytest.mark.parametrize("target", ["https://www.portal.example/", f"{NEW}/", "/en/home/"])
def test_links_are_followed_where_the_home_page_leads(
    held: Callable[..., Held], target: str
) -> None:
    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/robots.txt":
            return None
        if path in ("/", "/en/home/") and url != target and path != target:
            return 301, target
        if path in ("/", "/en/home/"):
            return html("Home", "".join(f'<a href="/p{n}">{n}</a>' for n in range(30)))
        return html(f"Page {path}")

    site = held("html", f"{OLD}/")
    site.harvest(answer)
    assert sorted(site.given) == sorted(f"/p{n}" for n in range(30))
    assert site.walk.covers_all


# --- what is no longer listed ---------------------------------------------------------------


@pytest.mark.parametrize("adapter", ["sitemap", "html"])
def test_a_page_that_answers_is_not_missing(held: Callable[..., Held], adapter: str) -> None:
    listed = list(range(8))

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/sitemap.xml":
            return sitemap(*(f"{OLD}/p{n}" for n in listed))
        if path == "/":
            return html("Home", "".join(f'<a href="/p{n}">{n}</a>' for n in listed))
        match path:
            case "/p4" if 4 not in listed:
                return None  # 404: it may be back
            case "/p5" if 5 not in listed:
                return 410, ""
            case "/p6" | "/p7" if 6 not in listed:
                return html("Everything")  # what the site answers to all it does not know
            case _:
                return None if path == "/robots.txt" else html(f"Page {path}")

    site = held(adapter, f"{OLD}/sitemap.xml" if adapter == "sitemap" else f"{OLD}/")
    site.harvest(answer)
    assert len(site.documents) == 8
    listed = [0, 1]
    site.harvest(answer)
    assert site.walk.covers_all
    assert site.walk.there == {"/p2", "/p3"}
    assert "/p5" not in site.documents


def test_what_the_source_file_leaves_out_is_not_asked_for(held: Callable[..., Held]) -> None:
    def answer(url: str) -> Reply | None:
        if url.endswith("/sitemap.xml"):
            return sitemap(f"{OLD}/a", f"{OLD}/b")
        return html(path_of(url))

    site = held()
    site.harvest(answer)
    site.options = 'exclude = ["/b"]'
    web = site.harvest(answer)
    assert site.walk.there == set()
    assert f"{OLD}/b" not in web.asked


# --- addresses as they are written ----------------------------------------------------------

WRITTEN = [
    "/article.php?sid=1",
    "/article.php?sid=2",
    "/mop?session=2022",
    "/mop?session=2024",
    "/doc?id=1&print=1",
    "/doc?id=1",
    "/q?name=%C1%E5%EB",
    "/q?name=%C7%E8%EC",
    "/t?n=%D6%D0",
    "/t?n=%B9%FA",
    "/dir/%CD%F8",
    "/dir/%C5%CC",
    "/p?a=1;b=2",
    "/p?a=1;b=3",
    "/p?a=1%3Bb%3D2",
    "/d?x=%2B",
    "/d?x=+",
    "/e?k",
    "/e?k=",
    "/Case",
    "/case",
    "/s/",
    "/s",
    "/f?a=2&a=1",
    "/f?a=1&a=2",
    "/item;id=4",
    "/item;id=5",
    "/list?SessionNo=3&page=1",
    "/list?SessionNo=4&page=1",
]


@pytest.mark.parametrize("adapter", ["sitemap", "html"])
@pytest.mark.parametrize("seed", range(3))
def test_each_address_is_asked_for_as_it_is_written_and_has_a_name_of_its_own(
    held: Callable[..., Held], adapter: str, seed: int
) -> None:
    written = random.Random(seed).sample(WRITTEN, len(WRITTEN))

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/sitemap.xml":
            return sitemap(*(f"{OLD}{place}" for place in written))
        if path == "/":
            return html(
                "Home", "".join(f'<a href="{p.replace("&", "&amp;")}">x</a>' for p in written)
            )
        return html(f"Page {path}") if path in WRITTEN else None

    site = held(adapter, f"{OLD}/sitemap.xml" if adapter == "sitemap" else f"{OLD}/")
    web = site.harvest(answer)
    assert set(map(path_of, web.asked)) - set(WRITTEN) == {"/robots.txt"} | (
        {"/"} if adapter == "html" else {"/sitemap.xml"}
    )
    assert len(site.given) == len(set(site.given)) == len(WRITTEN)
    names = {title: name for name, title in site.titles().items()}
    # In another order, and with a page less, all have the names they had.
    written.reverse()
    gone = written.pop()
    web = site.harvest(answer)
    assert {title: name for name, title in site.titles().items()} == names
    assert site.walk.there == {names[f"Page {gone}"]}
    assert site.walk.warnings["same_page_twice"] == 0


def test_names_of_addresses() -> None:
    assert exact(f"{OLD}/a;jsessionid=1?utm_source=x&b=%c1#top") == "/a?b=%C1"
    assert asked(f"{OLD}/a?x=%c1&utm_source=n&y=1;2#top") == f"{OLD}/a?x=%c1&y=1;2"
    assert reduced(f"{OLD}/a/?sid=1&b=2") == "/a?b=2"
    assert reductions(f"{OLD}/a?sid=1") == {"sid"}
    assert reductions(f"{OLD}/a?b=%C1") == {"bytes"}
    assert reductions(f"{OLD}/a/") == {"form"}
    assert reductions(f"{OLD}/a?b=1") == frozenset()


@pytest.mark.parametrize("charset", ["windows-1251", "gbk", "shift_jis", "koi8-r"])
def test_letters_in_a_link_are_sent_in_the_encoding_of_its_page(
    held: Callable[..., Held], charset: str
) -> None:
    word = "лес" if charset in ("windows-1251", "koi8-r") else "中国"
    sent = "".join(f"%{byte:02X}" for byte in word.encode(charset))

    def answer(url: str) -> Reply | None:
        if path_of(url) == "/":
            return (
                html("Home", f'<a href="/q?n={word}">x</a>')
                .replace("utf-8", charset)
                .encode(charset)
            )
        return html("Found") if path_of(url) == f"/q?n={sent}" else None

    site = held("html", f"{OLD}/")
    site.harvest(answer)
    assert site.given == [f"/q?n={sent}"]


@pytest.mark.parametrize("adapter", ["sitemap", "html"])
@pytest.mark.parametrize("mark", ["sid", "session_id", "print", "user_session"])
def test_addresses_that_give_one_page_are_one_record(
    held: Callable[..., Held], adapter: str, mark: str
) -> None:
    visits = iter(range(4))
    visit = next(visits)

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        links = [f"/p{n}?{mark}={visit}{n}{more}" for n in range(6) for more in "ab"]
        if path == "/sitemap.xml":
            return sitemap(*(f"{OLD}{place}" for place in links))
        if path == "/":
            return html("Home", "".join(f'<a href="{place}">x</a>' for place in links))
        edited = " edited" if visit == 3 and path.startswith("/p4") else ""
        return None if path == "/robots.txt" else html(f"Page {path.partition('?')[0]}{edited}")

    site = held(adapter, f"{OLD}/sitemap.xml" if adapter == "sitemap" else f"{OLD}/")
    site.harvest(answer)
    names = set(site.documents)
    assert len(names) == 6
    for _ in range(3):  # other sessions each time, and once a page is edited too
        visit = next(visits)
        site.harvest(answer)
        assert set(site.documents) == set(site.given) == names
    assert [title for title in site.titles().values() if "edited" in title] == ["Page /p4 edited"]


def test_sessions_in_links_lead_nobody_round_for_ever(held: Callable[..., Held]) -> None:
    made = iter(range(10**6))

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/robots.txt":
            return None
        links = "".join(f'<a href="/p{n}?sid={next(made)}">x</a>' for n in range(20))
        return html(f"Page {path.partition('?')[0]}", links)

    site = held("html", f"{OLD}/")
    web = site.harvest(answer)
    assert len(site.given) == 20
    assert site.walk.complete
    assert len(web.asked) < 100


# --- names that stores hold -----------------------------------------------------------------


def as_stored(name: str, asked_at: str, title: str) -> Document:
    """A document as versions before wrote it."""
    page = {
        "url": asked_at, "lang": "en", "title": title, "heading": title,
        "text": f"{title}\nText of {title}", "asked": asked_at,
    }  # fmt: skip
    return Document(identifier=name, body={"pages": [page]})


def test_what_a_store_of_sitemap_pages_holds_keeps_its_names(held: Callable[..., Held]) -> None:
    site = held()
    # Of several addresses with one name the first was asked for.
    for place in (
        "/article.php?sid=2",
        "/mop?session=2022",
        "/q?name=%C7%E8%EC",
        "/s/",
        "/f?a=2&a=1",
    ):
        name = reduced(f"{OLD}{place}")
        site.documents[name] = as_stored(name, f"{OLD}{place}", f"Page {place}")
    old = set(site.documents)
    assert "/article.php" in old

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/sitemap.xml":
            return sitemap(*(f"{OLD}{place}" for place in WRITTEN))
        return html(f"Page {path}") if path in WRITTEN else None

    site.harvest(answer)
    assert old <= set(site.documents)
    titles = site.titles()
    assert titles["/article.php"] == "Page /article.php?sid=2"
    assert titles["/article.php?sid=1"] == "Page /article.php?sid=1"
    assert sorted(titles.values()) == sorted(f"Page {place}" for place in WRITTEN)
    assert site.walk.there == set()


def test_what_a_store_of_followed_links_holds_keeps_its_names(held: Callable[..., Held]) -> None:
    site = held("html", f"{OLD}/")
    # Addresses were reduced before they were asked for.
    site.documents = {
        "/a": as_stored("/a", f"{OLD}/a", "Page /a"),
        "/article.php": as_stored("/article.php", f"{OLD}/article.php", "Page /article.php?sid=3"),
        "/f?a=1&b=2": as_stored("/f?a=1&b=2", f"{OLD}/f?a=1&b=2", "Page of f"),
    }

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/":
            places = ("/a?sid=77", *(f"/article.php?sid={n}" for n in (1, 2, 3)), "/f?b=2&a=1")
            links = "".join(f'<a href="{place.replace("&", "&amp;")}">x</a>' for place in places)
            return html("Home", links)
        if path.startswith("/a?"):
            return html("Page /a")
        if path.startswith("/f?"):
            return html("Page of f, edited")
        return html("Page /article.php?sid=3" if path == "/article.php" else f"Page {path}")

    site.harvest(answer)
    assert site.titles() == {
        "/a": "Page /a",
        "/article.php": "Page /article.php?sid=3",
        "/article.php?sid=1": "Page /article.php?sid=1",
        "/article.php?sid=2": "Page /article.php?sid=2",
        "/f?a=1&b=2": "Page of f, edited",
    }
    assert set(site.given) == set(site.documents)


# --- a list of lists with a dead part -------------------------------------------------------


def lists(dead: int, what: Reply | None, kind: str) -> Callable[[str], Reply | None]:
    """An index of four sitemaps, one of which is not there."""

    def answer(url: str) -> Reply | None:
        path = path_of(url)
        places = [f"{OLD}/map{n}.xml" for n in range(4)]
        if path == "/sitemap.xml":
            return index(*places) if kind != "nested" else index(f"{OLD}/inner.xml")
        if path == "/inner.xml":
            return index(*places)
        if path == "/robots.txt":
            return "".join(f"Sitemap: {place}\n" for place in places) if kind == "robots" else None
        if path == f"/map{dead}.xml":
            return what
        if path.startswith("/map"):
            return sitemap(*(f"{OLD}/p{path[4]}{n}" for n in range(10)))
        return html(path)

    return answer


@pytest.mark.parametrize("dead", range(4))
@pytest.mark.parametrize("kind", ["index", "nested", "robots"])
@pytest.mark.parametrize(
    "what",
    [
        None,
        html("Not a sitemap"),
        (500, ""),
        (403, ""),
        "no list",
        "<rss/>",
        b"\x1f\x8b\x08half",
        "",
    ],
    ids=["404", "html", "500", "403", "text", "another root", "broken gzip", "empty"],
)
def test_a_dead_sitemap_costs_none_of_its_neighbours(
    held: Callable[..., Held], dead: int, kind: str, what: Reply | None
) -> None:
    site = held(url=f"{OLD}/{'robots.txt' if kind == 'robots' else 'sitemap.xml'}")
    site.harvest(lists(dead, what, kind))
    assert len(site.given) == 30
    assert not site.walk.complete
    assert not site.walk.covers_all
    assert f"/map{dead}" in str(site.walk.short)


def test_a_sitemap_that_ends_in_the_middle_costs_none_of_its_neighbours(
    held: Callable[..., Held],
) -> None:
    whole = sitemap(*(f"{OLD}/p0{n}" for n in range(10)))
    site = held()
    site.harvest(lists(0, whole[: whole.index("p09") + 8], "index"))
    assert len(site.given) in (38, 39)
    assert "cut off" in str(site.walk.short)


def test_no_sitemap_of_an_index_is_an_error(held: Callable[..., Held]) -> None:
    def answer(url: str) -> Reply | None:
        return index(f"{OLD}/a.xml", f"{OLD}/b.xml") if url.endswith("/sitemap.xml") else None

    with pytest.raises(FetchError, match="404"):
        held().harvest(answer)


# --- the address that a page names as its own -----------------------------------------------


def canonicals(said: dict[str, str]) -> Callable[[str], Reply | None]:
    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/sitemap.xml":
            return sitemap(*(f"{OLD}{place}" for place in said))
        if path in said:
            return html(f"Page {path}", head=f'<link rel="canonical" href="{said[path]}">')
        if path == "/about-us":
            return html("Page /node/5")
        return None if path == "/robots.txt" else html("Home" if path == "/" else path)

    return answer


@pytest.mark.parametrize(
    "target", ["/", f"{OLD}", f"{OLD}/portal", "/p0", "https://x.example/", "/no"]
)
def test_a_template_that_names_one_address_on_every_page(
    held: Callable[..., Held], target: str
) -> None:
    site = held()
    web = site.harvest(canonicals({f"/p{n}": target for n in range(30)}))
    documents = site.documents
    named = {name: d.body["pages"][0].get("canonical") for name, d in documents.items()}
    own = {"/p0": f"{OLD}/p0"} if target == "/p0" else {}
    assert {name: said for name, said in named.items() if said} == own
    assert site.walk.warnings["canonical_elsewhere"] == 30 - len(own)
    assert len(web.asked) <= 33, "what the page proves is asked for once"


def test_a_canonical_address_of_the_same_page_is_taken(held: Callable[..., Held]) -> None:
    said = {
        "/node/5": "/about-us",
        "/a?print=1": "/a?print=1",
        "/b/": "https://www.portal.example/b",
        "/c": "https://new-name.example/c",
    }
    site = held()
    site.harvest(canonicals(said))
    named = [d.body["pages"][0].get("canonical") for d in site.documents.values()]
    assert sorted(map(str, named)) == sorted(
        [f"{OLD}/about-us", f"{OLD}/a?print=1", said["/b/"], said["/c"]]
    )
    assert site.walk.warnings["canonical_elsewhere"] == 0


# --- portals of the Portal Toolkit, whose objects are named by their addresses --------------


def naaya(links: list[str]) -> Callable[[str], Reply | None]:
    def answer(url: str) -> Reply | None:
        path = path_of(url)
        if path == "/sitemap_xml":
            return sitemap(*(f"{OLD}{link}" for link in links))
        for link in (*links, "/gone"):
            if path == f"{link}{'&' if '?' in link else '?'}format=rdf":
                about = f"{OLD}{link}".replace("&", "&amp;")
                return (
                    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
                    'xmlns:dcterms="http://purl.org/dc/terms/">'
                    f'<rdf:Description rdf:about="{about}">'
                    f"<dcterms:title>At {about}</dcterms:title></rdf:Description></rdf:RDF>"
                )
        return html("Object") if path in ("/gone", "/home") else None

    return answer


def test_objects_of_a_portal_stay_apart_and_keep_their_names(held: Callable[..., Held]) -> None:
    links = ["/a?sid=1", "/a?sid=2", "/b", "/q?n=%C1", "/q?n=%C7"]
    portal = held("ptk", OLD, "channels = []")
    portal.harvest(naaya(links))
    assert portal.given == links
    portal.documents = {  # as versions before named them
        "/a": Document(identifier="/a", body={"link": f"{OLD}/a?sid=1", "versions": []}),
        "/b": Document(identifier="/b", body={"link": f"{OLD}/b", "versions": []}),
    }
    portal.harvest(naaya(links))
    assert portal.given == ["/a", "/a?sid=2", "/b", "/q?n=%C1", "/q?n=%C7"]


def test_an_object_that_answers_in_rdf_is_not_missing(held: Callable[..., Held]) -> None:
    portal = held("ptk", OLD, "channels = []")
    for name in ("/gone", "/home", "/lost"):
        portal.documents[name] = Document(
            identifier=name, body={"link": OLD + name, "versions": []}
        )
    portal.harvest(naaya(["/b"]))
    assert portal.walk.there == {"/gone"}
