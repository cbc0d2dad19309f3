"""Walks while others write and the endpoint is restarted: nothing is lost, nothing that did not
change comes twice."""

from __future__ import annotations

import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from datetime import UTC, datetime
from urllib.parse import quote

from lxml import etree

from chm_hub.settings import Settings
from store import Store, open_store
from tests.oai.filling import delete, fill, put, record
from tests.running import Hub
from tests.test_serving import await_answer, free_port

NS = {"o": "http://www.openarchives.org/OAI/2.0/"}
NUMBER = 1000
STILL = 600
"""Records from this number on are never written again."""
WRITERS = WALKERS = 4


def ask(base: str, query: str) -> etree._Element:
    """An answer; while the endpoint is down, the same question again (as clients do)."""
    for _ in range(300):
        try:
            with urllib.request.urlopen(f"{base}?{query}", timeout=20) as answer:
                return etree.fromstring(answer.read())
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"{base} does not answer")


def walk(base: str, query: str, pause: float = 0.0) -> tuple[list[tuple[str, bool]], str]:
    """What a list gives, and the responseDate of its first answer."""
    met: list[tuple[str, bool]] = []
    first = ""
    while True:
        root = ask(base, query)
        first = first or root.findtext("o:responseDate", "", NS)
        codes = root.xpath("o:error/@code", namespaces=NS)
        assert not codes or codes == ["noRecordsMatch"], codes
        met += [
            (head.findtext("o:identifier", "", NS), head.get("status") == "deleted")
            for head in root.iterfind(".//o:header", NS)
        ]
        token = root.findtext(".//o:resumptionToken", "", NS)
        if not token:
            return met, first
        query = f"verb=ListRecords&resumptionToken={quote(token)}"
        time.sleep(pause)


def serve(hub: Hub, port: int) -> subprocess.Popen[str]:
    process = hub.start("serve", "--port", str(port), "--workers", "2")
    await_answer(f"http://127.0.0.1:{port}/health")
    return process


def stop(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)


def test_four_walk_while_four_write_and_the_endpoint_is_restarted(
    hub: Hub, store: Store, settings: Settings
) -> None:
    fill(store, NUMBER)
    port = free_port()
    base = f"http://127.0.0.1:{port}/oai"
    done = threading.Event()
    walked: list[tuple[list[tuple[str, bool]], str]] = []
    faults: list[BaseException] = []

    def write(mine: int) -> None:
        version = 2
        with open_store(settings) as own:
            while not done.is_set():
                numbers = [(version * 13 + k * 4) % (STILL // 4) * 4 + mine for k in range(20)]
                numbers = sorted(set(numbers))
                put(own, [record(n, version) for n in numbers], datetime.now(UTC))
                gone = [record(n).identifier for n in numbers[:4]]
                delete(own, gone, datetime.now(UTC))
                version += 1
                done.wait(0.02)

    def read(query: str) -> None:
        try:
            for _ in range(3):
                walked.append(walk(base, query, pause=0.1))
        except BaseException as fault:
            faults.append(fault)

    process = serve(hub, port)
    queries = [
        "verb=ListRecords&metadataPrefix=oai_dc",
        "verb=ListRecords&metadataPrefix=chm",
        "verb=ListRecords&metadataPrefix=oai_dc&set=source:src",
        "verb=ListRecords&metadataPrefix=oai_dc&set=lang:en",
    ]
    writers = [threading.Thread(target=write, args=(n,)) for n in range(WRITERS)]
    walkers = [threading.Thread(target=read, args=(query,)) for query in queries]
    assert len(walkers) == WALKERS
    try:
        for thread in (*writers, *walkers):
            thread.start()
        while len(walked) < WALKERS and not faults:
            time.sleep(0.05)
        stop(process)
        process = serve(hub, port)
        for thread in walkers:
            thread.join(timeout=120)
        done.set()
        for thread in writers:
            thread.join(timeout=60)
        assert not faults, faults
        assert len(walked) == 3 * WALKERS
        prefix = "oai:chm-hub.example:"
        unchanged = {prefix + record(n).identifier for n in range(STILL, NUMBER)}
        held = {(prefix + r.identifier, r.deleted) for r in store.records.read()}
        for met, responded in walked:
            times = Counter(identifier for identifier, _ in met)
            assert {i for i in unchanged if times[i] != 1} == set()
            later, _ = walk(base, f"verb=ListRecords&metadataPrefix=oai_dc&from={responded}")
            assert set((dict(met) | dict(later)).items()) == held
    finally:
        done.set()
        stop(process)
