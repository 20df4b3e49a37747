"""One writer per thread: what is raised when two runs would go on with the same thread.

Two runs that load the same checkpoint and each store their own on it would leave one of both
beside the thread, where nobody looks. A saver's `single_writer` says what becomes of that: see
there. A lease, which a saver's `take_lease` gives, is for whoever hands threads to workers: it
keeps a worker that was given up from storing, however late it comes back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from langgraph_rust.checkpoint._writing.leasing import Lease
from langgraph_rust.checkpoint._writing.writer import FORK_KEY
from langgraph_rust.errors import GraphBubbleUp

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

__all__ = ("Lease", "ThreadConflictError", "fork")


class ThreadConflictError(GraphBubbleUp):
    """Something is not stored, because another run has the thread, or has gone on with it.

    It leaves every graph that it is raised in: neither retry policies nor error handlers of nodes
    are asked about it, and the run stores nothing more.

    Args:
        message: What happened, and what helps; made of the rest if left out.
        reason: See the attribute; likewise all others.
    """

    reason: Literal["superseded", "taken", "behind", "fenced", "held", "itself"]
    """`"superseded"`: the thread was gone on with from the checkpoint that this builds on.
    `"taken"`: another run is about to: it has stored what tasks wrote on that checkpoint.
    `"behind"`: this machine's clock is behind that of whoever stored the checkpoint, so this would
    count as older. `"fenced"`: the run's lease is another's, or was given back. `"held"`: another
    has the thread, and was waited for long enough. `"itself"`: the run that has the thread is the
    one that this was called in, which would wait for itself."""
    thread_id: str
    """The thread."""
    checkpoint_ns: str
    """The namespace of the checkpoint that stands in the way."""
    run_id: str | None
    """The run that is refused, or whoever wanted the lease."""
    other_run_id: str | None
    """The run that has stored the newest checkpoint, or who has the lease; if that is known. It is
    not of runs that had no saver with `single_writer` on, nor for `"taken"`."""
    checkpoint_id: str | None
    """The checkpoint that the refused run builds on."""
    newest_checkpoint_id: str | None
    """The checkpoint that the thread has gone on to."""

    def __init__(
        self,
        message: str | None = None,
        *,
        reason: Literal["superseded", "taken", "behind", "fenced", "held", "itself"] = "superseded",
        thread_id: str = "",
        checkpoint_ns: str = "",
        run_id: str | None = None,
        other_run_id: str | None = None,
        checkpoint_id: str | None = None,
        newest_checkpoint_id: str | None = None,
    ) -> None:
        self.reason = reason
        self.thread_id = thread_id
        self.checkpoint_ns = checkpoint_ns
        self.run_id = run_id
        self.other_run_id = other_run_id
        self.checkpoint_id = checkpoint_id
        self.newest_checkpoint_id = newest_checkpoint_id
        super().__init__(message or _message(self))

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self.args, self.__dict__


def fork(config: RunnableConfig) -> RunnableConfig:
    """Return a config with which storing beside what came later is meant.

    A run, or an update, that is sent to a checkpoint which the thread has moved past is a fork by
    itself. This is for what would not be: runs that begin on the newest checkpoint at the same
    time, and are to be branches; and calls of a saver's `put`.

    Args:
        config: It names the thread, and a checkpoint.
    """
    return {**config, "configurable": {**config.get("configurable", {}), FORK_KEY: True}}


_AGAIN = (
    "What it was about to store is not stored; what it had stored before is a part of the thread. "
    "See what is there, and run it again; with single_writer='wait', set on the saver, runs wait "
    "for each other. If a branch is meant, address its checkpoint, or use "
    "langgraph_rust.checkpoint.single_writer.fork"
)


def _message(error: ThreadConflictError) -> str:
    where = f"thread '{error.thread_id}'"
    if error.checkpoint_ns:
        where += f", namespace '{error.checkpoint_ns}'"
    run = f"Run {error.run_id}" if error.run_id else "A caller of the saver"
    other = f"run {error.other_run_id}" if error.other_run_id else "another run"
    base = f"checkpoint {error.checkpoint_id}" if error.checkpoint_id else "an empty thread"
    if error.reason == "superseded":
        newest = error.newest_checkpoint_id
        went_on = f"{other} has stored {newest} since" if newest else "its checkpoint was deleted"
        return f"{run} cannot go on with {where}: it builds on {base}, but {went_on}. {_AGAIN}"
    if error.reason == "taken":
        return f"{run} cannot go on with {where}: {other} goes on from {base} meanwhile. {_AGAIN}"
    if error.reason == "behind":
        return (
            f"{run} cannot go on with {where}: {other} has stored checkpoint "
            f"{error.newest_checkpoint_id} at a time that is still to come here. The clocks of the "
            "machines differ; nothing is stored. Run it again when the difference is over"
        )
    if error.reason == "fenced":
        holder = f"{error.other_run_id} has it" if error.other_run_id else "nobody has it"
        return (
            f"{run} cannot store on {where}: its lease is not the thread's any more, {holder} now. "
            "Nothing of that is stored. Whoever has the lease goes on with the thread"
        )
    if error.reason == "itself":
        return (
            f"{run} would wait for itself: it was called within run {error.other_run_id}, which "
            f"has {where} until it ends. Return an update or a Command from the node instead, or "
            "use another thread"
        )
    return (
        f"{run} has waited long enough for {where}, which {error.other_run_id or 'another'} has. "
        "Run it again later; the saver's single_writer_timeout says how long a run waits"
    )
