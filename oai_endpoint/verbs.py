"""The six verbs (OAI-PMH 2.0 §4): each takes a question and gives the content of the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from urllib.parse import quote

from chm_hub.settings import Settings
from mappings.formats import BASE, FORMATS
from oai_endpoint.arguments import Fault, FaultsError, Question, first_second, second_after
from oai_endpoint.envelope import element
from oai_endpoint.sets import Names
from oai_endpoint.tokens import LIFE, Place, Tokens
from store import OWN, Count, Records, Snapshot

RECORDS_A_PART = 100
IDENTIFIERS_A_PART = 500
SETS_A_PART = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Repository:
    """What the verbs answer from."""

    records: Records
    settings: Settings
    tokens: Tokens
    names: Names

    @property
    def base_url(self) -> str:
        """From the settings; what a request says of its host is nobody's word."""
        return f"{self.settings.base_url}/oai"

    @property
    def domain(self) -> str:
        """The domain in our identifiers."""
        return self.settings.repository_id


def answer(repository: Repository, question: Question, snapshot: Snapshot) -> bytes:
    """The content of an answer. Raises :class:`FaultsError`."""
    match question.verb:
        case "Identify":
            return identify(repository, snapshot.as_of).encode()
        case "ListMetadataFormats":
            return list_metadata_formats(repository, question).encode()
        case "ListSets":
            return list_sets(repository, question, snapshot.as_of).encode()
        case "GetRecord":
            return get_record(repository, question)
    return list_entries(repository, question, snapshot)


def identify(repository: Repository, as_of: datetime) -> str:
    """§4.2, with the oai-identifier description of the implementation guidelines."""
    settings = repository.settings
    earliest = repository.records.earliest() or f"{as_of:%Y-%m-%dT%H:%M:%SZ}"
    namespace = "http://www.openarchives.org/OAI/2.0/oai-identifier"
    description = (
        f'<description><oai-identifier xmlns="{namespace}" '
        f'xsi:schemaLocation="{namespace} {namespace}.xsd"><scheme>oai</scheme>'
        f"{element('repositoryIdentifier', repository.domain)}<delimiter>:</delimiter>"
        f"{element('sampleIdentifier', f'oai:{repository.domain}:source/1')}"
        "</oai-identifier></description>"
    )
    return (
        "<Identify>"
        + element("repositoryName", settings.repository_name)
        + element("baseURL", repository.base_url)
        + element("protocolVersion", "2.0")
        + element("adminEmail", settings.admin_email)
        + element("earliestDatestamp", earliest)
        + element("deletedRecord", "persistent")
        + element("granularity", "YYYY-MM-DDThh:mm:ssZ")
        + element("compression", "gzip")
        + description
        + "</Identify>"
    )


def list_metadata_formats(repository: Repository, question: Question) -> str:
    """§4.4. Every record that is published is so in every format."""
    identifier = question["identifier"]
    if identifier is not None:
        name = local_name(repository, identifier)
        if name is None or repository.records.get_published(name, None) is None:
            raise FaultsError(_unknown())
    listed = "".join(
        "<metadataFormat>"
        + element("metadataPrefix", made.prefix)
        + element("schema", made.schema.replace(BASE, repository.settings.base_url))
        + element("metadataNamespace", made.namespace)
        + "</metadataFormat>"
        for made in FORMATS.values()
    )
    return f"<ListMetadataFormats>{listed}</ListMetadataFormats>"


def list_sets(repository: Repository, question: Question, as_of: datetime) -> str:
    """§4.6. A set that ever had a record stays listed; a view is listed from the start."""
    start = 0
    if (token := question["resumptionToken"]) is not None:
        place = repository.tokens.read(token, "ListSets")
        if place is None:
            raise FaultsError(_bad_token())
        start = place.position
    counts = repository.records.counts()
    known = {spec for spec in counts if spec and not spec.startswith("~")}
    known |= {*repository.records.fine_sets(), *repository.names.views}
    specs = sorted(known | {spec.partition(":")[0] for spec in known})
    if not specs:
        raise FaultsError(Fault("noSetHierarchy", "there are no records, and so no sets, yet"))
    part = specs[start : start + SETS_A_PART]
    if not part:
        raise FaultsError(_bad_token())
    listed = "".join(
        "<set>"
        + element("setSpec", spec)
        + element("setName", repository.names.name(spec))
        + _set_description(repository, spec, counts.get(spec))
        + "</set>"
        for spec in part
    )
    end = start + len(part)
    following = None
    if end < len(specs):
        following = Place("ListSets", "", "", "", "", end, 0, end, len(specs))
    return f"<ListSets>{listed}{_token(repository, following, start, len(specs), as_of)}</ListSets>"


def _set_description(repository: Repository, spec: str, count: Count | None) -> str:
    text = repository.names.description(spec)
    if count is not None:
        text += f" ({count.live} records)"
    return (
        '<setDescription><oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/" '
        'xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xsi:schemaLocation="http://www.openarchives.org/OAI/2.0/oai_dc/ '
        'http://www.openarchives.org/OAI/2.0/oai_dc.xsd">'
        + element("dc:title", repository.names.name(spec))
        + element("dc:description", text)
        + "</oai_dc:dc></setDescription>"
    )


def get_record(repository: Repository, question: Question) -> bytes:
    """§4.1."""
    prefix = question["metadataPrefix"] or ""
    faults = [] if prefix in FORMATS else [_unknown_format()]
    name = local_name(repository, question["identifier"] or "")
    entry = None
    if name is not None:
        entry = repository.records.get_published(name, prefix if prefix in FORMATS else None)
    if entry is None:
        faults.append(_unknown())
    if faults or entry is None:
        raise FaultsError(*faults)
    return b"<GetRecord>" + _ours(repository, entry.xml.encode()) + b"</GetRecord>"


def list_entries(repository: Repository, question: Question, snapshot: Snapshot) -> bytes:
    """§4.3 and §4.5: ListIdentifiers and ListRecords."""
    verb = question.verb
    place = _place(repository, question, snapshot)
    whole = verb == "ListRecords"
    view = repository.names.views.get(place.set_spec)
    size = RECORDS_A_PART if whole else IDENTIFIERS_A_PART
    part = repository.records.walk(
        after=place.position,
        bound=place.bound,
        limit=(view.page_size if view else None) or size,
        prefix=place.prefix if whole else None,
        set_spec=place.set_spec or None,
    )
    if not part.count and place.cursor == 0:
        raise FaultsError(Fault("noRecordsMatch", "no record fits these arguments"))
    if not part.count and not place.until:
        # What was left of the list has changed since and is now behind its end. The protocol
        # has no empty part, so the list ends with what it has become.
        part = repository.records.walk(
            after=place.bound,
            bound=repository.records.snapshot().bound,
            limit=IDENTIFIERS_A_PART,
            prefix=place.prefix if whole else None,
            set_spec=place.set_spec or None,
        )
        part = replace(part, more=False)
    if not part.count:
        raise FaultsError(_bad_token())
    cursor = place.cursor + part.count
    following = None
    if part.more:
        following = Place(
            verb,
            place.prefix,
            place.set_spec,
            place.since,
            place.until,
            part.last,
            place.bound,
            cursor,
            place.size,
        )
    token = _token(repository, following, place.cursor, place.size, snapshot.as_of)
    made = _ours(repository, part.xml)
    return b"".join((f"<{verb}>".encode(), made, f"{token}</{verb}>".encode()))


def _place(repository: Repository, question: Question, snapshot: Snapshot) -> Place:
    """Where a list request begins: where its token says, or at the beginning."""
    if (token := question["resumptionToken"]) is not None:
        place = repository.tokens.read(token, question.verb)
        if place is None or place.prefix not in FORMATS:
            raise FaultsError(_bad_token())
        return place
    prefix = question["metadataPrefix"] or ""
    if prefix not in FORMATS:
        raise FaultsError(_unknown_format())
    set_spec, since, until = question["set"], question["from"], question["until"]
    view = repository.names.views.get(set_spec or "")
    if view is not None and view.formats and prefix not in view.formats:
        raise FaultsError(
            Fault("cannotDisseminateFormat", f"{set_spec} is given in {', '.join(view.formats)}")
        )
    records, bound, after, size = repository.records, snapshot.bound, 0, -1
    if until is not None:
        bound = records.position_before(second_after(until), bound)
    if since is not None:
        after = records.position_before(first_second(since), bound)
    if since is None and until is None:
        count = records.count(set_spec or "")
        size = count.live + count.deleted
    return Place(
        question.verb, prefix, set_spec or "", since or "", until or "", after, bound, 0, size
    )


def _token(
    repository: Repository, following: Place | None, cursor: int, size: int, as_of: datetime
) -> str:
    """The resumptionToken element; empty on the last of several parts, none if there is one
    part only (§3.5)."""
    attributes = f' completeListSize="{size}"' if size >= 0 else ""
    if following is not None:
        expires = f"{as_of + LIFE:%Y-%m-%dT%H:%M:%SZ}"
        written = repository.tokens.write(following)
        return (
            f'<resumptionToken expirationDate="{expires}"{attributes} cursor="{cursor}">'
            f"{written}</resumptionToken>"
        )
    return f'<resumptionToken{attributes} cursor="{cursor}"/>' if cursor else ""


def local_name(repository: Repository, identifier: str) -> str | None:
    """Our record's name in an OAI identifier; ``None`` if it is not of this repository."""
    prefix = f"oai:{repository.domain}:"
    return identifier.removeprefix(prefix) if identifier.startswith(prefix) else None


def _ours(repository: Repository, made: bytes) -> bytes:
    """Rendered XML with the hub's own domain and address put in."""
    address = quote(repository.settings.base_url, safe=":/[]@")
    domain = f"oai:{repository.domain}:"
    return made.replace(OWN.encode(), domain.encode()).replace(BASE.encode(), address.encode())


def _unknown() -> Fault:
    return Fault("idDoesNotExist", "there is no such record here")


def _unknown_format() -> Fault:
    return Fault("cannotDisseminateFormat", f"formats are {', '.join(FORMATS)}")


def _bad_token() -> Fault:
    return Fault("badResumptionToken", "this is no token of ours; begin the list again without one")
