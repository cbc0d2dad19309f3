"""Pages of many systems (``tests/pages``), read as their readers see them."""

from __future__ import annotations

import json
import re
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from harvesters import html
from mappings import dates
from tests.mapped import payload, record_of

FOLDER = Path(__file__).parent / "pages"
PAGES = sorted(path.stem for path in FOLDER.glob("*.html"))
DENSE = re.compile(r"[\u0e00-\u0e7f\u3400-\u9fff]|[^\W_]+")


def truth(name: str) -> dict[str, Any]:
    made = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    assert isinstance(made, dict)
    return made


def record(name: str) -> dict[str, Any]:
    said = truth(name)
    body = (FOLDER / f"{name}.html").read_bytes()
    page = html.read(payload(body, "text/html", said["address"]))
    made = record_of("html", {"pages": [page | {"asked": said["address"]}]})
    assert "skipped" not in made, made
    assert "rejected" not in made, made
    return made


def words(text: str) -> Counter[str]:
    return Counter(DENSE.findall(text.lower()))


def moment(said: str | None) -> datetime | str | None:
    if said is None or not dates.has_time(said):
        return said
    return datetime.fromisoformat(said).astimezone(UTC).replace(microsecond=0)


def test_there_are_pages_of_many_systems() -> None:
    assert len(PAGES) >= 30
    assert len({truth(name).get("language", "")[:2] for name in PAGES} - {""}) >= 8


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_read_as_a_reader_sees_it(name: str) -> None:
    want = truth(name)
    got = record(name)
    assert [title["value"] for title in got["title"]] == [want["title"]]
    assert (moment(got.get("issued")), moment(got.get("modified"))) == (
        moment(want.get("issued")),
        moment(want.get("modified")),
    )
    assert got.get("language") == ([want["language"]] if "language" in want else None)
    assert [file["url"] for file in got.get("distribution", [])] == want["files"]
    # A summary that the page's head says beside the text is no part of it.
    text = got["description"][-1]["value"]
    read, there = words(text), words("\n".join(want["text"]))
    assert (there - read, read - there) == (Counter(), Counter()), text


@pytest.mark.parametrize("name", PAGES)
def test_lines_of_a_text_break_where_blocks_do(name: str) -> None:
    lines = record(name)["description"][-1]["value"].split("\n")
    for part in truth(name)["text"]:
        if len(part) > 60 and "." not in part[:-1]:
            assert any(part in line for line in lines), (part, lines)
