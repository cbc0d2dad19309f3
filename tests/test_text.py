"""Texts as people and programs write them: white space, markup, character references, languages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub import record as model
from chm_hub.document import Document
from chm_hub.sets import sets_of
from harvesters import feed, html, xml
from mappings import crosswalk, languages, markup, spaces
from mappings.formats import FORMATS
from tests.test_feed import payload

PROVENANCE = {
    "source": "s",
    "base_url": "https://s.example/",
    "url": "https://s.example/oai",
    "harvested": datetime(2026, 11, 29, tzinfo=UTC),
    "run": "s/1",
}
DC = "http://www.openarchives.org/OAI/2.0/oai_dc/"
NAMESPACES = {
    "dc": DC,
    "dcterms": "http://purl.org/dc/terms/",
    "mods": "http://www.loc.gov/mods/v3",
    "marc": "http://www.loc.gov/MARC21/slim",
    "eml": "https://eml.ecoinformatics.org/eml-2.2.0",
}


def of_body(
    name: str, body: Any, source: dict[str, Any] | None = None, identifier: str = "x"
) -> crosswalk.Outcome:
    document = Document(identifier=identifier, body=body)
    return crosswalk.apply(
        crosswalk.load(name), document, {"id": "s", **(source or {})}, PROVENANCE
    )


def of_xml(inner: str, form: str = "dc", root: str = "") -> crosswalk.Outcome:
    namespace = NAMESPACES[form]
    element, _ = xml.parse(f'<r xmlns="{namespace}" {root}>{inner}</r>'.encode(), "x")
    body = {"namespace": namespace, "metadata": xml.to_json(element)}
    return of_body("oai", body)


def made(outcome: crosswalk.Outcome) -> dict[str, Any]:
    assert outcome.record is not None, outcome
    return model.to_dict(outcome.record)


def issues(outcome: crosswalk.Outcome) -> list[str]:
    return [f"{issue.field}: {issue.message}" for issue in outcome.issues]


def values(record: dict[str, Any], field: str) -> list[str]:
    key = {"subject": "label", "creator": "name", "publisher": "name", "contributor": "name"}
    return [part[key.get(field, "value")] for part in record.get(field, [])]


# --- white space -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "around",
    [" ", "\n   ", "\t", "\xa0", "\u200b", "\ufeff", "\u3000", "\u2028", "\u200e", "\u202a"],
)
def test_white_space_around_a_value_is_off_before_a_test_looks_at_it(around: str) -> None:
    def put(name: str, value: str) -> str:
        return f"<{name}>{around}{value}{around}</{name}>"

    outcome = of_xml(
        put("title", "Lakes")
        + put("identifier", "https://x.example/1")
        + put("rights", "https://creativecommons.org/licenses/by/4.0/")
        + put("coverage", "Kenya")
        + put("type", "Dataset")
        + put("language", "fra")
        + put("date", "2012-05-01")
        + put("creator", "Ali, B.")
        + put("publisher", "KWS")
        + put("subject", "fish")
        + put("relation", "https://y.example/1")
    )
    record = made(outcome)
    assert record["url"] == "https://x.example/1"
    assert "same_as" not in record
    assert record["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert (record["type"], record["spatial"], record["language"]) == ("dataset", ["KE"], ["fr"])
    assert (record["issued"], record["relation"]) == ("2012-05-01", ["https://y.example/1"])
    assert values(record, "creator") + values(record, "publisher") == ["Ali, B.", "KWS"]
    assert values(record, "subject") + values(record, "title") == ["fish", "Lakes"]
    assert issues(outcome) == []


def test_the_name_a_source_gives_stays_byte_for_byte() -> None:
    outcome = of_body("oai_dc", {"metadata": {"title": [{"value": " T "}]}}, identifier="\n a\xa0")
    assert made(outcome)["source_identifier"] == "\n a\xa0"


@pytest.mark.parametrize(
    ("name", "body", "field", "value"),
    [
        ("ckan", {"entry": {"title": "\n T ", "license_title": " CC-BY\n"}}, "license", "CC-BY"),
        ("solr", {"entry": {"title": "T", "url_s": "\ufeffhttps://x.example/1"}}, "url",
         "https://x.example/1"),
        ("stac", {"entry": {"title": "T", "license": "\u200bCC-BY-4.0 "}}, "license", "CC-BY-4.0"),
        ("feed", {"feed": {}, "entry": {"title": {"value": "T"}, "link": "\xa0https://x.example/1"}},
         "url", "https://x.example/1"),
        ("dcat", {"dataset": {"title": "T", "license": "\thttps://l.example/by "}}, "license",
         "https://l.example/by"),
        ("gbif", {"kind": "dataset", "entry": {"title": "T", "key": " k\n"}}, "url",
         "https://www.gbif.org/dataset/k"),
    ],
)  # fmt: skip
def test_white_space_is_off_in_every_format(
    name: str, body: dict[str, Any], field: str, value: str
) -> None:
    assert made(of_body(name, body))[field] == value


def test_an_address_folded_by_a_writer_is_whole() -> None:
    outcome = of_xml("<title>T</title><identifier>https://x.example/a/\n      b\u200b</identifier>")
    assert made(outcome)["url"] == "https://x.example/a/b"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("\n            The herbarium\n   of the north\n ", "The herbarium of the north"),
        ("Forest  law\r\nof Benin", "Forest law of Benin"),
        ("生物\n    多样性\n    国家报告", "生物多样性国家报告"),
        ("한국어\n   문서", "한국어 문서"),
        ("تقرير\n  وطني", "تقرير وطني"),
        ("Леса\n\tКении", "Леса Кении"),
        ("12\xa0000 ha\xa0of land", "12\xa0000 ha of land"),
        ("می\u200cروم", "می\u200cروم"),
        ("क्\u200dष", "क्\u200dष"),
        ("Zero\u200b width \u200bspace", "Zero width space"),
        ("ភាសា\u200bខ្មែរ", "ភាសា\u200bខ្មែរ"),
        ("bio\xaddi\xadver\xadsity", "biodiversity"),
        ("生物多样性\u3000报告", "生物多样性\u3000报告"),
    ],
)
def test_a_title_is_one_line(text: str, line: str) -> None:
    outcome = of_xml(f"<title>{text}</title><creator>{text}</creator><subject>{text}</subject>")
    record = made(outcome)
    assert [values(record, f) for f in ("title", "creator", "subject")] == [[line]] * 3


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("\n      Forests of\n      the north.\n    ", "Forests of the north."),
        ("One\n      two.\n\n      Three.", "One two.\n\nThree."),
        ("One.\r\nTwo.\r\n\r\n\r\n\r\nThree.", "One.\nTwo.\n\nThree."),
        ("Aims:\n  - fish\n  - lakes", "Aims:\n- fish\n- lakes"),
    ],
)
def test_a_description_keeps_the_paragraphs_its_author_made(text: str, kept: str) -> None:
    record = made(of_xml(f"<title>T</title><description>{text}</description>"))
    assert values(record, "description") == [kept]
    again = made(of_xml(f"<title>T</title><description>{kept}</description>"))
    assert values(again, "description") == [kept]


def test_what_shows_nothing_is_nothing() -> None:
    outcome = of_xml("<title>\u200b</title><title>\xa0\n</title><creator>\u200c</creator>")
    assert {"title", "creator"}.isdisjoint(made(outcome))


def test_a_direction_mark_stays_with_a_text_that_needs_it() -> None:
    arabic = "\u202bتقرير وطني\u202c"
    assert values(made(of_xml(f"<title> {arabic} </title>")), "title") == [arabic]


def test_trimming_copies_only_what_it_changes() -> None:
    clean = {"a": ["x", {"b": "y"}], "n": 3, "z": None}
    assert spaces.trimmed(clean) is clean
    before = {"a": [" x", {"b": "y"}]}
    after = spaces.trimmed(before)
    assert after == {"a": ["x", {"b": "y"}]}
    assert before["a"][0] == " x"
    assert after["a"][1] is before["a"][1]


# --- markup and character references -----------------------------------------------------

NOT_MARKUP = [
    "Mortality of juveniles (<one year) in Lake Victoria",
    "Trees <10 cm in diameter",
    "When a<b and c>d",
    "P<0.05 for birds",
    "<Untitled>",
    "<<Lakes>> of Kenya",
    "Species <unknown> in Benin",
    "List: <http://example.org/a> and more",
    "Fish <Tilapia sp.> survey 2020",
    "e-mail <a.b@example.org> list",
    "x < y > z",
    "I <3 lakes",
    "AT&T;",
    "R&D of a&b",
    "100 & 200",
    "Площадь <10 га",
    "面积<10公顷",
    "مساحة <10 هكتار",
]


@pytest.mark.parametrize("text", NOT_MARKUP)
@pytest.mark.parametrize("read", [markup.from_text, markup.from_html])
def test_a_sign_that_begins_no_tag_is_text(text: str, read: Any) -> None:
    said: list[str] = []
    assert read(text, said.append) == text
    assert said == []


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("H<sub>2</sub>O and lakes", "H2O and lakes"),
        ("<i>Panthera leo</i> in Tsavo", "Panthera leo in Tsavo"),
        ("<p>One <10 ha</p><p>Two</p>", "One <10 ha\nTwo"),
        ("One<br/>Two", "One\nTwo"),
        ('See <a href="https://x.example/">the page', "See the page"),
        ("<!-- draft -->Report", "Report"),
        ("<![CDATA[Inner <b>bold</b>]]>", "Inner bold"),
        ("<jats:p>The <jats:italic>L. leo</jats:italic></jats:p>", "The L. leo"),
        ("Word's<o:p></o:p>", "Word's"),
        ("Smith &amp; Sons", "Smith & Sons"),
        ("Caf&eacute; &#8211; lac &#x2019;", "Café – lac ’"),
        ("This is &#8211 online", "This is – online"),
        ("<b>a</b> &amp;lt; b", "a &lt; b"),
        ("&lt;draft&gt;", "<draft>"),
        ("&amp;lt;p&amp;gt;", "&lt;p&gt;"),
        ("&#128;50 &#0;", "€50 "),
    ],
)
@pytest.mark.parametrize("read", [markup.from_text, markup.from_html])
def test_markup_and_references_that_are_meant(text: str, words: str, read: Any) -> None:
    assert read(text, lambda _: None) == words


@pytest.mark.parametrize(
    ("text", "as_text", "as_html"),
    [
        ("Use of <script> in portals", "Use of <script> in portals", "Use of"),
        ("Links: <a> and <area>", "Links: <a> and <area>", "Links: and"),
        ("20 &copy 2020", "20 &copy 2020", "20 © 2020"),
    ],
)
def test_html_is_read_by_its_letter_and_plain_text_is_not(
    text: str, as_text: str, as_html: str
) -> None:
    assert markup.from_text(text, lambda _: None) == as_text
    assert markup.from_html(text, lambda _: None) == as_html


@pytest.mark.parametrize(
    ("text", "bare"),
    [("Lakes ;", "Lakes"), ("Caf&eacute;", "Caf&eacute;"), ("a &lt;b&gt; ;", "a &lt;b&gt;"),
     ("R&D;", "R&D"), ("Survey:", "Survey"), (";", ""), ("", "")],
)  # fmt: skip
def test_punctuation_at_an_end_is_off_and_a_reference_is_whole(text: str, bare: str) -> None:
    assert markup.without_end(text, " :;,") == bare


def test_what_was_read_is_not_read_again() -> None:
    once = markup.from_html("&amp;lt;b&amp;gt;", lambda _: None)
    assert once == "&lt;b&gt;"
    assert markup.from_text(once, lambda _: None) == "&lt;b&gt;"


@pytest.mark.parametrize(
    "piece", ["<!--", "<a '", "<![CDATA[", "<a b=", "<a/ ", "<?xml", "</", "<!DOCTYPE"]
)
def test_hostile_markup_is_read_to_its_end(piece: str) -> None:
    # In quadratic time this would take minutes.
    said: list[str] = []
    assert markup.from_text("<b>x</b>" + piece * 100_000, said.append).startswith("x")


XML_FORMS = {
    "dc": "<title>{0}</title><creator>{0}</creator><subject>{0}</subject>"
    "<publisher>{0}</publisher>",
    "dcterms": "<title>{0}</title><creator>{0}</creator><subject>{0}</subject>"
    "<publisher>{0}</publisher>",
    "mods": "<titleInfo><title>{0}</title></titleInfo><name><namePart>{0}</namePart></name>"
    "<subject><topic>{0}</topic></subject><originInfo><publisher>{0}</publisher></originInfo>",
    "marc": '<datafield tag="245"><subfield code="a">{0}</subfield></datafield>'
    '<datafield tag="100"><subfield code="a">{0}</subfield></datafield>'
    '<datafield tag="650"><subfield code="a">{0}</subfield></datafield>'
    '<datafield tag="260"><subfield code="b">{0}</subfield></datafield>',
    "eml": "<dataset><title>{0}</title><creator><organizationName>{0}</organizationName></creator>"
    "<publisher><organizationName>{0}</organizationName></publisher>"
    "<keywordSet><keyword>{0}</keyword></keywordSet></dataset>",
}


@pytest.mark.parametrize("form", XML_FORMS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fish (&lt;one year)", "Fish (<one year)"),
        ("<![CDATA[Fish (<one year)]]>", "Fish (<one year)"),
        ("&lt;i&gt;Panthera leo&lt;/i&gt;", "Panthera leo"),
        ("Smith &amp;amp; Sons", "Smith & Sons"),
        ("Caf&amp;eacute; du lac", "Café du lac"),
        ("Two &amp;lt;b&amp;gt;", "Two <b>"),
    ],
)
def test_texts_of_xml_formats(form: str, text: str, words: str) -> None:
    outcome = of_xml(XML_FORMS[form].format(text), form)
    record = made(outcome)
    for field in ("title", "creator", "subject", "publisher"):
        assert values(record, field) == [words], field


def of_feed(body: str, media_type: str = "application/xml") -> dict[str, Any]:
    page, _ = feed.read_feed(payload(body, media_type))
    assert (page.warnings, page.rejects) == ([], [])
    return made(of_body("feed", page.documents[0].body))


def rss(item: str) -> str:
    content = 'xmlns:content="http://purl.org/rss/1.0/modules/content/"'
    return f'<rss version="2.0" {content}><channel><item>{item}</item></channel></rss>'


def atom(entry: str) -> str:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>1</id>{entry}</entry></feed>'


XHTML = '<div xmlns="http://www.w3.org/1999/xhtml">'


@pytest.mark.parametrize(
    ("body", "field", "text"),
    [
        (rss("<title>Fish &lt;one year old</title>"), "title", "Fish <one year old"),
        (rss("<title>&lt;a&gt; as &lt;area&gt; &amp;amp; x</title>"), "title", "<a> as <area> & x"),
        (rss("<title><![CDATA[<b>Bold</b> a < b]]></title>"), "title", "Bold a < b"),
        (rss("<title>&lt;![CDATA[Inner]]&gt;</title>"), "title", "Inner"),
        (rss("<title>&amp;lt;p&amp;gt;x</title>"), "title", "<p>x"),
        (rss("<title>\n  تقرير\n  &lt;10 </title>"), "title", "تقرير <10"),
        (rss("<title>T</title><description><![CDATA[<p>Fish <one year</p><p>&amp;lt;</p>]]>"
             "</description>"), "description", "Fish <one year\n&lt;"),
        (rss("<title>T</title><content:encoded><![CDATA[<p>12&nbsp;000&nbsp;га</p>]]>"
             "</content:encoded>"), "description", "12\xa0000 га"),
        (rss("<title>T</title><category>Smith &amp;amp; Sons</category>"), "subject",
         "Smith & Sons"),
        (atom("<title>a&lt;b &amp;amp; c</title>"), "title", "a<b & c"),
        (atom('<title type="html">a&amp;lt;b &lt;i>c&lt;/i></title>'), "title", "a<b c"),
        (atom(f'<title type="xhtml">{XHTML}H<sub>2</sub>O &lt;1 &amp;amp;</div></title>'), "title",
         "H2O <1 &amp;"),
        (atom(f'<title>T</title><content type="xhtml">{XHTML}<p>三</p><p>a &lt;b&gt;</p></div>'
              "</content>"), "description", "三\na <b>"),
        (atom("<title>T</title><author><name>Caf&amp;eacute;</name></author>"), "creator", "Café"),
    ],
)  # fmt: skip
def test_texts_of_feeds_by_the_type_their_format_gives_them(
    body: str, field: str, text: str
) -> None:
    assert values(of_feed(body), field) == [text]


def test_texts_of_a_json_feed_by_the_type_their_format_gives_them() -> None:
    item = {"id": "1", "title": "Fish <one year & <area>", "content_html": "<p>a &amp;lt; <b</p>"}
    version = "https://jsonfeed.org/version/1.1"
    record = of_feed(json.dumps({"version": version, "items": [item]}), "application/feed+json")
    assert values(record, "title") == ["Fish <one year & <area>"]
    assert values(record, "description") == ["a &lt; <b"]


@pytest.mark.parametrize(
    ("page", "title"),
    [
        ("<title>The &lt;p&gt; element and &amp;lt;</title>", "The <p> element and &lt;"),
        ("<h1>Fish &lt;one year &amp; more</h1>", "Fish <one year & more"),
        ("<h1>H<sub>2</sub>O</h1>", "H2O"),
        ('<meta property="og:title" content="Smith &amp;amp; Sons">', "Smith & Sons"),
        ('<script type="application/ld+json">{"@type": "Report", "headline": "a &lt; b"}</script>',
         "a < b"),
    ],
)  # fmt: skip
def test_what_a_page_shows_is_not_read_again(page: str, title: str) -> None:
    read = html.read(payload(f"<html lang='fra'>{page}<p>x</p></html>", "text/html"))
    record = made(of_body("html", {"pages": [read]}))
    assert [text["value"] for text in record["title"]] == [title]
    # Two of them are plainly in English, whatever the page says of itself.
    assert record["title"][0].get("lang") in ("fr", None)


JSON_FORMS: dict[str, tuple[str, Any]] = {
    "ckan": (
        "title subject publisher",
        {"entry": {"title": "{0}", "tags": [{"name": "{0}"}], "organization": {"title": "{0}"}}},
    ),
    "dcat": (
        "title subject publisher",
        {"dataset": {"title": "{0}", "keyword": ["{0}"], "publisher": {"name": "{0}"}}},
    ),
    "obis": ("title", {"entry": {"title": "{0}", "id": "i"}}),
    "gbif": ("title", {"kind": "dataset", "entry": {"title": "{0}", "key": "k"}}),
    "drupal": ("title", {"type": "news", "versions": [{"locale": "en", "title": "{0}"}]}),
    "stac": ("title subject", {"entry": {"title": "{0}", "keywords": ["{0}"]}}),
}


@pytest.mark.parametrize("name", JSON_FORMS)
@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("\n Fish (<one year) & <a>\u200b", "Fish (<one year) & <a>"),
        ("Smith &amp; Sons", "Smith & Sons"),
        ("Caf&eacute;&nbsp;<i>du</i> lac", "Café du lac"),
    ],
)
def test_texts_of_json_apis(name: str, text: str, words: str) -> None:
    fields, body = JSON_FORMS[name]
    put = json.loads(json.dumps(body).replace("{0}", json.dumps(text)[1:-1]))
    record = made(of_body(name, put))
    for field in fields.split():
        assert values(record, field) == [words], field


@pytest.mark.parametrize(
    ("rendered", "words"),
    [
        ("Q&amp;A: User&#8217;s Guide", "Q&A: User’s Guide"),
        ("This is &#8211 online", "This is – online"),
        ("Fish <one year old", "Fish <one year old"),
        ("About &amp;lt; in HTML", "About &lt; in HTML"),
        ("生物&nbsp;<em>多样性</em>", "生物 多样性"),
    ],
)
def test_texts_of_wordpress_are_html(rendered: str, words: str) -> None:
    body = {
        "kind": "posts",
        "entry": {"title": {"rendered": rendered}, "excerpt": {"rendered": f"<p>{rendered}</p>"}},
        "terms": {"category": [{"name": rendered, "slug": "x"}]},
    }
    record = made(of_body("wordpress", body))
    assert [values(record, f) for f in ("title", "description", "subject")] == [[words]] * 3


def test_a_published_record_holds_no_markup_but_its_own() -> None:
    odd = "a&lt;b &lt;script&gt;x&lt;/script&gt; &lt;img src=x onerror=y&gt; &amp;lt;i&amp;gt;"
    outcome = of_xml(f"<title>{odd}</title><description>{odd}</description>")
    assert outcome.record is not None
    assert outcome.record.title[0].value == "a<b <i>"
    for name, form in FORMATS.items():
        rendered = form.render(outcome.record)
        assert not [e for e in rendered.iter("{*}script", "{*}img", "{*}i", "{*}b")], name
        assert "a<b <i>" in "".join(rendered.itertext()), name


def test_an_address_is_not_written_for_a_page() -> None:
    for written in ("a=1&amp;amp;b=2", "a=1&amp;#038;b=2", "a=1&amp;b=2"):
        outcome = of_xml(f"<title>T</title><identifier>https://x.example/?{written}</identifier>")
        assert made(outcome)["url"] == "https://x.example/?a=1&b=2"


# --- languages ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "tags"),
    [
        ("fra", ["fr"]),
        ("fre", ["fr"]),
        ("eng", ["en"]),
        ("ara", ["ar"]),
        ("arb", ["ar"]),
        ("cmn", ["zh"]),
        ("fr_FR", ["fr-FR"]),
        ("en-US", ["en-US"]),
        ("zh-hant-tw", ["zh-Hant-TW"]),
        ("sr@latin", ["sr-Latn"]),
        ("pt_BR.UTF-8", ["pt-BR"]),
        ("i-klingon", ["tlh"]),
        ("English", ["en"]),
        ("français", ["fr"]),
        ("русский", ["ru"]),
        ("中文", ["zh"]),
        ("العربية", ["ar"]),
        ("en.", ["en"]),
        ("[en]", ["en"]),
        ("(eng)", ["en"]),
        ("fr-CA-", ["fr-CA"]),
        ("English (United States)", ["en"]),
        ("Brazilian Portuguese", ["pt-BR"]),
        ("Castellano", ["es"]),
        ("Mandarin", ["zh"]),
        ("汉语", ["zh"]),
        ("Serbo-Croatian", ["sr-Latn"]),
        ("en, fr", ["en", "fr"]),
        ("eng; fre", ["en", "fr"]),
        ("English/French", ["en", "fr"]),
        ("English and Spanish", ["en", "es"]),
        ("eng fre", ["en", "fr"]),
        ("engfre", ["en", "fr"]),
        ("engfrespa", ["en", "fr", "es"]),
        ("http://id.loc.gov/vocabulary/iso639-2/fre", ["fr"]),
        ("http://publications.europa.eu/resource/authority/language/ENG", ["en"]),
        ("und", []),
        ("zxx", []),
        ("mul", []),
        ("", []),
    ],
)
def test_languages_as_sources_write_them(said: str, tags: list[str]) -> None:
    assert languages.languages(said) == (tuple(tags), ())


@pytest.mark.parametrize(
    "said",
    ["none", "None", "0", "*", "x-default", "a b", "sp", "po", "jp", "cz", "unknown", "Other",
     "n/a", "en1", "Elvish?", "quelle", "x" * 2000],
)  # fmt: skip
def test_what_names_no_language_is_told(said: str) -> None:
    found, odd = languages.languages(said)
    assert found == ()
    assert odd


def test_of_several_languages_what_is_known_is_kept() -> None:
    assert languages.languages("English; Elvish") == (("en",), ("Elvish",))


@pytest.mark.parametrize("form", ["dc", "mods", "eml", "dcterms"])
@pytest.mark.parametrize(
    ("said", "lang", "told"),
    [
        ("fra", "fr", False),
        ("eng", "en", False),
        ("English", "en", False),
        ("none", None, True),
        ("0", None, True),
        ("und", None, False),
        ("", None, False),
    ],
)
def test_every_text_has_the_shortest_tag(form: str, said: str, lang: str, told: bool) -> None:
    inner = XML_FORMS[form].replace("<title>", f'<title xml:lang="{said}">').format("T")
    outcome = of_xml(inner, form, root='xml:lang="spa"')
    assert made(outcome)["title"] == [{"value": "T", **({"lang": lang} if lang else {})}]
    assert bool([line for line in issues(outcome) if line.startswith("title")]) == told


def test_one_language_has_one_set_and_one_tag_in_what_is_published() -> None:
    outcome = of_xml(
        '<title xml:lang="fra">Loi</title><subject xml:lang="fre">bois</subject>'
        '<rights xml:lang="fr_FR">libre</rights><language>fre</language>'
    )
    assert outcome.record is not None
    assert [s for s in sets_of(outcome.record) if s.startswith("lang:")] == ["lang:fr"]
    for name, form in FORMATS.items():
        rendered = form.render(outcome.record)
        tags = {e.get(xml.LANG) for e in rendered.iter()} - {None}
        assert {"fr"} <= tags <= {"fr", "fr-FR", "en"}, name


def test_two_titles_alike_in_one_language_are_one() -> None:
    outcome = of_xml('<title xml:lang="eng">Law</title><title xml:lang="en">Law</title>')
    assert made(outcome)["title"] == [{"value": "Law", "lang": "en"}]


def test_marc_names_several_languages_in_one_field() -> None:
    outcome = of_xml(
        XML_FORMS["marc"].format("T")
        + '<datafield tag="041"><subfield code="a">engfre</subfield></datafield>',
        "marc",
    )
    assert made(outcome)["language"] == ["en", "fr"]


@pytest.mark.parametrize(
    ("name", "body", "source"),
    [
        ("ckan", {"entry": {"title": "T", "language": "fre"}}, {}),
        ("ckan", {"entry": {"title_translated": {"fra": "T"}}}, {}),
        ("wordpress", {"kind": "posts", "lang": "fra", "entry": {"title": {"rendered": "T"}}}, {}),
        ("drupal", {"type": "news", "versions": [{"locale": "fra", "title": "T"}]}, {}),
        ("feed", {"feed": {}, "entry": {"title": {"value": "T", "lang": "fra"}}}, {}),
        ("stac", {"entry": {"title": "T", "language": {"code": "fra"}}}, {}),
        ("dcat", {"dataset": {"title": {"value": "T", "lang": "fra"}}}, {}),
        ("gbif", {"kind": "dataset", "entry": {"title": "T", "key": "k", "language": "fra"}}, {}),
        ("solr", {"entry": {"title": "T", "language_s": "fra"}}, {}),
    ],
)
def test_tags_are_the_shortest_in_every_protocol(
    name: str, body: dict[str, Any], source: dict[str, Any]
) -> None:
    assert made(of_body(name, body, source))["title"] == [{"value": "T", "lang": "fr"}]
