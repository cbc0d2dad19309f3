"""Views: what a partner declares, and what its harvesters get."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sickle import Sickle

from chm_hub import views, web
from chm_hub.record import validate
from chm_hub.sets import Groups, View, sets_of
from chm_hub.settings import Settings
from store import Store
from tests.oai.filling import fill, put, record
from tests.running import Hub

PACIFIC = """\
title = "Africa and France: strategies and news"
description = "For the test's own partner."
regions = ["africa"]
countries = ["FR"]
types = ["nbsap", "news"]
formats = ["oai_dc"]
page_size = 7
"""


def test_a_record_is_in_the_sets_of_all_that_it_says() -> None:
    made = record(
        0,
        spatial=["KE", "FJ"],
        subject=[
            {"label": "T3", "code": "GBF-TARGET-03", "scheme": "GBF-TARGETS"},
            {"label": "A11", "code": "AICHI-TARGET-11", "scheme": "AICHI-TARGETS"},
            {"label": "Forests", "code": "CBD-SUBJECT-FOR", "scheme": "CBD-SUBJECTS"},
        ],
    )
    groups = Groups(regions=views.groups_of_countries(), views=())
    sets = sets_of(made, "chm", groups)
    assert len(sets) == len(set(sets))
    parents = {spec.rpartition(":")[0] for spec in sets} - {""}
    assert parents <= set(sets), "a hierarchy has no holes (OAI-PMH 2.0 §2.6)"
    assert {
        "system:chm",
        "type:nbsap",
        "country:KE",
        "country:KE:nbsap",
        "country:FJ:nbsap",
        "region:africa",
        "region:sprep",
        "target:GBF-TARGET-03",
        "target:AICHI-TARGET-11",
        "treaty:cbd",
        "lang:zh",
    } <= set(sets)
    assert not any("CBD-SUBJECT" in spec for spec in sets)


@pytest.mark.parametrize(
    ("chosen", "held"),
    [
        ({"countries": {"KE"}}, True),
        ({"countries": {"FJ"}}, False),
        ({"countries": {"FJ", "KE"}, "types": {"news"}}, False),
        ({"subjects": {"CBD-SUBJECT-FOR"}, "languages": {"zh"}}, True),
        ({"targets": {"GBF-TARGET-03"}}, False),
        ({"sources": {"src"}, "systems": {"chm"}}, True),
        ({"systems": {"bch"}}, False),
        ({"treaties": {"cbd"}}, True),
    ],
)
def test_a_view_holds_what_fits_every_line(chosen: dict[str, set[str]], held: bool) -> None:
    view = View(name="x", title="X", **{k: frozenset(v) for k, v in chosen.items()})  # type: ignore[arg-type]
    assert view.holds(record(0), "chm") is held


@pytest.mark.parametrize(
    ("since", "held"), [("2024", True), ("2024-11", True), ("2024-12", False), ("2025", False)]
)
def test_a_view_since_a_day_goes_by_the_records_own_date(since: str, held: bool) -> None:
    view = View(name="x", title="X", since=since)
    assert view.holds(record(0), "") is held  # issued 2024-11
    assert not view.holds(record(0, issued=None), "")


def test_every_mistake_of_every_view_is_named_at_once(hub: Hub, tmp_path: Path) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    (folder / "Bad Name.toml").write_text('title = "x"\ncountries = ["KE"]\n')
    (folder / "a.toml").write_text('countries = ["XX"]\nregions = ["atlantis"]\npage_size = 0\n')
    (folder / "b.toml").write_text(
        'title = "x"\ncountries = ["XX"]\nregions = ["atlantis"]\ntargets = ["gbf-target-03"]\n'
        'formats = ["marc"]\nlanguages = ["French"]\n'
    )
    (folder / "c.toml").write_text('title = "everything"\n')
    (folder / "d.toml").write_text("title = \n")
    said = hub("views", "check", CHM_HUB_VIEWS=str(folder))
    assert said.code == 2
    for part in (
        "Bad Name.toml: the file's name",
        "a.toml: title: is missing",
        "a.toml: page_size",
        "b.toml: countries: there is no 'XX'",
        "b.toml: regions: there is no 'atlantis'; there are acto, africa",
        "b.toml: targets: there is no 'gbf-target-03'; is GBF-TARGET-03 meant?",
        "b.toml: formats: there is no 'marc'",
        "b.toml: languages: not a language code",
        "c.toml: file: nothing is chosen",
        "d.toml: not valid TOML",
    ):
        assert part in said.err, (part, said.err)


def test_a_regional_hubs_errand(hub: Hub, store: Store, settings: Settings, tmp_path: Path) -> None:
    fill(store)
    folder = hub.data / "views"
    folder.mkdir()
    path = folder / "partner.toml"
    path.write_text(PACIFIC)
    said = hub("views", "apply", "--json")
    assert said.code == 0, said.err
    members = {"KE", "EG", "FR"}
    wanted = {
        f"oai:hub.test:{stored.identifier}"
        for stored in store.records.read()
        if not stored.deleted
        and set(stored.record["spatial"]) & members
        and stored.record["type"] in ("nbsap", "news")
    }
    assert said.lines[0]["changed"] >= len(wanted)
    assert hub("views", "apply", "--json").lines[0]["changed"] == 0, "twice is once"
    (listed,) = hub("views", "list", "--json").lines
    assert (listed["set"], listed["records"]) == ("view:partner", len(wanted))

    with web.Background(_with_views(settings, folder), "127.0.0.1", 0, store) as server:
        client = Sickle(f"http://127.0.0.1:{server.port}/oai")
        held = {
            r.header.identifier
            for r in client.ListRecords(set="view:partner", metadataPrefix="oai_dc")
        }
        assert held == wanted
        sets = {s.setSpec: s.setName for s in client.ListSets()}
        assert sets["view:partner"] == "Africa and France: strategies and news"
        # One comes, one changes so that it does not fit any more, one is edited.
        later = datetime.now(UTC) + timedelta(hours=1)
        before = f"{later - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
        groups = views.groups(_with_views(settings, folder))
        numbers = {name: n for n in range(250) if (name := record(n).identifier)}
        some = sorted(name.removeprefix("oai:hub.test:") for name in wanted)[:2]
        leaver = record(numbers[some[0]], 2, spatial=["BR"])
        edited = record(numbers[some[1]], 2)
        new = record(9000, 1, spatial=["KE"], type="nbsap")
        put(store, [leaver, edited, new], later, groups)
        told = {
            r.header.identifier.removeprefix("oai:hub.test:"): r.header.deleted
            for r in client.ListRecords(
                set="view:partner", metadataPrefix="oai_dc", **{"from": before}
            )
        }
        assert told == {some[0]: True, some[1]: False, new.identifier: False}
        # A view that is changed: who leaves is told to go.
        path.write_text(PACIFIC.replace('regions = ["africa"]\n', ""))
        assert hub("views", "apply", "--json").code == 0
        gone = {
            r.header.identifier: r.header.deleted
            for r in client.ListRecords(set="view:partner", metadataPrefix="oai_dc")
        }
        live = {name for name, deleted in gone.items() if not deleted}
        assert live == {
            f"oai:hub.test:{stored.identifier}"
            for stored in store.records.read()
            if not stored.deleted
            and "FR" in stored.record["spatial"]
            and stored.record["type"] in ("nbsap", "news")
        }
        assert held - live <= {name for name, deleted in gone.items() if deleted}


def _with_views(settings: Settings, folder: Path) -> Settings:
    return replace(settings, views=(folder,))


def test_a_view_fixes_its_formats_and_its_page_size(
    store: Store, settings: Settings, tmp_path: Path
) -> None:
    folder = tmp_path / "views"
    folder.mkdir()
    (folder / "partner.toml").write_text(PACIFIC)
    chosen = views.groups(_with_views(settings, folder))
    put(store, [record(n) for n in range(60)], groups=chosen)
    client = web.create_app(_with_views(settings, folder), store).test_client()
    first = client.get("/oai?verb=ListRecords&metadataPrefix=oai_dc&set=view:partner").text
    assert first.count("<record>") == 7
    assert (
        "cannotDisseminateFormat"
        in client.get("/oai?verb=ListRecords&metadataPrefix=chm&set=view:partner").text
    )


def test_the_record_still_reads_back(store: Store) -> None:
    put(store, [record(1)])
    stored = store.records.get(record(1).identifier)
    assert stored is not None
    assert validate(stored.record) == record(1)
