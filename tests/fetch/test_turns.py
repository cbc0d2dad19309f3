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


def test_a_server_that_wants_to_be_left_alone_is_by_all_its_sources(
    sharing: Hub, server: loopback.Loopback
) -> None:
    sharing.source("first", SOURCE.format(url=f"{server.url}/busy-for-long"))
    sharing.source("second", SOURCE.format(url=f"{server.url}/ok"))
    (first,) = sharing("harvest", "first", "--json").lines
    (second,) = sharing("harvest", "second", "--json").lines
    assert (first["error"], first["requests"]) == ("busy", 1)
    assert (second["error"], second["requests"], second["state"]) == ("busy", 0, "failed")
    assert second["not_before"] is not None
    assert "for another source" in second["reason"]
    # So it is by whoever only wants to look.
    assert "for another source" in sharing("harvest", "second", "--dry-run").err
    new = sharing("sources", "new", "third", "--url", f"{server.url}/ok", "--adapter", "feed")
    assert "/ok: busy" in new.err
    assert not server.asked["/ok"]


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
