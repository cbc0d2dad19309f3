"""Concepts of vocabularies, in SKOS and in SKOS-XL."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chm_hub.errors import ProtocolError
from harvesters import skos
from harvesters.skos import Label
from tests.conftest import ROOT

SAMPLE = (
    Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared"))
    / "samples/partners/informea/thesaurus.constructed.rdf"
)
TURTLE = b"""
@prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix xl: <http://www.w3.org/2008/05/skos-xl#> .
@prefix rdf: <http://www.w3.org/1999/02/22-rdf-syntax-ns#> .
@prefix t: <http://terms.example.org/> .
t:water a skos:Concept ; skos:inScheme t:scheme ; skos:topConceptOf t:scheme ;
  skos:prefLabel "water"@en, "eau"@fr ; skos:altLabel "H2O" ; skos:notation "W1" ;
  skos:narrower t:lake ; skos:definition t:def_1 ; skos:exactMatch <http://other.example/w> .
t:def_1 rdf:value "What lakes hold."@en .
t:lake a skos:Concept ; skos:topConceptOf t:scheme ; xl:prefLabel t:xl1, t:xl2 ;
  xl:altLabel t:xl3 ; skos:definition "Standing water"@en ; skos:related t:river ;
  skos:closeMatch <http://other.example/l> .
t:xl1 xl:literalForm "lake"@en . t:xl2 xl:literalForm "lac"@fr . t:xl3 xl:literalForm "mere"@en .
t:river a skos:Concept ; skos:broader t:water .
t:scheme a skos:ConceptScheme .
[] a skos:Concept .
"""


def test_labels_relations_and_matches() -> None:
    lake, river, water = skos.concepts(TURTLE, "text/turtle; charset=utf-8")
    assert water.identifier == "W1"
    assert water.labels == [Label(value="water", lang="en"), Label(value="eau", lang="fr")]
    assert water.others == [Label(value="H2O")]
    assert water.definitions == [Label(value="What lakes hold.", lang="en")]
    assert water.exact == ["http://other.example/w"]
    assert water.narrower == ["http://terms.example.org/lake", "http://terms.example.org/river"]
    assert water.top
    assert lake.identifier == "lake"
    assert lake.labels == [Label(value="lake", lang="en"), Label(value="lac", lang="fr")]
    assert lake.others == [Label(value="mere", lang="en")]
    assert lake.broader == ["http://terms.example.org/water"], "told from the other side"
    assert not lake.top, "whatever the graph marks"
    assert lake.related == ["http://terms.example.org/river"]
    assert lake.close == ["http://other.example/l"]
    assert (river.label(), lake.label("fr"), lake.label("de")) == ("river", "lac", "lake")


@pytest.mark.skipif(not SAMPLE.is_file(), reason=f"NO SAMPLE: {SAMPLE} is absent")
def test_the_shape_of_informeas_thesaurus() -> None:
    above, below = skos.concepts(SAMPLE.read_bytes(), "application/rdf+xml")
    assert above.uri == "http://www.informea.org/terms/biodiversity"
    assert above.labels == [Label(value="biodiversity", lang="en")]
    assert (above.broader, above.top) == ([], True)
    assert (below.broader, below.top) == ([above.uri], False)
    assert below.schemes == ["http://www.informea.org/terms"]


@pytest.mark.parametrize(
    ("graph", "kind"),
    [
        (b"<html><body>Log in</body>", "application/rdf+xml"),
        (b"<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><a", "text/xml"),
        (b"not turtle at all {{{", "text/turtle"),
        (b"{", "application/ld+json"),
        (b'{"@context": "http://127.0.0.1:1/c", "@id": "x"}', "application/ld+json"),
        (b'{"@graph": [{"@context": [{}, "http://127.0.0.1:1/c"]}]}', "application/ld+json"),
        (b"a,b", "text/csv"),
    ],
)
def test_what_cannot_be_read_says_so_and_nothing_is_fetched(graph: bytes, kind: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        list(skos.concepts(graph, kind))
    assert raised.value.reason in ("not_rdf", "not_xml", "not_json")


def test_entities_are_not_expanded() -> None:
    bomb = (
        b'<!DOCTYPE r [<!ENTITY a "aaaa"><!ENTITY b SYSTEM "file:///etc/passwd">]>'
        b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" '
        b'xmlns:skos="http://www.w3.org/2004/02/skos/core#"><skos:Concept rdf:about="http://t/x">'
        b"<skos:prefLabel>&b;x</skos:prefLabel></skos:Concept></rdf:RDF>"
    )
    try:
        labels = [
            label.value for c in skos.concepts(bomb, "application/rdf+xml") for label in c.labels
        ]
    except ProtocolError:
        labels = []
    assert not any("root" in label for label in labels)
