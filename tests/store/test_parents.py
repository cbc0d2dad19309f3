"""Tombstones are in the parents of their sets, in stores of earlier versions too."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chm_hub.settings import Settings
from store import Count, Store, open_store, parents
from store.records import private_sets
from tests.repository import harvest
from tests.running import Hub
from tests.scripted import Question, Scripted, identify, listing, record
from tests.store.test_records import NOON, change, of_set, put

BARE = ("source:src",)


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        (("source:a",), ("source", "source:a")),
        (("country:KE:nbsap",), ("country", "country:KE", "country:KE:nbsap")),
        (("source", "source:a", "type", "type:x"), ("source", "source:a", "type", "type:x")),
        (("type:x", "type"), ("type:x", "type")),
        (("~all", "~source:a"), ("~all", "~source:a")),
        ((), ()),
    ],
)
def test_sets_with_their_parents(given: tuple[str, ...], wanted: tuple[str, ...]) -> None:
    assert parents.with_parents(given) == wanted
    assert parents.with_parents(wanted) == wanted


def test_whatever_is_written_is_in_the_parents_of_its_sets(store: Store) -> None:
    put(store, change("a"), change("gone", deleted=True, sets=BARE))
    put(store, change("b", country="FJ"))
    put(store, change("b", "2", sets=("source:src", "type:news")))
    for spec in ("source", "source:src"):
        assert {name for name, *_ in of_set(store, spec)} == {"src/a", "src/b", "src/gone"}
        assert store.records.count(spec) == store.records.recount(spec) == Count(2, 1)
    assert {(n, d) for n, d, _ in of_set(store, "country")} == {("src/a", False), ("src/b", True)}
    found = store.records.get("src/gone")
    assert found is not None
    assert found.sets == ("source", "source:src")


def fill(store: Store) -> None:
    """Live and dead, moved and kept back, in one batch and in several."""
    put(store, *(change(f"r{n}") for n in range(25)), change("gone", deleted=True, sets=BARE))
    put(store, change("g2", deleted=True, sets=BARE), change("g3", deleted=True, sets=BARE))
    put(store, change("r1", "2", country="FJ"), change("r2", deleted=True, why="tombstone"))
    put(store, change("secret", sets=private_sets("src")), change("r3", sets=private_sets("src")))
    put(store, change("r4", "2", sets=("source:src", "type:news")))


def test_a_store_as_it_was_written_before_is_mended_when_it_is_opened(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything(opened: Store) -> dict[str, Any]:
        rows = opened.database["records"].find({})
        specs = ["source", "source:src", "type", "country", "country:KE", "country:FJ", "type:news"]
        bound = opened.records.snapshot().bound
        ways: list[dict[str, Any]] = [{}, *({"set_spec": spec} for spec in specs)]
        return {
            "records": {r["_id"]: (r["sets"], r["left"], r["datestamp"], r["seq"]) for r in rows},
            "counts": {k: c for k, c in opened.records.counts().items() if c != Count()},
            "recounts": {spec: opened.records.recount(spec) for spec in specs},
            "walks": [
                opened.records.walk(after=0, bound=bound, limit=99, prefix=prefix, **way).xml
                for way in ways
                for prefix in (None, "oai_dc")
            ],
        }

    with monkeypatch.context() as patch:
        patch.setattr(parents, "with_parents", tuple)
        patch.setattr(
            parents, "left_with_parents", lambda left, sets: tuple(s for s in left if s not in sets)
        )
        fill(store)
    assert of_set(store, "source") == []
    state = store.database["state"]
    state.update_one({"_id": "log"}, {"$set": {"schema": 4}})
    store.records.prepare()
    mended = everything(store)
    assert mended["counts"]["source"] == mended["recounts"]["source"] == Count(23, 5)
    assert mended["counts"] == {
        **mended["counts"],
        **{spec: count for spec, count in mended["recounts"].items() if count != Count()},
    }
    state.update_one({"_id": "log"}, {"$set": {"schema": 4}})
    store.records.prepare()
    assert everything(store) == mended, "once more changes nothing"
    # A store that is written today is the same.
    uri, _, options = settings.mongodb_uri.partition("?")
    fresh = replace(settings, mongodb_uri=f"{uri}_fresh" + (f"?{options}" if options else ""))
    with open_store(fresh) as other:
        fill(other)
        assert everything(other) == mended
        other.database.client.drop_database(other.database.name)
    # And goes on as one.
    put(store, change("gone", "1"))
    assert store.records.count("source") == store.records.recount("source") == Count(24, 4)


def test_a_batch_that_was_being_written_when_the_store_was_closed_is_counted_once(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(parents, "with_parents", tuple)
        put(store, change("a"), change("b"))
        known = store.records.look_up(["src/a"])
        gone = [change("a", deleted=True, was=known["src/a"]), change("n", deleted=True, sets=BARE)]
        staged = store.records.stage("src", gone, NOON)
        for batch in staged:
            store.database["batches"].insert_one(batch.row)
            store.database["records"].bulk_write(batch.writes)
    store.database["state"].update_one({"_id": "log"}, {"$set": {"schema": 4}})
    store.records.prepare()
    store.records.recover("src", NOON)
    for spec in ("source", "source:src"):
        assert store.records.count(spec) == store.records.recount(spec) == Count(1, 2)


# --- through the command line --------------------------------------------------------------


def test_a_tombstone_that_was_never_seen_alive_has_its_name_and_all_its_sets(
    hub: Hub, settings: Settings
) -> None:
    odd = "never/seen alive"

    def answer(q: Question) -> str:
        if q["verb"] == "Identify":
            return identify()
        return listing(record("a", "A"), record(odd), record("b"))

    with Scripted(answer) as server:
        hub.source("src", server.source())
        hub.source("kept", server.source().replace("[options]", "republish = false\n[options]"))
        harvest(hub)
        hub("harvest", "kept")
        found = {
            r["source_identifier"]: r
            for r in hub.records("--source", "src", "--with-deleted").values()
        }
        assert set(found) == {"oai:x:a", f"oai:x:{odd}", "oai:x:b"}
        dead = found[f"oai:x:{odd}"]
        assert dead["sets"] == ["source", "source:src", "system", "system:oai-pmh"]
        alive = set(found["oai:x:a"]["sets"])
        assert alive.issuperset(dead["sets"])
        (place,) = [p for p in hub("where", f"oai:x:{odd}", "--json").lines if "src/" in p["run"]]
        assert (place["state"], place["source_identifier"]) == ("deleted", f"oai:x:{odd}")
        assert f"oai:x:{odd}" in hub("explain", dead["identifier"]).out
        assert hub("records", "--count", "--set", "source", "--with-deleted").out.strip() == "3"
        # As an earlier version left it: without its name.
        with open_store(settings) as store:
            store.database["records"].update_one(
                {"_id": dead["identifier"]}, {"$set": {"record": {}}}
            )
        shown = hub.records("--source", "src", "--with-deleted")[dead["identifier"]]
        assert shown["source_identifier"] == f"oai:x:{odd}"
        harvest(hub, "--full")
        with open_store(settings) as store:
            mended = store.records.get(dead["identifier"])
            assert mended is not None
            assert mended.record["source_identifier"] == f"oai:x:{odd}"
            assert mended.datestamp == dead["datestamp"]
