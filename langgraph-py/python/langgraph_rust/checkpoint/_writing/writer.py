"""Who writes: what a run says of itself to the saver, and what a saver asks of those who write."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from langgraph_rust.checkpoint._writing.leases import TTL
from langgraph_rust.checkpoint.serde._default import is_drop_in

WRITER_KEY = "__langgraph_rust_writer"
"""Where a run's config has its `Writer`, in `configurable`. Never stored."""
LEASE_KEY = "__langgraph_rust_lease"
"""Where a config has the token of the lease that its run works under, in `configurable`."""
FORK_KEY = "__langgraph_rust_fork"
"""Where a config says that storing beside what came later is meant, in `configurable`."""

_VARIABLE = "LANGGRAPH_RUST_SINGLE_WRITER"

Mode = Literal["refuse", "wait", "off"]


class Writer(NamedTuple):
    """A run, or an update of a state, as far as storing goes.

    Plain values: it travels with the config of a task to other processes.
    """

    run_id: str
    """The run's; that of the outermost one for a graph within a task."""
    thread_id: str
    """The thread that it is at work on."""
    origin: str | None = None
    """The checkpoint that it began on, in its own namespace."""
    forks: bool = False
    """Whether it, or a run around it, was sent to a checkpoint that the thread had moved past."""
    root: str | None = None
    """For a graph within a task, the checkpoint of the outermost graph that the task is of."""
    token: int | None = None
    """Of the lease that it works under."""
    waited: bool = False
    """Whether the run took that lease itself, and gives it back."""
    wrote: dict[str, set[str]] | None = None
    """The tasks that it knows to have written on a checkpoint: those that it found there, and its
    own. What another has written meanwhile would be taken for its own by whoever reads the thread,
    so the first who writes on a checkpoint has it."""
    claimed: bool = False
    """Whether that lease was taken from whoever had it, to go on with what waits on the thread."""
    root_origin: str | None = None
    """For a graph within a task, the checkpoint that the outermost graph began on."""


class SingleWriter:
    """A saver that lets one run at a time go on with a thread."""

    single_writer: Mode | None = None
    """What becomes of a run that would store on a thread that another has gone on with meanwhile.

    `"refuse"`: it ends with a `ThreadConflictError`, and what it was about to store is not stored.
    `"wait"`: it waits, before it begins, until the other has ended; whoever does not wait, such as
    another program, makes it end as with `"refuse"`. `"off"`: both store, and one of both is lost.

    `None` is what the environment variable `LANGGRAPH_RUST_SINGLE_WRITER` says, one of these words;
    where it is not set, `"refuse"`, but `"off"` in drop-in mode. Anything else is a `ValueError` of
    whoever stores.
    """

    single_writer_timeout: float = 60.0
    """Seconds that a run waits for another with `"wait"`; then it ends with the error."""

    single_writer_ttl: float = TTL
    """Seconds after which others take the thread with `"wait"` if nothing is heard of a run.

    Runs say that they are alive three times as often, so only what ended without a word, or is
    stuck, loses its thread."""


def mode_of(saver: Any) -> Mode:
    """Return what a saver does about others who write; `"off"` for one that does not know how.

    Raises:
        ValueError: it was told something else.
    """
    if not isinstance(saver, SingleWriter):
        return "off"
    told: Any = saver.single_writer
    if told is None:
        told = os.environ.get(_VARIABLE) or ("off" if is_drop_in() else "refuse")
    if told not in ("refuse", "wait", "off"):
        raise ValueError(
            f"single_writer of a saver, or the environment variable {_VARIABLE}, must be "
            f"'refuse', 'wait' or 'off', not {told!r}"
        )
    return told


def sign(metadata: Any, configurable: Mapping[str, Any]) -> Any:
    """Add the run that stores a checkpoint to its metadata, unless they name one."""
    writer = configurable.get(WRITER_KEY)
    if writer is not None and "run_id" not in metadata:
        metadata["run_id"] = writer.run_id
    return metadata
