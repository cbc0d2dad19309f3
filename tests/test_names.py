"""How records are named: the source's own identifier wherever it is legal in ours."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chm_hub.names import LONGEST, PATTERN, digested, is_digest, readable

SAMPLE = re.compile(
    r"oai:[a-zA-Z][a-zA-Z0-9\-]*(\.[a-zA-Z][a-zA-Z0-9\-]*)+:[a-zA-Z0-9\-_\.!~\*'\(\);/\?:@&=\+$,%]+"
)
"""The pattern of ``oai-identifier.xsd``."""
LEGAL = "abzABZ019-_.!~*'();/?:@&=+$,"
NATIVES = st.one_of(
    st.text(max_size=LONGEST + 20),
    st.text(alphabet=LEGAL + "%20af#<> \u00e9", max_size=LONGEST + 20),
    st.lists(st.sampled_from([".", "..", "a", "", "%2e", "%2E.", "~", "b?c"])).map("/".join),
)
USUAL = [
    "oai:chm.example.org:caseStudy/mg-10",
    "oai:arXiv.org:1101.4388",
    "10.5555/abc(2)",
    "10.1016/0006-3207(75)90046-6",
    "10138/1074",
    "hdl:1234/5",
    "df4a42dc-36fb-48b0-9a41-ff689041ade5",
    "urn:uuid:DF4A42DC-36fb-48b0-9a41-ff689041ade5",
    "https://x.example/y?a=1",
    "https://x.example/y?a=1&b=2;c=3",
    "http://example.org/?p=123",
    "https://x.example/%D0%BC/page",
    "/decision/cop/default.shtml?id=12345",
    "/p0",
    "tag:blogger.com,1999:blog-1.post-2",
    "urn:nbn:de:0001-1",
    "52000cbd08000000000012a4",
    "CHM-KE-2024_01.v2",
    "LEX-FAOC086213",
    "a+b",
    "a%20b",
    "a...b",
    "name.",
    "Ünïcode".encode().hex(),
]


@pytest.mark.parametrize("native", USUAL)
def test_the_usual_kinds_of_identifiers_are_kept(native: str) -> None:
    assert readable("src", native) == f"src/{native}"


@pytest.mark.parametrize(
    "native",
    [
        "",
        "a b",
        "a\tb",
        "a\n",
        "http://x.example/y#z",
        "http://x.example/[1]",
        "http://x.example/дом",
        "café",
        "100%",
        "100%zz",
        "a\\b",
        'a"b',
        "<a>",
        "a|b",
        "~a",
        "~" + "0" * 32,
        "..",
        ".",
        "../../etc/passwd",
        "a/../b",
        "a/./b",
        "a/..",
        "a/%2e%2E/b",
        "a/..?b",
        "\ud800",
        "\x00",
        "x" * (LONGEST + 1),
    ],
)
def test_what_is_not_legal_or_too_long_has_a_digest(native: str) -> None:
    name = readable("src", native)
    assert is_digest(name)
    assert name == digested("src", native)
    assert len(name) == len("src/~") + 32


@given(NATIVES)
def test_a_name_is_legal_in_an_oai_identifier_and_in_the_record(native: str) -> None:
    name = readable("src", native)
    assert SAMPLE.fullmatch(f"oai:hub.example.org:{name}")
    assert re.fullmatch(PATTERN, name)


@given(NATIVES)
def test_a_name_comes_back_out_of_addresses(native: str) -> None:
    """As an argument, and as a part of a path that is escaped."""
    name = readable("src", native)
    assert unquote(quote(name, safe="")) == name
    path = urlsplit(f"https://hub.example.org/records/{quote(name, safe='/')}").path
    assert unquote(path) == f"/records/{name}"
    for written in (name, name.partition("?")[0]):  # with the question mark escaped, or not
        steps = set(written.lower().replace("%2e", ".").split("/"))
        assert not {".", ".."} & steps, "a browser would take it out"


@given(NATIVES, NATIVES)
def test_different_identifiers_have_different_names(one: str, other: str) -> None:
    assert (readable("src", one) == readable("src", other)) is (one == other)
    assert (digested("src", one) == digested("src", other)) is (one == other)


@given(NATIVES)
def test_what_both_rules_give_is_a_digest_of_the_same_or_the_identifier(native: str) -> None:
    old, new = digested("src", native), readable("src", native)
    assert new in (old, f"src/{native}")
    if not is_digest(old):
        assert new == old, "a name that showed the identifier changed"


@given(st.text(alphabet=LEGAL.replace("~", "").replace(".", ""), min_size=1, max_size=LONGEST))
def test_whatever_is_of_legal_characters_is_kept(native: str) -> None:
    assert readable("src", native) == f"src/{native}"


def test_a_name_has_something_after_its_source() -> None:
    for wrong in ("src/", "src", "/a", "src/a b", "src/%", "src/a#b"):
        assert not re.fullmatch(PATTERN, wrong), wrong


def test_the_rules_are_stable() -> None:
    """What is published under a name today is so for ever."""
    assert digested("r", "oai:x:caseStudy/mg-10") == "r/~7f736de33f8c1a8523b434ee87abecc9"
    assert readable("r", "oai:x:caseStudy/mg-10") == "r/oai:x:caseStudy/mg-10"
    assert digested("r", "a b") == readable("r", "a b") == "r/~c8687a08aa5d6ed2044328fa6a697ab8"
