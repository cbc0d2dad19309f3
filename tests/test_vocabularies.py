"""Vocabularies: found by what sources call their terms, exported as SKOS, refreshed."""

from __future__ import annotations

import csv
import json
from collections import Counter
from pathlib import Path

import pytest
from rdflib import Graph
from rdflib.namespace import RDF, SKOS

from chm_hub import web
from chm_hub.settings import Settings
from demo.hosts import thesaurus
from demo.network import Network
from mappings import tables, vocabularies
from store import Store
from tests.running import Hub

NAMES = sorted(vocabularies.VOCABULARIES)
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


@pytest.mark.parametrize("said", ["", "wetland", "Target 99", "Goal Z", "3", "target", "SDG 40"])
def test_what_is_no_term_is_none(said: str) -> None:
    assert vocabularies.find(said, TARGETS) is None


def test_every_label_leads_to_its_term() -> None:
    for name in ("gbf-targets", "gbf-goals", "aichi-targets", "sdg", "cbd-subjects", "countries"):
        chosen = vocabularies.VOCABULARIES[name]
        labels = [(t.code, label) for t in vocabularies.terms(name) for label in t.labels.values()]
        shared = {word for word, n in Counter(vocabularies.fold(la) for _, la in labels).items()}
        for code, label in labels:
            found = vocabularies.find(label, (chosen.scheme,))
            assert found is not None, (name, label)
            # Two subjects may have the same label in some language.
            assert found[1] == code or vocabularies.fold(label) in shared, (name, label)


@pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's JSON-LD parser
@pytest.mark.parametrize("name", NAMES)
def test_a_vocabulary_is_whole_in_skos(name: str) -> None:
    for form, (parser, _) in vocabularies.FORMATS.items():
        graph = Graph()
        said = {"pretty-xml": "xml"}.get(parser, parser)
        graph.parse(data=vocabularies.export(name, form), format=said)
        (scheme,) = graph.subjects(RDF.type, SKOS.ConceptScheme)
        concepts = set(graph.subjects(RDF.type, SKOS.Concept))
        assert len(concepts) == sum(1 for _ in vocabularies.terms(name)), form
        for concept in concepts:
            assert list(graph.objects(concept, SKOS.inScheme)) == [scheme]
            assert len(list(graph.objects(concept, SKOS.notation))) == 1
            languages = [o.language for o in graph.objects(concept, SKOS.prefLabel)]  # type: ignore[attr-defined]
            assert len(languages) == len(set(languages)) > 0


def test_targets_lead_to_what_they_have_to_do_with() -> None:
    graph = vocabularies.to_skos("gbf-targets")
    related = {str(o) for o in graph.objects(None, SKOS.relatedMatch)}
    assert "http://metadata.un.org/sdg/15" in related
    assert "urn:chm-hub:vocabulary:aichi-targets:AICHI-TARGET-11" in related
    groups = vocabularies.to_skos("regional-groups")
    members = Counter(groups.subjects(SKOS.member))
    assert members[next(c for c in members if str(c).endswith(":asean"))] == 11


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
        assert rows[thesaurus.ADDED]["label_zh"] == rows[thesaurus.ADDED]["label_en"]
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
