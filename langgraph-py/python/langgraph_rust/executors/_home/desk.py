"""Answering what a node asks from its worker, and doing what it tells."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import Context
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CALL,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_CHECKPOINTER,
    CONFIG_KEY_READ,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_SEND,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_WRITER,
    RESUME,
)
from langgraph_rust._internal._runnable.contexts import ambient
from langgraph_rust.executors._travel.errors import dumps_error
from langgraph_rust.executors._travel.pickling import dumps, dumps_named, loads
from langgraph_rust.executors._travel.tasks import of_number
from langgraph_rust.executors.base import NotPortableError, Running

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

_POLICIES = ("retry_policy", "cache_policy", "timeout")
"""What a task function has, by the names of both its attributes and the arguments of a call."""


class Desk:
    """Has everything done that a node reaches through its config.

    Args:
        config: The node's config at home.
        node: The node's name.
    """

    def __init__(self, config: RunnableConfig, node: str) -> None:
        self._config = config
        self._node = node
        self._conf: Mapping[str, Any] = config.get(CONF) or {}
        self._taken: Any = None
        """An answer that names no interrupt, from when the worker has it until it is kept."""
        self._again: Any = None
        """One that a worker has taken with it when it died."""

    def restart(self) -> None:
        """Take back what the node wrote, and what it took: it begins anew."""
        if self._taken is not None:
            self._again, self._taken = self._taken, None
        discard = getattr(self._conf.get(CONFIG_KEY_SEND), "discard_writes", None)
        if discard is not None:
            discard()

    def hear(self, body: bytes) -> str:
        """Do what a worker tells; return the kind of what it was."""
        kind, arguments = loads(body)
        if kind != "beat":
            getattr(self, f"_on_{kind}")(*arguments)
        return kind

    def answer(self, running: Running, number: int, body: bytes) -> None:
        """Answer a question, now or as soon as there is an answer."""
        kind, arguments = loads(body)

        def give(produce: Callable[[], Any]) -> None:
            try:
                answer = self._packed(kind, produce())
            except BaseException as error:
                answer = dumps((True, dumps_error(error)))
            running.answer(number, answer)

        if kind != "call":
            return give(lambda: getattr(self, f"_answer_{kind}")(*arguments))
        try:
            future = self._call(*arguments)
        except BaseException as error:
            raised = error
            return give(lambda: _raise(raised))
        running.lend(True)

        def is_done(future: Any) -> None:
            running.lend(False)
            give(future.result)

        future.add_done_callback(is_done)

    def _packed(self, kind: str, answer: Any) -> bytes:
        try:
            return dumps((False, answer))
        except NotPortableError:
            what = "The result of a task" if kind == "call" else f"The answer of the {kind}"
            dumps_named(answer, what, self._node)
            raise

    # --- what is told ---

    def _on_custom(
        self, chunk: Any, namespace: str | None = None, of_graph: str | None = None
    ) -> None:
        """Write to the `custom` stream.

        Args:
            chunk: What is written.
            namespace: Of the task that wrote it, in a graph within the node; `None` for the node.
            of_graph: The namespace of that graph.
        """
        write = self._conf[CONFIG_KEY_RUNTIME].stream_writer
        if namespace is None:
            return write(chunk)
        # The writer looks at where it is called.
        place = {
            CONFIG_KEY_CHECKPOINT_NS: namespace,
            CONFIG_KEY_SCRATCHPAD: SimpleNamespace(graph_namespace=of_graph),
        }
        with ambient(patch_configurable(self._config, place)):
            write(chunk)

    def _on_heartbeat(self) -> None:
        self._conf[CONFIG_KEY_RUNTIME].heartbeat()

    def _on_chunk(self, chunk: Any) -> None:
        self._conf[CONFIG_KEY_STREAM](chunk)

    def _on_write(self, writes: list[tuple[str, Any]]) -> None:
        for channel, value in writes:
            if channel == RESUME:
                # The task's own list: the next attempt goes on with it.
                self._conf[CONFIG_KEY_SCRATCHPAD].resume[: len(value)] = value
                self._taken = None
        self._conf[CONFIG_KEY_SEND](writes)

    def _on_callback(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        from langgraph_rust.executors._home.callbacks import replay

        replay(self._config, name, args, kwargs)

    def _on_push(self, metadata: dict[str, Any], message: Any) -> None:
        from langgraph_rust.executors._home.callbacks import push

        push(self._config, metadata, message)

    # --- what is asked ---

    def _answer_custom(self, chunk: Any) -> None:
        # Written outside of any node, so that it fares as it does at home.
        Context().run(self._conf[CONFIG_KEY_RUNTIME].stream_writer, chunk)

    def _answer_store(self, ops: list[Any]) -> list[Any]:
        return self._conf[CONFIG_KEY_RUNTIME].store.batch(ops)

    def _answer_saver(self, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        writer = self._conf.get(CONFIG_KEY_WRITER)
        if writer is not None and name in ("put", "put_writes"):
            # A graph within the node has its own namespace, of which the node's run knows no tasks.
            writer = writer._replace(wrote=None)
            config, *rest = args
            args = ({**config, CONF: {**config[CONF], CONFIG_KEY_WRITER: writer}}, *rest)
        if name == "put" or (name == "put_writes" and any(w[0] == RESUME for w in args[1])):
            # A graph within the node took the answer, and has it stored.
            self._taken = None
        result = getattr(self._conf[CONFIG_KEY_CHECKPOINTER], name)(*args, **kwargs)
        return list(result) if name == "list" else result

    def _answer_read(self, select: Any, fresh: bool) -> Any:
        return self._conf[CONFIG_KEY_READ](select, fresh)

    def _answer_task(self, name: str, arguments: tuple[Any, ...]) -> Any:
        if name == "get_null_resume":
            return self._unnamed(*arguments)
        return getattr(self._conf[CONFIG_KEY_SCRATCHPAD], name)(*arguments)

    def _unnamed(self, consume: bool) -> Any:
        """The answer that names no interrupt; the run has it once, a dead worker's is given again.

        Args:
            consume: Whether the node takes it.
        """
        found = self._again
        if found is None:
            found = self._conf[CONFIG_KEY_SCRATCHPAD].get_null_resume(consume)
        if consume and found is not None:
            self._again, self._taken = None, found
        return found

    def _answer_control(self, name: str, *arguments: Any) -> Any:
        found = getattr(self._conf[CONFIG_KEY_RUNTIME].control, name)
        return found(*arguments) if callable(found) else found

    def _call(self, func: Any, input: Any, options: dict[str, Any]) -> Any:
        if isinstance(func, int):
            task = of_number(func)
            func = task.func
            options = {name: getattr(task, name) for name in _POLICIES}
        callbacks = self._config.get("callbacks")
        return self._conf[CONFIG_KEY_CALL](func, input, callbacks=callbacks, **options)


def _raise(error: BaseException) -> None:
    raise error
