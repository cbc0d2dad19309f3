"""A university's repository as DSpace has it: three dates a record, and records that move.

What harvesters stumble over there: ``dc:date`` holds the days of deposit beside the date of
publication; a record that moved to another collection is deleted for the readers of the first;
half of the data sets lie on both sides of the 180th meridian; identifiers hold a slash.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from demo import oai_records
from demo.life import State
from demo.oai_records import Kind, OaiRecord

COLLECTIONS = ("com_1:col_a", "com_1:col_b")
"""The sets: every record is in one of the two, and each edit moves it into the other."""
KINDS = (
    Kind("dataset", "dataset", "Dataset"),
    Kind("researchReport", "researchReport", "Research report"),
    Kind("caseStudy", "caseStudy", "Case study"),
)
_ACROSS = (-19.5, 177.0, -16.5, -178.0)
_WEST_OF_IT = (-19.5, 177.0, -16.5, 179.5)


class Holdings(oai_records.Holdings):
    """What the university holds, all of it of Fiji."""

    def record(self, state: State) -> OaiRecord:
        """The record as it stands at a point of its life."""
        number = state.number
        here = (number + state.edits) % 2
        name = f"123456789/{number + 1}"
        record = oai_records.Holdings.record(self, state)
        born = datetime.fromtimestamp(state.born, UTC)
        year = max(born.year, int(record.issued[:4]))
        return replace(
            record,
            identifier=f"oai:{self.host}:{name}",
            url=f"https://{self.host}/handle/{name}",
            sets=("com_1", COLLECTIONS[here]),
            left=(COLLECTIONS[1 - here],) if state.edits else (),
            box=_ACROSS if number % 2 else _WEST_OF_IT,
            deposited=f"{year}-{born:%m-%dT%H:%M:%SZ}",
        )

    def set_names(self) -> dict[str, str]:
        """One community and its collections."""
        names = ("Theses and reports", "Data")
        return {"com_1": "Library", **dict(zip(COLLECTIONS, names, strict=True))}
