"""A firewall's page in place of a server's answer. It wants a browser that runs scripts, and says
nothing of what the server holds; it is not tried again (rule R17)."""

from __future__ import annotations

import re

from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from chm_hub.fetch.sniff import kind_of, page_title

_HEAD = 65_536
_TITLES = re.compile(r"just a moment|attention required|checking your browser|ddos.guard", re.I)
_MARKS = re.compile(rb"/cdn-cgi/challenge-platform|cf[-_]chl[-_]|_Incapsula_Resource|sucuri", re.I)


def is_challenge(status: int, mitigated: str, body: bytes) -> bool:
    """Whether an answer is a page that a firewall puts before a site; ``mitigated`` is its header
    ``cf-mitigated``."""
    if mitigated.strip().lower() == "challenge":
        return True
    if kind_of(body) != "html":
        return False
    head = body[:_HEAD]
    if _TITLES.search(page_title(head)):
        return True
    return status != 200 and _MARKS.search(head) is not None


def require_no_challenge(payload: Payload) -> None:
    """Raise :class:`ProtocolError` (reason ``challenge``) for a firewall's page."""
    headers = {name.lower(): value for name, value in payload.headers.items()}
    if is_challenge(payload.status, headers.get("cf-mitigated", ""), payload.body):
        raise ProtocolError(
            f"{payload.url}: a firewall wants to see a browser before it lets us in (HTTP "
            f"{payload.status}, a page titled {page_title(payload.body)!r}). This says nothing of "
            "what the source holds. Ask its contact to let the hub's User-Agent or address in.",
            reason="challenge",
        )
