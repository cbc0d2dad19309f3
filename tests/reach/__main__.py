"""The command: see the package."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from tests.conftest import ROOT
from tests.reach import judge, sources, table
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples"
PAGE = ROOT / "docs" / "what-is-read.md"


def main() -> None:
    """Write the page, or list the values of a format."""
    options = argparse.ArgumentParser(description="Write docs/what-is-read.md.")
    options.add_argument("--values", metavar="FORMAT", help="list its values instead")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder)
        (data / "sources").mkdir()
        seen = sources.seen(Hub(data, "", data / "sources"), SAMPLES)
    if given.values is None:
        PAGE.write_text(table.page(table.rows(seen)), "utf-8")
        return
    for one in seen:
        if one.record is None or one.record["provenance"]["crosswalk"] != given.values:
            continue
        for value in judge.values(one.document):
            where = table.place(given.values, value.path)
            found: str | None = where if isinstance(where, str) else None
            if isinstance(where, list):
                found = judge.reached(value.value, where, one.record) or "UNREAD"
            sys.stdout.write(f"{one.file}\t{value.path}\t{value.value[:80]!r}\t{found}\n")


if __name__ == "__main__":
    main()
