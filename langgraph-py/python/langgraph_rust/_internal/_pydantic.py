"""Pydantic models made at run time, for JSON schemas of graph inputs, outputs and contexts."""

from __future__ import annotations

import sys
import typing
from dataclasses import is_dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from typing_extensions import TypedDict

if TYPE_CHECKING:
    from pydantic import BaseModel, ConfigDict
    from pydantic.fields import FieldInfo

NO_DEFAULT = object()
"""Marks a root model without a default."""


def get_fields(model: type[BaseModel] | BaseModel) -> dict[str, FieldInfo]:
    """Return the fields of a pydantic model, of version 1 or 2, by name.

    Raises:
        TypeError: It is no model.
    """
    for attribute in ("model_fields", "__fields__"):
        if hasattr(model, attribute):
            return getattr(model, attribute)
    raise TypeError(f"Expected a Pydantic model. Got {type(model)}")


def create_model(
    model_name: str,
    *,
    field_definitions: dict[str, Any] | None = None,
    root: Any | None = None,
) -> type[BaseModel]:
    """Make a model class; equal arguments may give the same class again.

    Args:
        model_name: Name of the class, and title of its schema.
        field_definitions: Field name -> `(type, default)`. Names that pydantic reserves are
        allowed;
            such a field is known by its alias.
        root: Type of a root model, or `(type, default)`.

    Raises:
        NotImplementedError: Both fields and a root are given.
    """
    fields = field_definitions or {}
    if root:
        if fields:
            raise NotImplementedError(
                f"When specifying __root__ no other fields should be provided. Got {fields}"
            )
        type_, default = root if isinstance(root, tuple) else (root, NO_DEFAULT)
        try:
            return _create_root_model_cached(model_name, type_, default)
        except TypeError:  # not hashable
            return _create_root_model(model_name, type_, default)
    try:
        return _create_model_cached(model_name, **fields)
    except TypeError:  # not hashable
        return _create_model(model_name, fields)


@lru_cache(maxsize=256)
def _create_root_model_cached(name: str, type_: Any, default: Any) -> type[BaseModel]:
    return _create_root_model(name, type_, default)


@lru_cache(maxsize=256)
def _create_model_cached(name: str, /, **fields: Any) -> type[BaseModel]:
    return _create_model(name, fields)


def _create_model(name: str, fields: dict[str, Any]) -> type[BaseModel]:
    from pydantic import create_model

    return create_model(name, __config__=_schema_config(), **_renamed_fields(fields))


@cache
def _schema_config() -> ConfigDict:
    from pydantic import ConfigDict

    return ConfigDict(arbitrary_types_allowed=True, frozen=True, protected_namespaces=())


def _create_root_model(name: str, type_: Any, default: Any) -> type[BaseModel]:
    from pydantic import ConfigDict, RootModel

    namespace: dict[str, Any] = {
        "__annotations__": {"root": type_},
        "__module__": "langchain_core.runnables.utils",
        "model_config": ConfigDict(arbitrary_types_allowed=True, title=name),
    }
    if default is not NO_DEFAULT:
        namespace["root"] = default
    return type(name, (RootModel,), namespace)


def _renamed_fields(fields: dict[str, Any]) -> dict[str, Any]:
    """Give fields whose name pydantic does not accept another one, and their own as an alias."""
    from pydantic import Field
    from pydantic.fields import FieldInfo

    reserved = _reserved_names()
    renamed = {}
    for name, definition in fields.items():
        if not name.startswith("_") and name not in reserved:
            renamed[name] = definition
            continue
        if isinstance(definition, FieldInfo):
            raise NotImplementedError(
                "Remapping for fields starting with '_' or fields with a name "
                f"matching a reserved name {reserved} is not supported if "
                f" the field is a pydantic Field instance. Got {name}."
            )
        type_, default = definition
        title = name.lstrip("_").replace("_", " ").title()
        renamed[f"private_{name}"] = (
            type_,
            Field(default=default, alias=name, serialization_alias=name, title=title),
        )
    return renamed


@cache
def _reserved_names() -> frozenset[str]:
    from pydantic import BaseModel

    return frozenset(name for name in dir(BaseModel) if not name.startswith("_"))


def is_supported_by_pydantic(type_: Any) -> bool:
    """Tell whether pydantic can validate a class with fields: a model, dataclass or `TypedDict`.

    False for simple types such as `int`. Before Python 3.12, pydantic only accepts the `TypedDict`
    of `typing_extensions`.
    """
    if is_dataclass(type_):
        return True
    # No model can exist before the module of its base does.
    model = getattr(sys.modules.get("pydantic.main"), "BaseModel", None)
    if model is not None and isinstance(type_, type) and issubclass(type_, model):
        return True
    accepted: list[Any] = [TypedDict]
    if sys.version_info >= (3, 12):
        accepted.append(typing.TypedDict)
    return any(base in accepted for base in getattr(type_, "__orig_bases__", ()))
