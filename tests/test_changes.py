"""A date of change is one that the source states; a place and a period are what it means."""

from __future__ import annotations

from typing import Any

import pytest

from chm_hub.document import Document, Payload
from harvesters import feed, html
from mappings import crosswalk
from tests.test_crosswalk_engine import PROVENANCE, SOURCE

RSS = """<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:dcterms="http://purl.org/dc/terms/" xmlns:georss="http://www.georss.org/georss"
 xmlns:gml="http://www.opengis.net/gml" xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#">
 <channel><title>C</title><lastBuildDate>Fri, 20 Jun 2014 00:00:01 GMT</lastBuildDate>
 <item><title>T</title>{}</item></channel></rss>"""
RDF = """<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"
 xmlns="http://purl.org/rss/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/">
 <channel><title>C</title></channel><item><title>T</title>{}</item></rdf:RDF>"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom"><title>C</title>
 <entry><title>T</title>{}</entry></feed>"""


NOW = PROVENANCE["harvested"]


def outcome(name: str, body: Any) -> crosswalk.Outcome:
    document = Document(identifier="1", body=body)
    return crosswalk.apply(crosswalk.load(name), document, SOURCE, PROVENANCE)


def record_of(form: str, inner: str) -> Any:
    payload = Payload(
        url="https://x.example/feed",
        body=form.format(inner).encode(),
        status=200,
        headers={},
        fetched=NOW,
    )
    page, _ = feed.read_feed(payload)
    (document,) = page.documents
    record = outcome("feed", document.body).record
    assert record is not None
    return record


@pytest.mark.parametrize(
    ("form", "inner", "issued", "modified"),
    [
        (RSS, "<pubDate>Thu, 19 Jun 2014 06:00:00 GMT</pubDate>", "2014-06-19T06:00:00Z", None),
        (RSS, "<dc:date>2014-06-19</dc:date>", "2014-06-19", None),
        (RDF, "<dc:date>2014-06-19</dc:date>", "2014-06-19", None),
        (
            RSS,
            "<pubDate>19 Jun 2014</pubDate><dcterms:modified>2015-01-02</dcterms:modified>",
            "2014-06-19",
            "2015-01-02",
        ),
        (
            ATOM,
            "<published>2014-06-19T06:00:00Z</published><updated>2015-01-02T00:00:00Z</updated>",
            "2014-06-19T06:00:00Z",
            "2015-01-02T00:00:00Z",
        ),
        (ATOM, "<published>2014-06-19T06:00:00Z</published>", "2014-06-19T06:00:00Z", None),
        (RSS, "", None, None),
        (RSS, "<pubDate>Mon, 01 Jan 0001 00:00:00 GMT</pubDate>", None, None),
    ],
)
def test_a_feed_says_itself_whether_an_entry_changed(
    form: str, inner: str, issued: str | None, modified: str | None
) -> None:
    made = record_of(form, inner)
    assert (made.issued, made.modified) == (issued, modified)


@pytest.mark.parametrize(
    ("place", "box"),
    [
        ("<georss:point>-18 178</georss:point>", (178, -18, 178, -18)),
        ("<georss:box>-20 177 -15 -178</georss:box>", (177, -20, -178, -15)),
        ("<georss:polygon>-20 177 -20 182 -15 182 -20 177</georss:polygon>", (177, -20, -178, -15)),
        ("<georss:line>-20 177 -15 -178</georss:line>", (177, -20, -178, -15)),
        (
            "<georss:where><gml:Envelope><gml:lowerCorner>-20 177</gml:lowerCorner>"
            "<gml:upperCorner>-15 -178</gml:upperCorner></gml:Envelope></georss:where>",
            (177, -20, -178, -15),
        ),
        (
            "<georss:where><gml:Polygon><gml:exterior><gml:LinearRing><gml:posList>1 2 1 4 3 4 1 2"
            "</gml:posList></gml:LinearRing></gml:exterior></gml:Polygon></georss:where>",
            (2, 1, 4, 3),
        ),
        ("<geo:lat>-18</geo:lat><geo:long>178</geo:long>", (178, -18, 178, -18)),
        ("<georss:polygon>here</georss:polygon>", None),
    ],
)
def test_places_of_feeds(place: str, box: tuple[float, ...] | None) -> None:
    assert record_of(RSS, place).bbox == box


@pytest.mark.parametrize(
    ("changed", "asked", "told"),
    [
        ("Mon, 05 Jan 2015 10:00:00 GMT", "Sun, 29 Nov 2026 10:00:00 GMT", True),
        ("Sun, 29 Nov 2026 09:59:59 GMT", "Sun, 29 Nov 2026 10:00:00 GMT", False),
        ("Sun, 29 Nov 2026 10:00:01 GMT", "Sun, 29 Nov 2026 10:00:00 GMT", False),
        ("Mon, 05 Jan 2015 10:00:00 GMT", None, True),
    ],
)
def test_a_page_made_for_the_visitor_has_no_date_of_change(
    changed: str, asked: str | None, told: bool
) -> None:
    headers = {"Last-Modified": changed, **({"Date": asked} if asked else {})}
    body = b"<html><head><title>T</title></head><body><p>Text</p></body></html>"
    page = html.read(
        Payload(url="https://x.example/1", body=body, status=200, headers=headers, fetched=NOW)
    )
    made = outcome("html", {"pages": [page]}).record
    assert made is not None
    assert (made.modified is not None) is told
    assert page["modified"] == changed, "what the server is asked with stays"


STAC = {"kind": "item", "address": "https://x.example/1", "links": []}


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "stac",
            {
                **STAC,
                "entry": {
                    "id": "1",
                    "properties": {
                        "start_datetime": "2024-05-02T00:00:00Z",
                        "end_datetime": "2014-05-02T00:00:00Z",
                    },
                },
            },
        ),
        (
            "stac",
            {
                **STAC,
                "entry": {
                    "id": "1",
                    "extent": {"temporal": {"interval": [["2024-01-01", "2014-01-01"]]}},
                },
            },
        ),
        ("dcat", {"dataset": {"title": "T", "temporal": "2024/2014"}, "place": {"names": []}}),
        (
            "ckan",
            {
                "entry": {
                    "id": "1",
                    "title": "T",
                    "extras": [
                        {"key": "temporal_start", "value": "2024"},
                        {"key": "temporal_end", "value": "2014"},
                    ],
                }
            },
        ),
        (
            "feed",
            {
                "feed": {},
                "entry": {"title": {"value": "T"}, "event": {"start": "2024", "end": "2014"}},
            },
        ),
    ],
)
def test_a_period_that_ends_before_it_begins_is_told_in_every_format(name: str, body: Any) -> None:
    made = outcome(name, body)
    assert made.record is not None
    assert made.record.temporal is None
    assert any("temporal: ends before it begins" in f"{i.field}: {i.message}" for i in made.issues)


def test_a_plan_may_end_in_the_future_but_is_not_published_there() -> None:
    made = outcome(
        "dcat",
        {
            "dataset": {
                "title": "Plan",
                "issued": "2031-01-01",
                "modified": "2032",
                "temporal": "2025/2050",
            },
            "place": {"names": []},
        },
    )
    assert made.record is not None
    assert (made.record.issued, made.record.modified) == (None, None)
    assert made.record.temporal is not None
    assert made.record.temporal.end == "2050"
    assert [i.message for i in made.issues if i.field in ("issued", "modified")] == [
        "a date to come: '2031-01-01'",
        "a date to come: '2032'",
    ]
