"""Bioland, the Secretariat's tool for national CHM sites. See ``docs/adapters/bioland.md``.

Two generations are met. The second keeps everything in one node type, told apart by a term
(``field_type_placement``), and prefixes every language; the first has a node type for each
kind and prefixes all languages but its own.

How nodes and their languages are put together is told in :mod:`harvesters.drupal_nodes`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal
from urllib.parse import quote

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Json, Page, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import drupal_jsonapi as jsonapi
from harvesters import drupal_nodes, jsons, robots

CROSSWALK = "bioland"
DELETIONS = "absence"
INCREMENTAL = True

CONTENT = (2, 3, 4, 5, 8, 9, 10, 11, 12, 15, 44, 45, 46, 47, 48, 49, 54, 55)
"""Types (``tid``) of content. 44 to 55 but for 54 are Biosafety Land's."""
PLAIN_PAGES = (6, 13, 16, 43)
"""Basic pages, related websites, images and videos, frequent questions."""
PERSONAL = (50,)
"""Contacts."""
BUNDLES = ("document", "news", "event", "project", "organization", "national_target", "article")
"""Node types of the first generation; ``document`` comes first, it tells the generation."""
PLAIN_BUNDLES = ("link",)

INCLUDE = ",".join(
    (
        "field_type_placement",
        "field_attachments",
        "field_attachments.field_media_image",
        "field_attachments.field_media_document",
    )
)
_TO_DRUPAL: Mapping[str, str] = {"zh": "zh-hans", "tl": "fil"}
"""Languages that the site's front and Drupal call differently."""
_TO_FRONT: Mapping[str, str] = {"zh-hans": "zh"}


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    generation: Literal["auto", 1, 2] = "auto"
    """The generation of the site's software."""
    types: list[int | str] = field(default_factory=list)
    """What is taken: type numbers, node types of the first generation; empty for all content."""
    plain_pages: bool = False
    """Also take basic pages, related websites, images and videos, and frequent questions."""
    copies: Literal["mark", "skip"] = "mark"
    """What becomes of copies of records of the central clearing-house."""
    locales: list[str] = field(default_factory=list)
    """Languages to read, the site's own first; those of the source if empty."""
    limit: Annotated[int, Field(ge=1, le=50)] = jsonapi.LIMIT
    """Nodes in one answer; Drupal gives 50 at most."""
    max_pages: Annotated[int, Field(ge=1)] = 500
    """How many pages one list may have."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a site.

    Raises :class:`ProtocolError` with the reason ``unpublished`` where robots.txt closes the
    site, which is how Bioland hides one, and ``no_jsonapi`` where nothing is to be read by
    programs.
    """
    door = _Door(source, options, fetch, walk)
    site, kinds = await door.open()
    async for page in site.harvest(kinds):
        yield page


class _Door:
    """The way into a site: whether it is open, which generation it is, and what it has."""

    def __init__(self, source: Source, options: Options, fetch: Fetch, walk: Walk) -> None:
        self.base = source.declared.url.partition("?")[0].rstrip("/")
        self.options = options
        self.fetch = fetch
        self.walk = walk
        declared = options.locales or source.declared.languages or ["en"]
        # xx-lolspeak and en-x-lolspeak are languages of developers.
        self.languages = [tag for tag in declared if "lolspeak" not in tag.lower()] or ["en"]
        self.refused = False

    async def open(self) -> tuple[drupal_nodes.Site, list[drupal_nodes.Kind]]:
        """The site, and what is to be read of it."""
        options, walk = self.options, self.walk
        rules = await robots.read(self.fetch, self.base)
        self.fetch = rules.slowed(self.fetch)
        if not rules.allows(self.base + "/"):
            raise ProtocolError(
                f"{self.base}: the site is not published: its robots.txt closes it to everyone. "
                "What is held stays as it is; ask the site's contact, or disable the source.",
                reason="unpublished",
            )
        rules.require(f"{self.base}/{_code(self.languages[0])}/jsonapi/node/content")
        # Between whole walks a site stays what it was.
        memory = walk.memory if walk.since is not None else {}
        generation = options.generation
        if generation == "auto" and memory.get("generation") in (1, 2):
            generation = memory["generation"]
        tids = memory.get("types") if generation == 2 else None
        if generation != 1 and not isinstance(tids, list):
            tids = await self._terms(must=generation == 2)
        generation = 1 if tids is None else 2
        walk.learned["generation"], walk.learned["types"] = generation, tids
        site = drupal_nodes.Site(
            fetch=self.fetch,
            walk=walk,
            base=self.base,
            locales=self._locales(generation),
            limit=options.limit,
            most=options.max_pages,
            names=_TO_FRONT,
        )
        if tids is None:
            kinds = await self._bundles(memory.get("include"))
            site.refused = self.refused
            return site, kinds
        types = self._types(tids)
        site.wanted = lambda row: _takes(types, row)
        return site, [_content(types)]

    async def _terms(self, *, must: bool) -> list[int] | None:
        """The numbers of a second-generation site's types; ``None`` for another site."""
        url = f"{self.base}/{_code(self.languages[0])}/jsonapi/taxonomy_term/tags?jsonapi_include=1"
        terms = jsonapi.Collection(fetch=self.fetch, url=url)
        tids: list[int] = []
        known = self.walk.memory.get("generation") == 2 and self.options.generation == "auto"
        try:
            async for listing in terms.pages():
                tids += [tid for row in listing.rows for tid in _tids(row)]
        except (FetchError, ProtocolError) as error:
            refused = isinstance(error, jsonapi.RefusedError) and error.status in (403, 404, 405)
            other = refused or error.reason in ("http_404", "http_410", "html", "no_list")
            if must or known or not other:
                raise
        if {2, 3} <= set(tids):
            return sorted(set(tids))
        if must or known:
            raise ProtocolError(
                f"{url}: the terms for news and events are not there, so it is not the Bioland "
                "that this source was known to be. Look at the site, then set `generation`.",
                reason="no_jsonapi",
            )
        return None

    def _types(self, tids: list[int]) -> frozenset[int]:
        """The types to be taken."""
        for tid in sorted(set(tids) - {*CONTENT, *PLAIN_PAGES, *PERSONAL}):
            self.walk.warnings[f"unknown_type: {tid}"] += 1
        named = {int(name) for name in self.options.types if str(name).isdecimal()}
        usual = {*CONTENT, *(PLAIN_PAGES if self.options.plain_pages else ())}
        wanted = named or usual
        return frozenset(wanted & set(tids) or wanted)

    def _locales(self, generation: int) -> list[drupal_nodes.Locale]:
        """The site's languages; the first generation has no prefix for its own."""
        made: dict[str, drupal_nodes.Locale] = {}
        for tag in self.languages:
            code = _code(tag)
            front = _TO_FRONT.get(code, tag.lower())
            bare = generation == 1 and not made
            made.setdefault(
                code,
                drupal_nodes.Locale(
                    tag=front,
                    code=code,
                    api="" if bare else f"/{code}",
                    page="" if bare else f"/{code if generation == 1 else front}",
                ),
            )
        return list(made.values())

    async def _bundles(self, known: Json) -> list[drupal_nodes.Kind]:
        """The node types of a first-generation site, and what is sent along with each."""
        include: dict[str, str] = {}
        if isinstance(known, dict):
            include = {str(bundle): str(names) for bundle, names in known.items()}
        named = [str(name) for name in self.options.types]
        usual = [*BUNDLES, *(PLAIN_BUNDLES if self.options.plain_pages else ())]
        silent = 0
        for bundle in [] if include else named or usual:
            url = f"{self.base}/jsonapi/node/{quote(bundle)}?page%5Blimit%5D={self.options.limit}"
            try:
                listing = await jsonapi.read_list(self.fetch, url)
            except jsonapi.RefusedError as error:
                if error.status not in (403, 404, 410):
                    raise
                if error.status == 403:
                    self._refuse(bundle)
                continue  # not every site has every node type
            except (FetchError, ProtocolError) as error:
                if error.reason not in ("http_403", "http_404", "http_410", "html", "no_list"):
                    raise
                if error.reason == "http_403":
                    self._refuse(bundle)
                silent += 1
                if silent > 1 and not include:
                    break
                continue
            include[bundle] = ",".join(jsonapi.include_for(listing.rows))
        if not include:
            raise ProtocolError(
                f"{self.base}: neither generation of Bioland answers in the language "
                f"{self.languages[0]}: JSON:API is switched off, or the source's first language "
                "is not the site's own. For a site without it use the adapter `sitemap` (with "
                "/sitemap.xml) or `html`.",
                reason="no_jsonapi",
            )
        self.walk.learned["include"] = include
        return [
            drupal_nodes.Kind(
                name=bundle,
                path=f"/jsonapi/node/{quote(bundle)}",
                shape=(("include", names),) if names else (),
                extra={"generation": 1},
            )
            for bundle, names in include.items()
        ]

    def _refuse(self, bundle: str) -> None:
        """Note a node type that we may not see."""
        self.refused = True
        self.walk.warnings[f"bundle_refused: {bundle}"] += 1


def _content(types: frozenset[int]) -> drupal_nodes.Kind:
    """The one collection of the second generation.

    The types are asked for and not sorted out here: contacts of persons are not even fetched.
    """
    condition = "filter[type][condition]"
    return drupal_nodes.Kind(
        name="content",
        path="/jsonapi/node/content",
        shape=(("jsonapi_include", "1"), ("include", INCLUDE)),
        choice=(
            (f"{condition}[path]", "field_type_placement.drupal_internal__tid"),
            (f"{condition}[operator]", "IN"),
            *((f"{condition}[value][]", str(tid)) for tid in sorted(types)),
        ),
        extra={"generation": 2},
    )


def _takes(types: frozenset[int], row: Mapping[str, Json]) -> bool:
    tids = _tids(row.get("field_type_placement"))
    return not types.isdisjoint(tids) and not (set(PERSONAL) - types).intersection(tids)


def _tids(terms: Json) -> list[int]:
    """The numbers of terms: one or a list of them, sent along or only referred to."""
    found = []
    for term in terms if isinstance(terms, list) else [terms]:
        if not isinstance(term, dict):
            continue
        meta = term.get("meta")
        target = meta.get("drupal_internal__target_id") if isinstance(meta, dict) else None
        tid = str(term.get("drupal_internal__tid", target))
        if tid.isdecimal():
            found.append(int(tid))
    return found


def _code(tag: str) -> str:
    return _TO_DRUPAL.get(tag.lower(), tag.lower())


# --- the network -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkSite:
    """One published site of the network, as a Bioland site tells of it."""

    code: str
    name: str
    url: str
    countries: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()


async def network(fetch: Fetch, url: str) -> list[NetworkSite]:
    """The published production sites that ``/api/chm-network`` of a site lists.

    Raises :class:`ProtocolError` (reason ``no_list``) where the answer has no such list.
    """
    payload = await fetch(Request(url=f"{url.rstrip('/')}/api/chm-network", kinds=("json",)))
    answer: Any = jsons.parse(payload.body, payload.url)
    try:
        section = answer["prod"]["published"]
        rows, host = section["sites"], str((section.get("config") or {}).get("baseHost") or "")
    except (KeyError, TypeError, AttributeError):
        rows = None
    if not isinstance(rows, list):
        raise ProtocolError(
            f"{payload.url}: no list of published sites in the answer. The interface may have "
            "changed; look at it.",
            reason="no_list",
        )
    found = []
    for row in rows:
        if not isinstance(row, dict) or not row.get("siteCode") or row.get("scbd"):
            continue
        if row.get("published") is False:
            continue
        code = str(row["siteCode"])
        where = str(row.get("host") or row.get("redirect") or f"{code}.{host}")
        own = str(row.get("defaultLocale") or "")
        tags = [own, *(str(tag) for tag in row.get("locales") or ())]
        countries = row.get("countries") or [row.get("country")]
        found.append(
            NetworkSite(
                code=code,
                name=str(row.get("name") or code),
                url=where if "://" in where else f"https://{where}",
                countries=tuple(str(c).upper() for c in countries if isinstance(c, str)),
                languages=tuple(dict.fromkeys(tag for tag in tags if tag)),
            )
        )
    return found
