"""Answers of repositories that a harvester must not misread: errors under an HTTP status, records
without metadata, misplaced tokens, redirected questions."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harvesters import oai_pmh
from tests.repository import harvest, live
from tests.running import Hub
from tests.scripted import (
    NAMESPACE,
    Answer,
    Question,
    Scripted,
    envelope,
    identify,
    listing,
    record,
)

EMPTY_DC = (
    '<metadata><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b">{}</oai_dc:dc>'
    "</metadata>"
)


def prefixed(text: str, prefix: str) -> str:
    """An answer whose elements of OAI-PMH have a prefix."""
    for name in ("OAI-PMH", "responseDate", "request", "error"):
        text = text.replace(f"<{name}", f"<{prefix}:{name}").replace(
            f"</{name}", f"</{prefix}:{name}"
        )
    return text.replace("xmlns=", f"xmlns:{prefix}=")


NOTHING = envelope('<error code="noRecordsMatch">none</error>')


@pytest.mark.parametrize(
    "body",
    [
        NOTHING.encode(),
        prefixed(NOTHING, "oai").encode(),
        prefixed(NOTHING, "ns0").encode(),
        b"\xef\xbb\xbf" + prefixed(NOTHING, "o").encode(),
        b"<!-- " + b"licence " * 1000 + b"-->" + NOTHING.encode(),
        b'<!DOCTYPE OAI-PMH SYSTEM "x.dtd">' + prefixed(NOTHING, "p").encode(),
        b"\n\n<?xml-stylesheet href='a.xsl'?>" + NOTHING.encode(),
        NOTHING.encode("utf-16"),
    ],
    ids=["plain", "oai", "ns0", "bom", "comment", "doctype", "stylesheet", "utf-16"],
)
def test_an_error_answer_is_known_in_any_dress(body: bytes) -> None:
    assert oai_pmh.is_error_answer(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<html><body>&lt;OAI-PMH&gt; <error>not found</error></body></html>",
        b"<!-- <OAI-PMH> <error --><html/>",
        b"Not found",
        b"",
        envelope("<ListRecords/>").encode(),
        f'<rss xmlns:o="{NAMESPACE}"><o:error code="x"/></rss>'.encode(),
    ],
)
def test_other_pages_are_no_error_answers(body: bytes) -> None:
    assert not oai_pmh.is_error_answer(body)


@pytest.mark.parametrize(("status", "prefix"), [(404, "oai"), (422, "o"), (400, "ns2")])
def test_nothing_new_under_an_http_error_is_no_failure(hub: Hub, status: int, prefix: str) -> None:
    def answer(q: Question) -> str | Answer:
        if q["verb"] == "Identify":
            return identify()
        if q["from"]:
            return Answer(prefixed(NOTHING, prefix), status)
        return listing(record("a", "A")) if q["verb"] == "ListRecords" else NOTHING

    with Scripted(answer) as server:
        hub.source("src", server.source())
        harvest(hub)
        server.answer = answer
        run = harvest(hub)
    assert (run["error"], run["seen"], live(hub)) == (None, 0, {"a"})


@pytest.mark.parametrize(
    "metadata",
    [
        "<metadata/>",
        "",
        "<metadata>  </metadata>",
        EMPTY_DC.format(""),
        EMPTY_DC.format("<!-- nothing --> \n"),
        EMPTY_DC.format('<dc:title xmlns:dc="http://purl.org/dc/elements/1.1/" xml:lang="en"/>'),
        '<metadata><mods xmlns="http://www.loc.gov/mods/v3" version="3.7"/></metadata>',
    ],
    ids=["empty", "none", "blank", "root", "comment", "elements", "mods"],
)
def test_a_record_without_its_metadata_keeps_its_former_version(hub: Hub, metadata: str) -> None:
    others = [record(name, name) for name in "bcdef"]

    def answer(q: Question) -> str:
        return identify() if q["verb"] == "Identify" else listing(record("a", "Kept"), *others)

    def emptied(q: Question) -> str:
        empty = record("a", stamp="2025-01-01T00:00:00Z", metadata=metadata)
        return identify() if q["verb"] == "Identify" else listing(empty, *others)

    with Scripted(answer) as server:
        hub.source("src", server.source())
        harvest(hub)
        before = hub.records()
        server.answer = emptied
        run = harvest(hub, "--full")
    assert (run["quarantined"], run["reasons"]) == (1, {"no_metadata": 1})
    assert hub.records() == before


def test_metadata_in_attributes_alone_is_metadata(hub: Hub) -> None:
    linked = EMPTY_DC.format(
        '<dc:relation xmlns:dc="http://purl.org/dc/elements/1.1/" href="https://x.example/a"/>'
    )

    def answer(q: Question) -> str:
        return identify() if q["verb"] == "Identify" else listing(record("a", metadata=linked))

    with Scripted(answer) as server:
        hub.source("src", server.source())
        # It is read, and then set aside because it names nothing.
        assert harvest(hub)["reasons"] == {"no title": 1}


def _end(token: str, request: str = "<request/>") -> Callable[[Question], str]:
    def answer(q: Question) -> str:
        if q["verb"] == "Identify":
            return identify()
        inner = f"<ListRecords>{record('a', 'A')}{token}</ListRecords>"
        return envelope(inner, request=request)

    return answer


@pytest.mark.parametrize(
    ("answer", "warning"),
    [
        (_end('<resumptionToken token="t2" cursor="0"/>'), "token_in_attribute"),
        (_end('<resumptionToken resumptionToken="t2"></resumptionToken>'), "token_in_attribute"),
        (_end("", '<request verb="ListRecords" resumptionToken="t2"/>'), "token_in_request"),
        (_end("<resumptionToken><token>t2</token></resumptionToken>"), "token_elsewhere"),
        (
            _end("</ListRecords><resumptionToken>t2</resumptionToken><ListRecords>"),
            "token_elsewhere",
        ),
    ],
    ids=["token", "resumptionToken", "request", "child", "beside"],
)
def test_a_token_in_a_wrong_place_ends_the_list_with_a_warning(
    hub: Hub, answer: Callable[[Question], str], warning: str
) -> None:
    with Scripted(answer) as server:
        hub.source("src", server.source())
        run = harvest(hub)
    assert (run["state"], run["warnings"]) == ("complete_with_warnings", {warning: 1})


@pytest.mark.parametrize(
    "token",
    ["", '<resumptionToken completeListSize="1" cursor="0" expirationDate="2030-01-01"/>'],
)
def test_a_list_that_ends_by_the_standard_has_no_warning(hub: Hub, token: str) -> None:
    with Scripted(_end(token)) as server:
        hub.source("src", server.source())
        assert harvest(hub)["warnings"] == {}


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_posted_question_is_posted_again_at_the_new_address(hub: Hub, status: int) -> None:
    def answer(q: Question) -> str | Answer:
        if q.path == "/oai":
            return Answer(status=status, location="/oai/")
        if q.method == "GET" or not q["verb"]:
            return envelope('<error code="badVerb"/>')
        return identify() if q["verb"] == "Identify" else listing(record("a", "A"))

    with Scripted(answer) as server:
        hub.source("src", server.source('method = "POST"'))
        run = harvest(hub)
        assert (run["seen"], live(hub)) == (1, {"a"})
        assert {q.method for q in server.asked} == {"POST"}
        # What has moved for good is asked at its new address from then on.
        at_the_old = sum(q.path == "/oai" for q in server.asked)
        assert at_the_old == (1 if status in (301, 308) else 2)


def test_a_question_that_is_lost_at_a_303_is_explained(hub: Hub) -> None:
    def answer(q: Question) -> str | Answer:
        if q.path == "/oai":
            return Answer(status=303, location="/see")
        return envelope('<error code="badVerb">No verb</error>')

    with Scripted(answer) as server:
        hub.source("src", server.source('method = "POST"'))
        run = harvest(hub)
        assert [q.method for q in server.asked] == ["POST", "GET"]
    assert run["error"] == "badVerb"
    assert "redirect" in run["reason"]
    assert "metadata_prefix" not in run["reason"]
