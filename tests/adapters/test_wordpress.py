"""WordPress portals: replicas through their lives, and portals that misbehave."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chm_hub.settings import Settings
from demo.network import Network
from demo.server import Answer, Request
from tests.adapters.partners import run_of, serving
from tests.adapters.portals import live_through
from tests.running import Hub

NAMES = tuple(f"demo-wordpress-{code}" for code in ("cm", "jm", "pe", "id", "jo"))
JSON = "application/json; charset=UTF-8"
HTML_404 = Answer(b"<!DOCTYPE html><title>Page not found</title>", "text/html", 404)


@pytest.mark.slow
def test_portals_through_their_lives(hub: Hub, settings: Settings) -> None:
    with Network(seed=7) as network:
        records = live_through(hub, network, settings, NAMES, asked=True, most=7)
        plain = [s.target for s in network.requests if s.replica == "wordpress-jm"]
        pretty = [s.target for s in network.requests if s.replica == "wordpress-pe"]
    live = [r for r in records.values() if not r["deleted"]]
    assert not any("localhost" in json.dumps(r) for r in live), "guids are not to be relied on"
    assert all(r["url"].startswith("https://chm-") for r in live)
    # Plain addresses are found out once and remembered.
    assert 1 <= sum(target.startswith("/wp-json") for target in plain) <= 4, "tries of one list"
    assert all(target.startswith("/wp-json/wp/v2/") for target in pretty)
    assert {lang for r in live for lang in r["language"]} == {"fr", "en", "es", "ar"}
    for source, langs in (("cm", {"fr", "en"}), ("jo", {"ar"}), ("pe", {"es"})):
        mine = [r for r in live if r["source"] == f"demo-wordpress-{source}"]
        assert {r["title"][0]["lang"] for r in mine} == langs
        assert len({r["type"] for r in mine}) == 7
    assert all("Continue reading" not in json.dumps(r["description"]) for r in live)
    assert not any("&#" in json.dumps(r) or "&amp;" in json.dumps(r["title"]) for r in live)
    files = [d for r in live for d in r["distribution"]]
    assert {d["media_type"] for d in files} == {"application/pdf", "image/jpeg"}
    assert {d.get("title") for d in files} == {"PDF & maps", None}


# --- hosts of our own --------------------------------------------------------------------


def source(url: str, options: str = "", languages: str = '["en"]') -> str:
    return (
        f'title = "W"\nadapter = "wordpress"\nurl = "{url}"\ncountry = "JM"\n'
        f"languages = {languages}\n[options]\ntries = 1\n{options}\n"
    )


def entry(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "date_gmt": "2025-01-08T17:50:00",
        "modified_gmt": "2025-01-09T10:00:00",
        "guid": {"rendered": f"http://localhost:8084/?p={number}"},
        "status": "publish",
        "link": f"https://w.example.org/{number}/",
        "title": {"rendered": f"Entry {number}"},
        "content": {"rendered": "<p>Text</p>", "protected": False},
        "excerpt": {"rendered": "<p>Text</p>", "protected": False},
        **more,
    }


def told(value: Any, status: int = 200, **headers: str) -> Answer:
    named = {f"X-WP-{name}": text for name, text in headers.items()}
    return Answer(json.dumps(value).encode(), JSON, status, named)


def error(status: int, code: str) -> Answer:
    return told({"code": code, "message": "Sorry.", "data": {"status": status}}, status)


END = error(400, "rest_post_invalid_page_number")


def cut(rows: list[dict[str, Any]], request: Request, *, total: int | None = None) -> Answer:
    """A page of a list as WordPress gives it."""
    asked = dict(request.arguments())
    size, page = int(asked["per_page"]), int(asked["page"])
    last = -(-len(rows) // size)
    if page > max(last, 1):
        return END
    shown = rows[(page - 1) * size : page * size]
    return told(
        shown, Total=str(len(rows) if total is None else total), TotalPages=str(max(last, 1))
    )


Hosts = dict[str, Callable[[Request], Answer]]


def harvested(hub: Hub, hosts: Hosts, options: str, languages: str = '["en"]') -> dict[str, Any]:
    """Harvest some hosts, each under a path of its own; their runs."""
    with serving(lambda request: hosts[request.path.split("/")[1]](request)) as url:
        for name in hosts:
            hub.source(name, source(f"{url}/{name}", options, languages))
        return {run["source"]: run for run in hub("harvest", *hosts, "--json").lines}


def test_lists_that_misbehave(hub: Hub) -> None:
    rows = [entry(n) for n in range(1, 8)]
    bare = Answer(b"\xef\xbb\xbf" + json.dumps(rows[:3]).encode(), JSON)
    odd: list[Any] = [*rows[:5], {"title": {"rendered": "no number"}}, entry(9, id=True)]

    def headless(request: Request) -> Answer:
        # A cache between has lost the headers: a full page may be the last.
        page = int(dict(request.arguments())["page"])
        return END if page > 2 else told(rows[(page - 1) * 3 : page * 3])

    def twice(request: Request) -> Answer:
        # The server knows no order; what it gave on the first page comes on the second.
        page = int(dict(request.arguments())["page"])
        return told([rows[:3], rows[1:4], rows[3:6]][page - 1], Total="9", TotalPages="3")

    def alternates(request: Request) -> Answer:
        page = int(dict(request.arguments())["page"])
        return told(rows[:3] if page % 2 else rows[3:6], Total="900", TotalPages="300")

    hosts: Hosts = {
        "whole": lambda request: cut(rows, request),
        "fewer": lambda request: cut(rows, request, total=12),
        "headless": headless,
        "bom": lambda request: bare if "page=1" in request.query else END,
        "stuck": lambda request: told(rows[:3], Total="7", TotalPages="3"),
        "twice": twice,
        "alternates": alternates,
        "empty": lambda request: told([], Total="0", TotalPages="0"),
        "odd": lambda request: told(odd, Total="7", TotalPages="1"),
        "object": lambda request: told({"posts": []}),
        "wrong": lambda request: error(400, "rest_invalid_param"),
        "down": lambda request: Answer(b"", "text/plain", 500),
    }
    runs = harvested(hub, hosts, 'types = ["posts"]\nper_page = 3')
    assert {name: (run["state"], run["error"], run["new"]) for name, run in runs.items()} == {
        "whole": ("complete", None, 7),
        "fewer": ("partial", None, 7),
        "headless": ("complete", None, 6),
        "bom": ("complete", None, 3),
        "stuck": ("partial", None, 3),
        "twice": ("partial", None, 6),
        "alternates": ("partial", None, 6),
        "empty": ("complete", None, 0),
        "odd": ("failed", None, 5),
        "object": ("failed", "no_list", 0),
        "wrong": ("failed", "refused_question", 0),
        "down": ("failed", "http_500", 0),
    }
    assert "announced 12 entries and gave 7" in runs["fewer"]["reason"]
    assert runs["twice"]["warnings"] == {"identifier_twice": 3}
    assert runs["alternates"]["requests"] == 3
    assert runs["odd"]["quarantined"] == 2


def test_half_a_character_in_an_entry_costs_it_that_half(hub: Hub) -> None:
    odd = {"rendered": '<p>A\ud83d <a href="/\ud83d.pdf">B\ud83d</a></p>', "protected": False}
    rows = [entry(1), entry(2, content=odd, title={"rendered": "T\ud83d"}), entry(3)]
    made = harvested(hub, {"odd": lambda request: cut(rows, request)}, 'types = ["posts"]')["odd"]
    assert (made["new"], made["error"]) == (3, None)
    assert "title: illegal characters removed" in hub("runs", "odd").out


def test_an_api_that_is_switched_off_says_what_to_use(hub: Hub) -> None:
    home = Answer(b"<!DOCTYPE html><title>Home</title>", "text/html")
    challenge = Answer(b"<!DOCTYPE html><title>Just a moment...</title>", "text/html", 403)
    hosts: Hosts = {
        "off": lambda request: HTML_404,
        "home": lambda request: home,
        "json": lambda request: error(404, "rest_no_route"),
        "login": lambda request: error(401, "rest_not_logged_in"),
        "closed": lambda request: error(403, "rest_forbidden"),
        "wall": lambda request: Answer(b"<!DOCTYPE html><title>No</title>", "text/html", 403),
        "challenge": lambda request: challenge,
    }
    runs = harvested(hub, hosts, "")
    reasons = {name: run["error"] for name, run in runs.items()}
    assert reasons == {**dict.fromkeys(hosts, "no_api"), "challenge": "challenge"}
    for name in hosts.keys() - {"challenge"}:
        assert 'adapter = "feed"' in runs[name]["reason"], name
        assert f"/{name}/feed/" in runs[name]["reason"], name
    asked = {name: run["requests"] for name, run in runs.items()}
    # One list is asked for at both addresses that the API may have. Where it is WordPress that
    # refuses, each of both types is, at one; a shut door is not knocked at again.
    # Both types are asked for, under both forms of address: one list that is dead costs no other.
    assert asked["off"] == asked["home"] == 4
    assert asked["json"] == asked["login"] == asked["closed"] == 2
    assert asked["wall"] == asked["challenge"] == 1


def test_a_type_that_is_not_there_does_not_cost_the_others(hub: Hub) -> None:
    rows = [entry(n) for n in range(1, 4)]
    alone = {"away": False}

    def respond(request: Request) -> Answer:
        kind = request.path.rpartition("/")[2]
        if kind.isdigit():
            return error(404, "rest_no_route")
        if kind == "events" and not alone["away"]:
            return cut([entry(n + 50) for n in range(3)], request)
        return cut(rows, request) if kind == "posts" else error(404, "rest_no_route")

    with serving(respond) as url:
        hub.source("w", source(url, 'types = ["posts", "events"]'))
        assert run_of(hub, "w")["new"] == 6
        alone["away"] = True
        run = run_of(hub, "w", "--full")
    assert (run["state"], run["deleted"]) == ("complete_with_warnings", 0)
    assert run["warnings"] == {"type_missing: events": 1}
    assert len(hub.records()) == 6, "a plugin that is off for an afternoon deletes nothing"


def test_all_types_of_a_portal_can_be_asked_for(hub: Hub) -> None:
    asked: list[str] = []
    types = {
        "post": {"slug": "post", "rest_base": "posts", "rest_namespace": "wp/v2"},
        "law": {"slug": "law", "rest_base": "laws"},
        "attachment": {"slug": "attachment", "rest_base": "media", "rest_namespace": "wp/v2"},
        "wp_block": {"slug": "wp_block", "rest_base": "blocks", "rest_namespace": "wp/v2"},
        "shop": {"slug": "shop", "rest_base": "orders", "rest_namespace": "shop/v3"},
    }

    def respond(request: Request) -> Answer:
        kind = request.path.rpartition("/")[2]
        asked.append(kind)
        if kind == "types":
            return told(types)
        return cut([entry({"posts": 1, "laws": 2}[kind])], request)

    with serving(respond) as url:
        hub.source("w", source(url, 'types = ["*"]'))
        assert run_of(hub, "w")["new"] == 2
        assert asked == ["types", "posts", "laws"]
        assert run_of(hub, "w")["requests"] == 6, "what types there are is remembered"
    records = {r["source_identifier"]: r["type"] for r in hub.records().values()}
    assert records == {"posts-1": "news", "laws-2": "law"}


def test_only_wordpress_itself_says_what_is_gone(hub: Hub) -> None:
    alone = {
        "deleted": error(404, "rest_post_invalid_id"),
        "withdrawn": error(401, "rest_forbidden"),
        "private": error(403, "rest_forbidden"),
        "there": told(entry(9)),
        "unplugged": error(404, "rest_no_route"),
        "shut": error(401, "rest_not_logged_in"),
        "page": HTML_404,
        "down": Answer(b"", "text/plain", 503),
        "odd": told(["gone"], 404),
    }
    now = [entry(n) for n in range(1, 10)]

    def respond(request: Request) -> Answer:
        _, name, *_, last = request.path.split("/")
        return alone[name] if last.isdigit() else cut(now, request)

    with serving(respond) as url:
        for name in alone:
            hub.source(name, source(f"{url}/{name}", 'types = ["posts"]'))
        hub("harvest", *alone, "--json")
        del now[-1]
        runs = {run["source"]: run for run in hub("harvest", *alone, "--full", "--json").lines}
    records = hub.records()
    gone = {name for name in alone if f"{name}/posts-9" not in records}
    assert gone == {"deleted", "withdrawn", "private"}
    assert {name for name, run in runs.items() if run["deleted"]} == gone


def test_an_entry_stays_itself_when_the_portal_moves(hub: Hub) -> None:
    """As seen in Jamaica: entries were written on a machine of the editors'."""
    rows = [
        entry(1, guid={"rendered": "http://localhost:8084/?p=1"}),
        entry(2, guid={"rendered": "http://localhost:8084/?p=1"}),
    ]
    with serving(lambda request: cut(rows, request)) as url:
        hub.source("w", source(url, 'types = ["posts"]'))
        assert run_of(hub, "w")["new"] == 2, "what has the same guid is not the same"
        rows = [
            entry(n, guid={"rendered": f"https://new.example.org/?p={n}"}, link=f"/new/{n}/")
            for n in (1, 2)
        ]
        run = run_of(hub, "w", "--full")
    assert (run["new"], run["changed"], run["deleted"]) == (0, 2, 0)
    records = {r["source_identifier"]: r["url"] for r in hub.records().values()}
    assert records == {f"posts-{n}": f"{url}/new/{n}/" for n in (1, 2)}


def test_an_entry_that_gets_a_password_is_withdrawn(hub: Hub) -> None:
    rows = [entry(1), entry(2)]
    with serving(lambda request: cut(rows, request)) as url:
        hub.source("w", source(url, 'types = ["posts"]'))
        assert run_of(hub, "w")["new"] == 2
        rows[0] = entry(1, content={"rendered": "", "protected": True})
        assert run_of(hub, "w")["skipped"] == 1
    assert [r["source_identifier"] for r in hub.records().values()] == ["posts-2"]


def test_languages_of_plugins_that_keep_entries_apart(hub: Hub) -> None:
    by_lang = {"en": [entry(1), entry(4)], "fr": [entry(2), entry(3), entry(5)]}
    hosts: Hosts = {
        "query": lambda request: cut(by_lang[dict(request.arguments())["lang"]], request),
        "prefix": lambda request: cut(by_lang[request.path.split("/")[2]], request),
    }
    for way in hosts:
        options = f'types = ["posts"]\nper_page = 2\nlanguages_by = "{way}"'
        runs = harvested(hub, {way: hosts[way]}, options, '["en", "fr"]')
        assert (runs[way]["state"], runs[way]["new"]) == ("complete", 5)
    for record in hub.records().values():
        lang = "en" if record["source_identifier"] in ("posts-1", "posts-4") else "fr"
        assert record["language"] == [lang]
        assert record["title"][0]["lang"] == lang


def test_languages_of_plugins_that_translate_entries(hub: Hub) -> None:
    own = [entry(n) for n in range(1, 8)]
    # Half of them are translated; what is not is left out, so that pages are cut elsewhere.
    french = [
        entry(n, title={"rendered": f"Entrée {n}"}, link=f"https://w.example.org/fr/{n}/")
        for n in (2, 4, 6, 7)
    ]
    # Here what is not translated comes in the portal's own language.
    filled = [next((f for f in french if f["id"] == row["id"]), row) for row in own]
    many = [entry(n) for n in range(1, 16)]

    def answers(lists: dict[str, list[dict[str, Any]]]) -> Callable[[Request], Answer]:
        return lambda request: cut(lists[dict(request.arguments())["lang"]], request)

    hosts = {
        "left_out": answers({"en": own, "fr": french}),
        "filled": answers({"en": own, "fr": filled}),
        "deaf": answers({"en": many, "fr": many}),
    }
    options = 'types = ["posts"]\nper_page = 3\nlanguages_by = "query"'
    runs = harvested(hub, hosts, options, '["en", "fr"]')
    assert runs["left_out"]["state"] == runs["filled"]["state"] == "complete"
    assert not any(run["changed"] for run in runs.values())
    for name in ("left_out", "filled"):
        records = {r["source_identifier"]: r for r in hub.records("--source", name).values()}
        assert set(records) == {f"posts-{n}" for n in range(1, 8)}
        for n in range(1, 8):
            expected = [{"value": f"Entry {n}", "lang": "en"}]
            if n in (2, 4, 6, 7):
                expected.append({"value": f"Entrée {n}", "lang": "fr"})
            assert records[f"posts-{n}"]["title"] == expected, (name, n)
    assert all(len(r["title"]) == 1 for r in hub.records("--source", "deaf").values())


def test_a_portal_that_is_deaf_to_languages_is_told_of(hub: Hub) -> None:
    many = [entry(n) for n in range(1, 16)]
    hosts: Hosts = {"deaf": lambda request: cut(many, request)}
    options = 'types = ["posts"]\nlanguages_by = "query"'
    runs = harvested(hub, hosts, options, '["en", "fr"]')
    assert (runs["deaf"]["state"], runs["deaf"]["new"]) == ("complete_with_warnings", 15)
    assert runs["deaf"]["warnings"] == {"languages_alike: fr": 1}


def test_languages_are_told_by_entries_and_their_addresses(hub: Hub) -> None:
    def respond(request: Request) -> Answer:
        at = f"http://127.0.0.1:{request.port}" if request.port else "https://w.example.org"
        rows = [
            entry(1, lang="fr"),
            entry(2, wpml_current_locale="fr_FR"),
            entry(3, link=f"{at}/chm/fr/tout/"),
            entry(4, link=f"{at}/chm/tout/"),
            entry(5, lang="pt-BR"),
        ]
        return cut(rows, request)

    with serving(respond) as url:
        hub.source("w", source(f"{url}/chm", 'types = ["posts"]', '["en", "fr"]'))
        assert run_of(hub, "w")["new"] == 5
    langs = {r["source_identifier"]: r["title"][0].get("lang") for r in hub.records().values()}
    assert langs == {
        "posts-1": "fr",
        "posts-2": "fr",
        "posts-3": "fr",
        "posts-4": None,
        "posts-5": "pt-BR",
    }


def test_what_changed_is_asked_for_with_an_overlap(hub: Hub) -> None:
    asked: list[dict[str, str]] = []

    def respond(request: Request) -> Answer:
        asked.append(dict(request.arguments()))
        return cut([entry(1)], request)

    with serving(respond) as url:
        hub.source("w", source(url))
        run_of(hub, "w")
        run = run_of(hub, "w")
    assert not any({"after", "modified_after"} & set(a) for a in asked[:2])
    recent = [sorted({"after", "modified_after"} & set(a)) for a in asked[2:]]
    assert recent == [["modified_after"], ["after"], []] * 2, "for posts, and for pages"
    assert run["started"][:19] > asked[2]["modified_after"] > "2020"
    assert run["started"][:19] > asked[3]["after"] > "2020"
    assert [(a["orderby"], a["order"]) for a in asked[-3:]] == [
        ("id", "asc"),
        ("id", "asc"),
        ("id", "desc"),
    ]
    assert all(a["_embed"] == "wp:term,wp:featuredmedia" for a in asked), "and not the author"


# --- what is new -------------------------------------------------------------------------


class Library:
    """A portal's posts, asked for as WordPress 6 answers: by date of change, by date of
    publication, by number."""

    def __init__(self) -> None:
        self.rows = [self.post(n) for n in range(100, 130)]

    def post(self, number: int, date: str = "2025-01-08", modified: str = "") -> dict[str, Any]:
        return entry(
            number, date_gmt=f"{date}T17:50:00", modified_gmt=f"{modified or date}T17:50:00"
        )

    def __call__(self, request: Request) -> Answer:
        asked = dict(request.arguments())
        rows = sorted(self.rows, key=lambda row: row["id"], reverse=asked["order"] == "desc")
        for name, key in (("modified_after", "modified_gmt"), ("after", "date_gmt")):
            if name in asked:
                rows = [row for row in rows if row[key] > asked[name]]
        return cut(rows, request)


def today() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%d")


def names(hub: Hub) -> set[int]:
    return {int(r["source_identifier"].rpartition("-")[2]) for r in hub.records().values()}


def test_scheduled_backdated_and_imported_entries_are_seen_by_ordinary_runs(hub: Hub) -> None:
    library = Library()
    with serving(library) as url:
        hub.source("w", source(url, 'types = ["posts"]\nper_page = 10'))
        assert run_of(hub, "w")["new"] == 30
        quiet = run_of(hub, "w")
        assert (quiet["new"], quiet["changed"], quiet["requests"]) == (0, 0, 3)
        library.rows += [
            library.post(90, today(), "2025-01-01"),  # scheduled long ago, public today
            library.post(140, "1999-05-06"),  # published today under an old date
            *(library.post(n, "2005-05-06") for n in range(200, 245)),  # imported, with their dates
            library.post(150, today()),
        ]
        run = run_of(hub, "w")
        assert (run["state"], run["new"], run["issues"]) == ("complete", 48, 0)
        assert {90, 140, 150, *range(200, 245)} <= names(hub)
        assert not run["warnings"], "what two questions give is not twice in a list"
        again = run_of(hub, "w")
        assert (again["new"], again["changed"], again["requests"]) == (0, 0, 3)


def test_an_import_into_free_numbers_is_seen_by_how_many_there_are(hub: Hub) -> None:
    library = Library()
    with serving(library) as url:
        hub.source("w", source(url, 'types = ["posts"]'))
        run_of(hub, "w")
        library.rows += [library.post(n, "2005-05-06") for n in range(1, 20)]
        assert run_of(hub, "w")["new"] == 19
        assert run_of(hub, "w")["requests"] == 3
        # Fewer are no reason to read all: what is gone shows in the next whole walk.
        del library.rows[:5]
        assert run_of(hub, "w")["requests"] == 3
    assert len(names(hub)) == 49


def test_new_entries_are_seen_in_every_language_that_is_asked_for(hub: Hub) -> None:
    lists = {"en": Library(), "fr": Library()}
    lists["fr"].rows = [library_row for library_row in lists["fr"].rows[:7]]
    with serving(lambda request: lists[dict(request.arguments())["lang"]](request)) as url:
        options = 'types = ["posts"]\nlanguages_by = "query"'
        hub.source("w", source(url, options, '["en", "fr"]'))
        assert run_of(hub, "w")["new"] == 30
        lists["en"].rows.append(lists["en"].post(200, "1999-01-01"))
        lists["fr"].rows.append(lists["fr"].post(201, "1999-01-01"))
        run = run_of(hub, "w")
    assert (run["state"], run["new"]) == ("complete", 2)
    found = {r["source_identifier"]: r["language"] for r in hub.records().values()}
    assert (found["posts-200"], found["posts-201"]) == (["en"], ["fr"])
