"""The peer our endpoint is measured against: the ``oaipmh`` library's server, in memory.

``python bench/peer.py RECORDS PORT`` serves under gunicorn with one worker.
"""

from __future__ import annotations

import sys
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs

from gunicorn.app.base import BaseApplication
from oaipmh import common, metadata, server

from bench.parts import PAGE, native, record


class Memory:
    """Records in a list, as ``oaipmh`` wants its repositories."""

    def __init__(self, records: int) -> None:
        import re

        value = re.compile(r"<dc:(\w+)[^>]*>([^<]*)</dc:\1>")
        self._rows = []
        for number in range(records):
            fields: dict[str, list[str]] = {}
            for name, text in value.findall(record(number)):
                fields.setdefault(name, []).append(text)
            head = common.Header(None, native(number), datetime(2024, 1, 1), ["all"], False)
            self._rows.append((head, common.Metadata(None, fields), None))

    def identify(self) -> Any:
        """Who this is."""
        return common.Identify(
            "Peer", "http://127.0.0.1/oai", "2.0", ["a@bench.example"],
            datetime(2024, 1, 1), "no", "YYYY-MM-DDThh:mm:ssZ", [],
        )  # fmt: skip

    def listRecords(self, cursor: int = 0, batch_size: int = PAGE, **_: Any) -> Any:  # noqa: N802
        """A part of the list."""
        return self._rows[cursor : cursor + batch_size]


class App(BaseApplication):  # type: ignore[misc]
    """gunicorn with one worker, as our endpoint is measured."""

    def __init__(self, records: int, port: int) -> None:
        self._records, self._port = records, port
        super().__init__()

    def load_config(self) -> None:
        """One worker, four threads."""
        self.cfg.set("bind", f"127.0.0.1:{self._port}")
        self.cfg.set("workers", 1)
        self.cfg.set("threads", 4)
        self.cfg.set("worker_class", "gthread")
        self.cfg.set("loglevel", "warning")

    def load(self) -> Any:
        """The WSGI application."""
        registry = metadata.MetadataRegistry()
        registry.registerWriter("oai_dc", server.oai_dc_writer)
        made = server.BatchingServer(
            Memory(self._records), metadata_registry=registry, resumption_batch_size=PAGE
        )

        def app(env: dict[str, Any], start: Any) -> list[bytes]:
            asked = {k: v[0] for k, v in parse_qs(env["QUERY_STRING"]).items()}
            body = made.handleRequest(asked)
            start("200 OK", [("Content-Type", "text/xml"), ("Content-Length", str(len(body)))])
            return [body]

        return app


if __name__ == "__main__":
    App(int(sys.argv[1]), int(sys.argv[2])).run()
