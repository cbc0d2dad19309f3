"""A source's key goes to its server, and nowhere else."""

from __future__ import annotations

import gzip
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

import adapters
from chm_hub.settings import Settings
from store import open_store
from tests.conftest import ROOT
from tests.running import Hub

CANARY = "k3y/with+odd=signs&more"


class Keyed:
    """A service that wants a key and repeats it wherever it can."""

    def __init__(self) -> None:
        self.mood = "fine"
        self.keys: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                key = self.headers.get("X-Authentication-Token", "")
                outer.keys.append(key)
                echo = f"{key} {quote(key)} {self.path}"
                taxon = f'{{"id": 1, "full_name": "Panthera leo {key}", "rank": "SPECIES"}}'
                status, body = (
                    200,
                    f'{{"pagination": {{"total_entries": 1}}, "taxon_concepts": [{taxon}]}}',
                )
                if outer.mood == "reset":
                    self.connection.close()
                    return
                if outer.mood != "fine":
                    status, body = int(outer.mood), f'{{"error": "not for {echo}"}}'
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("X-Asked-With", key)
                self.send_header("Content-Length", str(len(body)))
                if status == 302:
                    self.send_header("Location", f"http://127.0.0.2:9/?key={quote(key)}")
                self.end_headers()
                self.wfile.write(body.encode())

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def keyed() -> Iterator[Keyed]:
    with closing(Keyed()) as made:
        yield made


def leaks(text: str | bytes) -> bool:
    raw = text if isinstance(text, bytes) else text.encode()
    return any(form.encode() in raw for form in (CANARY, quote(CANARY), quote(CANARY, safe="")))


def declare(hub: Hub, keyed: Keyed, reference: str) -> None:
    hub.source(
        "src",
        f'title = "T"\nadapter = "speciesplus"\nurl = "{keyed.url}"\nsecret = "{reference}"\n'
        "[options]\ntries = 1\n",
    )


def test_a_key_may_stand_in_a_file_of_its_own(hub: Hub, keyed: Keyed) -> None:
    declare(hub, keyed, "file:key.txt")
    (hub.sources / "key.txt").write_text(CANARY + "\n")
    said = hub("harvest", "src", "--json")
    assert said.lines[0]["new"] == 1, said.err
    assert set(keyed.keys) == {CANARY}
    assert not leaks(said.out + said.err + hub("records", "--json").out)


def test_a_key_is_in_no_output_no_log_and_no_backup(
    hub: Hub, keyed: Keyed, settings: Settings, tmp_path: Path
) -> None:
    declare(hub, keyed, "env:CHM_TEST_KEY")
    log = tmp_path / "hub.log"
    hub.environ |= {"CHM_HUB_LOG": str(log), "CHM_HUB_LOG_LEVEL": "debug"}
    hub.environ["CHM_TEST_KEY"] = CANARY
    said: list[Any] = []
    for mood in ("fine", "403", "302", "500", "429", "reset", "fine"):
        keyed.mood = mood
        said.append(hub("harvest", "src", "--full", "--json"))
    assert set(keyed.keys) == {CANARY}, "it was sent, and as it is"
    assert said[0].lines[0]["new"] == 1, said[0].err
    (identifier,) = hub.records()
    said += [
        hub("sources", "show", "src", "--json"),
        hub("sources", "list", "--json"),
        hub("runs", "src", "--json"),
        hub("explain", identifier, "--json"),
        hub("records", "--json"),
        hub("health", "src", "--json"),
        hub("ledger", "src", "--json"),
        hub("harvest", "src", "--dry-run", "--json"),
    ]
    for one in said:
        assert not leaks(one.out), one.out
        assert not leaks(one.err), one.err
    file = tmp_path / "hub.backup"
    assert hub("backup", str(file)).code == 0
    assert not leaks(gzip.decompress(file.read_bytes()))
    assert not leaks(log.read_text("utf-8"))
    # What is kept is packed: it is looked into.
    with open_store(settings) as store:
        for name in store.runs.kept_pages("src"):
            assert not any(leaks(payload.body) for payload in store.documents.payloads(name))
            assert not leaks(repr(store.documents.page(name)))


def test_a_secret_is_not_written_into_a_source_file(hub: Hub) -> None:
    hub.source(
        "src",
        f'title = "T"\nadapter = "speciesplus"\nurl = "http://x.example"\nsecret = "{CANARY}"\n',
    )
    said = hub("sources", "check")
    assert said.code == 2
    assert "secrets never stand in the file itself" in said.err


def test_a_secret_that_is_not_sent_or_not_there_is_said(hub: Hub) -> None:
    hub.environ["CHM_HUB_SHIPPED_SOURCES"] = "no"
    keys = 'title = "T"\nurl = "http://x.example"\nsecret = "{}"\nadapter = "{}"\n'
    hub.source("other", keys.format("env:CHM_TEST_NOWHERE", "oai_pmh"))
    said = hub("sources", "check")
    assert said.code == 2
    assert "secret: the adapter oai_pmh sends none; those that do: panorama, " in said.err
    hub.source("other", keys.format("env:CHM_TEST_NOWHERE", "speciesplus"))
    hub.source("file", keys.format("file:nowhere.txt", "panorama"))
    hub.source("there", keys.format("env:CHM_TEST_KEY", "speciesplus"))
    off = 'enabled = false\nreason = "x"\n'
    hub.source("off", keys.format("env:CHM_TEST_NOWHERE", "speciesplus") + off)
    said = hub("sources", "check", CHM_TEST_KEY=CANARY)
    assert said.code == 0
    told = [line for line in said.err.splitlines() if "is not set" in line]
    assert ["file.toml" in told[0], "other.toml" in told[1], len(told)] == [True, True, 2]


def test_which_adapters_take_a_secret_is_on_the_page() -> None:
    page = (ROOT / "docs" / "add-a-source.md").read_text("utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith("| `secret` | where")]
    named = set(re.findall(r"adapters/(\w+)\.md", row))
    assert named == set(filter(adapters.takes_secret, adapters.names()))
