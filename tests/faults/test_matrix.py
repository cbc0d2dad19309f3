"""The matrix of faults with few records, each fault in the life that tells more; both lives of
each are slow, and `make check-faults` prints a table of them."""

from __future__ import annotations

import pytest

from tests.faults import matrix
from tests.running import Hub

SERVER = matrix.SHARED / "tools" / "fault_server.py"


@pytest.mark.skipif(not SERVER.is_file(), reason=f"NO FAULT SERVER: {SERVER} is absent")
@pytest.mark.parametrize(
    ("protos", "both"),
    [
        (("oai",), False),
        (("rss", "jsonapi", "solr", "stac"), False),
        pytest.param(("oai", "rss", "jsonapi", "solr", "stac"), True, marks=pytest.mark.slow),
        # Its Crawl-delay is obeyed.
        pytest.param(("html",), True, marks=pytest.mark.slow),
    ],
)
def test_every_fault_ends_as_it_should(hub: Hub, protos: tuple[str, ...], both: bool) -> None:
    server = matrix.fault_server()
    names = {f"{proto}/{name}" for proto, name in server.FAULTS if proto in protos}
    with matrix.matrix(hub, records=24, page=6, seed=11, scale=0.2, names=names, both=both) as made:
        for number in range(max(len(life.phases) for life in made.lives)):
            made.step(number, seconds=300)
        wrong = [f"{life.id}: {text}" for life in made.lives for text in life.wrong]
        assert not wrong, "\n".join(wrong)
        assert made.canary() == []
        assert made.peak < matrix.MOST_MEMORY
    assert len(names) > 2
    ledgers = hub("ledger", "--all", "--json")
    assert ledgers.code == 0, ledgers.err
    assert all(line["adds_up"] for line in ledgers.lines)
