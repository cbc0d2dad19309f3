"""The record store, on a real engine: positions, datestamps, walks, counts, recovery."""

from __future__ import annotations

import zlib
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from lxml import etree

from store import OWN, Change, Count, Part, Store
from store.records import BATCH, ORPHANED_SECONDS, STRIDE, private_sets

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def change(
    name: str, version: str = "1", *, country: str = "KE", deleted: bool = False, **more: Any
) -> Change:
    made = Change(
        identifier=f"src/{name}",
        record=None if deleted else {"title": [{"value": f"{name} {version}"}], "type": "nbsap"},
        hash="" if deleted else version,
        sets=("source:src", "type:nbsap", f"country:{country}"),
        fragments={} if deleted else {"oai_dc": f"<metadata>{name}-{version}</metadata>"},
        document=f"d{version}",
        crosswalk="c",
        page="src/1/1",
        index=0,
    )
    return replace(made, **more)


def put(store: Store, *changes: Change, now: datetime = NOON) -> None:
    known = store.records.look_up([c.identifier for c in changes])
    store.records.put("src", [replace(c, was=known.get(c.identifier)) for c in changes], now)


def elements(part: Part) -> list[tuple[str, str, list[str], bool, str | None]]:
    """What the records of a part say: identifier, datestamp, sets, deleted, metadata."""
    found = []
    for made in etree.fromstring(b"<all>%b</all>" % part.xml.replace(OWN.encode(), b"own:")):
        head, fragment = made[0], (*made[1:], None)[0]
        found.append(
            (
                head.findtext("identifier").removeprefix("own:"),
                head.findtext("datestamp"),
                [e.text for e in head.findall("setSpec")],
                head.get("status") == "deleted",
                None if fragment is None else etree.tostring(fragment, encoding="unicode"),
            )
        )
    return found


def walk(store: Store, limit: int = 7, **arguments: Any) -> list[tuple[str, str, bool, str | None]]:
    bound = arguments.pop("bound", store.records.snapshot().bound)
    after, met = arguments.pop("after", 0), []
    while True:
        part = store.records.walk(
            after=after, bound=bound, limit=limit, prefix="oai_dc", **arguments
        )
        records = elements(part)
        met += [(r[0], r[1], r[3], r[4]) for r in records]
        assert len(records) == part.count
        assert 0 < part.count <= limit or not part.more
        if not part.more:
            return met
        after = part.last


def recount(store: Store) -> dict[str, Count]:
    """The counts of all sets but the fine ones, counted anew from the records themselves."""
    live: Counter[str] = Counter()
    gone: Counter[str] = Counter()
    for record in store.records.read():
        private = record.sets[0].startswith("~")
        for name in record.sets if private else ("", *record.sets):
            (gone if record.deleted else live)[name] += 1
        # To those who read a set a record that left it is gone.
        for name in ("", *record.left) if private and record.left else record.left:
            gone[name] += 1
    return {n: Count(live[n], gone[n]) for n in live | gone if n.count(":") < 2}


def settled(counts: dict[str, Count]) -> dict[str, Count]:
    return {name: count for name, count in counts.items() if count != Count()}


def test_walks_give_every_record_once_in_the_order_of_its_last_change(store: Store) -> None:
    names = [f"r{i:03}" for i in range(2 * BATCH + 30)]
    put(store, *(change(name) for name in names))
    put(store, change("r005", "2"), change("r150", "2"), now=NOON + timedelta(seconds=9))
    expected = [n for n in names if n not in ("r005", "r150")] + ["r005", "r150"]
    for limit in (1, 7, BATCH, 1000):
        met = walk(store, limit)
        assert [identifier for identifier, *_ in met] == [f"src/{n}" for n in expected]
    assert met[-1][1] == "2026-01-01T12:00:09Z"
    assert met[-1][3] == "<metadata>r150-2</metadata>"
    assert walk(store, 10, set_spec="country:KE") == walk(store, 10)


def test_a_walk_of_a_set_gives_its_members_alone_however_they_lie(store: Store) -> None:
    put(store, *(change(f"a{i}", country="FJ" if i % 90 == 0 else "KE") for i in range(450)))
    put(store, *(change(f"b{i}", country="FJ") for i in range(40)))
    met = [identifier for identifier, *_ in walk(store, 9, set_spec="country:FJ")]
    assert met == [f"src/a{i}" for i in range(0, 450, 90)] + [f"src/b{i}" for i in range(40)]


def test_a_deleted_record_stays_in_its_sets_and_a_revived_one_loses_its_tombstone(
    store: Store,
) -> None:
    put(store, change("a"), change("b"))
    put(store, change("a", deleted=True), now=NOON + timedelta(seconds=1))
    assert store.records.counts()["country:KE"] == Count(1, 1)
    assert [m[2] for m in walk(store, set_spec="country:KE")] == [False, True]
    entry = store.records.get_published("src/a", "oai_dc")
    assert entry is not None
    assert entry.deleted
    assert entry.fragment is None
    put(store, change("a", "3"), now=NOON + timedelta(seconds=2))
    assert store.records.counts()[""] == Count(2, 0)
    assert [m[2] for m in walk(store)] == [False, False]
    assert settled(store.records.counts()) == recount(store)


def of_set(store: Store, spec: str) -> list[tuple[str, bool, str | None]]:
    bound = store.records.snapshot().bound
    part = store.records.walk(after=0, bound=bound, limit=100, prefix="oai_dc", set_spec=spec)
    records = elements(part)
    for _, _, sets, *_ in records:
        assert spec in sets
    return [(identifier, deleted, fragment) for identifier, _, _, deleted, fragment in records]


def test_a_record_that_leaves_a_set_is_gone_to_its_readers_and_nobody_else(store: Store) -> None:
    put(store, change("a", country="KE"), change("b", country="KE"))
    put(store, change("a", "2", country="FJ"), now=NOON + timedelta(hours=1))
    assert settled(store.records.counts()) == recount(store)
    assert store.records.counts()["country:KE"] == Count(1, 1)
    assert store.records.counts()[""] == Count(2, 0)
    assert [(i, d) for i, d, _ in of_set(store, "country:KE")] == [
        ("src/b", False),
        ("src/a", True),
    ]
    assert [(i, d) for i, d, _ in of_set(store, "country:FJ")] == [("src/a", False)]
    entry = store.records.get_published("src/a", "oai_dc")
    assert entry is not None
    assert entry.fragment is not None
    assert "country:KE" not in entry.sets
    assert {identifier: deleted for identifier, _, deleted, _ in walk(store)} == {
        "src/b": False,
        "src/a": False,
    }
    # It goes on being gone there when it changes again, and is back when it comes back.
    put(store, change("a", "3", country="FJ"), now=NOON + timedelta(hours=2))
    assert ("src/a", True, None) in of_set(store, "country:KE")
    put(store, change("a", "4", country="KE"), now=NOON + timedelta(hours=3))
    assert [d for i, d, _ in of_set(store, "country:KE") if i == "src/a"] == [False]
    assert ("src/a", True, None) in of_set(store, "country:FJ")
    assert settled(store.records.counts()) == recount(store)


def test_a_record_that_is_no_longer_published_is_gone_to_all_who_had_it(store: Store) -> None:
    put(store, change("a", country="KE"))
    hidden = change("a", "2", sets=private_sets("src"), fragments={})
    put(store, hidden, change("never", sets=private_sets("src"), fragments={}))
    assert [(i, d, f) for i, _, d, f in walk(store)] == [("src/a", True, None)]
    assert of_set(store, "country:KE") == [("src/a", True, None)]
    entry = store.records.get_published("src/a", None)
    assert entry is not None
    assert entry.deleted
    assert store.records.get_published("src/never", None) is None
    assert settled(store.records.counts()) == recount(store)
    put(store, change("a", "3", country="KE"))
    assert [(i, d) for i, _, d, _ in walk(store)] == [("src/a", False)]
    assert settled(store.records.counts()) == recount(store)


def test_fine_sets_are_listed_and_counted_when_asked(store: Store) -> None:
    sets = ("source:src", "type:nbsap", "country:KE", "country:KE:nbsap")
    put(store, change("a", sets=sets), change("b", sets=sets))
    put(store, change("b", "2"))
    assert store.records.fine_sets() == ["country:KE:nbsap"]
    assert store.records.count("country:KE:nbsap") == Count(1, 1)
    assert "country:KE:nbsap" not in store.records.counts()


OF_SETS = {"number": 1, "sets": 1, "members": 1, "tombstones": 1}
"""What a batch has known of sets since the store's fourth version."""


def test_records_of_the_first_version_are_brought_up_to_date(store: Store) -> None:
    put(store, change("a", country="KE"))
    database = store.database
    database["records"].update_many({}, {"$unset": {"left": 1}})
    database["records"].create_index([("member", 1), ("seq", 1)], name="member_seq")
    database["batches"].update_many({}, {"$unset": OF_SETS})
    database["batches"].drop_index("sets_number")
    database["state"].update_one({"_id": "log"}, {"$unset": {"schema": 1}})
    store.records.prepare()
    assert set(database["records"].index_information()) == {"_id_"}
    assert [(i, d) for i, d, _ in of_set(store, "country:KE")] == [("src/a", False)]
    put(store, change("a", "2", country="FJ"))
    assert of_set(store, "country:KE") == [("src/a", True, None)]


def test_batches_of_the_second_version_are_rendered_whole(store: Store) -> None:
    put(store, *(change(f"r{i}") for i in range(5)), change("gone", deleted=True))
    put(store, change("r2", "2"), change("secret", sets=private_sets("src")))
    before = walk(store, 4)
    batches, state = store.database["batches"], store.database["state"]
    packed = {1: [f"<metadata>r{i}-1</metadata>" for i in range(5)] + [""]}
    packed[2] = ["<metadata>r2-2</metadata>", "<metadata>secret-1</metadata>"]
    for number, fragments in packed.items():
        old = {"xml": {"oai_dc": zlib.compress("\0".join(fragments).encode())}}
        gone = {"runs": 1, "size": 1, "hidden": 1, **OF_SETS}
        batches.update_one({"_id": number}, {"$set": old, "$unset": gone})
    state.update_one({"_id": "log"}, {"$set": {"schema": 2}})
    store.records.prepare()
    assert walk(store, 4) == before
    assert walk(store, 4, set_spec="country:KE") == before
    assert "xml" not in (batches.find_one({"_id": 1}) or {})


def test_runs_of_the_third_version_are_packed_in_chunks(store: Store) -> None:
    put(store, *(change(f"r{i}") for i in range(25)))
    before = walk(store, 4)
    batches = store.database["batches"]
    row = batches.find_one({"_id": 1})
    assert row is not None
    whole = {
        prefix: zlib.compress(b"\0".join(zlib.decompress(chunk) for chunk in chunks))
        for prefix, chunks in row["runs"].items()
    }
    batches.update_one({"_id": 1}, {"$set": {"runs": whole}, "$unset": OF_SETS})
    store.database["state"].update_one({"_id": "log"}, {"$set": {"schema": 3}})
    store.records.prepare()
    assert walk(store, 4) == walk(store, 4, set_spec="country:KE") == before
    assert batches.find_one({"_id": 1}) == row


def test_datestamps_never_go_down_even_if_the_clock_does(store: Store) -> None:
    put(store, change("a"), now=NOON)
    put(store, change("b"), now=NOON - timedelta(hours=1))
    put(store, change("c"), now=NOON + timedelta(hours=1))
    assert [m[1] for m in walk(store)] == [
        "2026-01-01T12:00:00Z",
        "2026-01-01T12:00:00Z",
        "2026-01-01T13:00:00Z",
    ]
    assert store.records.earliest() == "2026-01-01T12:00:00Z"


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        ("2025-01-01T00:00:00Z", "abcd"),
        ("2026-01-01T12:00:00Z", "abcd"),
        ("2026-01-01T12:00:01Z", "bcd"),
        ("2026-01-01T12:00:02Z", "cd"),
        ("2026-01-01T12:00:03Z", "d"),
        ("2026-01-01T12:00:04Z", ""),
    ],
)
def test_a_datestamp_is_found_among_the_positions(store: Store, since: str, expected: str) -> None:
    for second, name in enumerate("abcd"):
        put(store, change(name), now=NOON + timedelta(seconds=second))
    bound = store.records.snapshot().bound
    after = store.records.position_before(since, bound)
    met = walk(store, after=after, bound=bound)
    assert "".join(identifier[-1] for identifier, *_ in met) == expected


def test_what_is_not_to_be_published_is_kept_but_never_served(store: Store) -> None:
    put(store, change("a"), change("secret", sets=private_sets("src"), fragments={}))
    assert [m[0] for m in walk(store)] == ["src/a"]
    assert store.records.get_published("src/secret", "oai_dc") is None
    assert store.records.get("src/secret") is not None
    assert store.records.counts()[""] == Count(1, 0)
    assert store.records.counts()["~source:src"] == Count(1, 0)
    assert {r.identifier for r in store.records.of_source("src")} == {"src/a", "src/secret"}
    assert settled(store.records.counts()) == recount(store)


def test_touching_a_record_moves_nothing(store: Store) -> None:
    put(store, change("a"))
    before = walk(store)
    store.records.touch([("src/a", "d9", "c9", "src/2/4", 3, None)])
    assert walk(store) == before
    record = store.records.get("src/a")
    assert record is not None
    assert (record.document, record.crosswalk, record.page, record.index) == (
        "d9",
        "c9",
        "src/2/4",
        3,
    )


class Killed(Exception):
    pass


STEPS = ("announced", "packed", "half written", "written", "visible")


@pytest.mark.parametrize("step", STEPS)
def test_a_writer_that_dies_at_any_step_leaves_nothing_that_recovery_does_not_mend(
    store: Store, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each step of a batch is made the last one a writer does; then the same changes come
    again, as they do when a harvest is run again."""
    put(store, *(change(f"r{i}") for i in range(20)))
    reference = [f"src/r{i}" for i in range(5, 20)] + [f"src/r{i}" for i in range(5)]
    records = store.records
    bound_before = records.snapshot().bound
    if step == "announced":
        monkeypatch.setattr(type(records._batches), "insert_one", _die)
    elif step == "packed":
        monkeypatch.setattr(type(records._records), "bulk_write", _die)
    elif step == "half written":
        whole = type(records._records).bulk_write
        monkeypatch.setattr(
            type(records._records),
            "bulk_write",
            lambda self, ops, **kw: (whole(self, ops[:2], **kw), _die()),
        )
    elif step == "written":
        monkeypatch.setattr(type(records), "_close", _die)
    else:
        monkeypatch.setattr(type(records), "_settle", _die)
    again = [change(f"r{i}", "2") for i in range(5)]
    with pytest.raises(Killed):
        put(store, *again, now=datetime.now(UTC))
    monkeypatch.undo()
    if step != "visible":
        assert records.snapshot().bound == bound_before, "an open batch must not be readable"
    assert records.recover("src", NOON) == (0 if step == "visible" else 1)
    known = records.look_up([c.identifier for c in again])
    rest = [c for c in again if known[c.identifier].hash != c.hash]
    put(store, *rest, now=datetime.now(UTC))
    met = walk(store)
    assert sorted(m[0] for m in met) == sorted(reference)
    assert [m[0] for m in met][:15] == reference[:15]
    assert {m[3] for m in met[15:]} == {f"<metadata>r{i}-2</metadata>" for i in range(5)}
    assert settled(records.counts()) == recount(store)
    assert records.recover("src", NOON) == 0


def _die(*_: object, **__: object) -> None:
    raise Killed


def test_readers_stop_before_an_open_batch_and_recover_an_old_one(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, change("a"))
    monkeypatch.setattr(type(store.records), "_close", _die)
    with pytest.raises(Killed):
        put(store, change("b"), now=datetime.now(UTC))
    monkeypatch.undo()
    snapshot = store.records.snapshot()
    assert snapshot.bound == 2 * STRIDE - 1
    log = store.records._log()
    assert f"{snapshot.as_of:%Y-%m-%dT%H:%M:%SZ}" <= log["open"][0]["datestamp"]
    old = datetime.now(UTC) - timedelta(seconds=ORPHANED_SECONDS + 1)
    store.records._state.update_one({"_id": "log"}, {"$set": {"open.0.at": old}})
    assert store.records.snapshot().bound == 3 * STRIDE - 1
    assert [m[0] for m in walk(store)] == ["src/a", "src/b"]
    assert settled(store.records.counts()) == recount(store)
