"""Metadata that comes in an envelope: the element a crosswalk reads stands within another.

OAI-PMH hands over one element for each record (§2.5), and some repositories put the metadata into
a wrapper of their own or into a list of one.
"""

from __future__ import annotations

from typing import Any

from harvesters import xml

_ENVELOPES: dict[str, tuple[str, ...]] = {
    "oai_datacite": ("payload", "resource"),  # DataCite's own repository
    "collection": ("record",),  # a list of MARC 21 with one record
    "modsCollection": ("mods",),
    "lidoWrap": ("lido",),
    "mets": (
        "dmdSec",
        "mdWrap",
        "xmlData",
        "*",
    ),  # METS 1, a digital object
    "GetRecordByIdResponse": ("*",),  # a catalogue of OGC (CSW) behind OAI-PMH
}
"""By the local name of the envelope: the names of the elements down to the metadata."""


def contents(root: Any) -> Any:
    """The element that holds the metadata: what stands in the envelope, else the root itself.

    Of several elements in an envelope the first counts.
    """
    path = _ENVELOPES.get(xml.local(root.tag))
    if path is None:
        return root
    at = root
    for name in path:
        at = next(
            (child for child in at if name in ("*", xml.local(child.tag)) and xml.local(child.tag)),
            None,
        )
        if at is None:
            return root
    return at
