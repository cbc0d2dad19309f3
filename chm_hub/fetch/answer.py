"""Between our words and Scrapy's: requests out, answers and errors in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus, urlencode

import scrapy
from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)

from chm_hub.document import Payload
from chm_hub.errors import FetchError, HubError, ProtocolError
from chm_hub.fetch import Client, Limits, Request, host_of, now
from chm_hub.fetch.bounds import HEADERS_LIMIT, TooSlowError
from chm_hub.fetch.challenge import require_no_challenge
from chm_hub.fetch.egress import EgressRefusedError, GuardedResolver
from chm_hub.fetch.sniff import came, kind_of, too_large

if TYPE_CHECKING:
    from scrapy.http import Response

HIDDEN = b"[secret]"
"""Stands where a server repeated a key."""


def translate(
    request: Request, client: Client, group: str | None, limits: Limits
) -> scrapy.Request:
    """Our request as Scrapy's."""
    headers = {**request.headers, **request.secret_headers}
    url = request.url
    if request.secret_query:
        url += ("&" if "?" in url else "?") + urlencode(request.secret_query)
    if request.has_secrets and client.excused:
        raise FetchError(
            f"{host_of(request.url)}: its certificate is not looked at (tls_exception_until), and "
            "keys are not sent where nobody knows who listens. Take the exception or the secret "
            "out of the source's file.",
            reason="certificate",
        )
    if client.excused and url.startswith("https:"):
        client.notes["certificate_not_verified"] += 1
    body = ""
    if request.form is not None:
        headers.setdefault("Content-Type", "application/x-www-form-urlencoded")
        body = urlencode(request.form)
    elif request.json is not None:
        headers.setdefault("Content-Type", "application/json")
        body = json.dumps(request.json)
    return scrapy.Request(
        url,
        method="POST" if body else "GET",
        headers=headers,
        body=body,
        dont_filter=True,
        meta={
            "client": client,
            "shown": request.url,
            **({"dont_redirect": True} if request.has_secrets else {}),
            "kinds": request.kinds,
            "tries": limits.tries,
            "decoded": limits.decoded,
            "download_maxsize": limits.wire,
            "download_timeout": limits.deadline,
            "connect": limits.connect,
            "pause": request.pause,
            "silence": limits.silence,
            "redirect_ttl": limits.redirects,
            "excused": client.excused,
            "cookiejar": id(client),
            "handle_httpstatus_all": False,
            **({"download_slot": group} if group else {}),
        },
    )


def read(response: Response, request: Request) -> Payload:
    """Scrapy's answer as ours. A server may repeat the key it was sent: that is not kept."""
    return Payload(
        url=request.url if request.has_secrets else response.url,
        status=response.status,
        headers={
            name.decode("latin-1"): _discreet(b", ".join(values), request).decode("latin-1")
            for name, values in response.headers.items()
        },
        body=_discreet(response.body, request),
        fetched=now(),
        request=response.request.body.decode() if response.request else "",
    )


def _discreet(text: bytes, request: Request) -> bytes:
    """A text without the request's secrets, as they are and as they stand in addresses."""
    for secret in (*request.secret_query.values(), *request.secret_headers.values()):
        for form in {secret, quote(secret), quote_plus(secret)} - {""}:
            text = text.replace(form.encode(), HIDDEN)
    return text


def check(payload: Payload, request: Request) -> None:
    """Raise the error that an answer amounts to, if it is none that was asked for."""
    url = payload.url
    if payload.status not in request.accept:
        require_no_challenge(payload)
        raise FetchError(
            f"{url}: HTTP {payload.status}. {_advice(payload.status)}",
            reason=f"http_{payload.status}",
            status=payload.status,
        )
    if request.kinds and payload.status == 200:
        kind = kind_of(payload.body)
        if kind not in request.kinds:
            require_no_challenge(payload)
            raise ProtocolError(
                f"{url}: {came(payload.body)} came in place of "
                f"{' or '.join(request.kinds).upper()}. Open the address in a browser: it may have "
                "moved, or a login or a firewall stands before it.",
                reason=kind,
            )


def moved(response: Response) -> tuple[str, str] | None:
    """From where to where a server says a thing has moved for good (RFC 9110 §15.4.2, §15.4.9);
    ``None`` if it does not, or if the new address differs in more than what stands before the
    query."""
    meta = response.meta
    reasons = meta.get("redirect_reasons") or []
    if not reasons or any(reason not in (301, 308) for reason in reasons):
        return None
    old, _, asked = meta["redirect_urls"][0].partition("?")
    new, _, answered = response.url.partition("?")
    return (old, new) if asked == answered else None


def explain(error: Exception, request: Request, limits: Limits) -> Exception:
    """The error of ours that one of Scrapy's amounts to."""
    host = host_of(request.url)
    match error:
        case HubError():
            return error
        case CannotResolveHostError():
            for name, why in GuardedResolver.refused.items():
                if name in str(error) or name == host:
                    return EgressRefusedError(name, why)
            return FetchError(
                f"{host}: no such host. Check the address in the source's file; the portal may "
                "have moved.",
                reason="dns",
            )
        case DownloadConnectionRefusedError():
            return FetchError(
                f"{host}: refuses connections ({request.url}). The server may be down; the next "
                "run will try again.",
                reason="refused",
            )
        case TooSlowError():
            return FetchError(
                f"{host}: silent for {limits.silence:.0f} s, or as good as silent "
                f"({request.url}). The next run will try again; `silence` in the source's "
                "[options] is for servers that think for long.",
                reason="silent",
            )
        case DownloadTimeoutError():
            return FetchError(
                f"{host}: no complete answer in time ({request.url}). Ask for smaller pages, or "
                "raise `deadline` in the source's [options].",
                reason="timeout",
            )
        case ResponseDataLossError():
            return FetchError(
                f"{host}: the answer was cut short each time it was tried ({request.url}). The "
                "server or something between is at fault; the next run will try again.",
                reason="truncated",
            )
        case DownloadCancelledError():
            return too_large(request.url, limits.wire, "over the wire")
        case IgnoreRequest() if "redirection" in str(error):
            return FetchError(
                f"{request.url}: redirects without end. Check the address in the source's file.",
                reason="redirects",
            )
    said = _discreet(_reason(error).encode(), request).decode("utf-8", "replace")
    if "HeadersTooLong" in repr(getattr(error.__cause__, "reasons", "")):
        return too_large(request.url, HEADERS_LIMIT, "of headers")
    if "certificate" in said.lower():
        return FetchError(
            f"{host}: its certificate is not to be trusted ({said}). Nothing was fetched; tell the "
            "portal's contact.",
            reason="certificate",
        )
    return FetchError(f"{request.url}: {said}. The next run will try again.", reason="lost")


def _reason(error: Any) -> str:
    # Twisted wraps what happened in lists of failures; the last one is what a person wants.
    reasons = getattr(error.__cause__, "reasons", None)
    if reasons:
        return "; ".join(str(reason.value) for reason in reasons)[:200]
    return str(error)[:200] or type(error).__name__


def _advice(status: int) -> str:
    if 300 <= status < 400:
        return "Put the address it leads to into the source's file: keys are not sent elsewhere."
    if status in (401, 403):
        return "The server does not let us in; ask its contact whether harvesting is allowed."
    if status in (404, 410):
        return "There is nothing at this address (any more); check the source's file."
    if status >= 500:
        return "The server has a fault of its own; the next run will try again."
    return "Check the address and options of the source."
