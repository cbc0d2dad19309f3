"""Alerts: people are told when a source needs them, and when it is well again. Nothing else.

:func:`decide` is a pure function: what is known of a source's incident, how its run ended and
the time give what is known now and what is to be told. :func:`letters` is another: of what is to
be told and what was told lately, it makes what goes out now. The rest carries it out, by
compare-and-set in the store, so that of several processes one tells.
"""

from __future__ import annotations

import http.client
import json
import logging
import smtplib
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any
from urllib.parse import unquote, urlsplit

from chm_hub import logs
from chm_hub.health import Past, error_class, transient
from chm_hub.settings import Settings
from store import Store

PATIENCE = 3
"""What often passes by itself is told after so many failures in a row..."""
AT_MOST = 5
"""More sources than this that fail within :data:`TOGETHER` are told in one letter: it is then
rather our network that failed than they."""
TOGETHER = timedelta(hours=1)
OVERDUE = "overdue"
"""The kind of incident of a source whose runs do not even begin."""
TIMEOUT = 10.0
"""Seconds for a webhook or a mail server to answer."""
RETRY = timedelta(minutes=5)
"""A channel that failed is left alone for so long, twice as long each further time..."""
RETRY_MOST = timedelta(hours=6)
"""...up to this."""
KEPT = 50
"""Messages that wait, a source; older ones are let go."""

log = logging.getLogger("chm_hub.alerts")


@dataclass(frozen=True, slots=True, kw_only=True)
class Incident:
    """What is wrong with a source, from its first failure to its next complete run."""

    since: datetime
    kind: str
    """``held``, ``drift``, ``overdue``, or a class of error (:data:`chm_hub.health.CLASSES`)."""
    failures: int
    """Runs in a row that did not come to their end; none where none even begins."""
    reason: str
    told: tuple[str, ...] = ()
    """The kinds that people are told of, or will be as soon as a channel takes it; each once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run of a source ended."""

    source: str
    title: str
    run: Past
    overdue: bool = False
    """Whether its last success is longer ago than twice its schedule."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One thing to tell of one source."""

    id: str
    """The same for the same thing, whoever tells it."""
    source: str
    title: str
    kind: str
    """``failure``, ``recovery`` or ``notice``."""
    what: str
    """The kind of incident."""
    at: datetime
    since: datetime
    text: str
    do: str = ""
    done: tuple[str, ...] = ()
    """The channels it went through already."""


def decide(
    incident: Incident | None, outcome: Outcome, now: datetime
) -> tuple[Incident | None, list[Message]]:
    """What a run makes of a source's incident, and what is to be told because of it.

    A failure that often passes by itself is told after :data:`PATIENCE` in a row or when the
    source is overdue, any other at once; each kind once an incident. A recovery is told if the
    failure was. A run that a person stopped changes nothing.
    """
    run = outcome.run
    if run.error == "interrupted" or run.state == "running":
        return incident, []

    def message(kind: str, what: str, since: datetime, text: str, do: str = "") -> Message:
        return Message(
            id=f"{run.run or outcome.source}:{kind}:{what}:{now:%Y%m%dT%H%M%S}",
            source=outcome.source,
            title=outcome.title,
            kind=kind,
            what=what,
            at=now,
            since=since,
            text=text,
            do=do,
        )

    told = []
    if run.good:
        if incident is not None and run.kind == "map" and incident.kind != "held":
            # Mapping again needs no network: it says nothing of the portal.
            return incident, []
        if incident is not None and incident.told:
            text = f"complete again, {run.seen} documents{_after(incident.failures)}"
            told.append(message("recovery", incident.kind, incident.since, text))
        if run.drift:
            text = "it has changed its nature: " + "; ".join(run.drift)
            do = f"look at it: chm-hub harvest {outcome.source} --dry-run --max 5"
            told.append(message("notice", "drift", now, text, do))
        return None, told
    kind = _kind(run)
    reason = run.reason or run.error or run.state
    before = incident or Incident(since=now, kind=kind, failures=0, reason=reason)
    failures = before.failures + (kind != OVERDUE)
    after = replace(before, kind=kind, failures=failures, reason=reason)
    ripe = not transient(run) or after.failures >= PATIENCE or outcome.overdue
    # What needs a person is told beside what was told before; one failure of the wire after
    # another is the same trouble.
    known = kind in after.told or (bool(after.told) and (transient(run) or kind not in _PERSON))
    if ripe and not known:
        after = replace(after, told=(*after.told, kind))
        text = f"{run.state}: {reason}"
        if after.failures > 1:
            text += f" ({after.failures} times in a row)"
        told.append(message("failure", kind, after.since, text, _advice(outcome.source, run)))
    return after, told


_PERSON = frozenset(("held", "drift", "content", "configuration", "killed", "internal"))


def _kind(run: Past) -> str:
    if run.error == OVERDUE:
        return OVERDUE
    if run.state == "held":
        return "drift" if run.drift and not run.held else "held"
    return error_class(run)


def _after(failures: int) -> str:
    if not failures:
        return ""
    return (
        f", after {failures} runs that were not" if failures > 1 else ", after one run that was not"
    )


def _advice(source: str, run: Past) -> str:
    if run.state == "held":
        return f"chm-hub held show {source}; then held approve or held reject"
    if run.error == OVERDUE:
        return "see whether schedulers and workers run: chm-hub schedule --list"
    return f"chm-hub runs {source}; chm-hub health {source}"


# --- what goes out now ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A message that went out."""

    at: datetime
    source: str
    kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is sent through a channel at once."""

    subject: str
    lines: tuple[str, ...]
    messages: tuple[Message, ...]
    digest: bool = False
    test: bool = False

    def plain(self, hub: str) -> dict[str, Any]:
        """The body for a webhook; ``text`` is what most chat systems show."""
        return {
            "hub": hub,
            "subject": self.subject,
            "text": "\n".join((self.subject, *self.lines)),
            "digest": self.digest,
            "test": self.test,
            "messages": [
                {
                    "source": m.source,
                    "title": _one_line(m.title),
                    "kind": m.kind,
                    "what": m.what,
                    "at": f"{m.at:%Y-%m-%dT%H:%M:%SZ}",
                    "since": f"{m.since:%Y-%m-%dT%H:%M:%SZ}",
                    "text": _one_line(m.text),
                    "do": _one_line(m.do),
                }
                for m in self.messages
            ],
        }


def letters(
    waiting: Sequence[Message], sent: Sequence[Sent], digest: datetime | None, now: datetime
) -> list[Letter]:
    """What of the ``waiting`` messages goes out now, given what was ``sent`` lately and when the
    last ``digest`` was.

    Up to :data:`AT_MOST` messages of an hour go out one by one. With the next all that waits
    goes out as a digest; what comes in the hour after it waits for the next one.
    """
    if not waiting:
        return []
    if digest is not None:
        if now - digest < TOGETHER:
            return []
        if now - digest >= 2 * TOGETHER:
            digest = None  # it has been quiet since
    waiting = sorted(waiting, key=lambda m: (m.at, m.source))
    lately = [one for one in sent if now - one.at < TOGETHER]
    if len(lately) + len(waiting) <= AT_MOST and (digest is None or len(waiting) == 1):
        return [_letter(m) for m in waiting]
    return [_digest(waiting, lately)]


def _letter(message: Message) -> Letter:
    word = {"failure": "needs a look", "recovery": "is well again", "notice": "has changed"}
    lines = [message.text]
    if message.do:
        lines.append(message.do)
    if message.kind != "notice":
        lines.append(f"since {message.since:%Y-%m-%d %H:%M} UTC")
    return Letter(
        subject=f"{message.source} {word[message.kind]}",
        lines=tuple(map(_one_line, lines)),
        messages=(message,),
    )


def _digest(messages: Sequence[Message], lately: Sequence[Sent]) -> Letter:
    by_kind: dict[str, dict[str, Message]] = {"failure": {}, "recovery": {}, "notice": {}}
    for message in messages:
        by_kind[message.kind].setdefault(message.source, message)
    heads = {"failure": "need a look", "recovery": "are well again", "notice": "have changed"}
    said = [f"{len(by_kind[kind])} {words}" for kind, words in heads.items() if by_kind[kind]]
    lines = []
    before = {one.source for one in lately if one.kind == "failure"} - by_kind["failure"].keys()
    if len(before) + len(by_kind["failure"]) > AT_MOST:
        lines.append("Many sources at once: look at your own network first.")
        if before:
            lines.append(f"Told within the hour: {', '.join(sorted(before))}")
    lines += [f"{m.source}: {m.text}" for kind in by_kind.values() for m in kind.values()]
    lines.append("What comes within the next hour follows in one letter.")
    return Letter(
        subject=f"several sources: {', '.join(said)}",
        lines=tuple(map(_one_line, lines)),
        messages=tuple(messages),
        digest=True,
    )


def _one_line(text: str) -> str:
    """Harvested words are in it: no line ends, no control characters, no end without end."""
    text = "".join(c if c.isprintable() else " " for c in logs.redact(text))
    return " ".join(text.split())[:600]


# --- carrying it out -----------------------------------------------------------------------

Send = Callable[[Letter], None]
_TROUBLE = (OSError, smtplib.SMTPException, http.client.HTTPException, ValueError)


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """How people are told: a function a channel, by its name."""

    send: Mapping[str, Send] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.send)


def channels(settings: Settings) -> Channels:
    """The channels that the settings name."""
    named: dict[str, Send] = {}
    if settings.alert_webhook:
        named["webhook"] = lambda letter: _post(settings, letter)
    if settings.alert_mail:
        named["mail"] = lambda letter: _mail(settings, letter)
    return Channels(send=named)


def settle(
    store: Store, source: str, kinds: Sequence[str], text: str, now: datetime, *, wanted: bool
) -> None:
    """Close a source's incident, if it is of one of these kinds, without a run, and say why to
    those who were told of it. The store must be within ``explained``."""

    def change(row: dict[str, Any]) -> dict[str, Any]:
        incident = _incident(row.get("incident"))
        if incident is None or incident.kind not in kinds:
            return row
        outgoing = row.get("outgoing", [])
        if incident.told and wanted:
            outgoing = [
                *outgoing,
                _stored(
                    Message(
                        id=f"{source}:settled:{now:%Y%m%dT%H%M%S}",
                        source=source,
                        title="",
                        kind="recovery",
                        what=incident.kind,
                        at=now,
                        since=incident.since,
                        text=text,
                    )
                ),
            ]
        return {"incident": None, "outgoing": outgoing[-KEPT:]}

    store.watch.change(source, change)


def record(store: Store, outcome: Outcome, now: datetime, *, wanted: bool) -> None:
    """Note what a run makes of its source's incident, with what is to be told if that is
    ``wanted``. The store must be within ``explained``."""

    def change(row: dict[str, Any]) -> dict[str, Any]:
        before = _incident(row.get("incident"))
        incident, told = decide(before, outcome, now)
        outgoing = row.get("outgoing", [])
        if incident is not None and not wanted:
            # Who asks to be told later has not been told yet.
            incident = replace(incident, told=before.told if before else ())
        if wanted:
            known = {message["id"] for message in outgoing}
            outgoing = [*outgoing, *(_stored(m) for m in told if m.id not in known)][-KEPT:]
        return {"incident": _stored(incident) if incident else None, "outgoing": outgoing}

    store.watch.change(outcome.source, change)


def tell(store: Store, channels: Channels, now: datetime) -> int:
    """Send what waits, unless another process is at it; returns how many letters went out.

    A channel that fails keeps what it did not take and is tried again later. The store must be
    within ``explained``.
    """
    if not channels:
        return 0
    sent = 0
    # Once more after the right was given back: what another process wrote meanwhile, and left
    # to us, must not wait for the next run.
    while _waiting(store, channels):
        token = store.watch.claim(now)
        if token is None:
            break
        state = store.watch.channels()
        went = 0
        try:
            for name, send in channels.send.items():
                state[name], number = _through(store, name, send, state.get(name) or {}, now)
                went += number
            _forget(store, channels)
        finally:
            store.watch.release(token, state)
        sent += went
        if not went:
            break
    return sent


def _through(
    store: Store, name: str, send: Send, state: dict[str, Any], now: datetime
) -> tuple[dict[str, Any], int]:
    """Send what waits for one channel; its new state, and how many letters it took."""
    if state.get("not_before") is not None and state["not_before"] > now:
        return state, 0
    waiting = [
        m
        for row in store.watch.alerts().values()
        for m in map(_message, row.get("outgoing", []))
        if name not in m.done
    ]
    sent = [one for one in state.get("sent", []) if now - one["at"] < TOGETHER]
    digest = state.get("digest")
    went = 0
    for letter in letters(waiting, [Sent(**one) for one in sent], digest, now):
        try:
            send(letter)
        except _TROUBLE as error:
            failures = state.get("failures", 0) + 1
            pause = min(RETRY * 2 ** min(failures - 1, 10), RETRY_MOST)
            log.warning(
                "alerts cannot be sent by %s: %s; tried again later",
                name,
                _why(error),
                extra=logs.fields(channel=name, waiting=len(waiting), failures=failures),
            )
            return {
                **state, "sent": sent, "digest": digest,
                "failures": failures, "not_before": now + pause,
            }, went  # fmt: skip
        went += 1
        sent += [{"at": now, "source": m.source, "kind": m.kind} for m in letter.messages]
        # A digest opens an hour in which everything waits.
        digest = now if letter.digest else None
        _done(store, name, letter)
        log.info(
            "alert sent",
            extra=logs.fields(
                channel=name, subject=letter.subject, sources=[m.source for m in letter.messages]
            ),
        )
    return {"sent": sent, "digest": digest, "failures": 0, "not_before": None}, went


def _waiting(store: Store, channels: Channels) -> bool:
    return any(
        set(channels.send) - set(message["done"])
        for row in store.watch.alerts().values()
        for message in row.get("outgoing", [])
    )


def _done(store: Store, channel: str, letter: Letter) -> None:
    by_source: dict[str, set[str]] = {}
    for message in letter.messages:
        by_source.setdefault(message.source, set()).add(message.id)
    for source, ids in by_source.items():

        def mark(row: dict[str, Any], ids: set[str] = ids) -> dict[str, Any]:
            return {
                **row,
                "outgoing": [
                    {**m, "done": [*m["done"], channel]} if m["id"] in ids else m
                    for m in row.get("outgoing", [])
                ],
            }

        store.watch.change(source, mark)


def _forget(store: Store, channels: Channels) -> None:
    """Let go of what went through every channel there is."""
    for source, row in store.watch.alerts().items():
        if any(not set(channels.send) - set(m["done"]) for m in row.get("outgoing", [])):
            store.watch.change(
                source,
                lambda row: {
                    **row,
                    "outgoing": [m for m in row["outgoing"] if set(channels.send) - set(m["done"])],
                },
            )


def incidents(store: Store) -> dict[str, tuple[Incident, int]]:
    """The open incidents by source, each with how many messages still wait to be sent."""
    found = {}
    for source, row in store.watch.alerts().items():
        incident = _incident(row.get("incident"))
        if incident is not None:
            found[source] = incident, len(row.get("outgoing", []))
    return found


def test(channels: Channels, now: datetime) -> dict[str, str | None]:
    """Send a test through every channel; what went wrong with each, or ``None``."""
    letter = Letter(
        subject="a test of the alerts",
        lines=("Nothing is wrong. Whoever reads this would be told if a source needed a look.",),
        messages=(),
        test=True,
    )
    outcome: dict[str, str | None] = {}
    for name, send in channels.send.items():
        try:
            send(letter)
            outcome[name] = None
        except _TROUBLE as error:
            outcome[name] = _why(error)
    return outcome


# --- channels ------------------------------------------------------------------------------


class _Stay(urllib.request.HTTPRedirectHandler):
    """A webhook that is sent elsewhere has moved; its address, a secret, is not carried on."""

    def redirect_request(self, *_: Any) -> None:
        return None


def _post(settings: Settings, letter: Letter) -> None:
    body = json.dumps(letter.plain(settings.repository_name), ensure_ascii=False).encode()
    request = urllib.request.Request(
        settings.alert_webhook,
        body,
        {"Content-Type": "application/json; charset=utf-8", "User-Agent": "CHM-Hub"},
        method="POST",
    )
    opener = urllib.request.build_opener(_Stay)
    with opener.open(request, timeout=TIMEOUT) as answer:
        answer.read(1024)


def _mail(settings: Settings, letter: Letter, context: ssl.SSLContext | None = None) -> None:
    mail = EmailMessage()
    mail["From"] = settings.admin_email
    mail["To"] = settings.alert_mail
    mail["Subject"] = _one_line(f"[{settings.repository_name}] {letter.subject}")[:200]
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content("\n".join((*letter.lines, "", settings.base_url)))
    parts = urlsplit(settings.smtp_url)
    assert parts.hostname is not None
    context = context or ssl.create_default_context()
    if parts.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            parts.hostname, parts.port or 465, timeout=TIMEOUT, context=context
        )
    else:
        server = smtplib.SMTP(parts.hostname, parts.port or 587, timeout=TIMEOUT)
    with server:
        if parts.scheme == "smtp":
            server.ehlo()
            if server.has_extn("starttls"):
                server.starttls(context=context)
                server.ehlo()
            elif parts.username:
                raise ValueError("the mail server offers no encryption; no password is sent to it")
        if parts.username:
            server.login(unquote(parts.username), unquote(parts.password or ""))
        server.send_message(mail)


def _why(error: Exception) -> str:
    if isinstance(error, urllib.error.HTTPError):
        return f"it answered {error.code}"
    if isinstance(error, urllib.error.URLError):
        return logs.redact(str(error.reason))
    return logs.redact(_one_line(str(error)) or type(error).__name__)


# --- from and to what is stored ------------------------------------------------------------


def _stored(value: Incident | Message) -> dict[str, Any]:
    return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(value).items()}


def _incident(row: dict[str, Any] | None) -> Incident | None:
    return None if row is None else Incident(**{**row, "told": tuple(row["told"])})


def _message(row: dict[str, Any]) -> Message:
    return Message(**{**row, "done": tuple(row["done"])})
