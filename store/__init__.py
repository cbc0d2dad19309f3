"""MongoDB, and nothing but MongoDB: the only folder that imports ``pymongo``.

``open_store`` gives a :class:`Store`: ``documents`` (what sources said, as it came),
``records`` (the canonical descriptions, in the order of their last change), ``runs``
(what was harvested when, where to go on), ``leases`` (who may write, who may ask) and
``schedule`` (what is due). Every read obeys the query contract of
``docs/decisions/0004-query-contract.md``.
"""

from store.connection import Store, open_store
from store.documents import Documents, PageRef
from store.leases import Lease
from store.records import Change, Count, Entry, Known, Part, Records, Snapshot, Staged, StoredRecord
from store.rendered import OWN
from store.runs import Run, Runs

__all__ = [
    "OWN",
    "Change",
    "Count",
    "Documents",
    "Entry",
    "Known",
    "Lease",
    "PageRef",
    "Part",
    "Records",
    "Run",
    "Runs",
    "Snapshot",
    "Staged",
    "Store",
    "StoredRecord",
    "open_store",
]
