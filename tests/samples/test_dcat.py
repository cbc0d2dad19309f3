"""The constructed catalogue of a DKAN portal, replayed over loopback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "national"
FILE = SAMPLES / "other" / "dkan_data.constructed.json"
pytestmark = pytest.mark.skipif(
    not FILE.is_file(), reason=f"NO RECORDED ANSWERS: {FILE} is absent, nothing was replayed"
)


def test_a_national_data_portal(hub: Hub) -> None:
    asked: list[str] = []

    def respond(request: Request) -> Answer:
        asked.append(request.path)
        return Answer(FILE.read_bytes(), "application/json")

    with serving(respond) as url:
        hub.source(
            "data",
            f'title = "PW"\nadapter = "dcat"\nurl = "{url}/data.json"\ncountry = "PW"\n'
            'languages = ["en"]\n',
        )
        run = run_of(hub, "data")
    assert (run["state"], run["new"], run["issues"]) == ("complete", 1, 0)
    assert asked == ["/data.json"], "the context it names is not fetched"
    (record,) = hub.records().values()
    assert record["source_identifier"] == "b0e0c0de-0000-4000-8000-000000000001"
    assert record["type"] == "dataset"
    assert record["title"] == [{"value": "Protected areas of Exampleland", "lang": "en"}]
    assert record["spatial"] == ["PW"]
    assert record["coverage"] == [{"value": "Exampleland"}]
    assert record["subject"] == [{"label": "biodiversity", "lang": "en"}]
    assert record["publisher"] == [{"name": "Ministry of Environment"}]
    assert (record["issued"], record["modified"]) == ("2019-04-10", "2021-08-19")
    assert record["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert record["distribution"] == [
        {
            "url": "https://zz-data.example/files/pa.geojson",
            "title": "Map",
            "media_type": "application/geo+json",
        }
    ]
    assert "Data manager" not in str(record)
    assert "data@" not in str(record)
