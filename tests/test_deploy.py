"""What is in deploy/ fits the code, as far as can be said without containers and systemd."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.test_layout import PACKAGES

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
SETTING = re.compile(r"(?m)^(\w+)=(.*)$")


def test_an_image_holds_what_the_hub_runs_from_and_nothing_else() -> None:
    said = (ROOT / ".dockerignore").read_text().splitlines()
    lines = [line for line in said if not line.startswith("#")]
    assert lines[0] == "*", "nothing is let in that is not named: keys may lie here"
    let_in = {line[1:] for line in lines if line.startswith("!")}
    assert let_in == {*PACKAGES, "requirements-worker.lock", "LICENSE"}
    copied = re.findall(r"(?m)^COPY (\S+)", (DEPLOY / "Dockerfile").read_text())
    assert {name for name in copied if name != "."} <= let_in


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.stem)
def test_a_unit_leaves_the_engine_and_the_runs_to_those_who_look_after_them(path: Path) -> None:
    said = {key: value.split() for key, value in SETTING.findall(path.read_text())}
    if path.stem == "chm-hub-engine":
        assert said["ExecStart"][1:] == ["engine", "start"]
        assert said["ExecStop"][1:] == ["engine", "stop"]
        return
    assert "chm-hub-engine.service" in said["After"]
    if said.get("Type") != ["oneshot"]:
        assert said["KillMode"] == ["mixed"], "else systemd ends the runs beside it"
