"""``python -m tests.field_cases.later DAYS ARGUMENTS…``: the command line so many days later.

What a harvest judges by time (a record missing twice, a week apart) goes by the store's clock;
this program sets that forward and is otherwise the program that users start.
"""

from __future__ import annotations

import sys
from datetime import datetime, timedelta

from store import connection
from store.clock import Clock

_servers, _own = Clock.__call__, connection._own_clock


def main() -> None:
    """Run one command."""
    ahead = timedelta(days=float(sys.argv[1]))

    def later(self: Clock) -> datetime:
        return _servers(self) + ahead

    # The embedded engine is on this machine, and the machine's clock is its clock.
    Clock.__call__ = later  # type: ignore[method-assign]
    connection._own_clock = lambda: _own() + ahead
    sys.argv = ["chm-hub", *sys.argv[2:]]
    from chm_hub.cli import main as command

    command()


if __name__ == "__main__":
    main()
