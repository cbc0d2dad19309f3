"""OAI-PMH 2.0: verbs, resumption tokens, deletions, granularity → pages of documents.

Follows the specification and its implementation guidelines where servers do, and rules R3
to R8 where they do not.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from chm_hub.document import Document, Json, Page, Payload, Reject, Walk
from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch, Request
from harvesters import xml

NAMESPACE = "http://www.openarchives.org/OAI/2.0/"
EMPTY_PAGES = 10
"""After so many pages in a row with nothing in them a walk is given up."""
OVERLAP = timedelta(hours=1)
DAY = timedelta(days=1)


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
    await server.identify()
    prefix = await server.choose_prefix()
    sets: list[str | None] = list(options.sets) or [None]
    if options.sets == ("*",):
        sets = list(await server.list_sets()) or [None]
    checkpoint = walk.checkpoint or {}
    begin = 0
    if checkpoint.get("prefix") == prefix and checkpoint.get("set") in sets:
        begin = sets.index(checkpoint["set"])
        walk.next_since = _parse_date(checkpoint.get("next_since"))
    else:
        checkpoint = {}
    for set_spec in sets[begin:]:
        window = _Window(server, prefix, set_spec, checkpoint.get("token"))
        checkpoint = {}
        async for page in window.pages():
            yield page
    walk.covers_all = walk.since is None and walk.checkpoint is None
    walk.complete = walk.short is None


class _Server:
    """What is known of the repository, and how to put a question to it."""

    def __init__(self, fetch: Fetch, walk: Walk, options: Options) -> None:
        self.fetch = fetch
        self.walk = walk
        self.options = options
        self.granularity = options.granularity or walk.memory.get("granularity") or "second"

    async def ask(self, **arguments: str) -> tuple[Any, Payload, list[str]]:
        """The root of an answer, checked (rule R3): status, kind, root element, namespace."""
        form = tuple(arguments.items())
        if self.options.post:
            request = Request(url=self.options.url, form=form, kinds=("xml",))
        else:
            joint = "&" if "?" in self.options.url else "?"
            request = Request(url=self.options.url + joint + urlencode(form), kinds=("xml",))
        payload = await self.fetch(request)
        root, warnings = xml.parse(payload.body, payload.url)
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
            self.granularity = "second" if "hh:mm:ss" in stated.lower() else "day"
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
        while True:
            arguments = {"verb": "ListSets"}
            if token:
                arguments["resumptionToken"] = token
            root, _, _ = await self.ask(**arguments)
            if error_code(root) == "noSetHierarchy":
                return []
            raise_for_error(root, self.options.url)
            listed = _child(root, "ListSets")
            for node in _children(listed, "set"):
                spec = (_text(node, "setSpec") or "").strip()
                if spec and spec not in found:
                    found.append(spec)
            token = _token(listed)
            if token is None:
                return found
            if token in used:
                self.walk.short = "ListSets: a resumption token came twice"
                return found
            used.add(token)

    def date(self, moment: datetime) -> str:
        """A moment in the repository's granularity."""
        form = "%Y-%m-%d" if self.granularity == "day" else "%Y-%m-%dT%H:%M:%SZ"
        return moment.astimezone(UTC).strftime(form)


class _Window:
    """The pages of one list request: one format, one set, one span of time."""

    def __init__(self, server: _Server, prefix: str, set_spec: str | None, token: str | None):
        self.server = server
        self.prefix = prefix
        self.set_spec = set_spec
        self.token = token
        self.restarted = False
        self.probed = False
        self.used: set[str] = set()
        self.fingerprints: set[bytes] = set()
        self.empty = 0
        self.seen = 0
        self.resumed = token is not None

    async def pages(self) -> AsyncIterator[Page]:
        verb = "ListIdentifiers" if self.server.options.by_identifier else "ListRecords"
        walk = self.server.walk
        for _ in range(self.server.options.max_pages):
            try:
                root, payload, warnings = await self.server.ask(**self._arguments(verb))
            except FetchError as error:
                if self._can_restart(error.status in (400, 404, 410, 500)):
                    continue
                raise
            code = error_code(root)
            if code == "noRecordsMatch":
                # An answer to a token too: some servers say so instead of an empty last page.
                return
            if code == "badResumptionToken" and self._can_restart(True):
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
            page = await self._page(listed, payload, warnings)
            token = _token(listed)
            page_total = _total(listed)
            if (fault := self._looks_wrong(page, token)) is not None:
                walk.short = fault
                yield page
                return
            self.seen += len(page.documents) + len(page.rejects)
            if token is None:
                yield page
                if self.total is not None and self.seen < self.total and not self.resumed:
                    walk.short = f"the source announced {self.total} records and gave {self.seen}"
                return
            self.total = page_total or self.total
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
                },
            )
        walk.short = f"the limit of {self.server.options.max_pages} pages was reached"

    total: int | None = None

    def _arguments(self, verb: str) -> dict[str, str]:
        if self.token is not None:
            return {"verb": verb, "resumptionToken": self.token}
        arguments = {"verb": verb, "metadataPrefix": self.prefix}
        if self.set_spec is not None:
            arguments["set"] = self.set_spec
        if self.server.walk.since is not None:
            overlap = DAY if self.server.granularity == "day" else OVERLAP
            arguments["from"] = self.server.date(self.server.walk.since - overlap)
        if self.server.options.until is not None:
            arguments["until"] = self.server.date(self.server.options.until)
        return arguments

    def _can_restart(self, token_died: bool) -> bool:
        """Once per window, a dead token sends us back to the window's beginning (R5)."""
        if not token_died or self.token is None or self.restarted:
            return False
        self.restarted = True
        self.token = None
        self.used.clear()
        self.fingerprints.clear()
        self.seen = 0
        self.resumed = False
        self.server.walk.warnings["restarted_on_dead_token"] += 1
        return True

    def _other_granularity(self) -> bool:
        """Once per window, a refused date is tried in the other granularity (R8)."""
        if self.server.walk.since is None or self.token is not None or self.probed:
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
        for document in page.documents:
            digest.update(document.identifier.encode("utf-8", "surrogatepass") + b"\n")
        fingerprint = digest.digest()
        if page.documents and fingerprint in self.fingerprints:
            return "a page came twice: the source sends us round in circles"
        self.fingerprints.add(fingerprint)
        return None

    async def _page(self, listed: Any, payload: Payload, warnings: list[str]) -> Page:
        if not self.server.options.by_identifier:
            documents, rejects = read_records(_children(listed, "record"), self.prefix)
            return Page(payloads=[payload], documents=documents, rejects=rejects, warnings=warnings)
        documents, rejects, payloads = [], [], [payload]
        for header in _children(listed, "header"):
            document = _read_header(header, self.prefix)
            if document is None:
                rejects.append(Reject(reason="no_identifier", fragment=xml.to_bytes(header)))
            elif document.deleted:
                documents.append(document)
            else:
                got, refused, answers = await self._get_record(document.identifier)
                documents += got
                rejects += refused
                payloads += answers
        return Page(payloads=payloads, documents=documents, rejects=rejects, warnings=warnings)

    async def _get_record(
        self, identifier: str
    ) -> tuple[list[Document], list[Reject], list[Payload]]:
        try:
            root, payload, warnings = await self.server.ask(
                verb="GetRecord", identifier=identifier, metadataPrefix=self.prefix
            )
            raise_for_error(root, payload.url)
        except (FetchError, ProtocolError) as error:
            # One record that cannot be had is set aside; its neighbours go on (R7).
            return [], [Reject(reason=error.reason, identifier=identifier)], []
        self.server.walk.warnings.update(warnings)
        documents, rejects = read_records(
            _children(_child(root, "GetRecord"), "record"), self.prefix
        )
        return documents, rejects, [payload]


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
        if not document.deleted:
            root = None
            if metadata is not None:
                root = next((c for c in metadata if isinstance(c.tag, str)), None)
            if root is not None:
                namespace = root.tag[1:].partition("}")[0] if root.tag[0] == "{" else ""
                document.body["namespace"] = namespace
                document.body["metadata"] = xml.to_json(root)
            else:
                document.body["metadata"] = {}
        documents.append(document)
    return documents, rejects


def _read_header(header: Any, prefix: str) -> Document | None:
    identifier = datestamp = None
    sets: list[str] = []
    for child in header:
        name = xml.local(child.tag)
        if name == "identifier":
            identifier = child.text
        elif name == "datestamp":
            datestamp = child.text
        elif name == "setSpec" and child.text:
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
            f"{where}: the repository answers {code}{': ' + said if said else ''}. Check the "
            "source's options (metadata_prefix, set) against what the repository offers.",
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
