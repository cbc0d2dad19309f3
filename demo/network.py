"""The demonstration network: every replica behind one address on loopback."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from types import TracebackType
from typing import Self
from xml.sax.saxutils import escape

from adapters.source import template
from demo import campus, feeds, hosts, life
from demo.feeds import Feed
from demo.hosts import Expectation, Told, Truth
from demo.oai import Repository
from demo.oai_records import BULLETIN, REGIONAL, Holdings
from demo.phrases import UN_LANGUAGES, country
from demo.scbd import Archive
from demo.server import HOST, Answer, Request, Server

REALMS = {"demo-chm": "CHM", "demo-bch": "BCH", "demo-absch": "ABS", "demo-ort": "ORT"}
"""The clearing-houses' sources, and the realm each of them is."""
_LANGUAGES = [*UN_LANGUAGES, "pt", "sw", "ja"]
_REGIONAL_SIZE, _REGIONAL_GONE = 400, 12
_BULLETIN_SIZE, _BULLETIN_GONE = 60, 3
_CAMPUS_SIZE, _CAMPUS_GONE = 80, 2


def now() -> datetime:
    """The clock on the wall, in UTC."""
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Seen:
    """One request that came in."""

    replica: str
    """``demo-oai``, ``demo-oai-days``, ``demo-oai-campus``, ``scbd``, ``demo-rss``,
    ``demo-atom``, ``demo-rdf`` or the name of a host; empty for other addresses."""
    method: str
    target: str
    """Path and query."""
    status: int
    body: bytes
    at: float
    """When it came, in seconds since 1970."""


class Network:
    """A context in which the replicas are served.

    ``seed`` chooses the content and the course of events. ``port`` 0 takes a free one.
    ``scale`` multiplies the records of the repositories and the clearing-houses, not of the
    feeds. ``clock`` gives the time of each answer and of each phase, aware and not before
    December 2024 (``ValueError``): the records of the first phase are older than that. ``delay`` is
    the seconds each answer takes.
    """

    def __init__(
        self,
        *,
        seed: int = 1,
        port: int = 0,
        scale: int = 1,
        clock: Callable[[], datetime] = now,
        delay: float = 0.0,
    ) -> None:
        if scale < 1:
            raise ValueError(f"scale is {scale}; it is a whole number from 1 up")
        if clock().timestamp() < life.LAST:
            raise ValueError(f"the clock says {clock()}; the network's first phase is of 2024")
        self.phase = 0
        self.delay = delay
        self.requests: list[Seen] = []
        self._clock = clock
        self._stopping = threading.Event()
        self._advancing = threading.Lock()
        self._server = Server(port, self._respond)
        self.url = f"http://{HOST}:{self._server.server_address[1]}"
        self._archive = Archive(seed, scale)
        self._repositories = {
            "demo-oai": Repository(
                holdings=Holdings(
                    seed=seed,
                    name="demo-oai",
                    host="regional.example.org",
                    kinds=REGIONAL,
                    has_sets=True,
                    tags_languages=True,
                ),
                title="Regional biodiversity repository (demonstration)",
                url=f"{self.url}/oai",
                size=_REGIONAL_SIZE * scale,
                gone=_REGIONAL_GONE * scale,
                granularity="second",
                prefixes=("oai_dc", "oai_dcterms", "eml"),
                clock=clock,
                restamps=lambda phase: phase % 2 == 0,
            ),
            "demo-oai-days": Repository(
                holdings=Holdings(
                    seed=seed,
                    name="demo-oai-days",
                    host="bulletin.example.org",
                    kinds=BULLETIN,
                    has_sets=False,
                    tags_languages=False,
                ),
                title="Bulletin of an information office (demonstration)",
                url=f"{self.url}/oai-days",
                size=_BULLETIN_SIZE * scale,
                gone=_BULLETIN_GONE * scale,
                granularity="day",
                prefixes=("oai_dc",),
                clock=clock,
                restamps=lambda phase: phase % 2 == 1,
            ),
            "demo-oai-campus": Repository(
                holdings=campus.Holdings(
                    seed=seed,
                    name="demo-oai-campus",
                    host="campus.example.org",
                    kinds=campus.KINDS,
                    has_sets=True,
                    tags_languages=True,
                    land=country("FJ"),
                ),
                title="Repository of a university in Fiji (demonstration)",
                url=f"{self.url}/oai-campus",
                size=_CAMPUS_SIZE * scale,
                gone=_CAMPUS_GONE * scale,
                granularity="second",
                prefixes=("oai_dc",),
                clock=clock,
                restamps=lambda phase: False,
            ),
        }
        self._feeds = {
            "demo-rss": Feed(seed, feeds.RSS, country("SN"), "Actualités de la biodiversité"),
            "demo-atom": Feed(seed, feeds.ATOM, country("CH"), "Biodiversity news"),
            "demo-rdf": Feed(seed, feeds.RDF, country("LB"), "أحداث التنوع البيولوجي"),
        }
        self._hosts: dict[int, hosts.Replica] = {}
        for number, replica in enumerate(hosts.replicas(seed, scale), 1):
            # Beside a port that was chosen its hosts have the ports that follow.
            listening = self._server.listen(port + number if port else 0)
            replica.url = f"http://{HOST}:{listening}"
            self._hosts[listening] = replica

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._server.close()

    def advance(self) -> None:
        """Let every source live one phase further.

        At each some records change, appear and go, some that went come back, and one of the
        two repositories (in turn) stamps all it has with the new date, changed or not.
        """
        with self._advancing:
            following = self.phase + 1
            moment = int(self._clock().timestamp())
            self._archive.advance(following, moment)
            for repository in self._repositories.values():
                repository.advance(following, moment)
            for feed in self._feeds.values():
                feed.advance(following, moment)
            for replica in self._hosts.values():
                replica.advance(following, moment)
            self.phase = following

    def sources(self) -> dict[str, str]:
        """The text of a source file for each source, by the source's identifier."""
        usual = {
            "schedule": "daily",
            "rights": "CC BY 4.0, https://creativecommons.org/licenses/by/4.0/",
            "group": "demo-network",
            "contact": "demo@example.org",
        }
        texts = {}
        truth = self.truth()
        for name, told in self._described().items():
            own = {"title": told.title, **told.keys}
            texts[name] = template(
                own | {k: v for k, v in usual.items() if k not in own}, told.options
            )
            if own.get("deletions") != "never":
                # A tenth may be missing before a run counts as failed.
                texts[name] += f"\n[expect]\nrecords = {len(truth[name].live) * 9 // 10}\n"
        return texts

    def titles(self) -> dict[str, str]:
        """What each source is, by its identifier."""
        return {name: told.title for name, told in self._described().items()}

    def truth(self) -> dict[str, Truth]:
        """What a hub should hold of each source in this phase, if it harvested in every one.

        Of a feed that is every entry it has shown: what drops out of the window is not gone.
        """
        truths = {name: _truth_of(repo) for name, repo in self._repositories.items()}
        truths |= {name: Truth() for name in (*REALMS, *self._feeds)}
        for state in self._archive.states:
            record = self._archive.record(state)
            expected = Expectation(record.type, record.titles(), record.codes())
            shown = {realm.upper() for realm in record.realms}
            for name, realm in REALMS.items():
                if realm not in shown:
                    continue
                if state.deleted:
                    truths[name].deleted.add(record.identifier)
                else:
                    truths[name].live[record.identifier] = expected
        for name, feed in self._feeds.items():
            for entry in feed.entries():
                truths[name].live[entry.identifier] = Expectation(
                    feed.style.type, (entry.title(),), (feed.country.code,)
                )
        for replica in self._hosts.values():
            truths |= replica.truth()
        return truths

    def counts(self) -> dict[str, int]:
        """How many requests each replica has had."""
        return dict(Counter(seen.replica for seen in list(self.requests)))

    def _described(self) -> dict[str, Told]:
        """What the file of each source says."""
        url = self.url
        tombstones = {"adapter": "oai_pmh", "languages": _LANGUAGES, "deletions": "tombstones"}
        absence = {"adapter": "scbd", "languages": _LANGUAGES, "deletions": "absence"}
        never = {"adapter": "feed", "deletions": "never"}
        described = {
            "demo-oai": Told(
                "Demonstration: regional repository",
                {**tombstones, "url": f"{url}/oai"},
                {"metadata_prefix": ["oai_dcterms", "oai_dc"]},
            ),
            "demo-oai-days": Told(
                "Demonstration: bulletin with dates and no times",
                {**tombstones, "url": f"{url}/oai-days"},
                {"metadata_prefix": "oai_dc"},
            ),
            "demo-oai-campus": Told(
                "Demonstration: university repository whose records change collections",
                {**tombstones, "url": f"{url}/oai-campus"},
                {"metadata_prefix": "oai_dc", "sets": list(campus.COLLECTIONS)},
            ),
        }
        for name, title in (
            ("demo-chm", "Demonstration: central clearing-house"),
            ("demo-bch", "Demonstration: Biosafety Clearing-House"),
            ("demo-absch", "Demonstration: Access and Benefit-Sharing Clearing-House"),
            ("demo-ort", "Demonstration: Online Reporting Tool"),
        ):
            options = {"realm": REALMS[name].lower()}
            keys = {**absence, "url": f"{url}/scbd", "system": name.removeprefix("demo-")}
            described[name] = Told(title, keys, options)
        for name, path, title in (
            ("demo-rss", "/feeds/rss.xml", "Demonstration: news in French (RSS)"),
            ("demo-atom", "/feeds/atom.xml", "Demonstration: news in many languages (Atom)"),
            ("demo-rdf", "/feeds/events.rdf", "Demonstration: events in three languages (RDF)"),
        ):
            feed = self._feeds[name]
            table = {
                "country": feed.country.code,
                "languages": list(feed.style.languages),
                **never,
                "url": f"{url}{path}",
            }
            described[name] = Told(title, table, {"type": feed.style.type})
        for replica in self._hosts.values():
            described |= replica.sources()
        return described

    def _respond(self, request: Request) -> Answer:
        came = time.time()
        replica, answer = self._route(request)
        if self.delay:
            self._stopping.wait(self.delay)
        target = f"{request.path}?{request.query}" if request.query else request.path
        self.requests.append(
            Seen(replica, request.method, target, answer.status, request.body, came)
        )
        return answer

    def _route(self, request: Request) -> tuple[str, Answer]:
        path = request.path
        if (replica := self._hosts.get(request.port)) is not None:
            return replica.name, replica.answer(request)
        for name in self._repositories:
            if path == f"/{name.removeprefix('demo-')}":
                return name, self._repositories[name].answer(request)
        # Links within documents are relative to the host: /api/... without the prefix.
        for prefix in ("/scbd", ""):
            if path.startswith(f"{prefix}/api/"):
                return "scbd", self._archive.answer(request, path.removeprefix(prefix))
        for name, place in (
            ("demo-rss", "/feeds/rss.xml"),
            ("demo-atom", "/feeds/atom.xml"),
            ("demo-rdf", "/feeds/events.rdf"),
        ):
            if path == place:
                return name, self._feeds[name].answer(request)
        if path == "/robots.txt":
            return "", Answer(b"User-agent: *\nAllow: /\n", "text/plain; charset=utf-8")
        if path == "/":
            return "", Answer(self._overview().encode(), "text/html; charset=utf-8")
        return "", Answer(b"No such address.\n", "text/plain; charset=utf-8", 404)

    def _overview(self) -> str:
        """A page for people who open the network's address."""
        asks = {
            "demo-oai": "/oai?verb=Identify",
            "demo-oai-days": "/oai-days?verb=Identify",
            "demo-oai-campus": "/oai-campus?verb=Identify",
            **{
                name: f"/scbd/api/v2013/index/select?q=realm_ss:{realm.lower()}"
                for name, realm in REALMS.items()
            },
            "demo-rss": "/feeds/rss.xml",
            "demo-atom": "/feeds/atom.xml",
            "demo-rdf": "/feeds/events.rdf",
        }
        rows = "".join(
            f'<li><a href="{escape(asks.get(name, told.keys["url"]))}">{name}</a>: '
            f"{escape(told.title)}</li>"
            for name, told in self._described().items()
        )
        return (
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8">'
            "<title>CHM Hub: demonstration network</title>"
            f"<h1>Demonstration network, phase {self.phase}</h1>"
            "<p>All that is here is made up. These are its sources:</p>"
            f"<ul>{rows}</ul></html>"
        )


def _truth_of(repository: Repository) -> Truth:
    truth = Truth()
    for state in repository.states:
        record = repository.holdings.record(state)
        if state.deleted:
            truth.deleted.add(record.identifier)
        else:
            south, west, north, east = record.box
            truth.live[record.identifier] = Expectation(
                record.kind.type,
                record.titles(),
                (record.country.code,),
                issued=record.issued,
                bbox=(west, south, east, north) if record.kind.type == "dataset" else None,
            )
    return truth
