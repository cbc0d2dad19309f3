"""What platform is at an address: at most five polite questions, then a source file's facts."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode, urlsplit

from chm_hub.document import Payload
from chm_hub.errors import FetchError, ProtocolError, SourceError
from chm_hub.fetch import Fetch, Request
from chm_hub.fetch.sniff import kind_of, page_title
from harvesters import feed, oai_pmh, xml


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What was found at an address."""

    adapter: str
    url: str
    title: str
    said: str
    options: dict[str, str] = field(default_factory=dict)


async def detect(fetch: Fetch, url: str, wanted: str | None = None) -> Found:
    """Find the platform at an address, or only its title if the adapter is ``wanted``.

    Raises :class:`SourceError` where none of the known platforms answers.
    """
    host = urlsplit(url).hostname or ""
    if wanted == "scbd" or (wanted is None and host.endswith("cbd.int")):
        realm = host.split(".")[0]
        known = {"chm": "chm", "bch": "bch", "absch": "abs", "ort": "ort"}
        return Found(
            adapter="scbd",
            url=url,
            title=f"CBD {realm}",
            said="one of the Secretariat's clearing-houses",
            options={"realm": known.get(realm, "chm")},
        )
    tried: list[str] = []
    if wanted in (None, "oai_pmh"):
        for candidate in dict.fromkeys((url.partition("?")[0], url.rstrip("/") + "/oai")):
            name = await _repository(fetch, candidate, tried)
            if name is not None:
                return Found(
                    adapter="oai_pmh", url=candidate, title=name, said="an OAI-PMH repository"
                )
    if wanted in (None, "feed"):
        for candidate in dict.fromkeys(
            (url, url.rstrip("/") + "/rss.xml", url.rstrip("/") + "/feed")
        ):
            title = await _feed(fetch, candidate, tried)
            if title is not None:
                return Found(adapter="feed", url=candidate, title=title, said="a feed")
    if wanted is not None:
        return Found(adapter=wanted, url=url, title=host, said=f"taken as {wanted} without a look")
    raise SourceError(
        f"{url}: no platform the hub knows answers there ({'; '.join(tried)}). If you know what "
        "it is, name it: --adapter oai_pmh, feed or scbd."
    )


async def _repository(fetch: Fetch, url: str, tried: list[str]) -> str | None:
    payload = await _get(fetch, f"{url}?{urlencode({'verb': 'Identify'})}", tried)
    if payload is None or kind_of(payload.body) != "xml":
        return None
    try:
        root, warnings = xml.parse(payload.body, url)
        oai_pmh.check_root(root, url, warnings)
    except ProtocolError as error:
        tried.append(error.reason)
        return None
    names = [e.text for e in root.iter() if xml.local(e.tag) == "repositoryName" and e.text]
    return " ".join((names or [urlsplit(url).hostname or url])[0].split())


async def _feed(fetch: Fetch, url: str, tried: list[str]) -> str | None:
    payload = await _get(fetch, url, tried)
    if payload is None:
        return None
    if kind_of(payload.body) == "html":
        tried.append(f"a page titled {page_title(payload.body)!r}")
        return None
    try:
        page, _ = feed.read_feed(payload)
    except ProtocolError as error:
        tried.append(error.reason)
        return None
    heads = [d.body["feed"].get("title", {}).get("value") for d in page.documents[:1]]
    return str(next((h for h in heads if h), urlsplit(url).hostname or url))


async def _get(fetch: Fetch, url: str, tried: list[str]) -> Payload | None:
    try:
        return await fetch(Request(url=url, accept=(200,)))
    except FetchError as error:
        tried.append(f"{urlsplit(url).path or '/'}: {error.reason}")
        if error.reason in ("egress", "dns", "refused", "timeout"):
            raise
        return None
