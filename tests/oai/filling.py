"""Records in a store, and the endpoint over it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from chm_hub.names import readable
from chm_hub.record import Record, canonical, content_hash, to_dict, validate
from chm_hub.sets import Groups, sets_of
from mappings import formats
from store import Change, Store

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
COUNTRIES = ("KE", "FR", "BR", "CN", "EG", "RU")
TITLES = {
    "en": "Wetlands & <rivers> of region",
    "fr": "Zones humides de la région",
    "es": "Humedales de la región",
    "ar": "الأراضي الرطبة في المنطقة",
    "ru": "Водно-болотные угодья региона",
    "zh": "湿地",
}


def record(number: int, version: int = 1, **more: Any) -> Record:
    """A record with something in every field."""
    native = f"oai:x.example:{number}" if number % 2 else f"{number:05}"
    return validate(
        {
            "identifier": readable("src", native),
            "source": "src",
            "source_identifier": native,
            "type": ("nbsap", "news", "meeting")[number % 3],
            "title": [{"value": f"{t} {number}.{version}", "lang": k} for k, t in TITLES.items()],
            "description": [{"value": "Text\nin two lines ]]> &amp; more"}],
            "url": f"https://x.example/record/{number}?a=1&b=2",
            "language": ["en", "zh-Hans"],
            "spatial": [COUNTRIES[number % 6]],
            "coverage": [{"value": "Lake", "lang": "en"}],
            "subject": [
                {
                    "label": "Forests",
                    "lang": "en",
                    "code": "CBD-SUBJECT-FOR",
                    "scheme": "CBD-SUBJECTS",
                }
            ],
            "creator": [{"name": "Ministry"}],
            "issued": "2024-11",
            "temporal": {"start": "2020", "end": "2030-12-31"},
            "distribution": [
                {"url": "https://x.example/a.pdf", "media_type": "application/pdf", "byte_size": 12}
            ],
            "relation": ["A-1"],
            "same_as": ["doi:10.1/x"],
            "license": "https://creativecommons.org/licenses/by/4.0/" if number % 2 else None,
            "rights": [{"value": "Cite it", "lang": "en"}],
            "treaty": ["cbd"],
            "bbox": (1.5, 2.0, 3.0, 4.0),
            "provenance": {
                "source": "src",
                "base_url": "https://x.example/oai",
                "url": "https://x.example/oai?verb=ListRecords",
                "source_datestamp": "Tue, 05 Mar 2024 08:15:00 +0200",
                "harvested": NOON,
                "crosswalk": "oai_dc",
                "crosswalk_digest": "0" * 16,
                "run": "src/1",
            },
            **more,
        }
    )


def bare(number: int) -> Record:
    """A record with nothing but what every record has."""
    full = to_dict(record(number))
    keep = ("identifier", "source", "source_identifier", "type", "title", "provenance")
    return validate({key: full[key] for key in keep})


def put(
    store: Store, records: list[Record], at: datetime = NOON, groups: Groups | None = None
) -> None:
    """Write records as the pipeline does."""
    known = store.records.look_up([r.identifier for r in records])
    changes = []
    for made in records:
        plain = to_dict(made)
        changes.append(
            Change(
                identifier=made.identifier,
                record=plain,
                hash=content_hash(canonical(plain)),
                sets=tuple(sets_of(made, "", groups)),
                fragments=formats.fragments(made),
                document="d",
                crosswalk="c",
                page="src/1/1",
                index=0,
                was=known.get(made.identifier),
            )
        )
    store.records.put("src", changes, at)


def delete(store: Store, names: list[str], at: datetime) -> None:
    """Delete records as the pipeline does."""
    changes = [
        Change(
            identifier=name,
            record=None,
            hash="",
            sets=known.sets,
            document="d",
            crosswalk="c",
            page="src/1/1",
            index=0,
            was=known,
        )
        for name, known in store.records.look_up(names).items()
    ]
    store.records.put("src", changes, at)


def fill(store: Store, number: int = 250, groups: Groups | None = None) -> None:
    """Records in three seconds of one day, five of them deleted an hour later."""
    for second in range(3):
        some = [record(n) for n in range(number) if n % 3 == second]
        put(store, some, NOON + timedelta(seconds=second), groups)
    names = [record(n).identifier for n in range(0, 50, 10)]
    delete(store, names, NOON + timedelta(hours=1))
