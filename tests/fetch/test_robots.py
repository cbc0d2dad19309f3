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


def pauses(made: robots.Robots, monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What a request waits for before it is sent, and what its host is left alone for after it."""
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    async def fetch(request: Request) -> Payload:
        waited.append(request.pause)
        return Payload(url=request.url, status=200, headers={}, body=b"", fetched=datetime.now(UTC))

    monkeypatch.setattr(robots.asyncio, "sleep", sleep)
    asyncio.run(made.slowed(fetch)(Request(url=f"{SITE}/a")))
    return waited


@pytest.mark.parametrize("said", [b"-5", b"0", b"soon", b"nan"])
def test_a_delay_that_is_none(said: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert pauses(rules(b"User-agent: *\nCrawl-delay: " + said), monkeypatch) == [0.0]


def test_each_name_of_a_site_has_rules_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    made, other = rules(TEXT.replace(b"250", b"2")), "https://other.example"
    asked: list[str] = []

    async def fetch(request: Request) -> Payload:
        asked.append(request.url)
        body = b"User-agent: *\nDisallow: /news\nCrawl-delay: 7\n"
        return Payload(
            url=request.url, status=200, headers={}, body=body, fetched=datetime.now(UTC)
        )

    for address in (f"{other}/x", f"{other}/y", "https://www.portal.example.org/"):
        asyncio.run(made.also(fetch, address))
    assert asked == [f"{other}/robots.txt"]
    assert made.allows(f"{SITE}/news/1")
    assert not made.allows(f"{other}/news/1")
    assert not made.allows(f"{SITE}/admin/x")
    assert made.allows(f"{other}/admin/x")
    assert pauses(made, monkeypatch) == [7.0, 7.0], "the longer of both, at either"


def test_a_site_that_names_us_means_us() -> None:
    made = rules(b"User-agent: *\nDisallow: /\n\nUser-agent: chm-hub\nAllow: /\n")
    assert made.allows(f"{SITE}/news/1")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_no_rules_forbid_nothing(status: int) -> None:
    assert rules(b"User-agent: *\nDisallow: /", status).allows(f"{SITE}/")


def test_a_page_in_place_of_rules_forbids_nothing() -> None:
    assert rules(b"<!doctype html><html><body>Not here</body></html>").allows(f"{SITE}/")
