"""What the sets are called, and what views ask of their lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chm_hub.sets import TARGETS, View, set_name
from mappings.tables import concepts, rows

_TREATIES = {
    "cbd": "Convention on Biological Diversity",
    "cartagena": "Cartagena Protocol on Biosafety",
    "nagoya": "Nagoya Protocol on Access and Benefit-sharing",
    "nagoya-kuala-lumpur": "Nagoya – Kuala Lumpur Supplementary Protocol",
}
_SYSTEMS = {
    "chm": "CBD Clearing-House Mechanism",
    "bch": "Biosafety Clearing-House",
    "absch": "Access and Benefit-Sharing Clearing-House",
    "ort": "CBD Online Reporting Tool",
    "national-chm": "National clearing-house mechanisms",
}
_ROOTS = {
    "source": "By source",
    "system": "By family of systems",
    "type": "By type",
    "country": "By country",
    "region": "By region",
    "target": "By global target",
    "treaty": "By treaty",
    "lang": "By language",
    "view": "By view",
}
"""The sets that hold the others, and so every record that is in one of them."""
_SAID = {
    "source": "Records harvested from one source",
    "system": "Records of one family of systems",
    "type": "Records of one type, whatever their source",
    "country": "Records that concern one country",
    "region": "Records that concern a country of this group",
    "target": "Records about one global goal or target",
    "treaty": "Records under one treaty",
    "lang": "Records in one language, or described in it",
}


@dataclass(frozen=True, slots=True)
class Names:
    """Names and descriptions of sets, from tables and files."""

    names: Mapping[str, str]
    views: Mapping[str, View]

    def name(self, spec: str) -> str:
        """A set's ``setName``."""
        return set_name(spec, self.names)

    def description(self, spec: str) -> str:
        """What a set holds, in a sentence."""
        if spec in self.views:
            view = self.views[spec]
            return view.description or f"A view: {view.title}"
        if spec in _ROOTS:
            return f"All records that are in a set {spec}:…"
        kind, _, value = spec.partition(":")
        said = _SAID.get(kind, "Records")
        if kind == "country" and ":" in value:
            said = "Records of one type that concern one country"
        return f"{said}: {self.name(spec)}"


def names(views: tuple[View, ...], sources: Mapping[str, str]) -> Names:
    """The names there are; ``sources`` are the sources' titles by identifier."""
    made = dict(_ROOTS) | {f"source:{name}": title for name, title in sources.items()}
    made |= {f"system:{name}": title for name, title in _SYSTEMS.items()}
    made |= {f"treaty:{name}": title for name, title in _TREATIES.items()}
    made |= {f"region:{row['code']}": row["label_en"] for row in rows("regional_groups")}
    for scheme in TARGETS:
        made |= {f"target:{row['code']}": row["label_en"] for row in concepts(scheme).values()}
    made |= {view.spec: view.title for view in views}
    return Names(made, {view.spec: view for view in views})
