"""A source's life as those who watch over it see it: summary, log, alerts, /health, /metrics."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from chm_hub import web
from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from store import Store, open_store
from tests.conftest import ROOT
from tests.repository import Repository
from tests.running import Hub
from tests.store.test_query_contract import Recorder
from tests.test_pipeline import SOURCE, serving
from tests.watch.test_alerts import hook

PAGES = [[f"{page}-{n}" for n in range(20)] for page in range(2)]


def metrics(settings: Settings, store: Store) -> dict[tuple[str, ...], float]:
    """Every sample by its name and the values of its labels."""
    page = (ROOT / "docs" / "watch.md").read_text("utf-8")
    answer = web.create_app(settings, store).test_client().get("/metrics")
    assert answer.status_code == 200
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    found = {}
    for family in text_string_to_metric_families(answer.text):
        assert family.name.startswith("chm_hub_"), family.name
        assert family.documentation.endswith("."), family.name
        # Prometheus: base units, `_total` for what only grows, no other unit in a name.
        assert family.type in ("gauge", "counter"), family.name
        for word in ("_minutes", "_hours", "_days", "_ms", "_percent", "_count"):
            assert not family.name.endswith(word)
        for sample in family.samples:
            assert sample.name.endswith("_total") is (family.type == "counter"), sample.name
            assert f"`{sample.name}`" in page, "every metric is explained"
            labels = dict(sample.labels)
            first = [labels.pop("source")] if "source" in labels else []
            key = (sample.name.removeprefix("chm_hub_"), *first, *labels.values())
            assert key not in found, key
            found[key] = sample.value
    return found


@pytest.fixture
def log(hub: Hub) -> Iterator[Path]:
    """The hub's log; no secret is ever in it."""
    path = hub.data / "hub.log"
    hub.environ["CHM_HUB_LOG"] = str(path)
    yield path
    assert "canary" not in path.read_text("utf-8")


def test_a_source_from_well_to_broken_and_back(hub: Hub, settings: Settings, log: Path) -> None:
    settings = replace(settings, sources=(hub.sources,))
    with hook() as (address, bodies, _), open_store(settings) as store:
        hub.environ["CHM_HUB_ALERT_WEBHOOK"] = address
        with serving(PAGES) as (url, _):
            hub.source("kenya", SOURCE.format(url=url))
            assert hub("harvest", "kenya").code == 0
            good = hub.sources.joinpath("kenya.toml").read_text()
            (line,) = hub("health", "kenya", "--json").lines
            assert (line["score"], line["grade"], line["trend"]) == (100, "good", "new")
            assert (line["completeness"], line["errors"], line["drift"]) == (1.0, {}, [])
            found = metrics(settings, store)
            assert found["records", "kenya", "live"] == 40
            assert found["last_run_documents", "kenya", "new"] == 40
            assert found["runs_total", "kenya", "complete"] == 1
            assert found["health_score", "kenya"] == 100
            assert found["store_up",] == 1
            assert found["held_deletions", "kenya"] == 0
            assert found["last_success_timestamp_seconds", "kenya"] > 1.7e9
            (profile,) = [r.profile for r in store.runs.history("kenya")]
            assert profile is not None
            assert (profile["records"], profile["title"], profile["mapped"]) == (40, 1.0, 40)
            assert profile["repository"] == "Moving"
            assert {share for _, share in profile["fields"]} == {1.0}

            # Fewer than its file expects: that does not pass by itself.
            hub.source("kenya", good + "[expect]\nrecords = 50\n")
            assert hub("harvest", "kenya", "--full").code == 1
            assert [b["subject"] for b in bodies] == ["kenya needs a look"]
            assert hub("harvest", "kenya", "--full").code == 1
            assert len(bodies) == 1, "once an incident"
            (incident,) = hub("alerts", "--json").lines
            assert (incident["source"], incident["kind"]) == ("kenya", "content")
            assert (incident["failures"], incident["told"]) == (2, ["content"])
            said = hub("health", "kenya").out
            assert "2 times in a row" in said
            assert "at least 50" in said
            found = metrics(settings, store)
            assert found["incidents",] == 1
            assert found["runs_total", "kenya", "failed"] == 2
            assert found["health_score", "kenya"] < 60

            hub.source("kenya", good)
            assert hub("harvest", "kenya", "--full").code == 0
            assert [b["subject"] for b in bodies][1:] == ["kenya is well again"]
            assert hub("alerts").err.strip() == "no source needs a look"

            # A trial by a person is not the source's.
            hub("harvest", "kenya", "--full", "--max", "1")
            assert metrics(settings, store)["last_run_documents", "kenya", "unchanged"] == 40

            # A source file or crosswalk that is wrong is not silence either.
            hub.source("kenya", good + 'crosswalk = "nowhere"\n')
            assert hub("harvest", "kenya").code == 1
            assert bodies[-1]["messages"][0]["what"] == "configuration"
            test = hub("alerts", "--test")
            assert test.code == 0
            assert bodies[-1]["test"] is True
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert {line["logger"].partition(".")[0] for line in lines} == {"chm_hub"}, "no chatter"
    runs = [line for line in lines if line["logger"] == "chm_hub.runs"]
    assert [line["message"] for line in runs[:2]] == ["harvest began", "harvest ended"]
    assert runs[1]["state"] == "complete"
    assert (runs[1]["seen"], runs[1]["new"], runs[1]["source"]) == (40, 40, "kenya")
    assert {line["state"] for line in runs if line["message"] == "harvest ended"} == {
        "complete", "failed", "partial",
    }  # fmt: skip
    assert {line["level"] for line in runs if line.get("state") == "failed"} == {"warning"}
    assert [line["message"] for line in lines].count("alert sent") == 3
    assert hub("alerts", "--test", CHM_HUB_ALERT_WEBHOOK="http://127.0.0.1:9/canary").code == 1


def test_who_was_told_is_said_as_it_is(hub: Hub) -> None:
    hub.source("kenya", SOURCE.format(url="http://x.example") + 'crosswalk = "nowhere"\n')
    dead = {"CHM_HUB_ALERT_WEBHOOK": "http://127.0.0.1:9/canary"}
    assert hub("harvest", "kenya").code == 1
    assert "not told: no channel is set" in hub("alerts").out
    assert "not told yet" in hub("alerts", **dead).out
    assert hub("harvest", "kenya", **dead).code == 1
    assert ", 1 waiting to be sent: " in hub("alerts", **dead).out
    assert ", 1 waiting to be sent, no channel is set: " in hub("alerts").out


def test_a_source_that_becomes_another_is_noticed(hub: Hub, settings: Settings) -> None:
    with hook() as (address, bodies, _), open_store(settings) as store:
        hub.environ["CHM_HUB_ALERT_WEBHOOK"] = address
        for names in ([f"a{n}" for n in range(60)], [f"a{n}" for n in range(25)]):
            with serving([names]) as (url, _):
                hub.source("kenya", SOURCE.format(url=url) + 'deletions = "never"\n')
                said = hub("harvest", "kenya", "--full", "--json")
        (run,) = said.lines
        assert run["warnings"] == {"drift: records: 60, now 25": 1, "missing_at_source": 35}
        assert run["state"] == "complete_with_warnings"
        (body,) = bodies
        assert body["subject"] == "kenya has changed"
        summary = store.watch.summary("kenya")
        assert summary is not None
        assert summary["profile"]["records"] == 25, "the next run is compared with this one"


@pytest.mark.parametrize("decision", ["approve", "reject"])
def test_what_a_person_has_decided_waits_no_more(
    decision: str, hub: Hub, settings: Settings
) -> None:
    settings = replace(settings, sources=(hub.sources,))
    with hook() as (address, bodies, _), Repository() as portal, open_store(settings) as store:
        hub.environ["CHM_HUB_ALERT_WEBHOOK"] = address
        names = [f"r{n}" for n in range(60)]
        portal.add(*names)
        hub.source("src", portal.source())
        assert hub("harvest", "src").code == 0
        portal.delete(*names[:30])
        assert hub("harvest", "src").code == 1
        assert metrics(settings, store)["held_deletions", "src"] == 30
        assert "held approve" in hub("health", "src").out
        assert hub("held", decision, "src").code == 0
        found = metrics(settings, store)
        assert (found["held_deletions", "src"], found["incidents",]) == (0, 0)
        assert "held approve" not in hub("health", "src").out
    assert [body["subject"] for body in bodies] == ["src needs a look", "src is well again"]
    assert "decided" in bodies[1]["text"]


def summary(state: str, ended: datetime) -> dict[str, Any]:
    run = {
        "run": "x/1", "state": state, "ended": ended, "kind": "harvest", "held": 3,
        "counts": {"new": 5}, "full": True, "error": None, "reason": "x\ny",
    }  # fmt: skip
    return {"runs": [run], "scores": [], "states": {state: 7}, "requests": 9, "issues": 4}


def test_a_scrape_is_a_few_questions_however_many_sources(
    settings: Settings, tmp_path: Path
) -> None:
    now = datetime.now(UTC)
    recorder = Recorder()
    settings = replace(settings, sources=(tmp_path,))
    asked = []
    with open_store(settings, listeners=(recorder,)) as store:
        for many in (1, 250):
            for number in range(many):
                name = f"many-{number}"
                text = f'title = "S"\nadapter = "oai_pmh"\nurl = "https://{name}.example"\n'
                (tmp_path / f"{name}.toml").write_text(text)
                store.watch.keep(name, summary("held", now))
                store.decisions.hold(name, f"{name}/1", now, dict.fromkeys("abc", "missing"))
            app = web.create_app(settings, store)
            for path in ("/metrics", "/health"):
                recorder.commands.clear()
                assert app.test_client().get(path).status_code == 200
                asked.append(len(recorder.commands))
        found = metrics(settings, store)
        assert found["held_deletions", "many-249"] == 3
        assert found["runs_total", "many-249", "held"] == 7
        assert found["issues_total", "many-249"] == 4
        store.database.client.drop_database(store.database.name)
    assert asked[:2] == asked[2:]
    assert max(asked) <= 5


def test_health_says_whether_it_can_serve_and_how_the_sources_are(
    store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = datetime.now(UTC)
    for name, more in {"fresh": "", "old": "", "hidden": "republish = false\n"}.items():
        text = f'title = "S"\nadapter = "oai_pmh"\nurl = "https://{name}.example"\n{more}'
        (tmp_path / f"{name}.toml").write_text(text)
    settings = replace(settings, sources=(tmp_path,))
    store.watch.keep("fresh", summary("complete", now))
    client = web.create_app(settings, store).test_client()
    told = client.get("/health").json
    assert told is not None
    assert (told["status"], told["store"]["reachable"], told["scheduler"]) == ("ok", True, None)
    assert told["sources"]["good"] == 1
    assert told["overdue"] == 0
    store.watch.keep("old", summary("complete", now - timedelta(days=5)))
    told = client.get("/health").json or {}
    assert told["overdue"] == 1
    assert told["oldest_overdue"]["source"] == "old"
    store.watch.keep("hidden", summary("complete", now - timedelta(days=9)))
    told = client.get("/health").json or {}
    assert told["oldest_overdue"]["source"] is None, "what is not published is not named"

    state = store.database["state"]
    state.insert_one({"_id": "scheduler", "at": now})
    assert (client.get("/health").json or {})["scheduler"]["alive"] is True
    state.replace_one({"_id": "scheduler"}, {"at": now - timedelta(hours=1)})
    told = client.get("/health").json or {}
    assert (told["status"], told["scheduler"]["alive"]) == ("degraded", False)

    def gone(*_: object) -> None:
        raise StoreError("mongodb://inside:27017: no database answers there")

    monkeypatch.setattr(store, "ping", gone)
    answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.json == {
        "status": "failing",
        "store": {"reachable": False, "engine": "mongodb"},
    }
    metrics = client.get("/metrics")
    assert metrics.status_code == 200, "Prometheus wants to be told"
    assert "chm_hub_store_up 0.0" in metrics.text
    assert "inside" not in answer.text + metrics.text


def test_what_goes_wrong_beside_a_run_does_not_make_it_fail(
    store: Store, settings: Settings, monkeypatch: pytest.MonkeyPatch, hub: Hub
) -> None:
    from adapters.source import read_source
    from chm_hub import alerts, watch

    hub.source("kenya", SOURCE.format(url="https://x.example"))
    source, _ = read_source(hub.sources / "kenya.toml")
    assert source is not None
    now = datetime.now(UTC)
    run = store.runs.begin("kenya", "harvest", now)
    run.state, run.ended = "complete", now

    def broken(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(store.watch, "keep", broken)
        watch.ended(store, source, run, alerts.Channels(), now)
    assert store.watch.summary("kenya") is None
    watch.ended(store, source, run, alerts.Channels(), now)
    assert store.watch.summary("kenya") is not None


def test_the_table_of_sources_has_the_worst_first(hub: Hub, settings: Settings) -> None:
    hub.source("zebra", SOURCE.format(url="https://x.example"))
    with open_store(settings) as store:
        store.watch.keep("zebra", summary("complete", datetime.now(UTC)))
    said = hub("health")
    assert said.code == 0, said.err
    rows = said.out.splitlines()[1:]
    places = {row.split()[0]: number for number, row in enumerate(rows)}
    assert rows[0].split()[1] == "0"
    assert rows[places["zebra"]].split()[1:4] == ["100", "good", "new"]
    assert places["zebra"] > 0
    assert hub("health", "nobody").code == 2
