"""``chm-hub certify``: the conformance suite, against our endpoint or any other."""

from __future__ import annotations

import ipaddress
import json
from collections import Counter
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import click

from chm_hub.errors import SourceError
from chm_hub.settings import Settings

MARKS = {"passed": "ok", "failed": "FAILED", "warned": "warning", "skipped": "skipped"}
SHOWN = 5
"""Findings of one check that are shown to people; ``--json`` has all."""


@click.command("certify")
@click.argument("url", metavar="[URL]", required=False)
@click.option("--json", "as_json", is_flag=True, help="Machine-readable lines on stdout.")
@click.option(
    "--max-parts",
    type=click.IntRange(min=2),
    default=50,
    show_default=True,
    help="Parts of a list that are walked at most.",
)
@click.pass_obj
def certify(settings: Settings, url: str | None, as_json: bool, max_parts: int) -> None:
    """Try an OAI-PMH endpoint against the specification: this hub's (while it is served), or
    the one at URL. Exit code 1 if it fails anywhere.
    """
    from chm_hub import fetch
    from oai_endpoint.certify import CHECKS, Result
    from oai_endpoint.certify import certify as try_all

    own = f"{settings.base_url}/oai"
    url = url or own
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
        raise SourceError(f"{url}: not an http or https address without a query")
    if url == own or _loopback(parts.hostname):
        # The operator's own machine: the guard and the manners are for other people's.
        everywhere = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
        settings = replace(settings, egress_allow=everywhere, host_delay=0.0)
    done = 0

    def told(result: Result) -> None:
        nonlocal done
        done += 1
        if as_json:
            click.echo(json.dumps(_line(result), ensure_ascii=False))
            return
        mark = MARKS[result.outcome]
        why = f" ({result.skipped})" if result.outcome == "skipped" else ""
        click.echo(f"{done:3}/{len(CHECKS)} {mark:8} {result.check.title}{why}")
        for finding in result.findings[:SHOWN]:
            asked = f"\n{' ' * 19}asked: {finding.asked}" if finding.asked else ""
            click.echo(f"{' ' * 16}{finding.level}: {finding.message}{asked}")
        if len(result.findings) > SHOWN:
            click.echo(f"{' ' * 16}and {len(result.findings) - SHOWN} more; --json has all")

    async def work(downloads: fetch.Downloads) -> list[Result]:
        client = downloads.client(limits=fetch.Limits(tries=1))
        return await try_all(client, url, parts=max_parts, told=told)

    if not as_json:
        click.echo(f"{url} against OAI-PMH 2.0, {len(CHECKS)} checks", err=True)
    results = fetch.run(settings, work)
    outcomes = Counter(result.outcome for result in results)
    if as_json:
        counts = {name: outcomes[name] for name in MARKS}
        click.echo(json.dumps({"url": url, "checks": len(results), **counts}))
    else:
        said = [f"{outcomes[name]} {name}" for name in MARKS if outcomes[name]]
        click.echo(f"{url}: {len(results)} checks: {', '.join(said)}")
    if outcomes["failed"]:
        click.get_current_context().exit(1)


def _loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _line(result: Any) -> dict[str, Any]:
    return {
        "id": result.check.id,
        "title": result.check.title,
        "section": result.check.section,
        "outcome": result.outcome,
        **({"skipped": result.skipped} if result.skipped else {}),
        "findings": [
            {"level": f.level, "message": f.message, "asked": f.asked} for f in result.findings
        ],
    }
