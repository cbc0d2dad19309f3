"""A feed that ends in the middle."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from chm_hub.document import Payload, Walk
from chm_hub.fetch import Request
from harvesters import feed

RSS = (
    '<?xml version="1.0" encoding="{0}"?><rss version="2.0"><channel><title>News</title>'
    '<item><guid isPermaLink="false">a</guid><title>One</title></item>'
    '<item><guid isPermaLink="false">b</guid><title>Two</title>'
    "<description>Long words</description></item>"
    "</channel></rss>\n<!-- made in 2 ms -->"
)
RDF = (
    '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
    'xmlns="http://purl.org/rss/1.0/"><channel rdf:about="c"><title>News</title></channel>'
    '<item rdf:about="a"><title>One</title></item><item rdf:about="b"><title>Two</title></item>'
    "</rdf:RDF>"
)


def walk(body: bytes) -> tuple[Walk, list[str], list[str]]:
    async def fetch(request: Request) -> Payload:
        return Payload(
            url=request.url,
            status=200,
            headers={"Content-Type": "application/xml"},
            body=body,
            fetched=datetime.now(UTC),
        )

    async def all_of_it() -> tuple[Walk, list[str], list[str]]:
        made = Walk(started=datetime.now(UTC))
        pages = [p async for p in feed.harvest(fetch, made, feed.Options(url="https://x.example/"))]
        return (
            made,
            [d.identifier for p in pages for d in p.documents],
            [str(r.identifier) for p in pages for r in p.rejects],
        )

    return asyncio.run(all_of_it())


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_a_whole_feed_is_whole(encoding: str) -> None:
    made, documents, rejects = walk(RSS.format(encoding).encode(encoding))
    assert (made.complete, documents, rejects) == (True, ["a", "b"], [])


def test_a_feed_that_is_ill_formed_but_whole_is_whole() -> None:
    made, documents, rejects = walk(
        RSS.format("utf-8").replace("Long words", "A & B <br>").encode()
    )
    assert (made.complete, documents, rejects) == (True, ["a", "b"], [])


@pytest.mark.parametrize(
    "text", [RSS.format("utf-8")[:-70], RDF[:-20]], ids=["RSS 2.0", "RSS 1.0, channel closed"]
)
def test_what_came_before_the_cut_is_kept_and_the_run_is_not_complete(text: str) -> None:
    made, documents, rejects = walk(text.encode())
    assert not made.complete
    assert made.short is not None
    assert (documents, rejects) == (["a"], ["b"])
