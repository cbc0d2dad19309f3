"""Datasets of GEO BON's portal of Essential Biodiversity Variables. See
``docs/adapters/geobon.md``."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

from pydantic import ConfigDict, with_config

from adapters.source import CommonOptions, Source
from chm_hub.document import Document, Json, Page, Reject, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import absent, jsons, tally

CROSSWALK = "geobon"
DELETIONS = "absence"
INCREMENTAL = False
LIST = "/api/v1/datasets"
COUNTRY = "/bioland/fetch-data.php"
_NOTHING = "n/a"


@with_config(ConfigDict(extra="forbid"))
@dataclass(frozen=True, slots=True, kw_only=True)
class Options(CommonOptions):
    """What a source file may say in ``[options]``."""

    country: str | None = None
    """A country's name in English: only what the portal shows of it, in a shorter form."""


async def pages(source: Source, options: Options, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
    """All datasets in one page, then those that are gone."""
    base = source.declared.url.rstrip("/")
    warnings: list[str] = []
    if options.country:
        form = (("action", "fetch_data"), ("country", options.country))
        payload = await fetch(Request(url=base + COUNTRY, form=form, kinds=("json",)))
        said: Counter[str] = Counter()
        answer = jsons.read(payload, said)
        # Line breaks in strings are how this door always answers: nothing to warn of.
        del said["control_characters"]
        walk.warnings.update(said)
        rows, total = read_country(answer, payload.url)
    else:
        payload = await fetch(_request(base + LIST))
        answer = jsons.read(payload, walk.warnings)
        rows, total = read_envelope(answer, payload.url), None
    documents: dict[str, Document] = {}
    rejects: list[Reject] = []
    counted = tally.Tally(announced=total)
    for row in rows:
        name = row.get("id") if isinstance(row, dict) else None
        if name in (None, ""):
            counted.add(None)
            rejects.append(Reject(reason="no_identifier", fragment=repr(row).encode()[:4096]))
        elif not counted.add(str(name)):
            warnings.append(f"same_identifier: {name}")
        else:
            body = {"country": options.country, "entry": without_placeholders(row)}
            documents[str(name)] = Document(identifier=str(name), body=body)
    yield Page(
        payloads=[payload],
        documents=list(documents.values()),
        rejects=rejects,
        warnings=warnings,
        total=total if total is not None else len(rows),
    )
    walk.short = counted.shortage(walk)
    walk.covers_all = walk.complete = walk.short is None
    if walk.complete:
        async for page in absent.ask_for(
            walk, documents, lambda name: _gone(fetch, walk, base, name)
        ):
            yield page


def _request(url: str) -> Request:
    # The portal puts its own status into the answer; HTTP's need not be the same.
    accept = {"Accept": "application/json"}
    return Request(url=url, headers=accept, kinds=("json",), accept=(200, 404))


async def _gone(fetch: Fetch, walk: Walk, base: str, name: str) -> Page | None:
    payload = await fetch(_request(f"{base}{LIST}/{quote(name, safe='')}"))
    answer = jsons.read(payload, walk.warnings)
    if isinstance(answer, dict) and "data" in answer and _code(answer) == 404:
        return absent.tombstone(name, payload)
    return None


def _code(answer: dict[str, Json]) -> int | None:
    return _number(answer.get("code"))


def read_envelope(answer: Json, url: str) -> list[Json]:
    """The datasets in an answer of the API.

    Raises :class:`ProtocolError`, ``error_answer`` where the portal says that something went
    wrong, whatever the HTTP status, and ``no_list`` for another shape.
    """
    if not isinstance(answer, dict) or "code" not in answer:
        raise _no_list(url)
    if _code(answer) != 200:
        raise ProtocolError(
            f"{url}: the portal answers with code {answer['code']!r} and "
            f"{str(answer.get('message'))[:200]!r}. The next run will ask again; tell its contact "
            "if it lasts.",
            reason="error_answer",
        )
    if not isinstance(answer.get("data"), list):
        raise _no_list(url)
    rows: list[Json] = answer["data"]
    return rows


def read_country(answer: Json, url: str) -> tuple[list[Json], int | None]:
    """The datasets in a country's answer, and how many it announces.

    Raises :class:`ProtocolError` (reason ``no_list``) for another shape.
    """
    rows = answer.get("data") if isinstance(answer, dict) else None
    if not isinstance(rows, list):
        raise _no_list(url)
    return rows, _number(answer.get("count"))


def _no_list(url: str) -> ProtocolError:
    return ProtocolError(
        f"{url}: there is no list of datasets in the answer. Check that the source's url is that "
        "of the portal, https://portal.geobon.org.",
        reason="no_list",
    )


def _number(value: Json) -> int | None:
    """A whole number, in digits or as a string of them."""
    digits = str(value).strip()
    return int(digits) if digits.isascii() and digits.isdecimal() else None


def without_placeholders(value: Json) -> Json:
    """A value with ``N/A`` taken for what it means, however deep it stands."""
    if isinstance(value, dict):
        return {key: without_placeholders(part) for key, part in value.items()}
    if isinstance(value, list):
        return [without_placeholders(part) for part in value]
    if isinstance(value, str) and value.strip().casefold() == _NOTHING:
        return None
    return value
