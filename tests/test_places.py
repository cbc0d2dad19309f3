"""Names of places that are countries, and the country of the source where none is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chm_hub.document import Document
from mappings import crosswalk, functions, place_functions, place_names
from tests.test_crosswalk_engine import PROVENANCE, SOURCE
from tests.test_crosswalk_examples import PAIRS


@pytest.fixture
def context() -> Iterator[functions.Context]:
    made = functions.Context(source={"id": "src"}, tables={})
    token = functions.using(made)
    yield made
    functions.done(token)


@pytest.mark.parametrize(
    ("said", "near", "codes"),
    [
        ("Kenya", [], ["KE"]),
        ("KENYA.", [], ["KE"]),
        ("Republic of Kenya", [], ["KE"]),
        ("Kenya; Uganda", [], ["KE", "UG"]),
        ("Kenya, Uganda and Tanzania", [], ["KE", "UG", "TZ"]),
        ("Trinidad and Tobago", [], ["TT"]),
        ("Bosnia and Herzegovina", [], ["BA"]),
        ("Niger", [], ["NE"]),
        ("Nigeria", [], ["NG"]),
        ("Niger", ["NG"], []),
        ("Georgia", [], []),
        ("Georgia", ["GE"], ["GE"]),
        ("Géorgie", [], []),
        ("South Georgia and the South Sandwich Islands", [], ["GS"]),
        ("Congo", [], []),
        ("Congo", ["CD"], ["CD"]),
        ("Congo", ["CG"], ["CG"]),
        ("Democratic Republic of the Congo", [], ["CD"]),
        ("Micronesia", [], []),
        ("Guinea-Bissau", [], ["GW"]),
        ("Papua New Guinea", [], ["PG"]),
        ("Nairobi, Kenya", [], []),
        ("Lake Victoria", ["KE"], []),
        ("in", [], []),
        ("", [], []),
    ],
)
def test_a_place_is_a_country_if_all_of_its_name_is(
    said: str, near: list[str], codes: list[str]
) -> None:
    assert place_names.countries(said, near) == codes


def test_words_and_countries_are_parted_without_loss(context: functions.Context) -> None:
    places = [{"value": "Kenya", "lang": "en"}, {"value": "Georgia"}, None]
    assert place_functions.countries_in(places) == ["KE"]
    assert place_functions.not_countries(places) == [{"value": "Georgia"}]
    assert context.issues == []


def test_codes_of_libraries_are_read_by_their_list(context: functions.Context) -> None:
    given: list[Any] = [
        {"value": "f-ke---", "@authority": "marcgac"},
        {"value": "n-us-ny", "@authority": "marcgac"},
        {"value": "a-cc-hk", "@authority": "marcgac"},
        {"value": "pofj---", "@authority": "marcgac"},
        {"value": "f------", "@authority": "marcgac"},
        {"value": "iv", "@authority": "marccountry"},
        {"value": "ug", "@authority": "iso3166"},
    ]
    assert place_functions.country_codes_of(given) == ["KE", "US", "HK", "FJ", "CI", "UG"]
    assert context.issues == []
    assert place_functions.country_codes_of([{"value": "zz9"}]) == []
    assert context.issues == ["not a country: 'zz9'"]


def test_mods_names_and_codes_of_countries() -> None:
    body = {
        "metadata": {
            "titleInfo": [{"title": [{"value": "Forests"}]}],
            "subject": [
                {"geographic": [{"value": "Uganda"}, {"value": "Mount Elgon"}]},
                {"geographicCode": [{"value": "f-ke---", "@authority": "marcgac"}]},
            ],
        }
    }
    made = _made("mods", body, SOURCE)
    assert made.spatial == ["UG", "KE"]
    assert [text.value for text in made.coverage] == ["Mount Elgon"]


# --- the country of the source -------------------------------------------------------------


def _made(name: str, body: Any, source: dict[str, Any], folder: Path | None = None) -> Any:
    rules = crosswalk.load(name, [folder] if folder else [])
    outcome = crosswalk.apply(rules, Document(identifier="1", body=body), source, PROVENANCE)
    assert outcome.record is not None
    return outcome.record


@pytest.mark.parametrize("path", PAIRS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_every_crosswalk_gives_the_country_of_the_source_where_a_document_names_none(
    path: Path,
) -> None:
    told = json.loads(path.read_text("utf-8"))
    given = told["document"]
    bare = {"url": "https://x.example", "countries": [], "options": {}, **told["source"]}
    bare = {**bare, "country": None, "countries": []}
    document = Document(identifier=given["identifier"], body=given.get("body"))
    rules = crosswalk.load(told["crosswalk"])
    without = crosswalk.apply(rules, document, bare, PROVENANCE).record
    own = {**bare, "country": "NR", "countries": ["NR"]}
    made = crosswalk.apply(rules, document, own, PROVENANCE).record
    if without is None or made is None:
        return
    if not without.spatial:
        assert made.spatial == ["NR"]
    elif "bioland" not in made.provenance.crosswalk:  # a national site, and who it names beside
        assert "NR" not in made.spatial or made.provenance.crosswalk == "wordpress"


PLAIN = {"metadata": {"title": [{"value": "T"}], "coverage": [{"value": "Lake Victoria"}]}}
NAMED = {"metadata": {"title": [{"value": "T"}], "coverage": [{"value": "Uganda"}]}}


def test_a_document_that_names_another_country_keeps_its_own() -> None:
    assert _made("oai_dc", PLAIN, SOURCE).spatial == ["KE"]
    assert _made("oai_dc", NAMED, SOURCE).spatial == ["UG"]


def test_a_source_of_several_countries_gives_all_of_them() -> None:
    source = {**SOURCE, "country": None, "countries": ["KE", "UG"]}
    assert _made("oai_dc", PLAIN, source).spatial == ["KE", "UG"]


def test_a_source_or_a_crosswalk_may_say_no(tmp_path: Path) -> None:
    assert _made("oai_dc", PLAIN, {**SOURCE, "country_of_source": False}).spatial == []
    (tmp_path / "own.toml").write_text('extends = "oai_dc"\ncountry_of_source = false\n', "utf-8")
    assert _made("own", PLAIN, SOURCE, tmp_path).spatial == []
    assert _made("own", NAMED, SOURCE, tmp_path).spatial == ["UG"]


def test_the_key_of_a_crosswalk_is_checked(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('extends = "oai_dc"\ncountry_of_source = "no"\n', "utf-8")
    with pytest.raises(Exception, match="country_of_source: must be true or false"):
        crosswalk.load("own", [tmp_path])


def test_a_country_that_is_none_gives_way_to_that_of_the_source(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(
        "[record]\ntype = \"'other'\"\ntitle = 'title'\nspatial = \"['Kenya']\"\n", "utf-8"
    )
    assert _made("own", {"title": "T"}, SOURCE, tmp_path).spatial == ["KE"]
