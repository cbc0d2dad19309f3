"""The recorded answers as sources: each document of them, and the record it becomes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from demo.server import HOST, Answer, Request, Server
from tests import replay
from tests.running import Hub
from tests.samples import test_informea, test_partners

Json = Any
MISSING = Answer(b"not found", "text/plain", 404)
JSON, XML = "application/json", "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Seen:
    """A document of a recorded answer, and its record; ``None`` where it becomes none."""

    file: str
    document: Json
    record: dict[str, Json] | None


@dataclass(frozen=True, slots=True)
class Site:
    """Files of a host: what its source file says, and the file behind each path."""

    adapter: str
    files: dict[str, str]
    keys: str = ""
    options: str = ""
    path: str = ""
    """What follows the host in the source's address."""
    respond: Callable[[Request], Answer] | None = None
    """What answers instead of the files."""


SITES = [
    Site(
        "geobon", {"/api/v1/datasets": f"partners/geobon/ebv-api/{name}.json"}, 'languages = ["en"]'
    )
    for name in ("5", "metadata")
]
SITES += [
    Site(
        "panorama",
        {
            f"/en/api/v1/solutions?{page}": (
                f"partners/panorama/solutions.en.page{page}.constructed.json"
            )
            for page in (1, 2, 3)
        },
        'languages = ["en"]\nsecret = "env:CHM_HUB_DEMO_KEY"',
    ),
    Site(
        "faolex",
        {"/feed.xml": "partners/other/faolex/fao_feed.first20.excerpt.xml"},
        path="/feed.xml",
    ),
    Site("faolex", {"/feed.xml": "field-cases/real/30-fao-languages.xml"}, path="/feed.xml"),
    Site(
        "protectedplanet",
        {"/v4/protected_areas": "partners/other/protectedplanet-v4-list.constructed.json"},
        'secret = "env:CHM_HUB_DEMO_KEY"',
        'what = "protected_areas"',
    ),
    Site(
        "wordpress",
        {"/wp-json/wp/v2/posts": "national/wordpress/wp_json_posts.constructed.json"},
        'languages = ["en"]',
    ),
    Site("feed", {"/feed": "national/wordpress/wp_feed.constructed.xml"}, path="/feed"),
    Site("feed", {"/feed": "national/drupal/drupal_rss.constructed.xml"}, path="/feed"),
    Site("feed", {"/feed": "national/other/joomla_feed.constructed.xml"}, path="/feed"),
    Site("dcat", {"/data.json": "national/other/dkan_data.constructed.json"}, path="/data.json"),
    Site(
        "ptk",
        {
            "/portal_syndication/latestnews_rdf": "national/ptk/ptk_latestnews_rdf.constructed.xml",
            "/portal_syndication/upcomingevents_rdf": (
                "national/ptk/ptk_upcomingevents_rdf.constructed.xml"
            ),
            "/portal_syndication/lateststories_rdf": (
                "national/ptk/ptk_channel_atom.constructed.xml"
            ),
        },
    ),
    Site(
        "bioland",
        {
            "/robots.txt": "national/bioland/bl2_robots_published.constructed.txt",
            "/en/jsonapi/taxonomy_term/tags": (
                "national/bioland/bl2_jsonapi_taxonomy_term_tags.constructed.json"
            ),
            "/en/jsonapi/node/content": (
                "national/bioland/bl2_jsonapi_node_content_page1.constructed.json"
            ),
            "/en/jsonapi/node/content?offset": (
                "national/bioland/bl2_jsonapi_node_content_page2.constructed.json"
            ),
        },
        'languages = ["en"]',
    ),
]
SITES += [
    Site("gbif", {"/dataset": f"field-cases/real/{name}"}) for name in ("28-gbif-dataset.json",)
]
_TREES = (
    "cbers-partial/catalog.json",
    "test-case-1/catalog.json",
    "pystac/catalogs/test-case-6/12cb17a8-ae08-469c-a2be-4d0619240014/collection.json",
    "pystac/catalogs/test-case-4/znz/collection.json",
)
SITES += [
    Site("stac", {}, options=f'what = "{what}"', path=f"/stac/{tree}", respond=test_partners._files)
    for tree in _TREES
    for what in ("items", "collections")
]
SITES += [
    Site(
        "informea",
        {},
        options=f'entity = "{entity}"\n{more}',
        path=f"/{name}/informea.svc",
        respond=test_informea.respond,
    )
    for name, (entity, _, more) in test_informea.SERVICES.items()
]
SITES += [
    Site(
        "obis",
        {"/v3/dataset": "partners/other/obis/test_dataset_search_keywords.00.json"},
    ),
    Site(
        "geobon",
        {"/bioland/fetch-data.php": "partners/geobon/bioland-fetch-data.constructed.json"},
        options='country = "Kenya"',
    ),
]


@contextmanager
def _served(site: Site, samples: Path) -> Iterator[str]:
    def from_files(request: Request) -> Answer:
        asked = dict(request.arguments())
        mark = "?offset" if "offset" in request.query and site.adapter == "bioland" else ""
        page = asked.get("page", "")
        name = site.files.get(f"{request.path}?{page}") or site.files.get(request.path + mark)
        if name is None or (asked.get("offset", "0") not in ("0", "") and not mark):
            return MISSING
        kind = "text/plain" if name.endswith("txt") else JSON if name.endswith("json") else XML
        return Answer((samples / name).read_bytes(), kind)

    server = Server(0, site.respond or from_files)
    server.start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}"
    finally:
        server.close()


def seen(hub: Hub, samples: Path) -> list[Seen]:
    """Every document of the recorded answers with its record, by a dry run of each as a source."""
    cases = [case for case in replay.cases(samples) if case.kind != "not XML"]
    cases += _cuts(samples)
    names = {case.id: case.file for case in cases}
    with ExitStack() as stack:
        url = stack.enter_context(replay.serving(cases))
        for case in cases:
            hub.source(case.id, replay.source_file(case, url))
        for number, site in enumerate(SITES):
            name = f"s{number:02}"
            names[name] = min(site.files.values(), default=site.adapter + site.path)
            at = stack.enter_context(_served(site, samples))
            hub.source(
                name,
                f'title = "S"\nadapter = "{site.adapter}"\nurl = "{at}{site.path}"\n{site.keys}\n'
                f"[options]\ntries = 1\n{site.options}\n",
            )
        said = hub(
            "harvest",
            *names,
            "--dry-run",
            "--json",
            "--max",
            "1000",
            timeout=900,
            CHM_HUB_DEMO_KEY="demo",
        )
    found = [
        Seen(names[line["source"]], line["document"], line["record"])
        for line in said.lines
        if "document" in line and not line["deleted"] and not line["skipped"]
    ]
    if not said.out:
        raise SystemExit(said.err[-3000:])
    return found


def _cuts(samples: Path) -> list[replay.Case]:
    """The cuts of real answers among the field cases."""
    made = []
    for path in sorted((samples / "field-cases" / "real").glob("*.xml")):
        if path.name.startswith("30-"):
            continue
        oai = b"<OAI-PMH" in path.read_bytes()[:400]
        make: Callable[..., replay.Case] = replay._oai_case if oai else replay._feed_case
        case = make(path, samples, {})
        case.id = f"c{len(made):03}"
        made.append(case)
    return made
