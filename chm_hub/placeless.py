"""Records that are in no country's set, of sources whose files say of no country.

A source with ``country = "none"``, a region or a country has said where it belongs: its records
may be in no country's set for a reason.
"""

from __future__ import annotations

from adapters.source import Source
from chm_hub.health import Reason
from store import Store

WORD = "no_country"


def count(store: Store, source: Source) -> int:
    """The published records of a source that are in no country's set; 0 if its file says where it
    belongs. Reads all records of the source."""
    if source.says_where:
        return 0
    records = store.records.of_source(source.id)
    return sum(1 for r in records if not r.deleted and "country" not in r.sets)


def reason(store: Store, source: Source) -> Reason | None:
    """What to tell a person about those records, at no cost of points; ``None`` if there are
    none."""
    found = count(store, source)
    if not found:
        return None
    are = "records are" if found > 1 else "record is"
    return Reason(
        word=WORD,
        points=0,
        text=f"{found} {are} in no country set: the source's file names no country",
        do=f'write country = "KE" (ISO 3166-1 alpha-2) or country = "none" in {source.path}, then '
        f"`chm-hub map {source.id}`",
    )
