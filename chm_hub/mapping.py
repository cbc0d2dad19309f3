"""How the documents of a source become records: its crosswalk, its file, the groups, in one value.

A :class:`Mapper` knows the digest of all rules that bear on a record, and what of a record its
readers notice. It writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

from adapters.source import Source
from chm_hub import naming, views
from chm_hub.document import Document
from chm_hub.names import RULES
from chm_hub.record import Record, canonical, content_hash
from chm_hub.sets import Groups, sets_of
from mappings import crosswalk as crosswalks
from mappings import formats, tables
from store import Known, Store
from store.records import private_sets


class Mapper:
    """Maps the documents of one source in one run."""

    def __init__(
        self,
        source: Source,
        crosswalk: crosswalks.Crosswalk,
        groups: Groups,
        clock: Callable[[], datetime],
        run: str,
    ) -> None:
        self.source = source
        self._crosswalk = crosswalk
        self._groups = groups
        self._clock = clock
        self._run = run
        self._context = source.as_context()
        self.rules = _rules(crosswalk, self._context, source.system, groups)
        """Digest of all that bears on what becomes of a document."""

    @property
    def published(self) -> bool:
        """Whether the source's records are published."""
        return self.source.declared.republish

    def outcome(self, document: Document, url: str) -> crosswalks.Outcome:
        """What becomes of a document that came from an address."""
        return named(self.raw(document, url))

    def raw(self, document: Document, url: str) -> crosswalks.Outcome:
        """What its crosswalk makes of a document, records without a name included."""
        told = provenance(self.source, document, url, self._clock(), self._run)
        return crosswalks.apply(self._crosswalk, document, self._context, told)

    def shown(self, record: Record, plain: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
        """What of a record (also as plain values) its readers notice: the digest of its content,
        and its sets."""
        content = f"{formats.VERSION}:{content_hash(canonical(plain))}"
        if not self.published:
            return content, private_sets(self.source.id)
        return content, tuple(
            sets_of(record, self.source.system, self._groups, self.source.declared.region)
        )

    def as_new(self, known: Known, document_hash: str) -> bool:
        """Whether a live record was made from this version of its document by these rules."""
        return (
            not known.deleted
            and known.document == document_hash
            and known.crosswalk == self.rules
            and known.sets[0].startswith("~") is not self.published
        )


def named(outcome: crosswalks.Outcome) -> crosswalks.Outcome:
    """An outcome whose record has a name; a record without one is set aside, not published."""
    if outcome.record is None or naming.is_named(outcome.record):
        return outcome
    return replace(outcome, record=None, rejected=naming.NO_TITLE)


def namer(store: Store, source: str) -> Callable[[str], str]:
    """Our names of what a source calls its records, by the rule that holds for it in the store."""
    rule = RULES[store.names.rule(source)]
    return lambda native: rule(source, native)


def provenance(
    source: Source, document: Document, url: str, now: datetime, run: str
) -> dict[str, Any]:
    """How the hub came to a record of this document."""
    body = document.body if isinstance(document.body, dict) else {}
    return {
        "source": source.id,
        "base_url": source.declared.url,
        "url": url,
        "source_datestamp": document.datestamp,
        "namespace": body.get("namespace"),
        "harvested": now.replace(microsecond=0),
        "run": run,
    }


def _rules(
    crosswalk: crosswalks.Crosswalk, context: dict[str, Any], system: str, groups: Groups
) -> str:
    told = json.dumps(
        [
            crosswalk.digest,
            context,
            formats.VERSION,
            system,
            views.digest(groups),
            tables.digest(),
        ],
        sort_keys=True,
        default=str,
    )
    return blake2b(told.encode(), digest_size=8).hexdigest()
