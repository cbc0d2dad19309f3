"""The command line in a process that has loaded it already.

Tests give thousands of commands, and a command takes longer to load its libraries than to do what
most of them ask. One process loads them and is copied for each command: a process of its own with
its own settings, as if it had just been started. ``tests/test_command_line.py``, and whoever
starts a command to signal or to kill it, run the real program.
"""

from __future__ import annotations

import atexit
import gc
import importlib
import json
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import adapters

LOADED = (
    "chm_hub.cli",
    "chm_hub.fetch.answer",
    "chm_hub.fetch.egress",
    "chm_hub.fetch.patience",
    "chm_hub.pipeline",
    "chm_hub.turns",
    "mappings.crosswalk",
    "scrapy.crawler",
    "store",
)
_NUMBER = struct.Struct("i")


class Warm:
    """The loaded process, seen by the tests."""

    def __init__(self) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.warm", str(theirs.fileno())],
                cwd=Path(__file__).parent.parent,
                pass_fds=[theirs.fileno()],
                stdout=subprocess.DEVNULL,
            )
        atexit.register(self._close)

    def _close(self) -> None:
        self._socket.close()
        self._process.wait()

    def run(
        self, arguments: list[str], environ: dict[str, str], folder: Path, timeout: float
    ) -> tuple[int, str, str]:
        """A command's exit code, standard output and standard error. Raises
        :class:`subprocess.TimeoutExpired`, and ends it, after ``timeout`` seconds."""
        asked = json.dumps({"arguments": arguments, "environ": environ, "folder": str(folder)})
        told, tell = os.pipe()
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err, os.fdopen(told):
            try:
                socket.send_fds(self._socket, [asked.encode()], [out.fileno(), err.fileno(), tell])
            finally:
                os.close(tell)
            (number,) = _NUMBER.unpack(os.read(told, _NUMBER.size))
            if not select.select([told], [], [], timeout)[0]:
                os.kill(number, signal.SIGKILL)
                raise subprocess.TimeoutExpired(arguments, timeout)
            (code,) = _NUMBER.unpack(os.read(told, _NUMBER.size))
            out.seek(0)
            err.seek(0)
            return code, out.read().decode(), err.read().decode()


def _serve(mine: socket.socket) -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # Nobody waits for the copies.
    while True:
        asked, files, *_ = socket.recv_fds(mine, 1 << 20, 3)
        if not asked:
            return
        if not os.fork():
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            mine.close()
            _command(json.loads(asked), *files)
            return
        for file in files:
            os.close(file)


def _command(asked: dict[str, Any], out: int, err: int, tell: int) -> None:
    """In a copy: run the command in another one, and tell which that is and how it ended."""
    if number := os.fork():
        os.write(tell, _NUMBER.pack(number))
        code = os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])
        os.write(tell, _NUMBER.pack(code))
        os._exit(0)
    os.dup2(out, 1)
    os.dup2(err, 2)
    for file in (out, err, tell):
        os.close(file)
    os.environ.clear()
    os.environ.update(asked["environ"])
    os.chdir(asked["folder"])
    sys.argv = ["chm-hub", *asked["arguments"]]
    random.seed()
    from chm_hub.cli import main

    main()


if __name__ == "__main__":
    for module in LOADED:
        importlib.import_module(module)
    for adapter in adapters.names():
        adapters.adapter(adapter)
    assert "twisted.internet.reactor" not in sys.modules, "a copy could not choose its own"
    gc.freeze()
    _serve(socket.socket(fileno=int(sys.argv[1])))
