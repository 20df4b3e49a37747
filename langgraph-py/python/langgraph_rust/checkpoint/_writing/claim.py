"""Whether somebody may store now: the one rule, for savers that can look while they store."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from langgraph_rust.checkpoint._writing.writer import (
    FORK_KEY,
    LEASE_KEY,
    WRITER_KEY,
    Writer,
    mode_of,
)
from langgraph_rust.checkpoint.base.id import first_id_at, time_of

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_SLACK = timedelta(seconds=1)
"""How much the clocks of those may differ that fork a checkpoint at the same time."""

Reason = Literal["superseded", "taken", "behind", "fenced"]


class Claim(NamedTuple):
    """What somebody wants to store, and builds it on."""

    thread_id: str
    namespace: str
    parent: str | None
    """The checkpoint that it builds on; for writes, the one that they are on."""
    made: str | None
    """Id of the checkpoint that is to be stored; `None` for writes."""
    checks: bool
    """Whether it must build on the newest; otherwise only the lease is looked at."""
    run_id: str | None
    """The run that stores, if it is one."""
    is_run: bool
    is_branch: bool
    """Whether its caller said that it is one."""
    forks: bool
    origin: str | None
    root: str | None
    root_origin: str | None
    """See `Writer`; also of these three."""
    token: int | None
    claimed: bool
    """See `Writer`."""
    strange: str | None
    """For writes, the task, if it is not known to have written on the checkpoint already."""
    known: Collection[str] | None
    """For a checkpoint, the tasks that may have written on its parent; `None` for all."""

    @property
    def is_ordered(self) -> bool:
        """Whether it must become the newest. What is told to be a branch may be older.

        A run that goes back in time is to be what the thread goes on from.
        """
        return not self.is_branch

    @property
    def shares(self) -> bool:
        """Whether it may be beside others of the same run: tasks of one superstep that share the
        state of a subgraph, of which the last counts."""
        return self.root is not None and self.run_id is not None

    @property
    def latest(self) -> str:
        """What it must be later than the newest as. Clocks are allowed to differ for forks, which
        several may make of a checkpoint at the same time, but not by much."""
        made = self.made or ""
        at = time_of(made) if self.forks else None
        return made if at is None else first_id_at(at + _SLACK)


def claim_of(
    saver: Any, config: RunnableConfig, made: str | None, wrote: Iterable[tuple[str, str]] = ()
) -> Claim | None:
    """Return what is to be looked at before storing; `None` if nothing is.

    Args:
        saver: Says whether others matter.
        config: What the saver was called with.
        made: As in `Claim`.
        wrote: Checkpoints and tasks of the writes that are to be stored.
    """
    configurable = config["configurable"]
    thread_id = str(configurable["thread_id"])
    writer: Writer | None = configurable.get(WRITER_KEY)
    if writer is not None and writer.thread_id != thread_id:
        # Of the run that somebody calls the saver in.
        writer = None
    token = configurable.get(LEASE_KEY) if writer is None else writer.token
    parent = configurable.get("checkpoint_id") or None
    # A run has asked when it began. Whoever calls the saver and does not say what it builds on
    # cannot be wrong about that.
    checks = writer is not None or (parent is not None and mode_of(saver) != "off")
    if not checks and token is None:
        return None
    place = thread_id, configurable.get("checkpoint_ns") or ""
    is_branch = bool(configurable.get(FORK_KEY))
    if writer is None:
        # Whoever calls the saver may store one fork, and then another.
        writer = Writer(configurable.get("run_id") or "", thread_id, parent, is_branch)
        is_run, strange, known = False, None, None
    else:
        is_run = True
        strange, known = _enter(writer.wrote, parent, made, wrote)
    return Claim(
        *place,
        parent=parent,
        made=made,
        checks=checks,
        run_id=writer.run_id or None,
        is_run=is_run,
        is_branch=is_branch,
        forks=writer.forks,
        origin=writer.origin,
        root=writer.root,
        root_origin=writer.root_origin,
        token=token,
        claimed=writer.claimed,
        strange=strange,
        known=known,
    )


def _enter(
    ledger: dict[str, set[str]] | None,
    parent: str | None,
    made: str | None,
    wrote: Iterable[tuple[str, str]],
) -> tuple[str | None, Collection[str] | None]:
    """Enter who writes, before it is stored: what is stored side by side does not look strange."""
    if ledger is None:
        return None, None
    strange = None
    for checkpoint_id, task_id in wrote:
        tasks = ledger.setdefault(checkpoint_id, set())
        if task_id not in tasks:
            strange = task_id
            tasks.add(task_id)
    if made is None:
        return strange, None
    known = ledger.get(parent or "", ())
    # It writes on those no more.
    for checkpoint_id in [one for one in ledger if one < made]:
        del ledger[checkpoint_id]
    return None, known


class Look(Protocol):
    """What a thread has, as nobody else can change it until the caller has stored."""

    def newest(self, namespace: str) -> str | None:
        """Return the id of the newest checkpoint in a namespace."""
        ...

    def run_of(self, namespace: str, checkpoint_id: str) -> str | None:
        """Return the run that has stored a checkpoint."""
        ...

    def has(self, namespace: str, checkpoint_id: str) -> bool:
        """Tell whether there is a checkpoint."""
        ...

    def has_child(self, namespace: str, parent: str) -> bool:
        """Tell whether a checkpoint was built on."""
        ...

    def tasks(self, namespace: str, checkpoint_id: str) -> Collection[str]:
        """Return the tasks that have written on a checkpoint."""
        ...

    def token(self) -> int | None:
        """Return the newest token of the thread's leases."""
        ...


class Refusal(NamedTuple):
    """Why something is not stored."""

    reason: Reason
    namespace: str
    """Where the checkpoint is that stands in the way."""
    newest: str | None
    """Its id."""


def judge(claim: Claim, look: Look) -> Refusal | None:
    """Decide; `None` if it may be stored."""
    if claim.token is not None and look.token() != claim.token:
        return Refusal("taken" if claim.claimed else "fenced", claim.namespace, None)
    if not claim.checks:
        return None
    if claim.root is not None and not claim.forks:
        # The task's own graph may not have stored the checkpoint that the task is of, so far; nor,
        # if it stores at the end, any at all.
        newest = look.newest("")
        known = (None, claim.root, claim.root_origin)
        if newest not in known and look.run_of("", newest or "") != claim.run_id:
            return Refusal("superseded", "", newest)
    newest = look.newest(claim.namespace)
    if claim.shares and newest is not None and newest != claim.parent:
        if look.run_of(claim.namespace, newest) == claim.run_id:
            return None
    reason = _judge(claim, newest, look)
    return reason and Refusal(reason, claim.namespace, newest)


def _judge(claim: Claim, newest: str | None, look: Look) -> Reason | None:
    parent, made = claim.parent, claim.made
    if made is None:
        # It may be stored only in a moment, beside these writes on it.
        fits = newest is None or parent is None or newest <= parent
        if not fits and not _is_fork(claim, look):
            return "superseded"
        is_taken = claim.strange and claim.strange in look.tasks(claim.namespace, parent or "")
        return "taken" if is_taken else None
    fits = newest == parent if newest is not None else parent is None or not claim.is_run
    if not fits and not _is_fork(claim, look):
        # The same again is no other.
        return None if look.has(claim.namespace, made) else "superseded"
    if claim.is_ordered and newest is not None and claim.latest <= newest:
        return None if look.has(claim.namespace, made) else "behind"
    if claim.known is not None and parent is not None:
        if any(task not in claim.known for task in look.tasks(claim.namespace, parent)):
            return "taken"
    return None


def _is_fork(claim: Claim, look: Look) -> bool:
    """Whether it is meant to stand beside what came later: on its origin, or all of its own."""
    if not claim.forks:
        return False
    parent = claim.parent
    return parent is None or parent == claim.origin or not look.has_child(claim.namespace, parent)


def refuse(
    claim: Claim, refusal: Refusal, *, other: str | None = None, holder: str | None = None
) -> Exception:
    """Return the error for it.

    Args:
        claim: What was to be stored.
        refusal: Why it is not.
        other: The run that has stored the checkpoint that stands in the way, if that is known.
        holder: Who has the lease of the thread now.
    """
    # Only those who are refused need it: it is an error of graphs, which savers know nothing of.
    from langgraph_rust.checkpoint.single_writer import ThreadConflictError

    # Of a run that has stored only writes so far, nobody knows the name, but for its lease.
    is_later = refusal.reason != "taken"
    is_leased = refusal.reason == "fenced" or (not is_later and holder != claim.run_id)
    return ThreadConflictError(
        reason=refusal.reason,
        thread_id=claim.thread_id,
        checkpoint_ns=refusal.namespace,
        run_id=claim.run_id,
        other_run_id=holder if is_leased else other if is_later else None,
        checkpoint_id=claim.parent,
        newest_checkpoint_id=refusal.newest,
    )
