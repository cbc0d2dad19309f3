"""The country of a new source is proposed; one that is absent is told, in words with what to do."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.source import Source, read_source
from adapters.where import propose
from chm_hub import record as model
from chm_hub import views
from chm_hub.sets import Groups, sets_of
from tests.repository import Repository
from tests.running import Hub
from tests.test_boxes import record_of


@pytest.mark.parametrize(
    ("addresses", "names", "country"),
    [
        (["https://ke.chm-cbd.net"], ["CHM"], "KE"),
        (["https://www.chm-cbd.net"], ["CHM Network"], None),
        (["https://asean.chm-cbd.net"], ["ASEAN"], None),
        (["http://erepository.uonbi.ac.ke/oai"], ["University of Nairobi"], "KE"),
        (["https://data.gov.uk"], [], "GB"),
        (["https://kiribati-data.sprep.org"], ["Home"], "KI"),
        (["https://x.example"], ["Clearing-House Mechanism of Papua New Guinea"], "PG"),
        (["https://x.example"], ["CHM du Burkina Faso"], "BF"),
        (["https://x.example", "repo@nmk.or.ke"], ["Repository"], "KE"),
        (["https://portal.io"], ["Fish"], None),
        (["https://chm.gov.co"], ["CHM"], "CO"),
        (["https://x.example"], ["Kenya and Uganda"], None),
        (["https://x.go.th"], ["Uganda portal"], None),
        (["https://x.example"], ["Georgia repository"], None),
        (["127.0.0.1:80"], ["R"], None),
    ],
)
def test_a_country_is_proposed_where_all_that_tells_one_agrees(
    addresses: list[str], names: list[str], country: str | None
) -> None:
    made = propose(addresses, names)
    assert made.country == country
    assert made.why


def test_first_records_tell_where_address_and_name_do_not() -> None:
    told = (["https://x.example"], ["R"])
    assert propose(*told, [(["KE"], ["en"])] * 3).country == "KE"
    assert propose(*told, [([], ["ja"]), ([], ["ja", "en"]), ([], ["ja"])]).country == "JP"
    assert propose(*told, [([], ["fr"])] * 5).country is None
    assert propose(*told, [(["KE"], []), (["UG"], []), (["KE"], [])]).country is None
    assert propose(*told, [(["KE"], ["en"])] * 2).country is None
    assert propose(["https://x.go.ke"], ["R"], [(["UG"], [])] * 3).country == "KE"


# --- the files -------------------------------------------------------------------------------


def written(folder: Path, lines: str) -> tuple[Source | None, list[str]]:
    path = folder / "src.toml"
    path.write_text(f'title = "T"\nadapter = "feed"\nurl = "https://x.example/"\n{lines}', "utf-8")
    return read_source(path)


@pytest.mark.parametrize(
    ("lines", "countries", "says_where"),
    [
        ('country = "KE"', ["KE"], True),
        ('country = "none"', [], True),
        ('countries = ["KE", "UG"]', ["KE", "UG"], True),
        ('region = "ASEAN"', [], True),
        ("", [], False),
    ],
)
def test_a_file_says_where_its_records_belong(
    tmp_path: Path, lines: str, countries: list[str], says_where: bool
) -> None:
    source, faults = written(tmp_path, lines)
    assert source is not None, faults
    assert source.countries == countries
    assert source.says_where is says_where
    assert source.as_context()["countries"] == countries
    assert source.as_context()["country"] in (None, "KE")


def test_none_is_no_country_among_others(tmp_path: Path) -> None:
    assert (
        "leave one of them out" in written(tmp_path, 'country = "none"\ncountries = ["KE"]')[1][0]
    )
    assert 'or "none"' in written(tmp_path, 'country = "Kenya"')[1][0]
    assert written(tmp_path, 'countries = ["none"]')[0] is None


def test_every_source_that_ships_says_where_it_belongs() -> None:
    from adapters.source import FOLDER, load_sources

    assert [s.id for s in load_sources([FOLDER]).values() if not s.says_where] == []


def test_a_region_is_the_set_of_what_is_in_no_country() -> None:
    groups = Groups(regions=views.groups_of_countries(), views=())
    plain = record_of("feed", {"feed": {}, "entry": {"title": {"value": "T"}}})
    nowhere = model.validate({**model.to_dict(plain), "spatial": []})
    assert "region:asean" in sets_of(nowhere, "", groups, "ASEAN")
    assert "region:european-union" in sets_of(nowhere, "", groups, "EU")
    assert "region:asean" not in sets_of(plain, "", groups, "ASEAN")
    assert not any(s.startswith("region") for s in sets_of(nowhere, "", groups, "Lake Victoria"))


# --- the command line ------------------------------------------------------------------------


@pytest.fixture
def repository() -> Iterator[Repository]:
    with Repository(name="Repository of Kenya Wildlife Service") as made:
        made.add("a", "b", "c")
        yield made


def write(hub: Hub, name: str, text: str) -> Path:
    path = hub.sources / f"{name}.toml"
    path.write_text(text, "utf-8")
    return path


def test_check_warns_of_a_source_without_a_country(hub: Hub, repository: Repository) -> None:
    write(hub, "told", repository.source(country="none"))
    write(hub, "untold", repository.source())
    said = hub("sources", "check")
    assert said.code == 0
    assert "untold.toml: country: not given" in said.err
    assert "/told.toml: country" not in said.err


def test_records_in_no_country_set_are_told_by_runs_and_health(
    hub: Hub, repository: Repository
) -> None:
    write(hub, "src", repository.source())
    assert hub("harvest", "src").code == 0
    for command in ("runs", "health"):
        assert "3 records are in no country set" in hub(command, "src").out
    assert "3 records are in no country set" in hub("health").out
    write(hub, "src", repository.source(country="KE"))
    assert hub("map", "src").code == 0
    assert set(hub.records("--set", "country:KE")) == set(hub.records("--source", "src"))
    for command in ("runs", "health"):
        assert "no country set" not in hub(command, "src").out


def test_a_source_of_no_one_country_is_told_of_nothing(hub: Hub, repository: Repository) -> None:
    write(hub, "src", repository.source(country="none"))
    assert hub("harvest", "src").code == 0
    assert [r.get("spatial") for r in hub.records("--source", "src").values()] == [None] * 3
    assert "no country set" not in hub("runs", "src").out
    write(hub, "src", repository.source(country="KE", country_of_source=False))
    assert hub("map", "src").code == 0
    assert [r.get("spatial") for r in hub.records("--source", "src").values()] == [None] * 3


def test_a_new_source_gets_the_country_that_it_names(hub: Hub, repository: Repository) -> None:
    said = hub("sources", "new", "portal", "--url", f"{repository.url}/oai")
    assert said.code == 0, said.err
    text = (hub.sources / "portal.toml").read_text("utf-8")
    assert tomllib.loads(text)["country"] == "KE"
    assert "country: KE, as it calls itself 'Repository of Kenya Wildlife Service'" in said.err


def test_a_new_source_that_tells_no_country_asks_for_one(hub: Hub, repository: Repository) -> None:
    repository.name = "Repository"
    said = hub("sources", "new", "portal", "--url", f"{repository.url}/oai")
    assert said.code == 0, said.err
    assert "country" not in tomllib.loads((hub.sources / "portal.toml").read_text("utf-8"))
    assert "portal.toml: country: not given" in said.err
    told = hub("sources", "new", "other", "--url", f"{repository.url}/oai", "--country", "none")
    assert told.code == 0, told.err
    assert tomllib.loads((hub.sources / "other.toml").read_text("utf-8"))["country"] == "none"
    assert "country: not given" not in told.err
