"""Identifiers, types and rights as formats mix them: what the record makes of each."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mappings import crosswalk, functions
from mappings.dcsv import dcmi_box, dcmi_names, dcmi_period
from mappings.identifiers import file_addresses, other_identifiers, page_address, resolved
from mappings.record_types import record_type
from mappings.rights import license_of, rights_beside

assert crosswalk  # the engine knows the functions of every module


@pytest.fixture(autouse=True)
def context() -> Iterator[functions.Context]:
    made = functions.Context(source={"url": "https://source.example/oai"}, tables={})
    token = functions.using(made)
    yield made
    functions.done(token)


@pytest.mark.parametrize(
    ("given", "page"),
    [
        ("10.5555/abc", "https://doi.org/10.5555/abc"),
        ("DOI:10.5555/abc", "https://doi.org/10.5555/abc"),
        ("doi: 10.5555/a<b>c", "https://doi.org/10.5555/a%3Cb%3Ec"),
        ("info:doi/10.5555/abc", "https://doi.org/10.5555/abc"),
        ("urn:doi:10.5555/abc", "https://doi.org/10.5555/abc"),
        ("hdl:20.500.1/44", "https://hdl.handle.net/20.500.1/44"),
        ("info:hdl/2027/a", "https://hdl.handle.net/2027/a"),
        ("HTTPS://Example.ORG/Up", "https://example.org/Up"),
        ("\u00a0\u200bhttps://example.org/1\ufeff", "https://example.org/1"),
        ("<https://example.org/1>", "https://example.org/1"),
        ("URL: https://example.org/1", "https://example.org/1"),
        ('<a target="_blank" href="https://example.org/1">see here</a>', "https://example.org/1"),
        ("DOI: https://doi.org/10.5555/a", "https://doi.org/10.5555/a"),
        ("https://example.org/دليل/1", "https://example.org/دليل/1"),
        ("www.example.org/doc/1", "http://www.example.org/doc/1"),
        ("https://user:PassWord@Example.org/1", "https://user:PassWord@Example.org/1"),
    ],
)
def test_an_identifier_that_leads_to_a_page(given: str, page: str) -> None:
    assert page_address(given) == page
    assert other_identifiers(given) == []


@pytest.mark.parametrize(
    "given",
    [
        "httpsomething",
        "http:/x.example/one",
        "https:x.example/one",
        "http://",
        "http:///one",
        "ftp:/x.example/one",
        "An ISBN of the publisher",
        "urn:nbn:de:0001-1",
        "oai:x.example:9",
        "Ali, B. (2010) Lakes of http://wrong.example",
        "10.5/too short",
        "Vol. 10.1234 of the series",
        "图书 12",
    ],
)
def test_what_is_no_address_stays_a_word_and_no_address_is_made_of_it(given: str) -> None:
    assert page_address(given) is None
    assert other_identifiers(given) == [given]


def test_a_broken_address_is_an_issue(context: functions.Context) -> None:
    page_address(["http:/x.example/one", "https://x.example/2"])
    assert context.issues == ["not a web address: 'http:/x.example/one'"]


def test_no_function_puts_the_sources_host_into_a_broken_address(
    context: functions.Context,
) -> None:
    assert functions.absolute_url("http:/x.example/one") is None
    assert functions.absolute_url("HTTPS:page") is None
    assert context.issues == [
        "not a web address: 'http:/x.example/one'",
        "not a web address: 'HTTPS:page'",
    ]
    assert functions.absolute_url("HTTP://X.example/Up") == "http://x.example/Up"
    assert functions.absolute_url("/page") == "https://source.example/page"


@pytest.mark.parametrize(
    ("given", "page", "files", "others"),
    [
        (
            ["https://x.example/1.pdf", "https://x.example/1", "10.5555/q"],
            "https://x.example/1",
            ["https://x.example/1.pdf"],
            ["https://doi.org/10.5555/q"],
        ),
        (
            ["https://x.example/thumb/10.jpg", "https://x.example/view/10"],
            "https://x.example/view/10",
            [],
            ["https://x.example/thumb/10.jpg"],
        ),
        (
            ["https://x.example/utils/getthumbnail/id/9", "https://doi.org/10.5555/9"],
            "https://doi.org/10.5555/9",
            [],
            ["https://x.example/utils/getthumbnail/id/9"],
        ),
        (
            ["10.5555/a", "http://hdl.handle.net/1/2", "DOI 10.5555/A"],
            "http://hdl.handle.net/1/2",
            [],
            ["https://doi.org/10.5555/a"],
        ),
        (
            ["https://x.example/server/api/core/bitstreams/ab/content"],
            "https://x.example/server/api/core/bitstreams/ab/content",
            ["https://x.example/server/api/core/bitstreams/ab/content"],
            [],
        ),
        (
            ["https://x.example/1; https://y.example/2"],
            "https://x.example/1",
            [],
            ["https://y.example/2"],
        ),
        ([{"value": "978-3-16", "@type": "isbn"}], None, [], ["978-3-16"]),
        (
            [{"value": "9783161484100 (pbk.) :", "@type": "isbn"}],
            None,
            [],
            ["urn:isbn:9783161484100"],
        ),
        ([{"value": "0006-3207", "@type": "issn"}], None, [], ["urn:issn:0006-3207"]),
        ([{"value": "1234/5", "@type": "hdl"}], "https://hdl.handle.net/1234/5", [], []),
        ([], None, [], []),
        ([None, "", " "], None, [], []),
    ],
)
def test_every_identifier_is_kept_once(
    given: list[Any], page: str | None, files: list[str], others: list[str]
) -> None:
    assert page_address(given) == page
    assert file_addresses(given) == files
    assert other_identifiers(given) == others


def test_the_page_above_a_file_stands_among_the_relations() -> None:
    files = ["https://x.example/12/1/a.pdf"]
    assert (
        page_address(files, ["https://x.example/", "https://x.example/12/"])
        == "https://x.example/12/"
    )
    assert page_address(files, ["https://x.example/", "https://y.example/12/"]) == files[0]


def test_related_identifiers_become_addresses() -> None:
    given = [{"value": "0006-3207", "@type": "ISSN"}, "doi:10.5555/a", "Flora; 3"]
    assert resolved(given) == ["urn:issn:0006-3207", "https://doi.org/10.5555/a", "Flora; 3"]


@pytest.mark.parametrize(
    ("given", "made"),
    [
        (["", "Book"], "researchReport"),
        (["NonPeerReviewed", "Report"], "researchReport"),
        (
            ["info:eu-repo/semantics/publishedVersion", "info:eu-repo/semantics/article"],
            "researchReport",
        ),
        (["http://purl.org/coar/resource_type/c_ddb1"], "dataset"),
        (["https://purl.org/coar/resource_type/c_18gh/"], "researchReport"),
        (["http://purl.org/dc/dcmitype/Dataset"], "dataset"),
        (["http://purl.org/dc/dcmitype/Text", "dataset"], "dataset"),
        (["other", "text"], "resource"),
        (["PeerReviewed"], None),
        (["Artículo de revista"], "researchReport"),
        (["DoctoralThesis"], "researchReport"),
        (["Case  Study"], "caseStudy"),
        (["Text; Dataset"], "dataset"),
        (["جدول", "تقرير"], "researchReport"),
        (["数据集"], "dataset"),
        ([{"value": "Software"}], "toolGuidance"),
        ([], None),
    ],
)
def test_the_first_type_that_says_something_counts(
    given: list[Any], made: str | None, context: functions.Context
) -> None:
    assert record_type(given) == made
    assert context.issues == []


def test_words_that_are_no_known_type_are_one_issue(context: functions.Context) -> None:
    assert record_type(["PeerReviewed", "Herbarium sheet", "Blatt"]) is None
    assert context.issues == ["no 'Herbarium sheet' in table 'types'"]


def test_a_crosswalks_own_table_of_types_comes_first() -> None:
    own = {"types": {"Report": "nationalReport", "sheet": "dataset"}}
    token = functions.using(functions.Context(source={}, tables=own))
    assert record_type(["Herbarium", "SHEET"]) == "dataset"
    assert record_type("report") == "nationalReport"
    functions.done(token)


@pytest.mark.parametrize(
    ("rights", "licenses", "made"),
    [
        (
            ["open access", "https://creativecommons.org/licenses/by/4.0/"],
            [],
            "https://creativecommons.org/licenses/by/4.0/",
        ),
        (["info:eu-repo/semantics/openAccess"], [], None),
        (["http://purl.org/coar/access_right/c_abf2"], [], None),
        (["http://rightsstatements.org/vocab/InC/1.0/", "CC BY-SA 4.0"], [], "CC BY-SA 4.0"),
        (["https://x.example/terms"], [], "https://x.example/terms"),
        (["See https://x.example/terms for more"], [], None),
        (
            ["Under CC BY (http://creativecommons.org/licenses/by/3.0/)."],
            [],
            "http://creativecommons.org/licenses/by/3.0/",
        ),
        ([], ["CC0"], "CC0"),
        (["https://x.example/terms"], ["Licence ouverte"], "Licence ouverte"),
        (["All rights reserved"], [], None),
        (["Mitigation texts are free"], [], None),
    ],
)
def test_a_licence_among_rights(rights: list[str], licenses: list[str], made: str | None) -> None:
    assert license_of(rights, licenses) == made


def test_what_only_says_the_licence_is_not_said_twice() -> None:
    said = [{"value": " https://x.example/l/ ", "lang": "en"}, {"value": "Cite us", "lang": "en"}]
    assert rights_beside(said, "https://x.example/l") == [{"value": "Cite us", "lang": "en"}]
    assert rights_beside(said, None) == said


def test_places_and_periods_of_dcmi(context: functions.Context) -> None:
    box = "name=Fiji; northlimit=-12; southlimit=-21; westlimit=176; eastlimit=-178; units=degrees"
    assert dcmi_box(["Fiji", box]) == [176.0, -21.0, -178.0, -12.0]
    assert dcmi_box("east=36.8; north=-1.3; name=Nairobi") == [36.8, -1.3, 36.8, -1.3]
    assert dcmi_names([{"value": box, "lang": "en"}, "a = b"]) == [
        {"value": "Fiji", "lang": "en"},
        {"value": "a = b"},
    ]
    assert dcmi_period(["Holocene", "name=Survey; start=2001; end=2004"]) == {
        "start": "2001",
        "end": "2004",
    }
    assert dcmi_period("1999-05/2001-06") == {"start": "1999-05", "end": "2001-06"}
    assert dcmi_period(["and/or", "1/2"]) is None
    assert dcmi_box("northlimit=x; southlimit=1; eastlimit=1; westlimit=1") is None
    assert context.issues == [
        "not a place on Earth: 'northlimit=x; southlimit=1; eastlimit=1; westlimit=1'"
    ]
