"""Full documents of the clearing-houses' replica, in the shapes of their schemas.

Texts are objects with a key for each language, long ones hold HTML, terms and references are
objects with an identifier, links may be relative to the API's host. Typing errors in field
names are the schemas' own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from xml.sax.saxutils import escape

from demo.scbd_records import Json, ScbdRecord, iso, reference

Build = Callable[[int, ScbdRecord], dict[str, Json]]

_NATIONAL = {"identifier": "7437F880-7B12-4F26-AA91-CED37250DD0A"}
_IN_FORCE = {"identifier": "97D6C7E6-5EAD-48B2-BD8D-DAB77153FF9C"}
_FINAL = {"identifier": "851B10ED-AE62-4F28-B178-6D40389CC8DB"}
_SPECIMEN = {"identifier": "357DBB22-6A6C-4C49-BA1F-037320B09247"}
_HIGH = {"identifier": "AABF237C-F906-40D2-9595-5226C8B18A58"}
_PROGRESS = {"identifier": "486C27A7-6BDF-460D-92F8-312D337EC6E2"}
_LIBRARY = "6E27B530-7639-4091-AF58-9D61A77B4A28"
_LIBRARY_SPECIAL = "7BBF86FE-68E5-4ED8-8174-7DD8D302C583"
_NOBODY = {"userID": 0, "firstName": "", "lastName": "", "email": ""}


def document(seed: int, record: ScbdRecord, revision: int | None = None) -> dict[str, Json]:
    """The document behind an index row, as it is or as it was in an earlier revision."""
    if revision is not None and revision < record.revision:
        back = record.revision - revision
        edits = max(0, record.wording.edits - back)
        record = replace(record, wording=replace(record.wording, edits=edits))
    head: dict[str, Json] = {
        "header": {
            "identifier": record.identifier,
            "schema": record.schema.name,
            "languages": list(record.wording.languages),
        }
    }
    if record.government is not None:
        head["government"] = {"identifier": record.government}
    made = head | _BUILDERS.get(record.schema.name, _general)(seed, record)
    if record.odd % 9 == 2:
        made["notes"] = "A remark of the editors among themselves; not for publication."
    return made


def info(record: ScbdRecord, revision: int, size: int) -> dict[str, Json]:
    """The envelope of a document; ``deletedOn`` tells when it was withdrawn."""
    state = record.state
    metadata = {"schema": record.schema.name}
    if record.government is not None:
        metadata["government"] = record.government
    deleted = iso(state.stamp) if state.deleted else None
    return {
        "identifier": record.identifier,
        "documentID": record.document_id,
        "type": record.schema.name,
        "owner": f"country:{record.government}" if record.government else "user:0",
        "revision": revision,
        "latestRevision": record.revision,
        "size": size,
        "realm": record.owner,
        "mediaType": "application/json",
        "charset": "utf-8",
        "createdOn": iso(state.born),
        "createdBy": _NOBODY,
        "updatedOn": iso(state.stamp),
        "updatedBy": _NOBODY,
        "submittedOn": iso(state.stamp),
        "deletedOn": deleted,
        "deletedBy": _NOBODY if deleted else None,
        "isRequest": False,
        "title": _titles(record),
        "summary": {},
        "metadata": metadata,
    }


def _titles(record: ScbdRecord) -> dict[str, str]:
    return {lang: record.wording.title(lang) for lang in record.wording.languages}


def _texts(record: ScbdRecord) -> dict[str, str]:
    """The description as HTML, written as editors write it."""
    made = {}
    for lang in record.wording.languages:
        text = escape(record.wording.description(lang))
        if record.odd % 5 == 1:
            text = f"<div>{text}<br/>&nbsp;</div>"
        elif record.odd % 5 == 2:
            link = f'<a href="{record.attachment("annex.pdf")}">PDF</a>'
            text = f"<p>{text}</p><ul><li>{link}</li></ul>"
        else:
            text = f"<p>{text}</p>"
        made[lang] = text
    return made


def _plain_texts(record: ScbdRecord) -> dict[str, str]:
    return {lang: record.wording.description(lang) for lang in record.wording.languages}


def _agencies(record: ScbdRecord) -> dict[str, str]:
    return {lang: record.wording.agency(lang) for lang in record.wording.languages}


def _terms(identifiers: tuple[str, ...]) -> list[Json]:
    return [{"identifier": identifier} for identifier in identifiers]


def _references(seed: int, schema: str, record: ScbdRecord) -> list[Json]:
    return [{"identifier": reference(seed, schema, record.number)}]


def _file(record: ScbdRecord, name: str, *, tagged: bool = False) -> dict[str, str]:
    """A file of the record; older documents tag its language."""
    lang = record.wording.languages[0]
    return {"url": record.attachment(name), "name": name, "tag" if tagged else "language": lang}


def _site(record: ScbdRecord, name: str) -> dict[str, str]:
    lang = record.wording.languages[0]
    return {"url": f"https://www.example.org/{lang}/{name}", "name": name, "language": lang}


def _report(seed: int, record: ScbdRecord) -> dict[str, Json]:
    year = record.wording.year
    name = f"{record.government}-report-{record.document_id}.pdf"
    return {
        "title": _titles(record),
        "reportType": {"identifier": record.report_type},
        "summary": _plain_texts(record),
        "jurisdiction": _NATIONAL,
        "startDate": f"{year}-01-01",
        "endDate": f"{year + 4}-12-31",
        "status": _FINAL,
        "adoptionDate": f"{year}-01-17",
        "approvedStatus": _FINAL,
        "approvingBody": {"identifier": "2B1AA969-F4EA-4537-B7D9-C0108EE5D3D2"},
        "documentLinks": [_file(record, name, tagged=True)],
    }


def _report_6(seed: int, record: ScbdRecord) -> dict[str, Json]:
    return {
        "title": _titles(record),
        "targetPursued": "national",
        "nationalTargets": _references(seed, "nationalTarget", record),
        "implementationMeasures": [{"description": _texts(record)}],
        "biodiversityCountryProfile": {"statusAndTrends": _texts(record)},
        "relevantDocuments": [_file(record, "sixth-report.pdf")],
    }


def _report_7(seed: int, record: ScbdRecord) -> dict[str, Json]:
    text = _texts(record)
    nothing: dict[str, Json] = {
        name: [] for name in ("headline", "binary", "component", "complementary", "national")
    }
    return {
        # No title: only the index has one.
        "sectionI": {"processUndertaken": text},
        "sectionII": {
            "hasRevisedNbsap": "yes",
            "hasStakeholderEngagement": True,
            "stakeholders": _terms(("EC872EB8-02B0-46E7-AAB0-C79AC629356A",)),
            "hasNbsapAdopted": "yes",
            "policyInstrument": {"identifier": "14FB02A6-46FB-4932-9F42-630416271B3A"},
        },
        "sectionIII": [
            {
                "targetType": "national",
                "target": _references(seed, "nationalTarget7", record)[0],
                "mainActionsSummary": text,
                "levelOfProgress": _PROGRESS,
                "progressSummary": text,
                "keyChallengesSummary": text,
                "actionEffectivenessSummary": text,
                "indicatorData": nothing,
            }
        ],
        "sectionIV": [
            {
                "gbfGoal": {"identifier": "GBF-GOAL-A"},
                "summaryOfProgress": text,
                "indicatorData": nothing,
            }
        ],
        "sectionV": {"assessmentSummary": text},
        "additionalDocuments": [_file(record, "seventh-report.pdf")],
    }


def _nbsap(seed: int, record: ScbdRecord) -> dict[str, Json]:
    year = record.wording.year
    return {
        "title": _titles(record),
        "summary": _texts(record),
        "jurisdiction": _NATIONAL,
        "isGbfAligned": year >= 2022,
        "startDate": f"{year}-01-01",
        "endDate": f"{year + 4}-12-31",
        "status": _FINAL,
        "completionYear": str(year - 1),
        "adoptionDate": f"{year}-05-20",
        "documentLinks": [_file(record, "strategy.pdf")],
    }


def _target(seed: int, record: ScbdRecord) -> dict[str, Json]:
    aichi = record.wording.topic.aichi
    return {
        "isAichiTarget": False,
        "title": _titles(record),
        "description": _plain_texts(record),
        "jurisdiction": _NATIONAL,
        "aichiTargets": _terms(aichi[:1]),
        "otherAichiTargets": _terms(aichi[1:]),
        "relevantDocuments": [_site(record, "targets")],
    }


def _target_7(seed: int, record: ScbdRecord) -> dict[str, Json]:
    targets = record.wording.topic.targets
    first = int(targets[0][-2:])
    return {
        "title": _titles(record),
        "description": _texts(record),
        "sequence": 1 + record.number % 23,
        "globalGoalAlignment": _terms(("GBF-GOAL-A",)),
        "globalTargetAlignment": [
            {"identifier": target, "degreeOfAlignment": _HIGH} for target in targets
        ],
        "degreeOfAlignmentInfo": _texts(record),
        "headlineIndicators": _terms((f"GBF-INDICATOR-{first}.1",)),
        "binaryIndicators": _terms((f"KMGBF-INDICATOR-BIN-{first}",)),
        "componentIndicators": [],
        "complementaryIndicators": [],
        "otherNationalIndicators": [
            {
                "identifier": f"5f1c1d52-0000-4000-8000-{record.document_id:012}",
                "value": _titles(record),
            }
        ],
        "hasNonStateActors": False,
        "additionalImplementation": {"identifier": "additionalImplementationNotRequired"},
        "additionalDocuments": [_file(record, "target.pdf")],
    }


def _focal_point(seed: int, record: ScbdRecord) -> dict[str, Json]:
    assert record.country is not None
    return {
        "categories": list(record.categories),
        # Names are where names of persons are in the live documents.
        "firstName": "Office",
        "lastName": f"Holder {record.number}",
        "designation": _titles(record),
        "organization": _agencies(record),
        "country": {"identifier": record.country.code.lower()},
        "phones": ["+000 000 0000"],
        "emails": [f"biodiversity-desk.{record.government}@example.org"],
        "websites": [_site(record, "focal-point")],
    }


def _authority(seed: int, record: ScbdRecord) -> dict[str, Json]:
    assert record.country is not None
    return {
        "name": _titles(record),
        "address": {"en": "1 Main Street"},
        "city": {"en": "Capital city"},
        "country": {"identifier": record.country.code.lower()},
        "phones": ["+000 000 0000"],
        "emails": [f"authority.{record.government}@example.org"],
        "websites": [_site(record, "authority")],
        "responsibleForAll": False,
        "responsibilities": _texts(record),
        "absJurisdiction": [_NATIONAL],
        "absGeneticResourceTypes": [_SPECIMEN],
    }


def _measure(seed: int, record: ScbdRecord) -> dict[str, Json]:
    year = record.wording.year
    made: dict[str, Any] = {
        "title": _titles(record),
        "description": _texts(record),
        "type": {"identifier": "8165BF22-EEF0-4DF8-B3F2-8E0AEED13E2F"},
        "jurisdiction": _NATIONAL,
        "documents": [_file(record, "measure.pdf")],
        "status": _IN_FORCE,
        "adoption": f"{year}-02-27",
        "entryIntoForce": f"{year}-03-27",
        "authorities": _references(seed, "authority", record),
        "amendedMeasures": [],
        "isAmendment": False,
        "isModelContractualClause": False,
        "absMesasureNotApplicable": False,
        "absMeasures": {"geneticResources": {"answer": True, "elements": []}},
    }
    if record.odd % 15 == 4:
        made["retired"] = f"{year + 8}-12-31"
    return made


def _permit(seed: int, record: ScbdRecord) -> dict[str, Json]:
    year = record.wording.year
    made: dict[str, Any] = {
        "absCNA": _references(seed, "authority", record)[0],
        "title": _titles(record),
        "dateOfIssuance": f"{year}-06-01",
        "dateOfExpiry": f"{year + 10}-06-01",
        "providersConfidential": True,
        "entitiesToWhomPICGrantedConfidential": True,
        "subjectMatter": _texts(record),
        "subjectMatterConfidential": False,
        "keywords": [_SPECIMEN],
        "picGranted": True,
        "matEstablished": True,
        "usages": _terms(("60EA2F49-A9DD-406F-921A-8A1C9AA8DFDD",)),
        "usagesConfidential": False,
        "permitFiles": [_file(record, "permit.pdf")],
    }
    if record.odd % 12 == 1:
        made["amendmentIntent"] = 1
        made["amendmentDescription"] = {record.wording.languages[0]: "<p>Revoked</p>"}
    return made


def _law(seed: int, record: ScbdRecord) -> dict[str, Json]:
    return {
        "jurisdiction": _NATIONAL,
        "title": _titles(record),
        "description": _texts(record),
        "type": {"identifier": "57217527-3732-437F-9AD8-45BEF4429FD5"},
        "entryIntoForce": f"{record.wording.year}-12-01",
        "documents": [_file(record, "act.pdf")],
        "isAmendment": False,
        "authorities": _references(seed, "authority", record),
        "cpbSubjectAreas": _terms(("1DCBA126-60F1-440D-BBB0-CC9CCC91C283",)),
        "cpbOrganismTypes": _terms(("65F83475-FBFD-4DCA-9DD8-10FC253A2F84",)),
        "expires": False,
    }


def _biosafety_decision(seed: int, record: ScbdRecord) -> dict[str, Json]:
    return {
        "authorities": _references(seed, "authority", record),
        "title": _titles(record),
        "date": f"{record.wording.year}-11-04",
        "jurisdictions": [_NATIONAL],
        "isAmendment": False,
        "decisionTypes": _terms(("E8C5A15C-A736-4fb7-A1B6-192412BE7E45",)),
        "decisionResult": {"identifier": "3B9ECE67-B35C-40FF-8C06-4EA5FF762899"},
        "conditions": _texts(record),
        "riskAssessments": _references(seed, "nationalRiskAssessment", record),
        "documents": [_file(record, "decision.pdf")],
        "expires": True,
    }


def _risk_assessment(seed: int, record: ScbdRecord) -> dict[str, Json]:
    return {
        "title": _titles(record),
        "date": f"{record.wording.year}-07-15",
        "authorities": _references(seed, "authority", record),
        "scopes": [],
        "documents": [_file(record, "assessment.pdf")],
        "documentsSummary": _texts(record),
        "adverseEffectsOverallRisk": _texts(record),
        "riskManagementStrategies": _texts(record),
    }


def _resource(seed: int, record: ScbdRecord) -> dict[str, Json]:
    topic, year = record.wording.topic, record.wording.year
    kind = _LIBRARY_SPECIAL if record.odd % 10 == 6 else _LIBRARY
    regions = [country.code.lower() for country in record.countries]
    return {
        "title": _titles(record),
        "resourceTypes": _terms((kind,)),
        "organizations": _references(seed, "organization", record),
        "publisher": _agencies(record),
        "publicationDate": f"{year}-{1 + record.odd % 12:02}",
        "rights": {"en": "CC BY 4.0"},
        "resourceLinks": [_file(record, "resource.pdf"), _site(record, "library")],
        "covers": [{"url": record.attachment("cover.png"), "name": "cover.png"}],
        "summary": _texts(record),
        "countryRegions": _terms(tuple(regions)),
        "gbfTargets": _terms(topic.targets),
        "aichiTargets": _terms(topic.aichi),
        "cbdSubjects": _terms(topic.subjects),
        "tags": [{lang: topic.names[lang] for lang in record.wording.languages}],
        "adminTags": [],
    }


def _organization(seed: int, record: ScbdRecord) -> dict[str, Json]:
    assert record.country is not None
    topic = record.wording.topic
    return {
        "acronym": {"en": f"CR{record.country.code}"},
        "name": _titles(record),
        "city": {"en": "Capital city"},
        "country": {"identifier": record.country.code.lower()},
        "emails": ["office@example.org"],
        "websites": [_site(record, "centre")],
        "organizationType": {"identifier": "86D464C3-B5BB-4B02-85E4-1AAD8D64CD27"},
        "areasOfWork": [{lang: topic.names[lang] for lang in record.wording.languages}],
        "gbfTargets": _terms(topic.targets),
        "profile": _texts(record),
        "coordinates": {
            "lat": record.country.latitude,
            "lng": record.country.longitude,
            "zoom": 8,
        },
    }


def _ebsa(seed: int, record: ScbdRecord) -> dict[str, Json]:
    place = record.countries[0]
    return {
        "title": _titles(record),
        "summary": _texts(record),
        "areaIntroducion": _texts(record),
        "location": _texts(record),
        "gisFiles": [{"url": record.attachment("shape.geojson"), "name": "shape.geojson"}],
        "gisMapCenter": {"lat": place.latitude, "lng": place.longitude, "zoom": 5},
        "areaDescription": _texts(record),
        "countries": [{"identifier": country.code.lower()} for country in record.countries],
        "beyondNationalJurisdiction": record.odd % 2 == 0,
        "status": "approved",
        "approvedByCopDecision": {"identifier": "COP-DECISION-XI-17"},
        "assessments": [
            {"identifier": "uniqueness", "level": "high", "justification": _texts(record)}
        ],
        "resources": _references(seed, "resource", record),
    }


def _submission(seed: int, record: ScbdRecord) -> dict[str, Json]:
    topic, year = record.wording.topic, record.wording.year
    return {
        "title": _titles(record),
        "date": f"{year}-04-01",
        "notifications": _terms((f"{year}-0001",)),
        "cbdThematicAreas": _terms(topic.subjects),
        "gbfGoalsAndTargets": _terms(topic.targets),
        "relevantDocuments": [_file(record, "views.pdf")],
        "relevantInformation": _texts(record),
    }


_NAMED = {
    "modifiedOrganism": "identity",
    "dnaSequence": "name",
    "laboratoryDetection": "name",
    "supplementaryAuthority": "name",
    "absCheckpoint": "name",
    "absProcedure": "name",
    "lwProject": "name",
    "organism": "scientificName",
    "contact": "organization",
}
"""Where a schema has its title, if it is not there."""
_PERSON = {
    "firstName": "First",
    "lastName": "Last",
    "emails": ["person@example.org"],
    "phones": ["+000 000 0000"],
}
"""What must not be published."""


def _general(seed: int, record: ScbdRecord) -> dict[str, Json]:
    """What most schemas have: a title under one name or another, a text, files, subjects."""
    topic, year = record.wording.topic, record.wording.year
    name = record.schema.name
    made: dict[str, Json] = {
        _NAMED.get(name, "title"): _titles(record),
        "description": _texts(record),
        "cbdSubjects": _terms(topic.subjects),
        "gbfTargets": _terms(topic.targets),
        "startDate": f"{year}-01-01",
        "endDate": f"{year + 3}-12-31",
        "documents": [_file(record, "document.pdf")],
        "relevantInformation": _texts(record),
    }
    if record.country is not None and record.government is None:
        made["country"] = {"identifier": record.country.code.lower()}
    elif record.government is None:
        made["countryRegions"] = _terms(tuple(c.code.lower() for c in record.countries))
    if name == "contact":
        return made | {"type": "organization", "address": {"en": "A street"}, **_PERSON}
    if name == "biosafetyExpert":
        made.pop("title")
        return made | {"contact": _PERSON, "birthYear": 1960, "profile": _texts(record)}
    if name == "stakeholderCommitment":
        return made | _PERSON
    if name == "modifiedOrganism":
        made["uniqueIdentification"] = f"DEMO-{record.number:05}-{record.number % 9}"
        made["transformationEvent"] = f"EVENT {record.number}"
    return made


_BUILDERS: dict[str, Build] = {
    "nationalReport": _report,
    "nationalReport6": _report_6,
    "nationalReport7": _report_7,
    "nbsap": _nbsap,
    "nationalTarget": _target,
    "nationalTarget7": _target_7,
    "focalPoint": _focal_point,
    "authority": _authority,
    "measure": _measure,
    "absPermit": _permit,
    "biosafetyLaw": _law,
    "biosafetyDecision": _biosafety_decision,
    "nationalRiskAssessment": _risk_assessment,
    "resource": _resource,
    "organization": _organization,
    "marineEbsa": _ebsa,
    "submission": _submission,
}
