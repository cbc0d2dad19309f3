"""The names are ours, the packages are whole, and the functions do what they say."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import tomllib

import jmespath
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chm_hub.document import Document
from mappings import crosswalk, functions
from mappings.unread import unread
from tests.conftest import ROOT

PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"][
    "targets"
]["wheel"]["packages"]


@pytest.mark.parametrize("name", PACKAGES)
def test_a_top_level_package_is_ours(name: str) -> None:
    """Distributions of these names exist; one installed by accident would hide our folder."""
    module = importlib.import_module(name)
    assert module.__file__ is not None
    assert module.__file__.startswith(str(ROOT)), f"{name} comes from {module.__file__}"
    owners = importlib.metadata.packages_distributions().get(name, ["chm-hub"])
    assert set(owners) == {"chm-hub"}


@pytest.mark.parametrize("name", sorted(functions.REGISTERED))
def test_the_example_of_a_function_is_true(name: str) -> None:
    expression, value = functions.example(functions.REGISTERED[name])
    context = functions.Context(source={}, tables={})
    token = functions.using(context)
    try:
        made = jmespath.search(expression, {}, crosswalk._OPTIONS)
    finally:
        functions.done(token)
    assert made == json.loads(value)
    assert context.issues == []


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "metadata",
                    "title",
                    "value",
                    "lang",
                    "entry",
                    "feed",
                    "index",
                    "document",
                    "header",
                ]
                + ["schema_s", "languages", "date", "type", "links", "identifier", "url_ss", "text"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=25,
)
PROVENANCE = {
    "source": "src",
    "base_url": "u",
    "url": "u",
    "harvested": "2026-01-01T00:00:00Z",
    "run": "src/1",
}


@settings(max_examples=150, deadline=None)
@given(body=JSON, name=st.sampled_from(["oai", "feed", "scbd", "gbif", "eml", "mods", "marc21"]))
def test_no_document_whatever_it_holds_makes_a_crosswalk_raise(body: object, name: str) -> None:
    rules = crosswalk.load(name)
    document = Document(identifier="x", body=body)
    source = {"id": "src", "url": "https://x.example", "options": {}, "countries": []}
    crosswalk.apply(rules, document, source, PROVENANCE)
    crosswalk.explain(rules, document, source)
    unread(rules, document)


BROKEN = """
extends = "nothing"
[record]
titel = "a"
title = "text("
description = "trimm(a)"
url = "absolute_url()"
type = "lookup('kinds', a)"
identifier = "a"
spatial = 3
[tables]
types = 1
[defaults]
type = "blog"
[ignored]
paths = []
"""


def test_all_mistakes_of_a_crosswalk_are_named_at_once(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "bad.toml").write_text(BROKEN.replace('extends = "nothing"\n', ""))
    (tmp_path / "lost.toml").write_text('extends = "nothing"\n[record]\ntitle = "a"\n')
    (tmp_path / "round.toml").write_text('extends = "round"\n[record]\ntitle = "a"\n')
    with pytest.raises(crosswalk.CrosswalkError) as caught:
        crosswalk.check_all([tmp_path])
    said = str(caught.value)
    for words in (
        "bad.toml: record.titel: no such record field; known are",
        "bad.toml: record.title: not a JMESPath expression",
        "bad.toml: record.description: no function trimm()",
        "bad.toml: record.url: absolute_url() takes",
        "bad.toml: record.type: lookup: no table 'kinds'",
        "bad.toml: record.identifier: the hub fills it in itself",
        "bad.toml: record.spatial: must be an expression in quotes",
        "bad.toml: tables.types: must be a table",
        "bad.toml: defaults.type: no such record type",
        "bad.toml: ignored: no such key",
        "lost.toml: extends: 'nothing' cannot be used",
        "round.toml: extends: round → round is a circle",
    ):
        assert words in said, words
