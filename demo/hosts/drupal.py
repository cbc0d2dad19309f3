"""National sites made with plain Drupal 10: a node type for each kind, standard JSON:API."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from demo.hosts import Expectation, Told, Truth
from demo.jsonapi import Manner, Resource, Row, collection, entry, single
from demo.phrases import Dice, country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

_SIZES = (70, 95)
_PLACES = (
    ("de", ("en",), "DE", "Demonstration: biodiversity portal in Germany (Drupal)"),
    ("jp", ("ja", "en"), "JP", "Demonstration: biodiversity portal in Japan (Drupal)"),
    ("pt", ("pt", "en"), "PT", "Demonstration: biodiversity portal in Portugal (Drupal)"),
)
_BUNDLES = {
    "news": "article",
    "researchReport": "publication",
    "caseStudy": "case_study",
    "elearning": "course",
    "dataset": "dataset",
    "guide": "guideline",
    "bestPractice": "good_practice",
}
"""Node types by form."""
_TYPES = {
    "news": "news",
    "researchReport": "researchReport",
    "caseStudy": "caseStudy",
    "elearning": "elearning",
    "dataset": "dataset",
    "guide": "toolGuidance",
    "bestPractice": "bestPractice",
}


def replicas(seed: int, scale: int) -> list[Drupal]:
    """All sites."""
    return [Drupal(seed, scale, *place) for place in _PLACES]


@dataclass
class Drupal:
    """One site."""

    seed: int
    scale: int
    code: str
    languages: tuple[str, ...]
    """Its own first; the others have a prefix."""
    land: str
    title: str
    url: str = ""
    name: str = field(init=False)
    shelf: Shelf = field(init=False)
    _rows: dict[str, dict[str, Row]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.name = f"drupal-{self.code}"
        low, high = _SIZES
        size = low + Dice(self.seed, self.name, "size").below(high - low + 1)
        self.shelf = Shelf(
            self.seed,
            self.name,
            country(self.land),
            tuple(_BUNDLES),
            size * self.scale,
            self.languages,
        )

    def sources(self) -> Mapping[str, Told]:
        """Its one source."""
        keys = {
            "adapter": "drupal",
            "url": self.url,
            "country": self.land,
            "languages": list(self.languages),
        }
        return {f"demo-{self.name}": Told(self.title, keys)}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self.shelf.advance(phase, now)
        self._rows.clear()

    def truth(self) -> Mapping[str, Truth]:
        """Its nodes."""
        truth = Truth()
        for thing in self.shelf:
            if thing.deleted:
                truth.deleted.add(thing.uuid)
                continue
            truth.live[thing.uuid] = Expectation(
                _TYPES[thing.kind], thing.wording.titles(), (self.land,)
            )
        return {f"demo-{self.name}": truth}

    def answer(self, request: Request) -> Answer:
        """Answer a request."""
        path, code = request.path, self.languages[0]
        if path == "/robots.txt":
            text = "User-agent: *\nDisallow: /core/\nDisallow: /admin/\nDisallow: /user/login\n"
            return Answer(text.encode(), "text/plain")
        for tag in self.languages[1:]:
            if path == f"/{tag}" or path.startswith(f"/{tag}/"):
                path, code = path.removeprefix(f"/{tag}"), tag
        url, manner = f"{self.url}{request.path}", Manner()
        parts = path.strip("/").split("/")
        if parts == ["jsonapi"]:
            bundles = [*_BUNDLES.values(), "person", "page"]
            types = [f"node--{bundle}" for bundle in bundles]
            return entry(url, [*types, "taxonomy_term--tags", "user--user"], manner)
        if parts[:2] == ["jsonapi", "node"] and len(parts) in (3, 4):
            rows = self._nodes(parts[2], code)
            if rows is not None and len(parts) == 3:
                return collection(request, url, rows.values(), manner)
            if rows is not None:
                return single(request, url, rows.get(parts[3]), manner)
        page = "<!DOCTYPE html><html><head><title>{0}</title></head><body>{0}</body></html>\n"
        shown = {"X-Generator": "Drupal 10 (https://www.drupal.org)"}
        if path in ("", "/"):
            text = page.format(self.title)
            return Answer(text.encode(), "text/html; charset=UTF-8", headers=shown)
        text = page.format("Page not found")
        return Answer(text.encode(), "text/html; charset=UTF-8", 404, shown)

    def _nodes(self, bundle: str, code: str) -> dict[str, Row] | None:
        """The nodes of a type in one language, those withdrawn too; ``None`` if there is none."""
        key = f"{bundle}/{code}"
        if key not in self._rows:
            if bundle == "person":
                rows = [Row(self._person(number)) for number in range(3)]
            elif bundle in (*_BUNDLES.values(), "page"):
                things = (
                    thing
                    for thing in self.shelf
                    if _BUNDLES[thing.kind] == bundle and (not thing.deleted or thing.number % 2)
                )
                rows = [Row(self._resource(t, bundle, code), not t.deleted) for t in things]
            else:
                return None
            self._rows[key] = {row.resource.id: row for row in rows}
        return self._rows[key]

    def _resource(self, thing: Thing, bundle: str, code: str) -> Resource:
        tags = thing.wording.languages
        tag = code if code in tags else tags[0]
        nid = 40 + thing.number
        text = thing.wording.description(tag)
        alias = f"/{bundle}/{'archive/' if thing.moved else ''}{nid}"
        fields = {
            "drupal_internal__nid": nid,
            "drupal_internal__vid": 700 + nid + thing.edits,
            "langcode": tag,
            "revision_timestamp": thing.when(thing.stamp),
            "status": not thing.deleted,
            "title": thing.wording.title(tag),
            "created": thing.when(thing.born),
            "changed": thing.when(thing.stamp),
            "promote": True,
            "sticky": False,
            "default_langcode": tag == tags[0],
            "revision_translation_affected": True,
            "content_translation_source": "und" if tag == tags[0] else tags[0],
            "content_translation_outdated": False,
            "path": {"alias": alias, "pid": nid, "langcode": tag},
            "body": {
                "value": f"<p>{text}</p>",
                "format": "basic_html",
                "processed": f"<p>{text}</p>",
                "summary": "",
            },
        }
        related: dict[str, object] = {
            "node_type": Resource("node_type--node_type", _uuid(f"{self.name}/{bundle}")),
            "uid": Resource("user--user", _uuid(f"{self.name}/editor")),
            "field_tags": [self._tag(thing, tags[0])],
        }
        if bundle == "publication":
            name = f"publication-{thing.number}.pdf"
            file = Resource(
                "file--file",
                _uuid(f"{self.name}/{name}"),
                {
                    "filename": name,
                    "uri": {"value": f"public://{name}", "url": f"/sites/default/files/{name}"},
                    "filemime": "application/pdf",
                    "filesize": 70_000 + thing.number,
                },
            )
            medium = {"name": name, "status": True, "langcode": tags[0]}
            identifier = _uuid(f"{self.name}/media/{name}")
            related["field_document"] = Resource(
                "media--document", identifier, medium, {"field_media_document": file}
            )
        return Resource(f"node--{bundle}", thing.uuid, fields, related)

    def _tag(self, thing: Thing, lang: str) -> Resource:
        name = thing.wording.topic.names[lang]
        return Resource(
            "taxonomy_term--tags",
            _uuid(f"{self.name}/{name}"),
            {"name": name, "langcode": lang},
            meta={"drupal_internal__target_id": 1 + len(name)},
        )

    def _person(self, number: int) -> Resource:
        fields = {"drupal_internal__nid": number, "langcode": self.languages[0], "status": True}
        title = {"title": f"Member of staff {number}", "changed": "2020-01-01T00:00:00+00:00"}
        return Resource("node--person", _uuid(f"{self.name}/person/{number}"), {**fields, **title})


def _uuid(key: str) -> str:
    return str(UUID(int=Dice("drupal", key).below(1 << 128), version=4))
