"""Which country a new source is of, told by its address, its name and its first records.

A proposal for a person: it is made only where all that is surely known agrees. The file's
``country`` reaches every record that names none (decision 20).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chm_hub.addresses import urlsplit
from mappings import place_names

_SHARED = frozenset(
    ("ac", "ai", "bz", "cc", "cd", "co", "cx", "fm", "gg", "gl", "im", "io", "is", "la", "li", "ly")
    + ("me", "ms", "nu", "sc", "sh", "st", "su", "tk", "to", "tv", "vc", "vg", "ws")
)
"""Domains of countries that are sold to all the world: by themselves they tell nothing."""
_OF_ANOTHER_NAME = {"uk": "GB", "eu": "EU"}
_SECOND_LEVEL = frozenset(
    ("ac", "co", "com", "edu", "gob", "go", "gouv", "gov", "gub", "mil", "net", "or", "org", "sci")
)
_NETWORK = ".chm-cbd.net"
"""Bioland's sites: the first part of the name is the code of the country."""
_LONGEST_NAME = 7
"""Words of the longest name of a country that is looked for."""
_LANGUAGES = {
    part[:2]: part[3:]
    for part in str.split(
        "am:ET az:AZ bg:BG cs:CZ da:DK dv:MV dz:BT et:EE fi:FI he:IL hu:HU hy:AM id:ID is:IS ja:JP "
        "ka:GE kk:KZ km:KH ky:KG lo:LA lt:LT lv:LV mk:MK mn:MN mt:MT my:MM ne:NP pl:PL si:LK sk:SK "
        "sl:SI tg:TJ th:TH tk:TM uk:UA uz:UZ vi:VN"
    )
}
"""Languages whose portals are of one country."""
MISSING = (
    'country: not given, so records that name none are in no country\'s set. Write country = "KE" '
    '(ISO 3166-1 alpha-2), or country = "none" if it is not one country\'s.'
)
FEW = 3
"""So many records at least tell where a source is, if all are of one country."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A country for a source's file, or why there is none."""

    country: str | None
    why: str

    def told(self, path: Path) -> str:
        """The proposal in words, with what to do."""
        if self.country:
            return f"country: {self.country}, as {self.why}. Correct the line if it is wrong."
        return f"{path}: {MISSING} ({self.why[:1].upper()}{self.why[1:]}.)"


def propose(
    addresses: Sequence[str],
    names: Sequence[str],
    records: Sequence[tuple[Sequence[str], Sequence[str]]] = (),
) -> Proposal:
    """The country of a source, of its addresses and hosts, of what it calls itself, and of its
    first records (the countries and the languages of each)."""
    found: dict[str, str] = {}
    for host in filter(None, map(_host, addresses)):
        if code := _of_host(host):
            found.setdefault(code, f"its address is {host}")
    for name in names:
        for code in _named(name):
            found.setdefault(code, f"it calls itself {name!r}")
    if not found:
        found = _of_records(records)
    if len(found) == 1:
        ((code, why),) = found.items()
        return Proposal(country=code, why=why)
    if not found:
        return Proposal(country=None, why="nothing in its address, name or first records tells one")
    told = "; ".join(f"{code}: {why}" for code, why in found.items())
    return Proposal(country=None, why=f"several are meant ({told})")


def _host(address: str) -> str:
    address = address.rpartition("@")[2] if "://" not in address else address
    return (urlsplit(address if "://" in address else f"//{address}").hostname or "").lower()


def _of_host(host: str) -> str | None:
    if host.endswith(_NETWORK):
        return _code(host.partition(".")[0])
    parts = host.split(".")
    last = parts[-1]
    if last in _SHARED and not (len(parts) > 2 and parts[-2] in _SECOND_LEVEL):
        last = ""
    if code := _OF_ANOTHER_NAME.get(last) or _code(last):
        return code
    # kiribati-data.sprep.org: a part that is a country's whole name
    words = [word for part in parts[:-1] for word in re.split(r"[^a-z]+", part) if len(word) > 3]
    codes = {code for word in words for code in place_names.countries(word)}
    return codes.pop() if len(codes) == 1 else None


def _code(text: str) -> str | None:
    if len(text) != 2 or not text.isalpha():
        return None
    found = place_names.countries(text.upper())
    return found[0] if found == [text.upper()] else None


def _named(name: str) -> Iterable[str]:
    """The countries whose names stand in a text, the longest first: in "Papua New Guinea" there is
    no Guinea."""
    words = re.findall(r"[^\W_]+(?:['’.-][^\W_]+)*", name)
    found: dict[str, None] = {}
    at = 0
    while at < len(words):
        for length in range(min(_LONGEST_NAME, len(words) - at), 0, -1):
            part = " ".join(words[at : at + length])
            codes = place_names.countries(part) if len(part) > 3 else []
            if len(codes) == 1:
                found[codes[0]] = None
                at += length - 1
                break
        at += 1
    return found


def _of_records(records: Sequence[tuple[Sequence[str], Sequence[str]]]) -> dict[str, str]:
    """The one country that all first records name, or else the one whose language they use."""
    if len(records) < FEW:
        return {}
    named = {code for countries, _ in records for code in countries}
    if len(named) == 1 and all(countries for countries, _ in records):
        return {named.pop(): "its first records name it"}
    used = {language.partition("-")[0] for _, languages in records for language in languages}
    used.discard("en")
    if not named and len(used) == 1 and (code := _LANGUAGES.get(used.pop())):
        return {code: "its first records are in its language"}
    return {}
