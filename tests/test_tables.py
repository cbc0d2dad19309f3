"""The value tables: whole, without doubles, and saying the same thing as each other."""

from __future__ import annotations

import csv
import re
import tomllib
from pathlib import Path

import pycountry
import pytest

from chm_hub.record import RECORD_TYPES

ROOT = Path(__file__).parents[1]
TABLES = ROOT / "mappings" / "tables"
LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")
LABELS = tuple(f"label_{language}" for language in LANGUAGES)

HEADERS = {
    "aichi_targets": ("code", *LABELS),
    "bioland_document_types": ("code", "value", "label_en"),
    "bioland_labels": ("code", "value"),
    "bioland_tags": ("code", "value"),
    "cbd_subjects": ("code", *LABELS),
    "concordance": ("code", "related"),
    "countries": ("code", "alpha3", "m49", "cbd", "party", *(f"name_{code}" for code in LANGUAGES)),
    "country_names": ("code", "lang", "name"),
    "focal_point_categories": ("code", "value", "treaty"),
    "gbf_goals": ("code", *LABELS),
    "gbf_indicators": ("code", "kind", "domain", "about", *LABELS),
    "gbf_targets": ("code", *LABELS),
    "record_types": ("id", *LABELS, "schemas", "schema_org"),
    "regional_groups": ("code", "kind", "broader", "region", *LABELS),
    "regions": ("code", *LABELS),
    "regions_members": ("group", "country"),
    "report_types": ("code", "value", "label_en"),
    "resource_types": ("code", "value", *LABELS),
    "scbd_schemas": ("code", "value", "short_code", "label_en"),
    "sdg": ("code", *LABELS),
    "action_categories": ("code", *LABELS),
    "term_forms": ("scheme", "kind", "form"),
    "term_names": ("scheme", "code", "lang", "name"),
    "thesaurus_terms": ("code", "kind", "domain", *LABELS),
    "vocabularies": ("name", "scheme", "table", "domain", "uri", "match", "number", *LABELS),
}
MAY_BE_EMPTY = {
    "countries": {"alpha3", "m49", "cbd", "party"},
    "country_names": {"code"},
    "gbf_indicators": {"about", *LABELS[1:]},
    "record_types": {"schemas"},
    "regional_groups": {"broader", "region"},
    "scbd_schemas": {"short_code"},
    "term_names": {"lang"},
    "thesaurus_terms": {"domain"},
    "vocabularies": {"table", "domain", "uri", "match", "number"},
}
WIDTH_OF_KEY = {
    "concordance": 2,
    "country_names": 3,
    "regions_members": 2,
    "term_forms": 3,
    "term_names": 4,
}
SCRIPTS = {
    "ar": re.compile(r"[\u0600-\u06ff]"),
    "ru": re.compile(r"[\u0400-\u04ff]"),
    "zh": re.compile(r"[\u4e00-\u9fff]"),
}


def rows(name: str) -> list[dict[str, str]]:
    with (TABLES / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def key(name: str) -> tuple[str, ...]:
    header = HEADERS[name]
    return header[: WIDTH_OF_KEY.get(name, 1)]


def codes(name: str) -> list[str]:
    return [row[HEADERS[name][0]] for row in rows(name)]


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_header_and_line_ends(name: str) -> None:
    data = (TABLES / f"{name}.csv").read_bytes()
    assert b"\r" not in data
    assert data.endswith(b"\n")
    assert data.decode("utf-8").splitlines()[0] == ",".join(HEADERS[name])


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_no_code_twice_and_in_order(name: str) -> None:
    # Region identifiers are compared without regard to case, so they must differ without it.
    keys = [tuple(row[column].casefold() for column in key(name)) for row in rows(name)]
    assert len(keys) == len(set(keys))
    # These keep the order of RECORD_TYPES, and that in which people are shown them.
    if name not in ("record_types", "vocabularies"):
        assert keys == sorted(keys)


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_every_cell_is_filled_and_tidy(name: str) -> None:
    empty = []
    for row in rows(name):
        for column, text in row.items():
            assert text == " ".join(text.split()), (name, row, column)
            if not text and column not in MAY_BE_EMPTY.get(name, set()):
                empty.append((row[HEADERS[name][0]], column))
    assert empty == []


@pytest.mark.parametrize("language", sorted(SCRIPTS))
@pytest.mark.parametrize(
    "name", sorted(name for name, header in HEADERS.items() if "label_ar" in header)
)
def test_labels_are_in_the_script_of_their_language(name: str, language: str) -> None:
    wrong = [
        row[HEADERS[name][0]]
        for row in rows(name)
        if row[f"label_{language}"] and not SCRIPTS[language].search(row[f"label_{language}"])
    ]
    assert wrong == []


@pytest.mark.parametrize("language", sorted(SCRIPTS))
def test_country_names_are_in_the_script_of_their_language(language: str) -> None:
    names = {row["code"]: row[f"name_{language}"] for row in rows("countries")}
    assert [code for code, name in names.items() if not SCRIPTS[language].search(name)] == []


def test_record_types_are_those_of_the_model() -> None:
    assert tuple(codes("record_types")) == RECORD_TYPES


def test_a_schema_belongs_to_one_record_type() -> None:
    by_type = [
        (schema, row["id"]) for row in rows("record_types") for schema in row["schemas"].split()
    ]
    assert len(by_type) == len({schema for schema, _ in by_type})
    by_schema = [(row["code"], row["value"]) for row in rows("scbd_schemas")]
    assert sorted(by_type) == sorted(by_schema)


def test_report_and_resource_types_name_record_types() -> None:
    for name in ("report_types", "resource_types"):
        assert {row["value"] for row in rows(name)} <= set(RECORD_TYPES)


def test_schema_org_classes_are_class_names() -> None:
    assert all(re.fullmatch(r"[A-Z][A-Za-z]+", row["schema_org"]) for row in rows("record_types"))


def test_countries_are_complete() -> None:
    table = {row["code"]: row for row in rows("countries")}
    official = {country.alpha_2: country for country in pycountry.countries}
    assert set(table) == set(official) | {"EU"}
    for code, country in official.items():
        assert (table[code]["alpha3"], table[code]["m49"]) == (country.alpha_3, country.numeric)
    assert sum(bool(row["cbd"]) for row in table.values()) == 198
    assert all(row["cbd"] in ("", code.lower()) for code, row in table.items())


def test_vocabularies_are_complete() -> None:
    assert codes("gbf_targets") == [f"GBF-TARGET-{number:02d}" for number in range(1, 24)]
    assert codes("gbf_goals") == [f"GBF-GOAL-{letter}" for letter in "ABCD"]
    assert codes("aichi_targets") == [f"AICHI-TARGET-{number:02d}" for number in range(1, 21)]
    assert codes("sdg") == [f"SDG-GOAL-{number:02d}" for number in range(1, 18)]
    assert len(codes("cbd_subjects")) == 84
    assert len(codes("regions")) == 110


def test_numbered_labels_carry_their_number_in_every_language() -> None:
    for name in ("gbf_targets", "aichi_targets", "sdg"):
        for row in rows(name):
            number = int(row["code"][-2:])
            for label in LABELS:
                found = re.search(r"\d+", row[label])
                assert found, (row["code"], label)
                assert int(found.group()) == number, (row["code"], label)


def test_labels_tell_codes_apart() -> None:
    for name in ("cbd_subjects", "gbf_targets", "aichi_targets", "regions", "record_types"):
        for label in LABELS:
            texts = [row[label] for row in rows(name)]
            assert len(texts) == len(set(texts)), (name, label)


def test_regional_groups_and_their_members() -> None:
    groups = set(codes("regional_groups"))
    assert {row["group"] for row in rows("regions_members")} == groups
    assert {row["country"] for row in rows("regions_members")} <= set(codes("countries"))
    assert {row["region"] for row in rows("regional_groups")} - {""} <= set(codes("regions"))


def test_every_party_is_in_one_cbd_regional_group() -> None:
    cbd_groups = {
        "africa",
        "asia-pacific",
        "central-eastern-europe",
        "latin-america-caribbean",
        "western-europe-others",
    }
    members = [row["country"] for row in rows("regions_members") if row["group"] in cbd_groups]
    assert len(members) == len(set(members))
    parties = {row["code"] for row in rows("countries") if row["party"]}
    # The two countries of the Convention's list that are not Parties.
    assert parties == {row["code"] for row in rows("countries") if row["cbd"]} - {"US", "VA"}
    assert set(members) == parties


def test_focal_point_categories_name_a_treaty() -> None:
    assert {row["treaty"] for row in rows("focal_point_categories")} == {
        "cbd",
        "cartagena",
        "nagoya",
    }


def test_the_crosswalk_of_focal_points_knows_the_same_treaties() -> None:
    file = ROOT / "mappings" / "crosswalks" / "scbd" / "focalPoint.toml"
    inline = tomllib.loads(file.read_text(encoding="utf-8"))["tables"]["category_treaties"]
    assert inline == {row["code"]: row["treaty"] for row in rows("focal_point_categories")}


def test_every_crosswalk_of_a_schema_is_chosen_for_a_known_schema() -> None:
    file = ROOT / "mappings" / "crosswalks" / "scbd.toml"
    choices = set(tomllib.loads(file.read_text(encoding="utf-8"))["choices"]) - {"*"}
    assert choices <= set(codes("scbd_schemas"))


def test_record_types_page_is_in_step() -> None:
    page = (ROOT / "docs" / "record-types.md").read_text(encoding="utf-8")
    told = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    expected = [
        [
            f"`{row['id']}`",
            row["label_en"],
            " ".join(f"`{schema}`" for schema in row["schemas"].split()) or "–",
        ]
        for row in rows("record_types")
    ]
    assert [[first, what.split(":")[0], schemas] for first, what, schemas in told] == expected
    assert all(what.partition(":")[2].strip() for _, what, _ in told)
