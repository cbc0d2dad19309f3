"""XML as it comes from the wild: parsed safely, repaired where it can be, turned into JSON."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from html.entities import html5
from typing import Any, NoReturn
from xml.etree import ElementTree

from lxml import etree

from chm_hub.document import Json
from chm_hub.errors import ProtocolError
from chm_hub.fetch.sniff import is_whole
from harvesters import doctype, encodings

LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_BAD_BYTES = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_REFERENCE = re.compile(rb"&#(?:x([0-9a-fA-F]{1,8})|([0-9]{1,8}));")
_BARE_AMPERSAND = re.compile(rb"&(?!(?:[A-Za-z][A-Za-z0-9]*|#[0-9]+|#x[0-9a-fA-F]+);)")
_DECLARED = re.compile(rb"<\?xml[^>]*encoding\s*=\s*[\"']([A-Za-z0-9._-]+)[\"']")
_ENTITY = re.compile(rb"&([A-Za-z][A-Za-z0-9]*);")
_XML_ENTITIES = frozenset({"amp", "lt", "gt", "quot", "apos"})

CUT_OFF = "cut_off"
"""What is said of a document that ends before its root does."""
RECOVERED = "recovered"
"""The attribute of an element that was broken, and of which what could be read is there."""
DEEPEST = 200
LONGEST = 4_000_000
"""Characters of one value; a whole record may have half as many bytes."""
MOST_ATTRIBUTES = 10_000
"""Attributes of one element."""
Element = Any
"""An element of lxml or of the standard library: what is used here, they have in common."""


def parse(
    body: bytes, where: str, *, isolate: str = "", charsets: Sequence[str] = ()
) -> tuple[Element, list[str]]:
    """The root element of a document, and what had to be repaired to get it (rules R6, R15).

    Entities are never expanded and nothing is ever loaded; a DOCTYPE is taken out. Where elements
    ``isolate`` (a path of :func:`split`) follow one another, each that is broken is repaired by
    itself and spoils none of its neighbours (rule R7); those that could be read in part only have
    the attribute :data:`RECOVERED`. A document that is not in the encoding it declares is read as
    :func:`harvesters.encodings.read` does, ``charsets`` being the hints (what its server said, what
    its source's file says). Raises :class:`ProtocolError` (reason ``not_xml``) where even recovery
    finds no element, and (``doctype``) for a document that uses entities it declares.
    """
    body, warnings = prepared(body, where, charsets)
    try:
        # The standard library's elements hold their values as Python has them; reading every
        # value of a page takes half the time it takes with lxml's.
        # The encoding is ours to say: what a declaration says here is not believed again.
        return ElementTree.fromstring(body, ElementTree.XMLParser(encoding="utf-8")), warnings
    except (ElementTree.ParseError, ValueError, LookupError):
        pass  # not well-formed, or in an encoding it does not know
    try:
        return _tree(body, where), warnings
    except etree.XMLSyntaxError as error:
        first_fault = str(error)
    for repair in (_trim, _drop_illegal, _replace_entities, _escape_ampersands):
        repaired, said = repair(body)
        if said:
            warnings.append(said)
            body = repaired
            try:
                return _tree(body, where), warnings
            except etree.XMLSyntaxError:
                continue
    if isolate and (isolated := _isolated(body, isolate, where)) is not None:
        root, count = isolated
        return root, [*warnings, f"recovered: {count}"]
    root = _tree(body, where, recover=True) if body.strip() else None
    if root is None or not isinstance(root.tag, str):
        raise ProtocolError(
            f"{where}: not XML, not even with repairs: {first_fault}. Look at what the address "
            "answers; the kept answer is in the run.",
            reason="not_xml",
        )
    if not is_whole(body):
        warnings.append(CUT_OFF)
    return root, [*warnings, "recovered"]


def prepared(body: bytes, where: str, charsets: Sequence[str] = ()) -> tuple[bytes, list[str]]:
    """A document in UTF-8 and without DOCTYPE, as parsers are to have it, and what was repaired.

    ``where``, ``charsets`` and the error ``doctype`` are those of :func:`parse`.
    """
    body, warnings = _in_utf8(body, charsets)
    body, had_one = doctype.without(body, where)
    if had_one:
        warnings.append("doctype_removed")
    return body, warnings


def _in_utf8(body: bytes, charsets: Sequence[str]) -> tuple[bytes, list[str]]:
    declared = _DECLARED.match(body, max(body.find(b"<?xml"), 0))
    said = declared[1].decode() if declared else "utf-8"
    text, codec, repairs = encodings.read(body, [said], charsets)
    if codec == "utf-8" and said.lower() == "utf-8" and not repairs:
        return body, repairs
    body = text.encode()
    if (declared := _DECLARED.match(body, max(body.find(b"<?xml"), 0))) is not None:
        begin, end = declared.span(1)
        body = body[:begin] + b"utf-8" + body[end:]
    return body, repairs


def split(body: bytes, path: str) -> tuple[bytes, list[bytes], bytes] | None:
    """A list in pieces: what stands before its elements, each of them (with what follows it), what
    stands after them; ``None`` where there are none. ``record/header`` means elements called
    ``record`` that begin with a ``header``: those within one, as MARC has them, are not meant."""
    names = [rb"<(?:[\w.-]+:)?" + name.encode() + rb"(?=[\s/>])" for name in path.split("/")]
    starts = [found.start() for found in re.finditer(rb"[^<>]*>\s*".join(names), body)]
    if not starts:
        return None
    closing = re.compile(rb"</(?:[\w.-]+:)?" + path.partition("/")[0].encode() + rb"\s*>")
    ends = [found.end() for found in closing.finditer(body, starts[-1])]
    bounds = [*starts, ends[-1] if ends else len(body)]
    pieces = [body[begin:end] for begin, end in itertools.pairwise(bounds)]
    return body[: bounds[0]], pieces, body[bounds[-1] :]


def _isolated(body: bytes, path: str, where: str) -> tuple[Element, int] | None:
    """The root of a document whose broken elements were recovered one by one, and how many;
    ``None`` where what is around them is broken too."""
    if (found := split(body, path)) is None:
        return None
    before, pieces, after = found
    name = path.partition("/")[0]
    broken: list[list[Element]] = []

    def sound(piece: bytes) -> bytes:
        # Read within what is around it, which declares its namespaces.
        try:
            _tree(before + piece + after, where)
            return piece
        except etree.XMLSyntaxError:
            around = _tree(before + piece + after, where, recover=True)
            first = None if around is None else next(around.iter("{*}" + name), None)
            if first is None:
                # Nothing of it can be read: whoever reads the list sets it aside as it is.
                first = etree.Element(name)
                first.text = piece.decode("utf-8", "replace")
            broken.append([first, *first.itersiblings("{*}" + name)])
            return b"<broken/>"

    mended = before + b"".join(map(sound, pieces)) + after
    try:
        root = _tree(mended, where)
    except etree.XMLSyntaxError:
        return None
    for place, recovered in zip(list(root.iter("{*}broken")), broken, strict=True):
        for element in recovered:
            element.set(RECOVERED, "yes")
            place.addprevious(element)
        place.getparent().remove(place)
    return root, len(broken)


def _tree(body: bytes, where: str, *, recover: bool = False) -> Element:
    """The root of a document in UTF-8, read by lxml; ``None`` where recovery finds no element.

    Raises :class:`ProtocolError` (reason ``doctype``) for a declaration that was not taken out:
    libxml2 expands entities in attributes whatever it is told.
    """
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=recover,
        remove_comments=True,
        remove_pis=True,
    )
    root = etree.fromstring(body, parser)
    if root is not None and root.getroottree().docinfo.internalDTD is not None:
        raise doctype.refusal(where)
    return root


def _trim(body: bytes) -> tuple[bytes, str | None]:
    """Drop what stands before the document and after the end of its root element."""
    begin = body.find(b"<?xml")
    if begin < 0:
        found = re.search(rb"<[A-Za-z_]", body)
        begin = found.start() if found else 0
    trimmed = body[begin:]
    found = re.search(rb"<([A-Za-z_][\w.:-]*)", trimmed)
    if found:
        closing = b"</" + found[1]
        at = trimmed.rfind(closing)
        if at >= 0:
            end = trimmed.find(b">", at)
            trimmed = trimmed[: end + 1] if end >= 0 else trimmed
    return (trimmed, "surroundings_removed") if trimmed != body else (body, None)


def _drop_illegal(body: bytes) -> tuple[bytes, str | None]:
    """Remove characters and character references that XML 1.0 does not allow (§2.2)."""
    dropped = 0

    def reference(match: re.Match[bytes]) -> bytes:
        nonlocal dropped
        code = int(match[1], 16) if match[1] else int(match[2])
        if code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE:
            return match[0]
        if 0x10000 <= code <= 0x10FFFF:
            return match[0]
        dropped += 1
        return b""

    cleaned, count = _BAD_BYTES.subn(b"", body)
    cleaned = _REFERENCE.sub(reference, cleaned)
    for code in ("\ufffe", "\uffff"):
        count += cleaned.count(code.encode())
        cleaned = cleaned.replace(code.encode(), b"")
    total = count + dropped
    return (cleaned, "illegal_characters_removed") if total else (body, None)


def _replace_entities(body: bytes) -> tuple[bytes, str | None]:
    """Write out the entities of HTML, which XML does not know."""
    count = 0

    def character(match: re.Match[bytes]) -> bytes:
        nonlocal count
        name = match[1].decode()
        found = html5.get(f"{name};")
        if name in _XML_ENTITIES or found is None:
            return match[0]
        count += 1
        return found.encode()

    replaced = _ENTITY.sub(character, body)
    return (replaced, "entities_replaced") if count else (body, None)


def _escape_ampersands(body: bytes) -> tuple[bytes, str | None]:
    escaped, count = _BARE_AMPERSAND.subn(b"&amp;", body)
    return (escaped, "ampersands_escaped") if count else (body, None)


_OURS = frozenset({"value", "lang"})
"""Keys that mean something else than a child of that name."""
_NAMES: dict[Any, str] = {}
"""Local names by tag: a source uses a few dozen tags, a million times over."""


def local(tag: Any) -> str:
    """The name of an element without its namespace; empty for what is no element."""
    name = _NAMES.get(tag)
    if name is None:
        # A prefix stays in the name where recovery found no declaration for it.
        name = tag.rpartition("}")[2].rpartition(":")[2] if isinstance(tag, str) else ""
        if len(_NAMES) < 10_000:
            _NAMES[tag] = name
    return name


def to_json(element: Element, lang: str | None = None, depth: int = 0) -> dict[str, Json]:
    """An element as JSON: ``value`` (its text), ``lang`` (``xml:lang``, inherited; empty where the
    document takes an inherited one back, XML 1.0 §2.12),
    ``@name`` for each other attribute, and each kind of child under its local name as a list.

    Texts are kept as they are, character for character; a blank one is left out. Mixed
    content gives the whole text as ``value`` beside the children. Raises
    :class:`ProtocolError` (reasons ``too_deep``, ``too_long``, ``too_many_attributes``) beyond
    :data:`DEEPEST` levels, :data:`LONGEST` characters, :data:`MOST_ATTRIBUTES` attributes.
    """
    if depth > DEEPEST:
        raise ProtocolError(
            f"elements within elements more than {DEEPEST} deep. No metadata is; look at what "
            "the source answers.",
            reason="too_deep",
        )
    made: dict[str, Json] = {}
    for name, value in _attributes(element):
        if name == LANG:
            lang = value
        else:
            made["@" + name.rpartition("}")[2]] = value
    parted = False
    tails = False
    for child in element:
        parted = True
        tag = child.tag
        name = _NAMES.get(tag) or local(tag)
        if not name:
            continue  # a comment or an instruction
        if name in _OURS:
            name += "_"
        if len(child):
            node = to_json(child, lang, depth + 1)
        else:
            # Most elements are leaves; a call for each would cost as much as all the rest.
            node = {}
            own = lang
            for key, value in _attributes(child) if child.attrib else ():
                if key == LANG:
                    own = value
                else:
                    node["@" + key.rpartition("}")[2]] = value
            text = child.text
            if text and not text.isspace():
                node["value"] = text if len(text) <= LONGEST else _too_long(text)
            if own is not None:
                node["lang"] = own
        if name in made:
            made[name].append(node)
        else:
            made[name] = [node]
        tail = child.tail
        if tail and not tail.isspace():
            tails = True
    text = element.text
    if text and not text.isspace():
        tails = True
    if tails:
        whole = "".join(element.itertext()) if parted else text or ""
        made["value"] = whole if len(whole) <= LONGEST else _too_long(whole)
    if lang is not None:
        made["lang"] = lang
    return made


def _attributes(element: Element) -> list[tuple[str, str]]:
    """Names and values of an element's attributes, within the limits of :func:`to_json`."""
    found: list[tuple[str, str]] = element.items()
    if len(found) > MOST_ATTRIBUTES:
        raise ProtocolError(
            f"an element with {len(found)} attributes. No metadata has them; look at what the "
            "source answers.",
            reason="too_many_attributes",
        )
    for _, value in found:
        if len(value) > LONGEST:
            _too_long(value)
    return found


def _too_long(value: str) -> NoReturn:
    raise ProtocolError(
        f"a value of {len(value)} characters. No record can hold it; look at what the source "
        "answers.",
        reason="too_long",
    )


def to_bytes(element: Element) -> bytes:
    """An element as it would stand in a document of its own."""
    if isinstance(element, ElementTree.Element):
        return bytes(ElementTree.tostring(element))
    return bytes(etree.tostring(element))
