"""Documentation keeps step with the code."""

from __future__ import annotations

import dataclasses
import re
import tomllib

import click
import pytest

import adapters
from adapters.source import Declared, read_source
from chm_hub import cli, settings
from mappings import crosswalk, functions
from tests.conftest import ROOT

DOCS = ROOT / "docs"


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def test_every_setting_is_explained() -> None:
    for field in dataclasses.fields(settings.Settings):
        assert f"`CHM_HUB_{field.name.upper()}`" in text("settings.md")


def test_every_command_and_option_is_explained() -> None:
    page = text("command-line.md")
    for name, command in cli.main.commands.items():
        subcommands = command.commands.items() if isinstance(command, click.Group) else []
        for words, made in [(name, command), *((n, c) for n, c in subcommands)]:
            assert words in page, words
            for parameter in made.params:
                if isinstance(parameter, click.Option):
                    assert parameter.opts[-1] in page, (words, parameter.opts)


def test_every_key_of_a_source_file_is_explained() -> None:
    for field in dataclasses.fields(Declared):
        assert f"`{field.name}`" in text("add-a-source.md"), field.name


@pytest.mark.parametrize("name", adapters.names())
def test_every_option_of_an_adapter_is_explained(name: str) -> None:
    page = text(f"adapters/{name}.md")
    for field in dataclasses.fields(adapters.adapter(name).Options):
        assert re.search(rf"\| `{field.name}` \| .+ \| \S+", page), field.name
    for part in ("**Asks**", "**Pages**", "**Knows what changed**", "**Not verified live:**"):
        assert part in page


def test_the_page_of_functions_is_what_the_functions_say() -> None:
    assert text("crosswalk-functions.md") == functions.document()


def test_examples_in_the_pages_are_good(tmp_path) -> None:  # type: ignore[no-untyped-def]
    blocks = [
        block
        for page in ("add-a-source.md", "write-a-crosswalk.md")
        for block in re.findall(r"```toml\n(.*?)```", text(page), re.DOTALL)
    ]
    sources = [block for block in blocks if re.search(r"^adapter\s*=", block, re.MULTILINE)]
    rules = [block for block in blocks if "[record]" in block]
    assert sources
    assert rules
    for number, block in enumerate(sources):
        path = tmp_path / f"example-{number}.toml"
        path.write_text(block)
        assert read_source(path)[1] == []
    for number, block in enumerate(rules):
        (tmp_path / f"mine-{number}.toml").write_text(block)
        crosswalk.load(f"mine-{number}", [tmp_path])
    for block in blocks:
        tomllib.loads(block)


def test_links_between_pages_lead_somewhere() -> None:
    pages = [*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "bench" / "README.md"]
    for page in pages:
        for link in re.findall(r"\]\((?!https?:|mailto:|#)([^)#]+)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), (page.name, link)
