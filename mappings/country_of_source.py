"""The country of a source reaches its records wherever a document names none (decision 20).

A national portal seldom says of each page that it is about its own country. The rule is the
crosswalk engine's, so that no crosswalk can forget it. It does not apply where the document names
a country, where the crosswalk says ``country_of_source = false``, or the source's file does.
"""

from __future__ import annotations

from collections.abc import Mapping

from chm_hub.document import Json

KEY = "country_of_source"
"""The key of a crosswalk and of a source's file; true if it is absent."""


def countries(source: Mapping[str, Json], *, wanted: bool) -> list[str]:
    """The countries that a record without any takes from its source: ISO 3166-1 alpha-2, and EU.

    ``wanted`` is what the crosswalk says.
    """
    if not wanted or source.get(KEY) is False:
        return []
    named = [*(source.get("countries") or []), source.get("country")]
    return list(dict.fromkeys(code for code in named if isinstance(code, str) and code != "none"))
