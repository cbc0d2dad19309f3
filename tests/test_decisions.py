"""Deletions that wait for a person, sources that become others, and the ledger of it all, through
the command line."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sickle
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chm_hub import manifest as manifests
from chm_hub import web
from chm_hub.settings import Settings
from store import Store
from tests.repository import Repository, harvest, live
from tests.running import Hub

NAMES = [f"r{i:03}" for i in range(60)]
LOST = NAMES[:30]


@pytest.fixture
def repository(hub: Hub) -> Iterator[Repository]:
    with Repository() as made:
        made.add(*NAMES)
        hub.source("src", made.source())
        yield made


def ledger(hub: Hub) -> dict[str, Any]:
    said = hub("ledger", "src", "--json")
    (line,) = said.lines
    assert said.code == 0, line["differences"]
    assert line["adds_up"]
    states = (
        "published", "not_republished", "deleted", "skipped", "quarantined", "held_back", "gone",
    )  # fmt: skip
    assert line["declared"] == sum(line[state] for state in states)
    assert line["declared"] == line["met"] + line["not_met"]
    assert line["met"] == line["seen"] - line["listed_twice"] - line["unnamed"]
    return line


def test_many_deletions_wait_until_a_person_approves_and_can_be_undone(
    hub: Hub, repository: Repository
) -> None:
    assert harvest(hub)["state"] == "complete"
    before = hub.records()
    repository.delete(*LOST)
    run = harvest(hub)
    assert (run["state"], run["deleted"]) == ("held", 0)
    assert live(hub) == set(NAMES)
    (waiting,) = hub("held", "list", "--json").lines
    assert (waiting["source"], waiting["records"]) == ("src", 30)
    assert waiting["why"] == {"tombstone": 30}
    shown = hub("held", "show", "src", "--limit", "100").out
    assert shown.count("\ttombstone\tTitle of r0") == 30
    assert ledger(hub)["held"] == 30
    place = hub("where", "oai:x:r001").out
    assert "published (live, its deletion waits for a person, run src/2)" in place
    # The same again holds the same again; it is not summed up.
    assert harvest(hub)["state"] == "held"
    assert [line["records"] for line in hub("held", "list", "--json").lines] == [30]

    assert hub("held", "approve", "src").code == 0
    assert live(hub) == set(NAMES) - set(LOST)
    assert harvest(hub)["state"] == "complete"
    assert ledger(hub)["reasons"]["deleted"] == {"tombstone": 30}
    assert "deleted (the source says that it is gone)" in hub("where", "oai:x:r001").out

    assert hub("held", "undo", "src").code == 0
    after = hub.records()
    assert set(after) == set(before)
    for name, record in after.items():
        moving = ("datestamp", "seq")
        assert {k: v for k, v in record.items() if k not in moving} == {
            k: v for k, v in before[name].items() if k not in moving
        }
    assert ledger(hub)["published"] == 60
    # The source still says that they are gone: it is asked again.
    assert harvest(hub, "--full")["state"] == "held"


@pytest.mark.parametrize(
    ("slip", "first"), [("harvest", "deletions"), ("map", "deletions"), ("map", "jump")]
)
def test_deletions_and_a_jump_of_one_source_wait_beside_each_other(
    hub: Hub, repository: Repository, slip: str, first: str
) -> None:
    harvest(hub)
    good = repository.source()

    def jump() -> None:
        if slip == "map":
            hub.source("src", repository.source(crosswalk="feed"))
            assert hub("map", "src").code == 1
            hub.source("src", good)
        else:
            repository.add(*NAMES[30:], title="")
            assert harvest(hub)["error"] == "drift"

    if first == "jump":
        jump()
    repository.delete(*LOST)
    assert harvest(hub)["state"] == "held"
    if first == "deletions":
        jump()
    waiting = hub("held", "list", "--json").lines
    assert sorted(line["records"] for line in waiting) == [0, 30]
    assert "30" in hub("held", "list").out
    shown = hub("held", "show", "src", "--limit", "100").out
    assert shown.count("\ttombstone\t") == 30
    assert "drift: " in shown
    assert len(live(hub)) == 60
    said = hub("held", "approve", "src")
    assert said.code == 0
    assert "30 records deleted" in said.err
    assert "taken as it is now" in said.err
    assert len(live(hub)) == 30
    assert hub("held", "list", "--json").lines == []
    # One decision, taken back as one.
    said = hub("held", "undo", "src")
    assert "30 records are back" in said.err, said.err
    assert len(live(hub)) == 60
    assert "no decision is there" in hub("held", "undo", "src").err


def test_both_are_rejected_as_one(hub: Hub, repository: Repository) -> None:
    harvest(hub)
    repository.delete(*LOST)
    assert harvest(hub)["state"] == "held"
    repository.add(*NAMES[30:], title="")
    assert harvest(hub)["error"] == "drift"
    said = hub("held", "reject", "src")
    assert "30 records stay" in said.err
    assert "not taken" in said.err
    assert hub("held", "list", "--json").lines == []
    assert len(live(hub)) == 60


def test_rejected_deletions_stay_until_the_source_lists_the_records_again(
    hub: Hub, repository: Repository
) -> None:
    harvest(hub)
    repository.delete(*LOST)
    assert harvest(hub)["state"] == "held"
    assert hub("held", "reject", "src").code == 0
    assert hub("held", "list", "--json").lines == []
    run = harvest(hub, "--full")
    assert (run["state"], run["deleted"], run["unchanged"]) == ("complete", 0, 60)
    assert live(hub) == set(NAMES)
    # Listed again and deleted again: that is a new matter, and a small one.
    repository.add(LOST[0])
    harvest(hub)
    repository.delete(LOST[0])
    assert harvest(hub)["deleted"] == 1
    assert live(hub) == set(NAMES) - {LOST[0]}
    assert hub("held", "undo", "src").code == 0
    assert harvest(hub, "--full")["state"] == "held"
    nothing = hub("held", "undo", "src")
    assert nothing.code == 1
    assert "no decision is there to be undone" in nothing.err


def test_piecemeal_deletions_do_not_get_round_the_guard(hub: Hub, repository: Repository) -> None:
    harvest(hub)
    repository.delete(*LOST)
    assert harvest(hub)["state"] == "held"
    # A run that sees some of them only must not delete those: they are part of the whole.
    assert harvest(hub, "--max", "10")["deleted"] == 0
    assert live(hub) == set(NAMES)
    repository.add(*LOST)
    assert harvest(hub)["state"] == "complete"
    assert hub("held", "list", "--json").lines == []
    assert ledger(hub)["held"] == 0


def test_a_source_that_has_become_another_is_not_published_until_it_is_accepted(
    hub: Hub, repository: Repository
) -> None:
    harvest(hub)
    before = hub.records()
    repository.add(*NAMES, title="Untitled")
    run = harvest(hub, "--full")
    assert (run["state"], run["error"]) == ("held", "drift")
    assert "title" in run["reason"]
    assert hub.records() == before
    (waiting,) = hub("held", "list", "--json").lines
    assert waiting["records"] == 0
    assert any(why.startswith("drift: ") for why in waiting["why"])
    assert hub("held", "approve", "src").code == 0
    assert harvest(hub, "--full")["changed"] == 60
    assert harvest(hub, "--full")["state"] == "complete"


def test_a_repository_that_goes_by_another_name(hub: Hub, repository: Repository) -> None:
    harvest(hub)
    repository.name = "Casino"
    repository.add("spam")
    run = harvest(hub, "--full")
    assert (run["state"], run["error"]) == ("held", "drift")
    assert "Casino" in run["reason"]
    assert "spam" not in live(hub)


def test_what_a_source_that_has_become_another_brings_is_held_back_and_named(
    hub: Hub, repository: Repository
) -> None:
    harvest(hub)
    repository.name = "Casino"
    repository.add("n1", "n2", "n3")
    assert harvest(hub, "--full")["error"] == "drift"
    said = hub("where", "oai:x:n1")
    assert said.code == 0
    assert "held back (repository: it was called 'Repository', now 'Casino'" in said.out
    assert "page src/2/" in said.out
    assert "run src/2" in said.out
    assert hub("held", "show", "src").out.count("\theld back\t") == 3
    found = ledger(hub)
    assert (found["declared"], found["published"], found["held_back"]) == (63, 60, 3)

    rejected = hub("held", "reject", "src").err
    assert "each whole run is held again" in rejected
    assert "records stay" not in rejected
    assert "rejected" in hub("where", "oai:x:n1").out
    late = hub("held", "approve", "src")
    assert late.code == 1
    assert "rejected on" in late.err
    assert "held undo src" in late.err
    assert harvest(hub, "--full")["error"] == "drift"

    approved = hub("held", "approve", "src").err
    assert "taken as it is now" in approved
    assert "deleted" not in approved
    assert harvest(hub, "--full")["new"] == 3
    assert "published (live)" in hub("where", "oai:x:n1").out
    assert ledger(hub)["held_back"] == 0

    undone = hub("held", "undo", "src").err
    assert "judges it by what it was like before" in undone
    assert "stays" in undone
    assert "are back" not in undone
    assert len(live(hub)) == 63
    repository.add("n4")
    # The next run is whole, and is judged again.
    assert harvest(hub)["error"] == "drift"
    assert ledger(hub)["held_back"] == 1
    # It is itself again, and what was held back was never its own.
    repository.name = "Repository"
    del repository.things["n4"]
    assert harvest(hub, "--full")["state"] == "complete"
    found = ledger(hub)
    assert (found["held_back"], found["gone"], found["published"]) == (0, 1, 63)
    assert hub("held", "list", "--json").lines == []


def test_a_source_that_lost_records_and_became_another_is_decided_as_a_whole(
    hub: Hub, repository: Repository, store: Store
) -> None:
    """A run may be held for both, where the jump shows at the end of its walk."""
    harvest(hub)
    names = dict.fromkeys((f"src/{n}" for n in _ours(store, LOST)), "tombstone")
    why = {"drift: records: 60, now 20": 1}
    store.decisions.hold("src", "src/1", _now(), names, why=why)
    (waiting,) = hub("held", "list", "--json").lines
    assert (waiting["records"], waiting["why"]) == (30, why)
    assert "drift: records: 60, now 20" in hub("held", "list").out
    shown = hub("held", "show", "src", "--limit", "100").out
    assert shown.count("\ttombstone\t") == 30
    assert "drift: records: 60, now 20" in shown
    both = hub("held", "approve", "src").err
    assert "30 records deleted" in both
    assert "taken as it is now" in both
    assert (store.watch.summary("src") or {})["profile"] is None
    both = hub("held", "undo", "src").err
    assert "30 records are back" in both
    assert "judges it by what it was like before" in both
    assert (store.watch.summary("src") or {})["profile"]["records"] == 60


def test_a_rejection_can_be_undone_however_long_ago(
    hub: Hub, repository: Repository, store: Store
) -> None:
    harvest(hub)
    repository.delete(*LOST)
    assert harvest(hub)["state"] == "held"
    hub("held", "reject", "src")
    place = hub("where", "oai:x:r001").out
    assert "its deletion was rejected on" in place
    found = ledger(hub)
    assert (found["held"], found["rejected"], found["missing"]) == (0, 30, 0)
    later = _now() + timedelta(days=400)
    store.decisions.tidy(later)
    (one,) = store.decisions.all("src")
    assert one.reversible(later)
    assert "asks again" in hub("held", "undo", "src").err
    assert harvest(hub, "--full")["state"] == "held"
    assert ledger(hub)["held"] == 30


def test_an_approval_deletes_nothing_that_the_source_lists_again(
    hub: Hub, repository: Repository, store: Store
) -> None:
    hub.source("src", repository.source(deletions="absence"))
    harvest(hub)
    for name in LOST:
        del repository.things[name]
    harvest(hub, "--full")
    found = ledger(hub)
    assert (found["missing"], found["held"]) == (30, 0)
    (day,) = found["missing_since"]
    assert found["missing_since"][day] == 30
    later = f"{datetime.fromisoformat(day) + timedelta(days=7):%Y-%m-%d}"
    shown = hub("ledger", "src").out
    assert f"missing once, since {day}" in shown
    assert f"from {later} on" in shown
    listed = hub("ledger", "src", "--state", "missing").out
    assert listed.count(f"missing at the source since {day}") == 30
    marks = store.runs.missing("src")
    store.runs.set_missing("src", {n: at - timedelta(days=8) for n, at in marks.items()})
    assert f"{datetime.fromisoformat(day) - timedelta(days=1):%Y-%m-%d}" in hub("ledger", "src").out
    assert harvest(hub, "--full")["state"] == "held"
    found = ledger(hub)
    assert (found["missing"], found["held"]) == (0, 30)
    assert "missing twice" in hub("ledger", "src").out
    (held,) = store.decisions.waiting("src")
    names = dict(store.decisions.names(held))
    # Two of them come again, one of them changed, in a run that is killed before it says so.
    repository.add(LOST[0], title="Again {}")
    harvest(hub)
    marks = store.runs.missing("src")
    marks.pop(f"src/{_ours(store, [LOST[1]])[0]}", None)
    store.runs.set_missing("src", marks)
    store.decisions.hold("src", held.run, held.at, names)
    gone = set(LOST[2:])
    assert "28 records deleted, 2 left alone" in hub("held", "approve", "src").err
    assert live(hub) == set(NAMES) - gone
    assert "28 records are back" in hub("held", "undo", "src").err
    assert live(hub) == set(NAMES)


def _ours(store: Store, names: list[str]) -> list[str]:
    """The local parts of our identifiers of these records."""
    found = {r.record["source_identifier"]: r.identifier for r in store.records.of_source("src")}
    return [found[f"oai:x:{name}"].partition("/")[2] for name in names]


def test_the_ledger_has_every_identifier_in_one_state(hub: Hub, repository: Repository) -> None:
    hub.source("src", repository.source(deletions="absence"))
    repository.broken = {"r005"}
    harvest(hub)
    (run,) = hub("runs", "src", "--json").lines
    assert run["warnings"]["recovered"] == 1
    repository.delete("r007")
    del repository.things["r008"]
    harvest(hub, "--full")
    found = ledger(hub)
    assert found["declared"] == 60
    assert (found["published"], found["deleted"], found["missing"]) == (59, 1, 1)
    assert found["announced"] == found["seen"] == 59
    assert "missing at the source since" in hub("where", "oai:x:r008").out
    unknown = hub("where", "oai:x:nobody")
    assert unknown.code == 1
    assert "no source ever declared it" in unknown.err
    assert hub("ledger", "--all").out.count("it adds up") == 1
    assert hub("ledger", "nobody").code == 2


def test_the_ledger_says_what_was_not_given(hub: Hub, repository: Repository) -> None:
    """It goes by the last whole walk, and says what is open since."""
    repository.down = True
    harvest(hub)
    said = hub("ledger", "src")
    assert "it adds up, and is not settled" in said.out
    assert "no whole walk of it came to its end yet" in said.err
    assert "chm-hub harvest src --full" in said.err
    repository.down = False
    harvest(hub)
    found = ledger(hub)
    assert (found["whole_run"], found["announced"], found["met"]) == ("src/2", 60, 60)

    harvest(hub, "--full", "--max", "5")
    said = hub("ledger", "src")
    assert "it adds up, as of src/2, and is not settled" in said.out
    assert "last whole walk src/2 (complete, " in said.out
    assert "newest run src/3 (partial, " in said.out
    assert "not given: 50 of 60 announced (stopped after 10 documents as asked)" in said.err

    whole = repository._list

    def cut(verb: str, query: dict[str, str]) -> str:
        return re.sub(r">[^<>]*\|40</", "></", whole(verb, query))

    repository._list = cut  # type: ignore[method-assign]
    assert harvest(hub, "--full")["state"] == "partial"
    (line,) = hub("ledger", "src", "--json").lines
    assert (line["adds_up"], line["settled"], line["differences"]) == (True, False, [])
    assert "src/4" in line["unsettled"][0]
    assert "not given: 20 of 60 announced" in line["unsettled"][0]

    # A source that does not answer says nothing of what it has: it is as the last whole walk saw.
    repository._list = whole  # type: ignore[method-assign]
    harvest(hub, "--full")
    repository.down = True
    assert harvest(hub)["state"] == "failed"
    said = hub("ledger", "src")
    assert (said.code, "newest run src/6 (failed, " in said.out) == (0, True)
    assert "it adds up, as of src/5\n" in said.out


def test_the_ledger_explains_what_came_twice_and_what_has_no_name(
    hub: Hub, repository: Repository
) -> None:
    whole = repository._list
    twice = NAMES[3:5]

    def spoilt(verb: str, query: dict[str, str]) -> str:
        text = whole(verb, query)
        if "resumptionToken" in query:
            return text
        more = "".join(repository._record(name) for name in twice)
        nameless = repository._record(NAMES[9]).replace(f"oai:x:{NAMES[9]}<", "<", 1)
        return text.replace(f"</{verb}>", f"{more}{nameless}</{verb}>")

    repository._list = spoilt  # type: ignore[method-assign]
    run = harvest(hub)
    assert (run["seen"], run["repeated"], run["unnamed"]) == (63, 2, 1)
    found = ledger(hub)
    assert (found["declared"], found["seen"], found["met"], found["not_met"]) == (60, 63, 60, 0)
    assert (found["listed_twice"], found["unnamed"]) == (2, 1)
    shown = hub("ledger", "src").out
    assert "60 announced, 63 seen" in shown
    assert "2 listed twice, 1 without an identifier" in shown
    # What the last whole walk did not meet, other runs declared.
    repository.add("new")
    repository._list = whole  # type: ignore[method-assign]
    harvest(hub)
    found = ledger(hub)
    assert (found["declared"], found["met"], found["not_met"]) == (61, 60, 1)
    assert "60 by it and 1 by other runs alone" in hub("ledger", "src").out


def test_a_partner_compares_a_set_in_one_request(
    hub: Hub, repository: Repository, settings: Settings, store: Store
) -> None:
    hub.source("src", repository.source(country="KE"))
    harvest(hub)
    repository.delete("r003")
    repository.add("new")
    harvest(hub)
    made = manifests.make(store, settings, _now())
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(made["key"]))
    unsigned = {k: v for k, v in made.items() if k != "signature"}
    text = json.dumps(unsigned, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    key.verify(base64.b64decode(made["signature"]), text.encode())
    assert store.manifests.get() == made
    with web.Background(settings, "127.0.0.1", 0, store) as server:
        base = f"http://127.0.0.1:{server.port}"
        with urllib.request.urlopen(f"{base}/api/v1/manifest") as answer:
            assert json.load(answer) == made
        with urllib.request.urlopen(f"{base}/api/v1/manifest/{made['date']}") as answer:
            assert json.load(answer) == made
        client = sickle.Sickle(f"{base}/oai")
        assert "source:src" in made["sets"]
        for spec in made["sets"]:
            headers = client.ListIdentifiers(
                metadataPrefix="oai_dc", **({"set": spec} if spec else {})
            )
            total = live = 0
            for header in headers:
                status = "deleted" if header.deleted else "live"
                live += not header.deleted
                line = f"{header.identifier}\n{header.datestamp}\n{status}"
                total += int.from_bytes(hashlib.sha256(line.encode()).digest(), "big")
            assert made["sets"][spec]["hash"] == f"{total % 2**256:064x}", spec
            assert (live, 1) == (made["sets"][spec]["live"], made["sets"][spec]["deleted"])


def test_a_partner_who_follows_is_told_the_truth_after_each_change(
    hub: Hub, repository: Repository, settings: Settings, store: Store
) -> None:
    harvest(hub)
    assert _get(settings, store, "manifest") == (
        404,
        {"error": "none was made yet; /api/v1/manifest/now is one as of now"},
    )
    assert _get(settings, store, "manifest/2026-99-99")[0] == 404
    mine: dict[str, tuple[str, bool]] = {}

    def follow(since: str | None) -> str:
        """Harvest what is new, as a partner does, and give the moment for the next time."""
        with web.Background(settings, "127.0.0.1", 0, store) as server:
            client = sickle.Sickle(f"http://127.0.0.1:{server.port}/oai")
            more = {} if since is None else {"from": since}
            try:
                answers = client.ListIdentifiers(metadataPrefix="oai_dc", set="source:src", **more)
                when = answers.oai_response.xml.findtext("{*}responseDate")
                mine.update({h.identifier: (h.datestamp, h.deleted) for h in answers})
            except sickle.oaiexceptions.NoRecordsMatch:
                when = since
        assert isinstance(when, str)
        return when

    time.sleep(1.1)  # else the harvest was in the second of which the partner is told
    noted = follow(None)
    manifests.make(store, settings, _now())
    for turn in range(3):
        time.sleep(1.1)  # a datestamp is a second
        if turn == 1:
            repository.add("r000", title="New {}")
        elif turn == 2:
            repository.delete("r001")
        harvest(hub)
        code, told = _get(settings, store, "manifest/now?set=source:src")
        assert (code, list(told["sets"])) == (200, ["source:src"])
        assert (told["sets"]["source:src"]["newest"] >= noted) is (turn > 0)
        noted = follow(noted)
        time.sleep(1.1)
        noted = follow(noted)
        _, told = _get(settings, store, "manifest/now?set=source:src")
        found = told["sets"]["source:src"]
        assert found["newest"] < told["until"]
        assert max(stamp for stamp, _ in mine.values()) == found["newest"]
        headers = [(name, *rest) for name, rest in mine.items()]
        assert manifests.set_hash(headers) == found["hash"]
        assert manifests.set_hash(headers[1:]) != found["hash"], "one of them is missing"
        key = Ed25519PublicKey.from_public_bytes(base64.b64decode(told["key"]))
        key.verify(base64.b64decode(told["signature"]), manifests.canonical(told))
    daily = _get(settings, store, "manifest")[1]
    assert daily["sets"]["source:src"]["hash"] != found["hash"]
    assert _get(settings, store, "manifest/now?set=country:XX")[0] == 404


def test_a_manifest_as_of_now_is_not_made_for_everybody_who_asks(
    hub: Hub, repository: Repository, settings: Settings, store: Store
) -> None:
    harvest(hub)
    current = manifests.Current(store, settings)
    first = current.get(_now())
    repository.add("new")
    harvest(hub)
    again, other = current.get(_now()), manifests.Current(store, settings).get(_now())
    assert first is not None
    assert again is not None
    assert other is not None
    # It is a moment old, and says of when it is.
    assert (again["sets"], again["until"]) == (first["sets"], first["until"])
    assert other["sets"][""]["live"] == first["sets"][""]["live"] + 1


def test_manifests_are_signed_with_the_secret_that_signs_tokens(
    store: Store, settings: Settings
) -> None:
    keys = {
        manifests.make(store, replace(settings, secret_key=secret), _now())["key"]
        for secret in ("", "one", "other", "one")
    }
    assert len(keys) == 3


def _get(settings: Settings, store: Store, path: str) -> tuple[int, Any]:
    """What `/api/v1/…` answers somebody who asks for the first time."""
    answer = web.create_app(settings, store).test_client().get(f"/api/v1/{path}")
    assert answer.mimetype == "application/json"
    return answer.status_code, answer.get_json()


def _now() -> datetime:
    return datetime.now(UTC)
