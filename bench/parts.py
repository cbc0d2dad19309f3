"""What the measurements share: a repository of static pages, and processes to measure."""

from __future__ import annotations

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

PAGE = 100
BIN = Path(sys.executable).parent
_WORDS = [
    "biodiversity",
    "strategy",
    "wetlands",
    "forests",
    "restoration",
    "pollinators",
    "marine",
    "protected",
    "areas",
    "national",
    "report",
    "targets",
    "indicators",
    "finance",
    "genetic",
    "resources",
    "access",
    "benefit",
    "sharing",
]


def native(number: int) -> str:
    """The identifier of a record."""
    return f"oai:bench.example:{number:07}"


def record(number: int, version: int = 1) -> str:
    """One OAI-PMH record of about two kilobytes, in simple Dublin Core. A tenth of them, spread
    evenly, is about Kenya; a tenth, a thousand together each time, is in Spanish."""
    word = _WORDS[number % len(_WORDS)]
    text = " ".join(_WORDS[(number * 7 + i) % len(_WORDS)] for i in range(110))
    subjects = "".join(
        f"<dc:subject>{_WORDS[(number + i) % len(_WORDS)]}</dc:subject>" for i in range(5)
    )
    return (
        f"<record><header><identifier>{native(number)}</identifier>"
        f"<datestamp>2024-{number % 12 + 1:02}-{number % 28 + 1:02}T00:00:00Z</datestamp>"
        f"<setSpec>all</setSpec></header><metadata>"
        '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f'<dc:title xml:lang="en">The {word} of region {number}, {version}</dc:title>'
        f'<dc:title xml:lang="fr">Région {number} : {word}</dc:title>'
        f"<dc:creator>Ministry of the environment {number % 90}</dc:creator>{subjects}"
        f'<dc:description xml:lang="en">{text}</dc:description>'
        "<dc:publisher>Clearing-House Mechanism</dc:publisher>"
        f"<dc:date>2024-{number % 12 + 1:02}</dc:date><dc:type>nationalReport</dc:type>"
        "<dc:format>application/pdf</dc:format>"
        f"<dc:identifier>https://bench.example/record/{number}</dc:identifier>"
        f"<dc:language>{'en' if number // 1000 % 10 else 'es'}</dc:language>"
        f"<dc:coverage>{'FR' if number % 10 else 'KE'}</dc:coverage>"
        "<dc:rights>https://creativecommons.org/licenses/by/4.0/</dc:rights>"
        "</oai_dc:dc></metadata></record>"
    )


def _envelope(verb: str, content: str) -> bytes:
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/">'
        f'<responseDate>2025-01-01T00:00:00Z</responseDate><request verb="{verb}">http://x/oai'
        f"</request><{verb}>{content}</{verb}></OAI-PMH>"
    ).encode()


class Static:
    """An OAI-PMH repository whose pages were all written beforehand."""

    def __init__(self, records: int, every: int = 1, version: int = 1) -> None:
        numbers = range(0, records, every)
        pages: list[bytes] = []
        for start in range(0, len(numbers), PAGE):
            content = "".join(record(n, version) for n in numbers[start : start + PAGE])
            end = start + PAGE
            token = str(end) if end < len(numbers) else ""
            content += (
                f'<resumptionToken completeListSize="{len(numbers)}">{token}</resumptionToken>'
            )
            pages.append(_envelope("ListRecords", content))
        identify = _envelope(
            "Identify",
            "<repositoryName>Bench</repositoryName><baseURL>http://x/oai</baseURL>"
            "<protocolVersion>2.0</protocolVersion><adminEmail>a@bench.example</adminEmail>"
            "<earliestDatestamp>2024-01-01T00:00:00Z</earliestDatestamp>"
            "<deletedRecord>no</deletedRecord><granularity>YYYY-MM-DDThh:mm:ssZ</granularity>",
        )

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 1 << 18
            disable_nagle_algorithm = True

            def log_message(self, *_: object) -> None:
                pass

            def do_GET(self) -> None:
                asked = parse_qs(urlsplit(self.path).query)
                if asked["verb"] == ["Identify"]:
                    body = identify
                else:
                    body = pages[int(asked.get("resumptionToken", ["0"])[0]) // PAGE]
                self.send_response(200)
                self.send_header("Content-Type", "text/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/oai"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


@contextmanager
def static(records: int, every: int = 1, version: int = 1) -> Iterator[str]:
    """The static repository in a process of its own; gives its address."""
    code = (
        f"from bench.parts import Static; import time; s = Static({records}, {every}, {version}); "
        "print(s.url, flush=True); time.sleep(3600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parent.parent,
    )
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()


def environ(data: Path, sources: Path) -> dict[str, str]:
    """An environment for the command line on loopback."""
    return {
        **{k: v for k, v in os.environ.items() if not k.startswith("CHM_HUB_")},
        "CHM_HUB_DATA": str(data),
        "CHM_HUB_SOURCES": str(sources),
        "CHM_HUB_EGRESS_ALLOW": "127.0.0.1/32",
        "CHM_HUB_HOST_DELAY": "0",
    }


def declare(folder: Path, url: str) -> Path:
    """A folder of sources with the static repository in it."""
    sources = folder / "sources"
    sources.mkdir(parents=True, exist_ok=True)
    (sources / "bench.toml").write_text(
        f'title = "Bench"\nadapter = "oai_pmh"\nurl = "{url}"\n', "utf-8"
    )
    return sources


def command(env: dict[str, str], *arguments: str) -> tuple[str, float, float]:
    """Run the command line; gives its output, its seconds and its peak memory in MiB."""
    began = time.perf_counter()
    process = subprocess.Popen([str(BIN / "chm-hub"), *arguments], env=env, stdout=subprocess.PIPE)
    assert process.stdout is not None
    output = process.stdout.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"chm-hub {' '.join(arguments)} ended with {process.returncode}")
    return output, time.perf_counter() - began, usage.ru_maxrss / 1024


def token(body: bytes) -> str | None:
    """The resumption token of a part, ready for a query; ``None`` in the last part."""
    end = body.rfind(b"</resumptionToken>")
    return quote(body[body.rfind(b">", 0, end) + 1 : end].decode()) or None if end > 0 else None


def walk(
    base: str,
    *,
    verb: str = "ListRecords",
    set_spec: str = "",
    since: str = "",
    save: Path | None = None,
) -> tuple[int, list[float]]:
    """Walk an endpoint as fast as a client can; gives the number of records and the seconds
    each part took. ``save`` keeps each answer as a file."""
    at = urlsplit(base)
    connection = http.client.HTTPConnection(at.hostname or "", at.port)
    query = f"verb={verb}&metadataPrefix=oai_dc"
    query += (f"&set={set_spec}" if set_spec else "") + (f"&from={since}" if since else "")
    seconds: list[float] = []
    records = 0
    mark = b"<header" if verb == "ListIdentifiers" else b"<record>"
    while True:
        began = time.perf_counter()
        connection.request("GET", f"{at.path}?{query}")
        body = connection.getresponse().read()
        seconds.append(time.perf_counter() - began)
        records += body.count(mark)
        if save is not None:
            (save / f"{len(seconds) - 1}.xml").write_bytes(body)
        following = token(body)
        if following is None:
            connection.close()
            return records, seconds
        query = f"verb={verb}&resumptionToken={following}"


def read(base: str, paths: Iterable[str]) -> tuple[int, list[float]]:
    """The same of parts whose addresses are known beforehand."""
    at = urlsplit(base)
    connection = http.client.HTTPConnection(at.hostname or "", at.port)
    seconds: list[float] = []
    records = 0
    for path in paths:
        began = time.perf_counter()
        connection.request("GET", path)
        body = connection.getresponse().read()
        seconds.append(time.perf_counter() - began)
        records += body.count(b"record>") // 2
    connection.close()
    return records, seconds


def free_port() -> int:
    """A port of this machine that nobody has."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_for(url: str) -> None:
    """Until a server answers."""
    for _ in range(1200):
        try:
            urllib.request.urlopen(url, timeout=5).read()
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit(f"{url} does not answer")


def runs(output: str) -> list[dict[str, object]]:
    """The JSON lines of a command."""
    return [json.loads(line) for line in output.splitlines()]
