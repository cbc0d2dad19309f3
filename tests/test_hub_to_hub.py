"""One hub of ours harvests sets of another: records that move between sets, leave them, or die."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from chm_hub import web
from chm_hub.settings import Settings
from store import Store, open_store
from tests.oai.filling import NOON, delete, put, record
from tests.repository import harvest
from tests.running import Hub
from tests.scripted import Answer, Question, Scripted

COUNTRIES = ["KE", "UG", "TZ"]


@pytest.fixture
def origin(settings: Settings) -> Iterator[tuple[Store, Scripted]]:
    """A hub with records 0 to 8, three of each country, as a server."""
    uri, _, options = settings.mongodb_uri.partition("?")
    own = replace(settings, mongodb_uri=f"{uri}_origin" + (f"?{options}" if options else ""))
    with open_store(own) as store:
        for n in range(9):
            put(store, [record(n, spatial=[COUNTRIES[n % 3]])], NOON + timedelta(minutes=n))
        client = web.create_app(own, store).test_client()

        def answer(q: Question) -> Answer:
            said = client.get(q.path, query_string=q.arguments)
            return Answer(said.data, said.status_code)

        with Scripted(answer) as server:
            yield store, server
        store.database.client.drop_database(store.database.name)


def held(hub: Hub) -> dict[int, bool]:
    """By number, whether the record is alive with us."""
    return {
        int(r["source_identifier"].replace("/", ":").rpartition(":")[2]): not r["deleted"]
        for r in hub.records("--source", "src", "--with-deleted").values()
    }


@pytest.mark.parametrize(
    ("sets", "whole"),
    [
        ('["country:KE", "country:UG"]', False),
        ('["country:UG", "country:KE"]', False),
        ('["country:UG", "country:KE"]', True),
        ('["*"]', False),
        ('["country", "type"]', False),
    ],
)
def test_what_moves_between_sets_of_another_hub_stays(
    hub: Hub, origin: tuple[Store, Scripted], sets: str, whole: bool
) -> None:
    store, server = origin
    more = ["--full"] if whole else []
    everything = "UG" not in sets
    hub.source("src", server.source(f"sets = {sets}"))
    first = harvest(hub)
    assert first["new"] == (9 if everything else 6)
    names = {n: record(n).identifier for n in range(9)}
    later = NOON + timedelta(days=400)
    put(store, [record(0, spatial=["UG"])], later)  # from one set of ours to the other
    put(store, [record(3, spatial=["TZ"])], later)  # out of ours, if we have two
    put(store, [record(2, spatial=["KE"])], later)  # into ours
    delete(store, [names[4]], later)
    run = harvest(hub, *more)
    assert run["state"].startswith("complete")
    alive = held(hub)
    assert (alive[0], alive[2], alive[4]) == (True, True, False)
    assert alive[3] is everything
    again = harvest(hub, *more)
    assert (again["changed"], again["deleted"], again["new"]) == (0, 0, 0)
    assert held(hub) == alive
