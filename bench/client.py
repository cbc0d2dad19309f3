"""One measured reading of a repository, every value read: ours or sickle's.

``python bench/client.py hub|sickle URL`` prints records and seconds as JSON. Both ask Identify
once before the clock starts, so that what is loaded and set up once is not counted.
"""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime

import click


def with_sickle(url: str) -> tuple[int, int, float]:
    """Sickle's iterator, the metadata of each record taken."""
    from sickle import Sickle

    client = Sickle(url)
    client.Identify()
    began = time.perf_counter()
    records = values = 0
    for record in client.ListRecords(metadataPrefix="oai_dc"):
        records += 1
        values += sum(len(v) for v in record.metadata.values())
    return records, values, time.perf_counter() - began


def with_hub(url: str) -> tuple[int, int, float]:
    """The hub's client and harvester, the documents of each page read through."""
    from dataclasses import replace
    from ipaddress import ip_network

    from chm_hub import fetch
    from chm_hub.document import Walk
    from chm_hub.settings import load
    from harvesters import oai_pmh

    settings = replace(load({}), egress_allow=(ip_network("127.0.0.1/32"),), host_delay=0.0)

    async def read(downloads: fetch.Downloads) -> tuple[int, int, float]:
        records = values = 0
        walk = Walk(started=datetime.now(UTC))
        await downloads.client()(fetch.Request(url=f"{url}?verb=Identify"))
        began = time.perf_counter()
        async for page in oai_pmh.harvest(downloads.client(), walk, oai_pmh.Options(url=url)):
            records += len(page.documents)
            values += sum(
                len(v)
                for d in page.documents
                for v in d.body["metadata"].values()
                if isinstance(v, list)
            )
        return records, values, time.perf_counter() - began

    return fetch.run(settings, read)


@click.command()
@click.argument("kind", type=click.Choice(["hub", "sickle"]))
@click.argument("url")
def main(kind: str, url: str) -> None:
    """Measure one reading."""
    records, values, seconds = (with_hub if kind == "hub" else with_sickle)(url)
    click.echo(json.dumps({"records": records, "values": values, "seconds": seconds}))


if __name__ == "__main__":
    sys.exit(main())
