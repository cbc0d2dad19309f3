"""``make bench``: measures side by side in one run and prints ratios.

Machines are noisy: what is compared runs in alternating rounds, and the medians are shown.
``python bench/run.py fetch|end-to-end|memory|endpoint`` runs one part.
"""

from __future__ import annotations

import cProfile
import json
import pstats
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import oai, parts  # noqa: E402

ROUNDS = 5


def fetch() -> None:
    """Fetch and parse 10,000 records with every value read: ours beside sickle."""
    rates: dict[str, list[float]] = {"hub": [], "sickle": []}
    with parts.static(10_000) as url:
        for _ in range(ROUNDS):
            for kind in rates:
                made = subprocess.run(
                    [sys.executable, str(ROOT / "bench" / "client.py"), kind, url],
                    capture_output=True, text=True, check=True, cwd=ROOT,
                )  # fmt: skip
                got = json.loads(made.stdout)
                assert got["records"] == 10_000, got
                rates[kind].append(got["records"] / got["seconds"])
    ratios = [a / b for a, b in zip(rates["hub"], rates["sickle"], strict=True)]
    for kind, values in rates.items():
        print(f"fetch + parse, {kind:7} {statistics.median(values):9,.0f} records/s")
    print(f"fetch + parse, hub ÷ sickle: {statistics.median(ratios):.2f} (wanted: 2)")


def end_to_end() -> None:
    """Harvest 10,000 records into a fresh embedded engine: kept, mapped, stored, counted."""
    rates = []
    with parts.static(10_000) as url:
        for _ in range(3):
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder) / "data"
                env = parts.environ(data, parts.declare(Path(folder), url))
                parts.command(env, "engine", "start")
                output, seconds, _ = parts.command(env, "harvest", "bench", "--json")
                (run,) = parts.runs(output)
                assert run["new"] == 10_000, run
                rates.append(10_000 / seconds)
                again, repeat, _ = parts.command(env, "harvest", "bench", "--full", "--json")
                assert parts.runs(again)[0]["unchanged"] == 10_000
                parts.command(env, "engine", "stop")
        print(
            f"end to end: {statistics.median(rates):,.0f} records/s (wanted: 600); all again and "
            f"unchanged: {10_000 / repeat:,.0f} records/s"
        )
        profile(url)


def profile(url: str) -> None:
    """Where the time of a harvest goes, in the harvesting process."""
    from dataclasses import replace
    from ipaddress import ip_network

    from adapters.source import load_sources
    from chm_hub import fetch as fetching
    from chm_hub.pipeline import Hub, harvest
    from chm_hub.settings import load
    from store import engine, open_store

    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "data"
        sources = load_sources([parts.declare(Path(folder), url)])
        allow = (ip_network("127.0.0.1/32"),)
        settings = replace(load({}), data=data, egress_allow=allow, host_delay=0.0)
        profiler = cProfile.Profile()
        with open_store(settings) as store:
            hub = Hub(store=store)

            async def work(downloads: fetching.Downloads) -> None:
                await harvest(sources["bench"], hub, downloads.client())

            # Everything in one thread, so that one profile sees it all.
            import asyncio

            async def here(function, *arguments):  # type: ignore[no-untyped-def]
                return function(*arguments)

            asyncio.to_thread = here  # type: ignore[assignment]
            profiler.runcall(fetching.run, settings, work)
        engine.stop(data)
    rows = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    shown = {
        ("answer.py", "read"): "take an answer",
        ("xml.py", "parse"): "parse XML",
        ("oai_pmh.py", "read_records"): "read records to JSON",
        ("documents.py", "keep"): "keep the page",
        ("records.py", "look_up"): "look up what is known",
        ("crosswalk.py", "apply"): "map (crosswalk, validation)",
        ("__init__.py", "fragments"): "render oai_dc, chm, about",
        ("records.py", "put"): "write records (engine and wait)",
        ("runs.py", "save"): "note the run",
        ("runs.py", "set_cursor"): "note the checkpoint",
    }
    total = sum(row[2] for row in rows.values())
    print(f"where the time goes ({total:.1f} s under the profiler, one thread):")
    for (path, _, name), row in rows.items():
        label = shown.get((Path(path).name, name))
        if label and ("site-packages" not in path):
            print(f"  {label:34} {row[3]:6.2f} s  {row[3] / total:5.0%}")


def memory() -> None:
    """Peak memory of the process that harvests 100,000 records."""
    with parts.static(100_000) as url, tempfile.TemporaryDirectory() as folder:
        env = parts.environ(Path(folder) / "data", parts.declare(Path(folder), url))
        parts.command(env, "engine", "start")
        output, seconds, peak = parts.command(env, "harvest", "bench", "--json")
        (run,) = parts.runs(output)
        assert run["new"] == 100_000, run
        parts.command(env, "engine", "stop")
    print(f"100,000 records: {100_000 / seconds:,.0f} records/s, peak {peak:.0f} MiB (wanted: 300)")


def endpoint() -> None:
    """Our endpoint beside its peers, with fewer records than ``make bench-oai``."""
    oai.measure(10_000)


PARTS = {"fetch": fetch, "end-to-end": end_to_end, "memory": memory, "endpoint": endpoint}

if __name__ == "__main__":
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
