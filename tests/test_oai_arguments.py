"""Servers that want the arguments of a list beside its resumption token, and those that do not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from chm_hub.document import Walk
from harvesters.oai_arguments import ALONE, LIST, MEMORY, PREFIX, Beside
from tests.repository import harvest, live
from tests.running import Hub
from tests.scripted import Answer, Question, Scripted, envelope, identify, listing, record

NAMES = [f"n{number:02d}" for number in range(14)]
SIZE = 5
REFUSAL = '<error code="{}">Missing metadataPrefix parameter</error>'


def server(
    takes: Callable[[Question], bool], code: str = "badArgument", status: int = 200
) -> Callable[[Question], str | Answer]:
    """A repository that answers a token only if ``takes`` says so of the question."""

    def answer(q: Question) -> str | Answer:
        if q["verb"] == "Identify":
            return identify()
        token = q["resumptionToken"]
        if token and not takes(q):
            return Answer(envelope(REFUSAL.format(code)), status)
        if q["verb"] == "GetRecord":
            name = q["identifier"].removeprefix("oai:x:")
            return envelope(f"<GetRecord>{record(name, name)}</GetRecord>")
        start = int(token or 0)
        following = str(start + SIZE) if start + SIZE < len(NAMES) else ""
        page = [record(name, name) for name in NAMES[start : start + SIZE]]
        said = listing(*page, token=following, total=len(NAMES))
        if q["verb"] == "ListIdentifiers":
            for name in NAMES:
                said = said.replace(
                    record(name, name),
                    record(name, name).partition("<metadata")[0].removeprefix("<record>"),
                )
            said = said.replace("ListRecords", "ListIdentifiers")
        return said

    return answer


def with_prefix(q: Question) -> bool:
    return q["metadataPrefix"] == "oai_dc"


def alone(q: Question) -> bool:
    return set(q.arguments) == {"verb", "resumptionToken"}


def tokens(asked: list[Question]) -> list[set[str]]:
    """The arguments beside each token that was asked for."""
    return [set(q.arguments) - {"verb", "resumptionToken"} for q in asked if q["resumptionToken"]]


@pytest.mark.parametrize(
    ("code", "status", "options"),
    [
        ("badArgument", 200, ""),
        ("badArgument", 400, 'method = "POST"'),
        ("cannotDisseminateFormat", 422, ""),
        ("badArgument", 200, "by_identifier = true"),
    ],
)
def test_a_server_that_misses_the_prefix_is_asked_with_it_and_that_is_remembered(
    hub: Hub, code: str, status: int, options: str
) -> None:
    with Scripted(server(with_prefix, code, status)) as source:
        hub.source("src", source.source(options))
        run = harvest(hub)
        assert (run["seen"], run["total"], run["reason"]) == (14, 14, None)
        assert live(hub) == set(NAMES)
        assert run["warnings"] == {"token_asked_with_list": 1}
        assert tokens(source.asked) == [set(), {"metadataPrefix"}, {"metadataPrefix"}]
        source.asked.clear()
        again = harvest(hub, "--full")
        assert (again["state"], again["unchanged"], again["warnings"]) == ("complete", 14, {})
        assert tokens(source.asked) == [{"metadataPrefix"}, {"metadataPrefix"}]


def test_the_dates_of_a_list_are_repeated_as_well(hub: Hub) -> None:
    with Scripted(server(with_prefix)) as source:
        hub.source("src", source.source('set = "a"'))
        harvest(hub)
        source.asked.clear()
        harvest(hub)
        assert tokens(source.asked) == [{"metadataPrefix", "set", "from"}] * 2


def test_a_server_that_wants_the_prefix_and_nothing_else(hub: Hub) -> None:
    def takes(q: Question) -> bool:
        return with_prefix(q) and not q["set"]

    with Scripted(server(takes)) as source:
        hub.source("src", source.source('set = "a"'))
        run = harvest(hub)
        assert (run["seen"], run["warnings"]) == (14, {"token_asked_with_prefix": 1})


def test_a_server_that_takes_tokens_alone_is_never_asked_otherwise(hub: Hub) -> None:
    with Scripted(server(alone)) as source:
        hub.source("src", source.source())
        run = harvest(hub)
        assert (run["state"], run["seen"]) == ("complete", 14)
        assert tokens(source.asked) == [set(), set()]


def test_a_server_that_has_learned_the_standard_is_asked_by_it_again(hub: Hub) -> None:
    with Scripted(server(with_prefix)) as source:
        hub.source("src", source.source())
        harvest(hub)
        source.answer = server(alone)
        run = harvest(hub, "--full")
        assert (run["unchanged"], run["warnings"]) == (14, {"token_asked_with_nothing": 1})
        source.asked.clear()
        assert harvest(hub, "--full")["state"] == "complete"
        assert tokens(source.asked) == [set(), set()]


def test_a_server_that_refuses_a_token_in_every_way_is_read_record_by_record(hub: Hub) -> None:
    def takes(q: Question) -> bool:
        return q["verb"] == "ListIdentifiers"

    with Scripted(server(takes)) as source:
        hub.source("src", source.source("until = 2001-01-02\n"))
        run = harvest(hub)
        assert live(hub) == set(NAMES)
        assert run["warnings"]["record_by_record"] == 1
        # The other ways were tried for one token only.
        assert sum(beside > set() for beside in tokens(source.asked)) == 2


def test_what_is_remembered_is_only_a_way_that_was_taken() -> None:
    walk = Walk(started=datetime(2026, 1, 1, tzinfo=UTC), memory={MEMORY: "rubbish"})
    beside = Beside(walk)
    assert beside.way == ALONE
    assert not beside.other_way("badResumptionToken")
    tried = [(beside.other_way("badArgument"), beside.way) for _ in range(3)]
    assert tried == [(True, LIST), (True, PREFIX), (False, ALONE)]
    beside.answered()
    assert (walk.learned, dict(walk.warnings)) == ({}, {})


def like_pycsw(q: Question) -> str | Answer:
    """pycsw 2.6: tokens are places, 0 at the end, and nothing found is a list of 0."""
    if q["verb"] == "Identify":
        return identify("no")
    if q["verb"] == "ListSets":
        return envelope("<ListSets/>")
    if q["metadataPrefix"] != "oai_dc":
        return envelope(REFUSAL.format("badArgument"))
    names = [] if q["from"] else NAMES
    start = max(int(q["resumptionToken"] or 1), 1) - 1
    following = start + SIZE + 1 if start + SIZE < len(names) else 0
    page = "".join(record(name, name, sets=[" "]) for name in names[start : start + SIZE])
    page = page.replace("datestamp>", "dateStamp>")
    token = f'<resumptionToken completeListSize="{len(names)}">{following}</resumptionToken>'
    return envelope(f"<ListRecords>{page}{token}</ListRecords>")


@pytest.mark.parametrize("by", ["", 'set = "datasets"'])
def test_a_list_that_begins_again_after_all_that_was_announced_has_ended(hub: Hub, by: str) -> None:
    with Scripted(like_pycsw) as source:
        hub.source("src", source.source(by))
        run = harvest(hub)
        assert (run["state"], run["seen"], run["repeated"]) == ("complete_with_warnings", 14, 0)
        assert run["warnings"] == {"token_asked_with_list": 1, "list_begins_again": 1}
        (one, *_) = hub.records("--source", "src").values()
        assert one["provenance"]["source_datestamp"] == "2024-05-01T00:00:00Z"
        # Between whole walks nothing is new, which it says with a list of 0 and a token.
        again = harvest(hub)
        assert (again["state"], again["seen"], again["reason"]) == ("complete", 0, None)


def test_a_list_that_goes_round_before_all_has_come_is_not_complete(hub: Hub) -> None:
    def answer(q: Question) -> str | Answer:
        if q["verb"] == "Identify":
            return identify()
        page = [record(name, name) for name in NAMES[:SIZE]]
        return listing(*page, token=q["resumptionToken"] + "x", total=len(NAMES))

    with Scripted(answer) as source:
        hub.source("src", source.source())
        run = harvest(hub)
        assert (run["state"], run["warnings"]) == ("partial", {})
        assert "round in circles" in run["reason"]
