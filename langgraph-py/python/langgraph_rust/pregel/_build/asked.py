"""What a run is asked for that cannot be: named before it begins, or once it could not.

Each check is asked only where something is given, or has failed already.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import (
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
)
from langgraph_rust._internal._mistakes import add_note, choices, report, visible

if TYPE_CHECKING:
    from collections.abc import Mapping

_MODES = frozenset(
    ("values", "updates", "checkpoints", "tasks", "debug", "messages", "custom", "tools")
)
_DURABILITIES = ("sync", "async", "exit")
_NO_THREADS = (bool, list, tuple, dict, set, frozenset)
_HISTORY = "get_state_history() lists those that it has"


def nodes_to_stop_at(graph: Any, asked: Any, parameter: str) -> Any:
    """Check the nodes to stop at that a run is given.

    Args:
        graph: The graph.
        asked: `"*"`, or names. Any other text stands for each node whose name is a part of it.
        parameter: What they were given as.

    Returns:
        `"*"`, or names.
    """
    if asked == "*":
        return asked
    nodes = graph.nodes
    if isinstance(asked, str):
        found = [name for name in nodes if name in asked]
        if found != [asked]:
            report(
                f"{parameter}={asked!r} is a text, and stops at each node whose name is a part of "
                f"it ({', '.join(map(repr, found)) or 'none is'}): give a list of names. "
                f"{choices(asked, visible(nodes), 'The nodes')}"
            )
        return found
    for name in asked:
        if name not in nodes:
            report(
                f"{parameter} names {name!r}, which is no node of the graph: nothing stops there. "
                f"{choices(name, visible(nodes), 'The nodes')}"
            )
    return asked


def check_modes(asked: set[Any]) -> None:
    """Name the stream modes that there are not; nothing comes out for them."""
    if asked <= _MODES:
        return
    for mode in sorted(asked - _MODES):
        report(
            f"The stream mode {mode!r} does not exist: nothing comes out for it. "
            f"{choices(mode, sorted(_MODES), 'The modes')}"
        )


def check_mode_types(asked: Any) -> None:
    """Name what is given among stream modes and is no text."""
    for mode in asked:
        if not isinstance(mode, str):
            report(
                f"The stream mode {mode!r} is no text: nothing comes out for it. "
                f"{choices(mode, sorted(_MODES), 'The modes')}"
            )


def check_durability(durability: Any) -> None:
    """Name a durability that there is not; checkpoints are stored as with `async`."""
    if durability not in _DURABILITIES:
        report(
            f"durability={durability!r} does not exist: checkpoints are stored as with 'async'. "
            f"{choices(durability, _DURABILITIES, 'The choices')}"
        )


def check_place(conf: Mapping[str, Any]) -> None:
    """Check what a config says about where a run is stored; see `check_thread`.

    Raises:
        ValueError: It says nothing.
    """
    if not conf:
        raise ValueError(
            "Checkpointer requires one or more of the following 'configurable' "
            "keys: thread_id, checkpoint_ns, checkpoint_id"
        )
    check_thread(conf)


def check_thread(conf: Mapping[str, Any]) -> None:
    """Name a thread id that is none.

    Savers know threads by texts, and as a text it is one that others get as well.
    """
    thread_id = conf.get(CONFIG_KEY_THREAD_ID, "")
    if thread_id.__class__ is str or CONFIG_KEY_TASK_ID in conf:
        return
    if thread_id is None or isinstance(thread_id, _NO_THREADS):
        report(
            f"thread_id={thread_id!r} names no thread: it is stored as {str(thread_id)!r}, "
            "together with all that is run so. Give a text that is this thread's alone, "
            "such as a UUID's"
        )


def unknown_answers(unknown: Sequence[str], pending: Sequence[str]) -> None:
    """Name answers to questions that nobody asks (any more)."""
    names = ", ".join(map(repr, unknown))
    report(
        f"Command(resume=...) answers {names}, but no interrupt of the thread with such an id "
        f"waits: the answer is lost. {choices(unknown[0], pending, 'Those that wait')}"
    )


def unknown_checkpoint(conf: Mapping[str, Any]) -> None:
    """Name a checkpoint that is to be gone on from, and does not exist."""
    report(f"{_no_checkpoint(conf)}: the run begins anew. {_HISTORY}")


def explain_no_input(error: BaseException, input: Any, conf: Mapping[str, Any], saver: Any) -> None:
    """Add to an error why there was nothing for a run to go on with."""
    if CONFIG_KEY_TASK_ID in conf or input is not None:
        return
    if saver is None:
        add_note(error, "Without a checkpointer there is nothing to go on with: give an input")
    elif conf.get(CONFIG_KEY_CHECKPOINT_ID):
        add_note(error, f"{_no_checkpoint(conf)}. {_HISTORY}")
    else:
        thread = conf.get(CONFIG_KEY_THREAD_ID)
        add_note(error, f"Nothing is stored for thread {thread!r}: begin it with an input")


def check_update(graph: Any, node: str, values: Any) -> None:
    """Name the keys of an update of the state that a node of a state's graph would not write.

    Args:
        graph: The graph.
        node: The node that the update is made as.
        values: The update.
    """
    channels = graph.channels
    if not isinstance(values, dict) or "__root__" in channels or not hasattr(graph, "builder"):
        return
    for key in values:
        if key not in channels:
            names = visible(name for name in channels if isinstance(name, str))
            report(
                f"The update of the state as node {node!r} has {key!r}, which is no key of the "
                f"state: its value is lost. {choices(key, names, 'The keys')}"
            )


def _no_checkpoint(conf: Mapping[str, Any]) -> str:
    checkpoint, thread = conf[CONFIG_KEY_CHECKPOINT_ID], conf.get(CONFIG_KEY_THREAD_ID)
    return f"Thread {thread!r} has no checkpoint {checkpoint!r}"
