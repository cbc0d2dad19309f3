"""Crosswalks out: a record in the formats the hub republishes, one function each.

Everything is built with lxml; no harvested text is ever pasted into markup.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lxml import etree

from chm_hub.record import Record
from mappings.formats import about, chm, dcat, mods, oai_dc, oai_dcterms

BASE = "{hub}"
"""Stands for the hub's public address in rendered XML; put in when it is served, since the
address may change after a record was rendered."""
VERSION = 3
"""Raised when what is rendered of the same record changes: every record is then rendered,
and dated, anew by the next `chm-hub map`."""


@dataclass(frozen=True, slots=True)
class Format:
    """A metadata format of the OAI endpoint (OAI-PMH 2.0 §4.4)."""

    prefix: str
    namespace: str
    schema: str
    """Address of its XML Schema; may contain :data:`BASE`."""
    title: str
    render: Callable[[Record], etree._Element]


FORMATS: dict[str, Format] = {
    made.prefix: made
    for made in (
        Format("oai_dc", oai_dc.NAMESPACE, oai_dc.SCHEMA, "Simple Dublin Core", oai_dc.render),
        Format("chm", chm.NAMESPACE, BASE + chm.SCHEMA_PATH, "The hub's whole record", chm.render),
        Format(
            "oai_dcterms",
            oai_dcterms.NAMESPACE,
            BASE + oai_dcterms.SCHEMA_PATH,
            "DCMI Metadata Terms",
            oai_dcterms.render,
        ),
        Format("dcat", dcat.NAMESPACE, BASE + dcat.SCHEMA_PATH, "DCAT (RDF/XML)", dcat.render),
        Format("mods", mods.NAMESPACE, mods.SCHEMA, "MODS 3.8", mods.render),
    )
}
SCHEMA_FILES: dict[str, Path] = {
    made.SCHEMA_PATH: made.SCHEMA_FILE for made in (chm, oai_dcterms, dcat)
}
"""The XML Schemas the hub serves itself, by their path."""


def fragments(record: Record) -> dict[str, str]:
    """The ``metadata`` and ``about`` elements of a record, by metadata prefix, as they stand
    in an OAI-PMH record."""
    around = about.render(record)
    return {
        prefix: f"<metadata>{_text(made.render(record))}</metadata>{around}"
        for prefix, made in FORMATS.items()
    }


def _text(element: etree._Element) -> str:
    return str(etree.tostring(element, encoding="unicode"))
