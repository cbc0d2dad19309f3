"""Fixtures: a real engine for the whole session, a database of its own for each test."""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from chm_hub.settings import Settings, load
from store import Store, engine, open_store
from tests.running import Hub

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def engine_data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The data folder of an engine that runs as long as the tests do."""
    data = tmp_path_factory.mktemp("engine")
    engine.ensure(data)
    yield data
    engine.stop(data)


@pytest.fixture
def settings(engine_data: Path) -> Settings:
    """Settings of a hub on loopback, with a fresh database in the session's engine.

    ``CHM_HUB_TEST_MONGODB_URI`` runs the same tests on any MongoDB.
    """
    uri = os.environ.get("CHM_HUB_TEST_MONGODB_URI")
    name = f"test_{uuid.uuid4().hex[:12]}"
    if uri is None:
        uri = engine.ensure(engine_data).uri(name)
    else:
        head, _, options = uri.partition("?")
        uri = f"{head.rstrip('/')}/{name}" + (f"?{options}" if options else "")
    return replace(
        load({}),
        data=engine_data,
        mongodb_uri=uri,
        base_url="http://hub.test",
        repository_id="hub.test",
        host_delay=0.0,
    )


@pytest.fixture
def store(settings: Settings) -> Iterator[Store]:
    """An empty store in a database of its own."""
    with open_store(settings) as opened:
        yield opened
        opened.database.client.drop_database(opened.database.name)


@pytest.fixture
def hub(settings: Settings, tmp_path: Path) -> Iterator[Hub]:
    """The command line over a fresh database and a folder of sources of its own."""
    data = tmp_path / "data"
    data.mkdir()
    sources = tmp_path / "sources"
    sources.mkdir()
    yield Hub(data, settings.mongodb_uri, sources)
    with open_store(settings) as opened:
        opened.database.client.drop_database(opened.database.name)
