"""Which record types the demonstration network holds, and in which sources:
``python -m demo.coverage`` writes ``docs/coverage.md``.

The numbers are the network's own truth; that a hub harvests just these is tested.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from pathlib import Path

from demo.network import Network
from mappings.tables import rows

PAGE = Path(__file__).parent.parent / "docs" / "coverage.md"

_HEAD = """# What the demonstration network covers

Every record type, the sources of `chm-hub demo` that hold it, and how many records each has in the
first phase. `python -m demo.coverage` writes this page.
"""


def document() -> str:
    """The page."""
    with Network(seed=1) as network:
        truth = network.truth()
        titles = {name: text for name, text in network.titles().items() if name in truth}
    found: dict[str, Counter[str]] = defaultdict(Counter)
    countries: set[str] = set()
    for source, held in truth.items():
        for expected in held.live.values():
            found[expected.type][source] += 1
            countries.update(expected.countries)
    total = sum(sum(counter.values()) for counter in found.values())
    lines = [
        _HEAD,
        f"{len(titles)} sources, {total} records, {len(countries)} countries.\n",
        "## By record type\n",
        "| record type | records | sources |",
        "|---|---|---|",
    ]
    for row in rows("record_types"):
        name = row["id"]
        held_by = found.get(name, Counter())
        where = ", ".join(f"{source} {count}" for source, count in sorted(held_by.items()))
        lines.append(f"| {name} | {held_by.total()} | {where or '—'} |")
    lines += ["\n## By source\n", "| source | records | what it is |", "|---|---|---|"]
    for name, title in titles.items():
        lines.append(f"| {name} | {len(truth[name].live)} | {title} |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    PAGE.write_text(document(), "utf-8")
