"""Several sets of one repository: what is gone from one may be in another.

A deleted header in the list of a set says that the record left that set (OAI-PMH 2.0 §2.5.1). A
whole walk shows whether another set has it. A walk over what changed does not: a record that did
not change in another set is not listed there. So the repository is asked for it by name.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from chm_hub.document import Document, Json, Page, Walk
from chm_hub.errors import FetchError, ProtocolError
from harvesters.parts import Parts

BY_NAME = ""
"""The list of records that were asked for by name: no set is called so."""
MOST_DEPARTED = 5000
"""Names in a checkpoint. A page behind more of them is no place to go on from."""
_STEP = 500
_DEPARTED = "departed"
_UNREAD = "unread"


@dataclass(slots=True)
class Departures:
    """Records that a set lists as deleted and that no other set has listed as live."""

    departed: dict[str, str] = field(default_factory=dict)
    """By identifier, the set."""
    living: dict[str, str] = field(default_factory=dict)

    @classmethod
    def after(cls, checkpoint: Mapping[str, Json]) -> Departures:
        """What a walk knew that was cut off at a checkpoint."""
        return cls(departed=dict(checkpoint.get(_DEPARTED) or {}))

    def note(self, page: Page, set_spec: str) -> Page:
        """The page with its checkpoint completed."""
        for document in page.documents:
            name = document.identifier
            if document.deleted:
                if self.living.get(name, set_spec) == set_spec:
                    self.departed[name] = set_spec
            else:
                self.living[name] = set_spec
                if self.departed.get(name, set_spec) != set_spec:
                    del self.departed[name]
        if page.checkpoint is None or not self.departed:
            return page
        if len(self.departed) > MOST_DEPARTED:
            return replace(page, checkpoint=None)
        return replace(page, checkpoint={**page.checkpoint, _DEPARTED: dict(self.departed)})


class Lists:
    """The lists of the sets of one walk: one that cannot be had costs none of the others.

    A checkpoint behind it names it, so that the run that goes on from there asks for it again.
    """

    def __init__(self, walk: Walk, checkpoint: Mapping[str, Json]) -> None:
        self._walk = walk
        self._parts = Parts(walk)
        self._unread: list[str] = list(checkpoint.get(_UNREAD) or [])
        self._short: str | None = None

    def unread_before(self, passed: Sequence[str | None]) -> list[str]:
        """Those of the sets before the place of a checkpoint that could not be had then."""
        again = [spec for spec in self._unread if spec in passed]
        self._unread = []
        return again

    def begin(self) -> None:
        """A list begins: what another one lacked does not end it."""
        self._short, self._walk.short = self._short or self._walk.short, None

    def note(self, page: Page) -> Page:
        """The page with its checkpoint completed."""
        if page.checkpoint is None or not self._unread:
            return page
        return replace(page, checkpoint={**page.checkpoint, _UNREAD: list(self._unread)})

    def answered(self) -> None:
        """A list was read."""
        self._parts.answered()

    def set_aside(self, spec: str, error: FetchError | ProtocolError) -> None:
        """Go on without a list; raises the error where the server has no other for us either."""
        self._parts.set_aside(f"set {spec}", error)
        self._unread.append(spec)

    def conclude(self) -> None:
        """Say what the walk lacks; raises the first error where no list was had."""
        self._walk.short = self._short or self._walk.short
        self._parts.conclude()


def of_list(page: Page, set_spec: str) -> Page:
    """The page with the set noted at each of its documents."""
    return replace(page, documents=[replace(d, listed=set_spec) for d in page.documents])


def belongs(specs: Iterable[str], wanted: Sequence[str]) -> bool:
    """Whether a record with these setSpecs is in one of the sets, or in a child of one
    (OAI-PMH 2.0 §2.6). Many repositories put no setSpec into their headers: then the list that
    it came in is believed."""
    told = list(specs)
    return not told or any(
        spec == one or spec.startswith(f"{one}:") for spec in told for one in wanted
    )


def specs_of(document: Document) -> list[str]:
    """The setSpecs in the header of a document."""
    header = document.body["header"] if isinstance(document.body, dict) else {}
    return list(header.get("setSpec", ()))


@dataclass(slots=True)
class Sieve:
    """Leaves out what is in none of the sets that were asked for: some repositories ignore the
    ``set`` argument."""

    walk: Walk
    wanted: Sequence[str]
    left_out: int = 0
    kept: int = 0
    others: set[str] = field(default_factory=set)
    """Some of the sets that came in place of those."""

    async def of(self, page: Page) -> Page:
        """What of a page belongs to the sets. A deleted header of a record that the hub has is
        let through: that record left the sets."""
        foreign = [d for d in page.documents if not belongs(specs_of(d), self.wanted)]
        gone = [d.identifier for d in foreign if d.deleted]
        held = await held_of(self.walk.kept, gone)
        lost = {id(d) for d in foreign if not (d.deleted and d.identifier in held)}
        documents = [d for d in page.documents if id(d) not in lost]
        self.kept += len(documents)
        self.left_out += len(lost)
        if lost:
            self.walk.warnings["other_sets"] += len(lost)
            if len(self.others) < 5:
                self.others.update(spec for d in foreign for spec in specs_of(d))
        total = None if page.total is None else max(0, page.total - self.left_out)
        return replace(page, documents=documents, total=total)

    def fault(self) -> str | None:
        """Why a whole walk cannot be right, if so."""
        if not self.left_out or self.kept:
            return None
        return (
            f"the repository gave {self.left_out} records and none of the sets "
            f"{', '.join(self.wanted)}: they are in {', '.join(sorted(self.others)[:5])}. Look at "
            "its ListSets and correct `set` or `sets` in the source"
        )


async def held_of(
    kept: Callable[[list[str]], Awaitable[Mapping[str, Document]]] | None, names: Sequence[str]
) -> set[str]:
    """Those of some names of which the hub has a live record."""
    found: set[str] = set()
    if kept is not None:
        for start in range(0, len(names), _STEP):
            found.update(await kept(list(names[start : start + _STEP])))
    return found
