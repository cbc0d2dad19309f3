"""What the screen says of a run, for a person who does not ask for JSON."""

from __future__ import annotations

from typing import Any

import pytest

from chm_hub.told import MOST, sentences
from tests.running import Hub
from tests.scripted import Question, Scripted, identify, listing, record


def line(state: str = "complete_with_warnings", **more: Any) -> dict[str, Any]:
    return {"source": "s", "state": state, "new": 0, "changed": 0, "unchanged": 79, **more}


def test_how_many_of_how_many_are_gone_is_a_sentence() -> None:
    (said,) = sentences(line(warnings={"missing_at_source": 4700}))
    assert said.startswith("4,700 of 4,779 live records are not in the source's list any more")
    assert "chm-hub ledger s --state missing" in said


def test_warnings_are_named_the_most_frequent_first() -> None:
    (said,) = sentences(line(warnings={"recovered": 1, "doctype_removed": 1200}))
    assert said == "warnings: doctype_removed (1,200), recovered (1)"
    (said,) = sentences(line(warnings={f"w{n}": n + 1 for n in range(MOST + 3)}))
    assert "3 more (chm-hub runs s --json)" in said


@pytest.mark.parametrize(("state", "told"), [("complete", ["why"]), ("partial", [])])
def test_a_reason_is_told_once(state: str, told: list[str]) -> None:
    # The command says the reason of a run that is not complete itself.
    assert sentences(line(state, reason="why", warnings={})) == told


def test_the_screen_says_what_a_source_has_lost(hub: Hub) -> None:
    names = [f"n{number}" for number in range(60)]

    def answer(q: Question) -> str:
        if q["verb"] == "Identify":
            return identify("no")
        return listing(*(record(name, name) for name in names))

    with Scripted(answer) as server:
        hub.source("src", server.source())
        assert "not in the source's list" not in hub("harvest", "src").err
        del names[2:]
        said = hub("harvest", "src", "--full").err
        assert "58 of 60 live records are not in the source's list any more" in said
        assert "58 of 60 live records" in hub("runs", "src").out
        (run,) = hub("harvest", "src", "--full", "--json").lines
        assert run["warnings"]["missing_at_source"] == 58
