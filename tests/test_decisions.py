"""Deletions that wait for a person, sources that become others, and the ledger of it all, through
the command line."""

from __future__ import annotations

import base64
import hashlib
import json
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import sickle
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from chm_hub import manifest as manifests
from chm_hub import web
from chm_hub.settings import Settings
from store import Store
from tests.repository import Repository
from tests.running import Hub

NAMES = [f"r{i:03}" for i in range(60)]
LOST = NAMES[:30]


@pytest.fixture
def repository(hub: Hub) -> Iterator[Repository]:
    with Repository() as made:
        made.add(*NAMES)
        hub.source("src", made.source())
        yield made


def harvest(hub: Hub, *more: str) -> dict[str, Any]:
    (line,) = hub("harvest", "src", "--json", *more).lines
    counts = ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
    assert line["seen"] == sum(line[name] for name in counts)
    return line


def live(hub: Hub) -> set[str]:
    found = hub.records("--source", "src").values()
    return {record["source_identifier"].removeprefix("oai:x:") for record in found}


def ledger(hub: Hub) -> dict[str, Any]:
    said = hub("ledger", "src", "--json")
    (line,) = said.lines
    assert said.code == 0, line["differences"]
    assert line["adds_up"]
    states = ("published", "not_republished", "deleted", "skipped", "quarantined", "gone")
    assert line["declared"] == sum(line[state] for state in states)
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
    assert "no decision of the last 30 days" in nothing.err


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
    repository.add(*NAMES, title="")
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


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)
