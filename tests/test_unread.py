"""Values that no crosswalk reads are counted in runs; a source most of which is unread is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chm_hub import unread_values
from chm_hub.document import Document
from mappings import crosswalk as crosswalks
from mappings import unread
from store import Run
from tests.running import Hub
from tests.scripted import Question, Scripted, envelope, identify, listing, record


def counted(name: str, *bodies: Any) -> unread.Tally:
    """The tally of some documents that a crosswalk maps."""
    tally = unread.Tally()
    for number, body in enumerate(bodies):
        document = Document(identifier=f"d{number}", body=body)
        tally.look(crosswalks.chosen_for(crosswalks.load(name), document, {}), document)
    return tally


def paths(tally: unread.Tally) -> dict[str, int]:
    return {one.path: one.values for one in tally.paths()}


def text(value: str, **attributes: str) -> dict[str, Any]:
    return {"value": value, "lang": "en", **{f"@{k}": v for k, v in attributes.items()}}


def test_values_are_counted_by_path_with_documents_and_an_example() -> None:
    body = {"title": [text("T")], "shelf": [text("A"), text("B")], "lang": "en"}
    tally = counted("oai_dc", {"metadata": body}, {"metadata": {"title": [text("U")]}})
    (path,) = tally.paths()
    assert path == unread.Path("metadata.shelf[].value", 2, 1, "d0")
    assert tally.counts() == {"read": 2, "ignored": 0, "unread": 2}


@pytest.mark.parametrize("value", [None, "", "   ", [], {}, [None, ""], {"value": ""}])
def test_what_is_empty_is_no_value(value: Any) -> None:
    assert paths(counted("oai_dc", {"metadata": {"shelf": value}})) == {}


@pytest.mark.parametrize("value", [0, False, 1.5, "x"])
def test_numbers_and_truth_values_are_values(value: Any) -> None:
    assert paths(counted("oai_dc", {"metadata": {"shelf": value}})) == {"metadata.shelf": 1}


def test_attributes_count_where_they_are_all_an_element_has_or_an_address() -> None:
    body = {
        "shelf": [{"@code": "x"}],
        "keeper": [text("K", role="owner", uri="https://x.example/k")],
    }
    assert paths(counted("obis", {"kind": "d", "entry": {"odd": body}})) == {
        "entry.odd.shelf[].@code": 1,
        "entry.odd.keeper[].value": 1,
        "entry.odd.keeper[].@uri": 1,
    }


def field(tag: str, *subfields: str) -> dict[str, Any]:
    parts = [{"@code": part[0], "value": part[2:]} for part in subfields]
    return {"@tag": tag, "@ind1": " ", "@ind2": " ", "subfield": parts}


def marc(*fields: dict[str, Any]) -> dict[str, Any]:
    namespace = "http://www.loc.gov/MARC21/slim"
    return {"namespace": namespace, "metadata": {"datafield": list(fields)}}


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ([field("245", "a Reeds", "b a survey")], {}),
        ([field("650", "a Fishes", "z Kenya", "x Habitat")], {}),
        ([field("773", "t Journal", "g 3(2)")], {"773[g]": 1}),
        ([field("999", "a x"), field("999", "a y", "b z")], {"999[a]": 2, "999[b]": 1}),
        ([field("856", "u https://x.example", "y Text")], {"856[y]": 1}),
    ],
)
def test_fields_of_marc_21_are_told_apart(
    fields: list[dict[str, Any]], left: dict[str, int]
) -> None:
    found = {
        path.removeprefix("metadata.datafield[").replace("].subfield[", "[").partition("].")[0]
        + "]": count
        for path, count in paths(counted("oai", marc(*fields))).items()
    }
    assert found == left


def test_fields_of_dspace_are_told_apart() -> None:
    def dim(element: str, qualifier: str | None, schema: str = "dc") -> dict[str, Any]:
        made = {"@mdschema": schema, "@element": element, "value": "v"}
        return {**made, **({"@qualifier": qualifier} if qualifier else {})}

    fields = [
        dim("title", None),
        dim("contributor", "author"),
        dim("contributor", "advisor"),
        dim("subject", "ddc"),
        dim("shelf", "mark"),
        dim("title", None, "local"),
    ]
    body = {"namespace": "http://www.dspace.org/xmlns/dspace/dim", "metadata": {"field": fields}}
    assert {path.partition("[")[2].partition("]")[0] for path in paths(counted("oai", body))} == {
        "subject.ddc",
        "shelf.mark",
        "local:title",
    }


def test_a_document_whose_keys_are_data_does_not_fill_the_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(unread, "PATHS", 50)
    tally = counted("oai_dc", {"metadata": {f"k{n}": {"a": 1, "b": 2} for n in range(500)}})
    assert sum(paths(tally).values()) == 1000
    assert len(paths(tally)) < 60


def test_of_many_documents_a_sample_is_looked_at() -> None:
    rules = crosswalks.load("oai_dc")
    document = Document(identifier="d", body={"metadata": {"shelf": [text("A")]}})
    tally = unread.Tally()
    for number in range(3000):
        tally.sample(rules, document, f"src/{number}")
    assert unread.ALL_OF + 400 < tally.documents < unread.ALL_OF + 720


def told(unread_: int, values: int, **more: Any) -> dict[str, Any]:
    one = {"path": "metadata.shelf[].value", "values": unread_, "documents": 1, "example": "s/1"}
    return {
        "documents": 1, "values": values, "unread": unread_, "crosswalk": "c",
        "paths": [one], "further_paths": 0, **more,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("unread_", "values", "too_much"), [(0, 0, False), (5, 10, False), (6, 10, True), (9, 9, True)]
)
def test_most_is_more_than_half(unread_: int, values: int, too_much: bool) -> None:
    assert unread_values.too_much(told(unread_, values)) is too_much


def test_a_run_that_mapped_nothing_takes_over_what_an_earlier_one_counted() -> None:
    def run(number: int) -> Run:
        began = datetime(2026, 1, number, tzinfo=UTC)
        return Run(identifier=f"s/{number}", source="s", kind="harvest", started=began)

    second, first, third = run(2), run(1), run(3)
    first.unread = told(9, 10)
    unread_values.note(third, None, [third, second, first])
    assert third.unread is not None
    assert third.unread["run"] == "s/1"
    assert third.warnings == {"values_unread": 9}
    assert "(counted in s/1)" in str(third.reason)
    unread_values.note(second, None, [second])
    assert (second.unread, second.reason) == (None, None)


# --- real runs ---------------------------------------------------------------------------

CMD = (
    '<metadata><CMD xmlns="urn:example:corpus"><title>Voices</title>'
    "<Corpus><Size>{n}</Size><Speaker>Ann</Speaker><Speaker>Bo</Speaker></Corpus></CMD></metadata>"
)
DC = (
    '<metadata><dc xmlns="http://www.openarchives.org/OAI/2.0/oai_dc/"><title>Reeds</title>'
    "<creator>Ann</creator><shelf>{n}</shelf></dc></metadata>"
)


@pytest.fixture
def repository() -> Iterator[Scripted]:
    def answer(question: Question) -> str:
        if question["verb"] == "Identify":
            return identify()
        if question["verb"] == "ListRecords":
            form = CMD if question["metadataPrefix"] == "cmdi" else DC
            return listing(*(record(f"r{n}", metadata=form.format(n=n)) for n in range(4)))
        return envelope('<error code="badVerb">?</error>')

    with Scripted(answer) as made:
        yield made


def source(url: str, prefix: str) -> str:
    return (
        f'title = "T"\nadapter = "oai_pmh"\nurl = "{url}/oai"\n'
        f'[options]\nmetadata_prefix = "{prefix}"\n'
    )


def test_a_source_most_of_whose_values_are_unread_is_not_complete(
    hub: Hub, repository: Scripted
) -> None:
    hub.source("cm", source(repository.url, "cmdi"))
    said = hub("harvest", "cm")
    assert "reads only" in said.err + said.out
    (run,) = hub("runs", "cm", "--json").lines
    assert (run["state"], run["new"]) == ("complete_with_warnings", 4)
    assert run["warnings"] == {"values_unread": run["unread"]["unread"]}
    assert {one["path"]: one["values"] for one in run["unread"]["paths"]} == {
        "metadata.Corpus[].Speaker[].value": 8,
        "metadata.Corpus[].Size[].value": 4,
    }
    assert run["unread"]["paths"][0]["example"].startswith("cm/")
    assert run["unread"]["values"] == 16
    assert "metadata.Corpus[].Speaker[].value (8)" in run["reason"]
    assert "write-a-crosswalk" in run["reason"]
    shown = hub("runs", "cm").out
    assert "no crosswalk reads 12 of 16 values in 4 documents" in shown
    again = hub("harvest", "cm", "--full", "--json").lines[0]
    assert (again["state"], again["unchanged"]) == ("complete_with_warnings", 4)
    assert again["unread"]["run"] == "cm/1"
    mapped = hub("map", "cm", "--json").lines[0]
    assert mapped["state"] == "complete_with_warnings"


def test_a_source_that_is_mostly_read_is_complete_and_says_what_is_not(
    hub: Hub, repository: Scripted
) -> None:
    hub.source("dc", source(repository.url, "oai_dc"))
    run = hub("harvest", "dc", "--json").lines[0]
    assert (run["state"], run["reason"], run["warnings"]) == ("complete", None, {})
    assert (run["unread"]["values"], run["unread"]["unread"]) == (12, 4)
    assert [one["path"] for one in run["unread"]["paths"]] == ["metadata.shelf[].value"]


def test_what_a_crosswalk_ignores_knowingly_is_not_unread(tmp_path: Path) -> None:
    own = 'extends = "oai_dc"\n[ignore]\npaths = ["metadata.Corpus[].S*"]\n'
    (tmp_path / "own.toml").write_text(own, "utf-8")
    body = {"metadata": {"title": [text("T")], "Corpus": [{"Size": [text("1")], "Age": 3}]}}
    tally = unread.Tally()
    tally.look(crosswalks.load("own", [tmp_path]), Document(identifier="d", body=body))
    assert tally.counts() == {"read": 1, "ignored": 1, "unread": 1}
    assert paths(tally) == {"metadata.Corpus[].Age": 1}
