"""A catalogue of pycsw's kind, from its address alone and through two phases of its life."""

from __future__ import annotations

import tomllib

from chm_hub.settings import Settings
from demo.hosts.pycsw import SOURCE
from demo.network import Network
from tests.adapters.partners import age, compare, harvest
from tests.running import Hub


def test_a_catalogue_of_pycsw_is_read_whole_and_followed(hub: Hub, settings: Settings) -> None:
    with Network(seed=5) as network:
        hub.source(SOURCE, network.sources()[SOURCE])
        first = harvest(hub, [SOURCE])[SOURCE]
        truth = network.truth()
        assert first["new"] == first["total"] == len(truth[SOURCE].live) > 100
        assert (first["issues"], first["repeated"]) == (0, 0)
        compare(hub.records(), truth, [SOURCE])
        network.advance()
        # Whole each time: its `from` asks for another date than that of the change.
        harvest(hub, [SOURCE])
        age(settings, [SOURCE])
        run = harvest(hub, [SOURCE])[SOURCE]
        assert set(run["warnings"]) <= {"list_begins_again", "missing_at_source"}
        compare(hub.records(), network.truth(), [SOURCE])


def test_its_root_leads_to_its_oai_pmh_in_the_richest_format(hub: Hub) -> None:
    with Network(seed=5) as network:
        url = tomllib.loads(network.sources()[SOURCE])["url"]
        said = hub("sources", "new", "c", "--url", url.partition("?")[0], "--country", "FJ")
    assert said.code == 0, said.err
    declared = tomllib.loads((hub.sources / "c.toml").read_text("utf-8"))
    assert (declared["url"], declared["title"]) == (url, "Maps of an agency")
    assert declared["options"] == {"metadata_prefix": "iso19139"}
