"""A full round of 150 sources by the scheduler, beside what its slowest source takes alone.

``python bench/round.py``: the demonstration network and more repositories, one of which takes
minutes; it stands on a host of its own.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import parts  # noqa: E402
from chm_hub.settings import load  # noqa: E402
from demo.hosts import KEY  # noqa: E402
from demo.network import Network  # noqa: E402
from store import open_store  # noqa: E402
from tests.repository import Repository  # noqa: E402

SOURCES = 150
PAGES, PAUSE = 45, 4.0
"""The slowest: so many pages, each after so many seconds."""
SLOW_HOST = "127.0.0.3"
AT_ONCE = 8
WANTED = 1.3


def main() -> None:
    """Measure, and print the ratio."""
    with (
        tempfile.TemporaryDirectory() as folder,
        Network(seed=2) as network,
        Repository(page=10) as small,
        Repository(page=10, slow=PAUSE, host=SLOW_HOST) as slow,
    ):
        small.add(*(f"r{number}" for number in range(40)))
        slow.add(*(f"r{number}" for number in range(10 * PAGES)))
        texts = {name: text for name, text in network.sources().items() if "schedule" not in text}
        texts["slowest"] = slow.source()
        for number in range(SOURCES - len(texts)):
            texts[f"small-{number}"] = small.source()
        data, sources = Path(folder) / "data", Path(folder) / "sources"
        sources.mkdir()
        for name, text in texts.items():
            (sources / f"{name}.toml").write_text(f'schedule = "P1D"\n{text}')
        env = parts.environ(data, sources) | {
            "CHM_HUB_SHIPPED_SOURCES": "no",
            "CHM_HUB_EGRESS_ALLOW": f"127.0.0.1/32,{SLOW_HOST}/32",
            "CHM_HUB_HOST_DELAY": "0.02",
            "CHM_HUB_RUNS_AT_ONCE": str(AT_ONCE),
            "CHM_HUB_DEMO_KEY": KEY,
        }
        parts.command(env, "engine", "start")
        alone = _round(env, data, ["slowest"], list(texts))
        print(f"the slowest source alone: {alone:.0f} s")
        with open_store(load({}, data=data)) as store:  # it is walked whole again
            store.runs.set_cursor("slowest", {"since": None, "full": None})
        whole = _round(env, data, list(texts), list(texts))
        parts.command(env, "engine", "stop")
    print(
        f"a round of {len(texts)} sources, {AT_ONCE} at once: {whole:.0f} s; "
        f"÷ the slowest: {whole / alone:.2f} (wanted: at most {WANTED})"
    )


def _round(env: dict[str, str], data: Path, due: list[str], every: list[str]) -> float:
    """Seconds from the moment some sources are due until all of them are done."""
    now = datetime.now(UTC)
    with open_store(load({}, data=data)) as store:
        for name in every:
            when = now if name in due else now + timedelta(days=1)
            store.schedule.plan(name, when)
            store.schedule.move(name, when)
        began = time.monotonic()
        process = subprocess.Popen(
            [str(parts.BIN / "chm-hub"), "schedule"],
            env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        while True:
            # What is done is due tomorrow.
            if all(entry.due > now for entry in store.schedule.entries(now).values()):
                break
            time.sleep(0.5)
        took = time.monotonic() - began
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    return took


if __name__ == "__main__":
    main()
