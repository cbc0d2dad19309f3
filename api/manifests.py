"""``/api/v1/manifest``: the newest signed manifest of all sets, or that of a day."""

from __future__ import annotations

import re

from flask import Blueprint, Response, abort, jsonify

from store import Store

_DAY = re.compile(r"\d{4}-\d\d-\d\d")


def blueprint(store: Store) -> Blueprint:
    """The routes over an open store."""
    made = Blueprint("api", __name__, url_prefix="/api/v1")

    @made.get("/manifest")
    @made.get("/manifest/<day>")
    def manifest(day: str | None = None) -> Response:
        if day is not None and not _DAY.fullmatch(day):
            abort(404)
        with store.explained():
            found = store.manifests.get(day)
        if found is None:
            abort(404)
        answer = jsonify(found)
        answer.headers["Access-Control-Allow-Origin"] = "*"
        answer.headers["Cache-Control"] = "public, max-age=300"
        return answer

    return made
