"""Logs: one line an event, for a machine that gathers them; never a secret in them.

Without ``CHM_HUB_LOG`` only what a person should know (warnings and worse) is said, as text on
standard error. With it every line is one JSON object: ``time`` (UTC), ``level``, ``logger``,
``message``, and whatever fields the event has (``source``, ``run``, ``state``...).
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import sys
from collections.abc import Iterable
from datetime import UTC, datetime
from logging.handlers import WatchedFileHandler
from typing import Any
from urllib.parse import quote, quote_plus, unquote, urlsplit

from chm_hub.errors import SourceError
from chm_hub.settings import Settings

LONGEST = 4_000
"""Characters of one text in a line; a harvested text must not fill the disk."""
SHORTEST_SECRET = 4
"""Shorter secrets are not looked for: they would black out half of every line."""
LIBRARIES = (
    "apscheduler",
    "asyncio",
    "celery",
    "filelock",
    "gunicorn",
    "kombu",
    "pymongo",
    "scrapy",
    "twisted",
    "urllib3",
    "werkzeug",
)
"""Their chatter below a warning is nobody's business."""

_secrets: set[str] = set()
_USERINFO = re.compile(r"://[^/\s?#\"']{1,500}@")
# C1 controls, line separators of Unicode and marks that turn the direction of writing: JSON lets
# them through, terminals and log viewers obey them.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)


def setup(settings: Settings) -> None:
    """Set up the logs of this process as the settings say; may be called again.

    Raises :class:`SourceError` if the file cannot be written.
    """
    conceal(*_secrets_of(settings))
    root = logging.getLogger()
    for handler in [h for h in root.handlers if getattr(h, "chm_hub", False)]:
        root.removeHandler(handler)
        handler.close()
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    handlers: list[logging.Handler] = []
    if settings.log == "-":
        handlers.append(_Machines())
    else:
        people = _People()
        people.setLevel(max(level, logging.WARNING))
        handlers.append(people)
        if settings.log:
            try:
                # Other processes write to it too, and a rotated file is let go of.
                handlers.append(WatchedFileHandler(settings.log, encoding="utf-8", delay=False))
            except OSError as error:
                raise SourceError(
                    f"CHM_HUB_LOG: cannot write {settings.log}: {error.strerror}. Name a file in a "
                    "folder that exists and is ours, `-` for standard error, or unset it."
                ) from error
            handlers[-1].setFormatter(Lines())
    for handler in handlers:
        handler.addFilter(_is_no_chatter)  # some libraries set their levels themselves
        handler.chm_hub = True  # type: ignore[attr-defined]
        root.addHandler(handler)
    root.setLevel(level)
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.setLevel(max(library.level, logging.WARNING))


def fields(**values: Any) -> dict[str, Any]:
    """What a log call takes as ``extra`` so that a line has these fields."""
    return {"fields": values}


def quietly(**values: Any) -> dict[str, Any]:
    """The same for what the command line tells people itself: not said twice."""
    return {"fields": values, "told": True}


def report(log: logging.Logger, message: str, error: BaseException, **values: Any) -> str:
    """Log a fault of a server with its trace, and give the id to show in its place."""
    number = secrets.token_hex(6)
    log.error(message, exc_info=error, extra=fields(error_id=number, **values))
    return number


def conceal(*values: str) -> None:
    """Never let these values, nor what they become in an address, appear in a log."""
    for value in values:
        for form in (value, quote(value, safe=""), quote_plus(value)):
            if len(form) >= SHORTEST_SECRET:
                _secrets.add(form)


def redact(text: str) -> str:
    """A text without the secrets known to this process, and without user names and passwords
    in addresses."""
    # The longest first: one secret may be a part of another.
    for value in sorted(_secrets, key=len, reverse=True):
        if value in text:
            text = text.replace(value, "***")
    return _USERINFO.sub("://***@", text)


def _is_no_chatter(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] not in LIBRARIES


def _secrets_of(settings: Settings) -> Iterable[str]:
    yield settings.secret_key
    for address in (settings.mongodb_uri, *settings.broker_url.split(";"), settings.smtp_url):
        parts = urlsplit(address)
        if parts.password:
            yield parts.password
            yield unquote(parts.password)
    # Whoever has the address of a webhook can write there: the path is the key.
    hook = urlsplit(settings.alert_webhook)
    if len(hook.path) > 1:
        yield hook.path
    yield hook.query


def _clean(value: Any) -> Any:
    if isinstance(value, str):
        # Before it is cut, or half a secret could be left at the end.
        value = redact(value)
        return value if len(value) <= LONGEST else value[:LONGEST] + "…"
    if isinstance(value, dict):
        return {_clean(str(key)): _clean(part) for key, part in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_clean(part) for part in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if value is None or isinstance(value, bool | int | float):
        return value
    return _clean(str(value))


def _escape(text: str) -> str:
    return _UNSAFE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


class Lines(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, without its end."""
        moment = datetime.fromtimestamp(record.created, UTC)
        line = {
            "time": moment.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z",
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _clean(record.getMessage()),
        }
        for key, value in getattr(record, "fields", {}).items():
            line.setdefault(key, _clean(value))
        if record.exc_info:
            # The end of a trace says what happened; the beginning can go.
            line["trace"] = redact(self.formatException(record.exc_info))[-LONGEST:]
        return _escape(json.dumps(line, ensure_ascii=False))


class ForPeople(logging.Formatter):
    """A record as text."""

    def format(self, record: logging.LogRecord) -> str:
        """The line, and below it the trace of a fault."""
        text = f"chm-hub: {_escape(_clean(record.getMessage()))}"
        if number := getattr(record, "fields", {}).get("error_id"):
            text += f" (error {number})"
        if record.exc_info:
            trace = redact(self.formatException(record.exc_info))[-LONGEST:]
            text += "".join(f"\n  {_escape(line)}" for line in trace.splitlines())
        return text


class _Stderr(logging.StreamHandler[Any]):
    """Standard error as it is when a line is written, not as it was at the start."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> Any:
        return sys.stderr

    @stream.setter
    def stream(self, value: Any) -> None: ...


class _Machines(_Stderr):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(Lines())


class _People(_Stderr):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(ForPeople())
        self.addFilter(lambda record: not getattr(record, "told", False))
