"""The constructed feed of a plain Drupal site without JSON:API, replayed over loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.server import HOST, Answer, Request, Server
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "national"
FOLDER = SAMPLES / "drupal"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"NO RECORDED ANSWERS: {FOLDER} is absent, nothing was replayed"
)


def test_a_site_without_jsonapi_is_read_by_its_feed(hub: Hub) -> None:
    feed = (FOLDER / "drupal_rss.constructed.xml").read_bytes()

    def respond(request: Request) -> Answer:
        if request.path == "/rss.xml":
            return Answer(feed, "application/rss+xml; charset=utf-8")
        return Answer(b"<!DOCTYPE html><html><title>Not found</title></html>", "text/html", 404)

    server = Server(0, respond)
    server.start()
    url = f"http://{HOST}:{server.server_address[1]}"
    try:
        text = 'title = "ZZ"\nadapter = "{}"\nurl = "{}"\ncountry = "KE"\nlanguages = ["en"]\n'
        hub.source("api", text.format("drupal", url))
        hub.source("feed", text.format("feed", f"{url}/rss.xml"))
        runs = {run["source"]: run for run in hub("harvest", "api", "feed", "--json").lines}
    finally:
        server.close()
    assert (runs["api"]["state"], runs["api"]["error"]) == ("failed", "no_jsonapi")
    assert "feed" in runs["api"]["reason"]
    assert (runs["feed"]["state"], runs["feed"]["new"]) == ("complete", 1)
    (record,) = hub.records().values()
    assert record["source_identifier"] == "42 at https://biodiv-zz.example"
    assert record["title"] == [{"value": "Protected area network extended", "lang": "en"}]
