"""Manners that need no wire: addresses, Retry-After, kinds of bodies."""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime

import pytest

from chm_hub.fetch import scrapy_settings, user_agent
from chm_hub.fetch.egress import refusal
from chm_hub.fetch.patience import retry_after
from chm_hub.fetch.sniff import kind_of, page_title
from chm_hub.settings import load

PRIVATE = [
    "127.0.0.1",
    "127.8.8.8",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "169.254.1.1",
    "100.64.0.1",
    "100.100.100.200",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "192.0.2.1",
    "198.18.0.1",
    "::1",
    "::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b::c0a8:101",
    "192.0.0.192",
    "168.63.129.16",
    "fec0::1",
    "3fff::1",
    "2002:7f00:1::",
    "2002:a00:1::",
    "2001:db8::1",
    "fe80::1%eth0",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_addresses_that_are_not_public_are_refused(address: str) -> None:
    assert refusal(address, 443, ()) is not None


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses_may_be_asked_on_the_usual_ports(address: str) -> None:
    assert refusal(address, 443, ()) is None
    assert refusal(address, 22, ()) is not None


def test_an_allowed_network_may_be_asked_on_any_port_but_never_for_metadata() -> None:
    everything = [ipaddress.ip_network("0.0.0.0/0")]
    assert refusal("10.1.2.3", 5000, everything) is None
    assert refusal("169.254.169.254", 80, everything) is not None


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        (b"7", 7.0),
        (b" 120 ", 120.0),
        (b"-5", None),
        (b"soon", None),
        (b"1.5", None),
        (b"Thu, 01 Jan 2026 12:01:00 GMT", 60.0),
        (b"Thu, 01 Jan 2026 11:59:00 GMT", None),
        (b"Thursday, 01-Jan-26 12:01:00 GMT", 60.0),
    ],
)
def test_retry_after(value: bytes | None, seconds: float | None) -> None:
    assert retry_after(value, datetime(2026, 1, 1, 12, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"<?xml version='1.0'?><a/>", "xml"),
        (b"\xef\xbb\xbf<?xml version='1.0'?><a/>", "xml"),
        ("<?xml version='1.0' encoding='utf-16'?><a/>".encode("utf-16"), "xml"),
        (b"<!-- made by x --><rss/>", "xml"),
        (b"warning: line 3\n<?xml version='1.0'?><a/>", "xml"),
        (b"\n\n  <rdf:RDF xmlns:rdf='x'/>", "xml"),
        (b"<!DOCTYPE html><title>x</title>", "html"),
        (b"<?xml version='1.0'?><!DOCTYPE html PUBLIC 'x'><html/>", "html"),
        (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "html"),
        (b"<HTML><body>", "html"),
        (b'{"response": {}}', "json"),
        (b" [1]", "json"),
        (b"Entity not found for uri: /x", "text"),
        (b"", "empty"),
        (b" \n", "empty"),
    ],
)
def test_a_body_is_known_by_how_it_begins(body: bytes, kind: str) -> None:
    assert kind_of(body) == kind


def test_the_title_of_a_page() -> None:
    assert page_title(b"<TITLE lang=en>Access\n denied</TITLE>") == "Access denied"
    assert page_title(b"<p>") == ""


def test_one_request_at_a_time_and_a_pause_between() -> None:
    settings = load({"CHM_HUB_HOST_DELAY": "2.5", "CHM_HUB_ADMIN_EMAIL": "a@b.org"})
    made = scrapy_settings(settings)
    assert made["DOWNLOAD_DELAY"] == 2.5
    assert made["DOWNLOAD_DELAY_JITTER"] == 0
    assert made["CONCURRENT_REQUESTS_PER_DOMAIN"] == 1
    assert made["DOWNLOAD_VERIFY_CERTIFICATES"] is True
    assert "mailto:a@b.org" in user_agent(settings)
