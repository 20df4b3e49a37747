"""A run's, or an update's, turn on a thread: what it tells the saver of itself, and its lease."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import ambient_config, patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_FORK,
    CONFIG_KEY_LEASE,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    CONFIG_KEY_WRITER,
)
from langgraph_rust.checkpoint._writing.writer import Writer, mode_of
from langgraph_rust.pregel._state.twins import Call, Steps, run_async, run_sync

if TYPE_CHECKING:
    import asyncio

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
    from langgraph_rust.checkpoint.single_writer import Lease

logger = logging.getLogger(__name__)


class Turn:
    """What a run or an update is to a thread whose saver lets one at a time go on with it.

    Args:
        config: The complete config of the call.
    """

    __slots__ = (
        "_forks",
        "_keeping",
        "_lease",
        "_outer",
        "_root",
        "_run_id",
        "_thread_id",
        "_token",
    )

    def __init__(self, config: RunnableConfig) -> None:
        conf = config[CONF]
        self._thread_id = str(conf.get(CONFIG_KEY_THREAD_ID))
        outer: Writer | None = conf.get(CONFIG_KEY_WRITER) if CONFIG_KEY_TASK_ID in conf else None
        if outer is not None and outer.thread_id != self._thread_id:
            outer = None
        self._outer = outer
        self._token = conf.get(CONFIG_KEY_LEASE) if outer is None else outer.token
        self._run_id = _run_id(config) if outer is None else outer.run_id
        self._root = None
        if CONFIG_KEY_TASK_ID in conf:
            self._root = (conf.get(CONFIG_KEY_CHECKPOINT_MAP) or {}).get("")
        self._forks = bool(
            conf.get(CONFIG_KEY_FORK)
            or conf.get(CONFIG_KEY_REPLAY_STATE)
            or (outer is not None and outer.forks)
        )
        self._lease: Lease | None = None
        self._keeping: asyncio.Task[None] | None = None

    @property
    def is_outermost(self) -> bool:
        """Whether no other run or update around it has claimed the thread."""
        return self._outer is None and self._root is None

    def wait(self, saver: Any) -> Steps[None]:
        """Take the thread's lease, unless somebody who has it has begun this.

        Raises:
            ThreadConflictError: another has it for too long, or the run that this was called in.
        """
        if not self.is_outermost or self._token is not None:
            return
        self._refuse_own(saver)
        given = {"ttl": saver.single_writer_ttl, "wait": saver.single_writer_timeout}
        lease: Lease = yield Call(saver, "take_lease", (self._thread_id, self._run_id), given)
        self._lease, self._token = lease, lease.token

    def _refuse_own(self, saver: Any) -> None:
        ambient = ambient_config()
        around: Writer | None = ambient[CONF].get(CONFIG_KEY_WRITER) if ambient else None
        if around is not None and around.waited and around.thread_id == self._thread_id:
            from langgraph_rust.checkpoint.single_writer import ThreadConflictError

            raise ThreadConflictError(
                reason="itself",
                thread_id=self._thread_id,
                run_id=self._run_id,
                other_run_id=around.run_id,
            )

    def signed(
        self, config: RunnableConfig, saved: CheckpointTuple | None, *, forks: bool
    ) -> RunnableConfig:
        """Return the config to store with.

        Args:
            config: It without what the saver is told.
            saved: The checkpoint to begin on; without, it is the one that `config` names, if it
                names one.
            forks: Whether the thread has moved past it, and storing beside what came later is meant
                from then on.
        """
        origin, wrote = config[CONF].get(CONFIG_KEY_CHECKPOINT_ID), {}
        # A checkpoint that there is not cannot be the newest either.
        self._forks |= forks or (saved is None and origin is not None)
        if saved is not None:
            origin = saved.checkpoint["id"]
            wrote[origin] = {write[0] for write in saved.pending_writes or ()}
        waited = self._lease is not None or (self._outer is not None and self._outer.waited)
        writer = Writer(
            self._run_id,
            self._thread_id,
            origin,
            self._forks,
            self._root,
            self._token,
            waited,
            # Of a checkpoint that was not looked at, nobody knows who wrote on it.
            wrote if saved is not None or origin is None else None,
        )
        return patch_configurable(config, {CONFIG_KEY_WRITER: writer})

    # --- the lease ---

    def keep(self) -> None:
        """Renew the lease, if there is one, from a thread until the end."""
        if self._lease is not None:
            from langgraph_rust.checkpoint._writing.keeping import keeper

            keeper.add(self._lease)

    def akeep(self) -> None:
        """Do so from a task of the event loop."""
        if self._lease is not None:
            import asyncio

            from langgraph_rust.checkpoint._writing.keeping import akeep

            self._keeping = asyncio.create_task(akeep(self._lease))

    def end(self) -> Steps[None]:
        """Give the lease back, if there is one."""
        lease, self._lease = self._lease, None
        if lease is None:
            return
        if self._keeping is not None:
            self._keeping.cancel()
        else:
            from langgraph_rust.checkpoint._writing.keeping import keeper

            keeper.remove(lease)
        try:
            yield Call(lease, "release")
        except Exception as error:
            # What the run has done is stored, and the lease runs out by itself.
            logger.warning("%r could not be given back: %s", lease, error)


def begin_turn(
    saver: BaseCheckpointSaver, config: RunnableConfig, *, is_async: bool | None = None
) -> Steps[Turn | None]:
    """Begin to work on a thread, which may mean to wait for another who does.

    Args:
        saver: The saver.
        config: The complete config of the call.
        is_async: Which kind of run it is that begins, whose lease is renewed; `None` for an update,
            which is over soon.

    Returns:
        `None` if the saver does not care who writes.

    Raises:
        ThreadConflictError: another has the thread for too long.
    """
    mode = mode_of(saver)
    if mode == "off":
        return None
    turn = Turn(config)
    if mode == "wait":
        yield from turn.wait(saver)
        if is_async is not None:
            turn.akeep() if is_async else turn.keep()
    return turn


def end_turn(turn: Turn | None) -> None:
    """End a turn, if there was one."""
    if turn is not None:
        run_sync(turn.end())


async def aend_turn(turn: Turn | None) -> None:
    """Async twin of `end_turn`."""
    if turn is not None:
        await run_async(turn.end())


def _run_id(config: RunnableConfig) -> str:
    """Return the run's id as its checkpoints' metadata will have it, or make one."""
    if known := config.get("metadata", {}).get("run_id") or config.get("run_id"):
        return str(known)
    # A saver has loaded it already.
    from uuid import uuid4

    return str(uuid4())
