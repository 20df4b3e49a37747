"""What explains that two records of one action differ: a predicate for each entry of `known.py`.

Each says that the records, mine and theirs, differ in that and in nothing else, as far as that can
be said of two records.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tests.differential.canon import masked

Record = Any
CANCELLED = "CancelledError()"
HANDLER = "__error_handler__"
"""What the names of error handlers begin with."""


def lost_chunks(mine: Record, theirs: Record) -> bool:
    """When a run fails, upstream may drop chunks that are not handed out yet."""
    if "raised" not in mine or "chunks" not in mine or "chunks" not in theirs:
        return False
    lost = Counter(map(masked, theirs["chunks"])) - Counter(map(masked, mine["chunks"]))
    return not lost and _alike(mine, theirs, without=("chunks",))


def untracked(mine: Record, theirs: Record) -> bool:
    """With durability `exit`, upstream stores a task's writes to channels that are not stored."""
    return "raised" not in mine and _alike_if(mine, theirs, _withoutuntracked)


def refused_command(mine: Record, theirs: Record) -> bool:
    """Upstream stores a command before it is applied; if that fails, no state can be read.

    Runs whose input is made from the state fail before they begin.
    """
    failure = theirs.get("raised", {}).get("type")
    reads = mine["do"] in ("get_state", "history") and "raised" not in mine
    begins = mine["do"] in ("invoke", "stream") and theirs.keys() == {"do", "raised"}
    return (reads or begins) and failure in ("TypeError", "ValueError")


def handler_again(mine: Record, theirs: Record) -> bool:
    """An error handler that has finished does not run again when the run is resumed.

    Here it is among the tasks that the run begins with; upstream makes it a new one.
    """
    if "chunks" not in mine or HANDLER not in masked(mine):
        return False
    chunks = [_chunks_without_handlers(record["chunks"]) for record in (mine, theirs)]
    return chunks[0] == chunks[1] and _alike(mine, theirs, without=("chunks", "seen"))


def async_router(mine: Record, theirs: Record) -> bool:
    """What is said when a command for a parent meets an async router."""
    return "with an async router" in masked(mine.get("raised"))


def cancelled(mine: Record, theirs: Record) -> bool:
    """Async tasks of a subgraph, cancelled from outside: their errors are stored here only."""

    def change(thing: Any) -> Any:
        if isinstance(thing, list):
            return [change(item) for item in thing if CANCELLED not in masked(_write(item))]
        if isinstance(thing, dict):
            return {key: change(item) for key, item in thing.items()}
        return None if thing == CANCELLED else thing

    reads = mine["do"] in ("get_state", "history", "stored")
    return reads and CANCELLED in masked(mine) and _alike_if(mine, theirs, change)


def live_values(mine: Record, theirs: Record) -> bool:
    """A state with output of finished tasks: upstream ends the superstep for some channel kinds."""
    keys = ("any", "top", "eph", "fin")
    return mine["do"] == "get_state" and _alike_if(mine, theirs, _without_keys(*keys))


def unheard_routing(mine: Record, theirs: Record) -> bool:
    """Routing after a command for a parent: upstream tells callback handlers of it."""
    if "heard" not in mine or "heard" not in theirs:
        return False
    lost = Counter(map(masked, theirs["heard"])) - Counter(map(masked, mine["heard"]))
    more = Counter(map(masked, mine["heard"])) - Counter(map(masked, theirs["heard"]))
    return bool(lost) and not more and _alike(mine, theirs, without=("heard", "seen"))


def custom_of_subgraph(mine: Record, theirs: Record) -> bool:
    """What a native subgraph writes to the custom stream comes without `subgraphs`, too."""
    if "chunks" not in mine or "chunks" not in theirs:
        return False
    more = Counter(map(masked, mine["chunks"])) - Counter(map(masked, theirs["chunks"]))
    lost = Counter(map(masked, theirs["chunks"])) - Counter(map(masked, mine["chunks"]))
    custom = all("written" in chunk or '"from"' in chunk for chunk in more)
    return custom and not lost and _alike(mine, theirs, without=("chunks",))


def late_at_exit(mine: Record, theirs: Record) -> bool:
    """With durability `exit`, what tasks do after one has failed is stored here only."""
    if mine["do"] not in ("get_state", "history", "stored"):
        return False
    errors = zip(_values(mine, "error"), _values(theirs, "error"), strict=False)
    more = all(one == other or other is None for one, other in errors)
    some = "Error(" in masked(mine) and CANCELLED not in masked(mine)
    return more and some and _alike_if(mine, theirs, _without_keys("error", "pending_writes"))


def taken_back(mine: Record, theirs: Record) -> bool:
    """With `exit`, a superstep whose writes cannot all be applied is stored as not applied.

    Its tasks' writes are stored beside it: who reads or resumes the thread applies them again, and
    fails again unless the reason is gone; after new input the nodes that it would have started are
    still to be started. Upstream stores the half that was applied.
    """
    if mine["do"] not in ("get_state", "history", "invoke", "stream"):
        return False
    failed_again = mine.get("raised", {}).get("type") not in (
        None,
        theirs.get("raised", {}).get("type"),
    )
    results = [masked(record).count('"result": {') for record in (mine, theirs)]
    seen = [Counter(map(masked, record.get("seen", []))) for record in (mine, theirs)]
    return failed_again or results[0] > results[1] or bool(seen[0] - seen[1])


def partial_writes(mine: Record, theirs: Record) -> bool:
    """What a failed task wrote: upstream stores it, and takes the task for finished afterwards.

    First that shows in what is stored, then in that upstream does not run the task again, so that
    what failed in it fails when its writes are applied.
    """
    if _failed_with_writes(theirs) and not _failed_with_writes(mine):
        return True
    raised = [dict(record.get("raised", {})) for record in (mine, theirs)]
    if raised[0].pop("notes", None) and "notes" not in raised[1] and raised[0] == raised[1]:
        return True
    seen = [Counter(map(masked, record.get("seen", []))) for record in (mine, theirs)]
    return mine["do"] in ("invoke", "stream") and not seen[1] - seen[0] and seen[1] != seen[0]


def _alike(mine: Record, theirs: Record, without: tuple[str, ...]) -> bool:
    return _alike_if(
        mine, theirs, lambda record: {k: v for k, v in record.items() if k not in without}
    )


def _alike_if(mine: Record, theirs: Record, change: Callable[[Record], Any]) -> bool:
    # Ids are numbered in the order of appearance, so they are not compared.
    return masked(change(mine)) == masked(change(theirs))


def _chunks_without_handlers(chunks: list[Any]) -> list[str]:
    """What chunks say of other tasks than error handlers, in an order of its own."""
    others = [_without_handlers(chunk) for chunk in chunks if not _is_of_handler(chunk)]
    return sorted(masked(_without_keys("__metadata__")(chunk)) for chunk in others)


def _is_of_handler(chunk: Any) -> bool:
    data = chunk.get("data", chunk)
    data = data["<tuple>"][-1] if "<tuple>" in data else data
    if not isinstance(data, dict):
        return False
    payload = data.get("payload", data)
    return _is_handler(payload) or any(key.startswith(HANDLER) for key in payload)


def _without_handlers(thing: Any) -> Any:
    """No error handlers among tasks and what is next."""
    if isinstance(thing, list):
        return [_without_handlers(item) for item in thing if not _is_handler(item)]
    if isinstance(thing, dict):
        return {key: _without_handlers(item) for key, item in thing.items()}
    return thing


def _is_handler(item: Any) -> bool:
    name = item.get("name") if isinstance(item, dict) else item
    return isinstance(name, str) and name.startswith(HANDLER)


def _without_keys(*names: str) -> Callable[[Any], Any]:
    def change(thing: Any) -> Any:
        if isinstance(thing, list):
            return [change(item) for item in thing]
        if isinstance(thing, dict):
            return {key: change(item) for key, item in thing.items() if key not in names}
        return thing

    return change


def _withoutuntracked(thing: Any) -> Any:
    """No untracked values, nor the difference between a task that wrote only those and none."""
    if isinstance(thing, list):
        return [_withoutuntracked(item) for item in thing if not _writesuntracked(item)]
    if isinstance(thing, dict):
        inside = {k: _withoutuntracked(item) for k, item in thing.items() if k != "unt"}
        return {key: item for key, item in inside.items() if key != "result" or item}
    return thing


def _writesuntracked(thing: Any) -> bool:
    write = _write(thing)
    return bool(write) and write[1] in ("unt", "__no_writes__")


def _write(thing: Any) -> list[Any]:
    """Task, channel and value of a pending write, if it is one."""
    write = thing.get("<tuple>") if isinstance(thing, dict) else None
    return write if isinstance(write, list) and len(write) == 3 else []


def _failed_with_writes(thing: Any) -> bool:
    """Whether a task that has an error also has a result, or writes of its own."""
    return any(
        bool(item.get("error") and item.get("result")) or _error_among_writes(item)
        for item in _mappings(thing)
    )


def _error_among_writes(checkpoint: dict[str, Any]) -> bool:
    writes = [write for item in checkpoint.get("pending_writes") or [] if (write := _write(item))]
    failed = {task for task, channel, _ in writes if channel == "__error__"}
    return any(task in failed and not channel.startswith("__") for task, channel, _ in writes)


def _values(thing: Any, key: str) -> Iterator[Any]:
    return (item[key] for item in _mappings(thing) if key in item)


def _mappings(thing: Any) -> Iterator[dict[str, Any]]:
    if isinstance(thing, dict):
        yield thing
    for item in (
        thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else ()
    ):
        yield from _mappings(item)
