"""The demonstration network against its own truth, over real HTTP with naive clients."""

from __future__ import annotations

import http.client
import json
import os
import re
import threading
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlencode, urlsplit

import feedparser
import pytest
from lxml import etree

from chm_hub.record import RECORD_TYPES, Text
from demo import Network
from demo.phrases import countries
from demo.scbd_records import wheel
from demo.solr_query import QueryError, compile_query
from tests.conftest import ROOT

SCHEMAS = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "schemas"
OAI = "{http://www.openarchives.org/OAI/2.0/}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
START = datetime(2026, 1, 5, 8, 30, 15, tzinfo=UTC)
PHASES = range(4)
REALMS = {"demo-chm": "chm", "demo-bch": "bch", "demo-absch": "abs", "demo-ort": "ort"}
LABELS = {
    "Dataset": "dataset",
    "Case study": "caseStudy",
    "Best practice": "bestPractice",
    "Guidance": "toolGuidance",
    "Research report": "researchReport",
    "Law": "law",
    "News": "news",
    "Event": "event",
    "E-learning": "elearning",
    "Policy document": "policyDocument",
    "Project": "project",
    "Protected area": "protectedArea",
    "National report": "nationalReport",
    "NBSAP": "nbsap",
    "Meeting": "meeting",
    "Press release": "pressRelease",
}
SCBD_TYPES = {
    "nationalReport": "nationalReport",
    "nationalReport6": "nationalReport",
    "nationalReport7": "nationalReport",
    "nbsap": "nbsap",
    "nationalTarget": "nationalTarget",
    "nationalTarget7": "nationalTarget",
    "focalPoint": "focalPoint",
    "authority": "authority",
    "measure": "law",
    "absPermit": "permit",
    "biosafetyLaw": "law",
    "biosafetyDecision": "decision",
    "nationalRiskAssessment": "riskAssessment",
    "resource": "resource",
    "organization": "organization",
    "marineEbsa": "ebsa",
    "submission": "submission",
    "meeting": "meeting",
    "notification": "notification",
    "pressRelease": "pressRelease",
    "statement": "statement",
    "news": "news",
    "decision": "decision",
    "modifiedOrganism": "modifiedOrganism",
    "dnaSequence": "dnaSequence",
    "organism": "organism",
    "independentRiskAssessment": "riskAssessment",
    "laboratoryDetection": "organization",
    "biosafetyExpert": "expert",
    "supplementaryAuthority": "authority",
    "cpbNationalReport4": "nationalReport",
    "database": "dataset",
    "absProcedure": "toolGuidance",
    "absCheckpoint": "checkpoint",
    "absCheckpointCommunique": "checkpoint",
    "absNationalModelContractualClause": "toolGuidance",
    "absNationalReport1": "nationalReport",
    "modelContractualClause": "toolGuidance",
    "communityProtocol": "policyDocument",
    "capacityBuildingInitiative": "capacityBuilding",
    "contact": "contact",
    "nationalAssessment": "nationalAssessment",
    "nationalIndicator": "indicator",
    "implementationActivity": "project",
    "nationalSupportTool": "toolGuidance",
    "caseStudy": "caseStudy",
    "lwProject": "project",
    "event": "event",
    "nationalTarget7Mapping": "nationalTarget",
    "nationalReport7IndicatorData": "dataset",
    "stakeholderCommitment": "project",
}


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.moment = START

    def __call__(self) -> datetime:
        return self.moment

    def move(self, **steps: float) -> None:
        self.moment += timedelta(**steps)


class Got(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    def xml(self) -> Any:
        return etree.fromstring(self.body)


class Client:
    """One kept-alive connection."""

    def __init__(self, network: Network) -> None:
        parts = urlsplit(network.url)
        assert parts.hostname == "127.0.0.1"
        self.connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=20)

    def ask(
        self,
        target: str,
        parameters: Any = None,
        *,
        method: str = "GET",
        headers: dict[str, str] | None = None,
        body: bytes | None = None,
    ) -> Got:
        if parameters is not None:
            target += "?" + urlencode(parameters)
        self.connection.request(method, target, body=body, headers=headers or {})
        answer = self.connection.getresponse()
        named = {name.lower(): value for name, value in answer.getheaders()}
        return Got(answer.status, named, answer.read())

    def oai(self, path: str, **arguments: str) -> Any:
        arguments = {name.rstrip("_"): value for name, value in arguments.items()}
        got = self.ask(path, arguments)
        assert got.status == 200
        assert got.headers["content-type"] == "text/xml; charset=UTF-8"
        return got.xml()

    def index(self, *parameters: tuple[str, Any]) -> Any:
        got = self.ask("/scbd/api/v2013/index/select", [("q", "*:*"), *parameters])
        assert got.status == 200, got.body
        return got.json()

    def rows(self, *filters: str) -> list[dict[str, Any]]:
        """Every row that passes the filters, page by page."""
        rows: list[dict[str, Any]] = []
        while True:
            page = [("sort", "id asc"), ("rows", 100), ("start", len(rows))]
            answer = self.index(*page, *[("fq", text) for text in filters])["response"]
            assert answer["start"] == len(rows)
            rows += answer["docs"]
            if not answer["docs"]:
                assert len(rows) == answer["numFound"]
                return rows

    def document(self, name: str, suffix: str = "", **headers: str) -> Got:
        return self.ask(f"/scbd/api/v2013/documents/{name}{suffix}", headers=headers)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def network(clock: Clock) -> Iterator[Network]:
    with Network(clock=clock) as running:
        yield running


@pytest.fixture
def client(network: Network) -> Iterator[Client]:
    made = Client(network)
    yield made
    made.connection.close()


def error_of(root: Any) -> str | None:
    found = root.find(f"{OAI}error")
    return None if found is None else found.get("code")


def walk(client: Client, path: str, **arguments: str) -> list[Any]:
    """The records or headers of a list, with every token followed."""
    verb = arguments["verb"]
    wanted = "record" if verb == "ListRecords" else "header"
    found: list[Any] = []
    sizes = set()
    while True:
        listed = client.oai(path, **arguments).find(f"{OAI}{verb}")
        page = listed.findall(f"{OAI}{wanted}")
        assert 0 < len(page) <= 50
        token = listed.find(f"{OAI}resumptionToken")
        if token is not None:
            assert int(token.get("cursor")) == len(found)
            sizes.add(int(token.get("completeListSize")))
        found += page
        if token is None or not token.text:
            assert sizes <= {len(found)}
            return found
        arguments = {"verb": verb, "resumptionToken": token.text}


def header_of(record: Any) -> tuple[str, str, bool]:
    """Identifier, datestamp, whether deleted."""
    header = record if record.tag == f"{OAI}header" else record.find(f"{OAI}header")
    return (
        header.findtext(f"{OAI}identifier"),
        header.findtext(f"{OAI}datestamp"),
        header.get("status") == "deleted",
    )


def values(record: Any, name: str) -> list[tuple[str, str | None]]:
    """The values of a Dublin Core element with their languages."""
    metadata = record.find(f"{OAI}metadata")
    found = [e for e in metadata.iter() if etree.QName(e).localname == name]
    return [(e.text, e.get(XML_LANG)) for e in found]


def place_codes(texts: list[str]) -> tuple[str, ...]:
    known = {c.code: c.code for c in countries()} | {c.names["en"]: c.code for c in countries()}
    return tuple(known[text] for text in texts if text in known)


# ------------------------------------------------------------------------ repositories


@pytest.mark.parametrize(
    ("source", "path", "prefix", "place"),
    [
        ("demo-oai", "/oai", "oai_dcterms", "spatial"),
        ("demo-oai", "/oai", "oai_dc", "coverage"),
        ("demo-oai-days", "/oai-days", "oai_dc", "coverage"),
    ],
)
def test_a_walk_of_a_repository_finds_the_truth_in_every_phase(
    network: Network, client: Client, clock: Clock, source: str, path: str, prefix: str, place: str
) -> None:
    for phase in PHASES:
        truth = network.truth()[source]
        live, deleted = {}, set()
        for record in walk(client, path, verb="ListRecords", metadataPrefix=prefix):
            identifier, _, is_deleted = header_of(record)
            if is_deleted:
                assert record.find(f"{OAI}metadata") is None
                deleted.add(identifier)
                continue
            live[identifier] = (
                LABELS[values(record, "type")[0][0]],
                {Text(value=value, lang=lang) for value, lang in values(record, "title")},
                place_codes([value for value, _ in values(record, place)]),
            )
        assert deleted == truth.deleted
        assert live == {
            name: (expected.type, set(expected.title), expected.countries)
            for name, expected in truth.live.items()
        }
        assert network.phase == phase
        clock.move(days=1)
        network.advance()


def test_a_phase_edits_adds_withdraws_and_revives(network: Network, clock: Clock) -> None:
    def parts() -> dict[str, tuple[dict[str, Any], set[str]]]:
        truth = network.truth()
        made = {
            name: (dict(truth[name].live), set(truth[name].deleted))
            for name in ("demo-oai", "demo-oai-days")
        }
        # The clearing-houses live as one.
        live = {key: value for name in REALMS for key, value in truth[name].live.items()}
        made["scbd"] = live, {key for name in REALMS for key in truth[name].deleted}
        return made

    before = parts()
    for phase in range(1, 4):
        clock.move(days=1)
        network.advance()
        after = parts()
        for name, (live, deleted) in after.items():
            old_live, old_deleted = before[name]
            assert live.keys() - old_live.keys() - old_deleted, "nothing appeared"
            assert deleted - old_deleted, "nothing was withdrawn"
            if name != "scbd" or phase > 1:
                assert live.keys() & old_deleted, "nothing came back"
            assert not live.keys() & deleted
            assert any(live[key] != old_live[key] for key in live.keys() & old_live.keys())
        truth = network.truth()
        for name in ("demo-oai", "demo-oai-days", *REALMS):
            # Less than a tenth goes at once: a hub need not hold the run.
            gone = truth[name].deleted - before.get(name, before["scbd"])[1]
            assert len(gone) * 10 < len(truth[name].live)
        before = after


@pytest.mark.parametrize("source", ["demo-oai", "demo-oai-days"])
def test_an_incremental_walk_gets_what_changed(
    network: Network, client: Client, clock: Clock, source: str
) -> None:
    path = {"demo-oai": "/oai", "demo-oai-days": "/oai-days"}[source]
    for _ in range(3):
        before = network.truth()[source]
        clock.move(days=2)
        network.advance()
        after = network.truth()[source]
        form = "%Y-%m-%dT%H:%M:%SZ" if source == "demo-oai" else "%Y-%m-%d"
        since = clock().strftime(form)
        got = {
            header_of(h)[0]: header_of(h)[2]
            for h in walk(
                client, path, verb="ListIdentifiers", metadataPrefix="oai_dc", from_=since
            )
        }
        gone = after.deleted - before.deleted
        new = after.live.keys() - before.live.keys()
        changed = {k for k in after.live.keys() & before.live.keys()} & {
            k for k in after.live if after.live[k] != before.live.get(k)
        }
        assert {name for name, is_deleted in got.items() if is_deleted} == gone
        assert new | changed <= got.keys()
        # One of the two restamps everything it has; the other gives little more than that.
        restamps = (network.phase % 2 == 0) == (source == "demo-oai")
        assert (after.live.keys() <= got.keys()) == restamps
        again = walk(
            client, path, verb="ListIdentifiers", metadataPrefix="oai_dc", from_=since, until=since
        )
        assert len(again) == len(got), "the bounds are inclusive"


def test_a_restamp_changes_no_content(network: Network, client: Client, clock: Clock) -> None:
    def metadata() -> dict[str, bytes]:
        return {
            header_of(r)[0]: etree.tostring(r.find(f"{OAI}metadata"))
            for r in walk(client, "/oai-days", verb="ListRecords", metadataPrefix="oai_dc")
            if not header_of(r)[2]
        }

    before = metadata()
    clock.move(days=1)
    network.advance()
    after = metadata()
    same = [name for name in before.keys() & after.keys() if before[name] == after[name]]
    assert len(same) > 50


def test_sets_formats_and_single_records(network: Network, client: Client) -> None:
    truth = network.truth()["demo-oai"]
    first = client.oai("/oai", verb="ListSets").find(f"{OAI}ListSets")
    token = first.findtext(f"{OAI}resumptionToken")
    second = client.oai("/oai", verb="ListSets", resumptionToken=token).find(f"{OAI}ListSets")
    specs = [e.text for page in (first, second) for e in page.iter(f"{OAI}setSpec")]
    assert len(specs) == len(set(specs)) > 60
    assert second.findtext(f"{OAI}resumptionToken") == ""

    for spec in ("country:KE", "type:dataset", "country", "dataset_type:OCCURRENCE"):
        records = walk(client, "/oai", verb="ListIdentifiers", metadataPrefix="oai_dc", set=spec)
        for header in records:
            own = [e.text for e in header.iter(f"{OAI}setSpec")]
            assert any(s == spec or s.startswith(spec + ":") for s in own)
        found = {header_of(h)[0] for h in records}
        if spec == "country:KE":
            expected = {k for k, v in truth.live.items() if v.countries == ("KE",)}
            assert found - truth.deleted == expected
        if spec == "country":
            assert found == truth.live.keys() | truth.deleted

    datasets = {k for k, v in truth.live.items() if v.type == "dataset"}
    listed = walk(client, "/oai", verb="ListRecords", metadataPrefix="eml")
    assert {header_of(r)[0] for r in listed if not header_of(r)[2]} == datasets
    assert all(re.fullmatch(r"[0-9a-f-]{36}", name) for name in datasets)

    one = sorted(datasets)[0]
    other = sorted(truth.live.keys() - datasets)[0]
    for name, prefixes in ((one, 3), (other, 2)):
        formats = client.oai("/oai", verb="ListMetadataFormats", identifier=name)
        assert len(formats.findall(f".//{OAI}metadataPrefix")) == prefixes
    got = client.oai("/oai", verb="GetRecord", identifier=one, metadataPrefix="eml")
    assert {t.text for t in got.iter("title")} == {t.value for t in truth.live[one].title}
    refused = client.oai("/oai", verb="GetRecord", identifier=other, metadataPrefix="eml")
    assert error_of(refused) == "cannotDisseminateFormat"
    gone = sorted(truth.deleted)[0]
    tombstone = client.oai("/oai", verb="GetRecord", identifier=gone, metadataPrefix="oai_dc")
    assert header_of(tombstone.find(f".//{OAI}record"))[2]


@pytest.mark.parametrize(
    ("path", "query", "code"),
    [
        ("/oai", "", "badVerb"),
        ("/oai", "verb=Nonsense", "badVerb"),
        ("/oai", "verb=Identify&verb=Identify", "badVerb"),
        ("/oai", "verb=Identify&x=1", "badArgument"),
        ("/oai", "verb=ListRecords", "badArgument"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&metadataPrefix=oai_dc", "badArgument"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&from=2020-1-1", "badArgument"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&from=2020-02-30", "badArgument"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&from=", "badArgument"),
        (
            "/oai",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2020-01-01&until=2021-01-01T00:00:00Z",
            "badArgument",
        ),
        (
            "/oai",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2021-01-01&until=2020-01-01",
            "badArgument",
        ),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&resumptionToken=x", "badArgument"),
        ("/oai", "verb=ListRecords&resumptionToken=x", "badResumptionToken"),
        ("/oai", "verb=ListRecords&resumptionToken=%C3%A9", "badResumptionToken"),
        ("/oai", "verb=ListRecords&resumptionToken=", "badResumptionToken"),
        ("/oai", "verb=ListSets&resumptionToken=x", "badResumptionToken"),
        ("/oai", "verb=ListRecords&metadataPrefix=marc", "cannotDisseminateFormat"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&until=1999-01-01", "noRecordsMatch"),
        ("/oai", "verb=ListRecords&metadataPrefix=oai_dc&set=nowhere", "noRecordsMatch"),
        ("/oai", "verb=GetRecord&metadataPrefix=oai_dc&identifier=x", "idDoesNotExist"),
        ("/oai", "verb=GetRecord&metadataPrefix=oai_dc&identifier=%01", "badArgument"),
        ("/oai", "verb=ListMetadataFormats&identifier=x", "idDoesNotExist"),
        ("/oai-days", "verb=ListSets", "noSetHierarchy"),
        ("/oai-days", "verb=ListRecords&metadataPrefix=oai_dc&set=x", "noSetHierarchy"),
        (
            "/oai-days",
            "verb=ListRecords&metadataPrefix=oai_dc&from=2020-01-01T00:00:00Z",
            "badArgument",
        ),
        ("/oai-days", "verb=ListRecords&metadataPrefix=oai_dcterms", "cannotDisseminateFormat"),
    ],
)
def test_the_errors_of_the_protocol(client: Client, path: str, query: str, code: str) -> None:
    root = client.ask(f"{path}?{query}").xml()
    assert error_of(root) == code
    attributes = dict(root.find(f"{OAI}request").attrib)
    assert bool(attributes) == (code not in ("badVerb", "badArgument"))


def test_a_token_of_another_verb_or_a_changed_one_is_refused(client: Client) -> None:
    listed = client.oai("/oai", verb="ListRecords", metadataPrefix="oai_dc")
    token = listed.findtext(f".//{OAI}resumptionToken")
    assert error_of(client.oai("/oai", verb="ListRecords", resumptionToken=token)) is None
    for verb, text in (("ListIdentifiers", token), ("ListRecords", token[:-3] + "AAA")):
        root = client.oai("/oai", verb=verb, resumptionToken=text)
        assert error_of(root) == "badResumptionToken"


def test_a_walk_goes_on_when_the_next_phase_begins(
    network: Network, client: Client, clock: Clock
) -> None:
    kept = set(network.truth()["demo-oai"].live)
    listed = client.oai("/oai", verb="ListIdentifiers", metadataPrefix="oai_dc")
    found = {header_of(h)[0] for h in listed.iter(f"{OAI}header")}
    clock.move(days=1)
    network.advance()
    kept &= network.truth()["demo-oai"].live.keys()
    token = listed.findtext(f".//{OAI}resumptionToken")
    while token:
        listed = client.oai("/oai", verb="ListIdentifiers", resumptionToken=token)
        found |= {header_of(h)[0] for h in listed.iter(f"{OAI}header")}
        token = listed.findtext(f".//{OAI}resumptionToken")
    assert kept <= found


def test_post_says_what_get_says(client: Client) -> None:
    arguments = {"verb": "ListRecords", "metadataPrefix": "oai_dc", "from": "2020-01-01"}
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    posted = client.ask("/oai", method="POST", headers=form, body=urlencode(arguments).encode())
    assert posted.body == client.ask("/oai", arguments).body
    other = client.ask("/oai", method="POST", headers={"Content-Type": "text/plain"}, body=b"x")
    assert other.status == 415


@pytest.fixture(scope="module")
def schema(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """OAI-PMH with the payloads of the replicas; nothing is fetched."""
    if not SCHEMAS.is_dir():
        pytest.skip(f"NOT VALIDATED: the official schemas are not at {SCHEMAS}")
    folder = tmp_path_factory.mktemp("schema")
    xs = 'xmlns:xs="http://www.w3.org/2001/XMLSchema"'
    own = "http://www.openarchives.org/OAI/2.0/oai_dcterms/"
    (folder / "own.xsd").write_text(
        f'<xs:schema {xs} xmlns:d="http://purl.org/dc/terms/" targetNamespace="{own}">'
        '<xs:import namespace="http://purl.org/dc/terms/" '
        f'schemaLocation="{SCHEMAS}/dc/2008/dcterms.xsd"/>'
        '<xs:element name="dcterms" type="d:elementOrRefinementContainer"/></xs:schema>'
    )
    spaces = {
        "http://www.openarchives.org/OAI/2.0/": "oai/OAI-PMH.xsd",
        "http://www.openarchives.org/OAI/2.0/oai-identifier": "oai/oai-identifier.xsd",
        "eml://ecoinformatics.org/eml-2.1.1": "eml-2.1.1/eml.xsd",
    }
    imports = "".join(
        f'<xs:import namespace="{space}" schemaLocation="{SCHEMAS / name}"/>'
        for space, name in spaces.items()
    )
    # Two schemas bring two versions of the Dublin Core elements: one driver for each.
    drivers = {}
    for name, more in (
        (
            "oai_dc",
            '<xs:import namespace="http://www.openarchives.org/OAI/2.0/oai_dc/" '
            f'schemaLocation="{SCHEMAS}/oai/oai_dc.xsd"/>',
        ),
        ("oai_dcterms", f'<xs:import namespace="{own}" schemaLocation="own.xsd"/>'),
    ):
        path = folder / f"{name}-driver.xsd"
        path.write_text(f"<xs:schema {xs}>{imports}{more}</xs:schema>")
        drivers[name] = etree.XMLSchema(etree.parse(path, etree.XMLParser(no_network=True)))
    return drivers


def test_every_answer_of_the_repositories_is_valid(
    network: Network, client: Client, clock: Clock, schema: Any
) -> None:
    def check(driver: str, path: str, **arguments: str) -> Any:
        root = client.oai(path, **arguments)
        assert schema[driver].validate(root), schema[driver].error_log.filter_from_errors()[0]
        return root

    for _ in range(2):
        for path, prefixes in (
            ("/oai", ("oai_dc", "oai_dcterms", "eml")),
            ("/oai-days", ["oai_dc"]),
        ):
            check("oai_dc", path, verb="Identify")
            check("oai_dc", path, verb="ListMetadataFormats")
            check("oai_dc", path, verb="ListSets")
            check("oai_dc", path, verb="Nonsense")
            check("oai_dc", path, verb="ListIdentifiers", metadataPrefix="oai_dc")
            for prefix in prefixes:
                driver = prefix if prefix in schema else "oai_dc"
                arguments = {"verb": "ListRecords", "metadataPrefix": prefix}
                while True:
                    root = check(driver, path, **arguments)
                    token = root.findtext(f".//{OAI}resumptionToken")
                    if not token:
                        break
                    arguments = {"verb": "ListRecords", "resumptionToken": token}
        clock.move(days=1)
        network.advance()


# ---------------------------------------------------------------------- clearing-houses


def one_of(value: Any) -> Any:
    return value[0] if isinstance(value, list) else value


def read_record(row: dict[str, Any], full: dict[str, Any] | None) -> tuple[Any, ...]:
    """What a careful reader makes of an index row and its document."""
    kind = SCBD_TYPES[row["schema_s"]]
    if full is None:
        # A text under one language is in it; one under several is in none that can be named.
        variants = [
            (lang, one_of(row[f"title_{lang.upper()}_t"]))
            for lang in ("en", "fr", "es", "ar", "ru", "zh")
            if f"title_{lang.upper()}_t" in row
        ]
        texts = [text for _, text in variants]
        assert row["title_t"] in texts
        titles = {
            Text(value=text, lang=lang if texts.count(text) == 1 else None)
            for lang, text in variants
        }
        code = row.get("eventCountry_s")
        return kind, titles, (code.upper(),) if code else ()
    if full.get("reportType", {}).get("identifier") == "B0EBAE91-9581-4BB2-9C02-52FCF9D82721":
        kind = "nbsap"
    named = next(
        (full[k] for k in ("title", "name", "identity", "scientificName") if k in full), None
    )
    if kind == "contact":
        named = full["organization"]
    languages = full["header"]["languages"]
    if kind == "expert":
        named = dict.fromkeys(languages)
    elif kind == "focalPoint":
        assert row["title_t"] == f"{full['firstName']} {full['lastName']}"
        named = dict.fromkeys(languages)
    elif named is None:  # the seventh report has its title in the index only
        named = {lang: one_of(row[f"title_{lang.upper()}_t"]) for lang in languages}
    assert list(named) == languages
    places = full.get("countries") or full.get("countryRegions") or []
    if kind == "organization" and "country" in full:
        places = [full["country"]]
    if "government" in full:
        places = [full["government"]]
    codes = tuple(place["identifier"].upper() for place in places)
    return kind, {Text(value=text, lang=lang) for lang, text in named.items() if text}, codes


def test_a_sweep_of_the_index_finds_the_truth_in_every_phase(
    network: Network, client: Client, clock: Clock
) -> None:
    documents: dict[tuple[str, int], Any] = {}
    for _ in PHASES:
        for source, realm in REALMS.items():
            live = {}
            for row in client.rows("_state_s:public", f"realm_ss:{realm}"):
                full = None
                if "identifier_s" in row:
                    key = (row["identifier_s"], row["_revision_i"])
                    if key not in documents:
                        got = client.document(key[0])
                        assert got.status == 200
                        documents[key] = got.json()
                        assert documents[key]["header"]["identifier"] == key[0]
                    full = documents[key]
                name = row.get("identifier_s", row["id"])
                assert name not in live
                live[name] = read_record(row, full)
            truth = network.truth()[source]
            assert live == {
                name: (expected.type, set(expected.title), expected.countries)
                for name, expected in truth.live.items()
            }
            for name in truth.deleted:
                assert client.document(name).status == 404
        clock.move(days=1)
        network.advance()


def test_a_record_of_two_realms_belongs_to_both_sources(network: Network) -> None:
    truth = network.truth()
    both = truth["demo-chm"].live.keys() & truth["demo-bch"].live.keys()
    assert len(both) > 20
    kinds = {truth["demo-chm"].live[name].type for name in both}
    assert {"resource", "focalPoint", "meeting"} <= kinds


def test_withdrawn_records_answer_only_who_asks_for_them(
    network: Network, client: Client, clock: Clock
) -> None:
    clock.move(days=1)
    network.advance()
    truth = network.truth()
    gone = [
        name
        for source in REALMS
        for name in truth[source].deleted
        if client.document(name, "/info?include-deleted=true").status == 200
    ]
    assert gone
    for name in gone:
        refused = client.document(name)
        assert refused.status == 404
        assert refused.json() == {
            "statusCode": 404,
            "code": "notFound",
            "message": "Document not found",
        }
        info = client.document(name, "/info?include-deleted=true").json()
        assert info["identifier"] == name
        assert info["deletedOn"] == clock().strftime("%Y-%m-%dT%H:%M:%SZ")
        assert client.document(name, "?include-deleted=true").status == 200
        assert not client.index(("fq", f'identifier_s:"{name}"'))["response"]["docs"]


def test_a_document_has_several_names_revisions_and_an_envelope(
    network: Network, client: Client, clock: Clock
) -> None:
    fields = ("fl", "identifier_s,schema_s,_documentId_i,_revision_i")
    before = {
        row["identifier_s"]: row
        for row in client.index(
            ("rows", 9999), ("fq", "identifier_s:* AND NOT version_s:*"), fields
        )["response"]["docs"]
    }
    for _ in range(2):
        clock.move(days=1)
        network.advance()
    now = client.index(("rows", 9999), ("fq", "identifier_s:* AND NOT version_s:*"), fields)
    changed = [
        row
        for row in now["response"]["docs"]
        if row["identifier_s"] in before
        and row["_revision_i"] > before[row["identifier_s"]]["_revision_i"]
    ]
    assert changed
    for row in changed:
        name, revision = row["identifier_s"], row["_revision_i"]
        current = client.document(name).json()
        assert client.document(f"{name}@{revision}").json() == current
        assert client.document(str(row["_documentId_i"])).json() == current
        if row["schema_s"] not in ("nationalReport7", "focalPoint", "biosafetyExpert"):
            # Those have their title, or their description, in the index alone.
            assert client.document(f"{name}@{revision - 1}").json() != current
        assert client.document(f"{name}@{revision + 1}").status == 404
        info = client.document(name, "/info").json()
        assert info == client.document(name, "?info=true").json()
        assert (info["revision"], info["documentID"]) == (revision, row["_documentId_i"])
        assert info["updatedOn"] >= START.strftime("%Y-%m-%d")
        assert client.document(name, "/info?body=true").json()["body"] == current
    for wrong in ("NOBODY-KNOWS-THIS", "1", "99999999999", f"{name}@x", name.lower()[:-1]):
        assert client.document(wrong).status == 404


def test_the_realm_header_hides_documents_of_other_owners(client: Client) -> None:
    for row in client.rows("identifier_s:*", "NOT version_s:*", "schema_s:(nbsap resource)"):
        name, owner = row["identifier_s"], row["ownerRealm_s"]
        assert client.document(name).status == 200
        for realm in ("CHM", "bch", "ABS", "ort"):
            expected = 200 if realm.upper() == owner else 404
            assert client.document(name, Realm=realm).status == expected


def test_files_are_served_where_relative_links_lead(client: Client) -> None:
    rows = client.rows("schema_s:(nationalReport marineEbsa resource)", "NOT version_s:*")
    seen = set()
    for row in rows:
        full = client.document(row["identifier_s"]).json()
        links = [
            *full.get("documentLinks", []),
            *full.get("gisFiles", []),
            *full.get("covers", []),
        ]
        for link in links:
            assert link["url"].startswith("/api/v2013/documents/")
            got = client.ask(link["url"])
            assert got.status == 200
            seen.add(got.headers["content-type"].partition(";")[0])
    assert seen == {"application/pdf", "application/json", "image/png"}


def test_the_index_holds_what_makes_it_hard_to_read(network: Network, client: Client) -> None:
    rows = client.rows()
    drafts = [row for row in rows if row["_state_s"] == "draft"]
    public = {row.get("identifier_s") for row in rows if row["_state_s"] == "public"}
    assert {row["identifier_s"] in public for row in drafts} == {True, False}
    assert all(row["id"].endswith("_draft") and row["version_s"] for row in drafts)
    everything = {name for truth in network.truth().values() for name in truth.live}
    assert not everything & ({row["identifier_s"] for row in drafts} - public)

    rows = [row for row in rows if row["_state_s"] == "public"]
    assert len({row["id"] for row in rows}) == len(rows)
    assert {row["schema_s"] for row in rows} == set(SCBD_TYPES)
    meetings = [row for row in rows if row["schema_s"] == "meeting"]
    assert not any("updatedDate_dt" in row for row in meetings)
    assert all(row["createdDate_dt"] for row in meetings)
    for name in ("schema_EN_t", "government_EN_t", "title_EN_t", "files_ss"):
        kinds = {type(row[name]) for row in rows if name in row}
        assert kinds == {str, list}, f"{name} does not flip"
    spellings = {realm for row in rows for realm in row["realm_ss"]}
    assert {"chm", "CHM", "bch", "BCH", "abs", "ABS", "ORT", "ort"} == spellings
    assert any({r.upper() for r in row["realm_ss"]} == {"ORT"} for row in rows)
    reports = [row for row in rows if "documentLinks_s" in row]
    assert all(json.loads(row["documentLinks_s"]) for row in reports)
    assert all(row["government_s"].islower() for row in rows if "government_s" in row)
    assert any(row["url_ss"][0].startswith("/doc/") for row in rows)
    bare = [row for row in rows if "grp_government_schema_s" in row and "government_s" not in row]
    assert bare
    assert len({row["government_s"] for row in rows if "government_s" in row}) >= 40


def test_what_the_records_say_is_fit_to_be_shown(network: Network, client: Client) -> None:
    truth = network.truth()
    expected = [e for source in truth.values() for e in source.live.values()]
    assert {e.type for e in expected} <= set(RECORD_TYPES)
    places = {code for e in expected for code in e.countries}
    assert len(places) > 45
    assert "EU" in places
    languages = {text.lang for e in expected for text in e.title}
    assert languages == {"en", "fr", "es", "ar", "ru", "zh", "pt", "sw", "ja", "la", None}
    for text in (text for e in expected for text in e.title):
        assert not re.search(r"[{}]|\s\s|^\s|\s$|\(\)|（）", text.value), text
    everything = json.dumps(client.rows(), ensure_ascii=False)
    addresses = set(re.findall(r"[\w.+-]+@[\w.-]+\.\w+", everything))
    assert addresses
    assert all(address.endswith("@example.org") for address in addresses)
    assert "127.0.0.1" not in everything


def test_the_query_language_over_http(client: Client) -> None:
    def found(*parameters: tuple[str, Any]) -> int:
        return int(client.index(("rows", 0), *parameters)["response"]["numFound"])

    def by(*filters: str) -> int:
        return found(*[("fq", text) for text in filters])

    everything = found()
    assert by("realm_ss:chm") == by("realm_ss:CHM") == by("realm_ss:(chm CHM)")
    assert by("schema_s:Meeting") == 0, "other strings are exact"
    assert by("_state_s:public") == by("NOT version_s:*") == by("-version_s:*") < everything
    assert by("schema_s:(meeting news)") == by("schema_s:meeting") + by("schema_s:news")
    assert by("schema_s:meeting OR schema_s:news") == by("schema_s:(meeting news)")
    assert by("realm_ss:bch", "schema_s:meeting") == by("realm_ss:bch AND schema_s:meeting")
    assert by("(*:* NOT schema_s:meeting)") == everything - by("schema_s:meeting")
    assert by("realm_ss:bch AND (NOT schema_s:meeting)") == 0, "as Solr has it"
    assert by("government_s:ke") > 0
    assert (
        by("updatedDate_dt:[2024-01-01T00:00:00Z TO *]")
        + by("updatedDate_dt:[* TO 2024-01-01T00:00:00Z}")
        + by("(*:* NOT updatedDate_dt:*)")
        == everything
    )
    report = "reportType_s:B0EBAE91-9581-4BB2-9C02-52FCF9D82721"
    assert by(f"schema_s:nationalReport AND (*:* NOT {report})") + by(report) == by(
        "schema_s:nationalReport"
    )
    assert found(("q", "schema_s:meeting")) == by("schema_s:meeting")
    assert 0 < found(("q", "coral"), ("df", "title_t")) < everything

    answer = client.index(("facet", "true"), ("facet.field", "schema_s"), ("hl", "on"))
    assert answer["nonSupportedParams"] == ["facet", "facet.field", "hl"]
    assert len(answer["response"]["docs"]) == 10
    assert client.index()["nonSupportedParams"] == []
    chosen = client.index(("fl", "id, rec_title:title_EN_t"), ("fl", "government_*"))
    for row in chosen["response"]["docs"]:
        assert all(re.fullmatch("id|rec_title|government_.*", name) for name in row)
    dates = [
        row["updatedDate_dt"]
        for row in client.index(("rows", 200), ("sort", "updatedDate_dt desc, id asc"))["response"][
            "docs"
        ]
    ]
    assert dates == sorted(dates, reverse=True)


def test_a_query_can_be_posted(client: Client) -> None:
    body: dict[str, Any] = {
        "q": "*:*",
        "fq": ["realm_ss:bch", "NOT version_s:*"],
        "rows": 5,
        "sort": "id desc",
    }
    kind = {"Content-Type": "application/json"}
    for path in ("/scbd/api/v2013/index", "/scbd/api/v2013/index/select"):
        got = client.ask(path, method="POST", headers=kind, body=json.dumps(body).encode())
        parameters = [(k, v) for k, v in body.items() if k != "fq"]
        asked = client.ask(path, [*parameters, *[("fq", each) for each in body["fq"]]])
        assert got.json() == asked.json()
        assert len(got.json()["response"]["docs"]) == 5
    for wrong in (b"", b"[]", b"{"):
        got = client.ask(path, method="POST", headers=kind, body=wrong)
        assert (got.status, got.json()["code"]) == (400, "invalidParameter")


@pytest.mark.parametrize(
    "parameters",
    [
        {"q": "realm_ss:(chm"},
        {"q": "updatedDate_dt:[yesterday TO *]"},
        {"fq": "schema_s:"},
        {"fq": ")"},
        {"rows": "-1"},
        {"start": "x"},
        {"sort": "id"},
        {"wt": "xml"},
    ],
)
def test_what_cannot_be_read_is_refused(client: Client, parameters: dict[str, str]) -> None:
    got = client.ask("/scbd/api/v2013/index/select", parameters)
    assert got.status == 400
    assert got.json()["statusCode"] == 400
    assert got.json()["code"] == "invalidParameter"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("a_s:x", [1, 3]),
        ("a_s:x AND b_i:[2 TO 5}", [1]),
        ("a_s:x b_i:7", [1, 2, 3]),
        ("+a_s:x -b_i:2", [3]),
        ("a_s:x && !b_i:2", [3]),
        ("a_s:x || b_i:7", [1, 2, 3]),
        ("b_i:7 OR a_s:x AND c_t:reef", [3]),
        ("NOT a_s:x", [2]),
        ("a_s:(x OR y) NOT b_i:7", [1, 3]),
        ('c_t:"coral reef"', [3]),
        ("c_t:REEF", [3]),
        ("a_s:?", [1, 2, 3]),
        (r"d_s:one\ value", [2]),
        ('d_s:"one value"', [2]),
        (r"d_s:a\:b", [1]),
        ("d_s:[a TO b]", [1]),
        ("*:*", [1, 2, 3]),
        ("reef", [3]),
        ("a_s:x^2", [1, 3]),
    ],
)
def test_solrs_operators(query: str, expected: list[int]) -> None:
    rows: dict[int, dict[str, list[Any]]] = {
        1: {"a_s": ["x"], "b_i": [2], "d_s": ["a:b"]},
        2: {"a_s": ["y"], "b_i": [7], "d_s": ["one value"]},
        3: {"a_s": ["x"], "b_i": [5], "c_t": ["A coral reef, restored"]},
    }
    test = compile_query(query, "c_t")
    found = []
    for number, row in rows.items():

        def fields(name: str, row: dict[str, list[Any]] = row) -> list[Any]:
            return row.get(name, [])

        if test(fields):
            found.append(number)
    assert found == expected


@pytest.mark.parametrize(
    "query", ["", "(", "a)", "AND a", "a:b:c", "a:[1 TO", '"a":b', "a~", "(" * 60 + "a" + ")" * 60]
)
def test_queries_that_mean_nothing(query: str) -> None:
    with pytest.raises(QueryError):
        compile_query(query, "c_t")


# -------------------------------------------------------------------------------- feeds

FEEDS = {
    "demo-rss": ("/feeds/rss.xml", "rss20"),
    "demo-atom": ("/feeds/atom.xml", "atom10"),
    "demo-rdf": ("/feeds/events.rdf", "rss10"),
}


@pytest.mark.parametrize("source", FEEDS)
def test_a_feed_read_in_every_phase_gives_the_truth(
    network: Network, client: Client, clock: Clock, source: str
) -> None:
    path, version = FEEDS[source]
    held: dict[str, Text] = {}
    dropped: set[str] = set()
    for _ in range(8):
        parsed = feedparser.parse(client.ask(path).body)
        assert not parsed.bozo
        assert parsed.version == version
        assert len(parsed.entries) == 25
        shown = {}
        for entry in parsed.entries:
            lang = entry.get("language") or entry.title_detail.language or parsed.feed.language
            shown[entry.id] = Text(value=entry.title, lang=lang)
            assert entry.link.startswith("https://")
            assert "<p>" in entry.summary
        dropped |= held.keys() - shown.keys()
        held |= shown
        truth = network.truth()[source]
        assert {name: (title,) for name, title in held.items()} == {
            name: expected.title for name, expected in truth.live.items()
        }
        assert truth.deleted == set()
        clock.move(days=1)
        network.advance()
    assert dropped, "nothing fell out of the window"
    kinds = {(e.type, e.countries) for e in truth.live.values()}
    assert len(kinds) == 1


@pytest.mark.parametrize("source", FEEDS)
def test_an_unchanged_feed_answers_304(
    network: Network, client: Client, clock: Clock, source: str
) -> None:
    path, _ = FEEDS[source]
    first = client.ask(path)
    tag, date = first.headers["etag"], first.headers["last-modified"]
    for headers in (
        {"If-None-Match": tag},
        {"If-None-Match": f'"other", W/{tag}'},
        {"If-None-Match": "*"},
        {"If-Modified-Since": date},
        {
            "If-None-Match": tag,
            "If-Modified-Since": format_datetime(datetime(2001, 1, 1, tzinfo=UTC)),
        },
    ):
        got = client.ask(path, headers=headers)
        assert (got.status, got.body) == (304, b"")
        assert got.headers["etag"] == tag
    for headers in (
        {"If-None-Match": '"other"'},
        {"If-None-Match": '"other"', "If-Modified-Since": date},
        {"If-Modified-Since": "not a date"},
        {"If-Modified-Since": format_datetime(datetime(2001, 1, 1, tzinfo=UTC))},
    ):
        assert client.ask(path, headers=headers).body == first.body
    clock.move(days=1)
    network.advance()
    for headers in ({"If-None-Match": tag}, {"If-Modified-Since": date}):
        assert client.ask(path, headers=headers).status == 200


# -------------------------------------------------------------------------- the network

ADDRESSES = [
    "/oai?verb=Identify",
    "/oai?verb=ListRecords&metadataPrefix=oai_dcterms",
    "/oai-days?verb=ListRecords&metadataPrefix=oai_dc",
    "/scbd/api/v2013/index/select?rows=9999&sort=updatedDate_dt+asc",
    "/scbd/api/v2013/documents/100000/info?include-deleted=true&body=true",
    *[path for path, _ in FEEDS.values()],
]


def snapshot(seed: int, clock: Clock, phase: int) -> list[bytes]:
    with Network(seed=seed, clock=clock) as network:
        for _ in range(phase):
            network.advance()
        client = Client(network)
        bodies = [client.ask(address).body for address in ADDRESSES]
        client.connection.close()
        return [body.replace(network.url.encode(), b"<network>") for body in bodies]


@pytest.mark.parametrize("phase", [0, 2])
def test_the_same_request_gets_the_same_bytes(clock: Clock, phase: int) -> None:
    once = snapshot(3, clock, phase)
    assert once == snapshot(3, clock, phase)
    assert all(a != b for a, b in zip(once[1:], snapshot(4, clock, phase)[1:], strict=True))


def test_the_first_phase_does_not_depend_on_the_time(clock: Clock) -> None:
    def without_response_date(bodies: list[bytes]) -> list[bytes]:
        return [re.sub(rb"<responseDate>.*?</responseDate>", b"", body) for body in bodies]

    once = snapshot(1, clock, 0)
    clock.move(days=400)
    assert without_response_date(once) == without_response_date(snapshot(1, clock, 0))
    clock.moment = datetime(2023, 1, 1, tzinfo=UTC)
    with pytest.raises(ValueError, match="clock"):
        Network(clock=clock)


def test_the_sources_are_declared_as_the_hub_reads_them(
    network: Network, clock: Clock, tmp_path: Path
) -> None:
    source = pytest.importorskip("adapters.source")
    texts, truth = network.sources(), network.truth()
    assert set(texts) == set(truth)
    for name, text in texts.items():
        table = tomllib.loads(text)
        assert table["url"].startswith("http://127.0.0.1:")
        # A feed never shows all it has.
        least = table.get("expect", {}).get("records")
        assert (least is None) is (table.get("deletions") == "never")
        assert (least or 0) <= len(truth[name].live)
        path = tmp_path / f"{name}.toml"
        path.write_text(text, "utf-8")
        read, faults = source.read_source(path)
        assert faults == []
        assert read.id == name


def test_requests_are_counted(network: Network, client: Client) -> None:
    client.ask("/oai?verb=Identify")
    client.ask("/feeds/rss.xml")
    client.ask("/scbd/api/v2013/index", method="POST", body=b"{}")
    client.ask("/nowhere")
    assert [(r.replica, r.method, r.target, r.status) for r in network.requests] == [
        ("demo-oai", "GET", "/oai?verb=Identify", 200),
        ("demo-rss", "GET", "/feeds/rss.xml", 200),
        ("scbd", "POST", "/scbd/api/v2013/index", 200),
        ("", "GET", "/nowhere", 404),
    ]
    assert network.counts() == {"demo-oai": 1, "demo-rss": 1, "scbd": 1, "": 1}


def test_people_and_robots_are_received(client: Client) -> None:
    page = client.ask("/")
    assert page.headers["content-type"].startswith("text/html")
    for address in re.findall(r'href="([^"]+)"', page.body.decode()):
        # A host of its own may have nothing to show to people.
        assert client.ask(address).status in ((404, 200) if "127.0.0.1" in address else (200,))
    assert client.ask("/robots.txt").body == b"User-agent: *\nAllow: /\n"
    head = client.ask("/oai?verb=Identify", method="HEAD")
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["content-length"]) > 500
    huge = client.ask("/oai", method="POST", headers={"Content-Length": str(1 << 30)}, body=b"x")
    assert huge.status == 413


def test_threads_end_with_the_context(clock: Clock) -> None:
    before = set(threading.enumerate())
    with Network(clock=clock) as network:
        clients = [Client(network) for _ in range(3)]
        for client in clients:
            client.ask("/oai?verb=Identify")  # and keep the connection open
        assert set(threading.enumerate()) - before
    assert set(threading.enumerate()) == before
    for client in clients:
        client.connection.close()


def test_a_slow_network_stops_at_once(clock: Clock) -> None:
    network = Network(clock=clock, delay=600)
    client = Client(network)
    with network:
        client.connection.request("GET", "/oai?verb=Identify")
        while not network._server._connections:
            pass
    client.connection.close()
    assert not network._server._connections


def test_scale_multiplies_the_records(clock: Clock) -> None:
    with Network(clock=clock, scale=3) as network:
        truth = network.truth()
        assert len(truth["demo-oai"].live) == 1200
        assert len(truth["demo-oai-days"].live) == 180
        assert len(truth["demo-rss"].live) == 25
        client = Client(network)
        found = walk(client, "/oai", verb="ListIdentifiers", metadataPrefix="oai_dc")
        assert len({header_of(h)[0] for h in found}) == len(found) == 1236
        names = [row["id"] for row in client.rows("NOT version_s:*")]
        assert len(set(names)) == len(names) == 3 * len(wheel())
        client.connection.close()
