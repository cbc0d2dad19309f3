"""A catalogue by pycsw 2.6: OAI-PMH under a query of its own, with the ways that pycsw has.

A token alone is refused, it is a place in the list and 0 at the end, ``from`` compares with each
record's own date, nothing found is a list of 0, the elements have a prefix, and ``dateStamp`` is
spelled so. There are no tombstones. The root of the site speaks CSW.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from xml.sax.saxutils import escape

from chm_hub.record import Text
from demo.hosts import Expectation, Replica, Told, Truth
from demo.phrases import Country, Dice, Wording, compose, countries
from demo.server import Answer, Request
from demo.shelf import Shelf, Thing

SOURCE = "demo-pycsw"
_SIZE = 130
_PAGE = 50
_CODE = "FJ"
_XML = "application/xml; charset=UTF-8"
_OAI = "http://www.openarchives.org/OAI/2.0/"
_GMD = "http://www.isotc211.org/2005/gmd"
_FORMATS = {
    "iso19139": _GMD,
    "oai_dc": "http://www.openarchives.org/OAI/2.0/oai_dc/",
}
_ISO = """<gmd:MD_Metadata xmlns:gmd="http://www.isotc211.org/2005/gmd"
 xmlns:gco="http://www.isotc211.org/2005/gco">
<gmd:fileIdentifier>{name}</gmd:fileIdentifier>
<gmd:language><gmd:LanguageCode codeList="c" codeListValue="eng"/></gmd:language>
<gmd:hierarchyLevel><gmd:MD_ScopeCode codeList="c" codeListValue="dataset"/></gmd:hierarchyLevel>
<gmd:contact/><gmd:dateStamp><gco:DateTime>{stamp}</gco:DateTime></gmd:dateStamp>
<gmd:identificationInfo><gmd:MD_DataIdentification><gmd:citation><gmd:CI_Citation>
<gmd:title>{title}</gmd:title><gmd:date><gmd:CI_Date><gmd:date><gco:Date>{day}</gco:Date></gmd:date>
<gmd:dateType><gmd:CI_DateTypeCode codeList="c" codeListValue="publication"/></gmd:dateType>
</gmd:CI_Date></gmd:date></gmd:CI_Citation></gmd:citation><gmd:abstract>{text}</gmd:abstract>
<gmd:extent><gmd:EX_Extent><gmd:geographicElement><gmd:EX_GeographicBoundingBox>
<gmd:westBoundLongitude><gco:Decimal>{west}</gco:Decimal></gmd:westBoundLongitude>
<gmd:eastBoundLongitude><gco:Decimal>{east}</gco:Decimal></gmd:eastBoundLongitude>
<gmd:southBoundLatitude><gco:Decimal>{south}</gco:Decimal></gmd:southBoundLatitude>
<gmd:northBoundLatitude><gco:Decimal>{north}</gco:Decimal></gmd:northBoundLatitude>
</gmd:EX_GeographicBoundingBox></gmd:geographicElement></gmd:EX_Extent></gmd:extent>
</gmd:MD_DataIdentification></gmd:identificationInfo></gmd:MD_Metadata>"""
_DC = """<oai_dc:dc xmlns:oai_dc="http://www.openarchives.org/OAI/2.0/oai_dc/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dct="http://purl.org/dc/terms/">
<dc:identifier>{plain}</dc:identifier><dc:title>{said}</dc:title><dc:type>dataset</dc:type>
<dct:modified>{stamp}</dct:modified><dc:date>{day}</dc:date></oai_dc:dc>"""


def replicas(seed: int, scale: int) -> list[Replica]:
    """The one catalogue."""
    return [Catalogue(seed, _SIZE * scale)]


class Catalogue:
    """The catalogue; see :class:`demo.hosts.Replica`."""

    def __init__(self, seed: int, size: int) -> None:
        self.name = "pycsw"
        self.url = ""
        self._seed = seed
        self._where = next(each for each in countries() if each.code == _CODE)
        self._shelf = Shelf(seed, self.name, None, ("dataset",), size, ("en",))

    def sources(self) -> Mapping[str, Told]:
        """All records, as ISO 19139."""
        keys = {
            "adapter": "oai_pmh",
            "url": f"{self.url}/?mode=oaipmh",
            "country": _CODE,
            "deletions": "absence",
        }
        told = Told(
            "Demonstration: maps of an agency (pycsw)", keys, {"metadata_prefix": "iso19139"}
        )
        return {SOURCE: told}

    def advance(self, phase: int, now: int) -> None:
        """One phase further."""
        self._shelf.advance(phase, now)

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold."""
        truth = Truth()
        for thing in self._shelf:
            if thing.deleted:
                truth.deleted.add(_name(thing))
                continue
            title = (Text(value=self._wording(thing).title("en"), lang="en"),)
            day, box = _day(thing.born), _box(self._where, thing)
            truth.live[_name(thing)] = Expectation("dataset", title, (_CODE,), day, box)
        return {SOURCE: truth}

    def answer(self, request: Request) -> Answer:
        """OAI-PMH where the query says so; else CSW."""
        if request.path == "/robots.txt":
            return Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        if request.path != "/":
            return Answer(b"not found", "text/plain", 404)
        asked = {name.lower(): value for name, value in request.arguments()}
        if asked.get("mode") != "oaipmh":
            said = '<csw30:Capabilities xmlns:csw30="http://www.opengis.net/cat/csw/3.0"/>'
            return Answer(said.encode(), _XML)
        return Answer(self._oai(asked).encode(), _XML)

    def _oai(self, asked: Mapping[str, str]) -> str:
        verb = asked.get("verb", "")
        match verb:
            case "Identify":
                inside = (
                    "<oai:repositoryName>Maps of an agency</oai:repositoryName>"
                    f"<oai:baseURL>{self.url}/?mode=oaipmh</oai:baseURL>"
                    "<oai:protocolVersion>2.0</oai:protocolVersion>"
                    "<oai:adminEmail>maps@example.org</oai:adminEmail>"
                    "<oai:earliestDatestamp>2001-01-01T00:00:00Z</oai:earliestDatestamp>"
                    "<oai:deletedRecord>no</oai:deletedRecord>"
                    "<oai:granularity>YYYY-MM-DDThh:mm:ssZ</oai:granularity>"
                )
            case "ListMetadataFormats":
                inside = "".join(
                    f"<oai:metadataFormat><oai:metadataPrefix>{prefix}</oai:metadataPrefix>"
                    f"<oai:schema>s</oai:schema><oai:metadataNamespace>{namespace}"
                    "</oai:metadataNamespace></oai:metadataFormat>"
                    for prefix, namespace in _FORMATS.items()
                )
            case "ListSets":
                inside = "<oai:set><oai:setSpec>datasets</oai:setSpec></oai:set>"
            case "GetRecord" | "ListRecords" | "ListIdentifiers":
                if asked.get("metadataprefix") not in _FORMATS:
                    return _envelope(_error("Missing metadataPrefix parameter"))
                inside = self._list(verb, asked)
            case _:
                return _envelope(_error(f"Unknown verb '{escape(verb)}'"))
        return _envelope(f"<oai:{verb}>{inside}</oai:{verb}>")

    def _list(self, verb: str, asked: Mapping[str, str]) -> str:
        live = sorted(self._shelf.live(), key=lambda thing: thing.number)
        whole = verb != "ListIdentifiers"
        if verb == "GetRecord":
            live = [thing for thing in live if _name(thing) == asked.get("identifier")]
            return "".join(self._record(thing, asked["metadataprefix"], whole) for thing in live)
        # By the date of what a record describes, not by when the record changed.
        live = [thing for thing in live if _day(thing.born) >= asked.get("from", "")[:10]]
        start = max(int(asked.get("resumptiontoken") or 1), 1)
        cut = live[start - 1 : start - 1 + _PAGE]
        following = start + _PAGE if start - 1 + _PAGE < len(live) else 0
        token = (
            f'<oai:resumptionToken completeListSize="{len(live)}" '
            f'cursor="{len(live) - following - 1}">{following}</oai:resumptionToken>'
        )
        records = (self._record(thing, asked["metadataprefix"], whole) for thing in cut)
        return "".join(records) + token

    def _record(self, thing: Thing, prefix: str, whole: bool) -> str:
        header = (
            f"<oai:header><oai:identifier>{_name(thing)}</oai:identifier>"
            f"<oai:dateStamp>{_moment(thing.stamp)}</oai:dateStamp><oai:setSpec/></oai:header>"
        )
        metadata = f"<oai:metadata>{self._metadata(thing, prefix)}</oai:metadata>" if whole else ""
        return f"<oai:record>{header}{metadata}</oai:record>"

    def _metadata(self, thing: Thing, prefix: str) -> str:
        wording = self._wording(thing)
        west, south, east, north = _box(self._where, thing)
        form = _ISO if prefix == "iso19139" else _DC
        return form.format(
            name=_text(_name(thing)), plain=_name(thing), title=_text(wording.title("en")),
            said=escape(wording.title("en")), text=_text(wording.description("en")),
            stamp=_moment(thing.stamp), day=_day(thing.born),
            west=west, south=south, east=east, north=north,
        )  # fmt: skip

    def _wording(self, thing: Thing) -> Wording:
        dice = Dice(self._seed, self.name, "dataset", thing.number)
        year = datetime.fromtimestamp(thing.born, UTC).year
        return compose(
            "dataset", dice, country=self._where, languages=("en",), edits=thing.edits, year=year
        )


def _box(where: Country, thing: Thing) -> tuple[float, float, float, float]:
    """A box around the country; every fifth lies over the 180th meridian."""
    west, east = (176.0, -178.0) if thing.number % 5 == 0 else (176.0, 179.0)
    return west, float(where.latitude - 2), east, float(where.latitude + 2)


def _envelope(inside: str) -> str:
    return (
        f'<?xml version="1.0" encoding="UTF-8" standalone="no"?>\n<!-- pycsw 2.6.2 -->\n'
        f'<oai:OAI-PMH xmlns:oai="{_OAI}"><oai:responseDate>{_moment_now()}</oai:responseDate>'
        f"<oai:request>http://localhost/?mode=oaipmh</oai:request>{inside}</oai:OAI-PMH>"
    )


def _error(said: str) -> str:
    return f'<oai:error code="badArgument">{said}</oai:error>'


def _text(value: str) -> str:
    return f"<gco:CharacterString>{escape(value)}</gco:CharacterString>"


def _name(thing: Thing) -> str:
    return f"urn:x-maps:{thing.number:04}"


def _day(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%d")


def _moment(when: int) -> str:
    return datetime.fromtimestamp(when, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _moment_now() -> str:
    return _moment(int(datetime.now(UTC).timestamp()))
