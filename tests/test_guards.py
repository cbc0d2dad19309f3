"""Lists that have no end, whatever protocol they speak, and servers that send us away."""

from __future__ import annotations

import random

import pytest

from chm_hub.document import Json
from demo.server import Answer
from demo.server import Request as Asking
from harvesters import oai_pmh, stac
from tests.adapters.partners import run_of, serving
from tests.running import Hub
from tests.test_tally import PROTOCOLS, SIZE, URL, Asked, List, Protocol, names, walked

OAI = '<OAI-PMH xmlns="http://www.openarchives.org/OAI/2.0/"><{0}>{1}</{0}></OAI-PMH>'


class Shuffled(List):
    """The same few things on every page, in another order each time; as many as there are."""

    def cut(self, start: int) -> list[str]:
        order = random.Random(start)
        return order.sample(names(SIZE), SIZE)


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=PROTOCOLS)
def test_a_page_is_known_again_in_whatever_order_it_comes(protocol: Protocol) -> None:
    listed = Shuffled(names(4_000))
    made = walked(protocol, listed)
    assert sorted(set(made.names)) == names(SIZE)
    assert made.walk.short
    assert len(listed.requests) < 10


def collections(listed: List, path: str, asked: Asked) -> Json:
    """Pages of collections; their links go on for ever where more is announced than there is."""
    start = int(asked.get("token", 0))
    kept = {
        "type": "Collection",
        "stac_version": "1.0.0",
        "description": "All",
        "license": "CC0-1.0",
        "extent": {"spatial": {"bbox": [[0, 0, 1, 1]]}, "temporal": {"interval": [[None, None]]}},
        "links": [],
    }
    following = {"rel": "next", "href": f"collections?token={start + SIZE}"}
    return {
        "collections": [{**kept, "id": name} for name in listed.cut(start)],
        "links": [following] if start + SIZE < len(listed.names) else [],
        "numberMatched": listed.total,
    }


COLLECTIONS = Protocol(
    collections,
    lambda fetch, walk: stac.harvest(
        fetch, walk, stac.Options(url=f"{URL}/collections", what="collections")
    ),
)


def test_collections_are_compared_and_guarded_as_items_are() -> None:
    whole = walked(COLLECTIONS, List(names(20)))
    assert (whole.walk.short, whole.names) == (None, names(20))
    fewer = walked(COLLECTIONS, List(names(10), announced=200))
    assert fewer.walk.short == "the source announced 200 entries and gave 10"
    endless = Shuffled(names(4_000))
    assert "came twice" in str(walked(COLLECTIONS, endless).walk.short)
    assert len(endless.requests) == 2


def sets(listed: List, path: str, asked: Asked) -> bytes:
    """A repository whose list of sets has a token each time, and no set after the first page."""
    inside, verb = "", asked["verb"]
    if verb == "ListSets":
        page = int(asked.get("resumptionToken", 0))
        inside = "".join(f"<set><setSpec>{name}</setSpec></set>" for name in listed.cut(page))
        inside += f"<resumptionToken>{page + 1}</resumptionToken>"
    elif verb == "ListRecords":
        name = f"<identifier>{asked['set']}</identifier>"
        inside = f"<record><header>{name}</header><metadata><dc>x</dc></metadata></record>"
    return OAI.format(verb, inside).encode()


@pytest.mark.parametrize("most", [10_000, 5])
def test_a_list_of_sets_has_an_end(most: int) -> None:
    listed = Shuffled(names(SIZE))
    options = oai_pmh.Options(url=URL, sets=("*",), max_pages=most)
    made = walked(Protocol(sets, lambda f, walk: oai_pmh.harvest(f, walk, options)), listed)
    assert str(made.walk.short).startswith("ListSets: ")
    assert not made.walk.complete
    assert sorted(made.names) == names(SIZE), "what sets it named are walked all the same"
    assert len([asked for asked in listed.requests if asked["verb"] == "ListSets"]) <= 12


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(b"", "text/plain", 429, {"Retry-After": "7200"}), "busy"),
        (Answer(b"no", "text/plain", 403), "http_403"),
    ],
    ids=["later", "closed"],
)
def test_who_sends_us_away_is_not_asked_for_the_next_record(
    hub: Hub, answer: Answer, error: str
) -> None:
    asked: list[str] = []

    def respond(request: Asking) -> Answer:
        told = dict(request.arguments())
        if told["verb"] == "GetRecord":
            asked.append(told["identifier"])
            if len(asked) > 2:
                return answer
            title = '<dc xmlns="http://purl.org/dc/elements/1.1/"><title>T</title></dc>'
            header = f"<header><identifier>{asked[-1]}</identifier></header>"
            inside = f"<record>{header}<metadata>{title}</metadata></record>"
        else:
            inside = "".join(
                f"<header><identifier>{name}</identifier></header>" for name in names(10)
            )
        return Answer(OAI.format(told["verb"], inside).encode(), "text/xml")

    with serving(respond) as url:
        hub.source(
            "o",
            f'title = "O"\nadapter = "oai_pmh"\nurl = "{url}"\n'
            "[options]\ntries = 1\nby_identifier = true\n",
        )
        run = run_of(hub, "o")
    assert asked == names(3)
    assert (run["state"], run["error"], run["new"]) == ("partial", error, 2)
    assert (run["not_before"] is not None) is (error == "busy")
    assert len(hub.records()) == 2
