"""The clearing-houses' API: the index (``/api/v2013/index``) and the documents behind it."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cmp_to_key
from typing import Any
from urllib.parse import unquote

from demo import life
from demo.life import State
from demo.scbd_documents import document, info
from demo.scbd_records import Json, ScbdRecord, make_record, wheel
from demo.scbd_rows import LIGHT_FIELDS, draft_row, full_row, light_row
from demo.server import Answer, Request
from demo.solr_query import QueryError, Test, compile_query

NAME = "scbd"
API = "/api/v2013"
_SUPPORTED = ("q", "fq", "fl", "sort", "start", "rows", "wt", "df")
_INDEX_PATHS = (f"{API}/index", f"{API}/index/", f"{API}/index/select")
_REMEMBERED = 16
"""So many lists are kept for the pages that follow."""
_DRAFT_ONLY = 8
"""Records that are a draft and nothing else, for each unit of scale."""
_PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n"
    b"2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj\n"
    b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj\n"
    b"trailer<</Root 1 0 R>>\n%%EOF\n"
)
_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010804000000b51c0c02"
    "0000000b4944415478da6364f80f00010501012718e3660000000049454e44ae426082"
)


class _Refusal(Exception):
    """An answer of the API that means no."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True, slots=True)
class _Line:
    """A row of the index: an record, and what of it is looked at most."""

    record: ScbdRecord
    is_draft: bool
    light: dict[str, Json]

    def row(self) -> dict[str, Json]:
        """The whole row."""
        return draft_row(self.record) if self.is_draft else full_row(self.record)

    def values(self, name: str) -> Sequence[Any]:
        """The values of a field; none if it is missing."""
        row = self.light if name in LIGHT_FIELDS else self.row()
        value = row.get(name)
        if value is None:
            return ()
        return value if isinstance(value, list) else (value,)


@dataclass
class _Phase:
    """The archive as it is during one phase; never changed, only replaced."""

    states: tuple[State, ...]
    lines: list[_Line] | None = None
    lists: dict[tuple[str, ...], list[_Line]] = field(default_factory=dict)


@dataclass
class Archive:
    """All clearing-houses in one index, living through the phases of the network."""

    seed: int
    scale: int
    _phase: _Phase = field(init=False)
    _names: dict[str, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        size = len(wheel()) * self.scale
        self._phase = _Phase(tuple(life.begin(self.seed, NAME, size)))
        self._drafts = [
            _draft(make_record(self.seed, State(number, 0, life.LAST, life.LAST)))
            for number in _draft_numbers(self.scale)
        ]

    @property
    def states(self) -> tuple[State, ...]:
        """Every record the archive ever had, by number."""
        return self._phase.states

    def record(self, state: State) -> ScbdRecord:
        """The record with a state."""
        return make_record(self.seed, state)

    def advance(self, phase: int, now: int) -> None:
        """Go on to the next phase, which begins ``now``."""
        states = life.advance(list(self._phase.states), self.seed, NAME, phase, now)
        self._phase = _Phase(tuple(states))

    def answer(self, request: Request, path: str) -> Answer:
        """Answer a request for a path that begins with ``/api/``."""
        try:
            if path in _INDEX_PATHS:
                return _json(self._select(_parameters(request)))
            prefix = f"{API}/documents/"
            if path.startswith(prefix) and request.method != "POST":
                return self._document(request, path.removeprefix(prefix).split("/"))
            raise _Refusal(404, "notFound", "No such path")
        except _Refusal as refusal:
            said = {
                "statusCode": refusal.status,
                "code": refusal.code,
                "message": str(refusal),
            }
            return _json(said, refusal.status)

    def _select(self, parameters: dict[str, list[str]]) -> Json:
        def one(name: str, default: str) -> str:
            return parameters.get(name, [default])[-1]

        if one("wt", "json") != "json":
            raise _Refusal(400, "invalidParameter", "wt: only json is served")
        start, rows = _count("start", one("start", "0")), _count("rows", one("rows", "10"))
        found = self._find(
            one("q", "*:*") or "*:*", parameters.get("fq", []), one("sort", ""), one("df", "")
        )
        names = [name for text in parameters.get("fl", []) for name in re.split(r"[,\s]+", text)]
        docs = [_choose(line.row(), names) for line in found[start : start + rows]]
        return {
            "responseHeader": {"status": 0, "QTime": 1},
            "response": {"numFound": len(found), "start": start, "docs": docs},
            "nonSupportedParams": [name for name in parameters if name not in _SUPPORTED],
        }

    def _find(self, q: str, filters: list[str], sort: str, df: str) -> list[_Line]:
        phase = self._phase
        key = (q, *filters, f"sort={sort}", f"df={df}")
        found = phase.lists.get(key)
        if found is None:
            try:
                tests: list[Test] = [
                    compile_query(text, df or "text_EN_txt") for text in (q, *filters)
                ]
                lines = self._lines(phase)
                found = [line for line in lines if all(test(line.values) for test in tests)]
            except QueryError as error:
                raise _Refusal(400, "invalidParameter", str(error)) from error
            found = _sort(found, sort)
            if len(phase.lists) >= _REMEMBERED:
                phase.lists.clear()
            phase.lists[key] = found
        return found

    def _lines(self, phase: _Phase) -> list[_Line]:
        """Every row of the index, by id."""
        if phase.lines is None:
            lines = list(self._drafts)
            for state in phase.states:
                if state.deleted:
                    continue
                record = make_record(self.seed, state)
                lines.append(_Line(record, False, light_row(record)))
                if record.schema.has_document and state.number % 37 == 5:
                    lines.append(_draft(record))
            lines.sort(key=lambda line: str(line.light["id"]))
            phase.lines = lines
        return phase.lines

    def _document(self, request: Request, parts: list[str]) -> Answer:
        options = dict(request.arguments())
        name, _, cited = unquote(parts[0]).partition("@")
        state = self._look_up(name)
        realm = request.headers.get("realm", "")
        missing = _Refusal(404, "notFound", "Document not found")
        if state is None or (cited and not cited.isdigit()):
            raise missing
        record = make_record(self.seed, state)
        if not record.schema.has_document or (realm and realm.upper() != record.owner):
            raise missing
        if state.deleted and options.get("include-deleted") != "true":
            raise missing
        revision = int(cited) if cited else record.revision
        if not 1 <= revision <= record.revision:
            raise missing
        if len(parts) >= 3 and parts[1] == "attachments":
            return _attachment(record, parts[-1])
        body = document(self.seed, record, revision)
        wants_info = parts[1:] == ["info"] or options.get("info") == "true"
        if parts[1:] not in ([], ["info"]):
            raise missing
        if not wants_info:
            return _json(body)
        size = len(json.dumps(body, ensure_ascii=False).encode())
        envelope = info(record, revision, size)
        if options.get("body") == "true":
            envelope["body"] = body
        return _json(envelope)

    def _look_up(self, name: str) -> State | None:
        """The state of a record called by its identifier or its number."""
        states = self._phase.states
        if name.isascii() and name.isdigit():
            number = int(name) - 100_000
            return states[number] if 0 <= number < len(states) else None
        known = self._names
        for state in states[len(known) :]:
            known[make_record(self.seed, state).identifier] = state.number
        found = known.get(name)
        return None if found is None else states[found]


def _draft(record: ScbdRecord) -> _Line:
    row = draft_row(record)
    return _Line(record, True, {name: row[name] for name in row if name in LIGHT_FIELDS})


def _draft_numbers(scale: int) -> list[int]:
    """Numbers no public record will ever have, of records that have documents."""
    beginning = len(wheel()) * 100_000
    numbers = (n for n in range(beginning, beginning + len(wheel()) * scale))
    with_documents = (n for n in numbers if wheel()[n % len(wheel())].has_document)
    return [number for number, _ in zip(with_documents, range(_DRAFT_ONLY * scale), strict=False)]


def _parameters(request: Request) -> dict[str, list[str]]:
    """The parameters of a query, from the address or from a JSON body."""
    parameters: dict[str, list[str]] = {}
    for name, value in request.arguments():
        parameters.setdefault(name, []).append(value)
    if request.method == "POST":
        try:
            body = json.loads(request.body)
        except ValueError as error:
            raise _Refusal(400, "invalidParameter", "the body is not JSON") from error
        if not isinstance(body, dict):
            raise _Refusal(400, "invalidParameter", "the body is not a JSON object")
        for name, value in body.items():
            values = value if isinstance(value, list) else [value]
            parameters.setdefault(name, []).extend(str(each) for each in values)
    return parameters


def _count(name: str, text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise _Refusal(400, "invalidParameter", f"{name}: not a number: {text!r}")
    return int(text)


def _sort(lines: list[_Line], sort: str) -> list[_Line]:
    """The rows in the order asked for; those that lack a field come last."""
    criteria = [part.split() for part in sort.split(",") if part.strip()]
    for criterion in criteria:
        if len(criterion) != 2 or criterion[1] not in ("asc", "desc"):
            raise _Refusal(400, "invalidParameter", f"sort: cannot read {sort!r}")
    if not criteria or criteria == [["id", "asc"]]:
        return lines

    def compare(one: _Line, other: _Line) -> int:
        for name, direction in criteria:
            left, right = one.values(name), other.values(name)
            if not left or not right:
                if bool(left) != bool(right):
                    return -1 if left else 1
                continue
            a, b = left[0], right[0]
            if type(a) is not type(b):
                a, b = str(a), str(b)
            if a != b:
                return (-1 if a < b else 1) * (1 if direction == "asc" else -1)
        return 0

    return sorted(lines, key=cmp_to_key(compare))


def _choose(row: dict[str, Json], names: list[str]) -> dict[str, Json]:
    """The fields asked for: names, globs, ``alias:name``; all if none is."""
    names = [name for name in names if name]
    if not names:
        return row
    chosen: dict[str, Json] = {}
    for name in names:
        alias, _, real = name.rpartition(":")
        if alias:
            if real in row:
                chosen[alias] = row[real]
        else:
            chosen |= {key: row[key] for key in row if fnmatch.fnmatchcase(key, real)}
    return chosen


def _attachment(record: ScbdRecord, name: str) -> Answer:
    """A file of a record: small, and of the kind its name says."""
    if name.endswith(".pdf"):
        return Answer(_PDF, "application/pdf")
    if name.endswith(".png"):
        return Answer(_PNG, "image/png")
    if name.endswith(".geojson") and record.countries:
        place = record.countries[0]
        shape = {"type": "Point", "coordinates": [place.longitude, place.latitude]}
        return _json({"type": "Feature", "properties": {}, "geometry": shape})
    raise _Refusal(404, "notFound", "Attachment not found")


def _json(value: Json, status: int = 200) -> Answer:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Answer(text.encode(), "application/json; charset=utf-8", status)
