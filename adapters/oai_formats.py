"""Which format to ask a repository for: the richest it offers that a crosswalk reads.

A repository tells its formats by a prefix of its own and a namespace (OAI-PMH 2.0 §4.4).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from harvesters import xml
from mappings import crosswalk as crosswalks

Probe = Callable[[str], Awaitable[Payload | None]]
"""Asks one address; ``None`` where nothing usable answers."""

RICHEST = (
    "eml",
    "iso19139",
    "dspace",
    "datacite",
    "oai_openaire",
    "ddi",
    "lido",
    "mods",
    "oai_dcterms",
    "marc21",
    "oai_doaj",
    "arxiv",
    "etdms",
    "cmdi",
    "oai_dc",
)
"""Crosswalks by how much of a record they fill. What a program keeps in a model of its own (DSpace)
comes before what it converts that to."""
_PREFERRED = ("xoai", "arXiv")
"""Of two formats with one crosswalk: the one that says more."""
_ENVELOPES = {"http://schema.datacite.org/oai/": "datacite"}
"""Namespaces of envelopes that are opened (:mod:`harvesters.wrapped`), as they begin."""


@dataclass(frozen=True, slots=True)
class Format:
    """A format that a repository offers: its prefix, its namespace, the crosswalk that reads it."""

    prefix: str
    namespace: str
    crosswalk: str | None


def offered(root: xml.Element) -> list[Format]:
    """The formats in an answer to ListMetadataFormats, in its order."""
    made = []
    for element in root.iter():
        if xml.local(element.tag) != "metadataFormat":
            continue
        parts = {xml.local(child.tag): (child.text or "").strip() for child in element}
        if prefix := parts.get("metadataPrefix"):
            namespace = parts.get("metadataNamespace", "")
            made.append(Format(prefix, namespace, _crosswalk(namespace)))
    return made


def _crosswalk(namespace: str) -> str | None:
    for beginning, name in _ENVELOPES.items():
        if namespace.startswith(beginning):
            return name
    chosen = crosswalks.choice_of(crosswalks.load("oai"), namespace)
    return None if chosen is None else chosen.name


def richest(formats: Sequence[Format]) -> Format | None:
    """The format to ask for; ``None`` where no crosswalk knows any of them."""
    known = [one for one in formats if one.crosswalk in RICHEST]
    return min(
        known,
        key=lambda one: (RICHEST.index(one.crosswalk or ""), one.prefix not in _PREFERRED),
        default=None,
    )


@dataclass(frozen=True, slots=True)
class Offer:
    """What a repository says of itself: its name, what to ask it for, and that in words."""

    title: str | None
    prefix: str | None
    said: str


async def look(url: str, probe: Probe) -> Offer:
    """What the repository at an address calls itself (Identify), and the format to ask for
    (ListMetadataFormats). Where it offers none that a crosswalk knows, its first."""
    root = await _ask(url, "Identify", probe)
    title = next(iter([] if root is None else _texts(root, "repositoryName")), None)
    root = await _ask(url, "ListMetadataFormats", probe)
    formats = [] if root is None else offered(root)
    if not formats:
        return Offer(title, None, "it did not say which formats it offers")
    best = richest(formats)
    prefixes = ", ".join(one.prefix for one in formats)
    if best is None:
        return Offer(title, formats[0].prefix, f"it offers {prefixes}; no crosswalk knows any")
    said = f"it offers {prefixes}; taken: {best.prefix}, read by the crosswalk {best.crosswalk}"
    return Offer(title, best.prefix, said)


async def _ask(url: str, verb: str, probe: Probe) -> xml.Element | None:
    joint = "&" if "?" in url else "?"
    payload = await probe(f"{url}{joint}{urlencode({'verb': verb})}")
    if payload is None:
        return None
    try:
        return xml.parse(payload.body, payload.url)[0]
    except ProtocolError:
        return None


def _texts(root: xml.Element, name: str) -> list[str]:
    found = (element.text or "" for element in root.iter() if xml.local(element.tag) == name)
    return [" ".join(text.split()) for text in found if text.strip()]
