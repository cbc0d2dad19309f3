"""The records of the OAI-PMH replicas, and their formats: oai_dc, oai_dcterms, EML.

Markup is put together as text, every value escaped: a page of fifty records is a matter of
milliseconds, which is what makes ten thousand of them useful in a benchmark.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID
from xml.sax.saxutils import escape, quoteattr

from chm_hub.record import Text
from demo.life import State
from demo.phrases import Country, Dice, Wording, choose_languages, compose, countries, ordinals

OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
OAI_DCTERMS = "http://www.openarchives.org/OAI/2.0/oai_dcterms/"
DCTERMS = "http://purl.org/dc/terms/"
EML = "eml://ecoinformatics.org/eml-2.1.1"
_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LICENSE = "https://creativecommons.org/licenses/by/4.0/"
_THREE_LETTERS = {
    "en": "eng",
    "fr": "fra",
    "es": "spa",
    "ar": "ara",
    "ru": "rus",
    "zh": "zho",
    "pt": "por",
    "sw": "swa",
    "ja": "jpn",
}


Box = tuple[float, float, float, float]
"""South, west, north, east in degrees; west is greater where the 180th meridian lies between."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of record: our type, the form it is worded in, and what its ``dc:type`` says."""

    type: str
    form: str
    label: str


_DATASET = Kind("dataset", "dataset", "Dataset")
_CASE_STUDY = Kind("caseStudy", "caseStudy", "Case study")
_BEST_PRACTICE = Kind("bestPractice", "bestPractice", "Best practice")
_GUIDANCE = Kind("toolGuidance", "guide", "Guidance")
_RESEARCH = Kind("researchReport", "researchReport", "Research report")
_LAW = Kind("law", "measure", "Law")
_NEWS = Kind("news", "news", "News")
_EVENT = Kind("event", "event", "Event")

REGIONAL = (
    *[_DATASET] * 10,
    *[_CASE_STUDY] * 2,
    *[_BEST_PRACTICE] * 2,
    *[_GUIDANCE] * 2,
    *[_RESEARCH] * 2,
    Kind("elearning", "elearning", "E-learning"),
    Kind("policyDocument", "policyDocument", "Policy document"),
    Kind("project", "project", "Project"),
    Kind("protectedArea", "protectedArea", "Protected area"),
    Kind("nationalReport", "nationalReport", "National report"),
    Kind("nbsap", "nbsap", "NBSAP"),
    _LAW,
)
"""What a regional repository holds that also lists the data sets of a registry."""
BULLETIN = (
    *[_NEWS] * 3,
    *[_EVENT] * 2,
    _CASE_STUDY,
    _GUIDANCE,
    _LAW,
    Kind("meeting", "meeting", "Meeting"),
    Kind("pressRelease", "pressRelease", "Press release"),
)
"""What a small repository of an information office holds."""
_DATASET_TYPES = ("OCCURRENCE", "OCCURRENCE", "CHECKLIST", "SAMPLING_EVENT", "METADATA")


@dataclass(frozen=True, slots=True)
class OaiRecord:
    """One record of a repository, before it is given a format."""

    identifier: str
    kind: Kind
    wording: Wording
    country: Country
    languages: tuple[str | None, ...]
    """For each title and description what its ``xml:lang`` says; ``None``: nothing."""
    place: str
    """How the record writes its country."""
    issued: str
    url: str
    sets: tuple[str, ...]
    version: int
    box: Box
    deposited: str = ""
    """When it was put into the repository, where the repository tells it as one more date."""
    left: tuple[str, ...] = ()
    """Sets that it was in before: their readers are told that it is deleted."""

    def titles(self) -> tuple[Text, ...]:
        """The titles as the wire has them."""
        pairs = zip(self.wording.languages, self.languages, strict=True)
        return tuple(Text(value=self.wording.title(lang), lang=said) for lang, said in pairs)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a repository holds: everything about its records but their lives."""

    seed: int
    name: str
    host: str
    kinds: tuple[Kind, ...]
    has_sets: bool
    tags_languages: bool
    """Without, one record in six leaves ``xml:lang`` out, as old repositories do."""
    land: Country | None = None
    """The country all of it is of; ``None``: of any."""

    def record(self, state: State) -> OaiRecord:
        """The record as it stands at a point of its life."""
        number = state.number
        dice = Dice(self.seed, self.name, number)
        kind = self.kinds[number % len(self.kinds)]
        any_land = countries()[dice.below(len(countries()) - 1)]
        place = self.land or any_land
        languages = choose_languages(dice, place)
        if kind.form == "nationalReport":
            wording = compose(
                kind.form,
                dice,
                country=place,
                languages=languages,
                edits=state.edits,
                ordinal=ordinals(1 + dice.below(6)),
            )
        else:
            wording = compose(
                kind.form, dice, country=place, languages=languages, edits=state.edits
            )
        is_dataset = kind == _DATASET
        if is_dataset:
            drawn = Dice(self.seed, self.name, "uuid", number).below(1 << 128)
            identifier = str(UUID(int=drawn, version=4))
            url = f"https://registry.example.org/dataset/{identifier}"
        else:
            identifier = f"oai:{self.host}:{number:06}"
            url = f"https://{self.host}/{wording.languages[0]}/record/{number}"
        silent = not self.tags_languages and number % 6 == 5
        year, month, day = wording.year, 1 + dice.below(12), 1 + dice.below(28)
        issued = dice.pick((f"{year}", f"{year}-{month:02}", *[f"{year}-{month:02}-{day:02}"] * 3))
        sets: list[str] = []
        if self.has_sets:
            sets = [f"country:{place.code}", f"type:{kind.type}"]
            if is_dataset:
                sets.append(f"dataset_type:{dice.pick(_DATASET_TYPES)}")
        return OaiRecord(
            identifier=identifier,
            kind=kind,
            wording=wording,
            country=place,
            languages=tuple(None if silent else lang for lang in wording.languages),
            place=place.names["en"] if number % 5 in (1, 3) else place.code,
            issued=issued,
            url=url,
            sets=tuple(sets),
            version=state.edits + 1,
            box=_box(place),
        )

    def set_names(self) -> dict[str, str]:
        """The sets of the repository, and what they are called."""
        kinds = dict.fromkeys((kind.type, kind.label) for kind in self.kinds)
        return {
            "country": "Records by country",
            **{f"country:{land.code}": land.names["en"] for land in countries()[:-1]},
            "type": "Records by type",
            **{f"type:{kind}": label for kind, label in kinds},
            "dataset_type": "Data sets by type",
            **{
                f"dataset_type:{name}": name.capitalize().replace("_", " ")
                for name in ("CHECKLIST", "METADATA", "OCCURRENCE", "SAMPLING_EVENT")
            },
        }


def oai_dc(record: OaiRecord) -> str:
    """Simple Dublin Core (OAI-PMH 2.0, section 6)."""
    parts = [
        f'<oai_dc:dc xmlns:oai_dc="{OAI_DC}" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        f'xmlns:xsi="{_XSI}" xsi:schemaLocation="{OAI_DC} '
        'http://www.openarchives.org/OAI/2.0/oai_dc.xsd">'
    ]
    wording = record.wording
    for lang, said in zip(wording.languages, record.languages, strict=True):
        parts.append(_element("dc:title", wording.title(lang), said))
        parts.append(_element("dc:description", wording.description(lang), said))
    first = wording.languages[0]
    parts.append(_element("dc:creator", wording.agency(first)))
    parts.append(_element("dc:publisher", wording.agency("en")))
    parts.append(_element("dc:subject", wording.topic.names[first], record.languages[0]))
    parts += [_element("dc:subject", code) for code in _codes(wording)]
    # As DSpace has them: accessioned, available, issued.
    dates = (record.deposited, record.deposited, record.issued)
    parts += [_element("dc:date", date) for date in dates if date]
    parts.append(_element("dc:type", record.kind.label))
    parts.append(_element("dc:identifier", record.url))
    parts += [_element("dc:language", lang) for lang in wording.languages]
    parts.append(_element("dc:coverage", record.place))
    if record.kind == _DATASET:
        south, west, north, east = record.box
        parts.append(
            _element(
                "dc:coverage",
                f"{south},{west} / {north},{east} (min, max Latitude / min, max Longitude)",
            )
        )
        parts.append(_element("dc:format", "application/dwca+zip"))
    parts.append(_element("dc:rights", _LICENSE))
    parts.append("</oai_dc:dc>")
    return "".join(parts)


def oai_dcterms(record: OaiRecord) -> str:
    """Qualified Dublin Core: DCMI terms with languages and encoding schemes."""
    parts = [
        f'<oai_dcterms:dcterms xmlns:oai_dcterms="{OAI_DCTERMS}" xmlns:dcterms="{DCTERMS}" '
        f'xmlns:xsi="{_XSI}">'
    ]
    wording = record.wording
    for lang, said in zip(wording.languages, record.languages, strict=True):
        parts.append(_element("dcterms:title", wording.title(lang), said))
        parts.append(_element("dcterms:description", wording.description(lang), said))
    for lang, said in zip(wording.languages[:2], record.languages[:2], strict=True):
        parts.append(_element("dcterms:creator", wording.agency(lang), said))
        parts.append(_element("dcterms:subject", wording.topic.names[lang], said))
    parts += [_element("dcterms:subject", code) for code in _codes(wording)]
    parts.append(_element("dcterms:type", record.kind.label))
    parts.append(_coded("dcterms:issued", record.issued, "dcterms:W3CDTF"))
    parts.append(_coded("dcterms:identifier", record.url, "dcterms:URI"))
    parts += [_coded("dcterms:language", lang, "dcterms:RFC4646") for lang in wording.languages]
    if record.place == record.country.code:
        parts.append(_coded("dcterms:spatial", record.place, "dcterms:ISO3166"))
    else:
        parts.append(_element("dcterms:spatial", record.place, "en"))
    if record.kind == _DATASET:
        south, west, north, east = record.box
        limits = f"northlimit={north}; southlimit={south}; westlimit={west}; eastlimit={east}"
        parts.append(_coded("dcterms:spatial", limits, "dcterms:Box"))
        parts.append(_coded("dcterms:format", "application/dwca+zip", "dcterms:IMT"))
    parts.append(_coded("dcterms:license", _LICENSE, "dcterms:URI"))
    parts.append("</oai_dcterms:dcterms>")
    return "".join(parts)


def eml(record: OaiRecord) -> str:
    """EML 2.1.1 as the GBIF profile has it; for data sets only."""
    wording = record.wording
    first = wording.languages[0]
    code = _THREE_LETTERS[first]
    body = escape(wording.agency("en"))
    agent = (
        f"<organizationName>{body}</organizationName><address><country>{record.country.code}"
        "</country></address><electronicMailAddress>data@example.org</electronicMailAddress>"
    )
    titles = "".join(
        f'<title xml:lang="{_THREE_LETTERS[lang]}">{escape(wording.title(lang))}</title>'
        for lang in wording.languages
    )
    south, west, north, east = record.box
    # The schema knows years and days, no months.
    published = record.issued[:4] if len(record.issued) == 7 else record.issued
    keywords = "".join(
        f"<keyword>{escape(word)}</keyword>"
        for word in (wording.topic.names[first], *_codes(wording))
    )
    return (
        # EML's inner elements have no namespace; the envelope's would be theirs.
        f'<eml:eml xmlns="" xmlns:eml="{EML}" xmlns:xsi="{_XSI}" xsi:schemaLocation="{EML} '
        'http://rs.gbif.org/schema/eml-gbif-profile/1.2/eml.xsd" '
        f'packageId="{record.identifier}/v1.{record.version}" system="http://registry.example.org" '
        f'scope="system" xml:lang="{code}"><dataset>'
        f"<alternateIdentifier>{record.identifier}</alternateIdentifier>"
        f"<alternateIdentifier>{escape(record.url)}</alternateIdentifier>{titles}"
        f"<creator>{agent}</creator><metadataProvider>{agent}</metadataProvider>"
        f"<pubDate>{published}</pubDate><language>{code}</language>"
        f"<abstract><para>{escape(wording.description(first))}</para></abstract>"
        f"<keywordSet>{keywords}<keywordThesaurus>n/a</keywordThesaurus></keywordSet>"
        f'<intellectualRights><para>This work is licensed under a <ulink url="{_LICENSE}">'
        "<citetitle>Creative Commons Attribution (CC-BY) 4.0 License</citetitle></ulink>."
        "</para></intellectualRights>"
        f'<distribution scope="document"><online><url function="information">'
        f"{escape(record.url)}</url></online></distribution>"
        "<coverage><geographicCoverage><geographicDescription>"
        f"{escape(record.country.names['en'])}</geographicDescription><boundingCoordinates>"
        f"<westBoundingCoordinate>{west}</westBoundingCoordinate>"
        f"<eastBoundingCoordinate>{east}</eastBoundingCoordinate>"
        f"<northBoundingCoordinate>{north}</northBoundingCoordinate>"
        f"<southBoundingCoordinate>{south}</southBoundingCoordinate>"
        "</boundingCoordinates></geographicCoverage></coverage>"
        f"<contact>{agent}</contact></dataset><additionalMetadata><metadata><gbif>"
        "<hierarchyLevel>dataset</hierarchyLevel>"
        f"<citation>{escape(wording.title(first))}</citation>"
        "</gbif></metadata></additionalMetadata></eml:eml>"
    )


@dataclass(frozen=True, slots=True)
class Format:
    """A metadata format of a repository."""

    schema: str
    namespace: str
    render: Callable[[OaiRecord], str]
    types: frozenset[str] | None = None
    """The record types it is there for; all if ``None``."""


FORMATS = {
    "oai_dc": Format("http://www.openarchives.org/OAI/2.0/oai_dc.xsd", OAI_DC, oai_dc),
    "oai_dcterms": Format(
        "https://regional.example.org/schemas/oai_dcterms.xsd", OAI_DCTERMS, oai_dcterms
    ),
    "eml": Format(
        "http://rs.gbif.org/schema/eml-gbif-profile/1.2/eml.xsd",
        EML,
        eml,
        frozenset({"dataset"}),
    ),
}


def _codes(wording: Wording) -> tuple[str, ...]:
    return (*wording.topic.subjects, *wording.topic.targets)


def _box(country: Country) -> Box:
    """A square of two degrees in the country."""
    south, west = country.latitude - 1, max(-180.0, min(178.0, country.longitude - 1))
    return round(south, 1), round(west, 1), round(south + 2, 1), round(west + 2, 1)


def _element(name: str, text: str, lang: str | None = None) -> str:
    tag = f"{name} xml:lang={quoteattr(lang)}" if lang else name
    return f"<{tag}>{escape(text)}</{name}>"


def _coded(name: str, text: str, scheme: str) -> str:
    return f'<{name} xsi:type="{scheme}">{escape(text)}</{name}>'
