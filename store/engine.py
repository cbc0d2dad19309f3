"""The embedded engine: a supervised child process that speaks MongoDB's protocol.

Nothing here imports the engine (it is GPL-2.0-only, the hub is MIT): it is started as a
program and spoken to over loopback. One supervisor per data folder starts it, restarts it
when it dies or stops answering, and stops it when no hub process uses it any more.

Files in the data folder: ``engine.lock`` (held by the supervisor), ``engine.users`` (held,
shared, by every hub process that uses the engine), ``engine.json`` (where it listens, mode
0600), ``engine.port`` (where it listened last, and will again: processes that use it find it
there), ``engine.key`` (its password, 0600), ``engine.version``, ``engine.log``, ``db/``.
The kernel lets go of the locks whatever way a process ends.
"""

from __future__ import annotations

import atexit
import contextlib
import ctypes
import fcntl
import importlib.metadata
import importlib.util
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from chm_hub.errors import StoreError

PACKAGE = "secantusdb"
MODULE = "secantus"
CACHE = "256M"
OPLOG_ENTRIES = 1_000
"""The engine's change log is not used by the hub; a short one keeps memory and disk small."""
START_SECONDS = 60.0
"""How long a start may take; a large store is checked before it opens."""
FILES = "db"
"""The folder of its files, in the data folder."""
IDLE_SECONDS = 10.0
"""How long the engine stays up after its last user went."""
END_SECONDS = 20.0
"""How long an engine may take to end in order."""
PING_SECONDS = 10.0
SILENT_PINGS = 3
"""After so many unanswered pings in a row the engine is killed and started again."""

_LISTENING = re.compile(rb"listening on 127\.0\.0\.1:(\d+)")


@dataclass(frozen=True, slots=True)
class Address:
    """Where the engine listens and who may use it."""

    supervisor: int
    engine: int
    port: int
    user: str
    password: str
    version: str
    started: float
    restarts: int

    def uri(self, database: str) -> str:
        """Where a MongoDB client finds a database in it, with all that the client must know."""
        # The engine keeps the answers to writes that may be asked again, and looks through all of
        # them at each write: after ten thousand it takes ten times as long. A write that was lost
        # with a connection is an error here, and every writer has an answer to that.
        return (
            f"mongodb://{self.user}:{self.password}@127.0.0.1:{self.port}/{database}"
            "?authSource=admin&directConnection=true&retryWrites=false"
        )


def ensure(data: Path) -> Address:
    """The engine of a data folder, started if it is not running.

    The calling process counts as a user until it ends. Raises :class:`StoreError` when the
    engine cannot be had, with what its log says.
    """
    try:
        data.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise StoreError(
            f"{data}: cannot make the data folder: {error.strerror}. "
            "Name another with --data or CHM_HUB_DATA."
        ) from error
    if not os.access(data, os.W_OK):
        raise StoreError(
            f"{data}: the data folder cannot be written. Change its owner, or name another "
            "with --data or CHM_HUB_DATA."
        )
    deadline = time.monotonic() + START_SECONDS
    _become_user(data, deadline)
    spawned: subprocess.Popen[bytes] | None = None
    while time.monotonic() < deadline:
        address = read_address(data)
        if address is not None and _answers(address.port):
            return address
        if spawned is None or spawned.poll() is not None:
            if spawned is not None and spawned.returncode:
                break
            if not is_supervised(data):
                spawned = _spawn_supervisor(data)
        time.sleep(0.03)
    raise StoreError(
        f"{data}: the embedded engine does not start. {_log_tail(data)} "
        f"The log is {data / 'engine.log'}; a MongoDB in CHM_HUB_MONGODB_URI does without it."
    )


def read_address(data: Path) -> Address | None:
    """What ``engine.json`` says, or ``None`` if there is none or its supervisor is gone."""
    try:
        address = Address(**json.loads((data / "engine.json").read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        return None
    return address if is_supervised(data) else None


def is_supervised(data: Path) -> bool:
    """Whether a supervisor holds the lock of this data folder."""
    try:
        with (data / "engine.lock").open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    return False


def revive(data: Path) -> None:
    """Start the engine of a data folder again if its supervisor died; one that was stopped in
    order stays so. Does not wait for it."""
    if (data / "engine.json").exists() and not is_supervised(data):
        _spawn_supervisor(data)


def stop(data: Path, *, wait: float = 30.0) -> bool:
    """Stop the engine cleanly, whoever uses it; ``False`` if it was not running."""
    deadline = time.monotonic() + wait
    while (address := read_address(data)) is None:
        if not is_supervised(data) or time.monotonic() > deadline:
            return False
        time.sleep(0.02)  # it is being started
    with contextlib.suppress(ProcessLookupError):
        os.kill(address.supervisor, signal.SIGTERM)
    while is_supervised(data):
        if time.monotonic() > deadline:
            raise StoreError(
                f"{data}: the engine (process {address.engine}) did not stop in {wait:.0f} s. "
                "Look at engine.log; as a last resort end that process."
            )
        time.sleep(0.02)
    return True


def stop_if_unused(data: Path) -> None:
    """Give up our use of the engine and stop it at once if nobody else uses it."""
    users = _USERS.pop(data.absolute(), None)
    if users is not None:
        users.close()
    try:
        with (data / "engine.users").open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return
    stop(data)


# --- as a user -----------------------------------------------------------------------------

_USERS: dict[Path, IO[bytes]] = {}
"""The shared locks this process holds, for as long as it lives."""
_SUPERVISORS: list[subprocess.Popen[bytes]] = []
"""Supervisors this process started; they outlive it, and nobody waits for them."""


@atexit.register
def _leave() -> None:
    for lock in _USERS.values():
        lock.close()
    for process in _SUPERVISORS:
        process.returncode = process.poll() or 0  # not ours to wait for


def _become_user(data: Path, deadline: float) -> None:
    key = data.absolute()
    if key in _USERS:
        return
    users = (data / "engine.users").open("a+b")
    # A supervisor about to stop holds this lock; it lets go within moments.
    while True:
        try:
            fcntl.flock(users, fcntl.LOCK_SH | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > deadline:
                users.close()
                raise StoreError(
                    f"{data}: the engine is stopping and does not come to an end. {_log_tail(data)}"
                ) from None
            time.sleep(0.02)
    _USERS[key] = users


def _spawn_supervisor(data: Path) -> subprocess.Popen[bytes]:
    if importlib.util.find_spec(MODULE) is None:
        raise StoreError(
            "No database: CHM_HUB_MONGODB_URI is not set and the embedded engine is not installed. "
            "Set it to a MongoDB, or install the engine: pip install 'chm-hub[embedded]'."
        )
    with (data / "engine.log").open("ab") as log:
        supervisor = subprocess.Popen(
            [sys.executable, "-P", "-m", "store.engine", str(data.absolute())],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=data,
            start_new_session=True,  # Ctrl-C is for the hub, which then stops the engine in order
        )
    _SUPERVISORS.append(supervisor)
    return supervisor


def _answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2):
            return True
    except OSError:
        return False


def _log_tail(data: Path) -> str:
    try:
        lines = (data / "engine.log").read_text("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return "It says: " + " / ".join(lines[-3:]) if lines else ""


# --- as the supervisor ---------------------------------------------------------------------


@contextmanager
def _locked(path: Path) -> Iterator[bool]:
    with path.open("a+b") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True


class _Supervisor:
    """Keeps one engine running for one data folder."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.stopping = False
        self.port = _last_port(data)
        self.restarts = -1
        self.child: subprocess.Popen[bytes] | None = None
        self.password = _password(data)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, *_: object) -> None:
        self.stopping = True

    def run(self) -> int:
        pause = 0.5
        while not self.stopping:
            began = time.monotonic()
            try:
                self._start()
            except _EngineDiedError as error:
                _say(str(error))
                if self.restarts < 0:
                    return 3  # it never ran: telling the user is better than trying for ever
            else:
                if self._watch():
                    break
            # Whoever wants to know whether it is still the same engine sees that it is not,
            # before the next one is there.
            (self.data / "engine.json").unlink(missing_ok=True)
            self._end_child()
            pause = 0.5 if time.monotonic() - began > 60 else min(pause * 2, 30.0)
            _say(f"restarting the engine in {pause:.1f} s")
            self._sleep(pause)
        self._end_child()
        (self.data / "engine.json").unlink(missing_ok=True)
        return 0

    def _start(self) -> None:
        fresh = not (self.data / FILES / "WiredTiger").exists()
        if fresh:
            # The only account is made before the first start with access control.
            client = _client(self._launch(auth=False), None)
            client.admin.command("createUser", "hub", pwd=self.password, roles=["root"])
            client.close()
            self._end_child()
        wanted = self.port
        try:
            self.port = self._launch(auth=True)
        except _EngineDiedError:
            if self.port == wanted:
                raise
            self.port = self._launch(auth=True)  # another one: somebody has ours
        (self.data / "engine.port").write_text(str(self.port), "ascii")
        self.restarts += 1
        assert self.child is not None
        address = Address(
            supervisor=os.getpid(),
            engine=self.child.pid,
            port=self.port,
            user="hub",
            password=self.password,
            version=_version(),
            started=time.time(),
            restarts=self.restarts,
        )
        temporary = self.data / "engine.json.new"
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as f:
            json.dump(asdict(address), f)
        temporary.replace(self.data / "engine.json")

    def _launch(self, *, auth: bool) -> int:
        # An empty file of its own: the engine would else read one from the working
        # directory or the home of whoever starts it.
        config = self.data / "engine.toml"
        config.touch()
        command = [
            sys.executable, "-P", "-m", MODULE,
            "--config", str(config),
            "--host", "127.0.0.1",
            "--port", str(self.port),
            "--storage-path", str(self.data / FILES),
            "--cache-size", CACHE,
            "--oplog-max-entries", str(OPLOG_ENTRIES),
            *(["--auth"] if auth else []),
        ]  # fmt: skip
        log = (self.data / "engine.log").open("ab")
        read, write = os.pipe()
        with log:
            self.child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=write,
                stderr=write,
                cwd=self.data,
                preexec_fn=_die_with_parent,
            )
            os.close(write)
            return self._await_port(read, log)

    def _await_port(self, read: int, log: IO[bytes]) -> int:
        assert self.child is not None
        seen = b""
        os.set_blocking(read, False)
        deadline = time.monotonic() + START_SECONDS
        try:
            while time.monotonic() < deadline and not self.stopping:
                try:
                    chunk = os.read(read, 65536)
                except BlockingIOError:
                    time.sleep(0.01)
                    continue
                if not chunk:
                    break
                log.write(chunk)
                log.flush()
                seen += chunk
                if found := _LISTENING.search(seen):
                    self._drain = read
                    return int(found[1])
        finally:
            if not _LISTENING.search(seen):
                os.close(read)
        tail = seen.decode("utf-8", "replace").strip().splitlines()[-1:] or ["nothing"]
        if self.port and b"in use" in seen:
            self.port = 0  # somebody took our port while the engine was down
        raise _EngineDiedError(f"the engine ended before it listened; it said: {tail[0]}")

    def _watch(self) -> bool:
        """Look after a running engine; true when it is time to stop for good."""
        assert self.child is not None
        client = _client(self.port, self.password)
        idle_since: float | None = None
        silent = 0
        next_ping = time.monotonic() + PING_SECONDS
        try:
            while not self.stopping:
                self._copy_log()
                if self.child.poll() is not None:
                    _say(f"the engine ended with status {self.child.returncode}")
                    return False
                now = time.monotonic()
                if now >= next_ping:
                    next_ping = now + PING_SECONDS
                    try:
                        client.admin.command("ping")
                        silent = 0
                    except Exception as error:  # whatever it is, it is not an answer
                        silent += 1
                        _say(f"no answer to a ping ({error})")
                        if silent >= SILENT_PINGS:
                            return False
                with _locked(self.data / "engine.users") as unused:
                    if not unused:
                        idle_since = None
                    elif idle_since is None:
                        idle_since = now
                    elif (
                        now - idle_since > IDLE_SECONDS and not (self.data / "engine.keep").exists()
                    ):
                        # Stopped under the lock: a new user waits and then starts it afresh.
                        self._end_child()
                        (self.data / "engine.json").unlink(missing_ok=True)
                        return True
                self._sleep(0.2)
        finally:
            client.close()
        return True

    def _copy_log(self) -> None:
        with (
            contextlib.suppress(BlockingIOError, OSError),
            (self.data / "engine.log").open("ab") as f,
        ):
            while chunk := os.read(self._drain, 65536):
                f.write(chunk)

    def _end_child(self) -> None:
        if self.child is None:
            return
        if self.child.poll() is None:
            self.child.terminate()
            try:
                self.child.wait(END_SECONDS)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait()
        self._copy_log()
        with contextlib.suppress(OSError):
            os.close(self._drain)
        self.child = None

    _drain = -1

    def _sleep(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self.stopping and (left := deadline - time.monotonic()) > 0:
            time.sleep(min(left, 0.1))


class _EngineDiedError(Exception):
    pass


def _client(port: int, password: str | None) -> Any:
    from pymongo import MongoClient

    login = {"username": "hub", "password": password} if password else {}
    return MongoClient(
        "127.0.0.1",
        port,
        directConnection=True,
        serverSelectionTimeoutMS=5000,
        socketTimeoutMS=5000,
        **login,  # type: ignore[arg-type]
    )


def _await_former(data: Path) -> None:
    """The engine of a supervisor that died ends by itself; until then it has the files and the
    port."""
    try:
        former = int(json.loads((data / "engine.json").read_text("utf-8"))["engine"])
    except (OSError, ValueError, KeyError, TypeError):
        return
    deadline = time.monotonic() + END_SECONDS
    while _runs_here(former, data) and time.monotonic() < deadline:
        time.sleep(0.05)
    if _runs_here(former, data):
        os.kill(former, signal.SIGKILL)


def _runs_here(process: int, data: Path) -> bool:
    try:
        command = Path(f"/proc/{process}/cmdline").read_bytes()
    except OSError:
        return False
    return str(data / "db").encode() in command


def _last_port(data: Path) -> int:
    try:
        return int((data / "engine.port").read_text("ascii"))
    except (OSError, ValueError):
        return 0  # any


def _password(data: Path) -> str:
    path = data / "engine.key"
    with contextlib.suppress(FileNotFoundError):
        return path.read_text("ascii").strip()
    password = secrets.token_urlsafe(24)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as f:
        f.write(password)
    return password


def _version() -> str:
    return importlib.metadata.version(PACKAGE)


def _check_version(data: Path) -> str | None:
    """Why this engine must not open this folder, if so: files of one beta are not promised
    to be read by the next."""
    path = data / "engine.version"
    if not path.exists():
        path.write_text(_version() + "\n", "ascii")
        return None
    wrote = path.read_text("ascii").strip()
    if wrote == _version():
        return None
    return (
        f"the files in {data / 'db'} were written by {PACKAGE} {wrote}, but {_version()} is "
        f"installed. Install {PACKAGE}=={wrote} to go on with them, or move the folder away and "
        "harvest again"
    )


def _die_with_parent() -> None:
    """Linux: the engine gets SIGTERM when its supervisor dies, however it dies."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)


def _say(text: str) -> None:
    print(f"{time.strftime('%Y-%m-%d %H:%M:%S')} supervisor: {text}", flush=True)  # noqa: T201


def main(arguments: list[str]) -> int:
    """Supervise the engine of the data folder named; the lock decides who does."""
    data = Path(arguments[0])
    with _locked(data / "engine.lock") as mine:
        if not mine:
            return 0
        _await_former(data)
        (data / "engine.json").unlink(missing_ok=True)
        if reason := _check_version(data):
            _say(reason)
            return 3
        return _Supervisor(data).run()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
