"""``/health`` for load balancers, ``/sources`` for people, ``/metrics`` for Prometheus.

They are read from the store when they are asked for, with a few questions whatever the number
of sources: any worker gives the same answer.
"""

from __future__ import annotations

import platform
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import Blueprint, Response, jsonify, render_template
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)

from adapters.source import Source
from chm_hub import __version__
from chm_hub import health as scores
from chm_hub.errors import StoreError
from chm_hub.health import GRADES, Health
from chm_hub.settings import Settings
from store import Count, Store
from store.runs import COUNTS

PATIENCE = 3.0
"""Seconds the store has to answer; a scrape and a load balancer wait for some ten."""
SILENT = timedelta(minutes=5)
"""A scheduler that gave no sign of life for so long is thought dead."""
MANY_OVERDUE = 0.10
"""More than this share of the sources overdue is a fault of ours rather than theirs."""
STATES = ("complete", "complete_with_warnings", "partial", "failed", "held")


def blueprint(
    store: Store, settings: Settings, sources: Sequence[Source], faulty: int
) -> Blueprint:
    """The addresses as a Flask blueprint over an open store, for the declared sources; ``faulty``
    are those that cannot be among them."""
    made = Blueprint("watch", __name__)

    @made.get("/health")
    def health() -> tuple[Response, int]:
        told, status = _health(store, sources, faulty, datetime.now(UTC))
        answer = jsonify(told)
        answer.headers["Cache-Control"] = "no-store"
        return answer, status

    @made.get("/sources")
    def table() -> str:
        """How the sources are, the worst first; what is not published is nobody's business."""
        with store.explained():
            stored, counts = store.watch.summaries(), store.records.counts()
            waiting = store.decisions.counts()
        published = [
            s
            for s in sources
            if s.declared.republish and (s.declared.enabled or f"source:{s.id}" in counts)
        ]
        assessed = _assessed(stored, waiting, published, datetime.now(UTC))
        found = [one for _, one in assessed.values()]
        met = Counter(one.grade for one in found)
        return render_template(
            "sources.html",
            settings=settings,
            grades=[(grade, met[grade]) for grade in (*(g for _, g in GRADES), "new", "off")],
            rows=[
                {"health": one, "count": counts.get(f"source:{one.source}", Count())}
                # What is not harvested any more, or was never, comes last: nothing is wrong.
                for one in sorted(
                    found,
                    key=lambda h: (h.grade == "new", h.grade == "off", h.score or 0, h.source),
                )
            ],
        )

    @made.get("/metrics")
    def metrics() -> Response:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_Collector(store, sources, faulty, datetime.now(UTC)))
        return Response(
            generate_latest(registry),
            content_type=CONTENT_TYPE_PLAIN_0_0_4,
            headers={"Cache-Control": "no-store"},
        )

    return made


def _assessed(
    stored: Mapping[str, Any], waiting: Mapping[str, int], sources: Sequence[Source], now: datetime
) -> dict[str, tuple[scores.Declared, Health]]:
    found = {}
    for source in sources:
        declared = scores.declared(source, now)
        name = source.id
        found[name] = declared, scores.of_stored(declared, stored.get(name), now, waiting.get(name))
    return found


def _alive(beat: Mapping[str, Any] | None, now: datetime) -> bool:
    return beat is not None and now - beat["at"] < SILENT


def _faulty(beat: Mapping[str, Any] | None, faulty: int, now: datetime) -> int:
    """How many source files are left out for what is wrong with them: as the scheduler found them
    lately, else as we did when we began."""
    return int(beat.get("faulty", faulty)) if beat is not None and _alive(beat, now) else faulty


def _health(
    store: Store, sources: Sequence[Source], faulty: int, now: datetime
) -> tuple[dict[str, Any], int]:
    kept = {"reachable": False, "engine": store.engine}
    try:
        store.ping(PATIENCE)
        with store.explained():
            stored, beat = store.watch.summaries(), store.watch.heartbeat()
            waiting = store.decisions.counts()
    except StoreError:
        return {"status": "failing", "store": kept}, 503
    grades = dict.fromkeys([*(grade for _, grade in GRADES), "new", "off"], 0)
    overdue: list[tuple[datetime | None, str]] = []
    for name, (declared, one) in _assessed(stored, waiting, sources, now).items():
        grades[one.grade] += 1
        # What is not published is nobody's business here.
        if one.overdue:
            overdue.append((one.last_success, name if declared.republish else ""))
    oldest = min(overdue, key=lambda pair: (pair[0] is not None, pair[0] or now), default=None)
    scheduler = None
    if beat is not None:
        scheduler = {"alive": _alive(beat, now), "at": _iso(beat["at"])}
    enabled = sum(grades.values()) - grades["off"]
    faulty = _faulty(beat, faulty, now)
    degraded = (
        (scheduler is not None and not scheduler["alive"])
        or len(overdue) > MANY_OVERDUE * enabled
        or faulty > 0
    )
    return {
        "status": "degraded" if degraded else "ok",
        "store": {**kept, "reachable": True},
        "scheduler": scheduler,
        "sources": {**grades, "faulty": faulty},
        "overdue": len(overdue),
        "oldest_overdue": None
        if oldest is None
        else {
            "source": oldest[1] or None,
            "last_success": _iso(oldest[0]) if oldest[0] else None,
        },
    }, 200


class _Collector:
    """What Prometheus reads, made of the store when it is asked for."""

    def __init__(self, store: Store, sources: Sequence[Source], faulty: int, now: datetime) -> None:
        self._store, self._sources, self._faulty, self._now = store, sources, faulty, now

    def collect(self) -> Iterator[Metric]:
        build = InfoMetricFamily("chm_hub_build", "The hub that answers.")
        build.add_metric(
            [],
            {
                "version": __version__,
                "python": platform.python_version(),
                "engine": self._store.engine,
            },
        )
        yield build
        up = GaugeMetricFamily("chm_hub_store_up", "Whether the record store answers.")
        try:
            self._store.ping(PATIENCE)
            with self._store.explained():
                counts = self._store.records.counts()
                stored = self._store.watch.summaries()
                beat = self._store.watch.heartbeat()
                alerts = self._store.watch.alerts()
                waiting = self._store.decisions.counts()
        except StoreError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        if beat is not None:
            yield GaugeMetricFamily(
                "chm_hub_scheduler_heartbeat_timestamp_seconds",
                "When the scheduler last gave a sign of life.",
                value=beat["at"].timestamp(),
            )
        yield GaugeMetricFamily(
            "chm_hub_sources_faulty",
            "Source files that are left out, since something is wrong with them.",
            value=_faulty(beat, self._faulty, self._now),
        )
        open_incidents = [row["incident"] for row in alerts.values() if row.get("incident")]
        yield GaugeMetricFamily(
            "chm_hub_incidents", "Sources that need a look now.", value=len(open_incidents)
        )
        yield GaugeMetricFamily(
            "chm_hub_alerts_pending",
            "Messages that could not be sent yet.",
            value=sum(len(row.get("outgoing", [])) for row in alerts.values()),
        )
        yield from _records(counts)
        yield from self._of_sources(stored, waiting)

    def _of_sources(
        self, stored: Mapping[str, Any], waiting: Mapping[str, int]
    ) -> Iterable[Metric]:
        def gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
            return GaugeMetricFamily(f"chm_hub_{name}", text, labels=["source", *labels])

        def counter(name: str, text: str, *labels: str) -> CounterMetricFamily:
            return CounterMetricFamily(f"chm_hub_{name}", text, labels=["source", *labels])

        runs = counter("runs", "Runs that ended, by how they ended.", "state")
        requests = counter("requests", "Requests sent, retries and redirects included.")
        issues = counter("issues", "What crosswalks did not understand.")
        score = gauge("health_score", "How well the source is, 0 to 100.")
        interval = gauge("schedule_interval_seconds", "Time between harvests by its schedule.")
        success = gauge("last_success_timestamp_seconds", "When a harvest last was complete.")
        ended = gauge("last_run_timestamp_seconds", "When the last run ended.")
        duration = gauge("last_run_duration_seconds", "How long the last run took.")
        documents = gauge("last_run_documents", "What became of its documents.", "outcome")
        announced = gauge("last_run_announced_documents", "How many the source announced.")
        asked = gauge("last_run_requests", "Requests of the last run.")
        unclear = gauge("last_run_issues", "Issues of the last run.")
        held = gauge("held_deletions", "Deletions that wait for a person.")
        assessed = _assessed(stored, waiting, self._sources, self._now)
        for name, (declared, one) in assessed.items():
            if declared.enabled and one.score is not None:
                score.add_metric([name], one.score)
                interval.add_metric([name], one.period)
            row = stored.get(name)
            if row is None:
                continue
            for state in sorted({*STATES, *row["states"]}):
                runs.add_metric([name, state], row["states"].get(state, 0))
            requests.add_metric([name], row.get("requests", 0))
            issues.add_metric([name], row.get("issues", 0))
            if one.last_success is not None:
                success.add_metric([name], one.last_success.timestamp())
            held.add_metric([name], waiting.get(name, 0))
            last = one.last_run
            if last is None:
                continue
            ended.add_metric([name], last.ended.timestamp())
            duration.add_metric([name], last.seconds)
            for outcome in COUNTS:
                documents.add_metric([name, outcome], last.counts.get(outcome, 0))
            if last.total is not None:
                announced.add_metric([name], last.total)
            asked.add_metric([name], last.requests)
            unclear.add_metric([name], last.issues)
        return (
            runs, requests, issues, score, interval, success, ended, duration,
            documents, announced, asked, unclear, held,
        )  # fmt: skip


def _records(counts: Mapping[str, Any]) -> Iterator[Metric]:
    records = GaugeMetricFamily(
        "chm_hub_records", "Records held, by source.", labels=["source", "state"]
    )
    for spec, count in sorted(counts.items()):
        kind, _, name = spec.removeprefix("~").partition(":")
        if kind == "source" and name:
            records.add_metric([name, "live"], count.live)
            records.add_metric([name, "deleted"], count.deleted)
    yield records


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
