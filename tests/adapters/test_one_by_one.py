"""Adapters that ask for one thing after another, of servers that do not want to be asked."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.running import Hub

THINGS = 10
RDF = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:dcterms="http://purl.org/dc/terms/"><rdf:Description rdf:about="{}"><dcterms:title>Title</dcterms:title></rdf:Description></rdf:RDF>'  # noqa: E501
LATER = Answer(b"", "text/plain", 429, {"Retry-After": "3600"})
CLOSED = Answer(b"", "text/plain", 403)
WALL = Answer(b"<html><title>Just a moment...</title></html>", "text/html", 403)


def as_json(value: Any) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json")


def as_xml(text: str) -> Answer:
    return Answer(text.encode(), "text/xml")


def scbd(request: Request) -> Answer | None:
    """An index of documents."""
    if request.path.endswith("/index/select"):
        rows = [
            {"id": f"{n}", "identifier_s": f"guid-{n}", "schema_s": "nbsap", "realm_ss": ["chm"]}
            for n in range(THINGS)
        ]
        return as_json({"response": {"numFound": THINGS, "docs": rows}})
    return as_json({"title": {"en": "Title"}}) if "/documents/" in request.path else None


def cbd_website(request: Request) -> Answer | None:
    """A list of decisions."""
    if request.path.endswith("/tree"):
        return as_json([])
    if request.path == "/api/v2021/decisions":
        return as_json([{"code": f"CBD/COP/1/{n}", "title": {"en": "T"}} for n in range(THINGS)])
    return None


def ptk(request: Request) -> Answer | None:
    """A sitemap of objects."""
    base = f"http://127.0.0.1:{request.port}"
    if request.path == "/sitemap_xml":
        rows = "".join(f"<url><loc>{base}/o{n}</loc></url>" for n in range(THINGS))
        space = "http://www.sitemaps.org/schemas/sitemap/0.9"
        return as_xml(f'<urlset xmlns="{space}">{rows}</urlset>')
    return as_xml(RDF.format(base + request.path)) if request.path.startswith("/o") else None


HOSTS: dict[str, tuple[Callable[[Request], Answer | None], str, str]] = {
    # What answers, what is asked for one by one, and the options it needs.
    "scbd": (scbd, "/documents/", 'realm = "chm"'),
    "cbd_website": (cbd_website, "/tree", 'what = "decisions"'),
    "ptk": (ptk, "/o", ""),
}


def declare(hub: Hub, adapter: str, url: str, options: str) -> None:
    text = f'title = "S"\nadapter = "{adapter}"\nurl = "{url}"\nlanguages = ["en"]\n'
    hub.source("s", f"{text}\n[options]\n{options}\n")


def harvest(hub: Hub, adapter: str, instead: dict[int, Answer]) -> tuple[Any, int]:
    """The run over a host of which the n-th thing that is asked for is answered otherwise, and how
    many of them were asked for."""
    respond, part, options = HOSTS[adapter]
    asked: Counter[str] = Counter()

    def answer(request: Request) -> Answer:
        if part in request.path and request.path != "/robots.txt":
            asked[request.path] += 1
            if (other := instead.get(len(asked) - 1)) is not None:
                return other
        return respond(request) or Answer(b"", "text/plain", 404)

    with serving(answer) as url:
        declare(hub, adapter, url, options)
        return run_of(hub, "s"), sum(asked.values())


@pytest.mark.parametrize("adapter", HOSTS)
@pytest.mark.parametrize(
    ("answer", "error", "more"),
    [(LATER, "busy", 1), (CLOSED, "http_403", 3), (WALL, "challenge", 1)],
)
def test_who_does_not_want_to_be_asked_is_not(
    hub: Hub, adapter: str, answer: Answer, error: str, more: int
) -> None:
    run, asked = harvest(hub, adapter, {n: answer for n in range(4, THINGS)})
    assert (run["error"], asked) == (error, 4 + more), run
    assert run["new"] == 4, "what came before is kept"
    assert bool(run["not_before"]) is (error == "busy")


@pytest.mark.parametrize("adapter", HOSTS)
def test_one_closed_thing_is_set_aside_alone(hub: Hub, adapter: str) -> None:
    run, asked = harvest(hub, adapter, {4: CLOSED})
    assert asked == THINGS
    assert (run["state"], run["new"]) == ("complete_with_warnings", THINGS - 1), run
    assert run["reasons"] == {"http_403": 1}


def test_a_walk_that_was_cut_off_goes_on_behind_what_it_asked_for(hub: Hub) -> None:
    run, _ = harvest(hub, "ptk", dict.fromkeys(range(4, THINGS), WALL))
    assert (run["state"], run["new"]) == ("partial", 4)
    run, asked = harvest(hub, "ptk", {})
    assert (run["state"], run["new"], run["unchanged"], asked) == ("complete", 6, 4, 6)


def test_half_a_description_is_set_aside_and_a_mended_one_says_so(hub: Hub) -> None:
    whole = RDF.format("/o4")
    run, _ = harvest(
        hub,
        "ptk",
        {
            4: as_xml(whole[: whole.index("</dcterms")]),
            5: as_xml(RDF.format("/o5").replace("Title", "A & B")),
        },
    )
    assert run["reasons"] == {"cut_off": 1}
    assert run["warnings"] == {"ampersands_escaped": 1}
    assert run["new"] == THINGS - 1


def test_a_channel_that_was_cut_off_is_no_whole_one(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        base = f"http://127.0.0.1:{request.port}"
        if request.path != "/portal_syndication/latestnews_rdf":
            return Answer(b"", "text/plain", 404)
        items = "".join(
            f"<item><title>News {n}</title><link>{base}/n{n}</link></item>" for n in range(9)
        )
        text = f'<rss version="2.0"><channel><title>N</title>{items}</channel></rss>'
        return as_xml(text[: text.index("/n8<")])

    with serving(respond) as url:
        declare(hub, "ptk", url, 'sitemap = false\ntries = 1\nchannels = ["latestnews_rdf"]')
        run = run_of(hub, "s")
    assert (run["state"], run["new"], run["reasons"]) == ("partial", 8, {"cut_off": 1})


def test_a_feed_of_laws_that_was_cut_off_is_no_whole_one(hub: Hub) -> None:
    rows = "".join(
        f'<record url="https://x.example/{n}"><metadata><meta name="faolexId" content="LEX-{n}"/>'
        f'<meta name="titleOfText" content="Law {n}"/></metadata></record>'
        for n in range(10)
    )
    whole = f"<gsafeed><group>{rows}</group></gsafeed>"
    body = [whole[: whole.index("LEX-5") + 7]]
    conditions: list[str | None] = []

    def respond(request: Request) -> Answer:
        conditions.append(request.headers.get("if-none-match"))
        return Answer(body[0].encode(), "text/xml", 200, {"ETag": '"1"'})

    with serving(respond) as url:
        declare(hub, "faolex", f"{url}/feed.xml", "tries = 1")
        run = run_of(hub, "s")
        assert (run["state"], run["new"], run["reasons"]) == ("partial", 5, {"cut_off": 1})
        body[0] = whole
        assert run_of(hub, "s")["new"] == 5
    assert conditions == [None, None], "what was not read is asked for again"
