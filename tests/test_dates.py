"""Dates and periods as programs, librarians and people write them, and what is no date."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import calendars, date_functions, dates, functions, plausible

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def context() -> Iterator[functions.Context]:
    made = functions.Context(source={"id": "src"}, tables={}, now=NOW)
    token = functions.using(made)
    yield made
    functions.done(token)


@pytest.mark.parametrize(
    ("text", "made"),
    [
        # catalogue cards (AACR2 1.4F, RDA 2.8.6)
        ("Published in 1983", "1983"),
        ("[2004?]", "2004"),
        ("c1999", "1999"),
        ("©2010.", "2010"),
        ("p1983", "1983"),
        ("ca. 1950", "1950"),
        ("[ca. 1850]", "1850"),
        ("vers 1950", "1950"),
        ("1999 [i.e. 2001]", "2001"),
        ("1999, i.e. 2001", "2001"),
        ("1979, reprinted 1985", "1979"),
        ("1967 [c1965]", "1967"),
        ("2004, c2003", "2004"),
        ("2020 г.", "2020"),
        # parts of a year: the year is certain
        ("Spring 2012", "2012"),
        ("2020 Spring", "2020"),
        ("printemps 2020", "2020"),
        ("Otoño de 2020", "2020"),
        ("2013-Q3", "2013"),
        ("Q3 2013", "2013"),
        ("3rd quarter 2013", "2013"),
        ("1er trimestre 2020", "2020"),
        ("H1 2020", "2020"),
        # EDTF (ISO 8601-2)
        ("2004~", "2004"),
        ("2004-06?", "2004-06"),
        ("2004-XX", "2004"),
        ("2004-06-XX", "2004-06"),
        ("2004-21", "2004"),
        # months first, months in words
        ("12/2014", "2014-12"),
        ("5/2020", "2020-05"),
        ("12.2014", "2014-12"),
        ("5. März 2024", "2024-03-05"),
        ("5 marca 2024", "2024-03-05"),
        ("5 maart 2024", "2024-03-05"),
        ("02 ottobre 2022", "2022-10-02"),
        ("5 Mart 2024", "2024-03-05"),
        ("Mar 5 2024", "2024-03-05"),
        ("05-Mar-2024", "2024-03-05"),
        ("2024년 5월 12일", "2024-05-12"),
        # feeds
        ("Tue,5 Mar 2024 10:00:00 +0000", "2024-03-05T10:00:00Z"),
        ("Tue, 5Mar 2024 10:00:00 +0100", "2024-03-05T10:00:00+01:00"),
        ("Tue,05Mar2024 10:00:00GMT", "2024-03-05T10:00:00Z"),
        ("Tues, 5 March 2024 10:00 EST", "2024-03-05T10:00:00-05:00"),
        ("Tue, 5 Mar 2024, 10:00:00 +00:00", "2024-03-05T10:00:00Z"),
        ("Tue, 5 Mar 2024 10:00:00 +0000 (UTC)", "2024-03-05T10:00:00Z"),
        ("Mar 5, 2024 10:00 AM", "2024-03-05"),
        ("Mar 5, 2024 11:30 PM +0200", "2024-03-05T23:30+02:00"),
        ("2024-03-05 10:00:00 +0000 UTC", "2024-03-05T10:00:00Z"),
        ("2024-03-05 10:00:00.123 +0200 CEST m=+0.5", "2024-03-05T10:00:00+02:00"),
        ("Tue Mar 05 2024 10:00:00 GMT+0100 (CET)", "2024-03-05T10:00:00+01:00"),
        ("2024-03-05T10:00:00+01:00[Europe/Paris]", "2024-03-05T10:00:00+01:00"),
        ("Wed, 31 Dec 2014 24:00:00 GMT", "2015-01-01T00:00:00Z"),
        ("2010-05-12T24:00:00Z", "2010-05-13T00:00:00Z"),
        ("2010-05-12 24:00", "2010-05-13"),
        ("2016-12-31T23:59:60Z", "2016-12-31"),
        ("dom, 02 ott 2022 18:55:00 GMT", "2022-10-02T18:55:00Z"),
        ("mar., 05 mars 2024 10:00:00 +0100", "2024-03-05T10:00:00+01:00"),
        ("Sat, 01 Jan 0001 00:00:00 GMT", None),
        ("Mon Jan  1 00:00:00 0001", None),
        # two calendars
        ("พ.ศ. 2563", "2020"),
        ("พ.ศ. ๒๕๖๓", "2020"),
        ("25 พ.ค. 2567", "2024-05-25"),
        ("2563 BE", "2020"),
        ("B.E. 2563", "2020"),
        ("2563 [2020]", "2020"),
        ("5745 [1985]", "1985"),
        ("1402 [1982]", "1982"),
        ("1445 AH (2023)", "2023"),
        ("١٤٤٥ هـ / ٢٠٢٣ م", "2023"),
        ("٢٠٢٣ م", "2023"),
        ("令和6年(2024)", "2024"),
        ("AD 1999", "1999"),
    ],
)
def test_a_date_is_read_as_precisely_as_it_was_written(text: str, made: str | None) -> None:
    assert dates.w3cdtf(text) == made


@pytest.mark.parametrize(
    "text",
    [
        "n.d.",
        "s.d.",
        "Spring",
        "MMXX",
        "19uu",
        "198?",
        "[19--]",
        "197-?",
        "201X",
        "1990s",
        "[1990 or 1991]",
        "[between 1906 and 1912]",
        "before 1990",
        "1390 [2011 or 2012]",
        "-0500",
        "../1985",
        "2003-2001",
        "2568",
        "9999-12-31",
        "2999",
        "5783",
        "Tue, 05 Mar 2567 10:00:00 +0700",
        "1402 AH",
        "1402 A.H.",
        "١٤٤٥ هـ",
        "15 Ramadan 1445",
        "۱۵ خرداد ۱۴۰۲",
        "2016 E.C.",
        "令和6年5月12日",
        "พ.ศ. 2475",
        "03/04/2024 10:00 AM",
        "2024-03-05 13:00 PM",
        "2024-03-05 24:30",
        "x" * 100_000,
        "[" * 60_000,
        "12:00 " * 20_000,
    ],
)
def test_what_has_no_certain_gregorian_date_is_refused(text: str) -> None:
    with pytest.raises(dates.NotADate):
        dates.w3cdtf(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("1999-2003", "1999", "2003"),
        ("1999/2003", "1999", "2003"),
        ("1999–2003", "1999", "2003"),
        ("1998-99", "1998", "1999"),
        ("2019/20", "2019", "2020"),
        ("2004-", "2004", None),
        ("2004-present", "2004", None),
        ("from 2004 to 2008", "2004", "2008"),
        ("[2004]-2006", "2004", "2006"),
        ("2011-05-03/2012-06-07", "2011-05-03", "2012-06-07"),
        ("1985/..", "1985", None),
        ("../1985", None, "1985"),
        ("/1985", None, "1985"),
        ("May-June 2010", "2010-05", "2010-06"),
        ("mai-juin 2010", "2010-05", "2010-06"),
        ("12-14 May 2010", "2010-05-12", "2010-05-14"),
        ("12 May - 3 June 2010", "2010-05-12", "2010-06-03"),
        ("January 2020 - March 2021", "2020-01", "2021-03"),
        ("Winter 2019/2020", "2019", "2020"),
        ("Winter 2019-20", "2019", "2020"),
        ("start=1999; end=2003; scheme=W3C-DTF", "1999", "2003"),
        ("name=Survey; start=2001-05", "2001-05", None),
        ("2010", "2010", "2010"),
    ],
)
def test_a_period_has_the_ends_it_was_written_with(
    text: str, start: str | None, end: str | None
) -> None:
    assert dates.period(text) == (start, end)
    if start is not None and "=" not in text:
        assert dates.w3cdtf(text) == start


def test_a_year_that_may_be_a_school_year_stays_a_year() -> None:
    assert dates.w3cdtf("2011/12") == "2011"
    assert dates.w3cdtf("2003/04") == "2003"
    assert dates.w3cdtf("2003/05") == "2003-05"
    assert dates.w3cdtf("2003-04") == "2003-04"


def test_years_without_a_mark_are_of_the_calendar_of_the_source() -> None:
    thai = calendars.of({"countries": ["TH"]})
    assert dates.w3cdtf("2563", thai) == "2020"
    assert dates.w3cdtf("2563-05-01", thai) == "2020-05-01"
    assert dates.w3cdtf("2020-05-01", thai) == "2020-05-01"
    assert dates.period("2560-2563", thai) == ("2017", "2020")
    for source in ({"countries": ["IR"]}, {"languages": ["fa"]}, {"countries": ["SA"]}):
        with pytest.raises(dates.NotADate, match="another calendar"):
            dates.w3cdtf("1402-03-15", calendars.of(source))
    assert dates.w3cdtf("1402-03-15", calendars.of({"countries": ["KE"]})) == "1402-03-15"


@given(
    st.text(alphabet="0123456789 -/.,:?[]()cxXuQTZ~พศهـم年月AaPpMm", max_size=24)
    | st.from_regex(r"[\[(]?(c|ca\. )?\d{4}([-/ ]\d{2,4})?[?\])]?", fullmatch=True)
)
def test_what_is_made_of_any_text_is_read_as_itself_again(text: str) -> None:
    for read in (dates.w3cdtf, lambda said: dates.period(said)[1]):
        try:
            made = read(text)
        except dates.NotADate:
            continue
        assert made is None or dates.w3cdtf(made) == made


# --- which of several ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given_dates", "made"),
    [
        # DSpace: accessioned, available, issued
        (["2015-06-30T12:55:54Z", "2015-06-30T12:55:54Z", "2004"], "2004"),
        (["2004-03", "2015-06-30T12:55:54Z"], "2004-03"),
        (["n.d.", "2011"], "2011"),
        # DSpace without a date of publication: when it was first there
        (["2015-06-30T12:55:54Z", "2015-06-30T11:55:54+02:00"], "2015-06-30T11:55:54+02:00"),
        # a deposit cut to its day is later than the publication
        (["2022-03-01", "2021-04", "2021-03"], "2021-03"),
        # the same date, once more precise
        (["2004", "2004-03", "2004-11-05"], "2004-03"),
        # OJS, Invenio, EPrints: one date, or an embargo beside it
        (["2020-01-05"], "2020-01-05"),
        (["2020-01-05", "info:eu-repo/date/embargoEnd/2019-01-01"], "2020-01-05"),
        (["info:eu-repo/date/publication/2010"], "2010"),
        # what cannot be does not count
        (["9999", "2004"], "2004"),
        (["2030-01-01", "2004"], "2004"),
        (["1402", "1982"], "1982"),
        (["2030"], None),
        ([], None),
        (None, None),
        ([{"value": "2004", "lang": "en"}, 2003, {}], "2003"),
    ],
)
def test_the_date_of_publication_among_several(
    given_dates: Any, made: str | None, context: functions.Context
) -> None:
    assert date_functions.published(given_dates) == made


def test_dates_that_do_not_count_are_issues(context: functions.Context) -> None:
    assert date_functions.published(["1402", "2030-01-01", "n.d.", "2004"]) == "2004"
    assert context.issues == [
        "before printing: '1402'",
        "a date to come: '2030-01-01'",
        "not a date: 'n.d.'",
    ]


def test_periods_in_texts_are_told_from_words(context: functions.Context) -> None:
    texts = [{"value": "Holocene", "lang": "en"}, {"value": "1999-2003"}, {"value": "2010"}]
    assert date_functions.periods_in(texts) == {"start": "1999", "end": "2003"}
    assert date_functions.not_periods(texts) == [texts[0], texts[2]]
    assert date_functions.periods_in(["Holocene", None, "03/04/2024"]) is None
    assert context.issues == []


# --- what cannot be ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ("2026", None),
        ("2026-11", None),
        ("2026-11-30", None),
        ("2026-11-30T23:00:00Z", None),
        ("2026-12-01", "a date to come"),
        ("2026-12", "a date to come"),
        ("2027", "a date to come"),
        ("1450", None),
        ("1449", "before printing"),
    ],
)
def test_something_published_lies_between_printing_and_the_harvest(
    made: str, reason: str | None
) -> None:
    assert plausible.unlikely(made, NOW) == reason


@pytest.mark.parametrize(
    ("start", "end", "wrong"),
    [
        ("2024", "2014", True),
        ("2024-05-02", "2024-05-01", True),
        ("2024-05-02", "2024", False),
        ("2024-05-02", "2024-04", True),
        ("2024-05-02T10:00:00Z", "2024-05-02T09:00:00Z", True),
        ("2024-05-02T10:00:00+02:00", "2024-05-02T09:00:00Z", False),
        ("2024-05-02T10:00:00Z", "2024-05-02", False),
    ],
)
def test_a_period_does_not_end_before_it_begins(start: str, end: str, wrong: bool) -> None:
    said: list[str] = []
    given_period = {"start": start, "end": end}
    made = plausible.ordered(given_period, said.append)
    assert made == (None if wrong else given_period)
    assert said == ([f"ends before it begins: {start} to {end}"] if wrong else [])
