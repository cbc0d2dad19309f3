"""Documentation keeps step with the code."""

from __future__ import annotations

import dataclasses
import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import click
import pytest

import adapters
from adapters.source import CommonOptions, Declared, read_source
from chm_hub import cli, record, settings
from mappings import crosswalk, functions
from store.runs import COUNTS
from tests.conftest import ROOT

DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), ROOT / "bench" / "README.md"])
PARTS = (
    record.Text,
    record.Concept,
    record.Agent,
    record.Period,
    record.Distribution,
    record.Provenance,
)


def text(name: str) -> str:
    return (DOCS / name).read_text("utf-8")


def names_of(kind: Any) -> list[str]:
    return [field.name for field in dataclasses.fields(kind)]


def rows(page: str, *columns: str) -> dict[str, list[str]]:
    """The rows of the page's tables under these headings, by the words in their first cell."""
    found: dict[str, list[str]] = {}
    head = r"^\| " + r" \| ".join(map(re.escape, columns)) + r" \|$\n\|[-|]+\|$\n((?:\|.*\|$\n?)+)"
    for table in re.findall(head, page, re.MULTILINE):
        for line in table.splitlines():
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            assert len(cells) == len(columns), line
            assert all(cells), line
            for name in re.findall(r"`([^`]+)`", cells[0]):
                found[name] = cells[1:]
    return found


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", page, re.DOTALL | re.MULTILINE)


def anchors(page: Path) -> set[str]:
    """What a link may name on a page: its headings as the forges write them."""
    heads = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


def commands(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    for name, command in group.commands.items():
        words = f"{above}{name}"
        if isinstance(command, click.Group):
            yield from commands(command, f"{words} ")
        else:
            yield words, command


def section_of(words: str, page: str) -> str:
    """The part of the page, between two headings, in which a command is explained."""
    parts = [
        part for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:] if f"`{words}" in part
    ]
    assert parts, f"`{words}` is explained nowhere"
    return "\n".join(parts)


def test_every_setting_is_explained() -> None:
    table = rows(text("settings.md"), "variable", "default", "meaning")
    assert set(table) == {f"CHM_HUB_{name.upper()}" for name in names_of(settings.Settings)}


def test_the_example_of_settings_is_good(tmp_path: Path) -> None:
    (example,) = blocks(text("settings.md"), "toml")
    path = tmp_path / "hub.toml"
    path.write_text(example, "utf-8")
    made = settings.load({"CHM_HUB_CONFIG": str(path)})
    assert made.repository_id in made.base_url


@pytest.mark.parametrize("words", [words for words, _ in commands(cli.main)])
def test_every_command_and_option_is_explained(words: str) -> None:
    command = dict(commands(cli.main))[words]
    section = section_of(words, text("command-line.md"))
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            if parameter.hidden:  # what the hub's own processes tell one another
                continue
            name = parameter.opts[-1]
            assert re.search(rf"[`\[ |]{re.escape(name)}[`\] |]", section), (words, name)
        else:
            assert str(parameter.make_metavar(click.Context(command))).strip("[].…") in section


def test_what_the_command_line_does_not_have_is_not_explained() -> None:
    known = {o for _, c in commands(cli.main) for p in c.params for o in p.opts}
    known |= {o for p in cli.main.params for o in p.opts} | {"--help", "--version"}
    for page in PAGES:
        for line in page.read_text("utf-8").splitlines():
            for said in re.findall(r"chm-hub ((?:[\w./-]+ ?)+)", line):
                assert set(re.findall(r"(?<!\S)--[a-z-]+", said)) <= known, (page.name, line)


def test_every_key_of_a_source_file_is_explained() -> None:
    table = rows(text("add-a-source.md"), "key", "meaning", "if left out")
    assert set(table) == set(names_of(Declared))


def test_every_state_and_count_of_a_run_is_explained() -> None:
    page = text("add-a-source.md")
    states = {"complete", "complete_with_warnings", "partial", "failed", "held", "running"}
    assert set(rows(page, "state", "means", "do")) == states
    assert set(rows(page, "count", "means")) == set(COUNTS)


def test_every_word_for_an_error_is_explained() -> None:
    said = set(rows(text("add-a-source.md"), "error", "means", "do"))
    folders = ("chm_hub", "harvesters", "adapters")
    met = 0
    for path in (p for folder in folders for p in (ROOT / folder).rglob("*.py")):
        code = path.read_text("utf-8")
        for call in re.findall(r"(?:FetchError|ProtocolError)\((.*?)\n\s*\)", code, re.DOTALL):
            for word in re.findall(r'reason="(\w+)"', call):
                assert word in said | {"stopped"}, (path.name, word)
                met += 1
    assert met > 12


@pytest.mark.parametrize("name", adapters.names())
def test_every_option_of_an_adapter_is_explained(name: str) -> None:
    page = text(f"adapters/{name}.md")
    table = rows(page, "option", "default", "meaning")
    options = adapters.adapter(name).Options
    assert set(table) == set(names_of(options))
    assert set(names_of(CommonOptions)) <= set(table)
    for field in dataclasses.fields(options):
        default = field.default
        if field.default_factory is not dataclasses.MISSING:
            default = field.default_factory()
        shown = "(needed)" if default is dataclasses.MISSING else f"`{default}`"
        assert table[field.name][0] == shown, field.name
    for part in ("**Asks**", "**Pages**", "**Knows what changed**", "**Drops**"):
        assert part in page
    assert "**Not verified live:**" in page
    assert f"adapters/{name}.md" in text("README.md")
    assert f"adapters/{name}.md" in text("add-a-source.md")


def test_the_page_of_functions_is_what_the_functions_say() -> None:
    page = text("crosswalk-functions.md")
    assert page == functions.document()
    for name in functions.REGISTERED:
        assert f"\n## {name}(" in page


def test_every_field_of_a_record_is_explained() -> None:
    page = text("record.md")
    assert set(rows(page, "field", "holds", "meaning")) == record.FIELDS
    for part in PARTS:
        for name in names_of(part):
            assert f"`{name}`" in page, (part.__name__, name)


def test_every_key_of_a_crosswalk_is_explained() -> None:
    page = text("write-a-crosswalk.md").partition("## More than")[2]
    keys = ("description", "defaults", "tables", "extends", "skip", "deleted", "choose", "choices")
    for key in (*keys, "ignore"):
        assert re.search(rf"^\| .*`\[?{key}\b", page, re.MULTILINE), key


def test_examples_of_sources_are_good(tmp_path: Path) -> None:
    pages = [DOCS / "add-a-source.md", *(DOCS / "adapters").glob("*.md")]
    for page in pages:
        examples = blocks(page.read_text("utf-8"), "toml")
        assert examples, page.name
        for number, example in enumerate(examples):
            path = tmp_path / f"{page.stem}-{number}.toml"
            path.write_text(example, "utf-8")
            source, faults = read_source(path)
            assert faults == [], page.name
            assert source is not None
            assert page.parent == DOCS or source.declared.adapter == page.stem


def test_examples_of_crosswalks_are_good(tmp_path: Path) -> None:
    examples = blocks(text("write-a-crosswalk.md"), "toml")
    for number, example in enumerate(examples):
        (tmp_path / f"example-{number}.toml").write_text(example, "utf-8")
        tomllib.loads(example)
        crosswalk.load(f"example-{number}", [tmp_path])
    assert len(examples) == 3


def test_the_expressions_of_the_primer_give_what_it_says() -> None:
    page = text("write-a-crosswalk.md")
    document = json.loads(blocks(page, "json")[0])
    table = re.search(r"^\| expression \| gives.*?\n\n", page, re.DOTALL | re.MULTILINE)
    assert table is not None
    tried = 0
    for line in table[0].splitlines()[2:]:
        if not line:
            continue
        expression, gives = re.split(r"(?<!\\) \| ", line.strip("| "))[:2]
        if "…" in gives or ", ``" in expression:
            continue
        expression = expression.replace("\\|", "|").strip("`").strip()
        assert crosswalk.evaluate(expression, document) == json.loads(gives.strip("`")), line
        tried += 1
    assert tried > 8


@pytest.mark.parametrize("page", PAGES, ids=[str(p.relative_to(ROOT)) for p in PAGES])
def test_links_lead_somewhere(page: Path) -> None:
    written = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for link in re.findall(r"\]\((?!https?:|mailto:)([^)\s]+)\)", written):
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(target), link
    assert page.parent != DOCS or page.name == "README.md" or page.name in text("README.md")


def test_every_decision_is_listed() -> None:
    for path in (DOCS / "decisions").glob("*.md"):
        assert f"decisions/{path.name}" in text("README.md"), path.name
        assert re.match(r"\d{4}-[a-z0-9-]+\.md", path.name)
