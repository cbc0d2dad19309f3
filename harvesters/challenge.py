"""A firewall's page in place of data: told apart from an empty list and from a no.

Fetching tells such a page where what was asked for would have been accepted as neither; here it
is told where a page or its status might be an answer.
"""

from __future__ import annotations

from chm_hub.document import Payload
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch.challenge import require_no_challenge
from chm_hub.fetch.sniff import kind_of, page_title

STATUSES = (200, 403, 503)
"""What a request for something behind a firewall may accept, to see what stands in the way."""


def refuse(payload: Payload) -> Payload:
    """The answer, if it is one.

    Raises :class:`ProtocolError` (reason ``challenge``) for a firewall's page, or (reason
    ``html``) for another page with status 200, and :class:`FetchError` for another status
    that is no answer. What the caller asks for is anything but HTML.
    """
    require_no_challenge(payload)
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
