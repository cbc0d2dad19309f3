"""Texts in several languages, in the shapes JSON has for them."""

from __future__ import annotations

from typing import Any

import pytest

from chm_hub.language_maps import texts_of

BOTH = [{"value": "Forest", "lang": "en"}, {"value": "Forêt", "lang": "fr"}]


@pytest.mark.parametrize(
    "value",
    [
        {"en": "Forest", "fr": "Forêt"},
        {"en": ["Forest"], "fr": ["Forêt", ""]},
        [{"@value": "Forest", "@language": "en"}, {"@value": "Forêt", "@language": "fr"}],
        [{"value": "Forest", "lang": "en"}, {"value": "Forêt", "language": "fr"}],
        [{"en": "Forest"}, {"fr": "Forêt"}],
        {"en": {"@value": "Forest"}, "fr": {"value": "Forêt"}},
        '{"en": "Forest", "fr": "Forêt"}',
        '[{"@value": "Forest", "@language": "en"}, {"@value": "Forêt", "@language": "fr"}]',
        {"label": {"en": "Forest", "fr": "Forêt"}},
        {"en": "Forest", "fr": "Forêt", "ar": "", "ru": None, "es": []},
    ],
)
def test_shapes_of_the_same_two_texts(value: Any) -> None:
    assert texts_of(value) == BOTH


@pytest.mark.parametrize(
    ("value", "texts"),
    [
        ("Forest", [{"value": "Forest"}]),
        (["a", " ", "b"], [{"value": "a"}, {"value": "b"}]),
        (7, [{"value": "7"}]),
        ({"zh_Hant": "森林"}, [{"value": "森林", "lang": "zh-Hant"}]),
        ({"@none": "F", "default": "G"}, [{"value": "F"}, {"value": "G"}]),
        ({"@value": "F", "@language": "und"}, [{"value": "F"}]),
        # A text that only looks like JSON stays as it is.
        ('{"Forest": 1}', [{"value": '{"Forest": 1}'}]),
        ("{en}", [{"value": "{en}"}]),
        ({"@id": "http://x.example/1"}, []),
        ({"en": {"fr": {"en": {"fr": {"en": {"fr": {"en": "deep"}}}}}}}, []),
        (None, []),
        (True, []),
    ],
)
def test_other_values(value: Any, texts: list[dict[str, str]]) -> None:
    assert texts_of(value) == texts
