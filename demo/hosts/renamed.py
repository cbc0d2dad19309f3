"""A site that gets another name: from its second phase on the old one redirects to the new one.

Its source keeps the old address. The pages are the same ones, so no record may go or be doubled.
"""

from __future__ import annotations

from collections.abc import Mapping

from demo.hosts import Replica, Told, Truth
from demo.hosts.sites import Site
from demo.server import Answer, Request


class Renamed(Site):
    """The site, at its new name."""

    former: FormerName

    def home(self) -> str:
        """The address the site goes by in this phase."""
        return self.url if self.former.left else self.former.url

    def sources(self) -> Mapping[str, Told]:
        """One source, declared when the site had its old name."""
        told = super().sources()[self.source]
        keys = {**told.keys, "url": f"{self.former.url}/sitemap.xml"}
        return {self.source: Told(f"{told.title}, renamed", keys, told.options)}


class FormerName:
    """The site's old name: it answers as the site, and redirects to it once that has moved."""

    url = ""

    def __init__(self, site: Renamed) -> None:
        self.site = site
        self.name = f"{site.name}-former"
        self.left = False

    def sources(self) -> Mapping[str, Told]:
        """None: the source is the site's."""
        return {}

    def truth(self) -> Mapping[str, Truth]:
        """None, as there is no source."""
        return {}

    def advance(self, phase: int, now: int) -> None:
        """The site moves in the second phase."""
        self.left = True

    def answer(self, request: Request) -> Answer:
        """What the site answers, or where it is now."""
        if not self.left:
            return self.site.answer(request)
        query = f"?{request.query}" if request.query else ""
        headers = {"Location": f"{self.site.url}{request.path}{query}"}
        return Answer(b"", "text/html", 301, headers)


def replicas(seed: int, scale: int) -> list[Replica]:
    """One site and its old name."""
    site = Renamed(seed, scale, "TN", ("ar", "fr"), style="meta", size=40, mapped=True)
    site.former = FormerName(site)
    return [site, site.former]
