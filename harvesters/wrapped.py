"""Metadata that comes in an envelope: the element a crosswalk reads stands within another.

OAI-PMH hands over one element for each record (§2.5), and some repositories put the metadata into
a wrapper of their own or into a list of one.
"""

from __future__ import annotations

from typing import Any

from harvesters import xml

_ENVELOPES: dict[str, tuple[tuple[str, ...], ...]] = {
    "oai_datacite": (("payload", "resource"),),  # DataCite's own repository
    "collection": (("record",),),  # a list of MARC 21 with one record
    "modsCollection": (("mods",),),
    "lidoWrap": (("lido",),),
    "mets": (("dmdSec", "mdWrap", "xmlData", "*"), ("dmdSec", "mdWrap", "xmlData")),
    # What is described stands beside who gathered it (Europeana), or alone.
    "RDF": (("ProvidedCHO",), ("Description",), ("*",)),
    "GetRecordByIdResponse": (("*",),),  # a catalogue of OGC (CSW) behind OAI-PMH
}
"""By the local name of the envelope: the ways down to the metadata, tried in turn. ``*`` is an
element of any name that has no brother: several of them are the metadata themselves."""


def contents(root: Any) -> Any:
    """The element that holds the metadata: what stands in the envelope, else the root itself.

    Of several elements of one name in an envelope the first counts.
    """
    for path in _ENVELOPES.get(xml.local(root.tag), ()):
        at = root
        for name in path:
            at = _child(at, name)
            if at is None:
                break
        else:
            return at
    return root


def _child(element: Any, name: str) -> Any:
    children = [child for child in element if xml.local(child.tag)]
    if name == "*":
        return children[0] if len(children) == 1 else None
    return next((child for child in children if xml.local(child.tag) == name), None)
