"""Sites that misbehave, read by their sitemap, by their links, or through Naaya's channels."""

from __future__ import annotations

import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.server import Answer, Request
from tests.adapters.partners import age, run_of, serving
from tests.running import Hub

HOME = '<html lang="en"><head><title>CHM portal</title></head><body>{}</body></html>'
MISSING = Answer(b"<html><title>404</title></html>", "text/html", 404)
Respond = Callable[[Request], Answer]


def page(text: str, *, title: str = "A page", head: str = "") -> Answer:
    body = f'<html lang="en"><head><title>{title}</title>{head}</head><body>{text}</body></html>'
    return Answer(body.encode(), "text/html; charset=utf-8")


def robots(text: str) -> Answer:
    return Answer(text.encode(), "text/plain")


def at(answers: Mapping[str, Answer]) -> Respond:
    return lambda request: answers.get(request.path, MISSING)


def declare(hub: Hub, adapter: str, url: str, options: str = "") -> None:
    text = (
        f'title = "S"\ncountry = "TH"\nlanguages = ["en"]\nadapter = "{adapter}"\nurl = "{url}"\n'
    )
    hub.source("s", f"{text}\n[options]\n{options}\n")


def run(hub: Hub, adapter: str, respond: Respond, options: str = "", path: str = "/") -> Any:
    with serving(respond) as url:
        declare(hub, adapter, url + path, options)
        return run_of(hub, "s")


def held(hub: Hub) -> dict[str, dict[str, Any]]:
    return {r["source_identifier"]: r for r in hub.records("--source", "s").values()}


def test_a_site_that_wants_no_robots_is_left_alone(hub: Hub) -> None:
    answers = {"/robots.txt": robots("User-agent: *\nDisallow: /\n"), "/": page("Home")}
    made = run(hub, "html", at(answers))
    assert (made["state"], made["error"]) == ("failed", "robots")


def test_a_firewall_is_not_an_empty_site(hub: Hub) -> None:
    challenge = page("", title="Just a moment...")
    answers = {"/": Answer(challenge.body, "text/html", 503)}
    made = run(hub, "html", at(answers))
    assert (made["state"], made["error"]) == ("failed", "challenge")


def test_a_domain_that_changed_hands_is_noticed(hub: Hub) -> None:
    answers = {"/": page("Buy cheap watches", title="Shop")}
    made = run(hub, "html", at(answers), 'expect_text = "biodiversity"')
    assert (made["state"], made["error"]) == ("failed", "foreign_page")
    answers = {"/": page('<a href="/a">A</a> Biodiversity of the land'), "/a": page("Text")}
    made = run(hub, "html", at(answers), 'expect_text = "biodiversity"')
    assert made["state"] == "complete"


def test_a_calendar_has_an_end(hub: Hub) -> None:
    asked: Counter[str] = Counter()

    def respond(request: Request) -> Answer:
        asked[request.path] += 1
        if request.path == "/calendar":
            day = int(dict(request.arguments()).get("day", 0))
            links = f'<a href="/calendar?day={day + 1}">next</a>'
            return page(f"Day {day} {links}")
        if request.path == "/":
            return page('<a href="/calendar?day=1">calendar</a>')
        return MISSING

    made = run(hub, "html", respond, "depth = 20\nmax_pages = 60")
    assert made["state"] in ("complete", "complete_with_warnings", "partial")
    assert asked["/calendar"] <= 60


def test_a_page_under_many_addresses_is_one(hub: Hub) -> None:
    links = "".join(
        f'<a href="/a{more}">A</a>'
        for more in ("?utm_source=x", "#top", ";jsessionid=1A", "?b=2&a=1", "?a=1&b=2", "/")
    )
    answers = {
        "/": page(links + '<a href="/copy">Copy</a> <a href="https://elsewhere.example/">E</a>'),
        "/a": page("The same"),
        "/a/": page("The same"),
        "/copy": page("The same"),
    }
    made = run(hub, "html", at(answers))
    assert list(held(hub)) == ["/a"]
    assert made["warnings"]["same_page_twice"] == 4, "each address was looked at"


def test_bytes_in_another_encoding_than_they_are_said_to_be_in(hub: Hub) -> None:
    def said(name: str, charset: str) -> str:
        head = f'<meta charset="{charset}">'
        return page(f"<h1>Biodiversité</h1><p>L’eau {name}</p>", head=head).body.decode()

    answers = {
        "/": page("".join(f'<a href="/{name}">{name}</a>' for name in "abcd")),
        "/a": Answer(said("a", "utf-8").encode("cp1252"), "text/html; charset=utf-8"),
        "/b": Answer(said("b", "iso-8859-1").encode("cp1252"), "text/html"),
        "/c": Answer(said("c", "utf-8").encode(), "text/html; charset=iso-8859-1"),
        "/d": Answer(said("d", "utf-8").encode(), "text/html"),
    }
    made = run(hub, "html", at(answers))
    assert made["state"] == "complete_with_warnings"
    assert made["warnings"] == {"encoding_not_utf-8": 1, "encoding_not_cp1252": 1}
    records = held(hub)
    assert set(records) == {"/a", "/b", "/c", "/d"}
    for record in records.values():
        assert "Biodiversité" in json.dumps(record, ensure_ascii=False)
        assert "L’eau" in json.dumps(record, ensure_ascii=False)
    issues = hub("runs", "s").out
    assert "document: encoding_not_utf-8" in issues
    assert "document: encoding_not_cp1252" in issues


def test_pages_that_are_none_are_left_out_and_named(hub: Hub) -> None:
    names = ("soft", "login", "file", "gone", "broken", "good")
    links = "".join(f'<a href="/{name}">{name}</a>' for name in names)

    def respond(request: Request) -> Answer:
        match request.path:
            case "/":
                return page(links)
            case "/soft":
                return page("Sorry", title="Page not found")
            case "/login":
                return Answer(b"", "text/html", 302, {"Location": "/user/login?next=/login"})
            case "/user/login":
                return page("Password", title="Log in")
            case "/file":
                return Answer(b"%PDF-1.4", "application/pdf")
            case "/gone":
                return MISSING
            case "/broken":
                return Answer(b"", "text/html", 500)
            case "/good":
                return page("<h1>Good</h1><script>evil()</script><p>Text</p>")
        return MISSING

    made = run(hub, "html", respond, "tries = 1")
    records = held(hub)
    assert list(records) == ["/good"]
    assert "evil" not in str(records)
    warned = made["warnings"]
    assert (warned["pages_missing"], warned["redirected_elsewhere"], warned["not_a_page"]) == (
        2,
        1,
        1,
    )
    assert made["quarantined"] == 1
    assert made["state"] == "failed", "one of two could not be read"


def test_no_page_where_the_walk_begins_is_an_error(hub: Hub) -> None:
    made = run(hub, "html", at({}))
    assert (made["state"], made["error"]) == ("failed", "no_page")


SITEMAP = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
    'xmlns:xhtml="http://www.w3.org/1999/xhtml">{}</urlset>'
)


def test_a_sitemap_with_odd_lines(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}"
        match request.path:
            case "/sitemap.xml":
                index = "".join(
                    f"<sitemap><loc>{place}</loc></sitemap>"
                    for place in (
                        f"{base}/one.xml",
                        f"{base}/sitemap.xml",
                        "http://169.254.169.254/",
                    )
                )
                space = "http://www.sitemaps.org/schemas/sitemap/0.9"
                return Answer(f'<sitemapindex xmlns="{space}">{index}</sitemapindex>'.encode(),
                              "text/xml")  # fmt: skip
            case "/one.xml":
                alternate = (
                    f'<xhtml:link rel="alternate" hreflang="en" href="{base}/en/a"/>'
                    f'<xhtml:link rel="alternate" hreflang="fr" href="{base}/fr/a"/>'
                    f'<xhtml:link rel="alternate" hreflang="x-default" href="{base}/"/>'
                )
                rows = (
                    f"<url><loc>{base}/en/a</loc>{alternate}<lastmod>2024-02-30</lastmod></url>"
                    f"<url><loc>{base}/fr/a</loc>{alternate}</url>"
                    "<url><loc>https://elsewhere.example/x</loc></url><url></url>"
                    f"<url><loc> {base}/b\n</loc></url><url><loc>{base}/c.pdf</loc></url>"
                )
                return Answer(SITEMAP.format(rows).encode(), "text/xml")
            case "/en/a":
                return page("<h1>Lakes</h1>")
            case "/fr/a":
                return Answer(b'<html lang="fr"><h1>Lacs</h1></html>', "text/html")
            case "/b":
                return page("<h1>Bare</h1>")
        return MISSING

    made = run(hub, "sitemap", respond, path="/sitemap.xml")
    records = held(hub)
    assert set(records) == {"/en/a", "/b"}
    titles = [(t["value"], t["lang"]) for t in records["/en/a"]["title"]]
    assert titles == [("Lakes", "en"), ("Lacs", "fr")]
    assert made["warnings"]["foreign_addresses"] == 2


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"<html><title>Shop</title></html>", "html"),
        (b"<rss/>", "not_sitemap"),
        (b"nothing here", "not_sitemap"),
    ],
)
def test_what_is_no_sitemap_is_no_empty_one(hub: Hub, body: bytes, error: str) -> None:
    made = run(hub, "sitemap", lambda request: Answer(body, "text/plain"), "tries = 1", "/s.xml")
    assert (made["state"], made["error"]) == ("failed", error)


def test_a_plain_text_sitemap(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        if request.path == "/s.txt":
            return Answer(f"http://127.0.0.1:{request.port}/a\n".encode(), "text/plain")
        return page("<h1>A</h1>") if request.path == "/a" else MISSING

    assert run(hub, "sitemap", respond, path="/s.txt")["state"] == "complete"
    assert list(held(hub)) == ["/a"]


def test_a_portal_without_channels_is_an_error_and_not_empty(hub: Hub) -> None:
    made = run(hub, "ptk", at({}), "sitemap = false")
    assert (made["state"], made["error"]) == ("failed", "no_channel")


def test_an_atom_entry_is_named_by_its_link_and_not_by_its_date(hub: Hub) -> None:
    day = ["2014-05-12"]

    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}"
        if request.path == "/portal_syndication/latestnews_rdf":
            entry = (
                f'<entry><title>News</title><link href="{base}/news/news1" rel="alternate"/>'
                f"<id>tag:x.example,{day[0]}:/news/news1</id><updated>{day[0]}T07:45:00Z</updated>"
                "</entry>"
            )
            feed = f'<feed xmlns="http://www.w3.org/2005/Atom"><title>N</title>{entry}</feed>'
            return Answer(feed.encode(), "application/atom+xml")
        return MISSING

    with serving(respond) as url:
        declare(hub, "ptk", url, 'sitemap = false\nchannels = ["latestnews_rdf"]')
        assert run_of(hub, "s")["new"] == 1
        day[0] = "2014-06-01"
        second = run_of(hub, "s")
    assert (second["new"], second["changed"]) == (0, 1)
    assert list(held(hub)) == ["/news/news1"]


# --- a site that does not answer as it did -----------------------------------------------


class Site:
    """Pages ``/p0``... with a sitemap and a home page that name them; some may fail."""

    def __init__(self, pages: int) -> None:
        self.pages: Sequence[int] = range(pages)
        self.instead: dict[str, Answer] = {}
        self.asked: Counter[str] = Counter()
        self.robots = "User-agent: *\nAllow: /\n"
        self.times: list[float] = []

    def __call__(self, request: Request) -> Answer:
        self.asked[request.path] += 1
        self.times.append(time.monotonic())
        if request.path in self.instead:
            return self.instead[request.path]
        if request.path == "/robots.txt":
            return robots(self.robots)
        base = f"http://127.0.0.1:{request.port}"
        if request.path == "/sitemap.xml":
            rows = "".join(f"<url><loc>{base}/p{n}</loc></url>" for n in self.pages)
            return Answer(SITEMAP.format(rows).encode(), "text/xml")
        if request.path == "/":
            return page("".join(f'<a href="/list{n % 2}">More</a>' for n in self.pages))
        if request.path in ("/list0", "/list1"):
            some = self.pages[int(request.path[-1]) :: 2]
            return page("".join(f'<a href="/p{n}">Page {n}</a>' for n in some))
        number = request.path.removeprefix("/p")
        if number.isdecimal() and int(number) in self.pages:
            return page(f"<h1>Page {number}</h1><p>Text {number}</p>")
        return MISSING

    def fail(self, answer: Answer) -> None:
        """Each page answers so from now on."""
        self.instead = {f"/p{n}": answer for n in self.pages}

    @property
    def asked_pages(self) -> int:
        """How many of the pages were asked for."""
        return sum(n for path, n in self.asked.items() if path.startswith("/p"))


BROKEN = Answer(b"", "text/html", 500)
CLOSED = Answer(b"<html><title>No</title></html>", "text/html", 403)
LATER = Answer(b"", "text/html", 429, {"Retry-After": "3600"})
WALL = Answer(b"", "text/html", 503, {"cf-mitigated": "challenge"})


def test_a_site_on_which_every_page_fails_loses_no_record(hub: Hub, settings: Settings) -> None:
    site = Site(15)
    with serving(site) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml", "tries = 1")
        assert run_of(hub, "s")["new"] == 15
        for answer in (BROKEN, CLOSED, BROKEN):
            site.fail(answer)
            made = run_of(hub, "s", "--full")
            assert made["state"] == "failed", made
            age(settings, ["s"])
    assert len(held(hub)) == 15


def test_a_page_that_may_not_be_seen_is_set_aside_and_its_record_stays(
    hub: Hub, settings: Settings
) -> None:
    site = Site(15)
    with serving(site) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml")
        run_of(hub, "s")
        site.instead = {"/p3": CLOSED, "/p4": CLOSED}
        for _ in range(2):
            made = run_of(hub, "s", "--full")
            assert (made["state"], made["quarantined"]) == ("complete_with_warnings", 2)
            assert made["reasons"] == {"http_403": 2}
            age(settings, ["s"])
    assert len(held(hub)) == 15


@pytest.mark.parametrize(
    ("answer", "error", "asked"),
    [(LATER, "busy", 1), (CLOSED, "http_403", 3), (WALL, "challenge", 1)],
)
@pytest.mark.parametrize(("adapter", "path"), [("sitemap", "/sitemap.xml"), ("html", "/")])
def test_who_sends_us_away_is_left_alone(
    hub: Hub, adapter: str, path: str, answer: Answer, error: str, asked: int
) -> None:
    site = Site(10)
    site.fail(answer)
    site.instead["/p0"] = page("<h1>Page 0</h1>")
    with serving(site) as url:
        declare(hub, adapter, url + path, 'take = ["/p"]' if adapter == "html" else "")
        made = run_of(hub, "s")
    assert (made["error"], site.asked_pages) == (error, 1 + asked)
    assert made["new"] == 1, "what came before is kept"
    assert bool(made.get("not_before")) is (error == "busy")


def test_a_list_that_could_not_be_read_makes_nothing_missing(hub: Hub, settings: Settings) -> None:
    site = Site(10)
    with serving(site) as url:
        declare(hub, "html", f"{url}/", 'take = ["/p"]\ntries = 1')
        assert run_of(hub, "s")["new"] == 10
        site.instead = {"/list1": BROKEN}
        made = run_of(hub, "s")
        assert made["reasons"] == {"http_500": 1}
        assert not age(settings, ["s"])


def test_a_sitemap_that_ends_in_the_middle_is_no_whole_list(hub: Hub, settings: Settings) -> None:
    site = Site(10)
    with serving(site) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml", "tries = 1")
        assert run_of(hub, "s")["new"] == 10
        whole = SITEMAP.format("".join(f"<url><loc>{url}/p{n}</loc></url>" for n in range(10)))
        site.instead["/sitemap.xml"] = Answer(whole[: whole.index("/p4<")].encode(), "text/xml")
        made = run_of(hub, "s", "--full")
        assert (made["state"], made["warnings"]["cut_off"]) == ("partial", 1)
        assert "cut off" in made["reason"]
        assert (made["new"], made["unchanged"]) == (0, 4)
        # An element that is broken may stand for more than one.
        broken = whole.replace(f"<loc>{url}/p4</loc>", f"<loc>{url}/p4<loc>")
        site.instead["/sitemap.xml"] = Answer(broken.encode(), "text/xml")
        made = run_of(hub, "s", "--full")
        assert (made["state"], made["warnings"]["recovered"]) == ("complete_with_warnings", 1)
        assert not age(settings, ["s"])


def test_a_walk_that_was_cut_off_goes_on_and_is_whole_in_the_end(
    hub: Hub, settings: Settings
) -> None:
    site = Site(50)
    with serving(site) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml")
        run_of(hub, "s")
        site.instead = {"/p30": WALL}
        first = run_of(hub, "s", "--full")
        assert (first["state"], first["unchanged"]) == ("partial", 30)
        site.asked.clear()
        site.instead = {"/p45": WALL}
        site.pages = [99, *range(1, 50)]  # one goes and one comes, before where the walk was
        second = run_of(hub, "s")
        assert (second["state"], second["full"]) == ("partial", True)
        assert (second["new"], second["unchanged"]) == (1, 44)
        site.instead = {}
        third = run_of(hub, "s")
        assert third["state"] == "complete_with_warnings"
        assert (third["new"], third["unchanged"]) == (0, 50)
        assert third["warnings"] == {"missing_at_source": 1}
        assert len(age(settings, ["s"])) == 1
        # The last twenty; the new one; the one that stood in the way, again; the one that went.
        assert site.asked_pages == 20 + 1 + 1 + 1


def test_a_delay_that_a_site_asks_for_is_kept_between_all_requests(hub: Hub) -> None:
    site = Site(3)
    with serving(site) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml")
        run_of(hub, "s")
        site.robots = "User-agent: *\nCrawl-delay: 0.2\nDisallow: /p2\n"
        site.pages = range(1)
        site.asked.clear()
        site.times.clear()
        made = run_of(hub, "s", "--full")
    # What is not listed any more is asked for too, unless robots may not.
    assert dict(site.asked) == {"/robots.txt": 1, "/sitemap.xml": 1, "/p0": 1, "/p1": 1}
    assert made["state"] == "complete_with_warnings"
    assert all(b - a >= 0.2 for a, b in pairwise(site.times))


def under_two_names(moved: list[int], pages: int) -> Respond:
    """A site at 127.0.0.1 which redirects to localhost once ``moved`` holds something."""

    def respond(request: Request) -> Answer:
        here, there = f"127.0.0.1:{request.port}", f"localhost:{request.port}"
        if request.path == "/robots.txt":
            return MISSING
        if moved and request.headers["host"] == here:
            return Answer(b"", "text/html", 301, {"Location": f"http://{there}{request.path}"})
        if request.path == "/sitemap.xml":
            base = f"http://{there if moved else here}"
            rows = "".join(f"<url><loc>{base}/p{n}</loc></url>" for n in range(pages))
            return Answer(SITEMAP.format(rows).encode(), "text/xml")
        links = "".join(f'<a href="/p{n}">{n}</a>' for n in range(pages))
        return page(f"<h1>At {request.path}</h1>" + (links if request.path == "/" else ""))

    return respond


@pytest.mark.parametrize("adapter", ["sitemap", "html"])
def test_a_site_that_moves_to_another_name_loses_nothing(
    hub: Hub, settings: Settings, adapter: str
) -> None:
    moved: list[int] = []
    with serving(under_two_names(moved, 30)) as url:
        declare(hub, adapter, url + ("/sitemap.xml" if adapter == "sitemap" else "/"))
        assert run_of(hub, "s")["new"] == 30
        names = set(held(hub))
        moved.append(1)
        for _ in range(3):
            made = run_of(hub, "s", "--full")
            assert (made["state"], made["seen"], made["deleted"]) == (
                "complete_with_warnings",
                30,
                0,
            )
            age(settings, ["s"])
        assert set(held(hub)) == names
        assert all("//localhost:" in record["url"] for record in held(hub).values())


@pytest.mark.parametrize("adapter", ["sitemap", "html"])
def test_a_list_of_nothing_makes_nothing_missing(
    hub: Hub, settings: Settings, adapter: str
) -> None:
    site = Site(8)
    with serving(site) as url:
        declare(hub, adapter, url + ("/sitemap.xml" if adapter == "sitemap" else "/"))
        run_of(hub, "s")
        before = set(held(hub))
        site.pages = []
        for _ in range(3):
            made = run_of(hub, "s", "--full")
            assert made["warnings"].get("absence_not_judged") == 1, made
            assert age(settings, ["s"]) == set()
        assert set(held(hub)) == before


def test_a_site_whose_pages_all_redirect_is_told_of_once(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        here, there = f"127.0.0.1:{request.port}", f"localhost:{request.port}"
        if request.path == "/sitemap.xml":
            rows = "".join(f"<url><loc>http://{here}/p{n}</loc></url>" for n in range(30))
            return Answer(SITEMAP.format(rows).encode(), "text/xml")
        if request.headers["host"] == here and request.path != "/robots.txt":
            return Answer(b"", "text/html", 301, {"Location": f"http://{there}{request.path}"})
        return MISSING if request.path == "/robots.txt" else page(f"<h1>At {request.path}</h1>")

    made = run(hub, "sitemap", respond, path="/sitemap.xml")
    assert (made["state"], made["new"]) == ("complete_with_warnings", 30)
    (said,) = made["warnings"].items()
    assert said[0].startswith("moved: ")
    assert said[1] == 30


def test_a_page_that_is_listed_no_more_goes_only_when_it_does_not_answer(
    hub: Hub, settings: Settings
) -> None:
    site = Site(8)
    listed = list(site.pages)

    def respond(request: Request) -> Answer:
        if request.path != "/sitemap.xml":
            return site(request)
        rows = "".join(
            f"<url><loc>http://127.0.0.1:{request.port}/p{n}</loc></url>" for n in listed
        )
        return Answer(SITEMAP.format(rows).encode(), "text/xml")

    with serving(respond) as url:
        declare(hub, "sitemap", f"{url}/sitemap.xml")
        run_of(hub, "s")
        listed, site.pages = listed[:5], site.pages[:7]
        for _ in range(2):
            made = run_of(hub, "s", "--full")
            assert made["warnings"]["unlisted_but_there"] == 2
            age(settings, ["s"])
        assert made["deleted"] == 1
        assert set(held(hub)) == {f"/p{n}" for n in site.pages}


def test_sitemaps_that_are_compressed_or_broken(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}"
        if request.path == "/sitemap.xml":
            places = "".join(f"<sitemap><loc>{base}/{n}.xml.gz</loc></sitemap>" for n in range(4))
            space = "http://www.sitemaps.org/schemas/sitemap/0.9"
            return Answer(
                f'<sitemapindex xmlns="{space}">{places}</sitemapindex>'.encode(), "text/xml"
            )
        if request.path.endswith(".xml.gz"):
            whole = gzip.compress(
                SITEMAP.format(f"<url><loc>{base}/p{request.path[1]}</loc></url>").encode()
            )
            broken = {"/0.xml.gz": whole[:40], "/2.xml.gz": b""}
            return Answer(broken.get(request.path, whole), "application/gzip")
        return MISSING if request.path == "/robots.txt" else page(f"<h1>{request.path}</h1>")

    made = run(hub, "sitemap", respond, "tries = 1", path="/sitemap.xml")
    assert (made["state"], made["warnings"]["sitemap_unread"]) == ("partial", 2)
    assert set(held(hub)) == {"/p1", "/p3"}
