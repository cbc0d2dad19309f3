"""Manners at a host that several sources share, over the real store and loopback HTTP."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta

import pytest

from store import Store
from tests.fetch import loopback
from tests.running import Hub

SOURCE = 'title = "Feed"\nadapter = "feed"\nurl = "{url}"\n'
ASK = """
import sys
from chm_hub import fetch
from chm_hub.settings import load
from chm_hub.turns import turns
from store import open_store

async def work(downloads):
    await downloads.client()(fetch.Request(url=sys.argv[1], pause=3600))

settings = load()
with open_store(settings) as store:
    fetch.run(settings, work, turns(store, settings.host_delay))
"""


@pytest.fixture
def server() -> Iterator[loopback.Loopback]:
    made = loopback.Loopback()
    yield made
    made.close()


@pytest.fixture
def sharing(hub: Hub) -> Hub:
    """A hub that keeps pauses."""
    hub.environ["CHM_HUB_HOST_DELAY"] = "0.01"
    return hub


def test_a_server_that_one_source_may_not_ask_is_asked_by_the_others(
    sharing: Hub, server: loopback.Loopback
) -> None:
    sharing.source("first", SOURCE.format(url=f"{server.url}/busy-for-long"))
    sharing.source("second", SOURCE.format(url=f"{server.url}/ok"))
    sharing("harvest", "first", "second", "--json")
    (first,) = sharing("runs", "first", "--json").lines
    (second,) = sharing("runs", "second", "--json").lines
    assert (first["error"], first["requests"]) == ("busy", 1)
    assert second["error"] != "busy", "one source's trouble is not another's (promise P5)"
    assert server.asked["/ok"]


def test_a_look_goes_on_alone_where_there_is_no_store(
    sharing: Hub, server: loopback.Loopback
) -> None:
    sharing.source("some", SOURCE.format(url=f"{server.url}/ok"))
    sharing("harvest", "some", "--dry-run", CHM_HUB_MONGODB_URI="")
    assert server.asked["/ok"]
    assert not (sharing.data / "engine.json").exists(), "it starts no engine"


def test_a_crawl_delay_is_kept_by_all_who_share_the_host(
    sharing: Hub, server: loopback.Loopback, store: Store
) -> None:
    before = store.now()
    subprocess.run(
        [sys.executable, "-c", ASK, f"{server.url}/ok"],
        check=True,
        timeout=120,
        env={**sharing.environ, "PYTHONPATH": ":".join(sys.path)},
    )
    row = store.database["hosts"].find_one({"_id": "127.0.0.1"})
    assert row is not None
    assert row["next"] - before >= timedelta(hours=1)
