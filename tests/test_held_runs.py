"""A run that is held publishes nothing, whatever the protocol and the length of its pages; what a
person decides of it does what it says. Through the command line."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.server import Answer, Request
from store import Store
from tests.adapters.partners import run_of, serving
from tests.adapters.test_stac import catalog, collection, item
from tests.repository import Repository, harvest, live
from tests.running import Hub

NAMES = [f"r{i:03}" for i in range(60)]
NEW = [f"n{i:03}" for i in range(60)]


@pytest.fixture
def repository(hub: Hub) -> Iterator[Repository]:
    with Repository() as made:
        made.add(*NAMES)
        hub.source("src", made.source())
        yield made


def titles(hub: Hub, source: str = "src") -> dict[str, str]:
    return {
        name: (record.get("title") or [{"value": ""}])[0]["value"]
        for name, record in hub.records("--source", source).items()
    }


# --- nothing before it is judged ---------------------------------------------------------------


@pytest.mark.parametrize("page", [pytest.param(1, marks=pytest.mark.slow), 3, 10, 1000])
def test_a_held_run_publishes_nothing_whatever_the_size_of_its_pages(
    hub: Hub, repository: Repository, store: Store, page: int
) -> None:
    harvest(hub)
    before = hub.records("--with-deleted")
    repository.page = page
    repository.add(*NAMES[:55], title="")
    repository.add("new1", "new2")
    for _ in range(2):
        run = harvest(hub, "--full")
        assert (run["state"], run["error"]) == ("held", "drift"), run
        assert (run["seen"], run["unchanged"], run["held_back"]) == (62, 62, 57)
        assert (run["new"], run["changed"], run["written"]) == (0, 0, 0)
        assert hub.records("--with-deleted") == before
        shown = hub("held", "show", "src").out
        assert "title: 55 of 60 records lose theirs (such as src/" in shown
        assert "of 62 documents 57 wait, 2 of them new" in shown
        assert shown.count("\theld back\t") == 2
    assert store.database["staged"].count_documents({}) == 0
    # Mapping what is kept does not bring it in by another door.
    assert hub("map", "src").code == 0
    assert hub.records("--with-deleted") == before
    repository.add(*NAMES)
    assert harvest(hub, "--full")["state"] == "complete"
    assert set(titles(hub).values()) == {f"Title of {n}" for n in (*NAMES, "new1", "new2")}


def a_tree(names: list[str], *, titled: bool) -> dict[str, Any]:
    """A static catalogue with 19 items in each collection: less than a guard's sample."""
    made: dict[str, Any] = {
        "catalog.json": catalog(*(("child", f"{name}/collection.json") for name in names))
    }
    for name in names:
        own = [f"{name}-{number}" for number in range(19)]
        links = [{"rel": "item", "href": f"{one}.json"} for one in own]
        made[f"{name}/collection.json"] = collection(name, links)
        for one in own:
            properties = {"datetime": "2020-01-01T00:00:00Z", "title": f"Item {one}"}
            bare = {"datetime": "2021-01-01T00:00:00Z", "gsd": 10}
            made[f"{name}/{one}.json"] = item(
                one, name, properties=properties if titled else bare, links=[]
            )
    return made


def test_a_static_catalogue_that_became_another_comes_in_by_no_instalments(hub: Hub) -> None:
    tree = a_tree(["a", "b", "c"], titled=True)

    def respond(request: Request) -> Answer:
        found = tree.get(request.path.lstrip("/"))
        body = json.dumps(found).encode() if found else b"{}"
        return Answer(body, "application/json", 200 if found else 404)

    with serving(respond) as url:
        hub.source("st", f'title = "S"\nadapter = "stac"\nurl = "{url}/catalog.json"\n')
        first = run_of(hub, "st")
        assert first["state"].startswith("complete"), first
        before = hub.records("--with-deleted")
        assert len(before) >= 57
        tree.clear()
        tree.update(a_tree(["x", "y", "z"], titled=False))
        for _ in range(4):
            run = run_of(hub, "st")
            assert (run["state"], run["error"]) == ("held", "drift"), json.dumps(run)
            assert run["held_back"] >= 57
            assert hub.records("--with-deleted") == before
        shown = hub("held", "show", "st", "--limit", "100").out
        assert shown.count("\theld back\t") >= 57
        # Taken as it is: all of it comes, at once.
        assert hub("held", "approve", "st").code == 0
        assert run_of(hub, "st")["new"] >= 57
        assert run_of(hub, "st")["state"].startswith("complete")


def feed(names: list[str], *, titled: bool = True, ids: str = "") -> bytes:
    entries = "".join(
        "<item>"
        + (f"<title>News {name}</title>" if titled else "")
        + f'<guid isPermaLink="false">{ids}{name}</guid><link>https://n.example/{name}</link>'
        + f"<description>About {name}</description></item>"
        for name in names
    )
    head = "<title>N</title><link>https://n.example/</link>"
    return f'<rss version="2.0"><channel>{head}{entries}</channel></rss>'.encode()


def solr(names: list[str], *, titled: bool = True, ids: str = "") -> Callable[[Request], Answer]:
    def respond(request: Request) -> Answer:
        told = dict(request.arguments())
        start = int(told.get("cursorMark", "*").replace("*", "0"))
        docs = [
            {"id": f"{ids}{name}", "url": f"https://n.example/{name}"}
            | ({"title": f"News {name}"} if titled else {})
            for name in names[start : start + 7]
        ]
        mark = str(start + len(docs))
        body = {"response": {"numFound": len(names), "docs": docs}, "nextCursorMark": mark}
        return Answer(json.dumps(body).encode(), "application/json")

    return respond


def test_a_feed_whose_entries_lost_their_titles_publishes_none_of_them(hub: Hub) -> None:
    body = feed(NAMES)
    with serving(lambda request: Answer(body, "application/rss+xml")) as url:
        hub.source("f", f'title = "F"\nadapter = "feed"\nurl = "{url}/feed"\n')
        assert run_of(hub, "f")["new"] == 60
        before = hub.records("--with-deleted")
        body = feed(NAMES, titled=False)
        run = run_of(hub, "f")
        assert (run["state"], run["error"], run["held_back"]) == ("held", "drift", 60)
        assert hub.records("--with-deleted") == before
        assert hub("held", "reject", "f").code == 0
        assert run_of(hub, "f")["state"] == "held"
        assert hub.records("--with-deleted") == before


def test_few_records_are_guarded_where_all_of_them_lose_something(hub: Hub) -> None:
    with Repository() as made:
        made.add("a", "b", "c")
        hub.source("src", made.source())
        harvest(hub)
        made.add("a", "b", "c", title="")
        assert harvest(hub, "--full")["state"] == "held"


# --- a run that is killed ----------------------------------------------------------------------


def test_what_waits_to_be_judged_survives_a_kill_and_is_judged_with_the_rest(
    hub: Hub, repository: Repository, store: Store
) -> None:
    harvest(hub)
    repository.page, repository.slow = 5, 0.2
    repository.add(*NAMES, title="Better {}")
    process = hub.start("harvest", "src", "--full")
    staged = store.database["staged"]
    deadline = time.monotonic() + 60
    while staged.count_documents({}) < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    assert 4 <= staged.count_documents({}) < 12
    assert set(titles(hub).values()) == {f"Title of {n}" for n in NAMES}
    repository.slow = 0
    asked = len(repository.asked)
    run = harvest(hub)
    assert run["state"] == "complete", run
    lists = [one.path for one in repository.asked[asked:] if "ListRecords" in one.path]
    assert "resumptionToken" in lists[0], "it goes on where the other stopped"
    assert set(titles(hub).values()) == {f"Better {n}" for n in NAMES}
    assert staged.count_documents({}) == 0
    assert hub("ledger", "src").code == 0


# --- new names for what is there ---------------------------------------------------------------


def rename(repository: Repository, names: list[str]) -> None:
    """The records of these names go by new ones, with the titles and links they have."""
    for name in names:
        thing = repository.things.pop(name)
        new = f"moved-{name}"
        repository.add(new)
        repository.things[new].title = thing.title
    whole = Repository._record

    def linked(name: str) -> str:
        link = f"https://x.example/{name.removeprefix('moved-')}<"
        return whole(repository, name).replace(f"https://x.example/{name}<", link)

    repository._record = linked  # type: ignore[method-assign]


@pytest.mark.parametrize("page", [pytest.param(1, marks=pytest.mark.slow), 60])
@pytest.mark.parametrize("whole", [True, False])
def test_renamed_records_are_held_and_never_there_twice(
    hub: Hub, repository: Repository, page: int, whole: bool
) -> None:
    harvest(hub)
    before = hub.records("--with-deleted")
    repository.page = page
    rename(repository, NAMES)
    run = harvest(hub, *(["--full"] if whole else []))
    assert (run["state"], run["error"], run["full"]) == ("held", "drift", whole)
    assert "60 of 60 records have come under new names" in run["reason"]
    assert hub.records("--with-deleted") == before
    shown = hub("held", "show", "src", "--limit", "100").out
    assert "approve deletes 60 records under their old names" in shown
    assert shown.count("\trenamed to src/") == 60
    assert hub("held", "list", "--json").lines[0]["records"] == 60
    # A run that changes nothing leaves it waiting, and deletes none of the old.
    repository._record, moved = Repository._record.__get__(repository), repository._record
    later, repository.things = repository.things, {}
    harvest(hub)
    assert live(hub) == set(NAMES)
    assert hub("held", "list", "--json").lines[0]["records"] == 60
    repository.things, repository._record = later, moved  # type: ignore[method-assign]

    assert "60 records deleted" in hub("held", "approve", "src").err
    assert harvest(hub, "--full")["new"] == 60
    assert live(hub) == {f"moved-{n}" for n in NAMES}
    assert sorted(titles(hub).values()) == sorted(f"Title of {n}" for n in NAMES)
    assert "another name" in hub("where", "oai:x:r001").out
    assert harvest(hub, "--full")["state"] == "complete"
    assert hub("ledger", "src").code == 0

    assert "60 records are back" in hub("held", "undo", "src").err
    assert live(hub) == set(NAMES), "and what was taken under new names is gone"
    assert harvest(hub)["state"] == "held"
    assert hub("held", "reject", "src").code == 0
    assert live(hub) == set(NAMES)
    assert hub("ledger", "src").code == 0


def test_renamed_rows_of_an_index_are_held_and_taken_once(hub: Hub) -> None:
    rows = solr(NAMES)
    with serving(lambda request: rows(request)) as url:
        hub.source("so", f'title = "S"\nadapter = "solr"\nurl = "{url}/x"\n[options]\nrows = 7\n')
        assert run_of(hub, "so")["new"] == 60
        before = titles(hub, "so")
        rows = solr(NAMES, ids="urn:new:")
        run = run_of(hub, "so")
        assert (run["state"], run["held_back"]) == ("held", 60), run
        assert "60 of 60 records have come under new names" in run["reason"]
        assert titles(hub, "so") == before
        assert hub("held", "approve", "so").code == 0
        assert run_of(hub, "so")["new"] == 60
        assert sorted(titles(hub, "so").values()) == sorted(before.values())


def test_renamed_entries_of_a_feed_stay_one_record_each(hub: Hub) -> None:
    body = feed(NAMES)
    with serving(lambda request: Answer(body, "application/rss+xml")) as url:
        hub.source("f", f'title = "F"\nadapter = "feed"\nurl = "{url}/feed"\n')
        run_of(hub, "f")
        before = titles(hub, "f")
        body = feed(NAMES, ids="new-")
        run_of(hub, "f")
        assert titles(hub, "f") == before


def test_renamed_items_of_a_catalogue_with_new_addresses_are_held(hub: Hub) -> None:
    tree = a_tree(["a", "b", "c"], titled=True)

    def respond(request: Request) -> Answer:
        found = tree.get(request.path.lstrip("/"))
        body = json.dumps(found).encode() if found else b"{}"
        return Answer(body, "application/json", 200 if found else 404)

    with serving(respond) as url:
        hub.source("st", f'title = "S"\nadapter = "stac"\nurl = "{url}/catalog.json"\n')
        run_of(hub, "st")
        before = hub.records("--with-deleted")
        for path, one in list(tree.items()):
            if one["type"] == "Feature":
                one["id"] = f"new-{one['id']}"
                tree[path] = one
        run = run_of(hub, "st")
        assert (run["state"], run["error"]) == ("held", "drift"), run
        assert "identifiers: 57 of" in run["reason"]
        assert hub.records("--with-deleted") == before


def test_new_records_beside_the_old_ones_are_not_held(hub: Hub, repository: Repository) -> None:
    harvest(hub)
    repository.add(*NEW)
    run = harvest(hub)
    assert (run["state"], run["new"]) == ("complete", 60)
    # The same titles and links, listed beside the old ones: the source has them twice.
    rename(repository, NAMES[:10])
    for name in NAMES[:10]:
        repository.add(name)
    assert harvest(hub, "--full")["state"] == "complete"


# --- rules that change -------------------------------------------------------------------------


def test_a_crosswalk_that_loses_what_records_had_is_held(
    hub: Hub, repository: Repository, settings: Settings
) -> None:
    harvest(hub)
    before = hub.records("--with-deleted")
    good = repository.source()
    hub.source("src", repository.source(crosswalk="feed"))
    for again in (["map", "src", "--json"], ["harvest", "src", "--full", "--json"]):
        said = hub(*again)
        (run,) = said.lines
        assert (said.code, run["state"], run["error"]) == (1, "held", "drift"), run
        assert (run["new"], run["changed"], run["deleted"], run["written"]) == (0, 0, 0, 0)
        assert run["seen"] == run["unchanged"] == 60
        assert run["held_back"] == 60
        assert "lose theirs" in run["reason"] or "mapped any more" in run["reason"]
        assert hub.records("--with-deleted") == before
    said = hub("map", "src")
    assert said.code == 1
    assert "chm-hub map src --dry-run" in said.err
    assert "chm-hub held approve src" in said.err
    (line,) = hub("health", "src", "--json").lines
    assert "held" in {reason["word"] for reason in line["reasons"]}

    seen = hub("map", "src", "--dry-run", "--json").lines[-1]["summary"]
    assert seen["live"] == 60
    assert seen["fields"]["title"]["lost"]["records"] == 60
    assert seen["held"]
    shown = hub("map", "src", "--dry-run").out
    assert "title: lost by 60 (such as src/" in shown
    assert "a run would be held: " in shown
    assert hub.records("--with-deleted") == before
    dry = hub("harvest", "src", "--dry-run", "--json").lines
    assert len(dry) == 61
    assert dry[-1]["summary"]["fields"]["title"]["lost"]["records"] == 60

    assert "records stay as they are" in hub("held", "reject", "src").err
    assert hub("map", "src").code == 1
    # The crosswalk as it was: nothing is wrong any more.
    hub.source("src", good)
    assert hub("map", "src").code == 0
    assert hub("held", "list", "--json").lines == []
    assert set(titles(hub).values()) == {f"Title of {n}" for n in NAMES}


def test_records_that_a_person_agreed_to_skip_are_deleted_at_once_and_can_come_back(
    hub: Hub, repository: Repository
) -> None:
    folder = hub.data / "rules"
    folder.mkdir()
    hub.environ["CHM_HUB_CROSSWALKS"] = str(folder)
    rules = folder / "own.toml"
    rules.write_text('extends = "oai_dc"\n')
    hub.source("src", repository.source(crosswalk="own"))
    harvest(hub)
    rules.write_text('extends = "oai_dc"\nskip = "contains(header.identifier, \'r\')"\n')
    said = hub("map", "src")
    assert said.code == 1
    assert "60 of 60 records are skipped now, and would be deleted" in said.err
    assert len(live(hub)) == 60
    assert hub("held", "approve", "src").code == 0
    assert hub("map", "src").code == 0
    assert live(hub) == set()
    assert hub("held", "undo", "src").code == 0
    assert len(live(hub)) == 60


def test_a_mapping_that_moves_records_to_other_countries_is_held(hub: Hub) -> None:
    with serving(lambda request: Answer(feed(NAMES), "application/rss+xml")) as url:
        text = f'title = "F"\nadapter = "feed"\nurl = "{url}/feed"\n'
        hub.source("f", text)
        run_of(hub, "f")
        hub.source("f", text + 'country = "KE"\n')
        (run,) = hub("map", "f", "--json").lines
        assert (run["state"], run["changed"]) == ("complete", 60), "what is only added passes"
        hub.source("f", text + 'country = "TZ"\n')
        (run,) = hub("map", "f", "--json").lines
        assert (run["state"], run["written"]) == ("held", 0)
        assert "countries: 60 of 60 records change theirs" in run["reason"]
        assert {r["spatial"][0] for r in hub.records().values()} == {"KE"}
        assert "chm-hub map f" in hub("held", "approve", "f").err
        (run,) = hub("map", "f", "--json").lines
        assert (run["state"], run["written"]) == ("complete", 60)
        assert {r["spatial"][0] for r in hub.records().values()} == {"TZ"}
        # What was taken is what the next runs are compared with.
        hub.source("f", text + 'country = "KE"\n')
        assert hub("map", "f", "--json").lines[0]["state"] == "held"


# --- what is stored of a run that went wrong ----------------------------------------------------


def test_a_run_that_is_cut_off_says_what_it_has_stored(hub: Hub, repository: Repository) -> None:
    whole = repository._list

    def cut(verb: str, query: dict[str, str]) -> str:
        if query.get("resumptionToken", "").endswith("|30"):
            repository.down = True
        return whole(verb, query)

    repository._list = cut  # type: ignore[method-assign]
    hub.source("src", repository.source() + "[options]\ntries = 1\n")
    said = hub("harvest", "src", "--json")
    (run,) = said.lines
    assert run["state"] == "partial", run
    assert run["written"] == len(hub.records()) > 0
    assert f"it wrote {run['written']} records, which stay" in run["reason"]
    assert f"it wrote {run['written']} records, which stay" in said.err
    assert f"it wrote {run['written']} records, which stay" in hub("runs", "src").out
    assert hub("harvest", "src").code == 1
    assert "it wrote no record" in hub("runs", "src").out


def test_a_run_that_read_too_little_says_what_it_has_stored(
    hub: Hub, repository: Repository
) -> None:
    repository.nameless = set(NAMES[:20])
    run = harvest(hub)
    assert (run["state"], run["written"]) == ("failed", 40)
    assert "it wrote 40 records, which stay" in run["reason"]
    assert len(hub.records()) == 40
