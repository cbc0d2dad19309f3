"""JSON that is not quite that, or has halves of characters in it, as are left of an emoji where a
title was cut."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub import fetch as fetching
from chm_hub.document import Payload, Walk
from chm_hub.errors import ProtocolError
from chm_hub.fetch.sniff import came, is_whole, kind_of
from harvesters import dcat, drupal_jsonapi, feed, json_api, jsons

TEXT = '{"a": "café", "b": "Ω"}'
OTHER = {"encoding_not_utf-8": 1}


def payload(body: bytes, charset: str = "") -> Payload:
    kind = f"application/json; charset={charset}" if charset else "application/json"
    return Payload(
        url="http://s.example/x",
        status=200,
        headers={"Content-Type": kind},
        body=body,
        fetched=datetime.now(UTC),
    )


@pytest.mark.parametrize(
    ("body", "charset", "value", "told"),
    [
        (TEXT.encode(), "", {"a": "café", "b": "Ω"}, {}),
        (TEXT.encode(), "iso-8859-1", {"a": "café", "b": "Ω"}, {}),
        (TEXT.encode("utf-8-sig"), "", {"a": "café", "b": "Ω"}, {}),
        (TEXT.encode("utf-16"), "", {"a": "café", "b": "Ω"}, OTHER),
        (TEXT.encode("utf-16-be"), "", {"a": "café", "b": "Ω"}, OTHER),
        (TEXT.encode("utf-32"), "", {"a": "café", "b": "Ω"}, OTHER),
        (b'{"a": "caf\xe9"}', "", {"a": "café"}, OTHER),
        (b'["\x93caf\xc3\xa9\x94"]', "utf-8", ["“café”"], OTHER),
        ('["Сохранение"]'.encode("cp1251"), "windows-1251", ["Сохранение"], OTHER),
        (b'["a\tb\nc\x0b"]', "", ["a\tb\nc\x0b"], {"control_characters": 1}),
        (b'["caf\xe9\t"]', "", ["café\t"], {**OTHER, "control_characters": 1}),
    ],
)
def test_it_is_repaired_and_told(
    body: bytes, charset: str, value: Any, told: dict[str, int]
) -> None:
    said: Counter[str] = Counter()
    assert jsons.read(payload(body, charset), said) == value
    assert said == told


NOTICE = "<br />\n<b>Notice</b>:  Undefined index: [8] in <b>/w/f.php</b> on line <b>3</b><br />\n"
AROUND = {"surroundings_removed": 1}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("\ufeff\ufeff", ""),
        ("\ufeff\r\n\ufeff\ufeff", "\n"),
        (NOTICE, ""),
        (NOTICE * 40, ""),
        ("\nWarning: Array to string conversion in /w/f.php on line 3\n", ""),
        ("<font size='1'><table class='xdebug-error'><tr><td>{x}</td></tr></table></font>", ""),
        ("<!-- page made in 0.1 s -->", "\n<!-- Cached by X -->"),
        ("", "\n<!-- Cached by X {a: 1} -->"),
        ("", "<div id='bar'><script>var a = {};</script></div>"),
        ("", "\nPHP Notice: Undefined index in /w/f.php"),
        ("", "0"),
        ("/* made by X */ found(", ");"),
        (")]}',\n", ""),
        ("while(1);", ""),
    ],
)
@pytest.mark.parametrize("value", [TEXT, "[]", '[{"a": "<p>]}</p>"}]', '{"a": "b\tc"}'])
def test_what_stands_around_it_is_taken_away_and_told(before: str, after: str, value: str) -> None:
    said: Counter[str] = Counter()
    body = (before + value + after).encode()
    assert jsons.read(payload(body), said) == json.loads(value, strict=False)
    assert said == {**AROUND, **({"control_characters": 1} if "\t" in value else {})}
    assert kind_of(body) == "json"
    assert is_whole(body)


@pytest.mark.parametrize(
    "body",
    [
        '{"a": 1}\n{"a": 2}',  # two values: which of them is the answer?
        '{"a": 1}, {"a": 2}',
        NOTICE + '{"a": 1, "b"',  # cut off
        NOTICE + "[8]",
        "<script>var a = {};</script>",
        "<div>{not json}</div>",
        "Not found: {}, said [the server]",
    ],
)
def test_what_is_not_one_whole_value_is_none(body: str) -> None:
    with pytest.raises(ProtocolError, match="not JSON"):
        jsons.read(payload(body.encode()), Counter())


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (NOTICE.encode() + b'{"a": 1, "b"', "something else, which begins '<br /> <b>Notice</b>"),
        (b"<?xml version='1.0'?><!-- x --><rss/>", "XML (its root is rss), which begins"),
        (b"<html><title>Log  in</title>", "a page titled 'Log in'"),
        (b"no service", "something else, which begins 'no service'"),
        (b"", "an empty answer"),
    ],
)
def test_a_message_says_what_came_in_place_of_json(body: bytes, said: str) -> None:
    assert said in came(body)


@pytest.mark.parametrize(
    "body",
    [
        b"<?xml version='1.0'?><rss><a>{}</a></rss>",
        b"<b>Notice</b> x <?xml version='1.0'?><rss><a>{}</a></rss>",
        b'<rss><channel>{"a": 1}</channel></rss>',
    ],
)
def test_xml_stays_xml(body: bytes) -> None:
    assert kind_of(body) == "xml"


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b'{"a": 1} x', b"<html>caf\xe9", b"\xff\xfe{", b"\0\0\0", b"[" * 100_000],
    ids=["empty", "open", "more", "html", "half", "zeros", "deep"],
)
def test_what_is_none_says_so_and_counts_nothing(body: bytes) -> None:
    said: Counter[str] = Counter()
    with pytest.raises(ProtocolError, match="not JSON") as raised:
        jsons.read(payload(body), said)
    assert raised.value.reason == "not_json"
    assert not said


def test_what_must_prove_something_is_not_repaired() -> None:
    for body in (b'{"a": "caf\xe9"}', TEXT.encode("utf-16"), b'["\t"]'):
        with pytest.raises(ProtocolError, match="not JSON"):
            jsons.parse(body, "x")


def test_a_walk_counts_what_was_repaired_on_its_way() -> None:
    walk = Walk(started=datetime.now(UTC))

    async def fetch(request: fetching.Request) -> Payload:
        rows = [{"id": n, "title": "café"} for n in range(2)] if "offset=0" in request.url else []
        told = json.dumps({"results": rows, "count": 2}, ensure_ascii=False)
        return payload(told.encode("cp1252"))

    async def go() -> list[Any]:
        options = json_api.Options(url="http://s.example/x")
        pages = [page async for page in json_api.harvest(fetch, walk, options)]
        return [document.body["entry"]["title"] for page in pages for document in page.documents]

    assert asyncio.run(go()) == ["café", "café"]
    assert walk.complete
    assert walk.warnings == OTHER


def test_so_does_a_page_of_json_api() -> None:
    async def fetch(request: fetching.Request) -> Payload:
        return payload(b'{"data": [{"type": "node--page", "id": "1", "title": "caf\xe9"}]}')

    listing = asyncio.run(drupal_jsonapi.read_list(fetch, "http://s.example/x"))
    assert listing.rows[0]["title"] == "café"
    assert listing.warnings == list(OTHER)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (r'"a\ud83d"', "a\uffff"),
        (r'"\uDE00b"', "\uffffb"),
        (r'"\ud83d\ude00"', "😀"),
        (r'"\ud83d\ud83d\ude00"', "\uffff😀"),
        (r'"\ude00\ud83d"', "\uffff\uffff"),
        (r'"\\ud83d"', r"\ud83d"),
        (r'"\\\ud83d"', "\\\uffff"),
        (r'"\n\ud83d\n"', "\n\uffff\n"),
        (r'{"\ud83d": ["\ud83d"]}', {"\uffff": ["\uffff"]}),
    ],
)
def test_halves_of_characters_are_none(text: str, value: object) -> None:
    assert jsons.parse(text.encode(), "x") == value


def test_what_is_whole_is_as_it_was() -> None:
    value = {"a": ["\\ud83d", "😀", "\\\\", '"', "\x7f\u2028"], "\\": 1.5}
    assert jsons.parse(json.dumps(value).encode(), "x") == value
    assert jsons.parse(json.dumps(value, ensure_ascii=False).encode(), "x") == value


@pytest.mark.parametrize("key", ["dataset", "items"])
def test_so_do_catalogues_and_feeds(key: str) -> None:
    told = {"version": "https://jsonfeed.org/version/1.1", key: [{"id": "1", "title": "é\t"}]}
    body = json.dumps(told, ensure_ascii=False).replace("\\t", "\t").encode("cp1252")
    answer = payload(body)
    if key == "items":
        page, _ = feed._read_json_feed(answer)
        assert page.documents[0].body["entry"]["title"]["value"].strip() == "é"
        assert page.warnings == [*OTHER, "control_characters"]
    else:
        catalogue = dcat.read(answer)
        assert catalogue.datasets[0]["title"] == "é\t"
        assert catalogue.warnings == [*OTHER, "control_characters"]
