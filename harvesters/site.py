"""The names one site goes by: that of its address, and those that its own server sends us to."""

from __future__ import annotations

from urllib.parse import urlunsplit

from chm_hub.addresses import same_site, site_of, urljoin, urlsplit
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request


class Site:
    """One site. A server that redirects an address of the site to another host says that the
    site goes by that name too: its pages there belong to the source."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._names = {site_of(url)}
        self._new: list[str] = []
        self._moved_to: str | None = None

    def holds(self, address: str) -> bool:
        """Whether an address belongs to the site."""
        return site_of(address) in self._names

    def follow(self, asked: str, answered: str) -> None:
        """Take the host that an address of the site was redirected to for a name of the site."""
        if self.holds(asked) and not self.holds(answered) and site_of(answered):
            self._names.add(site_of(answered))
            self._new.append(answered)
            self._moved_to = answered

    async def look(self, fetch: Fetch) -> None:
        """Ask the home page under which name it answers. A home page that cannot be had tells
        nothing."""
        home = urljoin(self._url, "/")
        try:
            payload = await fetch(Request(url=home, kinds=("html", "xml")))
        except (FetchError, ProtocolError):
            return
        self.follow(home, payload.url)

    def new(self) -> list[str]:
        """An address under each name that was found since the last call."""
        new, self._new = self._new, []
        return new

    def here(self, address: str) -> str:
        """An address of the site under the name that it answers to now."""
        if self._moved_to is None or same_site(address, self._moved_to):
            return address
        parts, now = urlsplit(address), urlsplit(self._moved_to)
        return urlunsplit((now.scheme, now.netloc, parts.path, parts.query, ""))
