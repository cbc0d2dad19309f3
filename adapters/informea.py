"""InforMEA's hub and the services of the agreements it gathers. See ``docs/adapters/informea.md``.

All speak OData with the same entity sets, in four versions and many spellings; what a version
wraps around an entry the harvester takes off, the spellings are evened out here
(:func:`shaped`), so that crosswalks see one shape.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Json, Page, Payload, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch
from harvesters import odata, odata_answers

CROSSWALK = "informea"
DELETIONS = "absence"
INCREMENTAL = True

Entity = Literal[
    "Decisions",
    "Meetings",
    "Contacts",
    "CountryReports",
    "NationalPlans",
    "Sites",
    "Documents",
    "Treaties",
    "CountryProfiles",
]
EXPAND: dict[str, tuple[str, ...]] = {
    "Decisions": ("title", "longTitle", "summary", "content", "keywords", "files"),
    "Meetings": ("title", "description"),
    "Contacts": ("treaties",),
    "CountryReports": ("title", "files"),
    "NationalPlans": ("title", "files"),
    "Sites": ("name",),
    "Documents": (
        "authors",
        "types",
        "treaties",
        "title",
        "tags",
        "referenceToEntities",
        "keywords",
        "identifiers",
        "files",
        "description",
    ),
    "Treaties": ("title", "description"),
    "CountryProfiles": (),
}
"""Properties that are left out of an entry unless they are asked for."""
ORDER = "updated desc,id"
_IDENTIFIERS = (("id",), ("Id",), ("uuid",))
_PROFILE = (("treaty", "country"),)
"""A country's profile has no identifier of its own."""

_TEXTS = ("title", "longTitle", "summary", "content", "description", "name")
_WORDS = {"treaties": ("treaty", "value", "id"), "types": ("value", "type")}
"""Lists of words that come as lists of objects, and the keys that hold the word."""
_PUBLIC = (
    "id",
    "treaties",
    "country",
    "type",
    "position",
    "institution",
    "department",
    "primary",
    "roles",
    "updated",
)
"""What is taken of a contact: the office. Who holds it, and how to reach them, is not."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    entity: Entity
    """The entity set; a source each."""
    dialect: Literal["auto", "v1", "v2", "v3", "v4", "atom", "list"] = "auto"
    """How the service wants to be asked; what comes is read as what it is. ``auto`` begins with
    version 2 and goes by the answer; ``list`` is InforMEA's API for Drupal."""
    expand: list[str] | None = None
    """Properties to ask for within each entry; those that the entity set usually needs."""
    order: str = ORDER
    """The order asked for; empty for none."""
    top: Annotated[int, Field(ge=1, le=1000)] = 100
    """Entries in one answer."""
    paged: bool = True
    """Ask page by page; without, for the whole list at once."""
    incremental: bool = True
    """Ask for what changed where the service shows that it can be asked."""
    contacts: bool = False
    """Must be set for ``Contacts``, which are of persons; only their offices are taken."""

    def __post_init__(self) -> None:
        if self.entity == "Contacts" and not self.contacts:
            raise ValueError(
                "Contacts hold personal data; `contacts = true` says that their offices are wanted"
            )


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The entries of one entity set."""
    base = source.declared.url.rstrip("/").removesuffix(f"/{options.entity}")
    profile = options.entity == "CountryProfiles"
    wanted = EXPAND[options.entity] if options.expand is None else tuple(options.expand)
    query = odata.Query(
        url=f"{base}/{options.entity}",
        expand=wanted,
        order="" if profile and options.order == ORDER else options.order,
        top=options.top,
        paged=options.paged,
        dialect=options.dialect,
        identifiers=_PROFILE if profile else _IDENTIFIERS,
        incremental=options.incremental,
    )
    asks = source.deletions == "absence"
    steps = odata.harvest(fetch, walk, query, partial(_body, options.entity), ask_for_missing=asks)
    async for page in steps:
        yield _without_persons(page) if options.entity == "Contacts" else page


def _body(entity: str, entry: dict[str, Json]) -> Json:
    return {"entity": entity, "entry": shaped(entity, entry)}


def shaped(entity: str, entry: dict[str, Json]) -> dict[str, Json]:
    """A plain entry in the one shape that crosswalks read.

    Texts are lists of ``{language, value}``, ``files`` lists of ``{url, language, filename,
    mimeType}``, ``keywords`` lists of ``{term, uri}``, ``treaties`` and ``types`` lists of
    words; anything else is as it came. Of a contact only the office is left.
    """
    made: dict[str, Json] = {}
    for key, value in entry.items():
        if entity == "Contacts" and key not in _PUBLIC:
            continue
        read = _READERS.get(key)
        made[key] = value if read is None else read(value)
    return made


def texts(value: Json) -> list[Json]:
    """Texts as ``{language, value}``, of a list of them, of an object of languages or of a
    string; empty ones are left out."""
    if isinstance(value, str):
        return [{"value": value}] if value.strip() else []
    found: list[Json] = []
    if isinstance(value, list):
        for item in value:
            said = item.get("value") if isinstance(item, dict) else None
            if isinstance(said, str) and said.strip():
                lang = item.get("language")
                found.append({"language": lang, "value": said} if lang else {"value": said})
            elif not isinstance(item, dict):
                found += texts(item)
    elif isinstance(value, dict):
        if isinstance(value.get("value"), str):
            return texts([value])
        for lang, part in value.items():
            for text in texts(part):
                found.append({"language": lang, "value": text["value"]})
    return found


def files(value: Json) -> list[Json]:
    """Files as ``{url, language, filename, mimeType}``, of a list or of an object of
    languages. The text within a file, which some services send along, is left out."""
    found: list[Json] = []
    if isinstance(value, dict) and "url" not in value:
        for lang, part in value.items():
            found += [{"language": lang, **file} for file in files(part)]
        return found
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            item = {"url": item}
        if not isinstance(item, dict) or not item.get("url"):
            continue
        told = {
            "url": item["url"],
            "language": item.get("language"),
            "filename": item.get("filename") or item.get("fileName"),
            "mimeType": item.get("mimeType") or item.get("filemime"),
        }
        found.append({key: part for key, part in told.items() if part})
    return found


def keywords(value: Json) -> list[Json]:
    """Keywords as ``{term, uri}``, whatever a service calls the two."""
    found: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            item = {"term": item}
        if not isinstance(item, dict):
            continue
        term = item.get("term") or item.get("literalForm") or item.get("label")
        uri = item.get("uri") or item.get("termURI") or item.get("url")
        if isinstance(term, str) and term.strip():
            found.append({"term": term, **({"uri": uri} if isinstance(uri, str) and uri else {})})
    return found


def _words(keys: tuple[str, ...], value: Json) -> list[Json]:
    found: list[Json] = []
    for item in value if isinstance(value, list) else [value]:
        word = (
            next((item[k] for k in keys if item.get(k)), None) if isinstance(item, dict) else item
        )
        if word not in (None, ""):
            found.append(word)
    return found


_READERS: dict[str, Callable[[Json], Json]] = {
    **dict.fromkeys(_TEXTS, texts),
    **{key: partial(_words, keys) for key, keys in _WORDS.items()},
    "files": files,
    "keywords": keywords,
}


def _without_persons(page: Page) -> Page:
    """A page of contacts whose answers are kept without what is of the persons."""
    return replace(
        page,
        payloads=[_office(payload) for payload in page.payloads],
        rejects=[Reject(reason=r.reason, identifier=r.identifier) for r in page.rejects],
    )


def _office(payload: Payload) -> Payload:
    if payload.status != 200:
        return payload
    try:
        entries = odata_answers.read(payload).entries
    except ProtocolError:
        entries = []
    body = json.dumps({"value": [shaped("Contacts", entry) for entry in entries]})
    headers = {"Content-Type": "application/json"}
    return replace(payload, body=body.encode(), headers=headers)
