"""A small Bioland or Drupal host of a test's own, that can be made to misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from demo.jsonapi import Manner, Resource, Row, collection, entry, single
from demo.server import HOST, Answer, Request, Server
from tests.running import Hub

TIDS = (2, 3, 4, 5, 12, 50)
PLAIN_404 = Answer(b"Page not found", "text/plain", 404, {"Cache-Control": "no-store"})
HTML_404 = Answer(b"<!DOCTYPE html><html><title>Not found</title></html>", "text/html", 404)
CLOSED = "User-agent: *\nDisallow: /\n"


def node(number: int, tid: int = 2, kind: str = "content", **fields: Any) -> Resource:
    """A node in English; ``fields`` replace its own."""
    own = {
        "drupal_internal__nid": number,
        "langcode": "en",
        "status": True,
        "title": f"Title {number}",
        "created": "2024-01-01T00:00:00+00:00",
        "changed": f"2024-02-{number % 27 + 1:02}T00:00:00+00:00",
        "revision_timestamp": "2024-02-01T00:00:00+00:00",
        "default_langcode": True,
        "content_translation_source": "und",
        "content_translation_outdated": False,
        "path": {"alias": None, "pid": number, "langcode": "en"},
        "body": {"value": f"<p>Text {number}.</p>", "processed": "", "summary": ""},
        "field_tags": None,
    }
    placed = {"field_type_placement": [term(tid)], "field_attachments": []}
    related = placed if kind == "content" else {}
    return Resource(f"node--{kind}", f"uuid-{number}", {**own, **fields}, related)


def term(tid: int) -> Resource:
    """A type of the second generation."""
    fields = {"drupal_internal__tid": tid, "name": f"Type {tid}", "langcode": "en"}
    return Resource("taxonomy_term--tags", f"term-{tid}", fields)


@dataclass
class Host:
    """What it holds, and how it answers."""

    nodes: list[Resource]
    kind: str = "content"
    hidden: set[str] = field(default_factory=set)
    """Identifiers of what was withdrawn."""
    robots: str = "User-agent: *\nAllow: /\n"
    manner: Manner = Manner(flat=True, counts="text")
    instead: Callable[[Request], Answer | None] = lambda request: None
    """What it answers in place of what it should."""
    languages: tuple[str, ...] = ("en",)
    translations: dict[str, list[Resource]] = field(default_factory=dict)
    """Its list in another language, by language."""
    filters: bool = True
    url: str = ""
    asked: list[str] = field(default_factory=list)

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        self.asked.append(unquote(f"{request.path}?{request.query}"))
        if request.path == "/robots.txt":
            return Answer(self.robots.encode(), "text/plain")
        if (made := self.instead(request)) is not None:
            return made
        url, path = f"{self.url}{request.path}", request.path
        code = self.languages[0]
        for tag in self.languages:
            if path.startswith(f"/{tag}/"):
                path, code = path.removeprefix(f"/{tag}"), tag
        if path == "/jsonapi":
            return entry(url, [f"node--{self.kind}"], self.manner)
        if path == "/jsonapi/taxonomy_term/tags" and self.kind == "content":
            return collection(request, url, [Row(term(tid)) for tid in TIDS], self.manner)
        if not self.filters:
            kept = [part for part in request.query.split("&") if not part.startswith("filter")]
            request = Request(request.method, request.path, "&".join(kept), request.headers)
        rows = {row.resource.id: row for row in self._rows(code)}
        if path == f"/jsonapi/node/{self.kind}":
            return collection(request, url, rows.values(), self.manner)
        if path.startswith(f"/jsonapi/node/{self.kind}/"):
            return single(request, url, rows.get(path.rpartition("/")[2]), self.manner)
        return PLAIN_404

    def _rows(self, code: str) -> list[Row]:
        rows = []
        for resource in self.translations.get(code, self.nodes):
            placed = resource.related.get("field_type_placement")
            values = {}
            if placed:
                tid = placed[0].fields["drupal_internal__tid"]
                values = {"field_type_placement.drupal_internal__tid": tid}
            rows.append(Row(resource, resource.id not in self.hidden, values))
        return rows


@contextmanager
def serving(host: Host) -> Iterator[Host]:
    """Serve a host."""
    server = Server(0, host.answer)
    server.start()
    host.url = f"http://{HOST}:{server.server_address[1]}"
    try:
        yield host
    finally:
        server.close()


def declare(hub: Hub, host: Host, adapter: str = "bioland", options: str = "") -> None:
    """Declare a host as the source ``portal``."""
    languages = json.dumps(list(host.languages))
    hub.source(
        "portal",
        f'title = "Portal"\nadapter = "{adapter}"\nurl = "{host.url}"\ncountry = "KE"\n'
        f"languages = {languages}\n[options]\ntries = 1\n{options}\n",
    )


def run_of(hub: Hub, *more: str) -> dict[str, Any]:
    """Harvest the source ``portal``, whatever comes of it; its run."""
    (run,) = hub("harvest", "portal", "--json", *more).lines
    return run


def titles(hub: Hub) -> dict[str, list[tuple[str, str | None]]]:
    """The titles of live records by native identifier."""
    return {
        record["source_identifier"]: [(t["value"], t.get("lang")) for t in record["title"]]
        for record in hub.records().values()
    }
