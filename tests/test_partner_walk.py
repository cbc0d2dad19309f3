"""A partner's walk in every format: `sources new` by address, a dry run, a harvest.

The repository offers Dublin Core, a format nobody knows, and the one in question. It serves the
golden pairs of the crosswalks as XML; the records must be those of the pairs.
"""

from __future__ import annotations

import json
import tomllib
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape, quoteattr

import pytest

from adapters.oai_formats import RICHEST
from tests.conftest import ROOT
from tests.running import Hub
from tests.scripted import Question, Scripted, envelope, identify, listing, record

PAIRS = ROOT / "tests" / "crosswalks"
OAI_DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
ROOTS = {"eml": "eml", "lido": "lido", "mods": "mods", "cmdi": "CMD", "iso19139": "MD_Metadata"}
"""Names of root elements; others do not matter to any crosswalk."""
HUB_FILLS = ("identifier", "source", "source_identifier", "provenance", "spatial")


def to_xml(name: str, node: dict[str, Any], lang: str | None = None) -> str:
    """An element as :func:`harvesters.xml.to_json` read it, written back."""
    attributes = "".join(
        f" {key[1:]}={quoteattr(str(value))}"
        for key, value in node.items()
        if key.startswith("@") and ":" not in key
    )
    own = node.get("lang")
    if own != lang:
        attributes += f" xml:lang={quoteattr(own or '')}"
    children = "".join(
        to_xml(key.removesuffix("_") if key in ("value_", "lang_") else key, child, own)
        for key, value in node.items()
        if isinstance(value, list)
        for child in value
    )
    text = "" if children else escape(str(node.get("value") or ""))
    return f"<{name}{attributes}>{text}{children}</{name}>"


def pairs(format_: str) -> list[tuple[str, dict[str, Any], dict[str, Any]]]:
    """The golden pairs of a format whose documents are well-formed XML: name, body, record."""
    found = []
    for path in sorted((PAIRS / format_).glob("*.source.json")):
        given = json.loads(path.read_text("utf-8"))
        made = json.loads(
            path.with_name(path.name.replace(".source.", ".record.")).read_text("utf-8")
        )
        body = given["document"]["body"]
        # Mixed content and odd values made by hand cannot be written back.
        whole = isinstance(body, dict) and body.get("namespace") and "metadata" in body
        if whole and given["crosswalk"] == "oai" and made.get("title"):
            root = to_xml(ROOTS.get(format_, "record"), body["metadata"])
            if not _mixed(body["metadata"]):
                found.append((path.name.removesuffix(".source.json"), {**body, "xml": root}, made))
    return found


def _mixed(node: Any) -> bool:
    if isinstance(node, list):
        return any(_mixed(child) for child in node)
    if not isinstance(node, dict):
        return False
    parts = [value for value in node.values() if isinstance(value, list)]
    odd = any(
        not (k.startswith("@") or k in ("value", "lang") or isinstance(v, list))
        for k, v in node.items()
    )
    return odd or bool(parts and node.get("value")) or any(_mixed(part) for part in parts)


def formats(*offered: tuple[str, str]) -> str:
    """An answer to ListMetadataFormats."""
    told = "".join(
        f"<metadataFormat><metadataPrefix>{prefix}</metadataPrefix><schema>s</schema>"
        f"<metadataNamespace>{namespace}</metadataNamespace></metadataFormat>"
        for prefix, namespace in offered
    )
    return envelope(f"<ListMetadataFormats>{told}</ListMetadataFormats>")


QUICK = ("mods", "iso19139", "datacite")
"""The formats that are tried each time; the others are slow tests."""


@pytest.mark.parametrize(
    "format_",
    [
        pytest.param(name, marks=() if name in QUICK else pytest.mark.slow, id=name)
        for name in RICHEST
    ],
)
def test_a_partner_s_walk(hub: Hub, format_: str) -> None:
    given = pairs(format_)
    assert given, f"no golden pair of {format_} can be served"
    # A repository has one version of a format.
    namespace = given[0][1]["namespace"]
    given = [one for one in given if one[1]["namespace"] == namespace]
    offered = [("rfc1807", "http://info.internet.isi.edu/in-notes/rfc/rfc1807.txt")]
    offered += [("oai_dc", OAI_DC)] * (format_ != "oai_dc") + [("rich", namespace)]

    def answer(question: Question) -> str:
        match question["verb"]:
            case "Identify":
                return identify().replace(">R<", f"> Archive of\n {format_} <")
            case "ListMetadataFormats":
                return formats(*offered)
            case "ListRecords" if question["metadataPrefix"] == "rich":
                return listing(*(_record(name, body) for name, body, _ in given))
        return envelope('<error code="badVerb">?</error>')

    with Scripted(answer) as server:
        said = hub("sources", "new", "partner", "--url", f"{server.url}/oai")
        assert said.code == 0, said.err
        assert f"taken: rich, read by the crosswalk {format_}" in said.err
        declared = tomllib.loads((hub.sources / "partner.toml").read_text("utf-8"))
        assert declared["title"] == f"Archive of {format_}"
        assert declared["options"]["metadata_prefix"] == "rich"
        dry = hub("harvest", "partner", "--dry-run", "--json").lines
        shown = {line["identifier"]: line["record"] for line in dry if "document" in line}
        run = hub("harvest", "partner", "--json").lines[0]
    # A pair of odd values may bring a warning; unread values bring none.
    assert run["state"].startswith("complete"), run
    assert "values_unread" not in run["warnings"], run
    assert run["new"] == len(given), run
    held = {r["source_identifier"]: r for r in hub.records().values()}
    for name, _, wanted in given:
        for made in (shown[f"oai:x:{name}"], held[f"oai:x:{name}"]):
            assert _told(made) == _told(wanted), name


def _record(name: str, body: dict[str, Any]) -> str:
    root, _, rest = str(body["xml"]).partition(">")
    empty = root.endswith("/")
    assert not empty
    return record(name, metadata=f'<metadata>{root} xmlns="{body["namespace"]}">{rest}</metadata>')


def _told(made: dict[str, Any]) -> dict[str, Any]:
    unwanted = (*HUB_FILLS, "issues", "deleted", "datestamp", "sets", "seq", "oai")
    return {key: value for key, value in made.items() if key not in unwanted}


def test_every_crosswalk_of_oai_pmh_can_be_chosen() -> None:
    chosen = tomllib.loads((ROOT / "mappings/crosswalks/oai.toml").read_text("utf-8"))["choices"]
    names = {name for name in chosen.values() if isinstance(name, str)}
    assert names == set(RICHEST)
    assert all(Path(PAIRS / name).is_dir() for name in names)
