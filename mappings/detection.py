"""Which language a text is in, as its words show: py3langid, with a threshold that was measured
(decision 27).

The model is loaded when the first text needs it: half a second and 80 MB of memory. It is part of
the package; nothing is asked over the network.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from functools import cache, lru_cache
from threading import Lock
from typing import Any

from mappings import scripts

USUAL = frozenset(("en", "fr", "es", "ar", "ru", "zh", "pt", "sw", "ja"))
"""Languages that a text is always compared with, beside those that its source may have: the six
of the UN, and those of other portals. Without them French would be the likelier of German and
French."""
CONFIDENT = 0.9
"""The probability, among the languages compared, from which a language is taken."""
ELSE = 0.8
"""The probability, among all languages of the model, from which a text is in none of those
compared."""
LETTERS = 12
"""The letters that a text must have; shorter ones are names and abbreviations too often."""
_LONGEST = 1000
"""Signs of a text that are looked at; more tell nothing more."""
_SAME = {
    "wuu": "zh", "yue": "zh", "arz": "ar", "ary": "ar", "nn": "no", "uzs": "uz", "sdh": "ku",
    "pcm": "en",
}  # fmt: skip
"""Labels of the model that are parts, or close relatives, of another language with a code."""
_LABELS = {"nb": "no", "nn": "no", "fil": "tl", "sh": "sr", "cmn": "zh", "prs": "fa"}
"""What the model calls languages whose tags are others."""
_FAMILIES = tuple(
    frozenset(family.split())
    for family in (
        "bs hr sr sl mk bg", "id ms jv", "no da sv", "cs sk", "gl pt es ca ast an ext oc",
        "ru uk be bg", "af nl fy li", "zu xh ss nr", "rw rn", "fa ps tg ku ur",
        "hi ne mr sa mai bho", "tr az crh tk",
        "kk ky tt ba uz", "fr wa oc gcf gcr ht", "it vec lij sc rm co", "st nso tn", "de lb gsw",
        "ro mo", "sw kik lg", "zh ja", "la it es pt", "sq sqi", "fi et", "so om",
    )
)  # fmt: skip
"""Languages that the model takes for each other in short texts."""


@dataclass(frozen=True, slots=True)
class Guess:
    """What a text shows of its language."""

    language: str | None = None
    """The one of the languages compared that it is in, if that is sure."""
    elsewhere: str | None = None
    """A language beside those compared, if that is sure."""


def guess(text: str, candidates: Collection[str]) -> Guess:
    """Compare a text with some languages (BCP 47 tags), and with those in :data:`USUAL`.

    A text of few letters shows nothing, and so does one that is about as likely in two languages.
    """
    if scripts.letters(text) < LETTERS:
        return Guess()
    return _guess(text[:_LONGEST], tuple(sorted(set(candidates))))


def leaning(text: str, candidates: Collection[str]) -> str | None:
    """The language that a text, however short, is likelier in than in all others compared."""
    labels, known, _ = _compared(text[:_LONGEST], tuple(sorted(set(candidates))))
    best = max(known, key=lambda label: known[label], default=None)
    return labels[best] if best and known[best] > sum(known.values()) / 2 else None


@lru_cache(maxsize=32)
def _compared(
    text: str, candidates: tuple[str, ...]
) -> tuple[dict[str, str], dict[str, float], dict[str, float]]:
    """The tags of the model's labels that are compared, their scores, and those of all labels."""
    script = scripts.script_of(text)
    tags = (*sorted(USUAL), *candidates)
    labels = {_label(tag): tag for tag in tags if scripts.fits(tag, script)}
    scores = _scores(text)
    return labels, {label: scores[label] for label in labels if label in scores}, scores


def _guess(text: str, candidates: tuple[str, ...]) -> Guess:
    script = scripts.script_of(text)
    labels, known, scores = _compared(text, candidates)
    if script == "Hani":
        # Without kana, Chinese and Japanese are told apart by what the source has.
        named = [tag for tag in candidates if _label(tag) in ("zh", "ja")]
        return Guess(language=named[0]) if len(named) == 1 else Guess()
    total = sum(known.values())
    if total <= 0:
        return Guess()
    best = max(known, key=lambda label: known[label])
    top = max(scores, key=lambda label: scores[label])
    if top not in known and not _are_related(top, best):
        return Guess(elsewhere=top) if scores[top] >= ELSE else Guess()
    if known[best] / total < CONFIDENT:
        return Guess()
    return Guess(language=labels[best])


def knows(tag: str) -> bool:
    """Whether the model knows a language; one that it does not know it never finds."""
    return _label(tag) in _labels()


def related(one: str, other: str) -> bool:
    """Whether two languages are one, or such as the model takes for each other."""
    return _are_related(_label(one), _label(other))


def _label(tag: str) -> str:
    main = tag.partition("-")[0].lower()
    return _LABELS.get(main, main)


def _are_related(one: str, other: str) -> bool:
    return one == other or any(one in family and other in family for family in _FAMILIES)


def _scores(text: str) -> dict[str, float]:
    """The probability of each language of the model."""
    found: dict[str, float] = {}
    for label, score in _model().rank(text):
        label = _SAME.get(label, label)
        found[label] = found.get(label, 0.0) + float(score)
    return found


@cache
def _labels() -> frozenset[str]:
    return frozenset(_SAME.get(label, label) for label in _model().labels)


_LOADING = Lock()


def _model() -> Any:
    # Sources are mapped in threads of their own: a model for each would be 100 MB for each.
    with _LOADING:
        return _loaded()


@cache
def _loaded() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
