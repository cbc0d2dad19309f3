"""Answers as pages: what a person sees who opens the endpoint in a browser.

The page is made here from the very XML a harvester gets. Browsers no longer do that by
themselves: the engines have taken XSLT out, or are about to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Request
from lxml import etree

_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_RIGHT_TO_LEFT = frozenset({"ar", "fa", "he", "ur", "ps", "dv"})


@dataclass(frozen=True, slots=True)
class Line:
    """One element: how deep it stands, its name, its text."""

    depth: int
    name: str
    text: str
    lang: str | None = None
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def link(self) -> str | None:
        """The address it holds, if its text is one."""
        return self.text if self.text.startswith(("http://", "https://")) else None

    @property
    def direction(self) -> str:
        """The direction its language is written in."""
        return "rtl" if (self.lang or "").partition("-")[0] in _RIGHT_TO_LEFT else "auto"


@dataclass(frozen=True, slots=True)
class Head:
    """The header of a record."""

    identifier: str
    datestamp: str
    deleted: bool
    sets: list[str]
    lines: list[Line] = field(default_factory=list)

    @property
    def address(self) -> str:
        """Where the whole record is to be seen."""
        return ask(verb="GetRecord", metadataPrefix="chm", identifier=self.identifier)


def wanted(request: Request) -> bool:
    """Whether a person's browser asks: it calls itself Mozilla, as all do, and takes HTML
    pages. Programs are given XML: harvesters built on Scrapy send a browser's ``Accept``, and
    Java's say first that they would take HTML."""
    return (
        request.method == "GET"
        and "application/xhtml+xml" in request.accept_mimetypes.values()
        and "Mozilla/" in request.user_agent.string
    )


def ask(**arguments: str) -> str:
    """The address of a question, relative to the site."""
    return f"/oai?{urlencode(arguments)}"


def read(answer: bytes) -> dict[str, Any]:
    """What a page shows of an answer."""
    root = etree.fromstring(answer)
    asked = root.find(_OAI + "request")
    verb = asked.get("verb", "") if asked is not None else ""
    content = next((e for e in root if e.tag == _OAI + verb), None)
    prefix = asked.get("metadataPrefix", "oai_dc") if asked is not None else "oai_dc"
    shown: dict[str, Any] = {
        "verb": verb,
        "arguments": dict(asked.attrib) if asked is not None else {},
        "prefix": prefix,
        "date": root.findtext(_OAI + "responseDate"),
        "errors": [(e.get("code"), e.text) for e in root.iter(_OAI + "error")],
        "lines": [],
        "formats": [],
        "sets": [],
        "heads": [],
        "token": None,
    }
    if content is None:
        return shown
    if verb == "Identify":
        shown["lines"] = list(_lines(content, 0))
    shown["formats"] = [_texts(e) for e in content.iter(_OAI + "metadataFormat")]
    shown["sets"] = [_set(e) for e in content.iter(_OAI + "set")]
    if verb == "ListIdentifiers":
        shown["heads"] = [_head(e) for e in content.iter(_OAI + "header")]
    shown["heads"] += [_record(e) for e in content.iter(_OAI + "record")]
    token = content.find(_OAI + "resumptionToken")
    if token is not None:
        shown["token"] = {
            "next": ask(verb=verb, resumptionToken=token.text) if token.text else None,
            "size": token.get("completeListSize"),
            "cursor": token.get("cursor"),
        }
    return shown


def _texts(element: Any) -> dict[str, str]:
    return {etree.QName(e).localname: e.text or "" for e in element}


def _set(element: Any) -> dict[str, str]:
    said = [e.text for e in element.iter("{http://purl.org/dc/elements/1.1/}description")]
    return {
        "spec": element.findtext(_OAI + "setSpec") or "",
        "name": element.findtext(_OAI + "setName") or "",
        "description": next((text for text in said if text), ""),
    }


def _head(element: Any) -> Head:
    return Head(
        identifier=element.findtext(_OAI + "identifier") or "",
        datestamp=element.findtext(_OAI + "datestamp") or "",
        deleted=element.get("status") == "deleted",
        sets=[e.text or "" for e in element.iter(_OAI + "setSpec")],
    )


def _record(element: Any) -> Head:
    head = _head(element.find(_OAI + "header"))
    for part in ("metadata", "about"):
        for holder in element.iter(_OAI + part):
            head.lines.extend(_lines(holder, 0))
    return head


def _lines(element: Any, depth: int) -> Iterator[Line]:
    for child in element:
        if not isinstance(child.tag, str):
            continue
        name = etree.QName(child)
        attributes = {
            etree.QName(key).localname: value
            for key, value in child.attrib.items()
            if key != _LANG and not key.endswith("}schemaLocation")
        }
        yield Line(depth, name.localname, (child.text or "").strip(), child.get(_LANG), attributes)
        yield from _lines(child, depth + 1)
