"""The record type that a source's words for a type name.

Sources write a type as a word, as a code, or as an address of a vocabulary (DCMI Type, COAR
Resource Types, info:eu-repo/semantics), and often several of them, of which some say only
whether a text was reviewed. `tables/type_words.csv` knows them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache

from chm_hub.document import Json
from mappings import tables
from mappings.functions import current, issue, registered, shown, strings

TABLE = "type_words"
NO_TYPE = "-"
"""What the table says of a word that names no type: ``PeerReviewed``."""
GENERAL = ("resource", "other")
"""The types of a resource of no kind in particular. A word that says more comes before them."""


@registered
def record_type(value: Json) -> Json:
    """The record type of a resource by the words for its type, of which the first known counts.

    A crosswalk's own table `types` comes before the table `type_words`. Capitals, accents,
    spaces and hyphens make no difference; of an address its last part counts. A word for any
    resource (`Text`) counts only if no other is known. If none is known, the first that means
    to name a type is an issue.

    >>> record_type(`["", "NonPeerReviewed", "http://purl.org/coar/resource_type/c_ddb1"]`)
    "dataset"
    """
    own = _keyed(current().tables.get("types", {}))
    shared = _shared(tables.digest())
    general: list[Json] = []
    unknown: list[str] = []
    for said in strings(value):
        found = [own.get(key, shared.get(key)) for key in _keys(said)]
        known = [kind for kind in found if kind is not None]
        for kind in known:
            if kind != NO_TYPE and kind not in GENERAL:
                return kind
        general += [kind for kind in known if kind in GENERAL]
        if not known:
            unknown.append(said)
    if not general and unknown:
        issue(f"no {shown(unknown[0])} in table 'types'")
    return min(general, key=GENERAL.index, default=None)


def _keys(said: str) -> Iterator[str]:
    """What a word is looked for under: the whole, its parts, the end of an address."""
    text = said.strip()
    if re.match(r"(?:https?://|info:|urn:)", text):
        yield _key(re.split(r"[/#:]", text.rstrip("/#"))[-1])
        return
    yield _key(text)
    parts = re.split(r"[;,|/]|::|\s[-–]\s", text)  # noqa: RUF001
    if len(parts) > 1:
        yield from (_key(part) for part in parts if part.strip())


def _key(word: str) -> str:
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if char.isalnum())


def _keyed(table: Mapping[str, Json]) -> dict[str, Json]:
    return {_key(word): kind for word, kind in table.items()}


@cache
def _shared(_digest: str) -> dict[str, str]:
    return {_key(word): kind for word, kind in tables.values(TABLE).items()}
