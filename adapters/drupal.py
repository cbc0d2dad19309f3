"""Plain Drupal 8 and later, by its JSON:API. See ``docs/adapters/drupal.md``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Annotated, Literal

from pydantic import ConfigDict, Field, with_config

from adapters.source import CommonOptions, Source
from chm_hub.addresses import urlsplit
from chm_hub.document import Json, Page, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch
from chm_hub.record import RecordType
from harvesters import drupal_jsonapi as jsonapi
from harvesters import drupal_nodes, robots

CROSSWALK = "drupal"
DELETIONS = "absence"
INCREMENTAL = True

PERSONAL = frozenset(
    {
        "author",
        "contact",
        "contacts",
        "expert",
        "experts",
        "forum",
        "member",
        "people",
        "person",
        "profile",
        "staff",
        "team",
        "user",
        "webform",
    }
)
"""Node types that are about persons, or written by visitors; read only if they are named."""


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    bundles: list[str] = field(default_factory=list)
    """Node types to read; empty for all but those about persons."""
    types: dict[str, RecordType] = field(default_factory=dict)
    """The record type of each node type, such as ``{ factsheet = "resource" }``."""
    include: dict[str, list[str]] = field(default_factory=dict)
    """What is sent along, by node type; found out by itself for the others."""
    prefix: Literal["others", "all"] = "others"
    """Which languages have a prefix in addresses: all but the first, or all."""
    limit: Annotated[int, Field(ge=1, le=50)] = jsonapi.LIMIT
    """Nodes in one answer; Drupal gives 50 at most."""
    max_pages: Annotated[int, Field(ge=1)] = 2000
    """How many pages one list may have."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """The pages of a site.

    Raises :class:`ProtocolError` (reason ``no_jsonapi``) where the interface is not there.
    """
    base = source.declared.url.partition("?")[0].rstrip("/").removesuffix("/jsonapi")
    rules = await robots.read(fetch, base)
    fetch = rules.slowed(fetch)
    languages = [tag for tag in source.declared.languages if "lolspeak" not in tag] or ["en"]
    bare = options.prefix == "others"
    locales = [
        drupal_nodes.Locale(
            tag=tag,
            code=tag.lower(),
            api="" if bare and not number else f"/{tag.lower()}",
            page="" if bare and not number else f"/{tag.lower()}",
        )
        for number, tag in enumerate(dict.fromkeys(languages))
    ]
    rules.require(f"{base}{locales[0].api}/jsonapi")
    entry = f"{base}{locales[0].api}/jsonapi"
    kinds, refused = remembered(walk, options), False
    if not kinds:
        kinds, refused = await collections(fetch, walk, options, base, locales[0], entry)
    site = drupal_nodes.Site(
        fetch=fetch,
        walk=walk,
        base=base,
        locales=locales,
        limit=options.limit,
        most=options.max_pages,
        refused=refused,
    )
    async for page in site.harvest(kinds):
        yield page


def remembered(walk: Walk, options: Options) -> list[drupal_nodes.Kind]:
    """The collections as the last whole walk found them, for walks between whole ones."""
    known = walk.memory.get("kinds") if walk.since is not None else None
    if not isinstance(known, dict):
        return []
    return [
        _kind(str(bundle), str(told["path"]), tuple(told["include"]), options)
        for bundle, told in known.items()
        if not options.bundles or bundle in options.bundles
    ]


async def collections(
    fetch: Fetch,
    walk: Walk,
    options: Options,
    base: str,
    own: drupal_nodes.Locale,
    entry: str,
) -> tuple[list[drupal_nodes.Kind], bool]:
    """The collections that the interface names at its entry, and what each refers to; also whether
    there are some that we may not see.

    Raises :class:`ProtocolError` (reason ``no_jsonapi``) where there is none to be read.
    """
    try:
        found = await jsonapi.resources(fetch, entry)
    except (FetchError, ProtocolError) as error:
        if error.reason not in ("http_404", "http_410", "html", "no_list", "refused_by_site"):
            raise
        raise ProtocolError(
            f"{entry}: no JSON:API is there ({error.reason}). Drupal may have it switched "
            "off, or be older than 8: use the adapter `feed` (with /rss.xml) or `sitemap` (with "
            "/sitemap.xml) for this site.",
            reason="no_jsonapi",
        ) from error
    there = {name.partition("--")[2]: url for name, url in found.items() if name[:6] == "node--"}
    wanted = options.bundles or [name for name in there if name not in PERSONAL]
    kinds: list[drupal_nodes.Kind] = []
    learned: dict[str, Json] = {}
    refused = False
    for bundle in wanted:
        if bundle not in there:
            walk.warnings[f"bundle_missing: {bundle}"] += 1
            continue
        path = urlsplit(there[bundle]).path.removeprefix(urlsplit(base).path)
        if own.api and path.startswith(f"{own.api}/"):
            path = path.removeprefix(own.api)
        include = options.include.get(bundle)
        if include is None:
            asked = [("page[limit]", str(options.limit))]
            try:
                look = await jsonapi.read_list(
                    fetch, jsonapi.address(f"{base}{own.api}{path}", asked)
                )
            except jsonapi.RefusedError as error:
                if error.status not in (401, 403, 404, 405):
                    raise
                walk.warnings[f"bundle_refused: {bundle}"] += 1
                refused = refused or error.status in (401, 403)
                continue
            if not look.rows and look.following is None and not look.withheld:
                continue  # a node type that is set up and not used
            include = list(jsonapi.include_for(look.rows))
        kinds.append(_kind(bundle, path, tuple(include), options))
        learned[bundle] = {"path": path, "include": include}
    if not kinds:
        raise ProtocolError(
            f"{entry}: none of its node types can be read ({', '.join(there) or 'none'}). "
            "Name some under `bundles`, or use the adapter `feed` or `sitemap` for this site.",
            reason="no_jsonapi",
        )
    walk.learned["kinds"] = learned
    return kinds, refused


def _kind(bundle: str, path: str, include: tuple[str, ...], options: Options) -> drupal_nodes.Kind:
    return drupal_nodes.Kind(
        name=bundle,
        path=path,
        shape=(("include", ",".join(include)),) if include else (),
        extra={"bundle": bundle, "type": options.types.get(bundle)},
    )
