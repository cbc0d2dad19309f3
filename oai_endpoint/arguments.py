"""The arguments of a request, checked as the specification says (OAI-PMH 2.0 §3.1, §3.6)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from chm_hub.sets import is_spec

VERBS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    # verb: (required, optional); a resumptionToken, where optional, stands alone
    "Identify": (frozenset(), frozenset()),
    "ListMetadataFormats": (frozenset(), frozenset({"identifier"})),
    "ListSets": (frozenset(), frozenset({"resumptionToken"})),
    "GetRecord": (frozenset({"identifier", "metadataPrefix"}), frozenset()),
    "ListIdentifiers": (
        frozenset({"metadataPrefix"}),
        frozenset({"from", "until", "set", "resumptionToken"}),
    ),
    "ListRecords": (
        frozenset({"metadataPrefix"}),
        frozenset({"from", "until", "set", "resumptionToken"}),
    ),
}
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffd\ufffe\uffff\ud800-\udfff]")
_PREFIX = re.compile(r"[A-Za-z0-9\-_.!~*'()]+")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_SECOND = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}Z", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fault:
    """An OAI-PMH error: its code (§3.6) and what is wrong, for people."""

    code: str
    message: str


class FaultsError(Exception):
    """The request cannot be answered; several faults may be reported together."""

    def __init__(self, *faults: Fault) -> None:
        super().__init__("; ".join(f"{fault.code}: {fault.message}" for fault in faults))
        self.faults = faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A request that is well-formed."""

    verb: str
    given: dict[str, str]
    """The arguments as they were sent."""

    def __getitem__(self, name: str) -> str | None:
        return self.given.get(name)


def read(pairs: Sequence[tuple[str, str]]) -> Question:
    """Check the arguments of a request. Raises :class:`FaultsError`."""
    verbs = [value for name, value in pairs if name == "verb"]
    if len(verbs) != 1 or verbs[0] not in VERBS:
        said = (
            "there is no verb"
            if not verbs
            else "verb stands there twice"
            if len(verbs) > 1
            else f"there is no verb {_shown(verbs[0])}"
        )
        raise FaultsError(Fault("badVerb", f"{said}; verbs are {', '.join(VERBS)}"))
    verb = verbs[0]
    required, optional = VERBS[verb]
    faults: list[Fault] = []
    given: dict[str, str] = {}
    for name, value in pairs:
        if name == "verb":
            continue
        if name in given:
            faults.append(Fault("badArgument", f"{name} stands there twice"))
        elif name not in required | optional:
            faults.append(Fault("badArgument", f"{verb} has no argument {_shown(name)}"))
        elif not value:
            faults.append(Fault("badArgument", f"{name} is empty"))
        elif _ILLEGAL.search(value):
            faults.append(Fault("badArgument", f"{name} has characters that XML does not allow"))
        given.setdefault(name, value)
    if "resumptionToken" in given and "resumptionToken" in optional:
        if len(given) > 1:
            faults.append(Fault("badArgument", "resumptionToken stands alone beside the verb"))
    else:
        faults += [
            Fault("badArgument", f"{name} is missing") for name in sorted(required - given.keys())
        ]
    if not faults:
        faults += _forms(given)
    if faults:
        raise FaultsError(*faults)
    return Question(verb=verb, given=given)


def _forms(given: dict[str, str]) -> list[Fault]:
    faults = []
    if "metadataPrefix" in given and not _PREFIX.fullmatch(given["metadataPrefix"]):
        faults.append(Fault("badArgument", "metadataPrefix has characters it cannot have"))
    if "set" in given and not is_spec(given["set"]):
        faults.append(Fault("badArgument", "set has characters it cannot have"))
    if "identifier" in given and re.search(r"\s", given["identifier"]):
        faults.append(Fault("badArgument", "identifier has white space in it; write + as %2B"))
    dates = {name: given[name] for name in ("from", "until") if name in given}
    wrong = [name for name, value in dates.items() if _moment(value) is None]
    faults += [
        Fault(
            "badArgument",
            f"{name} is not a date as 2026-11-05 or 2026-11-05T10:00:00Z: {_shown(dates[name])}",
        )
        for name in wrong
    ]
    if len(dates) == 2 and not wrong:
        if bool(_DAY.fullmatch(dates["from"])) != bool(_DAY.fullmatch(dates["until"])):
            faults.append(Fault("badArgument", "from and until have different granularity"))
        elif dates["from"] > dates["until"]:
            faults.append(Fault("badArgument", "from is later than until"))
    return faults


def _moment(text: str) -> datetime | None:
    if _DAY.fullmatch(text):
        text += "T00:00:00Z"
    elif not _SECOND.fullmatch(text):
        return None
    try:
        return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except ValueError:
        return None


def first_second(text: str) -> str:
    """The first second of a ``from`` that was checked."""
    return text if "T" in text else text + "T00:00:00Z"


def second_after(text: str) -> str:
    """The second after the last one of an ``until`` that was checked: bounds are inclusive."""
    moment = _moment(text)
    assert moment is not None
    try:
        after = moment + (timedelta(seconds=1) if "T" in text else timedelta(days=1))
    except OverflowError:
        return "9999-12-31T23:59:60Z"  # sorts behind every datestamp
    return f"{after.year:04d}-{after:%m-%dT%H:%M:%SZ}"


def _shown(text: str) -> str:
    clean = _ILLEGAL.sub("?", text)
    return repr(clean if len(clean) <= 60 else clean[:59] + "…")
