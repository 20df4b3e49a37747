"""Which classes a graph's own schemas allow a serializer to load."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterable, Iterator, Mapping
from inspect import signature
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from weakref import WeakSet

from typing_extensions import is_typeddict

from langgraph_rust.checkpoint.serde import _known
from langgraph_rust.checkpoint.serde._default import is_strict
from langgraph_rust.checkpoint.serde._msgpack import SAFE_MSGPACK_TYPES
from langgraph_rust.checkpoint.serde._msgpack import (
    STRICT_MSGPACK_ENABLED as STRICT_MSGPACK_ENABLED,
)
from langgraph_rust.checkpoint.serde._names import stored_module
from langgraph_rust.checkpoint.serde._records import is_recorded

_warned_allowlist_unsupported = False

_MESSAGE_CLASSES = (
    "BaseMessage",
    "BaseMessageChunk",
    "HumanMessage",
    "HumanMessageChunk",
    "AIMessage",
    "AIMessageChunk",
    "SystemMessage",
    "SystemMessageChunk",
    "ChatMessage",
    "ChatMessageChunk",
    "ToolMessage",
    "ToolMessageChunk",
    "FunctionMessage",
    "FunctionMessageChunk",
    "RemoveMessage",
)


_remembered: WeakSet[Any] = WeakSet()
"""Types that have been looked into already, those of them that can be told again."""


def remember_types(schemas: Iterable[Any] = (), channels: Mapping[str, Any] | None = None) -> None:
    """Have strict serializers of this process load what the types of a graph mention."""
    if not is_strict():
        return
    for typ in (*schemas, *_types_of(channels)):
        try:
            if typ in _remembered:
                continue
            _remembered.add(typ)
        # It has no hash, or takes no weak references.
        except TypeError:
            pass
        found = collect_allowlist_from_schemas(schemas=[typ])
        _known.remember((stored_module(module), name) for module, name in found)


def remember_signature(func: Any) -> None:
    """Do the same for what a function takes first, and as `previous`, and returns."""
    try:
        hints = get_type_hints(func, include_extras=True)
        first = next(iter(signature(func).parameters), "return")
    except Exception:
        return
    remember_types([hints[name] for name in {first, "previous", "return"} & hints.keys()])


def apply_checkpointer_allowlist(checkpointer: Any, allowlist: set[tuple[str, ...]] | None) -> Any:
    """Return a copy of the saver that may also load the classes of `allowlist`.

    Args:
        checkpointer: A saver, or `None`, `True` or `False`, which are returned as they are. So is a
            saver of an old kind that has no `with_allowlist`, with one logged warning.
        allowlist: Pairs of module and class name; `None` to change nothing.
    """
    global _warned_allowlist_unsupported
    if not checkpointer or checkpointer is True or allowlist is None:
        return checkpointer
    if hasattr(checkpointer, "with_allowlist"):
        return checkpointer.with_allowlist(allowlist)
    if not _warned_allowlist_unsupported:
        from logging import getLogger

        getLogger("langgraph._internal._serde").warning(
            "Checkpointer does not support with_allowlist; strict msgpack "
            "allowlist will be skipped."
        )
        _warned_allowlist_unsupported = True
    return checkpointer


def curated_core_allowlist() -> set[tuple[str, ...]]:
    """Return langchain-core's message classes, as pairs of module and class name."""
    from langchain_core import messages

    found = (getattr(messages, name, None) for name in _MESSAGE_CLASSES)
    return {(cls.__module__, cls.__name__) for cls in found if cls is not None}


def build_serde_allowlist(
    *,
    schemas: list[type[Any]] | None = None,
    channels: dict[str, Any] | None = None,
) -> set[tuple[str, ...]]:
    """Return the message classes and those that `schemas` and `channels` mention."""
    given = [schema for schema in schemas or () if schema is not None]
    return curated_core_allowlist() | collect_allowlist_from_schemas(
        schemas=given, channels=channels
    )


def collect_allowlist_from_schemas(
    *,
    schemas: list[type[Any]] | None = None,
    channels: dict[str, Any] | None = None,
) -> set[tuple[str, ...]]:
    """Return the classes whose instances are stored as such that types mention, at any depth.

    Those are dataclasses, pydantic models, enums, named tuples, and what derives from types that
    are stored as themselves, such as `UUID`.

    Args:
        schemas: Types of states, inputs and outputs.
        channels: Channels by name; their value and update types are looked into.

    Returns:
        Pairs of module and class name.
    """
    collector = _Collector()
    for typ in (*(schemas or ()), *_types_of(channels)):
        collector.visit(typ)
    return collector.found


def _types_of(channels: Mapping[str, Any] | None) -> Iterator[Any]:
    for channel in (channels or {}).values():
        for attribute in ("ValueType", "UpdateType"):
            if (typ := getattr(channel, attribute, None)) is not None:
                yield typ


class _Collector:
    """Walks types and gathers the classes in them."""

    def __init__(self) -> None:
        self.found: set[tuple[str, ...]] = set()
        self._seen: set[Any] = set()
        # Types that cannot be hashed are told apart by identity, so they must stay alive.
        self._seen_unhashable: dict[int, Any] = {}

    def visit(self, typ: Any) -> None:
        """Gather the classes in one type."""
        if self._is_known(typ):
            return
        origin = get_origin(typ)
        if origin is Annotated:
            # What follows the type says how values are merged.
            self.visit(get_args(typ)[0])
        elif origin is Literal:
            self._visit_all(type(choice) for choice in get_args(typ))
        elif origin is not None:
            self._visit_all((origin, *get_args(typ)))
        elif isinstance(typ, TypeVar):
            self._visit_all((typ.__bound__, *typ.__constraints__))
        elif (named := _named(typ)) is not None:
            self.visit(named)
        elif is_typeddict(typ) or isinstance(typ, type):
            self._visit_class(typ)

    def _visit_class(self, cls: type) -> None:
        is_safe = (cls.__module__, cls.__name__) in SAFE_MSGPACK_TYPES
        if is_typeddict(cls):
            self._visit_all(_hints(cls).values())
        elif _is_pydantic_model(cls):
            self._add(cls)
            # `Box` of `Box[int]`, a class of its own.
            if generic := cls.__dict__.get("__pydantic_generic_metadata__", {}).get("origin"):
                self._add(generic)
            # What those that ship refer to is stored as plain data.
            if not is_safe:
                self._visit_all((*_hints(cls).values(), *_pydantic_field_types(cls)))
        elif dataclasses.is_dataclass(cls):
            self._add(cls)
            self._visit_all(_hints(cls).values() or [f.type for f in dataclasses.fields(cls)])
        elif is_recorded(cls) and not is_safe:
            self._add(cls)
            self._visit_all(_hints(cls).values())

    def _visit_all(self, types: Iterable[Any]) -> None:
        for typ in types:
            self.visit(typ)

    def _add(self, typ: Any) -> None:
        # A dataclass may also be given as a parametrised generic, which has no name.
        if name := getattr(typ, "__name__", None):
            self.found.add((typ.__module__, name))

    def _is_known(self, typ: Any) -> bool:
        if typ is None or typ is Any or typ is Literal:
            return True
        try:
            if typ in self._seen:
                return True
            self._seen.add(typ)
        except TypeError:
            if id(typ) in self._seen_unhashable:
                return True
            self._seen_unhashable[id(typ)] = typ
        return False


def _named(typ: Any) -> Any:
    """Return the type that a `NewType`, or what a `type` statement makes, is another name for."""
    for attribute in ("__supertype__", "__value__"):
        try:
            if (named := getattr(typ, attribute, None)) is not None:
                return named
        # A `type` statement's right side is evaluated only now.
        except Exception:
            continue
    return None


def _hints(typ: Any) -> dict[str, Any]:
    """Return the resolved annotations of a class, without those that cannot be resolved."""
    names: Any = {
        "globalns": vars(sys.modules.get(getattr(typ, "__module__", ""), sys)),
        "localns": dict(vars(typ)) if hasattr(typ, "__dict__") else None,
        "include_extras": True,
    }
    try:
        return get_type_hints(typ, **names)
    except Exception:
        pass
    found = {}
    for base in reversed(getattr(typ, "__mro__", (typ,))):
        # One by one: the names of some may be there for type checkers alone.
        for name, hint in _own_annotations(base).items():
            holder = type("holder", (), {"__annotations__": {name: hint}})
            try:
                found |= get_type_hints(holder, **names)
            except Exception:
                continue
    return found


def _own_annotations(typ: Any) -> dict[str, Any]:
    if sys.version_info < (3, 14) or not isinstance(typ, type):
        return vars(typ).get("__annotations__", {})
    # They are computed now, which fails for all if one does not resolve.
    import annotationlib

    return annotationlib.get_annotations(typ, format=annotationlib.Format.FORWARDREF)


def _is_pydantic_model(typ: Any) -> bool:
    if not isinstance(typ, type):
        return False
    # No model can exist before the module of its base does.
    for name in ("pydantic.main", "pydantic.v1.main"):
        model = getattr(sys.modules.get(name), "BaseModel", None)
        if model is not None and issubclass(typ, model):
            return True
    return False


def _pydantic_field_types(typ: Any) -> list[Any]:
    if fields := getattr(typ, "model_fields", None):
        return [field.annotation for field in fields.values() if field.annotation is not None]
    fields = getattr(typ, "__fields__", None) or {}
    types = (getattr(field, "outer_type_", None) for field in fields.values())
    return [typ for typ in types if typ is not None]
