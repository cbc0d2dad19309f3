"""Where a WordPress has its pages and its API, by the addresses that it or a person gives."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlencode

ROUTES = {"path": "/wp-json/", "query": "/?rest_route=/"}
"""Where the API is: beside pages with readable addresses, or with plain ones (``?p=7``)."""
_API = re.compile(
    r"/+wp-json(?:/.*)?$|/*(?:index\.php/wp-json(?:/.*)?|(?:index\.php)?\?(?:.*&)?rest_route=.*)$",
    re.IGNORECASE | re.DOTALL,
)
_FRONT = re.compile(r"/+(?:index\.php)?$")
_OWN_FILES = re.compile(r"(https?:\\?/\\?/[^\s\"'<>]+?)\\?/wp-(?:content|includes)\\?/")


def api(base: str, route: str, path: str = "", **asked: str) -> str:
    """The address of something in the API of a portal."""
    joint = "&" if route == "query" else "?"
    return f"{base}{ROUTES[route]}{path}" + (f"{joint}{urlencode(asked)}" if asked else "")


def base_of(url: str) -> str:
    """The address of a portal, by that of its front page or of anything in its API."""
    return _FRONT.sub("", _API.sub("", unquote(url) if "rest_route" in url else url))


def route_of(url: str) -> str | None:
    """Under which of :data:`ROUTES` an address of the API is; ``None`` if it is none of it."""
    if _API.search(unquote(url)) is None:
        return None
    return "query" if "rest_route=" in url else "path"


def base_in(page: str, url: str) -> str | None:
    """The address of the portal that made a page, by where the page has its scripts and styles,
    if that is on the page's own host."""
    host = url.split("/")[2:3]
    found = (match[1].replace("\\/", "/") for match in _OWN_FILES.finditer(page))
    return next((base for base in found if base.split("/")[2:3] == host), None)
