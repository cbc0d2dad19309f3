"""``chm-hub vocabularies``: look at them, export them, refresh them from the thesaurus."""

from __future__ import annotations

import json
import sys

import click

from chm_hub.errors import SourceError
from chm_hub.settings import Settings


@click.group("vocabularies")
def vocabularies() -> None:
    """The vocabularies that subjects, countries and types are taken from."""


@vocabularies.command("list")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")
def list_them(as_json: bool) -> None:
    """List all vocabularies with the number of their terms."""
    from mappings.vocabularies import VOCABULARIES, terms

    for name, vocabulary in VOCABULARIES.items():
        count = sum(1 for _ in terms(name))
        if as_json:
            line = {"name": name, "scheme": vocabulary.scheme, "terms": count}
            click.echo(json.dumps({**line, "title": vocabulary.title}, ensure_ascii=False))
        else:
            click.echo(f"{name:16} {count:>5}  {vocabulary.title}")


@vocabularies.command("show")
@click.argument("name", metavar="NAME")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")
def show(name: str, as_json: bool) -> None:
    """Show the terms of one vocabulary."""
    from mappings.vocabularies import terms

    for term in terms(_known(name)):
        if as_json:
            line = {"code": term.code, "labels": dict(term.labels), "uri": term.uri}
            click.echo(json.dumps({**line, "deprecated": term.deprecated}, ensure_ascii=False))
        else:
            gone = "  (no longer in the thesaurus)" if term.deprecated else ""
            click.echo(f"{term.code:38} {term.labels.get('en', '')}{gone}")


@vocabularies.command("export")
@click.argument("name", metavar="NAME")
@click.option(
    "--format",
    "form",
    type=click.Choice(["turtle", "rdfxml", "jsonld"]),
    default="turtle",
    show_default=True,
)
def export_one(name: str, form: str) -> None:
    """Write one vocabulary as SKOS to standard output."""
    from mappings.vocabularies import export

    sys.stdout.buffer.write(export(_known(name), form))


@vocabularies.command("refresh")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@click.option("--from", "base", help="The thesaurus's address, without /api.")
@click.option("--write", is_flag=True, help="Write the tables; without, only say what differs.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")
@click.pass_obj
def refresh(
    settings: Settings, names: tuple[str, ...], base: str | None, write: bool, as_json: bool
) -> None:
    """Compare the tables with the thesaurus, and write those that differ."""
    from adapters import thesaurus
    from chm_hub import fetch
    from chm_hub.errors import FetchError, ProtocolError
    from mappings import tables

    chosen = [_known(name) for name in names] or thesaurus.refreshable()
    if elsewhere := [name for name in chosen if name not in thesaurus.refreshable()]:
        raise SourceError(
            f"{', '.join(elsewhere)}: not in the thesaurus. In it are "
            f"{', '.join(thesaurus.refreshable())}."
        )
    folder = settings.data / "vocabularies"
    failed: list[str] = []

    async def look(downloads: fetch.Downloads) -> None:
        client = downloads.client()
        for name in chosen:
            try:
                found = await thesaurus.compare(client, name, base or thesaurus.API)
            except (FetchError, ProtocolError) as error:
                # The others may be there all the same.
                failed.append(name)
                click.echo(f"chm-hub: {name}: {error}", err=True)
                continue
            parts = {"added": found.added, "changed": found.changed, "gone": found.gone}
            for oddity in found.odd:
                click.echo(f"chm-hub: {name}: left out: {oddity}", err=True)
            if as_json:
                click.echo(json.dumps({"name": name, **parts}, ensure_ascii=False))
            else:
                said = [f"{len(c)} {w} ({', '.join(c[:5])})" for w, c in parts.items() if c]
                click.echo(f"{name}: {'; '.join(said) or 'as in the thesaurus'}")
            if write and not found.empty:
                click.echo(f"{thesaurus.write(folder, found)} written", err=True)

    fetch.run(settings, look)
    if write:
        tables.use(folder)
        click.echo("records get them when they are mapped: chm-hub map --all", err=True)
    if failed:
        click.get_current_context().exit(1)


def _known(name: str) -> str:
    from mappings.vocabularies import VOCABULARIES

    if name not in VOCABULARIES:
        raise SourceError(f"no vocabulary {name!r}; there are {', '.join(VOCABULARIES)}")
    return name
