"""WordPress's constructed and recorded answers, replayed over loopback: one portal that has its
API, one that has only a feed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "national"
FOLDER = SAMPLES / "wordpress"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"NO RECORDED ANSWERS: {FOLDER} is absent, nothing was replayed"
)
JSON = "application/json; charset=UTF-8"
HTML_404 = Answer(b"<!DOCTYPE html><title>Page not found</title>", "text/html", 404)
KEYS = 'title = "JM"\ncountry = "JM"\nlanguages = ["en"]\n'


def test_a_portal_by_its_api(hub: Hub) -> None:
    posts = (FOLDER / "wp_json_posts.constructed.json").read_bytes()

    def respond(request: Request) -> Answer:
        match request.path:
            case "/wp-json/wp/v2/posts":
                return Answer(posts, JSON, headers={"X-WP-Total": "1", "X-WP-TotalPages": "1"})
            case "/wp-json/wp/v2/pages":
                return Answer(b"[]", JSON, headers={"X-WP-Total": "0", "X-WP-TotalPages": "0"})
        return HTML_404

    with serving(respond) as url:
        hub.source("portal", f'{KEYS}adapter = "wordpress"\nurl = "{url}"\n')
        run = run_of(hub, "portal")
    assert (run["state"], run["new"], run["issues"], run["requests"]) == ("complete", 1, 0, 2)
    (record,) = hub.records().values()
    assert record["source_identifier"] == "posts-77"
    assert record["type"] == "news"
    assert record["title"] == [{"value": "Invasive species portal opened", "lang": "en"}]
    assert record["url"] == "https://chm-zz-wp.example/2025/01/invasive-species-portal/"
    assert record["spatial"] == ["JM"]
    # The portal's own clock is five hours behind; what counts is UTC.
    assert (record["issued"], record["modified"]) == (
        "2025-01-08T17:50:00Z",
        "2025-01-09T10:00:00Z",
    )
    assert record["distribution"] == [
        {
            "url": "https://chm-zz-wp.example/wp-content/uploads/2025/01/portal.pdf",
            "title": "file",
            "media_type": "application/pdf",
        }
    ]
    assert "localhost" not in str(record)


def test_a_portal_of_2012_has_only_its_feed(hub: Hub) -> None:
    """Its one entry's guid holds a machine of the editors'. The copy that was stored broke off
    there; the portal's own did not."""
    excerpt = (FOLDER / "jamaica_chm_feed.excerpt.txt").read_bytes()
    excerpt += b"</item></channel></rss>"
    assert b"http://localhost:8084/?p=1" in excerpt

    def respond(request: Request) -> Answer:
        if request.path == "/ioj_wp/index.php/feed":
            return Answer(excerpt, "text/xml; charset=UTF-8")
        return HTML_404

    with serving(respond) as url:
        hub.source("api", f'{KEYS}adapter = "wordpress"\nurl = "{url}/ioj_wp"\n')
        hub.source("feed", f'{KEYS}adapter = "feed"\nurl = "{url}/ioj_wp/index.php/feed"\n')
        runs = {run["source"]: run for run in hub("harvest", "api", "feed", "--json").lines}
    assert (runs["api"]["state"], runs["api"]["error"]) == ("failed", "no_api")
    assert 'adapter = "feed"' in runs["api"]["reason"]
    assert runs["feed"]["new"] == 1, runs["feed"]
    (record,) = hub.records().values()
    assert record["url"] == "http://jamaicachm.org.jm/ioj_wp/index.php/archives/1"
    assert record["title"] == [{"value": "CHM Home", "lang": "en"}]
    assert record["issued"] == "2010-09-07T20:19:07Z"
