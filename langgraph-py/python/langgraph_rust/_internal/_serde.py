"""Which classes a graph's own schemas allow a strict serializer to load."""

from __future__ import annotations

import dataclasses
import sys
from collections import deque
from collections.abc import Iterable
from enum import Enum
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from typing_extensions import NotRequired, Required, is_typeddict

from langgraph_rust.checkpoint.serde._msgpack import (
    STRICT_MSGPACK_ENABLED as STRICT_MSGPACK_ENABLED,
)

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

# Generic forms whose arguments are looked into: containers and unions with all of them,
# qualifiers with the first, which is the type.
_CONTAINERS = (list, set, tuple, dict, deque, frozenset, Union, UnionType)
_QUALIFIERS = (Annotated, Required, NotRequired)


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
    """Return the dataclasses, pydantic models and enums that types mention, at any depth.

    Args:
        schemas: Types of states, inputs and outputs.
        channels: Channels by name; their value and update types are looked into.

    Returns:
        Pairs of module and class name.
    """
    collector = _Collector()
    for schema in schemas or ():
        collector.visit(schema)
    for channel in (channels or {}).values():
        for attribute in ("ValueType", "UpdateType"):
            if (typ := getattr(channel, attribute, None)) is not None:
                collector.visit(typ)
    return collector.found


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
        if origin in _CONTAINERS:
            self._visit_all(get_args(typ))
        elif origin in _QUALIFIERS:
            self._visit_all(get_args(typ)[:1])
        elif hasattr(typ, "__supertype__"):
            self.visit(typ.__supertype__)
        elif is_typeddict(typ):
            self._visit_all(_hints(typ).values())
        elif _is_pydantic_model(typ):
            self._add(typ)
            self._visit_all(_hints(typ).values() or _pydantic_field_types(typ))
        elif dataclasses.is_dataclass(typ):
            self._add(typ)
            self._visit_all(_hints(typ).values() or [f.type for f in dataclasses.fields(typ)])
        elif isinstance(typ, type) and issubclass(typ, Enum):
            self._add(typ)

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


def _hints(typ: Any) -> dict[str, Any]:
    """Return the resolved annotations of a class; nothing if one of them cannot be resolved."""
    module = sys.modules.get(getattr(typ, "__module__", ""))
    try:
        return get_type_hints(
            typ,
            globalns=vars(module) if module else None,
            localns=dict(vars(typ)) if hasattr(typ, "__dict__") else None,
            include_extras=True,
        )
    except Exception:
        return {}


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
