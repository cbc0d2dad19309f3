"""An OAI-PMH 2.0 repository: all six verbs, by GET and POST, with errors by their codes."""

from __future__ import annotations

import re
import threading
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import crc32
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal
from urllib.parse import parse_qsl
from xml.sax.saxutils import escape, quoteattr

from demo import life
from demo.life import State
from demo.oai_records import FORMATS, Format, Holdings, OaiRecord
from demo.server import Answer, Request

PAGE = 50
_NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_SECOND = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_ALLOWED: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    # verb: (required, optional) arguments
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({"resumptionToken"})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset()),
    "ListIdentifiers": (
        frozenset({"metadataPrefix"}),
        frozenset({"from", "until", "set", "resumptionToken"}),
    ),
    "ListRecords": (
        frozenset({"metadataPrefix"}),
        frozenset({"from", "until", "set", "resumptionToken"}),
    ),
}


class _Refusal(Exception):
    """An error of the protocol (OAI-PMH 2.0, section 3.6)."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class _Phase:
    """The repository as it is during one phase; never changed, only replaced."""

    states: tuple[State, ...]
    ordered: tuple[State, ...]
    """By datestamp, then by number: the order of lists, and what tokens point into."""
    selections: dict[tuple[str, str], list[State]] = field(default_factory=dict)
    """The same for a format and a set, made when first asked for."""


@dataclass(frozen=True, slots=True)
class _Selection:
    """What a list request asks for, as a resumption token carries it."""

    verb: str
    prefix: str
    set: str = ""
    since: int = 0
    until: int = 1 << 40
    after: tuple[int, int] = (-1, -1)
    """Datestamp and number of the last record given."""
    cursor: int = 0


@dataclass
class Repository:
    """One repository, living through the phases of the network."""

    holdings: Holdings
    title: str
    url: str
    size: int
    gone: int
    granularity: Literal["second", "day"]
    prefixes: tuple[str, ...]
    clock: Callable[[], datetime]
    restamps: Callable[[int], bool]
    """Whether the records all get a new datestamp in a phase."""
    _phase: _Phase = field(init=False)
    _numbers: dict[str, int] = field(default_factory=dict, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def __post_init__(self) -> None:
        holdings = self.holdings
        self._settle(life.begin(holdings.seed, holdings.name, self.size, gone=self.gone))

    @property
    def states(self) -> tuple[State, ...]:
        """Every record the repository ever had, by number."""
        return self._phase.states

    def advance(self, phase: int, now: int) -> None:
        """Go on to the next phase, which begins ``now``."""
        holdings = self.holdings
        states = list(self._phase.states)
        self._settle(
            life.advance(
                states, holdings.seed, holdings.name, phase, now, restamp=self.restamps(phase)
            )
        )

    def answer(self, request: Request) -> Answer:
        """Answer one request."""
        given = request.arguments()
        if request.method == "POST":
            kind = request.headers.get("content-type", "").partition(";")[0].strip()
            if kind != "application/x-www-form-urlencoded":
                refused = b"OAI-PMH takes application/x-www-form-urlencoded (section 3.1.1.2)."
                return Answer(refused, "text/plain; charset=UTF-8", 415)
            given += parse_qsl(request.body.decode("utf-8", "replace"), keep_blank_values=True)
        try:
            arguments = self._check(given)
            body = self._perform(arguments)
        except _Refusal as refusal:
            arguments = {} if refusal.code in ("badVerb", "badArgument") else dict(given)
            body = f'<error code="{refusal.code}">{escape(str(refusal))}</error>'
        attributes = "".join(f" {name}={quoteattr(value)}" for name, value in arguments.items())
        moment = self.clock().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = (
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            f'<OAI-PMH xmlns="{_NAMESPACE}" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
            f' xsi:schemaLocation="{_NAMESPACE} {_NAMESPACE}OAI-PMH.xsd">'
            f"<responseDate>{moment}</responseDate>"
            f"<request{attributes}>{escape(self.url)}</request>{body}</OAI-PMH>\n"
        )
        return Answer(text.encode(), "text/xml; charset=UTF-8")

    def _settle(self, states: list[State]) -> None:
        ordered = sorted(states, key=_position)
        self._phase = _Phase(tuple(states), tuple(ordered))

    def _check(self, given: list[tuple[str, str]]) -> dict[str, str]:
        """The arguments as a table, if they are what the verb takes."""
        counts = Counter(name for name, _ in given)
        arguments = dict(given)
        verb = arguments.get("verb")
        if counts["verb"] != 1 or verb not in _ALLOWED:
            raise _Refusal("badVerb", "There must be one verb, and it must be one of the six.")
        for name, count in counts.items():
            if count > 1:
                raise _Refusal("badArgument", f"The argument {_shown(name)} is repeated.")
        for name, value in given:
            if _ILLEGAL.search(name + value):
                raise _Refusal("badArgument", "An argument holds characters XML does not allow.")
        names = frozenset(arguments) - {"verb"}
        required, optional = _ALLOWED[verb]
        if "resumptionToken" in names & optional:
            if len(names) > 1:
                raise _Refusal("badArgument", "A resumptionToken stands alone.")
            return arguments
        unknown = names - required - optional
        if unknown:
            shown = ", ".join(_shown(name) for name in sorted(unknown))
            raise _Refusal("badArgument", f"{verb} has no argument {shown}.")
        missing = required - names
        if missing:
            raise _Refusal("badArgument", f"{verb} needs {', '.join(sorted(missing))}.")
        return arguments

    def _perform(self, arguments: dict[str, str]) -> str:
        verb = arguments["verb"]
        if verb == "Identify":
            return self._identify()
        if verb == "ListMetadataFormats":
            return self._formats(arguments.get("identifier"))
        if verb == "ListSets":
            return self._sets(arguments.get("resumptionToken"))
        if verb == "GetRecord":
            return self._get(arguments["identifier"], arguments["metadataPrefix"])
        return self._list(self._select(arguments))

    def _identify(self) -> str:
        day = self.granularity == "day"
        earliest = min(state.stamp for state in self._phase.states)
        host = self.holdings.host
        if self.holdings.has_sets:
            # No oai-identifier description: the data sets bear bare UUIDs.
            description = (
                '<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
                'xmlns:dc="http://purl.org/dc/elements/1.1/">'
                f"<dc:title>{escape(self.title)}</dc:title>"
                "<dc:description>Publications of several countries and the data sets of a "
                "registry, in sets by country, type and data set type.</dc:description>"
                "</oai_dc:dc>"
            )
        else:
            space = "http://www.openarchives.org/OAI/2.0/oai-identifier"
            description = (
                f'<oai-identifier xmlns="{space}"><scheme>oai</scheme>'
                f"<repositoryIdentifier>{host}</repositoryIdentifier><delimiter>:</delimiter>"
                f"<sampleIdentifier>oai:{host}:000001</sampleIdentifier></oai-identifier>"
            )
        return (
            f"<Identify><repositoryName>{escape(self.title)}</repositoryName>"
            f"<baseURL>{escape(self.url)}</baseURL><protocolVersion>2.0</protocolVersion>"
            "<adminEmail>oai@example.org</adminEmail>"
            f"<earliestDatestamp>{self._stamp(earliest)}</earliestDatestamp>"
            "<deletedRecord>persistent</deletedRecord>"
            f"<granularity>{'YYYY-MM-DD' if day else 'YYYY-MM-DDThh:mm:ssZ'}</granularity>"
            f"<description>{description}</description></Identify>"
        )

    def _formats(self, identifier: str | None) -> str:
        prefixes = self.prefixes
        if identifier is not None:
            kind = self.holdings.record(self._find(identifier)).kind.type
            prefixes = tuple(p for p in prefixes if _offers(FORMATS[p], kind))
        return (
            "<ListMetadataFormats>"
            + "".join(
                f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix>"
                f"<schema>{FORMATS[prefix].schema}</schema>"
                f"<metadataNamespace>{FORMATS[prefix].namespace}</metadataNamespace>"
                "</metadataFormat>"
                for prefix in prefixes
            )
            + "</ListMetadataFormats>"
        )

    def _sets(self, token: str | None) -> str:
        if not self.holdings.has_sets:
            raise _Refusal("noSetHierarchy", "This repository has no sets.")
        start = 0
        if token is not None:
            parts = _read_token(token)
            if len(parts) != 2 or parts[0] != "ListSets" or not parts[1].isdigit():
                raise _Refusal("badResumptionToken", "The token is not one of ours.")
            start = int(parts[1])
        specs = self.holdings.set_names()
        cut = list(specs.items())[start : start + PAGE]
        if not cut:
            raise _Refusal("badResumptionToken", "The token is not one of ours.")
        body = "".join(
            f"<set><setSpec>{spec}</setSpec><setName>{escape(name)}</setName></set>"
            for spec, name in cut
        )
        following = start + PAGE
        more = _make_token("ListSets", str(following)) if following < len(specs) else ""
        if more or start:
            body += _resumption(more, len(specs), start)
        return f"<ListSets>{body}</ListSets>"

    def _get(self, identifier: str, prefix: str) -> str:
        state = self._find(identifier)
        record = self.holdings.record(state)
        chosen = FORMATS.get(prefix) if prefix in self.prefixes else None
        if chosen is None or not _offers(chosen, record.kind.type):
            raise _Refusal("cannotDisseminateFormat", f"Not available as {_shown(prefix)}.")
        return f"<GetRecord>{self._record(state, record, chosen)}</GetRecord>"

    def _find(self, identifier: str) -> State:
        states = self._phase.states
        with self._lock:
            for state in states[len(self._numbers) :]:
                self._numbers[self.holdings.record(state).identifier] = state.number
        number = self._numbers.get(identifier)
        if number is None:
            raise _Refusal("idDoesNotExist", f"There is no {_shown(identifier)} here.")
        return states[number]

    def _select(self, arguments: dict[str, str]) -> _Selection:
        token = arguments.get("resumptionToken")
        if token is not None:
            return self._resume(arguments["verb"], token)
        prefix = arguments["metadataPrefix"]
        if prefix not in self.prefixes:
            raise _Refusal("cannotDisseminateFormat", f"Not available as {_shown(prefix)}.")
        wanted = arguments.get("set", "")
        if "set" in arguments and not self.holdings.has_sets:
            raise _Refusal("noSetHierarchy", "This repository has no sets.")
        since, until = arguments.get("from"), arguments.get("until")
        if since is not None and until is not None and len(since) != len(until):
            raise _Refusal("badArgument", "from and until differ in granularity.")
        low = self._bound("from", since) if since is not None else 0
        high = self._bound("until", until, end=True) if until is not None else 1 << 40
        if low > high:
            raise _Refusal("badArgument", "from is later than until.")
        return _Selection(arguments["verb"], prefix, wanted, low, high)

    def _bound(self, name: str, text: str, *, end: bool = False) -> int:
        """A date as seconds since 1970; the day's last second for the end of a day."""
        is_day = _DAY.fullmatch(text) is not None
        is_second = _SECOND.fullmatch(text) is not None and self.granularity == "second"
        try:
            if not is_day and not is_second:
                raise ValueError(text)
            moment = datetime.fromisoformat(text).replace(tzinfo=UTC)
        except ValueError:
            form = "YYYY-MM-DD" if self.granularity == "day" else "YYYY-MM-DDThh:mm:ssZ"
            raise _Refusal("badArgument", f"{name} is not a date like {form}.") from None
        return int(moment.timestamp()) + (86_399 if is_day and end else 0)

    def _list(self, asked: _Selection) -> str:
        chosen = FORMATS[asked.prefix]
        selected = self._selected(asked.prefix, asked.set)
        first = bisect_left(selected, asked.since, key=lambda state: state.stamp)
        end = bisect_right(selected, asked.until, key=lambda state: state.stamp)
        start = bisect_right(selected, asked.after, first, key=_position)
        if first >= end:
            raise _Refusal("noRecordsMatch", "No records match.")
        if start >= end:
            raise _Refusal("badResumptionToken", "The list has no such page any more.")
        page = selected[start : min(start + PAGE, end)]
        parts = []
        for state in page:
            record = self.holdings.record(state)
            if asked.verb == "ListIdentifiers":
                parts.append(self._header(state, record, asked.set))
            else:
                parts.append(self._record(state, record, chosen, asked.set))
        more = ""
        if start + PAGE < end:
            last = page[-1]
            more = _make_token(
                asked.verb,
                asked.prefix,
                asked.set,
                str(asked.since),
                str(asked.until),
                str(last.stamp),
                str(last.number),
                str(asked.cursor + PAGE),
            )
        if more or asked.cursor:
            parts.append(_resumption(more, end - first, asked.cursor))
        return f"<{asked.verb}>{''.join(parts)}</{asked.verb}>"

    def _selected(self, prefix: str, wanted: str) -> list[State]:
        """The records there are in a format and a set, in the order of lists."""
        phase = self._phase
        selected = phase.selections.get((prefix, wanted))
        if selected is None:
            kinds = self.holdings.kinds
            chosen = FORMATS[prefix]
            selected = [
                state
                for state in phase.ordered
                if _offers(chosen, kinds[state.number % len(kinds)].type)
                and (not wanted or _is_in(self.holdings.record(state), wanted))
            ]
            if selected:  # sets nobody is in are not worth remembering
                phase.selections[prefix, wanted] = selected
        return selected

    def _resume(self, verb: str, token: str) -> _Selection:
        parts = _read_token(token)
        try:
            if len(parts) != 8 or parts[0] != verb or parts[1] not in self.prefixes:
                raise ValueError(token)
            since, until, stamp, number, cursor = (int(part) for part in parts[3:])
        except ValueError:
            raise _Refusal("badResumptionToken", "The token is not one of ours.") from None
        return _Selection(verb, parts[1], parts[2], since, until, (stamp, number), cursor)

    def _header(self, state: State, record: OaiRecord, wanted: str) -> str:
        status = ' status="deleted"' if _is_gone(state, record, wanted) else ""
        sets = "".join(f"<setSpec>{spec}</setSpec>" for spec in record.sets)
        return (
            f"<header{status}><identifier>{record.identifier}</identifier>"
            f"<datestamp>{self._stamp(state.stamp)}</datestamp>{sets}</header>"
        )

    def _record(self, state: State, record: OaiRecord, chosen: Format, wanted: str = "") -> str:
        header = self._header(state, record, wanted)
        if _is_gone(state, record, wanted):
            return f"<record>{header}</record>"
        return f"<record>{header}<metadata>{chosen.render(record)}</metadata></record>"

    def _stamp(self, moment: int) -> str:
        form = "%Y-%m-%d" if self.granularity == "day" else "%Y-%m-%dT%H:%M:%SZ"
        return datetime.fromtimestamp(moment, UTC).strftime(form)


def _position(state: State) -> tuple[int, int]:
    return state.stamp, state.number


def _is_in(record: OaiRecord, wanted: str) -> bool:
    specs = (*record.sets, *record.left)
    return any(spec == wanted or spec.startswith(wanted + ":") for spec in specs)


def _is_gone(state: State, record: OaiRecord, wanted: str) -> bool:
    """Whether the readers of a set (of all, if empty) are told that a record is deleted."""
    return state.deleted or wanted in record.left


def _offers(chosen: Format, kind: str) -> bool:
    return chosen.types is None or kind in chosen.types


def _resumption(token: str, size: int, cursor: int) -> str:
    return f'<resumptionToken completeListSize="{size}" cursor="{cursor}">{token}</resumptionToken>'


def _make_token(*parts: str) -> str:
    text = "|".join(parts)
    return urlsafe_b64encode(f"{text}|{crc32(text.encode()):08x}".encode()).decode().rstrip("=")


def _read_token(token: str) -> list[str]:
    """The parts of a token; none if it is not one of ours."""
    try:
        raw = urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4)).decode()
    except ValueError:
        return []
    text, _, check = raw.rpartition("|")
    if check != f"{crc32(text.encode()):08x}":
        return []
    return text.split("|")


def _shown(text: str) -> str:
    """A value of the client's, fit to be put in a message."""
    return repr(_ILLEGAL.sub("?", text)[:80])
