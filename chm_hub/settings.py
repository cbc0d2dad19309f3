"""The hub's settings: environment variables, and the TOML file that ``CHM_HUB_CONFIG`` names.

No other module reads the environment. The environment wins over the file; in the file the
same names stand without their prefix and in lower case (``base_url = "https://..."``).
"""

from __future__ import annotations

import ipaddress
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import SplitResult, urlsplit

from chm_hub.errors import SourceError

PREFIX = "CHM_HUB_"
_YES, _NO = frozenset({"yes", "true", "1"}), frozenset({"no", "false", "0"})
_FOLDERS = ("sources", "views", "crosswalks")
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What can be set, with its default. Each field is the variable ``CHM_HUB_<FIELD>``."""

    data: Path = Path("var")
    """Where the hub keeps what is its own: the embedded engine's files, its lock and log."""
    mongodb_uri: str = ""
    """A MongoDB to use in place of the embedded engine; the database is the one it names,
    else ``chm_hub``."""
    sources: tuple[Path, ...] = ()
    """More folders of source files, separated by colons, beside ``adapters/sources``."""
    shipped_sources: bool = True
    """Whether the sources that come with the hub are among its sources (``yes`` or ``no``)."""
    crosswalks: tuple[Path, ...] = ()
    """More folders of crosswalks, separated by colons. They are searched before those that come
    with the hub, so that a file of the same name takes the place of the hub's."""
    views: tuple[Path, ...] = ()
    """Folders of views, separated by colons, beside ``views`` in the data folder."""
    base_url: str = "http://127.0.0.1:8080"
    """The address under which the world reaches this hub, without ``/oai``."""
    repository_name: str = "CHM Hub"
    repository_id: str = "chm-hub.example"
    """The domain in ``oai:<domain>:<identifier>``. Set it once, before the first partner
    harvests: it is part of every identifier."""
    admin_email: str = "admin@chm-hub.example"
    egress_allow: tuple[Network, ...] = ()
    """Networks (CIDR, separated by commas) that may be fetched from although they are
    private; tests set ``127.0.0.1/32``."""
    host_delay: float = 1.0
    """Seconds between two requests to one host."""
    keep_days: int = 90
    """How long answers of sources are kept at least, see `chm-hub tidy`."""
    runs_at_once: int = 4
    """Scheduled harvests that run at the same time, each in a process of its own."""
    run_minutes: int = 360
    """A scheduled run that takes longer is ended."""
    run_memory: int = 1024
    """MiB; a scheduled run that takes more is ended."""
    broker_url: str = ""
    """A Celery broker (``redis://…`` or ``amqp://…``); scheduled harvests then go to workers."""
    secret_key: str = ""
    """Signs resumption tokens. Empty: one is made once and kept in the store."""
    log: str = ""
    """A file for the log, a JSON object a line; ``-`` is standard error. Empty: warnings as
    text on standard error."""
    log_level: str = "info"
    """From which level on: ``debug``, ``info``, ``warning`` or ``error``."""
    alert_webhook: str = ""
    """An https address that is told, as JSON, when a source fails and when it is well again."""
    alert_mail: str = ""
    """The same by mail to this address, through ``smtp_url``."""
    smtp_url: str = ""
    """The mail server: ``smtp://user:password@host:587`` (STARTTLS) or ``smtps://``."""


def load(environ: Mapping[str, str] | None = None, *, data: Path | None = None) -> Settings:
    """Read the settings; ``data`` (the command line's ``--data``) wins over all.

    Raises :class:`SourceError` with every fault of them, each named with where it stands.
    """
    environ = os.environ if environ is None else environ
    values: dict[str, tuple[str, str]] = {}
    faults: list[str] = []
    names = {f.name for f in fields(Settings)}
    config = environ.get(PREFIX + "CONFIG")
    if config:
        try:
            table = tomllib.loads(Path(config).read_text("utf-8"))
        except OSError as error:
            raise SourceError(
                f"{PREFIX}CONFIG: cannot read {config}: {error.strerror}. "
                "Name a file that exists, or unset the variable."
            ) from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SourceError(f"{config}: not valid TOML: {error}") from error
        for key, value in table.items():
            if key not in names:
                faults.append(
                    f"{config}: {key}: no such setting; known are {', '.join(sorted(names))}"
                )
            elif isinstance(value, list):
                joined = (":" if key in _FOLDERS else ",").join(map(str, value))
                values[key] = (joined, f"{config}: {key}")
            else:
                values[key] = (str(value), f"{config}: {key}")
    for name in names:
        text = environ.get(PREFIX + name.upper())
        if text is not None and text.strip():
            values[name] = (text.strip(), PREFIX + name.upper())
    if data is not None:
        values["data"] = (str(data), "--data")
    made: dict[str, object] = {}
    for name, (text, where) in values.items():
        try:
            made[name] = _parse(name, text)
        except ValueError as error:
            faults.append(f"{where}: {error}")
    if made.get("alert_mail") and not made.get("smtp_url"):
        faults.append(f"{values['alert_mail'][1]}: needs a mail server; set {PREFIX}SMTP_URL")
    if faults:
        raise SourceError("\n".join(sorted(faults)))
    return Settings(**made)  # type: ignore[arg-type]


def _parse(name: str, text: str) -> object:
    match name:
        case "data":
            return Path(text).expanduser()
        case "sources" | "views" | "crosswalks":
            return tuple(Path(part).expanduser() for part in text.split(":") if part)
        case "egress_allow":
            return tuple(
                ipaddress.ip_network(part.strip()) for part in text.split(",") if part.strip()
            )
        case "host_delay":
            delay = float(text)
            if not 0 <= delay <= 3600:
                raise ValueError(f"{text!r} is not a number of seconds between 0 and 3600")
            return delay
        case "shipped_sources":
            if text.lower() not in _YES | _NO:
                raise ValueError(f"{text!r} is neither yes nor no")
            return text.lower() in _YES
        case "keep_days" | "runs_at_once" | "run_minutes" | "run_memory":
            number = int(text) if text.isascii() and text.isdigit() else 0
            if not 1 <= number <= 100_000:
                raise ValueError(f"{text!r} is not a whole number from 1 on")
            return number
        case "base_url":
            parts = _address(text)
            if parts.scheme not in ("http", "https") or not parts.hostname or parts.query:
                raise ValueError("not an http or https address without a query")
            if parts.username is not None:
                raise ValueError("carries a user name, and everybody is shown it")
            return text.rstrip("/")
        case "mongodb_uri":
            if not text.startswith(("mongodb://", "mongodb+srv://")):
                raise ValueError(
                    "not a MongoDB address; it begins with mongodb:// or mongodb+srv://"
                )
            _address(text, service=True, one_host=False)
            return text
        case "broker_url":
            for part in text.split(";"):  # Celery takes more than one
                if not _address(part, service=True).scheme:
                    raise ValueError("not a broker such as redis://:password@host:6379/0")
            return text
        case "repository_id":
            if (
                not all(part.replace("-", "").isalnum() for part in text.split("."))
                or "." not in text
            ):
                raise ValueError(f"{text!r} is not a domain name such as hub.example.org")
            return text
        case "log_level":
            if text.lower() not in ("debug", "info", "warning", "error"):
                raise ValueError(f"{text!r} is not one of debug, info, warning, error")
            return text.lower()
        case "alert_webhook":
            parts = _address(text)
            if parts.scheme not in ("https", "http") or not parts.hostname:
                raise ValueError("not an https address")
            if parts.username is not None:
                raise ValueError(
                    "carries a user name, and none is sent; use an address whose path is the key"
                )
            if parts.scheme == "http" and not _is_private(parts.hostname):
                raise ValueError("an address with http alone must be inside; use https")
            return text
        case "smtp_url":
            parts = _address(text, service=True)
            if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
                raise ValueError("not a mail server such as smtp://user:password@host:587")
            return text
        case "admin_email" | "alert_mail":
            if text.count("@") != 1 or " " in text:
                raise ValueError(f"{text!r} is not a mail address")
            return text
        case _:
            return text


def _address(text: str, *, service: bool = False, one_host: bool = True) -> SplitResult:
    """The parts of an address that may hold a secret: no fault of it repeats any of it.

    A ``service`` has no @ behind its host: there it is what a / ? or # in a password left.
    """
    try:
        parts = urlsplit(text)
        if one_host:
            _ = parts.port  # reading it checks it
        if service and "@" in parts.path + parts.query + parts.fragment:
            raise ValueError
    except ValueError:
        raise ValueError(
            "its host or port cannot be made out; in a user name and a password write "
            "@ : / ? # % as %40 %3A %2F %3F %23 %25"
        ) from None
    return parts


def _is_private(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return host == "localhost" or "." not in host or host.endswith((".internal", ".local"))
