"""Replays recorded answers over loopback HTTP, one source per recorded file.

``python -m tests.replay --samples ../shared/samples --data DIR`` writes the source files,
serves the answers, harvests them all through the command line, compares what arrived with
what the files hold, and writes the table ``report/real-samples.md``. What the files hold is
counted here by other means than the hub's own.
"""

from __future__ import annotations

import csv
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.sax.saxutils import escape, quoteattr

import feedparser
import langcodes
from lxml import etree

from chm_hub.naming import NO_TITLE
from mappings.functions import plain_text

OAI = "http://www.openarchives.org/OAI/2.0/"
LANG = "{http://www.w3.org/XML/1998/namespace}lang"
_CHAINS = (("phpoaipmh/GoodResponseFourPage_", 1, 4), ("mit-harvester/get-sets.", 0, 7))


@dataclass
class Case:
    """One recorded file: how it is served and what it holds."""

    id: str
    file: str
    kind: str
    adapter: str
    options: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    content_type: str = "text/xml"
    body: bytes = b""
    expected: int | None = None
    """Distinct records the file holds; ``None`` where it is not well-formed."""
    deleted: int = 0
    titles: dict[str, set[tuple[str, str | None]]] = field(default_factory=dict)
    """By identifier."""
    headers: list[tuple[str, bool]] = field(default_factory=list)
    documents: dict[str, bytes] = field(default_factory=dict)
    nameless: int = 0
    """Records without an identifier: they must be set aside and counted."""
    untitled: int = 0
    """Records without a title: they are set aside where their type allows no other name."""


def cases(samples: Path) -> list[Case]:
    """Every recorded OAI-PMH, GBIF, CBD-index and feed answer as a case."""
    found: list[Case] = []
    index = {row["file"]: row for row in _rows(samples / "oai" / "INDEX.tsv")}
    for path in sorted((samples / "oai").glob("*/*")):
        found.append(
            _oai_case(path, samples, index.get(str(path.relative_to(samples / "oai")), {}))
        )
    gbif = samples / "partners" / "gbif"
    for path in sorted((gbif / "oai").glob("*.xml")):
        found.append(_oai_case(path, samples, {}))
    for folder in ("eml", "datacite"):
        for path in sorted((gbif / folder).glob("*.xml")):
            found.append(_oai_case(path, samples, {}))
    for path in sorted((gbif / "api").glob("*")) + sorted((gbif / "registry-objects").glob("*")):
        found.append(_gbif_case(path, samples))
    documents = _documents(samples / "scbd" / "documents")
    for path in sorted((samples / "scbd" / "index").rglob("*.json")):
        found.append(_scbd_case(path, samples, documents))
    found.append(_scbd_documents(documents))
    kinds = {row["file"]: row for row in _rows(samples / "feeds" / "INDEX.tsv")}
    for path in sorted(p for p in (samples / "feeds").rglob("*") if p.is_file()):
        if path.name in ("INDEX.tsv", "PROVENANCE.md"):
            continue
        found.append(
            _feed_case(path, samples, kinds.get(str(path.relative_to(samples / "feeds")), {}))
        )
    for number, case in enumerate(found):
        case.id = f"r{number:03}"
    return found


def _rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


# --- OAI-PMH -----------------------------------------------------------------------------


def _oai_case(path: Path, samples: Path, row: dict[str, str]) -> Case:
    body = path.read_bytes()
    case = Case("", str(path.relative_to(samples)), "", "oai_pmh", body=body)
    case.content_type = row.get("content_type") or "text/xml"
    if row.get("status", "").isdigit():
        case.status = int(row["status"])
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, load_dtd=False))
        well_formed = True
    except etree.XMLSyntaxError:
        root = etree.fromstring(body, etree.XMLParser(recover=True, resolve_entities=False))
        well_formed = False
    name = _local(root) if root is not None else ""
    if name != "OAI-PMH":
        records = (
            []
            if root is None
            else [r for r in root.iter() if _local(r) == "record" and _sub(r, "header") is not None]
        )
        if path.suffix == ".html" or root is None:
            case.kind = "not XML"
            return case
        case.kind = "record" if records else "metadata"
        if records:
            case.body = _envelope("ListRecords", b"".join(_bare(r) for r in records))
        else:
            identifier = (
                f"<header><identifier>{path.name}</identifier>"
                "<datestamp>2024-01-01T00:00:00Z</datestamp></header>"
            )
            payload = body if well_formed else b""
            payload = (
                payload[payload.find(b"?>") + 2 :] if payload.startswith(b"<?xml") else payload
            )
            case.body = _envelope(
                "ListRecords",
                f"<record>{identifier}<metadata>".encode() + payload + b"</metadata></record>",
            )
        if not well_formed:
            case.body = body if not records else _envelope("ListRecords", body[body.find(b"<") :])
            case.kind += ", malformed"
            return case
        root = etree.fromstring(case.body, etree.XMLParser(recover=True))
    verbs = [_local(c) for c in root]
    case.kind = case.kind or next(
        (v for v in verbs if v not in ("responseDate", "request")), "nothing"
    )
    if case.kind in ("ListIdentifiers",):
        case.options["by_identifier"] = True
        case.headers = [
            (_text(h, "identifier"), h.get("status") == "deleted")
            for h in root.iter()
            if _local(h) == "header"
        ]
        case.expected = len({i for i, _ in case.headers})
        case.deleted = len({i for i, gone in case.headers if gone})
        case.titles = {i: {(f"Title of {i}", "en")} for i, gone in case.headers if not gone}
        return case
    if case.kind == "ListSets":
        case.options["sets"] = ["*"]
    if case.kind == "ListMetadataFormats":
        prefixes = [e.text for e in root.iter() if _local(e) == "metadataPrefix"]
        case.options["metadata_prefix"] = ["no-such-format", prefixes[-1]]
    records = [r for r in root.iter() if _local(r) == "record" and _sub(r, "header") is not None]
    if case.kind == "GetRecord":
        case.options["by_identifier"] = True
        case.headers = [(_text(_sub(r, "header"), "identifier"), False) for r in records]
    known: dict[str, bool] = {}
    for record in records:
        header = _sub(record, "header")
        identifier = _text(header, "identifier")
        known[identifier] = header.get("status") == "deleted"
        case.titles[identifier] = _titles(record)
    case.nameless = sum(not i for i in known)
    known.pop("", None)
    case.expected = len(known) if well_formed else None
    case.deleted = sum(known.values())
    case.titles = {i: t for i, t in case.titles.items() if i and not known[i]}
    case.untitled = sum(not titles for titles in case.titles.values())
    return case


def _titles(record: Any) -> set[tuple[str, str | None]]:
    """Titles of a record in Dublin Core and formats that use its names."""
    metadata = _sub(record, "metadata")
    root = None if metadata is None else next((c for c in metadata if isinstance(c.tag, str)), None)
    if root is None:
        return set()
    found = [c for c in root if _local(c) == "title"]
    if _local(root) == "mods":
        found = [
            t
            for i in root
            if _local(i) == "titleInfo" and not i.get("type")
            for t in i
            if _local(t) == "title"
        ]
    if _local(root) == "eml":
        found = [t for d in root if _local(d) == "dataset" for t in d if _local(t) == "title"]
    return {("".join(t.itertext()), _lang(t)) for t in found if "".join(t.itertext()).strip()}


def _lang(element: Any) -> str | None:
    while element is not None and _local(element) != "metadata":
        if element.get(LANG):
            return str(element.get(LANG)).replace("_", "-")
        element = element.getparent()
    return None


def _local(element: Any) -> str:
    tag = element.tag if isinstance(element.tag, str) else ""
    return tag.rpartition("}")[2].rpartition(":")[2]


def _sub(element: Any, name: str) -> Any:
    return next((c for c in element if _local(c) == name), None)


def _text(element: Any, name: str) -> str:
    child = _sub(element, name)
    return (child.text or "").strip() if child is not None else ""


def _bare(record: Any) -> bytes:
    return bytes(etree.tostring(record, with_tail=False))


def _envelope(verb: str, content: bytes) -> bytes:
    return (
        (
            f'<?xml version="1.0" encoding="UTF-8"?><OAI-PMH xmlns="{OAI}">'
            f"<responseDate>2025-01-01T00:00:00Z</responseDate><request>http://x/</request><{verb}>"
        ).encode()
        + content
        + f"</{verb}></OAI-PMH>".encode()
    )


_IDENTIFY = _envelope(
    "Identify",
    b"<repositoryName>Replay</repositoryName><baseURL>http://x/</baseURL><protocolVersion>2.0"
    b"</protocolVersion><adminEmail>a@x.example</adminEmail><earliestDatestamp>2000-01-01T00:00:00Z"
    b"</earliestDatestamp><deletedRecord>persistent</deletedRecord><granularity>"
    b"YYYY-MM-DDThh:mm:ssZ</granularity>",
)


def _error(code: str) -> bytes:
    return (
        f'<?xml version="1.0"?><OAI-PMH xmlns="{OAI}"><responseDate>2025-01-01T00:00:00Z'
        f'</responseDate><request>http://x/</request><error code="{code}"/></OAI-PMH>'
    ).encode()


def _serve_oai(case: Case, asked: dict[str, str], chain: dict[str, Case]) -> bytes:
    verb = asked.get("verb", "")
    if verb == "Identify":
        return case.body if case.kind == "Identify" else _IDENTIFY
    if verb == "GetRecord":
        if case.kind == "GetRecord":
            return case.body
        name = asked["identifier"]
        record = (
            f"<record><header><identifier>{escape(name)}</identifier><datestamp>2024-01-01T00:00:00Z"
            f'</datestamp></header><metadata><oai_dc:dc xmlns:oai_dc="{OAI}oai_dc/" xmlns:dc='
            f'"http://purl.org/dc/elements/1.1/"><dc:title xml:lang="en">Title of {escape(name)}'
            "</dc:title></oai_dc:dc></metadata></record>"
        )
        return _envelope("GetRecord", record.encode())
    if verb == case.kind or (
        verb == "ListRecords"
        and "sets" not in case.options
        and case.kind not in ("Identify", "ListMetadataFormats", "GetRecord")
    ):
        if asked.get("resumptionToken"):
            following = _following(case, asked["resumptionToken"], chain)
            return following.body if following else _error("badResumptionToken")
        return case.body
    if verb == "ListIdentifiers":
        headers = "".join(
            f"<header><identifier>{escape(i)}</identifier><datestamp>2024-01-01T00:00:00Z</datestamp></header>"
            for i, _ in case.headers
        )
        return (
            _envelope("ListIdentifiers", headers.encode()) if headers else _error("noRecordsMatch")
        )
    return _error("noRecordsMatch")


def _following(case: Case, token: str, chain: dict[str, Case]) -> Case | None:
    for stem, first, last in _CHAINS:
        if stem in case.file:
            for number in range(first, last):
                for width in (1, 2):
                    name = f"oai/{stem}{number:0{width}}.xml"
                    if name in chain and token.encode() in chain[name].body.replace(
                        b"&#x2F;", b"/"
                    ):
                        return chain.get(f"oai/{stem}{number + 1:0{width}}.xml")
    return None


# --- the others --------------------------------------------------------------------------


def _gbif_case(path: Path, samples: Path) -> Case:
    body = path.read_bytes()
    case = Case("", str(path.relative_to(samples)), "GBIF answer", "gbif", body=body)
    case.content_type = "application/json" if path.suffix == ".json" else "text/plain"
    try:
        answer = json.loads(body)
    except ValueError:
        case.kind = "GBIF error text"
        case.status = 404
        return case
    rows = answer.get("results") if isinstance(answer, dict) else None
    if (
        isinstance(rows, list)
        and rows
        and all(isinstance(r, dict) and isinstance(r.get("key") or r.get("id"), str) for r in rows)
    ):
        case.kind = "GBIF list"
        keyed = {str(r.get("key") or r.get("id")): r for r in rows}
        case.expected = len(keyed)
        case.deleted = sum(bool(r.get("deleted")) for r in keyed.values())
        case.titles = {
            k: {(r["title"], None)}
            for k, r in keyed.items()
            if isinstance(r.get("title"), str) and not r.get("deleted")
        }
        case.untitled = sum("title" not in r and "name" not in r for r in keyed.values())
    else:
        case.kind = "GBIF answer without records"
    return case


def _documents(folder: Path) -> dict[str, bytes]:
    found = {}
    for path in folder.rglob("*.json"):
        answer = json.loads(path.read_text("utf-8"))
        if isinstance(answer, dict) and isinstance(answer.get("header"), dict):
            found[answer["header"]["identifier"]] = path.read_bytes()
    return found


def _scbd_case(path: Path, samples: Path, documents: dict[str, bytes]) -> Case:
    body = path.read_bytes()
    case = Case("", str(path.relative_to(samples)), "index", "scbd", {"realm": "chm"}, body=body)
    case.content_type, case.documents = "application/json", documents
    docs = json.loads(body)["response"]["docs"]
    case.expected = len(docs)
    if not docs:
        case.kind = "index, facets only"
    return case


def _scbd_documents(documents: dict[str, bytes]) -> Case:
    """Every document of the clearing-houses, behind a row of an index made for them."""
    rows = [
        {
            "id": f"d{number}",
            "identifier_s": name,
            "schema_s": json.loads(body)["header"]["schema"],
            "realm_ss": ["chm"],
            "title_EN_t": "As the index has it",
        }
        for number, (name, body) in enumerate(sorted(documents.items()))
    ]
    answer = {"response": {"numFound": len(rows), "start": 0, "docs": rows}}
    case = Case("", "scbd/documents", "documents", "scbd", {"realm": "chm"})
    case.content_type, case.documents = "application/json", documents
    case.body, case.expected = json.dumps(answer).encode(), len(rows)
    return case


def _feed_case(path: Path, samples: Path, row: dict[str, str]) -> Case:
    body = path.read_bytes()
    case = Case("", str(path.relative_to(samples)), "feed", "feed", body=body)
    case.content_type = row.get("content_type") or "application/xml"
    if path.suffix == ".json":
        case.content_type = "application/json"
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, load_dtd=False))
        names = [_local(e) for e in root.iter()]
        folded = [name.lower() for name in names]
        case.expected = folded.count("item") + folded.count("entry")
        if _local(root).lower() not in ("rss", "feed", "rdf", "channel"):
            case.kind, case.expected = "not a feed", None
    except etree.XMLSyntaxError:
        case.kind = "feed, malformed"
    if case.content_type == "application/json":
        case.kind = "feed, JSON"
        case.expected = len(json.loads(body).get("items", []))
    return case


def _feed_titles(case: Case, url: str) -> list[str]:
    """The title of each entry of a feed, as feedparser has it when it comes from this address."""
    if case.kind == "feed, JSON":
        return [i.get("title") or "" for i in json.loads(case.body)["items"]]
    headers = {"content-type": case.content_type, "content-location": f"{url}/{case.id}"}
    entries = feedparser.parse(case.body, response_headers=headers).entries
    titles = [e.get("title", "").strip() for e in entries]
    # feedparser takes the title of an image within an item for the item's.
    root = etree.fromstring(case.body, etree.XMLParser(recover=True, resolve_entities=False))
    listed = [e for e in (() if root is None else root.iter()) if _local(e) in ("item", "entry")]
    if len(listed) != len(titles):
        return titles
    own = [any(_local(child).lower() == "title" for child in e) for e in listed]
    return [title if has_own else "" for title, has_own in zip(titles, own, strict=True)]


# --- serving -----------------------------------------------------------------------------


@contextmanager
def serving(found: list[Case]) -> Iterator[str]:
    """Serve every case under its identifier; gives the address."""
    by_id = {case.id: case for case in found}
    chain = {case.file: case for case in found}

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = 1 << 18
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            case = by_id[parts.path.split("/")[1]]
            status, kind, body = case.status, case.content_type, case.body
            if case.adapter == "oai_pmh":
                asked = {k: v[0] for k, v in parse_qs(parts.query).items()}
                if case.status == 200 or asked.get("verb") in ("ListRecords", "ListIdentifiers"):
                    body = _serve_oai(case, asked, chain) if case.status == 200 else case.body
                else:
                    status, body = 200, _serve_oai(case, asked, chain)
            elif case.adapter == "scbd" and "/documents/" in parts.path:
                name = parts.path.rpartition("/")[2]
                kind = "application/json"
                status, body = (
                    (200, case.documents[name])
                    if name in case.documents
                    else (
                        404,
                        b'{"statusCode":404,"code":"notFound","message":"Document not found"}',
                    )
                )
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def source_file(case: Case, url: str) -> str:
    """The source file of a case."""
    options = "".join(f"{k} = {_toml(v)}\n" for k, v in {**case.options, "tries": 1}.items())
    return (
        f'title = {quoteattr(case.file)}\nadapter = "{case.adapter}"\nurl = "{url}/{case.id}"\n'
        f"[options]\n{options}"
    )


def _toml(value: Any) -> str:
    return json.dumps(value)


# --- comparing ---------------------------------------------------------------------------


@dataclass
class Verdict:
    """What came of a case."""

    case: Case
    run: dict[str, Any]
    stored: int
    tombstones: int
    wrong: str


def judge(case: Case, run: dict[str, Any], records: dict[str, dict[str, Any]]) -> Verdict:
    """Compare what arrived with what the file holds; ``wrong`` is empty if they are equal, or
    if a malformed file ended in a named outcome."""
    tombstones = sum(r["deleted"] for r in records.values())
    named = bool(run["error"] or run["warnings"] or run["reasons"] or run["reason"])
    unnamed = sum(run["reasons"].get(reason, 0) for reason in (NO_TITLE, "no_metadata"))
    wrong = ""
    if case.expected is None:
        if not named and not records:
            wrong = "nothing arrived and nothing was said"
    elif run["quarantined"] < case.nameless:
        wrong = f"{case.nameless} records have no identifier, {run['quarantined']} were set aside"
    elif unnamed and not case.untitled:
        wrong = f"{unnamed} set aside for want of a title, and all in the file have one"
    elif len(records) + run["skipped"] + min(unnamed, case.untitled) != case.expected:
        wrong = f"{case.expected} records in the file, {len(records)} in the store"
    elif tombstones != case.deleted:
        wrong = f"{case.deleted} deletions in the file, {tombstones} in the store"
    elif case.expected and not wrong:
        wrong = _compare_titles(case, records)
    return Verdict(case, run, len(records), tombstones, wrong)


def _compare_titles(case: Case, records: dict[str, dict[str, Any]]) -> str:
    held = {
        r["source_identifier"]: {(_folded(t["value"]), t.get("lang")) for t in r.get("title", [])}
        for r in records.values()
        if not r["deleted"]
    }
    if case.adapter == "feed":
        got = {value for titles in held.values() for value, _ in titles}
        # Titles are kept as words, not as markup.
        wanted = {_folded(str(plain_text(value))) for value, _ in case.titles[""]}
        return "" if got == wanted else f"titles differ: {sorted(got ^ wanted)[:2]}"
    for identifier, titles in case.titles.items():
        got_here = held.get(identifier)
        if not titles and got_here is None:
            continue
        if got_here is None:
            return f"{identifier} did not arrive"
        # A record may have more titles than these, alternative ones, and parts of a title more.
        missing = [
            (value, lang)
            for value, lang in titles
            if not any(_is_in(_folded(value).rstrip(" /"), _shortest(lang), *t) for t in got_here)
        ]
        if missing:
            return f"{identifier}: titles {sorted(got_here, key=str)[:2]} for {missing[:2]}"
    return ""


def _is_in(wanted: str, lang: str | None, got: str, got_lang: str | None) -> bool:
    return wanted in got and lang in (got_lang, None)


def _folded(text: str) -> str:
    """A text on one line, with one kind of space."""
    return " ".join(text.split())


def _shortest(lang: str | None) -> str | None:
    return lang and langcodes.standardize_tag(lang)


def report(verdicts: list[Verdict]) -> str:
    """The table of files and outcomes."""
    lines = [
        "# Recorded answers, harvested through the command line",
        "",
        f"{len(verdicts)} files, {sum(v.stored for v in verdicts)} records, "
        f"{sum(bool(v.wrong) for v in verdicts)} not as they should be.",
        "",
        "| file | kind | records in it | seen | stored | deleted | state | outcome |",
        "|---|---|---:|---:|---:|---:|---|---|",
    ]
    for v in verdicts:
        said = v.wrong and f"**{v.wrong}**"
        outcome = (
            said or v.run["error"] or ", ".join(v.run["warnings"]) or v.run["reason"] or "as it is"
        )
        expected = "?" if v.case.expected is None else v.case.expected
        lines.append(
            f"| {v.case.file} | {v.case.kind} | {expected} | {v.run['seen']} | {v.stored} | "
            f"{v.tombstones} | {v.run['state']} | {str(outcome).replace('|', '/')[:120]} |"
        )
    return "\n".join(lines) + "\n"


def replay(hub: Any, samples: Path) -> list[Verdict]:
    """Harvest every case through the command line in one go."""
    found = cases(samples)
    with serving(found) as url:
        for case in found:
            hub.source(case.id, source_file(case, url))
            if case.adapter == "feed":
                titles = _feed_titles(case, url)
                case.titles = {"": {(title, None) for title in titles if title}}
                case.untitled = titles.count("")
        said = hub("harvest", *(case.id for case in found), "--json", timeout=600)
    if not said.out:
        raise SystemExit(said.err)
    runs = {line["source"]: line for line in said.lines}
    records: dict[str, dict[str, dict[str, Any]]] = {case.id: {} for case in found}
    for name, record in hub.records("--with-deleted").items():
        records[record["source"]][name] = record
    return [judge(case, runs[case.id], records[case.id]) for case in found]


def main() -> None:
    """The command."""
    import argparse
    import sys

    from tests.running import Hub

    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--samples", type=Path, required=True)
    options.add_argument("--data", type=Path, required=True)
    given = options.parse_args()
    data = given.data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    (data / "sources").mkdir(exist_ok=True)
    verdicts = replay(Hub(data, "", data / "sources"), given.samples)
    sys.stdout.write(report(verdicts))
    sys.exit(any(v.wrong for v in verdicts))


if __name__ == "__main__":
    main()
