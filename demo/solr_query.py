"""Solr's query language, as much of it as harvesters use: query text → a test on rows.

Clauses combine as in Solr's standard parser, which is not what the words suggest: AND makes
both its neighbours required, OR leaves them optional, NOT forbids; an optional clause beside
a required one decides nothing; and a query in parentheses that only forbids finds nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

DEPTH = 40
"""So deep may parentheses nest."""

Values = Callable[[str], Sequence[Any]]
"""The values a row has in a field; none if it lacks the field."""
Test = Callable[[Values], bool]

ANY_CASE = frozenset({"realm_ss"})
"""String fields compared without regard to case; the others are exact, as in Solr."""

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<open>\() | (?P<close>\)) |
        (?P<range>[\[{]\s*(?P<low>"[^"]*"|[^\s\]}]+)\s+TO\s+(?P<high>"[^"]*"|[^\s\]}]+)\s*[\]}]) |
        "(?P<phrase>(?:\\.|[^"\\])*)" |
        (?P<sign>[+\-!](?=\S)) |
        (?P<and>&&) | (?P<or>\|\|) |
        (?P<word>(?:\\.|[^\s()\[\]{}":+\-!\\&|^]|(?<=\S)[+\-!]|&(?!&)|\|(?!\|))+)
    )(?P<field>:)?(?P<boost>\^[\d.]+)?""",
    re.VERBOSE,
)
_ESCAPE = re.compile(r"\\(.)")
_DATE = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z")
_WORD = re.compile(r"\w+")


class QueryError(ValueError):
    """A query that cannot be read; its text says why."""


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    names_field: bool


def compile_query(text: str, default_field: str) -> Test:
    """The test a query stands for. Raises :class:`QueryError`."""
    parser = _Parser(_tokens(text), default_field)
    test, only_forbids = parser.clauses(0)
    if parser.rest():
        raise QueryError(f"a closing parenthesis too many in {text!r}")
    # Solr mends a query that only forbids, but only the outermost.
    return (lambda row: not test(row)) if only_forbids else test


def _tokens(text: str) -> list[_Token]:
    tokens = []
    at = 0
    text = text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise QueryError(f"cannot read {text[at : at + 40]!r}")
        kind = found.lastgroup or ""
        for name in ("open", "close", "range", "phrase", "sign", "and", "or", "word"):
            if found[name] is not None:
                kind = name
                break
        value = found[kind]
        if found["field"] and kind != "word":
            raise QueryError(f"no field can be called {found[0].strip()!r}")
        if kind == "word" and not found["field"]:
            kind = {"AND": "and", "OR": "or", "NOT": "not"}.get(value, kind)
        tokens.append(_Token(kind, value, bool(found["field"])))
        at = found.end()
    return tokens


class _Parser:
    """Recursive descent over the tokens."""

    def __init__(self, tokens: list[_Token], field: str) -> None:
        self._tokens = tokens
        self._at = 0
        self._field = field

    def rest(self) -> bool:
        return self._at < len(self._tokens)

    def clauses(self, depth: int) -> tuple[Test, bool]:
        """Clauses up to a closing parenthesis; with True, the test is of what is forbidden."""
        if depth > DEPTH:
            raise QueryError("the parentheses are nested too deep")
        must: list[Test] = []
        should: list[Test] = []
        must_not: list[Test] = []
        last: tuple[list[Test], Test] | None = None
        while self.rest() and self._peek().kind != "close":
            joined = ""
            if self._peek().kind in ("and", "or"):
                joined = self._next().kind
                if last is None:
                    raise QueryError(f"{joined.upper()} stands at the beginning")
            sign = self._next().text if self.rest() and self._peek().kind in ("sign", "not") else ""
            test = self._clause(depth)
            if joined == "and" and last is not None and last[0] is should:
                should.remove(last[1])
                must.append(last[1])
            if sign in ("-", "!", "NOT"):
                group = must_not
            elif sign == "+" or joined == "and":
                group = must
            else:
                group = should
            group.append(test)
            last = (group, test)
        if last is None:
            raise QueryError("a query or a pair of parentheses is empty")
        if must_not and not must and not should:
            return _any(must_not), True
        return _combine(must, should, must_not), False

    def _clause(self, depth: int) -> Test:
        token = self._next()
        if token.names_field:
            field = _ESCAPE.sub(r"\1", token.text)
            return self._value(field, self._next(), depth)
        return self._value(self._field, token, depth)

    def _value(self, field: str, token: _Token, depth: int) -> Test:
        if token.names_field:
            raise QueryError(f"two fields in a row at {token.text!r}")
        if token.kind == "open":
            outer, self._field = self._field, field
            test, only_forbids = self.clauses(depth + 1)
            self._field = outer
            if not self.rest():
                raise QueryError("a closing parenthesis is missing")
            self._next()
            return _nothing if only_forbids else test
        if token.kind == "range":
            return _range(field, token.text)
        if token.kind == "phrase":
            return _equals(field, _ESCAPE.sub(r"\1", token.text), phrase=True)
        if token.kind != "word":
            raise QueryError(f"{token.text!r} stands where a value should")
        if field == "*" and token.text == "*":
            return _everything
        if token.text == "*":
            return lambda row: bool(row(field))
        if "~" in token.text.replace("\\~", ""):
            raise QueryError("fuzzy queries are not supported here")
        return _equals(field, token.text, phrase=False)

    def _peek(self) -> _Token:
        return self._tokens[self._at]

    def _next(self) -> _Token:
        if not self.rest():
            raise QueryError("the query ends where a value should stand")
        self._at += 1
        return self._tokens[self._at - 1]


def _everything(row: Values) -> bool:
    return True


def _nothing(row: Values) -> bool:
    return False


def _any(tests: list[Test]) -> Test:
    return lambda row: any(test(row) for test in tests)


def _combine(must: list[Test], should: list[Test], must_not: list[Test]) -> Test:
    if len(must) + len(should) == 1 and not must_not:
        return (must or should)[0]

    def combined(row: Values) -> bool:
        if not all(test(row) for test in must):
            return False
        if not must and not any(test(row) for test in should):
            return False
        return not any(test(row) for test in must_not)

    return combined


def _is_text(field: str) -> bool:
    return field.endswith(("_t", "_txt"))


def _equals(field: str, text: str, *, phrase: bool) -> Test:
    """One word or phrase: words within a text, a whole value elsewhere."""
    if _is_text(field):
        wanted = [word.lower() for word in _WORD.findall(_ESCAPE.sub(r"\1", text))]

        def holds(row: Values) -> bool:
            for value in row(field):
                words = [word.lower() for word in _WORD.findall(str(value))]
                starts = range(len(words) - len(wanted) + 1)
                if wanted and any(words[at : at + len(wanted)] == wanted for at in starts):
                    return True
            return False

        return holds
    if not phrase and re.search(r"(?<!\\)[*?]", text):
        pieces = re.split(r"(\\.|[*?])", text)
        pattern = "".join(
            {"*": ".*", "?": "."}.get(piece) or re.escape(piece.removeprefix("\\"))
            for piece in pieces
        )
        flags = re.IGNORECASE if field in ANY_CASE else 0
        matcher = re.compile(pattern, flags | re.DOTALL)
        return lambda row: any(matcher.fullmatch(_plain(value)) for value in row(field))
    wanted_value = text if phrase else _ESCAPE.sub(r"\1", text)
    if field.endswith(("_dt", "_dts")):
        wanted_value = _date(wanted_value)
    if field in ANY_CASE:
        folded = wanted_value.casefold()
        return lambda row: any(_plain(value).casefold() == folded for value in row(field))
    return lambda row: any(_plain(value) == wanted_value for value in row(field))


def _range(field: str, text: str) -> Test:
    found = _TOKEN.fullmatch(text)
    assert found is not None
    low, high = found["low"].strip('"'), found["high"].strip('"')
    with_low, with_high = text[0] == "[", text.rstrip()[-1] == "]"
    read: Callable[[Any], Any] = _plain
    if field.endswith(("_dt", "_dts")):
        read = _date
    elif field.endswith(("_i", "_is", "_d", "_ds")):
        read = _number
    # Bounds are read when the query is, so that a bad one is an error and not an empty list.
    floor = None if low == "*" else read(_ESCAPE.sub(r"\1", low))
    ceiling = None if high == "*" else read(_ESCAPE.sub(r"\1", high))

    def within(row: Values) -> bool:
        for value in row(field):
            point = read(value)
            if floor is not None and (point < floor or (point == floor and not with_low)):
                continue
            if ceiling is not None and (point > ceiling or (point == ceiling and not with_high)):
                continue
            return True
        return False

    return within


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _number(value: Any) -> float:
    try:
        return float(value)
    except ValueError:
        raise QueryError(f"not a number: {value!r}") from None


def _date(value: Any) -> str:
    found = _DATE.fullmatch(str(value))
    if found is None:
        raise QueryError(f"not a date like 2026-01-31T00:00:00Z: {value!r}")
    return found[1]
