"""However it ends, a run is not left ``running``: not by an error, nor by a late write."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from copy import deepcopy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from adapters.source import Source, read_source
from chm_hub import pipeline
from chm_hub.document import Payload
from chm_hub.errors import StoreError
from chm_hub.fetch import Client, Limits, Request
from chm_hub.staging import Staging
from store import Run, Store
from store.records import Records
from tests.test_pipeline import ENVELOPE, RECORD, SOURCE

IDENTIFY = (
    "<repositoryName>M</repositoryName><baseURL>http://x.test/oai</baseURL>"
    "<protocolVersion>2.0</protocolVersion><adminEmail>a@x.test</adminEmail>"
    "<earliestDatestamp>2024-01-01</earliestDatestamp><deletedRecord>no</deletedRecord>"
    "<granularity>YYYY-MM-DD</granularity>"
)


class Pages(Client):
    """A client whose answers are the pages of a repository."""

    def __init__(self, pages: list[str]) -> None:
        super().__init__(self, None, Limits())
        self._pages = pages

    async def __call__(self, request: Request) -> Payload:
        verb, content = "Identify", IDENTIFY
        if "Identify" not in request.url:
            verb, (_, _, token) = "ListRecords", request.url.partition("resumptionToken=")
            number = int(token or 0)
            content = self._pages[number]
            if number + 1 < len(self._pages):
                content += f"<resumptionToken>{number + 1}</resumptionToken>"
        body = ENVELOPE.format(verb=verb, content=content).encode()
        headers = {"Content-Type": "text/xml"}
        now = datetime.now(UTC)
        return Payload(url=request.url, status=200, headers=headers, body=body, fetched=now)


def records(prefix: str, count: int, title: str = "T {}") -> str:
    names = [f"{prefix}{number}" for number in range(count)]
    return "".join(RECORD.format(name=name, title=title.format(name)) for name in names)


ONE, TWO = records("a", 60), records("b", 40)
BARE = TWO.replace("<dc:title>", "<dc:type>").replace("</dc:title>", "</dc:type>")


@pytest.fixture
def source(tmp_path: Path) -> Source:
    path = tmp_path / "src.toml"
    path.write_text(SOURCE.format(url="http://x.test/oai"))
    found, faults = read_source(path)
    assert found is not None, faults
    return found


def run(source: Source, store: Store, pages: list[str], *, full: bool = True) -> Run:
    hub, wanted = pipeline.Hub(store=store), pipeline.Wanted(full=full)
    return asyncio.run(pipeline.harvest(source, hub, Pages(pages), wanted))


def stored(store: Store, source: str = "src") -> Run:
    return store.runs.history(source, 1)[0]


@pytest.fixture
def late(monkeypatch: pytest.MonkeyPatch) -> Callable[[], threading.Event]:
    """Makes the store's writes wait until a run has ended, or for a second."""

    def begin() -> threading.Event:
        touch, ended = Records.touch, threading.Event()

        def slow(self: Records, changes: Any) -> None:
            ended.wait(1)
            touch(self, changes)

        monkeypatch.setattr(Records, "touch", slow)
        return ended

    return begin


def test_a_held_run_is_not_overwritten_by_its_own_write(
    source: Source, store: Store, late: Callable[[], threading.Event]
) -> None:
    assert run(source, store, [ONE, TWO]).state.startswith("complete")
    ended = late()
    held = run(source, store, [ONE, BARE])
    ended.set()
    assert held.state == "held"
    kept = stored(store)
    assert (kept.state, kept.ended is not None, kept.counts) == ("held", True, held.counts)


@pytest.mark.parametrize("error", [RuntimeError("a fault"), StoreError("the store is away")])
@pytest.mark.parametrize("where", ["take", "judge", "clear"])
def test_an_error_anywhere_in_a_run_leaves_it_ended(
    source: Source,
    store: Store,
    late: Callable[[], threading.Event],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    where: str,
) -> None:
    run(source, store, [ONE, TWO])
    ended = late()

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(Staging, where, fail)
    failed = run(source, store, [ONE, records("b", 40, "New {}")])
    ended.set()
    assert failed.state in ("failed", "partial")
    assert failed.error == ("store" if isinstance(error, StoreError) else "internal")
    assert (stored(store).state, stored(store).ended) != ("running", None)
    assert stored(store).state == failed.state
    assert "which stay" in str(failed.why) or "it wrote no record" in str(failed.why)
    monkeypatch.undo()
    # The next run ends well, with all there is.
    assert run(source, store, [ONE, records("b", 40, "New {}")]).state.startswith("complete")
    found = {r.record["title"][0]["value"] for r in store.records.of_source("src")}
    assert {f"New b{n}" for n in range(40)} <= found


@pytest.mark.parametrize("where", ["find_missing", "describe", "note_aside"])
def test_an_error_at_the_end_of_a_run_leaves_it_ended(
    source: Source, store: Store, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    def fail(*_: Any, **__: Any) -> Any:
        raise RuntimeError("a fault")

    monkeypatch.setattr(pipeline._Writer, where, fail)
    failed = run(source, store, [ONE])
    assert (failed.state, failed.error) == ("failed", "internal")
    assert (stored(store).state, stored(store).written) == ("failed", 60)
    assert "it wrote 60 records, which stay" in str(failed.line()["reason"])


@pytest.mark.parametrize("error", [RuntimeError("a fault"), StoreError("the store is away")])
@pytest.mark.parametrize("where", ["look", "judge", "outcome"])
def test_an_error_in_a_mapping_leaves_it_ended(
    source: Source, store: Store, monkeypatch: pytest.MonkeyPatch, error: Exception, where: str
) -> None:
    run(source, store, [ONE])
    source.path.write_text(source.path.read_text() + 'country = "KE"\n')
    changed, _ = read_source(source.path)
    assert changed is not None

    def fail(*_: Any, **__: Any) -> Any:
        raise error

    monkeypatch.setattr(Staging, where, fail)
    if isinstance(error, StoreError):
        with pytest.raises(StoreError):
            pipeline.remap(changed, pipeline.Hub(store=store))
    else:
        assert pipeline.remap(changed, pipeline.Hub(store=store)).error == "internal"
    assert (stored(store).kind, stored(store).state) == ("map", "failed")
    monkeypatch.undo()
    assert pipeline.remap(changed, pipeline.Hub(store=store)).state == "complete"


@pytest.mark.parametrize("state", ["complete", "held", "failed", "partial"])
def test_what_is_saved_late_does_not_overwrite_an_end(store: Store, state: str) -> None:
    now = datetime.now(UTC)
    made = store.runs.begin("src", "harvest", now)
    made.counts["new"] = 7
    store.runs.save(made)
    assert stored(store).counts["new"] == 7
    on_its_way = deepcopy(made)
    made.state, made.ended, made.counts["new"] = state, now, 9
    store.runs.save(made)
    store.runs.save(on_its_way)
    assert (stored(store).state, stored(store).counts["new"]) == (state, 9)
