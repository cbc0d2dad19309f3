"""What the commands share: options, lines for machines, tables and progress bars for people."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from chm_hub import told

if TYPE_CHECKING:
    from adapters.source import Source
    from chm_hub.settings import Settings

LEFT_OUT = "chm_hub.left_out"
"""Said in a command's context where source files that are not in order were left out; the command
then ends with 2."""
F = TypeVar("F", bound=Callable[..., Any])

as_json = click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")


def with_settings(command: F) -> F:
    """A command that is given the settings first."""

    @wraps(command)
    def run(*args: Any, **options: Any) -> Any:
        return command(click.get_current_context().obj, *args, **options)

    return run  # type: ignore[return-value]


def usable_sources(settings: Settings) -> dict[str, Source]:
    """The sources whose files are in order; what is wrong with the others is said: one's mistake
    is not the others' (P5)."""
    from adapters.source import folders, load_usable

    usable, faults = load_usable(folders(settings))
    for fault in "\n".join(faults.values()).splitlines():
        click.echo(f"chm-hub: left out: {fault}", err=True)
    click.get_current_context().meta[LEFT_OUT] = bool(faults)
    return usable


def print_line(value: dict[str, Any]) -> None:
    """A line of JSON on stdout."""
    click.echo(json.dumps(value, ensure_ascii=False, default=_plain))


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(value)


def print_table(heads: list[str], rows: list[list[str]]) -> None:
    """A table on stdout."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, header_style="bold", pad_edge=False)
    for head in heads:
        table.add_column(head, no_wrap=head in ("source", "run"))
    for row in rows:
        table.add_row(*row)
    console = Console()
    # Piped into a file or a program, a table is as wide as it is.
    console.print(table) if console.is_terminal else Console(width=500).print(table)


class Progress:
    """A bar for each running source on stderr, where a person is looking at it."""

    def __init__(self, wanted: bool) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

        console = Console(stderr=True)
        self._bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[said]}"),
            console=console,
            transient=True,
            disable=not wanted or not console.is_terminal,
        )
        self._tasks: dict[str, Any] = {}

    def __enter__(self) -> Progress:
        self._bars.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._bars.stop()

    def show(self, run: Any) -> None:
        """Move a run's bar to where it is."""
        if run.source not in self._tasks:
            self._tasks[run.source] = self._bars.add_task(run.source, total=None, said="")
        self._bars.update(
            self._tasks[run.source],
            total=run.total,
            completed=run.seen,
            said=f"{run.counts['new']} new, {run.counts['changed']} changed",
        )

    def done(self, run: dict[str, Any], as_json: bool) -> None:
        """A run has ended: its line, for a machine on stdout or for a person on stderr."""
        if run["source"] in self._tasks:
            self._bars.remove_task(self._tasks.pop(run["source"]))
        if as_json:
            print_line(run)
            return
        counts = ", ".join(
            f"{run[name]} {name}"
            for name in ("new", "changed", "unchanged", "deleted", "skipped", "quarantined")
            if run[name]
        )
        self._bars.console.print(
            f"{run['source']}: {run['state']}, {run['seen']} seen"
            + (f" ({counts})" if counts else "")
            + (f", {run['issues']} issues" if run["issues"] else ""),
            highlight=False,
        )
        for sentence in told.sentences(run):
            self._bars.console.print(f"  {sentence}", highlight=False, markup=False)
