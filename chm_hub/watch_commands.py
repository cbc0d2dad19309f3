"""``chm-hub health`` and ``chm-hub alerts``: how the sources are, and what is wrong."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import click

from chm_hub.errors import SourceError
from chm_hub.printing import usable_sources
from chm_hub.settings import Settings


@click.command("health")
@click.argument("source_id", metavar="[ID]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")
@click.pass_obj
def health(settings: Settings, source_id: str | None, as_json: bool) -> None:
    """Show how well the sources are, the worst first; with an ID, why."""
    from adapters.source import folders, load_sources
    from chm_hub import health as scores
    from chm_hub import placeless
    from store import open_store

    if source_id is None:
        sources = usable_sources(settings)
    elif source_id not in (sources := load_sources(folders(settings), [source_id])):
        raise SourceError(f"no such source: {source_id}. `chm-hub sources list` shows them.")
    now = datetime.now(UTC)
    with open_store(settings) as store, store.explained():
        stored, waiting = store.watch.summaries(), store.decisions.counts()
        nowhere = {s.id: placeless.reason(store, s) for s in sources.values() if s.id in stored}
    found = [
        scores.of_stored(scores.declared(s, now), stored.get(s.id), now, waiting.get(s.id))
        for s in sources.values()
    ]
    found = [
        replace(one, reasons=[*one.reasons, reason]) if (reason := nowhere.get(one.source)) else one
        for one in found
    ]
    found.sort(key=lambda one: (one.score is None, one.score, one.source))
    if as_json:
        for one in found:
            click.echo(json.dumps(one.plain(), ensure_ascii=False))
        return
    if source_id:
        _explain(found[0])
        return
    click.echo(f"{'source':32} {'score':>5}  {'grade':8} {'trend':7} {'last success':16}  why")
    for one in found:
        score = "" if one.score is None else one.score
        why = one.reasons[0].text if one.reasons else ""
        click.echo(
            f"{one.source:32} {score:>5}  {one.grade:8} {one.trend:7} "
            f"{_minute(one.last_success):16}  {_short(why)}"
        )


def _explain(one: object) -> None:
    from chm_hub.health import Health

    assert isinstance(one, Health)
    click.secho(f"{one.source}  {one.title}", bold=True)
    if one.score is None:
        click.echo("not enabled")
        return
    lines = {
        "score": f"{one.score} of 100, {one.grade}",
        "trend": one.trend,
        "last success": _minute(one.last_success) + (", overdue" if one.overdue else ""),
        "complete": "not known" if one.completeness is None else f"{one.completeness:.1%}",
        "unreadable": f"{one.quarantined:.1%}",
        "issues": f"{one.issues_per_100:g} per 100 documents",
        "errors": ", ".join(f"{n} {kind}" for kind, n in one.errors.items()) or "none lately",
    }
    for key, value in lines.items():
        click.echo(f"{key:13} {value}")
    for reason in one.reasons:
        click.echo(f"\n-{reason.points:<3} {_short(reason.text, 500)}\n     {reason.do}")


@click.command("alerts")
@click.option("--test", "test", is_flag=True, help="Send a test message by every channel.")
@click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")
@click.pass_obj
def alerts(settings: Settings, test: bool, as_json: bool) -> None:
    """Show what is wrong now and who was told; send what waits."""
    from chm_hub import alerts as telling
    from store import open_store

    channels, now = telling.channels(settings), datetime.now(UTC)
    if test:
        if not channels:
            raise SourceError(
                "nobody would be told: set CHM_HUB_ALERT_WEBHOOK, or CHM_HUB_ALERT_MAIL and "
                "CHM_HUB_SMTP_URL"
            )
        tried = telling.test(channels, now)
        for name, fault in tried.items():
            if as_json:
                click.echo(json.dumps({"channel": name, "sent": fault is None, "reason": fault}))
            else:
                click.echo(f"{name}: {'sent' if fault is None else fault}", err=fault is not None)
        if any(tried.values()):
            click.get_current_context().exit(1)
        return
    with open_store(settings) as store, store.explained():
        telling.tell(store, channels, now)
        found = telling.incidents(store)
    for source, (incident, waiting) in sorted(found.items(), key=lambda pair: pair[1][0].since):
        if as_json:
            line = {
                "source": source,
                "kind": incident.kind,
                "since": f"{incident.since:%Y-%m-%dT%H:%M:%SZ}",
                "failures": incident.failures,
                "reason": incident.reason,
                "told": list(incident.told),
                "waiting": waiting,
            }
            click.echo(json.dumps(line, ensure_ascii=False))
        else:
            told = "not told yet" if channels else "not told: no channel is set"
            if incident.told:
                told = f"told: {', '.join(incident.told)}"
            if waiting:
                told = f"{waiting} waiting to be sent" + ("" if channels else ", no channel is set")
            click.echo(
                f"{source:32} {incident.kind:13} since {_minute(incident.since)}, "
                f"{incident.failures} in a row, {told}: {_short(incident.reason)}"
            )
    if not found and not as_json:
        click.echo("no source needs a look", err=True)


def _minute(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "never"


def _short(text: str, most: int = 100) -> str:
    text = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return text if len(text) <= most else text[: most - 1] + "…"
