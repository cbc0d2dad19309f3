"""Make a virtual environment with pip in it, on a Python as bare as Debian's.

Debian leaves ``ensurepip`` to a package that only root can install; pip then comes from the
machine's own pip, or from PyPI by its pinned hash.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import urllib.request
import venv
from pathlib import Path

OLDEST = (3, 11)
PIP = "pip-26.1.2-py3-none-any.whl"
PIP_SHA256 = "382ff9f685ee3bc25864f820aa50505825f10f5458ffff07e30a6d96e5715cab"


def main(target: Path) -> int:
    """Make the environment; 0 if it has a working pip."""
    if sys.version_info[:2] < OLDEST:
        return fail(f"Python 3.11 or newer is needed, this is {sys.version.split()[0]}")
    bundled = importlib.util.find_spec("ensurepip") is not None
    try:
        venv.create(target, with_pip=bundled, symlinks=True)
    except (subprocess.CalledProcessError, OSError):
        shutil.rmtree(target, ignore_errors=True)
        venv.create(target, with_pip=False, symlinks=True)
    python = target / "bin" / "python"
    if has_pip(python) or from_machine(python) or from_pypi(python):
        return 0
    shutil.rmtree(target, ignore_errors=True)
    return fail(
        "there is no pip and none can be fetched. Install the package python3-venv, or let this "
        "machine reach PyPI, and try again"
    )


def has_pip(python: Path) -> bool:
    """Whether an environment's Python has pip."""
    return subprocess.run([python, "-m", "pip", "--version"], capture_output=True).returncode == 0


def from_machine(python: Path) -> bool:
    """Install pip with the machine's own pip, if it has one."""
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet", "pip"]
    return subprocess.run(command, capture_output=True).returncode == 0 and has_pip(python)


def from_pypi(python: Path) -> bool:
    """Install pip from its wheel, which is checked against the pinned hash."""
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/") + "/pip/"
    try:
        listing = read(index).decode("utf-8", "replace")
        found = re.search(rf'href="([^"#]*{re.escape(PIP)})', listing)
        wheel = read(urllib.parse.urljoin(index, found[1])) if found else b""
    except OSError:
        return False
    if hashlib.sha256(wheel).hexdigest() != PIP_SHA256:
        return False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / PIP
        path.write_bytes(wheel)
        command = [python, f"{path}/pip", "install", "--quiet", "--no-index", path]
        return subprocess.run(command).returncode == 0 and has_pip(python)


def read(url: str) -> bytes:
    """The bytes at an address."""
    with urllib.request.urlopen(url, timeout=60) as answer:
        return bytes(answer.read())


def fail(text: str) -> int:
    """Say what is wrong."""
    sys.stderr.write(f"make_environment: {text}\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
