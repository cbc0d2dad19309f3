"""How much of a document a crosswalk reads, by its paths."""

from __future__ import annotations

from functools import lru_cache


def covers(read: str, path: str) -> bool:
    """Whether who reads one path reads another: itself, or what is below it.

    ``*`` at the end of a path stands for anything; ``[]`` makes no difference.
    """
    bare_read, bare_path = read.replace("[]", ""), path.replace("[]", "")
    if bare_read.endswith("*"):
        return bare_path.startswith(bare_read[:-1])
    return bare_path == bare_read or bare_path.startswith(bare_read + ".")


@lru_cache(maxsize=1024)
def share(reads: frozenset[str], paths: frozenset[str]) -> float:
    """The share of a document's paths of metadata that a crosswalk reads, from 0 to 1.

    A path that reads a whole field list at once (MARC 21, DSpace) counts as all below it.
    """
    wanted = [path for path in paths if path.startswith("metadata") and ".@" not in path]
    read = [path for path in wanted if any(covers(one, path) for one in reads)]
    return len(read) / len(wanted) if wanted else 0.0
