"""What is kept of raw documents, and for how long (promise P1).

A page is let go when it is older than a day the operator chose, not of the last three runs that
kept pages, not what any record was last made from, and holds no document whose newest version it
is: then every record can be made again without the network, and nothing else is lost.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from store.connection import Store

GENERATIONS = 3


@dataclass(slots=True, kw_only=True)
class LetGo:
    """What was let go of a source, and how many pages stay."""

    pages: int = 0
    size: int = 0
    """Bytes of the answers, as they came."""
    kept: int = 0


def tidy(
    store: Store,
    source: str,
    oldest: datetime,
    clock: Callable[[], datetime],
    *,
    dry_run: bool = False,
) -> LetGo:
    """Let go of a source's pages that were fetched before ``oldest`` and are of no use any more.

    Raises :class:`StoreError` while somebody harvests the source. Being cut off at any point
    does no harm: the next call goes on.
    """
    lease = store.leases.take(source, clock())
    try:
        done = LetGo()
        used = {record.page for record in store.records.of_source(source)}
        met: set[bytes] = set()
        runs: list[str] = []
        for name in store.runs.kept_pages(source):
            page = store.documents.find(name)
            if page is None:
                continue
            # Nearly all of them stay, and all are read: that takes long.
            store.leases.renew(lease, clock())
            run = name.rpartition("/")[0]
            if run not in runs:
                runs.append(run)
            newest = _newest(met, (document.identifier for document in page.documents))
            fetched = max((payload["fetched"] for payload in page.payloads), default=oldest)
            if fetched >= oldest or len(runs) <= GENERATIONS or name in used or newest:
                done.kept += 1
                continue
            done.pages += 1
            done.size += sum(payload["size"] for payload in page.payloads)
            if not dry_run:
                store.documents.let_go(name)
        return done
    finally:
        store.leases.release(lease)


def _newest(met: set[bytes], identifiers: Iterable[str]) -> bool:
    """Whether one of them was not met on a newer page; all are met now."""
    before = len(met)
    met.update(
        blake2b(name.encode("utf-8", "surrogatepass"), digest_size=16).digest()
        for name in identifiers
    )
    return len(met) > before
