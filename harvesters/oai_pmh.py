"""OAI-PMH 2.0: verbs, resumption tokens, deletions, granularity → pages of documents.

Follows the specification and its implementation guidelines where servers do, and rules R3
to R8 where they do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import oai_arguments, oai_sets, oai_tokens, tally, wrapped, xml

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
EMPTY_PAGES = 10
"""After so many pages in a row with nothing in them a walk is given up."""
OVERLAP = timedelta(hours=1)
DAY = timedelta(days=1)
EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
SHORTEST = timedelta(days=2)
DEPTH = 6
"""A list that cannot be read with tokens is parted so often; then its records are asked for one
by one."""
NO_METADATA = "no_metadata"
"""Why a record is set aside that came without metadata, or with metadata that say nothing."""
_FORM = ("{http://www.w3.org/2001/XMLSchema-instance}", "{http://www.w3.org/XML/1998/namespace}")
_ADVICE = {
    "badVerb": "The question did not reach it whole: a redirect or a proxy may have dropped its "
    "arguments. Check the source's url, and `method` in its options.",
    "": "Check the source's options (metadata_prefix, set) against what the repository offers.",
}
"""What a person can do about an error of the protocol, by its code; "" for any other."""
_DEAD = frozenset({400, 404, 410, 500})
"""Statuses with which repositories answer a token they do not know (any more)."""
_ANSWERS = (200, 400, 404, 405, 406, 409, 410, 412, 422, 500, 501)
"""Statuses under which repositories give an answer of the protocol: an error, mostly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to ask one repository."""

    url: str
    prefixes: tuple[str, ...] = ("oai_dc",)
    """In order of preference; with more than one the server is asked what it offers."""
    sets: tuple[str, ...] = ()
    """Only these sets; ``("*",)`` walks every set the server lists, one after the other."""
    until: datetime | None = None
    post: bool = False
    by_identifier: bool = False
    """ListIdentifiers, then GetRecord for each: for servers whose ListRecords is broken."""
    encoding: str | None = None
    """For answers that are not in the encoding they declare, nor UTF-8."""
    granularity: str | None = None
    """Overrules what Identify says: ``day`` or ``second``."""
    max_pages: int = 100_000


async def harvest(fetch: Fetch, walk: Walk, options: Options) -> AsyncIterator[Page]:
    """Walk a repository.

    Yields pages of documents whose body is ``{"header": {...}, "format": prefix,
    "namespace": ..., "metadata": {...}}`` (see :func:`harvesters.xml.to_json`). Raises
    :class:`FetchError` and :class:`ProtocolError` where the walk cannot go on.
    """
    server = _Server(fetch, walk, options)
    if walk.since is None or not walk.memory.get("repository"):
        await server.identify()
    prefix = await server.choose_prefix()
    sets: list[str | None] = list(options.sets) or [None]
    if options.sets == ("*",):
        # In one order each time, so that a checkpoint means what it meant.
        sets = list(sorted(await server.list_sets())) or [None]
    checkpoint = tally.place(walk.checkpoint)
    begin = 0
    if checkpoint.get("prefix") == prefix and checkpoint.get("set") in sets:
        begin = sets.index(checkpoint["set"])
        walk.next_since = _parse_date(checkpoint.get("next_since"))
    else:
        checkpoint = {}
    several = len(sets) > 1
    departures = oai_sets.Departures.after(checkpoint)
    lists = oai_sets.Lists(walk, checkpoint)
    sieve = oai_sets.Sieve(walk, [] if options.sets == ("*",) else options.sets)
    for set_spec in [*sets[begin:], *lists.unread_before(sets[:begin])]:
        span = _Span(since=walk.since, until=options.until)
        window = _Window(server, prefix, set_spec, span, checkpoint)
        checkpoint = {}
        lists.begin()
        try:
            async for page in _as_can_be(window):
                if sieve.wanted:
                    page = await sieve.of(page)
                if several and set_spec is not None:
                    page = lists.note(oai_sets.of_list(page, set_spec))
                    if walk.since is not None:
                        page = departures.note(page, set_spec)
                yield page
        except (FetchError, ProtocolError) as error:
            if not several or set_spec is None:
                raise
            lists.set_aside(set_spec, error)
        else:
            lists.answered()
    lists.conclude()
    wanted = [spec for spec in sets if spec is not None]
    async for page in _asked_for_by_name(server, prefix, departures, wanted):
        yield page
    if walk.since is None and walk.checkpoint is None:
        walk.short = walk.short or sieve.fault()
    await server.look_whether_empty(prefix, sets[0])
    walk.covers_all = walk.since is None and walk.checkpoint is None
    walk.complete = walk.short is None


async def _asked_for_by_name(
    server: _Server, prefix: str, departures: oai_sets.Departures, wanted: list[str]
) -> AsyncIterator[Page]:
    """Pages of those records that are in one of the wanted sets still, of those that another set
    said are gone. Of whom the repository does not tell, the record stays (``walk.doubtful``)."""
    walk = server.walk
    names = sorted(await oai_sets.held_of(walk.kept, list(departures.departed)))
    for place, name in enumerate(names):
        try:
            documents, rejects, payloads = await server.get_record(name, prefix)
        except ProtocolError as error:
            if error.reason == "idDoesNotExist":
                continue
            documents, rejects, payloads = [], [], []
        except FetchError as error:
            if error.ends_walk:
                walk.doubtful.update(names[place:])
                walk.warnings["deletion_not_confirmed"] += len(names) - place
                return
            documents, rejects, payloads = [], [], []
        if not documents:
            walk.doubtful.add(name)
            walk.warnings["deletion_not_confirmed"] += 1
            continue
        live = [
            replace(document, listed=oai_sets.BY_NAME)
            for document in documents
            if not document.deleted and oai_sets.belongs(oai_sets.specs_of(document), wanted)
        ]
        if live:
            yield Page(payloads=payloads, documents=live, rejects=rejects)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Span:
    """A span of datestamps, both ends within it; an end that is ``None`` is open."""

    since: datetime | None
    until: datetime | None

    def halves(self, earliest: datetime, now: datetime) -> tuple[_Span, _Span] | None:
        """Its two halves; ``None`` if it is too short to be parted."""
        first, last = self.since or earliest, self.until or now
        if last - first < SHORTEST:
            return None
        middle = (first + (last - first) / 2).replace(microsecond=0)
        return replace(self, until=middle), replace(self, since=middle)


async def _as_can_be(window: _Window, depth: int = 0) -> AsyncIterator[Page]:
    """The pages of a window; where its tokens die, those of shorter windows, and at last its
    records one by one (rule R5)."""
    walk = window.server.walk
    try:
        async for page in window.pages():
            yield page
        return
    except DeadTokenError as error:
        if window.by_identifier:
            walk.short = f"{error} Neither smaller windows nor single records could be had"
            return
    halves = None
    if depth < DEPTH:
        halves = window.span.halves(window.server.earliest(), walk.started)
    if halves is None:
        walk.warnings["record_by_record"] += 1
        parts = [window.again(window.span, by_identifier=True)]
    else:
        walk.warnings["smaller_windows"] += 1
        parts = [window.again(half) for half in halves]
    for part in parts:
        async for page in _as_can_be(part, depth + 1):
            # The place within a part is none to go on from.
            yield replace(page, checkpoint=None, total=None)
        if walk.short is not None:
            return


class DeadTokenError(ProtocolError):
    """A resumption token is not taken, nor the one after a new beginning."""

    def __init__(self, message: str) -> None:
        super().__init__(message, reason="badResumptionToken")


class _Server:
    """What is known of the repository, and how to put a question to it."""

    def __init__(self, fetch: Fetch, walk: Walk, options: Options) -> None:
        self.fetch = fetch
        self.walk = walk
        self.options = options
        told = walk.memory.get("repository") or {}
        self.granularity = (
            options.granularity
            or walk.memory.get("granularity")
            or _granularity(told.get("granularity") or "YYYY-MM-DDThh:mm:ssZ")
        )
        self.listed = 0
        self.beside = oai_arguments.Beside(walk)

    async def ask(self, **arguments: str) -> tuple[Any, Payload, list[str]]:
        """The root of an answer, checked (rule R3): status, kind, root element, namespace."""
        form = tuple(arguments.items())
        if self.options.post:
            request = Request(url=self.options.url, form=form, kinds=("xml",), accept=_ANSWERS)
        else:
            joint = "&" if "?" in self.options.url else "?"
            url = self.options.url + joint + urlencode(form)
            request = Request(url=url, kinds=("xml",), accept=_ANSWERS)
        payload = await self.fetch(request)
        if payload.status != 200 and not is_error_answer(payload.body):
            raise FetchError(
                f"{payload.url}: HTTP {payload.status}, and not an OAI-PMH answer with it. Check "
                "the source's url; the repository may have moved.",
                reason=f"http_{payload.status}",
                status=payload.status,
            )
        root, warnings = xml.parse(
            payload.body,
            payload.url,
            isolate="record/header",
            charsets=[c for c in (payload.charset(), self.options.encoding) if c],
        )
        check_root(root, payload.url, warnings)
        if (
            self.walk.next_since is None
            and arguments["verb"] in ("ListRecords", "ListIdentifiers")
            and (stamp := _text(root, "responseDate"))
        ):
            said = _parse_date(stamp)
            if said is None:
                warnings.append("response_date")
            # Our own clock is the limit: a server that lives in the future must not make us
            # skip what happens until then.
            self.walk.next_since = min(said or self.walk.started, self.walk.started)
        return root, payload, warnings

    async def identify(self) -> None:
        """Ask who is there; the granularity is what matters."""
        root, _, warnings = await self.ask(verb="Identify")
        self.walk.warnings.update(warnings)
        raise_for_error(root, self.options.url)
        identify = _child(root, "Identify")
        if identify is None:
            self.walk.warnings["identify"] += 1
            return
        stated = (_text(identify, "granularity") or "").strip()
        if self.options.granularity is None and not self.walk.memory.get("granularity"):
            self.granularity = _granularity(stated)
        self.walk.learned["repository"] = {
            "name": _text(identify, "repositoryName"),
            "granularity": stated,
            "deleted": _text(identify, "deletedRecord"),
            "earliest": _text(identify, "earliestDatestamp"),
        }

    async def choose_prefix(self) -> str:
        """The first of the wanted formats that the repository has."""
        wanted = self.options.prefixes
        if len(wanted) == 1:
            return wanted[0]
        root, _, _ = await self.ask(verb="ListMetadataFormats")
        raise_for_error(root, self.options.url)
        offered = [
            _text(node, "metadataPrefix") or ""
            for node in _children(_child(root, "ListMetadataFormats"), "metadataFormat")
        ]
        for prefix in wanted:
            if prefix in offered:
                return prefix
        raise ProtocolError(
            f"{self.options.url}: has none of the formats {', '.join(wanted)}; it offers "
            f"{', '.join(offered) or 'none'}. Name one of those as metadata_prefix in the source.",
            reason="cannotDisseminateFormat",
        )

    async def list_sets(self) -> list[str]:
        """Every set the repository lists."""
        found: list[str] = []
        token: str | None = None
        used: set[str] = set()
        empty = 0
        for _ in range(self.options.max_pages):
            arguments = {"verb": "ListSets"}
            if token:
                arguments["resumptionToken"] = token
            root, _, _ = await self.ask(**arguments)
            if error_code(root) == "noSetHierarchy":
                return []
            raise_for_error(root, self.options.url)
            listed = _child(root, "ListSets")
            known = len(found)
            for node in _children(listed, "set"):
                spec = (_text(node, "setSpec") or "").strip()
                if spec and spec not in found:
                    found.append(spec)
            token = _token(listed)
            if token is None:
                self.walk.warnings.update(
                    oai_tokens.misplaced(root, listed, arguments.get("resumptionToken"))
                )
                return found
            if token in used:
                self.walk.short = "ListSets: a resumption token came twice"
                return found
            used.add(token)
            empty = empty + 1 if len(found) == known else 0
            if empty >= EMPTY_PAGES:
                self.walk.short = f"ListSets: {EMPTY_PAGES} pages in a row held no new set"
                return found
        self.walk.short = f"ListSets: the limit of {self.options.max_pages} pages was reached"
        return found

    async def get_record(
        self, identifier: str, prefix: str
    ) -> tuple[list[Document], list[Reject], list[Payload]]:
        """One record by its name. Raises the errors of the wire and the protocol."""
        root, payload, warnings = await self.ask(
            verb="GetRecord", identifier=identifier, metadataPrefix=prefix
        )
        raise_for_error(root, payload.url)
        self.walk.warnings.update(warnings)
        documents, rejects = read_records(_children(_child(root, "GetRecord"), "record"), prefix)
        return documents, rejects, [payload]

    def earliest(self) -> datetime:
        """Before when the repository has nothing, by its own word."""
        told = self.walk.learned.get("repository") or self.walk.memory.get("repository") or {}
        return _parse_date(told.get("earliest")) or EARLIEST

    async def look_whether_empty(self, prefix: str, set_spec: str | None) -> None:
        """Tell a repository in which nothing changed from one that has lost everything: both
        say that nothing matches."""
        if self.listed:
            self.walk.learned["listed"] = True
            return
        if not self.walk.memory.get("listed") or self.walk.short is not None:
            return
        if self.walk.since is not None:
            wanted = {"metadataPrefix": prefix} | ({"set": set_spec} if set_spec else {})
            root, _, _ = await self.ask(verb="ListIdentifiers", **wanted)
            if error_code(root) != "noRecordsMatch":
                return
        self.walk.warnings["lists_nothing_any_more"] += 1

    def date(self, moment: datetime) -> str:
        """A moment in the repository's granularity."""
        form = "%Y-%m-%d" if self.granularity == "day" else "%Y-%m-%dT%H:%M:%SZ"
        return moment.astimezone(UTC).strftime(form)


class _Window:
    """The pages of one list request: one format, one set, one span of time."""

    def __init__(
        self,
        server: _Server,
        prefix: str,
        set_spec: str | None,
        span: _Span,
        checkpoint: Mapping[str, Json] | None = None,
        *,
        by_identifier: bool = False,
    ) -> None:
        self.server = server
        self.prefix = prefix
        self.set_spec = set_spec
        self.span = span
        place = checkpoint or {}
        self.token: str | None = place.get("token")
        self.counted = tally.Tally.after(place)
        self.by_identifier = by_identifier or server.options.by_identifier
        self.restarted = False
        self.probed = False
        self.used: set[str] = set()
        self.fingerprints: set[bytes] = set()
        self.empty = 0
        self.refused: FetchError | ProtocolError | None = None
        """Why no further record can be asked for."""

    def again(self, span: _Span, *, by_identifier: bool = False) -> _Window:
        """A window on the same list for another span, or asked in another way."""
        return _Window(self.server, self.prefix, self.set_spec, span, by_identifier=by_identifier)

    async def pages(self) -> AsyncIterator[Page]:
        """The pages. Raises :class:`DeadTokenError` where the list cannot be read to its end
        with tokens, and the errors of the wire and the protocol."""
        verb = "ListIdentifiers" if self.by_identifier else "ListRecords"
        walk = self.server.walk
        for _ in range(self.server.options.max_pages):
            try:
                root, payload, warnings = await self.server.ask(**self._arguments(verb))
            except FetchError as error:
                if error.status in _DEAD and self.token is not None:
                    self._restart(str(error))
                    continue
                raise
            code = error_code(root)
            if code == "noRecordsMatch":
                # An answer to a token too: some servers say so instead of an empty last page.
                self._compare()
                return
            if self.token is not None and self.server.beside.other_way(code):
                continue
            if code in ("badResumptionToken", "badArgument") and self.token is not None:
                self._restart(f"{payload.url}: the repository does not take its own token.")
                continue
            if code == "badArgument" and self._other_granularity():
                continue
            raise_for_error(root, payload.url)
            listed = _child(root, verb)
            if listed is None:
                raise ProtocolError(
                    f"{payload.url}: an OAI-PMH answer without {verb} in it. Look at the answer; "
                    "the address may belong to another verb.",
                    reason="wrong_answer",
                )
            if self.token is not None:
                self.server.beside.answered()
            page = await self._page(listed, payload, warnings)
            if self.refused is not None:
                # What came before it is had.
                yield page
                raise self.refused
            token = _token(listed)
            page_total = _total(listed)
            self.counted.announced = page_total or self.counted.announced
            if xml.CUT_OFF in warnings and token is None:
                walk.short = (
                    f"a page was cut off in the middle each time it was asked for: {payload.url}"
                )
                yield page
                return
            if page_total == 0 and not (page.documents or page.rejects):
                # In place of noRecordsMatch; the token leads to the same answer (pycsw).
                yield replace(page, total=0)
                self._compare()
                return
            if self.counted.leads_back(document.identifier for document in page.documents):
                walk.warnings["list_begins_again"] += 1
                return
            if (fault := self._looks_wrong(page, token)) is not None:
                walk.short = fault
                yield page
                return
            for document in page.documents:
                self.counted.add(document.identifier)
            for reject in page.rejects:
                self.counted.add(reject.identifier)
            self.server.listed += len(page.documents)
            if token is None:
                page.warnings.extend(oai_tokens.misplaced(root, listed, self.token))
                yield page
                self._compare()
                return
            self.token = token
            yield Page(
                payloads=page.payloads,
                documents=page.documents,
                rejects=page.rejects,
                warnings=page.warnings,
                total=page_total,
                checkpoint={
                    "token": token,
                    "prefix": self.prefix,
                    "set": self.set_spec,
                    "next_since": _stamp(walk.next_since),
                    **self.counted.told(),
                },
            )
        walk.short = f"the limit of {self.server.options.max_pages} pages was reached"

    def _arguments(self, verb: str) -> dict[str, str]:
        arguments = {"verb": verb, "metadataPrefix": self.prefix}
        if self.set_spec is not None:
            arguments["set"] = self.set_spec
        if self.span.since is not None:
            overlap = DAY if self.server.granularity == "day" else OVERLAP
            arguments["from"] = self.server.date(self.span.since - overlap)
        if self.span.until is not None:
            arguments["until"] = self.server.date(self.span.until)
        if self.token is not None:
            return self.server.beside.arguments(verb, self.token, arguments)
        return arguments

    def _compare(self) -> None:
        """Whether as many records came as were announced (R4)."""
        self.server.walk.short = self.server.walk.short or self.counted.shortage(self.server.walk)

    def _restart(self, why: str) -> None:
        """Once per window, a dead token sends us back to the window's beginning (R5)."""
        if self.restarted:
            raise DeadTokenError(why)
        self.restarted = True
        self.token = None
        self.used.clear()
        self.fingerprints.clear()
        self.counted = tally.Tally()
        self.server.walk.warnings["restarted_on_dead_token"] += 1

    def _other_granularity(self) -> bool:
        """Once per window, a refused date is tried in the other granularity (R8)."""
        dated = self.span.since or self.span.until
        if dated is None or self.token is not None or self.probed:
            return False
        self.probed = True
        self.server.granularity = "second" if self.server.granularity == "day" else "day"
        self.server.walk.learned["granularity"] = self.server.granularity
        self.server.walk.warnings["granularity_probed"] += 1
        return True

    def _looks_wrong(self, page: Page, token: str | None) -> str | None:
        """Why this walk would never end, if so (R4)."""
        if token is not None:
            if token in self.used:
                return "a resumption token came twice: the source sends us round in circles"
            self.used.add(token)
        if not page.documents and not page.rejects:
            self.empty += 1
            if self.empty >= EMPTY_PAGES:
                return f"{EMPTY_PAGES} pages in a row held nothing"
            return None
        self.empty = 0
        digest = hashlib.blake2b(digest_size=16)
        # In whatever order they come.
        for name in sorted(document.identifier for document in page.documents):
            digest.update(name.encode("utf-8", "surrogatepass") + b"\n")
        fingerprint = digest.digest()
        if page.documents and fingerprint in self.fingerprints:
            return "a page came twice: the source sends us round in circles"
        self.fingerprints.add(fingerprint)
        return None

    async def _page(self, listed: Any, payload: Payload, warnings: list[str]) -> Page:
        if not self.by_identifier:
            records = _children(listed, "record")
            documents, rejects = read_records(records, self.prefix)
            if xml.CUT_OFF in warnings and records:
                # What came of the last one may be half of it.
                half, also = read_records(records[-1:], self.prefix)
                name = half[0].identifier if half else None
                documents = documents[:-1] if half else documents
                rejects = rejects[:-1] if also else rejects
                fragment = xml.to_bytes(records[-1])
                rejects.append(Reject(reason=xml.CUT_OFF, identifier=name, fragment=fragment))
            warnings += _odd_datestamps(documents, self.server.walk.started)
            return Page(payloads=[payload], documents=documents, rejects=rejects, warnings=warnings)
        documents, rejects, payloads = [], [], [payload]
        for header in _children(listed, "header"):
            document = _read_header(header, self.prefix)
            if document is None:
                rejects.append(Reject(reason="no_identifier", fragment=xml.to_bytes(header)))
            elif document.deleted:
                documents.append(document)
            else:
                try:
                    got, refused, answers = await self.server.get_record(
                        document.identifier, self.prefix
                    )
                except (FetchError, ProtocolError) as error:
                    if error.ends_walk:
                        self.refused = error
                        break
                    # One record that cannot be had is set aside; its neighbours go on (R7).
                    rejects.append(Reject(reason=error.reason, identifier=document.identifier))
                    continue
                documents += got
                rejects += refused
                payloads += answers
        return Page(payloads=payloads, documents=documents, rejects=rejects, warnings=warnings)


def read_records(records: list[Any], prefix: str) -> tuple[list[Document], list[Reject]]:
    """Documents of ``record`` elements, and those that could not be read."""
    documents: list[Document] = []
    rejects: list[Reject] = []
    for record in records:
        header = metadata = None
        for child in record:
            name = xml.local(child.tag)
            if name == "header":
                header = child
            elif name == "metadata":
                metadata = child
        document = None if header is None else _read_header(header, prefix)
        if document is None:
            rejects.append(Reject(reason="no_identifier", fragment=xml.to_bytes(record)))
            continue
        if record.get(xml.RECOVERED):
            document = replace(document, repairs=(xml.RECOVERED,))
        if not document.deleted:
            root = None
            if metadata is not None:
                root = next((c for c in metadata if isinstance(c.tag, str)), None)
                root = None if root is None else wrapped.contents(root)
            if root is None or _says_nothing(root):
                # The hub keeps what it has of it: a record that is gone has a deleted header.
                rejects.append(Reject(reason=NO_METADATA, identifier=document.identifier))
                continue
            namespace = root.tag[1:].partition("}")[0] if root.tag[0] == "{" else ""
            document.body["namespace"] = namespace
            try:
                document.body["metadata"] = xml.to_json(root)
            except ProtocolError as error:
                rejects.append(Reject(reason=error.reason, identifier=document.identifier))
                continue
        documents.append(document)
    return documents, rejects


def _says_nothing(root: Any) -> bool:
    """Whether metadata has neither text nor attributes in it; those of the root and those of
    ``xsi`` and ``xml`` are its form."""
    for element in root.iter():
        if isinstance(element.tag, str):
            own = () if element is root else element.items()
            texts = [value for name, value in own if not name.startswith(_FORM)]
            texts.append(element.text or "")
        else:
            texts = []  # a comment's text is none of the record's
        if element is not root:
            texts.append(element.tail or "")
        if any(text.strip() for text in texts):
            return False
    return True


def _read_header(header: Any, prefix: str) -> Document | None:
    identifier = datestamp = None
    sets: list[str] = []
    for child in header:
        name = xml.local(child.tag)
        if name == "identifier":
            identifier = child.text
        elif name.lower() == "datestamp":  # pycsw writes dateStamp
            datestamp = child.text
        elif name == "setSpec" and child.text and child.text.strip():
            sets.append(child.text.strip())
    # Whitespace around it is layout, not identity.
    identifier = (identifier or "").strip()
    if not identifier:
        return None
    kept: dict[str, Json] = {"identifier": identifier}
    if sets:
        kept["setSpec"] = sets
    return Document(
        identifier=identifier,
        datestamp=(datestamp or "").strip() or None,
        deleted=(header.get("status") or "").strip().lower() == "deleted",
        body={"header": kept, "format": prefix},
    )


def _odd_datestamps(documents: list[Document], now: datetime) -> list[str]:
    """What is to be said of datestamps that cannot be (R8). Nothing rests on them: the next run
    asks from this one's date on."""
    stamps = [_parse_date(d.datestamp) for d in documents if d.datestamp]
    said = []
    if None in stamps:
        said.append("datestamp_unreadable")
    if any(stamp > now + DAY for stamp in stamps if stamp is not None):
        said.append("datestamp_in_the_future")
    return said


def _granularity(stated: str) -> str:
    return "second" if "hh:mm:ss" in stated.lower() else "day"


def is_error_answer(body: bytes) -> bool:
    """Whether a body that came with another status than 200 is an OAI-PMH answer with an error
    in it: some repositories say so that nothing matched. Any prefix, encoding, comment or DOCTYPE
    may stand in it, so it is parsed."""
    try:
        root, _ = xml.parse(body, "")
    except ProtocolError:
        return False
    return xml.local(root.tag) == "OAI-PMH" and _child(root, "error") is not None


def check_root(root: Any, where: str, warnings: list[str]) -> None:
    """Raise :class:`ProtocolError` if a root element is not OAI-PMH's."""
    name = xml.local(root.tag)
    if name != "OAI-PMH":
        raise ProtocolError(
            f"{where}: the answer is XML, but its root is <{name}>, not <OAI-PMH>. Check that the "
            "source's url is the repository's base URL.",
            reason="html" if name.lower() == "html" else "wrong_root",
        )
    if not root.tag.startswith("{" + NAMESPACE + "}"):
        warnings.append("namespace")


def error_code(root: Any) -> str | None:
    """The first error code of an answer."""
    error = _child(root, "error")
    return None if error is None else (error.get("code") or "error")


def raise_for_error(root: Any, where: str) -> None:
    """Raise the OAI-PMH error an answer carries as :class:`ProtocolError`."""
    error = _child(root, "error")
    if error is not None:
        code = error.get("code") or "error"
        said = " ".join((error.text or "").split())[:300]
        raise ProtocolError(
            f"{where}: the repository answers {code}{': ' + said if said else ''}. "
            f"{_ADVICE.get(code, _ADVICE[''])}",
            reason=code,
        )


def _child(element: Any, name: str) -> Any:
    return next((c for c in element if xml.local(c.tag) == name), None)


def _children(element: Any, name: str) -> list[Any]:
    return [] if element is None else [c for c in element if xml.local(c.tag) == name]


def _text(element: Any, name: str) -> str | None:
    child = _child(element, name)
    return None if child is None or child.text is None else str(child.text)


def _token(listed: Any) -> str | None:
    """The resumption token; whitespace is stripped, a blank one is none (R4)."""
    return (_text(listed, "resumptionToken") or "").strip() or None


def _total(listed: Any) -> int | None:
    token = _child(listed, "resumptionToken")
    size = "" if token is None else (token.get("completeListSize") or "").strip()
    return int(size) if size.isdigit() else None


def _parse_date(text: str | None) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _stamp(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
