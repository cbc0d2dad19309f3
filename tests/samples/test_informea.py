"""InforMEA's recorded and constructed answers, served at the paths of the services they came
from and harvested for real."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from demo.server import Answer, Request
from tests.adapters.partners import serving
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples"
FOLDER = SAMPLES / "partners" / "informea"
pytestmark = pytest.mark.skipif(
    not FOLDER.is_dir(), reason=f"NO RECORDED ANSWERS: {FOLDER} is absent, nothing was replayed"
)

SERVICES = {
    # source: (entity, file, more options)
    "brs-decisions": ("Decisions", "odata-v1-Decisions.json", ""),
    "cbd-decisions": ("Decisions", "odata-v3-Decisions.json", ""),
    "brs-meetings": ("Meetings", "odata-v1-Meetings.json", ""),
    "poc-meetings": ("Meetings", "meetings-v1-atom.constructed.xml", 'dialect = "atom"\n'),
    "aewa-reports": ("CountryReports", "odata-v1-CountryReports.json", ""),
    "cbd-reports": ("CountryReports", "odata-v3-CountryReports.json", ""),
    "cbd-plans": ("NationalPlans", "odata-v3-NationalPlans.json", ""),
    "hub-documents": ("Documents", "hub-documents.constructed.json", ""),
    "hub-treaties": ("Treaties", "hub-treaties.constructed.json", ""),
    "brs-contacts": ("Contacts", "odata-v1-Contacts.redacted.json", "contacts = true\n"),
    "cbd-contacts": ("Contacts", "odata-v3-Contacts.redacted.json", "contacts = true\n"),
    "drupal": ("Decisions", "mea-views-json-api2.constructed.json", 'dialect = "list"\n'),
}


def respond(request: Request) -> Answer:
    parts = request.path.strip("/").split("/")
    asked = dict(request.arguments())
    if parts[0] == "ws":
        body = (FOLDER / "ws-decisions.constructed.json").read_bytes()
        return Answer(body if asked.get("page") == "0" else b"[]", "application/json")
    if parts[0] == "broken":
        body = (FOLDER / "error-olingo.constructed.xml").read_bytes()
        return Answer(body, "application/xml", 500)
    if parts[0] == "thousands":
        if parts[-1] == "$count":
            return Answer((FOLDER / "hub-count.constructed.txt").read_bytes(), "text/plain")
        return Answer((FOLDER / "odata-v3-Decisions.json").read_bytes(), "application/json")
    _, file, _ = SERVICES[parts[0]]
    if asked.get("$count") == "true":
        body = (FOLDER / "mea-views-json-api2-count.constructed.json").read_bytes()
        return Answer(body, "application/json")
    if parts[-1] == "$count":
        return Answer(b"", "text/plain", 404)
    body = (FOLDER / file).read_bytes()
    if asked.get("$skip") != "0":
        body = b'{"d": {"results": []}}'
    return Answer(body, "application/xml" if file.endswith(".xml") else "application/json")


def test_every_sample_arrives(hub: Hub) -> None:
    with serving(respond) as url:
        for name, (entity, _, more) in SERVICES.items():
            text = f'title = "S"\nadapter = "informea"\nurl = "{url}/{name}/informea.svc"\n'
            hub.source(name, f'{text}[options]\nentity = "{entity}"\ntries = 1\n{more}')
        text = f'title = "S"\nadapter = "informea_web"\nurl = "{url}"\n[options]\n'
        hub.source("web", f'{text}kind = "decisions"\n')
        for name in ("broken", "thousands"):
            text = f'title = "S"\nadapter = "informea"\nurl = "{url}/{name}/informea.svc"\n'
            hub.source(name, f'{text}[options]\nentity = "Decisions"\ntries = 1\n')
        said = hub("harvest", *SERVICES, "web", "broken", "thousands", "--json")
    runs = {line["source"]: line for line in said.lines}
    records: dict[str, dict[str, dict]] = {}
    for record in hub.records().values():
        records.setdefault(record["source"], {})[record["source_identifier"]] = record

    # Two facts are odd in the samples themselves: one capture left keywords unexpanded, one
    # constructed answer its texts.
    deferred = {"brs-decisions", "hub-treaties"}
    for name, (_, file, _) in SERVICES.items():
        run = runs[name]
        state = "complete_with_warnings" if name in deferred else "complete"
        assert run["state"] == state, (name, run)
        assert not run["issues"], (name, run)
        assert not run["quarantined"], (name, run)
        wanted = 1 if "constructed" in file else 2
        assert len(records[name]) == wanted, name
        assert all(r["title"] for r in records[name].values()), name
    assert all(runs[name]["warnings"] == {"not_expanded": 1} for name in deferred)

    brs = records["brs-decisions"]["8fc906c1-820c-4a38-ad7c-00879971fee8"]
    assert brs["issued"] == brs["modified"] == "2008-03-23T11:26:51Z"
    assert brs["same_as"] == ["informea:decision:stockholm/SC-3/7"]
    assert [t["lang"] for t in brs["title"]] == ["en", "fr"]
    cbd = records["cbd-decisions"]["52000000cbd0070000003465"]
    assert cbd["same_as"] == ["informea:decision:nagoya/NP/1/13"]
    assert cbd["treaty"] == ["cbd", "nagoya"]
    assert "description" not in cbd, "stubs say nothing"
    assert "distribution" not in cbd
    meeting = records["poc-meetings"]["52000000cbd0050000001595"]
    assert meeting["temporal"] == {"start": "2023-07-03", "end": "2023-07-05"}
    assert "subject" not in meeting, "what stands for the treaty is the identifier"
    brs_meetings = records["brs-meetings"].values()
    assert sorted("bbox" in r for r in brs_meetings) == [False, True], "0, 0 is nowhere"
    countries = {
        r["spatial"][0] for n in ("aewa-reports", "cbd-reports") for r in records[n].values()
    }
    assert countries == {"SN", "GB", "FM", "FR"}
    assert {r["spatial"][0] for r in records["cbd-plans"].values()} == {"AT", "AL"}
    assert {r["type"] for r in records["cbd-plans"].values()} == {"nbsap"}
    assert records["hub-documents"]["doc-1"]["type"] == "toolGuidance"
    assert records["hub-treaties"]["cbd"]["type"] == "law"
    assert {r["type"] for r in records["brs-contacts"].values()} == {"authority"}
    assert {r["type"] for r in records["cbd-contacts"].values()} == {"focalPoint"}
    assert "REDACTED" not in json.dumps(records), "that is where persons' data stood"
    assert records["drupal"]["501"]["distribution"][0]["media_type"] == "application/pdf"
    (web,) = records["web"].values()
    assert web["same_as"] == ["informea:decision:cbd/COP/15/4"]
    assert runs["web"]["state"] == "complete"

    assert (runs["broken"]["state"], runs["broken"]["error"]) == ("failed", "http_500")
    assert runs["thousands"]["state"] == "partial", "12,400 announced and the same two again"
