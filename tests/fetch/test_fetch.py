"""The client over real loopback HTTP: patience, limits, redirects, egress, what came."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest

from tests.fetch import loopback

OK = loopback.XML.decode()


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    made = loopback.Loopback()
    yield made
    made.close()


@pytest.fixture(scope="module")
def answers(server: Any) -> dict[str, dict[str, Any]]:
    """Every path, asked once by one client process."""
    small = {"wire": 1_000_000, "decoded": 1_000_000}
    cases: dict[str, dict[str, Any]] = {
        "/ok": {},
        "/busy-once": {},
        "/busy-until-date": {},
        "/busy-for-long": {},
        "/busy-rubbish": {},
        "/down": {},
        "/forbidden": {},
        "/missing": {},
        "/page-once": {"kinds": ["xml"]},
        "/page": {"kinds": ["xml"]},
        "/challenge": {"kinds": ["xml"]},
        "/challenge-503": {},
        "/challenge-403": {},
        "/truncated-once": {},
        "/gzip": {},
        "/gzip-undeclared": {},
        "/bomb": {"limits": small},
        "/not-gzip": {},
        "/large": {"limits": small},
        "/endless": {"limits": small},
        "/drip": {"limits": {"deadline": 1.0, "tries": 1}},
        "/moved": {},
        "/round": {},
        "/to-private": {},
        "/to-metadata": {},
        "/to-file": {},
    }
    told = loopback.ask(*({"url": server.url + path, **more} for path, more in cases.items()))
    return dict(zip(cases, told, strict=True))


@pytest.mark.parametrize(
    ("path", "requests"),
    [
        ("/ok", 1),
        ("/busy-once", 2),
        ("/busy-until-date", 2),
        ("/busy-rubbish", 2),
        ("/page-once", 2),
        ("/truncated-once", 2),
        ("/gzip", 1),
        ("/gzip-undeclared", 1),
        ("/moved", 2),
    ],
)
def test_what_can_be_had_is_had(
    answers: dict[str, dict[str, Any]], path: str, requests: int
) -> None:
    assert answers[path].get("body") == OK, answers[path]
    assert answers[path]["requests"] == requests


@pytest.mark.parametrize(
    ("path", "reason", "requests"),
    [
        ("/busy-for-long", "busy", 1),
        ("/down", "http_500", 4),
        ("/forbidden", "http_403", 1),
        ("/missing", "http_404", 1),
        ("/page", "html", 4),
        ("/challenge", "challenge", 1),
        ("/challenge-503", "challenge", 1),
        ("/challenge-403", "challenge", 1),
        ("/bomb", "too_large", 1),
        ("/not-gzip", "encoding", 1),
        ("/large", "too_large", 1),
        ("/endless", "too_large", 1),
        ("/drip", "timeout", 1),
        ("/round", "redirects", 6),
        ("/to-private", "egress", 2),
        ("/to-metadata", "egress", 2),
        ("/to-file", "http_302", 1),
    ],
)
def test_what_cannot_be_had_says_why(
    answers: dict[str, dict[str, Any]], path: str, reason: str, requests: int
) -> None:
    assert answers[path].get("reason") == reason, answers[path]
    assert answers[path]["requests"] == requests
    assert len(answers[path]["said"]) > 40, "what, where, and what to do next"


def test_a_source_may_have_limits_of_its_own(server: Any) -> None:
    with full() as port:
        told = loopback.ask(
            {"url": server.url + "/round", "limits": {"redirects": 8}},
            {"url": server.url + "/moved", "limits": {"redirects": 0}},
            {"url": f"http://127.0.0.1:{port}/", "limits": {"connect": 0.3, "tries": 1}},
        )
    assert [(t["reason"], t["requests"]) for t in told] == [
        ("redirects", 9),
        ("redirects", 1),
        ("timeout", 1),
    ]


def test_who_hangs_up_on_a_kept_connection_is_asked_again_in_turn(server: Any) -> None:
    asked = {"url": server.url + "/once-a-connection", "limits": {"tries": 1}}
    told = loopback.ask(asked, asked)
    assert [t["body"] for t in told] == [OK, OK]
    assert [t["requests"] for t in told] == [1, 2], "one that was not counted had no turn"
    assert server.asked["/once-a-connection"] == 3


@contextmanager
def full() -> Iterator[int]:
    """A port at which connections wait for ever: as many wait as may."""
    with socket.socket() as listening, ExitStack() as waiting:
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            one = waiting.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


def test_how_long_to_stay_away_is_handed_on(answers: dict[str, dict[str, Any]]) -> None:
    assert answers["/busy-for-long"]["not_before"] == 3600


def test_the_title_of_a_page_in_the_way_is_told(answers: dict[str, dict[str, Any]]) -> None:
    assert "Under repair" in answers["/page"]["said"]
    assert "Just a moment" in answers["/challenge"]["said"]


def test_the_client_says_who_it_is(server: Any, answers: dict[str, dict[str, Any]]) -> None:
    (agent,) = server.agents
    assert agent.startswith("CHM-Hub/")
    assert "mailto:" in agent


def test_forms_and_json_are_posted(server: Any) -> None:
    told = loopback.ask(
        {"url": server.url + "/ok", "form": [["verb", "Identify"], ["set", "a b"]]},
        {"url": server.url + "/ok", "json": {"q": "*:*"}},
    )
    assert [t["status"] for t in told] == [200, 200]
    assert server.bodies[-2:] == [b"verb=Identify&set=a+b", b'{"q": "*:*"}']


@pytest.mark.parametrize("name", ["nowhere.invalid"])
def test_a_host_that_is_not_there_is_named(name: str) -> None:
    (told,) = loopback.ask({"url": f"http://{name}/"})
    assert told["reason"] == "dns"
    assert name in told["said"]


def test_nothing_listens_while_it_fetches() -> None:
    """Scrapy has extensions that take orders over the network."""
    look = (
        "import psutil\n"
        "from chm_hub import fetch\n"
        "from chm_hub.settings import load\n"
        "async def work(_):\n"
        "    return [c.laddr for c in psutil.Process().net_connections() if c.status == 'LISTEN']\n"
        "print(fetch.run(load(), work))\n"
    )
    done = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_loopback_is_refused_unless_it_is_allowed(server: Any) -> None:
    port = server.url.rpartition(":")[2]
    spellings = ["127.0.0.1", "localhost", "127.1", "0x7f000001", "2130706433", "[::1]"]
    before = server.asked["/ok"]
    told = loopback.ask(
        *({"url": f"http://{host}:{port}/ok"} for host in spellings), CHM_HUB_EGRESS_ALLOW=""
    )
    assert {t.get("error") for t in told} == {"EgressRefusedError"}, told
    assert server.asked["/ok"] == before


def test_keys_are_sent_and_told_to_nobody(server: Any) -> None:
    keys = {"secret_query": {"api_key": "canary-1"}, "secret_headers": {"X-Key": "canary-2"}}
    paths = ("/key?page=1", "/key-needed", "/key-moved", "/key-broken", "/down", "/busy-for-long")
    told = loopback.ask(*({"url": server.url + path, **keys} for path in paths))
    assert server.keys[0] == ("page=1&api_key=canary-1", "canary-2")
    assert told[0]["body"] == '["page=1&api_key=[secret]", "[secret]"]', "a server may repeat them"
    assert "canary" not in str(told)
    assert [t.get("reason") for t in told[1:]] == [
        "http_401",
        "http_302",  # another host could get the keys
        "encoding",
        "http_500",
        "busy",
    ]
