"""The query contract: no command makes the engine look through a whole collection.

Every command the hub sends during a harvest, a walk and the reading commands is recorded and
explained by the engine; see docs/decisions/0004-query-contract.md.
"""

from __future__ import annotations

from typing import Any

from pymongo.monitoring import CommandListener, CommandStartedEvent

from chm_hub import web
from chm_hub.settings import Settings
from store import Store, open_store
from tests.oai.filling import fill

LARGE = {"records", "batches", "documents", "runs"}
"""Collections that grow; the others have an entry a source."""
COMMANDS = ("find", "aggregate", "update", "delete", "findAndModify", "count")


class Recorder(CommandListener):
    def __init__(self) -> None:
        self.commands: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in (
            "find",
            "aggregate",
            "update",
            "delete",
            "findAndModify",
            "count",
        ):
            self.commands.append(dict(event.command))

    def succeeded(self, event: Any) -> None: ...

    def failed(self, event: Any) -> None: ...


def exercise(store: Store, settings: Settings) -> None:
    fill(store, 300)
    client = web.create_app(settings, store).test_client()
    for query in (
        "verb=Identify",
        "verb=ListSets",
        "verb=ListRecords&metadataPrefix=oai_dc",
        "verb=ListRecords&metadataPrefix=chm&set=country:KE",
        "verb=ListIdentifiers&metadataPrefix=oai_dc&from=2026-01-01T12:00:01Z&until=2026-01-02T00:00:00Z",
        "verb=GetRecord&metadataPrefix=oai_dc&identifier=oai:hub.test:src/00002",
    ):
        assert client.get(f"/oai?{query}").status_code == 200
    assert client.get("/").status_code == 200
    list(store.records.read())
    list(store.records.of_source("src"))
    store.records.counts()
    from datetime import UTC, datetime

    from chm_hub.document import Page

    run = store.runs.begin("src", "harvest", datetime.now(UTC))
    store.runs.save(run)
    name = store.documents.keep(run.identifier, 1, Page(payloads=[]))
    store.documents.page(name)
    store.runs.history("src")
    list(store.runs.kept_pages("src"))
    store.records.recover("src", datetime.now(UTC))


def filters(command: dict[str, Any]) -> list[tuple[str, dict[str, Any], bool]]:
    """(collection, filter, limited) of each question in a command."""
    if "find" in command:
        return [(command["find"], command.get("filter", {}), bool(command.get("limit")))]
    if "updates" in command:
        return [(command["update"], u["q"], False) for u in command["updates"]]
    if "delete" in command:
        return [(command["delete"], d["q"], False) for d in command["deletes"]]
    if "findAndModify" in command:
        return [(command["findAndModify"], command.get("query", {}), False)]
    return [(command.get("aggregate") or command["count"], {}, False)]


def is_bounded(asked: dict[str, Any]) -> bool:
    """By ``_id`` (one or several), or by a set and a window of numbers with both ends."""
    if isinstance(asked.get("_id"), str | int) or set(asked.get("_id") or ()) == {"$in"}:
        return True
    window = asked.get("number", {})
    return isinstance(asked.get("sets"), str) and {"$gt", "$lte"} <= set(window)


def test_every_question_to_a_large_collection_is_bounded(settings: Settings) -> None:
    recorder = Recorder()
    with open_store(settings, listeners=(recorder,)) as store:
        exercise(store, settings)
        asked = [question for command in recorder.commands for question in filters(command)]
        large = [(name, query) for name, query, _ in asked if name in LARGE]
        assert {name for name, _ in large} == LARGE, "the exercise must touch them all"
        loose = [(name, query) for name, query in large if not is_bounded(query)]
        assert not loose
        for name, query in large:
            if "sets" in query:
                plan = str(store.database[name].find(query).explain())
                assert "COLLSCAN" not in plan, (name, query)
                break
        store.database.client.drop_database(store.database.name)
