"""Asking an endpoint, and what every one of its answers must be (OAI-PMH 2.0 §3.1–3.2)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from lxml import etree

from chm_hub.fetch import Fetch, Request

OAI = "http://www.openarchives.org/OAI/2.0/"
NS = {"o": OAI}
GRAMMAR = Path(__file__).with_name("answer.rng")
_CLOCK = timedelta(hours=24)
"""A clock that is off by more tells every harvester the wrong next date."""

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it should be."""

    level: str
    """``failure`` (against the specification) or ``warning`` (against good practice)."""
    message: str
    asked: str = ""
    """The arguments of the question, as a query."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """The header of a record."""

    identifier: str
    datestamp: str
    sets: tuple[str, ...]
    deleted: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One answer, parsed; ``root`` is an empty element where it was no XML."""

    root: Any
    status: int
    asked: str
    plain: bool = False
    """Whether its body came as it is, not compressed."""

    @property
    def codes(self) -> set[str]:
        """The codes of its errors."""
        return set(self.root.xpath("o:error/@code", namespaces=NS))

    @property
    def responded(self) -> str:
        """Its responseDate."""
        return self.text("responseDate")

    def text(self, path: str) -> str:
        """The text of the first element with this name, empty if there is none."""
        found = self.root.xpath(f"(//o:{path})[1]", namespaces=NS)
        return (found[0].text or "").strip() if found else ""

    def all(self, name: str) -> list[Any]:
        """All elements with a name."""
        return list(self.root.xpath(f"//o:{name}", namespaces=NS))

    @property
    def headers(self) -> list[Header]:
        """The headers of its records."""
        return [
            Header(
                identifier=(made.findtext("o:identifier", "", NS)).strip(),
                datestamp=(made.findtext("o:datestamp", "", NS)).strip(),
                sets=tuple((s.text or "").strip() for s in made.findall("o:setSpec", NS)),
                deleted=made.get("status") == "deleted",
            )
            for made in self.all("header")
        ]

    @property
    def token(self) -> str:
        """Its resumption token; empty if the list ends here."""
        return self.text("resumptionToken")


@dataclass(slots=True)
class Endpoint:
    """An endpoint, what is known of it, and what was found in the check that is running."""

    fetch: Fetch
    url: str
    parts: int
    findings: list[Finding] = field(default_factory=list)
    skipped: str = ""
    answers: int = 0
    base_url: str = ""
    granularity: str = ""
    deletions: str = ""
    earliest: str = ""
    formats: dict[str, tuple[str, str]] = field(default_factory=dict)
    """By prefix the schema and the namespace."""
    sets: list[str] = field(default_factory=list)
    sample: Header | None = None
    """A live record."""
    tombstone: Header | None = None
    walked: list[Header] = field(default_factory=list)
    """What a walk over identifiers met."""
    whole: bool = False
    """Whether that walk came to its end, and nothing changed meanwhile."""
    _grammar: Any = field(default_factory=lambda: etree.RelaxNG(etree.parse(str(GRAMMAR))))

    # --- saying what is wrong --------------------------------------------------------------

    def fail(self, message: str, answer: Answer | None = None) -> None:
        """Something against the specification."""
        self._find("failure", message, answer)

    def warn(self, message: str, answer: Answer | None = None) -> None:
        """Something against good practice."""
        self._find("warning", message, answer)

    def expect(self, holds: bool, message: str, answer: Answer | None = None) -> bool:
        """Fail unless something holds; gives whether it does."""
        if not holds:
            self.fail(message, answer)
        return holds

    def skip(self, why: str) -> None:
        """This cannot be tried here."""
        self.skipped = why

    def _find(self, level: str, message: str, answer: Answer | None) -> None:
        asked = answer.asked if answer is not None else ""
        found = Finding(level=level, message=message, asked=asked)
        if found not in self.findings:
            self.findings.append(found)

    # --- asking ----------------------------------------------------------------------------

    async def ask(self, *more: tuple[str, str], post: bool = False, **arguments: str) -> Answer:
        """Ask with some arguments (``from_`` for ``from``), and look at what every answer must
        be. ``more`` are pairs, which may repeat."""
        pairs = [*((name.rstrip("_"), value) for name, value in arguments.items()), *more]
        return await self.ask_as_written(urlencode(pairs), pairs, post=post)

    async def ask_as_written(
        self,
        query: str,
        pairs: Pairs | None,
        *,
        post: bool = False,
        headers: Mapping[str, str] = {},
    ) -> Answer:
        """The same with a query that is encoded already; without ``pairs`` it is not looked
        whether ``request`` shows them."""
        form = tuple(pairs) if post and pairs else None
        payload = await self.fetch(
            Request(
                url=self.url if form is not None or not query else f"{self.url}?{query}",
                form=form,
                headers=headers,
                accept=tuple(range(200, 600)),
            )
        )
        self.answers += 1
        shown = f"{query} (POST)" if post else query
        answer = Answer(root=etree.Element("none"), status=payload.status, asked=shown)
        if not self.expect(payload.status == 200, f"HTTP {payload.status}", answer):
            return answer
        given = {name.lower(): value for name, value in payload.headers.items()}
        kind = given.get("content-type", "")
        if self.expect(
            kind.partition(";")[0].strip().lower() == "text/xml",
            f"the media type is {kind!r}, not text/xml (§3.1.2.1)",
            answer,
        ):
            charset = re.search(r"charset\s*=\s*\"?([\w-]+)", kind, re.IGNORECASE)
            if charset is None or charset[1].lower() != "utf-8":
                self.warn("the media type does not say charset=utf-8", answer)
        self.expect(payload.body.startswith(b"<?xml"), "there is no XML declaration (§3.2)", answer)
        try:
            payload.body.decode("utf-8")
        except UnicodeDecodeError as error:
            self.fail(f"not UTF-8 (§3.2): {error}", answer)
        try:
            parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=False)
            root = etree.fromstring(payload.body, parser)
        except etree.XMLSyntaxError as error:
            self.fail(f"not well-formed: {error}", answer)
            return answer
        if root.getroottree().docinfo.internalDTD is not None:
            self.fail("has a DOCTYPE, which harvesters refuse", answer)
        answer = Answer(
            root=root,
            status=200,
            asked=shown,
            plain=given.get("content-length") == str(len(payload.body)),
        )
        if not self._grammar.validate(root):
            for fault in list(self._grammar.error_log)[:3]:
                self.fail(
                    f"not as §3.2 and §4 describe it: line {fault.line}: {fault.message}", answer
                )
        self._look_at_request(answer, pairs)
        self._look_at_clock(answer)
        return answer

    def _look_at_request(self, answer: Answer, pairs: Pairs | None) -> None:
        found = answer.root.find("o:request", NS)
        if found is None:
            return
        shown = dict(found.attrib)
        if answer.codes & {"badVerb", "badArgument"}:
            self.expect(
                not shown, f"request has attributes beside badVerb or badArgument (§3.2): {shown}",
                answer,
            )  # fmt: skip
        elif pairs is not None:
            self.expect(
                shown == dict(pairs), f"request has {shown}, asked was {dict(pairs)} (§3.2)", answer
            )
        if self.base_url:
            said = (found.text or "").strip()
            self.expect(said == self.base_url, f"request says {said!r}, not the base URL", answer)

    def _look_at_clock(self, answer: Answer) -> None:
        try:
            said = datetime.strptime(answer.responded, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        except ValueError:
            return  # the grammar has said it
        if abs(datetime.now(UTC) - said) > _CLOCK:
            self.warn(f"responseDate is {answer.responded}: its clock is far from ours", answer)

    async def refused(self, code: str, *more: tuple[str, str], **arguments: str) -> None:
        """A question, by GET and by POST, that must be answered with this error alone; where
        the specification leaves the choice, ``code`` has several, parted by ``|``."""
        due = set(code.split("|"))
        wanted = " or ".join(code.split("|"))
        for post in (False, True):
            answer = await self.ask(*more, post=post, **arguments)
            if answer.status != 200:
                continue
            said = ", ".join(sorted(answer.codes))
            if not said:
                self.fail(f"answered, where {wanted} was due (§3.6)", answer)
            elif not answer.codes & due:
                self.fail(f"{said} where {wanted} was due (§3.6)", answer)
            elif answer.codes - due:
                self.warn(f"{said} where {wanted} was due", answer)

    async def good(self, *more: tuple[str, str], post: bool = False, **arguments: str) -> Answer:
        """A question that must be answered without an error."""
        answer = await self.ask(*more, post=post, **arguments)
        if answer.status == 200:
            self.expect(not answer.codes, f"error {', '.join(sorted(answer.codes))}", answer)
        return answer
