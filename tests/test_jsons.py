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
