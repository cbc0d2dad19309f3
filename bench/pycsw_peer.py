"""Another peer our endpoint is measured against: pycsw over SQLite, under gunicorn.

``python -m bench.pycsw_peer RECORDS PORT FOLDER`` in the environment that ``make bench-oai`` makes
for it fills a database in the folder and serves it with one worker.
"""

from __future__ import annotations

import os
import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.parts import PAGE, native, record

CONFIG = """[server]
home={home}
url=http://127.0.0.1:{port}/
mimetype=application/xml; charset=UTF-8
encoding=UTF-8
language=en-US
maxrecords={page}
[manager]
transactions=false
[metadata:main]
{told}
[repository]
database=sqlite:///{database}
table=records
"""
TOLD = {
    "identification": ("title", "abstract", "keywords", "keywords_type", "fees")
    + ("accessconstraints",),
    "provider": ("name", "url"),
    "contact": ("name", "position", "address", "city", "stateorprovince", "postalcode")
    + ("country", "phone", "fax", "email", "url", "hours", "instructions", "role"),
}
"""What pycsw must be told of itself before it answers at all."""


def rows(records: int) -> Iterator[tuple[str, ...]]:
    """The benchmark's records, as pycsw keeps them."""
    for number in range(records):
        fields = re.findall(r"<dc:\w+[^>]*>[^<]*</dc:\w+>", record(number))
        title = fields[0].partition(">")[2].partition("<")[0]
        xml = (
            '<csw:Record xmlns:csw="http://www.opengis.net/cat/csw/2.0.2" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dct="http://purl.org/dc/terms/">'
            f"<dc:identifier>{native(number)}</dc:identifier>"
            f"<dct:modified>2024-01-01</dct:modified>{''.join(fields)}</csw:Record>"
        )
        schema = "http://www.opengis.net/cat/csw/2.0.2"
        yield (native(number), "csw:Record", schema, "local", "2024-01-01", xml, title, title)


def main(records: int, port: int, folder: Path) -> None:
    """Fill and serve."""
    from gunicorn.app.base import BaseApplication
    from pycsw.core import admin

    database, config = folder / "pycsw.sqlite", folder / "pycsw.cfg"
    told = "\n".join(f"{group}_{name}=bench" for group in TOLD for name in TOLD[group])
    config.write_text(
        CONFIG.format(home=folder, port=port, page=PAGE, told=told, database=database), "utf-8"
    )
    admin.setup_db(f"sqlite:///{database}", "records", str(folder))
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "insert into records (identifier, typename, schema, mdsource, insert_date, xml, "
            "anytext, title) values (?, ?, ?, ?, ?, ?, ?, ?)",
            rows(records),
        )
    os.environ |= {"PYCSW_CONFIG": str(config), "PYCSW_ROOT": str(folder)}

    class App(BaseApplication):  # type: ignore[misc]
        def load_config(self) -> None:
            for name, value in {
                "bind": f"127.0.0.1:{port}",
                "workers": 1,
                "threads": 4,
                "worker_class": "gthread",
                "loglevel": "warning",
            }.items():
                self.cfg.set(name, value)

        def load(self) -> Any:
            from pycsw import wsgi

            return wsgi.application

    App().run()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3]))
