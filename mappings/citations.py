"""What the citations that GBIF writes say of a data set."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import functions

_VERSION = re.compile(r"^(?:Version|v)\s*[\d.]+\.\s+", re.IGNORECASE)
_KIND = re.compile(r"\. [A-Z][A-Za-z ]+ dataset (?:https?://|doi:|accessed via GBIF)")


@functions.registered
def publisher_in_citation(citation: Json, title: Json) -> Json:
    """The publisher in a citation as GBIF makes it: authors (year). Title. Publisher. Kind of data
    set, and its address. Its list of data sets gives only a key of the publisher.

    >>> publisher_in_citation('Li S (2024). Frogs. U.S. Museum. Checklist dataset https://doi.org/10.1/a', 'Frogs')
    "U.S. Museum"
    """  # noqa: E501
    if not isinstance(citation, str) or not isinstance(title, str) or not title.strip():
        return None
    text, name = " ".join(citation.split()), " ".join(title.split()).rstrip(".")
    _, found, rest = text.partition(f"{name}. ")
    rest = _VERSION.sub("", rest)
    kind = _KIND.search(rest)
    return (rest[: kind.start()].strip() or None) if found and kind else None
