"""Logs: a line an event, no secrets, nothing that a terminal would obey."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from adapters.source import read_source
from chm_hub import logs, web
from chm_hub.errors import SourceError, StoreError
from chm_hub.settings import Settings, load
from store import Store

KEY = "canary/Key+42=?"


@pytest.fixture(autouse=True)
def clean() -> Iterator[None]:
    """The process's logs and known secrets as they were, afterwards."""
    root = logging.getLogger()
    level, handlers, known = root.level, list(root.handlers), set(logs._secrets)
    yield
    for handler in [h for h in root.handlers if h not in handlers]:
        root.removeHandler(handler)
        handler.close()
    root.setLevel(level)
    logs._secrets.clear()
    logs._secrets.update(known)


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_is_an_object_with_fields(tmp_path: Path) -> None:
    path = tmp_path / "hub.log"
    logs.setup(replace(Settings(), log=str(path)))
    log = logging.getLogger("chm_hub.try")
    log.debug("not this")
    log.info("harvest ended", extra=logs.fields(source="ke", state="complete", seconds=1.5))
    logs.setup(replace(Settings(), log=str(path)))  # again: not twice the lines
    log.warning("titre « été » %s", "x", extra=logs.fields(message="cannot take its place"))
    first, second = lines(path)
    assert first["time"].endswith("Z")
    del first["time"]
    assert first == {
        "level": "info",
        "logger": "chm_hub.try",
        "message": "harvest ended",
        "source": "ke",
        "state": "complete",
        "seconds": 1.5,
    }
    assert second["message"] == "titre « été » x"


@pytest.mark.parametrize(
    "hostile",
    [
        'x\n{"level":"info","message":"all is well"}',
        "x\r\x1b[2J\x1b]0;title\x07",
        "x\u2028y\u0085z\x9b31m",
        "\u202etxt.exe",
        "\ud800 lone",
        "long " * 100_000,
    ],
    ids=("a line", "a terminal", "lines of Unicode", "direction", "a surrogate", "long"),
)
def test_nothing_harvested_makes_a_line_or_moves_a_cursor(hostile: str) -> None:
    record = logging.LogRecord("chm_hub.try", logging.WARNING, "x", 1, "%s", (hostile,), None)
    record.fields = {"reason": [hostile]}
    line, text = logs.Lines().format(record), logs.ForPeople().format(record)
    assert json.loads(line)["message"][:1] == hostile[:1]
    for said in (line, text):
        assert said.isprintable()
        assert said.encode("utf-8")
        assert len(said) < 4 * logs.LONGEST


def test_no_secret_is_in_a_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hub.log"
    monkeypatch.setenv("A_KEY", KEY)
    declared = tmp_path / "ke.toml"
    declared.write_text(
        'title = "K"\nadapter = "panorama"\nurl = "https://x.example"\nsecret = "env:A_KEY"\n'
    )
    logs.setup(
        load(
            {
                "CHM_HUB_LOG": str(path),
                "CHM_HUB_MONGODB_URI": "mongodb://hub:canary-db@db/x",
                "CHM_HUB_SECRET_KEY": "canary-signs",
                "CHM_HUB_ALERT_WEBHOOK": "https://hooks.example/services/canary-hook?k=canary-q",
                "CHM_HUB_ALERT_MAIL": "a@x.example",
                "CHM_HUB_SMTP_URL": "smtp://a:canary%2Dmail@mail.example",
            }
        )
    )
    source, faults = read_source(declared)
    assert source is not None, faults
    assert source.secret() == KEY
    log = logging.getLogger("chm_hub.try")
    log.info("%s", f"GET https://x.example/?key={KEY}&other=canary%2FKey%2B42%3D%3F")
    log.info("x", extra=logs.fields(reason=f"canary-signs {KEY}", more={"a": [KEY]}))
    log.info("mongodb://hub:canary-db@db/x and ftp://someone:canary-else@host/path?a@b")
    log.info("https://hooks.example/services/canary-hook?k=canary-q canary-mail")
    try:
        raise ValueError(f"no {KEY}")
    except ValueError:
        log.exception("fault")
    said = path.read_text("utf-8")
    assert "canary" not in said
    assert said.count("\n") == 5
    assert "ftp://***@host/path?a@b" in said


def test_people_get_warnings_and_libraries_are_quiet(
    capsys: pytest.CaptureFixture[str],
) -> None:
    logs.setup(replace(Settings(), log_level="debug"))
    logging.getLogger("chm_hub.try").info("not this")
    logging.getLogger("chm_hub.try").warning("this")
    logging.getLogger("chm_hub.try").warning("told otherwise", extra=logs.quietly(source="x"))
    for name in logs.LIBRARIES:
        logging.getLogger(f"{name}.inner").info("chatter")
    assert capsys.readouterr().err == "chm-hub: this\n"
    logs.setup(replace(Settings(), log="-"))
    logging.getLogger("chm_hub.try").info("now this")
    assert json.loads(capsys.readouterr().err)["message"] == "now this"


def test_a_file_that_cannot_be_written_is_said() -> None:
    with pytest.raises(SourceError, match="CHM_HUB_LOG: cannot write /nowhere/x"):
        logs.setup(replace(Settings(), log="/nowhere/x"))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("LOG_LEVEL", "loud", "is not one of debug"),
        ("ALERT_WEBHOOK", "ftp://canary", "not an https address"),
        ("ALERT_WEBHOOK", "http://hooks.example/canary", "use https"),
        ("ALERT_MAIL", "nobody", "not a mail address"),
        ("ALERT_MAIL", "a@x.example", "set CHM_HUB_SMTP_URL"),
        ("ALERT_WEBHOOK", "https://me:canary@hooks.example/x", "carries a user name"),
        ("ALERT_WEBHOOK", "https://hooks.example:canary/x", "%2F"),
        ("SMTP_URL", "canary", "not a mail server"),
        ("SMTP_URL", "smtp://me:canary/abc@127.0.0.1:2525", "%2F"),
        ("SMTP_URL", "smtp://me:12/canary@127.0.0.1:2525", "%2F"),
        ("SMTP_URL", "smtp://me:canary", "%2F"),
        ("MONGODB_URI", "mongodb+srv://me:can/canary@db.example/hub", "%2F"),
        ("MONGODB_URI", "mongodb://me:12/canary.x@db.example/hub", "%2F"),
        ("MONGODB_URI", "mongodb://me:canary\u2100@db.example/hub", "%2F"),
        ("BROKER_URL", "redis://:12/canary@127.0.0.1:6379/0", "%2F"),
        ("BROKER_URL", "amqp://me:canary#x@127.0.0.1//", "%2F"),
        ("BROKER_URL", "canary", "not a broker"),
        ("BASE_URL", "https://me:canary@hub.example", "carries a user name"),
        ("BASE_URL", "ftp://me:canary@hub.example", "not an http"),
    ],
)
def test_settings_that_cannot_work_are_said(name: str, value: str, words: str) -> None:
    with pytest.raises(SourceError, match=words) as caught:
        load({f"CHM_HUB_{name}": value})
    assert "canary" not in str(caught.value), "an address may be a secret"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MONGODB_URI", "mongodb://me:p%40ss@a.example:27017,b.example:27017/hub?replicaSet=r"),
        ("MONGODB_URI", "mongodb://%2Ftmp%2Fmongodb.sock/hub"),
        ("BROKER_URL", "amqp://me:p%2Fss@a.example:5672//;amqp://me:pass@b.example//"),
        ("BROKER_URL", "redis+socket:///run/redis.sock?virtual_host=0"),
        ("SMTP_URL", "smtps://me%40x.example:p%3Ass@mail.example:465"),
        ("ALERT_WEBHOOK", "https://hooks.example:8443/@bot/key?a=b@c"),
        ("BASE_URL", "http://[::1]:8080"),
    ],
)
def test_addresses_of_services_as_they_are_written(name: str, value: str) -> None:
    assert getattr(load({f"CHM_HUB_{name}": value}), name.lower()) == value


@pytest.mark.parametrize(
    "url",
    [
        "http://me:canary@x.example/oai",
        "ftp://me:canary@x.example/",
        "me:canary@x.example/oai",
        "http://me:canary/x@x.example/oai",
        "http://[me:canary@x.example",
    ],
)
def test_a_password_in_a_sources_address_is_refused_and_not_repeated(
    url: str, tmp_path: Path
) -> None:
    path = tmp_path / "ke.toml"
    path.write_text(f'title = "K"\nadapter = "oai_pmh"\nurl = "{url}"\n')
    source, faults = read_source(path)
    assert source is None
    assert [fault.split(": ")[1] for fault in faults] == ["url"]
    assert "canary" not in str(faults)


def test_a_fault_of_ours_has_an_id_for_the_client_and_a_trace_for_us(
    store: Store, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "hub.log"
    client = web.create_app(settings, store).test_client()
    logs.setup(replace(settings, log=str(path)))

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("canary in a trace")

    def gone(*_: object, **__: object) -> None:
        raise StoreError("mongodb://inside:27017 does not answer")

    monkeypatch.setattr(store.records, "counts", broken)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "canary" not in answer.text
    monkeypatch.setattr(store.records, "counts", gone)
    monkeypatch.setattr(store.records, "snapshot", gone)
    others = [client.get(query) for query in ("/", "/oai?verb=ListSets")]
    assert [other.status_code for other in others] == [503, 503]
    found = lines(path)
    assert len(found) == 3
    for line, said in zip(found, (answer, *others), strict=True):
        assert line["level"] == "error"
        assert len(line["error_id"]) == 12
        assert line["error_id"] in said.text
        assert "Error" in line["trace"]
        assert "inside" not in said.text
    assert "canary in a trace" in found[0]["trace"]
