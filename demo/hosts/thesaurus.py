"""The Secretariat's thesaurus, a little ahead of the hub's tables: for trying a refresh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from demo.hosts import Replica, Told, Truth
from demo.server import Answer, Request
from mappings import tables
from mappings.vocabularies import VOCABULARIES, terms

_JSON = "application/json; charset=utf-8"
GONE = "GBF-TARGET-23"
CHANGED = "GBF-TARGET-01"
ADDED = "GBF-TARGET-24"
ADDED_INDICATOR = "GBF-INDICATOR-24.1"
_DOMAIN_OF_IT = "GBF-HEADLINE-INDICATORS"


class Thesaurus:
    """Domains and their terms; no source of records."""

    name = "thesaurus"
    url = ""

    def sources(self) -> Mapping[str, Told]:
        """None."""
        return {}

    def truth(self) -> Mapping[str, Truth]:
        """Nothing to harvest."""
        return {}

    def advance(self, phase: int, now: int) -> None:
        """It stays as it is."""

    def answer(self, request: Request) -> Answer:
        """``/api/v2013/thesaurus/domains/{domain}/terms``, ``/api/v2013/countries``, and one
        term or one country of them."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        found: Any = None
        match parts:
            case ["robots.txt"]:
                return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
            case ["api", "v2013", "thesaurus", "domains", domain, "terms"]:
                found = _of_domain(domain)
            case ["api", "v2013", "thesaurus", "terms", identifier]:
                everything = (t for v in VOCABULARIES.values() for t in _terms(v.name))
                found = next((t for t in everything if t["identifier"] == identifier), None)
            case ["api", "v2013", "countries"]:
                found = _countries()
            case ["api", "v2013", "countries", code]:
                found = next((c for c in _countries() if c["code"] == code.upper()), None)
        if found:
            return Answer(json.dumps(found, ensure_ascii=False).encode(), _JSON)
        error = {"statusCode": 404, "code": "notFound", "message": "Resource not found"}
        return Answer(json.dumps(error).encode(), _JSON, 404)


def _of_domain(domain: str) -> list[dict[str, Any]]:
    for vocabulary in VOCABULARIES.values():
        if vocabulary.domain == domain:
            return _terms(vocabulary.name)
    made = []
    for name in ("gbf-indicators", "thesaurus-terms"):
        rows = tables.rows(VOCABULARIES[name].table)
        codes = {row["code"] for row in rows if row["domain"] == domain}
        made += [term for term in _terms(name) if term["identifier"] in codes]
    if domain == _DOMAIN_OF_IT:
        made.append(_term(9998, ADDED_INDICATOR, {"en": "24.1 An indicator made up"}))
    return made


def _terms(name: str) -> list[dict[str, Any]]:
    made = []
    for number, term in enumerate(terms(name), 1):
        code = term.code.lower() if name == "countries" else term.code
        if code == GONE or term.deprecated:
            continue
        if name == "countries" and not _is_listed(term.code):
            continue
        title = dict(term.labels)
        if code == CHANGED:
            title["en"] += " (revised)"
        made.append(_term(number, code, title))
    if name == "gbf-targets":
        title = {"en": "GBF-T24. A target made up for the demonstration"}
        made.append(_term(9999, ADDED, title))
    return made


def _term(number: int, identifier: str, title: dict[str, str]) -> dict[str, Any]:
    return {
        "termId": number,
        "identifier": identifier,
        "name": title.get("en", ""),
        "title": title,
        "shortTitle": {},
        "description": "",
        "longDescription": {},
        "source": "",
        "broaderTerms": [],
        "narrowerTerms": [],
        "relatedTerms": [],
        "nonPreferedTerms": [],
    }


def _is_listed(code: str) -> bool:
    return any(row["code"] == code and row["cbd"] for row in tables.rows("countries"))


def _countries() -> list[dict[str, Any]]:
    none = {"party": None, "instrument": None, "deposit": None, "signature": None}
    party = none | {"party": "1993-12-29", "instrument": "ratification", "deposit": "1993-09-30"}
    return [
        {
            "code": row["code"],
            "treaties": {
                "XXVII8": party if row["party"] else none,
                **{f"XXVII8{letter}": none for letter in "abc"},
            },
            "name": {lang: row[f"name_{lang}"] for lang in tables.LANGUAGES},
        }
        for row in tables.rows("countries")
        if row["cbd"]
    ]


def replicas(seed: int, scale: int) -> list[Replica]:
    """The thesaurus."""
    return [Thesaurus()]
