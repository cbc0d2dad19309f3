"""Licences and other statements about rights, told apart.

Formats keep a licence, its address, the access right and a notice of copyright in one element
(Dublin Core 1.1 `rights`, MODS `accessCondition`, MARC 21 fields 506 and 540).
"""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings.functions import registered, strings, web_address

_ADDRESS = re.compile(r"https?://[^\s<>\"]+", re.IGNORECASE)
_LICENCES = re.compile(
    r"https?://(?:www\.)?(?:creativecommons\.org|opendatacommons\.org|opensource\.org|"
    r"spdx\.org/licenses|(?:www\.)?gnu\.org/licen|arxiv\.org/licenses|data\.gov|apache\.org/licenses|"
    r"(?:www\.)?nationalarchives\.gov\.uk/doc/|etalab|licen[cs]e)",
    re.IGNORECASE,
)
_ACCESS = re.compile(r"/(?:access_right|semantics)/|rightsstatements\.org", re.IGNORECASE)
"""Addresses that say who may see a resource, or whether there is a right at all."""
_NAME = re.compile(
    r"(?:CC[-_ ]?0|CC[-_ ]BY|PDDL|ODbL|ODC[- ]BY|OGL|GPL|LGPL|AGPL|MIT|Apache|"
    r"Creative Commons (?:Attribution|Zero|CC|Public Domain))(?![A-Za-z]).{0,70}",
    re.IGNORECASE,
)


@registered
def license_of(rights: Json, licenses: Json = None) -> Json:
    """The licence among statements about rights: its address, or its name.

    ``licenses`` are statements that a format calls licences. The address of a known licence
    comes first, also where it stands within a text; then what the format calls a licence; then
    any other address; then the name of a known licence. An access right is no licence.

    >>> license_of(`["open access", "Licensed under https://creativecommons.org/licenses/by/4.0/."]`)
    "https://creativecommons.org/licenses/by/4.0/"
    """
    stated, others = _trimmed(licenses), _trimmed(rights)
    found = [address for text in [*stated, *others] for address in _addresses(text)]
    known = [a for a in found if _LICENCES.match(a) and not _ACCESS.search(a)]
    if known:
        return known[0]
    if stated:
        return next(iter([a for text in stated for a in _addresses(text)] or stated))
    whole = [a for text in others if _ADDRESS.fullmatch(text) for a in _addresses(text)]
    names = [text for text in others if _NAME.fullmatch(text)]
    return next((a for a in whole if not _ACCESS.search(a)), None) or next(iter(names), None)


@registered
def rights_beside(rights: Json, license: Json) -> Json:
    """Statements about rights without the one that only says the licence.

    >>> rights_beside(`["CC0", "Cite the source"]`, 'CC0')
    ["Cite the source"]
    """
    items = rights if isinstance(rights, list) else [rights]
    same = {str(license), str(license).rstrip("/")}
    return [
        item
        for part in items
        for item in (part if isinstance(part, list) else [part])
        if not {text.strip().rstrip("/") for text in strings(item)} & same
    ]


def _trimmed(value: Json) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [
        text.strip()
        for part in items
        for text in strings(part if isinstance(part, list) else [part])
    ]


def _addresses(text: str) -> list[str]:
    found = (web_address(address.rstrip(".,;)"), "") for address in _ADDRESS.findall(text))
    return [address for address in found if address]
