"""The whole demonstration network: every source of every family, now and in later phases.
`make test` harvests it once too, with `chm-hub demo` (test_serving.py)."""

from __future__ import annotations

import tomllib
from datetime import timedelta
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo import coverage
from demo.hosts import KEY
from demo.network import Network
from demo.phrases import UN_LANGUAGES
from store import open_store
from tests.running import Hub
from tests.test_life import compare

ASKED_FOR = {
    "nationalTarget", "nationalReport", "nbsap", "nationalAssessment", "contact", "focalPoint",
    "authority", "bestPractice", "caseStudy", "toolGuidance", "researchReport", "elearning",
    "policyDocument", "submission", "ebsa", "meeting", "statement", "pressRelease", "notification",
    "news", "event", "capacityBuilding", "organization", "expert", "law", "permit", "decision",
    "riskAssessment", "modifiedOrganism", "dnaSequence", "organism", "checkpoint", "indicator",
    "dataset", "protectedArea", "project", "resource",
}  # fmt: skip


def enabled(network: Network) -> dict[str, str]:
    texts = network.sources()
    return {name: text for name, text in texts.items() if tomllib.loads(text).get("enabled", True)}


@pytest.mark.slow
@pytest.mark.parametrize("seed", [1, 2])
def test_every_source_through_four_phases(hub: Hub, settings: Settings, seed: int) -> None:
    live(hub, settings, seed=seed, phases=4)


def live(hub: Hub, settings: Settings, *, seed: int, phases: int) -> None:
    """Harvest the network and hold what the hub has against its truth, phase by phase."""
    key = {"CHM_HUB_DEMO_KEY": KEY}
    with Network(seed=seed) as network:
        texts = enabled(network)
        for name, text in texts.items():
            hub.source(name, text)
        said = hub("harvest", *texts, "--json", timeout=600, **key)
        runs = {run["source"]: run for run in said.lines}
        assert set(runs) == set(texts), said.err
        truth = network.truth()
        for name in texts:
            run = runs[name]
            assert run["state"] == "complete", (name, run)
            assert run["issues"] == 0, (name, run)
            assert run["new"] == len(truth[name].live), (name, run)
        records = hub.records("--with-deleted")
        compare(records, {name: truth[name] for name in texts})
        assert {r.get("type") for r in records.values()} >= ASKED_FOR
        assert len(texts) >= 60
        assert len(records) >= 8_000
        countries = {code for r in records.values() for code in r.get("spatial", [])}
        assert len(countries) >= 60
        languages = {t.get("lang") for r in records.values() for t in r.get("title", [])}
        assert languages >= set(UN_LANGUAGES) | {"pt", "sw", "ja"}

        for _ in range(phases):
            records = advance(hub, settings, network, texts, records)


def advance(
    hub: Hub,
    settings: Settings,
    network: Network,
    texts: dict[str, str],
    before: dict[str, dict[str, Any]],
) -> dict[str, dict[str, Any]]:
    """One phase further; gives the records after it."""
    key = {"CHM_HUB_DEMO_KEY": KEY}
    network.advance()
    said = hub("harvest", *texts, "--full", "--json", timeout=600, **key)
    assert all(run["state"].startswith("complete") for run in said.lines), said.err
    # What nobody confirms to be gone must be missing twice, a week apart.
    waiting = []
    with open_store(settings) as store:
        for name in texts:
            if missing := store.runs.missing(name):
                waiting.append(name)
                old = {record: at - timedelta(days=8) for record, at in missing.items()}
                store.runs.set_missing(name, old)
    assert waiting
    said = hub("harvest", *waiting, "--full", "--json", timeout=600, **key)
    assert all(run["state"].startswith("complete") for run in said.lines), said.err
    after = hub.records("--with-deleted")
    truth = network.truth()
    compare(after, {name: truth[name] for name in texts})
    held = {(r["source"], r["source_identifier"]) for r in before.values() if not r["deleted"]}
    gone = {(r["source"], r.get("source_identifier")) for r in after.values() if r["deleted"]}
    withdrawn = {(name, native) for name in texts for native in truth[name].deleted}
    assert withdrawn & held <= gone
    return after


def test_the_page_of_coverage_is_true_and_has_no_empty_row() -> None:
    page = coverage.document()
    assert coverage.PAGE.read_text("utf-8") == page, "run python -m demo.coverage"
    for name in ASKED_FOR:
        assert f"| {name} | 0 |" not in page, name
        assert f"| {name} | " in page, name
