"""Knowledge of platforms and sources: what to ask an engine for, and one file per source.

An adapter is a module with ``Options`` (a frozen dataclass of what a source file may say in
``[options]``), ``CROSSWALK`` (the crosswalk its documents are meant for), ``DELETIONS``
(how its sources usually say what is gone), ``INCREMENTAL`` (whether what changed since a day
can be asked for; then it is walked whole once a week only) and
``pages(source, options, fetch, walk)``, an async generator of pages. One that sends the source's
``secret`` says ``SECRET = True``.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import AsyncIterator
from functools import cache
from types import ModuleType
from typing import Any, Protocol, cast

from chm_hub.document import Page, Walk
from chm_hub.fetch import Fetch

_NOT_ADAPTERS = frozenset(
    ("source", "detect", "oai_formats", "thesaurus", "where", "wordpress_addresses",
     "wordpress_recent")
)  # fmt: skip


class Adapter(Protocol):
    """What an adapter module has."""

    Options: type[Any]
    CROSSWALK: str
    DELETIONS: str
    INCREMENTAL: bool

    def pages(self, source: Any, options: Any, fetch: Fetch, walk: Walk) -> AsyncIterator[Page]:
        """The pages of a source; see :mod:`adapters`."""
        ...


@cache
def names() -> tuple[str, ...]:
    """The adapters there are."""
    return tuple(
        sorted(
            module.name
            for module in pkgutil.iter_modules(__path__)
            if module.name not in _NOT_ADAPTERS and not module.ispkg
        )
    )


def adapter(name: str) -> Adapter:
    """An adapter by its name, which must be one of :func:`names`."""
    module: ModuleType = importlib.import_module(f"adapters.{name}")
    return cast("Adapter", module)


def takes_secret(name: str) -> bool:
    """Whether an adapter sends the source's secret; another would ignore it."""
    return bool(getattr(adapter(name), "SECRET", False))
