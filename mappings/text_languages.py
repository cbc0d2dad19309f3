"""The languages of a record's texts where its document does not say them (decision 27).

A document's word on a text counts. Next comes what the text shows of itself, among the languages
that its document and the source's file name. Then comes the file's language, if it names one, and
last what a site says of all its pages alike. Neither of these two stands against a text's script
or its words. The rule is the crosswalk engine's, so that no crosswalk can forget it.
``language_of_source = false`` switches it off.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chm_hub.document import Json
from mappings import detection, languages, scripts

KEY = "language_of_source"
"""The key of a crosswalk and of a source's file; true if it is absent."""
SITE = "site_language"
"""The key of a crosswalk for an expression: what a site says of all its pages alike."""
_TEXTS = ("title", "description")
_LABELS = ("subject", "rights", "coverage")
"""Fields whose texts are too short to show a language, but not a script."""


@dataclass(slots=True)
class Settled:
    """What was found out: the fields that change, what of them is inferred, what is odd."""

    fields: dict[str, Json] = field(default_factory=dict)
    inferred: list[str] = field(default_factory=list)
    """Paths of the record (``title.0.lang``, ``language``)."""
    issues: list[tuple[str, str]] = field(default_factory=list)
    """A field and a message each."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The languages that bear on a record."""

    site: tuple[str, ...]
    """What the site says of all its pages."""
    document: tuple[str, ...]
    """What the document says of its resource."""
    texts: tuple[str, ...]
    """What the document says of single texts."""
    file: tuple[str, ...]
    """What the source's file names."""

    @property
    def allowed(self) -> tuple[str, ...]:
        """Those that a text may be inferred to be in."""
        return tuple(dict.fromkeys((*self.document, *self.texts, *self.file, *self.site)))

    def fallback(self, own: str | None) -> str | None:
        """The language to take where a text shows none: the file's only one, or the site's."""
        site = own or (self.site[0] if len(self.site) == 1 else None)
        if site is not None and (not self.file or _holds(self.file, site)):
            return site
        if len(self.file) == 1 and (not self.document or _holds(self.document, self.file[0])):
            return self.file[0]
        return site

    def issue(self, name: str, found: str) -> tuple[str, str]:
        """What to tell of a text in a language that nobody names."""
        return name, f"its text is in no language of the source's file: {found}"


def settle(
    fields: Mapping[str, Json],
    site: Json,
    source: Mapping[str, Json],
    *,
    wanted: bool,
    odd: Collection[str] = (),
) -> Settled:
    """The languages of the texts of a record's shaped fields, and of the record itself.

    ``site`` is what the expression ``site_language`` gave, ``wanted`` what the crosswalk says. A
    text that has a language is left alone unless that is the site's word only. In the fields
    ``odd`` the document names a language that is none: nothing is put in its place.
    """
    settled = Settled()
    settled.fields = _without_none(fields)
    said_so, fields = fields, {**fields, **settled.fields}
    if not wanted or source.get(KEY) is False:
        return settled
    said = tuple(tag for tag in fields.get("language") or () if isinstance(tag, str))
    weak = tuple(_tags(site))
    strong = [text["lang"] for _, _, text in _texts(fields, _TEXTS) if "lang" in text]
    known = _Known(
        site=weak,
        document=tuple(tag for tag in said if tag not in weak),
        texts=tuple(tag for tag in dict.fromkeys(strong) if tag not in weak),
        file=tuple(_tags(source.get("languages"))),
    )
    if not known.allowed:
        return settled
    _settle_texts({k: v for k, v in said_so.items() if k not in odd}, known, settled)
    _settle_labels(fields, known, settled)
    if "language" not in odd:
        _settle_record(fields, said, known, settled)
    return settled


def _without_none(fields: Mapping[str, Json]) -> dict[str, Json]:
    """The fields with texts that are said to be in no language, without the mark for that."""
    found: dict[str, Json] = {}
    for name, values in fields.items():
        if isinstance(values, list) and any(_is_in_none(value) for value in values):
            found[name] = [
                {key: part for key, part in value.items() if key != "lang"}
                if _is_in_none(value)
                else value
                for value in values
            ]
    return found


def _is_in_none(value: Json) -> bool:
    return isinstance(value, dict) and value.get("lang") == languages.IN_NONE


def _settle_texts(fields: Mapping[str, Json], known: _Known, settled: Settled) -> None:
    """Titles and descriptions: each by its own words, or else by those of all of them."""
    open_ = [
        (name, place, text)
        for name, place, text in _texts(fields, _TEXTS)
        if "lang" not in text or text["lang"] in known.site
    ]
    together = " ".join(text["value"] for _, _, text in open_)
    for name, place, text in open_:
        lang, inferred, odd = _language_of(text, together, known)
        if odd is not None:
            settled.issues.append(known.issue(name, odd))
        if lang == text.get("lang"):
            continue
        _put(fields, settled, name, place, lang)
        if inferred:
            settled.inferred.append(f"{name}.{place}.lang")


def _language_of(
    text: Mapping[str, str], together: str, known: _Known
) -> tuple[str | None, bool, str | None]:
    """A text's language, whether it is inferred, and a language that it is in and may not have."""
    own, value = text.get("lang"), text["value"]
    script = scripts.script_of(value)
    seen = detection.guess(value, known.allowed)
    if seen == detection.Guess() and together != value:
        seen = _as_together(value, together, known)
    found = seen.language or seen.elsewhere
    fallback = known.fallback(own)
    if found is not None and not _holds(known.allowed, found):
        if seen.elsewhere and any(not detection.knows(tag) for tag in known.allowed):
            # The model cannot find all of the source's languages; this may be one of them.
            return (fallback if _fits(fallback, script) else None), False, None
        return None, False, found if fallback is not None else None
    if found is not None:
        tag = _as_said(found, own, known.allowed)
        return tag, tag != fallback, None
    if _fits(fallback, script):
        return fallback, False, None
    if script not in (None, "Latn"):
        fitting = [tag for tag in known.allowed if scripts.fits(tag, script)]
        if len(fitting) == 1:
            return fitting[0], True, None
        return None, False, None if fitting else f"it is in the script {script}"
    return None, False, None


def _as_together(value: str, together: str, known: _Known) -> detection.Guess:
    """What a short text shows beside the others of its record, unless it leans elsewhere itself."""
    if scripts.script_of(together) != scripts.script_of(value):
        return detection.Guess()
    seen = detection.guess(together, known.allowed)
    lean = detection.leaning(value, known.allowed)
    return seen if lean is None or lean == seen.language else detection.Guess()


def _settle_labels(fields: Mapping[str, Json], known: _Known, settled: Settled) -> None:
    """Subjects and the like: no label keeps a language that its script cannot be."""
    for name, place, text in _texts(fields, _LABELS):
        value = text.get("value") or text.get("label") or ""
        weak = text.get("lang") in (*known.site, *known.file)
        if "lang" in text and weak and not _fits(text["lang"], scripts.script_of(value)):
            _put(fields, settled, name, place, None)


def _settle_record(
    fields: Mapping[str, Json], said: tuple[str, ...], known: _Known, settled: Settled
) -> None:
    """The language of the record: the document's word, or else that of its texts."""
    if any(tag not in known.site for tag in said):
        return
    titles = {**fields, **settled.fields}
    for name in _TEXTS:
        texts = titles.get(name) or []
        if texts and any("lang" in text for text in fields.get(name) or () if _strong(text, known)):
            return  # the document says of its texts, and not of itself
        found = list(dict.fromkeys(text["lang"] for text in texts if "lang" in text))
        if found:
            break
        if texts and any(issue[0] == name for issue in settled.issues):
            found = []
            break
    else:
        found = list(said)
    if found == list(said):
        return
    settled.fields["language"] = found
    if any(path.startswith(_TEXTS) for path in settled.inferred):
        settled.inferred.append("language")


def _strong(text: Mapping[str, Any], known: _Known) -> bool:
    return "lang" in text and text["lang"] not in known.site


def _texts(
    fields: Mapping[str, Json], names: Iterable[str]
) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """The texts of some fields, with their places."""
    for name in names:
        for place, text in enumerate(fields.get(name) or ()):
            if isinstance(text, dict) and isinstance(text.get("value", text.get("label")), str):
                yield name, place, text


def _put(
    fields: Mapping[str, Json], settled: Settled, name: str, place: int, lang: str | None
) -> None:
    """Give a text a language, or none, in a copy of its field."""
    texts = list(settled.fields.get(name) or fields[name])
    texts[place] = {key: part for key, part in texts[place].items() if key != "lang"}
    if lang is not None:
        texts[place]["lang"] = lang
    settled.fields[name] = texts


def _tags(value: Json) -> Iterator[str]:
    """The language tags in what a file or a site says."""
    found: dict[str, None] = {}
    for item in value if isinstance(value, list) else [value]:
        if isinstance(item, str):
            found.update(dict.fromkeys(languages.languages(item)[0]))
    yield from found


def _main(tag: str) -> str:
    return tag.partition("-")[0]


def _holds(tags: Iterable[str], tag: str) -> bool:
    """Whether a language is among some, in whatever country or script."""
    return any(_main(one) == _main(tag) for one in tags)


def _as_said(found: str, own: str | None, allowed: Iterable[str]) -> str:
    """A language that was found, as its source writes it (``pt-BR``)."""
    return next((tag for tag in (own, *allowed) if tag and _main(tag) == _main(found)), found)


def _fits(tag: str | None, script: str | None) -> bool:
    return tag is not None and scripts.fits(tag, script)
