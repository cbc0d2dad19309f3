"""XML that is written to do harm, or only old (rule R15)."""

from __future__ import annotations

import pytest

from chm_hub.errors import ProtocolError
from harvesters import oai_pmh, xml

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


def marc(number: int) -> str:
    """A record with a record in it, as MARC 21 is harvested."""
    return (
        f"<record><header><identifier>oai:x:{number}</identifier></header><metadata>"
        '<marc:record xmlns:marc="http://www.loc.gov/MARC21/slim"><marc:leader>l</marc:leader>'
        f'<marc:datafield tag="245"><marc:subfield code="a">T {number}</marc:subfield>'
        "</marc:datafield></marc:record></metadata></record>"
    )


FAULTS = {
    "a bracket": ("T 1", "T < 1"),
    "an element left open": ("</marc:subfield>", ""),
    "another closed": ("</marc:subfield>", "</marc:title>"),
    "the inner record left open": ("</marc:record>", ""),
    "the outer record left open": ("</metadata></record>", ""),
    "closed too soon": ("<metadata>", "</record><metadata>"),
    "a prefix of nobody": ("marc:leader", "leader:leader"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("broken", [0, 1, 3])
def test_a_broken_record_spoils_none_of_its_neighbours(fault: str, broken: int) -> None:
    records = [marc(1) for _ in range(5)]
    records = [text.replace("oai:x:1", f"oai:x:{n}") for n, text in enumerate(records)]
    records[broken] = records[broken].replace(*FAULTS[fault])
    answer = (
        '<?xml version="1.0"?><OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><ListRecords>'
        + "\n".join(records)
        + "<resumptionToken>t</resumptionToken></ListRecords></OAI-PMH>"
    )
    root, warnings = xml.parse(answer.encode(), "x", isolate="record/header")
    listed = root[0]
    documents, rejects = oai_pmh.read_records(list(listed)[:-1], "marcxml")
    assert warnings == ["recovered: 1"]
    names = [f"oai:x:{n}" for n in range(5)]
    if fault == "closed too soon":
        # Its metadata are none of the record's any more: it is set aside, not emptied.
        lost = names.pop(broken)
        assert [(r.identifier, r.reason) for r in rejects] == [(lost, oai_pmh.NO_METADATA)]
        whole = documents
    else:
        assert rejects == []
        whole = [d for n, d in enumerate(documents) if n != broken]
        assert documents[broken].repairs == (xml.RECOVERED,)
    assert [d.identifier for d in documents] == names
    assert [d.repairs for d in whole] == [()] * 4
    for document in whole:
        [field] = document.body["metadata"]["datafield"]
        assert field["subfield"][0]["value"] == "T 1"
    assert listed[-1].text == "t"


def test_a_record_without_a_name_is_set_aside() -> None:
    records = [marc(n) for n in range(3)]
    records[1] = records[1].replace("identifier", "ident&ifier")
    answer = f"<OAI-PMH><ListRecords>{''.join(records)}</ListRecords></OAI-PMH>"
    root, _ = xml.parse(answer.encode(), "x", isolate="record/header")
    documents, rejects = oai_pmh.read_records(list(root[0]), "marcxml")
    assert [d.identifier for d in documents] == ["oai:x:0", "oai:x:2"]
    [reject] = rejects
    assert reject.reason == "no_identifier"
    assert b"oai:x:1" in reject.fragment


@pytest.mark.parametrize(
    ("inner", "reason"),
    [
        ("x" * 4_000_001, "too_long"),
        (f"<a b='{'x' * 4_000_001}'/>", "too_long"),
        ("<b/>" + "x" * 4_000_001, "too_long"),
        ("<a " + " ".join(f"a{n}=''" for n in range(10_001)) + "/>", "too_many_attributes"),
        (f"{'<a>' * 201}{'</a>' * 201}", "too_deep"),
        ("x" * 4_000_000, None),
    ],
    ids=["text", "attribute", "mixed", "attributes", "levels", "what is allowed"],
)
def test_what_no_record_can_hold_is_told_by_its_reason(inner: str, reason: str | None) -> None:
    root, _ = xml.parse(f"<r><c>{inner}</c></r>".encode(), "x")
    if reason is None:
        assert xml.to_json(root)["c"][0]["value"] == inner
        return
    with pytest.raises(ProtocolError) as raised:
        xml.to_json(root)
    assert raised.value.reason == reason
