"""Descriptions in Markdown become text; what is no Markdown stays as it is."""

from __future__ import annotations

import pytest

from mappings import functions


def plain(value: object) -> object:
    token = functions.using(functions.Context(source={}, tables={}))
    try:
        return functions.REGISTERED["from_markdown"](value)
    finally:
        functions.done(token)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("# Forests\n\nOf **Kenya** and _Uganda_.", "Forests\nOf Kenya and Uganda."),
        ("Forests\n=======\n\nText", "Forests\nText"),
        ("* one\n* two\n  * three", "one\ntwo\nthree"),
        ("1. one\n2. two", "1. one\n2. two"),
        ('See [the *atlas*](https://x.example/a "Atlas") of [1].', "See the atlas of [1]."),
        ("See [it][a].\n\n[a]: https://x.example/a", "See it."),
        (
            "<https://x.example/a>, `code` and ![a map](m.png)text",
            "https://x.example/a, code and text",
        ),
        ("> quoted\n> lines", "quoted\nlines"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "a b\n1 2"),
        ("one  \ntwo\n\n---\n\nthree **x**", "one\ntwo\nthree x"),
        (r"5 \* 3 is \[15\]", "5 * 3 is [15]"),
        ("<p>HTML &amp; **stress**</p>\n\n* one", "HTML & **stress**\none"),
        ("**Забота** о *лесах*", "Забота о лесах"),
        ("**غابات** كينيا", "غابات كينيا"),
        # No Markdown.
        ("snake_case_name and 2*3*4, a * b", "snake_case_name and 2*3*4, a * b"),
        ("A line\nand another", "A line\nand another"),
        ("AT&T at 5 < 6", "AT&T at 5 < 6"),
        ("    four blanks **and** stress", "four blanks and stress"),
    ],
)
def test_markdown_becomes_text(written: str, read: str) -> None:
    assert plain(written) == read


def test_the_shape_is_kept() -> None:
    texts = [{"value": "*a*", "lang": "en"}, {"value": "`b`", "lang": "fr"}]
    assert plain(texts) == [{"value": "a", "lang": "en"}, {"value": "b", "lang": "fr"}]
    assert plain(None) is None
