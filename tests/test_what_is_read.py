"""The measure of what reaches the record is honest, and its page is current."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.reach import judge, sources, table
from tests.reach.__main__ import PAGE, SAMPLES
from tests.running import Hub

RECORD: dict[str, Any] = {
    "title": [{"value": "Reeds of the lake", "lang": "en"}],
    "creator": [{"name": "Otieno, Ann"}],
    "subject": [{"label": "Fishes"}, {"label": "Birds"}],
    "language": ["fr"],
    "spatial": ["KE"],
    "issued": "2019-04-01",
    "url": "https://doi.org/10.5072/reeds",
    "bbox": [1.0, -2.0, 3.5, 4.0],
    "provenance": {"crosswalk": "oai_dc"},
}


@pytest.mark.parametrize(
    ("value", "fields", "found"),
    [
        ("Reeds of the  LAKE", ["title"], "title"),
        ("<p>Reeds of the lake</p>", ["title"], "title"),
        ("Reeds of the river bank", ["title"], None),
        ("Reeds of the lake", ["description", "creator"], None),
        ("Ann Otieno", ["creator"], "creator"),
        ("Fishes; Birds", ["subject"], "subject"),
        ("Fishes; Plants", ["subject"], None),
        ("fra", ["language"], "language"),
        ("eng", ["language"], None),
        ("Kenya", ["coverage", "spatial"], "spatial"),
        ("Uganda", ["spatial"], None),
        ("2019-04-01T00:00:00Z", ["issued"], "issued"),
        ("2019", ["issued"], "issued"),
        ("2018", ["issued"], None),
        ("doi:10.5072/reeds", ["url"], "url"),
        ("10.5072/weeds", ["url"], None),
        ("3.50", ["bbox"], "bbox"),
        ("9", ["bbox"], None),
        ("Fishes", ["title"], None),
    ],
)
def test_a_value_counts_in_the_right_field_alone(
    value: str, fields: list[str], found: str | None
) -> None:
    assert judge.reached(value, fields, RECORD) == found


def test_every_value_is_counted_once_under_what_became_of_it() -> None:
    def text(value: str) -> list[dict[str, str]]:
        return [{"value": value, "lang": "en"}]

    metadata = {
        "title": text("Reeds of the lake"),
        "creator": text("Somebody Else"),
        "language": [*text("fra"), *text("und")],
        "issued": [*text("2019"), *text("2001")],
        "extent": text("9 pages"),
        "shelf": text("A 7"),
    }
    (row,) = table.rows([sources.Seen("f", {"metadata": metadata}, RECORD)]).values()
    assert dict(row.reached) == {"metadata.title": 1, "metadata.language": 1, "metadata.issued": 1}
    assert dict(row.unread) == {"metadata.creator": 1}
    assert dict(row.second) == {"metadata.issued": 1}
    assert dict(row.placeless) == {"nothing": 1, "extent": 1}
    assert dict(row.undecided) == {"metadata.shelf": 1}
    assert row.share == 3 / 5


def test_every_place_is_a_field_or_a_reason() -> None:
    from chm_hub.record import FIELDS

    for name, places in table.PLACES.items():
        for pattern, where in places.items():
            if pattern != "extends":
                known = set(where) <= FIELDS if isinstance(where, list) else where in table.REASONS
                assert known, (name, pattern, where)


@pytest.mark.slow
@pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO RECORDED ANSWERS: {SAMPLES} is absent, nothing was measured"
)
def test_the_page_is_current_and_nine_tenths_are_read(hub: Hub) -> None:
    found = table.rows(sources.seen(hub, Path(SAMPLES)))
    poor = {
        name: round(row.share, 3)
        for name, row in found.items()
        if row.with_place >= 100 and row.share < 0.9 and name != "scbd"
    }
    assert poor == {}
    assert PAGE.read_text("utf-8") == table.page(found), "python -m tests.reach writes it anew"
