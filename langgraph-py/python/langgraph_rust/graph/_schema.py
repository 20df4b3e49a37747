"""From a state schema to channels: each annotated field becomes a channel or a managed value."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import is_dataclass
from inspect import isclass, signature
from typing import Any, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Required, is_typeddict

from langgraph_rust.channels.base import BaseChannel
from langgraph_rust.channels.binop import BinaryOperatorAggregate
from langgraph_rust.channels.delta import DeltaChannel
from langgraph_rust.channels.last_value import LastValue
from langgraph_rust.managed.base import ManagedValueSpec, is_managed_value

ROOT = "__root__"
"""The one channel of a state that is not a dict of fields."""


def get_channels(
    schema: type[Any],
) -> tuple[dict[str, BaseChannel], dict[str, ManagedValueSpec], dict[str, Any]]:
    """Return a schema's channels, its managed values and its type hints, each by field.

    A schema without annotations (`list`, `Annotated[list, reducer]`, ...) has the one channel
    `__root__` and no hints.
    """
    if not hasattr(schema, "__annotations__"):
        root = get_channel(ROOT, schema, allow_managed=False)
        assert isinstance(root, BaseChannel)
        return {ROOT: root}, {}, {}
    hints = get_type_hints(schema, include_extras=True)
    channels: dict[str, BaseChannel] = {}
    managed: dict[str, ManagedValueSpec] = {}
    for name, annotation in hints.items():
        if name == "__slots__":
            continue
        spec = get_channel(name, annotation)
        if isinstance(spec, BaseChannel):
            channels[name] = spec
        elif is_managed_value(spec):
            managed[name] = spec
    return channels, managed, hints


def get_channel(
    name: str, annotation: Any, *, allow_managed: bool = True
) -> BaseChannel | ManagedValueSpec:
    """Return what a field annotated so becomes: by default a `LastValue`.

    `Annotated` can name a channel, a managed value or, as its last item, a reducer. Raises
    `ValueError` for a reducer that does not take two arguments, and for a managed value unless
    `allow_managed`.
    """
    if getattr(annotation, "__origin__", None) in (Required, NotRequired):
        annotation = annotation.__args__[0]
    manager = is_field_managed_value(name, annotation)
    if manager is not None:
        if not allow_managed:
            raise ValueError(f"This {annotation} not allowed in this position")
        return manager
    channel = is_field_channel(annotation) or is_field_binop(annotation) or LastValue(annotation)
    channel.key = name
    return channel


def is_field_channel(typ: Any) -> BaseChannel | None:
    """Return the channel named anywhere in an `Annotated`; a class is given the bare type."""
    for item in getattr(typ, "__metadata__", ()):
        if isinstance(item, DeltaChannel):
            return _with_field_type(item, typ)
        if isinstance(item, BaseChannel):
            return item
        if isclass(item) and issubclass(item, BaseChannel):
            return item(getattr(typ, "__origin__", typ))
        _refuse_langgraphs(item)
    return None


def _refuse_langgraphs(item: Any) -> None:
    """Raise if `item` is a channel of the package langgraph, which would not be seen as one."""
    cls = item if isclass(item) else type(item)
    if any(base.__module__.startswith("langgraph.channels") for base in cls.__mro__):
        raise TypeError(
            f"{cls.__module__}.{cls.__name__} is a channel of another package than this graph: "
            "import it from langgraph_rust.channels, or have the whole program import langgraph "
            "and run it with `python -m langgraph_rust`"
        )


def _with_field_type(channel: DeltaChannel, typ: Any) -> DeltaChannel:
    """Return a channel like the one in an `Annotated`, of the type that is annotated."""
    copy = type(channel)(
        channel.reducer,
        getattr(typ, "__origin__", typ),
        snapshot_frequency=channel.snapshot_frequency,
    )
    copy.key = channel.key
    return copy


def is_field_binop(typ: Any) -> BinaryOperatorAggregate | None:
    """Return a reducing channel if the last item of an `Annotated` is a function."""
    metadata = getattr(typ, "__metadata__", ())
    if not metadata or not callable(metadata[-1]):
        return None
    reducer: Callable[[Any, Any], Any] = metadata[-1]
    sig = signature(reducer)
    positional = [
        p for p in sig.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    if len(positional) != 2:
        raise ValueError(f"Invalid reducer signature. Expected (a, b) -> c. Got {sig}")
    return BinaryOperatorAggregate(typ, reducer)


def is_field_managed_value(name: str, typ: Any) -> ManagedValueSpec | None:
    """Return the managed value that is the last item of an `Annotated`, however it is wrapped."""
    while typ is not None:
        if metadata := getattr(typ, "__metadata__", ()):
            decoration = get_origin(metadata[-1]) or metadata[-1]
            if is_managed_value(decoration):
                return decoration
        # Required[Annotated[...]] and the like
        typ = next(iter(get_args(typ)), None) if get_origin(typ) is not None else None
    return None


class SchemaMapper:
    """Makes an instance of a schema's class from a dict of its fields.

    The engine reads `schema` and calls that itself.
    """

    __slots__ = ("schema",)

    schema: type[Any]
    """The class, called with the fields as keyword arguments."""

    def __init__(self, schema: type[Any]) -> None:
        self.schema = schema

    def __call__(self, values: dict[str, Any]) -> Any:
        """Return `schema(**values)`."""
        return self.schema(**values)

    def __repr__(self) -> str:
        return f"SchemaMapper({self.schema.__name__})"


def pick_mapper(select: Sequence[str] | str, schema: type[Any]) -> SchemaMapper | None:
    """Return what makes `schema` of the channels read: nothing unless it is a class to fill."""
    if select == ROOT or not isclass(schema):
        return None
    return SchemaMapper(schema) if is_dataclass(schema) or is_model_class(schema) else None


def is_model_class(schema: Any) -> bool:
    """Whether `schema` is a pydantic model class, without importing pydantic."""
    # A model class cannot exist before this module does.
    pydantic = sys.modules.get("pydantic.main")
    return pydantic is not None and isclass(schema) and issubclass(schema, pydantic.BaseModel)


def json_schema(
    typ: Any,
    schemas: dict[Any, dict[str, BaseChannel | ManagedValueSpec]],
    channels: dict[str, BaseChannel],
    name: str,
) -> dict[str, Any]:
    """Return the JSON schema of a state schema; `name` titles it if it has no name of its own."""
    from langgraph_rust._internal._fields import get_field_default
    from langgraph_rust._internal._pydantic import create_model

    if is_model_class(typ):
        return typ.model_json_schema()
    if is_typeddict(typ):
        from pydantic import TypeAdapter

        return TypeAdapter(typ).json_schema()
    types = {key: channels[key].UpdateType for key in schemas[typ] if key in channels}
    if list(schemas[typ]) == [ROOT]:
        return create_model(name, root=(types[ROOT], None)).model_json_schema()
    fields = {key: (update, get_field_default(key, update, typ)) for key, update in types.items()}
    return create_model(name, field_definitions=fields).model_json_schema()


def state_names(specs: Mapping[str, BaseChannel | ManagedValueSpec]) -> list[str]:
    """Return the keys that are channels, not managed values."""
    return [key for key, spec in specs.items() if not is_managed_value(spec)]


def names_or_root(specs: Mapping[str, BaseChannel | ManagedValueSpec]) -> list[str] | str:
    """Return the keys that are channels, or `__root__` if that is the only one."""
    return ROOT if list(specs) == [ROOT] else state_names(specs)
