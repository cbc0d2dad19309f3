"""InforMEA's hub, services and site: their replicas through their lives, and services that
misbehave."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest

from chm_hub import fetch as fetching
from chm_hub.document import Document, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch.sniff import kind_of
from chm_hub.settings import Settings
from demo.hosts import informea as replica
from demo.network import Network
from demo.server import Answer, Request
from harvesters import odata
from tests.adapters.partners import Record, age, compare, run_of, serving
from tests.running import Hub

HUB = "demo-informea-hub-"
SOURCES = [
    *(f"{HUB}{entity}" for entity in ("decisions", "meetings", "countryreports", "nationalplans")),
    *(f"{HUB}{entity}" for entity in ("sites", "documents", "treaties")),
    "demo-informea-cbd-decisions",
    "demo-informea-cbd-countryreports",
    "demo-informea-cbd-countryprofiles",
    "demo-informea-chemicals-documents",
    "demo-informea-contacts-contacts",
    "demo-informea-web-decisions",
    "demo-informea-web-court-decisions",
    "demo-informea-web-legislation",
]
WAIT = {s for s in SOURCES if "-web-" in s} | {"demo-informea-cbd-countryprofiles"}
"""What is gone here must be missing twice: pages of HTML and keys of two parts say nothing."""


def harvest(hub: Hub, names: list[str], *more: str) -> dict[str, Record]:
    said = hub("harvest", *names, "--json", *more)
    runs = {line["source"]: line for line in said.lines}
    assert set(runs) == set(names), said.err
    for name, run in runs.items():
        assert run["state"] in ("complete", "complete_with_warnings"), (name, run)
    return runs


@pytest.mark.slow
def test_the_replicas_through_their_lives(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        texts = network.sources()
        assert {n for n in texts if n.startswith("demo-informea")} == set(SOURCES)
        for name in SOURCES:
            hub.source(name, texts[name])
        first = harvest(hub, SOURCES)
        truth = network.truth()
        records = hub.records("--with-deleted")
        compare(records, truth, SOURCES)
        for name, run in first.items():
            assert run["state"] == "complete", (name, run)
            assert run["new"] == len(truth[name].live), name
            assert not run["issues"], (name, run)

        quiet = [name for name in SOURCES if name.startswith(HUB)]
        again = harvest(hub, SOURCES)
        assert all(run["new"] == run["changed"] == 0 for run in again.values()), again
        assert all(again[name]["requests"] <= 3 for name in quiet), again
        harvest(hub, SOURCES, "--full")
        assert hub.records("--with-deleted") == records, "no datestamp, no seq moves"

        for phase in (1, 2):
            before = truth
            network.advance()
            truth = network.truth()
            runs = harvest(hub, SOURCES)
            for name in SOURCES:
                changed = [
                    identifier
                    for identifier, now in truth[name].live.items()
                    if before[name].live.get(identifier) not in (None, now)
                ]
                assert runs[name]["changed"] >= len(changed), (name, runs[name])
            waiting = age(settings, SOURCES)
            assert {record.partition("/")[0] for record in waiting} == WAIT
            harvest(hub, sorted(WAIT))
            records = hub.records("--with-deleted")
            compare(records, truth, SOURCES)
            broken = runs[f"{HUB}documents"]
            assert broken["quarantined"] == (1 if phase == replica.BREAKS_IN else 0), broken
            for name in SOURCES:
                if "-web-" not in name and "profiles" not in name:
                    gone = {r["source_identifier"] for r in records.values() if r["deleted"]}
                    assert truth[name].deleted - set(truth[name].live) <= gone, name

        # A whole walk steps over the broken one too, and what the hub had of it stays.
        run = harvest(hub, [f"{HUB}documents"], "--full")[f"{HUB}documents"]
        assert (run["state"], run["quarantined"]) == ("complete_with_warnings", 1)
        compare(hub.records("--with-deleted"), truth, SOURCES)


def test_one_decision_has_one_key_wherever_it_comes_from(hub: Hub) -> None:
    names = [f"{HUB}decisions", "demo-informea-cbd-decisions", "demo-informea-web-decisions"]
    with Network(seed=5) as network:
        for name in names:
            hub.source(name, network.sources()[name])
        harvest(hub, names)
    keys: dict[str, list[str]] = {}
    for record in hub.records().values():
        (key,) = record["same_as"]
        keys.setdefault(key, []).append(record["source"])
    of_cbd = [k for k in keys if k.split(":")[2].split("/")[0] in ("cbd", "cartagena", "nagoya")]
    assert len(of_cbd) > 100
    assert all(sorted(keys[key]) == sorted(names) for key in of_cbd)
    assert all(names[1] not in keys[key] for key in keys if key not in of_cbd)


def test_contacts_are_offices_and_nothing_of_a_person_is_kept(hub: Hub) -> None:
    name = "demo-informea-contacts-contacts"
    with Network(seed=5) as network:
        hub.source(name, network.sources()[name])
        harvest(hub, [name])
    told = json.dumps(hub.records())
    assert "National Focal Point" in told
    secrets = ("Firstname", "Lastname", "@example.org", "Example Street", "+999")
    assert not any(secret in told for secret in secrets)
    native = next(iter(hub.records()))
    (explained,) = hub("explain", native, "--json").lines
    assert not any(secret in json.dumps(explained) for secret in secrets)
    for path in hub.data.rglob("*"):
        if path.is_file():
            assert b"Firstname" not in path.read_bytes(), path


def test_contacts_are_not_harvested_unless_it_is_said(hub: Hub) -> None:
    hub.source("c", source("http://127.0.0.1:1", entity="Contacts"))
    said = hub("sources", "check")
    assert said.code == 2
    assert "contacts = true" in said.err + said.out


# --- services that misbehave -------------------------------------------------------------


def source(url: str, entity: str = "Decisions", more: str = "") -> str:
    return (
        f'title = "S"\nadapter = "informea"\nurl = "{url}/informea.svc"\n'
        f'[options]\nentity = "{entity}"\ntop = 4\ntries = 1\n{more}\n'
    )


def rows(count: int, **more: Any) -> list[dict[str, Any]]:
    return [
        {
            "id": f"d{n:02}",
            "title": [{"language": "en", "value": f"Decision {n}"}],
            "treaty": "cbd",
            "updated": f"/Date({1_400_000_000_000 + n * 1000})/",
            **more,
        }
        for n in range(count)
    ]


def v2(cut: list[Any], **more: Any) -> Any:
    return {"d": {"results": cut, **more}}


class Service:
    """A service over some rows, which does what it is asked unless a bend says otherwise."""

    def __init__(
        self, entries: list[dict[str, Any]], wrap: Callable[..., Any] = v2, **bends: Any
    ) -> None:
        self.entries = entries
        self.wrap = wrap
        self.bends = bends
        self.asked: list[str] = []

    def respond(self, request: Request) -> Answer:
        self.asked.append(f"{request.path}?{request.query}")
        asked = dict(request.arguments())
        bends = self.bends
        for part in bends.get("refuses", ()):
            if part in asked:
                return self.error(f"unknown {part}", 400)
        if request.path.endswith("/$count"):
            count = bends.get("count", len(self.entries))
            if count is None:
                return Answer(b"<html>none</html>", "text/html", 404)
            return Answer(f"\ufeff{count}".encode(), "text/plain")
        if request.path.endswith(")"):
            name = request.path.rpartition("(")[2].strip("')")
            if any(entry["id"] == name for entry in self.entries):
                return self.json({"d": {"id": name}})
            if bends.get("html_404"):
                return Answer(b"<html>gone</html>", "text/html", 404)
            return self.error("not found", 404)
        if "$skiptoken" in asked:
            return self.error("unknown token", bends["tokens"])
        skip = 0 if bends.get("ignores_skip") else int(asked.get("$skip", 0))
        top = min(int(bends.get("cap", 9999)), int(asked.get("$top", 9999)))
        if bends.get("ignores_top"):
            top = 9999
        cut = self.entries[skip : skip + top]
        broken = bends.get("broken", set())
        if any(entry.get("id") in broken for entry in cut):
            names_too = bends.get("nameless") or "$select" not in asked
            if names_too and bends.get("how") == "xml":
                return Answer(ERROR, "application/xml", 200)
            if names_too and bends.get("how") == "text":
                return Answer(b"An exception occurred", "text/plain", 200)
            if names_too and bends.get("how") == "json":
                return Answer(b'{"d": {"results": [{"id": "d01", "ti', "application/json", 200)
            if names_too:
                return Answer(ERROR, "application/xml", 500)
        return self.json(self.wrap(cut, **self.more(skip, top)))

    def more(self, skip: int, top: int) -> dict[str, Any]:
        if "links" not in self.bends or skip + top >= len(self.entries):
            return {}
        return {"__next": self.bends["links"].format(skip=skip + top)}

    def json(self, value: Any) -> Answer:
        return Answer(json.dumps(value).encode(), "application/json")

    def error(self, said: str, status: int) -> Answer:
        body = {"error": {"code": None, "message": {"lang": "en", "value": said}}}
        return Answer(json.dumps(body).encode(), "application/json", status)


ERROR = (
    b'<?xml version="1.0" encoding="UTF-8"?><error xmlns="http://schemas.microsoft.com/ado/2007/08'
    b'/dataservices/metadata"><code/><message xml:lang="en">An exception occurred</message></error>'
)


def run_over(hub: Hub, service: Service, more: str = "", *arguments: str) -> Record:
    with serving(service.respond) as url:
        hub.source("s", source(url, more=more))
        return run_of(hub, "s", *arguments)


@dataclass
class Walked:
    """What came of a walk that no hub was behind."""

    walk: Walk
    documents: list[Document] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def names(self) -> set[str]:
        return {document.identifier for document in self.documents}


def walked(service: Service, walk: Walk | None = None, **query: Any) -> Walked:
    """The harvester alone over a service."""

    async def fetch(request: fetching.Request) -> Payload:
        parts = urlsplit(request.url)
        answer = service.respond(Request("GET", parts.path, parts.query, {}))
        if answer.status not in request.accept:
            raise FetchError("no", reason=f"http_{answer.status}", status=answer.status)
        if request.kinds and answer.status == 200 and kind_of(answer.body) not in request.kinds:
            raise ProtocolError("no", reason=kind_of(answer.body))
        now = datetime.now(UTC)
        return Payload(
            url=request.url, status=answer.status, headers={}, body=answer.body, fetched=now
        )

    asked = {
        "url": "http://s.example/s.svc/Decisions",
        "expand": ("title",),
        "order": "updated desc,id",
        "top": 4,
        **query,
    }
    made = Walked(walk or Walk(started=datetime.now(UTC)))

    async def go() -> None:
        steps = odata.harvest(fetch, made.walk, odata.Query(**asked), lambda entry: entry)
        async for page in steps:
            made.documents += page.documents
            made.rejects += page.rejects

    asyncio.run(go())
    return made


def held(hub: Hub) -> set[str]:
    return {r["source_identifier"] for r in hub.records("--source", "s").values()}


def names_of(entries: list[dict[str, Any]]) -> set[str]:
    return {entry["id"] for entry in entries}


@pytest.mark.parametrize(
    "wrap",
    [
        v2,
        lambda cut, **more: {"d": cut},
        lambda cut, **more: {"odata.metadata": "x", "value": cut},
        lambda cut, **more: {"@odata.context": "x", "value": cut},
        lambda cut, **more: cut,
    ],
    ids=["results", "array", "light", "v4", "list"],
)
@pytest.mark.parametrize("count", [True, False])
def test_every_shape_of_answer_is_read(wrap: Callable[..., Any], count: bool) -> None:
    service = Service(rows(10), wrap, **({} if count else {"count": None}))
    made = walked(service)
    assert made.walk.complete
    assert made.walk.covers_all
    assert made.names == names_of(rows(10))
    assert {d.body["updated"] for d in made.documents} >= {"2014-05-13T16:53:20Z"}


def test_an_atom_feed_is_read(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        if request.path.endswith("$count"):
            return Answer(b"1", "text/plain")
        return Answer(ATOM, "application/atom+xml")

    with serving(respond) as url:
        hub.source("s", source(url, entity="Meetings", more='dialect = "atom"'))
        run = run_of(hub, "s")
    assert (run["state"], run["new"]) == ("complete", 1)
    (record,) = hub.records().values()
    assert [t["value"] for t in record["title"]] == ["Workshop", "Atelier"]
    assert record["temporal"] == {"start": "2023-07-03", "end": "2023-07-05"}
    assert record["bbox"] == [21.5, 1.5, 21.5, 1.5]
    assert record["description"] == [{"value": "An inline text", "lang": "en"}]


ATOM = b"""<?xml version="1.0"?><feed xmlns="http://www.w3.org/2005/Atom"
 xmlns:d="http://schemas.microsoft.com/ado/2007/08/dataservices"
 xmlns:m="http://schemas.microsoft.com/ado/2007/08/dataservices/metadata"><m:count>1</m:count>
<entry><id>x</id><link rel="edit" href="Meetings('m1')"/>
<link rel="http://schemas.microsoft.com/ado/2007/08/dataservices/related/description"><m:inline>
<feed><entry><content><m:properties><d:language>en</d:language><d:value>An inline text</d:value>
</m:properties></content></entry></feed></m:inline></link>
<content type="application/xml"><m:properties><d:id>m1</d:id><d:treaty>m1</d:treaty>
<d:title m:type="Collection(T)"><m:item><d:language>en</d:language><d:value>Workshop</d:value>
</m:item><m:item><d:language>fr</d:language><d:value>Atelier</d:value></m:item></d:title>
<d:start m:type="Edm.DateTime">2023-07-03T00:00:00</d:start>
<d:end m:type="Edm.DateTime">2023-07-05T00:00:00</d:end>
<d:latitude m:type="Edm.Double">1.5</d:latitude><d:longitude m:type="Edm.Double">21.5</d:longitude>
<d:virtual m:type="Edm.Boolean">false</d:virtual><d:kind m:null="true"/>
</m:properties></content></entry></feed>"""


def test_a_service_that_takes_no_notice_of_skip_ends_as_partial(hub: Hub) -> None:
    service = Service(rows(10), ignores_skip=True, count=None)
    run = run_over(hub, service)
    assert run["state"] == "partial"
    assert "$skip" in run["reason"]
    assert len(service.asked) == 3


def test_a_service_that_gives_all_it_has_at_once_is_complete(hub: Hub) -> None:
    service = Service(rows(10), ignores_skip=True, ignores_top=True, count=None)
    assert run_over(hub, service)["state"] == "complete"
    service = Service(rows(3), ignores_skip=True, count=None)
    run = run_over(hub, service, "paged = false")
    assert run["state"] == "complete"
    assert all("$top" not in asked for asked in service.asked)


@pytest.mark.parametrize("cap", [1, 3])
def test_a_cap_of_the_server_loses_nothing(cap: int) -> None:
    made = walked(Service(rows(7), cap=cap, count=None))
    assert made.walk.complete
    assert made.names == names_of(rows(7))


def test_next_links_are_followed_on_our_own_host() -> None:
    link = "http://behind.internal:8080/x/Decisions?$skip={skip}&$top=4"
    made = walked(Service(rows(10), links=link))
    assert made.walk.complete
    assert len(made.names) == 10


def test_a_next_link_that_comes_twice_ends_the_walk() -> None:
    service = Service(rows(10), links="Decisions?$skip=4&$top=4")
    made = walked(service)
    assert not made.walk.complete
    assert "circles" in str(made.walk.short)
    assert len(service.asked) < 6


@pytest.mark.parametrize("status", [400, 404, 410, 500])
@pytest.mark.parametrize("count", [10, None])
def test_where_a_next_link_is_dead_the_walk_goes_on_by_skip(status: int, count: int | None) -> None:
    link = "Decisions?$skiptoken={skip}"
    service = Service(rows(10), links=link, tokens=status, count=count)
    made = walked(service)
    assert made.walk.complete
    assert made.names == names_of(rows(10))
    assert made.walk.warnings == {"next_link_broken": 1 if status < 500 else 2}
    place = {"skip": 4, "link": f"http://s.example/s.svc/{link}", "met": 4, "announced": None}
    rest = walked(service, Walk(started=datetime.now(UTC), checkpoint=place))
    assert rest.walk.complete
    assert rest.names == names_of(rows(10)[4:])


def test_where_a_service_knows_no_skip_either_the_walk_is_partial() -> None:
    link = "Decisions?$skiptoken={skip}"
    made = walked(Service(rows(10), links=link, tokens=410, ignores_skip=True))
    assert "takes no notice of $skip" in str(made.walk.short)
    assert made.names == names_of(rows(4))


def test_fewer_than_counted_is_partial(hub: Hub) -> None:
    run = run_over(hub, Service(rows(6), count=9))
    assert run["state"] == "partial"
    assert "announced 9" in run["reason"]


def test_an_empty_page_where_some_are_counted_is_no_empty_set() -> None:
    made = walked(Service([], count=7))
    assert not made.walk.complete
    assert not made.walk.covers_all


def test_an_empty_set_of_the_right_shape_is_empty(hub: Hub) -> None:
    run = run_over(hub, Service([]))
    assert (run["state"], run["seen"]) == ("complete", 0)


@pytest.mark.parametrize("body", [b'{"message": "nothing here"}', b'{"d": null}', b"<x/>"])
def test_another_shape_is_no_empty_list(hub: Hub, body: bytes) -> None:
    with serving(lambda request: Answer(body, "application/json")) as url:
        hub.source("s", source(url))
        run = run_of(hub, "s")
    assert (run["state"], run["error"]) == ("failed", "no_list")


def test_a_page_of_html_is_no_answer(hub: Hub) -> None:
    with serving(lambda request: Answer(b"<html><title>Login</title></html>", "text/html")) as url:
        hub.source("s", source(url))
        assert run_of(hub, "s")["error"] == "html"


@pytest.mark.parametrize("how", ["500", "xml", "text", "json"])
@pytest.mark.parametrize("place", [0, 1, 5, 39])
@pytest.mark.parametrize("top", [1, 4, 7, 100])
def test_one_broken_record_is_stepped_over(how: str, place: int, top: int) -> None:
    entries = rows(40)
    name = entries[place]["id"]
    service = Service(entries, broken={name}, how=how)
    made = walked(service, top=top)
    assert made.walk.complete
    assert made.names == names_of(entries) - {name}
    (reject,) = made.rejects
    assert (reject.reason, reject.identifier) == ("broken_record", name)
    assert f"$skip={place}" in reject.fragment.decode()


def test_two_broken_records_and_a_cap(hub: Hub) -> None:
    entries = rows(40)
    service = Service(entries, broken={"d05", "d06"}, cap=3)
    run = run_over(hub, service)
    assert (run["state"], run["new"], run["quarantined"]) == ("complete_with_warnings", 38, 2)
    assert held(hub) == names_of(entries) - {"d05", "d06"}


def test_what_the_hub_has_of_a_broken_record_stays(hub: Hub, settings: Settings) -> None:
    entries = rows(12)
    service = Service(entries)
    with serving(service.respond) as url:
        hub.source("s", source(url))
        assert run_of(hub, "s")["new"] == 12
        service.bends["broken"] = {"d05"}
        for nameless in (False, True):
            service.bends["nameless"] = nameless
            for _ in range(2):
                assert run_of(hub, "s", "--full")["quarantined"] == 1
                age(settings, ["s"])
            assert held(hub) == names_of(entries), "it is broken, not gone"


def test_a_service_that_is_broken_altogether_fails(hub: Hub) -> None:
    service = Service(rows(30), broken=names_of(rows(30)), nameless=True)
    run = run_over(hub, service)
    assert run["state"] == "failed"
    assert len(service.asked) < 40


def test_control_characters_in_a_text_are_no_loss(hub: Hub) -> None:
    body = json.dumps(v2(rows(3))).replace("Decision 1", "Decision \x0b1").encode()

    def respond(request: Request) -> Answer:
        if request.path.endswith("$count"):
            return Answer(b"3", "text/plain")
        return Answer(body, "application/json")

    with serving(respond) as url:
        hub.source("s", source(url))
        run = run_of(hub, "s")
    assert run["state"] == "complete_with_warnings"
    assert run["warnings"] == {"control_characters": 1}
    assert {r["title"][0]["value"] for r in hub.records().values()} == {
        "Decision 0",
        "Decision 1",
        "Decision 2",
    }


@pytest.mark.parametrize("refuses", [("$format",), ("$orderby",), ("$format", "$orderby")])
def test_what_a_service_refuses_it_is_not_asked_again(refuses: tuple[str, ...]) -> None:
    service = Service(rows(9), refuses=refuses)
    first = walked(service)
    assert first.walk.complete
    service.asked.clear()
    again = Walk(started=datetime.now(UTC), memory=dict(first.walk.learned))
    assert walked(service, again).walk.complete
    assert not any(part in asked for part in refuses for asked in service.asked)


def test_an_expansion_that_is_refused_says_so(hub: Hub) -> None:
    run = run_over(hub, Service(rows(3), refuses=("$expand",)))
    assert (run["state"], run["error"]) == ("failed", "http_400")
    run = run_over(hub, Service(rows(3), refuses=("$expand",)), "expand = []")
    assert run["state"] == "complete"


def test_a_duplicate_is_said_and_given_once() -> None:
    entries = rows(6)
    again = [*entries[:4], entries[3], *entries[4:]]
    for count in (6, 7):
        made = walked(Service(again, count=count))
        # Where it is counted too, another one may have been passed over for it.
        assert made.walk.complete is (count == 6)
        assert made.walk.warnings["duplicate"] == 1
        assert [d.identifier for d in made.documents] == sorted(names_of(entries))


def test_an_entry_without_a_name_is_set_aside_alone(hub: Hub) -> None:
    entries = [*rows(9), {"title": [{"language": "en", "value": "Nameless"}]}]
    run = run_over(hub, Service(entries))
    assert (run["state"], run["new"], run["quarantined"]) == ("complete_with_warnings", 9, 1)


def test_what_is_not_listed_goes_at_the_services_own_word(hub: Hub) -> None:
    service = Service(rows(8))
    with serving(service.respond) as url:
        hub.source("s", source(url))
        run_of(hub, "s")
        del service.entries[2]
        run = run_of(hub, "s", "--full")
    assert run["deleted"] == 1
    assert "d02" not in held(hub)


def test_a_page_of_html_is_no_deletion(hub: Hub) -> None:
    service = Service(rows(8), html_404=True)
    with serving(service.respond) as url:
        hub.source("s", source(url))
        run_of(hub, "s")
        del service.entries[2]
        run = run_of(hub, "s", "--full")
    assert run["deleted"] == 0
    assert run["warnings"] == {"missing_at_source": 1}
    assert "d02" in held(hub)


def test_a_service_that_does_not_find_what_it_lists_deletes_nothing(hub: Hub) -> None:
    service = Service(rows(8))

    def respond(request: Request) -> Answer:
        if request.path.endswith(")"):
            return service.error("not found", 404)
        return service.respond(request)

    with serving(respond) as url:
        hub.source("s", source(url))
        run_of(hub, "s")
        del service.entries[2]
        run = run_of(hub, "s", "--full")
    assert run["deleted"] == 0
    assert run["warnings"]["deletion_not_confirmed"] == 1
    assert "d02" in held(hub)


class Changing(Service):
    """A service whose entries change; ``filters`` and ``orders`` say what it takes notice of."""

    def __init__(self, count: int, *, filters: bool, orders: bool) -> None:
        super().__init__(rows(count))
        self.filters, self.orders = filters, orders

    def respond(self, request: Request) -> Answer:
        asked = dict(request.arguments())
        kept = self.entries
        try:
            if self.orders and "$orderby" in asked:
                self.entries = sorted(kept, key=stamp, reverse=True)
            if self.filters and "$filter" in asked and not request.path.endswith("$count"):
                said = asked["$filter"].split("'")[1]
                bound = datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp() * 1000
                self.entries = [e for e in self.entries if stamp(e) > bound]
            return super().respond(request)
        finally:
            self.entries = kept


def stamp(entry: dict[str, Any]) -> int:
    return int(entry["updated"][6:-2])


@pytest.mark.parametrize("filters", [True, False])
@pytest.mark.parametrize("orders", [True, False])
def test_changes_are_found_by_filter_by_order_or_by_reading_all(
    hub: Hub, filters: bool, orders: bool
) -> None:
    service = Changing(20, filters=filters, orders=orders)
    with serving(service.respond) as url:
        hub.source("s", source(url))
        assert run_of(hub, "s")["new"] == 20
        service.asked.clear()
        run = run_of(hub, "s")
        assert run["state"] == "complete"
        assert (run["requests"] <= 3) is (filters or orders), service.asked
        now = int(time.time() * 1000)
        service.entries[3]["title"] = [{"language": "en", "value": "Decision 3, amended"}]
        service.entries[3]["updated"] = f"/Date({now})/"
        service.entries.append({**rows(1)[0], "id": "d99", "updated": f"/Date({now})/"})
        del service.entries[10]
        run = run_of(hub, "s")
    assert (run["new"], run["changed"], run["deleted"]) == (1, 1, 1), (run, service.asked)
    titles = {r["source_identifier"]: r["title"][0]["value"] for r in hub.records().values()}
    assert titles["d03"] == "Decision 3, amended"
    assert "d10" not in titles
    assert "d99" in titles


def test_entries_that_do_not_say_when_they_changed_are_read_whole(hub: Hub) -> None:
    entries = rows(9)
    del entries[4]["updated"]
    service = Service(entries)
    with serving(service.respond) as url:
        hub.source("s", source(url))
        run_of(hub, "s")
        entries[4]["title"] = [{"language": "en", "value": "Changed"}]
        run = run_of(hub, "s")
    assert (run["changed"], run["unchanged"]) == (1, 8)
