"""The part a name plays: who made a resource, published it, had another part in it, or none.

Formats say it with MARC relators (https://www.loc.gov/marc/relators/), as a code, a word in some
language, or an address. `tables/relators.csv` says which part each is.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from chm_hub.document import Json
from mappings import tables
from mappings.functions import current, registered, strings

PARTS = ("creator", "publisher", "contributor", "none")
"""A name with several roles plays the first of these parts."""


@registered
def part_played(roles: Json, otherwise: Json = None) -> Json:
    """The part of a name by its roles: `creator`, `publisher`, `contributor`, or `none`.

    A crosswalk's own table `roles` comes before the table `relators`. Former owners, scribes,
    binders and the like had no part in the resource: `none`. A role that nothing knows is a
    contributor's. Without any role it is ``otherwise``.

    >>> part_played(`["Former owner", "editor."]`)
    "contributor"
    """
    words = strings(roles)
    if not words:
        return otherwise
    own = {_key(word): part for word, part in current().tables.get("roles", {}).items()}
    known = _relators(tables.digest())
    found = [own.get(_key(word), known.get(_key(word))) for word in words]
    said = [part for part in found if part in PARTS]
    return min(said, key=PARTS.index) if said else "contributor"


def _key(word: str) -> str:
    """A role for comparing; of an address its last part: ``…/vocabulary/relators/aut``."""
    if re.match(r"\s*https?://", word):
        word = word.strip().rstrip("/").rpartition("/")[2]
    plain = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in plain if char.isalnum())


@cache
def _relators(_digest: str) -> dict[str, str]:
    return {_key(word): part for word, part in tables.values("relators").items()}
