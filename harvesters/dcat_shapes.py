"""Data sets of ``data.json`` and of JSON-LD that is read as plain JSON, in one shape.

DCAT-US 1.1 says what is a list and what a text; catalogues differ. A file alone stands for a list
of one, a title may be a map of languages, a publisher a name or a list, keys may have prefixes
(``dct:title``) or be schema.org's. All become what DCAT-US has; what is none of these stays as it
came, for the crosswalk to say so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from chm_hub.document import Json
from chm_hub.language_maps import is_map, texts_of

_PREFIX = re.compile(
    r"(?:dct|dcterms|dc|dc11|dcat|foaf|schema|sdo|adms|vcard|rdfs|skos|locn|org|pod):"
    r"|https?://[^\s]*[/#]"
)
_ALIASES = {
    "title": ("name",),
    "description": ("abstract", "notes"),
    "keyword": ("keywords", "tags"),
    "theme": ("themes", "subject"),
    "issued": ("datePublished",),
    "modified": ("dateModified",),
    "spatial": ("spatialCoverage",),
    "temporal": ("temporalCoverage",),
    "language": ("inLanguage",),
    "distribution": ("distributions", "resources"),
    "landingPage": ("page", "url"),
    "license": ("licence",),
}
"""Names that schema.org and others have for keys of DCAT-US; read where its own is missing."""
_FILE_ALIASES = {
    "downloadURL": ("downloadUrl", "contentUrl"),
    "accessURL": ("accessUrl", "url", "@id"),
    "mediaType": ("encodingFormat", "mimetype"),
    "title": ("name",),
    "byteSize": ("contentSize", "size"),
}
_NAMES = ("prefLabel", "name", "label", "title", "@value", "value")
_DATASETS = ("dataset", "datasets")
_HOLDERS = ("catalog", "catalogue", "Catalog", "@graph")
_DECIMAL = re.compile(r"(\d+)\.0*")
_DEEPEST = 6


def datasets_in(answer: Json) -> list[Json] | None:
    """The data sets of a catalogue in JSON, wherever it has them; ``None`` if it has no list.

    Nodes that a graph of JSON-LD refers to (``{"@id": …}``) stand in place of the references.
    """
    found = _found(answer, 0)
    if found is None:
        return None
    nodes = {n["@id"]: n for n in _nodes(answer, 0) if isinstance(n.get("@id"), str) and len(n) > 1}
    made = [_resolved(_unwrapped(one), nodes, 0) for one in found]
    seen: set[str] = set()
    # A node of a graph is met where it stands and where its catalogue refers to it.
    return [
        one
        for one in made
        if not (nodes and isinstance(one, dict) and isinstance(one.get("@id"), str))
        or not (one["@id"] in seen or seen.add(one["@id"]))  # type: ignore[func-returns-value]
    ]


def _found(answer: Json, depth: int) -> list[Json] | None:
    if depth > _DEEPEST:
        return None
    if isinstance(answer, list):
        parts = [_found(part, depth + 1) for part in answer]
        own = [part for part in answer if _is_dataset(part)]
        lists = [one for part in parts if part for one in part]
        return [*own, *lists] if own or any(part is not None for part in parts) else None
    if not isinstance(answer, dict):
        return None
    keys = {key_of(key): key for key in answer}
    for name in _DATASETS:
        if name in keys:
            held = answer[keys[name]]
            if isinstance(held, dict):
                held = [held] if _is_described(held) else list(held.values())
            if isinstance(held, list):
                return held
    for name in _HOLDERS:
        if name in keys:
            inside = answer[keys[name]]
            listed = inside if isinstance(inside, list) else [inside]
            if (found := _found(listed, depth + 1)) is not None:
                return found
    return None


def _is_dataset(value: Json) -> bool:
    """Whether a node says that it is a data set."""
    kinds = value.get("@type", value.get("type")) if isinstance(value, dict) else None
    listed = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(kind, str) and key_of(kind) == "Dataset" for kind in listed)


def _is_described(value: dict[str, Json]) -> bool:
    keys = {key_of(key) for key in value}
    return bool(keys & {"title", "name", "identifier", "description", "distribution"})


def _nodes(value: Json, depth: int) -> Iterator[dict[str, Json]]:
    """The nodes of all graphs in a document of JSON-LD (JSON-LD 1.1 §4.9)."""
    if depth > _DEEPEST:
        return
    if isinstance(value, list):
        for part in value:
            yield from _nodes(part, depth + 1)
    elif isinstance(value, dict):
        graph = value.get("@graph")
        for node in graph if isinstance(graph, list) else [graph]:
            if isinstance(node, dict):
                yield node
                yield from _nodes(node, depth + 1)


def _resolved(value: Json, nodes: dict[str, dict[str, Json]], depth: int) -> Json:
    if depth > 3 or not nodes:
        return value
    if isinstance(value, list):
        return [_resolved(part, nodes, depth) for part in value]
    if not isinstance(value, dict):
        return value
    name = value.get("@id")
    if len(value) == 1 and isinstance(name, str) and name in nodes:
        value = nodes[name]
    return {key: _resolved(part, nodes, depth + 1) for key, part in value.items()}


def _unwrapped(value: Json) -> Json:
    """A data set out of an object that holds nothing else."""
    if isinstance(value, dict) and len(value) == 1:
        (key,) = value
        if key_of(key).lower() == "dataset" and isinstance(value[key], dict):
            return value[key]
    return value


def key_of(key: str) -> str:
    """A key without the prefix, or the namespace, of its vocabulary."""
    return _PREFIX.sub("", key, count=1) if not key.startswith("@") else key


def in_shape(dataset: dict[str, Json]) -> dict[str, Json]:
    """A data set as DCAT-US has it.

    ``title``, ``description`` and ``rights`` are a text or a list of ``{"value", "lang"}``;
    ``keyword`` and ``theme`` lists of texts or of these, a theme with its ``uri``; ``publisher``
    and ``creator`` lists of ``{"name", "uri"}``; ``distribution`` a list of objects; ``language`` a
    list of texts; the others texts. ``spatial`` stays: :func:`harvesters.dcat.place` reads it.
    """
    made = _with_aliases(dataset, _ALIASES)
    shapes = {
        "title": _texts,
        "description": _texts,
        "rights": _texts,
        "keyword": _keywords,
        "theme": _themes,
        "publisher": _agents,
        "creator": _agents,
        "distribution": _files,
        "language": lambda value: [w for part in _listed(value) if (w := _word(part))],
        "identifier": _word,
        "landingPage": _address,
        "license": _licence,
        "accessRights": _word,
        "issued": _word,
        "modified": _word,
        "temporal": _period,
    }
    for key, shape in shapes.items():
        if key in made:
            made[key] = shape(made[key])
    return {key: value for key, value in made.items() if value not in (None, "", [], {})}


def _with_aliases(value: dict[str, Json], aliases: dict[str, tuple[str, ...]]) -> dict[str, Json]:
    made: dict[str, Json] = {}
    for key, part in value.items():
        if made.get(key_of(key)) in (None, "", [], {}):
            made[key_of(key)] = part
    for key, others in aliases.items():
        for other in others:
            if made.get(key) in (None, "", [], {}) and made.get(other) not in (None, "", [], {}):
                made[key] = made[other]
    return made


def _texts(value: Json) -> Json:
    found = texts_of(_plain_keys(value))
    if len(found) == 1 and "lang" not in found[0]:
        return found[0]["value"]
    # What holds no text stays, so that the crosswalk tells of it.
    return found or value


def _plain_keys(value: Json) -> Json:
    """An object's keys without prefixes: ``skos:prefLabel`` is ``prefLabel``."""
    return {key_of(k): v for k, v in value.items()} if isinstance(value, dict) else value


def _keywords(value: Json) -> Json:
    """One text holds several, parted by semicolons or else by commas; one of a list holds several
    only where semicolons part them."""
    if isinstance(value, str) and not _is_json(value):
        return _parted(value, ";" if ";" in value else ",")
    if is_map(value):
        return [
            {"value": word, "lang": said["lang"]} if "lang" in said else word
            for said in texts_of(
                {k: _keywords(v) if isinstance(v, str) else v for k, v in value.items()}
            )
            for word in _parted(said["value"], ";")
        ]
    found: list[Json] = []
    for part in _listed(value):
        for said in texts_of(_plain_keys(part)):
            words = _parted(said["value"], ";")
            found += [{**said, "value": word} for word in words] if "lang" in said else words
    return found


def _is_json(text: str) -> bool:
    """Whether a text is the JSON of an object or of a list of them."""
    return text.lstrip().startswith(("{", "[{"))


def _parted(text: str, by: str) -> list[str]:
    return [word.strip() for word in text.split(by) if word.strip()]


def _themes(value: Json) -> Json:
    if isinstance(value, str) and not _is_json(value):
        return _parted(value, ";")  # commas stand within the names of themes
    if is_map(value):
        return _keywords(value)
    found: list[Json] = []
    for part in _listed(value):
        uri = _address(part) if isinstance(part, dict) else None
        about: dict[str, Json] = {"uri": uri} if uri else {}
        labels = texts_of(_plain_keys(part)) if not _is_address(part) else []
        if isinstance(part, str):
            found.append(part)
        elif labels:
            found += [{**label, **about} for label in labels]
        elif about:
            found.append(about)
    return [part for part in found if part not in ("", " ")]


def _agents(value: Json) -> Json:
    """Those who have a name; a list of names in languages is one of them."""
    parts = [value] if _is_texts(value) else _listed(value)
    made: list[Json] = []
    for part in parts:
        plain = _plain_keys(part)
        if isinstance(plain, dict) and not is_map(plain):
            names = next((t for key in _NAMES if (t := texts_of(plain.get(key)))), [])
            uri = _address({k: plain.get(k) for k in ("@id", "uri", "homepage", "url")})
        else:
            names, uri = texts_of(plain), None
        if names:
            name = names[0]["value"] if len(names) == 1 and "lang" not in names[0] else names
            made.append({"name": name, **({"uri": uri} if uri else {})})
    return made


def _is_texts(value: Json) -> bool:
    """Whether a list is one text in several languages."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(part, dict) and "@language" in part for part in value)
    )


def _files(value: Json) -> Json:
    listed = _listed(value)
    if isinstance(value, dict) and value and all(isinstance(v, dict) for v in value.values()):
        listed = list(value.values())  # files under names of their own
    return [made for part in listed if (made := _file(part))]


def _file(part: Json) -> dict[str, Json] | None:
    if isinstance(part, str):
        return {"accessURL": part} if part.strip() else None
    if not isinstance(part, dict):
        return None
    made = _with_aliases(part, _FILE_ALIASES)
    for key in ("downloadURL", "accessURL"):
        made[key] = _address(made.get(key))
    for key in ("mediaType", "format", "license"):
        made[key] = _word(made.get(key))
    made["title"] = _texts(made.get("title"))
    if isinstance(size := _word(made.get("byteSize")), str):
        size = _DECIMAL.sub(r"\1", size) if _DECIMAL.fullmatch(size) else size
    elif isinstance(size, float) and size.is_integer():
        size = int(size)
    made["byteSize"] = size
    return {key: value for key, value in made.items() if value not in (None, "", [], {})}


def _period(value: Json) -> Json:
    """``start/end``, as DCAT-US has it."""
    for part in _listed(value):
        plain = _plain_keys(part)
        if isinstance(plain, dict):
            start, end = (
                next((w for key in keys if (w := _word(plain.get(key)))), "")
                for keys in (("startDate", "start", "from"), ("endDate", "end", "to"))
            )
            if start or end:
                return f"{start}/{end}"
        if said := _word(plain):
            return said
    return None


def _licence(value: Json) -> Json:
    for part in _listed(value):
        if said := _address(part) or _word(part):
            return said
    return None


def _word(value: Json) -> Json:
    """The first text or number in a value: itself, or what an object calls itself."""
    for part in _listed(value):
        plain = _plain_keys(part)
        if isinstance(plain, dict):
            keys = (
                "@value",
                "@id",
                "uri",
                "url",
                "value",
                "notation",
                "label",
                "prefLabel",
                "name",
            )
            named = next((plain[k] for k in (*keys, "title") if plain.get(k)), None)
            plain = _word(named) if isinstance(named, list | dict) else named
        if isinstance(plain, str | int | float) and plain not in ("", False):
            return plain
    return None


def _address(value: Json) -> str | None:
    """The first address in a value, as it is written; relative ones too."""
    for part in _listed(value):
        if isinstance(part, dict):
            part = _address([part.get(k) for k in ("@id", "@value", "uri", "url", "homepage")])
        if isinstance(part, str) and part.strip() and not part.startswith("_:"):
            return part
    return None


def _is_address(value: Json) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _listed(value: Json) -> list[Any]:
    if isinstance(value, list):
        return [
            one for part in value for one in (_listed(part) if isinstance(part, list) else [part])
        ]
    return [] if value in (None, "", {}) else [value]
