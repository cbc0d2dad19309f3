"""JSON with halves of characters in it, as are left of an emoji where a title was cut."""

from __future__ import annotations

import json

import pytest

from harvesters import jsons


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
