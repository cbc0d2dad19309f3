"""An entry that comes back without its content keeps its former version, whatever the protocol."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from chm_hub.naming import NO_TITLE
from tests.repository import harvest
from tests.running import Hub
from tests.scripted import Answer, Scripted

Entries = dict[str, str | None]
"""Titles by name; none for an entry that has lost its content."""


def atom(entries: Entries) -> Answer:
    inner = "".join(
        f"<entry><id>urn:x:{n}</id><updated>2024-05-0{2 if t is None else 1}T00:00:00Z</updated>"
        f'<link href="https://x.example/{n}"/>'
        + (
            f"<title>{t}</title><summary>About {t}</summary>"
            if t
            else "<title/><summary> </summary>"
        )
        + "</entry>"
        for n, t in entries.items()
    )
    return Answer(f'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{inner}</feed>')


def rss(entries: Entries) -> Answer:
    inner = "".join(
        f"<item><guid>urn:x:{n}</guid><link>https://x.example/{n}</link>"
        + (f"<title>{t}</title>" if t else "<title></title><description/>")
        + "</item>"
        for n, t in entries.items()
    )
    return Answer(f'<rss version="2.0"><channel><title>F</title>{inner}</channel></rss>')


def json_feed(entries: Entries) -> Answer:
    made = [
        {"id": f"urn:x:{n}", "url": f"https://x.example/{n}"}
        | ({"title": t, "content_text": t} if t else {"title": None, "content_text": ""})
        for n, t in entries.items()
    ]
    feed = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": made}
    return Answer(json.dumps(feed), kind="application/feed+json")


@pytest.mark.parametrize("say", [atom, rss, json_feed])
def test_an_entry_that_lost_its_content_is_set_aside(
    hub: Hub, say: Callable[[Entries], Answer]
) -> None:
    full: Entries = {n: n.upper() for n in "abcdefg"}
    with Scripted(lambda q: say(full)) as server:
        hub.source("src", f'title = "F"\nadapter = "feed"\nurl = "{server.url}/feed"\n')
        harvest(hub)
        before = hub.records()
        server.answer = lambda q: say({**full, "c": None})
        for _ in range(2):
            run = harvest(hub)
            assert (run["quarantined"], run["reasons"]) == (1, {NO_TITLE: 1})
            assert hub.records() == before
        (line,) = hub("ledger", "src", "--json").lines
        assert line["outdated"] == 1
        server.answer = lambda q: say({**full, "c": "Back"})
        assert harvest(hub)["changed"] == 1
        (line,) = hub("ledger", "src", "--json").lines
        assert line["outdated"] == 0
