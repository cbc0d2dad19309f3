"""The crosswalk engine: what it refuses to load, and what it makes of odd documents."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chm_hub.document import Document
from chm_hub.errors import CrosswalkError
from chm_hub.record import RECORD_TYPES, to_dict
from mappings import crosswalk as crosswalks
from mappings.crosswalk import Crosswalk, Issue, Outcome
from mappings.unread import unread

SOURCE = {
    "id": "src",
    "title": "A source",
    "url": "https://source.example/",
    "country": "KE",
    "countries": ["KE"],
    "languages": [],
    "rights": None,
    "options": {},
}
PROVENANCE = {
    "source": "src",
    "base_url": "https://source.example/",
    "url": "https://source.example/answer",
    "harvested": datetime(2026, 1, 1, tzinfo=UTC),
    "run": "src/1",
}

Write = Callable[..., Crosswalk]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def write(folder: Path) -> Write:
    """Write crosswalk files and load the first of them."""

    def _write(**files: str) -> Crosswalk:
        for name, text in files.items():
            (folder / f"{name}.toml").write_text(text, "utf-8")
        return crosswalks.load(next(iter(files)), [folder])

    return _write


def mapped(crosswalk: Crosswalk, body: Any, identifier: str = "1") -> Outcome:
    return crosswalks.apply(
        crosswalk, Document(identifier=identifier, body=body), SOURCE, PROVENANCE
    )


def told(outcome: Outcome) -> dict[str, Any]:
    assert outcome.record is not None
    plain = to_dict(outcome.record)
    for name in ("identifier", "source", "source_identifier", "provenance"):
        plain.pop(name)
    return plain


def issues(outcome: Outcome) -> list[str]:
    return [f"{issue.field}: {issue.message}" for issue in outcome.issues]


# --- loading -----------------------------------------------------------------------------


def test_every_fault_is_named_at_once(write: Write) -> None:
    with pytest.raises(CrosswalkError) as raised:
        write(
            bad="""
            colour = "blue"
            extends = "nobody"
            skip = "status =="
            [record]
            titel = "title"
            identifier = "id"
            title = "trimm(title)"
            description = "trim(a, b)"
            type = "lookup('nowhere', type)"
            subject = "concepts('NO-SUCH', code)"
            url = 5
            rights = "replace_all(rights, '(', '')"
            [tables.t]
            a = 1979-05-27
            [ignore]
            path = ["x"]
            """
        )
    said = str(raised.value)
    for fault in (
        "bad.toml: colour: no such key",
        "bad.toml: extends: 'nobody' cannot be used",
        "bad.toml: tables.t.a: must be a text",
        "bad.toml: ignore: holds `paths`",
    ):
        assert fault in said
    with pytest.raises(CrosswalkError) as raised:
        write(
            bad="""
            skip = "status =="
            [record]
            titel = "title"
            identifier = "id"
            title = "trimm(title)"
            description = "trim(a, b)"
            coverage = "join('x')"
            type = "lookup('nowhere', type)"
            subject = "concepts('NO-SUCH', code)"
            url = 5
            rights = "replace_all(rights, '(', '')"
            [defaults]
            type = "blogpost"
            spatial = "Kenya"
            nothing = "x"
            """
        )
    lines = str(raised.value).splitlines()
    for start in (
        "bad.toml: skip: not a JMESPath expression",
        "bad.toml: record.titel: no such record field",
        "bad.toml: record.identifier: the hub fills it in itself",
        "bad.toml: record.title: no function trimm()",
        "bad.toml: record.description: trim() takes 1 arguments, not 2",
        "bad.toml: record.coverage: join() takes 2 arguments, not 1",
        "bad.toml: record.type: lookup: no table 'nowhere'",
        "bad.toml: record.subject: concepts: no vocabulary 'NO-SUCH'",
        "bad.toml: record.url: must be an expression in quotes",
        "bad.toml: record.rights: replace_all: not a regular expression",
        "bad.toml: defaults.type: no such record type: 'blogpost'",
        "bad.toml: defaults.spatial: not a country code: 'Kenya'",
        "bad.toml: defaults.nothing: no such record field",
    ):
        assert any(line.startswith(start) for line in lines), (start, lines)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[record", "not valid TOML"),
        ("", "there is nothing to map"),
        ("choose = 'a'", "belong together"),
        ("[choices]\na = 'oai_dc'", "belong together"),
        ("choose = 'a'\n[choices]\na = 'nobody'", "choices.a: no crosswalk 'nobody'"),
        ("choose = 'a'\n[choices]\na = 5", "choices.a: no crosswalk 5"),
        ("choose = 'a'\n[choices]\na = 'x'", "circle"),
        ("choose = 'a'\n[choices]\na = 'oai_dc'\n[record]\ntitle = 't'", "beside [choices]"),
        ("extends = 'x'\n[record]\ntitle = 'a'", "circle"),
        ("extends = 5\n[record]\ntitle = 'a'", "5 cannot be used"),
        ("extends = '../x'\n[record]\ntitle = 'a'", "no such crosswalk"),
        ("record = 5", "record: must be a table"),
        ("defaults = 5\n[record]\ntitle = 'a'", "defaults: must be a table"),
        ("tables = []\n[record]\ntitle = 'a'", "tables: must be a table"),
        ("[record]\ntitle = 'a'\n[tables]\nt = 5", "tables.t: must be a table"),
        ("[record]\ntitle = 'a'\n[ignore]\npaths = 'x'", "ignore: holds `paths`"),
        ("description = 5\n[record]\ntitle = 'a'", "description: must be a text"),
        ("[record]\ntitle = 'a'\n[defaults]\ntitle = ''", "defaults.title: says nothing"),
    ],
)
def test_files_that_are_refused(write: Write, text: str, said: str) -> None:
    with pytest.raises(CrosswalkError, match=re.escape(said)):
        write(x=text)


def test_no_crosswalk_is_reached_by_a_path() -> None:
    for name in ("../crosswalks/oai_dc", "/etc/x", "", ".", "scbd/../oai_dc"):
        with pytest.raises(CrosswalkError, match="no such crosswalk"):
            crosswalks.load(name)


def test_a_fault_is_named_where_it_stands(write: Write) -> None:
    with pytest.raises(CrosswalkError) as raised:
        write(
            child="extends = 'parent'\n[record]\nurl = 'u('",
            parent="[record]\ntitel = 'a'\nurl = 'v('",
        )
    said = str(raised.value)
    assert "parent.toml: record.titel" in said
    assert "child.toml: record.url" in said
    assert "parent.toml: record.url" not in said


def test_extends_overrides_in_depth(write: Write) -> None:
    made = write(
        child="""
        extends = "parent"
        [record]
        title = "name"
        [tables.types]
        b = "event"
        [defaults]
        status = "here"
        [ignore]
        paths = ["own"]
        """,
        parent="""
        skip = "gone"
        [record]
        title = "title"
        type = "lookup('types', type)"
        [tables.types]
        a = "news"
        b = "news"
        [defaults]
        type = "other"
        [ignore]
        paths = ["inherited"]
        """,
    )
    assert told(mapped(made, {"name": "N", "title": "T", "type": "a"})) == {
        "type": "news",
        "title": [{"value": "N"}],
        "spatial": ["KE"],
        "status": "here",
    }
    assert told(mapped(made, {"name": "N", "type": "b"}))["type"] == "event"
    assert told(mapped(made, {"name": "N"}))["type"] == "other"
    assert mapped(made, {"gone": True}).skipped == "skip"
    assert unread(made, Document(identifier="1", body={"own": 1, "inherited": 1})) == []


def test_the_digest_follows_the_files(write: Write) -> None:
    first = write(a="extends = 'b'\n[record]\ntitle = 't'", b="[record]\nurl = 'u'")
    again = write(a="extends = 'b'\n[record]\ntitle = 't'", b="[record]\nurl = 'u'")
    other = write(a="extends = 'b'\n[record]\ntitle = 't'", b="[record]\nurl = 'w'")
    assert first is again
    assert re.fullmatch("[0-9a-f]{16}", first.digest)
    assert first.digest != other.digest


def test_all_crosswalks_load() -> None:
    crosswalks.check_all()
    assert {"oai_dc", "feed", "eml"} <= set(crosswalks.names())


def test_own_folders_come_first(folder: Path, write: Write) -> None:
    write(oai_dc="[record]\ntitle = 'mine'\n[defaults]\ntype = 'news'")
    made = crosswalks.load("oai_dc", [folder])
    assert made.expressions == {"title": "mine"}
    assert "scbd/nbsap" in crosswalks.names([folder])


# --- applying ----------------------------------------------------------------------------


def plain(field: str, expression: str = "x", more: str = "") -> str:
    quoted = json.dumps(expression)
    return f"[record]\n{field} = {quoted}\n{more}\n[defaults]\ntype = 'other'"


@pytest.mark.parametrize(
    ("field", "value", "made", "said"),
    [
        ("title", "T", [{"value": "T"}], []),
        ("title", "  T ", [{"value": "T"}], []),
        ("title", ["T", "", " ", None, "T", ["U"]], [{"value": "T"}, {"value": "U"}], []),
        ("title", {"value": "T", "lang": "en_US"}, [{"value": "T", "lang": "en-US"}], []),
        ("title", {"value": "T", "lang": "und"}, [{"value": "T"}], []),
        ("title", {"value": "T", "@type": "alt"}, [{"value": "T"}], []),
        (
            "title",
            {"value": "T", "lang": "not a tag"},
            [{"value": "T"}],
            ["title: not a language tag: 'not a tag'"],
        ),
        ("title", 2024, [{"value": "2024"}], []),
        ("title", True, None, ["title: not a text: 'true'", "title: none"]),
        ("title", {"en": "T"}, None, ['title: not a text: \'{"en": "T"}\'', "title: none"]),
        ("title", "a\x00b\ud800", [{"value": "ab"}], ["title: illegal characters removed"]),
        ("title", "\t", None, ["title: none"]),
        ("creator", ["A", {"name": "B", "uri": ""}, {"name": " "}], ["A", "B"], []),
        ("subject", ["a", {"label": "b", "code": 5}], [("a", None), ("b", "5")], []),
        ("url", "https://x.example/", "https://x.example/", []),
        ("url", ["", "https://x.example/"], "https://x.example/", []),
        ("url", "x", None, ["url: not a web address: 'x'"]),
        ("url", "javascript:x()", None, ["url: not a web address: 'javascript:x()'"]),
        ("spatial", ["KE", "Kenya", "KE"], ["KE"], ["spatial: not a country code: 'Kenya'"]),
        ("issued", "2024-05", "2024-05", []),
        ("issued", "May", None, ["issued: not a date: 'May'"]),
        ("status", 5, "5", []),
        ("relation", [5, "a"], ["5", "a"], []),
        ("treaty", "abs", None, ["treaty: no such treaty: 'abs'"]),
        ("bbox", [1, 2, 3, 4], (1, 2, 3, 4), []),
        ("bbox", [None, None, None, None], None, []),
        ("bbox", [1, 2, None, 4], None, ["bbox: not a bounding box: '[1, 2, null, 4]'"]),
        ("bbox", [1, 20, 3, 4], None, ["bbox: not a bounding box: '[1, 20, 3, 4]'"]),
        ("bbox", [1, 2, 3, 400], None, ["bbox: not a bounding box: '[1, 2, 3, 400]'"]),
        (
            "bbox",
            [1, 2, float("nan"), 4],
            None,
            ["bbox: not a bounding box: '[1, 2, NaN, 4]'"],
        ),
        ("distribution", "https://x.example/a", ["https://x.example/a"], []),
        (
            "distribution",
            [{"url": "https://x.example/a", "language": "??"}, {"url": "nowhere"}],
            ["https://x.example/a"],
            [
                "distribution: language: not a language tag: '??'",
                "distribution: url: not a file or page: 'nowhere'",
            ],
        ),
        (
            "distribution",
            {"url": "https://x.example/a", "byte_size": 2**63},
            ["https://x.example/a"],
            ["distribution: not a size: '9223372036854775808'"],
        ),
        (
            "temporal",
            {"start": "2020", "end": "soon"},
            {"start": "2020"},
            ["temporal: end: not a period: 'soon'"],
        ),
    ],
)
def test_values(write: Write, field: str, value: Any, made: Any, said: list[str]) -> None:
    outcome = mapped(write(x=plain(field)), {"x": value})
    got = told(outcome).get(field)
    if field == "creator":
        got = [agent["name"] for agent in got]
    elif field == "subject":
        got = [(concept["label"], concept.get("code")) for concept in got]
    elif field == "distribution":
        got = [file["url"] for file in got]
    assert got == made
    assert [line for line in issues(outcome) if field == "title" or line != "title: none"] == said


def test_a_key_no_record_has_is_dropped_alone(write: Write) -> None:
    outcome = mapped(
        write(x=plain("distribution", "[{url: u, colour: c}]")),
        {"u": "https://x.example/a", "c": "blue"},
    )
    assert told(outcome)["distribution"] == [{"url": "https://x.example/a"}]
    assert issues(outcome)[0] == "distribution: has no 'colour'"


def test_what_is_odd_costs_itself_alone(write: Write) -> None:
    made = write(
        x="""
        [record]
        title = "title"
        url = "links[?starts_with(@, 'http')] | [0]"
        description = "sum(numbers)"
        [defaults]
        type = "other"
        """
    )
    outcome = mapped(
        made,
        {"title": "T", "links": [5, None, "https://x.example/"], "numbers": ["a"]},
    )
    assert told(outcome) == {
        "type": "other",
        "title": [{"value": "T"}],
        "url": "https://x.example/",
        "spatial": ["KE"],
    }
    assert issues(outcome) == [
        "url: starts_with() wants string: '5'",
        "description: sum() wants array-number: 'a'",
    ]


def test_a_default_stands_in_for_a_bad_value(write: Write) -> None:
    outcome = mapped(write(x=plain("type")), {"x": "blogpost"})
    assert told(outcome)["type"] == "other"
    assert issues(outcome) == ["type: no such record type: 'blogpost'", "title: none"]


def test_no_record_without_a_type(write: Write) -> None:
    made = write(x="[record]\ntitle = 'title'\ntype = 'type'")
    for body in ({"title": "T"}, {"title": "T", "type": "blogpost"}):
        outcome = mapped(made, body)
        assert outcome.record is None
        assert outcome.rejected == "no record can be made: type"


@pytest.mark.parametrize("body", [None, [], "x", 5])
def test_no_record_of_what_is_no_object(write: Write, body: Any) -> None:
    assert mapped(write(x=plain("title")), body).rejected == "not an object"


def test_no_record_without_an_identifier(write: Write) -> None:
    outcome = mapped(write(x=plain("title")), {"x": "T"}, identifier=" ")
    assert outcome.record is None
    assert outcome.rejected is not None


def test_odd_identifiers_keep_apart(write: Write) -> None:
    made = write(x=plain("title"))
    ids = [mapped(made, {"x": "T"}, identifier=i).record for i in ("a\ud800", "a\x00", "A", "a")]
    assert len({record.identifier for record in ids if record}) == 4


@pytest.mark.parametrize(
    ("value", "skipped"),
    [
        (True, "skip"),
        ("a draft", "a draft"),
        ("a\ndraft\x00" + "x" * 100, "a draft" + "x" * 72 + "…"),
        (False, None),
        (None, None),
        ("", None),
        ([], None),
    ],
)
def test_skip(write: Write, value: Any, skipped: str | None) -> None:
    made = write(x="skip = 's'\n" + plain("title"))
    outcome = mapped(made, {"x": "T", "s": value})
    assert outcome.skipped == skipped
    assert (outcome.record is None) == (skipped is not None)


def test_deleted(write: Write) -> None:
    made = write(x="deleted = \"state == 'gone'\"\n" + plain("title"))
    assert mapped(made, {"x": "T", "state": "gone"}).deleted
    assert not mapped(made, {"x": "T"}).deleted


def test_choose(write: Write) -> None:
    made = write(
        x="skip = 'draft'\nchoose = 'kind'\n[choices]\na = 'one'\n5 = 'two'",
        one=plain("title"),
        two=plain("url"),
    )
    outcome = mapped(made, {"kind": "a", "x": "T"})
    assert (outcome.crosswalk, told(outcome)["title"]) == ("one", [{"value": "T"}])
    assert outcome.record is not None
    assert outcome.record.provenance.crosswalk == "one"
    assert outcome.record.provenance.crosswalk_digest == made.choices["a"].digest
    assert mapped(made, {"kind": 5, "x": "https://x.example/"}).crosswalk == "two"
    assert mapped(made, {"kind": "a", "draft": True}).skipped == "skip"
    for kind in ("b", None, ["a"], {"a": 1}):
        assert str(mapped(made, {"kind": kind}).rejected).startswith("no crosswalk for ")
    open_to_all = write(x="choose = 'kind'\n[choices]\n'*' = 'one'", one=plain("title"))
    assert mapped(open_to_all, {"x": "T"}).crosswalk == "one"


def test_documents_see_the_source(write: Write) -> None:
    made = write(x=plain("spatial", "[source.country]"))
    assert told(mapped(made, {"source": "shadowed"}))["spatial"] == ["KE"]
    assert told(mapped(made, {}))["spatial"] == ["KE"]
    assert made.reads == frozenset()


def test_hub_fills_in_who_and_whence(write: Write) -> None:
    record = mapped(write(x=plain("title")), {"x": "T"}, identifier="oai:a:1").record
    assert record is not None
    assert (record.source, record.source_identifier) == ("src", "oai:a:1")
    assert record.identifier.startswith("src/")
    assert record.provenance.run == "src/1"


def test_lists_of_thousands_are_read_at_once(write: Write) -> None:
    made = write(x=plain("subject"))
    outcome = mapped(made, {"x": [f"word {n % 15_000}" for n in range(30_000)]})
    assert len(told(outcome)["subject"]) == 15_000


def test_deep_documents(write: Write) -> None:
    deep: Any = "T"
    for _ in range(600):
        deep = [deep]
    assert told(mapped(write(x=plain("title")), {"x": deep}))["title"] == [{"value": "T"}]


# --- looking into ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "reads"),
    [
        ("title", {"title"}),
        ("a.b.c", {"a.b.c"}),
        ("a[0].b", {"a[].b"}),
        ("a[].b", {"a.b"}),
        ("a[*].b", {"a[].b"}),
        ("a[?k=='x'].v", {"a[].k", "a[].v"}),
        ("a || b.c", {"a", "b.c"}),
        ("(a || b).c", {"a.c", "b.c"}),
        ("[a, b.c]", {"a", "b.c"}),
        ("{x: a, y: b}", {"a", "b"}),
        ("trim(a)", {"a"}),
        ("a | trim(b)", {"a.b"}),
        ("map(&x, a)", {"a"}),
        ("source.url", set()),
        ("'words'", set()),
    ],
)
def test_reads(write: Write, expression: str, reads: set[str]) -> None:
    made = write(x=plain("title", expression))
    assert {path.replace("[]", "") for path in made.reads} == {p.replace("[]", "") for p in reads}


def test_explain_and_unread(write: Write) -> None:
    made = write(
        x="""
        [record]
        title = "name.en"
        description = "absent"
        type = "kind"
        [defaults]
        type = "other"
        [ignore]
        paths = ["admin.*", "tags[].id"]
        """
    )
    body = {
        "name": {"en": "N", "fr": "M"},
        "admin": {"by": "x", "deep": {"er": 1}},
        "tags": [{"id": 1, "label": "forest"}, {"id": 2}],
        "empty": None,
    }
    document = Document(identifier="1", body=body)
    lines = {line.field: line for line in crosswalks.explain(made, document, SOURCE)}
    assert set(lines) == {"title", "type", "spatial"}
    assert lines["spatial"].expression == "source.countries"
    assert lines["title"].value == [{"value": "N"}]
    assert lines["title"].expression == "name.en"
    assert lines["title"].reads == frozenset({"name.en"})
    assert lines["type"].value == "other"
    assert unread(made, document) == ["name.fr", "tags[].label"]


# --- everything, with anything -----------------------------------------------------------

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats()
    | st.text(max_size=12)
    | st.text(st.characters(codec=None, categories=["Cs", "Cc", "Lo"]), max_size=6)
    | st.sampled_from(["http://[", "2024-99-99", "<p>&", "{", "und", "KE", "/x", "a@1"])
)


def odd_bodies(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects that have the keys a crosswalk reads, with anything in them."""
    rules = crosswalks.load(name)
    words = sorted({part for path in rules.reads for part in path.replace("[]", "").split(".")})
    keys = st.sampled_from([*words, "value", "lang"]) if words else st.just("value")
    body = st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=4),
        max_leaves=12,
    )
    return st.dictionaries(keys, body, min_size=1, max_size=6)


@pytest.mark.parametrize("name", crosswalks.names())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_no_document_breaks_a_crosswalk(name: str, data: st.DataObject) -> None:
    rules = crosswalks.load(name)
    body = data.draw(odd_bodies(name))
    document = Document(identifier=data.draw(st.text(min_size=1, max_size=8)), body=body)
    outcome = crosswalks.apply(rules, document, SOURCE, PROVENANCE)
    endings = [outcome.record, outcome.skipped, outcome.rejected, outcome.deleted or None]
    assert sum(ending is not None for ending in endings) == 1
    if outcome.record is not None:
        assert outcome.record.type in RECORD_TYPES
        # What is kept can be written down: legal characters, finite numbers.
        text = json.dumps(to_dict(outcome.record), default=str, allow_nan=False, ensure_ascii=False)
        text.encode("utf-8")
    for issue in outcome.issues:
        assert isinstance(issue, Issue)
        assert len(issue.message) < 300
        issue.message.encode("utf-8")
    crosswalks.explain(rules, document, SOURCE)
    unread(rules, document)
