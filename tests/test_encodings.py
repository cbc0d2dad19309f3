"""Bytes in another encoding than they are said to be in (rule R6)."""

from __future__ import annotations

import pytest

from harvesters import encodings, xml

WORDS = "L’eau, “Biodiversité”"
RUSSIAN = "Сохранение биоразнообразия И Ѓ"
CHINESE = "生物多样性公约资料交换所"


@pytest.mark.parametrize(
    ("body", "said", "text", "told"),
    [
        (WORDS.encode(), [], WORDS, []),
        (WORDS.encode("utf-8-sig"), ["iso-8859-1"], WORDS, []),
        (WORDS.encode("utf-16"), ["utf-8"], WORDS, []),
        ("<r>é</r>".encode("utf-16-le"), [], "<r>é</r>", []),
        (b"eau", ["utf-16"], "eau", []),
        (WORDS.encode("cp1252"), ["windows-1252"], WORDS, []),
        (RUSSIAN.encode("cp1251"), ["windows-1251", "utf-8"], RUSSIAN, []),
        (CHINESE.encode("gbk"), ["gb2312"], CHINESE, []),
        # Said to be something else than it is.
        ("Biodiversité".encode("latin-1"), ["utf-8"], "Biodiversité", ["encoding_not_utf-8"]),
        ("Biodiversité".encode("latin-1"), [], "Biodiversité", ["encoding_not_utf-8"]),
        ("Biodiversité".encode("latin-1"), ["ascii"], "Biodiversité", ["encoding_not_ascii"]),
        (WORDS.encode(), ["ISO-8859-1"], WORDS, ["encoding_not_iso-8859-1"]),
        (WORDS.encode(), ["windows-1251"], WORDS, ["encoding_not_windows-1251"]),
        (WORDS.encode("cp1252"), ["ISO-8859-1"], WORDS, ["encoding_not_iso-8859-1"]),
        (WORDS.encode("cp1252"), ["iso-8859-15"], WORDS, ["encoding_not_iso-8859-15"]),
        (RUSSIAN.encode("cp1251"), ["utf-8", "cp1251"], RUSSIAN, ["encoding_not_utf-8"]),
        (WORDS.encode(), ["utf-16"], WORDS, ["encoding_not_utf-16"]),
        # By a name nobody knows, or that means no text.
        (WORDS.encode(), ["x-none"], WORDS, ["encoding_not_x-none"]),
        (WORDS.encode(), ["punycode"], WORDS, ["encoding_not_punycode"]),
        (WORDS.encode(), ["hex"], WORDS, ["encoding_not_hex"]),
        # In more than one encoding, or broken: only what is wrong is read otherwise.
        (b"\xc3\xa9t\xe9", ["utf-8"], "été", ["encoding_not_utf-8"]),
        (b"\xef\xbb\xbf\xc3\xa9t\xe9", [], "été", ["encoding_not_utf-8-sig"]),
        (CHINESE.encode("gbk") + b"\xff.", ["gbk"], CHINESE + "ÿ.", ["encoding_not_gbk"]),
        (b"\x98 " + RUSSIAN.encode("cp1251"), ["cp1251"], "˜ " + RUSSIAN, ["encoding_not_cp1251"]),
        (b"\xff\xfea\0b", [], "a\ufffd", ["encoding_not_utf-16"]),
    ],
)
def test_a_text_is_read_as_what_it_is(
    body: bytes, said: list[str], text: str, told: list[str]
) -> None:
    read, _, repairs = encodings.read(body, said)
    assert (read, repairs) == (text, told)


def test_a_hint_counts_where_nothing_else_fits() -> None:
    body = RUSSIAN.encode("cp1251")
    assert encodings.read(body, ["utf-8"], ["windows-1251"])[0] == RUSSIAN
    assert encodings.read(RUSSIAN.encode(), ["utf-8"], ["windows-1251"])[0] == RUSSIAN


@pytest.mark.parametrize("before", ["", "\n rubbish "])
@pytest.mark.parametrize(
    ("declared", "encoding", "told"),
    [
        ("utf-8", "utf-8", []),
        ("utf-16", "utf-16", []),
        ("windows-1252", "cp1252", []),
        ("ISO-8859-1", "cp1252", ["encoding_not_iso-8859-1"]),
        ("ISO-8859-1", "utf-8", ["encoding_not_iso-8859-1"]),
        ("utf-8", "cp1252", ["encoding_not_utf-8"]),
        ("utf-16", "utf-8", ["encoding_not_utf-16"]),
    ],
)
def test_so_is_a_document(before: str, declared: str, encoding: str, told: list[str]) -> None:
    said = f'{before}<?xml version="1.0" encoding="{declared}"?><r>{WORDS}</r>'
    root, repairs = xml.parse(said.encode(encoding), "x")
    assert root.text == WORDS
    assert repairs == told + (["surroundings_removed"] if before else [])
