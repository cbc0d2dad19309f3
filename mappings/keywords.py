"""Keywords that stand several in one text."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import functions

_SEMICOLON = re.compile(r"[;；؛]")
_BEFORE_SEMICOLON = re.compile(
    r"(?:&(?:[A-Za-z]{2,8}|#\d+|#x[0-9A-Fa-f]+);|\([^()]*\)|\[[^\[\]]*\]|[^;；؛])+"
)
"""What stands before a semicolon; one that ends a character reference, or stands in brackets, is
none that parts."""
_LINES = re.compile(r"[|\n]")
_COMMAS = re.compile(r"[,，、]")
_GBIF_KIND = "GBIF Dataset"
"""How GBIF calls its vocabularies of kinds of data sets. Its publishing tool writes further
keywords into the one text that holds the kind."""
_FREE = frozenset({"", "n/a", "na", "none", "-"})
"""What stands for no thesaurus."""
_THREE = 3
"""Keywords with commas between them, where one comma may be that of a name turned round."""
_WORDS = 4
"""Words of a keyword among others; with more it is a sentence."""


@functions.registered
def split_keywords(value: Json, thesaurus: Json = None) -> Json:
    """The keywords of one set, each by itself, in their languages.

    Semicolons part keywords. Commas do where a set of no thesaurus is a list of one text, or of
    three short ones in a text, and where GBIF's vocabulary of kinds of data sets is the thesaurus.

    >>> split_keywords(`["Samplingevent; fish, lakes"]`, 'GBIF Dataset Type Vocabulary: http://…')
    ["Samplingevent", "fish", "lakes"]
    """
    said = functions.first(thesaurus)
    name = (said.get("value") if isinstance(said, dict) else said) or ""
    of_kinds = str(name).strip().startswith(_GBIF_KIND)
    free = str(name).strip().lower() in _FREE
    texts = value if isinstance(value, list) else [value]
    whole_set = isinstance(value, list) and len(texts) == 1
    made: list[Json] = []
    for text in texts:
        words = text.get("value") if isinstance(text, dict) else text
        if not isinstance(words, str):
            continue
        parts = [word for part in parted(words) for word in _LINES.split(part)]
        if of_kinds or (free and (whole_set or _is_a_list(words))):
            parts = [word for part in parts for word in _COMMAS.split(part)]
        made += [
            {**text, "value": part} if isinstance(text, dict) else part
            for part in map(str.strip, parts)
            if part
        ]
    return made


def parted(text: str) -> list[str]:
    """The keywords, or the names, that semicolons part in one text.

    In brackets a semicolon parts nothing, nor does that of a character reference.
    """
    if not _SEMICOLON.search(text):
        return [text]
    return [part for part in map(str.strip, _BEFORE_SEMICOLON.findall(text)) if part]


def _is_a_list(words: str) -> bool:
    """Whether commas part keywords: a name turned round (``Mammals, terrestrial``) has one."""
    parts = _COMMAS.split(words)
    return len(parts) >= _THREE and all(0 < len(part.split()) <= _WORDS for part in parts)
