"""The values of documents that no expression of their crosswalk reads, counted by path.

A value is a text, number or truth value at the end of a path (``metadata.title[].value``). A
language (``lang``) and an attribute belong to the value beside them and are not counted, unless
the attribute is an address.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from zlib import crc32

from chm_hub.document import Document, Json
from mappings import labelled, reading
from mappings.crosswalk import Crosswalk, chosen_for

PATHS = 20_000
"""Different paths that one tally tells apart; those beyond are counted where they branch off."""
ALL_OF = 200
"""So many documents of a run are all looked at; of those that follow one in :data:`ONE_OF`. It
keeps the counting under a tenth of the time that mapping takes."""
ONE_OF = 5
SHOWN = 30
"""Paths that are kept with a run."""
DEEPEST = 200
READ, IGNORED, UNREAD = "read", "ignored", "unread"


def unread(crosswalk: Crosswalk, document: Document) -> list[str]:
    """Paths of a document that the crosswalk neither reads nor knowingly ignores."""
    tally = Tally()
    tally.look(chosen_for(crosswalk, document, {}), document, every_attribute=True)
    return sorted(path.path for path in tally.paths())


@dataclass(slots=True)
class Path:
    """A path with values that no expression reads."""

    path: str
    values: int
    documents: int
    example: str
    """The identifier of a document that has it."""


@dataclass(slots=True)
class _Node:
    """One step of a path, with what was counted there."""

    path: str
    children: dict[str, _Node] = field(default_factory=dict)
    verdict: str = ""
    values: int = 0
    documents: int = 0
    last: int = 0
    example: str = ""


@dataclass(frozen=True, slots=True)
class _Root:
    """What one crosswalk mapped."""

    crosswalk: Crosswalk
    fields: frozenset[str]
    """The fields it reads of lists whose elements say in an attribute what they are."""
    in_xml: bool
    """Whether its documents were XML: then every element has a ``lang``."""
    node: _Node = field(default_factory=lambda: _Node(""))


class Tally:
    """Counts the values of documents that are read, ignored or unread."""

    def __init__(self) -> None:
        self.documents = 0
        """How many documents were looked at."""
        self._roots: dict[str, _Root] = {}
        self._nodes = 0
        self._offered = 0

    def sample(self, crosswalk: Crosswalk, document: Document, name: str) -> None:
        """Count the values of a document if it is among the first :data:`ALL_OF`, or among those
        whose names choose them: one of :data:`ONE_OF`, the same ones in every run."""
        self._offered += 1
        if self._offered <= ALL_OF or crc32(name.encode("utf-8", "replace")) % ONE_OF == 0:
            self.look(crosswalk, document, name)

    def look(
        self,
        crosswalk: Crosswalk,
        document: Document,
        name: str = "",
        *,
        every_attribute: bool = False,
    ) -> None:
        """Count the values of a document that this crosswalk (one without choices) maps; ``name``
        is what an example is named by, else the document's identifier."""
        self.documents += 1
        root = self._roots.get(crosswalk.name)
        if root is None:
            fields = labelled.fields_read(one.parsed for one in crosswalk.compiled.values())
            root = self._roots[crosswalk.name] = _Root(
                crosswalk, fields, any(path.startswith("metadata") for path in crosswalk.reads)
            )
        self._every = every_attribute
        self._document = name or document.identifier
        self._walk(root, document.body, root.node, 0)

    def _walk(self, root: _Root, value: Json, node: _Node, depth: int) -> None:
        if type(value) is dict:
            attributes = self._every or "value" not in value
            for key, part in value.items():
                if not part and part != 0:
                    continue
                if key[:1] == "@":
                    if root.fields or not (attributes or _is_address(part)):
                        continue
                elif key == "lang" and ("value" in value or root.in_xml) and not self._every:
                    continue
                child = node.children.get(key)
                if child is None:
                    child = self._child(node, key, f"{node.path}.{key}" if node.path else key)
                if type(part) is str:  # most values are texts
                    self._count(root, part, child)
                elif depth < DEEPEST:
                    self._walk(root, part, child, depth + 1)
        elif type(value) is list:
            for part in value:
                said = "[]"
                if root.fields and type(part) is dict:
                    said = f"[{labelled.label(part)}]"
                child = node.children.get(said)
                if child is None:
                    child = self._child(node, said, f"{node.path}{said}")
                if depth < DEEPEST:
                    self._walk(root, part, child, depth + 1)
        elif value is not None and value != "":
            self._count(root, value, node)

    def _count(self, root: _Root, value: Json, node: _Node) -> None:
        if type(value) is str and value.isspace():
            return
        if not node.values:
            node.verdict = _verdict(root, node.path)
            node.example = self._document
        node.values += 1
        if node.last != self.documents:
            node.last = self.documents
            node.documents += 1

    def _child(self, node: _Node, key: str, path: str) -> _Node:
        if self._nodes >= PATHS:
            # A document whose keys are data: what is beyond is counted together.
            return node.children.setdefault("*", _Node(f"{node.path}.*"))
        self._nodes += 1
        made = node.children[key] = _Node(path)
        return made

    def counts(self, crosswalk: str | None = None) -> dict[str, int]:
        """How many values are ``read``, ``ignored`` and ``unread``; by one crosswalk or by all."""
        made = dict.fromkeys((READ, IGNORED, UNREAD), 0)
        for name, root in self._roots.items():
            if crosswalk in (None, name):
                for node in _leaves(root.node):
                    made[node.verdict] += node.values
        return made

    def paths(self) -> list[Path]:
        """The unread paths, those with most values first."""
        found = [
            Path(node.path, node.values, node.documents, node.example)
            for root in self._roots.values()
            for node in _leaves(root.node)
            if node.verdict == UNREAD
        ]
        return sorted(found, key=lambda one: (-one.values, one.path))

    def told(self) -> dict[str, Any] | None:
        """What is kept with a run: numbers of documents looked at, of values that are read or
        unread (those ignored knowingly left out), the crosswalk that leaves most unread, and the
        paths with most values; ``None`` where no document was looked at."""
        if not self.documents:
            return None
        counts, paths = self.counts(), self.paths()
        worst = max(self._roots, key=lambda name: (self.counts(name)[UNREAD], name))
        return {
            "documents": self.documents,
            "values": counts[READ] + counts[UNREAD],
            "unread": counts[UNREAD],
            "crosswalk": worst,
            "paths": [
                {"path": p.path, "values": p.values, "documents": p.documents, "example": p.example}
                for p in paths[:SHOWN]
            ],
            "further_paths": max(0, len(paths) - SHOWN),
        }


def _leaves(node: _Node) -> Iterator[_Node]:
    waiting = [node]
    while waiting:
        one = waiting.pop()
        if one.values:
            yield one
        waiting += one.children.values()


def _is_address(value: Json) -> bool:
    return isinstance(value, str) and value.startswith(("http://", "https://"))


def _verdict(root: _Root, path: str) -> str:
    bare = _bare(path)
    covered = any(reading.covers(read, bare) for read in root.crosswalk.reads)
    if covered and (not root.fields or labelled.reads(root.fields, path)):
        return READ
    ignored = root.crosswalk.ignored
    if any(fnmatch.fnmatchcase(one, _glob(p)) for p in ignored for one in (path, bare)):
        return IGNORED
    return UNREAD


def _bare(path: str) -> str:
    """A path without its labels: ``metadata.datafield[].subfield[].value``."""
    made, rest = "", path
    while "[" in rest:
        before, _, after = rest.partition("[")
        made += f"{before}[]"
        rest = after.partition("]")[2]
    return made + rest


def _glob(pattern: str) -> str:
    """A path pattern as fnmatch takes it: only ``*`` is special, ``[]`` is not."""
    return pattern.replace("[", "[[]")
