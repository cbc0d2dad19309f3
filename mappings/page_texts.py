"""Functions of crosswalks for what web pages say of themselves: summaries beside their text, and
the people in by-lines."""

from __future__ import annotations

import re

from chm_hub.document import Json
from mappings import functions

ENOUGH = 120
"""Letters of a text from which on it can be told whether a summary is one of it."""
SHARED = 0.3
"""The share of a summary's words that its text has at least."""
_WORDS = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff]{2}|[^\W\d_]{4,}")
_LOGINS = frozenset(
    str.split("admin administrator administrador administrateur webmaster root user editor "
              "superuser moderator "
              "anonymous guest test wordpress drupal")
)  # fmt: skip


@functions.registered
def described(said: Json, perhaps: Json, text: Json) -> Json:
    """What a page says of itself, and its text.

    ``said`` are summaries of the page, ``perhaps`` those that may be of its whole site: templates
    give the same one on every page, so it must share words with the text. A summary that is the
    beginning of the text, or stands in it, is not repeated.

    >>> described(`null`, 'The portal of Kenya', 'Rangers counted the cranes of the swamp')
    ["The portal of Kenya", "Rangers counted the cranes of the swamp"]
    """
    whole = text if isinstance(text, str) else ""
    found = [one for one in _texts(said)[:1] if not _holds(whole, one)]
    if not found:
        found = [one for one in _texts(perhaps)[:1] if not _holds(whole, one) and _fits(whole, one)]
    return [*found, *([text] if whole else [])]


def _texts(value: Json) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return [item for item in items if isinstance(item, str) and item.strip()]


def _holds(text: str, summary: str) -> bool:
    bare = _bare(summary)
    return bool(bare) and bare in _bare(text)


def _bare(text: str) -> str:
    said = re.sub(r"(?:\[?(?:…|\.{3}|&hellip;)\]?)\s*$", "", text.strip())
    return re.sub(r"[\W_]+", " ", said).strip().casefold()


def _fits(text: str, summary: str) -> bool:
    words = {word.casefold() for word in _WORDS.findall(summary)}
    if len(text) < ENOUGH or not words:
        return True
    inside = text.casefold()
    return sum(word in inside for word in words) >= SHARED * len(words)


@functions.registered
def authors(value: Json) -> Json:
    """The names of people or bodies in a list of names, of objects with a `name`, or of lists of
    them; the names of logins (`admin`) are nobody's.

    >>> authors(`["Awa Diop", {"name": "admin"}, [{"name": "Ann Otieno"}]]`)[].name
    ["Awa Diop", "Ann Otieno"]
    """
    found: list[str] = []
    waiting = [value]
    while waiting:
        item = waiting.pop(0)
        if isinstance(item, list):
            waiting = [*item, *waiting]
        elif isinstance(item, dict):
            waiting.insert(0, item.get("name"))
        elif isinstance(item, str) and _is_name(name := " ".join(item.split())):
            found.append(name)
    made: list[Json] = [{"name": name} for name in dict.fromkeys(found)]
    return made or None


def _is_name(said: str) -> bool:
    bare = re.sub(r"[\W_]+", "", said).casefold()
    return bool(bare) and bare not in _LOGINS and not said.startswith("http")
