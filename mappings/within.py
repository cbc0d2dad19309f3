"""Elements by their names, wherever they stand: for formats whose structure is each profile's own.

CMDI (ISO 24622-1) lets every profile make its components; what they call a title or a language is
much the same, where it stands is not.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator

from chm_hub.document import Json
from mappings.functions import registered

_DEEPEST = 60


@registered
def within(element: Json, names: Json, but: Json = "") -> Json:
    """The elements with one of these names at any depth, the outermost first; what stands below an
    element named in ``but`` is left out.

    >>> within(`[{"info": [{"name": [{"value": "Corpus"}]}]}]`, 'title name')
    [{"value": "Corpus"}]
    """
    wanted, unwanted = str(names).split(), frozenset(str(but or "").split())
    return [found for _, found in _search(element, wanted, unwanted)]


@registered
def outermost(element: Json, names: Json, but: Json = "") -> Json:
    """As `within`, but only those at the level nearest to the top, by the first name found there.

    >>> outermost(`[{"info": [{"name": [{"value": "Corpus"}], "part": [{"name": [{"value": "Tape"}]}]}]}]`, 'name')
    [{"value": "Corpus"}]
    """  # noqa: E501
    wanted, unwanted = str(names).split(), frozenset(str(but or "").split())
    level: list[tuple[int, str, Json]] = []
    for (depth, name), found in _search(element, wanted, unwanted):
        if level and depth > level[0][0]:
            break
        level.append((depth, name, found))
    first = next((name for name in wanted if any(name == one for _, one, _ in level)), None)
    return [found for _, name, found in level if name == first]


def _search(
    element: Json, names: list[str], but: frozenset[str]
) -> Iterator[tuple[tuple[int, str], Json]]:
    waiting: deque[tuple[int, Json]] = deque([(0, element)])
    while waiting:
        depth, value = waiting.popleft()
        if depth > _DEEPEST:
            continue
        if isinstance(value, list):
            # A list is no level of its own.
            waiting.extendleft((depth, part) for part in reversed(value))
        elif isinstance(value, dict):
            for key, part in value.items():
                parts = part if isinstance(part, list) else [part]
                if key in names:
                    yield from (((depth, key), one) for one in parts if one not in (None, ""))
                elif key not in but and not key.startswith("@"):
                    waiting.append((depth + 1, part))
