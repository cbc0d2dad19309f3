"""Records as DCAT keep to the official shapes of DCAT-AP 3.0.1."""

from __future__ import annotations

import pyshacl
import pytest
from lxml import etree
from rdflib import DCAT, DCTERMS, RDF, Graph, Literal

from mappings.formats import BASE, dcat
from tests.oai.filling import bare, record
from tests.oai.test_conformance import SCHEMAS

SHAPES = SCHEMAS / "dcat-ap"
FILES = ("dcat-ap-3.0.1-SHACL.ttl", "dcat-ap-3.0.1-shapes.ttl", "dcat-ap-3.0.1-range.ttl")
TYPES = ("nbsap", "dataset", "decision", "law", "focalPoint", "permit", "meeting", "elearning")

pytestmark = pytest.mark.skipif(
    not SHAPES.is_dir(), reason=f"NO SHAPES: {SHAPES} is absent, no DCAT was validated"
)


def graph() -> Graph:
    """Records of several kinds, a full one and a bare one of each."""
    made = Graph()
    for number, kind in enumerate(TYPES):
        for full in (record(number, type=kind), bare(100 + number)):
            data = etree.tostring(dcat.render(full)).decode()
            made.parse(data=data.replace(BASE, "http://hub.test"), format="xml")
    return made


@pytest.mark.parametrize("name", FILES)
def test_what_we_give_as_dcat_conforms(name: str) -> None:
    conforms, _, report = pyshacl.validate(graph(), shacl_graph=Graph().parse(SHAPES / name))
    assert conforms, report


def test_the_shapes_do_refuse_what_is_wrong() -> None:
    spoilt = graph()
    (dataset, *_) = spoilt.subjects(RDF.type, DCAT.Dataset)
    spoilt.remove((dataset, DCTERMS.title, None))
    spoilt.add((dataset, DCTERMS.publisher, Literal("a name, not an agent")))
    shapes = Graph().parse(SHAPES / FILES[0])
    conforms, _, report = pyshacl.validate(spoilt, shacl_graph=shapes)
    assert not conforms
    assert "title" in report
