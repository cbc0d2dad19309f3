"""The Secretariat's schemas and sample documents: each has a record type, a crosswalk, a pair."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chm_hub.document import Document
from mappings import crosswalk as crosswalks
from mappings import tables
from tests.test_crosswalk_examples import FOLDER, PROVENANCE
from tests.test_real_samples import SAMPLES

SCBD = SAMPLES / "scbd"
pytestmark = pytest.mark.skipif(
    not SCBD.is_dir(), reason=f"NO SAMPLES: {SCBD} is absent, nothing was compared"
)
SOURCE = {"id": "chm", "title": "CHM", "url": "https://chm.cbd.int", "countries": [], "options": {}}


def documents() -> Iterator[tuple[Path, dict[str, Any]]]:
    """The sample documents of every schema."""
    for path in sorted((SCBD / "documents").rglob("*.json")):
        answer = json.loads(path.read_text("utf-8"))
        for found in answer if isinstance(answer, list) else [answer]:
            if isinstance(found, dict) and isinstance(found.get("header"), dict):
                yield path, found


def rows() -> Iterator[tuple[Path, dict[str, Any]]]:
    """The rows of the sample answers of the index."""
    for path in sorted((SCBD / "index").rglob("*.json")):
        for row in json.loads(path.read_text("utf-8"))["response"]["docs"]:
            yield path, row


def schema_of_row(row: dict[str, Any]) -> str:
    """As the crosswalk chooses: rows of the website's decisions begin with x-."""
    schema = row["schema_s"]
    return str(schema).removeprefix("x-")


def test_every_schema_of_the_clearing_houses_has_a_record_type_and_a_crosswalk() -> None:
    folder = SCBD / "realm-configurations"
    names = set(json.loads((folder / "scbd-schema-names.json").read_text("utf-8")))
    for realm in ("abs", "bch", "chm"):
        for configuration in json.loads((folder / f"{realm}.json").read_text("utf-8")):
            names |= set(configuration["schemas"])
    kinds = {row["code"]: row["value"] for row in tables.rows("scbd_schemas")}
    types = {row["id"] for row in tables.rows("record_types")}
    choices = crosswalks.load("scbd").choices
    assert len(names) > 70
    assert not {name for name in names if kinds.get(name) not in types}
    assert not names - set(choices), "goes by the crosswalk for what is new"


def test_every_schema_in_the_samples_has_a_golden_pair() -> None:
    seen = {str(found["header"]["schema"]) for _, found in documents()}
    seen |= {schema_of_row(row) for _, row in rows() if "schema_s" in row}
    assert len(seen) > 25
    told: set[str | None] = set()
    for path in FOLDER.glob("scbd*/*.source.json"):
        body = json.loads(path.read_text("utf-8"))["document"].get("body") or {}
        told.add(schema_of_row(body.get("index") or {"schema_s": ""}))
        told.add(((body.get("document") or {}).get("header") or {}).get("schema"))
    assert not seen - told


@pytest.mark.parametrize(
    ("path", "found"), list(documents()), ids=lambda v: v.stem if isinstance(v, Path) else ""
)
def test_a_sample_document_becomes_a_record(path: Path, found: dict[str, Any]) -> None:
    schema, identifier = found["header"]["schema"], found["header"]["identifier"]
    row = {"schema_s": schema, "identifier_s": identifier, "id": "0", "realm_ss": ["chm"]}
    row["title_EN_t"] = "As the index has it"
    body = {"index": row, "document": found, "realm": "chm", "identifier": identifier}
    outcome = crosswalks.apply(
        crosswalks.load("scbd"),
        Document(identifier=identifier, body=body),
        SOURCE,
        {"source": "chm", **PROVENANCE},
    )
    assert outcome.record is not None, (outcome.skipped, outcome.rejected)
    by_kind = {"nbsap"} if schema == "nationalReport" else set()
    assert outcome.record.type in {tables.values("scbd_schemas")[schema], *by_kind}
    # In the index the title of a focal point is a person's name.
    said = {title.value for title in outcome.record.title}
    assert said
    assert not (schema == "focalPoint" and row["title_EN_t"] in said)
    odd = [issue for issue in outcome.issues if "not a text" in issue.message]
    assert not odd, odd
