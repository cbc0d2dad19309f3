"""Golden pairs: ``NAME.source.json`` goes through its crosswalk and must give
``NAME.record.json``. Adding a pair adds a test; ``CHM_HUB_REWRITE_EXAMPLES=1`` rewrites them.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chm_hub.document import Document
from chm_hub.record import to_dict
from mappings import crosswalk as crosswalks
from mappings.formats import FORMATS, fragments

FOLDER = Path(__file__).parent / "crosswalks"
PAIRS = sorted(FOLDER.glob("*/*.source.json"))
PROVENANCE = {
    "base_url": "https://source.example",
    "url": "https://source.example/answer",
    "source_datestamp": None,
    "namespace": None,
    # Later than any date of the examples: a date after the harvest is no date of publication.
    "harvested": datetime(2027, 1, 1, tzinfo=UTC),
    "run": "example/1",
}


def outcome_of(path: Path) -> dict[str, Any]:
    """What becomes of an example, as its ``.record.json`` tells it."""
    told = json.loads(path.read_text("utf-8"))
    given = told["document"]
    document = Document(
        identifier=given["identifier"], body=given.get("body"), datestamp=given.get("datestamp")
    )
    source = {"url": "https://source.example", "countries": [], "options": {}, **told["source"]}
    provenance = {"source": source["id"], **PROVENANCE}
    rules = crosswalks.load(told["crosswalk"])
    outcome = crosswalks.apply(rules, document, source, provenance)
    made: dict[str, Any] = {}
    if outcome.record is not None:
        made = to_dict(outcome.record)
        made.pop("provenance")
        assert set(fragments(outcome.record)) == set(FORMATS), "every record can be published"
    for key in ("skipped", "rejected"):
        if getattr(outcome, key) is not None:
            made[key] = getattr(outcome, key)
    if outcome.deleted:
        made["deleted"] = True
    if outcome.issues:
        made["issues"] = [f"{issue.field}: {issue.message}" for issue in outcome.issues]
    return json.loads(json.dumps(made, default=str))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "path", PAIRS, ids=[f"{p.parent.name}-{p.name.removesuffix('.source.json')}" for p in PAIRS]
)
def test_example(path: Path) -> None:
    expected = path.with_name(path.name.replace(".source.", ".record."))
    made = outcome_of(path)
    if os.environ.get("CHM_HUB_REWRITE_EXAMPLES"):
        expected.write_text(json.dumps(made, ensure_ascii=False, indent=1) + "\n", "utf-8")
    assert made == json.loads(expected.read_text("utf-8"))


def test_every_crosswalk_has_an_example() -> None:
    used = {json.loads(p.read_text("utf-8"))["crosswalk"] for p in PAIRS}
    folders = {p.parent.name for p in PAIRS}
    for name in crosswalks.names():
        rules = crosswalks.load(name)
        if name in used or rules.choose is not None:
            continue
        # One that others extend is seen through them.
        is_base = any(_extends(other) == name for other in crosswalks.names())
        assert name.replace("/", "_") in folders or is_base, name


def _extends(name: str) -> str | None:
    import tomllib

    text = (crosswalks.FOLDER / f"{name}.toml").read_text("utf-8")
    parent: str | None = tomllib.loads(text).get("extends")
    return parent
