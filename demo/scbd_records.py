"""The records of the clearing-houses' replica: which there are and what they are called.

Their index rows are in :mod:`demo.scbd_rows`, their documents in :mod:`demo.scbd_documents`.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any

from chm_hub.record import Text
from demo.life import State
from demo.phrases import (
    UN_LANGUAGES,
    Country,
    Dice,
    Wording,
    choose_languages,
    compose,
    countries,
    ordinals,
)

Json = Any

NBSAP = "B0EBAE91-9581-4BB2-9C02-52FCF9D82721"
FORESTS = "98B63E49-28D0-4D65-A7A4-A56D0CC97B4B"
REPORTS = (
    "F27DBC9B-FF25-471B-B624-C0F73E76C8B3",
    "A49393CA-2950-4EFD-8BCC-33266D69232F",
    "DA7E04F1-D2EA-491E-9503-F7923B1FD7D4",
    "272B0A17-5569-429D-ADF5-2A55C588F7A7",
    "B3079A36-32A3-41E2-BDE0-65E4E3A51601",
)
"""First to fifth national report."""
_FOREST_TOPIC = 0
"""The place of forests among the topics."""
PERSONS = ("focalPoint", "biosafetyExpert")
"""Schemas whose titles are the names of people."""
_OF_THE_UNION = ("nbsap", "nationalReport6", "nationalTarget7")
"""Of these schemas one record is the European Union's."""
_KIND_CODES = {"focalPoint": "022", "meeting": "005", "notification": "012", "decision": "019"}
_CATEGORIES = {
    "CHM": (("CBD-FP1", "CHM-FP"), ("CBD-FP2",), ("SBSTTA-FP",), ("PA-FP", "GTI-FP")),
    "BCH": (("CPB-FP1",), ("BCH-FP", "CPB-FP2"), ("CPB-A17-FP",)),
    "ABS": (("ABS-FP",), ("NP-FP", "ABS-FP2")),
}


@dataclass(frozen=True, slots=True)
class Schema:
    """One of the Secretariat's record schemas, and how many of its records there are."""

    name: str
    code: str
    kind: str
    """``national``, ``reference`` or ``scbd``."""
    type: str
    """The hub's record type for it."""
    form: str
    share: int
    sort: int
    homes: tuple[tuple[str, tuple[str, ...]], ...]
    """Pairs of an owner realm and the realms in which a record is shown, as the data spell
    them. No owner: a record of the Secretariat, which has an index row and no document."""
    label: str

    @property
    def has_document(self) -> bool:
        """Whether there is a document behind the index row."""
        return self.homes[0][0] != ""


@dataclass(frozen=True, slots=True)
class ScbdRecord:
    """One record of the clearing-houses at a point of its life."""

    schema: Schema
    state: State
    wording: Wording
    country: Country | None
    """The government it belongs to, or the place of a meeting or an organization."""
    countries: tuple[Country, ...]
    """The countries it is about, where there can be several."""
    owner: str
    realms: tuple[str, ...]
    identifier: str
    """GUID, or what stands in for one; the index id for records without a document."""
    revision: int
    report_type: str
    categories: tuple[str, ...]
    odd: int
    """A number from 0 to 359 by which a record can be made an exception."""

    @property
    def number(self) -> int:
        """The record's place among all."""
        return self.state.number

    @property
    def document_id(self) -> int:
        """The numeric identifier."""
        return 100_000 + self.number

    @property
    def index_id(self) -> str:
        """The identifier of the index row."""
        if self.schema.has_document and self.schema.name != "focalPoint":
            return f"52000000cbd080{self.document_id:010x}"
        kind = _KIND_CODES.get(self.schema.name, "018")
        return f"52000000cbd{kind}{1000 + self.number:010x}"

    @property
    def type(self) -> str:
        """The hub's record type."""
        return "nbsap" if self.report_type == NBSAP else self.schema.type

    @property
    def government(self) -> str | None:
        """The government's code as the index has it, where the record has one."""
        if self.country is None or self.schema.name in ("meeting", "organization"):
            return None
        return self.country.code.lower()

    def codes(self) -> tuple[str, ...]:
        """The codes of the countries it belongs to or is about."""
        named = (self.country,) if self.country is not None else self.countries
        return tuple(country.code for country in named)

    def titles(self) -> tuple[Text, ...]:
        """The titles a hub should publish, in the languages the source vouches for.

        None for a focal point or an expert: its title is a person's name. A document says what its
        languages are. A bare row does not: where its default text stands under several
        languages, it is in none that could be named.
        """
        if self.schema.name in PERSONS:
            return ()
        texts = self.wording.titles()
        if self.schema.has_document or not self.has_copies() or len(texts) == len(UN_LANGUAGES):
            return texts
        return (Text(value=texts[0].value), *texts[1:])

    def has_copies(self) -> bool:
        """Whether its row has every language, with copies for want of translations."""
        return self.schema.has_document or len(self.wording.languages) > 1 or self.odd % 2 == 0

    def uid(self, revision: int | None = None) -> str:
        """The unique identifier with a revision, in the lower case of the index."""
        prefix = "absch" if self.owner == "ABS" else self.owner.lower()
        place = self.government or "scbd"
        return (
            f"{prefix}-{self.schema.code}-{place}-{self.document_id}-{revision or self.revision}"
        ).lower()

    def attachment(self, name: str) -> str:
        """The address of a file of the record, relative to the API's host."""
        return f"/api/v2013/documents/{self.identifier}/attachments/{name}"

    def symbol(self) -> str:
        """The symbol of a meeting, a notification and their like."""
        year, number = self.wording.year, self.number
        return {
            "meeting": f"DEMO-{year}-{number:04}",
            "notification": f"{year}-{number:04}",
            "pressRelease": f"PR-{year}-{number:04}",
            "statement": f"ST-{year}-{number:04}",
        }.get(self.schema.name, f"NEWS-{year}-{number:04}")


@cache
def schemas() -> dict[str, Schema]:
    """The schemas of the replica, by name."""
    path = Path(__file__).parent / "data" / "schemas.csv"
    with path.open(encoding="utf-8", newline="") as file:
        return {
            row["name"]: Schema(
                name=row["name"],
                code=row["code"],
                kind=row["kind"],
                type=row["type"],
                form=row["form"],
                share=int(row["share"]),
                sort=int(row["sort"]),
                homes=tuple(
                    (owner, tuple(shown.split("+")))
                    for owner, _, shown in (home.partition(":") for home in row["homes"].split())
                ),
                label=row["label"],
            )
            for row in csv.DictReader(file)
        }


@cache
def wheel() -> tuple[Schema, ...]:
    """Every schema as often as its share, well mixed: record ``n`` has schema ``n`` of it."""
    every = [
        (blake2b(f"{schema.name}/{turn}".encode(), digest_size=8).digest(), schema)
        for schema in schemas().values()
        for turn in range(schema.share)
    ]
    return tuple(schema for _, schema in sorted(every, key=lambda pair: pair[0]))


@cache
def _turns(name: str) -> tuple[int, ...]:
    return tuple(turn for turn, schema in enumerate(wheel()) if schema.name == name)


def make_record(seed: int, state: State) -> ScbdRecord:
    """The record with a state's number, as it is in that state."""
    schema = wheel()[state.number % len(wheel())]
    dice = Dice(seed, "scbd", state.number)
    owner, realms = dice.pick(schema.homes)
    *lands, union = countries()
    place: Country = dice.pick(lands)
    others = tuple(dict.fromkeys((place, dice.pick(lands))))
    if schema.name in _OF_THE_UNION and state.number % len(wheel()) == _turns(schema.name)[0]:
        place = union
    if schema.has_document:
        languages = choose_languages(dice, place)
    else:
        languages = dice.pick((("en",), ("en", "fr", "es"), UN_LANGUAGES))
    report_type = ""
    form = schema.form
    values: dict[str, Any] = {}
    if schema.name == "nationalReport":
        draw = dice.below(20)
        report_type = NBSAP if draw < 6 else FORESTS if draw == 6 else dice.pick(REPORTS)
        form = {NBSAP: "nbsap", FORESTS: "thematicReport"}.get(report_type, form)
        if report_type in REPORTS:
            values["ordinal"] = ordinals(1 + REPORTS.index(report_type))
    elif form == "nationalReport":
        values["ordinal"] = ordinals(6 if schema.name == "nationalReport6" else 7)
    elif form == "decision":
        values["session"] = 10 + dice.below(7)
    year = None
    if form == "nationalTarget":
        year = 2020 if schema.name == "nationalTarget" else 2030
    if schema.name == "resource":
        form = dice.pick(("guide", "researchReport", "caseStudy", "elearning"))
    wording = compose(
        form,
        dice,
        country=place,
        languages=languages,
        edits=state.edits,
        year=year,
        topic=_FOREST_TOPIC if report_type == FORESTS else None,
        **values,
    )
    about: tuple[Country, ...] = ()
    government: Country | None = place
    if schema.name in ("resource", "marineEbsa"):
        # The place is in the title: it is one of those the record is about.
        about, government = others[: 1 + dice.below(2)], None
    elif schema.name == "submission" and dice.below(3) == 0:
        # From an organization, not from a government.
        about, government = (), None
    elif not schema.has_document and schema.name != "meeting":
        government = None
    categories: tuple[str, ...] = ()
    if schema.name == "focalPoint":
        shown = {realm.upper() for realm in realms} - {"CHM"} or {"CHM"}
        categories = dice.pick(_CATEGORIES[shown.pop()])
    return ScbdRecord(
        schema=schema,
        state=state,
        wording=wording,
        country=government,
        countries=about,
        owner=owner,
        realms=realms,
        identifier=identifier(seed, state.number),
        revision=1 + dice.below(3) + state.edits,
        report_type=report_type,
        categories=categories,
        odd=dice.below(360),
    )


def identifier(seed: int, number: int) -> str:
    """What the record with a number is called in every revision."""
    schema = wheel()[number % len(wheel())]
    if schema.name == "focalPoint":
        return f"52000000cbd022{1000 + number:010x}"
    if not schema.has_document:
        kind = _KIND_CODES.get(schema.name, "018")
        return f"52000000cbd{kind}{1000 + number:010x}"
    if schema.name == "organization" and number % 4 == 0:
        return f"DEMO-ORGANISATION_{number:05}_20240107134350919"
    text = blake2b(f"{seed}/guid/{number}".encode(), digest_size=16).hexdigest().upper()
    return "-".join((text[:8], text[8:12], text[12:16], text[16:20], text[20:]))


def reference(seed: int, schema: str, draw: int) -> str:
    """A reference to some record of a schema, with the revision cited."""
    turns = _turns(schema)
    return f"{identifier(seed, turns[draw % len(turns)])}@1"


def iso(moment: int) -> str:
    """A moment as the index writes it."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
