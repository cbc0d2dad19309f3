"""Whether a record says what it is: a record that nobody can tell from another is not published."""

from __future__ import annotations

from collections.abc import Mapping

from chm_hub.record import Record

NO_TITLE = "no title"
"""Why a document is set aside of which no record with a name can be made."""
_BY_SYMBOL = ("same_as",)
_BY_PERSON = ("creator", "contributor")
_BY_TEXT = ("description",)
OTHER_NAMES: Mapping[str, tuple[str, ...]] = {
    # Papers of the Convention are called by their symbol.
    **dict.fromkeys(("statement", "decision", "notification", "submission"), _BY_SYMBOL),
    **dict.fromkeys(("meeting", "permit", "riskAssessment"), _BY_SYMBOL),
    **dict.fromkeys(("organism", "modifiedOrganism", "dnaSequence"), _BY_SYMBOL),
    **dict.fromkeys(("contact", "expert", "focalPoint", "organization", "authority"), _BY_PERSON),
    # RSS 2.0 wants a title or a description of an item; short messages have only the second.
    **dict.fromkeys(("news", "event"), _BY_TEXT),
}
"""By record type: the fields that name a record which has no title."""


def is_named(record: Record) -> bool:
    """Whether a record has a title, or another name that its type allows."""
    others = OTHER_NAMES.get(record.type, ())
    return any(text.value.strip() for text in record.title) or any(
        getattr(record, name) for name in others
    )
