"""XML that is written to do harm, or only old (rule R15)."""

from __future__ import annotations

import pytest

from chm_hub.errors import ProtocolError
from harvesters import xml

BOMB = '<!ENTITY a "boom"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
OPENINGS = {
    "at once": "",
    "after a declaration": '<?xml version="1.0"?>\n',
    "after much else": '<?xml version="1.0"?>' + "<!-- <a> -->" * 10_000 + "<?x <b> ?>\n",
    "after rubbish": "\r\n  rubbish ",
}


@pytest.mark.parametrize("opening", OPENINGS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_a_document_that_uses_entities_of_its_own_is_refused(opening: str, encoding: str) -> None:
    said = f"{OPENINGS[opening]}<!DOCTYPE r [{BOMB}]><r>&b;</r>"
    if opening == "after rubbish" and encoding.startswith("utf-16-"):
        said = said.lstrip()  # without a mark nothing says what rubbish is written in
        said = said.removeprefix("rubbish ")
    with pytest.raises(ProtocolError) as raised:
        xml.parse(said.encode(encoding), "https://x.example.org/")
    assert raised.value.reason == "doctype"


@pytest.mark.parametrize(
    ("doctype", "text", "wanted"),
    [
        ('<!DOCTYPE r SYSTEM "http://127.0.0.2/r.dtd">', "T", "T"),
        ('<!DOCTYPE r PUBLIC "-//X//Y" "http://127.0.0.2/r.dtd">', "T", "T"),
        (f"<!DOCTYPE r [{BOMB}]>", "T &amp; S", "T & S"),
        # Declared here, and known to everybody.
        ('<!DOCTYPE r [<!ENTITY eacute "boom">]>', "caf&eacute;", "café"),
        ('<!DOCTYPE r [<!ENTITY % p SYSTEM "http://127.0.0.2/p">%p;]>', "T", "T"),
        ('<!DOCTYPE r [<!ENTITY a "]>">]>', "T", "T"),
    ],
)
def test_a_doctype_that_is_not_needed_is_taken_out(doctype: str, text: str, wanted: str) -> None:
    root, warnings = xml.parse(f"<?xml version='1.0'?>{doctype}<r>{text}</r>".encode(), "x")
    assert root.text == wanted
    assert warnings[0] == "doctype_removed"


def test_what_only_looks_like_a_doctype_is_text() -> None:
    root, warnings = xml.parse(b"<r><![CDATA[<!DOCTYPE html><p>&a;</p>]]></r>", "x")
    assert root.text == "<!DOCTYPE html><p>&a;</p>"
    assert warnings == []


def test_comments_without_end_are_not_tried_in_all_ways() -> None:
    with pytest.raises(ProtocolError):
        xml.parse(b"<!---->" * 5_000 + b"<!--" * 5_000 + b"<!DOCTYP", "x")
