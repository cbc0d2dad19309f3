"""The start page, the published schemas and vocabularies."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

from flask import (
    Blueprint,
    Response,
    abort,
    redirect,
    render_template,
    request,
    send_file,
)

from chm_hub import logs
from chm_hub.errors import StoreError
from chm_hub.sets import country_name, type_name
from chm_hub.settings import Settings
from mappings import vocabularies
from mappings.formats import SCHEMA_FILES
from store import Count, Store

log = logging.getLogger("chm_hub.web")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a table on the start page."""

    spec: str
    name: str
    live: int
    deleted: int


def blueprint(store: Store, settings: Settings) -> Blueprint:
    """The pages as a Flask blueprint over an open store."""
    here = Path(__file__).parent
    made = Blueprint(
        "pages",
        __name__,
        template_folder=str(here / "templates"),
        static_folder=str(here / "static"),
        static_url_path="/static",
    )

    @made.get("/")
    def start() -> Response:
        with store.explained():
            counts = store.records.counts()
            last = store.records.last_change()
        return Response(
            render_template(
                "start.html",
                settings=settings,
                total=counts.get("", Count()),
                sources=_rows(counts, "source", str),
                countries=_rows(counts, "country", country_name),
                types=_rows(counts, "type", type_name),
                last=last,
                base=f"{settings.base_url}/oai",
            )
        )

    @made.get("/schemas/<name>")
    def schema(name: str) -> Response:
        file = SCHEMA_FILES.get(f"/schemas/{name}")
        return abort(404) if file is None else send_file(file, mimetype="text/xml")

    @made.get("/vocabularies/<name>.<ending>")
    def vocabulary(name: str, ending: str) -> Response:
        """A vocabulary as SKOS: ``.ttl``, ``.rdf`` or ``.jsonld``."""
        form = {"ttl": "turtle", "rdf": "rdfxml", "jsonld": "jsonld"}.get(ending)
        if form is None or name not in vocabularies.VOCABULARIES:
            abort(404)
        body = vocabularies.export(name, form)
        return Response(body, mimetype=vocabularies.FORMATS[form][1])

    @made.get("/records/<path:identifier>")
    def record(identifier: str) -> Response:
        """The permanent address of a record: what the endpoint says of it."""
        query = urlencode(
            {
                "verb": "GetRecord",
                "metadataPrefix": "chm",
                "identifier": f"oai:{settings.repository_id}:{identifier}",
            }
        )
        return redirect(f"{settings.base_url}/oai?{query}", 303)  # type: ignore[return-value]

    @made.app_errorhandler(StoreError)
    def unreachable(error: StoreError) -> Response:
        number = logs.report(log, "the store cannot be reached", error, path=request.path)
        return Response(
            f"The record store cannot be reached; try again in a minute (error {number}).\n",
            503,
            {"Retry-After": "60"},
            mimetype="text/plain",
        )

    return made


def _rows(counts: dict[str, Count], kind: str, name: object) -> list[Row]:
    rows = []
    for spec, count in counts.items():
        if spec.startswith(f"{kind}:"):
            value = spec.partition(":")[2]
            rows.append(Row(spec, name(value), count.live, count.deleted))  # type: ignore[operator]
    return sorted(rows, key=lambda row: (-row.live, row.name))


def headers(response: Response) -> Response:
    """The headers every answer of the hub carries (rules §3)."""
    response.headers.setdefault("Content-Security-Policy", _POLICY)
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.is_secure:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"
    if request.path.startswith(("/oai", "/schemas", "/vocabularies")):
        response.headers["Access-Control-Allow-Origin"] = "*"
    return response
