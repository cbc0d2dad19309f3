"""Addresses as strangers write them, taken apart and put together: as in :mod:`urllib.parse`, but
one that is none (``http://[::1``) becomes :data:`NOWHERE` where that raises ``ValueError``.

So a link that cannot be meant is one that is not followed, and costs nobody a run (rule R7).
"""

from __future__ import annotations

import urllib.parse
from urllib.parse import SplitResult

NOWHERE = "invalid:"
"""An address of a kind that nobody fetches."""


def urljoin(base: str, address: str) -> str:
    """An address as it is written on the page at ``base``, whole."""
    try:
        return urllib.parse.urljoin(base, address)
    except ValueError:
        return NOWHERE


def urlsplit(address: str) -> SplitResult:
    """The parts of an address."""
    try:
        return urllib.parse.urlsplit(address)
    except ValueError:
        return urllib.parse.urlsplit(NOWHERE)
