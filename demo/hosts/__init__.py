"""The hosts of the network, a family in each module of this folder.

A module has ``replicas(seed, scale) -> list[Replica]``. Each replica is a host of its own, with
a port of its own, so that its paths are those of the system it stands for. Replicas depend on
the seed and on nothing else: the same on every machine and run.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from chm_hub.record import Text
from demo.server import Answer, Request

KEY = "demo"
"""What the hosts that want a key accept; their sources name it as ``env:CHM_HUB_DEMO_KEY``."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a hub should hold of one record."""

    type: str
    """Its record type."""
    title: tuple[Text, ...]
    """Its titles; a language is ``None`` where the source does not say. Empty where what a hub
    puts in its place is its own affair: a focal point's title is a person's name."""
    countries: tuple[str, ...]
    """ISO 3166-1 alpha-2 codes, and ``EU``."""
    issued: str | None = None
    """When it was published; ``None`` where the truth does not say."""
    bbox: tuple[float, float, float, float] | None = None
    """West, south, east, north; ``None`` where the truth does not say."""


@dataclass(frozen=True, slots=True)
class Truth:
    """What there is to find at one source, by the source's own identifiers."""

    live: dict[str, Expectation] = field(default_factory=dict)
    deleted: set[str] = field(default_factory=set)
    """What the source once had and withdrew. A repository's first tombstones are among
    these: no harvester has seen what they stand for."""


@dataclass(frozen=True, slots=True)
class Told:
    """What a source file says, beside what all of the network's have in common."""

    title: str
    keys: Mapping[str, Any]
    """``adapter``, ``url``, ``country``, ``languages``, ``deletions``..."""
    options: Mapping[str, Any] = field(default_factory=dict)


class Replica(Protocol):
    """One host of the network."""

    name: str
    """Unique in the network, such as ``bioland-ke``."""
    url: str
    """Its address without a slash at the end; the network sets it before anything is asked."""

    def sources(self) -> Mapping[str, Told]:
        """The sources on this host by identifier, which begins with ``demo-``."""
        ...

    def answer(self, request: Request) -> Answer:
        """Answer a request, ``/robots.txt`` included."""
        ...

    def advance(self, phase: int, now: int) -> None:
        """Live one phase further; ``now`` is in seconds since 1970."""
        ...

    def truth(self) -> Mapping[str, Truth]:
        """What a hub should hold of each source in this phase."""
        ...


def families() -> list[str]:
    """The modules of this folder."""
    return sorted(module.name for module in pkgutil.iter_modules(__path__))


def replicas(seed: int, scale: int) -> list[Replica]:
    """All hosts, family by family."""
    made: list[Replica] = []
    for name in families():
        made += importlib.import_module(f"demo.hosts.{name}").replicas(seed, scale)
    return made
