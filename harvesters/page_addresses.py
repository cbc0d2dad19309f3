"""The addresses of a site's pages: how they are asked for, and what they have in common.

Pure functions; which of two addresses are one page is decided in ``page_names``.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, unquote_to_bytes, urlencode, urlunsplit

from w3lib.url import safe_url_string

from chm_hub.addresses import urlsplit

_NOISE = re.compile(r"(^|_)(utm_\w+|fbclid|gclid|phpsessid|jsessionid|sid|session\w*|print)$", re.I)
_MARK = re.compile(r"(^|_)(utm_\w+|fbclid|gclid|phpsessid|jsessionid)$", re.I)
"""Arguments that never part pages."""
_SUSPICIOUS = re.compile(r"(^|_)(sid|session\w*|print)$", re.I)
"""Arguments that part pages on some sites and not on others."""
_SESSION = re.compile(r";jsessionid=[^/?#]*", re.I)
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


def asked(url: str) -> str:
    """An address as it is fetched: as it is written, without fragment and the marks of campaigns
    and sessions that never part pages."""
    parts = urlsplit(url)
    path = _SESSION.sub("", parts.path) or "/"
    return urlunsplit((parts.scheme, parts.netloc, path, _without_marks(parts.query), ""))


def exact(url: str) -> str:
    """A page's own name: path and arguments as they are written."""
    parts = urlsplit(asked(url))
    name = f"{parts.path}?{parts.query}" if parts.query else parts.path
    # The two ways to write one address (RFC 3986 §6.2.2.1), and letters beyond ASCII.
    made = safe_url_string(name.encode("utf-8", "replace").decode())
    return _ESCAPE.sub(lambda found: found[0].upper(), made)


def canonical(url: str, *, careful: bool = False) -> str:
    """An address without fragment, session and campaign, its arguments in order and encoded
    anew. ``careful`` keeps the fragment, and arguments such as ``sid``."""
    parts = urlsplit(url)
    noise = _MARK if careful else _NOISE
    query = sorted((k, v) for k, v in parse_qsl(parts.query, True) if not noise.search(k))
    path = _SESSION.sub("", parts.path) or "/"
    fragment = parts.fragment if careful else ""
    return urlunsplit((parts.scheme, parts.netloc, path, urlencode(query), fragment))


def reduced(url: str) -> str:
    """The short name of a page: path and arguments, without what looks like a session or a
    print version, in one order and one encoding. Pages may share it."""
    parts = urlsplit(canonical(url))
    path = parts.path if parts.path == "/" else parts.path.rstrip("/")
    return f"{path}?{parts.query}" if parts.query else path


def reductions(url: str) -> frozenset[str]:
    """In what the reduced name differs from the page's own: names of arguments that are left
    out, ``bytes`` that cannot be decoded, ``form`` (a slash at the end, the order of arguments,
    how they are encoded)."""
    own, short = exact(url), reduced(url)
    if own == short:
        return frozenset()
    query = urlsplit(own).query
    keys = [part.partition("=")[0] for part in query.split("&") if part]
    found = {key.lower() for key in keys if _SUSPICIOUS.search(key)}
    try:
        unquote_to_bytes(query.replace("+", " ")).decode()
    except UnicodeDecodeError:
        found.add("bytes")
    return frozenset(found or {"form"})


def _without_marks(query: str) -> str:
    kept = [part for part in query.split("&") if not _MARK.search(part.partition("=")[0])]
    return "&".join(kept)
