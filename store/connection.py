"""Opening the store: a MongoDB by its address, or the embedded engine.

Both are the same to everything above this module: a ``pymongo`` client, no branches.
"""

from __future__ import annotations

import atexit
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pymongo
from pymongo import MongoClient
from pymongo.database import Database
from pymongo.errors import (
    BulkWriteError,
    ConfigurationError,
    InvalidURI,
    OperationFailure,
    PyMongoError,
)
from pymongo.errors import ConnectionFailure as MongoConnectionFailure
from pymongo.synchronous import monitor

from chm_hub.errors import StoreError
from chm_hub.settings import Settings
from store import engine
from store.aside import Aside
from store.backup import restoration
from store.clock import Clock
from store.decisions import Decisions
from store.documents import Documents
from store.leases import Leases
from store.manifests import Manifests
from store.names import Names
from store.records import Records, insert_if_absent
from store.runs import Runs
from store.schedule import Schedule
from store.staged import StagedPages
from store.watch import Watch

WAIT_MS = 15_000
"""How long an operation waits for a server to be there: long enough for the supervisor to
restart the engine, or for a replica set to elect a primary."""
CLOSE_SECONDS = 1.0
LOW_DISK = 64 * 1024 * 1024
"""Below this many free bytes beside the embedded engine nothing more is written: a full
disk stops the engine's reads as well as its writes."""


def _own_clock() -> datetime:
    return datetime.now(UTC)


class Store:
    """The hub's database. Close it, or use it in a ``with`` block."""

    def __init__(
        self, client: MongoClient[dict[str, Any]], name: str, where: str, folder: Path | None
    ) -> None:
        self._client = client
        self.where = where
        """The server's address for people, without credentials."""
        self._folder = folder
        self.database: Database[dict[str, Any]] = client[name]
        # All who share an embedded engine are on one machine: its own clock is exact, where what a
        # server tells is off by as long as it takes to be heard.
        self.now: Callable[[], datetime] = Clock(client) if folder is None else _own_clock
        """The time, as all who share the store have it."""
        self.documents = Documents(self.database)
        self.records = Records(self.database, self.now)
        self.runs = Runs(self.database)
        self.aside = Aside(self.database)
        self.decisions = Decisions(self.database)
        self.leases = Leases(self.database)
        self.staged = StagedPages(self.database)
        self.schedule = Schedule(self.database)
        self.manifests = Manifests(self.database)
        self.names = Names(self.database)
        self.watch = Watch(self.database)

    def prepare(self) -> None:
        """Create what is missing: indexes and the log's first entry. Idempotent."""
        with self.explained():
            self.records.prepare()
            self.aside.prepare()
            self.staged.prepare()

    def secret(self) -> bytes:
        """The key that signs resumption tokens: made once, the same for every process."""
        with self.explained():
            state = self.database["state"]
            found = state.find_one({"_id": "secret"})
            if found is None:
                insert_if_absent(state, {"_id": "secret", "key": secrets.token_bytes(32)})
                found = state.find_one({"_id": "secret"})
        assert found is not None
        return bytes(found["key"])

    @property
    def engine(self) -> str:
        """What serves it: ``embedded`` or ``mongodb``."""
        return "mongodb" if self._folder is None else "embedded"

    def ping(self, seconds: float | None = None) -> None:
        """Ask the server for a sign of life; raises :class:`StoreError` if there is none, within
        ``seconds`` if that is sooner than others wait."""
        with self.explained(), pymongo.timeout(seconds):
            self._client.admin.command("ping")

    def incarnation(self) -> object:
        """Which store it is that answers: another one once a backup was restored into it, or its
        engine was restarted. An engine that is killed may lose the last moments of what it said
        it had; a MongoDB with a majority does not."""
        with self.explained():
            restored = restoration(self.database)
        address = None if self._folder is None else engine.read_address(self._folder)
        return restored, None if address is None else (address.engine, address.started)

    def check_room(self) -> None:
        """Refuse to go on when the disk beside the embedded engine is nearly full."""
        if self._folder is not None:
            free = shutil.disk_usage(self._folder).free
            if free < LOW_DISK:
                raise StoreError(
                    f"{self._folder}: only {free // 2**20} MiB free on this disk, and the embedded "
                    f"engine needs {LOW_DISK // 2**20} MiB to write safely. Nothing was lost. "
                    "Make room (or move the folder and set CHM_HUB_DATA), then run this again."
                )

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Turn the driver's errors into :class:`StoreError`, with where and what to do."""
        try:
            yield
        except BulkWriteError as error:
            faults = (error.details or {}).get("writeErrors") or [{}]
            why = faults[0].get("errmsg", error)
            raise StoreError(
                f"{self.where}: a write was refused: {why}. {self._advice()}"
            ) from error
        except OperationFailure as error:
            if error.code in (18, 13):
                raise StoreError(
                    f"{self.where}: the database refuses our credentials ({_first_line(error)}). "
                    "Check user, password and authSource in CHM_HUB_MONGODB_URI."
                ) from error
            raise StoreError(f"{self.where}: {error}. {self._advice()}") from error
        except MongoConnectionFailure as error:
            if self._folder is not None:
                engine.revive(self._folder)
            raise StoreError(
                f"{self.where}: no database answers there ({_first_line(error)}). {self._advice()}"
            ) from error
        except PyMongoError as error:
            raise StoreError(f"{self.where}: {_first_line(error)}. {self._advice()}") from error

    def _advice(self) -> str:
        if self._folder is None:
            return (
                "Check that the server of CHM_HUB_MONGODB_URI runs and can be reached from here, "
                "or unset the variable to use the embedded engine."
            )
        free = shutil.disk_usage(self._folder).free
        if free < LOW_DISK:
            return f"The disk is full ({free // 2**20} MiB free at {self._folder}): make room."
        return f"See {self._folder / 'engine.log'}; `chm-hub engine status` tells how it is."

    def close(self) -> None:
        """Close the connections; the embedded engine stops by itself when nobody uses it."""
        # It says good-bye to the server, which may be away.
        with pymongo.timeout(CLOSE_SECONDS):
            self._client.close()

    def __enter__(self) -> Store:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_store(settings: Settings, *, listeners: tuple[Any, ...] = ()) -> Store:
    """Connect to the store that the settings name, starting the embedded engine if needed.

    ``listeners`` are pymongo event listeners (tests watch the commands with one).
    Raises :class:`StoreError` where there is no store to be had. Open it after a fork,
    never before.
    """
    options: dict[str, Any] = {
        "appname": "chm-hub",
        "serverSelectionTimeoutMS": WAIT_MS,
        "tz_aware": True,
        "event_listeners": list(listeners),
    }
    if settings.mongodb_uri:
        where = _without_credentials(settings.mongodb_uri)
        try:
            client: MongoClient[dict[str, Any]] = MongoClient(settings.mongodb_uri, **options)
            database = client.get_default_database("chm_hub").name
        except (InvalidURI, ConfigurationError, ValueError) as error:
            raise StoreError(f"CHM_HUB_MONGODB_URI: {error}. Correct the address.") from error
        store = Store(client, database, where, None)
    else:
        address = engine.ensure(settings.data)
        client = MongoClient(address.uri("chm_hub"), **options)
        store = Store(
            client, "chm_hub", f"embedded engine in {settings.data}", settings.data.absolute()
        )
    # The driver waits at the end of a process for its threads, which look every half second
    # whether they should stop: each command would take half a second longer. They are daemons.
    atexit.unregister(monitor._shutdown_resources)
    try:
        store.prepare()
    except StoreError:
        store.close()
        raise
    return store


def _without_credentials(uri: str) -> str:
    scheme, _, rest = uri.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}".partition("?")[0]


def _first_line(error: Exception) -> str:
    return str(error).split(", Timeout:")[0].splitlines()[0][:200]
