"""Differences that are known: what is deliberate, and what is open.

Each is a predicate on a pair of records that differ in nothing but that, and the seeds of the
programs that must still show it, in `known_seeds.toml`. An entry explains nothing else: a program
that it does not list differs in an unknown way however much it looks alike, and one that it lists
and that no longer differs makes the entry stale.

A program's records after the first that differs say nothing more when what was stored differs, so
those are not compared.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sync.pins import read_toml
from tests.differential.canon import masked

Record = Any
Explains = Callable[[Record, Record], bool]

SEEDS_FILE = Path(__file__).parent / "known_seeds.toml"


@dataclass(frozen=True)
class Known:
    """A difference that may be there, in the programs that it lists."""

    name: str
    is_open: bool
    """Whether it is a bug here; otherwise it is upstream's, or deliberate."""
    explains: Explains

    @property
    def seeds(self) -> frozenset[int]:
        """The programs that show it."""
        return SEEDS.get(self.name, frozenset())


def known_difference(seed: int, mine: Record, theirs: Record) -> Known | None:
    """The entry that lists the program and explains how two records of an action differ."""
    return next((known for known in _explaining(mine, theirs) if seed in known.seeds), None)


def resembling(mine: Record, theirs: Record) -> Known | None:
    """An entry that would explain how two records of an action differ, listed or not."""
    return next(_explaining(mine, theirs), None)


def _explaining(mine: Record, theirs: Record) -> Iterator[Known]:
    if isinstance(mine, dict) and isinstance(theirs, dict):
        yield from (known for known in KNOWN if known.explains(mine, theirs))


def _lost_chunks(mine: Record, theirs: Record) -> bool:
    """When a run fails, upstream may drop chunks that are not handed out yet."""
    if "raised" not in mine or "chunks" not in mine or "chunks" not in theirs:
        return False
    lost = Counter(map(masked, theirs["chunks"])) - Counter(map(masked, mine["chunks"]))
    return not lost and _alike(mine, theirs, without=("chunks",))


def _untracked(mine: Record, theirs: Record) -> bool:
    """With durability `exit`, upstream stores a task's writes to channels that are not stored."""
    return "raised" not in mine and _alike_if(mine, theirs, _without_untracked)


def _refused_command(mine: Record, theirs: Record) -> bool:
    """Upstream stores a command before it is applied; if that fails, no state can be read."""
    failure = theirs.get("raised", {}).get("type")
    reads = mine["do"] in ("get_state", "history") and "raised" not in mine
    return reads and failure in ("TypeError", "ValueError")


def _handler_again(mine: Record, theirs: Record) -> bool:
    """An error handler that has finished does not run again when the run is resumed."""
    if "chunks" not in mine or "__error_handler__" not in masked(mine):
        return False
    plainer = _without_keys("__metadata__")
    chunks = [sorted(map(masked, plainer(record["chunks"]))) for record in (mine, theirs)]
    return chunks[0] == chunks[1] and _alike(mine, theirs, without=("chunks", "seen"))


def _async_router(mine: Record, theirs: Record) -> bool:
    """What is said when a command for a parent meets an async router."""
    return "with an async router" in masked(mine.get("raised"))


def _cancelled(mine: Record, theirs: Record) -> bool:
    """Async tasks beside one that fails at once: how far they came is chance."""
    return mine["do"] == "stored" and "CancelledError()" in masked([mine, theirs])


def _live_values(mine: Record, theirs: Record) -> bool:
    """A state with output of finished tasks: upstream ends the superstep for some channel kinds."""
    keys = ("any", "top", "eph", "fin")
    return mine["do"] == "get_state" and _alike_if(mine, theirs, _without_keys(*keys))


KNOWN = (
    Known("chunks of a run that fails", False, _lost_chunks),
    Known("state of an unfinished superstep", False, _live_values),
    Known("untracked values stored at exit", False, _untracked),
    Known("stored command that cannot be applied", False, _refused_command),
    Known("tasks cancelled when one fails", False, _cancelled),
    Known("finished error handlers run again", False, _handler_again),
    Known("a command for a parent with an async router", True, _async_router),
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


def _alike(mine: Record, theirs: Record, without: tuple[str, ...]) -> bool:
    return _alike_if(
        mine, theirs, lambda record: {k: v for k, v in record.items() if k not in without}
    )


def _alike_if(mine: Record, theirs: Record, change: Callable[[Record], Any]) -> bool:
    # Ids are numbered in the order of appearance, so they are not compared.
    return masked(change(mine)) == masked(change(theirs))


def _without_keys(*names: str) -> Callable[[Any], Any]:
    def change(thing: Any) -> Any:
        if isinstance(thing, list):
            return [change(item) for item in thing]
        if isinstance(thing, dict):
            return {key: change(item) for key, item in thing.items() if key not in names}
        return thing

    return change


def _without_untracked(thing: Any) -> Any:
    """No untracked values, nor the difference between a task that wrote only those and none."""
    if isinstance(thing, list):
        return [_without_untracked(item) for item in thing if not _writes_untracked(item)]
    if isinstance(thing, dict):
        inside = {k: _without_untracked(item) for k, item in thing.items() if k != "unt"}
        return {key: item for key, item in inside.items() if key != "result" or item}
    return thing


def _writes_untracked(thing: Any) -> bool:
    write = thing.get("<tuple>") if isinstance(thing, dict) else None
    return isinstance(write, list) and len(write) == 3 and write[1] in ("unt", "__no_writes__")
