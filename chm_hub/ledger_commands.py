"""``chm-hub ledger``, ``where`` and ``manifest``: is anything missing, and where is it."""

from __future__ import annotations

from datetime import UTC, datetime

import click

from adapters.source import folders, load_usable
from chm_hub.errors import SourceError
from chm_hub.printing import as_json, print_line, with_settings
from chm_hub.settings import Settings


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every source that was ever harvested.")
@as_json
@with_settings
def ledger(settings: Settings, ids: tuple[str, ...], everything: bool, as_json: bool) -> None:
    """Count every identifier a source ever declared, and what became of it. Exit 1 if the books
    do not agree."""
    from chm_hub import ledger as books
    from store import open_store

    if bool(ids) is everything:
        raise click.UsageError("name at least one source, or say --all")
    wrong = False
    with open_store(settings) as store:
        with store.explained():
            known = store.runs.sources()
        for source in ids or known:
            if source not in known:
                raise SourceError(f"{source}: was never harvested; `chm-hub sources list`")
            found = books.of_source(store, source)
            wrong = wrong or bool(found.differences)
            if as_json:
                print_line(found.line())
            else:
                _show(found)
    if wrong:
        click.get_current_context().exit(1)


def _show(found: object) -> None:
    from chm_hub.ledger import DELETED, STATES, Ledger

    assert isinstance(found, Ledger)
    click.secho(f"{found.source}: {found.declared} identifiers declared", bold=True)
    for state in STATES:
        for reason, count in found.reasons.get(state, {}).items():
            why = DELETED.get(reason, reason) if state == "deleted" else reason
            click.echo(f"{count:9}  {state.replace('_', ' ')}{f': {why}' if why else ''}")
    for count, words in (
        (found.outdated, "of them in an older version: the newest was set aside"),
        (found.missing, "of them missing at the source; deleted if still so in a week"),
        (found.held, "of them to be deleted if a person agrees: chm-hub held list"),
        (found.unnamed, "documents without an identifier in the last whole run"),
    ):
        if count:
            click.echo(f"{count:9}  {words}")
    if found.seen is not None:
        said = "" if found.announced is None else f", {found.announced} announced by the source"
        click.echo(f"{found.seen:9}  seen by the last whole run{said}")
    for difference in found.differences:
        click.echo(f"chm-hub: {found.source}: {difference}", err=True)
    if not found.differences:
        click.echo("           it adds up")


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
