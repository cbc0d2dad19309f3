"""robots.txt as RFC 9309 reads it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Request
from harvesters import robots

SITE = "https://portal.example.org"
TEXT = b"""\xef\xbb\xbfUser-agent: *
Disallow: /admin
Crawl-delay: 250
Sitemap: https://portal.example.org/sitemap.xml

User-agent: Other
Disallow: /
"""


def rules(body: bytes, status: int = 200) -> robots.Robots:
    asked: list[str] = []

    async def fetch(request: Request) -> Payload:
        asked.append(request.url)
        assert status in request.accept
        return Payload(
            url=request.url, status=status, headers={}, body=body, fetched=datetime.now(UTC)
        )

    made = asyncio.run(robots.read(fetch, f"{SITE}/de/start?x=1"))
    assert asked == [f"{SITE}/robots.txt"]
    return made


def test_what_a_site_allows() -> None:
    made = rules(TEXT)
    assert made.allows(f"{SITE}/news/1")
    assert not made.allows(f"{SITE}/admin/x")
    assert made.sitemaps == [f"{SITE}/sitemap.xml"]
    assert made.delay == 250
    with pytest.raises(ProtocolError, match=r"robots\.txt") as raised:
        made.require(f"{SITE}/admin/x")
    assert raised.value.reason == "robots"


def test_a_site_that_wants_longer_pauses_than_we_make_is_left_alone() -> None:
    with pytest.raises(ProtocolError, match="3600 s") as raised:
        rules(b"User-agent: *\nCrawl-delay: 3600\n")
    assert raised.value.reason == "robots"


@pytest.mark.parametrize("said", [b"-5", b"0", b"soon", b"nan"])
def test_a_delay_that_is_none(said: bytes) -> None:
    async def fetch(request: Request) -> Payload:
        raise AssertionError(request)

    assert rules(b"User-agent: *\nCrawl-delay: " + said).slowed(fetch) is fetch


def test_a_site_that_names_us_means_us() -> None:
    made = rules(b"User-agent: *\nDisallow: /\n\nUser-agent: chm-hub\nAllow: /\n")
    assert made.allows(f"{SITE}/news/1")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_no_rules_forbid_nothing(status: int) -> None:
    assert rules(b"User-agent: *\nDisallow: /", status).allows(f"{SITE}/")


def test_a_page_in_place_of_rules_forbids_nothing() -> None:
    assert rules(b"<!doctype html><html><body>Not here</body></html>").allows(f"{SITE}/")
