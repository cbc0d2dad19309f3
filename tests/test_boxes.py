"""Bounding boxes: over the 180th meridian, around several places, and what is no box."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chm_hub import record as model
from chm_hub.document import Document
from chm_hub.record import Record
from mappings import boxes, crosswalk, functions, place_functions
from mappings.formats import fragments
from tests.test_crosswalk_engine import PROVENANCE, SOURCE


@pytest.fixture
def context() -> Iterator[functions.Context]:
    made = functions.Context(source={"id": "src"}, tables={})
    token = functions.using(made)
    yield made
    functions.done(token)


def polygon(*corners: tuple[float, float]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[*map(list, corners), list(corners[0])]]}


FIJI = [177.0, -20.0, -178.0, -15.0]
WEST = [[177, -20], [180, -20], [180, -15], [177, -15], [177, -20]]
EAST = [[-180, -20], [-178, -20], [-178, -15], [-180, -15], [-180, -20]]
CUT = {"type": "MultiPolygon", "coordinates": [[WEST], [EAST]]}


@pytest.mark.parametrize(
    "place",
    [
        CUT,
        json.dumps(CUT),
        {
            "type": "GeometryCollection",
            "geometries": [{"coordinates": [WEST]}, {"coordinates": [EAST]}],
        },
        polygon((177, -20), (182, -20), (182, -15), (177, -15)),
        polygon((-183, -20), (-178, -20), (-178, -15), (-183, -15)),
        polygon((177, -20), (-178, -20), (-178, -15), (177, -15)),
        "POLYGON((177 -20, 182 -20, 182 -15, 177 -15, 177 -20))",
        "MULTIPOLYGON(((177 -20,180 -20,180 -15,177 -20)),((-180 -20,-178 -20,-178 -15,-180 -20)))",
        "MULTIPOINT(177 -20, -178 -15)",
        "LINESTRING(177 -20, -178 -15)",
        "ENVELOPE(177, -178, -15, -20)",
        "177,-20,-178,-15",
        "177 -20 182 -15",
        [177, -20, -178, -15],
        [177, -20, 0, -178, -15, 1500],
        [177, -20, 182, -15],
        [-183, -20, -178, -15],
        [[177, -20, 180, -15], [-180, -20, -178, -15]],
        {"type": "MultiPoint", "coordinates": [[-178, -20], [177, -15]]},
        {
            "type": "FeatureCollection",
            "features": [
                {"geometry": {"type": "Point", "coordinates": [177, -20]}},
                {"geometry": {"type": "Point", "coordinates": [-178, -15]}},
            ],
        },
        {"type": "Feature", "bbox": [-180, -20, 180, -15], "geometry": CUT},
    ],
    ids=str,
)
def test_a_place_over_the_180th_meridian_is_no_box_around_the_world(
    place: Any, context: functions.Context
) -> None:
    assert place_functions.extent(place) == FIJI
    assert context.issues == []


@pytest.mark.parametrize(
    ("place", "box"),
    [
        ("POLYGON((177 -20,180 -20,180 -15,177 -15,177 -20))", [177, -20, 180, -15]),
        ([-180, -90, 180, 90], [-180, -90, 180, 90]),
        ([0, -90, 360, 90], [-180, -90, 180, 90]),
        (polygon((-180, -90), (180, -90), (180, 90), (-180, 90)), [-180, -90, 180, 90]),
        (polygon((-179.9, -30), (179.9, -30), (179.9, 30), (-179.9, 30)), [-179.9, -30, 179.9, 30]),
        (polygon((-170, -60), (170, -60), (170, 80), (-170, 80)), [-170, -60, 170, 80]),
        # Russia, New Zealand with the Chathams, Kiribati
        ([[19, 41, 180, 82], [-180, 64, -169, 72]], [19, 41, -169, 82]),
        ("MULTIPOINT((166 -47), (178 -34), (-176 -44))", [166, -47, -176, -34]),
        ([[169, -3, 177, 4], [-175, -5, -150, 5]], [169, -5, -150, 5]),
        # places all around the world
        ("MULTIPOINT((-60 0), (30 10), (140 20))", [-60, 0, 140, 20]),
        ([[-125, 25, -65, 50], [-10, 35, 30, 60]], [-125, 25, 30, 60]),
        ([[10, 10, 20, 20], [None, 1, 2, 3]], [10, 10, 20, 20]),
        ("SRID=4326;POINT(36.8 -1.3)", [36.8, -1.3, 36.8, -1.3]),
        ([160, -25, 200, 5], [160, -25, -160, 5]),
        ([185, -25, 190, 5], [-175, -25, -170, 5]),
    ],
    ids=str,
)
def test_boxes_around_places(place: Any, box: list[float], context: functions.Context) -> None:
    assert place_functions.extent(place) == box
    assert context.issues == []


@pytest.mark.parametrize(
    "place",
    [[177, 20, -178, -15], [600, 0, 610, 1], [0, -91, 1, 0], "Lake Victoria", {"geometry": None}],
    ids=str,
)
def test_what_is_no_place_is_an_issue(place: Any, context: functions.Context) -> None:
    assert place_functions.extent(place) is None
    assert len(context.issues) == 1


def test_a_point_beyond_180_is_brought_back(context: functions.Context) -> None:
    assert place_functions.bbox("-18", 182) == [-178, -18, -178, -18]
    assert place_functions.bbox(None, "") is None
    assert context.issues == []
    assert place_functions.bbox(95, 10) is None
    assert len(context.issues) == 1


longitudes = st.floats(-180, 180).map(lambda x: round(x, 3))


@given(st.lists(st.tuples(longitudes, st.floats(-90, 90)), min_size=1, max_size=6))
def test_a_box_holds_every_point_and_is_never_wider_than_the_plain_one(
    points: list[tuple[float, float]],
) -> None:
    box = boxes.of_parts([[point] for point in points])
    assert box is not None
    west, south, east, north = box
    assert -180 <= west <= 180
    assert -180 <= east <= 180
    for x, y in points:
        assert south <= y <= north
        assert (x - west) % 360 <= boxes.width(box) + 1e-6 or boxes.width(box) >= 360 - 1e-3
    xs = [x for x, _ in points]
    assert boxes.width(box) <= max(xs) - min(xs) + 1e-6


def test_halves_of_a_box_meet_at_the_meridian() -> None:
    assert boxes.halves((177, -20, -178, -15)) == [(177, -20, 180, -15), (-180, -20, -178, -15)]
    assert boxes.halves((1, 2, 3, 4)) == [(1, 2, 3, 4)]


def record_of(name: str, body: dict[str, Any]) -> Record:
    outcome = crosswalk.apply(
        crosswalk.load(name), Document(identifier="1", body=body), SOURCE, PROVENANCE
    )
    assert outcome.record is not None
    return outcome.record


def of_eml(*ends: tuple[str, str, str, str]) -> dict[str, Any]:
    names = ("west", "south", "east", "north")
    coverage = [
        {
            "geographicDescription": [{"value": "Fiji"}],
            "boundingCoordinates": [
                {f"{n}BoundingCoordinate": [{"value": v}] for n, v in zip(names, e, strict=True)}
            ],
        }
        for e in ends
    ]
    dataset = {"title": [{"value": "Reefs"}], "coverage": [{"geographicCoverage": coverage}]}
    return {"metadata": {"dataset": [dataset]}}


STAC = {"kind": "item", "address": "https://x.example/1", "links": []}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("eml", of_eml(("177", "-20", "-178", "-15"))),
        ("eml", of_eml(("177", "-20", "180", "-15"), ("-180", "-20", "-178", "-15"))),
        ("stac", {**STAC, "entry": {"id": "1", "bbox": [177, -20, -178, -15]}}),
        ("stac", {**STAC, "entry": {"id": "1", "bbox": [177, -20, 0, -178, -15, 9]}}),
        ("stac", {**STAC, "entry": {"id": "1", "bbox": [-180, -20, 180, -15], "geometry": CUT}}),
        (
            "stac",
            {
                **STAC,
                "entry": {
                    "id": "1",
                    "extent": {
                        "spatial": {
                            "bbox": [
                                [-180, -20, 180, -15],
                                [177, -20, 180, -15],
                                [-180, -20, -178, -15],
                            ]
                        }
                    },
                },
            },
        ),
        ("feed", {"feed": {}, "entry": {"title": {"value": "T"}, "shape": [177, -20, -178, -15]}}),
        ("dcat", {"dataset": {"title": "T"}, "place": {"names": [], "shape": "177,-20,-178,-15"}}),
        (
            "dcat",
            {
                "dataset": {"title": "T"},
                "place": {
                    "names": [],
                    "shape": ["177,-20,180,-15", "POLYGON((-180 -20,-178 -20,-178 -15,-180 -20))"],
                },
            },
        ),
        ("ckan", {"entry": {"id": "1", "title": "T", "spatial": json.dumps(CUT)}}),
        ("obis", {"entry": {"title": "T", "extent": "POLYGON((177 -20,182 -20,182 -15,177 -20))"}}),
    ],
)
def test_every_format_that_carries_places(name: str, body: dict[str, Any]) -> None:
    assert record_of(name, body).bbox == tuple(FIJI)


def test_a_box_over_the_meridian_is_published_in_two_parts_where_a_format_knows_none() -> None:
    record = record_of("feed", {"feed": {}, "entry": {"title": {"value": "T"}, "shape": FIJI}})
    made = fragments(record)
    assert (
        "MULTIPOLYGON(((177.0 -20.0, 180.0 -20.0, 180.0 -15.0, 177.0 -15.0, 177.0 -20.0)), "
        "((-180.0 -20.0, -178.0 -20.0, -178.0 -15.0, -180.0 -15.0, -180.0 -20.0)))"
    ) in made["dcat"]
    assert "westlimit=177.0; southlimit=-20.0; eastlimit=-178.0" in made["oai_dcterms"]
    assert ">177.0 -20.0 -178.0 -15.0</" in made["chm"]
    assert model.to_dict(record)["bbox"] == tuple(FIJI)
