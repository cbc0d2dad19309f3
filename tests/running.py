"""Running the real command line in a process of its own."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.warm import Warm

CHM_HUB = Path(sys.executable).with_name("chm-hub")


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Standard output as JSON lines."""
        return [json.loads(line) for line in self.out.splitlines()]


@functools.cache
def warm() -> Warm:
    """The loaded process of these tests."""
    return Warm()


class Hub:
    """The command line with its own data folder and sources, on loopback."""

    cold = False
    """Whether each command is a program of its own, not a copy of one that is loaded."""

    def __init__(self, data: Path, uri: str, sources: Path) -> None:
        self.data, self.sources = data, sources
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith("CHM_HUB_")},
            "CHM_HUB_DATA": str(data),
            "CHM_HUB_SOURCES": str(sources),
            "CHM_HUB_EGRESS_ALLOW": "127.0.0.1/32",
            "CHM_HUB_HOST_DELAY": "0",
            **({"CHM_HUB_MONGODB_URI": uri} if uri else {}),
        }

    def __call__(self, *arguments: str, timeout: float = 180, **environ: str) -> Said:
        settings = {**self.environ, **environ}
        if self.cold:
            done = subprocess.run(
                [str(CHM_HUB), *arguments],
                capture_output=True,
                text=True,
                timeout=timeout,
                env=settings,
                cwd=self.data,
            )
            said = Said(done.returncode, done.stdout, done.stderr)
        else:
            said = Said(*warm().run([*arguments], settings, self.data, timeout))
        assert "Traceback" not in said.err, said.err
        return said

    def start(self, *arguments: str, **environ: str) -> subprocess.Popen[str]:
        """Start a command and let it run."""
        return subprocess.Popen(
            [str(CHM_HUB), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**self.environ, **environ},
            cwd=self.data,
        )

    def source(self, name: str, text: str) -> None:
        """Declare a source."""
        self.sources.mkdir(exist_ok=True)
        (self.sources / f"{name}.toml").write_text(text, "utf-8")

    def records(self, *arguments: str) -> dict[str, dict[str, Any]]:
        """Records by identifier."""
        said = self("records", "--json", *arguments)
        assert said.code == 0, said.err
        return {line["identifier"]: line for line in said.lines}
