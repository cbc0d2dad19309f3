"""Every fault of a fault server through the command line and the real store.

Each fault is met by two sources: one that begins with the fault, and one that was healthy
before (in the quick form of this by one of them). Both go through all phases of the source's
life and end healthy. After each step the records, the run, the requests and the canary are
compared with what the server says of itself; what a fault wants beyond that stands in
``expected.toml``.

``python -m tests.faults.matrix`` prints the table (``make check-faults``).
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

from tests.running import CHM_HUB, Hub

SHARED = Path(os.environ.get("CHM_HUB_SHARED", Path(__file__).resolve().parents[3] / "shared"))
EXPECTED = tomllib.loads((Path(__file__).parent / "expected.toml").read_text("utf-8"))
MOST_MEMORY = 400 * 2**20
SHORT = {
    "complete": "complete",
    "complete_with_warnings": "warnings",
    "partial": "partial",
    "failed": "failed",
    "held": "held",
}
COUNTS = ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
HEALTHY = -1
ADAPTERS = {
    "oai": "oai_pmh",
    "rss": "feed",
    "jsonapi": "drupal_jsonapi",
    "solr": "solr",
    "stac": "stac",
    "html": "html",
}


def fault_server() -> ModuleType:
    """The fault server's module."""
    spec = importlib.util.spec_from_file_location(
        "fault_server", SHARED / "tools" / "fault_server.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["fault_server"] = module
    spec.loader.exec_module(module)
    return module


@dataclass
class Life:
    """One source that lives with one fault."""

    proto: str
    name: str
    listing: dict[str, Any]
    phases: list[int]
    """What each step sets the source's phase to."""
    begins: str
    runs: list[dict[str, Any]] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    requests: list[int] = field(default_factory=list)
    """Requests the server counted in each step."""

    @property
    def run(self) -> str:
        """The name under which the server keeps this source's state apart."""
        return self.begins

    @property
    def id(self) -> str:
        """The source's identifier."""
        return f"{self.proto}-{self.name.replace('_', '-')}-{self.begins}"

    def full(self, number: int) -> bool:
        """Whether a step is a whole walk: that of a source that was healthy meets the fault with
        one, and a healthy end is looked at as a whole."""
        phase = self.phases[number]
        if phase == HEALTHY:
            return number > 0
        return self.begins == "life" and self.phases[number - 1] != phase

    def source(self, url: str) -> str:
        """The source's file."""
        options = EXPECTED.get("options", {}).get(self.proto, "")
        own = EXPECTED.get(self.proto, {}).get(self.name, {}).get("options", "")
        return (
            f'title = "{self.name}"\nadapter = "{ADAPTERS[self.proto]}"\nurl = "{url}"\n'
            # All faults stand on one host here; real ones would not.
            f'group = "{self.id}"\n\n[options]\n{options}\n{own}\n'
        )


@dataclass
class Matrix:
    """All lives over one server and one hub."""

    server: Any
    hub: Hub
    lives: list[Life]
    peak: int = 0

    def step(self, number: int, *, seconds: float) -> None:
        """Set the phases of one step, harvest every source, look at what came of it."""
        here = [life for life in self.lives if number < len(life.phases)]
        before = {life.id: self._requests(life) for life in here}
        for life in here:
            self.server.state.setdefault((life.proto, life.name, life.run), {})["phase"] = (
                life.phases[number]
            )
        runs: dict[str, dict[str, Any]] = {}
        stderr = ""
        for full in (False, True):
            ids = [life.id for life in here if life.full(number) is full]
            if ids:
                lines, stderr = self._harvest([*ids, *(["--full"] if full else [])], seconds)
                runs |= {line["source"]: line for line in lines}
        records: dict[str, list[dict[str, Any]]] = {}
        for record in self.hub.records("--with-deleted").values():
            records.setdefault(record["source"], []).append(record)
        for life in here:
            life.requests.append(self._requests(life) - before[life.id])
            if life.id not in runs:
                life.wrong.append(f"step {number}: no line for its run: {stderr[-300:]}")
                continue
            life.runs.append(runs[life.id])
            life.wrong += [
                f"step {number} (phase {life.phases[number]}): {text}"
                for text in self._faults(life, number, records.get(life.id, []))
            ]

    def _requests(self, life: Life) -> int:
        count: int = self.server.stats((life.proto, life.name, life.run))["requests"]
        return count

    def _harvest(self, ids: list[str], seconds: float) -> tuple[list[dict[str, Any]], str]:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = subprocess.Popen(
                [str(CHM_HUB), "harvest", *ids, "--json"],
                stdout=out,
                stderr=err,
                env=self.hub.environ,
                cwd=self.hub.data,
            )
            deadline = time.monotonic() + seconds
            while True:
                pid, _, usage = os.wait4(process.pid, os.WNOHANG)
                if pid:
                    break
                if time.monotonic() > deadline:
                    process.kill()
                    os.wait4(process.pid, 0)
                    raise AssertionError(f"the harvest hangs: nothing after {seconds:.0f} s")
                time.sleep(0.05)
            process.returncode = 0
            self.peak = max(self.peak, usage.ru_maxrss * 1024)
            out.seek(0)
            err.seek(0)
            said = err.read().decode("utf-8", "replace")
            assert "Traceback" not in said, said
            return [json.loads(line) for line in out.read().splitlines()], said

    def _share(self, wanted: Any, total: int) -> Any:
        """A count that the table gives as a number, or as a name for one that depends on how
        many records there are."""
        named = {
            "without_a_sixth": total - len(range(0, total, 6)),
        }
        return named.get(wanted, wanted)

    def _faults(self, life: Life, number: int, records: list[dict[str, Any]]) -> Iterator[str]:
        """What is wrong after a step."""
        run, listing, phase = life.runs[-1], life.listing, life.phases[number]
        wanted = EXPECTED.get(life.proto, {}).get(life.name, {})
        live = [r for r in records if not r["deleted"]]
        gone = [r for r in records if r["deleted"]]
        first = life.phases.index(next(p for p in life.phases if p != HEALTHY))
        total = len(self.server.records)
        if run["state"] not in SHORT:
            yield f"state {run['state']}"
        if run["seen"] != sum(run[name] for name in COUNTS):
            yield "its counts do not add up"
        if run["error"] == "internal":
            yield f"a fault of the hub: {run['reason']}"
        if phase == HEALTHY:
            if wanted.get("never_healthy"):
                return
            if len(live) != total and not wanted.get("renamed"):
                yield f"{len(live)} live records of a healthy source with {total}"
            if not run["state"].startswith("complete"):
                yield f"a healthy source ends as {run['state']}: {run['reason']}"
        else:
            # A second run may be needed where the outcome says so.
            again = life.phases[:number].count(phase) > 0
            if life.begins == "fresh" and (
                again or listing["expectation"][:16] != "error reported; "
            ):
                told = self._share(wanted.get("live", {}).get(str(phase)), total)
                least = listing["records_min"] if told is None else told
                most = listing["records_max"] if told is None else told
                asked = phase == 0 or str(phase) in wanted.get("live", {})
                if asked and not least <= len(live) <= most:
                    yield f"{len(live)} live records, {least} to {most} wanted"
            if life.begins == "life" and not wanted.get("never_healthy"):
                kept = wanted.get("kept", {}).get(str(phase), total - listing["deleted"])
                kept = self._share(kept, total)
                if len(live) < kept:
                    yield f"{len(live)} live records, {kept} were there before"
            if phase == 0 and len(gone) != listing["deleted"]:
                yield f"{len(gone)} tombstones, {listing['deleted']} wanted"
            told = wanted.get("report_in_phase", 0)
            must = listing["must_report"] and number == first + told * 2
            if must and run["state"] == "complete" and not run["issues"]:
                yield "nothing is reported"
            words = " ".join(run["warnings"])
            if number == first and (word := wanted.get("warns", "")) not in words:
                yield f"no warning of {word}: {words}"
            most = listing["max_requests"]
            if most is not None and life.requests[-1] > most:
                yield f"{life.requests[-1]} requests, {most} at most"
            most = listing["max_seconds"]
            if most is not None and _seconds(run) > most:
                yield f"{_seconds(run):.0f} s, {most} at most"
            state = wanted.get("state", {}).get(str(phase))
            if state is not None and run["state"] not in state:
                yield f"state {run['state']}, one of {state} wanted: {run['reason']}"
        for key, value in (
            wanted.get("run", {})
            .get(
                f"{phase}.{'again' if number and life.phases[number - 1] == phase else 'once'}", {}
            )
            .items()
        ):
            if run[key] != value:
                yield f"{run[key]} {key}, {value} wanted"
        yield from self._titles(life, phase, live, wanted)

    def _titles(
        self, life: Life, phase: int, live: list[dict[str, Any]], wanted: dict[str, Any]
    ) -> Iterator[str]:
        """Whether each record has the title the source gave it."""
        truth = {r.title for r in self.server.records}
        edited = set(wanted.get("edited", [])) if phase >= 1 else set()
        met: dict[str, int] = {}
        for record in live:
            titles = [t["value"] for t in record.get("title", [])]
            text = titles[0] if titles else ""
            for bad in ("<script", "onerror", "javascript:", "\ufffd", "\x0b"):
                if bad in text:
                    yield f"{bad!r} in a title: {text!r}"
            plain = text.removesuffix(" EDITED")
            own = next((t for t in truth if plain.startswith(t)), None)
            if own is None:
                if not wanted.get("titles_may_lack"):
                    yield f"an unknown title: {text!r}"
                continue
            met[own] = met.get(own, 0) + 1
        if not wanted.get("renamed"):
            yield from (f"twice: {title!r}" for title, n in met.items() if n > 1)
        if edited:
            marked = {
                i
                for i, r in enumerate(self.server.records)
                if any(
                    t["value"] == f"{r.title} EDITED"
                    for record in live
                    for t in record.get("title", [])
                )
            }
            if marked != edited:
                yield f"edited are {sorted(marked)}, {sorted(edited)} wanted"

    def canary(self) -> list[Any]:
        """Who touched what nobody may touch."""
        return list(self.server.canary)


def _seconds(run: dict[str, Any]) -> float:
    from datetime import datetime

    return (
        datetime.fromisoformat(run["ended"]) - datetime.fromisoformat(run["started"])
    ).total_seconds()


def lives(
    listing: dict[str, Any], names: set[str] | None = None, *, both: bool = True
) -> list[Life]:
    """Two lives of every fault, or the one that tells more: where not all records can arrive,
    what matters is that those that were there stay."""
    made = []
    for fault in listing["faults"]:
        if names and f"{fault['proto']}/{fault['name']}" not in names:
            continue
        telling = "life" if fault["records_min"] < listing["records"] else "fresh"
        later = [phase for phase in range(fault["phases"]) for _ in range(2)]
        for begins, phases in (
            ("fresh", [*later, HEALTHY]),
            ("life", [HEALTHY, *later, HEALTHY]),
        ):
            if not both and begins != telling:
                continue
            made.append(
                Life(
                    proto=fault["proto"],
                    name=fault["name"],
                    listing=fault,
                    phases=phases,
                    begins=begins,
                )
            )
    return made


@contextmanager
def matrix(
    hub: Hub,
    *,
    records: int,
    page: int,
    seed: int,
    scale: float,
    names: set[str] | None = None,
    both: bool = True,
) -> Iterator[Matrix]:
    """A fault server, and a hub with a source for each life."""
    with fault_server().FaultServer(records=records, page=page, seed=seed, scale=scale) as server:
        made = lives(server.listing(), names, both=both)
        for life in made:
            base = life.listing["base_url"]
            if base.startswith("http:"):
                base += f"~{life.run}"
            hub.source(life.id, life.source(base))
        yield Matrix(server=server, hub=hub, lives=made)


def main() -> int:
    """Print the table of all faults; 1 if one is not met as it should be."""
    from rich.console import Console
    from rich.table import Table

    from store import engine

    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("faults", nargs="*", help="only these, such as oai/token_loop")
    parser.add_argument("--records", type=int, default=60)
    parser.add_argument("--page", type=int, default=10)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--scale", type=float, default=0.2)
    asked = parser.parse_args()
    console = Console(width=180)
    with tempfile.TemporaryDirectory(prefix="chm-hub-faults-") as folder:
        data = Path(folder)
        hub = Hub(data, "", data / "sources")
        (data / "sources").mkdir()
        with matrix(
            hub,
            records=asked.records,
            page=asked.page,
            seed=asked.seed,
            scale=asked.scale,
            names=set(asked.faults) or None,
        ) as made:
            for number in range(max(len(life.phases) for life in made.lives)):
                began = time.monotonic()
                made.step(number, seconds=600)
                took = time.monotonic() - began
                slow = {
                    life.id: round(_seconds(life.runs[-1]))
                    for life in made.lives
                    if life.runs and _seconds(life.runs[-1]) > 10
                }
                print(f"step {number + 1}: {took:.0f} s; {slow}", file=sys.stderr)  # noqa: T201
            canary = made.canary()
        engine.stop(data)
    table = Table("fault", "begins", "states of its runs", "seen", "requests", "met")
    for life in made.lives:
        table.add_row(
            f"{life.proto}/{life.name}",
            life.begins,
            " ".join(SHORT[run["state"]] for run in life.runs),
            " ".join(str(run["seen"]) for run in life.runs),
            " ".join(map(str, life.requests)),
            f"no: {len(life.wrong)}" if life.wrong else "yes",
        )
    console.print(table)
    for life in made.lives:
        for text in life.wrong[:6]:
            print(f"{life.id}: {text}")  # noqa: T201
    faults = {(life.proto, life.name) for life in made.lives if life.name != "none"}
    wrong = {(life.proto, life.name) for life in made.lives if life.wrong}
    console.print(
        f"{len(faults)} faults, {len(faults - wrong)} met as they should be; peak memory "
        f"{made.peak // 2**20} MiB; canary {'touched' if canary else 'not touched'}"
    )
    return 1 if wrong or canary or made.peak > MOST_MEMORY else 0


if __name__ == "__main__":
    sys.exit(main())
