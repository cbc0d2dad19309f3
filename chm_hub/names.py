"""Our names of records: how ``<source>/<local>`` is made of what a source calls a record.

The OAI-PMH identifier puts ``oai:<repository id>:`` before the name. So a name may have the
characters that the OAI identifier guidelines allow there: the unreserved and reserved characters
of RFC 2396 and its escapes, which is what ``oai-identifier.xsd`` says. Pure functions; which of
the two rules a source follows in a store stands in :mod:`store.names`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable

LONGEST = 200
"""Characters of a source's identifier that is kept. Longer ones do not fit an address that people
copy: a request with all of them escaped stays far below what servers accept (8,000)."""
_ONE = r"[A-Za-z0-9\-_.!~*'();/?:@&=+$,]"
_LEGAL = rf"{_ONE}*(?:%[0-9A-Fa-f]{{2}}{_ONE}*)*"
PATTERN = rf"^[a-z0-9][a-z0-9_-]*/(?:{_ONE}|%[0-9A-Fa-f]{{2}}){_LEGAL}$"
"""What every name is like, under both rules."""
_KEPT = re.compile(rf"(?!~){_LEGAL}")
_DOTS = re.compile(r"(?:^|/)(?:\.|%2[Ee]){1,2}(?:[/?]|$)")
"""A step of a path that is ``.`` or ``..``: browsers and proxies take it out of an address."""
_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def readable(source: str, native: str) -> str:
    """Our name of what ``source`` calls ``native``: the source's own identifier where that is
    legal in an OAI identifier and not too long, else ``~`` and a digest of it.

    Different identifiers have different names: case is kept, nothing is escaped or unescaped, and
    no identifier that is kept begins with ``~``.
    """
    if 0 < len(native) <= LONGEST and _KEPT.fullmatch(native) and not _DOTS.search(native):
        return f"{source}/{native}"
    return f"{source}/~{_digest(native)}"


def digested(source: str, native: str) -> str:
    """Our name by the rule of earlier versions: the source's own identifier only where it
    has nothing but letters, digits, ``.``, ``_`` and ``-``, else ``~`` and a digest of it."""
    if _PLAIN.fullmatch(native):
        return f"{source}/{native}"
    return f"{source}/~{_digest(native)}"


def is_digest(name: str) -> bool:
    """Whether a name does not show what the source calls the record."""
    return name.partition("/")[2].startswith("~")


READABLE, DIGESTED = "readable", "digested"
RULES: dict[str, Callable[[str, str], str]] = {READABLE: readable, DIGESTED: digested}


def _digest(native: str) -> str:
    return hashlib.sha256(native.encode("utf-8", "surrogatepass")).hexdigest()[:32]
