"""Texts, dates, places, keywords and persons in formats and forms that few sources write."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from harvesters import dcat, feed
from mappings import degrees, functions, keywords, place_names, spaces
from mappings.dcsv import dcmi_box, dcmi_names
from mappings.place_functions import extent
from tests.mapped import payload, record_of


@pytest.fixture(autouse=True)
def context() -> Iterator[functions.Context]:
    made = functions.Context(source={"id": "src"}, tables={})
    token = functions.using(made)
    yield made
    functions.done(token)


def element(**children: Any) -> dict[str, Any]:
    """An element as documents of OAI-PMH have it: children are lists, texts stand in `value`."""
    return {
        name.replace("__", "@"): part
        if name.startswith("__")
        else [
            {"value": one} if isinstance(one, str) else one
            for one in (part if isinstance(part, list) else [part])
        ]
        for name, part in children.items()
    }


def oai(crosswalk: str, metadata: dict[str, Any], **source: Any) -> dict[str, Any]:
    body = {"header": {"identifier": "oai:x.example:1"}, "metadata": metadata}
    return record_of(crosswalk, body, **source)


def labels(record: dict[str, Any], field: str = "subject", key: str = "label") -> list[str]:
    return [part[key] for part in record.get(field, [])]


# --- places --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("29,5", 29.5),
        ("-1.5", -1.5),
        ("−5,25", -5.25),
        ("2°30'N", 2.5),
        ("W 17°30'", -17.5),
        ("12º 30’ 36” S", -12.51),
        ("5 South", -5.0),
        ("5° ouest", -5.0),
        ("5 O", None),
        ("-5 S", None),
        ("12°75'", None),
        ("1,2,3", None),
        ("north", None),
        ("", None),
    ],
)
def test_degrees_as_people_write_them(said: str, made: float | None) -> None:
    assert degrees.read(said) == made


@pytest.mark.parametrize(
    ("said", "box"),
    [
        ("North 5.0, South -5, East 42, West 33.9. (Kenya)", [33.9, -5.0, 42.0, 5.0]),
        ("West 177; East -179; North -15; South -20", [177.0, -20.0, -179.0, -15.0]),
        (
            "MEDIAN LATITUDE: -17.5 * SOUTH-BOUND LATITUDE: -20 * WEST-BOUND LONGITUDE: 177 * "
            "NORTH-BOUND LATITUDE: -15 * EAST-BOUND LONGITUDE: -179 * MINIMUM DEPTH: 0.5 m",
            [177.0, -20.0, -179.0, -15.0],
        ),
        ("LATITUDE: 1.4 * LONGITUDE: 173", [173.0, 1.4, 173.0, 1.4]),
        ("W 17°30' -- W 11°30' / N 16°45' -- N 12°15'", [-17.5, 12.25, -11.5, 16.75]),
        ("(E 166°--W 176°/S 34°--S 47°)", [166.0, -47.0, -176.0, -34.0]),
        ("POLYGON((177 -20, 182 -20, 182 -15, 177 -20))", [177.0, -20.0, -178.0, -15.0]),
        (
            ["northlimit=1; southlimit=-1; westlimit=-78; eastlimit=-75", "POINT(-70 -5)"],
            [-78.0, -5.0, -70.0, 1.0],
        ),
        (
            ["name=A; east=173; north=1,5", "name=B; east=-157; north=2"],
            [173.0, 1.5, -157.0, 2.0],
        ),
        ("Between the north and the south of East Africa", None),
        ("Kenya / Uganda", None),
        ("Polygon Island", None),
        (f"{' ' * 2000}W 1 / N 1", None),
    ],
)
def test_boxes_that_dublin_core_spells_out(said: Any, box: Any) -> None:
    assert dcmi_box(said) == box


def test_a_drawn_place_is_no_place_in_words() -> None:
    said = [
        "POINT(36.8 -1.3)",
        "North 5, South -5, East 42, West 33. (Kenya)",
        "LATITUDE: 1 * LONGITUDE: 2",
        "Lake Turkana",
    ]
    assert dcmi_names(said) == [{"value": "Kenya"}, {"value": "Lake Turkana"}]


_RING = "-20 177 -20 182 -15 182 -15 177 -20 177"


@pytest.mark.parametrize(
    ("shape", "box"),
    [
        (
            '<gml:Polygon srsName="urn:ogc:def:crs:EPSG::4326">'
            f"<gml:posList>{_RING}</gml:posList></gml:Polygon>",
            [177.0, -20.0, -178.0, -15.0],
        ),
        (
            "<Envelope srsName='http://www.opengis.net/def/crs/EPSG/0/4326'>"
            "<lowerCorner>-47 166</lowerCorner><upperCorner>-34 -176</upperCorner></Envelope>",
            [166.0, -47.0, -176.0, -34.0],
        ),
        (
            '<gml:Envelope srsName="EPSG:4326"><gml:lowerCorner>33 -5</gml:lowerCorner>'
            "<gml:upperCorner>42 5</gml:upperCorner></gml:Envelope>",
            [33.0, -5.0, 42.0, 5.0],
        ),
        (
            "<gml:Point srsName='http://www.opengis.net/def/crs/OGC/1.3/CRS84'>"
            "<gml:pos>36.8 -1.3</gml:pos></gml:Point>",
            [36.8, -1.3, 36.8, -1.3],
        ),
        (
            "<gml:LinearRing><gml:coordinates>177,-20 182,-20 182,-15</gml:coordinates>"
            "</gml:LinearRing>",
            [177.0, -20.0, -178.0, -15.0],
        ),
        (
            '<gml:posList srsDimension="3">33 -5 0 42 -5 0 42 5 9</gml:posList>',
            [33.0, -5.0, 42.0, 5.0],
        ),
        (
            "<http://www.opengis.net/def/crs/EPSG/0/4326> POINT(-1.3 36.8)",
            [36.8, -1.3, 36.8, -1.3],
        ),
        ("<http://www.opengis.net/def/crs/OGC/1.3/CRS84> POINT(36.8 -1.3)", [36.8, -1.3] * 2),
        ("SRID=4326;POINT(36.8 -1.3)", [36.8, -1.3] * 2),
        ("<http://www.opengis.net/def/crs/EPSG/0/3460> POINT(1934000 3877000)", None),
        ("<gml:Point srsName='EPSG:2193'><gml:pos>17 54</gml:pos></gml:Point>", None),
        ("<gml:Point><gml:pos>a b</gml:pos></gml:Point>", None),
    ],
)
def test_shapes_of_gml_and_geosparql(shape: str, box: Any, context: functions.Context) -> None:
    assert extent(shape) == box
    assert bool(context.issues) == (box is None)


def test_a_polygon_of_iso_19139() -> None:
    ring = element(posList="177 -20 -179 -20 -179 -15 177 -15 177 -20")
    shape = element(polygon=element(Polygon=element(exterior=element(LinearRing=ring))))
    wide = element(
        westBoundLongitude=element(Decimal="-180"),
        eastBoundLongitude=element(Decimal="180"),
        southBoundLatitude=element(Decimal="-20"),
        northBoundLatitude=element(Decimal="-15"),
    )
    for places in (
        [element(EX_BoundingPolygon=shape)],
        [element(EX_GeographicBoundingBox=wide), element(EX_BoundingPolygon=shape)],
    ):
        extents = element(EX_Extent=element(geographicElement=places))
        data = element(extent=extents)
        made = oai("iso19139", element(identificationInfo=element(MD_DataIdentification=data)))
        assert made["bbox"] == [177.0, -20.0, -179.0, -15.0]


def test_all_places_of_marc_21() -> None:
    def at(west: str, east: str, north: str, south: str) -> dict[str, Any]:
        sides = zip("defg", (west, east, north, south), strict=True)
        parts = [{"@code": code, "value": said} for code, said in sides]
        return {"@tag": "034", "subfield": parts}

    west, east = (
        at("E1770000", "E1800000", "S0150000", "S0200000"),
        at("-180", "-178,5", "-16", "-19"),
    )
    made = oai("marc21", {"datafield": [west, east]})
    assert made["bbox"] == [177.0, -20.0, -178.5, -15.0]
    scale = [{"@code": "c", "value": "(E 33°--E 42°/N 5°--S 4°30')."}]
    made = oai("marc21", {"datafield": [{"@tag": "255", "subfield": scale}]})
    assert made["bbox"] == [33.0, -4.5, 42.0, 5.0]


def test_coordinates_of_mods_and_eml() -> None:
    said = element(coordinates="W 17°30' -- W 11°30' / N 16°45' -- N 12°15'")
    made = oai("mods", element(subject=element(cartographics=said)))
    assert made["bbox"] == [-17.5, 12.25, -11.5, 16.75]
    said = element(coordinates="177.0 -20.0 -179.0 -15.0")
    made = oai("mods", element(subject=element(cartographics=said)))
    assert made["bbox"] == [177.0, -20.0, -179.0, -15.0]
    said = element(coordinates="Not known, about 5")
    made = oai("mods", element(subject=element(cartographics=said)))
    assert (made.get("bbox"), made["issues"]) == (None, ["title: none"])
    box = element(
        westBoundingCoordinate="29,5",
        eastBoundingCoordinate="31",
        northBoundingCoordinate="2°30'N",
        southBoundingCoordinate="1,25 S",
    )
    place = element(geographicDescription="Lac Tumba, Kenya", boundingCoordinates=box)
    made = oai("eml", element(dataset=element(coverage=element(geographicCoverage=place))))
    assert made["bbox"] == [29.5, -1.25, 31.0, 2.5]
    assert (made["spatial"], labels(made, "coverage", "value")) == (["KE"], ["Lac Tumba, Kenya"])


@pytest.mark.parametrize(
    ("said", "near", "codes"),
    [
        ("Nairobi, Kenya", [], ["KE"]),
        ("Nairobi (Kenya)", [], ["KE"]),
        ("Kenya--Nairobi", [], ["KE"]),
        ("Кения: озеро Накуру", [], ["KE"]),
        ("Lake Victoria, Kenya, and Uganda", [], ["KE", "UG"]),
        ("République démocratique du Congo (Kinshasa), Angola", [], ["CD", "AO"]),
        ("واحة سيوة، مصر", [], ["EG"]),
        ("Los Angeles, CA", [], []),
        ("Rome, Georgia", [], []),
        ("Batumi, Georgia", ["GE"], ["GE"]),
        ("Minna, Niger", ["NG"], []),
        ("Guinea, Gulf of", [], []),
        ("Lake Victoria", [], []),
        ("Kenya", [], []),
        (", ", [], []),
        (f"{'Of the lakes and rivers ' * 6}, Kenya", [], []),
    ],
)
def test_the_country_that_a_place_is_said_to_be_in(
    said: str, near: list[str], codes: list[str]
) -> None:
    assert place_names.located(said, near) == codes


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("ایران", "IR"),
        ("เคนยา", "KE"),
        ("Moçambique", "MZ"),
        ("Deutschland", "DE"),
        ("ケニア", "KE"),
    ],
)
def test_countries_in_more_languages(said: str, code: str) -> None:
    assert place_names.countries(said) == [code]


# --- keywords and persons --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "parts"),
    [
        ("bosques; aves;anfibios", ["bosques", "aves", "anfibios"]),
        ("نباتات؛ طيور", ["نباتات", "طيور"]),
        ("森林；鸟类", ["森林", "鸟类"]),
        ("Trees -- Kenya; Lakes;", ["Trees -- Kenya", "Lakes"]),
        ("Birds &amp; trees; lakes", ["Birds &amp; trees", "lakes"]),
        ("fish (rays; sharks); whales", ["fish (rays; sharks)", "whales"]),
        ("Mammals, terrestrial", ["Mammals, terrestrial"]),
        (" ; ", []),
    ],
)
def test_semicolons_part_keywords(said: str, parts: list[str]) -> None:
    assert keywords.parted(said) == parts


@pytest.mark.parametrize(
    ("crosswalk", "metadata"),
    [
        ("oai_dc", {"subject": [{"value": "Aves; Peces", "lang": "es"}]}),
        ("oai_dcterms", {"subject": [{"value": "Aves; Peces", "lang": "es"}]}),
        ("mods", {"subject": [{"topic": [{"value": "Aves; Peces", "lang": "es"}]}]}),
        ("datacite", {"subjects": [{"subject": [{"value": "Aves; Peces", "lang": "es"}]}]}),
        ("dspace", {"field": [{"@element": "subject", "value": "Aves; Peces", "lang": "es"}]}),
        (
            "eml",
            {"dataset": [{"keywordSet": [{"keyword": [{"value": "Aves; Peces", "lang": "es"}]}]}]},
        ),
    ],
)
def test_keywords_of_one_element_keep_its_language(crosswalk: str, metadata: Any) -> None:
    made = oai(crosswalk, metadata)
    assert made["subject"] == [{"label": "Aves", "lang": "es"}, {"label": "Peces", "lang": "es"}]


def test_the_kind_of_a_data_set_is_a_subject() -> None:
    kinds = "GBIF Dataset Type Vocabulary: http://rs.gbif.org/vocabulary/gbif/dataset_type.xml"
    words = {
        "keyword": [{"value": "Occurrence", "lang": "eng"}, {"value": "Specimen", "lang": "eng"}]
    }
    sets = [{**words, "keywordThesaurus": [{"value": kinds}]}]
    made = oai("eml", {"dataset": [{"keywordSet": sets}]})
    assert made["subject"] == [
        {"label": "Occurrence", "lang": "en"},
        {"label": "Specimen", "lang": "en"},
    ]


def test_names_that_semicolons_part() -> None:
    made = oai(
        "oai_dc",
        element(
            creator=["Doe, Jane; Roe, R.", "O'Dell, Mark;"],
            contributor="KWS; UNEP (Nairobi; Geneva)",
            publisher="Department of Forests; Ministry",
        ),
    )
    assert labels(made, "creator", "name") == ["Doe, Jane", "Roe, R.", "O'Dell, Mark"]
    assert labels(made, "contributor", "name") == ["KWS", "UNEP (Nairobi; Geneva)"]
    assert labels(made, "publisher", "name") == ["Department of Forests; Ministry"]


def test_a_person_of_an_organization_is_the_creator_in_eml() -> None:
    person = element(
        individualName=element(givenName="Awa", surName="Diop"), organizationName="IRD"
    )
    made = oai("eml", element(dataset=element(creator=[person, element(organizationName="KWS")])))
    assert labels(made, "creator", "name") == ["Awa Diop", "KWS"]


# --- dates ---------------------------------------------------------------------------------

_ISO_DATE = element(
    date=element(Date="2001-02-03"),
    dateType=element(CI_DateTypeCode={"@codeListValue": "creation"}),
)
_MADE = element(citation=element(CI_Citation=element(date=element(CI_Date=_ISO_DATE))))


def of(**children: Any) -> dict[str, Any]:
    return {"metadata": element(**children)}


@pytest.mark.parametrize(
    ("crosswalk", "body"),
    [
        ("feed", {"feed": {}, "entry": {"title": {"value": "T"}, "updated": "2020-01-02"}}),
        ("oai_dc", of(created="1890", dateSubmitted="2020")),
        ("mods", of(originInfo=element(dateCreated="1890", dateCaptured="2010"))),
        ("mods", of(originInfo=element(dateOther={"value": "1890", "@keyDate": "yes"}))),
        ("datacite", of(dates=element(date={"value": "1890", "@dateType": "Created"}))),
        ("datacite", of(dates=element(date={"value": "1890", "@dateType": "Submitted"}))),
        ("dspace", of(field={"@element": "date", "@qualifier": "created", "value": "1890"})),
        ("iso19139", of(identificationInfo=element(MD_DataIdentification=_MADE))),
        ("solr", {"entry": {"title": "T", "startDate_dt": "2020-05-01T00:00:00Z"}}),
        ("ptk", {"versions": [{}], "entry": {"title": "T", "updated": "2020-05-01T00:00:00Z"}}),
    ],
)
def test_no_date_of_publication_is_made_of_another_date(crosswalk: str, body: Any) -> None:
    made = record_of(crosswalk, body)
    assert "issued" not in made
    assert not [issue for issue in made.get("issues", []) if issue.startswith("issued")]


def test_what_an_index_says_of_an_event_is_its_time() -> None:
    row = {
        "title": "T",
        "startDate_dt": "2020-05-01T00:00:00Z",
        "endDate_dt": "2020-05-04T00:00:00Z",
    }
    made = record_of("solr", {"entry": row})
    assert made["temporal"] == {"start": "2020-05-01T00:00:00Z", "end": "2020-05-04T00:00:00Z"}


# --- white space ---------------------------------------------------------------------------

_WRAPPED = (
    "The survey of the northern lakes began in the dry season of the year before\n"
    "Kenya joined the convention, and it went on until the rivers had risen. All\n"
    "Data were kept."
)


@pytest.mark.parametrize(
    ("said", "made"),
    [
        (_WRAPPED, _WRAPPED.replace("\n", " ")),
        (
            "Las aves de los bosques secos del norte del país\nson objeto de este estudio.",
            "Las aves de los bosques secos del norte del país son objeto de este estudio.",
        ),
        ("Fish\nBirds\nTrees of the coast", "Fish\nBirds\nTrees of the coast"),
        ("fish of the lake\nbirds of the shore", "fish of the lake\nbirds of the shore"),
        (
            "Ministry of the Environment of the Republic of Kenya\nNational Museums of Kenya",
            "Ministry of the Environment of the Republic of Kenya\nNational Museums of Kenya",
        ),
        (
            "The parks of the north are described in this volume:\nthe first is Marsabit.",
            "The parks of the north are described in this volume:\nthe first is Marsabit.",
        ),
        (
            "What is kept of the forests of the northern districts\na) the upper part\nb) the rest",
            "What is kept of the forests of the northern districts\na) the upper part\nb) the rest",
        ),
        (f"{_WRAPPED}\n\nFish\nBirds", f"{_WRAPPED}\n\nFish\nBirds".replace("\n", " ", 2)),
    ],
)
def test_wrapped_prose_is_one_paragraph_and_lists_stay(said: str, made: str) -> None:
    assert spaces.paragraphs(said) == made


@pytest.mark.parametrize(
    ("said", "made"),
    [
        ("СО\u202fРАН", "СО РАН"),
        ("à\u2009propos\u00a0: «\u202foui\u202f»", "à propos : « oui »"),
        ("12\u202f000 ha", "12\u202f000 ha"),
        ("12\u00a0000\u00a0ha", "12\u00a0000 ha"),
        ("a\u2003b", "a b"),
    ],
)
def test_spaces_of_other_widths_are_spaces_but_within_numbers(said: str, made: str) -> None:
    assert spaces.line(said) == made


# --- feeds and catalogues --------------------------------------------------------------------


def of_feed(body: str, media_type: str = "application/xml", **source: Any) -> list[dict[str, Any]]:
    page, _ = feed.read_feed(payload(body, media_type))
    assert not page.rejects
    return [record_of("feed", document, **source) for document in page.documents]


_RSS = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
    'xmlns:georss="http://www.georss.org/georss" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<channel><title>C</title><item><title>T</title>{}</item></channel></rss>"
)


@pytest.mark.parametrize(
    ("said", "place"),
    [
        ("64,5 177,5", [177.5, 64.5]),
        ("64,5 177.5", [177.5, 64.5]),
        ("64.5,177.5", [177.5, 64.5]),
        ("64.5, 177.5", [177.5, 64.5]),
        (" -17.7\n 178 ", [178.0, -17.7]),
        ("64", None),
        ("north east", None),
        ("1 2 3", None),
    ],
)
def test_a_point_of_georss(said: str, place: Any) -> None:
    (made,) = of_feed(_RSS.format(f"<georss:point>{said}</georss:point>"))
    assert made.get("bbox") == (place and place * 2)


def test_dublin_core_beside_an_item() -> None:
    (made,) = of_feed(
        _RSS.format(
            "<dc:coverage>Kenya</dc:coverage><dc:coverage>Gulu, Uganda</dc:coverage>"
            "<dcterms:spatial>Lake Albert</dcterms:spatial><dc:contributor>Ali, B.</dc:contributor>"
            "<georss:featurename>Rwanda</georss:featurename><dc:rights>CC BY 4.0</dc:rights>"
            "<dc:identifier>doi:10.5555/x</dc:identifier><guid isPermaLink='false'>1</guid>"
        ),
        countries=["TZ"],
    )
    assert made["spatial"] == ["KE", "UG", "RW"]
    assert labels(made, "coverage", "value") == ["Gulu, Uganda", "Lake Albert"]
    assert labels(made, "contributor", "name") == ["Ali, B."]
    assert (made["license"], made.get("rights")) == ("CC BY 4.0", None)
    assert made["same_as"] == ["1", "https://doi.org/10.5555/x"]


def test_an_atom_entry_in_another_language_than_its_feed() -> None:
    (made,) = of_feed(
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="eng"><title>F</title>'
        '<entry xml:lang="fre"><id>urn:x:1</id><title>Oiseaux</title><updated>2024-01-02</updated>'
        "<contributor><name>Awa Diop</name></contributor></entry></feed>"
    )
    assert (made["language"], made["modified"]) == (["fr"], "2024-01-02")
    assert made["title"] == [{"value": "Oiseaux", "lang": "fr"}]
    assert labels(made, "contributor", "name") == ["Awa Diop"]
    assert "issued" not in made


def test_the_files_of_a_json_feed_have_their_titles_and_sizes() -> None:
    file = {
        "url": "https://x.example/a",
        "mime_type": "text/csv",
        "size_in_bytes": 12,
        "title": "A",
    }
    item = {"id": "1", "title": "T", "attachments": [file]}
    said = {"version": "https://jsonfeed.org/version/1.1", "title": "F", "items": [item]}
    (made,) = of_feed(json.dumps(said), "application/feed+json")
    assert made["distribution"] == [
        {"url": "https://x.example/a", "title": "A", "media_type": "text/csv", "byte_size": 12}
    ]


_TURTLE = '''
@prefix dcat: <http://www.w3.org/ns/dcat#> . @prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> . @prefix locn: <http://www.w3.org/ns/locn#> .
@prefix adms: <http://www.w3.org/ns/adms#> . @prefix skos: <http://www.w3.org/2004/02/skos/core#> .
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix gsp: <http://www.opengis.net/ont/geosparql#> .
<urn:x:1> a dcat:Dataset ; dct:title "Reefs" ; dct:identifier "10.5555/reefs" ;
  adms:identifier [ skos:notation "10.6666/other" ] ; dct:creator [ foaf:name "Doe, J." ] ;
  dct:rights [ rdfs:label "Open"@en ] ; dct:created "1990" ;
  dct:spatial [ skos:prefLabel "Suva, Fiji"@en ; locn:geometry
"""<gml:Envelope srsName='urn:ogc:def:crs:EPSG::4326'><gml:lowerCorner>-20 177</gml:lowerCorner>
      <gml:upperCorner>-15 -179</gml:upperCorner></gml:Envelope>"""^^gsp:gmlLiteral ] ;
  dct:spatial [ locn:geometry
    "<http://www.opengis.net/def/crs/EPSG/0/4326> POINT(-21 -178)"^^gsp:wktLiteral ] ;
  dcat:distribution [ dcat:downloadURL <http://x.example/a.csv> ;
    dct:title "Fichier"@fr, "File"@en ] .
'''


def test_a_data_set_in_turtle() -> None:
    (row,) = dcat.read(payload(_TURTLE, "text/turtle")).datasets
    made = record_of("dcat", {"dataset": row, "form": "rdf", "place": dcat.place(row)})
    assert made["bbox"] == [177.0, -21.0, -178.0, -15.0]
    assert made["spatial"] == ["FJ"]
    assert labels(made, "creator", "name") == ["Doe, J."]
    assert made["rights"] == [{"value": "Open", "lang": "en"}]
    assert made["url"] == "https://doi.org/10.5555/reefs"
    assert made["same_as"] == ["https://doi.org/10.5555/reefs", "https://doi.org/10.6666/other"]
    assert labels(made, "distribution", "title") == ["File"]
    assert "issued" not in made


def test_places_and_persons_of_ckan() -> None:
    extras = {"spatial_text": "Kenya", "geographic_coverage": "Suva, Fiji"}
    entry = {
        "title": "T",
        "author": "Doe, J.; Roe, R.",
        "extras": [{"key": key, "value": said} for key, said in extras.items()],
    }
    made = record_of("ckan", {"kind": "dataset", "entry": entry}, countries=["TZ"])
    assert made["spatial"] == ["KE", "FJ"]
    assert labels(made, "coverage", "value") == ["Suva, Fiji"]
    assert labels(made, "creator", "name") == ["Doe, J.", "Roe, R."]
    entry["author"] = "someone@example.org"
    assert "creator" not in record_of("ckan", {"kind": "dataset", "entry": entry})


@pytest.mark.parametrize(
    ("box", "made"),
    [
        ([177, -20, -179, -15], [177.0, -20.0, -179.0, -15.0]),
        ([-180, -20, 180, -15], [178.0, -17.0, 178.0, -17.0]),
    ],
)
def test_the_box_that_a_feature_states_counts_unless_it_is_around_the_world(
    box: Any, made: Any
) -> None:
    point = {"type": "Point", "coordinates": [178, -17]}
    assert extent({"type": "Feature", "bbox": box, "geometry": point}) == made


# --- pages ---------------------------------------------------------------------------------


def of_page(**page: Any) -> dict[str, Any]:
    own = {"url": "https://x.example/p", "heading": "H", "lang": "en"}
    return record_of("html", {"pages": [{**own, **page}]}, countries=["NZ"])


def test_a_data_set_of_schema_org() -> None:
    thing = {
        "@type": "Dataset",
        "identifier": [
            "https://x.example/p",
            "doi:10.5555/reefs",
            {"@type": "PropertyValue", "propertyID": "ISBN", "value": "9789820101234"},
        ],
        "sameAs": "https://y.example/1",
        "creator": [{"@type": "Person", "name": "Doe, Jane"}, {"name": "SPC"}],
        "contributor": {"name": "Lee, M."},
        "spatialCoverage": {
            "@type": "Place",
            "name": "Suva",
            "address": {"addressCountry": {"@type": "Country", "name": "Fiji"}},
            "geo": {"@type": "GeoShape", "polygon": "-20,177 -20,182 -15,182 -20,177"},
        },
        "temporalCoverage": "2001/2005",
        "keywords": ["reef; fish", {"@type": "DefinedTerm", "name": "coral"}],
        "distribution": [
            {"contentUrl": "https://x.example/d", "fileFormat": "text/csv", "contentSize": "9 kB"},
            {"contentUrl": "https://x.example/e", "name": "E", "contentSize": "12"},
        ],
    }
    made = of_page(data=[thing])
    assert made["same_as"] == [
        "https://doi.org/10.5555/reefs",
        "urn:isbn:9789820101234",
        "https://y.example/1",
    ]
    assert labels(made, "creator", "name") == ["Doe, Jane", "SPC"]
    assert labels(made, "contributor", "name") == ["Lee, M."]
    assert (made["spatial"], labels(made, "coverage", "value")) == (["FJ"], ["Suva"])
    assert made["bbox"] == [177.0, -20.0, -178.0, -15.0]
    assert made["temporal"] == {"start": "2001", "end": "2005"}
    assert labels(made) == ["reef", "fish", "coral"]
    assert made["distribution"] == [
        {"url": "https://x.example/d", "media_type": "text/csv"},
        {"url": "https://x.example/e", "title": "E", "byte_size": 12},
    ]
    assert "issues" not in made


@pytest.mark.parametrize(
    ("place", "box"),
    [
        ({"geo": {"latitude": "-17,5", "longitude": "178"}}, [178.0, -17.5, 178.0, -17.5]),
        ({"latitude": -36.8, "longitude": 174.7}, [174.7, -36.8, 174.7, -36.8]),
        ([{"geo": {"box": "1 173 2 174"}}, {"geo": {"box": "1 -158 2 -157"}}], [173, 1, -157, 2]),
        ({"geo": {"box": "north 1 2 3"}}, None),
        ({"name": "Suva"}, None),
        ("Suva", None),
    ],
)
def test_places_of_schema_org(place: Any, box: Any) -> None:
    assert of_page(data=[{"@type": "Dataset", "spatialCoverage": place}]).get("bbox") == box


def test_what_the_head_of_a_page_says() -> None:
    meta = {
        "dc.identifier": ["10.5555/b"],
        "citation_doi": ["10.5555/B"],
        "dc.coverage": ["Nairobi, Kenya"],
        "dc.rights": ["CC BY 4.0", "Cite the source"],
        "citation_keywords": ["x; y"],
    }
    made = of_page(meta=meta)
    assert made["same_as"] == ["https://doi.org/10.5555/b"]
    assert (made["spatial"], made["license"]) == (["KE"], "CC BY 4.0")
    assert labels(made, "rights", "value") == ["Cite the source"]
    assert labels(made) == ["x", "y"]


# --- what repositories write -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("metadata", "url", "same_as"),
    [
        ({"identifier": ["hdl.handle.net/10.1/2"]}, "https://hdl.handle.net/10.1/2", None),
        ({"identifier": ["doi.org/10.5555/x"]}, "https://doi.org/10.5555/x", None),
        ({"identifier": ["dx.doi.org/10.5555/x", "1"]}, "https://doi.org/10.5555/x", ["1"]),
        ({"identifier": ["a1"], "URI": ["https://x.example/map"]}, "https://x.example/map", ["a1"]),
        ({"identifier": ["e-ISSN 1234-5679", "ISBN-13: 9789820101234"]}, None,
            ["urn:issn:1234-5679", "urn:isbn:9789820101234"]),
        ({"identifier": ["Journal, ISSN 1234-5679, 3"]}, None, ["Journal, ISSN 1234-5679, 3"]),
        ({"identifier": ["example.org/10.1/2"]}, None, ["example.org/10.1/2"]),
    ],
)  # fmt: skip
def test_identifiers_without_their_scheme(metadata: Any, url: Any, same_as: Any) -> None:
    made = oai("oai_dc", element(**metadata))
    assert (made.get("url"), made.get("same_as")) == (url, same_as)


@pytest.mark.parametrize(
    ("rights", "license"),
    [
        ("CC-BY-4.0: Creative Commons Attribution 4.0 International",) * 2,
        ("Creative Commons Attribution-NonCommercial 4.0 International",) * 2,
        ("Creative Commons is not what we use", None),
        ("Access constraints: unrestricted", None),
    ],
)
def test_names_of_licences(rights: str, license: Any) -> None:
    assert oai("oai_dc", element(rights=rights)).get("license") == license


def test_a_record_of_pangaea_in_dublin_core() -> None:
    place = (
        "MEDIAN LATITUDE: -17.5 * SOUTH-BOUND LATITUDE: -20 * WEST-BOUND LONGITUDE: 177 * "
        "NORTH-BOUND LATITUDE: -15 * EAST-BOUND LONGITUDE: -179 * "
        "DATE/TIME START: 2000-01-01T00:00:00 * DATE/TIME END: 2001-02-03T00:00:00"
    )
    made = oai("oai_dc", element(coverage=place, subject="Abundance; DATE/TIME"))
    assert made["bbox"] == [177.0, -20.0, -179.0, -15.0]
    assert made["temporal"] == {"start": "2000-01-01", "end": "2001-02-03"}
    assert (labels(made), made.get("coverage")) == (["Abundance", "DATE/TIME"], None)
