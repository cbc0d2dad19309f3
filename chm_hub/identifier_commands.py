"""``chm-hub identifiers``: how the records of a source are named, and naming them anew."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from chm_hub.errors import StoreError
from chm_hub.printing import as_json, print_line, print_table, with_settings
from chm_hub.settings import Settings

if TYPE_CHECKING:
    from chm_hub.renaming import Renaming

UNDECLARED = """\
Say what is known of these records outside:
  --unpublished  nobody has harvested them from this hub. The old names vanish; stop the schedulers
                 and workers before. A partner that harvested them after all keeps them for ever.
  --published    partners may have them. Each old name becomes a tombstone, and each record comes
                 as a new one: partners read both with their next incremental harvest.
Nothing was changed; names stay as they are as long as you like. `--dry-run` shows the new ones."""


@click.group()
def identifiers() -> None:
    """How records are named, and renaming them."""


@identifiers.command("list")
@as_json
@with_settings
def identifiers_list(settings: Settings, as_json: bool) -> None:
    """List by which rule the records of each source are named."""
    from store import open_store

    with open_store(settings) as store, store.explained():
        found = [
            (name, store.names.rule(name), store.names.renaming(name))
            for name in store.runs.sources()
        ]
    if as_json:
        for name, rule, declared in found:
            print_line({"source": name, "rule": rule, "renaming": declared})
        return
    print_table(
        ["source", "names", ""],
        [
            [name, rule, f"being renamed (--{declared})" if declared else ""]
            for name, rule, declared in found
        ],
    )


@identifiers.command("rename")
@click.argument("ids", nargs=-1, metavar="[ID]...")
@click.option("--dry-run", is_flag=True, help="Count, show some names, change nothing.")
@click.option("--unpublished", "declared", flag_value="unpublished", help="Nobody knows the names.")
@click.option("--published", "declared", flag_value="published", help="Partners may know them.")
@as_json
@with_settings
def identifiers_rename(
    settings: Settings, ids: tuple[str, ...], dry_run: bool, declared: str | None, as_json: bool
) -> None:
    """Give records readable names, of the sources named or of all whose names are digests."""
    from chm_hub import renaming
    from store import open_store

    with open_store(settings) as store:
        with store.explained():
            known = store.runs.sources()
            chosen = list(ids) or renaming.sources(store)
        if unknown := [name for name in chosen if name not in known]:
            raise StoreError(f"{', '.join(unknown)}: never harvested; nothing to rename")
        if not dry_run and declared is None and chosen:
            raise click.UsageError(UNDECLARED)
        if dry_run or declared is None:
            with store.explained():
                done = [renaming.plan(store, name) for name in chosen]
        else:
            done = renaming.rename(store, chosen, declared, _tell(as_json))
    for one in done:
        if as_json:
            print_line({**asdict(one), "dry_run": dry_run, "declared": declared})
        else:
            _say(one, declared, dry_run=dry_run)
    if not chosen and not as_json:
        click.echo("all records have readable names", err=True)


def _say(done: Renaming, declared: str | None, *, dry_run: bool) -> None:
    verb = "to be renamed" if dry_run else "renamed"
    click.echo(f"{done.source}: {done.renamed} records {verb}")
    if done.kept:
        click.echo(f"  {done.kept} keep a digest: what the source calls them is not legal in ours")
    if done.tombstones:
        fates = {
            "published": "stay under their old names",
            "unpublished": "are renamed, too",
            None: "stay if partners know them (--published), else are renamed, too",
        }
        click.echo(f"  {done.tombstones} tombstones {fates[declared]}")
    for old, new in done.examples:
        click.echo(f"  {old}  →  {new}")


def _tell(as_json: bool) -> Callable[[str, int, int], None]:
    def tell(source: str, done: int, expected: int) -> None:
        if not as_json:
            click.echo(f"{source}: {done} of {expected}", err=True)

    return tell
