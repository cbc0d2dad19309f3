"""The functions of crosswalks: every example of theirs, their page, and odd values."""

from __future__ import annotations

import inspect
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mappings import codes, crosswalk, dates, functions, languages, place_functions

PAGE = Path(__file__).parents[1] / "docs" / "crosswalk-functions.md"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@pytest.fixture(autouse=True)
def context() -> Iterator[functions.Context]:
    made = functions.Context(
        source={"id": "src", "url": "https://hub.example/a/"},
        tables={"types": {"Blog": "news", "": "other"}},
        folded={"types": {"blog": "news"}},
    )
    token = functions.using(made)
    yield made
    functions.done(token)


def evaluate(expression: str, body: Any = None) -> Any:
    return crosswalk.evaluate(expression, body)


@pytest.mark.parametrize("name", sorted(functions.REGISTERED))
def test_example(name: str, context: functions.Context) -> None:
    expression, value = functions.example(functions.REGISTERED[name])
    assert evaluate(expression) == json.loads(value)
    assert context.issues == []


def test_page_is_what_the_functions_say() -> None:
    assert PAGE.read_text("utf-8") == functions.document(), "run: python -m mappings.functions"


@pytest.mark.parametrize(
    ("given_text", "made"),
    [
        ("2024", "2024"),
        ("2024-11", "2024-11"),
        ("2024-1-5", "2024-01-05"),
        ("2024/03/05", "2024-03-05"),
        ("20240305", "2024-03-05"),
        ("2024-11-05T10:00:00Z", "2024-11-05T10:00:00Z"),
        ("2024-11-05T10:00:00.123Z", "2024-11-05T10:00:00.123Z"),
        ("2024-11-05T10:00:00+0200", "2024-11-05T10:00:00+02:00"),
        ("2024-11-05T10:00+02", "2024-11-05T10:00+02:00"),
        ("20241105T100000Z", "2024-11-05T10:00:00Z"),
        # no zone, so no moment
        ("2024-11-05T10:00:00", "2024-11-05"),
        ("2024-11-05 10:00:00", "2024-11-05"),
        ("Tue, 05 Nov 2024 10:00:00 GMT", "2024-11-05T10:00:00Z"),
        ("Tue, 05 Nov 2024 10:00:00 +0530", "2024-11-05T10:00:00+05:30"),
        ("Tue, 05 Nov 2024 10:00:00 -0000", "2024-11-05T10:00:00Z"),
        ("Tue, 05 Nov 2024 10:00:00 EST", "2024-11-05T10:00:00-05:00"),
        ("Tue, 05 Nov 2024 10:00:00 CET", "2024-11-05"),
        ("Tuesday, 05-Nov-24 10:00:00 GMT", "2024-11-05T10:00:00Z"),
        ("Tue Nov  5 10:00:00 2024", "2024-11-05"),
        ("5 March 2024", "2024-03-05"),
        ("March 5th, 2024", "2024-03-05"),
        ("Mar 2024", "2024-03"),
        ("1er mars 2024", "2024-03-01"),
        ("5 de marzo de 2024", "2024-03-05"),
        ("5 марта 2024 г.", "2024-03-05"),
        ("2024年3月5日", "2024-03-05"),
        ("٥ مارس ٢٠٢٤", "2024-03-05"),
        ("25/04/2024", "2024-04-25"),
        ("04/25/2024", "2024-04-25"),
        ("03/03/2024", "2024-03-03"),
        ("05.03.2024", "2024-03-05"),
        ("1730800000", "2024-11-05T09:46:40Z"),
        ("/Date(1730800000000)/", "2024-11-05T09:46:40Z"),
        ("2024-00-00", "2024"),
        ("2024-05-00", "2024-05"),
        # what databases write for nothing
        ("0001-01-01T00:00:00Z", None),
        ("1899-12-30T00:00:00Z", None),
        ("0000-00-00", None),
        ("", None),
        # but books are old
        ("1850", "1850"),
        ("1850-03-02", "1850-03-02"),
    ],
)
def test_dates(given_text: str, made: str | None) -> None:
    assert dates.w3cdtf(given_text) == made


@pytest.mark.parametrize(
    "text",
    [
        "03/04/2024",
        "May 2024x",
        "N/A",
        "2024-13-01",
        "2024-02-30",
        "2024-11-05T10:00:00+99:00",
        "202411",
        "Thu, 32 Jan 2024 10:00:00 GMT",
        "30 février 2024",
        "5 6 March 2024",
        "²",
    ],
)
def test_no_dates(text: str, context: functions.Context) -> None:
    assert functions.date(text) is None
    assert len(context.issues) == 1
    assert repr(text) in context.issues[0]


@pytest.mark.parametrize(
    ("number", "made"),
    [
        (2024, "2024"),
        (20240305, "2024-03-05"),
        (1730800000, "2024-11-05T09:46:40Z"),
        (1730800000123, "2024-11-05T09:46:40Z"),
        (0, None),
    ],
)
def test_dates_in_numbers(number: int, made: str | None) -> None:
    assert functions.date(number) == made


@given(st.text() | st.from_regex(r"[0-9T:Z +./-]{1,30}", fullmatch=True))
def test_any_text_is_a_date_or_none(text: str) -> None:
    try:
        made = dates.w3cdtf(text)
    except dates.NotADate:
        return
    # What is made is a date of the record, and is read as itself again.
    assert made is None or dates.w3cdtf(made) == made


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("en", "en"),
        ("en_US", "en-US"),
        ("ENG", "en"),
        ("fre", "fr"),
        ("fra-CA", "fr-CA"),
        ("zh-hans", "zh-Hans"),
        ("iw", "he"),
        ("English", "en"),
        ("anglais", "en"),
        ("français", "fr"),
        ("Русский", "ru"),
        ("العربية", "ar"),
        ("中文", "zh"),
        ("Kiswahili", "sw"),
        ("mul", "mul"),
        ("xx", None),
        ("en;fr", None),
        ("x-default", None),
        ("en-" + "a" * 200, None),
    ],
)
def test_languages(name: str, code: str | None) -> None:
    assert languages.language(name) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ke", "KE"),
        ("KEN", "KE"),
        ("404", "KE"),
        ("eu", "EU"),
        ("European Union", "EU"),
        ("COTE D’IVOIRE", "CI"),
        ("Российская Федерация", "RU"),
        ("中国", "CN"),
        ("كينيا", "KE"),
        ("Bolivia", "BO"),
        ("Turkey", "TR"),
        ("Türkiye", "TR"),
        ("Congo", "CG"),
        ("Democratic Republic of the Congo", "CD"),
        ("Korea", None),
        ("Saint Martin", None),
        ("Global", None),
        ("xx", None),
        ("12", None),
    ],
)
def test_countries(name: str, code: str | None) -> None:
    assert codes.country(name) == code


def test_words_that_look_like_codes_are_no_places(context: functions.Context) -> None:
    assert place_functions.countries_in(["in", "no", "IN", "Norway"]) == ["IN", "NO"]
    assert place_functions.not_countries(["in", "no", "IN", "Norway"]) == ["in", "no"]
    assert context.issues == []


def test_a_default_text_is_in_the_language_that_no_other_text_is_in() -> None:
    row = {"title_EN_t": "Bosque", "title_ES_t": "Bosque", "title_FR_t": "Forêt"}
    forest = {"value": "Forêt", "lang": "fr"}
    assert functions.index_texts(row, "title", ["es", "fr"]) == [
        {"value": "Bosque", "lang": "es"},
        forest,
    ]
    assert functions.index_texts(row, "title", ["es", "pt", "fr"]) == [{"value": "Bosque"}, forest]
    assert functions.index_texts(row, "title", ["fr"]) == [{"value": "Bosque"}, forest]


def test_und_is_no_language(context: functions.Context) -> None:
    assert functions.language_code(["und", "fr"]) == ["fr"]
    assert context.issues == []


@pytest.mark.parametrize(
    ("given_text", "made"),
    [
        ("../doc/x.pdf", "https://hub.example/doc/x.pdf"),
        ("//cbd.int/x", "https://cbd.int/x"),
        ("www.cbd.int/x y", "http://www.cbd.int/x%20y"),
        (" https://cbd.int/ёлка?a=%20&b=1#c ", "https://cbd.int/ёлка?a=%20&b=1#c"),
        ("https://cbd.int/a\u3000b", "https://cbd.int/a%E3%80%80b"),
        ("mailto:info@example.org", "mailto:info@example.org"),
        ("javascript:alert(1)", None),
        ("data:text/html,x", None),
        ("file:///etc/passwd", None),
        ("http://", None),
        ("http://[::1", None),
        ("mailto:", None),
    ],
)
def test_addresses(given_text: str, made: str | None, context: functions.Context) -> None:
    assert functions.absolute_url(given_text) == made
    assert len(context.issues) == (made is None)


@pytest.mark.parametrize(
    ("html", "words"),
    [
        ("p < 0.05 and q > 1", "p < 0.05 and q > 1"),
        ("a  b\nc", "a  b\nc"),
        ("<p>a  b\n c</p>", "a b c"),
        ("p < 0.05 <p>a&nbsp;b<br>c</p>&lt;b&gt; AT&amp;T", "p < 0.05\na b\nc\n<b> AT&T"),
        ("<script>x()</script><style>p{}</style>y<!-- z -->", "y"),
        ("<ul><li>a</li><li>b</li></ul>", "a\nb"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("<p>علم <b>الأحياء</b></p>", "علم الأحياء"),
        ("<p>生物<i>多样性</i></p>", "生物多样性"),
        ("<a title='x>y'>z</a>", "z"),
        ("<div>" * 300 + "deep" + "</div>" * 300 + "after", "deep\nafter"),
    ],
)
def test_plain_text(html: str, words: str, context: functions.Context) -> None:
    assert functions.plain_text(html) == words
    assert context.issues == []


def test_plain_text_keeps_the_shape() -> None:
    assert functions.plain_text([{"value": "<b>a</b>", "lang": "en"}, "<i>b</i>"]) == [
        {"value": "a", "lang": "en"},
        "b",
    ]
    assert functions.plain_text({"en": "<b>a</b>", "fr": ["<i>b</i>"]}) == {"en": "a", "fr": ["b"]}


@pytest.mark.parametrize("piece", ["<div>", "<br", "<!--", "<a '", "&", "<p>x", "<", "&#"])
def test_hostile_html_is_read_at_once(piece: str) -> None:
    # Read in time that grows with its length alone. Were it the square, a process would be busy for
    # minutes; other work on the machine does not count.
    began = time.process_time()
    functions.plain_text("<b>x</b>" + piece * (64_000 // len(piece)))
    assert time.process_time() - began < 20


def test_what_html_loses_by_depth_is_an_issue(context: functions.Context) -> None:
    functions.plain_text("<div>" * 5000 + "x")
    assert [said.partition(":")[0] for said in context.issues] == ["HTML nested too deeply"]


def test_links(context: functions.Context) -> None:
    made = functions.links(
        [
            "/files/a.docx",
            {"url": "https://x.example/b", "name": "B", "language": "French", "length": "120"},
            {"href": "https://x.example/c.pdf", "type": "wrong", "size": -1},
            '{"url": "https://x.example/d.zip"}',
            {"name": "without an address"},
            7,
        ]
    )
    assert made == [
        {
            "url": "https://hub.example/files/a.docx",
            "media_type": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        },
        {"url": "https://x.example/b", "title": "B", "language": "fr", "byte_size": 120},
        {"url": "https://x.example/c.pdf", "media_type": "application/pdf"},
        {"url": "https://x.example/d.zip", "media_type": "application/zip"},
    ]
    assert context.issues == ["not a link: '7'"]


def test_lookup_is_exact_then_folded(context: functions.Context) -> None:
    assert functions.lookup("types", [" blog ", {"value": "Blog"}, "Vlog", None]) == [
        "news",
        "news",
    ]
    assert context.issues == ["no 'Vlog' in table 'types'"]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("date(`true`)", "not a date: 'true'"),
        ("lookup('types', `{\"a\": 1}`)", "not in table 'types': '{\"a\": 1}'"),
        ("lookup(name, 'x')", "no table 'None'"),
        ("concepts('SDG', 'SDG-GOAL-99')[?lang] | [0]", "no 'SDG-GOAL-99' in SDG"),
        ("concepts(name, 'x')", "no vocabulary 'null'"),
        ("parse_json('{')", "not JSON: '{'"),
        ("bbox('91', '0')", 'not a place on Earth: \'["91", "0"]\''),
        ("bbox('north', '0')", 'not a place on Earth: \'["north", "0"]\''),
        ("number('1e999')", "not a number: '1e999'"),
        ("number('many')", "not a number: 'many'"),
        ("country_code('Atlantis')", "not a country: 'Atlantis'"),
        ("language_code('Elvish?')", "not a language: 'Elvish?'"),
        ("starts_with(`5`, 'x')", "starts_with() wants string: '5'"),
        ('text(`{"en": "x"}`)', 'not a text: \'{"en": "x"}\''),
    ],
)
def test_odd_values_are_issues(expression: str, said: str, context: functions.Context) -> None:
    assert evaluate(expression, {}) in (None, [])
    assert context.issues == [said]


@pytest.mark.parametrize(
    "expression",
    ["starts_with(a, 'x')", "contains(a, 'x')", "length(a)", "join(', ', a)", "map(&b, a)"],
)
def test_nothing_of_nothing(expression: str, context: functions.Context) -> None:
    assert evaluate(expression, {}) is None
    assert context.issues == []


@pytest.mark.filterwarnings("ignore:Possible:FutureWarning")  # of odd regular expressions
@pytest.mark.parametrize("name", sorted(functions.REGISTERED))
@settings(max_examples=40, deadline=None)
@given(first=JSON, second=JSON)
def test_any_value_is_answered(name: str, first: Any, second: Any) -> None:
    function = functions.REGISTERED[name]
    context = functions.Context(
        source={"url": "https://hub.example/"}, tables={"t": {}}, folded={"t": {}}
    )
    token = functions.using(context)
    try:
        most = len(inspect.signature(function).parameters)
        for arguments in ((first, second, first), ("t", second, "x"), ("SDG", second, "")):
            function(*arguments[:most])
        json.dumps(context.issues).encode("utf-8")
    finally:
        functions.done(token)
