"""Drupal's JSON:API as a replica speaks it: collections, single resources, errors.

The site decides what there is; here it is filtered, sorted, cut into pages and written down,
in the standard's shape or in the flat one of the module *jsonapi_include*.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from demo.server import Answer, Request

CAP = 50
"""Rows that Drupal gives in one page, whatever is asked."""
MEDIA_TYPE = "application/vnd.api+json"


@dataclass(frozen=True, slots=True)
class Resource:
    """One entity in one language."""

    type: str
    id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    related: Mapping[str, Any] = field(default_factory=dict)
    """Resources, lists of them, or ``None``, by field."""
    meta: Mapping[str, Any] = field(default_factory=dict)
    """What a reference to it says beside type and id."""

    def key(self) -> dict[str, Any]:
        """A reference to it."""
        made: dict[str, Any] = {"type": self.type, "id": self.id}
        return {**made, "meta": dict(self.meta)} if self.meta else made


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a query, before it is looked whether we may see it."""

    resource: Resource
    shown: bool = True
    values: Mapping[str, Any] = field(default_factory=dict)
    """What filters ask for, beside the resource's own fields."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How one site's interface differs from another's."""

    flat: bool = False
    """The module *jsonapi_include* is there."""
    counts: str = ""
    """``meta.count``: absent, a ``number`` or a ``text``."""
    plain_links: bool = False
    """``links`` hold strings and not objects."""


def collection(request: Request, url: str, rows: Iterable[Row], manner: Manner) -> Answer:
    """A page of a collection."""
    asked = request.arguments()
    given = dict(asked)
    try:
        matching = _filtered(asked, rows)
        matching = _sorted(given["sort"], matching) if "sort" in given else matching
        include = _included(given.get("include", ""), matching)
    except ValueError as error:
        return refusal(400, "Bad Request", str(error), url)
    limit = min(_whole(given.get("page[limit]")) or CAP, CAP)
    offset = _whole(given.get("page[offset]")) or 0
    page = matching[offset : offset + limit]
    shown = [row.resource for row in page if row.shown]
    meta: dict[str, Any] = {}
    if manner.counts:
        meta["count"] = str(len(matching)) if manner.counts == "text" else len(matching)
    if len(shown) < len(page):
        detail = "Some resources have been omitted because of insufficient authorization."
        meta["omitted"] = {"detail": detail, "links": {}}

    def at(place: int) -> str:
        kept = [(name, value) for name, value in asked if name != "page[offset]"]
        return f"{url}?{urlencode([*kept, *([('page[offset]', str(place))] if place else [])])}"

    links: dict[str, Any] = {"self": at(offset)}
    if offset + limit < len(matching):
        links["next"] = at(offset + limit)
    if offset:
        links["prev"] = at(max(offset - limit, 0))
    flat = manner.flat and given.get("jsonapi_include") == "1"
    body = _document(shown, include, flat)
    return _answer({**body, **({"meta": meta} if meta else {})}, links, manner)


def single(request: Request, url: str, row: Row | None, manner: Manner) -> Answer:
    """One resource, or the interface's word that it is not to be seen or not there."""
    if row is None:
        detail = 'The "entity" parameter was not converted for the path given.'
        return refusal(404, "Not Found", detail, url)
    if not row.shown:
        detail = "The current user is not allowed to GET the selected resource."
        return refusal(403, "Forbidden", detail, url)
    given = dict(request.arguments())
    try:
        include = _included(given.get("include", ""), [row])
    except ValueError as error:
        return refusal(400, "Bad Request", str(error), url)
    flat = manner.flat and given.get("jsonapi_include") == "1"
    body = _document([row.resource], include, flat)
    return _answer({**body, "data": body["data"][0]}, {"self": url}, manner)


def entry(url: str, types: Iterable[str], manner: Manner) -> Answer:
    """The entry point, which names the collections."""
    links = {"self": url}
    links |= {name: f"{url}/{name.replace('--', '/')}" for name in types}
    return _answer({"data": []}, links, manner)


def refusal(status: int, title: str, detail: str, via: str) -> Answer:
    """An error in the interface's own form."""
    told = {
        "title": title,
        "status": str(status),
        "detail": detail,
        "links": {"via": {"href": via}},
    }
    body = json.dumps({"jsonapi": _VERSION, "errors": [told]}, ensure_ascii=False)
    return Answer(body.encode(), MEDIA_TYPE, status)


_VERSION = {
    "version": "1.0",
    "meta": {"links": {"self": {"href": "http://jsonapi.org/format/1.0/"}}},
}


def _answer(body: Mapping[str, Any], links: Mapping[str, str], manner: Manner) -> Answer:
    told = links if manner.plain_links else {name: {"href": url} for name, url in links.items()}
    whole = {"jsonapi": _VERSION, **body, "links": told}
    text = json.dumps(whole, ensure_ascii=False, separators=(",", ":"))
    return Answer(text.encode(), MEDIA_TYPE, headers={"Cache-Control": "must-revalidate, private"})


def _filtered(asked: Sequence[tuple[str, str]], rows: Iterable[Row]) -> list[Row]:
    """The rows that every ``filter[x][condition]`` lets through."""
    conditions: dict[str, dict[str, list[str]]] = {}
    for name, value in asked:
        if name.startswith("filter["):
            parts = name.removeprefix("filter[").rstrip("]").split("][")
            if len(parts) < 3 or parts[1] != "condition":
                raise ValueError(f"The filter {name} is not understood.")
            conditions.setdefault(parts[0], {}).setdefault(parts[2], []).append(value)
    kept = list(rows)
    for condition in conditions.values():
        path = condition.get("path", [""])[0]
        if condition.get("operator", ["="])[0] not in ("=", "IN"):
            raise ValueError("The operator is not understood.")
        if any(path not in row.values for row in kept):
            raise ValueError(f"Invalid nested filtering. The field {path} does not exist.")
        kept = [row for row in kept if str(row.values[path]) in condition.get("value", [])]
    return kept


def _sorted(sort: str, rows: list[Row]) -> list[Row]:
    name = sort.removeprefix("-")
    if any(name not in row.resource.fields for row in rows):
        raise ValueError(f"Invalid nested filtering. The field {name} does not exist.")
    return sorted(rows, key=lambda row: row.resource.fields[name], reverse=sort.startswith("-"))


def _included(paths: str, rows: Sequence[Row]) -> frozenset[str]:
    """Relations to be sent along. One that no resource has is an error, as in Drupal."""
    wanted = frozenset(path for path in paths.split(",") if path)
    known = {name for row in rows for name in row.resource.related}
    for path in wanted:
        if rows and path.partition(".")[0] not in known:
            raise ValueError(f"`{path}` is not a valid relationship field name.")
    return frozenset(path[:end] for path in wanted for end in _ends(path))


def _ends(path: str) -> list[int]:
    return [n for n, char in enumerate(path) if char == "."] + [len(path)]


def _document(shown: list[Resource], include: frozenset[str], flat: bool) -> dict[str, Any]:
    if flat:
        return {"data": [_flat(resource, include, "") for resource in shown]}
    included: dict[tuple[str, str], dict[str, Any]] = {}
    data = [_standard(resource, include, "", included) for resource in shown]
    return {"data": data, **({"included": list(included.values())} if included else {})}


def _flat(resource: Resource, include: frozenset[str], at: str) -> dict[str, Any]:
    made: dict[str, Any] = {"type": resource.type, "id": resource.id, **resource.fields}
    for name, value in resource.related.items():
        path = f"{at}{name}"

        def one(part: Resource, path: str = path) -> dict[str, Any]:
            if path not in include:
                return part.key()
            folded = _flat(part, include, f"{path}.")
            return {**folded, "meta": dict(part.meta)} if part.meta else folded

        made[name] = _each(value, one)
    return made


def _standard(
    resource: Resource,
    include: frozenset[str],
    at: str,
    included: dict[tuple[str, str], dict[str, Any]],
) -> dict[str, Any]:
    relations: dict[str, Any] = {}
    for name, value in resource.related.items():
        path = f"{at}{name}"
        relations[name] = {"data": _each(value, Resource.key)}
        for part in value if isinstance(value, list) else [value]:
            if path in include and part is not None and (part.type, part.id) not in included:
                included[part.type, part.id] = _standard(part, include, f"{path}.", included)
    made = {"type": resource.type, "id": resource.id, "attributes": dict(resource.fields)}
    return {**made, **({"relationships": relations} if relations else {})}


def _each(value: Any, one: Any) -> Any:
    if isinstance(value, list):
        return [one(part) for part in value]
    return None if value is None else one(value)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None
