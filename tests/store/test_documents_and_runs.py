"""Kept pages, runs and cursors, on a real engine."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest

from chm_hub.document import Document, Page, Payload, Reject
from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from store import Store, open_store
from store.documents import INLINE_LIMIT, document_hash

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


def payload(body: bytes) -> Payload:
    return Payload(
        url="http://x.test/oai", status=200, headers={"ETag": '"1"'}, body=body, fetched=NOW
    )


def test_processes_that_come_first_at_once_agree(settings: Settings) -> None:
    """As the workers of `serve` do on an empty store: each prepares it, each wants the key."""
    for _ in range(5):
        everybody = threading.Barrier(4)

        def come(everybody: threading.Barrier = everybody) -> bytes:
            everybody.wait(20)
            with open_store(settings) as store:
                everybody.wait(20)
                return store.secret()

        with ThreadPoolExecutor(everybody.parties) as pool:
            keys = {coming.result() for coming in [pool.submit(come) for _ in range(4)]}
        assert len(keys) == 1
        with open_store(settings) as store:
            assert store.records.count("").live == 0
            store.database.client.drop_database(store.database.name)


def test_a_page_comes_back_to_the_byte(store: Store) -> None:
    body = "<a>Forêt 森林 \x85</a>".encode()
    documents = [
        Document(identifier="1", body={"title": "Forêt"}, datestamp="2024"),
        Document(identifier="2", deleted=True),
    ]
    page = Page(
        payloads=[payload(body)],
        documents=documents,
        rejects=[Reject(reason="no_identifier", fragment=b"<x/>")],
    )
    name = store.documents.keep("src/1", 1, page)
    assert store.documents.keep("src/1", 1, page) == name
    kept = store.documents.page(name)
    assert kept.documents == documents
    (answer,) = store.documents.payloads(name)
    assert answer == payload(body)
    assert kept.payloads[0]["sha256"]


def test_a_page_too_large_for_one_document_of_the_database_is_kept_all_the_same(
    store: Store,
) -> None:
    body = os.urandom(INLINE_LIMIT + 100)
    name = store.documents.keep("src/1", 1, Page(payloads=[payload(body)]))
    (answer,) = store.documents.payloads(name)
    assert answer.body == body


def test_a_page_that_is_gone_says_what_to_do(store: Store) -> None:
    with pytest.raises(StoreError, match="chm-hub harvest src --full"):
        store.documents.page("src/9/9")


def test_the_hash_of_a_document_leaves_out_the_date_its_source_put_on_it() -> None:
    one = Document(identifier="1", body={"a": 1, "b": 2}, datestamp="2024-01-01")
    two = Document(identifier="1", body={"b": 2, "a": 1}, datestamp="2025-01-01")
    assert document_hash(one) == document_hash(two)
    other = Document(identifier="1", body={"a": 2, "b": 2})
    assert document_hash(one) != document_hash(other)


def test_runs_are_numbered_and_come_back_as_they_were(store: Store) -> None:
    first = store.runs.begin("src", "harvest", NOW, full=True)
    first.counts.update(new=3, quarantined=1)
    first.note("type: no 'Blog.post' in table 'types'", "src/$1")
    first.warnings["recovered"] += 1
    first.state, first.ended = "complete_with_warnings", NOW
    store.runs.save(first)
    assert store.runs.get("src/1") == first
    assert first.line()["seen"] == 4
    second = store.runs.begin("src", "map", NOW + timedelta(seconds=1))
    assert [run.identifier for run in store.runs.history("src")] == ["src/2", "src/1"]
    third = store.runs.begin("src", "harvest", NOW + timedelta(seconds=2))
    assert third.identifier == "src/3"
    dead = store.runs.get(second.identifier)
    assert dead is not None
    assert dead.state == "failed"
    assert store.runs.sources() == ["src"]


def test_a_cursor_keeps_what_it_is_told_and_forgets_what_it_is_told(store: Store) -> None:
    store.runs.set_cursor("src", {"since": NOW, "checkpoint": {"at": NOW, "place": {"token": "x"}}})
    store.runs.set_cursor("src", {"checkpoint": None, "full": NOW})
    assert store.runs.cursor("src") == {"since": NOW, "full": NOW}


def test_what_is_missing_of_a_large_source_is_spread(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("store.runs.MISSING_PART", 3)
    kept = store.database["missing"]
    # As versions before this one kept it.
    kept.insert_one({"_id": "src", "records": [["src/old", NOW]]})
    assert store.runs.missing("src") == {"src/old": NOW}
    for many in (7, 3, 8, 1, 0):
        names = {f"src/{number}": NOW + timedelta(days=number) for number in range(many)}
        store.runs.set_missing("src", names)
        store.runs.set_missing("another", {"another/1": NOW})
        assert store.runs.missing("src") == names
        left = kept.count_documents({})
        assert left == 2 + (1 + -(-many // 3) if many else 0), "nothing is left behind"
    assert store.runs.missing("another") == {"another/1": NOW}


def test_a_replay_that_was_ended_from_outside_is_buried_and_no_other(store: Store) -> None:
    harvest = store.runs.begin("src", "harvest", NOW)
    store.runs.bury("src", None, "killed", "killed", NOW, kind="map")  # it had not begun
    assert [run.state for run in store.runs.history("src")] == ["running"]
    harvest.state, harvest.ended = "complete", NOW
    store.runs.save(harvest)
    store.runs.begin("src", "map", NOW + timedelta(seconds=1))
    store.runs.bury("src", None, "took too long", "killed", NOW, kind="map")
    found = store.runs.history("src")
    assert [(run.state, run.reason) for run in found] == [
        ("failed", "took too long"),
        ("complete", None),
    ]
    store.runs.bury("src", None, "another one", "killed", NOW, kind="map")
    assert store.runs.history("src")[0].reason == "took too long"
