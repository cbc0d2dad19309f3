"""What the records of the demonstration network say: small grammars in nine languages.

Everything here is a function of its arguments. The phrases are data, in ``data/``.
"""

from __future__ import annotations

import csv
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

from chm_hub.record import Text

UN_LANGUAGES = ("en", "fr", "es", "ar", "ru", "zh")

_DATA = Path(__file__).parent / "data"
_NAMED = ("crop", "taxon", "feature", "site")
_EMPTY = re.compile(r"\s*[(（][)）]")
"""Where the name of a country would stand, in what is of none."""
_T = TypeVar("_T")
Variants = Mapping[str, str]
"""One text in several languages."""


class Dice:
    """Draws that depend on a key and on nothing else: the same on every machine and run."""

    __slots__ = ("_left",)

    def __init__(self, *key: object) -> None:
        text = "\x1f".join(map(str, key))
        self._left = int.from_bytes(blake2b(text.encode(), digest_size=64).digest())

    def below(self, limit: int) -> int:
        """A number from 0 up to but not with ``limit``; good for some forty draws."""
        self._left, drawn = divmod(self._left, limit)
        return drawn

    def pick(self, choices: Sequence[_T]) -> _T:
        """One of the choices."""
        return choices[self.below(len(choices))]


@dataclass(frozen=True, slots=True, eq=False)
class Country:
    """A country (or the European Union) with its names and the languages it writes in."""

    code: str
    region: str
    """Its CBD regional group: ``africa``, ``asia``, ``cee``, ``lac``, ``weog``."""
    languages: tuple[str, ...]
    latitude: float
    longitude: float
    names: Variants


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """A thing to write about, with its place in the vocabularies of the Convention."""

    names: Variants
    subjects: tuple[str, ...]
    """``CBD-SUBJECT-...``"""
    targets: tuple[str, ...]
    """``GBF-TARGET-..``"""
    aichi: tuple[str, ...]
    """``AICHI-TARGET-..``"""


@dataclass(frozen=True, slots=True)
class Wording:
    """What one record says, in each of its languages. The first language is its own."""

    languages: tuple[str, ...]
    topic: Topic
    country: Country | None
    year: int
    number: int
    edits: int
    form: Variants
    about: Variants
    values: Mapping[str, Any]

    def title(self, lang: str) -> str:
        """The title; every odd edit gives it another edition."""
        edition = (self.edits + 1) // 2
        text = _EMPTY.sub("", self.form[lang].format_map(self._words(lang)))
        return text + _phrases()["edition"][lang].format(n=edition) if edition else text

    def description(self, lang: str) -> str:
        """Two or three sentences; every even edit amends them."""
        version = self.edits // 2
        text = self.about[lang].format_map(self._words(lang))
        return text + _phrases()["amendment"][lang].format(n=version + 1) if version else text

    def titles(self) -> tuple[Text, ...]:
        """The title in each language."""
        return tuple(Text(value=self.title(lang), lang=lang) for lang in self.languages)

    def agency(self, lang: str) -> str:
        """The body that answers for the record; a name of its kind, not of an agency."""
        name = self.country.names[lang] if self.country else "CHM"
        return str(_phrases()["agency"][lang]).format(country=name)

    def _words(self, lang: str) -> dict[str, Any]:
        topic = self.topic.names[lang]
        words: dict[str, Any] = {
            "topic": topic,
            "Topic": topic[0].upper() + topic[1:],
            "year": self.year,
            "years": f"{self.year}–{self.year + 4}",
            "n": self.number,
            "country": self.country.names[lang] if self.country else "",
        }
        for name, value in self.values.items():
            words[name] = value[lang] if isinstance(value, Mapping) else value
        return words


def compose(
    form: str,
    dice: Dice,
    *,
    country: Country | None,
    languages: tuple[str, ...],
    edits: int = 0,
    year: int | None = None,
    topic: int | None = None,
    **values: Any,
) -> Wording:
    """Word a record of a form in ``data/phrases.toml``.

    Languages the form has no words for are left out; English stands in if none is left.
    ``year`` and ``topic`` (its place in the file) are drawn unless they are given;
    ``values`` fill further places of the form, as they are or one for each language.
    """
    phrases = _phrases()
    chosen: Variants = dice.pick(phrases["form"][form])
    known = tuple(lang for lang in languages if lang in chosen) or ("en",)
    # Only the first topics are worded in the languages beside the six.
    topics = phrases["topics"] if set(known) <= set(UN_LANGUAGES) else phrases["wide"]
    theme: Topic = dice.pick(topics) if topic is None else phrases["topics"][topic]
    for name in _NAMED:
        if "{" + name + "}" in chosen["en"] and name not in values:
            values[name] = dice.pick(phrases[name])
    return Wording(
        languages=known,
        topic=theme,
        country=country,
        year=year if year is not None else 2012 + dice.below(12),
        number=1 + dice.below(97),
        edits=edits,
        form=chosen,
        about=dice.pick(phrases["about"]),
        values=values,
    )


def choose_languages(dice: Dice, country: Country) -> tuple[str, ...]:
    """The languages a record of a country is written in: mostly one, at times all six."""
    own = country.languages
    draw = dice.below(20)
    if draw == 0:
        return tuple(dict.fromkeys((own[0], *UN_LANGUAGES)))
    if draw < 8 and len(own) > 1:
        return own
    if draw < 11 and "en" not in own:
        return (own[0], "en")
    return (dice.pick(own),)


def ordinals(number: int) -> Variants:
    """The words for first (1) to seventh (7), as the name of a report has them."""
    return {lang: words[number - 1] for lang, words in _phrases()["ordinal"].items()}


@cache
def countries() -> tuple[Country, ...]:
    """The countries of the network; the European Union comes last."""
    with (_DATA / "countries.csv").open(encoding="utf-8", newline="") as file:
        return tuple(
            Country(
                code=row["code"],
                region=row["region"],
                languages=tuple(row["languages"].split()),
                latitude=float(row["latitude"]),
                longitude=float(row["longitude"]),
                names={lang: row[lang] for lang in (*UN_LANGUAGES, "pt", "sw", "ja")},
            )
            for row in csv.DictReader(file)
        )


@cache
def country(code: str) -> Country:
    """The country with an ISO 3166-1 alpha-2 code (or ``EU``)."""
    return next(found for found in countries() if found.code == code)


@cache
def _phrases() -> dict[str, Any]:
    read: dict[str, Any] = tomllib.loads((_DATA / "phrases.toml").read_text("utf-8"))
    read["topics"] = tuple(_topic(entry) for entry in read.pop("topic"))
    read["wide"] = tuple(topic for topic in read["topics"] if "ja" in topic.names)
    return read


def _topic(entry: Mapping[str, Any]) -> Topic:
    return Topic(
        names={lang: text for lang, text in entry.items() if isinstance(text, str)},
        subjects=tuple(f"CBD-SUBJECT-{code}" for code in entry["subjects"]),
        targets=tuple(f"GBF-TARGET-{number:02}" for number in entry["targets"]),
        aichi=tuple(f"AICHI-TARGET-{number:02}" for number in entry["aichi"]),
    )
