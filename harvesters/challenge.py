"""A firewall's page in place of a site's answer: told apart from an empty list and from a no.

Such a page wants a browser that runs scripts. It is not tried again (rule R17).
"""

from __future__ import annotations

import re

from chm_hub.document import Payload
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch.sniff import kind_of, page_title

STATUSES = (200, 403, 503)
"""What a request for something behind a firewall should accept, so that its page is seen."""
_HEAD = 65_536
_TITLES = re.compile(r"just a moment|attention required|checking your browser|ddos.guard", re.I)
_MARKS = re.compile(rb"/cdn-cgi/challenge-platform|cf[-_]chl[-_]|_Incapsula_Resource|sucuri", re.I)


def refuse(payload: Payload) -> Payload:
    """The answer, if it is one.

    Raises :class:`ProtocolError` (reason ``challenge``) for a firewall's page, or (reason
    ``html``) for another page with status 200, and :class:`FetchError` for another status
    that is no answer. What the caller asks for is anything but HTML.
    """
    if is_challenge(payload):
        raise ProtocolError(
            f"{payload.url}: a firewall wants to see a browser before it lets us in (HTTP "
            f"{payload.status}, a page titled {page_title(payload.body)!r}). This says nothing of "
            "what the source holds. Ask its contact to let the hub's User-Agent or address in.",
            reason="challenge",
        )
    if payload.status != 200:
        raise FetchError(
            f"{payload.url}: HTTP {payload.status}. The server does not let us in; check the "
            "source's key, or ask its contact whether harvesting is allowed.",
            reason=f"http_{payload.status}",
            status=payload.status,
        )
    if kind_of(payload.body) == "html":
        raise ProtocolError(
            f"{payload.url}: a page titled {page_title(payload.body)!r} came in place of data. "
            "Open the address in a browser: it may have moved, or a login stands before it.",
            reason="html",
        )
    return payload


def is_challenge(payload: Payload) -> bool:
    """Whether an answer is a page that a firewall puts before a site."""
    headers = {name.lower(): value for name, value in payload.headers.items()}
    if headers.get("cf-mitigated", "").strip().lower() == "challenge":
        return True
    if kind_of(payload.body) != "html":
        return False
    head = payload.body[:_HEAD]
    if _TITLES.search(page_title(head)):
        return True
    return payload.status != 200 and _MARKS.search(head) is not None
