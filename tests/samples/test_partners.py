"""Recorded and constructed answers of PANORAMA, GEO BON, STAC catalogues and OBIS, replayed over
loopback through the adapters."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "partners"
STAC = SAMPLES / "geobon" / "stac"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO RECORDED ANSWERS: {SAMPLES} is absent, nothing was replayed"
)
NOT_FOUND = Answer(b"Not found", "text/plain", 404)
Run = dict[str, Any]


def sample(path: Path, status: int = 200) -> Answer:
    kind = "text/html" if path.suffix == ".html" else "application/json"
    return Answer(path.read_bytes(), kind, status)


def source(adapter: str, url: str, keys: str = "", options: str = "") -> str:
    return f'title = "S"\nadapter = "{adapter}"\nurl = "{url}"\n{keys}\n[options]\n{options}\n'


def held(hub: Hub, name: str = "s") -> dict[str, Run]:
    return {r["source_identifier"]: r for r in hub.records("--source", name).values()}


def at(answers: Mapping[str, Answer]) -> Callable[[Request], Answer]:
    return lambda request: answers.get(request.path, NOT_FOUND)


# --- PANORAMA ----------------------------------------------------------------------------


def _panorama(request: Request) -> Answer:
    folder = SAMPLES / "panorama"
    match request.path:
        case "/en/api/v1/solutions":
            page = dict(request.arguments())["page"]
            return sample(folder / f"solutions.en.page{page}.constructed.json")
        case "/en/rest/explore-solution/json/map":
            return sample(folder / "explore-map.constructed.json")
        case "/en/node/1001":
            return sample(folder / "solution-page.constructed.html")
    return NOT_FOUND


def test_panorama_by_its_api(hub: Hub) -> None:
    with serving(_panorama) as url:
        keys = 'languages = ["en"]\nsecret = "env:CHM_HUB_DEMO_KEY"'
        hub.source("s", source("panorama", url, keys))
        run = run_of(hub, "s", key="demo")
    assert (run["state"], run["new"], run["issues"], run["requests"]) == ("complete", 3, 0, 2)
    records = held(hub)
    assert {name: r["spatial"] for name, r in records.items()} == {
        "1001": ["FJ"],
        "1002": ["CR", "PA"],
        "1003": ["PE"],
    }
    assert records["1001"]["bbox"] == [178.01, -17.8, 178.01, -17.8]
    assert [s["label"] for s in records["1001"]["subject"]][:2] == [
        "Ecosystem-based adaptation",
        "Restoration",
    ]
    assert "bbox" not in records["1003"]
    assert "subject" not in records["1003"]
    assert {r["type"] for r in records.values()} == {"bestPractice"}
    assert all("<" not in r["description"][0]["value"] for r in records.values())


def test_panorama_by_its_map(hub: Hub) -> None:
    with serving(_panorama) as url:
        keys = 'languages = ["en"]'
        hub.source("s", source("panorama", url, keys, 'way = "map"\ntries = 1'))
        run = run_of(hub, "s")
    assert (run["state"], run["new"], run["warnings"]) == (
        "complete_with_warnings",
        2,
        {"page_not_read": 1},
    )
    records = held(hub)
    assert records["1001"]["url"] == "https://panorama.solutions/en/solution/example-1001"
    assert records["1001"]["spatial"] == ["FJ"]
    assert records["1001"]["creator"] == [{"name": "Example organisation"}]
    assert len(records["1001"]["subject"]) == 2
    assert records["1002"]["bbox"] == [-82.9, 9.1, -82.4, 9.3]


def test_panorama_s_challenge(hub: Hub) -> None:
    page = sample(SAMPLES / "panorama" / "cloudflare-challenge.constructed.html", 403)
    with serving(lambda request: page) as url:
        hub.source("s", source("panorama", url, "", 'way = "map"'))
        run = run_of(hub, "s")
    assert (run["state"], run["error"], run["requests"]) == ("failed", "challenge", 1)


# --- GEO BON -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "name", "scope", "start"),
    [("5", "5", "Global", "2015-01-01"), ("metadata", "1", "Global", "1900")],
)
def test_geobon_s_two_generations(hub: Hub, file: str, name: str, scope: str, start: str) -> None:
    answer = sample(SAMPLES / "geobon" / "ebv-api" / f"{file}.json")
    with serving(at({"/api/v1/datasets": answer})) as url:
        hub.source("s", source("geobon", url, 'languages = ["en"]'))
        run = run_of(hub, "s")
        assert (run["state"], run["new"], run["issues"]) == ("complete", 1, 0)
        (record,) = held(hub).values()
        assert record["url"] == f"{url}/ebv-detail?id={name}"
    told = json.loads(answer.body)["data"][0]
    assert record["title"] == [{"value": told["title"], "lang": "en"}]
    assert record["type"] == "dataset"
    assert record["coverage"] == [{"value": scope}]
    assert record["temporal"]["start"] == start
    assert record["license"] == "https://creativecommons.org/licenses/by/4.0"
    assert record["distribution"][0]["url"] == f"https://{told['dataset']['download']}"
    assert set(told["references"]) <= set(record["relation"])
    text = json.dumps(record)
    assert told["creator"]["creator_name"] not in text
    assert "@" not in text
    assert "N/A" not in text


def test_geobon_s_list_of_a_country(hub: Hub) -> None:
    answer = sample(SAMPLES / "geobon" / "bioland-fetch-data.constructed.json")
    with serving(at({"/bioland/fetch-data.php": answer})) as url:
        hub.source("s", source("geobon", url, "", 'country = "Kenya"'))
        run = run_of(hub, "s")
    assert (run["state"], run["new"]) == ("complete", 1)
    (record,) = held(hub).values()
    assert record["spatial"] == ["KE"]
    assert [s["label"] for s in record["subject"]] == ["Terrestrial", "Marine"]


# --- STAC --------------------------------------------------------------------------------


def _files(request: Request) -> Answer:
    path = (SAMPLES / "geobon" / request.path.lstrip("/")).resolve()
    if path.is_file() and path.is_relative_to(SAMPLES):
        return sample(path)
    return Answer(b"<Error/>", "application/xml", 404)


def _identifiers(folder: Path, kind: str) -> set[str]:
    """What the files of a folder hold, by other means than the hub's."""
    found = set()
    for path in folder.rglob("*.json"):
        told = json.loads(path.read_bytes())
        what = told.get("type") or ("Collection" if "license" in told else "Catalog")
        if what == kind:
            found.add(told["id"])
    return found


def test_static_catalogues(hub: Hub) -> None:
    trees = {
        "cbers-partial/catalog.json": "complete",
        "test-case-1/catalog.json": "complete",
        "pystac/catalogs/test-case-6/12cb17a8-ae08-469c-a2be-4d0619240014/collection.json": (
            "complete"
        ),
        # The files of these are not all there.
        "pystac/catalogs/test-case-5/catalog.json": "failed",
        "pystac/catalogs/test-case-5/CBERS4/CBERS4MUX/CBERS4-MUX-027/CBERS4-MUX-027/"
        "collection.json": "failed",
        "pystac/catalogs/test-case-4/znz/collection.json": "partial",
        "pystac/catalogs/test-case-4/acc/collection.json": "partial",
        "pystac/catalogs/test-case-4/mon/collection.json": "partial",
        "pystac/catalogs/test-case-4/dar/collection.json": "partial",
        "pystac/catalogs/test-case-2/1a8c1632-fa91-4a62-b33e-3a87c2ebdf16/collection.json": (
            "partial"
        ),
        "pystac/catalogs/planet-example-v1.0.0-beta.2/collection.json": "failed",
    }
    wanted: dict[str, tuple[str, str, set[str]]] = {}
    with serving(_files) as url:
        for number, (tree, state) in enumerate(trees.items()):
            folder = (STAC / tree).parent
            for what, kind in (("items", "Feature"), ("collections", "Collection")):
                name = f"{what}-{number}"
                options = f'what = "{what}"\ntries = 1'
                hub.source(name, source("stac", f"{url}/stac/{tree}", "", options))
                wanted[name] = (tree, state, _identifiers(folder, kind))
        runs = {run["source"]: run for run in hub("harvest", *wanted, "--json").lines}
    records: dict[str, set[str]] = {name: set() for name in wanted}
    for record in hub.records().values():
        records[record["source"]].add(record["source_identifier"])
        assert record["type"] == "dataset"
        assert record["title"]
    for name, (tree, state, identifiers) in wanted.items():
        if name.startswith("items"):
            assert runs[name]["state"] == state, (tree, runs[name]["reason"])
        assert runs[name]["quarantined"] == 0, tree
        if state == "complete":
            assert records[name] == identifiers, tree
        else:
            assert records[name] <= identifiers, tree
            assert "leads nowhere" in (runs[name]["reason"] or "leads nowhere"), tree


SINGLE = {
    "api-cassettes/TestCLICollections.test_collection_search.01.json": ("collections", 9),
    "api-cassettes/TestConformsTo.test_changing_conforms_to_changes_behavior.01.json": (
        "collections",
        1,
    ),
    "api-cassettes/TestConformsTo.test_changing_conforms_to_changes_behavior.02.json": (
        "collections",
        4,
    ),
    "api-cassettes/TestCollectionClient.test_get_item.02.json": ("collections", 1),
    "api-cassettes/TestCollectionClient.test_get_queryables.02.json": ("collections", 1),
    "api-cassettes/TestQueryables.test_get_queryables_collections.02.json": ("collections", 1),
    "api-cassettes/TestSigning.test_sign_with_return_warns.02.json": ("collections", 1),
    "api-pages/planetary-computer-collection.json": ("collections", 1),
    "api-pages/planetary-computer-aster-l1t-collection.json": ("collections", 1),
    "api-cassettes/TestCollectionClient.test_get_item.03.json": ("items", 1),
    "api-cassettes/TestCollectionClient.test_get_items_with_ids.03.json": ("items", 3),
    "pystac/item/sample-item.json": ("items", 1),
    "pystac/catalogs/test-case-5/CBERS4/CBERS4MUX/CBERS4-MUX-027/CBERS4-MUX-027/069/"
    "CBERS_4_MUX_20190510_027_069_L2/CBERS_4_MUX_20190510_027_069_L2.json": ("items", 1),
    "pystac/catalogs/test-case-4/kam/4e7c7f/4e7c7f.json": ("items", 1),
    "pystac/catalogs/test-case-4/ptn/abe1a3/abe1a3.json": ("items", 1),
    "pystac/catalogs/test-case-4/ptn/abe1a3-labels/abe1a3-labels.json": ("items", 1),
    "pystac/catalogs/test-case-4/ptn/f49f31/f49f31.json": ("items", 1),
    "pystac/item/sample-item-asset-properties.json": ("items", 1),
    "pystac/item/sample-item-with-relative-extension-path.json": ("items", 1),
}
"""Answers that can be harvested by themselves: what, and how many are in them."""
NOT_STAC = {
    "api-pages/invalid-collection.json",
    "api-pages/netherlands_aoi.json",
    "pystac/catalogs/invalid-catalog/catalog.json",
    "api-cassettes/test_get_collection_returns_none_if_not_found.01.json",
    "api-cassettes/TestQueryables.test_get_queryables.01.json",
    "api-cassettes/TestQueryables.test_get_queryables_collections.03.json",
    "api-cassettes/TestCollectionClient.test_get_queryables.03.json",
}
FIRST_PAGES = {
    "api-cassettes/TestCLISearch.test_non_conformant_can_be_fixed.01.json": 1,
    "pystac/item-collection/sample-item-collection.json": 10,
}
"""Pages of lists that go on elsewhere."""
LANDING = {
    "api-cassettes/TestAPI.test_environment_variable.00.json",
    "api-cassettes/TestAPICollectionSearch.test_search.00.json",
    "api-cassettes/TestCLICollections.test_collection_search.00.json",
    "api-cassettes/TestCLISearch.test_non_conformant_can_be_fixed.00.json",
    "api-cassettes/TestCollectionClient.test_get_item.00.json",
    "api-cassettes/TestQueryables.test_get_queryables.00.json",
    "api-cassettes/TestQueryables.test_get_queryables_collections.00.json",
    "api-cassettes/TestSTAC_IOOverride.test_request_input.00.json",
    "api-pages/planetary-computer-root.json",
}
"""Landing pages of APIs of several versions."""


def test_answers_of_apis_by_themselves(hub: Hub) -> None:
    cases: dict[str, tuple[str, str]] = {}
    with serving(_files) as url:
        every = [*SINGLE, *sorted(NOT_STAC), *FIRST_PAGES]
        for number, file in enumerate(every):
            what, _ = SINGLE.get(file, ("items", 0))
            name = f"s{number}"
            options = f'what = "{what}"\ntries = 1'
            hub.source(name, source("stac", f"{url}/stac/{file}", "", options))
            cases[name] = (file, what)
        runs = {run["source"]: run for run in hub("harvest", *cases, "--json").lines}
    for name, (file, _) in cases.items():
        run = runs[name]
        if file in SINGLE:
            wanted = ("complete", SINGLE[file][1])
            assert (run["state"], run["new"]) == wanted, (file, run["reason"])
        elif file in FIRST_PAGES:
            assert (run["state"], run["new"]) == ("partial", FIRST_PAGES[file]), file
            assert "another host" in run["reason"], file
        else:
            assert (run["state"], run["error"]) == ("failed", "not_stac"), file
    met = {*SINGLE, *NOT_STAC, *FIRST_PAGES, *LANDING}
    folders = (STAC / "api-cassettes", STAC / "api-pages")
    assert {str(p.relative_to(STAC)) for f in folders for p in f.glob("*.json")} <= met


def test_landing_pages_of_apis(hub: Hub) -> None:
    collections = sample(
        STAC / "api-cassettes/TestConformsTo.test_changing_conforms_to_changes_behavior.02.json"
    )
    items = sample(STAC / "api-cassettes/TestCollectionClient.test_get_items_with_ids.03.json")

    def respond(request: Request) -> Answer:
        name, _, rest = request.path.lstrip("/").partition("/")
        if not rest:
            return sample(STAC / cases[name])
        return {"collections": collections, "search": items}.get(rest, NOT_FOUND)

    cases = {f"l{number}": file for number, file in enumerate(sorted(LANDING))}
    with serving(respond) as url:
        for name in cases:
            hub.source(f"{name}-i", source("stac", f"{url}/{name}", "", "tries = 1"))
            options = 'what = "collections"\ntries = 1'
            hub.source(f"{name}-c", source("stac", f"{url}/{name}", "", options))
        names = [f"{name}-{what}" for name in cases for what in "ic"]
        runs = {run["source"]: run for run in hub("harvest", *names, "--json").lines}
    for name, file in cases.items():
        # They name the hosts they were recorded at, and are asked where they are found.
        assert runs[f"{name}-c"]["new"] == 4, file
        assert runs[f"{name}-c"]["error"] is None, file
        # One of them can be searched by OpenSearch alone; its collections have no items here.
        if "TestAPICollectionSearch" not in file:
            assert runs[f"{name}-i"]["new"] == 3, file


def test_bon_in_a_box(hub: Hub) -> None:
    folder = SAMPLES / "geobon" / "stac.geobon.org"
    collection = (folder / "collection-chelsa-clim.constructed.json").read_bytes()
    first = (folder / "items-chelsa-clim.constructed.json").read_bytes()
    last = b'{"type": "FeatureCollection", "features": [], "links": []}'
    bodies = {
        "/": (folder / "root.constructed.json").read_bytes(),
        "/collections": b'{"collections": [' + collection + b'], "links": []}',
        "/search": first,
    }

    def respond(request: Request) -> Answer:
        body = last if "token" in request.query else bodies.get(request.path)
        if body is None:
            return NOT_FOUND
        return Answer(body.replace(b"https://stac.geobon.org", url.encode()), "application/json")

    with serving(respond) as url:
        hub.source("s", source("stac", f"{url}/"))
        hub.source("c", source("stac", f"{url}/", "", 'what = "collections"'))
        runs = {run["source"]: run for run in hub("harvest", "s", "c", "--json").lines}
    assert {name: (run["state"], run["new"]) for name, run in runs.items()} == {
        "s": ("complete", 1),
        "c": ("complete", 1),
    }
    (item,) = held(hub).values()
    (described,) = held(hub, "c").values()
    assert item["title"] == [{"value": f"{described['title'][0]['value']}: bio1"}]
    assert item["license"] == described["license"] == "CC-BY-SA-4.0"
    assert item["bbox"] == [-180.0, -90.0, 180.0, 90.0]
    assert described["temporal"] == {"start": "1981-01-01T00:00:00Z"}


# --- OBIS --------------------------------------------------------------------------------


def test_obis(hub: Hub) -> None:
    folder = SAMPLES / "other" / "obis"
    found = sample(folder / "test_dataset_search_keywords.00.json")
    one = sample(folder / "test_dataset_get_data.00.json")
    later = sample(folder / "test_cache_parameter_functionality.01.json")
    answers = {"/a/dataset": found, "/b/dataset": one}
    with serving(lambda request: answers.get(request.path, NOT_FOUND)) as url:
        hub.source("a", source("obis", f"{url}/a"))
        hub.source("b", source("obis", f"{url}/b"))
        runs = {run["source"]: run for run in hub("harvest", "a", "b", "--json").lines}
        assert {n: (r["state"], r["new"], r["issues"]) for n, r in runs.items()} == {
            "a": ("complete", 9, 0),
            "b": ("complete", 1, 0),
        }
        records = held(hub, "a")
        for told in json.loads(found.body)["results"]:
            record = records[told["id"]]
            assert record["title"] == [{"value": told["title"].strip()}]
            assert record["license"].startswith("https://creativecommons.org/")
            assert record["modified"] == told["updated"]
            assert len(record["bbox"]) == 4
            assert told["url"] in record["same_as"]
            text = json.dumps(record)
            for contact in told["contacts"] or []:
                assert not contact["email"] or contact["email"] not in text
        assert any("https://doi.org/10.14284/519" in r["same_as"] for r in records.values())
        # Two years later: another version of the same dataset.
        answers["/b/dataset"] = later
        run = run_of(hub, "b")
    assert (run["changed"], run["deleted"]) == (1, 0)
    (record,) = held(hub, "b").values()
    assert record["modified"].startswith("2025-03-22")


def test_obis_page_is_no_list(hub: Hub) -> None:
    page = sample(SAMPLES / "other" / "obis" / "test_dataset_get_url.01.html")
    with serving(lambda request: page) as url:
        hub.source("s", source("obis", url, "", "tries = 1"))
        run = run_of(hub, "s")
    assert (run["state"], run["error"]) == ("failed", "html")
