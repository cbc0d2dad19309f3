"""``chm-hub certify``: an endpoint against the OAI-PMH specification, ours or anybody's.

``endpoint`` asks and looks at what every answer must be; ``checks`` are what particular
questions must be answered with, a function each. Nothing is changed at the other side, and
records may change underneath: what a check compares it compares only where nothing moved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chm_hub.errors import FetchError, ProtocolError
from chm_hub.fetch import Fetch
from oai_endpoint.certify.checks import CHECKS, Check
from oai_endpoint.certify.endpoint import Endpoint, Finding

__all__ = ["CHECKS", "Finding", "Result", "certify"]

PARTS = 50
"""Parts of a list that are walked at most, unless more are asked for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What came of one check."""

    check: Check
    findings: tuple[Finding, ...]
    skipped: str = ""
    """Why it could not be tried."""

    @property
    def outcome(self) -> str:
        """``passed``, ``failed``, ``warned`` or ``skipped``."""
        levels = {finding.level for finding in self.findings}
        if "failure" in levels:
            return "failed"
        if "warning" in levels:
            return "warned"
        return "skipped" if self.skipped else "passed"


async def certify(
    fetch: Fetch,
    url: str,
    *,
    parts: int = PARTS,
    told: Callable[[Result], None] = lambda result: None,
) -> list[Result]:
    """Try every check on an endpoint; ``told`` hears of each when it is done.

    Raises :class:`FetchError` if the endpoint does not answer at all. A check that meets
    something nobody thought of fails with what it met; the others go on.
    """
    endpoint = Endpoint(fetch, url, parts)
    results = []
    for check in CHECKS:
        endpoint.findings = []
        endpoint.skipped = ""
        try:
            await check.try_on(endpoint)
        except (FetchError, ProtocolError) as error:
            if endpoint.answers == 0:
                raise
            endpoint.fail(f"no answer: {error}")
        result = Result(check=check, findings=tuple(endpoint.findings), skipped=endpoint.skipped)
        results.append(result)
        told(result)
    return results
