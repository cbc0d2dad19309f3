"""What becomes of a document in its crosswalk, without a store."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from chm_hub.document import Document, Json, Payload
from chm_hub.record import to_dict
from mappings import crosswalk as crosswalks

PROVENANCE = {
    "source": "s",
    "base_url": "https://s.example.org",
    "url": "https://s.example.org/answer",
    "source_datestamp": None,
    "namespace": None,
    "harvested": datetime(2026, 1, 1, tzinfo=UTC),
    "run": "s/1",
}
GIVEN = ("provenance", "identifier", "source", "source_identifier")


def payload(
    body: str | bytes,
    media_type: str = "application/json",
    url: str = "https://s.example.org/answer",
) -> Payload:
    """An answer, as it came."""
    return Payload(
        url=url,
        status=200,
        headers={"Content-Type": media_type},
        body=body.encode() if isinstance(body, str) else body,
        fetched=datetime.now(UTC),
    )


def record_of(crosswalk: str, document: Document | Json, **source: Any) -> dict[str, Any]:
    """A document's record as ``chm-hub records --json`` has it, without what the hub fills in; its
    ``issues`` as ``field: message``, and ``skipped`` or ``rejected`` if it is none."""
    if not isinstance(document, Document):
        document = Document(identifier="1", body=document)
    told = {
        "id": "s",
        "title": "S",
        "url": "https://s.example.org",
        "countries": [],
        "languages": [],
        "options": {},
        **source,
    }
    outcome = crosswalks.apply(crosswalks.load(crosswalk), document, told, dict(PROVENANCE))
    made: dict[str, Any] = {}
    if outcome.record is not None:
        made = {k: v for k, v in to_dict(outcome.record).items() if k not in GIVEN}
    for key in ("skipped", "rejected"):
        if getattr(outcome, key) is not None:
            made[key] = getattr(outcome, key)
    if outcome.issues:
        made["issues"] = [f"{issue.field}: {issue.message}" for issue in outcome.issues]
    return json.loads(json.dumps(made, default=str))  # type: ignore[no-any-return]
