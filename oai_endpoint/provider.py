"""``/oai``: HTTP in, HTTP out."""

from __future__ import annotations

import gzip
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from flask import Blueprint, Response, render_template, request
from werkzeug.exceptions import HTTPException

from chm_hub import logs
from chm_hub.errors import StoreError
from chm_hub.sets import View
from chm_hub.settings import Settings
from oai_endpoint import arguments, browser, envelope, verbs
from oai_endpoint.arguments import FaultsError
from oai_endpoint.sets import names
from oai_endpoint.tokens import Tokens
from store import Snapshot, Store

log = logging.getLogger("chm_hub.oai")
LONGEST_REQUEST = 8192
RECENT_SECONDS = 1.0
"""How old the snapshot of a list's further parts may be; a datestamp is no finer."""
_GZIP_ABOVE = 1024
_VERBS = {
    "Identify": browser.ask(verb="Identify"),
    "ListMetadataFormats": browser.ask(verb="ListMetadataFormats"),
    "ListSets": browser.ask(verb="ListSets"),
    "ListIdentifiers": browser.ask(verb="ListIdentifiers", metadataPrefix="oai_dc"),
    "ListRecords": browser.ask(verb="ListRecords", metadataPrefix="oai_dc"),
}


def blueprint(
    store: Store, settings: Settings, views: tuple[View, ...] = (), sources: Mapping[str, str] = {}
) -> Blueprint:
    """The endpoint as a Flask blueprint over an open store; ``sources`` are the sources'
    titles by identifier."""
    repository = verbs.Repository(
        records=store.records,
        settings=settings,
        tokens=Tokens(settings.secret_key.encode() or store.secret()),
        names=names(views, sources),
    )
    made = Blueprint("oai", __name__, template_folder=str(Path(__file__).with_name("templates")))

    # With a slash at its end it is the same address: many harvesters write it so.
    @made.route("/oai", methods=["GET", "HEAD", "POST"])
    @made.route("/oai/", methods=["GET", "HEAD", "POST"])
    def oai() -> Response:
        return _respond(store, repository, page=browser.wanted(request))

    @made.route("/oai/xml", methods=["GET", "HEAD", "POST"])
    @made.route("/oai/xml/", methods=["GET", "HEAD", "POST"])
    def oai_xml() -> Response:
        """The same for a person who wants to see the XML itself."""
        return _respond(store, repository, page=False)

    return made


def _respond(store: Store, repository: verbs.Repository, *, page: bool) -> Response:
    try:
        pairs = _pairs()
    except HTTPException as error:
        return Response(f"{error.code} {error.name}\n", error.code, mimetype="text/plain")
    if pairs is None:
        return Response(
            f"The request is longer than {LONGEST_REQUEST} bytes.\n", 414, mimetype="text/plain"
        )
    if page and not pairs:
        return _page("oai_help.html", repository, base=repository.base_url)
    try:
        with store.explained():
            answer = _answer(repository, pairs)
    except StoreError as error:
        number = logs.report(log, "the store cannot be reached", error, path=request.path)
        return Response(
            f"The record store cannot be reached; try again in a minute (error {number}).\n",
            503,
            {"Retry-After": "60"},
            mimetype="text/plain",
        )
    if page:
        return _page(
            "oai_answer.html",
            repository,
            shown=browser.read(answer),
            ask=browser.ask,
            verbs=_VERBS,
            xml=f"/oai/xml?{request.query_string.decode('ascii', 'replace')}",
        )
    return _packed(answer)


def _page(template: str, repository: verbs.Repository, **more: Any) -> Response:
    response = Response(render_template(template, settings=repository.settings, **more))
    response.headers["Vary"] = "Accept, Accept-Encoding"
    return response


def _answer(repository: verbs.Repository, pairs: list[tuple[str, str]]) -> bytes:
    # A single record is as it is now; only who reads lists goes on from what the answer says.
    snapshot = Snapshot(bound=0, as_of=datetime.now(UTC).replace(microsecond=0))
    shown: dict[str, str] = {}
    try:
        question = arguments.read(pairs)
        shown = {"verb": question.verb, **question.given}
        if question.verb != "GetRecord":
            # How far a list goes on is in its token.
            age = RECENT_SECONDS if question["resumptionToken"] else 0.0
            snapshot = repository.records.snapshot(age=age)
        content = verbs.answer(repository, question, snapshot)
    except FaultsError as error:
        if any(fault.code in ("badVerb", "badArgument") for fault in error.faults):
            shown = {}
        content = envelope.faults(error.faults)
    return envelope.answer(
        base_url=repository.base_url, as_of=snapshot.as_of, arguments=shown, content=content
    )


def _pairs() -> list[tuple[str, str]] | None:
    """The arguments as sent, repetitions included; ``None`` if there is too much of them."""
    if len(request.query_string) > LONGEST_REQUEST:
        return None
    pairs = list(request.args.items(multi=True))
    if request.method == "POST":
        if (request.content_length or 0) > LONGEST_REQUEST:
            return None
        request.max_content_length = LONGEST_REQUEST
        pairs += list(request.form.items(multi=True))
    return pairs


def _packed(body: bytes) -> Response:
    response = Response(body, mimetype="text/xml")
    response.headers["Vary"] = "Accept, Accept-Encoding"
    if len(body) > _GZIP_ABOVE and request.accept_encodings["gzip"] > 0:
        response.set_data(gzip.compress(body, 1, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
