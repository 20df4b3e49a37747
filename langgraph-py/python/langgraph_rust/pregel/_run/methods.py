"""The methods of `Pregel` that run it."""

from __future__ import annotations

import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, Literal, overload

from typing_extensions import Unpack

from langgraph_rust._internal._constants import CONF, CONFIG_KEY_TASK_ID
from langgraph_rust._internal._lazy.listening import is_own, watch_graphs
from langgraph_rust._internal._lazy.runnable import load_runnable_class
from langgraph_rust._internal._typing import RunKwargs
from langgraph_rust.pregel._run.launch import Launch
from langgraph_rust.pregel._run.listeners import AsyncStreaming
from langgraph_rust.pregel._run.results import Chunks, asks_in_values, output
from langgraph_rust.pregel._run.shapes import choose_shape, mode_set
from langgraph_rust.typing import ContextT, InputT, OutputT, StateT
from langgraph_rust.warnings import LangGraphDeprecatedSinceV10

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig
    from langchain_core.runnables.schema import StreamEvent

    from langgraph_rust.pregel._run.shapes import Modes
    from langgraph_rust.runtime import RunControl
    from langgraph_rust.stream.run_stream import AsyncGraphRunStream, GraphRunStream
    from langgraph_rust.types import (
        All,
        Command,
        Durability,
        GraphOutput,
        StreamMode,
        StreamPart,
    )

_DURING_DEPRECATED = (
    "`checkpoint_during` is deprecated and will be removed. Please use `durability` instead."
)


class RunMethods(Generic[StateT, ContextT, InputT, OutputT]):
    """Running; a part of `Pregel`, and of nothing else."""

    if TYPE_CHECKING:
        # what `Pregel` brings
        debug: bool
        output_channels: str | Sequence[str]

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
        **kwargs: Unpack[RunKwargs],
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
        **kwargs: Unpack[RunKwargs],
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
        **kwargs: Unpack[RunKwargs],
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
            **kwargs: `view=True` opens a viewer for the graph, unless it has one, prints its
                address to stderr, and shows this run there; with `"tokens"` chat models are made
                to stream; see `langgraph_rust.viewer`. Also the deprecated `checkpoint_during`.

        Raises:
            GraphRecursionError: The run reached its recursion limit.
            GraphDrained: `control` asked it to stop.
            EmptyInputError: There was nothing to do.
            ValueError: An argument is unusable.
        """
        launch = _launch_stream(
            self,
            config,
            is_async=False,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=_durability(durability, kwargs),
            control=control,
            subgraphs=subgraphs,
            debug=debug,
            version=version,
            view=kwargs.get("view"),
        )
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
        **kwargs: Unpack[RunKwargs],
    ) -> AsyncIterator[StreamPart[StateT, OutputT]]: ...

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
        version: Literal["v1"] = ...,
        **kwargs: Unpack[RunKwargs],
    ) -> AsyncIterator[dict[str, Any] | Any]: ...

    async def astream(
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
        **kwargs: Unpack[RunKwargs],
    ) -> AsyncIterator[dict[str, Any] | Any]:
        """Async twin of `stream`."""
        launch = _launch_stream(
            self,
            config,
            is_async=True,
            context=context,
            stream_mode=stream_mode,
            print_mode=print_mode,
            output_keys=output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=_durability(durability, kwargs),
            control=control,
            subgraphs=subgraphs,
            debug=debug,
            version=version,
            view=kwargs.get("view"),
        )
        async with AsyncStreaming(launch, input) as run:
            while True:
                yield await run.anext()

    @overload
    def invoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: Literal["values"] = ...,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v2"],
        **kwargs: Any,
    ) -> GraphOutput[OutputT]: ...

    @overload
    def invoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v2"],
        **kwargs: Any,
    ) -> list[StreamPart[StateT, OutputT]]: ...

    @overload
    def invoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v1"] = ...,
        **kwargs: Any,
    ) -> dict[str, Any] | Any: ...

    def invoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> dict[str, Any] | Any:
        """Run the graph to the end.

        Args:
            input: As for `stream`.
            config: As for `stream`.
            context: As for `stream`.
            stream_mode: With another mode than `values`, the result is a list of chunks.
            print_mode: As for `stream`.
            output_keys: The channels to return; the graph's output channels by default.
            interrupt_before: As for `stream`.
            interrupt_after: As for `stream`.
            durability: As for `stream`.
            control: As for `stream`.
            version: Of the format. `v1` returns the output, with a list of the open interrupts, if
                there are any, as its `__interrupt__`. `v2` returns a `GraphOutput`.
            **kwargs: Further arguments of `stream`.

        Raises:
            GraphRecursionError: The run reached its recursion limit.
            GraphDrained: `control` asked it to stop.
            EmptyInputError: There was nothing to do.
            ValueError: An argument is unusable.
        """
        plain = stream_mode == "values" and not (print_mode or kwargs or self.debug)
        if plain and is_own(self, "stream") and not asks_in_values(self, output_keys, version):
            launch = Launch(
                self,  # pyright: ignore[reportArgumentType] - it is a `Pregel`
                config,
                context=context,
                output_keys=output_keys,
                default_keys=self.output_channels,
                interrupt_before=interrupt_before,
                interrupt_after=interrupt_after,
                durability=durability,
                control=control,
                is_async=False,
            )
            latest, interrupts = launch.invoke(input)
            return output(self, latest, interrupts, version)
        chunks = Chunks(stream_mode, version)
        for chunk in self.stream(
            input,
            config,
            context=context,
            stream_mode=chunks.needed_mode,
            print_mode=print_mode,
            output_keys=self.output_channels if output_keys is None else output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            control=control,
            version=chunks.version,
            **kwargs,
        ):
            chunks.add(chunk)
        return chunks.result()

    @overload
    async def ainvoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: Literal["values"] = ...,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v2"],
        **kwargs: Any,
    ) -> GraphOutput[OutputT]: ...

    @overload
    async def ainvoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode,
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v2"],
        **kwargs: Any,
    ) -> list[StreamPart[StateT, OutputT]]: ...

    @overload
    async def ainvoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v1"] = ...,
        **kwargs: Any,
    ) -> dict[str, Any] | Any: ...

    async def ainvoke(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        context: ContextT | None = None,
        stream_mode: StreamMode = "values",
        print_mode: StreamMode | Sequence[StreamMode] = (),
        output_keys: str | Sequence[str] | None = None,
        interrupt_before: All | Sequence[str] | None = None,
        interrupt_after: All | Sequence[str] | None = None,
        durability: Durability | None = None,
        control: RunControl | None = None,
        version: Literal["v1", "v2"] = "v1",
        **kwargs: Any,
    ) -> dict[str, Any] | Any:
        """Async twin of `invoke`."""
        plain = stream_mode == "values" and not (print_mode or kwargs or self.debug)
        if plain and is_own(self, "astream") and not asks_in_values(self, output_keys, version):
            launch = Launch(
                self,  # pyright: ignore[reportArgumentType] - it is a `Pregel`
                config,
                context=context,
                output_keys=output_keys,
                default_keys=self.output_channels,
                interrupt_before=interrupt_before,
                interrupt_after=interrupt_after,
                durability=durability,
                control=control,
                is_async=True,
            )
            latest, interrupts = await launch.ainvoke(input)
            return output(self, latest, interrupts, version)
        chunks = Chunks(stream_mode, version)
        async for chunk in self.astream(
            input,
            config,
            context=context,
            stream_mode=chunks.needed_mode,
            print_mode=print_mode,
            output_keys=self.output_channels if output_keys is None else output_keys,
            interrupt_before=interrupt_before,
            interrupt_after=interrupt_after,
            durability=durability,
            control=control,
            version=chunks.version,
            **kwargs,
        ):
            chunks.add(chunk)
        return chunks.result()

    @overload
    def stream_events(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v3"],
        transformers: Sequence[Callable[[tuple[str, ...]], Any]] | None = None,
        **kwargs: Any,
    ) -> GraphRunStream: ...

    @overload
    def stream_events(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2"] = ...,
        **kwargs: Any,
    ) -> Iterator[StreamEvent]: ...

    def stream_events(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        transformers: Sequence[Callable[[tuple[str, ...]], Any]] | None = None,
        **kwargs: Any,
    ) -> Any:
        """Run the graph and return a handle of the run, whose projections are what happens.

        Args:
            input: As for `stream`.
            config: As for `stream`.
            version: Of the events' schema. langchain-core has versions 1 and 2 for async code only;
                use `astream_events` for them. Version 3 is experimental.
            transformers: Classes of transformers, or functions from scope to transformer, beside
                those the graph was compiled with.
            **kwargs: Further arguments of `stream`, but neither `stream_mode` nor `subgraphs`.

        Raises:
            NotImplementedError: For versions 1 and 2.
            TypeError: An argument is not for version 3.
        """
        if version == "v3":
            from langgraph_rust.stream._start import reject_own_arguments, start_v3

            reject_own_arguments(kwargs)
            _warn_beta("stream_events")
            return start_v3(self, input, config, transformers=transformers, **kwargs)  # type: ignore[arg-type]
        load_runnable_class()
        return super().stream_events(input, config, version=version, **kwargs)  # type: ignore[misc]

    @overload
    def astream_events(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v3"],
        transformers: Sequence[Callable[[tuple[str, ...]], Any]] | None = None,
        **kwargs: Any,
    ) -> Awaitable[AsyncGraphRunStream]: ...

    @overload
    def astream_events(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2"] = ...,
        **kwargs: Any,
    ) -> AsyncIterator[StreamEvent]: ...

    def astream_events(
        self,
        input: InputT | Command | None,
        config: RunnableConfig | None = None,
        *,
        version: Literal["v1", "v2", "v3"] = "v2",
        transformers: Sequence[Callable[[tuple[str, ...]], Any]] | None = None,
        **kwargs: Any,
    ) -> AsyncIterator[StreamEvent] | Awaitable[Any]:
        """Run the graph and yield events of everything that runs within it.

        Args:
            input: As for `astream`.
            config: As for `astream`.
            version: Of the events' schema. `v1` and `v2` are langchain-core's. With `v3`, which is
                experimental, the result is to be awaited; it is a handle of the run, whose
                projections are what happens.
            transformers: For version 3; see `stream_events`.
            **kwargs: Which events are wanted, and further arguments of `astream`.

        Raises:
            TypeError: An argument is not for version 3.
        """
        if version == "v3":
            from langgraph_rust.stream._start import astart_v3, reject_own_arguments

            reject_own_arguments(kwargs)
            _warn_beta("astream_events")
            return astart_v3(self, input, config, transformers=transformers, **kwargs)  # type: ignore[arg-type]
        load_runnable_class()
        return super().astream_events(input, config, version=version, **kwargs)  # type: ignore[misc]


watch_graphs(RunMethods)


def _launch_stream(
    graph: Any,
    config: RunnableConfig | None,
    *,
    stream_mode: StreamMode | Sequence[StreamMode] | None,
    print_mode: StreamMode | Sequence[StreamMode],
    subgraphs: bool,
    debug: bool | None,
    version: Literal["v1", "v2"],
    view: object,
    **options: Any,
) -> Launch:
    """Prepare a run whose caller watches; `options` are those of `Launch`."""
    if view:
        from langgraph_rust.viewer import keep_open

        keep_open(graph, view)
    wanted: Modes
    if stream_mode is not None:
        wanted = stream_mode
    elif config is not None and CONFIG_KEY_TASK_ID in config.get(CONF, ()):
        wanted = "values"
    else:
        wanted = graph.stream_mode
    if debug or graph.debug:
        print_mode = ["updates", "values"]
    launch = Launch(graph, config, default_keys=graph.stream_channels_asis, **options)
    is_typed = version == "v2"
    shape = choose_shape(
        wanted,
        print_mode,
        subgraphs=subgraphs,
        version=version,
        output_mapper=graph._output_mapper if is_typed else None,
        state_mapper=graph._state_mapper if is_typed else None,
    )
    modes = mode_set(wanted) | mode_set(print_mode)
    launch.show(modes, shape, subgraphs=subgraphs, version=version)
    return launch


def _durability(durability: Durability | None, kwargs: Any) -> Durability | None:
    """Return when to store checkpoints, reading the deprecated `checkpoint_during`, too."""
    during = kwargs.get("checkpoint_during") if kwargs else None
    if during is None:
        return durability
    warnings.warn(_DURING_DEPRECATED, category=LangGraphDeprecatedSinceV10, stacklevel=3)
    if durability is not None:
        raise ValueError(
            "Cannot use both `checkpoint_during` and `durability` parameters. "
            "Please use `durability` instead."
        )
    return "async" if during else "exit"


@cache
def _warn_beta(method: str) -> None:
    """Warn that version 3 of a method may change, once per process."""
    from langchain_core._api.beta_decorator import warn_beta

    warn_beta(message="The v3 streaming protocol on Pregel is experimental.")
