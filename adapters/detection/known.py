"""Systems of which there is one: told by the address alone, nothing is asked."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from urllib.parse import SplitResult, parse_qs

from adapters.detection.look import Found
from chm_hub.addresses import urlsplit

_REALMS = {"chm": "chm", "bch": "bch", "absch": "abs", "ort": "ort"}
"""The Secretariat's clearing-houses by the first part of their hosts' names."""
_HOSTS = {
    "panorama.solutions": ("panorama", "https://panorama.solutions", {"way": "map"}),
    "portal.geobon.org": ("geobon", "https://portal.geobon.org", {}),
    "api.obis.org": ("obis", "https://api.obis.org/v3", {}),
    "obis.org": ("obis", "https://api.obis.org/v3", {}),
}
"""Adapter, address and options by host."""

GBIF = "https://api.gbif.org/v1"
_GBIF_FILTERS = {
    "publishing_country": "publishingCountry",
    "publishingcountry": "publishingCountry",
    "country": "country",
    "type": "type",
    "publishing_org": "publishingOrg",
    "publishingorg": "publishingOrg",
    "hosting_org": "hostingOrg",
    "network_key": "networkKey",
    "networkkey": "networkKey",
    "q": "q",
}
"""Filters of GBIF's pages, and of its API."""
GBIF_KINDS = ("dataset", "organization", "installation", "network", "node", "literature")
_UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"

INFORMEA = "https://odata.informea.org/informea.svc"
_INFORMEA_TERMS = {
    "rights": "InforMEA's terms allow personal, non-commercial use: metadata and links are kept "
    "for the hub's own use until consent is given.",
    "republish": False,
}
_INFORMEA_PAGES = (
    (r"court|case-law|jurisprudence", "informea_web", {"kind": "court-decisions"}),
    (r"legislation|laws?\b", "informea_web", {"kind": "legislation"}),
    (r"decision|resolution", "informea", {"entity": "Decisions"}),
    (r"meeting|event", "informea", {"entity": "Meetings"}),
    (r"report", "informea", {"entity": "CountryReports"}),
    (r"plan", "informea", {"entity": "NationalPlans"}),
    (r"document|literature|publication", "informea", {"entity": "Documents"}),
    (r"treat|agreement|convention", "informea", {"entity": "Treaties"}),
    (r"site", "informea", {"entity": "Sites"}),
)
"""What the words in an address of InforMEA's pages lead to; the first that fits."""


def known(url: str) -> Found | None:
    """What is at an address of a system that is known by its name."""
    parts = urlsplit(url)
    host = (parts.hostname or "").removeprefix("www.")
    if host.endswith(".cbd.int") and host.split(".")[0] in _REALMS:
        return clearing_house(url)
    if host in _HOSTS:
        name, address, options = _HOSTS[host]
        return Found(
            adapter=name, url=address, title=host, said="known by its name", options=options
        )
    read: Mapping[str, Callable[[SplitResult], Found | None]] = {
        "gbif.org": _gbif,
        "api.gbif.org": _gbif,
        "informea.org": _informea,
    }
    return read[host](parts) if host in read else None


def clearing_house(url: str) -> Found:
    """One of the Secretariat's clearing-houses."""
    realm = _REALMS.get((urlsplit(url).hostname or "").split(".")[0], "chm")
    return Found(
        adapter="scbd",
        url=url,
        title=f"CBD clearing-house ({realm})",
        said="one of the Secretariat's clearing-houses",
        options={"realm": realm},
    )


def _gbif(parts: SplitResult) -> Found | None:
    """A list of GBIF's registry or literature, by the address of its page or of its API. Its
    OAI-PMH repository answers for itself."""
    path = parts.path.lower()
    if "oai-pmh" in path:
        return None
    filters = filters_of(parts.query)
    if country := re.search(r"/country/([a-z]{2})(?:/|$)", path):
        filters["publishingCountry"] = country[1].upper()
    if publisher := re.search(rf"/publisher/({_UUID})", path):
        filters["publishingOrg"] = publisher[1]
    if network := re.search(rf"/network/({_UUID})", path):
        filters["networkKey"] = network[1]
    kind = next((kind for kind in GBIF_KINDS if f"/{kind}" in path), "dataset")
    if "publisher" in path and not publisher:
        kind = "organization"
    if network:
        kind = "dataset"
    if "contenttype=literature" in parts.query.lower():
        kind = "literature"
    searched = kind == "literature" or (kind == "dataset" and filters)
    place = f", {', '.join(filters.values())}" if filters else ""
    return gbif_list(f"{GBIF}/{kind}{'/search' if searched else ''}", kind, filters, place)


def filters_of(query: str) -> dict[str, str]:
    """The filters in the query of a page or of an answer of GBIF, as its API names them."""
    asked = {name.lower(): values[0] for name, values in parse_qs(query).items()}
    return {_GBIF_FILTERS[name]: value for name, value in asked.items() if name in _GBIF_FILTERS}


def gbif_list(url: str, kind: str, filters: Mapping[str, str], of: str) -> Found:
    """A list of GBIF's API."""
    said = f"a list of GBIF's registry ({kind})"
    if not filters and kind in ("dataset", "literature"):
        said += '. It holds many thousands; `parameters = { publishingCountry = "KE" }` limits it'
    return Found(
        adapter="gbif",
        url=url,
        title=f"GBIF: {kind}{of}",
        said=said,
        options={"kind": kind, **({"parameters": dict(filters)} if filters else {})},
    )


def _informea(parts: SplitResult) -> Found:
    """InforMEA, by the words in the address of its page."""
    path = parts.path.lower()
    adapter, options = next(
        ((name, said) for word, name, said in _INFORMEA_PAGES if re.search(word, path)),
        ("informea", {"entity": "Decisions"}),
    )
    what = next(iter(options.values()))
    return Found(
        adapter=adapter,
        url=INFORMEA if adapter == "informea" else "https://www.informea.org",
        title=f"InforMEA: {what}",
        said=f"InforMEA, {what}; one source for each kind of entry (docs/adapters/{adapter}.md)",
        options=options,
        keys=_INFORMEA_TERMS,
    )
