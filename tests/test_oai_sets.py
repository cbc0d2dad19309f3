"""Several sets of one repository in one source: what is gone is gone from all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from tests.repository import harvest, live
from tests.running import Hub
from tests.scripted import Answer, Question, Scripted, envelope, identify, listing, record

T0, T1, T2 = "2024-05-01T00:00:00Z", "2025-07-01T00:00:00Z", "2025-08-01T00:00:00Z"


@dataclass
class Sets:
    """A repository whose records enter and leave sets; it keeps deleted headers of each set."""

    sets: dict[str, dict[str, str]] = field(default_factory=dict)
    """By set: ``name`` → ``datestamp``; a datestamp that begins with ``-`` is of a deletion."""
    titles: dict[str, str] = field(default_factory=dict)
    in_headers: bool = False
    page: int = 100
    refuses: set[str] = field(default_factory=set)
    """Records that GetRecord fails for."""
    broken: str = ""
    """A set whose list fails."""
    how: Answer | str = Answer("down", 404)
    """What it answers with."""
    from_page: int = 0
    """The page from which on it fails."""

    def __call__(self, q: Question) -> str | Answer:
        match q["verb"]:
            case "Identify":
                return identify()
            case "ListSets":
                specs = "".join(f"<set><setSpec>{s}</setSpec></set>" for s in self.sets)
                return envelope(f"<ListSets>{specs}</ListSets>")
            case "GetRecord":
                return self.get(q["identifier"].removeprefix("oai:x:"))
            case "ListRecords":
                return self.list(q)
        return envelope('<error code="badVerb"/>')

    def get(self, name: str) -> str | Answer:
        if name in self.refuses:
            return Answer("no", 500)
        stamps = [held[name] for held in self.sets.values() if name in held]
        alive = [stamp for stamp in stamps if not stamp.startswith("-")]
        if not stamps:
            return envelope('<error code="idDoesNotExist"/>')
        one = self.record(name, alive[0] if alive else stamps[0])
        return envelope(f"<GetRecord>{one}</GetRecord>")

    def record(self, name: str, stamp: str) -> str:
        alive = not stamp.startswith("-")
        specs = [s for s, held in self.sets.items() if not held.get(name, "-").startswith("-")]
        title = self.titles.get(name, name) if alive else None
        return record(name, title, stamp.lstrip("-"), sets=specs if self.in_headers else ())

    def list(self, q: Question) -> str | Answer:
        spec, since, place = q["set"], q["from"], 0
        if token := q["resumptionToken"]:
            spec, since, number = token.split("|")
            place = int(number)
        if spec == self.broken and place >= self.from_page * self.page:
            return self.how
        held = self.sets[spec]
        found = [(n, s) for n, s in sorted(held.items()) if s.lstrip("-") >= since]
        some = found[place : place + self.page]
        after = place + self.page
        more = f"{spec}|{since}|{after}" if after < len(found) else ""
        return listing(*(self.record(n, s) for n, s in some), token=more)


@pytest.fixture
def repository(hub: Hub) -> Iterator[tuple[Sets, Scripted]]:
    sets = Sets({"a": {"moved": T0, "k": T0}, "b": {"other": T0}, "c": {"else": T0}})
    with Scripted(sets) as server:
        yield sets, server


ORDERS = ['["a", "b"]', '["b", "a"]', '["*"]']


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("whole", [False, True], ids=["incremental", "whole"])
@pytest.mark.parametrize("newer", [False, True], ids=["same date", "left later"])
def test_a_record_that_moves_to_another_set_stays(
    hub: Hub, repository: tuple[Sets, Scripted], order: str, whole: bool, newer: bool
) -> None:
    sets, server = repository
    hub.source("src", server.source(f"sets = {order}"))
    harvest(hub)
    sets.sets["a"]["moved"] = f"-{T2 if newer else T1}"
    sets.sets["b"]["moved"] = T1
    sets.titles["moved"] = "Moved"
    for run in range(3):
        said = harvest(hub, *(["--full"] if whole else []))
        assert (said["deleted"], said["changed"]) == (0, 0 if run else 1)
        assert "moved" in live(hub)
    assert any(r["title"][0]["value"] == "Moved" for r in hub.records().values())


@pytest.mark.parametrize("order", ORDERS)
def test_a_record_that_is_in_another_set_unchanged_is_asked_for_by_name(
    hub: Hub, repository: tuple[Sets, Scripted], order: str
) -> None:
    sets, server = repository
    sets.sets["b"]["moved"] = T0
    hub.source("src", server.source(f"sets = {order}"))
    harvest(hub)
    before = hub.records()
    sets.sets["a"]["moved"] = f"-{T1}"
    run = harvest(hub)
    assert (run["deleted"], run["full"]) == (0, False)
    assert [q["identifier"] for q in server.asked if q["verb"] == "GetRecord"] == ["oai:x:moved"]
    assert hub.records() == before
    assert harvest(hub, "--full")["deleted"] == 0


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("whole", [False, True], ids=["incremental", "whole"])
def test_a_record_that_has_left_every_set_is_gone(
    hub: Hub, repository: tuple[Sets, Scripted], order: str, whole: bool
) -> None:
    sets, server = repository
    sets.sets["b"]["moved"] = T0
    hub.source("src", server.source(f"sets = {order}"))
    harvest(hub)
    sets.sets["a"]["moved"] = sets.sets["b"]["moved"] = f"-{T1}"
    run = harvest(hub, *(["--full"] if whole else []))
    assert run["deleted"] == 1
    assert "moved" not in live(hub)


@pytest.mark.parametrize("in_headers", [False, True])
def test_a_record_that_moved_out_of_the_sets_we_have_is_gone(
    hub: Hub, repository: tuple[Sets, Scripted], in_headers: bool
) -> None:
    sets, server = repository
    sets.in_headers = in_headers
    hub.source("src", server.source('sets = ["a", "b"]'))
    harvest(hub)
    sets.sets["a"]["moved"] = f"-{T1}"
    sets.sets["c"]["moved"] = T1
    harvest(hub)
    # Without setSpecs a record that its repository has is not known to be in another set.
    assert ("moved" in live(hub)) is not in_headers
    harvest(hub, "--full")
    assert "moved" not in live(hub)


def test_one_set_says_all_there_is_to_say(hub: Hub, repository: tuple[Sets, Scripted]) -> None:
    sets, server = repository
    hub.source("src", server.source('set = "a"'))
    harvest(hub)
    sets.sets["a"]["moved"] = f"-{T1}"
    sets.sets["b"]["moved"] = T1
    assert harvest(hub)["deleted"] == 1
    assert "GetRecord" not in {q["verb"] for q in server.asked}


def test_of_what_the_repository_does_not_tell_the_record_stays(
    hub: Hub, repository: tuple[Sets, Scripted]
) -> None:
    sets, server = repository
    hub.source("src", server.source('sets = ["a", "b"]\ntries = 1'))
    harvest(hub)
    sets.sets["a"]["moved"] = f"-{T1}"
    sets.refuses = {"moved"}
    run = harvest(hub)
    assert (run["deleted"], run["warnings"]) == (0, {"deletion_not_confirmed": 1})
    assert "moved" in live(hub)
    assert harvest(hub, "--full")["deleted"] == 1, "a whole walk shows that no set has it"


@pytest.mark.parametrize("whole", [False, True], ids=["incremental", "whole"])
def test_a_walk_that_stops_between_two_sets_goes_on_with_what_it_knew(
    hub: Hub, repository: tuple[Sets, Scripted], whole: bool
) -> None:
    sets, server = repository
    sets.page = 1
    sets.sets["b"] |= {"both": T0}
    sets.sets["a"] |= {"both": T0, "z": T0}
    hub.source("src", server.source('sets = ["a", "b"]'))
    harvest(hub)
    sets.sets["a"] |= {"moved": f"-{T1}", "both": f"-{T1}", "k": T1, "z": T1}
    sets.sets["b"]["moved"] = T1
    sets.broken = "b"
    run = harvest(hub, *(["--full"] if whole else []))
    assert (run["state"], run["deleted"]) == ("partial", 0)
    # In a walk over what changed they were asked for by name.
    doubt = {"deletion_not_confirmed": 2} if whole else {}
    assert run["warnings"] == {"list_unread": 1, **doubt}
    assert {"moved", "both"} <= live(hub)
    sets.broken = ""
    run = harvest(hub)
    assert run["state"].startswith("complete")
    assert (run["deleted"], {"moved", "both"} <= live(hub)) == (0, True)


DEAD = {
    "not found": Answer("down", 404),
    "fault of the server": Answer("down", 500),
    "no such set": envelope('<error code="badArgument">set is unknown</error>'),
    "another verb": envelope("<ListSets/>"),
    "not XML": Answer("<rss version='2.0'/>"),
    "no format": Answer(envelope('<error code="cannotDisseminateFormat"/>'), 404),
}


@pytest.mark.parametrize("how", DEAD)
@pytest.mark.parametrize("order", ORDERS)
def test_a_set_that_cannot_be_read_costs_no_other_set(
    hub: Hub, repository: tuple[Sets, Scripted], how: str, order: str
) -> None:
    sets, server = repository
    sets.broken, sets.how = "a", DEAD[how]
    hub.source("src", server.source(f"sets = {order}\ntries = 1"))
    for _ in range(2):
        run = harvest(hub)
        assert run["state"] == "partial"
        assert run["reason"].startswith("a list could not be read: set a: ")
        assert live(hub) >= {"other"}
    sets.broken = ""
    sets.sets["b"]["late"] = T0
    run = harvest(hub)
    assert run["state"] == "complete"
    assert live(hub) >= {"moved", "k", "other", "late"}


def test_a_set_that_breaks_in_the_middle_costs_no_other_set(
    hub: Hub, repository: tuple[Sets, Scripted]
) -> None:
    sets, server = repository
    sets.page, sets.broken, sets.from_page = 1, "a", 1
    sets.how = Answer("down", 502)
    hub.source("src", server.source('sets = ["a", "b"]\ntries = 1'))
    for _ in range(3):
        assert harvest(hub)["state"] == "partial"
        assert live(hub) == {"k", "other"}


def test_if_no_set_can_be_read_the_run_fails(hub: Hub, repository: tuple[Sets, Scripted]) -> None:
    sets, server = repository
    hub.source("src", server.source('sets = ["a", "b"]\ntries = 1'))
    server.answer = lambda q: identify() if q["verb"] == "Identify" else Answer("down", 404)
    assert harvest(hub)["state"] == "failed"


def test_who_goes_on_behind_a_set_that_was_not_read_asks_for_it_again(
    hub: Hub, repository: tuple[Sets, Scripted]
) -> None:
    sets, server = repository
    sets.page, sets.broken = 1, "a"
    sets.sets["b"]["second"] = T0
    hub.source("src", server.source('sets = ["a", "b", "c"]\ntries = 1'))
    # The server does not let the walk in any more after the first page of the second set.
    asked = sets

    def closing(q: Question) -> str | Answer:
        return Answer("no", 401) if q["resumptionToken"].startswith("b|") else asked(q)

    server.answer = closing
    server_said = [harvest(hub)]
    sets.broken, server.answer = "", sets
    server_said.append(harvest(hub))
    assert [run["state"] for run in server_said] == ["partial", "complete"]
    assert live(hub) == {"moved", "k", "other", "second", "else"}


def test_a_set_that_comes_short_does_not_cut_the_windows_of_the_next(
    hub: Hub, repository: tuple[Sets, Scripted]
) -> None:
    _, server = repository

    def answer(q: Question) -> str | Answer:
        if q["verb"] == "Identify":
            return identify()
        if q["resumptionToken"]:
            return envelope('<error code="badResumptionToken"/>')
        if q["set"] == "a":
            return listing(record("a1", "A", T0), token="", total=2)
        half = "b1" if q["until"] else "b2"
        return listing(record(half, half, T0), token="" if q["until"] or q["from"] else "dead")

    server.answer = answer
    hub.source("src", server.source('sets = ["a", "b"]\ntries = 1'))
    run = harvest(hub)
    assert run["reason"].startswith("the source announced 2 entries and gave 1")
    assert live(hub) == {"a1", "b1", "b2"}


# --- repositories that ignore the set argument ---------------------------------------------


def ignoring(*records: str, total: int | None = None) -> Scripted:
    def answer(q: Question) -> str:
        if q["verb"] == "Identify":
            return identify()
        return listing(*records, token="" if total else None, total=total)

    return Scripted(answer)


def test_what_is_in_none_of_the_wanted_sets_is_left_out(hub: Hub) -> None:
    mixed = (
        record("in", "In", sets=["bio"]),
        record("child", "Child", sets=["x", "bio:birds"]),
        record("out", "Out", sets=["geo"]),
        record("alike", "Alike", sets=["biology"]),
        record("silent", "Silent"),
        record("never ours", sets=["geo"]),
    )
    with ignoring(*mixed, total=6) as server:
        hub.source("src", server.source('set = "bio"'))
        run = harvest(hub)
        assert (run["seen"], run["reason"], run["warnings"]) == (3, None, {"other_sets": 3})
        assert live(hub) == {"in", "child", "silent"}
        assert len(hub.records("--with-deleted")) == 3
        hub.source("src", server.source('sets = ["geo", "bio"]'))
        harvest(hub, "--full")
        assert live(hub) == {"in", "child", "silent", "out"}
        hub.source("src", server.source('sets = ["*"]'))
    assert hub("ledger", "src").code == 0


def test_a_record_of_ours_that_is_deleted_in_another_set_is_deleted(hub: Hub) -> None:
    with ignoring(record("a", "A", sets=["bio"]), record("b", "B", sets=["bio"])) as server:
        hub.source("src", server.source('set = "bio"'))
        harvest(hub)
        gone = ignoring(record("a", stamp=T1, sets=["geo"]), record("b", "B", sets=["bio"]))
        with gone as other:
            server.answer = other.answer
            assert harvest(hub, "--full")["deleted"] == 1
    assert live(hub) == {"b"}


def test_a_repository_that_has_nothing_of_the_set_is_not_complete(hub: Hub) -> None:
    with ignoring(record("a", "A", sets=["geo"]), record("b", "B", sets=["geo:x"])) as server:
        hub.source("src", server.source('set = "bio"'))
        run = harvest(hub)
    assert (run["state"], run["seen"]) == ("failed", 0)
    assert re.search("none of the sets bio: they are in geo, geo:x", run["reason"])
