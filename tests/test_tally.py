"""Every paged protocol: what a walk meets is compared with what its source announced, each thing
once, also when the walk is the rest of one that was cut off."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from adapters import informea_web
from chm_hub import fetch as fetching
from chm_hub.document import Document, Json, Page, Payload, Walk
from harvesters import json_api, oai_pmh, odata, page_numbers, solr, stac

SIZE = 8
URL = "http://s.example"
Asked = dict[str, str]


@dataclass
class List:
    """What a source lists, and how many things it says these are."""

    names: list[str]
    announced: int | None = None
    requests: list[Asked] = field(default_factory=list)

    @property
    def total(self) -> int:
        return len(self.names) if self.announced is None else self.announced

    def cut(self, start: int) -> list[str]:
        return self.names[start : start + SIZE]


@dataclass
class Protocol:
    """How a list is answered, and harvested."""

    answer: Callable[[List, str, Asked], Any]
    harvest: Callable[[fetching.Fetch, Walk], AsyncIterator[Page]]


def of_rows(names: list[str]) -> list[Json]:
    return [{"id": name} for name in names]


def offsets(listed: List, path: str, asked: Asked) -> Json:
    return {"count": listed.total, "results": of_rows(listed.cut(int(asked["offset"])))}


def skips(listed: List, path: str, asked: Asked) -> Json:
    if path.endswith("/$count"):
        return listed.total
    return {"d": {"results": of_rows(listed.cut(int(asked["$skip"])))}}


def numbers(listed: List, path: str, asked: Asked) -> Json:
    rows = of_rows(listed.cut((int(asked["page"]) - 1) * SIZE))
    return {"rows": rows, "total": listed.total}


def index(listed: List, path: str, asked: Asked) -> Json:
    start = int(asked.get("start") or asked["cursorMark"].replace("*", "0"))
    docs = of_rows(listed.cut(start))
    mark = str(start + len(docs)) if docs else asked.get("cursorMark", "")
    told = {"response": {"numFound": listed.total, "docs": docs}}
    return told | ({"nextCursorMark": mark} if "cursorMark" in asked else {})


def geography(listed: List, path: str, asked: Asked) -> Json:
    start = int(asked.get("token", 0))
    feature = {
        "type": "Feature",
        "stac_version": "1.0.0",
        "geometry": None,
        "properties": {"datetime": "2020-01-01T00:00:00Z"},
        "links": [],
        "assets": {},
        "collection": "c",
    }
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "r", "description": "All"}
    if path == "/":
        links = [{"rel": "data", "href": "collections"}, {"rel": "search", "href": "search"}]
        return {**catalog, "links": links}
    if path == "/collections":
        return {"collections": [], "links": []}
    following = {"rel": "next", "href": f"search?token={start + SIZE}"}
    return {
        "type": "FeatureCollection",
        "features": [{**feature, "id": name} for name in listed.cut(start)],
        "links": [following] if start + SIZE < len(listed.names) else [],
        "numberMatched": listed.total,
    }


def repository(listed: List, path: str, asked: Asked) -> bytes:
    verb, start = asked["verb"], int(asked.get("resumptionToken", 0))
    inside = "<repositoryName>R</repositoryName>"
    if verb == "ListRecords":
        last = start + SIZE >= len(listed.names)
        inside = "".join(
            f"<record><header><identifier>{name}</identifier><datestamp>2020-01-01</datestamp>"
            "</header><metadata><dc>x</dc></metadata></record>"
            for name in listed.cut(start)
        )
        inside += f'<resumptionToken completeListSize="{listed.total}">'
        inside += f"{'' if last else start + SIZE}</resumptionToken>"
    return f'<OAI-PMH xmlns="{oai_pmh.NAMESPACE}"><{verb}>{inside}</{verb}></OAI-PMH>'.encode()


def site(listed: List, path: str, asked: Asked) -> Json:
    if path.endswith("/count"):
        return {"count": listed.total}
    rows = listed.cut(int(asked["page"]) * SIZE)
    return [{"uuid": name, "title_field": [{"value": name}]} for name in rows]


async def by_number(fetch: fetching.Fetch, walk: Walk) -> AsyncIterator[Page]:
    ask = page_numbers.Options(url=URL, size=SIZE, list_key="rows", total_key="total")
    async for rows in page_numbers.pages(fetch, walk, ask, walk.checkpoint):
        documents = [Document(identifier=str(row["id"])) for row in rows.rows]
        yield Page(payloads=[rows.payload], documents=documents, checkpoint=rows.following)
    walk.complete = walk.short is None


def of_index(cursor: bool) -> Callable[[fetching.Fetch, Walk], AsyncIterator[Page]]:
    async def harvest(fetch: fetching.Fetch, walk: Walk) -> AsyncIterator[Page]:
        query = solr.Query(url=URL, rows=SIZE, cursor=cursor)
        async for rows in solr.pages(fetch, walk, query):
            documents = [Document(identifier=str(row["id"])) for row in rows.rows]
            yield Page(payloads=[rows.payload], documents=documents, checkpoint=rows.following)
        walk.complete = walk.short is None

    return harvest


def of_site(fetch: fetching.Fetch, walk: Walk) -> AsyncIterator[Page]:
    options = informea_web.Options(kind="decisions", items_per_page=SIZE)
    return informea_web._Site(URL, options, fetch, walk).pages()


PROTOCOLS = {
    "json_api": Protocol(
        offsets,
        lambda fetch, walk: json_api.harvest(fetch, walk, json_api.Options(url=URL, limit=SIZE)),
    ),
    "odata": Protocol(
        skips,
        lambda fetch, walk: odata.harvest(
            fetch, walk, odata.Query(url=f"{URL}/set", top=SIZE), lambda entry: entry
        ),
    ),
    "page_numbers": Protocol(numbers, by_number),
    "solr, start": Protocol(index, of_index(cursor=False)),
    "solr, cursor": Protocol(index, of_index(cursor=True)),
    "stac": Protocol(
        geography,
        lambda fetch, walk: stac.harvest(fetch, walk, stac.Options(url=f"{URL}/", limit=SIZE)),
    ),
    "oai_pmh": Protocol(
        repository,
        lambda fetch, walk: oai_pmh.harvest(fetch, walk, oai_pmh.Options(url=f"{URL}/oai")),
    ),
    "informea_web": Protocol(site, of_site),
}


@dataclass
class Walked:
    walk: Walk
    names: list[str] = field(default_factory=list)
    checkpoint: dict[str, Json] | None = None


def walked(
    protocol: Protocol, listed: List, checkpoint: dict[str, Json] | None = None, most: int = 99
) -> Walked:
    """A walk over a list, cut off after so many pages of its documents."""
    made = Walked(Walk(started=datetime.now(UTC), checkpoint=checkpoint))

    async def fetch(request: fetching.Request) -> Payload:
        parts = urlsplit(request.url)
        asked = dict(parse_qsl(parts.query))
        listed.requests.append(asked)
        assert len(listed.requests) < 200, "there is no end to it"
        answer = protocol.answer(listed, parts.path, asked)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return Payload(
            url=request.url, status=200, headers={}, body=body, fetched=datetime.now(UTC)
        )

    async def go() -> None:
        left = most
        async for page in protocol.harvest(fetch, made.walk):
            made.names += [document.identifier for document in page.documents]
            made.checkpoint = page.checkpoint or made.checkpoint
            left -= bool(page.documents)
            if not left:
                return

    asyncio.run(go())
    return made


def names(count: int) -> list[str]:
    return [f"n{number:02}" for number in range(count)]


each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)


@each_protocol
def test_as_many_as_announced_is_all_there_is(protocol: Protocol) -> None:
    made = walked(protocol, List(names(20)))
    assert made.walk.short is None
    assert sorted(made.names) == names(20)


@each_protocol
def test_what_comes_twice_stands_for_nothing_else(protocol: Protocol) -> None:
    # Rows moved between two pages: two of the first came again, two others never.
    made = walked(protocol, List([*names(8), *names(20)[6:]]))
    assert sorted(set(made.names)) == names(20)
    assert made.walk.short == "the source announced 22 entries and gave 20"


@each_protocol
def test_the_rest_of_a_walk_is_compared_as_the_whole_is(protocol: Protocol) -> None:
    first = walked(protocol, List(names(60)), most=3)
    assert first.checkpoint is not None
    rest = walked(protocol, List(names(60)), first.checkpoint)
    assert rest.walk.short is None
    assert sorted({*first.names, *rest.names}) == names(60)
    assert len(rest.names) < 60
    assert walked(protocol, List(names(28), announced=60), first.checkpoint).walk.short


@each_protocol
def test_a_list_that_is_empty_from_where_it_was_cut_off_is_not_complete(
    protocol: Protocol,
) -> None:
    first = walked(protocol, List(names(60)), most=3)
    rest = walked(protocol, List(names(24), announced=60), first.checkpoint)
    assert rest.walk.short
    assert not rest.walk.complete


@each_protocol
def test_a_checkpoint_that_does_not_say_how_many_were_met_is_begun_anew(
    protocol: Protocol,
) -> None:
    checkpoint = walked(protocol, List(names(60)), most=3).checkpoint
    assert checkpoint is not None
    del checkpoint["met"]
    made = walked(protocol, List(names(60)), checkpoint)
    assert made.walk.short is None
    assert sorted(made.names) == names(60)


def by_collection(listed: List, path: str, asked: Asked) -> Json:
    """An API without a search: half of what is listed is in each of two collections."""
    name = [*path.split("/"), "", ""][2]
    catalog = {"type": "Catalog", "stac_version": "1.0.0", "id": "r", "description": "All"}
    if path == "/":
        return {**catalog, "links": [{"rel": "data", "href": "collections"}]}
    if not name:
        kept = {
            **catalog,
            "type": "Collection",
            "license": "CC0-1.0",
            "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None] * 2]}},
            "links": [],
        }
        return {"collections": [{**kept, "id": "c"}, {**kept, "id": "d"}], "links": []}
    half = len(listed.names) // 2
    part = List(listed.names[:half] if name == "c" else listed.names[half:])
    told = geography(part, "/search", asked)
    for link in told["links"]:
        link["href"] = link["href"].replace("search", "items")
    return told


def test_a_walk_by_collections_goes_on_behind_the_one_it_was_cut_off_in() -> None:
    protocol = Protocol(by_collection, PROTOCOLS["stac"].harvest)
    for most in (1, 2, 4, 5):
        first = walked(protocol, List(names(40)), most=most)
        rest = walked(protocol, List(names(40)), first.checkpoint)
        assert rest.walk.short is None
        assert sorted({*first.names, *rest.names}) == names(40)
        assert len(rest.names) < 40, "and does not begin anew"
        assert not rest.walk.covers_all
