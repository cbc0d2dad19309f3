"""The scripts that texts are written in, and the scripts that languages are written in.

Scripts are ISO 15924 codes. A text in Arabic letters is not in French, whatever its page says.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache

import langcodes

_RANGES = {
    "Latn": r"A-Za-zªºÀ-ÖØ-öø-ʯḀ-ỿ",
    "Grek": r"Ͱ-Ͽἀ-῿",
    "Cyrl": r"Ѐ-ԯ",
    "Armn": r"Ա-֏",
    "Hebr": r"א-ת",
    "Arab": r"ؠ-ۿݐ-ݿﭐ-﷿ﹰ-ﻼ",
    "Deva": r"ऀ-ॿ",
    "Beng": r"ঀ-৿",
    "Guru": r"਀-੿",
    "Gujr": r"઀-૿",
    "Orya": r"଀-୿",
    "Taml": r"஀-௿",
    "Telu": r"ఀ-౿",
    "Knda": r"ಀ-೿",
    "Mlym": r"ഀ-ൿ",
    "Sinh": r"඀-෿",
    "Thai": r"ก-๛",
    "Laoo": r"຀-໿",
    "Tibt": r"ༀ-࿿",
    "Mymr": r"က-႟",
    "Geor": r"Ⴀ-ჿ",
    "Ethi": r"ሀ-፿",
    "Khmr": r"ក-៿",
    "Mong": r"ᠠ-ᢪ",
    "Thaa": r"ހ-ޱ",
    "Kana": r"ぁ-ゟァ-ヿ",
    "Hang": r"가-힣",
    "Hani": r"㐀-䶿一-鿿豈-﫿",
}
_LETTERS = re.compile("|".join(f"(?P<{name}>[{signs}])" for name, signs in _RANGES.items()))
_LONGEST = 2000
"""Signs of a text that are looked at."""
_MOST = 0.7
"""The share of a text's letters that are of one script, if the text is in that script."""
_PARTS = {
    "Jpan": {"Kana", "Hani"},
    "Hans": {"Hani"},
    "Hant": {"Hani"},
    "Kore": {"Hang", "Hani"},
}
"""Scripts of CLDR that are several of Unicode's, or a variety of one."""
_ALSO = {
    "az": {"Cyrl", "Arab"},
    "bs": {"Cyrl"},
    "ff": {"Arab"},
    "ha": {"Arab"},
    "kk": {"Latn", "Arab"},
    "ku": {"Arab", "Cyrl"},
    "ky": {"Latn", "Arab"},
    "mn": {"Mong"},
    "ms": {"Arab"},
    "pa": {"Arab"},
    "ro": {"Cyrl"},
    "sd": {"Deva"},
    "sr": {"Latn"},
    "sw": {"Arab"},
    "tg": {"Latn", "Arab"},
    "tk": {"Cyrl", "Arab"},
    "ug": {"Cyrl", "Latn"},
    "uz": {"Cyrl", "Arab"},
    "zgh": {"Latn", "Arab"},
}
"""Languages that are written in more than the script CLDR thinks likeliest."""


@lru_cache(maxsize=4096)
def script_of(text: str) -> str | None:
    """The script most letters of a text are of; ``Kana`` stands for Japanese with its Han.

    ``None`` for a text with less than three letters, and for one in several scripts.
    """
    found = Counter(match.lastgroup for match in _LETTERS.finditer(text[:_LONGEST]))
    if found["Kana"]:
        found["Kana"] += found.pop("Hani", 0)
    total = sum(found.values())
    if not total or (total < 3 and not found["Hani"] and not found["Kana"]):
        return None
    script, times = found.most_common(1)[0]
    return str(script) if times >= _MOST * total else None


@lru_cache(maxsize=1024)
def scripts_of(tag: str) -> frozenset[str]:
    """The scripts that a language (BCP 47) is written in; none where that is not known."""
    told = langcodes.Language.get(tag)
    script = told.script or told.maximize().script
    if script is None:
        return frozenset()
    also = set() if told.script else _ALSO.get(told.language or "", set())
    return frozenset(_PARTS.get(script, {script}) | also)


def fits(tag: str, script: str | None) -> bool:
    """Whether a text in a script may be in a language; true where either is not known."""
    known = scripts_of(tag)
    return script is None or not known or script in known or not known <= _RANGES.keys()


def letters(text: str) -> int:
    """How many letters there are to judge by; a letter of Han, Kana or Hangul stands for three."""
    found = Counter(match.lastgroup for match in _LETTERS.finditer(text[:_LONGEST]))
    return found.total() + 2 * sum(found[name] for name in ("Hani", "Kana", "Hang"))
