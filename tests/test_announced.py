"""Sources that announce more than they give: what runs say, and what their files can say."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chm_hub.announced import agree
from tests.repository import harvest, live
from tests.running import Hub
from tests.scripted import Answer, Question, Scripted, identify, listing, record

SUGGESTED = "announces_more = true"


def repository(gives: int, announced: int) -> Callable[[Question], str | Answer]:
    def answer(q: Question) -> str | Answer:
        if q["verb"] == "Identify":
            return identify()
        if q["from"]:
            return listing()
        rows = [record(f"n{number}", f"T {number}") for number in range(gives)]
        return listing(*rows, token="", total=announced)

    return answer


def index(gives: int, announced: int) -> Callable[[Question], str | Answer]:
    """The same of a service of GBIF's kind."""

    def answer(q: Question) -> Answer:
        rows = [{"key": f"n{number}", "title": f"T {number}"} for number in range(gives)]
        rows = rows[int(q["offset"] or 0) :]
        said = {"count": announced, "endOfRecords": True, "results": rows, "offset": 0}
        return Answer(json.dumps(said), kind="application/json")

    return answer


def catalogue(gives: int, announced: int) -> Callable[[Question], str | Answer]:
    """The same of a DCAT catalogue, which says how many there are on all pages."""
    sets = "".join(
        f'<http://x.example/n{n}> a dcat:Dataset; dct:title "T {n}".' for n in range(gives)
    )

    def answer(q: Question) -> Answer:
        body = (
            "@prefix dcat: <http://www.w3.org/ns/dcat#>. @prefix dct: <http://purl.org/dc/terms/>."
            "@prefix hydra: <http://www.w3.org/ns/hydra/core#>."
            f"<> a hydra:PagedCollection; hydra:totalItems {announced}. {sets}"
        )
        return Answer(body, kind="text/turtle")

    return answer


KINDS = {"oai_pmh": repository, "gbif": index, "dcat": catalogue}


def declare(hub: Hub, server: Scripted, adapter: str, more: str = "") -> None:
    url = server.url + ("/v1/literature" if adapter == "gbif" else "/x")
    kind = '[options]\nkind = "literature"\n' if adapter == "gbif" else ""
    hub.source("src", f'title = "T"\nadapter = "{adapter}"\nurl = "{url}"\n{more}\n{kind}')


@pytest.mark.parametrize("adapter", sorted(KINDS))
def test_three_whole_walks_that_agree_suggest_the_option_which_makes_them_complete(
    hub: Hub, adapter: str
) -> None:
    with Scripted(KINDS[adapter](8, 10)) as server:
        declare(hub, server, adapter)
        runs = [harvest(hub) for _ in range(3)]
        assert [(run["state"], run["lacking"]) for run in runs] == [("partial", 2)] * 3
        assert [SUGGESTED in run["reason"] for run in runs] == [False, False, True]
        assert "src.toml" in runs[2]["reason"]
        declare(hub, server, adapter, "announces_more = true")
        run = harvest(hub, "--full")
        assert (run["state"], run["lacking"], run["total"]) == ("complete", 2, None)
        assert "2 entries more than it gave" in run["reason"]
        assert len(live(hub)) == 8
        said = hub("harvest", "src", "--full")
        assert (said.code, "2 entries more than it gave" in said.err) == (0, True)
        told = hub("ledger", "src")
        assert "it adds up" in told.out
        assert "not settled" not in told.out
        reasons = {reason["word"] for reason in hub("health", "src", "--json").lines[0]["reasons"]}
        assert not reasons & {"incomplete", "partial", "warnings"}


def test_walks_that_lack_different_numbers_suggest_nothing(hub: Hub) -> None:
    with Scripted(repository(8, 10)) as server:
        declare(hub, server, "oai_pmh")
        for gives, announced in ((8, 10), (5, 10), (9, 30)):
            server.answer = repository(gives, announced)
            assert SUGGESTED not in harvest(hub)["reason"]


def test_a_walk_that_ends_early_is_partial_whatever_the_file_says(hub: Hub) -> None:
    def answer(q: Question) -> str | Answer:
        if q["verb"] == "Identify":
            return identify()
        if q["resumptionToken"]:
            return Answer("gone", 403)
        return listing(record("a", "A"), token="2", total=10)

    with Scripted(answer) as server:
        declare(hub, server, "oai_pmh", "announces_more = true")
        run = harvest(hub)
        assert (run["state"], run["lacking"]) == ("partial", 0)


@pytest.mark.parametrize(
    ("lacking", "earlier", "agreed"),
    [
        (46, [46, 46], True),
        (46, [46], False),
        (46, [46, 0], False),
        (50, [48, 46], True),
        (50, [30, 50], False),
        (0, [0, 0], False),
        (1, [1, 1, 900], True),
    ],
)
def test_walks_agree_if_they_lack_about_as_many(
    lacking: int, earlier: list[int], agreed: bool
) -> None:
    assert agree(lacking, earlier) is agreed
