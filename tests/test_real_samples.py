"""Every recorded answer there is, replayed over loopback and harvested for real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests import replay
from tests.conftest import ROOT
from tests.running import Hub

SAMPLES = Path(os.environ.get("CHM_HUB_SHARED", ROOT.parent / "shared")) / "samples"
REPORT = ROOT / "report" / "real-samples.md"


# What each system says is tried one by one in tests/samples; this is all of it at once.
@pytest.mark.slow
@pytest.mark.skipif(
    not SAMPLES.is_dir(), reason=f"NO RECORDED ANSWERS: {SAMPLES} is absent, nothing was replayed"
)
def test_every_recorded_answer_arrives_or_ends_in_an_outcome_with_a_name(hub: Hub) -> None:
    verdicts = replay.replay(hub, SAMPLES)
    REPORT.parent.mkdir(exist_ok=True)
    REPORT.write_text(replay.report(verdicts), "utf-8")
    wrong = [
        f"{v.case.file}: {v.wrong} ({v.run['state']}, {v.run['error']})"
        for v in verdicts
        if v.wrong
    ]
    assert not wrong, "\n".join(wrong)
    assert len(verdicts) > 300
