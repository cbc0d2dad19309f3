"""Partners' own clients harvest the endpoint over real HTTP."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from oaipmh.client import Client
from oaipmh.metadata import MetadataRegistry, oai_dc_reader
from oaipmh_scythe import Scythe
from sickle import Sickle

from chm_hub import web
from chm_hub.settings import Settings
from store import Store
from tests.oai.filling import NOON, delete, fill, put, record

LATER = NOON + timedelta(days=1)


@pytest.fixture
def base(store: Store, settings: Settings) -> Iterator[str]:
    fill(store)
    with web.Background(settings, "127.0.0.1", 0, store) as server:
        yield f"http://127.0.0.1:{server.port}/oai"


def with_sickle(base: str, **arguments: Any) -> set[tuple[str, bool]]:
    given = {{"set_": "set", "from_": "from"}.get(k, k): v for k, v in arguments.items()}
    return {
        (r.header.identifier, r.header.deleted)
        for r in Sickle(base).ListRecords(metadataPrefix="oai_dc", **given)
    }


def with_scythe(base: str, **arguments: Any) -> set[tuple[str, bool]]:
    with Scythe(base) as scythe:
        return {
            (r.header.identifier, r.header.deleted)
            for r in scythe.list_records(metadata_prefix="oai_dc", **arguments)
        }


def with_oaipmh(base: str, **arguments: Any) -> set[tuple[str, bool]]:
    given = {{"set_": "set"}.get(k, k): v for k, v in arguments.items()}
    if "from_" in given:
        given["from_"] = datetime.strptime(given["from_"], "%Y-%m-%dT%H:%M:%SZ")
    registry = MetadataRegistry()
    registry.registerReader("oai_dc", oai_dc_reader)
    client = Client(base, registry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.updateGranularity()
        listed = client.listRecords(metadataPrefix="oai_dc", **given)
        return {(h.identifier(), bool(h.isDeleted())) for h, _, _ in listed}


@pytest.mark.parametrize("harvest", [with_sickle, with_scythe, with_oaipmh])
def test_a_client_gets_what_the_store_has(harvest: Any, base: str, store: Store) -> None:
    counts = store.records.counts()

    def stored(spec: str | None) -> set[tuple[str, bool]]:
        return {(f"oai:hub.test:{r.identifier}", r.deleted) for r in store.records.read(spec)}

    whole = harvest(base)
    assert whole == stored(None)
    assert len(whole) == counts[""].live + counts[""].deleted
    for spec in ("country:KE", "type:nbsap", "source:src"):
        assert harvest(base, set_=spec) == stored(spec)
    put(store, [record(3, 2), record(1000)], LATER)
    delete(store, [record(4).identifier], LATER + timedelta(seconds=1))
    put(store, [record(10, 2)], LATER + timedelta(seconds=2))
    increment = harvest(base, from_="2026-01-02T00:00:00Z")
    assert increment == {
        (f"oai:hub.test:{record(3).identifier}", False),
        (f"oai:hub.test:{record(1000).identifier}", False),
        (f"oai:hub.test:{record(4).identifier}", True),
        (f"oai:hub.test:{record(10).identifier}", False),
    }
    assert dict(whole) | dict(increment) == dict(stored(None))
    assert harvest(base) == stored(None)
