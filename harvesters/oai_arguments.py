"""What is asked beside a resumption token.

OAI-PMH 2.0 §3.5 and §4.5 make ``resumptionToken`` an exclusive argument. Some servers refuse a
token without ``metadataPrefix`` all the same; pycsw also forgets the dates of the list. A server is
asked in its own way only after it refused the standard's.
"""

from __future__ import annotations

from chm_hub.document import Walk

MEMORY = "beside_token"
"""Under what a walk remembers the way of a server, if it is not the standard's."""
ALONE, LIST, PREFIX = "nothing", "list", "prefix"
_WAYS = (ALONE, LIST, PREFIX)
"""Nothing beside the token; all arguments of the list; ``metadataPrefix`` alone."""
_REFUSALS = frozenset({"badArgument", "cannotDisseminateFormat"})
"""Codes with which a server says that it misses an argument, or will not have one."""


class Beside:
    """How one server is asked for the next part of a list."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk
        self.way = self._before
        self._refused: set[str] = set()
        """The ways in which the token in hand was refused."""
        self._given_up = False
        """A token was refused in every way: no way but the known one is tried again."""

    @property
    def _before(self) -> str:
        said = self._walk.memory.get(MEMORY)
        return said if said in _WAYS else ALONE

    def arguments(self, verb: str, token: str, listed: dict[str, str]) -> dict[str, str]:
        """The arguments of a question for what follows; ``listed`` are those of the whole list."""
        rest: dict[str, str] = {}
        if self.way == LIST:
            rest = {name: value for name, value in listed.items() if name != "verb"}
        elif self.way == PREFIX:
            rest = {"metadataPrefix": listed["metadataPrefix"]}
        return {"verb": verb, "resumptionToken": token, **rest}

    def other_way(self, code: str | None) -> bool:
        """Whether a token that was refused with this error is to be asked for in another way. If
        each was refused, the one of before is taken again."""
        if code not in _REFUSALS or self._given_up:
            return False
        self._refused.add(self.way)
        left = [way for way in _WAYS if way not in self._refused]
        if not left:
            self._refused.clear()
            self._given_up, self.way = True, self._before
            return False
        self.way = left[0]
        return True

    def answered(self) -> None:
        """The token in hand was taken: remember a way that is not the one of before."""
        if self._refused and self.way != self._before:
            self._walk.learned[MEMORY] = None if self.way == ALONE else self.way
            self._walk.warnings[f"token_asked_with_{self.way}"] += 1
        self._refused.clear()
