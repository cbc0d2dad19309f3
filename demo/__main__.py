"""Serves the demonstration network by itself: ``python -m demo [--port N] ...``."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from demo.network import Network


def main(arguments: list[str] | None = None) -> int:
    """Serve until the standard input ends or Ctrl-C; each line of it begins a new phase."""
    parser = argparse.ArgumentParser(
        prog="python -m demo",
        description="Serve the demonstration network on 127.0.0.1. Each line on the standard "
        "input (press Enter) begins the next phase; its end, or Ctrl-C, stops it.",
    )
    parser.add_argument("--port", type=int, default=8099, help="0 for any free one")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=int, default=1)
    parser.add_argument("--delay", type=float, default=0.0, help="seconds for each answer")
    parser.add_argument("--sources", type=Path, help="a folder to write the source files to")
    given = parser.parse_args(arguments)
    try:
        network = Network(seed=given.seed, port=given.port, scale=given.scale, delay=given.delay)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"The network cannot start: {error}\n")
        return 2
    with network:
        if given.sources is not None:
            given.sources.mkdir(parents=True, exist_ok=True)
            for name, text in network.sources().items():
                (given.sources / f"{name}.toml").write_text(text, "utf-8")
        sys.stdout.write(f"{network.url} phase 0\n")
        sys.stdout.flush()
        try:
            for _ in sys.stdin:
                network.advance()
                sys.stdout.write(f"{network.url} phase {network.phase}\n")
                sys.stdout.flush()
        except KeyboardInterrupt:
            return 0
    return 0


if __name__ == "__main__":
    sys.exit(main())
