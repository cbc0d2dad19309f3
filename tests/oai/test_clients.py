"""Partners' own clients, in three languages, harvest the endpoint over real HTTP."""

from __future__ import annotations

import shutil
import subprocess
import warnings
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml.etree import _Element
from oaipmh.client import Client
from oaipmh.metadata import MetadataRegistry
from oaipmh_scythe import Scythe
from sickle import Sickle

from chm_hub import views, web
from chm_hub.settings import Settings
from mappings.formats import FORMATS
from store import Store
from tests.oai.filling import NOON, delete, fill, put, record

LATER = NOON + timedelta(days=1)
CLIENTS = Path(__file__).with_name("clients")
VIEW = 'title = "Strategies of Kenya and Brazil"\ncountries = ["KE", "BR"]\ntypes = ["nbsap"]\n'

Heads = list[tuple[str, bool]]
"""What a client got, in its order: identifiers, and whether they are deleted."""
Harvest = Callable[..., Heads]
"""``harvest(base, prefix, set=…, until=…, **{"from": …})``"""


def with_sickle(base: str, prefix: str, **given: str) -> Heads:
    found = Sickle(base).ListRecords(metadataPrefix=prefix, **given)
    return [(r.header.identifier, r.header.deleted) for r in found]


def with_scythe(base: str, prefix: str, **given: str) -> Heads:
    named = {{"set": "set_", "from": "from_"}.get(k, k): v for k, v in given.items()}
    with Scythe(base) as scythe:
        return [
            (r.header.identifier, r.header.deleted)
            for r in scythe.list_records(metadata_prefix=prefix, **named)
        ]


def with_oaipmh(base: str, prefix: str, **given: str) -> Heads:
    named: dict[str, Any] = {{"from": "from_"}.get(k, k): v for k, v in given.items()}
    for name in {"from_", "until"} & set(named):
        named[name] = datetime.strptime(named[name], "%Y-%m-%d")
    registry = MetadataRegistry()
    registry.registerReader(prefix, _as_it_is)
    client = Client(base, registry)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client.updateGranularity()
        if named:
            client._day_granularity = True  # the hub takes days; this client only asks by one form
        listed = client.listRecords(metadataPrefix=prefix, **named)
        return [(h.identifier(), bool(h.isDeleted())) for h, _, _ in listed]


def _as_it_is(element: _Element) -> _Element:
    return element


def with_http_oai(base: str, prefix: str, **given: str) -> Heads:
    _need_perl("HTTP::OAI", "libhttp-oai-perl")
    return _said(["perl", str(CLIENTS / "with_http_oai.pl")], base, prefix, given)


def with_catmandu(base: str, prefix: str, **given: str) -> Heads:
    _need_perl("Catmandu::Importer::OAI", "libcatmandu-oai-perl")
    return _said(["perl", str(CLIENTS / "with_catmandu.pl")], base, prefix, given)


def with_npm(base: str, prefix: str, **given: str) -> Heads:
    return _said(["node", str(CLIENTS / "with_oai_pmh.cjs")], base, prefix, given)


def _need_perl(module: str, package: str) -> None:
    there = (
        shutil.which("perl")
        and not subprocess.run(
            ["perl", f"-M{module}", "-e", "1"], capture_output=True, check=False
        ).returncode
    )
    if not there:
        pytest.skip(f"NOT TRIED: Perl's {module} is absent (Debian: apt install {package})")


def _said(command: list[str], base: str, prefix: str, given: dict[str, str]) -> Heads:
    done = subprocess.run(
        [*command, base, prefix, *(f"{k}={v}" for k, v in given.items())],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert not done.stderr, "it went without a warning"
    heads = [line.split("\t") for line in done.stdout.splitlines()]
    return [(identifier, deleted == "1") for identifier, deleted in heads]


@pytest.fixture(scope="session")
def npm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """npm's packages of the lock file, in a folder of this session."""
    folder = tmp_path_factory.mktemp("npm")
    for name in ("package.json", "package-lock.json"):
        shutil.copy(CLIENTS / name, folder)
    try:
        subprocess.run(
            ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            cwd=folder, capture_output=True, timeout=120, check=True,
        )  # fmt: skip
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"NOT TRIED: npm's oai-pmh cannot be installed here: {error}")
    return folder / "node_modules"


@pytest.fixture(
    params=[with_sickle, with_scythe, with_oaipmh, with_http_oai, with_catmandu, with_npm]
)
def harvest(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Harvest:
    """A client."""
    made: Harvest = request.param
    if made is with_npm:
        monkeypatch.setenv("NODE_PATH", str(request.getfixturevalue("npm")))
    return made


@pytest.fixture
def base(store: Store, settings: Settings, tmp_path: Path) -> Iterator[str]:
    """An endpoint with a view, with changes on two days."""
    (tmp_path / "strategies.toml").write_text(VIEW, "utf-8")
    settings = replace(settings, views=(tmp_path,))
    fill(store, groups=views.groups(settings))
    with web.Background(settings, "127.0.0.1", 0, store) as server:
        yield f"http://127.0.0.1:{server.port}/oai"


def test_a_client_gets_what_the_store_has(harvest: Harvest, base: str, store: Store) -> None:
    def stored(spec: str | None) -> Heads:
        return [(f"oai:hub.test:{r.identifier}", r.deleted) for r in store.records.read(spec)]

    whole = harvest(base, "oai_dc")
    assert whole == stored(None)
    counts = store.records.counts()
    assert len(whole) == counts[""].live + counts[""].deleted == 250
    for prefix in FORMATS:
        assert harvest(base, prefix) == whole, prefix
    for spec in ("country:KE", "view:strategies", "type:nbsap", "source:src"):
        listed = harvest(base, "oai_dc", set=spec)
        assert listed == stored(spec), spec
        assert 10 < len(listed) == counts[spec].live + counts[spec].deleted
    assert harvest(base, "chm", set="view:strategies") == stored("view:strategies")

    put(store, [record(3, 2), record(1000)], LATER)
    delete(store, [record(4).identifier], LATER + timedelta(seconds=1))
    put(store, [record(10, 2)], LATER + timedelta(seconds=2))
    day = harvest(base, "oai_dc", **{"from": "2026-01-02", "until": "2026-01-02"})
    assert day == [
        (f"oai:hub.test:{record(3).identifier}", False),
        (f"oai:hub.test:{record(1000).identifier}", False),
        (f"oai:hub.test:{record(4).identifier}", True),
        (f"oai:hub.test:{record(10).identifier}", False),
    ]
    assert len(harvest(base, "oai_dc", until="2026-01-01")) == 250 - 3
    assert dict(whole) | dict(day) == dict(stored(None))
    assert harvest(base, "oai_dc") == stored(None)
