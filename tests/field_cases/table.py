"""Every field case through the command line, compared with the values that are right.

A field case is a small made-up source, or a cut of a real answer, that broke a harvester once
(``CHM_HUB_SHARED``). The files beside this one say what is right for each; :mod:`.expected`
describes how. ``python -m tests.field_cases.table`` prints the table (``make
check-field-cases``) and ends with 1 if a value is wrong.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.field_cases import serving
from tests.field_cases.endpoint import identifiers, serve
from tests.field_cases.expected import alternatives, meets, named, told, values
from tests.running import CHM_HUB, Hub

HERE = Path(__file__).parent
SHARED = Path(os.environ.get("CHM_HUB_SHARED", HERE.parents[2] / "shared"))
SAMPLES = SHARED / "samples" / "field-cases"
ABSENT = f"NO FIELD CASES: {SAMPLES} is absent; CHM_HUB_SHARED names the folder of samples"
REAL = "real"
HARVEST_SECONDS = 400


@dataclass(frozen=True)
class Row:
    """One comparison."""

    case: str
    what: str
    wanted: Any
    got: Any
    good: bool


@dataclass
class Case:
    """One source, and what is right for it."""

    folder: str
    name: str
    wanted: dict[str, Any]
    module: Any
    source: str
    served: serving.Served | None = None
    runs: list[dict[str, Any]] = field(default_factory=list)
    """The run of each phase."""
    said: str = ""
    """What its harvests wrote on standard error."""
    sets: dict[str, dict[str, bool]] = field(default_factory=dict)
    """Of each OAI set asked for: the identifiers its list gave, and whether each was deleted."""
    second: dict[str, set[str]] = field(default_factory=dict)
    """Of each order of sets in which a second hub harvests ours: what lives there."""

    @property
    def label(self) -> str:
        """How the table calls it."""
        return f"{self.folder[:2] if self.folder != REAL else REAL}/{self.name}"

    @property
    def id(self) -> str:
        """The identifier of its source."""
        return re.sub(r"[^a-z0-9]+", "-", self.label.lower()).strip("-")

    @property
    def phases(self) -> int:
        """How often it is harvested."""
        return int(self.wanted.get("phases", getattr(self.module, "PHASES", 1)))

    def arguments(self, phase: int) -> tuple[int, tuple[str, ...], str]:
        """Days later, arguments of the command, and what keeps its harvest from the others'."""
        days = getattr(self.module, "DAYS", {}).get(phase, 0)
        more = tuple(getattr(self.module, "HARVEST_ARGS", {}).get(phase, ()))
        return days, more, self.id if self.wanted.get("alone") else ""


def cases(only: list[str]) -> list[Case]:
    """The cases of all folders that have a file beside this one; ``only`` those whose label begins
    so. A sample without a file, or a file without its sample, is an error."""
    made = []
    for folder in sorted(path for path in SAMPLES.iterdir() if path.is_dir()):
        if folder.name.startswith((".", "__")):
            continue
        stated = tomllib.loads((HERE / f"{folder.name}.toml").read_text("utf-8"))
        files = {
            path.stem: path
            for path in sorted(folder.iterdir())
            if path.suffix in (".py", ".xml", ".json", ".toml") and path.name != "serve_cut.py"
        }
        if set(files) != set(stated):
            raise LookupError(f"{folder.name}: {sorted(set(files) ^ set(stated))} has no match")
        for name, path in files.items():
            if folder.name == REAL:
                module: Any = SimpleNamespace(file=path)
                source = stated[name]["source"] if path.suffix != ".toml" else path.read_text()
            else:
                module = serving.load(path)
                source = module.SOURCE
            case = Case(folder.name, name, stated[name], module, source)
            if not only or any(case.label.startswith(prefix) for prefix in only):
                made.append(case)
    return made


@contextmanager
def served(made: list[Case], hub: Hub) -> Iterator[None]:
    """Serve every case and declare its source."""
    with ExitStack() as stack:
        for case in made:
            if case.folder == REAL:
                file = SAMPLES / REAL / case.wanted.get("serves", case.module.file.name)
                base = stack.enter_context(serving.cut(SAMPLES / REAL / "serve_cut.py", file))
                port = base.rpartition(":")[2]
                text = case.source.replace("{base}", base).replace("PORT", port)
            else:
                case.served = serving.Served(case.module)
                stack.callback(case.served.close)
                text = case.source.replace("{base}", case.served.base)
            hub.source(case.id, text)
        yield


def harvest(made: list[Case], hub: Hub, phase: int) -> None:
    """Harvest one phase of all cases that have it, many side by side."""
    groups: dict[tuple[int, tuple[str, ...], str], list[Case]] = {}
    for case in made:
        if phase < case.phases:
            if case.served is not None:
                case.served.phase = phase
            groups.setdefault(case.arguments(phase), []).append(case)
    for (days, more, _), group in groups.items():
        command = [str(CHM_HUB)]
        if days:
            command = [sys.executable, "-m", "tests.field_cases.later", str(days)]
        done = subprocess.run(
            [*command, "harvest", *(case.id for case in group), *more, "--json"],
            capture_output=True,
            text=True,
            timeout=HARVEST_SECONDS,
            env=hub.environ,
            cwd=HERE.parents[1],
        )
        told_runs = {}
        for line in done.stdout.splitlines():
            run = json.loads(line)
            told_runs[run["source"]] = run["run"]
        known = {run["run"]: run for run in hub("runs", "--limit", "1000", "--json").lines}
        for case in group:
            case.said += done.stderr
            name = told_runs.get(case.id, "")
            case.runs.append(known.get(name, {"state": "none", "reason": done.stderr[-300:]}))


def compare(case: Case, records: list[dict[str, Any]]) -> list[Row]:
    """Everything the case's file states, beside what came; where it states several right ends,
    the one that came, or the first."""
    ends = [list(_compared(case, one, records)) for one in alternatives(case.wanted)]
    return next((rows for rows in ends if all(row.good for row in rows)), ends[0])


def _compared(case: Case, demands: dict[str, Any], records: list[dict[str, Any]]) -> Iterator[Row]:

    def row(what: str, wanted: Any, got: list[Any], good: bool | None = None) -> Row:
        shown = got[0] if len(got) == 1 else got
        return Row(case.label, what, wanted, shown, meets(wanted, got) if good is None else good)

    live = [record for record in records if not record.get("deleted")]
    prefix = demands.get("prefix", "")
    if "live" in demands:
        yield row("live records", demands["live"], [len(live)])
    if "deleted" in demands:
        yield row("tombstones", demands["deleted"], [len(records) - len(live)])
    runs = dict(demands.get("runs", {}))
    if "run" in demands:
        runs[str(case.phases - 1)] = demands["run"]
    for number, stated in runs.items():
        run = case.runs[int(number)]
        for path, wanted in stated.items():
            what = f"run {int(number) + 1} {path}"
            if path == "told":
                for words in wanted if isinstance(wanted, list) else [wanted]:
                    good = re.search(words, told(run), re.IGNORECASE) is not None
                    yield row(what, words, told(run).splitlines(), good)
                continue
            either = {"any": wanted} if isinstance(wanted, list) else wanted
            yield row(what, either, values(run, path))
    for name, stated in demands.get("records", {}).items():
        found = named(live, prefix + name)
        if stated is False:
            yield row(f"{name} live", "no record", [r.get("title") for r in found], not found)
            continue
        if len(found) != 1:
            yield row(name, "one live record", [len(found)], good=False)
            continue
        for path, wanted in stated.items():
            yield row(f"{name} {path}", wanted, values(found[0], path))
    for path, of in demands.get("of", {}).items():
        for name, wanted in of.items():
            found = named(live, prefix + name)
            if len(found) != 1:
                yield row(f"{name} {path}", wanted, [f"{len(found)} live records"], good=False)
            else:
                yield row(f"{name} {path}", wanted, values(found[0], path))
    for path, wanted in demands.get("each", {}).items():
        for record in live:
            yield row(f"{record['source_identifier']} {path}", wanted, values(record, path))
    if lacks := demands.get("stderr_lacks"):
        yield row(
            "standard error", f"no {lacks}", case.said.splitlines()[:3], lacks not in case.said
        )
    for order, names in case.second.items():
        for record in live:
            lives = record["oai"] in names
            name = record["source_identifier"].removeprefix(prefix)
            yield row(f"second hub, {order}: {name}", "live", ["live" if lives else "gone"])
    ours = {record["oai"]: record["source_identifier"].strip() for record in records}
    for spec, stated in demands.get("sets", {}).items():
        given = {ours[name]: gone for name, gone in case.sets[spec].items() if name in ours}
        for key, gone in (("live", False), ("deleted", True)):
            if key in stated:
                got = [
                    name.removeprefix(prefix) for name, deleted in given.items() if deleted is gone
                ]
                yield row(f"set {spec} {key}", stated[key], got)


def neighbour(hub: Hub) -> Hub:
    """A second hub with a store of its own in the same engine."""
    from store import engine

    data = hub.data / "second"
    data.mkdir(exist_ok=True)
    if uri := hub.environ.get("CHM_HUB_MONGODB_URI", ""):
        head, _, options = uri.partition("?")
        uri = f"{head}_second" + (f"?{options}" if options else "")
    else:
        uri = engine.ensure(hub.data).uri("second")
    return Hub(data, uri, data / "sources")


def harvest_ours(made: list[Case], hub: Hub, phase: int) -> None:
    """Let a second hub harvest our endpoint, by the sets that cases name, in their orders."""
    asking = [c for c in made if c.wanted.get("second_hub") and phase < c.phases]
    if not asking:
        return
    other = neighbour(hub)
    with serve(hub) as address:
        for case in asking:
            for number, order in enumerate(case.wanted["second_hub"]):
                name = f"{case.id}-{number}"
                other.source(
                    name,
                    f'title = "T"\nadapter = "oai_pmh"\nurl = "{address}"\n'
                    f'country = "KE"\n[options]\nsets = {json.dumps(order)}\n',
                )
                said = other("harvest", name, "--json")
                assert said.code == 0, said.err
                case.second[" ".join(order)] = {
                    record["source_identifier"]
                    for record in other.records("--source", name).values()
                }


def ask_sets(made: list[Case], hub: Hub) -> None:
    """Ask our endpoint for the sets that cases speak of."""
    asking = [case for case in made if case.wanted.get("sets")]
    if not asking:
        return
    with serve(hub) as address:
        for spec in {spec for case in asking for spec in case.wanted["sets"]}:
            given = dict(identifiers(address, spec))
            for case in asking:
                case.sets[spec] = given


def fill(hub: Hub, only: list[str]) -> tuple[list[Case], dict[str, list[dict[str, Any]]]]:
    """Harvest every case through all its phases; the cases, and the records of each source."""
    made = cases(only)
    with served(made, hub):
        for phase in range(max(case.phases for case in made)):
            harvest(made, hub, phase)
            harvest_ours(made, hub, phase)
        ask_sets(made, hub)
    records: dict[str, list[dict[str, Any]]] = {}
    for record in hub("records", "--json", "--with-deleted").lines:
        records.setdefault(record["source"], []).append(record)
    return made, records


def rows(hub: Hub, only: list[str]) -> list[Row]:
    """All comparisons."""
    made, records = fill(hub, only)
    return [row for case in made for row in compare(case, records.get(case.id, []))]


def shown(found: list[Row], *, everything: bool) -> str:
    """The table: a line a case, and one for each value of it that is wrong (or for each value)."""

    def short(value: Any, width: int) -> str:
        text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
        text = text.replace("\n", "\\n")
        return text if len(text) <= width else text[: width - 1] + "…"

    lines = [f"{'case':<34} {'expected':<44} {'got':<60} ok"]
    for case in dict.fromkeys(row.case for row in found):
        own = [row for row in found if row.case == case]
        good = sum(row.good for row in own)
        lines.append(
            f"{case:<34} {f'{len(own)} values':<44} {f'{good} right':<60} "
            f"{'yes' if good == len(own) else 'NO'}"
        )
        for row in own:
            if everything or not row.good:
                mark = "yes" if row.good else "NO"
                lines.append(
                    f"  {short(row.what, 40):<40} {short(row.wanted, 36):<36} "
                    f"{short(row.got, 60):<60} {mark}"
                )
    return "\n".join(lines)


def main() -> int:
    """Print the table; 1 if a value is wrong."""
    from store import engine

    parser = argparse.ArgumentParser(description=__doc__.partition("\n\n")[0])
    parser.add_argument("cases", nargs="*", help="only cases that begin so, such as 04 or real/01")
    parser.add_argument("--all", action="store_true", help="show what is right, too")
    parser.add_argument("--records", action="store_true", help="print the records and runs as JSON")
    asked = parser.parse_args()
    if not SAMPLES.is_dir():
        print(f"SKIPPED: {ABSENT}", file=sys.stderr)  # noqa: T201
        return 0
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="chm-hub-field-cases-") as folder:
        data = Path(folder)
        hub = Hub(data, "", data / "sources")
        hub.environ["CHM_HUB_SHIPPED_SOURCES"] = "no"
        (data / "sources").mkdir()
        try:
            made, records = fill(hub, asked.cases)
        finally:
            engine.stop(data)
    if asked.records:
        for case in made:
            print(f"=== {case.label}")  # noqa: T201
            for thing in (*case.runs, *records.get(case.id, [])):
                print(json.dumps(thing, ensure_ascii=False))  # noqa: T201
    found = [row for case in made for row in compare(case, records.get(case.id, []))]
    wrong = {row.case for row in found if not row.good}
    print(shown(found, everything=asked.all))  # noqa: T201
    print(  # noqa: T201
        f"{len(made)} cases, {len(made) - len(wrong)} right; {len(found)} values, "
        f"{sum(not row.good for row in found)} wrong; {time.monotonic() - began:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
