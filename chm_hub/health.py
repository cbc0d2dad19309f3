"""How well a source is: a score of 0 to 100, and why it is not more.

:func:`assess` is a pure function of what a source declares, what its last runs were like, and
the time. Each point that is lost has a reason, in words, with what to do next; the sum of the
points lost and the score is 100.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from adapters.source import Source, cron, duration
from store import Run
from store.runs import COUNTS

LAST = 20
"""Runs that are looked at."""
WEEK = timedelta(days=7)
DAYS_KEPT = 15
"""Days of which the score is kept, for the trend."""
NOTICEABLE = 5
"""A change of the score by fewer points is no trend."""
LATE = 1.5
"""A source whose last success is older than so many of its periods is late..."""
OVERDUE = 2.0
"""...and than so many, overdue; people are told of that."""
GRADES = ((90, "good"), (70, "fair"), (40, "poor"), (0, "failing"))
_PERIODS = {
    "hourly": timedelta(hours=1),
    "daily": timedelta(days=1),
    "weekly": timedelta(days=7),
    "monthly": timedelta(days=31),
}
_NETWORK = frozenset(("dns", "refused", "lost", "truncated", "timeout", "certificate", "encoding"))
_HTTP = frozenset(("busy", "challenge", "robots", "redirects", "too_large"))
_CONFIGURATION = frozenset(("secret", "egress", "SourceError", "CrosswalkError"))
_TRANSIENT = frozenset(
    ("dns", "refused", "lost", "truncated", "timeout", "busy", "http_408", "http_425", "http_429")
)

CLASSES = (
    "network", "http", "protocol", "content", "configuration", "store", "killed", "internal",
)  # fmt: skip
"""What an unsuccessful run can be due to."""
_ADVICE = {
    "network": "wait for the next run; tell the contact if it lasts",
    "http": "open the address in a browser; ask the contact whether harvesting is allowed",
    "protocol": "compare `url` and `[options]` with the adapter's page; it may have moved",
    "content": "look at `reason` of the run; correct `[expect]` or the crosswalk",
    "configuration": "correct the source's file or setting that `reason` names",
    "store": "see that the database runs and has room",
    "killed": "give it more room (CHM_HUB_RUN_MEMORY, CHM_HUB_RUN_MINUTES) or smaller pages",
    "internal": "report it, with the sentence in `reason`",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """What a source's file says that matters here."""

    source: str
    title: str = ""
    period: timedelta = timedelta(days=1)
    """The longest time between two of its harvests."""
    enabled: bool = True
    republish: bool = True
    excused_until: date | None = None
    """Until when its certificate is not looked at, where that is so now (rule R16)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Past:
    """What is kept of a run for this."""

    run: str
    state: str
    ended: datetime
    kind: str = "harvest"
    seconds: float = 0.0
    counts: dict[str, int] = field(default_factory=dict)
    absent: int = 0
    """How many of the deleted it did not name."""
    total: int | None = None
    issues: int = 0
    mapped: int = 0
    """Documents that went through the crosswalk; others were as they were before."""
    requests: int = 0
    full: bool = False
    """Whether it saw all there is."""
    error: str | None = None
    reason: str | None = None
    held: int = 0
    """Deletions that wait for a person."""
    drift: list[str] = field(default_factory=list)
    missing: int = 0
    """Live records that it did not meet, though it saw all there is."""

    @property
    def good(self) -> bool:
        """Whether it came to its end."""
        return self.state.startswith("complete")

    @property
    def seen(self) -> int:
        """How many documents the source gave."""
        return sum(self.counts.values()) - self.absent


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Points lost, why, and what to do."""

    word: str
    points: int
    text: str
    do: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How well a source is."""

    source: str
    title: str
    score: int | None
    """0 to 100; ``None`` for a source that is not enabled."""
    grade: str
    """``good``, ``fair``, ``poor``, ``failing``; ``new`` for one that was never harvested, ``off``
    for one that is not enabled."""
    trend: str
    """``better``, ``same`` or ``worse`` than a week before; ``new`` where nothing is known."""
    reasons: list[Reason]
    """The costliest first."""
    last_success: datetime | None
    last_run: Past | None
    age: float | None
    """Seconds since the last success."""
    period: float
    """Seconds between two harvests by its schedule."""
    overdue: bool
    completeness: float | None
    """Share of what the source announced that came and could be read, at the last whole walk."""
    quarantined: float
    """Share of the documents that could not be read, lately."""
    issues_per_100: float
    """Issues per hundred documents, when they were last mapped."""
    errors: dict[str, int]
    """Unsuccessful runs among the last ones by class of error."""
    drift: list[str]

    def plain(self) -> dict[str, Any]:
        """As JSON can hold it, times as text."""

        def told(value: Any) -> Any:
            if isinstance(value, datetime):
                return value.strftime("%Y-%m-%dT%H:%M:%SZ")
            if isinstance(value, dict):
                return {key: told(part) for key, part in value.items()}
            return [told(part) for part in value] if isinstance(value, list) else value

        line: dict[str, Any] = told(asdict(self))
        return line


def assess(
    declared: Declared,
    runs: Sequence[Past],
    now: datetime,
    before: int | None = None,
    waiting: int | None = None,
) -> Health:
    """How well a source is, by its runs (any order; the last :data:`LAST` harvests count),
    ``before`` being its score of a week ago and ``waiting`` how many of its deletions wait for a
    person (0: a run for its drift; ``None``: nothing does)."""
    harvests = sorted(
        (run for run in runs if run.kind == "harvest" and not _stopped(run)),
        key=lambda run: run.ended,
        reverse=True,
    )[:LAST]
    last = harvests[0] if harvests else None
    success = next((run for run in harvests if run.good), None)
    age = (now - success.ended) if success else None
    whole = next((run for run in harvests if run.good and run.full), None)
    recent = _recent(harvests)
    seen = sum(run.seen for run in recent)
    issues = _issues(runs)
    quarantined = sum(run.counts.get("quarantined", 0) for run in recent) / seen if seen else 0.0
    errors = Counter(error_class(run) for run in harvests if not run.good)
    reasons: list[Reason] = []

    def lost(word: str, points: float, text: str, do: str) -> None:
        if points > 0:
            reasons.append(Reason(word=word, points=max(1, round(points)), text=text, do=do))

    name = declared.source
    # Whether nobody came by yet or the scheduler does not run, only a person can tell.
    if last is None:
        lost("never", 100, "it was never harvested", f"chm-hub harvest {name}")
    else:
        _outcome(lost, name, harvests, waiting)
        _freshness(lost, name, declared, age)
    completeness = None
    if whole is not None:
        given = whole.seen - whole.counts.get("quarantined", 0)
        completeness = 1.0
        if whole.total:
            completeness = min(1.0, given / whole.total)
            missing = whole.total - whole.seen
            lost(
                "incomplete",
                min(20, 100 * missing / whole.total),
                f"the source announced {whole.total} and gave {whole.seen}",
                f"chm-hub harvest {name} --full; tell the contact if it lasts",
            )
        elif whole.seen:
            completeness = given / whole.seen
        lost(
            "missing",
            min(15, 100 * whole.missing / (whole.seen + whole.missing)) if whole.missing else 0,
            f"{whole.missing} of its live records are not in its whole lists any more",
            f"chm-hub ledger {name} --state missing lists them and says what becomes of them",
        )
    lost(
        "quarantine",
        min(20, 100 * quarantined),
        f"{quarantined:.1%} of its documents could not be read",
        f"chm-hub runs {name} --json names the reasons",
    )
    lost(
        "issues",
        # Some is usual: a code nobody knows, a date in words.
        min(15, issues / 10) if issues >= 5 else 0,
        f"{issues:.0f} issues per 100 documents",
        f"chm-hub runs {name} lists them; the crosswalk can learn",
    )
    if declared.excused_until is not None:
        lost(
            "unsafe",
            5,
            f"its certificate is not looked at until {declared.excused_until}: anybody between "
            "could answer for it",
            "ask the contact for a certificate in order, then drop tls_exception_until",
        )
    jumps = list(dict.fromkeys(jump for run in recent for jump in run.drift))
    if jumps:
        lost(
            "drift",
            10,
            f"it has changed its nature: {'; '.join(jumps)}",
            f"compare its pages with `chm-hub harvest {name} --dry-run --max 5`",
        )
    taken, kept = 0, []
    for reason in sorted(reasons, key=lambda reason: -reason.points):
        # What is lost already cannot be lost again: the sum stays 100.
        points = min(reason.points, 100 - taken)
        taken += points
        kept.append(Reason(word=reason.word, points=points, text=reason.text, do=reason.do))
    score = 100 - taken if declared.enabled else None
    return Health(
        source=name,
        title=declared.title,
        score=score,
        grade=_grade(score, last),
        trend=_trend(score, before),
        reasons=kept if declared.enabled else [],
        last_success=success.ended if success else None,
        last_run=last,
        age=age.total_seconds() if age is not None else None,
        period=declared.period.total_seconds(),
        overdue=declared.enabled and overdue(declared.period, success, harvests, now),
        completeness=round(completeness, 4) if completeness is not None else None,
        quarantined=round(quarantined, 4),
        issues_per_100=round(issues, 1),
        errors={name: errors[name] for name in CLASSES if errors[name]},
        drift=jumps,
    )


def _grade(score: int | None, last: Past | None) -> str:
    if score is None:
        return "off"
    if last is None:
        return "new"
    return next(grade for least, grade in GRADES if score >= least)


def _outcome(lost: Any, name: str, harvests: Sequence[Past], waiting: int | None) -> None:
    last = harvests[0]
    decide = f"chm-hub held show {name}, then held approve or held reject"
    if waiting is not None and last.state != "held":
        what = f"{waiting} deletions wait" if waiting else "what it has become waits"
        lost("held", 25, f"{what} for a person", decide)
    if last.good:
        if last.state != "complete":
            lost(
                "warnings",
                3,
                "something had to be repaired, was set aside or is missing",
                f"chm-hub runs {name} --json shows its warnings",
            )
    else:
        kind = error_class(last)
        points = {"failed": 40, "partial": 25, "held": 25}.get(last.state, 40)
        in_a_row = next((n for n, run in enumerate(harvests) if run.good), len(harvests))
        again = f", {in_a_row} times in a row" if in_a_row > 1 else ""
        do, why = _ADVICE[kind], last.reason or last.error or kind
        if last.state == "held" and waiting is not None:
            do = decide
        elif last.state == "held":
            do, why = f"wait for the next run, or chm-hub harvest {name}", "that was decided since"
        lost(
            last.state,
            points + min(15, 5 * (in_a_row - 1)),
            f"its last run ended as {last.state}{again}: {why}",
            do,
        )
    former = harvests[1:]
    failures = sum(1 for run in former if not run.good)
    if last.good and failures:
        lost(
            "unsteady",
            10 * failures / len(former),
            f"{failures} of the {len(former)} runs before the last did not come to their end",
            _ADVICE[Counter(error_class(r) for r in former if not r.good).most_common(1)[0][0]],
        )


def _freshness(lost: Any, name: str, declared: Declared, age: timedelta | None) -> None:
    if age is None:
        lost("no_success", 30, "no run ever came to its end", f"chm-hub harvest {name} --full")
        return
    periods = age / declared.period
    if periods > LATE:
        lost(
            "late" if periods <= OVERDUE else "overdue",
            10 if periods <= OVERDUE else 20 if periods <= 2 * OVERDUE else 30,
            f"its last success is {_days(age)} old, and it is harvested every "
            f"{_days(declared.period)}",
            f"see that the scheduler runs; chm-hub harvest {name}",
        )


def overdue(
    period: timedelta, success: Past | None, harvests: Sequence[Past], now: datetime
) -> bool:
    """Whether the last success, or the first attempt where there was none, is longer ago than
    twice its schedule."""
    if success is None:
        return bool(harvests) and now - harvests[-1].ended > OVERDUE * period
    return now - success.ended > OVERDUE * period


def unattended(
    declared: Declared, one: Health, due: datetime, began: datetime, now: datetime
) -> str | None:
    """Why somebody should look where the runs of a source stay, whose next one was ``due``;
    ``None`` where they come. The scheduler itself ``began`` then: after a standstill all are
    late, and it needs a while."""
    last = one.last_run.ended if one.last_run else due
    patience = OVERDUE * declared.period
    if due > now or now - last <= patience or now - began <= min(patience, timedelta(days=1)):
        return None
    return (
        f"no run has ended since {last:%Y-%m-%d %H:%M} UTC, and it is harvested every "
        f"{_days(declared.period)}"
    )


def error_class(run: Past) -> str:
    """Which of :data:`CLASSES` an unsuccessful run belongs to."""
    word = run.error
    if word is None:
        # It ended before its end, or with too little, or with too much to delete.
        return "content"
    if word in ("store", "StoreError"):
        return "store"
    if word == "killed":
        return "killed"
    if word == "internal" or word == "interrupted":
        return "internal"
    if word in _CONFIGURATION:
        return "configuration"
    if word in _NETWORK:
        return "network"
    if word in _HTTP or word.startswith("http_"):
        return "http"
    return "protocol"


def transient(run: Past) -> bool:
    """Whether an unsuccessful run is of the kind that often passes by itself."""
    if run.error is None:
        return run.state == "partial"
    return run.error in _TRANSIENT or run.error.startswith("http_5")


def _recent(harvests: Sequence[Past]) -> list[Past]:
    """The runs since the last whole one, and that one: together they say what there is."""
    recent = []
    for run in harvests:
        recent.append(run)
        if run.full and run.good:
            break
    return recent


def _issues(runs: Sequence[Past]) -> float:
    """Issues per hundred documents, of the runs since the last that mapped most of all there is,
    and of that one. A run that found everything as it was mapped nothing, and says nothing of it.
    """
    issues = mapped = 0
    ended = (run for run in runs if not _stopped(run))
    for run in sorted(ended, key=lambda run: run.ended, reverse=True):
        issues += run.issues
        mapped += run.mapped
        if _mapped_most(run):
            break
    return 100 * issues / mapped if mapped else 0.0


def _mapped_most(run: Past) -> bool:
    """Whether a run mapped most of all there is."""
    whole = run.full or run.kind == "map"
    return run.good and whole and run.mapped > 0 and 2 * run.mapped >= run.seen


def _stopped(run: Past) -> bool:
    """A person stopped it: that says nothing of the source."""
    return run.error == "interrupted" or run.state == "running"


def _trend(score: int | None, before: int | None) -> str:
    if score is None or before is None:
        return "new"
    if abs(score - before) < NOTICEABLE:
        return "same"
    return "better" if score > before else "worse"


def _days(time: timedelta) -> str:
    hours = time.total_seconds() / 3600
    return f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours"


# --- from and to what is stored ------------------------------------------------------------


def declared(source: Source, now: datetime) -> Declared:
    """What of a source's file matters here."""
    return Declared(
        source=source.id,
        title=source.declared.title,
        period=period(source.declared.schedule, now),
        enabled=source.declared.enabled,
        republish=source.declared.republish,
        excused_until=(source.declared.tls_exception_until if source.excused(now.date()) else None),
    )


def period(schedule: str, now: datetime) -> timedelta:
    """The longest time between two harvests by a source's ``schedule``."""
    if schedule in _PERIODS:
        return _PERIODS[schedule]
    if (between := duration(schedule)) is not None:
        return between
    trigger = cron(schedule)
    longest, last = timedelta(hours=1), None
    moment: datetime | None = now
    for _ in range(10):
        moment = trigger.get_next_fire_time(last, moment)
        if moment is None:
            break
        if last is not None:
            longest = max(longest, moment - last)
        last = moment
        moment += timedelta(seconds=1)
    return longest


def past(run: Run, held: int = 0) -> Past:
    """What is kept of a run."""
    ended = run.ended or run.started
    return Past(
        run=run.identifier,
        state=run.state,
        ended=ended,
        kind=run.kind,
        seconds=(ended - run.started).total_seconds(),
        counts={name: run.counts[name] for name in COUNTS},
        absent=run.absent,
        total=run.total,
        issues=sum(run.issues.values()),
        mapped=run.seen if run.profile is None else run.profile["mapped"],
        requests=run.requests,
        # The rest of a walk that was cut off asked for everything and is not the whole.
        full=run.full if run.profile is None else run.profile["whole"],
        error=run.error,
        reason=run.reason[:500] if run.reason else None,
        held=held,
        drift=[w.removeprefix("drift: ") for w in run.warnings if w.startswith("drift: ")],
        missing=run.warnings["missing_at_source"],
    )


def summary(
    before: Mapping[str, Any] | None,
    history: Iterable[Run],
    run: Past,
    declared: Declared,
    waiting: int | None = None,
) -> dict[str, Any]:
    """What is stored of a source after a run, of what was stored before it; ``history`` are
    its former runs, for a source of which nothing was stored."""
    if before is None:
        runs = [asdict(past(r)) for r in history if r.identifier != run.run and r.ended]
        before = {"runs": runs, "scores": [], "states": dict(Counter(r["state"] for r in runs))}
    runs = [asdict(run), *before["runs"]]
    # One kind must not push out what is known of the other.
    kept = [r for kind in ("harvest", "map") for r in _newest(runs, kind)]
    states = Counter(before["states"])
    states[run.state] += 1
    week_ago = _week_ago(before["scores"], run.ended)
    health = assess(declared, _pasts(kept), run.ended, week_ago, waiting)
    today = run.ended.strftime("%Y-%m-%d")
    scores = [pair for pair in before["scores"] if pair[0] != today]
    if health.score is not None:
        scores.append([today, health.score])
    return {
        **before,
        "at": run.ended,
        "runs": kept,
        "states": dict(states),
        "requests": before.get("requests", 0) + run.requests,
        "issues": before.get("issues", 0) + run.issues,
        "scores": scores[-DAYS_KEPT:],
    }


def _newest(runs: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    found = [run for run in runs if run["kind"] == kind]
    found.sort(key=lambda run: run["ended"], reverse=True)
    number = LAST if kind == "harvest" else 1
    # What was last mapped tells how many issues the records have, however long ago it was.
    mapped = next((run for run in found if _mapped_most(_pasts([run])[0])), None)
    kept = found[:number]
    return kept if mapped is None or mapped in kept else [*kept, mapped]


def of_stored(
    declared: Declared,
    stored: Mapping[str, Any] | None,
    now: datetime,
    waiting: int | None = None,
) -> Health:
    """How well a source is by what is stored of it."""
    if stored is None:
        return assess(declared, [], now)
    week_ago = _week_ago(stored["scores"], now)
    return assess(declared, _pasts(stored["runs"]), now, week_ago, waiting)


def _pasts(runs: Iterable[Mapping[str, Any]]) -> list[Past]:
    known = Past.__dataclass_fields__
    return [Past(**{k: v for k, v in run.items() if k in known}) for run in runs]


def _week_ago(scores: Sequence[Sequence[Any]], now: datetime) -> int | None:
    """The newest score that is a week old, else the oldest there is."""
    day = (now - WEEK).strftime("%Y-%m-%d")
    old = [score for at, score in scores if at <= day]
    if old:
        return int(old[-1])
    today = now.strftime("%Y-%m-%d")
    younger = [score for at, score in scores if at < today]
    return int(younger[0]) if younger else None
