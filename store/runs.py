"""Runs and cursors: what was harvested when, and where to go on."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

ISSUE_KINDS = 500
"""Different issues kept per run; further kinds are counted as one."""

GRACE = timedelta(days=7)
"""A record must be missing from two whole walks this far apart before it counts as gone."""
MISSING_PART = 10_000
"""Names in one document: one with all the names of a large source would be too large."""

COUNTS = ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
"""What can become of a document; their sum is ``seen``."""


@dataclass(slots=True, kw_only=True)
class Run:
    """One harvest (or one mapping) of one source, while it goes on and afterwards."""

    identifier: str
    source: str
    kind: str
    """``harvest`` or ``map``."""
    started: datetime
    ended: datetime | None = None
    state: str = "running"
    """``running``, then ``complete``, ``complete_with_warnings``, ``partial``, ``failed`` or
    ``held``; a run found dead by the next one is ``failed``."""
    counts: Counter[str] = field(default_factory=Counter)
    issues: Counter[str] = field(default_factory=Counter)
    """``field: message`` → how often."""
    examples: dict[str, str] = field(default_factory=dict)
    """``field: message`` → a record it happened to."""
    warnings: Counter[str] = field(default_factory=Counter)
    rejects: Counter[str] = field(default_factory=Counter)
    unnamed: int = 0
    """Those of the quarantined that have no identifier to be found under."""
    repeated: int | None = 0
    """Those of ``seen`` whose identifier came before in this run; ``None`` of a run of an earlier
    version, which did not count them."""
    absent: int = 0
    """How many of the ``deleted`` the source did not name: it lists them no more."""
    requests: int = 0
    total: int | None = None
    """How many documents the source said there are."""
    lacking: int = 0
    """How many of these did not come, though the list was read to its end."""
    reason: str | None = None
    """Why the run is not ``complete``, in words for people."""
    error: str | None = None
    """The same as a short stable word, where an error ended it (``http_503``, ``not_xml``)."""
    full: bool = False
    """Whether everything was asked for, not only what is new."""
    pages: int = 0
    """Pages kept by this run."""
    due: datetime | None = None
    """When the schedule wanted it, if it did."""
    not_before: datetime | None = None
    """When the server wants to be asked again at the earliest, if it said so."""
    profile: dict[str, Any] | None = None
    """What its records were like, see :mod:`chm_hub.drift`."""
    written: int = 0
    """Records that this run has written or deleted in the store; acknowledged ones alone."""
    held_back: int = 0
    """Those of the ``unchanged`` whose new version was not taken: the run is held for drift."""
    unread: dict[str, Any] | None = None
    """What of the values of its documents no crosswalk reads, see
    :meth:`mappings.unread.Tally.told`; ``None`` where nothing was mapped."""

    @property
    def why(self) -> str | None:
        """The reason; of a run that failed or is partial with what it has stored nevertheless."""
        if self.state not in ("failed", "partial"):
            return self.reason
        return and_wrote(self.reason, self.written)

    @property
    def seen(self) -> int:
        """How many documents the source gave, and how many records were found absent."""
        return sum(self.counts[name] for name in COUNTS)

    @property
    def given(self) -> int:
        """How many documents the source gave."""
        return self.seen - self.absent

    def note(self, issue: str, record: str) -> None:
        """Count an issue and remember one record it happened to."""
        if issue not in self.issues and len(self.issues) >= ISSUE_KINDS:
            issue = "further kinds of issues"
        self.issues[issue] += 1
        self.examples.setdefault(issue, record)

    def line(self) -> dict[str, Any]:
        """The run as the command line prints it (architecture §7)."""
        return {
            "source": self.source,
            "run": self.identifier,
            "kind": self.kind,
            "state": self.state,
            "seen": self.seen,
            **{name: self.counts[name] for name in COUNTS},
            "issues": sum(self.issues.values()),
            "absent": self.absent,
            "requests": self.requests,
            "started": _iso(self.started),
            "ended": _iso(self.ended) if self.ended else None,
            "total": self.total,
            "lacking": self.lacking,
            "full": self.full,
            "warnings": dict(self.warnings),
            "reasons": dict(self.rejects),
            "unnamed": self.unnamed,
            "repeated": self.repeated,
            "reason": self.why,
            "error": self.error,
            "due": self.due.isoformat() if self.due else None,
            "not_before": _iso(self.not_before) if self.not_before else None,
            "written": self.written,
            "held_back": self.held_back,
            "unread": self.unread,
        }


def and_wrote(reason: str | None, written: int) -> str:
    """Why a run did not come to a good end, and what of it is stored nevertheless."""
    said = f"it wrote {written} records, which stay" if written else "it wrote no record"
    return f"{reason.rstrip('.')}; {said}" if reason else said


class Runs:
    """Collections ``runs`` (``_id`` ``<source>/<number>``), ``cursors`` and ``missing``
    (``_id`` the source, and what its names are spread over)."""

    def __init__(self, database: Database[dict[str, Any]]) -> None:
        self._runs = database["runs"]
        self._cursors = database["cursors"]
        self._missing = database["missing"]

    # --- runs ------------------------------------------------------------------------------

    def begin(
        self,
        source: str,
        kind: str,
        now: datetime,
        *,
        full: bool = False,
        due: datetime | None = None,
    ) -> Run:
        """Start a run of a source whose lease is ours; a run left ``running`` is closed."""
        state = self._cursors.find_one_and_update(
            {"_id": source}, {"$inc": {"runs": 1}}, upsert=True, return_document=True
        )
        assert state is not None
        number = state["runs"]
        if number > 1:
            self._runs.update_one(
                {"_id": f"{source}/{number - 1}", "state": "running"},
                {"$set": {"state": "failed", "reason": "ended without saying so (killed?)"}},
            )
        run = Run(identifier=f"{source}/{number}", source=source, kind=kind, started=now, full=full)
        run.due = due
        self.save(run)
        return run

    def save(self, run: Run) -> None:
        """Write a run as it stands. A run that has ended stays ended: what was still on its way
        when it ended, with the state ``running``, comes too late and is not written."""
        row = _row(run)
        if run.state != "running":
            self._runs.replace_one({"_id": run.identifier}, row, upsert=True)
        elif not self._runs.replace_one(
            {"_id": run.identifier, "state": "running"}, row
        ).matched_count:
            with suppress(DuplicateKeyError):
                self._runs.insert_one(row)

    def history(self, source: str, limit: int = 20) -> list[Run]:
        """The latest runs of a source, newest first."""
        last = (self._cursors.find_one({"_id": source}) or {}).get("runs", 0)
        names = [f"{source}/{n}" for n in range(max(1, last - limit + 1), last + 1)]
        found = [_run(row) for row in self._runs.find({"_id": {"$in": names}})]
        return sorted(found, key=lambda run: run.started, reverse=True)

    def newest_first(self, source: str) -> Iterator[Run]:
        """All runs of a source, read as they are asked for."""
        last = (self._cursors.find_one({"_id": source}) or {}).get("runs", 0)
        for number in range(last, 0, -1):
            if (run := self.get(f"{source}/{number}")) is not None:
                yield run

    def kept_pages(self, source: str, *, held: bool = True) -> Iterator[str]:
        """The identifiers of all pages the source's runs kept, newest first; some may have
        been let go since. Without ``held`` those of runs that were held for drift are left out:
        what such a run brought was never taken."""
        last = (self._cursors.find_one({"_id": source}) or {}).get("runs", 0)
        for number in range(last, 0, -1):
            fields = {"pages": 1, "state": 1, "error": 1}
            row = self._runs.find_one({"_id": f"{source}/{number}"}, fields) or {}
            if not held and (row.get("state"), row.get("error")) == ("held", "drift"):
                continue
            for page in range(row.get("pages", 0), 0, -1):
                yield f"{source}/{number}/{page}"

    def bury(
        self,
        source: str,
        due: datetime | None,
        reason: str,
        error: str,
        now: datetime,
        *,
        kind: str = "harvest",
    ) -> Run | None:
        """Say of a run that was ended from outside how it ended: it could not itself, or, if it
        was due, not even begin. The run; ``None`` if it had said so itself."""
        found = self.history(source, 1)
        run = found[0] if found and (found[0].kind, found[0].due) == (kind, due) else None
        if run is None:
            if due is None:
                return None
            run = self.begin(source, kind, now, due=due)
        if run.ended is not None and run.error != "interrupted":  # by whoever ended it
            return None
        run.state, run.reason, run.error, run.ended = "failed", reason, error, now
        self.save(run)
        return run

    def progress(self, source: str) -> tuple[int, int, int]:
        """How far the last run is: its number, its pages, its requests."""
        last = (self._cursors.find_one({"_id": source}) or {}).get("runs", 0)
        row = self._runs.find_one({"_id": f"{source}/{last}"}, {"pages": 1, "requests": 1}) or {}
        return last, row.get("pages", 0), row.get("requests", 0)

    def get(self, identifier: str) -> Run | None:
        """One run by its identifier."""
        row = self._runs.find_one({"_id": identifier})
        return _run(row) if row else None

    def sources(self) -> list[str]:
        """Every source that was ever harvested."""
        return sorted(row["_id"] for row in self._cursors.find({}, {"_id": 1}))

    # --- cursors ---------------------------------------------------------------------------

    def cursor(self, source: str) -> dict[str, Any]:
        """What the last runs of a source left for the next: ``since``, ``checkpoint``,
        ``full`` (when a whole walk last came to its end) and what its harvester keeps."""
        row = self._cursors.find_one({"_id": source}) or {}
        return {k: v for k, v in row.items() if k not in ("_id", "runs")}

    def set_cursor(self, source: str, values: dict[str, Any]) -> None:
        """Change a source's cursor; a value of ``None`` removes the key."""
        update: dict[str, Any] = {}
        if kept := {k: v for k, v in values.items() if v is not None}:
            update["$set"] = kept
        if gone := {k: "" for k, v in values.items() if v is None}:
            update["$unset"] = gone
        if update:
            self._cursors.update_one({"_id": source}, update, upsert=True)

    def missing(self, source: str) -> dict[str, datetime]:
        """Live records that the last whole walks did not meet, and since when."""
        head = self._missing.find_one({"_id": source}) or {}
        found = dict(head.get("records", ()))
        for part in _parts(head):
            found.update((self._missing.find_one({"_id": part}) or {"records": ()})["records"])
        return found

    def set_missing(self, source: str, records: dict[str, datetime]) -> None:
        """Remember which records were not met, in place of what was remembered: all of it or,
        cut off, nothing."""
        before = self._missing.find_one({"_id": source}) or {}
        head: dict[str, Any] = {"_id": source, "generation": secrets.token_hex(4)}
        pairs = [[name, since] for name, since in records.items()]
        head["parts"] = -(-len(pairs) // MISSING_PART)
        for number, part in enumerate(_parts(head)):
            some = pairs[number * MISSING_PART : (number + 1) * MISSING_PART]
            self._missing.insert_one({"_id": part, "records": some})
        if pairs:
            self._missing.replace_one({"_id": source}, head, upsert=True)
        else:
            self._missing.delete_one({"_id": source})
        for part in _parts(before):
            self._missing.delete_one({"_id": part})


def _parts(head: dict[str, Any]) -> list[str]:
    """The documents that what is missing of a source is spread over."""
    name, generation = head.get("_id"), head.get("generation")
    return [f"{name}/{generation}/{number}" for number in range(head.get("parts", 0))]


def _row(run: Run) -> dict[str, Any]:
    return {
        "_id": run.identifier,
        "source": run.source,
        "kind": run.kind,
        "started": run.started,
        "ended": run.ended,
        "state": run.state,
        "counts": dict(run.counts),
        # Pairs, since a message may hold what a field name may not.
        "issues": [[k, n, run.examples.get(k)] for k, n in run.issues.items()],
        "warnings": [[k, n] for k, n in run.warnings.items()],
        "rejects": [[k, n] for k, n in run.rejects.items()],
        "unnamed": run.unnamed,
        "repeated": run.repeated,
        "absent": run.absent,
        "requests": run.requests,
        "total": run.total,
        "lacking": run.lacking,
        "reason": run.reason,
        "error": run.error,
        "full": run.full,
        "pages": run.pages,
        "not_before": run.not_before,
        "due": run.due,
        "profile": run.profile,
        "written": run.written,
        "held_back": run.held_back,
        "unread": run.unread,
    }


def _run(row: dict[str, Any]) -> Run:
    return Run(
        identifier=row["_id"],
        source=row["source"],
        kind=row["kind"],
        started=row["started"],
        ended=row["ended"],
        state=row["state"],
        counts=Counter(row["counts"]),
        issues=Counter({k: n for k, n, _ in row["issues"]}),
        examples={k: e for k, _, e in row["issues"] if e},
        warnings=Counter(dict(row["warnings"])),
        rejects=Counter(dict(row["rejects"])),
        unnamed=row.get("unnamed") or 0,
        repeated=row.get("repeated"),
        absent=row.get("absent", 0),
        requests=row["requests"],
        total=row["total"],
        lacking=row.get("lacking", 0),
        reason=row["reason"],
        error=row["error"],
        full=row["full"],
        pages=row["pages"],
        not_before=row.get("not_before"),
        due=row.get("due"),
        profile=row.get("profile"),
        written=row.get("written", 0),
        held_back=row.get("held_back", 0),
        unread=row.get("unread"),
    )


def _iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
