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

    from langgraph_rust.checkpoint._writing.keeping import Keeper
    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
    from langgraph_rust.checkpoint.single_writer import Lease

logger = logging.getLogger(__name__)

_MAY_NOT = "42501"
"""The SQL state of those who lack a privilege, such as to make a table."""


class Turn:
    """What a run or an update is to a thread whose saver lets one at a time go on with it.

    Args:
        config: The complete config of the call.
        is_async: Which kind of run it is; `None` for an update.
    """

    __slots__ = (
        "_claimed",
        "_forks",
        "_is_async",
        "_keeper",
        "_keeping",
        "_lease",
        "_outer",
        "_root",
        "_run_id",
        "_thread_id",
        "_token",
    )

    def __init__(self, config: RunnableConfig, is_async: bool | None = None) -> None:
        conf = config[CONF]
        self._thread_id = str(conf.get(CONFIG_KEY_THREAD_ID))
        outer: Writer | None = conf.get(CONFIG_KEY_WRITER) if CONFIG_KEY_TASK_ID in conf else None
        is_elsewhere = outer is not None and outer.thread_id != self._thread_id
        if is_elsewhere:
            outer = None
        self._outer = outer
        self._token = conf.get(CONFIG_KEY_LEASE) if outer is None else outer.token
        self._run_id = _run_id(config) if outer is None else outer.run_id
        self._root = None
        if CONFIG_KEY_TASK_ID in conf and not is_elsewhere:
            self._root = (conf.get(CONFIG_KEY_CHECKPOINT_MAP) or {}).get("")
        self._forks = bool(
            conf.get(CONFIG_KEY_FORK)
            or conf.get(CONFIG_KEY_REPLAY_STATE)
            or (outer is not None and outer.forks)
        )
        self._lease: Lease | None = None
        self._keeping: asyncio.Task[None] | None = None
        self._is_async = is_async
        self._claimed = False
        self._keeper: Keeper | None = None

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
        self._keep(lease, saver)

    def claim(self, saver: Any) -> Steps[bool]:
        """Go on with what waits on the thread; whoever did so before stores nothing any more.

        Such a run stores no checkpoint of its own for a while, if at all, but writes on the one
        that waits. So others who write there cannot be told from it by what is stored.

        Returns:
            Whether that was to be said: not of branches, nor within another run.
        """
        if not self.is_outermost or self._token is not None or self._forks:
            return False
        given = {"ttl": saver.single_writer_ttl, "steal": True}
        try:
            lease: Lease = yield Call(saver, "take_lease", (self._thread_id, self._run_id), given)
        except Exception as error:
            # Where somebody else makes the tables. Of the drivers of databases nothing is known.
            if getattr(error, "sqlstate", None) != _MAY_NOT:
                raise
            logger.warning("two answers to one question may count: no lease: %s", error)
            return False
        # Not renewed: only those who wait ask how long it is good for.
        self._lease, self._token, self._claimed = lease, lease.token, True
        return True

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
        outer = self._outer
        root_origin = None if outer is None else outer.root_origin or outer.origin
        waited = (self._lease is not None and not self._claimed) or (outer and outer.waited)
        writer = Writer(
            self._run_id,
            self._thread_id,
            origin,
            self._forks,
            self._root,
            self._token,
            bool(waited),
            # Of a checkpoint that was not looked at, nobody knows who wrote on it.
            wrote if saved is not None or origin is None else None,
            self._claimed or (outer is not None and outer.claimed),
            root_origin if self._root is not None else None,
        )
        return patch_configurable(config, {CONFIG_KEY_WRITER: writer})

    # --- the lease ---

    def _keep(self, lease: Lease, saver: Any) -> None:
        """Renew the lease until the end: from a thread, or a task of the event loop."""
        if self._is_async is False:
            from langgraph_rust.checkpoint._writing.keeping import keeper_of

            self._keeper = keeper_of(saver)
            self._keeper.add(lease)
        elif self._is_async:
            import asyncio

            from langgraph_rust.checkpoint._writing.keeping import akeep

            self._keeping = asyncio.create_task(akeep(lease))

    @property
    def has_lease(self) -> bool:
        """Whether there is a lease to be given back."""
        return self._lease is not None

    def end(self) -> Steps[None]:
        """Give the lease back, if there is one."""
        lease, self._lease = self._lease, None
        if lease is None:
            return
        if self._keeping is not None:
            self._keeping.cancel()
        elif self._keeper is not None:
            self._keeper.remove(lease)
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
    turn = Turn(config, is_async)
    if mode == "wait":
        yield from turn.wait(saver)
    return turn


def end_turn(turn: Turn | None) -> None:
    """End a turn, if there was one."""
    if turn is not None:
        run_sync(turn.end())


async def aend_turn(turn: Turn | None) -> None:
    """Async twin of `end_turn`; goes on to the end if whoever waits for it is cancelled."""
    if turn is None or not turn.has_lease:
        return
    import asyncio

    # A cancelled scope of anyio's cancels each wait, whatever is waited for.
    ending = asyncio.ensure_future(run_async(turn.end()))
    _ending.add(ending)
    ending.add_done_callback(_ending.discard)
    await asyncio.shield(ending)


_ending: set[asyncio.Future[None]] = set()
"""The loop itself keeps none of them alive."""


def _run_id(config: RunnableConfig) -> str:
    """Return the run's id as its checkpoints' metadata will have it, or make one."""
    if known := config.get("metadata", {}).get("run_id") or config.get("run_id"):
        return str(known)
    # A saver has loaded it already.
    from uuid import uuid4

    return str(uuid4())
