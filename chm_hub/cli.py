"""The command line (architecture §7). Each command is a thin shell around one function."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import click

from adapters.source import FOLDER, Source, folders, load_sources, load_usable
from chm_hub import __version__, logs
from chm_hub import settings as configuration
from chm_hub.backup_commands import backup, restore, tidy
from chm_hub.certify_command import certify
from chm_hub.errors import CrosswalkError, HubError, SourceError, StoreError
from chm_hub.held_commands import held
from chm_hub.identifier_commands import identifiers
from chm_hub.ledger_commands import ledger, manifest, where
from chm_hub.printing import (
    LEFT_OUT,
    Progress,
    as_json,
    print_line,
    print_table,
    usable_sources,
    with_settings,
)
from chm_hub.settings import Settings
from chm_hub.told import sentences
from chm_hub.vocabulary_commands import vocabularies
from chm_hub.watch_commands import alerts, health
from mappings import tables

AT_ONCE = 8
"""Sources harvested at the same time by one command; hosts are asked one request at a time
whatever this is."""
PREVIEW = 3
"""Documents shown of a new source."""


class _Commands(click.Group):
    """The root of the command line: turns the hub's errors into messages and exit codes."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run a command; 0 all well, 1 something failed, 2 usage or configuration."""
        try:
            done = super().invoke(ctx)
            if ctx.meta.get(LEFT_OUT):
                ctx.exit(2)
            return done
        except (SourceError, CrosswalkError) as error:
            _complain(error)
            ctx.exit(2)
        except HubError as error:
            _complain(error)
            ctx.exit(1)
        except KeyboardInterrupt:
            click.echo("interrupted; what was stored is kept, the next run goes on", err=True)
            ctx.exit(1)
        except BrokenPipeError:
            sys.stderr.close()
            ctx.exit(1)


def _complain(error: HubError) -> None:
    for line in str(error).splitlines():
        click.echo(f"chm-hub: {line}", err=True)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--data",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the hub keeps its own files (default: CHM_HUB_DATA, else ./var).",
)
@click.version_option(__version__, prog_name="chm-hub")
@click.pass_context
def main(ctx: click.Context, data: Path | None) -> None:
    """Harvest the Clearing-House network, map it to one record model, republish it."""
    ctx.obj = configuration.load(data=data)
    logs.setup(ctx.obj)
    tables.use(ctx.obj.data / "vocabularies")


main.add_command(backup)
main.add_command(restore)
main.add_command(tidy)
main.add_command(certify)
main.add_command(held)
main.add_command(identifiers)
main.add_command(ledger)
main.add_command(manifest)
main.add_command(where)
main.add_command(vocabularies)
main.add_command(health)
main.add_command(alerts)


# --- sources -----------------------------------------------------------------------------


def _chosen(
    settings: Settings, ids: tuple[str, ...], everything: bool, *, disabled: bool = False
) -> list[Source]:
    if everything:
        if ids:
            raise click.UsageError("name sources or say --all, not both")
        usable = usable_sources(settings).values()
        return [source for source in usable if source.declared.enabled or disabled]
    sources = load_sources(folders(settings), ids or None)
    if not ids:
        raise click.UsageError("name at least one source, or say --all; see `chm-hub sources list`")
    unknown = [i for i in ids if i not in sources]
    if unknown:
        raise SourceError(
            f"no such source: {', '.join(unknown)}. `chm-hub sources list` shows those there are; "
            "`chm-hub sources new ID --url URL` makes one."
        )
    return [sources[i] for i in dict.fromkeys(ids)]


@main.group()
def sources() -> None:
    """The declared sources."""


@sources.command("list")
@as_json
@with_settings
def sources_list(settings: Settings, as_json: bool) -> None:
    """List all sources."""
    rows = usable_sources(settings).values()
    if as_json:
        for source in rows:
            print_line(_describe(source))
        return
    print_table(
        ["source", "title", "adapter", "schedule", "countries", ""],
        [
            [
                source.id,
                source.declared.title,
                source.declared.adapter,
                source.declared.schedule,
                " ".join(source.countries),
                "" if source.declared.enabled else f"off: {source.declared.reason}",
            ]
            for source in rows
        ],
    )


@sources.command("check")
@with_settings
def sources_check(settings: Settings) -> None:
    """Check every source file and crosswalk; all mistakes are named at once, and secrets that are
    not there."""
    from adapters import where
    from mappings import crosswalk

    found, wrong = load_usable(folders(settings))
    faults = list(wrong.values())
    names = crosswalk.names(settings.crosswalks)
    for name in sorted({s.crosswalk for s in found.values()} | set(names)):
        try:
            crosswalk.load(name, settings.crosswalks)
        except CrosswalkError as error:
            faults.append(str(error))
    if faults:
        raise SourceError("\n".join(faults))
    for source in found.values():
        if source.declared.enabled:
            if not source.says_where:
                click.echo(f"chm-hub: {source.path}: {where.MISSING}", err=True)
            try:
                source.secret()
            except SourceError as error:
                # Where sources are checked need not be where they are harvested.
                click.echo(f"chm-hub: {error}", err=True)
    click.echo(f"{len(found)} sources and {len(names)} crosswalks are in order", err=True)


@sources.command("show")
@click.argument("source_id", metavar="ID")
@as_json
@with_settings
def sources_show(settings: Settings, source_id: str, as_json: bool) -> None:
    """Show one source as the hub understands it."""
    (source,) = _chosen(settings, (source_id,), False)
    if as_json:
        print_line(_describe(source))
        return
    for key, value in _describe(source).items():
        if value not in (None, [], {}):
            click.echo(f"{key:12} {value if isinstance(value, str) else json.dumps(value)}")


@sources.command("new")
@click.argument("source_id", metavar="ID")
@click.option("--url", required=True, help="The portal's, feed's or endpoint's address.")
@click.option("--adapter", help="Its platform; asked of the server if not given.")
@click.option("--title", help="Its name; taken from the server if not given.")
@click.option("--country", help="ISO 3166-1 alpha-2 code, or none; proposed if not given.")
@with_settings
def sources_new(
    settings: Settings,
    source_id: str,
    url: str,
    adapter: str | None,
    title: str | None,
    country: str | None,
) -> None:
    """Write a source file, after a look at what the address answers, and show what comes."""
    from adapters import where
    from adapters.detect import Found, detect
    from adapters.source import IDENTIFIER, read_source, template
    from chm_hub import fetch
    from chm_hub.pipeline import Wanted
    from chm_hub.rehearsal import rehearse

    if not IDENTIFIER.fullmatch(source_id):
        raise SourceError(f"{source_id}: an identifier has small letters, digits, - and _ only")
    folder = settings.sources[0] if settings.sources else FOLDER
    path = folder / f"{source_id}.toml"
    if path.exists() or source_id in load_sources(folders(settings), {source_id}):
        raise SourceError(f"{path}: the source {source_id} is there already; edit its file")

    async def look(downloads: fetch.Downloads) -> None:
        found: Found = await detect(downloads.client(), url, adapter)
        click.echo(f"{found.url}: {found.said}", err=True)
        addresses, names = (url, found.url, *found.hosts), (title or found.title,)
        proposal = where.propose(addresses, names)

        def written(country: str | None) -> str:
            return template(
                {
                    "title": title or found.title,
                    **({"country": country} if country else {}),
                    "adapter": found.adapter,
                    "url": found.url,
                    **({"languages": list(found.languages)} if found.languages else {}),
                    **found.keys,
                },
                found.options,
            )

        text = written(country or proposal.country)
        path.write_text(text, "utf-8")
        source, faults = read_source(path)
        if source is None:
            path.unlink()
            raise SourceError(
                "\n".join(faults) + f"\nNothing was written. Name what is missing in a file {path} "
                f"of your own (docs/adapters/{found.adapter}.md), or choose another --adapter"
            )
        click.echo(text)
        click.echo(f"{path} written. The first documents:", err=True)
        client = _client(downloads, source)
        wanted = Wanted(most=PREVIEW)
        told, own, now = [], settings.crosswalks, datetime.now(UTC)
        try:
            async for dry in rehearse(source, own, client, wanted, now):
                _show_short(dry)
                if record := dry.outcome.record:
                    told.append((record.spatial, record.language))
        except HubError as error:
            click.echo(f"chm-hub: {error}", err=True)
        if not country and not proposal.country:
            proposal = where.propose(addresses, names, told)
            if proposal.country:
                path.write_text(written(proposal.country), "utf-8")
        if not country:
            click.echo(proposal.told(path), err=True)
        click.echo(f"Next: chm-hub harvest {source_id} --dry-run --max 5", err=True)

    with _turns_of_others(settings) as turns:
        fetch.run(settings, look, turns)


def _show_short(dry: Any) -> None:
    """One document of a preview, in a line or two."""
    record = dry.outcome.record
    if record is None:
        why = dry.outcome.skipped or dry.outcome.rejected or "deleted"
        click.echo(f"  {dry.document.identifier}: no record ({why})", err=True)
        return
    name = record.title[0].value if record.title else "(without a title)"
    parts = [record.type, *record.spatial, record.modified or record.issued, record.url]
    click.echo(f"  {name}\n    {', '.join(str(p) for p in parts if p)}", err=True)
    for issue in dry.outcome.issues[:3]:
        click.echo(f"    issue: {issue.field}: {issue.message}", err=True)


# --- views -------------------------------------------------------------------------------


@main.group("views")
def views_group() -> None:
    """What partners and regional hubs put together: OAI sets of their own."""


@views_group.command("list")
@as_json
@with_settings
def views_list(settings: Settings, as_json: bool) -> None:
    """List all views with the number of their records."""
    from chm_hub import views
    from store import open_store

    declared = views.load(views.folders(settings))
    with open_store(settings) as store, store.explained():
        counts = store.records.counts()
    for view in declared:
        count = counts.get(view.spec)
        live = count.live if count else 0
        if as_json:
            print_line({"name": view.name, "set": view.spec, "title": view.title, "records": live})
        else:
            click.echo(f"{view.spec:30} {live:>7}  {view.title}")
    if not declared and not as_json:
        click.echo("no views; docs/for-partners.md tells how to declare one", err=True)


@views_group.command("check")
@with_settings
def views_check(settings: Settings) -> None:
    """Check every view's file and name all mistakes at once."""
    from chm_hub import views

    declared = views.load(views.folders(settings))
    click.echo(f"{len(declared)} views, all as they should be")


@views_group.command("apply")
@as_json
@with_settings
def views_apply(settings: Settings, as_json: bool) -> None:
    """Give every record its sets anew after views were added or changed; no harvest."""
    from chm_hub import views
    from store import open_store

    groups = views.groups(settings)
    with open_store(settings) as store, store.explained():
        done = views.apply(
            store,
            groups,
            usable_sources(settings),
            store.now,
            (lambda source, seen: None)
            if as_json
            else (lambda source, seen: click.echo(f"{source}: {seen} records looked at", err=True)),
        )
    if as_json:
        print_line({"seen": done.seen, "changed": done.changed, "busy": done.busy})
    else:
        click.echo(f"{done.seen} records looked at, {done.changed} are in other sets now")
    if done.busy:
        click.echo(
            f"chm-hub: being harvested, left for now: {', '.join(done.busy)}. Run it again later",
            err=True,
        )
        click.get_current_context().exit(1)


def _describe(source: Source) -> dict[str, Any]:
    declared = source.declared
    return {
        "id": source.id,
        "title": declared.title,
        "adapter": declared.adapter,
        "url": declared.url,
        "crosswalk": source.crosswalk,
        "deletions": source.deletions,
        "schedule": declared.schedule,
        "countries": source.countries,
        "region": declared.region,
        "system": source.system,
        "languages": declared.languages,
        "rights": declared.rights,
        "republish": declared.republish,
        "enabled": declared.enabled,
        "reason": declared.reason,
        "group": declared.group,
        "contact": declared.contact,
        "options": declared.options,
        "file": str(source.path),
    }


# --- harvest, map, explain ---------------------------------------------------------------


@main.command()
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every source that is enabled.")
@click.option("--full", is_flag=True, help="Ask for everything, not only for what is new.")
@click.option("--since", help="Ask for what changed since then (2026-11-01 or with a time).")
@click.option("--dry-run", is_flag=True, help="Fetch and map, store nothing.")
@click.option("--max", "most", type=click.IntRange(min=1), help="Stop after about so many.")
@click.option("--approve-deletions", is_flag=True, help="Carry out deletions a run was held for.")
@click.option("--due", hidden=True, help="When the schedule wanted it.")
@as_json
@with_settings
def harvest(
    settings: Settings,
    ids: tuple[str, ...],
    everything: bool,
    full: bool,
    since: str | None,
    dry_run: bool,
    most: int | None,
    approve_deletions: bool,
    due: str | None,
    as_json: bool,
) -> None:
    """Harvest sources now."""
    from chm_hub.pipeline import Wanted

    chosen = _chosen(settings, ids, everything)
    wanted = Wanted(
        full=full or since is not None,
        since=_moment(since) if since else None,
        most=most,
        approve_deletions=approve_deletions,
        due=datetime.fromisoformat(due) if due else None,
    )
    if dry_run:
        _rehearse(settings, chosen, wanted, as_json)
        return
    runs = harvest_sources(settings, chosen, wanted, as_json=as_json)
    _end(failed=any(not run["state"].startswith("complete") for run in runs))


def _end(*, failed: bool) -> None:
    """End a command with 1 where something failed, but where it ends with 2 anyway."""
    context = click.get_current_context()
    if failed and not context.meta.get(LEFT_OUT):
        context.exit(1)


def harvest_sources(
    settings: Settings, chosen: list[Source], wanted: Any, *, as_json: bool
) -> list[dict[str, Any]]:
    """Harvest some sources side by side; prints a line each and returns their lines."""
    import asyncio

    from chm_hub import fetch, views, watch
    from chm_hub.alerts import channels
    from chm_hub.pipeline import Hub
    from chm_hub.pipeline import harvest as harvest_one
    from chm_hub.turns import turns
    from store import open_store

    told = channels(settings)
    lines: list[dict[str, Any]] = []
    groups = views.groups(settings)
    with open_store(settings) as store, Progress(not as_json) as progress:

        async def all_of_them(downloads: fetch.Downloads) -> None:
            room = asyncio.Semaphore(AT_ONCE)

            async def one(source: Source) -> None:
                async with room:
                    hub = Hub(
                        store=store,
                        crosswalk_folders=settings.crosswalks,
                        groups=groups,
                        clock=store.now,
                        progress=progress.show,
                        channels=told,
                    )
                    client = _client(downloads, source)
                    try:
                        run = await harvest_one(source, hub, client, wanted)
                        line = run.line()
                    except (StoreError, CrosswalkError, SourceError) as error:
                        # One source's trouble is not the others' (P5).
                        line = _failed(source.id, error)
                        now = datetime.now(UTC)
                        await asyncio.to_thread(
                            watch.not_begun, store, source.id, source.declared.title,
                            error, told, now,
                        )  # fmt: skip
                    lines.append(line)
                    progress.done(line, as_json)

            async with asyncio.TaskGroup() as group:
                for source in chosen:
                    group.create_task(one(source))

        fetch.run(settings, all_of_them, turns(store, settings.host_delay))
    for line in lines:
        if not line["state"].startswith("complete"):
            click.echo(f"chm-hub: {line['source']}: {line['state']}: {line['reason']}", err=True)
    return lines


@contextlib.contextmanager
def _store_of_others(settings: Settings) -> Iterator[Any]:
    """The store, for a look that stores nothing: what there is, and whose turn it is at a host.
    ``None`` where there is none to be had: a look starts no engine where there never was one."""
    from store import engine, open_store

    running = settings.mongodb_uri or engine.read_address(settings.data)
    if not running and not (settings.data / engine.FILES).is_dir():
        yield None
        return
    try:
        store = open_store(settings)
    except StoreError as error:
        click.echo(f"chm-hub: {error} Who else asks these hosts now is not known.", err=True)
        yield None
        return
    with store:
        yield store


@contextlib.contextmanager
def _turns_of_others(settings: Settings) -> Iterator[Any]:
    """The turns at hosts of all who harvest into the store, for a look that stores nothing."""
    from chm_hub.turns import turns

    with _store_of_others(settings) as store:
        yield turns(store, settings.host_delay) if store and settings.host_delay else None


def _client(downloads: Any, source: Source) -> Any:
    """The client of a source, with the limits and exceptions that its file states."""
    excused = source.excused(datetime.now(UTC).date())
    return downloads.client(source.declared.group, source.options.limits(), excused=excused)


def _failed(source: str, error: HubError, kind: str = "harvest") -> dict[str, Any]:
    from store import Run

    now = datetime.now(UTC)
    run = Run(identifier="", source=source, kind=kind, started=now, ended=now, state="failed")
    run.reason = str(error)
    run.error = error.reason if isinstance(error, StoreError) else type(error).__name__
    return run.line()


def _rehearse(settings: Settings, chosen: list[Source], wanted: Any, as_json: bool) -> None:
    from chm_hub import fetch, views
    from chm_hub.pipeline import Hub
    from chm_hub.rehearsal import Preview, rehearse
    from chm_hub.turns import turns

    with _store_of_others(settings) as store:
        groups = views.groups(settings) if store is not None else None

        async def look(downloads: fetch.Downloads) -> int:
            faults = 0
            for source in chosen:
                client, preview = _client(downloads, source), None
                try:
                    if store is not None and groups is not None:
                        hub = Hub(
                            store=store,
                            crosswalk_folders=settings.crosswalks,
                            groups=groups,
                            clock=store.now,
                        )
                        preview = Preview(source, hub)
                    now, own = datetime.now(UTC), settings.crosswalks
                    async for dry in rehearse(source, own, client, wanted, now, preview):
                        _show_dry(source, dry, as_json)
                except HubError as error:
                    faults += 1
                    click.echo(f"chm-hub: {source.id}: {error}", err=True)
                if preview is not None and preview.live:
                    _show_preview(source, preview, as_json)
            return faults

        at_hosts = turns(store, settings.host_delay) if store and settings.host_delay else None
        faults = fetch.run(settings, look, at_hosts)
    if faults:
        click.get_current_context().exit(1)


def _show_preview(source: Source, preview: Any, as_json: bool) -> None:
    """What a run would do to the records there are, after the documents."""
    from chm_hub.rehearsal import sentences

    told = preview.told()
    if as_json:
        print_line({"source": source.id, "summary": told})
        return
    click.secho(f"— {source.id}", bold=True)
    for line in sentences(told):
        click.echo(line)


def _show_dry(source: Source, dry: Any, as_json: bool) -> None:
    from chm_hub.record import to_dict

    outcome = dry.outcome
    record = to_dict(outcome.record) if outcome.record is not None else None
    line = {
        "source": source.id,
        "identifier": dry.document.identifier,
        "document": dry.document.body,
        "deleted": dry.document.deleted or outcome.deleted,
        "skipped": outcome.skipped,
        "rejected": outcome.rejected,
        "record": record,
        "issues": [f"{issue.field}: {issue.message}" for issue in outcome.issues],
        "unread": dry.unread,
    }
    if as_json:
        print_line(line)
        return
    click.secho(f"— {dry.document.identifier}", bold=True)
    for part in ("document", "record"):
        click.echo(f"{part}: {json.dumps(line[part], ensure_ascii=False, indent=2, default=str)}")
    for part in ("skipped", "rejected", "issues", "unread"):
        if line[part]:
            click.echo(f"{part}: {json.dumps(line[part], ensure_ascii=False)}")


@main.command("map")
@click.argument("ids", metavar="[ID]...", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="Every source.")
@click.option("--dry-run", is_flag=True, help="Map and show, store nothing.")
@click.option("--max", "most", type=click.IntRange(min=1), help="With --dry-run; 5 if not said.")
@click.option("--approve-deletions", is_flag=True, help="Carry out deletions a run was held for.")
@click.option("--queue", is_flag=True, help="Hand it to the workers and end.")
@as_json
@with_settings
def map_again(
    settings: Settings,
    ids: tuple[str, ...],
    everything: bool,
    dry_run: bool,
    most: int | None,
    approve_deletions: bool,
    queue: bool,
    as_json: bool,
) -> None:
    """Map stored documents again, without the network."""
    if queue:
        if dry_run or most is not None or approve_deletions:
            raise click.UsageError(
                "--queue goes without --dry-run, --max and --approve-deletions: workers map all of "
                "a source, show nothing, and approve nothing"
            )
        chosen = _chosen(settings, ids, everything, disabled=True)
        _hand_to_workers(settings, [source.id for source in chosen])
        _end(failed=False)
        return
    from chm_hub import views
    from chm_hub.alerts import channels
    from chm_hub.pipeline import Hub, remap
    from chm_hub.rehearsal import Preview, rehearse_one
    from mappings import crosswalk
    from store import open_store

    chosen = _chosen(settings, ids, everything, disabled=True)
    groups = views.groups(settings)
    failed = False
    with open_store(settings) as store, Progress(not as_json and not dry_run) as progress:
        for source in chosen:
            run = None
            hub = Hub(
                store=store,
                crosswalk_folders=settings.crosswalks,
                groups=groups,
                clock=store.now,
                progress=progress.show,
                channels=channels(settings),
            )
            try:
                if dry_run:
                    rules = crosswalk.load(source.crosswalk, settings.crosswalks)
                    with store.explained():
                        for record in islice(store.records.of_source(source.id), most or 5):
                            page = store.documents.page(record.page)
                            document = page.documents[record.index]
                            url = page.payloads[document.payload]["url"]
                            dry = rehearse_one(source, rules, document, url, datetime.now(UTC))
                            _show_dry(source, dry, as_json)
                        preview = Preview(source, hub)
                        preview.kept()
                        if preview.live:
                            _show_preview(source, preview, as_json)
                    continue
                run = remap(source, hub, approve_deletions=approve_deletions)
                line = run.line()
            except (StoreError, CrosswalkError, SourceError) as error:
                # One source's trouble is not the others' (P5).
                line = _failed(source.id, error, "map")
            progress.done(line, as_json)
            if not line["state"].startswith("complete"):
                failed = True
                click.echo(f"chm-hub: {source.id}: {line['state']}: {line['reason']}", err=True)
            if run is not None and run.issues and not as_json:
                _show_issues(run.issues.most_common(10), run.examples)
    _end(failed=failed)


def _hand_to_workers(settings: Settings, sources: list[str]) -> None:
    if not settings.broker_url:
        raise SourceError("CHM_HUB_BROKER_URL is not set: there are no workers to hand this to")
    from scheduler import worker as workers

    workers.send_map(settings, sources)
    click.echo(f"{len(sources)} sources handed to the workers; `chm-hub runs` shows them", err=True)


@main.command()
@click.argument("identifier", metavar="RECORD")
@as_json
@with_settings
def explain(settings: Settings, identifier: str, as_json: bool) -> None:
    """Say where each field of a record came from."""
    from mappings import crosswalk
    from mappings.unread import unread
    from store import open_store

    name = identifier.removeprefix(f"oai:{settings.repository_id}:")
    with open_store(settings) as store, store.explained():
        record = store.records.get(name)
        if record is None:
            raise StoreError(
                f"{name}: no such record. Records are named SOURCE/LOCAL; `chm-hub records --json` "
                "lists them."
            )
        page = store.documents.page(record.page)
    document = page.documents[record.index]
    source = _chosen(settings, (name.partition("/")[0],), False)[0]
    rules = crosswalk.load(source.crosswalk, settings.crosswalks)
    fields = (
        []
        if record.deleted
        else [
            {
                "field": line.field,
                "expression": line.expression,
                "value": line.value,
                "reads": sorted(line.reads),
            }
            for line in crosswalk.explain(rules, document, source.as_context())
        ]
    )
    told = {
        "identifier": name,
        "oai": f"oai:{settings.repository_id}:{name}",
        "source_identifier": document.identifier,
        "datestamp": record.datestamp,
        "deleted": record.deleted,
        "sets": list(record.sets),
        "provenance": record.record.get("provenance"),
        "fields": fields,
        "unread": [] if record.deleted else unread(rules, document),
        "page": record.page,
        "payloads": page.payloads,
        "document": document.body,
    }
    if as_json:
        print_line(told)
        return
    click.secho(f"{told['oai']}", bold=True)
    click.echo(f"at source {document.identifier}")
    click.echo(f"datestamp {record.datestamp}{', deleted' if record.deleted else ''}")
    click.echo(f"sets      {' '.join(record.sets)}")
    for payload in page.payloads[:3]:
        click.echo(f"from      {payload['url']} ({payload['fetched']:%Y-%m-%d %H:%M:%S} UTC)")
    click.echo(f"kept as   page {record.page}, document {record.index}")
    for line in fields:
        value = json.dumps(line["value"], ensure_ascii=False, default=str)
        click.secho(f"\n{line['field']}", bold=True)
        click.echo(f"  {' '.join(str(line['expression']).split())}")
        click.echo(f"  = {value if len(value) < 500 else value[:500] + '…'}")
    if told["unread"]:
        click.echo("\nnobody reads: " + ", ".join(map(str, told["unread"])))


# --- looking at the store ----------------------------------------------------------------


@main.command()
@click.argument("source_id", metavar="[ID]", required=False)
@click.option("--limit", type=click.IntRange(min=1, max=1000), default=20)
@as_json
@with_settings
def runs(settings: Settings, source_id: str | None, limit: int, as_json: bool) -> None:
    """Show the history of runs, newest first, of all sources or of one."""
    from chm_hub import placeless, unread_values
    from store import open_store

    nowhere = None
    with open_store(settings) as store, store.explained():
        if source_id:
            history = store.runs.history(source_id, limit)
            declared = load_usable(folders(settings), {source_id})[0].get(source_id)
            if declared is not None and not as_json:
                nowhere = placeless.reason(store, declared)
        else:
            history = [r for s in store.runs.sources() for r in store.runs.history(s, limit)]
    history.sort(key=lambda run: run.started, reverse=True)
    history = history[:limit]
    if as_json:
        for run in history:
            issues = [
                {"issue": text, "count": n, "example": run.examples.get(text)}
                for text, n in run.issues.most_common()
            ]
            print_line({**run.line(), "issue_list": issues})
        return
    print_table(
        ["run", "state", "seen", "new", "changed", "unchanged", "deleted", "issues", "started", ""],
        [
            [
                run.identifier,
                run.state,
                *(str(n) for n in (run.seen, *(run.counts[c] for c in _SHOWN))),
                str(sum(run.issues.values())),
                f"{run.started:%Y-%m-%d %H:%M:%S}",
                run.why or "",
            ]
            for run in history
        ],
    )
    if source_id and history:
        for sentence in sentences(history[0].line()):
            click.echo(sentence)
        _show_issues(history[0].issues.most_common(20), history[0].examples)
        for sentence in unread_values.sentences(history[0].unread or {"unread": 0}):
            click.echo(sentence)
    if nowhere is not None:
        click.echo(f"{nowhere.text}. To do: {nowhere.do}")


_SHOWN = ("new", "changed", "unchanged", "deleted")


def _show_issues(issues: list[tuple[str, int]], examples: dict[str, str]) -> None:
    for text, count in issues:
        click.echo(f"{count:6}  {text}  (such as {examples.get(text)})")


@main.command()
@click.option("--set", "set_spec", help="Only records of this OAI set, such as country:KE.")
@click.option("--source", "source_id", help="Only records of this source.")
@click.option("--with-deleted", is_flag=True, help="Tombstones too.")
@click.option("--count", is_flag=True, help="Only their number.")
@as_json
@with_settings
def records(
    settings: Settings,
    set_spec: str | None,
    source_id: str | None,
    with_deleted: bool,
    count: bool,
    as_json: bool,
) -> None:
    """Read the record store."""
    from chm_hub.natives import named
    from store import open_store

    if set_spec and source_id:
        raise click.UsageError("say --set or --source, not both")
    with open_store(settings) as store, store.explained():
        if count:
            totals = store.records.counts()
            if source_id:
                keys = [f"source:{source_id}", f"~source:{source_id}"]
            else:
                keys = [set_spec] if set_spec else ["", "~all"]
            found = [totals[key] for key in keys if key in totals]
            number = sum(c.live + (c.deleted if with_deleted else 0) for c in found)
            click.echo(json.dumps({"count": number}) if as_json else number)
            return
        reading = store.records.of_source(source_id) if source_id else store.records.read(set_spec)
        for record in reading:
            if record.deleted and not with_deleted:
                continue
            head = {
                "identifier": record.identifier,
                "oai": f"oai:{settings.repository_id}:{record.identifier}",
                "source": record.identifier.partition("/")[0],
                "datestamp": record.datestamp,
                "deleted": record.deleted,
                "sets": list(record.sets),
                "seq": record.seq,
            }
            if as_json:
                print_line({**named(store, record), **head})
            else:
                titles = record.record.get("title") or [{"value": ""}]
                kind = "(deleted)" if record.deleted else record.record.get("type", "")
                click.echo(f"{record.identifier}\t{kind}\t{' '.join(titles[0]['value'].split())}")


# --- serving -----------------------------------------------------------------------------


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--workers", type=click.IntRange(1, 64), default=2, show_default=True)
@with_settings
def serve(settings: Settings, host: str, port: int, workers: int) -> None:
    """Serve the OAI endpoint and the pages under gunicorn."""
    from chm_hub import web
    from store import open_store

    with open_store(settings):  # whatever is wrong with the store is said here, once
        pass
    click.echo(f"serving on http://{host}:{port}/ (OAI-PMH at /oai), Ctrl-C stops", err=True)
    web.serve(_reached_at(settings, host, port), host, port, workers)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@with_settings
def up(settings: Settings, host: str, port: int) -> None:
    """Run engine, scheduler and web in one foreground process."""
    from store import open_store

    with (
        _serving(settings, host, port) as stopping,
        open_store(settings) as store,
        _scheduler(settings, store),
    ):
        stopping.wait()


def _scheduler(settings: Settings, store: Any) -> Any:
    from scheduler.schedule import Scheduler

    if not settings.broker_url:
        return Scheduler(settings, store)
    from scheduler import worker

    return Scheduler(settings, store, send=worker.send(settings))


@main.command()
@click.option("--list", "listing", is_flag=True, help="Show what is due when, and end.")
@as_json
@with_settings
def schedule(settings: Settings, listing: bool, as_json: bool) -> None:
    """Run the scheduler alone; any number of them may run over one store."""
    from scheduler.schedule import dates
    from store import open_store

    with open_store(settings) as store:
        if listing:
            _show_dates(dates(store, datetime.now(UTC)), as_json)
            return
        with _signalled() as stopping, _scheduler(settings, store):
            click.echo("scheduling; Ctrl-C stops", err=True)
            stopping.wait()
    click.echo("stopped", err=True)


def _show_dates(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print_line(row)
        return
    print_table(
        ["source", "due (UTC)", "", "failures"],
        [
            [
                row["source"],
                f"{row['due']:%Y-%m-%d %H:%M:%S}",
                "running" if row["running"] else "",
                str(row["failures"] or ""),
            ]
            for row in rows
        ],
    )
    if not rows:
        click.echo("nothing is scheduled yet; `chm-hub up` or `chm-hub schedule` begins", err=True)


@main.command()
@click.option(
    "--concurrency", type=click.IntRange(1, 64), default=2, show_default=True, help="Runs at once."
)
@with_settings
def worker(settings: Settings, concurrency: int) -> None:
    """Be a Celery worker: do harvests and replays that the broker hands out."""
    if not settings.broker_url:
        raise SourceError(
            "CHM_HUB_BROKER_URL is not set: there is no broker to take work from. Set it (such as "
            "redis://127.0.0.1:6379/0), or run `chm-hub up` or `chm-hub schedule` without workers."
        )
    import importlib.util

    if importlib.util.find_spec("celery") is None:
        raise SourceError("Celery is not installed: pip install 'chm-hub[worker]'")
    from scheduler import worker as workers
    from store import open_store

    with open_store(settings):  # what is wrong with the store is said here, once
        pass
    workers.work(settings, concurrency)


@main.command()
@click.option("--host", default="127.0.0.1", show_default=True)
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True)
@click.option("--once", is_flag=True, help="Harvest, print the summary, stop.")
@click.option("--seed", type=int, default=1, show_default=True)
@as_json
@with_settings
def demo(settings: Settings, host: str, port: int, once: bool, seed: int, as_json: bool) -> None:
    """Start the demonstration network, harvest all of it, then serve."""
    from ipaddress import ip_network

    from chm_hub import web
    from chm_hub.pipeline import Wanted
    from demo.hosts import KEY
    from demo.network import Network

    if not once:
        web.check_port(host, port)
    settings = replace(
        settings,
        # The network is our own and on loopback: no need to be slow with it.
        egress_allow=(*settings.egress_allow, ip_network("127.0.0.1/32")),
        host_delay=0.0,
    )
    os.environ.setdefault("CHM_HUB_DEMO_KEY", KEY)
    with Network(seed=seed) as network, _declared(settings, network.sources()) as names:
        if not as_json:
            click.echo(f"demonstration network at {network.url}", err=True)
        chosen = [s for s in _chosen(settings, names, False) if s.declared.enabled]
        lines = harvest_sources(settings, chosen, Wanted(), as_json=as_json)
        if once:
            if any(not line["state"].startswith("complete") for line in lines):
                click.get_current_context().exit(1)
            return
        with _serving(settings, host, port) as stopping:
            stopping.wait()


@contextlib.contextmanager
def _declared(settings: Settings, texts: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """The demonstration network's source files, enabled for as long as it runs. They stay, so
    that what was harvested can be explained and mapped again."""
    folder = settings.data / "sources"
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        (folder / f"{name}.toml").write_text(text, "utf-8")
    try:
        yield tuple(texts)
    finally:
        off = 'enabled = false\nreason = "the demonstration network is not running: chm-hub demo"\n'
        for name, text in texts.items():
            if tomllib.loads(text).get("enabled", True):
                (folder / f"{name}.toml").write_text(off + text, "utf-8")


@contextlib.contextmanager
def _serving(settings: Settings, host: str, port: int) -> Iterator[threading.Event]:
    """The web in a thread, and what is set when it is to stop; on the way out the engine is
    stopped if nobody else uses it."""
    from chm_hub import web
    from store import engine, open_store

    try:
        web.check_port(host, port)
        settings = _reached_at(settings, host, port)
        # Before anybody is answered: who is answered may send a signal.
        with (
            open_store(settings) as store,
            _signalled() as stopping,
            web.Background(settings, host, port, store) as server,
        ):
            click.echo(
                f"\nserving on   http://{host}:{server.port}/\n"
                f"OAI-PMH at   http://{host}:{server.port}/oai?verb=Identify\n"
                "Ctrl-C stops",
                err=True,
            )
            yield stopping
    finally:
        if not settings.mongodb_uri:
            engine.stop_if_unused(settings.data)
        click.echo("stopped", err=True)


def _reached_at(settings: Settings, host: str, port: int) -> Settings:
    """The settings with the address we listen on, where no public address is set."""
    if settings.base_url != Settings().base_url:
        return settings
    return replace(settings, base_url=f"http://{host}:{port}")


@contextlib.contextmanager
def _signalled() -> Iterator[threading.Event]:
    """What Ctrl-C and SIGTERM set, instead of ending the process, for as long as this lasts."""
    stopping = threading.Event()
    signals = (signal.SIGINT, signal.SIGTERM)
    before = [signal.signal(number, lambda *_: stopping.set()) for number in signals]
    try:
        yield stopping
    finally:
        for number, handler in zip(signals, before, strict=True):
            signal.signal(number, handler)


@main.group()
def engine() -> None:
    """The embedded engine, where no MongoDB is configured."""


def _embedded(settings: Settings) -> Path:
    if settings.mongodb_uri:
        raise SourceError(
            "CHM_HUB_MONGODB_URI is set: that server is used, there is no engine here"
        )
    return settings.data


@engine.command("start")
@with_settings
def engine_start(settings: Settings) -> None:
    """Start it and keep it running until `engine stop`."""
    from store import engine as embedded

    data = _embedded(settings)
    address = embedded.ensure(data)
    (data / "engine.keep").touch()
    click.echo(f"the engine of {data} listens on 127.0.0.1:{address.port}", err=True)


@engine.command("stop")
@with_settings
def engine_stop(settings: Settings) -> None:
    """Stop it cleanly, whoever uses it."""
    from store import engine as embedded

    data = _embedded(settings)
    (data / "engine.keep").unlink(missing_ok=True)
    ran = embedded.stop(data)
    click.echo("stopped" if ran else "it was not running", err=True)


@engine.command("status")
@as_json
@with_settings
def engine_status(settings: Settings, as_json: bool) -> None:
    """Say whether it runs, where, and since when."""
    from store import engine as embedded

    address = embedded.read_address(_embedded(settings))
    if address is None:
        click.echo(json.dumps({"running": False}) if as_json else "not running")
        return
    started = datetime.fromtimestamp(address.started, UTC)
    told = {
        "running": True,
        "port": address.port,
        "process": address.engine,
        "supervisor": address.supervisor,
        "version": address.version,
        "started": f"{started:%Y-%m-%dT%H:%M:%SZ}",
        "restarts": address.restarts,
    }
    if as_json:
        print_line(told)
    else:
        for key, value in told.items():
            click.echo(f"{key:12} {value}")


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter(
            f"{text!r} is not a date such as 2026-11-01 or 2026-11-01T10:00:00Z",
            param_hint="--since",
        ) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


if __name__ == "__main__":
    main()
