"""What a source calls its records, also those of which the store knows nothing else."""

from __future__ import annotations

from typing import Any

from store import Store, StoredRecord


def named(store: Store, record: StoredRecord) -> dict[str, Any]:
    """A record's content with its ``source_identifier``. Of tombstones that were never seen alive
    earlier versions kept nothing: the name is read from the page that they came on."""
    if "source_identifier" in record.record:
        return record.record
    page = store.documents.find(record.page)
    if page is None or record.index >= len(page.documents):
        return record.record
    native = page.documents[record.index].identifier
    source = record.identifier.partition("/")[0]
    known = {"identifier": record.identifier, "source": source, "source_identifier": native}
    return {**known, **record.record}
