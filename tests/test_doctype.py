"""Entities that a document declares itself are never expanded, on any Python (rule R15)."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chm_hub.document import Payload
from chm_hub.errors import ProtocolError
from harvesters import feed, rdf, xml

DECLARES = '<!DOCTYPE root [<!ENTITY a "BOOM">]>'
PROLOGS = {
    "plain": DECLARES,
    "in a system identifier": '<!DOCTYPE root SYSTEM "<!DOCTYPE x [" [<!ENTITY a "BOOM">]>',
    "after a comment that shows one": f"<!-- <!DOCTYPE root> -->{DECLARES}",
    "after an instruction that shows one": f"<?p <!DOCTYPE root> ?>{DECLARES}",
    "after words": f"Notice: 3 > 2 {DECLARES}",
    "after markup": f'<b>Notice</b><?xml version="1.0"?>{DECLARES}',
    "not finished": '<!DOCTYPE root [<!ENTITY a "BOOM">',
    "with brackets in its values": '<!DOCTYPE root [<!ENTITY b "]><root>"><!ENTITY a "BOOM">]>',
    "in two": f"<!DOCTYPE root>{DECLARES}",
    "under another encoding": f'<?xml version="1.0"\nencoding\n=\n"utf-7"?>{DECLARES}',
    "external": '<!DOCTYPE root [<!ENTITY a SYSTEM "file:///etc/hostname">]>',
    "by way of another": '<!DOCTYPE root [<!ENTITY c "BOOM"><!ENTITY a "&c;">]>',
    "in small letters": '<!doctype root [<!ENTITY a "BOOM">]>',
    "without a doctype": '<!ENTITY a "BOOM">',
    "without a doctype, on a line of its own": '<?xml version="1.0"?>\n<!ENTITY a "BOOM">\n',
    "in a comment": '<!--\n<!ENTITY a "BOOM">\n-->',
    "with a broken entity": '<!DOCTYPE root [<!ENTITY a "BOOM" oops>]>',
    "after an external part": '<!DOCTYPE root SYSTEM "http://127.0.0.2/d" [<!ENTITY a "BOOM">]>',
}
DOCUMENTS = {
    "xml": "<root b='T &a;'><title>T &a;</title></root>",
    "rss": "<rss version='2.0'><channel><item><title>T &a;</title></item></channel></rss>",
    "atom": "<feed xmlns='http://www.w3.org/2005/Atom'><entry><title>T &a;</title></entry></feed>",
    "sitemap": "<urlset><url><loc>https://x.example.org/T &a;</loc></url></urlset>",
    "rdf": "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'"
    " xmlns:t='https://x.example.org/'><rdf:Description rdf:about='https://x.example.org/1'>"
    "<t:title>T &a;</t:title></rdf:Description></rdf:RDF>",
}


def read(kind: str, body: bytes) -> Any:
    """What the hub reads of an answer of one kind."""
    payload = Payload(
        url="https://x.example.org/", status=200, headers={}, body=body, fetched=datetime.now(UTC)
    )
    if kind in ("rss", "atom"):
        return [document.body for document in feed.read_feed(payload)[0].documents]
    if kind == "rdf":
        return rdf.things(payload)
    return xml.to_json(xml.parse(body, payload.url)[0])


def told(kind: str, body: bytes) -> str:
    """What the hub reads of an answer, or the reason why it reads nothing of it."""
    try:
        return str(read(kind, body))
    except ProtocolError as error:
        return error.reason


@pytest.mark.parametrize("kind", DOCUMENTS)
@pytest.mark.parametrize("prolog", PROLOGS)
def test_an_entity_is_not_expanded(kind: str, prolog: str) -> None:
    body = (PROLOGS[prolog].replace("root", kind) + DOCUMENTS[kind]).encode()
    found = told(kind, body)
    assert "T BOOM" not in found
    assert f"T {Path('/etc/hostname').read_text().strip()}" not in found


@pytest.mark.parametrize("kind", ["xml", "rss", "rdf"])
def test_a_plain_declaration_is_refused_by_its_reason(kind: str) -> None:
    with pytest.raises(ProtocolError) as raised:
        read(kind, (DECLARES + DOCUMENTS[kind]).encode())
    assert raised.value.reason == "doctype"


@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://127.0.0.2/d">',
        '<!DOCTYPE rss PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN">',  # no system identifier
        "<!DOCTYPE rss>",
        '<!DOCTYPE rss [<!ELEMENT rss ANY><!ATTLIST rss version CDATA "2.0">]>',
    ],
)
@pytest.mark.parametrize("before", ["", '<?xml version="1.0"?>\n<!-- a -->', "\ufeff"])
def test_a_declaration_that_declares_no_entity_is_taken_out(declaration: str, before: str) -> None:
    rss = "<rss version='2.0'><channel><item><title>T</title></item></channel></rss>"
    root, warned = xml.parse(f"{before}{declaration}{rss}".encode(), "https://x.example.org/")
    assert xml.to_json(root)["channel"][0]["item"][0]["title"] == [{"value": "T"}]
    assert warned == ["doctype_removed"]


PACKAGES = ("chm_hub", "harvesters", "adapters", "mappings", "store", "oai_endpoint", "dashboard")


def patterns() -> Iterator[tuple[str, str | bytes]]:
    """Every pattern that a module of the hub holds or writes out, and the module."""
    for package in PACKAGES:
        folder = Path(importlib.import_module(package).__file__ or "").parent
        for found in pkgutil.walk_packages([str(folder)], f"{package}."):
            module = importlib.import_module(found.name)
            for value in vars(module).values():
                if isinstance(value, re.Pattern):
                    yield found.name, value.pattern
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
                    given = node.args[0] if node.args else None
                    named = getattr(node.func.value, "id", "") == "re"
                    if named and isinstance(given, ast.Constant):
                        yield str(path), given.value  # type: ignore[misc]


def test_no_pattern_rests_on_what_python_3_11_2_matches_wrongly() -> None:
    # Debian 12's Python finds no match for some patterns with possessive quantifiers or atomic
    # groups that later ones match (https://github.com/python/cpython/issues/101955).
    found = dict.fromkeys(patterns())
    assert len(found) > 100
    assert [place for place, pattern in found if is_possessive(pattern)] == []


def is_possessive(pattern: str | bytes) -> bool:
    """Whether a pattern has a possessive quantifier or an atomic group."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        parsed = str(re._parser.parse(pattern))  # type: ignore[attr-defined]
    return "POSSESSIVE_REPEAT" in parsed or "ATOMIC_GROUP" in parsed


def test_the_look_for_such_patterns_finds_them() -> None:
    assert is_possessive(rb"a*+b")
    assert is_possessive("(?>a|b)c")
    assert not is_possessive(r"a*?(?:b)\+")
