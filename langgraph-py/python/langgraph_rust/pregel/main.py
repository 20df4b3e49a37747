"""`Pregel`, a graph that runs: nodes that exchange values through channels, step by step."""

from __future__ import annotations

import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Generic, Literal, cast, overload

from typing_extensions import Unpack, deprecated

from langgraph_rust._engine import Plan
from langgraph_rust._internal._config import merge_configs
from langgraph_rust._internal._constants import (
    CACHE_NS_WRITES,
    CONF,
    CONFIG_KEY_TASK_ID,
    INTERRUPT,
    TASKS,
)
from langgraph_rust._internal._lazy_runnable import load_runnable_class
from langgraph_rust._internal._typing import MISSING, DeprecatedKwargs
from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.topic import Topic
from langgraph_rust.pregel import _schemas, _subgraphs
from langgraph_rust.pregel._builder import NodeBuilder
from langgraph_rust.pregel._read import PregelNode
from langgraph_rust.pregel._run import Launch
from langgraph_rust.pregel._shapes import choose_shape, mode_set
from langgraph_rust.pregel._twins import run_async, run_sync
from langgraph_rust.pregel._utils import validate_timeout_supported
from langgraph_rust.pregel._validate import validate_graph
from langgraph_rust.pregel.protocol import PregelProtocol
from langgraph_rust.types import (
    GraphOutput,
    RetryPolicy,
    Send,
    StateSnapshot,
    StateUpdate,
    ensure_valid_checkpointer,
)
from langgraph_rust.typing import ContextT, InputT, OutputT, StateT
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph
    from langchain_core.runnables.schema import StreamEvent
    from pydantic import BaseModel
    from typing_extensions import Self

    from langgraph_rust.cache.base import BaseCache
    from langgraph_rust.checkpoint.base import Checkpoint
    from langgraph_rust.managed.base import ManagedValueSpec
    from langgraph_rust.runtime import RunControl
    from langgraph_rust.store.base import BaseStore
    from langgraph_rust.types import (
        All,
        CachePolicy,
        Checkpointer,
        Command,
        Durability,
        Interrupt,
        StreamMode,
        StreamPart,
    )

__all__ = ("NodeBuilder", "Pregel")

_DURING_DEPRECATED = (
    "`checkpoint_during` is deprecated and will be removed. Please use `durability` instead."
)
_CONFIG_TYPE_DEPRECATED = (
    "`config_type` is deprecated and will be removed. Please use `context_schema` instead."
)
_CONFIG_SCHEMA_DEPRECATED = (
    "`config_schema` is deprecated. Use `get_context_jsonschema` for the relevant schema instead."
)
_CONFIG_JSONSCHEMA_DEPRECATED = (
    "`get_config_jsonschema` is deprecated. Use `get_context_jsonschema` instead."
)

_PLANNED = frozenset(
    ("nodes", "channels", "input_channels", "output_channels", "stream_channels")
)
"""The attributes that the engine's plan is made of."""


class Pregel(
    PregelProtocol[StateT, ContextT, InputT, OutputT],
    Generic[StateT, ContextT, InputT, OutputT],
):
    """A graph that runs.

    Nodes read channels and write channels. A run is a sequence of supersteps: in each, all nodes
    whose trigger channels were updated run side by side and see the same state; then their writes
    are applied together, which decides what runs next. The run ends when nothing is left to run.

    `StateGraph` and `entrypoint` make graphs of this kind; putting one together by hand is for what
    they do not offer:

    ```python
    double = NodeBuilder().subscribe_only("a").do(lambda x: x + x).write_to("b")
    app = Pregel(
        nodes={"double": double},
        channels={"a": EphemeralValue(str), "b": LastValue(str)},
        input_channels=["a"],
        output_channels=["b"],
    )
    app.invoke({"a": "foo"})  # {"b": "foofoo"}
    ```
    """

    nodes: dict[str, PregelNode]
    """The nodes by name."""

    channels: dict[str, BaseChannel | ManagedValueSpec]
    """The channels and managed values by name."""

    stream_mode: StreamMode = "values"
    """What `stream` yields unless told otherwise."""

    stream_eager: bool = False
    """Whether chunks leave while a step runs; always so for `messages` and `custom`."""

    output_channels: str | Sequence[str]
    """What `invoke` returns: one channel's value, or a dict of several."""

    stream_channels: str | Sequence[str] | None = None
    """What `stream` and state snapshots show; all channels if `None`."""

    interrupt_after_nodes: All | Sequence[str]
    """Nodes after which a run stops."""

    interrupt_before_nodes: All | Sequence[str]
    """Nodes before which a run stops."""

    input_channels: str | Sequence[str]
    """What an input is written to: one channel, or several that are keys of a dict."""

    step_timeout: float | None = None
    """How long a step may take, in seconds."""

    debug: bool
    """Whether runs print what they do."""

    checkpointer: Checkpointer = None
    """Saves and loads states. For a subgraph also `True` (a history of its own) or `False`."""

    store: BaseStore | None = None
    """Memory that threads share."""

    cache: BaseCache | None = None
    """Keeps results of nodes that have a cache policy."""

    retry_policy: Sequence[RetryPolicy] = ()
    """For nodes without policies of their own; the first that matches an error decides."""

    cache_policy: CachePolicy | None = None
    """For nodes without a policy of their own."""

    context_schema: type[ContextT] | None = None
    """The type of the `context` that callers pass."""

    config: RunnableConfig | None = None
    """Merged into the config of every call."""

    name: str = "LangGraph"
    """The graph's name in traces, and as a node."""

    trigger_to_nodes: Mapping[str, Sequence[str]]
    """Channel -> the nodes it triggers."""

    node_error_handler_map: Mapping[str, str]
    """Node -> the node that handles its failures."""

    stream_transformers: tuple[Callable[[tuple[str, ...]], Any], ...]
    """What `stream_events(version="v3")` passes events through."""

    _output_mapper: Callable[[Any], Any] | None = None
    """What version 2 of the stream format makes of output values."""

    _state_mapper: Callable[[Any], Any] | None = None
    """What version 2 of the stream format makes of states."""

    _serde_allowlist: set[tuple[str, ...]] | None = None
    """The classes that a strict saver may load."""

    _plan: Plan | None = None

    def __init__(
        self,
        *,
        nodes: dict[str, PregelNode | NodeBuilder],
        channels: dict[str, BaseChannel | ManagedValueSpec] | None,
        auto_validate: bool = True,
        stream_mode: StreamMode = "values",
        stream_eager: bool = False,
        output_channels: str | Sequence[str],
        stream_channels: str | Sequence[str] | None = None,
        interrupt_after_nodes: All | Sequence[str] = (),
        interrupt_before_nodes: All | Sequence[str] = (),
        input_channels: str | Sequence[str],
        step_timeout: float | None = None,
        debug: bool | None = None,
        checkpointer: Checkpointer = None,
        store: BaseStore | None = None,
        cache: BaseCache | None = None,
        retry_policy: RetryPolicy | Sequence[RetryPolicy] = (),
        cache_policy: CachePolicy | None = None,
        context_schema: type[ContextT] | None = None,
        config: RunnableConfig | None = None,
        trigger_to_nodes: Mapping[str, Sequence[str]] | None = None,
        node_error_handler_map: Mapping[str, str] | None = None,
        name: str = "LangGraph",
        stream_transformers: Sequence[Callable[[tuple[str, ...]], Any]] | None = None,
        **deprecated_kwargs: Unpack[DeprecatedKwargs],
    ) -> None:
        """Make a graph; see the attributes for what each argument means.

        Unless `auto_validate` is false, the parts are checked to fit together, as by `validate`.
        `debug=None` stands for langchain-core's global setting.

        Raises:
            ValueError: A channel has a reserved name, or the parts do not fit together.
            TypeError: The checkpointer is none.
        """
        config_type = deprecated_kwargs.get("config_type", MISSING)
        if config_type is not MISSING:
            warnings.warn(
                _CONFIG_TYPE_DEPRECATED, category=LangGraphDeprecatedSinceV10, stacklevel=2
            )
            if context_schema is None:
                context_schema = cast("type[ContextT]", config_type)
        self.checkpointer = ensure_valid_checkpointer(checkpointer)
        self.nodes = {
            key: node.build() if isinstance(node, NodeBuilder) else node
            for key, node in nodes.items()
        }
        self.channels = channels or {}
        if not isinstance(self.channels.get(TASKS, _NEW_TASKS), Topic):
            raise ValueError(f"Channel '{TASKS}' is reserved and cannot be used in the graph.")
        self.channels[TASKS] = Topic(Send, accumulate=False)
        self.stream_mode = stream_mode
        self.stream_eager = stream_eager
        self.output_channels = output_channels
        self.stream_channels = stream_channels
        self.interrupt_after_nodes = interrupt_after_nodes
        self.interrupt_before_nodes = interrupt_before_nodes
        self.input_channels = input_channels
        self.step_timeout = step_timeout
        self.debug = _debugs_globally() if debug is None else debug
        self.store = store
        self.cache = cache
        single = isinstance(retry_policy, RetryPolicy)
        self.retry_policy = (retry_policy,) if single else retry_policy
        self.cache_policy = cache_policy
        self.context_schema = context_schema
        self.config = config
        self.trigger_to_nodes = trigger_to_nodes or {}
        self.node_error_handler_map = node_error_handler_map or {}
        self.name = name
        self.stream_transformers = tuple(stream_transformers or ())
        if auto_validate:
            self.validate()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _PLANNED:
            self.__dict__.pop("_plan", None)
        object.__setattr__(self, name, value)

    @property
    def _native_plan(self) -> Plan:
        """The graph as the engine runs it; made on first use, when all nodes are there."""
        plan = self._plan
        if plan is None:
            plan = self._plan = Plan(self)
        return plan

    # --- copies and checks ---

    def copy(self, update: dict[str, Any] | None = None) -> Self:
        """Return a graph like this one, with the attributes in `update` replaced."""
        attributes = {k: v for k, v in self.__dict__.items() if not k.startswith("_")}
        clone = self.__class__(**{**attributes, **(update or {})})
        if self._serde_allowlist is not None:
            clone._serde_allowlist = self._serde_allowlist
        return clone

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Self:
        """Return a copy whose config has `config` and `kwargs` merged in."""
        merged = merge_configs(self.config, config, cast("RunnableConfig", kwargs))
        return self.copy({"config": merged})

    def validate(self) -> Self:
        """Check that nodes, channels and breakpoints fit together; return the graph.

        Call it again after a change.

        Raises:
            ValueError: They do not, or a node that is not async has a timeout.
            TypeError: A node is no `PregelNode`.
        """
        self.__dict__.pop("_plan", None)
        for name, node in self.nodes.items():
            if getattr(node, "timeout", None) is not None:
                validate_timeout_supported(node.node or node.bound, name=name)
        channels, managed = {}, {}
        for name, spec in self.channels.items():
            (channels if isinstance(spec, BaseChannel) else managed)[name] = spec
        validate_graph(
            self.nodes,
            channels,
            managed,
            self.input_channels,
            self.output_channels,
            self.stream_channels,
            self.interrupt_after_nodes,
            self.interrupt_before_nodes,
        )
        triggered: dict[str, list[str]] = {}
        for name, node in self.nodes.items():
            for trigger in node.triggers:
                triggered.setdefault(trigger, []).append(name)
        self.trigger_to_nodes = triggered
        return self

    def _migrate_checkpoint(self, checkpoint: Checkpoint) -> None:
        """Bring a checkpoint of an older version, in place, to this one's layout."""
        old: Any = checkpoint
        if old["v"] < 4 and old.get("pending_sends"):
            old["channel_values"][TASKS] = old.pop("pending_sends")
            old["channel_versions"][TASKS] = max(old["channel_versions"].values())

    # --- drawing and subgraphs ---

    def get_graph(
        self, config: RunnableConfig | None = None, *, xray: int | bool = False
    ) -> Graph:
        """Return the graph as nodes and edges to draw.

        Args:
            config: Has no influence on the result.
            xray: Whether subgraphs are opened up; a number says how many levels.
        """
        return run_sync(_subgraphs.drawing(self, config, xray))

    async def aget_graph(
        self, config: RunnableConfig | None = None, *, xray: int | bool = False
    ) -> Graph:
        """Async twin of `get_graph`, for subgraphs that are remote."""
        return await run_async(_subgraphs.drawing(self, config, xray))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Show the drawing in a notebook."""
        return {"text/plain": repr(self), "image/png": self.get_graph().draw_mermaid_png()}

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, PregelProtocol[Any, Any, Any, Any]]]:
        """Yield `(namespace, subgraph)` for the graphs that nodes run.

        Args:
            namespace: Only the one with this namespace, without task ids: `parent|child`. More
                than one level needs `recurse`.
            recurse: Whether to look inside the subgraphs, too.
        """
        return _subgraphs.iterate(self, namespace, recurse)

    async def aget_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> AsyncIterator[tuple[str, PregelProtocol[Any, Any, Any, Any]]]:
        """Async twin of `get_subgraphs`."""
        for name, subgraph in self.get_subgraphs(namespace=namespace, recurse=recurse):
            yield name, subgraph

    # --- schemas ---

    @deprecated(_CONFIG_SCHEMA_DEPRECATED, category=None)
    def config_schema(self, *, include: Sequence[str] | None = None) -> type[BaseModel]:
        """Return a model of the config. Deprecated: use `get_context_jsonschema`."""
        warnings.warn(
            _CONFIG_SCHEMA_DEPRECATED, category=LangGraphDeprecatedSinceV10, stacklevel=2
        )
        return _schemas.config_model(self, include or ())

    @deprecated(_CONFIG_JSONSCHEMA_DEPRECATED, category=None)
    def get_config_jsonschema(self, *, include: Sequence[str] | None = None) -> dict[str, Any]:
        """Return a JSON schema of the config. Deprecated: use `get_context_jsonschema`."""
        warnings.warn(
            _CONFIG_JSONSCHEMA_DEPRECATED, category=LangGraphDeprecatedSinceV10, stacklevel=2
        )
        return _schemas.config_model(self, include or ()).model_json_schema()

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """Return the JSON schema of the context; `None` without a context schema.

        Raises `ValueError` if that is neither a model, nor a `TypedDict`, nor a dataclass.
        """
        return _schemas.context_json_schema(self.context_schema)

    @property
    def InputType(self) -> Any:
        """The type of the input, if there is a single input channel."""
        return _schemas.channel_type(self, self.input_channels, "UpdateType")

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a model of the input."""
        config = merge_configs(self.config, config)
        if isinstance(self.input_channels, str):
            load_runnable_class()
            return super().get_input_schema(config)
        names = self.input_channels or self.channels
        return _schemas.channels_model(self, "Input", names, "UpdateType")

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the input."""
        return self.get_input_schema(config).model_json_schema()

    @property
    def OutputType(self) -> Any:
        """The type of the output, if there is a single output channel."""
        return _schemas.channel_type(self, self.output_channels, "ValueType")

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a model of the output."""
        config = merge_configs(self.config, config)
        if isinstance(self.output_channels, str):
            load_runnable_class()
            return super().get_output_schema(config)
        return _schemas.channels_model(self, "Output", self.output_channels, "ValueType")

    def get_output_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the output."""
        return self.get_output_schema(config).model_json_schema()

    @property
    def stream_channels_list(self) -> Sequence[str]:
        """The channels that `stream` shows, as a sequence in any case."""
        shown = self.stream_channels_asis
        return [shown] if isinstance(shown, str) else shown

    @property
    def stream_channels_asis(self) -> str | Sequence[str]:
        """The channels that `stream` shows: one, whose value is shown as it is, or several."""
        return self.stream_channels or [
            name for name, spec in self.channels.items() if isinstance(spec, BaseChannel)
        ]

    # --- states ---

    def get_state(self, config: RunnableConfig, *, subgraphs: bool = False) -> StateSnapshot:
        """Return a thread's state.

        Args:
            config: Names the thread. With a `checkpoint_id`, the state is that of the checkpoint, as
                it was before the step that follows; otherwise the latest, as it is now. With a
                `checkpoint_ns`, it is that of a subgraph.
            subgraphs: Whether to include the states of subgraphs that are at work.

        Raises:
            ValueError: The graph has no checkpointer.
        """
        from langgraph_rust.pregel import _state

        return run_sync(_state.get_state(self, config, subgraphs))

    async def aget_state(
        self, config: RunnableConfig, *, subgraphs: bool = False
    ) -> StateSnapshot:
        """Async twin of `get_state`."""
        from langgraph_rust.pregel import _state

        return await run_async(_state.get_state(self, config, subgraphs))

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield a thread's states, newest first.

        Args:
            config: Names the thread, and a subgraph if it has a `checkpoint_ns`.
            filter: Metadata entries that the checkpoints must have.
            before: Names a checkpoint; only older ones are returned.
            limit: How many to return at most.

        Raises:
            ValueError: The graph has no checkpointer.
        """
        from langgraph_rust.pregel import _state

        graph, config, saver = _state.locate_history(self, config)
        if graph is not self:
            yield from graph.get_state_history(
                config, filter=filter, before=before, limit=limit
            )
            return
        # All at once: an open cursor would block the database for as long as the caller takes.
        for saved in list(saver.list(config, before=before, limit=limit, filter=filter)):
            yield run_sync(_state.snapshot(self, saved, saver))

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        from langgraph_rust.pregel import _state

        graph, config, saver = _state.locate_history(self, config)
        if graph is not self:
            async for snapshot in graph.aget_state_history(
                config, filter=filter, before=before, limit=limit
            ):
                yield snapshot
            return
        found = saver.alist(config, before=before, limit=limit, filter=filter)
        for saved in [saved async for saved in found]:
            yield await run_async(_state.snapshot(self, saved, saver))

    def bulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Write to a thread's state, superstep by superstep.

        Args:
            config: Names the thread, and the checkpoint to start from unless that is the latest.
            supersteps: For each, updates `(values, as_node, task_id)`, which are applied together
                as if nodes had returned the values. Alone in its superstep, an update may also be
                for `"__input__"` (a new input), for END with `None` (drop what is left to run) or
                for `"__copy__"` (fork the checkpoint, then apply the `(values, as_node)` pairs that
                are its values).

        Returns:
            The config of the last checkpoint made.

        Raises:
            ValueError: There is no checkpointer, no superstep, a superstep without updates, or no
                such subgraph.
            InvalidUpdateError: An update makes no sense.
        """
        from langgraph_rust.pregel import _update

        return run_sync(_update.bulk_update(self, config, supersteps))

    async def abulk_update_state(
        self, config: RunnableConfig, supersteps: Sequence[Sequence[StateUpdate]]
    ) -> RunnableConfig:
        """Async twin of `bulk_update_state`."""
        from langgraph_rust.pregel import _update

        return await run_async(_update.bulk_update(self, config, supersteps))

    def update_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Write to a thread's state as if a node had returned `values`.

        Args:
            config: Names the thread, and the checkpoint to start from unless that is the latest.
            values: What the node returns.
            as_node: The node; the one that ran last if there is just one.
            task_id: The task of that node, if it has several to run.

        Returns:
            The config of the new checkpoint.

        Raises:
            ValueError: There is no checkpointer, or no such subgraph.
            InvalidUpdateError: There is no such node, or it is not clear which ran last.
        """
        return self.bulk_update_state(config, [[StateUpdate(values, as_node, task_id)]])

    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        task_id: str | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        return await self.abulk_update_state(
            config, [[StateUpdate(values, as_node, task_id)]]
        )

    # --- running ---

    @overload
    def stream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        version: Literal["v2"],
        **kwargs: Unpack[DeprecatedKwargs],
    ) -> Iterator[StreamPart[StateT, OutputT]]: ...

    @overload
    def stream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        version: Literal["v1"] = ...,
        **kwargs: Unpack[DeprecatedKwargs],
    ) -> Iterator[dict[str, Any] | Any]: ...

    def stream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Unpack[DeprecatedKwargs],
    ) -> Iterator[dict[str, Any] | Any]:
        """Run the graph and yield what happens.

        Args:
            input: The input; `None` to go on where the thread stopped; a `Command` to answer
                interrupts, to update the state, or to go somewhere.
            config: With a checkpointer, names the thread.
            context: What nodes get as `runtime.context`. A dict becomes an instance of the context
                schema.
            stream_mode: One mode, or a list of several. `values`: the output channels after each
                step. `updates`: what each node wrote. `custom`: what nodes write to the stream.
                `messages`: what chat models say, token by token. `checkpoints`: each checkpoint.
                `tasks`: tasks as they start and end. `debug`: both. `tools`: what tools do. `None`
                is the graph's own `stream_mode`, but `values` within a node of another graph.
            print_mode: Modes to print.
            output_keys: The channels that `values` and `updates` show.
            interrupt_before: Nodes to stop before, instead of those the graph was compiled with.
            interrupt_after: Nodes to stop after, likewise.
            durability: When checkpoints are stored. `sync`: before the next step. `async`: while
                the next step runs. `exit`: when the run ends.
            control: Asks the run to stop early.
            subgraphs: Whether to yield what happens in subgraphs, too.
            debug: Whether to print `updates` and `values`; the graph's own `debug` by default.
            version: Of the format. `v1` yields the payload; `(mode, payload)` for a list of modes;
                with `subgraphs`, the namespace in front. `v2` yields dicts with `type`, `ns`,
                `data` and, for `values`, `interrupts`.
            **kwargs: The deprecated `checkpoint_during`.

        Raises:
            GraphRecursionError: The run reached its recursion limit.
            GraphDrained: `control` asked it to stop.
            EmptyInputError: There was nothing to do.
            ValueError: An argument is unusable.
        """
        launch = self._launch_stream(False, **_without_self(locals()))
        yield from launch.stream(input)

    @overload
    def astream(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode | Sequence[StreamMode] | None = None,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        subgraphs: bool = False,
        debug: bool | None = None,
        version: Literal["v2"],
        **kwargs: Unpack[DeprecatedKwargs],
    ) -> AsyncIterator[StreamPart[StateT, OutputT]]: ...
