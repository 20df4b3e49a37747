"""What the caller of `stream` gets to see of each event, and what is printed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from langgraph_rust._internal._constants import INTERRUPT
from langgraph_rust.constants import START
from langgraph_rust.pregel._build.asked import check_mode_types

if TYPE_CHECKING:
    from langgraph_rust.types import StreamMode

    Modes = StreamMode | Sequence[StreamMode]
    Mapper = Callable[[Any], Any] | None
    Shape = str | Callable[[Any, str, Any], Any]


def mode_set(modes: Modes) -> set[StreamMode]:
    """Return one mode or several as a set; what is no string names none."""
    if isinstance(modes, str):
        return {modes}
    named: set[StreamMode] = {mode for mode in modes if isinstance(mode, str)}
    if len(named) < len(modes):
        check_mode_types(modes)
    return named


def is_eager(modes: set[Any], is_async: bool) -> bool:
    """Whether chunks of these modes must leave while tasks run."""
    if {"messages", "custom"} & modes:
        return True
    # Else a task that a node calls would be shown when it is over.
    return is_async and bool({"tasks", "debug"} & modes)


def choose_shape(
    stream_mode: Modes,
    print_mode: Modes,
    *,
    subgraphs: bool,
    version: Literal["v1", "v2"],
    output_mapper: Mapper = None,
    state_mapper: Mapper = None,
) -> Shape:
    """Return how events become chunks: a shape the engine knows by name, or a function.

    The function gets `(namespace, mode, payload)` and returns the chunk, or `NotImplemented` if the
    event is not for the caller.
    """
    if version == "v2":
        shape: Shape = _typed_part(output_mapper, state_mapper)
    elif isinstance(stream_mode, list):
        shape = "full" if subgraphs else "moded"
    else:
        shape = "namespaced" if subgraphs else "payload"
    if not print_mode:
        return shape
    return _printing(shape, mode_set(stream_mode), mode_set(print_mode), subgraphs)


def _typed_part(output_mapper: Mapper, state_mapper: Mapper) -> Callable[[Any, str, Any], Any]:
    """Return the shape of version 2: a dict with type, namespace and data."""

    def shape(namespace: Any, mode: str, payload: Any) -> dict[str, Any]:
        if mode == "values":
            interrupts: Any = ()
            if isinstance(payload, dict):
                interrupts = payload.pop(INTERRUPT, ())
                payload = output_mapper(payload) if output_mapper else payload
            return {"type": mode, "ns": namespace, "data": payload, "interrupts": interrupts}
        if state_mapper and mode in ("checkpoints", "debug"):
            _map_state(payload, state_mapper)
        return {"type": mode, "ns": namespace, "data": payload}

    return shape


def _map_state(payload: Any, mapper: Callable[[Any], Any]) -> None:
    """Map the state in the payload of a checkpoint, which `debug` wraps once more."""
    if isinstance(payload, dict) and payload.get("type") == "checkpoint":
        payload = payload.get("payload")
    if not isinstance(payload, dict) or not isinstance(payload.get("values"), dict):
        return
    # Before START has run, most of the state is missing and no schema would accept it.
    if START not in payload.get("next", ()):
        payload["values"] = mapper(payload["values"])


def _printing(
    shape: Shape, shown: set[StreamMode], printed: set[StreamMode], subgraphs: bool
) -> Callable[[Any, str, Any], Any]:
    """Return `shape` as a function that also prints events of the modes `printed`."""
    make = shape if callable(shape) else _NAMED[shape]

    def show(namespace: Any, mode: Any, payload: Any) -> Any:
        if mode in printed:
            _print_event(namespace if subgraphs else (), mode, payload)
        return make(namespace, mode, payload) if mode in shown else NotImplemented

    return show


_NAMED: dict[str, Callable[[Any, str, Any], Any]] = {
    "payload": lambda namespace, mode, payload: payload,
    "moded": lambda namespace, mode, payload: (mode, payload),
    "namespaced": lambda namespace, mode, payload: (namespace, payload),
    "full": lambda namespace, mode, payload: (namespace, mode, payload),
}


def _print_event(namespace: Any, mode: str, payload: Any) -> None:
    from langgraph_rust.pregel.debug import get_bolded_text, get_colored_text

    parts = [get_bolded_text(f"[{mode}]")]
    if namespace:
        parts.append(get_colored_text(f"[graph={namespace}]", color="yellow"))
    print(*parts, repr(payload))
