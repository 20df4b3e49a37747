"""Differences that are known: what is deliberate, and what is open.

Each is a predicate on a pair of records that differ in nothing but that, and the seeds of the
programs that must still show it, in `known_seeds.toml`. An entry explains nothing else: a program
that it does not list differs in an unknown way however much it looks alike, and one that it lists
and that no longer differs makes the entry stale.

Every record that differs must be explained, up to one after which nothing can be said: when what is
stored differs, so may all that follows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sync.pins import read_toml
from tests.differential import explanations as why
from tests.differential.canon import masked
from tests.differential.explanations import Record

Explains = Callable[[Record, Record], bool]

SEEDS_FILE = Path(__file__).parent / "known_seeds.toml"


@dataclass(frozen=True)
class Known:
    """A difference that may be there, in the programs that it lists."""

    name: str
    is_open: bool
    """Whether it is a bug here; otherwise it is upstream's, or deliberate."""
    explains: Explains
    lasts: bool = False
    """Whether all later records may differ in any way, since what is stored does."""

    @property
    def seeds(self) -> frozenset[int]:
        """The programs that show it."""
        return SEEDS.get(self.name, frozenset())


def explanation(pairs: Iterable[tuple[Record, Record]], seed: int | None = None) -> list[Known]:
    """The entries that explain all records in which a program differs; none if one is unexplained.

    Args:
        pairs: the records that differ, mine and theirs, in order.
        seed: the program, if only entries that list it count.
    """
    found: list[Known] = []
    for mine, theirs in pairs:
        if masked(mine) == masked(theirs):
            # Ids are numbered as they appear, and what was seen is sorted by where they do: both
            # are otherwise where another record differs.
            continue
        entries = (k for k in explaining(mine, theirs) if seed is None or seed in k.seeds)
        if (entry := next(entries, None)) is None:
            return []
        found.append(entry)
        if entry.lasts:
            break
    return list(dict.fromkeys(found))


def explaining(mine: Record, theirs: Record) -> Iterator[Known]:
    """The entries that explain how two records of an action differ."""
    records = isinstance(mine, dict) and isinstance(theirs, dict)
    if records and masked(mine) != masked(theirs):
        yield from (known for known in KNOWN if known.explains(mine, theirs))


KNOWN = (
    Known("chunks of a run that fails", False, why.lost_chunks),
    Known("state of an unfinished superstep", False, why.live_values),
    Known("untracked values stored at exit", False, why.untracked),
    Known("stored command that cannot be applied", False, why.refused_command, lasts=True),
    Known("finished error handlers run again", False, why.handler_again),
    Known("superstep that cannot be applied, at exit", False, why.taken_back, lasts=True),
    Known("a command for a parent with an async router", True, why.async_router, lasts=True),
    Known("cancelled tasks of subgraphs have errors", True, why.cancelled, lasts=True),
    Known("custom chunks of subgraphs without asking", True, why.custom_of_subgraph),
    Known("routing after a command for a parent is not heard", True, why.unheard_routing),
    Known("late errors stored at exit", False, why.late_at_exit, lasts=True),
    Known("writes of a task that failed", False, why.partial_writes, lasts=True),
)


def read_seeds(path: Path = SEEDS_FILE) -> dict[str, frozenset[int]]:
    """The seeds of each entry, by its name.

    Raises:
        ValueError: the file names something that is no entry, or lacks one that is.
    """
    found = {name: frozenset(seeds) for name, seeds in read_toml(path).items()}
    names = {known.name for known in KNOWN}
    if strange := names ^ found.keys():
        raise ValueError(f"{path.name} and known.py do not agree on {sorted(strange)}")
    return found


SEEDS = read_seeds()
