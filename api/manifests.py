"""``/api/v1/manifest``: the newest signed manifest of all sets, that of a day, or one as of now."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify, request

from chm_hub.manifest import Current
from chm_hub.settings import Settings
from store import Store

_DAY = re.compile(r"\d{4}-\d\d-\d\d")
AGE = 300
"""Seconds for which the manifest of a day may be kept by whoever is in between."""


def blueprint(store: Store, settings: Settings) -> Blueprint:
    """The routes over an open store."""
    made = Blueprint("api", __name__, url_prefix="/api/v1")
    current = Current(store, settings)

    @made.get("/manifest")
    def newest() -> Response:
        with store.explained():
            found = store.manifests.get()
        return _answer(found, "none was made yet; /api/v1/manifest/now is one as of now")

    @made.get("/manifest/<day>")
    def manifest(day: str) -> Response:
        found = None
        if _DAY.fullmatch(day):
            with store.explained():
                found = store.manifests.get(day)
        return _answer(found, "there is none of this day; a day is written 2026-11-24")

    @made.get("/manifest/now")
    def now() -> Response:
        found = current.get(datetime.now(UTC), request.args.get("set"))
        # It is compared with what somebody has just harvested: an older one is of no use.
        return _answer(found, "there is no such set, or nothing is in it", age=0)

    return made


def _answer(found: dict[str, Any] | None, otherwise: str, age: int = AGE) -> Response:
    """A manifest; or, where there is none, a sentence that says so."""
    answer = jsonify(found if found is not None else {"error": otherwise})
    answer.status_code = 200 if found is not None else 404
    answer.headers["Access-Control-Allow-Origin"] = "*"
    # That there is none may be otherwise the next moment.
    lasting = found is not None and age
    answer.headers["Cache-Control"] = f"public, max-age={age}" if lasting else "no-store"
    return answer
