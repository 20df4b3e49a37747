"""Beginning a run, and handing over what it brings.

A `Launch` gathers what `invoke` and `stream` were asked for and what the config says, loads the
checkpoint, and makes the engine's `GraphRun`, which does everything else. It is on the path of
every call, however small the graph, so whatever only some runs need is looked at only for them.
"""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from langgraph_rust._engine import GraphRun, Sink
from langgraph_rust._internal._callbacks import SilentAsyncCallbackManager, SilentCallbackManager
from langgraph_rust._internal._config import (
    DEFAULT_RECURSION_LIMIT,
    ensure_config,
    needs_callbacks,
    patch_configurable,
    var_child_runnable_config,
)
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CACHE,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_MAP,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_RESUMING,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_SCRATCHPAD,
    CONFIG_KEY_STREAM,
    CONFIG_KEY_TASK_ID,
    CONFIG_KEY_THREAD_ID,
    NS_SEP,
)
from langgraph_rust.config import get_config
from langgraph_rust.pregel._savers import (
    is_superseded,
    own_history_config,
    resolve_saver,
    saver_traits,
)
from langgraph_rust.pregel._twins import Call, Steps, run_async, run_sync
from langgraph_rust.pregel._validate import validate_keys
from langgraph_rust.runtime import RunControl, Runtime, ServerInfo
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.checkpoint.base import BaseCheckpointSaver, CheckpointTuple
    from langgraph_rust.pregel._shapes import Shape
    from langgraph_rust.pregel.main import Pregel
    from langgraph_rust.types import All, Durability, Interrupt


class Found(NamedTuple):
    """What is stored for a thread, when its run begins."""

    saved: CheckpointTuple | None = None
    """The checkpoint to start from."""
    superseded: bool = False
    """Whether the run asked for that checkpoint, and the thread has moved past it."""


_NOTHING_FOUND = Found()

class Launch:
    """A run that is about to begin.

    Args:
        graph: The graph.
        config: The config of the call.
        context: The context of the call.
        output_keys: Channels to show; `None` for `default_keys`.
        default_keys: What is shown unless the caller says otherwise.
        interrupt_before: Nodes to stop before; the graph's own choice if there are none.
        interrupt_after: Nodes to stop after; likewise.
        durability: When to store checkpoints; as the config says if `None`.
        control: Asks the run to stop.
        is_async: Whether nodes are run by their async functions.

    Raises:
        ValueError: The recursion limit is not positive, an output key is no channel, or there is a
            saver and nothing in the config that says what to save under.
    """

    __slots__ = (
        "_asked_durability",
        "_context",
        "_control",
        "_durability",
        "_eager",
        "_graph",
        "_interrupt_after",
        "_interrupt_before",
        "_is_async",
        "_latest",
        "_manager",
        "_modes",
        "_output_keys",
        "_saver",
        "_shape",
        "_sink",
        "_subgraphs",
        "_version",
        "config",
    )

    def __init__(
        self,
        graph: Pregel[Any, Any, Any, Any],
        config: RunnableConfig | None,
        *,
        context: Any,
        output_keys: str | Sequence[str] | None,
        default_keys: str | Sequence[str],
        interrupt_before: All | Sequence[str] | None,
        interrupt_after: All | Sequence[str] | None,
        durability: Durability | None,
        control: RunControl | None,
        is_async: bool,
    ) -> None:
        self._graph = graph
        self.config = config = _complete_config(graph.config, config)
        if config["recursion_limit"] < 1:
            raise ValueError("recursion_limit must be at least 1")
        if output_keys is not None:
            validate_keys(output_keys, graph.channels)
        conf = config[CONF]
        self._saver = resolve_saver(graph, conf)
        if self._saver is not None and not conf:
            raise ValueError(
                "Checkpointer requires one or more of the following 'configurable' "
                "keys: thread_id, checkpoint_ns, checkpoint_id"
            )
        self._output_keys = default_keys if output_keys is None else output_keys
        self._interrupt_before = interrupt_before or graph.interrupt_before_nodes
        self._interrupt_after = interrupt_after or graph.interrupt_after_nodes
        self._asked_durability = durability
        self._durability = durability or conf.get(CONFIG_KEY_DURABILITY, "async")
        self._context = context
        self._control = control
        self._is_async = is_async
        self._manager: Any = None
        # Until `show` says otherwise, the caller waits for the end.
        self._latest = True
        self._modes: Any = ()
        self._shape: Shape = "payload"
        self._subgraphs = self._eager = False
        self._version = "v1"
        outer = conf.get(CONFIG_KEY_STREAM)
        self._sink = None if outer is None else Sink((), outer)

    def show(self, modes: set[Any], shape: Shape, *, subgraphs: bool, version: str) -> None:
        """Have events of `modes` come out as chunks of `shape` while the run goes on.

        Args:
            modes: Stream modes of the caller, printed ones included.
            shape: What the caller gets to see; see `choose_shape`.
            subgraphs: Whether runs within this one are shown, too.
            version: Of the stream format.
        """
        self._latest = False
        self._modes = modes
        self._shape = shape
        self._subgraphs = subgraphs
        self._version = version
        self._eager = (
            self._graph.stream_eager or subgraphs or "messages" in modes or "custom" in modes
        )
        self._sink = Sink(modes, self.config[CONF].get(CONFIG_KEY_STREAM))

    # --- the four ways to run ---

    def invoke(self, input: Any) -> tuple[Any, list[Interrupt]]:
        """Run to the end; return the last values and the questions that were asked."""
        self._start_manager(input)
        try:
            run = self._begin(input, self._find())
            listeners = self._graph_listeners()
            tell(listeners, run)
            result = run.invoke()
            tell(listeners, run)
        except BaseException as error:
            self._report(error)
            raise
        if self._manager is not None:
            self._manager.on_chain_end(run.output())
        return result

    async def ainvoke(self, input: Any) -> tuple[Any, list[Interrupt]]:
        """Async twin of `invoke`."""
        await self._astart_manager(input)
        try:
            run = self._begin(input, await self._afind())
            listeners = self._graph_listeners()
            await atell(listeners, run)
            result = await run.ainvoke()
            await atell(listeners, run)
        except BaseException as error:
            await self._areport(error)
            raise
        if self._manager is not None:
            await self._manager.on_chain_end(run.output())
        return result

    def stream(self, input: Any) -> Iterator[Any]:
        """Run, and yield chunks; closing the iterator stops the run."""
        self._start_manager(input)
        try:
            run = self._begin(input, self._find())
            listeners = self._graph_listeners()
            tell(listeners, run)
            yield from run
            tell(listeners, run)
        except BaseException as error:
            self._report(error)
            raise
        if self._manager is not None:
            self._manager.on_chain_end(run.output())

    async def astream(self, input: Any) -> AsyncGenerator[Any, None]:
        """Async twin of `stream`."""
        await self._astart_manager(input)
        try:
            run = self._begin(input, await self._afind())
            listeners = self._graph_listeners()
            await atell(listeners, run)
            try:
                while True:
                    yield await run.anext()
            except StopAsyncIteration:
                await atell(listeners, run)
            except GeneratorExit:
                await run.aclose()
                raise
        except BaseException as error:
            await self._areport(error)
            raise
        if self._manager is not None:
            await self._manager.on_chain_end(run.output())

    # --- callbacks ---

    def _wants_manager(self) -> bool:
        from_stream = not self._latest and not self._modes.isdisjoint(("messages", "tools"))
        return from_stream or needs_callbacks(self.config)

    def _start_manager(self, input: Any) -> None:
        if self._wants_manager():
            self._manager = self._make_manager().on_chain_start(None, input, **self._run_names())

    async def _astart_manager(self, input: Any) -> None:
        if self._wants_manager():
            starting = self._make_manager().on_chain_start(None, input, **self._run_names())
            self._manager = await starting

    def _make_manager(self) -> Any:
        from langgraph_rust.pregel._listeners import callback_manager

        return callback_manager(self.config, set(self._modes), self._version, self._is_async)

    def _taps_nodes(self) -> bool:
        from langgraph_rust.pregel._listeners import taps_nodes

        return taps_nodes(self._manager)

    def _run_names(self) -> dict[str, Any]:
        config = self.config
        name = config["run_name"] if "run_name" in config else self._graph.get_name()
        return {"name": name, "run_id": config.get("run_id")}

    def _graph_listeners(self) -> Any:
        """Return who wants to hear of resumptions and pauses; `None` if nobody does."""
        if self._manager is None:
            return None
        from langgraph_rust.pregel._listeners import graph_listeners

        return graph_listeners(self.config, self._manager, self._is_async)

    def _report(self, error: BaseException) -> None:
        if self._manager is not None:
            self._manager.on_chain_error(error)

    async def _areport(self, error: BaseException) -> None:
        if self._manager is not None:
            import asyncio

            # A cancelled run still is reported.
            await asyncio.shield(self._manager.on_chain_error(error))

    # --- the config ---

    def _enter(self) -> None:
        """Bring the config to what it is within the run."""
        graph, config = self._graph, self.config
        if self._asked_durability is not None:
            if self._saver is None:
                _warn_durability()
            config[CONF][CONFIG_KEY_DURABILITY] = self._asked_durability
        if config[CONF]:
            self.config = config = _in_namespace(own_history_config(graph, config))
        if self._manager is None:
            silent = SilentAsyncCallbackManager if self._is_async else SilentCallbackManager
            config["callbacks"] = silent()
        elif self._sink is not None and not self._latest:
            self._attach_handlers(self._sink)

    def _attach_handlers(self, sink: Sink) -> None:
        from langgraph_rust.pregel._listeners import stream_handlers

        namespace = self.config[CONF].get(CONFIG_KEY_CHECKPOINT_NS)
        handlers = stream_handlers(
            sink.put,
            self.config,
            self._modes,
            subgraphs=self._subgraphs,
            version=self._version,
            namespace=tuple(namespace.split(NS_SEP)) if namespace else (),
        )
        self._manager.inheritable_handlers.extend(handlers)

    def _runtime(self) -> Runtime[Any]:
        """Make the runtime that the tasks' own are copies of, and keep it in the config."""
        graph, conf = self._graph, self.config[CONF]
        writer = custom_writer(self._sink) if "custom" in self._modes else _drop_chunk
        context = None
        if self._context is not None:
            context = _coerce_context(graph.context_schema, self._context)
        if not conf:
            runtime = Runtime(
                context=context,
                store=graph.store,
                stream_writer=writer,
                control=self._control or RunControl(),
            )
        else:
            if writer is _drop_chunk and CONFIG_KEY_STREAM in conf:
                writer = conf[CONFIG_KEY_RUNTIME].stream_writer
            runtime = _inherit_runtime(conf, graph.store, context, writer, self._control)
        conf[CONFIG_KEY_RUNTIME] = runtime
        return runtime

    # --- what is stored ---

    def _find(self) -> Found:
        self._enter()
        return _NOTHING_FOUND if self._saver is None else run_sync(self._load(self._saver))

    async def _afind(self) -> Found:
        self._enter()
        return _NOTHING_FOUND if self._saver is None else await run_async(self._load(self._saver))

    def _load(self, saver: BaseCheckpointSaver) -> Steps[Found]:
        """Load the checkpoint to start from."""
        conf, where = self.config[CONF], self._checkpoint_config()
        superseded = False
        if where[CONF].get(CONFIG_KEY_CHECKPOINT_ID):
            saved = yield Call(saver, "get_tuple", (where,))
            if saved is not None:
                superseded = yield from is_superseded(saver, where, saved)
        elif replay := conf.get(CONFIG_KEY_REPLAY_STATE):
            namespace = conf.get(CONFIG_KEY_CHECKPOINT_NS, "")
            saved = yield Call(replay, "get_checkpoint", (namespace, saver, where))
            # The input is to be applied again, so that routing happens as it did then.
            conf.pop(CONFIG_KEY_RESUMING, None)
        else:
            saved = yield Call(saver, "get_tuple", (where,))
        if saved is not None:
            self._graph._migrate_checkpoint(saved.checkpoint)
        return Found(saved, superseded)

    def _checkpoint_config(self) -> RunnableConfig:
        """Return the config that says which checkpoint to load, and where to store new ones."""
        config = self.config
        conf = config[CONF]
        if not conf:
            return config
        checkpoint_map = conf.get(CONFIG_KEY_CHECKPOINT_MAP)
        namespace = conf.get(CONFIG_KEY_CHECKPOINT_NS)
        patch = {}
        if checkpoint_map is not None and namespace in checkpoint_map:
            patch[CONFIG_KEY_CHECKPOINT_ID] = checkpoint_map[namespace]
        thread_id = conf.get(CONFIG_KEY_THREAD_ID)
        if thread_id and not isinstance(thread_id, str):
            patch[CONFIG_KEY_THREAD_ID] = str(thread_id)
        return patch_configurable(config, patch) if patch else config

    def _begin(self, input: Any, found: Found) -> GraphRun:
        """Hand over to the engine."""
        graph, config, saver = self._graph, self.config, self._saver
        runtime = self._runtime()
        command = None
        if isinstance(input, Command):
            from langgraph_rust.pregel._resume import read_command

            command = read_command(input, config, saver, found)
        conf = config[CONF]
        options: dict[str, Any] = {}
        if saver is not None:
            options = saver_traits(saver, is_async=self._is_async)._asdict()
        where = self._checkpoint_config()
        addressed = where[CONF].get(CONFIG_KEY_CHECKPOINT_ID) or conf.get(CONFIG_KEY_REPLAY_STATE)
        return GraphRun(
            graph,
            graph._native_plan,
            input,
            config,
            command=command,
            saver=saver,
            saved=found.saved,
            checkpoint_config=where,
            addressed=bool(addressed),
            superseded=found.superseded,
            durability=self._durability,
            output_keys=self._output_keys,
            interrupt_before=self._interrupt_before,
            interrupt_after=self._interrupt_after,
            runtime=runtime,
            store=runtime.store,
            cache=conf.get(CONFIG_KEY_CACHE, graph.cache),
            manager=self._manager,
            sink=self._sink,
            shape=self._shape,
            eager=self._eager,
            latest=self._latest,
            subgraphs=self._subgraphs,
            is_async=self._is_async,
            drains=self._is_async and self._manager is not None and self._taps_nodes(),
            **options,
        )


def tell(listeners: Any, run: GraphRun) -> None:
    """Tell graph listeners what happened to a run since the last time."""
    if listeners is not None:
        for name, event in _events(listeners, run):
            getattr(listeners, name)(event)


async def atell(listeners: Any, run: GraphRun) -> None:
    """Async twin of `tell`."""
    if listeners is not None:
        for name, event in _events(listeners, run):
            await getattr(listeners, name)(event)


def _events(listeners: Any, run: GraphRun) -> Iterator[tuple[str, Any]]:
    from langgraph_rust.callbacks import GraphInterruptEvent, GraphResumeEvent

    for kind, status, checkpoint_id, namespace, interrupts in run.lifecycle():
        what = {
            "run_id": listeners.run_id,
            "status": status,
            "checkpoint_id": checkpoint_id,
            "checkpoint_ns": namespace,
        }
        if kind == "resume":
            yield "on_resume", GraphResumeEvent(**what)
        else:
            yield "on_interrupt", GraphInterruptEvent(**what, interrupts=interrupts)


def custom_writer(sink: Any) -> Callable[[Any], None]:
    """Return what nodes call to write to the `custom` stream."""

    def write(chunk: Any) -> None:
        namespace = get_config()[CONF][CONFIG_KEY_CHECKPOINT_NS]
        sink.put((tuple(namespace.split(NS_SEP)[:-1]), "custom", chunk))

    return write


def _drop_chunk(_: Any) -> None:
    """Stand in for the stream writer where nobody listens."""


def _warn_durability() -> None:
    import warnings

    warnings.warn(
        "`durability` has no effect when no checkpointer is present.", stacklevel=2
    )


def _complete_config(
    own: RunnableConfig | None, given: RunnableConfig | None
) -> RunnableConfig:
    if own is None and given is None and not var_child_runnable_config.get():
        return {
            "tags": [],
            "metadata": {},
            "callbacks": None,
            "recursion_limit": DEFAULT_RECURSION_LIMIT,
            CONF: {},
        }
    return ensure_config(own, given)


def _in_namespace(config: RunnableConfig) -> RunnableConfig:
    """Return the config with the namespace that the run has.

    A task may run several graphs: from the second on, their namespaces are numbered. A run that is
    no part of a task begins at the root.
    """
    conf = config[CONF]
    scratchpad = conf.get(CONFIG_KEY_SCRATCHPAD)
    if scratchpad is not None and (number := scratchpad.subgraph_counter()):
        namespace = f"{conf[CONFIG_KEY_CHECKPOINT_NS]}{NS_SEP}{number}"
        config = patch_configurable(config, {CONFIG_KEY_CHECKPOINT_NS: namespace})
    if CONFIG_KEY_TASK_ID not in conf and conf.get(CONFIG_KEY_CHECKPOINT_NS):
        root = {CONFIG_KEY_CHECKPOINT_NS: "", CONFIG_KEY_CHECKPOINT_ID: None}
        config = patch_configurable(config, root)
    return config


def _inherit_runtime(
    conf: dict[str, Any],
    own_store: Any,
    context: Any,
    writer: Callable[[Any], None],
    control: RunControl | None,
) -> Runtime[Any]:
    """Make the runtime of a run from what the caller gave and what a run around it has."""
    parent = conf.get(CONFIG_KEY_RUNTIME)
    server = _server_info(conf)
    if parent is None:
        return Runtime(
            context=context,
            store=own_store,
            stream_writer=writer,
            server_info=server,
            control=control or RunControl(),
        )
    store = parent.store
    if not isinstance(parent, Runtime):
        # A server's object of its own kind, from outside of any run.
        parent = Runtime(context=getattr(parent, "context", None))
    return Runtime(
        context=context or parent.context,
        store=store,
        stream_writer=writer,
        heartbeat=parent.heartbeat,
        previous=parent.previous,
        execution_info=parent.execution_info,
        server_info=server or parent.server_info,
        control=control or parent.control or RunControl(),
    )


def _server_info(conf: dict[str, Any]) -> ServerInfo | None:
    """Return what a server put into the config about itself, if one did."""
    assistant_id, graph_id = conf.get("assistant_id"), conf.get("graph_id")
    user = conf.get("langgraph_auth_user")
    if user is not None and not _is_user(user):
        user = None
    if assistant_id is None and graph_id is None and user is None:
        return None
    return ServerInfo(
        assistant_id=str(assistant_id) if assistant_id else "",
        graph_id=str(graph_id) if graph_id else "",
        user=user,
    )


def _is_user(value: object) -> bool:
    if hasattr(value, "identity"):
        return True
    sdk = sys.modules.get("langgraph_sdk.auth.types")
    return sdk is not None and isinstance(value, sdk.BaseUser)


def _coerce_context(schema: Any, context: Any) -> Any:
    """Make an instance of the context schema from a dict, unless the schema is a kind of dict."""
    if schema is None or not isinstance(context, dict):
        return context
    from dataclasses import is_dataclass

    # No model can exist before the module of its base does.
    model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    is_model = model is not None and isinstance(schema, type) and issubclass(schema, model)
    return cast("Any", schema)(**context) if is_model or is_dataclass(schema) else context
