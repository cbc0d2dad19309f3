"""Cookies are kept without asking anybody but the source."""

from __future__ import annotations

import pytest
from scrapy import Request
from scrapy.downloadermiddlewares import cookies as scrapys
from scrapy.http import Response
from scrapy.utils.test import get_crawler

from chm_hub.fetch.cookies import Cookies


@pytest.fixture(autouse=True)
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("the Internet was asked")

    monkeypatch.setattr("requests.Session.request", refuse)


@pytest.mark.parametrize("domain", ["", "; Domain=portal.example.org", "; Domain=co.uk"])
def test_a_cookie_is_kept_without_a_question_to_the_internet(domain: str) -> None:
    made = Cookies.from_crawler(get_crawler())
    request = Request("http://portal.example.org/", meta={"cookiejar": 1})
    headers = {"Set-Cookie": f"DokuWiki=abc; path=/{domain}"}
    made.process_response(request, Response(request.url, headers=headers, request=request))
    again = Request("http://portal.example.org/2", meta={"cookiejar": 1})
    made.process_request(again)
    kept = b"DokuWiki=abc" in (again.headers.get("Cookie") or b"")
    assert kept is ("co.uk" not in domain), "no cookie is for a public suffix"


def test_the_list_of_public_suffixes_is_the_one_that_is_there() -> None:
    assert not scrapys._split_domain.suffix_list_urls
    assert scrapys._is_public_domain("co.uk")
    assert not scrapys._is_public_domain("portal.example.org")
