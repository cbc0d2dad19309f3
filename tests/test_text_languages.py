"""The languages of texts whose document does not say them (decision 27)."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from chm_hub.document import Document
from mappings import crosswalk, detection, scripts, text_languages

SHARED = Path(os.environ.get("CHM_HUB_SHARED", "../shared"))
FRENCH = "Les pêcheurs gardent la baie depuis dix ans"
ENGLISH = "Fishers have kept watch over the bay for ten years"
SPANISH = "Los pescadores cuidan la bahía desde hace diez años"
ARABIC = "الصيادون يحرسون الخليج منذ عشر سنوات"
RUSSIAN = "Рыбаки берегут залив уже десять лет"
CHINESE = "渔民守护海湾已有十年之久的故事"
PERSIAN = "ماهیگیران ده سال است که از این خلیج نگهداری می‌کنند"
GERMAN = "Seit zehn Jahren bewachen die Fischer gemeinsam ihre Bucht vor fremden Netzen"
JAPANESE = "漁師たちが湾を守って十年になります"
OWN = {
    "pt": (
        "Plano de ação para as zonas húmidas",
        "Relatório nacional sobre a conservação das florestas",
        "Pescadores guardam a baía há dez anos",
        "Conservação das tartarugas marinhas nas ilhas",
        "Formação sobre espécies invasoras",
    ),
    "sw": (
        "Mkakati wa Taifa wa Bioanuwai",
        "Wavuvi walinda ghuba kwa miaka kumi",
        "Maeneo yaliyohifadhiwa na jamii",
        "Utalii endelevu katika pwani",
        "Habari za wizara kuhusu misitu",
    ),
    "ja": (
        "里山の保全に関する取り組み",
        "外来種の防除マニュアル",
        "海洋保護区のモニタリング",
        "森林の再生と地域社会",
        "渡り鳥の調査報告書です",
    ),
}


def settle(
    texts: list[str] | str,
    file: list[str],
    *,
    site: Any = None,
    language: list[str] | None = None,
    lang: str | None = None,
) -> tuple[list[str | None], list[str], text_languages.Settled]:
    """The languages of some titles, that of the record, and all that was settled."""
    titles = [texts] if isinstance(texts, str) else texts
    fields: dict[str, Any] = {
        "title": [{"value": text} | ({"lang": lang} if lang else {}) for text in titles]
    }
    if language is not None:
        fields["language"] = language
    settled = text_languages.settle(fields, site, {"languages": file}, wanted=True)
    made = {**fields, **settled.fields}
    return [text.get("lang") for text in made["title"]], made.get("language", []), settled


def made_by(
    name: str, body: dict[str, Any], languages: list[str], **source: Any
) -> crosswalk.Outcome:
    told = {
        "source": "s",
        "base_url": "https://s.example.org",
        "url": "https://s.example.org/x",
        "source_datestamp": None,
        "namespace": None,
        "harvested": datetime(2026, 1, 1, tzinfo=UTC),
        "run": "s/1",
    }
    context = {"id": "s", "title": "S", "url": "https://s.example.org", "countries": ["ZZ"],
               "languages": languages, "options": {}, **source}  # fmt: skip
    return crosswalk.apply(crosswalk.load(name), Document(identifier="1", body=body), context, told)


# --- the rule ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "lang"),
    [(FRENCH, "fr"), (ENGLISH, "en"), (SPANISH, "es"), (ARABIC, "ar"), (RUSSIAN, "ru"),
     (CHINESE, "zh")],
)  # fmt: skip
def test_a_text_is_found_among_the_languages_of_the_source(text: str, lang: str) -> None:
    six = ["en", "fr", "es", "ar", "ru", "zh"]
    langs, language, settled = settle(text, six, site="en")
    assert (langs, language) == ([lang], [lang])
    assert ("title.0.lang" in settled.inferred) is (lang != "en")
    assert ("language" in settled.inferred) is (lang != "en")


@pytest.mark.parametrize("text", [FRENCH, ARABIC, RUSSIAN, CHINESE, SPANISH])
def test_a_language_that_nobody_names_is_not_made_up_and_not_hidden(text: str) -> None:
    langs, language, settled = settle(text, ["en"], site="en-US", lang="en-US", language=["en-US"])
    assert (langs, language) == ([None], [])
    [(name, message)] = settled.issues
    assert name == "title"
    assert "no language of the source's file" in message


def test_the_files_language_is_that_of_texts_that_show_none() -> None:
    assert settle("Panthera leo", ["fr"])[0] == ["fr"]
    assert settle("Atlas", ["fr"], site="en-US", lang="en-US")[0] == ["fr"], "the site's is last"
    assert settle("Atlas", ["fr", "en"], site="en", lang="en")[0] == ["en"]
    assert settle("Atlas", ["fr", "en"])[0] == [None], "either"
    assert settle("Atlas", [])[0] == [None]
    assert settle("Atlas", [], site="es", lang="es")[:2] == (["es"], ["es"])
    assert not settle("Panthera leo", ["fr"])[2].inferred, "a person wrote it"


def test_no_fallback_stands_against_the_script() -> None:
    assert settle("الأهوار", ["en"], site="en", lang="en")[:2] == ([None], [])
    assert settle("الأهوار", ["en", "ar"], site="en", lang="en")[:2] == (["ar"], ["ar"])
    assert settle("Байкал", ["en", "ru"])[0] == ["ru"]
    assert settle("湿地", ["en", "zh"])[0] == ["zh"]
    assert settle("湿地", ["ja"])[0] == ["ja"]
    assert settle("IUCN", ["ar"], site="ar", lang="ar")[0] == [None]
    assert settle("Reka Drina", ["sr"])[0] == ["sr"], "Serbian is written in two scripts"
    assert settle("Река Дрина", ["sr"])[0] == ["sr"]
    assert settle("2024", ["ar"])[0] == ["ar"], "figures are of every script"


def test_a_near_relative_that_the_source_does_not_name_is_not_found() -> None:
    langs, _, settled = settle(PERSIAN, ["ar"])
    assert langs == [None]
    assert settled.issues
    assert settle(PERSIAN, ["fa", "en"])[0] == ["fa"]
    assert settle(GERMAN, ["en", "fr"])[0] == [None]
    assert settle(GERMAN, ["de"])[0] == ["de"]
    assert settle(JAPANESE, ["ja", "en"])[0] == ["ja"]
    assert settle(JAPANESE, ["zh"])[0] == [None]


def test_what_the_document_says_of_a_text_stays() -> None:
    langs, language, settled = settle(FRENCH, ["en"], lang="es", site="en")
    assert langs == ["es"]
    assert not settled.issues
    assert not language
    # And its word on the resource is a language that its texts may be in.
    assert settle(FRENCH, ["en"], language=["fr"])[:2] == (["fr"], ["fr"])
    assert settle("Atlas", ["en"], language=["fr"])[:2] == ([None], ["fr"])
    assert settle("Atlas", ["en"], language=["en-GB"])[:2] == (["en"], ["en-GB"])


def test_a_text_in_no_language_gets_none() -> None:
    fields = {
        "title": [{"value": FRENCH, "lang": "zxx"}],
        "subject": [{"label": "x", "lang": "zxx"}],
    }
    settled = text_languages.settle(fields, "fr", {"languages": ["fr"]}, wanted=True)
    assert settled.fields["title"] == [{"value": FRENCH}]
    assert settled.fields["subject"] == [{"label": "x"}]


def test_a_short_title_goes_with_its_description_unless_it_leans_elsewhere() -> None:
    def of(title: str, description: str) -> list[Any]:
        fields = {"title": [{"value": title}], "description": [{"value": description}]}
        made = text_languages.settle(fields, None, {"languages": ["fr", "en"]}, wanted=True)
        texts = {**fields, **made.fields}
        return [text.get("lang") for name in fields for text in texts[name]]

    assert of("Baie", FRENCH) == ["fr", "fr"]
    assert of("Restoration", FRENCH) == [None, "fr"]
    assert of(ENGLISH, FRENCH) == ["en", "fr"]


def test_tags_stay_as_the_source_writes_them() -> None:
    text = "Os pescadores guardam a baía há dez anos"
    assert settle(text, ["pt-BR", "en"])[0] == ["pt-BR"]
    assert settle(text, ["en", "por"])[0] == ["pt"]
    assert settle("Fiskerne har passet på bugten i ti år", ["nb", "en"])[0][0] in ("nb", None)


# --- formats and protocols ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("feed", {"feed": {"language": "en-US", "title": "N"}, "entry": {
            "title": {"value": FRENCH, "lang": "en-US"}, "link": "https://s.example.org/1"}}),
        ("feed", {"feed": {"title": "N"}, "entry": {"title": {"value": FRENCH}}}),
        ("html", {"pages": [{"url": "https://s.example.org/1", "lang": "en", "title": FRENCH,
                             "heading": FRENCH, "text": FRENCH, "meta": {}, "data": []}]}),
        ("wordpress", {"kind": "posts", "lang": None, "entry": {"title": {"rendered": FRENCH}}}),
        ("oai_dc", {"header": {}, "metadata": {"title": [{"value": FRENCH}]}}),
        ("dcat", {"dataset": {"title": FRENCH}, "form": "json"}),
        ("ckan", {"kind": "package", "entry": {"id": "1", "name": "n", "title": FRENCH}}),
        ("stac", {"kind": "collection", "entry": {"id": "1", "title": FRENCH}, "links": []}),
        ("ogc_api", {"kind": "record", "entry": {"id": "1", "properties": {"title": FRENCH}}}),
    ],
)  # fmt: skip
def test_every_format_gets_the_language_of_its_texts(name: str, body: dict[str, Any]) -> None:
    record = made_by(name, body, ["en", "fr"]).record
    assert record is not None
    assert [(text.value, text.lang) for text in record.title] == [(FRENCH, "fr")]
    assert record.language == ["fr"]
    assert {"title.0.lang", "language"} <= set(record.provenance.inferred)
    only = made_by(name, body, ["fr"]).record
    assert only is not None
    assert (only.title[0].lang, only.language) == ("fr", ["fr"])


def test_a_crosswalk_and_a_source_may_do_without() -> None:
    body = {"header": {}, "metadata": {"title": [{"value": FRENCH}]}}
    record = made_by("oai_dc", body, ["fr"], language_of_source=False).record
    assert record is not None
    assert (record.title[0].lang, record.language) == (None, [])


def test_a_crosswalk_may_switch_the_rule_off(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('extends = "oai_dc"\nlanguage_of_source = "no"\n', "utf-8")
    with pytest.raises(Exception, match="language_of_source: must be true or false"):
        crosswalk.load("own", [tmp_path])


def test_the_same_content_gives_the_same_record_whatever_is_inferred() -> None:
    body = {"header": {}, "metadata": {"title": [{"value": FRENCH}]}}
    one, other = (made_by("oai_dc", body, langs).record for langs in (["fr"], ["fr", "en"]))
    assert one is not None
    assert other is not None
    assert (one.title, one.language) == (other.title, other.language)
    assert (one.provenance.inferred, other.provenance.inferred) == (
        [],
        ["title.0.lang", "language"],
    )


# --- how sure it is ----------------------------------------------------------------------


@pytest.mark.parametrize("lang", OWN)
def test_titles_in_other_languages_than_the_uns(lang: str) -> None:
    found = [detection.guess(title, (lang, "en")).language for title in OWN[lang]]
    assert found == [lang] * len(found)
    assert not any(detection.guess(t, ("en", "fr")).language in ("en", "fr") for t in OWN[lang])


def test_nearly_no_title_of_the_secretariat_is_taken_for_another_language() -> None:
    path = SHARED / "samples/tagging/labelled.jsonl"
    if not path.exists():
        pytest.skip(f"no titles in known languages at {path}: set CHM_HUB_SHARED")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    told: Counter[str] = Counter()
    for row in rows:
        seen = detection.guess(row["text"], ("en", "fr", "es", "ar", "ru", "zh"))
        found = seen.language or seen.elsewhere
        told["none" if found is None else "right" if found == row["lang"] else "wrong"] += 1
    assert told["wrong"] <= told["right"] * 0.005
    assert told["right"] > told.total() * 0.7


@pytest.mark.parametrize("text", ["", " ", "…", "12/2024", "\x00", "🦋🦋🦋", "a" * 5000, "ÿ" * 20])
def test_texts_of_nothing_are_in_no_language(text: str) -> None:
    assert detection.guess(text, ("en", "fr")) in (detection.Guess(), detection.Guess())
    assert scripts.script_of(text) in (None, "Latn")


def test_the_model_is_not_loaded_before_a_text_needs_it() -> None:
    code = "import sys, mappings.crosswalk; print([m for m in sys.modules if 'langid' in m])"
    out = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, timeout=120
    )
    assert re.sub(r"\s", "", out.stdout) == "[]"
