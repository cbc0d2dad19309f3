"""``make bench-oai``: our endpoint beside peers, one worker each, in alternating rounds.

The peers are the ``oaipmh`` library's server with its records in memory, pycsw over SQLite, and our
own answers as files served by nginx (the limit of what any server could do). What is measured is
printed with what is wanted of it. ``python bench/oai.py RECORDS`` for another number than 100,000.
"""

from __future__ import annotations

import cProfile
import http.client
import pstats
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench import parts  # noqa: E402
from chm_hub.names import readable  # noqa: E402
from chm_hub.settings import load  # noqa: E402

ROUNDS = 3
CLIENTS = 8
ASKED = 500
"""GetRecord requests of each client."""
EVERY = 200
"""One record in so many changes in a day."""
PYCSW_PYTHON = ROOT / "build" / "pycsw" / "bin" / "python"
PYCSW = "/?mode=oaipmh&verb=ListRecords&metadataPrefix=oai_dc"
SLOW_PARTS = 50
"""So much is asked of a peer that would take minutes for all."""


def measure(records: int) -> None:
    """Fill a hub, measure it beside its peers, and print the figures."""
    with tempfile.TemporaryDirectory(prefix="chm-hub-bench-") as temporary:
        folder = Path(temporary)
        env = _fill(folder, records)
        try:
            with _hub(env) as (base, worker):
                with _library(records) as library, _pycsw(records, folder) as pycsw:
                    _walks(base, library, pycsw, folder / "pages", records)
                _headers(base, records)
                _single(base, records)
                _increment(env, base, folder, records)
                peak = _peak(worker)
                print(f"peak memory of the worker: {peak:.0f} MiB (wanted: 200 at most)")
            _profile(folder / "data")
        finally:
            parts.command(env, "engine", "stop")


def _fill(folder: Path, records: int) -> dict[str, str]:
    with parts.static(records) as url:
        env = parts.environ(folder / "data", parts.declare(folder, url))
        parts.command(env, "engine", "start")
        _, seconds, _ = parts.command(env, "harvest", "bench", "--json")
    print(f"filled with {records:,} records: {records / seconds:,.0f} records/s", flush=True)
    return env


def _walks(base: str, library: str, pycsw: str | None, pages: Path, records: int) -> None:
    """ListRecords of everything and of a set, beside the peers."""
    pages.mkdir()
    got, _ = parts.walk(base, save=pages)
    assert got == records, got
    tenth = len(range(0, records, 10))
    asked: list[str] = []
    with _nginx(pages) as files:
        walks: dict[str, Callable[[], tuple[int, list[float]]]] = {
            "hub": lambda: parts.walk(base),
            "oaipmh in memory": lambda: parts.walk(library),
            "hub, a set, together": lambda: parts.walk(base, set_spec="lang:es"),
            "hub, a set, spread": lambda: parts.walk(base, set_spec="country:KE"),
        }
        if files:
            names = [f"/{number}.xml" for number in range(len(list(pages.iterdir())))]
            walks["nginx"] = lambda: parts.read(files, names)
        if pycsw:
            # Its tokens are no tokens: the metadataPrefix must be given again, and the last is 0.
            asked = [f"{PYCSW}&resumptionToken={n * parts.PAGE + 1}" for n in range(1, SLOW_PARTS)]
            walks["pycsw"] = lambda: parts.read(pycsw, asked)
        rates: dict[str, list[float]] = {name: [] for name in walks}
        taken: list[float] = []
        slopes: list[float] = []
        for _ in range(ROUNDS):
            for name, walk in walks.items():
                got, seconds = walk()
                wanted = {"pycsw": len(asked) * parts.PAGE}.get(name, records)
                assert got == (tenth if "a set" in name else wanted), (name, got)
                rates[name].append(got / sum(seconds))
                if name == "hub":
                    taken += seconds
                    edge = max(3, len(seconds) // 10)
                    first = statistics.median(seconds[:edge])
                    slopes.append(statistics.median(seconds[-edge:]) / first)
    for name, values in rates.items():
        print(f"ListRecords, {name:21} {statistics.median(values):9,.0f} records/s")

    def ratio(one: str, other: str) -> float:
        return statistics.median(a / b for a, b in zip(rates[one], rates[other], strict=True))

    print(
        f"ListRecords, hub ÷ oaipmh in memory: {ratio('hub', 'oaipmh in memory'):.2f} (wanted: 3)"
    )
    if files:
        print(f"ListRecords, hub ÷ nginx: {ratio('hub', 'nginx'):.2f} (wanted: 0.4)")
    else:
        print("ListRecords, hub ÷ nginx: NOT MEASURED, there is no nginx (Debian: nginx-light)")
    if pycsw:
        print(f"ListRecords, hub ÷ pycsw, its first parts: {ratio('hub', 'pycsw'):.0f}")
    else:
        print("ListRecords, hub ÷ pycsw: NOT MEASURED, it is not there (make bench-oai gets it)")
    for kind in ("together", "spread"):
        print(
            f"a set of {tenth:,}, {kind}, hub ÷ oaipmh in memory: "
            f"{ratio(f'hub, a set, {kind}', 'oaipmh in memory'):.2f} (wanted: 1)"
        )
    print(f"last tenth of the parts ÷ first: {statistics.median(slopes):.2f} (wanted: 1.2 at most)")
    print(f"a part, median: {1000 * statistics.median(taken):.1f} ms (wanted: under 4)", flush=True)


def _headers(base: str, records: int) -> None:
    rates = []
    for _ in range(ROUNDS):
        got, seconds = parts.walk(base, verb="ListIdentifiers")
        assert got == records, got
        rates.append(got / sum(seconds))
    print(f"ListIdentifiers: {statistics.median(rates):,.0f} headers/s (wanted: 80,000)")


def _single(base: str, records: int) -> None:
    """GetRecord by several clients at once, records at random."""
    chosen = random.Random(1)
    at = urlsplit(base)
    domain = load({}).repository_id
    names = [
        f"oai:{domain}:{readable('bench', parts.native(chosen.randrange(records)))}"
        for _ in range(CLIENTS * ASKED)
    ]
    wrong: list[bytes] = []

    def ask(mine: list[str]) -> None:
        connection = http.client.HTTPConnection(at.hostname or "", at.port)
        for name in mine:
            connection.request(
                "GET", f"{at.path}?verb=GetRecord&metadataPrefix=oai_dc&identifier={quote(name)}"
            )
            body = connection.getresponse().read()
            if b"<GetRecord>" not in body:
                wrong.append(body)
        connection.close()

    threads = [threading.Thread(target=ask, args=(names[i::CLIENTS],)) for i in range(CLIENTS)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    assert not wrong, wrong[0][:1000]
    print(f"GetRecord, {CLIENTS} clients: {len(names) / seconds:,.0f} records/s (wanted: 1,000)")


def _increment(env: dict[str, str], base: str, folder: Path, records: int) -> None:
    """What changed in a day: some records of all over the list."""
    before = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    numbers = range(0, records, EVERY)
    with parts.static(records, every=EVERY, version=2) as url:
        parts.declare(folder, url)
        output, _, _ = parts.command(env, "harvest", "bench", "--json")
    (run,) = parts.runs(output)
    assert run["changed"] == len(numbers), run
    got, seconds = parts.walk(base, since=before)
    assert got == len(numbers), got
    print(
        f"an increment of {got} in {records:,}: {sum(seconds):.2f} s in {len(seconds)} parts "
        "(wanted: under 1)",
        flush=True,
    )


def _profile(data: Path) -> None:
    """Where the time of a part goes, without HTTP and in one thread."""
    from chm_hub import web
    from chm_hub.settings import Settings
    from store import open_store

    settings = Settings(data=data)
    with open_store(settings) as store:
        client = web.create_app(settings, store).test_client()

        def walk(most: int) -> tuple[int, int]:
            query, count, size = "verb=ListRecords&metadataPrefix=oai_dc", 0, 0
            for _ in range(most):
                body = client.get(f"/oai?{query}").data
                count, size = count + 1, size + len(body)
                token = parts.token(body)
                if token is None:
                    break
                query = f"verb=ListRecords&resumptionToken={token}"
            return count, size

        walk(20)
        began = time.perf_counter()
        count, size = walk(100)
        plain = (time.perf_counter() - began) / count
        profiler = cProfile.Profile()
        profiler.runcall(walk, 100)
    shown = {
        ("~", "<method 'recv_into' of '_socket.socket' objects>"): "waiting for the engine",
        ("~", "<built-in method zlib.decompress>"): "unpacking",
        ("~", "<method 'replace' of 'bytes' objects>"): "our identifiers and address put in",
        ("~", "<method 'join' of 'bytes' objects>"): "joining",
    }
    rows = pstats.Stats(profiler).stats  # type: ignore[attr-defined]
    print(f"a part without HTTP: {1000 * plain:.2f} ms, {size / count / 1024:.0f} KiB; of it")
    for (path, _, name), row in rows.items():
        if (path, name) in shown:
            print(f"  {shown[path, name]:36} {1000 * row[2] / count:5.2f} ms")


# --- servers -----------------------------------------------------------------------------


@contextmanager
def _hub(env: dict[str, str]) -> Iterator[tuple[str, int]]:
    """The hub's endpoint; its address and its worker's process."""
    port = parts.free_port()
    ours = [str(parts.BIN / "chm-hub"), "serve", "--workers", "1", "--port", str(port)]
    with _running(ours, env=env) as process:
        base = f"http://127.0.0.1:{port}/oai"
        parts.wait_for(f"{base}?verb=Identify")
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        yield base, int(children[0])


@contextmanager
def _library(records: int) -> Iterator[str]:
    port = parts.free_port()
    with _running([sys.executable, "-m", "bench.peer", str(records), str(port)]):
        base = f"http://127.0.0.1:{port}/oai"
        parts.wait_for(f"{base}?verb=Identify")
        yield base


@contextmanager
def _pycsw(records: int, folder: Path) -> Iterator[str | None]:
    """pycsw in its environment; ``None`` where that is not."""
    if not PYCSW_PYTHON.exists():
        yield None
        return
    port = parts.free_port()
    home = folder / "pycsw"
    home.mkdir()
    peer = [str(PYCSW_PYTHON), "-m", "bench.pycsw_peer", str(records), str(port), str(home)]
    with _running(peer):
        base = f"http://127.0.0.1:{port}"
        parts.wait_for(f"{base}/?mode=oaipmh&verb=Identify")
        yield base


@contextmanager
def _nginx(pages: Path) -> Iterator[str | None]:
    """Files served by nginx; ``None`` where there is none."""
    program = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/bin")
    if program is None:
        yield None
        return
    port, folder = parts.free_port(), pages.parent
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx.log;\n"
        "events {}\n"
        "http { access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000;\n"
        f"  client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2;\n"
        f"  fastcgi_temp_path {folder}/t3; uwsgi_temp_path {folder}/t4;\n"
        f"  scgi_temp_path {folder}/t5; default_type text/xml;\n"
        f"  server {{ listen 127.0.0.1:{port}; root {pages}; }} }}\n",
        "utf-8",
    )
    folder.chmod(0o755)  # its worker is another user where root starts it
    pages.chmod(0o755)
    with _running([program, "-c", str(config), "-e", str(folder / "nginx.log")]):
        base = f"http://127.0.0.1:{port}"
        parts.wait_for(f"{base}/0.xml")
        yield base


@contextmanager
def _running(
    command: list[str], env: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=env, cwd=ROOT, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def _peak(process: int) -> float:
    """Peak memory of a process in MiB."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    raise SystemExit(f"process {process} tells nothing of its memory")


if __name__ == "__main__":
    measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000)
