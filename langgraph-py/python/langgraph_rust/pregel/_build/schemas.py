"""Models and JSON schemas of what goes into a graph and comes out of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from langgraph_rust._internal._constants import CONF
from langgraph_rust.channels.base import BaseChannel

if TYPE_CHECKING:
    from pydantic import BaseModel

    from langgraph_rust.pregel.main import Pregel

    AnyPregel = Pregel[Any, Any, Any, Any]


def channel_type(graph: AnyPregel, keys: str | Sequence[str], attribute: str) -> Any:
    """Return a type that a channel names; `None` if `keys` are several, or it is no channel."""
    spec = graph.channels[keys] if isinstance(keys, str) else None
    return getattr(spec, attribute) if isinstance(spec, BaseChannel) else None


def channels_model(
    graph: AnyPregel, suffix: str, names: Iterable[str], attribute: str
) -> type[BaseModel]:
    """Return a model with a field for each channel, of the type that the channel names."""
    from langgraph_rust._internal._pydantic import create_model

    specs = ((name, graph.channels[name]) for name in names)
    fields = {
        name: (getattr(spec, attribute), None)
        for name, spec in specs
        if isinstance(spec, BaseChannel)
    }
    return create_model(graph.get_name(suffix), field_definitions=fields)


def config_model(graph: AnyPregel, include: Sequence[str]) -> type[BaseModel]:
    """Return a model of the config: the context as `configurable`, and the keys `include`."""
    from typing import get_type_hints

    from langchain_core.runnables import RunnableConfig

    from langgraph_rust._internal._pydantic import create_model

    fields: dict[str, Any] = {}
    if graph.context_schema:
        fields[CONF] = (graph.context_schema, None)
    for name, hint in get_type_hints(RunnableConfig).items():
        if name in include and name != CONF:
            fields[name] = (hint, None)
    return create_model(graph.get_name("Config"), field_definitions=fields)


def context_json_schema(schema: Any) -> dict[str, Any] | None:
    """Return the JSON schema of a model, a `TypedDict` or a dataclass; `None` for `None`.

    Raises `ValueError` for anything else.
    """
    if schema is None:
        return None
    from dataclasses import is_dataclass

    from pydantic import BaseModel, TypeAdapter
    from typing_extensions import is_typeddict

    if isinstance(schema, type) and issubclass(schema, BaseModel):
        return schema.model_json_schema()
    if is_typeddict(schema) or is_dataclass(schema):
        # `is_dataclass` is true of instances, too, but nobody gives one
        return TypeAdapter(schema).json_schema()  # pyright: ignore[reportArgumentType]
    raise ValueError(
        f"Invalid context schema type: {schema}. Must be a BaseModel, TypedDict or dataclass."
    )
