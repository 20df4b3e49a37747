"""Starting a run whose events go through transformers: `stream_events(version="v3")`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._config import ensure_config, patch_configurable
from langgraph_rust._internal._constants import (
    CONF,
    CONFIG_KEY_CHECKPOINT_NS,
    CONFIG_KEY_STREAM_MESSAGES_V2,
    NS_SEP,
)
from langgraph_rust.stream._mux import StreamMux, TransformerFactory
from langgraph_rust.stream._types import StreamTransformer
from langgraph_rust.stream.run_stream import AsyncGraphRunStream, GraphRunStream

if TYPE_CHECKING:
    from langchain_core.runnables import RunnableConfig

    from langgraph_rust.pregel import Pregel
    from langgraph_rust.runtime import RunControl
    from langgraph_rust.types import All

_TransformerSpecs = Sequence[Callable[[tuple[str, ...]], Any]] | None

_OWN_ARGUMENTS = ("stream_mode", "subgraphs")


def start_v3(
    pregel: Pregel,
    input: Any,
    config: RunnableConfig | None = None,
    *,
    interrupt_before: All | Sequence[str] | None = None,
    interrupt_after: All | Sequence[str] | None = None,
    control: RunControl | None = None,
    transformers: _TransformerSpecs = None,
    **kwargs: Any,
) -> GraphRunStream:
    """Return the handle of a new run; it starts when the handle is read.

    Args:
        pregel: The graph. Its `stream_transformers` come before `transformers`.
        input: Its input.
        config: The run's config.
        interrupt_before: Nodes to pause before.
        interrupt_after: Nodes to pause after.
        control: Asks the run to stop early.
        transformers: Classes of transformers, or functions from scope to transformer.
        **kwargs: What else `pregel.stream` takes.

    Raises:
        TypeError: `stream_mode` or `subgraphs` is given, or a transformer that was made already.
    """
    mux = _make_mux(pregel, config, transformers, kwargs, is_async=False)
    parts = pregel.stream(
        input,
        **_arguments(mux, config),
        interrupt_before=interrupt_before,
        interrupt_after=interrupt_after,
        control=control,
        **kwargs,
    )
    return GraphRunStream(iter(parts), mux)


async def astart_v3(
    pregel: Pregel,
    input: Any,
    config: RunnableConfig | None = None,
    *,
    interrupt_before: All | Sequence[str] | None = None,
    interrupt_after: All | Sequence[str] | None = None,
    control: RunControl | None = None,
    transformers: _TransformerSpecs = None,
    **kwargs: Any,
) -> AsyncGraphRunStream:
    """Async twin of `start_v3`."""
    mux = _make_mux(pregel, config, transformers, kwargs, is_async=True)
    parts = pregel.astream(
        input,
        **_arguments(mux, config),
        interrupt_before=interrupt_before,
        interrupt_after=interrupt_after,
        control=control,
        **kwargs,
    )
    return AsyncGraphRunStream(aiter(parts), mux)


def reject_own_arguments(kwargs: dict[str, Any]) -> None:
    """Raise `TypeError` for arguments of `stream` that are not the caller's to choose."""
    if given := [name for name in _OWN_ARGUMENTS if name in kwargs]:
        raise TypeError(
            "stream_events(version='v3') / astream_events(version='v3') do "
            f"not accept {', '.join(given)}; v3 owns these "
            "(stream_mode is built from the transformer mux, subgraphs is "
            "forced True so nested namespaces flow through scoped muxes)."
        )


def transformer_factories(specs: _TransformerSpecs) -> list[TransformerFactory]:
    """Return what makes the given transformers for a scope.

    Raises:
        TypeError: One of them was made already, or is nothing to call.
    """
    expected = "stream_events(version='v3') transformers must be scope-aware callables"
    for spec in specs or ():
        if isinstance(spec, StreamTransformer):
            raise TypeError(
                f"{expected}, got pre-built instance {type(spec).__name__}. Pass the "
                "transformer class or a factory like `lambda scope: MyTransformer(scope, ...)`."
            )
        if not callable(spec):
            raise TypeError(f"{expected}, got {type(spec).__name__}.")
    return list(specs or ())


def _make_mux(
    pregel: Pregel,
    config: RunnableConfig | None,
    transformers: _TransformerSpecs,
    kwargs: dict[str, Any],
    *,
    is_async: bool,
) -> StreamMux:
    from langgraph_rust.stream import transformers as builtin

    reject_own_arguments(kwargs)
    factories: list[TransformerFactory] = [
        builtin.ValuesTransformer,
        builtin.MessagesTransformer,
        builtin.LifecycleTransformer,
        builtin.SubgraphTransformer,
        *transformer_factories(pregel.stream_transformers),
        *transformer_factories(transformers),
    ]
    scope = _caller_namespace(pregel.config, config)
    return StreamMux(factories=factories, scope=scope, is_async=is_async)


def _arguments(mux: StreamMux, config: RunnableConfig | None) -> dict[str, Any]:
    """The arguments of `stream` that the transformers need."""
    modes = {mode for t in mux._transformers for mode in t.required_stream_modes}
    return {
        "config": patch_configurable(config, {CONFIG_KEY_STREAM_MESSAGES_V2: True}),
        "stream_mode": list(modes),
        "subgraphs": True,
        "version": "v2",
    }


def _caller_namespace(*configs: RunnableConfig | None) -> tuple[str, ...]:
    """Return the namespace of a run's own events: that of the node that starts it, if any."""
    namespace = ensure_config(*configs).get(CONF, {}).get(CONFIG_KEY_CHECKPOINT_NS)
    return tuple(namespace.split(NS_SEP)) if namespace else ()
