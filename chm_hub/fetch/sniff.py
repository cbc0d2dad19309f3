"""A look at what came, before anything parses it: unpack it, and see what kind it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from scrapy.downloadermiddlewares.httpcompression import HttpCompressionMiddleware
from scrapy.utils._compression import _DecompressionMaxSizeExceeded
from scrapy.utils.gz import gunzip

from chm_hub.errors import FetchError
from chm_hub.fetch.surrounded import holds_json

if TYPE_CHECKING:
    from scrapy.http import Request, Response

_HEAD = 2048
_TAIL = 65_536
_ROOT = re.compile(rb"<([A-Za-z_][\w.:-]*)")
_TITLE = re.compile(rb"<title[^>]*>(.*?)</title", re.IGNORECASE | re.DOTALL)
_DECLARATIONS = re.compile(rb"\s*(<\?xml[^>]*\?>|<!--.*?-->|<\?[^>]*\?>|\s)*", re.DOTALL)
_DOCUMENT = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*<\?xml[^>]*\?>(?:\s|<!--.*?-->|<\?[^>]*\?>)*<([\w.:-]+)", re.DOTALL
)
"""A document that says that it is XML."""
_FRAGMENT = re.compile(rb"<(?:br|b|p|div|pre|font|table|strong|span|code|h\d)\b")
"""How a notice of PHP begins, and no document in XML."""
_BOMS = ((b"\xef\xbb\xbf", "utf-8"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"))


def kind_of(body: bytes) -> str:
    """What a body is by its first bytes: ``xml``, ``html``, ``json``, ``text`` or ``empty``.

    A page in XHTML is ``html`` however well-formed it is; a body with something before its
    first element is what that element makes it; a whole value of JSON with a notice before it is
    ``json``.
    """
    head = body[:_HEAD]
    for bom, encoding in _BOMS:
        while head.startswith(bom):
            head = head[len(bom) :].decode(encoding, "ignore").encode()
    head = head.replace(b"\0", b"")
    matched = _DECLARATIONS.match(head)
    rest = head[matched.end() if matched else 0 :].lstrip().lower()
    if not rest and not head.strip():
        return "empty" if not body.strip() else "text"
    if rest.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if rest.startswith((b"{", b"[")):
        return "json"
    if b"<html" in rest[:1024] and b"<?xml" not in head:
        return "html"
    may_be_noise = b"<?xml" not in head and (_FRAGMENT.match(rest) or not rest.startswith(b"<"))
    if may_be_noise and holds_json(body):
        return "json"
    if rest.startswith(b"<") or b"<?xml" in head or re.search(rb"<[a-z][\w:-]*[\s>]", rest):
        return "xml"
    return "text"


def is_whole(body: bytes) -> bool:
    """Whether a body of XML or JSON has an end, as far as its last bytes tell: a root element
    that is closed, a value whose bracket is. True of anything else."""
    tail = body[-_TAIL:].replace(b"\0", b"").rstrip()
    match kind_of(body):
        case "json":
            return tail.endswith((b"}", b"]")) or holds_json(body)
        case "xml":
            root = _ROOT.search(body[:_TAIL].replace(b"\0", b""))
            # A root without content closes itself.
            return root is None or b"</" + root[1] in tail or tail.endswith(b"/>")
    return True


def page_title(body: bytes) -> str:
    """The title of an HTML page, for messages; empty if it has none."""
    found = _TITLE.search(body[:65536])
    return " ".join(found[1].decode("utf-8", "replace").split())[:100] if found else ""


def came(body: bytes) -> str:
    """What came, in words, for a message that says it in place of what was asked for.

    Names the kind only where the first bytes are certain of it: a notice of PHP looks like XML, and
    a broken JSON text like none. Then its beginning says more than a name.
    """
    kind = kind_of(body)
    if kind == "empty":
        return "an empty answer"
    title = page_title(body) if kind == "html" else ""
    if title:
        return f"a page titled {title!r}"
    beginning = " ".join(body[:_HEAD].decode("utf-8", "replace").replace("\0", "").split())[:80]
    named = {"html": "a page (HTML)", "json": "JSON"}.get(kind, "something else")
    if kind == "xml" and (root := _DOCUMENT.match(body[:_HEAD])):
        named = f"XML (its root is {root[1].decode()})"
    return f"{named}, which begins {beginning!r},"


class Unpacking(HttpCompressionMiddleware):
    """Removes content encodings, declared or not, up to the limit on decoded bytes."""

    def process_response(self, request: Request, response: Response) -> Request | Response:  # type: ignore[override]
        """Hand on the answer unpacked; raises :class:`FetchError` at the limit."""
        limit = request.meta["decoded"]
        body, headers = response.body, response.headers.copy()
        try:
            if declared := headers.getlist(b"Content-Encoding"):
                body, kept = self._handle_encoding(body, declared, limit)
                del headers[b"Content-Encoding"]
                if kept:
                    headers.setlist(b"Content-Encoding", kept)
            if body.startswith(b"\x1f\x8b\x08"):  # packed without saying so
                body = gunzip(body, max_size=limit)
                headers[b"X-Unpacked"] = b"gzip"
        except _DecompressionMaxSizeExceeded as error:
            raise too_large(request.meta["shown"], limit, "unpacked") from error
        except (OSError, EOFError, ValueError) as error:
            raise FetchError(
                f"{request.meta['shown']}: the body cannot be unpacked ({error}). The server is "
                "at fault; tell its contact if it lasts.",
                reason="encoding",
            ) from error
        if len(body) > limit:
            raise too_large(request.meta["shown"], limit, "unpacked")
        if body is response.body:
            return response
        return response.replace(body=body, headers=headers)


def too_large(url: str, limit: int, how: str) -> FetchError:
    """The error for a body over a limit."""
    return FetchError(
        f"{url}: the answer has more than {_size(limit)} {how} and was cut off. Ask for "
        "smaller pages, or raise the limit in the source's [options].",
        reason="too_large",
    )


def _size(limit: int) -> str:
    return f"{limit // 2**20} MiB" if limit >= 2**20 else f"{limit // 1024} KiB"
