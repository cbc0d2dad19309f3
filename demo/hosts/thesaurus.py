"""The Secretariat's thesaurus, a little ahead of the hub's tables: for trying a refresh."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from demo.hosts import Replica, Told, Truth
from demo.server import Answer, Request
from mappings.vocabularies import VOCABULARIES, terms

_JSON = "application/json; charset=utf-8"
GONE = "GBF-TARGET-23"
CHANGED = "GBF-TARGET-01"
ADDED = "GBF-TARGET-24"


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
        """``/api/v2013/thesaurus/domains/{domain}/terms``."""
        parts = [unquote(part) for part in request.path.strip("/").split("/")]
        if parts[:4] == ["api", "v2013", "thesaurus", "domains"] and parts[5:] == ["terms"]:
            for vocabulary in VOCABULARIES.values():
                if vocabulary.domain == parts[4]:
                    return Answer(json.dumps(self._terms(vocabulary.name)).encode(), _JSON)
        error = {"statusCode": 404, "code": "notFound", "message": "Domain not found"}
        return Answer(json.dumps(error).encode(), _JSON, 404)

    def _terms(self, name: str) -> list[dict[str, Any]]:
        rows = []
        for number, term in enumerate(terms(name)):
            code = term.code.lower() if name == "countries" else term.code
            if code == GONE:
                continue
            title = dict(term.labels)
            if code == CHANGED:
                title["en"] += " (revised)"
            rows.append({"termId": number, "identifier": code, "name": title["en"], "title": title})
        if name == "gbf-targets":
            title = {"en": "GBF-T24. A target made up for the demonstration"}
            rows.append({"termId": 9999, "identifier": ADDED, "name": title["en"], "title": title})
        return rows


def replicas(seed: int, scale: int) -> list[Replica]:
    """The thesaurus."""
    return [Thesaurus()]
