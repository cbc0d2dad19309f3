"""Catalogues in JSON whose keys and values have other shapes than DCAT-US gives them."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from chm_hub.errors import ProtocolError
from harvesters import dcat, graphs, rdf, skos
from harvesters.again import Given
from tests.mapped import payload, record_of

BOTH = [{"value": "Reefs", "lang": "en"}, {"value": "Récifs", "lang": "fr"}]
LITERALS = [{"@value": "Reefs", "@language": "en"}, {"@value": "Récifs", "@language": "fr"}]
FILE = "https://d.example.org/a.csv"
CONTEXT = {"dcat": "http://www.w3.org/ns/dcat#", "dct": "http://purl.org/dc/terms/"}
ELSEWHERE = "https://project-open-data.cio.gov/v1.1/schema/catalog.jsonld"


def records(answer: Any, media_type: str = "application/json", **source: Any) -> list[Any]:
    """The records of a catalogue."""
    body = answer if isinstance(answer, str) else json.dumps(answer)
    documents, _ = dcat._documents(dcat.read(payload(body, media_type)), Given())
    return [record_of("dcat", document, **source) for document in documents]


def of(**dataset: Any) -> dict[str, Any]:
    """The record of one data set."""
    (made,) = records({"dataset": [{"identifier": "1", "title": "T", **dataset}]})
    assert isinstance(made, dict)
    return made


@pytest.mark.parametrize("key", ["title", "description"])
@pytest.mark.parametrize(
    "value",
    [
        {"en": "Reefs", "fr": "Récifs"},
        LITERALS,
        [{"value": "Reefs", "lang": "en"}, {"value": "Récifs", "lang": "fr"}],
        {"en": ["Reefs"], "fr": ["Récifs"], "es": ""},
        '{"en": "Reefs", "fr": "Récifs"}',
    ],
)
def test_a_text_in_two_languages(key: str, value: Any) -> None:
    assert of(**{key: value})[key] == BOTH


@pytest.mark.parametrize("key", ["distribution", "dcat:distribution", "distributions", "resources"])
@pytest.mark.parametrize(
    "value",
    [
        {"downloadURL": FILE},
        [{"downloadURL": FILE, "accessURL": None}],
        [{"downloadURL": None, "accessURL": FILE}, None],
        [{"dcat:downloadURL": {"@id": FILE}}],
        [{"accessURL": [FILE]}],
        {"csv": {"downloadURL": FILE}},
        FILE,
        [FILE],
        [{"contentUrl": FILE}],
        [[{"downloadURL": FILE}]],
        [{"http://www.w3.org/ns/dcat#downloadURL": [{"@id": FILE}]}],
    ],
)
def test_one_file_however_it_is_written(key: str, value: Any) -> None:
    assert of(**{key: value})["distribution"] == [{"url": FILE, "media_type": "text/csv"}]


@pytest.mark.parametrize("value", [None, [], {}, [None], [{"downloadURL": None}], "", [{}]])
def test_no_file_is_no_mistake(value: Any) -> None:
    made = of(distribution=value)
    assert "distribution" not in made
    assert "issues" not in made


@pytest.mark.parametrize(
    ("size", "read"),
    [(850440, 850440), ("850440", 850440), ("850440.0", 850440), (850440.0, 850440), (0, None)],
)
def test_the_size_of_a_file(size: Any, read: int | None) -> None:
    made = of(distribution={"downloadURL": FILE, "byteSize": size, "title": {"en": "A", "fr": "B"}})
    assert made["distribution"][0].get("byte_size") == read
    assert made["distribution"][0]["title"] == "A"
    assert "issues" not in made


def test_a_size_that_is_none_is_an_issue_with_its_value() -> None:
    made = of(distribution={"downloadURL": FILE, "byteSize": "12 KB"})
    assert made["issues"] == ["distribution: not a size in bytes: '12 KB'"]


@pytest.mark.parametrize(
    ("value", "publisher"),
    [
        ("Ministry", [{"name": "Ministry"}]),
        ({"name": "Ministry", "subOrganizationOf": {"name": "Gov"}}, [{"name": "Ministry"}]),
        ([{"name": "Ministry"}], [{"name": "Ministry"}]),
        (["Ministry", {"name": "Office"}], [{"name": "Ministry"}, {"name": "Office"}]),
        ({"foaf:name": "Ministry", "@type": "foaf:Agent"}, [{"name": "Ministry"}]),
        (
            {"name": {"fr": "Ministère", "en": "Ministry"}, "@id": "https://m.example.org/"},
            [{"name": "Ministry", "lang": "en", "uri": "https://m.example.org/"}],
        ),
        ({"fr": "Ministère", "it": "Ministero"}, [{"name": "Ministère", "lang": "fr"}]),
        (
            [{"@value": "Ministère", "@language": "fr"}, {"@value": "Ministry", "@language": "en"}],
            [{"name": "Ministry", "lang": "en"}],
        ),
        ({"name": ""}, None),
        (None, None),
    ],
)
def test_a_publisher(value: Any, publisher: Any) -> None:
    made = of(publisher=value)
    assert made.get("publisher") == publisher
    assert "issues" not in made


@pytest.mark.parametrize(
    ("value", "labels"),
    [
        ("fish, lakes", ["fish", "lakes"]),
        ("fish; lakes, rivers", ["fish", "lakes, rivers"]),
        (["fish; lakes", "rivers, small"], ["fish", "lakes", "rivers, small"]),
        ("fish", ["fish"]),
        ({"en": "fish; lakes", "fr": ["lacs"]}, ["fish", "lakes", "lacs"]),
        ([{"@value": "fish", "@language": "en"}], ["fish"]),
        (None, []),
    ],
)
def test_keywords(value: Any, labels: list[str]) -> None:
    assert [concept["label"] for concept in of(keyword=value).get("subject", [])] == labels


@pytest.mark.parametrize(
    ("value", "subject"),
    [
        ("Agriculture, fisheries", [{"label": "Agriculture, fisheries"}]),
        (["Coast"], [{"label": "Coast"}]),
        (
            {"@id": "https://t.example.org/1", "skos:prefLabel": {"en": "Coast"}},
            [{"label": "Coast", "lang": "en", "uri": "https://t.example.org/1"}],
        ),
        (
            [{"@id": "https://t.example.org/1"}],
            [{"label": "https://t.example.org/1", "uri": "https://t.example.org/1"}],
        ),
        ({"en": ["Coast"]}, [{"label": "Coast", "lang": "en"}]),
    ],
)
def test_themes(value: Any, subject: Any) -> None:
    assert of(theme=value)["subject"] == subject


@pytest.mark.parametrize(
    "value",
    [
        [33.0, -5.0, 42.0, 5.0],
        "33,-5,42,5",
        {"bbox": [33.0, -5.0, 42.0, 5.0]},
        {"west": 33, "south": -5, "east": 42, "north": 5},
        {"@type": "dct:Location", "locn:geometry": "POLYGON((33 -5, 42 -5, 42 5, 33 5, 33 -5))"},
        {"dcat:bbox": {"@value": "POLYGON((33 -5, 42 -5, 42 5, 33 5, 33 -5))"}},
        {"geometry": {"type": "Polygon", "coordinates": [[[33, -5], [42, -5], [42, 5], [33, -5]]]}},
        '{"type": "Polygon", "coordinates": [[[33, -5], [42, -5], [42, 5], [33, -5]]]}',
        [{"@value": "POLYGON((33 -5, 42 -5, 42 5, 33 5, 33 -5))"}],
    ],
)
def test_a_shape(value: Any) -> None:
    assert of(spatial=value)["bbox"] == [33.0, -5.0, 42.0, 5.0]


@pytest.mark.parametrize(
    ("value", "spatial", "coverage"),
    [
        ("Kenya", ["KE"], None),
        (["Kenya", "Lake Victoria"], ["KE"], [{"value": "Lake Victoria"}]),
        ({"prefLabel": {"en": "Kenya", "fr": "Kenya"}}, ["KE"], None),
        ({"en": "Lake Victoria"}, [], [{"value": "Lake Victoria", "lang": "en"}]),
        ({"name": "Kenya", "bbox": [33.0, -5.0, 42.0, 5.0]}, ["KE"], None),
        (
            {"@id": "http://publications.europa.eu/resource/authority/country/KEN"},
            ["KE"],
            None,
        ),
        ([{"rdfs:label": "Lake Victoria"}, None], [], [{"value": "Lake Victoria"}]),
    ],
)
def test_a_place(value: Any, spatial: list[str], coverage: Any) -> None:
    made = of(spatial=value)
    assert (made.get("spatial", []), made.get("coverage")) == (spatial, coverage)
    assert "issues" not in made


def test_other_values_in_objects_and_lists() -> None:
    made = of(
        identifier=["8", "8b"],
        issued={"@value": "2020-01-02", "@type": "xsd:date"},
        modified=["2021-02-03"],
        temporal={"startDate": "2001", "dcat:endDate": {"@value": "2004"}},
        license={"@id": "https://creativecommons.org/licenses/by/4.0/", "label": "CC BY"},
        language=[{"@id": "http://publications.europa.eu/resource/authority/language/FRA"}, "en"],
        landingPage={"@id": "/d/8"},
        contactPoint=[{"fn": None}, "x", {"hasEmail": ["a@d.example.org"]}],
        rights=["Open", None],
    )
    assert made["issued"] == "2020-01-02"
    assert made["modified"] == "2021-02-03"
    assert made["temporal"] == {"start": "2001", "end": "2004"}
    assert made["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert made["language"] == ["fr", "en"]
    assert made["url"] == "https://s.example.org/d/8"
    assert made["rights"] == [{"value": "Open"}]
    assert "issues" not in made


def test_words_of_schema_org() -> None:
    (made,) = records(
        {
            "@context": "https://schema.org/",
            "@type": "DataCatalog",
            "dataset": {
                "@type": "Dataset",
                "@id": "https://d.example.org/1",
                "name": "Reefs",
                "keywords": "coral, fish",
                "datePublished": "2020",
                "temporalCoverage": "2001/2004",
                "spatialCoverage": {"name": "Fiji"},
                "distribution": {"contentUrl": FILE, "encodingFormat": "text/csv"},
            },
        }
    )
    assert made["title"] == [{"value": "Reefs"}]
    assert [concept["label"] for concept in made["subject"]] == ["coral", "fish"]
    assert (made["issued"], made["spatial"]) == ("2020", ["FJ"])
    assert made["temporal"] == {"start": "2001", "end": "2004"}
    assert made["distribution"] == [{"url": FILE, "media_type": "text/csv"}]


DATASET = {"@type": "dcat:Dataset", "@id": "https://d.example.org/1", "dct:title": LITERALS}
CATALOGUE = {"@type": "dcat:Catalog", "@id": "https://d.example.org/"}


@pytest.mark.parametrize(
    "answer",
    [
        {"dataset": DATASET},
        {"dataset": {"one": DATASET}},
        {"dataset": [{"dataset": DATASET}]},
        {"catalog": {"dataset": [DATASET]}},
        [DATASET],
        {"@context": CONTEXT, "@graph": [DATASET]},
        {"@context": CONTEXT, "@graph": [{**CATALOGUE, "dcat:dataset": DATASET}]},
        {
            "@context": CONTEXT,
            "@id": "g:1",
            "@graph": [CATALOGUE, {"@id": "g:2", "@graph": [DATASET]}],
        },
        {"@context": ELSEWHERE, "@graph": [{**CATALOGUE, "dcat:dataset": [DATASET]}]},
        {"@context": ELSEWHERE, "@graph": [{"@graph": [DATASET]}]},
        {
            "@context": ELSEWHERE,
            "@graph": [{**CATALOGUE, "dataset": [{"@id": DATASET["@id"]}]}, DATASET],
        },
        {"@context": [ELSEWHERE, CONTEXT], **CATALOGUE, "dcat:dataset": [DATASET]},
    ],
)
def test_a_data_set_is_found_wherever_it_stands(answer: Any) -> None:
    (made,) = records(answer)
    assert sorted(made["title"], key=lambda text: text["lang"]) == BOTH
    assert made["url"] == "https://d.example.org/1"


def test_what_a_graph_refers_to_is_put_in_its_place() -> None:
    (made,) = records(
        {
            "@context": ELSEWHERE,
            "@graph": [
                {**DATASET, "dct:publisher": {"@id": "_:m"}, "dcat:distribution": [{"@id": "_:f"}]},
                {"@id": "_:m", "@type": "foaf:Agent", "foaf:name": "Ministry"},
                {"@id": "_:f", "dcat:downloadURL": {"@id": FILE}},
            ],
        }
    )
    assert made["publisher"] == [{"name": "Ministry"}]
    assert made["distribution"] == [{"url": FILE, "media_type": "text/csv"}]


@pytest.mark.parametrize("answer", [{"a": 1}, [], {"dataset": None}, {"dataset": "x"}, [{"a": 1}]])
def test_what_holds_no_catalogue_says_so(answer: Any) -> None:
    with pytest.raises(ProtocolError, match="no catalogue"):
        records(answer)


# --- literals ------------------------------------------------------------------------------

TURTLE = """@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> . @prefix foaf: <http://xmlns.com/foaf/0.1/> .
<https://d.example.org/1> a dcat:Dataset ; dct:title "Reefs"@en, "Récifs"@fr ;
  dct:modified "1904"^^xsd:date ; dct:issued "not-a-date"^^xsd:dateTime ;
  dct:publisher [ foaf:name "Uni"@it, "University"@en ] ;
  dcat:distribution [ dcat:accessURL <https://d.example.org/a.csv> ;
    dcat:byteSize "850440.0"^^xsd:decimal, "x y"^^xsd:anyURI ] .
"""
XML = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns:dct="http://purl.org/dc/terms/" xmlns:skos="http://www.w3.org/2004/02/skos/core#">
 <skos:Concept rdf:about="https://d.example.org/1"><skos:prefLabel>One</skos:prefLabel>
 <dct:issued rdf:datatype="http://www.w3.org/2001/XMLSchema#dateTime">yesterday</dct:issued>
 <dct:created rdf:datatype="http://www.w3.org/2001/XMLSchema#gYear">2020</dct:created>
 </skos:Concept></rdf:RDF>"""


def test_literals_of_the_wrong_type_keep_their_words(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        catalogue = dcat.read(payload(TURTLE, "text/turtle"))
    assert not caplog.records, "nothing of it is for the operator's screen"
    assert catalogue.warnings == [
        "odd_literal: '1904' as date",
        "odd_literal: 'not-a-date' as dateTime",
    ]
    (made,) = records(TURTLE, "text/turtle")
    assert made["modified"] == "1904"
    assert made["issues"] == ["issued: not a date: 'not-a-date'"]
    assert made["publisher"] == [{"name": "University", "lang": "en"}]
    assert made["distribution"][0]["byte_size"] == 850440


def test_so_do_those_of_other_rdf(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        things, warnings = rdf.things(payload(XML, "application/rdf+xml"))
        (concept,) = skos.concepts(XML.encode(), "application/rdf+xml")
    assert not caplog.records
    assert warnings == ["odd_literal: 'yesterday' as dateTime"]
    assert things[0]["dcterms:issued"] == [{"value": "yesterday"}]
    assert things[0]["dcterms:created"] == [{"value": "2020"}]
    assert concept.labels[0].value == "One"


def test_odd_literals_are_named_up_to_a_number() -> None:
    many = "".join(
        f'<x:{n}> <x:p> "{n}x"^^<http://www.w3.org/2001/XMLSchema#integer> .\n' for n in range(50)
    )
    _, said = graphs.parse(many, "turtle", "https://d.example.org")
    assert len(said) == graphs.MOST_ODD
