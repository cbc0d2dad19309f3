"""The canonical record: one description, whoever made it.

Field names are DCTERMS and DCAT local names. Texts are ``{value, lang}`` pairs, which is
RDF's language-tagged string. A record is validated at exactly one border, :func:`validate`,
and immutable from there on.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter, ValidationError, with_config

from chm_hub import names

RecordType = Literal[
    "nationalTarget",
    "nationalReport",
    "nbsap",
    "nationalAssessment",
    "focalPoint",
    "authority",
    "checkpoint",
    "contact",
    "organization",
    "expert",
    "bestPractice",
    "caseStudy",
    "toolGuidance",
    "researchReport",
    "elearning",
    "policyDocument",
    "law",
    "permit",
    "decision",
    "riskAssessment",
    "modifiedOrganism",
    "dnaSequence",
    "organism",
    "submission",
    "ebsa",
    "meeting",
    "statement",
    "pressRelease",
    "notification",
    "news",
    "event",
    "project",
    "capacityBuilding",
    "dataset",
    "protectedArea",
    "marineArea",
    "indicator",
    "resource",
    "other",
]
RECORD_TYPES: tuple[str, ...] = get_args(RecordType)

Language = Annotated[str, StringConstraints(pattern=r"^[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*$")]
"""A language tag as XML's ``xml:lang`` allows it (BCP 47 in form); kept as the source wrote it."""
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
"""ISO 3166-1 alpha-2, and ``EU``."""
PartialDate = Annotated[
    str,
    StringConstraints(
        pattern=r"^\d{4}(-\d{2}(-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:\d{2}))?)?)?$"
    ),
]
"""W3CDTF: as precise as the source was, from ``2024`` to ``2024-11-05T10:00:00Z``."""
Url = Annotated[
    str, StringConstraints(pattern=r"^(https?|ftp|mailto):[^\s<>\"]+$", max_length=4096)
]
_NonEmpty = Annotated[str, StringConstraints(pattern=r"\S")]

_STRICT = ConfigDict(extra="forbid", str_strip_whitespace=False)


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """A text and its language; ``lang`` is ``None`` where the source does not say."""

    value: _NonEmpty
    lang: Language | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Concept:
    """A subject: a label, and its place in a vocabulary where it is known."""

    label: _NonEmpty
    lang: Language | None = None
    code: str | None = None
    """The identifier within the scheme, such as ``GBF-TARGET-06``."""
    scheme: str | None = None
    """The vocabulary, such as ``GBF-TARGETS``, ``CBD-SUBJECTS``, ``AICHI-TARGETS``, ``SDG``."""
    uri: str | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An organization or a person with a part in the resource."""

    name: _NonEmpty
    lang: Language | None = None
    uri: str | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """A time span; either end may be open."""

    start: PartialDate | None = None
    end: PartialDate | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """A file or service that holds the resource itself."""

    url: Url
    title: str | None = None
    media_type: str | None = None
    language: Language | None = None
    byte_size: Annotated[int, Field(ge=0)] | None = None


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Provenance:
    """How the hub came to this record. Not part of its content (:func:`content_hash`)."""

    source: str
    base_url: str
    """The source's address, as its file states it."""
    url: str
    """The request whose answer held the document."""
    source_datestamp: str | None = None
    namespace: str | None = None
    """The XML namespace of the metadata the record was made from, where it was XML."""
    harvested: datetime
    crosswalk: str
    crosswalk_digest: str
    run: str
    inferred: list[str] = field(default_factory=list)
    """Paths of what the source does not say and the hub inferred (``title.0.lang``)."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One resource of the network. Times are aware UTC; dates stay as precise as given."""

    identifier: Annotated[str, StringConstraints(pattern=names.PATTERN)]
    """Ours: ``<source>/<local>``, see :mod:`chm_hub.names`."""
    source: str
    source_identifier: _NonEmpty
    type: RecordType
    title: list[Text] = field(default_factory=list)
    description: list[Text] = field(default_factory=list)
    url: Url | None = None
    language: list[Language] = field(default_factory=list)
    spatial: list[Country] = field(default_factory=list)
    coverage: list[Text] = field(default_factory=list)
    """Places and periods in words, where there is no code for them."""
    subject: list[Concept] = field(default_factory=list)
    creator: list[Agent] = field(default_factory=list)
    publisher: list[Agent] = field(default_factory=list)
    contributor: list[Agent] = field(default_factory=list)
    issued: PartialDate | None = None
    modified: PartialDate | None = None
    temporal: Period | None = None
    distribution: list[Distribution] = field(default_factory=list)
    relation: list[_NonEmpty] = field(default_factory=list)
    """Identifiers or addresses of related resources, as the source gave them."""
    same_as: list[_NonEmpty] = field(default_factory=list)
    """Identifiers of the same resource elsewhere."""
    license: str | None = None
    rights: list[Text] = field(default_factory=list)
    status: str | None = None
    """What became of it (``revoked``, ``retired``, ``approved``...), where the source says so."""
    treaty: list[Literal["cbd", "cartagena", "nagoya", "nagoya-kuala-lumpur"]] = field(
        default_factory=list
    )
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north in degrees (WGS 84), as GeoJSON and STAC order them."""
    provenance: Provenance


_ADAPTER: TypeAdapter[Record] = TypeAdapter(Record)
FIELDS: frozenset[str] = frozenset(Record.__dataclass_fields__)


def validate(fields: dict[str, Any]) -> Record:
    """Make a record of plain values.

    Raises :class:`pydantic.ValidationError`, which names every fault with its path.
    """
    return _ADAPTER.validate_python(fields)


def to_dict(record: Record) -> dict[str, Any]:
    """The record as plain values, empty fields left out; :func:`validate` reads it back."""
    plain: dict[str, Any] = _ADAPTER.dump_python(record, exclude_defaults=True)
    return plain


def canonical(plain: dict[str, Any]) -> bytes:
    """What a record says (of :func:`to_dict`), without how we came to it, as canonical JSON."""
    content = {key: value for key, value in plain.items() if key != "provenance"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass")


def content_hash(said: bytes) -> str:
    """A digest of what a record says, of :func:`canonical`.

    Two harvests of the same content give the same digest whatever the run, the address it
    came from or the crosswalk's version, so that only a real change moves our datestamp.
    """
    return hashlib.blake2b(said, digest_size=16).hexdigest()


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a record."""
    return _ADAPTER.json_schema()


__all__ = [
    "FIELDS",
    "RECORD_TYPES",
    "Agent",
    "Concept",
    "Distribution",
    "Period",
    "Provenance",
    "Record",
    "RecordType",
    "Text",
    "ValidationError",
    "canonical",
    "content_hash",
    "json_schema",
    "to_dict",
    "validate",
]
