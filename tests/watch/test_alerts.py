"""Who is told what, when: by a table, and through real servers on loopback."""

from __future__ import annotations

import json
import socketserver
import ssl
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Barrier, Thread
from typing import Any

import pytest

from chm_hub import alerts
from chm_hub.alerts import Channels, Incident, Letter, Message, Outcome, Sent
from chm_hub.health import Past
from chm_hub.settings import Settings
from store import Store, open_store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)
CASES = tomllib.loads(Path(__file__).with_name("alerts.toml").read_text("utf-8"))["case"]


def outcome(words: str, number: int = 0, source: str = "src") -> Outcome:
    """`[!][map] STATE [drift | ERROR]`."""
    parts = words.removeprefix("!").split()
    kind = "map" if parts[0] == "map" else "harvest"
    state, *more = parts[1:] if kind == "map" else parts
    drifted = more == ["drift"]
    run = Past(
        run=f"{source}/{number}",
        state=state,
        kind=kind,
        ended=NOON,
        counts={"unchanged": 60},
        error=None if drifted or not more else more[0],
        drift=["records: 400, now 90"] if drifted else [],
        held=0 if drifted or state != "held" else 60,
    )
    return Outcome(source=source, title="A portal", run=run, overdue=words.startswith("!"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_only_what_needs_a_person_is_told(case: dict[str, Any]) -> None:
    incident: Incident | None = None
    told, ids = [], []
    for number, words in enumerate(case["runs"]):
        now = NOON + timedelta(days=number)
        incident, messages = alerts.decide(incident, outcome(words, number), now)
        told.append(", ".join(f"{m.kind} {m.what}" for m in messages))
        ids += [m.id for m in messages]
        assert all(m.text and m.source == "src" for m in messages)
    assert told == case["told"]
    assert len(set(ids)) == len(ids)


# --- what goes out -------------------------------------------------------------------------


def message(number: int, kind: str = "failure", at: datetime = NOON, text: str = "x") -> Message:
    return Message(
        id=f"{number}", source=f"s{number}", title="", kind=kind, what="http",
        at=at, since=at, text=text,
    )  # fmt: skip


def test_few_messages_go_out_one_by_one() -> None:
    out = alerts.letters([message(n) for n in range(5)], [], None, NOON)
    assert [letter.digest for letter in out] == [False] * 5
    assert out[0].subject == "s0 needs a look"


def test_many_at_once_are_one_letter_and_the_network_is_suspected() -> None:
    waiting = [message(n) for n in range(40)]
    (letter,) = alerts.letters(waiting, [], None, NOON)
    assert letter.digest
    assert "40 need a look" in letter.subject
    assert letter.lines[0] == "Many sources at once: look at your own network first."
    assert len(letter.messages) == 40


def test_many_one_after_the_other_are_gathered_too() -> None:
    sent: list[Sent] = []
    digest: datetime | None = None
    waiting: list[Message] = []
    out: list[tuple[int, Letter]] = []
    for minute in range(180):
        now = NOON + timedelta(minutes=minute)
        if minute < 30:
            waiting.append(message(minute, at=now))
        for letter in alerts.letters(waiting, sent, digest, now):
            out.append((minute, letter))
            sent += [Sent(at=now, source=m.source, kind=m.kind) for m in letter.messages]
            waiting = [m for m in waiting if m not in letter.messages]
            digest = now if letter.digest else None
    assert [minute for minute, _ in out] == [0, 1, 2, 3, 4, 5, 65]
    sixth, rest = out[5][1], out[6][1]
    assert sixth.digest
    assert sixth.lines[0].startswith("Many sources at once")
    assert sixth.lines[1] == "Told within the hour: s0, s1, s2, s3, s4"
    assert len(rest.messages) == 24


def test_recoveries_after_an_outage_are_one_letter_without_a_suspicion() -> None:
    waiting = [message(n, "recovery") for n in range(9)]
    (letter,) = alerts.letters(waiting, [], NOON - timedelta(hours=5), NOON)
    assert "9 are well again" in letter.subject
    assert not any("network" in line for line in letter.lines)


# --- through real servers ------------------------------------------------------------------


class Hook(BaseHTTPRequestHandler):
    bodies: list[dict[str, Any]]
    status: list[int]

    def log_message(self, *_: object) -> None: ...

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.status[0] == 200:
            self.bodies.append(json.loads(body))
        self.send_response(self.status[0])
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()


@contextmanager
def hook() -> Iterator[tuple[str, list[dict[str, Any]], list[int]]]:
    """A webhook: its address, what it was told, and the status it answers with."""
    handler = type("Hooked", (Hook,), {"bodies": [], "status": [200]})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/canary"
        yield address, handler.bodies, handler.status
        server.shutdown()


class Smtp(socketserver.StreamRequestHandler):
    """As much of RFC 5321, STARTTLS and AUTH PLAIN as a client needs."""

    server: Any

    def handle(self) -> None:
        say = lambda text: self.wfile.write(text.encode() + b"\r\n")  # noqa: E731
        say("220 mail.test")
        while line := self.rfile.readline().decode().strip():
            self.server.heard.append(line)
            verb = line.upper().split()[0]
            if verb == "EHLO":
                say("250-mail.test")
                if self.server.context and not isinstance(self.connection, ssl.SSLSocket):
                    say("250-STARTTLS")
                say("250 AUTH PLAIN")
            elif verb == "STARTTLS":
                say("220 go on")
                try:
                    self.connection = self.server.context.wrap_socket(
                        self.request, server_side=True
                    )
                except ssl.SSLError:  # the client does not trust us
                    return
                self.rfile = self.connection.makefile("rb")
                self.wfile = self.connection.makefile("wb", buffering=0)
            elif verb == "AUTH":
                say("235 yes")
            elif verb == "DATA":
                say("354 go on")
                mail = []
                while (row := self.rfile.readline().decode().rstrip("\r\n")) != ".":
                    mail.append(row)
                self.server.mails.append("\n".join(mail))
                say("250 kept")
            elif verb == "QUIT":
                say("221 bye")
                return
            else:
                say("250 fine")

    def finish(self) -> None:
        super().finish()
        self.connection.close()


@contextmanager
def smtp(context: ssl.SSLContext | None = None) -> Iterator[Any]:
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Smtp) as server:
        server.daemon_threads = True
        server.heard, server.mails, server.context = [], [], context  # type: ignore[attr-defined]
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def end(store: Store, settings: Settings, words: str, now: datetime, source: str = "src") -> int:
    channels = alerts.channels(settings)
    alerts.record(store, outcome(words, source=source), now, wanted=bool(channels))
    return alerts.tell(store, channels, now)


def test_a_webhook_is_told_once_and_again_when_all_is_well(
    store: Store, settings: Settings
) -> None:
    with hook() as (address, bodies, _):
        settings = replace(settings, alert_webhook=address)
        for number, words in enumerate(("failed http_404", "failed http_404", "complete")):
            end(store, settings, words, NOON + timedelta(days=number))
    assert [body["subject"] for body in bodies] == ["src needs a look", "src is well again"]
    first = bodies[0]["messages"][0]
    assert (first["source"], first["kind"], first["what"]) == ("src", "failure", "http")
    assert first["since"] == "2026-11-23T12:00:00Z"
    assert bodies[0]["text"].startswith("src needs a look\n")
    assert alerts.incidents(store) == {}


def test_what_nobody_asked_to_be_told_is_not_told_and_told_later(
    store: Store, settings: Settings
) -> None:
    end(store, settings, "failed http_404", NOON)
    assert alerts.incidents(store)["src"][0].told == ()
    with hook() as (address, bodies, _):
        settings = replace(settings, alert_webhook=address)
        for number, words in enumerate(("failed http_404", "complete"), 1):
            end(store, settings, words, NOON + timedelta(days=number))
    assert [body["subject"] for body in bodies] == ["src needs a look", "src is well again"]
    assert "2 times in a row" in bodies[0]["text"]


def test_what_a_webhook_does_not_take_waits_for_a_later_run(
    store: Store, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    with hook() as (address, bodies, status):
        settings = replace(settings, alert_webhook=address)
        for refused in (500, 302):
            status[0] = refused
            assert end(store, settings, "failed http_404", NOON, source=f"s{refused}") == 0
            assert store.watch.channels()["webhook"]["failures"] == 1, "it is left alone a while"
        assert alerts.incidents(store)["s500"][1] == 1
        status[0] = 200
        later = NOON + timedelta(hours=1)
        assert end(store, settings, "complete", later, source="other") == 2
        assert end(store, settings, "complete", later, source="other") == 0
    assert {body["messages"][0]["source"] for body in bodies} == {"s500", "s302"}
    assert "canary" not in caplog.text
    assert alerts.incidents(store)["s500"][1] == 0


def test_a_channel_that_takes_it_does_not_get_it_again_because_the_other_did_not(
    store: Store, settings: Settings
) -> None:
    with hook() as (address, bodies, status), smtp() as server:
        url = f"smtp://127.0.0.1:{server.server_address[1]}"
        settings = replace(
            settings, alert_webhook=address, alert_mail="ops@x.example", smtp_url=url
        )
        status[0] = 503
        end(store, settings, "failed http_404", NOON)
        status[0] = 200
        end(store, settings, "failed http_404", NOON + timedelta(hours=1))
        end(store, settings, "failed http_404", NOON + timedelta(hours=2))
    assert len(server.mails) == len(bodies) == 1
    assert "Subject: [CHM Hub] src needs a look" in server.mails[0]
    assert "To: ops@x.example" in server.mails[0]
    assert "Auto-Submitted: auto-generated" in server.mails[0]


def test_no_password_goes_to_a_mail_server_without_encryption(settings: Settings) -> None:
    with smtp() as server:
        url = f"smtp://me:canary@127.0.0.1:{server.server_address[1]}"
        settings = replace(settings, alert_mail="ops@x.example", smtp_url=url)
        said = alerts.test(alerts.channels(settings), NOON)
        assert said["mail"] is not None
        assert "no encryption" in said["mail"]
        assert not any("AUTH" in line for line in server.heard)


def test_a_mail_goes_out_encrypted_and_only_to_whom_can_prove_it(
    settings: Settings, tmp_path: Path
) -> None:
    trusted = _certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(trusted)
    with smtp(context) as server:
        url = f"smtp://me:secret@127.0.0.1:{server.server_address[1]}"
        settings = replace(settings, alert_mail="ops@x.example", smtp_url=url)
        said = alerts.test(alerts.channels(settings), NOON)
        assert said["mail"] is not None
        assert "certificate" in said["mail"].lower()
        letter = Letter(subject="a\r\nBcc: everyone", lines=("körper",), messages=())
        alerts._mail(settings, letter, ssl.create_default_context(cafile=str(trusted)))
    assert any(line.startswith("AUTH PLAIN") for line in server.heard)
    assert "Bcc" not in [row.partition(":")[0] for row in server.mails[0].splitlines()]


def _certificate(folder: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody but who knows it trusts."""
    from ipaddress import ip_address

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "mail.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


def test_two_processes_tell_once(settings: Settings, store: Store) -> None:
    """Many at a time, each with a connection of its own: every source is told exactly once."""
    sent: list[str] = []
    channels = Channels(
        send={"webhook": lambda letter: sent.extend(m.source for m in letter.messages)}
    )
    start = Barrier(8)

    def process(number: int) -> None:
        with open_store(settings) as own:
            start.wait()
            for source in ("one", "two", "three"):
                happened = outcome("failed http_404", number, source)
                alerts.record(own, happened, NOON, wanted=True)
                alerts.tell(own, channels, NOON)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(process, range(8)))
    alerts.tell(store, channels, NOON)
    assert sorted(sent) == ["one", "three", "two"]
    found = alerts.incidents(store)
    assert {incident.failures for incident, _ in found.values()} == {8}


def test_a_process_that_died_while_it_told_does_not_silence_the_others(
    store: Store, settings: Settings
) -> None:
    with hook() as (address, bodies, _):
        settings = replace(settings, alert_webhook=address)
        assert store.watch.claim(NOON) is not None
        assert end(store, settings, "failed http_404", NOON + timedelta(minutes=1)) == 0
        assert end(store, settings, "failed http_404", NOON + timedelta(minutes=6)) == 1
    assert len(bodies) == 1
