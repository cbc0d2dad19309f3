"""A new repository is asked in its richest format, under its own name; every record has a name."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest

from adapters.oai_formats import Format, offered, richest
from chm_hub.naming import is_named
from chm_hub.record import validate
from harvesters import xml
from tests.running import Hub
from tests.scripted import Question, Scripted, envelope, identify, listing, record

OAI_DC = ("oai_dc", "http://www.openarchives.org/OAI/2.0/oai_dc/")
MODS = ("mods", "http://www.loc.gov/mods/v3")
MARC = ("marcxml", "http://www.loc.gov/MARC21/slim")
XOAI = ("xoai", "http://www.lyncode.com/xoai")
DIM = ("dim", "http://www.dspace.org/xmlns/dspace/dim")
DATACITE = ("oai_datacite", "http://schema.datacite.org/oai/oai-1.1/")
EML = ("eml", "https://eml.ecoinformatics.org/eml-2.2.0")
ARXIV = ("arXiv", "http://arxiv.org/OAI/arXiv/")
ARXIV_RAW = ("arXivRaw", "http://arxiv.org/OAI/arXivRaw/")
NEW = ("rfc1807", "http://info.internet.isi.edu/in-notes/rfc/rfc1807.txt")


def formats(*pairs: tuple[str, str]) -> str:
    """An answer to ListMetadataFormats."""
    told = "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>s</schema>"
        f"<metadataNamespace>\n {namespace} </metadataNamespace></metadataFormat>"
        for prefix, namespace in pairs
    )
    return envelope(f"<ListMetadataFormats>{told}</ListMetadataFormats>")


@pytest.mark.parametrize(
    ("pairs", "prefix"),
    [
        ([OAI_DC], "oai_dc"),
        ([OAI_DC, ("qdc", "http://dspace.org/qualifieddc/")], "qdc"),
        ([OAI_DC, MODS, DIM, ("mets", "http://www.loc.gov/METS/"), XOAI, MARC], "xoai"),
        ([OAI_DC, DATACITE, MARC], "oai_datacite"),
        ([OAI_DC, ("datacite4", "http://datacite.org/schema/kernel-4")], "datacite4"),
        (
            [
                ("arXivRaw", "http://arxiv.org/OAI/arXivRaw/"),
                OAI_DC,
                ("arXiv", "http://arxiv.org/OAI/arXiv/"),
            ],
            "arXiv",
        ),
        ([OAI_DC, MARC, NEW], "marcxml"),
        ([OAI_DC, EML], "eml"),
        ([("ddi", "ddi:codebook:2_5"), OAI_DC], "ddi"),
        ([("iso", "http://www.isotc211.org/2005/gmd"), OAI_DC], "iso"),
        ([NEW], None),
        ([], None),
    ],
)
def test_the_richest_format_that_a_crosswalk_reads(
    pairs: list[tuple[str, str]], prefix: str | None
) -> None:
    root, _ = xml.parse(formats(*pairs).encode(), "here")
    best = richest(offered(root))
    assert (best and best.prefix) == prefix


def test_a_format_without_a_namespace_is_offered_and_not_taken() -> None:
    root, _ = xml.parse(formats(("odd", ""), OAI_DC).encode(), "here")
    assert offered(root)[0] == Format("odd", "", None)
    assert richest(offered(root)) == Format(*OAI_DC, "oai_dc")


@pytest.fixture
def server() -> Iterator[Scripted]:
    def answer(question: Question) -> str:
        if question["verb"] == "Identify":
            return identify().replace(">R<", "> Library of\n the Lake <")
        if question["verb"] == "ListMetadataFormats":
            return formats(OAI_DC, MODS, NEW)
        if question["verb"] == "ListRecords" and question["metadataPrefix"] == "mods":
            name = '<mods xmlns="http://www.loc.gov/mods/v3">{}</mods>'
            titled = name.format("<titleInfo><title>Reeds</title></titleInfo>")
            bare = name.format("<genre>book</genre>")
            more = [record(f"r{n}", metadata=f"<metadata>{titled}</metadata>") for n in range(9)]
            return listing(record("bare", metadata=f"<metadata>{bare}</metadata>"), *more)
        return envelope('<error code="badVerb">?</error>')

    with Scripted(answer) as made:
        yield made


def test_a_new_repository_has_its_own_name_and_its_richest_format(
    hub: Hub, server: Scripted
) -> None:
    # The address alone is answered with an error of the protocol.
    said = hub("sources", "new", "lake", "--url", f"{server.url}/oai")
    assert said.code == 0, said.err
    assert "it offers oai_dc, mods, rfc1807; taken: mods, read by the crosswalk mods" in said.err
    declared = tomllib.loads((hub.sources / "lake.toml").read_text("utf-8"))
    assert declared["title"] == "Library of the Lake"
    assert declared["options"]["metadata_prefix"] == "mods"
    assert "Reeds" in said.err
    assert "no record (no title)" in said.err
    run = hub("harvest", "lake", "--json").lines[0]
    assert (run["new"], run["quarantined"]) == (9, 1), run
    again = hub("map", "lake", "--json").lines[0]
    assert again["quarantined"] == 1, again
    names = [line["title"][0]["value"] for line in hub("records", "--json").lines]
    assert names == ["Reeds"] * 9


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"type": "resource", "title": [{"value": "T"}]}, True),
        ({"type": "resource"}, False),
        ({"type": "resource", "description": [{"value": "D"}], "same_as": ["x"]}, False),
        ({"type": "researchReport", "creator": [{"name": "A"}]}, False),
        ({"type": "statement", "same_as": ["ST-1998-01"]}, True),
        ({"type": "statement"}, False),
        ({"type": "contact", "creator": [{"name": "A"}]}, True),
        ({"type": "news", "description": [{"value": "Short message."}]}, True),
        ({"type": "news", "url": "https://x.example"}, False),
        ({"type": "organism", "same_as": ["Arnica montana"]}, True),
    ],
)
def test_what_names_a_record(fields: dict[str, object], named: bool) -> None:
    provenance = {
        "source": "a", "base_url": "u", "url": "u", "harvested": "2020-01-01T00:00:00Z",
        "crosswalk": "c", "crosswalk_digest": "d", "run": "a/1",
    }  # fmt: skip
    head = {"identifier": "a/b", "source": "a", "source_identifier": "b", "provenance": provenance}
    assert is_named(validate({**head, **fields})) is named
