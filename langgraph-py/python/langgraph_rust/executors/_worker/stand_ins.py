"""Stand-ins for what a node's config leads to."""

from __future__ import annotations

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from itertools import count
from typing import Any

from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
from langgraph_rust.executors._travel.tasks import RemoteTaskFunction
from langgraph_rust.executors._worker.link import Home, opened
from langgraph_rust.runtime import RunControl
from langgraph_rust.store.base import BaseStore, Op, Result


class RemoteStore(BaseStore):
    """The store that the graph was compiled with, which is at home."""

    def __init__(self, home: Home, supports_ttl: bool) -> None:
        self._home = home
        self.supports_ttl = supports_ttl

    def batch(self, ops: Iterable[Op]) -> list[Result]:
        """Have the operations carried out at home."""
        return self._home.ask("store", list(ops))

    async def abatch(self, ops: Iterable[Op]) -> list[Result]:
        """Async twin of `batch`."""
        return await asyncio.to_thread(self.batch, list(ops))


class RemoteSaver(BaseCheckpointSaver[Any]):
    """The saver that graphs called within the node inherit, which is at home.

    It is what any saver is, so runs on it take none of the short ways that this package's have.
    """

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home

    def get_next_version(self, current: Any, channel: None) -> Any:
        return self._home.ask("saver", "get_next_version", (current, channel), {})

    def get_tuple(self, config: Any) -> CheckpointTuple | None:
        return self._home.ask("saver", "get_tuple", (_portable(config),), {})

    def list(self, config: Any, **kwargs: Any) -> Iterator[CheckpointTuple]:
        options = {name: _portable(value) for name, value in kwargs.items()}
        yield from self._home.ask("saver", "list", (_portable(config),), options)

    def put(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        stored = (_portable(config), checkpoint, metadata, new_versions)
        return self._home.ask("saver", "put", stored, {})

    def put_writes(self, config: Any, writes: Any, task_id: str, task_path: str = "") -> None:
        stored = (_portable(config), writes, task_id, task_path)
        self._home.ask("saver", "put_writes", stored, {})

    def delete_thread(self, thread_id: str) -> None:
        self._home.ask("saver", "delete_thread", (thread_id,), {})

    async def aget_tuple(self, config: Any) -> CheckpointTuple | None:
        return await asyncio.to_thread(self.get_tuple, config)

    async def alist(self, config: Any, **kwargs: Any) -> AsyncIterator[CheckpointTuple]:
        for saved in await asyncio.to_thread(lambda: [*self.list(config, **kwargs)]):
            yield saved

    async def aput(self, config: Any, checkpoint: Any, metadata: Any, new_versions: Any) -> Any:
        return await asyncio.to_thread(self.put, config, checkpoint, metadata, new_versions)

    async def aput_writes(
        self, config: Any, writes: Any, task_id: str, task_path: str = ""
    ) -> None:
        await asyncio.to_thread(self.put_writes, config, writes, task_id, task_path)

    async def adelete_thread(self, thread_id: str) -> None:
        await asyncio.to_thread(self.delete_thread, thread_id)


def _portable(config: Any) -> Any:
    """What a saver looks at: nothing that leads to a run."""
    if not isinstance(config, dict) or "configurable" not in config:
        return config
    conf = {k: v for k, v in config["configurable"].items() if not k.startswith("__pregel_")}
    kept = {k: v for k, v in config.items() if k in ("metadata", "run_id", "tags")}
    return {**kept, "configurable": conf}


class RemoteTask:
    """The task that the node runs in, as its config shows it."""

    def __init__(self, home: Home, known: dict[str, Any]) -> None:
        self._home = home
        self.step: int = known["step"]
        self.stop: int = known["stop"]
        self.resume: list[Any] = known["resume"]
        self.call_counter = count().__next__
        self.interrupt_counter = count().__next__
        self.subgraph_counter = count().__next__
        self._parts: Counter[str] = Counter()
        self._naming = threading.Lock()

    def __call__(self, writes: Sequence[tuple[str, Any]]) -> None:
        """Write on behalf of the task."""
        self._home.tell("write", list(writes))

    def _ask(self, name: str, *arguments: Any) -> Any:
        return self._home.ask("task", name, arguments)

    def get_null_resume(self, consume: bool = False) -> Any:
        return self._ask("get_null_resume", consume)

    def read_state(self) -> Any:
        return self._ask("read_state")

    # What parts of a task have (`_internal/_asking.py`).

    def name_part(self, name: str) -> str:
        # Counted here: home would go on from the names that a dead worker's attempt was given.
        with self._naming:
            self._parts[name] += 1
            given = self._parts[name]
        return name if given == 1 else f"{name}#{given}"

    def part_resume(self, part: str) -> list[Any]:
        return self._ask("part_resume", part)

    def asked_before(self) -> Any:
        return self._ask("asked_before")

    def keep_part_resume(self, part: str, values: list[Any]) -> None:
        self._ask("keep_part_resume", part, values)


class RemoteControl(RunControl):
    """Asks the run to stop early, and tells whether somebody has."""

    __slots__ = ("_home",)

    def __init__(self, home: Home) -> None:
        super().__init__()
        self._home = home

    def request_drain(self, reason: str = "shutdown") -> None:
        self._home.ask("control", "request_drain", reason)

    @property
    def drain_requested(self) -> bool:
        return self.drain_reason is not None

    @property
    def drain_reason(self) -> str | None:
        return self._home.ask("control", "drain_reason")


def remote_call(home: Home) -> Callable[..., Any]:
    """What `@task` functions are called through: they run at home, as tasks of the superstep."""

    def call(func: Any, input: Any, *, callbacks: Any = None, **options: Any) -> Any:
        if isinstance(func, RemoteTaskFunction):
            func = func.number
        answer = home.ask_later("call", func, input, options)
        result = _awaitable() if _is_on_loop() else Future()
        answer.add_done_callback(lambda done: _settle(result, done))
        return result

    call.leads_home = True  # type: ignore[attr-defined]
    return call


def _is_on_loop() -> bool:
    return asyncio._get_running_loop() is not None


def _awaitable() -> Any:
    return asyncio.get_running_loop().create_future()


def _settle(result: Any, answer: Future[bytes]) -> None:
    def settle() -> None:
        if result.done():
            return
        try:
            result.set_result(opened(answer.result()))
        except BaseException as error:
            result.set_exception(error)

    if isinstance(result, Future):
        settle()
    else:
        result.get_loop().call_soon_threadsafe(settle)
