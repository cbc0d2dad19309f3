"""Resumption tokens that stand where no harvester reads them.

OAI-PMH 2.0 §3.5 puts the token into the text of ``resumptionToken``; an empty one is the end of the
list. Some servers write it into an attribute, into ``request``, or beside the list. By the standard
such a list ends there, and so it does for us; but the reader of the run must hear of it.
"""

from __future__ import annotations

from typing import Any

from harvesters import xml

_OWN = frozenset({"expirationDate", "completeListSize", "cursor"})
"""The attributes that the standard gives a ``resumptionToken``."""


def misplaced(root: Any, listed: Any, asked: str | None) -> list[str]:
    """Warnings for the last page of a list; ``asked`` is the token that it answers.

    ``token_in_attribute``, ``token_in_request``, ``token_elsewhere``; none for a list that ends as
    the standard says.
    """
    found = []
    for element in _named(listed, "resumptionToken"):
        if any(_is_token(name, value) for name, value in element.items()):
            found.append("token_in_attribute")
        if any((part.text or "").strip() for part in element):
            found.append("token_elsewhere")
    for element in _named(root, "request"):
        said = (element.get("resumptionToken") or "").strip()
        if said and said != (asked or ""):
            found.append("token_in_request")
    beside = [*_named(root, "resumptionToken")]
    beside += [
        token for record in _named(listed, "record") for token in _named(record, "resumptionToken")
    ]
    if any((element.text or "").strip() for element in beside):
        found.append("token_elsewhere")
    return list(dict.fromkeys(found))


def _is_token(name: str, value: str) -> bool:
    # An attribute of a namespace (xsi:type, xml:lang) is none of the server's own words.
    return not name.startswith("{") and name not in _OWN and bool(value.strip())


def _named(element: Any, name: str) -> list[Any]:
    return [] if element is None else [c for c in element if xml.local(c.tag) == name]
