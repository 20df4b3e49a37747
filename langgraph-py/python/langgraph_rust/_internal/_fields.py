"""What annotations say about the fields of state classes."""

from __future__ import annotations

import dataclasses
import inspect
import sys
import weakref
from collections.abc import Generator, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_origin, get_type_hints

from typing_extensions import NotRequired, ReadOnly, Required

from langgraph_rust._internal._typing import MISSING


def get_field_default(name: str, type_: Any, schema: type[Any]) -> Any:
    """Return the default of a state field, `...` if it is required.

    Args:
        name: Name of the field.
        type_: Its annotation; `Required`, `NotRequired` and optional types count.
        schema: The class, whose `total=False` or dataclass defaults count too.
    """
    required = _is_required_type(type_)
    if name in getattr(schema, "__optional_keys__", ()):
        # On old Pythons a field marked Required may be listed as optional here.
        return ... if required else None
    if required is not None:
        return ... if required else None
    if dataclasses.is_dataclass(schema):
        default = _dataclass_default(name, schema)
        if default is not MISSING:
            return default
    return None if _is_optional_type(type_) else ...


def _dataclass_default(name: str, schema: type[Any]) -> Any:
    field = next((f for f in dataclasses.fields(schema) if f.name == name), None)
    if field is None:
        return MISSING
    if field.default is not dataclasses.MISSING and field.default is not ...:
        return field.default
    if field.default_factory is not dataclasses.MISSING:
        return field.default_factory()
    return MISSING


def get_enhanced_type_hints(
    type: type[Any],
) -> Generator[tuple[str, Any, Any, str | None], None, None]:
    """Yield `(name, annotation, default, description)` for each field of a class.

    Default and description are `None` when there are none. Descriptions come from pydantic fields.
    """
    model_fields = getattr(type, "model_fields", None) or {}
    class_attributes = getattr(type, "__dict__", {})
    for name, annotation in get_type_hints(type).items():
        default = description = None
        if field := model_fields.get(name):
            description = getattr(field, "description", None)
            default = getattr(field, "default", None)
            if default.__class__.__name__ == "PydanticUndefinedType":
                default = None
        yield name, annotation, class_attributes.get(name, default), description


def get_update_as_tuples(input: Any, keys: Sequence[str]) -> list[tuple[str, Any]]:
    """Return the fields of a state object that form an update, as `(key, value)` pairs.

    A `None` is part of it unless it is a pydantic field's untouched default.

    Args:
        input: A pydantic model, dataclass instance or other object with attributes.
        keys: Names to look for; those that `input` lacks are left out.
    """
    explicit: Any = ()
    defaults: dict[str, Any] = {}
    if _is_pydantic(input):
        explicit = input.model_fields_set
        defaults = {name: field.default for name, field in type(input).model_fields.items()}
    updates = []
    for key in keys:
        value = getattr(input, key, MISSING)
        if value is MISSING:
            continue
        if value is not None or defaults.get(key, MISSING) is not None or key in explicit:
            updates.append((key, value))
    return updates


def _is_pydantic(value: object) -> bool:
    # No instance of a class can exist before its module does.
    pydantic = sys.modules.get("pydantic.main")
    model = getattr(pydantic, "BaseModel", None)
    return model is not None and isinstance(value, model)


ANNOTATED_KEYS_CACHE: weakref.WeakKeyDictionary[type[Any], tuple[str, ...]] = (
    weakref.WeakKeyDictionary()
)
"""Results of `get_cached_annotated_keys`."""


def get_cached_annotated_keys(obj: type[Any]) -> tuple[str, ...]:
    """Return the annotated names of a class, those of its bases first.

    Raises:
        TypeError: `obj` is not a class.
    """
    if not isinstance(obj, type):
        raise TypeError(f"Expected a type, got {type(obj)}. ")
    keys = ANNOTATED_KEYS_CACHE.get(obj)
    if keys is None:
        keys = tuple(key for base in reversed(obj.__mro__) for key in _own_annotations(base))
        ANNOTATED_KEYS_CACHE[obj] = keys
    return keys


def _own_annotations(cls: type[Any]) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        from annotationlib import Format, get_annotations

        # Only names are wanted: an annotation that cannot be evaluated is no problem.
        return get_annotations(cls, format=Format.FORWARDREF)
    return inspect.get_annotations(cls)


def _is_optional_type(type_: Any) -> bool:
    """Tell whether an annotation admits `None`."""
    origin = get_origin(type_)
    if origin is Union or origin is UnionType:
        return any(arg is NoneType or _is_optional_type(arg) for arg in type_.__args__)
    if origin is Annotated:
        return _is_optional_type(type_.__args__[0])
    bound = getattr(type_, "__bound__", None)
    if origin is None and bound is not None:
        return _is_optional_type(bound)
    return type_ is None


def _is_required_type(type_: Any) -> bool | None:
    """Tell whether an annotation is marked `Required` or `NotRequired`; `None` if neither."""
    origin = get_origin(type_)
    if origin is Required:
        return True
    if origin is NotRequired:
        return False
    if origin is Annotated:
        return _is_required_type(type_.__args__[0])
    return None


def _is_readonly_type(type_: Any) -> bool:
    """Tell whether an annotation is marked `ReadOnly`."""
    origin = get_origin(type_)
    if origin is Annotated:
        return _is_readonly_type(type_.__args__[0])
    return origin is ReadOnly
