"""``chm-hub ledger``, ``where`` and ``manifest``: is anything missing, and where is it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from adapters.source import folders, load_usable
from chm_hub.errors import SourceError
from chm_hub.printing import as_json, print_line, with_settings
from chm_hub.settings import Settings

if TYPE_CHECKING:
    from chm_hub.ledger import Ledger


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every source that was ever harvested.")
@click.option("--state", metavar="STATE", help="List what is in this state, as `where` says it.")
@as_json
@with_settings
def ledger(
    settings: Settings, ids: tuple[str, ...], everything: bool, state: str | None, as_json: bool
) -> None:
    """Count every identifier a source ever declared, and what became of it. Exit 1 if it does not
    add up."""
    from dataclasses import asdict

    from chm_hub import ledger as books
    from store import open_store

    if bool(ids) is everything:
        raise click.UsageError("name at least one source, or say --all")
    states = (*books.STATES, *books.DOUBTS, books.OUTDATED)
    if state is not None and state not in states:
        raise click.UsageError(f"no such state: {state}; there are {', '.join(states)}")
    wrong = False
    with open_store(settings) as store:
        with store.explained():
            known = store.runs.sources()
        for source in ids or known:
            if source not in known:
                raise SourceError(f"{source}: was never harvested; `chm-hub sources list`")
            if state is not None:
                for place in books.standing(store, source, state):
                    print_line(asdict(place)) if as_json else click.echo(place.sentence())
                continue
            found = books.of_source(store, source)
            wrong = wrong or not found.adds_up
            if as_json:
                print_line(found.line())
            else:
                _show(found)
    if wrong:
        click.get_current_context().exit(1)


_WHY = {
    "tombstone": "said to be gone by the source",
    "missing": "missing twice",
    "skipped": "skipped by the crosswalk now",
}


def _show(found: Ledger) -> None:
    from chm_hub.ledger import DELETED, OUTDATED, STATES, STAYS
    from store.runs import GRACE

    click.secho(f"{found.source}: {found.declared} identifiers declared", bold=True)

    def line(count: int, words: str) -> None:
        click.echo(f"{count:9}  {words}")

    for state in STATES:
        for reason, count in found.reasons.get(state, {}).items():
            why = DELETED.get(reason, reason) if state == "deleted" else reason
            line(count, f"{state.replace('_', ' ')}{f': {why}' if why else ''}")
    if outdated := found.doubts[OUTDATED]:
        line(outdated, "of them in an older version: the newest was set aside")
    for day, count in sorted(found.missing_since.items()):
        later = datetime.fromisoformat(day) + GRACE
        then = (
            f"once, since {day}; deleted if a whole walk from {later:%Y-%m-%d} on misses them too"
        )
        if not found.absence:
            then = f"from its whole walks since {day}{STAYS}"
        line(count, f"of them missing {then}")
    for why, count in found.reasons.get("held", {}).items():
        then = f"deleted if a person agrees: chm-hub held show {found.source}"
        line(count, f"of them {_WHY.get(why, why)}: {then}")
    for why, count in found.reasons.get("rejected", {}).items():
        then = f"they stay until the source lists them again, or chm-hub held undo {found.source}"
        line(count, f"of them {_WHY.get(why, why)}, and a person rejected it: {then}")
    for words in _told(found):
        click.echo(f"           {words}")
    for words in (*found.differences, *found.unsettled):
        click.echo(f"chm-hub: {found.source}: {words}", err=True)
    if found.adds_up:
        of = (
            f", as of {found.whole.identifier}" if found.whole and found.whole != found.last else ""
        )
        click.echo(f"           it adds up{of}{'' if found.settled else ', and is not settled'}")


def _told(found: Ledger) -> Iterator[str]:
    """What the runs say that the ledger is compared with."""
    from chm_hub.ledger import named, not_given

    run = found.whole
    if run is not None:
        announced = "no number announced" if run.total is None else f"{run.total} announced"
        parts = [
            f"{announced}, {run.given} seen",
            *(
                f"{count} {words}"
                for count, words in (
                    (not_given(run), "not given though it came to its end, such as withheld ones"),
                    (found.beyond_announced, "more than announced"),
                    (run.repeated, "listed twice"),
                    (run.unnamed, "without an identifier"),
                )
                if count
            ),
        ]
        shown = "newest shown by" if found.window else "last whole walk"
        yield f"{shown} {named(run)}: {', '.join(parts)}"
        if found.met is not None:
            rest = found.declared - found.met
            others = f" and {rest} by other runs alone" if rest > 0 else ""
            yield f"{found.declared} declared: {found.met} by it{others}"
    if found.last is not None and found.last != run:
        total = f"{found.last.total} announced, " if found.last.total is not None else ""
        yield f"newest run {named(found.last)}: {total}{found.last.given} seen"


@click.command()
@click.argument("identifier")
@as_json
@with_settings
def where(settings: Settings, identifier: str, as_json: bool) -> None:
    """Say where a record is, and why: by our identifier or by its source's own."""
    from dataclasses import asdict

    from chm_hub import ledger as books
    from store import open_store

    declared, _ = load_usable(folders(settings))
    with open_store(settings) as store:
        with store.explained():
            sources = sorted({*declared, *store.runs.sources()})
        found = books.where(store, identifier, settings.repository_id, sources)
    for place in found:
        if as_json:
            print_line(asdict(place))
        else:
            click.echo(place.sentence())
    if not found:
        click.echo(f"{identifier}: no source ever declared it", err=True)
        click.get_current_context().exit(1)


@click.command()
@click.option("--show", is_flag=True, help="The newest that was made, without making one.")
@with_settings
def manifest(settings: Settings, show: bool) -> None:
    """Make today's signed manifest of all sets, and print it."""
    from chm_hub import manifest as manifests
    from store import open_store

    with open_store(settings) as store:
        if show:
            with store.explained():
                made = store.manifests.get()
            if made is None:
                click.echo("none was made yet; `chm-hub manifest` makes one", err=True)
                click.get_current_context().exit(1)
        else:
            made = manifests.make(store, settings, datetime.now(UTC))
    print_line(made or {})
