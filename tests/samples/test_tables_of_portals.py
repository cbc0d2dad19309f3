"""The tables of national and regional portals, and of the groups countries are in, against the
source files and tables of the hub."""

from __future__ import annotations

import csv
import json
import os
from collections import defaultdict
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from adapters.source import FOLDER, Declared, load_sources
from mappings.tables import rows
from tests.conftest import ROOT

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples" / "national"
pytestmark = pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO TABLES OF PORTALS: {SAMPLES} is absent, nothing was compared"
)
OTHERWISE = {
    "arab_maghreb_union": "arab-maghreb-union",
    "african_union": "african-union",
    "league_of_arab_states": "arab-league",
    "eu": "european-union",
}
NO_PARTIES = {"US", "VA"}
"""Bioland has hosts for them; the table of portals has none."""
TESTED = {"test-instance", "instance-only", "historical"}
"""Portals with such a status are not harvested until somebody has looked."""


def table(name: str) -> list[dict[str, str]]:
    with (SAMPLES / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def declared() -> dict[str, list[Declared]]:
    """Source files by the host they harvest."""
    found = defaultdict(list)
    for source in load_sources((FOLDER,)).values():
        found[urlsplit(source.declared.url).hostname or ""].append(source.declared)
    return found


def test_every_national_portal_has_its_file(declared: dict[str, list[Declared]]) -> None:
    for row in table("national_chm_portals.csv"):
        hosts = {urlsplit(row["portal_url"]).hostname, row["bioland2_instance_host"]}
        made = [
            source
            for host in hosts
            for source in declared.get(host or "", ())
            if source.country == row["iso2"]
        ]
        assert made, row["portal_url"]
        for source in made:
            if row["platform"] in ("bioland", "ptk", "wordpress"):
                assert source.adapter == row["platform"], row["portal_url"]
            if row["status"] in TESTED:
                assert not source.enabled, row["portal_url"]
            assert source.enabled or source.reason, row["portal_url"]


def test_every_regional_portal_has_its_file(declared: dict[str, list[Declared]]) -> None:
    for row in table("regional_chm_portals.csv"):
        made = declared.get(urlsplit(row["portal_url"]).hostname or "")
        assert made, row["portal_url"]
        assert all(d.enabled or d.reason for d in made)


def test_biolands_own_list_of_sites_names_no_other(declared: dict[str, list[Declared]]) -> None:
    hosts = json.loads((SAMPLES / "bioland" / "bioland_instance_hosts.json").read_text("utf-8"))
    sites = json.loads((SAMPLES / "bioland" / "bioland_config_sites.json").read_text("utf-8"))
    known = {source.country for made in declared.values() for source in made}
    regional = {row["code"] for row in table("regional_chm_portals.csv")}
    codes = {host.partition(".")[0].upper() for host in hosts} | {c.upper() for c in sites["sites"]}
    unknown = {code for code in codes if len(code) == 2 and code not in known}
    assert unknown == NO_PARTIES
    assert {code for code in codes if len(code) != 2} & regional


def test_the_groups_of_countries_are_those_of_the_table() -> None:
    members = defaultdict(set)
    for row in rows("regions_members"):
        members[row["group"]].add(row["country"])
    told = table("regions.csv")
    columns = [c for c in told[0] if {row[c] for row in told} == {"", "1"}]
    assert len(columns) == 18
    for column in columns:
        group = OTHERWISE.get(column, column)
        assert members[group] == {row["iso2"] for row in told if row[column]}, column
