"""DCAT catalogues: replicas through their lives, and catalogues that misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from chm_hub.settings import Settings
from demo.network import Network
from demo.server import Answer, Request
from harvesters import dcat
from tests.adapters.partners import run_of, serving
from tests.adapters.portals import live_through
from tests.running import Hub

NAMES = ("demo-dkan-ws", "demo-dkan-fj", "demo-dcat-be")
TURTLE = "text/turtle; charset=utf-8"
PREFIXES = (
    "@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .\n"
    "@prefix hydra: <http://www.w3.org/ns/hydra/core#> .\n"
)


@pytest.mark.slow
def test_catalogues_through_their_lives(hub: Hub, settings: Settings) -> None:
    with Network(seed=7) as network:
        records = live_through(hub, network, settings, NAMES, asked=False)
        seen = [s for s in network.requests if s.replica in ("dkan-ws", "dkan-fj")]
        turned = [s.target for s in network.requests if s.replica == "dcat-be"]
    assert {s.status for s in seen} == {200, 304}, "what did not change is not sent again"
    assert turned[:3] == ["/catalog.ttl", "/catalog.ttl?page=2", "/catalog.ttl?page=3"]
    text = json.dumps(list(records.values()))
    assert "Person" not in text
    assert "person@" not in text
    assert "eagles" not in text, "what is not public is not taken"
    live = [r for r in records.values() if not r["deleted"]]
    assert all(r["distribution"] and r["license"] and r["publisher"] for r in live)
    drawn = [r for r in live if "bbox" in r]
    assert {r["source"] for r in drawn} == set(NAMES)
    assert len(drawn) < len(live)
    both = [r for r in live if len(r["title"]) == 2]
    assert both
    assert {r["source"] for r in both} == {"demo-dcat-be"}


# --- hosts of our own --------------------------------------------------------------------


def source(url: str, options: str = "") -> str:
    return (
        f'title = "D"\nadapter = "dcat"\nurl = "{url}"\ncountry = "WS"\nlanguages = ["en"]\n'
        f"[options]\ntries = 1\n{options}\n"
    )


def turtle(*numbers: int, more: str = "") -> Answer:
    sets = "".join(
        f'<https://d.example.org/{n}> a dcat:Dataset ; dct:identifier "d{n}" ; dct:title "D" .\n'
        for n in numbers
    )
    body = f"{PREFIXES}<https://d.example.org/> a dcat:Catalog .\n{sets}{more}"
    return Answer(body.encode(), TURTLE)


def pages(*answers: Callable[[str], Answer]) -> Callable[[Request], Answer]:
    """A catalogue in pages; each is given the address of the catalogue."""

    def respond(request: Request) -> Answer:
        host = f"http://127.0.0.1:{request.port}" if request.port else ""
        page = int(dict(request.arguments()).get("page", 1))
        return answers[min(page, len(answers)) - 1](f"{host}{request.path}")

    return respond


def leads(to: str, *, text: bool = True, total: int | None = None) -> str:
    target = f'"{to}"' if text else f"<{to}>"
    count = "" if total is None else f" ; hydra:totalItems {total}"
    return f"[] hydra:nextPage {target}{count} .\n"


def test_pages_are_followed_and_guarded(hub: Hub) -> None:
    hosts: dict[str, Callable[[Request], Answer]] = {
        "texts": pages(
            lambda at: turtle(1, 2, more=leads("?page=2", total=3)),
            lambda at: turtle(3),
        ),
        "links": pages(
            lambda at: turtle(1, 2, more=leads(f"{at}?page=2", text=False)),
            lambda at: turtle(3),
        ),
        "circle": pages(
            lambda at: turtle(1, 2, more=leads("?page=2")),
            lambda at: turtle(3, more=leads("?page=2")),
        ),
        "same": lambda request: turtle(
            1, 2, more=leads(f"?page={int(dict(request.arguments()).get('page', 1)) + 1}")
        ),
        "elsewhere": pages(lambda at: turtle(1, 2, more=leads("http://other.example.org/?page=2"))),
        "fewer": pages(
            lambda at: turtle(1, 2, more=leads("?page=2", total=9)), lambda at: turtle(3)
        ),
        "hollow": lambda request: turtle(
            more=leads(f"?page={int(dict(request.arguments()).get('page', 1)) + 1}")
        ),
        "empty_between": pages(
            lambda at: turtle(1, 2, more=leads("?page=2")),
            lambda at: turtle(more=leads("?page=3")),
            lambda at: turtle(3),
        ),
        "broken": pages(
            lambda at: turtle(1, 2, more=leads("?page=2")),
            lambda at: Answer(b"<!DOCTYPE html><title>Sorry</title>", "text/html"),
        ),
    }
    with serving(lambda request: hosts[request.path.strip("/")](request)) as url:
        for name in hosts:
            hub.source(name, source(f"{url}/{name}"))
        runs = {run["source"]: run for run in hub("harvest", *hosts, "--json").lines}
    assert {name: (run["state"], run["error"], run["new"]) for name, run in runs.items()} == {
        "texts": ("complete", None, 3),
        "links": ("complete", None, 3),
        "circle": ("partial", None, 3),
        "same": ("partial", None, 2),
        "elsewhere": ("partial", None, 2),
        "fewer": ("partial", None, 3),
        "hollow": ("failed", None, 0),
        "empty_between": ("complete", None, 3),
        "broken": ("partial", "html", 2),
    }
    assert "another host (other.example.org)" in runs["elsewhere"]["reason"]
    assert "announced 9 data sets and gave 3" in runs["fewer"]["reason"]
    assert runs["same"]["requests"] == 2


CUT = (
    '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">'
    '<dcat:Dataset rdf:about="https://d.example.org/1"><dct:title>One</dct:title></dcat:Dataset>'
    '<dcat:Dataset rdf:about="https://d.example.org/2"><dct:title>Two</dct:title><dct:descr'
)


def test_answers_that_are_no_catalogue_say_so(hub: Hub) -> None:
    rows: list[Any] = [
        {"identifier": "a", "title": "A"},
        {"identifier": "a", "title": "A again"},
        {"title": "no name"},
        "no object",
        None,
        {"identifier": 7, "title": "Seven"},
        *({"identifier": f"n{n}", "title": f"N {n}"} for n in range(20)),
    ]
    told = b"\xef\xbb\xbf" + json.dumps({"dataset": rows}).encode()
    rdf = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>'
    answers = {
        "odd": Answer(told, "application/json"),
        "empty": Answer(b'{"@type": "dcat:Catalog", "dataset": []}', "application/json"),
        "html": Answer(b"<!DOCTYPE html><title>Sorry</title>", "text/html"),
        "other": Answer(b'{"result": []}', "application/json"),
        "cut": Answer(told[:200], "application/json"),
        "rdf": Answer(rdf, "application/rdf+xml"),
        "cut_rdf": Answer(CUT.encode(), "application/rdf+xml"),
        "words": Answer(b"We are closed.", "text/plain"),
        "bare": Answer(b"<a> a <http://www.w3.org/ns/dcat#Catalog> .", "text/turtle"),
    }
    with serving(lambda request: answers[request.path.strip("/")]) as url:
        for name in answers:
            hub.source(name, source(f"{url}/{name}"))
        runs = {run["source"]: run for run in hub("harvest", *answers, "--json").lines}
    assert {name: (run["state"], run["error"], run["new"]) for name, run in runs.items()} == {
        "odd": ("complete_with_warnings", None, 22),
        "empty": ("complete", None, 0),
        "html": ("failed", "html", 0),
        "other": ("failed", "no_catalogue", 0),
        "cut": ("failed", "not_json", 0),
        "rdf": ("failed", "no_catalogue", 0),
        "cut_rdf": ("failed", "not_rdf", 0),
        "words": ("failed", "not_rdf", 0),
        "bare": ("complete", None, 0),
    }
    assert runs["odd"]["quarantined"] == 3
    assert runs["odd"]["warnings"]["two_versions"] == 1
    assert "/data.json" in runs["other"]["reason"]


CONTEXT = '{"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}'
NODE = '"@id": "https://d.example.org/1", "@type": "dcat:Dataset", "dct:title": "A"'


def payload(body: str | bytes, media_type: str = "application/ld+json") -> Payload:
    return Payload(
        url="https://d.example.org/catalog",
        status=200,
        headers={"Content-Type": media_type},
        body=body.encode() if isinstance(body, str) else body,
        fetched=datetime(2026, 1, 1, tzinfo=UTC),
    )


@pytest.mark.parametrize(
    "body",
    [
        '{"@context": "URL", "@graph": [{NODE}]}',
        '{"@context": ["URL", CONTEXT], "@graph": [{NODE}]}',
        '{"@context": [[CONTEXT, "URL"]], "@graph": [{NODE}]}',
        '{"@context": {"@import": "URL"}, "@graph": [{NODE}]}',
        '{"@context": CONTEXT, "@graph": [{"@context": "URL", NODE}]}',
        '{"@context": {"x": {"@id": "dct:x", "@context": "URL"}}, "@graph": [{NODE, "x": {}}]}',
        '[{"@context": "URL", NODE}]',
        '{"@context": CONTEXT, "@graph": [{"\\u0040context": "URL", NODE}]}',
    ],
    ids=["top", "list", "nested-list", "import", "node", "scoped", "array", "escaped"],
)
def test_nothing_is_fetched_because_a_document_says_so(body: str) -> None:
    asked: list[str] = []

    def respond(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(f'{{"@context": {CONTEXT}}}'.encode(), "application/ld+json")

    with serving(respond) as url:
        said = body.replace("URL", url).replace("CONTEXT", CONTEXT).replace("NODE", NODE)
        found = dcat.read(payload(said))
        with pytest.raises(ProtocolError) as error:
            dcat.read(payload(said.replace("dcat:Dataset", "dcat:Thing")))
    assert [row["title"] for row in found.datasets] == ["A"], "read by the names of its keys"
    assert found.warnings == [dcat.CONTEXT_NOT_READ]
    assert error.value.reason == "context"
    assert not asked


def test_json_ld_with_its_own_context_is_read() -> None:
    said = f'{{"@context": [{CONTEXT}, null], "@graph": [{{{NODE}}}]}}'.replace(", null", "")
    found = dcat.read(payload(said))
    assert [row["title"] for row in found.datasets] == [[{"value": "A"}]]


def test_entities_of_rdf_are_not_expanded() -> None:
    asked: list[str] = []

    def respond(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(b"secret", "text/plain")

    with serving(respond) as url:
        said = (
            f'<?xml version="1.0"?><!DOCTYPE r [<!ENTITY a "boom"><!ENTITY x SYSTEM "{url}/x">]>'
            '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
            ' xmlns:dcat="http://www.w3.org/ns/dcat#" xmlns:dct="http://purl.org/dc/terms/">'
            '<dcat:Dataset rdf:about="https://d.example.org/1"><dct:title>T%s</dct:title>'
            "</dcat:Dataset></rdf:RDF>"
        )
        for entity in ("&a;", "&x;"):
            with pytest.raises(ProtocolError):
                dcat.read(payload(said.replace("%s", entity), "application/rdf+xml"))
        found = dcat.read(payload(said.replace("%s", ""), "application/rdf+xml"))
    assert [row["title"] for row in found.datasets] == [[{"value": "T"}]]
    assert found.warnings == ["doctype_removed"]
    assert not asked


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        ("<https://d.example.org/1> a <http://www.w3.org/ns/dcat#Dataset> .", TURTLE),
        ("<https://d.example.org/1> a <http://www.w3.org/ns/dcat#Dataset> .", "text/plain"),
        ("[] a <http://www.w3.org/ns/dcat#Catalog> .", TURTLE),
        ("<1> a <http://www.w3.org/ns/dcat#Dataset> .", TURTLE),
        (f"{PREFIXES}<1> a dcat:Dataset .", "application/octet-stream"),
        ("\ufeff# remark\n<1> a <http://www.w3.org/ns/dcat#Dataset> .", TURTLE),
        (
            '<?xml version="1.0"?><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
            ' xmlns:d="http://www.w3.org/ns/dcat#"><d:Dataset rdf:about="1"/></rdf:RDF>',
            TURTLE,
        ),
    ],
    ids=["link", "link-as-text", "blank", "relative", "prefix", "bom", "xml-called-turtle"],
)
def test_the_form_is_told_by_the_answer(body: str, media_type: str) -> None:
    found = dcat.read(payload(body, media_type))
    assert found.form == "rdf"
    assert all(row["@id"] == "https://d.example.org/1" for row in found.datasets)


def test_a_data_set_that_is_gone_must_be_missing_twice(hub: Hub) -> None:
    rows = [{"identifier": f"d{n}", "title": f"D {n}"} for n in range(5)]
    with serving(lambda r: Answer(json.dumps({"dataset": rows}).encode(), "text/json")) as url:
        hub.source("d", source(url))
        assert run_of(hub, "d")["new"] == 5
        del rows[0]
        run = run_of(hub, "d")
        assert (run["deleted"], run["state"]) == (0, "complete_with_warnings")
        assert run["warnings"] == {"missing_at_source": 1}
    assert len(hub.records()) == 5
