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

from demo.scbd_records import Entry, Json, iso, reference

Build = Callable[[int, Entry], dict[str, Json]]

_NATIONAL = {"identifier": "7437F880-7B12-4F26-AA91-CED37250DD0A"}
_IN_FORCE = {"identifier": "97D6C7E6-5EAD-48B2-BD8D-DAB77153FF9C"}
_FINAL = {"identifier": "851B10ED-AE62-4F28-B178-6D40389CC8DB"}
_SPECIMEN = {"identifier": "357DBB22-6A6C-4C49-BA1F-037320B09247"}
_HIGH = {"identifier": "AABF237C-F906-40D2-9595-5226C8B18A58"}
_PROGRESS = {"identifier": "486C27A7-6BDF-460D-92F8-312D337EC6E2"}
_LIBRARY = "6E27B530-7639-4091-AF58-9D61A77B4A28"
_LIBRARY_SPECIAL = "7BBF86FE-68E5-4ED8-8174-7DD8D302C583"
_NOBODY = {"userID": 0, "firstName": "", "lastName": "", "email": ""}


def document(seed: int, entry: Entry, revision: int | None = None) -> dict[str, Json]:
    """The document behind an index row, as it is or as it was in an earlier revision."""
    if revision is not None and revision < entry.revision:
        back = entry.revision - revision
        edits = max(0, entry.wording.edits - back)
        entry = replace(entry, wording=replace(entry.wording, edits=edits))
    head: dict[str, Json] = {
        "header": {
            "identifier": entry.identifier,
            "schema": entry.schema.name,
            "languages": list(entry.wording.languages),
        }
    }
    if entry.government is not None:
        head["government"] = {"identifier": entry.government}
    made = head | _BUILDERS[entry.schema.name](seed, entry)
    if entry.odd % 9 == 2:
        made["notes"] = "A remark of the editors among themselves; not for publication."
    return made


def info(entry: Entry, revision: int, size: int) -> dict[str, Json]:
    """The envelope of a document; ``deletedOn`` tells when it was withdrawn."""
    state = entry.state
    metadata = {"schema": entry.schema.name}
    if entry.government is not None:
        metadata["government"] = entry.government
    deleted = iso(state.stamp) if state.deleted else None
    return {
        "identifier": entry.identifier,
        "documentID": entry.document_id,
        "type": entry.schema.name,
        "owner": f"country:{entry.government}" if entry.government else "user:0",
        "revision": revision,
        "latestRevision": entry.revision,
        "size": size,
        "realm": entry.owner,
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
        "title": _titles(entry),
        "summary": {},
        "metadata": metadata,
    }


def _titles(entry: Entry) -> dict[str, str]:
    return {lang: entry.wording.title(lang) for lang in entry.wording.languages}


def _texts(entry: Entry) -> dict[str, str]:
    """The description as HTML, written as editors write it."""
    made = {}
    for lang in entry.wording.languages:
        text = escape(entry.wording.description(lang))
        if entry.odd % 5 == 1:
            text = f"<div>{text}<br/>&nbsp;</div>"
        elif entry.odd % 5 == 2:
            link = f'<a href="{entry.attachment("annex.pdf")}">PDF</a>'
            text = f"<p>{text}</p><ul><li>{link}</li></ul>"
        else:
            text = f"<p>{text}</p>"
        made[lang] = text
    return made


def _plain_texts(entry: Entry) -> dict[str, str]:
    return {lang: entry.wording.description(lang) for lang in entry.wording.languages}


def _agencies(entry: Entry) -> dict[str, str]:
    return {lang: entry.wording.agency(lang) for lang in entry.wording.languages}


def _terms(identifiers: tuple[str, ...]) -> list[Json]:
    return [{"identifier": identifier} for identifier in identifiers]


def _references(seed: int, schema: str, entry: Entry) -> list[Json]:
    return [{"identifier": reference(seed, schema, entry.number)}]


def _file(entry: Entry, name: str, *, tagged: bool = False) -> dict[str, str]:
    """A file of the record; older documents tag its language."""
    lang = entry.wording.languages[0]
    return {"url": entry.attachment(name), "name": name, "tag" if tagged else "language": lang}


def _site(entry: Entry, name: str) -> dict[str, str]:
    lang = entry.wording.languages[0]
    return {"url": f"https://www.example.org/{lang}/{name}", "name": name, "language": lang}


def _report(seed: int, entry: Entry) -> dict[str, Json]:
    year = entry.wording.year
    name = f"{entry.government}-report-{entry.document_id}.pdf"
    return {
        "title": _titles(entry),
        "reportType": {"identifier": entry.report_type},
        "summary": _plain_texts(entry),
        "jurisdiction": _NATIONAL,
        "startDate": f"{year}-01-01",
        "endDate": f"{year + 4}-12-31",
        "status": _FINAL,
        "adoptionDate": f"{year}-01-17",
        "approvedStatus": _FINAL,
        "approvingBody": {"identifier": "2B1AA969-F4EA-4537-B7D9-C0108EE5D3D2"},
        "documentLinks": [_file(entry, name, tagged=True)],
    }


def _report_6(seed: int, entry: Entry) -> dict[str, Json]:
    return {
        "title": _titles(entry),
        "targetPursued": "national",
        "nationalTargets": _references(seed, "nationalTarget", entry),
        "implementationMeasures": [{"description": _texts(entry)}],
        "biodiversityCountryProfile": {"statusAndTrends": _texts(entry)},
        "relevantDocuments": [_file(entry, "sixth-report.pdf")],
    }


def _report_7(seed: int, entry: Entry) -> dict[str, Json]:
    text = _texts(entry)
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
                "target": _references(seed, "nationalTarget7", entry)[0],
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
        "additionalDocuments": [_file(entry, "seventh-report.pdf")],
    }


def _nbsap(seed: int, entry: Entry) -> dict[str, Json]:
    year = entry.wording.year
    return {
        "title": _titles(entry),
        "summary": _texts(entry),
        "jurisdiction": _NATIONAL,
        "isGbfAligned": year >= 2022,
        "startDate": f"{year}-01-01",
        "endDate": f"{year + 4}-12-31",
        "status": _FINAL,
        "completionYear": str(year - 1),
        "adoptionDate": f"{year}-05-20",
        "documentLinks": [_file(entry, "strategy.pdf")],
    }


def _target(seed: int, entry: Entry) -> dict[str, Json]:
    aichi = entry.wording.topic.aichi
    return {
        "isAichiTarget": False,
        "title": _titles(entry),
        "description": _plain_texts(entry),
        "jurisdiction": _NATIONAL,
        "aichiTargets": _terms(aichi[:1]),
        "otherAichiTargets": _terms(aichi[1:]),
        "relevantDocuments": [_site(entry, "targets")],
    }


def _target_7(seed: int, entry: Entry) -> dict[str, Json]:
    targets = entry.wording.topic.targets
    first = int(targets[0][-2:])
    return {
        "title": _titles(entry),
        "description": _texts(entry),
        "sequence": 1 + entry.number % 23,
        "globalGoalAlignment": _terms(("GBF-GOAL-A",)),
        "globalTargetAlignment": [
            {"identifier": target, "degreeOfAlignment": _HIGH} for target in targets
        ],
        "degreeOfAlignmentInfo": _texts(entry),
        "headlineIndicators": _terms((f"GBF-INDICATOR-{first}.1",)),
        "binaryIndicators": _terms((f"KMGBF-INDICATOR-BIN-{first}",)),
        "componentIndicators": [],
        "complementaryIndicators": [],
        "otherNationalIndicators": [
            {
                "identifier": f"5f1c1d52-0000-4000-8000-{entry.document_id:012}",
                "value": _titles(entry),
            }
        ],
        "hasNonStateActors": False,
        "additionalImplementation": {"identifier": "additionalImplementationNotRequired"},
        "additionalDocuments": [_file(entry, "target.pdf")],
    }


def _focal_point(seed: int, entry: Entry) -> dict[str, Json]:
    assert entry.country is not None
    return {
        "categories": list(entry.categories),
        "designation": _titles(entry),
        "organization": _agencies(entry),
        "country": {"identifier": entry.country.code.lower()},
        "phones": ["+000 000 0000"],
        "emails": [f"biodiversity-desk.{entry.government}@example.org"],
        "websites": [_site(entry, "focal-point")],
    }


def _authority(seed: int, entry: Entry) -> dict[str, Json]:
    assert entry.country is not None
    return {
        "name": _titles(entry),
        "address": {"en": "1 Main Street"},
        "city": {"en": "Capital city"},
        "country": {"identifier": entry.country.code.lower()},
        "phones": ["+000 000 0000"],
        "emails": [f"authority.{entry.government}@example.org"],
        "websites": [_site(entry, "authority")],
        "responsibleForAll": False,
        "responsibilities": _texts(entry),
        "absJurisdiction": [_NATIONAL],
        "absGeneticResourceTypes": [_SPECIMEN],
    }


def _measure(seed: int, entry: Entry) -> dict[str, Json]:
    year = entry.wording.year
    made: dict[str, Any] = {
        "title": _titles(entry),
        "description": _texts(entry),
        "type": {"identifier": "8165BF22-EEF0-4DF8-B3F2-8E0AEED13E2F"},
        "jurisdiction": _NATIONAL,
        "documents": [_file(entry, "measure.pdf")],
        "status": _IN_FORCE,
        "adoption": f"{year}-02-27",
        "entryIntoForce": f"{year}-03-27",
        "authorities": _references(seed, "authority", entry),
        "amendedMeasures": [],
        "isAmendment": False,
        "isModelContractualClause": False,
        "absMesasureNotApplicable": False,
        "absMeasures": {"geneticResources": {"answer": True, "elements": []}},
    }
    if entry.odd % 15 == 4:
        made["retired"] = f"{year + 8}-12-31"
    return made


def _permit(seed: int, entry: Entry) -> dict[str, Json]:
    year = entry.wording.year
    made: dict[str, Any] = {
        "absCNA": _references(seed, "authority", entry)[0],
        "title": _titles(entry),
        "dateOfIssuance": f"{year}-06-01",
        "dateOfExpiry": f"{year + 10}-06-01",
        "providersConfidential": True,
        "entitiesToWhomPICGrantedConfidential": True,
        "subjectMatter": _texts(entry),
        "subjectMatterConfidential": False,
        "keywords": [_SPECIMEN],
        "picGranted": True,
        "matEstablished": True,
        "usages": _terms(("60EA2F49-A9DD-406F-921A-8A1C9AA8DFDD",)),
        "usagesConfidential": False,
        "permitFiles": [_file(entry, "permit.pdf")],
    }
    if entry.odd % 12 == 1:
        made["amendmentIntent"] = 1
        made["amendmentDescription"] = {entry.wording.languages[0]: "<p>Revoked</p>"}
    return made


def _law(seed: int, entry: Entry) -> dict[str, Json]:
    return {
        "jurisdiction": _NATIONAL,
        "title": _titles(entry),
        "description": _texts(entry),
        "type": {"identifier": "57217527-3732-437F-9AD8-45BEF4429FD5"},
        "entryIntoForce": f"{entry.wording.year}-12-01",
        "documents": [_file(entry, "act.pdf")],
        "isAmendment": False,
        "authorities": _references(seed, "authority", entry),
        "cpbSubjectAreas": _terms(("1DCBA126-60F1-440D-BBB0-CC9CCC91C283",)),
        "cpbOrganismTypes": _terms(("65F83475-FBFD-4DCA-9DD8-10FC253A2F84",)),
        "expires": False,
    }


def _biosafety_decision(seed: int, entry: Entry) -> dict[str, Json]:
    return {
        "authorities": _references(seed, "authority", entry),
        "title": _titles(entry),
        "date": f"{entry.wording.year}-11-04",
        "jurisdictions": [_NATIONAL],
        "isAmendment": False,
        "decisionTypes": _terms(("E8C5A15C-A736-4fb7-A1B6-192412BE7E45",)),
        "decisionResult": {"identifier": "3B9ECE67-B35C-40FF-8C06-4EA5FF762899"},
        "conditions": _texts(entry),
        "riskAssessments": _references(seed, "nationalRiskAssessment", entry),
        "documents": [_file(entry, "decision.pdf")],
        "expires": True,
    }


def _risk_assessment(seed: int, entry: Entry) -> dict[str, Json]:
    return {
        "title": _titles(entry),
        "date": f"{entry.wording.year}-07-15",
        "authorities": _references(seed, "authority", entry),
        "scopes": [],
        "documents": [_file(entry, "assessment.pdf")],
        "documentsSummary": _texts(entry),
        "adverseEffectsOverallRisk": _texts(entry),
        "riskManagementStrategies": _texts(entry),
    }


def _resource(seed: int, entry: Entry) -> dict[str, Json]:
    topic, year = entry.wording.topic, entry.wording.year
    kind = _LIBRARY_SPECIAL if entry.odd % 10 == 6 else _LIBRARY
    regions = [country.code.lower() for country in entry.countries]
    return {
        "title": _titles(entry),
        "resourceTypes": _terms((kind,)),
        "organizations": _references(seed, "organization", entry),
        "publisher": _agencies(entry),
        "publicationDate": f"{year}-{1 + entry.odd % 12:02}",
        "rights": {"en": "CC BY 4.0"},
        "resourceLinks": [_file(entry, "resource.pdf"), _site(entry, "library")],
        "covers": [{"url": entry.attachment("cover.png"), "name": "cover.png"}],
        "summary": _texts(entry),
        "countryRegions": _terms(tuple(regions)),
        "gbfTargets": _terms(topic.targets),
        "aichiTargets": _terms(topic.aichi),
        "cbdSubjects": _terms(topic.subjects),
        "tags": [{lang: topic.names[lang] for lang in entry.wording.languages}],
        "adminTags": [],
    }


def _organization(seed: int, entry: Entry) -> dict[str, Json]:
    assert entry.country is not None
    topic = entry.wording.topic
    return {
        "acronym": {"en": f"CR{entry.country.code}"},
        "name": _titles(entry),
        "city": {"en": "Capital city"},
        "country": {"identifier": entry.country.code.lower()},
        "emails": ["office@example.org"],
        "websites": [_site(entry, "centre")],
        "organizationType": {"identifier": "86D464C3-B5BB-4B02-85E4-1AAD8D64CD27"},
        "areasOfWork": [{lang: topic.names[lang] for lang in entry.wording.languages}],
        "gbfTargets": _terms(topic.targets),
        "profile": _texts(entry),
        "coordinates": {
            "lat": entry.country.latitude,
            "lng": entry.country.longitude,
            "zoom": 8,
        },
    }


def _ebsa(seed: int, entry: Entry) -> dict[str, Json]:
    place = entry.countries[0]
    return {
        "title": _titles(entry),
        "summary": _texts(entry),
        "areaIntroducion": _texts(entry),
        "location": _texts(entry),
        "gisFiles": [{"url": entry.attachment("shape.geojson"), "name": "shape.geojson"}],
        "gisMapCenter": {"lat": place.latitude, "lng": place.longitude, "zoom": 5},
        "areaDescription": _texts(entry),
        "countries": [{"identifier": country.code.lower()} for country in entry.countries],
        "beyondNationalJurisdiction": entry.odd % 2 == 0,
        "status": "approved",
        "approvedByCopDecision": {"identifier": "COP-DECISION-XI-17"},
        "assessments": [
            {"identifier": "uniqueness", "level": "high", "justification": _texts(entry)}
        ],
        "resources": _references(seed, "resource", entry),
    }


def _submission(seed: int, entry: Entry) -> dict[str, Json]:
    topic, year = entry.wording.topic, entry.wording.year
    return {
        "title": _titles(entry),
        "date": f"{year}-04-01",
        "notifications": _terms((f"{year}-0001",)),
        "cbdThematicAreas": _terms(topic.subjects),
        "gbfGoalsAndTargets": _terms(topic.targets),
        "relevantDocuments": [_file(entry, "views.pdf")],
        "relevantInformation": _texts(entry),
    }


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
