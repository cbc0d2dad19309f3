"""``chm-hub backup``, ``restore`` and ``tidy``: keeping what there is, and letting go of what is
too old."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click

from chm_hub.errors import StoreError
from chm_hub.printing import as_json, print_line, with_settings
from chm_hub.settings import Settings


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@as_json
@with_settings
def backup(settings: Settings, file: Path, as_json: bool) -> None:
    """Write everything in the store to FILE. Harvests may go on meanwhile."""
    from store import backup as copies
    from store import open_store

    with open_store(settings) as store, store.explained():
        counts = copies.backup(store.database, file, datetime.now(UTC), _tell(as_json))
    if as_json:
        print_line({"file": str(file), "bytes": file.stat().st_size, "counts": dict(counts)})
    else:
        click.echo(f"{file}: {sum(counts.values())} documents, {file.stat().st_size} bytes")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--replace", is_flag=True, help="In place of what the store holds now.")
@as_json
@with_settings
def restore(settings: Settings, file: Path, replace: bool, as_json: bool) -> None:
    """Put what FILE holds into the store, which must be empty. FILE is checked whole before."""
    from store import backup as copies
    from store import open_store

    header = copies.check(file)
    with open_store(settings) as store, store.explained():
        if not replace and not copies.is_empty(store.database):
            raise StoreError(
                f"{store.where}: the store is not empty. Restore into another one (--data, "
                "CHM_HUB_MONGODB_URI), or say --replace to lose what is in this one"
            )
        counts = copies.restore(store.database, file, datetime.now(UTC), _tell(as_json))
        store.prepare()
    if dict(counts) != header["counts"]:
        raise StoreError(f"{file}: not all of it came: {dict(counts)} of {header['counts']}")
    if as_json:
        print_line({"file": str(file), "made": header["made"], "counts": dict(counts)})
    else:
        made = f"{header['made']:%Y-%m-%d %H:%M:%S}"
        click.echo(f"{sum(counts.values())} documents as they were at {made} UTC")


def _tell(quiet: bool) -> Callable[[str, int], None]:
    def tell(name: str, count: int) -> None:
        if not quiet and count:
            click.echo(f"{name}: {count} documents", err=True)

    return tell


@click.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every source that was ever harvested.")
@click.option("--dry-run", is_flag=True, help="Say what would be let go, and keep it.")
@as_json
@with_settings
def tidy(
    settings: Settings, ids: tuple[str, ...], everything: bool, dry_run: bool, as_json: bool
) -> None:
    """Let go of kept answers that are too old to be of use: older than CHM_HUB_KEEP_DAYS, not of
    the last three runs, and not what a record or a document was last made from."""
    from store import open_store
    from store.retention import tidy as let_go

    if bool(ids) is everything:
        raise click.UsageError("name at least one source, or say --all")
    busy = False
    with open_store(settings) as store:
        with store.explained():
            known = store.runs.sources()
        for source in ids or known:
            try:
                with store.explained():
                    oldest = datetime.now(UTC) - timedelta(days=settings.keep_days)
                    done = let_go(store, source, oldest, lambda: datetime.now(UTC), dry_run=dry_run)
            except StoreError as error:
                if error.reason != "leased":
                    raise
                busy = True
                click.echo(f"chm-hub: {error}", err=True)
                continue
            told = {"source": source, "pages": done.pages, "bytes": done.size, "kept": done.kept}
            if as_json:
                print_line(told)
            elif done.pages:
                verb = "would be let go" if dry_run else "let go"
                click.echo(f"{source}: {done.pages} pages {verb}, {done.size} bytes")
    if busy:
        click.get_current_context().exit(1)
