"""`RemoteGraph`: a graph that a LangGraph server runs, to be used like one that runs here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Literal

from langgraph_rust._internal._config import merge_configs
from langgraph_rust._internal._constants import CONF, CONFIG_KEY_THREAD_ID
from langgraph_rust._internal._lazy.runnable import load_runnable_class
from langgraph_rust._internal._log import remote_logger
from langgraph_rust.pregel._remote.codec import (
    RemoteException,
    RunStream,
    checkpoint_of,
    sanitize_config,
    to_config,
    to_drawable,
    to_snapshot,
)
from langgraph_rust.pregel.protocol import PregelProtocol
from langgraph_rust.types import GraphOutput

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.graph import Graph as DrawableGraph
    from langgraph_sdk.client import LangGraphClient, SyncLangGraphClient
    from langgraph_sdk.schema import Context, QueryParamTypes
    from typing_extensions import Self

    from langgraph_rust.types import All, StateSnapshot, StreamMode

__all__ = ("RemoteException", "RemoteGraph")

_V3_SUPPORTED_KWARGS = frozenset({"metadata", "headers"})


class RemoteGraph(PregelProtocol):
    """A graph of a LangGraph server, which can also be a node of another graph.

    All methods that ask the server raise `ValueError` if there is no client to ask with: the sync
    ones need `sync_client`, the async ones `client`. `headers` and `params` are added to the
    requests.
    """

    # Where an override is ignored below: the signature is upstream's, which differs from that of
    # local graphs (no overloads by version, a handle to await instead of an iterator of events).

    assistant_id: str
    """The graph on the server."""
    name: str | None
    """The name as a node and in traces."""

    def __init__(
        self,
        assistant_id: str,
        /,
        *,
        url: str | None = None,
        api_key: str | None = None,
        headers: dict[str, str] | None = None,
        client: LangGraphClient | None = None,
        sync_client: SyncLangGraphClient | None = None,
        config: RunnableConfig | None = None,
        name: str | None = None,
        distributed_tracing: bool = False,
    ) -> None:
        """Name the graph, and say how to reach the server.

        Args:
            assistant_id: An assistant's id, or a graph's name.
            url: Of the server; clients for it are made as far as they are not given.
            api_key: For these clients; by default from the environment (`LANGGRAPH_API_KEY`,
                `LANGSMITH_API_KEY` or `LANGCHAIN_API_KEY`).
            headers: For these clients.
            client: For async methods.
            sync_client: For sync methods.
            config: Merged into the config of each call.
            name: The name as a node and in traces; `assistant_id` by default.
            distributed_tracing: Whether runs on the server join the caller's langsmith trace.
        """
        self.assistant_id = assistant_id
        self.name = assistant_id if name is None else name
        self.config = config
        self.distributed_tracing = distributed_tracing
        if url is not None:
            from langgraph_sdk.client import get_client, get_sync_client

            access: Any = {"url": url, "api_key": api_key, "headers": headers}
            client = client or get_client(**access)
            sync_client = sync_client or get_sync_client(**access)
        self.client = client
        self.sync_client = sync_client

    def copy(self, update: dict[str, Any]) -> Self:
        """Return a graph like this one with some attributes replaced."""
        kept = ("assistant_id", "name", "config", "distributed_tracing", "client", "sync_client")
        attributes = {name: getattr(self, name) for name in kept} | update
        return type(self)(attributes.pop("assistant_id"), **attributes)

    def with_config(self, config: RunnableConfig | None = None, **kwargs: Any) -> Self:
        """Return a copy with `config` and `kwargs` merged into its config."""
        return self.copy({"config": merge_configs(self.config, config, kwargs)})  # type: ignore[arg-type]

    def _validate_client(self) -> LangGraphClient:
        if self.client is None:
            raise ValueError(
                "Async client is not initialized: please provide `url` or `client` "
                "when initializing `RemoteGraph`."
            )
        return self.client

    def _validate_sync_client(self) -> SyncLangGraphClient:
        if self.sync_client is None:
            raise ValueError(
                "Sync client is not initialized: please provide `url` or `sync_client` "
                "when initializing `RemoteGraph`."
            )
        return self.sync_client

    def _sanitize_config(self, config: RunnableConfig) -> RunnableConfig:
        return sanitize_config(config)

    # Looking at the graph and its threads.

    def get_graph(
        self,
        config: RunnableConfig | None = None,
        *,
        xray: int | bool = False,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> DrawableGraph:
        """Return the graph to draw; `xray` opens subgraphs (int: how deep). Ignores `config`."""
        asked: Any = {"xray": xray, "headers": headers, "params": params}
        assistants = self._validate_sync_client().assistants
        return _drawable(assistants.get_graph(assistant_id=self.assistant_id, **asked))

    async def aget_graph(
        self,
        config: RunnableConfig | None = None,
        *,
        xray: int | bool = False,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> DrawableGraph:
        """Async twin of `get_graph`."""
        asked: Any = {"xray": xray, "headers": headers, "params": params}
        assistants = self._validate_client().assistants
        return _drawable(await assistants.get_graph(assistant_id=self.assistant_id, **asked))

    def get_state(
        self,
        config: RunnableConfig,
        *,
        subgraphs: bool = False,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> StateSnapshot:
        """Return the state of a thread, the latest unless `config` names a checkpoint."""
        threads = self._validate_sync_client().threads
        asked: Any = {"subgraphs": subgraphs, "headers": headers, "params": params}
        return to_snapshot(threads.get_state(**self._thread(config), **asked))

    async def aget_state(
        self,
        config: RunnableConfig,
        *,
        subgraphs: bool = False,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> StateSnapshot:
        """Async twin of `get_state`."""
        threads = self._validate_client().threads
        asked: Any = {"subgraphs": subgraphs, "headers": headers, "params": params}
        return to_snapshot(await threads.get_state(**self._thread(config), **asked))

    def get_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> Iterator[StateSnapshot]:
        """Yield the states of a thread, newest first.

        Args:
            config: Names the thread.
            filter: Metadata that checkpoints must have.
            before: Names a checkpoint; only older ones are wanted.
            limit: How many at most; 10 by default.
            headers: Added to the request.
            params: Added to the request.
        """
        threads = self._validate_sync_client().threads
        asked = _history(filter, before, limit, headers, params)
        yield from map(to_snapshot, threads.get_history(**self._thread(config), **asked))

    async def aget_state_history(
        self,
        config: RunnableConfig,
        *,
        filter: dict[str, Any] | None = None,
        before: RunnableConfig | None = None,
        limit: int | None = None,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> AsyncIterator[StateSnapshot]:
        """Async twin of `get_state_history`."""
        threads = self._validate_client().threads
        asked = _history(filter, before, limit, headers, params)
        for state in await threads.get_history(**self._thread(config), **asked):
            yield to_snapshot(state)

    def update_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> RunnableConfig:
        """Write `values` as if node `as_node` returned them; return the new checkpoint's config."""
        threads = self._validate_sync_client().threads
        asked: Any = {"values": values, "as_node": as_node, "headers": headers, "params": params}
        response: Any = threads.update_state(**self._thread(config), **asked)
        return to_config(response["checkpoint"])

    async def aupdate_state(
        self,
        config: RunnableConfig,
        values: dict[str, Any] | Any | None,
        as_node: str | None = None,
        *,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
    ) -> RunnableConfig:
        """Async twin of `update_state`."""
        threads = self._validate_client().threads
        asked: Any = {"values": values, "as_node": as_node, "headers": headers, "params": params}
        response: Any = await threads.update_state(**self._thread(config), **asked)
        return to_config(response["checkpoint"])

    def bulk_update_state(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        config: RunnableConfig,
        updates: list[tuple[dict[str, Any] | None, str | None]],
    ) -> RunnableConfig:
        """Always raise `NotImplementedError`: servers have no request for it."""
        raise NotImplementedError

    async def abulk_update_state(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        config: RunnableConfig,
        updates: list[tuple[dict[str, Any] | None, str | None]],
    ) -> RunnableConfig:
        """Always raise `NotImplementedError`: servers have no request for it."""
        raise NotImplementedError

    def _thread(self, config: RunnableConfig) -> dict[str, Any]:
        """What addresses a thread and perhaps a checkpoint of it."""
        merged = merge_configs(self.config, config)
        thread_id = merged[CONF][CONFIG_KEY_THREAD_ID]
        return {"thread_id": thread_id, "checkpoint": checkpoint_of(merged)}

    # Running the graph.

    def stream(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: dict[str, Any] | Any,
        config: RunnableConfig | None = None,
        *,
        context: Context | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> Iterator[dict[str, Any] | Any]:
        """Run the graph on the server and yield what happens, in the shapes of `Pregel.stream`.

        With several stream modes, version 1 yields the client's chunks. Within a node of another
        graph, what that graph's stream wants is passed on to it.

        Args:
            input: The input, or a `Command`.
            config: Names the thread, if there is to be one; created if it does not exist.
            context: The run's context.
            stream_mode: What to yield; `"updates"` by default.
            interrupt_before: Nodes to pause before.
            interrupt_after: Nodes to pause after.
            subgraphs: Whether to also yield what happens in subgraphs, with namespaces.
            headers: Added to the request.
            params: Added to the request.
            version: `"v2"` yields typed parts.
            **kwargs: What else the client's `runs.stream` takes.

        Raises:
            RemoteException: The run failed.
            GraphInterrupt: The run was interrupted, and a graph called it.
            ParentCommand: The run has a command for the graph that called it.
        """
        client = self._validate_sync_client()
        run = self._run(
            input,
            config,
            stream_mode=stream_mode,
            subgraphs=subgraphs,
            version=version,
            context=context,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            headers=self._traced(headers),
            params=params,
            **kwargs,
        )
        for chunk in client.runs.stream(**run.arguments):
            yield from run.receive(chunk)

    async def astream(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: dict[str, Any] | Any,
        config: RunnableConfig | None = None,
        *,
        context: Context | None = None,
        stream_mode: StreamMode | list[StreamMode] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        subgraphs: bool = False,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> AsyncIterator[dict[str, Any] | Any]:
        """Async twin of `stream`."""
        client = self._validate_client()
        run = self._run(
            input,
            config,
            stream_mode=stream_mode,
            subgraphs=subgraphs,
            version=version,
            context=context,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            headers=self._traced(headers),
            params=params,
            **kwargs,
        )
        async for chunk in client.runs.stream(**run.arguments):
            for item in run.receive(chunk):
                yield item

    def _run(self, input: Any, config: RunnableConfig | None, **arguments: Any) -> RunStream:
        merged = merge_configs(self.config, config)
        return RunStream(self.assistant_id, input, merged, config, **arguments)

    def _traced(self, headers: dict[str, str] | None) -> dict[str, str] | None:
        return _merge_tracing_headers(headers) if self.distributed_tracing else headers

    def invoke(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: dict[str, Any] | Any,
        config: RunnableConfig | None = None,
        *,
        context: Context | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> dict[str, Any] | Any:
        """Run the graph on the server and return its last state, `None` if there is none.

        With `version="v2"` that is a `GraphOutput`. The arguments are those of `stream`, as are the
        errors.
        """
        last: Any = _NOTHING
        for chunk in self.stream(
            input,
            config=config,
            context=context,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            headers=headers,
            stream_mode="values",
            params=params,
            version=version,
            **kwargs,
        ):
            last = chunk
        return _result(last, version)

    async def ainvoke(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: dict[str, Any] | Any,
        config: RunnableConfig | None = None,
        *,
        context: Context | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        headers: dict[str, str] | None = None,
        params: QueryParamTypes | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> dict[str, Any] | Any:
        """Async twin of `invoke`."""
        last: Any = _NOTHING
        async for chunk in self.astream(
            input,
            config=config,
            context=context,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            headers=headers,
            stream_mode="values",
            params=params,
            version=version,
            **kwargs,
        ):
            last = chunk
        return _result(last, version)

    # Stream events.

    def stream_events(
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        control: Any = None,
        transformers: Sequence[Any] | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Return the handle of a run on the server, for `version="v3"`.

        The run starts when the handle is entered (`with`). Other versions are langchain-core's.

        Args:
            input: The input, or a `Command` with nothing but `resume`.
            config: Names the thread, if there is to be one.
            version: Of the events.
            interrupt_before: Not supported by servers.
            interrupt_after: Not supported by servers.
            control: Not supported by servers.
            transformers: Not supported by servers.
            headers: Added to the requests.
            **kwargs: `metadata` of the run.

        Raises:
            NotImplementedError: An argument is given that servers do not support.
        """
        if version != "v3":
            load_runnable_class()
            return super().stream_events(input, config, version=version, **kwargs)
        self._reject_v3_unsupported(
            control=control,
            transformers=transformers,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            extra_kwargs=kwargs,
        )
        from langgraph_rust.pregel._remote.run_stream import _RemoteGraphRunStream

        client = self._validate_sync_client()
        thread, sent = self._v3_thread(config, headers)
        return _RemoteGraphRunStream(
            sync_client=client,
            sdk_thread=client.threads.stream(**thread),
            input=input,
            config=sent,
            metadata=kwargs.get("metadata"),
        )

    async def astream_events(  # pyright: ignore[reportIncompatibleMethodOverride]
        self,
        input: Any,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        control: Any = None,
        transformers: Sequence[Any] | None = None,
        headers: dict[str, str] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Async twin of `stream_events`; enter what it returns with `async with`.

        Raises:
            NotImplementedError: Also for other versions than `"v3"`.
        """
        if version != "v3":
            raise NotImplementedError(
                f"RemoteGraph.astream_events(version={version!r}) is not "
                "implemented; use astream() for v1/v2 streaming or "
                "version='v3'."
            )
        self._reject_v3_unsupported(
            control=control,
            transformers=transformers,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            extra_kwargs=kwargs,
        )
        from langgraph_rust.pregel._remote.run_stream import _AsyncRemoteGraphRunStream

        client = self._validate_client()
        thread, sent = self._v3_thread(config, headers)
        return _AsyncRemoteGraphRunStream(
            client=client,
            sdk_thread=client.threads.stream(**thread),
            input=input,
            config=sent,
            metadata=kwargs.get("metadata"),
        )

    def _v3_thread(
        self, config: RunnableConfig | None, headers: dict[str, str] | None
    ) -> tuple[dict[str, Any], RunnableConfig]:
        """Return the arguments for the client's thread, and the config to run with."""
        sent: Any = self._sanitize_config(merge_configs(self.config, config))
        thread = {
            "thread_id": sent.get(CONF, {}).pop(CONFIG_KEY_THREAD_ID, None),
            "assistant_id": self.assistant_id,
            "headers": self._traced(headers),
        }
        return thread, sent

    def _reject_v3_unsupported(
        self,
        *,
        control: Any,
        transformers: Any,
        interrupt_before: Any,
        interrupt_after: Any,
        extra_kwargs: dict[str, Any],
    ) -> None:
        """Raise `NotImplementedError` for what servers do not support in version 3."""
        refused = "RemoteGraph.stream_events(version='v3') does not support"
        for name, value in (
            ("control", control),
            ("transformers", transformers),
            ("interrupt_before", interrupt_before),
            ("interrupt_after", interrupt_after),
        ):
            if value:
                raise NotImplementedError(f"{refused} `{name}=`.")
        if unknown := sorted(extra_kwargs.keys() - _V3_SUPPORTED_KWARGS):
            raise NotImplementedError(
                f"{refused} the following kwargs: {unknown!r}. "
                f"Supported: {sorted(_V3_SUPPORTED_KWARGS)!r}."
            )


_NOTHING = object()


def _history(
    filter: dict[str, Any] | None,
    before: RunnableConfig | None,
    limit: int | None,
    headers: dict[str, str] | None,
    params: Any,
) -> dict[str, Any]:
    return {
        "limit": limit or 10,
        "before": checkpoint_of(before),
        "metadata": filter,
        "headers": headers,
        "params": params,
    }


def _drawable(graph: Any) -> DrawableGraph:
    """Return what a server tells of a graph as one to draw."""
    from langgraph_rust.pregel._build.picture import DrawableGraph

    told = to_drawable(graph)
    return DrawableGraph(told.nodes, told.edges)


def _result(last: Any, version: str) -> Any:
    """Return what `invoke` returns, given the last chunk."""
    if last is _NOTHING:
        remote_logger.warning("No events received from remote graph")
        return None
    if version != "v2":
        return last
    return GraphOutput(value=last["data"], interrupts=tuple(last.get("interrupts", ())))


def _merge_tracing_headers(headers: dict[str, str] | None) -> dict[str, str] | None:
    """Return `headers` with those that say which langsmith trace a run belongs to."""
    from langsmith import get_current_run_tree

    tree = get_current_run_tree()
    if tree is None:
        return headers
    tracing = tree.to_headers()
    if headers and "baggage" in headers:
        tracing["baggage"] = f"{headers['baggage']},{tracing['baggage']}"
    return {**(headers or {}), **tracing}
