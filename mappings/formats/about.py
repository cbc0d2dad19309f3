"""The ``about`` containers of a record: where it came from, and what may be done with it.

The provenance container of the OAI-PMH implementation guidelines: an aggregator that changes
a record gives it a new identifier and says what it was made from.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from lxml import etree

from chm_hub.record import Record
from mappings import functions
from mappings.formats import oai_dc

PROVENANCE = "http://www.openarchives.org/OAI/2.0/provenance"
RIGHTS = "http://www.openarchives.org/OAI/2.0/rights/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
UNKNOWN_NAMESPACE = "urn:chm-hub:not-xml"
"""Stands where the guidelines ask for the namespace of metadata that was not XML."""

_URI = ":/?#[]@!$&'()*+,;=%~"
_GUIDELINE = re.compile(r"\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}:\d{2}(\.\d+)?Z)?")


def render(record: Record) -> str:
    """The ``about`` elements of a record, serialised."""
    parts = [f"<about>{_text(_provenance(record))}</about>"]
    if record.license or record.rights:
        parts.append(f"<about>{_text(_rights(record))}</about>")
    return "".join(parts)


def _provenance(record: Record) -> Any:
    origin = record.provenance
    root = _root("provenance", PROVENANCE, PROVENANCE + ".xsd")
    harvested = f"{origin.harvested:%Y-%m-%dT%H:%M:%SZ}"
    description = etree.SubElement(
        root, f"{{{PROVENANCE}}}originDescription", harvestDate=harvested, altered="true"
    )
    for name, value in (
        ("baseURL", origin.base_url),
        ("identifier", quote(record.source_identifier, safe=_URI)),
        ("datestamp", _datestamp(origin.source_datestamp) or harvested),
        ("metadataNamespace", origin.namespace or UNKNOWN_NAMESPACE),
    ):
        etree.SubElement(description, f"{{{PROVENANCE}}}{name}").text = value
    return root


def _datestamp(given: str | None) -> str | None:
    """A source's datestamp in a form the guidelines allow: a day, or a moment in UTC."""
    made = functions.parse_date(given) if given else None
    if not made or _GUIDELINE.fullmatch(made):
        return made or None
    try:
        moment = datetime.fromisoformat(made)
    except ValueError:
        return None
    return f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" if moment.tzinfo else None


def _rights(record: Record) -> Any:
    root = _root("rights", RIGHTS, "http://www.openarchives.org/OAI/2.0/rights.xsd")
    if record.license and record.license.startswith(("http://", "https://")):
        etree.SubElement(root, f"{{{RIGHTS}}}rightsReference", ref=record.license)
    else:
        definition = etree.SubElement(root, f"{{{RIGHTS}}}rightsDefinition")
        words = [record.license] if record.license else [t.value for t in record.rights]
        nsmap = {"oai_dc": oai_dc.NAMESPACE, "dc": oai_dc.DC}
        package = etree.SubElement(definition, f"{{{oai_dc.NAMESPACE}}}dc", nsmap=nsmap)
        package.set(f"{{{XSI}}}schemaLocation", f"{oai_dc.NAMESPACE} {oai_dc.SCHEMA}")
        for word in words:
            etree.SubElement(package, f"{{{oai_dc.DC}}}rights").text = word
    return root


def _root(name: str, namespace: str, schema: str) -> Any:
    root = etree.Element(f"{{{namespace}}}{name}", nsmap={None: namespace, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", f"{namespace} {schema}")
    return root


def _text(element: Any) -> str:
    return str(etree.tostring(element, encoding="unicode"))
