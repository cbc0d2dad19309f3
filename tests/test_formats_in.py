"""Which crosswalk reads what a repository gives: by namespace, in envelopes, in unknown ones."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub.record import to_dict
from harvesters import oai_pmh, wrapped, xml
from mappings import crosswalk as crosswalks
from mappings import reading

MARC = "http://www.loc.gov/MARC21/slim"
MODS = "http://www.loc.gov/mods/v3"


def outcome(metadata: str) -> crosswalks.Outcome:
    """What becomes of one record of a repository with this metadata."""
    page = (
        f'<r xmlns="{oai_pmh.NAMESPACE}"><record><header><identifier>a</identifier></header>'
        f"<metadata>{metadata}</metadata></record></r>"
    )
    root, _ = xml.parse(page.encode(), "here")
    documents, rejects = oai_pmh.read_records(list(root), "any")
    assert not rejects
    provenance: dict[str, Any] = {
        "source": "s",
        "base_url": "https://s.example",
        "url": "https://s.example/a",
        "source_datestamp": None,
        "namespace": documents[0].body["namespace"],
        "harvested": datetime(2026, 1, 1, tzinfo=UTC),
        "run": "s/1",
    }
    source = {"id": "s", "url": "https://s.example", "countries": [], "options": {}}
    return crosswalks.apply(crosswalks.load("oai"), documents[0], source, provenance)


def title(metadata: str) -> tuple[str, str]:
    """The crosswalk that read a record, and its first title."""
    made = outcome(metadata)
    assert made.record is not None
    return made.crosswalk, to_dict(made.record)["title"][0]["value"]


MARC_TITLE = '<datafield tag="245"><subfield code="a">Reefs /</subfield></datafield>'
DC = "http://purl.org/dc/elements/1.1/"
QDC = "http://dspace.org/qualifieddc/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
KERNEL = "http://datacite.org/schema/kernel"
ETDMS = "http://www.ndltd.org/standards/metadata/etdms"
RESOURCE = "<titles><title>Reefs</title></titles>"


@pytest.mark.parametrize(
    ("metadata", "by"),
    [
        (f'<record xmlns="{MARC}">{MARC_TITLE}</record>', "marc21"),
        (f'<collection xmlns="{MARC}"><record>{MARC_TITLE}</record></collection>', "marc21"),
        (f'<mods xmlns="{MODS}"><titleInfo><title>Reefs</title></titleInfo></mods>', "mods"),
        (
            f'<modsCollection xmlns="{MODS}"><mods><titleInfo><title>Reefs</title></titleInfo>'
            "</mods></modsCollection>",
            "mods",
        ),
        (
            '<mets xmlns="http://www.loc.gov/METS/"><metsHdr/><dmdSec><mdWrap><xmlData>'
            f'<mods xmlns="{MODS}"><titleInfo><title>Reefs</title></titleInfo></mods>'
            "</xmlData></mdWrap></dmdSec></mets>",
            "mods",
        ),
        (
            '<mets xmlns="http://www.loc.gov/METS/"><dmdSec><mdWrap><xmlData>'
            f'<dc:title xmlns:dc="{DC}">Reefs</dc:title><dc:type xmlns:dc="{DC}">Text</dc:type>'
            "</xmlData></mdWrap></dmdSec></mets>",
            "oai_dc",
        ),
        (
            f'<rdf:RDF xmlns:rdf="{RDF}"><rdf:Description><title xmlns="{DC}">Reefs</title>'
            "</rdf:Description></rdf:RDF>",
            "oai_dc",
        ),
        (
            f'<rdf:RDF xmlns:rdf="{RDF}" xmlns:edm="http://www.europeana.eu/schemas/edm/"><edm:Place/>'
            f'<edm:ProvidedCHO><title xmlns="{DC}">Reefs</title></edm:ProvidedCHO></rdf:RDF>',
            "oai_dc",
        ),
        (
            '<oai_datacite xmlns="http://schema.datacite.org/oai/oai-1.0/"><isReferenceQuality/>'
            f'<payload><resource xmlns="{KERNEL}-2.2">{RESOURCE}</resource>'
            "</payload></oai_datacite>",
            "datacite",
        ),
        (
            f'<resource xmlns="http://datacite.org/schema/kernel-4.6">{RESOURCE}</resource>',
            "datacite",
        ),
        (f'<q xmlns="{QDC}" xmlns:dc="{DC}"><dc:title>Reefs</dc:title></q>', "oai_dcterms"),
        (
            '<thesis xmlns="http://www.ndltd.org/standards/metadata/etdms/1-1/"><title>Reefs</title></thesis>',
            "etdms",
        ),
        (
            '<codeBook xmlns="ddi:codebook:2_5_3"><stdyDscr><citation><titlStmt><titl>Reefs</titl>'
            "</titlStmt></citation></stdyDscr></codeBook>",
            "ddi",
        ),
    ],
)
def test_the_namespace_chooses_also_in_an_envelope_and_in_another_version(
    metadata: str, by: str
) -> None:
    assert title(metadata) == (by, "Reefs")


@pytest.mark.parametrize(
    ("metadata", "by"),
    [
        (
            '<x xmlns="urn:new"><title>Reefs</title><creator>A</creator><date>2001</date></x>',
            "oai_dc",
        ),
        (f'<record xmlns="urn:new">{MARC_TITLE}</record>', "marc21"),
        ('<m xmlns=""><titleInfo><title>Reefs</title></titleInfo><genre>book</genre></m>', "mods"),
        (
            f'<resource xmlns="urn:new">{RESOURCE}<creators><creator><creatorName>A</creatorName>'
            "</creator></creators><publicationYear>2001</publicationYear></resource>",
            "datacite",
        ),
        (
            '<arXiv xmlns=""><id>1</id><title>Reefs</title><abstract>B</abstract>'
            "<categories>q</categories><authors><author><keyname>A</keyname></author></authors></arXiv>",
            "arxiv",
        ),
        (
            '<d xmlns="urn:new"><field element="title">Reefs</field>'
            '<field element="type">Report</field></d>',
            "dspace",
        ),
    ],
)
def test_an_unknown_namespace_goes_to_the_crosswalk_that_reads_most(metadata: str, by: str) -> None:
    assert title(metadata) == (by, "Reefs")


def test_what_no_crosswalk_reads_makes_a_record_without_a_title() -> None:
    made = outcome('<x xmlns="urn:new"><weight>3</weight></x>')
    assert made.record is None or not made.record.title


def test_an_envelope_with_nothing_in_it_is_left_as_it_is() -> None:
    root, _ = xml.parse(f'<collection xmlns="{MARC}"/>'.encode(), "here")
    assert wrapped.contents(root) is root
    root, _ = xml.parse(b"<oai_datacite><payload/></oai_datacite>", "here")
    assert wrapped.contents(root) is root


def test_how_much_is_read_is_counted_by_paths_of_the_metadata() -> None:
    paths = frozenset(
        {"header.identifier", "metadata.a[].value", "metadata.b[].value", "metadata.b[].@id"}
    )
    assert reading.share(frozenset({"metadata.a"}), paths) == 0.5
    assert reading.share(frozenset({"metadata"}), paths) == 1.0
    assert reading.share(frozenset({"header"}), paths) == 0.0
    assert reading.share(frozenset(), frozenset()) == 0.0


def test_every_crosswalk_of_a_format_is_among_those_for_unknown_namespaces() -> None:
    oai = crosswalks.load("oai")
    others = {one.name for one in oai.others}
    # Qualified Dublin Core is read by oai_dc too.
    assert {one.name for one in oai.choices.values()} - {"oai_dcterms"} <= others
