"""An identifier that comes twice in a walk: the newer version counts, in any order, and our own
datestamps stay where nothing changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import permutations

import pytest

from chm_hub.document import Document
from chm_hub.settings import Settings
from chm_hub.versions import Versions, superseded
from store import open_store
from tests.repository import harvest
from tests.running import Hub
from tests.scripted import Question, Scripted, envelope, identify, listing, record

OLD, NEW = "2024-05-01T00:00:00Z", "2024-05-02T00:00:00Z"


def pages(*contents: Sequence[str]) -> Callable[[Question], str]:
    """A repository with one list, in these pages."""

    def answer(q: Question) -> str:
        if q["verb"] == "Identify":
            return identify()
        number = int(q["resumptionToken"] or 0)
        last = number + 1 >= len(contents)
        return listing(*contents[number], token="" if last else str(number + 1))

    return answer


@pytest.fixture
def server(hub: Hub) -> Iterator[Scripted]:
    with Scripted(pages([])) as made:
        hub.source("src", made.source())
        yield made


def state(hub: Hub) -> dict[str, tuple[str, str]]:
    """Title (or that it is deleted) and datestamp of each record."""
    return {
        r["source_identifier"].removeprefix("oai:x:"): (
            "deleted" if r["deleted"] else r["title"][0]["value"],
            r["datestamp"],
        )
        for r in hub.records("--with-deleted").values()
    }


CASES = {
    "two contents": ([record("a", "New", NEW), record("a", "Old", OLD)], "New"),
    "published, deleted before": ([record("a", "Live", NEW), record("a", stamp=OLD)], "Live"),
    "deleted, published before": ([record("a", "Live", OLD), record("a", stamp=NEW)], "deleted"),
    "deleted and published on one day": (
        [record("a", "Live", "2024-05-01"), record("a", stamp="2024-05-01")],
        "Live",
    ),
    "one without a date": ([record("a", "New", NEW), record("a", "Undated", "")], "New"),
    "three": (
        [record("a", "New", NEW), record("a", "Old", OLD), record("a", stamp="2023-01-01")],
        "New",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("apart", [False, True], ids=["one page", "pages"])
def test_the_newer_version_counts_in_any_order_and_moves_nothing(
    hub: Hub, server: Scripted, case: str, apart: bool
) -> None:
    versions, wanted = CASES[case]
    others = [record(name, name) for name in "xyz"]
    first = None
    for order in [*permutations(versions), tuple(versions)][:3]:
        # Each page has a name of its own, or the harvester takes it for one that came before.
        apart_ = [[one, record(f"p{n}", "P")] for n, one in enumerate(order)]
        content = apart_ if apart else [[*order, *others]]
        server.answer = pages(*content)
        run = harvest(hub, "--full")
        assert run["warnings"]["two_versions"] >= 1
        first = first or state(hub)
        assert state(hub) == first
        assert first["a"][0] == wanted
    assert hub("ledger", "src").code == 0


def test_of_two_with_one_datestamp_the_one_that_is_had_stays(hub: Hub, server: Scripted) -> None:
    one, other = record("a", "One", NEW), record("a", "Other", NEW)
    server.answer = pages([one], [other])
    harvest(hub)
    first = state(hub)
    for order in ([[other], [one]], [[one, other]], [[other, one]]):
        server.answer = pages(*order)
        harvest(hub, "--full")
        assert state(hub) == first


def test_a_source_that_goes_back_to_an_older_version_is_followed(
    hub: Hub, server: Scripted
) -> None:
    server.answer = pages([record("a", "New", NEW), record("b", "B"), record("c", stamp=NEW)])
    harvest(hub)
    server.answer = pages([record("a", "Restored", OLD)], [record("b", "B"), record("c", "C", OLD)])
    run = harvest(hub, "--full")
    assert (run["changed"], run["unchanged"], run["warnings"]) == (2, 1, {})
    assert {name: title for name, (title, _) in state(hub).items()} == {
        "a": "Restored",
        "b": "B",
        "c": "C",
    }


def test_a_walk_that_is_cut_off_says_nothing_of_what_is_behind_it(
    hub: Hub, server: Scripted
) -> None:
    server.answer = pages([record("a", "New", NEW), record("b", "B", NEW)])
    harvest(hub)
    before = state(hub)
    whole = pages([record("a", "Old", OLD), record("b", "Mended", NEW)], [record("a", "New", NEW)])

    def broken(q: Question) -> str:
        return "gone" if q["resumptionToken"] else whole(q)

    server.answer = broken
    run = harvest(hub, "--full")
    assert (run["state"], run["warnings"]) == ("partial", {"older_version_kept_out": 1})
    assert state(hub)["a"] == before["a"]
    assert state(hub)["b"][0] == "Mended", "one of the same day is not older"
    server.answer = whole
    run = harvest(hub)
    assert (run["state"], run["warnings"]) == ("complete_with_warnings", {"two_versions": 1})
    assert state(hub)["a"] == before["a"]


def test_an_older_version_in_the_rest_of_a_walk_does_not_count(hub: Hub, server: Scripted) -> None:
    """The first run is cut off, the second goes on at its checkpoint."""
    content = [[record("a", "New", NEW), record("d", stamp=NEW)], [record("b", "B")]]
    rest = [record("a", "Old", OLD), record("d", "Was", OLD), record("c", "C")]
    whole = pages(*content, rest)

    def broken(q: Question) -> str:
        return "gone" if q["resumptionToken"] == "2" else whole(q)

    server.answer = broken
    assert harvest(hub)["state"] == "partial"
    first = state(hub)
    server.answer = whole
    run = harvest(hub)
    assert [q["resumptionToken"] for q in server.asked][-1] == "2"
    assert (run["unchanged"], run["new"], run["warnings"]) == (2, 1, {"two_versions": 2})
    after = state(hub)
    assert {name: after[name] for name in first} == first
    assert after["d"][0] == "deleted"


def test_what_a_killed_run_found_gone_the_next_one_deletes(
    hub: Hub, settings: Settings, server: Scripted
) -> None:
    server.answer = pages([record(name, name) for name in "abc"])
    harvest(hub)
    whole = pages([record("a", stamp=NEW), record("b", "b")], [record("c", "c")])

    def broken(q: Question) -> str:
        return "gone" if q["resumptionToken"] == "1" else whole(q)

    server.answer = broken
    harvest(hub, "--full")
    # As a kill leaves it: the page is kept and noted, what was to be deleted at the end is not.
    with open_store(settings) as store:
        cursor = store.runs.cursor("src")
        row = store.records.get(
            next(
                n
                for n, r in hub.records("--with-deleted").items()
                if r["source_identifier"].endswith("a")
            )
        )
        assert row is not None
        assert row.deleted
        assert cursor["checkpoint"]["first"] == "src/2"
        store.database["records"].update_one({"_id": row.identifier}, {"$set": {"deleted": False}})
    server.answer = whole
    run = harvest(hub)
    assert (run["deleted"], run["absent"], run["unchanged"]) == (1, 1, 1)
    assert state(hub)["a"][0] == "deleted"


def test_a_tombstone_seen_again_is_unchanged(hub: Hub, server: Scripted) -> None:
    content = [record("a", "A"), *(record(f"gone{n}", stamp=OLD) for n in range(3))]
    server.answer = pages(content)
    first = harvest(hub)
    assert (first["new"], first["deleted"]) == (1, 3)
    before = state(hub)
    again = harvest(hub, "--full")
    assert (again["unchanged"], again["deleted"], again["state"]) == (4, 0, "complete")
    assert state(hub) == before
    (line,) = [line for line in hub("runs", "src", "--json").lines if line["run"] == "src/2"]
    assert not line["warnings"], "no jump in what the source has"


def test_a_map_takes_the_version_that_counts(hub: Hub, server: Scripted) -> None:
    server.answer = pages(
        [record("a", "New", NEW), record("b", "One", OLD), record("c", "Live", NEW)],
        [record("a", "Old", OLD), record("b", "Other", OLD), record("c", stamp=OLD)],
    )
    harvest(hub)
    before = state(hub)
    hub.source("src", server.source(system="other"))
    assert hub("map", "src").code == 0
    assert all("system:other" in r["sets"] for r in hub.records().values())
    assert {n: t for n, (t, _) in state(hub).items()} == {n: t for n, (t, _) in before.items()}


# --- the decision alone --------------------------------------------------------------------


class Had:
    """What the store has."""

    def __init__(self, document: str, stamp: str | None, *, deleted: bool = False) -> None:
        self.document, self.stamp, self.deleted = document, stamp, deleted


def document(stamp: str | None, *, deleted: bool = False, listed: str | None = None) -> Document:
    return Document(identifier="a", datestamp=stamp, deleted=deleted, listed=listed)


def verdicts(stored: Had | None, *given: tuple[Document, str]) -> list[str]:
    versions = Versions()
    return [
        versions.judge("a", one, digest, stored, ("p", place)).verdict
        for place, (one, digest) in enumerate(given)
    ]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        # One list: the newer one.
        ([(None, OLD, 0), (None, NEW, 1)], ["take", "take"]),
        ([(None, NEW, 0), (None, OLD, 1)], ["take", "older"]),
        ([(None, OLD, 1), (None, OLD, 0)], ["take", "take"]),
        ([(None, OLD, 0), (None, OLD, 1)], ["take", "older"]),
        # Several: live in one is live.
        ([("a", OLD, 0), ("b", NEW, 1)], ["take", "older"]),
        ([("a", NEW, 1), ("b", OLD, 0)], ["take", "take"]),
        ([("a", OLD, 1), ("b", NEW, 1)], ["take", "take"]),
        ([("a", OLD, 0), ("a", NEW, 1), ("b", OLD, 1)], ["take", "take", "older"]),
        ([("a", NEW, 1), ("b", OLD, 1), ("c", OLD, 0)], ["take", "older", "take"]),
        # Dates of other kinds.
        (
            [(None, "2024-05-02", 0), (None, "Wed, 01 May 2024 10:00:00 +0000", 0)],
            ["take", "older"],
        ),
        ([(None, "2024-05-01T23:00:00-02:00", 0), (None, "2024-05-02", 0)], ["take", "older"]),
        ([(None, "rubbish", 0), (None, OLD, 0)], ["take", "take"]),
        ([(None, "1954-01-01", 0), (None, None, 0)], ["take", "older"]),
    ],
)
def test_which_version_counts(given: list[tuple[str | None, str, int]], wanted: list[str]) -> None:
    made = [
        (document(stamp, deleted=bool(deleted), listed=listed), str(n))
        for n, (listed, stamp, deleted) in enumerate(given)
    ]
    assert verdicts(None, *made) == wanted


def test_a_version_that_is_not_newer_than_ours_waits() -> None:
    had = Had("ours", NEW)
    ours, older, as_new = (document(NEW), "ours"), (document(OLD), "o"), (document(NEW), "n")
    assert verdicts(had, older) == ["late"]
    assert verdicts(had, older, as_new) == ["late", "late"]
    assert verdicts(had, older, ours) == ["late", "take"]
    assert verdicts(had, ours, as_new) == ["take", "older"]
    assert verdicts(had, (document("2025-01-01"), "later")) == ["take"]
    assert verdicts(Had("t", NEW, deleted=True), older) == ["late"]
    assert verdicts(Had("t", NEW, deleted=True), as_new) == ["take"]
    assert verdicts(had, (document(None), "undated"), ours) == ["late", "take"]
    # Without dates there is nothing to wait for.
    assert verdicts(Had("ours", None), (document(None), "x")) == ["take"]


def test_places_that_do_not_count() -> None:
    first = [("a", document(NEW), "new", None), ("b", document(OLD), "x", None)]
    second = [("a", document(OLD), "old", None), ("b", document(NEW), "y", None)]
    assert superseded([("1", first), ("2", second)]) == {("2", 0), ("1", 1)}


def test_an_envelope_without_records_is_no_match() -> None:
    assert "noRecordsMatch" in listing()
    assert "responseDate" in envelope("")
