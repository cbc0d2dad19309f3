"""The Secretariat's thesaurus and lists of countries as recorded, against the hub's tables."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest

from demo.server import Answer, Request
from mappings.codes import country
from mappings.tables import FOLDER
from mappings.vocabularies import VOCABULARIES, find
from tests.adapters.partners import serving
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "scbd"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO RECORDED ANSWERS: {SAMPLES} is absent, nothing was compared"
)
SCHEMES = tuple(vocabulary.scheme for vocabulary in VOCABULARIES.values())
EXAMPLES = sorted((SAMPLES / "thesaurus" / "doc-examples").glob("*.json"))
WHOLE = (
    "gbf-targets",
    "gbf-goals",
    "aichi-targets",
    "cbd-subjects",
    "regions",
    "countries",
    "thesaurus-terms",
)
"""The vocabularies that were recorded in whole."""
PARTLY = ("GBF-DEGREE-OF-ALIGNMENT", "50AC1489-92B8-4D99-965A-AAE97A80F38E", "Organization Types")
"""Domains of which some terms only were recorded."""
MISLEADING = {
    ("AICHI-TARGET-11", "es"),  # says T12
    ("CBD-SUBJECT-EXS", "ru"),  # says in situ
    ("DM", "zh"),  # what most call the Dominican Republic
    ("GY", "fr"),  # French Guiana's name
}
"""Recorded labels that name another term, or two."""


def read(path: Path) -> Any:
    return json.loads(path.read_text("utf-8"))


def domains() -> dict[str, dict[str, Any]]:
    """The recorded terms by domain and identifier: whole domains, labels, single examples."""
    found: dict[str, dict[str, Any]] = defaultdict(dict)
    for path in sorted((SAMPLES / "thesaurus").glob("domain-*.terms.json")):
        for term in read(path):
            found[path.name.split(".")[0].removeprefix("domain-")][term["identifier"]] = term
    for path in sorted((SAMPLES / "thesaurus" / "labels").glob("*.json")):
        for term in read(path):
            found[term["domain"]].setdefault(term["identifier"], term)
    for path in EXAMPLES:
        answer = read(path)
        domain = unquote(answer["request"].split("/domains/")[1].rpartition("/terms")[0])
        for term in answer["response"]:
            found[domain].setdefault(term["identifier"], term)
    return found


def table(name: str) -> list[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_a_refresh_from_the_recorded_thesaurus_adds_and_loses_nothing(hub: Hub) -> None:
    known = domains()

    def respond(request: Request) -> Answer:
        if request.path == "/api/v2013/countries":
            parties = [
                {
                    "code": c["alpha2"],
                    "treaties": {
                        "XXVII8": {"party": "1993-12-29" if c["cbdParty_inferred"] else None}
                    },
                }
                for c in read(SAMPLES / "countries" / "cbd-countries.json")
            ]
            return Answer(json.dumps(parties).encode(), "application/json")
        domain = unquote(request.path).split("/domains/")[1].rpartition("/terms")[0]
        told = {k: t for k, t in known.get(domain, {}).items() if any(t["title"].values())}
        if domain in PARTLY:
            for row in table("thesaurus_terms"):
                if row["domain"] == domain:
                    term = {"identifier": row["code"], "title": {"en": row["label_en"]}}
                    told.setdefault(row["code"], term)
        return Answer(json.dumps(list(told.values())).encode(), "application/json")

    with serving(respond) as url:
        said = hub("vocabularies", "refresh", *WHOLE, "--from", url, "--json")
    assert said.code == 0, said.err
    differences = {line["name"]: line for line in said.lines}
    assert set(differences) == set(WHOLE)
    for name, line in differences.items():
        assert (line["added"], line["gone"]) == ([], []), name


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_recorded_term_is_found_by_its_identifier(path: Path) -> None:
    for term in read(path)["response"]:
        assert find(term["identifier"], SCHEMES) is not None, term["identifier"]


@pytest.mark.parametrize(
    "path", sorted((SAMPLES / "thesaurus" / "labels").glob("*.json")), ids=lambda path: path.stem
)
def test_a_recorded_label_finds_its_term_in_every_language(path: Path) -> None:
    lost = []
    for term in read(path):
        code = find(term["identifier"], SCHEMES)
        for lang, label in term["title"].items():
            if code is None or not label or (code[1], lang) in MISLEADING:
                continue
            name, value = code
            found = country(label) if name == "COUNTRIES" else (find(label, (name,)) or ("", ""))[1]
            if found != value:
                lost.append((value, lang, label, found))
    assert lost == []


def test_the_concordance_is_the_secretariat_s() -> None:
    rows = {(row["code"], row["related"]) for row in table("concordance")}
    for code, others in read(SAMPLES / "thesaurus" / "sameas-gbf-aichi-sdg.json").items():
        for other in others:
            kind, _, number = other.rpartition("-")
            padded = f"{kind}-{int(number):02}" if number.isdecimal() else other
            assert (code, padded) in rows


def test_the_countries_are_the_secretariat_s() -> None:
    rows = {row["code"]: row for row in table("countries")}
    for told in read(SAMPLES / "countries" / "cbd-countries.json"):
        row = rows[told["alpha2"]]
        assert row["alpha3"] == (told["alpha3"] or "")
        assert bool(row["party"]) == told["cbdParty_inferred"], told["alpha2"]
    few = read(SAMPLES / "countries" / "api-v2013-countries.doc-example.json")
    one = read(SAMPLES / "countries" / "api-v2013-countries-CA.doc-example.json")
    for told in (*few, one):
        joined = (told["treaties"].get("XXVII8") or {}).get("party")
        assert bool(rows[told["code"]]["party"]) == bool(joined), told["code"]
        for label in told.get("name", {}).values():
            assert country(label) == told["code"]
