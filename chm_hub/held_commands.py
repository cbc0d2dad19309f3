"""``chm-hub held``: what waits for a person, and what the person says (rule R11)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Any

import click

from chm_hub.printing import as_json, print_line, print_table, with_settings
from chm_hub.settings import Settings

if TYPE_CHECKING:
    from store import Store
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
                ", ".join(one.why if one.jumps else (f"{why} {n}" for why, n in one.why.items())),
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
    """Show what has jumped, the records whose deletion waits with their titles and why, and what
    is new and not taken."""
    from store import open_store

    with open_store(settings) as store, store.explained():
        waiting = store.decisions.waiting(source)
        for one in waiting:
            if not as_json and one.jumps:
                click.echo("\n".join(one.why))
                _say_what_waits(store, one)
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
        if any(one.jumps for one in waiting):
            aside = (e for e in store.aside.of_source(source) if e.state == "held_back")
            for entry in islice(aside, limit):
                if as_json:
                    place = {"why": entry.state, "title": "", "run": entry.run, "page": entry.page}
                    print_line({"identifier": entry.identifier, **place})
                else:
                    click.echo(f"{entry.identifier}\theld back\tpage {entry.page}")
    if not waiting:
        click.echo(f"{source}: nothing waits", err=True)


@held.command("approve")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@as_json
@with_settings
def held_approve(settings: Settings, sources: tuple[str, ...], as_json: bool) -> None:
    """Delete what waits, and take a source as it is now. For 30 days `undo` brings back what was
    deleted, and judges the source again by what it was like before."""
    from chm_hub import decide, watch
    from chm_hub.alerts import channels
    from store import open_store

    with open_store(settings) as store:
        for source in sources:
            approved, run = decide.approve(store, source, store.now())
            watch.decided(store, source, channels(settings), store.now())
            if as_json:
                print_line(run.line())
                continue
            deleted, listed = run.counts["deleted"], sum(one.count for one in approved)
            if any(one.count or not one.jumps for one in approved):
                again = listed - deleted
                left = f", {again} left alone: listed again or deleted since" if again else ""
                click.echo(f"{source}: {deleted} records deleted{left}", err=True)
            for kind in (_kind(store, one) for one in approved if one.jumps):
                click.echo(
                    f"{source}: taken as it is now. The next run writes what it gives; "
                    f"`{_again(kind, source)}` does it at once",
                    err=True,
                )


@held.command("reject")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True)
@as_json
@with_settings
def held_reject(settings: Settings, sources: tuple[str, ...], as_json: bool) -> None:
    """Keep the records, whatever the source says, until it lists them again; do not take a source
    that has become another one."""
    from chm_hub import decide, watch
    from chm_hub.alerts import channels
    from store import open_store

    with open_store(settings) as store:
        for source in sources:
            rejected = decide.reject(store, source, store.now())
            watch.decided(store, source, channels(settings), store.now())
            for one in rejected:
                if as_json:
                    print_line({**_plain(one), "decision": "rejected"})
                else:
                    _say_rejected(one, _kind(store, one))


def _say_rejected(one: Held, kind: str) -> None:
    if one.count or not one.jumps:
        click.echo(f"{one.source}: {one.count} records stay", err=True)
    if one.jumps and kind == "map":
        click.echo(
            f"{one.source}: not taken; its records stay as they are. Each mapping is held "
            "again until its crosswalk is corrected",
            err=True,
        )
    elif one.jumps:
        click.echo(
            f"{one.source}: not taken; it goes on being judged by what it was like before. As "
            "long as it is as it is now each whole run is held again; `enabled = false` "
            "in its file stops that, and keeps its records",
            err=True,
        )


@held.command("undo")
@click.argument("source")
@as_json
@with_settings
def held_undo(settings: Settings, source: str, as_json: bool) -> None:
    """Take the last decision of a source back: an approval for up to 30 days, a rejection at any
    time."""
    from adapters.source import folders, load_sources
    from chm_hub import decide, views
    from store import open_store

    declared = load_sources(folders(settings), {source})
    if source not in declared:
        raise click.UsageError(f"no such source: {source}; `chm-hub sources list` shows them")
    groups = views.groups(settings)
    with open_store(settings) as store:
        undone, run = decide.undo(store, declared[source], groups, store.now())
        with store.explained():
            judged = any(store.decisions.profile(one.run) is not None for one in undone)
    if as_json:
        print_line(run.line())
        return
    back = run.counts["new"]
    said = [line for one in undone for line in _undone(one, back, judged=judged)]
    for line in dict.fromkeys(said):
        click.echo(f"{source}: {line}", err=True)


def _kind(store: Store, one: Held) -> str:
    """What kind of run was held: ``harvest`` or ``map``."""
    with store.explained():
        run = store.runs.get(one.run)
    return run.kind if run is not None else "harvest"


def _again(kind: str, source: str) -> str:
    """The command that does again what was held."""
    return f"chm-hub map {source}" if kind == "map" else f"chm-hub harvest {source} --full"


def _say_what_waits(store: Store, one: Held) -> None:
    """How much a held run brought, and what a decision does."""
    run = store.runs.get(one.run)
    if run is None:
        return
    aside = store.aside.of_source(one.source)
    new = sum(1 for entry in aside if entry.state == "held_back")
    click.echo(
        f"of {run.seen} documents {run.held_back} wait" + (f", {new} of them new" if new else "")
    )
    if one.count:
        click.echo(
            f"approve deletes {one.count} records under their old names and lets the next run take "
            "the new ones; reject keeps the old ones and takes none"
        )
    elif run.kind == "map":
        click.echo(f"`chm-hub map {one.source} --dry-run` shows what would become of the records")


def _undone(one: Held, back: int, *, judged: bool) -> Iterator[str]:
    """What undoing a decision did, and what it did not."""
    if one.decision == "rejected":
        yield f"no longer rejected: the next run asks again what {one.run} was held for"
        return
    if one.count or not one.jumps:
        yield f"{back} records are back"
    if one.jumps and judged:
        yield "the next run walks it whole, and judges it by what it was like before"
    if one.jumps:
        yield "what was written since it was taken stays; versions from before do not come back"


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
