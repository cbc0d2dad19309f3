"""A portal of Essential Biodiversity Variables: its API with keys of two generations, and the
list of one country as the CHM's sites ask for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, Wording, compose, countries, country
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

ALL, OF_COUNTRY = "demo-geobon", "demo-geobon-ke"
_COUNTRY = "KE"
_SIZE = 120
_JSON = "application/json; charset=utf-8"
_HOST = "portal.example.org"
_CLASSES = (
    ("Species populations", "Species distributions", "Species"),
    ("Community composition", "Taxonomic and phylogenetic diversity", "Communities"),
    ("Ecosystem structure", "Live cover fraction", "Ecosystems"),
)
_DOMAINS = ("Terrestrial", "Marine", "Freshwater", "Terrestrial, Freshwater")


def replicas(seed: int, scale: int) -> list[Replica]:
    """The one portal."""
    return [Portal(seed, _SIZE * scale)]


class Portal:
    """The portal; see :class:`demo.hosts.Replica`."""

    def __init__(self, seed: int, size: int) -> None:
        self.name = "geobon"
        self.url = ""
        self._seed = seed
        self._shelf = Shelf(seed, self.name, None, ("dataset",), size, ("en",))

    def sources(self) -> Mapping[str, Told]:
        """All datasets, and those of one country."""
        keys: dict[str, Any] = {
            "adapter": "geobon",
            "url": self.url,
            "languages": ["en"],
            "deletions": "absence",
        }
        name = country(_COUNTRY).names["en"]
        return {
            ALL: Told("Demonstration: biodiversity variables", keys),
            OF_COUNTRY: Told(
                "Demonstration: biodiversity variables of one country",
                {**keys, "country": _COUNTRY},
                {"country": name},
            ),
        }

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self._shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold."""
        everything, of_country = Truth(), Truth()
        for thing in self._shelf:
            name = _name(thing)
            where, wording = self._wording(thing)
            mine = where is not None and where.code == _COUNTRY
            title = (Text(value=wording.title("en"), lang="en"),)
            codes = (where.code,) if where else ()
            for truth in (everything, *([of_country] if mine else [])):
                if thing.deleted:
                    truth.deleted.add(name)
                else:
                    truth.live[name] = Expectation("dataset", title, codes)
        return {ALL: everything, OF_COUNTRY: of_country}

    def answer(self, request: Request) -> Answer:
        """The API and the country's list."""
        path = request.path
        if path == "/robots.txt":
            return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        if path == "/api/v1/datasets" or path.startswith("/api/v1/datasets/"):
            return self._api(path.removeprefix("/api/v1/datasets").strip("/"))
        if path == "/bioland/fetch-data.php" and request.method == "POST":
            return self._of_country(dict(parse_qsl(request.body.decode("utf-8", "replace"))))
        return Answer(b"<!DOCTYPE html><title>404 Not Found</title>", "text/html", 404)

    def _api(self, name: str) -> Answer:
        found = [self._dataset(t) for t in self._shelf.live() if name in ("", _name(t))]
        if name and not found:
            # The portal's own status; HTTP's says that all is well.
            return _json({"code": 404, "message": "No dataset found.", "data": []})
        return _json({"code": 200, "message": "List of dataset(s).", "data": found})

    def _dataset(self, thing: Thing) -> dict[str, Any]:
        where, wording = self._wording(thing)
        newer = thing.number % 2 == 1
        born = datetime.fromtimestamp(thing.born, UTC).date().isoformat()
        group = _CLASSES[thing.number % len(_CLASSES)]
        place = "ebv_geospatial" if newer else "ebv_spatial"
        scope, described = ("National", where.names["en"]) if where else ("Global", "N/A")
        institution = wording.agency("en") if where else "N/A"
        person = {"name": "A. Person", "email": "person@example.org"}
        files = f"{_HOST}/data/upload/{_name(thing)}/public/v1_"
        return {
            "id": _name(thing),
            "naming_authority": "Network of observation (demonstration)",
            "title": wording.title("en"),
            "date_created": born,
            "summary": wording.description("en"),
            "references": [f"10.5555/demo.{thing.number}"] if thing.number % 3 else [],
            "source": "N/A",
            "coverage_content_type": "modelResult",
            "processing_level": "N/A",
            "project": "N/A",
            "project_url": ["N/A"],
            "creator": {
                **{f"creator_{key}": value for key, value in person.items()},
                "creator_institution": institution,
                "creator_country": where.names["en"] if where else "N/A",
            },
            "contributor_name": "N/A",
            "license": "https://creativecommons.org/licenses/by/4.0",
            "publisher": {
                **{f"publisher_{key}": value for key, value in person.items()},
                "publisher_institution": institution,
                "publisher_country": where.names["en"] if where else "N/A",
            },
            "ebv": {"ebv_class": group[0], "ebv_name": group[1]},
            "ebv_entity": {
                "ebv_entity_type": group[2],
                "ebv_entity_scope": "N/A",
                "ebv_entity_classification_name": "N/A",
                "ebv_entity_classification_url": "N/A",
            },
            "ebv_metric": {
                "ebv_metric_1": {
                    ":standard_name": "Change",
                    ":long_name": "Change since the first year",
                    ":units": "percent",
                }
            },
            "ebv_scenario": "N/A",
            place: {
                f"{place}_scope": scope,
                f"{place}_description": described,
                "ebv_spatial_resolution": None,
            },
            "geospatial_lat_units": "degrees_north" if newer else "degree_north",
            "geospatial_lon_units": "degrees_east" if newer else "degree_east",
            "time_coverage": {
                "time_coverage_resolution": "yearly",
                "time_coverage_start": f"{wording.year}-01-01" if newer else str(wording.year),
                "time_coverage_end": "N/A" if thing.number % 5 == 0 else str(wording.year + 4),
            },
            "ebv_domain": _DOMAINS[thing.number % len(_DOMAINS)],
            "comment": "N/A",
            "dataset": {
                "pathname": f"/{_name(thing)}/public/v1_data.nc",
                "download": f"{files}data.nc",
                "metadata_json": f"{files}metadata.js",
                "metadata_xml": f"{files}metadata.xml",
            },
            "file": {"download": f"{_HOST}/img/{_name(thing)}/picture.png"},
        }

    def _of_country(self, form: Mapping[str, str]) -> Answer:
        rows = []
        for thing in self._shelf.live():
            where, wording = self._wording(thing)
            if form.get("action") != "fetch_data" or where is None:
                continue
            if where.names["en"] != form.get("country"):
                continue
            said = wording.description("en").replace(". ", ".\n")
            rows.append(
                {
                    "id": _name(thing),
                    "name": wording.title("en"),
                    "description": said,
                    "institution": wording.agency("en"),
                    "ecosystem_type": _DOMAINS[thing.number % len(_DOMAINS)],
                    "file": "picture.png",
                }
            )
        body = json.dumps({"count": len(rows), "data": rows}, ensure_ascii=False)
        # Line breaks stand in the strings as they are, which JSON does not allow.
        return Answer(body.replace("\\n", "\n").encode(), _JSON)

    def _wording(self, thing: Thing) -> tuple[Country | None, Wording]:
        """Its country, if it is of one, and its words."""
        dice = Dice(self._seed, self.name, "dataset", thing.number)
        where: Country | None = dice.pick([each for each in countries() if each.code != "EU"])
        if thing.number % 8 == 3:
            where = country(_COUNTRY)
        elif thing.number % 8 == 7:
            where = None
        year = datetime.fromtimestamp(thing.born, UTC).year
        form = "dataset" if where else "globalMap"
        made = compose(form, dice, country=where, languages=("en",), edits=thing.edits, year=year)
        return where, made


def _name(thing: Thing) -> str:
    return str(thing.number + 1)


def _json(value: Any) -> Answer:
    # As PHP writes it: slashes escaped, letters beyond ASCII too.
    return Answer(json.dumps(value, indent=4).replace("/", "\\/").encode(), _JSON)
