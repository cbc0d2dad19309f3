"""Addresses as strangers write them, taken apart and put together: as in :mod:`urllib.parse`, but
one that is none (``http://[::1``) becomes :data:`NOWHERE` where that raises ``ValueError``.

So a link that cannot be meant is one that is not followed, and costs nobody a run (rule R7).
"""

from __future__ import annotations

import urllib.parse
from functools import lru_cache
from urllib.parse import SplitResult

import idna

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


@lru_cache(maxsize=4096)
def _host(name: str) -> str:
    """A host as the domain name system has it: in ASCII and lower case (RFC 5891)."""
    name = name.rstrip(".").lower()
    if name.isascii():
        return name
    try:
        return idna.encode(name, uts46=True).decode("ascii")
    except idna.IDNAError:
        return name


def site_of(address: str) -> str:
    """What a site is known by: its host and its port. Case, ``www.``, a final dot, the form of
    an international name, http or https, and the usual ports 80 and 443 make no other site.

    Empty for an address without a host.
    """
    parts = urlsplit(address)
    try:
        port = parts.port
    except ValueError:
        return ""
    host = _host(parts.hostname or "").removeprefix("www.")
    return host if not host or port in (None, 80, 443) else f"{host}:{port}"


def same_site(address: str, other: str) -> bool:
    """Whether two addresses are on one site (see :func:`site_of`)."""
    site = site_of(address)
    return bool(site) and site == site_of(other)
