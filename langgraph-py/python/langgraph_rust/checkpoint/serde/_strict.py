"""Rebuilding what was stored, or saying why not.

What is used under the package's own name. In drop-in mode what cannot or may not be rebuilt comes
back as plain data, as upstream's serializer has it (`_decode`).
"""

from __future__ import annotations

import dataclasses
import datetime
import sys
from collections.abc import Callable
from typing import Any

from langgraph_rust.checkpoint.serde import _msgpack
from langgraph_rust.checkpoint.serde._names import resolve
from langgraph_rust.checkpoint.serde._places import is_whole
from langgraph_rust.checkpoint.serde._records import (
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_POS_ARGS,
    EXT_CONSTRUCTOR_SINGLE_ARG,
    EXT_DELTA_SNAPSHOT,
    EXT_METHOD_SINGLE_ARG,
    EXT_NUMPY_ARRAY,
    EXT_PYDANTIC_V1,
    EXT_PYDANTIC_V2,
)
from langgraph_rust.checkpoint.serde.errors import StoredValueError, TypeNotAllowedError
from langgraph_rust.checkpoint.serde.types import _DeltaSnapshot

_METHOD = "fromisoformat"
"""The one method that is called: of `datetime`, and of what derives from it, if allowed."""

Permits = Callable[[str, str], bool]
"""Asked with module and name whether a type may be built."""


def rebuild(code: int, record: Any, permits: Permits, error: Exception | None = None) -> Any:
    """Return what a record stands for.

    Args:
        code: The record's code.
        record: Its body; `None` if that could not be decoded.
        permits: Whether a type may be built.
        error: What came of an attempt to decode or to build it.

    Raises:
        StoredValueError: It cannot be rebuilt.
        TypeNotAllowedError: It may not be.
    """
    if error is not None and record is None:
        raise _of_what_is_within(error)
    if code == EXT_DELTA_SNAPSHOT:
        return _DeltaSnapshot(record)
    if code == EXT_NUMPY_ARRAY:
        return _array(record)
    build = _BUILDERS.get(code)
    if build is None:
        raise StoredValueError(
            f"a record of kind {code}, which this release does not know: it may be from a newer one"
        )
    if not is_whole(code, record):
        raise StoredValueError("a record that is broken: it does not say what to build of what")
    module, name, argument = record[:3]
    method = record[3] if code == EXT_METHOD_SINGLE_ARG else None
    if method not in (None, _METHOD):
        raise _method_not_allowed(module, name, method)
    if (module, name, method) not in _msgpack.SAFE_MSGPACK_METHODS and not permits(module, name):
        raise _not_allowed(module, name)
    target = _find(module, name)
    if method is not None and not _is_time(target):
        raise _method_not_allowed(module, name, method)
    try:
        return build(target, argument)
    except StoredValueError:
        raise
    except Exception as exc:
        raise StoredValueError(
            f"{module}.{name} cannot be rebuilt from what was stored ({_short(exc)}). Have the "
            "class take what it was stored with: what it had before it changed, or what it dumps",
            module,
            name,
        ) from exc


def _not_allowed(module: str, name: str) -> TypeNotAllowedError:
    """Return the error for a type that nobody has allowed."""
    entry = f"[({module!r}, {name!r})]"
    error = TypeNotAllowedError(
        f"{module}.{name} is stored here, a type that may not be read: it is neither harmless by "
        "itself, nor in the schemas of a graph that this process has compiled, nor allowed. "
        "If it is yours, compile the graph first, name the type in its state, or give the saver "
        f"serde=JsonPlusSerializer(allowed_msgpack_modules={entry})",
        module,
        name,
    )
    error.event = {"kind": "msgpack_blocked", "module": module, "name": name}
    return error


def _method_not_allowed(module: str, name: str, method: str) -> TypeNotAllowedError:
    error = TypeNotAllowedError(
        f"{module}.{name}.{method} is stored here, a method that is never called", module, name
    )
    kind = "msgpack_method_blocked"
    error.event = {"kind": kind, "module": module, "name": name, "method": method}
    return error


def _of_what_is_within(error: Exception) -> Exception:
    """Return what decoding a record's body failed with, without what the decoder put around it."""
    cause = error.__cause__
    if isinstance(cause, StoredValueError):
        return cause
    return StoredValueError(f"a record that is broken ({_short(cause or error)})")


def _find(module: str, name: str) -> Any:
    try:
        return resolve(module, name)
    except Exception as exc:
        raise StoredValueError(
            f"{module}.{name} is stored here, but is not, or no longer, at the top level of that "
            f"module ({_short(exc)}). Put the class, or another under its name, there",
            module,
            name,
        ) from exc


def _is_time(target: Any) -> bool:
    return isinstance(target, type) and issubclass(target, datetime.datetime)


def _short(exc: BaseException) -> str:
    said = str(exc)
    pydantic: Any = sys.modules.get("pydantic")
    if pydantic is not None and isinstance(exc, pydantic.ValidationError):
        # Without the values: they may be secret.
        invalid: Any = exc
        errors = invalid.errors(include_url=False, include_context=False, include_input=False)
        said = "; ".join(f"{'.'.join(map(str, of['loc']))}: {of['msg']}" for of in errors)
    text = " ".join(f"{type(exc).__name__}: {said}".split())
    return text if len(text) <= 300 else f"{text[:297]}..."


# --- building ---


def _of_positions(target: Any, arguments: Any) -> Any:
    if target is resolve("langgraph.types", "Send") and len(arguments) == 3:
        return target(*arguments[:2], timeout=arguments[2])
    return target(*arguments)


def _of_fields(target: Any, values: dict[str, Any]) -> Any:
    # What the constructor does not take, a dataclass has all the same.
    is_dataclass = dataclasses.is_dataclass(target)
    fields = dataclasses.fields(target) if is_dataclass else ()
    later = {field.name for field in fields if not field.init}
    made = target(**{name: value for name, value in values.items() if name not in later})
    for name in later & values.keys():
        object.__setattr__(made, name, values[name])
    return made


def _model_v1(target: Any, values: dict[str, Any]) -> Any:
    fields = getattr(target, "__fields__", {})
    try:
        return target(**values)
    except Exception:
        named = {getattr(fields.get(name), "alias", name): value for name, value in values.items()}
        if named.keys() == values.keys():
            raise
        return target(**named)


def _model_v2(target: Any, values: Any) -> Any:
    pydantic = sys.modules.get("pydantic")
    is_model = pydantic is not None and issubclass(target, pydantic.BaseModel)
    if is_model and not isinstance(values, dict):
        # What a root model's dump is.
        return target.model_validate(values)
    try:
        return target(**values)
    except Exception:
        if not is_model:
            raise
        # Its dump has names instead of aliases, and what was computed.
        values = {name: of for name, of in values.items() if name not in _computed(target)}
        try:
            return target.model_validate(values, by_alias=True, by_name=True)
        except TypeError:
            # Before pydantic 2.11.
            return target(**{_alias(target, name): of for name, of in values.items()})


def _computed(model: Any) -> Any:
    return getattr(model, "model_computed_fields", ())


def _alias(model: Any, name: str) -> str:
    field = model.model_fields.get(name)
    alias = getattr(field, "validation_alias", None) or getattr(field, "alias", None)
    return alias if isinstance(alias, str) else name


def _array(record: Any) -> Any:
    try:
        import numpy  # pyright: ignore[reportMissingImports] - optional

        dtype, shape, order, buffer = record
        return numpy.frombuffer(buffer, dtype=numpy.dtype(dtype)).reshape(shape, order=order)
    except Exception as exc:
        raise StoredValueError(f"a numpy array that cannot be read ({_short(exc)})") from exc


_BUILDERS: dict[int, Callable[[Any, Any], Any]] = {
    EXT_CONSTRUCTOR_SINGLE_ARG: lambda target, argument: target(argument),
    EXT_CONSTRUCTOR_POS_ARGS: _of_positions,
    EXT_CONSTRUCTOR_KW_ARGS: _of_fields,
    EXT_METHOD_SINGLE_ARG: lambda target, argument: target.fromisoformat(argument),
    EXT_PYDANTIC_V1: _model_v1,
    EXT_PYDANTIC_V2: _model_v2,
}
"""How to build what a record names of what it was stored with."""
