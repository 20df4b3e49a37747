"""`Pregel`, a graph that runs: nodes that exchange values through channels, step by step."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, cast

from typing_extensions import Unpack, deprecated

from langgraph_rust._engine import Plan
from langgraph_rust._internal import _serde
from langgraph_rust._internal._config import merge_configs
from langgraph_rust._internal._constants import CACHE_NS_WRITES, TASKS
from langgraph_rust._internal._lazy.runnable import load_runnable_class
from langgraph_rust._internal._typing import MISSING, DeprecatedKwargs
from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.topic import Topic
from langgraph_rust.pregel._build import schemas
from langgraph_rust.pregel._build.builder import NodeBuilder
from langgraph_rust.pregel._build.read import PregelNode
from langgraph_rust.pregel._build.utils import validate_timeout_supported
from langgraph_rust.pregel._build.validate import validate_graph
from langgraph_rust.pregel._run.call import identifier
from langgraph_rust.pregel._run.methods import RunMethods
from langgraph_rust.pregel._state import subgraphs
from langgraph_rust.pregel._state.methods import StateMethods
from langgraph_rust.pregel._state.twins import run_async, run_sync
from langgraph_rust.pregel.protocol import PregelProtocol
from langgraph_rust.types import RetryPolicy, Send, ensure_valid_checkpointer
from langgraph_rust.typing import ContextT, InputT, OutputT, StateT
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph
    from pydantic import BaseModel
    from typing_extensions import Self

    from langgraph_rust.cache.base import BaseCache
    from langgraph_rust.checkpoint.base import Checkpoint
    from langgraph_rust.managed.base import ManagedValueSpec
    from langgraph_rust.store.base import BaseStore
    from langgraph_rust.types import All, CachePolicy, Checkpointer, StreamMode

__all__ = ("NodeBuilder", "Pregel")

_CONFIG_TYPE_DEPRECATED = (
    "`config_type` is deprecated and will be removed. Please use `context_schema` instead."
)
_CONFIG_SCHEMA_DEPRECATED = (
    "`config_schema` is deprecated. Use `get_context_jsonschema` for the relevant schema instead."
)
_CONFIG_JSONSCHEMA_DEPRECATED = (
    "`get_config_jsonschema` is deprecated. Use `get_context_jsonschema` instead."
)

_PLANNED = frozenset(("nodes", "channels", "input_channels", "stream_channels"))
"""The attributes that the engine's plan is made of."""


# With the protocol's signatures these disagree as upstream's do: `invoke` also returns lists of
# chunks, `astream_events` something to await, and updates are called `supersteps`.
class Pregel(  # pyright: ignore[reportIncompatibleMethodOverride]
    RunMethods[StateT, ContextT, InputT, OutputT],
    StateMethods,
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

    _watch: Callable[[RunnableConfig], Any] | None = None
    """Makes the tap of a run that begins, for whoever looks on; see `pregel._run.setup`."""

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
        if TASKS in self.channels and not isinstance(self.channels[TASKS], Topic):
            raise ValueError(f"Channel '{TASKS}' is reserved and cannot be used in the graph.")
        self.channels[TASKS] = Topic(Send, accumulate=False)
        _serde.remember_types(channels=self.channels)
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
        # never `None`, as other runnables' names may be
        self.name = name  # pyright: ignore[reportIncompatibleVariableOverride]
        self.stream_transformers = tuple(stream_transformers or ())
        if auto_validate:
            self.validate()

    def __setattr__(self, name: str, value: Any) -> None:
        if name in _PLANNED:
            object.__setattr__(self, "_plan", None)
        object.__setattr__(self, name, value)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy needs: neither the engine's plan, nor whoever looks on here."""
        return {k: v for k, v in self.__dict__.items() if k not in ("_plan", "_watch")}

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
        if self._watch is not None:
            clone._watch = self._watch
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
            TypeError: A node is no `PregelNode`, or cannot be sent to the executor that it names.
        """
        self._plan = None
        if _names_executor(self.nodes):
            from langgraph_rust.executors._place import place

            place(self.nodes)
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

    def get_graph(self, config: RunnableConfig | None = None, *, xray: int | bool = False) -> Graph:
        """Return the graph as nodes and edges to draw.

        Args:
            config: Has no influence on the result.
            xray: Whether subgraphs are opened up; a number says how many levels.
        """
        return run_sync(subgraphs.drawing(self, config, xray))

    async def aget_graph(
        self, config: RunnableConfig | None = None, *, xray: int | bool = False
    ) -> Graph:
        """Async twin of `get_graph`, for subgraphs that are remote."""
        return await run_async(subgraphs.drawing(self, config, xray))

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, Any]:
        """Show the drawing in a notebook."""
        drawn: Any = self.get_graph()
        return {
            "text/plain": repr(self),
            "image/png": drawn.draw_mermaid_png(),
            "image/svg+xml": drawn.draw_svg(),
        }

    def get_subgraphs(
        self, *, namespace: str | None = None, recurse: bool = False
    ) -> Iterator[tuple[str, PregelProtocol[Any, Any, Any, Any]]]:
        """Yield `(namespace, subgraph)` for the graphs that nodes run.

        Args:
            namespace: Only the one with this namespace, without task ids: `parent|child`. More
                than one level needs `recurse`.
            recurse: Whether to look inside the subgraphs, too.
        """
        return subgraphs.iterate(self, namespace, recurse)

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
        warnings.warn(_CONFIG_SCHEMA_DEPRECATED, category=LangGraphDeprecatedSinceV10, stacklevel=2)
        return schemas.config_model(self, include or ())

    @deprecated(_CONFIG_JSONSCHEMA_DEPRECATED, category=None)
    def get_config_jsonschema(self, *, include: Sequence[str] | None = None) -> dict[str, Any]:
        """Return a JSON schema of the config. Deprecated: use `get_context_jsonschema`."""
        warnings.warn(
            _CONFIG_JSONSCHEMA_DEPRECATED, category=LangGraphDeprecatedSinceV10, stacklevel=2
        )
        return schemas.config_model(self, include or ()).model_json_schema()

    def get_context_jsonschema(self) -> dict[str, Any] | None:
        """Return the JSON schema of the context; `None` without a context schema.

        Raises `ValueError` if that is neither a model, nor a `TypedDict`, nor a dataclass.
        """
        return schemas.context_json_schema(self.context_schema)

    @property
    def InputType(self) -> Any:
        """The type of the input, if there is a single input channel."""
        return schemas.channel_type(self, self.input_channels, "UpdateType")

    def get_input_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a model of the input."""
        config = merge_configs(self.config, config)
        if isinstance(self.input_channels, str):
            load_runnable_class()
            return super().get_input_schema(config)  # pyright: ignore[reportReturnType] - of pydantic 2
        names = self.input_channels or self.channels
        return schemas.channels_model(self, "Input", names, "UpdateType")

    def get_input_jsonschema(self, config: RunnableConfig | None = None) -> dict[str, Any]:
        """Return the JSON schema of the input."""
        return self.get_input_schema(config).model_json_schema()

    @property
    def OutputType(self) -> Any:
        """The type of the output, if there is a single output channel."""
        return schemas.channel_type(self, self.output_channels, "ValueType")

    def get_output_schema(self, config: RunnableConfig | None = None) -> type[BaseModel]:
        """Return a model of the output."""
        config = merge_configs(self.config, config)
        if isinstance(self.output_channels, str):
            load_runnable_class()
            return super().get_output_schema(config)  # pyright: ignore[reportReturnType] - of pydantic 2
        return schemas.channels_model(self, "Output", self.output_channels, "ValueType")

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

    # --- the cache ---

    def clear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Forget the cached results of `nodes`, or of all nodes.

        Raises `ValueError` if the graph has no cache.
        """
        self._require_cache().clear(self._cache_namespaces(nodes))

    async def aclear_cache(self, nodes: Sequence[str] | None = None) -> None:
        """Async twin of `clear_cache`."""
        await self._require_cache().aclear(self._cache_namespaces(nodes))

    def _require_cache(self) -> BaseCache:
        if not self.cache:
            raise ValueError("No cache is set for this graph. Cannot clear cache.")
        return self.cache

    def _cache_namespaces(self, nodes: Sequence[str] | None) -> list[tuple[str, ...]]:
        return [
            (CACHE_NS_WRITES, identifier(self.nodes[name]) or "__dynamic__", name)
            for name in nodes or self.nodes
            if name in self.nodes
        ]


# Coroutines and tracebacks show where a method is from: from here.
for _part in (RunMethods, StateMethods):
    for _name, _method in vars(_part).items():
        if isinstance(_method, FunctionType):
            _method.__module__, _method.__qualname__ = __name__, f"Pregel.{_name}"


def _names_executor(nodes: Mapping[str, PregelNode]) -> bool:
    """Whether a node may have to run elsewhere; few graphs load what that takes."""
    if os.environ.get("LANGGRAPH_RUST_EXECUTOR"):
        return True
    return any("executor" in (getattr(node, "metadata", None) or ()) for node in nodes.values())


def _debugs_globally() -> bool:
    # Before this module is loaded, nobody can have turned it on.
    return bool(getattr(sys.modules.get("langchain_core.globals"), "_debug", False))


def __getattr__(name: str) -> Any:
    # Lazy, because few programs use transformers of events.
    if name != "_normalize_stream_transformer_factories":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from langgraph_rust.stream._start import transformer_factories

    return transformer_factories
