"""What particular questions must be answered with: a check each, in the order they are tried.

A check may rest on what earlier ones learnt (formats, sets, a record to ask for) and skips
itself where that is missing. Records may change while it runs: before it blames the endpoint
for a record that is not where it should be, it looks whether that record moved.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

from lxml import etree

from oai_endpoint.certify.endpoint import NS, Answer, Endpoint, Header

DC_SCHEMA = "http://www.openarchives.org/OAI/2.0/oai_dc.xsd"
DC_NAMESPACE = "http://www.openarchives.org/OAI/2.0/oai_dc/"
SECOND = "YYYY-MM-DDThh:mm:ssZ"
T = TypeVar("T")
SAMPLES = 12
"""Records, dates or sets that are tried of many."""
UNKNOWN = "oai:certify.invalid:there-is-no-such-record"


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that is tried."""

    id: str
    title: str
    section: str
    """Where OAI-PMH 2.0 asks for it."""
    try_on: Callable[[Endpoint], Awaitable[None]]


CHECKS: list[Check] = []


def _check(title: str, section: str) -> Callable[[Any], Any]:
    def note(function: Any) -> Any:
        name = function.__name__.strip("_").replace("_", "-")
        CHECKS.append(Check(id=name, title=title, section=section, try_on=function))
        return function

    return note


# --- what the endpoint says of itself -------------------------------------------------------


@_check("Identify says who it is, and what it says is possible", "4.2")
async def _identify(endpoint: Endpoint) -> None:
    answer = await endpoint.good(verb="Identify")
    endpoint.base_url = answer.text("baseURL")
    endpoint.granularity = answer.text("granularity")
    endpoint.deletions = answer.text("deletedRecord")
    endpoint.earliest = answer.text("earliestDatestamp")
    if endpoint.base_url != endpoint.url:
        endpoint.warn(f"its baseURL is {endpoint.base_url}, not the address it is asked at", answer)
    long = endpoint.granularity == SECOND
    endpoint.expect(
        (len(endpoint.earliest) == 20) == long,
        f"earliestDatestamp {endpoint.earliest} is not in the granularity {endpoint.granularity}",
        answer,
    )
    for email in answer.all("adminEmail"):
        if "@" not in (email.text or ""):
            endpoint.fail(f"adminEmail is {email.text!r}", answer)
    if endpoint.deletions == "no":
        endpoint.warn("deletedRecord is no: harvesters are never told of what is gone", answer)


@_check("POST is answered like GET", "3.1.1")
async def _post(endpoint: Endpoint) -> None:
    for arguments in (
        {"verb": "Identify"},
        {"verb": "ListMetadataFormats"},
        {"verb": "ListSets"},
        {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc"},
        {"verb": "ListRecords", "metadataPrefix": "oai_dc"},
    ):
        by_get = await endpoint.ask(*arguments.items())
        by_post = await endpoint.ask(*arguments.items(), post=True)
        same = by_get.codes == by_post.codes and [e.tag for e in by_get.root] == [
            e.tag for e in by_post.root
        ]
        endpoint.expect(same, "POST gives another answer than GET", by_post)


@_check("oai_dc is there, with its schema and namespace; no prefix is listed twice", "4.4")
async def _metadata_formats(endpoint: Endpoint) -> None:
    answer = await endpoint.good(verb="ListMetadataFormats")
    for made in answer.all("metadataFormat"):
        prefix = (made.findtext("o:metadataPrefix", "", NS)).strip()
        said = (
            (made.findtext("o:schema", "", NS)).strip(),
            (made.findtext("o:metadataNamespace", "", NS)).strip(),
        )
        endpoint.expect(prefix not in endpoint.formats, f"{prefix} is listed twice", answer)
        endpoint.formats[prefix] = said
    if endpoint.expect("oai_dc" in endpoint.formats, "oai_dc is missing (§3.4)", answer):
        said = endpoint.formats["oai_dc"]
        endpoint.expect(said == (DC_SCHEMA, DC_NAMESPACE), f"oai_dc is said to be {said}", answer)


@_check("Sets are listed once each, with every parent, and the list has an end", "4.6, 2.6")
async def _list_sets(endpoint: Endpoint) -> None:
    answer = await endpoint.ask(verb="ListSets")
    if answer.codes == {"noSetHierarchy"}:
        await endpoint.refused(
            "noSetHierarchy|noRecordsMatch", verb="ListRecords", metadataPrefix="oai_dc", set="a"
        )
        endpoint.skip("there are no sets")
        return
    endpoint.expect(not answer.codes, f"error {', '.join(sorted(answer.codes))}", answer)
    met: set[str] = set()
    for _ in range(endpoint.parts):
        for made in answer.all("set"):
            spec = (made.findtext("o:setSpec", "", NS)).strip()
            endpoint.expect(spec not in met, f"set {spec} is listed twice", answer)
            met.add(spec)
        if not answer.token:
            break
        answer = await endpoint.good(verb="ListSets", resumptionToken=answer.token)
    else:
        endpoint.sets = sorted(met)
        return
    endpoint.sets = sorted(met)
    for spec in endpoint.sets:
        parent = spec.rpartition(":")[0]
        if parent and parent not in met:
            endpoint.warn(f"set {spec} is listed, its parent {parent} is not")


# --- errors ---------------------------------------------------------------------------------


@_check("A missing, unknown, repeated or empty verb is badVerb", "3.6")
async def _bad_verb(endpoint: Endpoint) -> None:
    await endpoint.refused("badVerb")
    for verb in ("Harvest", "identify", "LISTRECORDS", "", "Identify "):
        await endpoint.refused("badVerb", verb=verb)
    await endpoint.refused("badVerb", ("verb", "Identify"), ("verb", "Identify"))
    await endpoint.refused("badVerb", ("verb", "Identify"), ("verb", "ListSets"))
    await endpoint.refused("badVerb", metadataPrefix="oai_dc")


@_check("An argument that a verb does not have is badArgument", "3.6")
async def _foreign_arguments(endpoint: Endpoint) -> None:
    for arguments in (
        {"verb": "Identify", "metadataPrefix": "oai_dc"},
        {"verb": "Identify", "resumptionToken": "x"},
        {"verb": "ListMetadataFormats", "metadataPrefix": "oai_dc"},
        {"verb": "ListSets", "from_": "2001-01-01"},
        {"verb": "ListSets", "set": "a"},
        {"verb": "GetRecord", "identifier": UNKNOWN, "metadataPrefix": "oai_dc", "set": "a"},
        {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", "identifier": UNKNOWN},
        {"verb": "ListRecords", "metadataPrefix": "oai_dc", "identifier": UNKNOWN},
        {"verb": "ListRecords", "metadataPrefix": "oai_dc", "limit": "10"},
        {"verb": "ListRecords", "metadataprefix": "oai_dc"},
    ):
        await endpoint.refused("badArgument", **arguments)


@_check("A missing argument is badArgument", "3.6")
async def _missing_arguments(endpoint: Endpoint) -> None:
    await endpoint.refused("badArgument", verb="GetRecord")
    await endpoint.refused("badArgument", verb="GetRecord", metadataPrefix="oai_dc")
    await endpoint.refused("badArgument", verb="GetRecord", identifier=UNKNOWN)
    for verb in ("ListIdentifiers", "ListRecords"):
        await endpoint.refused("badArgument", verb=verb)
        await endpoint.refused("badArgument", verb=verb, set="a")
        await endpoint.refused("badArgument", verb=verb, from_="2001-01-01")


@_check("A repeated argument is badArgument", "3.6")
async def _repeated_arguments(endpoint: Endpoint) -> None:
    dc = ("metadataPrefix", "oai_dc")
    day = ("from", "2001-01-01")
    for pairs in (
        [("verb", "ListRecords"), dc, dc],
        [("verb", "ListIdentifiers"), dc, day, day],
        [("verb", "ListRecords"), dc, ("set", "a"), ("set", "b")],
        [("verb", "GetRecord"), dc, ("identifier", UNKNOWN), ("identifier", UNKNOWN)],
        [("verb", "ListSets"), ("resumptionToken", "a"), ("resumptionToken", "a")],
    ):
        await endpoint.refused("badArgument", *pairs)


@_check("An argument without a value is badArgument", "3.6")
async def _empty_arguments(endpoint: Endpoint) -> None:
    dc = {"metadataPrefix": "oai_dc"}
    await endpoint.refused("badArgument", verb="GetRecord", identifier="", **dc)
    for name in ("from_", "until"):
        await endpoint.refused("badArgument", ("verb", "ListRecords"), **{name: ""}, **dc)
    for verb in ("ListIdentifiers", "ListRecords", "ListSets"):
        await endpoint.refused("badArgument|badResumptionToken", ("verb", verb), resumptionToken="")
    await endpoint.refused(
        "badArgument|cannotDisseminateFormat", verb="ListRecords", metadataPrefix=""
    )


@_check("What XML, UTF-8 or the argument's syntax does not allow is an error, never a crash", "3.6")
async def _illegal_characters(endpoint: Endpoint) -> None:
    for value in ("a\x01b", "a\x00b", "a\x0bb", "\x1f", "a\ufffeb", "a\uffff"):
        await endpoint.refused(
            "badArgument|idDoesNotExist", verb="GetRecord", identifier=value,
            metadataPrefix="oai_dc",
        )  # fmt: skip
        await endpoint.refused(
            "badArgument|noRecordsMatch", verb="ListRecords", metadataPrefix="oai_dc", set=value
        )
        await endpoint.refused(
            "badArgument|cannotDisseminateFormat", verb="ListRecords", metadataPrefix=value
        )
        await endpoint.refused(
            "badArgument|badResumptionToken", verb="ListRecords", resumptionToken=value
        )
        await endpoint.refused("badVerb", verb=value)
    written = "verb=GetRecord&metadataPrefix=oai_dc&identifier="
    for broken in ("%FF%FE", "%C3", "%ED%A0%80", "%", "%zz", "%u0041", "'\"><x", "%00"):
        answer = await endpoint.ask_as_written(written + broken, None)
        _only(endpoint, answer, {"badArgument", "idDoesNotExist"})
    for hostile in ("<x>&amp;", "' OR 1=1 --", "../../../etc/passwd", "${jndi:x}", "é" * 400):
        answer = await endpoint.ask(verb="GetRecord", identifier=hostile, metadataPrefix="oai_dc")
        _only(endpoint, answer, {"badArgument", "idDoesNotExist"})


@_check("A date that is none, or of a granularity that is not offered, is badArgument", "3.3, 3.6")
async def _odd_dates(endpoint: Endpoint) -> None:
    odd = [
        "2001-1-1", "2001-13-01", "2001-02-30", "2001-00-10", "20010101", "2001", "2001-01",
        "01/02/2001", "yesterday", " 2001-01-01", "2001-01-01 ", "2001-01-01T00:00Z",
        "2001-01-01T00:00:00", "2001-01-01T00:00:00.5Z", "2001-01-01 00:00:00Z",
        "2001-01-01T00:00:00+01:00", "2001-01-01T25:00:00Z", "2001-01-01T00:60:00Z",
        "2001-01-01t00:00:00z", "-001-01-01", "2001-01-01T", "٢٠٠١-٠١-٠١",
    ]  # fmt: skip
    if endpoint.granularity != SECOND:
        odd.append("2001-01-01T00:00:00Z")
    for date in odd:
        for name in ("from_", "until"):
            arguments = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", name: date}
            await endpoint.refused("badArgument", **arguments)


@_check("Bounds of different granularity, or from after until, are badArgument", "2.7.1, 3.6")
async def _odd_bounds(endpoint: Endpoint) -> None:
    dc = {"metadataPrefix": "oai_dc"}
    for verb in ("ListIdentifiers", "ListRecords"):
        await endpoint.refused(
            "badArgument", verb=verb, from_="2011-01-02", until="2011-01-01", **dc
        )
        if endpoint.granularity == SECOND:
            early, late = "2011-01-01T00:00:00Z", "2011-01-01T00:00:01Z"
            await endpoint.refused("badArgument", verb=verb, from_=late, until=early, **dc)
            await endpoint.refused("badArgument", verb=verb, from_="2001-01-01", until=late, **dc)
            await endpoint.refused("badArgument", verb=verb, from_=early, until="2031-01-01", **dc)


@_check("Before the earliest datestamp and in the future there is nothing", "3.6")
async def _nothing_matches(endpoint: Endpoint) -> None:
    dc = {"metadataPrefix": "oai_dc"}
    for verb in ("ListIdentifiers", "ListRecords"):
        await endpoint.refused("noRecordsMatch", verb=verb, until="1066-10-14", **dc)
        await endpoint.refused("noRecordsMatch|badArgument", verb=verb, from_="2999-01-01", **dc)


@_check("A format that is not offered is cannotDisseminateFormat", "3.6")
async def _unknown_format(endpoint: Endpoint) -> None:
    for verb in ("ListIdentifiers", "ListRecords"):
        await endpoint.refused("cannotDisseminateFormat", verb=verb, metadataPrefix="certify_none")
        await endpoint.refused("cannotDisseminateFormat", verb=verb, metadataPrefix="OAI_DC")


@_check("A record that is not there is idDoesNotExist", "3.6")
async def _unknown_record(endpoint: Endpoint) -> None:
    for identifier in (UNKNOWN, "oai:", "1", "x" * 500):
        await endpoint.refused(
            "idDoesNotExist|badArgument", verb="GetRecord", identifier=identifier,
            metadataPrefix="oai_dc",
        )  # fmt: skip
    await endpoint.refused("idDoesNotExist", verb="ListMetadataFormats", identifier=UNKNOWN)


@_check("A set that is not there has no records", "3.6")
async def _unknown_set(endpoint: Endpoint) -> None:
    code = "noRecordsMatch" if endpoint.sets else "noSetHierarchy|noRecordsMatch"
    for verb in ("ListIdentifiers", "ListRecords"):
        for spec in ("certify-none", "certify:none:none"):
            await endpoint.refused(code, verb=verb, metadataPrefix="oai_dc", set=spec)
        await endpoint.refused(
            f"badArgument|{code}", verb=verb, metadataPrefix="oai_dc", set="a b/ç"
        )


# --- lists and their parts ------------------------------------------------------------------


@_check("A walk over all identifiers comes to its end, names each once, and counts rightly", "3.5")
async def _walk(endpoint: Endpoint) -> None:
    answer = await endpoint.ask(verb="ListIdentifiers", metadataPrefix="oai_dc")
    if answer.codes == {"noRecordsMatch"}:
        endpoint.skip("there are no records")
        return
    met: dict[str, Header] = {}
    moved = False
    sizes = set()
    number = 0
    for part in range(endpoint.parts):
        endpoint.expect(not answer.codes, f"error {', '.join(sorted(answer.codes))}", answer)
        headers = answer.headers
        if not endpoint.expect(bool(headers), "a part without records", answer):
            break
        for header in headers:
            before = met.get(header.identifier)
            if before is not None:
                moved = True
                endpoint.expect(
                    before != header,
                    f"{header.identifier} is given twice, and did not change between", answer,
                )  # fmt: skip
            met[header.identifier] = header
            _look_at_header(endpoint, header, answer)
        sizes |= _look_at_token(endpoint, answer, part, number)
        number += len(headers)
        if not answer.token:
            endpoint.whole = True
            break
        answer = await endpoint.good(verb="ListIdentifiers", resumptionToken=answer.token)
    endpoint.walked = list(met.values())
    endpoint.sample = next((h for h in endpoint.walked if not h.deleted), None)
    endpoint.tombstone = next((h for h in endpoint.walked if h.deleted), None)
    if endpoint.whole and not moved and len(sizes) == 1:
        size = sizes.pop()
        if number != size and not await _anything_since(endpoint, answer.responded):
            endpoint.fail(f"completeListSize is {size}, the list has {number} records", answer)


def _look_at_header(endpoint: Endpoint, header: Header, answer: Answer) -> None:
    endpoint.expect(
        (len(header.datestamp) == 20) == (endpoint.granularity == SECOND),
        f"datestamp {header.datestamp} is not in the granularity of Identify (§2.7.1)", answer,
    )  # fmt: skip
    endpoint.expect(
        header.datestamp >= endpoint.earliest,
        f"{header.identifier} is of {header.datestamp}, before earliestDatestamp", answer,
    )  # fmt: skip
    endpoint.expect(
        len(set(header.sets)) == len(header.sets),
        f"{header.identifier} names a set twice", answer,
    )  # fmt: skip
    if header.deleted:
        endpoint.expect(
            endpoint.deletions != "no", "deletedRecord is no, and here is one (§2.5.1)", answer
        )
    if endpoint.sets:
        unknown = [s for s in header.sets if s not in endpoint.sets]
        if unknown:
            endpoint.warn(f"headers name sets that ListSets does not: {unknown[0]}", answer)


def _look_at_token(endpoint: Endpoint, answer: Answer, part: int, number: int) -> set[int]:
    """What a part's resumptionToken says; gives the size of the whole list if it tells."""
    found = answer.all("resumptionToken")
    if not found:
        endpoint.expect(
            part == 0, "the last of several parts has no empty resumptionToken (§3.5)", answer
        )
        return set()
    token = found[0]
    cursor = token.get("cursor")
    if cursor is not None:
        endpoint.expect(cursor == str(number), f"cursor is {cursor}, not {number}", answer)
    expires = token.get("expirationDate")
    if expires and expires <= answer.responded:
        endpoint.fail(f"the token has expired when it is given: {expires}", answer)
    size = token.get("completeListSize")
    return {int(size)} if size is not None and size.isdecimal() else set()


@_check("The same token gives the same part, as often as it is asked", "3.5.1")
async def _same_token(endpoint: Endpoint) -> None:
    for verb in ("ListIdentifiers", "ListRecords"):
        begun = await endpoint.ask(verb=verb, metadataPrefix="oai_dc")
        if not begun.token:
            endpoint.skip("its lists have one part")
            continue
        once = await endpoint.good(verb=verb, resumptionToken=begun.token)
        later = await endpoint.good(verb=verb, resumptionToken=once.token) if once.token else once
        again = await endpoint.good(verb=verb, resumptionToken=begun.token)
        by_post = await endpoint.good(post=True, verb=verb, resumptionToken=begun.token)
        for answer in (again, by_post):
            if once.headers != answer.headers and not await _anything_since(
                endpoint, begun.responded
            ):
                endpoint.fail("the same token gives another part", answer)
        doubled = {h.identifier for h in begun.headers} & {h.identifier for h in once.headers}
        if later is not once:
            doubled |= {h.identifier for h in once.headers} & {h.identifier for h in later.headers}
        if doubled and not await _anything_since(endpoint, begun.responded):
            endpoint.fail(f"parts overlap: {sorted(doubled)[0]}", once)


@_check("A token that is none, is cut, changed or of another verb is badResumptionToken", "3.6")
async def _bad_tokens(endpoint: Endpoint) -> None:
    bad = ["x", "0", "-1", "a b", "../..", "é", "A" * 1500, "eyJhIjoxfQ==", "1!100!oai_dc"]
    for verb in ("ListIdentifiers", "ListRecords", "ListSets"):
        for token in bad:
            await endpoint.refused("badResumptionToken", verb=verb, resumptionToken=token)
    begun = await endpoint.ask(verb="ListRecords", metadataPrefix="oai_dc")
    if not (token := begun.token):
        return
    middle = len(token) // 2
    spoilt = (
        token[:-1], token[1:], token[:middle], token + "x", token + token, token.swapcase(),
        token[:middle] + ("A" if token[middle] != "A" else "B") + token[middle + 1 :],
    )  # fmt: skip
    for changed in spoilt:
        if changed != token:
            await _refuse_token(endpoint, "ListRecords", changed, "a changed token")
    for verb in ("ListSets", "ListIdentifiers"):
        await _refuse_token(endpoint, verb, token, "a token of ListRecords")


async def _refuse_token(endpoint: Endpoint, verb: str, token: str, what: str) -> None:
    answer = await endpoint.ask(verb=verb, resumptionToken=token)
    if answer.status == 200 and answer.codes != {"badResumptionToken"}:
        # The specification leaves to the repository what is in a token, so one that takes a
        # changed token for another of its own is careless, not wrong.
        said = ", ".join(sorted(answer.codes)) or "an answer"
        endpoint.warn(f"{what} gets {said} from {verb}, not badResumptionToken", answer)


@_check("A token stands alone: beside another argument it is badArgument", "3.6, 4.5")
async def _token_alone(endpoint: Endpoint) -> None:
    begun = await endpoint.ask(verb="ListRecords", metadataPrefix="oai_dc")
    token = begun.token or "x"
    for name, value in (
        ("metadataPrefix", "oai_dc"),
        ("from_", "2001-01-01"),
        ("until", "2031-01-01"),
        ("set", "a"),
    ):
        arguments = {"verb": "ListRecords", "resumptionToken": token, name: value}
        await endpoint.refused("badArgument", **arguments)


@_check(
    "ListRecords gives what ListIdentifiers gives, with metadata in the format's namespace", "4.5"
)
async def _list_records(endpoint: Endpoint) -> None:
    if endpoint.sample is None:
        endpoint.skip("there are no records")
        return
    known = {h.identifier: h for h in endpoint.walked}
    for prefix, (_, namespace) in endpoint.formats.items():
        answer = await endpoint.ask(verb="ListRecords", metadataPrefix=prefix)
        if answer.codes in ({"noRecordsMatch"}, {"cannotDisseminateFormat"}):
            continue
        endpoint.expect(not answer.codes, f"error {', '.join(sorted(answer.codes))}", answer)
        for record in answer.all("record"):
            _look_at_record(endpoint, record, namespace, answer)
        if prefix == "oai_dc" and endpoint.whole:
            for header in answer.headers:
                listed = known.get(header.identifier)
                if (listed is None or listed != header) and await _settled(endpoint, header):
                    again = await _header(endpoint, header.identifier)
                    if again is not None and listed is not None and again != listed:
                        continue  # it moved after the walk
                    endpoint.fail(
                        f"{header.identifier} is another in ListRecords than in ListIdentifiers",
                        answer,
                    )


def _look_at_record(endpoint: Endpoint, record: Any, namespace: str, answer: Answer) -> None:
    identifier = record.findtext("o:header/o:identifier", "", NS)
    deleted = record.find("o:header", NS).get("status") == "deleted"
    metadata = record.find("o:metadata", NS)
    if deleted:
        endpoint.expect(
            metadata is None, f"{identifier} is deleted, with metadata (§2.5.1)", answer
        )
        return
    if not endpoint.expect(metadata is not None, f"{identifier} has no metadata (§2.5)", answer):
        return
    inside = etree.QName(metadata[0]).namespace if len(metadata) else None
    endpoint.expect(
        inside == namespace,
        f"{identifier}: the metadata is of namespace {inside}, its format of {namespace} (§3.4)",
        answer,
    )


# --- single records -------------------------------------------------------------------------


@_check("GetRecord gives each record as lists give it, in every format", "4.1")
async def _get_record(endpoint: Endpoint) -> None:
    if endpoint.sample is None:
        endpoint.skip("there are no records")
        return
    for prefix in endpoint.formats:
        listed = await endpoint.ask(verb="ListRecords", metadataPrefix=prefix)
        for record in _some(listed.all("record"), 4):
            identifier = record.findtext("o:header/o:identifier", "", NS).strip()
            answer = await endpoint.ask(
                verb="GetRecord", identifier=identifier, metadataPrefix=prefix
            )
            if answer.codes:
                endpoint.fail(f"{identifier} is listed; GetRecord has {answer.codes}", answer)
                continue
            single = answer.all("record")[0]
            stamp = "o:header/o:datestamp"
            if single.findtext(stamp, "", NS) == record.findtext(stamp, "", NS):
                endpoint.expect(
                    _canonical(single) == _canonical(record),
                    f"{identifier} is another in GetRecord than in ListRecords", answer,
                )  # fmt: skip


@_check("A record's own formats are formats it is given in", "4.4")
async def _formats_of_a_record(endpoint: Endpoint) -> None:
    if endpoint.sample is None:
        endpoint.skip("there are no records")
        return
    answer = await endpoint.good(verb="ListMetadataFormats", identifier=endpoint.sample.identifier)
    for found in answer.all("metadataPrefix"):
        prefix = (found.text or "").strip()
        endpoint.expect(prefix in endpoint.formats, f"{prefix} is not in the whole list", answer)
        await endpoint.good(
            verb="GetRecord", identifier=endpoint.sample.identifier, metadataPrefix=prefix
        )
    await endpoint.refused(
        "cannotDisseminateFormat",
        verb="GetRecord", identifier=endpoint.sample.identifier, metadataPrefix="certify_none",
    )  # fmt: skip


@_check("A deleted record is a header with its date, in lists and by itself", "2.5.1")
async def _deleted_records(endpoint: Endpoint) -> None:
    if endpoint.deletions == "no" or endpoint.tombstone is None:
        endpoint.skip("no deleted record was met")
        return
    header = endpoint.tombstone
    answer = await endpoint.ask(
        verb="GetRecord", identifier=header.identifier, metadataPrefix="oai_dc"
    )
    if answer.codes:
        if endpoint.deletions == "persistent":
            endpoint.fail(f"{header.identifier} is a tombstone; asked for: {answer.codes}", answer)
        return
    now = answer.headers[0]
    if now.datestamp == header.datestamp:
        endpoint.expect(now == header, f"{now.identifier} has another header than in lists", answer)
        for record in answer.all("record"):
            _look_at_record(endpoint, record, DC_NAMESPACE, answer)


# --- selective harvesting -------------------------------------------------------------------


@_check("from and until are inclusive, and nothing outside them is given", "2.7.1")
async def _date_bounds(endpoint: Endpoint) -> None:
    if not endpoint.walked:
        endpoint.skip("there are no records")
        return
    step = timedelta(seconds=1) if endpoint.granularity == SECOND else timedelta(days=1)
    for header in _some(endpoint.walked, SAMPLES):
        date = header.datestamp
        for bounds in (
            {"from": date, "until": date},
            {"from": date, "until": _later(date, step)},
            {"from": _later(date, -step), "until": date},
        ):
            await _within(endpoint, header, bounds, holds=True)
        await _within(endpoint, header, {"from": _later(date, step)}, holds=False)
        if date > endpoint.earliest:
            await _within(endpoint, header, {"until": _later(date, -step)}, holds=False)


@_check("Days are taken as bounds where seconds are offered", "2.7.1")
async def _day_bounds(endpoint: Endpoint) -> None:
    if not endpoint.walked or endpoint.granularity != SECOND:
        endpoint.skip("there are no records, or its granularity is days")
        return
    for header in _some(endpoint.walked, 4):
        day = header.datestamp[:10]
        await _within(endpoint, header, {"from": day, "until": day}, holds=True)


async def _within(
    endpoint: Endpoint, header: Header, bounds: dict[str, str], *, holds: bool
) -> None:
    """Walk a list between bounds: every datestamp within, and a record there or not."""
    low = bounds.get("from", "")
    high = bounds.get("until", "9999") + "~"  # a day holds all its seconds
    arguments = {"verb": "ListIdentifiers", "metadataPrefix": "oai_dc", **bounds}
    found = False
    parts = endpoint.parts if holds else 1
    answer = await endpoint.ask(*arguments.items())
    for _ in range(parts):
        for listed in answer.headers:
            found = found or listed.identifier == header.identifier
            endpoint.expect(
                low <= listed.datestamp <= high,
                f"{listed.identifier} is of {listed.datestamp}, asked was {bounds}", answer,
            )  # fmt: skip
        if found or not answer.token:
            break
        answer = await endpoint.good(verb="ListIdentifiers", resumptionToken=answer.token)
    else:
        return  # a long list: it may be further on
    if holds and not found and await _settled(endpoint, header):
        endpoint.fail(f"{header.identifier} of {header.datestamp} is not in {bounds}", answer)


@_check("A set has the records whose headers name it, its parents have them too", "2.6, 4.3")
async def _set_members(endpoint: Endpoint) -> None:
    if not endpoint.sets or endpoint.sample is None:
        endpoint.skip("there are no sets, or no records")
        return
    named = sorted({spec for header in endpoint.walked for spec in header.sets})
    for spec in _some(named or endpoint.sets, SAMPLES):
        wanted = [h for h in endpoint.walked if not h.deleted and spec in h.sets]
        lists = {spec} | {spec[:at] for at, letter in enumerate(spec) if letter == ":"}
        for asked in sorted(lists & set(endpoint.sets)):
            met, last, whole = await _members(endpoint, asked)
            if not whole:
                continue
            for header in wanted:
                if header.identifier not in met and await _settled(endpoint, header):
                    endpoint.fail(
                        f"{header.identifier} names {spec}, and is not in set {asked}", last
                    )
                    break


async def _members(endpoint: Endpoint, spec: str) -> tuple[dict[str, Header], Answer, bool]:
    met: dict[str, Header] = {}
    answer = await endpoint.ask(verb="ListIdentifiers", metadataPrefix="oai_dc", set=spec)
    for _ in range(endpoint.parts):
        for header in answer.headers:
            met[header.identifier] = header
            inside = any(s == spec or s.startswith(spec + ":") for s in header.sets)
            endpoint.expect(
                inside or header.deleted,
                f"{header.identifier} is in the list of {spec}, its header does not name it",
                answer,
            )
        if not answer.token:
            return met, answer, True
        answer = await endpoint.good(verb="ListIdentifiers", resumptionToken=answer.token)
    return met, answer, False


# --- HTTP -----------------------------------------------------------------------------------


@_check("Another Host header does not change what the endpoint says of itself", "3.2")
async def _host_header(endpoint: Endpoint) -> None:
    answer = await endpoint.ask_as_written(
        "verb=Identify", [("verb", "Identify")], headers={"X-Forwarded-Host": "certify.invalid"}
    )
    if "certify.invalid" in answer.text("baseURL"):
        endpoint.warn("its baseURL is whatever X-Forwarded-Host says", answer)


@_check("Answers are compressed for who asks for it", "3.1.3")
async def _compression(endpoint: Endpoint) -> None:
    if endpoint.sample is None:
        endpoint.skip("there are no records")
        return
    pairs = [("verb", "ListRecords"), ("metadataPrefix", "oai_dc")]
    await endpoint.ask_as_written(urlencode(pairs), pairs, headers={"Accept-Encoding": "identity"})
    packed = await endpoint.ask_as_written(
        urlencode(pairs), pairs, headers={"Accept-Encoding": "gzip"}
    )
    if packed.plain:
        endpoint.warn("gzip is not spoken: harvests cost ten times the traffic", packed)


# --- help -----------------------------------------------------------------------------------


def _only(endpoint: Endpoint, answer: Answer, codes: set[str]) -> None:
    if answer.status == 200:
        endpoint.expect(
            bool(answer.codes) and answer.codes <= codes,
            f"{', '.join(sorted(answer.codes)) or 'an answer'} where {' or '.join(sorted(codes))} "
            "was due",
            answer,
        )


def _some(of: list[T], number: int) -> list[T]:
    """Some of many, evenly from its whole length."""
    if len(of) <= number:
        return of
    return [of[round(i * (len(of) - 1) / (number - 1))] for i in range(number)]


def _canonical(element: Any) -> bytes:
    return bytes(
        etree.tostring(element, method="c14n", exclusive=True, with_comments=False)
    ).strip()


def _later(date: str, step: timedelta) -> str:
    form = "%Y-%m-%dT%H:%M:%SZ" if len(date) == 20 else "%Y-%m-%d"
    return (datetime.strptime(date, form).replace(tzinfo=UTC) + step).strftime(form)


async def _header(endpoint: Endpoint, identifier: str) -> Header | None:
    query = f"verb=GetRecord&metadataPrefix=oai_dc&identifier={quote(identifier, safe='')}"
    answer = await endpoint.ask_as_written(query, None)
    headers = answer.headers
    return headers[0] if headers else None


async def _settled(endpoint: Endpoint, header: Header) -> bool:
    """Whether a record still is what its header said, so that a list had to have it."""
    now = await _header(endpoint, header.identifier)
    return now is not None and now.datestamp == header.datestamp


async def _anything_since(endpoint: Endpoint, moment: str) -> bool:
    """Whether any record changed at or after a responseDate."""
    since = _later(moment, -timedelta(seconds=2)) if len(moment) == 20 else moment
    if endpoint.granularity != SECOND:
        since = since[:10]
    answer = await endpoint.ask(verb="ListIdentifiers", metadataPrefix="oai_dc", from_=since)
    return bool(answer.headers)
