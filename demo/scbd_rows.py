"""Rows of the index of the clearing-houses' replica.

Field names, suffixes, copies of untranslated titles and JSON within strings are the index's
own.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from demo.phrases import UN_LANGUAGES, Country
from demo.scbd_records import FORESTS, NBSAP, PERSONS, REPORTS, Json, ScbdRecord, iso

_HOSTS = {
    "CHM": "chm.example.org",
    "BCH": "bch.example.org",
    "ABS": "absch.example.org",
    "ORT": "ort.example.org",
    "": "www.example.org",
}
_REPORT_NAMES = {
    NBSAP: "National Biodiversity Strategy and Action Plan",
    FORESTS: "Thematic report on forests",
    **{
        code: f"{ordinal} National Report"
        for code, ordinal in zip(
            REPORTS, ("First", "Second", "Third", "Fourth", "Fifth"), strict=True
        )
    },
}
_GROUPS = {
    "africa": "D50FE62D-8A5E-4407-83F8-AFCAAF708EA4",
    "asia": "5E5B7AA4-2420-4147-825B-0820F7EC5A4B",
    "cee": "942E40CA-4C23-4D3A-A0B4-736CD0EFCD54",
    "lac": "3D0CCC9A-A0A1-4399-8FA2-41D4D649DB0E",
    "weog": "0EC2E5AE-25F3-4D3A-B71F-8019BB62ED4B",
}
_PARTIES = "084D8F39-16B0-4DFC-89F9-FE1A6EE47E9F"


def light_row(record: ScbdRecord) -> dict[str, Json]:
    """The fields of an index row by which harvesters choose, without the others."""
    row: dict[str, Json] = {
        "id": record.index_id,
        "schema_s": record.schema.name,
        "schemaType_s": record.schema.kind,
        "realm_ss": list(record.realms),
        "_state_s": "public",
        "createdDate_dt": iso(record.state.born),
    }
    if record.schema.has_document:
        row["identifier_s"] = record.identifier
        row["_documentId_i"] = record.document_id
        row["_revision_i"] = record.revision
    government = record.government
    # As rows of decisions were seen: the government only within another field.
    if government is not None and not _is_bare(record):
        row["government_s"] = government
    lacks_date = record.schema.name == "meeting" or (
        record.odd % 40 == 7 and record.state.edits == 0
    )
    if not lacks_date:
        row["updatedDate_dt"] = iso(record.state.stamp)
    return row


LIGHT_FIELDS = frozenset(
    {
        "id",
        "schema_s",
        "schemaType_s",
        "realm_ss",
        "_state_s",
        "version_s",
        "createdDate_dt",
        "identifier_s",
        "_documentId_i",
        "_revision_i",
        "government_s",
        "updatedDate_dt",
    }
)


def full_row(record: ScbdRecord) -> dict[str, Json]:
    """The whole index row."""
    wording, schema = record.wording, record.schema
    row = light_row(record)
    for name in ("createdDate", "updatedDate"):
        if f"{name}_dt" in row:
            row[f"{name}_s"] = row[f"{name}_dt"]
    row |= {
        "_latest_s": "true",
        "schema_EN_s": schema.label,
        "schema_EN_t": [schema.label] if record.odd % 30 == 3 else schema.label,
        "schemaSort_i": schema.sort,
        "url_ss": [_url(record)],
        "text_EN_txt": [wording.title(wording.languages[0])],
    }
    titles = [(lang, wording.title(lang)) for lang in wording.languages]
    if schema.name in PERSONS:
        titles = [("en", f"Office Holder {record.number}")]
    _add_texts(row, "title", record, titles)
    if schema.has_document:
        row |= {
            "uniqueIdentifier_s": record.uid(),
            "uniqueIdentifierRevisions_ss": [record.uid(r) for r in range(1, record.revision)],
            "ownerRealm_s": record.owner,
            # Whoever harvests must not keep these.
            "createdBy_s": "Records desk",
            "createdByEmail_s": "records-desk@example.org",
            "updatedBy_s": "Records desk",
            "updatedByEmail_s": "records-desk@example.org",
            "_contributor_is": [1001],
        }
        if not row["uniqueIdentifierRevisions_ss"]:
            del row["uniqueIdentifierRevisions_ss"]
        summaries = [(lang, wording.description(lang)) for lang in wording.languages]
        _add_texts(row, "summary", record, summaries)
    if record.government is not None:
        assert record.country is not None
        _add_government(row, record, record.country)
    row |= _ROWS[schema.name](record) if schema.name in _ROWS else {}
    if record.odd % 36 == 11:
        row["title_EN_t"] = [row["title_EN_t"]]
    return row


def draft_row(record: ScbdRecord) -> dict[str, Json]:
    """The row of a draft: a revision in the making, of a record that may not be public yet."""
    row = full_row(record)
    row |= {
        "id": f"{row['id']}_draft",
        "_state_s": "draft",
        "_latest_s": "false",
        "_workflow_s": "review",
        "version_s": "draft",
        "_revision_i": record.revision + 1,
        "uniqueIdentifier_s": record.uid(record.revision + 1),
    }
    for name in [name for name in row if name.startswith("title")]:
        row[name] = f"DRAFT {record.wording.title(record.wording.languages[0])}"
    return row


def compact(value: Json) -> str:
    """JSON within a string."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_bare(record: ScbdRecord) -> bool:
    return record.schema.name == "biosafetyDecision" and record.odd % 10 == 4


def _add_texts(
    row: dict[str, Json], name: str, record: ScbdRecord, texts: list[tuple[str, str]]
) -> None:
    """A text with its variants: those of languages it does not have are copies."""
    known = dict(texts)
    default = known.get("en") or texts[0][1]
    row[f"{name}_t"] = default
    if name == "title":
        row["title_s"] = default
    copies = record.has_copies()
    for lang in UN_LANGUAGES:
        if lang in known or copies:
            row[f"{name}_{lang.upper()}_t"] = known.get(lang, default)


def _add_government(row: dict[str, Json], record: ScbdRecord, country: Country) -> None:
    code = country.code.lower()
    row["grp_government_schema_s"] = f"{code}_{record.schema.name}"
    if _is_bare(record):
        row["meta_modifiedOn_dt"] = iso(record.state.born)
        return
    for lang in UN_LANGUAGES:
        row[f"government_{lang.upper()}_s"] = country.names[lang]
    name = country.names["en"]
    row["government_EN_t"] = [name] if record.odd % 24 == 5 else name
    row["government_CEN_s"] = compact({"identifier": code, "title": name})
    row["government_REL_ss"] = [code, _GROUPS[country.region], _PARTIES]
    row["hostGovernments_ss"] = [code]


def _url(record: ScbdRecord) -> str:
    host, name = _HOSTS[record.owner], record.schema.name
    if record.schema.has_document:
        if name == "nationalTarget7":
            return f"https://{host}/national-targets/my-country/part-1/{record.identifier}/view"
        if name == "nationalReport7":
            return f"https://{host}/national-reports/nr7/{record.identifier}"
        if record.owner == "ABS":
            return f"https://{host}/database/record/{record.document_id}"
        return f"https://{host}/database/record?documentID={record.document_id}"
    symbol, year = record.symbol(), record.wording.year
    if name == "meeting":
        return f"https://{host}/meetings/{symbol}"
    if name == "decision":
        session = record.wording.values["session"]
        return f"https://{host}/decisions/cop/{session}/{record.wording.number}"
    if name == "notification":
        return f"/doc/notifications/{year}/ntf-{symbol}-en.pdf"
    return f"/doc/{name.lower()}/{year}/{symbol.lower()}-en.pdf"


def _subject_rows(record: ScbdRecord, name: str) -> dict[str, Json]:
    return {name: list(record.wording.topic.subjects)}


def _row_report(record: ScbdRecord) -> dict[str, Json]:
    name = f"{record.government}-report-{record.document_id}.pdf"
    return {
        "reportType_s": record.report_type,
        "reportType_EN_t": _REPORT_NAMES[record.report_type],
        "year_is": [record.wording.year],
        "documentLinks_s": compact([{"url": record.attachment(name), "name": name}]),
    }


def _row_target(record: ScbdRecord) -> dict[str, Json]:
    topic = record.wording.topic
    if record.schema.name == "nationalTarget":
        return {"aichiTargets_ss": list(topic.aichi)}
    return {
        "globalTargetAlignment_ss": list(topic.targets),
        "globalGoalAlignment_ss": ["GBF-GOAL-A"],
        "headlineIndicators_ss": [f"GBF-INDICATOR-{int(topic.targets[0][-2:])}.1"],
    }


def _row_focal_point(record: ScbdRecord) -> dict[str, Json]:
    return {
        "ctgList_ss": list(record.categories),
        "type_ss": list(record.categories),
        # In the live index these are a person's: whoever harvests must not publish them.
        "firstName_s": "Office",
        "lastName_s": f"Holder {record.number}",
        "function_t": record.wording.title(record.wording.languages[0]),
        "organization_t": record.wording.agency("en"),
        "email_ss": [f"biodiversity-desk.{record.government}@example.org"],
        "telephone_ss": ["+000 000 0000"],
    }


def _row_permit(record: ScbdRecord) -> dict[str, Json]:
    extra = {"amendmentIntent_i": 1} if record.odd % 12 == 1 else {}
    return {"date_dt": f"{record.wording.year}-06-01T00:00:00Z", **extra}


def _row_resource(record: ScbdRecord) -> dict[str, Json]:
    topic = record.wording.topic
    codes = [country.code.lower() for country in record.countries]
    groups = [_GROUPS[country.region] for country in record.countries]
    return {
        "cbdSubjects_ss": list(topic.subjects),
        "gbfTargets_ss": list(topic.targets),
        "gbfTargets_REL_ss": [*topic.targets, "GBF-GOALS-TARGETS"],
        "countryRegions_ss": codes,
        "countryRegions_REL_ss": list(dict.fromkeys(codes + groups)),
        "publicationYear_is": [record.wording.year],
    }


def _row_organization(record: ScbdRecord) -> dict[str, Json]:
    assert record.country is not None
    return {
        "country_s": record.country.code.lower(),
        "country_EN_t": record.country.names["en"],
        "websites_C_ss": [compact({"url": "https://www.example.org", "name": "Website"})],
    }


def _row_ebsa(record: ScbdRecord) -> dict[str, Json]:
    return {
        "country_ss": [country.code.lower() for country in record.countries],
        "status_s": "approved",
        "description_t": record.wording.description(record.wording.languages[0]),
        "shapeUrl_ss": [record.attachment("shape.geojson")],
    }


def _row_submission(record: ScbdRecord) -> dict[str, Json]:
    files = [{"type": "application/pdf", "language": "en", "url": record.attachment("views.pdf")}]
    return {
        "notifications_ss": [f"{record.wording.year}-0001"],
        "date_dt": f"{record.wording.year}-04-01T00:00:00Z",
        "files_ss": [compact(file) for file in files],
        **_subject_rows(record, "thematicAreas_ss"),
    }


def _row_meeting(record: ScbdRecord) -> dict[str, Json]:
    assert record.country is not None
    code, name = record.country.code.lower(), record.country.names
    year, month = record.wording.year, 1 + record.odd % 12
    return {
        "symbol_s": record.symbol(),
        "eventCity_t": "Capital city",
        "eventCountry_s": code,
        **{f"eventCountry_{lang.upper()}_t": name[lang] for lang in UN_LANGUAGES},
        "eventCountry_CEN_s": compact({"identifier": code, "title": name["en"]}),
        "startDate_dt": f"{year}-{month:02}-06T00:00:00Z",
        "endDate_dt": f"{year}-{month:02}-08T00:00:00Z",
        **_subject_rows(record, "themes_ss"),
    }


def _row_notification(record: ScbdRecord) -> dict[str, Json]:
    year = record.wording.year
    url = f"https://www.example.org{_url(record)}"
    files = [{"type": "application/pdf", "language": "en", "url": url}]
    return {
        "symbol_s": record.symbol(),
        "reference_s": f"DEMO/{record.number:05}",
        "sender_s": "Executive Secretary",
        "from_t": "Executive Secretary",
        "recipient_ss": ["CBD National Focal Points"],
        "fulltext_t": record.wording.description("en"),
        "date_dt": f"{year}-02-20T00:00:00Z",
        "actionDate_dt": f"{year}-04-30T00:00:00Z",
        # A string that holds an array here; an array of strings on submissions.
        "files_ss": compact(files),
        **_subject_rows(record, "thematicAreas_ss"),
    }


def _row_outreach(record: ScbdRecord) -> dict[str, Json]:
    return {
        "symbol_s": record.symbol(),
        "date_dt": f"{record.wording.year}-05-22T00:00:00Z",
        "description_t": record.wording.description("en"),
        "description_EN_t": record.wording.description("en"),
        **_subject_rows(record, "themes_ss"),
        "themes_CEN_ss": [
            compact({"identifier": code, "title": code.rpartition("-")[2]})
            for code in record.wording.topic.subjects
        ],
    }


def _row_decision(record: ScbdRecord) -> dict[str, Json]:
    session, number = record.wording.values["session"], record.wording.number
    code = f"DEMO/COP/{session:02}/{number:02}"
    pdf = (
        f"https://www.example.org/doc/decisions/cop-{session}/cop-{session}-dec-{number:02}-en.pdf"
    )
    return {
        "code_s": code,
        "dttCode_s": code,
        "treaty_s": "XXVII8",
        "body_s": "XXVII8-COP",
        "session_i": session,
        "decision_i": number,
        "position_i": number,
        "date_dt": f"{record.wording.year}-11-01T00:00:00Z",
        "file_en_s": pdf,
        "file_ss": [compact({"language": "en", "url": pdf, "type": "application/pdf"})],
        **_subject_rows(record, "themes_ss"),
    }


_ROWS: dict[str, Callable[[ScbdRecord], dict[str, Json]]] = {
    "nationalReport": _row_report,
    "nationalTarget": _row_target,
    "nationalTarget7": _row_target,
    "focalPoint": _row_focal_point,
    "absPermit": _row_permit,
    "resource": _row_resource,
    "organization": _row_organization,
    "marineEbsa": _row_ebsa,
    "submission": _row_submission,
    "meeting": _row_meeting,
    "notification": _row_notification,
    "pressRelease": _row_outreach,
    "statement": _row_outreach,
    "news": _row_outreach,
    "decision": _row_decision,
}
