"""Keywords that stand several in one text."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import functions

_SEVERAL = re.compile(r"(?:&(?:[A-Za-z]{2,8}|#\d+|#x[0-9A-Fa-f]+);|[^;；|\n])+")
"""A keyword before a separator; a semicolon that ends a character reference is none."""
_COMMAS = re.compile(r"[,，、]")
_GBIF_KIND = "GBIF Dataset"
"""How GBIF calls its vocabularies of kinds of data sets. Its publishing tool writes further
keywords into the one text that holds the kind."""
_FREE = frozenset({"", "n/a", "na", "none", "-"})
"""What stands for no thesaurus."""
_KINDS = frozenset(
    (
        *("occurrence", "specimen", "observation", "checklist", "samplingevent", "sampling-event"),
        *("metadata", "taxonlist", "materialentity", "multimedia", "derivedfromoccurrence"),
        *("globalspeciesdataset", "inventoryregional", "inventorythematic"),
        *("nomenclatorauthority", "taxonomicauthority"),
    )
)
"""Kinds of data sets: they say something of the file, and of what is in it nothing."""


@functions.registered
def split_keywords(value: Json, thesaurus: Json = None) -> Json:
    """The keywords of one set, each by itself, in their languages.

    Semicolons part keywords. Commas do where a set is a list of one text and of no thesaurus, and
    where GBIF's vocabulary of kinds of data sets is the thesaurus; the kinds themselves are left
    out there.

    >>> split_keywords(`["Samplingevent; fish, lakes"]`, 'GBIF Dataset Type Vocabulary: http://…')
    ["fish", "lakes"]
    """
    said = functions.first(thesaurus)
    name = (said.get("value") if isinstance(said, dict) else said) or ""
    of_kinds = str(name).strip().startswith(_GBIF_KIND)
    texts = value if isinstance(value, list) else [value]
    whole_set = isinstance(value, list) and len(texts) == 1
    with_commas = of_kinds or (whole_set and str(name).strip().lower() in _FREE)
    made: list[Json] = []
    for text in texts:
        words = text.get("value") if isinstance(text, dict) else text
        if not isinstance(words, str):
            continue
        parts = _SEVERAL.findall(words)
        if with_commas:
            parts = [word for part in parts for word in _COMMAS.split(part)]
        for part in map(str.strip, parts):
            if part and not (of_kinds and part.replace(" ", "").lower() in _KINDS):
                made.append({**text, "value": part} if isinstance(text, dict) else part)
    return made
