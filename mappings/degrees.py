"""One longitude or latitude as people and programs write it, in degrees (WGS 84)."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from chm_hub.document import Json
from mappings.functions import first, issue, registered, shown

_DIGITS = r"\d{1,3}(?:[.,]\d+)?"
_TEXT = re.compile(
    rf"""(?P<before>[NSEW])?\s*(?P<sign>[-+])?\s*
    (?P<degrees>{_DIGITS})\s*(?:[°º˚*]|deg(?:rees?)?\.?)?
    (?:\s*(?P<minutes>\d{{1,2}}(?:[.,]\d+)?)\s*['m]
       (?:\s*(?P<seconds>\d{{1,2}}(?:[.,]\d+)?)\s*(?:"|''|s\b))?)?
    \s*(?P<after>[NSEW])?""",
    re.VERBOSE | re.IGNORECASE,
)
_SIGNS = str.maketrans(
    {
        **dict.fromkeys("\u2010\u2011\u2013\u2212", "-"),
        **dict.fromkeys("\u00b4\u02b9\u2018\u2019\u2032", "'"),
        **dict.fromkeys("\u02ba\u201c\u201d\u2033", '"'),
    }
)
"""What programs write for a minus, for minutes and for seconds."""
_HEMISPHERES = re.compile(
    r"\b(north|south|east|west|nord|sud|est|ouest|norte|sur|este|oeste|sul|leste)\b", re.IGNORECASE
)
_LETTERS = {
    **dict.fromkeys(("north", "nord", "norte"), "N"),
    **dict.fromkeys(("south", "sud", "sur", "sul"), "S"),
    **dict.fromkeys(("east", "est", "este", "leste"), "E"),
    **dict.fromkeys(("west", "ouest", "oeste"), "W"),
}
_PLAIN = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


def read(text: str) -> float | None:
    """Degrees in a text: decimal, with a point or a comma (`29,5`), or in degrees, minutes and
    seconds (`2°30'N`). South and west are negative. ``None`` for anything else."""
    plain = " ".join(text.translate(_SIGNS).split())
    if _PLAIN.fullmatch(plain):
        made = float(plain)
        return made if math.isfinite(made) else None
    plain = _HEMISPHERES.sub(lambda found: _LETTERS[found[0].lower()], plain)
    found = _TEXT.fullmatch(plain)
    if found is None or (found["before"] and found["after"]):
        return None
    side = (found["before"] or found["after"] or "").upper()
    if side and found["sign"] == "-":
        return None  # west of what, says nobody
    degrees, minutes, seconds = (
        Decimal((found[name] or "0").replace(",", "."))
        for name in ("degrees", "minutes", "seconds")
    )
    if minutes >= 60 or seconds >= 60:
        return None
    made = float(round(degrees + minutes / 60 + seconds / 3600, 9))
    return -made if side in ("S", "W") or found["sign"] == "-" else made


@registered
def degrees(value: Json) -> Json:
    """A longitude or a latitude, in degrees: decimal, or `2°30'S`; south and west are negative.

    >>> degrees('29,5')
    29.5
    """
    said = first(value)
    if isinstance(said, dict):
        said = said.get("value")
    if said in (None, ""):
        return None
    if isinstance(said, int | float) and not isinstance(said, bool):
        return said
    made = read(said) if isinstance(said, str) else None
    if made is None:
        issue(f"not a longitude or latitude: {shown(said)}")
    return made
