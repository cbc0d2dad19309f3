"""Values of GBIF, OBIS, FAOLEX, EML and STAC in the shapes that they come in."""

from __future__ import annotations

from typing import Any

import pytest

from mappings import crosswalk, functions
from tests.mapped import record_of


def call(name: str, *arguments: Any) -> tuple[Any, list[str]]:
    """What a function of crosswalks gives, and its issues."""
    assert crosswalk
    context = functions.Context(source={}, tables={})
    token = functions.using(context)
    try:
        return functions.REGISTERED[name](*arguments), context.issues
    finally:
        functions.done(token)


# --- periods -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("parts", "period", "words"),
    [
        (["2024/2025"], {"start": "2024", "end": "2025"}, []),
        (["2001-2004"], {"start": "2001", "end": "2004"}, []),
        (["2001 to 2004"], {"start": "2001", "end": "2004"}, []),
        (["2001 – 2004-05"], {"start": "2001", "end": "2004-05"}, []),
        (["1999"], {"start": "1999", "end": "1999"}, []),
        (["1999/"], {"start": "1999"}, []),
        (["1999-05"], {"start": "1999-05", "end": "1999-05"}, []),
        (["spring", "Holocene"], None, ["spring", "Holocene"]),
        (
            [{"date": "2001-02-03T00:00:00.000+0000"}],
            {"start": "2001-02-03", "end": "2001-02-03"},
            [],
        ),
        (
            [{"start": "2004", "end": "2005"}, {"start": "2001", "end": "2005-03"}],
            {"start": "2001", "end": "2005"},
            [],
        ),
        ([None, {"start": None, "end": None}], None, []),
    ],
)
def test_periods_of_several_parts(parts: Any, period: Any, words: list[str]) -> None:
    assert call("overall_period", parts) == (period, [])
    assert call("periods_in_words", parts) == (words, [])


@pytest.mark.parametrize(
    ("interval", "period"),
    [
        ([["2020", "2021"]], {"start": "2020", "end": "2021"}),
        ([["2020", None]], {"start": "2020"}),
        ([[None, "2021"]], {"end": "2021"}),
        ([[None, None]], None),
        (["2020", ".."], {"start": "2020"}),
        ([["..", "2021"], ["2019", "2021"]], {"end": "2021"}),
        ("2020/2021", {"start": "2020", "end": "2021"}),
        ("2020/..", {"start": "2020"}),
        ("2020-01-02T03:04:05Z", {"start": "2020-01-02T03:04:05Z", "end": "2020-01-02T03:04:05Z"}),
        ([["2020"]], {"start": "2020"}),
        ([], None),
        (None, None),
    ],
)
def test_intervals(interval: Any, period: Any) -> None:
    assert call("interval_period", interval) == (period, [])
    made = record_of(
        "stac",
        {
            "kind": "collection",
            "entry": {"id": "c", "title": "C", "extent": {"temporal": {"interval": interval}}},
            "links": [],
            "address": "https://s.example.org/c",
        },
    )
    assert made.get("temporal") == period
    assert "issues" not in made


@pytest.mark.parametrize(
    ("properties", "period"),
    [
        ({"datetime": None}, None),
        ({"datetime": ""}, None),
        (
            {"datetime": None, "start_datetime": "2020-01-01", "end_datetime": "2020-02-01"},
            {"start": "2020-01-01", "end": "2020-02-01"},
        ),
        ({"datetime": "2020-01-01/2020-02-01"}, {"start": "2020-01-01", "end": "2020-02-01"}),
        ({"datetime": None, "start_datetime": "2020-01-01"}, {"start": "2020-01-01"}),
    ],
)
def test_an_item_s_time(properties: Any, period: Any) -> None:
    entry = {"id": "i", "properties": {"title": "I", **properties}}
    body = {"kind": "item", "entry": entry, "links": [], "address": "https://s.example.org/i"}
    made = record_of("stac", body)
    assert made.get("temporal") == period
    assert "issues" not in made


# --- keywords ------------------------------------------------------------------------------

KINDS = "GBIF Dataset Type Vocabulary: http://rs.gbif.org/vocabulary/gbif/dataset_type.xml"


@pytest.mark.parametrize(
    ("words", "thesaurus", "parted"),
    [
        (
            ["Samplingevent; Kyiv Region; fortifications"],
            KINDS,
            ["Samplingevent", "Kyiv Region", "fortifications"],
        ),
        (["Occurrence, fish"], KINDS, ["Occurrence", "fish"]),
        (["Occurrence"], KINDS, ["Occurrence"]),
        (["fish, lakes"], None, ["fish", "lakes"]),
        (["fish, lakes"], "n/a", ["fish", "lakes"]),
        (["fish, lakes"], "GEMET", ["fish, lakes"]),
        (["fish, fresh", "lakes"], "n/a", ["fish, fresh", "lakes"]),
        (["fish, lakes, rivers", "reeds"], None, ["fish", "lakes", "rivers", "reeds"]),
        (["fish, lakes, rivers", "reeds"], "GEMET", ["fish, lakes, rivers", "reeds"]),
        (
            ["Kept in pots, by hand, for all of a long year", "b"],
            None,
            ["Kept in pots, by hand, for all of a long year", "b"],
        ),
        (["fish;lakes", "rivers"], "GEMET", ["fish", "lakes", "rivers"]),
        ([{"value": "poisson; lac", "lang": "fr"}], None, None),
        ("fish, lakes", "n/a", ["fish, lakes"]),
        (None, None, []),
        (["", " ; "], None, []),
    ],
)
def test_keywords_that_stand_in_one_text(words: Any, thesaurus: Any, parted: Any) -> None:
    if parted is None:
        parted = [{"value": "poisson", "lang": "fr"}, {"value": "lac", "lang": "fr"}]
    assert call("split_keywords", words, thesaurus) == (parted, [])


def test_keywords_of_obis() -> None:
    words = [
        {"keyword": "Occurrence; Fiji; corals", "thesaurus": KINDS},
        {"keyword": "Reefs, shallow", "thesaurus": "GEMET"},
        {"keyword": "EPSG:4326", "thesaurus": "Coordinate Reference System"},
    ]
    made = record_of(
        "obis", {"kind": "dataset", "entry": {"id": "1", "title": "T", "keywords": words}}
    )
    labels = [concept["label"] for concept in made["subject"]]
    assert labels == ["Occurrence", "corals", "Reefs, shallow"]
    assert made["spatial"] == ["FJ"]


# --- GBIF ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "citation", "publisher"),
    [
        (
            "Frogs",
            "Li S (2024). Frogs. Museum of K. Checklist dataset https://doi.org/10.1/a",
            "Museum of K",
        ),
        (
            "Frogs.",
            "Li S (2024). Frogs. Version 1.2. U.S. Museum. Occurrence dataset https://x/a",
            "U.S. Museum",
        ),
        ("A. Frogs  of\nK", "Li (2024). A. Frogs of K. M. Sampling event dataset https://x/a", "M"),
        ("Frogs", "Li S, Frogs, Journal 2024", None),
        ("Frogs", None, None),
        ("", "Li (2024). Frogs. M. Occurrence dataset https://x/a", None),
    ],
)
def test_the_publisher_in_a_citation(title: str, citation: Any, publisher: str | None) -> None:
    assert call("publisher_in_citation", citation, title) == (publisher, [])


def test_a_data_set_of_gbif() -> None:
    box = {"minLatitude": -20, "maxLatitude": -15, "minLongitude": 177, "maxLongitude": 180}
    over = {"minLatitude": -19, "maxLatitude": -14, "minLongitude": -180, "maxLongitude": -178}
    made = record_of(
        "gbif",
        {
            "kind": "dataset",
            "entry": {
                "key": "k",
                "title": "Frogs",
                "publishingCountry": "ZZ",
                "publishingOrganizationTitle": "Museum",
                "contacts": [
                    {"type": "ORIGINATOR", "organization": "Institute", "lastName": "Person"},
                    {"type": "POINT_OF_CONTACT", "organization": "Office"},
                ],
                "identifiers": [
                    {"type": "URL", "identifier": "https://ipt.example.org/resource?r=frogs"},
                    {"type": "UUID", "identifier": "0f0e"},
                    {"type": "GBIF_PORTAL", "identifier": "77"},
                ],
                "geographicCoverages": [
                    {"description": "Fiji", "boundingBox": box},
                    {"description": "Lau islands", "boundingBox": over},
                    {"description": "none", "boundingBox": None},
                ],
                "temporalCoverages": [
                    {"@type": "range", "start": "2001-01-01T00:00:00.000+0000", "end": "2002"},
                    {"@type": "verbatim", "period": "the dry seasons"},
                ],
            },
        },
    )
    assert made["publisher"] == [{"name": "Museum"}]
    assert made["creator"] == [{"name": "Institute"}]
    assert made["same_as"] == ["https://ipt.example.org/resource?r=frogs", "0f0e"]
    assert made["spatial"] == ["FJ"]
    assert [text["value"] for text in made["coverage"]] == [
        "Lau islands",
        "none",
        "the dry seasons",
    ]
    assert made["bbox"] == [177.0, -20.0, -178.0, -14.0]
    assert made["temporal"] == {"start": "2001-01-01", "end": "2002"}
    assert "Person" not in str(made)
    assert "issues" not in made


# --- FAOLEX --------------------------------------------------------------------------------

LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")


@pytest.mark.parametrize("name", ["keyword", "subjectSelection", "typeOfText"])
def test_what_a_law_is_about_in_all_languages(name: str) -> None:
    meta = {f"{name}_{lang}": [f"{name} in {lang}"] for lang in LANGUAGES}
    made = record_of(
        "faolex", {"url": "https://f.example.org/1.pdf", "meta": {"titleOfText": ["T"], **meta}}
    )
    assert [(c["label"], c["lang"]) for c in made["subject"]] == [
        (f"{name} in {lang}", lang) for lang in LANGUAGES
    ]


# --- EML -----------------------------------------------------------------------------------


def eml(**dataset: Any) -> dict[str, Any]:
    body = {
        "header": {},
        "format": "eml",
        "metadata": {"dataset": [{"title": [{"value": "T"}], **dataset}]},
    }
    return record_of("eml", body)


@pytest.mark.parametrize(
    ("abstract", "read"),
    [
        ({"para": [{"value": "Two &lt;b&gt;"}]}, ["Two <b>"]),
        ({"para": [{"value": "<p>Two</p><p>and more</p>"}]}, ["Two\nand more"]),
        ({"para": [{"value": "Fish &amp; lakes"}]}, ["Fish & lakes"]),
        ({"section": [{"para": [{"value": "One"}]}]}, ["One"]),
        ({"markdown": [{"value": "## One\n\n*two*"}]}, ["One\ntwo"]),
    ],
)
def test_an_abstract_of_eml(abstract: Any, read: list[str]) -> None:
    assert [text["value"] for text in eml(abstract=[abstract])["description"]] == read


def test_places_and_periods_of_eml() -> None:
    def sides(*values: str) -> dict[str, Any]:
        names = ("west", "south", "east", "north")
        return {
            f"{n}BoundingCoordinate": [{"value": v}] for n, v in zip(names, values, strict=True)
        }

    place = [
        {
            "geographicDescription": [{"value": "Kenya"}],
            "boundingCoordinates": [sides("33", "-5", "42", "5")],
        },
        {
            "geographicDescription": [{"value": "Lake Victoria"}],
            "boundingCoordinates": [sides("31,5", "-3", "35", "0")],
        },
    ]
    ranges = [
        {
            "beginDate": [{"calendarDate": [{"value": "2001"}]}],
            "endDate": [{"calendarDate": [{"value": "2004-12"}]}],
        }
    ]
    single = [{"calendarDate": [{"value": "1999-05-06"}]}]
    made = eml(
        coverage=[
            {
                "geographicCoverage": place,
                "temporalCoverage": [{"rangeOfDates": ranges}, {"singleDateTime": single}],
            }
        ]
    )
    assert made["spatial"] == ["KE"]
    assert made["coverage"] == [{"value": "Lake Victoria"}]
    assert made["bbox"] == [31.5, -5.0, 42.0, 5.0]
    assert made["temporal"] == {"start": "1999-05-06", "end": "2004-12"}
    assert "issues" not in made


# --- WordPress -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"date_gmt": "0000-00-00T00:00:00"}, {"issued": "2024-03-05"}),
        ({"date_gmt": None}, {"issued": "2024-03-05"}),
        ({"date_gmt": "2024-03-05T07:00:00+00:00"}, {"issued": "2024-03-05T07:00:00+00:00"}),
        ({"date_gmt": "-0001-11-30T00:00:00"}, {"issued": "2024-03-05"}),
        ({"modified_gmt": "-0001-11-30T00:00:00", "modified": "-0001-11-30T00:00:00"}, {}),
        ({"title": "Plain &amp; simple"}, {"title": [{"value": "Plain & simple"}]}),
        ({"title": {"raw": "Raw"}}, {"title": [{"value": "Raw"}]}),
        ({"excerpt": {"rendered": "<p>&nbsp;</p>\n"}}, {"description": [{"value": "Body"}]}),
        ({"excerpt": False, "content": "<p>Text</p>"}, {"description": [{"value": "Text"}]}),
        ({"excerpt": {"rendered": ""}}, {"description": [{"value": "Body"}]}),
    ],
)
def test_odd_entries_of_wordpress(more: dict[str, Any], said: dict[str, Any]) -> None:
    entry = {
        "id": 1,
        "date": "2024-03-05T10:00:00",
        "date_gmt": "2024-03-05T07:00:00",
        "link": "https://p.example.org/1/",
        "title": {"rendered": "T"},
        "excerpt": {"rendered": "<p>Short</p>"},
        "content": {"rendered": "<p>Body</p>", "protected": False},
        **more,
    }
    body = {
        "kind": "posts",
        "lang": None,
        "translations": [],
        "terms": {},
        "media": [],
        "files": [],
    }
    made = record_of("wordpress", {**body, "entry": entry})
    wanted = {"title": [{"value": "T"}], "issued": "2024-03-05T07:00:00Z", **said}
    assert {key: made.get(key) for key in wanted} == wanted
    assert "issues" not in made
    assert "modified" not in made
