"""``chm-hub held``: what waits for a person, and what the person says (rule R11)."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from chm_hub.printing import as_json, print_line, print_table, with_settings
from chm_hub.settings import Settings

if TYPE_CHECKING:
    from store.decisions import Held


@click.group()
def held() -> None:
    """Deletions that wait for a person, and sources that have become others."""


@held.command("list")
@click.option("--all", "everything", is_flag=True, help="What was decided, too.")
@as_json
@with_settings
def held_list(settings: Settings, everything: bool, as_json: bool) -> None:
    """List what waits, oldest first."""
    from store import open_store

    with open_store(settings) as store, store.explained():
        found = store.decisions.all() if everything else store.decisions.waiting()
    if as_json:
        for one in found:
            print_line(_plain(one))
        return
    if not found:
        click.echo("nothing waits for a decision", err=True)
        return
    print_table(
        ["source", "run", "since (UTC)", "records", "why", ""],
        [
            [
                one.source,
                one.run,
                f"{one.at:%Y-%m-%d %H:%M}",
                str(one.count or ""),
                ", ".join(f"{why} {n}" if one.count else why for why, n in one.why.items()),
                f"{one.decision} {one.decided:%Y-%m-%d}" if one.decided else "",
            ]
            for one in found
        ],
    )
    if any(one.decision is None for one in found):
        click.echo(
            "`chm-hub held show SOURCE` shows what is meant, `chm-hub held approve SOURCE` and "
            "`reject` decide",
            err=True,
        )


@held.command("show")
@click.argument("source")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@as_json
@with_settings
def held_show(settings: Settings, source: str, limit: int, as_json: bool) -> None:
    """Show the records whose deletion waits, with their titles and why."""
    from store import open_store

    with open_store(settings) as store, store.explained():
        waiting = store.decisions.waiting(source)
        for one in waiting:
            if not as_json and not one.count:
                click.echo("\n".join(one.why))
            for name, why in islice(store.decisions.names(one), limit):
                record = store.records.get(name)
                titles = record.record.get("title") if record else None
                title = " ".join(titles[0]["value"].split()) if titles else ""
                if as_json:
                    print_line({"identifier": name, "why": why, "title": title, "run": one.run})
                else:
                    click.echo(f"{name}\t{why}\t{title}")
            if one.count > limit and not as_json:
                click.echo(f"… and {one.count - limit} more (--limit)", err=True)
    if not waiting:
        click.echo(f"{source}: nothing waits", err=True)


@held.command("approve")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@as_json
@with_settings
def held_approve(settings: Settings, sources: tuple[str, ...], as_json: bool) -> None:
    """Delete what waits, or take a source as it is now. `undo` brings it back for 30 days."""
    from chm_hub import decide, watch
    from chm_hub.alerts import channels
    from store import open_store

    with open_store(settings) as store:
        for source in sources:
            run = decide.approve(store, source, datetime.now(UTC))
            watch.decided(store, source, channels(settings), datetime.now(UTC))
            if as_json:
                print_line(run.line())
            else:
                click.echo(f"{source}: {run.counts['deleted']} records deleted", err=True)


@held.command("reject")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@as_json
@with_settings
def held_reject(settings: Settings, sources: tuple[str, ...], as_json: bool) -> None:
    """Keep the records, whatever the source says, until it lists them again."""
    from chm_hub import decide, watch
    from chm_hub.alerts import channels
    from store import open_store

    with open_store(settings) as store:
        for source in sources:
            one = decide.reject(store, source, datetime.now(UTC))
            watch.decided(store, source, channels(settings), datetime.now(UTC))
            if as_json:
                print_line({**_plain(one), "decision": "rejected"})
            else:
                click.echo(f"{source}: {one.count} records stay", err=True)


@held.command("undo")
@click.argument("source")
@as_json
@with_settings
def held_undo(settings: Settings, source: str, as_json: bool) -> None:
    """Take the last decision of a source back, for up to 30 days."""
    from adapters.source import folders, load_sources
    from chm_hub import decide, views
    from store import open_store

    declared = load_sources(folders(settings), {source})
    if source not in declared:
        raise click.UsageError(f"no such source: {source}; `chm-hub sources list` shows them")
    groups = views.groups(settings)
    with open_store(settings) as store:
        run = decide.undo(store, declared[source], groups, datetime.now(UTC))
    if as_json:
        print_line(run.line())
    else:
        click.echo(f"{source}: {run.counts['new']} records are back", err=True)


def _plain(one: Held) -> dict[str, Any]:
    return {
        "source": one.source,
        "run": one.run,
        "at": one.at,
        "records": one.count,
        "why": one.why,
        "decision": one.decision,
        "decided": one.decided,
    }
