"""Beginning a run, and handing over what it brings.

A `Launch` gathers what `invoke` and `stream` were asked for and what the config says, loads the
checkpoint, and makes the engine's `GraphRun`, which does everything else. It is on the path of
every call, however small the graph, so whatever only some runs need is looked at only for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from langgraph_rust._engine import GraphRun, Sink
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CACHE,
    CONFIG_KEY_CHECKPOINT_ID,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_DURABILITY,
    CONFIG_KEY_REPLAY_STATE,
    CONFIG_KEY_RUNTIME,
    CONFIG_KEY_STREAM,
    NS_SEP,
)
from langgraph_rust._internal._lazy.callbacks import (
    SilentAsyncCallbackManager,
    SilentCallbackManager,
)
from langgraph_rust._internal._lazy.listening import needs_callbacks
from langgraph_rust.errors import EmptyInputError
from langgraph_rust.pregel._build.asked import (
    check_durability,
    check_modes,
    check_place,
    explain_no_input,
    nodes_to_stop_at,
    unknown_checkpoint,
)
from langgraph_rust.pregel._build.validate import validate_keys
from langgraph_rust.pregel._run.found import NOTHING_FOUND, Found, checkpoint_config, load
from langgraph_rust.pregel._run.listeners import (
    atell,
    callback_manager,
    graph_listeners,
    stream_handlers,
    taps_nodes,
    tell,
)
from langgraph_rust.pregel._run.setup import (
    as_placed,
    coerce_context,
    complete_config,
    drop_chunk,
    in_namespace,
    inherit_runtime,
    stream_writer,
    tapped,
    warn_durability,
)
from langgraph_rust.pregel._run.shapes import is_eager
from langgraph_rust.pregel._state.savers import own_history_config, resolve_saver, saver_traits
from langgraph_rust.pregel._state.single_writer import Turn, aend_turn, begin_turn, end_turn
from langgraph_rust.pregel._state.twins import Steps, run_async, run_sync
from langgraph_rust.types import Command

if TYPE_CHECKING:
    from collections.abc import Sequence

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.pregel._run.shapes import Shape
    from langgraph_rust.pregel.main import Pregel
    from langgraph_rust.runtime import RunControl, Runtime
    from langgraph_rust.types import All, Durability, Interrupt


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
        "_tap",
        "_turn",
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
        self.config = config = complete_config(graph.config, config)
        watch = graph._watch
        self._graph = graph = as_placed(graph, config[CONF])
        if config["recursion_limit"] < 1:
            raise ValueError("recursion_limit must be at least 1")
        if output_keys is not None:
            validate_keys(output_keys, graph.channels)
        conf = config[CONF]
        self._saver = resolve_saver(graph, conf)
        if self._saver is not None:
            check_place(conf)
        if interrupt_before:
            interrupt_before = nodes_to_stop_at(graph, interrupt_before, "interrupt_before")
        if interrupt_after:
            interrupt_after = nodes_to_stop_at(graph, interrupt_after, "interrupt_after")
        self._output_keys = default_keys if output_keys is None else output_keys
        self._interrupt_before = interrupt_before or graph.interrupt_before_nodes
        self._interrupt_after = interrupt_after or graph.interrupt_after_nodes
        self._asked_durability = durability
        self._durability = durability or conf.get(CONFIG_KEY_DURABILITY, "async")
        self._context = context
        self._control = control
        self._is_async = is_async
        self._manager: Any = None
        self._turn: Turn | None = None
        # Until `show` says otherwise, the caller waits for the end.
        self._latest = True
        self._modes: Any = ()
        self._shape: Shape = "payload"
        self._subgraphs = self._eager = False
        self._version = "v1"
        self.config, self._tap = (config, None) if watch is None else tapped(watch, config)
        outer = self.config[CONF].get(CONFIG_KEY_STREAM)
        self._sink = None if outer is None else Sink((), outer)

    def show(self, modes: set[Any], shape: Shape, *, subgraphs: bool, version: str) -> None:
        """Have events of `modes` come out as chunks of `shape` while the run goes on.

        Args:
            modes: Stream modes of the caller, printed ones included.
            shape: What the caller gets to see; see `choose_shape`.
            subgraphs: Whether runs within this one are shown, too.
            version: Of the stream format.
        """
        check_modes(modes)
        self._latest = False
        self._modes = modes
        self._shape = shape
        self._subgraphs = subgraphs
        self._version = version
        self._eager = self._graph.stream_eager or subgraphs or is_eager(modes, self._is_async)
        self._sink = Sink(modes, self.config[CONF].get(CONFIG_KEY_STREAM))

    # --- the four ways to run ---

    def invoke(self, input: Any) -> tuple[Any, list[Interrupt]]:
        """Run to the end; return the last values and the questions that were asked."""
        self._start_manager(input)
        try:
            run = self._begin(input, self._find(input))
            listeners = self._graph_listeners()
            tell(listeners, run)
            result = run.invoke()
            tell(listeners, run)
        except BaseException as error:
            self._report(error)
            raise
        finally:
            end_turn(self._turn)
        if self._manager is not None:
            self._manager.on_chain_end(run.output())
        return result

    async def ainvoke(self, input: Any) -> tuple[Any, list[Interrupt]]:
        """Async twin of `invoke`."""
        await self._astart_manager(input)
        try:
            run = self._begin(input, await self._afind(input))
            listeners = self._graph_listeners()
            await atell(listeners, run)
            result = await run.ainvoke()
            await atell(listeners, run)
        except BaseException as error:
            await self._areport(error)
            raise
        finally:
            await aend_turn(self._turn)
        if self._manager is not None:
            await self._manager.on_chain_end(run.output())
        return result

    def stream(self, input: Any) -> Iterator[Any]:
        """Run, and yield chunks; closing the iterator stops the run."""
        self._start_manager(input)
        try:
            run = self._begin(input, self._find(input))
            listeners = self._graph_listeners()
            tell(listeners, run)
            try:
                yield from run
            except BaseException:
                # Thrown in by the caller, perhaps: then the run has not heard of it.
                run.close()
                raise
            tell(listeners, run)
        except BaseException as error:
            self._report(error)
            raise
        finally:
            end_turn(self._turn)
        if self._manager is not None:
            self._manager.on_chain_end(run.output())

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
        return callback_manager(self.config, set(self._modes), self._version, self._is_async)

    def _run_names(self) -> dict[str, Any]:
        config = self.config
        name = config["run_name"] if "run_name" in config else self._graph.get_name()
        return {"name": name, "run_id": config.get("run_id")}

    def _graph_listeners(self) -> Any:
        """Return who wants to hear of resumptions and pauses; `None` if nobody does."""
        if self._manager is None:
            return None
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
            check_durability(self._asked_durability)
            if self._saver is None:
                warn_durability()
            config[CONF][CONFIG_KEY_DURABILITY] = self._asked_durability
        if config[CONF]:
            self.config = config = in_namespace(own_history_config(graph, config))
        if self._manager is None:
            silent = SilentAsyncCallbackManager if self._is_async else SilentCallbackManager
            config["callbacks"] = silent()
        elif self._sink is not None and not self._latest:
            self._attach_handlers(self._sink)

    def _attach_handlers(self, sink: Sink) -> None:
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
        writer, is_streamed = drop_chunk, "custom" in self._modes
        if is_streamed or self._tap:
            shown = None if self._subgraphs else conf.get(CONFIG_KEY_CHECKPOINT_NS, "")
            writer = stream_writer(self._sink, shown, is_streamed=is_streamed, tap=self._tap)
        context = coerce_context(graph.context_schema, self._context)
        if writer is drop_chunk and CONFIG_KEY_STREAM in conf:
            writer = conf[CONFIG_KEY_RUNTIME].stream_writer
        runtime = inherit_runtime(conf, graph.store, context, writer, self._control)
        conf[CONFIG_KEY_RUNTIME] = runtime
        return runtime

    # --- what is stored ---

    def _find(self, input: Any) -> Found:
        self._enter()
        return NOTHING_FOUND if self._saver is None else run_sync(self._load(self._saver, input))

    async def _afind(self, input: Any) -> Found:
        self._enter()
        saver = self._saver
        return NOTHING_FOUND if saver is None else await run_async(self._load(saver, input))

    def _load(self, saver: Any, input: Any) -> Steps[Found]:
        self._turn = turn = yield from begin_turn(saver, self.config, is_async=self._is_async)
        goes_on = input is None or isinstance(input, Command)
        found = yield from load(self._graph, self.config, saver, turn if goes_on else None)
        if turn is not None:
            self.config = turn.signed(self.config, found.saved, forks=found.superseded)
        return found

    def _begin(self, input: Any, found: Found) -> GraphRun:
        """Hand over to the engine."""
        graph, config, saver = self._graph, self.config, self._saver
        runtime = self._runtime()
        command = None
        if isinstance(input, Command):
            from langgraph_rust.pregel._run.resume import read_command

            command = read_command(input, config, saver, found)
        conf = config[CONF]
        options = {} if saver is None else saver_traits(saver, is_async=self._is_async)._asdict()
        where = checkpoint_config(config)
        checkpoint_id = where[CONF].get(CONFIG_KEY_CHECKPOINT_ID)
        addressed = checkpoint_id or conf.get(CONFIG_KEY_REPLAY_STATE)
        if checkpoint_id and saver is not None and found.saved is None and input is not None:
            unknown_checkpoint(conf)
        try:
            return GraphRun(
                graph,
                graph._native_plan,
                input,
                config,
                command=command,
                saver=saver,
                claims=self._turn is not None and self._turn.is_outermost,
                saved=found.saved,
                histories=found.histories,
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
                eager=self._eager or self._tap is not None,
                latest=self._latest,
                subgraphs=self._subgraphs,
                is_async=self._is_async,
                drains=self._is_async and self._manager is not None and taps_nodes(self._manager),
                **options,
            )
        except EmptyInputError as error:
            explain_no_input(error, input, conf, saver)
            raise
