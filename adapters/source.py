"""The declared sources: one small TOML file each, checked all at once (architecture §5)."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult
from zoneinfo import available_timezones

from apscheduler.triggers.cron import CronTrigger
from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config

import adapters
from chm_hub import logs
from chm_hub.addresses import urlsplit
from chm_hub.errors import FetchError, SourceError
from chm_hub.fetch import (
    CONNECT,
    DEADLINE,
    DECODED_LIMIT,
    MOST_REDIRECTS,
    REDIRECTS,
    SILENCE,
    TRIES,
    WIRE_LIMIT,
    Limits,
)
from chm_hub.settings import Settings

FOLDER = Path(__file__).parent / "sources"
"""The sources that ship with the hub."""
IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

NO_COUNTRY = "none"
"""The ``country`` of a source that is not one country's."""
Deletions = Literal["tombstones", "absence", "never"]
CRON = {
    "hourly": "7 * * * *",
    "daily": "17 1 * * *",
    "weekly": "17 1 * * mon",
    "monthly": "17 1 1 * *",
}
"""What the words for schedules mean, before each source is given its own place (UTC)."""
_TIME = r"([01]\d|2[0-3]):[0-5]\d"
WINDOW = rf"(?P<begin>{_TIME})-(?P<end>{_TIME})( (?P<zone>[A-Za-z_+/0-9-]+))?"
"""Hours of the day, with a time zone if it is not UTC: ``22:00-05:00 Africa/Nairobi``."""
_DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
SHORTEST_PERIOD = timedelta(seconds=10)
_DURATION: TypeAdapter[timedelta] = TypeAdapter(timedelta)
_STRICT = ConfigDict(extra="forbid")


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class CommonOptions:
    """Options of every adapter: what one request may cost."""

    connect: Annotated[float, Field(gt=0, le=300)] = CONNECT
    """Seconds to make a connection."""
    deadline: Annotated[float, Field(gt=0, le=3600)] = DEADLINE
    """Seconds for one whole answer."""
    silence: Annotated[float, Field(gt=0, le=3600)] = SILENCE
    """Seconds in which next to nothing comes of an answer."""
    wire_limit: Annotated[int, Field(gt=0)] = WIRE_LIMIT
    """Bytes of one answer as it comes over the wire."""
    decoded_limit: Annotated[int, Field(gt=0)] = DECODED_LIMIT
    """Bytes of one answer, unpacked."""
    redirects: Annotated[int, Field(ge=0, le=MOST_REDIRECTS)] = REDIRECTS
    """How many redirects in a row are followed."""
    tries: Annotated[int, Field(ge=1, le=10)] = TRIES
    """How often a request is tried before it counts as failed."""

    def limits(self) -> Limits:
        """These options as the client's limits."""
        return Limits(
            connect=self.connect,
            deadline=self.deadline,
            silence=self.silence,
            wire=self.wire_limit,
            decoded=self.decoded_limit,
            redirects=self.redirects,
            tries=self.tries,
        )


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Expect:
    """What a source must give for its run to count."""

    records: Annotated[int, Field(ge=0)] = 0
    """A full run that sees fewer documents fails."""


@with_config(_STRICT)
@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """The keys of a source file."""

    title: Annotated[str, Field(min_length=1)]
    adapter: str
    url: str
    country: str | None = None
    countries: list[str] = field(default_factory=list)
    region: str | None = None
    country_of_source: bool = True
    languages: list[str] = field(default_factory=list)
    language_of_source: bool = True
    schedule: str = "daily"
    window: str | None = None
    full_every: Annotated[int, Field(ge=1, le=90)] = 7
    rights: str | None = None
    republish: bool = True
    crosswalk: str | None = None
    deletions: Deletions | None = None
    announces_more: bool = False
    enabled: bool = True
    reason: str | None = None
    group: str | None = None
    system: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$")] | None = None
    secret: str | None = None
    tls_exception_until: date | None = None
    contact: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    expect: Expect = field(default_factory=Expect)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """One place we harvest."""

    id: str
    path: Path
    declared: Declared
    options: Any
    """The adapter's ``Options``, read from ``[options]``."""

    @property
    def adapter(self) -> adapters.Adapter:
        """The adapter that knows this source's platform."""
        return adapters.adapter(self.declared.adapter)

    @property
    def crosswalk(self) -> str:
        """The crosswalk its documents go through."""
        return self.declared.crosswalk or self.adapter.CROSSWALK

    @property
    def system(self) -> str:
        """The family of systems it belongs to; its records are in the set ``system:<family>``."""
        return self.declared.system or self.declared.adapter.replace("_", "-")

    @property
    def deletions(self) -> str:
        """How it says what is gone: ``tombstones``, ``absence`` or ``never``."""
        return self.declared.deletions or self.adapter.DELETIONS

    @property
    def countries(self) -> list[str]:
        """The countries it belongs to."""
        own = self.declared.country
        return ([own] if own and own != NO_COUNTRY else []) + self.declared.countries

    @property
    def says_where(self) -> bool:
        """Whether its file says which countries its records belong to, or that they are not one
        country's."""
        declared = self.declared
        return bool(declared.country or declared.countries or declared.region)

    def secret(self) -> str | None:
        """The value its ``secret`` refers to. Raises :class:`SourceError` if it is not there."""
        reference = self.declared.secret
        if reference is None:
            return None
        kind, _, name = reference.partition(":")
        if kind == "env":
            value = os.environ.get(name)
        else:
            try:
                # Beside the file that names it, if it does not say where.
                value = (self.path.parent / Path(name).expanduser()).read_text("utf-8").strip()
            except OSError:
                value = None
        if not value:
            raise SourceError(f"{self.path}: secret: {reference} is not set. Set it, then retry.")
        logs.conceal(value)
        return value

    def needed_secret(self, whose: str) -> str:
        """The secret of a source that cannot do without; ``whose`` is the service in words.

        Raises :class:`FetchError` (reason ``secret``) that names what to set.
        """
        try:
            found = self.secret()
        except SourceError as error:
            raise FetchError(str(error), reason="secret") from error
        if found is None:
            raise FetchError(
                f'{self.path}: {whose} wants a key. Say where it is (secret = "env:NAME") and '
                "set it.",
                reason="secret",
            )
        return found

    def excused(self, day: date) -> bool:
        """Whether its certificate need not be in order on this day (rule R16)."""
        until = self.declared.tls_exception_until
        return until is not None and day <= until

    def as_context(self) -> dict[str, Any]:
        """What crosswalks see as ``source``."""
        return {
            "id": self.id,
            "title": self.declared.title,
            "url": self.declared.url,
            "country": None if self.declared.country == NO_COUNTRY else self.declared.country,
            "countries": self.countries,
            "country_of_source": self.declared.country_of_source,
            "region": self.declared.region,
            "languages": self.declared.languages,
            "language_of_source": self.declared.language_of_source,
            "rights": self.declared.rights,
            "options": self.declared.options,
        }


_DECLARED: TypeAdapter[Declared] = TypeAdapter(Declared)


def folders(settings: Settings) -> list[Path]:
    """Where sources are declared: with the hub, in CHM_HUB_SOURCES, and in the data folder
    (where `demo` puts its own)."""
    own = settings.data / "sources"
    shipped = [FOLDER] if settings.shipped_sources else []
    found = [*shipped, *settings.sources, *([own] if own.is_dir() else [])]
    return list({folder.resolve(): folder for folder in found}.values())


def load_sources(places: Sequence[Path], only: Collection[str] | None = None) -> dict[str, Source]:
    """All sources of some folders by identifier, or ``only`` these: a mistake in another's file
    does not stop them.

    Raises one :class:`SourceError` that names every mistake of every file, a line each:
    ``path: key: what is wrong``.
    """
    sources, faults = load_usable(places, only)
    if faults:
        raise SourceError("\n".join(faults.values()))
    return sources


def load_usable(
    places: Sequence[Path], only: Collection[str] | None = None
) -> tuple[dict[str, Source], dict[Path, str]]:
    """The sources of some folders, or ``only`` these, whose files are in order, and what is wrong
    with each other file and with folders that are not there: for whoever must go on with those
    that can be used."""
    sources: dict[str, Source] = {}
    faults: dict[Path, str] = {}
    for folder in places:
        if not folder.is_dir():
            faults[folder] = (
                f"{folder}: no such folder of sources. Make it, or correct CHM_HUB_SOURCES."
            )
            continue
        for path in sorted(folder.glob("*.toml")):
            if only is not None and path.stem not in only:
                continue
            source, wrong = read_source(path)
            if source is not None and source.id in sources:
                taken = sources[source.id].path
                wrong = [f"{path}: the identifier {source.id} is taken by {taken}"]
            if wrong:
                faults[path] = "\n".join(wrong)
            elif source is not None:
                sources[source.id] = source
    return sources, faults


def read_source(path: Path) -> tuple[Source | None, list[str]]:
    """One source file, and everything that is wrong with it."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        return None, [f"{path}: cannot be read: {error.strerror}"]
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return None, [f"{path}: not valid TOML: {error}"]
    faults: list[str] = []
    if not IDENTIFIER.fullmatch(path.stem):
        faults.append(
            f"{path}: the file's name is the source's identifier: small letters, digits, - and _"
        )
    declared: Declared | None = None
    try:
        declared = _DECLARED.validate_python(table)
    except ValidationError as error:
        faults += [f"{path}: {text}" for text in explain(error, Declared)]
    name = table.get("adapter")
    options: Any = None
    if isinstance(name, str):
        if name not in adapters.names():
            faults.append(
                f"{path}: adapter: no adapter {name!r}; there are {', '.join(adapters.names())}"
            )
        elif isinstance(table.get("options", {}), dict):
            kind = adapters.adapter(name).Options
            try:
                options = _options(name).validate_python(table.get("options", {}))
            except ValidationError as error:
                faults += [f"{path}: options.{text}" for text in explain(error, kind)]
        if name in adapters.names() and "secret" in table and not adapters.takes_secret(name):
            takers = ", ".join(filter(adapters.takes_secret, adapters.names()))
            faults.append(f"{path}: secret: the adapter {name} sends none; those that do: {takers}")
    if declared is not None:
        faults += [f"{path}: {text}" for text in _meaning(declared)]
    if faults or declared is None:
        return None, faults
    return Source(id=path.stem, path=path, declared=declared, options=options), []


@cache
def _options(adapter: str) -> TypeAdapter[Any]:
    return TypeAdapter(adapters.adapter(adapter).Options)


def explain(error: ValidationError, kind: type[Any]) -> list[str]:
    """Validation faults in words: ``key: what is wrong``, with what would be right."""
    known = ", ".join(sorted(kind.__dataclass_fields__))
    said = []
    for fault in error.errors():
        key = ".".join(str(part) for part in fault["loc"] if part != "__root__") or "file"
        if fault["type"] in ("unexpected_keyword_argument", "extra_forbidden"):
            said.append(f"{key}: no such key; known are {known}")
        elif fault["type"] == "missing":
            said.append(f"{key}: is missing")
        else:
            shown = repr(fault.get("input"))[:60]
            said.append(f"{key}: {fault['msg']} (it is {shown})")
    return said


def _meaning(declared: Declared) -> Iterable[str]:
    """What is wrong with values that are of the right kind."""
    parts = urlsplit(declared.url)
    if "@" in parts.netloc:
        yield (
            "url: carries a user name, and would stand in every record with it. The hub logs in "
            "only where an adapter takes a `secret`"
        )
    elif not _is_web(parts):
        # Where its host is not clear, a password could be in any part of it.
        shown = "" if "@" in declared.url else f" (it is {declared.url!r})"
        yield f"url: not an http or https address{shown}"
    for key, codes in (("country", [declared.country]), ("countries", declared.countries)):
        for code in codes:
            if code is None or (key == "country" and code == NO_COUNTRY):
                continue
            if not re.fullmatch(r"[A-Z]{2}", code):
                none = f' or "{NO_COUNTRY}"' if key == "country" else ""
                yield f"{key}: not an ISO 3166-1 alpha-2 code in capitals{none} (it is {code!r})"
    if declared.country == NO_COUNTRY and declared.countries:
        yield f'country: "{NO_COUNTRY}" beside countries; leave one of them out'
    for tag in declared.languages:
        if not re.fullmatch(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", tag):
            yield f"languages: not a language tag such as fr or pt-BR (it is {tag!r})"
    if declared.schedule not in CRON:
        try:
            if (period := duration(declared.schedule)) is None:
                cron(declared.schedule)
            elif period < SHORTEST_PERIOD:
                raise ValueError(f"shorter than {SHORTEST_PERIOD.seconds} s")
        except ValueError as error:
            yield (
                f"schedule: neither {', '.join(CRON)} nor a cron line nor a duration such as PT6H "
                f"(it is {declared.schedule!r}: {_first_line(error)})"
            )
    if declared.window is not None:
        match = re.fullmatch(WINDOW, declared.window)
        if match is None or match["begin"] == match["end"]:
            yield (
                'window: not hours such as "22:00-05:00" or "22:00-05:00 Africa/Nairobi" (it is '
                f"{declared.window!r})"
            )
        elif match["zone"] and match["zone"] not in available_timezones():
            yield f"window: no time zone {match['zone']!r}; write it as in Africa/Nairobi"
    if not declared.enabled and not declared.reason:
        yield "reason: say why the source is not enabled"
    if declared.secret is not None and not declared.secret.startswith(("env:", "file:")):
        yield "secret: refer to it (env:NAME or file:PATH); secrets never stand in the file itself"


def _is_web(parts: SplitResult) -> bool:
    try:
        _ = parts.port  # reading it checks it
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


def duration(text: str) -> timedelta | None:
    """A schedule that is a duration (ISO 8601, ``PT6H``); ``None`` for one of another kind.

    Raises :class:`ValueError`.
    """
    return _DURATION.validate_python(text) if text.startswith("P") else None


def cron(text: str) -> CronTrigger:
    """A cron line, or one of the words for one, as APScheduler's trigger (UTC).

    Days of the week are counted as cron does, from Sunday on (0 and 7); APScheduler counts from
    Monday. Raises :class:`ValueError`.
    """
    fields = CRON.get(text, text).split()
    if len(fields) == 5:
        fields[4] = ",".join(map(_weekdays, fields[4].split(",")))
    return CronTrigger.from_crontab(" ".join(fields), timezone="UTC")


def _weekdays(part: str) -> str:
    match = re.fullmatch(r"([0-7])(?:-([0-7])(?:/([1-7]))?)?", part)
    if match is None:
        return part
    first, last = int(match[1]), int(match[2] or match[1])
    if last < first:
        raise ValueError(f"days of the week from {first} to {last}")
    days = range(first, last + 1, int(match[3] or 1))
    return ",".join(_DAYS[day % 7] for day in days)


def template(keys: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> str:
    """The text of a new source file; values are strings, numbers, lists and tables of them."""
    width = max(map(len, keys))
    text = "".join(f"{key.ljust(width)} = {_toml(value)}\n" for key, value in keys.items())
    if options:
        text += "\n[options]\n"
        text += "".join(f"{key} = {_toml(value)}\n" for key, value in options.items())
    return text


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        inside = ", ".join(f"{_toml(str(key))} = {_toml(part)}" for key, part in value.items())
        return f"{{ {inside} }}"
    # JSON's strings, numbers and lists of them are TOML's too, but for one character.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
