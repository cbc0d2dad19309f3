"""Values as the fields of a record want them: what expressions gave, put into shape.

Here, and not in each crosswalk, texts lose their line breaks and what markup got into them, and
languages get their shortest tag. What cannot be put into shape is said, and left out.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator

from chm_hub.document import Json
from chm_hub.record import Record
from mappings import boxes, functions, keywords, languages, markup, plausible, spaces

TEXT_FIELDS = frozenset({"title", "description", "coverage", "rights"})
AGENT_FIELDS = frozenset({"creator", "publisher", "contributor"})
LIST_FIELDS = frozenset(
    name for name, spec in Record.__dataclass_fields__.items() if spec.default_factory is list
)
"""Fields that hold any number of values."""
_PARTED = {"subject": "label", "creator": "name", "contributor": "name"}
"""Fields in which sources write several into one text, with semicolons between them, and the key
of one. A publisher's departments have semicolons too."""
_OF_LINES = frozenset({"description", "rights"})
"""Texts that have paragraphs; all others are of one line."""
_ADDRESS = re.compile(r"(?i)(?:https?|ftp)://|mailto:|www\.")


def shape(target: str, value: Json, said: list[str]) -> Json:
    """A value as the record's field wants it; ``None`` if there is nothing in it."""
    if target in LIST_FIELDS:
        made: dict[str, Json] = {}
        items = _languages(value, said) if target == "language" else _flat(value)
        if target in _PARTED:
            items = (part for item in items for part in _parted(item, _PARTED[target]))
        for item in items:
            shaped = _shape_one(target, item, said)
            if shaped is not None:
                key = shaped if isinstance(shaped, str) else repr(shaped)
                made.setdefault(key, shaped)
        return list(made.values()) or None
    if target == "bbox":
        return _shape_bbox(value, said)
    if isinstance(value, list):
        value = next((part for part in _flat(value) if part not in (None, "", {})), None)
    shaped = _shape_one(target, value, said)
    return plausible.ordered(shaped, said.append) if target == "temporal" else shaped


def _shape_bbox(value: Json, said: list[str]) -> Json:
    """West, south, east, north; a box with an end missing is none."""
    if value is None or (isinstance(value, list) and not any(n is not None for n in value)):
        return None
    if (
        isinstance(value, list)
        and len(value) == 4
        and all(type(n) in (int, float) and abs(n) <= 360 and math.isfinite(n) for n in value)
        and all(-90 <= n <= 90 for n in value[1::2])
        and (made := boxes.of_numbers(*value)) is not None
    ):
        return list(made)
    said.append(f"not a bounding box: {functions.shown(value)}")
    return None


def _flat(value: Json) -> Iterator[Json]:
    """What a list holds, lists in it opened, however deep; what is no list by itself."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        else:
            yield item


def _parted(item: Json, key: str) -> list[Json]:
    """A keyword or a name, or those that semicolons part in one text; a concept of a vocabulary
    and an agent with an address are one."""
    if isinstance(item, str):
        return [_alike(item, part) for part in keywords.parted(item)]
    if not isinstance(item, dict) or any(item.get(own) for own in ("uri", "code", "scheme")):
        return [item]
    name = key if isinstance(item.get(key), str) else "value"
    words = item.get(name)
    if not isinstance(words, str):
        return [item]
    return [{**item, name: _alike(words, part)} for part in keywords.parted(words)]


def _alike(whole: str, part: str) -> str:
    """A part of a text, read already if the text was."""
    return markup.Plain(part) if isinstance(whole, markup.Plain) else part


def _shape_one(target: str, value: Json, said: list[str]) -> Json:
    if target in TEXT_FIELDS:
        return _text(value, said, spaces.paragraphs if target in _OF_LINES else spaces.line)
    if target in AGENT_FIELDS:
        return _named(value, "name", said)
    if target == "subject":
        return _named(value, "label", said)
    if target == "distribution" and isinstance(value, str):
        value = {"url": value}
    if isinstance(value, str):
        return _string(target, value, said)
    if isinstance(value, dict):
        if isinstance(value.get("value"), str):  # a text where a plain string is wanted
            return _shape_one(target, value["value"], said)
        return _object(value, said)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return value


_ADDRESSES = frozenset({"url", "uri"})
_NAMES = frozenset({"same_as", "identifier", "code", "scheme"})
"""Plain strings that are read sign by sign: nothing in them is markup."""


def _string(key: str, value: str, said: list[str]) -> str | None:
    """A plain string (an address, an identifier, a code, a licence) as a record has it."""
    made = functions.legal(value, said.append)
    if key in _ADDRESSES or _ADDRESS.match(made):
        made = functions.without_references(spaces.address(made))
    elif key not in _NAMES and ("<" in made or "&" in made):
        made = str(markup.from_text(made, said.append))
    return spaces.line(made) or None


def _object(value: dict[str, Json], said: list[str]) -> dict[str, Json] | None:
    """An object without what is empty in it."""
    made: dict[str, Json] = {}
    for key, part in value.items():
        if isinstance(part, str):
            clean = _language(part, said) if key == "language" else _string(key, part, said)
            if clean:
                made[key] = clean
        elif part not in (None, [], {}):
            made[key] = part
    size = made.get("byte_size")
    if isinstance(size, int) and size >= 2**63:  # more than MongoDB's integers hold
        said.append(f"not a size: {functions.shown(size)}")
        del made["byte_size"]
    return made or None


def _text(
    value: Json, said: list[str], folded: Callable[[str], str] = spaces.line
) -> dict[str, str] | None:
    """A text with its language, without markup, on one line or on several."""
    lang = kind = None
    content = value
    if isinstance(value, dict):
        content, lang, kind = value.get("value"), value.get("lang"), value.get("type")
        if content is None and "value" not in value and set(value) - {"lang"}:
            # An element without text of its own is nothing; an object of something else is odd.
            if not any(key.startswith("@") for key in value):
                said.append(f"not a text: {functions.shown(value)}")
            return None
    if isinstance(content, int | float) and not isinstance(content, bool):
        content = str(content)
    if not isinstance(content, str):
        if content is not None:
            said.append(f"not a text: {functions.shown(value)}")
        return None
    words = functions.legal(content, said.append) if content else ""
    if not isinstance(content, markup.Plain) and ("<" in words or "&" in words):
        read = markup.from_html if kind in _HTML_TYPES else markup.from_text
        words = read(words, said.append)
    words = folded(words)
    if not words:
        return None
    made = {"value": words}
    if (tag := _word_on(lang, said)) is not None:
        made["lang"] = tag
    return made


_HTML_TYPES = frozenset(("html", "text/html", "xhtml", "application/xhtml+xml"))
"""What a text object may say it is, as those of feeds do."""


def _word_on(lang: Json, said: list[str]) -> str | None:
    """What a document says of a text's language: its tag, :data:`languages.IN_NONE` where that
    names no one language, ``None`` where it says nothing."""
    if not isinstance(lang, str):
        return None
    if lang in ("", languages.IN_NONE):
        return languages.IN_NONE
    return _tag(lang, said) or languages.IN_NONE


def _tag(lang: Json, said: list[str]) -> str | None:
    """The tag of the one language a text is in; codes that name none say so and are no issue."""
    if not isinstance(lang, str) or not lang:
        return None
    found, odd = languages.languages(lang)
    if odd or len(found) > 1:
        said.append(f"{languages.ODD} tag: {functions.shown(lang)}")
        return None
    return found[0] if found else None


def _language(value: str, said: list[str]) -> str | None:
    """The language of a file; one that is none is told with its key."""
    faults: list[str] = []
    tag = _tag(value, faults)
    said += [f"language: {fault}" for fault in faults]
    return tag


def _languages(value: Json, said: list[str]) -> Iterator[Json]:
    """The tags of the languages a list names."""
    for item in _flat(value):
        named = item.get("value") if isinstance(item, dict) else item
        if not isinstance(named, str):
            yield item
            continue
        found, odd = languages.languages(named)
        yield from found
        said += [f"{languages.ODD} tag: {functions.shown(part)}" for part in odd]


def _named(value: Json, key: str, said: list[str]) -> Json:
    """An agent or a concept of a string, of a text, or of an object that has the key."""
    if not isinstance(value, dict) or key not in value:
        text = _text(value, said)
        if text is not None:
            text[key] = text.pop("value")
        return text
    text = _text(value[key], said)  # the label may itself be a text
    if text is None:
        return None
    others = {k: part for k, part in value.items() if k not in (key, "lang")}
    named: dict[str, Json] = {key: text["value"], **(_object(others, said) or {})}
    tag = _tag(value.get("lang"), said) or text.get("lang")
    if tag:
        named["lang"] = tag
    code = named.get("code")
    if isinstance(code, int) and not isinstance(code, bool):
        named["code"] = str(code)
    return named
