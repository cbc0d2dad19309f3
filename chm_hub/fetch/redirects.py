"""Redirects: a question that was posted is posted again at the new address.

RFC 9110 §15.4.2 and §15.4.3 let a client turn a POST into a GET at 301 and 302, and Scrapy does.
The form would be lost with it: an OAI-PMH repository then sees a request without a verb. Only 303
asks for a GET (§15.4.4); 307 and 308 keep the method for every client.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.redirect import RedirectMiddleware
from scrapy.http import Request

if TYPE_CHECKING:
    from scrapy import Spider
    from scrapy.http import Response

_KEPT = frozenset({301, 302})


class KeepsTheForm(RedirectMiddleware):
    """Scrapy's redirects, with the method and the body of a POST kept at 301 and 302."""

    def process_response(
        self, request: Request, response: Response, spider: Spider | None = None
    ) -> Request | Response:
        """The request to send next, or the answer where there is none."""
        led: Request | Response = super().process_response(request, response)
        if isinstance(led, Request) and request.method == "POST" and response.status in _KEPT:
            kept = led.replace(method="POST", body=request.body)
            if (kind := request.headers.get("Content-Type")) is not None:
                kept.headers["Content-Type"] = kind
            return kept
        return led
