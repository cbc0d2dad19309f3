"""What OData services answer, in all the forms that four versions of it have.

An answer is told by its shape: ``{"d": [...]}``, ``{"d": {"results": [...]}}``,
``{"value": [...]}``, a bare array, an Atom feed. Out of each come the same plain objects.

References: OData 2.0 (JSON Format, Atom Format), OData 3.0 (JSON Verbose), OData 4.01 (JSON
Format).
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from chm_hub.document import Json, Payload
from chm_hub.errors import ProtocolError
from harvesters import jsons, xml

_ATOM = "{http://www.w3.org/2005/Atom}"
_METADATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices/metadata}"
_DATA = "{http://schemas.microsoft.com/ado/2007/08/dataservices}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What one page of a set holds."""

    payload: Payload
    dialect: str
    entries: list[dict[str, Json]] = field(default_factory=list)
    """Plain: see :func:`plain`."""
    odd: list[Json] = field(default_factory=list)
    """What stands among the entries and is none."""
    addresses: list[str] = field(default_factory=list)
    """Where the service says that its entries are, where it says so."""
    deferred: frozenset[str] = frozenset()
    """Properties that it only points to."""
    total: int | None = None
    following: str | None = None
    warnings: list[str] = field(default_factory=list)


def read(payload: Payload) -> Answer:
    """What an answer holds, whatever its form.

    Raises :class:`ProtocolError`: ``no_list`` if it holds no list of entries, ``not_json`` or
    ``not_xml`` if it cannot be read, ``service_error`` if it is the service's own error.
    """
    head = payload.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if head == b"<":
        return _read_xml(payload)
    if head not in (b"{", b"["):
        raise _service_error(payload.url, payload.body[:200].decode("utf-8", "replace"))
    value, warnings = _read_json(payload)
    dialect, rows, holder = _rows(value)
    if rows is None:
        if (said := _error(value)) is not None:
            raise _service_error(payload.url, said)
        raise _no_list(payload.url)
    entries = [row for row in rows if isinstance(row, dict)]
    return Answer(
        payload=payload,
        dialect=dialect,
        entries=[_object(plain(row)) for row in entries],
        odd=[row for row in rows if not isinstance(row, dict)],
        addresses=[_address_of(row) for row in entries],
        deferred=frozenset(
            key
            for row in entries
            for key, part in row.items()
            if isinstance(part, dict) and "__deferred" in part
        ),
        total=_count_in(holder),
        following=_link_in(holder),
        warnings=warnings,
    )


def _read_json(payload: Payload) -> tuple[Json, list[str]]:
    try:
        return jsons.parse(payload.body, payload.url), []
    except ProtocolError as error:
        try:
            # Control characters within texts: services write them as they are (rule R6).
            return jsons.loads(payload.body.decode("utf-8-sig"), strict=False), [
                "control_characters"
            ]
        except (UnicodeDecodeError, ValueError, RecursionError):
            raise error from None


def _rows(value: Json) -> tuple[str, list[Json] | None, Json]:
    """How the answer is built, its entries, and the object that says what comes after."""
    if isinstance(value, list):
        return "list", value, None
    if not isinstance(value, dict):
        return "", None, None
    inner = value.get("d")
    if isinstance(inner, list):
        return "v1", inner, value
    if isinstance(inner, dict) and isinstance(inner.get("results"), list):
        return "v2", inner["results"], inner
    if isinstance(value.get("value"), list):
        light = any(key.startswith("odata.") for key in value)
        return "v3" if light else "v4", value["value"], value
    return "", None, None


def _count_in(holder: Json) -> int | None:
    if isinstance(holder, dict):
        for key in ("@odata.count", "@count", "odata.count", "__count"):
            if key in holder and str(holder[key]).isdecimal():
                return int(holder[key])
    return None


def _link_in(holder: Json) -> str | None:
    if isinstance(holder, dict):
        for key in ("@odata.nextLink", "@nextLink", "odata.nextLink", "__next"):
            if isinstance(holder.get(key), str) and holder[key].strip():
                return str(holder[key]).strip()
    return None


def _address_of(row: dict[str, Json]) -> str:
    metadata = row.get("__metadata")
    named = metadata if isinstance(metadata, dict) else {}
    said = (
        named.get("uri")
        or named.get("id")
        or row.get("@odata.id")
        or row.get("@odata.editLink")
        or row.get("odata.id")
        or row.get("odata.editLink")
    )
    return said if isinstance(said, str) else ""


def _error(value: Json) -> str | None:
    """The message of an error in JSON (OData 2, 3 and 4), if it is one."""
    if not isinstance(value, dict):
        return None
    error = value.get("error", value.get("odata.error"))
    if not isinstance(error, dict):
        return None
    said = error.get("message")
    if isinstance(said, dict):
        said = said.get("value")
    return str(said or error.get("code") or "an error")


def is_not_found(payload: Payload) -> bool:
    """Whether an answer is a service's own word that there is no such entry: 404 or 410 with
    an error in OData's form. A page of HTML is not."""
    if payload.status not in (404, 410):
        return False
    head = payload.body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    try:
        if head == b"<":
            root, _ = xml.parse(payload.body, payload.url)
            return bool(root.tag == f"{_METADATA}error")
        return _error(jsons.parse(payload.body, payload.url)) is not None
    except ProtocolError:
        return False


def _service_error(url: str, said: str) -> ProtocolError:
    shown = " ".join(said.split())[:200]
    return ProtocolError(
        f"{url}: the service answers with an error: {shown!r}. Tell its contact if it lasts.",
        reason="service_error",
    )


def _no_list(url: str) -> ProtocolError:
    return ProtocolError(
        f"{url}: there is no list of entries in the answer. Check that the source's url is that "
        "of an OData service, and that it has this entity set.",
        reason="no_list",
    )


def number(body: bytes) -> int | None:
    """The number in the answer of a ``/$count``: plain text, with or without a byte order
    mark, or ``{"count": N}``."""
    said = body.decode("utf-8-sig", "replace").strip()
    if said.isascii() and said.isdecimal() and len(said) < 12:
        return int(said)
    try:
        value = jsons.parse(body, "")
    except ProtocolError:
        return None
    counted = value.get("count") if isinstance(value, dict) else None
    return int(counted) if counted is not None and str(counted).isdecimal() else None


# --- plain values ------------------------------------------------------------------------

_NOTHING: Any = object()
_JSON_DATE = re.compile(r"/Date\((-?\d{1,15})(?:[+-]\d{1,4})?\)/", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def plain(value: Json, within: Json = None) -> Json:
    """A value without what OData wraps around it.

    Collections are lists, whether they came as such or as ``{"results": []}``; metadata,
    annotations and deferred properties are left out, and so are entries of a list that say
    nothing but whose they are; ``/Date(…)/`` is ISO 8601 in UTC (its offset only says where
    the server stood), nothing where it stands for no date.
    """
    made = _plain(value, within)
    return None if made is _NOTHING else made


def _plain(value: Json, owner: Json) -> Json:
    if isinstance(value, str):
        return _date(value) if value.startswith("/Date(") else value
    if isinstance(value, list):
        items = [_plain(item, owner) for item in value]
        return [
            item
            for item, given in zip(items, value, strict=True)
            if item is not _NOTHING and not _is_stub(item, given, owner)
        ]
    if not isinstance(value, dict):
        return value
    if "__deferred" in value:
        return _NOTHING
    results = value.get("results")
    if isinstance(results, list) and all(k == "results" or k.startswith("__") for k in value):
        return _plain(results, owner)
    name = value.get("id", value.get("Id", owner))
    made: dict[str, Json] = {}
    for key, part in value.items():
        if key.startswith(("__", "odata.", "@")) or "@odata." in key:
            continue
        inner = _plain(part, name)
        if inner is not _NOTHING:
            made[key] = inner
    return made


def _is_stub(item: Json, given: Json, owner: Json) -> bool:
    """An entry of a list with metadata and no content: some services write one for nothing."""
    if not isinstance(item, dict) or not isinstance(given, dict):
        return False
    return not item or (
        "__metadata" in given and set(item) <= {"id", "Id"} and owner in item.values()
    )


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _date(given: str) -> Json:
    found = _JSON_DATE.fullmatch(given.strip())
    if found is None:
        return given
    milliseconds = int(found[1])
    try:
        made = _EPOCH + timedelta(milliseconds=milliseconds)
    except OverflowError:
        return given
    if milliseconds == 0 or made.year <= 1:  # how databases and .NET write no date
        return None
    shown = made.strftime("%Y-%m-%dT%H:%M:%S").zfill(19)
    rest = milliseconds % 1000
    return f"{shown}.{rest:03d}Z" if rest else f"{shown}Z"


def moment(value: Json) -> datetime | None:
    """The moment a date of an entry stands for, aware; one without a zone is read as UTC.

    Understands ISO 8601 and seconds or milliseconds since 1970; ``None`` for anything else.
    """
    if isinstance(value, bool) or value in (None, ""):
        return None
    said = str(value).strip()
    try:
        if re.fullmatch(r"\d{9,13}", said):
            seconds = int(said) / (1000 if len(said) > 11 else 1)
            return _EPOCH + timedelta(seconds=seconds)
        made = datetime.fromisoformat(said)
    except (ValueError, OverflowError):
        return None
    return made.replace(tzinfo=UTC) if made.tzinfo is None else made


def identifier(entry: dict[str, Json], names: Iterable[tuple[str, ...]]) -> str | None:
    """What an entry is called: the first of ``names`` whose properties it has, joined."""
    for properties in names:
        parts = [entry.get(name) for name in properties]
        if all(isinstance(p, str | int) and str(p).strip() for p in parts):
            return "/".join(str(part) for part in parts)
    return None


# --- Atom --------------------------------------------------------------------------------


def _read_xml(payload: Payload) -> Answer:
    root, warnings = xml.parse(payload.body, payload.url)
    if root.tag == f"{_METADATA}error":
        raise _service_error(payload.url, "".join(root.itertext()))
    if "recovered" in warnings:
        raise ProtocolError(
            f"{payload.url}: XML that breaks off. The service is at fault.", reason="not_xml"
        )
    if root.tag != f"{_ATOM}feed":
        raise _no_list(payload.url)
    entries = root.findall(f"{_ATOM}entry")
    counted = root.findtext(f"{_METADATA}count") or ""
    links = [e.get("href") for e in root.findall(f"{_ATOM}link") if e.get("rel") == "next"]
    made = [_atom_entry(entry) for entry in entries]
    return Answer(
        payload=payload,
        dialect="atom",
        entries=[_object(plain(entry)) for entry in made],
        addresses=[_atom_address(entry) for entry in entries],
        total=int(counted) if counted.strip().isdecimal() else None,
        following=links[0] if links else None,
        warnings=warnings,
    )


def _atom_entry(entry: Any) -> dict[str, Json]:
    """The properties of an entry, those of its content and those expanded into its links."""
    made: dict[str, Json] = {}
    places = (f"{_ATOM}content/{_METADATA}properties", f"{_METADATA}properties")
    for place in places:
        for properties in entry.findall(place):
            made.update({_name(child): _atom_value(child) for child in properties})
    for link in entry.findall(f"{_ATOM}link"):
        inline = link.find(f"{_METADATA}inline")
        if inline is None:
            continue
        name = (link.get("rel") or "").rpartition("/")[2] or link.get("title") or ""
        feed = inline.find(f"{_ATOM}feed")
        single = inline.find(f"{_ATOM}entry")
        if feed is not None:
            made[name] = [_atom_entry(inner) for inner in feed.findall(f"{_ATOM}entry")]
        elif single is not None:
            made[name] = _atom_entry(single)
    return made


def _atom_value(element: Any) -> Json:
    """A property: ``None`` where ``m:null`` says so and there is nothing, an object or a list
    where it has children, a number or a truth value by its ``m:type``, else its text."""
    kind = element.get(f"{_METADATA}type") or ""
    text = (element.text or "").strip()
    children = list(element)
    if kind.startswith("Collection(") or any(_is_item(child) for child in children):
        return [_atom_value(child) for child in children]
    if children:
        return {_name(child): _atom_value(child) for child in children}
    if not text:
        return None
    if kind in ("Edm.Byte", "Edm.Int16", "Edm.Int32", "Edm.Int64"):
        return int(text) if re.fullmatch(r"[-+]?\d{1,18}", text) else text
    if kind in ("Edm.Double", "Edm.Single", "Edm.Decimal"):
        return float(text) if re.fullmatch(r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?", text) else text
    if kind == "Edm.Boolean":
        return text == "true"
    return str(element.text)


def _is_item(element: Any) -> bool:
    return element.tag in (f"{_METADATA}item", f"{_METADATA}element", f"{_DATA}element")


def _name(element: Any) -> str:
    return str(element.tag).rpartition("}")[2]


def _atom_address(entry: Any) -> str:
    for link in entry.findall(f"{_ATOM}link"):
        if link.get("rel") == "edit":
            return str(link.get("href") or "")
    return str(entry.findtext(f"{_ATOM}id") or "")
