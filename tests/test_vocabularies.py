"""Vocabularies: found by what sources call their terms, exported as SKOS, refreshed."""

from __future__ import annotations

import csv
import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rdflib import Graph, URIRef
from rdflib.namespace import RDF, SKOS

from chm_hub import web
from chm_hub.settings import Settings
from demo.hosts import thesaurus
from demo.network import Network
from mappings import tables, vocabularies
from store import Store
from tests.running import Hub

NAMES = sorted(vocabularies.VOCABULARIES)
TERM = "https://api.cbd.int/api/v2013/thesaurus/terms/"
TARGETS = ("GBF-TARGETS", "GBF-GOALS", "AICHI-TARGETS", "SDG", "CBD-SUBJECTS")


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("GBF-TARGET-03", "GBF-TARGET-03"),
        (" gbf-target-03 ", "GBF-TARGET-03"),
        ("Target 3", "GBF-TARGET-03"),
        ("GBF Target 3", "GBF-TARGET-03"),
        ("https://www.cbd.int/gbf/targets/3", "GBF-TARGET-03"),
        ("https://www.cbd.int/gbf/targets/3/", "GBF-TARGET-03"),
        ("30% of areas are effectively conserved", "GBF-TARGET-03"),
        ("GBF-T03. 30% of areas are effectively conserved", "GBF-TARGET-03"),
        ("Goal B", "GBF-GOAL-B"),
        ("Aichi Target 11", "AICHI-TARGET-11"),
        ("Sensibilisation aux valeurs de la biodiversite", "AICHI-TARGET-01"),
        ("الوعي بقيم التنوع البيولوجي", "AICHI-TARGET-01"),
        ("GBF-TARGET-3", "GBF-TARGET-03"),
        ("Target 3 (GBF)", "GBF-TARGET-03"),
        ("KMGBF Target 03", "GBF-TARGET-03"),
        ("GBF-T03", "GBF-TARGET-03"),
        ("Cible 3 du Cadre mondial de la biodiversité", "GBF-TARGET-03"),
        ("Conserve 30 % of land, waters & seas", "GBF-TARGET-03"),
        ("GBF Target 3: in words of our own", "GBF-TARGET-03"),
        ("Target 3: 30% of areas are effectively conserved", "GBF-TARGET-03"),
        ("http://cbd.int/gbf/targets/3?lang=fr#more", "GBF-TARGET-03"),
        ("https://api.cbd.int/api/v2013/thesaurus/terms/GBF-TARGET-03", "GBF-TARGET-03"),
        ("GBF Goal D", "GBF-GOAL-D"),
        ("Objectif A", "GBF-GOAL-A"),
        ("AICHI-TARGET-6", "AICHI-TARGET-06"),
        ("Objectif 11 d'Aichi", "AICHI-TARGET-11"),
        ("Objectif d’Aichi n° 11", "AICHI-TARGET-11"),
        ("Meta 11 de Aichi", "AICHI-TARGET-11"),
        ("Айтинская целевая задача 11", "AICHI-TARGET-11"),
        ("هدف آيشي ١١", "AICHI-TARGET-11"),
        ("爱知目标11", "AICHI-TARGET-11"),
        ("https://www.cbd.int/sp/targets/rationale/target-11/", "AICHI-TARGET-11"),
        ("ODD 15", "SDG-GOAL-15"),
        ("ЦУР 15", "SDG-GOAL-15"),
        ("可持续发展目标15", "SDG-GOAL-15"),
        ("الهدف 15 من أهداف التنمية المستدامة", "SDG-GOAL-15"),
        ("Goal 15: Life on Land", "SDG-GOAL-15"),
        ("15 – Life on land", "SDG-GOAL-15"),
        ("https://api.cbd.int/api/v2013/thesaurus/terms/cbd-subject-for", "CBD-SUBJECT-FOR"),
        ("SDG 15", "SDG-GOAL-15"),
        ("SDG-GOAL-15", "SDG-GOAL-15"),
        ("http://metadata.un.org/sdg/15", "SDG-GOAL-15"),
        ("https://sdgs.un.org/goals/goal15", "SDG-GOAL-15"),
        ("faim zéro", "SDG-GOAL-02"),
        ("无贫穷", "SDG-GOAL-01"),
        ("access to genetic RESOURCES and benefit sharing", "CBD-SUBJECT-ABS"),
    ],
)
def test_a_term_is_found_by_what_sources_call_it(said: str, code: str) -> None:
    found = vocabularies.find(said, TARGETS)
    assert found is not None
    assert found[1] == code


@pytest.mark.parametrize(
    "said",
    [
        *("", " ", "wetland", "Target 99", "Goal Z", "3", "target", "SDG 40", "SDG 15.3", "T3"),
        *("COP 15", "Year 2015", "Phase A", "AICHI-TARGET-11-C1", "x" * 5000),
        # A country's own third target, whatever it says; a number and words that disagree.
        "Target 3: Halve the loss of our forests",
        "GBF-T04. 30% of areas are effectively conserved",
        "14. Life on land",
        "https://www.cbd.int/gbf/targets/99",
        "https://www.cbd.int/gbf/targets/",
        "https://example.org/gbf/targets/3",
    ],
)
def test_what_is_no_term_is_none(said: str) -> None:
    assert vocabularies.find(said, TARGETS) is None


def test_a_number_alone_is_of_the_first_vocabulary_that_counts_so() -> None:
    assert vocabularies.find("Target 3", ("AICHI-TARGETS", "GBF-TARGETS")) == (
        "AICHI-TARGETS",
        "AICHI-TARGET-03",
    )
    assert vocabularies.find("Goal 3", ("GBF-TARGETS", "SDG")) == ("SDG", "SDG-GOAL-03")
    assert vocabularies.find("Goal 3", ("CBD-SUBJECTS",)) is None


@given(said=st.text(max_size=40))
def test_whatever_is_said_nothing_is_raised(said: str) -> None:
    found = vocabularies.find(said, TARGETS)
    assert found is None or found[0] in TARGETS


@pytest.mark.parametrize("name", NAMES)
def test_every_label_and_name_leads_to_its_term(name: str) -> None:
    scheme = vocabularies.VOCABULARIES[name].scheme
    said = [(t.code, text) for t in vocabularies.terms(name) for text in t.labels.values()]
    owners: dict[str, set[str]] = defaultdict(set)
    for code, text in said:
        owners[vocabularies.fold(text)].add(code)
    for code, text in said:
        expected = (scheme, code) if len(owners[vocabularies.fold(text)]) == 1 else None
        assert vocabularies.find(text, (scheme,)) == expected, text
    for term in vocabularies.terms(name):
        for lang, text in term.names:
            assert lang == "" or lang in tables.LANGUAGES
            found = vocabularies.find(text, (scheme,))
            owner = owners.get(vocabularies.fold(text), {term.code})
            assert found in [(scheme, code) for code in (term.code, *owner)], text
        assert vocabularies.find(term.uri, (scheme,)) in ((scheme, term.code), None)
        assert vocabularies.find(f" {term.code.swapcase()} ", (scheme,)) == (scheme, term.code)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's JSON-LD parser
@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_is_whole_in_skos(name: str) -> None:
    made = set(vocabularies.to_skos(name))
    for form, (parser, _) in vocabularies.FORMATS.items():
        graph = Graph()
        said = {"pretty-xml": "xml"}.get(parser, parser)
        graph.parse(data=vocabularies.export(name, form), format=said)
        assert set(graph) == made, form
    (scheme,) = graph.subjects(RDF.type, SKOS.ConceptScheme)
    concepts = set(graph.subjects(RDF.type, SKOS.Concept))
    collections = set(graph.subjects(RDF.type, SKOS.Collection))
    assert len(concepts) == sum(1 for _ in vocabularies.terms(name))
    assert concepts.isdisjoint(collections), "SKOS S37"
    notations = Counter(o for c in concepts for o in graph.objects(c, SKOS.notation))
    assert set(notations.values()) == {1}
    assert len(notations) == len(concepts)
    tops = set(graph.objects(scheme, SKOS.hasTopConcept))
    for concept in concepts:
        assert list(graph.objects(concept, SKOS.inScheme)) == [scheme]
        preferred = set(graph.objects(concept, SKOS.prefLabel))
        languages = [label.language for label in preferred]  # type: ignore[attr-defined]
        assert len(languages) == len(set(languages)) > 0, "SKOS S14"
        assert preferred.isdisjoint(graph.objects(concept, SKOS.altLabel)), "SKOS S13"
        above = set(graph.transitive_objects(concept, SKOS.broader)) - {concept}
        assert above <= concepts
        assert bool(above) != (concept in tops)
        elsewhere = set(graph.objects(concept, SKOS.exactMatch))
        assert elsewhere.isdisjoint(graph.objects(concept, SKOS.relatedMatch)), "SKOS S46"
        assert elsewhere.isdisjoint(graph.objects(concept, SKOS.broadMatch)), "SKOS S46"
    for collection in collections:
        assert list(graph.objects(collection, SKOS.member))
        assert list(graph.objects(collection, SKOS.prefLabel))


def test_what_concepts_have_to_do_with_each_other() -> None:
    graph = vocabularies.to_skos("gbf-targets")
    third = URIRef("https://www.cbd.int/gbf/targets/3")
    related = {str(o) for o in graph.objects(third, SKOS.relatedMatch)}
    assert related == {
        "https://www.cbd.int/aichi-targets/target/11",
        *(f"http://metadata.un.org/sdg/{n}" for n in ("6.6", "11.4", "14.5", "15.4")),
    }
    first = URIRef("https://www.cbd.int/gbf/targets/1")
    assert (first, SKOS.relatedMatch, URIRef("http://metadata.un.org/sdg/15")) in graph
    assert (first, SKOS.exactMatch, URIRef(f"{TERM}GBF-TARGET-01")) in graph
    aichi = vocabularies.to_skos("aichi-targets")
    eleventh = URIRef("https://www.cbd.int/aichi-targets/target/11")
    assert (eleventh, SKOS.relatedMatch, third) in aichi, "told from the other side too"
    indicators = vocabularies.to_skos("gbf-indicators")
    assert (URIRef(f"{TERM}GBF-INDICATOR-3.1"), SKOS.relatedMatch, third) in indicators


def test_countries_and_the_groups_they_are_in() -> None:
    groups = vocabularies.to_skos("regional-groups")
    asean = URIRef(f"{vocabularies.BASE}regional-groups:asean")
    members = URIRef(f"{vocabularies.BASE}regional-groups:members/asean")
    laos = URIRef("http://publications.europa.eu/resource/authority/country/LAO")
    assert len(set(groups.objects(members, SKOS.member))) == 11
    assert set(groups.objects(asean, SKOS.narrowMatch)) == set(groups.objects(members, SKOS.member))
    assert (asean, SKOS.narrowMatch, laos) in groups
    assert (laos, SKOS.broadMatch, asean) in vocabularies.to_skos("countries")
    africa = URIRef(f"{vocabularies.BASE}regional-groups:eastern-africa")
    above = URIRef(f"{vocabularies.BASE}regional-groups:m49-africa")
    assert (africa, SKOS.broader, above) in groups
    assert (
        africa,
        SKOS.exactMatch,
        URIRef(f"{TERM}0938DB0F-E4BB-464F-ABBB-ADD615BE5371"),
    ) in groups
    regions = vocabularies.to_skos("regions")
    caricom = URIRef(f"{TERM}6C734879-5007-47F8-A931-C9A90B17DFA5")
    assert len(set(regions.objects(caricom, SKOS.narrowMatch))) == 14


def test_languages_are_those_of_the_library() -> None:
    named = {term.code: term for term in vocabularies.terms("languages")}
    assert len(named) > 170
    assert named["sw"].labels["ru"] == "суахили"
    assert named["sw"].uri == "http://id.loc.gov/vocabulary/iso639-1/sw"
    assert vocabularies.find("Souahéli", ("LANGUAGES",)) in (None, ("LANGUAGES", "sw"))
    assert vocabularies.find("суахили", ("LANGUAGES",)) == ("LANGUAGES", "sw")


def test_a_hub_may_give_addresses_of_its_own() -> None:
    graph = vocabularies.to_skos("record-types", "https://hub.example.org/vocabularies/")
    concepts = set(graph.subjects(RDF.type, SKOS.Concept))
    address = "https://hub.example.org/vocabularies/record-types"
    assert URIRef(f"{address}#nationalReport") in concepts
    assert set(graph.subjects(RDF.type, SKOS.ConceptScheme)) == {URIRef(address)}


def test_the_commands(hub: Hub) -> None:
    listed = {line["name"]: line["terms"] for line in hub("vocabularies", "list", "--json").lines}
    assert set(listed) == set(NAMES)
    assert listed["gbf-targets"] == 23
    shown = hub("vocabularies", "show", "sdg", "--json").lines
    assert shown[14]["uri"] == "http://metadata.un.org/sdg/15"
    assert shown[14]["labels"].keys() == set(tables.LANGUAGES)
    assert "skos:ConceptScheme" in hub("vocabularies", "export", "sdg").out
    assert json.loads(hub("vocabularies", "export", "sdg", "--format", "jsonld").out)
    said = hub("vocabularies", "show", "nothing")
    assert (said.code, "there are gbf-targets" in said.err) == (2, True)
    said = hub("vocabularies", "refresh", "sdg")
    assert said.code == 2
    assert "not in the thesaurus" in said.err


def test_a_refresh_writes_the_deployments_own_tables(hub: Hub) -> None:
    shipped = (tables.FOLDER / "gbf_targets.csv").read_bytes()
    with Network() as network:
        host = next(h for h in network._hosts.values() if h.name == "thesaurus")
        arguments = ("vocabularies", "refresh", "gbf-targets", "countries", "--from", host.url)
        said = hub(*arguments, "--json")
        assert said.code == 0, said.err
        differences = {line.pop("name"): line for line in said.lines}
        assert differences["gbf-targets"] == {
            "added": [thesaurus.ADDED],
            "changed": [thesaurus.CHANGED],
            "gone": [thesaurus.GONE],
        }
        assert differences["countries"] == {"added": [], "changed": [], "gone": []}
        own = hub.data / "vocabularies" / "gbf_targets.csv"
        assert not own.exists(), "without --write nothing is written"
        assert hub(*arguments, "--write").code == 0
        # What is gone is in use: it stays, and is marked.
        lines = own.read_text("utf-8").splitlines()
        rows = {row["code"]: row for row in csv.DictReader(lines)}
        assert rows[thesaurus.GONE]["deprecated"] == "1"
        assert rows[thesaurus.ADDED]["label_en"].startswith("GBF-T24")
        assert rows[thesaurus.ADDED]["label_zh"] == "", "English is not Chinese"
        assert rows[thesaurus.CHANGED]["label_en"].endswith("(revised)")
        assert rows[thesaurus.CHANGED]["label_fr"]
        again = hub(*arguments, "--json").lines
        assert all(not line[w] for line in again for w in ("added", "changed", "gone"))
        shown = {t["code"]: t for t in hub("vocabularies", "show", "gbf-targets", "--json").lines}
        assert shown[thesaurus.GONE]["deprecated"]
        assert thesaurus.ADDED in shown
        # What cannot be a vocabulary is not believed.
        said = hub("vocabularies", "refresh", "gbf-goals", "--from", f"{host.url}/nowhere")
        assert said.code == 1
        assert "gbf-goals" in said.err
    assert (tables.FOLDER / "gbf_targets.csv").read_bytes() == shipped


def test_a_deployments_own_tables_come_first(tmp_path: Path) -> None:
    row = 'code,label_en,deprecated\nGBF-GOAL-A,"Another label",\n'
    (tmp_path / "gbf_goals.csv").write_text(row, "utf-8")
    try:
        tables.use(tmp_path)
        assert [r["label_en"] for r in tables.rows("gbf_goals")] == ["Another label"]
        assert tables.digest()
    finally:
        tables.use(None)
    assert len(tables.rows("gbf_goals")) == 4
    assert tables.digest() == ""


def test_the_web_has_them(store: Store, settings: Settings) -> None:
    client = web.create_app(settings, store).test_client()
    for ending, kind in (("ttl", "text/turtle"), ("rdf", "application/rdf+xml"),
                         ("jsonld", "application/ld+json")):  # fmt: skip
        answer = client.get(f"/vocabularies/sdg.{ending}")
        assert (answer.status_code, answer.mimetype) == (200, kind)
    assert client.get("/vocabularies/sdg.exe").status_code == 404
    assert client.get("/vocabularies/nothing.ttl").status_code == 404
