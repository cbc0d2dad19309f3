"""What librarians write into MODS and MARC 21, and what the record says of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mappings import crosswalk, functions, marc
from mappings.keywords import split_keywords
from mappings.mods import mods_names, mods_titles
from mappings.roles import part_played

assert crosswalk  # the engine knows the functions of every module


@pytest.fixture(autouse=True)
def context() -> Iterator[functions.Context]:
    made = functions.Context(source={}, tables={})
    token = functions.using(made)
    yield made
    functions.done(token)


def field(tag: str, *subfields: str, ind: str = "  ") -> dict[str, Any]:
    """A field of MARCXML as JSON: ``field("245", "a Title :", "b more /")``."""
    parts = [{"@code": part[0], "value": part[2:]} for part in subfields]
    return {"@tag": tag, "@ind1": ind[0], "@ind2": ind[1], "subfield": parts}


@pytest.mark.parametrize(
    ("roles", "part"),
    [
        (["aut"], "creator"),
        (["Author."], "creator"),
        ([" Creator\n"], "creator"),
        (["http://id.loc.gov/vocabulary/relators/edt"], "contributor"),
        (["Éditeur scientifique"], "contributor"),
        (["éditeur"], "publisher"),
        (["Verlag"], "publisher"),
        (["former owner"], "none"),
        (["bnd"], "none"),
        (["Schreiber"], "none"),
        (["scr", "aut"], "creator"),
        (["fmo", "pbl"], "publisher"),
        (["tamer of lions"], "contributor"),
        (["作者"], "creator"),
        ([], "creator"),
        (["", " "], "creator"),
    ],
)
def test_the_part_that_a_role_means(roles: list[str], part: str) -> None:
    assert part_played(roles, "creator") == part


def info(kind: str | None = None, **parts: str) -> dict[str, Any]:
    made: dict[str, Any] = {name: [{"value": text}] for name, text in parts.items()}
    return {**made, **({"@type": kind} if kind else {})}


@pytest.mark.parametrize(
    ("titles", "made"),
    [
        ([info(nonSort="The ", title="lakes")], ["The lakes"]),
        ([info(nonSort="L'", title="étang")], ["L'étang"]),
        ([info(nonSort="Der", title="See")], ["Der See"]),
        ([info(title="Lakes", subTitle="a survey")], ["Lakes: a survey"]),
        ([info(title="Lakes :", subTitle="a survey /")], ["Lakes: a survey"]),
        ([info(title="What is a lake?", subTitle="Notes")], ["What is a lake? Notes"]),
        ([info(title="Lakes", partNumber="Part 2", partName="Depths")], ["Lakes. Part 2, Depths"]),
        ([info(title="Lakes.", partName="Depths")], ["Lakes. Depths"]),
        ([info("uniform", title="Lakes, works"), info(title="Lakes")], ["Lakes"]),
        ([info("uniform", title="Lakes, works")], ["Lakes, works"]),
        ([info("translated", title="Lacs"), info(title="Lakes")], ["Lakes", "Lacs"]),
        ([info("abbreviated", title="Lak."), info("alternative", title="Ponds")], ["Ponds"]),
        ([{"nonSort": [], "title": []}], []),
        ([{"value": "no title in it"}], []),
    ],
)
def test_a_mods_title_is_whole(titles: list[Any], made: list[str]) -> None:
    assert [title["value"] for title in mods_titles(titles)] == made


def test_the_names_of_mods() -> None:
    def name(*parts: tuple[str, str], kind: str = "personal") -> dict[str, Any]:
        return {"@type": kind, "namePart": [{"@type": t, "value": v} for t, v in parts]}

    given = [
        name(("family", "Otieno"), ("given", "Ann"), ("date", "1950-")),
        name(("given", "Ann"), ("family", "Otieno"), ("termsOfAddress", "Dr")),
        name(("", "Fleischer, Max,"), ("date", "1861-1930")),
        name(("", "Kenya."), ("", "Ministry of Water"), kind="corporate"),
        name(("date", "1900")),
        {"displayForm": [{"value": "A. Author"}]},
        {"namePart": [{"value": "An editor"}], "role": [{"roleTerm": [{"value": "edt"}]}]},
        {"namePart": [{"value": "An owner"}], "role": [{"value": "owner"}]},
    ]
    said = [
        "Otieno, Ann",
        "Otieno, Ann, Dr",
        "Fleischer, Max",
        "Kenya. Ministry of Water",
        "A. Author",
    ]
    assert [agent["name"] for agent in mods_names(given, "creator")] == said
    assert mods_names(given, "contributor") == [{"name": "An editor"}]


@pytest.mark.parametrize(
    ("written", "bare"),
    [
        ("Forests /", "Forests"),
        ("Forests :", "Forests"),
        ("Otieno, Ann,", "Otieno, Ann"),
        ("Research.", "Research"),
        ("Thackray, Richard I.", "Thackray, Richard I."),
        ("Elsevier Inc.,", "Elsevier Inc."),
        ("Buies Creek (N.C.)", "Buies Creek (N.C.)"),
        ("U.S.", "U.S."),
        ("and so on ...", "and so on ..."),
        ("Fish ; ", "Fish"),
        ("Леса Сибири /", "Леса Сибири"),
        ("What is it?", "What is it?"),
        ("/", ""),
    ],
)
def test_isbd_punctuation_is_no_part_of_a_value(written: str, bare: str) -> None:
    assert marc.bare(written) == bare


def test_the_titles_of_marc() -> None:
    def titles(*given: dict[str, Any]) -> list[str]:
        return [title["value"] for title in marc.marc_titles(list(given))]

    assert titles(field("245", "a Forests [map] :", "b a survey /", "c by A.")) == [
        "Forests [map] : a survey"
    ]
    assert titles(field("245", "a Forests", "h [map] /", "c by A.")) == ["Forests"]
    assert titles(field("245", "a Forests", "h [map] :", "b a survey")) == ["Forests : a survey"]
    assert titles(field("245", "a Forests", "n Part 2", "p North")) == ["Forests. Part 2. North"]
    assert titles(field("245", "a Forests."), field("246", "a Woods", ind="31")) == [
        "Forests",
        "Woods",
    ]
    assert titles(field("245", "a Forests."), field("246", "a Spine", ind="18")) == ["Forests"]
    assert titles(field("111", "a Forest days", "c Mombasa")) == ["Forest days"]
    assert titles(field("130", "a Forests (Series)"), field("245", "c nobody")) == [
        "Forests (Series)"
    ]
    assert titles(field("100", "a Otieno, Ann")) == []


def test_the_names_of_marc() -> None:
    given = [
        field("100", "a John Paul", "b II,", "c Pope,", "d 1920-2005."),
        field("245", "a T"),
        field("110", "a Kenya.", "b Ministry of Water.", "b Lakes Unit."),
        field("110", "a Kenya", "b Ministry of Water"),
        field("700", "a Ba, Omar,", "e translator."),
        field("700", "a Smith, J.", "t A work of his"),
        field("700", "a Sow, Aliou", "4 fmo"),
        field("710", "a IFAN", "4 http://id.loc.gov/vocabulary/relators/pbl"),
        field("711", "a Lake Days", "j organizer"),
    ]
    assert [agent["name"] for agent in marc.marc_names(given, "creator")] == [
        "John Paul II, Pope",
        "Kenya. Ministry of Water. Lakes Unit",
        "Kenya. Ministry of Water",
    ]
    assert marc.marc_names(given, "publisher") == [{"name": "IFAN"}]
    assert [agent["name"] for agent in marc.marc_names(given, "contributor")] == [
        "Ba, Omar",
        "Lake Days",
    ]


@pytest.mark.parametrize(
    ("sides", "box"),
    [
        (["E0340000", "E0420000", "N0050000", "S0043000"], [34.0, -4.5, 42.0, 5.0]),
        (["-80.25", "-80.25", "+25.5", "25.5"], [-80.25, 25.5, -80.25, 25.5]),
        (["W080.5", "W070.5", "N25.5", "N20"], [-80.5, 20.0, -70.5, 25.5]),
        (["E1760000", "W1780000", "S0120000", "S0210000"], [176.0, -21.0, -178.0, -12.0]),
        (["E0340000", "E0420000", "here", "S0043000"], None),
    ],
)
def test_a_box_of_field_034(sides: list[str], box: list[float] | None) -> None:
    given = field("034", *(f"{code} {text}" for code, text in zip("defg", sides, strict=True)))
    assert marc.marc_box([given]) == box


@pytest.mark.parametrize(
    ("field008", "made"),
    [
        ("760625s1975    dcua     b   f000 0 eng d", "1975"),
        ("s1975    dcua     b   f000 0 eng d", "1975"),
        ("760625e20110312ke            000 0 swa d", "2011-03-12"),
        ("760625e201103  ke            000 0 swa d", "2011-03"),
        ("760625m19992004fr            000 0 fre d", "1999"),
        ("760625c20019999fr            000 0 fre d", "2001"),
        ("760625s19uu    fr            000 0 fre d", None),
        ("760625s9999    fr            000 0 fre d", None),
        ("760625q19501959fr            000 0 fre d", None),
        ("760625n||||||||fr            000 0 fre d", None),
        ("760625", None),
        ("", None),
    ],
)
def test_the_date_of_field_008(field008: str, made: str | None) -> None:
    assert marc.marc_issued([{"@tag": "008", "value": field008}]) == made


def test_the_languages_of_marc() -> None:
    coded = [{"@tag": "008", "value": "760625s1975    dcua     b   f000 0 eng d"}]
    assert marc.marc_languages([field("041", "a swa", "b eng")], coded) == ["swa"]
    assert marc.marc_languages([field("041", "a engfre", "a ger")], coded) == ["eng", "fre", "ger"]
    assert marc.marc_languages([], coded) == ["eng"]
    shifted = [{"@tag": "008", "value": "140625m19992004fr ||||||||||||||||||fre||"}]
    assert marc.marc_languages([], shifted) == ["fre"]
    assert marc.marc_languages([], [{"@tag": "008", "value": "760625s1975    xx |||||"}]) == []


def test_who_published_and_when() -> None:
    given = [
        field("264", "b Copier,", "c ©2010", ind=" 4"),
        field("264", "b Institute,", "c [2011?]", ind=" 1"),
        field("260", "b [s.n.],", "c c1999."),
        field("260", "b Inst.", "c 1999 [i.e. 2001]"),
    ]
    assert marc.marc_publication(given, "c") == ["2011", "1999", "1999 [i.e. 2001]", "2010"]
    assert marc.marc_publication(given, "b") == ["Institute", "Inst.", "Copier"]


def test_a_leader_that_lost_its_blanks_is_read_from_its_end() -> None:
    assert marc.marc_kind([{"value": "cam  2200421Ia 4500"}]) == ["am", "a"]
    assert marc.marc_kind([{"value": "00000nam"}]) == ["am", "a"]
    assert marc.marc_kind([]) == []


def test_keywords_are_parted_at_separators_and_not_within_a_reference() -> None:
    assert split_keywords(["fish；lakes|reefs\nponds; Caf&eacute;s; R&D"]) == [
        "fish",
        "lakes",
        "reefs",
        "ponds",
        "Caf&eacute;s",
        "R&D",
    ]
